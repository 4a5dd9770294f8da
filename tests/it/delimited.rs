//! CSV, TSV and similar formats as written by spreadsheets, scrapers and programs.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};
use tempfile::TempDir;
use topicframe::error::{ErrorKind, Interface};
use topicframe::files::{Quotes, ReadOptions, read_csv, read_frame, read_frame_as_text, separator_named, write_frame};
use topicframe::polars::prelude::*;
use topicframe::progress::Progress;

use crate::corpora::captions;
use crate::notes::{Notes, read_with_notes};

fn file(folder: &TempDir, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    path
}

/// Reads a file with this name and content, with default options.
fn read(name: &str, content: impl AsRef<[u8]>) -> DataFrame {
    let folder = tempfile::tempdir().unwrap();
    read_frame(file(&folder, name, content)).unwrap()
}

/// The fields of a frame as texts, by row; null as `~`.
fn rows(frame: &DataFrame) -> Vec<Vec<String>> {
    let texts: Vec<Column> = frame.columns().iter().map(|column| column.cast(&DataType::String).unwrap()).collect();
    let cell = |column: &Column, row| column.str().unwrap().get(row).unwrap_or("~").to_owned();
    (0..frame.height()).map(|row| texts.iter().map(|column| cell(column, row)).collect()).collect()
}

fn names(frame: &DataFrame) -> Vec<&str> {
    frame.get_column_names().into_iter().map(|name| name.as_str()).collect()
}

/// The error for a file that cannot be read, without its path.
fn refused(name: &str, content: impl AsRef<[u8]>, options: &ReadOptions) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, name, content);
    let error = options.read(&path).unwrap_err();
    assert_eq!(error.path(), Some(path.as_path()), "{error:#}");
    error.report(Interface::CommandLine).replace(&format!("{}", path.display()), "FILE")
}

fn first_line(said: &str) -> &str {
    said.lines().next().unwrap()
}

#[test]
fn separators_are_recognized() {
    let cases: [(&str, &[&str], &[&str]); 11] = [
        ("id;text\n0;the compost\n1;the soil\n", &["id", "text"], &["0", "the compost"]),
        ("id;text\n0;the compost, and the soil\n1;trains\n", &["id", "text"], &["0", "the compost, and the soil"]),
        ("id\ttext\n0\ta;b, c\n1\td\n", &["id", "text"], &["0", "a;b, c"]),
        ("id|text|n\n0|a;b|1\n", &["id", "text", "n"], &["0", "a;b", "1"]),
        ("id;price, EUR;text\n1;2,50;soup\n2;3,50;bread\n", &["id", "price, EUR", "text"], &["1", "2,50", "soup"]),
        ("text\nno separator; in this; one\n", &["text"], &["no separator; in this; one"]),
        ("\"a;b\",c\n1,2\n", &["a;b", "c"], &["1", "2"]),
        ("a;b,c;d\nx;y,z;w\n", &["a", "b,c", "d"], &["x", "y,z", "w"]),
        ("tags;more,text\nx;y,soup\n", &["tags;more", "text"], &["x;y", "soup"]),
        ("sep=;\r\nid;text\r\n1;a,b\r\n", &["id", "text"], &["1", "a,b"]),
        ("\u{feff}id;\"text\"\r\n1;\"a;b\"\r\n", &["id", "text"], &["1", "a;b"]),
    ];
    for (content, columns, row) in cases {
        let frame = read("f.csv", content);
        assert_eq!(names(&frame), columns, "{content}");
        assert_eq!(rows(&frame)[0], row, "{content}");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "f.csv", "a,b;c\n1,2;3\n");
    let by_semicolon = ReadOptions::new().separator(b';').read(&path).unwrap();
    assert_eq!(names(&by_semicolon), ["a,b", "c"]);
    let path = file(&folder, "f.tsv", "a:b\n1:2\n");
    assert_eq!(names(&ReadOptions::new().separator(b':').read(&path).unwrap()), ["a", "b"]);
    assert_eq!(separator_named("tab").unwrap(), b'\t');
    assert_eq!(separator_named(";").unwrap(), b';');
    assert!(separator_named("ab").is_err() && separator_named("é").is_err());
    assert!(ReadOptions::new().separator(b'"').read(&path).is_err());
}

