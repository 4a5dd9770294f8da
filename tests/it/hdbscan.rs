//! HDBSCAN* compared with Python's hdbscan 0.8.44 (tests/fixtures/hdbscan/make.py), and properties that hold for any
//! points.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use ndarray::{Array2, ArrayView2, Axis, array, concatenate, s};
use serde_json::Value;
use topicframe::cluster::hdbscan::{ClusterSelectionMethod, CondensedRow, FittedHdbscan, Hdbscan};
use topicframe::cluster::{Clusterer, FittedClusterer};
use topicframe::error::ErrorKind;
use topicframe::progress::Progress;
use topicframe::training::Training;

use crate::notes::Notes;
use crate::npy;

const SETS: [&str; 6] = ["blobs", "moons", "duplicates", "one_cluster", "all_noise", "umap"];

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/hdbscan")).join(name)
}

fn points(set: &str) -> Array2<f32> {
    npy::matrix(&format!("hdbscan/{set}.points.npy"))
}

fn expected(set: &str) -> Value {
    serde_json::from_slice(&std::fs::read(fixture(&format!("{set}.json"))).unwrap()).unwrap()
}

fn floats(value: &Value) -> Vec<f64> {
    let one = |value: &Value| value.as_f64().unwrap_or_else(|| value.as_str().unwrap().parse().unwrap());
    value.as_array().unwrap().iter().map(one).collect()
}

fn labels(value: &Value) -> Vec<i32> {
    value.as_array().unwrap().iter().map(|label| label.as_i64().unwrap() as i32).collect()
}

fn numbers(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|number| number.as_u64().unwrap() as usize).collect()
}

fn settings(parameters: &Value) -> Hdbscan {
    let mut settings = Hdbscan::new();
    for (name, value) in parameters.as_object().unwrap() {
        let size = || value.as_u64().unwrap() as usize;
        let number = || value.as_f64().unwrap();
        settings = match name.as_str() {
            "min_cluster_size" => settings.min_cluster_size(size()),
            "min_samples" => settings.min_samples(size()),
            "max_cluster_size" => settings.max_cluster_size(size()),
            "alpha" => settings.alpha(number()),
            "cluster_selection_epsilon" => settings.cluster_selection_epsilon(number()),
            "allow_single_cluster" => settings.allow_single_cluster(value.as_bool().unwrap()),
            "cluster_selection_method" if value == "leaf" => {
                settings.cluster_selection_method(ClusterSelectionMethod::Leaf)
            }
            _ => panic!("{name} = {value}"),
        };
    }
    settings
}

fn cluster(settings: &Hdbscan, points: ArrayView2<'_, f32>) -> FittedHdbscan {
    settings.cluster(points, &Progress::silent()).unwrap()
}

/// The adjusted Rand index (Hubert and Arabie 1985); outliers count as one additional cluster.
fn adjusted_rand_index(a: &[i32], b: &[i32]) -> f64 {
    let pairs = |counts: Vec<f64>| counts.iter().map(|count| count * (count - 1.0) / 2.0).sum::<f64>();
    let count = |keys: Vec<(i32, i32)>| {
        let mut counts = BTreeMap::new();
        keys.into_iter().for_each(|key| *counts.entry(key).or_insert(0.0) += 1.0);
        counts.into_values().collect::<Vec<f64>>()
    };
    let both = pairs(count(a.iter().copied().zip(b.iter().copied()).collect()));
    let in_a = pairs(count(a.iter().map(|&label| (label, 0)).collect()));
    let in_b = pairs(count(b.iter().map(|&label| (label, 0)).collect()));
    let all = pairs(vec![a.len() as f64]);
    let by_chance = in_a * in_b / all;
    let most = (in_a + in_b) / 2.0;
    if most == by_chance { 1.0 } else { (both - by_chance) / (most - by_chance) }
}

fn assert_close(ours: &[f64], theirs: &[f64], what: &str) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    for (place, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
        assert!((ours - theirs).abs() <= 1e-6, "{what}, {place}: {ours} instead of {theirs}");
    }
}

