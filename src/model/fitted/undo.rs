//! Taking back edits.

use std::sync::Arc;

use super::{FittedTopicModel, Summary};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::model::TopicModel;
use crate::model::pipeline::Pipeline;
use crate::represent::Representation;
use crate::topics::Topics;

/// The number of edits that can be taken back, which bounds memory.
const UNDOABLE: usize = 20;

/// What an edit changes, before it.
#[derive(Debug, Clone)]
pub(in crate::model) struct Earlier {
    settings: Arc<TopicModel>,
    pipeline: Arc<Pipeline>,
    topics: Topics,
    summary: Arc<Summary>,
}

impl FittedTopicModel {
    /// Returns the model from before the last edit, with its history. The last 20 edits can be taken back, one after the
    /// other; setting labels is an edit, too. Nothing is computed again: the model keeps what edits replaced. What is not an
    /// edit, such as [another embedder](Self::with_embedder), stays.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let posts = df!("text" => ["the cat sleeps", "the dog sleeps", "a fast train"].repeat(10))?;
    /// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(3));
    /// let topics = model.fit(&posts)?;
    /// let edited = topics.merge_topics(&[&[0, 1]])?.delete_topics(&[1])?;
    /// assert_eq!(edited.undo()?.undo()?.labels(), topics.labels());
    /// assert!(topics.undo().is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// There is no edit that can be taken back: none since the fit, or since the model was loaded (a saved model has its
    /// history, but not what edits replaced), or the model is [without its data](Self::without_data).
    pub fn undo(&self) -> Result<FittedTopicModel> {
        let Some((last, before)) = self.earlier.split_last() else {
            let message = match self.topics.history.len() {
                0 => "there is no edit to take back".to_owned(),
                edits => {
                    format!("the last of {edits} edits cannot be taken back: the model does not keep what was before")
                }
            };
            return Err(Error::new(ErrorKind::NotFound, Stage::Topics, message).with_hint(
                "Only edits of this session can be taken back, the last 20 of them; load the model from before the edit.",
            ));
        };
        let now = &self.settings;
        let settings = TopicModel {
            encoder: now.encoder.clone(),
            captioner: now.captioner.clone(),
            progress: now.progress.clone(),
            ..(*last.settings).clone()
        };
        let pipeline = Pipeline {
            reducer: last.pipeline.reducer.clone(),
            clusterer: Arc::clone(&last.pipeline.clusterer),
            ..(*self.pipeline).clone()
        };
        Ok(FittedTopicModel {
            settings: Arc::new(settings),
            pipeline: Arc::new(pipeline),
            topics: last.topics.clone(),
            summary: Arc::clone(&last.summary),
            earlier: before.to_vec().into(),
            ..self.clone()
        })
    }

    /// What was before each edit, with the representation `now` in place of `before`, which is not an edit.
    pub(super) fn earlier_with(
        &self,
        before: &Arc<dyn Representation>,
        now: &Arc<dyn Representation>,
    ) -> Arc<[Earlier]> {
        let replaced = |earlier: &Earlier| {
            let mut settings = (*earlier.settings).clone();
            let same = settings.representations.iter_mut().filter(|(_, one)| Arc::ptr_eq(one, before));
            same.for_each(|(_, one)| *one = Arc::clone(now));
            Earlier { settings: Arc::new(settings), ..earlier.clone() }
        };
        self.earlier.iter().map(replaced).collect()
    }

    /// What was before each edit, and now, oldest first.
    pub(super) fn earlier_and_this(&self) -> Arc<[Earlier]> {
        let this = Earlier {
            settings: Arc::clone(&self.settings),
            pipeline: Arc::clone(&self.pipeline),
            topics: self.topics.clone(),
            summary: Arc::clone(&self.summary),
        };
        let kept = self.earlier.len().saturating_sub(UNDOABLE - 1);
        self.earlier.iter().skip(kept).cloned().chain([this]).collect()
    }
}
