//! Reading frames from files and writing them to files; the file name determines the format.

use std::path::Path;

use crate::error::{Error, ErrorKind, Result, Stage};

mod arrow;
mod budget;
mod cell;
mod decode;
mod delimited;
mod folder;
mod foreign;
mod image_folder;
mod json;
mod moment;
mod nesting;
mod options;
mod parquet;
mod parts;
mod read;
mod regular;
mod replace;
mod temporary;
mod thrift;
mod union;
mod write;

pub use image_folder::{IMAGE_COLUMN, read_image_folder, read_image_folder_with};
#[doc(hidden)] // For the command.
pub use options::separator_named;
pub use options::{Quotes, ReadOptions};
pub use parts::Inputs;
pub use read::{read_csv, read_frame, read_frame_as_text};
#[doc(hidden)] // For the command.
pub use replace::{check_writable, copy_whole, same_file, write_whole};
#[doc(hidden)] // For the command.
pub use temporary::{HaltedWriting, halt_writing};
#[doc(hidden)] // For the command.
pub use write::check_writable_frame;
pub use write::write_frame;

/// A file format for frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    Tsv,
    Json,
    NdJson,
    Parquet,
    Arrow,
}

/// The maximum length of a quoted name in a message.
const LONGEST_NAME: usize = 60;

const FORMATS: &str =
    "Supported extensions: .csv, .tsv, .json, .ndjson (or .jsonl), .parquet, and .arrow (or .ipc, .feather).";

/// Extensions of compressed files, appended to those of delimited files and JSON.
const COMPRESSED: [&str; 4] = ["gz", "gzip", "zst", "zstd"];

fn format_of(path: &Path, stage: Stage) -> Result<Format> {
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
fn compressed_ending(path: &Path) -> Option<String> {
    ending_of(path).filter(|ending| COMPRESSED.contains(&ending.as_str()))
}

fn unknown_kind(path: &Path, stage: Stage) -> Error {
    Error::new(ErrorKind::InvalidParameter, stage, "unknown file extension").with_path(path).with_hint(FORMATS)
}
