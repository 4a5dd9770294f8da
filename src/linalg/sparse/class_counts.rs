//! Counts of rows by class: how often each column occurs in a class, and in how many of its rows.

use rayon::prelude::*;

use super::CsrMatrix;
use super::by_class::{Pool, check_classes, members_of};
use crate::error::Result;

/// The columns of each class, counted; one row per class.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ClassCounts {
    /// The sum of the rows of the class.
    pub(crate) occurrences: CsrMatrix<u32>,
    /// The number of rows of the class with an entry in the column; the sparsity pattern is that of `occurrences`.
    pub(crate) rows: CsrMatrix<u32>,
    /// In the column of a group: the number of entries of the group in the rows of the class that are not the first of
    /// the group in their row. The entries of a group less these are the rows that contain any of its columns.
    pub(crate) repeated: CsrMatrix<u32>,
}

impl CsrMatrix<u32> {
    /// Counts the columns of each class: row r belongs to class `classes[r]`, or to none. `groups` has for each column
    /// the column that stands for its group, itself if it is alone; `None` if every column is alone.
    ///
    /// # Errors
    /// The number of classes differs from the number of rows, or a class is out of range.
    pub(crate) fn count_rows_by(
        &self,
        classes: &[Option<usize>],
        n_classes: usize,
        groups: Option<&[u32]>,
    ) -> Result<ClassCounts> {
        let counted = self.counted_by(classes, n_classes, groups, Counter::take)?;
        let matrix = |row: fn(&Counted) -> (&[u32], &[u32])| CsrMatrix::from_rows(self.cols(), counted.iter().map(row));
        Ok(ClassCounts {
            occurrences: matrix(|class| (&class.columns, &class.occurrences)),
            rows: matrix(|class| (&class.columns, &class.rows)),
            repeated: matrix(|class| (&class.groups, &class.repeated)),
        })
    }

    /// The `n` columns of each class for which `weigh` is highest and positive, highest first, given the column, its
    /// occurrences in the class and the rows of the class that have it; ties are broken by column.
    ///
    /// # Errors
    /// The number of classes differs from the number of rows, or a class is out of range.
    pub(crate) fn best_columns_by(
        &self,
        classes: &[Option<usize>],
        n_classes: usize,
        n: usize,
        weigh: impl Fn(u32, u32, u32) -> f64 + Sync,
    ) -> Result<Vec<Vec<u32>>> {
        self.counted_by(classes, n_classes, None, |counter| counter.take_best(n, &weigh))
    }

    /// What `take` returns for the counted rows of each class.
    fn counted_by<'g, R: Default + Send>(
        &self,
        classes: &[Option<usize>],
        n_classes: usize,
        groups: Option<&'g [u32]>,
        take: impl Fn(&mut Counter<'g>) -> R + Sync,
    ) -> Result<Vec<R>> {
        check_classes(classes, self.rows(), n_classes)?;
        let pool = Pool::default();
        let count = |rows: &Vec<usize>| match rows.is_empty() {
            true => R::default(),
            false => pool.lend(
                || Counter::new(self.cols(), groups),
                |counter| {
                    rows.iter().enumerate().for_each(|(at, &row)| counter.add(at as u32 + 1, self.row(row)));
                    take(counter)
                },
            ),
        };
        Ok(members_of(classes, n_classes).par_iter().with_max_len(1).map(count).collect())
    }
}

/// The counts of a class, by ascending column.
#[derive(Default)]
struct Counted {
    columns: Vec<u32>,
    occurrences: Vec<u32>,
    rows: Vec<u32>,
    groups: Vec<u32>,
    repeated: Vec<u32>,
}

/// Dense counts of one class, with the columns that are in use.
struct Counter<'a> {
    groups: Option<&'a [u32]>,
    /// Occurrences and rows, of every column.
    counts: Vec<(u32, u32)>,
    used: Vec<u32>,
    /// For every group, the last row that had one of its columns, and the number of repeated entries.
    last: Vec<(u32, u32)>,
}

