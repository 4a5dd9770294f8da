//! Selection of clusters from the condensed tree: by excess of mass or leaves, modified by a distance threshold (Malzer
//! and Baum 2020) and a maximum size.

use super::condensed_tree::{CondensedRow, CondensedTree};
use super::{ClusterSelectionMethod, Hdbscan};

/// The numbers of the selected clusters in the condensed tree (the root is 0), ascending. No selected cluster contains
/// another.
pub(super) fn select_clusters(tree: &CondensedTree, settings: &Hdbscan) -> Vec<usize> {
    let mut selected = match settings.cluster_selection_method {
        ClusterSelectionMethod::Eom => excess_of_mass(tree, settings),
        ClusterSelectionMethod::Leaf => leaves(tree),
    };
    let epsilon = settings.cluster_selection_epsilon;
    if epsilon > 0.0 && selected.first() != Some(&0) {
        let mut wider: Vec<usize> =
            selected.iter().map(|&cluster| widen(tree, cluster, epsilon, settings.allow_single_cluster)).collect();
        wider.sort_unstable();
        wider.dedup();
        selected = outermost(tree, |cluster| wider.binary_search(&cluster).is_ok());
    }
    selected
}

/// The stability of each cluster: the sum over its points of how long they stay (Campello et al. 2013, equation 3).
/// Each distinct point counts once: a text that was sent a hundred times must not determine by itself how all other
/// texts are clustered.
///
/// A cluster born at distance 0 has no stability (infinity minus infinity) and loses against every ancestor, as it
/// should: coinciding points do not split.
fn stabilities(tree: &CondensedTree) -> Vec<f64> {
    let mut stability = vec![0.0; tree.nodes.len()];
    for row in tree.rows() {
        let cluster = row.parent - tree.points();
        let points = row.child.checked_sub(tree.points()).map_or(1, |child| tree.nodes[child].points);
        stability[cluster] += (row.lambda - tree.nodes[cluster].birth) * points as f64;
    }
    stability
}

/// The clusters that are more stable than the clusters they split into, and those of the duplicate groups outside these
/// clusters that do not split.
fn excess_of_mass(tree: &CondensedTree, settings: &Hdbscan) -> Vec<usize> {
    let mut stability = stabilities(tree);
    let mut wins = vec![false; tree.nodes.len()];
    let first = usize::from(!settings.allow_single_cluster);
    for cluster in (first..tree.nodes.len()).rev() {
        let node = tree.nodes[cluster];
        let below = node.children.map_or(0.0, |(left, right)| stability[left] + stability[right]);
        let too_large = settings.max_cluster_size > 0 && size(tree, cluster) > settings.max_cluster_size;
        if below > stability[cluster] || too_large || node.is_duplicate_group && node.children.is_some() {
            stability[cluster] = below;
        } else {
            wins[cluster] = true;
        }
    }
    outermost(tree, |cluster| wins[cluster])
}

/// A cluster's size; for the root, the number of points that would be labeled, which excludes the points that fall out
/// before it splits or ends.
fn size(tree: &CondensedTree, cluster: usize) -> usize {
    let node = tree.nodes[cluster];
    match (cluster, node.children) {
        (0, Some((left, right))) => tree.nodes[left].size + tree.nodes[right].size,
        (0, None) => {
            let last = |row: &&CondensedRow| row.parent == tree.points() && row.lambda >= node.death;
            tree.rows().iter().filter(last).map(|row| row.child_size).sum()
        }
        _ => node.size,
    }
}

/// The clusters that do not split, except the root.
fn leaves(tree: &CondensedTree) -> Vec<usize> {
    // A duplicate group may be inside another leaf.
    outermost(tree, |cluster| cluster > 0 && tree.nodes[cluster].children.is_none())
}

/// The first of `cluster` and its ancestors that was born at a distance greater than `epsilon`; if there is none, the
/// topmost below the root unless the root may be a cluster.
fn widen(tree: &CondensedTree, cluster: usize, epsilon: f64, allow_single_cluster: bool) -> usize {
    let mut cluster = cluster;
    let mut born = 1.0 / tree.nodes[cluster].birth;
    // The cluster itself qualifies at the threshold; an ancestor must exceed it.
    if born >= epsilon {
        return cluster;
    }
    while born <= epsilon {
        let parent = tree.nodes[cluster].parent;
        if parent == 0 {
            return if allow_single_cluster { parent } else { cluster };
        }
        cluster = parent;
        born = 1.0 / tree.nodes[cluster].birth;
    }
    cluster
}

/// The clusters that are `chosen` and not inside another chosen cluster.
fn outermost(tree: &CondensedTree, chosen: impl Fn(usize) -> bool) -> Vec<usize> {
    let mut inside = vec![false; tree.nodes.len()];
    let mut result = Vec::new();
    for cluster in 0..tree.nodes.len() {
        inside[cluster] = cluster > 0 && inside[tree.nodes[cluster].parent];
        if !inside[cluster] && chosen(cluster) {
            inside[cluster] = true;
            result.push(cluster);
        }
    }
    result
}
