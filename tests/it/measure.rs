//! Measures compared with gensim's and scikit-learn's.

use serde_json::Value;
use topicframe::measure::{adjusted_rand_index, diversity, document_npmi, npmi};
use topicframe::prelude::*;

fn fixture() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/measure/measure.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn words(value: &Value) -> Vec<Vec<String>> {
    serde_json::from_value(value.clone()).unwrap()
}

#[test]
fn coherence_is_gensims() {
    let fixture = fixture();
    let (texts, topics) = (words(&fixture["texts"]), words(&fixture["topics"]));
    let expected: Vec<f64> = serde_json::from_value(fixture["npmi"].clone()).unwrap();
    let found: Vec<f64> = npmi(&texts, &topics).into_iter().map(Option::unwrap).collect();
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-9, "{found} {expected}");
    }
    let mean = found.iter().sum::<f64>() / found.len() as f64;
    assert!((mean - fixture["mean"].as_f64().unwrap()).abs() < 1e-9);
}

#[test]
fn coherence_is_the_same_on_any_number_of_threads() {
    let fixture = fixture();
    let texts: Vec<Vec<String>> = words(&fixture["texts"]).into_iter().cycle().take(3_000).collect();
    let topics = words(&fixture["topics"]);
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| npmi(&texts, &topics))
    };
    assert_eq!(on(1), on(4));
}

#[test]
fn coherence_of_little() {
    let none: [Vec<&str>; 0] = [];
    assert!(npmi(&[vec!["cat"]], &none).is_empty());
    assert_eq!(npmi(&none, &[vec!["cat", "dog"]]), [None]);
    assert_eq!(npmi(&[vec!["cat"]], &[vec!["cat", "dog"], vec![]]), [None, None]);
    assert_eq!((diversity(&none, 10), diversity(&[vec!["cat", "cat"]], 10)), (None, Some(0.5)));
}

/// A phrase is a word that is as long as its parts.
#[test]
fn a_phrase_occurs_where_its_words_follow_each_other() {
    let topics = [vec!["hard drive", "disk"]];
    let split = [vec!["hard", "drive", "disk"], vec!["drive", "hard"], vec!["disk"], vec!["a", "hard", "drive"]];
    let joined = [vec!["hard drive", "disk"], vec!["drive", "hard"], vec!["disk"], vec!["a", "hard drive"]];
    assert_eq!(npmi(&split, &topics), npmi(&joined, &topics));
    assert!(npmi(&split, &topics)[0].is_some());
}

/// In texts that are no longer than a window, words in the same text are words in the same window.
#[test]
fn coherence_by_texts_is_that_of_windows_if_texts_are_short() {
    let texts = ["cat dog pet", "dog pet", "cat train", "fast train rail", "rail train", "pet", "cat cat dog"];
    let counted = CountVectorizer::new().fit_transform(&texts, &Progress::silent()).unwrap();
    let column = |word: &&str| counted.vectorizer.index_of(word).unwrap() as u32;
    let topics = [vec!["cat", "dog", "pet"], vec!["fast", "train", "rail"], vec!["cat", "rail"]];
    let columns: Vec<Vec<u32>> = topics.iter().map(|topic| topic.iter().map(column).collect()).collect();
    let split: Vec<Vec<&str>> = texts.iter().map(|text| text.split(' ').collect()).collect();
    for (by_text, by_window) in document_npmi(&counted.counts, &columns).into_iter().zip(npmi(&split, &topics)) {
        assert!((by_text.unwrap() - by_window.unwrap()).abs() < 1e-12);
    }
}

#[test]
fn agreement_is_scikit_learns() {
    let fixture = fixture();
    for case in fixture["clusterings"].as_array().unwrap() {
        let labels = |name: &str| -> Vec<i32> { serde_json::from_value(case[name].clone()).unwrap() };
        let (found, expected) = (adjusted_rand_index(&labels("a"), &labels("b")), case["ari"].as_f64().unwrap());
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    }
}
