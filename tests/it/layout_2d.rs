//! The layout of the rows in the plane.

use std::path::Path;

use topicframe::error::ErrorKind;
use topicframe::model::{SaveOptions, SavedVectors};
use topicframe::prelude::*;

use crate::corpora::{captions, frame, themes};

/// Models whose clusterers have a neighbor graph, and none.
fn models() -> [TopicModel; 2] {
    let texts = || TopicModel::text("caption", StaticEmbedder::builtin());
    [texts().clusterer(Communities::new().n_clusters(3)), texts().reducer(NoReduction).clusterer(KMeans::new(3))]
}

/// Captions, of which some repeat, and rows without a text.
fn rows() -> DataFrame {
    let mut texts: Vec<Option<String>> = captions(90).into_iter().map(Some).collect();
    texts.extend([None, Some(String::new())]);
    texts.extend(captions(6).into_iter().map(Some));
    df!("caption" => texts).unwrap()
}

fn points(frame: &DataFrame) -> Vec<Option<[f32; 2]>> {
    let (x, y) = (frame.column("x").unwrap().f32().unwrap(), frame.column("y").unwrap().f32().unwrap());
    x.iter().zip(y.iter()).map(|(x, y)| Some([x?, y?])).collect()
}

fn layout(topics: &FittedTopicModel) -> Vec<Option<[f32; 2]>> {
    points(&topics.layout_2d().unwrap())
}

fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

#[test]
fn every_row_with_a_vector_has_a_place_near_its_like() {
    for model in models() {
        let topics = model.fit(&rows()).unwrap();
        let plane = topics.layout_2d().unwrap();
        assert_eq!(plane.get_column_names(), ["x", "y"]);
        let places = points(&plane);
        let missing: Vec<usize> = (0..places.len()).filter(|&row| places[row].is_none()).collect();
        assert_eq!(missing, [90, 91]);
        assert!(places.iter().flatten().flatten().all(|x| x.is_finite()));
        // Equal texts are at one place.
        assert_eq!(places[92..98], places[..6]);
        // Wider than high, about its middle.
        let spread = |axis: usize| places.iter().flatten().map(|at| f64::from(at[axis]).powi(2)).sum::<f64>();
        assert!(spread(0) >= spread(1));
        // The nearest other place is mostly of the same theme.
        let themes = themes(90);
        let nearest = |row: usize| {
            let [x, y] = places[row].unwrap();
            let others = (0..90).filter(|&other| places[other] != places[row]);
            let distance = |&other: &usize| (places[other].unwrap()[0] - x).hypot(places[other].unwrap()[1] - y);
            others.min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap()
        };
        let alike = (0..90).filter(|&row| themes[nearest(row)] == themes[row]).count();
        assert!(alike > 75, "{alike} of 90");
    }
}

#[test]
fn the_layout_is_the_same_for_any_number_of_threads_and_another_for_another_seed() {
    for model in models() {
        let one = on_threads(1, || layout(&model.fit(&rows()).unwrap()));
        let three = on_threads(3, || layout(&model.fit(&rows()).unwrap()));
        assert_eq!(one, three);
        assert_ne!(one, layout(&model.clone().seed(7).fit(&rows()).unwrap()));
    }
}

#[test]
fn edits_and_clones_keep_the_layout() {
    for model in models() {
        let topics = model.fit(&rows()).unwrap();
        let before = topics.clone();
        let plane = layout(&topics);
        let edited = topics.merge_topics(&[&[0, 1]]).unwrap().with_outliers(0.2).unwrap();
        assert_eq!(layout(&edited), plane);
        assert_eq!(layout(&edited.undo().unwrap()), plane);
        assert_eq!(layout(&before), plane);
        assert_eq!(layout(&topics.without_data()), plane);
        // An edit before the layout makes no difference to it either.
        let edited = model.fit(&rows()).unwrap().merge_topics(&[&[0, 1]]).unwrap();
        assert_eq!(layout(&edited), plane);
    }
}

