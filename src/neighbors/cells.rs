//! Partitions the rows into cells of nearby rows by recursive two-means bisection.

use std::cmp::Reverse;
use std::ops::Range;

use rayon::prelude::*;

use super::shortlist::{Shortlists, row_of};
use super::sketch::{Sketches, dot};
use super::tile::{Packed, offer_tile};
use crate::error::Result;
use crate::state::State;

/// Maximum number of rows in a cell; a cell has at least half as many, if there are that many rows.
const MAX_ROWS: usize = 256;

/// Evenly spaced rows of a part that its two means are computed from.
const SAMPLE: usize = 256;

/// Iterations of two-means.
const ROUNDS: usize = 4;

/// An order of the rows in which each cell is a contiguous range, and the ranges of the cells.
#[derive(Debug, Clone)]
pub(super) struct Cells {
    /// The rows, cell by cell.
    order: Vec<u32>,
    /// The start of each cell, followed by the number of rows.
    starts: Vec<usize>,
    /// The means of the cells.
    centers: Sketches,
}

impl Cells {
    /// Partitions the rows of `sketches` by their first `width` coordinates, using integer arithmetic only.
    pub(super) fn new(sketches: &Sketches, width: usize) -> Self {
        let part = Part { sketches, width };
        let mut order: Vec<u32> = (0..sketches.rows() as u32).collect();
        part.halve(&mut order);
        let mut starts = vec![0];
        add_stops(order.len(), 0, &mut starts);
        let means: Vec<Vec<i8>> = starts.par_windows(2).map(|cell| part.mean(&order[cell[0]..cell[1]])).collect();
        let half_norms = means.iter().map(|mean| dot(mean, mean) / 2).collect();
        Cells { order, starts, centers: Sketches { width, values: means.concat(), half_norms } }
    }

    /// The state of the cells.
    pub(super) fn state(&self) -> State<'_> {
        State::new("cells")
            .with_values("order", &self.order)
            .with_numbers("starts", &self.starts)
            .with_part("centers", self.centers.state())
    }

    /// The cells of a state, of this number of rows.
    pub(super) fn from_state(mut state: State<'_>, rows: usize, width: usize) -> Result<Self> {
        let order = state.take_exactly::<u32>("order", rows)?;
        let mut is_listed = vec![false; rows];
        for &row in &order {
            match is_listed.get_mut(row as usize) {
                Some(is_listed) if !*is_listed => *is_listed = true,
                _ => return Err(state.out_of_range("order")),
            }
        }
        let starts = state.take_numbers("starts", rows.saturating_add(1))?;
        if starts.len() < 2 || starts.first() != Some(&0) || starts.last() != Some(&rows) || !starts.is_sorted() {
            return Err(state.out_of_range("starts"));
        }
        let centers = Sketches::from_state(state.take_part("centers")?, starts.len() - 1, width)?;
        Ok(Cells { order, starts, centers })
    }

    /// The rows, cell by cell: a row's place is its index in this slice.
    pub(super) fn order(&self) -> &[u32] {
        &self.order
    }

    pub(super) fn count(&self) -> usize {
        self.starts.len() - 1
    }

    /// The places of the rows of `cell`.
    pub(super) fn places(&self, cell: usize) -> Range<usize> {
        self.starts[cell]..self.starts[cell + 1]
    }

    /// For each of the rows `rows` of `queries`, the `count` cells with the nearest means, nearest first, one list
    /// after another.
    pub(super) fn around(&self, queries: &Sketches, rows: &[u32], count: usize, room: &mut Room) -> Vec<u32> {
        let count = count.min(self.count());
        let Room { packed, lists, numbers } = room;
        numbers.clear();
        numbers.extend(0..rows.len() as u32);
        lists.reset(rows.len(), count);
        for first in (0..self.count()).step_by(MAX_ROWS) {
            packed.pack(&self.centers, first..self.count().min(first + MAX_ROWS), self.centers.width);
            offer_tile(queries, rows, numbers, packed, lists);
        }
        let mut cells = Vec::with_capacity(rows.len() * count);
        for list in 0..rows.len() {
            cells.extend(lists.sorted(list).iter().map(|&key| row_of(key)));
        }
        cells
    }
}

