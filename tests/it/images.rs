//! Image-only models.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use topicframe::error::Result;
use topicframe::polars::prelude::*;
use topicframe::prelude::*;

use crate::colors::{
    Eye, EyeAndEar, NAMES, Namer, Never, column_of_topics, framed, image_frame, pictures, png, theme_of,
};
use crate::notes::Notes;

const ROWS: usize = 60;

fn plain(model: TopicModel) -> TopicModel {
    model.reducer(NoReduction).clusterer(KMeans::new(3))
}

fn model() -> TopicModel {
    plain(TopicModel::images("image", Eye))
}

fn error_of(model: &TopicModel, frame: &DataFrame) -> Error {
    model.fit(frame).map(|_| ()).unwrap_err()
}

#[test]
fn pictures_of_a_kind_become_a_topic_with_words_from_captions() {
    let namer = Namer::default();
    let (topics, frame) = model().captioner(namer.clone()).fit_transform(&image_frame(ROWS)).unwrap();
    assert_eq!(topics.topic_ids(), [0, 1, 2]);
    for id in topics.topic_ids() {
        let theme = theme_of(&topics.labels(), id);
        assert_eq!(topics.topic_size(id), Some(ROWS / 3));
        let words = topics.get_topic(id).unwrap();
        let words: Vec<&str> = words.iter().map(|(word, _)| word.as_str()).collect();
        assert!(words.contains(&NAMES[theme]), "{words:?}");
        assert!(NAMES.iter().enumerate().all(|(other, name)| other == theme || !words.contains(name)), "{words:?}");
        assert!(topics.topic_label(id).unwrap().contains(NAMES[theme]));
        let docs = topics.get_representative_docs(id).unwrap();
        assert!(!docs.is_empty() && docs.iter().all(|doc| doc.contains(NAMES[theme])), "{docs:?}");
    }
    assert_eq!(frame.get_column_names(), ["number", "image", "embedding", "Topic", "Probability"]);
    // Each topic has twenty images, fewer than the limit of thirty, so all are captioned.
    assert_eq!(namer.shown.load(Ordering::Relaxed), ROWS);
    assert_eq!((topics.summary().captions, topics.captions().len()), (ROWS, ROWS));
    assert_eq!(topics.summary().cluster_on, ClusterOn::Images);
}

#[test]
fn images_alone_go_through_the_usual_stages() {
    let frame = image_frame(150);
    let model = TopicModel::images("image", Eye).captioner(Namer::default());
    let (topics, placed) = model.fit_transform(&frame).unwrap();
    assert!(topics.summary().topics >= 3, "{:?}", topics.summary());
    assert_eq!(column_of_topics(&topics.transform(&frame).unwrap()), column_of_topics(&placed));
    let topics = model.reducer(Pca::new().n_components(2)).fit(&frame).unwrap();
    assert!(topics.summary().topics >= 3, "{:?}", topics.summary());
    for id in topics.topic_ids().into_iter().filter(|&id| id >= 0) {
        theme_of(&topics.labels(), id);
    }
}

#[test]
fn tables_show_captions_as_documents_and_keep_the_images() {
    let input = image_frame(ROWS);
    let topics = model().captioner(Namer::default()).nr_captioned_images(4).fit(&input).unwrap();
    let info = topics.get_document_info().unwrap();
    assert!(info.column("image").unwrap().equals(input.column("image").unwrap()));
    let documents = info.column("Document").unwrap().str().unwrap();
    assert_eq!(documents.null_count(), ROWS - 12);
    for (row, caption) in topics.captions() {
        assert_eq!(documents.get(row), Some(caption.as_str()));
        assert!(caption.contains(NAMES[row % 3]));
    }
    let names: Vec<String> =
        topics.get_topic_info().unwrap().get_column_names().iter().map(|name| name.to_string()).collect();
    assert_eq!(names, ["Topic", "Count", "Name", "Representation", "Representative_Docs"]);
}

