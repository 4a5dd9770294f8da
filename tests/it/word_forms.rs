//! The forms of a word are shown once in a topic's words, with the counts of all of them.

use std::collections::BTreeSet;

use ndarray::Array2;
use topicframe::error::Result;
use topicframe::polars::prelude::*;
use topicframe::prelude::*;

/// Texts about the subjects "red", "blue", "green" and "grey" are far from each other.
#[derive(Debug, Clone)]
struct Subjects;

const SUBJECTS: [&str; 4] = ["red", "blue", "green", "grey"];

impl TextEmbedder for Subjects {
    fn dimensions(&self) -> usize {
        4
    }

    fn embed_texts(&self, texts: &[&str], _: &Progress) -> Result<Array2<f32>> {
        let mut vectors = Array2::zeros((texts.len(), 4));
        for (mut row, text) in vectors.outer_iter_mut().zip(texts) {
            SUBJECTS
                .iter()
                .enumerate()
                .filter(|(_, subject)| text.contains(*subject))
                .for_each(|(at, _)| row[at] = 1.0);
        }
        Ok(vectors)
    }
}

/// Texts with singulars and plurals, sometimes both in one text.
fn documents() -> Vec<String> {
    let nouns = ["cat", "box", "city", "movie", "news", "glass"];
    let plurals = ["cats", "boxes", "cities", "movies", "new", "glas"];
    let text = |i: usize| {
        let noun = |at: usize| if (i * 7 + at * 5) % 4 < 2 { nouns[(i + at) % 6] } else { plurals[(i + at) % 6] };
        format!("{} {} {} {} {}", SUBJECTS[i % 9 % 4], noun(1), noun(2), noun(3), noun(7))
    };
    (0..90).map(text).collect()
}

fn model() -> TopicModel {
    TopicModel::text("text", Subjects).reducer(NoReduction).clusterer(KMeans::new(4)).top_n_words(30)
}

fn fit(model: &TopicModel, texts: &[String]) -> FittedTopicModel {
    model.fit(&df!("text" => texts).unwrap()).unwrap()
}

fn singular(word: &str) -> &str {
    match word {
        "cats" => "cat",
        "boxes" => "box",
        "cities" => "city",
        "movies" => "movie",
        other => other,
    }
}

/// The words of all topics by their singular, with their weights.
fn by_singular(topics: &FittedTopicModel) -> Vec<(i32, String, f64)> {
    let of_topic = |(topic, words): (i32, Vec<(String, f64)>)| {
        words.into_iter().map(move |(word, weight)| (topic, singular(&word).to_owned(), weight))
    };
    let mut words: Vec<_> = topics.get_topics().into_iter().flat_map(of_topic).collect();
    words.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    words
}

#[test]
fn a_word_has_the_weight_of_a_text_that_uses_one_form_of_it() {
    let texts = documents();
    let in_one_form: Vec<String> =
        texts.iter().map(|text| text.split(' ').map(singular).collect::<Vec<_>>().join(" ")).collect();
    for weighting in [ClassTfIdf::new().coverage(true), ClassTfIdf::new()] {
        let weighting = weighting.seed_words(["cats", "box"], 3.0);
        let other = weighting.clone().seed_words(["cat", "box"], 3.0);
        let merged = fit(&model().ctfidf(weighting), &texts);
        let replaced = fit(&model().ctfidf(other).merge_word_forms(false), &in_one_form);
        assert_eq!(by_singular(&merged), by_singular(&replaced));
        // Also after an edit, which counts no text.
        let edit = |topics: &FittedTopicModel| by_singular(&topics.merge_topics(&[&[3, 1]]).unwrap());
        assert_eq!(edit(&merged), edit(&replaced));
    }
}

#[test]
fn the_form_that_is_frequent_in_the_topic_is_shown() {
    let texts: Vec<String> = ["red cats cats", "red cats cat", "red cats", "blue cat", "blue cat cats cat"]
        .repeat(6)
        .iter()
        .map(|&t| t.into())
        .collect();
    let model = model().clusterer(KMeans::new(2));
    let words = |topics: &FittedTopicModel, topic: i32| -> BTreeSet<String> {
        topics.get_topic(topic).unwrap().into_iter().map(|(word, _)| word).collect()
    };
    let topics = fit(&model, &texts);
    assert_eq!(words(&topics, 0), ["cats", "red"].map(str::to_owned).into());
    assert_eq!(words(&topics, 1), ["blue", "cat"].map(str::to_owned).into());
    // The counts and the vocabulary keep all forms.
    assert_eq!(*topics.vocabulary(), ["blue", "cat", "cats", "red"]);
    assert_eq!(topics.terms().counts.get(0, 1), 6);
    let apart = fit(&model.merge_word_forms(false), &texts);
    assert_eq!(words(&apart, 0), ["cat", "cats", "red"].map(str::to_owned).into());
    assert_eq!(topics.terms().c_tf_idf, apart.terms().c_tf_idf);
}

#[test]
fn words_that_only_look_like_plurals_and_other_languages_stay_apart() {
    let texts: Vec<String> = ["red news new york gas ga", "blue glass glas physics physic"]
        .repeat(8)
        .iter()
        .map(|&text| format!("the {text} of it"))
        .collect();
    let topics = fit(&model().clusterer(KMeans::new(2)), &texts);
    let count: usize = topics.get_topics().values().map(Vec::len).sum();
    assert_eq!(count, topics.vocabulary().len());
    let german = ["red das auto und die autos", "blue der park und die parks"].repeat(8);
    let german: Vec<String> = german.iter().map(|&text| text.to_owned()).collect();
    let topics = fit(&model().clusterer(KMeans::new(2)), &german);
    let words: Vec<String> = topics.get_topics().into_values().flatten().map(|(word, _)| word).collect();
    assert!(words.contains(&"auto".to_owned()) && words.contains(&"autos".to_owned()), "{words:?}");
}

#[test]
fn a_part_of_a_phrase_is_not_shown_beside_it() {
    let posts = ["red hard drive", "red hard drive", "red hard drive hard", "blue big cat", "blue cat"].repeat(6);
    let posts = df!("text" => posts).unwrap();
    let model = TopicModel::text("text", StaticEmbedder::builtin())
        .reducer(NoReduction)
        .clusterer(KMeans::new(2))
        .vectorizer(CountVectorizer::new().phrases(true));
    let words = |topics: &FittedTopicModel, topic: i32| -> Vec<String> {
        topics.get_topic(topic).unwrap().into_iter().map(|(word, _)| word).collect()
    };
    let topics = model.fit(&posts).unwrap();
    assert!(topics.vocabulary().contains(&"red hard drive".to_owned()));
    assert_eq!(words(&topics, 0), ["red hard drive"]);
    // A phrase that is not among the words removes nothing.
    let best = model.clone().top_n_words(1).fit(&posts).unwrap();
    assert_eq!(words(&best, 0).len(), 1);
    assert!(words(&best, 1).len() == 1);
}
