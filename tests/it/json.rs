//! JSON and JSON Lines, valid and malicious.

use std::fs;
use std::path::PathBuf;

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};
use tempfile::TempDir;
use topicframe::error::Interface;
use topicframe::files::{read_frame, read_frame_as_text, write_frame};
use topicframe::polars::prelude::*;

use crate::notes::read_with_notes;

fn file(folder: &TempDir, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    path
}

fn read(name: &str, content: impl AsRef<[u8]>) -> DataFrame {
    let folder = tempfile::tempdir().unwrap();
    read_frame(file(&folder, name, content)).unwrap()
}

/// The error for a file that cannot be read: its first line, without the path.
fn refused(name: &str, content: impl AsRef<[u8]>) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, name, content);
    let error = read_frame(&path).unwrap_err();
    assert_eq!(error.path(), Some(path.as_path()), "{error:#}");
    let said = error.report(Interface::CommandLine);
    assert!(said.len() < 600, "{said}");
    said.lines().next().unwrap().replace(&format!(" ({})", path.display()), "")
}

fn texts<'a>(frame: &'a DataFrame, column: &str) -> Vec<Option<&'a str>> {
    let column = frame.column(column).unwrap().as_materialized_series();
    column.str().unwrap().iter().collect()
}

#[test]
fn both_layouts_are_read_whatever_the_name() {
    let lines = "{\"id\": 1, \"text\": \"a\"}\n\n{\"id\": 2, \"text\": \"b\\n\\\"c\\\"\"}\r\n";
    let array = "[{\"id\": 1, \"text\": \"a\"},\n {\"id\": 2, \"text\": \"b\\n\\\"c\\\"\"}]";
    let spread = "{\n\"id\": 1,\n\"text\": \"a\"}\n{\n\"id\": 2, \"text\": \"b\\n\\\"c\\\"\"}\n";
    let marked = format!("\u{feff}{lines}");
    let cases = [("f.json", lines), ("f.ndjson", lines), ("f.jsonl", array), ("f.json", array), ("f.json", spread)];
    for (name, content) in cases.into_iter().chain([("f.json", marked.as_str()), ("f.ndjson", &marked)]) {
        let frame = read(name, content);
        assert_eq!(frame.column("id").unwrap().i64().unwrap().to_vec(), [Some(1), Some(2)], "{content}");
        assert_eq!(texts(&frame, "text"), [Some("a"), Some("b\n\"c\"")], "{content}");
    }
    assert_eq!(read("f.json", "[]").shape(), (0, 0));
    assert_eq!(read("f.json", "{\"a\": 1}").shape(), (1, 1));
}

#[test]
fn a_broken_line_is_named_with_the_reason() {
    let lines = |bad: &str| format!("{{\"a\": 1}}\n{{\"a\": 2}}\n{bad}\n{{\"a\": 4}}\n");
    let cases = [
        ("{\"a\": NaN}", "line 3, column 7: NaN is not JSON; write null"),
        ("{\"a\": -Infinity}", "line 3, column 7: -Infinity is not JSON; write null"),
        ("{\"é\": Infinity}", "line 3, column 7: Infinity is not JSON; write null"),
        ("{\"a\": \"the signal crosses n", "line 3 is truncated"),
        ("{\"a\": 1, ", "line 3 is truncated"),
        ("{\"a\": tru", "line 3 is truncated"),
        ("{\"a\": None}", "line 3, column 7: None is Python, not JSON; use null, true, or false"),
        ("{'a': 1}", "line 3, column 2: expected a field name in double quotes"),
        ("{\"a\": 'x'}", "line 3, column 7: strings must be in double quotes"),
        ("{\"a\": 007}", "line 3, column 8: numbers must not begin with 0; a string of digits must be in quotes"),
        ("{\"a\": 1.}", "line 3, column 9: missing digit"),
        ("{\"a\": \"\\x\"}", "line 3, column 8: not a valid JSON escape; a backslash is written as \\\\"),
        ("{\"a\": 1 \"b\": 2}", "line 3, column 9: missing comma or }"),
        ("{\"a\" 1}", "line 3, column 6: missing colon after a field name"),
        ("{\"a\": }", "line 3, column 7: missing value before the bracket"),
        ("{\"a\": [1 2]}", "line 3, column 10: missing comma or ]"),
        ("{\"a\": 1}, ", "line 3, column 9: unexpected content after the object: a line must contain exactly one"),
        ("[1]", "line 3, column 1: a row must be an object, such as {\"text\": \"...\"}"),
        ("{\"a\": 1, \"b\": 2, \"a\": 3}", "line 3, column 22: the object has a duplicate field `a`"),
    ];
    for (bad, said) in cases {
        for name in ["f.ndjson", "f.json"] {
            assert_eq!(refused(name, lines(bad)), format!("input: {said}"), "{bad}");
        }
    }
    let array = "[{\"a\": 1},\n{\"a\": \"x";
    assert_eq!(refused("f.json", array), "input: the file is truncated: it ends in line 2, within a value");
    assert_eq!(refused("f.json", "[{\"a\": NaN}]"), "input: line 1, column 8: NaN is not JSON; write null");
    assert_eq!(
        refused("f.json", "[{\"a\": 1}] x"),
        "input: line 1, column 12: unexpected content after the array: a file must contain exactly one"
    );
    assert_eq!(refused("f.json", " \n"), "input: the file is empty");
    assert!(refused("f.json", "[{\"a\": \"x\ny\"}]").contains("line 1, column 10: a string contains a line break"));
}

