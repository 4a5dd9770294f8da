//! Bad input results in an error that names the stage, column, row and path, and the remedy: one test per kind.

use std::sync::Arc;

use ndarray::Array2;
use topicframe::error::{Interface, Result};
use topicframe::polars::prelude::*;
use topicframe::prelude::*;

use crate::corpora::{captions, frame, frame_with_images};
use crate::notes::Notes;

fn model() -> TopicModel {
    TopicModel::text("caption", StaticEmbedder::builtin())
}

/// An embedder that must not run: parameter errors come before the first slow step.
#[derive(Debug)]
struct Slow;

impl TextEmbedder for Slow {
    fn dimensions(&self) -> usize {
        3
    }

    fn embed_texts(&self, _: &[&str], _: &Progress) -> Result<Array2<f32>> {
        panic!("the slow step ran before the parameters were checked")
    }
}

fn error_of(model: &TopicModel, frame: &DataFrame) -> Error {
    model.fit(frame).map(|_| ()).unwrap_err()
}

#[test]
fn missing_column() {
    let error = error_of(&TopicModel::text("text", Slow), &frame(30));
    assert_eq!((error.kind(), error.column()), (ErrorKind::MissingColumn, Some("text")));
    assert_eq!(format!("{error:#}"), "input: there is no column `text`\n  The only column is `caption`.");
    let error = error_of(&TopicModel::text("Captions", Slow), &frame(30));
    let told = format!("{error:#}");
    assert!(told.ends_with("\n  Did you mean `caption`? The only column is `caption`."), "{told}");
    for model in [model().with_images("absent"), model().embeddings("absent"), model().image_embeddings("absent")] {
        assert_eq!(error_of(&model, &frame(30)).column(), Some("absent"));
    }
}

#[test]
fn wrong_dtype() {
    let frame = df!("caption" => [1, 2, 3]).unwrap();
    let error = error_of(&model(), &frame);
    assert_eq!((error.kind(), error.column()), (ErrorKind::WrongType, Some("caption")));
    let frame = df!("caption" => captions(30), "n" => vec![1.5; 30]).unwrap();
    for model in [model().with_images("n"), model().embeddings("n")] {
        let error = error_of(&model, &frame);
        assert_eq!((error.kind(), error.column()), (ErrorKind::WrongType, Some("n")), "{error:#}");
    }
}

#[test]
fn empty_frame() {
    let error = error_of(&model(), &frame(0));
    assert_eq!((error.kind(), error.stage()), (ErrorKind::InvalidData, Stage::Input));
    assert!(format!("{error:#}").contains("no rows"), "{error:#}");
    assert_eq!(error_of(&model(), &DataFrame::empty()).kind(), ErrorKind::MissingColumn);
}

#[test]
fn fewer_rows_than_a_topic_needs() {
    for rows in [1, 2, 5, 9] {
        let error = error_of(&model(), &frame(rows));
        assert_eq!((error.kind(), error.stage()), (ErrorKind::InvalidData, Stage::Cluster));
        assert!(format!("{error:#}").contains(&format!("{rows} of {rows} rows")), "{error:#}");
        assert!(format!("{error:#}").contains("min_cluster_size"), "{error:#}");
    }
    let error = error_of(&model().clusterer(KMeans::new(40)), &frame(30));
    assert_eq!(error.stage(), Stage::Cluster);
    let hint = error.hint().unwrap().for_interface(Interface::Rust);
    assert_eq!(hint, "Provide more rows, or lower n_clusters.");
}

#[test]
fn texts_that_are_all_null_or_blank() {
    let nulls = DataFrame::new(12, vec![Column::full_null("caption".into(), 12, &DataType::String)]).unwrap();
    for frame in [nulls, df!("caption" => [" "; 12]).unwrap()] {
        let error = error_of(&model(), &frame);
        assert_eq!((error.kind(), error.column()), (ErrorKind::InvalidData, Some("caption")), "{error:#}");
        assert!(format!("{error:#}").contains("no row has a text"), "{error:#}");
    }
}

#[test]
fn texts_without_a_word() {
    let error = error_of(&model(), &df!("caption" => vec!["the of and"; 30]).unwrap());
    assert_eq!(error.stage(), Stage::Vectorize, "{error:#}");
    assert!(format!("{error:#}").contains("stop words"), "{error:#}");
}

