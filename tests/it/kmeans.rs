//! k-means: what it must find, and what it must reject.

use ndarray::{Array2, Axis, array, concatenate};
use topicframe::cluster::{Clusterer, Clustering, KMeans};
use topicframe::error::ErrorKind;
use topicframe::progress::Progress;
use topicframe::training::Training;

/// Points around `centers` corners of a grid, in turn.
fn blobs(rows: usize, centers: usize, seed: u64) -> Array2<f32> {
    let mut state = seed;
    Array2::from_shape_fn((rows, 3), |(row, column)| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let corner = ((row % centers) >> column) & 1;
        10.0 * corner as f32 + (state >> 40) as f32 / (1u64 << 24) as f32
    })
}

fn fit(settings: &KMeans, points: &Array2<f32>, seed: u64) -> Clustering {
    settings.fit(&Training::new(points.view()).with_seed(seed)).unwrap()
}

#[test]
fn separate_blobs_are_found_and_numbered_by_row() {
    let points = blobs(600, 6, 1);
    let clustering = fit(&KMeans::new(6), &points, 0);
    let expected: Vec<i32> = (0..600).map(|row| row % 6).collect();
    assert_eq!(clustering.labels, expected);
    assert_eq!(clustering.probabilities, vec![1.0; 600]);
    assert_eq!(clustering.model.predict(points.view(), &Progress::silent()).unwrap(), (expected, vec![1.0; 600]));
    assert!(clustering.model.membership_vectors().unwrap().is_none());
}

/// Every seed finds the same partition here, so every seed yields the same labels.
#[test]
fn labels_do_not_depend_on_which_center_came_first() {
    let points = blobs(200, 4, 2);
    for seed in 0..8 {
        assert_eq!(fit(&KMeans::new(4), &points, seed).labels, fit(&KMeans::new(4), &points, 99).labels);
    }
}

#[test]
fn a_seed_gives_the_same_on_any_number_of_threads() {
    let points = blobs(3000, 8, 3);
    // More clusters than blobs, so that initialization matters.
    let settings = KMeans::new(25).n_runs(2);
    let on = |threads: usize, seed: u64| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| fit(&settings, &points, seed).labels)
    };
    assert_eq!(on(1, 5), on(4, 5));
    assert_eq!(on(2, 5), on(7, 5));
    assert_ne!(on(2, 5), on(2, 6));
}

#[test]
fn every_point_is_with_its_nearest_center_of_gravity() {
    let points = blobs(400, 8, 4);
    let clustering = fit(&KMeans::new(12), &points, 1);
    let clusters = *clustering.labels.iter().max().unwrap() as usize + 1;
    let mut centers = Array2::<f64>::zeros((clusters, 3));
    let mut counts = vec![0.0; clusters];
    for (point, &label) in points.rows().into_iter().zip(&clustering.labels) {
        let mut center = centers.row_mut(label as usize);
        center += &point.mapv(f64::from);
        counts[label as usize] += 1.0;
    }
    for (mut center, count) in centers.rows_mut().into_iter().zip(counts) {
        center /= count;
    }
    for (point, &label) in points.rows().into_iter().zip(&clustering.labels) {
        let to = |label: usize| (&point.mapv(f64::from) - &centers.row(label)).mapv(|value| value * value).sum();
        assert!((0..clusters).all(|other| to(label as usize) <= to(other) + 0.02));
    }
}

#[test]
fn new_points_go_to_the_nearest_cluster() {
    let model = fit(&KMeans::new(2), &array![[0.0f32], [1.0], [10.0], [11.0]], 0).model;
    assert_eq!(model.predict(array![[-5.0f32], [20.0], [2.0]].view(), &Progress::silent()).unwrap().0, [0, 1, 0]);
    assert!(model.predict(Array2::zeros((0, 1)).view(), &Progress::silent()).unwrap().0.is_empty());
    assert_eq!(
        model.predict(Array2::zeros((1, 2)).view(), &Progress::silent()).unwrap_err().kind(),
        ErrorKind::InvalidData
    );
    assert_eq!(model.predict(array![[0.0f32], [f32::NAN]].view(), &Progress::silent()).unwrap_err().row(), Some(1));
}

#[test]
fn few_and_equal_points_work() {
    assert_eq!(fit(&KMeans::new(1), &array![[3.0f32, 4.0]], 0).labels, [0]);
    let three = fit(&KMeans::new(3), &array![[0.0f32], [5.0], [9.0]], 0);
    assert_eq!(three.labels, [0, 1, 2]);
    let equal = fit(&KMeans::new(4), &Array2::from_elem((20, 2), 1.5f32), 0);
    assert_eq!(equal.labels, vec![0; 20]);
    let constant = concatenate![Axis(1), blobs(60, 4, 5), Array2::ones((60, 1))];
    assert_eq!(fit(&KMeans::new(4), &constant, 0).labels, (0..60).map(|row| row % 4).collect::<Vec<i32>>());
}

#[test]
fn bad_parameters_are_named() {
    for (name, settings) in [
        ("n_clusters", KMeans::new(0)),
        ("max_iterations", KMeans::new(2).max_iterations(0)),
        ("tolerance", KMeans::new(2).tolerance(0.0)),
        ("tolerance", KMeans::new(2).tolerance(f32::NAN)),
        ("n_runs", KMeans::new(2).n_runs(0)),
        ("n_clusters", KMeans::new(6)),
    ] {
        let error = settings.fit(&Training::new(blobs(5, 2, 6).view()).with_seed(0)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter);
        assert!(format!("{error:#}").contains(name), "{error:#}");
    }
    assert_eq!(KMeans::new(6).min_rows(), 6);
}

#[test]
fn bad_points_are_named() {
    let error = |points: Array2<f32>| KMeans::new(2).fit(&Training::new(points.view()).with_seed(0)).unwrap_err();
    let mut points = blobs(9, 2, 7);
    points[[4, 1]] = f32::INFINITY;
    assert_eq!((error(points.clone()).kind(), error(points).row()), (ErrorKind::InvalidData, Some(4)));
    assert_eq!(error(Array2::zeros((0, 2))).kind(), ErrorKind::InvalidData);
    assert_eq!(error(array![[1e30f32], [-1e30], [0.0]]).kind(), ErrorKind::InvalidData);
}
