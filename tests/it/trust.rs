//! How far topics can be trusted: quality, stability, reliability; and representatives that cover a topic.

use std::collections::{BTreeSet, HashSet};
use std::sync::OnceLock;

use topicframe::error::ErrorKind;
use topicframe::measure::{diversity, npmi};
use topicframe::prelude::*;

use crate::corpora::{captions, drawings, frame_with_images};

fn model() -> TopicModel {
    TopicModel::text("caption", StaticEmbedder::builtin()).clusterer(Communities::new())
}

/// The drawings' topics, by communities.
fn fitted() -> &'static FittedTopicModel {
    static FITTED: OnceLock<FittedTopicModel> = OnceLock::new();
    FITTED.get_or_init(|| model().fit(&drawings()).unwrap())
}

/// Captions in three topics, by k-means.
fn by_kmeans(rows: usize) -> FittedTopicModel {
    let captions = df!("caption" => captions(rows)).unwrap();
    model().reducer(NoReduction).clusterer(KMeans::new(3)).fit(&captions).unwrap()
}

fn numbers(frame: &DataFrame, column: &str) -> Vec<Option<f64>> {
    frame.column(column).unwrap().f64().unwrap().to_vec()
}

fn number(frame: &DataFrame, column: &str) -> Option<f64> {
    numbers(frame, column)[0]
}

fn texts(frame: &DataFrame, column: &str) -> Vec<Option<String>> {
    frame.column(column).unwrap().str().unwrap().iter().map(|text| text.map(str::to_owned)).collect()
}

/// The place of the first topic in a table of topics.
fn first_topic(topics: &FittedTopicModel) -> usize {
    usize::from(topics.topic_ids()[0] == -1)
}

