//! Weighting the term counts of topics with class-based TF-IDF.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::forms::in_one_form;
use super::term_counts::{TermFrequencies, TopicCounts};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::linalg::sparse::{CsrMatrix, Value, check_classes};
use crate::progress::Progress;

/// Class-based TF-IDF (Grootendorst, "BERTopic", 2022), as computed by BERTopic: a term has a high weight in a topic if
/// it is frequent in the texts of the topic and rare in those of other topics.
///
/// With f(x, c) the count of term x in topic c, F(x) its count in all topics, and A the mean number of words per topic,
/// truncated to an integer (at least 1): tf = f(x, c) / Σₓ f(x, c), idf = ln(1 + A / F(x)), and the weight is tf · idf.
///
/// This is BERTopic's formula; [`coverage`](Self::coverage), which a
/// [`TopicModel`](crate::model::TopicModel) uses by default, also asks how many texts of the topic contain the term.
///
/// ```
/// use topicframe::linalg::sparse::CsrMatrix;
/// use topicframe::vectorize::{ClassTfIdf, top_terms};
///
/// // Two topics: both contain "drawing", each has a term of its own.
/// let vocabulary = ["apple", "drawing", "train"].map(str::to_owned);
/// let counts = CsrMatrix::new(3, vec![0, 2, 4], vec![0, 1, 1, 2], vec![2, 2, 2, 2])?;
/// let weights = ClassTfIdf::new().fit(&counts, &vocabulary)?.transform(&counts)?;
/// let best: Vec<usize> = top_terms(&weights, 0, 2).into_iter().map(|(term, _)| term).collect();
/// assert_eq!(best, [0, 1]);                                         // apple, then drawing
/// # Ok::<(), topicframe::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassTfIdf {
    // Models fitted before this setting was introduced did without.
    #[serde(default)]
    coverage: bool,
    bm25_weighting: bool,
    reduce_frequent_words: bool,
    seed_words: Vec<String>,
    seed_multiplier: f64,
}

impl Default for ClassTfIdf {
    fn default() -> Self {
        ClassTfIdf::new()
    }
}

impl ClassTfIdf {
    /// Plain class-based TF-IDF, BERTopic's formula.
    pub fn new() -> Self {
        ClassTfIdf {
            coverage: false,
            bm25_weighting: false,
            reduce_frequent_words: false,
            seed_words: Vec::new(),
            seed_multiplier: 2.0,
        }
    }

    /// Whether to weight a term by the share of the topic's texts that contain it as well as by its share of their
    /// words, so that a word which a few texts repeat does not stand for the topic. Default: false; a
    /// [`TopicModel`](crate::model::TopicModel) sets it.
    ///
    /// With n(c) the number of texts of topic c, d(x, c) the number of those that contain term x, N and D(x) the sums of
    /// both over all topics: the weight is √(tf · d(x, c) / n(c)) · idf^1.5, with idf = ln(1 + N / D(x)). This idf does
    /// not depend on how the texts are divided into topics, so that merging two topics changes no weight in the others.
    /// With a power of 1, topics share more of their words. (20 Newsgroups, ten words, 7, 16, 46 and 136 topics: NPMI
    /// .171, .177, .215 and .156 instead of BERTopic's .143, .156, .199 and .140; and of the words, 1.00, .98, .90 and
    /// .79 are distinct instead of .91, .88, .86 and .77. With a power of 1: .97, .92, .83 and .68.)
    ///
    /// [`bm25_weighting`](Self::bm25_weighting) changes idf to ln(1 + (N - D + 0.5) / (D + 0.5)), which here is never
    /// negative; [`reduce_frequent_words`](Self::reduce_frequent_words) takes the square root of tf, under the root
    /// above; and [`seed_words`](Self::seed_words) multiplies idf^1.5. Needs the counts of texts:
    /// [`fit_topics`](Self::fit_topics).
    #[must_use]
    pub fn coverage(mut self, coverage: bool) -> Self {
        self.coverage = coverage;
        self
    }

