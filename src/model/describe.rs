//! Describing topics with words and other representations.

use std::collections::BTreeMap;

use super::check::{after_images, check_described, images_as_main};
use super::data::Data;
use super::{ClusterOn, MAIN, TopicModel};
use crate::corpus::TextColumn;
use crate::embed::TextEmbedder;
use crate::encode::{Cleaned, counted};
use crate::error::{Error, ErrorKind, Hint, Result, Stage};
use crate::represent::{
    Aspect, Ranking, Representation, Representatives, TextRows, TopicContext, TopicWords, VisualWords,
    covering_representatives, representative_rows,
};
use crate::topics::{Assignment, Description, DocumentTerms, TopicTerms};
use crate::vectorize::TextCleaning;

/// The number of candidate words passed to a representation, as in BERTopic.
const CANDIDATE_WORDS: usize = 30;

impl TopicModel {
    /// Counts the terms of `texts`, if there are any; `cleaning` is resolved for them.
    pub(super) fn count_documents(
        &self,
        texts: Option<&TextColumn>,
        cleaning: TextCleaning,
    ) -> Result<Option<DocumentTerms>> {
        let texts = texts.map(TextColumn::by_row).unwrap_or_default();
        if texts.is_empty() {
            return Ok(None);
        }
        let vectorizer = self.vectorizer.cleaned_by_default(cleaning);
        let terms = DocumentTerms::count(&texts, &vectorizer, &self.progress)?;
        Ok(Some(if self.merge_word_forms { terms.merging_forms(&texts) } else { terms }))
    }

    /// The terms of the topics, from the counts of the documents.
    pub(super) fn topic_terms(
        &self,
        data: &Data,
        assignment: &Assignment,
        documents: Option<DocumentTerms>,
    ) -> Result<TopicTerms> {
        let (topics, ids) = (&assignment.topics, assignment.ids());
        let Some(terms) = documents else { return TopicTerms::empty(&ids, topics.len()) };
        let documents = &data.documents;
        if self.captioner.is_none() && self.encoder.cluster_on == ClusterOn::Both {
            let is_wordless = |&row: &usize| documents.has_image(row) && !documents.has_text(row);
            let wordless = (0..documents.rows).filter(is_wordless).count();
            if wordless > 0 {
                let rows = counted(wordless, "row has", "rows have");
                let message = format!("{rows} only an image: without a captioner, no words are counted in them");
                self.progress.note(Stage::Vectorize, message);
            }
        }
        TopicTerms::of(terms, topics, &ids, &self.ctfidf, &self.progress)
    }

    /// Describes the topics of `assignment` with every representation of the model.
    pub(super) fn describe(&self, data: &Data, assignment: &Assignment, terms: &TopicTerms) -> Result<Description> {
        let ids = assignment.ids();
        let encoded = &data.encoded;
        let word_weights = terms.word_weights();
        let words_embedder = self.encoder.words_embedder().map(|embedder| Cleaned::new(embedder, data.cleaning));
        let context = TopicContext {
            topics: &ids,
            assignments: &assignment.topics,
            texts: data.texts.as_ref(),
            images: data.documents.images.as_ref(),
            embeddings: &encoded.clustered,
            text_embeddings: encoded.texts.as_ref().filter(|_| self.encoder.plan().computes_text_vectors),
            image_embeddings: encoded.images.as_ref(),
            text_scores: &terms.text_scores,
            vectorizer: terms.vectorizer(),
            vocabulary: &terms.vocabulary,
            c_tf_idf: &word_weights,
            embedder: words_embedder.as_ref().map(|embedder| embedder as &dyn TextEmbedder),
            image_embedder: self.encoder.image_embedder.as_deref(),
            joint_text: self.encoder.joint_text(),
            seed: self.seed,
            progress: &self.progress,
        };
        let candidates = self.candidates(&context, terms)?;
        let mut aspects = BTreeMap::<String, Aspect>::new();
        let mut order = Vec::new();
        for (name, representation) in &self.representations {
            let words = match aspects.get(name) {
                None => &candidates,
                Some(Aspect::Words(words)) => words,
                Some(Aspect::Images(_)) => return Err(after_images(name)),
            };
            self.progress.check(Stage::Represent)?;
            if !data.has_documents {
                check_needs_no_documents(name, &**representation)?;
            }
            let aspect = representation.describe(&context, words)?;
            if aspects.insert(name.clone(), aspect).is_none() && name != MAIN {
                order.push(name.clone());
            }
        }
        let phrases = self.vectorizer.counts_phrases();
        let words = match aspects.remove(MAIN) {
            None if self.coherent_words && !terms.vocabulary.is_empty() => {
                // The parts of phrases will be dropped.
                let n = if phrases { self.top_n_words.saturating_mul(2) } else { self.top_n_words };
                terms.coherent_words(context.c_tf_idf, &ids, n)
            }
            None => candidates,
            Some(Aspect::Words(words)) => words,
            Some(Aspect::Images(_)) => return Err(images_as_main()),
        };
        check_described(&words, &ids, MAIN)?;
        let words = if phrases { without_parts(words, self.top_n_words) } else { words };
        let representatives = self.representing_rows(data, assignment, terms, &ids);
        Ok(Description { words: cut(words, self.top_n_words), aspects, order, representatives })
    }