impl<'a> Counter<'a> {
    fn new(cols: usize, groups: Option<&'a [u32]>) -> Self {
        let last = vec![(0, 0); if groups.is_some() { cols } else { 0 }];
        Counter { groups, counts: vec![(0, 0); cols], used: Vec::new(), last }
    }

    /// Adds a row; `number` is its number in the class, from 1.
    fn add(&mut self, number: u32, (columns, values): (&[u32], &[u32])) {
        for (&column, &value) in columns.iter().zip(values) {
            let (occurrences, rows) = &mut self.counts[column as usize];
            if *rows == 0 {
                self.used.push(column);
            }
            *occurrences = occurrences.saturating_add(value);
            *rows += 1;
            if let Some(groups) = self.groups {
                let (last, repeated) = &mut self.last[groups[column as usize] as usize];
                *repeated += u32::from(*last == number);
                *last = number;
            }
        }
    }

    /// Returns the `n` columns of the highest positive weight, and resets the counts to zero.
    fn take_best(&mut self, n: usize, weigh: impl Fn(u32, u32, u32) -> f64) -> Vec<u32> {
        let mut best: Vec<(f64, u32)> = Vec::with_capacity(n + 1);
        for column in self.used.drain(..) {
            let (occurrences, rows) = std::mem::take(&mut self.counts[column as usize]);
            let weight = weigh(column, occurrences, rows);
            if weight <= 0.0 || (best.len() == n && best.last().is_some_and(|last| weight < last.0)) {
                continue;
            }
            let comes_before = |&(other, at): &(f64, u32)| other > weight || (other == weight && at < column);
            best.insert(best.partition_point(comes_before), (weight, column));
            best.truncate(n);
        }
        best.into_iter().map(|(_, column)| column).collect()
    }

    /// Returns the counts and resets them to zero.
    fn take(&mut self) -> Counted {
        self.used.sort_unstable();
        let mut counted = Counted { columns: std::mem::take(&mut self.used), ..Counted::default() };
        for &column in &counted.columns {
            let (occurrences, rows) = std::mem::take(&mut self.counts[column as usize]);
            counted.occurrences.push(occurrences);
            counted.rows.push(rows);
        }
        if let Some(groups) = self.groups {
            let of_group = |&column: &u32| {
                let group = groups[column as usize];
                let (_, repeated) = std::mem::take(&mut self.last[group as usize]);
                (repeated > 0).then_some((group, repeated))
            };
            let mut repeated: Vec<(u32, u32)> = counted.columns.iter().filter_map(of_group).collect();
            repeated.sort_unstable();
            (counted.groups, counted.repeated) = repeated.into_iter().unzip();
        }
        counted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_counted_by_class_and_group() -> Result<()> {
        // cat cats | cats | dog dog | cat cats: the first two in class 0, the others in class 1.
        let (ends, columns) = (vec![0, 2, 3, 4, 6], vec![0, 1, 1, 2, 0, 1]);
        let texts = CsrMatrix::new(3, ends, columns, vec![1, 2, 1, 2, 4, 1])?;
        let classes = [Some(0), Some(0), Some(1), Some(1)];
        let counts = texts.count_rows_by(&classes, 2, Some(&[1, 1, 2]))?;
        assert_eq!(counts.occurrences, texts.sum_rows_by(&classes, 2)?);
        assert_eq!(counts.rows.row(0), (&[0, 1][..], &[1, 2][..]));
        assert_eq!(counts.rows.row(1), (&[0, 1, 2][..], &[1; 3][..]));
        assert_eq!((counts.repeated.get(0, 1), counts.repeated.get(1, 1), counts.repeated.entries()), (1, 1, 2));
        let alone = texts.count_rows_by(&classes, 2, None)?;
        assert_eq!((alone.occurrences, alone.rows, alone.repeated.entries()), (counts.occurrences, counts.rows, 0));
        assert!(texts.count_rows_by(&classes[1..], 2, None).is_err());
        Ok(())
    }
}