#[test]
fn a_saved_layout_is_the_same_to_the_last_bit() {
    let folder = tempfile::tempdir().unwrap();
    let new = df!("caption" => [Some("a kitten in the garden, animals"), None]).unwrap();
    for (number, model) in models().into_iter().enumerate() {
        let topics = model.fit(&rows()).unwrap();
        let path = folder.path().join(number.to_string());
        // A model that has none yet computes the same after it was loaded.
        topics.save(&path).unwrap();
        let loaded = FittedTopicModel::load(&path).unwrap();
        assert!(!loaded.get_document_info().unwrap().get_column_names().iter().any(|name| *name == "x"));
        let plane = layout(&topics);
        assert_eq!(layout(&loaded), plane);
        let placed = points(&topics.layout_2d_of(&new).unwrap());
        assert_eq!(points(&loaded.layout_2d_of(&new).unwrap()), placed);
        // One that has it has it saved.
        topics.save(&path).unwrap();
        let loaded = FittedTopicModel::load(&path).unwrap();
        assert!(loaded.get_document_info().unwrap().get_column_names().iter().any(|name| *name == "x"));
        assert_eq!(layout(&loaded), plane);
        assert_eq!(points(&loaded.layout_2d_of(&new).unwrap()), placed);
        // Also without vectors.
        topics.save_with(&path, &SaveOptions::new().vectors(SavedVectors::None)).unwrap();
        assert_eq!(layout(&FittedTopicModel::load(&path).unwrap()), plane);
    }
}

#[test]
fn new_rows_are_placed_among_their_neighbors() {
    for model in models() {
        let topics = model.fit(&rows()).unwrap();
        let plane = layout(&topics);
        let new = df!(
            "id" => [1, 2, 3],
            "caption" => [captions(8)[7].as_str(), "", "an old steam engine with freight, on the rails, trains"],
        )
        .unwrap();
        let placed = topics.layout_2d_of(&new).unwrap();
        assert_eq!(placed.get_column_names(), ["id", "caption", "x", "y"]);
        let places = points(&placed);
        assert_eq!((places[0], places[1]), (plane[7], None));
        let [x, y] = places[2].unwrap();
        let nearest = (0..90).min_by(|&a, &b| {
            let distance = |row: usize| (plane[row].unwrap()[0] - x).hypot(plane[row].unwrap()[1] - y);
            distance(a).total_cmp(&distance(b))
        });
        assert_eq!(themes(90)[nearest.unwrap()], 1);
        // Each by itself.
        assert_eq!(points(&topics.layout_2d_of(&new.slice(2, 1)).unwrap()), places[2..]);
    }
}

#[test]
fn the_table_of_documents_has_the_layout_once_it_was_made() {
    let own = frame(30).hstack(&[Column::new("y".into(), vec![1_i32; 30])]).unwrap();
    for (frame, expected) in [(frame(30), true), (own, false)] {
        let topics = models()[1].fit(&frame).unwrap();
        let names = |topics: &FittedTopicModel| {
            let info = topics.get_document_info().unwrap();
            info.get_column_names().iter().map(|name| name.to_string()).collect::<Vec<String>>()
        };
        let before = names(&topics);
        let plane = layout(&topics);
        let after = names(&topics);
        assert_eq!(after.len(), before.len() + if expected { 2 } else { 0 });
        if expected {
            assert_eq!(points(&topics.get_document_info().unwrap()), plane);
        }
    }
}

