//! Image columns: where the picture of each row is, in what the user's column holds.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use polars::prelude::*;

use super::address::{Unreachable, find_image};
use super::{find, kind, wrong_type};
use crate::error::{Error, ErrorKind, Hint, Result, Stage, quoted};
use crate::progress::Progress;
use crate::vision::{ImageSource, data_uri};

/// An image column, nullable: paths (String, categories or an enum), Binary encoded images, or `Struct{bytes, path}` as Hugging Face has it.
///
/// In place of a path there may be a `file:` address or a `data:` URI of an encoded image. Web addresses are not fetched.
#[derive(Debug, Clone)]
pub struct ImageColumn {
    name: String,
    base: PathBuf,
    /// `base` without links; `None` if there is no such folder: then every file lies outside it.
    home: Option<PathBuf>,
    only_in_folder: bool,
    paths: Option<StringChunked>,
    bytes: Option<BinaryChunked>,
}

impl ImageColumn {
    /// Reads the column `name` of `frame`; relative paths start at `base`.
    pub fn read(frame: &DataFrame, name: &str, base: &Path) -> Result<Self> {
        let column = &kind::stored(find(frame, name)?);
        let (paths, bytes) = match column.dtype() {
            DataType::Struct(_) => read_image_struct(column)?,
            _ => read_image_parts(column).ok_or_else(|| image_type_error(column))?,
        };
        Ok(ImageColumn {
            name: name.to_owned(),
            base: base.to_path_buf(),
            home: fs::canonicalize(if base.as_os_str().is_empty() { Path::new(".") } else { base }).ok(),
            only_in_folder: false,
            paths: paths.map(|paths| paths.rechunk().into_owned()),
            bytes: bytes.map(|bytes| bytes.rechunk().into_owned()),
        })
    }

    /// Refuses images whose files lie outside the folder in which relative paths start, by an absolute path or a link.
    #[must_use]
    pub fn only_in_folder(mut self, only_in_folder: bool) -> Self {
        self.only_in_folder = only_in_folder;
        self
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

    /// What `row`'s image is called where it is told of: its path, or how its `data:` URI begins.
    pub fn label(&self, row: usize) -> Option<String> {
        let path = self.path(row)?;
        // A file may have a name that begins as such a URI does.
        let is_uri = data_uri::is_data_uri(path) && !matches!(self.source(row), Ok(Some(ImageSource::File(_))));
        Some(if is_uri { data_uri::label(path) } else { path.to_owned() })
    }

    /// The encoded image of `row`; `None` where there is none, or no byte of it.
    pub fn bytes(&self, row: usize) -> Option<&[u8]> {
        let bytes = self.bytes.as_ref().filter(|bytes| row < bytes.len())?;
        bytes.get(row).filter(|bytes| !bytes.is_empty())
    }

    /// Whether the images can be found at all: looks for up to 100 of the files, spread over the column, and for all of
    /// them where none of those is there.
    ///
    /// # Errors
    /// Not one of the images exists: the first of them, and why; a wrong image folder is better told before the slow
    /// steps than after them. So is one that does not exist, with [`only_in_folder`](Self::only_in_folder).
    pub fn check_reachable(&self) -> Result<()> {
        self.check_home()?;
        let named: Vec<usize> = self.named().collect();
        let Some(&first) = named.first() else { return Ok(()) };
        let is_there = |row: &usize| match self.source(*row) {
            Ok(Some(ImageSource::File(file))) => file.exists(),
            Ok(_) => true,
            Err(_) => false,
        };
        let holds_bytes = || (0..self.len()).any(|row| self.bytes(row).is_some());
        let sample = named.iter().step_by(named.len().div_ceil(100).max(1));
        if holds_bytes() || sample.clone().any(is_there) || named.iter().any(is_there) {
            return Ok(());
        }
        let count = named.len();
        let message = |why: &str| match count {
            1 => format!("the only image that the column names cannot be found: {why}"),
            _ => format!("none of the {count} images that the column names can be found; the first: {why}"),
        };
        match self.source(first) {
            Err(unreachable) => Err(self.located(unreachable.error_of(message(unreachable.message())), first)),
            Ok(Some(ImageSource::File(file))) => {
                let error = Error::new(ErrorKind::Image, Stage::Input, message("there is no such file"));
                Err(self.located(error, first).with_path(file).with_hint(
                    Hint::new("Set the image folder, where relative paths start: `.image_folder(..)`.")
                        .on_command_line("Give the image folder, where relative paths start: --image-folder."),
                ))
            }
            Ok(_) => Ok(()),
        }
    }

    /// Images in a folder that is not there are none; images within the table need no folder.
    fn check_home(&self) -> Result<()> {
        if !self.only_in_folder || self.home.is_some() {
            return Ok(());
        }
        let in_a_file = |row: &usize| matches!(self.source(*row), Ok(Some(ImageSource::File(_))));
        let Some(row) = self.named().find(in_a_file) else { return Ok(()) };
        let message = "the image folder does not exist or cannot be opened, and only images in it may be read";
        let hint = Hint::new("Set the image folder to one that holds all images, `.image_folder(..)`, or leave out `.only_in_image_folder(true)`.")
            .on_command_line("Give --image-folder one that holds all images, or leave out --only-in-image-folder.");
        let error = Error::new(ErrorKind::Image, Stage::Input, message).with_hint(hint);
        Err(error.with_column(&self.name).with_row(row).with_path(&self.base))
    }

    /// Tells of images that a user may not expect: those outside the image folder, which a table from elsewhere might
    /// bring into a page; and web addresses, which are not fetched.
    pub(crate) fn tell_unexpected(&self, progress: &Progress) {
        let is_web = |row: &usize| matches!(self.source(*row), Err(Unreachable::WebAddress | Unreachable::Store));
        let web: Vec<usize> = self.named().filter(is_web).collect();
        if let Some(&first) = web.first() {
            let message = match web.len() {
                1 => format!("1 image is an address, which is not fetched ({})", self.place(first)),
                count => {
                    format!("{count} images are addresses, which are not fetched (the first: {})", self.place(first))
                }
            };
            progress.note_with_hint(Stage::Input, message, "download the pictures first and name their files");
        }
        let outside = if self.only_in_folder { Vec::new() } else { self.outside() };
        if let Some((row, file)) = outside.first() {
            let (file, count) = (quoted(&file.display().to_string(), LONGEST_PATH), outside.len());
            let message = match count {
                1 => format!("1 image lies outside the image folder (row {row}: {file})"),
                _ => format!("{count} images lie outside the image folder (the first, in row {row}: {file})"),
            };
            let hint = Hint::new("`.only_in_image_folder(true)` refuses such images")
                .on_command_line("--only-in-image-folder refuses such images");
            progress.note_with_hint(Stage::Input, message, hint);
        }
    }

    fn place(&self, row: usize) -> String {
        format!("row {row}, {}", quoted(self.path(row).unwrap_or_default(), LONGEST_PATH))
    }

    /// The rows whose image is not in the frame itself.
    fn named(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.len()).filter(|&row| self.bytes(row).is_none() && self.path(row).is_some())
    }