#[test]
fn a_quote_within_a_field_is_a_character() {
    let inch = "id,text\n7,orbit on a 5\" pipe\n8,\"soil, \"\"good\"\" soil\"\n9,6\"\n";
    let frame = read("f.csv", inch);
    assert_eq!(rows(&frame), [["7", "orbit on a 5\" pipe"], ["8", "soil, \"good\" soil"], ["9", "6\""]]);
    let frame = read("f.csv", "size 5\",text\n1,a 3\"x4\" frame\n");
    assert_eq!((names(&frame), rows(&frame)[0][1].as_str()), (vec!["size 5\"", "text"], "a 3\"x4\" frame"));
    let frame = read("f.csv", "a;b\n1; \"c\"\n");
    assert_eq!(rows(&frame), [["1", " \"c\""]]);
}

#[test]
fn a_tsv_with_quotes_is_read_as_it_was_written() {
    let pandas = "id\ttext\n0\tplain\n1\t\"two\nlines\"\n2\t\"he said \"\"no\"\"\"\n3\t\"a\ttab\"\n";
    let frame = read("f.tsv", pandas);
    assert_eq!(rows(&frame), [["0", "plain"], ["1", "two\nlines"], ["2", "he said \"no\""], ["3", "a\ttab"]]);
    assert_eq!(frame.column("id").unwrap().dtype(), &DataType::Int64);
    let r = "\"id\"\t\"text\"\n1\t\"Hello\"\n2\t\"x\ty\"\n";
    assert_eq!(rows(&read("f.tsv", r)), [["1", "Hello"], ["2", "x\ty"]]);
    let within_lines = "id\ttext\n1\t\"a \"\"b\"\" c\"\n2\td\n";
    assert_eq!(rows(&read("f.tab", within_lines)), [["1", "a \"b\" c"], ["2", "d"]]);
    let as_csv = "id\ttext\n1\t\"two\nlines\"\n";
    assert_eq!(rows(&read("f.csv", as_csv)), [["1", "two\nlines"]]);
}

#[test]
fn a_tsv_without_quotes_keeps_those_of_its_texts() {
    let open = "id\ttext\n1\t\"an open quote\n2\tplain, with a comma\n";
    assert_eq!(rows(&read("f.tsv", open)), [["1", "\"an open quote"], ["2", "plain, with a comma"]]);
    // One sentence opens a quotation and another ends it: the rows between are not joined.
    let dialogue = "id\ttext\n1\t\"I went home.\n2\tThere was light.\n3\tThen I slept.\"\n";
    let read_back = rows(&read("f.tsv", dialogue));
    assert_eq!(read_back.len(), 3);
    assert_eq!((read_back[0][1].as_str(), read_back[2][1].as_str()), ("\"I went home.", "Then I slept.\""));
    let mixed = "id\ttext\tlabel\n1\t\"all\"\tx\n2\t\"he\" said\ty\n3\tshe said \"no\"\tz\n";
    assert_eq!(
        rows(&read("f.tsv", mixed)).iter().map(|row| row[1].as_str()).collect::<Vec<_>>(),
        ["\"all\"", "\"he\" said", "she said \"no\""]
    );
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "f.tsv", "id\ttext\n1\t\"all\"\n");
    assert_eq!(rows(&ReadOptions::new().quotes(Quotes::No).read(&path).unwrap())[0][1], "\"all\"");
    assert_eq!(rows(&ReadOptions::new().quotes(Quotes::Yes).read(&path).unwrap())[0][1], "all");
    let path = file(&folder, "f.csv", "id,text\n1,\"he\" said\n");
    assert_eq!(rows(&ReadOptions::new().quotes(Quotes::No).read(&path).unwrap())[0][1], "\"he\" said");
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn compressed_files_are_read_whatever_their_name() {
    let content = b"id,text\n1,soil\n2,\"a,b\"\n";
    let zstd = zstd::encode_all(&content[..], 3).unwrap();
    let members: Vec<u8> = [gzip(&content[..10]), gzip(&content[10..])].concat();
    let kept =
        [("f.csv.gz", gzip(content)), ("f.csv", gzip(content)), ("f.csv.zst", zstd.clone()), ("F.CSV.GZ", members)];
    for (name, bytes) in kept {
        assert_eq!(rows(&read(name, bytes)), [["1", "soil"], ["2", "a,b"]], "{name}");
    }
    assert_eq!(rows(&read("f.tsv.gz", gzip(b"a\tb\n1\t2\n"))), [["1", "2"]]);
    assert_eq!(rows(&read("f.ndjson.gz", gzip(b"{\"a\":1}\n"))), [["1"]]);
    assert_eq!(rows(&read("f.json.zst", zstd::encode_all(&b"[{\"a\":1}]"[..], 3).unwrap())), [["1"]]);

    let said = |name: &str, bytes: &[u8]| first_line(&refused(name, bytes, &ReadOptions::new())).to_owned();
    let whole = gzip(content);
    assert_eq!(said("f.csv.gz", &whole[..whole.len() - 9]), "input: the compressed file is truncated (FILE)");
    assert!(said("f.csv", &zstd[..zstd.len() - 3]).starts_with("input: the compressed file is "));
    let mut damaged = whole.clone();
    damaged[14] ^= 0xff;
    assert!(said("f.csv.gz", &damaged).starts_with("input: the compressed file is "));
    assert!(said("f.csv", b"PK\x03\x04xx").contains("spreadsheet"));
    let parquet = b"PAR1\x15\x04\x04\0\0\0PAR1";
    assert!(said("f.csv", parquet).contains("this is Parquet, not text"));
    assert!(said("f.csv", b"ARROW1\0\0\x04\0\0\0ARROW1").contains("this is Arrow, not text"));
    assert_eq!(names(&read("f.csv", "PAR1,x\n1,PAR1\n")), ["PAR1", "x"]);
    assert_eq!(names(&read("f.csv", "ARROW1,x\n1,ARROW1")), ["ARROW1", "x"]);
    let bomb = zstd::encode_all(vec![b'a'; 100 << 20].as_slice(), 1).unwrap();
    assert!(said("f.csv", &bomb).contains("unpacks to more than"));
    let folder = tempfile::tempdir().unwrap();
    let refused = write_frame(&df!("a" => [1]).unwrap(), folder.path().join("f.csv.gz")).unwrap_err();
    assert!(format!("{refused:#}").contains("Drop the .gz"), "{refused}");
}

