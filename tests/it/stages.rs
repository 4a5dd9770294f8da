//! Training data of stages, and their specs.

use ndarray::{Array2, array};
use topicframe::cluster::clusterer_of;
use topicframe::cluster::hdbscan::ClusterSelectionMethod;
use topicframe::linalg::vectors::Vectors;
use topicframe::ndarray::{self, ArrayView2};
use topicframe::prelude::*;
use topicframe::reduce::reducer_of;
use topicframe::spec::Spec;

type Result<T> = std::result::Result<T, Error>;

fn points() -> Array2<f32> {
    Array2::from_shape_fn((60, 4), |(row, column)| ((row % 3) * 20 + column + row / 12) as f32)
}

#[test]
fn rows_that_share_vectors_are_spelled_out_on_request() {
    let training = Training::new(array![[1.0_f32, 2.0], [3.0, 4.0]]);
    assert_eq!((training.rows(), training.seed), (2, 42));
    assert_eq!(training.matrix(), array![[1.0_f32, 2.0], [3.0, 4.0]]);
    let places = [1, 0, 1];
    let training = training.with_places(&places);
    assert_eq!(training.rows(), 3);
    assert_eq!(training.matrix(), array![[3.0_f32, 4.0], [1.0, 2.0], [3.0, 4.0]]);
    training.check(Stage::Cluster).unwrap();
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    let training = || Training::new(points());
    let (places, short, low) = ([0, 60], [0_i32; 59], [-2; 60]);
    let cases = [
        (training().with_places(&places), Some(1), "out of range for 60 vectors"),
        (training().with_labels(&short), None, "59 labels do not match 60 rows"),
        (training().with_labels(&low), Some(0), "below -1"),
        (training().with_frame_rows(&[1, 2]), None, "2 frame rows do not match 60 rows"),
    ];
    for (training, row, message) in cases {
        let stages: [&dyn Fn() -> Option<Error>; 5] = [
            &|| Umap::new().fit(&training).err(),
            &|| Pca::new().fit(&training).err(),
            &|| NoReduction.fit(&training).err(),
            &|| Hdbscan::new().fit(&training).err(),
            &|| KMeans::new(2).fit(&training).err(),
        ];
        for stage in stages {
            let error = stage().unwrap();
            assert_eq!((error.kind(), error.row()), (ErrorKind::InvalidData, row), "{error:#}");
            assert!(format!("{error:#}").contains(message), "{error:#}");
        }
    }
}

#[test]
fn copies_passed_as_places_are_copies() {
    let places: Vec<u32> = (0..120).map(|row| row % 60).collect();
    let shared = Training::new(points()).with_places(&places);
    let spelled = Training::new(shared.matrix().into_owned());
    let umap = Umap::new().n_epochs(10);
    assert_eq!(umap.fit(&shared).unwrap().embedding, umap.fit(&spelled).unwrap().embedding);
    let pca = Pca::new().n_components(2);
    assert_eq!(pca.fit(&shared).unwrap().embedding, pca.fit(&spelled).unwrap().embedding);
    assert_eq!(KMeans::new(3).fit(&shared).unwrap().labels, KMeans::new(3).fit(&spelled).unwrap().labels);
    let hdbscan = Hdbscan::new().min_cluster_size(10);
    let (shared, spelled) = (hdbscan.fit(&shared).unwrap(), hdbscan.fit(&spelled).unwrap());
    assert_eq!(shared.labels, spelled.labels);
    assert_eq!(shared.labels.len(), 120);
}

#[test]
fn built_in_stages_are_made_again_from_their_specs() {
    let reducers: Vec<Box<dyn Reducer>> = vec![
        Box::new(Umap::new()),
        Box::new(Umap::new().n_neighbors(7).min_dist(0.25).metric(Metric::Euclidean).n_epochs(33)),
        Box::new(Umap::new().neighbor_search(NeighborSearch::Approximate)),
        Box::new(Pca::new().n_components(3)),
        Box::new(NoReduction),
    ];
    for reducer in reducers {
        let spec = reducer.spec().unwrap();
        let text = serde_json::to_string(&spec.settings).unwrap();
        let mut read = Spec::new(spec.name.clone(), &()).unwrap();
        read.settings = serde_json::from_str(&text).unwrap();
        assert_eq!(format!("{:?}", reducer_of(&read).unwrap()), format!("{reducer:?}"));
    }
    let clusterers: Vec<Box<dyn Clusterer>> = vec![
        Box::new(Hdbscan::new()),
        Box::new(Hdbscan::new().min_samples(3).alpha(1.25).cluster_selection_method(ClusterSelectionMethod::Leaf)),
        Box::new(KMeans::new(14).n_runs(3)),
    ];
    for clusterer in clusterers {
        let spec = clusterer.spec().unwrap();
        assert_eq!(format!("{:?}", clusterer_of(&spec).unwrap()), format!("{clusterer:?}"));
    }
}

