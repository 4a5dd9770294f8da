//! Finding documents and similar topics, and the table of documents for new rows.

use topicframe::polars::prelude::*;
use topicframe::prelude::*;

use crate::colors::{EyeAndEar, NAMES, image_frame, png};

fn frame() -> DataFrame {
    let mut frame = crate::corpora::frame(108);
    frame.with_column(Column::new("number".into(), (0..108).collect::<Vec<i32>>())).unwrap();
    frame
}

fn fitted() -> FittedTopicModel {
    let model = TopicModel::text("caption", StaticEmbedder::builtin());
    model.reducer(NoReduction).clusterer(KMeans::new(3)).fit(&frame()).unwrap()
}

fn rows(found: &DataFrame) -> Vec<u32> {
    found.column("Row").unwrap().u32().unwrap().into_no_null_iter().collect()
}

#[test]
fn the_nearest_documents_come_with_their_columns() {
    let topics = fitted();
    let found = topics.find_documents("a kitten with fur", 10).unwrap();
    assert_eq!(found.get_column_names(), ["caption", "number", "Row", "Topic", "Score"]);
    assert_eq!(found.dtypes()[2..], [DataType::UInt32, DataType::Int32, DataType::Float64]);
    let scores: Vec<f64> = found.column("Score").unwrap().f64().unwrap().into_no_null_iter().collect();
    assert!(scores.is_sorted_by(|a, b| a >= b) && scores.iter().all(|score| (-1.0..=1.0).contains(score)));
    let numbers = found.column("number").unwrap().i32().unwrap();
    for (at, &row) in rows(&found).iter().enumerate() {
        assert_eq!(numbers.get(at), Some(row as i32));
        assert_eq!(found.column("Topic").unwrap().i32().unwrap().get(at), Some(topics.labels()[row as usize]));
        assert_eq!(row % 3, 0, "an animal");
    }
    let first = found.column("caption").unwrap().str().unwrap().get(0).unwrap().to_owned();
    assert!(first.contains("kitten"), "{first}");
    // All of them, and no more.
    assert_eq!(topics.find_documents("a kitten", 1000).unwrap().height(), 108);
}

#[test]
fn a_search_can_be_restricted_to_a_topic_and_to_rows() {
    let topics = fitted();
    let trains = topics.labels()[1];
    let found = topics.find_documents("a kitten with fur", DocumentSearch::new(50).topic(trains)).unwrap();
    assert_eq!(found.height(), 36);
    assert!(rows(&found).iter().all(|&row| topics.labels()[row as usize] == trains));
    let mask: BooleanChunked = (0..108).map(|row| if row == 7 { None } else { Some(row < 12) }).collect();
    let search = DocumentSearch::new(50).filter(&mask);
    let mut found = rows(&topics.find_documents("a kitten", search.clone()).unwrap());
    found.sort_unstable();
    assert_eq!(found, [0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11], "null is false");
    let mut found = rows(&topics.find_documents("a kitten", search.topic(trains)).unwrap());
    found.sort_unstable();
    assert_eq!(found, [1, 4, 10]);
    let nothing = DocumentSearch::new(5).filter(&BooleanChunked::full("mask".into(), false, 108));
    let found = topics.find_documents("a kitten", nothing).unwrap();
    assert_eq!((found.height(), found.width()), (0, 5));
    assert_eq!(topics.find_documents("a kitten", DocumentSearch::new(5).topic(-1)).unwrap().height(), 0);
}

#[test]
fn documents_are_found_by_image_and_images_by_text() {
    let model = TopicModel::images("image", EyeAndEar).reducer(NoReduction).clusterer(KMeans::new(3));
    let topics = model.fit(&image_frame(30)).unwrap();
    for (theme, name) in NAMES.iter().enumerate() {
        let by_text = topics.find_documents(name, 5).unwrap();
        let bytes = png(theme, 777);
        let by_image = topics.find_documents_by_image(bytes.as_slice(), 5).unwrap();
        for found in [by_text, by_image] {
            assert!(rows(&found).iter().all(|&row| row as usize % 3 == theme), "{found}");
            assert_eq!(found.get_column_names(), ["number", "image", "Row", "Topic", "Score"]);
        }
    }
}

