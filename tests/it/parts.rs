//! Reading several files as one frame.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use topicframe::files::{Inputs, ReadOptions, read_frame, read_frame_as_text, read_image_folder, write_frame};
use topicframe::polars::prelude::*;
use topicframe::progress::Progress;

use crate::corpora::{captions, frame, frame_with_images};
use crate::notes::{Notes, read_with_notes};

const ENDINGS: [&str; 6] = ["csv", "tsv", "json", "ndjson", "parquet", "arrow"];

fn numbered(from: i64, rows: i64) -> DataFrame {
    let words: Vec<String> = (from..from + rows).map(|number| format!("word {number}")).collect();
    df!("text" => words, "n" => (from..from + rows).collect::<Vec<_>>()).unwrap()
}

#[test]
fn a_folder_of_parts_is_one_frame_in_the_order_of_paths() {
    for ending in ENDINGS {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(format!("{name}.{ending}"));
        fs::create_dir_all(folder.path().join("more")).unwrap();
        fs::create_dir_all(folder.path().join(".git")).unwrap();
        write_frame(&numbered(0, 3), at("part-0")).unwrap();
        write_frame(&numbered(3, 4), at("part-2")).unwrap();
        write_frame(&numbered(7, 2), at("part-10")).unwrap();
        write_frame(&numbered(-9, 2), at("more/part-1")).unwrap();
        for left_out in ["_part-3", ".part-4", ".git/part-5"] {
            write_frame(&numbered(100, 2), at(left_out)).unwrap();
        }
        for name in ["_SUCCESS", "README.md", "dataset_info.json", "state.json"] {
            fs::write(folder.path().join(name), "{}").unwrap();
        }
        let numbers = |frame: DataFrame| {
            let numbers = frame.column("n").unwrap().cast(&DataType::Int64).unwrap();
            numbers.i64().unwrap().into_no_null_iter().collect::<Vec<i64>>()
        };
        let whole = read_frame(folder.path()).unwrap();
        assert_eq!(whole.get_column_names(), ["text", "n"], "{ending}");
        assert_eq!(numbers(whole), [-9, -8, 0, 1, 2, 3, 4, 5, 6, 7, 8], "{ending}");
        let pattern = folder.path().join(format!("part-?.{ending}"));
        assert_eq!(numbers(read_frame(&pattern).unwrap()), [0, 1, 2, 3, 4, 5, 6], "{ending}");
        let pattern = folder.path().join(format!("**/*.{ending}"));
        // A pattern names files explicitly: data set metadata files are not tables.
        if ending != "json" {
            assert_eq!(numbers(read_frame(&pattern).unwrap()).len(), 11, "{ending}");
        }
    }
}

#[test]
fn a_name_with_brackets_is_a_name_where_there_is_such_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("posts [2024].csv");
    write_frame(&numbered(0, 3), &path).unwrap();
    assert_eq!(read_frame(&path).unwrap().height(), 3);
    assert_eq!(Inputs::find(&path).unwrap().tables(), [path]);
    let error = read_frame(folder.path().join("none-*.csv")).unwrap_err();
    assert!(format!("{error:#}").contains("pattern"), "{error:#}");
}

#[test]
fn columns_may_come_in_another_order_and_in_narrower_types() {
    for ending in ["parquet", "arrow"] {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, frame: DataFrame| write_frame(&frame, folder.path().join(name)).unwrap();
        let mut first =
            df!("a" => [1_i32, 2], "b" => [Some("x"), None], "c" => [1_i64, -1], "d" => [0.5_f32, 1.5]).unwrap();
        first.with_column(Column::full_null("e".into(), 2, &DataType::Null)).unwrap();
        let categories =
            df!("b" => ["y"]).unwrap().column("b").unwrap().cast(&DataType::from_categories(Categories::global()));
        let mut second = df!("e" => ["now"], "d" => [0.25_f64], "c" => [2.5_f64], "a" => [1_i64 << 40]).unwrap();
        second.with_column(categories.unwrap()).unwrap();
        write(&format!("0.{ending}"), first);
        write(&format!("1.{ending}"), second);
        let whole = read_frame(folder.path()).unwrap();
        let expected = df!(
            "a" => [1_i64, 2, 1 << 40],
            "b" => [Some("x"), None, Some("y")],
            "c" => [1.0, -1.0, 2.5],
            "d" => [0.5, 1.5, 0.25],
            "e" => [None, None, Some("now")]
        );
        assert!(whole.equals_missing(&expected.unwrap()), "{ending}: {whole}");
    }
}

