//! Editing topics: labels, deletions, outliers, divisions, topics of one's own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use topicframe::polars::prelude::*;
use topicframe::prelude::*;

use crate::colors::column_of_topics;

/// Words of subjects, and the number of rows of each; the last rows have no vector.
const SUBJECTS: [(&str, usize); 5] =
    [("cat purrs", 40), ("train rolls", 34), ("apple pie", 28), ("rain falls", 22), ("drum beats", 16)];
pub(crate) const ROWS: usize = 140;
const BLANK: usize = 3;

/// A number from -0.5 to 0.5.
fn noise(row: usize, axis: usize) -> f32 {
    let mut x = (row as u64 * 31 + axis as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    ((x >> 40) as f32) / 16_777_216.0 - 0.5
}

fn subject(row: usize) -> usize {
    let mut first = 0;
    SUBJECTS.iter().position(|&(_, rows)| (first += rows, row < first).1).unwrap()
}

/// Rows are near the axis of their subject, in two halves; every fifth strays.
fn vector(row: usize, seed: usize) -> [f32; 7] {
    let mut vector = [0.0; 7];
    let subject = subject(row);
    vector[subject] = if row % 5 == 4 { 0.4 } else { 1.0 };
    vector[5 + row % 2] = 0.35;
    if row % 5 == 4 {
        vector[(subject + 1 + row % 3) % 5] += 0.3;
    }
    vector.iter_mut().enumerate().for_each(|(axis, x)| *x += 0.3 * noise(row + seed, axis));
    vector
}

fn text(row: usize) -> String {
    let (words, _) = SUBJECTS[subject(row)];
    format!("the {words} {} {}", ["today", "often", "again"][row % 3], ["here", "there"][row % 2])
}

fn frame() -> DataFrame {
    let texts: Vec<String> = (0..ROWS).map(text).chain((0..BLANK).map(|_| "nothing".to_owned())).collect();
    let vectors = (0..ROWS).map(|row| Some(Series::new("".into(), vector(row, 0)))).chain((0..BLANK).map(|_| None));
    df!("text" => texts, "v" => vectors.collect::<Vec<Option<Series>>>()).unwrap()
}

/// Other rows, near those of the fit.
pub(crate) fn new_rows() -> DataFrame {
    let vectors: Vec<Series> = (0..ROWS).map(|row| Series::new("".into(), vector(row, 9000))).collect();
    df!("text" => (0..ROWS).map(text).collect::<Vec<_>>(), "v" => vectors).unwrap()
}

fn model(clusterer: impl Clusterer + 'static) -> TopicModel {
    let model = TopicModel::text("text", NoEmbedder).embeddings("v").reducer(NoReduction).clusterer(clusterer);
    model.ctfidf(ClassTfIdf::new()).merge_word_forms(false).coherent_words(false)
}

/// With and without outliers that a clusterer left out, and without memberships.
pub(crate) fn fitted() -> &'static [(&'static str, FittedTopicModel)] {
    static FITTED: OnceLock<Vec<(&str, FittedTopicModel)>> = OnceLock::new();
    FITTED.get_or_init(|| {
        let hdbscan = model(Hdbscan::new().min_cluster_size(8)).fit(&frame()).unwrap();
        let communities = model(Communities::new().n_neighbors(8)).nr_topics(5).outliers(0.2).fit(&frame()).unwrap();
        let kmeans = model(KMeans::new(5)).fit(&frame()).unwrap();
        let out = hdbscan.summary().outliers;
        assert!(out > 12 && out < 90 && hdbscan.summary().topics >= 4, "{:?}", hdbscan.summary());
        assert!(communities.summary().topics >= 3, "{:?}", communities.summary());
        vec![("hdbscan", hdbscan), ("communities", communities), ("kmeans", kmeans)]
    })
}

fn hdbscan() -> &'static FittedTopicModel {
    &fitted()[0].1
}

pub(crate) fn kmeans() -> &'static FittedTopicModel {
    &fitted()[2].1
}

pub(crate) fn placed(topics: &FittedTopicModel, frame: &DataFrame) -> Vec<i32> {
    column_of_topics(&topics.transform(frame).unwrap())
}

fn strings(frame: &DataFrame, column: &str) -> Vec<Option<String>> {
    frame.column(column).unwrap().str().unwrap().iter().map(|text| text.map(str::to_owned)).collect()
}

pub(crate) fn rows_of(topics: &FittedTopicModel, topic: i32) -> BTreeSet<usize> {
    topics.labels().iter().enumerate().filter(|(_, of_row)| **of_row == topic).map(|(row, _)| row).collect()
}

