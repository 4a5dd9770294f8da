//! Saved models on the command line: `fit --save`, `transform`, `info`.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

use topicframe::files::{FrameWriter, ReadOptions, read_frame, write_frame};
use topicframe::polars::prelude::*;

use crate::corpora::{frame, frame_with_images};

fn topicframe(folder: &Path, arguments: &str) -> Output {
    let arguments = arguments.split_whitespace();
    Command::new(env!("CARGO_BIN_EXE_topicframe")).current_dir(folder).args(arguments).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn done(folder: &Path, arguments: &str) -> Output {
    let output = topicframe(folder, arguments);
    assert!(output.status.success(), "{arguments}: {}", stderr(&output));
    output
}

fn refused(folder: &Path, arguments: &str) -> String {
    let output = topicframe(folder, arguments);
    assert!(!output.status.success(), "{arguments:?} was accepted");
    let said = stderr(&output);
    assert!(!said.contains("panicked"), "{said}");
    said
}

/// A folder with `posts.parquet`, and `model` fitted to it.
fn with_model() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_frame(&frame(90), folder.path().join("posts.parquet")).unwrap();
    done(folder.path(), "fit posts.parquet --text caption --save model --documents fitted.parquet");
    folder
}

fn topics_of(path: &Path) -> (Vec<Option<i64>>, Vec<Option<f64>>) {
    let frame = read_frame(path).unwrap();
    let topics = frame.column("Topic").unwrap().cast(&DataType::Int64).unwrap();
    let probabilities = frame.column("Probability").unwrap().cast(&DataType::Float64).unwrap();
    (topics.i64().unwrap().to_vec(), probabilities.f64().unwrap().to_vec())
}

#[test]
fn batches_of_any_size_place_rows_as_the_fit_did() {
    let folder = with_model();
    let here = folder.path();
    let fitted = topics_of(&here.join("fitted.parquet"));
    for ending in ["csv", "tsv", "ndjson", "json", "parquet", "arrow"] {
        write_frame(&frame(90), here.join(format!("in.{ending}"))).unwrap();
        let mut whole = None;
        for rows in [1000, 90, 7, 1] {
            let output = here.join(format!("out-{rows}.{ending}"));
            let arguments =
                format!("transform in.{ending} --model model --documents out-{rows}.{ending} --batch-rows {rows}");
            let said = stderr(&done(here, &arguments));
            assert!(said.contains("90 rows") && said.contains("wrote documents"), "{said}");
            assert_eq!(topics_of(&output), fitted, "{ending}, {rows}");
            let read = read_frame(&output).unwrap();
            let whole = whole.get_or_insert_with(|| read.clone());
            assert!(whole.equals_missing(&read), "{ending}, {rows}");
            let names: Vec<_> = read.get_column_names().iter().map(|name| name.to_string()).collect();
            let last = &names[names.len() - 3..];
            assert_eq!(last, ["Topic", "Probability", "Name"]);
            assert_eq!(names.contains(&"embedding".to_owned()), ["parquet", "arrow"].contains(&ending));
        }
    }
    let piped = done(here, "transform in.csv --model model");
    assert_eq!(stdout(&piped), fs::read_to_string(here.join("out-7.csv")).unwrap());
    let small = "transform in.parquet --model model --documents small.parquet --no-embeddings";
    done(here, small);
    assert!(read_frame(here.join("small.parquet")).unwrap().column("embedding").is_err());
}