#[test]
fn vectors_that_are_not_numbers() {
    let embedded = model().embed(&frame(30)).unwrap();
    for bad in [f32::NAN, f32::INFINITY] {
        let list = embedded.column("embedding").unwrap().cast(&DataType::List(Box::new(DataType::Float32))).unwrap();
        let mut rows: Vec<Series> = (0..30).map(|row| list.list().unwrap().get_as_series(row).unwrap()).collect();
        let mut values: Vec<f32> = rows[17].f32().unwrap().into_no_null_iter().collect();
        values[3] = bad;
        rows[17] = Series::new("".into(), values);
        let frame =
            DataFrame::new(30, vec![Column::new("caption".into(), captions(30)), Column::new("v".into(), rows)]);
        let error = error_of(&TopicModel::text("caption", Slow).embeddings("v"), &frame.unwrap());
        assert_eq!((error.row(), error.column()), (Some(17), Some("v")), "{error:#}");
    }
}

#[test]
fn rows_of_different_length() {
    let vectors: Vec<Series> =
        (0..30).map(|i| Series::new("".into(), vec![1.0_f32; 4 + usize::from(i == 20)])).collect();
    let frame = DataFrame::new(30, vec![Column::new("caption".into(), captions(30)), Column::new("v".into(), vectors)]);
    let error = error_of(&TopicModel::text("caption", Slow).embeddings("v"), &frame.unwrap());
    assert_eq!((error.row(), error.column()), (Some(20), Some("v")), "{error:#}");
}

#[test]
fn parameters_out_of_range_before_any_work() {
    let slow = || TopicModel::text("caption", Slow);
    let bad: Vec<(&str, TopicModel)> = vec![
        ("n_neighbors", slow().reducer(Umap::new().n_neighbors(1))),
        ("n_components", slow().reducer(Umap::new().n_components(0))),
        ("min_dist", slow().reducer(Umap::new().min_dist(-1.0))),
        ("min_cluster_size", slow().min_topic_size(1)),
        ("n_clusters", slow().clusterer(KMeans::new(0))),
        ("n_components", slow().reducer(Pca::new().n_components(0))),
        ("top_n_words", slow().top_n_words(0)),
        ("top_n_words", slow().top_n_words(1001)),
        ("nr_repr_docs", slow().nr_repr_docs(1001)),
        ("ngram_range", slow().vectorizer(CountVectorizer::new().ngram_range(0, 1))),
        ("ngram_range", slow().vectorizer(CountVectorizer::new().ngram_range(3, 2))),
        ("nr_repr_images", slow().with_images("i").representation("V", VisualRepresentation::new().nr_repr_images(0))),
        ("image_height", slow().with_images("i").representation("V", VisualRepresentation::new().image_height(0))),
    ];
    for (parameter, model) in bad {
        let error = error_of(&model, &frame(30));
        assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{parameter}: {error}");
        assert!(format!("{error:#}").contains(parameter), "{parameter}: {error}");
    }
}

/// An embedder with one dimension for each of its keywords, of which it needs at least one.
#[derive(Debug)]
struct Keywords(usize);

impl TextEmbedder for Keywords {
    fn check(&self) -> Result<()> {
        match self.0 {
            0 => Err(Error::invalid_parameter(Stage::Embed, "keywords", 0, "at least 1")),
            _ => Ok(()),
        }
    }

    fn dimensions(&self) -> usize {
        self.0
    }

    fn embed_texts(&self, _: &[&str], _: &Progress) -> Result<Array2<f32>> {
        panic!("the slow step ran before the parameters were checked")
    }
}

#[test]
fn an_embedder_judges_its_parameters_before_any_work() {
    let model = || TopicModel::text("caption", Keywords(0));
    let given = model().embed(&frame(30)).map(|_| ());
    let errors = [error_of(&model(), &frame(30)), given.unwrap_err(), model().check().unwrap_err()];
    for error in errors {
        assert_eq!((error.kind(), error.stage()), (ErrorKind::InvalidParameter, Stage::Embed));
        assert!(format!("{error:#}").contains("keywords = 0 "), "{error:#}");
    }
    // Also where the vectors are in the frame: words may still have to be embedded.
    assert!(model().embeddings("v").check().is_err());
    assert!(TopicModel::text("caption", Keywords(1)).check().is_ok());
    assert!(StaticEmbedder::builtin().check().is_ok() && TextEmbedder::check(&NoEmbedder).is_ok());
}

