//! Rows with equal vectors have the same topic and probability, whatever the stages; copies do not affect other rows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ndarray::{Array2, ArrayView2, Axis};
use topicframe::cluster::hdbscan::ClusterSelectionMethod;
use topicframe::cluster::{Clustering, FittedClusterer};
use topicframe::error::Result;
use topicframe::neighbors::Metric;
use topicframe::polars::prelude::*;
use topicframe::prelude::*;

use crate::colors::{Eye, EyeAndEar, pictures, text_and_image_frame, texts};
use crate::corpora::captions;
use crate::notes::Notes;

const SPAM: &str = "congratulations, your parcel waits at customs: pay the small fee within a day";

fn model() -> TopicModel {
    TopicModel::text("text", StaticEmbedder::builtin())
}

fn frame(texts: &[String]) -> DataFrame {
    df!("text" => texts).unwrap()
}

/// Row `i` of `texts`, `times(i)` times, in an order in which copies are far apart.
fn repeated(texts: &[String], times: impl Fn(usize) -> usize) -> Vec<String> {
    let most = (0..texts.len()).map(&times).max().unwrap();
    let round = |round: usize| (0..texts.len()).filter(|&i| round < times(i)).map(|i| texts[i].clone()).collect();
    (0..most).map(round).collect::<Vec<Vec<String>>>().concat()
}

fn noting(model: TopicModel, frame: &DataFrame) -> (FittedTopicModel, String) {
    let notes = Arc::new(Notes::default());
    let topics = model.with_progress(Progress::to(notes.clone())).fit(frame).unwrap();
    (topics, notes.text())
}

fn topic_column(frame: &DataFrame) -> Vec<i32> {
    frame.column("Topic").unwrap().i32().unwrap().into_no_null_iter().collect()
}

/// Rows with equal vectors agree, and transforming the fit's frame reproduces its result.
fn assert_together(model: &TopicModel, frame: &DataFrame, what: &str) -> FittedTopicModel {
    let (topics, fitted) = model.fit_transform(frame).unwrap();
    let vectors = fitted.column("embedding").unwrap().array().unwrap().clone();
    let mut seen = BTreeMap::<Vec<u32>, (i32, f64)>::new();
    for row in 0..frame.height() {
        let Some(vector) = vectors.get_as_series(row) else { continue };
        let key: Vec<u32> = vector.f32().unwrap().into_no_null_iter().map(|x| (x + 0.0).to_bits()).collect();
        if key.iter().all(|&bits| bits == 0) {
            continue; // They have no direction.
        }
        let now = (topics.labels()[row], topics.probabilities()[row]);
        assert_eq!(*seen.entry(key).or_insert(now), now, "{what}, row {row}");
    }
    assert_eq!(topics.summary().repeated, frame.height() - topics.summary().blank - seen.len(), "{what}");
    let again = topics.transform(frame).unwrap();
    for column in ["Topic", "Probability"] {
        assert!(again.column(column).unwrap().equals(fitted.column(column).unwrap()), "{what}: {column}");
    }
    topics
}

/// A custom clusterer whose labels depend on the order of the rows.
#[derive(Debug, Clone)]
struct ByOrder(i32);

impl Clusterer for ByOrder {
    fn check(&self) -> Result<()> {
        Ok(())
    }

    fn min_rows(&self) -> usize {
        1
    }

    fn fit(&self, training: &Training<'_>) -> Result<Clustering> {
        let labels: Vec<i32> = (0..training.rows() as i32).map(|row| row % self.0 - 1).collect();
        let probabilities = (0..training.rows()).map(|row| 1.0 / (1.0 + row as f64)).collect();
        Ok(Clustering::new(labels, probabilities, self.clone()))
    }
}

impl FittedClusterer for ByOrder {
    fn predict(&self, points: ArrayView2<'_, f32>, _progress: &Progress) -> Result<(Vec<i32>, Vec<f64>)> {
        Ok((vec![0; points.nrows()], vec![1.0; points.nrows()]))
    }
}

