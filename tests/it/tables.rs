//! Parquet and Arrow files written by other programs, and malicious ones.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use topicframe::cluster::KMeans;
use topicframe::corpus::{Embeddings, ImageColumn, TextColumn};
use topicframe::embed::StaticEmbedder;
use topicframe::error::{ErrorKind, Interface};
use topicframe::files::{read_frame, write_frame};
use topicframe::model::TopicModel;
use topicframe::polars::prelude::*;
use topicframe::reduce::NoReduction;

use crate::corpora::captions;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tables").join(name)
}

#[test]
fn every_type_that_texts_come_in_is_text() {
    let kinds =
        ["string", "large", "dictionary", "ordered", "large_dictionary", "binary", "large_binary", "json", "view"];
    for name in ["texts.parquet", "texts.arrow"] {
        let frame = read_frame(fixture(name)).unwrap();
        for kind in kinds.iter().filter(|&&kind| kind != "view" || name.ends_with("arrow")) {
            let texts = TextColumn::read(&frame, kind).unwrap_or_else(|error| panic!("{name}: {error}"));
            let texts: Vec<Option<&str>> = (0..4).map(|row| texts.get(row)).collect();
            assert_eq!(texts, [Some("red apple"), Some("fast train"), None, Some("red apple")], "{name}: {kind}");
        }
        let paths = ImageColumn::read(&frame, "path", Path::new("")).unwrap();
        assert_eq!((paths.path(1), paths.path(2)), (Some("b.png"), None), "{name}");
        let images = ImageColumn::read(&frame, "image", Path::new("")).unwrap();
        assert_eq!((images.bytes(0), images.path(1)), (Some(&b"x"[..]), Some("b.png")), "{name}");
    }
}

#[test]
fn bytes_that_are_no_text_are_no_text() {
    let frame = df!("text" => [&b"\x89PNG"[..], &b"\xff\xd8"[..]]).unwrap();
    let error = TextColumn::read(&frame, "text").unwrap_err();
    assert!(format!("{error:#}").contains("bytes (Binary)"), "{error:#}");
}

#[test]
fn columns_of_categories_stay_what_they_are() {
    let mut frame = df!("text" => captions(60), "kind" => captions(60)).unwrap();
    let names: Vec<String> = {
        let mut names = captions(60);
        names.sort();
        names.dedup();
        names
    };
    let categories = FrozenCategories::new(names.iter().map(String::as_str)).unwrap();
    let text = frame.column("text").unwrap().cast(&DataType::from_frozen_categories(categories)).unwrap();
    frame.with_column(text).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("enum.parquet");
    write_frame(&frame, &path).unwrap();
    let frame = read_frame(&path).unwrap();
    assert!(matches!(frame.column("text").unwrap().dtype(), DataType::Enum(..)));
    let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(3));
    let (topics, output) = model.fit_transform(&frame).unwrap();
    assert_eq!(topics.summary().topics, 3);
    assert_eq!(output.column("text").unwrap().dtype(), frame.column("text").unwrap().dtype());
}

#[test]
fn vectors_of_any_floats_and_whole_numbers() {
    let floats = ["half", "single", "double", "fixed_half", "large_half", "tensor", "matrix"];
    let whole = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "fixed_int8"];
    for name in ["vectors.parquet", "vectors.arrow"] {
        let frame = read_frame(fixture(name)).unwrap();
        let vectors = |kind: &str| -> Vec<Option<Vec<f32>>> {
            let read = Embeddings::read(&frame, kind).unwrap_or_else(|error| panic!("{name}: {kind}: {error}"));
            assert_eq!((read.len(), read.dimensions()), (4, 2));
            (0..4).map(|row| read.get(row).map(<[f32]>::to_vec)).collect()
        };
        for kind in floats {
            let expected = [Some(vec![1.0, -2.0]), None, Some(vec![0.5, 4.0]), Some(vec![3.0, 0.0])];
            assert_eq!(vectors(kind), expected, "{name}: {kind}");
        }
        for kind in whole {
            let expected = [Some(vec![1.0, 2.0]), None, Some(vec![0.0, 4.0]), Some(vec![3.0, 0.0])];
            assert_eq!(vectors(kind), expected, "{name}: {kind}");
        }
    }
}

