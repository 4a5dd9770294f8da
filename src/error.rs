//! A single error type in the user's terms: the stage, column, row and file involved, and what to do.

use std::error::Error as StdError;
use std::fmt;
use std::path::{Path, PathBuf};

/// The result type of every fallible operation in this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// The step of the pipeline that an error (or a progress line) belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// Reading the frame and its columns.
    Input,
    /// Embedding texts or images.
    Embed,
    /// Dimensionality reduction.
    Reduce,
    /// Clustering.
    Cluster,
    /// Counting terms and computing topic weights.
    Vectorize,
    /// Describing topics with words, labels and images.
    Represent,
    /// Querying and editing a fitted model.
    Topics,
    /// Rendering tables and reports.
    Display,
    /// Writing files.
    Output,
    /// The Jupyter kernel.
    Notebook,
}

impl Stage {
    /// The stage's name as printed in errors and progress lines.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Input => "input",
            Stage::Embed => "embed",
            Stage::Reduce => "reduce",
            Stage::Cluster => "cluster",
            Stage::Vectorize => "vectorize",
            Stage::Represent => "represent",
            Stage::Topics => "topics",
            Stage::Display => "display",
            Stage::Output => "output",
            Stage::Notebook => "notebook",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The kind of an error, for code that branches on it.
///
/// ```
/// use topicframe::prelude::*;
///
/// let posts = df!("text" => ["a cat"])?;
/// let model = TopicModel::text("caption", StaticEmbedder::builtin());
/// match model.fit(&posts) {
///     Err(error) if error.kind() == ErrorKind::MissingColumn => assert_eq!(error.column(), Some("caption")),
///     other => panic!("{other:?}"),
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A parameter is out of its range, or two contradict each other.
    InvalidParameter,
    /// A requested column is not in the frame.
    MissingColumn,
    /// A column has a type that its role does not support.
    WrongType,
    /// The data exists but cannot be used: empty, NaN, ragged, too few rows.
    InvalidData,
    /// An image cannot be decoded, or exceeds the limits.
    Image,
    /// A model folder is incomplete, corrupt or of an unsupported kind.
    Model,
    /// A file cannot be read or written.
    Io,
    /// A requested item does not exist: a topic, an aspect.
    NotFound,
    /// The work was stopped through an [`Interrupt`](crate::progress::Interrupt).
    Interrupted,
    /// An underlying library reported a failure.
    Internal,
}

/// The interface in use, which determines how hints are worded.
///
/// ```
/// use topicframe::error::Interface;
/// use topicframe::prelude::*;
///
/// let error = TopicModel::text("caption", StaticEmbedder::builtin()).min_topic_size(1).check().unwrap_err();
/// assert!(error.report(Interface::Rust).contains("min_cluster_size = 1"));
/// assert!(error.report(Interface::CommandLine).contains("--min-cluster-size 1"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Interface {
    /// Code and notebooks: methods.
    #[default]
    Rust,
    /// The command `topicframe`: options.
    CommandLine,
}

/// What to do about a problem, worded for the interface in use. A single text serves both interfaces.
///
/// ```
/// use topicframe::error::{Hint, Interface};
/// use topicframe::prelude::*;
///
/// let hint = Hint::new("Set it with `.labels(..)`.").on_command_line("Set it with --labels.");
/// let error = Error::new(ErrorKind::MissingColumn, Stage::Input, "there are no labels").with_hint(hint);
/// assert!(format!("{error:#}").ends_with("Set it with `.labels(..)`."));
/// assert!(error.report(Interface::CommandLine).ends_with("Set it with --labels."));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    rust: String,
    command_line: Option<String>,
}

impl Hint {
    /// What to do, for users of the Rust API. Full sentences.
    pub fn new(rust: impl Into<String>) -> Self {
        Hint { rust: rust.into(), command_line: None }
    }

    /// The same for users of the command line, with options instead of methods. An empty text if the command line
    /// offers no remedy.
    #[must_use]
    pub fn on_command_line(mut self, hint: impl Into<String>) -> Self {
        self.command_line = Some(hint.into());
        self
    }

    /// The hint worded for `interface`.
    pub fn for_interface(&self, interface: Interface) -> &str {
        match interface {
            Interface::CommandLine => self.command_line.as_deref().unwrap_or(&self.rust),
            Interface::Rust => &self.rust,
        }
    }
}

