//! How a file is read.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use polars::prelude::DataFrame;

use super::parts::Inputs;
use super::read::read_as;
use super::union::read_parts;
use super::{Format, format_of};
use crate::error::{Error, ErrorKind, Hint, Result, Stage};
use crate::progress::Progress;

/// What a quote at the beginning of a field means in a delimited file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Quotes {
    /// In `.csv` as [`Yes`](Self::Yes). Where tabs separate, what the whole file shows: quotes are ordinary characters if
    /// its lines split cleanly on tabs and its quotes are not closed and doubled as quoting takes.
    #[default]
    Auto,
    /// It holds the field together to the next quote that is not doubled; doubled quotes within it are one.
    Yes,
    /// It is a character as any other.
    No,
}

impl fmt::Display for Quotes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Quotes::Auto => "auto",
            Quotes::Yes => "yes",
            Quotes::No => "no",
        })
    }
}

impl FromStr for Quotes {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "auto" => Ok(Quotes::Auto),
            "yes" => Ok(Quotes::Yes),
            "no" => Ok(Quotes::No),
            other => Err(Error::parameter(Stage::Input, "quotes", other, "auto, yes or no")),
        }
    }
}

/// How to read a file, where its name and content do not show all of it.
///
/// ```no_run
/// use topicframe::files::ReadOptions;
///
/// let posts = ReadOptions::new().separator(b';').encoding("windows-1252").text(&["text"]).read("posts.csv")?;
/// # Ok::<(), topicframe::error::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    pub(super) separator: Option<u8>,
    pub(super) quotes: Quotes,
    pub(super) encoding: Option<String>,
    pub(super) text: Vec<String>,
    pub(super) max_unpacked_bytes: Option<u64>,
    pub(super) progress: Progress,
    /// Columns that are String because another part of the table has texts there.
    pub(super) mixed: Vec<String>,
    /// Whether JSON that holds nothing but null stays of the type Null: another part may have values there.
    pub(super) keeps_nothing: bool,
}

impl ReadOptions {
    /// All as the file shows it; nothing is said about it.
    pub fn new() -> Self {
        ReadOptions::default()
    }

    /// What separates the fields of a delimited file: any ASCII character but a quote and line ends. By default a tab in
    /// `.tsv`, and in `.csv` the one of comma, semicolon, tab and `|` that splits its first rows as it splits the header.
    #[must_use]
    pub fn separator(mut self, separator: u8) -> Self {
        self.separator = Some(separator);
        self
    }

    /// What quotes mean in a delimited file. By default [`Quotes::Auto`].
    #[must_use]
    pub fn quotes(mut self, quotes: Quotes) -> Self {
        self.quotes = quotes;
        self
    }

    /// The encoding of a delimited file or of JSON, by its name on the web: `windows-1252` (`latin1` is the same),
    /// `utf-16le`, `shift_jis`, `gb18030` ... A byte-order mark in the file counts for more. By default UTF-8, or UTF-16
    /// where the file shows it.
    #[must_use]
    pub fn encoding(mut self, name: impl Into<String>) -> Self {
        self.encoding = Some(name.into());
        self
    }

    /// Columns of delimited files and JSON that are String even if they look like numbers.
    #[must_use]
    pub fn text(mut self, columns: &[&str]) -> Self {
        self.text = columns.iter().map(|&column| column.to_owned()).collect();
        self
    }

    /// What a file may unpack to, in bytes, instead of what goes with its size: Parquet and Arrow 512 MiB and 1,024 times
    /// their size, gzip and zstd 64 MiB or 100 times. For files of values that repeat without end.
    #[must_use]
    pub fn max_unpacked_bytes(mut self, max_unpacked_bytes: u64) -> Self {
        self.max_unpacked_bytes = Some(max_unpacked_bytes);
        self
    }

    /// Where notes go: rows that are short of fields, names that come twice, columns of several kinds and unpaired surrogate
    /// escapes in JSON, UTF-16 without a byte-order mark. By default they are not reported.
    #[must_use]
    pub fn progress(mut self, progress: Progress) -> Self {
        self.progress = progress;
        self
    }

    /// Reads a frame from a file of the kind that its name says; see [`read_frame`](super::read_frame).
    ///
    /// # Errors
    /// As [`read_frame`](super::read_frame); two columns of a name in [`text`](Self::text); a separator, an encoding or
    /// quotes that are unknown or that this kind of file does not have.
    pub fn read(&self, path: impl AsRef<Path>) -> Result<DataFrame> {
        self.read_inputs(&Inputs::find(path)?)
    }

    /// As [`read`](Self::read), for files that were found before.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_inputs(&self, inputs: &Inputs) -> Result<DataFrame> {
        let kind = match (inputs.kind()?, inputs.tables()) {
            (None, [path]) => return read_as(path, format_of(path, Stage::Input)?, self),
            (kind, _) => kind.ok_or_else(|| Error::new(ErrorKind::Internal, Stage::Input, "no file was found"))?,
        };
        if let Some(name) = inputs.partition() {
            let message = format!(
                "folders have names such as `{name}`, which are not read: what they say is no column of the frame"
            );
            self.progress.note(Stage::Input, message);
        }
        read_parts(inputs.tables(), kind, self)
    }

    /// Whether a file of this kind has what is set.
    pub(super) fn check(&self, path: &Path, format: Format) -> Result<()> {
        let foreign = match format {
            Format::Csv | Format::Tsv => None,
            _ if self.separator.is_some() => Some("a separator"),
            _ if self.quotes != Quotes::Auto => Some("a setting for quotes"),
            Format::Json | Format::NdJson => None,
            Format::Parquet | Format::Arrow => self.encoding.as_ref().map(|_| "an encoding"),
        };
        if let Some(foreign) = foreign {
            let message = format!("{foreign} is given, which this kind of file does not have");
            return Err(Error::new(ErrorKind::InvalidParameter, Stage::Input, message).path(path));
        }
        match self.separator {
            Some(b'"' | b'\r' | b'\n' | 0x80..) => Err(Error::parameter(
                Stage::Input,
                "separator",
                format!("{:?}", self.separator.map(char::from).unwrap_or_default()),
                "an ASCII character that is neither a quote nor a line end",
            )),
            _ => Ok(()),
        }
    }
}

/// The separator that `name` is or stands for: any single ASCII character, `tab` or `\t`.
///
/// # Errors
/// Another text.
pub fn separator_named(name: &str) -> Result<u8> {
    match (name, name.as_bytes()) {
        ("tab" | "\\t", _) => Ok(b'\t'),
        (_, [character]) if character.is_ascii() => Ok(*character),
        _ => Err(Error::parameter(Stage::Input, "separator", name, "one ASCII character, or tab")),
    }
}

pub(super) fn encoding_hint() -> Hint {
    Hint::new(
        "If it has another encoding, name it: ReadOptions::new().encoding(\"windows-1252\") for many older files.",
    )
    .on_command_line("If it has another encoding, name it: --encoding windows-1252 for many older files.")
}

pub(super) fn unpacked_hint() -> Hint {
    Hint::new("If it is what it should be, allow more: ReadOptions::new().max_unpacked_bytes(8_000_000_000).")
        .on_command_line("If it is what it should be, allow more: --max-unpacked-megabytes 8000.")
}

pub(super) fn quotes_hint(before: &str) -> Hint {
    Hint::new(format!("{before} Where quotes are ordinary characters: ReadOptions::new().quotes(Quotes::No)."))
        .on_command_line(format!("{before} Where quotes are ordinary characters: --quotes no."))
}
