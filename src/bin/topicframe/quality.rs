//! How reliable the topics are, on a terminal.

use topicframe::FittedTopicModel;
use topicframe::error::{Error, ErrorKind, Result, Stage};
use topicframe::polars::prelude::{DataFrame, PolarsError};
use topicframe::progress::printable;

/// The quality of all topics in one line, and one for each of the weakest: the tenth with the highest ranks, of four
/// topics or more.
pub fn lines(topics: &FittedTopicModel) -> Result<String> {
    let all = topics.quality()?;
    let mut lines = format!("\nQuality: {}\n", of_row(&all, 0, 1)?);
    let each = topics.topic_quality()?;
    let ranks = each.column("Trust_rank").and_then(|ranks| ranks.i64().cloned()).map_err(unexpected)?;
    let mut ranked: Vec<(i64, usize)> = ranks.iter().enumerate().filter_map(|(row, rank)| Some((rank?, row))).collect();
    ranked.sort_unstable_by(|a, b| b.cmp(a));
    if ranked.len() < 4 {
        return Ok(lines);
    }
    lines.push_str("Least reliable topics:\n");
    let ids = each.column("Topic").and_then(|ids| ids.i32().cloned()).map_err(unexpected)?;
    for &(_, row) in ranked.iter().take(ranked.len().div_ceil(10)) {
        let Some(id) = ids.get(row) else { continue };
        let words = topics.get_topic(id).unwrap_or_default();
        let words: Vec<&str> = words.iter().take(5).map(|(word, _)| word.as_str()).collect();
        lines.push_str(&printable(&format!("{id:>5}  {}  {}", of_row(&each, row, 3)?, words.join(", "))));
        lines.push('\n');
    }
    Ok(lines)
}

/// The known numbers of `row` in the columns of `frame` from `first` on, without the rank: `NPMI 0.11, Diversity 0.85`.
fn of_row(frame: &DataFrame, row: usize, first: usize) -> Result<String> {
    let numbers = frame.columns().iter().skip(first).filter(|column| column.name() != "Trust_rank");
    let mut known = Vec::new();
    for column in numbers {
        if let Some(value) = column.f64().map_err(unexpected)?.get(row) {
            known.push(format!("{} {value:.3}", column.name()));
        }
    }
    Ok(known.join(", "))
}

fn unexpected(cause: PolarsError) -> Error {
    Error::new(ErrorKind::InvalidData, Stage::Display, "the quality of the topics cannot be shown").with_cause(cause)
}
