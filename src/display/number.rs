//! Formatting numbers with a readable number of digits.

/// The format of the floats in a column, chosen so that their decimal points line up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FloatStyle {
    /// A number of digits after the decimal point.
    Fixed(usize),
    /// Four significant digits and a power of ten.
    Scientific,
}

impl FloatStyle {
    /// The style for a column with `values`: four significant digits of the largest value and at least two decimals,
    /// one decimal if all are integers, or scientific notation if the largest is huge or tiny.
    pub(super) fn for_column(values: impl Iterator<Item = f64>) -> Self {
        let (mut largest, mut whole) = (0.0_f64, true);
        for value in values.filter(|value| value.is_finite()) {
            largest = largest.max(value.abs());
            whole &= value.fract() == 0.0;
        }
        match largest {
            _ if largest >= 1e9 || (largest > 0.0 && largest < 1e-4) => FloatStyle::Scientific,
            _ if whole => FloatStyle::Fixed(1),
            _ if largest >= 1.0 => FloatStyle::Fixed((3 - largest.log10().floor() as i64).max(2) as usize),
            _ => FloatStyle::Fixed((3 - largest.log10().floor() as i64).clamp(4, 8) as usize),
        }
    }

    /// `value` in this style.
    pub(super) fn write(self, value: f64) -> String {
        match self {
            _ if !value.is_finite() => not_finite(value),
            FloatStyle::Fixed(digits) => format!("{value:.digits$}"),
            FloatStyle::Scientific if value == 0.0 => "0".to_owned(),
            FloatStyle::Scientific => format!("{value:.3e}"),
        }
    }
}

/// A single float: four significant digits without trailing zeros.
pub(super) fn short_float(value: f64) -> String {
    let size = value.abs();
    match size {
        _ if !value.is_finite() => not_finite(value),
        0.0 => "0".to_owned(),
        _ if !(1e-4..1e9).contains(&size) => format!("{value:.3e}"),
        _ => {
            let digits = (3 - size.log10().floor() as i64).clamp(0, 8) as usize;
            let written = format!("{value:.digits$}");
            match written.contains('.') {
                true => written.trim_end_matches('0').trim_end_matches('.').to_owned(),
                false => written,
            }
        }
    }
}

fn not_finite(value: f64) -> String {
    match value {
        _ if value.is_nan() => "NaN".to_owned(),
        _ if value > 0.0 => "∞".to_owned(),
        _ => "−∞".to_owned(),
    }
}
