//! The rows and topics of a model in the plane: where topics are, and their colors.

use std::collections::BTreeMap;

use super::color::colored;
use super::labels::At;
use crate::cluster::OUTLIER;
use crate::error::Result;
use crate::model::FittedTopicModel;

/// The number of neighbors that each topic's color differs from.
const NEIGHBORS: usize = 8;

/// Cells across the plane in which the densest part of a topic is found.
const CELLS: f64 = 48.0;

/// Space around the points, in pixels.
const PADDING: f64 = 14.0;

/// The plane of a model.
#[derive(Debug)]
pub(in crate::display) struct Plane {
    /// The position of each row; NaN for a row that has none.
    pub(in crate::display) points: Vec<[f32; 2]>,
    /// The topic of each row.
    pub(in crate::display) of_rows: Vec<i32>,
    /// The topics that have a place, ascending, without the outliers.
    pub(in crate::display) topics: Vec<TopicPlace>,
}

/// A topic in the plane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::display) struct TopicPlace {
    pub(in crate::display) topic: i32,
    /// The middle of its densest part, in the coordinates of the layout.
    pub(in crate::display) center: At,
    /// Half of its points are within this distance of the center.
    pub(in crate::display) radius: f64,
    /// The number of its color: neighboring topics have different ones.
    pub(in crate::display) color: u8,
    /// The number of its rows, also of those without a position.
    pub(in crate::display) size: usize,
}

impl Plane {
    pub(in crate::display) fn of(model: &FittedTopicModel) -> Result<Self> {
        Ok(Plane::new(model.layout()?.points().to_vec(), model.labels()))
    }

    /// Rows at these positions, NaN for a row that has none, with the topic of each.
    pub(in crate::display) fn new(points: Vec<[f32; 2]>, of_rows: Vec<i32>) -> Self {
        let mut sizes = BTreeMap::<i32, usize>::new();
        of_rows.iter().for_each(|&topic| *sizes.entry(topic).or_default() += 1);
        sizes.remove(&OUTLIER);
        let ids: Vec<i32> = sizes.keys().copied().collect();
        let group = |topic: &i32| ids.binary_search(topic).ok();
        let places: Vec<(At, usize)> = points
            .iter()
            .zip(&of_rows)
            .filter(|([x, y], _)| x.is_finite() && y.is_finite())
            .filter_map(|(&[x, y], topic)| Some(((f64::from(x), f64::from(y)), group(topic)?)))
            .collect();
        let centers = densest(places.iter().copied(), ids.len(), extent(&points) / CELLS);
        let radii = radii(&places, &centers);
        let placed: Vec<(i32, At, f64)> = ids
            .iter()
            .zip(centers)
            .zip(radii)
            .filter_map(|((&id, center), radius)| Some((id, center?, radius)))
            .collect();
        let colors =
            colored(&neighborhoods(&placed.iter().map(|&(_, center, _)| center).collect::<Vec<_>>(), NEIGHBORS));
        let place = |((topic, center, radius), color): ((i32, At, f64), u8)| {
            let size = sizes.get(&topic).copied().unwrap_or_default();
            TopicPlace { topic, center, radius, color, size }
        };
        let topics = placed.into_iter().zip(colors).map(place).collect();
        Plane { points, of_rows, topics }
    }

    /// The place of a topic.
    pub(in crate::display) fn topic(&self, topic: i32) -> Option<&TopicPlace> {
        let at = self.topics.binary_search_by_key(&topic, |place| place.topic).ok()?;
        self.topics.get(at)
    }
}

/// The longer side of the box around all points.
fn extent(points: &[[f32; 2]]) -> f64 {
    let side = |axis: fn(&[f32; 2]) -> f32| {
        let values = points.iter().map(axis).filter(|x| x.is_finite()).map(f64::from);
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        if high > low { high - low } else { 0.0 }
    };
    side(|&[x, _]| x).max(side(|&[_, y]| y))
}

/// The number of points, and the sums of their coordinates.
type Sums = (f64, f64, f64);

type Cells = BTreeMap<(i64, i64), Sums>;

fn total<'a>(cells: impl Iterator<Item = &'a Sums>) -> Sums {
    cells.fold((0.0, 0.0, 0.0), |sum, &(n, x, y)| (sum.0 + n, sum.1 + x, sum.2 + y))
}

/// The middle of the densest part of each of `groups` groups: of the cell which, with the eight around it, has most of
/// the group's points; of several, of that nearest to their mean. `None` for a group without points.
pub(super) fn densest(points: impl Iterator<Item = (At, usize)>, groups: usize, cell: f64) -> Vec<Option<At>> {
    let cell = if cell > 0.0 { cell } else { 1.0 };
    let mut cells: Vec<Cells> = vec![Cells::new(); groups];
    for ((x, y), group) in points {
        if let Some(cells) = cells.get_mut(group) {
            let sums = cells.entry(((x / cell).floor() as i64, (y / cell).floor() as i64)).or_default();
            *sums = (sums.0 + 1.0, sums.1 + x, sums.2 + y);
        }
    }
    let middle = |cells: &Cells| {
        let around = |&(column, row): &(i64, i64)| {
            let near = (-1..=1).flat_map(move |dx| (-1..=1).map(move |dy| (column + dx, row + dy)));
            total(near.filter_map(|near| cells.get(&near)))
        };
        let (all, sum_x, sum_y) = total(cells.values());
        // Of equally full parts, the one that is nearest to the mean.
        let from_mean = |&(n, x, y): &Sums| (x / n - sum_x / all).hypot(y / n - sum_y / all);
        let better = |a: &Sums, b: &Sums| a.0.total_cmp(&b.0).then(from_mean(b).total_cmp(&from_mean(a)));
        let best = cells.keys().map(around).reduce(|best, sums| if better(&sums, &best).is_gt() { sums } else { best });
        best.map(|(n, x, y)| (x / n, y / n))
    };
    cells.iter().map(middle).collect()
}

