//! Outputs that are interrupted, that cannot be completed, or one of which fails.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use topicframe::files::{check_writable, copy_whole, read_frame, write_frame, write_whole};
use topicframe::polars::prelude::*;

use crate::corpora::{captions, frame};
use crate::signals::{end, with_default_signals};

fn topicframe(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_topicframe"));
    command.current_dir(folder).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Files that are being written.
fn under_way(folder: &Path) -> Vec<PathBuf> {
    let names = names(folder).into_iter().filter(|name| name.starts_with(".topicframe-"));
    names.map(|name| folder.join(name)).collect()
}

/// A mode in the format of `chmod`.
fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Rows that are already embedded, each with incompressible bytes: most of the fit is spent writing them.
fn heavy(rows: usize, bytes: usize) -> DataFrame {
    let mut state = 1_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    let payload: Vec<Vec<u8>> = (0..rows).map(|_| (0..bytes).map(|_| random()).collect()).collect();
    let payload = Column::new("payload".into(), payload.iter().map(Vec::as_slice).collect::<Vec<&[u8]>>());
    let vectors: Vec<Series> =
        (0..rows).map(|i| Series::new("".into(), [(i % 3) as f32, (i % 2) as f32 * 0.1, i as f32 * 0.001])).collect();
    DataFrame::new(rows, vec![Column::new("caption".into(), captions(rows)), Column::new("v".into(), vectors), payload])
        .unwrap()
}

const HEAVY: [&str; 8] = ["fit", "in.arrow", "--text", "caption", "--embeddings", "v", "--documents", "d.arrow"];

/// Starts a fit and waits until it writes the documents.
fn writing(folder: &Path, mut command: Command) -> Child {
    let mut child = command.stdout(Stdio::null()).spawn().unwrap();
    let started = Instant::now();
    let begun = |path: &PathBuf| fs::metadata(path).is_ok_and(|data| data.len() > 100_000);
    while !under_way(folder).iter().any(begun) {
        assert!(started.elapsed() < Duration::from_secs(60), "nothing was written");
        assert!(child.try_wait().unwrap().is_none(), "it finished too quickly to be observed");
    }
    child
}

#[test]
fn a_signal_while_an_output_is_written_leaves_the_old_file_and_nothing_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_frame(&heavy(60, 4_000_000), here.join("in.arrow")).unwrap();
    fs::write(here.join("d.arrow"), "old").unwrap();
    fs::set_permissions(here.join("d.arrow"), fs::Permissions::from_mode(0o664)).unwrap();
    for (name, number) in [("INT", 2), ("TERM", 15), ("HUP", 1), ("QUIT", 3)] {
        let mut command = topicframe(here, &HEAVY);
        with_default_signals(&mut command);
        let mut child = writing(here, command);
        let modes: Vec<u32> = under_way(here).iter().map(|path| mode(path)).collect();
        let status = end(&mut child, name, Duration::from_secs(5));
        assert_eq!(status.signal(), Some(number), "it is terminated by the signal");
        assert_eq!(modes, [0o600], "nobody else can read what is being written");
        assert_eq!(names(here), ["d.arrow", "in.arrow"], "{name}");
        assert_eq!(fs::read_to_string(here.join("d.arrow")).unwrap(), "old");
    }
    // A killed process cannot clean up; the next run does.
    let mut child = writing(here, topicframe(here, &HEAVY));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(under_way(here).len(), 1);
    assert_eq!(fs::read_to_string(here.join("d.arrow")).unwrap(), "old");
    let output = topicframe(here, &HEAVY).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(names(here), ["d.arrow", "in.arrow"]);
    assert_eq!(read_frame(here.join("d.arrow")).unwrap().height(), 60);
    assert_eq!(mode(&here.join("d.arrow")), 0o664, "the permissions of the previous file");
}

/// `nohup` requires the command to continue.
#[test]
fn a_signal_that_is_ignored_from_outside_stays_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_frame(&heavy(60, 2_000_000), here.join("in.arrow")).unwrap();
    let mut command = Command::new("sh");
    command.current_dir(here).args(["-c", "trap '' HUP; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_topicframe")]);
    command.args(HEAVY).stderr(Stdio::null());
    let mut child = writing(here, command);
    assert!(Command::new("kill").args(["-HUP", &child.id().to_string()]).status().unwrap().success());
    assert!(child.wait().unwrap().success());
    assert_eq!(names(here), ["d.arrow", "in.arrow"]);
}

fn numbers(first: i64) -> DataFrame {
    let numbers: Vec<i64> = (0..400_000).map(|i| first + i).collect();
    df!("a" => &numbers, "b" => &numbers, "c" => &numbers).unwrap()
}