/// Which rows are together, whatever their topic is called.
pub(crate) fn together(topics: &[i32]) -> BTreeSet<Vec<usize>> {
    let mut rows = BTreeMap::<i32, Vec<usize>>::new();
    topics.iter().enumerate().for_each(|(row, &topic)| rows.entry(topic).or_default().push(row));
    rows.into_iter()
        .map(|(topic, rows)| if topic < 0 { rows.into_iter().chain([usize::MAX]).collect() } else { rows })
        .collect()
}

/// Tables, sizes, terms, means and `transform` agree with the topics of rows.
pub(crate) fn assert_sound(topics: &FittedTopicModel, case: &str) {
    let labels = topics.labels();
    let mut counts = BTreeMap::<i32, usize>::new();
    labels.iter().for_each(|&topic| *counts.entry(topic).or_insert(0) += 1);
    assert_eq!(counts.keys().copied().collect::<Vec<_>>(), topics.topic_ids(), "{case}");
    assert!(counts.iter().all(|(&topic, &count)| topics.topic_size(topic) == Some(count)), "{case}");
    let sizes: Vec<usize> = counts.iter().filter(|(topic, _)| **topic >= 0).map(|(_, &count)| count).collect();
    assert!(sizes.is_sorted_by(|a, b| a >= b), "{case}: {sizes:?}");
    assert!(labels[ROWS..].iter().all(|&topic| topic == -1), "{case}: blank rows");
    for (topic, probability) in labels.iter().zip(topics.probabilities()) {
        assert!((0.0..=1.0).contains(&probability) && (*topic >= 0 || probability == 0.0), "{case}: {probability}");
    }
    assert_eq!(placed(topics, &frame()), labels, "{case}");
    let new = placed(topics, &new_rows());
    assert!(new.iter().all(|topic| *topic == -1 || counts.contains_key(topic)), "{case}: {new:?}");
    let summary = topics.summary();
    assert_eq!((summary.topics, summary.outliers), (sizes.len(), labels.iter().filter(|&&x| x < 0).count()), "{case}");
    for (topic, mean) in topics.topic_embeddings() {
        let rows: Vec<usize> = rows_of(topics, topic).into_iter().filter(|&row| row < ROWS).collect();
        for (axis, mean) in mean.iter().enumerate() {
            let sum: f64 = rows.iter().map(|&row| f64::from(vector(row, 0)[axis])).sum();
            assert!((f64::from(*mean) - sum / rows.len() as f64).abs() < 1e-5, "{case}: the mean of {topic}");
        }
    }
    assert_eq!(topics.terms().topic_documents.iter().sum::<usize>(), ROWS + BLANK, "{case}");
    assert!(topics.topic_ids().iter().all(|&id| topics.get_topic(id).is_some()), "{case}");
    let info = topics.get_topic_info().unwrap();
    assert_eq!(info.column("Count").unwrap().i64().unwrap().iter().flatten().sum::<i64>(), labels.len() as i64);
}

#[test]
fn labels_are_made_of_words_as_in_bertopic() {
    let topics = kmeans();
    let words = topics.get_topic(1).unwrap();
    let words: Vec<&str> = words.iter().map(|(word, _)| word.as_str()).collect();
    let made = |format: &TopicLabels| topics.generate_topic_labels(format).unwrap()[&1].clone();
    assert_eq!(made(&TopicLabels::new()), format!("1_{}_{}_{}", words[0], words[1], words[2]));
    assert_eq!(made(&TopicLabels::new().topic_prefix(false).nr_words(1)), words[0]);
    let short = TopicLabels::new().word_length(2).separator(" ").nr_words(2);
    assert_eq!(made(&short), format!("1 {} {}", &words[0][..2], &words[1][..2]));
    let all = topics.generate_topic_labels(&short).unwrap();
    assert_eq!(all.keys().copied().collect::<Vec<_>>(), topics.topic_ids(), "with -1");
    for wrong in [TopicLabels::new().nr_words(0), TopicLabels::new().word_length(0), TopicLabels::new().aspect("none")]
    {
        assert!(topics.generate_topic_labels(&wrong).is_err());
    }
}

