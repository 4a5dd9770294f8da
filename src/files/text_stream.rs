//! The text of a file piece by piece, so that files larger than the memory can be read.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8};
use flate2::read::MultiGzDecoder;

use super::decode::{Packing, error, line_end_of, most_unpacked, named_encoding, packing_of, utf_16_by_its_nulls};
use super::options::{ReadOptions, encoding_hint, unpacked_hint};
use super::regular::open_regular;
use crate::error::{Error, ErrorKind, Result, Stage};

/// The number of bytes that are read at once.
const PIECE: usize = 4 << 20;

/// The maximum size of a row in bytes: a longer one is a sign of missing line breaks or an unclosed quote.
const MAX_ROW: usize = 256 << 20;

/// A file as text, of which a piece is in memory.
pub(super) struct TextStream {
    path: PathBuf,
    bytes: Box<dyn Read + Send>,
    decoder: Decoder,
    /// Decoded text, of which `taken` bytes were taken.
    text: String,
    taken: usize,
    /// The last byte of the line terminator.
    line_end: u8,
    /// The number of lines before `taken`.
    lines: usize,
    /// The number of bytes of text before `taken`.
    before: u64,
    unpacked: u64,
    most: u64,
    is_ended: bool,
}

impl TextStream {
    /// Opens a file and reads its first piece; `None` if its encoding is known only from the whole of it.
    pub(super) fn open(path: &Path, options: &ReadOptions) -> Result<Option<Self>> {
        let (mut file, length) = open_regular(path)?;
        let ends = ends_of(&mut file, length).map_err(|cause| unreadable(path).with_cause(cause))?;
        let packing = packing_of(path, &ends)?;
        let most = options.max_unpacked_bytes.unwrap_or_else(|| most_unpacked(length));
        let file = Whole { file, left: length };
        let mut bytes: Box<dyn Read + Send> = match packing {
            Packing::None => Box::new(file),
            Packing::Gzip => Box::new(MultiGzDecoder::new(file)),
            Packing::Zstd => match zstd::Decoder::new(file) {
                Ok(decoder) => Box::new(decoder),
                Err(cause) => return Err(error(path, "cannot read the compressed file").with_cause(cause)),
            },
        };
        let mut head = Vec::new();
        let read = bytes.by_ref().take(1024).read_to_end(&mut head);
        read.map_err(|cause| unreadable(path).with_cause(cause))?;
        let named = named_encoding(options)?;
        if head.starts_with(&[0xff, 0xfe, 0, 0])
            || head.starts_with(&[0, 0, 0xfe, 0xff])
            || (packing != Packing::None && head.starts_with(&[0x1f, 0x8b]))
            || (named.is_none() && Encoding::for_bom(&head).is_none() && utf_16_by_its_nulls(&head).is_some())
        {
            return Ok(None);
        }
        let (encoding, mark) = Encoding::for_bom(&head).unwrap_or((named.unwrap_or(UTF_8), 0));
        let head = head.split_off(mark.min(head.len()));
        let mut stream = TextStream {
            path: path.to_path_buf(),
            bytes: Box::new(io::Cursor::new(head).chain(bytes)),
            decoder: encoding.new_decoder_without_bom_handling(),
            text: String::new(),
            taken: 0,
            line_end: b'\n',
            lines: 0,
            before: 0,
            unpacked: 0,
            most: if packing == Packing::None { u64::MAX } else { most },
            is_ended: false,
        };
        stream.fill()?;
        stream.line_end = line_end_of(stream.text.as_bytes());
        Ok(Some(stream))
    }

    /// The text that is in memory and was not taken yet.
    pub(super) fn text(&self) -> &str {
        self.text.get(self.taken..).unwrap_or_default()
    }

    /// Whether the file ends with [`text`](Self::text).
    pub(super) fn is_ended(&self) -> bool {
        self.is_ended
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.is_ended && self.text().is_empty()
    }

    /// The number of lines before [`text`](Self::text).
    pub(super) fn lines(&self) -> usize {
        self.lines
    }

    /// The number of bytes of text until the end of [`text`](Self::text).
    pub(super) fn length(&self) -> u64 {
        self.before + self.text().len() as u64
    }

    /// Removes the first `length` bytes of [`text`](Self::text).
    pub(super) fn take(&mut self, length: usize) {
        let taken = self.text().get(..length).unwrap_or_default();
        let (lines, length) = (memchr::memchr_iter(self.line_end, taken.as_bytes()).count(), taken.len());
        self.lines += lines;
        self.before += length as u64;
        self.taken += length;
    }

