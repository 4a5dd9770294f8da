//! Topics and documents as frames, with BERTopic's columns.

use std::collections::{BTreeMap, HashSet};

use polars::prelude::*;

use super::{FittedTopicModel, replace_columns};
use crate::cluster::OUTLIER;
use crate::corpus::internal;
use crate::error::Result;
use crate::model::layout::Layout;
use crate::represent::{Aspect, Gallery, TopicWords};
use crate::topics::Assignment;

impl FittedTopicModel {
    /// One row per topic, ascending: `Topic` (Int32), `Count` (Int64), `Name`, `CustomName` if there are
    /// [custom labels](Self::custom_labels), `Representation` (List(String)), a
    /// column for each representation (words: List(String); images: Binary, a JPEG collage), `Representative_Docs`
    /// (List(String)).
    ///
    /// # Errors
    /// A collage cannot be encoded. If an original image can no longer be read, its thumbnail is used.
    pub fn get_topic_info(&self) -> Result<DataFrame> {
        self.topic_info(&self.topic_ids(), Pictures::Collage)
    }

    /// Like [`get_topic_info`](Self::get_topic_info), for one topic; no rows if the topic does not exist.
    ///
    /// # Errors
    /// As [`get_topic_info`](Self::get_topic_info).
    pub fn get_topic_info_of(&self, topic: i32) -> Result<DataFrame> {
        let ids: Vec<i32> = self.topic_ids().into_iter().filter(|&id| id == topic).collect();
        self.topic_info(&ids, Pictures::Collage)
    }

    /// Like [`get_topic_info`](Self::get_topic_info), with the paths of the images (List(String)) instead of a collage,
    /// for text-only file formats.
    ///
    /// # Errors
    /// None in practice; see [`get_topic_info`](Self::get_topic_info).
    pub fn get_topic_info_with_paths(&self) -> Result<DataFrame> {
        self.topic_info_with_paths(&self.topic_ids())
    }

    /// [`get_topic_info_with_paths`](Self::get_topic_info_with_paths) of the topics `ids`, ascending; -1 need not be one
    /// of the model's.
    pub(super) fn topic_info_with_paths(&self, ids: &[i32]) -> Result<DataFrame> {
        self.topic_info(ids, Pictures::Paths)
    }

    fn topic_info(&self, ids: &[i32], pictures: Pictures) -> Result<DataFrame> {
        let described = &*self.topics.description;
        let counts: Vec<i64> = ids.iter().map(|&id| self.topic_size(id).unwrap_or(0) as i64).collect();
        // As of a topic without words.
        let names: Vec<String> = ids.iter().map(|&id| self.topic_name(id).unwrap_or_else(|| id.to_string())).collect();
        let docs = ids.iter().map(|&id| self.get_representative_docs(id).unwrap_or_default());
        let mut columns = vec![
            Column::new("Topic".into(), ids),
            Column::new("Count".into(), counts),
            Column::new("Name".into(), names),
            words_column("Representation", &described.words, ids),
        ];
        if let Some(labels) = self.label_column(ids) {
            columns.insert(3, labels);
        }
        for (name, aspect) in described.order.iter().filter_map(|name| Some((name, described.aspects.get(name)?))) {
            columns.push(match (aspect, pictures) {
                (Aspect::Words(words), _) => words_column(name, words, ids),
                (Aspect::Images(gallery), Pictures::Collage) => collage_column(name, gallery, ids)?,
                (Aspect::Images(gallery), Pictures::Paths) => paths_column(name, gallery, ids),
            });
        }
        columns.push(list_column("Representative_Docs", docs));
        DataFrame::new(ids.len(), columns).map_err(internal)
    }

    /// `Topic` and `Count` of every topic, largest first.
    ///
    /// # Errors
    /// None in practice: the frame is built from the model's own values.
    pub fn get_topic_freq(&self) -> Result<DataFrame> {
        let mut sizes: Vec<(i32, i64)> =
            self.topics.assignment.sizes.iter().map(|(&id, &size)| (id, size as i64)).collect();
        sizes.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        let (ids, counts): (Vec<i32>, Vec<i64>) = sizes.into_iter().unzip();
        DataFrame::new(ids.len(), vec![Column::new("Topic".into(), ids), Column::new("Count".into(), counts)])
            .map_err(internal)
    }

    /// The fitted frame with `Document` (the text, or the caption of the image if there is one), `Topic`, `Name`,
    /// `CustomName` if [labels](Self::set_topic_labels) are set, `Representation`, a column for each representation (images: their paths,
    /// List(String)), `Representative_Docs`, `Top_n_words` (the words as a single string), `Probability` and
    /// `Representative_document` (whether the row is one of its topic's representative documents) for each row; once the
    /// model has a [layout](Self::layout_2d), also `x` and `y` (Float32), unless the frame has columns of these names.
    /// [`get_document_info_of`](Self::get_document_info_of) is for new rows.
    ///
    /// # Errors
    /// None in practice: the columns are the frame's own and the model's.
    pub fn get_document_info(&self) -> Result<DataFrame> {
        let data = self.data("get_document_info")?;
        let Assignment { topics, probabilities, .. } = &*self.topics.assignment;
        let represents = self.topics.description.representatives.values().flatten();
        let chosen: HashSet<usize> = represents.map(|&(row, _)| row).collect();
        let raw_text = |row: usize| data.texts.as_ref()?.raw(row);
        let texts: Vec<Option<&str>> = (0..topics.len()).map(raw_text).collect();
        let of_topics = self.columns_of_topics(topics)?;
        let represents: Vec<bool> = (0..topics.len()).map(|row| chosen.contains(&row)).collect();
        let mut columns = vec![Column::new("Document".into(), texts), Column::new("Topic".into(), topics)];
        columns.extend(of_topics.columns().iter().cloned());
        columns.push(Column::new("Probability".into(), probabilities));
        columns.push(Column::new("Representative_document".into(), represents));
        let is_taken = |column: &Column| data.frame.column(column.name()).is_ok();
        let layout = self.layout.get().map(Layout::columns).filter(|columns| !columns.iter().any(is_taken));
        columns.extend(layout.into_iter().flatten());
        replace_columns(&data.frame, columns)
    }

