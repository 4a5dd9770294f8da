//! CountVectorizer compared with scikit-learn 1.9.1 (tests/fixtures/vectorize/make.py), and properties that hold for
//! any texts.

use serde_json::Value;
use topicframe::error::ErrorKind;
use topicframe::linalg::sparse::CsrMatrix;
use topicframe::progress::Progress;
use topicframe::vectorize::{CountMatrix, CountVectorizer, DocumentFrequency, FittedCountVectorizer, StopWords};

fn count(vectorizer: &CountVectorizer, texts: &[&str]) -> CountMatrix {
    vectorizer.fit_transform(texts, &Progress::silent()).unwrap()
}

fn vocabulary(vectorizer: &CountVectorizer, texts: &[&str]) -> Vec<String> {
    count(vectorizer, texts).vectorizer.vocabulary().to_vec()
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

fn matrix(value: &Value, cols: usize) -> CsrMatrix<u32> {
    let mut value = value.clone();
    value["cols"] = cols.into();
    serde_json::from_value(value).unwrap()
}

fn frequency(value: &Value) -> DocumentFrequency {
    match value.as_u64() {
        Some(count) => DocumentFrequency::Count(count as usize),
        None => DocumentFrequency::Share(value.as_f64().unwrap()),
    }
}

/// A vectorizer with scikit-learn's settings; without stop words unless they are specified.
fn vectorizer(settings: &Value) -> CountVectorizer {
    let mut vectorizer = CountVectorizer::new().stop_words(StopWords::None);
    for (name, value) in settings.as_object().unwrap() {
        vectorizer = match name.as_str() {
            "lowercase" => vectorizer.lowercase(value.as_bool().unwrap()),
            "ngram_range" => {
                vectorizer.ngram_range(value[0].as_u64().unwrap() as usize, value[1].as_u64().unwrap() as usize)
            }
            "stop_words" => vectorizer.stop_words(StopWords::list(strings(value))),
            "min_df" => vectorizer.min_df(frequency(value)),
            "max_df" => vectorizer.max_df(frequency(value)),
            "max_features" => vectorizer.max_features(value.as_u64().unwrap() as usize),
            other => panic!("{other}"),
        };
    }
    vectorizer
}

#[test]
fn counts_are_those_of_scikit_learn() {
    let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/vectorize/counts.json"));
    let fixture: Value = serde_json::from_str(text).unwrap();
    let cases = fixture["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 17);
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let texts = strings(&fixture["corpora"][case["corpus"].as_str().unwrap()]);
        let counted = count(&vectorizer(&case["settings"]), &texts);
        let terms = counted.vectorizer.vocabulary();
        assert_eq!(terms, strings(&case["vocabulary"]), "{name}");
        assert_eq!(counted.counts, matrix(&case["counts"], terms.len()), "{name}");
        let unseen = counted.vectorizer.transform(&strings(&fixture["unseen_texts"]));
        assert_eq!(unseen, matrix(&case["unseen"], terms.len()), "{name}");
    }
}

/// Texts of pseudorandom words, long enough for more than one chunk of work.
fn many_texts() -> Vec<String> {
    let mut state = 11_u64;
    let mut next = move |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut word = move || {
        let wide = next(3000) + 1;
        format!("w{}", next(wide))
    };
    (0..60_000)
        .map(|i| (0..i % 23).map(|_| word()).collect::<Vec<_>>().join(if i % 2 == 0 { " " } else { ", " }))
        .collect()
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let texts = many_texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    assert!(texts.iter().map(|text| text.len()).sum::<usize>() > 3 << 20, "more than one chunk");
    let vectorizer = CountVectorizer::new().ngram_range(1, 2).min_df(2).max_features(20_000);
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| count(&vectorizer, &texts))
    };
    let (one, four) = (on(1), on(4));
    assert_eq!(one.vectorizer.vocabulary().len(), 20_000);
    assert_eq!(one.vectorizer.vocabulary(), four.vectorizer.vocabulary());
    assert_eq!(one.counts, four.counts);
    assert_eq!(four.vectorizer.transform(&texts), one.counts);
    assert!(one.vectorizer.vocabulary().is_sorted());
}

