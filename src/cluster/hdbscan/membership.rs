//! Soft clustering: the membership strength of a point in each cluster, based on its distance to the clusters' densest
//! points (exemplars) and on where it separates from them in the condensed tree. They are combined as in Python's
//! hdbscan.

use std::ops::Range;

use ndarray::parallel::prelude::*;
use ndarray::{Array2, ArrayView2, Axis, s};

use super::condensed_tree::CondensedTree;
use super::fitted::FittedHdbscan;
use super::index::{squared_distance, widen};
use super::labeling::Labeling;
use super::nearest::Nearest;
use super::prediction::CHUNK;

/// Keeps quotients of lambdas finite.
const TINY: f64 = 1e-8;

/// The data for computing memberships, built on demand.
struct Clusters<'a> {
    tree: &'a CondensedTree,
    selected: &'a [usize],
    /// The coordinates of each label's exemplars, concatenated.
    exemplars: Vec<Vec<f32>>,
    /// The labels in the order in which a tree traversal, parents first, visits their clusters.
    walk: Vec<usize>,
    /// For each cluster of the tree, the start and end in `walk` of the labels within it.
    held: Vec<(usize, usize)>,
    /// For each cluster of the tree, its child clusters and the duplicate groups that leave it.
    below: Vec<Vec<usize>>,
}

impl<'a> Clusters<'a> {
    fn new(tree: &'a CondensedTree, labeling: &'a Labeling, points: &Array2<f32>) -> Self {
        let (walk, held) = walk(tree, &labeling.selected);
        let exemplars = exemplars(tree, labeling, points);
        let mut below = vec![Vec::new(); tree.nodes.len()];
        for (cluster, node) in tree.nodes.iter().enumerate().skip(1) {
            below[node.parent].push(cluster);
        }
        Clusters { tree, selected: &labeling.selected, exemplars, walk, held, below }
    }

    /// The lambda at which a point in `cluster` separates from each label's cluster. If one cluster contains the other,
    /// that is the lambda at which the point leaves: `lambda`.
    fn merge_heights(&self, cluster: usize, lambda: f64, heights: &mut [f64]) {
        heights.fill(lambda);
        self.part_from_those_below(cluster, None, lambda, heights);
        let mut below = cluster;
        while below > 0 {
            let node = self.tree.nodes[below];
            self.part_from_those_below(node.parent, Some(below), node.birth, heights);
            below = node.parent;
        }
    }

    /// A point that stays in `cluster` until `lambda`, within `own` of the clusters below it if given, separates from
    /// the others then, or earlier if these are duplicate groups that left earlier.
    fn part_from_those_below(&self, cluster: usize, own: Option<usize>, lambda: f64, heights: &mut [f64]) {
        if self.is_selected(cluster) {
            return;
        }
        for &other in self.below[cluster].iter().filter(|&&other| Some(other) != own) {
            let (start, end) = self.held[other];
            for &label in &self.walk[start..end] {
                heights[label] = lambda.min(self.tree.nodes[other].birth);
            }
        }
    }

    fn is_selected(&self, cluster: usize) -> bool {
        self.selected.binary_search(&cluster).is_ok()
    }

    /// The closeness of `point` to each label's exemplars: 1 / distance, normalized to sum to 1.
    fn closeness(&self, point: &[f64], closeness: &mut [f64]) {
        for (value, exemplars) in closeness.iter_mut().zip(&self.exemplars) {
            let squared = exemplars.chunks_exact(point.len()).map(|exemplar| squared_distance(point, exemplar));
            *value = 1.0 / squared.fold(f64::INFINITY, f64::min).sqrt();
        }
        if closeness.contains(&f64::INFINITY) {
            closeness.iter_mut().for_each(|value| *value = f64::from(u8::from(*value == f64::INFINITY)));
        }
        normalize(closeness);
    }

