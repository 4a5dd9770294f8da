//! The topics within documents, compared with BERTopic 0.17.4 (tests/fixtures/distribution/make.py).

use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use topicframe::corpus::Columns;
use topicframe::model::SaveOptions;
use topicframe::ndarray::{Array2, ArrayView2};
use topicframe::polars::prelude::*;
use topicframe::prelude::*;
use topicframe::progress::{Event, ProgressSink};
use topicframe::topics::TopicDistribution;

use crate::colors::{EyeAndEar, image_frame};
use crate::html::{assert_harmless, elements};
use crate::representations::{DIMENSIONS, numbers};

#[derive(Deserialize)]
struct Fixture {
    docs: Vec<String>,
    topics: Vec<i32>,
    stop_words: Vec<String>,
    new: Vec<String>,
    results: Vec<Found>,
}

#[derive(Deserialize)]
struct Found {
    kind: String,
    name: String,
    settings: serde_json::Map<String, serde_json::Value>,
    shares: Vec<Vec<f64>>,
    tokens: Option<Vec<Vec<Vec<f64>>>>,
}

fn fixture() -> Fixture {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/distribution/distribution.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

impl Found {
    fn settings(&self) -> ApproximateDistribution {
        self.settings.iter().fold(ApproximateDistribution::new(), |settings, (name, value)| match name.as_str() {
            "window" => settings.window(value.as_u64().unwrap() as usize),
            "stride" => settings.stride(value.as_u64().unwrap() as usize),
            "min_similarity" => settings.min_similarity(value.as_f64().unwrap()),
            "padding" => settings.padding(value.as_bool().unwrap()),
            "use_embedding_model" => settings.use_embedding_model(value.as_bool().unwrap()),
            other => panic!("{other}"),
        })
    }
}

/// The fixture's embedder: a text is the sum of its words, which are random numbers.
#[derive(Debug, Clone, Copy)]
struct Sums;

impl TextEmbedder for Sums {
    fn dimensions(&self) -> usize {
        DIMENSIONS
    }

    fn embed_texts(&self, texts: &[&str], _: &Progress) -> Result<Array2<f32>, Error> {
        let mut vectors = Array2::zeros((texts.len(), DIMENSIONS));
        for (mut row, text) in vectors.outer_iter_mut().zip(texts) {
            let text = text.to_lowercase();
            let mut sum = [0.0; DIMENSIONS];
            for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 1) {
                sum.iter_mut().zip(numbers(word)).for_each(|(sum, x)| *sum += x);
            }
            row.iter_mut().zip(sum).for_each(|(to, x)| *to = x as f32);
        }
        Ok(vectors)
    }
}

/// A clusterer that returns known clusters.
#[derive(Debug, Clone)]
struct Given(Vec<i32>);

impl Clusterer for Given {
    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    fn min_rows(&self) -> usize {
        1
    }

    fn fit(&self, _: &Training<'_>) -> Result<Clustering, Error> {
        let strengths = self.0.iter().map(|&label| f64::from(u8::from(label >= 0))).collect();
        Ok(Clustering::new(self.0.clone(), strengths, self.clone()))
    }
}

impl FittedClusterer for Given {
    fn predict(&self, points: ArrayView2<'_, f32>, _: &Progress) -> Result<(Vec<i32>, Vec<f64>), Error> {
        Ok((vec![0; points.nrows()], vec![1.0; points.nrows()]))
    }
}

fn model(fixture: &Fixture, kind: &str) -> TopicModel {
    let words = CountVectorizer::new().stop_words(StopWords::List(fixture.stop_words.clone()));
    let (words, weighting) = match kind {
        "ngrams" => (words.ngram_range(1, 2), ClassTfIdf::new()),
        "reduced" => (words, ClassTfIdf::new().reduce_frequent_words(true).bm25_weighting(true)),
        _ => (words, ClassTfIdf::new()),
    };
    TopicModel::text("text", Sums)
        .bertopic()
        .reducer(NoReduction)
        .clusterer(Given(fixture.topics.clone()))
        .vectorizer(words)
        .ctfidf(weighting)
}

