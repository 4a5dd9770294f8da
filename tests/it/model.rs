//! The whole pipeline: frames in, topics and frames out.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use ndarray::{Array2, ArrayView2};
use topicframe::error::Result;
use topicframe::polars::prelude::*;
use topicframe::prelude::*;

use crate::corpora::{agreement, captions, frame, frame_with_images, themes};

const ROWS: usize = 108;

fn model() -> TopicModel {
    TopicModel::text("caption", StaticEmbedder::builtin())
}

fn fitted() -> &'static (FittedTopicModel, DataFrame) {
    static FITTED: OnceLock<(FittedTopicModel, DataFrame)> = OnceLock::new();
    FITTED.get_or_init(|| model().fit_transform(&frame(ROWS)).unwrap())
}

fn strings(column: &Column) -> Vec<String> {
    column.str().unwrap().iter().map(|text| text.unwrap().to_owned()).collect()
}

#[test]
fn themes_become_topics() {
    let (topics, _) = fitted();
    assert!(topics.summary().topics >= 3, "{:?}", topics.summary());
    // Every topic contains only one theme.
    let themes = themes(ROWS);
    let mut seen = BTreeMap::<i32, usize>::new();
    for (row, &topic) in topics.labels().iter().enumerate().filter(|(_, topic)| **topic >= 0) {
        assert_eq!(*seen.entry(topic).or_insert(themes[row]), themes[row], "topic {topic}, row {row}");
    }
    assert!(topics.summary().outliers * 2 <= ROWS, "{:?}", topics.summary());
    let all = topics.get_topics();
    let words: Vec<&str> = all.values().flatten().map(|(word, _)| word.as_str()).collect();
    for word in ["animals", "trains", "fruit"] {
        assert!(words.contains(&word), "{word} describes no topic: {words:?}");
    }
}

#[test]
fn the_frame_gains_three_columns_and_keeps_its_own() {
    let input = frame(ROWS);
    let (topics, output) = fitted();
    assert_eq!(strings(output.column("caption").unwrap()), strings(input.column("caption").unwrap()));
    let names: Vec<&str> = output.get_column_names().iter().map(|name| name.as_str()).collect();
    assert_eq!(names, ["caption", "embedding", "Topic", "Probability"]);
    let dimensions = topics.summary().dimensions;
    assert_eq!(output.column("embedding").unwrap().dtype(), &DataType::Array(Box::new(DataType::Float32), dimensions));
    assert_eq!(output.column("Topic").unwrap().i32().unwrap().to_vec_null_aware().left().unwrap(), topics.labels());
    let probabilities = output.column("Probability").unwrap().f64().unwrap();
    assert!(probabilities.iter().all(|p| (0.0..=1.0).contains(&p.unwrap())));
}

#[test]
fn counts_are_conserved_and_ordered() {
    let (topics, _) = fitted();
    let info = topics.get_topic_info().unwrap();
    let ids: Vec<i32> = info.column("Topic").unwrap().i32().unwrap().into_no_null_iter().collect();
    let counts: Vec<i64> = info.column("Count").unwrap().i64().unwrap().into_no_null_iter().collect();
    assert_eq!(counts.iter().sum::<i64>(), ROWS as i64);
    assert!(ids.is_sorted());
    assert_eq!(ids, topics.topic_ids());
    let sizes: Vec<i64> = ids.iter().zip(&counts).filter(|(id, _)| **id >= 0).map(|(_, count)| *count).collect();
    assert!(sizes.is_sorted_by(|a, b| a >= b), "topic 0 must be the largest: {sizes:?}");
    for (&id, &count) in ids.iter().zip(&counts) {
        assert_eq!(topics.labels().iter().filter(|&&topic| topic == id).count() as i64, count);
        assert_eq!(topics.topic_size(id), Some(count as usize));
    }
    let freq = topics.get_topic_freq().unwrap();
    let freq: Vec<i64> = freq.column("Count").unwrap().i64().unwrap().into_no_null_iter().collect();
    assert!(freq.is_sorted_by(|a, b| a >= b));
    assert_eq!(freq.iter().sum::<i64>(), ROWS as i64);
}

