//! Saved models without their documents: what needs none works, edits too, and the rest says why not. Captioners.

#[cfg(feature = "models")]
use std::fs;
use std::path::Path;

use topicframe::model::{SaveOptions, SavedVectors};
use topicframe::prelude::*;

use crate::colors::{Eye, EyeAndEar, Namer, image_frame, pictures, text_and_image_frame, texts};
use crate::corpora::{captions, frame};
use crate::saved::{Edit, contents, text};

fn saved(topics: &FittedTopicModel, options: &SaveOptions) -> (tempfile::TempDir, FittedTopicModel) {
    let folder = tempfile::tempdir().unwrap();
    topics.save_with(folder.path(), options).unwrap();
    let loaded = FittedTopicModel::load(folder.path()).unwrap();
    (folder, loaded)
}

fn without_documents() -> SaveOptions {
    SaveOptions::new().documents(false)
}

fn has(folder: &Path, text: &str) -> bool {
    contents(folder).values().any(|bytes| bytes.windows(text.len()).any(|window| window == text.as_bytes()))
}

const EDITS: [(&str, Edit); 7] = [
    ("reduce", |topics| topics.reduce_topics(2)),
    ("merge", |topics| topics.merge_topics(&[&[0, 1]])),
    ("set aside", |topics| topics.merge_topics(&[&[-1, 1]])),
    ("at", |topics| topics.at(4)),
    ("weights", |topics| topics.with_ctfidf(ClassTfIdf::new())),
    ("outliers", |topics| topics.with_outliers(0.2)?.merge_topics(&[&[0, 1]])),
    ("no outliers", |topics| topics.with_outliers(Outliers::None)),
];

/// All that a model says of its topics without documents.
fn said(topics: &FittedTopicModel, new: &DataFrame) -> Vec<(&'static str, String)> {
    let (ids, terms) = (topics.topic_ids(), topics.terms());
    let rows: Vec<_> = ids.iter().map(|&id| topics.representative_rows(id)).collect();
    vec![
        ("labels", format!("{:?} {:?}", topics.labels(), topics.probabilities())),
        ("words", format!("{:?} {:?}", topics.get_topics(), topics.topic_aspects())),
        ("terms", format!("{:?} {:?} {:?}", terms.counts, terms.c_tf_idf, terms.text_scores)),
        ("means", format!("{:?}", topics.topic_embeddings())),
        ("representatives", format!("{rows:?}")),
        ("history", format!("{:?}", topics.history())),
        ("summary", format!("{:?}", topics.summary())),
        ("layers", text(topics.layers())),
        ("topics at", text(topics.topics_at(&[2, 3]))),
        ("new rows", text(topics.transform(new))),
    ]
}

fn assert_same(a: &FittedTopicModel, b: &FittedTopicModel, new: &DataFrame, edit: &str) {
    for ((what, a), (_, b)) in said(a, new).into_iter().zip(said(b, new)) {
        assert!(a == b, "{edit}, {what}:\n{a:.2000}\n{b:.2000}");
    }
}

/// Edits of the model that was saved without its documents are those of the fitted one, also when they are saved again.
fn check(topics: &FittedTopicModel, new: &DataFrame, give: impl Fn(FittedTopicModel) -> FittedTopicModel) {
    let (_folder, loaded) = saved(topics, &without_documents());
    let loaded = give(loaded);
    assert_same(&loaded, topics, new, "none");
    for (name, edit) in EDITS {
        match (edit(topics), edit(&loaded)) {
            (Ok(fitted), Ok(edited)) => {
                assert_same(&edited, &fitted, new, name);
                assert_eq!(edited.get_representative_docs(0), Some(Vec::new()), "{name}");
                // By default, and as it was saved before: there are no documents.
                for options in [SaveOptions::new(), without_documents()] {
                    let (_folder, again) = saved(&edited, &options);
                    assert_same(&give(again), &fitted, new, name);
                }
            }
            (Err(fitted), Err(edited)) => assert_eq!(format!("{fitted:#}"), format!("{edited:#}"), "{name}"),
            (fitted, edited) => panic!("{name}: {fitted:?} {edited:?}"),
        }
    }
}

fn by_text() -> TopicModel {
    TopicModel::text("caption", StaticEmbedder::builtin())
}

#[test]
fn saved_without_documents_a_model_of_texts_can_be_edited() {
    // With duplicates, of which only one represents a topic.
    let (frame, new) = (frame(150), df!("caption" => captions(5)).unwrap());
    let stages: [fn(TopicModel) -> TopicModel; 3] = [
        |model| model.representation("Diverse", MaximalMarginalRelevance::new().diversity(0.3)),
        |model| model.reducer(NoReduction).clusterer(KMeans::new(5)).representatives(Representatives::Coverage),
        |model| model.bertopic().min_topic_size(8),
    ];
    for stages in stages {
        check(&stages(by_text()).fit(&frame).unwrap(), &new, |loaded| loaded);
    }
}

