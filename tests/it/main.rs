//! A single binary, so that Polars is linked only once.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

// Shared by tests.
mod corpora;
mod notes;
mod npy;
#[cfg(feature = "models")]
mod test_device;

// Low-level modules.
mod approximate;
mod neighbors;
mod preprocess;
mod sparse;
mod stages;
mod vision;

// Stages, compared with the reference implementations.
#[cfg(feature = "models")]
mod captioner;
mod class_tfidf;
mod cleaning;
#[cfg(feature = "models")]
mod clip;
mod communities;
mod count_vectorizer;
mod hdbscan;
#[cfg(feature = "hub")]
mod hub;
#[cfg(feature = "hub")]
mod hub_models;
#[cfg(feature = "hub")]
mod hub_push;
#[cfg(feature = "hub")]
mod hub_push_failures;
#[cfg(feature = "hub")]
mod hub_repositories;
#[cfg(feature = "hub")]
mod hub_server;
#[cfg(feature = "hub")]
mod hub_snapshots;
mod kmeans;
mod measure;
#[cfg(feature = "models")]
mod minilm;
mod pca;
#[cfg(feature = "models")]
mod sentence_transformer;
mod static_embedder;
mod stop_words;
mod umap;
mod unicode_words;
mod word_forms;

// Topics.
mod colors;
mod distribution;
mod edit;
mod edit_chains;
mod edits;
mod equal_rows;
mod figures_charts;
mod figures_layers;
mod figures_svg;
mod find_documents;
mod fusion;
mod given_topics;
mod hierarchy;
mod image_addresses;
mod image_edits;
mod image_kinds;
mod images;
mod layers;
mod layout_2d;
mod outliers;
mod over_time;
mod per_class;
mod probabilities;
mod reduce_outliers;
mod representations;
mod search;
mod signals;
mod update_topics;
mod visual;

// User-facing behavior.
mod bad_input;
mod bertopic;
mod command;
mod command_edits;
mod command_explore;
#[cfg(feature = "models")]
mod command_models;
mod command_plots;
mod command_saved;
mod command_topics;
mod command_usage;
mod corpus;
mod delimited;
mod figures_map;
mod figures_png;
mod files;
mod hostile_images;
#[cfg(feature = "models")]
mod hostile_models;
#[cfg(feature = "models")]
mod hostile_tokenizers;
#[cfg(feature = "models")]
mod hostile_weights;
mod html;
mod interrupt;
mod json;
#[cfg(unix)]
mod kernel;
#[cfg(unix)]
mod kernel_folder;
#[cfg(unix)]
mod kernel_run;
mod map;
mod map_pages;
mod model;
mod parts;
mod progress_lines;
mod quality;
mod report;
mod report_contents;
mod saved;
mod saved_folders;
mod saved_without;
mod show;
#[cfg(feature = "models")]
mod show_stages;
mod tables;
mod trust;
#[cfg(unix)]
mod writing;

// The project's own rules.
mod documents;
mod layering;
#[cfg(feature = "models")]
mod notebooks;