#[test]
fn deep_values_are_refused_by_line() {
    for depth in [65, 1_000, 20_000, 1_000_000] {
        let value = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let lines = format!("{{\"a\": 1}}\n{{\"a\": {value}}}\n");
        for name in ["f.ndjson", "f.json"] {
            let said = refused(name, &lines);
            assert_eq!(said, "input: line 2, column 70: values are nested more than 64 levels deep", "{depth}");
        }
        let nested = format!("[{}", "{\"a\":".repeat(depth));
        assert!(refused("f.json", nested).contains("more than 64 levels"), "{depth}");
    }
    let held = format!("{{\"a\": {}{}, \"text\": \"{}\"}}\n", "[".repeat(60), "]".repeat(60), "[".repeat(1000));
    assert_eq!(read("f.ndjson", held).shape(), (1, 2));
}

#[test]
fn values_of_different_kinds_stay_as_they_are_written() {
    let content = "{\"a\": 1, \"b\": 1, \"c\": 12345678901234567890123, \"d\": true, \"e\": [1, 2.5], \"f\": {\"x\": 1}, \"g\": 1.50}\n\
                   {\"a\": \"x\", \"b\": 2.5, \"c\": 2, \"d\": 0, \"e\": [], \"f\": {\"y\": \"z\"}, \"g\": \"n\"}\n\
                   {\"a\": null, \"c\": null, \"d\": [1, {\"k\": 2}], \"e\": null, \"f\": null}\n";
    let frame = read("f.ndjson", content);
    assert_eq!(texts(&frame, "a"), [Some("1"), Some("x"), None]);
    assert_eq!(frame.column("b").unwrap().f64().unwrap().to_vec(), [Some(1.0), Some(2.5), None]);
    assert_eq!(texts(&frame, "c"), [Some("12345678901234567890123"), Some("2"), None]);
    assert_eq!(texts(&frame, "d"), [Some("true"), Some("0"), Some("[1, {\"k\": 2}]")]);
    assert_eq!(frame.column("e").unwrap().dtype(), &DataType::List(Box::new(DataType::Float64)));
    assert_eq!(frame.column("e").unwrap().null_count(), 1);
    let record = frame.column("f").unwrap().struct_().unwrap().clone();
    assert_eq!(record.fields_as_series()[0].i64().unwrap().to_vec(), [Some(1), None, None]);
    assert_eq!(record.fields_as_series()[1].str().unwrap().get(1), Some("z"));
    assert_eq!(texts(&frame, "g"), [Some("1.50"), Some("n"), None]);

    let exact = read("f.ndjson", "{\"n\": 9007199254740993}\n{\"n\": 0.5}\n");
    assert_eq!(texts(&exact, "n"), [Some("9007199254740993"), Some("0.5")]);
    assert_eq!(texts(&read("f.ndjson", "{\"n\": 1e999}\n"), "n"), [Some("1e999")]);
    assert_eq!(texts(&read("f.ndjson", "{\"n\": {}}\n{\"n\": null}\n"), "n"), [Some("{}"), None]);

    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "f.json", "[{\"t\": 1.50}, {\"t\": 2}]");
    assert_eq!(texts(&read_frame_as_text(&path, &["t"]).unwrap(), "t"), [Some("1.50"), Some("2")]);
}

#[test]
fn escapes_are_undone() {
    let content =
        "{\"a\\u0062\": \"\\u00e9\\ud83d\\ude00\\t\\/\\\\\", \"half\": \"x\\ud83dy\"}\n{\"ab\": \"raw\ttab\"}\n";
    let frame = read("f.ndjson", content);
    assert_eq!(texts(&frame, "ab"), [Some("é😀\t/\\"), Some("raw\ttab")]);
    assert_eq!(texts(&frame, "half"), [Some("x\u{fffd}y"), None]);
}

#[test]
fn objects_with_fields_of_their_own_become_texts() {
    let lines: String = (0..3000).map(|i| format!("{{\"id\": {i}, \"tags\": {{\"tag{i}\": {i}}}}}\n")).collect();
    let frame = read("f.ndjson", lines);
    assert_eq!(texts(&frame, "tags")[7], Some("{\"tag7\": 7}"));
    let lines: String = (0..3000).map(|i| format!("{{\"id{i}\": {i}}}\n")).collect();
    assert!(refused("f.ndjson", lines).contains("3000 distinct fields"));
}

