//! Reading frames from files and writing them to files; the file name determines the format.

mod arrow;
mod batches;
mod budget;
mod cell;
mod decode;
mod delimited;
mod folder;
mod foreign;
mod format;
mod image_folder;
mod json;
mod moment;
mod nesting;
mod options;
mod parquet;
mod parquet_groups;
mod parts;
mod read;
mod regular;
mod replace;
mod single;
mod temporary;
mod text_stream;
mod thrift;
mod union;
mod write;
mod write_batches;

pub(crate) use arrow::read_arrow;
pub use batches::FrameBatches;
#[doc(hidden)] // For the command.
pub use format::{is_binary, is_compressed, is_delimited};
pub use image_folder::{IMAGE_COLUMN, read_image_folder, read_image_folder_with};
#[doc(hidden)] // For the command.
pub use options::separator_named;
pub use options::{Quotes, ReadOptions};
pub use parts::Inputs;
pub use read::{read_csv, read_frame, read_frame_as_text};
pub(crate) use replace::create_named;
#[doc(hidden)] // For the command.
pub use replace::{check_writable, copy_whole, same_file, write_whole};
#[doc(hidden)] // For the command.
pub use temporary::{HaltedWriting, halt_writing};
#[doc(hidden)] // For the command.
pub use write::check_writable_frame;
pub(crate) use write::write_arrow;
pub use write::write_frame;
pub use write_batches::FrameWriter;

/// The maximum length of a quoted name in a message.
const LONGEST_NAME: usize = 60;
