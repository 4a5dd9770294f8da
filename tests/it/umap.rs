//! UMAP compared with umap-learn 0.5.12: step by step where the steps are exact, by the quality of the layout where
//! they are not.

use std::sync::{Arc, Mutex};

use ndarray::{Array2, ArrayView2, s};
use topicframe::error::{ErrorKind, Stage};
use topicframe::graph::{FuzzyGraph, fuzzy_simplicial_set, smooth_knn_dist};
use topicframe::neighbors::{Metric, NeighborIndex, Neighbors};
use topicframe::progress::{Event, Progress, ProgressSink};
use topicframe::reduce::umap::{Umap, find_ab_params};
use topicframe::reduce::{FittedReducer, Reducer};
use topicframe::training::Training;

fn numbers(name: &str) -> Vec<u8> {
    let path = format!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/umap/{}.npy"), name);
    let bytes = std::fs::read(path).unwrap();
    let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    assert!(String::from_utf8_lossy(&bytes[10..start]).contains("'fortran_order': False"), "{name}");
    bytes[start..].to_vec()
}

fn floats(name: &str) -> Vec<f32> {
    numbers(name).chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

fn integers(name: &str) -> Vec<u32> {
    numbers(name).chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

fn reference() -> serde_json::Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/umap/reference.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn neighbors(metric: &str) -> Neighbors {
    let (indices, distances) = (format!("{metric}_indices"), format!("{metric}_distances"));
    Neighbors { k: 15, indices: integers(&indices), distances: floats(&distances) }
}

fn digits() -> (Array2<f32>, Vec<u8>) {
    let values = numbers("digits").into_iter().map(f32::from).collect();
    (Array2::from_shape_vec((600, 64), values).unwrap(), numbers("labels"))
}

/// Enough rows for several blocks: each is the sum of twice one digit and once another.
fn mixed_digits(rows: usize) -> Array2<f32> {
    let (digits, _) = digits();
    let of =
        |row: usize, column| 2.0 * digits[(row % 600, column)] + digits[((37 * row + 11 * (row / 600)) % 600, column)];
    Array2::from_shape_fn((rows, 64), |(row, column)| of(row, column))
}

fn points() -> Array2<f32> {
    Array2::from_shape_vec((240, 12), floats("points")).unwrap()
}

fn layout(umap: &Umap, data: ArrayView2<'_, f32>, seed: u64) -> Array2<f32> {
    umap.fit(&Training::new(data).with_seed(seed)).unwrap().embedding
}

fn nearest(data: ArrayView2<'_, f32>, metric: Metric, k: usize) -> Neighbors {
    let index = NeighborIndex::new(data, metric, Stage::Reduce).unwrap();
    index.neighbors(k, Stage::Reduce, &Progress::silent()).unwrap()
}

/// Trustworthiness: how close the `k` nearest rows in the layout are in the data (Venna and Kaski 2001); 1 is perfect.
fn trustworthiness(data: ArrayView2<'_, f32>, layout: ArrayView2<'_, f32>, metric: Metric, k: usize) -> f64 {
    let n = data.nrows();
    let all = nearest(data, metric, n);
    let near = nearest(layout, Metric::Euclidean, k + 1);
    let mut penalty = 0;
    for row in 0..n {
        let mut rank = vec![0; n];
        for (place, &index) in all.row(row).0.iter().enumerate() {
            rank[index as usize] = place;
        }
        penalty += near.row(row).0[1..].iter().map(|&index| rank[index as usize].saturating_sub(k)).sum::<usize>();
    }
    1.0 - 2.0 * penalty as f64 / (n * k * (2 * n - 3 * k - 1)) as f64
}

#[test]
fn the_scales_are_umap_learns() {
    let scales = smooth_knn_dist(&neighbors("cosine"), 1.0);
    assert_eq!(scales.rhos, floats("rhos"));
    for (got, expected) in scales.sigmas.iter().zip(floats("sigmas")) {
        assert!((got - expected).abs() <= 1e-5 * expected, "{got}, not {expected}");
    }
}

fn assert_same_graph(graph: &FuzzyGraph, name: &str) {
    let offsets: Vec<u32> = graph.offsets.iter().map(|&offset| offset as u32).collect();
    assert_eq!(offsets, integers(&format!("{name}_offsets")), "{name}");
    assert_eq!(graph.indices, integers(&format!("{name}_indices")), "{name}");
    for (got, expected) in graph.weights.iter().zip(floats(&format!("{name}_weights"))) {
        assert!((got - expected).abs() < 1e-5, "{name}: {got}, not {expected}");
    }
}

#[test]
fn the_graph_is_umap_learns() {
    assert_same_graph(&fuzzy_simplicial_set(&neighbors("cosine"), 1.0, 1.0), "graph");
    assert_same_graph(&fuzzy_simplicial_set(&neighbors("euclidean"), 0.3, 1.5), "mixed");
}

#[test]
fn the_graph_is_symmetric_and_without_loops() {
    let graph = fuzzy_simplicial_set(&nearest(points().view(), Metric::Cosine, 15), 0.7, 1.0);
    for row in 0..graph.rows() {
        let (ends, weights) = graph.row(row);
        for (&end, &weight) in ends.iter().zip(weights) {
            let (back, back_weights) = graph.row(end as usize);
            let at = back.binary_search(&(row as u32)).unwrap();
            assert!(end as usize != row && weight > 0.0 && weight <= 1.0);
            assert!((back_weights[at] - weight).abs() < 1e-6);
        }
    }
}

#[test]
fn the_curves_are_umap_learns() {
    for curve in reference()["curves"].as_array().unwrap() {
        let [spread, min_dist, a, b] = [0, 1, 2, 3].map(|at| curve[at].as_f64().unwrap());
        let got = find_ab_params(spread, min_dist);
        let close = (got.0 - a).abs() < 1e-4 * a && (got.1 - b).abs() < 1e-4 * b;
        assert!(close, "spread {spread}, min_dist {min_dist}: {got:?}, not ({a}, {b})");
    }
}

#[test]
fn layouts_are_as_trustworthy_as_umap_learns() {
    let (digits, _) = digits();
    for metric in [Metric::Cosine, Metric::Euclidean] {
        let umap = Umap::new().metric(metric);
        let expected = reference()["digits"][metric.name()]["trustworthiness"].as_f64().unwrap();
        let trust = |seed| trustworthiness(digits.view(), layout(&umap, digits.view(), seed).view(), metric, 15);
        let got = (1..=3).map(trust).sum::<f64>() / 3.0;
        assert!(got > expected - 0.005, "{metric}: {got}, umap-learn {expected}");
    }
}

#[test]
fn layouts_of_several_blocks_are_as_trustworthy_too() {
    let data = mixed_digits(2400);
    // umap-learn 0.5.12 on the same rows with the same settings; mean of random_state 1 to 3.
    let expected = 0.9879;
    let layout = layout(&Umap::new(), data.view(), 1);
    let got = trustworthiness(data.view(), layout.view(), Metric::Cosine, 15);
    assert!(got > expected - 0.002, "{got}, umap-learn {expected}");
}

#[test]
fn two_components_keep_neighborhoods_too() {
    let (digits, _) = digits();
    let layout = layout(&Umap::new().n_components(2).min_dist(0.1), digits.view(), 1);
    assert_eq!(layout.dim(), (600, 2));
    assert!(trustworthiness(digits.view(), layout.view(), Metric::Cosine, 15) > 0.95);
}

#[test]
fn any_number_of_components_can_be_had() {
    let points = points();
    for n_components in [1, 3, 7, 9, 20, 100] {
        let layout = layout(&Umap::new().n_components(n_components).n_epochs(50), points.view(), 1);
        assert_eq!(layout.dim(), (240, n_components));
        assert!(layout.iter().all(|value| value.is_finite()));
        assert!(trustworthiness(points.view(), layout.view(), Metric::Cosine, 10) > 0.85, "{n_components}");
    }
}

#[test]
fn the_same_bits_on_any_number_of_threads_in_one_block_and_in_four() {
    let (digits, _) = digits();
    for data in [digits, mixed_digits(4000)] {
        let on = |threads, seed| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| layout(&Umap::new().n_epochs(40), data.view(), seed))
        };
        let one = on(1, 3);
        assert!(one == on(2, 3) && one == on(5, 3));
        assert!(one != on(1, 4));
    }
}

