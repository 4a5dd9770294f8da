//! Saving term counts: those of each text, from which those of topics are added up again, or without documents, those of
//! topics.
//!
//! The counts of texts are packed. Each text is a sequence of numbers: how many terms it has, and for each of them, by
//! ascending column, the difference to the column before (of the first, the column) and the count. Each number is
//! written as LEB128: seven bits per byte, the lowest first, with the highest bit set in all bytes but the last.

use std::sync::{Arc, OnceLock};

use super::{DocumentTerms, TopicTerms};
use crate::error::Result;
use crate::linalg::sparse::CsrMatrix;
use crate::progress::Progress;
use crate::state::State;
use crate::vectorize::{ClassTfIdf, CountVectorizer, TermFrequencies};

impl TopicTerms {
    /// The state of the terms; `with_documents`: with the counts of each text.
    pub(crate) fn state(&self, with_documents: bool) -> State<'_> {
        let mut state = State::new("terms")
            .with_setting("weighting", &self.weighting)
            .with_setting("vectorizer", &self.documents.vectorizer)
            .with_texts("vocabulary", self.vocabulary.iter().map(String::as_str));
        if let Some(words) = &self.documents.words {
            state = state.with_values("words", words);
        }
        if with_documents {
            let packed = pack(&self.documents.counts);
            return state.with_numbers("documents", &self.documents.rows).with_values("counts_of_documents", packed);
        }
        let frequencies = &*self.frequencies;
        state
            .with_numbers("topic_documents", &self.topic_documents)
            .with_values("text_scores", &self.text_scores)
            .with_values("frequencies", &frequencies.words)
            .with_values("document_frequencies", &frequencies.documents)
            .with_values("all_documents", vec![frequencies.all_documents])
            .with_numbers("counts.starts", self.counts.indptr())
            .with_values("counts.columns", self.counts.indices())
            // All three have entries in the same places.
            .with_values("counts", self.counts.data())
            .with_values("document_counts", self.document_counts.data())
            .with_values("c_tf_idf", self.c_tf_idf.data())
            .with_numbers("repeated_forms.starts", self.repeated_forms.indptr())
            .with_values("repeated_forms.columns", self.repeated_forms.indices())
            .with_values("repeated_forms", self.repeated_forms.data())
    }

    /// The terms of a state. `assignments` has the topic of each row, and the topics are `ids`.
    pub(crate) fn from_state(mut state: State<'_>, assignments: &[i32], ids: &[i32]) -> Result<Self> {
        let weighting: ClassTfIdf = state.setting("weighting")?;
        weighting.check()?;
        let vocabulary: Arc<[String]> = state.take_texts("vocabulary")?.into();
        let documents = documents(&mut state, &vocabulary, assignments.len())?;
        if !state.has("counts") {
            return match documents.rows.is_empty() {
                true => TopicTerms::empty(ids, assignments.len()),
                false => TopicTerms::of(documents, assignments, ids, &weighting, &Progress::silent()),
            };
        }
        let (terms, topics, rows) = (vocabulary.len(), ids.len(), assignments.len());
        let counts = take_matrix(&mut state, "counts", topics, terms)?;
        let document_counts = state.take_exactly::<u32>("document_counts", counts.entries())?;
        let weights = state.take_exactly::<f64>("c_tf_idf", counts.entries())?;
        let frequencies = TermFrequencies {
            words: state.take_exactly("frequencies", terms)?,
            documents: state.take_exactly("document_frequencies", terms)?,
            all_documents: state.take_exactly::<f64>("all_documents", 1)?.first().copied().unwrap_or_default(),
        };
        let topic_documents = state.take_numbers("topic_documents", rows.saturating_add(1))?;
        if topic_documents.len() != topics {
            return Err(state.out_of_range("topic_documents"));
        }
        Ok(TopicTerms {
            document_counts: counts.with_data(document_counts),
            c_tf_idf: counts.with_data(weights),
            repeated_forms: take_matrix(&mut state, "repeated_forms", topics, terms)?,
            text_scores: state.take_exactly("text_scores", rows)?,
            topic_documents,
            counts,
            frequencies: Arc::new(frequencies),
            weighting,
            documents: Arc::new(documents),
            vocabulary,
        })
    }
}

