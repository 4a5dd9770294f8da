//! Borůvka's algorithm over a k-d tree (March, Ram and Gray 2010; McInnes and Healy 2017): in each round, every
//! component finds its lightest edge to another component, and the components joined by these edges are merged.
//!
//! Each point stores its lightest edge. That edge remains the lightest as long as it leads out of the component, since
//! the set of points outside only shrinks; once it no longer does, its weight is still a lower bound. Few points
//! therefore have to search again, and their search is limited by the lightest known edge of their component.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use rayon::prelude::*;

use super::core_distance::CoreDistances;
use super::edge::Edge;
use super::kd_tree::{KdTree, ROOT, Search};
use crate::progress::Task;

/// Marks a node with points in more than one component, and a point without an edge.
const NONE: u32 = u32::MAX;

/// Leaves processed by one thread at a time.
const CHUNK: usize = 8;

/// A point's lightest known edge out of its component, or a bound on it. Distances are squared.
#[derive(Debug, Clone, Copy)]
struct Link {
    /// The endpoint of the edge; [`NONE`] if only the bound is known.
    to: u32,
    /// The mutual reachability of the edge; no edge out of the component weighs less.
    reachability: f64,
    distance: f64,
}

/// The state between rounds. Points are identified by their position in tree order.
struct Forest<'a> {
    tree: &'a KdTree,
    scale: f64,
    core: Vec<f64>,
    lowest_core: Vec<f64>,
    kept: usize,
    neighbors: Vec<u32>,
    component: Vec<u32>,
    node_component: Vec<u32>,
}

/// The edges of the minimum spanning tree, in no particular order. `scale` multiplies squared distances before they are
/// compared with core distances.
pub(super) fn boruvka(tree: &KdTree, core: &CoreDistances, scale: f64, task: &Task) -> Vec<Edge> {
    let mut forest = Forest::new(tree, core, scale);
    let mut links: Vec<Link> =
        forest.core.iter().map(|&core| Link { to: NONE, reachability: core, distance: 0.0 }).collect();
    let mut edges = Vec::with_capacity(tree.rows());
    let mut union = Union::new(tree.rows());
    while edges.len() + 1 < tree.rows() && !task.is_interrupted() {
        let found = edges.len();
        forest.link(&mut links);
        forest.join(&links, &mut union, &mut edges);
        forest.relabel(&mut union);
        task.advance(edges.len() - found);
        if edges.len() == found {
            break; // Impossible with finite distances, but this guarantees termination.
        }
    }
    edges
}

impl<'a> Forest<'a> {
    fn new(tree: &'a KdTree, core: &CoreDistances, scale: f64) -> Self {
        let rows = tree.rows();
        let mut position = vec![0u32; rows];
        for (place, &row) in tree.order().iter().enumerate() {
            position[row as usize] = place as u32;
        }
        let kept = core.kept;
        let mut neighbors = Vec::with_capacity(rows * kept);
        for &row in tree.order() {
            let nearest = &core.neighbors[row as usize * kept..(row as usize + 1) * kept];
            neighbors.extend(nearest.iter().map(|&row| position[row as usize]));
        }
        let mut forest = Forest {
            tree,
            scale,
            core: tree.order().iter().map(|&row| core.squared[row as usize]).collect(),
            lowest_core: vec![f64::INFINITY; 2 * tree.leaves()],
            kept,
            neighbors,
            component: (0..rows as u32).collect(),
            node_component: vec![NONE; 2 * tree.leaves()],
        };
        forest.find_lowest_core();
        forest
    }

    fn find_lowest_core(&mut self) {
        let leaves = self.tree.leaves();
        for leaf in 0..leaves {
            self.lowest_core[leaves + leaf] =
                self.core[self.tree.leaf(leaf)].iter().copied().fold(f64::INFINITY, f64::min);
        }
        for node in (ROOT..leaves).rev() {
            self.lowest_core[node] = self.lowest_core[2 * node].min(self.lowest_core[2 * node + 1]);
        }
    }

    /// Updates the links as far as the search for each component's lightest edge requires.
    fn link(&self, links: &mut [Link]) {
        let lightest: Vec<AtomicU64> = (0..self.tree.rows()).map(|_| AtomicU64::new(f64::INFINITY.to_bits())).collect();
        self.par_leaves(links, |_, leaf, links| {
            for (position, link) in self.tree.leaf(leaf).zip(links) {
                self.keep_or_link_to_neighbor(position, link);
                if link.to != NONE {
                    lighten(&lightest[self.component[position] as usize], link.reachability);
                }
            }
        });
        self.par_leaves(links, |group, leaf, links| self.search_leaf(group, leaf, links, &lightest));
    }

