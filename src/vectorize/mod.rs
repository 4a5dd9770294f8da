//! Counting the terms of texts and weighting the terms of topics.
//!
//! [`CountVectorizer`] counts words and n-grams like scikit-learn's, in any script; [`ClassTfIdf`] weights the counts
//! of topics with class-based TF-IDF, like BERTopic, or by coverage too. Weights depend only on counts, so the texts are read only once.

mod class_tfidf;
mod cleaning;
mod count;
mod count_vectorizer;
mod forms;
mod inflection;
mod language;
mod languages;
mod occurrences;
mod phrases;
mod reading;
mod recognition;
mod select;
mod stop_word_lists;
mod stop_words;
mod term_counts;
mod terms;
mod tokenizer;

pub use class_tfidf::{ClassTfIdf, FittedClassTfIdf, top_terms};
pub use cleaning::TextCleaning;
pub use count::{CountMatrix, FittedCountVectorizer};
pub use count_vectorizer::{CountVectorizer, DocumentFrequency};
pub(crate) use inflection::words_of_forms;
pub use languages::Language;
pub(crate) use occurrences::{TermFinder, TermsOfText};
pub(crate) use reading::as_read;
pub use stop_words::StopWords;
pub(crate) use term_counts::TermFrequencies;
pub use term_counts::TopicCounts;
