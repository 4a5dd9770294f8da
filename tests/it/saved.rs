//! Saved models: loaded is fitted.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ndarray::{Array2, ArrayView2};
use topicframe::model::{LoadOptions, SaveOptions, SavedImages, SavedVectors};
use topicframe::polars::prelude::*;
use topicframe::prelude::*;
use topicframe::state::State;

use crate::colors::{Eye, EyeAndEar, Namer, image_frame, pictures, text_and_image_frame, texts};
use crate::corpora::{captions, drawings, frame, frame_with_images};

pub type Outcome<T> = Result<T, Error>;

pub type Edit = fn(&FittedTopicModel) -> Outcome<FittedTopicModel>;

/// The names and contents of the files in a folder.
pub fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap())).collect()
}

pub fn text(model: Outcome<DataFrame>) -> String {
    match model {
        // Debug output of floats is exact.
        Ok(frame) => {
            let columns = frame.columns().iter().map(|column| {
                let values: Vec<String> =
                    (0..column.len()).map(|row| format!("{:?}", column.get(row).unwrap())).collect();
                format!("{}: {:?} {values:?}\n", column.name(), column.dtype())
            });
            columns.collect()
        }
        Err(error) => format!("{error:#}"),
    }
}

/// All that can be asked of a model, as text.
fn told(topics: &FittedTopicModel, new: &DataFrame) -> Vec<(&'static str, String)> {
    let terms = topics.terms();
    let ids = topics.topic_ids();
    let aspects: Vec<String> = topics
        .topic_aspects()
        .iter()
        .map(|(name, aspect)| match aspect {
            Aspect::Images(gallery) => {
                let pictures: Vec<_> = gallery
                    .topics()
                    .iter()
                    .map(|&id| format!("{:?} {:?}", gallery.pictures(id), gallery.thumbnails(id)))
                    .collect();
                let skipped: Vec<String> = gallery.skipped().iter().map(|skipped| skipped.to_string()).collect();
                format!("{name} {pictures:?} {skipped:?} {:?}", gallery.collages().unwrap())
            }
            aspect => format!("{name} {aspect:?}"),
        })
        .collect();
    let of_topics: Vec<_> = ids
        .iter()
        .map(|&id| {
            format!(
                "{:?} {:?} {:?} {:?}",
                topics.topic_label(id),
                topics.topic_size(id),
                topics.get_representative_docs(id),
                topics.representative_rows(id)
            )
        })
        .collect();
    let numbers = (&terms.counts, &terms.document_counts, &terms.topic_documents, &terms.c_tf_idf, &terms.text_scores);
    vec![
        ("labels", format!("{:?}", topics.labels())),
        ("probabilities", format!("{:?}", topics.probabilities())),
        ("words", format!("{:?}", topics.get_topics())),
        ("topics", format!("{of_topics:?}")),
        ("aspects", aspects.join("\n")),
        ("captions", format!("{:?}", topics.captions())),
        ("vocabulary", format!("{:?}", topics.vocabulary())),
        ("terms", format!("{numbers:?} {:?}", terms.top_words(&ids, 20))),
        ("means", format!("{:?}", topics.topic_embeddings())),
        ("history", format!("{:?}", topics.history())),
        ("summary", format!("{:?}", topics.summary())),
        ("topic table", text(topics.get_topic_info())),
        ("frequencies", text(topics.get_topic_freq())),
        ("documents", text(topics.get_document_info_with_runners_up())),
        ("quality", text(topics.quality())),
        ("topic quality", text(topics.topic_quality())),
        ("layers", text(topics.layers())),
        ("topics at", text(topics.topics_at(&[2, 3]))),
        ("reliability", text(topics.reliability(1))),
        ("new rows", text(topics.transform(new))),
        ("search", text(topics.find_topics("cat red train", 3))),
        (
            "report",
            // A map adds positions to the table of documents.
            topics
                .report()
                .map(false)
                .to_html()
                .map(|html| html.into_string())
                .unwrap_or_else(|error| format!("{error:#}")),
        ),
    ]
}

fn assert_same(a: &FittedTopicModel, b: &FittedTopicModel, new: &DataFrame) {
    for ((what, a), (_, b)) in told(a, new).into_iter().zip(told(b, new)) {
        let differs = a.bytes().zip(b.bytes()).position(|(a, b)| a != b).unwrap_or(a.len().min(b.len()));
        let around = |text: &str| text.chars().skip(differs.saturating_sub(60)).take(160).collect::<String>();
        assert!(a == b, "{what} at {differs}:\n{}\n{}", around(&a), around(&b));
    }
}

