//! The condensed tree: the single-linkage hierarchy in which every split of fewer than `min_cluster_size` points is
//! interpreted as points falling out of a cluster that persists (McInnes and Healy 2017; Campello, Moulavi and Sander
//! 2013).
//!
//! If points represent several rows, `min_cluster_size` counts rows, but copies say nothing about the density of a
//! region and therefore do not affect the choice between clusters: a subtree that splits off with enough rows but too
//! few distinct points, such as one text that was sent a hundred times, is a *duplicate group*. It leaves its cluster
//! like points that fall out, and the cluster persists; but if no selected cluster contains the group, it becomes a
//! cluster by itself. Without weights there are no duplicate groups.
//! duplicate groups.

use std::collections::VecDeque;

use super::single_linkage::{Merge, Weights};

/// A row of the condensed tree.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CondensedRow {
    /// The cluster that the child leaves. The ID of the root is the number of points; other clusters follow it.
    pub parent: usize,
    /// A point (less than the number of points) or a cluster.
    pub child: usize,
    /// 1 / the distance at which the child leaves its parent; infinite at distance 0.
    pub lambda: f64,
    /// The number of points in the child, including copies; 1 for a point without a weight.
    pub child_size: usize,
}

/// A cluster of the condensed tree. Here clusters are numbered from 0, the root; a child has a larger number than its
/// parent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    /// The cluster that this one splits off from; 0 for the root.
    pub(super) parent: usize,
    /// The two clusters that this one splits into, if any. Duplicate groups that leave a cluster are not among them.
    pub(super) children: Option<(usize, usize)>,
    /// The lambda at which the cluster begins; 0 for the root.
    pub(super) birth: f64,
    /// The largest lambda at which anything leaves the cluster.
    pub(super) death: f64,
    /// The initial number of points, including copies.
    pub(super) size: usize,
    /// The initial number of distinct points.
    pub(super) points: usize,
    /// Whether this is a duplicate group or inside one.
    pub(super) is_duplicate_group: bool,
}

/// The hierarchy of clusters, including where each point leaves.
///
/// The order of the rows has no meaning, except that parents come before their children.
///
/// ```
/// use topicframe::ndarray::Array2;
/// use topicframe::prelude::*;
///
/// // Ten points near 0, and ten near 10: the root splits into two clusters.
/// let points = Array2::from_shape_fn((20, 1), |(row, _)| (row / 10 * 10) as f32 + (row % 10) as f32 / 10.0);
/// let fitted = Hdbscan::new().min_cluster_size(6).cluster(points.view(), &Progress::silent())?;
/// let tree = fitted.condensed_tree();
/// let root = tree.points();
/// let parts = tree.rows().iter().filter(|row| row.parent == root);
/// assert_eq!(parts.map(|row| row.child_size).collect::<Vec<_>>(), [10, 10]);
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct CondensedTree {
    pub(super) points: usize,
    pub(super) rows: Vec<CondensedRow>,
    pub(super) nodes: Vec<Node>,
    /// The cluster that each point falls out of.
    pub(super) point_cluster: Vec<usize>,
    /// The lambda at which each point falls out.
    pub(super) point_lambda: Vec<f64>,
}

impl CondensedTree {
    /// The number of clustered points; also the ID of the root cluster.
    pub fn points(&self) -> usize {
        self.points
    }

    /// The rows: one per point and one per cluster other than the root. Empty for a single point.
    pub fn rows(&self) -> &[CondensedRow] {
        &self.rows
    }

    /// Condenses `merges` of `points` points.
    pub(super) fn condense(points: usize, merges: &[Merge], weights: Weights<'_>, min_cluster_size: usize) -> Self {
        let size = merges.last().map_or_else(|| weights.of(0), |last| last.size as usize);
        let root = Node { parent: 0, children: None, birth: 0.0, death: 0.0, size, points, is_duplicate_group: false };
        let mut tree = CondensedTree {
            points,
            rows: Vec::with_capacity(points + points / min_cluster_size),
            nodes: vec![root],
            point_cluster: vec![0; points],
            point_lambda: vec![0.0; points],
        };
        let mut condensing = Condensing {
            tree: &mut tree,
            subtrees: Subtrees { points, merges, weights, min_cluster_size },
            waiting: VecDeque::new(),
        };
        condensing.run();
        tree.split_off_rest(min_cluster_size);
        tree
    }