#[test]
fn encodings() {
    let text = "id,text\n1,café €5\n2,naïve\n";
    let utf_16 = |big: bool, mark: bool| -> Vec<u8> {
        let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
        units.flat_map(|unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    };
    let right = [["1", "café €5"], ["2", "naïve"]];
    for (big, mark) in [(true, true), (false, true), (true, false), (false, false)] {
        assert_eq!(rows(&read("f.csv", utf_16(big, mark))), right, "{big} {mark}");
    }
    assert_eq!(rows(&read("f.csv", format!("\u{feff}{text}"))), right);
    let folder = tempfile::tempdir().unwrap();
    let windows: Vec<u8> = b"id,text\n1,caf\xe9 \x805\n2,na\xefve\n".to_vec();
    let path = file(&folder, "f.csv", &windows);
    for name in ["windows-1252", "latin1", "ISO-8859-1"] {
        assert_eq!(rows(&ReadOptions::new().encoding(name).read(&path).unwrap()), right, "{name}");
    }
    let path = file(&folder, "f.tsv", [&b"a\tb\n1\t"[..], &[0x93, 0xfa, 0x96, 0x7b]].concat());
    assert_eq!(rows(&ReadOptions::new().encoding("shift_jis").read(&path).unwrap()), [["1", "日本"]]);
    let path = file(&folder, "f.ndjson", b"{\"a\": \"caf\xe9\"}\n");
    assert_eq!(rows(&ReadOptions::new().encoding("latin1").read(&path).unwrap()), [["café"]]);

    let said = refused("f.csv", &windows, &ReadOptions::new());
    assert_eq!(
        said,
        "input: the file is not UTF-8 text: line 2 contains the byte 0xE9 (FILE)\n  If it has another encoding, specify \
         it: --encoding windows-1252 for many older files."
    );
    let said = refused("f.csv", b"id,text\n1,a\n2,\x82\n", &ReadOptions::new().encoding("shift_jis"));
    assert_eq!(first_line(&said), "input: line 3 is not valid Shift_JIS (FILE)");
    assert!(
        ReadOptions::new()
            .encoding("klingon")
            .read(&path)
            .map_err(|error| format!("{error:#}"))
            .unwrap_err()
            .contains("klingon")
    );
}

#[test]
fn a_text_with_nuls_is_not_taken_for_utf_16() {
    let folder = tempfile::tempdir().unwrap();
    let texts = ["\0a\0b\0c\0", "a\0b\0c\0d\0", "\0", "a\0", "\0a", "\0\na\0b\0", "\u{4}a\0b\0c\0", ",\0a\0b\0"];
    for name in texts {
        for text in texts {
            for height in [0, 1, 5] {
                let frame = df!(name => vec![text; height]).unwrap();
                let two = df!(name => vec![text; height], "\0b\0" => vec!["\0c\0"; height]).unwrap();
                for frame in [frame, two] {
                    same_after_a_round_trip(&frame, &folder.path().join("f.csv"));
                    same_after_a_round_trip(&frame, &folder.path().join("f.tsv"));
                }
            }
        }
    }

    let notes = Arc::new(Notes::default());
    let options = ReadOptions::new().progress(Progress::to(notes.clone()));
    let little = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let path = file(&folder, "little.csv", little("id,text\n1,\u{4e00} \u{434} a\n"));
    assert_eq!(rows(&options.read(&path).unwrap()), [["1", "\u{4e00} \u{434} a"]]);
    assert!(notes.text().ends_with("little.csv has no byte-order mark and is read as UTF-16LE"), "{}", notes.text());
    let cut = file(&folder, "cut.csv", &little("id,text\n1,abc\n")[..27]);
    assert!(options.read(&cut).is_ok());
    assert!(notes.text().contains("cut.csv has a NUL at every second byte and is read as UTF-8"), "{}", notes.text());
}

#[test]
fn fields_come_out_as_they_went_in() {
    let columns: [(&str, &[&str], DataType); 14] = [
        ("zip", &["00501", "00502"], DataType::String),
        ("version", &["1.20", "1.3"], DataType::String),
        ("flag", &["TRUE", "FALSE"], DataType::String),
        ("plus", &["+1", "+2"], DataType::String),
        ("mixed", &["1", "2.5"], DataType::String),
        ("long", &["123456789012345678901", "1"], DataType::String),
        ("minus", &["-0", "1"], DataType::String),
        ("exponent", &["1e5", "2e5"], DataType::String),
        ("late", &["1", "x"], DataType::String),
        ("nan", &["NaN", "NaN"], DataType::String),
        ("integer", &["-12", "7"], DataType::Int64),
        ("number", &["0.1", "-2.5"], DataType::Float64),
        ("truth", &["true", "false"], DataType::Boolean),
        ("holes", &["~", "3"], DataType::Int64),
    ];
    let line = |cells: Vec<&str>| format!("{}\n", cells.join(",").replace('~', ""));
    let content = [
        line(columns.iter().map(|column| column.0).collect()),
        line(columns.iter().map(|column| column.1[0]).collect()),
        line(columns.iter().map(|column| column.1[1]).collect()),
    ]
    .concat();
    let frame = read("f.csv", &content);
    for (name, _, dtype) in &columns {
        assert_eq!(frame.column(name).unwrap().dtype(), dtype, "{name}");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.csv");
    write_frame(&frame, &path).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), content);
    let frame = read("f.csv", "a,b\n,\"\"\n\"\",x\n");
    assert_eq!(rows(&frame), [["~", ""], ["", "x"]], "an empty field in quotes is an empty text");
}

