//! Finding a column, and what may be wrong with it.

use polars::prelude::*;

use super::kind::describe_type;
use crate::error::{Error, ErrorKind, LONGEST_QUOTE, Result, Stage, quoted};

/// Likeness from which a name may be a misspelling of another.
const NEAR: f64 = 0.7;

/// The length of the beginnings of names that are shown and compared.
const MAX_LENGTH: usize = 60;

/// Finds a column; the error suggests the most similar name and lists the columns that exist.
pub(crate) fn find<'a>(frame: &'a DataFrame, name: &str) -> Result<&'a Column> {
    frame.column(name).map_err(|_| {
        let message = format!("there is no column `{}`", quoted(name, LONGEST_QUOTE));
        let error = Error::new(ErrorKind::MissingColumn, Stage::Input, message).with_named_column(name);
        let error = error.with_hint(columns_of(frame, name));
        match (frame.height(), frame.get_column_names().as_slice()) {
            (0, [_, _, ..]) => error.with_further_hint("There are no rows: did the file lose its line endings?"),
            (_, [only]) if only.contains([',', ';', '\t', '|']) => {
                error.with_further_hint("Does the file use a different separator?")
            }
            _ => error,
        }
    })
}

/// Suggests the column of `frame` with a name much like `name`, if there is one, and lists all columns; if there are
/// many, only those with the most similar names.
fn columns_of(frame: &DataFrame, name: &str) -> String {
    const MAX_LISTED: usize = 10;
    const FEW: usize = 20;
    let mut names: Vec<&str> = frame.get_column_names().iter().map(|column| column.as_str()).collect();
    let more = if names.len() <= FEW { 0 } else { names.len() - MAX_LISTED };
    let similar = by_likeness(&names, name);
    let near = similar.first().filter(|(likeness, _)| *likeness >= NEAR).map(|(_, column)| shown(column));
    if more > 0 {
        names = similar.into_iter().map(|(_, column)| column).take(MAX_LISTED).collect();
    }
    let list: Vec<String> = names.iter().map(|column| shown(column)).collect();
    let columns = match (list.as_slice(), more) {
        ([], _) => "The frame has no columns.".to_owned(),
        ([only], _) => format!("The only column is {only}."),
        (_, 0) => format!("The columns are {}.", list.join(", ")),
        (_, more) => format!("The columns are {}, and {more} more.", list.join(", ")),
    };
    match near {
        Some(near) => format!("Did you mean {near}? {columns}"),
        None => columns,
    }
}

/// `names` with their likeness to `name` (0 to 1, ignoring case), most similar first.
fn by_likeness<'a>(names: &[&'a str], name: &str) -> Vec<(f64, &'a str)> {
    let start = |text: &str| text.chars().take(MAX_LENGTH).flat_map(char::to_lowercase).collect::<String>();
    let wanted = start(name);
    let likeness = |column: &&'a str| (strsim::normalized_damerau_levenshtein(&wanted, &start(column)), *column);
    let mut similar: Vec<(f64, &str)> = names.iter().map(likeness).collect();
    similar.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    similar
}

/// A column's name in a message.
fn shown(column: &str) -> String {
    format!("`{}`", quoted(column, MAX_LENGTH))
}

pub(super) fn wrong_type(column: &Column, message: &str) -> Error {
    let message = format!("{message}, but this one contains {}", describe_type(column.dtype()));
    Error::new(ErrorKind::WrongType, Stage::Input, message).with_column(column.name().as_str())
}

pub(crate) fn internal(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::Internal, Stage::Input, "the frame could not be processed").with_cause(error)
}
