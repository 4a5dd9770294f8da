//! The tree in which topics merge, the most similar first.

use std::collections::BTreeMap;
use std::sync::Arc;

use polars::prelude::*;

use super::linkage::Join;
use crate::corpus::internal;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::represent::Gallery;

/// The maximum length of a name in the tree's text, as in BERTopic.
const LONGEST_NAME: usize = 100;

/// The tree in which the topics of a model merge, returned by
/// [`hierarchical_topics`](crate::FittedTopicModel::hierarchical_topics). The outlier topic has no part in it.
///
/// ```
/// use topicframe::prelude::*;
///
/// let posts = df!("text" => ["a cat sleeps", "the cat purrs", "a fast train"].repeat(10))?;
/// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(3));
/// let topics = model.fit(&posts)?;
///
/// let tree = topics.hierarchical_topics()?;
/// println!("{}", tree.get_topic_tree());
/// let root = tree.root().expect("three topics merge twice");
/// assert_eq!((tree.merges().len(), root.id, &root.topics), (2, 4, &vec![0, 1, 2]));
/// assert_eq!(tree.groups(2)?.len(), 2);                             // the topics of a cut
/// assert_eq!(topics.cut(&tree, 2)?.topic_ids(), [0, 1]);            // the model of that cut
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct TopicHierarchy {
    leaves: Vec<HierarchyLeaf>,
    /// Shared by copies, such as those of figures: every merge has its words.
    merges: Arc<[HierarchyMerge]>,
    galleries: Vec<(String, Gallery)>,
    /// [`Topics::fingerprint`](super::Topics::fingerprint).
    fingerprint: u64,
}

/// A topic at the bottom of a [`TopicHierarchy`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct HierarchyLeaf {
    /// The topic.
    pub id: i32,
    /// Its top five words, joined by `_`, or its custom label.
    pub name: String,
    /// The number of its rows.
    pub size: usize,
}

/// Two topics, or groups of topics, that become one in a [`TopicHierarchy`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct HierarchyMerge {
    /// The number of the result: the first one is the number of topics, as in BERTopic.
    pub id: i32,
    /// The top five words of its topics together, joined by `_`.
    pub name: String,
    /// The topics that are part of it, ascending.
    pub topics: Vec<i32>,
    /// What merges: a topic, or an earlier merge. The smaller number.
    pub left: i32,
    /// What it merges with.
    pub right: i32,
    /// How far apart both are.
    pub distance: f64,
    /// The number of its rows.
    pub size: usize,
    /// The words of its topics together, with their weights, best first: those of their summed counts.
    pub words: Vec<(String, f64)>,
    /// The rows that represent it, out of those that represent its topics, with the cosine similarity of their c-TF-IDF
    /// (or without words, of their vector) to that of all its topics; best first.
    pub representative_rows: Vec<(usize, f64)>,
    /// The texts of these rows; empty if the model is without its data.
    pub representative_docs: Vec<String>,
}

/// Where a [`TopicHierarchy`] is cut: at a number of topics, or at a distance. Either converts into it.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Cut {
    /// At this number of topics, at least 1; more than there are changes nothing.
    Count(usize),
    /// Everything that is at most this far apart is merged: at least 0.
    Distance(f64),
}

impl From<usize> for Cut {
    fn from(count: usize) -> Self {
        Cut::Count(count)
    }
}

impl From<f64> for Cut {
    fn from(distance: f64) -> Self {
        Cut::Distance(distance)
    }
}

impl TopicHierarchy {
    /// The tree of `joins` of the `leaves`, which are topics with this `fingerprint`. Merges have no descriptions.
    pub(crate) fn new(
        leaves: Vec<HierarchyLeaf>,
        joins: &[Join],
        galleries: Vec<(String, Gallery)>,
        fingerprint: u64,
    ) -> Self {
        // Numbers of merges follow those of topics, of which none needs to be missing.
        let first = leaves.iter().map(|leaf| leaf.id.saturating_add(1)).max().unwrap_or(0);
        let number = |node: usize| match leaves.get(node) {
            Some(leaf) => leaf.id,
            None => first.saturating_add((node - leaves.len()) as i32),
        };
        let mut merges: Vec<HierarchyMerge> = Vec::with_capacity(joins.len());
        for (at, join) in joins.iter().enumerate() {
            let part = |node: usize| match (leaves.get(node), merges.get(node.saturating_sub(leaves.len()))) {
                (Some(leaf), _) => (vec![leaf.id], leaf.size),
                (None, Some(merge)) => (merge.topics.clone(), merge.size),
                (None, None) => (Vec::new(), 0),
            };
            let (mut topics, size) = part(join.left);
            let (others, more) = part(join.right);
            topics.extend(others);
            topics.sort_unstable();
            merges.push(HierarchyMerge {
                id: number(leaves.len() + at),
                name: String::new(),
                topics,
                left: number(join.left),
                right: number(join.right),
                distance: join.distance,
                size: size.saturating_add(more),
                words: Vec::new(),
                representative_rows: Vec::new(),
                representative_docs: Vec::new(),
            });
        }
        TopicHierarchy { leaves, merges: merges.into(), galleries, fingerprint }
    }

