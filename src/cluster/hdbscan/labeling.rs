//! From selected clusters to the label and membership strength of each point.

use super::Hdbscan;
use super::condensed_tree::CondensedTree;
use crate::cluster::OUTLIER;

/// The selected clusters and the labels of the tree's clusters.
#[derive(Debug)]
pub(super) struct Labeling {
    /// The number of each label's cluster in the condensed tree, ascending.
    pub(super) selected: Vec<usize>,
    /// The label of each cluster of the condensed tree: its own, or that of the selected cluster containing it.
    pub(super) cluster_label: Vec<i32>,
    /// Points that leave at a smaller lambda are outliers. Greater than 0 only if the root, which contains every point,
    /// is the only cluster.
    pub(super) least_lambda: f64,
}

impl Labeling {
    pub(super) fn new(tree: &CondensedTree, selected: Vec<usize>, settings: &Hdbscan) -> Self {
        let mut cluster_label = vec![OUTLIER; tree.nodes.len()];
        for (label, &cluster) in selected.iter().enumerate() {
            cluster_label[cluster] = label as i32;
        }
        for cluster in 1..tree.nodes.len() {
            if cluster_label[cluster] == OUTLIER {
                cluster_label[cluster] = cluster_label[tree.nodes[cluster].parent];
            }
        }
        let least_lambda = match (selected.first(), settings.cluster_selection_epsilon) {
            (Some(0), epsilon) if epsilon > 0.0 => 1.0 / epsilon,
            (Some(0), _) => tree.nodes[0].death,
            _ => 0.0,
        };
        Labeling { selected, cluster_label, least_lambda }
    }

    /// The label and strength of a point that leaves `cluster` at `lambda`; the strength is its lambda as a fraction of
    /// the largest in the labeled cluster.
    pub(super) fn label(&self, tree: &CondensedTree, cluster: usize, lambda: f64) -> (i32, f64) {
        let label = self.cluster_label[cluster];
        if label == OUTLIER || lambda < self.least_lambda {
            return (OUTLIER, 0.0);
        }
        let death = tree.nodes[self.selected[label as usize]].death;
        (label, if lambda < death { lambda / death } else { 1.0 })
    }
}

/// The label and membership strength of each point of the tree.
pub(super) fn label_points(tree: &CondensedTree, labeling: &Labeling) -> (Vec<i32>, Vec<f64>) {
    let leaves = tree.point_cluster.iter().zip(&tree.point_lambda);
    leaves.map(|(&cluster, &lambda)| labeling.label(tree, cluster, lambda)).unzip()
}