impl From<&str> for Hint {
    fn from(text: &str) -> Self {
        Hint::new(text)
    }
}

impl From<String> for Hint {
    fn from(text: String) -> Self {
        Hint::new(text)
    }
}

/// `text` as quoted in a message: its first `most` characters, and the number of remaining characters.
pub(crate) fn quoted(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => {
            let more = text[end..].chars().count();
            format!("{}… ({more} more characters)", &text[..end])
        }
    }
}

/// An error that says where it happened and what to do.
///
/// `{}` prints what is wrong and where; `{:#}`, `{:?}` (which `main` and notebooks print) and [`report`](Self::report)
/// add the causes and what to do.
///
/// ```
/// use topicframe::prelude::*;
///
/// let error = TopicModel::text("caption", StaticEmbedder::builtin()).top_n_words(0).check().unwrap_err();
/// assert_eq!((error.kind(), error.parameter()), (ErrorKind::InvalidParameter, Some("top_n_words")));
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    stage: Stage,
    message: String,
    /// The parameter that is invalid.
    parameter: Option<String>,
    /// The message for the command line, if it differs.
    on_command_line: Option<String>,
    column: Option<String>,
    /// Whether the message names the column.
    names_column: bool,
    row: Option<usize>,
    path: Option<PathBuf>,
    hint: Option<Hint>,
    cause: Option<std::sync::Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of `kind` in `stage`. `message` is a single clause, without a period.
    pub fn new(kind: ErrorKind, stage: Stage, message: impl Into<String>) -> Self {
        Error(Box::new(Inner {
            kind,
            stage,
            message: message.into(),
            parameter: None,
            on_command_line: None,
            column: None,
            names_column: false,
            row: None,
            path: None,
            hint: None,
            cause: None,
        }))
    }

    /// An invalid parameter: its name, the given value, and the allowed values.
    pub fn invalid_parameter(stage: Stage, name: &str, value: impl fmt::Display, allowed: &str) -> Self {
        let refused = format!("{value} cannot be used: it must be {allowed}");
        let mut error = Error::new(ErrorKind::InvalidParameter, stage, format!("{name} = {refused}"));
        error.0.parameter = Some(name.to_owned());
        error.0.on_command_line = Some(format!("--{} {refused}", name.replace('_', "-")));
        error
    }

    /// Sets the command-line option of an [`invalid_parameter`](Self::invalid_parameter), if its name differs.
    #[must_use]
    pub(crate) fn with_option(mut self, option: &str) -> Self {
        let message = self.0.on_command_line.as_deref().and_then(|message| message.split_once(' '));
        self.0.on_command_line = message.map(|(_, refused)| format!("--{option} {refused}"));
        self
    }

    /// Sets the message for the command line, which has options instead of methods, unless there is one.
    #[must_use]
    pub(crate) fn said_on_command_line(mut self, message: impl Into<String>) -> Self {
        self.0.on_command_line.get_or_insert_with(|| message.into());
        self
    }

    /// Sets the column.
    #[must_use]
    pub fn with_column(mut self, column: impl Into<String>) -> Self {
        self.0.column = Some(column.into());
        self
    }

    /// Sets the column, which the message names already.
    #[must_use]
    pub(crate) fn with_named_column(mut self, column: impl Into<String>) -> Self {
        self.0.names_column = true;
        self.with_column(column)
    }

    /// Sets the row, counted from 0 as in Polars.
    #[must_use]
    pub fn with_row(mut self, row: usize) -> Self {
        self.0.row = Some(row);
        self
    }

    /// Sets the file.
    #[must_use]
    pub fn with_path(mut self, path: impl AsRef<Path>) -> Self {
        self.0.path = Some(path.as_ref().to_path_buf());
        self
    }

    /// Adds a hint about what to do; see [`Hint`] for wording that differs between Rust and the command line.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<Hint>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds the path of a file, unless the error has one.
    pub(crate) fn with_path_if_none(self, path: impl AsRef<Path>) -> Self {
        if self.path().is_some() { self } else { self.with_path(path.as_ref()) }
    }

    /// Appends another hint.
    #[must_use]
    pub(crate) fn with_further_hint(mut self, hint: &str) -> Self {
        let with = |before: String| format!("{before} {hint}").trim_start().to_owned();
        self.0.hint = Some(match self.0.hint.take() {
            Some(Hint { rust, command_line }) => Hint { rust: with(rust), command_line: command_line.map(with) },
            None => Hint::new(hint),
        });
        self
    }

    /// The same error without column, row and file, for a message that already names them.
    #[must_use]
    pub(crate) fn without_place(mut self) -> Self {
        (self.0.column, self.0.row, self.0.path) = (None, None, None);
        self
    }

    /// The same error without its hint, for an outer error that has one.
    #[must_use]
    pub(crate) fn without_hint(mut self) -> Self {
        self.0.hint = None;
        self
    }

    /// The same error in another stage.
    #[must_use]
    pub(crate) fn in_stage(mut self, stage: Stage) -> Self {
        self.0.stage = stage;
        self
    }

    /// Sets the underlying error.
    #[must_use]
    pub fn with_cause(mut self, cause: impl StdError + Send + Sync + 'static) -> Self {
        self.0.cause = Some(std::sync::Arc::new(cause));
        self
    }

    /// What is wrong, in one clause: without stage, place, cause and hint.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do, if there is something.
    pub fn hint(&self) -> Option<&Hint> {
        self.0.hint.as_ref()
    }

    /// The parameter that is invalid, if this is an [`invalid_parameter`](Self::invalid_parameter).
    pub fn parameter(&self) -> Option<&str> {
        self.0.parameter.as_deref()
    }

    /// The kind of the error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The pipeline stage.
    pub fn stage(&self) -> Stage {
        self.0.stage
    }

    /// The column that caused the error, if any.
    pub fn column(&self) -> Option<&str> {
        self.0.column.as_deref()
    }

    /// The row (from 0) that caused the error, if any.
    pub fn row(&self) -> Option<usize> {
        self.0.row
    }

    /// The file that caused the error, if any.
    pub fn path(&self) -> Option<&Path> {
        self.0.path.as_deref()
    }
}

