//! The tree in which topics merge, and its cuts.

use std::collections::BTreeMap;

use ndarray::Array2;
use rayon::prelude::*;

use super::FittedTopicModel;
use crate::error::{Error, ErrorKind, Hint, Result, Stage};
use crate::linalg::sparse::CsrMatrix;
use crate::linalg::vectors::{cosine, dot, norm, unit};
use crate::progress::Progress;
use crate::represent::Aspect;
use crate::topics::{
    Cut, Distances, HierarchyLeaf, HierarchyMerge, Linkage, TopicHierarchy, WordWeighting, dendrogram,
};

/// The number of words in a name, as in BERTopic.
const WORDS_OF_A_NAME: usize = 5;

/// The words of merges that are weighed at a time, which bounds memory.
const WORDS_AT_A_TIME: usize = 1 << 22;

/// What tells how far apart two topics are.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub enum TopicDistance {
    /// The cosine distance of their c-TF-IDF, or if no words were counted, of their mean vectors. The default.
    #[default]
    Auto,
    /// The cosine distance of their c-TF-IDF: BERTopic's default.
    CTfIdf,
    /// The cosine distance of their mean vectors.
    Vectors,
    /// A square matrix of distances, a row and a column for each topic but -1, ascending.
    Given(Array2<f64>),
}

/// The settings of [`hierarchical_topics_with`](FittedTopicModel::hierarchical_topics_with).
///
/// | setting | default |
/// |---|---|
/// | [`linkage`](Self::linkage) | [`Linkage::Ward`] |
/// | [`distance`](Self::distance) | [`TopicDistance::Auto`]: the cosine distance of c-TF-IDF |
#[derive(Debug, Clone, PartialEq, Default)]
#[must_use]
pub struct HierarchyOptions {
    linkage: Linkage,
    distance: TopicDistance,
}

impl HierarchyOptions {
    /// The defaults, which are BERTopic's.
    pub fn new() -> Self {
        HierarchyOptions::default()
    }

    /// How far apart groups of topics are, given the distances of topics.
    pub fn linkage(mut self, linkage: Linkage) -> Self {
        self.linkage = linkage;
        self
    }

    /// How far apart topics are.
    pub fn distance(mut self, distance: TopicDistance) -> Self {
        self.distance = distance;
        self
    }
}

impl FittedTopicModel {
    /// The tree in which the topics merge, the most similar first, by the cosine distance of their c-TF-IDF and Ward's
    /// linkage, as BERTopic's. The outlier topic has no part in it. Neither texts nor the rows of the fit are needed, and
    /// a model of images alone has a tree, too: by its vectors.
    ///
    /// Each merge has the words of all its topics (c-TF-IDF of their summed counts), representative rows, documents and
    /// pictures; [`frame`](TopicHierarchy::frame) is BERTopic's table, [`get_topic_tree`](TopicHierarchy::get_topic_tree)
    /// its text, and [`cut`](Self::cut) returns the model with the topics of one level. With fewer than two topics, the
    /// tree is empty.
    ///
    /// This is a tree of the topics as they are now. [`Communities`](crate::cluster::Communities) also has a tree of rows,
    /// whose cuts are [`at`](Self::at) and [`layers`](Self::layers).
    ///
    /// # Errors
    /// Interrupted.
    pub fn hierarchical_topics(&self) -> Result<TopicHierarchy> {
        self.hierarchical_topics_with(&HierarchyOptions::new())
    }

    /// As [`hierarchical_topics`](Self::hierarchical_topics), with another distance or linkage. If the counts of terms are
    /// not known ([a model of BERTopic](Self::load_bertopic)), the words of a merge are the mean of those of its topics,
    /// by their sizes.
    ///
    /// ```
    /// use topicframe::prelude::*;
    /// use topicframe::topics::Linkage;
    ///
    /// let posts = df!("text" => ["a cat sleeps", "the cat purrs", "a fast train"].repeat(10))?;
    /// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(3));
    /// let topics = model.fit(&posts)?;
    /// let options = HierarchyOptions::new().linkage(Linkage::Average).distance(TopicDistance::Vectors);
    /// let tree = topics.hierarchical_topics_with(&options)?;
    /// assert_eq!(tree.frame()?.height(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Given distances are not a square matrix with a row for each topic, not symmetric, negative, not finite, or not 0 on
    /// the diagonal; a topic has no words or no vector by which to compare it; interrupted.
    pub fn hierarchical_topics_with(&self, options: &HierarchyOptions) -> Result<TopicHierarchy> {
        let topics = self.without_outliers();
        let distances = self.distances(&topics, &options.distance)?;
        self.settings.progress.check(Stage::Topics)?;
        let joins = dendrogram(distances, options.linkage);
        let leaf = |&id: &i32| HierarchyLeaf { id, name: self.short_name(id), size: self.topic_size(id).unwrap_or(0) };
        let leaves = topics.iter().map(leaf).collect();
        let mut tree = TopicHierarchy::new(leaves, &joins, self.galleries(), self.topics.fingerprint());
        self.settings.progress.check(Stage::Topics)?;
        self.describe_merges(tree.merges_mut())?;
        Ok(tree)
    }