#[test]
fn saved_without_documents_a_model_of_images_can_be_edited() {
    let plain = |model: TopicModel| model.reducer(NoReduction).clusterer(KMeans::new(4));
    let (frame, new) = (image_frame(60), image_frame(7));
    let give = |loaded: FittedTopicModel| loaded.with_image_embedder(Eye).unwrap();
    check(&plain(TopicModel::images("image", Eye)).fit(&frame).unwrap(), &new, give);
    let frame = text_and_image_frame(&texts(60), &pictures(60));
    let model = plain(TopicModel::text_and_images("text", "image", EyeAndEar));
    let give =
        |loaded: FittedTopicModel| loaded.with_embedder(EyeAndEar).unwrap().with_image_embedder(EyeAndEar).unwrap();
    check(&model.fit(&frame).unwrap(), &frame.slice(5, 9), give);
}

#[test]
fn saved_without_documents_captions_stay_out_and_their_words_stay() {
    let model = TopicModel::images("image", Eye).captioner(Namer::default()).reducer(NoReduction);
    let topics = model.clusterer(KMeans::new(3)).fit(&image_frame(60)).unwrap();
    let caption = topics.captions().into_values().next().unwrap();
    let (folder, loaded) = saved(&topics, &without_documents());
    assert!(!has(folder.path(), &caption) && loaded.captions().is_empty());
    let (fitted, edited) = (topics.merge_topics(&[&[0, 1]]).unwrap(), loaded.merge_topics(&[&[0, 1]]).unwrap());
    assert_eq!(edited.get_topics(), fitted.get_topics());
    // One row for each distinct caption.
    assert_eq!(edited.representative_rows(0), fitted.representative_rows(0));
    assert!(!fitted.get_topic(0).unwrap().is_empty());
}

#[test]
fn saved_without_documents_a_representation_that_reads_them_says_so() {
    let plain = |model: TopicModel| model.reducer(NoReduction).clusterer(KMeans::new(3));
    let topics = plain(by_text()).representation("KeyBERT", KeyBERTInspired::new()).fit(&frame(60)).unwrap();
    let (_folder, loaded) = saved(&topics, &without_documents());
    assert_eq!(loaded.topic_aspects().len(), 1);
    for (name, edit) in EDITS.into_iter().filter(|(name, _)| *name != "at") {
        let error = edit(&loaded).unwrap_err();
        assert!(error.to_string().contains("`KeyBERT` needs the texts of the fit"), "{name}: {error}");
        assert!(format!("{error:#}").contains("with_representation"), "{name}: {error:#}");
    }
    let replaced = loaded.with_representation("KeyBERT", MaximalMarginalRelevance::new()).unwrap();
    assert_eq!(replaced.merge_topics(&[&[0, 1]]).unwrap().topic_aspects().len(), 1);

    let model = plain(TopicModel::images("image", Eye)).representation("Pictures", VisualRepresentation::new());
    let (_folder, loaded) = saved(&model.fit(&image_frame(30)).unwrap(), &without_documents());
    let error = loaded.merge_topics(&[&[0, 1]]).unwrap_err();
    assert!(error.to_string().contains("`Pictures` needs the images of the fit"), "{error}");
}

#[test]
fn saved_without_term_counts_or_vectors_a_model_cannot_be_edited() {
    let topics = by_text().reducer(NoReduction).clusterer(KMeans::new(3)).fit(&frame(60)).unwrap();
    let (folder, _) = saved(&topics, &without_documents());
    assert!(has(folder.path(), "counts_of_documents"));
    for options in [without_documents().term_counts(false), without_documents().vectors(SavedVectors::None)] {
        let (folder, loaded) = saved(&topics, &options);
        assert!(!has(folder.path(), "counts_of_documents"), "{options:?}");
        assert_eq!((loaded.get_topics(), loaded.labels()), (topics.get_topics(), topics.labels()));
        for (name, edit) in EDITS {
            let error = edit(&loaded).unwrap_err();
            assert!(format!("{error:#}").contains("its vectors and term counts"), "{name}: {error:#}");
        }
        assert!(loaded.transform(&frame(5)).is_ok());
        // What is not there cannot be saved later.
        let (_folder, again) = saved(&loaded, &SaveOptions::new());
        assert!(again.merge_topics(&[&[0, 1]]).is_err() && again.get_topics() == topics.get_topics());
    }
    // With the documents, term counts are needed.
    let (_folder, loaded) = saved(&topics, &SaveOptions::new().term_counts(false));
    assert!(loaded.merge_topics(&[&[0, 1]]).is_ok() && loaded.get_document_info().is_ok());
}

