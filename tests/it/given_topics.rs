//! Models of known topics, and the fixture of BERTopic's hierarchy and series (tests/fixtures/series/make.py).

use std::sync::OnceLock;

use ndarray::ArrayView2;
use serde_json::Value;
use topicframe::cluster::{Clustering, FittedClusterer};
use topicframe::error::Result;
use topicframe::polars::prelude::*;
use topicframe::prelude::*;

/// A clusterer that returns known topics.
#[derive(Debug, Clone)]
pub struct Given(pub Vec<i32>);

impl Clusterer for Given {
    fn check(&self) -> Result<()> {
        Ok(())
    }

    fn min_rows(&self) -> usize {
        1
    }

    fn fit(&self, _: &Training<'_>) -> Result<Clustering> {
        let probabilities = self.0.iter().map(|&label| f64::from(label >= 0)).collect();
        Ok(Clustering::new(self.0.clone(), probabilities, self.clone()))
    }
}

impl FittedClusterer for Given {
    fn predict(&self, points: ArrayView2<'_, f32>, _progress: &Progress) -> Result<(Vec<i32>, Vec<f64>)> {
        Ok((vec![0; points.nrows()], vec![1.0; points.nrows()]))
    }
}

/// Vectors of which no two are equal; those of a topic are close to each other.
pub fn vectors(topics: &[i32]) -> Column {
    let vector = |(row, &topic): (usize, &i32)| {
        let angle = f64::from(topic) + row as f64 / 1e4;
        Series::new("".into(), [angle.cos() as f32, angle.sin() as f32])
    };
    let rows: Vec<Series> = topics.iter().enumerate().map(vector).collect();
    Column::new("embedding".into(), rows)
}

/// A model whose topics are known; counts and weights are BERTopic's.
pub fn model(topics: &[i32]) -> TopicModel {
    TopicModel::text("text", StaticEmbedder::builtin())
        .embeddings("embedding")
        .reducer(NoReduction)
        .clusterer(Given(topics.to_vec()))
        .vectorizer(CountVectorizer::new().stop_words(StopWords::None))
        .ctfidf(ClassTfIdf::new())
        .merge_word_forms(false)
        .coherent_words(false)
}

/// The frame with vectors, and its model.
pub fn fit(frame: DataFrame, topics: &[i32]) -> FittedTopicModel {
    let frame = frame.hstack(&[vectors(topics)]).unwrap();
    model(topics).fit(&frame).unwrap()
}

pub fn fixture() -> &'static Value {
    static FIXTURE: OnceLock<Value> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/series/series.json");
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    })
}

pub fn list<T: serde::de::DeserializeOwned>(value: &Value) -> Vec<T> {
    serde_json::from_value(value.clone()).unwrap()
}

/// The topics of the fixture, of texts with years and classes.
pub fn fitted() -> &'static FittedTopicModel {
    static FITTED: OnceLock<FittedTopicModel> = OnceLock::new();
    FITTED.get_or_init(|| {
        let fixture = fixture();
        let (texts, classes): (Vec<String>, Vec<String>) = (list(&fixture["texts"]), list(&fixture["classes"]));
        let (years, topics): (Vec<i64>, Vec<i32>) = (list(&fixture["years"]), list(&fixture["topics"]));
        let topics_of_rows = topics.clone();
        let fitted = fit(df!("text" => texts, "year" => years, "class" => classes).unwrap(), &topics);
        assert_eq!(fitted.labels(), topics_of_rows);
        fitted
    })
}

pub fn strings(frame: &DataFrame, column: &str) -> Vec<String> {
    frame.column(column).unwrap().str().unwrap().iter().map(|text| text.unwrap_or("null").to_owned()).collect()
}

pub fn ints(frame: &DataFrame, column: &str) -> Vec<i64> {
    let column = frame.column(column).unwrap().cast(&DataType::Int64).unwrap();
    column.i64().unwrap().iter().map(|number| number.unwrap()).collect()
}

pub fn floats(frame: &DataFrame, column: &str) -> Vec<Option<f64>> {
    frame.column(column).unwrap().f64().unwrap().to_vec()
}