#[test]
fn pictures_without_an_image_column() {
    let model = TopicModel::text("caption", Slow).representation("Visual_Aspect", VisualRepresentation::new());
    let error = error_of(&model, &frame(30));
    assert_eq!(error.kind(), ErrorKind::InvalidParameter);
    assert!(format!("{error:#}").contains("with_images"), "{error:#}");
}

#[test]
fn representations_with_a_name_that_is_taken() {
    for name in ["", "Topic", "Representative_Docs"] {
        let model =
            TopicModel::text("caption", Slow).with_images("i").representation(name, VisualRepresentation::new());
        assert_eq!(error_of(&model, &frame(30)).kind(), ErrorKind::InvalidParameter);
    }
}

#[test]
fn images_that_cannot_be_read_are_skipped_and_counted_or_fail() {
    let folder = tempfile::tempdir().unwrap();
    let frame = frame_with_images(60, folder.path());
    std::fs::write(folder.path().join("5.png"), b"no picture").unwrap();
    std::fs::remove_file(folder.path().join("8.png")).unwrap();

    let notes = Arc::new(Notes::default());
    let all = VisualRepresentation::new().nr_repr_images(60);
    let model = |visual| {
        let progress = Progress::to(notes.clone());
        model().with_images("image").image_folder(folder.path()).representation("V", visual).with_progress(progress)
    };
    let topics = model(all.clone()).fit(&frame).unwrap();
    let Aspect::Images(gallery) = topics.topic_aspect("V").unwrap() else { panic!("pictures") };
    let mut skipped: Vec<usize> = gallery.skipped().iter().map(|image| image.row).collect();
    skipped.sort_unstable();
    assert_eq!(skipped, [5, 8]);
    let told = notes.0.lock().unwrap().join("\n");
    assert!(
        told.contains("2 of the 60 candidate images") && told.contains("5.png") && told.contains("8.png"),
        "{told}"
    );

    let error = error_of(&model(all.on_error(OnImageError::Fail)), &frame);
    assert_eq!((error.kind(), error.column()), (ErrorKind::Image, Some("image")), "{error:#}");
    assert!([Some(5), Some(8)].contains(&error.row()), "{error:#}");
    assert!(error.path().is_some());
}

#[test]
fn an_image_folder_that_is_wrong_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let frame = frame_with_images(30, folder.path());
    let model = model()
        .with_images("image")
        .image_folder("/nowhere")
        .representation("Visual_Aspect", VisualRepresentation::new());
    let error = error_of(&model, &frame);
    assert_eq!(error.kind(), ErrorKind::Image);
    assert!(format!("{error:#}").contains("folder"), "{error:#}");
}

#[test]
fn blank_rows_are_told() {
    let notes = Arc::new(Notes::default());
    let texts: Vec<Option<String>> =
        captions(40).into_iter().map(Some).chain([None, Some("\u{1F600}".into())]).collect();
    let model = model().with_progress(Progress::to(notes.clone()));
    let topics = model.fit(&df!("caption" => texts).unwrap()).unwrap();
    let told = notes.0.lock().unwrap().join("\n");
    assert!(told.contains("1 row has no text"), "{told}");
    assert_eq!(&topics.labels()[40..], [-1, -1]);
}

#[test]
fn an_embedder_that_misbehaves_is_reported() {
    #[derive(Debug)]
    struct Wrong(usize, f32);
    impl TextEmbedder for Wrong {
        fn dimensions(&self) -> usize {
            2
        }
        fn embed_texts(&self, texts: &[&str], _: &Progress) -> Result<Array2<f32>> {
            Ok(Array2::from_elem((texts.len() - self.0, 2), self.1))
        }
    }
    for wrong in [Wrong(1, 1.0), Wrong(0, f32::NAN)] {
        let error = error_of(&TopicModel::text("caption", wrong), &frame(30));
        assert_eq!((error.kind(), error.stage()), (ErrorKind::InvalidData, Stage::Embed), "{error:#}");
    }
    let error = error_of(&TopicModel::text("caption", Wrong(0, 0.0)), &frame(30));
    assert!(format!("{error:#}").contains("no row has a usable vector"), "{error:#}");
}

