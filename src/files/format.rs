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
            (_, Some("csv")) => Ok(Format::Csv),
            (_, Some("tsv" | "tab")) => Ok(Format::Tsv),
            (_, Some("json")) => Ok(Format::Json),
            (_, Some("ndjson" | "jsonl")) => Ok(Format::NdJson),
            _ => Err(unknown_kind(path, stage)),
        };
    }
    match ending_of(path).as_deref() {
        Some("csv") => Ok(Format::Csv),
        Some("tsv" | "tab") => Ok(Format::Tsv),
        Some("json") => Ok(Format::Json),
        Some("ndjson" | "jsonl") => Ok(Format::NdJson),
        Some("parquet" | "pq") => Ok(Format::Parquet),
        Some("arrow" | "ipc" | "feather") => Ok(Format::Arrow),
        _ => Err(unknown_kind(path, stage)),
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