    /// If only duplicate groups leave the root, all remaining points would be outliers, as there would be no cluster
    /// for them. The rest of the root therefore becomes a cluster, including any remaining groups, once the last group
    /// has left that leaves at least `min_cluster_size` points outside groups.
    fn split_off_rest(&mut self, min_cluster_size: usize) {
        let Some(birth) = self.birth_of_rest(min_cluster_size) else { return };
        let in_root = self.nodes.iter().enumerate().skip(1).filter(|(_, node)| node.parent == 0);
        let later: Vec<usize> = in_root.filter(|(_, node)| node.birth > birth).map(|(number, _)| number).collect();
        // The new cluster has the number 1, so that it comes before the clusters it contains.
        let moved = |number: usize| if number > 0 { number + 1 } else { 0 };
        for node in &mut self.nodes {
            node.parent = moved(node.parent);
            node.children = node.children.map(|(left, right)| (moved(left), moved(right)));
        }
        let mut rest = Node {
            parent: 0,
            children: None,
            birth,
            death: self.nodes[0].death,
            size: 0,
            points: 0,
            is_duplicate_group: false,
        };
        for &number in &later {
            self.nodes[number].parent = 1;
            rest.size += self.nodes[number].size;
            rest.points += self.nodes[number].points;
        }
        let root = self.points;
        for row in &mut self.rows {
            let leaves_root = row.parent == root;
            row.parent = root + moved(row.parent - root);
            if row.child > root {
                row.child += 1;
            }
            if leaves_root && row.lambda > birth {
                row.parent = root + 1;
                if row.child < root {
                    rest.size += row.child_size;
                    rest.points += 1;
                }
            }
        }
        for (cluster, &lambda) in self.point_cluster.iter_mut().zip(&self.point_lambda) {
            *cluster = if *cluster == 0 && lambda > birth { 1 } else { moved(*cluster) };
        }
        self.rows.insert(0, CondensedRow { parent: root, child: root + 1, lambda: birth, child_size: rest.size });
        self.nodes[0].death = birth;
        self.nodes.insert(1, rest);
    }

    /// The lambda at which the rest of the root becomes a cluster, if the root has duplicate groups, does not split and
    /// is large enough.
    fn birth_of_rest(&self, min_cluster_size: usize) -> Option<f64> {
        let root = self.nodes.first().filter(|root| root.children.is_none() && self.nodes.len() > 1)?;
        let groups = self.nodes.iter().skip(1).filter(|node| node.parent == 0).map(|node| node.birth);
        let mut beside: Vec<f64> =
            self.point_cluster.iter().zip(&self.point_lambda).filter(|(c, _)| **c == 0).map(|(_, &l)| l).collect();
        beside.sort_unstable_by(|a, b| b.total_cmp(a));
        // The smallest lambda of the points that must remain.
        let last = *beside.get(min_cluster_size - 1)?;
        groups.filter(|&birth| birth < last.min(root.death)).max_by(f64::total_cmp)
    }

    /// A point falls out of a cluster, with all its copies.
    fn fall_out(&mut self, point: usize, cluster: usize, lambda: f64, weight: usize) {
        self.point_cluster[point] = cluster;
        self.point_lambda[point] = lambda;
        self.rows.push(CondensedRow { parent: self.points + cluster, child: point, lambda, child_size: weight });
    }

    fn split_off(&mut self, child: Node) -> usize {
        let number = self.nodes.len();
        let (parent, child_number) = (self.points + child.parent, self.points + number);
        self.rows.push(CondensedRow { parent, child: child_number, lambda: child.birth, child_size: child.size });
        self.nodes.push(child);
        number
    }
}

/// The classification of one side of a merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    /// Too few rows: its points fall out, however it splits further below.
    Small,
    /// Enough rows, but too few distinct points.
    DuplicateGroup,
    /// Enough distinct points.
    Cluster,
}

/// A tree under construction.
struct Condensing<'a> {
    tree: &'a mut CondensedTree,
    subtrees: Subtrees<'a>,
    /// Pending merges, each with the cluster that contains it.
    waiting: VecDeque<(usize, usize)>,
}