#[test]
fn parts_that_disagree_are_both_named_with_the_column() {
    let first = || df!("text" => ["a"], "n" => [(1_i64 << 60) + 1]).unwrap();
    let others = [
        ("text", df!("n" => [1_i64]).unwrap(), "this part lacks a column"),
        ("more", df!("text" => ["a"], "n" => [1_i64], "more" => [1]).unwrap(), "lacks"),
        ("text", df!("text" => [1_i64], "n" => [1_i64]).unwrap(), "whole numbers"),
        ("n", df!("text" => ["a"], "n" => ["b"]).unwrap(), "whole numbers"),
        ("n", df!("text" => ["a"], "n" => [1.5_f64]).unwrap(), "whole numbers"),
    ];
    for (column, other, words) in others {
        for ending in ["parquet", "arrow"] {
            let folder = tempfile::tempdir().unwrap();
            write_frame(&first(), folder.path().join(format!("first.{ending}"))).unwrap();
            write_frame(&other, folder.path().join(format!("other.{ending}"))).unwrap();
            let error = read_frame(folder.path()).unwrap_err();
            let said = format!("{error:#}");
            assert_eq!(error.column(), Some(column), "{said}");
            assert!(said.contains("first.") && said.contains("other.") && said.contains(words), "{said}");
        }
    }
}

#[test]
fn a_column_that_is_text_in_one_delimited_part_is_text_in_all() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("1.csv"), "zip,n,x\n10115,1,\n20095,2,\n").unwrap();
    fs::write(folder.path().join("2.csv"), "n,x,zip\n3,7,SW1A\n4,8,EC1\n").unwrap();
    let whole = read_frame(folder.path()).unwrap();
    let zip: Vec<Option<&str>> = whole.column("zip").unwrap().str().unwrap().iter().collect();
    assert_eq!(zip, [Some("10115"), Some("20095"), Some("SW1A"), Some("EC1")]);
    assert_eq!(whole.column("n").unwrap().dtype(), &DataType::Int64);
    assert_eq!(whole.column("x").unwrap().i64().unwrap().to_vec(), [None, None, Some(7), Some(8)]);

    let whole = read_frame_as_text(folder.path(), &["n"]).unwrap();
    assert_eq!(whole.column("n").unwrap().str().unwrap().get(3), Some("4"));
}

#[test]
fn json_parts_may_leave_out_what_is_null() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("1.ndjson"), "{\"text\":\"a\",\"tags\":{\"x\":1}}\n").unwrap();
    fs::write(folder.path().join("2.ndjson"), "{\"text\":\"b\",\"n\":1.5,\"tags\":{\"x\":2,\"y\":\"z\"}}\n").unwrap();
    let whole = read_frame(folder.path()).unwrap();
    assert_eq!(whole.shape(), (2, 3));
    assert_eq!(whole.column("n").unwrap().f64().unwrap().to_vec(), [None, Some(1.5)]);
}

/// The frame read from parts with these contents, and the frame of all their rows in one file.
fn json_parts(contents: &[&str]) -> (DataFrame, DataFrame) {
    let folder = tempfile::tempdir().unwrap();
    for (i, content) in contents.iter().enumerate() {
        fs::write(folder.path().join(format!("{i}.ndjson")), content).unwrap();
    }
    let one = tempfile::tempdir().unwrap();
    let path = one.path().join("one.ndjson");
    fs::write(&path, contents.concat()).unwrap();
    (read_frame(folder.path()).unwrap(), read_frame(path).unwrap())
}

#[test]
fn what_is_empty_in_one_json_part_takes_the_type_of_another() {
    let cases: [&[&str]; 8] = [
        &["{\"v\":[]}\n", "{\"v\":[0.5]}\n"],
        &["{\"m\":{\"x\":null}}\n", "{\"m\":{\"x\":1}}\n"],
        &["{\"m\":{\"x\":1}}\n{\"m\":null}\n", "{\"m\":{\"x\":null,\"y\":[null]}}\n"],
        &["{\"v\":[[],[null]]}\n", "{\"v\":[[{\"a\":[]}]]}\n", "{\"v\":[null,[{\"a\":[true]}]]}\n"],
        &["{\"v\":null}\n", "{\"v\":[{\"a\":{\"b\":\"c\"}}]}\n"],
        &["{\"v\":[]}\n", "{\"v\":[null]}\n"],
        &["{\"m\":{\"x\":null}}\n", "{\"m\":{\"x\":null}}\n{\"m\":null}\n"],
        &["{\"v\":[],\"m\":{\"x\":[null]},\"n\":null}\n"],
    ];
    for contents in cases {
        let (parts, one) = json_parts(contents);
        assert_eq!(parts.schema(), one.schema(), "{contents:?}");
        assert!(parts.equals_missing(&one), "{contents:?}: {parts}");
    }
}