#[test]
fn specs_from_elsewhere_are_refused_with_a_reason() {
    let refused = |name: &str, settings: serde_json::Value| {
        let mut spec = Spec::new(name, &()).unwrap();
        spec.settings = settings;
        let (reducer, clusterer) = (reducer_of(&spec).unwrap_err(), clusterer_of(&spec).unwrap_err());
        (reducer, clusterer)
    };
    let (reducer, clusterer) = refused("spectral", serde_json::json!({}));
    assert_eq!((reducer.kind(), clusterer.kind()), (ErrorKind::NotFound, ErrorKind::NotFound));
    let told = format!("{reducer:#}");
    assert!(told.contains("`spectral`") && told.contains("umap"), "{told}");
    let mut settings = Umap::new().spec().unwrap().settings;
    settings["n_neighbors"] = serde_json::json!(1);
    assert_eq!(refused("umap", settings.clone()).0.kind(), ErrorKind::InvalidParameter);
    settings["n_neighbors"] = serde_json::json!("many");
    assert_eq!(refused("umap", settings).0.kind(), ErrorKind::InvalidData);
    let mut settings = KMeans::new(3).spec().unwrap().settings;
    settings["k"] = serde_json::json!(3);
    assert!(refused("kmeans", settings).1.to_string().contains("the settings of `kmeans` cannot be read"));
}

/// A nearest-class clusterer: one cluster per known class; other rows belong to the nearest class mean.
#[derive(Debug, Clone)]
struct NearestClass(Vec<(i32, Vec<f32>)>);

impl Clusterer for NearestClass {
    fn check(&self) -> Result<()> {
        Ok(())
    }

    fn min_rows(&self) -> usize {
        1
    }

    fn fit(&self, training: &Training<'_>) -> Result<Clustering> {
        let (labels, matrix) = (training.labels.expect("labels"), training.matrix());
        let classes: std::collections::BTreeSet<i32> = labels.iter().copied().filter(|&label| label >= 0).collect();
        let mean = |class: i32| {
            let rows: Vec<usize> = (0..labels.len()).filter(|&row| labels[row] == class).collect();
            (0..matrix.ncols())
                .map(|column| rows.iter().map(|&row| matrix[(row, column)]).sum::<f32>() / rows.len() as f32)
                .collect()
        };
        let model = NearestClass(classes.into_iter().map(|class| (class, mean(class))).collect());
        let (labels, probabilities) = model.predict(matrix.view(), &Progress::silent())?;
        Ok(Clustering::new(labels, probabilities, model))
    }

    fn uses_labels(&self) -> bool {
        true
    }
}

impl FittedClusterer for NearestClass {
    fn predict(&self, points: ArrayView2<'_, f32>, _progress: &Progress) -> Result<(Vec<i32>, Vec<f64>)> {
        let nearest = |point: ndarray::ArrayView1<'_, f32>| {
            let distance = |mean: &[f32]| point.iter().zip(mean).map(|(a, b)| (a - b).powi(2)).sum::<f32>();
            self.0.iter().min_by(|a, b| distance(&a.1).total_cmp(&distance(&b.1))).map_or(-1, |class| class.0)
        };
        Ok((points.rows().into_iter().map(nearest).collect(), vec![1.0; points.nrows()]))
    }
}

#[test]
fn known_labels_reach_a_clusterer_that_uses_them() {
    let texts: Vec<String> = (0..60).map(|row| format!("{} number {row}", ["cat", "train", "plum"][row % 3])).collect();
    let vectors: Vec<Series> = points().rows().into_iter().map(|row| Series::new("".into(), row.to_vec())).collect();
    // Every tenth row has a label; the classes are 0, 5 and 7.
    let label = |row: usize| row.is_multiple_of(10).then(|| [0_i64, 5, 7][row % 3]);
    let labels: Vec<Option<i64>> = (0..60).map(label).collect();
    let frame = df!("text" => texts, "label" => labels, "wrong" => vec![-3_i64; 60], "name" => vec!["a"; 60]).unwrap();
    let frame = frame.hstack(&[Column::new("v".into(), vectors)]).unwrap();
    let model = TopicModel::text("text", NoEmbedder).embeddings("v").reducer(NoReduction);
    let supervised = model.clone().clusterer(NearestClass(Vec::new()));
    let topics = supervised.clone().labels("label").fit(&frame).unwrap();
    let found = topics.labels();
    for row in 0..60 {
        assert_eq!(found[row], found[row % 3], "row {row}");
    }
    assert_eq!(topics.summary().topics, 3);
    // New rows need no labels.
    let new = frame.select(["text", "v"]).unwrap();
    assert_eq!(topics.transform(&new).unwrap().height(), 60);

    let error = model.labels("label").fit(&frame).map(|_| ()).unwrap_err();
    assert!(format!("{error:#}").contains("neither the reducer nor the clusterer uses them"), "{error:#}");
    let error = supervised.clone().labels("wrong").fit(&frame).map(|_| ()).unwrap_err();
    assert_eq!((error.column(), error.row()), (Some("wrong"), Some(0)), "{error:#}");
    let error = supervised.labels("name").fit(&frame).map(|_| ()).unwrap_err();
    assert_eq!((error.kind(), error.column()), (ErrorKind::WrongType, Some("name")), "{error:#}");
}

#[test]
fn a_fitted_reducer_places_shared_vectors() {
    let reduction = Pca::new().n_components(2).fit(&Training::new(points())).unwrap();
    let some: Vectors = points().into();
    let some = some.select(&[4, 9]).unwrap();
    let placed = reduction.model.transform(&some, &Progress::silent()).unwrap();
    assert_eq!(placed.row(1), reduction.embedding.row(9));
}
