//! Parquet files, read only after checking that their nesting depth and claimed size are within the limits.
//!
//! The reader allocates as much as page headers and the footer claim, and recurses into nested columns, so both are
//! checked first. The file is read into memory, not memory-mapped: if another program truncated a mapped file, the
//! process would crash.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use polars::prelude::*;
use polars_arrow::io::ipc::format::ipc::planus::ReadAsRoot;
use polars_arrow::io::ipc::format::ipc::{MessageHeaderRef, MessageRef};

use super::budget::Budget;
use super::foreign::{Cause, guarded_reader};
use super::nesting::{MAX_DEPTH, Refused, Shape, check_arrow_schema, check_names, damaged};
use super::thrift::Thrift;
use crate::error::Result;

pub(super) const PARQUET: &str = "Parquet";

/// Reads the Parquet file `path`, opened as `file`, of `length` bytes, with an uncompressed size of at most `most`.
pub(super) fn read_parquet(file: File, length: u64, path: &Path, most: Option<u64>) -> Result<DataFrame> {
    let broken = |cause| damaged(path, PARQUET, cause);
    let bytes = read_whole(file, length).map_err(|error| broken(Cause::new(&error.to_string())))?;
    read_parquet_bytes(bytes, path, most)
}

/// Reads `bytes`, the content of the Parquet file `path` or of a part of it.
pub(super) fn read_parquet_bytes(bytes: Vec<u8>, path: &Path, most: Option<u64>) -> Result<DataFrame> {
    check(&bytes, path, most)?;
    guarded_reader(|| ParquetReader::new(Cursor::new(bytes)).finish()).map_err(|cause| damaged(path, PARQUET, cause))
}

fn read_whole(file: File, length: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(usize::try_from(length).unwrap_or(usize::MAX))?;
    file.take(length).read_to_end(&mut bytes)?;
    if bytes.len() as u64 != length {
        return Err(std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "it was truncated while being read"));
    }
    Ok(bytes)
}

fn check(bytes: &[u8], path: &Path, most: Option<u64>) -> Result<()> {
    let broken = |cause: &str| damaged(path, PARQUET, Cause::new(cause));
    let Some(footer) = footer_bytes(bytes) else {
        return Err(broken("it does not end like a Parquet file; the copy or download may be incomplete"));
    };
    let footer = Footer::read(footer).ok_or_else(|| broken("its footer is inconsistent"))?;
    let leaves = footer.leaves().map_err(|refused| refused.error(path, PARQUET))?;
    let shapes = footer.arrow_shapes().map_err(|refused| refused.error(path, PARQUET))?;
    footer
        .check_sizes(bytes, &leaves, &shapes, Budget::of(bytes.len() as u64, most))
        .map_err(|cause| damaged(path, PARQUET, cause))
}

/// The footer precedes its length and the magic number at the end.
fn footer_bytes(bytes: &[u8]) -> Option<&[u8]> {
    let (rest, mark) = bytes.split_last_chunk::<4>()?;
    let (rest, length) = rest.split_last_chunk::<4>()?;
    let start = rest.len().checked_sub(u32::from_le_bytes(*length) as usize)?;
    if mark == b"PAR1" { rest.get(start..) } else { None }
}

/// The parts of the footer that determine sizes and depths.
#[derive(Default)]
struct Footer<'a> {
    /// The schema's tree, depth first.
    schema: Vec<Element<'a>>,
    groups: Vec<Group>,
    arrow_schema: Option<&'a [u8]>,
}

#[derive(Default)]
struct Element<'a> {
    name: &'a [u8],
    children: i64,
    is_repeated: bool,
    physical: i64,
    length: i64,
}

/// A row group.
#[derive(Default)]
struct Group {
    rows: i64,
    chunks: Vec<Chunk>,
}

/// One column in a row group.
#[derive(Default)]
struct Chunk {
    codec: i64,
    values: i64,
    data_page: i64,
    dictionary_page: Option<i64>,
    compressed: i64,
}

/// A leaf column: the top-level column that it is part of, and the number of bytes per value.
struct Leaf<'a> {
    top: &'a [u8],
    bytes: u64,
}