#[test]
fn the_topic_table_has_the_columns_of_bertopic() {
    let (topics, _) = fitted();
    let info = topics.get_topic_info().unwrap();
    let names: Vec<&str> = info.get_column_names().iter().map(|name| name.as_str()).collect();
    assert_eq!(names, ["Topic", "Count", "Name", "Representation", "Representative_Docs"]);
    let list = DataType::List(Box::new(DataType::String));
    let dtypes = [DataType::Int32, DataType::Int64, DataType::String, list.clone(), list];
    assert_eq!(info.dtypes(), dtypes);
    for (row, id) in topics.topic_ids().into_iter().enumerate() {
        let name = info.column("Name").unwrap().str().unwrap().get(row).unwrap();
        let words = topics.get_topic(id).unwrap();
        assert!(name.starts_with(&format!("{id}_{}_{}", words[0].0, words[1].0)), "{name}");
        assert!(words.len() <= 10 && words.is_sorted_by(|a, b| a.1 >= b.1), "{words:?}");
        assert!(words.iter().all(|(_, weight)| *weight > 0.0));
    }
    let one = topics.get_topic_info_of(0).unwrap();
    assert_eq!(one.height(), 1);
    assert_eq!(topics.get_topic_info_of(999).unwrap().height(), 0);
    assert_eq!(topics.get_topic(999), None);
    assert_eq!(topics.get_representative_docs(999), None);
    assert!(topics.topic_aspect("absent").is_err());
}

#[test]
fn representative_documents_are_rows_of_their_topic_best_first() {
    let (topics, _) = fitted();
    for id in topics.topic_ids() {
        let rows = topics.representative_rows(id).unwrap();
        assert_eq!(rows.len(), 3.min(topics.topic_size(id).unwrap()));
        assert!(rows.is_sorted_by(|a, b| a.1 > b.1 || (a.1 == b.1 && a.0 < b.0)), "{rows:?}");
        for &(row, score) in &rows {
            assert_eq!(topics.labels()[row], id);
            assert!((0.0..=1.0 + 1e-9).contains(&score));
        }
        let best = rows[0].1;
        let others = (0..ROWS).filter(|&row| topics.labels()[row] == id).map(|row| topics.terms().text_scores[row]);
        assert!(others.fold(0.0, f64::max) <= best);
        let docs = topics.get_representative_docs(id).unwrap();
        assert_eq!(docs.len(), rows.len());
        assert_eq!(docs[0], captions(ROWS)[rows[0].0]);
    }
}

#[test]
fn a_text_that_occurs_often_represents_its_topic_once() {
    let mut texts = captions(ROWS);
    texts.extend(std::iter::repeat_n("an apple on a plate, fruit".to_owned(), 20));
    let (topics, _) = model().fit_transform(&df!("caption" => texts).unwrap()).unwrap();
    for id in topics.topic_ids() {
        let mut docs = topics.get_representative_docs(id).unwrap();
        let count = docs.len();
        docs.sort();
        docs.dedup();
        assert_eq!(docs.len(), count, "topic {id}");
    }
}

#[test]
fn documents_are_told_with_their_topics() {
    let (topics, _) = fitted();
    let info = topics.get_document_info().unwrap();
    let names: Vec<&str> = info.get_column_names().iter().map(|name| name.as_str()).collect();
    let expected = [
        "caption",
        "Document",
        "Topic",
        "Name",
        "Representation",
        "Representative_Docs",
        "Top_n_words",
        "Probability",
        "Representative_document",
    ];
    assert_eq!(names, expected);
    assert_eq!(info.height(), ROWS);
    assert_eq!(strings(info.column("Document").unwrap()), captions(ROWS));
    let chosen = info.column("Representative_document").unwrap().bool().unwrap().sum().unwrap() as usize;
    let expected: usize = topics.topic_ids().iter().map(|&id| topics.representative_rows(id).unwrap().len()).sum();
    assert_eq!(chosen, expected);
}

#[test]
fn the_same_seed_gives_the_same_answer_on_any_number_of_threads() {
    let fit = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| model().fit_transform(&frame(ROWS)).unwrap())
    };
    let (first, frame) = fitted();
    for threads in [1, 3] {
        let (other, other_frame) = fit(threads);
        assert!(other_frame.equals_missing(frame), "{threads} threads");
        assert!(other.get_topic_info().unwrap().equals_missing(&first.get_topic_info().unwrap()));
        assert_eq!(other.get_topics(), first.get_topics());
    }
    // Another seed gives another layout, and so other strengths.
    let strengths = |model: TopicModel| model.bertopic().fit(&crate::corpora::frame(ROWS)).unwrap().probabilities();
    assert_ne!(strengths(model()), strengths(model().seed(7)));
}

