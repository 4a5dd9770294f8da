//! Probabilities of all topics, with that of none of them.

use std::sync::Arc;

use topicframe::ndarray::{Array2, ArrayView2, Axis, array};
use topicframe::polars::prelude::*;
use topicframe::prelude::*;
use topicframe::progress::{Event, ProgressSink};
use topicframe::topics::TopicProbabilities;

use crate::colors::{EyeAndEar, image_frame};

/// A frame with the column `vector`; rows without a vector are null.
fn vectors(rows: &[Option<Vec<f32>>]) -> DataFrame {
    let width = rows.iter().flatten().map(Vec::len).max().unwrap();
    let known: Vec<usize> = (0..rows.len()).filter(|&row| rows[row].is_some()).collect();
    let values = rows.iter().flatten().flatten().copied().collect();
    let values = Array2::from_shape_vec((known.len(), width), values).unwrap();
    let vectors = topicframe::corpus::Embeddings::scatter(values, &known, rows.len()).unwrap();
    let texts: Vec<String> = (0..rows.len()).map(|row| format!("word{} word", row % 3)).collect();
    DataFrame::new(rows.len(), vec![Column::new("text".into(), texts), vectors.to_column("vector").unwrap()]).unwrap()
}

fn model(clusterer: impl Clusterer + 'static) -> TopicModel {
    let model = TopicModel::text("text", NoEmbedder).embeddings("vector");
    model.reducer(NoReduction).clusterer(clusterer)
}

fn assert_sums(probabilities: &TopicProbabilities) {
    for (row, values) in probabilities.values().outer_iter().enumerate() {
        assert!((values.sum() - 1.0).abs() < 1e-9, "row {row}: {values}");
        assert!(values.iter().all(|value| (0.0..=1.0).contains(value)), "row {row}: {values}");
    }
}

fn captions() -> FittedTopicModel {
    TopicModel::text("caption", StaticEmbedder::builtin()).fit(&crate::corpora::frame(108)).unwrap()
}

#[test]
fn shares_of_neighbors_are_the_probabilities_of_communities() {
    let topics = captions();
    assert!(topics.summary().topics >= 3);
    let probabilities = topics.topic_probabilities().unwrap();
    assert_eq!(probabilities.topics()[0], -1);
    assert_sums(&probabilities);
    let info = topics.get_document_info_with_runners_up().unwrap();
    let runner_up = info.column("Runner_up").unwrap().i32().unwrap();
    let strength = info.column("Runner_up_probability").unwrap().f64().unwrap();
    for (row, (&topic, &own)) in topics.labels().iter().zip(&topics.probabilities()).enumerate() {
        if topic >= 0 {
            assert!((probabilities.of(row, topic).unwrap() - own).abs() < 1e-9, "row {row}");
        }
        if let Some(second) = runner_up.get(row) {
            assert!((probabilities.of(row, second).unwrap() - strength.get(row).unwrap()).abs() < 1e-9, "row {row}");
        }
    }
    assert_eq!((probabilities.of(0, 999), probabilities.of(999, 0)), (None, None));
}

#[test]
fn topics_that_are_merged_add_up() {
    let topics = captions();
    let before = topics.topic_probabilities().unwrap();
    let merged = topics.merge_topics(&[&[0, 1]]).unwrap();
    let after = merged.topic_probabilities().unwrap();
    assert_sums(&after);
    for row in 0..108 {
        let both = before.of(row, 0).unwrap() + before.of(row, 1).unwrap();
        assert!((after.of(row, 0).unwrap() - both).abs() < 1e-9, "row {row}");
    }
    // Outliers by choice: memberships are the same, and those of topics that are gone are the outliers'.
    let strict = topics.with_outliers(Outliers::Share(0.3)).unwrap();
    let chosen = strict.topic_probabilities().unwrap();
    assert_sums(&chosen);
    let outlier = topics.merge_topics(&[&[-1, 0]]).unwrap().topic_probabilities().unwrap();
    for row in 0..108 {
        let gone = before.of(row, -1).unwrap() + before.of(row, 0).unwrap();
        assert!((outlier.of(row, -1).unwrap() - gone).abs() < 1e-9, "row {row}");
    }
}

