//! The condensed tree: the single-linkage hierarchy with every split off of fewer than `min_cluster_size` points read
//! as points falling out of a cluster that lives on (McInnes and Healy 2017; Campello, Moulavi and Sander 2013).

use std::collections::VecDeque;

use super::single_linkage::Merge;

/// A row of the condensed tree.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CondensedRow {
    /// The cluster that the child leaves. The root is the number of points; other clusters follow it.
    pub parent: usize,
    /// A point (below the number of points) or a cluster.
    pub child: usize,
    /// 1 / the distance at which the child leaves its parent; infinite at distance 0.
    pub lambda: f64,
    /// How many points the child has; 1 for a point.
    pub child_size: usize,
}

/// A cluster of the condensed tree. Clusters are counted from 0 here, the root; a child's number is above its parent's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    /// The cluster that it splits off from; 0 for the root.
    pub(super) parent: usize,
    /// The two clusters that it splits into, if it does.
    pub(super) children: Option<(usize, usize)>,
    /// The lambda at which it begins; 0 for the root.
    pub(super) birth: f64,
    /// The largest lambda at which anything leaves it.
    pub(super) death: f64,
    /// How many points it begins with.
    pub(super) size: usize,
}

/// The hierarchy of clusters, with the point at which each point leaves.
///
/// The rows are in no order that means anything, apart from parents coming before their children.
#[derive(Debug, Clone)]
pub struct CondensedTree {
    points: usize,
    rows: Vec<CondensedRow>,
    pub(super) nodes: Vec<Node>,
    /// The cluster that each point falls out of.
    pub(super) point_cluster: Vec<usize>,
    /// The lambda at which it does.
    pub(super) point_lambda: Vec<f64>,
}

impl CondensedTree {
    /// How many points were clustered; also the number of the root cluster.
    pub fn points(&self) -> usize {
        self.points
    }

    /// The rows: one for each point and one for each cluster other than the root. Empty for a single point.
    pub fn rows(&self) -> &[CondensedRow] {
        &self.rows
    }

    /// Condenses `merges` of `points` points.
    pub(super) fn condense(points: usize, merges: &[Merge], min_cluster_size: usize) -> Self {
        let root = Node { parent: 0, children: None, birth: 0.0, death: 0.0, size: points };
        let mut tree = CondensedTree {
            points,
            rows: Vec::with_capacity(points + points / min_cluster_size),
            nodes: vec![root],
            point_cluster: vec![0; points],
            point_lambda: vec![0.0; points],
        };
        let subtrees = Subtrees { points, merges };
        let mut waiting = VecDeque::new();
        if let Some(last) = merges.len().checked_sub(1) {
            waiting.push_back((last, 0));
        }
        // Level by level, which numbers the clusters from the top.
        while let Some((merge, cluster)) = waiting.pop_front() {
            tree.condense_merge(&subtrees, merge, cluster, min_cluster_size, &mut waiting);
        }
        tree
    }

    fn condense_merge(
        &mut self,
        subtrees: &Subtrees<'_>,
        merge: usize,
        cluster: usize,
        min_cluster_size: usize,
        waiting: &mut VecDeque<(usize, usize)>,
    ) {
        let Merge { left, right, distance, .. } = subtrees.merges[merge];
        let lambda = if distance > 0.0 { 1.0 / distance } else { f64::INFINITY };
        let node = &mut self.nodes[cluster];
        node.death = node.death.max(lambda);
        let lives = [left, right].map(|side| subtrees.size(side) >= min_cluster_size);
        let splits = lives == [true, true];
        for (side, lives) in [left, right].into_iter().zip(lives) {
            if !lives {
                subtrees.for_each_point(side, |point| self.fall_out(point, cluster, lambda));
                continue;
            }
            let goes_on_in = if splits { self.split_off(cluster, lambda, subtrees.size(side)) } else { cluster };
            if let Some(merge) = subtrees.merge(side) {
                waiting.push_back((merge, goes_on_in));
            }
        }
        if splits {
            self.nodes[cluster].children = Some((self.nodes.len() - 2, self.nodes.len() - 1));
        }
    }

    fn split_off(&mut self, parent: usize, lambda: f64, size: usize) -> usize {
        let child = self.nodes.len();
        self.nodes.push(Node { parent, children: None, birth: lambda, death: 0.0, size });
        let (parent, child_number) = (self.points + parent, self.points + child);
        self.rows.push(CondensedRow { parent, child: child_number, lambda, child_size: size });
        child
    }

    /// All points of a subtree that is too small fall out where it splits off, however it goes on below.
    fn fall_out(&mut self, point: usize, cluster: usize, lambda: f64) {
        self.point_cluster[point] = cluster;
        self.point_lambda[point] = lambda;
        self.rows.push(CondensedRow { parent: self.points + cluster, child: point, lambda, child_size: 1 });
    }
}

/// The subtrees of a single-linkage hierarchy.
struct Subtrees<'a> {
    points: usize,
    merges: &'a [Merge],
}

impl Subtrees<'_> {
    fn merge(&self, node: u32) -> Option<usize> {
        (node as usize).checked_sub(self.points)
    }

    fn size(&self, node: u32) -> usize {
        self.merge(node).map_or(1, |merge| self.merges[merge].size as usize)
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
