//! Finding topics by a text or an image.

use topicframe::polars::prelude::*;
use topicframe::prelude::*;

use crate::colors::{Eye, EyeAndEar, NAMES, image_frame, pictures, png, text_and_image_frame, texts, theme_of};

const ROWS: usize = 60;

fn plain(model: TopicModel) -> TopicModel {
    model.reducer(NoReduction).clusterer(KMeans::new(3))
}

fn parts(found: &DataFrame) -> (Vec<i32>, Vec<f64>) {
    assert_eq!(found.get_column_names(), ["Topic", "Name", "Similarity"]);
    assert_eq!(found.dtypes(), [DataType::Int32, DataType::String, DataType::Float64]);
    let topics = found.column("Topic").unwrap().i32().unwrap().into_no_null_iter().collect();
    (topics, found.column("Similarity").unwrap().f64().unwrap().into_no_null_iter().collect())
}

#[test]
fn texts_find_topics_of_texts() {
    let frame = crate::corpora::frame(108);
    let topics = TopicModel::text("caption", StaticEmbedder::builtin()).fit(&frame).unwrap();
    for (query, word) in [("a dog and a cat", "animals"), ("railway", "trains"), ("banana", "fruit")] {
        let found = topics.find_topics(query, 5).unwrap();
        let (ids, similarities) = parts(&found);
        let words = topics.get_topic(ids[0]).unwrap();
        assert!(words.iter().any(|(w, _)| w == word), "{query}: {words:?}");
        assert!(similarities.is_sorted_by(|a, b| a >= b) && similarities.iter().all(|s| (-1.0..=1.0).contains(s)));
        assert!(!ids.contains(&-1), "outliers are not a topic");
        assert_eq!(ids.len(), 5.min(topics.summary().topics));
        let name = found.column("Name").unwrap().str().unwrap().get(0).map(str::to_owned);
        assert_eq!(name, topics.topic_label(ids[0]));
    }
    assert_eq!(topics.find_topics("banana", 1).unwrap().height(), 1);
    let (all, _) = parts(&topics.find_topics("banana", 1000).unwrap());
    assert_eq!(all.len(), topics.summary().topics);
}

#[test]
fn texts_and_images_find_topics_of_images() {
    let topics = plain(TopicModel::images("image", EyeAndEar)).fit(&image_frame(ROWS)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (theme, name) in NAMES.iter().enumerate() {
        let (by_text, _) = parts(&topics.find_topics(name, 3).unwrap());
        assert_eq!(theme_of(&topics.labels(), by_text[0]), theme);
        let bytes = png(theme, 777);
        let (by_bytes, similarities) = parts(&topics.find_topics_by_image(bytes.as_slice(), 3).unwrap());
        assert_eq!(theme_of(&topics.labels(), by_bytes[0]), theme);
        assert!(similarities[0] > 0.9);
        let path = folder.path().join("query.png");
        std::fs::write(&path, &bytes).unwrap();
        let by_path = parts(&topics.find_topics_by_image(path.as_path(), 3).unwrap());
        assert_eq!(by_path, (by_bytes, similarities));
    }
}

#[test]
fn texts_and_images_find_topics_of_both() {
    let frame = text_and_image_frame(&texts(ROWS), &pictures(ROWS));
    for fusion in [Fusion::new(), Fusion::new().center(true)] {
        let topics = plain(TopicModel::text_and_images("text", "image", EyeAndEar)).fusion(fusion).fit(&frame).unwrap();
        for (theme, name) in NAMES.iter().enumerate() {
            let (by_text, _) = parts(&topics.find_topics(name, 1).unwrap());
            let (by_image, _) = parts(&topics.find_topics_by_image(png(theme, 9).as_slice(), 1).unwrap());
            assert_eq!(theme_of(&topics.labels(), by_text[0]), theme);
            assert_eq!(by_image, by_text);
        }
    }
}

#[test]
fn equally_near_topics_come_by_their_number() {
    let topics = plain(TopicModel::images("image", EyeAndEar)).fit(&image_frame(ROWS)).unwrap();
    // `red` and `green` in one query: two topics are about equally close, the third is far away.
    let (ids, similarities) = parts(&topics.find_topics("red green", 3).unwrap());
    assert_eq!(theme_of(&topics.labels(), ids[2]), 2);
    assert!(similarities[1] - similarities[2] > 0.3);
    let again = parts(&topics.find_topics("red green", 3).unwrap());
    assert_eq!(again, (ids, similarities));
}

#[test]
fn what_cannot_be_looked_for_is_an_error() {
    let frame = image_frame(ROWS);
    let deaf = plain(TopicModel::images("image", Eye)).fit(&frame).unwrap();
    let error = deaf.find_topics("red", 5).unwrap_err();
    assert!(format!("{error:#}").contains("no embedder for texts"), "{error:#}");
    assert!(deaf.find_topics_by_image(png(0, 0).as_slice(), 5).is_ok());

    let text = TopicModel::text("caption", StaticEmbedder::builtin()).fit(&crate::corpora::frame(108)).unwrap();
    let error = text.find_topics_by_image("cat.png", 5).unwrap_err();
    assert!(format!("{error:#}").contains("no embedder for images"), "{error:#}");
    for query in ["", "  ", "\u{1F600}"] {
        assert_eq!(text.find_topics(query, 5).unwrap_err().kind(), ErrorKind::InvalidData, "{query:?}");
    }
    // Before the query is embedded, which would fail, too.
    for refused in [text.find_topics("", 0), text.find_topics("cat", 0), deaf.find_topics_by_image("/nowhere.png", 0)] {
        assert!(refused.map_err(|error| format!("{error:#}")).unwrap_err().contains("top_n"));
    }

    let topics = plain(TopicModel::images("image", EyeAndEar)).fit(&frame).unwrap();
    let error = topics.find_topics_by_image("/nowhere/cat.png", 5).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Image);
    assert!(error.path().is_some(), "{error:#}");
    assert_eq!(topics.find_topics_by_image(b"no picture".as_slice(), 5).unwrap_err().kind(), ErrorKind::Image);

    // Vectors from a column computed by another model.
    let embedded = plain(TopicModel::images("image", Eye)).embed(&frame).unwrap();
    let given = plain(TopicModel::images("image", NoEmbedder)).embeddings("embedding").fit(&embedded).unwrap();
    assert!(given.find_topics("red", 5).is_err() && given.find_topics_by_image("cat.png", 5).is_err());
    let mut other = crate::corpora::frame(ROWS);
    other.with_column(embedded.column("embedding").unwrap().clone()).unwrap();
    let given =
        plain(TopicModel::text("caption", StaticEmbedder::builtin())).embeddings("embedding").fit(&other).unwrap();
    let error = given.find_topics("cat", 5).unwrap_err();
    assert!(format!("{error:#}").contains("those in the fit had 3"), "{error:#}");
}