    /// Whether to use idf = ln(1 + (A - F + 0.5) / (F + 0.5)), which penalizes terms that are common to all topics more
    /// strongly. It is negative for a term that occurs more often than the mean number of words per topic; such terms
    /// are excluded from the words of all topics. Default: false. See [`coverage`](Self::coverage) for both together.
    #[must_use]
    pub fn bm25_weighting(mut self, bm25_weighting: bool) -> Self {
        self.bm25_weighting = bm25_weighting;
        self
    }

    /// Whether to use the square root of tf instead of tf, which reduces the weight of very frequent words. Default:
    /// false.
    #[must_use]
    pub fn reduce_frequent_words(mut self, reduce_frequent_words: bool) -> Self {
        self.reduce_frequent_words = reduce_frequent_words;
        self
    }

    /// Domain-specific words, the idf of which is multiplied by `multiplier` (greater than 0; BERTopic's default is
    /// 2.0). A word that is not in the vocabulary is looked up in lower case. Default: no words.
    #[must_use]
    pub fn seed_words<W: Into<String>>(mut self, words: impl IntoIterator<Item = W>, multiplier: f64) -> Self {
        self.seed_words = words.into_iter().map(Into::into).collect();
        self.seed_multiplier = multiplier;
        self
    }

    /// Whether [`coverage`](Self::coverage) is set.
    pub(crate) fn has_coverage(&self) -> bool {
        self.coverage
    }

    /// Whether [`bm25_weighting`](Self::bm25_weighting) is set.
    pub(crate) fn has_bm25_weighting(&self) -> bool {
        self.bm25_weighting
    }

    /// Whether [`reduce_frequent_words`](Self::reduce_frequent_words) is set.
    pub(crate) fn has_reduced_words(&self) -> bool {
        self.reduce_frequent_words
    }

    /// The power of a term's frequency in a single text: 1, or less if frequent words are reduced.
    pub(crate) fn power(&self) -> f64 {
        let half = |is_set: bool| if is_set { 0.5 } else { 1.0 };
        half(self.coverage) * half(self.reduce_frequent_words)
    }

    /// Checks every parameter.
    ///
    /// # Errors
    /// The seed word multiplier is not a number greater than 0.
    pub fn check(&self) -> Result<()> {
        if self.seed_multiplier.is_finite() && self.seed_multiplier > 0.0 {
            return Ok(());
        }
        Err(Error::invalid_parameter(
            Stage::Vectorize,
            "seed_words multiplier",
            self.seed_multiplier,
            "a number greater than 0",
        ))
    }

    /// Computes the term weights from `counts`, with one row per topic and one column per term of `vocabulary` (in
    /// ascending order).
    ///
    /// A term that occurs in no topic has an idf of 0.
    ///
    /// # Errors
    /// A parameter is out of range, the vocabulary does not have one term per column, or [`coverage`](Self::coverage)
    /// is set, which needs the counts of texts: [`fit_topics`](Self::fit_topics).
    pub fn fit(&self, counts: &CsrMatrix<u32>, vocabulary: &[String]) -> Result<FittedClassTfIdf> {
        if self.coverage {
            let message = "coverage needs the number of texts that contain each term";
            return Err(Error::new(ErrorKind::InvalidParameter, Stage::Vectorize, message)
                .with_hint("Call fit_topics with TopicCounts, or set coverage(false)."));
        }
        self.fit_frequencies(&TermFrequencies::of_words(counts), counts.rows(), vocabulary, |term| term)
    }

