//! From which zoom on each picture is shown, so that pictures never overlap, and none vanishes while zooming in.

use hashbrown::HashMap;

use super::points::SIDE;

/// The level of a picture that is never shown, since another one is at the same place.
pub(super) const NEVER: u8 = 255;

/// Levels per doubling of the zoom.
pub(super) const PER_OCTAVE: u32 = 4;

/// The finest level: its distance is one step of a coordinate.
const FINEST: u8 = 64;

/// The distance of pictures on a level, in steps of a coordinate: on level 0 the whole plane, on each further level less
/// by a quarter of an octave.
pub(super) fn distance(level: u8) -> f64 {
    f64::from(SIDE) * (-f64::from(level) / f64::from(PER_OCTAVE)).exp2()
}

/// The level of each point, in the order of their priority: a point is on the coarsest level on which no point before it
/// and none of a coarser level is nearer than the level's [distance], horizontally and vertically. Levels are computed until
/// `most` points have one; the others are on level [`NEVER`].
pub(super) fn levels(points: &[[u16; 2]], most: usize) -> Vec<u8> {
    let mut levels = vec![NEVER; points.len()];
    let mut left: Vec<usize> = (0..points.len()).collect();
    let mut chosen: Vec<usize> = Vec::new();
    for level in 0..=FINEST {
        if left.is_empty() || chosen.len() >= most {
            break;
        }
        let mut grid = Grid::new(distance(level));
        chosen.iter().filter_map(|&place| points.get(place)).for_each(|&point| grid.insert(point));
        left.retain(|&place| {
            let (Some(&point), Some(own)) = (points.get(place), levels.get_mut(place)) else { return false };
            if grid.has_near(point) {
                return true;
            }
            grid.insert(point);
            chosen.push(place);
            *own = level;
            false
        });
    }
    levels
}

/// Points that are at least `distance` apart, so that a square of this side holds at most a few.
struct Grid {
    distance: f64,
    cells: HashMap<(i64, i64), Vec<[u16; 2]>>,
}

impl Grid {
    fn new(distance: f64) -> Self {
        Grid { distance, cells: HashMap::new() }
    }

    fn cell(&self, [x, y]: [u16; 2]) -> (i64, i64) {
        let place = |value: u16| (f64::from(value) / self.distance) as i64;
        (place(x), place(y))
    }

    fn insert(&mut self, point: [u16; 2]) {
        let cell = self.cell(point);
        self.cells.entry(cell).or_default().push(point);
    }

    fn has_near(&self, point: [u16; 2]) -> bool {
        let (column, row) = self.cell(point);
        let around = (-1..=1).flat_map(|dx| (-1..=1).map(move |dy| (column + dx, row + dy)));
        around.filter_map(|cell| self.cells.get(&cell)).flatten().any(|&other| apart(point, other) < self.distance)
    }
}

/// The larger of the horizontal and the vertical distance.
fn apart([x, y]: [u16; 2], [other_x, other_y]: [u16; 2]) -> f64 {
    f64::from(x.abs_diff(other_x).max(y.abs_diff(other_y)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::mix::mix64;

    fn scattered(n: u64, side: u64) -> Vec<[u16; 2]> {
        (0..n).map(|i| [(mix64(2 * i) % side) as u16, (mix64(2 * i + 1) % side) as u16]).collect()
    }

    #[test]
    fn pictures_of_a_level_do_not_overlap_and_none_is_left_out_without_reason() {
        for (n, side) in [(1, 10), (400, 65_535), (400, 3_000), (300, 12)] {
            let points = scattered(n, side);
            let levels = levels(&points, usize::MAX);
            assert_eq!(levels[0], 0);
            for (place, (&point, &level)) in points.iter().zip(&levels).enumerate() {
                for (other, &other_level) in points.iter().zip(&levels).take(place) {
                    let both = level.max(other_level);
                    assert!(both == NEVER || apart(point, *other) >= distance(both), "{point:?} {other:?} {both}");
                }
                // On the level before, something of higher rank was in the way.
                if level > 0 {
                    let before = if level == NEVER { FINEST } else { level - 1 };
                    let in_the_way = points.iter().zip(&levels).enumerate().any(|(rank, (&other, &other_level))| {
                        (other_level < before || other_level == before && rank < place)
                            && apart(point, other) < distance(before)
                    });
                    assert!(in_the_way, "{point:?} {level}");
                }
            }
        }
    }

    #[test]
    fn of_equal_places_only_the_first_is_shown() {
        assert_eq!(levels(&[[5, 5], [5, 5], [SIDE, SIDE]], 3), [0, NEVER, 1]);
        assert_eq!(levels(&[], 3), [0_u8; 0]);
    }
}
