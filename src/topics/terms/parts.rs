//! The words of parts of the topics (their texts of one month, or of one class) and of unions of topics, weighted as the
//! topics are: with the idf of the fitted topics.

use rayon::prelude::*;

use super::merged_forms::WordCounts;
use super::{TopicTerms, sizes_of};
use crate::error::Result;
use crate::linalg::sparse::{ClassCounts, CsrMatrix, Value};
use crate::vectorize::{FittedClassTfIdf, TermFrequencies, TopicCounts, top_terms};

/// Weighs the words of any texts as those of the topics.
pub(crate) struct WordWeighting<'a> {
    terms: &'a TopicTerms,
    fitted: FittedClassTfIdf,
    topics: Weighed,
}

/// The weights of words, one row per group of texts. A word whose forms are merged is in the column of the term that
/// stands for it.
pub(crate) struct Weighed {
    pub(crate) weights: CsrMatrix<f64>,
    /// The column of the form to show, in the same places; `None` if every form is a word of its own.
    shown: Option<CsrMatrix<u32>>,
}

impl Weighed {
    /// The column of the form to show of the word in `column`.
    pub(crate) fn shown(&self, row: usize, column: usize) -> usize {
        let form = self.shown.as_ref().map(|shown| {
            let (columns, forms) = shown.row(row);
            let at = columns.binary_search_by(|&other| (other as usize).cmp(&column)).ok();
            at.and_then(|at| forms.get(at)).map_or(column, |&form| form as usize)
        });
        form.unwrap_or(column)
    }
}

impl TopicTerms {
    /// The weighting of the topics' words.
    pub(crate) fn word_weighting(&self) -> Result<WordWeighting<'_>> {
        let words = self.documents.words.as_deref();
        let merged =
            words.map(|words| WordCounts::of((&self.counts, &self.document_counts, &self.repeated_forms), words));
        let column_of = |term: usize| words.and_then(|words| words.get(term)).map_or(term, |&word| word as usize);
        let (occurrences, texts) = match &merged {
            Some(merged) => (&merged.occurrences, &merged.texts),
            None => (&self.counts, &self.document_counts),
        };
        let counts = TopicCounts::of(occurrences, texts, &self.topic_documents);
        let of_words;
        let frequencies = match merged.is_some() {
            true => {
                of_words = TermFrequencies::of(&counts);
                &of_words
            }
            false => &*self.frequencies,
        };
        let fitted = self.weighting.fit_frequencies(frequencies, occurrences.rows(), &self.vocabulary, column_of)?;
        let weights = match self.has_counts() {
            true => fitted.transform_topics(&counts)?,
            false => self.c_tf_idf.clone(),
        };
        let topics = Weighed { weights, shown: merged.map(|merged| merged.shown) };
        Ok(WordWeighting { terms: self, fitted, topics })
    }

    /// Whether the counts are known: those of a model of another program are not.
    fn has_counts(&self) -> bool {
        self.counts.entries() == 0 || self.counts.data().iter().any(|&count| count > 0)
    }

    /// Whether the counts of the texts are there.
    pub(crate) fn has_documents(&self) -> bool {
        !self.documents.rows.is_empty()
    }

    /// The `n` words of `row` with the highest weights, best first.
    pub(crate) fn words_in(&self, weighed: &Weighed, row: usize, n: usize) -> Vec<(String, f64)> {
        let word = |(column, weight)| Some((self.vocabulary.get(weighed.shown(row, column))?.clone(), weight));
        top_terms(&weighed.weights, row, n).into_iter().filter_map(word).collect()
    }
}

