//! Moves the points of one block, one round of edges after another (`turns`); umap-learn processes the edges of all
//! points one by one.
//!
//! A round sees the effects of the previous rounds. An endpoint within the block moves as well, and the edge has a
//! second turn among the edges of the other point. An endpoint in another block is seen where it was at the start of
//! the epoch and does not move; to give the edge the same weight, the point then moves by the effect of both turns.

#![allow(clippy::needless_range_loop, reason = "only indexed loops over the lanes of several arrays are vectorized")]

pub(super) use self::block::Block;
#[cfg(target_arch = "x86_64")]
use self::block::USUAL;
use self::block::{AHEAD, fetch};
use self::pull::Pull;
use super::forces::{CLIP, MIN_SQUARED};
use super::turns::{SIDE_BY_SIDE, Turns};
use super::wide::{LANES, Point, Wide};

#[cfg(target_arch = "x86_64")]
mod avx2;
mod block;
mod pull;

/// Others of each turn that are processed together.
const TOGETHER: usize = LANES / SIDE_BY_SIDE;

/// Processes each edge of the block that is due in the epoch. `turns` is scratch space.
pub(super) fn move_block<const R: usize>(block: &mut Block<'_, R>, turns: &mut Turns) {
    block.begin(turns);
    #[cfg(target_arch = "x86_64")]
    if crate::linalg::processor::has_avx2() {
        match block.usual() {
            // SAFETY: the CPU supports AVX2.
            Some(mut block) => unsafe { avx2::take_turns(&mut block, turns) },
            None => unsafe { block.take_turns_avx2(turns) },
        }
        return;
    }
    block.take_turns(turns);
}

impl<const R: usize> Block<'_, R> {
    fn begin(&mut self, turns: &mut Turns) {
        let (first, stop) = (self.first, self.first + self.own.len());
        self.own.copy_from_slice(&self.before[first..stop]);
        turns.take(self.schedule, first, stop, self.random);
    }

    /// This block, if it has the usual shape.
    #[cfg(target_arch = "x86_64")]
    fn usual(&mut self) -> Option<Block<'_, 1>> {
        let usual = R == 1 && self.random.negative_sample_rate + 1 == USUAL;
        let Block { first, schedule, forces, random, .. } = *self;
        usual.then_some(Block {
            own: self.own.as_flattened_mut().as_chunks_mut().0,
            first,
            before: self.before.as_flattened().as_chunks().0,
            schedule,
            forces,
            random,
        })
    }

    /// The same operations in the same order in wider registers; nothing is fused, so the results are bit-identical.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn take_turns_avx2(&mut self, turns: &Turns) {
        self.take_turns(turns);
    }

    #[inline(always)]
    fn take_turns(&mut self, turns: &Turns) {
        let pull = Pull::new(self.forces, self.random.epoch);
        let (rounds, _) = turns.own.as_chunks::<SIDE_BY_SIDE>();
        let others = turns.others.chunks_exact(SIDE_BY_SIDE * turns.groups);
        for (number, (own, others)) in rounds.iter().zip(others).enumerate() {
            let ahead = (number + AHEAD) * SIDE_BY_SIDE * turns.groups;
            if let Some(next) = turns.others.get(ahead..ahead + SIDE_BY_SIDE) {
                next.iter().flatten().for_each(|&other| fetch(self.before, other));
            }
            self.take_round(own, others, turns.groups, &pull);
        }
    }

    /// Attracts each point of `own` to the first of its `others` and repels it from the rest, all as seen from its
    /// position at the start of the round.
    #[inline(always)]
    fn take_round(&mut self, own: &[u32; SIDE_BY_SIDE], others: &[[u32; LANES]], groups: usize, pull: &Pull) {
        let mut here = [[Wide::ZERO; R]; SIDE_BY_SIDE];
        for turn in 0..SIDE_BY_SIDE {
            here[turn] = self.own[own[turn] as usize];
        }
        let mut ends = [0; SIDE_BY_SIDE];
        for turn in 0..SIDE_BY_SIDE {
            ends[turn] = (others[turn * groups][0] as usize).wrapping_sub(self.first);
        }
        let mut away = [[Wide::ZERO; R]; SIDE_BY_SIDE];
        let mut to_ends = away;
        for column in (0..1 + self.random.negative_sample_rate).step_by(TOGETHER) {
            let ways = self.look(&here, others, groups, column);
            let squared = squared_lengths(&ways);
            let coefficients = match column {
                0 => pull.of_ends(squared, &ends.map(|end| end < self.own.len())),
                _ => pull.of_others(squared),
            };
            for lane in 0..LANES {
                let turn = lane % SIDE_BY_SIDE;
                let is_end = column == 0 && lane < SIDE_BY_SIDE;
                for r in 0..R {
                    let part = ways[lane][r].scaled(coefficients.0[lane]).limited(CLIP);
                    // The first is not added to zero, which could change the sign of a zero.
                    away[turn][r] = if is_end { part } else { away[turn][r].plus(&part) };
                }
                if is_end {
                    to_ends[turn] = away[turn];
                }
            }
        }
        for turn in 0..SIDE_BY_SIDE {
            self.add(own[turn] as usize, &away[turn], pull.learning_rate);
            self.add(ends[turn], &to_ends[turn], -pull.learning_rate);
        }
    }

    /// Moves a point, if it belongs to the block.
    #[inline(always)]
    fn add(&mut self, own: usize, way: &Point<R>, share: f32) {
        if let Some(point) = self.own.get_mut(own) {
            for r in 0..R {
                point[r] = point[r].plus(&way[r].scaled(share));
            }
        }
    }

    /// The differences between the turns' own points and the others in `column` and the next. A point paired with
    /// itself has a difference of zero and is not moved.
    #[inline(always)]
    fn look(
        &self,
        here: &[Point<R>; SIDE_BY_SIDE],
        others: &[[u32; LANES]],
        groups: usize,
        column: usize,
    ) -> [Point<R>; LANES] {
        let mut ways = [[Wide::ZERO; R]; LANES];
        for lane in 0..LANES {
            let (turn, column) = (lane % SIDE_BY_SIDE, column + lane / SIDE_BY_SIDE);
            let other = others[turn * groups + column / LANES][column % LANES] as usize;
            let point = match self.own.get(other.wrapping_sub(self.first)) {
                Some(own) => own,
                None => &self.before[other],
            };
            for r in 0..R {
                ways[lane][r] = here[turn][r].minus(&point[r]);
            }
        }
        ways
    }
}