#[test]
fn the_order_of_texts_changes_only_the_order_of_rows() {
    let texts = many_texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let order: Vec<usize> = (0..texts.len()).map(|i| i * 7919 % texts.len()).collect();
    let shuffled: Vec<&str> = order.iter().map(|&i| texts[i]).collect();
    let vectorizer = CountVectorizer::new().ngram_range(1, 2).max_features(5_000);
    let (counted, again) = (count(&vectorizer, &texts), count(&vectorizer, &shuffled));
    assert_eq!(counted.vectorizer.vocabulary(), again.vectorizer.vocabulary());
    assert_eq!(counted.counts.select_rows(&order), again.counts);
}

#[test]
fn every_word_is_counted_once() {
    let texts = many_texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let words: usize = (0..texts.len()).map(|i| i % 23).sum();
    let bigrams: usize = (0..texts.len()).map(|i| (i % 23).saturating_sub(1)).sum();
    let total = |shortest, longest| {
        let vectorizer = CountVectorizer::new().ngram_range(shortest, longest);
        count(&vectorizer, &texts).counts.row_sums().iter().sum::<f64>() as usize
    };
    assert_eq!(total(1, 1), words);
    assert_eq!(total(2, 2), bigrams);
    assert_eq!(total(1, 2), words + bigrams);
}

#[test]
fn of_equally_frequent_terms_the_first_are_kept() {
    let texts = ["pear plum fig fig", "apple kiwi plum"];
    let vectorizer = CountVectorizer::new();
    assert_eq!(vocabulary(&vectorizer.clone().max_features(3), &texts), ["apple", "fig", "plum"]);
    assert_eq!(vocabulary(&vectorizer.clone().max_features(1), &texts), ["fig"]);
    assert_eq!(vocabulary(&vectorizer.max_features(99), &texts).len(), 5);
}

#[test]
fn longer_ngrams_sort_as_their_texts_do() {
    let texts = ["b a ab aa a1 ab ab aa b1 aa ab", "ab aa ab a1 a1 aa aa ab ab é1 ab"];
    for longest in 1..=5 {
        let counted = count(&CountVectorizer::new().stop_words(StopWords::None).ngram_range(1, longest), &texts);
        assert!(counted.vectorizer.vocabulary().windows(2).all(|pair| pair[0] < pair[1]));
        for (column, term) in counted.vectorizer.vocabulary().iter().enumerate() {
            assert_eq!(counted.vectorizer.index_of(term), Some(column));
        }
    }
}

#[test]
fn a_literal_is_a_count_and_a_fraction_is_a_share() {
    let texts = ["cat dog", "cat", "cat dog", "bird cat"];
    let vectorizer = CountVectorizer::new;
    assert_eq!(vocabulary(&vectorizer().min_df(2), &texts), ["cat", "dog"]);
    assert_eq!(vocabulary(&vectorizer().min_df(0.6), &texts), ["cat"]);
    assert_eq!(vocabulary(&vectorizer().max_df(0.5), &texts), ["bird", "dog"]);
    assert_eq!(vocabulary(&vectorizer().max_df(1), &texts), ["bird"]);
    assert_eq!(vocabulary(&vectorizer().max_df(1.0), &texts), ["bird", "cat", "dog"]);
}

#[test]
fn english_stop_words_go_by_themselves_from_english_only() {
    let english = ["I don't think that we'll see the mill on fire", "They've said it isn't the system's fault"];
    let counted = count(&CountVectorizer::new(), &english);
    assert_eq!(counted.vectorizer.vocabulary(), ["fault", "fire", "mill", "said", "system", "think"]);
    assert_eq!(counted.vectorizer.stop_words(), &StopWords::English);
    let german = ["Die Katze ist nicht auf dem Tisch", "Ein Hund und eine Katze im Garten"];
    let counted = count(&CountVectorizer::new(), &german);
    assert_ne!(counted.vectorizer.stop_words(), &StopWords::English);
    assert_eq!(counted.vectorizer.vocabulary(), ["garten", "hund", "katze", "tisch"]);
}