#[test]
fn quality_is_one_row_of_what_the_model_says() {
    let (topics, quality) = (fitted(), fitted().quality().unwrap());
    let columns = ["Topics", "Outliers", "NPMI", "Diversity", "Confidence", "Agreement", "Caution"];
    assert_eq!(quality.get_column_names(), columns);
    assert_eq!(quality.column("Caution").unwrap().null_count(), 1, "these topics are better than chance");
    let summary = topics.summary();
    assert_eq!(quality.column("Topics").unwrap().i64().unwrap().to_vec(), [Some(summary.topics as i64)]);
    let outliers = summary.outliers as f64 / summary.rows as f64;
    assert!((number(&quality, "Outliers").unwrap() - outliers).abs() < 1e-12);

    let ids: Vec<i32> = topics.topic_ids().into_iter().filter(|&id| id >= 0).collect();
    let words: Vec<Vec<String>> =
        ids.iter().map(|&id| topics.get_topic(id).unwrap().into_iter().map(|(word, _)| word).collect()).collect();
    assert_eq!(number(&quality, "Diversity"), diversity(&words, 10));
    // The words of the texts without stop words, as the model counts them; these texts need no cleaning.
    let texts: Vec<String> = (0..summary.rows).filter_map(|row| topics.text(row)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let split = CountVectorizer::new().stop_words(StopWords::English).analyze(&texts).unwrap();
    let coherences = npmi(&split, &words);
    assert_eq!(numbers(&topics.topic_quality().unwrap(), "Coherence"), coherences);
    let known: Vec<f64> = coherences.into_iter().flatten().collect();
    let mean = known.iter().sum::<f64>() / known.len() as f64;
    assert!((number(&quality, "NPMI").unwrap() - mean).abs() < 1e-12);
    // Words of different topics are used together less often.
    let mixed: Vec<Vec<&String>> = (0..words.len())
        .map(|topic| (0..10).filter_map(|place| words[(topic + place) % words.len()].get(place)).collect())
        .collect();
    let mixed: Vec<f64> = npmi(&split, &mixed).into_iter().flatten().collect();
    assert!(mixed.iter().sum::<f64>() / (mixed.len() as f64) < mean - 0.2, "{mean}");

    let (labels, probabilities) = (topics.labels(), topics.probabilities());
    let inside: Vec<f64> = labels.iter().zip(probabilities).filter(|(topic, _)| **topic >= 0).map(|(_, p)| p).collect();
    let confidence = inside.iter().sum::<f64>() / inside.len() as f64;
    assert!((number(&quality, "Confidence").unwrap() - confidence).abs() < 1e-12);
    let agreement = number(&quality, "Agreement").unwrap();
    assert!((0.3..=1.0).contains(&agreement), "{agreement}");
}

#[test]
fn topics_have_coherence_stability_and_margin() {
    let quality = fitted().topic_quality().unwrap();
    let measures = ["Coherence", "Stability", "Margin", "Separation", "Coherence_by_chance", "Repetition"];
    assert_eq!(quality.get_column_names()[3..], [&measures[..], &["Trust_rank", "Caution"]].concat());
    let (coherence, by_chance) = (numbers(&quality, "Coherence"), numbers(&quality, "Coherence_by_chance"));
    assert!(coherence.iter().zip(by_chance).filter(|(found, chance)| **found > *chance).count() > quality.height() / 2);
    assert!(numbers(&quality, "Repetition").iter().flatten().all(|x| (0.0..=1.0).contains(x)));
    assert_eq!(quality.height(), fitted().summary().topics);
    assert!(numbers(&quality, "Stability").iter().all(|x| x.is_some_and(|x| x > 0.1 && x <= 1.0)));
    assert!(numbers(&quality, "Margin").iter().all(|x| x.is_some_and(|x| (-1.0..=1.0).contains(&x))));
    assert_eq!(numbers(&quality, "Separation"), vec![None; quality.height()], "there are no image vectors");
    let ranks: BTreeSet<Option<i64>> = quality.column("Trust_rank").unwrap().i64().unwrap().iter().collect();
    assert_eq!(ranks, (1..=quality.height() as i64).map(Some).collect());

    let info = fitted().get_topic_info_with_quality().unwrap();
    let plain = fitted().get_topic_info().unwrap();
    assert_eq!(info.get_column_names()[..plain.width()], plain.get_column_names());
    assert_eq!(info.width(), plain.width() + 8);
    assert_eq!(texts(&info, "Caution")[first_topic(fitted())..], texts(&quality, "Caution"));
    let paths = fitted().get_topic_info_with_paths_and_quality().unwrap();
    assert_eq!(paths.get_column_names(), info.get_column_names(), "there are no images");
    let first = first_topic(fitted());
    assert_eq!(numbers(&info, "Margin")[first..], numbers(&quality, "Margin"));
    assert!(numbers(&info, "Margin")[..first].iter().all(Option::is_none), "nothing is said about outliers");
}

#[test]
fn what_is_not_known_is_null() {
    let topics = by_kmeans(90);
    let quality = topics.quality().unwrap();
    assert!(number(&quality, "NPMI").is_some() && number(&quality, "Agreement").is_none());
    let of_topics = topics.topic_quality().unwrap();
    assert_eq!((numbers(&of_topics, "Stability"), numbers(&of_topics, "Margin")), (vec![None; 3], vec![None; 3]));
    let documents = topics.get_document_info_with_runners_up().unwrap();
    assert_eq!(documents.column("Runner_up").unwrap().null_count(), 90);
    assert_eq!(documents.column("Runner_up_probability").unwrap().null_count(), 90);

    let without = fitted().without_data();
    let (with, without) = (fitted().quality().unwrap(), without.quality().unwrap());
    assert_eq!(number(&without, "NPMI"), None, "there are no texts");
    assert_eq!(number(&without, "Agreement"), number(&with, "Agreement"));
    let of_topics = fitted().without_data().topic_quality().unwrap();
    assert_eq!(of_topics.column("Stability").unwrap().null_count(), of_topics.height());

    // Topics without words.
    let vectors = df!("v" => (0..40).map(|row| Series::new("".into(), [(row % 2) as f32, 1.0])).collect::<Vec<_>>());
    let model = TopicModel::images("image", NoEmbedder).embeddings("v").reducer(NoReduction).clusterer(KMeans::new(2));
    let mut frame = vectors.unwrap();
    frame.with_column(Column::new("image".into(), vec![Some("none.png"); 40])).unwrap();
    if let Ok(topics) = model.fit(&frame) {
        let quality = topics.quality().unwrap();
        assert_eq!((number(&quality, "NPMI"), number(&quality, "Diversity")), (None, None));
        assert_eq!(number(&quality, "Confidence"), Some(1.0));
    }
}

#[test]
fn every_row_has_a_runner_up_that_edits_keep() {
    let topics = fitted();
    let documents = topics.get_document_info_with_runners_up().unwrap();
    let plain = topics.get_document_info().unwrap();
    assert_eq!(documents.get_column_names()[..plain.width()], plain.get_column_names());
    let runners_up = |frame: &DataFrame| frame.column("Runner_up").unwrap().i32().unwrap().to_vec();
    let strengths = numbers(&documents, "Runner_up_probability");
    let known = topics.topic_ids();
    for (row, (runner_up, topic)) in runners_up(&documents).into_iter().zip(topics.labels()).enumerate() {
        let strength = strengths[row].unwrap();
        assert_eq!(runner_up.is_some(), strength > 0.0, "row {row}");
        assert!(runner_up.is_none_or(|id| id != topic && id >= 0 && known.contains(&id)), "row {row}");
    }
    let merged = topics.merge_topics(&[&[0, 1]]).unwrap();
    let history = merged.history();
    let after = runners_up(&merged.get_document_info_with_runners_up().unwrap());
    for (row, (before, after)) in runners_up(&documents).into_iter().zip(after).enumerate() {
        let own = merged.labels()[row];
        let heir = before.map(|topic| history[0].successor(topic)).filter(|&heir| heir != own);
        assert_eq!(after, heir, "row {row}");
    }
    // The runs are compared with the topics as they are now.
    let stable = numbers(&merged.topic_quality().unwrap(), "Stability");
    assert!(stable.iter().all(|x| x.is_some_and(|x| x > 0.1 && x <= 1.0)));
}

#[test]
fn reliability_is_measured_by_refitting() {
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| fitted().reliability(3).unwrap())
    };
    let (one, three) = (on(1), on(3));
    assert!(one.equals_missing(&three));
    assert_eq!(one.get_column_names(), ["Topic", "Count", "Name", "Reliability"]);
    assert_eq!(one.height(), fitted().summary().topics);
    let found: Vec<f64> = numbers(&one, "Reliability").into_iter().flatten().collect();
    assert_eq!(found.len(), one.height());
    let mean = found.iter().sum::<f64>() / found.len() as f64;
    assert!(found.iter().all(|x| (0.0..=1.0).contains(x)) && mean > 0.4, "{mean}: {found:?}");

    let refused = |topics: &FittedTopicModel, refits: usize| topics.reliability(refits).unwrap_err();
    assert_eq!(refused(fitted(), 0).parameter(), Some("refits"));
    assert_eq!(refused(fitted(), 101).parameter(), Some("refits"));
    assert_eq!(refused(&fitted().without_data(), 2).kind(), ErrorKind::NotFound);
    let error = refused(&by_kmeans(60), 2);
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(format!("{error:#}").contains("Communities"), "{error:#}");
}

