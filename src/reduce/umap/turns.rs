//! The edges of a block that are due in an epoch, their order, and the points that repel in each turn.
//!
//! A point's turns are sequential, since each depends on the previous one. To hide latency, the block is divided into
//! four parts that take turns side by side: a round is one turn in each part.

use super::counter_rng::{below, bits32, key};
use super::schedule::Schedule;
use super::wide::LANES;

/// Turns in a round.
pub(super) const SIDE_BY_SIDE: usize = 4;

/// The turns of a block in one epoch.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// The point of the block for each turn; the turns of a round are contiguous.
    pub(super) own: Vec<u32>,
    /// For each turn, `groups` groups of point numbers: the endpoint of the edge, the repelling points, then the turn's
    /// own point.
    pub(super) others: Vec<[u32; LANES]>,
    pub(super) groups: usize,
    /// The endpoints of the due edges, point by point, and the end of each point's edges.
    due: Vec<u32>,
    stops: Vec<u32>,
}

/// The inputs of an epoch's random numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Randomness<'a> {
    pub(super) seed: u64,
    pub(super) epoch: u32,
    /// The data row of each point: random numbers depend on it, not on the blocks.
    pub(super) rows: &'a [u32],
    pub(super) negative_sample_rate: usize,
}

impl Turns {
    /// The turns of the points from `first` to `stop` (exclusive).
    pub(super) fn take(&mut self, schedule: &Schedule, first: usize, stop: usize, random: Randomness<'_>) {
        self.groups = (1 + random.negative_sample_rate).div_ceil(LANES);
        self.due.clear();
        self.stops.clear();
        schedule.add_due(first..stop, random.epoch, &mut self.due, &mut self.stops);
        let cuts = self.cuts();
        let rounds = (0..SIDE_BY_SIDE).map(|part| self.turns_before(cuts[part + 1]) - self.turns_before(cuts[part]));
        let rounds = rounds.max().unwrap_or(0);
        self.own.resize(rounds * SIDE_BY_SIDE, 0);
        self.others.resize(rounds * SIDE_BY_SIDE * self.groups, [0; LANES]);
        for part in 0..SIDE_BY_SIDE {
            self.take_part(part, cuts[part]..cuts[part + 1], first, random);
        }
    }

    /// Splits the points into parts with roughly equal numbers of turns.
    fn cuts(&self) -> [usize; SIDE_BY_SIDE + 1] {
        let all = self.due.len() as u32;
        std::array::from_fn(|part| {
            let before = all * part as u32 / SIDE_BY_SIDE as u32;
            if part == SIDE_BY_SIDE { self.stops.len() } else { self.stops.partition_point(|&stop| stop <= before) }
        })
    }

    fn turns_before(&self, point: usize) -> usize {
        if point == 0 { 0 } else { self.stops[point - 1] as usize }
    }

    fn take_part(&mut self, part: usize, points: std::ops::Range<usize>, first: usize, random: Randomness<'_>) {
        #[cfg(target_arch = "x86_64")]
        if crate::linalg::processor::has_avx2() {
            // SAFETY: the CPU supports AVX2.
            unsafe { self.take_part_avx2(part, points, first, random) };
            return;
        }
        self.take_part_here(part, points, first, random);
    }

    /// The same integers from wider registers.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn take_part_avx2(&mut self, part: usize, points: std::ops::Range<usize>, first: usize, random: Randomness<'_>) {
        self.take_part_here(part, points, first, random);
    }

    #[inline(always)]
    fn take_part_here(&mut self, part: usize, points: std::ops::Range<usize>, first: usize, random: Randomness<'_>) {
        let idle = (first + points.start.min(self.stops.len() - 1)) as u32;
        let mut place = part;
        for point in points {
            let row = random.rows[first + point];
            let key = key(random.seed, u64::from(random.epoch), u64::from(row));
            let mut drawn = 0_u32;
            for turn in self.turns_before(point)..self.turns_before(point + 1) {
                self.own[place] = point as u32;
                let others = &mut self.others[place * self.groups..(place + 1) * self.groups];
                draw(others, key, drawn, random.rows.len() as u32);
                others.as_flattened_mut()[1 + random.negative_sample_rate..].fill((first + point) as u32);
                others[0][0] = self.due[turn];
                drawn = drawn.wrapping_add(random.negative_sample_rate as u32);
                place += SIDE_BY_SIDE;
            }
        }
        // A part without work pairs one of its points with itself, which moves nothing.
        while place < self.own.len() {
            self.own[place] = idle - first as u32;
            self.others[place * self.groups..(place + 1) * self.groups].fill([idle; LANES]);
            place += SIDE_BY_SIDE;
        }
    }
}

/// Randomly drawn points; number `first` of `key` is at index 1.
#[inline(always)]
fn draw(others: &mut [[u32; LANES]], key: u64, first: u32, points: u32) {
    for (group, others) in others.iter_mut().enumerate() {
        let start = first.wrapping_add((group * LANES) as u32).wrapping_sub(1);
        for (lane, other) in (0..).zip(others) {
            *other = below(bits32(key, start.wrapping_add(lane)), points);
        }
    }
}