impl Condensing<'_> {
    /// Processes the merges level by level, which numbers the clusters from the top.
    fn run(&mut self) {
        match self.subtrees.merges.len().checked_sub(1) {
            Some(last) => self.waiting.push_back((last, 0)),
            // A single point; its copies are at distance 0.
            None if self.subtrees.side(0) == Side::DuplicateGroup => {
                self.tree.nodes[0].death = f64::INFINITY;
                self.split_off(0, 0, f64::INFINITY, true);
            }
            None => {}
        }
        while let Some((merge, cluster)) = self.waiting.pop_front() {
            self.condense_merge(merge, cluster);
        }
    }

    fn condense_merge(&mut self, merge: usize, cluster: usize) {
        let Merge { left, right, distance, .. } = self.subtrees.merges[merge];
        let lambda = if distance > 0.0 { 1.0 / distance } else { f64::INFINITY };
        let node = &mut self.tree.nodes[cluster];
        node.death = node.death.max(lambda);
        let in_group = node.is_duplicate_group;
        let sides = [left, right].map(|side| self.subtrees.side(side));
        let splits = sides == [Side::Cluster, Side::Cluster]
            || in_group && sides == [Side::DuplicateGroup, Side::DuplicateGroup];
        let one_falls_out = sides.contains(&Side::Small);
        for (subtree, side) in [left, right].into_iter().zip(sides) {
            match side {
                Side::Small => self.fall_out(subtree, cluster, lambda),
                // The remainder of a cluster that ends here.
                Side::DuplicateGroup if one_falls_out && !in_group => self.fall_out(subtree, cluster, lambda),
                Side::Cluster if splits => self.split_off(subtree, cluster, lambda, false),
                Side::DuplicateGroup if splits || !in_group => self.split_off(subtree, cluster, lambda, true),
                Side::DuplicateGroup | Side::Cluster => self.go_on(subtree, cluster, lambda),
            }
        }
        if splits {
            let clusters = self.tree.nodes.len();
            self.tree.nodes[cluster].children = Some((clusters - 2, clusters - 1));
        }
    }

    /// The points of `subtree` fall out of `cluster`; each point with enough copies for a cluster becomes a duplicate
    /// group.
    fn fall_out(&mut self, subtree: u32, cluster: usize, lambda: f64) {
        let Condensing { tree, subtrees, .. } = self;
        subtrees.for_each_point(subtree, |point| {
            let weight = subtrees.weights.of(point);
            let from = if weight < subtrees.min_cluster_size {
                cluster
            } else {
                let (birth, size) = (lambda, weight);
                tree.split_off(Node {
                    parent: cluster,
                    children: None,
                    birth,
                    death: birth,
                    size,
                    points: 1,
                    is_duplicate_group: true,
                })
            };
            tree.fall_out(point, from, lambda, weight);
        });
    }

    /// Turns `subtree` into a new cluster.
    fn split_off(&mut self, subtree: u32, parent: usize, birth: f64, is_duplicate_group: bool) {
        let (size, points) = (self.subtrees.size(subtree), self.subtrees.points_of(subtree));
        let child =
            self.tree.split_off(Node { parent, children: None, birth, death: 0.0, size, points, is_duplicate_group });
        self.go_on(subtree, child, birth);
    }

    /// `subtree` is all that remains of `cluster`.
    fn go_on(&mut self, subtree: u32, cluster: usize, lambda: f64) {
        match self.subtrees.merge(subtree) {
            Some(merge) => self.waiting.push_back((merge, cluster)),
            None => {
                let node = &mut self.tree.nodes[cluster];
                node.death = node.death.max(lambda);
                self.tree.fall_out(subtree as usize, cluster, lambda, self.subtrees.size(subtree));
            }
        }
    }
}

/// The subtrees of a single-linkage hierarchy.
struct Subtrees<'a> {
    points: usize,
    merges: &'a [Merge],
    weights: Weights<'a>,
    min_cluster_size: usize,
}

impl Subtrees<'_> {
    fn merge(&self, node: u32) -> Option<usize> {
        (node as usize).checked_sub(self.points)
    }

    fn size(&self, node: u32) -> usize {
        self.merge(node).map_or_else(|| self.weights.of(node as usize), |merge| self.merges[merge].size as usize)
    }

    fn points_of(&self, node: u32) -> usize {
        self.merge(node).map_or(1, |merge| self.merges[merge].points as usize)
    }

    fn side(&self, node: u32) -> Side {
        match (self.size(node), self.points_of(node)) {
            (size, _) if size < self.min_cluster_size => Side::Small,
            (_, points) if points < self.min_cluster_size => Side::DuplicateGroup,
            _ => Side::Cluster,
        }
    }

    fn for_each_point(&self, node: u32, mut work: impl FnMut(usize)) {
        if self.merge(node).is_none() {
            return work(node as usize);
        }
        let mut waiting = vec![node];
        while let Some(node) = waiting.pop() {
            match self.merge(node) {
                Some(merge) => waiting.extend([self.merges[merge].right, self.merges[merge].left]),
                None => work(node as usize),
            }
        }
    }
}