#[test]
fn a_list_of_stop_words_is_compared_as_texts_are_counted() {
    let texts = ["The Cat and the dog"];
    let with = |stop_words| vocabulary(&CountVectorizer::new().stop_words(stop_words), &texts);
    assert_eq!(with(StopWords::list(["THE", "and", "and"])), ["cat", "dog"]);
    assert_eq!(with(StopWords::list(["an"])), ["and", "cat", "dog", "the"]);
    assert_eq!(with(StopWords::english_and(["dog"])), ["cat"]);
    let kept = CountVectorizer::new().lowercase(false).stop_words(StopWords::list(["the"]));
    assert_eq!(vocabulary(&kept, &texts), ["Cat", "The", "and", "dog"]);
}

#[test]
fn text_in_any_script_survives() {
    let texts = ["黒い猫が庭で寝ています", "東京駅でカメラを買った", "猫とカメラ"];
    let counted = count(&CountVectorizer::new(), &texts);
    assert_eq!(counted.vectorizer.vocabulary(), ["カメラ", "寝", "庭", "東京駅", "猫", "買", "黒"]);
    let camera = counted.vectorizer.index_of("カメラ").unwrap();
    assert_eq!((0..3).map(|row| counted.counts.get(row, camera)).collect::<Vec<_>>(), [0, 1, 1]);

    let texts = ["हिन्दी में समाचार", "कुत्ता और बिल्ली", "Café naïve", "กรุงเทพ แมว", "سیب می\u{200c}خورم"];
    let expected =
        ["café", "naïve", "سیب", "می\u{200c}خورم", "और", "कुत्ता", "बिल्ली", "में", "समाचार", "हिन्दी", "กรุงเทพ", "แมว"];
    assert_eq!(vocabulary(&CountVectorizer::new().stop_words(StopWords::None), &texts), expected);
}

#[test]
fn texts_without_words_are_empty_rows() {
    let texts = ["", "🎉🎉 👍🏽", "cat", "the", " \t\n", "?!", "cat 🐱 dog"];
    let counted = count(&CountVectorizer::new(), &texts);
    assert_eq!(counted.vectorizer.vocabulary(), ["cat", "dog"]);
    assert_eq!(counted.counts.rows(), 7);
    assert_eq!(counted.counts.row_sums(), [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 2.0]);
    assert_eq!(counted.vectorizer.transform(&[]).rows(), 0);
    assert_eq!(counted.vectorizer.transform(&["", "bird"]).row_sums(), [0.0, 0.0]);
}

#[test]
fn a_fitted_vectorizer_can_be_put_together_again() {
    let texts = ["the cat sat", "the dog and the cat"];
    let counted = count(&CountVectorizer::new().ngram_range(1, 2), &texts);
    let settings = serde_json::to_string(counted.vectorizer.settings()).unwrap();
    let settings: CountVectorizer = serde_json::from_str(&settings).unwrap();
    let terms = counted.vectorizer.vocabulary().to_vec();
    let again = FittedCountVectorizer::from_vocabulary(settings.clone(), terms.clone()).unwrap();
    assert_eq!(again.transform(&texts), counted.counts);

    let backwards = terms.into_iter().rev().collect();
    assert!(FittedCountVectorizer::from_vocabulary(settings, backwards).is_err());
    assert!(FittedCountVectorizer::from_vocabulary(CountVectorizer::new(), Vec::new()).is_err());
}

#[test]
fn parameters_out_of_range_are_refused_by_name() {
    let new = CountVectorizer::new;
    let cases = [
        ("ngram_range", new().ngram_range(0, 1)),
        ("ngram_range", new().ngram_range(3, 2)),
        ("ngram_range", new().ngram_range(1, 11)),
        ("min_df", new().min_df(0)),
        ("min_df", new().min_df(1.5)),
        ("min_df", new().min_df(f64::NAN)),
        ("max_df", new().max_df(-0.1)),
        ("max_df", new().max_df(0)),
        ("min_df", new().min_df(5).max_df(4)),
        ("min_df", new().min_df(0.5).max_df(0.4)),
        ("max_features", new().max_features(0)),
    ];
    for (name, vectorizer) in cases {
        let error = vectorizer.check().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter);
        assert!(format!("{error:#}").contains(&format!("{name} = ")), "{error:#}");
        assert!(vectorizer.fit_transform(&["a text"], &Progress::silent()).is_err());
    }
}

