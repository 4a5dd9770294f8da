//! Bins of time: by values, by number, or by calendar.

use std::fmt;
use std::str::FromStr;

use polars::prelude::{Column, TimeUnit};

use crate::corpus::{Clock, civil, days_of};
use crate::error::{Error, ErrorKind, Result, Stage};

/// The maximum number of bins between the first and the last moment.
const MOST_BINS: usize = 100_000;

/// The first Monday of the calendar's weeks: 1970-01-05.
const MONDAY: i64 = 4;

/// How moments are put into bins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Binning {
    /// A bin for every value.
    Values,
    /// This number of bins of equal width.
    Number(usize),
    /// Calendar periods.
    Every(Every),
    /// A bin for every value, or if these are more than this number, the shortest periods that are not more.
    AtMost(usize),
}

/// A calendar period, as Polars writes durations: a number and a unit, such as `1mo` or `2w`. Periods start where those of
/// Polars' `truncate` do: months and years at the first, weeks on Monday.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Every {
    count: i64,
    unit: Unit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// Of integers: a difference of 1.
    Index,
    /// Microseconds.
    Micros(i64),
    Days(i64),
    Weeks,
    Months(i64),
}

/// The units by their names in Polars.
const UNITS: [(&str, Unit); 11] = [
    ("i", Unit::Index),
    ("us", Unit::Micros(1)),
    ("ms", Unit::Micros(1_000)),
    ("s", Unit::Micros(1_000_000)),
    ("m", Unit::Micros(60_000_000)),
    ("h", Unit::Micros(3_600_000_000)),
    ("d", Unit::Days(1)),
    ("w", Unit::Weeks),
    ("mo", Unit::Months(1)),
    ("q", Unit::Months(3)),
    ("y", Unit::Months(12)),
];

impl FromStr for Every {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (count, name) = text.split_at(digits);
        let unit = UNITS.iter().find(|(unit, _)| *unit == name).map(|&(_, unit)| unit);
        match (count.parse::<i64>(), unit) {
            (Ok(count @ 1..=1_000_000), Some(unit)) => Ok(Every { count, unit }),
            _ => {
                let allowed = "a number and a unit of time as in Polars, such as 1y, 1q, 1mo, 2w, 1d, 12h, 30m or 10s, \
                    or of a column of integers, such as 5i";
                Err(Error::invalid_parameter(Stage::Topics, "every", crate::error::quoted(text, 40), allowed))
            }
        }
    }
}

impl fmt::Display for Every {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = UNITS.iter().find(|(_, unit)| *unit == self.unit).map_or("", |&(name, _)| name);
        write!(f, "{}{name}", self.count)
    }
}

/// Bins, ascending, and the bin of each row.
#[derive(Debug, Clone)]
pub(crate) struct TimeBins {
    pub(crate) of_rows: Vec<Option<u32>>,
    starts: Starts,
    /// The period of the calendar, if bins have one.
    every: Option<Every>,
}

/// Where the bins start.
#[derive(Debug, Clone)]
enum Starts {
    Moments(Vec<i64>, Clock),
    /// Of integers in bins of equal width.
    Numbers(Vec<f64>),
}

