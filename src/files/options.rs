//! Options for reading files.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use super::format::Format;
use crate::error::{Error, ErrorKind, Hint, Result, Stage};
use crate::progress::Progress;

/// How a quote at the beginning of a field is interpreted in a delimited file.
///
/// ```
/// use topicframe::prelude::*;
/// # let folder = tempfile::tempdir()?;
/// # let file = folder.path().join("posts.tsv");
///
/// std::fs::write(&file, "text\tlikes\n\"Ahoy\" they said\t3\n")?;
/// let posts = ReadOptions::new().quotes(Quotes::No).read(&file)?;
/// assert_eq!(posts.column("text")?.str()?.get(0), Some("\"Ahoy\" they said"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Quotes {
    /// Same as [`Yes`](Self::Yes) in `.csv`. In tab-separated files, detected from the whole file: quotes are ordinary
    /// characters if its lines split cleanly on tabs and its quotes are not properly closed and doubled.
    #[default]
    Auto,
    /// It opens a quoted field, which ends at the next quote that is not doubled; doubled quotes within it stand for
    /// one.
    Yes,
    /// It is an ordinary character.
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
            other => Err(Error::invalid_parameter(Stage::Input, "quotes", other, "auto, yes or no")),
        }
    }
}

/// Options for reading files whose name and content do not determine everything.
///
/// ```
/// use topicframe::files::ReadOptions;
/// # let folder = tempfile::tempdir()?;
/// # let file = folder.path().join("posts.csv");
///
/// std::fs::write(&file, b"text;likes\n1984;3\ncaf\xe9;5\n")?;
/// let posts = ReadOptions::new().separator(b';').encoding("windows-1252").text(&["text"]).read(&file)?;
/// assert_eq!(posts.column("text")?.str()?.get(1), Some("café"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    pub(super) separator: Option<u8>,
    pub(super) quotes: Quotes,
    pub(super) encoding: Option<String>,
    pub(super) text: Vec<String>,
    pub(super) max_unpacked_bytes: Option<u64>,
    pub(super) progress: Progress,
    /// Columns that are String because another part of the table contains strings there.
    pub(super) mixed: Vec<String>,
    /// Whether all-null JSON keeps the type Null: another part may have values there.
    pub(super) keeps_null: bool,
}

impl ReadOptions {
    /// Everything is detected from the file, and no notes are reported.
    pub fn new() -> Self {
        ReadOptions::default()
    }

    /// The separator of a delimited file: any ASCII character except quotes and line breaks. Default: a tab in `.tsv`;
    /// in `.csv`, whichever of comma, semicolon, tab, and `|` splits the first rows into as many fields as the header.
    #[must_use]
    pub fn separator(mut self, separator: u8) -> Self {
        self.separator = Some(separator);
        self
    }

    /// How quotes are interpreted in a delimited file. Default: [`Quotes::Auto`].
    #[must_use]
    pub fn quotes(mut self, quotes: Quotes) -> Self {
        self.quotes = quotes;
        self
    }

    /// The encoding of a delimited file or of JSON, by its WHATWG label: `windows-1252` (same as `latin1`), `utf-16le`,
    /// `shift_jis`, `gb18030` ... A byte-order mark in the file takes precedence. Default: UTF-8, or UTF-16 if
    /// detected.
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

    /// The maximum uncompressed size of a file, in bytes. The default depends on the file size: for Parquet and Arrow
    /// 512 MiB plus 1,024 times the size, for gzip and zstd 64 MiB or 100 times the size. Useful for files of highly
    /// repetitive values.
    #[must_use]
    pub fn max_unpacked_bytes(mut self, max_unpacked_bytes: u64) -> Self {
        self.max_unpacked_bytes = Some(max_unpacked_bytes);
        self
    }

    /// Where notes are reported: rows with too few fields, duplicate column names, columns of mixed types and unpaired
    /// surrogate escapes in JSON, UTF-16 without a byte-order mark. By default they are not reported.
    #[must_use]
    pub fn progress(mut self, progress: Progress) -> Self {
        self.progress = progress;
        self
    }

    /// Checks that the options apply to this file format.
    pub(super) fn check(&self, path: &Path, format: Format) -> Result<()> {
        let foreign = match format {
            Format::Csv | Format::Tsv => None,
            _ if self.separator.is_some() => Some("a separator"),
            _ if self.quotes != Quotes::Auto => Some("a quote setting"),
            Format::Json | Format::NdJson => None,
            Format::Parquet | Format::Arrow => self.encoding.as_ref().map(|_| "an encoding"),
        };
        if let Some(foreign) = foreign {
            let message = format!("{foreign} was given, which does not apply to this file format");
            return Err(Error::new(ErrorKind::InvalidParameter, Stage::Input, message).with_path(path));
        }
        match self.separator {
            Some(b'"' | b'\r' | b'\n' | 0x80..) => Err(Error::invalid_parameter(
                Stage::Input,
                "separator",
                format!("{:?}", self.separator.map(char::from).unwrap_or_default()),
                "an ASCII character that is neither a quote nor a line end",
            )),
            _ => Ok(()),
        }
    }
}

/// Parses a separator: any single ASCII character, `tab`, or `\t`.
///
/// # Errors
/// `name` is anything else.
pub fn separator_named(name: &str) -> Result<u8> {
    match (name, name.as_bytes()) {
        ("tab" | "\\t", _) => Ok(b'\t'),
        (_, [character]) if character.is_ascii() => Ok(*character),
        _ => Err(Error::invalid_parameter(Stage::Input, "separator", name, "one ASCII character, or tab")),
    }
}

pub(super) fn encoding_hint() -> Hint {
    Hint::new(
        "If it has another encoding, specify it: ReadOptions::new().encoding(\"windows-1252\") for many older files.",
    )
    .on_command_line("If it has another encoding, specify it: --encoding windows-1252 for many older files.")
}

pub(super) fn unpacked_hint() -> Hint {
    Hint::new("If the file is trusted, raise the limit: ReadOptions::new().max_unpacked_bytes(8_000_000_000).")
        .on_command_line("If the file is trusted, raise the limit: --max-unpacked-megabytes 8000.")
}

pub(super) fn quotes_hint(before: &str) -> Hint {
    Hint::new(format!("{before} If quotes are ordinary characters: ReadOptions::new().quotes(Quotes::No)."))
        .on_command_line(format!("{before} If quotes are ordinary characters: --quotes no."))
}
