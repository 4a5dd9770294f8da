//! The k nearest neighbors of every row: exact where that is fast, approximate for many rows.
//!
//! A [`NeighborIndex`] contains the rows; [`NeighborIndex::searched`] selects the search method,
//! [`NeighborIndex::neighbors`] returns the neighbors of its own rows, and [`NeighborIndex::query`] those of new rows.
//! The result, [`Neighbors`], does not record how it was found.
//!
//! The exact search takes n²·d multiplications, computed as tiles of a matrix product; each tile is reduced to its best
//! candidates while it is in cache, so memory stays at n·k. Candidates are selected in single precision with a margin,
//! and their distances are then computed directly (without cancellation). If rounding could have hidden a neighbor, the
//! row is searched again directly.
//!
//! The approximate search compares sketches, which are rows quantized to bytes in fewer dimensions: first with those in
//! the cells around a row, then with its neighbors' neighbors; the distances of the best few are computed directly. It
//! is first tested on a few rows, and the exact search is used instead if it does not find their neighbors.
//!
//! Everything is bit-identical for any number of threads.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result, Stage};
use crate::linalg::vector_sum::VectorSum;
use crate::linalg::vectors::Vectors;
use crate::progress::Progress;

mod approximate;
mod brute_force;
mod candidates;
mod cells;
mod descent;
mod points;
mod principal_axes;
mod saved;
mod shortlist;
mod sketch;
mod tile;

use approximate::ApproximateIndex;
use points::Points;

/// The distance between two rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Metric {
    /// 1 minus the cosine of the angle: 0 to 2. A row of zeros is at distance 0 from other rows of zeros and at
    /// distance 1 from everything else, as in pynndescent.
    #[default]
    Cosine,
    /// The length of the difference vector.
    Euclidean,
}

impl Metric {
    /// The metric's name: `cosine`, `euclidean`.
    pub fn name(self) -> &'static str {
        match self {
            Metric::Cosine => "cosine",
            Metric::Euclidean => "euclidean",
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The `k` nearest neighbors of some rows, in flat arrays of `k` entries per row, nearest first, with ties broken by
/// index.
///
/// ```
/// use topicframe::ndarray::array;
/// use topicframe::neighbors::NeighborIndex;
/// use topicframe::prelude::*;
///
/// let index = NeighborIndex::new(array![[0.0], [1.0], [5.0]], Metric::Euclidean, Stage::Reduce)?;
/// let found = index.neighbors(2, Stage::Reduce, &Progress::silent())?;
/// assert_eq!((found.rows(), found.k), (3, 2));
/// assert_eq!(found.row(2), (&[2, 1][..], &[0.0, 4.0][..]));         // a row is its own nearest neighbor
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbors {
    /// The number of neighbors per row.
    pub k: usize,
    /// The row numbers of the neighbors in the index: `k` per row.
    pub indices: Vec<u32>,
    /// Their distances, ascending within a row.
    pub distances: Vec<f32>,
}

impl Neighbors {
    /// The number of rows whose neighbors these are.
    pub fn rows(&self) -> usize {
        self.indices.len().checked_div(self.k).unwrap_or(0)
    }

    /// The neighbors of row `row` and their distances; empty if there is no such row.
    pub fn row(&self, row: usize) -> (&[u32], &[f32]) {
        let range = row * self.k..(row + 1) * self.k;
        (self.indices.get(range.clone()).unwrap_or(&[]), self.distances.get(range).unwrap_or(&[]))
    }
}

/// The nearest-neighbor search method. The approximate search finds 97 to 99% of 15 neighbors in tens of thousands of
/// rows and 94% in a million, with exact distances; [`NeighborIndex::is_approximate`] returns which search is used.
///
/// ```
/// use topicframe::prelude::*;
///
/// // Exact neighbors, however many rows there are.
/// let umap = Umap::new().neighbor_search(NeighborSearch::Exact);
/// # assert!(umap.check().is_ok());
/// assert_eq!("exact".parse::<NeighborSearch>()?, NeighborSearch::Exact);
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NeighborSearch {
    /// Exact for few rows, approximate for many (8,192 or more).
    #[default]
    Auto,
    /// Every row is compared with every other.
    Exact,
    /// By sketches if they find the neighbors of the trial rows, otherwise exact.
    Approximate,
}

impl NeighborSearch {
    /// The name: `auto`, `exact`, `approximate`.
    pub fn name(self) -> &'static str {
        match self {
            NeighborSearch::Auto => "auto",
            NeighborSearch::Exact => "exact",
            NeighborSearch::Approximate => "approximate",
        }
    }
}

impl fmt::Display for NeighborSearch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for NeighborSearch {
    type Err = Error;

    /// Parses a search method from its [`name`](Self::name).
    fn from_str(name: &str) -> Result<Self> {
        let all = [NeighborSearch::Auto, NeighborSearch::Exact, NeighborSearch::Approximate];
        let named = all.into_iter().find(|search| search.name() == name);
        named.ok_or_else(|| {
            Error::invalid_parameter(Stage::Reduce, "neighbor_search", name, "auto, exact or approximate")
        })
    }
}

/// The number of rows from which the approximate search is faster.
const MANY_ROWS: usize = 8192;

/// Rows that can be searched for the nearest neighbors of a row. The index shares the rows with their owner and adds
/// one or two values per row; the approximate search adds another 64 to 512 bytes.
///
/// ```
/// use topicframe::ndarray::array;
/// use topicframe::neighbors::NeighborIndex;
/// use topicframe::prelude::*;
///
/// let index = NeighborIndex::new(array![[0.0, 0.0], [0.0, 3.0], [9.0, 9.0]], Metric::Euclidean, Stage::Reduce)?;
/// let found = index.query(array![[0.0, 2.0]], 2, Stage::Reduce, &Progress::silent())?;
/// assert_eq!(found.row(0), (&[1, 0][..], &[1.0, 2.0][..]));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct NeighborIndex {
    points: Points,
    approximate: Option<ApproximateIndex>,
}

