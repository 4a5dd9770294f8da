//! Whether a share rises or falls.

use super::distributions::{student_quantile_95, student_two_sided};

/// The linear trend of a share; see [`trend`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Trend {
    /// The change of the share per unit of time.
    pub slope: f64,
    /// The standard error of the slope.
    pub error: f64,
    /// The 95 % confidence interval of the slope.
    pub interval: (f64, f64),
    /// The probability of a slope at least as steep, in either direction, if the share did not change.
    pub p_value: f64,
}

/// The linear trend of a share over time: for each bin, its time, the rows that count, and all rows.
///
/// The slope is that of the shares weighted by the rows of their bins, as in the test of Cochran (1954) and Armitage
/// (1955). That test supposes that rows are independent, so with many rows, it takes every fluctuation for a trend. Here,
/// the variance is that of the bins around the line if it is larger than that of independent rows, and the p-value is
/// from Student's t distribution with two degrees of freedom less than there are bins. So the test is honest about few
/// bins: with three of them, nearly nothing is significant.
///
/// `None` with fewer than three bins that have rows, if these have less than two times, or if the share is 0 or 1 in all
/// of them. A count above all rows is taken as all.
///
/// ```
/// use topicframe::measure::trend;
///
/// let rising = trend(&[(0.0, 1, 100), (1.0, 4, 100), (2.0, 9, 100), (3.0, 15, 100), (4.0, 18, 100)]).unwrap();
/// assert!(rising.slope > 0.04 && rising.p_value < 0.02);
/// let bursts = trend(&[(0.0, 1, 100), (1.0, 30, 100), (2.0, 2, 100), (3.0, 28, 100), (4.0, 9, 100)]).unwrap();
/// assert!(bursts.p_value > 0.5);
/// assert_eq!(trend(&[(0.0, 1, 100), (1.0, 4, 100)]), None);
/// ```
pub fn trend(bins: &[(f64, u64, u64)]) -> Option<Trend> {
    let bins: Vec<(f64, f64, f64)> = bins
        .iter()
        .filter(|&&(time, _, all)| all > 0 && time.is_finite())
        .map(|&(time, part, all)| (time, part.min(all) as f64 / all as f64, all as f64))
        .collect();
    let freedom = bins.len().checked_sub(2).filter(|&freedom| freedom > 0)? as f64;
    let rows: f64 = bins.iter().map(|(_, _, all)| all).sum();
    let mean = |of: fn(&(f64, f64, f64)) -> f64| bins.iter().map(|bin| bin.2 * of(bin)).sum::<f64>() / rows;
    let (time, share) = (mean(|bin| bin.0), mean(|bin| bin.1));
    let spread: f64 = bins.iter().map(|(t, _, all)| all * (t - time).powi(2)).sum();
    if spread <= 0.0 || share <= 0.0 || share >= 1.0 {
        return None;
    }
    let slope = bins.iter().map(|(t, y, all)| all * (t - time) * (y - share)).sum::<f64>() / spread;
    let around: f64 = bins.iter().map(|(t, y, all)| all * (y - share - slope * (t - time)).powi(2)).sum();
    let variance = (around / freedom).max(share * (1.0 - share));
    let error = (variance / spread).sqrt();
    let width = student_quantile_95(freedom) * error;
    Some(Trend {
        slope,
        error,
        interval: (slope - width, slope + width),
        p_value: student_two_sided(slope / error, freedom),
    })
}
