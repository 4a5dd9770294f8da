//! How strongly two properties of rows go together: counts in a table of two by two, tests, and their correction.

use super::distributions::{Z_95, chi_squared_tail, ln_factorial};

/// Expected counts below this are too small for the chi-squared test (Cochran 1954).
const SMALL: f64 = 5.0;

/// Fisher's test takes tables whose probabilities differ by less than this factor as equally likely, as scipy does.
const EQUALLY_LIKELY: f64 = 1.0 + 1e-7;

/// The test that a p-value is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AssociationTest {
    /// Pearson's chi-squared test with one degree of freedom, without continuity correction.
    ChiSquared,
    /// Fisher's exact test, two-sided: the probability of all tables with the same margins that are not more likely.
    Fisher,
}

/// How strongly two properties go together; see [`association`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Association {
    /// The share of rows with the first property among those with the second, divided by that among all rows: 1 if the
    /// properties are independent, 0 if they exclude each other.
    pub lift: f64,
    /// The natural logarithm of the odds ratio; 0 if the properties are independent. If a count is 0, 0.5 is added to
    /// all four (Haldane 1956, Anscombe 1956).
    pub log_odds_ratio: f64,
    /// The 95 % confidence interval of the log odds ratio (Woolf 1955).
    pub interval: (f64, f64),
    /// The probability of counts at least as extreme if the properties were independent.
    pub p_value: f64,
    /// The test: Fisher's if an expected count is below 5, otherwise chi-squared.
    pub test: AssociationTest,
}

/// How strongly two properties go together, given the number of rows that have `both`, only the first, only the second,
/// and neither. `None` if all rows or none have one of the properties: there is nothing to compare.
///
/// ```
/// use topicframe::measure::{AssociationTest, association};
///
/// // 30 of 40 posts about cats are by women, and 20 of 60 others.
/// let found = association(30, 10, 20, 40).unwrap();
/// assert_eq!(found.lift, (30.0 / 50.0) / (40.0 / 100.0));
/// assert!((found.log_odds_ratio - 6_f64.ln()).abs() < 1e-12);
/// assert!(found.test == AssociationTest::ChiSquared && found.p_value < 0.001);
/// assert_eq!(association(30, 10, 0, 0), None);
/// ```
pub fn association(both: u64, only_first: u64, only_second: u64, neither: u64) -> Option<Association> {
    let cells = [both, only_first, only_second, neither].map(|count| count as f64);
    let [a, b, c, d] = cells;
    let (first, second, all) = (a + b, a + c, a + b + c + d);
    let margins = [first, all - first, second, all - second];
    if margins.contains(&0.0) {
        return None;
    }
    let least = margins[0].min(margins[1]) * margins[2].min(margins[3]) / all;
    let (test, p_value) = match least < SMALL {
        true => (AssociationTest::Fisher, fisher(both, both + only_first, both + only_second, all as u64)),
        false => {
            let statistic =
                (a * d - b * c) / margins[0] * ((a * d - b * c) / margins[1]) * all / margins[2] / margins[3];
            (AssociationTest::ChiSquared, chi_squared_tail(statistic))
        }
    };
    let [a, b, c, d] = cells.map(|count| if cells.contains(&0.0) { count + 0.5 } else { count });
    let log_odds_ratio = (a.ln() + d.ln()) - (b.ln() + c.ln());
    let error = Z_95 * (1.0 / a + 1.0 / b + 1.0 / c + 1.0 / d).sqrt();
    Some(Association {
        lift: cells[0] / second / (first / all),
        log_odds_ratio,
        interval: (log_odds_ratio - error, log_odds_ratio + error),
        p_value,
        test,
    })
}

/// Fisher's exact test: `both` rows have both properties, `first` and `second` one of them, of `all` rows.
fn fisher(both: u64, first: u64, second: u64, all: u64) -> f64 {
    let (least, most) = ((first + second).saturating_sub(all), first.min(second));
    // The logarithm of the probability of `least` rows with both properties; the others follow by their ratios.
    let ln_choose = |n: u64, k: u64| ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k);
    let start = ln_choose(second, least) + ln_choose(all - second, first - least) - ln_choose(all, first);
    let mut logs = Vec::with_capacity((most - least + 1) as usize);
    logs.push(start);
    for k in least..most {
        let up = ((first - k) as f64) * ((second - k) as f64);
        let down = ((k + 1) as f64) * ((all + k + 1 - first - second) as f64);
        logs.push(logs.last().copied().unwrap_or(start) + (up / down).ln());
    }
    let Some(&own) = both.checked_sub(least).and_then(|at| logs.get(at as usize)) else { return 1.0 };
    let limit = own + EQUALLY_LIKELY.ln();
    // Summed from the smallest, relative to the table itself.
    let mut terms: Vec<f64> = logs.into_iter().filter(|&log| log <= limit).map(|log| (log - own).exp()).collect();
    terms.sort_unstable_by(f64::total_cmp);
    (own + terms.iter().sum::<f64>().ln()).exp().min(1.0)
}

/// The 95 % confidence interval of a share, of which `part` of `all` rows were seen (Wilson 1927). `None` without rows.
///
/// ```
/// use topicframe::measure::wilson_interval;
///
/// let (low, high) = wilson_interval(0, 10).unwrap();
/// assert!(low == 0.0 && (high - 0.2775).abs() < 1e-4);             // none of ten: at most 28 %
/// ```
pub fn wilson_interval(part: u64, all: u64) -> Option<(f64, f64)> {
    if all == 0 {
        return None;
    }
    let n = all as f64;
    let share = part.min(all) as f64 / n;
    let square = Z_95 * Z_95;
    let center = (share + square / (2.0 * n)) / (1.0 + square / n);
    let width = Z_95 * (share * (1.0 - share) / n + square / (4.0 * n * n)).sqrt() / (1.0 + square / n);
    let low = if part == 0 { 0.0 } else { (center - width).max(0.0) };
    let high = if part >= all { 1.0 } else { (center + width).min(1.0) };
    Some((low, high))
}

/// The p-values of many tests, corrected so that of the tests below a limit, at most that share is expected to be false
/// (false discovery rate; Benjamini and Hochberg 1995). In the order of `p_values`, which are 0 to 1; NaN stays, and is
/// not counted as a test.
///
/// ```
/// use topicframe::measure::benjamini_hochberg;
///
/// assert_eq!(benjamini_hochberg(&[0.01, 0.04, 0.03, 0.5]), [0.04, 0.04 * 4.0 / 3.0, 0.04 * 4.0 / 3.0, 0.5]);
/// ```
pub fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).filter(|&at| !p_values[at].is_nan()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]).then(a.cmp(&b)));
    let tests = order.len() as f64;
    let mut corrected = p_values.to_vec();
    let mut least = 1.0_f64;
    for (rank, &at) in order.iter().enumerate().rev() {
        least = least.min(p_values[at] * tests / (rank + 1) as f64);
        corrected[at] = least;
    }
    corrected
}
