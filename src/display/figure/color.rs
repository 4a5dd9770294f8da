//! Colors that differ for every kind of sight: 18 colors in OKLCH (Ottosson 2020), simulations of color blindness
//! (Machado, Oliveira and Fernandes 2009), and the choice of colors such that neighbors differ.

use std::sync::LazyLock;

/// The number of colors of a palette.
pub(in crate::display) const COLORS: usize = 18;

/// Lightness on a light and on a dark ground, chroma, and hue in degrees. The colors were chosen from a grid in OKLCH one
/// after another, each as different as possible from those before it, for whichever sight and ground tells them apart
/// worst; those with a contrast below 3 on white or 4.5 on the dark ground were left out. So the first few of them are the
/// ones to use together.
const PALETTE: [(f64, f64, f64, f64); COLORS] = [
    (0.627, 0.847, 0.17, 100.0),
    (0.387, 0.607, 0.17, 280.0),
    (0.387, 0.607, 0.12, 30.0),
    (0.653, 0.873, 0.12, 220.0),
    (0.520, 0.740, 0.08, 180.0),
    (0.547, 0.767, 0.17, 300.0),
    (0.493, 0.713, 0.12, 60.0),
    (0.387, 0.607, 0.08, 320.0),
    (0.467, 0.687, 0.08, 290.0),
    (0.600, 0.820, 0.08, 150.0),
    (0.440, 0.660, 0.08, 170.0),
    (0.573, 0.793, 0.12, 340.0),
    (0.547, 0.767, 0.08, 80.0),
    (0.600, 0.820, 0.12, 300.0),
    (0.653, 0.873, 0.12, 140.0),
    (0.440, 0.660, 0.12, 50.0),
    (0.493, 0.713, 0.17, 310.0),
    (0.467, 0.687, 0.17, 10.0),
];

/// Repair rounds after the first choice.
const ROUNDS: usize = 20;

/// A color in sRGB, each component from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rgb(pub(super) [f64; 3]);

impl Rgb {
    /// The nearest color of the screen with this lightness and hue (in degrees), and at most this chroma.
    pub(super) fn oklch(lightness: f64, chroma: f64, hue: f64) -> Self {
        let (sin, cos) = hue.to_radians().sin_cos();
        let mut chroma = chroma;
        loop {
            let linear = linear_of_oklab([lightness, chroma * cos, chroma * sin]);
            if chroma <= 0.0 || linear.iter().all(|&c| (-1e-4..=1.0001).contains(&c)) {
                return Rgb(linear.map(|c| encoded(c.clamp(0.0, 1.0))));
            }
            chroma -= 0.005;
        }
    }

    /// `#rrggbb`.
    pub(super) fn hex(self) -> String {
        let [r, g, b] = self.0.map(|c| (c.clamp(0.0, 1.0) * 255.0).round() as u8);
        format!("#{r:02x}{g:02x}{b:02x}")
    }

    fn oklab(self) -> [f64; 3] {
        oklab_of_linear(self.0.map(decoded))
    }

    /// Relative luminance, as in WCAG 2.
    #[cfg(test)]
    pub(super) fn luminance(self) -> f64 {
        let [r, g, b] = self.0.map(decoded);
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    /// The color as someone with this sight sees it.
    pub(super) fn seen(self, sight: Sight) -> Self {
        let Some(matrix) = sight.matrix() else { return self };
        Rgb(product(&matrix, self.0.map(decoded)).map(|c| encoded(c.clamp(0.0, 1.0))))
    }

    /// The distance in OKLab, times 100: below about 5, small marks look alike.
    pub(super) fn difference(self, other: Rgb) -> f64 {
        let (a, b) = (self.oklab(), other.oklab());
        100.0 * a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
    }

    /// The smallest difference over all kinds of sight.
    pub(super) fn least_difference(self, other: Rgb) -> f64 {
        Sight::ALL.iter().map(|&sight| self.seen(sight).difference(other.seen(sight))).fold(f64::INFINITY, f64::min)
    }
}

/// Kinds of sight: without and with color blindness of full severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    Normal,
    Deuteranopia,
    Protanopia,
    Tritanopia,
}

impl Sight {
    pub(super) const ALL: [Sight; 4] = [Sight::Normal, Sight::Deuteranopia, Sight::Protanopia, Sight::Tritanopia];

    /// Machado and others' matrices for linear RGB at severity 1.0.
    fn matrix(self) -> Option<[[f64; 3]; 3]> {
        match self {
            Sight::Normal => None,
            Sight::Protanopia => Some([
                [0.152286, 1.052583, -0.204868],
                [0.114503, 0.786281, 0.099216],
                [-0.003882, -0.048116, 1.051998],
            ]),
            Sight::Deuteranopia => {
                Some([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]])
            }
            Sight::Tritanopia => Some([
                [1.255528, -0.076749, -0.178779],
                [-0.078411, 0.930809, 0.147602],
                [0.004733, 0.691367, 0.303900],
            ]),
        }
    }
}

