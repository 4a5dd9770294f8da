//! What `topicframe edit` says about its edits, and what `info` says about them afterwards; names of topics in the tables
//! of documents.

use topicframe::files::{read_frame, write_frame};

use crate::command_explore::explored;
use crate::command_topics::{done, model, refused, same, text};
use crate::corpora::frame;

#[test]
fn edits_that_change_nothing_say_so() {
    let folder = explored();
    let here = folder.path();
    let fitted = model(here, "model");
    let topics = fitted.summary().topics;
    assert!(topics >= 5, "{topics} topics are too few for this test");

    let edits = format!(
        "edit model --merge 2,2 --nr-topics 100 --reduce {topics} --at {topics} --label 0= --ctfidf coverage --outliers 20% \
         --reduce-outliers embeddings --max-outliers 50% --save same"
    );
    let said = text(&done(here, &edits).stderr);
    for expected in [
        "--merge 2,2 changed nothing: it names only one topic".to_owned(),
        format!("--nr-topics 100 changed nothing: the model has only {topics} topics"),
        format!("--nr-topics {topics} changed nothing: there are {topics} topics already"),
        format!("--at {topics} changed nothing: there are {topics} topics already"),
        "--label 0= changed nothing: topic 0 has no label".to_owned(),
        "--ctfidf coverage changed nothing: words are weighted so already".to_owned(),
        "--outliers 20% moved no document".to_owned(),
        "--reduce-outliers embeddings --max-outliers 50% changed nothing: there are".to_owned(),
    ] {
        assert!(said.contains(&expected), "{expected}: {said}");
    }
    same(&model(here, "same"), &fitted);

    let edits =
        "edit model --label 0=Cars --label 0=Cars --merge 0,1 --outliers none --merge 1,0 --reduce-outliers c-tf-idf";
    let said = text(&done(here, edits).stderr);
    assert!(said.contains("--label 0=Cars changed nothing: topic 0 has this label already"), "{said}");
    assert!(said.contains("--merge 1,0 changed nothing: these are one topic already"), "{said}");
    assert!(said.contains("--reduce-outliers c-tf-idf changed nothing: there are no outliers"), "{said}");
    assert_eq!(said.matches("changed nothing").count(), 3, "{said}");

    // Other edits are not remarked on, and --reduce is --nr-topics.
    let said = text(&done(here, "edit model --merge 0,1 --delete 2 --outliers none --reduce 2 --save two").stderr);
    assert!(!said.contains("changed nothing") && !said.contains("moved no document"), "{said}");
    assert_eq!(model(here, "two").summary().topics, 2);
    for edit in ["--delete -1", "--split -1=2", "--merge -1"] {
        let said = refused(here, &format!("edit model {edit}"));
        assert!(said.contains("outliers") || said.contains("at least two topics"), "{edit}: {said}");
        assert!(!said.contains("is not an option"), "{edit}: {said}");
    }
}