#[test]
fn columns_without_a_role_are_the_same_in_the_documents() {
    let folder = tempfile::tempdir().unwrap();
    let quoted = |text: &str| if text.contains(',') { format!("\"{text}\"") } else { text.to_owned() };
    let line = |i: usize, text: &String| format!("{i:05},1.{i:02}0,TRUE,{}", quoted(text));
    let lines: Vec<String> = captions(60).iter().enumerate().map(|(i, text)| line(i, text)).collect();
    let content = format!("zip,\"ver\"\"sion\",flag,text\n{}\n", lines.join("\n"));
    file(&folder, "in.csv", &content);
    let arguments = ["fit", "in.csv", "--text", "text", "--documents", "out.csv"];
    let output = Command::new(env!("CARGO_BIN_EXE_topicframe")).current_dir(&folder).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let written = fs::read_to_string(folder.path().join("out.csv")).unwrap();
    for (before, after) in content.lines().zip(written.lines()) {
        assert!(after.starts_with(&format!("{before},")), "{before} became {after}");
    }
}

#[test]
fn names_come_out_as_they_went_in() {
    let header = "text,a\tb,\"c\nd\",\"e\"\"f\",\u{1b}[31m,\"\"";
    let frame = read("f.csv", format!("{header}\r\n1,2,3,4,5,6\r\n"));
    assert_eq!(names(&frame), ["text", "a\tb", "c\nd", "e\"f", "\u{1b}[31m", ""]);
    let folder = tempfile::tempdir().unwrap();
    for name in ["f.csv", "f.tsv"] {
        let path = folder.path().join(name);
        write_frame(&frame, &path).unwrap();
        let back = read_frame(&path).unwrap();
        assert_eq!(names(&back), names(&frame), "{name}");
        assert_eq!(rows(&back), rows(&frame), "{name}");
    }
}