    /// Returns a model with the topics of one level of a tree from [`hierarchical_topics`](Self::hierarchical_topics):
    /// `topics.cut(&tree, 20)?` has 20 topics, `topics.cut(&tree, 0.8)?` has merged all topics that the tree merges at a
    /// distance of at most 0.8. Topics are merged as by [`merge_topics`](Self::merge_topics); if nothing merges, nothing
    /// changes.
    ///
    /// # Errors
    /// The number is 0, or the distance is negative; the tree is of other topics (other rows in them, or rows with other
    /// vectors); the model is without its data; a
    /// representation fails.
    pub fn cut(&self, tree: &TopicHierarchy, at: impl Into<Cut>) -> Result<FittedTopicModel> {
        let groups = tree.groups(at)?;
        tree.check_topics(self.fingerprint())?;
        let merged: Vec<&[i32]> = groups.iter().map(Vec::as_slice).filter(|group| group.len() > 1).collect();
        if merged.is_empty() { Ok(self.clone()) } else { self.merge_topics(&merged) }
    }

    /// What a tree of these topics has as well.
    pub(crate) fn fingerprint(&self) -> u64 {
        self.topics.fingerprint()
    }

    fn distances(&self, topics: &[i32], distance: &TopicDistance) -> Result<Distances> {
        let has_words = self.topics.terms.c_tf_idf.entries() > 0;
        match distance {
            TopicDistance::Given(matrix) => given(matrix, topics.len(), &self.settings.progress),
            TopicDistance::CTfIdf if !has_words && topics.len() > 1 => {
                Err(nothing_to_compare("c-TF-IDF", "counted words"))
            }
            TopicDistance::CTfIdf => self.word_distances(topics),
            TopicDistance::Auto if has_words => self.word_distances(topics),
            TopicDistance::Auto | TopicDistance::Vectors => self.vector_distances(topics),
        }
    }

    fn word_distances(&self, topics: &[i32]) -> Result<Distances> {
        let ids = self.topic_ids();
        let rows: Vec<usize> = topics.iter().map(|topic| ids.binary_search(topic).unwrap_or(usize::MAX)).collect();
        self.topics.terms.distances(&rows, &self.settings.progress)
    }

    fn vector_distances(&self, topics: &[i32]) -> Result<Distances> {
        let mean = |topic: &i32| self.topics.centroids.get(*topic).map(|mean| unit(mean.iter().copied()));
        let means: Option<Vec<Vec<f64>>> = topics.iter().map(mean).collect();
        let Some(means) = means else { return Err(nothing_to_compare("vectors", "a mean vector")) };
        Distances::of(topics.len(), &self.settings.progress, |a, row| {
            row.iter_mut().zip(&means).for_each(|(cell, b)| *cell = (1.0 - dot::<f64>(&means[a], b)).max(0.0));
        })
    }

    /// A topic's custom label, or its top five words, joined by `_`.
    fn short_name(&self, topic: i32) -> String {
        if let Some(label) = self.custom_labels().remove(&topic) {
            return label;
        }
        let words = self.get_topic(topic).unwrap_or_default();
        let words: Vec<String> = words.into_iter().map(|(word, _)| word).filter(|word| !word.is_empty()).collect();
        match words.is_empty() {
            true => self.topic_label(topic).unwrap_or_default(),
            false => words[..words.len().min(WORDS_OF_A_NAME)].join("_"),
        }
    }

    fn galleries(&self) -> Vec<(String, crate::represent::Gallery)> {
        let description = &*self.topics.description;
        let gallery = |name: &String| match description.aspects.get(name)? {
            Aspect::Images(gallery) => Some((name.clone(), gallery.clone())),
            Aspect::Words(_) => None,
        };
        description.order.iter().filter_map(gallery).collect()
    }