impl TimeBins {
    /// The bins of moments. With `gaps`, periods of the calendar without a row between others are bins, too.
    ///
    /// # Errors
    /// A period is not one of the column's clock, or there are too many bins.
    pub(crate) fn new(of_rows: &[Option<i64>], clock: &Clock, binning: Binning, gaps: bool) -> Result<Self> {
        let known = || of_rows.iter().copied().flatten();
        let (Some(first), Some(last)) = (known().min(), known().max()) else {
            let starts = Starts::Moments(Vec::new(), clock.clone());
            return Ok(TimeBins { of_rows: vec![None; of_rows.len()], starts, every: None });
        };
        match binning {
            Binning::AtMost(most) => {
                TimeBins::new(of_rows, clock, at_most(most, known().collect(), clock, (first, last))?, gaps)
            }
            Binning::Values => Ok(TimeBins::starting(of_rows, clock, known().collect())),
            Binning::Number(count) => TimeBins::of_number(of_rows, clock, (first, last), count),
            Binning::Every(every) => {
                let floor = every.on(clock)?;
                let floors: Vec<Option<i64>> =
                    of_rows.iter().map(|moment| moment.map(|moment| floor.floor(moment))).collect();
                let mut starts: Vec<i64> = floors.iter().copied().flatten().collect();
                if gaps {
                    let mut start = floor.floor(first);
                    for _ in 0..=MOST_BINS {
                        starts.push(start);
                        start = floor.next(start);
                        if start > last {
                            return Ok(TimeBins::starting(&floors, clock, starts).of_periods(every));
                        }
                    }
                    let on_command_line = format!("--every {every} makes more than {MOST_BINS} bins");
                    return Err(too_many(&format!("every = {every}"), MOST_BINS).said_on_command_line(on_command_line));
                }
                Ok(TimeBins::starting(&floors, clock, starts).of_periods(every))
            }
        }
    }

    /// The bins that start at these values, which `of_rows` has.
    fn starting(of_rows: &[Option<i64>], clock: &Clock, mut starts: Vec<i64>) -> Self {
        starts.sort_unstable();
        starts.dedup();
        let place = |start: &i64| starts.binary_search(start).ok().map(|place| place as u32);
        let of_rows = of_rows.iter().map(|start| start.as_ref().and_then(place)).collect();
        TimeBins { of_rows, starts: Starts::Moments(starts, clock.clone()), every: None }
    }

    fn of_periods(self, every: Every) -> Self {
        TimeBins { every: Some(every), ..self }
    }

    /// Bins of equal width, each without its left edge and with its right one, as pandas' `cut` has them; the first one
    /// has both. There are no more than can start at different moments.
    fn of_number(of_rows: &[Option<i64>], clock: &Clock, (first, last): (i64, i64), count: usize) -> Result<Self> {
        if count == 0 || count > MOST_BINS {
            let allowed = format!("1 to {MOST_BINS}");
            return Err(Error::invalid_parameter(Stage::Topics, "nr_bins", count, &allowed));
        }
        let (clock, a_unit) = finer(clock, (first, last), count);
        let units = (i128::from(last) - i128::from(first)) * i128::from(a_unit.unwrap_or(1));
        let count = match a_unit {
            _ if first == last => 1,
            // Starts are whole numbers, of which no two are to be equal.
            Some(_) => count.min(usize::try_from(units).unwrap_or(count)),
            None => count,
        };
        // Relative to the first moment, where the numbers are exact.
        let width = (last as i128 - first as i128) as f64 / count as f64;
        let edges: Vec<f64> = (0..count).map(|bin| width * bin as f64).collect();
        let bin = |moment: i64| {
            let offset = (moment as i128 - first as i128) as f64;
            edges.partition_point(|&edge| edge < offset).saturating_sub(1) as u32
        };
        let of_rows: Vec<Option<u32>> = of_rows.iter().map(|moment| moment.map(bin)).collect();
        let starts = match a_unit {
            None => Starts::Numbers(edges.iter().map(|edge| first as f64 + edge).collect()),
            Some(a_unit) => {
                let first = i128::from(first) * i128::from(a_unit);
                let start = |edge: &f64| {
                    let start = first + (edge * a_unit as f64).round() as i128;
                    i64::try_from(start).unwrap_or(i64::MAX)
                };
                Starts::Moments(edges.iter().map(start).collect(), clock)
            }
        };
        Ok(TimeBins { of_rows, starts, every: None })
    }

    /// The number of bins.
    pub(crate) fn len(&self) -> usize {
        match &self.starts {
            Starts::Moments(starts, _) => starts.len(),
            Starts::Numbers(starts) => starts.len(),
        }
    }

