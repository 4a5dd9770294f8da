//! Image columns: locating the image of each row from the value in the user's column.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use polars::prelude::*;

use super::address::{Unreachable, find_image};
use super::column::{find, wrong_type};
use super::kind;
use crate::error::{Error, ErrorKind, Hint, Result, Stage, quoted};
use crate::progress::Progress;
use crate::vision::{ImageSource, data_uri};

/// A nullable image column: paths (String, Categorical or Enum), encoded images (Binary), or `Struct{bytes, path}` as
/// in Hugging Face datasets.
///
/// Instead of a path, a value may be a `file:` URL or a `data:` URI with an encoded image. Web URLs are not fetched.
///
/// ```
/// use topicframe::corpus::ImageColumn;
/// use topicframe::prelude::*;
/// use topicframe::vision::decode;
///
/// let frame = df!("image" => [Some("a_simple_pig_01.webp"), None])?;
/// let images = ImageColumn::read(&frame, "image", "examples/data/openclipart/images/animals".as_ref())?;
/// assert!(images.has(0) && !images.has(1));
/// if let Some(source) = images.get(0)? {
///     assert!(decode(&source, &Limits::new())?.width() > 0);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct ImageColumn {
    name: String,
    base: PathBuf,
    /// The canonical path of `base`; `None` if the folder does not exist, in which case every file is outside it.
    home: Option<PathBuf>,
    only_in_folder: bool,
    paths: Option<StringChunked>,
    bytes: Option<BinaryChunked>,
}

impl ImageColumn {
    /// Reads the column `name` of `frame`; relative paths are resolved against `base`.
    pub fn read(frame: &DataFrame, name: &str, base: &Path) -> Result<Self> {
        let column = &kind::stored(find(frame, name)?);
        let (paths, bytes) = match column.dtype() {
            DataType::Struct(_) => read_image_struct(column)?,
            _ => read_image_parts(column).ok_or_else(|| image_type_error(column))?,
        };
        Ok(ImageColumn {
            name: name.to_owned(),
            base: base.to_path_buf(),
            home: home_of(base),
            only_in_folder: false,
            paths: paths.map(|paths| paths.rechunk().into_owned()),
            bytes: bytes.map(|bytes| bytes.rechunk().into_owned()),
        })
    }

    /// Rejects images whose files are outside the base folder, through an absolute path or a symbolic link.
    #[must_use]
    pub fn only_in_folder(mut self, only_in_folder: bool) -> Self {
        self.only_in_folder = only_in_folder;
        self
    }

    /// A column of `rows` rows, of which some have a path (ascending by row, or repeated).
    pub(crate) fn of_paths<'a>(
        name: &str,
        base: &Path,
        rows: usize,
        known: impl Iterator<Item = (usize, &'a str)>,
    ) -> Self {
        let known: HashMap<usize, &str> = known.collect();
        let paths: StringChunked = (0..rows).map(|row| known.get(&row).copied()).collect();
        ImageColumn {
            name: name.to_owned(),
            home: home_of(base),
            base: base.to_path_buf(),
            only_in_folder: false,
            paths: Some(paths),
            bytes: None,
        }
    }

    /// The folder that relative paths are resolved against.
    pub(crate) fn base(&self) -> &Path {
        &self.base
    }