#[test]
fn more_negative_samples_than_lanes_and_none_work() {
    let points = points();
    for rate in [0, 1, 20] {
        let layout = layout(&Umap::new().negative_sample_rate(rate).n_epochs(30), points.view(), 1);
        assert!(layout.iter().all(|value| value.is_finite()), "{rate}");
    }
}

#[test]
fn few_rows_work() {
    let points = points();
    for rows in [1, 2, 3, 5, 11, 16] {
        let data = points.slice(s![..rows, ..]);
        let reduction = Umap::new().fit(&Training::new(data).with_seed(1)).unwrap();
        assert_eq!(reduction.embedding.dim(), (rows, 5));
        assert!(reduction.embedding.iter().all(|value| value.is_finite()), "{rows}: {}", reduction.embedding);
        let again = reduction.model.transform(&points.slice(s![100..104, ..]).into(), &Progress::silent()).unwrap();
        assert!(again.dim() == (4, 5) && again.iter().all(|value| value.is_finite()), "{rows}: {again}");
    }
}

#[test]
fn equal_rows_zeros_and_constant_columns_work() {
    let finite = |data: &Array2<f32>, metric| {
        let layout = layout(&Umap::new().metric(metric).n_epochs(50), data.view(), 1);
        assert!(layout.iter().all(|value| value.is_finite()));
        layout
    };
    for metric in [Metric::Cosine, Metric::Euclidean] {
        finite(&Array2::from_elem((60, 4), 2.0), metric);
        finite(&Array2::zeros((60, 4)), metric);
        let mut constant = points();
        constant.column_mut(3).fill(1.0);
        finite(&constant, metric);
        let mut some_zeros = points();
        some_zeros.slice_mut(s![10..40, ..]).fill(0.0);
        finite(&some_zeros, metric);
    }
}

