//! Arrow files and streams, read only after checking that their nesting depth and claimed size are within the limits.
//!
//! The reader allocates as much as the length prefixes of compressed buffers claim, and recurses into nested columns,
//! so both are checked first.

use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use polars::io::mmap::MmapBytesReader;
use polars::prelude::*;
use polars_arrow::io::ipc::format::ipc::planus::ReadAsRoot;
use polars_arrow::io::ipc::format::ipc::{
    BlockRef, CompressionType, FooterRef, MessageHeaderRef, MessageRef, RecordBatchRef,
};

use super::budget::Budget;
use super::foreign::{Cause, guarded_reader};
use super::nesting::{check_arrow_schema, damaged};
use crate::error::{Error, Result};

const ARROW: &str = "an Arrow file or stream (Feather version 2)";

/// The first bytes of a message, and so of a stream.
const CONTINUATION: [u8; 4] = [0xff; 4];

/// The maximum compression ratio of LZ4.
const LZ4_RATIO: u64 = 255;

/// Reads the Arrow file or stream `path`, opened as `file` or in memory, of `length` bytes, with an uncompressed size of
/// at most `most`.
pub(crate) fn read_arrow<F: MmapBytesReader>(
    mut file: F,
    length: u64,
    path: &Path,
    most: Option<u64>,
) -> Result<DataFrame> {
    let broken = |cause| damaged(path, ARROW, cause);
    let mut start = [0; 4];
    let is_stream = file.read_exact(&mut start).is_ok() && start == CONTINUATION;
    let mut walk = Walk { file: BufReader::new(file), path, length, budget: Budget::of(length, most) };
    match is_stream {
        true => walk.check_stream()?,
        false => walk.check_file()?,
    }
    let mut file = walk.file;
    file.rewind().map_err(|error| broken(Cause::new(&error.to_string())))?;
    let frame = guarded_reader(|| match is_stream {
        true => IpcStreamReader::new(file).finish(),
        false => IpcReader::new(file.into_inner()).finish(),
    });
    frame.map_err(broken)
}

/// A file that is being checked.
struct Walk<'a, F> {
    file: BufReader<F>,
    path: &'a Path,
    length: u64,
    budget: Budget,
}

