//! Measures compared with gensim's and scikit-learn's.

use serde_json::Value;
use topicframe::measure::{
    AssociationTest, adjusted_rand_index, association, benjamini_hochberg, diversity, document_npmi, npmi, trend,
    wilson_interval,
};
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

fn series() -> &'static Value {
    crate::given_topics::fixture()
}

fn assert_near(found: f64, expected: f64) {
    let near = (found - expected).abs() <= 1e-9 * expected.abs().max(1e-12);
    assert!(near, "{found} instead of {expected}");
}

#[test]
fn association_is_scipys_and_statsmodels() {
    for case in series()["tables"].as_array().unwrap() {
        let [a, b, c, d] = serde_json::from_value::<[u64; 4]>(case["table"].clone()).unwrap();
        let found = association(a, b, c, d).unwrap();
        let is_fisher = case["test"] == "fisher";
        assert_eq!(found.test == AssociationTest::Fisher, is_fisher, "{case}");
        // Differences of logarithms of large factorials.
        let p_value = case["p"].as_f64().unwrap();
        assert!((found.p_value - p_value).abs() < 1e-7 * p_value, "{case} {}", found.p_value);
        assert_near(found.lift, case["lift"].as_f64().unwrap());
        let interval: Vec<f64> = serde_json::from_value(case["interval"].clone()).unwrap();
        assert!((found.log_odds_ratio - case["log_odds_ratio"].as_f64().unwrap()).abs() < 1e-9);
        assert!((found.interval.0 - interval[0]).abs() < 1e-9 && (found.interval.1 - interval[1]).abs() < 1e-9);
        // Which property is first does not matter.
        assert!((association(a, c, b, d).unwrap().p_value / found.p_value - 1.0).abs() < 1e-7);
    }
    for table in [(0, 0, 3, 4), (3, 4, 0, 0), (0, 3, 0, 4), (0, 0, 0, 0)] {
        assert_eq!(association(table.0, table.1, table.2, table.3), None);
    }
}

#[test]
fn intervals_and_corrections_are_statsmodels() {
    for case in series()["wilson"].as_array().unwrap() {
        let (part, all, expected): (u64, u64, [f64; 2]) = serde_json::from_value(case.clone()).unwrap();
        let (low, high) = wilson_interval(part, all).unwrap();
        assert!((low - expected[0]).abs() < 1e-12 && (high - expected[1]).abs() < 1e-12, "{case}");
    }
    assert_eq!(wilson_interval(0, 0), None);
    let (p_values, expected): (Vec<f64>, Vec<f64>) =
        serde_json::from_value(series()["benjamini_hochberg"].clone()).unwrap();
    for (found, expected) in benjamini_hochberg(&p_values).into_iter().zip(expected) {
        assert!((found - expected).abs() < 1e-12);
    }
    let with_nan = benjamini_hochberg(&[0.01, f64::NAN, 0.02]);
    assert!(with_nan[0] == 0.02 && with_nan[1].is_nan() && with_nan[2] == 0.02, "{with_nan:?}");
    assert!(benjamini_hochberg(&[]).is_empty());
}

#[test]
fn trends_are_weighted_regressions() {
    for case in series()["trends"].as_array().unwrap() {
        let bins: Vec<(f64, u64, u64)> = serde_json::from_value(case["bins"].clone()).unwrap();
        let found = trend(&bins).unwrap();
        let interval: [f64; 2] = serde_json::from_value(case["interval"].clone()).unwrap();
        for (found, expected) in [
            (found.slope, case["slope"].as_f64().unwrap()),
            (found.error, case["error"].as_f64().unwrap()),
            (found.interval.0, interval[0]),
            (found.interval.1, interval[1]),
            (found.p_value, case["p"].as_f64().unwrap()),
        ] {
            assert!((found - expected).abs() < 1e-9 * expected.abs().max(1e-3), "{found} {expected}");
        }
    }
    assert_eq!(trend(&[(0.0, 0, 9), (1.0, 0, 9), (2.0, 0, 9)]), None, "a share of 0");
    assert_eq!(trend(&[(1.0, 2, 9), (1.0, 3, 9), (1.0, 4, 9)]), None, "one time");
    assert_eq!(trend(&[(0.0, 2, 9), (1.0, 3, 9), (2.0, 0, 0)]), None, "an empty bin");
}
