//! Folders with a saved model: written completely or not at all, and checked when read.
//!
//! # Format, version 1
//!
//! A folder has a `model.json` and the files that it lists; other files in it are neither read nor removed.
//!
//! ```json
//! {
//!   "format": "topicframe",
//!   "format_version": 1,
//!   "topicframe": "0.1.0",
//!   "model": { "settings": {}, "topics": [], "history": [] },
//!   "parts": { "topics": { "kind": "topics", "settings": {} } },
//!   "files": [{ "part": "topics", "name": "topics-0123456789abcdef.safetensors", "bytes": 100, "sha256": "0123…" }]
//! }
//! ```
//!
//! `model` is described in `model/saved`. A part is the state of a stage (its kind and settings are in `parts`, its
//! arrays in a safetensors file) or a frame (an Arrow file, whose buffers are compressed with Zstandard). The name of a
//! file is its part, the first 16 digits of the SHA-256 of its content, and its extension, so a file with this name has
//! this content, or was damaged.
//!
//! Texts in a safetensors file are an array of bytes, `name` (UTF-8, U8), and the ends of the texts, `name.ends` (U64).
//! Arrays of rows that are also in the part `vectors` are the numbers of these rows, `name.rows` (U32), or if there is no
//! such array, its first rows; the setting `shared_vectors` says which.
//!
//! # Writing
//!
//! Files are written first, under new names, unless their content is the same as before; then `model.json` is replaced,
//! which is atomic; then files that are no longer listed are removed. A process that is killed leaves the old model or
//! the new one, and perhaps files that are not listed, which the next one removes. The folder is locked while it is
//! written; a reader that finds the model replaced in the meantime reads it again.

mod arrays;
mod bertopic;
mod hashing;
mod lock;
mod manifest;
mod reading;
mod writing;

pub(crate) use bertopic::{
    BertopicModel, CtfIdf, CtfIdfConfig, Ordered, Topics as BertopicTopics, VISUAL_ASPECT, read_bertopic,
    write_bertopic,
};
pub(crate) use reading::{Contents, read};
pub(crate) use writing::{Part, write};