#[inline(always)]
fn squared_lengths<const R: usize>(ways: &[Point<R>; LANES]) -> Wide {
    let mut squared = Wide([MIN_SQUARED; LANES]);
    for lane in 0..LANES {
        for r in 0..R {
            squared.0[lane] += ways[lane][r].squared_length();
        }
    }
    squared
}

#[cfg(test)]
mod tests {
    use super::super::forces::Forces;
    use super::super::schedule::Schedule;
    use super::super::turns::Randomness;
    use super::*;
    use crate::graph::FuzzyGraph;

    const POINTS: usize = 50;

    fn positions() -> Vec<Point<1>> {
        let place = |point: usize, d: usize| ((point * 7 + d * 13) % 31) as f32 * 0.3 + point as f32 * 0.01;
        (0..POINTS).map(|point| [Wide(std::array::from_fn(|d| if d < 5 { place(point, d) } else { 0.0 }))]).collect()
    }

    fn ring() -> FuzzyGraph {
        let ends = |point: u32| {
            let n = POINTS as u32;
            let mut ends = [(point + 1) % n, (point + n - 1) % n, (point + 9) % n, (point + n - 9) % n];
            ends.sort_unstable();
            ends
        };
        FuzzyGraph {
            offsets: (0..=POINTS).map(|point| point * 4).collect(),
            indices: (0..POINTS as u32).flat_map(ends).collect(),
            weights: vec![1.0; POINTS * 4],
        }
    }

    fn moved(rate: u32, run: impl Fn(&mut Block<'_, 1>, &mut Turns)) -> Vec<Point<1>> {
        let forces = Forces {
            a: 1.9,
            b: 0.79,
            repulsion_strength: 1.0,
            negative_sample_rate: rate,
            learning_rate: 1.0,
            n_epochs: 10,
            seed: 3,
        };
        let rows: Vec<u32> = (0..POINTS as u32).collect();
        let schedule = Schedule::new(&ring(), forces.n_epochs, &rows);
        let before = positions();
        let mut own = before[10..40].to_vec();
        let random = Randomness { seed: 3, epoch: 2, rows: &rows, negative_sample_rate: rate as usize };
        let (schedule, forces) = (&schedule, &forces);
        let mut block = Block { own: &mut own, first: 10, before: &before, schedule, forces, random };
        run(&mut block, &mut Turns::default());
        own
    }

    #[test]
    fn wide_registers_change_no_bit() {
        for rate in [0, 5, 7, 8, 20] {
            let portable = moved(rate, |block, turns| {
                block.begin(turns);
                block.take_turns(turns);
            });
            assert_eq!(portable, moved(rate, move_block), "{rate}");
            assert_ne!(portable, positions()[10..40].to_vec());
        }
    }
}
