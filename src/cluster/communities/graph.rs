//! An undirected weighted graph, and its aggregation.

use crate::error::Result;
use crate::graph::FuzzyGraph;
use crate::linalg::sparse_sums::SparseSums;
use crate::state::State;

/// An undirected graph with positive weights, as compressed sparse rows: an edge is stored at both of its nodes.
#[derive(Debug, Clone)]
pub(crate) struct Graph {
    /// The start of each node's edges in `ends` and `weights`, with one more entry than there are nodes.
    offsets: Vec<usize>,
    /// The other node of each edge.
    ends: Vec<u32>,
    /// The weight of each edge.
    weights: Vec<f32>,
    /// The sum of the weights of each node's edges, in which an edge within the node counts twice.
    strengths: Vec<f64>,
    /// The sum of all strengths: twice the weight of all edges.
    total: f64,
}

impl Graph {
    /// A graph from symmetric compressed sparse rows. A row's edge to itself is ignored.
    pub(crate) fn new(offsets: &[usize], ends: &[u32], weights: &[f32]) -> Self {
        let mut graph = Graph {
            offsets: Vec::with_capacity(offsets.len()),
            ends: Vec::with_capacity(ends.len()),
            weights: Vec::with_capacity(weights.len()),
            strengths: Vec::with_capacity(offsets.len()),
            total: 0.0,
        };
        graph.offsets.push(0);
        for (node, range) in offsets.windows(2).enumerate() {
            let range = range[0]..range[1];
            let edges = ends[range.clone()].iter().zip(&weights[range]);
            let strength =
                graph.push_edges(edges.map(|(&end, &weight)| (end, weight)).filter(|edge| edge.0 as usize != node));
            graph.strengths.push(strength);
        }
        graph.total = graph.strengths.iter().sum();
        graph
    }

    /// The same graph, where each node is also connected with itself: `weights` count in its strength.
    pub(crate) fn with_loops(mut self, weights: impl Iterator<Item = f64>) -> Graph {
        for (strength, weight) in self.strengths.iter_mut().zip(weights) {
            *strength += weight;
        }
        self.total = self.strengths.iter().sum();
        self
    }

    /// Appends the edges of the next node, and returns the sum of their weights.
    fn push_edges(&mut self, edges: impl Iterator<Item = (u32, f32)>) -> f64 {
        let mut sum = 0.0;
        for (end, weight) in edges {
            self.ends.push(end);
            self.weights.push(weight);
            sum += f64::from(weight);
        }
        self.offsets.push(self.ends.len());
        sum
    }

