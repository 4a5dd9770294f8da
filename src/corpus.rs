//! The only reader of the user's columns: a frame and the roles of its columns in, typed columns out.

use std::collections::BTreeMap;
use std::path::PathBuf;

use polars::prelude::*;

use crate::error::{Error, ErrorKind, Hint, Result, Stage, quoted};

mod address;
mod calendar;
mod distinct_rows;
mod embeddings;
mod images;
mod kind;
mod labels;

pub(crate) use address::{escaped, find_image};
pub(crate) use calendar::civil;
pub(crate) use distinct_rows::{DistinctRows, KnownRows};
pub use embeddings::Embeddings;
pub use images::ImageColumn;
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
            let error = match kind::first_that_is_not_text(column) {
                Some(row) => wrong_type(column, "a text column must hold texts in UTF-8").with_row(row),
                None => wrong_type(column, "a text column must hold texts"),
            };
            error.with_hint(
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

    /// The rows that have a text, with it.
    pub(crate) fn by_row(&self) -> Vec<(usize, &str)> {
        (0..self.len()).filter_map(|row| Some((row, self.get(row)?))).collect()
    }

    /// The rows that have a text, in order.
    pub fn rows(&self) -> Vec<usize> {
        (0..self.len()).filter(|&row| self.get(row).is_some()).collect()
    }
}

/// Finds a column, or says which columns there are.
pub(crate) fn find<'a>(frame: &'a DataFrame, name: &str) -> Result<&'a Column> {
    frame.column(name).map_err(|_| {
        let error = Error::new(ErrorKind::MissingColumn, Stage::Input, "there is no such column").with_column(name);
        let error = error.with_hint(columns_of(frame, name));
        match (frame.height(), frame.get_column_names().as_slice()) {
            (0, [_, _, ..]) => error.with_further_hint("There are no rows: was it a file whose line ends were lost?"),
            (_, [only]) if only.contains([',', ';', '\t', '|']) => {
                error.with_further_hint("Was it a file with another separator?")
            }
            _ => error,
        }
    })
}

/// The columns of `frame`, those whose names are most like `name` where there are many.
fn columns_of(frame: &DataFrame, name: &str) -> String {
    const MOST: usize = 10;
    const LONGEST: usize = 60;
    let mut names: Vec<&str> = frame.get_column_names().iter().map(|column| column.as_str()).collect();
    let more = names.len().saturating_sub(MOST);
    if more > 0 {
        let start = |text: &str| text.chars().take(LONGEST).flat_map(char::to_lowercase).collect::<String>();
        let wanted = start(name);
        let mut likeness: Vec<(f64, &str)> = names
            .iter()
            .map(|column| (strsim::normalized_damerau_levenshtein(&wanted, &start(column)), *column))
            .collect();
        likeness.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        names = likeness.into_iter().map(|(_, column)| column).take(MOST).collect();
    }
    let list: Vec<String> = names.iter().map(|column| format!("`{}`", quoted(column, LONGEST))).collect();
    match (list.as_slice(), more) {
        ([], _) => "The frame has no columns.".to_owned(),
        ([only], _) => format!("The only column is {only}."),
        (_, 0) => format!("The columns are {}.", list.join(", ")),
        (_, more) => format!("The most similar columns are {}; there are {more} more.", list.join(", ")),
    }
}

fn wrong_type(column: &Column, message: &str) -> Error {
    let message = format!("{message}, and this one holds {}", in_words(column.dtype()));
    Error::new(ErrorKind::WrongType, Stage::Input, message).with_column(column.name().as_str())
}

pub(crate) fn internal(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::Internal, Stage::Input, "the frame could not be processed").with_cause(error)
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
    /// Classes of rows that are known beforehand.
    pub labels: Option<String>,
    /// Where relative image paths start.
    pub image_folder: PathBuf,
    /// Whether images outside that folder are refused.
    pub only_in_image_folder: bool,
}

/// The columns of a frame that a model works with: what the user gave. Never changed.
#[derive(Debug, Clone)]
pub struct Documents {
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
    /// The class of each row that is known beforehand, -1 where it is not.
    pub labels: Option<Vec<i32>>,
}

impl Documents {
    /// Reads every column that has a role.
    ///
    /// # Errors
    /// A frame without rows, a column that is missing or of a type that its role cannot have, vectors that cannot be
    /// used.
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

    /// Whether `row` has a text; every row has what it takes where there is no text column.
    pub(crate) fn has_text(&self, row: usize) -> bool {
        self.texts.as_ref().is_none_or(|texts| texts.get(row).is_some())
    }

    /// Whether `row` has an image; every row has what it takes where there is no image column.
    pub(crate) fn has_image(&self, row: usize) -> bool {
        self.images.as_ref().is_none_or(|images| images.has(row))
    }
}