    /// Like [`get_document_info`](Self::get_document_info), with two more columns: `Runner_up` (Int32, the topic with the
    /// second largest membership strength; null if there is none) and `Runner_up_probability` (Float64, that strength, 0
    /// to 1; 0 if there is none). Both are null if the clusterer does not tell
    /// ([`Communities`](crate::cluster::Communities) does). If an edit merges the runner-up into the row's own topic,
    /// there is none, since what comes after it is not known. The runner-up of a row that was
    /// [set aside](Self::with_outliers) is the topic that it was taken from.
    ///
    /// # Errors
    /// None in practice: the columns are the frame's own and the model's.
    pub fn get_document_info_with_runners_up(&self) -> Result<DataFrame> {
        let frame = self.get_document_info()?;
        let (topics, strengths): (Vec<Option<i32>>, Vec<Option<f64>>) = match &self.topics.assignment.runners_up {
            None => (vec![None; frame.height()], vec![None; frame.height()]),
            Some(runners_up) => {
                let known = |&(topic, strength): &(i32, f64)| ((topic != OUTLIER).then_some(topic), Some(strength));
                runners_up.iter().map(known).unzip()
            }
        };
        let columns =
            vec![Column::new("Runner_up".into(), topics), Column::new("Runner_up_probability".into(), strengths)];
        replace_columns(&frame, columns)
    }

    /// `CustomName` of the topics `ids`, if any topic has a label.
    fn label_column(&self, ids: &[i32]) -> Option<Column> {
        let kept = |id: i32| self.topics.labels.get(&id).cloned().unwrap_or_else(|| id.to_string());
        let labels: Vec<String> = ids.iter().map(|&id| self.topic_label(id).unwrap_or_else(|| kept(id))).collect();
        (!self.custom_labels().is_empty()).then(|| Column::new("CustomName".into(), labels))
    }

    /// What became of which topic: one row for each edit since the fit and each topic that it took rows from and put rows
    /// in, in that order. `Step` (Int32, from 1), `Edit` (String, the method), `From` and `To` (Int32, the topic before and
    /// after, -1 for outliers), `Rows` (Int64). No rows if there were no edits.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let posts = df!("text" => ["the cat sleeps", "the dog sleeps", "a fast train"].repeat(10))?;
    /// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(3));
    /// let lineage = model.fit(&posts)?.merge_topics(&[&[0, 1]])?.lineage()?;
    /// assert_eq!(lineage.column("From")?.i32()?.to_vec(), [Some(0), Some(1), Some(2)]);
    /// assert_eq!(lineage.column("To")?.i32()?.to_vec(), [Some(0), Some(0), Some(1)]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// None in practice: the frame is built from the model's own values.
    pub fn lineage(&self) -> Result<DataFrame> {
        let (mut steps, mut edits, mut from, mut to, mut rows) = (vec![], vec![], vec![], vec![], vec![]);
        for (step, edit) in (1_i32..).zip(self.topics.history.iter()) {
            for (&before, parts) in &edit.destinations {
                for (&after, &count) in parts {
                    steps.push(step);
                    edits.push(edit.edit.as_str());
                    from.push(before);
                    to.push(after);
                    rows.push(count as i64);
                }
            }
        }
        let columns = vec![
            Column::new("Step".into(), &steps),
            Column::new("Edit".into(), edits),
            Column::new("From".into(), from),
            Column::new("To".into(), to),
            Column::new("Rows".into(), rows),
        ];
        DataFrame::new(steps.len(), columns).map_err(internal)
    }
}

/// How images are represented in a table.
#[derive(Clone, Copy)]
enum Pictures {
    Collage,
    Paths,
}

fn words_column(name: &str, words: &TopicWords, ids: &[i32]) -> Column {
    let of = |id: &i32| words.get(id).map(Vec::as_slice).unwrap_or_default();
    list_column(name, ids.iter().map(|id| of(id).iter().map(|(word, _)| word.clone()).collect()))
}

fn paths_column(name: &str, gallery: &Gallery, ids: &[i32]) -> Column {
    let shown = |row: usize, path: &Option<String>| path.clone().unwrap_or_else(|| format!("row {row}"));
    let of = |id: i32| gallery.pictures(id).iter().map(|picture| shown(picture.row, &picture.path)).collect();
    list_column(name, ids.iter().map(|&id| of(id)))
}

fn collage_column(name: &str, gallery: &Gallery, ids: &[i32]) -> Result<Column> {
    // A single topic is rendered alone; all topics are rendered in parallel.
    let collages: BTreeMap<i32, Vec<u8>> = match ids {
        [id] => gallery.collage(*id)?.map(|collage| (*id, collage)).into_iter().collect(),
        _ => gallery.collages()?,
    };
    let cells: BinaryChunked = ids.iter().map(|id| collages.get(id).map(Vec::as_slice)).collect();
    Ok(cells.with_name(name.into()).into_column())
}

fn list_column(name: &str, rows: impl Iterator<Item = Vec<String>>) -> Column {
    let rows: Vec<Vec<String>> = rows.collect();
    let total = rows.iter().map(Vec::len).sum();
    let mut list = ListStringChunkedBuilder::new(name.into(), rows.len(), total);
    for row in &rows {
        list.append_values_iter(row.iter().map(String::as_str));
    }
    list.finish().into_column()
}