    /// Gives every merge its words, its name, and the rows that represent it.
    fn describe_merges(&self, merges: &mut [HierarchyMerge]) -> Result<()> {
        let terms = &*self.topics.terms;
        let ids = self.topic_ids();
        let place = |topic: &i32| ids.binary_search(topic).ok();
        let groups: Vec<Vec<usize>> =
            merges.iter().map(|merge| merge.topics.iter().filter_map(place).collect()).collect();
        let task = self.settings.progress.task(Stage::Topics, "words of merged topics", groups.len());
        let sizes: Vec<usize> = ids.iter().map(|&topic| self.topic_size(topic).unwrap_or(0)).collect();
        let n = self.settings.top_n_words;
        let weighting = terms.word_weighting()?;
        let candidates = Candidates::new(self, &weighting)?;
        let counts = !terms.vocabulary.is_empty();
        let (mut merges, mut groups) = (merges, &groups[..]);
        while !groups.is_empty() && !task.is_interrupted() {
            let (some, other_groups) = groups.split_at(self.at_a_time(groups));
            let (batch, others) = merges.split_at_mut(some.len());
            let unions = weighting.unions(some, &sizes)?;
            let fresh = || vec![0.0; unions.weights.cols()];
            batch.par_iter_mut().with_max_len(1).enumerate().for_each_init(fresh, |dense, (at, merge)| {
                merge.words = if counts { terms.words_in(&unions, at, n) } else { self.mean_words(&merge.topics, n) };
                let best: Vec<&str> = merge.words.iter().take(WORDS_OF_A_NAME).map(|(word, _)| word.as_str()).collect();
                merge.name = if best.is_empty() { merge.id.to_string() } else { best.join("_") };
                merge.representative_rows = candidates.best(self, &merge.topics, unions.weights.row(at), dense);
                let docs = merge.representative_rows.iter().filter_map(|&(row, _)| self.text(row));
                merge.representative_docs = docs.collect();
            });
            task.advance(batch.len());
            (merges, groups) = (others, other_groups);
        }
        task.finish()
    }

    /// How many of the first `groups` of topics are weighed together: at least one.
    fn at_a_time(&self, groups: &[Vec<usize>]) -> usize {
        let weights = &self.topics.terms.c_tf_idf;
        let words = |group: &Vec<usize>| {
            group.iter().map(|&topic| weights.row(topic).0.len()).sum::<usize>().min(weights.cols())
        };
        let fits = |sum: &mut usize, group| {
            *sum += words(group);
            (*sum <= WORDS_AT_A_TIME).then_some(())
        };
        groups.iter().scan(0, fits).count().max(1)
    }

    /// The `n` best words of several topics that have no counts: by the mean of their weights, by size.
    fn mean_words(&self, topics: &[i32], n: usize) -> Vec<(String, f64)> {
        let mut sums = BTreeMap::<&str, f64>::new();
        let mut rows = 0.0;
        for &topic in topics {
            let size = self.topic_size(topic).unwrap_or(0) as f64;
            rows += size;
            for (word, weight) in self.topics.description.words.get(&topic).into_iter().flatten() {
                if !word.is_empty() {
                    *sums.entry(word).or_default() += size * weight;
                }
            }
        }
        let mut words: Vec<(String, f64)> =
            sums.into_iter().map(|(word, sum)| (word.to_owned(), sum / f64::max(rows, 1.0))).collect();
        words.sort_by(|a, b| b.1.total_cmp(&a.1));
        words.truncate(n);
        words
    }
}

/// The rows that represent topics, out of which those of their unions are chosen.
struct Candidates {
    /// The rows of each topic with their scores.
    of_topics: BTreeMap<i32, Vec<(usize, f64)>>,
    /// The place of each row among the weights.
    places: BTreeMap<usize, usize>,
    /// The weights of the words of their texts, if they are counted, and the norm of each row.
    words: Option<(CsrMatrix<f64>, Vec<f64>)>,
}

impl Candidates {
    fn new(model: &FittedTopicModel, weighting: &WordWeighting<'_>) -> Result<Self> {
        let of_topics = model.topics.description.representatives.clone();
        let mut rows: Vec<usize> = of_topics.values().flatten().map(|&(row, _)| row).collect();
        rows.sort_unstable();
        rows.dedup();
        let places: BTreeMap<usize, usize> = rows.iter().enumerate().map(|(place, &row)| (row, place)).collect();
        let members: Vec<(usize, usize)> = rows.iter().enumerate().map(|(place, &row)| (row, place)).collect();
        let words = match model.topics.terms.has_documents() {
            true => {
                let weights = weighting.parts(&members, rows.len())?.weights;
                let norms = (0..weights.rows()).map(|row| weights.norm(row)).collect();
                Some((weights, norms))
            }
            false => None,
        };
        Ok(Candidates { of_topics, places, words })
    }