#[test]
fn searches_that_cannot_work_say_why() {
    let topics = fitted();
    let kind = |search: DocumentSearch| topics.find_documents("a kitten", search).unwrap_err();
    let error = kind(DocumentSearch::new(0));
    assert_eq!((error.kind(), error.parameter()), (ErrorKind::InvalidParameter, Some("top_n")));
    let error = kind(DocumentSearch::new(3).topic(99));
    assert!(error.kind() == ErrorKind::NotFound && error.to_string().contains("there is no topic 99"), "{error}");
    let error = kind(DocumentSearch::new(3).filter(&BooleanChunked::full("mask".into(), true, 107)));
    assert!(error.to_string().contains("the mask has 107 rows, but the fitted frame has 108"), "{error}");
    let error = topics.find_documents("  ", 3).unwrap_err();
    assert!(error.to_string().contains("no word known"), "{error}");
    let error = topics.find_documents_by_image("no.png", 3).unwrap_err();
    assert!(error.to_string().contains("no embedder for images"), "{error}");
    let error = topics.without_data().find_documents("a kitten", 3).unwrap_err();
    assert!(error.to_string().contains("find_documents needs the rows"), "{error}");

    let posts = topics.transform(&frame()).unwrap();
    let model = TopicModel::text("caption", NoEmbedder).embeddings("embedding");
    let given = model.reducer(NoReduction).clusterer(KMeans::new(3)).fit(&posts).unwrap();
    let error = given.find_documents("a kitten", 3).unwrap_err();
    assert!(error.to_string().contains("no embedder for texts"), "{error}");
    let found = given.with_embedder(StaticEmbedder::builtin()).unwrap().find_documents("a kitten", 3).unwrap();
    assert_eq!(rows(&found), rows(&topics.find_documents("a kitten", 3).unwrap()));
}

#[test]
fn similar_topics_are_those_with_near_means() {
    let posts = df!("text" => ["the cat sleeps", "the dog sleeps", "a fast train"].repeat(10)).unwrap();
    let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(3));
    let topics = model.fit(&posts).unwrap();
    let labels = topics.labels();
    let found = topics.similar_topics(labels[1], 5).unwrap();
    assert_eq!(found.get_column_names(), ["Topic", "Name", "Similarity"]);
    assert_eq!(found.column("Topic").unwrap().i32().unwrap().to_vec(), [Some(labels[0]), Some(labels[2])]);
    let means = topics.topic_embeddings();
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    let (a, b) = (&means[&labels[0]], &means[&labels[1]]);
    let cosine = dot(a, b) / (dot(a, a) * dot(b, b)).sqrt();
    assert!((found.column("Similarity").unwrap().f64().unwrap().get(0).unwrap() - cosine).abs() < 1e-9);
    assert_eq!(topics.similar_topics(0, 1).unwrap().height(), 1);
    assert_eq!(topics.without_data().similar_topics(0, 5).unwrap().height(), 2);
    assert_eq!(topics.similar_topics(7, 5).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(topics.similar_topics(-1, 5).unwrap_err().kind(), ErrorKind::NotFound, "no outliers here");
    assert_eq!(topics.similar_topics(0, 0).unwrap_err().parameter(), Some("top_n"));
}

