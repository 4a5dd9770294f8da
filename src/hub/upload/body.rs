//! Bodies of requests, read in pieces while they are sent.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::local::LocalFile;
use crate::error::{Error, Result, Stage};
use crate::hub::meter::Meter;
use crate::progress::Progress;

/// Bytes that are encoded at a time: whole groups of three, which become four characters.
const GROUPS: usize = 3 * (32 << 10);

/// A part of a body.
#[derive(Debug)]
pub(super) enum Piece<'f> {
    Bytes(Vec<u8>),
    /// `length` bytes of a file from `start`.
    Part {
        file: &'f LocalFile,
        start: u64,
        length: u64,
    },
    /// A whole file in Base64.
    Base64(&'f LocalFile),
}

impl Piece<'_> {
    fn length(&self) -> u64 {
        match self {
            Piece::Bytes(bytes) => bytes.len() as u64,
            Piece::Part { length, .. } => *length,
            Piece::Base64(file) => file.size.div_ceil(3) * 4,
        }
    }
}

/// A body, which can be sent any number of times.
#[derive(Debug, Default)]
pub(super) struct Body<'f> {
    pieces: Vec<Piece<'f>>,
}

impl<'f> Body<'f> {
    pub(super) fn json(value: &serde_json::Value) -> Self {
        Body { pieces: vec![Piece::Bytes(value.to_string().into_bytes())] }
    }

    pub(super) fn part(file: &'f LocalFile, start: u64, length: u64) -> Self {
        Body { pieces: vec![Piece::Part { file, start, length }] }
    }

    pub(super) fn push(&mut self, piece: Piece<'f>) {
        self.pieces.push(piece);
    }

    /// Bytes of the body.
    pub(super) fn length(&self) -> u64 {
        self.pieces.iter().map(Piece::length).sum()
    }

    /// Reads the body. `meter` is told how many bytes of files were read, in addition to `before`.
    pub(super) fn reader<'b>(&'b self, progress: &'b Progress, meter: &'b Meter<'b>, before: u64) -> BodyReader<'b> {
        BodyReader { pieces: self.pieces.iter(), current: Current::Nothing, progress, meter, read: before, error: None }
    }
}

/// The piece that is being read.
enum Current<'b> {
    Nothing,
    Bytes(&'b [u8]),
    Part { from: &'b LocalFile, file: File, left: u64 },
    Base64 { from: &'b LocalFile, file: File, left: u64, ready: Vec<u8>, at: usize },
}

pub(super) struct BodyReader<'b> {
    pieces: std::slice::Iter<'b, Piece<'b>>,
    current: Current<'b>,
    progress: &'b Progress,
    meter: &'b Meter<'b>,
    read: u64,
    /// What went wrong on this machine: another attempt does not help.
    error: Option<Error>,
}

impl BodyReader<'_> {
    pub(super) fn take_error(&mut self) -> Option<Error> {
        self.error.take()
    }

    fn next(&mut self) -> Result<bool> {
        let Some(piece) = self.pieces.next() else {
            return Ok(false);
        };
        self.current = match piece {
            Piece::Bytes(bytes) => Current::Bytes(bytes),
            Piece::Part { file: from, start, length } => {
                let mut file = from.open()?;
                file.seek(SeekFrom::Start(*start)).map_err(|cause| from.unreadable(cause))?;
                Current::Part { from, file, left: *length }
            }
            Piece::Base64(from) => {
                Current::Base64 { from, file: from.open()?, left: from.size, ready: Vec::new(), at: 0 }
            }
        };
        Ok(true)
    }

    /// Reads from the current piece; 0 at its end.
    fn read_current(&mut self, buffer: &mut [u8]) -> Result<usize> {
        match &mut self.current {
            Current::Nothing => Ok(0),
            Current::Bytes(bytes) => {
                let (now, later) = bytes.split_at(bytes.len().min(buffer.len()));
                copy(now, buffer);
                *bytes = later;
                Ok(now.len())
            }
            Current::Part { from, file, left } => {
                let read = fill(from, file, left, buffer)?;
                self.read += read as u64;
                self.meter.reach(self.read);
                Ok(read)
            }
            Current::Base64 { from, file, left, ready, at } => {
                if *at == ready.len() {
                    let mut group = vec![0; GROUPS];
                    let mut read = 0;
                    while read < GROUPS && *left > 0 {
                        read += fill(from, file, left, group.get_mut(read..).unwrap_or_default())?;
                    }
                    (*ready, *at) = (STANDARD.encode(group.get(..read).unwrap_or_default()).into_bytes(), 0);
                    self.read += read as u64;
                    self.meter.reach(self.read);
                }
                let now = ready.get(*at..).unwrap_or_default();
                let now = now.get(..now.len().min(buffer.len())).unwrap_or_default();
                copy(now, buffer);
                *at += now.len();
                Ok(now.len())
            }
        }
    }
}

/// Reads up to `left` bytes of a file, which must have as many, and be the same at the end.
fn fill(from: &LocalFile, file: &mut File, left: &mut u64, buffer: &mut [u8]) -> Result<usize> {
    let most = buffer.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
    if most == 0 {
        return Ok(0);
    }
    loop {
        match file.read(buffer.get_mut(..most).unwrap_or_default()) {
            Ok(0) => return Err(from.changed()),
            Ok(read) => {
                *left -= read as u64;
                if *left == 0 {
                    from.check()?;
                }
                return Ok(read);
            }
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) => return Err(from.unreadable(cause)),
        }
    }
}

fn copy(from: &[u8], to: &mut [u8]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
}

impl Read for BodyReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut read = || {
            self.progress.check(Stage::Output)?;
            loop {
                match self.read_current(buffer)? {
                    0 if self.next()? => {}
                    read => return Ok(read),
                }
            }
        };
        let result: Result<usize> = read();
        result.map_err(|error| {
            self.error = Some(error);
            io::Error::other("the body cannot be read")
        })
    }
}