    /// The rows that represent `topics` together, which have these columns and weights. `dense` has a place for each
    /// column, and is 0 before and after.
    fn best(
        &self,
        model: &FittedTopicModel,
        topics: &[i32],
        (columns, weights): (&[u32], &[f64]),
        dense: &mut [f64],
    ) -> Vec<(usize, f64)> {
        let places = || columns.iter().map(|&column| column as usize);
        places().zip(weights).for_each(|(column, &weight)| dense[column] = weight);
        let candidates = topics.iter().filter_map(|topic| self.of_topics.get(topic)).flatten();
        let vectors = model.data.as_ref().map(|data| &data.encoded.clustered);
        let mean = match self.words {
            None => model.mean_vector(topics),
            Some(_) => None,
        };
        let of_union = norm(weights.iter().copied());
        let score = |&(row, own): &(usize, f64)| {
            let by_words = || {
                let (words, norms) = self.words.as_ref()?;
                let &place = self.places.get(&row)?;
                let (columns, values) = words.row(place);
                let product = columns.iter().zip(values).map(|(&column, value)| value * dense[column as usize]).sum();
                Some(cosine(product, *norms.get(place)?, of_union))
            };
            let by_vectors = || {
                let (mean, vector) = (mean.as_ref()?, vectors?.get(row)?);
                let product: f64 = mean.iter().zip(vector).map(|(a, &b)| a * f64::from(b)).sum();
                Some(cosine(product, norm(mean.iter().copied()), norm(vector.iter().copied())))
            };
            (row, by_words().or_else(by_vectors).unwrap_or(own))
        };
        let mut best: Vec<(usize, f64)> = candidates.map(score).collect();
        places().for_each(|column| dense[column] = 0.0);
        best.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        best.truncate(model.settings.nr_repr_docs);
        best
    }
}

impl FittedTopicModel {
    /// The mean of the topics' mean vectors, by their sizes.
    fn mean_vector(&self, topics: &[i32]) -> Option<Vec<f64>> {
        let mut sum: Option<Vec<f64>> = None;
        for &topic in topics {
            let Some(mean) = self.topics.centroids.get(topic) else { continue };
            let size = self.topic_size(topic).unwrap_or(0) as f64;
            let sum = sum.get_or_insert_with(|| vec![0.0; mean.len()]);
            sum.iter_mut().zip(mean).for_each(|(sum, &x)| *sum += size * f64::from(x));
        }
        sum
    }
}

/// The distances that a user gave for `n` topics.
fn given(matrix: &Array2<f64>, n: usize, progress: &Progress) -> Result<Distances> {
    let refused = |message: String| {
        Err(Error::new(ErrorKind::InvalidData, Stage::Topics, message)
            .with_hint("Give a square matrix with a row for each topic of topic_ids() but -1, in that order."))
    };
    if matrix.dim() != (n, n) {
        let (rows, columns) = matrix.dim();
        return refused(format!("the distances are {rows} x {columns}, but there are {n} topics"));
    }
    for ((a, b), &distance) in matrix.indexed_iter() {
        if !distance.is_finite() || distance < 0.0 {
            return refused(format!("the distance at ({a}, {b}) is {distance}: it must be a number of at least 0"));
        }
        if a == b && distance != 0.0 {
            return refused(format!("the distance at ({a}, {a}) is {distance}, but that of a topic to itself is 0"));
        }
        if distance != matrix[(b, a)] {
            return refused(format!("the distances at ({a}, {b}) and ({b}, {a}) differ"));
        }
    }
    Distances::of(n, progress, |a, row| {
        row.iter_mut().enumerate().for_each(|(b, cell)| *cell = matrix[(a, b)]);
    })
}

fn nothing_to_compare(by: &str, lacking: &str) -> Error {
    let message = format!("the topics cannot be compared by {by}: not all of them have {lacking}");
    Error::new(ErrorKind::NotFound, Stage::Topics, message).with_hint(
        Hint::new("Choose another TopicDistance: CTfIdf, Vectors, or Given with distances of your own.")
            .on_command_line("Choose another distance with --by."),
    )
}
