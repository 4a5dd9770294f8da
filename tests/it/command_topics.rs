//! Working with the topics of a saved model on the command line: `edit`, `find`.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use topicframe::FittedTopicModel;
use topicframe::files::{read_frame, write_frame};
use topicframe::polars::prelude::*;

use crate::corpora::{frame, frame_with_images};

pub fn topicframe(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_topicframe"))
        .current_dir(folder)
        .args(arguments)
        // Names that are not folders must not cause network requests in a test.
        .env("HF_HUB_OFFLINE", "1")
        .env("HF_HOME", folder.join("hub"))
        .output()
        .unwrap()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

pub fn done(folder: &Path, arguments: &str) -> Output {
    let output = topicframe(folder, &arguments.split_whitespace().collect::<Vec<_>>());
    assert!(output.status.success(), "{arguments}: {}", text(&output.stderr));
    output
}

pub fn refused(folder: &Path, arguments: &str) -> String {
    let output = topicframe(folder, &arguments.split_whitespace().collect::<Vec<_>>());
    assert!(!output.status.success(), "{arguments:?} was accepted");
    let said = text(&output.stderr);
    assert!(!said.contains("panicked"), "{said}");
    said
}

/// A folder with `model` of many small topics, fitted to `posts.parquet`.
fn with_topics() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_frame(&frame(216), folder.path().join("posts.parquet")).unwrap();
    let fit = "fit posts.parquet --text caption --n-neighbors 4 --min-cluster-size 4 --save model";
    done(folder.path(), fit);
    folder
}

pub fn model(folder: &Path, name: &str) -> FittedTopicModel {
    FittedTopicModel::load(folder.join(name)).unwrap()
}

pub fn same(a: &FittedTopicModel, b: &FittedTopicModel) {
    assert_eq!((a.labels(), a.get_topics(), a.probabilities()), (b.labels(), b.get_topics(), b.probabilities()));
}

#[test]
fn edits_are_those_of_the_library_in_the_given_order() {
    let folder = with_topics();
    let here = folder.path();
    let fitted = model(here, "model");
    let topics = fitted.topic_ids().into_iter().filter(|&id| id >= 0).count();
    assert!(topics >= 5, "{topics} topics are too few for this test");

    let said = text(&done(here, "edit model --merge 1,2 --merge 3,4 --save merged").stdout);
    let merged = model(here, "merged");
    same(&merged, &fitted.merge_topics(&[&[1, 2], &[3, 4]]).unwrap());
    assert_eq!(merged.history().len(), 1, "merges in a row are one edit");
    assert!(said.starts_with("Before\n") && said.contains("\nAfter\nTopic"), "{said}");
    same(&fitted, &model(here, "model"));

    // Each number is one of the model, even if a merge has renumbered the topics since.
    done(here, "edit model --merge 0,1 --outliers none --merge 2,3 --save twice");
    let first = fitted.merge_topics(&[&[0, 1]]).unwrap();
    let now = |id: i32| first.history()[0].successor(id);
    let expected = first.with_outliers(topicframe::model::Outliers::None).unwrap();
    let moved = expected.history()[1].clone();
    let expected = expected.merge_topics(&[&[moved.successor(now(2)), moved.successor(now(3))]]).unwrap();
    same(&model(here, "twice"), &expected);

    // Groups with a topic in common are one; -1 makes outliers.
    done(here, "edit model --merge 0,1 --merge 2,3 --merge 1,2 --merge -1,4 --save joined");
    same(&model(here, "joined"), &fitted.merge_topics(&[&[0, 1, 2, 3], &[-1, 4]]).unwrap());

    done(here, "edit model --nr-topics 2 --save two");
    same(&model(here, "two"), &fitted.reduce_topics(2).unwrap());
    done(here, "edit model --at 3 --ctfidf BM25,coverage --outliers 10% --save three");
    let weighting = topicframe::prelude::ClassTfIdf::new().bm25_weighting(true).coverage(true);
    let expected = fitted.at(3).unwrap().with_ctfidf(weighting).unwrap().with_outliers(0.1).unwrap();
    same(&model(here, "three"), &expected);
    // The other order is another model.
    done(here, "edit model --nr-topics 2 --merge 0,1 --save order");
    done(here, "edit model --merge 0,1 --nr-topics 2 --save other");
    let ids = |name: &str| model(here, name).topic_ids().into_iter().filter(|&id| id >= 0).count();
    assert!(ids("other") == 2 && ids("order") <= 2);
}

