//! A result that is a table: printed, and written to a file if one is named.

use std::path::{Path, PathBuf};

use clap::Args;
use topicframe::error::{Error, ErrorKind, Result, Stage};
use topicframe::files::{check_writable_frame, write_frame};
use topicframe::polars::prelude::{AnyValue, Column, DataFrame};
use topicframe::progress::{Progress, printable};

use crate::{outputs, table};

/// The number of rows that are printed.
const MOST_ROWS: usize = 50;

/// Columns with probabilities, and the least that is printed as it is.
const PROBABILITIES: [&str; 2] = ["P_value", "Q_value"];
const LEAST_PROBABILITY: f64 = 0.001;

/// The width that columns of texts keep, also where lines become too long.
const NARROWEST: usize = 12;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Outputs")]
pub struct ResultTable {
    /// Also write the table here, all of its rows (.csv, .tsv, .json, .ndjson, .parquet, .arrow).
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl ResultTable {
    /// Reports a file that cannot be written, or that is in the folder of the model, before any work.
    pub fn check(&self, model: &Path) -> Result<()> {
        let Some(path) = &self.out else { return Ok(()) };
        outputs::check_beside(path, model)?;
        check_writable_frame(path)
    }

    /// Writes `frame` and prints some of its columns, in this order.
    pub fn tell_columns(&self, frame: &DataFrame, columns: &[&str], progress: &Progress) -> Result<()> {
        let columns = columns.iter().filter_map(|name| frame.column(name).ok().cloned()).collect();
        let shown = DataFrame::new(frame.height(), columns).map_err(|cause| {
            Error::new(ErrorKind::Internal, Stage::Display, "the table cannot be printed").with_cause(cause)
        })?;
        let mut printed = text(&shown, table::width(120));
        let others = frame.width() - shown.width();
        if others > 0 && self.out.is_none() {
            printed.push_str(&format!("--out FILE writes {} as well\n", table::counted(others, "more column")));
        }
        self.tell_as(&printed, frame, progress)
    }

    /// Writes and prints `frame`.
    pub fn tell(&self, frame: &DataFrame, progress: &Progress) -> Result<()> {
        self.tell_as(&text(frame, table::width(120)), frame, progress)
    }

    /// Writes `frame` and prints `text`.
    pub fn tell_as(&self, text: &str, frame: &DataFrame, progress: &Progress) -> Result<()> {
        let out = self.out.as_ref();
        let written = out.map(|path| write_frame(&outputs::writable(frame, path, progress), path).map(|()| path));
        table::print(text).map_err(|error| {
            Error::new(ErrorKind::Io, Stage::Display, "the table cannot be printed").with_cause(error)
        })?;
        if let Some(path) = written.transpose()? {
            table::report_line(&format!("wrote {:<9}  {}", "table", path.display()));
        }
        Ok(())
    }
}

/// The first rows of `frame` in aligned columns, with lines of at most `width` characters: texts are cut, the longest
/// first, as far as there is something to cut.
fn text(frame: &DataFrame, width: usize) -> String {
    let shown = frame.head(Some(MOST_ROWS));
    let columns: Vec<(Vec<String>, bool)> = shown.columns().iter().map(cells).collect();
    let longest = |(cells, _): &(Vec<String>, bool)| cells.iter().map(|cell| cell.chars().count()).max().unwrap_or(0);
    let mut widths: Vec<usize> = columns.iter().map(longest).collect();
    let is_text = |at: &usize| columns.get(*at).is_some_and(|(_, is_number)| !is_number);
    while widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1) > width {
        let widest = (0..widths.len()).filter(is_text).max_by_key(|&at| widths[at]);
        match widest.filter(|&at| widths[at] > NARROWEST) {
            Some(at) => widths[at] -= 1,
            None => break,
        }
    }
    let mut text = String::new();
    for row in 0..=shown.height() {
        let mut line = String::new();
        for (at, ((cells, is_number), &width)) in columns.iter().zip(&widths).enumerate() {
            let cell = shortened(cells.get(row).map_or("", String::as_str), width);
            let gap = if at == 0 { "" } else { "  " };
            line.push_str(gap);
            match is_number {
                true => line.push_str(&format!("{cell:>width$}")),
                false => line.push_str(&format!("{cell:<width$}")),
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    let more = frame.height().saturating_sub(shown.height());
    if more > 0 {
        text.push_str(&format!("… {}: --out FILE writes all of them\n", table::counted(more, "more row")));
    }
    text
}

/// A text in at most `width` characters.
fn shortened(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end_matches([' ', ',']))
}

/// The name and the values of a column, and whether it has numbers.
fn cells(column: &Column) -> (Vec<String>, bool) {
    let is_probability = PROBABILITIES.contains(&column.name().as_str());
    let text = |value: AnyValue<'_>| match value.extract::<f64>() {
        Some(p) if is_probability && p < LEAST_PROBABILITY => format!("<{LEAST_PROBABILITY}"),
        _ => cell(&value),
    };
    let values = (0..column.len()).map(|row| column.get(row).map_or(String::new(), text));
    let cells = std::iter::once(column.name().to_string()).chain(values);
    let cells = cells.map(|cell| printable(&cell).replace('\n', " ")).collect();
    (cells, column.dtype().is_primitive_numeric())
}

fn cell(value: &AnyValue<'_>) -> String {
    match value {
        AnyValue::Null => String::new(),
        AnyValue::Float32(x) => float(f64::from(*x)),
        AnyValue::Float64(x) => float(*x),
        AnyValue::List(values) => values.iter().map(|value| cell(&value)).collect::<Vec<_>>().join(", "),
        value => value.str_value().into_owned(),
    }
}

/// A number with three decimals, or if these would all be zeros, with two digits and a power of ten.
fn float(x: f64) -> String {
    match x != 0.0 && x.abs() < 0.0005 {
        true => format!("{x:.1e}"),
        // Zero has no sign.
        false => format!("{:.3}", x + 0.0),
    }
}

#[cfg(test)]
mod tests {
    use topicframe::polars::prelude::*;