/// Topics that nothing disputes.
#[test]
fn clear_topics_are_stable_and_reliable() {
    let vectors: Vec<Series> = (0..300)
        .map(|row| {
            let noise = |axis: usize| ((row * 31 + axis * 17) % 13) as f32 / 100.0;
            Series::new("".into(), (0..6).map(|axis| f32::from(row % 6 == axis) + noise(axis)).collect::<Vec<f32>>())
        })
        .collect();
    let frame = df!("caption" => captions(300), "v" => vectors).unwrap();
    let topics = model().clusterer(Communities::new().n_clusters(6)).embeddings("v").fit(&frame).unwrap();
    assert_eq!(topics.summary().topics, 6);
    for (name, frame) in
        [("Stability", topics.topic_quality().unwrap()), ("Reliability", topics.reliability(2).unwrap())]
    {
        assert!(numbers(&frame, name).iter().all(|x| *x > Some(0.99)), "{name}: {:?}", numbers(&frame, name));
    }
}

#[test]
fn images_that_are_alike_are_separated_from_others() {
    let folder = tempfile::tempdir().unwrap();
    let mut frame = frame_with_images(60, folder.path());
    let vectors: Vec<Series> = (0..60)
        .map(|row| Series::new("".into(), (0..3).map(|axis| f32::from(row % 3 == axis) + 0.01).collect::<Vec<f32>>()))
        .collect();
    frame.with_column(Column::new("pixels".into(), vectors)).unwrap();
    let topics = model()
        .reducer(NoReduction)
        .clusterer(KMeans::new(3))
        .with_images("image")
        .image_folder(folder.path())
        .image_embeddings("pixels")
        .fit(&frame)
        .unwrap();
    let separations = numbers(&topics.topic_quality().unwrap(), "Separation");
    assert!(separations.iter().all(|x| x.is_some_and(|x| x > 0.2 && x < 1.0)), "{separations:?}");
}

