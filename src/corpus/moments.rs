//! When the rows are from: a column of dates, timestamps, integers, or texts that are dates.

use polars::prelude::*;

use super::column::{find, internal, wrong_type};
use super::kind::{stored, texts};
use super::time_format::{DAY, EITHER_WAY, Moment, TimeFormat};
use crate::error::{Error, ErrorKind, Hint, Result, Stage, quoted};

/// The length of a value in a message.
const LONGEST_VALUE: usize = 60;

/// What the numbers of moments count.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Clock {
    /// Whatever the user counts: years, for instance.
    Integers,
    /// Days since 1970-01-01.
    Days,
    /// Units since 1970-01-01; the zone is only kept.
    Units(TimeUnit, Option<TimeZone>),
}

impl Clock {
    /// The units of a day; `None` for integers.
    pub(crate) fn of_a_day(&self) -> Option<i64> {
        match self {
            Clock::Integers => None,
            Clock::Days => Some(1),
            Clock::Units(TimeUnit::Milliseconds, _) => Some(DAY / 1_000),
            Clock::Units(TimeUnit::Microseconds, _) => Some(DAY),
            Clock::Units(TimeUnit::Nanoseconds, _) => Some(DAY * 1_000),
        }
    }

    /// Moments as a column of the type that was read.
    pub(crate) fn column(&self, name: &str, values: Vec<i64>) -> Result<Column> {
        let column = Column::new(name.into(), values);
        match self {
            Clock::Integers => Ok(column),
            Clock::Days => column.cast(&DataType::Int32).and_then(|days| days.cast(&DataType::Date)).map_err(internal),
            Clock::Units(unit, zone) => {
                let naive = column.i64().map_err(internal)?.clone().into_datetime(*unit, zone.clone());
                Ok(naive.into_column())
            }
        }
    }
}

/// When each row is from.
#[derive(Debug, Clone)]
pub(crate) struct Moments {
    /// `None` where it is not known.
    pub(crate) of_rows: Vec<Option<i64>>,
    pub(crate) clock: Clock,
    /// The number of rows without a value.
    pub(crate) missing: usize,
    /// The number of rows with a text that is not a date.
    pub(crate) unreadable: usize,
}

impl Moments {
    /// Reads a column of dates, timestamps, integers, or of texts: in `format` (strftime's directives), or in one that is
    /// recognized. With `skips`, texts that are not dates are counted instead of being an error.
    ///
    /// # Errors
    /// There is no such column, it has another type, or a text is not a date.
    pub(crate) fn read(frame: &DataFrame, name: &str, format: Option<&str>, skips: bool) -> Result<Self> {
        let column = stored(find(frame, name)?);
        let clock = match column.dtype() {
            DataType::Date => Some(Clock::Days),
            DataType::Datetime(unit, zone) => Some(Clock::Units(*unit, zone.clone())),
            dtype if dtype.is_integer() => Some(Clock::Integers),
            _ => None,
        };
        if let Some(clock) = clock {
            if format.is_some() {
                let message = "a format was given, but only texts have one";
                return Err(wrong_type(&column, message)
                    .with_hint(Hint::new("Leave the format out.").on_command_line("Leave out --format.")));
            }
            let numbers = column.to_physical_repr().cast(&DataType::Int64).map_err(internal)?;
            let numbers = numbers.i64().map_err(internal)?;
            if numbers.null_count() != column.null_count() {
                return Err(wrong_type(&column, "numbers of time must fit into 64 bits with a sign"));
            }
            let missing = numbers.null_count();
            return Ok(Moments { of_rows: numbers.iter().collect(), clock, missing, unreadable: 0 });
        }
        let Some(texts) = texts(&column) else {
            let message = "a column of time must contain dates, timestamps, integers, or texts that are dates";
            let hint = Hint::new("Cast it, or specify another column.").on_command_line("Specify another column.");
            return Err(wrong_type(&column, message).with_hint(hint));
        };
        let texts: Vec<Option<&str>> = texts.iter().map(|text| text.filter(|text| !text.trim().is_empty())).collect();
        let read = match format {
            Some(format) => in_format(&texts, format, skips)?,
            None => recognized(&texts, skips)?,
        };
        match read {
            Ok(moments) => Ok(of_texts(&texts, &moments)),
            Err(refused) => Err(refused.error(&texts, name, format)),
        }
    }
}

/// Why texts could not be read.
enum Refused {
    /// The text of this row is not a date.
    Row(usize),
    /// The text of this row is in the second format, those before in the first.
    Mixed(usize, (&'static str, &'static str)),
    /// Days and months could be either way round: in these two formats.
    Ambiguous(usize, (&'static str, &'static str)),
}

