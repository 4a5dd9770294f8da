//! Texts to counts of terms, and counts to the weights of a topic's terms.
//!
//! [`CountVectorizer`] counts words and n-grams as scikit-learn's does, in any script; [`ClassTfIdf`] weighs the counts
//! of topics by class-based TF-IDF, as BERTopic does. Weights follow from counts alone, so nothing needs the texts twice.

mod class_tfidf;
mod cleaning;
mod count;
mod forms;
mod language;
mod languages;
mod reading;
mod recognition;
mod select;
mod stop_words;
mod terms;
mod tokenizer;

pub use class_tfidf::{ClassTfIdf, FittedClassTfIdf, top_terms};
pub use cleaning::TextCleaning;
pub use count::{CountMatrix, CountVectorizer, DocumentFrequency, FittedCountVectorizer};
pub use languages::Language;
pub(crate) use reading::as_read;
pub use stop_words::StopWords;