fn fitted(fixture: &Fixture, kind: &str) -> FittedTopicModel {
    let topics = model(fixture, kind).fit(&df!("text" => &fixture.docs).unwrap()).unwrap();
    assert_eq!(topics.labels(), fixture.topics);
    topics
}

fn assert_close(found: ArrayView2<'_, f64>, expected: &[Vec<f64>], tolerance: f64, what: &str) {
    assert_eq!(found.nrows(), expected.len(), "{what}");
    for (row, (found, expected)) in found.outer_iter().zip(expected).enumerate() {
        assert_eq!(found.len(), expected.len(), "{what}");
        let far = found.iter().zip(expected).any(|(a, b)| (a - b).abs() > tolerance);
        assert!(!far, "{what}, row {row}: {found} instead of {expected:?}");
    }
}

#[test]
fn the_shares_that_bertopic_finds() {
    let fixture = fixture();
    let all = df!("text" => [&fixture.docs[..], &fixture.new[..]].concat()).unwrap();
    let new = df!("text" => &fixture.new).unwrap();
    for kind in ["words", "ngrams", "reduced"] {
        let topics = fitted(&fixture, kind);
        for found in fixture.results.iter().filter(|found| found.kind == kind) {
            let what = format!("{kind}, {}", found.name);
            let settings = found.settings();
            let tolerance = if found.name == "embedded" { 1e-5 } else { 1e-6 };
            let frame = if found.shares.len() > fixture.new.len() { &all } else { &new };
            let shares = topics.approximate_distribution_of(frame, &settings).unwrap();
            assert_eq!(shares.topics(), [0, 1, 2]);
            assert_close(shares.to_array().unwrap().view(), &found.shares, tolerance, &what);
            if frame.height() == all.height() {
                let of_fit = topics.approximate_distribution(&settings).unwrap();
                assert_close(of_fit.to_array().unwrap().view(), &found.shares[..fixture.docs.len()], tolerance, &what);
            }
            for (row, expected) in found.tokens.iter().flatten().enumerate() {
                let tokens = topics.token_distributions_of(&new, &[row], &settings).unwrap().remove(0);
                // BERTopic has one row of zeros for an empty document.
                let expected = if fixture.new[row].is_empty() { &expected[..0] } else { &expected[..] };
                assert_close(tokens.similarities(), expected, 10.0 * tolerance, &format!("{what}, tokens of {row}"));
            }
        }
    }
    assert!(fixture.results.iter().filter(|found| found.tokens.is_some()).count() >= 4);
}

fn small() -> FittedTopicModel {
    let posts = df!("text" => ["the cat sleeps", "a fast train"].repeat(10)).unwrap();
    let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
    model.fit(&posts).unwrap()
}

#[test]
fn a_row_without_a_match_says_so() {
    let topics = small();
    let new = df!("text" => [Some("cat train train"), None, Some("nothing else"), Some(" "), Some("the cat")]).unwrap();
    let shares = topics.approximate_distribution_of(&new, &ApproximateDistribution::new()).unwrap();
    assert_eq!(shares.without_match(), [1, 2, 3]);
    let (cats, trains) = (topics.labels()[0], topics.labels()[1]);
    assert_eq!(shares.of(0).iter().map(|(topic, _)| *topic).collect::<Vec<_>>(), [trains, cats]);
    assert_eq!((shares.of(1), shares.of(99)), (vec![], vec![]));
    let frame = shares.to_frame().unwrap();
    assert_eq!(frame.column("Row").unwrap().u32().unwrap().to_vec(), [0, 0, 1, 2, 3, 4].map(Some));
    let found = frame.column("Topic").unwrap().i32().unwrap().to_vec();
    assert_eq!(found, [Some(trains), Some(cats), None, None, None, Some(cats)]);
    assert_eq!(frame.column("Share").unwrap().null_count(), 3);
    let array = shares.to_array().unwrap();
    for (row, sum) in array.sum_axis(topicframe::ndarray::Axis(1)).iter().enumerate() {
        assert!((sum - if [1, 2, 3].contains(&row) { 0.0 } else { 1.0 }).abs() < 1e-12);
    }
    let cell = show(&shares);
    assert!(cell.contains("3 rows without a match"), "{cell}");
    // No word is in two topics, so a higher bar leaves one of them.
    let strict = ApproximateDistribution::new().min_similarity(1.0);
    assert_eq!(topics.approximate_distribution_of(&new, &strict).unwrap().of(0), []);
}

