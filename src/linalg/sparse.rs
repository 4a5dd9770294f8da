//! Compressed sparse row (CSR) matrices: term counts and weights.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::vectors::norm;
use crate::error::{Error, ErrorKind, Result, Stage};

/// A sparse matrix in CSR format; columns are ascending within a row. `T` is `u32` for counts and `f64` for weights.
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

    /// Sums the rows of each class: row r belongs to class `classes[r]`, or to none. Returns `n_classes` rows; a class
    /// without rows has an empty row. Rows are added in order, regardless of the number of threads.
    ///
    /// # Errors
    /// The number of classes differs from the number of rows, or a class is out of range.
    pub fn sum_rows_by(&self, classes: &[Option<usize>], n_classes: usize) -> Result<Self> {
        check_classes(classes, self.rows(), n_classes)?;
        let members = members_of(classes, n_classes);
        let sum = |sums: &mut RowSums<T>, rows: &Vec<usize>| {
            rows.iter().for_each(|&row| sums.add(self.row(row)));
            sums.take()
        };
        let summed: Vec<(Vec<u32>, Vec<T>)> = members.par_iter().map_init(|| RowSums::new(self.cols), sum).collect();
        Ok(CsrMatrix::from_rows(self.cols, summed.iter().map(|(columns, values)| (&columns[..], &values[..]))))
    }

    /// Selects `rows` in the given order; a row may occur more than once. A row that does not exist is empty.
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

    /// The cosine similarity between each row and the row of `other` for its class; 0 if it has no class. The result
    /// does not depend on the number of threads.
    ///
    /// # Errors
    /// The number of classes differs from the number of rows, a class is not a row of `other`, or the number of columns
    /// differs.
    pub fn cosines(&self, other: &Self, classes: &[Option<usize>]) -> Result<Vec<f64>> {
        check_classes(classes, self.rows(), other.rows())?;
        if self.cols != other.cols {
            return Err(invalid(format!(
                "rows of {} columns cannot be compared with rows of {}",
                self.cols, other.cols
            )));
        }
        let score = |row: usize, spread: &[f64]| (dot_dense(self.row(row), spread), self.norm(row));
        Ok(other.cosines_by(classes, score))
    }

    /// The cosine between each of some rows and the row of `self` that is its class; 0 where it has none. `score` returns a
    /// row's inner product with a dense row of `self`, and the row's length. The same on any number of threads.
    pub(crate) fn cosines_by(
        &self,
        classes: &[Option<usize>],
        score: impl Fn(usize, &[f64]) -> (f64, f64) + Sync,
    ) -> Vec<f64> {
        let members = members_of(classes, self.rows());
        // A class has a long row, and many rows to compare with it: spread out, it need not be searched.
        let of_class = |spread: &mut Vec<f64>, (class, rows): (usize, &Vec<usize>)| {
            let (columns, values) = self.row(class);
            columns.iter().zip(values).for_each(|(&column, value)| spread[column as usize] = value.as_f64());
            let norm = self.norm(class);
            let score = |&row: &usize| {
                let (dot, length) = score(row, spread);
                (row, cosine(dot, length, norm))
            };
            let scores: Vec<(usize, f64)> = rows.iter().map(score).collect();
            columns.iter().for_each(|&column| spread[column as usize] = 0.0);
            scores
        };
        let scored: Vec<Vec<(usize, f64)>> = members
            .par_iter()
            .enumerate()
            .map_init(|| vec![0.0; self.cols], |spread, it| of_class(spread, (it.0, it.1)))
            .collect();
        let mut scores = vec![0.0; classes.len()];
        for (row, cosine) in scored.into_iter().flatten() {
            scores[row] = cosine;
        }
        scores
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

/// The rows of each class, ascending.
fn members_of(classes: &[Option<usize>], n_classes: usize) -> Vec<Vec<usize>> {
    let mut members = vec![Vec::new(); n_classes];
    for (row, class) in classes.iter().enumerate().filter_map(|(row, class)| Some((row, (*class)?))) {
        members[class].push(row);
    }
    members
}

/// The inner product of a sparse row and a dense one.
fn dot_dense<T: Value>((columns, values): (&[u32], &[T]), dense: &[f64]) -> f64 {
    columns.iter().zip(values).map(|(&column, value)| value.as_f64() * dense[column as usize]).sum()
}

fn cosine(dot: f64, a: f64, b: f64) -> f64 {
    if a > 0.0 && b > 0.0 { (dot / (a * b)).clamp(-1.0, 1.0) } else { 0.0 }
}

pub(crate) fn check_classes(classes: &[Option<usize>], rows: usize, n_classes: usize) -> Result<()> {
    if classes.len() != rows {
        return Err(invalid(format!("{} classes do not match {rows} rows", classes.len())));
    }
    match classes.iter().position(|class| class.is_some_and(|class| class >= n_classes)) {
        Some(row) => Err(invalid(format!("the class of a row must be less than {n_classes}")).with_row(row)),
        None => Ok(()),
    }
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidData, Stage::Vectorize, message)
}

/// A dense row of sums, with the columns that are in use.
struct RowSums<T> {
    sums: Vec<T>,
    used: Vec<u32>,
}

impl<T: Value> RowSums<T> {
    fn new(cols: usize) -> Self {
        RowSums { sums: vec![T::default(); cols], used: Vec::new() }
    }

    fn add(&mut self, (columns, values): (&[u32], &[T])) {
        for (&column, &value) in columns.iter().zip(values) {
            let sum = &mut self.sums[column as usize];
            if *sum == T::default() {
                self.used.push(column);
            }
            *sum = sum.plus(value);
        }
    }

    /// Returns the sums in use and resets them to zero.
    fn take(&mut self) -> (Vec<u32>, Vec<T>) {
        self.used.sort_unstable();
        // A sum that returned to zero along the way was recorded twice.
        self.used.dedup();
        let columns = std::mem::take(&mut self.used);
        let values = columns.iter().map(|&column| std::mem::take(&mut self.sums[column as usize])).collect();
        (columns, values)
    }
}
