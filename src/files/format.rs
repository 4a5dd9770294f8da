//! The formats of files, by their extension.

use std::path::Path;

use crate::error::{Error, ErrorKind, Result, Stage};

/// A file format for frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Csv,
    Tsv,
    Json,
    NdJson,
    Parquet,
    Arrow,
}

impl Format {
    /// The separator that the extension implies; `None` if it is detected, or if the format has none.
    pub(super) fn separator(self) -> Option<u8> {
        match self {
            Format::Tsv => Some(b'\t'),
            Format::Csv | Format::Json | Format::NdJson | Format::Parquet | Format::Arrow => None,
        }
    }

    /// Whether the format is binary: it compresses its own content, and its cells can contain bytes.
    fn is_binary(self) -> bool {
        match self {
            Format::Parquet | Format::Arrow => true,
            Format::Csv | Format::Tsv | Format::Json | Format::NdJson => false,
        }
    }

    /// Whether cells are separated by a character, so that lists are written as text.
    fn is_delimited(self) -> bool {
        match self {
            Format::Csv | Format::Tsv => true,
            Format::Json | Format::NdJson | Format::Parquet | Format::Arrow => false,
        }
    }
}

/// Whether the extension is that of a binary format, which has cells of bytes.
pub fn is_binary(path: &Path) -> bool {
    format_at(path).is_some_and(Format::is_binary)
}

/// Whether the extension is that of a format with a separator.
pub fn is_delimited(path: &Path) -> bool {
    format_at(path).is_some_and(Format::is_delimited)
}

/// Whether the extension is that of a compressed file.
pub fn is_compressed(path: &Path) -> bool {
    compressed_ending(path).is_some()
}

/// The extensions, for messages.
pub(super) const FORMATS: &str =
    "Supported extensions: .csv, .tsv, .json, .ndjson (or .jsonl), .parquet, and .arrow (or .ipc, .feather).";

/// Extensions of compressed files, appended to those of delimited files and JSON.
const COMPRESSED: [&str; 4] = ["gz", "gzip", "zst", "zstd"];

pub(super) fn format_of(path: &Path, stage: Stage) -> Result<Format> {
    if let Some(compressed) = compressed_ending(path) {
        return match (stage, ending_of(&path.with_extension("")).as_deref()) {
            (Stage::Output, _) => {
                Err(Error::new(ErrorKind::InvalidParameter, stage, "compressed files can be read but not written")
                    .with_path(path)
                    .with_hint(format!("Drop the .{compressed} extension.")))
            }
            (_, ending) => {
                let format = ending.and_then(format_named).filter(|format| !format.is_binary());
                format.ok_or_else(|| unknown_kind(path, stage))
            }
        };
    }
    format_at(path).ok_or_else(|| unknown_kind(path, stage))
}

/// The format of a file that is not compressed, by its extension.
fn format_at(path: &Path) -> Option<Format> {
    ending_of(path).as_deref().and_then(format_named)
}

fn format_named(ending: &str) -> Option<Format> {
    match ending {
        "csv" => Some(Format::Csv),
        "tsv" | "tab" => Some(Format::Tsv),
        "json" => Some(Format::Json),
        "ndjson" | "jsonl" => Some(Format::NdJson),
        "parquet" | "pq" => Some(Format::Parquet),
        "arrow" | "ipc" | "feather" => Some(Format::Arrow),
        _ => None,
    }
}

/// The file extension, in lower case.
fn ending_of(path: &Path) -> Option<String> {
    path.extension().and_then(|ending| ending.to_str()).map(str::to_lowercase)
}

/// The extension of a compressed file, if there is one.
pub(super) fn compressed_ending(path: &Path) -> Option<String> {
    ending_of(path).filter(|ending| COMPRESSED.contains(&ending.as_str()))
}

fn unknown_kind(path: &Path, stage: Stage) -> Error {
    Error::new(ErrorKind::InvalidParameter, stage, "unknown file extension").with_path(path).with_hint(FORMATS)
}
