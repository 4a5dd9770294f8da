//! The command as typed by a user.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use topicframe::files::{read_frame, write_frame};
use topicframe::polars::prelude::*;

use crate::corpora::{captions, frame, frame_with_images};

fn topicframe(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_topicframe")).current_dir(folder).args(arguments).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn refused(folder: &Path, arguments: &[&str]) -> String {
    let output = topicframe(folder, arguments);
    assert!(!output.status.success(), "{arguments:?} was accepted");
    let said = stderr(&output);
    assert!(!said.contains("panicked"), "{said}");
    said
}

#[test]
fn captions_and_pictures_in_topics_tables_and_a_page_out() {
    let folder = tempfile::tempdir().unwrap();
    let pictures = folder.path().join("data");
    fs::create_dir(&pictures).unwrap();
    write_frame(&frame_with_images(90, &pictures), pictures.join("posts.csv")).unwrap();
    let arguments = "fit data/posts.csv --text caption --images image --topics topics.parquet --documents posts.parquet \
                     --report page.html --seed 3";
    let output = topicframe(folder.path(), &arguments.split_whitespace().collect::<Vec<_>>());
    assert!(output.status.success(), "{}", stderr(&output));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("Topic") && said.contains("fruit"), "{said}");

    let topics = read_frame(folder.path().join("topics.parquet")).unwrap();
    assert_eq!(topics.column("Count").unwrap().i64().unwrap().sum(), Some(90));
    assert_eq!(topics.column("Visual_Aspect").unwrap().dtype(), &DataType::Binary);
    assert_eq!(topics.column("Visual_Aspect").unwrap().null_count(), 0);
    let posts = read_frame(folder.path().join("posts.parquet")).unwrap();
    assert_eq!(posts.get_column_names(), ["caption", "image", "embedding", "Topic", "Probability", "Name"]);
    let page = fs::read_to_string(folder.path().join("page.html")).unwrap();
    assert!(page.contains("data:image/") && page.contains("fruit"));
    assert!(!page.contains("http://") && !page.contains("https://"), "the page makes no requests");
}

