//! The text of a file, decompressed if necessary, as UTF-8.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use encoding_rs::{DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};
use flate2::read::MultiGzDecoder;

use super::options::{ReadOptions, encoding_hint, unpacked_hint};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::progress::Progress;

/// The uncompressed size that is always allowed, in bytes.
const INFLATED: u64 = 64 << 20;

/// Beyond that, the maximum compression ratio: text compresses to a fifth, and logs to a fiftieth.
const INFLATES: u64 = 100;

/// Reads the whole of `file`, which may be compressed with gzip or zstd. A byte-order mark is removed, and takes
/// precedence over the encoding in `options`.
pub(super) fn read_text(path: &Path, file: File, length: u64, options: &ReadOptions) -> Result<String> {
    let encoding = named_encoding(options)?;
    let bytes = inflated(path, all_of(path, file, length)?, options.max_unpacked_bytes)?;
    decoded(path, bytes, encoding, &options.progress)
}

/// The encoding in `options`, if one was named.
pub(super) fn named_encoding(options: &ReadOptions) -> Result<Option<&'static Encoding>> {
    let named = |name: &str| Encoding::for_label(name.trim().as_bytes()).ok_or_else(|| unknown_encoding(name));
    options.encoding.as_deref().map(named).transpose()
}

fn unknown_encoding(name: &str) -> Error {
    Error::invalid_parameter(Stage::Input, "encoding", name, "a WHATWG encoding label")
        .with_hint("For example utf-8, utf-16le, windows-1252, iso-8859-2, koi8-r, shift_jis, gb18030 or big5.")
}

/// The content of `file`, of `length` bytes when it was opened. A file truncated by another program in the meantime
/// would silently lose its last rows.
fn all_of(path: &Path, mut file: File, length: u64) -> Result<Vec<u8>> {
    let unreadable = || Error::new(ErrorKind::Io, Stage::Input, "cannot read the file").with_path(path);
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(|error| unreadable().with_cause(error))?;
    match (bytes.len() as u64) < length {
        false => Ok(bytes),
        true => Err(error(path, "the file was truncated while being read").with_hint("Try again when it is complete.")),
    }
}

/// The content of a possibly compressed file, with an uncompressed size of at most `most` bytes.
fn inflated(path: &Path, bytes: Vec<u8>, most: Option<u64>) -> Result<Vec<u8>> {
    let most = most.unwrap_or_else(|| most_unpacked(bytes.len() as u64));
    match packing_of(path, &bytes)? {
        Packing::Gzip => inflate(path, MultiGzDecoder::new(bytes.as_slice()), bytes.len(), most),
        Packing::Zstd => match zstd::Decoder::with_buffer(bytes.as_slice()) {
            Ok(decoder) => inflate(path, decoder, bytes.len(), most),
            Err(cause) => Err(error(path, "cannot read the compressed file").with_cause(cause)),
        },
        Packing::None => Ok(bytes),
    }
}

/// How the text of a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    None,
    Gzip,
    Zstd,
}

/// The default maximum of the uncompressed size of a file of `length` bytes.
pub(super) fn most_unpacked(length: u64) -> u64 {
    INFLATED.max(INFLATES.saturating_mul(length))
}

/// How a file is compressed, by its first and last bytes, which `bytes` has; an error if it is not text.
pub(super) fn packing_of(path: &Path, bytes: &[u8]) -> Result<Packing> {
    let is = |kind: &str| Err(error(path, format!("this is {kind}, not text")));
    match bytes {
        [0x1f, 0x8b, ..] => Ok(Packing::Gzip),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Ok(Packing::Zstd),
        [b'P', b'K', 3, 4, ..] => is("a ZIP archive or a spreadsheet format")
            .map_err(|error| error.with_hint("Unpack it, or save the spreadsheet as CSV.")),
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, ..] => is("compressed with bzip2").map_err(unpack),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => is("compressed with xz").map_err(unpack),
        [0xd0, 0xcf, 0x11, 0xe0, ..] => {
            is("an old Excel or Word file").map_err(|error| error.with_hint("Save the spreadsheet as CSV."))
        }
        // A CSV may have a column called PAR1.
        [b'P', b'A', b'R', b'1', .., b'P', b'A', b'R', b'1'] => {
            is("Parquet").map_err(|error| error.with_hint("Rename it to end in .parquet."))
        }
        [b'A', b'R', b'R', b'O', b'W', b'1', 0, 0, .., b'A', b'R', b'R', b'O', b'W', b'1'] => {
            is("Arrow").map_err(|error| error.with_hint("Rename it to end in .arrow."))
        }
        _ => Ok(Packing::None),
    }
}

fn unpack(error: Error) -> Error {
    error.with_hint("Unpack it first; only gzip and zstd are read directly.")
}

