//! Shares in percent.

/// `12%`; below 10 and above 90 with one decimal, so that a share and the rest add up, and never 0 or 100 for a part.
pub(super) fn percent(share: f64) -> String {
    match share * 100.0 {
        0.0 => "0%".to_owned(),
        100.0 => "100%".to_owned(),
        percent if percent < 0.1 => "< 0.1%".to_owned(),
        percent if percent > 99.9 => "> 99.9%".to_owned(),
        percent if !(9.95..=90.05).contains(&percent) => format!("{percent:.1}%"),
        percent => format!("{percent:.0}%"),
    }
}

/// A p-value in three decimals or fewer, but never rounded up to 0.05, which is what it is compared with.
pub(super) fn p_value(p: f64) -> String {
    match p {
        _ if p < 0.001 => "< 0.001".to_owned(),
        _ if (0.0495..0.05).contains(&p) => "< 0.05".to_owned(),
        _ if p < 0.0995 => format!("{p:.3}"),
        _ => format!("{p:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{p_value, percent};

    #[test]
    fn shares_and_the_rest_add_up() {
        let shown: Vec<String> =
            [0.0, 1e-9, 0.001, 0.003, 0.0994, 0.5, 0.9006, 0.997, 0.999, 0.99999, 1.0].map(percent).to_vec();
        let expected = ["0%", "< 0.1%", "0.1%", "0.3%", "9.9%", "50%", "90.1%", "99.7%", "99.9%", "> 99.9%", "100%"];
        assert_eq!(shown, expected);
    }

    #[test]
    fn p_values_are_short() {
        let shown = [0.0, 0.00099, 0.001, 0.0123, 0.0499, 0.2, 1.0].map(p_value).to_vec();
        assert_eq!(shown, ["< 0.001", "< 0.001", "0.001", "0.012", "< 0.05", "0.20", "1.00"]);
    }
}
