//! Axes: from values to pixels, and the round numbers that are written beside them.

/// The positions of an axis: `domain` is drawn from `range.0` to `range.1`, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Axis {
    domain: (f64, f64),
    range: (f64, f64),
}

impl Axis {
    /// An axis over `domain`; a domain of one value is widened, so that every value has a place.
    pub(super) fn new(domain: (f64, f64), range: (f64, f64)) -> Self {
        let (low, high) = domain;
        let domain = match (low.is_finite() && high.is_finite(), high > low) {
            (false, _) => (0.0, 1.0),
            (true, true) => (low, high),
            (true, false) if low == 0.0 => (0.0, 1.0),
            (true, false) => (low - low.abs() / 2.0, low + low.abs() / 2.0),
        };
        Axis { domain, range }
    }

    /// An axis from 0 (or the smallest value, if it is negative) to a round number that no value exceeds.
    pub(super) fn of(values: impl Iterator<Item = f64>, range: (f64, f64), ticks: usize) -> Self {
        let (low, high) = extent(values).unwrap_or((0.0, 1.0));
        let axis = Axis::new((low.min(0.0), high.max(0.0)), range);
        let step = step(axis.domain, ticks);
        Axis::new(((axis.domain.0 / step).floor() * step, (axis.domain.1 / step).ceil() * step), range)
    }

    /// The values at its ends.
    pub(super) fn domain(&self) -> (f64, f64) {
        self.domain
    }

    /// The place of `value`.
    pub(super) fn at(&self, value: f64) -> f64 {
        let share = (value - self.domain.0) / (self.domain.1 - self.domain.0);
        self.range.0 + share.clamp(-0.05, 1.05) * (self.range.1 - self.range.0)
    }

    /// About `most` round values, with their labels.
    pub(super) fn ticks(&self, most: usize) -> Vec<(f64, String)> {
        let step = step(self.domain, most);
        let digits = (-step.log10().floor()).clamp(0.0, 12.0) as usize;
        let first = (self.domain.0 / step - 1e-9).ceil() as i64;
        let last = (self.domain.1 / step + 1e-9).floor() as i64;
        (first..=last.min(first.saturating_add(100)))
            .map(|number| {
                let value = number as f64 * step;
                (value, label(value, digits))
            })
            .collect()
    }
}

/// The smallest and the largest of the finite values.
pub(super) fn extent(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.filter(|value| value.is_finite()).fold(None, |extent, value| match extent {
        None => Some((value, value)),
        Some((low, high)) => Some((value.min(low), value.max(high))),
    })
}

/// 1, 2 or 5 times a power of ten, so that at most `most` steps fit in `domain`.
fn step((low, high): (f64, f64), most: usize) -> f64 {
    let rough = (high - low) / most.max(1) as f64;
    let power = 10.0_f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * power >= rough * (1.0 - 1e-9));
    factor.unwrap_or(10.0) * power
}

/// Large numbers with `k` and `M`; others with as many digits as the step between ticks has.
fn label(value: f64, digits: usize) -> String {
    let shortened = |scale: f64, unit: &str| {
        let written = format!("{:.2}", value / scale);
        format!("{}{unit}", written.trim_end_matches('0').trim_end_matches('.'))
    };
    match value.abs() {
        size if size >= 1e6 => shortened(1e6, "M"),
        size if size >= 1e4 => shortened(1e3, "k"),
        size if size < 1e-12 => "0".to_owned(),
        _ => format!("{value:.digits$}").replace('-', "−"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let labels = |domain, most| -> Vec<String> {
            Axis::new(domain, (0.0, 100.0)).ticks(most).into_iter().map(|(_, label)| label).collect()
        };
        assert_eq!(labels((0.0, 1.0), 5), ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels((0.0, 0.03), 3), ["0", "0.01", "0.02", "0.03"]);
        assert_eq!(labels((-1.0, 1.0), 4), ["−1.0", "−0.5", "0", "0.5", "1.0"]);
        assert_eq!(labels((0.0, 45_000.0), 5), ["0", "10k", "20k", "30k", "40k"]);
    }

    #[test]
    fn a_domain_of_one_value_has_places() {
        let axis = Axis::new((3.0, 3.0), (0.0, 100.0));
        assert_eq!(axis.at(3.0), 50.0);
        assert!(Axis::new((f64::NAN, 1.0), (0.0, 1.0)).ticks(4).len() > 1);
        assert_eq!(Axis::of([2.0, 7.3].into_iter(), (0.0, 80.0), 4).at(8.0), 80.0);
    }
}
