//! When each edge has its turn: the heavier, the more often.

use super::fuzzy_simplicial_set::FuzzyGraph;

/// One sample per epoch, as a fixed point number.
const EVERY_EPOCH: u32 = 1 << 31;

/// The edges of points with the rate at which each is sampled, as a part of 2³¹.
#[derive(Debug)]
pub(super) struct Schedule {
    offsets: Vec<usize>,
    ends: Vec<u32>,
    rates: Vec<u32>,
}

impl Schedule {
    /// The edges of the points in `order`, which numbers them anew.
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
            schedule.offsets.push(schedule.ends.len());
        }
        schedule
    }

    /// The ends of those of `point`'s edges that have their turn in `epoch`, in `due`.
    #[inline(always)]
    pub(super) fn due(&self, point: usize, epoch: u32, due: &mut Vec<u32>) {
        let edges = self.offsets[point]..self.offsets[point + 1];
        due.clear();
        add_due(&self.ends[edges.clone()], &self.rates[edges], epoch, due);
    }
}

/// The rate at which an edge of `weight` is sampled, where the strongest, `max_weight`, is sampled every epoch; 0 for
/// an edge too weak to be sampled once in `n_epochs`.
pub(super) fn sampling_rate(weight: f32, max_weight: f32, n_epochs: u32) -> u32 {
    let rate = f64::from(weight) / f64::from(max_weight);
    if rate * f64::from(n_epochs) < 1.0 { 0 } else { (rate * f64::from(EVERY_EPOCH)) as u32 }
}

/// Adds those of `ends` whose edges have their turn in `epoch` (from 1): those for which epoch · rate passes a whole
/// number.
#[inline(always)]
pub(super) fn add_due(ends: &[u32], rates: &[u32], epoch: u32, due: &mut Vec<u32>) {
    let mut count = due.len();
    due.resize(count + ends.len() + 1, 0);
    // Which edges are due is unpredictable: each is written, and the next overwrites those that are not.
    for (&end, &rate) in ends.iter().zip(rates) {
        due[count] = end;
        count += usize::from(rate.wrapping_mul(epoch) & (EVERY_EPOCH - 1) < rate);
    }
    due.truncate(count);
}
