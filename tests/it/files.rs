//! Writing frames to files and reading them back.

use std::fs;
use std::path::Path;

use topicframe::error::ErrorKind;
use topicframe::files::{
    check_writable, check_writable_frame, read_frame, read_frame_as_text, same_file, write_frame, write_whole,
};
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
        assert_eq!(error.path(), Some(path.as_path()), "{error:#}");
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
    assert_eq!((error.kind(), error.path()), (ErrorKind::Io, Some(nowhere.as_path())));
    assert!(check_writable_frame(folder.path().join("table.docx")).is_err());
    assert!(check_writable_frame(folder.path()).is_err());
}

/// A column of each type that pandas, Spark or a database writes to ordinary files.
fn of_many_types() -> DataFrame {
    let column = |name: &str, dtype: DataType| Column::new(name.into(), [Some(1_i64), None]).cast(&dtype).unwrap();
    let small = [DataType::Int8, DataType::Int16, DataType::UInt8, DataType::UInt16, DataType::Float16];
    let mut columns: Vec<Column> = small.map(|dtype| column(&dtype.to_string(), dtype)).into();
    columns.extend([
        column("decimal", DataType::Decimal(10, 2)),
        column("i128", DataType::Int128),
        column("u64", DataType::UInt64),
        column("time", DataType::Time),
        column("duration", DataType::Duration(TimeUnit::Milliseconds)),
        column("date", DataType::Date),
        column("datetime", DataType::Datetime(TimeUnit::Microseconds, None)),
        column("nothing", DataType::Null),
        Column::new("bool".into(), [Some(true), None]),
    ]);
    let names = Column::new("category".into(), [Some("red"), None]);
    columns.push(names.cast(&DataType::from_categories(Categories::global())).unwrap());
    DataFrame::new(2, columns).unwrap()
}

fn binary_in_nests() -> Vec<Column> {
    let bytes = Series::new("bytes".into(), [Some(&[0_u8, 255][..]), None]);
    let path = Series::new("path".into(), [Some("b/a.png"), None]);
    let image = StructChunked::from_series("image".into(), 2, [bytes.clone(), path].iter()).unwrap();
    let list = Column::new("list".into(), [bytes.slice(0, 1), bytes.slice(1, 1)]);
    vec![image.into_series().into_column(), list]
}

fn extremes() -> DataFrame {
    let date = Column::new("date".into(), [i32::MAX, i32::MIN]).cast(&DataType::Date).unwrap();
    let moment = Column::new("moment".into(), [i64::MAX, i64::MIN]);
    let moment = moment.cast(&DataType::Datetime(TimeUnit::Milliseconds, None)).unwrap();
    let numbers = Column::new("number".into(), [u64::MAX, 0]);
    let floats = Column::new("float".into(), [f64::NAN, f64::INFINITY]);
    DataFrame::new(2, vec![date, moment, numbers, floats]).unwrap()
}

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn binary_formats_hold_every_type() {
    let folder = tempfile::tempdir().unwrap();
    let mut frame = of_many_types();
    frame.hstack_mut(&binary_in_nests()).unwrap();
    for name in ["f.parquet", "f.arrow"] {
        let path = folder.path().join(name);
        write_frame(&frame, &path).unwrap();
        let back = read_frame(&path).unwrap();
        assert_eq!(back.schema(), frame.schema(), "{name}");
        assert!(back.equals_missing(&frame), "{name}");
    }
}