#[test]
fn duplicates_beyond_the_neighbors_stay_together() {
    let mut data = points();
    let copy = data.row(7).to_owned();
    for row in 20..60 {
        data.row_mut(row).assign(&copy);
    }
    let layout = layout(&Umap::new(), data.view(), 1);
    let spread = |rows: std::ops::Range<usize>| {
        let part = layout.slice(s![rows, ..]);
        let mean = part.mean_axis(ndarray::Axis(0)).unwrap();
        (&part - &mean).mapv(|x| x * x).sum_axis(ndarray::Axis(1)).mean().unwrap().sqrt()
    };
    assert!(spread(20..60) < 0.5 * spread(0..240), "{} of {}", spread(20..60), spread(0..240));
}

#[test]
fn parts_that_nothing_connects_stay_apart() {
    let (digits, _) = digits();
    // Three groups in separate columns, at cosine distance 1 from each other.
    let mut data = Array2::zeros((300, 192));
    for group in 0..3 {
        let rows = group * 100..(group + 1) * 100;
        data.slice_mut(s![rows.clone(), group * 64..(group + 1) * 64]).assign(&digits.slice(s![rows, ..]));
    }
    let layout = layout(&Umap::new(), data.view(), 1);
    let near = nearest(layout.view(), Metric::Euclidean, 11);
    let strangers = |row: usize| near.row(row).0.iter().filter(|&&index| index as usize / 100 != row / 100).count();
    assert!((0..300).map(strangers).sum::<usize>() < 15);
}

#[test]
fn a_training_row_given_again_lands_on_its_place() {
    let (digits, _) = digits();
    let reduction = Umap::new().fit(&Training::new(digits.view()).with_seed(1)).unwrap();
    let again = reduction.model.transform(&digits.view().into(), &Progress::silent()).unwrap();
    assert_eq!(again, reduction.embedding);
    let doubled = reduction.model.transform(&(&digits * 2.0).view().into(), &Progress::silent()).unwrap();
    assert_eq!(doubled, reduction.embedding, "the cosine ignores lengths");
}

#[test]
fn new_rows_land_among_their_like_one_by_one_or_together() {
    let (digits, labels) = digits();
    for metric in [Metric::Cosine, Metric::Euclidean] {
        let (old, new) = (digits.slice(s![..500, ..]), digits.slice(s![500.., ..]));
        let reduction = Umap::new().metric(metric).fit(&Training::new(old).with_seed(1)).unwrap();
        let placed = reduction.model.transform(&new.into(), &Progress::silent()).unwrap();
        let index = NeighborIndex::new(reduction.embedding.view(), Metric::Euclidean, Stage::Reduce).unwrap();
        let near = index.query(placed.view(), 5, Stage::Reduce, &Progress::silent()).unwrap();
        let vote = |row: usize| {
            let mut votes = [0; 10];
            near.row(row).0.iter().for_each(|&index| votes[usize::from(labels[index as usize])] += 1);
            (0..10).rev().max_by_key(|&label| votes[label]).unwrap()
        };
        let right = (0..100).filter(|&row| vote(row) == usize::from(labels[500 + row])).count() as f64 / 100.0;
        let expected = reference()["digits"][metric.name()]["accuracy"].as_f64().unwrap();
        assert!(right >= expected - 0.04, "{metric}: {right}, umap-learn {expected}");
        for row in [0, 42, 99] {
            let alone =
                reduction.model.transform(&new.slice(s![row..row + 1, ..]).into(), &Progress::silent()).unwrap();
            assert_eq!(alone.row(0), placed.row(row));
        }
    }
}

