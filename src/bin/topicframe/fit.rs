//! `topicframe fit`: reads a file of documents or a folder of images, and writes topics, tables, and pages.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Instant;

use clap::{Args, ValueEnum};
use topicframe::FittedTopicModel;
use topicframe::embed::Device;
use topicframe::error::{Error, ErrorKind, Result, Stage};
use topicframe::files::{IMAGE_COLUMN, Inputs, read_image_folder_with};
use topicframe::model::{ClusterOn, Outliers, SavedVectors};
use topicframe::polars::prelude::DataFrame;
use topicframe::prelude::{NeighborSearch, NrTopics, TextCleaning};
use topicframe::progress::Progress;

use crate::limits::ImageLimits;
use crate::outputs::{Files, Outputs};
use crate::reading::Reading;
use crate::saving::Saving;
use crate::table::counted;
use crate::usage::any_case;
use crate::{bar, quality, table};

/// A tool whose stages and numbers are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Like {
    Bertopic,
}

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Fit {
    /// The documents: .csv, .tsv, .json, .ndjson (optionally compressed with gzip or zstd), .parquet or .arrow; a
    /// folder of these files, a quoted glob pattern ('data/train-*.parquet') or several files, which are read as one
    /// table; or a folder of images, with an `--embedder` that supports images.
    #[arg(required = true, value_name = "INPUT")]
    input: Vec<PathBuf>,

    /// The files that `input` resolves to, once resolved.
    #[arg(skip)]
    inputs: OnceLock<Inputs>,

    /// The text column.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) text: Option<String>,

    /// The image column: paths, encoded images, or Struct{bytes, path}.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) images: Option<String>,

    /// The embedder: `builtin` (text only), a model folder, or a model name on the Hugging Face Hub: a
    /// sentence-transformers or Model2Vec model for text, CLIP or SigLIP for text and images. A folder of images needs
    /// one for images: with `builtin` or another model for text, it is an error.
    #[arg(long, value_name = "builtin|FOLDER|NAME", default_value = "builtin", conflicts_with = "embeddings")]
    pub(crate) embedder: String,

    /// Number of topics, not counting outliers, or `auto`: the cut of the tree with that number, where there is one;
    /// otherwise, similar topics are merged [default: as many as are found].
    #[arg(long, value_name = "N|auto", value_parser = any_case::<NrTopics>)]
    pub(crate) nr_topics: Option<NrTopics>,

    /// Minimum number of documents in a topic.
    #[arg(long, value_name = "N", default_value_t = 10, alias = "min-topic-size")]
    pub(crate) min_cluster_size: usize,

    /// Outliers: `clusterer` (those that it leaves out), `none`, a share of the documents (`10%` or `0.1`), or
    /// documents with a low probability as well (`below=0.3`).
    #[arg(
        long,
        value_name = "clusterer|none|SHARE|below=P",
        default_value_t = Outliers::AsClustered,
        value_parser = any_case::<Outliers>
    )]
    pub(crate) outliers: Outliers,

    #[command(flatten)]
    files: Files,

    /// Also print how reliable the topics are: coherence, diversity, agreement of the clusterer's runs, and which topics
    /// are in doubt; `--topics` then has the measures of each topic.
    #[arg(long, help_heading = "Outputs")]
    quality: bool,

    #[command(flatten)]
    saving: Saving,

    /// Use the stages and numbers of another tool: `bertopic` is UMAP, HDBSCAN and c-TF-IDF [default: communities of the
    /// neighbor graph].
    #[arg(
        long,
        value_name = "bertopic",
        ignore_case = true,
        hide_possible_values = true,
        help_heading = TOPICS
    )]
    pub(crate) like: Option<Like>,

    /// Number of neighbors of a document in the neighbor graph: low values emphasize local structure, high values global
    /// structure.
    #[arg(long, value_name = "N", default_value_t = 15, help_heading = TOPICS)]
    pub(crate) n_neighbors: usize,

    /// Nearest-neighbor search method: `exact`, `approximate`, or `auto`: approximate from 8,192 documents on.
    #[arg(
        long,
        value_name = "auto|exact|approximate",
        default_value_t = NeighborSearch::Auto,
        value_parser = any_case::<NeighborSearch>,
        help_heading = TOPICS
    )]
    pub(crate) neighbor_search: NeighborSearch,

    /// Random seed: the same seed produces the same topics.
    #[arg(long, value_name = "N", default_value_t = 42, help_heading = TOPICS)]
    pub(crate) seed: u64,

    /// Stop words: `none`, languages (`german`, `de,en`), or a file with one word per line [default: those of the
    /// documents' language, where it is clear].
    #[arg(long, value_name = "FILE|none|LANGUAGE", help_heading = WORDS)]
    pub(crate) stop_words: Option<String>,

    /// What to ignore in scraped documents: `none`; `markup` (URLs, tags and entities); `all` (also @mentions and long
    /// numbers); or `auto`: `markup`, or `all` if the documents look scraped.
    #[arg(
        long,
        value_name = "auto|none|markup|all",
        default_value_t = TextCleaning::Auto,
        value_parser = any_case::<TextCleaning>,
        help_heading = WORDS
    )]
    pub(crate) clean: TextCleaning,

    /// What to cluster on: `text`, `images`, or `both` [default: everything the embedder supports].
    #[arg(long, value_name = "text|images|both", value_parser = any_case::<ClusterOn>, help_heading = EMBEDDING)]
    pub(crate) cluster_on: Option<ClusterOn>,

    /// Weight of images relative to text when clustering on both, 0 to 1 [default: 0.5].
    #[arg(long, value_name = "SHARE", help_heading = EMBEDDING)]
    pub(crate) image_weight: Option<f32>,

    /// A column of precomputed embeddings to cluster; no embedder runs.
    #[arg(long, value_name = "COLUMN", help_heading = EMBEDDING)]
    pub(crate) embeddings: Option<String>,

    /// A model that captions images without text: a folder, or a name on the Hub (ViT-GPT2 or BLIP).
    #[arg(long, value_name = "FOLDER|NAME", help_heading = EMBEDDING)]
    pub(crate) captioner: Option<String>,

    /// Device for model inference: `cpu`, or `cuda` or `cuda:N` if topicframe was built with the `cuda` feature.
    #[arg(
        long,
        value_name = "cpu|cuda",
        default_value_t = Device::Cpu,
        value_parser = any_case::<Device>,
        help_heading = EMBEDDING
    )]
    pub(crate) device: Device,

    /// Base folder of relative image paths [default: the folder of the input].
    #[arg(long, value_name = "FOLDER", requires = "images", help_heading = IMAGES)]
    image_folder: Option<PathBuf>,

    /// Reject images outside the image folder: absolute paths elsewhere, and symbolic links that lead out of it.
    #[arg(long, help_heading = IMAGES)]
    pub(crate) only_in_image_folder: bool,

    #[command(flatten)]
    pub(crate) limits: ImageLimits,

    #[command(flatten)]
    reading: Reading,
}

