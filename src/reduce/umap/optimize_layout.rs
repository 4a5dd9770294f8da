//! Moves the points until near ones in the data are near in the layout, and others are apart.
//!
//! Stochastic gradient descent on the fuzzy set cross entropy with negative sampling (McInnes, Healy and Melville 2018,
//! algorithm 5). Where the paper walks over edges and moves both ends, here each point pulls itself along its own edges
//! (the graph is symmetric, so each edge has a turn at both ends) and sees the others where they were at the end of the epoch
//! before. A point's move therefore depends on nothing but that epoch's positions and on random numbers keyed by (epoch,
//! point): points can be moved in parallel, and the result is the same for any number of threads.

use std::ops::Range;

use rayon::prelude::*;

use super::counter_rng::key;
use super::fuzzy_simplicial_set::FuzzyGraph;
use super::move_points::{Field, Pulls, move_points};
use crate::progress::Task;

/// Points that one thread moves at a time.
const POINTS_AT_A_TIME: usize = 256;

/// One sample per epoch, as a fixed point number.
const EVERY_EPOCH: u32 = 1 << 31;

/// What moves points.
#[derive(Debug, Clone, Copy)]
pub(super) struct Forces {
    /// a of the curve 1 / (1 + a d^2b).
    pub(super) a: f32,
    /// b of the curve.
    pub(super) b: f32,
    /// The weight of repulsion.
    pub(super) repulsion_strength: f32,
    /// Points that repel for each one that attracts.
    pub(super) negative_sample_rate: u32,
    /// The step at the beginning; it falls linearly to 0.
    pub(super) learning_rate: f32,
    /// Passes over the edges.
    pub(super) n_epochs: u32,
    /// The key of all random numbers.
    pub(super) seed: u64,
}

impl Forces {
    pub(super) fn learning_rate_at(&self, epoch: u32) -> f32 {
        self.learning_rate * (1.0 - (epoch - 1) as f32 / self.n_epochs as f32)
    }
}

/// Edges with the rate at which each is sampled, as a part of 2³¹.
#[derive(Debug)]
struct Schedule {
    offsets: Vec<usize>,
    ends: Vec<u32>,
    rates: Vec<u32>,
}

/// The rate at which an edge of `weight` is sampled, where the strongest, `max_weight`, is sampled every epoch; 0 for an edge
/// too weak to be sampled once in `n_epochs`.
pub(super) fn sampling_rate(weight: f32, max_weight: f32, n_epochs: u32) -> u32 {
    let rate = f64::from(weight) / f64::from(max_weight);
    if rate * f64::from(n_epochs) < 1.0 { 0 } else { (rate * f64::from(EVERY_EPOCH)) as u32 }
}

/// Whether an edge of `rate` has its turn in `epoch` (from 1): when epoch · rate passes a whole number.
#[inline(always)]
pub(super) fn is_due(rate: u32, epoch: u32) -> bool {
    rate.wrapping_mul(epoch) & (EVERY_EPOCH - 1) < rate
}

impl Schedule {
    fn new(graph: &FuzzyGraph, n_epochs: u32) -> Schedule {
        let max_weight = graph.max_weight();
        let mut schedule = Schedule { offsets: vec![0], ends: Vec::new(), rates: Vec::new() };
        for row in 0..graph.rows() {
            let (ends, weights) = graph.row(row);
            for (&end, &weight) in ends.iter().zip(weights) {
                let rate = sampling_rate(weight, max_weight, n_epochs);
                if rate > 0 {
                    schedule.ends.push(end);
                    schedule.rates.push(rate);
                }
            }
            schedule.offsets.push(schedule.ends.len());
        }
        schedule
    }
}

/// Moves the points of `embedding` (row by row, `dimensions` columns) under the forces between them; one unit of `task` an epoch.
pub(super) fn optimize_layout(
    embedding: &mut [f32],
    dimensions: usize,
    graph: &FuzzyGraph,
    forces: &Forces,
    task: &Task,
) {
    let schedule = Schedule::new(graph, forces.n_epochs);
    with_width(dimensions, Fit { embedding, dimensions, schedule: &schedule, forces, task });
}

/// Work that is compiled once for each width that points can be stored in.
pub(super) trait ForWidth {
    /// Does the work with points of `D` numbers.
    fn run<const D: usize>(self);
}

/// Runs `work` with the narrowest width that holds `dimensions`; the rest is zeros, which no force moves.
pub(super) fn with_width(dimensions: usize, work: impl ForWidth) {
    match dimensions {
        0..=2 => work.run::<2>(),
        3 => work.run::<3>(),
        4 => work.run::<4>(),
        5 => work.run::<5>(),
        6 => work.run::<6>(),
        7 => work.run::<7>(),
        8 => work.run::<8>(),
        9..=10 => work.run::<10>(),
        11..=16 => work.run::<16>(),
        17..=32 => work.run::<32>(),
        33..=64 => work.run::<64>(),
        65..=128 => work.run::<128>(),
        _ => work.run::<256>(),
    }
}

/// Points of `dimensions` numbers, widened to `D`.
pub(super) fn widen<const D: usize>(flat: &[f32], dimensions: usize) -> Vec<[f32; D]> {
    let widened = flat.chunks_exact(dimensions).map(|point| {
        let mut wide = [0.0; D];
        wide[..dimensions].copy_from_slice(point);
        wide
    });
    widened.collect()
}

impl Schedule {
    /// What the points of `range` have to do in `epoch`.
    fn pulls(&self, range: Range<usize>, epoch: u32, forces: &Forces, pulls: &mut Pulls) {
        pulls.clear();
        let learning_rate = forces.learning_rate_at(epoch);
        for point in range {
            let edges = self.offsets[point]..self.offsets[point + 1];
            pulls.add_due(&self.ends[edges.clone()], &self.rates[edges], epoch, learning_rate);
            pulls.end_point(key(forces.seed, u64::from(epoch), point as u64));
        }
    }
}

struct Fit<'a> {
    embedding: &'a mut [f32],
    dimensions: usize,
    schedule: &'a Schedule,
    forces: &'a Forces,
    task: &'a Task,
}

impl ForWidth for Fit<'_> {
    fn run<const D: usize>(self) {
        let mut positions = widen::<D>(self.embedding, self.dimensions);
        let mut moved = positions.clone();
        for epoch in 1..self.forces.n_epochs {
            let field = Field { positions: &positions, forces: self.forces, mutual: true };
            let blocks = moved.par_chunks_mut(POINTS_AT_A_TIME).enumerate();
            blocks.for_each_init(Pulls::default, |pulls, (block, moved)| {
                let first = block * POINTS_AT_A_TIME;
                self.schedule.pulls(first..first + moved.len(), epoch, self.forces, pulls);
                moved.copy_from_slice(&positions[first..first + moved.len()]);
                move_points(&field, pulls, moved);
            });
            std::mem::swap(&mut positions, &mut moved);
            self.task.advance(1);
        }
        for (to, from) in self.embedding.chunks_exact_mut(self.dimensions).zip(&positions) {
            to.copy_from_slice(&from[..self.dimensions]);
        }
        self.task.advance(1);
    }
}
