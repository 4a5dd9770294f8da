//! The only reader of the user's columns: a frame and the roles of its columns in, typed columns out.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use ndarray::{Array2, ArrayView2};
use polars::prelude::*;
use polars_arrow::array::{FixedSizeListArray, PrimitiveArray};
use polars_arrow::bitmap::Bitmap;

use crate::error::{Error, ErrorKind, Result, Stage};
use crate::linalg::vectors::Vectors;
use crate::vision::ImageSource;

/// A text column: String, nullable.
#[derive(Debug, Clone)]
pub struct TextColumn {
    name: String,
    values: StringChunked,
}

impl TextColumn {
    /// Reads the column `name` of `frame`.
    pub fn read(frame: &DataFrame, name: &str) -> Result<Self> {
        let column = &typed_nulls(find(frame, name)?)?;
        let values = column.str().map_err(|_| {
            wrong_type(column, "a text column must be String").hint("Cast it to String, or name another column.")
        })?;
        Ok(TextColumn { name: name.to_owned(), values: values.rechunk().into_owned() })
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

/// Vectors, one a row of the frame, held once as f32 in the column that the output frame shows.
#[derive(Debug, Clone)]
pub struct Embeddings {
    values: FixedSizeListArray,
    dimensions: usize,
    rows: usize,
}

impl Embeddings {
    /// Reads the column `name` of `frame`: `Array(Float32, d)` or `List(Float32)`, nullable. Vectors of Float64, as
    /// JSON and pandas have them, are rounded to Float32.
    ///
    /// # Errors
    /// Another type, rows of different length, or a number that is NaN or infinite: with the row.
    pub fn read(frame: &DataFrame, name: &str) -> Result<Self> {
        let column = find(frame, name)?;
        let embeddings = match column.dtype() {
            DataType::Array(inner, width) if is_float(inner) => {
                let single = DataType::Array(Box::new(DataType::Float32), *width);
                Self::from_array(&column.cast(&single).map_err(internal)?, *width)
            }
            DataType::List(inner) if is_float(inner) => {
                let single = DataType::List(Box::new(DataType::Float32));
                Self::from_list(&column.cast(&single).map_err(internal)?)
            }
            _ => Err(wrong_type(column, "an embedding column must be Array(Float32, d) or List(Float32)")
                .hint("Name the column of the vectors, or cast its numbers to Float32.")),
        }?;
        embeddings.check_finite(name)?;
        Ok(embeddings)
    }

    /// Places the rows of `vectors` at `rows` (ascending) of a column of `len` rows; the others are null.
    pub fn scatter(vectors: Array2<f32>, rows: &[usize], len: usize) -> Result<Self> {
        let dimensions = vectors.ncols();
        if rows.len() == len {
            let flat = match vectors.is_standard_layout() {
                true => vectors.into_raw_vec_and_offset().0,
                false => vectors.iter().copied().collect(),
            };
            return Self::from_flat(flat, dimensions, len, None);
        }
        let mut flat = vec![0.0; len * dimensions];
        let mut valid = vec![false; len];
        for (vector, &row) in vectors.outer_iter().zip(rows) {
            for (to, from) in flat.iter_mut().skip(row * dimensions).zip(vector) {
                *to = *from;
            }
            if let Some(valid) = valid.get_mut(row) {
                *valid = true;
            }
        }
        Self::from_flat(flat, dimensions, len, Some(Bitmap::from(valid)))
    }

    fn from_flat(flat: Vec<f32>, dimensions: usize, rows: usize, validity: Option<Bitmap>) -> Result<Self> {
        let values = PrimitiveArray::from_vec(flat);
        let inner = DataType::Float32.to_arrow(CompatLevel::newest());
        let dtype = FixedSizeListArray::default_datatype(inner, dimensions);
        let values = FixedSizeListArray::try_new(dtype, rows, values.boxed(), validity).map_err(internal)?;
        Ok(Embeddings { values, dimensions, rows })
    }

    fn from_array(column: &Column, dimensions: usize) -> Result<Self> {
        let array = column.array().map_err(internal)?.rechunk().into_owned();
        let Some(values) = array.downcast_iter().next().cloned() else {
            return Self::from_flat(Vec::new(), dimensions, 0, None);
        };
        let has_holes = values.values().null_count() > 0;
        let rows = values.len();
        let embeddings = Embeddings { values, dimensions, rows };
        match has_holes {
            true => embeddings.refuse_inner_nulls(column.name()),
            false => Ok(embeddings),
        }
    }

    /// Nulls below null rows are padding; nulls in a row that is there are missing numbers.
    fn refuse_inner_nulls(self, name: &str) -> Result<Self> {
        let holes = self.values.values().validity().cloned();
        let hole = |row: usize| {
            holes.as_ref().is_some_and(|valid| {
                (row * self.dimensions..(row + 1) * self.dimensions).any(|position| !valid.get_bit(position))
            })
        };
        match (0..self.rows).find(|&row| self.has(row) && hole(row)) {
            Some(row) => Err(not_a_number(name, row)),
            None => Ok(self),
        }
    }

    fn from_list(column: &Column) -> Result<Self> {
        let list = column.list().map_err(internal)?;
        let width = (0..list.len()).find_map(|row| list.get_as_series(row)).map_or(0, |row| row.len());
        let mut flat = Vec::with_capacity(list.len() * width);
        let mut valid = Vec::with_capacity(list.len());
        for row in 0..list.len() {
            let Some(vector) = list.get_as_series(row) else {
                flat.resize(flat.len() + width, 0.0);
                valid.push(false);
                continue;
            };
            if vector.len() != width {
                return Err(ragged(column.name(), row, vector.len(), width));
            }
            if vector.null_count() > 0 {
                return Err(not_a_number(column.name(), row));
            }
            flat.extend(vector.f32().map_err(internal)?.into_no_null_iter());
            valid.push(true);
        }
        let validity = valid.contains(&false).then(|| Bitmap::from(valid));
        Self::from_flat(flat, width, list.len(), validity)
    }

    fn check_finite(&self, name: &str) -> Result<()> {
        if self.dimensions == 0 {
            return Err(Error::new(ErrorKind::InvalidData, Stage::Input, "the vectors have no numbers").column(name));
        }
        let broken = |row: usize| self.get(row).is_some_and(|vector| vector.iter().any(|x| !x.is_finite()));
        match (0..self.rows).find(|&row| broken(row)) {
            Some(row) => Err(not_a_number(name, row)),
            None => Ok(()),
        }
    }

    /// The number of rows of the frame.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The width of a vector.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Whether `row` has a vector.
    pub fn has(&self, row: usize) -> bool {
        row < self.rows && self.values.validity().is_none_or(|valid| valid.get_bit(row))
    }

    /// The vector of `row`, where it has one.
    pub fn get(&self, row: usize) -> Option<&[f32]> {
        if !self.has(row) {
            return None;
        }
        self.flat().get(row * self.dimensions..(row + 1) * self.dimensions)
    }

    /// The vectors of `rows` (ascending, each once) in the memory of the column: nothing is copied.
    ///
    /// # Errors
    /// A row that is not there.
    pub fn of_rows(&self, rows: &[usize]) -> Result<Vectors> {
        let all = Vectors::shared(Arc::new(Numbers(self.values.clone())), self.rows, self.dimensions);
        let some = all.and_then(|all| if rows.len() == self.rows { Some(all) } else { all.select(rows) });
        some.ok_or_else(|| Error::new(ErrorKind::Internal, Stage::Input, "the vectors do not have all of the rows"))
    }

    /// A copy of the vectors of `rows`, in their order; zeros for a row without a vector.
    pub fn select(&self, rows: &[usize]) -> Array2<f32> {
        let mut selected = Array2::zeros((rows.len(), self.dimensions));
        for (mut to, &row) in selected.outer_iter_mut().zip(rows) {
            if let Some(vector) = self.get(row) {
                to.assign(&ndarray::ArrayView1::from(vector));
            }
        }
        selected
    }

    /// All rows as a matrix; rows without a vector hold zeros or padding.
    pub fn view(&self) -> Result<ArrayView2<'_, f32>> {
        ArrayView2::from_shape((self.rows, self.dimensions), self.flat()).map_err(internal)
    }

    /// The column of these vectors: `Array(Float32, d)`. Costs nothing: the frame shares the memory.
    pub fn to_column(&self, name: &str) -> Result<Column> {
        let series = Series::try_from((PlSmallStr::from_str(name), self.values.clone().boxed())).map_err(internal)?;
        Ok(series.into_column())
    }

    fn flat(&self) -> &[f32] {
        flat(&self.values)
    }
}

/// A column's vectors as numbers.
struct Numbers(FixedSizeListArray);

impl AsRef<[f32]> for Numbers {
    fn as_ref(&self) -> &[f32] {
        flat(&self.0)
    }
}

fn flat(values: &FixedSizeListArray) -> &[f32] {
    let values = values.values().as_any().downcast_ref::<PrimitiveArray<f32>>();
    values.map(|values| values.values().as_slice()).unwrap_or_default()
}

fn is_float(dtype: &DataType) -> bool {
    matches!(dtype, DataType::Float32 | DataType::Float64)
}

/// A column without any value may have come without a type: here it has the type of its role.
fn typed_nulls(column: &Column) -> Result<Column> {
    match column.dtype() {
        DataType::Null => column.cast(&DataType::String).map_err(internal),
        _ => Ok(column.clone()),
    }
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
    let message = format!("{message}, and this is {}", column.dtype());
    Error::new(ErrorKind::WrongType, Stage::Input, message).column(column.name().as_str())
}

fn ragged(name: &str, row: usize, length: usize, width: usize) -> Error {
    let message = format!("the vector has {length} numbers, those above have {width}");
    Error::new(ErrorKind::InvalidData, Stage::Input, message)
        .column(name)
        .row(row)
        .hint("All vectors must come from one model; set rows that have none to null.")
}

fn not_a_number(name: &str, row: usize) -> Error {
    Error::new(ErrorKind::InvalidData, Stage::Input, "the vector holds a number that is missing, NaN or infinite")
        .column(name)
        .row(row)
        .hint("Set the whole vector to null to leave the row out, or compute it again.")
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
    /// Vectors that the frame has already, to cluster.
    pub embeddings: Option<String>,
    /// Vectors of the images alone, to choose pictures by.
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
            image_embeddings: read(&columns.image_embeddings)?,
        })
    }

    /// Whether `row` has a text; every row has what it takes where there is no text column.
    pub(crate) fn has_text(&self, row: usize) -> bool {
        self.texts.as_ref().is_none_or(|texts| texts.get(row).is_some())
    }
}