impl<F: Read + Seek> Walk<'_, F> {
    fn broken(&self, cause: &str) -> Error {
        damaged(self.path, ARROW, Cause::new(cause))
    }

    fn contradiction(&self) -> Error {
        self.broken("it is inconsistent")
    }

    /// The bytes from `start` on. No more is allocated than the file contains.
    fn bytes(&mut self, start: u64, length: u64) -> Result<Vec<u8>> {
        self.check_within(start, length)?;
        self.spend(length)?;
        let mut bytes = Vec::new();
        let read = self
            .file
            .seek(SeekFrom::Start(start))
            .and_then(|_| self.file.by_ref().take(length).read_to_end(&mut bytes));
        match read {
            Ok(read) if read as u64 == length => Ok(bytes),
            Ok(_) => Err(self.broken("it was truncated while being read")),
            Err(error) => Err(self.broken(&error.to_string())),
        }
    }

    fn check_within(&self, start: u64, length: u64) -> Result<()> {
        match start.checked_add(length).is_some_and(|end| end <= self.length) {
            true => Ok(()),
            false => Err(self.broken("a part of it lies beyond its end; the copy may be incomplete")),
        }
    }

    fn spend(&mut self, bytes: u64) -> Result<()> {
        self.budget.spend(bytes).map_err(|cause| damaged(self.path, ARROW, cause))
    }

    /// A file has a footer with the positions of its messages.
    fn check_file(&mut self) -> Result<()> {
        let end = self.length.checked_sub(10).ok_or_else(|| self.broken("it is too short"))?;
        let tail = self.bytes(end, 10)?;
        let (length, mark) = tail.split_first_chunk::<4>().ok_or_else(|| self.contradiction())?;
        if mark != b"ARROW1" {
            return Err(self.broken("it does not end like an Arrow file"));
        }
        let length = u64::from(u32::from_le_bytes(*length));
        let start = end.checked_sub(length).ok_or_else(|| self.contradiction())?;
        let footer = self.bytes(start, length)?;
        let blocks = self.read_footer(&footer)?;
        for (offset, metadata) in blocks {
            let start = u64::try_from(offset).map_err(|_| self.contradiction())?;
            let metadata = u64::try_from(metadata).map_err(|_| self.contradiction())?;
            let Some((message, _)) = self.message(start)? else { return Err(self.contradiction()) };
            self.check_message(&message, start.saturating_add(metadata))?;
        }
        Ok(())
    }

    /// Checks the schema in the footer. Returns the start of each message and the length of its header.
    fn read_footer(&self, footer: &[u8]) -> Result<Vec<(i64, i32)>> {
        let read = || {
            let read = FooterRef::read_as_root(footer).ok()?;
            Some((read.schema().ok()??, read.dictionaries().ok()?, read.record_batches().ok()?))
        };
        let (schema, dictionaries, batches) = read().ok_or_else(|| self.contradiction())?;
        check_arrow_schema(schema, footer.len()).map_err(|refused| refused.error(self.path, ARROW))?;
        let place = |block: BlockRef<'_>| (block.offset(), block.meta_data_length());
        let blocks = dictionaries.into_iter().chain(batches).flat_map(|blocks| blocks.iter().map(place));
        Ok(blocks.collect())
    }

    /// In a stream, each message follows the body of the previous one, and the first is the schema.
    fn check_stream(&mut self) -> Result<()> {
        // The reader recurses from each dictionary to the next message.
        const MAX_DICTIONARIES: usize = 2_000;
        let (mut start, mut dictionaries) = (0, 0);
        while let Some((message, body)) = self.message(start)? {
            let (length, is_dictionary) = self.check_message(&message, body)?;
            self.check_within(body, length)?;
            start = body + length;
            dictionaries = if is_dictionary { dictionaries + 1 } else { 0 };
            if dictionaries > MAX_DICTIONARIES {
                return Err(self.broken(&format!("it has more than {MAX_DICTIONARIES} consecutive dictionaries")));
            }
        }
        Ok(())
    }

    /// The header of the message at `start`, and the start of its body; `None` at the end of the stream.
    fn message(&mut self, start: u64) -> Result<Option<(Vec<u8>, u64)>> {
        if start.saturating_add(4) > self.length {
            return Ok(None);
        }
        let (mut at, mut prefix) = (start, self.bytes(start, 4)?);
        if prefix == CONTINUATION {
            at += 4;
            prefix = self.bytes(at, 4)?;
        }
        let length = prefix.first_chunk::<4>().map(|prefix| u64::from(u32::from_le_bytes(*prefix)));
        match length.ok_or_else(|| self.contradiction())? {
            0 => Ok(None),
            length => Ok(Some((self.bytes(at + 4, length)?, at + 4 + length))),
        }
    }

    /// Checks the claims of a message about its body, which begins at `body`. Returns the length of the body, and
    /// whether it is a dictionary.
    fn check_message(&mut self, message: &[u8], body: u64) -> Result<(u64, bool)> {
        let read = || {
            let read = MessageRef::read_as_root(message).ok()?;
            Some((read.header().ok()??, u64::try_from(read.body_length().ok()?).ok()?))
        };
        let (header, length) = read().ok_or_else(|| self.contradiction())?;
        match header {
            MessageHeaderRef::Schema(schema) => {
                check_arrow_schema(schema, message.len()).map_err(|refused| refused.error(self.path, ARROW))?;
            }
            MessageHeaderRef::RecordBatch(batch) => self.check_batch(batch, body)?,
            MessageHeaderRef::DictionaryBatch(dictionary) => {
                let batch = dictionary.data().ok().flatten().ok_or_else(|| self.contradiction())?;
                self.check_batch(batch, body)?;
                return Ok((length, true));
            }
            _ => {}
        }
        Ok((length, false))
    }

    /// Adds up the claimed uncompressed size of a record batch.
    fn check_batch(&mut self, batch: RecordBatchRef<'_>, body: u64) -> Result<()> {
        let positive = |number: i64| u64::try_from(number).ok();
        let read = || {
            let rows = positive(batch.length().ok()?)?;
            Some((rows, batch.nodes().ok()??, batch.buffers().ok()??, batch.compression().ok()?))
        };
        let (rows, nodes, buffers, compression) = read().ok_or_else(|| self.contradiction())?;
        self.spend(rows.saturating_mul(8))?;
        for node in nodes.iter() {
            let length = positive(node.length()).ok_or_else(|| self.contradiction())?;
            self.spend(length.saturating_mul(8))?;
        }
        let codec = compression.map(|compression| compression.codec()).transpose();
        let codec = codec.map_err(|_| self.contradiction())?;
        for buffer in buffers.iter() {
            let place = || Some((body.checked_add(positive(buffer.offset())?)?, positive(buffer.length())?));
            let (start, length) = place().ok_or_else(|| self.contradiction())?;
            self.check_within(start, length)?;
            match codec {
                Some(codec) if length >= 8 => self.check_packed(start, length, codec)?,
                _ => self.spend(length)?,
            }
        }
        Ok(())
    }

    /// A compressed buffer begins with its uncompressed size, or -1 if it was left uncompressed.
    fn check_packed(&mut self, start: u64, length: u64, codec: CompressionType) -> Result<()> {
        let prefix = self.bytes(start, 8)?;
        let prefix = prefix.first_chunk::<8>().ok_or_else(|| self.contradiction())?;
        let unpacked = match i64::from_le_bytes(*prefix) {
            -1 => length,
            unpacked => u64::try_from(unpacked).map_err(|_| self.contradiction())?,
        };
        if codec == CompressionType::Lz4Frame && unpacked > length.saturating_mul(LZ4_RATIO) {
            return Err(self
                .broken(&format!("{length} bytes in it claim to unpack to {unpacked}, which is impossible with LZ4")));
        }
        self.spend(unpacked)
    }
}
