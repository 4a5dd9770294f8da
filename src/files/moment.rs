//! Dates, times, and durations as ISO 8601 text. Every value can be written, including six-digit years.

use polars::prelude::TimeUnit;

use crate::corpus::civil;

const SECONDS_A_DAY: i64 = 86_400;

/// Days since 1970-01-01 as `2024-02-29`.
pub(super) fn date(days: i64) -> String {
    let (year, month, day) = civil(days);
    match year {
        0..=9999 => format!("{year:04}-{month:02}-{day:02}"),
        _ => format!("{year:+05}-{month:02}-{day:02}"),
    }
}

/// Units since 1970-01-01 as `2024-02-29T12:30:00.5`; zoned values are in UTC and end in `Z`.
pub(super) fn datetime(value: i64, unit: TimeUnit, zoned: bool) -> String {
    let (seconds, fraction) = split(value, unit);
    let days = seconds.div_euclid(SECONDS_A_DAY);
    let zone = if zoned { "Z" } else { "" };
    format!("{}T{}{fraction}{zone}", date(days), clock(seconds.rem_euclid(SECONDS_A_DAY)))
}

/// Nanoseconds since midnight as `12:30:00.5`.
pub(super) fn time(nanoseconds: i64) -> String {
    let (seconds, fraction) = split(nanoseconds, TimeUnit::Nanoseconds);
    format!("{}{fraction}", clock(seconds))
}

/// A duration in seconds, as `PT90.5S`.
pub(super) fn duration(value: i64, unit: TimeUnit) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let (whole, part) = (value.unsigned_abs() / per_second(unit), value.unsigned_abs() % per_second(unit));
    format!("{sign}PT{whole}{}S", decimals(part, unit))
}

fn per_second(unit: TimeUnit) -> u64 {
    match unit {
        TimeUnit::Nanoseconds => 1_000_000_000,
        TimeUnit::Microseconds => 1_000_000,
        TimeUnit::Milliseconds => 1_000,
    }
}

/// Whole seconds, rounded down, and the fraction as `.5`.
fn split(value: i64, unit: TimeUnit) -> (i64, String) {
    let per_second = per_second(unit) as i64;
    (value.div_euclid(per_second), decimals(value.rem_euclid(per_second) as u64, unit))
}

fn decimals(part: u64, unit: TimeUnit) -> String {
    let width = per_second(unit).ilog10() as usize;
    match part {
        0 => String::new(),
        _ => format!(".{}", format!("{part:0width$}").trim_end_matches('0')),
    }
}

fn clock(seconds: i64) -> String {
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