#[test]
fn quality_is_printed_on_request() {
    let folder = tempfile::tempdir().unwrap();
    write_frame(&frame(90), folder.path().join("posts.csv")).unwrap();
    let said = |arguments: &[&str]| {
        let output = topicframe(folder.path(), arguments);
        assert!(output.status.success(), "{}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let fit = ["fit", "posts.csv", "--text", "caption"];
    let quality = said(&[&fit[..], &["--quality"]].concat());
    let line = quality.lines().find(|line| line.starts_with("Quality: ")).unwrap();
    assert!(line.contains("Outliers 0.") && line.contains("NPMI ") && line.contains("Diversity "), "{line}");
    assert!(!said(&fit).contains("Quality"));
    for (table, has_measures) in [("t.csv", true), ("t.parquet", true), ("plain.csv", false)] {
        let quality: &[&str] = if has_measures { &["--quality"] } else { &[] };
        said(&[&fit[..], &["--topics", table], quality].concat());
        let topics = read_frame(folder.path().join(table)).unwrap();
        for measure in ["Coherence", "Stability", "Margin", "Caution"] {
            assert_eq!(topics.column(measure).is_ok(), has_measures, "{table}: {measure}");
        }
    }
}

#[test]
fn every_kind_of_input_and_output() {
    let folder = tempfile::tempdir().unwrap();
    let mut counts = Vec::new();
    for ending in ["csv", "tsv", "ndjson", "json", "parquet", "arrow"] {
        let (input, topics, documents) = (format!("in.{ending}"), format!("t.{ending}"), format!("d.{ending}"));
        write_frame(&frame(60), folder.path().join(&input)).unwrap();
        let arguments = ["fit", &input, "--text", "caption", "--topics", &topics, "--documents", &documents];
        let output = topicframe(folder.path(), &arguments);
        assert!(output.status.success(), "{ending}: {}", stderr(&output));
        let topics = read_frame(folder.path().join(topics)).unwrap();
        counts.push(topics.column("Count").unwrap().cast(&DataType::Int64).unwrap().i64().unwrap().to_vec());
        assert_eq!(read_frame(folder.path().join(documents)).unwrap().height(), 60, "{ending}");
        assert_eq!(stderr(&output).contains("omits the column"), !["parquet", "arrow"].contains(&ending));
    }
    assert!(counts.windows(2).all(|pair| pair[0] == pair[1]), "{counts:?}");
}

#[test]
fn vectors_from_a_column() {
    let folder = tempfile::tempdir().unwrap();
    let vectors: Vec<Series> =
        (0..60).map(|i| Series::new("".into(), [(i % 3) as f32, (i % 2) as f32 * 0.1, i as f32 * 0.001])).collect();
    let frame = DataFrame::new(60, vec![Column::new("caption".into(), captions(60)), Column::new("v".into(), vectors)]);
    write_frame(&frame.unwrap(), folder.path().join("in.parquet")).unwrap();
    let output = topicframe(folder.path(), &["fit", "in.parquet", "--text", "caption", "--embeddings", "v"]);
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn a_text_column_that_looks_like_numbers_is_text() {
    let folder = tempfile::tempdir().unwrap();
    let rows: String = (0..40).map(|i| format!("{}\n", 1000 + i % 4)).collect();
    fs::write(folder.path().join("in.csv"), format!("code\n{rows}")).unwrap();
    let output = topicframe(folder.path(), &["fit", "in.csv", "--text", "code"]);
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn bad_arguments_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_frame(&frame(40), here.join("in.csv")).unwrap();
    let fit = |more: &[&'static str]| -> Vec<&'static str> {
        ["fit", "in.csv", "--text", "caption"].iter().chain(more).copied().collect()
    };

    assert!(refused(here, &fit(&["--min-size", "3"])).contains("--min-size"));
    assert!(refused(here, &["fit", "in.csv"]).contains("--text"));
    assert!(refused(here, &fit(&["--n-neighbors", "one"])).contains("one"));
    assert!(refused(here, &fit(&["--n-neighbors", "1"])).contains("--n-neighbors 1 cannot"));
    assert!(refused(here, &fit(&["--min-cluster-size", "0"])).contains("--min-cluster-size 0 cannot"));
    for wrong in ["0", "some"] {
        let said = refused(here, &fit(&["--nr-topics", wrong]));
        assert!(said.contains("--nr-topics") && said.contains("at least 1, or auto"), "{said}");
    }
    assert!(refused(here, &fit(&["--embedder", "no/such/model"])).contains("no/such/model"));
    // The settings are checked before a model is loaded, or downloaded.
    let settings =
        [("--n-neighbors", "1"), ("--min-cluster-size", "0"), ("--stop-words", "xx"), ("--image-weight", "2")];
    for (option, value) in settings {
        let said = refused(here, &fit(&["--embedder", "no/such/model", option, value]));
        assert!(said.contains(option) && !said.contains("no/such/model"), "{said}");
    }
    let said = refused(here, &fit(&["--embedder", "no/such/model", "--captioner", "no/such/model"]));
    assert!(said.contains("--images") && !said.contains("no/such/model"), "{said}");
    assert!(refused(here, &fit(&["--image-folder", "x"])).contains("--images"));
    assert!(refused(here, &["fit", "absent.csv", "--text", "caption"]).contains("absent.csv"));
    assert!(refused(here, &["fit", "in.csv", "--text", "text"]).contains("`caption`"));
    assert!(refused(here, &fit(&["--topics", "no/such/folder/t.csv"])).contains("no/such/folder"));
    assert!(refused(here, &fit(&["--topics", "t.docx"])).contains(".parquet"));
    assert!(refused(here, &fit(&["--report", "no/such/folder/p.html"])).contains("no/such/folder"));
    assert!(refused(here, &fit(&["--documents", "in.csv"])).contains("overwrite"));
    fs::hard_link(here.join("in.csv"), here.join("again.csv")).unwrap();
    assert!(refused(here, &fit(&["--documents", "again.csv"])).contains("overwrite"));
    fs::remove_file(here.join("again.csv")).unwrap();
    assert!(refused(here, &fit(&["--documents", "t.csv", "--topics", "./t.csv"])).contains("two outputs"));
    assert!(refused(here, &fit(&["--report", "page.csv"])).contains(".html"));
    assert_eq!(fs::read_to_string(here.join("in.csv")).unwrap().lines().count(), 41, "the input is unchanged");
    let left: Vec<_> = fs::read_dir(here).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["in.csv"], "nothing is left behind");
}

#[test]
fn outputs_are_written_though_nobody_reads_the_table() {
    let folder = tempfile::tempdir().unwrap();
    write_frame(&frame(60), folder.path().join("in.csv")).unwrap();
    let run = |stdout: Stdio| {
        let arguments = ["fit", "in.csv", "--text", "caption", "--topics", "t.csv", "--report", "p.html"];
        let mut command = Command::new(env!("CARGO_BIN_EXE_topicframe"));
        command.current_dir(folder.path()).args(arguments).stdout(stdout).stderr(Stdio::piped());
        let output = command.spawn().unwrap().wait_with_output().unwrap();
        assert!(!stderr(&output).contains("panicked"), "{}", stderr(&output));
        for name in ["t.csv", "p.html"] {
            assert!(fs::metadata(folder.path().join(name)).unwrap().len() > 0);
            fs::remove_file(folder.path().join(name)).unwrap();
        }
        output
    };
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert!(run(writer.into()).status.success(), "a closed pipe is not a failure");
    let full = run(fs::File::create("/dev/full").unwrap().into());
    assert!(!full.status.success() && stderr(&full).contains("cannot be printed"), "{}", stderr(&full));
}

#[test]
fn text_files_leave_out_vectors_and_images_of_any_type() {
    let folder = tempfile::tempdir().unwrap();
    let mut input = frame(60);
    let vectors: Vec<Series> =
        (0..60).map(|i| Series::new("".into(), [(i % 3) as f32, (i % 2) as f32 * 0.1, i as f32 * 0.001])).collect();
    input.with_column(Column::new("v".into(), vectors)).unwrap();
    let bytes = Series::new("bytes".into(), vec![&b"x"[..]; 60]);
    let image = StructChunked::from_series("image".into(), 60, [bytes].iter()).unwrap();
    input.with_column(image.into_series().into_column()).unwrap();
    input
        .with_column(
            Column::new("category\u{1b}".into(), vec![1_i64; 60])
                .cast(&DataType::Duration(TimeUnit::Milliseconds))
                .unwrap(),
        )
        .unwrap();
    write_frame(&input, folder.path().join("in.parquet")).unwrap();
    for ending in ["csv", "tsv", "json", "ndjson"] {
        let name = format!("d\u{1b}\u{202e}.{ending}");
        let arguments = ["fit", "in.parquet", "--text", "caption", "--embeddings", "v", "--documents", &name];
        let output = topicframe(folder.path(), &arguments);
        assert!(output.status.success(), "{}", stderr(&output));
        let lists = if ending.ends_with("json") { "the columns image," } else { "the columns v, image," };
        assert!(
            stderr(&output).contains(lists) && !stderr(&output).contains(['\u{1b}', '\u{202e}']),
            "{}",
            stderr(&output)
        );
        let names = read_frame(folder.path().join(name)).unwrap().get_column_names_owned();
        assert!(!names.iter().any(|name| name == "image"), "{names:?}");
        assert_eq!(names.iter().any(|name| name == "v"), ending.ends_with("json"), "JSON contains lists: {names:?}");
    }
}

#[test]
fn no_topics_is_told_with_what_to_change() {
    let folder = tempfile::tempdir().unwrap();
    write_frame(&frame(60), folder.path().join("in.csv")).unwrap();
    let arguments = ["fit", "in.csv", "--text", "caption", "--min-cluster-size", "28"];
    let output = topicframe(folder.path(), &arguments);
    let said = stderr(&output);
    assert!(
        said.contains("60 rows") && said.contains("--min-cluster-size") && !said.contains("--n-neighbors"),
        "{said}"
    );
}

#[test]
fn without_wide_instructions_the_topics_are_the_same() {
    let folder = tempfile::tempdir().unwrap();
    // Enough rows for the approximate search and for several blocks.
    let captions = captions(9000);
    let pair = |i: usize| format!("{}; {}", captions[i], captions[(7 * i + i / 108) % 9000]);
    let texts: Vec<String> = (0..9000).map(pair).collect();
    write_frame(&df!("caption" => texts).unwrap(), folder.path().join("in.arrow")).unwrap();
    let topics = |portable: &str| {
        let arguments = ["fit", "in.arrow", "--text", "caption", "--documents", "out.parquet"];
        let mut command = Command::new(env!("CARGO_BIN_EXE_topicframe"));
        let output = command.current_dir(folder.path()).args(arguments).env("TOPICFRAME_PORTABLE", portable).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        read_frame(folder.path().join("out.parquet")).unwrap()
    };
    assert!(topics("0").equals(&topics("1")));
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_the_command_at_once_and_leaves_no_half_file() {
    use std::os::unix::process::ExitStatusExt;
    use std::time::Duration;

    use crate::signals::{end, with_default_signals};

    let folder = tempfile::tempdir().unwrap();
    write_frame(&frame(300_000), folder.path().join("in.arrow")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_topicframe"));
    command.current_dir(folder.path()).args(["fit", "in.arrow", "--text", "caption", "--report", "page.html"]);
    with_default_signals(&mut command);
    let mut running = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(700));
    assert!(running.try_wait().unwrap().is_none(), "it must still be running");
    assert_eq!(end(&mut running, "INT", Duration::from_secs(2)).signal(), Some(2));
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["in.arrow"]);
}

#[test]
fn a_file_without_rows_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("in.csv"), "caption,id\n").unwrap();
    let said = stderr(&topicframe(folder.path(), &["fit", "in.csv", "--text", "caption"]));
    assert!(said.contains("no rows") && said.contains("in.csv"), "{said}");
}
