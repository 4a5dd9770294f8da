//! Granularity after the fit: layers, cuts side by side, and a requested number of topics.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use ndarray::ArrayView2;
use topicframe::error::{ErrorKind, Interface};
use topicframe::measure::document_npmi;
use topicframe::prelude::*;

use crate::corpora::{captions, drawings, frame, frame_with_images};

fn model() -> TopicModel {
    TopicModel::text("caption", StaticEmbedder::builtin()).clusterer(Communities::new())
}

/// The drawings' topics.
fn fitted() -> &'static FittedTopicModel {
    static FITTED: OnceLock<FittedTopicModel> = OnceLock::new();
    FITTED.get_or_init(|| model().fit(&drawings()).unwrap())
}

/// Captions in six topics, by k-means.
fn by_kmeans() -> TopicModel {
    model().reducer(NoReduction).clusterer(KMeans::new(6))
}

fn numbers(frame: &DataFrame, column: &str) -> Vec<Option<f64>> {
    frame.column(column).unwrap().f64().unwrap().to_vec()
}

fn counts(layers: &DataFrame) -> Vec<usize> {
    layers.column("Topics").unwrap().i64().unwrap().iter().map(|count| count.unwrap() as usize).collect()
}

/// The largest number of topics that the tree has.
fn finest() -> usize {
    let finest = fitted().at(usize::MAX).unwrap().summary().topics;
    assert!(finest >= 12, "{finest}");
    finest
}

/// The number of topics of each layer that is the present one.
fn present(layers: &DataFrame) -> Vec<usize> {
    let is_present = layers.column("Present").unwrap().bool().unwrap().iter().collect::<Vec<_>>();
    counts(layers).into_iter().zip(is_present).filter(|(_, present)| *present == Some(true)).map(|(n, _)| n).collect()
}

fn labels(frame: &DataFrame, count: usize) -> Vec<i32> {
    frame.column(&format!("Topic_{count}")).unwrap().i32().unwrap().iter().flatten().collect()
}

fn is_clear(error: &Error, kind: ErrorKind, parts: &[&str]) {
    let said = error.report(Interface::Rust);
    assert!(error.kind() == kind && parts.iter().all(|part| said.contains(part)), "{said}");
}

#[test]
fn a_tree_has_three_to_six_layers() {
    let layers = fitted().layers().unwrap();
    assert_eq!(layers.get_column_names(), ["Layer", "Topics", "NPMI", "Stability", "Largest", "Present"]);
    assert!((3..=6).contains(&layers.height()), "{layers}");
    assert!(counts(&layers).windows(2).all(|pair| pair[1] as f64 >= 1.25 * pair[0] as f64), "{layers}");
    assert!(counts(&layers)[0] > 1, "{layers}");
    assert_eq!(present(&layers), [fitted().summary().topics]);
    // Short texts have few words, so that most pairs of a topic's words never meet in one.
    assert!(numbers(&layers, "NPMI").iter().all(|x| x.is_some_and(|x| x > -0.5 && x < 1.0)), "{layers}");
    assert!(numbers(&layers, "Stability").iter().all(|x| x.is_some_and(|x| x > 0.2 && x <= 1.0)), "{layers}");
    for (count, largest) in counts(&layers).into_iter().zip(numbers(&layers, "Largest")) {
        let cut = fitted().at(count).unwrap();
        assert_eq!(cut.summary().topics, count);
        assert!((cut.topic_size(0).unwrap() as f64 / 1485.0 - largest.unwrap()).abs() < 1e-12);
        assert_eq!(present(&cut.layers().unwrap()), [count], "a cut is its own layer");
        let agreement = cut.quality().unwrap().column("Agreement").unwrap().f64().unwrap().get(0);
        assert!(numbers(&layers, "Stability").contains(&agreement));
    }
}