    /// The period of the calendar, if bins have one.
    pub(crate) fn every(&self) -> Option<Every> {
        self.every
    }

    /// The start of a bin as a number.
    pub(crate) fn start(&self, bin: usize) -> f64 {
        match &self.starts {
            Starts::Moments(starts, _) => starts.get(bin).map_or(f64::NAN, |&start| start as f64),
            Starts::Numbers(starts) => starts.get(bin).copied().unwrap_or(f64::NAN),
        }
    }

    /// The starts of these bins as a column.
    pub(crate) fn column(&self, name: &str, bins: impl Iterator<Item = usize>) -> Result<Column> {
        match &self.starts {
            Starts::Moments(starts, clock) => {
                clock.column(name, bins.map(|bin| starts.get(bin).copied().unwrap_or_default()).collect())
            }
            Starts::Numbers(_) => Ok(Column::new(name.into(), bins.map(|bin| self.start(bin)).collect::<Vec<f64>>())),
        }
    }
}

/// The bins of moments between `first` and `last` that are at most this many: of values, of a period, or of equal width
/// if all periods are too short.
fn at_most(most: usize, mut values: Vec<i64>, clock: &Clock, (first, last): (i64, i64)) -> Result<Binning> {
    values.sort_unstable();
    values.dedup();
    if values.len() <= most {
        return Ok(Binning::Values);
    }
    for &(count, unit) in PERIODS {
        let every = Every { count, unit };
        // Not all periods are ones of the clock.
        let Ok(period) = every.on(clock) else { continue };
        let mut start = period.floor(first);
        let covers = |_| {
            start = period.next(start);
            start > last
        };
        if (0..most).any(covers) {
            return Ok(Binning::Every(every));
        }
    }
    Ok(Binning::Number(most))
}

/// The periods that bins are chosen of, ascending: those that people count time in.
const PERIODS: &[(i64, Unit)] = &[
    (1, Unit::Micros(1_000)),
    (100, Unit::Micros(1_000)),
    (1, Unit::Micros(1_000_000)),
    (10, Unit::Micros(1_000_000)),
    (1, Unit::Micros(60_000_000)),
    (10, Unit::Micros(60_000_000)),
    (1, Unit::Micros(3_600_000_000)),
    (6, Unit::Micros(3_600_000_000)),
    (1, Unit::Days(1)),
    (1, Unit::Weeks),
    (1, Unit::Months(1)),
    (1, Unit::Months(3)),
    (1, Unit::Months(12)),
    (5, Unit::Months(12)),
    (10, Unit::Months(12)),
    (50, Unit::Months(12)),
    (100, Unit::Months(12)),
    (2, Unit::Index),
    (5, Unit::Index),
    (10, Unit::Index),
    (20, Unit::Index),
    (50, Unit::Index),
    (100, Unit::Index),
    (200, Unit::Index),
    (500, Unit::Index),
    (1_000, Unit::Index),
    (10_000, Unit::Index),
    (100_000, Unit::Index),
    (1_000_000, Unit::Index),
];

/// The clock of the starts of `count` equal bins between two moments, and how many of its units one of `clock` has; `None`
/// if they are fractions of integers.
fn finer(clock: &Clock, (first, last): (i64, i64), count: usize) -> (Clock, Option<i64>) {
    const MICROSECONDS: i64 = 86_400_000_000;
    let multiplies = |by: i64| first.checked_mul(by).is_some() && last.checked_mul(by).is_some();
    let width = (i128::from(last) - i128::from(first)) as f64 / count as f64;
    // Sums and products are rounded by no more.
    let rounding = 4.0 * f64::EPSILON * first.unsigned_abs().max(last.unsigned_abs()) as f64;
    match clock {
        Clock::Integers if width > rounding || first == last => (Clock::Integers, None),
        // Within a day.
        Clock::Days if multiplies(MICROSECONDS) => (Clock::Units(TimeUnit::Microseconds, None), Some(MICROSECONDS)),
        other => (other.clone(), Some(1)),
    }
}

