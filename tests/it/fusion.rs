//! Texts and images together.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use ndarray::{Array2, array};
use topicframe::embed::Fusion;
use topicframe::polars::prelude::*;
use topicframe::prelude::*;

use crate::colors::{
    EyeAndEar, NAMES, Namer, Never, column_of_topics, pictures, png, text_and_image_frame, texts, theme_of,
};
use crate::notes::Notes;

const ROWS: usize = 60;

fn plain(model: TopicModel) -> TopicModel {
    model.reducer(NoReduction).clusterer(KMeans::new(3))
}

fn model() -> TopicModel {
    plain(TopicModel::text_and_images("text", "image", EyeAndEar))
}

/// Rows 3k+0 have both, some rows lack one, and rows 10 and 11 lack both.
fn holey() -> DataFrame {
    let (mut texts, mut pictures) = (texts(ROWS), pictures(ROWS));
    for row in 0..ROWS {
        match row % 5 {
            1 => texts[row] = if row % 2 == 0 { None } else { Some("  ".into()) },
            2 => pictures[row] = if row % 2 == 0 { None } else { Some(b"no picture".to_vec()) },
            _ => {}
        }
    }
    for row in [13, 14] {
        texts[row] = None;
        pictures[row] = None;
    }
    text_and_image_frame(&texts, &pictures)
}

fn length(row: ndarray::ArrayView1<'_, f32>) -> f32 {
    row.dot(&row).sqrt()
}

#[test]
fn vectors_are_averaged_at_length_one() {
    let texts = array![[2.0_f32, 0.0], [3.0, 0.0], [0.0, 0.0], [0.0, 0.0]];
    let images = array![[0.0_f32, 5.0], [0.0, 0.0], [3.0, 4.0], [0.0, 0.0]];
    let fused = Fusion::new().fuse(texts.view(), images.view()).unwrap();
    let half = 0.5_f32.sqrt();
    let expected = array![[half, half], [1.0, 0.0], [0.6, 0.8], [0.0, 0.0]];
    assert!((&fused - &expected).iter().all(|x| x.abs() < 1e-6), "{fused}");

    let heavy = Fusion::new().image_weight(0.8).fuse(texts.view(), images.view()).unwrap();
    assert!((heavy[[0, 1]] / heavy[[0, 0]] - 4.0).abs() < 1e-5);
    assert_eq!(Fusion::new().image_weight(0.0).fuse(texts.view(), images.view()).unwrap().row(0), array![1.0, 0.0]);
    assert_eq!(Fusion::new().image_weight(1.0).fuse(texts.view(), images.view()).unwrap().row(0), array![0.0, 1.0]);
    assert_eq!(fused, Fusion::default().fuse(texts.view(), images.view()).unwrap());
}

#[test]
fn centring_closes_the_gap_between_texts_and_images() {
    // Texts lie around (1, 0, 0), images around (0, 1, 0); rows differ in the third coordinate.
    let apart = |row: usize| if row.is_multiple_of(2) { 0.3 } else { -0.3 };
    let texts = Array2::from_shape_fn((20, 3), |(row, axis)| [1.0, 0.0, apart(row)][axis]);
    let mut images = Array2::from_shape_fn((20, 3), |(row, axis)| [0.0, 1.0, apart(row)][axis]);
    images.slice_mut(ndarray::s![..10, ..]).fill(0.0);
    let gap = |fused: &Array2<f32>| (fused.row(0).dot(&fused.row(18)), fused.row(0).dot(&fused.row(1)));
    let (same, other) = gap(&Fusion::new().fuse(texts.view(), images.view()).unwrap());
    assert!(same < other, "uncentered, a text is nearer to another theme's text than to its own theme's images");
    let fusion = Fusion::new().center(true);
    let centered = fusion.fuse(texts.view(), images.view()).unwrap();
    let (same, other) = gap(&centered);
    assert!(same > 0.99 && other < -0.99, "{same} {other}");
    assert!(centered.outer_iter().all(|row| (length(row) - 1.0).abs() < 1e-5));
    // New rows are centered by the means of the fit, one at a time.
    let fitted = fusion.fit(texts.view(), images.view()).unwrap();
    for row in [0, 13, 19] {
        let at = ndarray::s![row..row + 1, ..];
        assert_eq!(fitted.fuse(texts.slice(at), images.slice(at)).unwrap().row(0), centered.row(row));
    }
}