#[test]
fn json_parts_that_disagree_within_a_record_are_told_the_field() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("1.ndjson"), "{\"m\":{\"w\":1,\"v\":[{\"x\":1}]}}\n").unwrap();
    fs::write(folder.path().join("2.ndjson"), "{\"m\":{\"w\":2,\"v\":[{\"x\":\"a\"}]}}\n").unwrap();
    let error = read_frame(folder.path()).unwrap_err();
    assert_eq!(error.column(), Some("m"));
    let said = format!("{error:#}");
    assert!(said.contains("the field `v.x` of the column contains strings in this part, but whole numbers"), "{said}");
}

#[test]
fn json_parts_without_common_fields_are_refused_before_they_fill_the_memory() {
    let fields: Vec<String> = (0..9_000).map(|i| format!("\"f{i}\":{i}")).collect();
    let fields = fields.join(",");
    let wide = [format!("{{{fields}}}\n"), format!("{{\"m\":{{{fields}}}}}\n"), format!("{{\"l\":[{{{fields}}}]}}\n")];
    let long = ["{\"a\":1}\n", "{\"m\":{\"a\":1}}\n", "{\"l\":[{\"a\":1}]}\n"];
    for (wide, long) in wide.iter().zip(long) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("1.ndjson"), wide).unwrap();
        fs::write(folder.path().join("2.ndjson"), long.repeat(5_000)).unwrap();
        let error = read_frame(folder.path()).unwrap_err();
        assert_eq!(error.path(), Some(folder.path().join("2.ndjson").as_path()));
        assert!(format!("{error:#}").contains("lacks most of the fields that other parts have"), "{error:#}");
    }
}

#[test]
fn parts_with_two_columns_of_a_name_read_together_as_they_do_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("1.csv"), "id,x,x\n1,1,2\n2,3\n").unwrap();
    fs::write(folder.path().join("2.csv"), "id,x,x\n3,a,4\n").unwrap();
    let notes = Arc::new(Notes::default());
    let options = ReadOptions::new().progress(Progress::to(notes.clone()));
    let whole = options.read(folder.path()).unwrap();
    assert_eq!(whole.get_column_names(), ["id", "x", "x_duplicated_0"]);
    let x: Vec<Option<&str>> = whole.column("x").unwrap().str().unwrap().iter().collect();
    assert_eq!(x, [Some("1"), Some("3"), Some("a")]);
    assert_eq!(whole.column("x_duplicated_0").unwrap().i64().unwrap().to_vec(), [Some(2), None, Some(4)]);
    assert_eq!(notes.text().matches("fewer fields").count(), 1, "{}", notes.text());
    let error = options.text(&["x"]).read(folder.path()).unwrap_err();
    assert!(format!("{error:#}").contains("duplicate column name"), "{error:#}");
}

#[test]
fn files_are_found_however_deep_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("d/".repeat(40));
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("1.csv"), "a\n1\n").unwrap();
    fs::write(deep.join("1.png"), "").unwrap();
    assert_eq!(read_frame(folder.path()).unwrap().height(), 1);
    assert_eq!(Inputs::find(folder.path()).unwrap().images(), 1);
    let images = read_image_folder(folder.path()).unwrap();
    assert_eq!(images.column("image").unwrap().str().unwrap().get(0), Some(&*format!("{}1.png", "d/".repeat(40))));
}

#[test]
fn several_kinds_are_told() {
    let folder = tempfile::tempdir().unwrap();
    write_frame(&numbered(0, 3), folder.path().join("a.csv")).unwrap();
    write_frame(&numbered(0, 3), folder.path().join("b.csv")).unwrap();
    write_frame(&numbered(0, 3), folder.path().join("c.parquet")).unwrap();
    let said = read_frame(folder.path()).map_err(|error| format!("{error:#}")).unwrap_err();
    assert!(said.contains("2 CSV") && said.contains("1 Parquet") && said.contains("pattern"), "{said}");
    assert_eq!(read_frame(folder.path().join("*.csv")).unwrap().height(), 6);
    let empty = tempfile::tempdir().unwrap();
    assert!(read_frame(empty.path()).map_err(|error| format!("{error:#}")).unwrap_err().contains("contains no tables"));
}