impl Refused {
    fn error(self, texts: &[Option<&str>], name: &str, format: Option<&str>) -> Error {
        let (Refused::Row(row) | Refused::Mixed(row, _) | Refused::Ambiguous(row, _)) = self;
        let value = quoted(texts.get(row).copied().flatten().unwrap_or_default().trim(), LONGEST_VALUE);
        let (message, hint) = match (self, format) {
            (Refused::Ambiguous(_, (day_first, month_first)), _) => (
                format!("`{value}` may be day first or month first, like all values of the column"),
                Hint::new(format!("Give the format: `{day_first}` or `{month_first}`.")),
            ),
            (Refused::Mixed(_, (before, here)), _) => (
                format!("`{value}` is a date in the format `{here}`, but the values before it are in `{before}`"),
                skipping("Write all values in one format", "Write all values in one format"),
            ),
            (Refused::Row(_), Some(format)) => (
                format!("`{value}` is not a date in the format `{}`", quoted(format, LONGEST_VALUE)),
                skipping("Correct the value or the format", "Correct the value or the format"),
            ),
            (Refused::Row(_), None) => (
                format!("`{value}` is not a date in a format that is recognized"),
                skipping(
                    "Give the format, such as `%d.%m.%Y %H:%M`",
                    "Give the format, such as --format \"%d.%m.%Y %H:%M\"",
                ),
            ),
        };
        Error::new(ErrorKind::InvalidData, Stage::Input, message).with_column(name).with_row(row).with_hint(hint)
    }
}

/// The hint to do something else, or to skip what cannot be read.
fn skipping(otherwise: &str, on_command_line: &str) -> Hint {
    let hint = |otherwise: &str, skip: &str| format!("{otherwise}, or count such rows as missing with {skip}.");
    Hint::new(hint(otherwise, "skip_unreadable(true)")).on_command_line(hint(on_command_line, "--skip-unreadable"))
}

/// The number of texts that a format fits, its name, and what they are.
type Fit<'a> = (usize, &'a str, Vec<Option<Moment>>);

type Read = std::result::Result<Vec<Option<Moment>>, Refused>;

fn in_format(texts: &[Option<&str>], format: &str, skips: bool) -> Result<Read> {
    let parsed = TimeFormat::parse(format).map_err(|directive| {
        let allowed = format!("strftime's directives, of which `{}` is not one that is known", quoted(&directive, 10));
        Error::invalid_parameter(Stage::Input, "format", quoted(format, LONGEST_VALUE), &allowed)
    })?;
    let moments: Vec<Option<Moment>> = texts.iter().map(|text| text.and_then(|text| parsed.read(text))).collect();
    Ok(match first_unread(texts, &moments).filter(|_| !skips) {
        Some(row) => Err(Refused::Row(row)),
        None => Ok(moments),
    })
}

/// Reads the texts in the recognized format that fits all of them, or with `skips`, most.
fn recognized(texts: &[Option<&str>], skips: bool) -> Result<Read> {
    let formats = TimeFormat::recognized();
    // Formats that do not fit at all are left out at the first texts.
    let (mut furthest, mut best): ((usize, &'static str), Option<Fit<'_>>) = ((0, ""), None);
    for (name, format) in &formats {
        let mut moments: Vec<Option<Moment>> = Vec::with_capacity(texts.len());
        for text in texts {
            let moment = text.and_then(|text| format.read(text));
            if moment.is_none() && text.is_some() && !skips {
                break;
            }
            moments.push(moment);
        }
        if moments.len() < texts.len() {
            if moments.len() > furthest.0 {
                furthest = (moments.len(), name);
            }
            continue;
        }
        let read = moments.iter().flatten().count();
        if let Some((most, other, theirs)) = &best
            && read == *most
            && let Some(formats) = EITHER_WAY.into_iter().find(|formats| (*other, *name) == *formats)
            && let Some(row) = theirs.iter().zip(&moments).position(|(a, b)| a != b)
        {
            return Ok(Err(Refused::Ambiguous(row, formats)));
        }
        if best.as_ref().is_none_or(|(most, ..)| read > *most) {
            best = Some((read, name, moments));
        }
    }
    let some = texts.iter().position(Option::is_some);
    Ok(match (best, some) {
        (Some((read, _, moments)), first) if read > 0 || first.is_none() => Ok(moments),
        (Some(_), Some(first)) => Err(Refused::Row(first)),
        _ => Err(why_unread(texts, furthest, &formats)),
    })
}

/// Why the text of row `furthest` could not be read, to which the format with this name fits best.
fn why_unread(
    texts: &[Option<&str>],
    (furthest, before): (usize, &'static str),
    formats: &[(&'static str, TimeFormat)],
) -> Refused {
    let text = texts.get(furthest).copied().flatten();
    let has_before = texts.iter().take(furthest).any(Option::is_some);
    let here = formats.iter().find(|(_, format)| text.is_some_and(|text| format.read(text).is_some()));
    match here {
        Some(&(here, _)) if has_before => Refused::Mixed(furthest, (before, here)),
        _ => Refused::Row(furthest),
    }
}

/// The first row with a text that was not read.
fn first_unread(texts: &[Option<&str>], moments: &[Option<Moment>]) -> Option<usize> {
    texts.iter().zip(moments).position(|(text, moment)| text.is_some() && moment.is_none())
}

fn of_texts(texts: &[Option<&str>], moments: &[Option<Moment>]) -> Moments {
    let has_time = moments.iter().flatten().any(|moment| moment.has_time);
    let missing = texts.iter().filter(|text| text.is_none()).count();
    let read = moments.iter().flatten().count();
    let number = |moment: &Moment| if has_time { moment.microseconds } else { moment.microseconds.div_euclid(DAY) };
    Moments {
        of_rows: moments.iter().map(|moment| moment.as_ref().map(number)).collect(),
        clock: if has_time { Clock::Units(TimeUnit::Microseconds, None) } else { Clock::Days },
        missing,
        unreadable: texts.len() - missing - read,
    }
}
