//! Communities: Leiden compared with leidenalg, and what a clustering by them must hold.

use std::collections::BTreeSet;
use std::sync::Arc;

use ndarray::{Array2, Axis};
use serde_json::Value;
use topicframe::cluster::{Clusterer, Clustering, Communities, leiden_communities};
use topicframe::error::ErrorKind;
use topicframe::graph::FuzzyGraph;
use topicframe::prelude::*;
use topicframe::progress::Progress;
use topicframe::training::Training;

use crate::notes::Notes;
use crate::npy;

/// A graph from its edges, given once each.
fn graph(nodes: usize, edges: &[(u32, u32, f32)]) -> FuzzyGraph {
    let mut of_nodes = vec![Vec::new(); nodes];
    for &(a, b, weight) in edges {
        of_nodes[a as usize].push((b, weight));
        of_nodes[b as usize].push((a, weight));
    }
    let mut graph = FuzzyGraph { offsets: vec![0], indices: Vec::new(), weights: Vec::new() };
    for mut edges in of_nodes {
        edges.sort_by_key(|&(end, _)| end);
        graph.indices.extend(edges.iter().map(|&(end, _)| end));
        graph.weights.extend(edges.iter().map(|&(_, weight)| weight));
        graph.offsets.push(graph.indices.len());
    }
    graph
}

fn fixture(name: &str) -> FuzzyGraph {
    let edges = npy::matrix(&format!("leiden/{name}.npy"));
    let edges: Vec<_> = edges.columns().into_iter().map(|edge| (edge[0] as u32, edge[1] as u32, edge[2])).collect();
    let nodes = edges.iter().map(|&(a, b, _)| a.max(b)).max().unwrap() as usize + 1;
    graph(nodes, &edges)
}

/// The number of connected parts of the nodes with one label.
fn parts(graph: &FuzzyGraph, labels: &[u32], label: u32) -> usize {
    let mut left: BTreeSet<usize> = (0..labels.len()).filter(|&node| labels[node] == label).collect();
    let mut parts = 0;
    while let Some(first) = left.pop_first() {
        parts += 1;
        let mut open = vec![first];
        while let Some(node) = open.pop() {
            open.extend(graph.row(node).0.iter().map(|&end| end as usize).filter(|end| left.remove(end)));
        }
    }
    parts
}

#[test]
fn modularity_is_at_least_that_of_leidenalg() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/leiden/expected.json");
    let expected: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    for (name, cases) in expected.as_object().unwrap() {
        let graph = fixture(name);
        for case in cases.as_array().unwrap() {
            let resolution = case["resolution"].as_f64().unwrap();
            let theirs: Vec<f64> = case["quality"].as_array().unwrap().iter().map(|q| q.as_f64().unwrap()).collect();
            let mut ours: Vec<f64> = (0..20).map(|seed| leiden_communities(&graph, resolution, seed).1).collect();
            ours.sort_by(f64::total_cmp);
            let noise = (theirs[19] - theirs[0]).max(2e-3);
            let mean = |values: &[f64]| values.iter().sum::<f64>() / 20.0;
            assert!(mean(&ours) > mean(&theirs) - noise / 4.0, "{name} {resolution}: {ours:?} {theirs:?}");
            assert!(ours[19] > theirs[19] - noise / 4.0 && ours[0] > theirs[0] - noise, "{name} {resolution}");
        }
    }
}

#[test]
fn every_community_is_connected() {
    for name in ["karate", "digits", "planted", "random"] {
        let graph = fixture(name);
        for (seed, resolution) in [(1, 0.3), (2, 1.0), (3, 3.0), (4, 20.0)] {
            let (labels, _) = leiden_communities(&graph, resolution, seed);
            let count = *labels.iter().max().unwrap() + 1;
            assert!((0..count).all(|label| parts(&graph, &labels, label) == 1), "{name} {resolution}");
        }
    }
}

#[test]
fn graphs_with_little_in_them() {
    assert!(leiden_communities(&graph(0, &[]), 1.0, 1).0.is_empty());
    assert_eq!(leiden_communities(&graph(1, &[]), 1.0, 1).0, [0]);
    assert_eq!(leiden_communities(&graph(3, &[]), 1.0, 1).0, [0, 1, 2]);
    assert_eq!(leiden_communities(&graph(5, &[(0, 1, 1.0), (3, 4, 0.5)]), 1.0, 1).0, [0, 0, 1, 2, 2]);
    // Weights that differ between the directions of an edge: any answer, but an answer.
    let mut lopsided = graph(3, &[(0, 1, 1.0), (1, 2, 1.0), (0, 2, 1.0)]);
    lopsided.weights = vec![0.1, 5.0, 5.0, 0.1, 0.1, 5.0];
    assert_eq!(leiden_communities(&lopsided, 2.0, 1).0.len(), 3);
}

/// Points around `centers` directions, in turn.
fn bundles(rows: usize, centers: usize, spread: f32) -> Array2<f32> {
    let mut state = 7_u64;
    Array2::from_shape_fn((rows, 16), |(row, column)| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let unit = (state >> 40) as f32 / (1u64 << 24) as f32 - 0.5;
        let center = f32::from(row % centers == column);
        center + spread * unit
    })
}

fn fit(settings: &Communities, points: &Array2<f32>, seed: u64) -> Clustering {
    settings.fit(&Training::new(points.view()).with_seed(seed)).unwrap()
}

