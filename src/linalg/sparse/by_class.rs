//! Sums and cosine similarities of rows by class, on all threads. Threads take one class at a time, since a class may
//! contain most of the rows.

use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::{CsrMatrix, Value, invalid};
use crate::error::Result;
use crate::linalg::vectors::cosine;

/// The maximum number of rows of a class that one thread compares with it at a time. With fewer, writing the class as a
/// dense row costs more.
const ROWS: usize = 2048;

impl<T: Value> CsrMatrix<T> {
    /// Sums the rows of each class: row r belongs to class `classes[r]`, or to none. Returns `n_classes` rows; a class
    /// without rows has an empty row. Rows are added in order, regardless of the number of threads.
    ///
    /// # Errors
    /// The number of classes differs from the number of rows, or a class is out of range.
    pub fn sum_rows_by(&self, classes: &[Option<usize>], n_classes: usize) -> Result<Self> {
        check_classes(classes, self.rows(), n_classes)?;
        let members = members_of(classes, n_classes);
        let pool = Pool::default();
        let sum = |rows: &Vec<usize>| match rows.is_empty() {
            true => (Vec::new(), Vec::new()),
            false => pool.lend(
                || RowSums::new(self.cols),
                |sums| {
                    rows.iter().for_each(|&row| sums.add(self.row(row)));
                    sums.take()
                },
            ),
        };
        let summed: Vec<(Vec<u32>, Vec<T>)> = members.par_iter().with_max_len(1).map(sum).collect();
        Ok(CsrMatrix::from_rows(self.cols, summed.iter().map(|(columns, values)| (&columns[..], &values[..]))))
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
        let score = |row: usize, class: &[((), f64)]| {
            let (columns, values) = self.row(row);
            let product = |(&column, value): (&u32, &T)| value.as_f64() * class[column as usize].1;
            (columns.iter().zip(values).map(product).sum(), self.norm(row))
        };
        Ok(other.cosines_by(classes, |_| (), score))
    }

    /// The cosine similarity between each row of another matrix and the row of `self` for its class; 0 if it has no
    /// class. `score` returns the row's inner product with a dense row of `self`, and the row's norm. The dense row
    /// stores with each value what `score` needs to know about the column (`beside`), so that both are read from memory
    /// at once. The result does not depend on the number of threads.
    pub(crate) fn cosines_by<B: Copy + Send>(
        &self,
        classes: &[Option<usize>],
        beside: impl Fn(usize) -> B + Sync,
        score: impl Fn(usize, &[(B, f64)]) -> (f64, f64) + Sync,
    ) -> Vec<f64> {
        let members = members_of(classes, self.rows());
        let pieces: Vec<(usize, &[usize])> = members
            .iter()
            .enumerate()
            .flat_map(|(class, rows)| rows.chunks(ROWS).map(move |rows| (class, rows)))
            .collect();
        let pool = Pool::default();
        let empty = || (0..self.cols).map(|column| (beside(column), 0.0)).collect::<Vec<(B, f64)>>();
        // The row of a class has many entries and is compared with many rows: a dense row does not have to be searched.
        let of_piece = |spread: &mut Vec<(B, f64)>, class: usize, rows: &[usize]| {
            let (columns, values) = self.row(class);
            columns.iter().zip(values).for_each(|(&column, value)| spread[column as usize].1 = value.as_f64());
            let norm = self.norm(class);
            let score = |&row: &usize| {
                let (dot, length) = score(row, spread);
                cosine(dot, length, norm)
            };
            let scores: Vec<f64> = rows.iter().map(score).collect();
            columns.iter().for_each(|&column| spread[column as usize].1 = 0.0);
            scores
        };
        let scored: Vec<Vec<f64>> = pieces
            .par_iter()
            .with_max_len(1)
            .map(|&(class, rows)| pool.lend(empty, |spread| of_piece(spread, class, rows)))
            .collect();
        let mut scores = vec![0.0; classes.len()];
        let rows = pieces.iter().flat_map(|(_, rows)| *rows);
        rows.zip(scored.iter().flatten()).for_each(|(&row, &score)| scores[row] = score);
        scores
    }
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

/// The rows of each class, ascending.
pub(super) fn members_of(classes: &[Option<usize>], n_classes: usize) -> Vec<Vec<usize>> {
    let mut members = vec![Vec::new(); n_classes];
    for (row, class) in classes.iter().enumerate().filter_map(|(row, class)| Some((row, (*class)?))) {
        members[class].push(row);
    }
    members
}

/// Scratch space that threads borrow and return in its initial state.
pub(super) struct Pool<S>(Mutex<Vec<S>>);

impl<S> Default for Pool<S> {
    fn default() -> Self {
        Pool(Mutex::default())
    }
}

impl<S> Pool<S> {
    pub(super) fn lend<R>(&self, new: impl FnOnce() -> S, work: impl FnOnce(&mut S) -> R) -> R {
        let free = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let returned = free().pop();
        let mut scratch = returned.unwrap_or_else(new);
        let result = work(&mut scratch);
        free().push(scratch);
        result
    }
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
        // A column whose sum returned to zero along the way was recorded twice.
        self.used.dedup();
        let columns = std::mem::take(&mut self.used);
        let values = columns.iter().map(|&column| std::mem::take(&mut self.sums[column as usize])).collect();
        (columns, values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_classes_are_compared_in_pieces() -> Result<()> {
        let rows = 2 * ROWS + 7;
        let value = |row: usize, column: u32| ((row * 31 + column as usize * 17) % 23) as f64 + 0.5;
        let data = (0..rows).flat_map(|row| [0, 1, 2].map(|column| value(row, column))).collect();
        let matrix = CsrMatrix::new(3, (0..=rows).map(|row| 3 * row).collect(), [0, 1, 2].repeat(rows), data)?;
        let classes: Vec<Option<usize>> =
            (0..rows).map(|row| if row % 9 == 8 { None } else { Some(usize::from(row % 50 == 0)) }).collect();
        let sums = matrix.sum_rows_by(&classes, 2)?;
        let cosines = matrix.cosines(&sums, &classes)?;
        for (row, class) in classes.iter().enumerate() {
            let expected = class.map_or(0.0, |class| matrix.cosine(row, &sums, class));
            assert_eq!(cosines[row], expected, "{row}");
        }
        Ok(())
    }
}