#[test]
fn text_formats_take_every_type() {
    let folder = tempfile::tempdir().unwrap();
    let mut frame = of_many_types();
    frame.hstack_mut(&binary_in_nests()).unwrap();
    for (frame, name) in [(&frame, "many"), (&extremes(), "extremes")] {
        for ending in ["csv", "tsv", "json", "ndjson"] {
            let path = folder.path().join(format!("{name}.{ending}"));
            write_frame(frame, &path).unwrap();
            let back = read_frame(&path).unwrap();
            assert_eq!(back.get_column_names(), frame.get_column_names(), "{name}.{ending}");
            assert_eq!(back.height(), 2);
        }
    }
    let row = &json(&folder.path().join("many.json"))[0];
    assert_eq!(row["image"], serde_json::json!({"bytes": "AP8=", "path": "b/a.png"}));
    assert_eq!(row["list"], serde_json::json!(["AP8="]));
    assert_eq!((&row["i8"], &row["category"], &row["decimal"]), (&1.into(), &"red".into(), &"1.00".into()));
    assert_eq!((&row["f16"], &row["i128"], &row["nothing"]), (&1.0.into(), &"1".into(), &serde_json::Value::Null));
    assert_eq!((&row["time"], &row["duration"]), (&"00:00:00.000000001".into(), &"PT0.001S".into()));
    assert_eq!((&row["date"], &row["datetime"]), (&"1970-01-02".into(), &"1970-01-01T00:00:00.000001".into()));
    let csv = fs::read_to_string(folder.path().join("many.csv")).unwrap();
    assert!(csv.contains(r#""{""bytes"":""AP8="",""path"":""b/a.png""}""#), "{csv}");
    assert!(csv.contains("PT0.001S") && csv.contains("00:00:00.000000001"), "{csv}");
    let row = &json(&folder.path().join("extremes.json"))[0];
    assert_eq!(row["date"], "+5881580-07-11");
    assert_eq!((&row["number"], &row["float"]), (&u64::MAX.into(), &serde_json::Value::Null));
}

#[test]
fn dates_are_those_of_the_calendar() {
    let folder = tempfile::tempdir().unwrap();
    // Days from Python's datetime.date.toordinal; the years before 1 continue from 0.
    let days = [
        (0, "1970-01-01"),
        (11_016, "2000-02-29"),
        (-1, "1969-12-31"),
        (-25_509, "1900-02-28"),
        (-25_508, "1900-03-01"),
    ];
    let column = Column::new("date".into(), days.map(|(day, _)| day)).cast(&DataType::Date).unwrap();
    let zoned = Column::new("at".into(), days.map(|(day, _)| i64::from(day) * 86_400_000 - 500));
    let zone = TimeZone::opt_try_new(Some("Europe/Paris")).unwrap();
    let zoned = zoned.i64().unwrap().clone().into_datetime(TimeUnit::Milliseconds, zone).into_series().into_column();
    let frame = DataFrame::new(5, vec![column, zoned]).unwrap();
    let path = folder.path().join("f.json");
    write_frame(&frame, &path).unwrap();
    let rows = json(&path);
    for (row, (_, text)) in days.iter().enumerate() {
        assert_eq!(rows[row]["date"], *text);
    }
    assert_eq!(rows[0]["at"], "1969-12-31T23:59:59.5Z");
    write_frame(&frame, folder.path().join("f.csv")).unwrap();
}

#[test]
fn arrow_streams_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.arrow");
    IpcStreamWriter::new(fs::File::create(&path).unwrap()).finish(&mut sample()).unwrap();
    assert!(read_frame(&path).unwrap().equals_missing(&sample()));
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    assert_eq!(read_frame(&path).unwrap_err().path(), Some(path.as_path()));
}

#[test]
fn a_write_that_fails_leaves_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.json");
    fs::write(&path, "kept").unwrap();
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o640)).unwrap();
    // A frame that claims one more row than it has: the writer fails after it has written two.
    let ragged = unsafe { DataFrame::new_unchecked(3, vec![Column::new("words".into(), ["a", "b"])]) };
    let error = write_frame(&ragged, &path).unwrap_err();
    assert!(format!("{error:#}").contains("left unchanged"), "{error:#}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "kept");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");

    write_whole(&path, "new").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o640, "the file keeps its permissions");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn links_stand_for_what_they_lead_to() {
    let folder = tempfile::tempdir().unwrap();
    let (link, file, other) =
        (folder.path().join("link.csv"), folder.path().join("f.csv"), folder.path().join("o.csv"));
    std::os::unix::fs::symlink("f.csv", &link).unwrap();
    check_writable(&link).unwrap();
    assert!(!file.exists(), "checking a dangling link creates nothing");
    assert!(same_file(&link, &file) && same_file(folder.path().join("./f.csv"), &file) && !same_file(&file, &other));
    write_whole(&link, "a").unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), "a");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    fs::hard_link(&file, &other).unwrap();
    assert!(same_file(&file, &other) && same_file(&link, &other));
    let ring = folder.path().join("ring.csv");
    std::os::unix::fs::symlink("ring.csv", &ring).unwrap();
    assert_eq!(check_writable(&ring).unwrap_err().path(), Some(ring.as_path()));
    assert!(check_writable("/dev/null").map_err(|error| format!("{error:#}")).unwrap_err().contains("regular"));
}

#[test]
fn what_is_wrong_with_a_csv_is_said_in_a_line_or_two() {
    let folder = tempfile::tempdir().unwrap();
    let said = |name: &str, content: &[u8], text: &[&str]| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        let error = read_frame_as_text(&path, text).unwrap_err();
        assert_eq!(error.path(), Some(path.as_path()), "{error:#}");
        let said = format!("{error:#}");
        assert!(said.lines().count() <= 2 && said.len() < 600, "{said}");
        assert!(!said.contains("truncate_ragged") && !said.contains("infer_schema"), "{said}");
        said
    };
    assert!(said("ragged.csv", b"a,b\n1,2\n3,4,5\n", &[]).contains("must be quoted"));
    assert!(said("ragged.tsv", b"a\tb\n1\t2\n3\t4\t5\n", &[]).contains("tab"));
    assert!(said("latin1.csv", b"text\ncaf\xe9\n", &[]).contains("UTF-8"));
    let open = format!("a,b\n1,\"open\n{}", "2,some text\n".repeat(500));
    assert!(said("open.csv", open.as_bytes(), &[]).contains("not closed"));
    assert!(said("inner.csv", b"text\n\"a\" b,c\n", &["text"]).contains("quote"));
    assert!(said("twice.csv", b"text,text\na,b\n", &["text"]).contains("`text`"));
    assert!(!said("text.parquet", b"this is no parquet", &[]).contains(".tsv"));
    said("feather1.feather", b"FEA1 and so on FEA1", &[]);
}