#[test]
fn copies_stay_together_whatever_the_stages() {
    let frame = frame(&repeated(&captions(108), |i| 1 + i % 4 + if i % 27 == 5 { 30 } else { 0 }));
    let models = [
        model(),
        model().min_topic_size(2),
        model().min_topic_size(40),
        model().clusterer(Hdbscan::new().cluster_selection_method(ClusterSelectionMethod::Leaf)),
        model().clusterer(Hdbscan::new().allow_single_cluster(true)),
        model().clusterer(Hdbscan::new().cluster_selection_epsilon(0.3).max_cluster_size(50)),
        model().reducer(Umap::new().metric(Metric::Euclidean).n_neighbors(4)).clusterer(KMeans::new(7)),
        model().reducer(Pca::new()),
        model().reducer(Pca::new().n_components(3)).clusterer(KMeans::new(5)),
        model().reducer(NoReduction),
        model().reducer(NoReduction).clusterer(ByOrder(4)),
        model().clusterer(ByOrder(9)),
    ];
    for model in models {
        assert_together(&model, &frame, &format!("{model:?}"));
    }
}

#[test]
fn copies_of_pictures_and_of_both_stay_together() {
    // Texts repeat, images do not: fused rows differ if their images do.
    let (words, mut images) = (texts(90), pictures(90));
    for row in 45..90 {
        images[row] = images[row - 45].clone();
    }
    let mut words = words;
    for row in 45..90 {
        words[row] = if row % 4 == 0 { None } else { words[row - 45].clone() };
    }
    let frame = text_and_image_frame(&words, &images);
    let by_picture = assert_together(&TopicModel::images("image", Eye), &frame, "images");
    assert!(by_picture.summary().repeated >= 45, "{:?}", by_picture.summary());
    let fused = assert_together(&TopicModel::text_and_images("text", "image", EyeAndEar), &frame, "fused");
    assert!(fused.summary().repeated >= 30, "{:?}", fused.summary());
}

#[test]
fn one_text_again_and_again_is_one_topic() {
    for copies in [300, 1000, 47] {
        let frame = frame(&vec!["a steam engine on a bridge".to_owned(); copies]);
        for size in [2, 3, 10, 20] {
            let (topics, notes) = noting(model().min_topic_size(size), &frame);
            assert_eq!(topics.labels(), vec![0; copies], "{copies} copies, {size}");
            assert_eq!(topics.probabilities(), vec![1.0; copies]);
            assert!(notes.contains(&format!("all {copies} rows have the same vector")), "{notes}");
            assert_eq!(topics.summary().repeated, copies - 1);
        }
        assert_together(&model(), &frame, "one text");
        assert_together(&model().clusterer(Hdbscan::new().allow_single_cluster(true)), &frame, "one text");
        assert_together(&model().reducer(NoReduction).clusterer(KMeans::new(3)), &frame, "one text");
        // New rows are placed nevertheless.
        let topics = model().fit(&frame).unwrap();
        let placed = topics.transform(&df!("text" => ["a steam engine on a bridge", "a locomotive"]).unwrap()).unwrap();
        assert_eq!(topic_column(&placed)[0], 0);
    }
    let error = model().fit(&frame(&vec!["a steam engine".to_owned(); 8])).map(|_| ()).unwrap_err();
    assert!(format!("{error:#}").contains("8 of 8 rows"), "{error:#}");
}

fn given(vectors: &[Vec<f32>]) -> DataFrame {
    let texts = captions(vectors.len());
    let vectors: Vec<Series> = vectors.iter().map(|vector| Series::new("".into(), vector)).collect();
    DataFrame::new(texts.len(), vec![Column::new("text".into(), texts), Column::new("v".into(), vectors)]).unwrap()
}

fn of_given() -> TopicModel {
    model().embeddings("v")
}