#[test]
fn labels_are_wherever_topics_have_names() {
    let named = kmeans().set_topic_labels([(0, "Cats"), (-1, "Rest")]).unwrap();
    let named = named.set_topic_labels(BTreeMap::from([(2, "Pies".to_owned())])).unwrap();
    assert!(!kmeans().get_topic_info().unwrap().get_column_names().iter().any(|name| *name == "CustomName"));
    let info = named.get_topic_info().unwrap();
    assert_eq!(info.get_column_names()[..5], ["Topic", "Count", "Name", "CustomName", "Representation"]);
    let expected: Vec<Option<String>> = named.topic_ids().iter().map(|&id| named.topic_label(id)).collect();
    assert_eq!(strings(&info, "CustomName"), expected);
    assert_eq!(expected[..2], [Some("Rest".to_owned()), Some("Cats".to_owned())]);
    assert_eq!(strings(&info, "Name")[1], named.topic_name(0));
    assert_eq!(expected[2], named.topic_name(1), "as BERTopic does for topics without a label");
    let documents = named.get_document_info().unwrap();
    assert_eq!(documents.get_column_names()[2..6], ["Document", "Topic", "Name", "CustomName"]);
    let of_rows: Vec<Option<String>> = named.labels().iter().map(|&topic| named.topic_label(topic)).collect();
    assert_eq!(strings(&documents, "CustomName"), of_rows);

    let folder = tempfile::tempdir().unwrap();
    named.save(folder.path().join("own")).unwrap();
    let loaded = FittedTopicModel::load(folder.path().join("own")).unwrap();
    assert_eq!(loaded.custom_labels(), named.custom_labels());
    named.save_bertopic(folder.path().join("bertopic")).unwrap();
    let there = FittedTopicModel::load_bertopic(folder.path().join("bertopic")).unwrap();
    assert_eq!(there.topic_label(0).as_deref(), Some("Cats"));

    let error = named.set_topic_labels([(0, "x"), (9, "nine")]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(format!("{error:#}").contains("topic 9"), "{error:#}");
    let cleared = named.set_topic_labels([(0, ""), (2, " "), (-1, "")]).unwrap();
    assert!(cleared.custom_labels().is_empty());
    assert!(named.set_topic_labels_from("none").is_err());
}

#[test]
fn a_part_is_no_cluster_that_was_deleted() {
    let new = new_rows();
    let before = placed(kmeans(), &new);
    let folder = tempfile::tempdir().unwrap();
    for deleted in 0..5 {
        let taken = kmeans().delete_topics(&[deleted]).unwrap().reduce_outliers(OutlierStrategy::Embeddings).unwrap();
        let halves = taken.labels().into_iter().enumerate();
        let mine: Vec<i32> = halves.map(|(row, of_row)| if of_row == 0 && row % 2 == 0 { 9 } else { of_row }).collect();
        let divided = taken.update_topics(&UpdateTopics::new().topics(&mine)).unwrap();
        // The outliers that were reduced are taken in, also of new rows, until that is taken back.
        assert!(placed(&divided, &new).iter().all(|&topic| topic >= 0));
        let divided = divided.with_outliers(Outliers::AsClustered).unwrap();
        let after = placed(&divided, &new);
        for (row, (&before, &after)) in before.iter().zip(&after).enumerate() {
            assert_eq!(after == -1, before == deleted, "row {row}, topic {deleted}: {before} to {after}");
        }
        divided.save(folder.path().join("divided")).unwrap();
        assert_eq!(placed(&FittedTopicModel::load(folder.path().join("divided")).unwrap(), &new), after);
    }
}

#[test]
fn copies_that_were_put_apart_are_taken_in() {
    let posts = df!("text" => ["the cat sleeps", "a fast train"].repeat(10)).unwrap();
    let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
    let topics = model.fit(&posts).unwrap();
    let mine: Vec<i32> =
        topics.labels().into_iter().enumerate().map(|(row, of_row)| if row < 10 { of_row } else { -1 }).collect();
    let apart = topics.update_topics(&UpdateTopics::new().topics(&mine)).unwrap();
    assert_eq!((apart.summary().outliers, apart.labels()), (10, mine));
    let all = apart.with_outliers(Outliers::None).unwrap();
    assert_eq!((all.summary().outliers, all.labels()), (0, topics.labels()));
}

#[test]
fn an_aspect_names_topics() {
    /// The best word alone, as a language model names a topic.
    #[derive(Debug)]
    struct Best;
    impl Representation for Best {
        fn check(&self) -> topicframe::error::Result<()> {
            Ok(())
        }
        fn describe(&self, _: &TopicContext<'_>, words: &TopicWords) -> topicframe::error::Result<Aspect> {
            let best = |(&topic, words): (&i32, &Vec<(String, f64)>)| (topic, words.iter().take(1).cloned().collect());
            Ok(Aspect::Words(words.iter().map(best).collect()))
        }
    }
    let topics = kmeans().update_topics(&UpdateTopics::new().representation("Best", Best)).unwrap();
    let named = topics.set_topic_labels_from("Best").unwrap();
    for topic in 0..5 {
        assert_eq!(named.topic_label(topic).unwrap(), topics.get_topic(topic).unwrap()[0].0);
    }
    assert_eq!(named.topic_label(-1), named.topic_name(-1));
}

#[test]
fn labels_follow_their_topics() {
    let labels = (0..5).map(|topic| (topic, format!("T{topic}")));
    let named = kmeans().set_topic_labels(labels).unwrap();
    let merged = named.merge_topics(&[&[4, 1]]).unwrap();
    let of_row = |topics: &FittedTopicModel, row: usize| topics.topic_label(topics.labels()[row]).unwrap();
    for row in 0..ROWS {
        let before = of_row(&named, row);
        assert_eq!(of_row(&merged, row), if before == "T4" { "T1".to_owned() } else { before }, "row {row}");
    }
    let fewer = merged.delete_topics(&[merged.labels()[0]]).unwrap();
    assert!(!fewer.custom_labels().values().any(|label| *label == of_row(&merged, 0)));
    assert_eq!(fewer.custom_labels().len(), 3);
    let lineage = fewer.lineage().unwrap();
    assert_eq!(lineage.get_column_names(), ["Step", "Edit", "From", "To", "Rows"]);
    let edits: BTreeSet<Option<String>> = strings(&lineage, "Edit").into_iter().collect();
    assert_eq!(edits.len(), 3);
    let (steps, rows) =
        (lineage.column("Step").unwrap().i32().unwrap(), lineage.column("Rows").unwrap().i64().unwrap());
    for step in 1..=3 {
        let of_step = steps.iter().zip(rows.iter()).filter(|(of, _)| *of == Some(step));
        assert_eq!(of_step.filter_map(|(_, rows)| rows).sum::<i64>(), (ROWS + BLANK) as i64);
    }
    assert_eq!(kmeans().lineage().unwrap().height(), 0);
}

#[test]
fn deleted_topics_are_outliers() {
    for (name, topics) in fitted() {
        let fewer = topics.delete_topics(&[1, 2, 1]).unwrap();
        assert_sound(&fewer, name);
        for (row, (&before, &after)) in topics.labels().iter().zip(&fewer.labels()).enumerate() {
            assert_eq!(after == -1, [-1, 1, 2].contains(&before), "{name}: row {row}");
        }
        let (before, after) = (placed(topics, &new_rows()), placed(&fewer, &new_rows()));
        assert!(before.iter().zip(&after).all(|(before, after)| (*after == -1) == [-1, 1, 2].contains(before)));
        assert_eq!(fewer.history().last().unwrap().edit, "delete_topics");
        for (wrong, kind) in [(-1, ErrorKind::InvalidParameter), (77, ErrorKind::NotFound)] {
            assert_eq!(topics.delete_topics(&[0, wrong]).unwrap_err().kind(), kind, "{name}");
        }
        assert_eq!(topics.delete_topics(&[]).unwrap().history().len(), topics.history().len());
        // No topics are left, and everything still has an answer.
        let all: Vec<i32> = topics.topic_ids().into_iter().filter(|&id| id >= 0).collect();
        let none = topics.delete_topics(&all).unwrap();
        assert_sound(&none, name);
        assert_eq!(none.topic_ids(), [-1]);
        for strategy in [OutlierStrategy::CTfIdf, OutlierStrategy::Embeddings, OutlierStrategy::Probabilities] {
            assert_eq!(none.reduce_outliers(strategy).unwrap().labels(), none.labels(), "{name}");
        }
        assert_eq!(none.reduce_topics(1).unwrap().labels(), none.labels());
        assert_eq!(none.reduce_topics(ReduceTopics::similar(0.5).use_ctfidf(true)).unwrap().labels(), none.labels());
        assert_eq!(none.reduce_topics(NrTopics::Auto).unwrap().labels(), none.labels());
        assert!(none.split_topic(0, 2).is_err() && none.split_topic(-1, 2).is_err());
        assert_eq!(none.undo().unwrap().labels(), topics.labels());
        let mine: Vec<i32> = (0..ROWS + BLANK).map(|row| if row < ROWS { subject(row) as i32 } else { -1 }).collect();
        let by_hand = none.update_topics(&UpdateTopics::new().topics(&mine)).unwrap();
        assert_sound(&by_hand, name);
        assert_eq!(by_hand.labels(), mine, "subjects are numbered by size");
        let new = placed(&by_hand, &new_rows());
        assert!(new.iter().filter(|&&topic| topic >= 0).count() * 10 >= ROWS * 8, "{name}: {new:?}");
    }
}

fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt().max(f64::MIN_POSITIVE)
}