    pub(crate) fn merges_mut(&mut self) -> &mut [HierarchyMerge] {
        Arc::make_mut(&mut self.merges)
    }

    /// The topics, ascending.
    pub fn leaves(&self) -> &[HierarchyLeaf] {
        &self.leaves
    }

    /// The merges, the most similar topics first. One less than there are topics, or none without topics.
    pub fn merges(&self) -> &[HierarchyMerge] {
        &self.merges
    }

    /// The merge with this number.
    pub fn merge(&self, id: i32) -> Option<&HierarchyMerge> {
        let at = self.merges.binary_search_by_key(&id, |merge| merge.id).ok()?;
        self.merges.get(at)
    }

    /// The merge that has all topics; `None` with fewer than two topics.
    pub fn root(&self) -> Option<&HierarchyMerge> {
        self.merges.last()
    }

    /// The name of a topic or of a merge.
    pub fn name(&self, id: i32) -> Option<&str> {
        let leaf = || {
            let at = self.leaves.binary_search_by_key(&id, |leaf| leaf.id).ok()?;
            self.leaves.get(at).map(|leaf| leaf.name.as_str())
        };
        self.merge(id).map(|merge| merge.name.as_str()).or_else(leaf)
    }

    /// The pictures of a merge, or of a topic, as a gallery under that number: the best of each of its topics in turn, the
    /// largest topic first. `None` if the number is unknown, or the model has no representation with images.
    ///
    /// If it has several, these are the pictures of the first.
    pub fn pictures(&self, id: i32) -> Option<Gallery> {
        let (_, gallery) = self.galleries.first()?;
        let mut topics: Vec<&HierarchyLeaf> = match self.merge(id) {
            Some(merge) => self.leaves.iter().filter(|leaf| merge.topics.binary_search(&leaf.id).is_ok()).collect(),
            None => self.leaves.iter().filter(|leaf| leaf.id == id).collect(),
        };
        topics.sort_by(|a, b| b.size.cmp(&a.size).then(a.id.cmp(&b.id)));
        let topics: Vec<i32> = topics.iter().map(|leaf| leaf.id).collect();
        (!topics.is_empty()).then(|| gallery.joined(id, &topics))
    }

    /// The merges as BERTopic's frame, the last one first: `Parent_ID` (Int32), `Parent_Name`, `Topics` (List(Int32)),
    /// `Child_Left_ID` (Int32), `Child_Left_Name`, `Child_Right_ID` (Int32), `Child_Right_Name`, `Distance` (Float64).
    /// No rows with fewer than two topics.
    ///
    /// # Errors
    /// None in practice: the frame is built from the tree's own values.
    pub fn frame(&self) -> Result<DataFrame> {
        let last_first = || self.merges.iter().rev();
        let ids = |name: &str, id: fn(&HierarchyMerge) -> i32| {
            Column::new(name.into(), last_first().map(id).collect::<Vec<i32>>())
        };
        let names = |name: &str, id: fn(&HierarchyMerge) -> i32| {
            Column::new(name.into(), last_first().map(|merge| self.name(id(merge))).collect::<Vec<Option<&str>>>())
        };
        let total = self.merges.iter().map(|merge| merge.topics.len()).sum();
        let mut topics =
            ListPrimitiveChunkedBuilder::<Int32Type>::new("Topics".into(), self.merges.len(), total, DataType::Int32);
        last_first().for_each(|merge| topics.append_slice(&merge.topics));
        let columns = vec![
            ids("Parent_ID", |merge| merge.id),
            names("Parent_Name", |merge| merge.id),
            topics.finish().into_column(),
            ids("Child_Left_ID", |merge| merge.left),
            names("Child_Left_Name", |merge| merge.left),
            ids("Child_Right_ID", |merge| merge.right),
            names("Child_Right_Name", |merge| merge.right),
            Column::new("Distance".into(), last_first().map(|merge| merge.distance).collect::<Vec<f64>>()),
        ];
        DataFrame::new(self.merges.len(), columns).map_err(internal)
    }