#[test]
fn no_new_rows_give_no_places() {
    let reduction = Umap::new().n_epochs(5).fit(&Training::new(points().view()).with_seed(1)).unwrap();
    let none = reduction.model.transform(&Array2::zeros((0, 12)).view().into(), &Progress::silent()).unwrap();
    assert_eq!(none.dim(), (0, 5));
}

#[test]
fn bad_parameters_are_named() {
    let umap = Umap::new;
    let cases = [
        (umap().n_neighbors(1), "n_neighbors = 1"),
        (umap().n_components(0), "n_components = 0"),
        (umap().n_components(257), "n_components = 257"),
        (umap().min_dist(-0.1), "min_dist = -0.1"),
        (umap().min_dist(1.5), "min_dist = 1.5"),
        (umap().spread(0.0), "spread = 0"),
        (umap().spread(f64::NAN), "spread = NaN"),
        (umap().n_epochs(0), "n_epochs = 0"),
        (umap().learning_rate(0.0), "learning_rate = 0"),
        (umap().learning_rate(f64::INFINITY), "learning_rate = inf"),
        (umap().negative_sample_rate(1001), "negative_sample_rate = 1001"),
        (umap().set_op_mix_ratio(1.1), "set_op_mix_ratio = 1.1"),
        (umap().local_connectivity(-1.0), "local_connectivity = -1"),
        (umap().repulsion_strength(-0.5), "repulsion_strength = -0.5"),
    ];
    for (umap, name) in cases {
        let error = umap.check().unwrap_err();
        assert_eq!((error.kind(), error.stage()), (ErrorKind::InvalidParameter, Stage::Reduce));
        assert!(format!("{error:#}").contains(name), "{error:#}");
        assert!(umap.fit(&Training::new(points().view()).with_seed(1)).is_err());
    }
    assert!(umap().check().is_ok());
}

#[test]
fn bad_data_is_named() {
    let fit = |data: &Array2<f32>| Umap::new().fit(&Training::new(data.view()).with_seed(1)).unwrap_err();
    assert_eq!(fit(&Array2::zeros((0, 8))).kind(), ErrorKind::InvalidData);
    let mut bad = points();
    bad[(12, 3)] = f32::NAN;
    assert_eq!(fit(&bad).row(), Some(12));
    bad[(12, 3)] = f32::NEG_INFINITY;
    assert_eq!(fit(&bad).row(), Some(12));
    let model = Umap::new().n_epochs(5).fit(&Training::new(points().view()).with_seed(1)).unwrap().model;
    let bad = bad.slice(s![10..14, ..]);
    assert_eq!(model.transform(&bad.into(), &Progress::silent()).unwrap_err().row(), Some(2));
    let narrow = model.transform(&bad.slice(s![.., ..3]).into(), &Progress::silent()).unwrap_err();
    assert!(narrow.to_string().contains("3 columns; expected 12"), "{narrow}");
}

struct Heard(Mutex<Vec<Event>>);

impl ProgressSink for Heard {
    fn event(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

#[test]
fn progress_tells_of_neighbors_layout_and_few_rows() {
    let heard = Arc::new(Heard(Mutex::new(Vec::new())));
    let progress = Progress::to(heard.clone());
    let fitted = Umap::new().n_epochs(20).fit_layout(points().slice(s![..8, ..]), 1, &progress).unwrap();
    assert_eq!(fitted.n_neighbors(), 7);
    let events = heard.0.lock().unwrap();
    let started = |name: &str| events.iter().any(|e| matches!(e, Event::Started { task, .. } if task == name));
    assert!(started("neighbors") && started("layout"));
    assert!(events.iter().any(|e| matches!(e, Event::Note { message, .. } if message.contains("n_neighbors = 15"))));
    let full = |e: &Event| matches!(e, Event::Advanced { task, done: 20, total: 20, .. } if task == "layout");
    assert!(events.iter().any(full));
    assert!(fitted.transform(&points().view().into(), &Progress::silent()).is_ok());
}