/// The best topic of each outlier with a vector, and how well it matches, the long way.
fn expected(topics: &FittedTopicModel, strategy: OutlierStrategy) -> BTreeMap<usize, (i32, f64)> {
    let ids: Vec<i32> = topics.topic_ids();
    let texts: Vec<String> = (0..ROWS).map(text).chain((0..BLANK).map(|_| "nothing".to_owned())).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let counted = CountVectorizer::new().fit_transform(&texts, &Progress::silent()).unwrap();
    assert_eq!(counted.vectorizer.vocabulary(), &*topics.vocabulary());
    let weights = ClassTfIdf::new().fit(&topics.terms().counts, counted.vectorizer.vocabulary()).unwrap();
    let documents = weights.transform(&counted.counts).unwrap();
    let words = |matrix: &topicframe::linalg::sparse::CsrMatrix<f64>, row: usize| -> Vec<f64> {
        (0..matrix.cols()).map(|term| matrix.get(row, term)).collect()
    };
    let means = topics.topic_embeddings();
    let of_row = |row: usize| {
        let matches = ids.iter().enumerate().filter(|(_, id)| **id >= 0).map(|(place, &id)| {
            let cosine = match strategy {
                OutlierStrategy::CTfIdf => cosine(&words(&documents, row), &words(&topics.terms().c_tf_idf, place)),
                _ => {
                    let wide = |vector: &[f32]| vector.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
                    cosine(&wide(&vector(row, 0)), &wide(&means[&id]))
                }
            };
            (id, cosine)
        });
        let best = matches.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0))).unwrap();
        (row, best)
    };
    rows_of(topics, -1).into_iter().filter(|&row| row < ROWS).map(of_row).collect()
}

