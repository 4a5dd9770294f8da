//! Principal components compared with scikit-learn's.

use std::sync::Arc;

use ndarray::{Array2, s};
use topicframe::error::ErrorKind;
use topicframe::progress::Progress;
use topicframe::reduce::{Pca, Reducer};
use topicframe::training::Training;

fn floats(name: &str) -> Vec<f32> {
    let path = format!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/umap/{}.npy"), name);
    let bytes = std::fs::read(path).unwrap();
    let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    assert!(String::from_utf8_lossy(&bytes[10..start]).contains("'fortran_order': False"), "{name}");
    bytes[start..].chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

fn points() -> Array2<f32> {
    Array2::from_shape_vec((240, 12), floats("points")).unwrap()
}

#[test]
fn the_components_are_scikit_learns() {
    let fitted = Pca::new().n_components(4).fit_components(points().view()).unwrap();
    for (got, expected) in fitted.components().iter().zip(floats("components")) {
        assert!((got - f64::from(expected)).abs() < 1e-5, "{got}, not {expected}");
    }
    for (got, expected) in fitted.mean().iter().zip(floats("mean")) {
        assert!((got - f64::from(expected)).abs() < 1e-5, "{got}, not {expected}");
    }
}

#[test]
fn transform_of_the_training_rows_is_the_embedding() {
    let points = points();
    let reduction = Pca::new().n_components(3).fit(&Training::new(points.view()).with_seed(7)).unwrap();
    assert_eq!(reduction.embedding.dim(), (240, 3));
    let all = reduction.model.transform(&points.view().into(), &Progress::silent()).unwrap();
    assert_eq!(all, reduction.embedding);
    let one = reduction.model.transform(&points.slice(s![9..10, ..]).into(), &Progress::silent()).unwrap();
    assert_eq!(one.row(0), all.row(9));
    // The result is centered, and the seed has no effect.
    assert!(all.mean_axis(ndarray::Axis(0)).unwrap().iter().all(|mean| mean.abs() < 1e-4));
    assert_eq!(Pca::new().n_components(3).fit(&Training::new(points.view()).with_seed(8)).unwrap().embedding, all);
}

#[test]
fn all_components_keep_the_distances() {
    let points = points();
    let all = Pca::new().n_components(12).fit(&Training::new(points.view()).with_seed(0)).unwrap().embedding;
    let distance = |data: &Array2<f32>, a: usize, b: usize| {
        (&data.row(a) - &data.row(b)).iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt()
    };
    for (a, b) in [(0, 1), (5, 200), (17, 99)] {
        assert!((distance(&points, a, b) - distance(&all, a, b)).abs() < 1e-3);
    }
}

#[test]
fn constant_columns_and_rows_work() {
    let mut points = points();
    points.column_mut(4).fill(2.5);
    let reduction = Pca::new().n_components(4).fit(&Training::new(points.view()).with_seed(0)).unwrap();
    assert!(reduction.embedding.iter().all(|value| value.is_finite()));
    let equal = Array2::from_elem((20, 6), 1.5);
    let embedding = Pca::new().n_components(2).fit(&Training::new(equal.view()).with_seed(0)).unwrap().embedding;
    assert!(embedding.iter().all(|value| value.abs() < 1e-6), "{embedding}");
}

#[test]
fn bad_parameters_and_data_are_refused() {
    let points = points();
    let error = Pca::new().n_components(0).check().unwrap_err();
    assert!(error.kind() == ErrorKind::InvalidParameter && format!("{error:#}").contains("n_components = 0"));
    for (rows, components) in [(240, 13), (3, 4)] {
        let some = points.slice(s![..rows, ..]);
        let error = Pca::new().n_components(components).fit(&Training::new(some).with_seed(0)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter);
        assert!(format!("{error:#}").contains(&format!("n_components = {components}")), "{error:#}");
    }
    let mut bad = points.clone();
    bad[(33, 3)] = f32::NAN;
    assert_eq!(Pca::new().fit(&Training::new(bad.view()).with_seed(0)).unwrap_err().row(), Some(33));
    let model: Arc<_> = Pca::new().fit(&Training::new(points.view()).with_seed(0)).unwrap().model;
    assert!(
        model
            .transform(&points.slice(s![.., ..5]).into(), &Progress::silent())
            .map_err(|error| format!("{error:#}"))
            .unwrap_err()
            .contains("12")
    );
}

#[test]
fn equal_rows_lie_at_one_point() {
    let data = Array2::from_shape_fn((30, 8), |(_, column)| column as f32);
    let reduction = Pca::new().fit(&Training::new(data.view()).with_seed(42)).unwrap();
    assert_eq!(reduction.embedding.dim(), (30, 5));
    assert!(reduction.embedding.iter().all(|&x| x == 0.0));
    let other = reduction.model.transform(&(&data + 1.0).slice(s![..2, ..]).into(), &Progress::silent()).unwrap();
    assert!(other.iter().all(|x| x.is_finite()));
}
