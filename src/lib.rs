//! Multimodal topic modelling on [Polars](polars) DataFrames.
//!
//! topicframe finds the topics of documents, of documents with pictures, and of pictures alone, as
//! [BERTopic](https://maartengr.github.io/BERTopic/) does: it embeds them, reduces the vectors with UMAP, clusters them
//! with HDBSCAN, and describes each cluster with words (c-TF-IDF) and with its most telling pictures. One frame goes
//! in, the same frame comes out with the columns `embedding`, `Topic` and `Probability` added.
//!
//! ```
//! use topicframe::prelude::*;
//!
//! let animals = ["cat", "dog", "horse", "rabbit"];
//! let captions: Vec<String> = (0..80)
//!     .map(|i| match i % 2 {
//!         0 => format!("a {} sleeps in the garden, animal number {i}", animals[i / 2 % 4]),
//!         _ => format!("fast train number {i} at the railway station, platform {}", i % 9),
//!     })
//!     .collect();
//! let posts = df!("caption" => captions)?;
//!
//! let model = TopicModel::text("caption", StaticEmbedder::builtin()).min_topic_size(10);
//! let (topics, posts) = model.fit_transform(&posts)?;
//!
//! println!("{}", topics.get_topic_info()?);
//! assert!(posts.column("Topic").is_ok());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The pipeline
//!
//! | step | folder | trait | built in |
//! |---|---|---|---|
//! | the frame's columns | [`corpus`] | | |
//! | texts, images → vectors | [`embed`] | [`TextEmbedder`](embed::TextEmbedder), [`ImageEmbedder`](embed::ImageEmbedder), [`JointEmbedder`](embed::JointEmbedder) | [`StaticEmbedder`](embed::StaticEmbedder), [`SentenceTransformer`](embed::SentenceTransformer), [`MultiModalBackend`](embed::MultiModalBackend) |
//! | images → captions | [`embed`] | [`ImageCaptioner`](embed::ImageCaptioner) | [`Captioner`](embed::Captioner) |
//! | vectors → few dimensions | [`reduce`] | [`Reducer`](reduce::Reducer) | [`Umap`](reduce::Umap), [`Pca`](reduce::Pca), [`NoReduction`](reduce::NoReduction) |
//! | points → topics | [`cluster`] | [`Clusterer`](cluster::Clusterer) | [`Hdbscan`](cluster::Hdbscan), [`KMeans`](cluster::KMeans) |
//! | texts → counts → weights | [`vectorize`] | | [`CountVectorizer`](vectorize::CountVectorizer), [`ClassTfIdf`](vectorize::ClassTfIdf) |
//! | topics → words, pictures | [`represent`] | [`Representation`](represent::Representation) | c-TF-IDF words, [`KeyBERTInspired`](represent::KeyBERTInspired), [`MaximalMarginalRelevance`](represent::MaximalMarginalRelevance), [`VisualWords`](represent::VisualWords), [`VisualRepresentation`](represent::VisualRepresentation) |
//! | what one asks of topics | [`topics`] | | |
//! | tables and pages | [`display`] | [`CellFormatter`](display::CellFormatter) | [`image_formatter`](display::image_formatter) |
//!
//! [`model::TopicModel`] ties them: it is the description of a model and never changes; fitting gives a
//! [`FittedTopicModel`]. The same frame, settings and seed give the same topics on any number of threads.
#![deny(missing_docs)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::todo, clippy::unreachable)
)]
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod error;
mod guard;
pub mod linalg;
pub mod neighbors;
pub mod progress;
mod regular_file;
pub mod vision;

pub mod corpus;
pub mod files;

pub mod embed;

pub mod reduce;

pub mod cluster;

pub mod vectorize;

pub mod represent;

mod encode;

pub mod topics;

pub mod model;

pub mod display;

pub mod prelude;

pub use error::{Error, ErrorKind, Result};
pub use model::{ClusterOn, FittedTopicModel, NrTopics, TopicModel};
#[doc(no_inline)]
pub use {ndarray, polars};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