#[test]
fn rows_of_the_fit_keep_their_topics_and_new_ones_find_theirs() {
    let (topics, output) = fitted();
    let again = topics.transform(&frame(ROWS)).unwrap();
    assert_eq!(
        again.column("Topic").unwrap().as_materialized_series(),
        output.column("Topic").unwrap().as_materialized_series()
    );
    let new = df!("caption" => ["a horse eating pet food, animals", "a cherry ripe and sweet, fruit", "", "a tram at the station, trains"]).unwrap();
    let all = topics.transform(&new).unwrap();
    let placed: Vec<i32> = all.column("Topic").unwrap().i32().unwrap().into_no_null_iter().collect();
    assert_eq!(placed[2], -1);
    for row in [0, 1, 3] {
        let alone = topics.transform(&new.slice(row as i64, 1)).unwrap();
        assert_eq!(
            alone.column("Topic").unwrap().i32().unwrap().get(0),
            Some(placed[row]),
            "rows must not depend on each other"
        );
    }
}

#[test]
fn unseen_texts_find_the_topic_of_their_theme() {
    let (topics, _) = fitted();
    let theme_of = |topic: i32| topics.labels().iter().position(|&t| t == topic).map(|row| row % 3);
    let new = [
        "a puppy and a kitten in the garden",
        "freight train on the rails at the station",
        "pear and apple juice in a bowl",
    ];
    let placed = topics.transform(&df!("caption" => new).unwrap()).unwrap();
    let placed: Vec<i32> = placed.column("Topic").unwrap().i32().unwrap().into_no_null_iter().collect();
    let right =
        placed.iter().enumerate().filter(|(theme, topic)| **topic >= 0 && theme_of(**topic) == Some(*theme)).count();
    assert!(right >= 2, "{placed:?}");
    assert!(placed.iter().enumerate().all(|(theme, &topic)| topic < 0 || theme_of(topic) == Some(theme)), "{placed:?}");
}

#[test]
fn vectors_of_the_frame_are_used_as_they_are() {
    #[derive(Debug)]
    struct Never;
    impl TextEmbedder for Never {
        fn dimensions(&self) -> usize {
            3
        }
        fn embed_texts(&self, _: &[&str], _: &Progress) -> Result<Array2<f32>> {
            panic!("an embedder ran although the frame has vectors")
        }
    }
    let embedded = model().embed(&frame(ROWS)).unwrap();
    assert_eq!(embedded.get_column_names(), ["caption", "embedding"]);
    let given = TopicModel::text("caption", Never).embeddings("embedding");
    let (topics, output) = given.fit_transform(&embedded).unwrap();
    let (expected, expected_frame) = fitted();
    assert_eq!(topics.labels(), expected.labels());
    assert!(output.equals_missing(expected_frame));
}

#[test]
fn blank_rows_are_outliers_and_are_counted() {
    let mut texts: Vec<Option<String>> = captions(ROWS).into_iter().map(Some).collect();
    texts.insert(0, None);
    texts.insert(50, Some("  \t ".into()));
    texts.push(Some(String::new()));
    let (topics, output) = model().fit_transform(&df!("caption" => texts).unwrap()).unwrap();
    let blank = [0, 50, ROWS + 2];
    assert_eq!(topics.summary().blank, 3);
    assert!(blank.iter().all(|&row| topics.labels()[row] == -1));
    assert_eq!(output.column("embedding").unwrap().null_count(), 3);
    // The other rows have the same results as without them.
    let others: Vec<i32> = (0..ROWS + 3).filter(|row| !blank.contains(row)).map(|row| topics.labels()[row]).collect();
    assert_eq!(others, fitted().0.labels());
    let info = topics.get_document_info().unwrap();
    assert_eq!(info.height(), ROWS + 3);
    assert_eq!(info.column("Document").unwrap().null_count(), 1);
}

