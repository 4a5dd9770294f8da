//! Moves new points along their edges among fixed points, sixteen at a time, one per lane.
//!
//! A lane processes the edges of one point, one after another, and then takes the next point. All arithmetic thus
//! operates on whole vectors, and the result for a point does not depend on the other points.

#![allow(clippy::needless_range_loop, reason = "only indexed loops over the lanes of several arrays are vectorized")]

use super::counter_rng::{below, bits32};
use super::forces::{CLIP, Forces, MIN_SQUARED};
use super::power::{limited, powers};
use super::schedule::add_due;

/// Points moved together: two AVX registers, so that one can proceed while the other waits for its previous operation.
const LANES: usize = 16;

/// The attracting and repelling points, which are fixed.
#[derive(Debug)]
pub(super) struct Field<'a, const D: usize> {
    /// The positions of the points.
    pub(super) positions: &'a [[f32; D]],
    /// The parameters of the forces.
    pub(super) forces: &'a Forces,
}

/// For each point, the edges that pull it, in order, and the key of its random numbers.
#[derive(Debug, Default)]
pub(super) struct Pulls {
    ends: Vec<u32>,
    learning_rates: Vec<f32>,
    /// The end of each point's edges.
    stops: Vec<usize>,
    keys: Vec<u64>,
}

impl Pulls {
    /// Adds the edges of a point that are due in `epoch`.
    pub(super) fn add_due(&mut self, ends: &[u32], rates: &[u32], epoch: u32, learning_rate: f32) {
        add_due(ends, rates, epoch, &mut self.ends);
        self.learning_rates.resize(self.ends.len(), learning_rate);
    }

    /// Marks the end of the edges of the current point.
    pub(super) fn end_point(&mut self, key: u64) {
        self.stops.push(self.ends.len());
        self.keys.push(key);
    }
}

/// Moves `points` from their current positions along `pulls`.
pub(super) fn move_points<const D: usize>(field: &Field<'_, D>, pulls: &Pulls, points: &mut [[f32; D]]) {
    #[cfg(target_arch = "x86_64")]
    if crate::linalg::processor::has_avx2() {
        // SAFETY: the CPU supports AVX2.
        unsafe { move_points_avx2(field, pulls, points) };
        return;
    }
    move_points_here(field, pulls, points);
}

/// The same operations in the same order in wider registers; nothing is fused, so the results are bit-identical.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn move_points_avx2<const D: usize>(field: &Field<'_, D>, pulls: &Pulls, points: &mut [[f32; D]]) {
    move_points_here(field, pulls, points);
}

#[inline(always)]
fn move_points_here<const D: usize>(field: &Field<'_, D>, pulls: &Pulls, points: &mut [[f32; D]]) {
    let mut lanes = Lanes::idle();
    let mut work: [Work; LANES] = [Work::NONE; LANES];
    let mut next_point = 0;
    loop {
        let mut ends = [0_u32; LANES];
        let mut busy = false;
        for lane in 0..LANES {
            if work[lane].next == work[lane].stop {
                if let Some(done) = work[lane].point {
                    points[done] = lanes.position(lane);
                }
                work[lane] = Work::take(pulls, &mut next_point);
                lanes.load(lane, work[lane].point.map(|point| (points[point], pulls.keys[point])));
            }
            if work[lane].point.is_some() {
                ends[lane] = pulls.ends[work[lane].next];
                lanes.learning_rate[lane] = pulls.learning_rates[work[lane].next];
                work[lane].next += 1;
                busy = true;
            }
        }
        if !busy {
            return;
        }
        lanes.pull(field, &ends);
    }
}

/// The current work of a lane: a point and its remaining edges.
#[derive(Debug, Clone, Copy)]
struct Work {
    point: Option<usize>,
    next: usize,
    stop: usize,
}

impl Work {
    const NONE: Work = Work { point: None, next: 0, stop: 0 };

    /// The next point with edges to process.
    #[inline(always)]
    fn take(pulls: &Pulls, next_point: &mut usize) -> Work {
        while let Some(&stop) = pulls.stops.get(*next_point) {
            let point = *next_point;
            let next = if point == 0 { 0 } else { pulls.stops[point - 1] };
            *next_point += 1;
            if next < stop {
                return Work { point: Some(point), next, stop };
            }
        }
        Work::NONE
    }
}

