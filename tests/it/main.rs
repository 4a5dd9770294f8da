//! One binary, so that Polars is linked once.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

// What tests share.
mod corpora;
mod notes;

// Leaves.
mod approximate;
mod neighbors;
mod preprocess;
mod sparse;
mod vision;

// Stages, against the reference implementations.
mod captioner;
mod class_tfidf;
mod clip;
mod count_vectorizer;
mod hdbscan;
#[cfg(feature = "hub")]
mod hub;
#[cfg(feature = "hub")]
mod hub_server;
mod kmeans;
mod minilm;
mod pca;
mod sentence_transformer;
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
mod command_models;
mod corpus;
mod files;
mod html;
mod interrupt;
#[cfg(unix)]
mod kernel;
#[cfg(unix)]
mod kernel_run;
mod model;
mod parts;
mod progress_lines;
mod report;
mod show;
mod tables;

// The project's own rules.
mod documents;
mod layering;
mod notebooks;