impl<'a> Footer<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut footer = Footer::default();
        Thrift::new(bytes).fields(|thrift, id| {
            match id {
                2 => thrift.list(|thrift| push(&mut footer.schema, Element::read(thrift)))?,
                4 => thrift.list(|thrift| push(&mut footer.groups, Group::read(thrift)))?,
                5 => thrift.list(|thrift| footer.read_key_value(thrift))?,
                _ => return Some(false),
            }
            Some(true)
        })?;
        Some(footer)
    }

    fn read_key_value(&mut self, thrift: &mut Thrift<'a>) -> Option<()> {
        let (mut key, mut value) = (&[][..], None);
        thrift.fields(|thrift, id| {
            match id {
                1 => key = thrift.bytes()?,
                2 => value = Some(thrift.bytes()?),
                _ => return Some(false),
            }
            Some(true)
        })?;
        // If there are several, the reader uses the last.
        if key == b"ARROW:schema" && value.is_some() {
            self.arrow_schema = value;
        }
        Some(())
    }

    /// Walks the schema without recursion. Returns its leaves, after checking their depth and that column names are
    /// distinct.
    fn leaves(&self) -> std::result::Result<Vec<Leaf<'a>>, Refused> {
        let (root, elements) = self.schema.split_first().ok_or(Refused::Damaged)?;
        let (mut leaves, mut tops) = (Vec::new(), Vec::new());
        // The enclosing groups: their number of remaining children, and whether they are repeated.
        let mut above = vec![(root.children, false)];
        let mut depth = 0_usize;
        for element in elements {
            while above.last().is_some_and(|&(left, _)| left <= 0) {
                depth -= usize::from(above.pop().is_some_and(|(_, counts)| counts));
            }
            let Some((left, parent_counts)) = above.last_mut() else { return Err(Refused::Damaged) };
            *left -= 1;
            let parent_counts = *parent_counts;
            if above.len() == 1 {
                tops.push(element.name);
            }
            let top = *tops.last().ok_or(Refused::Damaged)?;
            if element.children < 0 {
                return Err(Refused::Damaged);
            }
            if element.children == 0 {
                leaves.push(Leaf { top, bytes: element.value_bytes() });
                continue;
            }
            // A list is two groups, the second of which is repeated.
            let counts = !(element.is_repeated && parent_counts);
            depth += usize::from(counts);
            above.push((element.children, counts));
            if depth > MAX_DEPTH {
                return Err(Refused::Deep { column: text(top), depth: self.depth_from(element, depth) });
            }
        }
        let names: Vec<String> = tops.iter().map(|name| text(name)).collect();
        check_names(names.iter().map(String::as_str))?;
        Ok(leaves)
    }

    /// The depth of the groups from `element` on, following first children only.
    fn depth_from(&self, element: &Element<'_>, depth: usize) -> usize {
        let after = self.schema.iter().skip_while(|other| !std::ptr::eq(*other, element)).skip(1);
        let mut counted = true;
        let groups = after.take_while(|element| element.children > 0).filter(|element| {
            counted = !(element.is_repeated && counted);
            counted
        });
        depth + groups.count()
    }

    /// The columns of the Arrow schema that writers store in the footer.
    fn arrow_shapes(&self) -> std::result::Result<BTreeMap<Vec<u8>, Shape>, Refused> {
        let Some(encoded) = self.arrow_schema else { return Ok(BTreeMap::new()) };
        let bytes = STANDARD.decode(encoded).map_err(|_| Refused::Damaged)?;
        let message = match bytes.strip_prefix(&[0xff; 4]) {
            Some(rest) => rest.get(4..).ok_or(Refused::Damaged)?,
            None => bytes.as_slice(),
        };
        let header = MessageRef::read_as_root(message).and_then(|message| message.header());
        let Ok(Some(MessageHeaderRef::Schema(schema))) = header else { return Err(Refused::Damaged) };
        let shapes = check_arrow_schema(schema, message.len())?;
        Ok(shapes.into_iter().map(|shape| (shape.name.clone().into_bytes(), shape)).collect())
    }

    /// Adds up the claimed uncompressed sizes of the pages and row groups.
    fn check_sizes(
        &self,
        file: &[u8],
        leaves: &[Leaf<'_>],
        shapes: &BTreeMap<Vec<u8>, Shape>,
        mut budget: Budget,
    ) -> std::result::Result<(), Cause> {
        for group in &self.groups {
            let rows = u64::try_from(group.rows).map_err(|_| Cause::new("it claims a negative number of rows"))?;
            budget.spend_on(rows, 8 * leaves.len().max(shapes.len()).max(1) as u64)?;
            for (chunk, leaf) in group.chunks.iter().zip(leaves) {
                let values = chunk.check_pages(file, &mut budget)?;
                let count = match shapes.get(leaf.top) {
                    Some(shape) if shape.is_list => values.saturating_mul(shape.width),
                    Some(shape) => values.max(rows.saturating_mul(shape.width)),
                    None => values.max(rows),
                };
                budget.spend_on(count, leaf.bytes)?;
            }
        }
        Ok(())
    }
}