/// Saves and loads a model, and what edits make of it, and compares everything.
fn check(topics: &FittedTopicModel, new: &DataFrame, give: impl Fn(FittedTopicModel) -> FittedTopicModel) {
    let folder = tempfile::tempdir().unwrap();
    let saved = folder.path().join("model");
    topics.save(&saved).unwrap();
    let loaded = give(FittedTopicModel::load(&saved).unwrap());
    assert_same(topics, &loaded, new);
    let again = folder.path().join("again");
    FittedTopicModel::load(&saved).unwrap().save(&again).unwrap();
    assert!(contents(&saved) == contents(&again), "saved again, it is not the same");
    let edits: [(&str, Edit); 6] = [
        ("reduce", |topics| topics.reduce_topics(2)),
        ("merge", |topics| topics.merge_topics(&[&[0, 1]])),
        ("at", |topics| topics.at(4)),
        ("weights", |topics| topics.with_ctfidf(ClassTfIdf::new())),
        ("outliers", |topics| topics.with_outliers(0.2)?.merge_topics(&[&[0, 1]])),
        ("no outliers", |topics| topics.with_outliers(Outliers::None)),
    ];
    for (name, edit) in edits {
        match (edit(topics), edit(&loaded)) {
            (Ok(fitted), Ok(edited)) => {
                assert_same(&fitted, &edited, new);
                fitted.save(&saved).unwrap();
                let edited = give(FittedTopicModel::load(&saved).unwrap());
                assert_same(&fitted, &edited, new);
                let restored = |topics: &FittedTopicModel| topics.with_outliers(Outliers::AsClustered).unwrap();
                assert_eq!(restored(&fitted).labels(), restored(&edited).labels(), "{name}");
            }
            (Err(fitted), Err(edited)) => assert_eq!(format!("{fitted:#}"), format!("{edited:#}"), "{name}"),
            (fitted, edited) => panic!("{name}: {fitted:?} {edited:?}"),
        }
    }
}

fn by_text() -> TopicModel {
    TopicModel::text("caption", StaticEmbedder::builtin())
}

fn new_texts() -> DataFrame {
    let mut texts = captions(7);
    texts.extend(["a cat with a train".to_owned(), String::new(), "apple pie and a slow tram".to_owned()]);
    df!("caption" => texts).unwrap()
}

#[test]
fn saved_models_of_texts_are_the_fitted_ones() {
    let frame = frame(150);
    check(&by_text().fit(&frame).unwrap(), &new_texts(), |loaded| loaded);
    let repeated = frame.vstack(&frame.slice(0, 40)).unwrap();
    check(&by_text().clusterer(Communities::new().n_neighbors(8)).fit(&repeated).unwrap(), &new_texts(), |loaded| {
        loaded
    });
}

#[test]
fn saved_stages_are_the_fitted_ones() {
    let frame = frame(150);
    let stages: [fn(TopicModel) -> TopicModel; 5] = [
        |model| model.bertopic().min_topic_size(8),
        |model| model.reducer(Pca::new().n_components(3)).clusterer(Hdbscan::new().min_cluster_size(8)),
        |model| model.reducer(NoReduction).clusterer(KMeans::new(4)),
        |model| model.reducer(Umap::new().n_components(2)).clusterer(Communities::new()),
        |model| model.nr_topics(3).outliers(0.1).vectorizer(CountVectorizer::new().phrases(true)),
    ];
    for stages in stages {
        let model = stages(by_text())
            .representation("KeyBERT", KeyBERTInspired::new())
            .representation("Diverse", MaximalMarginalRelevance::new().diversity(0.3));
        check(&model.fit(&frame).unwrap(), &new_texts(), |loaded| loaded);
    }
}

#[test]
fn saved_indexes_are_the_fitted_ones() {
    // So many rows that the search is approximate.
    let drawings = drawings();
    let exact = Communities::new().neighbor_search(NeighborSearch::Approximate);
    let topics = by_text().clusterer(exact).fit(&drawings).unwrap();
    let folder = tempfile::tempdir().unwrap();
    topics.save(folder.path()).unwrap();
    let loaded = FittedTopicModel::load(folder.path()).unwrap();
    assert_same(&topics, &loaded, &new_texts());
    assert!(loaded.transform(&drawings).unwrap().equals_missing(&topics.transform(&drawings).unwrap()));
}