    /// As [`fit`](Self::fit), from counts that include the number of texts with each term, as
    /// [`coverage`](Self::coverage) needs them.
    ///
    /// ```
    /// use topicframe::linalg::sparse::CsrMatrix;
    /// use topicframe::vectorize::{ClassTfIdf, TopicCounts, top_terms};
    ///
    /// // A topic of four texts: one of them contains "zebra" five times, each of the others "horse" once. The other topic
    /// // has 996 texts about trains.
    /// let vocabulary = ["horse", "train", "zebra"].map(str::to_owned);
    /// let words = CsrMatrix::new(3, vec![0, 2, 3], vec![0, 2, 1], vec![3, 5, 996])?;
    /// let texts = CsrMatrix::new(3, vec![0, 2, 3], vec![0, 2, 1], vec![3, 1, 996])?;
    /// let counts = TopicCounts::new(&words, &texts, &[4, 996])?;
    /// let best = |weighting: ClassTfIdf| -> Result<usize, topicframe::Error> {
    ///     let weights = weighting.fit_topics(&counts, &vocabulary)?.transform_topics(&counts)?;
    ///     Ok(top_terms(&weights, 0, 1)[0].0)
    /// };
    /// assert_eq!(best(ClassTfIdf::new())?, 2);
    /// assert_eq!(best(ClassTfIdf::new().coverage(true))?, 0);
    /// # Ok::<(), topicframe::Error>(())
    /// ```
    ///
    /// # Errors
    /// A parameter is out of range, or the vocabulary does not have one term per column.
    pub fn fit_topics(&self, counts: &TopicCounts<'_>, vocabulary: &[String]) -> Result<FittedClassTfIdf> {
        self.fit_frequencies(&TermFrequencies::of(counts), counts.words().rows(), vocabulary, |term| term)
    }

    /// As [`fit_topics`](Self::fit_topics), for terms that occur this often in all of `topics` topics. A term of the
    /// vocabulary is counted in the column `column_of(term)`.
    pub(crate) fn fit_frequencies(
        &self,
        frequencies: &TermFrequencies,
        topics: usize,
        vocabulary: &[String],
        column_of: impl Fn(usize) -> usize,
    ) -> Result<FittedClassTfIdf> {
        self.check()?;
        let terms = frequencies.words.len();
        if vocabulary.len() != terms {
            let message = format!("got {} terms for counts with {terms} columns", vocabulary.len());
            return Err(Error::new(ErrorKind::InvalidData, Stage::Vectorize, message));
        }
        let mut idf = match self.coverage {
            true => self.document_idf(frequencies),
            false => self.class_idf(frequencies, topics),
        };
        let mut unknown_seed_words = Vec::new();
        let mut seeds = Vec::new();
        for word in &self.seed_words {
            match find(vocabulary, word) {
                Some(term) => seeds.push(column_of(term)),
                None => unknown_seed_words.push(word.clone()),
            }
        }
        // Duplicate seed words count once.
        seeds.sort_unstable();
        seeds.dedup();
        for term in seeds {
            idf[term] *= self.seed_multiplier;
        }
        let (coverage, reduce_frequent_words) = (self.coverage, self.reduce_frequent_words);
        Ok(FittedClassTfIdf { idf, coverage, reduce_frequent_words, unknown_seed_words })
    }

    /// Reports the seed words that are not in the vocabulary.
    pub(crate) fn report_unknown_seed_words(&self, vocabulary: &[String], progress: &Progress) {
        for word in self.seed_words.iter().filter(|word| find(vocabulary, word).is_none()) {
            progress.note(Stage::Vectorize, format!("the seed word `{word}` occurs in no text and has no effect"));
        }
    }

    /// BERTopic's idf, of the words of `topics` topics.
    fn class_idf(&self, frequencies: &TermFrequencies, topics: usize) -> Vec<f64> {
        let words: f64 = frequencies.words.iter().sum();
        // An integer, as in BERTopic; at least 1, or every weight would be 0 if there are more topics than words.
        let average = (words / topics.max(1) as f64).trunc().max(1.0);
        frequencies.words.par_iter().map(|&frequency| self.idf(frequency, average)).collect()
    }

    /// The idf of the texts of all topics, to the power of 1.5.
    fn document_idf(&self, frequencies: &TermFrequencies) -> Vec<f64> {
        let idf = |&documents: &f64| {
            let idf = self.idf(documents, frequencies.all_documents);
            idf * idf.max(0.0).sqrt()
        };
        frequencies.documents.par_iter().map(idf).collect()
    }

    fn idf(&self, frequency: f64, average: f64) -> f64 {
        match (frequency > 0.0, self.bm25_weighting) {
            (false, _) => 0.0,
            (true, true) => (1.0 + (average - frequency + 0.5) / (frequency + 0.5)).ln(),
            (true, false) => (average / frequency + 1.0).ln(),
        }
    }
}

fn find(vocabulary: &[String], word: &str) -> Option<usize> {
    let place = |word: &str| vocabulary.binary_search_by(|term| term.as_str().cmp(word)).ok();
    let word = in_one_form(word);
    place(&word).or_else(|| place(&word.to_lowercase()))
}