    /// The state of the graph.
    pub(crate) fn state(&self) -> State<'_> {
        State::new("graph")
            .with_numbers("offsets", &self.offsets)
            .with_values("ends", &self.ends)
            .with_values("weights", &self.weights)
            .with_values("strengths", &self.strengths)
    }

    /// The graph of a state; strengths may be larger than the sum of the weights of a node's edges.
    pub(crate) fn from_state(mut state: State<'_>) -> Result<Self> {
        let strengths = state.take_values::<f64>("strengths")?;
        let ends = state.take_values::<u32>("ends")?;
        let weights = state.take_exactly::<f32>("weights", ends.len())?;
        let offsets = state.take_numbers("offsets", ends.len().saturating_add(1))?;
        let spans = offsets.len() == strengths.len() + 1
            && offsets.first() == Some(&0)
            && offsets.last() == Some(&ends.len())
            && offsets.is_sorted();
        let positive = weights.iter().all(|&weight| weight.is_finite() && weight > 0.0);
        match (spans, ends.iter().all(|&end| (end as usize) < strengths.len())) {
            (false, _) => Err(state.out_of_range("offsets")),
            (_, false) => Err(state.out_of_range("ends")),
            _ if !positive => Err(state.out_of_range("weights")),
            _ if !strengths.iter().all(|&strength| strength.is_finite() && strength >= 0.0) => {
                Err(state.out_of_range("strengths"))
            }
            _ => Ok(Graph { total: strengths.iter().sum(), offsets, ends, weights, strengths }),
        }
    }

    /// The edges alone.
    pub(crate) fn fuzzy_graph(&self) -> FuzzyGraph {
        FuzzyGraph { offsets: self.offsets.clone(), indices: self.ends.clone(), weights: self.weights.clone() }
    }

    /// The number of nodes.
    pub(crate) fn nodes(&self) -> usize {
        self.strengths.len()
    }

    /// The edges of `node` to others: the other node, and the weight.
    pub(crate) fn edges(&self, node: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let range = self.offsets[node]..self.offsets[node + 1];
        let ends = &self.ends[range.clone()];
        ends.iter().zip(&self.weights[range]).map(|(&end, &weight)| (end as usize, f64::from(weight)))
    }

    /// The sum of the weights of each node's edges.
    pub(crate) fn strengths(&self) -> &[f64] {
        &self.strengths
    }

    /// The sum of all strengths.
    pub(crate) fn total(&self) -> f64 {
        self.total
    }

    /// The same edges, each with the weight that `weigh` gives (node, other node, weight): the same in both directions.
    pub(crate) fn reweighted(&self, weigh: impl Fn(usize, usize, f32) -> f32) -> Graph {
        let mut graph = Graph {
            offsets: Vec::with_capacity(self.offsets.len()),
            ends: Vec::with_capacity(self.ends.len()),
            weights: Vec::with_capacity(self.weights.len()),
            strengths: Vec::with_capacity(self.nodes()),
            total: 0.0,
        };
        graph.offsets.push(0);
        for node in 0..self.nodes() {
            let range = self.offsets[node]..self.offsets[node + 1];
            let edges = self.ends[range.clone()].iter().zip(&self.weights[range]);
            let weighed = edges.map(|(&end, &weight)| (end, weigh(node, end as usize, weight)));
            let strength = graph.push_edges(weighed.filter(|&(_, weight)| weight > 0.0));
            graph.strengths.push(strength);
        }
        graph.total = graph.strengths.iter().sum();
        graph
    }

    /// The graph of the nodes that have one of the `numbers` (ascending from 0), and of the edges between them.
    pub(crate) fn induced(&self, numbers: &[Option<u32>]) -> Graph {
        let mut graph =
            Graph { offsets: vec![0], ends: Vec::new(), weights: Vec::new(), strengths: Vec::new(), total: 0.0 };
        for node in (0..self.nodes()).filter(|&node| numbers[node].is_some()) {
            let range = self.offsets[node]..self.offsets[node + 1];
            let edges = self.ends[range.clone()].iter().zip(&self.weights[range]);
            let strength = graph.push_edges(edges.filter_map(|(&end, &weight)| Some((numbers[end as usize]?, weight))));
            graph.strengths.push(strength);
        }
        graph.total = graph.strengths.iter().sum();
        graph
    }

    /// The graph without the edges between `communities`. Strengths and their total are unchanged.
    pub(crate) fn within(&self, communities: &[u32]) -> Graph {
        let inside = self.reweighted(|a, b, weight| if communities[a] == communities[b] { weight } else { 0.0 });
        Graph { strengths: self.strengths.clone(), total: self.total, ..inside }
    }

    /// The graph whose nodes are the `communities` (from 0, none empty) of this graph's nodes. Strengths and their
    /// total are unchanged: the edges within a community count in its strength only.
    pub(crate) fn aggregated(&self, communities: &[u32], count: usize) -> Graph {
        let members = members(communities, count);
        let mut sums = SparseSums::new(count);
        let mut graph = Graph {
            offsets: Vec::with_capacity(count + 1),
            ends: Vec::new(),
            weights: Vec::new(),
            strengths: vec![0.0; count],
            total: self.total,
        };
        graph.offsets.push(0);
        for community in 0..count {
            for &node in members.of(community) {
                graph.strengths[community] += self.strengths[node as usize];
                for (end, weight) in self.edges(node as usize) {
                    let other = communities[end];
                    if other as usize != community {
                        sums.add(other, weight);
                    }
                }
            }
            graph.push_edges(sums.drain().map(|(end, weight)| (end, weight as f32)));
        }
        graph
    }

    /// The modularity of `communities` at `resolution`: the share of the edges' weight within communities, minus the
    /// share expected at random, times `resolution`.
    pub(crate) fn modularity(&self, communities: &[u32], resolution: f64) -> f64 {
        let count = communities.iter().max().map_or(0, |&last| last as usize + 1);
        let (mut inside, mut strengths) = (0.0, vec![0.0; count]);
        for node in 0..self.nodes() {
            let community = communities[node];
            strengths[community as usize] += self.strengths[node];
            // What is not an edge to another node lies within this one.
            let mut outside = 0.0;
            for (end, weight) in self.edges(node) {
                if communities[end] != community {
                    outside += weight;
                }
            }
            inside += self.strengths[node] - outside;
        }
        let expected: f64 = strengths.iter().map(|strength| strength * strength).sum();
        inside / self.total - resolution * expected / (self.total * self.total)
    }
}

/// The nodes of each community, ascending.
pub(crate) struct Members {
    starts: Vec<usize>,
    nodes: Vec<u32>,
}

impl Members {
    /// The nodes of `community`.
    pub(crate) fn of(&self, community: usize) -> &[u32] {
        &self.nodes[self.starts[community]..self.starts[community + 1]]
    }
}

/// The nodes of each of `count` communities.
pub(crate) fn members(communities: &[u32], count: usize) -> Members {
    let mut starts = vec![0_usize; count + 1];
    for &community in communities {
        starts[community as usize + 1] += 1;
    }
    for community in 0..count {
        starts[community + 1] += starts[community];
    }
    let mut next = starts.clone();
    let mut nodes = vec![0_u32; communities.len()];
    for (node, &community) in communities.iter().enumerate() {
        nodes[next[community as usize]] = node as u32;
        next[community as usize] += 1;
    }
    Members { starts, nodes }
}

/// The number of rows of each of `count` communities, where `sizes` are those that the nodes stand for.
pub(crate) fn rows_of(communities: &[u32], count: usize, sizes: &[u32]) -> Vec<u32> {
    let mut rows = vec![0_u32; count];
    for (&community, &size) in communities.iter().zip(sizes) {
        rows[community as usize] = rows[community as usize].saturating_add(size);
    }
    rows
}

/// Numbers the communities from 0 in the order of their first nodes, in place. Returns their number.
pub(crate) fn renumber(communities: &mut [u32]) -> usize {
    let largest = communities.iter().max().map_or(0, |&last| last as usize + 1);
    let mut numbers = vec![u32::MAX; largest];
    let mut count = 0;
    for community in communities {
        let number = &mut numbers[*community as usize];
        if *number == u32::MAX {
            *number = count;
            count += 1;
        }
        *community = *number;
    }
    count as usize
}