#[test]
fn the_npmi_of_a_layer_is_that_of_its_best_words() {
    let layers = fitted().layers().unwrap();
    let texts: Vec<String> = (0..1485).map(|row| fitted().text(row).unwrap_or_default()).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let counted = CountVectorizer::new().stop_words(StopWords::English).fit_transform(&texts, &Progress::silent());
    let counted = counted.unwrap().counts;
    let frequencies = counted.column_sums();
    let total: f64 = frequencies.iter().sum();
    let cuts = fitted().topics_at(&self::counts(&layers)).unwrap();
    for (layer, npmi) in self::counts(&layers).into_iter().zip(numbers(&layers, "NPMI")) {
        let labels = labels(&cuts, layer);
        let average = total / layer as f64;
        let best = |topic: i32| {
            let mut of_topic = BTreeMap::<u32, (f64, f64)>::new();
            for row in (0..1485).filter(|&row| labels[row] == topic) {
                let (terms, times) = counted.row(row);
                for (&term, &times) in terms.iter().zip(times) {
                    let (occurrences, texts) = of_topic.entry(term).or_default();
                    *occurrences += f64::from(times);
                    *texts += 1.0;
                }
            }
            let weight = |(&term, &(occurrences, texts)): (&u32, &(f64, f64))| {
                (occurrences * texts * (1.0 + average / frequencies[term as usize]).ln().powi(2), term)
            };
            let mut best: Vec<(f64, u32)> = of_topic.iter().map(weight).collect();
            best.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            best.into_iter().take(10).map(|(_, term)| term).collect::<Vec<u32>>()
        };
        let best: Vec<Vec<u32>> = (0..layer as i32).map(best).collect();
        let known: Vec<f64> = document_npmi(&counted, &best).into_iter().flatten().collect();
        let mean = known.iter().sum::<f64>() / known.len() as f64;
        assert!((mean - npmi.unwrap()).abs() < 1e-9, "{layer}: {mean} {npmi:?}");
    }
}

#[test]
fn layers_do_not_depend_on_threads() {
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| fitted().layers().unwrap())
    };
    assert!(on(1).equals(&on(3)));
}

#[test]
fn cuts_side_by_side_are_nested() {
    let finest = finest();
    let (half, asked) = (finest / 2, [3, finest, finest / 2]);
    let cuts = fitted().topics_at(&asked).unwrap();
    let names = asked.map(|count| format!("Topic_{count}"));
    assert_eq!(cuts.get_column_names(), names.each_ref().map(String::as_str));
    assert_eq!(cuts.height(), 1485);
    for count in asked {
        assert_eq!(labels(&cuts, count), fitted().at(count).unwrap().labels());
        let sizes: Vec<usize> = (0..count as i32)
            .map(|topic| labels(&cuts, count).iter().filter(|&&label| label == topic).count())
            .collect();
        assert!(sizes.is_sorted_by(|a, b| a >= b) && sizes[count - 1] > 0, "{sizes:?}");
    }
    for (fine, coarse) in [(finest, half), (half, 3), (finest, 3)] {
        let mut parents = BTreeMap::<i32, BTreeSet<i32>>::new();
        for (child, parent) in labels(&cuts, fine).into_iter().zip(labels(&cuts, coarse)) {
            if child >= 0 {
                parents.entry(child).or_default().insert(parent);
            }
        }
        let inside = |parents: &BTreeSet<i32>| parents.len() == 1 && !parents.contains(&-1);
        assert!(parents.len() == fine && parents.values().all(inside), "{fine} {coarse}: {parents:?}");
    }
    assert_eq!(fitted().topics_at(&[]).unwrap().shape(), (1485, 0));
}

#[test]
fn one_topic_more_divides_one_topic() {
    let asked: Vec<usize> = (2..=finest()).collect();
    let cuts = fitted().topics_at(&asked).unwrap();
    for count in 2..finest() {
        let (coarse, fine) = (labels(&cuts, count), labels(&cuts, count + 1));
        let mut children = BTreeMap::<i32, BTreeMap<i32, usize>>::new();
        for (parent, child) in coarse.iter().zip(&fine).filter(|(_, child)| **child >= 0) {
            *children.entry(*parent).or_default().entry(*child).or_insert(0) += 1;
        }
        let mut parts: Vec<usize> = children.values().map(BTreeMap::len).collect();
        parts.sort_unstable();
        let expected: Vec<usize> = std::iter::repeat_n(1, count - 1).chain([2]).collect();
        assert_eq!(parts, expected, "from {count} topics to one more");
        // Only small groups, which are topics of their own in neither, are outliers in one of them.
        let left_out = coarse.iter().zip(&fine).filter(|(coarse, fine)| (**coarse < 0) != (**fine < 0)).count();
        assert!(left_out < 15, "{count}: {left_out}");
    }
}

