//! The names of topics in a table of documents.

use std::collections::BTreeMap;

use topicframe::FittedTopicModel;
use topicframe::error::{Error, ErrorKind, Result, Stage};
use topicframe::polars::prelude::{Column, DataFrame, IntoColumn, PolarsError, StringChunked};
use topicframe::progress::Progress;

/// What the topics are called, by number: `Name`, and `CustomName` if any topic has a label, as in the table of topics.
pub struct Names(Vec<(&'static str, BTreeMap<i32, String>)>);

impl Names {
    pub fn of(topics: &FittedTopicModel) -> Self {
        let ids = topics.topic_ids();
        let by_id = |name: &dyn Fn(i32) -> Option<String>| -> BTreeMap<i32, String> {
            ids.iter().filter_map(|&id| Some((id, name(id)?))).collect()
        };
        let mut columns = vec![("Name", by_id(&|id| topics.topic_name(id)))];
        if !topics.custom_labels().is_empty() {
            columns.push(("CustomName", by_id(&|id| topics.topic_label(id))));
        }
        Names(columns)
    }

    /// `documents` with the names of their topics as the last columns, in place of columns with the same name. Calls
    /// `visit` with the topic of each row.
    pub fn add(&self, documents: &DataFrame, mut visit: impl FnMut(i32)) -> Result<DataFrame> {
        let topics = documents.column("Topic").and_then(|topics| topics.i32().cloned()).map_err(unexpected)?;
        topics.iter().flatten().for_each(&mut visit);
        let named = self.0.iter().map(|(name, of_topics)| {
            let cells: StringChunked = topics.iter().map(|topic| of_topics.get(&topic?).map(String::as_str)).collect();
            cells.into_column().with_name((*name).into())
        });
        let kept = documents.columns().iter().filter(|column| !self.replaces(column)).cloned();
        DataFrame::new(documents.height(), kept.chain(named).collect()).map_err(unexpected)
    }

    /// Notes which columns of `documents` are replaced.
    pub fn note_replaced(&self, documents: &DataFrame, progress: &Progress) {
        for column in documents.columns().iter().filter(|column| self.replaces(column)) {
            let message = format!("the column `{}` of the input is replaced by the names of the topics", column.name());
            progress.note(Stage::Output, message);
        }
    }

    fn replaces(&self, column: &Column) -> bool {
        self.0.iter().any(|(name, _)| column.name().as_str() == *name)
    }
}

fn unexpected(cause: PolarsError) -> Error {
    Error::new(ErrorKind::Internal, Stage::Topics, "the topics of the rows cannot be read").with_cause(cause)
}