fn shuffled(rows: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rows).collect();
    let mut state = 88172645463325252u64;
    for place in (1..rows).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        order.swap(place, (state % (place as u64 + 1)) as usize);
    }
    order
}

/// Points in [0, 1), some of them denser.
fn scattered(rows: usize, columns: usize) -> Array2<f32> {
    let mut state = 0x2545F4914F6CDD1Du64;
    Array2::from_shape_fn((rows, columns), |(row, _)| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let uniform = (state >> 40) as f32 / (1u64 << 24) as f32;
        if row % 3 == 0 { uniform } else { (row % 7) as f32 + 0.2 * uniform }
    })
}

#[test]
fn labels_and_probabilities_are_those_of_python() {
    for set in SETS {
        let points = points(set);
        let all = expected(set);
        for case in all["cases"].as_array().unwrap().iter().chain([&all["detail"]]) {
            let what = format!("{set} {}", case["parameters"]);
            let fitted = cluster(&settings(&case["parameters"]), points.view());
            assert_eq!(fitted.labels(), labels(&case["labels"]), "{what}");
            assert_close(fitted.probabilities(), &floats(&case["probabilities"]), &what);
        }
    }
}

/// Without ties that matter, hdbscan's Prim and Borůvka paths agree and the partition is the same; with ties, it is
/// about as close to each of them as they are to each other.
#[test]
fn partitions_are_those_of_python_whichever_way_it_breaks_ties() {
    let (mut without_ties, mut defaults) = (0, 0);
    for set in SETS {
        let points = points(set);
        let all = expected(set);
        for case in all["cases"].as_array().unwrap().iter().chain([&all["detail"]]) {
            let fitted = cluster(&settings(&case["parameters"]), points.view());
            let natural = |name: &str| case.get(name).map_or_else(|| labels(&case["labels"]), labels);
            let (prims, boruvka) = (natural("labels_prims"), natural("labels_boruvka"));
            let among_themselves = adjusted_rand_index(&prims, &boruvka);
            for theirs in [prims, boruvka] {
                let index = adjusted_rand_index(fitted.labels(), &theirs);
                let what = format!("{set} {}: {index}", case["parameters"]);
                let tied = case.get("labels_prims").is_some() || case.get("labels_boruvka").is_some();
                assert!(index >= if tied { among_themselves - 0.03 } else { 1.0 }, "{what}");
                without_ties += usize::from(!tied);
            }
        }
        defaults += usize::from(all["detail"].get("labels_boruvka").is_none());
    }
    assert!(without_ties > 50 && defaults == SETS.len(), "{without_ties} {defaults}");
}

#[test]
fn condensed_trees_are_those_of_python() {
    for set in SETS {
        let detail = &expected(set)["detail"];
        let fitted = cluster(&settings(&detail["parameters"]), points(set).view());
        let theirs = &detail["condensed_tree"];
        let mut theirs: Vec<CondensedRow> = numbers(&theirs["parent"])
            .into_iter()
            .zip(numbers(&theirs["child"]))
            .zip(floats(&theirs["lambda"]))
            .zip(numbers(&theirs["child_size"]))
            .map(|(((parent, child), lambda), child_size)| CondensedRow { parent, child, lambda, child_size })
            .collect();
        let mut ours = fitted.condensed_tree().rows().to_vec();
        theirs.sort_by_key(|row| row.child);
        ours.sort_by_key(|row| row.child);
        assert_eq!(ours.len(), theirs.len(), "{set}");
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert_eq!(
                (ours.parent, ours.child, ours.child_size),
                (theirs.parent, theirs.child, theirs.child_size),
                "{set}"
            );
            let same = ours.lambda == theirs.lambda || (ours.lambda / theirs.lambda - 1.0).abs() < 1e-7;
            assert!(same, "{set}: {ours:?} {theirs:?}");
        }
    }
}