fn inflate(path: &Path, decoder: impl Read, size: usize, most: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match decoder.take(most + 1).read_to_end(&mut bytes) {
        Ok(length) if length as u64 > most => {
            Err(error(path, format!("the compressed file of {size} bytes unpacks to more than {most} bytes"))
                .with_hint(unpacked_hint()))
        }
        Ok(_) if bytes.starts_with(&[0x1f, 0x8b]) => {
            Err(error(path, "the file is compressed twice").with_hint("Unpack it once."))
        }
        Ok(_) => Ok(bytes),
        Err(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => {
            Err(error(path, "the compressed file is truncated"))
        }
        Err(_) => Err(error(path, format!("the compressed file is corrupt after {} bytes of text", bytes.len()))),
    }
}

fn decoded(path: &Path, mut bytes: Vec<u8>, named: Option<&'static Encoding>, progress: &Progress) -> Result<String> {
    if bytes.starts_with(&[0xff, 0xfe, 0, 0]) || bytes.starts_with(&[0, 0, 0xfe, 0xff]) {
        return Err(error(path, "the file is UTF-32 text").with_hint("Convert it to UTF-8, for example with iconv."));
    }
    let (encoding, mark) = match Encoding::for_bom(&bytes) {
        Some(marked) => marked,
        None => (named.unwrap_or(UTF_8), 0),
    };
    if named.is_none()
        && mark == 0
        && let Some(text) = unmarked_utf_16(path, &bytes, progress)
    {
        return Ok(text);
    }
    match encoding == UTF_8 {
        true => {
            bytes.drain(..mark);
            String::from_utf8(bytes).map_err(|cause| not_utf_8(path, &cause))
        }
        false => transcoded(path, bytes.get(mark..).unwrap_or_default(), encoding),
    }
}

/// The text of a file without a byte-order mark that is UTF-16, judging by its null bytes.
fn unmarked_utf_16(path: &Path, bytes: &[u8], progress: &Progress) -> Option<String> {
    let encoding = utf_16_by_its_nulls(bytes)?;
    let text = match could_be_ours(bytes, encoding) {
        true => None,
        false => transcoded(path, bytes, encoding).ok().filter(|text| is_plausible(text)),
    };
    let (path, name) = (path.display(), encoding.name());
    match text.is_some() {
        true => progress.note(Stage::Input, format!("{path} has no byte-order mark and is read as {name}")),
        false => progress.note_with_hint(
            Stage::Input,
            format!("{path} has a NUL at every second byte and is read as UTF-8"),
            encoding_hint(),
        ),
    }
    text
}

/// In most languages that UTF-16 is used for, most letters have a null as one of their two bytes.
pub(super) fn utf_16_by_its_nulls(bytes: &[u8]) -> Option<&'static Encoding> {
    /// With fewer characters, detection is unreliable.
    const LEAST: usize = 4;
    let sample = bytes.get(..bytes.len().min(1024)).unwrap_or_default();
    let nulls = |first: usize| sample.iter().skip(first).step_by(2).filter(|&&byte| byte == 0).count();
    let half = sample.len() / 2;
    // Few characters have a null as their other byte, such as U+4E00.
    let is_most = |nulls: usize, others: usize| half >= LEAST && nulls * 2 > half && others * 8 <= nulls;
    match (nulls(0), nulls(1)) {
        (even, odd) if is_most(odd, even) => Some(UTF_16LE),
        (even, odd) if is_most(even, odd) => Some(UTF_16BE),
        _ => None,
    }
}

/// UTF-8 text may have a NUL at every second byte, too. None of the files that we write begin with a control character,
/// and all end with a one-byte line break.
fn could_be_ours(bytes: &[u8], guess: &'static Encoding) -> bool {
    let begins_and_ends = match guess == UTF_16LE {
        true => bytes.last() == Some(&b'\n'),
        false => bytes.first().is_some_and(|&byte| byte >= b' '),
    };
    begins_and_ends && std::str::from_utf8(bytes).is_ok()
}

/// Whether a decoded text contains the delimiters of a table.
fn is_plausible(text: &str) -> bool {
    text.contains(['\n', '\r', ',', ';', '\t', '|', '{']) && !text.contains('\0')
}

fn not_utf_8(path: &Path, cause: &std::string::FromUtf8Error) -> Error {
    let at = cause.utf8_error().valid_up_to();
    let byte = cause.as_bytes().get(at).copied().unwrap_or_default();
    let line = line_at(cause.as_bytes(), at, line_end_of(cause.as_bytes()));
    error(path, format!("the file is not UTF-8 text: line {line} contains the byte 0x{byte:02X}"))
        .with_hint(encoding_hint())
}

fn transcoded(path: &Path, bytes: &[u8], encoding: &'static Encoding) -> Result<String> {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut text = String::new();
    let length = decoder.max_utf8_buffer_length_without_replacement(bytes.len()).unwrap_or(usize::MAX);
    text.try_reserve(length).map_err(|cause| error(path, "not enough memory for the file").with_cause(cause))?;
    match decoder.decode_to_string_without_replacement(bytes, &mut text, true).0 {
        DecoderResult::InputEmpty => Ok(text),
        DecoderResult::OutputFull | DecoderResult::Malformed(..) => {
            let line = line_at(text.as_bytes(), text.len(), line_end_of(text.as_bytes()));
            let message = format!("line {line} is not valid {}", encoding.name());
            Err(error(path, message).with_hint(encoding_hint()))
        }
    }
}

/// The line number of the byte `at`, starting at 1, in a text whose lines end with `line_end` (LF also for CR LF).
pub(super) fn line_at(text: &[u8], at: usize, line_end: u8) -> usize {
    1 + memchr::memchr_iter(line_end, text.get(..at).unwrap_or(text)).count()
}

/// The last byte of the line terminator of `text`: that of the first line break outside of quotes.
pub(super) fn line_end_of(text: &[u8]) -> u8 {
    let end_at = |at: usize| match text.get(at..at + 2) {
        Some([b'\r', b'\n']) => b'\n',
        _ => text.get(at).copied().unwrap_or(b'\n'),
    };
    let mut in_quotes = false;
    for at in memchr::memchr3_iter(b'"', b'\n', b'\r', text) {
        match text.get(at) {
            Some(b'"') => in_quotes = !in_quotes,
            _ if !in_quotes => return end_at(at),
            _ => {}
        }
    }
    memchr::memchr2(b'\n', b'\r', text).map_or(b'\n', end_at)
}

/// An error in the content of a file.
pub(super) fn error(path: &Path, message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidData, Stage::Input, message).with_path(path)
}
