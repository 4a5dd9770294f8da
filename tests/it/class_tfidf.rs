//! Class-based TF-IDF compared with BERTopic 0.17.4 and numpy (tests/fixtures/vectorize/make.py), and properties that
//! hold for any counts.

use std::f64::consts::LN_2;

use serde_json::Value;
use topicframe::error::ErrorKind;
use topicframe::linalg::sparse::CsrMatrix;
use topicframe::progress::Progress;
use topicframe::topics::TopicTerms;
use topicframe::vectorize::{ClassTfIdf, CountVectorizer, FittedClassTfIdf, StopWords, TopicCounts, top_terms};

fn close(found: impl IntoIterator<Item = f64>, expected: &[f64], tolerance: f64) {
    let found: Vec<f64> = found.into_iter().collect();
    assert_eq!(found.len(), expected.len());
    for (place, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!((a - b).abs() < tolerance, "{place}: {a} is not {b}");
    }
}

fn row(weights: &CsrMatrix<f64>, row: usize) -> Vec<f64> {
    (0..weights.cols()).map(|column| weights.get(row, column)).collect()
}

/// Three topics: bird, cat, dog, fish.
fn animals() -> (CsrMatrix<u32>, Vec<String>) {
    let texts = ["cat cat dog fish", "dog dog bird", "fish fish fish cat bird bird"];
    let counted = CountVectorizer::new().fit_transform(&texts, &Progress::silent()).unwrap();
    let vocabulary = counted.vectorizer.vocabulary().to_vec();
    assert_eq!(vocabulary, ["bird", "cat", "dog", "fish"]);
    (counted.counts, vocabulary)
}

fn weigh(weighting: &ClassTfIdf) -> (FittedClassTfIdf, CsrMatrix<f64>) {
    let (counts, vocabulary) = animals();
    let fitted = weighting.fit(&counts, &vocabulary).unwrap();
    let weights = fitted.transform(&counts).unwrap();
    (fitted, weights)
}

#[test]
fn the_numbers_that_bertopic_gives_for_three_topics() {
    let plain = [0.847298, 0.847298, 0.847298, LN_2];
    let bm25 = [0.356675, 0.356675, 0.356675, 0.105361];
    let seeded = [0.847298, 0.847298, 1.694596, LN_2];
    let table = [
        (ClassTfIdf::new(), plain, [0.0, 0.423649, 0.211824, 0.173287], [0.282433, 0.141216, 0.0, 0.346574]),
        (
            ClassTfIdf::new().bm25_weighting(true),
            bm25,
            [0.0, 0.178337, 0.089169, 0.026340],
            [0.118892, 0.059446, 0.0, 0.052680],
        ),
        (
            ClassTfIdf::new().reduce_frequent_words(true),
            plain,
            [0.0, 0.599130, 0.423649, 0.346574],
            [0.489188, 0.345908, 0.0, 0.490129],
        ),
        (
            ClassTfIdf::new().bm25_weighting(true).reduce_frequent_words(true),
            bm25,
            [0.0, 0.252207, 0.178337, 0.052680],
            [0.205926, 0.145612, 0.0, 0.074501],
        ),
        (
            ClassTfIdf::new().seed_words(["dog"], 2.0),
            seeded,
            [0.0, 0.423649, 0.423649, 0.173287],
            [0.282433, 0.141216, 0.0, 0.346574],
        ),
    ];
    for (weighting, idf, first, third) in table {
        let (fitted, weights) = weigh(&weighting);
        close(fitted.idf().iter().copied(), &idf, 1e-6);
        close(row(&weights, 0), &first, 1e-6);
        close(row(&weights, 2), &third, 1e-6);
    }
}

