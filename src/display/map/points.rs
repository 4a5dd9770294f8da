//! Where the documents are: 16-bit coordinates on a square plane, finer than a pixel up to a zoom of about 60.

/// The largest coordinate.
pub(super) const SIDE: u16 = 65_534;

/// The coordinate of a row that is not drawn.
pub(super) const NOWHERE: u16 = u16::MAX;

/// The plane: as wide as the longer side of the layout, with the middle of the layout in its middle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Steps {
    middle: (f64, f64),
    /// What the whole side is in the layout.
    unit: f64,
}

impl Steps {
    /// A place of the layout, in steps of a coordinate.
    pub(super) fn at(&self, (x, y): (f64, f64)) -> [f64; 2] {
        [0.5 + (x - self.middle.0) / self.unit, 0.5 - (y - self.middle.1) / self.unit]
            .map(|share| share * f64::from(SIDE))
    }
}

/// Rows on the plane; y points down.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Points {
    /// Of each row; [`NOWHERE`] twice for rows that are not drawn.
    pub(super) places: Vec<[u16; 2]>,
    pub(super) steps: Steps,
}

impl Points {
    /// Places rows; a row with a coordinate that is not finite is not drawn.
    pub(super) fn of(rows: &[[f32; 2]]) -> Self {
        let finite = |(x, y): &(f64, f64)| x.is_finite() && y.is_finite();
        let rows = || rows.iter().map(|&[x, y]| (f64::from(x), f64::from(y)));
        let mut low = (f64::INFINITY, f64::INFINITY);
        let mut high = (f64::NEG_INFINITY, f64::NEG_INFINITY);
        for (x, y) in rows().filter(finite) {
            (low, high) = ((low.0.min(x), low.1.min(y)), (high.0.max(x), high.1.max(y)));
        }
        let extent = (high.0 - low.0).max(high.1 - low.1);
        let middle = ((low.0 + high.0) / 2.0, (low.1 + high.1) / 2.0);
        let steps = Steps { middle, unit: if extent > 0.0 { extent } else { 1.0 } };
        let step = |step: f64| step.round().clamp(0.0, f64::from(SIDE)) as u16;
        let place = |at: (f64, f64)| if finite(&at) { steps.at(at).map(step) } else { [NOWHERE; 2] };
        Points { places: rows().map(place).collect(), steps }
    }

    /// The number of rows that are drawn.
    pub(super) fn drawn(&self) -> usize {
        self.places.iter().filter(|place| Points::is_drawn(**place)).count()
    }

    /// All x, then all y, in little-endian order.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let x = self.places.iter().flat_map(|[x, _]| x.to_le_bytes());
        x.chain(self.places.iter().flat_map(|[_, y]| y.to_le_bytes())).collect()
    }

    /// Whether the row is drawn.
    pub(super) fn is_drawn(place: [u16; 2]) -> bool {
        place != [NOWHERE; 2]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_side_fills_the_plane_and_y_points_down() {
        let points = Points::of(&[[0.0, 0.0], [10.0, 5.0], [f32::NAN, 1.0], [5.0, f32::INFINITY]]);
        assert_eq!(points.drawn(), 2);
        let quarter = SIDE / 4;
        assert_eq!(points.places[0][0], 0);
        assert!(points.places[0][1].abs_diff(SIDE - quarter) <= 1);
        assert_eq!(points.places[1][0], SIDE);
        assert!(points.places[1][1].abs_diff(quarter) <= 1);
        assert_eq!(&points.places[2..], [[NOWHERE; 2]; 2]);
        assert_eq!(points.bytes().len(), 16);
    }

    #[test]
    fn equal_and_no_places_are_no_trouble() {
        assert_eq!(Points::of(&[[3.0, -1.0]; 4]).places, [[SIDE / 2; 2]; 4]);
        assert_eq!(Points::of(&[]).drawn(), 0);
        assert_eq!(Points::of(&[[f32::NAN, 0.0]]).places, [[NOWHERE; 2]]);
        assert_eq!(Points::of(&[[f32::MIN; 2], [f32::MAX; 2]]).places, [[0, SIDE], [SIDE, 0]]);
    }
}
