//! Image columns: where the picture of each row is, in what the user's column holds.

use std::path::{Component, Path, PathBuf};

use polars::prelude::*;

use super::{find, typed_nulls, wrong_type};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::vision::ImageSource;

/// An image column, nullable: String paths, Binary encoded images, or `Struct{bytes, path}` as Hugging Face has it.
#[derive(Debug, Clone)]
pub struct ImageColumn {
    name: String,
    base: PathBuf,
    paths: Option<StringChunked>,
    bytes: Option<BinaryChunked>,
}

impl ImageColumn {
    /// Reads the column `name` of `frame`; relative paths start at `base`.
    pub fn read(frame: &DataFrame, name: &str, base: &Path) -> Result<Self> {
        let column = &typed_nulls(find(frame, name)?)?;
        let (paths, bytes) = match column.dtype() {
            DataType::String => (column.str().ok().cloned(), None),
            DataType::Binary => (None, column.binary().ok().cloned()),
            DataType::Struct(_) => read_image_struct(column)?,
            _ => return Err(image_type_error(column)),
        };
        Ok(ImageColumn {
            name: name.to_owned(),
            base: base.to_path_buf(),
            paths: paths.map(|paths| paths.rechunk().into_owned()),
            bytes: bytes.map(|bytes| bytes.rechunk().into_owned()),
        })
    }

    /// The column's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        let paths = self.paths.as_ref().map(StringChunked::len);
        paths.or(self.bytes.as_ref().map(BinaryChunked::len)).unwrap_or(0)
    }

    /// Whether the column has no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether `row` has an image.
    pub fn has(&self, row: usize) -> bool {
        self.bytes(row).is_some() || self.path(row).is_some()
    }

    /// The path of `row` as the frame has it; `None` where there is none, or nothing but whitespace.
    pub fn path(&self, row: usize) -> Option<&str> {
        let paths = self.paths.as_ref().filter(|paths| row < paths.len())?;
        paths.get(row).filter(|path| !path.trim().is_empty())
    }

    /// The encoded image of `row`; `None` where there is none, or no byte of it.
    pub fn bytes(&self, row: usize) -> Option<&[u8]> {
        let bytes = self.bytes.as_ref().filter(|bytes| row < bytes.len())?;
        bytes.get(row).filter(|bytes| !bytes.is_empty())
    }

    /// Whether the images can be found at all: looks for up to 100 of the files, spread over the column.
    ///
    /// # Errors
    /// None of those files exists; a wrong image folder is better told before the slow steps than after them.
    pub fn check_reachable(&self) -> Result<()> {
        let named: Vec<usize> =
            (0..self.len()).filter(|&row| self.bytes(row).is_none() && self.path(row).is_some()).collect();
        let mut first = None;
        for &row in named.iter().step_by(named.len().div_ceil(100).max(1)) {
            match self.get(row) {
                Ok(Some(ImageSource::File(file))) if !file.exists() => first = first.or(Some((row, file))),
                _ => return Ok(()),
            }
        }
        let Some((row, file)) = first else { return Ok(()) };
        Err(Error::new(ErrorKind::Image, Stage::Input, "none of the image files that were looked for exists")
            .column(&self.name)
            .row(row)
            .path(file)
            .hint("Set the image folder, where relative paths start: image_folder(..), or --image-folder."))
    }

    /// The image of `row`: its bytes if the frame holds them, else its file. `None` where the row has no image.
    ///
    /// # Errors
    /// A relative path that climbs out of the base folder: a frame from elsewhere must not reach other files.
    pub fn get(&self, row: usize) -> Result<Option<ImageSource<'_>>> {
        if let Some(bytes) = self.bytes(row) {
            return Ok(Some(ImageSource::Encoded { bytes, name: self.path(row) }));
        }
        let Some(path) = self.path(row) else { return Ok(None) };
        if leaves_its_folder(Path::new(path)) {
            return Err(Error::new(ErrorKind::Image, Stage::Input, "the path leaves the folder of the images")
                .column(&self.name)
                .row(row)
                .path(path)
                .hint("Set the image folder to one that holds all images, or use absolute paths."));
        }
        Ok(Some(ImageSource::File(self.base.join(path))))
    }
}

/// Whether a relative path climbs above the folder it starts in, anywhere on its way.
pub(crate) fn leaves_its_folder(path: &Path) -> bool {
    if path.is_absolute() {
        return false;
    }
    let mut depth = 0_i64;
    path.components().any(|component| {
        match component {
            Component::ParentDir => depth -= 1,
            Component::Normal(_) => depth += 1,
            _ => {}
        }
        depth < 0
    })
}

type ImageParts = (Option<StringChunked>, Option<BinaryChunked>);

fn read_image_struct(column: &Column) -> Result<ImageParts> {
    let fields = column.struct_().map_err(|_| image_type_error(column))?.fields_as_series();
    let field = |name: &str| fields.iter().find(|field| field.name() == name);
    // A field that is null in every row may come as dtype Null: there is nothing to read in it.
    let bytes = field("bytes").filter(|field| field.dtype() != &DataType::Null);
    let path = field("path").filter(|field| field.dtype() != &DataType::Null);
    let bytes = bytes.map(|field| field.binary().cloned()).transpose().map_err(|_| image_type_error(column))?;
    let path = path.map(|field| field.str().cloned()).transpose().map_err(|_| image_type_error(column))?;
    if bytes.is_none() && path.is_none() {
        return Err(image_type_error(column));
    }
    Ok((path, bytes))
}

fn image_type_error(column: &Column) -> Error {
    wrong_type(column, "an image column must be String (paths), Binary (encoded images) or Struct{bytes, path}")
        .hint("Name the column that holds the images.")
}
