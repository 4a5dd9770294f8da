//! Counts of terms in topics: of occurrences, and of texts.

use crate::error::{Error, ErrorKind, Result, Stage};
use crate::linalg::sparse::CsrMatrix;

/// How often each term occurs in the texts of each topic, and in how many of them: what
/// [`ClassTfIdf`](super::ClassTfIdf) weights. A fitted model has them in
/// [`terms`](crate::model::FittedTopicModel::terms).
///
/// ```
/// use topicframe::linalg::sparse::CsrMatrix;
/// use topicframe::vectorize::TopicCounts;
///
/// // A topic of two texts, "cat cat" and "cat dog".
/// let words = CsrMatrix::new(2, vec![0, 2], vec![0, 1], vec![3, 1])?;
/// let texts = CsrMatrix::new(2, vec![0, 2], vec![0, 1], vec![2, 1])?;
/// assert!(TopicCounts::new(&words, &texts, &[2]).is_ok());
/// assert!(TopicCounts::new(&words, &texts, &[1]).is_err());             // "cat" in two texts of one
/// # Ok::<(), topicframe::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct TopicCounts<'a> {
    words: &'a CsrMatrix<u32>,
    texts: &'a CsrMatrix<u32>,
    sizes: &'a [usize],
}

impl<'a> TopicCounts<'a> {
    /// The number of occurrences of each term (column) in each topic (row), the number of the topic's texts that contain
    /// the term, and the number of texts of each topic.
    ///
    /// # Errors
    /// The matrices have entries in different places, there is not one size per topic, or more texts contain a term
    /// than the topic has.
    pub fn new(words: &'a CsrMatrix<u32>, texts: &'a CsrMatrix<u32>, sizes: &'a [usize]) -> Result<Self> {
        let agree =
            words.cols() == texts.cols() && words.indptr() == texts.indptr() && words.indices() == texts.indices();
        let message = if !agree {
            "the counts of words and of texts have entries in different places".to_owned()
        } else if sizes.len() != words.rows() {
            format!("got the sizes of {} topics for counts of {}", sizes.len(), words.rows())
        } else if let Some(topic) = (0..sizes.len()).find(|&topic| exceeds(texts.row(topic).1, sizes[topic])) {
            format!("more texts of the topic in row {topic} contain a term than it has")
        } else {
            return Ok(TopicCounts { words, texts, sizes });
        };
        Err(Error::new(ErrorKind::InvalidData, Stage::Vectorize, message))
    }

    /// Like [`new`](Self::new), for counts that agree by construction.
    pub(crate) fn of(words: &'a CsrMatrix<u32>, texts: &'a CsrMatrix<u32>, sizes: &'a [usize]) -> Self {
        TopicCounts { words, texts, sizes }
    }

    /// The number of occurrences.
    pub fn words(&self) -> &'a CsrMatrix<u32> {
        self.words
    }

    /// The number of texts.
    pub fn texts(&self) -> &'a CsrMatrix<u32> {
        self.texts
    }

    /// The number of texts of each topic.
    pub fn sizes(&self) -> &'a [usize] {
        self.sizes
    }

    /// For each term of `topic`, the number of texts that contain it; and the number of all texts of the topic.
    pub(super) fn coverage(&self, topic: usize) -> (&'a [u32], f64) {
        (self.texts.row(topic).1, self.sizes.get(topic).map_or(0.0, |&size| size as f64))
    }
}

fn exceeds(texts: &[u32], size: usize) -> bool {
    texts.iter().any(|&texts| texts as usize > size)
}

/// How often each term occurs in all topics, and in how many texts.
#[derive(Debug, Clone, Default)]
pub(crate) struct TermFrequencies {
    pub(crate) words: Vec<f64>,
    /// Empty if unknown.
    pub(crate) documents: Vec<f64>,
    /// The number of texts.
    pub(crate) all_documents: f64,
}

impl TermFrequencies {
    pub(crate) fn of(counts: &TopicCounts<'_>) -> Self {
        TermFrequencies {
            words: counts.words.column_sums(),
            documents: counts.texts.column_sums(),
            all_documents: counts.sizes.iter().sum::<usize>() as f64,
        }
    }

    pub(super) fn of_words(counts: &CsrMatrix<u32>) -> Self {
        TermFrequencies { words: counts.column_sums(), ..TermFrequencies::default() }
    }
}