#[test]
fn outliers_go_where_they_match_best() {
    for (name, topics) in [("hdbscan", hdbscan().clone()), ("chosen", kmeans().with_outliers(0.4).unwrap())] {
        for strategy in [OutlierStrategy::CTfIdf, OutlierStrategy::Embeddings] {
            let best = expected(&topics, strategy);
            assert!(best.len() > 9, "{name}");
            let mut matches: Vec<f64> = best.values().map(|&(_, strength)| strength).collect();
            matches.sort_by(f64::total_cmp);
            for threshold in [0.0, 0.3, matches[best.len() / 2] - 1e-6, 0.999] {
                let case = format!("{name}, {strategy}, {threshold}");
                let fewer = topics.reduce_outliers(ReduceOutliers::new(strategy).threshold(threshold)).unwrap();
                assert_sound(&fewer, &case);
                let after = match fewer.history().len() > topics.history().len() {
                    true => fewer.history().last().cloned(),
                    false => None,
                };
                for (row, &before) in topics.labels().iter().enumerate() {
                    let now = (fewer.labels()[row], fewer.probabilities()[row]);
                    let heir = |topic: i32| after.as_ref().map_or(topic, |edit| edit.successor(topic));
                    match best.get(&row) {
                        Some(&(topic, strength)) if strength > 0.0 && strength >= threshold => {
                            assert_eq!(now.0, heir(topic), "{case}: row {row}");
                            assert!((now.1 - strength.min(1.0)).abs() < 1e-5, "{case}: row {row}, {now:?}, {strength}");
                        }
                        Some(_) => assert_eq!(now, (-1, 0.0), "{case}: row {row}"),
                        None if before == -1 => assert_eq!(now, (-1, 0.0), "{case}: row {row}"),
                        None => assert_eq!(now, (heir(before), topics.probabilities()[row]), "{case}: row {row}"),
                    }
                }
            }
        }
    }
}

