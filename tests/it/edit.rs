//! Editing topics: merging and reducing.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use ndarray::Array2;
use proptest::prelude::*;
use topicframe::error::Result;
use topicframe::polars::prelude::*;
use topicframe::prelude::*;
use topicframe::topics::TopicTerms;

use crate::colors::{EyeAndEar, Namer, column_of_topics, image_frame, pictures, png, text_and_image_frame, texts};
use crate::notes::Notes;

/// Six kinds of texts, two per subject, in different numbers, and some meaningless ones.
const KINDS: [(&str, usize); 6] = [
    ("cat purrs", 30),
    ("dog barks", 24),
    ("train rolls", 20),
    ("tram stops", 18),
    ("apple pie", 16),
    ("pear tart", 12),
];

#[derive(Debug, Clone)]
struct Kinds;

impl TextEmbedder for Kinds {
    fn dimensions(&self) -> usize {
        6
    }

    fn embed_texts(&self, texts: &[&str], _: &Progress) -> Result<Array2<f32>> {
        let mut vectors = Array2::zeros((texts.len(), 6));
        for (mut row, text) in vectors.outer_iter_mut().zip(texts) {
            if let Some(kind) = KINDS.iter().position(|(name, _)| text.contains(name)) {
                // Kinds 2k and 2k + 1 are close to each other.
                row[kind] = 0.9;
                row[kind ^ 1] = 0.43;
            }
        }
        Ok(vectors)
    }
}

fn documents() -> Vec<String> {
    let kinds = KINDS.iter().flat_map(|&(name, count)| {
        (0..count)
            .map(move |i| format!("the {name} {} {}", ["today", "often", "again"][i % 3], ["here", "there"][i % 2]))
    });
    kinds.chain((0..5).map(|i| format!("unknown {i}"))).collect()
}

fn frame() -> DataFrame {
    df!("text" => documents()).unwrap()
}

fn fitted() -> &'static FittedTopicModel {
    static FITTED: OnceLock<FittedTopicModel> = OnceLock::new();
    FITTED.get_or_init(|| {
        let model = TopicModel::text("text", Kinds).reducer(NoReduction).clusterer(KMeans::new(6));
        let topics = model.fit(&frame()).unwrap();
        assert_eq!(topics.topic_ids(), [-1, 0, 1, 2, 3, 4, 5]);
        topics
    })
}

fn sizes(topics: &FittedTopicModel) -> Vec<usize> {
    topics.topic_ids().iter().map(|&id| topics.topic_size(id).unwrap()).collect()
}

/// The tables agree with the rows, and `transform` agrees with both.
fn assert_sound(topics: &FittedTopicModel, frame: &DataFrame) {
    let mut counts = BTreeMap::<i32, usize>::new();
    topics.labels().iter().for_each(|&topic| *counts.entry(topic).or_insert(0) += 1);
    let ids = topics.topic_ids();
    assert_eq!(counts.keys().copied().collect::<Vec<_>>(), ids);
    assert!(counts.iter().all(|(&topic, &count)| topics.topic_size(topic) == Some(count)));
    let by_size: Vec<usize> = ids.iter().filter(|&&id| id >= 0).map(|id| counts[id]).collect();
    assert!(by_size.is_sorted_by(|a, b| a >= b), "{by_size:?}");
    let info = topics.get_topic_info().unwrap();
    assert_eq!(info.column("Count").unwrap().i64().unwrap().iter().flatten().sum::<i64>(), frame.height() as i64);
    assert_eq!(column_of_topics(&topics.transform(frame).unwrap()), topics.labels());
    let summary = topics.summary();
    assert_eq!((summary.topics, summary.clustered), (by_size.len(), by_size.iter().sum()));
    assert_eq!(summary.clustered + summary.outliers, summary.rows);
    for id in ids {
        for (row, _) in topics.representative_rows(id).unwrap_or_default() {
            assert_eq!(topics.labels()[row], id);
        }
        assert!(topics.get_topic(id).is_some());
    }
}