#[test]
fn only_a_name_that_is_twice_is_a_duplicate() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "f.csv", "id,text,text_duplicated_0\n0,a,b\n");
    assert_eq!(names(&read_frame_as_text(&path, &["text"]).unwrap()), ["id", "text", "text_duplicated_0"]);
    let path = file(&folder, "f.csv", "x,text,x,x_duplicated_0,x\n1,2,3,4,5\n");
    let frame = read_frame_as_text(&path, &["text"]).unwrap();
    assert_eq!(names(&frame), ["x", "text", "x_duplicated_1", "x_duplicated_0", "x_duplicated_2"]);
    let path = file(&folder, "f.tsv", "\t\ttext\n1\t2\t3\n");
    assert_eq!(names(&read_csv(&path).unwrap()), ["", "_duplicated_0", "text"]);
    let error = read_frame_as_text(file(&folder, "f.csv", "text,id,text\na,b,c\n"), &["text"]).unwrap_err();
    assert_eq!((error.kind(), error.column()), (ErrorKind::InvalidData, Some("text")));
    assert!(format!("{error:#}").starts_with("input: duplicate column name (column `text`"), "{error:#}");
}

#[test]
fn rows_that_are_short_are_told_and_rows_that_are_long_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let notes = Arc::new(Notes::default());
    let options = ReadOptions::new().progress(Progress::to(notes.clone()));
    let path = file(&folder, "f.csv", "a,b,c\n1,2,3\n4,5\n\n6\n7,8,9,,\n");
    let frame = options.read(&path).unwrap();
    assert_eq!(rows(&frame), [["1", "2", "3"], ["4", "5", "~"], ["6", "~", "~"], ["7", "8", "9"]]);
    let told = notes.text().replace(&path.display().to_string(), "FILE");
    assert_eq!(told, "2 rows of FILE have fewer fields than the header (first in line 3): missing values are null");
    assert_eq!(
        refused("f.csv", "a,b\n1,2\n3,\"4\n\",5,6\n", &options),
        "input: line 3 has 4 fields, but the header has 2 names (FILE)\n  A field that contains a comma must be quoted. \
         Is this the right separator? To change it: --separator ';', or --separator tab."
    );
    assert!(refused("f.tsv", "a\tb\n1\t2\t3\n", &options).contains("line 2 has 3 fields"));
    assert!(
        refused("f.csv", "text\nhello, world\n", &options).contains("line 2 has 2 fields, but the header has 1 name (")
    );
}

#[test]
fn short_rows_are_not_a_cell_for_each_name_of_a_header() {
    let names = |count: usize| (0..count).map(|i| format!("c{i}")).collect::<Vec<_>>().join(",");
    let ragged = format!("{}\n{}", names(3_000), "1,2\n3\n".repeat(1_000));
    assert_eq!(read("f.csv", ragged).shape(), (2_000, 3_000));
    let bomb = format!("{}\n{}", names(20_000), "1\n".repeat(5_000));
    assert_eq!(
        refused("f.csv", bomb, &ReadOptions::new()),
        "input: the header has 20000 names, but too many rows have few fields (line 1735 has 1 field): more than 34 \
         million fields are missing so far (FILE)\n  Is the first line the header of these rows? Remove the names \
         that have no values, or complete the rows."
    );
}