    /// Searches for the points of a leaf that require it; points of the same component are searched together.
    fn search_leaf(&self, group: &mut Group, leaf: usize, links: &mut [Link], lightest: &[AtomicU64]) {
        let members = self.tree.leaf(leaf);
        let limit = |component: u32| f64::from_bits(lightest[component as usize].load(Relaxed));
        let mut open = 0u32;
        for (lane, link) in links.iter().enumerate() {
            let component = self.component[members.start + lane];
            open |= u32::from(link.to == NONE && link.reachability <= limit(component)) << lane;
        }
        while open != 0 {
            let component = self.component[members.start + open.trailing_zeros() as usize];
            group.clear();
            for lane in 0..links.len() {
                if open >> lane & 1 == 1 && self.component[members.start + lane] == component {
                    group.add(self, leaf, lane);
                    open &= !(1 << lane);
                }
            }
            let limit = limit(component);
            let best = group.search(self, component, limit);
            for &position in &group.positions {
                let link = &mut links[position as usize - members.start];
                link.reachability = link.reachability.max(best.edge.reachability);
            }
            if best.to != NONE {
                let Edge { reachability, distance, .. } = best.edge;
                links[best.from as usize - members.start] = Link { to: best.to, reachability, distance };
                lighten(&lightest[component as usize], reachability);
            }
        }
    }

    /// Runs `work` on every leaf and the links of its points, with scratch space for a group of them.
    fn par_leaves(&self, links: &mut [Link], work: impl Fn(&mut Group, usize, &mut [Link]) + Sync) {
        let mut chunks = Vec::with_capacity(self.tree.leaves());
        let mut rest = links;
        for leaf in 0..self.tree.leaves() {
            let (chunk, after) = rest.split_at_mut(self.tree.leaf(leaf).len());
            chunks.push((leaf, chunk));
            rest = after;
        }
        chunks
            .into_par_iter()
            .with_min_len(CHUNK)
            .for_each_init(Group::default, |group, (leaf, links)| work(group, leaf, links));
    }

    /// Discards a link that no longer leads out of the component. A neighbor that does, and has no larger core
    /// distance, is then optimal: no edge weighs less than the point's own core distance, and neighbors are sorted
    /// nearest first. (This does not hold if distances are scaled up.)
    fn keep_or_link_to_neighbor(&self, position: usize, link: &mut Link) {
        let own = self.component[position];
        if link.to != NONE && self.component[link.to as usize] != own {
            return;
        }
        link.to = NONE;
        let core = self.core[position];
        if link.reachability > core || self.scale > 1.0 {
            return;
        }
        let neighbors = &self.neighbors[position * self.kept..(position + 1) * self.kept];
        let outside = |&&to: &&u32| self.component[to as usize] != own && self.core[to as usize] <= core;
        if let Some(&to) = neighbors.iter().find(outside) {
            *link = Link { to, reachability: core, distance: self.tree.squared_distance(position, to as usize) };
        }
    }

    /// Adds the lightest edge of every component.
    fn join(&self, links: &[Link], union: &mut Union, edges: &mut Vec<Edge>) {
        let mut lightest = vec![Edge::NONE; self.tree.rows()];
        let mut ends = vec![(NONE, NONE); self.tree.rows()];
        let order = self.tree.order();
        for (position, link) in links.iter().enumerate().filter(|(_, link)| link.to != NONE) {
            let edge = Edge::new(link.reachability, link.distance, order[position], order[link.to as usize]);
            let component = self.component[position] as usize;
            if edge < lightest[component] {
                lightest[component] = edge;
                ends[component] = (position as u32, link.to);
            }
        }
        for (edge, &(from, to)) in lightest.iter().zip(&ends) {
            if from != NONE && union.join(from, to) {
                edges.push(*edge);
            }
        }
    }

    fn relabel(&mut self, union: &mut Union) {
        for (position, component) in self.component.iter_mut().enumerate() {
            *component = union.find(position as u32);
        }
        let leaves = self.tree.leaves();
        for leaf in 0..leaves {
            let members = &self.component[self.tree.leaf(leaf)];
            let same = members.iter().all(|component| *component == members[0]);
            self.node_component[leaves + leaf] = if same { members[0] } else { NONE };
        }
        for node in (ROOT..leaves).rev() {
            let (left, right) = (self.node_component[2 * node], self.node_component[2 * node + 1]);
            self.node_component[node] = if left == right { left } else { NONE };
        }
    }
}

/// Lowers `lightest` to `reachability`; the bit patterns of non-negative floats are ordered like their values.
fn lighten(lightest: &AtomicU64, reachability: f64) {
    lightest.fetch_min(reachability.to_bits(), Relaxed);
}

