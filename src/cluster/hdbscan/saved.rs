//! Saving a clustering. The search tree is built again, which takes less time than reading it.

use std::sync::Arc;

use super::condensed_tree::{CondensedRow, CondensedTree, Node};
use super::fitted::FittedHdbscan;
use super::index::Index;
use super::labeling::Labeling;
use crate::cluster::{FittedClusterer, OUTLIER};
use crate::error::{Result, Stage};
use crate::linalg::finite::check_finite;
use crate::state::State;

/// Represents no child.
const NONE: u64 = u64::MAX;

impl FittedHdbscan {
    pub(super) fn saved(&self) -> State<'_> {
        let Labeling { selected, cluster_label, least_lambda } = &self.labeling;
        State::new("hdbscan")
            .with_setting("min_samples", self.min_samples)
            .with_matrix("points", self.points.view())
            .with_values("core_distances", &self.core_with_self)
            .with_values("labels", &self.labels)
            .with_values("probabilities", &self.probabilities)
            .with_values("outlier_scores", &self.outlier_scores)
            .with_numbers("selected", selected)
            .with_values("cluster_labels", cluster_label)
            .with_values("least_lambda", vec![*least_lambda])
            .with_part("tree", self.condensed_tree.state())
    }
}

/// The clustering of a state.
pub(in crate::cluster) fn from_state(mut state: State<'_>) -> Result<Arc<dyn FittedClusterer>> {
    let points = state.take_matrix::<f32>("points")?;
    let rows = points.nrows();
    if rows == 0 || points.ncols() == 0 || rows > (u32::MAX / 2) as usize {
        return Err(state.out_of_range("points"));
    }
    check_finite(points.view(), Stage::Cluster, "point").map_err(|_| state.out_of_range("points"))?;
    let condensed_tree = CondensedTree::from_state(state.take_part("tree")?, rows)?;
    let clusters = condensed_tree.nodes.len();
    let selected = state.take_numbers("selected", clusters)?;
    if !selected.is_sorted_by(|a, b| a < b) {
        return Err(state.out_of_range("selected"));
    }
    let is_label = |&label: &i32| label == OUTLIER || usize::try_from(label).is_ok_and(|label| label < selected.len());
    let cluster_label = state.take_exactly::<i32>("cluster_labels", clusters)?;
    let labels = state.take_exactly::<i32>("labels", rows)?;
    if !cluster_label.iter().chain(&labels).all(is_label) {
        return Err(state.out_of_range("labels"));
    }
    let min_samples: usize = state.setting("min_samples")?;
    if min_samples >= rows.max(2) {
        return Err(state.wrong("min_samples is out of range"));
    }
    let least_lambda = state.take_exactly::<f64>("least_lambda", 1)?.first().copied().unwrap_or_default();
    Ok(Arc::new(FittedHdbscan {
        index: Index::build(points.view()),
        min_samples,
        core_with_self: state.take_exactly("core_distances", rows)?,
        condensed_tree,
        labeling: Labeling { selected, cluster_label, least_lambda },
        labels,
        probabilities: state.take_exactly("probabilities", rows)?,
        outlier_scores: state.take_exactly("outlier_scores", rows)?,
        points,
    }))
}