#[test]
fn a_quote_that_is_not_closed_is_named_by_its_line() {
    let options = ReadOptions::new();
    let open = format!("a,b\n1,x\n2,\"open\n{}", "3,some text\n".repeat(500));
    assert_eq!(
        refused("f.csv", &open, &options),
        "input: the quote that opens in line 3 (column 2) is not closed (FILE)\n  A quoted field ends with a quote \
         before the next comma, and quotes within it are doubled. If quotes are ordinary characters: --quotes no."
    );
    let said = refused("f.csv", "a;b\n1;\"open\n2;\"some\"\n", &options);
    assert_eq!(
        first_line(&said),
        "input: the quoted field that begins in line 2 (column 2) contains a quote in line 3 that is neither doubled \
         nor closing (FILE)"
    );
    assert!(said.contains("before the next semicolon"), "{said}");
    let said = refused("f.csv", "\"a,b\n1,2\n", &options);
    assert_eq!(first_line(&said), "input: the quote that opens in line 1 (the header) is not closed (FILE)");
}

#[test]
fn every_line_end() {
    for end in ["\n", "\r\n", "\r"] {
        let content = ["id,text", "1,a b", "", "2,\"c\nd\"", ""].join(end);
        assert_eq!(rows(&read("f.csv", content)), [["1", "a b"], ["2", "c\nd"]], "{end:?}");
    }
    // If lines end with LF, a CR is an ordinary character.
    assert_eq!(rows(&read("f.tsv", "a\tb\n1\tx\ry\n")), [["1", "x\ry"]]);
    assert_eq!(rows(&read("f.csv", "a,b\n1,2\r\n3,4")), [["1", "2"], ["3", "4"]]);
    assert_eq!(rows(&read("f.csv", "text\na\n\nb\n")), [["a"], ["~"], ["b"]], "one column: each line is a row");
    assert_eq!(read("f.csv", "a,b\n").shape(), (0, 2));
    // Lines are counted by their terminator, and a quoted field may contain the other one.
    let said = refused("f.csv", "a,b\r\"x\ny\",1\r2,3,4\r", &ReadOptions::new());
    assert!(said.contains("line 3 has 3 fields"), "{said}");
    let said = refused("f.csv", b"a,b\r\"x\ny\",1\r2,\xff\r", &ReadOptions::new());
    assert!(said.contains("line 3 contains the byte 0xFF"), "{said}");
    for nothing in ["", "\n\n", "\u{feff}\n"] {
        assert!(refused("f.csv", nothing, &ReadOptions::new()).contains("the file is empty"));
    }
}