/// Maximum length at which a message quotes a column name, path or cause in full.
pub(crate) const LONGEST_QUOTE: usize = 200;

/// Maximum length of a message or hint, in case it contains a long name.
const LONGEST_SENTENCE: usize = 2_000;

impl Error {
    /// The full report: what is wrong and where, its causes, and what to do, worded for `interface`. `Debug` prints the
    /// one for Rust.
    pub fn report(&self, interface: Interface) -> String {
        let mut story = self.headline(interface);
        let mut cause = self.source();
        while let Some(error) = cause {
            let said = quoted(&error.to_string(), LONGEST_QUOTE);
            // Some libraries' errors repeat the message of their cause.
            if !story.ends_with(&said) {
                story.push_str(&format!(": {said}"));
            }
            cause = error.source();
        }
        let hint = self.hint().map_or("", |hint| hint.for_interface(interface));
        if !hint.is_empty() {
            story.push_str(&format!("\n  {}", quoted(hint, LONGEST_SENTENCE)));
        }
        story
    }

    /// Stage, message, and the column, row and file.
    fn headline(&self, interface: Interface) -> String {
        let inner = &*self.0;
        let message = match (interface, &inner.on_command_line) {
            (Interface::CommandLine, Some(message)) => message,
            _ => &inner.message,
        };
        let headline = format!("{}: {}", inner.stage, quoted(message, LONGEST_SENTENCE));
        let column = inner.column.as_deref().filter(|_| !inner.names_column);
        let place = [
            column.map(|column| format!("column `{}`", quoted(column, LONGEST_QUOTE))),
            inner.row.map(|row| format!("row {row}")),
            inner.path.as_ref().map(|path| quoted(&path.display().to_string(), LONGEST_QUOTE)),
        ];
        let place: Vec<String> = place.into_iter().flatten().collect();
        if place.is_empty() { headline } else { format!("{headline} ({})", place.join(", ")) }
    }
}

/// Stage, message, and the column, row and file. Causes are left to [`source`](StdError::source), as error reporters
/// expect; the alternate form `{:#}` is the whole [`report`](Error::report).
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match f.alternate() {
            true => f.write_str(&self.report(Interface::Rust)),
            false => f.write_str(&self.headline(Interface::Rust)),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.report(Interface::Rust))
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.cause.as_deref().map(|cause| cause as &(dyn StdError + 'static))
    }
}