#[test]
fn equal_given_vectors_are_one_topic() {
    for vector in [vec![1.0; 8], vec![-3.5, 0.25, 7.0], vec![0.1]] {
        let frame = given(&vec![vector; 400]);
        let (topics, notes) = noting(of_given(), &frame);
        assert_eq!(topics.labels(), vec![0; 400]);
        assert!(notes.contains("they cannot be distinguished"), "{notes}");
        assert_together(&of_given(), &frame, "equal vectors");
    }
    // Zeros have no direction, but they do have a position.
    let zeros = given(&vec![vec![0.0; 8]; 400]);
    let (topics, notes) = noting(of_given().reducer(Umap::new().metric(Metric::Euclidean)), &zeros);
    assert!(topics.summary().topics == 1 && notes.contains("they cannot be distinguished"), "{notes}");
    let error = of_given().fit(&zeros).map(|_| ()).unwrap_err();
    assert!(format!("{error:#}").contains("all vectors are zero, so the rows cannot be distinguished"), "{error:#}");
}

#[test]
fn zeros_among_given_vectors_have_no_direction() {
    let angle = |i: usize| (i % 3) as f32 * 2.0 + (i / 3) as f32 * 0.002;
    let vector = |i: usize| if i % 6 == 1 { vec![0.0, -0.0] } else { vec![angle(i).cos(), angle(i).sin()] };
    let frame = given(&(0..120).map(vector).collect::<Vec<_>>());
    let (topics, notes) = noting(of_given(), &frame);
    assert!(notes.contains("20 rows have an all-zero vector"), "{notes}");
    assert_eq!((topics.summary().blank, topics.summary().repeated), (20, 0));
    for (row, (&topic, &probability)) in topics.labels().iter().zip(&topics.probabilities()).enumerate() {
        assert!(row % 6 != 1 || (topic, probability) == (-1, 0.0), "row {row}: {topic}");
    }
    assert_together(&of_given(), &frame, "zeros among others");
    // 0 and -0 are the same number.
    let signed = |i: usize| vec![(i % 5) as f32, if i.is_multiple_of(2) { 0.0 } else { -0.0 }, 1.0];
    let frame = given(&(0..100).map(signed).collect::<Vec<_>>());
    assert_eq!(assert_together(&of_given(), &frame, "signed zeros").summary().repeated, 95);
}

#[test]
fn a_text_is_in_one_topic_however_often_it_was_sent() {
    for (most, different) in [(80, 108), (400, 60)] {
        let texts = captions(different);
        let frame = frame(&repeated(&texts, |i| (most / (i + 1)).max(1)));
        let (topics, notes) = noting(model(), &frame);
        let repeats = frame.height() - different;
        assert!(
            notes.contains(&format!("{repeats} of {} rows have the vector of an earlier one", frame.height())),
            "{notes}"
        );
        assert_together(&model(), &frame, "sent often");
        // A text with enough rows for a topic is in a topic, although it is a single text.
        assert!(topics.labels()[0] >= 0, "{:?}", topics.summary());
        let folder = tempfile::tempdir().unwrap();
        let page = folder.path().join("page.html");
        topics.report().write(&page).unwrap();
        let page = std::fs::read_to_string(page).unwrap();
        assert!(page.contains("rows have the vector of an earlier one; duplicates share a topic"));
    }
}

#[test]
fn a_few_texts_sent_often_are_a_topic_each() {
    let texts = ["cats and kittens sleep", "a locomotive at the station", "ripe fruit on a plate", SPAM];
    for different in 2..=4 {
        let texts: Vec<String> = texts[..different].iter().map(|&text| text.to_owned()).collect();
        let frame = frame(&repeated(&texts, |_| 100));
        let topics = assert_together(&model(), &frame, "few texts");
        assert_eq!((topics.summary().topics, topics.summary().outliers), (different, 0));
    }
}