    /// Whether images outside this folder are rejected.
    pub(crate) fn is_only_in_folder(&self) -> bool {
        self.only_in_folder
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

    /// The path of `row`, exactly as in the frame; `None` if there is none, or only whitespace.
    pub fn path(&self, row: usize) -> Option<&str> {
        let paths = self.paths.as_ref().filter(|paths| row < paths.len())?;
        paths.get(row).filter(|path| !path.trim().is_empty())
    }

    /// The name of `row`'s image in messages: its path, or the beginning of its `data:` URI.
    pub fn label(&self, row: usize) -> Option<String> {
        let path = self.path(row)?;
        // The name of a file may look like a `data:` URI.
        let is_uri = data_uri::is_data_uri(path) && !matches!(self.source(row), Ok(Some(ImageSource::File(_))));
        Some(if is_uri { data_uri::label(path) } else { path.to_owned() })
    }

    /// The encoded image of `row`; `None` if there is none, or if it is empty.
    pub fn bytes(&self, row: usize) -> Option<&[u8]> {
        let bytes = self.bytes.as_ref().filter(|bytes| row < bytes.len())?;
        bytes.get(row).filter(|bytes| !bytes.is_empty())
    }

    /// Checks that images can be found at all: looks for up to 100 of the files, evenly spaced over the column, and for
    /// all of them if none of those exists.
    ///
    /// # Errors
    /// None of the images exists: the error has the first one, and the reason, so that a wrong image folder is reported
    /// before the slow steps rather than after them. With [`only_in_folder`](Self::only_in_folder), an image folder
    /// that does not exist is also an error.
    pub fn check_reachable(&self) -> Result<()> {
        self.check_home()?;
        let named: Vec<usize> = self.named().collect();
        let Some(&first) = named.first() else { return Ok(()) };
        let exists = |row: &usize| match self.source(*row) {
            Ok(Some(ImageSource::File(file))) => file.exists(),
            Ok(_) => true,
            Err(_) => false,
        };
        let holds_bytes = || (0..self.len()).any(|row| self.bytes(row).is_some());
        let sample = named.iter().step_by(named.len().div_ceil(100).max(1));
        if holds_bytes() || sample.clone().any(exists) || named.iter().any(exists) {
            return Ok(());
        }
        let count = named.len();
        let message = |why: &str| match count {
            1 => format!("the only image in the column cannot be found: {why}"),
            _ => format!("none of the {count} images in the column can be found; the first: {why}"),
        };
        match self.source(first) {
            Err(unreachable) => Err(self.located(unreachable.error_of(message(unreachable.message())), first)),
            Ok(Some(ImageSource::File(file))) => {
                let error = Error::new(ErrorKind::Image, Stage::Input, message("there is no such file"));
                Err(self.located(error, first).with_path(file).with_hint(
                    Hint::new("Set the image folder, which relative paths are resolved against: `.image_folder(..)`.")
                        .on_command_line("Set --image-folder, which relative paths are resolved against."),
                ))
            }
            Ok(_) => Ok(()),
        }
    }

    /// If the image folder does not exist, none of its images can be read; images stored in the table need no folder.
    fn check_home(&self) -> Result<()> {
        if !self.only_in_folder || self.home.is_some() {
            return Ok(());
        }
        let in_a_file = |row: &usize| matches!(self.source(*row), Ok(Some(ImageSource::File(_))));
        let Some(row) = self.named().find(in_a_file) else { return Ok(()) };
        let message = "the image folder does not exist or cannot be opened, and only images inside it may be read";
        let hint = Hint::new(
            "Set the image folder to one that contains all images, `.image_folder(..)`, or remove \
             `.only_in_image_folder(true)`.",
        )
        .on_command_line("Set --image-folder to one that contains all images, or omit --only-in-image-folder.");
        let error = Error::new(ErrorKind::Image, Stage::Input, message).with_hint(hint);
        Err(error.with_column(&self.name).with_row(row).with_path(&self.base))
    }

    /// Reports images that a user may not expect: those outside the image folder, which an untrusted table might bring
    /// into a report; and web URLs, which are not fetched.
    pub(crate) fn report_unexpected(&self, progress: &Progress) {
        let is_web = |row: &usize| matches!(self.source(*row), Err(Unreachable::WebAddress | Unreachable::Store));
        let web: Vec<usize> = self.named().filter(is_web).collect();
        if let Some(&first) = web.first() {
            let message = match web.len() {
                1 => format!("1 image is an address, which is not fetched ({})", self.place(first)),
                count => {
                    format!("{count} images are addresses, which are not fetched (the first: {})", self.place(first))
                }
            };
            progress.note_with_hint(Stage::Input, message, "download the images first, and use their paths");
        }
        let outside = if self.only_in_folder { Vec::new() } else { self.outside() };
        if let Some((row, file)) = outside.first() {
            let (file, count) = (quoted(&file.display().to_string(), LONGEST_PATH), outside.len());
            let message = match count {
                1 => format!("1 image is outside the image folder (row {row}: {file})"),
                _ => format!("{count} images are outside the image folder (the first, in row {row}: {file})"),
            };
            let hint = Hint::new("use `.only_in_image_folder(true)` to reject them")
                .on_command_line("use --only-in-image-folder to reject them");
            progress.note_with_hint(Stage::Input, message, hint);
        }
    }

    fn place(&self, row: usize) -> String {
        format!("row {row}, {}", quoted(self.path(row).unwrap_or_default(), LONGEST_PATH))
    }

    /// The rows whose image is not stored in the frame itself.
    fn named(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.len()).filter(|&row| self.bytes(row).is_none() && self.path(row).is_some())
    }

    /// The rows whose file is outside the image folder, with the file. Each folder is looked up once.
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

    /// The image of `row`: its bytes if the frame contains them, otherwise its file or `data:` URI. `None` if the row
    /// has no image.
    ///
    /// # Errors
    /// A relative path leaves the base folder, since an untrusted frame must not access other files; with
    /// [`only_in_folder`](Self::only_in_folder), any file outside the folder. A web URL, or a Windows path that does
    /// not exist.
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

    /// Whether an existing file or folder is inside the image folder, after resolving all links.
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

/// Paths in notes are truncated to this many characters.
const LONGEST_PATH: usize = 120;

fn home_of(base: &Path) -> Option<PathBuf> {
    fs::canonicalize(if base.as_os_str().is_empty() { Path::new(".") } else { base }).ok()
}

type ImageParts = (Option<StringChunked>, Option<BinaryChunked>);

fn read_image_struct(column: &Column) -> Result<ImageParts> {
    let fields = column.struct_().map_err(|_| image_type_error(column))?.fields_as_series();
    // A field that is null in every row may have dtype Null: there is nothing to read.
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

/// Binary columns contain encoded images; text columns contain paths.
fn read_image_parts(column: &Column) -> Option<ImageParts> {
    match kind::bytes(column) {
        Some(bytes) => Some((None, Some(bytes))),
        None => Some((Some(kind::texts(column)?), None)),
    }
}

fn image_type_error(column: &Column) -> Error {
    wrong_type(column, "an image column must contain paths (strings), encoded images (bytes) or Struct{bytes, path}")
        .with_hint("Specify the column that contains the images.")
}
