//! Frames to files and back.

use std::fs;

use topicframe::error::ErrorKind;
use topicframe::files::{check_writable_frame, read_frame, read_frame_as_text, write_frame};
use topicframe::polars::prelude::*;

fn sample() -> DataFrame {
    let words = Column::new("words".into(), [Series::new("".into(), ["a", "b\"c"]), Series::new("".into(), ["d\te"])]);
    let vectors =
        Column::new("v".into(), [Series::new("".into(), [0.1_f32, 2.0]), Series::new("".into(), [3.0_f32, -4.5])]);
    let vectors = vectors.cast(&DataType::Array(Box::new(DataType::Float32), 2)).unwrap();
    let text = Column::new("text".into(), [Some("comma, \"quote\"\nline\tend"), None]);
    let bytes = Column::new("bytes".into(), [Some(&[0_u8, 255][..]), None]);
    DataFrame::new(2, vec![Column::new("n".into(), [1_i64, -2]), text, words, vectors, bytes]).unwrap()
}

#[test]
fn binary_formats_keep_everything() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["f.parquet", "f.arrow"] {
        let path = folder.path().join(name);
        write_frame(&sample(), &path).unwrap();
        assert!(read_frame(&path).unwrap().equals_missing(&sample()), "{name}");
    }
}

#[test]
fn text_formats_keep_what_they_can() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["f.csv", "f.json", "f.ndjson"] {
        let path = folder.path().join(name);
        write_frame(&sample(), &path).unwrap();
        let back = read_frame(&path).unwrap();
        assert_eq!(back.column("n").unwrap().i64().unwrap().to_vec(), [Some(1), Some(-2)], "{name}");
        assert_eq!(back.column("text").unwrap().str().unwrap().get(0), Some("comma, \"quote\"\nline\tend"), "{name}");
        assert_eq!(back.column("text").unwrap().str().unwrap().get(1), None, "{name}");
        assert_eq!(back.column("bytes").unwrap().str().unwrap().get(0), Some("AP8="), "{name}");
    }
    let csv = fs::read_to_string(folder.path().join("f.csv")).unwrap();
    assert!(csv.contains(r#""[""a"",""b\""c""]""#), "lists are JSON text: {csv}");
    assert!(csv.contains("[0.1,2.0]"), "{csv}");
    let json: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(folder.path().join("f.json")).unwrap()).unwrap();
    assert_eq!(json[0]["words"], serde_json::json!(["a", "b\"c"]));
    assert_eq!(json[0]["v"].as_array().unwrap().len(), 2);
}

#[test]
fn a_tsv_is_split_on_tabs_and_has_no_quotes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.tsv");
    fs::write(&path, "id\ttext\n1\t\"an open quote\n2\tplain, with a comma\n").unwrap();
    let frame = read_frame(&path).unwrap();
    assert_eq!(frame.shape(), (2, 2));
    assert_eq!(frame.column("text").unwrap().str().unwrap().get(0), Some("\"an open quote"));

    write_frame(&sample().select(["n", "text"]).unwrap(), &path).unwrap();
    let back = read_frame(&path).unwrap();
    assert_eq!(back.shape(), (2, 2), "tabs and line ends in a cell must not break its row");
    assert_eq!(back.column("text").unwrap().str().unwrap().get(0), Some("comma, \"quote\" line end"));
}

#[test]
fn text_columns_stay_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.csv");
    fs::write(&path, "code,n\n007,1\n42,2\n").unwrap();
    let frame = read_frame_as_text(&path, &["code", "absent"]).unwrap();
    assert_eq!(frame.column("code").unwrap().str().unwrap().get(0), Some("007"));
    assert_eq!(frame.column("n").unwrap().dtype(), &DataType::Int64);
    assert_eq!(frame.width(), 2);
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path
    };
    let broken = [
        folder.path().join("absent.csv"),
        folder.path().to_path_buf(),
        write("empty.csv", b""),
        write("text.parquet", b"this is no parquet"),
        write("text.arrow", b"this is no arrow"),
        write("text.json", b"{\"a\": "),
        write("unknown.xlsx", b"x"),
    ];
    for path in broken {
        let error = read_frame(&path).unwrap_err();
        assert_eq!(error.file(), Some(path.as_path()), "{error}");
    }
}

#[test]
fn checking_an_output_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let new = folder.path().join("new.csv");
    check_writable_frame(&new).unwrap();
    assert!(!new.exists());
    let old = folder.path().join("old.csv");
    fs::write(&old, "kept").unwrap();
    check_writable_frame(&old).unwrap();
    assert_eq!(fs::read_to_string(&old).unwrap(), "kept");

    let nowhere = folder.path().join("absent").join("new.csv");
    let error = check_writable_frame(&nowhere).unwrap_err();
    assert_eq!((error.kind(), error.file()), (ErrorKind::Io, Some(nowhere.as_path())));
    assert!(check_writable_frame(folder.path().join("table.docx")).is_err());
    assert!(check_writable_frame(folder.path()).is_err());
}