#[test]
fn a_share_of_outliers_remains_the_weakest_matches() {
    for (name, topics) in fitted() {
        let topics = topics.with_outliers(0.5).unwrap();
        for strategy in [OutlierStrategy::CTfIdf, OutlierStrategy::Embeddings] {
            let mut best: Vec<f64> = expected(&topics, strategy).values().map(|&(_, strength)| strength).collect();
            best.sort_by(|a, b| b.total_cmp(a));
            for share in [0.5, 0.45, 0.2, 0.0] {
                let case = format!("{name}, {strategy}, {share}");
                let fewer = topics.reduce_outliers(ReduceOutliers::new(strategy).max_outliers(share)).unwrap();
                assert_sound(&fewer, &case);
                let remain = fewer.summary().outliers - BLANK;
                let wanted = (share * ROWS as f64).round() as usize;
                let unmatched = best.iter().filter(|&&strength| strength <= 0.0).count();
                assert_eq!(remain, wanted.max(unmatched), "{case}");
                let moved = rows_of(&topics, -1).difference(&rows_of(&fewer, -1)).count();
                let weakest = rows_of(&topics, -1)
                    .difference(&rows_of(&fewer, -1))
                    .map(|&row| fewer.probabilities()[row])
                    .fold(1.0, f64::min);
                if moved > 0 {
                    assert!((weakest - best[moved - 1].min(1.0)).abs() < 1e-5, "{case}: {weakest}");
                }
            }
        }
        let wrong = [
            ReduceOutliers::new(OutlierStrategy::Embeddings).threshold(1.5),
            ReduceOutliers::new(OutlierStrategy::Embeddings).max_outliers(-0.1),
        ];
        assert!(wrong.into_iter().all(|how| topics.reduce_outliers(how).is_err()));
    }
}

#[test]
fn memberships_vouch_for_outliers_where_the_clusterer_tells_them() {
    let (best, fewer) = (
        hdbscan().with_outliers(Outliers::None).unwrap(),
        hdbscan().reduce_outliers(OutlierStrategy::Probabilities).unwrap(),
    );
    assert_sound(&fewer, "hdbscan");
    assert!(fewer.summary().outliers < hdbscan().summary().outliers);
    for row in rows_of(hdbscan(), -1).difference(&rows_of(&fewer, -1)) {
        assert_eq!(fewer.probabilities()[*row], best.probabilities()[*row]);
    }
    // A choice of outliers is made anew.
    assert_eq!(fewer.with_outliers(Outliers::AsClustered).unwrap().labels(), hdbscan().labels());
    assert_eq!(fewer.with_outliers(Outliers::None).unwrap().labels(), best.labels());
    // Strategies add up.
    let both = hdbscan().reduce_outliers(ReduceOutliers::new(OutlierStrategy::Probabilities).threshold(0.5)).unwrap();
    let both = both.reduce_outliers(OutlierStrategy::Embeddings).unwrap();
    assert_sound(&both, "both");
    assert_eq!(both.summary().outliers, BLANK);
    let left_out = kmeans().with_outliers(0.3).unwrap();
    let error = left_out.reduce_outliers(OutlierStrategy::Probabilities).unwrap_err();
    assert!(format!("{error:#}").contains("Embeddings"), "{error:#}");
    for (text, strategy) in [("c-tf-idf", OutlierStrategy::CTfIdf), ("embeddings", OutlierStrategy::Embeddings)] {
        assert_eq!((text.parse::<OutlierStrategy>().unwrap(), strategy.to_string().as_str()), (strategy, text));
    }
    assert!("words".parse::<OutlierStrategy>().is_err());
}

#[test]
fn new_rows_follow_the_reduction_of_outliers() {
    let out = |topics: &FittedTopicModel| placed(topics, &new_rows()).into_iter().filter(|&topic| topic < 0).count();
    let all = hdbscan().reduce_outliers(OutlierStrategy::Embeddings).unwrap();
    assert!(out(hdbscan()) > 9 && out(&all) == 0, "{} {}", out(hdbscan()), out(&all));
    let half = hdbscan().reduce_outliers(ReduceOutliers::new(OutlierStrategy::CTfIdf).max_outliers(0.1)).unwrap();
    assert!(out(&half) > 0 && out(&half) < out(hdbscan()), "{}", out(&half));
    // Outliers that a choice had set aside as well.
    let below = kmeans().with_outliers(0.4).unwrap();
    let all = below.reduce_outliers(OutlierStrategy::Embeddings).unwrap();
    assert!(out(&below) > 20 && out(&all) == 0, "{} {}", out(&below), out(&all));
    // A topic that is deleted afterwards takes nothing in.
    let fewer = all.delete_topics(&[0]).unwrap();
    assert!(out(&fewer) > 9);
}

