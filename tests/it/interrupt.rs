//! Interrupted work stops soon and says so.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use ndarray::Array2;
use topicframe::error::ErrorKind;
use topicframe::prelude::*;
use topicframe::progress::{Event, ProgressSink};

use crate::corpora::{captions, frame, frame_with_images};
use crate::given_topics::fitted;

/// Interrupts the work when a task starts.
struct StopAt {
    task: &'static str,
    interrupt: Interrupt,
    stopped: Mutex<Option<Instant>>,
}

impl ProgressSink for StopAt {
    fn event(&self, event: &Event) {
        if matches!(event, Event::Started { task, .. } if task == self.task) {
            self.interrupt.stop();
            self.stopped.lock().unwrap().get_or_insert_with(Instant::now);
        }
    }
}

fn stopped_at(task: &'static str, model: TopicModel, frame: &DataFrame) -> Error {
    let interrupt = Interrupt::new();
    let sink = Arc::new(StopAt { task, interrupt: interrupt.clone(), stopped: Mutex::new(None) });
    let model = model.interrupt(interrupt).with_progress(Progress::to(sink.clone()));
    let error = model.fit(frame).unwrap_err();
    let stopped = sink.stopped.lock().unwrap().unwrap_or_else(|| panic!("no task is called {task}"));
    assert!(stopped.elapsed() < Duration::from_secs(3), "{task} continued for {:?}", stopped.elapsed());
    error
}

#[test]
fn every_stage_of_a_fit_can_be_stopped() {
    // No two texts are the same, so all of them are processed.
    let texts: Vec<String> =
        captions(9000).iter().enumerate().map(|(i, text)| format!("{text} {i} {}", 7919 * i % 9973)).collect();
    let many = df!("caption" => texts).unwrap();
    let texts = || TopicModel::text("caption", StaticEmbedder::builtin());
    let of_bertopic = ["initial layout", "layout", "core distances", "spanning tree"];
    let of_both = ["texts", "neighbor index", "neighbors", "graph", "words"];
    let models = [
        (texts().clusterer(Communities::new().lexical_weight(0.3)), vec!["words in common", "communities"]),
        (texts().bertopic(), of_bertopic.to_vec()),
    ];
    for (model, own) in models {
        for task in own.into_iter().chain(of_both) {
            let error = stopped_at(task, model.clone(), &many);
            assert_eq!(error.kind(), ErrorKind::Interrupted, "{task}: {error}");
        }
    }
    // Alternative stages.
    for task in ["k-means", "nearest centers"] {
        let model = texts().reducer(NoReduction).clusterer(KMeans::new(3).n_runs(2));
        assert_eq!(stopped_at(task, model, &many).kind(), ErrorKind::Interrupted, "{task}");
    }
    for task in ["components", "projection"] {
        assert_eq!(stopped_at(task, texts().reducer(Pca::new()), &many).kind(), ErrorKind::Interrupted, "{task}");
    }
    let folder = tempfile::tempdir().unwrap();
    let pictures = frame_with_images(60, folder.path());
    let model = texts().with_images("image").image_folder(folder.path());
    let model = model.representation("Visual_Aspect", VisualRepresentation::new());
    assert_eq!(stopped_at("pictures", model, &pictures).kind(), ErrorKind::Interrupted);
    let exact = texts().reducer(Umap::new().neighbor_search(NeighborSearch::Exact));
    assert_eq!(stopped_at("neighbors", exact, &many).kind(), ErrorKind::Interrupted);
}

#[test]
fn placing_new_rows_can_be_stopped() {
    for clusterer in [Arc::new(Hdbscan::new()) as Arc<dyn Clusterer>, Arc::new(KMeans::new(3))] {
        let points = Array2::from_shape_fn((60, 2), |(row, column)| (row % 3 * 10 + column) as f32 + row as f32 / 60.0);
        let model = clusterer.fit(&Training::new(points.clone())).unwrap().model;
        let interrupt = Interrupt::new();
        let progress = Progress::silent().with_interrupt(interrupt.clone());
        assert!(model.predict(points.view(), &progress).is_ok());
        interrupt.stop();
        assert_eq!(model.predict(points.view(), &progress).unwrap_err().kind(), ErrorKind::Interrupted);
    }
}

#[test]
fn what_is_done_with_topics_can_be_stopped() {
    let automatic = || ReduceTopics::to(NrTopics::Auto).use_ctfidf(true);
    type Work<'a> = &'a dyn Fn(&FittedTopicModel) -> Result<(), Error>;
    let works: [(&'static str, Work<'_>); 12] = [
        ("distances of topics", &|topics| topics.hierarchical_topics().map(drop)),
        ("words of merged topics", &|topics| topics.hierarchical_topics().map(drop)),
        ("distances of topics", &|topics| topics.reduce_topics(2).map(drop)),
        ("angles of topics", &|topics| topics.reduce_topics(automatic()).map(drop)),
        ("topics over time", &|topics| topics.topics_over_time("year").map(drop)),
        ("trends of topics", &|topics| topics.topics_over_time("year")?.emerging_topics().map(drop)),
        ("topics by class", &|topics| topics.topics_per_class("class").map(drop)),
        ("classes with topics", &|topics| topics.topics_per_class("class").map(drop)),
        ("memberships", &|topics| topics.reduce_outliers(OutlierStrategy::Probabilities).map(drop)),
        ("topics within documents", &|topics| topics.reduce_outliers(OutlierStrategy::Distributions).map(drop)),
        ("topics by words", &|topics| topics.reduce_outliers(OutlierStrategy::CTfIdf).map(drop)),
        ("nearest topics", &|topics| topics.reduce_outliers(OutlierStrategy::Embeddings).map(drop)),
    ];
    for (task, work) in works {
        let interrupt = Interrupt::new();
        let sink = Arc::new(StopAt { task, interrupt: interrupt.clone(), stopped: Mutex::new(None) });
        let topics = fitted().with_progress(Progress::to(sink.clone()).with_interrupt(interrupt));
        let error = work(&topics).expect_err(task);
        assert!(sink.stopped.lock().unwrap().is_some(), "no task is called {task}");
        assert_eq!(error.kind(), ErrorKind::Interrupted, "{task}: {error}");
    }
}

#[test]
fn a_switch_that_is_not_thrown_changes_nothing_and_one_that_is_stays_thrown() {
    let (frame, interrupt) = (frame(60), Interrupt::new());
    let model = TopicModel::text("caption", StaticEmbedder::builtin()).interrupt(interrupt.clone());
    let topics = model.fit(&frame).unwrap();
    let without = TopicModel::text("caption", StaticEmbedder::builtin()).fit(&frame).unwrap();
    assert_eq!(topics.labels(), without.labels());
    interrupt.stop();
    assert_eq!(model.fit(&frame).unwrap_err().kind(), ErrorKind::Interrupted);
    assert_eq!(model.embed(&frame).unwrap_err().kind(), ErrorKind::Interrupted);
}