/// Fitted term weights, applicable to any counts of the same terms: of topics, documents, or parts of documents.
///
/// ```
/// use topicframe::linalg::sparse::CsrMatrix;
/// use topicframe::vectorize::ClassTfIdf;
///
/// let vocabulary = ["apple", "drawing"].map(str::to_owned);
/// let topics = CsrMatrix::new(2, vec![0, 2, 3], vec![0, 1, 1], vec![1, 1, 1])?;
/// let fitted = ClassTfIdf::new().seed_words(["apple", "pear"], 2.0).fit(&topics, &vocabulary)?;
/// assert!(fitted.idf()[0] > fitted.idf()[1]);
/// assert_eq!(fitted.unknown_seed_words(), ["pear"]);
///
/// let text = CsrMatrix::new(2, vec![0, 1], vec![0], vec![3])?;      // "apple apple apple"
/// assert_eq!(fitted.transform(&text)?.get(0, 0), fitted.idf()[0]);
/// # Ok::<(), topicframe::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FittedClassTfIdf {
    idf: Vec<f64>,
    #[serde(default)]
    coverage: bool,
    reduce_frequent_words: bool,
    unknown_seed_words: Vec<String>,
}

impl FittedClassTfIdf {
    /// The idf of each term, including the seed word multiplier, and the power of [`ClassTfIdf::coverage`].
    pub fn idf(&self) -> &[f64] {
        &self.idf
    }

    /// Seed words that are not in the vocabulary and therefore have no effect.
    pub fn unknown_seed_words(&self) -> &[String] {
        &self.unknown_seed_words
    }

    /// Converts counts to weights. Rows without counts stay empty. With [`ClassTfIdf::coverage`], every row is the counts
    /// of one text, all of whose terms cover it; for topics, see [`transform_topics`](Self::transform_topics).
    ///
    /// # Errors
    /// `counts` has a different number of columns than in the fit.
    pub fn transform(&self, counts: &CsrMatrix<u32>) -> Result<CsrMatrix<f64>> {
        self.weights(counts, |_| None)
    }

    /// Converts the counts of topics to weights. Topics without words stay empty. Without [`ClassTfIdf::coverage`], this
    /// is [`transform`](Self::transform).
    ///
    /// # Errors
    /// `counts` has a different number of columns than in the fit.
    pub fn transform_topics(&self, counts: &TopicCounts<'_>) -> Result<CsrMatrix<f64>> {
        self.weights(counts.words(), |topic| Some(counts.coverage(topic)))
    }

    fn weights<'a>(
        &self,
        counts: &CsrMatrix<u32>,
        coverage: impl Fn(usize) -> Option<(&'a [u32], f64)> + Sync,
    ) -> Result<CsrMatrix<f64>> {
        self.check_columns(counts)?;
        let mut weights = vec![0.0; counts.entries()];
        let mut rest = &mut weights[..];
        let mut rows = Vec::with_capacity(counts.rows());
        for row in 0..counts.rows() {
            let (cells, after) = rest.split_at_mut(counts.row(row).0.len());
            rows.push(cells);
            rest = after;
        }
        let weigh = |(row, cells): (usize, &mut [f64])| {
            let (terms, counts) = counts.row(row);
            for ((weight, &term), tf) in cells.iter_mut().zip(terms).zip(self.weights_of(counts, coverage(row))) {
                *weight = tf * self.idf[term as usize];
            }
        };
        // The rows of a few topics have most of the cells.
        rows.into_par_iter().with_max_len(1).enumerate().for_each(weigh);
        Ok(counts.with_data(weights))
    }