impl CondensedTree {
    fn state(&self) -> State<'_> {
        let rows = &self.rows;
        let nodes = &self.nodes;
        let child = |right: bool| {
            let child = move |node: &Node| {
                node.children.map_or(NONE, |(left, other)| if right { other as u64 } else { left as u64 })
            };
            nodes.iter().map(child).collect::<Vec<u64>>()
        };
        let numbers = |of: fn(&Node) -> usize| nodes.iter().map(of).collect::<Vec<usize>>();
        let of_rows = |of: fn(&CondensedRow) -> usize| rows.iter().map(of).collect::<Vec<usize>>();
        State::new("condensed_tree")
            .with_numbers("rows.parent", &of_rows(|row| row.parent))
            .with_numbers("rows.child", &of_rows(|row| row.child))
            .with_numbers("rows.child_size", &of_rows(|row| row.child_size))
            .with_values("rows.lambda", rows.iter().map(|row| row.lambda).collect::<Vec<f64>>())
            .with_numbers("parent", &numbers(|node| node.parent))
            .with_values("left", child(false))
            .with_values("right", child(true))
            .with_values("birth", nodes.iter().map(|node| node.birth).collect::<Vec<f64>>())
            .with_values("death", nodes.iter().map(|node| node.death).collect::<Vec<f64>>())
            .with_numbers("size", &numbers(|node| node.size))
            .with_numbers("points", &numbers(|node| node.points))
            .with_values(
                "is_duplicate_group",
                nodes.iter().map(|node| u8::from(node.is_duplicate_group)).collect::<Vec<u8>>(),
            )
            .with_numbers("point_cluster", &self.point_cluster)
            .with_values("point_lambda", &self.point_lambda)
    }

    /// A parent comes before its children, so that every walk to the root ends.
    fn from_state(mut state: State<'_>, points: usize) -> Result<Self> {
        let birth = state.take_values::<f64>("birth")?;
        let clusters = birth.len();
        let parent = state.take_numbers("parent", clusters.max(1))?;
        let comes_first = |(number, &parent): (usize, &usize)| parent < number || number == 0 && parent == 0;
        if clusters == 0 || parent.len() != clusters || !parent.iter().enumerate().all(comes_first) {
            return Err(state.out_of_range("parent"));
        }
        let (left, right) = (state.take_exactly("left", clusters)?, state.take_exactly("right", clusters)?);
        let death = state.take_exactly::<f64>("death", clusters)?;
        let (size, held) = (counts(&mut state, "size", clusters)?, counts(&mut state, "points", clusters)?);
        let is_group = state.take_exactly::<u8>("is_duplicate_group", clusters)?;
        let mut nodes = Vec::with_capacity(clusters);
        for number in 0..clusters {
            let children = match (left[number], right[number]) {
                (NONE, NONE) => None,
                (left, right) => {
                    let child = |child: u64| usize::try_from(child).ok().filter(|&child| child < clusters);
                    Some(child(left).zip(child(right)).ok_or_else(|| state.out_of_range("left"))?)
                }
            };
            nodes.push(Node {
                parent: parent[number],
                children,
                birth: birth[number],
                death: death[number],
                size: size[number],
                points: held[number],
                is_duplicate_group: is_group[number] != 0,
            });
        }
        let rows = rows(&mut state, points, clusters)?;
        let point_cluster = state.take_numbers("point_cluster", clusters)?;
        let point_lambda = state.take_exactly("point_lambda", points)?;
        match point_cluster.len() == points {
            true => Ok(CondensedTree { points, rows, nodes, point_cluster, point_lambda }),
            false => Err(state.out_of_range("point_cluster")),
        }
    }
}

fn rows(state: &mut State<'_>, points: usize, clusters: usize) -> Result<Vec<CondensedRow>> {
    let lambda = state.take_values::<f64>("rows.lambda")?;
    let parent = state.take_numbers("rows.parent", points + clusters)?;
    let child = state.take_numbers("rows.child", points + clusters)?;
    let sizes = counts(state, "rows.child_size", lambda.len())?;
    if parent.len() != lambda.len() || child.len() != lambda.len() || parent.iter().any(|&parent| parent < points) {
        return Err(state.out_of_range("rows.parent"));
    }
    let rows = parent.into_iter().zip(child).zip(lambda.into_iter().zip(sizes));
    Ok(rows.map(|((parent, child), (lambda, child_size))| CondensedRow { parent, child, lambda, child_size }).collect())
}

/// Numbers of rows, of which there are fewer than 2³².
fn counts(state: &mut State<'_>, name: &str, count: usize) -> Result<Vec<usize>> {
    let counts = state.take_numbers(name, u32::MAX as usize)?;
    if counts.len() == count { Ok(counts) } else { Err(state.out_of_range(name)) }
}