impl NeighborIndex {
    /// Creates an index over the rows of `data`. `stage` is the stage named in errors.
    ///
    /// # Errors
    /// No rows, no columns, more than 2³² − 2 rows, or a value that is not finite (or, under the Euclidean metric, too
    /// large for its square to be finite).
    pub fn new(data: impl Into<Vectors>, metric: Metric, stage: Stage) -> Result<Self> {
        let data = data.into();
        let (rows, columns) = (data.rows(), data.columns());
        if rows == 0 || columns == 0 {
            let message = format!("nothing to search for neighbors: {rows} rows of {columns} columns");
            return Err(Error::new(ErrorKind::InvalidData, stage, message));
        }
        if rows >= u32::MAX as usize {
            return Err(Error::new(
                ErrorKind::InvalidData,
                stage,
                format!("{rows} rows are too many (maximum: 2^32 - 2)"),
            ));
        }
        Ok(NeighborIndex { points: Points::new(data, metric, stage)?, approximate: None })
    }

    /// The same rows, with the search method `search`. A new index uses exact search.
    ///
    /// # Errors
    /// [`ErrorKind::Interrupted`].
    pub fn searched(mut self, search: NeighborSearch, stage: Stage, progress: &Progress) -> Result<Self> {
        let approximately = match search {
            NeighborSearch::Auto => self.rows() >= MANY_ROWS,
            NeighborSearch::Exact => false,
            NeighborSearch::Approximate => true,
        };
        self.approximate = None;
        if approximately {
            let task = progress.task(stage, "neighbor index", ApproximateIndex::WORK * self.rows());
            self.approximate = ApproximateIndex::new(&self.points, stage, &task);
            task.finish()?;
            if self.approximate.is_none() {
                progress.note(stage, "using exact neighbor search: sketches do not find these vectors' neighbors");
            }
        }
        Ok(self)
    }

    /// Whether the search is approximate: if [`NeighborSearch::Auto`] was set, this depends on the number of rows, and
    /// if sketches of the vectors do not find their neighbors, the search is exact in any case.
    ///
    /// ```
    /// use topicframe::ndarray::array;
    /// use topicframe::neighbors::NeighborIndex;
    /// use topicframe::prelude::*;
    ///
    /// let index = NeighborIndex::new(array![[0.0], [1.0]], Metric::Euclidean, Stage::Reduce)?;
    /// assert!(!index.is_approximate());                             // few rows
    /// # Ok::<(), Error>(())
    /// ```
    pub fn is_approximate(&self) -> bool {
        self.approximate.is_some()
    }

    /// The number of rows in the index.
    pub fn rows(&self) -> usize {
        self.points.rows()
    }

    /// The number of columns of its rows.
    pub fn columns(&self) -> usize {
        self.points.columns()
    }

    /// The metric that the index was built for.
    pub fn metric(&self) -> Metric {
        self.points.metric()
    }

    /// The `k` nearest rows of each row of the index, with the row itself first at distance 0 (even among duplicates,
    /// as in umap-learn). Progress is reported as the task `neighbors` of `stage`.
    ///
    /// # Errors
    /// A `k` of 0, or above the number of rows; [`ErrorKind::Interrupted`].
    pub fn neighbors(&self, k: usize, stage: Stage, progress: &Progress) -> Result<Neighbors> {
        self.check_k(k, stage)?;
        let found = match &self.approximate {
            Some(index) => index.neighbors_of_own_rows(&self.points, k, stage, progress),
            None => brute_force::neighbors_of_own_rows(&self.points, k, stage, progress),
        };
        progress.check(stage)?;
        Ok(found)
    }

    /// The `k` nearest rows of the index for each row of `data`. The result for a row does not depend on the other rows
    /// of `data`.
    ///
    /// # Errors
    /// A `k` of 0, or above the number of rows in the index; rows with a different number of columns than the index, or
    /// values that are not finite; [`ErrorKind::Interrupted`].
    pub fn query(&self, data: impl Into<Vectors>, k: usize, stage: Stage, progress: &Progress) -> Result<Neighbors> {
        self.check_k(k, stage)?;
        let data = data.into();
        if data.columns() != self.columns() {
            let message = format!("rows have {} columns; expected {}", data.columns(), self.columns());
            return Err(Error::new(ErrorKind::InvalidData, stage, message));
        }
        let queries = self.points.queries(data, stage)?;
        let found = match &self.approximate {
            Some(index) => index.neighbors_of_new_rows(&self.points, &queries, k, stage, progress),
            None => brute_force::neighbors_of_new_rows(&self.points, &queries, k, stage, progress),
        };
        progress.check(stage)?;
        Ok(found)
    }

    fn check_k(&self, k: usize, stage: Stage) -> Result<()> {
        if (1..=self.rows()).contains(&k) {
            return Ok(());
        }
        let allowed = format!("from 1 to the number of rows ({})", self.rows());
        Err(Error::invalid_parameter(stage, "k", k, &allowed))
    }

    /// The mean of `rows`, as prepared for the index: normalized for the cosine metric, centered for the Euclidean.
    pub(crate) fn mean_of_rows(&self, rows: &[u32]) -> Vec<f32> {
        let mut prepared = vec![0.0; self.points.width()];
        let mut sum = VectorSum::new(self.points.width());
        for &row in rows {
            self.points.prepare_row(row as usize, &mut prepared);
            sum.add(prepared.iter().copied());
        }
        sum.mean_f32()
    }
}
