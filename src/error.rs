//! One error type, in the user's terms: which stage, which column, which row, which file, and what to do.

use std::error::Error as StdError;
use std::fmt;
use std::path::{Path, PathBuf};

/// The result of everything in this crate that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// The step of the pipeline that an error (or a progress line) belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// Reading the frame and its columns.
    Input,
    /// Texts or images to vectors.
    Embed,
    /// Vectors to few dimensions.
    Reduce,
    /// Points to topics.
    Cluster,
    /// Texts to counts and topic weights.
    Vectorize,
    /// Topics to words, labels and pictures.
    Represent,
    /// Questions asked of a fitted model.
    Topics,
    /// Tables and pages.
    Display,
    /// Writing files.
    Output,
    /// The kernel of notebooks.
    Notebook,
}

impl Stage {
    /// The stage's name as errors and progress lines print it.
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

/// What went wrong, for code that branches on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A parameter is out of its range, or two contradict each other.
    InvalidParameter,
    /// A column that was asked for is not in the frame.
    MissingColumn,
    /// A column has a type that its role cannot have.
    WrongType,
    /// The data is there but cannot be used: empty, NaN, ragged, too few rows.
    InvalidData,
    /// An image cannot be decoded, or is over the limits.
    Image,
    /// A model folder is incomplete, damaged or of an unknown kind.
    Model,
    /// A file cannot be read or written.
    Io,
    /// Something asked for does not exist: a topic, an aspect.
    NotFound,
    /// The work was stopped from outside, through an [`Interrupt`](crate::progress::Interrupt).
    Interrupted,
    /// A library below reported a failure.
    Internal,
}

/// Where the user stands, and so in whose words a hint must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Interface {
    /// Code and notebooks: methods.
    #[default]
    Rust,
    /// The command `topicframe`: options.
    CommandLine,
}

/// What to do about something, in the words of the interface at hand. A text alone serves both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    rust: String,
    command_line: Option<String>,
}

impl Hint {
    /// What to do, for those who write Rust. Whole sentences.
    pub fn new(rust: impl Into<String>) -> Self {
        Hint { rust: rust.into(), command_line: None }
    }

    /// The same for those who use the command: its options instead of methods. An empty text where the command can do
    /// nothing about it.
    #[must_use]
    pub fn on_command_line(mut self, hint: impl Into<String>) -> Self {
        self.command_line = Some(hint.into());
        self
    }

    /// The hint in the words of `interface`.
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

/// `text` as a message may quote it: its first `most` characters, and how many more there are.
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
/// `Display` gives the whole story including the cause, since a notebook shows nothing else; `Debug` prints the same.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    stage: Stage,
    message: String,
    /// The message where it differs on the command line.
    on_command_line: Option<String>,
    column: Option<String>,
    row: Option<usize>,
    path: Option<PathBuf>,
    hint: Option<Hint>,
    cause: Option<std::sync::Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of `kind` in `stage`. `message` is one clause, without a full stop.
    pub fn new(kind: ErrorKind, stage: Stage, message: impl Into<String>) -> Self {
        Error(Box::new(Inner {
            kind,
            stage,
            message: message.into(),
            on_command_line: None,
            column: None,
            row: None,
            path: None,
            hint: None,
            cause: None,
        }))
    }

    /// A parameter that cannot be used: its name, the value that was given, and what it may be.
    pub fn parameter(stage: Stage, name: &str, value: impl fmt::Display, allowed: &str) -> Self {
        let refused = format!("{value} cannot be used: it must be {allowed}");
        let mut error = Error::new(ErrorKind::InvalidParameter, stage, format!("{name} = {refused}"));
        error.0.on_command_line = Some(format!("--{} {refused}", name.replace('_', "-")));
        error
    }

    /// Names the option of the command that a [`parameter`](Self::parameter) is, where it is called otherwise there.
    #[must_use]
    pub(crate) fn option(mut self, option: &str) -> Self {
        let message = self.0.on_command_line.as_deref().and_then(|message| message.split_once(' '));
        self.0.on_command_line = message.map(|(_, refused)| format!("--{option} {refused}"));
        self
    }

