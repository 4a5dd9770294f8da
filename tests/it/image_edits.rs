//! Every edit and exploration of topics, for images alone and for texts with images.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use topicframe::polars::prelude::*;
use topicframe::prelude::*;

use crate::colors::{Eye, EyeAndEar, Namer, column_of_topics, pictures, png, text_and_image_frame, texts};

/// Rows of each of three colors; the last two have neither a text nor an image.
const ROWS: usize = 60;
const BLANK: usize = 2;

fn frame() -> DataFrame {
    let texts = [texts(ROWS), vec![None; BLANK]].concat();
    let pictures = [pictures(ROWS), vec![None; BLANK]].concat();
    let years: Vec<i32> = (0..ROWS + BLANK).map(|row| 2000 + (row / 15) as i32).collect();
    let classes: Vec<&str> = (0..ROWS + BLANK).map(|row| if row % 3 == 0 { "warm" } else { "cold" }).collect();
    let columns = [Column::new("year".into(), years), Column::new("class".into(), classes)];
    text_and_image_frame(&texts, &pictures).hstack(&columns).unwrap()
}

/// Other pictures, with the same colors in the same order.
fn new_rows() -> DataFrame {
    let pictures: Vec<Option<Vec<u8>>> = (0..12).map(|row| Some(png(row % 3, 300 + row))).collect();
    text_and_image_frame(&texts(12), &pictures)
}

struct Case {
    name: &'static str,
    topics: FittedTopicModel,
    has_words: bool,
    /// Whether the clusterer tells memberships.
    tells: bool,
    /// Whether texts can be embedded.
    hears: bool,
}

/// Images alone, without and with captions, and texts with images, by clusterers with and without memberships.
fn cases() -> &'static [Case] {
    static CASES: OnceLock<Vec<Case>> = OnceLock::new();
    CASES.get_or_init(|| {
        let fit = |model: TopicModel| {
            let model =
                model.reducer(NoReduction).representation("Pictures", VisualRepresentation::new().nr_repr_images(4));
            let topics = model.fit(&frame()).unwrap();
            assert!(topics.summary().topics >= 3, "{:?}", topics.summary());
            topics
        };
        let case = |name, model, has_words, tells, hears| Case { name, topics: fit(model), has_words, tells, hears };
        let communities = || Communities::new().n_neighbors(6);
        let both = || TopicModel::text_and_images("text", "image", EyeAndEar);
        vec![
            case("images", TopicModel::images("image", Eye).clusterer(KMeans::new(3)), false, false, false),
            case(
                "images with memberships",
                TopicModel::images("image", EyeAndEar).clusterer(communities()),
                false,
                true,
                true,
            ),
            case(
                "captioned",
                TopicModel::images("image", EyeAndEar)
                    .clusterer(KMeans::new(3))
                    .captioner(Namer::default())
                    .nr_captioned_images(ROWS),
                true,
                false,
                true,
            ),
            case("both", both().clusterer(KMeans::new(3)), true, false, true),
            case("both with memberships", both().clusterer(communities()), true, true, true),
        ]
    })
}

fn rows_of(topics: &FittedTopicModel, topic: i32) -> BTreeSet<usize> {
    topics.labels().iter().enumerate().filter(|(_, of_row)| **of_row == topic).map(|(row, _)| row).collect()
}

fn placed(topics: &FittedTopicModel, frame: &DataFrame) -> Vec<i32> {
    column_of_topics(&topics.transform(frame).unwrap())
}

