//! Outliers as a choice: at the fit, after it, and for new rows.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::{Arc, OnceLock};

use ndarray::{Array2, ArrayView2, Axis};
use topicframe::error::{Interface, Result};
use topicframe::files::write_frame;
use topicframe::polars::prelude::*;
use topicframe::prelude::*;

use crate::colors::column_of_topics;
use crate::notes::Notes;

/// Rows of each of four subjects, and blank ones at the end.
const ROWS: usize = 90;
const BLANK: usize = 5;

/// A number from -0.5 to 0.5.
fn noise(row: usize, axis: usize) -> f32 {
    let mut x = (row as u64 * 31 + axis as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    ((x >> 40) as f32) / 16_777_216.0 - 0.5
}

/// Of each subject, most rows are near its axis, and the later ones ever closer to another one. The last ten repeat the
/// first ten.
fn vectors() -> Vec<Option<[f32; 6]>> {
    let vector = |row: usize| {
        let (subject, number) = (row % 4, row / 4);
        let number = if number < ROWS - 10 { number } else { number + 10 - ROWS };
        let strayed = (number as f32 - 45.0).max(0.0) / 60.0;
        let mut vector = [0.0; 6];
        vector[subject] = 1.0 - strayed;
        vector[(subject + 1 + number % 3) % 4] += strayed;
        vector.iter_mut().enumerate().for_each(|(axis, x)| *x += 0.35 * noise(number * 4 + subject, axis));
        Some(vector)
    };
    (0..4 * ROWS).map(vector).chain((0..BLANK).map(|_| None)).collect()
}

fn frame_of<const D: usize>(vectors: &[Option<[f32; D]>]) -> DataFrame {
    const WORDS: [&str; 4] = ["cat purrs", "train rolls", "apple pie", "rain falls"];
    let texts: Vec<String> = (0..vectors.len()).map(|row| format!("the {} {}", WORDS[row % 4], row / 40)).collect();
    let vectors = vectors.iter().map(|vector| vector.map(|vector| Series::new("".into(), vector)));
    df!("text" => texts, "v" => vectors.collect::<Vec<Option<Series>>>()).unwrap()
}

fn frame() -> DataFrame {
    frame_of(&vectors())
}

fn model(clusterer: impl Clusterer + 'static) -> TopicModel {
    TopicModel::text("text", NoEmbedder).embeddings("v").reducer(NoReduction).clusterer(clusterer)
}

/// The same rows by three clusterers.
fn fitted() -> &'static [(&'static str, FittedTopicModel)] {
    static FITTED: OnceLock<Vec<(&str, FittedTopicModel)>> = OnceLock::new();
    FITTED.get_or_init(|| {
        let hdbscan = model(Hdbscan::new().min_cluster_size(8)).fit(&frame()).unwrap();
        let communities = model(Communities::new()).fit(&frame()).unwrap();
        let kmeans = model(KMeans::new(5)).fit(&frame()).unwrap();
        let left_out = hdbscan.summary().outliers - BLANK;
        assert!(left_out > 40 && left_out < 300 && hdbscan.summary().topics >= 3, "{:?}", hdbscan.summary());
        vec![("hdbscan", hdbscan), ("communities", communities), ("kmeans", kmeans)]
    })
}

fn outliers(topics: &FittedTopicModel) -> BTreeSet<usize> {
    topics.labels().iter().enumerate().filter(|(_, topic)| **topic < 0).map(|(row, _)| row).collect()
}