#[test]
fn one_text_sent_often_leaves_the_others_theirs() {
    // A single theme would be the root of the tree, which is not a cluster, if it were not for the repeated text.
    let frame = given(&groups_and_a_heap(1, 60, 400).0);
    let topics = assert_together(&of_given().reducer(NoReduction), &frame, "one beside one theme");
    assert!((400..430).contains(&topics.topic_size(0).unwrap()), "{:?}", topics.topic_size(0));
    assert!(topics.summary().topics >= 2 && topics.summary().outliers <= 40, "{:?}", topics.summary());
}

/// Groups of points far from each other, and one more point, `copies` times.
fn groups_and_a_heap(groups: usize, of_each: usize, copies: usize) -> (Vec<Vec<f32>>, Vec<i32>) {
    let mut state = 88_172_645_463_325_252_u64;
    let mut uniform = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1_u64 << 24) as f32 - 0.5
    };
    let centers: Vec<Vec<f32>> = (0..groups).map(|_| (0..10).map(|_| uniform()).collect()).collect();
    let mut vectors = Vec::new();
    let mut truth = Vec::new();
    for row in 0..groups * of_each {
        vectors.push(centers[row % groups].iter().map(|x| x + 0.2 * uniform()).collect());
        truth.push((row % groups) as i32);
    }
    let far: Vec<f32> = (0..10).map(|axis| if axis == 0 { -1.5 } else { 0.1 * uniform() }).collect();
    vectors.extend(vec![far; copies]);
    truth.extend(vec![groups as i32; copies]);
    (vectors, truth)
}

#[test]
fn copies_of_an_unrelated_text_do_not_join_all_others() {
    for metric in [Metric::Cosine, Metric::Euclidean] {
        let model = of_given().reducer(Umap::new().metric(metric));
        let without = model.fit(&given(&groups_and_a_heap(17, 70, 0).0)).unwrap().summary().topics;
        assert!((15..=19).contains(&without), "{without}");
        for copies in [1, 10, 15, 30, 100] {
            let (vectors, truth) = groups_and_a_heap(17, 70, copies);
            let topics = assert_together(&model, &given(&vectors), "ten copies");
            let found = topics.summary().topics;
            assert!(found.abs_diff(without) <= 2, "{metric}, {copies} copies: {found} topics, {without} without");
            let mut pairs = BTreeMap::<(i32, i32), usize>::new();
            for (&topic, &group) in topics.labels().iter().zip(&truth).filter(|(topic, _)| **topic >= 0) {
                *pairs.entry((topic, group)).or_insert(0) += 1;
            }
            let of_topic = |id: i32| pairs.iter().filter(move |((topic, _), _)| *topic == id).map(|(_, &count)| count);
            let pure: usize = topics.topic_ids().into_iter().map(|id| of_topic(id).max().unwrap_or(0)).sum();
            assert!(pure * 10 >= truth.len() * 8, "{metric}, {copies} copies: {pure} rows in the topic of their group");
        }
    }
}

#[test]
fn texts_without_copies_are_clustered_as_points_are() {
    let texts = captions(108);
    let (topics, notes) = noting(model().bertopic(), &frame(&texts));
    assert_eq!(topics.summary().repeated, 0);
    assert!(!notes.contains("repeat"), "{notes}");
    let all: Vec<&str> = texts.iter().map(String::as_str).collect();
    let vectors = StaticEmbedder::builtin().embed_texts(&all, &Progress::silent()).unwrap();
    let points = Umap::new().fit(&Training::new(vectors.view()).with_seed(42)).unwrap().embedding;
    let clusters = Hdbscan::new().cluster(points.view(), &Progress::silent()).unwrap();
    assert_eq!(topics.probabilities(), clusters.probabilities());
}

fn points(rows: usize) -> Array2<f32> {
    let (vectors, _) = groups_and_a_heap(5, rows / 5, 0);
    Array2::from_shape_fn((vectors.len(), 4), |(row, column)| vectors[row][column])
}