#[test]
fn the_length_of_a_word_is_that_in_lower_case() {
    // Of both words, one has more than the 256 bytes of the longest word: the first as it is read, the second as written.
    let (too_long, long) = ("İ".repeat(100), "ẞ".repeat(100));
    let topics = small();
    let (cats, trains) = (topics.labels()[0], topics.labels()[1]);
    let new = df!("text" => [format!("cat {too_long} fast {long} train")]).unwrap();
    let settings = ApproximateDistribution::new().window(1);
    let tokens = topics.token_distributions_of(&new, &[0], &settings).unwrap().remove(0);
    assert_eq!(tokens.tokens(), ["cat", "fast", &long, "train"]);
    let found: Vec<Option<i32>> = (0..4).map(|token| tokens.topic_of(token)).collect();
    assert_eq!(found, [Some(cats), Some(trains), None, Some(trains)]);
}

#[test]
fn shares_do_not_depend_on_threads() {
    let frame = crate::corpora::frame(300);
    let topics = TopicModel::text("caption", StaticEmbedder::builtin()).fit(&frame).unwrap();
    let on = |threads: usize, settings: ApproximateDistribution| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| topics.approximate_distribution(&settings).unwrap())
    };
    for settings in [ApproximateDistribution::new(), ApproximateDistribution::new().use_embedding_model(true)] {
        let shares = on(1, settings);
        assert_eq!(shares, on(3, settings));
        assert_eq!(shares.rows(), 300);
        // The largest share is that of the row's own topic, or nearly always.
        let agrees = |shares: &TopicDistribution| {
            let labels = topics.labels();
            (0..300).filter(|&row| shares.of(row).first().map(|best| best.0) == Some(labels[row])).count()
        };
        assert!(agrees(&shares) > 240, "{settings:?}: {}", agrees(&shares));
    }
}

#[test]
fn a_model_without_documents_still_finds_topics_in_new_ones() {
    let topics = small();
    let new = df!("text" => ["the cat sleeps in a fast train"]).unwrap();
    let settings = ApproximateDistribution::new().window(2);
    let expected = topics.approximate_distribution_of(&new, &settings).unwrap();
    assert_eq!(expected.of(0).len(), 2);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    topics.save_with(&path, &SaveOptions::new().documents(false)).unwrap();
    for model in [topics.without_data(), FittedTopicModel::load(&path).unwrap()] {
        assert_eq!(model.approximate_distribution_of(&new, &settings).unwrap(), expected);
        let error = model.approximate_distribution(&settings).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains("approximate_distribution needs the documents"), "{error}");
    }
    let renamed = df!("title" => ["the cat sleeps in a fast train"]).unwrap();
    let error = topics.approximate_distribution_of(&renamed, &settings).unwrap_err();
    assert_eq!((error.kind(), error.column()), (ErrorKind::MissingColumn, Some("text")));
    let columns = Columns { text: Some("title".into()), ..topics.columns() };
    assert_eq!(topics.with_columns(columns).approximate_distribution_of(&renamed, &settings).unwrap(), expected);
}

