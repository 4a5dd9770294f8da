//! Placing new rows, and other cuts of the tree.

use std::sync::Arc;

use ndarray::parallel::prelude::*;
use ndarray::{Array2, ArrayView2, ArrayViewMut1};

use super::hierarchy::{Cut, Hierarchy};
use super::tree::Growth;
use crate::cluster::{Clustering, Coherence, FittedClusterer, OUTLIER};
use crate::error::{Result, Stage};
use crate::graph::FittedNeighborGraph;
use crate::progress::{Progress, Task};
use crate::state::State;

/// Communities of a neighbor graph, at some height of their tree.
#[derive(Debug, Clone)]
pub(super) struct FittedCommunities {
    found: Arc<Found>,
    /// The label of each vector, and the strength with which it belongs there.
    labels: Vec<i32>,
    strengths: Vec<f64>,
}

/// What does not depend on the height.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) graph: FittedNeighborGraph,
    pub(super) hierarchy: Hierarchy,
    /// Whether the number of communities was left open.
    pub(super) is_automatic: bool,
    /// How the hierarchy was found.
    pub(super) growth: Growth,
    /// The vector of each row.
    pub(super) places: Option<Vec<u32>>,
}

impl Found {
    /// The clustering of the rows into `count` communities.
    pub(super) fn clustering(self: &Arc<Self>, count: usize) -> Clustering {
        let Cut { communities, connections } = self.hierarchy.cut(count);
        let label = |community: &Option<u32>| community.map_or(OUTLIER, |community| community as i32);
        let labels: Vec<i32> = communities.iter().map(label).collect();
        let belongs = |(label, own): (&i32, f64)| if *label == OUTLIER { 0.0 } else { own };
        let strengths: Vec<f64> =
            labels.iter().zip(connections.iter().map(|of_node| of_node.own)).map(belongs).collect();
        let runners_up = connections.iter().map(|of_node| match of_node.runner_up {
            Some((community, share)) => (community as i32, share),
            None => (OUTLIER, 0.0),
        });
        let runners_up: Vec<(i32, f64)> = runners_up.collect();
        let clustering = Clustering::new(
            self.by_row(&labels),
            self.by_row(&strengths),
            FittedCommunities { found: Arc::clone(self), labels, strengths },
        );
        clustering.with_runners_up(self.by_row(&runners_up))
    }

    /// The communities of `rows` in a hierarchy of their own, cut into `count`.
    fn refitted(&self, rows: &[usize], count: usize, seed: u64, task: &Task) -> Vec<i32> {
        let place = |&row: &usize| match &self.places {
            None => Some(row),
            Some(places) => places.get(row).map(|&place| place as usize),
        };
        let mut sizes = vec![0_u32; self.graph.rows()];
        for place in rows.iter().filter_map(place) {
            if let Some(size) = sizes.get_mut(place) {
                *size += 1;
            }
        }
        let (part, numbers) = self.hierarchy.of_part(&sizes, &Growth { seed, ..self.growth }, task);
        let communities = part.cut(count).communities;
        let community = |row: &usize| *communities.get((*numbers.get(place(row)?)?)? as usize)?;
        rows.iter().map(|row| community(row).map_or(OUTLIER, |community| community as i32)).collect()
    }

    fn by_row<T: Copy>(&self, of_vectors: &[T]) -> Vec<T> {
        match &self.places {
            None => of_vectors.to_vec(),
            Some(places) => places.iter().map(|&place| of_vectors[place as usize]).collect(),
        }
    }
}

impl FittedClusterer for FittedCommunities {
    /// The label to which most of the weight of a point's neighbors belongs, each by its own strength, and that share.
    /// A point whose neighbors mostly have no label is an outlier.
    fn predict(&self, points: ArrayView2<'_, f32>, progress: &Progress) -> Result<(Vec<i32>, Vec<f64>)> {
        let neighbors = self.found.graph.neighbors_of(points.to_owned(), progress)?;
        Ok(neighbors.iter().map(|neighbors| self.vote(neighbors)).unzip())
    }

    fn at(&self, clusters: usize) -> Option<Clustering> {
        Some(self.found.clustering(clusters))
    }

    fn levels(&self) -> Vec<usize> {
        self.found.hierarchy.counts()
    }

    fn most_coherent(&self, coherence: &mut dyn Coherence) -> Option<Clustering> {
        if !self.found.is_automatic {
            return None;
        }
        let mut of_groups = |communities: &[u32], count: usize| {
            let groups: Vec<i32> = communities.iter().map(|&community| community as i32).collect();
            coherence.of_groups(&self.found.by_row(&groups), count)
        };
        Some(self.found.clustering(self.found.hierarchy.most_coherent(&mut of_groups)?))
    }

    fn runs(&self) -> Vec<Vec<i32>> {
        let runs = self.found.hierarchy.runs_near(self.count());
        let labels = |run: Vec<u32>| run.into_iter().map(|community| community as i32).collect::<Vec<i32>>();
        runs.into_iter().map(|run| self.found.by_row(&labels(run))).collect()
    }

    fn neighbor_graph(&self) -> Option<(FittedNeighborGraph, Vec<u32>)> {
        let Found { graph, hierarchy, places, .. } = &*self.found;
        let nodes = places.clone().unwrap_or_else(|| (0..graph.rows() as u32).collect());
        Some((graph.clone().with_edges(hierarchy.graph.fuzzy_graph()), nodes))
    }

    fn joined(&self) -> usize {
        self.found.hierarchy.joined_near(self.count())
    }

