//! How reliable the topics are, on a terminal.

use topicframe::FittedTopicModel;
use topicframe::error::{Error, ErrorKind, Result, Stage};
use topicframe::polars::prelude::{DataFrame, DataType, PolarsError};
use topicframe::progress::printable;

/// The quality of all topics in one line, what speaks against them, and one line for each topic in doubt.
pub fn lines(topics: &FittedTopicModel) -> Result<String> {
    let all = topics.quality()?;
    let mut lines = format!("\nQuality: {}\n", of_row(&all, 0)?);
    if let Some(caution) = texts(&all, "Caution")?.into_iter().flatten().next() {
        lines.push_str(&format!("Caution: {caution}.\n"));
    }
    let each = topics.topic_quality()?;
    let cautions = texts(&each, "Caution")?;
    let doubted = cautions.iter().flatten().count();
    if doubted == 0 {
        return Ok(lines);
    }
    lines.push_str(&format!("In doubt: {doubted} of {} topics\n", cautions.len()));
    let ids = each.column("Topic").and_then(|ids| ids.i32().cloned()).map_err(unexpected)?;
    for (row, caution) in cautions.iter().enumerate() {
        let (Some(id), Some(caution)) = (ids.get(row), caution) else { continue };
        let words = topics.get_topic(id).unwrap_or_default();
        let words: Vec<&str> = words.iter().take(5).map(|(word, _)| word.as_str()).collect();
        lines.push_str(&printable(&format!("{id:>5}  {}: {caution}", words.join(", "))));
        lines.push('\n');
    }
    Ok(lines)
}

/// The known measures in a `row` of `frame`: `NPMI 0.110, Diversity 0.850`.
fn of_row(frame: &DataFrame, row: usize) -> Result<String> {
    let measures = frame.columns().iter().filter(|column| *column.dtype() == DataType::Float64);
    let mut known = Vec::new();
    for column in measures {
        if let Some(value) = column.f64().map_err(unexpected)?.get(row) {
            known.push(format!("{} {value:.3}", column.name()));
        }
    }
    Ok(known.join(", "))
}

fn texts(frame: &DataFrame, column: &str) -> Result<Vec<Option<String>>> {
    let texts = frame.column(column).and_then(|texts| texts.str().cloned()).map_err(unexpected)?;
    Ok(texts.iter().map(|text| text.map(str::to_owned)).collect())
}

fn unexpected(cause: PolarsError) -> Error {
    Error::new(ErrorKind::InvalidData, Stage::Display, "the quality of the topics cannot be shown").with_cause(cause)
}