    /// The cosine between the weights of each row of `counts` and those of its class in `weights`; 0 where it has none.
    /// As [`transform`](Self::transform) and [`CsrMatrix::cosines`], without holding the weights of all rows.
    pub(crate) fn cosines(
        &self,
        counts: &CsrMatrix<u32>,
        weights: &CsrMatrix<f64>,
        classes: &[Option<usize>],
    ) -> Result<Vec<f64>> {
        self.check_columns(counts)?;
        self.check_columns(weights)?;
        check_classes(classes, counts.rows(), weights.rows())?;
        let score = |row: usize, class: &[(f64, f64)]| {
            let (terms, row) = counts.row(row);
            let add = |(dot, squares): (f64, f64), (tf, &term): (f64, &u32)| {
                let (idf, in_class) = class[term as usize];
                let weight = tf * idf;
                (dot + weight * in_class, squares + weight.powi(2))
            };
            let (dot, squares) = self.weights_of(row, None).zip(terms).fold((0.0, 0.0), add);
            (dot, squares.sqrt())
        };
        Ok(weights.cosines_by(classes, |term| self.idf[term], score))
    }

    fn check_columns<T: Value>(&self, counts: &CsrMatrix<T>) -> Result<()> {
        if counts.cols() != self.idf.len() {
            let message = format!("got counts of {} terms, but the fit had {}", counts.cols(), self.idf.len());
            return Err(Error::new(ErrorKind::InvalidData, Stage::Vectorize, message));
        }
        Ok(())
    }

    /// The weight of each term of a row, but for its idf. `coverage` has the number of texts with each term, and that of
    /// all texts; `None` if the row is one text.
    fn weights_of<'a>(
        &self,
        counts: &'a [u32],
        coverage: Option<(&'a [u32], f64)>,
    ) -> impl Iterator<Item = f64> + use<'a> {
        let words: f64 = counts.iter().map(|&count| f64::from(count)).sum();
        let (covers, reduces) = (self.coverage, self.reduce_frequent_words);
        counts.iter().enumerate().map(move |(at, &count)| {
            // A stored zero is possible in counts that a user made.
            let tf = if count == 0 { 0.0 } else { f64::from(count) / words };
            let tf = if reduces { tf.sqrt() } else { tf };
            let share = |(texts, all): (&[u32], f64)| texts.get(at).map_or(0.0, |&texts| f64::from(texts) / all);
            if covers { (tf * coverage.map_or(1.0, share)).sqrt() } else { tf }
        })
    }
}

/// The `n` terms of `row` with the highest weights, as (column, weight) in descending order; ties are broken by column.
/// Only terms with positive weights are included.
///
/// ```
/// use topicframe::linalg::sparse::CsrMatrix;
/// use topicframe::vectorize::top_terms;
///
/// let weights = CsrMatrix::new(3, vec![0, 3], vec![0, 1, 2], vec![0.2, 0.7, 0.5])?;
/// assert_eq!(top_terms(&weights, 0, 2), [(1, 0.7), (2, 0.5)]);
/// # Ok::<(), topicframe::Error>(())
/// ```
pub fn top_terms(weights: &CsrMatrix<f64>, row: usize, n: usize) -> Vec<(usize, f64)> {
    let (columns, values) = weights.row(row);
    let order = |a: &(usize, f64), b: &(usize, f64)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    let Some(last) = n.checked_sub(1) else { return Vec::new() };
    // Whenever twice as many terms as needed are collected, half of them go, and so do all later ones that are not
    // better than the rest: columns ascend, so a later term loses a tie.
    let mut terms: Vec<(usize, f64)> = Vec::new();
    let mut exceeded = 0.0;
    for (&column, &weight) in columns.iter().zip(values) {
        if weight > exceeded {
            terms.push((column as usize, weight));
        }
        if terms.len() / 2 > last {
            exceeded = terms.select_nth_unstable_by(last, order).1.1;
            terms.truncate(n);
        }
    }
    terms.sort_unstable_by(order);
    terms.truncate(n);
    terms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn top_terms_are_those_of_a_full_sort() {
        let weights: Vec<f64> = (0..500_u32).map(|i| f64::from(i * 7919 % 101) / 10.0 - 1.0).collect();
        let mut sorted: Vec<(usize, f64)> = weights.iter().copied().enumerate().filter(|term| term.1 > 0.0).collect();
        sorted.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let matrix = CsrMatrix::from_sorted(500, vec![0, 500], (0..500).collect(), weights);
        for n in [0, 1, 2, 3, 30, 200, 499, 500, usize::MAX] {
            assert_eq!(top_terms(&matrix, 0, n), sorted[..n.min(sorted.len())], "{n}");
        }
    }
}
