//! Writing frames to delimited files such that our reader returns the same names and strings.

use std::io::Write;

use polars::prelude::*;

use super::dialect::SEPARATORS;

/// Writes `frame`, whose columns are strings, numbers, and Booleans. Fields are quoted if necessary. All names are
/// quoted if one contains a character that could be mistaken for the separator, or if any field of a TSV is quoted, to
/// signal that its quotes are not ordinary characters.
pub(in crate::files) fn write_delimited(
    frame: &mut DataFrame,
    separator: u8,
    file: &mut impl Write,
) -> PolarsResult<()> {
    write_names(frame, separator, separator == b'\t' && has_quotes(frame), file)?;
    CsvWriter::new(file).include_header(false).with_separator(separator).finish(frame)
}

/// Writes the names of the columns. `quoted`: whether all of them are quoted in any case.
pub(in crate::files) fn write_names(
    frame: &DataFrame,
    separator: u8,
    quoted: bool,
    file: &mut impl Write,
) -> PolarsResult<()> {
    let names = frame.get_column_names();
    let misleads = |name: &str| name.bytes().any(|byte| byte != separator && SEPARATORS.contains(&byte));
    let quote_all = quoted
        || match separator {
            b'\t' => names.iter().any(|name| needs_quotes(name)),
            _ => names.iter().any(|name| misleads(name)),
        };
    for (position, name) in names.iter().enumerate() {
        if position > 0 {
            file.write_all(&[separator])?;
        }
        match quote_all || needs_quotes(name) {
            true => write!(file, "\"{}\"", name.replace('"', "\"\""))?,
            false => file.write_all(name.as_bytes())?,
        }
    }
    file.write_all(b"\n")?;
    Ok(())
}

/// Whether a name could be mistaken for several names, for none, or for a marker of the separator or the encoding (our
/// files never begin with NUL, as UTF-16 may).
fn needs_quotes(name: &str) -> bool {
    let marks = |byte: u8| SEPARATORS.contains(&byte) || matches!(byte, b'"' | b'\r' | b'\n');
    name.is_empty()
        || name.bytes().any(marks)
        || name.starts_with(|first| first <= ' ' || first == '\u{feff}')
        || name.starts_with("sep=")
}

/// Whether any string of the frame will be quoted.
fn has_quotes(frame: &DataFrame) -> bool {
    let is_quoted =
        |text: &str| text.is_empty() || text.bytes().any(|byte| matches!(byte, b'\t' | b'"' | b'\r' | b'\n'));
    let mut texts = frame.columns().iter().filter_map(|column| column.str().ok());
    texts.any(|texts| texts.iter().flatten().any(is_quoted))
}
