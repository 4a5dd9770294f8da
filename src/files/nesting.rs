//! Limits on the nesting depth of columns in Parquet and Arrow files: their readers are recursive, and their time and
//! memory are quadratic in the depth.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use polars_arrow::io::ipc::format::ipc::{FieldRef, SchemaRef, TypeRef};

use super::foreign::Cause;
use super::options::unpacked_hint;
use crate::error::{Error, ErrorKind, Stage};

/// The maximum nesting depth of lists and structs.
pub(super) const MAX_DEPTH: usize = 32;

/// Why a schema is rejected.
pub(super) enum Refused {
    /// A column that is nested deeper than [`MAX_DEPTH`], and a lower bound on its depth.
    Deep { column: String, depth: usize },
    /// A column of an unsupported type.
    Unread { column: String, what: &'static str },
    /// A duplicate column name.
    Twice { column: String },
    /// An inconsistent schema.
    Damaged,
}

impl Refused {
    /// The error for the file `path`, which should be of the kind `what`.
    pub(super) fn error(self, path: &Path, what: &str) -> Error {
        let error = |message: String| Error::new(ErrorKind::InvalidData, Stage::Input, message).with_path(path);
        match self {
            Refused::Deep { column, depth } => {
                error(format!("the column is nested {depth} levels deep; at most {MAX_DEPTH} are supported"))
                    .with_column(column)
                    .with_hint("Rewrite the file without this column, or with its values as JSON text.")
            }
            Refused::Unread { column, what } => error(format!("the column contains {what}, which are not supported"))
                .with_column(column)
                .with_hint("Rewrite the file without this column, or with its values as text."),
            Refused::Twice { column } => {
                error("duplicate column name".to_owned()).with_column(column).with_hint("Rename one of the columns.")
            }
            Refused::Damaged => damaged(path, what, Cause::new("its schema is inconsistent")),
        }
    }
}

/// The error for a file that does not match its extension.
pub(super) fn damaged(path: &Path, what: &str, cause: Cause) -> Error {
    if cause.is_over_a_limit {
        return Error::new(ErrorKind::InvalidData, Stage::Input, "the compression ratio of the file is too high")
            .with_path(path)
            .with_hint(unpacked_hint())
            .with_cause(cause);
    }
    let is_what = |found: &str| ["Parquet", "Arrow"].iter().any(|kind| found.contains(kind) && what.contains(kind));
    let hint = match kind_of_content(path).filter(|found| !is_what(found)) {
        Some(found) => format!("It is {found}, not {what}."),
        None => format!("Check that the content is complete and is {what}."),
    };
    Error::new(ErrorKind::Io, Stage::Input, "cannot read the file in the format given by its extension")
        .with_path(path)
        .with_hint(hint)
        .with_cause(cause)
}

/// The format indicated by the first bytes of a file that is in none of the binary formats.
fn kind_of_content(path: &Path) -> Option<&'static str> {
    let mut start = Vec::new();
    File::open(path).ok()?.take(512).read_to_end(&mut start).ok()?;
    let text = match std::str::from_utf8(&start) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => std::str::from_utf8(start.get(..error.valid_up_to())?).ok()?,
        Err(_) => "",
    };
    let is_text = !text.is_empty() && !text.chars().any(|c| c.is_control() && !c.is_whitespace());
    match start.as_slice() {
        [] => None,
        _ if text.starts_with("version https://git-lfs") => {
            Some("a Git LFS pointer (`git lfs pull` downloads the file itself)")
        }
        [b'<', ..] if is_text => Some("HTML or XML"),
        [b'P', b'A', b'R', b'1', ..] => Some("a Parquet file"),
        [b'A', b'R', b'R', b'O', b'W', b'1', ..] => Some("an Arrow file"),
        [0x1f, 0x8b, ..] => Some("compressed with gzip"),
        [b'P', b'K', 3, 4, ..] => Some("a ZIP archive or a spreadsheet"),
        _ if is_text => Some("text"),
        _ => None,
    }
}