#[test]
fn merged_topics_are_what_their_texts_would_have_been() {
    let topics = fitted().merge_topics(&[&[5, 2], &[0, 1]]).unwrap();
    assert_sound(&topics, &frame());
    assert_eq!(sizes(&topics), [5, 54, 32, 18, 16]);
    // Every row moved with its topic.
    for (row, &old) in fitted().labels().iter().enumerate() {
        assert_eq!(topics.labels()[row], [-1, 0, 0, 1, 2, 3, 1][(old + 1) as usize]);
    }
    assert_eq!(topics.probabilities(), fitted().probabilities());
    // Counts, weights and scores equal those of the same topics when recounted.
    let texts = documents();
    let by_row: Vec<(usize, &str)> = texts.iter().enumerate().map(|(row, text)| (row, text.as_str())).collect();
    let (vectorizer, weighting) = (CountVectorizer::new(), ClassTfIdf::new().coverage(true));
    let anew =
        TopicTerms::count(&by_row, &topics.labels(), &topics.topic_ids(), &vectorizer, &weighting, &Progress::silent())
            .unwrap();
    assert_eq!(topics.vocabulary(), anew.vocabulary);
    assert_eq!(topics.terms().counts, anew.counts);
    assert_eq!(topics.terms().document_counts, anew.document_counts);
    assert_eq!(topics.terms().topic_documents, sizes(&topics));
    assert_eq!(topics.terms().c_tf_idf, anew.c_tf_idf);
    assert_eq!(topics.terms().text_scores, anew.text_scores);
    // Both halves are among the words; names are updated.
    let words = topics.get_topic(0).unwrap();
    let words: Vec<&str> = words.iter().map(|(word, _)| word.as_str()).collect();
    assert!(words.contains(&"cat") && words.contains(&"dog"), "{words:?}");
    // The mean of all rows is the mean of the topics' means weighted by size.
    let (before, after) = (fitted().topic_embeddings(), topics.topic_embeddings());
    for axis in 0..6 {
        let mean = (30.0 * before[&0][axis] + 24.0 * before[&1][axis]) / 54.0;
        assert!((after[&0][axis] - mean).abs() < 1e-6);
    }
    // The original model is unchanged.
    assert_eq!(fitted().summary().topics, 6);
}

#[test]
fn new_rows_are_placed_in_merged_topics() {
    let topics = fitted().merge_topics(&[&[0, 1]]).unwrap();
    let new = df!("text" => ["my cat purrs", "my dog barks", "our train rolls"]).unwrap();
    let placed = column_of_topics(&topics.transform(&new).unwrap());
    assert_eq!(placed, [0, 0, 1]);
    // And again: edits are cumulative.
    let topics = topics.merge_topics(&[&[1, 2]]).unwrap();
    assert_sound(&topics, &frame());
    assert_eq!(column_of_topics(&topics.transform(&new).unwrap()), [0, 0, 1]);
    let new = df!("text" => ["one tram stops"]).unwrap();
    assert_eq!(column_of_topics(&topics.transform(&new).unwrap()), [1]);
}

#[test]
fn topics_can_become_outliers_but_outliers_no_topic() {
    let topics = fitted().merge_topics(&[&[-1, 2]]).unwrap();
    assert_sound(&topics, &frame());
    assert_eq!(sizes(&topics), [25, 30, 24, 18, 16, 12]);
    let gone = fitted().labels().iter().position(|&topic| topic == 2).unwrap();
    assert_eq!((topics.labels()[gone], topics.probabilities()[gone]), (-1, 0.0));
    let new = df!("text" => ["a slow train rolls"]).unwrap();
    assert_eq!(column_of_topics(&topics.transform(&new).unwrap()), [-1]);

    let error = fitted().merge_topics(&[&[2, -1]]).unwrap_err();
    assert!(format!("{error:#}").contains("Put -1 first"), "{error:#}");
}