    /// The tree as BERTopic's text.
    pub fn get_topic_tree(&self) -> String {
        self.get_topic_tree_with(f64::INFINITY, false)
    }

    /// The tree as BERTopic's text: topics that merge at `max_distance` or above are shown as `O`, and with
    /// `tight_layout`, each level is indented by two characters instead of five.
    pub fn get_topic_tree_with(&self, max_distance: f64, tight_layout: bool) -> String {
        let width = if tight_layout { 1 } else { 4 };
        let mut text = ".\n".to_owned();
        let Some(root) = self.root() else { return text };
        // What is left to print: the node, the indent of its line, its prefix, and how far its parent's parts are apart.
        let mut left: Vec<(i32, String, &str, f64)> = Vec::new();
        let push = |left: &mut Vec<_>, merge: &HierarchyMerge, indent: &str| {
            left.push((merge.right, indent.to_owned(), "└─", merge.distance));
            left.push((merge.left, indent.to_owned(), "├─", merge.distance));
        };
        push(&mut left, root, "");
        while let Some((id, indent, branch, distance)) = left.pop() {
            text.push_str(&indent);
            text.push_str(branch);
            // A label may have several lines.
            let shown = |character: char| if character.is_control() { ' ' } else { character };
            let name: String = self.name(id).unwrap_or_default().chars().take(LONGEST_NAME).map(shown).collect();
            match self.merge(id) {
                Some(merge) => {
                    text.push_str(&format!("{name}\n"));
                    let deeper = if branch == "├─" {
                        format!("{indent}│{:width$}", "")
                    } else {
                        format!("{indent}{:1$}", "", width + 1)
                    };
                    push(&mut left, merge, &deeper);
                }
                None if distance < max_distance => text.push_str(&format!("■──{name} ── Topic: {id}\n")),
                None => text.push_str("O \n"),
            }
        }
        text
    }

    /// The tree as text, as [`get_topic_tree`](Self::get_topic_tree).
    pub fn to_text(&self) -> String {
        self.get_topic_tree()
    }

    /// The topics of a cut: groups of those that are together there, each ascending, in the order of their first ones.
    /// [`cut`](crate::FittedTopicModel::cut) returns the model that has them.
    ///
    /// # Errors
    /// The number is 0, or the distance is negative or not a number.
    pub fn groups(&self, at: impl Into<Cut>) -> Result<Vec<Vec<i32>>> {
        let all = self.leaves.len();
        let merged = match at.into() {
            Cut::Count(0) => return Err(Error::invalid_parameter(Stage::Topics, "nr_topics", 0, "at least 1")),
            Cut::Count(count) => all.saturating_sub(count),
            Cut::Distance(distance) if distance.is_nan() || distance < 0.0 => {
                return Err(Error::invalid_parameter(Stage::Topics, "distance", distance, "at least 0"));
            }
            Cut::Distance(distance) => self.merges.partition_point(|merge| merge.distance <= distance),
        };
        let merges = self.merges.get(..merged).unwrap_or(&self.merges);
        let mut group_of: BTreeMap<i32, i32> = self.leaves.iter().map(|leaf| (leaf.id, leaf.id)).collect();
        for merge in merges {
            let first = merge.topics.first().copied().unwrap_or(merge.id);
            for topic in &merge.topics {
                group_of.insert(*topic, first);
            }
        }
        let mut groups = BTreeMap::<i32, Vec<i32>>::new();
        group_of.into_iter().for_each(|(topic, group)| groups.entry(group).or_default().push(topic));
        Ok(groups.into_values().collect())
    }

    /// That the tree is one of topics with this `fingerprint`.
    pub(crate) fn check_topics(&self, fingerprint: u64) -> Result<()> {
        if self.fingerprint == fingerprint {
            return Ok(());
        }
        let message = "the tree is not of the topics of this model";
        Err(Error::new(ErrorKind::InvalidData, Stage::Topics, message)
            .with_hint("Call hierarchical_topics() on this model; edits renumber topics."))
    }
}