#[test]
fn the_membership_in_a_divided_topic_is_that_in_the_rows_own_part() {
    let topics = captions();
    let before = topics.topic_probabilities().unwrap();
    let labels = topics.labels();
    // Divided by the vectors, and whatever they are.
    let halves: Vec<i32> = labels
        .iter()
        .enumerate()
        .map(|(row, &topic)| if topic == 0 && row / 3 % 2 == 0 { 99 } else { topic })
        .collect();
    let by_hand = topics.update_topics(&UpdateTopics::new().topics(&halves)).unwrap();
    let divided = topics.split_topic(0, 2).unwrap();
    let again = divided.split_topic(0, 2).unwrap();
    for (case, after) in [("by hand", by_hand), ("split", divided.clone()), ("split again", again)] {
        let rows: Vec<usize> = (0..108).filter(|&row| labels[row] == 0).collect();
        let parts: std::collections::BTreeSet<i32> = rows.iter().map(|&row| after.labels()[row]).collect();
        assert!(parts.len() > 1, "{case}");
        let found = after.topic_probabilities().unwrap();
        assert_sums(&found);
        for &row in &rows {
            let own = found.of(row, after.labels()[row]).unwrap();
            assert!(parts.iter().all(|&part| found.of(row, part).unwrap() <= own), "{case}: row {row}");
            let sum: f64 = parts.iter().map(|&part| found.of(row, part).unwrap()).sum();
            assert!((sum - before.of(row, 0).unwrap()).abs() < 1e-9, "{case}: row {row}");
        }
    }
    // As the clusterer's own topics, a part has the probability of its rows.
    let found = divided.topic_probabilities().unwrap();
    for (row, (&topic, &own)) in divided.labels().iter().zip(&divided.probabilities()).enumerate() {
        assert!(topic < 0 || (found.of(row, topic).unwrap() - own).abs() < 1e-9, "row {row}");
    }
}

#[test]
fn new_rows_have_the_probability_that_transform_gives() {
    let new =
        df!("caption" => [Some("a cat on the platform"), None, Some("ripe apple juice"), Some("a dog"), Some("zzz")])
            .unwrap();
    for bertopic in [false, true] {
        let model = TopicModel::text("caption", StaticEmbedder::builtin());
        let model = if bertopic { model.bertopic() } else { model };
        let topics = model.fit(&crate::corpora::frame(108)).unwrap();
        let probabilities = topics.topic_probabilities_of(&new).unwrap();
        assert_sums(&probabilities);
        assert_eq!(probabilities.of(1, -1), Some(1.0));
        let placed = topics.transform(&new).unwrap();
        let labels = placed.column("Topic").unwrap().i32().unwrap().to_vec();
        let strengths = placed.column("Probability").unwrap().f64().unwrap().to_vec();
        for row in (0..5).filter(|&row| !bertopic && labels[row] != Some(-1)) {
            let probability = probabilities.of(row, labels[row].unwrap()).unwrap();
            assert!((probability - strengths[row].unwrap()).abs() < 1e-6, "row {row}");
        }
        // Rows of the fit have the same as there, with new rows among them.
        let known = crate::corpora::frame(108);
        let mixed = known.slice(10, 4).vstack(&new).unwrap().vstack(&known.slice(3, 2)).unwrap();
        let (all, mixed) = (topics.topic_probabilities().unwrap(), topics.topic_probabilities_of(&mixed).unwrap());
        for (at, row) in [(0, 10), (1, 11), (2, 12), (3, 13), (9, 3), (10, 4)] {
            assert_eq!(mixed.values().row(at), all.values().row(row), "{bertopic}");
        }
        for row in 0..5 {
            let far = mixed
                .values()
                .row(4 + row)
                .iter()
                .zip(probabilities.values().row(row))
                .any(|(a, b)| (a - b).abs() > 1e-9);
            assert!(!far, "rows do not influence each other");
        }
    }
}

