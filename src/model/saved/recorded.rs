//! Stages of the user's own, of which a loaded model only knows what they were.

use crate::cluster::{Clusterer, Clustering};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::reduce::{Reducer, Reduction};
use crate::represent::{Aspect, Representation, TopicContext, TopicWords};
use crate::training::Training;

/// A stage that was not saved.
#[derive(Clone)]
pub(super) struct Recorded {
    /// Its type and settings, for people.
    pub(super) description: String,
    /// Of a representation: its name in the model.
    pub(super) name: Option<String>,
    pub(super) produces_words: bool,
}

impl Recorded {
    fn missing(&self, stage: Stage, what: &str, hint: &str) -> Error {
        let message = format!("{what} `{:.200}` is not one of topicframe's, so it was not saved", self.description);
        Error::new(ErrorKind::NotFound, stage, message).with_hint(hint)
    }
}

impl std::fmt::Debug for Recorded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.description)
    }
}

impl Reducer for Recorded {
    fn check(&self) -> Result<()> {
        Ok(())
    }

    fn fit(&self, _: &Training<'_>) -> Result<Reduction> {
        Err(self.missing(Stage::Reduce, "the reducer", "Fit a new model with it."))
    }
}

impl Clusterer for Recorded {
    fn check(&self) -> Result<()> {
        Ok(())
    }

    fn min_rows(&self) -> usize {
        1
    }

    fn fit(&self, _: &Training<'_>) -> Result<Clustering> {
        Err(self.missing(Stage::Cluster, "the clusterer", "Fit a new model with it."))
    }
}

impl Representation for Recorded {
    fn check(&self) -> Result<()> {
        Ok(())
    }

    fn produces_words(&self) -> bool {
        self.produces_words
    }

    fn describe(&self, _: &TopicContext<'_>, _: &TopicWords) -> Result<Aspect> {
        let name = self.name.as_deref().unwrap_or_default();
        let hint = format!("Give it to the loaded model: topics.with_representation(\"{name}\", ..).");
        Err(self.missing(Stage::Represent, &format!("the representation `{name}`,"), &hint))
    }
}