#[test]
fn some_images_of_each_topic_are_captioned_none_twice() {
    // Half of each topic is the same image.
    let pictures: Vec<_> = (0..ROWS).map(|row| Some(png(row % 3, if row % 2 == 0 { row % 3 } else { row }))).collect();
    let topics = model().captioner(Namer::default()).nr_captioned_images(5).fit(&framed(&pictures)).unwrap();
    let mut of_topics = BTreeMap::<i32, Vec<&[u8]>>::new();
    for &row in topics.captions().keys() {
        of_topics.entry(topics.labels()[row]).or_default().push(pictures[row].as_deref().unwrap());
    }
    for (topic, mut captioned) in of_topics {
        assert_eq!(captioned.len(), 5, "topic {topic}");
        captioned.sort_unstable();
        captioned.dedup();
        assert_eq!(captioned.len(), 5, "topic {topic} has an image twice");
    }
    let all = model().captioner(Namer::default()).caption_all_images().fit(&framed(&pictures)).unwrap();
    assert_eq!(all.captions().len(), ROWS);
}

#[test]
fn an_image_without_a_caption_gives_its_place_to_the_next() {
    let frame = image_frame(ROWS);
    let first = model().captioner(Namer::default()).nr_captioned_images(3).fit(&frame).unwrap();
    let lost = *first.captions().keys().next().unwrap();
    let namer = Namer { fails_at: pictures(ROWS)[lost].clone(), ..Namer::default() };
    let topics = model().captioner(namer.clone()).nr_captioned_images(3).fit(&frame).unwrap();
    assert_eq!(topics.captions().len(), 9);
    assert!(!topics.captions().contains_key(&lost));
    assert_eq!(namer.shown.load(Ordering::Relaxed), 10);
}

#[test]
fn rows_without_an_image_that_can_be_read_are_outliers() {
    let notes = Arc::new(Notes::default());
    let mut pictures = pictures(ROWS);
    pictures[4] = None;
    pictures[7] = Some(b"no picture".to_vec());
    let (topics, frame) = model()
        .captioner(Namer::default())
        .with_progress(Progress::to(notes.clone()))
        .fit_transform(&framed(&pictures))
        .unwrap();
    assert_eq!((topics.labels()[4], topics.labels()[7]), (-1, -1));
    assert_eq!((topics.summary().blank, topics.summary().outliers), (2, 2));
    let vectors = frame.column("embedding").unwrap();
    assert_eq!(vectors.null_count(), 2);
    assert!(vectors.is_null().get(4).unwrap() && vectors.is_null().get(7).unwrap());
    let told = notes.text();
    assert!(told.contains("1 row has no image") && told.contains("1 row has an image that cannot be read"), "{told}");
    for topic in 0..3 {
        theme_of(&topics.labels(), topic);
    }
    let counts: i64 = topics.get_topic_info().unwrap().column("Count").unwrap().i64().unwrap().iter().flatten().sum();
    assert_eq!(counts, ROWS as i64);
}

#[test]
fn a_path_that_leaves_its_folder_is_an_image_that_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("images");
    std::fs::create_dir(&inside).unwrap();
    std::fs::write(folder.path().join("secret.png"), png(0, 0)).unwrap();
    let mut names = Vec::new();
    for row in 0..30 {
        std::fs::write(inside.join(format!("{row}.png")), png(row % 3, row)).unwrap();
        names.push(format!("{row}.png"));
    }
    names[5] = "../secret.png".into();
    let notes = Arc::new(Notes::default());
    let model = model().image_folder(&inside).captioner(Namer::default()).with_progress(Progress::to(notes.clone()));
    let topics = model.fit(&df!("image" => names).unwrap()).unwrap();
    assert_eq!(topics.labels()[5], -1);
    assert!(notes.text().contains("leaves the image folder"), "{}", notes.text());
    let all = df!("image" => vec!["../secret.png"; 30]).unwrap();
    let error = error_of(&model, &all);
    assert_eq!((error.kind(), error.column(), error.row()), (ErrorKind::Image, Some("image"), Some(0)), "{error:#}");
}