/// The counts of each text; of none, if they were not saved.
fn documents(state: &mut State<'_>, vocabulary: &Arc<[String]>, rows: usize) -> Result<DocumentTerms> {
    let terms = vocabulary.len();
    let vectorizer: Option<CountVectorizer> = state.setting("vectorizer")?;
    vectorizer.as_ref().map_or(Ok(()), CountVectorizer::check)?;
    let words = if state.has("words") { Some(state.take_exactly::<u32>("words", terms)?) } else { None };
    if words.iter().flatten().any(|&word| word as usize >= terms) {
        return Err(state.out_of_range("words"));
    }
    let (of_rows, counts) = match state.has("documents") {
        true => {
            let of_rows = state.take_numbers("documents", rows)?;
            if !of_rows.is_sorted_by(|a, b| a < b) {
                return Err(state.out_of_range("documents"));
            }
            let packed = state.take_values::<u8>("counts_of_documents")?;
            let counts = unpack(&packed, of_rows.len(), terms).ok_or_else(|| state.out_of_range("counts_of_documents"));
            (of_rows, counts?)
        }
        false => (Vec::new(), CsrMatrix::new(terms, vec![0], Vec::new(), Vec::new())?),
    };
    let vocabulary = Arc::clone(vocabulary);
    Ok(DocumentTerms { vocabulary, rows: of_rows, counts, vectorizer, words, occurrences: OnceLock::new() })
}

fn take_matrix(state: &mut State<'_>, name: &str, rows: usize, columns: usize) -> Result<CsrMatrix<u32>> {
    let data = state.take_values::<u32>(name)?;
    let indices = state.take_exactly::<u32>(&format!("{name}.columns"), data.len())?;
    let starts = state.take_numbers(&format!("{name}.starts"), data.len().saturating_add(1))?;
    if starts.len() != rows.saturating_add(1) {
        return Err(state.out_of_range(name));
    }
    CsrMatrix::new(columns, starts, indices, data).map_err(|cause| state.out_of_range(name).with_cause(cause))
}

fn pack(matrix: &CsrMatrix<u32>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(3 * matrix.entries() + matrix.rows());
    for row in 0..matrix.rows() {
        let (columns, counts) = matrix.row(row);
        push(columns.len() as u32, &mut bytes);
        let mut before = 0;
        for (&column, &count) in columns.iter().zip(counts) {
            push(column - before, &mut bytes);
            push(count, &mut bytes);
            before = column;
        }
    }
    bytes
}

fn push(mut number: u32, bytes: &mut Vec<u8>) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// The opposite of [`pack`]; `None` if these are not the counts of so many texts.
fn unpack(bytes: &[u8], rows: usize, columns: usize) -> Option<CsrMatrix<u32>> {
    let mut bytes = bytes.iter();
    // Each row and each entry takes a byte or more, so memory is in proportion to the file.
    let (mut starts, mut indices, mut data) = (vec![0], Vec::new(), Vec::new());
    for _ in 0..rows {
        let mut before = 0_u32;
        for _ in 0..pull(&mut bytes)? {
            before = before.checked_add(pull(&mut bytes)?)?;
            indices.push(before);
            data.push(pull(&mut bytes)?);
        }
        starts.push(indices.len());
    }
    // Columns that do not ascend, or are out of range, are refused here.
    if bytes.next().is_some() { None } else { CsrMatrix::new(columns, starts, indices, data).ok() }
}

fn pull(bytes: &mut std::slice::Iter<'_, u8>) -> Option<u32> {
    let mut number = 0_u64;
    for place in 0..5 {
        let byte = *bytes.next()?;
        number |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return u32::try_from(number).ok();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_counts_are_unpacked() {
        let counts = CsrMatrix::new(
            1 << 20,
            vec![0, 3, 3, 5],
            vec![0, 127, 1_000_000, 5, 300],
            vec![1, u32::MAX, 128, 7, 16_384],
        );
        let counts = counts.unwrap();
        let packed = pack(&counts);
        assert_eq!(unpack(&packed, 3, 1 << 20), Some(counts));
        assert_eq!((unpack(&packed, 2, 1 << 20), unpack(&packed, 4, 1 << 20)), (None, None));
        assert_eq!(unpack(&packed, 3, 1_000_000), None);
        assert_eq!(unpack(&packed[..packed.len() - 1], 3, 1 << 20), None);
        assert_eq!(unpack(&[1, 0xff, 0xff, 0xff, 0xff, 0xff, 1], 1, 8), None);
    }
}