/// Python returns NaN next to coinciding points; the limit is 1.
#[test]
fn outlier_scores_are_those_of_python() {
    for set in SETS {
        let detail = &expected(set)["detail"];
        let fitted = cluster(&settings(&detail["parameters"]), points(set).view());
        let theirs: Vec<f64> = floats(&detail["outlier_scores"]);
        assert_eq!(theirs.iter().any(|score| score.is_nan()), set == "duplicates", "{set}");
        let theirs: Vec<f64> = theirs.into_iter().map(|score| if score.is_nan() { 1.0 } else { score }).collect();
        assert_close(fitted.outlier_scores(), &theirs, set);
    }
}

#[test]
fn predictions_are_those_of_python() {
    for set in ["blobs", "moons", "duplicates", "umap"] {
        let detail = &expected(set)["detail"];
        let fitted = cluster(&settings(&detail["parameters"]), points(set).view());
        let (ours, strengths) = fitted
            .approximate_predict(npy::matrix(&format!("hdbscan/{set}.queries.npy")).view(), &Progress::silent())
            .unwrap();
        assert_eq!(ours, labels(&detail["predicted_labels"]), "{set}");
        assert!(ours.iter().collect::<BTreeSet<_>>().len() > 1, "{set}");
        let theirs = floats(&detail["predicted_probabilities"]);
        if set == "duplicates" {
            // At the position of a pile of coinciding points, Python assigns 0 where it assigns the pile itself 1.
            let on_a_pile = |place: usize| ours[place] >= 0 && strengths[place] == 1.0 && theirs[place] == 0.0;
            let (kept, theirs): (Vec<f64>, Vec<f64>) = (0..ours.len())
                .filter(|&place| !on_a_pile(place))
                .map(|place| (strengths[place], theirs[place]))
                .unzip();
            assert!(kept.len() + 10 > ours.len());
            assert_close(&kept, &theirs, set);
        } else {
            assert_close(&strengths, &theirs, set);
        }
    }
}

fn assert_rows_close(ours: ArrayView2<'_, f64>, theirs: &Value, what: &str) {
    let theirs = theirs.as_array().unwrap();
    assert_eq!(ours.nrows(), theirs.len(), "{what}");
    let mut compared = 0;
    for (row, (ours, theirs)) in ours.rows().into_iter().zip(theirs).enumerate() {
        let theirs = floats(theirs);
        assert_eq!(ours.len(), theirs.len(), "{what}");
        let sum = ours.sum();
        assert!((0.0..=1.0 + 1e-9).contains(&sum), "{what}, {row}: sum {sum}");
        if theirs.iter().all(|value| !value.is_nan()) {
            assert_close(ours.as_slice().unwrap(), &theirs, &format!("{what}, row {row}"));
            compared += 1;
        }
    }
    assert!(compared > 0, "{what}");
}

/// Python returns NaN for infinite lambdas; those rows need only be valid memberships.
#[test]
fn soft_memberships_are_those_of_python() {
    for set in ["blobs", "moons", "duplicates", "umap"] {
        let detail = &expected(set)["detail"];
        let fitted = cluster(&settings(&detail["parameters"]), points(set).view());
        let step = detail["membership_step"].as_u64().unwrap() as usize;
        let all = fitted.all_points_membership_vectors();
        assert_eq!(all.dim(), (fitted.labels().len(), fitted.n_clusters()));
        let some: Vec<usize> = (0..all.nrows()).step_by(step).collect();
        assert_rows_close(all.select(Axis(0), &some).view(), &detail["all_points_membership"], set);
        let new = fitted.membership_vector(npy::matrix(&format!("hdbscan/{set}.queries.npy")).view()).unwrap();
        assert_rows_close(new.view(), &detail["membership"], &format!("{set}, new points"));
        assert_eq!(FittedClusterer::membership_vectors(&fitted).unwrap().unwrap(), all);
        let rows = all.nrows();
        for part in [0..7, 7..rows, rows - 1..rows + 5, rows..rows] {
            let expected = all.slice(s![part.start..part.end.min(rows), ..]);
            assert_eq!(fitted.membership_vectors_of_rows(part), expected);
        }
    }
}