/// Groups of options in the help.
const TOPICS: &str = "Topics";
const WORDS: &str = "Words";
const EMBEDDING: &str = "Embedding";
const IMAGES: &str = "Images";

const EXAMPLES: &str = "\
Examples:
  topicframe fit posts.csv --text caption
  topicframe fit posts.csv --text caption --nr-topics 20 --report page.html --save topics/
  topicframe fit posts.csv --text caption --images photo --embedder clip-ViT-B-32
  topicframe fit posts.csv --text caption --report page.html --time date --class forum
  topicframe fit posts.csv --text caption --plots figures/
  topicframe fit photos/ --embedder clip-ViT-B-32 --report page.html --map map.html";

impl Fit {
    /// Validates the arguments, fits the model, and writes the outputs.
    pub fn run(&self) -> Result<()> {
        let started = Instant::now();
        let progress = bar::progress();
        self.check_input(&progress)?;
        self.check_outputs()?;
        let model = self.model(progress.clone())?;
        model.check()?;
        let frame = self.read(&progress)?;
        self.files.check_columns(&frame)?;
        let (topics, documents) = model.fit_transform(&frame)?;
        // Before printing, which may fail: the files matter most to the user.
        let outputs = self.write(&topics, &documents, &progress);
        let mut text = table::topics(&topics);
        if self.quality {
            text.push_str(&quality::lines(&topics)?);
        }
        let printed = table::print(&text);
        report(&topics, self.outliers, started);
        outputs.tell();
        let printed = printed.map_err(|error| {
            Error::new(ErrorKind::Io, Stage::Display, "the table of topics cannot be printed").with_cause(error)
        });
        outputs.complete().and(printed)
    }

    fn first_input(&self) -> &Path {
        self.input.first().map_or(Path::new(""), PathBuf::as_path)
    }

    /// The base folder of relative image paths.
    pub(crate) fn image_folder(&self) -> PathBuf {
        let beside = || self.inputs.get().map_or(PathBuf::new(), |inputs| inputs.folder().to_path_buf());
        self.image_folder.clone().unwrap_or_else(beside)
    }

    /// Whether the input is a folder of images: it contains no tables, or no column was named.
    fn is_image_folder(&self) -> bool {
        let no_column = self.text.is_none() && self.images.is_none() && self.embeddings.is_none();
        let inputs = self.inputs.get();
        inputs.is_some_and(|inputs| inputs.tables().is_empty() || (inputs.images() > 0 && no_column))
    }

    /// The image column, if there is one.
    pub(crate) fn image_column(&self) -> Option<&str> {
        if self.is_image_folder() { Some(IMAGE_COLUMN) } else { self.images.as_deref() }
    }