    /// Reads more: at least as much as is in memory already.
    ///
    /// # Errors
    /// The file cannot be read or decoded; a row is too long.
    pub(super) fn fill(&mut self) -> Result<()> {
        self.text.drain(..self.taken);
        self.taken = 0;
        if self.text.len() > MAX_ROW {
            let message = format!("line {} begins a row of more than {} MB", self.lines + 1, MAX_ROW >> 20);
            return Err(error(&self.path, message).with_hint(
                "Is a quote not closed, or are there no line breaks? Such a file cannot be read in parts.",
            ));
        }
        let mut piece = Vec::new();
        let more = PIECE.max(self.text.len()) as u64;
        match self.bytes.by_ref().take(more).read_to_end(&mut piece) {
            Ok(read) => self.is_ended = (read as u64) < more,
            Err(cause) => return Err(unreadable(&self.path).with_cause(cause)),
        }
        self.unpacked += piece.len() as u64;
        if self.unpacked > self.most {
            let message = format!("the compressed file unpacks to more than {} bytes", self.most);
            return Err(error(&self.path, message).with_hint(unpacked_hint()));
        }
        self.decode(&piece)
    }

    fn decode(&mut self, mut piece: &[u8]) -> Result<()> {
        loop {
            let room = self.decoder.max_utf8_buffer_length_without_replacement(piece.len()).unwrap_or(usize::MAX);
            self.text
                .try_reserve(room)
                .map_err(|cause| error(&self.path, "not enough memory for the file").with_cause(cause))?;
            let (result, read) =
                self.decoder.decode_to_string_without_replacement(piece, &mut self.text, self.is_ended);
            match result {
                DecoderResult::InputEmpty => return Ok(()),
                DecoderResult::OutputFull => piece = piece.get(read..).unwrap_or_default(),
                DecoderResult::Malformed(length, after) => {
                    let at = read.checked_sub(usize::from(length) + usize::from(after));
                    return Err(self.malformed(at.and_then(|at| piece.get(at)).copied()));
                }
            }
        }
    }

    /// The error for a `byte` after the text that was decoded.
    fn malformed(&self, byte: Option<u8>) -> Error {
        let line = 1 + self.lines + memchr::memchr_iter(self.line_end, self.text.as_bytes()).count();
        let encoding = self.decoder.encoding();
        let message = match byte.filter(|_| encoding == UTF_8) {
            Some(byte) => format!("the file is not UTF-8 text: line {line} contains the byte 0x{byte:02X}"),
            None => format!("line {line} is not valid {}", encoding.name()),
        };
        error(&self.path, message).with_hint(encoding_hint())
    }
}

/// The first and the last bytes of a file, which show its kind.
fn ends_of(file: &mut File, length: u64) -> io::Result<Vec<u8>> {
    const EACH: u64 = 16;
    let mut ends = Vec::new();
    file.by_ref().take(EACH).read_to_end(&mut ends)?;
    file.seek(SeekFrom::Start(length.saturating_sub(EACH).max(ends.len() as u64)))?;
    file.by_ref().take(EACH).read_to_end(&mut ends)?;
    file.rewind()?;
    Ok(ends)
}

/// A file that must have as many bytes as when it was opened: a program that truncates it would make rows disappear.
struct Whole {
    file: File,
    left: u64,
}

impl Read for Whole {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        if read == 0 && !buffer.is_empty() && self.left > 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it was truncated while being read"));
        }
        self.left = self.left.saturating_sub(read as u64);
        Ok(read)
    }
}

fn unreadable(path: &Path) -> Error {
    Error::new(ErrorKind::Io, Stage::Input, "cannot read the file").with_path(path)
}

#[cfg(test)]
mod tests {
    use super::{PIECE, ReadOptions, TextStream};

    #[test]
    fn a_large_file_is_never_in_memory_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("in.csv");
        let line = format!("{}\n", "a text ".repeat(20));
        let lines = 5 * PIECE / line.len();
        std::fs::write(&path, line.repeat(lines)).unwrap();
        let mut stream = TextStream::open(&path, &ReadOptions::new()).unwrap().unwrap();
        let mut taken = 0;
        while !stream.is_at_end() {
            assert!(stream.text.capacity() < 3 * PIECE, "{}", stream.text.capacity());
            let length = stream.text().rfind('\n').map_or(0, |at| at + 1);
            stream.take(length);
            taken += length;
            if !stream.is_ended() {
                stream.fill().unwrap();
            }
        }
        assert_eq!((taken, stream.lines()), (lines * line.len(), lines));
        assert_eq!(stream.length(), taken as u64);
    }
}