#[test]
fn any_number_of_threads_gives_the_same() {
    let rough = scattered(3000, 3).mapv(|value| (value * 20.0).round());
    for points in [scattered(4000, 5), rough, scattered(600, 40)] {
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let fitted = cluster(&Hdbscan::new(), points.view());
                let predicted = fitted.approximate_predict(points.view(), &Progress::silent()).unwrap();
                let memberships = fitted.all_points_membership_vectors();
                let scores: Vec<u64> = fitted.outlier_scores().iter().map(|score| score.to_bits()).collect();
                let rows = fitted.condensed_tree().rows().to_vec();
                (fitted.labels().to_vec(), fitted.probabilities().to_vec(), scores, rows, predicted, memberships)
            })
        };
        let one = on(1);
        assert!(one.0.iter().any(|&label| label >= 0));
        for threads in [2, 3, 8] {
            assert!(one == on(threads), "{threads} threads");
        }
    }
}

/// The k-d tree and the linear scan find the same tree: columns of zeros change no distance, only the search method.
#[test]
fn many_columns_give_what_few_give() {
    let rough = scattered(700, 3).mapv(|value| (value * 8.0).round());
    let settings = [
        Hdbscan::new(),
        Hdbscan::new().min_samples(1),
        Hdbscan::new().min_samples(90).min_cluster_size(20),
        Hdbscan::new().alpha(0.6),
        Hdbscan::new().alpha(1.7).cluster_selection_method(ClusterSelectionMethod::Leaf),
    ];
    for points in [scattered(900, 4), rough, points("umap"), points("duplicates")] {
        let widen = |points: &Array2<f32>| concatenate![Axis(1), *points, Array2::<f32>::zeros((points.nrows(), 30))];
        let queries = points.mapv(|value| value + 0.01);
        for settings in &settings {
            let few = cluster(settings, points.view());
            let many = cluster(settings, widen(&points).view());
            assert_eq!(few.labels(), many.labels(), "{settings:?}");
            assert_close(few.probabilities(), many.probabilities(), "probabilities");
            assert_close(few.outlier_scores(), many.outlier_scores(), "outlier scores");
            let few = few.approximate_predict(queries.view(), &Progress::silent()).unwrap();
            let many = many.approximate_predict(widen(&queries).view(), &Progress::silent()).unwrap();
            assert_eq!(few.0, many.0, "{settings:?}");
            assert_close(&few.1, &many.1, "predictions");
        }
    }
}

/// Equal edges are ordered by distance before rows, so without equal distances the order of rows has no effect.
#[test]
fn the_order_of_rows_does_not_matter() {
    for set in ["blobs", "moons", "umap"] {
        let points = points(set);
        let order = shuffled(points.nrows());
        let straight = cluster(&Hdbscan::new(), points.view());
        let mixed = cluster(&Hdbscan::new(), points.select(Axis(0), &order).view());
        let back: Vec<i32> = order.iter().map(|&row| straight.labels()[row]).collect();
        assert_eq!(adjusted_rand_index(mixed.labels(), &back), 1.0, "{set}");
        let back: Vec<f64> = order.iter().map(|&row| straight.probabilities()[row]).collect();
        assert_close(mixed.probabilities(), &back, set);
    }
}

/// All points of a subtree that is too small fall out where it splits off, not at their own merges below.
#[test]
fn small_subtrees_fall_out_at_once() {
    let mut values: Vec<f32> = (0..20).map(|step| step as f32).collect();
    values.extend([100.0, 100.1, 100.3]);
    let points = Array2::from_shape_vec((23, 1), values).unwrap();
    let fitted = cluster(&Hdbscan::new().min_cluster_size(5).min_samples(1), points.view());
    let lambda = |point: usize| fitted.condensed_tree().rows().iter().find(|row| row.child == point).unwrap().lambda;
    for point in 20..23 {
        assert!((lambda(point) - 1.0 / 81.0).abs() < 1e-9, "{}", lambda(point));
    }
}