#[test]
fn an_edited_model_replaces_itself_and_writes_what_a_fit_writes() {
    let folder = with_topics();
    let here = folder.path();
    let expected = model(here, "model").merge_topics(&[&[0, 1]]).unwrap();
    let arguments = "edit model --merge 0,1 --save model --topics t.parquet --documents d.parquet --report p.html";
    let said = text(&done(here, arguments).stderr);
    assert!(said.contains("wrote model") && said.contains("wrote report") && !said.contains("not saved"), "{said}");
    same(&model(here, "model"), &expected);
    let topics = read_frame(here.join("t.parquet")).unwrap();
    assert_eq!(topics.height(), expected.topic_ids().len());
    let documents = read_frame(here.join("d.parquet")).unwrap();
    let labels: Vec<i32> = documents.column("Topic").unwrap().i32().unwrap().iter().flatten().collect();
    assert_eq!(labels, expected.labels());
    assert!(fs::read_to_string(here.join("p.html")).unwrap().contains("<html"));

    // Half precision stays, unless another is chosen.
    let saved = |name: &str| {
        let listing = fs::read(here.join(name).join("model.json")).unwrap();
        let listing: serde_json::Value = serde_json::from_slice(&listing).unwrap();
        listing["model"]["saved"].clone()
    };
    done(here, "edit model --outliers none --save half --save-vectors half");
    done(here, "edit half --merge 0,1 --save again");
    done(here, "edit half --merge 0,1 --save light --save-vectors none --save-without-documents");
    assert_eq!(saved("again"), serde_json::json!({ "documents": true, "term_counts": true, "vectors": "half" }));
    assert_eq!(saved("light"), serde_json::json!({ "documents": false, "term_counts": false, "vectors": "none" }));
}

#[test]
fn edits_that_cannot_be_made_are_refused() {
    let folder = with_topics();
    let here = folder.path();
    let before = fs::read(here.join("model/model.json")).unwrap();
    let cases = [
        ("edit model", "--merge"),
        ("edit model --merge 1", "at least two topics"),
        ("edit model --merge 1,x", "at least two topics"),
        ("edit model --merge 1,-1", "outliers cannot be merged"),
        ("edit model --merge 0,99", "there is no topic 99"),
        ("edit model --merge -1,1 --ctfidf plain --merge 1,2", "put this one earlier"),
        ("edit model --nr-topics 0", "--nr-topics 0 cannot be used"),
        ("edit model --at 0", "--at 0 cannot be used"),
        ("edit model --outliers 200%", "--outliers 200% cannot be used"),
        ("edit model --ctfidf plain,bm25", "--ctfidf plain,bm25 cannot be used"),
        ("edit absent --merge 0,1", "absent"),
        ("edit model --merge 0,1 --topics model/t.csv", "folder of the model"),
        ("edit model --merge 0,1 --save new --topics new/t.csv", "new"),
        ("edit model --merge 0,1 --save posts.parquet", "this is a file"),
    ];
    for (arguments, expected) in cases {
        let said = refused(here, arguments);
        assert!(said.contains(expected), "{arguments}: {said}");
    }
    let said = text(&done(here, "edit model --merge 0,1").stderr);
    assert!(said.contains("was not saved") && said.contains("--save FOLDER"), "{said}");
    assert_eq!(fs::read(here.join("model/model.json")).unwrap(), before);

    // What was not saved is needed, and the hints are options.
    done(here, "fit posts.parquet --text caption --save light --save-vectors none");
    let said = refused(here, "edit light --outliers 0.1");
    assert!(said.contains("--save-vectors none") && !said.contains("()"), "{said}");
    done(here, "fit posts.parquet --text caption --save light --save-without-documents");
    done(here, "edit light --outliers 0.1");
    let said = refused(here, "distribution light");
    assert!(said.contains("--save-without-documents") && !said.contains("()"), "{said}");
    done(here, "fit posts.parquet --text caption --save flat --like bertopic");
    let said = refused(here, "edit flat --at 2");
    assert!(said.contains("--like bertopic") && !said.contains(".clusterer"), "{said}");
}

