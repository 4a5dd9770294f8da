//! Nearest-neighbor descent (Dong, Moses and Li 2011): a neighbor of a neighbor is likely a neighbor.
//!
//! Each round reads the lists of the previous round, so the result does not depend on the number of threads.

use rayon::prelude::*;

use super::shortlist::{NOBODY, Shortlists, row_of};
use super::sketch::Sketches;
use crate::progress::Task;

/// Neighbors of each row to follow, and the maximum number of reverse neighbors (rows that have it as a neighbor).
const FAN: usize = 20;

/// Rows processed by one thread at a time.
const CHUNK: usize = 512;

/// Improved lists of `length` rows for each row of `sketches`, best first. One unit of `task` per row.
pub(super) fn descend(sketches: &Sketches, lists: &[u32], length: usize, task: &Task) -> Vec<u32> {
    let graph = Graph::new(lists, length);
    let mut better = vec![NOBODY; lists.len()];
    better.par_chunks_mut(CHUNK * length).enumerate().for_each_init(
        || Round { seen: Seen::new(sketches.rows()), open: Vec::new(), shortlists: Shortlists::default() },
        |round, (chunk, better)| {
            if task.is_interrupted() {
                return;
            }
            let rows = better.len() / length;
            for (offset, better) in better.chunks_exact_mut(length).enumerate() {
                let row = chunk * CHUNK + offset;
                round.improve(sketches, &graph, row, &lists[row * length..(row + 1) * length], better);
            }
            task.advance(rows);
        },
    );
    better
}

/// Scratch space of one thread.
struct Round {
    seen: Seen,
    open: Vec<u32>,
    shortlists: Shortlists,
}

impl Round {
    fn improve(&mut self, sketches: &Sketches, graph: &Graph, row: usize, list: &[u32], better: &mut [u32]) {
        let Round { seen, open, shortlists } = self;
        let query = sketches.row(row);
        seen.forget();
        seen.is_new(row as u32);
        shortlists.reset(1, better.len());
        for &known in list.iter().filter(|&&known| known != NOBODY) {
            seen.is_new(known);
            shortlists.offer(0, sketches.score(query, known as usize), known);
        }
        open.clear();
        for first in graph.near(row) {
            open.extend(graph.near(first as usize).filter(|&second| seen.is_new(second)));
        }
        for &candidate in open.iter() {
            let score = sketches.score(query, candidate as usize);
            if score >= shortlists.worst(0) {
                shortlists.offer(0, score, candidate);
            }
        }
        better.iter_mut().zip(shortlists.sorted(0)).for_each(|(to, &key)| *to = row_of(key));
    }
}

/// The rows that a row has already been compared with.
struct Seen {
    stamps: Vec<u32>,
    now: u32,
}

impl Seen {
    fn new(rows: usize) -> Self {
        Seen { stamps: vec![0; rows], now: 0 }
    }

    fn forget(&mut self) {
        self.now += 1;
    }

    /// Returns whether `row` is new, and marks it as seen.
    #[inline]
    fn is_new(&mut self, row: u32) -> bool {
        let stamp = &mut self.stamps[row as usize];
        let new = *stamp != self.now;
        *stamp = self.now;
        new
    }
}

/// For each row, its best neighbors and the rows that have it as one of their best neighbors.
struct Graph(Vec<u32>);

impl Graph {
    fn new(lists: &[u32], length: usize) -> Self {
        let rows = lists.len() / length;
        let mut ends = vec![NOBODY; rows * 2 * FAN];
        let mut filled = vec![0_u8; rows];
        for rank in 0..FAN.min(length) {
            for row in 0..rows {
                let near = lists[row * length + rank];
                if near == NOBODY {
                    continue;
                }
                ends[row * 2 * FAN + rank] = near;
                let count = &mut filled[near as usize];
                if usize::from(*count) < FAN {
                    ends[near as usize * 2 * FAN + FAN + usize::from(*count)] = row as u32;
                    *count += 1;
                }
            }
        }
        Graph(ends)
    }

    fn near(&self, row: usize) -> impl Iterator<Item = u32> + '_ {
        self.0[row * 2 * FAN..(row + 1) * 2 * FAN].iter().copied().filter(|&end| end != NOBODY)
    }
}