#[test]
fn saved_models_of_images_are_the_fitted_ones() {
    let frame = image_frame(60);
    let plain = |model: TopicModel| model.reducer(NoReduction).clusterer(KMeans::new(3));
    let model = plain(TopicModel::images("image", Eye))
        .captioner(Namer::default())
        .representation("Pictures", VisualRepresentation::new().nr_repr_images(4));
    check(&model.fit(&frame).unwrap(), &image_frame(7), |loaded| loaded.with_image_embedder(Eye).unwrap());
    let frame = text_and_image_frame(&texts(60), &pictures(60));
    let model = plain(TopicModel::text_and_images("text", "image", EyeAndEar)).fusion(Fusion::new().center(true));
    let give =
        |loaded: FittedTopicModel| loaded.with_embedder(EyeAndEar).unwrap().with_image_embedder(EyeAndEar).unwrap();
    check(&model.fit(&frame).unwrap(), &frame.slice(5, 9), give);
}

#[test]
fn saved_vectors_of_columns_are_the_fitted_ones() {
    let mut frame = by_text().embed(&frame(90)).unwrap();
    let model =
        TopicModel::text("caption", NoEmbedder).embeddings("embedding").reducer(NoReduction).clusterer(KMeans::new(3));
    check(&model.fit(&frame).unwrap(), &frame.slice(3, 12), |loaded| loaded);
    // Another type than the model's own stays as it is.
    let lists = frame.column("embedding").unwrap().cast(&DataType::List(Box::new(DataType::Float64))).unwrap();
    frame.with_column(lists).unwrap();
    check(&model.fit(&frame).unwrap(), &frame.slice(3, 12), |loaded| loaded);
}

#[test]
fn saved_pictures_need_no_files_unless_only_their_paths_were_saved() {
    let folder = tempfile::tempdir().unwrap();
    let images = folder.path().join("images");
    fs::create_dir(&images).unwrap();
    let frame = frame_with_images(60, &images);
    let model = by_text()
        .with_images("image")
        .image_folder(&images)
        .representation("Pictures", VisualRepresentation::new().nr_repr_images(3));
    let topics = model.reducer(NoReduction).clusterer(KMeans::new(3)).fit(&frame).unwrap();
    check(&topics, &new_texts(), |loaded| loaded);
    let saved = |images: SavedImages| {
        let saved = folder.path().join(format!("{images:?}"));
        topics.save_with(&saved, &SaveOptions::new().images(images)).unwrap();
        saved
    };
    let (paths, thumbnails, whole) =
        (saved(SavedImages::Paths), saved(SavedImages::Thumbnails), saved(SavedImages::Whole));
    let gallery = |saved: &Path| match FittedTopicModel::load(saved).unwrap().topic_aspect("Pictures").unwrap() {
        Aspect::Images(gallery) => gallery,
        other => panic!("{other:?}"),
    };
    let fitted = gallery(&thumbnails).collages().unwrap();
    assert_eq!(gallery(&paths).thumbnails(0), gallery(&thumbnails).thumbnails(0));
    fs::remove_dir_all(&images).unwrap();
    assert_eq!(gallery(&whole).collages().unwrap(), fitted);
    assert_eq!(gallery(&thumbnails).thumbnails(0).len(), 3);
    assert!(gallery(&paths).thumbnails(0).is_empty());
}

#[test]
fn saved_without_documents_what_needs_none_works() {
    let frame = frame(150);
    let topics = by_text().fit(&frame).unwrap();
    let folder = tempfile::tempdir().unwrap();
    topics.save_with(folder.path(), &SaveOptions::new().documents(false)).unwrap();
    let all: Vec<u8> = contents(folder.path()).into_values().flatten().collect();
    let text = captions(150)[3].clone();
    assert!(!all.windows(text.len()).any(|bytes| bytes == text.as_bytes()), "a text was saved");
    let loaded = FittedTopicModel::load(folder.path()).unwrap();
    assert_eq!((loaded.get_topics(), loaded.labels()), (topics.get_topics(), topics.labels()));
    let new = new_texts();
    assert!(loaded.transform(&new).unwrap().equals_missing(&topics.transform(&new).unwrap()));
    assert!(loaded.transform(&frame).unwrap().equals_missing(&topics.transform(&frame).unwrap()));
    let error = loaded.get_document_info().unwrap_err();
    assert!(format!("{error:#}").contains("saved with its documents"), "{error:#}");
    assert!(loaded.merge_topics(&[&[0, 1]]).is_ok() && loaded.text(0).is_none());
    assert!(loaded.report().to_html().is_ok() && loaded.get_topic_info().is_ok());
}