#[test]
fn topics_are_found_by_a_text() {
    let folder = with_topics();
    let here = folder.path();
    let output = topicframe(here, &["find", "model", "a train at the station", "--top-n", "2", "--out", "found.csv"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let expected = model(here, "model").find_topics("a train at the station", 2).unwrap();
    let found = read_frame(here.join("found.csv")).unwrap();
    assert_eq!(found.get_column_names(), ["Topic", "Name", "Similarity"]);
    let names = |frame: &DataFrame| {
        frame.column("Name").unwrap().str().unwrap().iter().map(|n| n.map(str::to_owned)).collect::<Vec<_>>()
    };
    assert_eq!(names(&found), names(&expected));
    let said = text(&output.stdout);
    assert_eq!(said.lines().count(), 3);
    assert!(said.starts_with("Topic  Name") && said.contains("train"), "{said}");
    assert!(text(&output.stderr).contains("wrote table"));

    assert!(refused(here, "find model").contains("QUERY is missing"));
    assert!(refused(here, "find model train --image x.png").contains("cannot be used together"));
    assert!(refused(here, "find model train --top-n 0").contains("--top-n 0 cannot be used"));
    assert!(refused(here, "find model train --out found.docx").contains(".parquet"));
    assert!(refused(here, "find model train --out model/found.csv").contains("folder of the model"));
    assert!(refused(here, "find model --image absent.png").contains("no embedder for images"));
    assert!(refused(here, "find model ☃").contains("no word"));
}

#[cfg(feature = "models")]
fn fixture(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models").join(name)
}

/// A copy of a fixture's model in `to`.
#[cfg(feature = "models")]
fn copy(name: &str, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(fixture(name)).unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_dir() {
            copy(&format!("{name}/{}", entry.file_name().to_string_lossy()), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[cfg(feature = "models")]
#[test]
fn an_embedder_that_was_moved_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_frame(&frame(90), here.join("posts.csv")).unwrap();
    copy("sentence_transformers/bert_mean_normalize", &here.join("bert"));
    done(here, "fit posts.csv --text caption --embedder bert --save model --documents fitted.csv");
    fs::write(here.join("new.csv"), "caption\na horse on a plate\na new pear\n").unwrap();
    done(here, "transform new.csv --model model --documents before.csv");
    fs::rename(here.join("bert"), here.join("moved")).unwrap();

    for command in ["transform new.csv --model model", "find model horse"] {
        let said = refused(here, command);
        assert!(said.contains("does not exist") && said.contains("--embedder") && !said.contains("with_"), "{said}");
    }
    done(here, "transform new.csv --model model --documents after.csv --embedder moved");
    assert_eq!(fs::read(here.join("before.csv")).unwrap(), fs::read(here.join("after.csv")).unwrap());
    done(here, "find model horse --embedder moved");
    // Another model is noticed by its dimensions, or by its files.
    let said = refused(here, "transform new.csv --model model --embedder builtin");
    assert!(said.contains("128 dimensions, but the one of the fit had 32"), "{said}");
    let config = here.join("moved/config.json");
    let changed = fs::read_to_string(&config).unwrap().replacen('{', "{\"note\": 1,", 1);
    fs::write(&config, changed).unwrap();
    let said = text(&done(here, "find model horse --embedder moved").stderr);
    assert!(said.contains("not the one that was used in the fit"), "{said}");
    assert!(refused(here, "find model horse --embedder absent").contains("absent"));
    assert!(refused(here, "transform new.csv --model model --embedder a --embeddings b").contains("together"));

    // The device.
    let said = refused(here, "transform new.csv --model model --embedder moved --device cuda:99");
    assert!(said.contains("the device `cuda:99` cannot be used"), "{said}");
    done(here, "fit posts.csv --text caption --save static");
    let said = text(&done(here, "transform new.csv --model static --device cuda --documents d.csv").stderr);
    assert!(said.contains("has no effect"), "{said}");
}

#[test]
fn models_of_vectors_have_the_embedder_that_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_frame(&frame(90), here.join("posts.csv")).unwrap();
    done(here, "fit posts.csv --text caption --documents with-vectors.parquet");
    done(
        here,
        "fit with-vectors.parquet --text caption --embeddings embedding --save model --documents fitted.parquet",
    );
    assert!(refused(here, "find model train").contains("no embedder for texts"));
    let said = text(&done(here, "find model train --embedder builtin").stdout);
    assert!(said.contains("train"), "{said}");
    assert!(refused(here, "transform posts.csv --model model").contains("`embedding`"));
    done(here, "transform posts.csv --model model --embedder builtin --documents placed.csv");
    let labels = |name: &str| {
        let topics = read_frame(here.join(name)).unwrap().column("Topic").unwrap().cast(&DataType::Int64).unwrap();
        topics.i64().unwrap().to_vec()
    };
    assert_eq!(labels("placed.csv"), labels("fitted.parquet"));
}

#[cfg(feature = "models")]
#[test]
fn images_of_new_documents_and_queries_have_limits() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let data = here.join("data");
    fs::create_dir(&data).unwrap();
    write_frame(&frame_with_images(60, &data), data.join("posts.csv")).unwrap();
    copy("clip/quick_gelu", &here.join("clip"));
    done(here, "fit data --embedder clip --min-cluster-size 5 --save model --documents fitted.parquet");
    let image = fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().path());
    let image = image.filter(|path| path.extension().is_some_and(|e| e != "csv")).min().unwrap();
    let image = image.strip_prefix(here).unwrap().to_str().unwrap().to_owned();
    let said = text(&done(here, &format!("find model --image {image} --top-n 1")).stdout);
    assert_eq!(said.lines().count(), 2, "{said}");
    assert!(refused(here, &format!("find model --image {image} --max-image-side 2")).contains("image"));
    done(here, "transform data --model model --documents all.csv");
    let said = refused(here, "transform data --model model --documents none.csv --max-image-side 2");
    assert!(said.contains("a side may be at most 2"), "{said}");
    assert!(refused(here, "transform data --model model --max-image-side 0").contains("--max-image-side 0 cannot"));
    // The images' embedder is named as that of texts.
    fs::rename(here.join("clip"), here.join("moved")).unwrap();
    assert!(refused(here, "transform data --model model").contains("--embedder"));
    done(here, "transform data --model model --documents again.csv --embedder moved");
    assert_eq!(fs::read(here.join("all.csv")).unwrap(), fs::read(here.join("again.csv")).unwrap());
    copy("sentence_transformers/bert_cls", &here.join("bert"));
    assert!(refused(here, "transform data --model model --embedder bert").contains("does not support images"));
    // A model without images has no use for limits.
    fs::write(
        here.join("posts.csv"),
        format!(
            "caption\n{}\n",
            crate::corpora::captions(60).iter().map(|c| format!("\"{c}\"")).collect::<Vec<_>>().join("\n")
        ),
    )
    .unwrap();
    done(here, "fit posts.csv --text caption --save texts");
    let said = text(&done(here, "transform posts.csv --model texts --max-image-side 9 --documents t.csv").stderr);
    assert!(said.contains("--max-image-side has no effect"), "{said}");
}

#[test]
fn what_of_a_model_is_saved_is_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let data = here.join("data");
    fs::create_dir(&data).unwrap();
    write_frame(&frame_with_images(60, &data), data.join("posts.csv")).unwrap();
    let fit = "fit data/posts.csv --text caption --images image --save";
    let size = |name: &str| -> u64 {
        fs::read_dir(here.join(name)).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
    };
    done(here, &format!("{fit} all"));
    for (name, options) in [
        ("paths", "--save-images PATHS"),
        ("half", "--save-vectors half"),
        ("none", "--save-vectors none"),
        ("light", "--save-without-documents"),
    ] {
        done(here, &format!("{fit} {name} {options}"));
        assert!(size(name) < size("all"), "{name}");
    }
    assert!(size("none") < size("half"));
    done(here, &format!("{fit} whole --save-images whole"));
    assert!(size("whole") > size("all"));
    assert!(refused(here, "info light --documents d.csv").contains("--save-without-documents"));
    let placed = |name: &str| {
        done(here, &format!("transform data/posts.csv --model {name} --documents {name}.csv"));
        read_frame(here.join(format!("{name}.csv"))).unwrap().column("Topic").unwrap().clone()
    };
    assert_eq!(placed("half"), placed("all"));
}