#[test]
fn a_model_of_bertopic_finds_topics_with_its_own_weights() {
    let saved = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/bertopic_saved");
    let mut compared = 0;
    for folder in fs::read_dir(saved).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        let Ok(topics) = FittedTopicModel::load_bertopic(&folder) else { continue };
        let Some(topic) = topics.topic_ids().into_iter().find(|&topic| topic >= 0) else { continue };
        let words = topics.get_topic(topic).unwrap_or_default();
        let text: Vec<&str> = words.iter().take(4).map(|(word, _)| word.as_str()).collect();
        let columns = Columns { text: Some("text".into()), ..topics.columns() };
        let topics = topics.with_columns(columns);
        let new = df!("text" => [text.join(" ")]).unwrap();
        match topics.approximate_distribution_of(&new, &ApproximateDistribution::new()) {
            Ok(shares) => {
                assert_eq!(shares.of(0).first().map(|best| best.0), Some(topic), "{}", folder.display());
                compared += 1;
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::NotFound, "{error:?}"),
        }
    }
    assert!(compared > 0);
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let topics = small();
    for (settings, name) in [
        (ApproximateDistribution::new().window(0), "window"),
        (ApproximateDistribution::new().stride(0), "stride"),
        (ApproximateDistribution::new().min_similarity(-0.1), "min_similarity"),
        (ApproximateDistribution::new().min_similarity(1.1), "min_similarity"),
        (ApproximateDistribution::new().min_similarity(f64::NAN), "min_similarity"),
    ] {
        let errors = [
            topics.approximate_distribution(&settings).unwrap_err(),
            topics.token_distributions(&[0], &settings).unwrap_err(),
        ];
        for error in errors {
            assert_eq!((error.kind(), error.parameter()), (ErrorKind::InvalidParameter, Some(name)));
        }
    }
    let error = topics.token_distributions(&[0, 20], &ApproximateDistribution::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("there is no row 20"), "{error}");
    let huge = ApproximateDistribution::new().window(usize::MAX).stride(usize::MAX).padding(true);
    assert_eq!(topics.approximate_distribution(&huge).unwrap().without_match(), [0; 0]);
}

#[test]
fn models_without_words_or_an_embedder_say_what_is_missing() {
    let images = TopicModel::images("image", EyeAndEar).reducer(NoReduction).clusterer(KMeans::new(3));
    let images = images.fit(&image_frame(30)).unwrap();
    let settings = ApproximateDistribution::new();
    let error = images.approximate_distribution(&settings).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(format!("{error:#}").contains("captioner"), "{error:#}");
    let error = images.approximate_distribution_of(&image_frame(30), &settings).unwrap_err();
    assert!(format!("{error:#}").contains("no text column"), "{error:#}");

    let vectors = Array2::from_shape_fn((20, 2), |(row, axis)| f32::from(u8::from(row % 2 == axis)));
    let vectors = topicframe::corpus::Embeddings::scatter(vectors, &(0..20).collect::<Vec<_>>(), 20).unwrap();
    let mut posts = df!("text" => ["the cat sleeps", "a fast train"].repeat(10)).unwrap();
    posts.with_column(vectors.to_column("vector").unwrap()).unwrap();
    let model =
        TopicModel::text("text", NoEmbedder).embeddings("vector").reducer(NoReduction).clusterer(KMeans::new(2));
    let topics = model.fit(&posts).unwrap();
    assert_eq!(topics.approximate_distribution(&settings).unwrap().without_match(), [0; 0]);
    let error = topics.approximate_distribution(&settings.use_embedding_model(true)).unwrap_err();
    assert!(format!("{error:#}").contains("no embedder for texts"), "{error:#}");
}

#[test]
fn without_topics_nothing_matches() {
    let posts = df!("text" => ["the cat sleeps", "a fast train"].repeat(3)).unwrap();
    let model = TopicModel::text("text", Sums).reducer(NoReduction).clusterer(Given(vec![-1; 6]));
    let topics = model.fit(&posts).unwrap();
    for settings in [ApproximateDistribution::new(), ApproximateDistribution::new().use_embedding_model(true)] {
        let shares = topics.approximate_distribution(&settings).unwrap();
        assert_eq!((shares.topics().len(), shares.without_match().len()), (0, 6));
        assert_eq!(shares.to_array().unwrap().dim(), (6, 0));
        assert_eq!(topics.token_distributions(&[0], &settings).unwrap()[0].topic_of(0), None);
    }
}

