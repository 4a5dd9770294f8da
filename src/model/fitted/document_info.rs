//! The table of documents, for new rows, and what it says about their topics.

use std::collections::HashSet;

use polars::prelude::*;

use super::{FittedTopicModel, replace_columns};
use crate::cluster::OUTLIER;
use crate::corpus::{TextColumn, internal};
use crate::error::Result;

impl FittedTopicModel {
    /// [`get_document_info`](Self::get_document_info) of new rows: `frame` with the same columns, with the topics and
    /// probabilities of [`transform`](Self::transform). `Document` is the text, null for a row or a model without one;
    /// `Representative_document` says whether it is one of the topic's representative documents. A model without its
    /// documents knows none of these. An outlier has the name, words and documents of the model's outliers; if it has none,
    /// the name `-1`, or the label that -1 was given, and empty lists.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let posts = df!("text" => ["the cat sleeps", "a fast train"].repeat(10))?;
    /// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
    /// let topics = model.fit(&posts)?;
    /// let info = topics.get_document_info_of(&df!("id" => [7], "text" => ["the dog sleeps"])?)?;
    /// assert_eq!(info.get_column_names()[..5], ["id", "text", "Document", "Topic", "Name"]);
    /// assert_eq!(info.column("Topic")?.i32()?.get(0), Some(topics.labels()[0]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`transform`](Self::transform).
    pub fn get_document_info_of(&self, frame: &DataFrame) -> Result<DataFrame> {
        let placed = self.transform(frame)?;
        let topics: Vec<i32> = placed
            .column("Topic")
            .and_then(|column| column.i32())
            .map_err(internal)?
            .iter()
            .map(|topic| topic.unwrap_or(OUTLIER))
            .collect();
        let column = self.pipeline.encoder.encoder.columns.text.as_deref();
        let texts = column.and_then(|name| TextColumn::read(frame, name).ok());
        let text = |row: usize| texts.as_ref()?.raw(row);
        let texts: Vec<Option<&str>> = (0..topics.len()).map(text).collect();
        let docs = |topic: i32| self.get_representative_docs(topic).into_iter().flatten().map(move |doc| (topic, doc));
        let representative: HashSet<(i32, String)> = self.topic_ids().into_iter().flat_map(docs).collect();
        let represents = |(&topic, text): (&i32, &Option<&str>)| {
            text.is_some_and(|text| representative.contains(&(topic, text.to_owned())))
        };
        let represents: Vec<bool> = topics.iter().zip(&texts).map(represents).collect();
        let mut columns = vec![Column::new("Document".into(), texts), Column::new("Topic".into(), &topics)];
        columns.extend(self.columns_of_topics(&topics)?.columns().iter().cloned());
        columns.push(placed.column("Probability").map_err(internal)?.clone());
        columns.push(Column::new("Representative_document".into(), represents));
        replace_columns(frame, columns)
    }

    /// The columns that describe the topic of each row, as in [`get_topic_info`](Self::get_topic_info), and
    /// `Top_n_words`. They are built once per topic and gathered, so that rows share the memory of the texts. -1 need not be
    /// a topic of the model.
    pub(super) fn columns_of_topics(&self, topics: &[i32]) -> Result<DataFrame> {
        let mut ids = self.topic_ids();
        if topics.contains(&OUTLIER) && ids.first() != Some(&OUTLIER) {
            ids.insert(0, OUTLIER);
        }
        let joined = |id: &i32| {
            let words = self.get_topic(*id).unwrap_or_default();
            words.iter().map(|(word, _)| word.as_str()).collect::<Vec<_>>().join(" - ")
        };
        let info = self.topic_info_with_paths(&ids)?.drop_many(["Topic", "Count"]);
        let words = Column::new("Top_n_words".into(), ids.iter().map(joined).collect::<Vec<_>>());
        let of_topics = replace_columns(&info, vec![words])?;
        let place = |topic: &i32| ids.binary_search(topic).ok().map(|place| place as IdxSize);
        of_topics.take(&topics.iter().map(place).collect()).map_err(internal)
    }
}
