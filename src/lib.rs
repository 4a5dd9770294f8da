//! Multimodal topic modeling on [Polars](polars) DataFrames.
//!
//! topicframe finds topics in text, text with images, and images alone, as
//! [BERTopic](https://maartengr.github.io/BERTopic/) does: it embeds the documents, connects each with its
//! nearest neighbors, finds the communities of that graph, and describes each with keywords (c-TF-IDF) and its most
//! representative images; BERTopic's own stages, UMAP and HDBSCAN, are there as well.
//! The output is the input frame with the columns `embedding`, `Topic` and `Probability` added.
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
//! | step | module | trait | built-in implementations |
//! |---|---|---|---|
//! | reading the frame's columns | [`corpus`] | | |
//! | embedding texts and images | [`embed`] | [`TextEmbedder`](embed::TextEmbedder), [`ImageEmbedder`](embed::ImageEmbedder), [`JointEmbedder`](embed::JointEmbedder) | [`StaticEmbedder`](embed::StaticEmbedder), [`SentenceTransformer`](embed::SentenceTransformer), [`MultiModalBackend`](embed::MultiModalBackend) |
//! | captioning images | [`caption`] | [`ImageCaptioner`](caption::ImageCaptioner) | [`Captioner`](caption::Captioner) |
//! | dimensionality reduction | [`reduce`] | [`Reducer`](reduce::Reducer) | [`Umap`](reduce::Umap), [`Pca`](reduce::Pca), [`NoReduction`](reduce::NoReduction) |
//! | clustering | [`cluster`] | [`Clusterer`](cluster::Clusterer) | [`Hdbscan`](cluster::Hdbscan), [`KMeans`](cluster::KMeans) |
//! | counting and weighting terms | [`vectorize`] | | [`CountVectorizer`](vectorize::CountVectorizer), [`ClassTfIdf`](vectorize::ClassTfIdf) |
//! | describing topics | [`represent`] | [`Representation`](represent::Representation) | c-TF-IDF words, [`KeyBERTInspired`](represent::KeyBERTInspired), [`MaximalMarginalRelevance`](represent::MaximalMarginalRelevance), [`VisualWords`](represent::VisualWords), [`VisualRepresentation`](represent::VisualRepresentation) |
//! | term counts and edit history of topics | [`topics`] | | |
//! | measuring topics and clusterings | [`measure`] | | |
//! | fitting, querying and editing topics | [`model`] | | |
//! | tables and reports | [`display`] | [`CellFormatter`](display::CellFormatter) | [`image_formatter`](display::image_formatter) |
//!
//! [`TopicModel`] combines these steps: it is an immutable configuration, and fitting it returns a
//! [`FittedTopicModel`]. The same frame, settings and seed produce the same topics on any number of threads.
#![deny(missing_docs)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::todo, clippy::unreachable)
)]
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod error;
pub mod graph;
mod guard;
pub mod linalg;
pub mod measure;
pub mod neighbors;
pub mod progress;
mod regular_file;
pub mod spec;
pub mod state;
pub mod training;
pub mod vision;

pub mod corpus;
pub mod files;

pub mod hub;

mod nn;

pub mod caption;

pub mod embed;

pub mod reduce;

pub mod cluster;

pub mod vectorize;

pub mod represent;

mod encode;

mod store;

pub mod topics;

pub mod model;

pub mod display;

pub mod prelude;

pub use error::{Error, ErrorKind, Result};
pub use model::{ClusterOn, FittedTopicModel, NrTopics, TopicModel};
pub use training::Training;
#[doc(no_inline)]
pub use {ndarray, polars};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../docs/library.md")]
struct Library;

#[cfg(doctest)]
#[doc = include_str!("../docs/figures.md")]
struct Figures;

#[cfg(doctest)]
#[doc = include_str!("../docs/map.md")]
struct Map;

#[cfg(doctest)]
#[doc = include_str!("../docs/models.md")]
struct Models;

#[cfg(doctest)]
#[doc = include_str!("../docs/bertopic.md")]
struct Bertopic;