#[test]
fn topics_are_merged_by_words_and_by_similarity() {
    let topics = kmeans();
    let c_tf_idf = topics.terms().c_tf_idf.clone();
    let first = usize::from(topics.topic_ids()[0] == -1);
    let mut pairs: Vec<(f64, i32, i32)> = Vec::new();
    for a in 0..5 {
        (a + 1..5).for_each(|b| pairs.push((c_tf_idf.cosine(first + a, &c_tf_idf, first + b), a as i32, b as i32)));
    }
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (highest, a, b) = pairs[0];
    let four = topics.reduce_topics(ReduceTopics::to(4).use_ctfidf(true)).unwrap();
    assert_sound(&four, "by words");
    assert_eq!(together(&four.labels()), together(&topics.merge_topics(&[&[a, b]]).unwrap().labels()));
    let similar = |least: f64| topics.reduce_topics(ReduceTopics::similar(least).use_ctfidf(true)).unwrap();
    assert_eq!(similar(highest - 1e-9).labels(), four.labels());
    assert_eq!(similar(highest + 1e-9).labels(), topics.labels());
    for count in 1..=5 {
        let fewer = topics.reduce_topics(ReduceTopics::to(count).use_ctfidf(true)).unwrap();
        assert_eq!(fewer.summary().topics, count);
    }
    assert!(topics.reduce_topics(ReduceTopics::to(NrTopics::Auto).use_ctfidf(true)).unwrap().summary().topics <= 5);
    assert!(topics.reduce_topics(ReduceTopics::similar(f64::NAN)).is_err());
    assert!(topics.reduce_topics(ReduceTopics::similar(2.0)).is_err());
    assert_eq!(topics.reduce_topics(ReduceTopics::similar(-1.0)).unwrap().topic_ids(), [-1, 0]);
}

#[test]
fn a_reduction_keeps_outliers_that_were_moved() {
    let topics = &fitted()[1].1;
    let all = topics.reduce_outliers(OutlierStrategy::Embeddings).unwrap();
    assert_eq!(all.summary().outliers, BLANK);
    let fewer = all.reduce_topics(2).unwrap();
    assert_sound(&fewer, "communities");
    assert_eq!((fewer.summary().topics, fewer.summary().outliers), (2, BLANK));
}

#[test]
fn what_an_update_does_not_name_stays() {
    let settings = model(KMeans::new(5)).top_n_words(4).vectorizer(CountVectorizer::new().ngram_range(1, 2));
    let topics = settings.clone().fit(&frame()).unwrap();
    let bm25 = topics.update_topics(&UpdateTopics::new().ctfidf(ClassTfIdf::new().bm25_weighting(true))).unwrap();
    let fresh = settings.clone().ctfidf(ClassTfIdf::new().bm25_weighting(true)).fit(&frame()).unwrap();
    assert_eq!(bm25.get_topics(), fresh.get_topics());
    assert_eq!(bm25.vocabulary(), topics.vocabulary());
    let words = bm25.update_topics(&UpdateTopics::new().vectorizer(CountVectorizer::new())).unwrap();
    assert_sound(&words, "vectorizer");
    let fresh =
        model(KMeans::new(5)).top_n_words(4).ctfidf(ClassTfIdf::new().bm25_weighting(true)).fit(&frame()).unwrap();
    assert_eq!((words.get_topics(), words.vocabulary()), (fresh.get_topics(), fresh.vocabulary()));
    assert_eq!(words.terms().c_tf_idf, fresh.terms().c_tf_idf);
    let more = words.update_topics(&UpdateTopics::new().top_n_words(3)).unwrap().merge_topics(&[&[0, 1]]).unwrap();
    assert_eq!(more.get_topic(0).unwrap().len(), 3, "later edits keep the settings");
    assert_eq!(more.undo().unwrap().undo().unwrap().get_topics(), words.get_topics());
    assert!(topics.update_topics(&UpdateTopics::new().top_n_words(0)).is_err());
    assert!(topics.update_topics(&UpdateTopics::new().topics(&[0, 1])).is_err());
    let error = topics.update_topics(&UpdateTopics::new().topics(&[-2; ROWS + BLANK])).unwrap_err();
    assert_eq!(error.row(), Some(0));
}

#[test]
fn topics_of_ones_own_are_followed() {
    for (name, topics) in fitted() {
        let mine: Vec<i32> =
            (0..ROWS + BLANK).map(|row| if row < ROWS { 10 * (subject(row) as i32) } else { 7 }).collect();
        let by_hand = topics.update_topics(&UpdateTopics::new().topics(&mine)).unwrap();
        assert_sound(&by_hand, name);
        let expected: Vec<i32> =
            (0..ROWS + BLANK).map(|row| if row < ROWS { subject(row) as i32 } else { -1 }).collect();
        assert_eq!(by_hand.labels(), expected, "{name}");
        let new = placed(&by_hand, &new_rows());
        let right = (0..ROWS).filter(|&row| new[row] == subject(row) as i32).count();
        assert!(right * 10 > ROWS * 7, "{name}: {right}");
        assert_eq!(by_hand.with_outliers(Outliers::AsClustered).unwrap().labels(), expected, "{name}");
        // Divided topics again, and joined.
        let halves: Vec<i32> = (0..ROWS + BLANK).map(|row| (row % 2) as i32).collect();
        let halves = by_hand.update_topics(&UpdateTopics::new().topics(&halves)).unwrap();
        assert_sound(&halves, name);
        let new = placed(&halves, &new_rows());
        let right = (0..ROWS).filter(|&row| new[row] == halves.labels()[row]).count();
        assert!(right * 10 > ROWS * 7, "{name}: {right}");
    }
}