/// Rows, sizes, pictures, means and `transform` agree.
fn assert_sound(topics: &FittedTopicModel, what: &str) {
    let labels = topics.labels();
    let mut sizes = BTreeMap::<i32, usize>::new();
    labels.iter().for_each(|&topic| *sizes.entry(topic).or_insert(0) += 1);
    assert_eq!(sizes.keys().copied().collect::<Vec<_>>(), topics.topic_ids(), "{what}");
    assert!(sizes.iter().all(|(&topic, &size)| topics.topic_size(topic) == Some(size)), "{what}");
    assert!(labels[ROWS..].iter().all(|&topic| topic == -1), "{what}: blank rows");
    assert_eq!(placed(topics, &frame()), labels, "{what}");
    assert!(placed(topics, &new_rows()).iter().all(|topic| *topic < 0 || sizes.contains_key(topic)), "{what}");
    let Aspect::Images(gallery) = topics.topic_aspect("Pictures").unwrap() else { panic!("{what}: pictures") };
    for topic in topics.topic_ids() {
        let of_topic = rows_of(topics, topic);
        assert!(gallery.pictures(topic).iter().all(|picture| of_topic.contains(&picture.row)), "{what}: {topic}");
        let is_shown = !gallery.pictures(topic).is_empty();
        assert!(is_shown || topic < 0, "{what}: topic {topic} has no pictures");
        assert!(topics.representative_rows(topic).unwrap_or_default().iter().all(|(row, _)| of_topic.contains(row)));
        assert!(topics.topic_label(topic).is_some(), "{what}: {topic}");
    }
    let means = topics.topic_embeddings();
    assert!(topics.topic_ids().iter().all(|topic| *topic < 0 || means.contains_key(topic)), "{what}");
    assert_eq!(topics.get_topic_info().unwrap().height(), sizes.len(), "{what}");
    assert_eq!(topics.get_document_info().unwrap().height(), ROWS + BLANK, "{what}");
}

/// What needs words says so, and what to do.
fn assert_needs_words(error: &Error, instead: &str, what: &str) {
    let told = format!("{error:#}");
    assert!(["words", "texts"].iter().any(|needed| told.contains(needed)), "{what}: {told}");
    assert!(told.contains(instead), "{what}: {told}");
}

#[test]
fn topics_with_images_are_edited_in_every_way() {
    for Case { name, topics, has_words, .. } in cases() {
        assert_sound(topics, name);
        let count = topics.summary().topics;
        let merged = topics.merge_topics(&[&[0, 2]]).unwrap();
        assert_sound(&merged, &format!("{name}, merged"));
        assert_eq!(merged.summary().topics, count - 1);
        let fewer = topics.delete_topics(&[1]).unwrap();
        assert_sound(&fewer, &format!("{name}, deleted"));
        assert_eq!(fewer.topic_size(-1), Some(topics.summary().outliers + topics.topic_size(1).unwrap()), "{name}");
        let divided = topics.split_topic(0, 2).unwrap();
        assert_sound(&divided, &format!("{name}, divided"));
        assert_eq!(divided.summary().topics, count + 1);
        assert_sound(&divided.merge_topics(&[&[0, 1]]).unwrap(), &format!("{name}, divided and merged"));
        let reduced = topics.reduce_topics(2).unwrap();
        assert_sound(&reduced, &format!("{name}, reduced"));
        assert_eq!(reduced.summary().topics, 2);
        assert_sound(&topics.reduce_topics(NrTopics::Auto).unwrap(), name);
        assert_eq!(topics.reduce_topics(ReduceTopics::similar(-1.0)).unwrap().summary().topics, 1);
        match topics.reduce_topics(ReduceTopics::to(2).use_ctfidf(true)) {
            Ok(by_words) => assert_eq!((by_words.summary().topics, *has_words), (2, true), "{name}"),
            Err(error) => {
                assert!(!has_words, "{name}: {error:#}");
                assert_needs_words(&error, "use_ctfidf(false)", name);
            }
        }
        let mine: Vec<i32> = (0..ROWS + BLANK).map(|row| (row % 2) as i32).collect();
        let by_hand = topics.update_topics(&UpdateTopics::new().topics(&mine)).unwrap();
        assert_sound(&by_hand, &format!("{name}, by hand"));
        assert_eq!((by_hand.summary().topics, by_hand.topic_size(-1)), (2, Some(BLANK)));
        match topics.update_topics(&UpdateTopics::new().vectorizer(CountVectorizer::new().ngram_range(1, 2))) {
            Ok(phrases) => assert!(*has_words && phrases.vocabulary().len() > topics.vocabulary().len(), "{name}"),
            Err(error) => {
                assert!(!has_words, "{name}: {error:#}");
                assert_needs_words(&error, "captioner", name);
            }
        }
        let named = topics.set_topic_labels([(0, "first")]).unwrap().merge_topics(&[&[0, 1]]).unwrap();
        assert_eq!(named.topic_label(0).as_deref(), Some("first"), "{name}");
        assert_eq!(named.generate_topic_labels(&TopicLabels::new()).unwrap().len(), named.topic_ids().len());
        assert_eq!(named.undo().unwrap().undo().unwrap().labels(), topics.labels(), "{name}");
    }
}