#[test]
fn images_of_which_not_one_can_be_read_are_an_error() {
    let broken = vec![Some(b"no picture".to_vec()); 30];
    let error = error_of(&model().captioner(Namer::default()), &framed(&broken));
    assert_eq!((error.kind(), error.column(), error.row()), (ErrorKind::Image, Some("image"), Some(0)));
    assert!(format!("{error:#}").contains("none of the 30 images can be read"), "{error:#}");

    let error = error_of(&model(), &framed(&vec![None; 30]));
    assert!(format!("{error:#}").contains("no row has an image"), "{error:#}");
    assert_eq!(error.column(), Some("image"));

    let missing = df!("image" => (0..30).map(|i| format!("{i}.png")).collect::<Vec<_>>()).unwrap();
    let error = error_of(&plain(TopicModel::images("image", Never(3, 3))).image_folder("/nowhere"), &missing);
    assert!(format!("{error:#}").contains("folder"), "{error:#}");
}

#[test]
fn without_captions_and_words_topics_still_have_pictures() {
    let notes = Arc::new(Notes::default());
    let topics = model()
        .representation("Visual_Aspect", VisualRepresentation::new())
        .with_progress(Progress::to(notes.clone()))
        .fit(&image_frame(ROWS))
        .unwrap();
    assert!(notes.text().contains("captioner"), "{}", notes.text());
    for id in topics.topic_ids() {
        assert_eq!(topics.topic_label(id), Some(id.to_string()));
        assert_eq!(topics.get_topic(id), Some(vec![]));
        assert_eq!(topics.get_representative_docs(id), Some(vec![]));
    }
    let info = topics.get_topic_info().unwrap();
    assert_eq!(info.to_html().matches("data:image/jpeg;base64,").count(), 3);
    assert_eq!(topics.get_document_info().unwrap().column("Document").unwrap().null_count(), ROWS);
    let page = topics.report().to_html().unwrap().into_string();
    assert!(page.matches("data:image/").count() >= 27);
    assert!(
        page.contains(">Topic 2</h2>") && !page.contains("More words"),
        "names are numbers where there are no words"
    );
    let paths = topics.get_topic_info_with_paths().unwrap();
    assert_eq!(paths.height(), 3);
}

#[test]
fn the_page_of_a_model_of_images_shows_pictures_with_their_captions() {
    let topics = model()
        .captioner(Namer::default())
        .representation("Visual_Aspect", VisualRepresentation::new())
        .fit(&image_frame(ROWS))
        .unwrap();
    let page = topics.report().to_html().unwrap().into_string();
    assert!(page.contains("3 topics in 60 rows of <code dir=\"auto\">image</code>."), "the heading of the page");
    for name in NAMES {
        assert!(page.contains(&format!("a {name} square painted")), "{name}");
    }
    assert!(page.contains("captions that a model generated for 60 images"));
    let Aspect::Images(gallery) = topics.topic_aspect("Visual_Aspect").unwrap() else { panic!("pictures") };
    for id in topics.topic_ids() {
        assert_eq!(gallery.pictures(id).len(), 9);
        assert!(gallery.pictures(id).iter().all(|picture| topics.labels()[picture.row] == id));
        // By image vectors, which are close to the mean.
        assert!(gallery.pictures(id).iter().all(|picture| picture.score > 0.9));
    }
}

#[test]
fn the_order_of_rows_does_not_change_the_partition() {
    let frame = image_frame(ROWS);
    let order: Vec<IdxSize> = (0..ROWS as IdxSize).map(|row| row * 7 % ROWS as IdxSize).collect();
    let shuffled = frame.take(&IdxCa::from_vec("".into(), order.clone())).unwrap();
    let (first, second) = (model().fit(&frame).unwrap(), model().fit(&shuffled).unwrap());
    let of_rows: BTreeMap<i32, i32> =
        order.iter().zip(&second.labels()).map(|(&row, &topic)| (topic, first.labels()[row as usize])).collect();
    assert_eq!(of_rows.len(), 3);
    for (&row, topic) in order.iter().zip(&second.labels()) {
        assert_eq!(of_rows[topic], first.labels()[row as usize]);
    }
}