/// Not a test by itself: another test starts it and kills it.
#[test]
#[ignore = "a helper process for another test"]
fn writes_until_it_is_killed() {
    let Some(path) = std::env::var_os("TOPICFRAME_WRITE_HERE") else { return };
    let frames = [numbers(0), numbers(1)];
    for frame in frames.iter().cycle() {
        write_frame(frame, &path).unwrap();
    }
}

#[test]
fn killed_at_any_moment_the_file_is_whole_and_the_next_write_cleans_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.arrow");
    write_frame(&numbers(0), &path).unwrap();
    let mut seen = [0, 0];
    let mut left = 0;
    for round in 0..25 {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "writing::writes_until_it_is_killed", "--ignored"])
            .env("TOPICFRAME_WRITE_HERE", &path);
        let mut child = command.stdout(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(40 + 7 * round));
        // The files of a running process must not be removed by others.
        check_writable(folder.path().join("other")).unwrap();
        assert!(child.try_wait().unwrap().is_none(), "the writer has failed");
        child.kill().unwrap();
        child.wait().unwrap();
        let first = read_frame(&path).unwrap().column("c").unwrap().i64().unwrap().get(0).unwrap();
        seen[first as usize] += 1;
        assert!(read_frame(&path).unwrap().equals(&numbers(first)), "half a file");
        left += under_way(folder.path()).len();
        write_whole(folder.path().join("next"), "x").unwrap();
        assert_eq!(names(folder.path()), ["f.arrow", "next"]);
    }
    assert!(left > 5, "of 25 kills, some came while a file was written: {left}, {seen:?}");
}

#[test]
fn only_what_killed_writes_have_left_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let own = [
        ".topicframe-1-2.part.txt",
        ".topicframe-1.part",
        ".topicframe-x-1.part",
        ".topicframe-1-2-3.part",
        ".topicframe--.part",
        ".topicframe-1-2.tmp",
        "topicframe-1-2.part",
        ".topicframe-+1-2.part",
    ];
    own.iter().for_each(|name| fs::write(here.join(name), "mine").unwrap());
    fs::create_dir(here.join(".topicframe-3-3.part")).unwrap();
    std::os::unix::fs::symlink(here.join(own[0]), here.join(".topicframe-4-4.part")).unwrap();
    assert!(Command::new("mkfifo").arg(here.join(".topicframe-5-5.part")).status().unwrap().success());
    let locked = fs::File::create(here.join(".topicframe-6-6.part")).unwrap();
    locked.lock().unwrap();
    for left in [".topicframe-7-0.part", ".topicframe-4000000000-18446744073709551615.part"] {
        fs::write(here.join(left), "left").unwrap();
    }
    fs::write(here.join(".topicframe-8-1.part"), "left").unwrap();
    fs::set_permissions(here.join(".topicframe-8-1.part"), fs::Permissions::from_mode(0o444)).unwrap();
    write_whole(here.join("f"), "x").unwrap();
    let mut expected: Vec<String> = own.iter().map(|name| (*name).to_owned()).collect();
    expected.extend([3, 4, 5, 6].map(|n| format!(".topicframe-{n}-{n}.part")));
    expected.push("f".to_owned());
    expected.sort();
    assert_eq!(names(here), expected);
    drop(locked);
    check_writable(here.join("g")).unwrap();
    assert!(!here.join(".topicframe-6-6.part").exists(), "its process no longer exists");
}

#[test]
fn a_new_file_has_the_permissions_that_any_new_file_has() {
    let folder = tempfile::tempdir().unwrap();
    let (other, ours) = (folder.path().join("other"), folder.path().join("ours"));
    fs::write(&other, "x").unwrap();
    write_whole(&ours, "x").unwrap();
    assert_eq!(mode(&ours), mode(&other));
    for wanted in [0o600, 0o640, 0o666, 0o400] {
        fs::set_permissions(&other, fs::Permissions::from_mode(wanted)).unwrap();
        let copy = folder.path().join("copy");
        copy_whole(&other, &copy).unwrap();
        assert_eq!(mode(&copy), wanted);
        if fs::OpenOptions::new().append(true).open(&other).is_ok() {
            write_whole(&other, "y").unwrap();
            assert_eq!((mode(&other), fs::read_to_string(&other).unwrap().as_str()), (wanted, "y"));
        }
    }
    for umask in ["077", "027", "002"] {
        write_frame(&frame(40), folder.path().join("in.csv")).unwrap();
        let mut command = Command::new("sh");
        command.current_dir(folder.path()).args(["-c", &format!("umask {umask}; touch a; exec \"$@\""), "sh"]);
        command.arg(env!("CARGO_BIN_EXE_topicframe")).args("fit in.csv --text caption --topics t.csv".split(' '));
        assert!(command.output().unwrap().status.success());
        assert_eq!(mode(&folder.path().join("t.csv")), mode(&folder.path().join("a")), "umask {umask}");
        fs::remove_file(folder.path().join("t.csv")).unwrap();
        fs::remove_file(folder.path().join("a")).unwrap();
    }
}

