//! Describing topics anew, with other settings, or by topics of the user's own.

use std::sync::Arc;

use super::FittedTopicModel;
use crate::cluster::OUTLIER;
use crate::encode::counted;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::model::TopicModel;
use crate::model::data::Data;
use crate::represent::Representation;
use crate::topics::{Assignment, ClusteredRows, Topics};
use crate::vectorize::{ClassTfIdf, CountVectorizer};

/// What [`update_topics`](FittedTopicModel::update_topics) changes. What is not named stays as it is.
///
/// ```
/// use topicframe::prelude::*;
///
/// let posts = df!("text" => ["the cat sleeps", "the dog sleeps", "a fast train"].repeat(10))?;
/// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(3));
/// let topics = model.top_n_words(5).fit(&posts)?;
///
/// let phrases = topics.update_topics(&UpdateTopics::new().vectorizer(CountVectorizer::new().ngram_range(1, 2)))?;
/// assert!(phrases.vocabulary().iter().any(|term| term == "fast train"));
/// let mine: Vec<i32> = [0, 0, 1].repeat(10);
/// let two = phrases.update_topics(&UpdateTopics::new().topics(&mine))?;
/// assert_eq!((two.labels(), two.vocabulary()), (mine, phrases.vocabulary()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct UpdateTopics {
    topics: Option<Vec<i32>>,
    vectorizer: Option<CountVectorizer>,
    ctfidf: Option<ClassTfIdf>,
    representations: Vec<(String, Arc<dyn Representation>)>,
    top_n_words: Option<usize>,
}

impl UpdateTopics {
    /// Changes nothing.
    pub fn new() -> Self {
        UpdateTopics::default()
    }

    /// Sets the topic of each row of the fit, -1 for outliers; the numbers are arbitrary, and topics are numbered by size.
    #[must_use]
    pub fn topics(mut self, topics: &[i32]) -> Self {
        self.topics = Some(topics.to_vec());
        self
    }

    /// Counts terms by other settings. The texts are read again, which no other edit needs.
    #[must_use]
    pub fn vectorizer(mut self, vectorizer: CountVectorizer) -> Self {
        self.vectorizer = Some(vectorizer);
        self
    }

    /// Weights terms by other settings, as [`with_ctfidf`](FittedTopicModel::with_ctfidf).
    #[must_use]
    pub fn ctfidf(mut self, ctfidf: ClassTfIdf) -> Self {
        self.ctfidf = Some(ctfidf);
        self
    }

    /// Adds a representation, in place of those with the same name in the model, as
    /// [`TopicModel::representation`](crate::model::TopicModel::representation). A name that is repeated here builds a
    /// chain. The order of names, and of the columns of tables, stays; new names follow.
    #[must_use]
    pub fn representation(mut self, name: impl Into<String>, representation: impl Representation + 'static) -> Self {
        self.representations.push((name.into(), Arc::new(representation)));
        self
    }

    /// Sets the number of words per topic, 1 to 1,000.
    #[must_use]
    pub fn top_n_words(mut self, top_n_words: usize) -> Self {
        self.top_n_words = Some(top_n_words);
        self
    }

    /// The settings with these changes.
    fn applied(&self, settings: &TopicModel) -> TopicModel {
        let mut settings = settings.clone();
        settings.vectorizer = self.vectorizer.clone().unwrap_or(settings.vectorizer);
        settings.ctfidf = self.ctfidf.clone().unwrap_or(settings.ctfidf);
        settings.top_n_words = self.top_n_words.unwrap_or(settings.top_n_words);
        settings.representations = self.replaced(&settings.representations);
        settings
    }

    /// The representations, each with those that take its place where it was, and then the ones with other names.
    fn replaced(&self, before: &[(String, Arc<dyn Representation>)]) -> Vec<(String, Arc<dyn Representation>)> {
        let named = |wanted: &str| -> Vec<(String, Arc<dyn Representation>)> {
            self.representations.iter().filter(|(name, _)| name == wanted).cloned().collect()
        };
        let mut all: Vec<(String, Arc<dyn Representation>)> = Vec::new();
        for (name, representation) in before {
            let new = named(name);
            if new.is_empty() {
                all.push((name.clone(), Arc::clone(representation)));
            } else if !all.iter().any(|(other, _)| other == name) {
                all.extend(new);
            }
        }
        let is_new = |name: &str| !before.iter().any(|(other, _)| other == name);
        all.extend(self.representations.iter().filter(|(name, _)| is_new(name)).cloned());
        all
    }
}

