//! Words selected by meaning, compared with BERTopic 0.17.4 (tests/fixtures/represent/make.py), and words for images.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use ndarray::{Array2, array};
use polars::prelude::*;
use serde_json::Value;
use topicframe::FittedTopicModel;
use topicframe::corpus::Embeddings;
use topicframe::embed::TextEmbedder;
use topicframe::error::{Error, ErrorKind, Result, Stage};
use topicframe::model::TopicModel;
use topicframe::progress::Progress;
use topicframe::reduce::NoReduction;
use topicframe::represent::{
    Aspect, KeyBERTInspired, MaximalMarginalRelevance, Representation, TopicContext, TopicWords, VisualWords,
};
use topicframe::vectorize::{ClassTfIdf, CountVectorizer, StopWords};

use crate::given_topics::Given;
use crate::notes::Notes;

pub const DIMENSIONS: usize = 16;

/// The fixture's embedder, which records its inputs.
#[derive(Debug, Clone, Default)]
struct Sums(Arc<Mutex<Vec<Vec<String>>>>);

/// Random numbers seeded by the letters of `word`.
pub fn numbers(word: &str) -> [f64; DIMENSIONS] {
    let hash = |state: u64, byte: u8| (state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
    let mut state = word.bytes().fold(0xCBF2_9CE4_8422_2325, hash);
    std::array::from_fn(|_| {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = state;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^= x >> 31;
        (x >> 11) as f64 / (1_u64 << 53) as f64 * 2.0 - 1.0
    })
}

impl TextEmbedder for Sums {
    fn dimensions(&self) -> usize {
        DIMENSIONS
    }

    fn embed_texts(&self, texts: &[&str], _: &Progress) -> Result<Array2<f32>> {
        self.0.lock().unwrap().push(texts.iter().map(|&text| text.to_owned()).collect());
        let mut vectors = Array2::zeros((texts.len(), DIMENSIONS));
        for (mut row, text) in vectors.outer_iter_mut().zip(texts) {
            let mut total = [0.0; DIMENSIONS];
            for word in text.split_whitespace() {
                total.iter_mut().zip(numbers(word)).for_each(|(sum, x)| *sum += x);
            }
            let norm = total.iter().map(|x| x * x).sum::<f64>().sqrt();
            row.iter_mut().zip(total).for_each(|(to, x)| *to = if norm > 0.0 { (x / norm) as f32 } else { 0.0 });
        }
        Ok(vectors)
    }
}

fn fixture() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/represent/words.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn frame() -> DataFrame {
    let texts: Vec<String> = serde_json::from_value(fixture()["texts"].clone()).unwrap();
    df!("text" => texts).unwrap()
}

fn labels() -> Vec<i32> {
    serde_json::from_value(fixture()["labels"].clone()).unwrap()
}

fn model_of(embedder: impl TextEmbedder + 'static, labels: Vec<i32>) -> TopicModel {
    TopicModel::text("text", embedder)
        .reducer(NoReduction)
        .clusterer(Given(labels))
        .vectorizer(CountVectorizer::new().stop_words(StopWords::None))
}

fn model() -> TopicModel {
    model_of(Sums::default(), labels())
}

fn aspect(fitted: &FittedTopicModel, name: &str) -> TopicWords {
    match fitted.topic_aspect(name).unwrap() {
        Aspect::Words(words) => words,
        other => panic!("{name} is not words: {other:?}"),
    }
}

fn only_words(words: &[(String, f64)]) -> Vec<&str> {
    words.iter().map(|(word, _)| word.as_str()).collect()
}

#[test]
fn the_words_and_weights_that_bertopic_gives() {
    let few = KeyBERTInspired::new().top_n_words(5).nr_repr_docs(3).nr_candidate_words(20);
    let fitted = model()
        .ctfidf(ClassTfIdf::new())
        .merge_word_forms(false)
        .representation("KeyBERT", KeyBERTInspired::new())
        .representation("KeyBERT few", few)
        .representation("MMR", MaximalMarginalRelevance::new())
        .representation("MMR diverse", MaximalMarginalRelevance::new().diversity(0.7).top_n_words(6))
        .representation("Chain", KeyBERTInspired::new())
        .representation("Chain", MaximalMarginalRelevance::new().diversity(0.5).top_n_words(4))
        .fit(&frame())
        .unwrap();
    let expected = fixture()["words"].as_object().unwrap().clone();
    assert_eq!(expected.len(), 5);
    for (name, topics) in expected {
        let found = aspect(&fitted, &name);
        assert_eq!(found.len(), topics.as_object().unwrap().len());
        for (topic, words) in topics.as_object().unwrap() {
            let mut words: Vec<(String, f64)> = serde_json::from_value(words.clone()).unwrap();
            let mut found = found[&topic.parse::<i32>().unwrap()].clone();
            assert!(found.is_sorted_by(|a, b| a.1 >= b.1), "{name} {topic}: best first");
            // BERTopic leaves the order of words with equal weights to chance.
            words.sort_by(|a, b| a.0.cmp(&b.0));
            found.sort_by(|a, b| a.0.cmp(&b.0));
            assert_eq!(only_words(&found), only_words(&words), "{name} {topic}");
            for (found, word) in found.iter().zip(&words) {
                assert!((found.1 - word.1).abs() < 1e-6, "{name} {topic}: {found:?} is not {word:?}");
            }
        }
    }
}

#[test]
fn as_main_they_are_the_topics_own_words() {
    let keybert = model().representation("Other", KeyBERTInspired::new()).fit(&frame()).unwrap();
    let both = model()
        .representation("Main", KeyBERTInspired::new())
        .representation("Main", MaximalMarginalRelevance::new().top_n_words(3))
        .top_n_words(5)
        .fit(&frame())
        .unwrap();
    for (topic, words) in aspect(&keybert, "Other") {
        let main = both.get_topic(topic).unwrap();
        assert_eq!(main.len(), 3);
        assert!(main.iter().all(|word| words.contains(word)), "{main:?} of {words:?}");
        assert_ne!(keybert.get_topic(topic).unwrap()[..10], words[..], "aspects do not change the topics' main words");
    }
}

#[test]
fn keybert_takes_its_candidates_from_c_tf_idf_wherever_it_stands() {
    let fitted = model()
        .representation("Alone", KeyBERTInspired::new())
        .representation("After", MaximalMarginalRelevance::new().top_n_words(2))
        .representation("After", KeyBERTInspired::new())
        .fit(&frame())
        .unwrap();
    assert_eq!(aspect(&fitted, "Alone"), aspect(&fitted, "After"));
}

#[test]
fn nothing_is_embedded_twice() {
    let embedder = Sums::default();
    let fitted =
        model_of(embedder.clone(), labels()).representation("K", KeyBERTInspired::new()).fit(&frame()).unwrap();
    let calls = std::mem::take(&mut *embedder.0.lock().unwrap());
    let [texts, words] = &calls[..] else { panic!("{} calls", calls.len()) };
    assert_eq!(texts.len(), frame().height());
    assert_eq!(words.len(), words.iter().collect::<HashSet<_>>().len());
    assert!(words.iter().all(|word| !word.contains(' ')), "the texts are already embedded");

    // The frame's vectors may come from any model: the five texts of each of the four topics are embedded again.
    let embedded = model().embed(&frame()).unwrap();
    let given = model_of(embedder.clone(), labels())
        .embeddings("embedding")
        .representation("K", KeyBERTInspired::new())
        .fit(&embedded)
        .unwrap();
    let lengths: Vec<usize> = embedder.0.lock().unwrap().iter().map(Vec::len).collect();
    assert_eq!(lengths, [20, words.len()]);
    assert_eq!(aspect(&fitted, "K"), aspect(&given, "K"));
}

/// Returns these words for every topic, regardless of its input.
#[derive(Debug)]
struct Say(Vec<&'static str>);

impl Representation for Say {
    fn check(&self) -> Result<()> {
        Ok(())
    }

    fn describe(&self, context: &TopicContext<'_>, _: &TopicWords) -> Result<Aspect> {
        let words: Vec<(String, f64)> =
            self.0.iter().enumerate().map(|(i, word)| (word.to_string(), 1.0 / (i + 1) as f64)).collect();
        Ok(Aspect::Words(context.topics.iter().map(|&topic| (topic, words.clone())).collect()))
    }
}

fn mmr_of(words: &[&'static str], mmr: MaximalMarginalRelevance) -> Vec<String> {
    let fitted = model().representation("M", Say(words.to_vec())).representation("M", mmr).fit(&frame()).unwrap();
    aspect(&fitted, "M")[&0].iter().map(|(word, _)| word.clone()).collect()
}

#[test]
fn fewer_words_than_asked_for_all_stay() {
    let mmr = || MaximalMarginalRelevance::new().top_n_words(50);
    assert_eq!(mmr_of(&["one", "two", "three"], mmr()), ["one", "two", "three"]);
    assert_eq!(mmr_of(&["one"], mmr()), ["one"]);
    assert!(mmr_of(&[], mmr()).is_empty());
    let all = KeyBERTInspired::new().nr_candidate_words(40).top_n_words(1000);
    let fitted = model().representation("K", all).fit(&frame()).unwrap();
    assert_eq!(aspect(&fitted, "K")[&0].len(), 40, "all candidates");
}

#[test]
fn a_word_that_repeats_another_goes_first_and_equal_ones_by_place() {
    // The same word three times: once it is selected, its repeats add nothing new.
    let words = ["one", "two", "two", "two", "three"];
    let kept = mmr_of(&words, MaximalMarginalRelevance::new().diversity(0.9).top_n_words(3));
    assert_eq!(kept, ["one", "two", "three"]);
    // Words unknown to the embedder are all alike: the first ones are kept.
    let kept = mmr_of(&["", " ", "  "], MaximalMarginalRelevance::new().top_n_words(2));
    assert_eq!(kept, ["", " "]);
}

#[test]
fn diversity_decides() {
    let words = ["one", "one two", "one two three", "six"];
    let alike = mmr_of(&words, MaximalMarginalRelevance::new().diversity(0.0).top_n_words(3));
    let diverse = mmr_of(&words, MaximalMarginalRelevance::new().diversity(1.0).top_n_words(2));
    assert!(!alike.contains(&"six".to_owned()), "{alike:?}");
    assert!(diverse.contains(&"six".to_owned()), "{diverse:?}");
}

#[test]
fn one_topic() {
    let rows = frame().height();
    let fitted = model_of(Sums::default(), vec![0; rows])
        .representation("Main", KeyBERTInspired::new())
        .representation("Main", MaximalMarginalRelevance::new())
        .fit(&frame())
        .unwrap();
    assert_eq!(fitted.get_topic(0).unwrap().len(), 10);
}

/// Describes topics in a context that differs from the model's.
#[derive(Debug)]
struct Elsewhere<R> {
    inner: R,
    joint: Option<Joint>,
}

impl<R: Representation> Representation for Elsewhere<R> {
    fn check(&self) -> Result<()> {
        self.inner.check()
    }

    fn describe(&self, context: &TopicContext<'_>, words: &TopicWords) -> Result<Aspect> {
        let mut context = *context;
        context.embedder = None;
        context.joint_text = self.joint.as_ref().map(|joint| joint as &dyn TextEmbedder);
        self.inner.describe(&context, words)
    }
}

#[test]
fn without_an_embedder_of_texts() {
    let notes = Arc::new(Notes::default());
    let mmr = Elsewhere { inner: MaximalMarginalRelevance::new(), joint: None };
    let fitted = model().with_progress(Progress::to(notes.clone())).representation("M", mmr).fit(&frame()).unwrap();
    assert_eq!(aspect(&fitted, "M")[&0].len(), 30, "the words stay as they are");
    assert!(notes.0.lock().unwrap().iter().any(|note| note.contains("the words are unchanged")));

    let keybert = Elsewhere { inner: KeyBERTInspired::new(), joint: None };
    let error = model().representation("K", keybert).fit(&frame()).map(|_| ()).unwrap_err();
    assert_eq!((error.kind(), error.stage()), (ErrorKind::InvalidParameter, Stage::Represent));
    assert!(format!("{error:#}").contains("needs an embedder for texts"), "{error:#}");
}

/// An embedder that must not run, or that returns one row too few once the texts are embedded.
#[derive(Debug)]
struct Bad {
    never: bool,
}

impl TextEmbedder for Bad {
    fn dimensions(&self) -> usize {
        2
    }

    fn embed_texts(&self, texts: &[&str], _: &Progress) -> Result<Array2<f32>> {
        assert!(!self.never, "the slow step ran before the parameters were checked");
        let rows = if texts.iter().all(|text| text.contains(' ')) { texts.len() } else { texts.len() - 1 };
        Ok(Array2::ones((rows, 2)))
    }
}

fn error_of(model: &TopicModel) -> Error {
    model.fit(&frame()).map(|_| ()).unwrap_err()
}

#[test]
fn wrong_parameters_are_reported_before_any_work() {
    let new = || model_of(Bad { never: true }, labels());
    let mmr = MaximalMarginalRelevance::new;
    let keybert = KeyBERTInspired::new;
    let visual = VisualWords::new;
    let cases = [
        (new().representation("M", mmr().diversity(1.1)), "diversity = 1.1 "),
        (new().representation("M", mmr().diversity(-0.1)), "diversity = -0.1 "),
        (new().representation("M", mmr().diversity(f64::NAN)), "diversity = NaN "),
        (new().representation("M", mmr().top_n_words(0)), "top_n_words = 0 "),
        (new().representation("K", keybert().top_n_words(1001)), "top_n_words = 1001 "),
        (new().representation("K", keybert().nr_repr_docs(0)), "nr_repr_docs = 0 "),
        (new().representation("K", keybert().nr_candidate_words(0)), "nr_candidate_words = 0 "),
        (new().representation("V", visual().top_n_words(0)), "top_n_words = 0 "),
        (new().representation("V", visual().template("a photo")), "template = \"a photo\" "),
        (new().representation("V", visual().template("{} and {}")), "template = \"{} and {}\" "),
        (new().representation("V", visual().vocabulary(Vec::<String>::new())), "vocabulary = no words "),
        (new().representation("V", visual().vocabulary(["a", " "])), "vocabulary = a blank word at position 1 "),
        (new().representation("V", visual()), "`V` needs image vectors and an embedder for texts into the same"),
    ];
    for (model, message) in cases {
        let error = error_of(&model);
        assert_eq!((error.kind(), error.stage()), (ErrorKind::InvalidParameter, Stage::Represent), "{error:#}");
        assert!(format!("{error:#}").contains(message), "{error:#}");
    }
}

#[test]
fn an_embedder_that_misbehaves_is_reported() {
    for model in [
        model_of(Bad { never: false }, labels()).representation("K", KeyBERTInspired::new()),
        model_of(Bad { never: false }, labels()).representation("M", MaximalMarginalRelevance::new()),
    ] {
        let error = error_of(&model);
        assert_eq!((error.kind(), error.stage()), (ErrorKind::InvalidData, Stage::Represent), "{error:#}");
        assert!(format!("{error:#}").contains("the embedder returned"), "{error:#}");
    }
}

/// A joint space of four dimensions: texts lie along the first, images along the second; `cat` is the third, `dog` the
/// fourth, and `thing` leans toward all images.
#[derive(Debug, Clone, Default)]
struct Joint(Arc<Mutex<Vec<String>>>);

impl TextEmbedder for Joint {
    fn dimensions(&self) -> usize {
        4
    }

    fn embed_texts(&self, texts: &[&str], _: &Progress) -> Result<Array2<f32>> {
        self.0.lock().unwrap().extend(texts.iter().map(|&text| text.to_owned()));
        let mut vectors = Array2::zeros((texts.len(), 4));
        for (mut row, text) in vectors.outer_iter_mut().zip(texts) {
            let word = text.rsplit(' ').next().unwrap();
            let vector: [f32; 4] = match word.trim_end_matches('s') {
                "cat" => [0.9, 0.0, 0.3, 0.0],
                "kitten" => [0.9, 0.0, 0.2, 0.05],
                "dog" => [0.9, 0.0, 0.0, 0.3],
                "thing" => [0.6, 0.7, 0.1, 0.1],
                _ => [0.0; 4],
            };
            row.iter_mut().zip(vector).for_each(|(to, x)| *to = x);
        }
        Ok(vectors)
    }
}

/// Two images of cats, two of dogs, one unreadable, one row without an image, and one outlier between them.
fn images() -> (Embeddings, [i32; 7]) {
    let vectors = array![
        [0.0, 1.0, 0.5, 0.0],
        [0.0, 2.0, 0.8, 0.0],
        [0.0, 1.0, 0.0, 0.5],
        [0.0, 1.0, 0.1, 0.6],
        [0.0, 0.0, 0.0, 0.0],
        [0.0, 1.0, 0.2, 0.2_f32]
    ];
    (Embeddings::scatter(vectors, &[0, 1, 2, 3, 4, 6], 7).unwrap(), [0, 0, 1, 1, 1, 2, -1])
}

fn visual(words: &[&str]) -> VisualWords {
    VisualWords::new().vocabulary(words.to_vec())
}

#[test]
fn images_get_the_words_for_what_sets_them_apart() {
    let (vectors, topics) = images();
    let joint = Joint::default();
    let visual = visual(&["thing", "dog", "unknown", "cat", "kitten", "cats", "cat"]);
    let words = visual.words(&[-1, 0, 1, 2], &topics, &vectors, &joint, &Progress::silent()).unwrap();
    assert_eq!(only_words(&words[&0]), ["cat", "kitten", "thing", "dog"], "neither plurals nor unknown words");
    assert_eq!(words[&1][0].0, "dog");
    assert!(words[&0][0].1 > 0.5 && words[&0][3].1 < 0.0, "{:?}", words[&0]);
    assert!(words[&2].is_empty(), "a topic without images has no words");
    let sentences = joint.0.lock().unwrap().clone();
    assert_eq!(sentences[..2], ["a photo of a thing", "a photo of a dog"]);
    assert_eq!(sentences.len(), 6, "each word is embedded once for all topics");

    let two = visual.clone().top_n_words(2).template("{}");
    let fewer = two.words(&[0, 1], &topics, &vectors, &joint, &Progress::silent()).unwrap();
    assert_eq!(fewer[&0].len(), 2);
    assert!(joint.0.lock().unwrap().contains(&"kitten".to_owned()));
}

#[test]
fn one_topic_of_images_is_compared_as_it_is() {
    let (vectors, _) = images();
    let visual = visual(&["dog", "cat", "thing"]);
    let words = visual.words(&[0], &[0; 7], &vectors, &Joint::default(), &Progress::silent()).unwrap();
    assert_eq!(words[&0][0].0, "thing");
    let (text, image) = ([0.6, 0.7, 0.1, 0.1], mean_direction(&vectors));
    let norm = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>().sqrt();
    let dot: f64 = text.iter().zip(&image).map(|(a, b)| a * b).sum();
    assert!((words[&0][0].1 - dot / norm(&text) / norm(&image)).abs() < 1e-6);
}

fn mean_direction(vectors: &Embeddings) -> Vec<f64> {
    let mut sum = vec![0.0; vectors.dimensions()];
    for vector in (0..vectors.len()).filter_map(|row| vectors.get(row)) {
        let norm = vector.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
        sum.iter_mut().zip(vector).for_each(|(sum, &x)| *sum += if norm > 0.0 { f64::from(x) / norm } else { 0.0 });
    }
    sum
}

#[test]
fn vectors_of_another_model_are_an_error() {
    let (vectors, topics) = images();
    let error = visual(&["cat"]).words(&[0, 1], &topics, &vectors, &Sums::default(), &Progress::silent()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    assert!(format!("{error:#}").contains("16 dimensions, but the image embeddings have 4"), "{error:#}");
}

#[test]
fn visual_words_in_a_model() {
    let (vectors, topics) = images();
    let mut frame = df!("text" => ["aa bb", "aa cc", "bb dd", "dd ee", "dd aa", "ee ee", "aa ee"]).unwrap();
    frame.with_column(vectors.to_column("pixels").unwrap()).unwrap();
    let visual = Elsewhere { inner: visual(&["dog", "cat"]), joint: Some(Joint::default()) };
    let fitted = model_of(Sums::default(), topics.to_vec())
        .image_embeddings("pixels")
        .representation("Seen", visual)
        .fit(&frame)
        .unwrap();
    let seen = aspect(&fitted, "Seen");
    let best: Vec<&str> = seen.values().filter_map(|words| Some(words.first()?.0.as_str())).collect();
    assert_eq!(best.len(), 3, "of all topics but the one without an image: {best:?}");
    // Topic 0 is the larger one, the dogs.
    assert_eq!(aspect(&fitted, "Seen")[&0][0].0, "dog");
    assert_eq!(aspect(&fitted, "Seen")[&1][0].0, "cat");
}

#[test]
fn the_built_in_vocabulary_is_words_of_things_to_see() {
    let words = VisualWords::builtin_vocabulary();
    assert!((2000..3000).contains(&words.len()), "{}", words.len());
    assert_eq!(words.len(), words.iter().collect::<HashSet<_>>().len(), "no duplicate words");
    for word in &words {
        let plain = word.chars().all(|c| c.is_ascii_lowercase() || c == ' ' || c == '-');
        assert!(plain && word.len() >= 3 && word.trim() == *word, "{word:?}");
    }
    for word in ["dog", "giraffe", "traffic light", "snow", "black and white", "pizza", "castle", "bride", "red"] {
        assert!(words.contains(&word), "{word}");
    }
}

#[test]
fn the_chain_of_the_readme_chooses_among_more_words_than_it_leaves() {
    let chain = |diversity: f64| {
        let fitted = model()
            .representation("Main", KeyBERTInspired::new().top_n_words(30))
            .representation("Main", MaximalMarginalRelevance::new().top_n_words(4).diversity(diversity))
            .fit(&frame())
            .unwrap();
        fitted.topic_ids().iter().map(|&id| only_words(&fitted.get_topic(id).unwrap()).join(" ")).collect::<Vec<_>>()
    };
    assert!(chain(0.0) != chain(0.9), "{:?}", chain(0.0));
}