/// Tables, sizes and probabilities agree with the labels; blank rows are outliers.
fn assert_sound(topics: &FittedTopicModel, case: &str) {
    let labels = topics.labels();
    let mut counts = BTreeMap::<i32, usize>::new();
    labels.iter().for_each(|&topic| *counts.entry(topic).or_insert(0) += 1);
    assert_eq!(counts.keys().copied().collect::<Vec<_>>(), topics.topic_ids(), "{case}");
    assert!(counts.iter().all(|(&topic, &count)| topics.topic_size(topic) == Some(count)), "{case}");
    let sizes: Vec<usize> = counts.iter().filter(|(topic, _)| **topic >= 0).map(|(_, &count)| count).collect();
    assert!(sizes.is_sorted_by(|a, b| a >= b), "{case}: {sizes:?}");
    assert!(labels[4 * ROWS..].iter().all(|&topic| topic == -1), "{case}: blank rows");
    for (topic, probability) in labels.iter().zip(topics.probabilities()) {
        assert!((0.0..=1.0).contains(&probability) && (*topic >= 0 || probability == 0.0), "{case}: {probability}");
    }
    let summary = topics.summary();
    assert_eq!((summary.topics, summary.outliers), (sizes.len(), outliers(topics).len()), "{case}");
    let means = topics.topic_embeddings();
    assert!(counts.keys().all(|topic| *topic < 0 || means.contains_key(topic)), "{case}");
    assert!(topics.topic_ids().iter().all(|&id| topics.get_topic(id).is_some()), "{case}");
    // Rows of the fit keep their topics, except for copies where the last place was for some of them only.
    let again = column_of_topics(&topics.transform(&frame()).unwrap());
    let vectors = vectors();
    let is_copy = |row: usize| vectors.iter().filter(|other| **other == vectors[row]).count() > 1;
    let moved: Vec<usize> = (0..labels.len()).filter(|&row| labels[row] != again[row]).collect();
    assert!(moved.len() <= 1 && moved.iter().all(|&row| is_copy(row)), "{case}: {moved:?}");
}

#[test]
fn counts_are_exact() {
    for (name, topics) in fitted() {
        let mut before = BTreeSet::new();
        for share in [0.0, 0.003, 0.05, 0.1, 0.25, 1.0 / 3.0, 0.5, 0.75, 0.99, 1.0] {
            let case = format!("{name}, {share}");
            let chosen = topics.with_outliers(share).unwrap();
            let wanted = (share * (4 * ROWS) as f64).round() as usize;
            assert_eq!(outliers(&chosen).len() - BLANK, wanted, "{case}");
            assert_sound(&chosen, &case);
            assert_eq!(chosen.history().last().unwrap().edit, "with_outliers");
            let now = outliers(&chosen);
            assert!(now.is_superset(&before), "{case}: fewer outliers are some of more");
            before = now;
        }
        let none = topics.with_outliers(Outliers::None).unwrap();
        assert_eq!(outliers(&none).len(), BLANK, "{name}");
        assert_sound(&none, name);
        assert_eq!(none.labels(), topics.with_outliers(0.0).unwrap().labels(), "{name}");
    }
}

#[test]
fn a_choice_at_the_fit_is_the_same_as_after_it() {
    let models = [model(Hdbscan::new().min_cluster_size(8)), model(Communities::new()), model(KMeans::new(5))];
    for (model, (name, topics)) in models.into_iter().zip(fitted()) {
        for outliers in [Outliers::None, Outliers::Share(0.4), Outliers::Below(0.6), Outliers::AsClustered] {
            let fit = model.clone().outliers(outliers).fit(&frame()).unwrap();
            let after = topics.with_outliers(outliers).unwrap();
            assert_eq!(fit.labels(), after.labels(), "{name}, {outliers}");
            assert_eq!(fit.probabilities(), after.probabilities(), "{name}, {outliers}");
            assert_eq!(fit.get_topics(), after.get_topics(), "{name}, {outliers}");
            assert!(fit.history().is_empty());
            let back = fit.with_outliers(Outliers::AsClustered).unwrap();
            assert_eq!(back.labels(), topics.labels(), "{name}, {outliers}");
        }
    }
}

#[test]
fn choices_can_be_undone_and_do_not_add_up() {
    for (name, topics) in fitted() {
        let mut chosen = topics.clone();
        for outliers in [Outliers::Share(0.3), Outliers::Below(0.8), Outliers::None, Outliers::Share(0.9)] {
            let direct = topics.with_outliers(outliers).unwrap();
            chosen = chosen.with_outliers(outliers).unwrap();
            assert_eq!(chosen.labels(), direct.labels(), "{name}, {outliers}");
            assert_eq!(chosen.probabilities(), direct.probabilities(), "{name}, {outliers}");
            assert_eq!(chosen.get_topics(), direct.get_topics(), "{name}, {outliers}");
        }
        assert_eq!(chosen.history().len(), 4);
        let back = chosen.with_outliers(Outliers::AsClustered).unwrap();
        let with = |topics: &FittedTopicModel| topics.get_document_info_with_runners_up().unwrap();
        assert!(with(&back).equals_missing(&with(topics)), "{name}");
        assert_eq!(back.get_topics(), topics.get_topics(), "{name}");
        assert_eq!(back.terms().counts, topics.terms().counts, "{name}");
        assert_eq!(back.topic_embeddings(), topics.topic_embeddings(), "{name}");
    }
}

