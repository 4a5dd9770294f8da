//! Exchanging models with BERTopic 0.17, in its safetensors format (`store/bertopic`).

use std::path::Path;

use super::{embedder, recorded};
use crate::error::Result;
use crate::model::FittedTopicModel;
use crate::store::{read_bertopic, write_bertopic};

mod passing;
mod reading;
mod vectorizer;
mod writing;

impl FittedTopicModel {
    /// Loads a model that BERTopic 0.17 saved with `save(folder, serialization="safetensors")`, with or without c-TF-IDF,
    /// custom labels, aspects and images. `docs/bertopic.md` lists what becomes of each file.
    ///
    /// Such a folder has no documents, reducer, clusterer or probabilities. Tables of topics, words, pictures and searches
    /// work; methods that need documents say so. [`transform`](Self::transform) places a row by the largest cosine of its
    /// vector to a topic's embedding, as BERTopic does after loading: the embedding of topic -1 is among them, and the
    /// probability is that cosine, 0 if it is negative. (A row whose vector is all zeros is an outlier.) The frame
    /// has the vectors in a column `embedding`, or else texts in a column `text`. Texts are embedded by the model that
    /// BERTopic named in the folder, which is loaded from the Hub when it is first needed, or by the one that is given with
    /// [`with_embedder`](Self::with_embedder).
    ///
    /// Where all outliers were moved to topics, BERTopic 0.17 saves the embedding of topic -1 nevertheless, so that it
    /// places new rows in the topic next to theirs. That row is left out here.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let topics = FittedTopicModel::load_bertopic("tests/fixtures/bertopic_saved/full")?;
    /// assert_eq!(topics.topic_label(1).as_deref(), Some("1_bus_train_bus train"));
    /// assert_eq!(topics.custom_labels()[&0], "Animals");
    ///
    /// let vectors = topics.topic_embeddings();
    /// let new = df!("embedding" => [Series::new("".into(), &vectors[&2]), Series::new("".into(), &vectors[&-1])])?;
    /// assert_eq!(topics.transform(&new)?.column("Topic")?.i32()?.to_vec(), [Some(2), Some(-1)]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// There is no model; it is a pickle, which is never read; a file is missing or damaged: the error has its path.
    pub fn load_bertopic(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        reading::model_of(read_bertopic(folder)?).map_err(|error| error.with_path_if_none(folder))
    }

    /// Saves the model for `BERTopic.load(folder)` of BERTopic 0.17: topics, words, sizes, labels, aspects, c-TF-IDF, and
    /// the embeddings of topics, by which BERTopic places new rows. Returns what cannot pass, one sentence each, to be
    /// shown to the user. A model that was [loaded](Self::load_bertopic) from BERTopic is saved as it was.
    ///
    /// The embedding of topic -1 is all zeros, so that a row is an outlier there only if its vector is not similar to any
    /// topic: as in a model that was [saved](Self::save_with) to place rows by centroids.
    ///
    /// An existing model in the folder is replaced. Its `topics.json` is written last, so that after a failure, the folder
    /// has no model rather than a mixture of two.
    ///
    /// ```
    /// use topicframe::prelude::*;
    /// # let folder = tempfile::tempdir()?;
    /// # let folder = folder.path().join("for_bertopic");
    ///
    /// let posts = df!("text" => ["the cat sleeps", "the dog sleeps", "a fast train"].repeat(10))?;
    /// let topics = TopicModel::text("text", StaticEmbedder::builtin()).clusterer(KMeans::new(2)).fit(&posts)?;
    /// for sentence in topics.save_bertopic(&folder)? {
    ///     println!("{sentence}");        // The clusterer ... is not part of BERTopic's format: ...
    /// }
    /// let again = FittedTopicModel::load_bertopic(&folder)?;
    /// assert_eq!(again.labels(), topics.labels());
    /// assert_eq!(again.topic_label(1), topics.topic_label(1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The folder cannot be written, or has a `config.json` of another program; a collage cannot be encoded.
    pub fn save_bertopic(&self, folder: impl AsRef<Path>) -> Result<Vec<String>> {
        write_bertopic(folder.as_ref(), &writing::model_of(self)?)?;
        Ok(passing::what_cannot_pass(self))
    }
}
