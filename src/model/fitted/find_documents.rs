//! Searching for documents.

use polars::prelude::*;
use rayon::prelude::*;

use super::{FittedTopicModel, no_topic, replace_columns};
use crate::cluster::OUTLIER;
use crate::corpus::internal;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::linalg::vectors::{cosine, dot, norm};
use crate::vision::ImageSource;

/// Rows that one thread compares at a time.
const ROWS_AT_A_TIME: usize = 256;

/// Which documents to find, for [`FittedTopicModel::find_documents`]; a number is the number of documents.
///
/// ```
/// use topicframe::prelude::*;
///
/// let posts = df!("text" => ["the cat sleeps", "a fast train"].repeat(10), "year" => (2000..2020).collect::<Vec<i32>>())?;
/// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
/// let topics = model.fit(&posts)?;
///
/// let recent: Vec<bool> = posts.column("year")?.i32()?.into_no_null_iter().map(|year| year >= 2010).collect();
/// let recent = Series::new("recent".into(), recent);
/// let found = topics.find_documents("a cat", DocumentSearch::new(3).filter(recent.bool()?))?;
/// assert_eq!(found.get_column_names(), ["text", "year", "Row", "Topic", "Score"]);
/// assert_eq!(found.column("Row")?.u32()?.to_vec(), [Some(10), Some(12), Some(14)]);
/// assert_eq!(topics.find_documents("a cat", 5)?.height(), 5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct DocumentSearch {
    top_n: usize,
    topic: Option<i32>,
    mask: Option<BooleanChunked>,
}

impl DocumentSearch {
    /// The `top_n` best documents, at least 1, of all topics and outliers.
    pub fn new(top_n: usize) -> Self {
        DocumentSearch { top_n, topic: None, mask: None }
    }

    /// Only documents of this topic, or -1 for outliers. Default: of all.
    #[must_use]
    pub fn topic(mut self, topic: i32) -> Self {
        self.topic = Some(topic);
        self
    }

    /// Only rows of the fitted frame for which `mask` is true; null is false. Default: all. A mask comes from a column, as
    /// in Polars: `frame.column("year")?.i32()?.gt(2010)`.
    #[must_use]
    pub fn filter(mut self, mask: &BooleanChunked) -> Self {
        self.mask = Some(mask.clone());
        self
    }
}

impl From<usize> for DocumentSearch {
    fn from(top_n: usize) -> Self {
        DocumentSearch::new(top_n)
    }
}

impl FittedTopicModel {
    /// The documents of the fit whose vectors are nearest to that of `query`, a word or any text, for example the best
    /// five: `topics.find_documents("a boat on the sea", 5)`. [`DocumentSearch`] restricts the search to a topic or to
    /// some rows.
    ///
    /// Returns the rows of the fitted frame with `Row` (UInt32, their number), `Topic` (Int32) and `Score` (Float64, the
    /// cosine similarity to the query, -1 to 1), best first, ties by row. Rows without a vector are not found. Of a model that was
    /// saved without its documents, only these columns are known. A model of
    /// images is searched by text if its embedder also embeds text.
    ///
    /// # Errors
    /// The number of documents is 0; the topic does not exist; the mask has another number of rows; the model is without
    /// the rows of the fit or their vectors; otherwise as [`find_topics`](Self::find_topics).
    pub fn find_documents(&self, query: &str, search: impl Into<DocumentSearch>) -> Result<DataFrame> {
        let search = search.into();
        self.check_search(&search)?;
        self.nearest_documents(&self.pipeline.encoder.encode_text(query, &self.settings.progress)?, &search)
    }

    /// Like [`find_documents`](Self::find_documents), for an image: a path, or the bytes of an encoded image.
    ///
    /// # Errors
    /// As [`find_documents`](Self::find_documents) and [`find_topics_by_image`](Self::find_topics_by_image).
    pub fn find_documents_by_image<'a>(
        &self,
        image: impl Into<ImageSource<'a>>,
        search: impl Into<DocumentSearch>,
    ) -> Result<DataFrame> {
        let search = search.into();
        self.check_search(&search)?;
        self.nearest_documents(&self.pipeline.encoder.encode_image(image.into(), &self.settings.progress)?, &search)
    }

    /// Before the query is embedded, which can be slow.
    fn check_search(&self, search: &DocumentSearch) -> Result<()> {
        if search.top_n == 0 {
            return Err(Error::invalid_parameter(Stage::Topics, "top_n", 0, "at least 1"));
        }
        let rows = self.data_with_vectors("find_documents")?.documents.rows;
        if let Some(topic) = search.topic.filter(|&topic| topic != OUTLIER && self.topic_size(topic).is_none()) {
            return Err(no_topic(topic, None));
        }
        match search.mask.as_ref().map(BooleanChunked::len).filter(|&len| len != rows) {
            None => Ok(()),
            Some(len) => {
                let message = format!("the mask has {len} rows, but the fitted frame has {rows}");
                Err(Error::new(ErrorKind::InvalidParameter, Stage::Topics, message)
                    .with_hint("Compute the mask from columns of the frame that the model was fitted to."))
            }
        }
    }

    fn nearest_documents(&self, query: &[f32], search: &DocumentSearch) -> Result<DataFrame> {
        let data = self.data_with_vectors("find_documents")?;
        let topics = &self.topics.assignment.topics;
        let allowed: Option<Vec<bool>> =
            search.mask.as_ref().map(|mask| mask.iter().map(|value| value == Some(true)).collect());
        let is_wanted = |row: usize| {
            search.topic.is_none_or(|topic| topics.get(row) == Some(&topic))
                && allowed.as_ref().is_none_or(|allowed| allowed.get(row) == Some(&true))
        };
        let length = norm(query.iter().copied());
        let score = |row: &usize| {
            let vector = data.encoded.clustered.get(*row).filter(|_| is_wanted(*row))?;
            Some((*row, cosine(dot(query, vector), length, norm(vector.iter().copied()))))
        };
        let mut found: Vec<(usize, f64)> =
            data.encoded.rows.par_iter().with_min_len(ROWS_AT_A_TIME).filter_map(score).collect();
        found.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        found.truncate(search.top_n);
        let rows: IdxCa = found.iter().map(|&(row, _)| Some(row as IdxSize)).collect();
        let columns = vec![
            Column::new("Row".into(), found.iter().map(|&(row, _)| row as u32).collect::<Vec<u32>>()),
            Column::new(
                "Topic".into(),
                self.topics_of(&found.iter().map(|&(row, _)| row).collect::<Vec<_>>()).collect::<Vec<i32>>(),
            ),
            Column::new("Score".into(), found.iter().map(|&(_, score)| score).collect::<Vec<f64>>()),
        ];
        match data.has_documents {
            true => replace_columns(&data.frame.take(&rows).map_err(internal)?, columns),
            false => DataFrame::new(found.len(), columns).map_err(internal),
        }
    }
}