#[test]
fn rows_below_a_probability_are_set_aside_and_none_is_taken_in() {
    for (name, topics) in fitted() {
        let (labels, probabilities) = (topics.labels(), topics.probabilities());
        for least in [0.0, 0.3, 0.7, 1.0] {
            let chosen = topics.with_outliers(Outliers::Below(least)).unwrap();
            let expected = (0..labels.len()).filter(|&row| labels[row] < 0 || probabilities[row] < least).collect();
            assert_eq!(outliers(&chosen), expected, "{name}, {least}");
            assert_sound(&chosen, &format!("{name}, below {least}"));
        }
    }
}

/// The share of the rows in topics whose subject is that of most of their topic.
fn purity(topics: &FittedTopicModel) -> f64 {
    let mut counts = BTreeMap::<i32, [usize; 4]>::new();
    for (row, &topic) in topics.labels().iter().enumerate().filter(|(_, topic)| **topic >= 0) {
        counts.entry(topic).or_default()[row % 4] += 1;
    }
    let most: usize = counts.values().filter_map(|counts| counts.iter().max()).sum();
    most as f64 / counts.values().flatten().sum::<usize>() as f64
}

#[test]
fn the_more_rows_are_left_out_the_purer_are_the_topics() {
    for (name, topics) in fitted() {
        let purities: Vec<f64> =
            [0.0, 0.15, 0.3, 0.45].iter().map(|&share| purity(&topics.with_outliers(share).unwrap())).collect();
        assert!(purities.is_sorted_by(|a, b| b >= &(a - 0.005)), "{name}: {purities:?}");
        assert!(purities[3] > purities[0] + 0.02, "{name}: {purities:?}");
    }
}

/// Which rows are together, whatever the topics are called.
fn together(topics: &FittedTopicModel) -> BTreeSet<Vec<usize>> {
    let mut rows = BTreeMap::<i32, Vec<usize>>::new();
    topics.labels().iter().enumerate().for_each(|(row, &topic)| rows.entry(topic).or_default().push(row));
    rows.into_iter().filter(|(topic, _)| *topic >= 0).map(|(_, rows)| rows).collect()
}

#[test]
fn a_choice_can_be_undone_after_other_edits() {
    for (name, topics) in fitted() {
        let chosen = topics.with_outliers(0.4).unwrap();
        // The two largest topics now, and what they were called before.
        let before = |topic: i32| {
            let rows = chosen.labels().into_iter().zip(topics.labels());
            rows.filter(|&(now, before)| now == topic && before >= 0).map(|(_, before)| before).next().unwrap()
        };
        let merged = chosen.merge_topics(&[&[0, 1]]).unwrap();
        let expected = topics.merge_topics(&[&[before(0), before(1)]]).unwrap();
        let back = merged.with_outliers(Outliers::AsClustered).unwrap();
        assert_eq!(together(&back), together(&expected), "{name}");
        assert_eq!(back.probabilities(), expected.probabilities(), "{name}");
        assert_sound(&back, name);
        let (a, b) = (merged.with_outliers(0.1).unwrap(), expected.with_outliers(0.1).unwrap());
        assert_eq!(together(&a), together(&b), "{name}");
        assert_sound(&a, name);

        // A topic that the user discards stays discarded, with the rows that had been taken in.
        let all = topics.with_outliers(Outliers::None).unwrap();
        let discarded: Vec<usize> = (0..all.labels().len()).filter(|&row| all.labels()[row] == 0).collect();
        let without = all.merge_topics(&[&[-1, 0]]).unwrap().with_outliers(Outliers::AsClustered).unwrap();
        assert!(discarded.iter().all(|&row| without.labels()[row] == -1), "{name}");
        assert_eq!(without.summary().topics, topics.summary().topics - 1, "{name}");
    }
}

