//! The starts of bins of time: as numbers, and in as few characters as tell them apart.

use polars::prelude::*;

use crate::corpus::{civil, internal};
use crate::error::Result;

/// The seconds of a day.
const DAY: i64 = 86_400;

/// How precisely moments are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Precision {
    Year,
    Month,
    Day,
    Minute,
    Second,
    Microsecond,
}

/// A moment: days, and microseconds of the day.
type Moment = (i64, i64);

/// The starts of bins as numbers. Their unit depends on the type of the column.
pub(super) fn positions(starts: &Column) -> Result<Vec<f64>> {
    let numbers = starts.to_physical_repr().cast(&DataType::Float64).map_err(internal)?;
    Ok(numbers.f64().map_err(internal)?.iter().map(|number| number.unwrap_or(0.0)).collect())
}

/// The starts of ascending bins as text: `2004`, `2004-03`, `2004-03-15`, `2004-03-15 12:30`, as precise as the bins are.
pub(super) fn labels(starts: &Column) -> Result<Vec<String>> {
    let (units, micros) = match starts.dtype() {
        DataType::Date => (1, 0),
        DataType::Datetime(TimeUnit::Milliseconds, _) => (DAY * 1_000, 1_000),
        DataType::Datetime(TimeUnit::Microseconds, _) => (DAY * 1_000_000, 1),
        DataType::Datetime(TimeUnit::Nanoseconds, _) => (DAY * 1_000_000_000, 0),
        DataType::Float64 => return Ok(of_numbers(&positions(starts)?)),
        _ => {
            let numbers = starts.cast(&DataType::Int64).map_err(internal)?;
            let numbers = numbers.i64().map_err(internal)?;
            return Ok(numbers.iter().map(|number| number.unwrap_or(0).to_string()).collect());
        }
    };
    let numbers = starts.to_physical_repr().cast(&DataType::Int64).map_err(internal)?;
    let moment = |number: i64| {
        let of_day = number.rem_euclid(units);
        (number.div_euclid(units), if micros > 0 { of_day * micros } else { of_day / 1_000 })
    };
    let moments: Vec<Moment> =
        numbers.i64().map_err(internal)?.iter().map(|number| moment(number.unwrap_or(0))).collect();
    let precision = precision(&moments);
    Ok(moments.into_iter().map(|moment| written(moment, precision)).collect())
}

/// Numbers with the decimals that tell them apart.
fn of_numbers(numbers: &[f64]) -> Vec<String> {
    let gap = |pair: &[f64]| match pair {
        &[a, b] => b - a,
        _ => 0.0,
    };
    let gaps = numbers.windows(2).map(gap);
    let narrowest = gaps.filter(|gap| *gap > 0.0).fold(f64::INFINITY, f64::min);
    let digits = match narrowest {
        _ if numbers.iter().all(|number| number.fract() == 0.0) || narrowest >= 10.0 => 0,
        _ if narrowest >= 1.0 => 1,
        _ => 3,
    };
    numbers.iter().map(|number| format!("{number:.digits$}")).collect()
}

/// The precision that tells ascending moments apart: of periods that start on the first, only the month or the year.
fn precision(moments: &[Moment]) -> Precision {
    let starts = |of: fn(i64, i64) -> bool| {
        moments.iter().all(|&(days, micros)| {
            let (_, month, day) = civil(days);
            micros == 0 && of(month, day)
        })
    };
    if starts(|month, day| month == 1 && day == 1) {
        return Precision::Year;
    }
    if starts(|_, day| day == 1) {
        return Precision::Month;
    }
    // What is less than a bin is not needed.
    [Precision::Day, Precision::Minute, Precision::Second]
        .into_iter()
        .find(|&precision| {
            let is_distinct = |pair: &[Moment]| match pair {
                &[a, b] => written(a, precision) != written(b, precision),
                _ => true,
            };
            moments.windows(2).all(is_distinct)
        })
        .unwrap_or(Precision::Microsecond)
}

fn written((days, micros): Moment, precision: Precision) -> String {
    let (year, month, day) = civil(days);
    let seconds = micros / 1_000_000;
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    match precision {
        Precision::Year => format!("{year:04}"),
        Precision::Month => format!("{year:04}-{month:02}"),
        Precision::Day => format!("{year:04}-{month:02}-{day:02}"),
        Precision::Minute => format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}"),
        Precision::Second => format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"),
        Precision::Microsecond => {
            let micros = micros % 1_000_000;
            format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{micros:06}")
        }
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::*;

    use super::labels;

    fn days(days: &[i32]) -> Column {
        Column::new("Timestamp".into(), days).cast(&DataType::Date).unwrap()
    }

    fn micros(seconds: &[i64]) -> Column {
        let micros: Vec<i64> = seconds.iter().map(|second| second * 1_000_000).collect();
        Column::new("Timestamp".into(), micros).cast(&DataType::Datetime(TimeUnit::Microseconds, None)).unwrap()
    }

    #[test]
    fn labels_are_as_precise_as_the_bins() {
        let cases: [(Column, &[&str]); 9] = [
            (days(&[0, 365]), &["1970", "1971"]),
            (days(&[0, 31, 59]), &["1970-01", "1970-02", "1970-03"]),
            (days(&[-1, 0]), &["1969-12-31", "1970-01-01"]),
            (days(&[]), &[]),
            (micros(&[0, 31 * 86_400]), &["1970-01", "1970-02"]),
            (micros(&[3_600, 86_400 + 7_777]), &["1970-01-01", "1970-01-02"]),
            (micros(&[3_600, 7_200]), &["1970-01-01 01:00", "1970-01-01 02:00"]),
            (micros(&[-1, 0]), &["1969-12-31", "1970-01-01"]),
            (micros(&[1, 2]), &["1970-01-01 00:00:01", "1970-01-01 00:00:02"]),
        ];
        for (starts, expected) in cases {
            assert_eq!(labels(&starts).unwrap(), expected);
        }
        let nanos = micros(&[3_600, 7_200]).cast(&DataType::Datetime(TimeUnit::Nanoseconds, None)).unwrap();
        assert_eq!(labels(&nanos).unwrap(), ["1970-01-01 01:00", "1970-01-01 02:00"]);
    }

    #[test]
    fn numbers_have_the_decimals_that_they_need() {
        let labels = |numbers: &[f64]| labels(&Column::new("Timestamp".into(), numbers)).unwrap();
        assert_eq!(labels(&[1939.0, 1941.0]), ["1939", "1941"]);
        assert_eq!(labels(&[1939.0, 1940.3]), ["1939.0", "1940.3"]);
        assert_eq!(labels(&[0.0, 33.3, 66.7]), ["0", "33", "67"]);
        assert_eq!(labels(&[0.0, 0.25]), ["0.000", "0.250"]);
        let years = Column::new("Timestamp".into(), [1939_i64, 1940]);
        assert_eq!(super::labels(&years).unwrap(), ["1939", "1940"]);
    }
}