#[test]
fn what_a_column_cannot_be_is_said_in_plain_words() {
    let frame = read_frame(fixture("vectors.parquet")).unwrap();
    let error = TextColumn::read(&frame, "tensor").unwrap_err();
    assert_eq!((error.kind(), error.column()), (ErrorKind::WrongType, Some("tensor")));
    let said = error.report(Interface::CommandLine);
    assert!(said.contains("`arrow.fixed_shape_tensor`") && said.contains("arrays of 2 numbers (Float32)"), "{said}");
    assert!(said.contains("--text") && !said.contains("Cast") && !said.contains('{'), "{said}");
    assert!(format!("{error:#}").contains("Cast it to String"), "{error:#}");

    let of = |name: &str| TextColumn::read(&frame, name).map_err(|error| format!("{error:#}")).unwrap_err();
    assert!(of("half").contains("lists of numbers (Float16)"), "{}", of("half"));
    assert!(of("int8").contains("lists of whole numbers (Int8)"), "{}", of("int8"));
    let error = Embeddings::read(&read_frame(fixture("texts.arrow")).unwrap(), "dictionary").unwrap_err();
    assert!(error.report(Interface::CommandLine).contains("--embeddings"), "{error:#}");
}

#[test]
fn the_row_that_is_wrong_is_blamed() {
    let with = |lengths: &[usize]| {
        let rows: Vec<Series> = lengths.iter().map(|&length| Series::new("".into(), vec![1.0_f32; length])).collect();
        let frame = DataFrame::new(lengths.len(), vec![Column::new("v".into(), rows)]).unwrap();
        let error = Embeddings::read(&frame, "v").unwrap_err();
        (error.row(), format!("{error:#}"))
    };
    let (row, said) = with(&[2, 3, 3, 3]);
    assert_eq!(row, Some(0), "{said}");
    assert!(said.contains("2 dimensions, most have 3"), "{said}");
    assert_eq!(with(&[3, 3, 0, 3]).0, Some(2));
    assert_eq!(with(&[3, 3, 3, 4]).0, Some(3));
    assert_eq!(with(&[3, 4]).0, Some(1), "on a tie, the first length is the expected one");
}

#[test]
fn numbers_that_are_missing_within_a_vector_name_their_row() {
    let rows = [vec![Some(1.0), Some(2.0)], vec![Some(1.0), None]].map(|row| Series::new("".into(), row));
    let frame = DataFrame::new(2, vec![Column::new("v".into(), rows.to_vec())]).unwrap();
    let mut twice = frame.clone();
    twice.vstack_mut(&frame).unwrap();
    assert_eq!(Embeddings::read(&frame, "v").unwrap_err().row(), Some(1));
    assert_eq!(Embeddings::read(&twice.slice(2, 2), "v").unwrap_err().row(), Some(1));
}

#[test]
fn two_columns_of_a_name_are_told_as_that() {
    for name in ["twice.parquet", "twice.arrow"] {
        let error = read_frame(fixture(name)).unwrap_err();
        assert_eq!(error.column(), Some("text"), "{error:#}");
        assert!(format!("{error:#}").contains("duplicate column name"), "{error:#}");
    }
}

#[test]
fn nesting_has_a_limit() {
    for ending in ["parquet", "arrow"] {
        assert_eq!(read_frame(fixture(&format!("lists_20.{ending}"))).unwrap().shape(), (2, 2));
        for (name, depth) in [("lists_40", "40 levels"), ("structs_60", "60 levels")] {
            let path = fixture(&format!("{name}.{ending}"));
            let error = read_frame(&path).unwrap_err();
            assert_eq!((error.column(), error.path()), (Some("deep"), Some(path.as_path())), "{error:#}");
            assert!(format!("{error:#}").contains(depth), "{error:#}");
        }
    }
}

/// The bytes of the small fixtures.
fn small() -> Vec<(&'static str, Vec<u8>)> {
    let names = ["lz4.arrow", "zstd.arrow", "lz4.stream.arrow", "twice.parquet", "texts.parquet", "texts.arrow"];
    names.map(|name| (name, fs::read(fixture(name)).unwrap())).to_vec()
}