fn settings() -> [Hdbscan; 5] {
    [
        Hdbscan::new(),
        Hdbscan::new().min_cluster_size(4).min_samples(2),
        Hdbscan::new().cluster_selection_method(ClusterSelectionMethod::Leaf),
        Hdbscan::new().allow_single_cluster(true).cluster_selection_epsilon(0.05),
        Hdbscan::new().max_cluster_size(60),
    ]
}

#[test]
fn weights_of_1_are_no_weights() {
    let points = points(400);
    for settings in settings() {
        let plain = settings.cluster(points.view(), &Progress::silent()).unwrap();
        let weighted = settings.cluster_weighted(points.view(), &[1; 400], &Progress::silent()).unwrap();
        assert_eq!(plain.labels(), weighted.labels());
        assert_eq!(plain.probabilities(), weighted.probabilities());
        assert_eq!(plain.outlier_scores(), weighted.outlier_scores());
        assert_eq!(plain.condensed_tree().rows(), weighted.condensed_tree().rows());
        assert_eq!(plain.all_points_membership_vectors(), weighted.all_points_membership_vectors());
    }
}

#[test]
fn weights_make_clusters_of_outliers_alone() {
    let points = points(400);
    let weights: Vec<u32> = (0..400).map(|row| if row % 11 == 3 { 1 + row % 37 } else { 1 }).collect();
    for settings in settings().into_iter().take(3) {
        let plain = settings.cluster(points.view(), &Progress::silent()).unwrap();
        let weighted = settings.cluster_weighted(points.view(), &weights, &Progress::silent()).unwrap();
        assert!(plain.n_clusters() > 1 && weighted.n_clusters() >= plain.n_clusters());
        let mut names = BTreeMap::new();
        for row in (0..400).filter(|&row| plain.labels()[row] >= 0) {
            let name = *names.entry(plain.labels()[row]).or_insert(weighted.labels()[row]);
            assert_eq!(name, weighted.labels()[row], "{settings:?}, row {row}");
            assert!(plain.probabilities()[row] <= weighted.probabilities()[row], "{settings:?}, row {row}");
        }
        assert_eq!(names.len(), names.values().collect::<std::collections::BTreeSet<_>>().len());
        let tree = weighted.condensed_tree();
        for (row, &weight) in weights.iter().enumerate() {
            let own = tree.rows().iter().filter(|leaf| leaf.child == row).map(|leaf| leaf.child_size);
            assert_eq!(own.collect::<Vec<_>>(), [weight as usize]);
        }
        for row in tree.rows().iter().filter(|row| row.child > 400) {
            let below = tree.rows().iter().filter(|below| below.parent == row.child);
            assert_eq!(below.map(|below| below.child_size).sum::<usize>(), row.child_size);
        }
        let memberships = weighted.all_points_membership_vectors();
        assert_eq!(memberships.dim(), (400, weighted.n_clusters()));
        for (row, memberships) in memberships.outer_iter().enumerate() {
            let sum = memberships.sum();
            assert!((0.0..=1.0 + 1e-9).contains(&sum), "{settings:?}, row {row}: {sum}");
        }
        let new = points.mapv(|x| x + 0.001);
        let (labels, strengths) = weighted.approximate_predict(new.view(), &Progress::silent()).unwrap();
        assert!(strengths.iter().all(|strength| (0.0..=1.0).contains(strength)));
        let same = labels.iter().zip(weighted.labels()).filter(|(new, old)| new == old).count();
        assert!(same >= 240, "{same}");
        assert!(weighted.membership_vector(new.view()).unwrap().iter().all(|value| (0.0..=1.0 + 1e-9).contains(value)));
    }
}