#[test]
fn no_topic_of_a_coarse_cut_swallows_the_rest() {
    for (count, most) in [(3, 0.5), (5, 0.35), (8, 0.25), (10, 0.2)] {
        let cut = fitted().at(count).unwrap();
        let largest = cut.topic_size(0).unwrap() as f64 / cut.summary().rows as f64;
        assert!(cut.summary().topics == count && largest < most, "{count} topics: {largest}");
    }
}

#[test]
fn topics_are_reduced_along_the_tree() {
    let topics = fitted();
    let reduced = topics.reduce_topics(5).unwrap();
    assert_eq!(reduced.labels(), topics.at(5).unwrap().labels());
    assert_eq!(reduced.probabilities(), topics.at(5).unwrap().probabilities());
    assert_eq!(reduced.history().iter().map(|edit| edit.edit.as_str()).collect::<Vec<_>>(), ["reduce_topics"]);
    let placed = reduced.transform(&drawings()).unwrap();
    let placed: Vec<i32> = placed.column("Topic").unwrap().i32().unwrap().iter().flatten().collect();
    assert_eq!(placed, reduced.labels());

    // Cuts and weights are no edits of the tree.
    let again = topics.at(finest()).unwrap().with_ctfidf(ClassTfIdf::new()).unwrap().reduce_topics(5).unwrap();
    assert_eq!(again.labels(), reduced.labels());
    let unchanged = topics.reduce_topics(topics.summary().topics).unwrap();
    assert_eq!((unchanged.labels(), unchanged.history().len()), (topics.labels(), 0));
    assert_eq!(topics.reduce_topics(1000).unwrap().labels(), topics.labels());

    // Merged topics are kept together, which a cut would not do.
    let merged = topics.at(12).unwrap().merge_topics(&[&[0, 11]]).unwrap();
    assert_eq!(present(&merged.layers().unwrap()), [0; 0]);
    let fewer = merged.reduce_topics(6).unwrap();
    assert_eq!(fewer.summary().topics, 6);
    let of_merged: BTreeSet<i32> = fewer
        .labels()
        .into_iter()
        .zip(merged.labels())
        .filter(|(_, before)| *before == 0)
        .map(|(now, _)| now)
        .collect();
    assert_eq!(of_merged.len(), 1);
    assert_eq!(merged.at(12).unwrap().labels(), topics.at(12).unwrap().labels(), "a cut undoes the merge");
}

#[test]
fn a_number_of_topics_is_requested_at_the_fit() {
    let seven = model().nr_topics(7).fit(&drawings()).unwrap();
    assert_eq!(seven.labels(), fitted().at(7).unwrap().labels());
    assert_eq!((seven.summary().topics, seven.history().len()), (7, 0));
    assert_eq!(model().nr_topics(NrTopics::Auto).fit(&drawings()).unwrap().labels(), fitted().labels());

    // Without a tree, similar topics are merged.
    let captions = frame(120);
    let six = by_kmeans().fit(&captions).unwrap();
    for nr_topics in [NrTopics::Count(3), NrTopics::Count(9), NrTopics::Auto] {
        let fewer = by_kmeans().nr_topics(nr_topics).fit(&captions).unwrap();
        let after = six.reduce_topics(nr_topics).unwrap();
        assert_eq!((fewer.labels(), fewer.get_topics()), (after.labels(), after.get_topics()));
        assert!(fewer.history().is_empty());
        let new = df!("caption" => ["a dog with fur, animals", "ripe and sweet fruit"]).unwrap();
        assert!(fewer.transform(&new).unwrap().equals(&after.transform(&new).unwrap()));
    }
    assert!(by_kmeans().nr_topics(3).get_params().contains(&("nr_topics".to_owned(), "3".to_owned())));
    let error = by_kmeans().nr_topics(0).fit(&captions).unwrap_err();
    assert_eq!((error.kind(), error.parameter()), (ErrorKind::InvalidParameter, Some("nr_topics")));
}