#[test]
fn lengths_that_cannot_be_are_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in small() {
        let path = folder.path().join(name);
        // A sample of the bytes in the larger ones, to save time.
        for at in (0..bytes.len()).step_by(1 + bytes.len() / 1_200) {
            // The high bits, where most of the damage to lengths occurs.
            for change in [0x40, 0xff] {
                let mut changed = bytes.clone();
                changed[at] ^= change;
                fs::write(&path, &changed).unwrap();
                if let Err(error) = read_frame(&path) {
                    assert_eq!(error.path(), Some(path.as_path()), "{name}, byte {at}: {error}");
                    assert!(format!("{error:#}").len() < 2_000, "{name}, byte {at}: {error}");
                }
            }
        }
    }
}

#[test]
fn a_length_of_petabytes_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["lz4.arrow", "zstd.arrow", "lz4.stream.arrow"] {
        let mut bytes = fs::read(fixture(name)).unwrap();
        // The offsets of 40 texts, 41 numbers of 4 bytes, are the first compressed buffer.
        let at = bytes.windows(8).position(|window| window == 164_u64.to_le_bytes()).unwrap();
        bytes[at + 7] = 1;
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let error = read_frame(&path).unwrap_err();
        assert_eq!(error.path(), Some(path.as_path()));
        assert!(format!("{error:#}").contains("unpack"), "{error:#}");
    }
}

#[test]
fn files_that_are_cut_short_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in small() {
        let path = folder.path().join(name);
        for end in (1..bytes.len()).step_by(13).filter(|_| !name.contains("stream")) {
            fs::write(&path, &bytes[..end]).unwrap();
            assert!(read_frame(&path).is_err(), "{name} cut at {end}");
        }
    }
}

#[test]
fn damaged_files_are_told_without_a_panic_on_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let mut refused = 0;
    for (name, bytes) in small() {
        for at in (0..bytes.len()).step_by(bytes.len() / 6) {
            let mut changed = bytes.clone();
            changed[at] ^= 0x5a;
            fs::write(folder.path().join(name), &changed).unwrap();
            let mut command = Command::new(env!("CARGO_BIN_EXE_topicframe"));
            let column = if name.starts_with("texts") { "dictionary" } else { "text" };
            let output = command.current_dir(folder.path()).args(["fit", name, "--text", column]).output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(output.status.code().is_some(), "{name}, byte {at}: it must not be killed by a signal: {said}");
            assert!(!said.contains("panicked"), "{name}, byte {at}: {said}");
            refused += usize::from(!output.status.success());
        }
    }
    assert!(refused > 10, "{refused}");
}

#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    for ending in ["csv", "json", "parquet", "arrow"] {
        let path = folder.path().join(format!("pipe.{ending}"));
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        let error = read_frame(&path).unwrap_err();
        assert!(format!("{error:#}").contains("not a regular file"), "{error:#}");
        let device = folder.path().join(format!("zero.{ending}"));
        std::os::unix::fs::symlink("/dev/zero", &device).unwrap();
        assert!(read_frame(&device).map_err(|error| format!("{error:#}")).unwrap_err().contains("not a regular file"));
    }
}

#[test]
fn columns_of_different_lengths_are_a_damaged_file() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/fuzz/parquet/found_uneven_columns.parquet");
    let error = read_frame(&path).map_err(|error| format!("{error:#}")).unwrap_err();
    assert!(error.contains("the file is corrupt") && error.contains("found_uneven_columns.parquet"), "{error:#}");
}