#[test]
fn a_split_topic_is_divided_by_the_nearest_of_its_parts() {
    for (name, topics) in fitted() {
        let divided = topics.split_topic(0, 2).unwrap();
        assert_sound(&divided, name);
        assert_eq!(divided.summary().topics, topics.summary().topics + 1);
        assert_eq!(divided.probabilities(), topics.probabilities(), "{name}");
        let parts: BTreeSet<i32> = rows_of(topics, 0).iter().map(|&row| divided.labels()[row]).collect();
        assert!(parts.len() == 2 && !parts.contains(&-1), "{name}: {parts:?}");
        let means = divided.topic_embeddings();
        let (before, after) = (placed(topics, &new_rows()), placed(&divided, &new_rows()));
        for row in (0..ROWS).filter(|&row| before[row] == 0) {
            let wide = |vector: &[f32]| vector.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
            let to = |part: i32| cosine(&wide(&vector(row, 9000)), &wide(&means[&part]));
            let nearest = parts.iter().copied().max_by(|&a, &b| to(a).total_cmp(&to(b))).unwrap();
            assert_eq!(after[row], nearest, "{name}: row {row}");
        }
        // A part is divided again, and all is joined again.
        let part = *parts.iter().next().unwrap();
        let again = divided.split_topic(part, 2).unwrap();
        assert_sound(&again, name);
        let pieces: Vec<i32> =
            rows_of(topics, 0).iter().map(|&row| again.labels()[row]).collect::<BTreeSet<_>>().into_iter().collect();
        assert_eq!(pieces.len(), 3, "{name}");
        let joined = again.merge_topics(&[&pieces]).unwrap();
        assert_eq!(together(&joined.labels()), together(&topics.labels()), "{name}");
        assert_eq!(together(&placed(&joined, &new_rows())), together(&before), "{name}");
        // The choice of outliers can be made anew.
        let chosen = topics.with_outliers(0.4).unwrap().split_topic(0, 2).unwrap();
        assert_sound(&chosen, name);
        assert_sound(&chosen.with_outliers(Outliers::AsClustered).unwrap(), name);
        assert_sound(&chosen.with_outliers(Outliers::None).unwrap(), name);
    }
    let by_density = kmeans().split_topic(0, Hdbscan::new().min_cluster_size(6));
    if let Ok(divided) = by_density {
        assert_eq!(divided.summary().outliers, kmeans().summary().outliers, "left-out rows stay in the topic");
    }
    for (topic, parts) in [(-1, 2), (9, 2), (0, 1), (0, 1000)] {
        assert!(kmeans().split_topic(topic, parts).is_err(), "{topic}, {parts}");
    }
}

#[test]
fn edits_are_taken_back_one_by_one() {
    let (topics, mut states) = (hdbscan().clone(), vec![hdbscan().clone()]);
    states.push(topics.merge_topics(&[&[0, 1]]).unwrap());
    states.push(states[1].with_outliers(0.3).unwrap());
    states.push(states[2].set_topic_labels([(0, "zero")]).unwrap());
    states.push(states[3].with_ctfidf(ClassTfIdf::new().bm25_weighting(true)).unwrap());
    states.push(states[4].split_topic(0, 2).unwrap());
    let mut now = states[5].clone();
    for state in states[..5].iter().rev() {
        now = now.undo().unwrap();
        assert_eq!(now.history(), state.history());
        assert!(now.get_document_info().unwrap().equals_missing(&state.get_document_info().unwrap()));
        assert_eq!(placed(&now, &new_rows()), placed(state, &new_rows()));
        assert_eq!(now.summary().topics, state.summary().topics);
    }
    assert_eq!(now.undo().unwrap_err().kind(), ErrorKind::NotFound);
    let mut long = topics;
    for step in 0..25 {
        long = long.set_topic_labels([(0, format!("{step}"))]).unwrap();
    }
    for _ in 0..20 {
        long = long.undo().unwrap();
    }
    assert_eq!(long.topic_label(0).as_deref(), Some("4"));
    assert!(long.undo().unwrap_err().message().contains("5 edits"));
    assert!(states[5].without_data().undo().is_err());
}