fn topicframe(folder: &Path, arguments: &[&str]) -> (Output, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_topicframe"));
    let output = command.current_dir(folder).args(arguments).output().unwrap();
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    (output, said)
}

#[test]
fn the_command_fits_parts_as_it_fits_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::create_dir(here.join("shards")).unwrap();
    write_frame(&frame(90), here.join("one.parquet")).unwrap();
    for part in 0..3 {
        let part_of = frame(90).slice(part * 30, 30);
        write_frame(&part_of, here.join(format!("shards/train-{part:05}.parquet"))).unwrap();
    }
    let fit = |input: &str, output: &str| {
        let (result, said) = topicframe(here, &["fit", input, "--text", "caption", "--documents", output]);
        assert!(result.status.success(), "{said}");
        read_frame(here.join(output)).unwrap()
    };
    let one = fit("one.parquet", "1.parquet");
    assert!(one.equals_missing(&fit("shards", "2.parquet")));
    assert!(one.equals_missing(&fit("shards/train-*.parquet", "3.parquet")));

    let taken = "shards/train-00001.parquet";
    let (result, said) = topicframe(here, &["fit", "shards", "--text", "caption", "--documents", taken]);
    assert!(!result.status.success() && said.contains("overwrite the input"), "{said}");
    let (result, said) = topicframe(here, &["fit", "shards"]);
    assert!(!result.status.success() && said.contains("--text"), "{said}");
    let (result, said) = topicframe(here, &["fit", "shards", "--text", "txt"]);
    assert!(!result.status.success() && said.contains("`caption`"), "{said}");
    let (result, said) = topicframe(here, &["fit", "none-*.csv", "--text", "txt"]);
    assert!(!result.status.success() && said.contains("pattern"), "{said}");
}

#[test]
fn a_folder_of_tables_and_images_is_tables_where_a_column_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    let posts = frame_with_images(60, &data);
    write_frame(&posts.slice(0, 30), data.join("metadata-1.csv")).unwrap();
    write_frame(&posts.slice(30, 30), data.join("metadata-2.csv")).unwrap();
    let arguments = ["fit", "data", "--text", "caption", "--images", "image", "--topics", "t.parquet"];
    let (result, said) = topicframe(folder.path(), &arguments);
    assert!(result.status.success(), "{said}");
    assert!(said.contains("images in the folder are read only if the table refers to them"), "{said}");
    let topics = read_frame(folder.path().join("t.parquet")).unwrap();
    assert_eq!(topics.column("Visual_Aspect").unwrap().null_count(), 0, "image paths start at the folder");

    let (result, said) = topicframe(folder.path(), &["fit", "data"]);
    assert!(!result.status.success() && said.contains("the 2 tables are skipped") && said.contains("--text"), "{said}");
    assert!(said.contains("only supports text"), "it is a folder of images still: {said}");
    assert_eq!(captions(60).len(), posts.height());
}

#[test]
fn several_inputs_are_one_frame_in_the_order_given() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("b.csv"), "text\nb\n").unwrap();
    fs::write(at("a.csv"), "text\na\n").unwrap();
    fs::write(at("~$a.csv"), "user").unwrap();
    let inputs = Inputs::find_all(&[at("b.csv"), at("a.csv")]).unwrap();
    let frame = ReadOptions::new().read_inputs(&inputs).unwrap();
    let texts: Vec<Option<&str>> = frame.column("text").unwrap().str().unwrap().iter().collect();
    assert_eq!(texts, [Some("b"), Some("a")]);
    assert_eq!(Inputs::find(folder.path()).unwrap().tables(), [at("a.csv"), at("b.csv")], "no spreadsheet lock file");
    let error = Inputs::find_all(&[at("a.csv"), at("a.csv")]).map_err(|error| format!("{error:#}")).unwrap_err();
    assert!(error.contains("listed twice"), "{error:#}");
    fs::create_dir(at("empty")).unwrap();
    let error = Inputs::find_all(&[at("a.csv"), at("empty")]).map_err(|error| format!("{error:#}")).unwrap_err();
    assert!(error.contains("contains no tables"), "{error:#}");
}

#[test]
fn what_the_names_of_folders_say_is_not_lost_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    for year in ["year=2023", "year=2024"] {
        fs::create_dir(folder.path().join(year)).unwrap();
        fs::write(folder.path().join(year).join("part.csv"), "text\na\n").unwrap();
    }
    let (frame, notes) = read_with_notes(folder.path());
    assert_eq!(frame.height(), 2);
    assert!(notes.contains("year=2023"), "{notes}");
}