#[test]
fn groups_that_make_no_sense_are_errors() {
    let error = fitted().merge_topics(&[&[0, 9]]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(format!("{error:#}").contains("topic 9"), "{error:#}");
    for groups in [&[&[0, 1][..], &[1, 2]][..], &[&[1, 2], &[1, 3]]] {
        let error = fitted().merge_topics(groups).unwrap_err();
        assert!(format!("{error:#}").contains("topic 1 is in two groups"), "{error:#}");
    }
    // Nothing to merge: nothing changes.
    for groups in [&[][..], &[&[3][..]], &[&[]], &[&[4, 4]]] {
        let same = fitted().merge_topics(groups).unwrap();
        assert_eq!(same.labels(), fitted().labels());
        assert_eq!(same.get_topics(), fitted().get_topics());
    }
}

#[test]
fn a_topic_that_does_not_exist_is_the_same_error_everywhere() {
    let topics = fitted();
    let errors = [
        topics.merge_topics(&[&[0, 9]]).unwrap_err(),
        topics.delete_topics(&[9]).unwrap_err(),
        topics.split_topic(9, 2).unwrap_err(),
        topics.set_topic_labels([(9, "nine")]).unwrap_err(),
        topics.find_documents("cat", DocumentSearch::new(1).topic(9)).unwrap_err(),
        topics.similar_topics(9, 1).unwrap_err(),
    ];
    for error in &errors {
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error:#}");
        assert!(error.message().starts_with("there is no topic 9"), "{error:#}");
        assert_eq!(error.hint(), errors[0].hint());
    }
}

#[test]
fn a_label_of_few_of_the_merged_rows_is_told() {
    let notes = Arc::new(Notes::default());
    let topics = fitted().set_topic_labels([(0, "Cats"), (3, "Trams")]).unwrap();
    let topics = topics.with_progress(Progress::to(notes.clone()));
    // 30 of 54 rows are cats.
    let merged = topics.merge_topics(&[&[0, 1], &[2, 3]]).unwrap();
    assert_eq!(merged.custom_labels(), BTreeMap::from([(0, "Cats".to_owned())]));
    assert_eq!(notes.text(), "");
    // 30 of 92.
    let merged = topics.merge_topics(&[&[0, 1, 2, 3]]).unwrap();
    assert_eq!(merged.topic_label(0).as_deref(), Some("Cats"));
    let told = notes.text();
    assert!(told.starts_with("topic 0 keeps the label `Cats` that 30 of its 92 rows had"), "{told}");
    assert!(told.contains("set_topic_labels()"), "{told}");
    // A part of a topic, and a topic that outliers join, have the label of all that were in a topic.
    notes.0.lock().unwrap().clear();
    let grown = topics.with_outliers(0.5).unwrap();
    grown.reduce_outliers(OutlierStrategy::Embeddings).unwrap();
    assert!(!notes.text().contains("keeps the label"), "{}", notes.text());
}

#[test]
fn topics_are_reduced_to_as_many_as_asked_for() {
    // Pairs of kinds are close to each other, so three topics are the three subjects.
    let topics = fitted().reduce_topics(3).unwrap();
    assert_sound(&topics, &frame());
    assert_eq!(sizes(&topics), [5, 54, 38, 28]);
    for count in 1..=6 {
        let topics = fitted().reduce_topics(count).unwrap();
        assert_sound(&topics, &frame());
        assert_eq!(topics.summary().topics, count);
        assert_eq!(topics.topic_size(-1), Some(5), "outliers stay outliers");
    }
    assert_eq!(fitted().reduce_topics(100).unwrap().labels(), fitted().labels());
    let error = fitted().reduce_topics(0).unwrap_err();
    assert!(format!("{error:#}").contains("nr_topics"), "{error:#}");
    let auto = fitted().reduce_topics(NrTopics::Auto).unwrap();
    assert_sound(&auto, &frame());
    assert!(auto.summary().topics < 6, "{:?}", auto.summary());
    for (text, count) in [("auto", NrTopics::Auto), ("12", NrTopics::Count(12))] {
        assert_eq!(text.parse::<NrTopics>().unwrap(), count);
        assert_eq!(count.to_string(), text);
    }
    assert!("0".parse::<NrTopics>().is_err() && "some".parse::<NrTopics>().is_err());
    // A single topic cannot be reduced further.
    let one = fitted().reduce_topics(1).unwrap();
    assert_eq!(one.reduce_topics(NrTopics::Auto).unwrap().labels(), one.labels());
}

#[test]
fn representations_are_made_again() {
    #[derive(Debug)]
    struct Best;
    impl Representation for Best {
        fn check(&self) -> Result<()> {
            Ok(())
        }
        fn describe(&self, context: &TopicContext<'_>, words: &TopicWords) -> Result<Aspect> {
            assert_eq!(context.topics.len(), words.len());
            Ok(Aspect::Words(words.iter().map(|(&topic, words)| (topic, words[..1].to_vec())).collect()))
        }
    }
    let model = TopicModel::text("text", Kinds).reducer(NoReduction).clusterer(KMeans::new(6)).top_n_words(4);
    let topics = model.representation("Best", Best).fit(&frame()).unwrap().reduce_topics(2).unwrap();
    let Aspect::Words(best) = topics.topic_aspect("Best").unwrap() else { panic!("words") };
    assert_eq!(best.keys().copied().collect::<Vec<_>>(), [-1, 0, 1]);
    for (topic, words) in topics.get_topics() {
        assert!(words.len() <= 4);
        assert_eq!(best[&topic][0], words[0]);
    }
}

#[test]
fn topics_of_images_are_merged_and_reduced_with_their_pictures() {
    let frame = image_frame(60);
    let model = TopicModel::images("image", EyeAndEar)
        .reducer(NoReduction)
        .clusterer(KMeans::new(3))
        .captioner(Namer::default())
        .nr_captioned_images(6)
        .representation("Visual_Aspect", VisualRepresentation::new());
    let fitted = model.fit(&frame).unwrap();
    let before = fitted.terms().counts.row_sums();
    for topics in [fitted.merge_topics(&[&[0, 2]]).unwrap(), fitted.reduce_topics(2).unwrap()] {
        assert_sound(&topics, &frame);
        assert_eq!(sizes(&topics), [40, 20]);
        assert_eq!(topics.terms().counts.row_sums().iter().sum::<f64>(), before.iter().sum::<f64>());
        assert_eq!(topics.captions(), fitted.captions());
        let Aspect::Images(gallery) = topics.topic_aspect("Visual_Aspect").unwrap() else { panic!("pictures") };
        assert_eq!(gallery.topics(), [0, 1]);
        for id in [0, 1] {
            assert!(gallery.pictures(id).iter().all(|picture| topics.labels()[picture.row] == id));
            assert_eq!(gallery.pictures(id).len(), 9);
        }
        let found = topics.find_topics("red", 2).unwrap();
        assert_eq!(found.height(), 2);
        let new = DataFrame::new(1, vec![crate::colors::image_column(&[Some(png(1, 444))])]).unwrap();
        let placed = column_of_topics(&topics.transform(&new).unwrap())[0];
        assert_eq!(placed, topics.labels()[1], "a green image is placed with the green ones");
    }
}

#[test]
fn topics_without_words_are_reduced_too() {
    let model = TopicModel::images("image", crate::colors::Eye).reducer(NoReduction).clusterer(KMeans::new(3));
    let frame = image_frame(60);
    let topics = model.fit(&frame).unwrap().reduce_topics(2).unwrap();
    assert_sound(&topics, &frame);
    assert_eq!(topics.topic_label(0).as_deref(), Some("0"));
}

#[test]
fn topics_of_both_are_merged() {
    let frame = text_and_image_frame(&texts(60), &pictures(60));
    let model = TopicModel::text_and_images("text", "image", EyeAndEar).reducer(NoReduction).clusterer(KMeans::new(3));
    let topics = model.fit(&frame).unwrap().merge_topics(&[&[1, 2]]).unwrap();
    assert_sound(&topics, &frame);
    assert_eq!(sizes(&topics), [40, 20]);
}

#[test]
fn the_history_says_what_became_of_topics() {
    assert!(fitted().history().is_empty());
    let topics = fitted().merge_topics(&[&[0, 1], &[-1, 5]]).unwrap().reduce_topics(2).unwrap();
    let history = topics.history();
    let edits: Vec<&str> = history.iter().map(|edit| edit.edit.as_str()).collect();
    assert_eq!(edits, ["merge_topics", "reduce_topics"]);
    let merge = &history[0];
    assert_eq!([0, 1, 2, 3, 4, 5, -1].map(|topic| merge.successor(topic)), [0, 0, 1, 2, 3, -1, -1]);
    assert_eq!(merge.destinations[&1], BTreeMap::from([(0, 24)]));
    // Composed, the edits lead from the topics of the fit to those of now.
    let successor = |topic: i32| topics.history().iter().fold(topic, |topic, edit| edit.successor(topic));
    let now: Vec<i32> = fitted().labels().into_iter().map(successor).collect();
    assert_eq!(now, topics.labels());
}

#[test]
fn a_model_without_its_rows_answers_what_needs_none() {
    let light = fitted().merge_topics(&[&[0, 1]]).unwrap();
    let (whole, light) = (&light, light.without_data());
    assert_eq!(light.labels(), whole.labels());
    assert_eq!(light.get_topics(), whole.get_topics());
    assert_eq!(light.topic_embeddings(), whole.topic_embeddings());
    assert!(light.find_topics("cat purrs", 3).unwrap().equals(&whole.find_topics("cat purrs", 3).unwrap()));
    let new = df!("text" => ["my cat purrs", "an apple pie", "nothing known"]).unwrap();
    assert!(light.transform(&new).unwrap().equals_missing(&whole.transform(&new).unwrap()));
    // Rows of the fit are placed like new ones; these vectors leave no doubt.
    assert_eq!(column_of_topics(&light.transform(&frame()).unwrap()), whole.labels());
    assert_eq!((light.text(0), light.captions().len()), (None, 0));
    for error in [
        light.get_document_info().map(|_| ()).unwrap_err(),
        light.merge_topics(&[&[0, 1]]).map(|_| ()).unwrap_err(),
        light.reduce_topics(2).map(|_| ()).unwrap_err(),
    ] {
        assert_eq!((error.kind(), error.stage()), (ErrorKind::NotFound, Stage::Topics));
        let is_told =
            ["needs the rows of the fit", "needs the documents of the fit"].map(|told| error.message().contains(told));
        assert!(is_told != [false; 2] && error.hint().is_some(), "{error}");
    }
    assert!(light.get_topic_info().unwrap().column("Representative_Docs").is_ok());
    light.report().to_html().unwrap().into_string();
}

/// An edit that may be asked for.
#[derive(Debug, Clone)]
enum Step {
    /// Topics at these places in the list of topics become one.
    Merge(usize, usize),
    /// The topic at this place becomes outliers.
    Drop(usize),
    Reduce(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0_usize..6, 0_usize..6).prop_map(|(a, b)| Step::Merge(a, b)),
        (0_usize..6).prop_map(Step::Drop),
        (1_usize..6).prop_map(Step::Reduce),
    ]
}