#[test]
fn a_column_that_is_not_there_is_told_with_those_most_like_it() {
    let folder = tempfile::tempdir().unwrap();
    let wide: Vec<String> = (0..3000).map(|i| if i == 1700 { "Text".into() } else { format!("feature_{i}") }).collect();
    let row = vec!["1"; 3000].join(",");
    let path = file(&folder, "wide.csv", format!("{}\n{row}\n{row}\n", wide.join(",")));
    assert_eq!(read_frame(&path).unwrap().shape(), (2, 3000));
    let fit = |name: &str, column: &str| {
        let arguments = ["fit", name, "--text", column];
        let output =
            Command::new(env!("CARGO_BIN_EXE_topicframe")).current_dir(&folder).args(arguments).output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    let said = fit("wide.csv", "text");
    assert!(said.contains("Did you mean `Text`? The columns are `Text`, "), "{said}");
    assert!(said.contains(", and 2990 more.") && said.len() < 500, "{said}");
    file(&folder, "one-line.csv", (0..5000).map(|i| format!("word {i}, ")).collect::<String>());
    let said = fit("one-line.csv", "text");
    assert!(said.contains("did the file lose its line endings?") && said.len() < 1000, "{said}");
    file(&folder, "names.csv", "id,te\u{1b}[31mxt\n1,2\n");
    let said = fit("names.csv", "text");
    assert!(said.contains("The columns are `id`, `te\u{fffd}[31mxt`."), "{said}");
    file(&folder, "semicolon.tsv", "id;text\n1;2\n");
    assert!(
        fit("semicolon.tsv", "text").contains("The only column is `id;text`. Does the file use a different separator?")
    );
}

#[test]
fn settings_that_a_kind_of_file_does_not_have_are_refused() {
    let options = ReadOptions::new().separator(b';');
    assert!(refused("f.ndjson", "{}", &options).contains("a separator was given"));
    assert!(refused("f.parquet", "x", &ReadOptions::new().encoding("latin1")).contains("an encoding was given"));
}

/// Possible content of a field or a name.
fn piece(random: &mut Xoshiro256PlusPlus) -> String {
    const PIECES: [&str; 24] = [
        "\"", "\"\"", ",", ";", "\t", "|", "\n", "\r", "\r\n", " ", "a", "word", "é", "日本", "😀", "0", "00", "1.50",
        "-", "true", "NaN", "\u{1b}", "sep=", "\u{feff}",
    ];
    let length = random.next_u64() % 4;
    (0..length).map(|_| PIECES[(random.next_u64() % 24) as usize]).collect()
}

fn random_frame(random: &mut Xoshiro256PlusPlus) -> DataFrame {
    let (width, height) = (1 + random.next_u64() as usize % 4, random.next_u64() as usize % 6);
    let columns = (0..width).map(|i| {
        // Makes every name unique.
        let name = format!("{}{}", piece(random), ["", "x", "y", "z"][i]);
        let cells: Vec<Option<String>> =
            (0..height).map(|_| if random.next_u64().is_multiple_of(5) { None } else { Some(piece(random)) }).collect();
        Column::new(name.into(), cells)
    });
    let columns: Vec<Column> = columns.collect();
    DataFrame::new(height, columns.clone()).unwrap_or_else(|_| DataFrame::new(height, columns[..1].to_vec()).unwrap())
}

fn same_after_a_round_trip(frame: &DataFrame, path: &Path) {
    write_frame(frame, path).unwrap();
    let back = read_frame(path).unwrap_or_else(|error| panic!("{error}\n{:?}", fs::read_to_string(path)));
    let written = fs::read_to_string(path).unwrap();
    assert_eq!(names(&back), names(frame), "{written:?}");
    assert_eq!(rows(&back), rows(frame), "{written:?}");
    write_frame(&back, path).unwrap();
    assert_eq!(fs::read_to_string(path).unwrap(), written);
}

#[test]
fn whatever_is_written_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = Xoshiro256PlusPlus::seed_from_u64(12);
    for _ in 0..2000 {
        let frame = random_frame(&mut random);
        for name in ["f.csv", "f.tsv"] {
            same_after_a_round_trip(&frame, &folder.path().join(name));
        }
    }
}

#[test]
fn no_bytes_end_the_reader() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = Xoshiro256PlusPlus::seed_from_u64(13);
    for _ in 0..3000 {
        let mut content: Vec<u8> = (0..random.next_u64() % 12).flat_map(|_| piece(&mut random).into_bytes()).collect();
        if random.next_u64() % 4 == 0 {
            content.push(random.next_u64() as u8);
        }
        for name in ["f.csv", "f.tsv"] {
            let _ = read_frame(file(&folder, name, &content));
        }
    }
}

#[test]
fn what_is_written_is_the_same_to_another_reader() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.csv");
    let mut random = Xoshiro256PlusPlus::seed_from_u64(5);
    for _ in 0..300 {
        let frame = random_frame(&mut random);
        // The reader skips the blank lines that represent null in a single column.
        if frame.width() == 1 {
            continue;
        }
        write_frame(&frame, &path).unwrap();
        let mut reader = csv::ReaderBuilder::new().from_path(&path).unwrap();
        let names: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
        let written: Vec<&str> = frame.get_column_names().iter().map(|name| name.as_str()).collect();
        assert_eq!(names, written);
        for (row, record) in reader.records().enumerate() {
            let record = record.unwrap();
            for (column, field) in frame.columns().iter().zip(record.iter()) {
                if let Ok(texts) = column.str() {
                    assert_eq!(texts.get(row).unwrap_or_default(), field);
                }
            }
        }
    }
}

#[test]
fn a_name_that_comes_twice_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (frame, notes) = read_with_notes(&file(&folder, "twice.csv", "text,id,id\na,1,2\n"));
    assert_eq!(frame.get_column_names(), ["text", "id", "id_duplicated_0"]);
    assert!(notes.contains("`id`") && notes.contains("`id_duplicated_0`"), "{notes}");
}
