//! Divided topics: a cluster whose rows an edit put into several topics.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::cluster::OUTLIER;
use crate::corpus::Embeddings;
use crate::error::Result;
use crate::linalg::vector_sum::VectorSum;
use crate::linalg::vectors::{cosine, dot, norm};
use crate::state::State;
use crate::topics::Regrouping;

/// The parts of a cluster, which are clusters themselves: each with its label, and the mean vector of its rows when the
/// topic was divided.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Division(Vec<(i32, Vec<f32>)>);

impl Division {
    /// The labels of the parts.
    pub(super) fn labels(&self) -> impl Iterator<Item = i32> {
        self.0.iter().map(|&(label, _)| label)
    }

    /// The label of the part whose mean has the largest cosine to `vector`, ties by position.
    pub(super) fn nearest(&self, vector: &[f32]) -> Option<i32> {
        let length = norm(vector.iter().copied());
        let mut best: Option<(i32, f64)> = None;
        for (label, mean) in self.0.iter().filter(|(_, mean)| mean.len() == vector.len()) {
            let cosine = cosine(dot(vector, mean), length, norm(mean.iter().copied()));
            if best.is_none_or(|(_, largest)| cosine > largest) {
                best = Some((*label, cosine));
            }
        }
        best.map(|(label, _)| label)
    }

    /// The parts by the topics in which they are now, with labels from `first` on.
    fn of_means(means: BTreeMap<i32, Vec<f32>>, first: i32) -> (Self, BTreeMap<i32, i32>) {
        let labels = (first..).zip(means.keys().copied()).collect();
        (Division((first..).zip(means.into_values()).collect()), labels)
    }
}

/// Topics that an edit divides.
#[derive(Debug, Default)]
pub(super) struct Divided {
    /// For each topic before the edit: its parts.
    pub(super) of_topics: BTreeMap<i32, Arc<Division>>,
    /// For each label of a part: the topic after the edit.
    pub(super) parts: BTreeMap<i32, i32>,
}

impl Divided {
    /// The topics `before` an `edit` whose rows are in several topics `after` it, not counting outliers. Parts are labeled
    /// from `first` on.
    pub(super) fn of(edit: &Regrouping, before: &[i32], after: &[i32], vectors: &Embeddings, first: i32) -> Self {
        let parts_of = |(&from, parts): (&i32, &BTreeMap<i32, usize>)| {
            let parts: BTreeMap<i32, Option<VectorSum>> =
                parts.keys().filter(|to| **to != OUTLIER).map(|&to| (to, None)).collect();
            (from != OUTLIER && parts.len() > 1).then_some((from, parts))
        };
        let mut means: BTreeMap<i32, BTreeMap<i32, Option<VectorSum>>> =
            edit.destinations.iter().filter_map(parts_of).collect();
        if means.is_empty() {
            return Divided::default();
        }
        for (row, (from, to)) in before.iter().zip(after).enumerate() {
            let Some(sum) = means.get_mut(from).and_then(|parts| parts.get_mut(to)) else { continue };
            let Some(vector) = vectors.get(row) else { continue };
            sum.get_or_insert_with(|| VectorSum::new(vector.len())).add(vector.iter().copied());
        }
        let mut divided = Divided::default();
        for (topic, parts) in means {
            let means: BTreeMap<i32, Vec<f32>> =
                parts.into_iter().filter_map(|(to, sum)| Some((to, sum?.mean_f32()))).collect();
            let (division, labels) = Division::of_means(means, first.saturating_add(divided.parts.len() as i32));
            divided.parts.extend(labels);
            divided.of_topics.insert(topic, Arc::new(division));
        }
        divided
    }

    /// Where a row with this vector is after the edit, if its topic is divided.
    pub(super) fn topic(&self, before: i32, vector: Option<&[f32]>) -> Option<i32> {
        let label = self.of_topics.get(&before)?.nearest(vector?)?;
        self.parts.get(&label).copied()
    }
}

/// The state of the divisions of clusters, by label.
pub(super) fn state(divisions: &BTreeMap<i32, Arc<Division>>) -> State<'static> {
    let parts = || divisions.values().flat_map(|division| &division.0);
    State::new("divisions")
        .with_values("clusters", divisions.keys().copied().collect::<Vec<i32>>())
        .with_numbers("counts", &divisions.values().map(|division| division.0.len()).collect::<Vec<usize>>())
        .with_values("parts", parts().map(|&(label, _)| label).collect::<Vec<i32>>())
        .with_values("means", parts().flat_map(|(_, mean)| mean.iter().copied()).collect::<Vec<f32>>())
}

/// The divisions of a state, with means of these dimensions. A part has a larger label than what it is a part of, so that
/// no cluster is a part of itself.
pub(super) fn from_state(mut state: State<'_>, dimensions: usize) -> Result<BTreeMap<i32, Arc<Division>>> {
    let clusters = state.take_values::<i32>("clusters")?;
    let parts = state.take_values::<i32>("parts")?;
    let counts = state.take_numbers("counts", parts.len().saturating_add(1))?;
    let sum = counts.iter().try_fold(0_usize, |sum, &count| sum.checked_add(count));
    if counts.len() != clusters.len() || sum != Some(parts.len()) {
        return Err(state.out_of_range("counts"));
    }
    let means = state.take_exactly::<f32>("means", parts.len().saturating_mul(dimensions))?;
    if !means.iter().all(|x| x.is_finite()) {
        return Err(state.out_of_range("means"));
    }
    let mut all = parts.into_iter().zip(means.chunks(dimensions.max(1)).map(<[f32]>::to_vec));
    let mut divisions = BTreeMap::new();
    for (cluster, count) in clusters.into_iter().zip(counts) {
        let parts: Vec<(i32, Vec<f32>)> = all.by_ref().take(count).collect();
        if !parts.iter().all(|&(label, _)| label > cluster) {
            return Err(state.out_of_range("parts"));
        }
        divisions.insert(cluster, Arc::new(Division(parts)));
    }
    Ok(divisions)
}