    fn state(&self) -> Option<State<'_>> {
        let Found { graph, hierarchy, is_automatic, growth, places } = &*self.found;
        let state = State::new("communities")
            .with_setting("is_automatic", is_automatic)
            .with_values("labels", &self.labels)
            .with_values("strengths", &self.strengths)
            .with_part("neighbors", graph.state())
            .with_part("hierarchy", hierarchy.state())
            .with_part("growth", growth.state());
        Some(match places {
            Some(places) => state.with_values("places", places),
            None => state,
        })
    }

    /// A node's own strength in its community, and the share of its weight that connects it to each other one.
    fn membership_vectors_of(&self, points: &[usize]) -> Result<Option<Array2<f64>>> {
        let graph = &self.found.hierarchy.graph;
        if points.iter().any(|&node| node >= graph.nodes().min(self.labels.len())) {
            return Ok(None);
        }
        let mut memberships = Array2::zeros((points.len(), self.count()));
        let rows = memberships.outer_iter_mut().into_par_iter().zip(points);
        rows.for_each(|(mut of_node, &node)| {
            let (own, total) = (self.labels[node], graph.strengths()[node]);
            for (end, weight) in graph.edges(node).filter(|&(end, _)| self.labels[end] != own) {
                if let Some(share) = cell(&mut of_node, self.labels[end]) {
                    *share += weight / total;
                }
            }
            if let Some(strength) = cell(&mut of_node, own) {
                *strength = self.strengths[node];
            }
        });
        Ok(Some(memberships))
    }

    /// The shares of [`predict`](Self::predict).
    fn membership_vectors_of_new(
        &self,
        points: ArrayView2<'_, f32>,
        progress: &Progress,
    ) -> Result<Option<Array2<f64>>> {
        let neighbors = self.found.graph.neighbors_of(points.to_owned(), progress)?;
        let mut memberships = Array2::zeros((neighbors.len(), self.count()));
        for (mut of_point, neighbors) in memberships.outer_iter_mut().zip(&neighbors) {
            let total: f64 = neighbors.iter().map(|&(_, weight)| f64::from(weight)).sum();
            for &(neighbor, weight) in neighbors.iter().filter(|_| total > 0.0) {
                let (label, strength) = (self.labels[neighbor as usize], self.strengths[neighbor as usize]);
                if let Some(share) = cell(&mut of_point, label) {
                    *share += f64::from(weight) * strength / total;
                }
            }
        }
        Ok(Some(memberships))
    }

    fn refit(&self, rows: &[usize], seed: u64, progress: &Progress) -> Result<Option<Vec<i32>>> {
        let task = progress.task(Stage::Cluster, "communities", 0);
        let labels = self.found.refitted(rows, self.count(), seed, &task);
        task.finish()?;
        Ok(Some(labels))
    }
}

/// The membership in the community with this label; none for outliers.
fn cell<'m>(memberships: &'m mut ArrayViewMut1<'_, f64>, label: i32) -> Option<&'m mut f64> {
    usize::try_from(label).ok().and_then(|label| memberships.get_mut(label))
}

/// The communities of a state.
pub(in crate::cluster) fn from_state(mut state: State<'_>) -> Result<Arc<dyn FittedClusterer>> {
    let graph = FittedNeighborGraph::from_state(state.take_part("neighbors")?)?;
    let hierarchy = Hierarchy::from_state(state.take_part("hierarchy")?)?;
    let growth = Growth::from_state(&state.take_part("growth")?)?;
    let nodes = graph.rows();
    if hierarchy.nodes() != nodes {
        return Err(state.wrong("the hierarchy has another number of nodes than the neighbor graph"));
    }
    let labels = state.take_exactly::<i32>("labels", nodes)?;
    if !labels.iter().all(|&label| label == OUTLIER || usize::try_from(label).is_ok_and(|label| label < nodes)) {
        return Err(state.out_of_range("labels"));
    }
    let strengths = state.take_exactly::<f64>("strengths", nodes)?;
    if !strengths.iter().all(|strength| (0.0..=1.0).contains(strength)) {
        return Err(state.out_of_range("strengths"));
    }
    let places = if state.has("places") { Some(state.take_values::<u32>("places")?) } else { None };
    if places.iter().flatten().any(|&place| place as usize >= nodes) {
        return Err(state.out_of_range("places"));
    }
    let found = Found { graph, hierarchy, is_automatic: state.setting("is_automatic")?, growth, places };
    Ok(Arc::new(FittedCommunities { found: Arc::new(found), labels, strengths }))
}

impl FittedCommunities {
    /// The number of communities.
    fn count(&self) -> usize {
        self.labels.iter().max().map_or(0, |&last| (last + 1) as usize)
    }

    fn vote(&self, neighbors: &[(u32, f32)]) -> (i32, f64) {
        let mut shares: Vec<(i32, f64)> = Vec::new();
        let mut total = 0.0;
        for &(neighbor, weight) in neighbors {
            let (label, strength) = (self.labels[neighbor as usize], self.strengths[neighbor as usize]);
            let weight = f64::from(weight);
            total += weight;
            let counted = if label == OUTLIER { weight } else { weight * strength };
            match shares.iter_mut().find(|(known, _)| *known == label) {
                Some((_, share)) => *share += counted,
                None => shares.push((label, counted)),
            }
        }
        let best = shares.into_iter().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
        match best {
            Some((label, share)) if label != OUTLIER && total > 0.0 => (label, (share / total).clamp(0.0, 1.0)),
            _ => (OUTLIER, 0.0),
        }
    }
}
