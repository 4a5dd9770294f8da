//! Saving the topic of each row.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Assignment, Choice, division, sizes_of};
use crate::cluster::OUTLIER;
use crate::error::Result;
use crate::state::State;
use crate::topics::outliers::{Admission, Outliers};

/// Labels of clusters are below, which leaves room for those of their parts.
const MOST_LABEL: i32 = i32::MAX - (1 << 24);

impl Assignment {
    /// The state of the topics.
    pub(crate) fn state(&self) -> State<'_> {
        let mut state = State::new("assignment")
            .with_values("topics", &self.topics)
            .with_values("probabilities", &self.probabilities);
        state = with_map(state, "clusters", &self.mapper);
        if self.sizes != sizes_of(&self.topics) {
            let sizes: Vec<usize> = self.sizes.values().copied().collect();
            let topics = self.sizes.keys().copied().collect::<Vec<i32>>();
            state = state.with_values("sizes.topics", topics).with_numbers("sizes", &sizes);
        }
        if let Some(runners_up) = &self.runners_up {
            let (topics, strengths): (Vec<i32>, Vec<f64>) = runners_up.iter().copied().unzip();
            state = state.with_values("runners_up", topics).with_values("runner_up_strengths", strengths);
        }
        if !self.divisions.is_empty() {
            state = state.with_part("divisions", division::state(&self.divisions));
        }
        match &self.choice {
            Some(choice) => state.with_part("choice", choice.state()),
            None => state,
        }
    }

    /// The topics of a state, of this number of rows, whose vectors have these dimensions.
    pub(crate) fn from_state(mut state: State<'_>, rows: usize, dimensions: usize) -> Result<Self> {
        let topics = state.take_exactly::<i32>("topics", rows)?;
        let sizes = take_sizes(&mut state, &topics)?;
        let count = sizes.keys().filter(|&&topic| topic != OUTLIER).count() as i32;
        // Topics are numbered without gaps.
        let is_topic = |topic: i32| topic == OUTLIER || (0..count).contains(&topic);
        if !sizes.keys().all(|&topic| is_topic(topic)) {
            return Err(state.out_of_range("topics"));
        }
        // Another program may not have saved them.
        let probabilities = state.take_values::<f64>("probabilities")?;
        if !(probabilities.is_empty() || probabilities.len() == rows) || !are_strengths(&probabilities) {
            return Err(state.out_of_range("probabilities"));
        }
        let mapper = take_map(&mut state, "clusters")?;
        // Parts of clusters get larger labels.
        if !mapper.iter().all(|(&label, &topic)| label < MOST_LABEL && is_topic(topic)) {
            return Err(state.out_of_range("clusters"));
        }
        let runners_up = match state.has("runners_up") {
            true => {
                let topics = state.take_exactly::<i32>("runners_up", rows)?;
                if !topics.iter().all(|&topic| is_topic(topic)) {
                    return Err(state.out_of_range("runners_up"));
                }
                Some(topics.into_iter().zip(strengths(&mut state, "runner_up_strengths", rows)?).collect())
            }
            false => None,
        };
        // Earlier versions divided no topics.
        let divisions = match state.has_part("divisions") {
            true => division::from_state(state.take_part("divisions")?, dimensions)?,
            false => BTreeMap::new(),
        };
        let choice = match state.has_part("choice") {
            true => {
                let choice = Choice::from_state(state.take_part("choice")?, rows, dimensions)?;
                if !choice.now.values().all(|&topic| is_topic(topic)) {
                    return Err(state.out_of_range("now"));
                }
                if choice.before.probabilities.len() != probabilities.len() {
                    return Err(state.out_of_range("probabilities"));
                }
                Some(Arc::new(choice))
            }
            false => None,
        };
        Ok(Assignment { topics, probabilities, runners_up, sizes, mapper, divisions, choice })
    }

    /// A cluster of each topic, by topic; a divided cluster is that of none.
    pub(crate) fn cluster_of_topics(&self) -> BTreeMap<i32, i32> {
        let mut clusters = BTreeMap::new();
        let whole = self.mapper.iter().filter(|(cluster, _)| !self.divisions.contains_key(cluster));
        for (&cluster, &topic) in whole.filter(|(_, topic)| **topic != OUTLIER) {
            clusters.entry(topic).or_insert(cluster);
        }
        clusters
    }
}

impl Choice {
    fn state(&self) -> State<'_> {
        let Admission { lowest, nearest } = self.admission;
        let lowest: Vec<f64> = lowest.iter().flat_map(|&(strength, cosine)| [strength, cosine]).collect();
        let state = State::new("outliers")
            .with_setting("outliers", self.outliers.to_string())
            .with_values("lowest", lowest)
            .with_values("nearest", Vec::from_iter(nearest))
            .with_part("before", self.before.state());
        with_map(state, "now", &self.now)
    }

    fn from_state(mut state: State<'_>, rows: usize, dimensions: usize) -> Result<Self> {
        let before = state.take_part("before")?;
        if before.has_part("choice") {
            return Err(state.wrong("a choice of outliers contains another"));
        }
        let outliers: Outliers = state.setting::<String>("outliers")?.parse()?;
        let lowest = match state.take_values::<f64>("lowest")?[..] {
            [] => None,
            [strength, cosine] => Some((strength, cosine)),
            _ => return Err(state.out_of_range("lowest")),
        };
        let nearest = state.take_values::<f64>("nearest")?.first().copied();
        let now = take_map(&mut state, "now")?;
        let before = Assignment::from_state(before, rows, dimensions)?;
        Ok(Choice { outliers, admission: Admission { lowest, nearest }, before, now })
    }
}

fn with_map<'a>(state: State<'a>, name: &str, map: &BTreeMap<i32, i32>) -> State<'a> {
    let (keys, values): (Vec<i32>, Vec<i32>) = map.iter().map(|(&key, &value)| (key, value)).unzip();
    state.with_values(name, keys).with_values(&format!("{name}.topics"), values)
}

fn take_map(state: &mut State<'_>, name: &str) -> Result<BTreeMap<i32, i32>> {
    let keys = state.take_values::<i32>(name)?;
    let values = state.take_exactly::<i32>(&format!("{name}.topics"), keys.len())?;
    Ok(keys.into_iter().zip(values).collect())
}

fn strengths(state: &mut State<'_>, name: &str, rows: usize) -> Result<Vec<f64>> {
    let strengths = state.take_exactly::<f64>(name, rows)?;
    match are_strengths(&strengths) {
        true => Ok(strengths),
        false => Err(state.out_of_range(name)),
    }
}

fn are_strengths(values: &[f64]) -> bool {
    values.iter().all(|strength| (0.0..=1.0).contains(strength))
}

/// The number of rows of each topic: counted, unless the state has it.
fn take_sizes(state: &mut State<'_>, topics: &[i32]) -> Result<BTreeMap<i32, usize>> {
    let counted = sizes_of(topics);
    if !state.has("sizes") {
        return Ok(counted);
    }
    let ids = state.take_values::<i32>("sizes.topics")?;
    let sizes = state.take_numbers("sizes", usize::MAX)?;
    let sizes: BTreeMap<i32, usize> = match ids.len() == sizes.len() {
        true => ids.into_iter().zip(sizes).collect(),
        false => return Err(state.out_of_range("sizes")),
    };
    match counted.keys().all(|topic| sizes.contains_key(topic)) {
        true => Ok(sizes),
        false => Err(state.out_of_range("sizes")),
    }
}