    /// The first of the labels from which a point separates last, with the lambda at which it does.
    fn last_parted(&self, heights: &[f64]) -> (usize, f64) {
        let mut last = (0, heights[0]);
        for (label, &height) in heights.iter().enumerate() {
            if height > last.1 {
                last = (label, height);
            }
        }
        (self.selected[last.0], last.1)
    }

    /// The memberships of a fitted point.
    fn of_fitted(&self, point: &[f64], cluster: usize, lambda: f64, heights: &mut [f64], memberships: &mut [f64]) {
        self.merge_heights(cluster, lambda, heights);
        self.closeness(point, memberships);
        let (nearest, height) = self.last_parted(heights);
        let in_some = share(height, self.tree.nodes[nearest].death.max(lambda));
        let death = self.tree.nodes[cluster].death + TINY;
        for height in heights.iter_mut() {
            *height = (-1.0 / share(*height, death)).exp();
        }
        softmax(heights);
        memberships.iter_mut().zip(heights).for_each(|(value, weight)| *value *= *weight);
        normalize(memberships);
        memberships.iter_mut().for_each(|value| *value *= in_some);
    }

    /// The memberships of a new point attached to a point that leaves `cluster`.
    fn of_new(&self, point: &[f64], cluster: usize, lambda: f64, heights: &mut [f64], memberships: &mut [f64]) {
        self.merge_heights(cluster, lambda, heights);
        self.closeness(point, memberships);
        let (nearest, height) = self.last_parted(heights);
        let in_some = share(height, self.tree.nodes[nearest].death.max(lambda) + TINY);
        let death = self.tree.nodes[cluster].death;
        for height in heights.iter_mut() {
            *height = affinity(*height, death);
        }
        softmax(heights);
        // If the nearest exemplars and the place in the tree contradict each other completely, distance decides.
        let agree = memberships.iter().zip(heights.iter()).any(|(closeness, weight)| closeness * weight * weight > 0.0);
        for (value, weight) in memberships.iter_mut().zip(heights).filter(|_| agree) {
            *value = value.sqrt() * *weight * *weight;
        }
        normalize(memberships);
        memberships.iter_mut().for_each(|value| *value *= in_some);
    }
}

/// `part` / `whole`, both of which may be infinite.
fn share(part: f64, whole: f64) -> f64 {
    if part == f64::INFINITY { 1.0 } else { part / whole }
}

/// The score of a cluster from which a new point separates at `height`: the closer to `death`, the larger.
fn affinity(height: f64, death: f64) -> f64 {
    match (height == f64::INFINITY, death == f64::INFINITY) {
        (true, _) => f64::MAX,
        (false, true) => 1.0,
        (false, false) if height >= death => death / TINY,
        (false, false) => death / (death - height),
    }
}

fn normalize(values: &mut [f64]) {
    let sum: f64 = values.iter().sum();
    values.iter_mut().for_each(|value| *value /= sum);
}

fn softmax(values: &mut [f64]) {
    let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    values.iter_mut().for_each(|value| *value = (*value - largest).exp());
    normalize(values);
}

/// The labels in the order of a tree traversal, and the range of it within each cluster.
fn walk(tree: &CondensedTree, selected: &[usize]) -> (Vec<usize>, Vec<(usize, usize)>) {
    let mut count = vec![0usize; tree.nodes.len()];
    for &cluster in selected {
        count[cluster] = 1;
    }
    for cluster in (1..tree.nodes.len()).rev() {
        count[tree.nodes[cluster].parent] += count[cluster];
    }
    let mut held = vec![(0, count[0]); tree.nodes.len()];
    // The start of the next cluster below each cluster.
    let mut next = vec![0; tree.nodes.len()];
    for cluster in 1..tree.nodes.len() {
        let parent = tree.nodes[cluster].parent;
        held[cluster] = (next[parent], next[parent] + count[cluster]);
        next[cluster] = next[parent];
        next[parent] += count[cluster];
    }
    let mut walk = vec![0; selected.len()];
    for (label, &cluster) in selected.iter().enumerate() {
        walk[held[cluster].0] = label;
    }
    (walk, held)
}