#[test]
fn another_cut_has_the_same_choice() {
    let (_, topics) = &fitted()[1];
    let cut = topics.with_outliers(0.3).unwrap().at(3).unwrap();
    assert_eq!(outliers(&cut).len() - BLANK, (0.3 * (4 * ROWS) as f64).round() as usize);
    let direct = topics.at(3).unwrap().with_outliers(0.3).unwrap();
    assert_eq!(cut.labels(), direct.labels());
}

#[test]
fn the_same_on_any_number_of_threads() {
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let of_one = |(_, topics): &(&str, FittedTopicModel)| {
                let chosen = topics.with_outliers(0.15).unwrap().with_outliers(Outliers::None).unwrap();
                (chosen.labels(), chosen.probabilities())
            };
            fitted().iter().map(of_one).collect::<Vec<_>>()
        })
    };
    assert_eq!(on(1), on(3));
}

/// Rows say themselves in which cluster they are (the first value), and how strongly (the second); the others are their
/// direction.
#[derive(Debug, Clone, Default)]
struct AsTold {
    memberships: Option<Array2<f64>>,
}

impl Clusterer for AsTold {
    fn check(&self) -> Result<()> {
        Ok(())
    }

    fn min_rows(&self) -> usize {
        1
    }

    fn fit(&self, training: &Training<'_>) -> Result<Clustering> {
        let (labels, strengths) = self.predict(training.matrix().view(), &training.progress)?;
        Ok(Clustering::new(labels, strengths, self.clone()))
    }
}

impl FittedClusterer for AsTold {
    fn predict(&self, points: ArrayView2<'_, f32>, _: &Progress) -> Result<(Vec<i32>, Vec<f64>)> {
        Ok(points.axis_iter(Axis(0)).map(|row| (row[0] as i32, f64::from(row[1]))).unzip())
    }

    fn membership_vectors(&self) -> Result<Option<Array2<f64>>> {
        Ok(self.memberships.clone())
    }
}

const EAST: [f32; 2] = [1000.0, 0.0];
const NORTH: [f32; 2] = [0.0, 1000.0];

fn told(rows: &[(i32, f32, [f32; 2])]) -> DataFrame {
    frame_of(&rows.iter().map(|&(label, p, [x, y])| Some([label as f32, p, x, y])).collect::<Vec<_>>())
}

/// Three rows in a topic to the east, two in one to the north, and two that are left out.
fn few() -> DataFrame {
    told(&[
        (0, 0.9, EAST),
        (0, 0.8, [1000.0, 10.0]),
        (0, 0.7, [1000.0, 20.0]),
        (1, 0.25, NORTH),
        (1, 0.5, [30.0, 1000.0]),
        (-1, 0.0, [300.0, 1000.0]),
        (-1, 0.0, [1000.0, 900.0]),
    ])
}

#[test]
fn a_topic_without_rows_disappears_and_comes_back() {
    let topics = model(AsTold::default()).fit(&few()).unwrap();
    assert_eq!(topics.labels(), [0, 0, 0, 1, 1, -1, -1]);
    let notes = Arc::new(Notes::default());
    let noisy = model(AsTold::default()).with_progress(Progress::to(notes.clone()));
    let clear = noisy.clone().outliers(Outliers::Below(0.6)).fit(&few()).unwrap();
    assert_eq!((clear.labels(), clear.topic_ids()), (vec![0, 0, 0, -1, -1, -1, -1], vec![-1, 0]));
    assert!(notes.text().contains("2 rows were made outliers, as requested (`below 0.6`)"), "{}", notes.text());
    assert!(notes.text().contains("1 topic has no rows left"), "{}", notes.text());
    // Of new rows, those of the topic that is gone are outliers.
    let new = told(&[(1, 0.95, [0.0, 999.0]), (0, 0.65, [1000.0, 5.0]), (0, 0.59, [1000.0, 6.0])]);
    assert_eq!(column_of_topics(&clear.transform(&new).unwrap()), [-1, 0, -1]);
    assert_eq!(clear.with_outliers(Outliers::AsClustered).unwrap().labels(), topics.labels());
    // Its rows are more, once they are taken in.
    let all = noisy.outliers(Outliers::None).fit(&few()).unwrap();
    assert_eq!(all.labels(), [0, 0, 0, 1, 1, 1, 0]);
    assert!(
        notes.text().contains("2 rows that the clusterer left out were assigned to the best-matching topics"),
        "{}",
        notes.text()
    );

    let nothing = topics.with_outliers(1.0).unwrap();
    assert_eq!(
        (nothing.topic_ids(), nothing.with_outliers(Outliers::None).unwrap().labels()),
        (vec![-1], all.labels())
    );
    assert_eq!(column_of_topics(&nothing.transform(&new).unwrap()), [-1; 3]);

    // Without topics, nothing can be taken in.
    let alone = told(&[(-1, 0.0, EAST), (-1, 0.0, NORTH)]);
    let topics = model(AsTold::default()).outliers(Outliers::None).fit(&alone).unwrap();
    assert_eq!(topics.labels(), [-1, -1]);
    assert_eq!(topics.with_outliers(0.5).unwrap().labels(), [-1, -1]);
}

