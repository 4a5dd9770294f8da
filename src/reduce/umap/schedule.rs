//! The schedule of the edges: heavier edges are sampled more often.

use std::ops::Range;

use super::wide::LANES;
use crate::graph::FuzzyGraph;

/// One sample per epoch, as a fixed-point number.
const EVERY_EPOCH: u32 = 1 << 31;

/// The number of edges per point is padded to a multiple of this; padding edges are never due.
const PADDED: usize = LANES;

/// The edges of the points with their sampling rates, as multiples of 2⁻³¹.
#[derive(Debug)]
pub(super) struct Schedule {
    offsets: Vec<usize>,
    ends: Vec<u32>,
    rates: Vec<u32>,
}

impl Schedule {
    /// The edges of the points in `order`, which renumbers them.
    pub(super) fn new(graph: &FuzzyGraph, n_epochs: u32, order: &[u32]) -> Schedule {
        let mut place_of = vec![0; order.len()];
        for (place, &point) in (0..).zip(order) {
            place_of[point as usize] = place;
        }
        let max_weight = graph.max_weight();
        let mut schedule = Schedule { offsets: vec![0], ends: Vec::new(), rates: Vec::new() };
        for &point in order {
            let (ends, weights) = graph.row(point as usize);
            for (&end, &weight) in ends.iter().zip(weights) {
                let rate = sampling_rate(weight, max_weight, n_epochs);
                if rate > 0 {
                    schedule.ends.push(place_of[end as usize]);
                    schedule.rates.push(rate);
                }
            }
            let padded = schedule.ends.len().next_multiple_of(PADDED);
            schedule.ends.resize(padded, 0);
            schedule.rates.resize(padded, 0);
            schedule.offsets.push(schedule.ends.len());
        }
        schedule
    }

    /// Adds the endpoints of the edges of `points` that are due in `epoch` to `due`, and the end of each point's edges
    /// to `stops`.
    pub(super) fn add_due(&self, points: Range<usize>, epoch: u32, due: &mut Vec<u32>, stops: &mut Vec<u32>) {
        #[cfg(target_arch = "x86_64")]
        if crate::linalg::processor::has_avx2() {
            // SAFETY: the CPU supports AVX2 and POPCNT.
            unsafe { self.add_due_avx2(points, epoch, due, stops) };
            return;
        }
        self.add_due_here(points, epoch, due, stops);
    }

    fn add_due_here(&self, points: Range<usize>, epoch: u32, due: &mut Vec<u32>, stops: &mut Vec<u32>) {
        for point in points {
            let edges = self.offsets[point]..self.offsets[point + 1];
            add_due(&self.ends[edges.clone()], &self.rates[edges], epoch, due);
            stops.push(due.len() as u32);
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,popcnt")]
    fn add_due_avx2(&self, points: Range<usize>, epoch: u32, due: &mut Vec<u32>, stops: &mut Vec<u32>) {
        use std::arch::x86_64::*;

        for point in points {
            let edges = self.offsets[point]..self.offsets[point + 1];
            let (ends, _) = self.ends[edges.clone()].as_chunks::<LANES>();
            let (rates, _) = self.rates[edges].as_chunks::<LANES>();
            let mut count = due.len();
            due.resize(count + ends.len() * LANES, 0);
            for (ends, rates) in ends.iter().zip(rates) {
                // Which edges are due is unpredictable, so eight are always written, and the next write overwrites
                // those that are not due.
                let Some(room) = due[count..].first_chunk_mut::<LANES>() else { break };
                // SAFETY: `ends`, `rates`, `room` and each set of places are eight 4-byte values.
                let which = unsafe {
                    let rates = _mm256_loadu_si256(rates.as_ptr().cast());
                    let product = _mm256_mullo_epi32(rates, _mm256_set1_epi32(epoch as i32));
                    let fraction = _mm256_and_si256(product, _mm256_set1_epi32((EVERY_EPOCH - 1) as i32));
                    // Rates go up to 2^31, which fits a signed integer only after 1 is subtracted.
                    let limit = _mm256_sub_epi32(rates, _mm256_set1_epi32(1));
                    let late = _mm256_cmpgt_epi32(fraction, limit);
                    let which = !_mm256_movemask_ps(_mm256_castsi256_ps(late)) as u8;
                    let places = _mm256_loadu_si256(PLACES[which as usize].as_ptr().cast());
                    let ends = _mm256_loadu_si256(ends.as_ptr().cast());
                    _mm256_storeu_si256(room.as_mut_ptr().cast(), _mm256_permutevar8x32_epi32(ends, places));
                    which
                };
                count += which.count_ones() as usize;
            }
            due.truncate(count);
            stops.push(count as u32);
        }
    }
}

/// For each set of lanes, a permutation that puts its members first.
#[cfg(target_arch = "x86_64")]
static PLACES: [[u32; LANES]; 256] = places();

#[cfg(target_arch = "x86_64")]
const fn places() -> [[u32; LANES]; 256] {
    let mut places = [[0; LANES]; 256];
    let mut which = 0;
    while which < 256 {
        let (mut lane, mut count) = (0, 0);
        while lane < LANES {
            if which >> lane & 1 == 1 {
                places[which][count] = lane as u32;
                count += 1;
            }
            lane += 1;
        }
        which += 1;
    }
    places
}

/// The rate at which an edge of `weight` is sampled, where the strongest edge, with `max_weight`, is sampled every
/// epoch; 0 for an edge too weak to be sampled once in `n_epochs`.
pub(super) fn sampling_rate(weight: f32, max_weight: f32, n_epochs: u32) -> u32 {
    let rate = f64::from(weight) / f64::from(max_weight);
    if rate * f64::from(n_epochs) < 1.0 { 0 } else { (rate * f64::from(EVERY_EPOCH)) as u32 }
}

/// Adds the elements of `ends` for edges that are due in `epoch` (from 1), that is, for which epoch · rate passes an
/// integer.
#[inline(always)]
pub(super) fn add_due(ends: &[u32], rates: &[u32], epoch: u32, due: &mut Vec<u32>) {
    due.extend(ends.iter().zip(rates).filter(|&(_, &rate)| is_due(rate, epoch)).map(|(&end, _)| end));
}

/// Whether epoch · rate passes an integer.
#[inline(always)]
fn is_due(rate: u32, epoch: u32) -> bool {
    rate.wrapping_mul(epoch) & (EVERY_EPOCH - 1) < rate
}
