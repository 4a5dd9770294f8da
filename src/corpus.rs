//! The only reader of the user's columns: a frame and the roles of its columns in, typed columns out.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use polars::prelude::*;

use crate::error::{Error, ErrorKind, Hint, Result, Stage};
use crate::vision::ImageSource;

mod embeddings;
mod kind;

pub use embeddings::Embeddings;
pub(crate) use kind::in_words;

/// A text column, nullable: String, categories, an enum, or bytes that are UTF-8.
#[derive(Debug, Clone)]
pub struct TextColumn {
    name: String,
    values: StringChunked,
}

impl TextColumn {
    /// Reads the column `name` of `frame`.
    ///
    /// # Errors
    /// A column that is not there, or that holds no texts.
    pub fn read(frame: &DataFrame, name: &str) -> Result<Self> {
        let column = find(frame, name)?;
        let values = kind::texts(column).ok_or_else(|| {
            wrong_type(column, "a text column must hold texts").hint(
                Hint::new("Cast it to String, or name another column.")
                    .on_command_line("Name another column with --text, or store the texts as strings."),
            )
        })?;
        Ok(TextColumn { name: name.to_owned(), values: values.rechunk().into_owned() })
    }

    /// The texts of `rows` rows: those of `texts`, and where a row has none its caption.
    pub(crate) fn with_captions(texts: Option<&TextColumn>, captions: &BTreeMap<usize, String>, rows: usize) -> Self {
        let caption = |row: usize| captions.get(&row).map(String::as_str);
        let text = |row: usize| match texts {
            Some(texts) => texts.get(row).or_else(|| caption(row)).or_else(|| texts.raw(row)),
            None => caption(row),
        };
        let name = texts.map_or("caption", TextColumn::name).to_owned();
        TextColumn { values: (0..rows).map(text).collect::<StringChunked>().with_name(name.as_str().into()), name }
    }

    /// The column's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether the column has no rows.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The text of `row`; `None` where it is null, empty or nothing but whitespace.
    pub fn get(&self, row: usize) -> Option<&str> {
        self.raw(row).filter(|text| !text.trim().is_empty())
    }

    /// The text of `row` as the frame has it.
    pub fn raw(&self, row: usize) -> Option<&str> {
        // Polars panics on a row that is not there.
        if row < self.len() { self.values.get(row) } else { None }
    }

    /// The rows that have a text, in order.
    pub fn rows(&self) -> Vec<usize> {
        (0..self.len()).filter(|&row| self.get(row).is_some()).collect()
    }
}

/// An image column, nullable: paths (String, categories or an enum), Binary encoded images, or `Struct{bytes, path}` as
/// Hugging Face has it.
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
        let column = &kind::stored(find(frame, name)?);
        let (paths, bytes) = match column.dtype() {
            DataType::Struct(_) => read_image_struct(column)?,
            _ => read_image_parts(column).ok_or_else(|| image_type_error(column))?,
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
        .hint("Name the column that holds the images.")
}

/// Finds a column, or says which columns there are.
pub(crate) fn find<'a>(frame: &'a DataFrame, name: &str) -> Result<&'a Column> {
    frame.column(name).map_err(|_| {
        let columns: Vec<String> = frame.get_column_names().iter().map(|column| format!("`{column}`")).collect();
        let hint = match columns.is_empty() {
            true => "The frame has no columns.".to_owned(),
            false => format!("The columns are {}.", columns.join(", ")),
        };
        Error::new(ErrorKind::MissingColumn, Stage::Input, "there is no such column").column(name).hint(hint)
    })
}

fn wrong_type(column: &Column, message: &str) -> Error {
    let message = format!("{message}, and this one holds {}", in_words(column.dtype()));
    Error::new(ErrorKind::WrongType, Stage::Input, message).column(column.name().as_str())
}

pub(crate) fn internal(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::Internal, Stage::Input, "the frame could not be processed").cause(error)
}

/// Which column of the frame plays which role.
#[derive(Debug, Clone, Default)]
pub struct Columns {
    /// The texts.
    pub text: Option<String>,
    /// The images.
    pub image: Option<String>,
    /// Vectors that the frame has already, to cluster as they are.
    pub embeddings: Option<String>,
    /// Vectors of the texts alone, in place of what an embedder would give.
    pub text_embeddings: Option<String>,
    /// Vectors of the images alone, in place of what an embedder would give; pictures are chosen by them.
    pub image_embeddings: Option<String>,
    /// Where relative image paths start.
    pub image_folder: PathBuf,
}

/// The columns of a frame that a model works with.
#[derive(Debug, Clone)]
pub struct Corpus {
    /// The number of rows of the frame.
    pub rows: usize,
    /// The texts.
    pub texts: Option<TextColumn>,
    /// The images.
    pub images: Option<ImageColumn>,
    /// Vectors that the frame has already.
    pub embeddings: Option<Embeddings>,
    /// Vectors of the texts alone.
    pub text_embeddings: Option<Embeddings>,
    /// Vectors of the images alone.
    pub image_embeddings: Option<Embeddings>,
}

impl Corpus {
    /// Reads every column that has a role.
    ///
    /// # Errors
    /// A frame without rows, a column that is missing or of a type that its role cannot have, vectors that cannot be
    /// used.
    pub fn read(frame: &DataFrame, columns: &Columns) -> Result<Self> {
        let read = |name: &Option<String>| name.as_deref().map(|name| Embeddings::read(frame, name)).transpose();
        let texts = columns.text.as_deref().map(|name| TextColumn::read(frame, name)).transpose()?;
        let images =
            columns.image.as_deref().map(|name| ImageColumn::read(frame, name, &columns.image_folder)).transpose()?;
        if frame.height() == 0 {
            return Err(Error::new(ErrorKind::InvalidData, Stage::Input, "the frame has no rows"));
        }
        Ok(Corpus {
            rows: frame.height(),
            texts,
            images,
            embeddings: read(&columns.embeddings)?,
            text_embeddings: read(&columns.text_embeddings)?,
            image_embeddings: read(&columns.image_embeddings)?,
        })
    }

    /// The same with `captions` (by row) as the texts of rows that have none.
    pub(crate) fn with_captions(self, captions: &BTreeMap<usize, String>) -> Self {
        if captions.is_empty() {
            return self;
        }
        let texts = TextColumn::with_captions(self.texts.as_ref(), captions, self.rows);
        Corpus { texts: Some(texts), ..self }
    }

    /// The rows that have a text, with it.
    pub(crate) fn texts_by_row(&self) -> Vec<(usize, &str)> {
        let texts = self.texts.iter().flat_map(|texts| (0..self.rows).filter_map(|row| Some((row, texts.get(row)?))));
        texts.collect()
    }

    /// Whether `row` has a text; every row has what it takes where there is no text column.
    pub(crate) fn has_text(&self, row: usize) -> bool {
        self.texts.as_ref().is_none_or(|texts| texts.get(row).is_some())
    }

    /// Whether `row` has an image; every row has what it takes where there is no image column.
    pub(crate) fn has_image(&self, row: usize) -> bool {
        self.images.as_ref().is_none_or(|images| images.has(row))
    }
}