#[test]
fn the_condensed_tree_holds_every_point_once() {
    let points = scattered(2000, 4);
    let fitted = cluster(&Hdbscan::new().min_cluster_size(7), points.view());
    let tree = fitted.condensed_tree();
    assert_eq!(tree.points(), 2000);
    let mut children: Vec<usize> = tree.rows().iter().map(|row| row.child).collect();
    children.sort_unstable();
    let clusters = children.len() - 2000;
    let all: Vec<usize> = (0..2000).chain(2001..2001 + clusters).collect();
    assert_eq!(children, all);
    for row in tree.rows().iter().filter(|row| row.child > 2000) {
        let below = |parent: usize| tree.rows().iter().filter(move |row| row.parent == parent);
        assert_eq!(below(row.child).map(|row| row.child_size).sum::<usize>(), row.child_size);
        assert!(row.child_size >= 7 && below(row.child).all(|below| below.lambda >= row.lambda));
    }
}

#[test]
fn few_points_are_outliers() {
    for rows in [1, 2, 5, 9] {
        for settings in [Hdbscan::new(), Hdbscan::new().allow_single_cluster(true)] {
            let points = scattered(rows, 2);
            let fitted = cluster(&settings, points.view());
            assert_eq!(fitted.labels(), vec![-1; rows]);
            assert_eq!(fitted.probabilities(), vec![0.0; rows]);
            assert!(fitted.outlier_scores().iter().all(|score| (0.0..=1.0).contains(score)));
            assert_eq!(
                fitted.approximate_predict(points.view(), &Progress::silent()).unwrap(),
                (vec![-1; rows], vec![0.0; rows])
            );
            assert_eq!(fitted.all_points_membership_vectors().dim(), (rows, 0));
            assert_eq!(fitted.membership_vector(points.view()).unwrap().dim(), (rows, 0));
        }
    }
    let pairs = array![[0.0f32], [0.1], [9.0], [9.1], [4.0]];
    let fitted = cluster(&Hdbscan::new().min_cluster_size(2).min_samples(1), pairs.view());
    assert_eq!(fitted.labels()[..4], [0, 0, 1, 1]);
}

#[test]
fn equal_points_are_no_cluster_or_one() {
    for rows in [2, 15, 40, 5000] {
        let points = Array2::from_elem((rows, 3), 0.7f32);
        let none = cluster(&Hdbscan::new(), points.view());
        assert_eq!(none.labels(), vec![-1; rows]);
        assert_eq!(none.outlier_scores(), vec![0.0; rows]);
        if rows >= 10 {
            let one = cluster(&Hdbscan::new().allow_single_cluster(true), points.view());
            assert_eq!(one.labels(), vec![0; rows]);
            assert_eq!(one.probabilities(), vec![1.0; rows]);
            assert_eq!(one.approximate_predict(points.view(), &Progress::silent()).unwrap().0, vec![0; rows]);
            assert_eq!(one.all_points_membership_vectors(), Array2::from_elem((rows, 1), 1.0));
        }
    }
}

#[test]
fn constant_columns_change_nothing() {
    let points = points("blobs");
    let with = concatenate![Axis(1), Array2::from_elem((points.nrows(), 2), 5.0f32), points];
    let (plain, with) = (cluster(&Hdbscan::new(), points.view()), cluster(&Hdbscan::new(), with.view()));
    assert_eq!(plain.labels(), with.labels());
    assert_eq!(plain.probabilities(), with.probabilities());
}

/// A view with reversed columns and non-contiguous rows is read like any other.
#[test]
fn views_need_not_be_contiguous() {
    let points = points("blobs");
    let fortran = points.t().as_standard_layout().into_owned();
    let (rows, columns) = (cluster(&Hdbscan::new(), points.view()), cluster(&Hdbscan::new(), fortran.t()));
    assert_eq!(rows.labels(), columns.labels());
    assert_eq!(
        rows.approximate_predict(points.view(), &Progress::silent()).unwrap(),
        columns.approximate_predict(fortran.t(), &Progress::silent()).unwrap()
    );
}