#[test]
fn no_terms_left_says_why_and_what_to_do() {
    let fails = |vectorizer: CountVectorizer, texts: &[&str]| {
        let error = vectorizer.fit_transform(texts, &Progress::silent()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        format!("{error:#}")
    };
    let new = CountVectorizer::new;
    let pruned = fails(new().min_df(2).max_df(0.5), &["cat dog", "cat bird", "cat"]);
    assert!(pruned.contains("2 occur in fewer") && pruned.contains("1 in more"), "{pruned}");
    assert!(pruned.contains("min_df = 2") && pruned.contains("max_df = 0.5") && pruned.contains("Lower"), "{pruned}");
    let stopped = fails(new(), &["the and of", "with"]);
    assert!(stopped.contains("StopWords::None"), "{stopped}");
    let short = fails(new().ngram_range(3, 3), &["cat dog", "bird"]);
    assert!(short.contains("3 words"), "{short}");
    assert!(fails(new(), &["🎉", ""]).contains("no terms"));
    assert!(fails(new(), &[]).contains("no texts"));
}

#[test]
fn encoded_data_is_no_word() {
    let (long, longest) = ("x".repeat(257), "y".repeat(256));
    let texts = [format!("cat {long} {longest}")];
    let counted = CountVectorizer::new().fit_transform(&[&texts[0]], &Progress::silent()).unwrap();
    assert_eq!(counted.vectorizer.vocabulary(), ["cat", &longest]);
}

#[test]
fn analyzed_texts_have_the_terms_that_are_counted() {
    let texts = ["The cat sat on the mat, the cat", "", "a dog and a Cat"];
    for vectorizer in [
        CountVectorizer::new(),
        CountVectorizer::new().ngram_range(1, 3).stop_words(StopWords::None),
        CountVectorizer::new().ngram_range(2, 2).lowercase(false),
    ] {
        let counted = count(&vectorizer, &texts);
        let analyzed = vectorizer.analyze(&texts).unwrap();
        assert_eq!(analyzed, counted.vectorizer.settings().analyze(&texts).unwrap());
        for (row, terms) in analyzed.iter().enumerate() {
            for (column, term) in counted.vectorizer.vocabulary().iter().enumerate() {
                let times = terms.iter().filter(|found| *found == term).count();
                assert_eq!(counted.counts.get(row, column) as usize, times, "{term}");
            }
            assert!(terms.iter().all(|term| counted.vectorizer.index_of(term).is_some()), "{terms:?}");
        }
    }
    assert!(CountVectorizer::new().analyze(&[]).unwrap().is_empty());
    assert!(CountVectorizer::new().ngram_range(2, 1).analyze(&texts).is_err());
}

#[test]
fn phrases_are_counted_beside_their_words() {
    let texts = ["my point of view", "your view of it", "no point in that, point of view"].repeat(5);
    let vectorizer = CountVectorizer::new().phrases(true);
    let counted = vectorizer.fit_transform(&texts, &Progress::silent()).unwrap();
    let fitted = &counted.vectorizer;
    assert_eq!(fitted.vocabulary(), ["point", "point of view", "view"]);
    assert_eq!(counted.counts.row(2), (&[0, 1, 2][..], &[2, 1, 1][..]));
    assert_eq!(counted.counts.column_sums(), [15.0, 10.0, 15.0]);
    // In other texts, it is the same phrases, however rare.
    let other = fitted.transform(&["a Point of View", "view of point", "new york"]);
    assert_eq!((other.row(0).0, other.row(1).0, other.row(2).0), (&[0, 1, 2][..], &[0, 2][..], &[][..]));
    let again =
        FittedCountVectorizer::from_vocabulary(fitted.settings().clone(), fitted.vocabulary().to_vec()).unwrap();
    assert_eq!(again.transform(&texts), counted.counts);
    assert_eq!(vectorizer.analyze(&texts).unwrap()[2], ["point", "point", "point of view", "view"]);
    // Four occurrences are too few, and n-grams are phrases already.
    let few = vectorizer.fit_transform(&texts[..5], &Progress::silent()).unwrap();
    assert_eq!(few.vectorizer.vocabulary(), ["point", "view"]);
    assert!(vectorizer.clone().ngram_range(1, 2).check().is_err());
    assert_eq!(
        CountVectorizer::new().fit_transform(&texts, &Progress::silent()).unwrap().vectorizer.vocabulary().len(),
        2
    );
}