#[test]
fn a_new_fit_replaces_the_columns_of_an_old_one() {
    let (_, output) = fitted();
    let (_, again) = model().fit_transform(output).unwrap();
    assert!(again.equals_missing(output));
}

#[test]
fn permuting_the_rows_changes_little() {
    let order: Vec<IdxSize> = (0..ROWS as IdxSize).map(|row| (row * 25) % ROWS as IdxSize).collect();
    let shuffled = frame(ROWS).take(&IdxCa::from_vec("".into(), order.clone())).unwrap();
    let (topics, _) = model().fit_transform(&shuffled).unwrap();
    let themes: Vec<usize> = order.iter().map(|&row| row as usize % 3).collect();
    let (expected, _) = fitted();
    let before = agreement(&expected.labels(), &crate::corpora::themes(ROWS));
    let after = agreement(&topics.labels(), &themes);
    assert!((before - after).abs() < 0.1, "{before} {after}");
}

#[test]
fn other_stages_plug_in() {
    let (topics, _) =
        model().reducer(Pca::new().n_components(3)).clusterer(KMeans::new(3)).fit_transform(&frame(ROWS)).unwrap();
    assert_eq!(topics.topic_ids(), [0, 1, 2]);
    assert!(agreement(&topics.labels(), &themes(ROWS)) > 0.8, "{:?}", topics.labels());
    assert_eq!(topics.summary().outliers, 0);

    let (topics, _) = model().reducer(NoReduction).fit_transform(&frame(ROWS)).unwrap();
    assert_eq!(topics.labels().len(), ROWS);
    let placed = topics.transform(&df!("caption" => ["a cat, animals"]).unwrap()).unwrap();
    assert_eq!(placed.height(), 1);
}

/// A custom stage: points in topics that are far apart, by the first letter.
#[derive(Debug)]
struct FirstLetter;

impl TextEmbedder for FirstLetter {
    fn dimensions(&self) -> usize {
        26
    }

    fn embed_texts(&self, texts: &[&str], _: &Progress) -> Result<Array2<f32>> {
        let mut vectors = Array2::zeros((texts.len(), 26));
        for (i, text) in texts.iter().enumerate() {
            let letter = text.bytes().next().unwrap_or(b'a').to_ascii_lowercase().clamp(b'a', b'z') - b'a';
            vectors[[i, letter as usize]] = 1.0;
        }
        Ok(vectors)
    }
}

#[test]
fn an_embedder_of_ones_own_plugs_in() {
    let texts: Vec<String> = (0..60).map(|i| format!("{} item {i}", ["alpha", "beta", "gamma"][i % 3])).collect();
    let (topics, _) = TopicModel::text("t", FirstLetter)
        .reducer(NoReduction)
        .clusterer(KMeans::new(3))
        .fit_transform(&df!("t" => texts).unwrap())
        .unwrap();
    assert_eq!(topics.get_topic_freq().unwrap().column("Count").unwrap().i64().unwrap().to_vec(), [Some(20); 3]);
    let all = topics.get_topics();
    let first: Vec<&str> = all.values().map(|words| words[0].0.as_str()).collect();
    assert_eq!(first.iter().filter(|word| ["alpha", "beta", "gamma"].contains(word)).count(), 3, "{first:?}");
}

/// Capitalizes words, to make a chain visible.
#[derive(Debug)]
struct Capitals;

impl Representation for Capitals {
    fn check(&self) -> Result<()> {
        Ok(())
    }

    fn describe(&self, context: &TopicContext<'_>, words: &TopicWords) -> Result<Aspect> {
        assert_eq!(context.topics.len(), words.len());
        let (text, vectorizer) = (context.texts.and_then(|texts| texts.get(0)), context.vectorizer);
        let terms = vectorizer.expect("texts were counted").analyze(&[text.expect("a text")])?;
        assert!(terms[0].iter().all(|term| context.vocabulary.contains(term)), "{terms:?}");
        let capitals = |words: &[(String, f64)]| words.iter().map(|(word, w)| (word.to_uppercase(), *w)).collect();
        Ok(Aspect::Words(words.iter().map(|(&topic, words)| (topic, capitals(words))).collect()))
    }
}

/// Keeps only the best word.
#[derive(Debug)]
struct Best;

impl Representation for Best {
    fn check(&self) -> Result<()> {
        Ok(())
    }