/// Checks that no name occurs twice.
pub(super) fn check_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<(), Refused> {
    let mut seen = BTreeSet::new();
    match names.into_iter().find(|name| !seen.insert(*name)) {
        Some(name) => Err(Refused::Twice { column: name.to_owned() }),
        None => Ok(()),
    }
}

/// A column of an Arrow schema.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) name: String,
    /// The maximum number of values per row due to fixed-width arrays.
    pub(super) width: u64,
    /// Whether it contains a list, in which case a row may have any number of such arrays.
    pub(super) is_list: bool,
}

/// Checks a schema of `length` bytes.
pub(super) fn check_arrow_schema(schema: SchemaRef<'_>, length: usize) -> Result<Vec<Shape>, Refused> {
    let fields = schema.fields().map_err(|_| Refused::Damaged)?.ok_or(Refused::Damaged)?;
    // Fields may share the tables of their children, so that a few bytes can represent any number of fields.
    let mut walk = Walk { left: length / 4 };
    let mut shapes = Vec::new();
    for field in fields.iter() {
        let field = field.map_err(|_| Refused::Damaged)?;
        let name = field.name().ok().flatten().ok_or(Refused::Damaged)?.to_owned();
        let mut shape = Shape { name, width: 1, is_list: false };
        walk.visit(field, &mut shape, 1, 0)?;
        shapes.push(shape);
    }
    check_names(shapes.iter().map(|shape| shape.name.as_str()))?;
    Ok(shapes)
}

struct Walk {
    left: usize,
}

impl Walk {
    fn visit(&mut self, field: FieldRef<'_>, column: &mut Shape, width: u64, depth: usize) -> Result<(), Refused> {
        self.left = self.left.checked_sub(1).ok_or(Refused::Damaged)?;
        let width = match field.type_() {
            Ok(Some(TypeRef::FixedSizeList(list))) => {
                let size = list.list_size().map_err(|_| Refused::Damaged)?;
                width.saturating_mul(u64::try_from(size).map_err(|_| Refused::Damaged)?)
            }
            Ok(Some(TypeRef::FixedSizeBinary(bytes))) => {
                let size = bytes.byte_width().map_err(|_| Refused::Damaged)?;
                width.saturating_mul(u64::try_from(size).map_err(|_| Refused::Damaged)?.div_ceil(16))
            }
            Ok(Some(TypeRef::List(_) | TypeRef::LargeList(_) | TypeRef::Map(_))) => {
                column.is_list = true;
                width
            }
            Ok(Some(type_)) => {
                if let Some(what) = unread(type_) {
                    return Err(Refused::Unread { column: column.name.clone(), what });
                }
                width
            }
            _ => return Err(Refused::Damaged),
        };
        column.width = column.width.max(width);
        let Some(children) = field.children().map_err(|_| Refused::Damaged)? else { return Ok(()) };
        if depth == MAX_DEPTH && !children.is_empty() {
            return Err(Refused::Deep { column: column.name.clone(), depth: depth_of(field, depth, self.left) });
        }
        for child in children.iter() {
            self.visit(child.map_err(|_| Refused::Damaged)?, column, width, depth + 1)?;
        }
        Ok(())
    }
}

/// A description of types that Polars does not support.
fn unread(type_: TypeRef<'_>) -> Option<&'static str> {
    match type_ {
        TypeRef::Union(_) => Some("values of several types (Union)"),
        TypeRef::RunEndEncoded(_) => Some("run-end encoded values"),
        TypeRef::ListView(_) | TypeRef::LargeListView(_) => Some("list views"),
        TypeRef::Interval(_) => Some("calendar intervals"),
        TypeRef::Decimal(decimal) if decimal.bit_width().is_ok_and(|bits| bits > 128) => Some("256-bit decimals"),
        _ => None,
    }
}

/// The nesting depth of a field, following first children only.
fn depth_of(mut field: FieldRef<'_>, mut depth: usize, most: usize) -> usize {
    for _ in 0..most {
        let first = field.children().ok().flatten().and_then(|children| children.iter().next());
        match first {
            Some(Ok(child)) => (field, depth) = (child, depth + 1),
            _ => break,
        }
    }
    depth
}