/// The distance of each center from half of its group's points.
fn radii(points: &[(At, usize)], centers: &[Option<At>]) -> Vec<f64> {
    let mut distances = vec![Vec::new(); centers.len()];
    for &((x, y), group) in points {
        if let (Some(distances), Some(Some((a, b)))) = (distances.get_mut(group), centers.get(group)) {
            distances.push((x - a).hypot(y - b));
        }
    }
    let median = |mut distances: Vec<f64>| {
        distances.sort_by(f64::total_cmp);
        distances.get(distances.len() / 2).copied().unwrap_or(0.0)
    };
    distances.into_iter().map(median).collect()
}

/// The neighbors of each of `centers`: its `k` nearest, and those whose nearest it is.
pub(super) fn neighborhoods(centers: &[At], k: usize) -> Vec<Vec<usize>> {
    let mut neighbors = vec![Vec::new(); centers.len()];
    for (center, &(x, y)) in centers.iter().enumerate() {
        let mut others: Vec<(f64, usize)> = centers
            .iter()
            .enumerate()
            .filter(|&(other, _)| other != center)
            .map(|(other, &(a, b))| ((a - x).hypot(b - y), other))
            .collect();
        others.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        for (_, other) in others.into_iter().take(k) {
            for (from, to) in [(center, other), (other, center)] {
                if let Some(of_one) = neighbors.get_mut(from) {
                    of_one.push(to);
                }
            }
        }
    }
    for of_one in &mut neighbors {
        of_one.sort_unstable();
        of_one.dedup();
    }
    neighbors
}

/// From the layout to pixels: the same scale in both directions, y upward.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct View {
    pub(super) width: f64,
    pub(super) height: f64,
    scale: f64,
    /// What is at (0, 0) of the drawing, in the coordinates of the layout.
    corner: At,
}

impl View {
    /// All of the points in a drawing of this width, whose height is at most `highest` and at least `lowest`.
    pub(super) fn of(points: impl Iterator<Item = At>, width: f64, (lowest, highest): (f64, f64)) -> Self {
        let start = (f64::INFINITY, f64::NEG_INFINITY);
        let grown = |(low, high): (f64, f64), x: f64| (low.min(x), high.max(x));
        let (xs, ys) = points.fold((start, start), |(xs, ys), (x, y)| (grown(xs, x), grown(ys, y)));
        let side = |(low, high): (f64, f64)| if high > low { high - low } else { 0.0 };
        let middle = |(low, high): (f64, f64)| if high >= low { (low + high) / 2.0 } else { 0.0 };
        let (wide, high) = (side(xs), side(ys));
        let inner = width - 2.0 * PADDING;
        let height = if wide > 0.0 { high / wide * inner + 2.0 * PADDING } else { highest };
        let height = height.clamp(lowest, highest).round();
        let fit = |room: f64, side: f64| if side > 0.0 { room / side } else { f64::INFINITY };
        let scale = fit(inner, wide).min(fit(height - 2.0 * PADDING, high));
        let scale = if scale.is_finite() { scale } else { 1.0 };
        let corner = (middle(xs) - width / 2.0 / scale, middle(ys) + height / 2.0 / scale);
        View { width, height, scale, corner }
    }

    /// A distance in pixels.
    pub(super) fn length(&self, distance: f64) -> f64 {
        distance * self.scale
    }

    /// The same with more space on every side.
    pub(super) fn with_edge(self, edge: f64) -> Self {
        let corner = (self.corner.0 - edge / self.scale, self.corner.1 + edge / self.scale);
        View { width: self.width + 2.0 * edge, height: self.height + 2.0 * edge, corner, ..self }
    }

    /// The place of a point.
    pub(super) fn at(&self, (x, y): At) -> At {
        ((x - self.corner.0) * self.scale, (self.corner.1 - y) * self.scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_where_most_of_its_points_are() {
        let crowd = (0..30).map(|number| ((5.0 + f64::from(number) / 100.0, 2.0), 0));
        let points = crowd.chain([((-40.0, 0.0), 0), ((1.0, 1.0), 2)]);
        let centers = densest(points, 3, 1.0);
        assert!(centers[0].is_some_and(|(x, y)| (x - 5.145).abs() < 1e-9 && (y - 2.0).abs() < 1e-9));
        assert_eq!(centers[1..], [None, Some((1.0, 1.0))]);
    }

    #[test]
    fn neighborhoods_are_symmetric() {
        let centers: Vec<At> = (0..50).map(|n| (f64::from(n * 37 % 50), f64::from(n * n % 23))).collect();
        let neighbors = neighborhoods(&centers, 6);
        for (one, of_one) in neighbors.iter().enumerate() {
            assert!(of_one.len() >= 6 && !of_one.contains(&one));
            assert!(of_one.iter().all(|&other| neighbors[other].contains(&one)));
        }
        assert_eq!(neighborhoods(&[(0.0, 0.0)], 6), [Vec::<usize>::new()]);
    }

    #[test]
    fn all_points_are_in_view() {
        for points in [vec![(0.0, 0.0), (10.0, 1.0)], vec![(0.0, 0.0), (0.0, 100.0)], vec![(3.0, 3.0)], vec![]] {
            let view = View::of(points.iter().copied(), 600.0, (200.0, 400.0));
            assert!((200.0..=400.0).contains(&view.height));
            for point in points {
                let (x, y) = view.at(point);
                assert!((0.0..=600.0).contains(&x) && (0.0..=view.height).contains(&y), "{point:?}");
            }
        }
    }
}
