//! Progress lines in a notebook: few, complete, and harmless.

use std::io::{self, Write};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::Duration;

use topicframe::error::Stage;
use topicframe::polars::prelude::*;
use topicframe::prelude::*;
use topicframe::progress::Lines;

use crate::colors::{EyeAndEar, png, texts};

/// Captures the output.
#[derive(Debug, Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Page {
    /// Progress that is written here.
    fn progress(&self) -> Progress {
        Progress::to(Arc::new(Lines::notebook_to(Box::new(self.clone()))))
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn lines(&self) -> Vec<String> {
        self.text().lines().map(str::to_owned).collect()
    }
}

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Work of `steps` tenths of a second, one unit each.
fn work(progress: &Progress, name: &str, steps: usize, total: usize) {
    let task = progress.task(Stage::Embed, name, total);
    for _ in 0..steps {
        sleep(Duration::from_millis(100));
        task.advance(1);
    }
}

#[test]
fn short_work_says_nothing() {
    let page = Page::default();
    work(&page.progress(), "texts", 12, 100);
    let many = page.progress().task(Stage::Reduce, "epochs", 100_000);
    (0..100_000).for_each(|_| many.advance(1));
    drop(many);
    assert_eq!(page.text(), "");
}

#[test]
fn longer_work_tells_share_rate_and_time_left_in_few_lines() {
    let page = Page::default();
    work(&page.progress(), "texts", 46, 50);
    let lines = page.lines();
    assert!((2..=3).contains(&lines.len()), "one per two seconds, and the last: {lines:?}");
    let (last, running) = lines.split_last().unwrap();
    for line in running {
        let inside = line.strip_prefix("embed: texts ").unwrap_or_else(|| panic!("{line}"));
        let (share, rest) = inside.split_once("% (").unwrap();
        let (done, rest) = rest.split_once(" of 50, ").unwrap();
        let (share, done) = (share.parse::<u32>().unwrap(), done.parse::<u32>().unwrap());
        assert!(share == 2 * done && (10..46).contains(&done), "{line}");
        let (rate, left) = rest.split_once("/s, ").unwrap();
        let rate: f64 = rate.parse().unwrap();
        assert!((3.0..=10.0).contains(&rate), "{line}");
        let left: f64 = left.strip_suffix(" s left)").unwrap().parse().unwrap();
        assert!((left - f64::from(50 - done) / rate).abs() < 0.6, "{line}");
    }
    let seconds = last.strip_prefix("embed: texts done in ").and_then(|rest| rest.strip_suffix(" s")).unwrap();
    assert!((4.5..15.0).contains(&seconds.parse::<f64>().unwrap()), "{last}");
    assert!(page.text().ends_with('\n'), "whole lines");
}

#[test]
fn work_of_unknown_length_tells_how_far_it_is() {
    let page = Page::default();
    work(&page.progress(), "rows", 23, 0);
    let lines = page.lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("embed: rows ") && lines[0].contains(" so far, ") && lines[0].contains("/s"));
    assert!(!lines[0].contains('%') && !lines[0].contains("left") && !lines[0].contains("of 0"), "{}", lines[0]);
    assert!(lines[1].starts_with("embed: rows done in "), "{}", lines[1]);
}

#[test]
fn notes_are_told_at_once_and_drive_no_terminal() {
    let page = Page::default();
    let progress = page.progress();
    let task = progress.task(Stage::Input, "rows", 10);
    progress.note(Stage::Input, "2 rows have no text");
    assert_eq!(page.text(), "input: 2 rows have no text\n", "immediately, not only at the end of the work");
    progress.note(Stage::Input, "again");
    progress.note(Stage::Input, "\u{1b}[31mred\u{7}\r\u{202e}turned\u{2066}");
    drop(task);
    let lines = page.lines();
    assert_eq!(lines[1..], ["input: again", "input: \u{FFFD}[31mred\u{FFFD}\u{FFFD}\u{FFFD}turned\u{FFFD}"]);
}