#[test]
fn larger_counts_as_bertopic_weighs_them() {
    let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/vectorize/class_tfidf.json"));
    let fixture: Value = serde_json::from_str(text).unwrap();
    let vocabulary: Vec<String> = serde_json::from_value(fixture["vocabulary"].clone()).unwrap();
    let mut counts = fixture["counts"].clone();
    counts["cols"] = vocabulary.len().into();
    let counts: CsrMatrix<u32> = serde_json::from_value(counts).unwrap();
    let cases = fixture["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 8);
    for case in cases {
        let seeds: Vec<String> = serde_json::from_value(case["seed_words"].clone()).unwrap();
        let weighting = ClassTfIdf::new()
            .bm25_weighting(case["bm25_weighting"].as_bool().unwrap())
            .reduce_frequent_words(case["reduce_frequent_words"].as_bool().unwrap())
            .seed_words(seeds, case["seed_multiplier"].as_f64().unwrap());
        let fitted = weighting.fit(&counts, &vocabulary).unwrap();
        let idf: Vec<f64> = serde_json::from_value(case["idf"].clone()).unwrap();
        close(fitted.idf().iter().copied(), &idf, 1e-12);
        let expected: Vec<f64> = serde_json::from_value(case["weights"].clone()).unwrap();
        let weights = fitted.transform(&counts).unwrap();
        close((0..weights.rows()).flat_map(|topic| row(&weights, topic)), &expected, 1e-12);
    }
}

#[test]
fn weights_by_coverage_as_numpy_computes_them() {
    let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/vectorize/coverage.json"));
    let fixture: Value = serde_json::from_str(text).unwrap();
    let numbers = |value: &Value| -> Vec<f64> { serde_json::from_value(value.clone()).unwrap() };
    let texts: Vec<String> = serde_json::from_value(fixture["texts"].clone()).unwrap();
    let topics: Vec<i32> = serde_json::from_value(fixture["topics"].clone()).unwrap();
    let by_row: Vec<(usize, &str)> = texts.iter().enumerate().map(|(row, text)| (row, text.as_str())).collect();
    let vectorizer = CountVectorizer::new().stop_words(StopWords::None);
    let cases = fixture["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 8);
    for case in cases {
        let seeds: Vec<String> = serde_json::from_value(case["seed_words"].clone()).unwrap();
        let weighting = ClassTfIdf::new()
            .coverage(true)
            .bm25_weighting(case["bm25_weighting"].as_bool().unwrap())
            .reduce_frequent_words(case["reduce_frequent_words"].as_bool().unwrap())
            .seed_words(seeds, case["seed_multiplier"].as_f64().unwrap());
        let terms =
            TopicTerms::count(&by_row, &topics, &[0, 1, 2, 3], &vectorizer, &weighting, &Progress::silent()).unwrap();
        assert_eq!(fixture["vocabulary"], Value::from(terms.vocabulary.to_vec()));
        let dense = |counts: &CsrMatrix<u32>| {
            let cell = |topic: usize, term: usize| f64::from(counts.get(topic, term));
            (0..4).flat_map(|topic| (0..counts.cols()).map(move |term| cell(topic, term))).collect::<Vec<f64>>()
        };
        assert_eq!(dense(&terms.counts), numbers(&fixture["words"]));
        assert_eq!(dense(&terms.document_counts), numbers(&fixture["documents"]));
        close((0..4).flat_map(|topic| row(&terms.c_tf_idf, topic)), &numbers(&case["weights"]), 1e-12);
        close(terms.text_scores, &numbers(&case["text_scores"]), 1e-12);
        let counts = TopicCounts::new(&terms.counts, &terms.document_counts, &terms.topic_documents).unwrap();
        let fitted = weighting.fit_topics(&counts, &terms.vocabulary).unwrap();
        close(fitted.idf().iter().copied(), &numbers(&case["idf"]), 1e-12);
        assert_eq!(fitted.transform_topics(&counts).unwrap(), terms.c_tf_idf);
    }
}

#[test]
fn coverage_needs_counts_of_texts_that_agree() {
    let (counts, vocabulary) = animals();
    let error = ClassTfIdf::new().coverage(true).fit(&counts, &vocabulary).unwrap_err();
    assert!(format!("{error:#}").contains("fit_topics"), "{error:#}");
    let ones =
        CsrMatrix::new(4, counts.indptr().to_vec(), counts.indices().to_vec(), vec![1; counts.entries()]).unwrap();
    let of_topics = TopicCounts::new(&counts, &ones, &[1, 1, 1]).unwrap();
    let fitted = ClassTfIdf::new().coverage(true).fit_topics(&of_topics, &vocabulary).unwrap();
    // A topic of one text is weighted like the text.
    assert_eq!(fitted.transform(&counts).unwrap(), fitted.transform_topics(&of_topics).unwrap());
    // Without coverage, texts make no difference.
    let plain = ClassTfIdf::new().fit_topics(&of_topics, &vocabulary).unwrap();
    assert_eq!(plain, ClassTfIdf::new().fit(&counts, &vocabulary).unwrap());
    assert_eq!(plain.transform_topics(&of_topics).unwrap(), plain.transform(&counts).unwrap());
    for sizes in [&[1, 1][..], &[1, 0, 1]] {
        assert_eq!(TopicCounts::new(&counts, &ones, sizes).unwrap_err().kind(), ErrorKind::InvalidData);
    }
    let fewer = CsrMatrix::new(4, vec![0; 4], vec![], vec![]).unwrap();
    assert!(TopicCounts::new(&counts, &fewer, &[1, 1, 1]).is_err());
}

#[test]
fn an_empty_topic_weighs_nothing_and_an_unseen_term_too() {
    let counts = CsrMatrix::new(3, vec![0, 2, 2], vec![0, 1], vec![4, 1]).unwrap();
    let vocabulary = ["a", "b", "c"].map(str::to_owned);
    for bm25 in [false, true] {
        let fitted = ClassTfIdf::new().bm25_weighting(bm25).fit(&counts, &vocabulary).unwrap();
        assert_eq!(fitted.idf()[2], 0.0);
        let weights = fitted.transform(&counts).unwrap();
        assert_eq!(row(&weights, 1), [0.0; 3]);
        assert!(weights.data().iter().all(|weight| weight.is_finite()));
        // A document may contain a term that occurs in no topic: it belongs to none.
        let document = CsrMatrix::new(3, vec![0, 1], vec![2], vec![3]).unwrap();
        assert_eq!(row(&fitted.transform(&document).unwrap(), 0), [0.0; 3]);
    }
    let none = CsrMatrix::<u32>::new(3, vec![0], vec![], vec![]).unwrap();
    assert_eq!(ClassTfIdf::new().fit(&none, &vocabulary).unwrap().idf(), [0.0; 3]);
}

#[test]
fn more_topics_than_words_still_have_words() {
    let counts = CsrMatrix::new(1, vec![0, 1, 1, 1], vec![0], vec![1]).unwrap();
    let fitted = ClassTfIdf::new().fit(&counts, &["a".to_owned()]).unwrap();
    assert!(fitted.transform(&counts).unwrap().get(0, 0) > 0.0);
}

#[test]
fn a_word_that_bm25_finds_too_frequent_is_no_topics_word() {
    let texts = ["the the the the cat", "the the the the dog", "the the the the pig"];
    let counted =
        CountVectorizer::new().stop_words(StopWords::None).fit_transform(&texts, &Progress::silent()).unwrap();
    let vocabulary = counted.vectorizer.vocabulary();
    let weights =
        |weighting: ClassTfIdf| weighting.fit(&counted.counts, vocabulary).unwrap().transform(&counted.counts).unwrap();
    let words = |weights: &CsrMatrix<f64>| {
        top_terms(weights, 0, 10).into_iter().map(|(term, _)| vocabulary[term].as_str()).collect::<Vec<_>>()
    };
    assert_eq!(words(&weights(ClassTfIdf::new().bm25_weighting(true))), ["cat"]);
    assert_eq!(words(&weights(ClassTfIdf::new())).len(), 2);
}

#[test]
fn seed_words_that_are_not_there_are_told() {
    let (fitted, _) = weigh(&ClassTfIdf::new().seed_words(["Dog", "dog", "horse", "cats"], 2.0));
    assert_eq!(fitted.unknown_seed_words(), ["horse", "cats"]);
    let (once, _) = weigh(&ClassTfIdf::new().seed_words(["dog"], 2.0));
    assert_eq!(fitted.idf(), once.idf(), "a word listed twice counts once");
}

#[test]
fn the_best_terms_come_first_and_equal_ones_in_the_order_of_the_vocabulary() {
    let weights =
        CsrMatrix::new(6, vec![0, 6, 6], vec![0, 1, 2, 3, 4, 5], vec![0.5, 1.0, -0.2, 0.5, 0.0, 0.5]).unwrap();
    let terms = |n: usize| top_terms(&weights, 0, n).into_iter().map(|(term, _)| term).collect::<Vec<_>>();
    assert_eq!(terms(10), [1, 0, 3, 5]);
    assert_eq!(terms(3), [1, 0, 3]);
    assert_eq!(terms(2), [1, 0]);
    assert_eq!(terms(0), [0; 0]);
    assert_eq!(top_terms(&weights, 0, 1), [(1, 1.0)]);
    assert!(top_terms(&weights, 1, 5).is_empty() && top_terms(&weights, 9, 5).is_empty());
}

#[test]
fn weights_do_not_depend_on_other_rows() {
    let (fitted, weights) = weigh(&ClassTfIdf::new());
    let (counts, _) = animals();
    let alone = fitted.transform(&counts.select_rows(&[2])).unwrap();
    assert_eq!(row(&alone, 0), row(&weights, 2));
}

#[test]
fn bad_input() {
    for multiplier in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let error = ClassTfIdf::new().seed_words(["a"], multiplier).check().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter);
        assert!(format!("{error:#}").contains("seed_words"), "{error:#}");
        let (counts, vocabulary) = animals();
        assert!(ClassTfIdf::new().seed_words(["a"], multiplier).fit(&counts, &vocabulary).is_err());
    }
    let (counts, vocabulary) = animals();
    assert!(ClassTfIdf::new().fit(&counts, &vocabulary[..3]).is_err());
    let fitted = ClassTfIdf::new().fit(&counts, &vocabulary).unwrap();
    let narrow = CsrMatrix::new(2, vec![0, 1], vec![0], vec![1]).unwrap();
    assert_eq!(fitted.transform(&narrow).unwrap_err().kind(), ErrorKind::InvalidData);
}