#[test]
fn types_that_are_not_read_are_named_with_their_column() {
    let kinds = [("union", "several types"), ("interval", "calendar intervals"), ("decimal", "256-bit")];
    let ends = [("runs", "run-end encoded"), ("view", "list views")];
    for (name, what) in kinds.iter().chain(&ends) {
        let error =
            read_frame(fixture(&format!("unread_{name}.arrow"))).map_err(|error| format!("{error:#}")).unwrap_err();
        assert!(error.contains(what) && error.contains("column `odd`"), "{name}: {error}");
        assert!(!error.contains("Err") && !error.contains("POLARS") && !error.contains("not yet"), "{name}: {error}");
    }
    let error = read_frame(fixture("unread_decimal.parquet")).map_err(|error| format!("{error:#}")).unwrap_err();
    assert!(error.contains("256-bit") && error.contains("column `odd`"), "{error:#}");
}

#[test]
fn a_file_of_another_kind_is_called_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let contents: [(&str, &[u8], &str); 5] = [
        ("csv.parquet", b"text,id\nred apple,1\n", "It is text, not Parquet"),
        ("pointer.parquet", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "git lfs pull"),
        ("page.arrow", b"<!DOCTYPE html><html>not found</html>", "It is HTML or XML"),
        ("packed.parquet", b"\x1f\x8b\x08\x00rest", "gzip"),
        ("cut.parquet", b"PAR1\x00\x00", "Check that the content is complete"),
    ];
    for (name, content, says) in contents {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        let error = read_frame(&path).map_err(|error| format!("{error:#}")).unwrap_err();
        assert!(error.contains(says), "{name}: {error}");
    }
}

#[test]
fn a_row_of_bytes_that_is_not_text_is_named() {
    let frame = df!("text" => [&b"red apple"[..], &b"fast \xfftrain"[..]]).unwrap();
    let error = TextColumn::read(&frame, "text").map_err(|error| format!("{error:#}")).unwrap_err();
    assert!(error.contains("UTF-8") && error.contains("row 1"), "{error:#}");
}

#[test]
fn arrays_of_which_some_are_null_are_lists_in_parquet() {
    let vectors = Embeddings::scatter(ndarray::array![[1.0, 2.0], [3.0, 4.0]], &[0, 2], 3).unwrap();
    let frame = DataFrame::new(3, vec![vectors.to_column("embedding").unwrap()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vectors.parquet");
    write_frame(&frame, &path).unwrap();
    let again = read_frame(&path).unwrap();
    assert_eq!(again.column("embedding").unwrap().dtype(), &DataType::List(Box::new(DataType::Float32)));
    let again = Embeddings::read(&again, "embedding").unwrap();
    assert_eq!((again.get(0), again.get(1), again.get(2)), (Some(&[1.0, 2.0][..]), None, Some(&[3.0, 4.0][..])));
}

#[test]
fn deeply_nested_values_are_written_as_fast_as_they_are_read() {
    let deep = format!("{}1{}", "[".repeat(62), "]".repeat(62));
    let line = format!("{{\"text\":\"red apple\",\"deep\":{deep}}}\n");
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("deep.ndjson"), folder.path().join("again.ndjson"));
    fs::write(&from, line.repeat(2_000)).unwrap();
    let frame = read_frame(&from).unwrap();
    let started = std::time::Instant::now();
    write_frame(&frame, &to).unwrap();
    // It takes a tenth of a second; reopening each cell at every level took 45.
    assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
    assert_eq!(fs::read_to_string(&from).unwrap(), fs::read_to_string(&to).unwrap());
}

#[test]
fn values_of_every_kind_are_written_as_json() {
    let line = concat!(
        r#"{"list":[1,null,3],"empty":[],"none":null,"of":[{"a":"x","b":[0.5]},{"a":null,"b":null}],"#,
        r#""record":{"y":[[1],[],null]}}"#,
        "\n",
        r#"{"list":null,"empty":[],"none":null,"of":[],"record":{"y":null}}"#,
        "\n"
    );
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("from.ndjson"), folder.path().join("to.ndjson"));
    fs::write(&from, line).unwrap();
    let frame = read_frame(&from).unwrap();
    write_frame(&frame, &to).unwrap();
    assert_eq!(fs::read_to_string(&to).unwrap(), line);
    // A slice of a frame has lists that begin somewhere in the middle.
    write_frame(&frame.slice(1, 1), &to).unwrap();
    assert_eq!(fs::read_to_string(&to).unwrap(), line.split_inclusive('\n').nth(1).unwrap());
}
