//! Embeddings: one vector per row.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use ndarray::{Array2, ArrayView2};
use polars::prelude::*;
use polars_arrow::array::{Array, FixedSizeListArray, ListArray, PrimitiveArray};
use polars_arrow::bitmap::Bitmap;

use super::column::{find, internal, wrong_type};
use super::kind;
use crate::error::{Error, ErrorKind, Hint, Result, Stage};
use crate::linalg::finite::first_not_finite;
use crate::linalg::memory::check_memory;
use crate::linalg::vectors::Vectors;

/// Embeddings, one per row of the frame, stored once as f32, in the memory of the output frame's column.
///
/// ```
/// use topicframe::corpus::Embeddings;
/// use topicframe::ndarray::array;
/// use topicframe::prelude::*;
///
/// // Vectors for rows 0 and 2 of three rows: a column of a frame, and back.
/// let embeddings = Embeddings::scatter(array![[1.0, 0.0], [0.6, 0.8]], &[0, 2], 3)?;
/// let frame = DataFrame::new(3, vec![embeddings.to_column("embedding")?])?;
/// let read = Embeddings::read(&frame, "embedding")?;
/// assert_eq!((read.len(), read.dimensions()), (3, 2));
/// assert_eq!((read.get(1), read.get(2)), (None, Some(&[0.6_f32, 0.8][..])));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Embeddings {
    values: FixedSizeListArray,
    dimensions: usize,
    rows: usize,
}