#[test]
fn the_report_says_how_far_to_trust_each_topic() {
    let html = fitted().report().to_html().unwrap().into_string();
    assert!(html.contains("coherence</span>") || html.contains(">coherence "), "{}", &html[..500]);
    for word in ["coherence ", "stability ", "margin ", "reliability: rank 1 of "] {
        assert!(html.contains(word), "{word}");
    }
    let cautions = texts(&fitted().topic_quality().unwrap(), "Caution");
    let doubted = cautions.iter().flatten().count();
    assert_eq!(html.matches("<strong>In doubt: ").count(), doubted);
    assert_eq!(html.matches("<small class=\"weak\">in doubt: ").count(), doubted);
    assert_eq!(html.matches("in doubt: <a href").count(), usize::from(doubted > 0));
    assert!(cautions.into_iter().flatten().all(|caution| html.contains(&caution)));
    assert!(html.contains("Quality: coherence of the words ") && html.contains("agreement of 5 runs "));
    // What is known of one run and without texts.
    let few = by_kmeans(60);
    let html = few.report().to_html().unwrap().into_string();
    assert!(html.contains("coherence ") && !html.contains("stability") && !html.contains("In doubt"));
    let html = few.without_data().report().to_html().unwrap().into_string();
    assert!(!html.contains("class=\"trust\""));
}

/// A topic of each text's group, by k-means on vectors that tell it.
fn grouped(texts: &[String], groups: usize) -> FittedTopicModel {
    let vector = |row: usize| (0..groups).map(|axis| f32::from(u8::from(row % groups == axis))).collect::<Vec<f32>>();
    let vectors: Vec<Series> = (0..texts.len()).map(|row| Series::new("".into(), vector(row))).collect();
    let frame = df!("caption" => texts, "v" => vectors).unwrap();
    model().embeddings("v").reducer(NoReduction).clusterer(KMeans::new(groups)).fit(&frame).unwrap()
}

#[test]
fn a_topic_of_one_signature_is_in_doubt_and_comes_last() {
    let names = ["apple", "train", "garden", "river", "stone", "window", "summer"];
    let signature = "shameful surrender skepticism chastity intellect cadre physician gordon banks pitt";
    let captions = captions(90);
    let texts: Vec<String> = (0..90)
        .map(|row| match row % 3 {
            2 => format!("{} {}: {signature}", names[row % 7], names[row / 7 % 7]),
            _ => captions[row].clone(),
        })
        .collect();
    let quality = grouped(&texts, 3).topic_quality().unwrap();
    let repetition = numbers(&quality, "Repetition");
    let copies = (0..3).find(|&topic| repetition[topic] > Some(0.8)).unwrap();
    for (topic, caution) in texts_of(&quality).into_iter().enumerate() {
        match topic == copies {
            true => assert!(caution.unwrap().contains("repeat each other")),
            false => assert_eq!((caution, repetition[topic] < Some(0.5)), (None, true)),
        }
    }
    assert_eq!(quality.column("Trust_rank").unwrap().i64().unwrap().get(copies), Some(3));
}

fn texts_of(quality: &DataFrame) -> Vec<Option<String>> {
    texts(quality, "Caution")
}

/// Texts of 20 words each, drawn at random from those of the drawings.
fn random_texts(rows: usize) -> Vec<String> {
    let terms = fitted().terms();
    let words: Vec<&String> = terms.vocabulary.iter().filter(|word| !word.contains(' ')).collect();
    let mut state = 12_345_u64;
    let mut word = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        words[(state >> 33) as usize % words.len()].as_str()
    };
    (0..rows).map(|_| (0..20).map(|_| word()).collect::<Vec<&str>>().join(" ")).collect()
}