/// A stage that returns too little, too much, or nonsense.
#[derive(Debug, Clone)]
struct Careless {
    rows: isize,
    value: f32,
    label: i32,
    strength: f64,
}

const CAREFUL: Careless = Careless { rows: 0, value: 1.0, label: 0, strength: 1.0 };

impl Careless {
    fn len(&self, rows: usize) -> usize {
        rows.saturating_add_signed(self.rows)
    }
}

impl Reducer for Careless {
    fn check(&self) -> Result<()> {
        Ok(())
    }

    fn fit(&self, training: &Training<'_>) -> Result<Reduction> {
        Ok(Reduction::new(Array2::from_elem((self.len(training.rows()), 2), self.value), NoReduction))
    }
}

impl Clusterer for Careless {
    fn check(&self) -> Result<()> {
        Ok(())
    }

    fn min_rows(&self) -> usize {
        1
    }

    fn fit(&self, training: &Training<'_>) -> Result<Clustering> {
        let rows = self.len(training.rows());
        Ok(Clustering::new(vec![self.label; rows], vec![self.strength; rows], self.clone()))
    }
}

impl FittedClusterer for Careless {
    fn predict(&self, points: ndarray::ArrayView2<'_, f32>, _progress: &Progress) -> Result<(Vec<i32>, Vec<f64>)> {
        Ok((vec![self.label; points.nrows() + 1], vec![self.strength; points.nrows()]))
    }
}

#[test]
fn stages_that_misbehave_are_reported() {
    for rows in [-15, 5] {
        let error = error_of(&model().reducer(Careless { rows, ..CAREFUL }), &frame(30));
        assert_eq!((error.kind(), error.stage()), (ErrorKind::InvalidData, Stage::Reduce), "{error:#}");
    }
    let error = error_of(&model().reducer(Careless { value: f32::NAN, ..CAREFUL }), &frame(30));
    assert_eq!(error.stage(), Stage::Reduce, "{error:#}");
    let clusterers = [
        Careless { rows: -15, ..CAREFUL },
        Careless { rows: 30, ..CAREFUL },
        Careless { label: -5, ..CAREFUL },
        Careless { strength: 7.5, ..CAREFUL },
        Careless { strength: f64::NAN, ..CAREFUL },
    ];
    for clusterer in clusterers {
        let error = error_of(&model().clusterer(clusterer), &frame(30));
        assert_eq!((error.kind(), error.stage()), (ErrorKind::InvalidData, Stage::Cluster), "{error:#}");
    }
    let topics = model().clusterer(CAREFUL).fit(&frame(30)).unwrap();
    let error = topics.transform(&df!("caption" => ["something new"]).unwrap()).unwrap_err();
    assert_eq!(error.stage(), Stage::Cluster, "{error:#}");
}

#[test]
fn words_that_leave_a_topic_out_are_reported() {
    #[derive(Debug)]
    struct Silent;
    impl Representation for Silent {
        fn check(&self) -> Result<()> {
            Ok(())
        }
        fn describe(&self, _: &TopicContext<'_>, words: &TopicWords) -> Result<Aspect> {
            Ok(Aspect::Words(words.iter().skip(1).map(|(&topic, words)| (topic, words.clone())).collect()))
        }
    }
    let error = error_of(&model().representation("Main", Silent), &frame(60));
    assert_eq!((error.kind(), error.stage()), (ErrorKind::InvalidData, Stage::Represent), "{error:#}");
}

#[test]
fn pictures_where_words_must_be_are_refused_before_any_work() {
    let slow = || TopicModel::text("caption", Slow).with_images("image");
    let pictures = VisualRepresentation::new;
    for model in [
        slow().representation("Main", pictures()),
        slow().representation("V", pictures()).representation("V", pictures()),
    ] {
        assert_eq!(error_of(&model, &frame(30)).kind(), ErrorKind::InvalidParameter);
    }
}