#[test]
fn parts_that_nothing_connects_can_be_merged() {
    let subjects = ["cats", "trains"];
    let vectors: Vec<Series> = (0..80)
        .map(|row| Series::new("".into(), [(row % 2) as f32, 1.0 - (row % 2) as f32, row as f32 * 0.01]))
        .collect();
    let texts: Vec<String> = (0..80).map(|row| format!("{} number{row}", subjects[row % 2])).collect();
    let frame = df!("caption" => texts, "v" => vectors).unwrap();
    let communities = Communities::new().n_neighbors(4).lexical_weight(0.0);
    let model = model().clusterer(communities).embeddings("v");
    let topics = model.fit(&frame).unwrap();
    assert_eq!(topics.at(1).unwrap().summary().topics, 2, "the tree has two roots");
    for one in [topics.at(2).unwrap().reduce_topics(1).unwrap(), model.nr_topics(1).fit(&frame).unwrap()] {
        assert_eq!((one.topic_ids(), one.topic_size(0)), (vec![0], Some(80)));
    }
}

#[test]
fn topics_without_words_have_layers_without_npmi() {
    let folder = tempfile::tempdir().unwrap();
    let mut frame = frame_with_images(120, folder.path()).drop("caption").unwrap();
    let vectors = (0..120).map(|row| Series::new("".into(), [row % 3, row % 2, row % 5].map(|x| x as f32 - 0.9)));
    frame.with_column(Column::new("v".into(), vectors.collect::<Vec<_>>())).unwrap();
    let model = TopicModel::images("image", NoEmbedder).image_folder(folder.path()).embeddings("v");
    let topics = model.clusterer(Communities::new().n_neighbors(4)).fit(&frame).unwrap();
    let layers = topics.layers().unwrap();
    assert!(layers.height() > 0);
    assert_eq!(layers.column("NPMI").unwrap().null_count(), layers.height());
    assert_eq!(layers.column("Stability").unwrap().null_count(), 0);
}

#[test]
fn errors_say_what_to_do() {
    let topics = by_kmeans().fit(&frame(120)).unwrap();
    for error in [topics.layers().unwrap_err(), topics.topics_at(&[3]).unwrap_err(), topics.at(3).unwrap_err()] {
        is_clear(&error, ErrorKind::NotFound, &["no tree", "Communities::new()", "reduce_topics"]);
    }
    is_clear(&fitted().topics_at(&[3, 0]).unwrap_err(), ErrorKind::InvalidParameter, &["nr_topics", "at least 1"]);
    is_clear(&fitted().topics_at(&[3, 4, 3]).unwrap_err(), ErrorKind::InvalidParameter, &["3 is listed twice"]);
    let light = fitted().without_data();
    let without_data = [
        ("layers", light.layers().unwrap_err()),
        ("topics_at", light.topics_at(&[3]).unwrap_err()),
        ("reduce_topics", light.reduce_topics(3).unwrap_err()),
    ];
    for (method, error) in without_data {
        is_clear(&error, ErrorKind::NotFound, &[method, "without_data()"]);
    }
}

/// Two clusters, in a tree that lost half of the rows.
#[derive(Debug, Clone)]
struct Forgetful(usize);

impl Clusterer for Forgetful {
    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    fn min_rows(&self) -> usize {
        1
    }

    fn fit(&self, training: &Training<'_>) -> Result<Clustering, Error> {
        let rows = training.matrix().nrows();
        Ok(Clustering::new((0..rows).map(|row| row as i32 % 2).collect(), vec![1.0; rows], Forgetful(rows)))
    }
}

impl FittedClusterer for Forgetful {
    fn predict(&self, points: ArrayView2<'_, f32>, _: &Progress) -> Result<(Vec<i32>, Vec<f64>), Error> {
        Ok((vec![0; points.nrows()], vec![1.0; points.nrows()]))
    }

    fn at(&self, _: usize) -> Option<Clustering> {
        Some(Clustering::new(vec![0; self.0 / 2], vec![1.0; self.0 / 2], self.clone()))
    }
}

#[test]
fn cuts_of_your_own_clusterer_are_checked() {
    let texts = df!("caption" => captions(18)).unwrap();
    let model = model().reducer(NoReduction).clusterer(Forgetful(0));
    let error = model.clone().nr_topics(1).fit(&texts).unwrap_err();
    is_clear(&error, ErrorKind::InvalidData, &["9 labels", "18 points"]);
    let error = model.fit(&texts).unwrap().reduce_topics(1).unwrap_err();
    is_clear(&error, ErrorKind::InvalidData, &["9 labels", "18 points"]);
}