    use super::{MOST_ROWS, text};

    #[test]
    fn columns_are_aligned() {
        let frame = df!("Topic" => [0, 12], "Name" => [Some("a\nb"), None], "Share" => [0.25, 1.0]).unwrap();
        assert_eq!(text(&frame, 80), "Topic  Name  Share\n    0  a b   0.250\n   12        1.000\n");
        let long = df!("n" => (0..MOST_ROWS as i64 + 3).collect::<Vec<_>>()).unwrap();
        assert!(text(&long, 80).ends_with("… 3 more rows: --out FILE writes all of them\n"));
        assert!(text(&long.head(Some(MOST_ROWS + 1)), 80).ends_with("… 1 more row: --out FILE writes all of them\n"));
        assert_eq!(text(&DataFrame::empty(), 80), "\n");
        // What is cut are texts; numbers stay.
        let wide = df!("Words" => ["one, two, three, four, five"], "Name" => ["0_one"], "Share" => [0.5]).unwrap();
        let cut = format!("{:<16}  Name   Share\n{:<16}  0_one  0.500\n", "Words", "one, two, three…");
        assert_eq!(text(&wide, 30), cut);
        assert!(text(&wide, 5).contains("0.500"));
    }

    #[test]
    fn tiny_numbers_are_not_zeros() {
        let numbers = [Some(1e-30), Some(0.00099), Some(0.001), Some(0.2), None];
        let frame = df!("P_value" => numbers, "Change" => [Some(-0.0), Some(-1.26e-5), Some(0.0005), Some(-0.1), None]);
        let lines =
            ["P_value   Change", " <0.001    0.000", " <0.001  -1.3e-5", "  0.001    0.001", "  0.200   -0.100", ""];
        assert_eq!(text(&frame.unwrap(), 80), lines.join("\n") + "\n");
    }
}