#[test]
fn outliers_among_images_are_reduced() {
    for Case { name, topics, has_words, tells, .. } in cases() {
        let strict = topics.with_outliers(0.3).unwrap();
        assert_sound(&strict, &format!("{name}, strict"));
        let left_out: BTreeSet<usize> = rows_of(&strict, -1).into_iter().filter(|&row| row < ROWS).collect();
        assert_eq!(left_out.len(), ROWS * 3 / 10, "{name}");
        let strategies = [
            (OutlierStrategy::Embeddings, true),
            (OutlierStrategy::Probabilities, *tells),
            (OutlierStrategy::CTfIdf, *has_words),
            (OutlierStrategy::Distributions, *has_words),
        ];
        for (strategy, applies) in strategies {
            let case = format!("{name}, {strategy}");
            match strict.reduce_outliers(strategy) {
                Ok(fewer) => {
                    assert!(applies, "{case}");
                    assert_sound(&fewer, &case);
                    let remain: BTreeSet<usize> = rows_of(&fewer, -1).into_iter().filter(|&row| row < ROWS).collect();
                    assert!(remain.is_subset(&left_out) && remain.len() < left_out.len(), "{case}: {remain:?}");
                    // A picture goes where those of its color are.
                    let of_color = |color: usize| {
                        let rows = (0..ROWS).filter(|row| row % 3 == color && !left_out.contains(row));
                        rows.map(|row| fewer.labels()[row]).collect::<BTreeSet<i32>>()
                    };
                    for row in left_out.difference(&remain) {
                        assert!(of_color(row % 3).contains(&fewer.labels()[*row]), "{case}: row {row}");
                    }
                    let back = fewer.with_outliers(Outliers::AsClustered).unwrap();
                    assert_eq!(back.labels(), topics.labels(), "{case}");
                }
                Err(error) => {
                    assert!(!applies, "{case}: {error:#}");
                    match strategy {
                        OutlierStrategy::Probabilities => assert!(format!("{error:#}").contains("Embeddings")),
                        _ => assert_needs_words(&error, "OutlierStrategy::Embeddings", &case),
                    }
                }
            }
        }
        let some = strict.reduce_outliers(ReduceOutliers::new(OutlierStrategy::Embeddings).max_outliers(0.1)).unwrap();
        assert_sound(&some, name);
        assert!(rows_of(&some, -1).len() - BLANK <= ROWS / 10, "{name}");
    }
}