#[test]
fn saved_without_vectors_new_rows_are_placed_by_centroids() {
    let frame = frame(150);
    let topics = by_text().fit(&frame).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (name, vectors) in [("full", SavedVectors::Full), ("half", SavedVectors::Half), ("none", SavedVectors::None)] {
        topics.save_with(folder.path().join(name), &SaveOptions::new().vectors(vectors)).unwrap();
    }
    let size = |name: &str| contents(&folder.path().join(name)).values().map(Vec::len).sum::<usize>();
    assert!(size("none") < size("half") && size("half") < size("full"));
    let load = |name: &str| FittedTopicModel::load(folder.path().join(name)).unwrap();
    let placed = |topics: &FittedTopicModel| {
        let placed = topics.transform(&frame).unwrap();
        placed.column("Topic").unwrap().i32().unwrap().iter().flatten().collect::<Vec<i32>>()
    };
    let same = |a: Vec<i32>, b: Vec<i32>| a.iter().zip(&b).filter(|(a, b)| a == b).count();
    assert_eq!(placed(&load("half")), topics.labels());
    assert!(same(placed(&load("none")), topics.labels()) > 135);
    let loaded = load("none");
    assert!(loaded.summary().clusterer.contains("placed by centroids"), "{}", loaded.summary().clusterer);
    assert_eq!(text(loaded.get_document_info()), text(topics.get_document_info()));
    let error = loaded.merge_topics(&[&[0, 1]]).unwrap_err();
    assert!(error.to_string().contains("saved without them"), "{error}");
    loaded.save(folder.path().join("again")).unwrap();
    assert!(contents(&folder.path().join("again")) == contents(&folder.path().join("none")));
}

/// A clusterer by the sign of the first coordinate.
#[derive(Debug, Clone)]
struct Sign {
    has_state: bool,
}

impl Clusterer for Sign {
    fn check(&self) -> Outcome<()> {
        Ok(())
    }

    fn min_rows(&self) -> usize {
        1
    }

    fn fit(&self, training: &Training<'_>) -> Outcome<Clustering> {
        let (labels, strengths) = self.predict(training.matrix().view(), &training.progress)?;
        Ok(Clustering::new(labels, strengths, self.clone()))
    }
}

impl FittedClusterer for Sign {
    fn predict(&self, points: ArrayView2<'_, f32>, _: &Progress) -> Outcome<(Vec<i32>, Vec<f64>)> {
        Ok((points.outer_iter().map(|point| i32::from(point[0] > 0.0)).collect(), vec![1.0; points.nrows()]))
    }

    fn state(&self) -> Option<State<'_>> {
        self.has_state.then(|| State::new("sign").with_setting("of", "the first"))
    }
}

