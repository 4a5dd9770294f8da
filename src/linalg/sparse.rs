//! Compressed sparse row (CSR) matrices: term counts and weights.

use serde::{Deserialize, Serialize};

use super::vectors::{cosine, norm};
use crate::error::{Error, ErrorKind, Result, Stage};

mod by_class;
mod class_counts;
mod transpose;

pub(crate) use by_class::check_classes;
pub(crate) use class_counts::ClassCounts;
pub(crate) use transpose::transpose;

/// A sparse matrix in CSR format; columns are ascending within a row. `T` is `u32` for counts and `f64` for weights.
///
/// ```
/// use topicframe::linalg::sparse::CsrMatrix;
///
/// // The rows [2 0 1] and [0 3 0].
/// let counts = CsrMatrix::new(3, vec![0, 2, 3], vec![0, 2, 1], vec![2_u32, 1, 3])?;
/// assert_eq!(counts.row(0), (&[0, 2][..], &[2, 1][..]));
/// assert_eq!((counts.get(1, 1), counts.get(1, 2)), (3, 0));
///
/// let total = counts.sum_rows_by(&[Some(0), Some(0)], 1)?;          // both rows in class 0
/// assert_eq!(total.data(), [2, 3, 1]);
/// # Ok::<(), topicframe::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts<T>", bound(deserialize = "T: Value + Deserialize<'de>"))]
pub struct CsrMatrix<T> {
    cols: usize,
    indptr: Vec<usize>,
    indices: Vec<u32>,
    data: Vec<T>,
}

/// The deserialized parts of a matrix, before validation.
#[derive(Deserialize)]
struct Parts<T> {
    cols: usize,
    indptr: Vec<usize>,
    indices: Vec<u32>,
    data: Vec<T>,
}

impl<T: Value> TryFrom<Parts<T>> for CsrMatrix<T> {
    type Error = Error;

    fn try_from(parts: Parts<T>) -> Result<Self> {
        CsrMatrix::new(parts.cols, parts.indptr, parts.indices, parts.data)
    }
}

/// A numeric type that a [`CsrMatrix`] can contain.
///
/// ```
/// use topicframe::linalg::sparse::{CsrMatrix, Value};
///
/// #[derive(Debug, Clone, Copy, Default, PartialEq)]
/// struct Seconds(f32);
///
/// impl Value for Seconds {
///     fn as_f64(self) -> f64 {
///         f64::from(self.0)
///     }
///
///     fn plus(self, other: Self) -> Self {
///         Seconds(self.0 + other.0)
///     }
/// }
///
/// let times = CsrMatrix::new(2, vec![0, 2, 3], vec![0, 1, 1], vec![Seconds(0.5), Seconds(2.0), Seconds(4.0)])?;
/// assert_eq!((times.row_sums(), times.column_sums()), (vec![2.5, 4.0], vec![0.5, 6.0]));
/// # Ok::<(), topicframe::Error>(())
/// ```
pub trait Value: Copy + Default + PartialEq + Send + Sync {
    /// The value as an `f64`.
    fn as_f64(self) -> f64;

    /// The sum; integers saturate.
    #[must_use]
    fn plus(self, other: Self) -> Self;
}

impl Value for u32 {
    fn as_f64(self) -> f64 {
        f64::from(self)
    }

    fn plus(self, other: Self) -> Self {
        self.saturating_add(other)
    }
}

impl Value for f64 {
    fn as_f64(self) -> f64 {
        self
    }

    fn plus(self, other: Self) -> Self {
        self + other
    }
}

impl<T: Value> CsrMatrix<T> {
    /// A matrix of `indptr.len() - 1` rows and `cols` columns: row r contains `indices[indptr[r]..indptr[r + 1]]` and
    /// the `data` in the same range.
    ///
    /// # Errors
    /// Inconsistent parts: lengths that differ, an `indptr` that decreases, or columns that are not ascending or are
    /// out of range.
    pub fn new(cols: usize, indptr: Vec<usize>, indices: Vec<u32>, data: Vec<T>) -> Result<Self> {
        let matrix = CsrMatrix { cols, indptr, indices, data };
        match matrix.flaw() {
            None => Ok(matrix),
            Some(flaw) => Err(invalid(format!("a sparse matrix {flaw}"))),
        }
    }

    /// Like [`new`](Self::new), for parts that are valid by construction.
    pub(crate) fn from_sorted(cols: usize, indptr: Vec<usize>, indices: Vec<u32>, data: Vec<T>) -> Self {
        let matrix = CsrMatrix { cols, indptr, indices, data };
        debug_assert_eq!(matrix.flaw(), None);
        matrix
    }

