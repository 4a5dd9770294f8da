//! How deep the columns of Parquet and Arrow files may be nested: their readers go down by recursion, and their
//! time and memory grow with the square of the depth.

use std::collections::BTreeSet;
use std::path::Path;

use polars_arrow::io::ipc::format::ipc::{FieldRef, SchemaRef, TypeRef};

use super::foreign::Cause;
use crate::error::{Error, ErrorKind, Stage};

/// The most lists and structs within each other.
pub(super) const DEEPEST: usize = 32;

/// A schema that is not read.
pub(super) enum Refused {
    /// A column that is nested deeper than [`DEEPEST`], and how deep it is at least.
    Deep { column: String, depth: usize },
    /// A name that two columns have.
    Twice { column: String },
    /// One that contradicts itself.
    Damaged,
}

impl Refused {
    /// The error about the file `path`, which should be of the kind `what`.
    pub(super) fn error(self, path: &Path, what: &str) -> Error {
        let error = |message: String| Error::new(ErrorKind::InvalidData, Stage::Input, message).path(path);
        match self {
            Refused::Deep { column, depth } => {
                error(format!("the column is nested {depth} levels deep, and at most {DEEPEST} can be read"))
                    .column(column)
                    .hint("Write the file again without this column, or with its values as JSON text.")
            }
            Refused::Twice { column } => {
                error("two columns have this name".to_owned()).column(column).hint("Give one of them another name.")
            }
            Refused::Damaged => damaged(path, what, Cause::new("its schema contradicts itself")),
        }
    }
}

/// The error about a file that is not what its name says.
pub(super) fn damaged(path: &Path, what: &str, cause: Cause) -> Error {
    Error::new(ErrorKind::Io, Stage::Input, "the file cannot be read as what its name says")
        .path(path)
        .hint(format!("Check that the content is complete and is {what}."))
        .cause(cause)
}

/// The first name that comes twice.
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
    /// How many values a row has at most by its arrays of a fixed width.
    pub(super) width: u64,
    /// Whether there is a list in it: then a row may have any number of such arrays.
    pub(super) is_list: bool,
}

/// Steps through a schema that takes `length` bytes.
pub(super) fn check_arrow_schema(schema: SchemaRef<'_>, length: usize) -> Result<Vec<Shape>, Refused> {
    let fields = schema.fields().map_err(|_| Refused::Damaged)?.ok_or(Refused::Damaged)?;
    // Fields may share the tables of their children, so that few bytes spell out any number of fields.
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
            Ok(Some(_)) => width,
            _ => return Err(Refused::Damaged),
        };
        column.width = column.width.max(width);
        let Some(children) = field.children().map_err(|_| Refused::Damaged)? else { return Ok(()) };
        if depth == DEEPEST && !children.is_empty() {
            return Err(Refused::Deep { column: column.name.clone(), depth: depth_of(field, depth, self.left) });
        }
        for child in children.iter() {
            self.visit(child.map_err(|_| Refused::Damaged)?, column, width, depth + 1)?;
        }
        Ok(())
    }
}

/// How deep a field is nested, by its first children.
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
