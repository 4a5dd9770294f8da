//! One binary, so that Polars is linked once.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

// Leaves.
mod approximate;
mod neighbors;
mod sparse;
mod vision;

// Stages, against the reference implementations.
mod class_tfidf;
mod count_vectorizer;
mod hdbscan;
mod kmeans;
mod pca;
mod static_embedder;
mod umap;

// Topics.
mod colours;
mod edit;
mod fusion;
mod images;
mod representations;
mod search;
mod visual;

// What a user sees.
mod bad_input;
mod command;
mod corpora;
mod corpus;
mod files;
mod html;
mod interrupt;
mod model;
mod report;

// The project's own rules.
mod documents;
mod layering;