impl WordWeighting<'_> {
    /// The words of the topics, in ascending order of their ids.
    pub(crate) fn topics(&self) -> &Weighed {
        &self.topics
    }

    /// The words of `groups` groups of rows: each member is a row and its group. A row may be in several.
    pub(crate) fn parts(&self, members: &[(usize, usize)], groups: usize) -> Result<Weighed> {
        let documents = &*self.terms.documents;
        let text = |&(row, group): &(usize, usize)| Some((documents.rows.binary_search(&row).ok()?, group));
        let texts: Vec<(usize, usize)> = members.iter().filter_map(text).collect();
        let selected = documents.counts.select_rows(&texts.iter().map(|&(text, _)| text).collect::<Vec<_>>());
        let classes: Vec<Option<usize>> = texts.iter().map(|&(_, group)| Some(group)).collect();
        let counts = selected.count_rows_by(&classes, groups, documents.words.as_deref())?;
        self.weigh(&counts, &sizes_of(&classes, groups))
    }

    /// The words of unions of topics: each group has the places of its topics in ascending order of ids, and `sizes` has
    /// the number of rows of each topic.
    pub(crate) fn unions(&self, groups: &[Vec<usize>], sizes: &[usize]) -> Result<Weighed> {
        let terms = self.terms;
        if !terms.has_counts() {
            return self.means(groups, sizes);
        }
        let sum = |matrix: &CsrMatrix<u32>| union_rows(matrix, groups);
        let counts = ClassCounts {
            occurrences: sum(&terms.counts),
            rows: sum(&terms.document_counts),
            repeated: sum(&terms.repeated_forms),
        };
        let texts = |group: &Vec<usize>| group.iter().filter_map(|&topic| terms.topic_documents.get(topic)).sum();
        self.weigh(&counts, &groups.iter().map(texts).collect::<Vec<usize>>())
    }

    fn weigh(&self, counts: &ClassCounts, sizes: &[usize]) -> Result<Weighed> {
        match &self.terms.documents.words {
            Some(words) => {
                let merged = WordCounts::of_classes(counts, words);
                let counts = TopicCounts::of(&merged.occurrences, &merged.texts, sizes);
                Ok(Weighed { weights: self.fitted.transform_topics(&counts)?, shown: Some(merged.shown) })
            }
            None => {
                let counts = TopicCounts::of(&counts.occurrences, &counts.rows, sizes);
                Ok(Weighed { weights: self.fitted.transform_topics(&counts)?, shown: None })
            }
        }
    }

    /// Without counts: the mean weights of the topics, by their sizes.
    fn means(&self, groups: &[Vec<usize>], sizes: &[usize]) -> Result<Weighed> {
        let weights = &self.terms.c_tf_idf;
        let size = |topic: usize| sizes.get(topic).map_or(0.0, |&size| size as f64);
        let shares: Vec<f64> = (0..weights.rows())
            .flat_map(|topic| weights.row(topic).1.iter().map(move |weight| weight * size(topic)))
            .collect();
        let sums = union_rows(&weights.with_data(shares), groups);
        let total = |group: &Vec<usize>| group.iter().map(|&topic| size(topic)).sum::<f64>().max(1.0);
        let means = groups
            .iter()
            .enumerate()
            .flat_map(|(at, group)| sums.row(at).1.iter().map(move |sum| sum / total(group)))
            .collect();
        Ok(Weighed { weights: sums.with_data(means), shown: None })
    }
}

/// The sum of the rows of each group. Each row is added to the groups that have it, which are nested or few.
fn union_rows<T: Value>(matrix: &CsrMatrix<T>, groups: &[Vec<usize>]) -> CsrMatrix<T> {
    let fresh = || RowSum::new(matrix.cols());
    let sum = |sum: &mut RowSum<T>, group: &Vec<usize>| {
        group.iter().for_each(|&row| sum.add(matrix.row(row)));
        sum.take()
    };
    let summed: Vec<(Vec<u32>, Vec<T>)> = groups.par_iter().with_max_len(8).map_init(fresh, sum).collect();
    CsrMatrix::from_rows(matrix.cols(), summed.iter().map(|(columns, values)| (&columns[..], &values[..])))
}

/// A sum of sparse rows. A bit for each column says whether it is used, so that the columns need not be sorted.
struct RowSum<T> {
    sums: Vec<T>,
    used: Vec<u64>,
}

impl<T: Value> RowSum<T> {
    fn new(columns: usize) -> Self {
        RowSum { sums: vec![T::default(); columns], used: vec![0; columns.div_ceil(64)] }
    }

    fn add(&mut self, (columns, values): (&[u32], &[T])) {
        for (&column, &value) in columns.iter().zip(values) {
            let column = column as usize;
            if let (Some(sum), Some(bits)) = (self.sums.get_mut(column), self.used.get_mut(column / 64)) {
                *sum = sum.plus(value);
                *bits |= 1 << (column % 64);
            }
        }
    }

    /// The columns in ascending order and their sums; the next sum starts anew.
    fn take(&mut self) -> (Vec<u32>, Vec<T>) {
        let number = self.used.iter().map(|bits| bits.count_ones() as usize).sum();
        let (mut columns, mut values) = (Vec::with_capacity(number), Vec::with_capacity(number));
        for (block, bits) in self.used.iter_mut().enumerate() {
            let mut left = std::mem::take(bits);
            while left != 0 {
                let column = 64 * block + left.trailing_zeros() as usize;
                left &= left - 1;
                columns.push(column as u32);
                values.extend(self.sums.get_mut(column).map(std::mem::take));
            }
        }
        (columns, values)
    }
}