#[test]
fn hdbscan_has_its_membership_vectors() {
    let spread = |row: usize| [(row * 7 % 11) as f32 / 10.0, (row * 5 % 13) as f32 / 10.0, row as f32 / 1000.0];
    let point = |row: usize| {
        let [x, y, z] = spread(row);
        match row % 5 {
            0 | 1 => vec![x, 9.0 + y, z],
            2 | 3 => vec![9.0 + x, y, z],
            _ => vec![9.0 + x, 9.0 + y, 3.0 + z],
        }
    };
    let rows: Vec<Vec<f32>> = (0..120).map(point).collect();
    let frame = vectors(&rows.iter().cloned().map(Some).collect::<Vec<_>>());
    let clusterer = Hdbscan::new().min_cluster_size(10);
    let topics = model(clusterer.clone()).fit(&frame).unwrap();
    let points = Array2::from_shape_vec((120, 3), rows.concat()).unwrap();
    let fitted = clusterer.cluster(points.view(), &Progress::silent()).unwrap();
    assert!(fitted.n_clusters() >= 2);
    let expected = fitted.all_points_membership_vectors();
    let probabilities = topics.topic_probabilities().unwrap();
    assert_sums(&probabilities);
    for (label, of_label) in expected.axis_iter(Axis(1)).enumerate() {
        let row = fitted.labels().iter().position(|&other| other == label as i32).unwrap();
        let topic = topics.labels()[row];
        for (row, &membership) in of_label.iter().enumerate() {
            assert!((probabilities.of(row, topic).unwrap() - membership).abs() < 1e-9);
        }
    }
    let new = array![[0.5_f32, 9.5, 0.2], [5.0, 5.0, 1.0]];
    let of_new =
        topics.topic_probabilities_of(&vectors(&[Some(vec![0.5, 9.5, 0.2]), Some(vec![5.0, 5.0, 1.0])])).unwrap();
    let expected = fitted.membership_vector(new.view()).unwrap();
    for row in 0..2 {
        let in_topics = expected.row(row).sum();
        assert!((of_new.of(row, -1).unwrap() - (1.0 - in_topics)).abs() < 1e-6);
    }
}

#[test]
fn without_memberships_distances_to_the_topics_decide() {
    // Two topics, with means along the axes, and a row between them.
    let between = [0.8_f32, 0.6];
    let rows = [[1.0, 0.0], [2.0, 0.0], [3.0, 0.0], [0.0, 4.0], [0.0, 5.0]].map(|row| Some(row.to_vec()));
    let topics = model(KMeans::new(2)).fit(&vectors(&rows)).unwrap();
    let topics = topics.with_columns(topicframe::corpus::Columns { text: None, ..topics.columns() });
    let new = vectors(&[Some(between.to_vec()), Some(vec![7.0, 0.0]), None]);
    let found = topics.topic_probabilities_of(&new).unwrap();
    assert_sums(&found);
    let (east, north) = (topics.labels()[0], topics.labels()[3]);
    // 1 - cos is .2 and .4.
    assert!((found.of(0, east).unwrap() - 2.0 / 3.0).abs() < 1e-6, "{found:?}");
    assert!((found.of(0, north).unwrap() - 1.0 / 3.0).abs() < 1e-6, "{found:?}");
    assert_eq!((found.of(1, east), found.of(1, -1), found.of(2, -1)), (Some(1.0), Some(0.0), Some(1.0)));
    let of_fit = topics.topic_probabilities().unwrap();
    assert_sums(&of_fit);
    assert!((of_fit.of(1, east).unwrap() - 1.0).abs() < 1e-6);
}

/// A clusterer of rows that say where they belong, with memberships that are no probabilities.
#[derive(Debug, Clone)]
struct Careless(Array2<f64>);

impl Clusterer for Careless {
    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    fn min_rows(&self) -> usize {
        1
    }

    fn fit(&self, training: &Training<'_>) -> Result<Clustering, Error> {
        let (labels, strengths) = self.predict(training.matrix().view(), &training.progress)?;
        Ok(Clustering::new(labels, strengths, self.clone()))
    }
}

impl FittedClusterer for Careless {
    fn predict(&self, points: ArrayView2<'_, f32>, _: &Progress) -> Result<(Vec<i32>, Vec<f64>), Error> {
        Ok(points.outer_iter().map(|point| (point[0] as i32, 1.0)).unzip())
    }

    fn membership_vectors(&self) -> Result<Option<Array2<f64>>, Error> {
        Ok(Some(self.0.clone()))
    }
}

