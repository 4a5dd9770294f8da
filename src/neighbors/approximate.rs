//! Approximate search: a shortlist for each row is built from sketches, first from the surrounding cells, then from its
//! neighbors' neighbors; the shortlist is ranked by the actual distances.
//!
//! Sketches are integers, so a shortlist is the same on every machine and for any number of threads.

use rayon::prelude::*;

use super::Neighbors;
use super::brute_force::neighbors_of_new_rows;
use super::cells::{Cells, Room};
use super::descent::descend;
use super::points::Points;
use super::shortlist::{NOBODY, Shortlists, row_of};
use super::sketch::{Sketcher, Sketches};
use super::tile::{Packed, offer_tile};
use crate::error::{Result, Stage};
use crate::progress::{Progress, Task};
use crate::state::State;

/// The step between sketch widths to try, and the smallest width.
const WIDTH_STEP: usize = 32;

/// New rows searched for together.
const QUERIES: usize = 64;

/// The recall that an ideal search by sketches must achieve for a width to be accepted.
const NEEDED_RECALL: f64 = 0.985;

/// Rows that a width is tested on.
const TRIALS: usize = 128;

/// Trial rows looked up together, and the rows they are compared with at a time.
const TRIALS_AT_A_TIME: usize = 32;
const ROWS_OF_A_TILE: usize = 256;

/// Nearest neighbors of each trial row that must be found.
const TRIAL_NEIGHBORS: usize = 15;

/// Minimum shortlist length; twice the number of neighbors beyond the usual 15 is added to it.
const SHORTLIST: usize = 32;

/// Rows in the surrounding cells that each row is compared with when all rows are searched: a quarter of all rows,
/// within this range.
const VISITS: (usize, usize) = (2048, 8192);

/// The same for a new row, for which the neighbors' neighbors are not searched.
const VISITS_OF_NEW: usize = 32_768;

/// Rounds of nearest-neighbor descent.
const ROUNDS: usize = 1;

/// Sketches of the rows, grouped into cells of nearby rows.
#[derive(Debug, Clone)]
pub(super) struct ApproximateIndex {
    sketcher: Sketcher,
    cells: Cells,
    /// In the order of the cells.
    sketches: Sketches,
    /// The same sketches, cell by cell.
    packed: Vec<Packed>,
}

impl ApproximateIndex {
    /// Units of work per row when building an index: axes, sketches, their trials, and cells.
    pub(super) const WORK: usize = 4;

    /// Sketches `points` with the smallest sufficient width; `None` if no width is sufficient.
    ///
    /// `task` has [`WORK`](Self::WORK) units per row.
    pub(super) fn new(points: &Points, stage: Stage, task: &Task) -> Option<Self> {
        let trials = Trials::new(points, stage)?;
        let sketcher = Sketcher::new(points);
        task.advance(points.rows());
        let sketches = sketcher.sketch(points, task);
        if task.is_interrupted() {
            return None;
        }
        let widths = (1..).map(|step| step * WIDTH_STEP).take_while(|&width| width <= sketcher.width());
        let width = widths.into_iter().find(|&width| trials.succeed(&sketches, width))?;
        task.advance(points.rows());
        if task.is_interrupted() {
            return None;
        }
        let cells = Cells::new(&sketches, width);
        task.advance(points.rows());
        let sketches = sketches.in_order(cells.order(), width);
        Some(Self::of(sketcher.narrowed(width), cells, sketches))
    }

    fn of(sketcher: Sketcher, cells: Cells, sketches: Sketches) -> Self {
        let packed = (0..cells.count()).into_par_iter().map(|cell| {
            let mut packed = Packed::default();
            packed.pack(&sketches, cells.places(cell), sketches.width);
            packed
        });
        ApproximateIndex { packed: packed.collect(), sketcher, cells, sketches }
    }

