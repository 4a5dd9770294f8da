//! Figures on the page: documents in the plane, and how similar topics are.

use super::super::figure::{Drawing, Figure, Part, dark_rules, ground};
use super::super::markup::Markup;
use crate::cluster::OUTLIER;
use crate::error::{ErrorKind, Result};
use crate::model::FittedTopicModel;

/// The number of documents on the map: of more, a sample is drawn, so that the page stays small.
const DOCUMENTS: usize = 50_000;

/// The number of topics in the matrix, largest first.
const TOPICS: usize = 200;

/// How large the matrix is at most, as a share of its own size.
const MATRIX: f64 = 0.8;

/// A figure with a section of its own.
#[derive(Debug, Clone)]
pub(super) struct PageFigure {
    pub(super) id: &'static str,
    heading: &'static str,
    explanation: &'static str,
    /// The largest size, as a share of its own size.
    scale: f64,
    /// `Err`: why there is none.
    drawing: std::result::Result<Part, String>,
}

impl PageFigure {
    /// The documents in the plane; `None` without topics.
    pub(super) fn map(model: &FittedTopicModel) -> Result<Option<Self>> {
        if topics(model) == 0 {
            return Ok(None);
        }
        let share = DOCUMENTS as f64 / model.labels().len().max(1) as f64;
        Ok(Some(PageFigure {
            id: "map",
            heading: "Documents in the plane",
            explanation: "A point is a document, and has the color of its topic. Documents that are near each other are \
                similar; the distances between groups say little.",
            scale: 1.0,
            drawing: drawing(&model.visualize_documents().sample(share.min(1.0)))?,
        }))
    }

    /// How similar topics are; `None` with fewer than two topics.
    pub(super) fn similarity(model: &FittedTopicModel) -> Result<Option<Self>> {
        let topics = topics(model).min(TOPICS);
        if topics < 2 {
            return Ok(None);
        }
        // Groups of similar topics, each of about as many as there are groups.
        let groups = ((topics as f64).sqrt().ceil() as usize).min(topics - 1);
        let matrix = model.visualize_heatmap().top(topics).n_clusters(groups);
        let (drawn, by_vectors) = match drawing(&matrix)? {
            Err(_) => (drawing(&matrix.use_ctfidf(true))?, false),
            drawn => (drawn, true),
        };
        let explanation = match by_vectors {
            true => "The cosine similarity of the topics' mean vectors. Similar topics are next to each other.",
            false => "The cosine similarity of the topics' words. Similar topics are next to each other.",
        };
        let heading = "Similarity of topics";
        Ok(Some(PageFigure { id: "similarity", heading, explanation, scale: MATRIX, drawing: drawn }))
    }

    /// The section.
    pub(super) fn push(&self, html: &mut Markup) {
        html.raw("<section class=\"part\"").attribute("id", self.id);
        html.attribute("aria-labelledby", format_args!("{}-heading", self.id)).raw("><h2");
        html.attribute("id", format_args!("{}-heading", self.id)).raw(">").raw(self.heading).raw("</h2>");
        match &self.drawing {
            Err(why) => {
                html.raw("<p class=\"note\">There is none: ").text(why).raw(".</p>");
            }
            Ok(part) => {
                html.raw("<p class=\"note\">").raw(self.explanation).raw("</p>");
                html.raw("<div class=\"scroll figure\" tabindex=\"0\" role=\"region\"");
                let (least, most) = (part.least_width, self.scale * part.width);
                html.attribute("aria-label", self.heading).raw("><div");
                html.attribute("style", format_args!("min-width:{least:.0}px;max-width:{most:.0}px")).raw(">");
                html.html(&part.svg).raw("</div></div>");
            }
        }
        html.raw("</section>");
    }
}

fn topics(model: &FittedTopicModel) -> usize {
    model.topic_ids().into_iter().filter(|&id| id != OUTLIER).count()
}

/// The drawing without a title; or why there is none, if the model lacks what it needs.
fn drawing<D: Drawing + Clone>(figure: &Figure<D>) -> Result<std::result::Result<Part, String>> {
    match figure.clone().title("").part() {
        Ok(part) => Ok(Ok(part)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Err(error.message().to_owned())),
        Err(error) => Err(error),
    }
}

/// The style of drawings, which are dark on a dark page.
pub(super) fn style() -> String {
    let (light, dark, rules) = (ground(false), ground(true), dark_rules(".figure svg"));
    format!(
        ".figure{{background:{light}}}@media screen and (prefers-color-scheme:dark){{.figure{{background:{dark}}}{rules}}}"
    )
}