#[test]
fn a_layout_can_be_given() {
    let topics = models()[1].fit(&frame(30)).unwrap();
    let x: Vec<Option<f64>> = (0..30).map(|row| (row != 4).then_some(f64::from(row))).collect();
    let given = df!("x" => &x, "y" => &x, "other" => vec!["a"; 30]).unwrap();
    let with = topics.with_layout_2d(&given).unwrap();
    let places = layout(&with);
    assert_eq!((places[3], places[4]), (Some([3.0, 3.0]), None));
    assert_ne!(layout(&topics), places);
    assert_eq!(layout(&with.merge_topics(&[&[0, 1]]).unwrap()), places);
    let folder = tempfile::tempdir().unwrap();
    with.save(folder.path()).unwrap();
    assert_eq!(layout(&FittedTopicModel::load(folder.path()).unwrap()), places);
    let error = with.layout_2d_of(&frame(2)).unwrap_err();
    assert!(error.kind() == ErrorKind::NotFound && error.to_string().contains("given"), "{error}");

    let refused = |layout: DataFrame| topics.with_layout_2d(&layout).unwrap_err();
    assert_eq!(refused(given.slice(0, 29)).kind(), ErrorKind::InvalidData);
    assert_eq!(refused(given.drop("y").unwrap()).column(), Some("y"));
    assert_eq!(refused(df!("x" => &x, "y" => vec!["a"; 30]).unwrap()).kind(), ErrorKind::WrongType);
    let y: Vec<f64> = (0..30).map(|row| if row == 7 { f64::NAN } else { 0.0 }).collect();
    assert_eq!(refused(df!("x" => &y, "y" => &y).unwrap()).row(), Some(7));
    let one: Vec<Option<f64>> = (0..30).map(|row| (row != 9).then_some(1.0)).collect();
    assert_eq!(refused(df!("x" => vec![1.0; 30], "y" => one).unwrap()).row(), Some(9));
}

#[test]
fn models_without_vectors_say_what_to_do() {
    let said = |topics: &FittedTopicModel| {
        let error = topics.layout_2d().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        format!("{error:#}")
    };
    let topics = models()[1].fit(&frame(30)).unwrap();
    assert!(said(&topics.without_data()).contains("layout_2d needs the rows"));
    let folder = tempfile::tempdir().unwrap();
    topics.save_with(folder.path(), &SaveOptions::new().vectors(SavedVectors::None)).unwrap();
    assert!(said(&FittedTopicModel::load(folder.path()).unwrap()).contains("without them"));
    let imported = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/bertopic_saved/full");
    let imported = FittedTopicModel::load_bertopic(imported).unwrap();
    assert!(said(&imported).contains("with_layout_2d"));
    let zeros = vec![0.5_f32; imported.labels().len()];
    let with = imported.with_layout_2d(&df!("x" => &zeros, "y" => &zeros).unwrap()).unwrap();
    assert_eq!(layout(&with).len(), zeros.len());
    assert!(with.visualize_documents().svg().unwrap().starts_with("<svg"));
}

#[test]
fn few_rows_and_equal_rows_have_a_layout() {
    let one = df!("caption" => vec!["a cat sleeping on the grass"; 20]).unwrap();
    let two = df!("caption" => ["a cat sleeping on the grass", "a train at the station"].repeat(10)).unwrap();
    for (frame, different) in [(one, 1), (two, 2)] {
        for model in
            [TopicModel::text("caption", StaticEmbedder::builtin()), models()[1].clone().clusterer(KMeans::new(1))]
        {
            let topics = model.fit(&frame).unwrap();
            let mut places: Vec<_> = layout(&topics).into_iter().map(|at| at.unwrap().map(f32::to_bits)).collect();
            places.sort_unstable();
            places.dedup();
            assert_eq!(places.len(), different);
            assert!(topics.visualize_documents().svg().unwrap().starts_with("<svg"));
            assert!(topics.visualize_topics().svg().unwrap().starts_with("<svg"));
        }
    }
}

#[test]
fn the_layout_can_be_stopped() {
    let interrupt = Interrupt::new();
    let topics = models()[0].clone().interrupt(interrupt.clone()).fit(&frame(60)).unwrap();
    interrupt.stop();
    assert_eq!(topics.layout_2d().unwrap_err().kind(), ErrorKind::Interrupted);
}
