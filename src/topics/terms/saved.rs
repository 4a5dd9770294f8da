//! Saving term counts.

use std::sync::Arc;

use super::{DocumentTerms, TopicTerms};
use crate::error::Result;
use crate::linalg::sparse::{CsrMatrix, Value};
use crate::state::{Element, State};
use crate::vectorize::{ClassTfIdf, CountVectorizer, TermFrequencies};

impl TopicTerms {
    /// The state of the terms; `with_documents`: with the counts of each text.
    pub(crate) fn state(&self, with_documents: bool) -> State<'_> {
        let frequencies = &*self.frequencies;
        let mut state = State::new("terms")
            .with_setting("weighting", &self.weighting)
            .with_setting("vectorizer", &self.documents.vectorizer)
            .with_texts("vocabulary", self.vocabulary.iter().map(String::as_str))
            .with_numbers("topic_documents", &self.topic_documents)
            .with_values("text_scores", &self.text_scores)
            .with_values("frequencies", &frequencies.words)
            .with_values("document_frequencies", &frequencies.documents)
            .with_values("all_documents", vec![frequencies.all_documents])
            // All three have entries in the same places.
            .with_values("document_counts", self.document_counts.data())
            .with_values("c_tf_idf", self.c_tf_idf.data());
        state = with_matrix(state, "counts", &self.counts);
        state = with_matrix(state, "repeated_forms", &self.repeated_forms);
        if let Some(words) = &self.documents.words {
            state = state.with_values("words", words);
        }
        if with_documents {
            state = state.with_numbers("documents", &self.documents.rows);
            state = with_matrix(state, "terms_of_documents", &self.documents.counts);
        }
        state
    }

    /// The terms of a state, of this number of topics and of rows of the frame.
    pub(crate) fn from_state(mut state: State<'_>, topics: usize, rows: usize) -> Result<Self> {
        let vocabulary: Arc<[String]> = state.take_texts("vocabulary")?.into();
        let terms = vocabulary.len();
        let counts: CsrMatrix<u32> = take_matrix(&mut state, "counts", topics, terms)?;
        let document_counts = state.take_exactly::<u32>("document_counts", counts.entries())?;
        let weights = state.take_exactly::<f64>("c_tf_idf", counts.entries())?;
        let frequencies = TermFrequencies {
            words: state.take_exactly("frequencies", terms)?,
            documents: state.take_exactly("document_frequencies", terms)?,
            all_documents: state.take_exactly::<f64>("all_documents", 1)?.first().copied().unwrap_or_default(),
        };
        let weighting: ClassTfIdf = state.setting("weighting")?;
        weighting.check()?;
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
            documents: Arc::new(documents(&mut state, &vocabulary, rows)?),
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
            let counts = take_matrix(state, "terms_of_documents", of_rows.len(), terms)?;
            (of_rows, counts)
        }
        false => (Vec::new(), CsrMatrix::new(terms, vec![0], Vec::new(), Vec::new())?),
    };
    Ok(DocumentTerms { vocabulary: Arc::clone(vocabulary), rows: of_rows, counts, vectorizer, words })
}

fn with_matrix<'a, T: Value + Element>(state: State<'a>, name: &str, matrix: &'a CsrMatrix<T>) -> State<'a> {
    state
        .with_numbers(&format!("{name}.starts"), matrix.indptr())
        .with_values(&format!("{name}.columns"), matrix.indices())
        .with_values(name, matrix.data())
}

fn take_matrix<T: Value + Element>(
    state: &mut State<'_>,
    name: &str,
    rows: usize,
    columns: usize,
) -> Result<CsrMatrix<T>> {
    let data = state.take_values::<T>(name)?;
    let indices = state.take_exactly::<u32>(&format!("{name}.columns"), data.len())?;
    let starts = state.take_numbers(&format!("{name}.starts"), data.len().saturating_add(1))?;
    if starts.len() != rows.saturating_add(1) {
        return Err(state.out_of_range(name));
    }
    CsrMatrix::new(columns, starts, indices, data).map_err(|cause| state.out_of_range(name).with_cause(cause))
}