#[test]
fn what_cannot_be_fused_is_an_error() {
    let (a, b, c) = (Array2::<f32>::ones((4, 3)), Array2::<f32>::ones((4, 2)), Array2::<f32>::ones((5, 3)));
    for other in [b.view(), c.view()] {
        let error = Fusion::new().fuse(a.view(), other).unwrap_err();
        assert!(format!("{error:#}").contains("4 x 3 text vectors"), "{error:#}");
    }
    let fitted = Fusion::new().center(true).fit(a.view(), a.view()).unwrap();
    assert!(fitted.fuse(b.view(), b.view()).is_err());
    for weight in [-0.1, 1.1, f32::NAN] {
        let error = Fusion::new().image_weight(weight).check().unwrap_err();
        assert!(format!("{error:#}").contains("image_weight"), "{error:#}");
        let model = plain(TopicModel::text_and_images("text", "image", Never(3, 3)));
        let error = model.fusion(Fusion::new().image_weight(weight)).fit(&holey()).map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter);
    }
}

#[test]
fn a_row_may_lack_its_text_or_its_image() {
    let notes = Arc::new(Notes::default());
    let (topics, frame) = model().with_progress(Progress::to(notes.clone())).fit_transform(&holey()).unwrap();
    assert_eq!((topics.labels()[13], topics.labels()[14]), (-1, -1));
    assert_eq!((topics.summary().blank, topics.summary().outliers), (2, 2));
    assert_eq!(frame.column("embedding").unwrap().null_count(), 2);
    for id in 0..3 {
        let theme = theme_of(&topics.labels(), id);
        let words = topics.get_topic(id).unwrap();
        let words: Vec<&str> = words.iter().map(|(word, _)| word.as_str()).collect();
        assert!(words.contains(&NAMES[theme]), "{words:?}");
    }
    let told = notes.text();
    assert!(told.contains("2 rows have neither a text nor an image"), "{told}");
    assert!(told.contains("only an image: without a captioner, no words are counted"), "{told}");
    assert!(told.contains("rows have both a text and an image"), "{told}");
    let page = topics.report().to_html().unwrap().into_string();
    assert!(page.contains("rows of <code dir=\"auto\">text</code> and <code dir=\"auto\">image</code>."));
}

#[test]
fn a_captioner_gives_words_to_rows_with_an_image_alone() {
    let namer = Namer::default();
    let topics = model().captioner(namer.clone()).fit(&holey()).unwrap();
    let captioned: Vec<usize> = topics.captions().keys().copied().collect();
    // Row 11 lacks its text like all rows 5k + 1; rows with a text are not captioned.
    let expected: Vec<usize> = (0..ROWS).filter(|row| row % 5 == 1).collect();
    assert_eq!(captioned, expected);
    assert_eq!(namer.shown.load(Ordering::Relaxed), expected.len());
    let info = topics.get_document_info().unwrap();
    let documents = info.column("Document").unwrap().str().unwrap();
    assert_eq!(documents.get(1), Some(topics.captions()[&1].as_str()));
    assert_eq!(documents.get(0), texts(1)[0].as_deref());
    assert!(topics.vocabulary().contains(&"square".to_owned()));
    assert_eq!(topics.summary().captions, expected.len());
}

#[test]
fn one_of_the_two_can_be_clustered_alone() {
    let frame = holey();
    let text = model().cluster_on(ClusterOn::Text).fit(&frame).unwrap();
    let images = model().cluster_on(ClusterOn::Images).fit(&frame).unwrap();
    for row in 0..ROWS {
        let (no_text, no_image) = (row % 5 == 1 || [13, 14].contains(&row), row % 5 == 2 || [13, 14].contains(&row));
        assert_eq!(text.labels()[row] == -1, no_text, "{row}");
        assert_eq!(images.labels()[row] == -1, no_image, "{row}");
    }
    // Texts still describe topics of images.
    for id in 0..3 {
        let theme = theme_of(&images.labels(), id);
        assert!(images.topic_label(id).unwrap().contains(NAMES[theme]));
    }
    assert_eq!((text.summary().cluster_on, images.summary().cluster_on), (ClusterOn::Text, ClusterOn::Images));
    // New rows need only the modality that was clustered.
    let (texts, pictures) = (frame.select(["text"]).unwrap(), frame.select(["image"]).unwrap());
    assert_eq!(column_of_topics(&text.transform(&texts).unwrap()), text.labels());
    assert_eq!(column_of_topics(&images.transform(&pictures).unwrap()), images.labels());
    assert_eq!(text.transform(&pictures).unwrap_err().column(), Some("text"));
}