#[test]
fn several_inputs_are_resumed() {
    let folder = with_model();
    let here = folder.path();
    for (name, rows) in [("a.csv", 20), ("b.csv", 30), ("c.jsonl", 10)] {
        write_frame(&frame(rows), here.join(name)).unwrap();
    }
    assert!(refused(here, "transform a.csv b.csv --model model").contains("--documents FOLDER"));
    done(here, "transform a.csv b.csv c.jsonl --model model --documents out");
    let names = || {
        let mut names: Vec<String> = fs::read_dir(here.join("out"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names(), ["a.csv", "b.csv", "c.jsonl"]);
    assert_eq!(read_frame(here.join("out/b.csv")).unwrap().height(), 30);
    fs::write(here.join("out/a.csv"), "kept\n").unwrap();
    fs::remove_file(here.join("out/b.csv")).unwrap();
    let said = stderr(&done(here, "transform a.csv b.csv c.jsonl --model model --documents out"));
    assert!(said.contains("skipped") && said.contains("30 rows") && !said.contains("20 rows"), "{said}");
    assert_eq!(fs::read_to_string(here.join("out/a.csv")).unwrap(), "kept\n");
    done(here, "transform a.csv b.csv --model model --documents out --overwrite");
    assert_eq!(read_frame(here.join("out/a.csv")).unwrap().height(), 20);

    // One that fails does not keep the others from being written.
    fs::write(here.join("bad.csv"), "caption,n\n\"a cat\n").unwrap();
    let said = refused(here, "transform bad.csv a.csv --model model --documents more");
    assert!(said.contains("not closed") && said.contains("1 of 2 inputs failed"), "{said}");
    assert!(here.join("more/a.csv").exists() && !here.join("more/bad.csv").exists());
}

#[test]
fn rows_without_texts_are_kept_and_counted() {
    let folder = with_model();
    let here = folder.path();
    fs::write(here.join("in.csv"), "id,caption\n1,a cat\n2,\n3,\n4,\n5,a train\n6\n").unwrap();
    let said = stderr(&done(here, "transform in.csv --model model --documents out.csv --batch-rows 2"));
    assert!(said.contains("4 rows have no text"), "{said}");
    assert!(said.contains("1 row of in.csv has fewer fields") && said.contains("first in line 7"), "{said}");
    let out = read_frame(here.join("out.csv")).unwrap();
    assert_eq!(out.column("id").unwrap().i64().unwrap().to_vec(), (1..=6).map(Some).collect::<Vec<_>>());
    let topics = out.column("Topic").unwrap().i64().unwrap().to_vec();
    assert_eq!([topics[1], topics[2], topics[3], topics[5]], [Some(-1); 4]);
}

#[test]
fn other_columns() {
    let folder = with_model();
    let here = folder.path();
    let mut posts = frame(20);
    posts.rename("caption", "body".into()).unwrap();
    write_frame(&posts, here.join("in.csv")).unwrap();
    assert!(refused(here, "transform in.csv --model model").contains("`caption`"));
    done(here, "transform in.csv --model model --text body --documents out.csv");
    let (topics, _) = topics_of(&here.join("out.csv"));
    assert_eq!(topics, topics_of(&here.join("fitted.parquet")).0[..20]);
    assert!(refused(here, "transform in.csv --model model --images body").contains("without images"));
    // The vectors of the fit instead of texts.
    done(here, "transform fitted.parquet --model model --embeddings embedding --documents again.parquet");
    assert_eq!(topics_of(&here.join("again.parquet")), topics_of(&here.join("fitted.parquet")));
}

#[test]
fn pictures_are_found_from_the_folder_of_the_input() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    write_frame(&frame_with_images(40, &data), data.join("posts.csv")).unwrap();
    let here = folder.path();
    done(here, "fit data/posts.csv --text caption --images image --save model --documents fitted.csv");
    done(here, "transform data/posts.csv --model model --documents out.csv");
    assert_eq!(topics_of(&here.join("out.csv")), topics_of(&here.join("fitted.csv")));
}

#[test]
fn bad_arguments_are_refused() {
    let folder = with_model();
    let here = folder.path();
    write_frame(&frame(20), here.join("in.csv")).unwrap();
    fs::create_dir(here.join("other")).unwrap();
    fs::write(here.join("other/notes.txt"), "mine").unwrap();
    // Before the fit starts, of which nothing else would be seen.
    let said = refused(here, "fit in.csv --text caption --save other --embedder no/such/model");
    assert!(said.contains("no saved model") && !said.contains("no/such/model"), "{said}");
    fs::write(here.join("other/model.json"), "{}").unwrap();
    assert!(refused(here, "fit in.csv --text caption --save other").contains("not one of a saved model"));
    assert!(refused(here, "fit in.csv --text caption --save in.csv").contains("in.csv"));
    assert!(refused(here, "fit in.csv --text caption --save no/such/model").contains("no/such"));
    done(here, "fit in.csv --text caption --save model");

    assert!(refused(here, "transform in.csv").contains("--model"));
    assert!(refused(here, "transform in.csv --model other").contains("other"));
    assert!(refused(here, "transform in.csv --model absent").contains("absent"));
    assert!(refused(here, "transform absent.csv --model model").contains("absent.csv"));
    assert!(refused(here, "transform in.csv --model model --documents in.csv").contains("overwrite"));
    assert!(refused(here, "transform in.csv --model model --documents out.docx").contains(".parquet"));
    assert!(refused(here, "transform in.csv in.csv --model model --documents out").contains("twice"));
    assert!(refused(here, "transform in.csv --model model --documents ./").contains("overwrite"));
    assert!(refused(here, "transform in.csv --model model --batch-rows 0").contains("--batch-rows 0 cannot"));
    fs::write(here.join("empty.csv"), "caption\n").unwrap();
    assert!(refused(here, "transform empty.csv --model model").contains("no rows"));
    assert!(refused(here, "info absent").contains("absent"));
    assert!(refused(here, "info model --topics model/topics.csv").contains("folder of the model"));
    assert!(refused(here, "info model --report page.csv").contains(".html"));
}

#[test]
fn what_a_saved_model_is() {
    let folder = with_model();
    let here = folder.path();
    done(here, "fit posts.parquet --text caption --topics topics.parquet --report page.html");
    let said = stdout(&done(here, "info model --topics t.parquet --documents d.parquet --report p.html"));
    for part in ["topicframe ", "90 in ", "no edits", "(built in)", "seed", "clusterer", "MB", "Words"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let same = |a: &str, b: &str| {
        let (a, b) = (read_frame(here.join(a)).unwrap(), read_frame(here.join(b)).unwrap());
        assert!(a.equals_missing(&b), "{a} {b}");
    };
    same("t.parquet", "topics.parquet");
    same("d.parquet", "fitted.parquet");
    assert!(fs::read_to_string(here.join("p.html")).unwrap().contains("<html"));
    let json: serde_json::Value = serde_json::from_str(&stdout(&done(here, "info model --json"))).unwrap();
    assert_eq!(json["summary"]["rows"], 90);
    assert!(json["bytes"].as_u64().unwrap() > 1000 && json["settings"]["seed"] == 42);
    assert!(json["topics"][0]["words"][0]["word"].is_string());
}

/// A table with every type, quoted fields and line breaks within them.
fn table(rows: usize) -> DataFrame {
    df!(
        "text" => (0..rows).map(|i| format!("row {i}, \"quoted\"\nand é{}", "x".repeat(i % 50))).collect::<Vec<_>>(),
        "n" => (0..rows).map(|i| if i % 7 == 0 { None } else { Some(i as i64) }).collect::<Vec<_>>(),
        "x" => (0..rows).map(|i| if i < rows / 2 { None } else { Some(i as f64 / 4.0) }).collect::<Vec<_>>(),
        "flag" => (0..rows).map(|i| i % 3 == 0).collect::<Vec<_>>(),
        "mixed" => (0..rows).map(|i| if i == rows - 1 { "last".to_owned() } else { i.to_string() }).collect::<Vec<_>>(),
    )
    .unwrap()
}

#[test]
fn files_in_batches_are_the_same_files() {
    let folder = tempfile::tempdir().unwrap();
    let rows = 500;
    for ending in ["csv", "tsv", "ndjson", "jsonl", "json", "parquet", "arrow"] {
        let path = folder.path().join(format!("in.{ending}"));
        write_frame(&table(rows), &path).unwrap();
        let whole = read_frame(&path).unwrap();
        for limit in [1, 3, 64, 499, 500, 10_000] {
            let batches = ReadOptions::new().batches(&path, limit).unwrap();
            assert_eq!(batches.total_rows(), rows);
            assert_eq!(batches.is_in_parts(), !["json", "arrow"].contains(&ending));
            let mut joined: Option<DataFrame> = None;
            let copy = folder.path().join(format!("copy.{ending}"));
            let mut writer = FrameWriter::create(&copy).unwrap();
            for batch in batches {
                let batch = batch.unwrap();
                assert!(batch.height() <= limit && batch.height() > 0);
                writer.write(&batch).unwrap();
                match &mut joined {
                    Some(joined) => drop(joined.vstack_mut(&batch).unwrap()),
                    None => joined = Some(batch),
                }
            }
            assert!(!copy.exists() || limit > 1, "it gets its name when it is complete");
            writer.finish().unwrap();
            assert!(joined.unwrap().equals_missing(&whole), "{ending}, {limit}");
            assert!(read_frame(&copy).unwrap().equals_missing(&whole), "{ending}, {limit}");
        }
    }
}

#[test]
fn row_groups_and_packed_text_are_read_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("groups.parquet");
    let mut writer = FrameWriter::create(&path).unwrap();
    for part in 0..6 {
        writer.write(&table(600).slice(100 * part, 100)).unwrap();
    }
    writer.finish().unwrap();
    let heights = |limit: usize| -> Vec<usize> {
        let batches = ReadOptions::new().batches(&path, limit).unwrap();
        assert_eq!(batches.total_rows(), 600);
        batches.map(|batch| batch.unwrap().height()).collect()
    };
    assert_eq!(heights(1000), [100; 6], "no more than a row group is in memory");
    assert_eq!(heights(70), [70, 30].repeat(6));
    assert!(read_frame(&path).unwrap().equals_missing(&table(600)));
    // A damaged group is an error, and the end.
    let mut bytes = fs::read(&path).unwrap();
    let (third, end) = (bytes.len() / 3, bytes.len() / 2);
    bytes[third..end].fill(0xff);
    fs::write(&path, bytes).unwrap();
    let all: Vec<_> = ReadOptions::new().batches(&path, 1000).unwrap().collect();
    assert!(all.last().unwrap().is_err() && all.len() < 6);

    // Larger than what is read at once, so that rows are split between pieces.
    let rows = 60_000;
    let text: String = (0..rows).map(|i| format!("{i},\"a text, {i}\n{}\"\r\n", "é".repeat(40))).collect();
    let text = format!("id,text\r\n{text}");
    assert!(text.len() > 5 << 20);
    let packed = folder.path().join("in.csv.zst");
    fs::write(&packed, zstd_of(text.as_bytes())).unwrap();
    let latin = folder.path().join("latin.csv");
    fs::write(&latin, text.chars().map(|c| c as u32 as u8).collect::<Vec<_>>()).unwrap();
    for (path, options) in [(packed, ReadOptions::new()), (latin, ReadOptions::new().encoding("latin1"))] {
        let mut at = 0;
        for batch in options.batches(&path, 7_000).unwrap() {
            let batch = batch.unwrap();
            let ids = batch.column("id").unwrap().i64().unwrap().to_vec();
            assert_eq!(ids, (at..at + batch.height() as i64).map(Some).collect::<Vec<_>>());
            assert_eq!(
                batch.column("text").unwrap().str().unwrap().get(0).unwrap(),
                format!("a text, {at}\n{}", "é".repeat(40))
            );
            at += batch.height() as i64;
        }
        assert_eq!(at, rows);
    }
}

fn zstd_of(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn errors_have_the_line_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in.csv");
    let rows: String = (0..100).map(|i| format!("{i},text\n")).collect();
    fs::write(&path, format!("id,text\n{rows}1,2,3\n")).unwrap();
    let said = ReadOptions::new().batches(&path, 10).unwrap_err().to_string();
    assert!(said.contains("line 102 has 3 fields"), "{said}");
    let mut bytes = format!("id,text\n{rows}").into_bytes();
    bytes.extend_from_slice(b"7,\xff\n");
    fs::write(&path, bytes).unwrap();
    let said = ReadOptions::new().batches(&path, 10).unwrap_err().to_string();
    assert!(said.contains("line 102 contains the byte 0xFF"), "{said}");
    let path = folder.path().join("in.ndjson");
    let rows: String = (0..100).map(|i| format!("{{\"id\": {i}}}\n")).collect();
    fs::write(&path, format!("{rows}{{\"id\": }}\n")).unwrap();
    let said = ReadOptions::new().batches(&path, 10).unwrap_err().to_string();
    assert!(said.contains("line 101"), "{said}");
    assert!(ReadOptions::new().batches(&path, 0).is_err());
}