#[test]
fn random_words_are_no_better_than_chance() {
    let frame = df!("caption" => random_texts(900)).unwrap();
    let topics = model().fit(&frame).unwrap();
    let quality = topics.quality().unwrap();
    let caution = texts(&quality, "Caution").remove(0);
    let each = topics.topic_quality().unwrap();
    assert!(caution.is_some_and(|caution| caution.contains("no better than")), "{quality} {each}");
    let html = topics.report().to_html().unwrap().into_string();
    assert_eq!(html.matches("<strong>Caution: texts hardly have more words in common").count(), 1);
}

/// The distance of each row's vector to the nearest of its topic's representatives, on average.
fn distance_to_representatives(topics: &FittedTopicModel, vectors: &[Vec<f32>]) -> f64 {
    let unit = |row: usize| {
        let length = vectors[row].iter().map(|x| x * x).sum::<f32>().sqrt();
        vectors[row].iter().map(|x| x / length).collect::<Vec<f32>>()
    };
    let distance = |a: usize, b: usize| -> f64 {
        let (a, b) = (unit(a), unit(b));
        f64::from(a.iter().zip(&b).map(|(x, y)| (x - y) * (x - y)).sum::<f32>().sqrt())
    };
    let mut distances = Vec::new();
    for (row, &topic) in topics.labels().iter().enumerate().filter(|(_, topic)| **topic >= 0) {
        let representatives = topics.representative_rows(topic).unwrap();
        let nearest = representatives.iter().map(|&(other, _)| distance(row, other)).fold(f64::INFINITY, f64::min);
        distances.push(nearest);
    }
    distances.iter().sum::<f64>() / distances.len() as f64
}

#[test]
fn covering_documents_are_nearer_to_all_rows_than_the_best_ones() {
    let embedded = model().embed(&drawings()).unwrap();
    let vectors: Vec<Vec<f32>> = embedded
        .column("embedding")
        .unwrap()
        .array()
        .unwrap()
        .amortized_iter()
        .map(|row| row.unwrap().as_ref().f32().unwrap().into_no_null_iter().collect())
        .collect();
    let settings = model().embeddings("embedding").nr_repr_docs(4);
    let best = settings.clone().fit(&embedded).unwrap();
    let covering = settings.representatives(Representatives::Coverage).fit(&embedded).unwrap();
    assert_eq!(best.labels(), covering.labels());
    let (near, far) = (distance_to_representatives(&covering, &vectors), distance_to_representatives(&best, &vectors));
    assert!(near < far, "{near} {far}");
    for topic in covering.topic_ids() {
        let documents = covering.get_representative_docs(topic).unwrap();
        let distinct: HashSet<&String> = documents.iter().collect();
        assert_eq!(
            (distinct.len(), documents.len()),
            (documents.len(), best.get_representative_docs(topic).unwrap().len())
        );
    }
    println!("mean distance to the nearest representative: covering {near:.4}, best {far:.4}");
}

#[test]
fn covering_images_are_readable_and_distinct() {
    let folder = tempfile::tempdir().unwrap();
    let frame = frame_with_images(90, folder.path());
    for row in [3, 9, 10] {
        std::fs::write(folder.path().join(format!("{row}.png")), b"torn").unwrap();
    }
    let gallery = |representatives: Representatives| {
        let topics = model()
            .reducer(NoReduction)
            .clusterer(KMeans::new(3))
            .with_images("image")
            .image_folder(folder.path())
            .representation("Pictures", VisualRepresentation::new().representatives(representatives))
            .fit(&frame)
            .unwrap();
        let Aspect::Images(gallery) = topics.topic_aspect("Pictures").unwrap() else { panic!("pictures") };
        gallery
    };
    let (best, covering) = (gallery(Representatives::Best), gallery(Representatives::Coverage));
    let rows = |gallery: &Gallery, topic: i32| -> Vec<usize> {
        gallery.pictures(topic).iter().map(|picture| picture.row).collect()
    };
    for topic in best.topics() {
        let chosen = rows(&covering, topic);
        assert_eq!((chosen.len(), chosen.iter().collect::<BTreeSet<_>>().len()), (9, 9));
        assert!(!chosen.iter().any(|row| [3, 9, 10].contains(row)));
    }
    assert!(best.topics().iter().any(|&topic| rows(&best, topic) != rows(&covering, topic)));
}
