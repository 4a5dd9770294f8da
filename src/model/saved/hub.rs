//! Models on the Hugging Face Hub.

use std::fs::{self, DirBuilder};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::options::{LoadOptions, SaveOptions};
use super::reading;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::files::write_whole;
use crate::hub::{Hub, ModelCard, PushOptions, Pushed};
use crate::model::FittedTopicModel;
use crate::progress::Progress;

/// The files of a saved model.
const FILES: [&str; 3] = ["model.json", "*.safetensors", "*.arrow"];

/// The model card, which is only written if there is none.
const CARD: &str = "README.md";

impl FittedTopicModel {
    /// Pushes the model to a repository on the Hugging Face Hub, as BERTopic's method of this name, with a
    /// [model card](Self::model_card) unless the repository has one. The documents of the fit and their term
    /// counts are not pushed, so the loaded model cannot be edited; their vectors are, and tell something about them.
    ///
    /// `repo_id` is `organization/name`, or `name` for a repository of the token's user; it is created if it does not
    /// exist, and public unless [`private`](PushOptions::private) is set. The token is that of
    /// [`Hub::new`](crate::hub::Hub::new): `HF_TOKEN`, or the file that `hf auth login` writes. Only what has changed
    /// since an earlier push is uploaded: see [`Hub::push_folder`].
    ///
    /// ```no_run
    /// use topicframe::hub::PushOptions;
    /// use topicframe::prelude::*;
    /// # let posts = df!("text" => ["the cat sleeps", "a fast train"].repeat(10))?;
    ///
    /// let topics = TopicModel::text("text", StaticEmbedder::builtin()).fit(&posts)?;
    /// let pushed = topics.push_to_hf_hub("user/topics", &PushOptions::new().private(true))?;
    /// println!("{pushed}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`save`](Self::save) and [`Hub::push_folder`]: above all, no token, or none that may write.
    pub fn push_to_hf_hub(&self, repo_id: &str, options: &PushOptions) -> Result<Pushed> {
        self.push_to_hf_hub_with(&Hub::new(), repo_id, options, &SaveOptions::new().documents(false).term_counts(false))
    }

    /// The same with the settings of `hub`, and what of the model is pushed.
    ///
    /// # Errors
    /// As [`push_to_hf_hub`](Self::push_to_hf_hub).
    pub fn push_to_hf_hub_with(
        &self,
        hub: &Hub,
        repo_id: &str,
        options: &PushOptions,
        saved: &SaveOptions,
    ) -> Result<Pushed> {
        let folder = PrivateFolder::new().map_err(|cause| {
            Error::new(ErrorKind::Io, Stage::Output, "no temporary folder can be created for the model")
                .with_path(std::env::temp_dir())
                .with_cause(cause)
        })?;
        self.save_with(folder.path(), saved)?;
        write_whole(folder.path().join(CARD), self.model_card(repo_id).to_markdown().into_bytes())?;
        // Files of an earlier push: a part, and the 16 digits of a hash.
        let hash = "[0-9a-f]".repeat(16);
        let earlier = ["safetensors", "arrow"].map(|extension| format!("*-{hash}.{extension}"));
        let options = options.clone().keep([CARD]).delete(earlier);
        hub.push_folder(folder.path(), repo_id, &options, &self.settings.progress)
    }

    /// A model card: a table of the topics, the settings, the versions, and code that loads the model from `repo_id`.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let posts = df!("text" => ["the cat sleeps", "a fast train"].repeat(10))?;
    /// let topics = TopicModel::text("text", StaticEmbedder::builtin()).fit(&posts)?;
    /// let card = topics.model_card("user/topics").license("cc-by-4.0").to_markdown();
    /// assert!(card.contains("load_from_hf_hub(\"user/topics\")"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn model_card(&self, repo_id: &str) -> ModelCard {
        let summary = self.summary();
        let name = repo_id.rsplit('/').next().unwrap_or(repo_id);
        let mut card = ModelCard::new(name)
            .tag("topic-modeling")
            .summary(format!(
                "A topic model with {} topics, fitted by topicframe to {} rows, of which {} are in no topic.",
                summary.topics, summary.rows, summary.outliers
            ))
            .version("topicframe", env!("CARGO_PKG_VERSION"))
            .code(
                "Load the model",
                "rust",
                format!(
                    "use topicframe::prelude::*;\n\nlet topics = FittedTopicModel::load_from_hf_hub({repo_id:?})?;"
                ),
            );
        for topic in self.topic_ids() {
            let words = self.get_topic(topic).unwrap_or_default();
            card = card.topic(topic, self.topic_size(topic).unwrap_or(0), words.iter().map(|(word, _)| word));
        }
        self.settings.get_params().into_iter().fold(card, |card, (name, value)| card.setting(name, value))
    }

    /// Loads a model that was [pushed](Self::push_to_hf_hub) to the Hugging Face Hub: `organization/name`, or
    /// `organization/name@revision`. It is downloaded into Hugging Face's cache, once per revision; without a network,
    /// what is in the cache is loaded. Checked as by [`load`](Self::load).
    ///
    /// ```no_run
    /// use topicframe::prelude::*;
    ///
    /// let topics = FittedTopicModel::load_from_hf_hub("user/topics")?;
    /// println!("{}", topics.get_topic_info()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// There is no such repository, or it has no saved model; the Hub cannot be reached, and nothing is cached; a file
    /// is damaged.
    pub fn load_from_hf_hub(name: &str) -> Result<Self> {
        Self::load_from_hf_hub_with(&Hub::new(), name, &LoadOptions::new(), &Progress::silent())
    }

    /// The same with the settings of `hub`, stages of your own, and progress.
    ///
    /// # Errors
    /// As [`load_from_hf_hub`](Self::load_from_hf_hub).
    pub fn load_from_hf_hub_with(hub: &Hub, name: &str, options: &LoadOptions, progress: &Progress) -> Result<Self> {
        let snapshot = hub.snapshot_matching(name, &FILES, progress)?;
        // `snapshots/<commit>`; its files may be links to `blobs` of the same repository.
        let repository = snapshot.ancestors().nth(2).unwrap_or(&snapshot);
        reading::load(&snapshot, Some(repository), options)
    }
}

/// A temporary folder that only its owner can read, removed when dropped.
struct PrivateFolder(PathBuf);

impl PrivateFolder {
    fn new() -> io::Result<Self> {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        loop {
            let number = MADE.fetch_add(1, Ordering::Relaxed);
            let path = std::env::temp_dir().join(format!("topicframe-model-{}-{number}", std::process::id()));
            match builder.create(&path) {
                Ok(()) => return Ok(PrivateFolder(path)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for PrivateFolder {
    fn drop(&mut self) {
        // Nothing can be done about an error here.
        let _ = fs::remove_dir_all(&self.0);
    }
}