impl Embeddings {
    /// Reads the nullable column `name` of `frame`: `Array(_, d)` or `List(_)` of Float32, or of other floats or
    /// integers of up to 64 bits, which are cast to Float32 (with rounding); and extension types with such a storage
    /// type, such as Arrow's fixed-shape tensors.
    ///
    /// # Errors
    /// The column has another type, a row's length differs from that of most rows, or a value is missing, NaN or
    /// infinite; the error has the row.
    pub fn read(frame: &DataFrame, name: &str) -> Result<Self> {
        let column = kind::stored(find(frame, name)?);
        let embeddings = match column.dtype() {
            DataType::Array(inner, width) if is_number(inner) => {
                let single = DataType::Array(Box::new(DataType::Float32), *width);
                Self::from_array(&column.cast(&single).map_err(internal)?, *width)
            }
            DataType::List(inner) if is_number(inner) => {
                let single = DataType::List(Box::new(DataType::Float32));
                Self::from_list(&column.cast(&single).map_err(internal)?)
            }
            DataType::String => {
                let hint =
                    "CSV can only store vectors as text: write them as lists to a .parquet, .arrow or JSON file.";
                Err(wrong_type(&column, "an embedding column must contain lists or arrays of numbers").with_hint(hint))
            }
            _ => Err(wrong_type(&column, "an embedding column must contain lists or arrays of numbers").with_hint(
                Hint::new("Specify another column, or cast this one to lists of Float32.").on_command_line(
                    "Specify another column with --embeddings, or rewrite this one as lists of 32-bit floats.",
                ),
            )),
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
        check_memory(Stage::Input, "the vectors of all rows", len, dimensions)?;
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

    /// The same vectors without those that are all zeros, which an embedder returns for input that it cannot read.
    /// Their rows become null.
    pub(crate) fn without_zeros(self) -> Result<Self> {
        let says_something = |row: usize| self.get(row).is_some_and(|vector| vector.iter().any(|&x| x != 0.0));
        let valid: Vec<bool> = (0..self.rows).map(says_something).collect();
        match (0..self.rows).all(|row| valid.get(row) == Some(&self.has(row))) {
            true => Ok(self),
            false => Ok(Embeddings { values: self.values.with_validity(Some(Bitmap::from(valid))), ..self }),
        }
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

    /// Inner nulls of null rows are padding; nulls in a non-null row are missing values.
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
        let lengths: Vec<Option<usize>> = list.downcast_iter().flat_map(lengths).collect();
        let width = commonest(lengths.iter().copied().flatten());
        if let Some((row, length)) = find_other_length(&lengths, width) {
            return Err(ragged(column.name(), row, length, width));
        }
        check_memory(Stage::Input, "the vectors of all rows", lengths.len(), width)?;
        let mut flat: Vec<f32> = Vec::with_capacity(lengths.len() * width);
        for chunk in list.downcast_iter() {
            let first_row = flat.len() / width.max(1);
            append(chunk, width, &mut flat).map_err(|row| not_a_number(column.name(), first_row + row))?;
        }
        let validity = lengths.contains(&None).then(|| lengths.iter().map(Option::is_some).collect());
        Self::from_flat(flat, width, lengths.len(), validity)
    }

    fn check_finite(&self, name: &str) -> Result<()> {
        // If all rows are null, there are no dimensions, and all rows are outliers.
        if self.dimensions == 0 && (self.rows == 0 || (0..self.rows).any(|row| self.has(row))) {
            return Err(
                Error::new(ErrorKind::InvalidData, Stage::Input, "the vectors have no dimensions").with_column(name)
            );
        }
        match first_not_finite(self.rows, |row| self.get(row).unwrap_or_default()) {
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

    /// The number of dimensions.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Whether `row` has a vector.
    pub fn has(&self, row: usize) -> bool {
        row < self.rows && self.values.validity().is_none_or(|valid| valid.get_bit(row))
    }

    /// Whether `row` has a vector of all zeros.
    pub(crate) fn is_zero(&self, row: usize) -> bool {
        self.get(row).is_some_and(|vector| vector.iter().all(|&x| x == 0.0))
    }

    /// The vector of `row`, if it has one.
    pub fn get(&self, row: usize) -> Option<&[f32]> {
        if !self.has(row) {
            return None;
        }
        self.flat().get(row * self.dimensions..(row + 1) * self.dimensions)
    }

    /// The vectors of `rows` (ascending, without duplicates), which share the column's memory: nothing is copied.
    ///
    /// # Errors
    /// A row does not exist.
    pub fn of_rows(&self, rows: &[usize]) -> Result<Vectors> {
        let all = Vectors::shared(Arc::new(Numbers(self.values.clone())), self.rows, self.dimensions);
        let some = all.and_then(|all| if rows.len() == self.rows { Some(all) } else { all.select(rows) });
        some.ok_or_else(|| Error::new(ErrorKind::Internal, Stage::Input, "some of the rows do not exist"))
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

    /// All rows as a matrix; rows without a vector contain zeros or padding.
    pub fn view(&self) -> Result<ArrayView2<'_, f32>> {
        ArrayView2::from_shape((self.rows, self.dimensions), self.flat()).map_err(internal)
    }

    /// The vectors of a column that has exactly the type of [`to_column`](Self::to_column), sharing its memory.
    pub(crate) fn of_column(column: &Column) -> Option<Self> {
        match column.dtype() {
            DataType::Array(inner, width) if **inner == DataType::Float32 => Self::from_array(column, *width).ok(),
            _ => None,
        }
    }

    /// Rows of `dimensions` values, of which those that are not `valid` have no vector.
    ///
    /// # Errors
    /// The number of values or of rows is wrong; a value is NaN or infinite.
    pub(crate) fn of_rows_with(
        flat: Vec<f32>,
        dimensions: usize,
        rows: usize,
        valid: Option<Vec<bool>>,
    ) -> Result<Self> {
        let fits = rows.checked_mul(dimensions) == Some(flat.len());
        if !fits || valid.as_ref().is_some_and(|valid| valid.len() != rows) {
            return Err(Error::new(
                ErrorKind::InvalidData,
                Stage::Input,
                "the vectors have a different number of rows",
            ));
        }
        let embeddings = Self::from_flat(flat, dimensions, rows, valid.map(Bitmap::from))?;
        match first_not_finite(rows, |row| embeddings.get(row).unwrap_or_default()) {
            Some(row) => Err(not_a_number("embedding", row)),
            None => Ok(embeddings),
        }
    }

    /// All values, row by row, including those of rows without a vector.
    pub(crate) fn values(&self) -> &[f32] {
        self.flat()
    }

    /// Which rows have a vector; `None` if all have.
    pub(crate) fn validity(&self) -> Option<Vec<bool>> {
        self.values.validity().map(|valid| valid.iter().collect())
    }

    /// Whether these are the same vectors in the same memory.
    pub(crate) fn is_same(&self, other: &Embeddings) -> bool {
        let (values, others) = (self.flat(), other.flat());
        values.as_ptr() == others.as_ptr()
            && (self.rows, self.dimensions) == (other.rows, other.dimensions)
            && self.values.validity() == other.values.validity()
    }

    /// All rows, sharing the memory.
    pub(crate) fn vectors(&self) -> Option<Vectors> {
        Vectors::shared(Arc::new(Numbers(self.values.clone())), self.rows, self.dimensions)
    }

    /// The column of these vectors: `Array(Float32, d)`. Zero-copy: the frame shares the memory.
    pub fn to_column(&self, name: &str) -> Result<Column> {
        let series = Series::try_from((PlSmallStr::from_str(name), self.values.clone().boxed())).map_err(internal)?;
        Ok(series.into_column())
    }

    fn flat(&self) -> &[f32] {
        flat(&self.values)
    }
}

/// A column's vectors as flat values.
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

fn is_number(dtype: &DataType) -> bool {
    dtype.is_float() || (dtype.is_integer() && !matches!(dtype, DataType::Int128 | DataType::UInt128))
}

/// The lengths of a list column's rows; `None` if a row is null.
fn lengths(list: &ListArray<i64>) -> impl Iterator<Item = Option<usize>> {
    list.offsets().lengths().enumerate().map(|(row, length)| list.is_valid(row).then_some(length))
}

/// The most frequent length; ties are resolved in favor of the one that occurs first.
fn commonest(lengths: impl Iterator<Item = usize>) -> usize {
    let mut counts: BTreeMap<usize, (usize, Reverse<usize>)> = BTreeMap::new();
    for (place, length) in lengths.enumerate() {
        counts.entry(length).or_insert((0, Reverse(place))).0 += 1;
    }
    counts.into_iter().max_by_key(|&(_, count)| count).map_or(0, |(length, _)| length)
}

/// The first row with a different length, and its length.
fn find_other_length(lengths: &[Option<usize>], width: usize) -> Option<(usize, usize)> {
    let other = |(row, length): (usize, &Option<usize>)| length.filter(|&length| length != width).map(|l| (row, l));
    lengths.iter().enumerate().find_map(other)
}

/// Appends the rows of a list column, all of length `width`, with zeros for null rows. The error is the first row with
/// a missing value.
fn append(list: &ListArray<i64>, width: usize, flat: &mut Vec<f32>) -> std::result::Result<(), usize> {
    let Some(values) = list.values().as_any().downcast_ref::<PrimitiveArray<f32>>() else { return Err(0) };
    for (row, (start, length)) in list.offsets().offset_and_length_iter().enumerate() {
        if !list.is_valid(row) {
            flat.resize(flat.len() + width, 0.0);
            continue;
        }
        if values.validity().is_some_and(|valid| (start..start + length).any(|at| !valid.get_bit(at))) {
            return Err(row);
        }
        flat.extend_from_slice(values.values().get(start..start + length).ok_or(row)?);
    }
    Ok(())
}

fn ragged(name: &str, row: usize, length: usize, width: usize) -> Error {
    let message = format!("the vector has {length} dimensions, most have {width}");
    Error::new(ErrorKind::InvalidData, Stage::Input, message)
        .with_column(name)
        .with_row(row)
        .with_hint("All vectors must come from the same model; set rows without a vector to null.")
}

fn not_a_number(name: &str, row: usize) -> Error {
    let message = "the vector contains a value that is missing, NaN, infinite or out of range for Float32";
    Error::new(ErrorKind::InvalidData, Stage::Input, message)
        .with_column(name)
        .with_row(row)
        .with_hint("Set the whole vector to null to exclude the row, or recompute it.")
}