#[test]
fn strengths_of_rows_that_are_taken_in_are_shares_of_cosines() {
    let topics = model(AsTold::default()).fit(&few()).unwrap();
    let all = topics.with_outliers(Outliers::None).unwrap();
    let found = all.probabilities();
    assert!((found[5] - 1000.0 / 1300.0).abs() < 0.02 && (found[6] - 1000.0 / 1900.0).abs() < 0.02, "{found:?}");
    assert_eq!(found[..5], topics.probabilities()[..5]);
    // One in seven: the weaker of the two.
    let most = topics.with_outliers(1.0 / 7.0).unwrap();
    assert_eq!(most.labels(), [0, 0, 0, 1, 1, 1, -1]);

    // New rows that are left out, nearer and less near than the row that was taken in.
    let new = told(&[(-1, 0.0, [250.0, 1000.0]), (-1, 0.0, [1000.0, 800.0]), (0, 0.01, EAST)]);
    assert_eq!(column_of_topics(&topics.transform(&new).unwrap()), [-1, -1, 0]);
    assert_eq!(column_of_topics(&most.transform(&new).unwrap()), [1, -1, 0]);
    let placed = all.transform(&new).unwrap();
    assert_eq!(column_of_topics(&placed), [1, 0, 0]);
    let probabilities = placed.column("Probability").unwrap().f64().unwrap().to_vec();
    assert!((probabilities[0].unwrap() - 0.685).abs() < 0.002, "{probabilities:?}");
    // A topic that the user discards does not come back as the nearest of its cluster.
    let without = all.merge_topics(&[&[-1, 0]]).unwrap();
    assert_eq!(column_of_topics(&without.transform(&new).unwrap()), [0, 0, -1]);
    // The same without the rows of the fit.
    assert_eq!(column_of_topics(&all.without_data().transform(&new).unwrap()), [1, 0, 0]);
    assert!(all.without_data().with_outliers(0.1).is_err());
}

#[test]
fn memberships_decide_and_add_up() {
    // Two in each of three clusters, and one that is left out, which is nearest to the first.
    let rows = told(&[
        (0, 1.0, EAST),
        (0, 1.0, [1000.0, 1.0]),
        (1, 1.0, NORTH),
        (1, 1.0, [1.0, 1000.0]),
        (2, 1.0, [700.0, 700.0]),
        (2, 1.0, [700.0, 701.0]),
        (-1, 0.0, [1000.0, 2.0]),
    ]);
    let mut memberships = Array2::zeros((7, 3));
    memberships.row_mut(6).assign(&ndarray::array![0.2, 0.4, 0.3]);
    let topics = model(AsTold { memberships: Some(memberships) }).fit(&rows).unwrap();
    let all = topics.with_outliers(Outliers::None).unwrap();
    assert_eq!((all.labels()[6], all.labels()[2], all.probabilities()[6]), (0, 0, 0.4), "now the largest topic");
    let merged = topics.merge_topics(&[&[0, 2]]).unwrap().with_outliers(Outliers::None).unwrap();
    assert_eq!((merged.labels()[6], merged.labels()[0], merged.probabilities()[6]), (0, 0, 0.5));
    // Clusterers that tell nothing about this row.
    for memberships in [Array2::zeros((7, 3)), Array2::from_elem((7, 3), f64::NAN), Array2::ones((2, 3))] {
        let told = model(AsTold { memberships: Some(memberships) }).outliers(Outliers::None).fit(&rows).unwrap();
        assert_eq!((told.labels()[6], told.labels()[0]), (0, 0), "nearest");
    }
}