    fn flaw(&self) -> Option<&'static str> {
        let ends_well = self.indptr.first() == Some(&0) && self.indptr.last() == Some(&self.data.len());
        if !ends_well || self.indices.len() != self.data.len() {
            return Some("has parts of different lengths");
        }
        if !self.indptr.is_sorted() {
            return Some("has rows that overlap");
        }
        let ascends = |row: &[u32]| row.windows(2).all(|pair| pair[0] < pair[1]);
        let in_range = |row: &[u32]| row.last().is_none_or(|&last| (last as usize) < self.cols);
        let good = (0..self.rows()).all(|row| ascends(self.row(row).0) && in_range(self.row(row).0));
        (!good).then_some("has columns out of order or out of range")
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.indptr.len().saturating_sub(1)
    }

    /// The number of columns.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// The number of entries.
    pub fn entries(&self) -> usize {
        self.data.len()
    }

    /// The start of each row in [`indices`](Self::indices) and [`data`](Self::data), with one more element than there
    /// are rows.
    pub fn indptr(&self) -> &[usize] {
        &self.indptr
    }

    /// The column of each entry, row by row.
    pub fn indices(&self) -> &[u32] {
        &self.indices
    }

    /// The value of each entry, row by row.
    pub fn data(&self) -> &[T] {
        &self.data
    }

    /// The columns and values of `row`; both are empty if there is no such row.
    pub fn row(&self, row: usize) -> (&[u32], &[T]) {
        let range = match (self.indptr.get(row), self.indptr.get(row + 1)) {
            (Some(&start), Some(&end)) => start..end,
            _ => 0..0,
        };
        (self.indices.get(range.clone()).unwrap_or_default(), self.data.get(range).unwrap_or_default())
    }

    /// The value at (`row`, `column`).
    pub fn get(&self, row: usize, column: usize) -> T {
        let (columns, values) = self.row(row);
        let place = columns.binary_search_by(|&c| (c as usize).cmp(&column));
        place.ok().and_then(|place| values.get(place)).copied().unwrap_or_default()
    }

    /// The sum of each row. Exact for counts.
    pub fn row_sums(&self) -> Vec<f64> {
        (0..self.rows()).map(|row| self.row(row).1.iter().map(|value| value.as_f64()).sum()).collect()
    }

    /// The sum of each column. Exact for counts.
    pub fn column_sums(&self) -> Vec<f64> {
        let mut sums = vec![0.0; self.cols];
        for (&column, value) in self.indices.iter().zip(&self.data) {
            sums[column as usize] += value.as_f64();
        }
        sums
    }

    /// Selects `rows` in the given order; a row may occur more than once. A row that does not exist is empty.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let counts = CountVectorizer::new().fit_transform(&["cat", "dog", "cat cat"], &Progress::silent())?.counts;
    /// assert_eq!(counts.select_rows(&[2, 0]).column_sums(), [3.0, 0.0]);    // of the texts about cats
    /// # Ok::<(), Error>(())
    /// ```
    #[must_use]
    pub fn select_rows(&self, rows: &[usize]) -> Self {
        CsrMatrix::from_rows(self.cols, rows.iter().map(|&row| self.row(row)))
    }

    /// A matrix of these rows, each the columns (ascending, below `cols`) and the values.
    pub(crate) fn from_rows<'a>(cols: usize, rows: impl Iterator<Item = (&'a [u32], &'a [T])> + Clone) -> Self
    where
        T: 'a,
    {
        let entries = rows.clone().map(|(columns, _)| columns.len()).sum();
        let (mut indices, mut data) = (Vec::with_capacity(entries), Vec::with_capacity(entries));
        let mut indptr = vec![0];
        for (columns, values) in rows {
            indices.extend_from_slice(columns);
            data.extend_from_slice(values);
            indptr.push(indices.len());
        }
        CsrMatrix::from_sorted(cols, indptr, indices, data)
    }

    /// The same sparsity pattern with different values, one per entry.
    pub(crate) fn with_data<U: Value>(&self, data: Vec<U>) -> CsrMatrix<U> {
        CsrMatrix::from_sorted(self.cols, self.indptr.clone(), self.indices.clone(), data)
    }

    /// The Euclidean norm of `row`.
    pub fn norm(&self, row: usize) -> f64 {
        norm(self.row(row).1.iter().map(|value| value.as_f64()))
    }

    /// The cosine similarity between `row` and row `other_row` of `other`; 0 if either is empty or zero. For many rows,
    /// [`cosines`](Self::cosines) is faster.
    pub fn cosine(&self, row: usize, other: &Self, other_row: usize) -> f64 {
        cosine(self.dot(row, other, other_row), self.norm(row), other.norm(other_row))
    }

    /// The inner product of `row` and row `other_row` of `other`. Looks up the entries of the shorter row.
    pub fn dot(&self, row: usize, other: &Self, other_row: usize) -> f64 {
        let (a, b) = (self.row(row), other.row(other_row));
        let (short, long) = if a.0.len() <= b.0.len() { (a, b) } else { (b, a) };
        let mut from = 0;
        let mut sum = 0.0;
        for (column, value) in short.0.iter().zip(short.1) {
            from += long.0.get(from..).unwrap_or_default().partition_point(|c| c < column);
            match long.0.get(from) {
                None => break,
                Some(found) if found == column => sum += value.as_f64() * long.1[from].as_f64(),
                Some(_) => {}
            }
        }
        sum
    }
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidData, Stage::Vectorize, message)
}