#[test]
fn memberships_of_any_clusterer_become_probabilities() {
    let rows = [[0.0, 1.0], [0.0, 2.0], [1.0, 3.0], [1.0, 4.0], [-1.0, 5.0]].map(|row| Some(row.to_vec()));
    let memberships = array![[3.0, 1.0], [f64::NAN, 0.25], [-1.0, 0.5], [f64::INFINITY, f64::NEG_INFINITY], [0.1, 0.2]];
    let topics = model(Careless(memberships)).fit(&vectors(&rows)).unwrap();
    let found = topics.topic_probabilities().unwrap();
    assert_sums(&found);
    assert_eq!(found.values().row(0).to_vec(), [0.0, 0.5, 0.5]);
    assert_eq!(found.values().row(1).to_vec(), [0.75, 0.0, 0.25]);
    assert_eq!(found.values().row(2).to_vec(), [0.5, 0.0, 0.5]);
    assert_eq!(found.values().row(3).to_vec(), [0.0, 1.0, 0.0]);
    assert!((found.of(4, -1).unwrap() - 0.7).abs() < 1e-9);
    // A matrix of another size says nothing; then the distances decide, and an outlier is one.
    let topics = model(Careless(Array2::zeros((3, 2)))).fit(&vectors(&rows)).unwrap();
    let found = topics.topic_probabilities().unwrap();
    assert_sums(&found);
    assert_eq!(found.of(4, -1), Some(1.0));
    assert!(found.of(0, -1) == Some(0.0));
}

#[test]
fn batches_are_parts_of_the_whole() {
    let topics = captions();
    let whole = topics.topic_probabilities().unwrap();
    let mut next = 0;
    topics
        .topic_probabilities_in_batches(25, |some| {
            assert_eq!(some.first_row(), next);
            for (offset, values) in some.values().outer_iter().enumerate() {
                assert_eq!(values, whole.values().row(next + offset));
                assert_eq!(some.of(next + offset, 0), whole.of(next + offset, 0));
            }
            next += some.values().nrows();
            Ok(())
        })
        .unwrap();
    assert_eq!(next, 108);
    let frame = whole.to_frame().unwrap();
    assert_eq!(frame.shape(), (108, whole.topics().len()));
    assert_eq!(frame.get_column_names()[..2], ["Probability_-1", "Probability_0"]);
    assert!(show(&whole).contains("Probability_-1"));
    let error = topics.topic_probabilities_in_batches(0, |_| Ok(())).unwrap_err();
    assert_eq!((error.kind(), error.parameter()), (ErrorKind::InvalidParameter, Some("rows")));
    let stop = |_: &TopicProbabilities| Err(Error::new(ErrorKind::Io, Stage::Output, "disk full"));
    assert_eq!(topics.topic_probabilities_in_batches(25, stop).unwrap_err().kind(), ErrorKind::Io);
}

#[test]
fn images_blank_rows_and_models_without_topics_or_rows() {
    let images = TopicModel::images("image", EyeAndEar).reducer(NoReduction).clusterer(KMeans::new(3));
    let images = images.fit(&image_frame(30)).unwrap();
    let found = images.topic_probabilities().unwrap();
    assert_sums(&found);
    assert_eq!(found.topics(), [-1, 0, 1, 2]);
    let labels = images.labels();
    assert!((0..30).all(|row| found.of(row, labels[row]).unwrap() > 0.5));

    let rows = [Some(vec![-1.0, 1.0]), None, Some(vec![-1.0, 2.0])];
    let none = model(Careless(Array2::zeros((2, 0)))).fit(&vectors(&rows)).unwrap();
    assert_eq!(none.topic_probabilities().unwrap().values(), Array2::from_elem((3, 1), 1.0));

    let error = images.without_data().topic_probabilities().unwrap_err();
    assert!(error.to_string().contains("topic_probabilities needs the rows"), "{error}");
    let new = images.without_data().topic_probabilities_of(&image_frame(5)).unwrap();
    assert_sums(&new);
}

struct Stop(Interrupt);

impl ProgressSink for Stop {
    fn event(&self, event: &Event) {
        if matches!(event, Event::Started { task, .. } if task == "probabilities") {
            self.0.stop();
        }
    }
}

#[test]
fn it_can_be_interrupted() {
    let interrupt = Interrupt::new();
    let progress = Progress::to(Arc::new(Stop(interrupt.clone()))).with_interrupt(interrupt);
    let error = captions().with_progress(progress).topic_probabilities().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
}