#[test]
fn few_points_of_many_rows_are_clusters() {
    let points = points(20);
    for rows in 1..=6 {
        let points = points.slice(ndarray::s![..rows, ..]);
        let weights = vec![100; rows];
        let fitted = Hdbscan::new().cluster_weighted(points, &weights, &Progress::silent()).unwrap();
        let mut labels = fitted.labels().to_vec();
        labels.sort_unstable();
        assert_eq!(labels, (0..rows as i32).collect::<Vec<_>>(), "{rows} points");
        assert_eq!(fitted.probabilities(), vec![1.0; rows]);
        assert_eq!(fitted.approximate_predict(points, &Progress::silent()).unwrap().0, fitted.labels());
        let memberships = fitted.all_points_membership_vectors();
        assert!(memberships.iter().all(|value| (0.0..=1.0 + 1e-9).contains(value)), "{memberships}");
        let light = vec![3; rows];
        let fitted = Hdbscan::new().cluster_weighted(points, &light, &Progress::silent()).unwrap();
        assert!(rows > 3 || fitted.labels().iter().all(|&label| label == -1), "{:?}", fitted.labels());
    }
}

#[test]
fn bad_weights_are_errors() {
    let points = points(20);
    for weights in [&[1_u32; 19][..], &[1; 21], &[0; 20], &[u32::MAX; 20]] {
        let error = Hdbscan::new().cluster_weighted(points.view(), weights, &Progress::silent()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData, "{error:#}");
    }
    let clusterers: [&dyn Clusterer; 2] = [&Hdbscan::new(), &KMeans::new(2)];
    for clusterer in clusterers {
        let error = clusterer.fit(&Training::new(points.view()).with_places(&[0, 20])).unwrap_err();
        assert_eq!((error.kind(), error.row()), (ErrorKind::InvalidData, Some(1)), "{error:#}");
    }
}

#[test]
fn most_copies_decide_where_a_clusterer_goes_by_rows() {
    let labels = [0, 1, 1, 0, 2, -1, -1, 2];
    #[derive(Debug, Clone)]
    struct Given(Vec<i32>);
    impl Clusterer for Given {
        fn check(&self) -> Result<()> {
            Ok(())
        }
        fn min_rows(&self) -> usize {
            1
        }
        fn fit(&self, training: &Training<'_>) -> Result<Clustering> {
            assert_eq!(training.matrix().len_of(Axis(0)), self.0.len(), "all rows are passed");
            let probabilities = (0..self.0.len()).map(|row| 1.0 / (1.0 + row as f64)).collect();
            Ok(Clustering::new(self.0.clone(), probabilities, ByOrder(1)))
        }
    }
    // The positions of rows: 0 0 0 | 1 1 1 | 2 2.
    let vector = |row: usize| vec![[0.0, 1.0, 2.0][row / 3], 1.0];
    let frame = given(&(0..8).map(vector).collect::<Vec<_>>());
    let model = of_given().reducer(NoReduction).clusterer(Given(labels.to_vec()));
    let topics = model.fit(&frame).unwrap();
    let probabilities: Vec<f64> = [2, 2, 2, 4, 4, 4, 7, 7].map(|row| 1.0 / row as f64).to_vec();
    assert_eq!(topics.probabilities()[..3], probabilities[..3], "two of three say 1");
    assert_eq!(topics.probabilities()[3..6], probabilities[3..6], "the first of equals: 0");
    assert_eq!(topics.labels()[6..], [-1, -1], "the first of equals: -1");
}

/// Counts the texts that it embeds.
#[derive(Debug, Clone)]
struct Counting(StaticEmbedder, Arc<std::sync::atomic::AtomicUsize>);

impl TextEmbedder for Counting {
    fn dimensions(&self) -> usize {
        self.0.dimensions()
    }

    fn embed_texts(&self, texts: &[&str], progress: &Progress) -> Result<Array2<f32>> {
        self.1.fetch_add(texts.len(), std::sync::atomic::Ordering::Relaxed);
        self.0.embed_texts(texts, progress)
    }
}