/// A period in the units of a clock.
enum Period {
    /// Of equal length, from a start.
    Units { length: i64, from: i64 },
    /// Months, on a clock with this many units per day.
    Months { count: i64, a_day: i64 },
}

impl Every {
    /// The period in words: `1 month`, `2 weeks`; of integers, only the number.
    pub(crate) fn in_words(self) -> String {
        let name = match self.unit {
            Unit::Index => return self.count.to_string(),
            Unit::Micros(3_600_000_000) => "hour",
            Unit::Micros(60_000_000) => "minute",
            Unit::Micros(1_000_000) => "second",
            Unit::Micros(1_000) => "millisecond",
            Unit::Micros(_) => "microsecond",
            Unit::Days(_) => "day",
            Unit::Weeks => "week",
            Unit::Months(12) => "year",
            Unit::Months(3) => "quarter",
            Unit::Months(_) => "month",
        };
        format!("{} {name}{}", self.count, if self.count == 1 { "" } else { "s" })
    }

    fn on(self, clock: &Clock) -> Result<Period> {
        let equal = |length: Option<i64>, from| length.map(|length| Period::Units { length, from });
        let period = match (self.unit, clock.of_a_day()) {
            (Unit::Index, None) => equal(Some(self.count), 0),
            (Unit::Index, Some(_)) | (_, None) => None,
            (Unit::Micros(_), Some(1)) => None,
            // A period that is shorter than the unit has every value in a bin of its own.
            (Unit::Micros(micros), Some(a_day)) => {
                let length = i128::from(self.count) * i128::from(micros) * i128::from(a_day) / 86_400_000_000;
                equal(i64::try_from(length).ok().map(|length| length.max(1)), 0)
            }
            (Unit::Days(days), Some(a_day)) => equal(a_day.checked_mul(days * self.count), 0),
            (Unit::Weeks, Some(a_day)) => equal(a_day.checked_mul(7 * self.count), MONDAY * a_day),
            (Unit::Months(months), Some(a_day)) => Some(Period::Months { count: months * self.count, a_day }),
        };
        period.ok_or_else(|| {
            let allowed = match clock {
                Clock::Integers => "a number and i, such as 5i, since the column has integers",
                Clock::Days => "a number and d, w, mo, q or y, since the column has dates",
                Clock::Units(..) => "a number and s, m, h, d, w, mo, q or y, of a length that the column can have",
            };
            Error::invalid_parameter(Stage::Topics, "every", self, allowed)
        })
    }
}

impl Period {
    /// The start of the period that a moment is in.
    fn floor(&self, moment: i64) -> i64 {
        match *self {
            Period::Units { length, from } => {
                let since = i128::from(moment) - i128::from(from);
                let start = since - since.rem_euclid(i128::from(length)) + i128::from(from);
                i64::try_from(start).unwrap_or(i64::MIN)
            }
            Period::Months { count, a_day } => {
                let (year, month, _) = civil(moment.div_euclid(a_day));
                let months = year * 12 + month - 1;
                Self::first_of(months - months.rem_euclid(count), a_day)
            }
        }
    }

    /// The start of the period after the one that starts at `start`.
    fn next(&self, start: i64) -> i64 {
        match *self {
            Period::Units { length, .. } => start.saturating_add(length),
            Period::Months { count, a_day } => {
                let (year, month, _) = civil(start.div_euclid(a_day));
                Self::first_of(year * 12 + month - 1 + count, a_day)
            }
        }
    }

    fn first_of(months: i64, a_day: i64) -> i64 {
        days_of(months.div_euclid(12), months.rem_euclid(12) + 1, 1).saturating_mul(a_day)
    }
}

pub(crate) fn too_many(what: &str, most: usize) -> Error {
    let message = format!("{what} makes more than {most} bins");
    Error::new(ErrorKind::InvalidParameter, Stage::Topics, message).with_hint("Choose longer periods, or fewer bins.")
}
