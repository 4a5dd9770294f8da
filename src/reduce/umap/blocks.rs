//! Partitions the points into blocks of nearby points, which can be processed in parallel.
//!
//! Most edges of a good initial layout are short, so most edges have both ends in one block. The partition depends only
//! on the positions, not on the number of threads, and is fixed for all epochs, as is the order in which edges are
//! processed.

/// The maximum number of points in a block: small enough to keep all threads busy and for a block and its turns to stay
/// in the cache, large enough that many edges stay within one block.
const MAX_POINTS: usize = 1024;

/// An order of the points in which each block is a contiguous range.
#[derive(Debug)]
pub(super) struct Blocks {
    /// The points, block by block.
    pub(super) order: Vec<u32>,
    /// The end of each block.
    pub(super) stops: Vec<usize>,
}

impl Blocks {
    /// Bisects the points along the longest side of their bounding box until the parts are small enough, as in a k-d
    /// tree. The result depends only on the positions, which have `dimensions` values per point.
    pub(super) fn new(positions: &[f32], dimensions: usize) -> Blocks {
        let points = positions.len() / dimensions;
        let mut order: Vec<u32> = (0..points as u32).collect();
        let mut stops = Vec::new();
        halve(&mut order, &Positions { values: positions, dimensions }, 0, &mut stops);
        Blocks { order, stops }
    }

    /// The blocks of `points`, which are in this order, each with the number of its first point.
    pub(super) fn cut<'a, P>(&self, points: &'a mut [P]) -> Vec<(usize, &'a mut [P])> {
        let mut rest = points;
        let mut first = 0;
        let mut blocks = Vec::with_capacity(self.stops.len());
        for &stop in &self.stops {
            let (block, others) = std::mem::take(&mut rest).split_at_mut(stop - first);
            blocks.push((first, block));
            (first, rest) = (stop, others);
        }
        blocks
    }
}

struct Positions<'a> {
    values: &'a [f32],
    dimensions: usize,
}

impl Positions<'_> {
    fn of(&self, point: u32) -> &[f32] {
        &self.values[point as usize * self.dimensions..(point as usize + 1) * self.dimensions]
    }
}

fn halve(order: &mut [u32], positions: &Positions<'_>, first: usize, stops: &mut Vec<usize>) {
    if order.len() <= MAX_POINTS {
        stops.push(first + order.len());
        return;
    }
    let axis = longest_side(order, positions);
    let middle = order.len() / 2;
    let along = |point: &u32| positions.of(*point)[axis];
    order.select_nth_unstable_by(middle, |a, b| along(a).total_cmp(&along(b)).then(a.cmp(b)));
    let (low, high) = order.split_at_mut(middle);
    halve(low, positions, first, stops);
    halve(high, positions, first + middle, stops);
}

fn longest_side(order: &[u32], positions: &Positions<'_>) -> usize {
    let mut sides = vec![(f32::INFINITY, f32::NEG_INFINITY); positions.dimensions];
    for &point in order {
        for (side, &value) in sides.iter_mut().zip(positions.of(point)) {
            *side = (side.0.min(value), side.1.max(value));
        }
    }
    let length = |axis: usize| sides[axis].1 - sides[axis].0;
    (0..sides.len()).fold(0, |best, axis| if length(axis) > length(best) { axis } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spiral(points: usize) -> Vec<f32> {
        (0..points).map(|i| 0.001 * i as f32).flat_map(|t| [t * t.cos(), 3.0 * t * t.sin()]).collect()
    }

    #[test]
    fn each_point_is_in_one_block_of_moderate_size() {
        for points in [1, 1024, 1025, 4000, 5001] {
            let blocks = Blocks::new(&spiral(points), 2);
            let mut order = blocks.order.clone();
            order.sort_unstable();
            assert!(order.into_iter().eq(0..points as u32));
            assert_eq!(blocks.stops.last(), Some(&points));
            let mut places: Vec<usize> = (0..points).collect();
            let cut = blocks.cut(&mut places);
            let sizes: Vec<usize> = cut.iter().map(|(_, block)| block.len()).collect();
            assert!(cut.iter().all(|(first, block)| block[0] == *first), "{points}");
            assert_eq!(sizes.iter().sum::<usize>(), points);
            assert!(sizes.iter().all(|&size| size <= MAX_POINTS && (size > 500 || points == 1)), "{sizes:?}");
        }
    }

    #[test]
    fn blocks_do_not_overlap_along_the_longest_side() {
        let positions = spiral(2000);
        let blocks = Blocks::new(&positions, 2);
        let ys: Vec<f32> = blocks.order.iter().map(|&point| positions[point as usize * 2 + 1]).collect();
        let (low, high) = ys.split_at(blocks.stops[0]);
        assert_eq!(blocks.stops.len(), 2);
        assert!(low.iter().all(|y| high.iter().all(|z| y <= z)));
    }

    #[test]
    fn equal_points_are_cut_by_their_numbers() {
        let blocks = Blocks::new(&[1.0; 6000], 2);
        assert_eq!(blocks.stops, [750, 1500, 2250, 3000]);
        let mut first = blocks.order[..750].to_vec();
        first.sort_unstable();
        assert!(first.into_iter().eq(0..750));
    }
}
