//! Validation: settings are checked before the first slow step, and the output of stages before it is used, since any
//! stage may be user-defined.

use ndarray::Array2;

use super::{MAIN, NrTopics, TopicModel};
use crate::cluster::{Clustering, OUTLIER};
use crate::error::{Error, ErrorKind, Hint, Result, Stage};
use crate::represent::{NeededEmbedder, Representation, TopicWords};

impl TopicModel {
    /// Checks every parameter of every stage. [`fit`](Self::fit) calls it before any work.
    ///
    /// # Errors
    /// A parameter is out of range, or a representation needs a column that is not set; the first one is reported.
    pub fn check(&self) -> Result<()> {
        self.reducer.as_ref().map_or(Ok(()), |reducer| reducer.check())?;
        self.clusterer.check()?;
        self.outliers.check()?;
        self.nr_topics.map_or(Ok(()), NrTopics::check)?;
        self.check_descriptions()?;
        if self.nr_repr_docs > 1000 {
            return Err(Error::invalid_parameter(Stage::Represent, "nr_repr_docs", self.nr_repr_docs, "at most 1000"));
        }
        self.encoder.check()?;
        self.check_labels_are_used()?;
        self.check_captioner()
    }

    /// Checks what topics are described with.
    pub(super) fn check_descriptions(&self) -> Result<()> {
        self.vectorizer.check()?;
        self.ctfidf.check()?;
        if !(1..=1000).contains(&self.top_n_words) {
            return Err(Error::invalid_parameter(Stage::Represent, "top_n_words", self.top_n_words, "1 to 1000"));
        }
        self.representations.iter().try_for_each(|(name, representation)| self.check_one(name, &**representation))?;
        self.check_chains()
    }

    fn reduces_by_labels(&self) -> bool {
        self.reducer.as_ref().is_some_and(|reducer| reducer.uses_labels())
    }

    fn check_labels_are_used(&self) -> Result<()> {
        match &self.encoder.columns.labels {
            Some(column) if !self.clusterer.uses_labels() && !self.reduces_by_labels() => {
                let message = "labels are set, but neither the reducer nor the clusterer uses them";
                Err(Error::new(ErrorKind::InvalidParameter, Stage::Cluster, message)
                    .with_column(column)
                    .with_hint("Use a custom clusterer (or reducer) whose uses_labels() returns true."))
            }
            _ => Ok(()),
        }
    }

    fn check_captioner(&self) -> Result<()> {
        if self.nr_captioned_images == 0 {
            return Err(Error::invalid_parameter(Stage::Represent, "nr_captioned_images", 0, "at least 1"));
        }
        if self.captioner.is_some() && !self.encoder.plan().images {
            let message = "the model clusters texts, so rows without a text have no topic that captions could describe";
            return Err(Error::new(ErrorKind::InvalidParameter, Stage::Represent, message).with_hint(
                Hint::new("Cluster images, or remove the captioner.")
                    .on_command_line("Set --cluster-on to images or both, or omit --captioner."),
            ));
        }
        self.captioner.as_ref().map_or(Ok(()), |captioner| captioner.check())
    }

    /// A representation that returns images must be the last in its chain, and cannot replace the topics' main words.
    fn check_chains(&self) -> Result<()> {
        let mut ended = Vec::new();
        for (name, representation) in &self.representations {
            if ended.contains(&name) {
                return Err(after_images(name));
            }
            if !representation.produces_words() {
                ended.push(name);
            }
        }
        if ended.iter().any(|name| *name == MAIN) { Err(images_as_main()) } else { Ok(()) }
    }

    fn check_one(&self, name: &str, representation: &dyn Representation) -> Result<()> {
        const TAKEN: [&str; 6] = ["Topic", "Count", "Name", "CustomName", "Representation", "Representative_Docs"];
        if name.is_empty() || TAKEN.contains(&name) {
            let message = format!("a representation cannot be named `{name}`: the topic table already has that column");
            return Err(
                Error::new(ErrorKind::InvalidParameter, Stage::Represent, message).with_hint("Choose another name.")
            );
        }
        representation.check()?;
        if representation.needs_images() && self.encoder.columns.image.is_none() {
            let message = format!("the representation `{name}` needs images, but the model has no image column");
            return Err(Error::new(ErrorKind::InvalidParameter, Stage::Represent, message).with_hint(
                Hint::new("Specify the column: TopicModel::text(..).with_images(\"image\").")
                    .on_command_line("Specify the column with --images."),
            ));
        }
        let lacks = |needed: &NeededEmbedder| match needed {
            NeededEmbedder::Texts => self.encoder.words_embedder().is_none(),
            NeededEmbedder::Joint => self.encoder.joint_text().is_none() || !self.encoder.plan().has_image_vectors,
        };
        match representation.needs_embedder().filter(lacks) {
            Some(needed) => Err(needed.missing(name)),
            None => Ok(()),
        }
    }
}

