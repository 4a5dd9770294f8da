//! Converts days to dates. Polars' own `Display` panics on days outside its supported range.

/// Year, month and day in the proleptic Gregorian calendar. Years start in March, so that the leap day is the last day
/// of the year, and are grouped into eras of 400 years, which all have the same number of days.
pub(crate) fn civil(days: i64) -> (i64, i64, i64) {
    const DAYS_AN_ERA: i64 = 146_097;
    let since_march_of_year_0 = days + 719_468;
    let era = since_march_of_year_0.div_euclid(DAYS_AN_ERA);
    let day_of_era = since_march_of_year_0.rem_euclid(DAYS_AN_ERA);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}
