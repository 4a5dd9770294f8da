//! Moves the points of one block, one edge after the other, as umap-learn does with all points.
//!
//! A point's edges have their turns together, and each sees what those before it have done. An end within the block
//! moves as well, and the edge has a second turn when the other point's edges have theirs. An end in another block is
//! seen where it was when the epoch began and is left there; so that the edge counts as much, the point then goes the
//! way of both turns.

#![allow(clippy::needless_range_loop, reason = "lanes of several arrays at once, which become vectors only so")]

use super::counter_rng::{below, bits32, key};
use super::forces::{CLIP, Forces, MIN_SQUARED};
use super::power::{limited, powers};
use super::schedule::Schedule;

/// Points that one edge looks at together: its end and those that repel.
const LANES: usize = 8;

/// A block in one epoch.
#[derive(Debug)]
pub(super) struct Block<'a, const D: usize> {
    /// Its points as they move; the first of them is point `first` of all.
    pub(super) own: &'a mut [[f32; D]],
    pub(super) first: usize,
    /// The row of the data that each of all points is: random numbers go by it, whatever the blocks are.
    pub(super) rows: &'a [u32],
    /// All points as they were when the epoch began.
    pub(super) before: &'a [[f32; D]],
    pub(super) schedule: &'a Schedule,
    pub(super) forces: &'a Forces,
    pub(super) epoch: u32,
}

/// Gives each edge of the block that has its turn in the epoch its turn. `due` is room to work in.
pub(super) fn move_block<const D: usize>(block: &mut Block<'_, D>, due: &mut Vec<u32>) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2.
        unsafe { move_block_avx2(block, due) };
        return;
    }
    block.run(due);
}

/// The same operations in the same order in wider registers; nothing is fused, so the bits are the same.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn move_block_avx2<const D: usize>(block: &mut Block<'_, D>, due: &mut Vec<u32>) {
    block.run(due);
}

impl<const D: usize> Block<'_, D> {
    #[inline(always)]
    fn run(&mut self, due: &mut Vec<u32>) {
        let learning_rate = self.forces.learning_rate_at(self.epoch);
        for own in 0..self.own.len() {
            let point = self.first + own;
            self.schedule.due(point, self.epoch, due);
            let mut draws = Draws::new(
                key(self.forces.seed, u64::from(self.epoch), u64::from(self.rows[point])),
                self.before.len(),
            );
            for &end in due.iter() {
                self.take_turn(own, end as usize, learning_rate, &mut draws);
            }
        }
    }

    /// The point `own` of the block is drawn to `end`, and away from points drawn at random, all seen from where it is
    /// now.
    #[inline(always)]
    fn take_turn(&mut self, own: usize, end: usize, learning_rate: f32, draws: &mut Draws) {
        let here = self.own[own];
        let mut left = self.forces.negative_sample_rate as usize;
        let mut ways = [[0.0_f32; LANES]; D];
        self.look(&mut ways, 0, &here, end);
        self.look_around(&mut ways, 1, &here, &mut left, draws);
        let (squared, power) = self.measure(&ways);
        let mut coefficients = self.repulsions(squared, power);
        let own_end = end.wrapping_sub(self.first);
        let attraction = self.forces.attraction(squared[0], power[0]);
        let within = own_end < self.own.len();
        coefficients[0] = -if within { attraction } else { twice(attraction, learning_rate) };
        let mut moved = here;
        let drawn_to_end = pull(&mut moved, &ways, &coefficients, learning_rate);
        if within {
            for d in 0..D {
                self.own[own_end][d] -= learning_rate * drawn_to_end[d];
            }
        }
        while left > 0 {
            let mut ways = [[0.0_f32; LANES]; D];
            self.look_around(&mut ways, 0, &here, &mut left, draws);
            let (squared, power) = self.measure(&ways);
            pull(&mut moved, &ways, &self.repulsions(squared, power), learning_rate);
        }
        self.own[own] = moved;
    }

    /// Looks at points drawn at random, in the lanes from `lane` on, until none are `left` or the lanes are full.
    #[inline(always)]
    fn look_around(
        &self,
        ways: &mut [[f32; LANES]; D],
        lane: usize,
        here: &[f32; D],
        left: &mut usize,
        draws: &mut Draws,
    ) {
        let stop = LANES.min(lane + *left);
        *left -= stop - lane;
        for lane in lane..stop {
            self.look(ways, lane, here, draws.next());
        }
    }

    /// Puts the way from `other` to `here` into a lane. A point that looks at itself sees no way, and is not moved.
    #[inline(always)]
    fn look(&self, ways: &mut [[f32; LANES]; D], lane: usize, here: &[f32; D], other: usize) {
        let there = match self.own.get(other.wrapping_sub(self.first)) {
            Some(own) => own,
            None => &self.before[other],
        };
        for d in 0..D {
            ways[d][lane] = here[d] - there[d];
        }
    }

    /// The squared length of each way, and its power b - 1.
    #[inline(always)]
    fn measure(&self, ways: &[[f32; LANES]; D]) -> ([f32; LANES], [f32; LANES]) {
        let mut squared = [MIN_SQUARED; LANES];
        for way in ways {
            for lane in 0..LANES {
                squared[lane] += way[lane] * way[lane];
            }
        }
        (squared, powers(squared, self.forces.b - 1.0))
    }

    #[inline(always)]
    fn repulsions(&self, squared: [f32; LANES], power: [f32; LANES]) -> [f32; LANES] {
        let mut repulsions = [0.0; LANES];
        for lane in 0..LANES {
            repulsions[lane] = self.forces.repulsion(squared[lane], power[lane]);
        }
        repulsions
    }
}

/// Moves a point by each lane's coefficient's part of its way; gives lane 0's move at a learning rate of 1.
#[inline(always)]
fn pull<const D: usize>(
    moved: &mut [f32; D],
    ways: &[[f32; LANES]; D],
    coefficients: &[f32; LANES],
    learning_rate: f32,
) -> [f32; D] {
    let mut first = [0.0; D];
    for d in 0..D {
        let mut away = [0.0_f32; LANES];
        for lane in 0..LANES {
            away[lane] = limited(coefficients[lane] * ways[d][lane], CLIP);
        }
        first[d] = away[0];
        moved[d] += learning_rate * away.iter().sum::<f32>();
    }
    first
}

/// The coefficient that moves a point as far as two turns of an edge do, if one turn has coefficient `once`.
///
/// A turn moves both ends by a share of their difference, so what is left is 1 - 2 share of it, and of that the second
/// turn takes its share. Where one turn would make the ends change places, the second takes the move back.
#[inline(always)]
fn twice(once: f32, learning_rate: f32) -> f32 {
    once * (2.0 - 2.0 * limited(once * learning_rate, 1.0))
}

/// Points drawn at random for one point in one epoch.
struct Draws {
    key: u64,
    drawn: u32,
    points: u32,
}

impl Draws {
    fn new(key: u64, points: usize) -> Draws {
        Draws { key, drawn: 0, points: points as u32 }
    }

    #[inline(always)]
    fn next(&mut self) -> usize {
        let point = below(bits32(self.key, self.drawn), self.points);
        self.drawn = self.drawn.wrapping_add(1);
        point as usize
    }
}
