//! Where outliers are moved, compared with BERTopic 0.17.4 (tests/fixtures/outliers/make.py).

use std::fs;
use std::path::Path;

use ndarray::{Array2, ArrayView2};
use serde::Deserialize;
use topicframe::cluster::{Clustering, FittedClusterer};
use topicframe::error::Result;
use topicframe::polars::prelude::*;
use topicframe::prelude::*;

use crate::representations::{DIMENSIONS, numbers};

#[derive(Deserialize)]
struct Fixture {
    docs: Vec<String>,
    topics: Vec<i32>,
    stop_words: Vec<String>,
    probabilities: Vec<Vec<f64>>,
    results: Vec<Moved>,
}

/// Where a strategy moves each outlier, and how well the best topic of each matches.
#[derive(Deserialize)]
struct Moved {
    strategy: String,
    threshold: f64,
    topics: Vec<i32>,
    matches: Vec<f64>,
}

fn fixture() -> Fixture {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/outliers/outliers.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The fixture's embedder: a text is the sum of its words, which are random numbers.
fn vector(text: &str) -> Series {
    let mut sum = [0.0; DIMENSIONS];
    for word in text.split(' ').filter(|word| word.len() > 1) {
        sum.iter_mut().zip(numbers(word)).for_each(|(sum, x)| *sum += x);
    }
    Series::new("".into(), sum.map(|x| x as f32))
}

/// Known clusters and memberships.
#[derive(Debug, Clone)]
struct Told {
    labels: Vec<i32>,
    memberships: Array2<f64>,
}

impl Clusterer for Told {
    fn check(&self) -> Result<()> {
        Ok(())
    }

    fn min_rows(&self) -> usize {
        1
    }

    fn fit(&self, _: &Training<'_>) -> Result<Clustering> {
        let strengths = self.labels.iter().map(|&label| f64::from(label >= 0)).collect();
        Ok(Clustering::new(self.labels.clone(), strengths, self.clone()))
    }
}

impl FittedClusterer for Told {
    fn predict(&self, points: ArrayView2<'_, f32>, _: &Progress) -> Result<(Vec<i32>, Vec<f64>)> {
        Ok((vec![0; points.nrows()], vec![1.0; points.nrows()]))
    }

    fn membership_vectors(&self) -> Result<Option<Array2<f64>>> {
        Ok(Some(self.memberships.clone()))
    }
}

fn fitted(fixture: &Fixture) -> FittedTopicModel {
    let memberships = fixture.probabilities.concat();
    let memberships = Array2::from_shape_vec((fixture.docs.len(), 3), memberships).unwrap();
    let vectors: Vec<Series> = fixture.docs.iter().map(|text| vector(text)).collect();
    let topics = TopicModel::text("text", NoEmbedder)
        .embeddings("vector")
        .bertopic()
        .reducer(NoReduction)
        .clusterer(Told { labels: fixture.topics.clone(), memberships })
        .vectorizer(CountVectorizer::new().stop_words(StopWords::List(fixture.stop_words.clone())))
        .ctfidf(ClassTfIdf::new())
        .fit(&df!("text" => &fixture.docs, "vector" => vectors).unwrap())
        .unwrap();
    assert_eq!(topics.labels(), fixture.topics);
    topics
}

/// The topics, as they were numbered before, and the probabilities of what were outliers.
fn moved(topics: &FittedTopicModel, how: ReduceOutliers) -> Vec<(i32, f64)> {
    let fewer = topics.reduce_outliers(how).unwrap();
    let before = topics.labels();
    let of_fewer = |id: i32| {
        let same = before.iter().zip(fewer.labels()).find(|&(before, now)| *before >= 0 && now == id);
        same.map_or(-1, |(before, _)| *before)
    };
    let rows = before.iter().enumerate().filter(|(_, topic)| **topic < 0);
    rows.map(|(row, _)| (of_fewer(fewer.labels()[row]), fewer.probabilities()[row])).collect()
}

fn assert_moved(found: &[(i32, f64)], expected: impl Iterator<Item = (i32, f64)>, case: &str) {
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert_eq!(found.0, expected.0, "{case}: outlier {at}");
        let strength = if expected.0 < 0 { 0.0 } else { expected.1 };
        assert!((found.1 - strength).abs() < 1e-5, "{case}: outlier {at}: {found:?} instead of {expected:?}");
    }
}

#[test]
fn outliers_are_moved_where_bertopic_moves_them() {
    let fixture = fixture();
    let topics = fitted(&fixture);
    let mut compared = 0;
    for result in fixture.results.iter().filter(|result| result.strategy != "distributions") {
        let case = format!("{}, {}", result.strategy, result.threshold);
        let how = ReduceOutliers::new(result.strategy.parse().unwrap()).threshold(result.threshold);
        // BERTopic moves an outlier without any membership to topic 0.
        let expected = result.topics.iter().zip(&result.matches).map(|(&topic, &best)| match best > 0.0 {
            true => (topic, best),
            false => (-1, 0.0),
        });
        assert_moved(&moved(&topics, how), expected, &case);
        compared += 1;
    }
    assert_eq!(compared, 9);
    let all_zero = fixture.results.iter().find(|result| result.strategy == "probabilities").unwrap();
    assert_eq!((all_zero.matches[7], all_zero.topics[7]), (0.0, 0), "BERTopic's, of which ours is -1");
}

#[test]
fn the_largest_share_of_a_text_decides_as_in_bertopic() {
    let fixture = fixture();
    let topics = fitted(&fixture);
    let results: Vec<&Moved> = fixture.results.iter().filter(|result| result.strategy == "distributions").collect();
    // BERTopic's threshold is that of windows, of which 0.1 is the default here.
    let of = |result: &Moved, least: f64| -> Vec<(i32, f64)> {
        let pairs = result.topics.iter().copied().zip(result.matches.iter().copied());
        pairs.map(|(topic, share)| if share > 0.0 && share >= least { (topic, share) } else { (-1, 0.0) }).collect()
    };
    assert_eq!(results[0].threshold, 0.1);
    for least in [0.0, 0.72, 0.9, 1.0] {
        let how = ReduceOutliers::new(OutlierStrategy::Distributions).threshold(least);
        assert_moved(&moved(&topics, how), of(results[0], least).into_iter(), &format!("shares from {least}"));
    }
    // With another one for windows, it is the largest share of the distribution.
    let windows = ApproximateDistribution::new().min_similarity(results[1].threshold);
    let shares = topics.approximate_distribution(&windows).unwrap();
    let rows = fixture.topics.iter().enumerate().filter(|(_, topic)| **topic < 0);
    let largest = rows.map(|(row, _)| shares.of(row).first().copied().unwrap_or((-1, 0.0))).collect::<Vec<_>>();
    assert_moved(&largest, of(results[1], 0.0).into_iter(), "windows");
}