#[test]
fn ties_are_broken_by_cosine_then_by_row_and_copies_stay_together() {
    let mut rows = vec![(0, 1.0, EAST); 4];
    rows.extend([(0, 1.0, [1000.0, 300.0]), (1, 1.0, NORTH), (1, 1.0, [-200.0, 1000.0])]);
    rows.extend([(1, 1.0, NORTH), (1, 1.0, [-200.0, 1000.0]), (0, 1.0, [1000.0, 300.0])]);
    let topics = model(AsTold::default()).fit(&told(&rows)).unwrap();
    let set_aside = |count: usize| {
        let chosen = topics.with_outliers(count as f64 / 10.0).unwrap();
        outliers(&chosen).into_iter().collect::<Vec<_>>()
    };
    // Rows 4 and 9 are the farthest from their topic's mean; of equal rows, the last goes first.
    assert_eq!(set_aside(1), [9]);
    assert_eq!(set_aside(2), [4, 9]);
    assert_eq!(set_aside(0), [0_usize; 0]);
    let chosen = topics.with_outliers(0.1).unwrap();
    let new = told(&[(0, 1.0, [1000.0, 900.0]), (0, 1.0, [1000.0, 50.0])]);
    assert_eq!(column_of_topics(&chosen.transform(&new).unwrap())[0], -1, "farther than the row that was set aside");
    assert!(column_of_topics(&chosen.transform(&new).unwrap())[1] >= 0);
}

#[test]
fn values_out_of_range_are_refused() {
    for outliers in
        [-0.1, 1.1, f64::NAN, f64::INFINITY].into_iter().flat_map(|x| [Outliers::Share(x), Outliers::Below(x)])
    {
        let error = model(KMeans::new(2)).outliers(outliers).check().unwrap_err();
        assert_eq!(error.parameter(), Some("outliers"), "{outliers}");
        assert!(error.report(Interface::CommandLine).contains("from 0 to 1"), "{error}");
        assert!(fitted()[2].1.with_outliers(outliers).is_err(), "{outliers}");
    }
    for text in ["", "all", "110%", "-1%", "nan", "below", "below2", "below -1", "<", "1,5", "10 % %", "belowe 0.3"] {
        let error = text.parse::<Outliers>().unwrap_err();
        assert!(error.to_string().contains("10% or 0.1"), "{text}: {error}");
    }
    let read = |text: &str| text.parse::<Outliers>().unwrap();
    assert_eq!([read("10%"), read("0.1")], [Outliers::Share(0.1); 2]);
    assert_eq!([read("below 0.3"), read("below=0.3"), read("<0.3"), read("< 0.3")], [Outliers::Below(0.3); 4]);
    for outliers in [Outliers::AsClustered, Outliers::None, Outliers::Share(1.0 / 3.0), Outliers::Below(0.07)] {
        assert_eq!(read(&outliers.to_string()), outliers);
    }
    assert_eq!(Outliers::default(), Outliers::AsClustered);
}

#[test]
fn the_command_has_the_choice() {
    let folder = tempfile::tempdir().unwrap();
    write_frame(&crate::corpora::frame(60), folder.path().join("posts.csv")).unwrap();
    let fit = |outliers: &str| {
        let arguments = ["fit", "posts.csv", "--text", "caption", "--outliers", outliers];
        let output = Command::new(env!("CARGO_BIN_EXE_topicframe")).current_dir(folder.path()).args(arguments).output();
        let output = output.unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    let (worked, said) = fit("25%");
    assert!(worked && said.contains("in 60 rows, 15 outliers (25%)"), "{said}");
    let (worked, said) = fit("none");
    assert!(worked && said.contains("in 60 rows, 0 outliers"), "{said}");
    let (worked, said) = fit("25");
    assert!(!worked && said.contains("10% or 0.1") && said.contains("--outliers"), "{said}");
}
