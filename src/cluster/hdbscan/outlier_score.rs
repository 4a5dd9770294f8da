//! Outlier scores: GLOSH (Campello, Moulavi, Zimek and Sander 2015).

use super::condensed_tree::CondensedTree;

/// How far each point lies outside the densest part of the cluster that it falls out of: 1 - lambda of the point /
/// largest lambda at or below that cluster. From 0 to 1. A point that never falls out (infinite lambda) has score 0;
/// other points in the same cluster have score 1.
pub(super) fn outlier_scores(tree: &CondensedTree) -> Vec<f64> {
    let mut densest: Vec<f64> = tree.nodes.iter().map(|node| node.death).collect();
    for cluster in (1..densest.len()).rev() {
        let parent = tree.nodes[cluster].parent;
        densest[parent] = densest[parent].max(densest[cluster]);
    }
    let leaves = tree.point_cluster.iter().zip(&tree.point_lambda);
    leaves
        .map(|(&cluster, &lambda)| {
            let densest = densest[cluster];
            if lambda < densest { 1.0 - lambda / densest } else { 0.0 }
        })
        .collect()
}