#[test]
fn new_images_find_their_topics_and_old_ones_keep_theirs() {
    let frame = image_frame(ROWS);
    let topics = model().captioner(Namer::default()).fit(&frame).unwrap();
    let again = topics.transform(&frame).unwrap();
    assert_eq!(column_of_topics(&again), topics.labels());
    let mut new: Vec<_> = (0..6).map(|i| Some(png(i % 3, 1000 + i))).collect();
    new.push(None);
    new.push(Some(b"no picture".to_vec()));
    let placed = column_of_topics(&topics.transform(&framed(&new)).unwrap());
    for (i, &topic) in placed.iter().take(6).enumerate() {
        assert_eq!(theme_of(&topics.labels(), topic), i % 3);
    }
    assert_eq!(&placed[6..], [-1, -1]);
    let alone = column_of_topics(&topics.transform(&framed(&new[7..])).unwrap());
    assert_eq!(alone, [-1], "an unreadable image is not an error here");
}

#[test]
fn vectors_of_the_frame_need_no_embedder() {
    let frame = image_frame(ROWS);
    let embedded = model().embed(&frame).unwrap();
    let expected = model().captioner(Namer::default()).fit(&frame).unwrap();
    let given = plain(TopicModel::images("image", NoEmbedder)).captioner(Namer::default());
    let (topics, output) = given.clone().embeddings("embedding").fit_transform(&embedded).unwrap();
    assert_eq!(topics.labels(), expected.labels());
    assert_eq!(topics.captions(), expected.captions());
    assert_eq!(topics.get_topics(), expected.get_topics());
    assert_eq!(output.get_column_names(), ["number", "image", "embedding", "Topic", "Probability"]);
    // Their vectors suffice to place rows.
    let vectors = embedded.select(["embedding"]).unwrap();
    assert_eq!(column_of_topics(&topics.transform(&vectors).unwrap()), topics.labels());

    let mut renamed = embedded.clone();
    renamed.rename("embedding", "vector".into()).unwrap();
    let topics = given.image_embeddings("vector").fit(&renamed).unwrap();
    assert_eq!(topics.labels(), expected.labels());
}

#[test]
fn what_cannot_work_is_told_before_any_work() {
    let frame = image_frame(ROWS);
    let error = error_of(&plain(TopicModel::images("image", NoEmbedder)), &frame);
    assert_eq!((error.kind(), error.stage()), (ErrorKind::InvalidParameter, Stage::Embed));
    assert!(
        format!("{error:#}").contains("no embedder for images") && format!("{error:#}").contains("column"),
        "{error:#}"
    );
    let error = NoEmbedder.embed_texts(&["a"], &Progress::silent()).unwrap_err();
    assert!(format!("{error:#}").contains("no embedder for texts"), "{error:#}");
    assert!(NoEmbedder.embed_images(&[], &Progress::silent()).is_err());

    let text = TopicModel::text("caption", Never(3, 3)).captioner(Namer::default());
    assert!(error_of(&text, &crate::corpora::frame(30)).to_string().contains("caption"));
    let none = plain(TopicModel::images("image", Never(3, 3))).captioner(Namer::default()).nr_captioned_images(0);
    assert!(error_of(&none, &frame).to_string().contains("nr_captioned_images"));
    for on in [ClusterOn::Text, ClusterOn::Both] {
        let error = error_of(&plain(TopicModel::images("image", Never(3, 3))).cluster_on(on), &frame);
        assert_eq!(error.kind(), ErrorKind::InvalidParameter);
        assert!(format!("{error:#}").contains("text_and_images"), "{error:#}");
    }
    let error = error_of(&TopicModel::text("caption", Never(3, 3)).cluster_on(ClusterOn::Images), &frame);
    assert!(format!("{error:#}").contains("column of images"), "{error:#}");
}

/// An embedder of images or texts, and a captioner, with a number that must be 1.
#[derive(Debug, Clone)]
struct Judging {
    own: usize,
    text_side: Option<Box<Judging>>,
}

impl Judging {
    fn new(own: usize) -> Self {
        Judging { own, text_side: None }
    }

    fn judge(&self) -> Result<()> {
        match self.own {
            1 => Ok(()),
            other => Err(Error::invalid_parameter(Stage::Embed, "number", other, "1")),
        }
    }
}

impl TextEmbedder for Judging {
    fn check(&self) -> Result<()> {
        self.judge()
    }

    fn dimensions(&self) -> usize {
        3
    }

    fn embed_texts(&self, _: &[&str], _: &Progress) -> Result<ndarray::Array2<f32>> {
        panic!("texts were embedded")
    }
}

impl ImageEmbedder for Judging {
    fn check(&self) -> Result<()> {
        self.judge()
    }

