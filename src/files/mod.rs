//! Frames from files and to files, by the name of the file.

use std::path::Path;

use crate::error::{Error, ErrorKind, Result, Stage};

mod arrow;
mod budget;
mod cell;
mod foreign;
mod image_folder;
mod moment;
mod nesting;
mod parquet;
mod parts;
mod read;
mod regular;
mod replace;
mod thrift;
mod union;
mod write;

pub use image_folder::{IMAGE_COLUMN, read_image_folder};
pub use parts::Inputs;
pub use read::{read_csv, read_frame, read_frame_as_text};
pub use replace::{check_writable, same_file, write_whole};
pub use write::{check_writable_frame, write_frame};

/// A kind of file that frames live in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    Tsv,
    Json,
    NdJson,
    Parquet,
    Arrow,
}

const FORMATS: &str =
    "The names end in .csv, .tsv, .json, .ndjson (or .jsonl), .parquet, or .arrow (or .ipc, .feather).";

fn format_of(path: &Path, stage: Stage) -> Result<Format> {
    let extension = path.extension().and_then(|extension| extension.to_str()).map(str::to_lowercase);
    match extension.as_deref() {
        Some("csv") => Ok(Format::Csv),
        Some("tsv" | "tab") => Ok(Format::Tsv),
        Some("json") => Ok(Format::Json),
        Some("ndjson" | "jsonl") => Ok(Format::NdJson),
        Some("parquet" | "pq") => Ok(Format::Parquet),
        Some("arrow" | "ipc" | "feather") => Ok(Format::Arrow),
        _ => Err(Error::new(ErrorKind::InvalidParameter, stage, "the name does not say what kind of file this is")
            .path(path)
            .hint(FORMATS)),
    }
}
