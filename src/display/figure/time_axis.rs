//! Round moments for an axis of time.

use crate::corpus::{civil, days_of};

/// A moment in seconds since 1970-01-01 00:00 UTC.
pub(super) type Seconds = f64;

const DAY: i64 = 86_400;

/// A step between ticks.
#[derive(Debug, Clone, Copy)]
enum Step {
    Seconds(i64),
    Days(i64),
    Months(i64),
}

/// Steps in ascending order; further ones are years.
const STEPS: [Step; 20] = [
    Step::Seconds(1),
    Step::Seconds(5),
    Step::Seconds(15),
    Step::Seconds(60),
    Step::Seconds(300),
    Step::Seconds(900),
    Step::Seconds(3_600),
    Step::Seconds(3 * 3_600),
    Step::Seconds(6 * 3_600),
    Step::Seconds(12 * 3_600),
    Step::Days(1),
    Step::Days(2),
    Step::Days(7),
    Step::Days(14),
    Step::Months(1),
    Step::Months(3),
    Step::Months(6),
    Step::Months(12),
    Step::Months(24),
    Step::Months(60),
];

impl Step {
    fn seconds(self) -> f64 {
        match self {
            Step::Seconds(n) => n as f64,
            Step::Days(n) => (n * DAY) as f64,
            Step::Months(n) => n as f64 * 30.44 * DAY as f64,
        }
    }

    /// The first moment of this step at `low` or later, and all that follow up to `high`.
    fn moments(self, low: i64, high: i64) -> Vec<i64> {
        let even = |step: i64| {
            let first = low.div_euclid(step) * step;
            let first = if first < low { first.saturating_add(step) } else { first };
            (0..MOST).map(move |number| first.saturating_add(number * step)).take_while(|&at| at <= high).collect()
        };
        match self {
            Step::Seconds(step) => even(step),
            Step::Days(step) => even(step * DAY),
            Step::Months(step) => {
                let (year, month, _) = civil(low.div_euclid(DAY));
                let start = (year * 12 + month - 1).div_euclid(step);
                let at = |number: i64| {
                    let month = (start + number) * step;
                    days_of(month.div_euclid(12), month.rem_euclid(12) + 1, 1).saturating_mul(DAY)
                };
                (0..MOST).map(at).skip_while(|&at| at < low).take_while(|&at| at <= high).collect()
            }
        }
    }

    fn label(self, moment: i64) -> String {
        let (year, month, day) = civil(moment.div_euclid(DAY));
        let second = moment.rem_euclid(DAY);
        let (hour, minute, rest) = (second / 3_600, second / 60 % 60, second % 60);
        match self {
            Step::Months(step) if step % 12 == 0 => year.to_string(),
            Step::Months(_) => format!("{year}-{month:02}"),
            Step::Days(_) => format!("{year}-{month:02}-{day:02}"),
            Step::Seconds(step) if step % 60 == 0 => format!("{month:02}-{day:02} {hour:02}:{minute:02}"),
            Step::Seconds(_) => format!("{hour:02}:{minute:02}:{rest:02}"),
        }
    }
}

/// More ticks than an axis ever has.
const MOST: i64 = 100;

/// Moments beyond these years are not written.
const YEARS: f64 = 100_000.0;

/// About `most` round moments between `low` and `high`, with their labels; of dates, whole days.
pub(super) fn time_ticks(low: Seconds, high: Seconds, most: usize, are_dates: bool) -> Vec<(Seconds, String)> {
    let bound = YEARS * 366.0 * DAY as f64;
    if !(low.abs() < bound && high.abs() < bound) {
        return Vec::new();
    }
    let least = if are_dates { DAY as f64 } else { 0.0 };
    let rough = f64::max((high - low) / most.max(1) as f64, least);
    let years = |exponent: u32| [1, 2, 5].map(|factor| Step::Months(120 * factor * 10_i64.pow(exponent)));
    let all = STEPS.into_iter().chain((0..4).flat_map(years));
    let step = all.clone().find(|step| step.seconds() >= rough).or(all.last()).unwrap_or(Step::Days(1));
    let moments = step.moments(low.ceil() as i64, high.floor() as i64);
    moments.into_iter().map(|moment| (moment as f64, step.label(moment))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(low: (i64, i64, i64), high: (i64, i64, i64), most: usize) -> Vec<String> {
        let seconds = |(year, month, day)| (days_of(year, month, day) * DAY) as f64;
        time_ticks(seconds(low), seconds(high), most, true).into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_are_round_moments() {
        assert_eq!(labels((2020, 1, 1), (2024, 1, 1), 6), ["2020", "2021", "2022", "2023", "2024"]);
        assert_eq!(
            labels((2024, 1, 15), (2024, 7, 2), 8),
            ["2024-02", "2024-03", "2024-04", "2024-05", "2024-06", "2024-07"]
        );
        assert_eq!(labels((2024, 2, 27), (2024, 3, 1), 6), ["2024-02-27", "2024-02-28", "2024-02-29", "2024-03-01"]);
        assert_eq!(labels((1500, 1, 1), (2000, 1, 1), 5), ["1500", "1600", "1700", "1800", "1900", "2000"]);
        let moments = time_ticks(-(DAY as f64), 0.0, 2, false);
        let written: Vec<&str> = moments.iter().map(|(_, label)| label.as_str()).collect();
        assert_eq!(written, ["12-31 00:00", "12-31 12:00", "01-01 00:00"]);
        assert_eq!(labels((2024, 1, 1), (2024, 1, 1), 4).len(), 1);
        assert!(time_ticks(f64::NAN, 1.0, 5, false).is_empty() && time_ticks(0.0, 1e300, 5, false).is_empty());
    }
}