#[test]
fn saved_stages_of_a_users_own() {
    let fitted = |has_state| by_text().reducer(NoReduction).clusterer(Sign { has_state }).fit(&frame(60)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let saved = folder.path().join("model");
    let error = fitted(false).save(&saved).unwrap_err();
    assert!(error.to_string().contains("the clusterer `Sign") && !saved.exists(), "{error}");
    assert!(format!("{error:#}").contains("place_by_centroids"), "{error:#}");
    fitted(false).save_with(&saved, &SaveOptions::new().place_by_centroids(true)).unwrap();
    let loaded = FittedTopicModel::load(&saved).unwrap();
    assert!(loaded.merge_topics(&[&[0, 1]]).is_ok() && loaded.transform(&new_texts()).is_ok());
    fitted(true).save(&saved).unwrap();
    let error = FittedTopicModel::load(&saved).unwrap_err();
    assert!(error.to_string().contains("`sign`") && format!("{error:#}").contains("LoadOptions"), "{error:#}");
    let options = LoadOptions::new().clusterer("sign", |state| {
        assert_eq!(state.setting::<String>("of")?, "the first");
        Ok(Arc::new(Sign { has_state: true }))
    });
    assert_same(&fitted(true), &FittedTopicModel::load_with(&saved, &options).unwrap(), &new_texts());
}

/// Embeds texts by their length.
#[derive(Debug)]
struct Length;

impl TextEmbedder for Length {
    fn dimensions(&self) -> usize {
        2
    }

    fn embed_texts(&self, texts: &[&str], _: &Progress) -> Outcome<Array2<f32>> {
        Ok(Array2::from_shape_fn(
            (texts.len(), 2),
            |(row, column)| if column == texts[row].len() % 2 { 1.0 } else { 0.1 },
        ))
    }
}

#[test]
fn saved_with_an_embedder_that_is_missing_what_needs_none_works() {
    let model = TopicModel::text("caption", Length).reducer(NoReduction).clusterer(KMeans::new(2));
    let topics = model.fit(&frame(40)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    topics.save(folder.path()).unwrap();
    let loaded = FittedTopicModel::load(folder.path()).unwrap();
    assert_eq!(text(loaded.get_document_info()), text(topics.get_document_info()));
    let error = loaded.transform(&new_texts()).unwrap_err();
    assert!(error.to_string().contains("`Length`") && format!("{error:#}").contains("with_embedder"), "{error:#}");
    assert!(loaded.with_embedder(StaticEmbedder::builtin()).is_err());
    assert_same(&topics, &loaded.with_embedder(Length).unwrap(), &new_texts());
}

/// A model for the tests of folders: small, with outliers, edits and a null vector.
pub fn small() -> FittedTopicModel {
    let vectors = |i: usize| [(i % 3) as f32 + 0.01 * i as f32, (i % 2) as f32, 1.0];
    let vectors: Vec<Option<Series>> = (0..24).map(|i| (i != 7).then(|| Series::new("".into(), vectors(i)))).collect();
    let columns = vec![Column::new("caption".into(), captions(24)), Column::new("v".into(), vectors)];
    let frame = DataFrame::new(24, columns).unwrap();
    let model = TopicModel::text("caption", NoEmbedder).embeddings("v").reducer(NoReduction).clusterer(KMeans::new(4));
    model.fit(&frame).unwrap().with_outliers(0.1).unwrap().merge_topics(&[&[0, 1]]).unwrap()
}

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/saved/version_1")
}

#[test]
fn saved_by_format_version_1_a_model_can_be_read() {
    // To write it anew: never, since it is what this version wrote. A new format gets a new folder.
    if std::env::var_os("TOPICFRAME_WRITE_FIXTURES").is_some() && !fixture().exists() {
        small().save(fixture()).unwrap();
    }
    let loaded = FittedTopicModel::load(fixture()).unwrap();
    let topics = small();
    assert_eq!((loaded.labels(), loaded.get_topics()), (topics.labels(), topics.get_topics()));
    assert_eq!(loaded.history(), topics.history());
    assert_eq!(text(loaded.get_document_info()), text(topics.get_document_info()));
    let new = df!("caption" => ["a cat"], "v" => [Series::new("".into(), [1.0_f32, 0.0, 1.0])]).unwrap();
    assert_eq!(text(loaded.transform(&new)), text(topics.transform(&new)));
}

/// Not a test by itself: saves two models in turn until it is killed.
#[test]
#[ignore = "runs until it is killed; another test starts it"]
fn saved_over_and_over() {
    let Some(folder) = std::env::var_os("TOPICFRAME_SAVED_OVER_AND_OVER") else { return };
    let models = two_models();
    fs::write(Path::new(&folder).with_extension("started"), "").unwrap();
    for turn in 0.. {
        models[turn % 2].save(&folder).unwrap();
    }
}

fn two_models() -> [FittedTopicModel; 2] {
    let model = |rows: usize| by_text().reducer(NoReduction).clusterer(KMeans::new(3)).fit(&frame(rows)).unwrap();
    [model(300), model(420)]
}

#[cfg(unix)]
#[test]
fn saved_models_survive_a_kill_at_any_moment() {
    const KILLS: u64 = 20;
    let folder = tempfile::tempdir().unwrap();
    let saved = folder.path().join("model");
    let models = two_models();
    models[0].save(&saved).unwrap();
    let mut met = [0; 2];
    for kill in 0..KILLS {
        let started = saved.with_extension("started");
        let _ = fs::remove_file(&started);
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "saved::saved_over_and_over", "--ignored"])
            .env("TOPICFRAME_SAVED_OVER_AND_OVER", &saved)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begin = Instant::now();
        while !started.exists() {
            assert!(begin.elapsed() < Duration::from_secs(60) && child.try_wait().unwrap().is_none());
            std::thread::sleep(Duration::from_millis(2));
        }
        std::thread::sleep(Duration::from_micros(500 + kill * 1777));
        child.kill().unwrap();
        child.wait().unwrap();
        let loaded = FittedTopicModel::load(&saved).unwrap();
        let which = models.iter().position(|model| model.labels() == loaded.labels()).expect("one of the two");
        met[which] += 1;
    }
    // What killed processes left is removed by the next one.
    models[0].save(&saved).unwrap();
    let again = folder.path().join("again");
    models[0].save(&again).unwrap();
    assert!(contents(&saved) == contents(&again), "{:?}", contents(&saved).keys());
    assert_eq!(met[0] + met[1], KILLS);
}