#[test]
fn topics_with_images_are_explored_in_every_way() {
    for Case { name, topics, has_words, hears, .. } in cases() {
        let count = topics.summary().topics;
        let tree = topics.hierarchical_topics().unwrap();
        assert_eq!(tree.merges().len(), count - 1, "{name}");
        let root = tree.root().unwrap();
        assert!(tree.pictures(root.id).is_some() && !root.representative_rows.is_empty(), "{name}");
        assert_sound(&topics.cut(&tree, 2).unwrap(), &format!("{name}, cut"));
        let by_words = topics.hierarchical_topics_with(&HierarchyOptions::new().distance(TopicDistance::CTfIdf));
        match by_words {
            Ok(_) => assert!(has_words, "{name}"),
            Err(error) => {
                assert!(!has_words, "{name}: {error:#}");
                assert_needs_words(&error, "Vectors", name);
            }
        }
        let over_time = topics.topics_over_time("year").unwrap();
        let sum = |frame: &DataFrame| frame.column("Frequency").unwrap().i64().unwrap().iter().flatten().sum::<i64>();
        assert_eq!(sum(&over_time.frame()), (ROWS + BLANK) as i64, "{name}");
        assert_eq!(over_time.emerging_topics().unwrap().height(), count, "{name}");
        let by_class = topics.topics_over_time_with("year", &OverTimeOptions::new().nr_bins(2).by("class")).unwrap();
        assert_eq!(sum(&by_class.frame()), (ROWS + BLANK) as i64, "{name}");
        assert_eq!(sum(&topics.topics_per_class("class").unwrap()), (ROWS + BLANK) as i64, "{name}");

        let picture = png(1, 200);
        let found = topics.find_documents_by_image(&picture[..], 5).unwrap();
        let rows: Vec<u32> = found.column("Row").unwrap().u32().unwrap().into_no_null_iter().collect();
        assert!(rows.iter().all(|row| row % 3 == 1), "{name}: {rows:?}");
        let nearest = column_of_topics(&topics.find_topics_by_image(&picture[..], 1).unwrap());
        assert!(rows_of(topics, nearest[0]).iter().all(|row| row % 3 == 1), "{name}: {nearest:?}");
        match topics.find_documents("something red", DocumentSearch::new(3)) {
            Ok(found) => {
                assert!(hears, "{name}");
                let rows = found.column("Row").unwrap().u32().unwrap();
                assert!(rows.into_no_null_iter().all(|row| row % 3 == 0), "{name}");
            }
            Err(error) => assert!(!hears && error.hint().is_some(), "{name}: {error:#}"),
        }
        assert_eq!(topics.similar_topics(0, 10).unwrap().height(), count - 1, "{name}");

        for probabilities in
            [topics.topic_probabilities().unwrap(), topics.topic_probabilities_of(&new_rows()).unwrap()]
        {
            assert!(probabilities.values().outer_iter().all(|row| (row.sum() - 1.0).abs() < 1e-9), "{name}");
        }
        let info = topics.get_document_info_of(&new_rows()).unwrap();
        assert_eq!((info.height(), info.column("Name").unwrap().null_count()), (12, 0), "{name}");
        match topics.approximate_distribution(&ApproximateDistribution::new()) {
            Ok(shares) => assert!(*has_words && shares.to_array().unwrap().nrows() == ROWS + BLANK, "{name}"),
            Err(error) => {
                assert!(!has_words, "{name}: {error:#}");
                assert_needs_words(&error, "captioner", name);
            }
        }
        topics.report().to_html().unwrap().into_string();
    }
}

#[test]
fn chains_of_edits_of_images_are_the_same_when_saved() {
    let folder = tempfile::tempdir().unwrap();
    for (number, Case { name, topics, hears, .. }) in cases().iter().enumerate() {
        let edited = topics.with_outliers(0.4).unwrap().split_topic(0, 2).unwrap();
        let edited =
            edited.reduce_outliers(OutlierStrategy::Embeddings).unwrap().set_topic_labels([(1, "one")]).unwrap();
        let edited = edited.merge_topics(&[&[0, 2]]).unwrap();
        assert_sound(&edited, name);
        let path = folder.path().join(number.to_string());
        edited.save(&path).unwrap();
        let loaded = FittedTopicModel::load(&path).unwrap();
        assert_eq!((loaded.labels(), loaded.history()), (edited.labels(), edited.history()), "{name}");
        assert_eq!(loaded.custom_labels(), edited.custom_labels(), "{name}");
        // The embedder, which is the test's own, is not saved; words of images without texts are chosen by it.
        let loaded = match hears {
            true => loaded.with_image_embedder(EyeAndEar).unwrap(),
            false => loaded.with_image_embedder(Eye).unwrap(),
        };
        for topics in [&edited, &loaded] {
            let fewer = topics.delete_topics(&[1]).unwrap().reduce_topics(1).unwrap();
            assert_eq!(fewer.summary().topics, 1, "{name}");
            assert!(topics.with_outliers(Outliers::None).unwrap().summary().outliers == BLANK, "{name}");
        }
        let (a, b) = (edited.delete_topics(&[0]).unwrap(), loaded.delete_topics(&[0]).unwrap());
        assert_eq!((a.labels(), a.get_topics()), (b.labels(), b.get_topics()), "{name}");
    }
}