impl<'a> Element<'a> {
    fn read(thrift: &mut Thrift<'a>) -> Option<Self> {
        let mut element = Element::default();
        thrift.fields(|thrift, id| {
            match id {
                1 => element.physical = thrift.int()?,
                2 => element.length = thrift.int()?,
                3 => element.is_repeated = thrift.int()? == 2,
                4 => element.name = thrift.bytes()?,
                5 => element.children = thrift.int()?,
                _ => return Some(false),
            }
            Some(true)
        })?;
        Some(element)
    }

    /// The size of a value in memory; the contents of strings and bytes are counted with the pages.
    fn value_bytes(&self) -> u64 {
        const BOOLEAN: i64 = 0;
        const FIXED_LENGTH: i64 = 7;
        match self.physical {
            BOOLEAN => 1,
            1 | 2 | 4 | 5 => 8,
            FIXED_LENGTH => 16 + u64::try_from(self.length).unwrap_or(0),
            _ => 16,
        }
    }
}

impl Group {
    fn read(thrift: &mut Thrift<'_>) -> Option<Self> {
        let mut group = Group::default();
        thrift.fields(|thrift, id| {
            match id {
                1 => thrift.list(|thrift| push(&mut group.chunks, Chunk::read(thrift)))?,
                3 => group.rows = thrift.int()?,
                _ => return Some(false),
            }
            Some(true)
        })?;
        Some(group)
    }
}

impl Chunk {
    fn read(thrift: &mut Thrift<'_>) -> Option<Self> {
        let mut chunk = Chunk::default();
        thrift.fields(|thrift, id| match id {
            3 => chunk.read_metadata(thrift).map(|()| true),
            _ => Some(false),
        })?;
        Some(chunk)
    }

    fn read_metadata(&mut self, thrift: &mut Thrift<'_>) -> Option<()> {
        thrift.fields(|thrift, id| {
            match id {
                4 => self.codec = thrift.int()?,
                5 => self.values = thrift.int()?,
                7 => self.compressed = thrift.int()?,
                9 => self.data_page = thrift.int()?,
                11 => self.dictionary_page = Some(thrift.int()?),
                _ => return Some(false),
            }
            Some(true)
        })
    }

    /// Walks the pages. Returns the number of values that they, or the footer, claim.
    fn check_pages(&self, file: &[u8], budget: &mut Budget) -> std::result::Result<u64, Cause> {
        let broken = || Cause::new("one of its pages is inconsistent");
        let start = usize::try_from(self.dictionary_page.unwrap_or(self.data_page)).map_err(|_| broken())?;
        let length = usize::try_from(self.compressed).map_err(|_| broken())?;
        let end = start.checked_add(length).ok_or_else(broken)?;
        let all = u64::try_from(self.values).map_err(|_| broken())?;
        let mut rest = file.get(start..end).ok_or_else(broken)?;
        let mut values = 0_u64;
        while values < all && !rest.is_empty() {
            let mut thrift = Thrift::new(rest);
            let page = Page::read(&mut thrift).ok_or_else(broken)?;
            let packed = usize::try_from(page.packed).map_err(|_| broken())?;
            // Uncompressed data is read in place.
            let unpacked = if self.codec == 0 { 0 } else { page.unpacked };
            budget.spend_on(u64::try_from(page.entries).map_err(|_| broken())?, 16)?;
            budget.spend(u64::try_from(unpacked).map_err(|_| broken())?)?;
            budget.spend(size_of::<Page>() as u64)?;
            values = values.saturating_add(u64::try_from(page.values).map_err(|_| broken())?);
            rest = thrift.rest().get(packed..).ok_or_else(broken)?;
        }
        Ok(values.max(all))
    }
}

/// A page's header.
#[derive(Default)]
struct Page {
    unpacked: i64,
    packed: i64,
    /// The number of values in a data page.
    values: i64,
    /// The number of entries in a dictionary.
    entries: i64,
}

impl Page {
    fn read(thrift: &mut Thrift<'_>) -> Option<Self> {
        let mut page = Page::default();
        thrift.fields(|thrift, id| {
            match id {
                2 => page.unpacked = thrift.int()?,
                3 => page.packed = thrift.int()?,
                5 | 8 => page.values = first_number(thrift)?,
                7 => page.entries = first_number(thrift)?,
                _ => return Some(false),
            }
            Some(true)
        })?;
        Some(page)
    }
}

fn push<T>(all: &mut Vec<T>, element: Option<T>) -> Option<()> {
    all.push(element?);
    Some(())
}

/// The number at the beginning of every header.
fn first_number(thrift: &mut Thrift<'_>) -> Option<i64> {
    let mut number = 0;
    thrift.fields(|thrift, id| match id {
        1 => {
            number = thrift.int()?;
            Some(true)
        }
        _ => Some(false),
    })?;
    Some(number)
}

fn text(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}