    /// Names the column.
    #[must_use]
    pub fn column(mut self, column: impl Into<String>) -> Self {
        self.0.column = Some(column.into());
        self
    }

    /// Names the row, counted from 0 as Polars counts.
    #[must_use]
    pub fn row(mut self, row: usize) -> Self {
        self.0.row = Some(row);
        self
    }

    /// Names the file.
    #[must_use]
    pub fn path(mut self, path: impl AsRef<Path>) -> Self {
        self.0.path = Some(path.as_ref().to_path_buf());
        self
    }

    /// Says what to do about it; see [`Hint`] for words that differ between Rust and the command line.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Hint>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Says one thing more about what to do.
    #[must_use]
    pub(crate) fn further_hint(mut self, hint: &str) -> Self {
        let with = |before: String| format!("{before} {hint}").trim_start().to_owned();
        self.0.hint = Some(match self.0.hint.take() {
            Some(Hint { rust, command_line }) => Hint { rust: with(rust), command_line: command_line.map(with) },
            None => Hint::new(hint),
        });
        self
    }

    /// The same without column, row and file, for a sentence that names them.
    #[must_use]
    pub(crate) fn without_place(mut self) -> Self {
        (self.0.column, self.0.row, self.0.path) = (None, None, None);
        self
    }

    /// The same without what to do about it, for an error above that says it.
    #[must_use]
    pub(crate) fn without_hint(mut self) -> Self {
        self.0.hint = None;
        self
    }

    /// Keeps the error below.
    #[must_use]
    pub fn cause(mut self, cause: impl StdError + Send + Sync + 'static) -> Self {
        self.0.cause = Some(std::sync::Arc::new(cause));
        self
    }

    /// What to do about it, where something is known.
    pub(crate) fn advice(&self) -> Option<&Hint> {
        self.0.hint.as_ref()
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Where in the pipeline.
    pub fn stage(&self) -> Stage {
        self.0.stage
    }

    /// The column, where one is to blame.
    pub fn column_name(&self) -> Option<&str> {
        self.0.column.as_deref()
    }

    /// The row (from 0), where one is to blame.
    pub fn row_index(&self) -> Option<usize> {
        self.0.row
    }

    /// The file, where one is to blame.
    pub fn file(&self) -> Option<&Path> {
        self.0.path.as_deref()
    }
}

/// The longest column name, path and cause that a message quotes whole.
const LONGEST_QUOTE: usize = 200;

/// The longest message and hint, should a long name have got into one.
const LONGEST_SENTENCE: usize = 2_000;

impl Error {
    /// The whole story, with the hint in the words of `interface`; `Display` has it for those who write Rust.
    pub fn told(&self, interface: Interface) -> String {
        let inner = &*self.0;
        let message = match (interface, &inner.on_command_line) {
            (Interface::CommandLine, Some(message)) => message,
            _ => &inner.message,
        };
        let mut story = format!("{}: {}", inner.stage, quoted(message, LONGEST_SENTENCE));
        let place = [
            inner.column.as_ref().map(|column| format!("column `{}`", quoted(column, LONGEST_QUOTE))),
            inner.row.map(|row| format!("row {row}")),
            inner.path.as_ref().map(|path| quoted(&path.display().to_string(), LONGEST_QUOTE)),
        ];
        let place: Vec<String> = place.into_iter().flatten().collect();
        if !place.is_empty() {
            story.push_str(&format!(" ({})", place.join(", ")));
        }
        let mut cause = inner.cause.as_deref().map(|cause| cause as &dyn StdError);
        while let Some(error) = cause {
            let said = quoted(&error.to_string(), LONGEST_QUOTE);
            // Some libraries' errors say what their cause says.
            if !story.ends_with(&said) {
                story.push_str(&format!(": {said}"));
            }
            cause = error.source();
        }
        let hint = inner.hint.as_ref().map_or("", |hint| hint.for_interface(interface));
        if !hint.is_empty() {
            story.push_str(&format!("\n  {}", quoted(hint, LONGEST_SENTENCE)));
        }
        story
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told(Interface::Rust))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

// `Display` already walks the causes, so `source` stays empty: printers that walk it would say them twice.
impl StdError for Error {}