#[test]
fn labels_are_followed() {
    let folder = explored();
    let here = folder.path();
    let said = text(&done(here, "edit model --label 0=Cars --label 1=Trains --label 2=Old --save labeled").stdout);
    assert!(!said.contains("Labels"), "there were none before: {said}");
    let of = |said: &str, label: &str| {
        let (_, labels) = said.split_once("\nLabels\n").unwrap();
        labels.lines().find(|line| line.contains(label)).unwrap().trim().to_owned()
    };
    let said = text(&done(here, "edit labeled --merge 0,1 --delete 2 --save merged").stdout);
    let kept = model(here, "merged").custom_labels();
    assert_eq!(kept.len(), 1, "{kept:?}");
    let (first, second) = match kept.values().next().unwrap().as_str() {
        "Cars" => ("0  Cars: as before", "1  Trains: in topic 0, which is labeled Cars"),
        _ => ("0  Cars: in topic 0, which is labeled Trains", "1  Trains: now topic 0"),
    };
    assert_eq!((of(&said, "  Cars:").as_str(), of(&said, "  Trains:").as_str()), (first, second));
    assert_eq!(of(&said, "  Old:"), "2  Old: its documents are outliers, and the label is gone");
    let said = text(&done(here, "edit labeled --label 0=").stdout);
    assert_eq!(of(&said, "  Cars:"), "0  Cars: now topic 0, which has no label");

    // The model says which topics were edited, and its settings, in words.
    let said = text(&done(here, "info merged").stdout);
    let (about, tables) = said.split_once("\nSettings\n").unwrap();
    assert!(about.contains("1. label\n") && about.contains("2. merge: 0, 1 → 0\n"), "{said}");
    assert!(about.contains("3. delete: ") && about.contains(" → -1\n"), "{said}");
    assert!(!said.contains('{') && !said.contains("Some(") && !said.contains("Auto"), "{said}");
    let (settings, _) = tables.split_once("\n\n").unwrap();
    assert!(settings.contains("n_neighbors 4") && settings.contains("min_cluster_size 4"), "{said}");
    let said = text(&done(here, "info model").stdout);
    assert!(said.contains("no edits since the fit"), "{said}");
}

#[test]
fn documents_have_the_names_of_their_topics() {
    let folder = explored();
    let here = folder.path();
    let names = |file: &str| {
        let names = read_frame(here.join(file)).unwrap().get_column_names_owned();
        names.into_iter().map(|name| name.to_string()).collect::<Vec<_>>()
    };
    let cells = |file: &str, column: &str| {
        let frame = read_frame(here.join(file)).unwrap();
        let cells = frame.column(column).unwrap().str().unwrap();
        cells.iter().map(|cell| cell.map(str::to_owned)).collect::<Vec<_>>()
    };
    done(here, "edit model --label 0=Cars --save labeled --documents edited.csv");
    done(here, "info labeled --documents shown.csv");
    done(here, "info model --documents unlabeled.csv");
    done(here, "transform posts.parquet --model labeled --documents placed.csv");
    let expected = ["caption", "month", "group", "n", "Topic", "Probability", "Name", "CustomName"];
    for file in ["edited.csv", "shown.csv", "placed.csv"] {
        assert_eq!(names(file), expected, "{file}");
    }
    assert_eq!(names("unlabeled.csv"), expected[..7]);
    let labeled = model(here, "labeled");
    for file in ["edited.csv", "shown.csv", "placed.csv"] {
        // Of copies in the fit, some may have been set aside: then `transform` has another topic.
        let topics = read_frame(here.join(file)).unwrap().column("Topic").unwrap().i64().unwrap().to_vec();
        let named = |name: &dyn Fn(i32) -> Option<String>| {
            topics.iter().map(|topic| name(i32::try_from(topic.unwrap()).unwrap())).collect::<Vec<_>>()
        };
        assert_eq!(cells(file, "Name"), named(&|topic| labeled.topic_name(topic)), "{file}");
        assert_eq!(cells(file, "CustomName"), named(&|topic| labeled.topic_label(topic)), "{file}");
    }
    assert!(cells("placed.csv", "CustomName").contains(&Some("Cars".to_owned())));

    // A column that is replaced is told, once.
    let said = text(&done(here, "transform placed.csv --model labeled --documents again.csv --batch-rows 50").stderr);
    assert_eq!(said.matches("`Name` of the input is replaced").count(), 1, "{said}");
    assert_eq!(names("again.csv"), expected);
    assert_eq!(cells("again.csv", "Name"), cells("placed.csv", "Name"));
}

#[test]
fn one_row_is_not_several() {
    let folder = explored();
    let here = folder.path();
    write_frame(&frame(1), here.join("one.csv")).unwrap();
    let said = text(&done(here, "transform one.csv --model model --documents placed.csv").stderr);
    assert!(said.contains("1 row, ") && !said.contains("1 rows"), "{said}");
    let said = text(&done(here, "find model horse --top-n 1").stdout);
    assert_eq!(said.lines().count(), 2, "{said}");
}