/// Not a test by itself: saves a model where a file cannot be as large as needed.
#[test]
#[ignore = "needs a limited file size; another test starts it"]
fn saved_without_space() {
    let Some(folder) = std::env::var_os("TOPICFRAME_SAVED_WITHOUT_SPACE").map(PathBuf::from) else { return };
    let models = two_models();
    for folder in [folder.clone(), folder.with_extension("new")] {
        let error = models[1].save(&folder).unwrap_err();
        assert!(error.to_string().contains("unchanged") && error.path().is_some(), "{error:#}");
    }
}

#[cfg(unix)]
#[test]
fn saved_on_a_full_disk_nothing_is_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let saved = folder.path().join("model");
    two_models()[0].save(&saved).unwrap();
    let before = contents(&saved);
    let status = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 20; exec \"$@\"", "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "saved::saved_without_space", "--ignored"])
        .env("TOPICFRAME_SAVED_WITHOUT_SPACE", &saved)
        .stdout(Stdio::null())
        .status();
    assert!(status.unwrap().success());
    assert!(contents(&saved) == before && !saved.with_extension("new").exists());
}

#[test]
fn saved_by_two_at_once_one_model_is_left_and_readers_find_one() {
    let folder = tempfile::tempdir().unwrap();
    let saved = folder.path().join("model");
    let models = two_models();
    models[0].save(&saved).unwrap();
    std::thread::scope(|scope| {
        for model in &models {
            let saved = &saved;
            scope.spawn(move || (0..8).for_each(|_| model.save(saved).unwrap()));
        }
        for _ in 0..12 {
            let loaded = FittedTopicModel::load(&saved).unwrap();
            assert!(models.iter().any(|model| model.labels() == loaded.labels()));
        }
    });
    let loaded = FittedTopicModel::load(&saved).unwrap();
    assert!(models.iter().any(|model| model.labels() == loaded.labels()));
}

/// Measures saving and loading, for BENCHMARKS.md: a file with a column `text`.
#[test]
#[ignore = "a measurement"]
fn saved_in_so_many_seconds() {
    let Some(path) = std::env::var_os("TOPICFRAME_MEASURED") else { return };
    let frame = read_frame(Path::new(&path)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let saved = folder.path().join("model");
    let topics = TopicModel::text("text", StaticEmbedder::builtin()).fit(&frame).unwrap();
    let new = df!("text" => ["the new graphics card does not fit"]).unwrap();
    let time = |name: &str, work: &mut dyn FnMut()| {
        let start = Instant::now();
        work();
        eprintln!("{name}: {:.3} s", start.elapsed().as_secs_f64());
    };
    time("transform", &mut || drop(topics.transform(&new).unwrap()));
    time("transform again", &mut || drop(topics.transform(&new).unwrap()));
    for _ in 0..3 {
        time("save", &mut || topics.save(&saved).unwrap());
        let mut loaded = None;
        time("load", &mut || loaded = Some(FittedTopicModel::load(&saved).unwrap()));
        let loaded = loaded.unwrap();
        time("first transform", &mut || drop(loaded.transform(&new).unwrap()));
        time("second transform", &mut || drop(loaded.transform(&new).unwrap()));
    }
    for (name, bytes) in contents(&saved) {
        eprintln!("{name}: {} bytes", bytes.len());
    }
}