/// evcxr scans the standard output of its cells for lines that begin a block of HTML.
#[test]
fn notes_are_no_words_of_the_notebooks_protocol() {
    let page = Page::default();
    let path =
        "a\nEVCXR_BEGIN_CONTENT text/html\n<script>alert(1)</script>\nEVCXR_END_CONTENT\nEVCXR_EXECUTION_COMPLETE\n";
    page.progress().note(Stage::Embed, format!("1 image cannot be read: {path}"));
    assert!(!page.text().contains("EVCXR_"), "{}", page.text());
    assert!(page.text().contains("1 image cannot be read: a"), "{}", page.text());
}

#[test]
fn a_page_that_cannot_be_written_stops_no_work() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::other("full"))
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::Error::other("full"))
        }
    }
    let progress = Progress::to(Arc::new(Lines::notebook_to(Box::new(Full))));
    progress.note(Stage::Input, "nobody hears this");
    assert!(progress.task(Stage::Input, "rows", 1).finish().is_ok());
}

/// Fits in a separate process, started by the tests below. The images of a topic are missing and have names that evcxr
/// would treat as the beginning of a block.
#[test]
fn fitter() {
    let Ok(how) = std::env::var("TOPICFRAME_TEST_PRINTS") else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut names = Vec::new();
    for row in 0..30 {
        let spoof = if row % 3 == 0 { "spoof\nEVCXR_BEGIN_CONTENT text/html\n<script>alert(1)</script>\n" } else { "" };
        names.push(format!("{spoof}{row}.png"));
        if spoof.is_empty() {
            std::fs::write(folder.path().join(&names[row]), png(row % 3, row)).unwrap();
        }
    }
    println!();
    let model = TopicModel::text("text", EyeAndEar).with_images("image").image_folder(folder.path());
    let model = model.reducer(NoReduction).clusterer(KMeans::new(3));
    let model = model.representation("Visual_Aspect", VisualRepresentation::new());
    let model = match how.as_str() {
        "default" => model,
        "quiet" => model.verbose(false),
        _ => model.verbose(true),
    };
    let topics = model.fit(&df!("text" => texts(30), "image" => names).unwrap()).unwrap();
    assert_eq!(topics.summary().topics, 3);
}

/// The standard output and standard error of a fit with unreadable images.
fn said(how: &str, in_notebook: bool) -> (String, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["progress_lines::fitter", "--exact", "--nocapture", "--test-threads=1"]);
    command.env("TOPICFRAME_TEST_PRINTS", how).env_remove("EVCXR_IS_RUNTIME");
    if in_notebook {
        command.env("EVCXR_IS_RUNTIME", "1");
    }
    let output = command.output().unwrap();
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{out}\n{err}");
    (out, err)
}

const NOTE: &str = "could not be read";

#[test]
fn in_a_notebook_a_model_that_was_told_nothing_notes_below_the_cell() {
    let (out, err) = said("default", true);
    assert!(out.contains(NOTE), "{out}");
    assert!(!err.contains(NOTE), "standard error below a cell looks like a failure: {err}");
    let (out, err) = said("loud", true);
    assert!(out.contains(NOTE) && !err.contains(NOTE), "{out}\n{err}");
}

#[test]
fn in_a_notebook_a_models_note_opens_no_block_of_html() {
    let (out, _) = said("default", true);
    assert!(out.contains(NOTE) && out.contains("spoof") && !out.contains("EVCXR_"), "{out}");
}

#[test]
fn a_model_that_was_told_to_be_quiet_is_quiet_everywhere() {
    for in_notebook in [true, false] {
        let (out, err) = said("quiet", in_notebook);
        assert!(!out.contains(NOTE) && !err.contains(NOTE), "{out}\n{err}");
    }
}

#[test]
fn outside_of_a_notebook_a_model_is_silent_unless_told_otherwise() {
    let (out, err) = said("default", false);
    assert!(!out.contains(NOTE) && !err.contains(NOTE), "{out}\n{err}");
    let (out, err) = said("loud", false);
    assert!(!out.contains(NOTE) && err.contains(NOTE), "standard output belongs to the program: {out}\n{err}");
}
