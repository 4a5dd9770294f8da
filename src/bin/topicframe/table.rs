//! The topic table on a terminal.

use std::io::{self, ErrorKind, IsTerminal, Write};

use topicframe::FittedTopicModel;
use topicframe::progress::printable;

/// `1 row`, `7 rows`.
pub fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// The topics with their counts and words, one per line, truncated to the terminal width.
pub fn topics(topics: &FittedTopicModel) -> String {
    let width = width(120);
    let mut table = format!("{:>5}  {:>6}  Words\n", "Topic", "Count");
    for id in topics.topic_ids() {
        let line = format!("{id:>5}  {:>6}  {}", topics.topic_size(id).unwrap_or(0), words(topics, id));
        table.push_str(&cut(&printable(&line), width));
        table.push('\n');
    }
    table
}

/// The words of a topic, after its label, if it was given one.
pub fn words(topics: &FittedTopicModel, id: i32) -> String {
    let words = topics.get_topic(id).unwrap_or_default();
    let words = words.iter().map(|(word, _)| word.as_str()).collect::<Vec<_>>().join(", ");
    match topics.custom_labels().get(&id) {
        Some(label) => format!("{label}: {words}"),
        None => words,
    }
}

/// Prints `text`. A closed pipe is not an error.
pub fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// Prints a line to standard error; failures are ignored, because there is nowhere to report them.
pub fn report_line(line: &str) {
    let _ = writeln!(io::stderr(), "{}", printable(line));
}

/// The width of the terminal in characters; `otherwise`, if the output goes elsewhere.
pub fn width(otherwise: usize) -> usize {
    match io::stdout().is_terminal() {
        true => console::Term::stdout().size().1.into(),
        false => otherwise,
    }
}

/// `line` in at most `width` characters, cut between words.
pub fn cut(line: &str, width: usize) -> String {
    if line.chars().count() <= width {
        return line.to_owned();
    }
    let kept: String = line.chars().take(width.saturating_sub(1)).collect();
    // Cut only between words.
    let end = kept.rfind(", ").unwrap_or(kept.len());
    format!("{}, …", &kept[..end])
}