    /// The state of the index.
    pub(super) fn state(&self) -> State<'_> {
        State::new("sketches")
            .with_part("sketcher", self.sketcher.state())
            .with_part("cells", self.cells.state())
            .with_part("sketches", self.sketches.state())
    }

    /// The index of a state, over these rows.
    pub(super) fn from_state(mut state: State<'_>, points: &Points) -> Result<Self> {
        let sketcher = Sketcher::from_state(state.take_part("sketcher")?, points.width())?;
        let cells = Cells::from_state(state.take_part("cells")?, points.rows(), sketcher.width())?;
        let sketches = Sketches::from_state(state.take_part("sketches")?, points.rows(), sketcher.width())?;
        Ok(Self::of(sketcher, cells, sketches))
    }

    /// The `k` nearest rows of each row, with the row itself first.
    pub(super) fn neighbors_of_own_rows(
        &self,
        points: &Points,
        k: usize,
        stage: Stage,
        progress: &Progress,
    ) -> Neighbors {
        let length = shortlist_length(k).min(points.rows());
        let rows = points.rows();
        let task = progress.task(stage, "neighbors", rows * (ROUNDS + 2));
        let mut lists = self.lists_from_cells(length, &task);
        for _ in 0..ROUNDS {
            lists = descend(&self.sketches, &lists, length, &task);
        }
        let mut places = vec![0_u32; rows];
        for (place, &row) in (0..).zip(self.cells.order()) {
            places[row as usize] = place;
        }
        let mut found = Neighbors { k, indices: vec![0; rows * k], distances: vec![0.0; rows * k] };
        let rooms = found.indices.par_chunks_exact_mut(k).zip(found.distances.par_chunks_exact_mut(k));
        rooms.enumerate().for_each_init(Vec::new, |ranked, (row, (indices, distances))| {
            if task.is_interrupted() {
                return;
            }
            let place = places[row] as usize;
            self.rank(points, points, row, &lists[place * length..(place + 1) * length], ranked);
            indices[0] = row as u32;
            take(points, ranked, &mut indices[1..], &mut distances[1..]);
            if row.is_multiple_of(QUERIES) {
                task.advance(QUERIES.min(rows - row));
            }
        });
        found
    }

    /// The `k` nearest rows for each row of `queries`, independently of the other queries.
    pub(super) fn neighbors_of_new_rows(
        &self,
        points: &Points,
        queries: &Points,
        k: usize,
        stage: Stage,
        progress: &Progress,
    ) -> Neighbors {
        let rows = queries.rows();
        let length = shortlist_length(k).min(points.rows());
        let task = progress.task(stage, "neighbors", 2 * rows);
        let sketches = self.sketcher.sketch(queries, &task);
        let mut found = Neighbors { k, indices: vec![0; rows * k], distances: vec![0.0; rows * k] };
        let rooms = found.indices.par_chunks_mut(QUERIES * k).zip(found.distances.par_chunks_mut(QUERIES * k));
        rooms.enumerate().for_each_init(Search::default, |search, (chunk, (indices, distances))| {
            if task.is_interrupted() {
                return;
            }
            let first = chunk * QUERIES;
            let rows: Vec<u32> = (first..first + indices.len() / k).map(|row| row as u32).collect();
            search.run(self, &sketches, &rows, VISITS_OF_NEW, length);
            let rooms = indices.chunks_exact_mut(k).zip(distances.chunks_exact_mut(k));
            let (mut list, mut ranked) = (Vec::new(), Vec::new());
            for ((number, &row), (indices, distances)) in rows.iter().enumerate().zip(rooms) {
                list.clear();
                list.extend(search.lists.sorted(number).iter().map(|&key| row_of(key)));
                self.rank(points, queries, row as usize, &list, &mut ranked);
                take(points, &ranked, indices, distances);
            }
            task.advance(rows.len());
        });
        found
    }

    /// For each place, the places of the best rows in the surrounding cells, best first.
    fn lists_from_cells(&self, length: usize, task: &Task) -> Vec<u32> {
        let visits = (self.sketches.rows() / 4).clamp(VISITS.0, VISITS.1);
        let mut lists = vec![NOBODY; self.sketches.rows() * length];
        let mut rest = lists.as_mut_slice();
        let mut rooms = Vec::with_capacity(self.cells.count());
        for cell in 0..self.cells.count() {
            let (room, others) = rest.split_at_mut(self.cells.places(cell).len() * length);
            rooms.push(room);
            rest = others;
        }
        rooms.into_par_iter().enumerate().for_each_init(Search::default, |search, (cell, room)| {
            if task.is_interrupted() {
                return;
            }
            let places: Vec<u32> = self.cells.places(cell).map(|place| place as u32).collect();
            // One more than needed, since a row is on its own list.
            search.run(self, &self.sketches, &places, visits, length + 1);
            for ((number, &own), room) in places.iter().enumerate().zip(room.chunks_exact_mut(length)) {
                let best = search.lists.sorted(number).iter().map(|&key| row_of(key)).filter(|&place| place != own);
                room.iter_mut().zip(best).for_each(|(to, place)| *to = place);
            }
            task.advance(places.len());
        });
        lists
    }

    /// Sorts the rows at the places of `list` by their distances from row `row` of `queries`.
    fn rank(&self, points: &Points, queries: &Points, row: usize, list: &[u32], ranked: &mut Vec<(f32, u32)>) {
        let measure = points.measure(queries, row);
        let order = self.cells.order();
        let rows = list.iter().filter(|&&place| place != NOBODY).map(|&place| order[place as usize]);
        ranked.clear();
        ranked.extend(rows.map(|other| (measure.half_squared(other), other)));
        ranked.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    }
}