#[test]
fn words_are_those_of_the_vectorizer_in_any_script() {
    let posts = df!("text" => ["東京大学の大学図書館で猫", "カメラを買った"].repeat(10)).unwrap();
    let model = TopicModel::text("text", Sums).reducer(NoReduction).clusterer(Given([0, 1].repeat(10)));
    let topics = model.fit(&posts).unwrap();
    let new = df!("text" => ["大学図書館とカメラ"]).unwrap();
    let settings = ApproximateDistribution::new().window(1);
    let tokens = topics.token_distributions_of(&new, &[0], &settings).unwrap().remove(0);
    assert_eq!(tokens.tokens(), ["大学", "学図", "図書", "書館", "カメラ"]);
    assert_eq!((0..5).map(|token| tokens.topic_of(token)).collect::<Vec<_>>(), [0, 0, 0, 0, 1].map(Some));
    // Words that overlap are painted once.
    assert_eq!(Show::to_text(&tokens).unwrap(), "大学図書館 [0]とカメラ [1]");
    let frame = tokens.to_frame().unwrap();
    assert_eq!(frame.get_column_names(), ["Row", "Token", "Word", "Topic", "Similarity"]);
    assert_eq!(frame.height(), 5);
}

#[test]
fn painted_words_tell_their_topics_without_colors() {
    let topics = small();
    let text = "The cat SLEEPS <b>&nbsp;in a fast train</b> for <script>alert(1)</script> \"ever\" & ever";
    let new = df!("text" => [text, "nothing"]).unwrap();
    let settings = ApproximateDistribution::new().window(1);
    let tokens = topics.token_distributions_of(&new, &[0, 1], &settings).unwrap();
    let (cats, trains) = (topics.labels()[0], topics.labels()[1]);
    let cell = show(&tokens[0]);
    let found = elements(&cell);
    assert_harmless(&found, 0);
    let marks: Vec<&str> = found.iter().filter(|e| e.name == "mark").map(|e| e.text.as_str()).collect();
    assert_eq!(marks.len(), 4, "{marks:?}");
    assert!(marks.iter().any(|mark| mark.contains("cat SLEEPS")), "{marks:?}");
    let numbers: Vec<&str> = found.iter().filter(|e| e.name == "sub").map(|e| e.text.as_str()).collect();
    assert_eq!(numbers, [cats.to_string(), trains.to_string()]);
    assert!(show(&tokens[1]).contains("No word resembles any topic."));
    assert_eq!(show(&tokens).matches("<p").count(), 3);
    // A very long text is cut.
    let long = df!("text" => ["the cat sleeps in a fast train ".repeat(4_000)]).unwrap();
    let cell = show(topics.token_distributions_of(&long, &[0], &settings).unwrap());
    assert!(cell.len() < 900_000 && cell.contains("more bytes not shown"), "{}", cell.len());
}

#[test]
fn shares_do_not_depend_on_batches() {
    let topics = small();
    let settings = ApproximateDistribution::new();
    let texts = ["the cat sleeps", "a fast train", "", "a cat in a train"];
    let few = topics.approximate_distribution_of(&df!("text" => texts).unwrap(), &settings).unwrap();
    let many = topics.approximate_distribution_of(&df!("text" => texts.repeat(5_000)).unwrap(), &settings).unwrap();
    assert_eq!(many.rows(), 20_000);
    assert!((0..many.rows()).all(|row| many.of(row) == few.of(row % 4)));
}

struct StopAt(Interrupt, &'static str);

impl ProgressSink for StopAt {
    fn event(&self, event: &Event) {
        if matches!(event, Event::Started { task, .. } if task == self.1) {
            self.0.stop();
        }
    }
}

#[test]
fn it_can_be_interrupted() {
    for (settings, task) in [
        (ApproximateDistribution::new(), "topics within documents"),
        (ApproximateDistribution::new().use_embedding_model(true), "topics within documents"),
        (ApproximateDistribution::new(), "topics of words"),
    ] {
        let interrupt = Interrupt::new();
        let progress = Progress::to(Arc::new(StopAt(interrupt.clone(), task))).with_interrupt(interrupt);
        let topics = small().with_progress(progress);
        let error = match task {
            "topics of words" => topics.token_distributions(&[0], &settings).unwrap_err(),
            _ => topics.approximate_distribution(&settings).unwrap_err(),
        };
        assert_eq!(error.kind(), ErrorKind::Interrupted);
    }
}