impl FittedTopicModel {
    /// Returns a model whose topics are described anew: with terms counted or weighted by other settings, with other
    /// representations, or for topics of your own ([`UpdateTopics`], which has an example). Unlike in BERTopic, what is not
    /// named is not reset, and sizes, mean vectors and [`transform`](Self::transform) follow. Later edits keep the settings.
    ///
    /// With topics of your own, rows that stay with most of their topic keep their probability, and those that you moved
    /// have 1. A new row follows its topic to where most of its rows are; if you divided the topic, to the part with the
    /// nearest mean vector. If you moved outliers into topics, a new row that the clusterer leaves out is in the topic with
    /// the nearest mean vector, if the cosine is as large as for as many outliers. Of rows with equal vectors,
    /// [`transform`](Self::transform) finds the topic of the first. Rows without a vector stay outliers.
    ///
    /// An earlier choice of outliers ([`with_outliers`](Self::with_outliers), [`reduce_outliers`](Self::reduce_outliers))
    /// still applies to new rows, and can still be changed or taken back, for the rows that you left where they were. Those
    /// that you moved into or out of a topic are where you put them: to a later choice, your outliers are as good as the
    /// clusterer's.
    ///
    /// # Errors
    /// There are not as many topics as rows, or one is below -1; a parameter is out of range; the model is without its data,
    /// or for a vectorizer, without texts; a representation fails.
    pub fn update_topics(&self, update: &UpdateTopics) -> Result<FittedTopicModel> {
        let settings = update.applied(&self.settings);
        settings.check_descriptions()?;
        let data = self.data_with_vectors("update_topics")?;
        let assignment = match &update.topics {
            Some(topics) => self.assigned_by_hand(data, topics)?,
            None => (*self.topics.assignment).clone(),
        };
        let mut before = self.topics.clone();
        if update.vectorizer.is_some() {
            before = recounted(&settings, data, before)?;
        }
        if update.ctfidf.is_some() {
            settings.ctfidf.report_unknown_seed_words(&before.terms.vocabulary, &settings.progress);
        }
        let describe = |assignment: &_, terms: &_| settings.describe(data, assignment, terms);
        let vectors = &data.encoded.clustered;
        let topics = before.reassign("update_topics", assignment, vectors, &settings.ctfidf, describe)?;
        Ok(FittedTopicModel { settings: Arc::new(settings), ..self.regrouped(topics) })
    }

    /// The rows in these topics.
    fn assigned_by_hand(&self, data: &Data, topics: &[i32]) -> Result<Assignment> {
        let rows = self.topics.assignment.topics.len();
        if topics.len() != rows {
            let message = format!("got the topics of {} rows, but the model has {rows} rows", topics.len());
            return Err(Error::new(ErrorKind::InvalidParameter, Stage::Topics, message).with_hint(
                "Give a topic for each row of the fitted frame, in its order; labels() has the present ones.",
            ));
        }
        if let Some(row) = topics.iter().position(|&topic| topic < OUTLIER) {
            let message = format!("the topic {} is below -1, which stands for outliers", topics[row]);
            return Err(Error::new(ErrorKind::InvalidParameter, Stage::Topics, message)
                .with_row(row)
                .with_hint("Number topics from 0."));
        }
        let vectors = &data.encoded.clustered;
        let mut groups = vec![OUTLIER; rows];
        let placed = data.encoded.rows.iter().filter(|&&row| vectors.has(row));
        placed.for_each(|&row| groups[row] = topics[row]);
        let lost = groups.iter().zip(topics).filter(|(group, topic)| group != topic).count();
        if lost > 0 {
            let rows = counted(lost, "row has no vector and stays an outlier", "rows have no vector and stay outliers");
            self.settings.progress.note(Stage::Topics, rows);
        }
        let clusterer = &*self.pipeline.clusterer;
        let clustered =
            ClusteredRows { rows: &data.encoded.rows, vectors, clusterer, progress: &self.settings.progress };
        self.topics.assignment.by_hand("update_topics", &groups, &clustered)
    }
}

/// The terms of the same topics, counted anew.
fn recounted(settings: &TopicModel, data: &Data, topics: Topics) -> Result<Topics> {
    if data.texts.is_none() {
        let message = "terms cannot be counted by another vectorizer: the model has no texts";
        return Err(Error::new(ErrorKind::InvalidParameter, Stage::Vectorize, message)
            .with_hint("Fit with a text column or a captioner."));
    }
    let documents = settings.count_documents(data.texts.as_ref(), data.cleaning)?;
    let terms = settings.topic_terms(data, &topics.assignment, documents)?;
    Ok(Topics { terms: Arc::new(terms), ..topics })
}
