//! The k nearest neighbors of every row: exactly where that is fast, approximately where rows are many.
//!
//! A [`NeighborIndex`] holds the rows; [`NeighborIndex::searched`] says how they are to be searched,
//! [`NeighborIndex::neighbors`] asks for the neighbors of its own rows, [`NeighborIndex::query`] for those of new ones.
//! The answer, [`Neighbors`], does not say how it was found.
//!
//! The exact search is n²·d multiplications, as tiles of a matrix product; each tile is reduced to its best candidates
//! while it is in cache, so memory stays at n·k. Candidates are chosen in single precision with a margin, their distances
//! are then computed directly (no cancellation), and where rounding could have hidden a neighbor the row is searched
//! again directly.
//!
//! The approximate search compares sketches, rows as bytes in fewer dimensions: first with those in the cells around a
//! row, then with its neighbors' neighbors; the distances of the best few are computed directly. It is tried on a few
//! rows first, and given up for the exact one where it does not find their neighbors.
//!
//! Everything is bit-identical for any number of threads.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, ErrorKind, Result, Stage};
use crate::linalg::vectors::Vectors;
use crate::progress::Progress;

mod approximate;
mod brute_force;
mod candidates;
mod cells;
mod descent;
mod points;
mod principal_axes;
mod shortlist;
mod sketch;
mod tile;

use approximate::ApproximateIndex;
use points::Points;

/// How far two rows are from each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Metric {
    /// 1 minus the cosine of the angle: 0 to 2. A row of zeros is at distance 0 from another row of zeros and at
    /// distance 1 from everything else, as pynndescent has it.
    #[default]
    Cosine,
    /// The length of the difference.
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

/// The `k` nearest neighbors of some rows, in flat arrays of `k` entries a row, nearest first, ties by index.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbors {
    /// Neighbors of each row.
    pub k: usize,
    /// The neighbors' row numbers in the index: `k` for each row.
    pub indices: Vec<u32>,
    /// Their distances, ascending within a row.
    pub distances: Vec<f32>,
}

impl Neighbors {
    /// The number of rows whose neighbors these are.
    pub fn rows(&self) -> usize {
        self.indices.len().checked_div(self.k).unwrap_or(0)
    }

    /// The neighbors of row `row` and their distances; empty when there is no such row.
    pub fn row(&self, row: usize) -> (&[u32], &[f32]) {
        let range = row * self.k..(row + 1) * self.k;
        (self.indices.get(range.clone()).unwrap_or(&[]), self.distances.get(range).unwrap_or(&[]))
    }
}

/// How neighbors are looked for. The approximate search finds 97 to 99 % of 15 neighbors in tens of thousands of rows,
/// 94 % in a million, with exact distances; [`NeighborIndex::is_approximate`] says which search came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum NeighborSearch {
    /// Exactly for few rows, approximately for many (8,192 or more).
    #[default]
    Auto,
    /// Every row is compared with every other.
    Exact,
    /// By sketches, if they find the neighbors of the rows that they are tried on; else exactly.
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

    /// By its [`name`](Self::name).
    fn from_str(name: &str) -> Result<Self> {
        let all = [NeighborSearch::Auto, NeighborSearch::Exact, NeighborSearch::Approximate];
        let named = all.into_iter().find(|search| search.name() == name);
        named.ok_or_else(|| Error::parameter(Stage::Reduce, "neighbor_search", name, "auto, exact or approximate"))
    }
}

/// From this many rows on approximate search is the faster one.
const MANY_ROWS: usize = 8192;

/// Rows that can be asked for the nearest neighbors of a row. It shares them with their owner, and adds a number or
/// two for each; for the approximate search, another 64 to 512 bytes.
#[derive(Debug, Clone)]
pub struct NeighborIndex {
    points: Points,
    approximate: Option<ApproximateIndex>,
}

