//! Converts days to dates and back. Polars' own `Display` panics on days outside its supported range.

const DAYS_AN_ERA: i64 = 146_097;

/// The day 1970-01-01, counted from March 1 of year 0.
const EPOCH: i64 = 719_468;

/// Year, month and day in the proleptic Gregorian calendar. Years start in March, so that the leap day is the last day
/// of the year, and are grouped into eras of 400 years, which all have the same number of days.
pub(crate) fn civil(days: i64) -> (i64, i64, i64) {
    let since_march_of_year_0 = days + EPOCH;
    let era = since_march_of_year_0.div_euclid(DAYS_AN_ERA);
    let day_of_era = since_march_of_year_0.rem_euclid(DAYS_AN_ERA);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

/// The days from 1970-01-01 to a date: the inverse of [`civil`]. Months are 1 to 12.
pub(crate) fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * DAYS_AN_ERA + day_of_era - EPOCH
}

/// The number of days of a month, 1 to 12.
pub(super) fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_are_inverse() {
        for days in (-800_000..800_000).step_by(13) {
            let (year, month, day) = civil(days);
            assert_eq!(days_of(year, month, day), days);
            assert!((1..=days_in_month(year, month)).contains(&day));
        }
        assert_eq!(days_of(2024, 3, 1) - days_of(2024, 2, 28), 2);
        assert_eq!(days_of(1900, 3, 1) - days_of(1900, 2, 28), 1);
    }
}