    /// Checks the input before models are loaded, which may take a while.
    fn check_input(&self, progress: &Progress) -> Result<()> {
        let wrong = |message: &str| {
            Error::new(ErrorKind::InvalidParameter, Stage::Input, message).with_path(self.first_input())
        };
        let found = Inputs::find_all(&self.input)?;
        let inputs = self.inputs.get_or_init(|| found);
        self.report_left_out(inputs, progress);
        if self.is_image_folder() {
            return match (&self.text, &self.images, &self.embeddings) {
                (None, None, None) => Ok(()),
                _ if inputs.images() == 0 => Err(wrong("there is no table in this folder")),
                _ => Err(wrong(
                    "this is a folder of images, which has no columns: omit --text, --images and --embeddings",
                )),
            };
        }
        for input in inputs.tables() {
            if let Err(cause) = std::fs::metadata(input) {
                return Err(Error::new(ErrorKind::Io, Stage::Input, "the input cannot be read")
                    .with_path(input)
                    .with_cause(cause));
            }
        }
        match (&self.text, &self.images) {
            (None, None) => Err(wrong(
                "no column specified: name the text column with --text, the image column with --images, or both",
            )),
            (_, None) => {
                self.report_unused(progress);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Options for images, where none are read.
    fn report_unused(&self, progress: &Progress) {
        let confined = self.only_in_image_folder.then_some("--only-in-image-folder");
        for option in confined.into_iter().chain(self.limits.given()) {
            progress.note(Stage::Input, format!("{option} has no effect without --images"));
        }
    }

    /// A folder may contain both tables and images: notes what is not read.
    fn report_left_out(&self, inputs: &Inputs, progress: &Progress) {
        let (tables, images) = (inputs.tables().len(), inputs.images());
        if tables == 0 || images == 0 {
            return;
        }
        let images = if images == 1 {
            "the image in the folder is".to_owned()
        } else {
            format!("the {images} images in the folder are")
        };
        let message = match (self.is_image_folder(), tables) {
            (true, 1) => format!(
                "{images} read, and the table is skipped: to read the table instead, name one of its columns with \
                 --text, --images or --embeddings"
            ),
            (true, _) => format!(
                "{images} read, and the {tables} tables are skipped: to read the tables instead, name one of their \
                 columns with --text, --images or --embeddings"
            ),
            (false, _) => format!("{images} read only if the table refers to them"),
        };
        progress.note(Stage::Input, message);
    }

    /// Reads the input; columns used as text or paths stay strings even if they look numeric.
    fn read(&self, progress: &Progress) -> Result<DataFrame> {
        if self.is_image_folder() {
            return read_image_folder_with(self.first_input(), progress);
        }
        let text: Vec<&str> = self.text.as_deref().into_iter().chain(self.images.as_deref()).collect();
        let options = self.reading.options(&text, progress);
        let frame = match self.inputs.get() {
            Some(inputs) => options.read_inputs(inputs)?,
            None => options.read(self.first_input())?,
        };
        match frame.height() == 0 && text.iter().all(|name| frame.column(name).is_ok()) {
            false => Ok(frame),
            true => Err(Error::new(ErrorKind::InvalidData, Stage::Input, "the input has no rows, only column names")
                .with_path(self.first_input())),
        }
    }

    /// Reports an output that cannot be written, or that would overwrite the input or another output, before the work
    /// starts.
    fn check_outputs(&self) -> Result<()> {
        let inputs = self.inputs.get().map_or(&[][..], Inputs::tables);
        self.files.check(inputs)?;
        self.saving.check()?;
        self.saving.folder().map_or(Ok(()), |folder| self.files.check_beside(folder))
    }

    /// Writes every output that can be written: a disk too full for one file may have room for the others.
    fn write(&self, topics: &FittedTopicModel, documents: &DataFrame, progress: &Progress) -> Outputs {
        let mut outputs = Outputs::default();
        outputs.add("model", self.saving.folder(), |folder| self.saving.write(topics, folder, SavedVectors::default()));
        self.files.write(&mut outputs, topics, self.quality, || Ok(documents.clone()), progress);
        outputs
    }
}

fn report(topics: &FittedTopicModel, outliers: Outliers, started: Instant) {
    let summary = topics.summary();
    let share = 100.0 * summary.outliers as f64 / summary.rows.max(1) as f64;
    table::report_line(&format!(
        "{} in {}, {} ({share:.0}%), {:.1} s",
        counted(summary.topics, "topic"),
        counted(summary.rows, "row"),
        counted(summary.outliers, "outlier"),
        started.elapsed().as_secs_f64()
    ));
    if summary.topics == 0 {
        table::report_line(&match outliers {
            Outliers::AsClustered => format!(
                "No group in {} is large and dense enough to form a topic: lower --min-cluster-size.",
                counted(summary.rows, "row")
            ),
            _ => format!("No topic has rows left with --outliers {outliers}."),
        });
    }
}
