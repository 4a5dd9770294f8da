//! The labels of topics.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{FittedTopicModel, no_topic};
use crate::cluster::OUTLIER;
use crate::error::{Error, ErrorKind, Hint, Result, Stage, quoted};
use crate::represent::{Aspect, TopicWords};
use crate::topics::{TopicLabels, Topics, of_minorities};

/// The number of words in a name.
const NAME_WORDS: usize = 4;
/// The length of a label in a note, and how many of them are told.
const LONGEST_LABEL: usize = 40;
const LABELS_TOLD: usize = 5;

impl FittedTopicModel {
    /// What a topic is called in tables, reports and exports: the label that was [set](Self::set_topic_labels), or if there
    /// is none, its [name](Self::topic_name). `None` for an unknown topic.
    pub fn topic_label(&self, topic: i32) -> Option<String> {
        self.topic_size(topic)?;
        self.topics.labels.get(&topic).cloned().or_else(|| self.topic_name(topic))
    }

    /// The name of a topic: its id and its top four words, such as `0_cat_dog_animal_pet`; only the id if it has no
    /// words (the column `Name` of BERTopic's tables). `None` for an unknown topic.
    pub fn topic_name(&self, topic: i32) -> Option<String> {
        let words = self.topics.description.words.get(&topic)?;
        Some(TopicLabels::new().nr_words(NAME_WORDS).label(topic, words))
    }

    /// The labels that were [set](Self::set_topic_labels), by topic id. A model of [BERTopic](Self::load_bertopic) has
    /// those that were set there, or the names of zero-shot topics.
    pub fn custom_labels(&self) -> BTreeMap<i32, String> {
        let known = |(topic, label): (&i32, &String)| self.topic_size(*topic).map(|_| (*topic, label.clone()));
        self.topics.labels.iter().filter_map(known).collect()
    }

    /// Labels from the words of every topic, -1 included: by default `0_cat_dog_pet`. They are only returned;
    /// [`set_topic_labels`](Self::set_topic_labels) sets them. [`TopicLabels`] has an example.
    ///
    /// # Errors
    /// There is no representation with the name of the aspect, or it has images; a number is 0.
    pub fn generate_topic_labels(&self, format: &TopicLabels) -> Result<BTreeMap<i32, String>> {
        let refused = |name: &str| Err(Error::invalid_parameter(Stage::Topics, name, 0, "at least 1"));
        match format {
            TopicLabels { nr_words: 0, .. } => return refused("nr_words"),
            TopicLabels { word_length: Some(0), .. } => return refused("word_length"),
            _ => {}
        }
        let of_aspect = format.aspect.as_deref().map(|aspect| self.words_of_aspect(aspect)).transpose()?;
        let words = of_aspect.as_ref().unwrap_or(&self.topics.description.words);
        let label = |id: i32| (id, format.label(id, words.get(&id).map(Vec::as_slice).unwrap_or_default()));
        Ok(self.topic_ids().into_iter().map(label).collect())
    }

    /// Returns a model in which topics have these labels: any pairs of id and label, such as an array or the map from
    /// [`generate_topic_labels`](Self::generate_topic_labels). Other topics keep theirs. An empty label removes one.
    ///
    /// Labels are shown wherever topics have names: tables, the report, exports, and BERTopic's column `CustomName`. They
    /// follow their topic through edits: a merged topic has the label of its largest part if that has one, the largest part
    /// of a divided topic keeps the label, and a topic that disappears takes its label with it. If fewer than half of the
    /// rows of merged topics are from the one with the label, a note says so; [`lineage`](Self::lineage) has the numbers.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let posts = df!("text" => ["the cat sleeps", "the dog sleeps", "a fast train", "a fast train"].repeat(10))?;
    /// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(3));
    /// let topics = model.fit(&posts)?.set_topic_labels([(0, "Trains"), (2, "Dogs")])?;
    /// assert_eq!(topics.topic_label(0).as_deref(), Some("Trains"));
    /// assert_eq!(topics.topic_label(1), topics.topic_name(1));
    ///
    /// let merged = topics.merge_topics(&[&[0, 1]])?;
    /// assert_eq!(merged.custom_labels(), [(0, "Trains".to_owned()), (1, "Dogs".to_owned())].into());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A topic does not exist.
    pub fn set_topic_labels<L: Into<String>>(
        &self,
        labels: impl IntoIterator<Item = (i32, L)>,
    ) -> Result<FittedTopicModel> {
        let mut all = (*self.topics.labels).clone();
        for (topic, label) in labels {
            self.check_labeled(topic)?;
            let label = label.into();
            match label.trim().is_empty() {
                true => all.remove(&topic),
                false => all.insert(topic, label),
            };
        }
        let topics = Topics { labels: Arc::new(all), ..self.topics.recorded("set_topic_labels") };
        Ok(self.regrouped(topics))
    }

    /// Returns a model in which each topic has as its label what the representation `aspect` calls it: the first four words,
    /// joined by `_`, or a single one as it is, such as what a language model returned. The outlier topic, and topics for
    /// which there are no words, keep their label.
    ///
    /// # Errors
    /// There is no representation with this name, or it has images.
    pub fn set_topic_labels_from(&self, aspect: &str) -> Result<FittedTopicModel> {
        let words = self.words_of_aspect(aspect)?;
        let format = TopicLabels::new().nr_words(NAME_WORDS).topic_prefix(false);
        let named = words.iter().filter(|(topic, words)| **topic != OUTLIER && !words.is_empty());
        let labels = named.map(|(&topic, words)| (topic, format.label(topic, words)));
        self.set_topic_labels(labels.filter(|(_, label)| !label.trim().is_empty()).collect::<Vec<_>>())
    }

    fn words_of_aspect(&self, aspect: &str) -> Result<TopicWords> {
        match self.topic_aspect(aspect)? {
            Aspect::Words(words) => Ok(words),
            Aspect::Images(_) => {
                let message = format!("the representation `{aspect}` has images, not words");
                Err(Error::new(ErrorKind::InvalidParameter, Stage::Topics, message)
                    .with_hint("Make labels from a representation of words, or from the topics' main words."))
            }
        }
    }

    /// Says which labels an edit, the last one of `after`, leaves to topics whose rows mostly did not have them.
    pub(super) fn note_labels_of_minorities(&self, after: &Topics) {
        let Some(edit) = after.history.last() else { return };
        let minorities = of_minorities(&self.topics.labels, edit);
        let told = |&(topic, rows, of): &(i32, usize, usize)| {
            let label = quoted(after.labels.get(&topic).map_or("", String::as_str), LONGEST_LABEL);
            format!("topic {topic} keeps the label `{label}` that {rows} of its {of} rows had")
        };
        let mut all: Vec<String> = minorities.iter().take(LABELS_TOLD).map(told).collect();
        if minorities.len() > LABELS_TOLD {
            all.push(format!("so do {} more", minorities.len() - LABELS_TOLD));
        }
        if !all.is_empty() {
            let hint = Hint::new("set_topic_labels() sets others.").on_command_line("--label sets others.");
            self.settings.progress.note_with_hint(Stage::Topics, all.join(", "), hint);
        }
    }

    fn check_labeled(&self, topic: i32) -> Result<()> {
        match self.topic_size(topic) {
            Some(_) => Ok(()),
            None => Err(no_topic(topic, Some("label"))),
        }
    }
}