/// The model after `step`; unchanged if it has too few topics.
fn after(topics: &FittedTopicModel, step: &Step) -> FittedTopicModel {
    let ids: Vec<i32> = topics.topic_ids().into_iter().filter(|&topic| topic >= 0).collect();
    let at = |place: usize| ids.get(place % ids.len().max(1)).copied();
    match *step {
        Step::Merge(a, b) => match (at(a), at(b)) {
            (Some(a), Some(b)) if a != b => topics.merge_topics(&[&[a, b]]).unwrap(),
            _ => topics.clone(),
        },
        Step::Drop(place) => at(place).map_or(topics.clone(), |topic| topics.merge_topics(&[&[-1, topic]]).unwrap()),
        Step::Reduce(count) => topics.reduce_topics(count).unwrap(),
    }
}

#[test]
fn weights_change_after_the_fit_and_nothing_else() {
    let topics = fitted();
    let model = TopicModel::text("text", Kinds).reducer(NoReduction).clusterer(KMeans::new(6));
    let weightings = [
        ClassTfIdf::new(),
        ClassTfIdf::new().bm25_weighting(true).reduce_frequent_words(true),
        ClassTfIdf::new().coverage(true).seed_words(["purrs", "today"], 5.0),
    ];
    for weighting in weightings {
        let changed = topics.with_ctfidf(weighting.clone()).unwrap();
        let fresh = model.clone().ctfidf(weighting).fit(&frame()).unwrap();
        assert_eq!(changed.get_topics(), fresh.get_topics());
        assert_ne!(changed.get_topics(), topics.get_topics());
        assert_eq!(changed.terms().c_tf_idf, fresh.terms().c_tf_idf);
        assert_eq!(changed.terms().text_scores, fresh.terms().text_scores);
        assert_eq!(changed.terms().counts, topics.terms().counts);
        for topic in changed.topic_ids() {
            assert_eq!(changed.representative_rows(topic), fresh.representative_rows(topic));
        }
        assert_eq!((changed.labels(), changed.probabilities()), (topics.labels(), topics.probabilities()));
        assert_eq!(changed.topic_embeddings(), topics.topic_embeddings());
        assert_sound(&changed, &frame());
        // Later edits keep the weighting, and the history has it.
        let merged = changed.merge_topics(&[&[0, 1]]).unwrap();
        assert_eq!(merged.terms().c_tf_idf, fresh.merge_topics(&[&[0, 1]]).unwrap().terms().c_tf_idf);
        let names: Vec<String> = merged.history().into_iter().map(|edit| edit.edit).collect();
        assert_eq!(names, ["with_ctfidf", "merge_topics"]);
        assert_eq!(merged.history()[0].successor(3), 3);
        // And back.
        let back = changed.with_ctfidf(ClassTfIdf::new().coverage(true)).unwrap();
        assert_eq!(back.get_topics(), topics.get_topics());
    }
    assert!(topics.with_ctfidf(ClassTfIdf::new().seed_words(["cat"], 0.0)).is_err());
    assert!(topics.without_data().with_ctfidf(ClassTfIdf::new()).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn chains_of_edits_keep_rows_terms_and_meaning(steps in prop::collection::vec(step(), 1..6)) {
        let before = fitted();
        let terms = |topics: &FittedTopicModel| topics.terms().counts.column_sums();
        let mut topics = before.clone();
        for step in &steps {
            topics = after(&topics, step);
            assert_sound(&topics, &frame());
            prop_assert_eq!(terms(&topics), terms(before));
        }
        // Rows that were together are together, and the history leads to where they are.
        let successor = |topic: i32| topics.history().iter().fold(topic, |topic, edit| edit.successor(topic));
        let expected: Vec<i32> = before.labels().into_iter().map(successor).collect();
        prop_assert_eq!(topics.labels(), expected);
        // An outlier has no strength; other strengths stay.
        let pairs = topics.labels().into_iter().zip(topics.probabilities()).zip(before.probabilities());
        for ((topic, now), then) in pairs {
            prop_assert_eq!(now, if topic == -1 { 0.0 } else { then });
        }
        // The same texts, counted by the topics at the end, give the same weights.
        let texts = documents();
        let by_row: Vec<(usize, &str)> = texts.iter().enumerate().map(|(row, text)| (row, text.as_str())).collect();
        let (vectorizer, weighting) = (CountVectorizer::new(), ClassTfIdf::new().coverage(true));
        let (labels, ids) = (topics.labels(), topics.topic_ids());
        let anew = TopicTerms::count(&by_row, &labels, &ids, &vectorizer, &weighting, &Progress::silent()).unwrap();
        prop_assert_eq!(&topics.terms().counts, &anew.counts);
        prop_assert_eq!(&topics.terms().document_counts, &anew.document_counts);
        prop_assert_eq!(&topics.terms().topic_documents, &anew.topic_documents);
        prop_assert_eq!(&topics.terms().c_tf_idf, &anew.c_tf_idf);
        prop_assert_eq!(&topics.terms().text_scores, &anew.text_scores);
    }

    #[test]
    fn merges_of_different_topics_may_come_in_any_order(
        order in Just((0_i32..6).collect::<Vec<_>>()).prop_shuffle()
    ) {
        let names = |topics: &FittedTopicModel| -> Vec<Option<String>> {
            topics.labels().into_iter().map(|topic| topics.topic_label(topic)).collect()
        };
        let (first, second) = ([order[0], order[1]], [order[2], order[3]]);
        let together = fitted().merge_topics(&[&first, &second]).unwrap();
        let one = fitted().merge_topics(&[&second]).unwrap();
        let renumbered = first.map(|topic| one.history()[0].successor(topic));
        let turned = one.merge_topics(&[&renumbered]).unwrap();
        // Topics of one size may be numbered differently; what they are called without the number agrees.
        let bare = |names: Vec<Option<String>>| -> Vec<Option<String>> {
            names.into_iter().map(|name| name.map(|name| name.split_once('_').unwrap().1.to_owned())).collect()
        };
        prop_assert_eq!(bare(names(&together)), bare(names(&turned)));
        prop_assert_eq!(together.topic_ids(), turned.topic_ids());
    }
}