impl NeighborIndex {
    /// Takes the rows of `data`. `stage` is the stage that errors name.
    ///
    /// # Errors
    /// No rows, no columns, more than 2³² − 2 rows, or a value that is not finite (or, under the euclidean metric, so
    /// large that its square is not).
    pub fn new(data: impl Into<Vectors>, metric: Metric, stage: Stage) -> Result<Self> {
        let data = data.into();
        let (rows, columns) = (data.rows(), data.columns());
        if rows == 0 || columns == 0 {
            let message = format!("there is nothing to search for neighbors: {rows} rows of {columns} columns");
            return Err(Error::new(ErrorKind::InvalidData, stage, message));
        }
        if rows >= u32::MAX as usize {
            return Err(Error::new(
                ErrorKind::InvalidData,
                stage,
                format!("{rows} rows are too many: at most 2^32 - 2"),
            ));
        }
        Ok(NeighborIndex { points: Points::new(data, metric, stage)?, approximate: None })
    }

    /// The same rows, to be searched as `search` says. A new index is searched exactly.
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
            let task = progress.task(stage, "index of neighbors", ApproximateIndex::WORK * self.rows());
            self.approximate = ApproximateIndex::new(&self.points, stage, &task);
            task.finish()?;
            if self.approximate.is_none() {
                progress.note(stage, "neighbors are searched exactly: sketches do not find those of these vectors");
            }
        }
        Ok(self)
    }

    /// Whether the search is approximate.
    pub fn is_approximate(&self) -> bool {
        self.approximate.is_some()
    }

    /// The number of rows in the index.
    pub fn rows(&self) -> usize {
        self.points.rows()
    }

    /// The width of its rows.
    pub fn columns(&self) -> usize {
        self.points.columns()
    }

    /// The metric that it was made for.
    pub fn metric(&self) -> Metric {
        self.points.metric()
    }

    /// The `k` nearest rows of each row of the index, itself first at distance 0 (also among duplicates, as umap-learn
    /// has it). `k` is at least 1 and cut to the number of rows. Progress is the task `neighbors` of `stage`.
    ///
    /// # Errors
    /// [`ErrorKind::Interrupted`].
    pub fn neighbors(&self, k: usize, stage: Stage, progress: &Progress) -> Result<Neighbors> {
        let k = k.clamp(1, self.rows());
        let found = match &self.approximate {
            Some(index) => index.neighbors_of_own_rows(&self.points, k, stage, progress),
            None => brute_force::neighbors_of_own_rows(&self.points, k, stage, progress),
        };
        progress.check(stage)?;
        Ok(found)
    }

    /// The `k` nearest rows of the index for each row of `data`; `k` is at least 1 and cut to the number of rows of the
    /// index. A row's answer does not depend on the other rows of `data`.
    ///
    /// # Errors
    /// Rows of another width than the index's, or values that are not finite; [`ErrorKind::Interrupted`].
    pub fn query(&self, data: impl Into<Vectors>, k: usize, stage: Stage, progress: &Progress) -> Result<Neighbors> {
        let data = data.into();
        if data.columns() != self.columns() {
            let message = format!("rows have {} columns, but {} are expected", data.columns(), self.columns());
            return Err(Error::new(ErrorKind::InvalidData, stage, message));
        }
        let queries = self.points.queries(data, stage)?;
        let k = k.clamp(1, self.rows());
        let found = match &self.approximate {
            Some(index) => index.neighbors_of_new_rows(&self.points, &queries, k, stage, progress),
            None => brute_force::neighbors_of_new_rows(&self.points, &queries, k, stage, progress),
        };
        progress.check(stage)?;
        Ok(found)
    }

    /// Adds row `row`, as the index compares it, to `sums`: normalized for the cosine metric, centered for the euclidean.
    pub(crate) fn add_prepared_row(&self, row: usize, sums: &mut Vec<f64>, room: &mut Vec<f32>) {
        room.resize(self.points.width(), 0.0);
        sums.resize(self.points.width(), 0.0);
        self.points.prepare_row(row, room);
        sums.iter_mut().zip(room).for_each(|(sum, value)| *sum += f64::from(*value));
    }
}