    fn describe(&self, _: &TopicContext<'_>, words: &TopicWords) -> Result<Aspect> {
        Ok(Aspect::Words(words.iter().map(|(&topic, words)| (topic, words[..1].to_vec())).collect()))
    }
}

#[test]
fn representations_chain_and_stand_side_by_side() {
    let (topics, _) = model()
        .representation("Loud", Capitals)
        .representation("Label", Best)
        .representation("Label", Capitals)
        .fit_transform(&frame(ROWS))
        .unwrap();
    let Aspect::Words(loud) = topics.topic_aspect("Loud").unwrap() else { panic!("words") };
    let Aspect::Words(label) = topics.topic_aspect("Label").unwrap() else { panic!("words") };
    for (topic, words) in topics.get_topics() {
        assert_eq!(label[&topic].len(), 1);
        assert_eq!(label[&topic][0].0, words[0].0.to_uppercase());
        assert!(loud[&topic].len() >= words.len(), "aspects receive all candidates");
    }
    let info = topics.get_topic_info().unwrap();
    let names: Vec<&str> = info.get_column_names().iter().map(|name| name.as_str()).collect();
    assert_eq!(names, ["Topic", "Count", "Name", "Representation", "Loud", "Label", "Representative_Docs"]);

    let (topics, _) = model().representation("Main", Capitals).fit_transform(&frame(ROWS)).unwrap();
    let name = topics.topic_label(0).unwrap();
    assert_eq!(name, name.to_uppercase());
    assert!(topics.topic_aspects().is_empty());
}

#[test]
fn pictures_stand_in_the_topic_table() {
    let folder = tempfile::tempdir().unwrap();
    let frame = frame_with_images(ROWS, folder.path());
    let (topics, _) = model()
        .with_images("image")
        .image_folder(folder.path())
        .representation("Visual_Aspect", VisualRepresentation::new().nr_repr_images(4))
        .fit_transform(&frame)
        .unwrap();
    assert_eq!(topics.labels(), fitted().0.labels(), "images do not change the clustering input");
    assert_eq!(topics.summary().images, Some(ROWS));
    let Aspect::Images(gallery) = topics.topic_aspect("Visual_Aspect").unwrap() else { panic!("pictures") };
    for id in topics.topic_ids() {
        let pictures = gallery.pictures(id);
        assert_eq!(pictures.len(), 4.min(topics.topic_size(id).unwrap()));
        assert!(pictures.iter().all(|picture| topics.labels()[picture.row] == id));
    }
    let info = topics.get_topic_info().unwrap();
    let collage = info.column("Visual_Aspect").unwrap().binary().unwrap().get(0).unwrap();
    let collage = image::load_from_memory(collage).unwrap();
    assert!(collage.height() > 100);
    let html = info.to_html();
    assert_eq!(html.matches("data:image/jpeg;base64,").count(), info.height());
    let paths = topics.get_topic_info_with_paths().unwrap();
    assert_eq!(paths.column("Visual_Aspect").unwrap().dtype(), &DataType::List(Box::new(DataType::String)));
}

#[test]
fn topic_embeddings_are_the_means_of_their_rows() {
    let (topics, output) = fitted();
    let column = output.column("embedding").unwrap().array().unwrap().clone();
    let flat = column.rechunk().get_inner().f32().unwrap().to_vec_null_aware().left().unwrap();
    let all = ArrayView2::from_shape((ROWS, topics.summary().dimensions), &flat).unwrap();
    let means = topics.topic_embeddings();
    assert_eq!(means.len(), topics.topic_ids().len());
    let rows: Vec<usize> = (0..ROWS).filter(|&row| topics.labels()[row] == 0).collect();
    let mean = all.select(ndarray::Axis(0), &rows).mean_axis(ndarray::Axis(0)).unwrap();
    assert!(mean.iter().zip(&means[&0]).all(|(a, b)| (a - b).abs() < 1e-6));
}

#[test]
fn public_types_can_cross_threads_and_be_kept() {
    fn check<T: Send + Sync + Clone + std::fmt::Debug + 'static>() {}
    check::<TopicModel>();
    check::<FittedTopicModel>();
    check::<StaticEmbedder>();
    check::<topicframe::error::Error>();
}