/// The palette on a light or a dark ground. A number means the same hue in both.
pub(super) fn palette(dark: bool) -> &'static [Rgb; COLORS] {
    static PALETTES: LazyLock<[[Rgb; COLORS]; 2]> = LazyLock::new(|| {
        let light = PALETTE.map(|(lightness, _, chroma, hue)| Rgb::oklch(lightness, chroma, hue));
        [light, PALETTE.map(|(_, lightness, chroma, hue)| Rgb::oklch(lightness, chroma, hue))]
    });
    let [light, of_dark] = &*PALETTES;
    if dark { of_dark } else { light }
}

/// The smallest difference between two colors of the palette, over all kinds of sight, on both grounds.
fn differences() -> &'static [[f64; COLORS]; COLORS] {
    static DIFFERENCES: LazyLock<[[f64; COLORS]; COLORS]> = LazyLock::new(|| {
        let between = |a: usize, b: usize| {
            [false, true]
                .into_iter()
                .filter_map(|dark| Some(palette(dark).get(a)?.least_difference(*palette(dark).get(b)?)))
                .fold(f64::INFINITY, f64::min)
        };
        std::array::from_fn(|a| std::array::from_fn(|b| between(a, b)))
    });
    &DIFFERENCES
}

/// The smallest difference between two colors of the palette, by number.
pub(super) fn palette_difference(a: u8, b: u8) -> f64 {
    differences().get(usize::from(a)).and_then(|row| row.get(usize::from(b))).copied().unwrap_or(0.0)
}

/// A color number for each node, such that neighbors differ: in the order of the nodes, each takes the color that
/// differs most from those of its neighbors that have one, the least used of equally good ones; then each may choose
/// again, now knowing all of its neighbors. `neighbors` has the neighbors of each node.
pub(super) fn colored(neighbors: &[Vec<usize>]) -> Vec<u8> {
    let mut chosen: Vec<Option<u8>> = vec![None; neighbors.len()];
    let mut used = [0_usize; COLORS];
    for round in 0..=ROUNDS {
        let mut changed = false;
        for (node, around) in neighbors.iter().enumerate() {
            let others: Vec<u8> = around.iter().filter_map(|&other| chosen.get(other).copied().flatten()).collect();
            let own = chosen.get(node).copied().flatten();
            let worst = |color: u8| others.iter().map(|&o| palette_difference(color, o)).fold(f64::INFINITY, f64::min);
            let (mut best, mut value) = (own, own.map_or(-1.0, |color| worst(color).min(ENOUGH)));
            for color in 0..COLORS as u8 {
                let found = worst(color).min(ENOUGH);
                let fewer = |best: Option<u8>| match best {
                    Some(best) => count(&used, color) < count(&used, best),
                    None => true,
                };
                // A color that is good enough is kept, so that the choice comes to rest.
                if found > value + 1e-9 || (own.is_none() && found > value - 1e-9 && fewer(best)) {
                    (best, value) = (Some(color), found);
                }
            }
            if best != own {
                changed = true;
                if let Some(count) = own.and_then(|color| used.get_mut(usize::from(color))) {
                    *count -= 1;
                }
                if let Some(count) = best.and_then(|color| used.get_mut(usize::from(color))) {
                    *count += 1;
                }
                if let Some(place) = chosen.get_mut(node) {
                    *place = best;
                }
            }
        }
        if !changed && round > 0 {
            break;
        }
    }
    chosen.into_iter().map(Option::unwrap_or_default).collect()
}

/// Differences beyond this one are equally good.
const ENOUGH: f64 = 10.0;

fn count(used: &[usize; COLORS], color: u8) -> usize {
    used.get(usize::from(color)).copied().unwrap_or_default()
}

/// The color numbers of `n` series that are all seen together. Beyond 18, colors repeat.
pub(super) fn distinct(n: usize) -> Vec<u8> {
    (0..COLORS as u8).cycle().take(n).collect()
}

/// A ramp of one hue from the ground (0) to ink (1).
pub(super) fn ramp(share: f64, dark: bool) -> Rgb {
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    let (from, to) = if dark { (0.24, 0.92) } else { (0.98, 0.33) };
    // Chroma is highest in the middle, where the screen has the most of it.
    Rgb::oklch(from + (to - from) * share, 0.02 + 0.13 * (share * (1.6 - share)).min(0.64) / 0.64, 250.0)
}

fn decoded(c: f64) -> f64 {
    if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
}

fn encoded(c: f64) -> f64 {
    if c <= 0.003_130_8 { 12.92 * c } else { 1.055 * c.powf(1.0 / 2.4) - 0.055 }
}