/// Scratch space for [`Cells::around`].
#[derive(Debug, Default)]
pub(super) struct Room {
    packed: Packed,
    lists: Shortlists,
    numbers: Vec<u32>,
}

/// Adds the ends of the ranges into which `halve` splits `rows` rows starting at `first`.
fn add_stops(rows: usize, first: usize, stops: &mut Vec<usize>) {
    if rows <= MAX_ROWS {
        stops.push(first + rows);
        return;
    }
    let middle = rows / 2;
    add_stops(middle, first, stops);
    add_stops(rows - middle, first + middle, stops);
}

/// Rows restricted to their first coordinates.
#[derive(Clone, Copy)]
struct Part<'a> {
    sketches: &'a Sketches,
    width: usize,
}

impl<'a> Part<'a> {
    fn row(self, row: u32) -> &'a [i8] {
        &self.sketches.row(row as usize)[..self.width]
    }

    fn halve(self, rows: &mut [u32]) {
        if rows.len() <= MAX_ROWS {
            // Keeps rows close to their order in the data: the data may be sorted, and memory is read in this order.
            rows.sort_unstable();
            return;
        }
        let direction = self.between_two_means(rows);
        let along = |&row: &u32| (dot(&direction, self.row(row)), row);
        let mut along: Vec<(i32, u32)> = rows.par_iter().with_min_len(4096).map(along).collect();
        let middle = rows.len() / 2;
        along.select_nth_unstable(middle);
        rows.iter_mut().zip(along).for_each(|(to, (_, row))| *to = row);
        let (low, high) = rows.split_at_mut(middle);
        rayon::join(|| self.halve(low), || self.halve(high));
    }

    /// The direction from one of the rows' two means to the other.
    fn between_two_means(self, rows: &[u32]) -> Vec<i8> {
        let step = rows.len().div_ceil(SAMPLE);
        let sample: Vec<u32> = rows.iter().copied().step_by(step).collect();
        let overall = self.mean(&sample);
        let first = self.row(self.farthest(&overall, &sample)).to_vec();
        let second = self.row(self.farthest(&first, &sample)).to_vec();
        let mut means = [first, second];
        for _ in 0..ROUNDS {
            let direction = difference(&means[0], &means[1]);
            // A row belongs to the first mean if it lies on its side of the midpoint; the direction is halved.
            let threshold = (dot(&means[0], &means[0]) - dot(&means[1], &means[1])) / 4;
            let is_first = |row: &u32| dot(&direction, self.row(*row)) >= threshold;
            let (first, second): (Vec<u32>, Vec<u32>) = sample.iter().partition(|row| is_first(row));
            if first.is_empty() || second.is_empty() {
                break;
            }
            means = [self.mean(&first), self.mean(&second)];
        }
        difference(&means[0], &means[1])
    }

    fn farthest(self, from: &[i8], rows: &[u32]) -> u32 {
        let distance = |row: u32| dot(self.row(row), self.row(row)) - 2 * dot(from, self.row(row));
        rows.iter().map(|&row| (distance(row), Reverse(row))).max().map_or(0, |(_, Reverse(row))| row)
    }

    fn mean(self, rows: &[u32]) -> Vec<i8> {
        let mut sums = vec![0_i32; self.width];
        for &row in rows {
            for (sum, &value) in sums.iter_mut().zip(self.row(row)) {
                *sum += i32::from(value);
            }
        }
        let count = rows.len().max(1) as i32;
        // Rounded to the nearest integer: means are small, and truncation would pull them toward 0.
        sums.iter().map(|sum| ((2 * sum + count).div_euclid(2 * count)) as i8).collect()
    }
}

/// Half the difference, so that it cannot overflow.
fn difference(a: &[i8], b: &[i8]) -> Vec<i8> {
    a.iter().zip(b).map(|(&a, &b)| ((i16::from(a) - i16::from(b)) / 2) as i8).collect()
}