/// The points of each label that leave its leaf clusters last.
fn exemplars(tree: &CondensedTree, labeling: &Labeling, points: &Array2<f32>) -> Vec<Vec<f32>> {
    let mut exemplars = vec![Vec::new(); labeling.selected.len()];
    for (point, &cluster) in tree.point_cluster.iter().enumerate() {
        let node = tree.nodes[cluster];
        if node.children.is_none()
            && tree.point_lambda[point] == node.death
            && let Ok(label) = usize::try_from(labeling.cluster_label[cluster])
        {
            exemplars[label].extend(points.row(point));
        }
    }
    exemplars
}

impl FittedHdbscan {
    /// The membership strength of each fitted point in each cluster: n rows, one column per label. Each row sums to the
    /// probability that the point is in some cluster. There are no columns if there are no clusters.
    ///
    /// Matches `all_points_membership_vectors` of Python's hdbscan, but uses limits where infinite lambdas (coinciding
    /// points) result in NaN there. Time and memory are proportional to points times clusters: for a million points
    /// with thousands of clusters, request [some rows](Self::membership_vectors_of_rows) at a time.
    pub fn all_points_membership_vectors(&self) -> Array2<f64> {
        self.membership_vectors_of_rows(0..self.points.nrows())
    }

    /// The same for only the fitted points `rows` (those that exist), one row per point.
    pub fn membership_vectors_of_rows(&self, rows: Range<usize>) -> Array2<f64> {
        let tree = &self.condensed_tree;
        let stop = rows.end.min(self.points.nrows());
        let first = rows.start.min(stop);
        let points = self.points.slice(s![first..stop, ..]);
        self.memberships(points, |clusters, row, query, _, heights, memberships| {
            let row = first + row;
            clusters.of_fitted(query, tree.point_cluster[row], tree.point_lambda[row], heights, memberships);
        })
    }

    /// The same for some of the fitted points, which must exist.
    pub(super) fn memberships_of_points(&self, points: &[usize]) -> Array2<f64> {
        let tree = &self.condensed_tree;
        let given = self.points.select(Axis(0), points);
        self.memberships(given.view(), |clusters, row, query, _, heights, memberships| {
            let point = points[row];
            clusters.of_fitted(query, tree.point_cluster[point], tree.point_lambda[point], heights, memberships);
        })
    }

    /// The memberships of validated new points.
    pub(super) fn memberships_of_new(&self, points: ArrayView2<'_, f32>) -> Array2<f64> {
        let tree = &self.condensed_tree;
        self.memberships(points, |clusters, _, query, nearest, heights, memberships| {
            let connection = self.connect(query, nearest);
            let lambda = connection.lambda.min(tree.point_lambda[connection.row]);
            clusters.of_new(query, tree.point_cluster[connection.row], lambda, heights, memberships);
        })
    }

    fn memberships(
        &self,
        points: ArrayView2<'_, f32>,
        fill: impl Fn(&Clusters<'_>, usize, &[f64], &mut Nearest, &mut [f64], &mut [f64]) + Sync,
    ) -> Array2<f64> {
        let labels = self.labeling.selected.len();
        let mut result = Array2::zeros((points.nrows(), labels));
        if labels == 0 {
            return result;
        }
        let clusters = Clusters::new(&self.condensed_tree, &self.labeling, &self.points);
        result.axis_chunks_iter_mut(Axis(0), CHUNK).into_par_iter().enumerate().for_each_init(
            || (Nearest::new(self.neighbors_to_find()), Vec::new(), vec![0.0; labels]),
            |(nearest, query, heights), (chunk, mut memberships)| {
                for (offset, mut memberships) in memberships.rows_mut().into_iter().enumerate() {
                    widen(points.row(chunk * CHUNK + offset), query);
                    if let Some(memberships) = memberships.as_slice_mut() {
                        fill(&clusters, chunk * CHUNK + offset, query, nearest, heights, memberships);
                    }
                }
            },
        );
        result
    }
}