/// Checks that a reducer returned a finite point for each row.
pub(super) fn check_points(points: &Array2<f32>, rows: usize) -> Result<()> {
    let message = match (points.nrows() == rows && points.ncols() > 0, points.iter().all(|x| x.is_finite())) {
        (true, true) => return Ok(()),
        (true, false) => "the reducer returned a point with a NaN or infinite value".to_owned(),
        (false, _) => {
            format!("the reducer returned {} points with {} dimensions for {rows} rows", points.nrows(), points.ncols())
        }
    };
    Err(Error::new(ErrorKind::InvalidData, Stage::Reduce, message))
}

/// Checks that a clusterer returned a label of at least -1 and a strength from 0 to 1 for each of `rows` points.
pub(super) fn check_labels(labels: &[i32], strengths: &[f64], rows: usize) -> Result<()> {
    let message = if labels.len() != rows || strengths.len() != rows {
        format!("the clusterer returned {} labels and {} strengths for {rows} points", labels.len(), strengths.len())
    } else if let Some(label) = labels.iter().find(|label| **label < OUTLIER) {
        format!("the clusterer returned the label {label}: labels must be -1 (outlier) or cluster numbers from 0")
    } else if let Some(strength) = strengths.iter().find(|strength| !(0.0..=1.0).contains(*strength)) {
        format!("the clusterer returned the strength {strength}: it must be from 0 to 1")
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorKind::InvalidData, Stage::Cluster, message))
}

/// A clustering of `rows` rows that a clusterer returned, if it is one.
pub(super) fn checked(clustering: Clustering, rows: usize) -> Result<Clustering> {
    check_labels(&clustering.labels, &clustering.probabilities, rows)?;
    check_runners_up(clustering.runners_up.as_deref(), rows)?;
    Ok(clustering)
}

/// Checks that a clusterer returned a runner-up, if any, for each of `rows` points.
pub(super) fn check_runners_up(runners_up: Option<&[(i32, f64)]>, rows: usize) -> Result<()> {
    let message = match runners_up {
        Some(runners_up) if runners_up.len() != rows => {
            format!("the clusterer returned {} runners-up for {rows} points", runners_up.len())
        }
        Some(runners_up) if !runners_up.iter().all(|(_, strength)| (0.0..=1.0).contains(strength)) => {
            "the clusterer returned a runner-up with a strength that is not from 0 to 1".to_owned()
        }
        _ => return Ok(()),
    };
    Err(Error::new(ErrorKind::InvalidData, Stage::Cluster, message))
}

/// Checks that the topics' main words cover every topic.
pub(super) fn check_described(words: &TopicWords, ids: &[i32], name: &str) -> Result<()> {
    match ids.iter().find(|id| !words.contains_key(id)) {
        None => Ok(()),
        Some(id) => {
            let message =
                format!("the representation `{name}` has no words for topic {id}: every topic must have an entry");
            Err(Error::new(ErrorKind::InvalidData, Stage::Represent, message))
        }
    }
}

/// Checks that a captioner returned a caption, or none, for each image.
pub(super) fn check_captions(captions: &[Option<String>], images: usize) -> Result<()> {
    if captions.len() == images {
        return Ok(());
    }
    let message = format!("the captioner returned {} captions for {images} images", captions.len());
    Err(Error::new(ErrorKind::InvalidData, Stage::Represent, message))
}

pub(super) fn after_images(name: &str) -> Error {
    let message = format!("the representation `{name}` continues after a representation that returns images");
    Error::new(ErrorKind::InvalidParameter, Stage::Represent, message)
        .with_hint("A representation that returns images must be the last in its chain.")
}

pub(super) fn images_as_main() -> Error {
    Error::new(ErrorKind::InvalidParameter, Stage::Represent, "`Main` must return words, not images")
        .with_hint("Use another name for the images, such as `Visual_Aspect`.")
}