/// Points of one leaf and one component that are searched together.
#[derive(Default)]
struct Group {
    positions: Vec<u32>,
    /// Their coordinates, point by point.
    points: Vec<f64>,
    /// Their bounding box: lower and upper bound of each column.
    bounds: Vec<f64>,
    lowest_core: f64,
    lowest_row: u32,
}

impl Group {
    fn clear(&mut self) {
        self.positions.clear();
        self.points.clear();
        self.bounds.clear();
        self.lowest_core = f64::INFINITY;
        self.lowest_row = u32::MAX;
    }

    fn add(&mut self, forest: &Forest<'_>, leaf: usize, lane: usize) {
        let position = forest.tree.leaf(leaf).start + lane;
        let start = self.points.len();
        self.points.extend(forest.tree.point(leaf, lane));
        if self.positions.is_empty() {
            self.bounds.extend(self.points.iter().flat_map(|&value| [value, value]));
        }
        for (edge, &value) in self.bounds.chunks_exact_mut(2).zip(&self.points[start..]) {
            (edge[0], edge[1]) = (edge[0].min(value), edge[1].max(value));
        }
        self.positions.push(position as u32);
        self.lowest_core = self.lowest_core.min(forest.core[position]);
        self.lowest_row = self.lowest_row.min(forest.tree.order()[position]);
    }

    /// The lightest edge from the group out of the component `own`, if it weighs at most `limit`.
    fn search(&self, forest: &Forest<'_>, own: u32, limit: f64) -> Best {
        let best = Best { from: NONE, to: NONE, edge: Edge { reachability: limit, ..Edge::NONE } };
        let mut search = OutsideSearch { forest, group: self, own, best };
        forest.tree.search(&mut search);
        search.best
    }
}

/// An edge and the positions of its endpoints, from inside the group to outside.
struct Best {
    from: u32,
    to: u32,
    edge: Edge,
}

struct OutsideSearch<'a> {
    forest: &'a Forest<'a>,
    group: &'a Group,
    own: u32,
    best: Best,
}

impl OutsideSearch<'_> {
    /// Checks the edges from one point of the group to the points of a leaf.
    #[inline]
    fn visit_from(&mut self, from: u32, core: f64, point: &[f64], leaf: usize) {
        let forest = self.forest;
        let squared = forest.tree.to_leaf(leaf, point);
        for (position, &distance) in forest.tree.leaf(leaf).zip(&squared) {
            let reachability = (distance * forest.scale).max(core).max(forest.core[position]);
            if reachability <= self.best.edge.reachability && forest.component[position] != self.own {
                let order = forest.tree.order();
                let edge = Edge::new(reachability, distance, order[from as usize], order[position]);
                if edge < self.best.edge {
                    self.best = Best { from, to: position as u32, edge };
                }
            }
        }
    }
}

impl Search for OutsideSearch<'_> {
    #[inline]
    fn squared_distance(&self, node: usize) -> f64 {
        self.forest.tree.between_boxes(node, &self.group.bounds)
    }

    #[inline]
    fn admits(&self, node: usize, squared: f64) -> bool {
        let forest = self.forest;
        let reachability = (squared * forest.scale).max(self.group.lowest_core).max(forest.lowest_core[node]);
        forest.node_component[node] != self.own
            && reachability <= self.best.edge.reachability
            && Edge::new(reachability, squared, self.group.lowest_row, forest.tree.lowest_row(node)) < self.best.edge
    }

    fn visit(&mut self, leaf: usize) {
        let (forest, group) = (self.forest, self.group);
        for (&from, point) in group.positions.iter().zip(group.points.chunks_exact(forest.tree.columns())) {
            let core = forest.core[from as usize];
            let nearest = (forest.tree.to_box(forest.tree.leaves() + leaf, point) * forest.scale).max(core);
            if nearest <= self.best.edge.reachability {
                self.visit_from(from, core, point, leaf);
            }
        }
    }
}

/// Union-find by lower position, with path halving.
struct Union {
    parent: Vec<u32>,
}

impl Union {
    fn new(points: usize) -> Self {
        Union { parent: (0..points as u32).collect() }
    }

    fn find(&mut self, mut point: u32) -> u32 {
        while self.parent[point as usize] != point {
            let above = self.parent[self.parent[point as usize] as usize];
            self.parent[point as usize] = above;
            point = above;
        }
        point
    }

    /// Joins the components of two points; returns false if they are already the same.
    fn join(&mut self, a: u32, b: u32) -> bool {
        let (a, b) = (self.find(a), self.find(b));
        self.parent[a.max(b) as usize] = a.min(b);
        a != b
    }
}
