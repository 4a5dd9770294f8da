//! Reading a Parquet file one row group at a time.
//!
//! A row group is read into memory as a Parquet file of its own: its pages, and a footer that has only this group, with
//! the positions of its pages moved. So it passes the same checks as a whole file, and the file is not memory-mapped.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use polars::prelude::*;

use super::foreign::Cause;
use super::nesting::damaged;
use super::options::ReadOptions;
use super::parquet::{PARQUET, read_parquet_bytes};
use super::regular::open_regular;
use super::thrift::{Copied, Thrift};
use crate::error::{Error, Result};

/// The mark at the beginning and the end of a file.
const MARK: &[u8; 4] = b"PAR1";

/// Where things are in a footer.
struct Places {
    /// The number of rows of the file.
    rows: Range<usize>,
    /// The list of row groups, with its header.
    list: Range<usize>,
    /// Each row group, and its number of rows.
    groups: Vec<(Range<usize>, i64)>,
}

/// A Parquet file, of which one row group is in memory.
pub(super) struct ParquetGroups {
    path: PathBuf,
    file: File,
    length: u64,
    most: Option<u64>,
    footer: Vec<u8>,
    places: Places,
    next: usize,
}

impl ParquetGroups {
    pub(super) fn open(path: &Path, options: &ReadOptions) -> Result<Self> {
        options.check(path, super::format::Format::Parquet)?;
        let (mut file, length) = open_regular(path)?;
        let broken = |cause: &str| damaged(path, PARQUET, Cause::new(cause));
        let incomplete = || broken("it does not end like a Parquet file; the copy or download may be incomplete");
        let end = length.checked_sub(8).ok_or_else(incomplete)?;
        let tail = bytes_at(&mut file, end, 8).map_err(|error| broken(&error.to_string()))?;
        let size = tail.first_chunk::<4>().map(|size| u64::from(u32::from_le_bytes(*size)));
        let start = size.filter(|_| tail.ends_with(MARK)).and_then(|size| end.checked_sub(size));
        let start = start.ok_or_else(incomplete)?;
        let footer = bytes_at(&mut file, start, end - start).map_err(|error| broken(&error.to_string()))?;
        let inconsistent = || broken("its footer is inconsistent");
        let places = Places::of(&footer).ok_or_else(inconsistent)?;
        let (path, most) = (path.to_path_buf(), options.max_unpacked_bytes);
        Ok(ParquetGroups { path, file, length, most, footer, places, next: 0 })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The number of rows, as the footer claims.
    pub(super) fn rows(&self) -> usize {
        let rows = self.places.groups.iter().map(|(_, rows)| usize::try_from(*rows).unwrap_or(0));
        rows.fold(0, usize::saturating_add)
    }

    /// The next row group; `None` at the end. A file without row groups has one without rows.
    pub(super) fn next(&mut self) -> Result<Option<DataFrame>> {
        let is_empty = self.places.groups.is_empty() && self.next == 0;
        if self.next >= self.places.groups.len() && !is_empty {
            return Ok(None);
        }
        let bytes = self.as_file(self.next)?;
        self.next += 1;
        read_parquet_bytes(bytes, &self.path, self.most).map(Some)
    }

    /// A file that has only the row group `number`.
    fn as_file(&mut self, number: usize) -> Result<Vec<u8>> {
        let path = self.path.clone();
        let broken = |cause: &str| damaged(&path, PARQUET, Cause::new(cause));
        let inconsistent = || broken("its footer is inconsistent");
        let mut bytes = MARK.to_vec();
        let (mut group, mut rows) = (Vec::new(), 0);
        if let Some((range, claimed)) = self.places.groups.get(number) {
            rows = *claimed;
            let copied = self.footer.get(range.clone()).and_then(Copied::of).ok_or_else(inconsistent)?;
            let pages = pages_of(&copied).ok_or_else(inconsistent)?;
            if pages.end > self.length {
                return Err(broken("one of its pages is inconsistent"));
            }
            let read = bytes_at(&mut self.file, pages.start, pages.end - pages.start);
            bytes.extend(read.map_err(|error: io::Error| -> Error { broken(&error.to_string()) })?);
            let by = (MARK.len() as u64).wrapping_sub(pages.start) as i64;
            moved(copied, by).write(&mut group);
        }
        let start = bytes.len();
        let part = |from: usize, to: usize| self.footer.get(from..to).unwrap_or_default();
        bytes.extend_from_slice(part(0, self.places.rows.start));
        Copied::Int(6, rows).write(&mut bytes);
        bytes.extend_from_slice(part(self.places.rows.end, self.places.list.start));
        // A list of structs (12), of one or none.
        bytes.push(if group.is_empty() { 0x0c } else { 0x1c });
        bytes.extend_from_slice(&group);
        bytes.extend_from_slice(part(self.places.list.end, self.footer.len()));
        let size = u32::try_from(bytes.len() - start).map_err(|_| inconsistent())?;
        bytes.extend_from_slice(&size.to_le_bytes());
        bytes.extend_from_slice(MARK);
        Ok(bytes)
    }
}

fn bytes_at(file: &mut File, start: u64, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(usize::try_from(length).unwrap_or(usize::MAX))?;
    file.seek(SeekFrom::Start(start))?;
    file.by_ref().take(length).read_to_end(&mut bytes)?;
    match bytes.len() as u64 == length {
        true => Ok(bytes),
        false => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it was truncated while being read")),
    }
}

impl Places {
    fn of(footer: &[u8]) -> Option<Self> {
        let (mut all, mut list, mut groups) = (None, None, Vec::new());
        let at = |thrift: &Thrift<'_>| footer.len() - thrift.rest().len();
        Thrift::new(footer).fields(|thrift, id| {
            let start = at(thrift);
            let place = match id {
                3 => {
                    thrift.int()?;
                    &mut all
                }
                4 => {
                    thrift.list(|thrift| {
                        groups.push(group(thrift, footer.len())?);
                        Some(())
                    })?;
                    &mut list
                }
                _ => return Some(false),
            };
            // Two of them would be ambiguous.
            place.replace(start..at(thrift)).is_none().then_some(true)
        })?;
        let (rows, list) = (all?, list?);
        (rows.end <= list.start).then_some(Places { rows, list, groups })
    }
}

/// Where a row group is in a footer of `length` bytes, and its number of rows.
fn group(thrift: &mut Thrift<'_>, length: usize) -> Option<(Range<usize>, i64)> {
    let (start, mut rows) = (length - thrift.rest().len(), 0);
    thrift.fields(|thrift, id| {
        if id == 3 {
            rows = thrift.int()?;
        }
        Some(id == 3)
    })?;
    Some((start..length - thrift.rest().len(), rows))
}

/// Where the pages of a row group are in the file.
fn pages_of(group: &Copied) -> Option<Range<u64>> {
    let (mut start, mut end) = (u64::MAX, 0);
    for chunk in group.field(1)?.list()? {
        let metadata = chunk.field(3)?;
        let data = u64::try_from(metadata.field(9)?.int()?).ok()?;
        // Some writers state 0 if there is no dictionary.
        let dictionary = metadata.field(11).and_then(Copied::int).and_then(|at| u64::try_from(at).ok());
        let first = dictionary.filter(|&at| at > 0).map_or(data, |at| at.min(data));
        let length = u64::try_from(metadata.field(7)?.int()?).ok()?;
        start = start.min(first);
        end = end.max(first.checked_add(length)?);
    }
    Some(if start == u64::MAX { 0..0 } else { start..end })
}

/// The row group with all positions in the file changed by `by`; indexes of pages and bloom filters, which are elsewhere
/// in the file, are left out.
fn moved(mut group: Copied, by: i64) -> Copied {
    let shift = |value: &mut Copied, id: i16| {
        if let Some(at) = value.field_mut(id).and_then(Copied::int_mut) {
            *at = if id == 11 && *at <= 0 { *at } else { at.wrapping_add(by) };
        }
    };
    shift(&mut group, 5);
    for chunk in group.field_mut(1).and_then(Copied::list_mut).into_iter().flatten() {
        shift(chunk, 2);
        // Offset index, column index.
        chunk.remove(&[4, 5, 6, 7]);
        if let Some(metadata) = chunk.field_mut(3) {
            for id in [9, 10, 11] {
                shift(metadata, id);
            }
            // Bloom filter.
            metadata.remove(&[14, 15]);
        }
    }
    group
}