fn take(points: &Points, ranked: &[(f32, u32)], indices: &mut [u32], distances: &mut [f32]) {
    for ((index, distance), &(half_squared, neighbor)) in indices.iter_mut().zip(distances).zip(ranked) {
        *distance = points.distance(half_squared);
        *index = neighbor;
    }
}

/// A search in the cells around each of some rows, with its scratch space.
#[derive(Default)]
struct Search {
    room: Room,
    /// The places of the best rows for each query row.
    lists: Shortlists,
}

impl Search {
    /// Compares the rows `rows` of `queries` with about `visits` rows each, cell by cell: each cell is compared with
    /// the rows that it is near.
    fn run(&mut self, index: &ApproximateIndex, queries: &Sketches, rows: &[u32], visits: usize, length: usize) {
        let Search { room, lists } = self;
        let cells = &index.cells;
        let rows_of_cell = index.sketches.rows().div_ceil(cells.count());
        let count = visits.max(4 * length).div_ceil(rows_of_cell).min(cells.count());
        let around = cells.around(queries, rows, count, room);
        let near = |(number, &cell): (usize, &u32)| (cell, (number / count) as u32);
        let mut pairs: Vec<(u32, u32)> = around.iter().enumerate().map(near).collect();
        pairs.sort_unstable();
        lists.reset(rows.len(), length);
        let (mut of_cell, mut numbers) = (Vec::new(), Vec::new());
        for pairs in pairs.chunk_by(|a, b| a.0 == b.0) {
            numbers.clear();
            numbers.extend(pairs.iter().map(|&(_, number)| number));
            of_cell.clear();
            of_cell.extend(numbers.iter().map(|&number| rows[number as usize]));
            offer_tile(queries, &of_cell, &numbers, &index.packed[pairs[0].0 as usize], lists);
        }
    }
}

fn shortlist_length(k: usize) -> usize {
    SHORTLIST + 2 * k.saturating_sub(TRIAL_NEIGHBORS)
}

/// A few rows and their nearest rows, themselves included, which the sketches must find among all rows.
struct Trials {
    rows: Vec<u32>,
    neighbors: Neighbors,
}

impl Trials {
    fn new(points: &Points, stage: Stage) -> Option<Self> {
        let count = TRIALS.min(points.rows());
        let rows: Vec<usize> = (0..count).map(|trial| trial * points.rows() / count).collect();
        let k = TRIAL_NEIGHBORS.min(points.rows());
        let queries = points.select(&rows, stage)?;
        let neighbors = neighbors_of_new_rows(points, &queries, k, stage, &Progress::silent());
        Some(Trials { rows: rows.iter().map(|&row| row as u32).collect(), neighbors })
    }

    /// Whether the best rows by the first `width` coordinates contain the nearest rows.
    fn succeed(&self, sketches: &Sketches, width: usize) -> bool {
        let rows = sketches.rows();
        let queries = sketches.in_order(&self.rows, width);
        let numbers: Vec<u32> = (0..self.rows.len() as u32).collect();
        let room = || (Packed::default(), Shortlists::default());
        let found = numbers.par_chunks(TRIALS_AT_A_TIME).map_init(room, |(packed, lists), trials| {
            lists.reset(trials.len(), shortlist_length(self.neighbors.k) + 1);
            for first in (0..rows).step_by(ROWS_OF_A_TILE) {
                packed.pack(sketches, first..rows.min(first + ROWS_OF_A_TILE), width);
                offer_tile(&queries, trials, &numbers[..trials.len()], packed, lists);
            }
            let held = |(list, &trial): (usize, &u32)| {
                let listed: Vec<u32> = lists.sorted(list).iter().map(|&key| row_of(key)).collect();
                self.neighbors.row(trial as usize).0.iter().filter(|index| listed.contains(index)).count()
            };
            trials.iter().enumerate().map(held).sum::<usize>()
        });
        let found: usize = found.sum();
        found as f64 >= NEEDED_RECALL * self.neighbors.indices.len() as f64
    }
}