/// The command under a limit set by `ulimit`.
fn limited(folder: &Path, limit: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new("sh");
    command.current_dir(folder).args(["-c", &format!("ulimit {limit}; exec \"$@\""), "sh"]);
    command.arg(env!("CARGO_BIN_EXE_topicframe")).args(arguments).output().unwrap()
}

#[test]
fn one_output_that_fails_is_told_and_the_others_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_frame(&heavy(60, 400_000), here.join("in.arrow")).unwrap();
    fs::write(here.join("d.arrow"), "old").unwrap();
    let arguments: Vec<&str> = HEAVY.into_iter().chain(["--topics", "t.csv", "--report", "p.html"]).collect();
    // Files are limited to a few megabytes, as on a full disk.
    let output = limited(here, "-f 8192", &arguments);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("d.arrow") && said.contains("left unchanged") && said.contains("large"), "{said}");
    let last = said.lines().last().unwrap();
    assert!(last.contains("1 of 3 outputs") && last.contains("t.csv") && last.contains("p.html"), "{said}");
    assert!(!last.contains("d.arrow") && said.matches("error: ").count() == 2, "{said}");
    assert!(String::from_utf8(output.stdout).unwrap().contains("Words"), "the table is printed");
    assert_eq!(names(here), ["d.arrow", "in.arrow", "p.html", "t.csv"]);
    assert_eq!(fs::read_to_string(here.join("d.arrow")).unwrap(), "old");
    assert!(
        read_frame(here.join("t.csv")).unwrap().height() > 0 && fs::metadata(here.join("p.html")).unwrap().size() > 0
    );

    // If nothing can be written, nothing is.
    let output =
        limited(here, "-f 0", &["fit", "in.arrow", "--text", "caption", "--embeddings", "v", "--topics", "n.csv"]);
    let said = stderr(&output);
    assert!(
        !output.status.success() && said.contains("1 of 1 outputs") && said.contains("nothing was written"),
        "{said}"
    );
    assert_eq!(names(here), ["d.arrow", "in.arrow", "p.html", "t.csv"]);

    // A failed fit writes nothing.
    let output = topicframe(here, &["fit", "in.arrow", "--text", "payload", "--topics", "n.csv"]).output().unwrap();
    assert!(!output.status.success() && !here.join("n.csv").exists());
}

#[test]
fn a_device_without_effect_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_frame(&heavy(60, 1), here.join("in.arrow")).unwrap();
    let run = |more: &[&str]| {
        let arguments: Vec<&str> = ["fit", "in.arrow", "--text", "caption"].iter().chain(more).copied().collect();
        let output = topicframe(here, &arguments).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        stderr(&output)
    };
    assert!(run(&["--device", "cuda"]).contains("--device cuda:0 has no effect"));
    assert!(run(&["--device", "cuda:3", "--embeddings", "v"]).contains("--device cuda:3 has no effect"));
    assert!(!run(&["--device", "cpu"]).contains("no effect") && !run(&[]).contains("no effect"));
}

#[cfg(target_os = "linux")]
#[test]
fn too_little_memory_for_the_vectors_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let rows = 6_000_000;
    write_frame(&df!("t" => vec!["a cat"; rows]).unwrap(), here.join("in.arrow")).unwrap();
    let output = limited(here, "-v 2500000", &["fit", "in.arrow", "--text", "t"]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("need 3.1 GB of memory") && said.contains("6000000"), "{said}");

    // A column that would exceed any memory if it were padded.
    let mut builder = ListPrimitiveChunkedBuilder::<Float32Type>::new("v".into(), 5_000, 3_000_000, DataType::Float32);
    builder.append_slice(&vec![0.5; 3_000_000]);
    (1..5_000).for_each(|_| builder.append_null());
    let column = builder.finish().into_series().into_column();
    let frame = DataFrame::new(5_000, vec![Column::new("t".into(), vec!["a cat"; 5_000]), column]).unwrap();
    write_frame(&frame, here.join("wide.arrow")).unwrap();
    let output = limited(here, "-v 2500000", &["fit", "wide.arrow", "--text", "t", "--embeddings", "v"]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("need 60.0 GB of memory"), "{said}");
}