#[test]
fn unpaired_surrogates_are_told_with_their_column() {
    let folder = tempfile::tempdir().unwrap();
    let told = |content: &str| {
        let path = file(&folder, "f.ndjson", content);
        read_with_notes(&path).1.replace(&path.display().to_string(), "FILE")
    };
    let one = "{\"a\":1,\"b\":\"x\\ud83dy\"}\n{\"a\":2,\"b\":\"\\ud83d\\ude00\"}\n";
    assert_eq!(told(one), "1 unpaired surrogate escape in column `b` of FILE becomes U+FFFD");
    let more = "{\"a\":{\"b\":[\"\\ud83d\",\"\\ude00\"]}}\n{\"a\":null}\n";
    assert_eq!(told(more), "2 unpaired surrogate escapes in column `a` of FILE become U+FFFD");
    let columns = format!("{}{{\"c\":\"\\ud83d\"}}\n", more);
    assert!(told(&columns).starts_with("3 unpaired surrogate escapes in 2 columns, the first of them `a`, of FILE"));
}

fn wide(fields: usize) -> String {
    (0..fields).map(|i| format!("\"f{i}\":{i}")).collect::<Vec<_>>().join(",")
}

#[test]
fn a_record_that_most_rows_do_not_have_is_not_a_cell_for_each_of_its_fields() {
    let rows = 20_000;
    let lines = format!("{}{{\"a\":1,\"m\":{{{}}}}}\n", "{\"a\":1}\n".repeat(rows), wide(9_000));
    let frame = read("f.ndjson", lines);
    assert!(texts(&frame, "m")[rows].unwrap().starts_with("{\"f0\":0,\"f1\":1"));

    let lists = format!("{{\"l\":[{{{}}}{}]}}\n", wide(9_000), ",null".repeat(rows));
    let frame = read("f.ndjson", lists);
    assert_eq!(frame.column("l").unwrap().dtype(), &DataType::List(Box::new(DataType::String)));

    let nested = format!("{}{{\"m\":{{\"n\":{{{}}}}}}}\n", "{\"m\":null}\n".repeat(rows), wide(9_000));
    let fields = read("f.ndjson", nested).column("m").unwrap().struct_().unwrap().fields_as_series();
    assert_eq!(fields[0].dtype(), &DataType::String);

    // What one field may use, several may not use together.
    let each: Vec<String> = (0..5).map(|i| format!("\"m{i}\":{{{}}}", wide(600))).collect();
    let lines = format!("{}{{{}}}\n", "{\"a\":1}\n".repeat(rows), each.join(","));
    let frame = read("f.ndjson", lines);
    let is_record = |name: &str| frame.column(name).unwrap().dtype().is_struct();
    assert!(is_record("m0") && is_record("m1") && !is_record("m4"), "{:?}", frame.schema().len());
    // Fields that occur in all rows do not count toward the limit.
    let lines = format!("{{\"a\":{{{}}},\"b\":{{\"c\":{{{}}}}}}}\n", wide(300), wide(300)).repeat(300);
    assert!(read("f.ndjson", lines).dtypes().iter().all(DataType::is_struct));
}

#[test]
fn nests_of_every_kind_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let content = "{\"l\":[[1],null,[]],\"r\":{\"a\":[{\"b\":\"x\"},{\"b\":null}],\"c\":true},\"n\":null}\n\
                   {\"l\":null,\"r\":{\"a\":null,\"c\":null},\"n\":null}\n";
    let frame = read("f.ndjson", content);
    for name in ["f.ndjson", "f.json", "f.parquet", "f.arrow"] {
        let path = folder.path().join(name);
        write_frame(&frame, &path).unwrap();
        assert!(read_frame(&path).unwrap().equals_missing(&frame), "{name}");
    }
    assert_eq!(fs::read_to_string(folder.path().join("f.ndjson")).unwrap(), content);
}

#[test]
fn no_bytes_end_the_reader() {
    const PIECES: [&str; 24] = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"a\"",
        "\"b\"",
        "\"",
        "\\",
        "\\u12",
        "\n",
        " ",
        "1",
        "-",
        "0",
        ".5",
        "e9",
        "null",
        "true",
        "NaN",
        "é",
        "{\"a\":1}",
        "{\"a\":[",
    ];
    let folder = tempfile::tempdir().unwrap();
    let mut random = Xoshiro256PlusPlus::seed_from_u64(14);
    for _ in 0..5000 {
        let length = random.next_u64() % 12;
        let content: String = (0..length).map(|_| PIECES[(random.next_u64() % 24) as usize]).collect();
        for name in ["f.json", "f.ndjson"] {
            let _ = read_frame(file(&folder, name, &content));
        }
    }
}

#[test]
fn columns_of_several_kinds_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let content = "{\"id\":1,\"n\":1,\"text\":\"a\"}\n{\"id\":\"x\",\"n\":2,\"text\":\"b\"}\n";
    let (frame, notes) = read_with_notes(&file(&folder, "mixed.ndjson", content));
    assert_eq!(frame.column("id").unwrap().dtype(), &DataType::String);
    assert!(notes.contains("`id`") && notes.contains("mixed types"), "{notes}");
    assert!(!notes.contains("more are"), "{notes}");
}