    /// The rows whose file lies outside the image folder, with it. A folder is looked up once.
    fn outside(&self) -> Vec<(usize, PathBuf)> {
        let mut folders: HashMap<PathBuf, bool> = HashMap::new();
        let mut outside = Vec::new();
        for row in self.named() {
            let Ok(Some(ImageSource::File(file))) = self.source(row) else { continue };
            let Ok(metadata) = file.symlink_metadata() else { continue };
            let is_inside = match file.parent().filter(|_| !metadata.is_symlink()) {
                Some(folder) => *folders.entry(folder.to_path_buf()).or_insert_with_key(|folder| {
                    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
                    self.is_inside(folder)
                }),
                None => self.is_inside(&file),
            };
            if !is_inside {
                outside.push((row, file));
            }
        }
        outside
    }

    /// The image of `row`: its bytes if the frame holds them, else its file, or the `data:` URI that it is written in.
    /// `None` where the row has no image.
    ///
    /// # Errors
    /// A relative path that climbs out of the base folder: a frame from elsewhere must not reach other files. With
    /// [`only_in_folder`](Self::only_in_folder) any other file outside it. A web address, or a path of Windows for which
    /// there is no file.
    pub fn get(&self, row: usize) -> Result<Option<ImageSource<'_>>> {
        let source = self.source(row).map_err(|unreachable| self.located(unreachable.error(), row))?;
        if let Some(ImageSource::File(file)) = source.as_ref().filter(|_| self.only_in_folder)
            && file.exists()
            && !self.is_inside(file)
        {
            return Err(self.located(Unreachable::Outside.error(), row));
        }
        Ok(source)
    }

    /// Whether a file or folder that is there lies in the image folder, all links followed.
    fn is_inside(&self, path: &Path) -> bool {
        let home = self.home.as_ref();
        home.is_some_and(|home| fs::canonicalize(path).is_ok_and(|path| path.starts_with(home)))
    }

    fn source(&self, row: usize) -> std::result::Result<Option<ImageSource<'_>>, Unreachable> {
        if let Some(bytes) = self.bytes(row) {
            return Ok(Some(ImageSource::Encoded { bytes, name: self.path(row) }));
        }
        self.path(row).map(|path| find_image(path, &self.base)).transpose()
    }

    fn located(&self, error: Error, row: usize) -> Error {
        let error = error.with_column(&self.name).with_row(row);
        match self.label(row) {
            Some(label) => error.with_path(label),
            None => error,
        }
    }
}

/// Paths in notes are cut to this many characters.
const LONGEST_PATH: usize = 120;

type ImageParts = (Option<StringChunked>, Option<BinaryChunked>);

fn read_image_struct(column: &Column) -> Result<ImageParts> {
    let fields = column.struct_().map_err(|_| image_type_error(column))?.fields_as_series();
    // A field that is null in every row may come as dtype Null: there is nothing to read in it.
    let field = |name: &str| {
        let field = fields.iter().find(|field| field.name() == name)?;
        Some(field.clone().into_column()).filter(|field| field.dtype() != &DataType::Null)
    };
    let wrong = || image_type_error(column);
    let bytes = field("bytes").map(|field| kind::bytes(&field).ok_or_else(wrong)).transpose()?;
    let path = field("path").map(|field| kind::texts(&field).ok_or_else(wrong)).transpose()?;
    if bytes.is_none() && path.is_none() {
        return Err(image_type_error(column));
    }
    Ok((path, bytes))
}

/// A column of bytes is one of encoded images; one of texts holds paths.
fn read_image_parts(column: &Column) -> Option<ImageParts> {
    match kind::bytes(column) {
        Some(bytes) => Some((None, Some(bytes))),
        None => Some((Some(kind::texts(column)?), None)),
    }
}

fn image_type_error(column: &Column) -> Error {
    wrong_type(column, "an image column must hold paths (texts), encoded images (bytes) or Struct{bytes, path}")
        .with_hint("Name the column that holds the images.")
}
