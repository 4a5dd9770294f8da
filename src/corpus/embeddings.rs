//! Vectors of rows.

use std::sync::Arc;

use ndarray::{Array2, ArrayView2};
use polars::prelude::*;
use polars_arrow::array::{FixedSizeListArray, PrimitiveArray};
use polars_arrow::bitmap::Bitmap;

use super::{find, internal, wrong_type};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::linalg::room::check_room;
use crate::linalg::vectors::Vectors;

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
        check_room(Stage::Input, "the vectors of all rows", len, dimensions)?;
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

    /// The same vectors, less those of nothing but zeros: an embedder gives them for what it cannot read. Their rows
    /// become null.
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
        check_room(Stage::Input, "the vectors of all rows", list.len(), width)?;
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

    /// Whether `row` has a vector, and it is nothing but zeros.
    pub(crate) fn is_zero(&self, row: usize) -> bool {
        self.get(row).is_some_and(|vector| vector.iter().all(|&x| x == 0.0))
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