/// Points being moved, one per lane.
struct Lanes<const D: usize> {
    current: [[f32; LANES]; D],
    /// 0 for a lane without a point, which then does not move.
    learning_rate: [f32; LANES],
    keys: [u64; LANES],
    drawn: [u32; LANES],
}

impl<const D: usize> Lanes<D> {
    #[inline(always)]
    fn idle() -> Self {
        Lanes { current: [[0.0; LANES]; D], learning_rate: [0.0; LANES], keys: [0; LANES], drawn: [0; LANES] }
    }

    #[inline(always)]
    fn position(&self, lane: usize) -> [f32; D] {
        let mut position = [0.0; D];
        for d in 0..D {
            position[d] = self.current[d][lane];
        }
        position
    }

    #[inline(always)]
    fn load(&mut self, lane: usize, point: Option<([f32; D], u64)>) {
        let (position, key) = point.unwrap_or(([0.0; D], 0));
        for d in 0..D {
            self.current[d][lane] = position[d];
        }
        self.learning_rate[lane] = 0.0;
        self.keys[lane] = key;
        self.drawn[lane] = 0;
    }

    /// Moves each point toward its element of `ends` and away from randomly drawn points.
    #[inline(always)]
    fn pull(&mut self, field: &Field<'_, D>, ends: &[u32; LANES]) {
        let near = Near::new(field, &self.current, ends);
        near.attract(field, self);
        for _ in 0..field.forces.negative_sample_rate {
            let drawn = self.draw(field.positions.len() as u32);
            let near = Near::new(field, &self.current, &drawn);
            near.repel(field, self);
        }
    }

    #[inline(always)]
    fn draw(&mut self, points: u32) -> [u32; LANES] {
        let mut drawn = [0; LANES];
        for lane in 0..LANES {
            drawn[lane] = below(bits32(self.keys[lane], self.drawn[lane]), points);
            self.drawn[lane] = self.drawn[lane].wrapping_add(1);
        }
        drawn
    }
}

/// One other point for each lane, relative to the lane's point.
struct Near<const D: usize> {
    differences: [[f32; LANES]; D],
    squared: [f32; LANES],
    /// Squared distances to the power b - 1.
    power: [f32; LANES],
}

impl<const D: usize> Near<D> {
    #[inline(always)]
    fn new(field: &Field<'_, D>, current: &[[f32; LANES]; D], others: &[u32; LANES]) -> Self {
        let mut differences = [[0.0_f32; LANES]; D];
        for lane in 0..LANES {
            let other = &field.positions[others[lane] as usize];
            for d in 0..D {
                differences[d][lane] = other[d];
            }
        }
        let mut squared = [MIN_SQUARED; LANES];
        for d in 0..D {
            for lane in 0..LANES {
                differences[d][lane] = current[d][lane] - differences[d][lane];
                squared[lane] += differences[d][lane] * differences[d][lane];
            }
        }
        Near { differences, squared, power: powers(squared, field.forces.b - 1.0) }
    }

    #[inline(always)]
    fn repel(&self, field: &Field<'_, D>, lanes: &mut Lanes<D>) {
        let mut coefficients = [0.0_f32; LANES];
        for lane in 0..LANES {
            coefficients[lane] = field.forces.repulsion(self.squared[lane], self.power[lane]);
        }
        self.pull(&coefficients, lanes);
    }

    #[inline(always)]
    fn attract(&self, field: &Field<'_, D>, lanes: &mut Lanes<D>) {
        let mut coefficients = [0.0_f32; LANES];
        for lane in 0..LANES {
            coefficients[lane] = -field.forces.attraction(self.squared[lane], self.power[lane]);
        }
        self.pull(&coefficients, lanes);
    }

    /// Moves each lane's point by its coefficient times the difference from the other point to it.
    #[inline(always)]
    fn pull(&self, coefficients: &[f32; LANES], lanes: &mut Lanes<D>) {
        for d in 0..D {
            for lane in 0..LANES {
                let away = limited(coefficients[lane] * self.differences[d][lane], CLIP);
                lanes.current[d][lane] += lanes.learning_rate[lane] * away;
            }
        }
    }
}