#[test]
fn new_documents_have_bertopics_columns() {
    let model = TopicModel::text("caption", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(3));
    let topics = model.representation("Diverse", MaximalMarginalRelevance::new().diversity(0.5)).fit(&frame()).unwrap();
    let columns = [
        "Document",
        "Topic",
        "Name",
        "Representation",
        "Diverse",
        "Representative_Docs",
        "Top_n_words",
        "Probability",
        "Representative_document",
    ];
    let fitted = topics.get_document_info().unwrap();
    assert_eq!(fitted.get_column_names(), [&["caption", "number"][..], &columns].concat());
    // The rows of the fit, as if they were new.
    let again = topics.get_document_info_of(&frame()).unwrap();
    assert_eq!(again.get_column_names(), fitted.get_column_names());
    for name in &columns[..8] {
        assert!(again.column(name).unwrap().equals_missing(fitted.column(name).unwrap()), "{name}");
    }
    let marked = |frame: &DataFrame| frame.column("Representative_document").unwrap().bool().unwrap().sum();
    assert_eq!(marked(&fitted), Some(9));
    // Texts that occur twice are marked twice, as in BERTopic.
    assert!(marked(&again) >= marked(&fitted));

    let new = df!("caption" => [Some("a tram"), None], "Topic" => ["mine", "mine"], "id" => [1, 2]).unwrap();
    let info = topics.without_data().get_document_info_of(&new).unwrap();
    assert_eq!(info.get_column_names(), [&["caption", "id"][..], &columns].concat());
    let labels = info.column("Topic").unwrap().i32().unwrap().to_vec();
    assert_eq!(labels, [Some(topics.labels()[1]), Some(-1)]);
    // There are no outliers in the fit, so they have no words.
    assert_eq!(info.column("Name").unwrap().str().unwrap().get(1), Some("-1"));
    assert_eq!(info.column("Document").unwrap().null_count(), 1);
    assert_eq!(marked(&info), Some(0));
    let error = topics.get_document_info_of(&df!("title" => ["a tram"]).unwrap()).unwrap_err();
    assert_eq!((error.kind(), error.column()), (ErrorKind::MissingColumn, Some("caption")));
}

#[test]
fn images_are_documents_without_a_text() {
    let visual = VisualRepresentation::new().nr_repr_images(2);
    let model = TopicModel::images("image", EyeAndEar).reducer(NoReduction).clusterer(KMeans::new(3));
    let topics = model.representation("Visual_Aspect", visual).fit(&image_frame(30)).unwrap();
    for info in [topics.get_document_info().unwrap(), topics.get_document_info_of(&image_frame(30)).unwrap()] {
        assert_eq!(info.column("Document").unwrap().null_count(), 30);
        let topics_of_rows: Vec<i32> = info.column("Topic").unwrap().i32().unwrap().into_no_null_iter().collect();
        assert_eq!(topics_of_rows, topics.labels());
        assert_eq!(info.column("Visual_Aspect").unwrap().dtype(), &DataType::List(Box::new(DataType::String)));
    }
}

#[test]
fn an_outlier_of_a_model_without_outliers_has_the_name_of_one() {
    let posts = df!("text" => ["the cat sleeps", "a fast train"].repeat(10)).unwrap();
    let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
    let topics = model.representation("MMR", MaximalMarginalRelevance::new()).fit(&posts).unwrap();
    assert_eq!(topics.topic_ids(), [0, 1]);
    let new = df!("text" => [Some("the cat sleeps"), Some("  "), None]).unwrap();
    for topics in [topics.clone(), topics.set_topic_labels([(0, "Zero")]).unwrap(), topics.without_data()] {
        let info = topics.get_document_info_of(&new).unwrap();
        assert_eq!(
            info.column("Topic").unwrap().i32().unwrap().to_vec(),
            [Some(topics.labels()[0]), Some(-1), Some(-1)]
        );
        for column in info.columns().iter().filter(|column| !["text", "Document"].contains(&column.name().as_str())) {
            assert_eq!(column.null_count(), 0, "{}", column.name());
        }
        let names = info.column("Name").unwrap().str().unwrap().clone();
        assert_eq!((names.get(1), names.get(2)), (Some("-1"), Some("-1")));
        assert_eq!(names.get(0).map(str::to_owned), topics.topic_name(topics.labels()[0]));
        for list in ["Representation", "MMR", "Representative_Docs"] {
            let words = info.column(list).unwrap().list().unwrap().get_as_series(1).unwrap();
            assert!(words.is_empty(), "{list}");
        }
        assert_eq!(info.column("Top_n_words").unwrap().str().unwrap().get(1), Some(""));
        if let Ok(labels) = info.column("CustomName") {
            assert_eq!(labels.str().unwrap().get(1), Some("-1"));
        }
    }
    // The label that outliers had before they were gone.
    let named = topics.with_outliers(0.1).unwrap().set_topic_labels([(-1, "Rest")]).unwrap();
    let none = named.with_outliers(Outliers::AsClustered).unwrap();
    let info = none.set_topic_labels([(0, "Zero")]).unwrap().get_document_info_of(&new).unwrap();
    assert_eq!(info.column("CustomName").unwrap().str().unwrap().get(1), Some("Rest"));
}