#[test]
fn a_column_that_the_result_would_replace_is_refused() {
    for name in ["Topic", "Probability", "embedding"] {
        let frame = df!(name => captions(30)).unwrap();
        let error = error_of(&TopicModel::text(name, Slow), &frame);
        assert_eq!((error.kind(), error.column()), (ErrorKind::InvalidParameter, Some(name)), "{error:#}");
    }
}

#[test]
fn blank_new_rows_are_outliers() {
    let topics = model().fit(&frame(60)).unwrap();
    for texts in [vec![None::<&str>], vec![Some(""), Some(" ")]] {
        let rows = texts.len();
        let placed = topics.transform(&df!("caption" => texts).unwrap()).unwrap();
        assert_eq!(placed.column("Topic").unwrap().i32().unwrap().to_vec(), vec![Some(-1); rows]);
        assert_eq!(placed.column("embedding").unwrap().null_count(), rows);
    }
}

#[test]
fn zeros_among_given_vectors_are_points_like_others() {
    let vectors: Vec<Series> = (0..60).map(|i| Series::new("".into(), [(i % 2) as f32, 0.0])).collect();
    let frame = DataFrame::new(60, vec![Column::new("caption".into(), captions(60)), Column::new("v".into(), vectors)]);
    let model = TopicModel::text("caption", Slow).embeddings("v").reducer(NoReduction).clusterer(KMeans::new(2));
    let (topics, output) = model.fit_transform(&frame.unwrap()).unwrap();
    assert_eq!((topics.summary().blank, topics.summary().outliers), (0, 0));
    assert!(output.column("embedding").is_ok(), "the clustered vectors are included");
}

#[test]
fn new_rows_of_another_width_are_refused() {
    let embedded = model().embed(&frame(40)).unwrap();
    let topics = model().embeddings("embedding").fit(&embedded).unwrap();
    let narrow: Vec<Series> = (0..2).map(|_| Series::new("".into(), [1.0_f32, 2.0])).collect();
    let new =
        DataFrame::new(2, vec![Column::new("caption".into(), captions(2)), Column::new("embedding".into(), narrow)]);
    let error = topics.transform(&new.unwrap()).unwrap_err();
    assert!(format!("{error:#}").contains("2 dimensions"), "{error:#}");
}

#[test]
fn a_page_that_cannot_be_written_is_an_error() {
    let topics = model().fit(&frame(40)).unwrap();
    let error = topics.report().write("/nowhere/at/all/page.html").unwrap_err();
    assert_eq!((error.kind(), error.stage()), (ErrorKind::Io, Stage::Output), "{error:#}");
    assert!(error.path().is_some());
}

#[test]
fn errors_print_their_cause_and_what_to_do() {
    let error = Error::new(ErrorKind::Io, Stage::Output, "cannot write the file")
        .with_column("c")
        .with_row(3)
        .with_path("a/b.csv")
        .with_hint("Do this.")
        .with_cause(std::io::Error::other("disk full"));
    let text = "output: cannot write the file (column `c`, row 3, a/b.csv): disk full\n  Do this.";
    assert_eq!(format!("{error:#}"), text);
    assert_eq!(format!("{error:?}"), text);
}

#[test]
fn new_rows_without_any_vector_are_outliers() {
    let vectors: Vec<Option<Series>> =
        (0..60).map(|i| Some(Series::new("".into(), [(i % 3) as f32, 1.0, (i % 7) as f32 * 0.01]))).collect();
    let mut frame = frame(60);
    frame.with_column(Column::new("v".into(), vectors)).unwrap();
    let model = TopicModel::text("caption", NoEmbedder).embeddings("v").min_topic_size(5);
    let topics = model.fit(&frame).unwrap();
    let mut new = frame.head(Some(2));
    let none = Column::full_null("v".into(), 2, &DataType::List(Box::new(DataType::Float32)));
    new.with_column(none).unwrap();
    let placed = topics.transform(&new).unwrap();
    let ids: Vec<Option<i32>> = placed.column("Topic").unwrap().i32().unwrap().iter().collect();
    assert_eq!(ids, [Some(-1), Some(-1)]);
}