#[test]
fn saved_captioners_of_a_users_own_are_named_when_they_are_missing() {
    let model = TopicModel::images("image", Eye).captioner(Namer::default()).reducer(NoReduction);
    let topics = model.clusterer(KMeans::new(3)).fit(&image_frame(30)).unwrap();
    let (_folder, loaded) = saved(&topics, &SaveOptions::new());
    assert_eq!(loaded.captions(), topics.captions());
    let bytes = pictures(1).remove(0).unwrap();
    let images = [ImageSource::from(bytes.as_slice())];
    let caption = |topics: &FittedTopicModel| topics.captioner().unwrap().caption_images(&images, &Progress::silent());
    let error = caption(&loaded).unwrap_err();
    assert!(error.to_string().contains("the captioner `Namer"), "{error}");
    assert!(format!("{error:#}").contains("topics.with_captioner("), "{error:#}");
    assert_eq!(caption(&loaded.with_captioner(Namer::default())).unwrap(), caption(&topics).unwrap());
}

#[test]
fn saved_captioners_of_a_representation_are_those_of_the_model() {
    let visual = VisualRepresentation::new().nr_repr_images(2).image_to_text_model(Namer::default());
    let model = TopicModel::images("image", Eye).reducer(NoReduction).clusterer(KMeans::new(3));
    let topics = model.representation("Visual_Aspect", visual).fit(&image_frame(30)).unwrap();
    assert!(!topics.captions().is_empty());
    let (_folder, loaded) = saved(&topics, &SaveOptions::new());
    assert_eq!(loaded.captions(), topics.captions());
    assert_eq!(format!("{:?}", loaded.summary()), format!("{:?}", topics.summary()));
    let given = loaded.with_captioner(Namer::default());
    let bytes = pictures(1).remove(0).unwrap();
    let images = [ImageSource::from(bytes.as_slice())];
    let caption = |topics: &FittedTopicModel| topics.captioner().unwrap().caption_images(&images, &Progress::silent());
    assert_eq!(caption(&given).unwrap(), caption(&topics).unwrap());
}

#[cfg(feature = "models")]
#[test]
fn saved_captioners_are_loaded_again_with_their_settings() {
    let folder = tempfile::tempdir().unwrap();
    let (model, moved) = (folder.path().join("captioner"), folder.path().join("moved"));
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models/vit_gpt2/same");
    fs::create_dir(&model).unwrap();
    for file in fs::read_dir(fixture).unwrap().map(|entry| entry.unwrap().path()) {
        fs::copy(&file, model.join(file.file_name().unwrap())).unwrap();
    }
    let captioner = Captioner::from_dir(&model).unwrap().max_length(7).num_beams(2).batch_size(3);
    let plain = TopicModel::images("image", Eye).reducer(NoReduction).clusterer(KMeans::new(3));
    let topics = plain.captioner(captioner).nr_captioned_images(1).fit(&image_frame(12)).unwrap();
    let bytes = pictures(1).remove(0).unwrap();
    let caption = |topics: &FittedTopicModel| {
        topics.captioner().unwrap().caption_images(&[ImageSource::from(bytes.as_slice())], &Progress::silent())
    };
    let expected = caption(&topics).unwrap();
    let shorter = topics.with_captioner(Captioner::from_dir(&model).unwrap().max_length(4));
    assert_ne!(caption(&shorter).unwrap(), expected, "the settings matter");

    let (saved_folder, loaded) = saved(&topics, &SaveOptions::new());
    assert_eq!(caption(&loaded).unwrap(), expected);
    // Saved again before and after it was loaded, it is the same.
    let (again, _) = saved(&loaded, &SaveOptions::new());
    assert!(contents(again.path()) == contents(saved_folder.path()));

    fs::rename(&model, &moved).unwrap();
    let missing = FittedTopicModel::load(saved_folder.path()).unwrap();
    assert_eq!(missing.captions(), topics.captions());
    let error = caption(&missing).unwrap_err();
    assert!(error.to_string().contains("does not exist") && error.to_string().contains("Captioner("), "{error}");
    assert!(format!("{error:#}").contains("topics.with_captioner("), "{error:#}");
    let given = Captioner::from_dir(&moved).unwrap().max_length(7).num_beams(2);
    assert_eq!(caption(&missing.with_captioner(given)).unwrap(), expected);

    // Another model in its place.
    fs::rename(&moved, &model).unwrap();
    let config = fs::read_to_string(model.join("config.json")).unwrap();
    fs::write(model.join("config.json"), config + "\n").unwrap();
    let error = caption(&FittedTopicModel::load(saved_folder.path()).unwrap()).unwrap_err();
    assert!(error.to_string().contains("another one than at the time of saving"), "{error}");
}