    fn dimensions(&self) -> usize {
        3
    }

    fn embed_images(&self, _: &[ImageSource<'_>], _: &Progress) -> Result<ndarray::Array2<f32>> {
        panic!("images were embedded")
    }

    fn text_side(&self) -> Option<&dyn TextEmbedder> {
        self.text_side.as_deref().map(|texts| texts as &dyn TextEmbedder)
    }
}

impl JointEmbedder for Judging {}

impl ImageCaptioner for Judging {
    fn check(&self) -> Result<()> {
        self.judge()
    }

    fn caption_images(&self, _: &[ImageSource<'_>], _: &Progress) -> Result<Vec<Option<String>>> {
        panic!("images were captioned")
    }
}

#[test]
fn embedders_of_images_and_captioners_judge_their_parameters_before_any_work() {
    let never = || plain(TopicModel::images("image", Never(3, 3)));
    let text_side = Judging { own: 1, text_side: Some(Box::new(Judging::new(2))) };
    let visual = VisualRepresentation::new().image_to_text_model(Judging::new(2));
    assert_eq!(visual.check().unwrap_err().kind(), ErrorKind::InvalidParameter);
    let bad = [
        plain(TopicModel::images("image", Judging::new(2))),
        plain(TopicModel::images("image", text_side)),
        plain(TopicModel::text_and_images("caption", "image", Judging::new(2))),
        never().captioner(Judging::new(2)),
        never().representation("Visual_Aspect", visual.clone()),
        // Not used, but judged: the model has its own captioner.
        never().captioner(Namer::default()).representation("Visual_Aspect", visual),
    ];
    for model in bad {
        let error = error_of(&model, &image_frame(ROWS));
        assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{error:#}");
        assert!(format!("{error:#}").contains("number = 2 "), "{error:#}");
    }
    let good = Judging { own: 1, text_side: Some(Box::new(Judging::new(1))) };
    assert!(TopicModel::images("image", good.clone()).captioner(good).check().is_ok());
}

#[test]
fn what_is_clustered_has_a_name() {
    for (name, on) in [("text", ClusterOn::Text), ("images", ClusterOn::Images), ("both", ClusterOn::Both)] {
        assert_eq!(name.parse::<ClusterOn>().unwrap(), on);
        assert_eq!(on.to_string(), name);
    }
    let error = "pictures".parse::<ClusterOn>().unwrap_err();
    assert!(format!("{error:#}").contains("text, images or both"), "{error:#}");
}

#[test]
fn stages_of_ones_own_that_misbehave_are_reported() {
    #[derive(Debug)]
    struct Silent(usize);
    impl ImageCaptioner for Silent {
        fn caption_images(&self, images: &[ImageSource<'_>], _: &Progress) -> Result<Vec<Option<String>>> {
            Ok(vec![None; images.len() - self.0])
        }
    }
    let frame = image_frame(ROWS);
    let error = error_of(&model().captioner(Silent(1)), &frame);
    assert_eq!((error.kind(), error.stage()), (ErrorKind::InvalidData, Stage::Represent), "{error:#}");
    let error = error_of(&model().captioner(Silent(0)), &frame);
    assert_eq!(error.kind(), ErrorKind::Image);
    assert!(format!("{error:#}").contains("captioned"), "{error:#}");

    #[derive(Debug)]
    struct Short;
    impl ImageEmbedder for Short {
        fn dimensions(&self) -> usize {
            3
        }
        fn embed_images(&self, images: &[ImageSource<'_>], _: &Progress) -> Result<ndarray::Array2<f32>> {
            Ok(ndarray::Array2::ones((images.len() - 1, 3)))
        }
    }
    let error = error_of(&plain(TopicModel::images("image", Short)), &frame);
    assert!(format!("{error:#}").contains("59 vectors with 3 dimensions for 60 images"), "{error:#}");
}

#[test]
fn a_joint_model_names_topics_of_images_without_captions() {
    let frame = image_frame(ROWS);
    let joint = plain(TopicModel::images("image", EyeAndEar));
    let topics = joint.clone().fit(&frame).unwrap();
    for id in topics.topic_ids() {
        let name = NAMES[theme_of(&topics.labels(), id)];
        let words = topics.get_topic(id).unwrap();
        // Every built-in word that this model knows contains the name of a color.
        assert!((1..=10).contains(&words.len()) && words[0].0.contains(name), "{name}: {words:?}");
        assert!(topics.topic_label(id).unwrap().contains(name));
        assert_eq!(topics.get_representative_docs(id), Some(vec![]));
    }
    // A custom vocabulary.
    let own = VisualWords::new().vocabulary(["red things", "green things", "blue things"]).top_n_words(1);
    let named = joint.clone().representation("Main", own).fit(&frame).unwrap();
    for id in named.topic_ids() {
        let name = NAMES[theme_of(&named.labels(), id)];
        assert_eq!(named.topic_label(id), Some(format!("{id}_{name} things")));
    }
    // Each image is nearer to the name of its own color than to the others'.
    let intruders = named.image_word_intruders().unwrap();
    assert_eq!(intruders.column("Image_words").unwrap().f64().unwrap().to_vec(), vec![Some(1.0); 3]);
    let separations = named.topic_quality().unwrap();
    assert_eq!(separations.column("Separation").unwrap().null_count(), 0);
    // Captions take precedence, and merged topics are renamed.
    let captioned = joint.captioner(Namer::default()).fit(&frame).unwrap();
    assert!(captioned.vocabulary().contains(&"square".to_owned()));
    let merged = topics.merge_topics(&[&[0, 1]]).unwrap();
    assert!(merged.get_topics().values().all(|words| !words.is_empty()));

    let error = error_of(&model().representation("Words", VisualWords::new()), &frame);
    assert_eq!(error.kind(), ErrorKind::InvalidParameter);
    assert!(format!("{error:#}").contains("joint model"), "{error:#}");
    let error = model().fit(&frame).unwrap().image_word_intruders().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(format!("{error:#}").contains("joint model"), "{error:#}");
}

#[test]
fn captions_can_be_weighed_by_meaning() {
    let joint = plain(TopicModel::images("image", EyeAndEar)).captioner(Namer::default());
    let topics = joint.representation("KeyBERT", KeyBERTInspired::new()).fit(&image_frame(ROWS)).unwrap();
    let Aspect::Words(words) = topics.topic_aspect("KeyBERT").unwrap() else { panic!("words") };
    for (id, words) in words {
        assert_eq!(words[0].0, NAMES[theme_of(&topics.labels(), id)]);
    }
    let error =
        error_of(&model().captioner(Namer::default()).representation("K", KeyBERTInspired::new()), &image_frame(ROWS));
    assert!(format!("{error:#}").contains("embedder for texts"), "{error:#}");
}

#[test]
fn the_captioner_may_be_given_where_bertopic_has_it() {
    let namer = Namer::default();
    let visual = VisualRepresentation::new().nr_repr_images(4).image_to_text_model(namer.clone());
    let topics = model().representation("Visual_Aspect", visual.clone()).fit(&image_frame(ROWS)).unwrap();
    assert_eq!((topics.summary().captions, namer.shown.load(Ordering::Relaxed)), (ROWS, ROWS));
    // The model's own captioner takes precedence, wherever it was set.
    let own = Namer::default();
    let topics =
        model().representation("Visual_Aspect", visual).captioner(own.clone()).fit(&image_frame(ROWS)).unwrap();
    assert_eq!((topics.summary().captions, own.shown.load(Ordering::Relaxed)), (ROWS, ROWS));
    assert_eq!(namer.shown.load(Ordering::Relaxed), ROWS);
}

#[test]
fn without_words_the_rows_that_stand_for_a_topic_are_those_of_its_best_images() {
    let topics = model().fit(&image_frame(ROWS)).unwrap();
    let info = topics.get_document_info().unwrap();
    let marked = info.column("Representative_document").unwrap().bool().unwrap().sum();
    assert_eq!(marked, Some(9));
    for id in topics.topic_ids() {
        let rows = topics.representative_rows(id).unwrap();
        assert!(rows.len() == 3 && rows.iter().all(|&(row, _)| topics.labels()[row] == id), "{rows:?}");
        assert_eq!(topics.get_representative_docs(id).unwrap(), Vec::<String>::new());
    }
}
