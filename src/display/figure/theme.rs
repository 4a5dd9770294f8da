//! What a figure is painted with, on a light and on a dark ground.

use super::color::{self, COLORS};

/// Steps of the ramp: a finite number, so that a page can exchange all of them when it is dark.
pub(super) const RAMP: u8 = 32;

/// A paint by its meaning. Every paint has another color on a light and on a dark ground.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::display) enum Paint {
    /// The ground.
    Ground,
    /// Text and what is read.
    Ink,
    /// Text of lower rank: units, counts, notes.
    Muted,
    /// Lines of a grid, and the tracks of bars.
    Faint,
    /// Bars and points where there is only one series.
    Accent,
    /// Outliers, and series that are shown for comparison only.
    Rest,
    /// A color of the palette, by number.
    Series(u8),
    /// A step of the ramp, from 0 to [`RAMP`]: see [`Paint::ramp`].
    Ramp(u8),
}

impl Paint {
    /// The step of the ramp for a share between 0 and 1.
    pub(super) fn ramp(share: f64) -> Self {
        let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
        Paint::Ramp((share * f64::from(RAMP)).round() as u8)
    }

    /// The paint of text on this step of the ramp.
    pub(super) fn on_ramp(share: f64) -> Self {
        if share > 0.55 { Paint::Ground } else { Paint::Ink }
    }

    /// `#rrggbb`.
    pub(in crate::display) fn hex(self, dark: bool) -> String {
        let of = |light: &str, of_dark: &str| (if dark { of_dark } else { light }).to_owned();
        match self {
            Paint::Ground => of("#ffffff", "#111418"),
            Paint::Ink => of("#1f2328", "#e6e9ed"),
            Paint::Muted => of("#5c6670", "#9aa4ae"),
            Paint::Faint => of("#e3e6ea", "#2b3138"),
            Paint::Accent => of("#2f6fb3", "#6cabec"),
            Paint::Rest => of("#a3abb4", "#636c76"),
            Paint::Series(number) => {
                let colors = color::palette(dark);
                colors.get(usize::from(number) % COLORS).map(|color| color.hex()).unwrap_or_default()
            }
            Paint::Ramp(step) => color::ramp(f64::from(step) / f64::from(RAMP), dark).hex(),
        }
    }

    /// Red, green and blue, for images.
    pub(super) fn rgb(self, dark: bool) -> [u8; 3] {
        let hex = self.hex(dark);
        let part = |start: usize| hex.get(start..start + 2).and_then(|part| u8::from_str_radix(part, 16).ok());
        [1, 3, 5].map(|start| part(start).unwrap_or_default())
    }

    fn all() -> impl Iterator<Item = Paint> {
        [Paint::Ground, Paint::Ink, Paint::Muted, Paint::Faint, Paint::Accent, Paint::Rest]
            .into_iter()
            .chain((0..COLORS as u8).map(Paint::Series))
            .chain((0..=RAMP).map(Paint::Ramp))
    }
}

/// The color of the ground, as `#rrggbb`.
pub(in crate::display) fn ground(dark: bool) -> String {
    Paint::Ground.hex(dark)
}

/// Style rules that paint light figures below `selector` for a dark ground. A rule of a style sheet has precedence over
/// an attribute, so a figure needs no classes.
pub(in crate::display) fn dark_rules(selector: &str) -> String {
    let mut rules = String::new();
    for paint in Paint::all() {
        let (light, dark) = (paint.hex(false), paint.hex(true));
        for attribute in ["fill", "stroke"] {
            rules.push_str(&format!("{selector} [{attribute}=\"{light}\"]{{{attribute}:{dark}}}"));
        }
    }
    // The pixels of a picture of points stay as they are.
    rules.push_str(&format!("{selector} image[aria-label$=\" points\"]{{filter:brightness(1.6)}}"));
    rules
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_paints_of_a_light_figure_are_alike() {
        let colors: BTreeSet<String> = Paint::all().map(|paint| paint.hex(false)).collect();
        assert_eq!(colors.len(), Paint::all().count());
    }
}