#[test]
fn a_text_that_comes_again_and_again_is_embedded_once() {
    let texts = captions(60);
    let copied: Vec<&str> = (0..600).map(|i| texts[(i * i) % 60].as_str()).collect();
    let different = copied.iter().collect::<std::collections::BTreeSet<_>>().len();
    let counting = Counting(StaticEmbedder::builtin(), Arc::default());
    let frame = df!("text" => &copied).unwrap();
    let once = TopicModel::text("text", counting.clone()).embed(&frame).unwrap();
    assert_eq!(counting.1.load(std::sync::atomic::Ordering::Relaxed), different);
    let each = StaticEmbedder::builtin().embed_texts(&copied, &Progress::silent()).unwrap();
    let once = topicframe::corpus::Embeddings::read(&once, "embedding").unwrap();
    assert_eq!(once.view().unwrap(), each.view());
}

/// Adds one value after another to a row's hash (FNV-1a over 32-bit words).
fn hashed(hash: u64, bits: u32) -> u64 {
    (hash ^ u64::from(bits)).wrapping_mul(0x0000_0100_0000_01b3)
}

/// Two triples of values that take the hash from `start` to the same value, and that value: the third value compensates
/// for the lower half, and among a million prefixes some agree in the upper half.
fn collision(start: u64) -> ([[f32; 3]; 2], u64) {
    let begin = |i: u32| [0x3f00_0000 | (i & 0x3ff), 0x3f00_0000 | (i >> 10)];
    let after = |i: u32| begin(i).into_iter().fold(start, hashed);
    let mut upper: Vec<(u32, u32)> = (0..1 << 21).map(|i| ((after(i) >> 32) as u32, i)).collect();
    upper.sort_unstable();
    let difference = |a: u32, b: u32| (after(a) ^ after(b)) as u32;
    // The third value keeps the upper part of its exponent, so that it has a usual magnitude.
    let alike = |pair: &&[(u32, u32)]| pair[0].0 == pair[1].0 && difference(pair[0].1, pair[1].1) & 0x7800_0000 == 0;
    let pair = upper.windows(2).find(alike).unwrap();
    let (a, b) = (pair[0].1, pair[1].1);
    let [third, other] = [0x3f40_0000, 0x3f40_0000 ^ difference(a, b)];
    assert_eq!(hashed(after(a), third), hashed(after(b), other));
    let numbers = |i: u32, third: u32| [begin(i)[0], begin(i)[1], third].map(f32::from_bits);
    ([numbers(a, third), numbers(b, other)], hashed(after(a), third))
}

#[test]
fn vectors_of_one_hash_are_found_as_soon_as_others() {
    const BLOCKS: usize = 15;
    let mut hash = 0xcbf2_9ce4_8422_2325;
    let mut blocks = Vec::new();
    for _ in 0..BLOCKS {
        let (block, next) = collision(hash);
        blocks.push(block);
        hash = next;
    }
    let vector = |row: usize| (0..BLOCKS).flat_map(|block| blocks[block][row >> block & 1]).collect::<Vec<f32>>();
    let alike: Vec<Vec<f32>> = (0..1 << BLOCKS).map(vector).collect();
    let different: Vec<Vec<f32>> = alike.iter().map(|vector| vector.iter().rev().copied().collect()).collect();
    let model = of_given().reducer(NoReduction).clusterer(ByOrder(2));
    let time = |vectors: &[Vec<f32>]| {
        let given = given(vectors);
        let (topics, frame) = model.fit_transform(&given).unwrap();
        let one = || {
            let begun = Instant::now();
            let placed = topics.transform(&given).unwrap();
            assert!(placed.column("Topic").unwrap().equals(frame.column("Topic").unwrap()));
            begun.elapsed()
        };
        (0..3).map(|_| one()).min().unwrap()
    };
    let (usual, crafted) = (time(&different), time(&alike));
    // Comparing each row with all others of its hash takes several seconds; other tests run at the same time.
    assert!(crafted < 4 * usual + Duration::from_secs(1), "{crafted:?}, where others take {usual:?}");
}
