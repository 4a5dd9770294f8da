//! A word in two Unicode forms is the same word.

use topicframe::embed::StaticEmbedder;
use topicframe::polars::prelude::*;
use topicframe::prelude::*;
use topicframe::progress::Progress;
use topicframe::vectorize::{ClassTfIdf, CountVectorizer, FittedCountVectorizer};

/// The same word, composed, decomposed, and in compatibility characters.
const FORMS: [[&str; 2]; 5] = [
    ["café", "cafe\u{301}"],
    ["crème", "cre\u{300}me"],
    ["coffee", "ｃｏｆｆｅｅ"],
    ["office", "oﬃce"],
    ["ガラス", "ｶﾞﾗｽ"],
];

#[test]
fn forms_of_a_word_are_counted_together() {
    for [one, other] in FORMS {
        let texts = [format!("xx {one}"), format!("yy {other}"), format!("{} zz", other.to_uppercase())];
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let counted = CountVectorizer::new().fit_transform(&texts, &Progress::silent()).unwrap();
        assert_eq!(counted.vectorizer.vocabulary().len(), 4, "{:?}", counted.vectorizer.vocabulary());
        let column = counted.vectorizer.index_of(one).unwrap();
        assert_eq!(counted.vectorizer.index_of(other), Some(column));
        assert_eq!((0..3).map(|row| counted.counts.get(row, column)).collect::<Vec<_>>(), [1, 1, 1]);
        assert_eq!(counted.vectorizer.transform(&[other]).get(0, column), 1);
    }
}

#[test]
fn signs_stay_apart_from_words() {
    let texts = ["Java™ Java x² 10½ kg² word¹ word"];
    let counted =
        CountVectorizer::new().stop_words(StopWords::None).fit_transform(&texts, &Progress::silent()).unwrap();
    assert!(counted.vectorizer.index_of("javatm").is_none() && counted.vectorizer.index_of("java").is_some());
}

#[test]
fn stop_words_seed_words_and_vocabularies_match_in_any_form() {
    for [one, other] in FORMS {
        let texts = [format!("{one} xx"), format!("{one} yy")];
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let stopped = CountVectorizer::new().stop_words(StopWords::list([other]));
        let counted = stopped.fit_transform(&texts, &Progress::silent()).unwrap();
        assert_eq!(counted.vectorizer.vocabulary(), ["xx", "yy"]);

        let counted =
            CountVectorizer::new().stop_words(StopWords::None).fit_transform(&texts, &Progress::silent()).unwrap();
        let seeded = ClassTfIdf::new().seed_words([other], 3.0);
        let fitted = seeded.fit(&counted.counts, counted.vectorizer.vocabulary()).unwrap();
        assert!(fitted.unknown_seed_words().is_empty(), "{other}");

        let settings = counted.vectorizer.settings().clone();
        let given = FittedCountVectorizer::from_vocabulary(settings, vec![other.to_owned()]).unwrap();
        assert_eq!(given.transform(&texts).row_sums(), [1.0, 1.0], "{other}");
        assert_eq!(given.vocabulary(), [other]);
    }
}

#[test]
fn topics_list_a_word_once_and_texts_stay_as_they_are() {
    let themes = [
        ["café", "crème", "goûter", "pain", "beurre", "sucre"],
        ["train", "station", "railway", "platform", "signal", "tunnel"],
        ["garden", "tomato", "lettuce", "soil", "compost", "rose"],
    ];
    let text = |i: usize| {
        let theme = themes[i % 3];
        let text = format!("{} {} {} {i}", theme[(i / 3) % 6], theme[(i / 3 + 1) % 6], theme[(i / 3 + 2) % 6]);
        let decomposed = text.replace('é', "e\u{301}").replace('è', "e\u{300}").replace('û', "u\u{302}");
        if i.is_multiple_of(2) { text } else { decomposed }
    };
    let frame = df!("text" => (0..90).map(text).collect::<Vec<_>>()).unwrap();
    let model = TopicModel::text("text", StaticEmbedder::builtin());
    let (topics, documents) = model.fit_transform(&frame).unwrap();
    assert_eq!(topics.vocabulary().iter().filter(|word| word.starts_with("caf")).count(), 1);
    assert!(topics.vocabulary().iter().any(|word| word == "café"));
    assert_eq!(documents.column("text").unwrap(), frame.column("text").unwrap());

    for [one, other] in FORMS {
        let found = topics.find_topics(other, 3);
        match topics.find_topics(one, 3) {
            Ok(expected) => assert!(found.unwrap().equals(&expected), "{other}"),
            Err(_) => assert!(found.is_err()),
        }
    }
    let embedded = |texts: [&str; 2]| model.embed(&df!("text" => texts).unwrap()).unwrap();
    for [one, other] in FORMS {
        let vectors = embedded([one, other]).column("embedding").unwrap().clone();
        assert_eq!(vectors.slice(0, 1), vectors.slice(1, 1), "{other}");
    }
}
