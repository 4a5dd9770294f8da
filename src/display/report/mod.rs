//! A report about a fitted model as a self-contained HTML file.

use std::path::Path;

use super::markup::{Html, Markup};
use crate::error::{Error, Result, Stage};
use crate::model::FittedTopicModel;

mod page;
mod settings;
mod summary;
mod topic_section;
mod topic_table;
mod trust;
mod view;

pub use settings::stage_in_words;
use view::{Extent, ReportView};

/// A report about a fitted model: a summary, the table of topics, and for each topic its words with their weights, its
/// images, its representative documents, and how far it can be trusted
/// ([`topic_quality`](FittedTopicModel::topic_quality)); topics that this speaks against are marked, with the reason.
///
/// The page is a single file. It makes no network requests, which its content security policy also enforces, and all
/// text from the frame is escaped. It is readable in wide and narrow windows, in dark mode, and in print; without
/// JavaScript, only the filter is unavailable.
///
/// ```
/// use topicframe::prelude::*;
/// # let posts = df!("text" => ["the cat sleeps", "a fast train"].repeat(10))?;
/// # let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
/// # let topics = model.fit(&posts)?;
/// # let folder = tempfile::tempdir()?;
/// # let file = folder.path().join("topics.html");
///
/// let report = topics.report().title("Our posts");
/// report.write(&file)?;
/// assert!(report.to_html()?.contains("Our posts"));
/// # assert!(std::fs::read_to_string(&file)?.contains("sleeps"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Report {
    topics: FittedTopicModel,
    title: String,
    max_topics: usize,
    max_pictures: usize,
}

impl Report {
    /// A report on `topics`. The memory of the model is shared, not copied.
    pub fn new(topics: &FittedTopicModel) -> Self {
        Report { topics: topics.clone(), title: "Topics".to_owned(), max_topics: 300, max_pictures: 9 }
    }

    /// The title of the page; must not be blank. Default: "Topics".
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// The maximum number of topics on the page, largest first; the others are counted. At least 1. Default: 300, which
    /// is about 30 MB with images.
    #[must_use]
    pub fn max_topics(mut self, max_topics: usize) -> Self {
        self.max_topics = max_topics;
        self
    }

    /// The maximum number of images per topic; 0 omits all images. Default: 9.
    #[must_use]
    pub fn max_pictures(mut self, max_pictures: usize) -> Self {
        self.max_pictures = max_pictures;
        self
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// The title is blank, or the maximum number of topics is 0.
    pub fn check(&self) -> Result<()> {
        if self.title.trim().is_empty() {
            return Err(Error::invalid_parameter(
                Stage::Display,
                "title",
                format_args!("{:?}", self.title),
                "not blank",
            ));
        }
        if self.max_topics == 0 {
            return Err(Error::invalid_parameter(Stage::Display, "max_topics", 0, "at least 1"));
        }
        Ok(())
    }

    /// Renders the page.
    ///
    /// # Errors
    /// A setting is out of range, an image can no longer be read and the model is configured to fail in that case, or
    /// interrupted.
    pub fn to_html(&self) -> Result<Html> {
        self.check()?;
        let extent = Extent { max_topics: self.max_topics, max_pictures: self.max_pictures };
        let view = ReportView::of(&self.topics, &self.title, extent)?;
        let mut html = Markup::default();
        page::push(&mut html, &view);
        Ok(Html::trusted(html.finish()))
    }

    /// Writes the page to a file atomically.
    ///
    /// # Errors
    /// Same as [`to_html`](Self::to_html); also if the file cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        crate::files::write_whole(path.as_ref(), self.to_html()?.as_str())
    }
}

impl FittedTopicModel {
    /// A report about the topics: `topics.report().write("topics.html")?` writes it, [`Report::to_html`] renders it.
    pub fn report(&self) -> Report {
        Report::new(self)
    }
}