#[test]
fn rows_are_predicted_one_by_one() {
    let fitted = cluster(&Hdbscan::new(), points("blobs").view());
    let queries = npy::matrix("hdbscan/blobs.queries.npy");
    let (labels, strengths) = fitted.approximate_predict(queries.view(), &Progress::silent()).unwrap();
    for (row, query) in queries.rows().into_iter().enumerate() {
        let alone = fitted.approximate_predict(query.insert_axis(Axis(0)), &Progress::silent()).unwrap();
        assert_eq!(alone, (vec![labels[row]], vec![strengths[row]]));
    }
    assert_eq!(
        fitted.approximate_predict(Array2::zeros((0, 3)).view(), &Progress::silent()).unwrap(),
        (vec![], vec![])
    );
}

#[test]
fn bad_points_are_named() {
    let error = |points: Array2<f32>| Hdbscan::new().cluster(points.view(), &Progress::silent()).unwrap_err();
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut points = scattered(50, 3);
        points[[17, 2]] = bad;
        let error = error(points.clone());
        assert_eq!((error.kind(), error.row()), (ErrorKind::InvalidData, Some(17)), "{error:#}");
        let fitted = cluster(&Hdbscan::new(), scattered(50, 3).view());
        assert_eq!(fitted.approximate_predict(points.view(), &Progress::silent()).unwrap_err().row(), Some(17));
        assert_eq!(fitted.membership_vector(points.view()).unwrap_err().row(), Some(17));
        assert!(
            fitted
                .approximate_predict(scattered(5, 4).view(), &Progress::silent())
                .map_err(|error| format!("{error:#}"))
                .unwrap_err()
                .contains("3 columns")
        );
    }
    assert_eq!(error(Array2::zeros((0, 3))).kind(), ErrorKind::InvalidData);
    assert_eq!(error(Array2::zeros((3, 0))).kind(), ErrorKind::InvalidData);
}

#[test]
fn bad_parameters_are_named() {
    for (name, settings) in [
        ("min_cluster_size", Hdbscan::new().min_cluster_size(1)),
        ("min_samples", Hdbscan::new().min_samples(0)),
        ("alpha", Hdbscan::new().alpha(0.0)),
        ("alpha", Hdbscan::new().alpha(f64::NAN)),
        ("cluster_selection_epsilon", Hdbscan::new().cluster_selection_epsilon(-0.1)),
        ("cluster_selection_epsilon", Hdbscan::new().cluster_selection_epsilon(f64::INFINITY)),
    ] {
        let error = settings.check().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter);
        assert!(format!("{error:#}").contains(name), "{error:#}");
        assert!(settings.cluster(scattered(20, 2).view(), &Progress::silent()).is_err());
    }
    assert!(Hdbscan::new().check().is_ok());
}

#[test]
fn fewer_points_than_samples_are_told() {
    let notes_of = |settings: Hdbscan, rows: usize| {
        let notes = Arc::new(Notes::default());
        settings.cluster(scattered(rows, 2).view(), &Progress::to(notes.clone())).unwrap();
        notes.text()
    };
    let told = notes_of(Hdbscan::new().min_samples(20), 20);
    assert!(told.contains("min_samples = 20 reduced to 19: there are only 20 points"), "{told}");
    for (settings, rows) in
        [(Hdbscan::new().min_samples(19), 20), (Hdbscan::new(), 5), (Hdbscan::new().min_samples(2), 1)]
    {
        assert_eq!(notes_of(settings, rows), "");
    }
}

#[test]
fn the_trait_gives_what_the_type_gives() {
    let points = points("blobs");
    let fitted = cluster(&Hdbscan::new(), points.view());
    let settings: Box<dyn Clusterer> = Box::new(Hdbscan::new());
    let clustering = settings.fit(&Training::new(points.view()).with_seed(3)).unwrap();
    assert_eq!(clustering.labels, fitted.labels());
    assert_eq!(clustering.probabilities, fitted.probabilities());
    let queries = npy::matrix("hdbscan/blobs.queries.npy");
    assert_eq!(
        clustering.model.predict(queries.view(), &Progress::silent()).unwrap(),
        fitted.approximate_predict(queries.view(), &Progress::silent()).unwrap()
    );
    assert_eq!((settings.min_rows(), Hdbscan::new().allow_single_cluster(true).min_rows()), (20, 10));
}