fn product(matrix: &[[f64; 3]; 3], [x, y, z]: [f64; 3]) -> [f64; 3] {
    matrix.map(|[a, b, c]| a * x + b * y + c * z)
}

fn linear_of_oklab(lab: [f64; 3]) -> [f64; 3] {
    const TO_CONES: [[f64; 3]; 3] = [
        [1.0, 0.396_337_777_4, 0.215_803_757_3],
        [1.0, -0.105_561_345_8, -0.063_854_172_8],
        [1.0, -0.089_484_177_5, -1.291_485_548_0],
    ];
    const TO_RGB: [[f64; 3]; 3] = [
        [4.076_741_662_1, -3.307_711_591_3, 0.230_969_929_2],
        [-1.268_438_004_6, 2.609_757_401_1, -0.341_319_396_5],
        [-0.004_196_086_3, -0.703_418_614_7, 1.707_614_701_0],
    ];
    product(&TO_RGB, product(&TO_CONES, lab).map(|cone| cone * cone * cone))
}

fn oklab_of_linear(rgb: [f64; 3]) -> [f64; 3] {
    const TO_CONES: [[f64; 3]; 3] = [
        [0.412_221_470_8, 0.536_332_536_3, 0.051_445_992_9],
        [0.211_903_498_2, 0.680_699_545_1, 0.107_396_956_6],
        [0.088_302_461_9, 0.281_718_837_6, 0.629_978_700_5],
    ];
    const TO_LAB: [[f64; 3]; 3] = [
        [0.210_454_255_3, 0.793_617_785_0, -0.004_072_046_8],
        [1.977_998_495_1, -2.428_592_205_0, 0.450_593_709_9],
        [0.025_904_037_1, 0.782_771_766_2, -0.808_675_766_0],
    ];
    product(&TO_LAB, product(&TO_CONES, rgb).map(f64::cbrt))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oklab_is_inverted_exactly() {
        for rgb in [[1.0, 0.0, 0.0], [0.2, 0.7, 0.4], [1.0; 3]] {
            let back = linear_of_oklab(oklab_of_linear(rgb));
            assert!(rgb.iter().zip(back).all(|(a, b)| (a - b).abs() < 1e-6), "{rgb:?} {back:?}");
        }
        // Ottosson's value for red.
        let [l, a, b] = Rgb([1.0, 0.0, 0.0]).oklab();
        assert!((l - 0.6280).abs() < 1e-3 && (a - 0.2249).abs() < 1e-3 && (b - 0.1258).abs() < 1e-3);
    }

    #[test]
    fn marks_are_visible_on_their_ground() {
        let contrast = |a: f64, b: f64| (a.max(b) + 0.05) / (a.min(b) + 0.05);
        for color in palette(false) {
            assert!(contrast(color.luminance(), 1.0) >= 3.0, "{} on white", color.hex());
        }
        let ground = Rgb([0x11, 0x14, 0x18].map(|c| f64::from(c) / 255.0)).luminance();
        for color in palette(true) {
            assert!(contrast(color.luminance(), ground) >= 4.5, "{} on the dark ground", color.hex());
        }
    }

    #[test]
    fn series_that_are_seen_together_differ() {
        for (most, least) in [(8, 10.0), (COLORS, 5.0)] {
            let colors = distinct(most);
            for (place, &a) in colors.iter().enumerate() {
                for &b in colors.iter().skip(place + 1) {
                    assert!(palette_difference(a, b) > least, "{a} {b}: {}", palette_difference(a, b));
                }
            }
        }
        assert_eq!(distinct(40).len(), 40);
    }

    #[test]
    fn neighbors_differ_for_every_sight() {
        // A grid of hexagons: six neighbors each.
        let (wide, high) = (20_i64, 20_i64);
        let inside = |x: i64, y: i64| (0..wide).contains(&x) && (0..high).contains(&y);
        let neighbors: Vec<Vec<usize>> = (0..wide * high)
            .map(|node| {
                let (x, y) = (node % wide, node / wide);
                [(1, 0), (-1, 0), (0, 1), (0, -1), (1, -1), (-1, 1)]
                    .into_iter()
                    .filter(|(dx, dy)| inside(x + dx, y + dy))
                    .map(|(dx, dy)| ((y + dy) * wide + x + dx) as usize)
                    .collect()
            })
            .collect();
        let colors = colored(&neighbors);
        let differences = neighbors.iter().enumerate().flat_map(|(node, around)| {
            let colors = &colors;
            around.iter().map(move |&other| palette_difference(colors[node], colors[other]))
        });
        assert!(differences.fold(f64::INFINITY, f64::min) > 8.0);
        assert_eq!(colors, colored(&neighbors));
    }
}