#[test]
fn rows_of_the_fit_keep_their_topics_and_new_ones_may_have_either() {
    let frame = holey();
    for fusion in [Fusion::new(), Fusion::new().image_weight(0.3).center(true)] {
        let topics = model().fusion(fusion).fit(&frame).unwrap();
        assert_eq!(column_of_topics(&topics.transform(&frame).unwrap()), topics.labels());
        let words = df!("text" => ["so red", "so green", "so blue", "", "nothing known"]).unwrap();
        let placed = column_of_topics(&topics.transform(&words).unwrap());
        let themes: Vec<usize> = placed[..3].iter().map(|&topic| theme_of(&topics.labels(), topic)).collect();
        assert_eq!(themes, [0, 1, 2]);
        assert_eq!(placed[3..], [-1, -1]);
        let pictures: Vec<_> = (0..3).map(|theme| Some(png(theme, 500))).collect();
        let pictures = DataFrame::new(3, vec![crate::colors::image_column(&pictures)]).unwrap();
        let placed = column_of_topics(&topics.transform(&pictures).unwrap());
        let themes: Vec<usize> = placed.iter().map(|&topic| theme_of(&topics.labels(), topic)).collect();
        assert_eq!(themes, [0, 1, 2]);
        assert_eq!(topics.transform(&df!("n" => [1]).unwrap()).unwrap_err().column(), Some("text"));
    }
}

#[test]
fn vectors_of_the_frame_are_fused_as_computed_ones() {
    let frame = holey();
    let embedded = model().embed(&frame).unwrap();
    assert_eq!(embedded.get_column_names(), ["text", "image", "embedding", "text_embedding", "image_embedding"]);
    let (expected, output) = model().fit_transform(&frame).unwrap();
    let none = || plain(TopicModel::text_and_images("text", "image", NoEmbedder));
    let given = none().text_embeddings("text_embedding").image_embeddings("image_embedding");
    let (topics, fused) = given.clone().fit_transform(&embedded).unwrap();
    assert_eq!(topics.labels(), expected.labels());
    assert!(fused.column("embedding").unwrap().equals_missing(output.column("embedding").unwrap()));
    let as_they_are = none().embeddings("embedding").fit(&embedded).unwrap();
    assert_eq!(as_they_are.labels(), expected.labels());
    // One column is provided, the other computed.
    let half = model().text_embeddings("text_embedding").fit(&embedded).unwrap();
    assert_eq!(half.labels(), expected.labels());
    let placed = given.clone().fit(&embedded).unwrap().transform(&embedded).unwrap();
    assert_eq!(column_of_topics(&placed), expected.labels());
    // The vectors of images suffice to place rows.
    let topics = given.fit(&embedded).unwrap();
    let bare = embedded.drop("image").unwrap();
    assert_eq!(column_of_topics(&topics.transform(&bare).unwrap()), expected.labels());

    let error = none().text_embeddings("text_embedding").fit(&embedded).map(|_| ()).unwrap_err();
    assert!(format!("{error:#}").contains("no embedder for images"), "{error:#}");
}

#[test]
fn texts_and_images_of_different_width_are_told_before_any_work() {
    let frame = holey();
    let model = plain(TopicModel::text_and_images("text", "image", Never(3, 4)));
    let error = model.fit(&frame).map(|_| ()).unwrap_err();
    assert_eq!((error.kind(), error.stage()), (ErrorKind::InvalidParameter, Stage::Embed));
    assert!(format!("{error:#}").contains("3 dimensions and its image vectors 4"), "{error:#}");

    let wide: Vec<Series> = (0..ROWS).map(|row| Series::new("".into(), vec![1.0_f32 + row as f32; 5])).collect();
    let mut frame = frame;
    frame.with_column(Column::new("wide".into(), wide)).unwrap();
    let model = plain(TopicModel::text_and_images("text", "image", Never(3, 3))).image_embeddings("wide");
    let error = model.fit(&frame).map(|_| ()).unwrap_err();
    assert!(format!("{error:#}").contains("3 dimensions and image vectors 5"), "{error:#}");
}

#[test]
fn rows_without_anything_are_an_error() {
    let frame = text_and_image_frame(&vec![None; 12], &vec![None; 12]);
    let error = model().fit(&frame).map(|_| ()).unwrap_err();
    assert!(format!("{error:#}").contains("no row has a text or an image"), "{error:#}");
    let broken = text_and_image_frame(&texts(12), &vec![Some(b"no picture".to_vec()); 12]);
    let error = model().fit(&broken).map(|_| ()).unwrap_err();
    assert_eq!((error.kind(), error.column()), (ErrorKind::Image, Some("image")), "{error:#}");
    // Images alone, with no captioner: topics without words, as in an image model.
    let silent = text_and_image_frame(&vec![None; ROWS], &pictures(ROWS));
    let topics = model().fit(&silent).unwrap();
    assert_eq!(topics.topic_ids(), [0, 1, 2]);
}