#[test]
fn bundles_are_communities_and_new_points_join_them() {
    let points = bundles(600, 6, 0.4);
    let clustering = fit(&Communities::new().n_clusters(6), &points, 3);
    let expected: Vec<i32> = (0..600).map(|row| row % 6).collect();
    assert_eq!(clustering.labels, expected);
    assert!(clustering.probabilities.iter().all(|p| (0.0..=1.0).contains(p)));
    assert!(clustering.probabilities.iter().sum::<f64>() > 500.0);

    let new = bundles(60, 6, 0.3);
    let (labels, strengths) = clustering.model.predict(new.view(), &Progress::silent()).unwrap();
    assert_eq!(labels, expected[..60]);
    assert!(strengths.iter().all(|&strength| strength > 0.5 && strength <= 1.0));
}

#[test]
fn the_tree_is_cut_at_any_number_and_is_nested() {
    let points = bundles(900, 12, 1.2);
    let clustering = fit(&Communities::new(), &points, 3);
    let mut finer: Option<Vec<i32>> = None;
    let finest = clustering.model.at(usize::MAX).unwrap().labels.iter().max().unwrap() + 1;
    assert!(finest >= 12, "{finest}");
    for count in (2..=finest).rev() {
        let labels = clustering.model.at(count as usize).unwrap().labels;
        assert_eq!(labels.iter().max().unwrap() + 1, count);
        if let Some(finer) = finer {
            let pairs: BTreeSet<(i32, i32)> = finer.iter().copied().zip(labels.iter().copied()).collect();
            assert_eq!(pairs.len() as i32, count + 1, "every cluster is within one of the next coarser cut");
        }
        finer = Some(labels);
    }
}

#[test]
fn the_same_seed_gives_the_same_clustering_on_any_number_of_threads() {
    let points = bundles(700, 9, 1.5);
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| fit(&Communities::new(), &points, 5))
    };
    let (one, three) = (on(1), on(3));
    assert_eq!(one.labels, three.labels);
    assert_eq!(one.probabilities, three.probabilities);
    assert_eq!(one.runners_up, three.runners_up);
}

#[test]
fn ten_thousand_equal_rows_are_one_cluster() {
    let places = vec![0; 10_000];
    let point = bundles(1, 1, 0.0);
    let training = Training::new(point.view()).with_places(&places);
    let clustering = Communities::new().fit(&training).unwrap();
    assert_eq!(clustering.labels, vec![0; 10_000]);
    assert_eq!(clustering.probabilities, vec![1.0; 10_000]);
}

#[test]
fn a_small_part_that_nothing_connects_is_an_outlier() {
    let mut points = bundles(200, 2, 0.3);
    // Four rows that only know each other.
    let few = Array2::from_shape_fn((4, 16), |(row, column)| if column == 15 { 1.0 } else { row as f32 * 1e-3 });
    points.append(Axis(0), few.view()).unwrap();
    let clustering = fit(&Communities::new().n_neighbors(4), &points, 1);
    assert_eq!(clustering.labels[200..], [-1; 4]);
    assert_eq!(clustering.probabilities[200..], [0.0; 4]);
    assert!(clustering.labels[..200].iter().all(|&label| label >= 0));
}

#[test]
fn what_the_data_do_not_allow_is_noted() {
    let notes = Arc::new(Notes::default());
    let points = bundles(12, 2, 0.3);
    let fit = |neighbors: usize| {
        let training = Training::new(points.view()).with_progress(&Progress::to(notes.clone()));
        Communities::new().n_neighbors(neighbors).min_cluster_size(2).fit(&training).unwrap()
    };
    fit(11);
    assert_eq!(notes.text(), "");
    fit(40);
    assert_eq!(notes.text(), "n_neighbors = 40 reduced to 11: there are only 12 vectors");
}

#[test]
fn groups_that_are_too_small_join_others_with_a_note() {
    let notes = Arc::new(Notes::default());
    let vectors: Vec<Series> =
        bundles(330, 11, 0.9).outer_iter().map(|row| Series::new("".into(), row.to_vec())).collect();
    let frame = df!("text" => vec!["the cat sleeps"; 330], "v" => vectors).unwrap();
    let fit = |fewest: usize| {
        let communities = Communities::new().n_neighbors(8).n_clusters(11).min_cluster_size(fewest);
        let model = TopicModel::text("text", StaticEmbedder::builtin()).embeddings("v").clusterer(communities);
        model.with_progress(Progress::to(notes.clone())).fit(&frame).unwrap()
    };
    fit(2);
    assert!(!notes.text().contains("joined"), "{}", notes.text());
    fit(60);
    assert!(notes.text().contains("of fewer than 60 rows joined the topic"), "{}", notes.text());
}

#[test]
fn parameters_out_of_range_are_refused() {
    let refused = |settings: Communities, name: &str| {
        let error = settings.check().unwrap_err();
        assert_eq!((error.kind(), error.parameter()), (ErrorKind::InvalidParameter, Some(name)));
    };
    refused(Communities::new().n_neighbors(1), "n_neighbors");
    refused(Communities::new().min_cluster_size(1), "min_cluster_size");
    refused(Communities::new().n_clusters(0), "n_clusters");
    refused(Communities::new().resolution(0.0), "resolution");
    refused(Communities::new().resolution(f64::NAN), "resolution");
    refused(Communities::new().n_runs(0), "n_runs");
    refused(Communities::new().lexical_weight(1.5), "lexical_weight");
}
