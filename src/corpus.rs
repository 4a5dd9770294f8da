//! The only module that reads the user's columns: turns a frame, and the roles of its columns, into typed columns.

use std::collections::BTreeMap;
use std::path::PathBuf;

use polars::prelude::*;

use crate::error::{Error, ErrorKind, Hint, Result, Stage};

mod address;
mod calendar;
mod classes;
mod column;
mod distinct_rows;
mod embeddings;
mod images;
mod kind;
mod labels;
mod moments;
mod time_format;

pub(crate) use address::{escaped, find_image};
pub(crate) use calendar::{civil, days_of};
pub(crate) use classes::Classes;
use column::wrong_type;
pub(crate) use column::{find, internal};
pub(crate) use distinct_rows::{DistinctRows, KnownRows};
pub use embeddings::Embeddings;
pub use images::ImageColumn;
pub(crate) use kind::describe_type;
pub(crate) use moments::{Clock, Moments};

/// A nullable text column: String, Categorical, Enum, or Binary with valid UTF-8.
///
/// ```
/// use topicframe::corpus::TextColumn;
/// use topicframe::prelude::*;
///
/// let posts = df!("text" => [Some("a cat"), Some("  "), None, Some("a train")])?;
/// let texts = TextColumn::read(&posts, "text")?;
/// assert_eq!(texts.rows(), [0, 3]);                                 // blank texts count as none
/// assert_eq!((texts.get(1), texts.raw(1)), (None, Some("  ")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct TextColumn {
    name: String,
    values: StringChunked,
}

impl TextColumn {
    /// Reads the column `name` of `frame`.
    ///
    /// # Errors
    /// The column does not exist, or does not contain text.
    pub fn read(frame: &DataFrame, name: &str) -> Result<Self> {
        let column = find(frame, name)?;
        let values = kind::texts(column).ok_or_else(|| {
            let error = match kind::first_that_is_not_text(column) {
                Some(row) => wrong_type(column, "a text column must contain valid UTF-8").with_row(row),
                None => wrong_type(column, "a text column must contain text"),
            };
            error.with_hint(
                Hint::new("Cast it to String, or specify another column.")
                    .on_command_line("Specify another column with --text, or store the texts as strings."),
            )
        })?;
        Ok(TextColumn { name: name.to_owned(), values: values.rechunk().into_owned() })
    }

    /// The texts of `rows` rows: those in `texts`, or the row's caption if it has no text.
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

    /// The text of `row`; `None` if it is null, empty or whitespace.
    pub fn get(&self, row: usize) -> Option<&str> {
        self.raw(row).filter(|text| !text.trim().is_empty())
    }

    /// The text of `row`, exactly as in the frame.
    pub fn raw(&self, row: usize) -> Option<&str> {
        // Polars panics if the index is out of bounds.
        if row < self.len() { self.values.get(row) } else { None }
    }

    /// The rows that have a text, with their texts.
    pub(crate) fn by_row(&self) -> Vec<(usize, &str)> {
        (0..self.len()).filter_map(|row| Some((row, self.get(row)?))).collect()
    }

    /// The rows that have a text, in order.
    pub fn rows(&self) -> Vec<usize> {
        (0..self.len()).filter(|&row| self.get(row).is_some()).collect()
    }
}

/// The role of each column of the frame.
///
/// ```
/// use topicframe::corpus::{Columns, Documents};
/// use topicframe::prelude::*;
///
/// let columns = Columns { text: Some("caption".to_owned()), ..Columns::default() };
/// let error = Documents::read(&df!("text" => ["a cat"])?, &columns).unwrap_err();
/// assert_eq!((error.kind(), error.column()), (ErrorKind::MissingColumn, Some("caption")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Columns {
    /// The texts.
    pub text: Option<String>,
    /// The images.
    pub image: Option<String>,
    /// Precomputed embeddings to cluster as they are.
    pub embeddings: Option<String>,
    /// Precomputed text embeddings, which replace the embedder's output.
    pub text_embeddings: Option<String>,
    /// Precomputed image embeddings, which replace the embedder's output; representative images are selected by them.
    pub image_embeddings: Option<String>,
    /// Known class labels of rows.
    pub labels: Option<String>,
    /// The folder that relative image paths are resolved against.
    pub image_folder: PathBuf,
    /// Whether images outside that folder are rejected.
    pub only_in_image_folder: bool,
}

/// The columns of a frame that a model uses: the user's input. Never modified.
///
/// ```
/// use topicframe::corpus::{Columns, Documents};
/// use topicframe::prelude::*;
///
/// let posts = df!("text" => ["a cat", "a train"], "class" => [Some(3), None])?;
/// let columns = Columns { text: Some("text".into()), labels: Some("class".into()), ..Columns::default() };
/// let documents = Documents::read(&posts, &columns)?;
/// assert_eq!(documents.texts.as_ref().and_then(|texts| texts.get(1)), Some("a train"));
/// assert_eq!(documents.labels, Some(vec![3, -1]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Documents {
    /// The number of rows of the frame.
    pub rows: usize,
    /// The texts.
    pub texts: Option<TextColumn>,
    /// The images.
    pub images: Option<ImageColumn>,
    /// Precomputed embeddings.
    pub embeddings: Option<Embeddings>,
    /// Precomputed text embeddings.
    pub text_embeddings: Option<Embeddings>,
    /// Precomputed image embeddings.
    pub image_embeddings: Option<Embeddings>,
    /// The known class label of each row, -1 if unknown.
    pub labels: Option<Vec<i32>>,
}

impl Documents {
    /// Reads every column that has a role.
    ///
    /// # Errors
    /// The frame has no rows, a column is missing or has the wrong type for its role, or embeddings are not usable.
    pub fn read(frame: &DataFrame, columns: &Columns) -> Result<Self> {
        let read = |name: &Option<String>| name.as_deref().map(|name| Embeddings::read(frame, name)).transpose();
        let texts = columns.text.as_deref().map(|name| TextColumn::read(frame, name)).transpose()?;
        let images = |name: &str| {
            let images = ImageColumn::read(frame, name, &columns.image_folder)?;
            Ok::<_, Error>(images.only_in_folder(columns.only_in_image_folder))
        };
        let images = columns.image.as_deref().map(images).transpose()?;
        if frame.height() == 0 {
            return Err(Error::new(ErrorKind::InvalidData, Stage::Input, "the frame has no rows"));
        }
        Ok(Documents {
            rows: frame.height(),
            texts,
            images,
            embeddings: read(&columns.embeddings)?,
            text_embeddings: read(&columns.text_embeddings)?,
            image_embeddings: read(&columns.image_embeddings)?,
            labels: columns.labels.as_deref().map(|name| labels::read(frame, name)).transpose()?,
        })
    }

    /// Whether `row` has a text; always true without a text column.
    pub(crate) fn has_text(&self, row: usize) -> bool {
        self.texts.as_ref().is_none_or(|texts| texts.get(row).is_some())
    }

    /// Whether `row` has an image; always true without an image column.
    pub(crate) fn has_image(&self, row: usize) -> bool {
        self.images.as_ref().is_none_or(|images| images.has(row))
    }
}