    /// The representative rows of each topic: by their texts, or if there are none, by their images. Without the
    /// documents, by what is known of them: the term counts of texts, and vectors.
    fn representing_rows(
        &self,
        data: &Data,
        assignment: &Assignment,
        terms: &TopicTerms,
        ids: &[i32],
    ) -> BTreeMap<i32, Vec<(usize, f64)>> {
        let (topics, scores, n) = (&assignment.topics, &terms.text_scores, self.nr_repr_docs);
        let covers = self.representatives == Representatives::Coverage;
        let texts = match &data.texts {
            Some(texts) => Some(TextRows::Texts(texts)),
            None if data.has_documents => None,
            None => {
                // Texts with the same terms and vectors count as equal.
                let of_texts = (!self.encoder.plan().images).then_some(&data.encoded.clustered);
                terms.documents().as_rows(data.encoded.texts.as_ref().or(of_texts))
            }
        };
        match (texts, &data.encoded.images) {
            (Some(texts), _) if covers => covering_representatives(texts, topics, scores, &data.encoded.clustered, n),
            (Some(texts), _) => representative_rows(texts, topics, scores, n),
            (None, Some(vectors)) => {
                let ranking = match &data.documents.images {
                    Some(images) => Ranking::by_image(ids, topics, images, vectors),
                    None if data.has_documents => return BTreeMap::new(),
                    None => Ranking::by_vector(ids, topics, vectors),
                };
                let ranking = if covers { ranking.covering(vectors, n) } else { ranking };
                let mut best = ranking.topics().clone();
                best.values_mut().for_each(|rows| rows.truncate(n));
                best
            }
            (None, None) => BTreeMap::new(),
        }
    }

    /// The candidate words for representations: the top words by c-TF-IDF, or if no words were counted, words selected
    /// by the images.
    fn candidates(&self, context: &TopicContext<'_>, terms: &TopicTerms) -> Result<TopicWords> {
        let n = self.top_n_words.max(CANDIDATE_WORDS);
        if !terms.vocabulary.is_empty() {
            return Ok(terms.top_words_by(context.c_tf_idf, context.topics, n));
        }
        let no_words = context.topics.iter().map(|&topic| (topic, Vec::new())).collect();
        // A user-defined `Main` representation needs no substitute.
        if self.representations.iter().any(|(name, _)| name == MAIN) {
            return Ok(no_words);
        }
        if let (Some(embedder), Some(images)) = (context.joint_text, context.image_embeddings) {
            let words = VisualWords::new().top_n_words(n);
            return words.words(context.topics, context.assignments, images, embedder, &self.progress);
        }
        let hint = Hint::new(
            "give the model a captioner, an embedder of images that knows texts too, or a representation called `Main`",
        )
        .on_command_line("give --captioner a model, or --embedder one that knows images and texts, such as CLIP");
        self.progress.note_with_hint(Stage::Represent, "the topics have no words", hint);
        Ok(no_words)
    }
}

/// Whether topics can be described anew without the documents of the fit.
fn check_needs_no_documents(name: &str, representation: &dyn Representation) -> Result<()> {
    let needed = match (representation.needs_texts(), representation.needs_images()) {
        (true, _) => "texts",
        (false, true) => "images",
        (false, false) => return Ok(()),
    };
    let message =
        format!("the representation `{name}` needs the {needed} of the fit, but this model was saved without them");
    Err(Error::new(ErrorKind::NotFound, Stage::Represent, message).with_hint(
        Hint::new(
            "Edit the model from before saving, or one that was saved with its documents; or replace the \
             representation: with_representation(..).",
        )
        .on_command_line("Edit a model that was saved without --save-without-documents."),
    ))
}

fn cut(mut words: TopicWords, n: usize) -> TopicWords {
    words.values_mut().for_each(|words| words.truncate(n));
    words
}

/// Removes words that are part of a phrase among the first `n` words.
fn without_parts(mut words: TopicWords, n: usize) -> TopicWords {
    let is_part = |word: &str, phrase: &str| {
        let padded = |text: &str| format!(" {text} ");
        word.len() < phrase.len() && padded(phrase).contains(&padded(word))
    };
    for words in words.values_mut() {
        // A word that moves up may be a phrase with parts among the others, or a part.
        loop {
            let shown = words.get(..n).unwrap_or(words);
            let part = |(word, _): &(String, f64)| shown.iter().any(|(phrase, _)| is_part(word, phrase));
            let Some(at) = shown.iter().position(part) else { break };
            words.remove(at);
        }
    }
    words
}
