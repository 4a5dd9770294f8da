//! The layout of the rows in the plane.

use std::sync::{Arc, OnceLock};

use polars::prelude::*;

use crate::corpus::internal;
use crate::error::Result;
use crate::reduce::umap::FittedUmap;
use crate::state::State;

/// A position for each row of the fit that has a vector.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    /// The position of each row; NaN for a row that has none.
    points: Vec<[f32; 2]>,
    /// The scale by which new rows are placed; `None` if the positions were given.
    scale: Option<Scale>,
    /// What places new rows, once it was needed.
    placing: OnceLock<Arc<FittedUmap>>,
}

/// The scale of the neighborhoods that were laid out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    pub(crate) n_neighbors: usize,
    pub(crate) mean_distance: f32,
}

/// The place of a row that has none.
const NOWHERE: [f32; 2] = [f32::NAN; 2];

impl Layout {
    /// A layout of `len` rows, of which `rows` have the position of their `places`; without a scale, it was given.
    pub(crate) fn new(
        positions: &[[f32; 2]],
        rows: &[usize],
        places: &[u32],
        len: usize,
        scale: Option<Scale>,
    ) -> Self {
        let mut points = vec![NOWHERE; len];
        for (&row, &place) in rows.iter().zip(places) {
            if let (Some(point), Some(position)) = (points.get_mut(row), positions.get(place as usize)) {
                *point = *position;
            }
        }
        Layout { points, scale, placing: OnceLock::new() }
    }

    /// The positions that somebody gave, one for each row.
    pub(crate) fn given(points: Vec<Option<[f32; 2]>>) -> Self {
        let points = points.into_iter().map(|point| point.unwrap_or(NOWHERE)).collect();
        Layout { points, scale: None, placing: OnceLock::new() }
    }

    /// The position of each row; NaN for a row that has none.
    pub(crate) fn points(&self) -> &[[f32; 2]] {
        &self.points
    }

    /// The scale of the neighborhoods; `None` if the positions were given.
    pub(crate) fn scale(&self) -> Option<Scale> {
        self.scale
    }

    /// What places new rows, which `build` returns when it is first needed.
    pub(crate) fn placing(&self, build: impl FnOnce() -> Result<FittedUmap>) -> Result<Arc<FittedUmap>> {
        if let Some(placing) = self.placing.get() {
            return Ok(Arc::clone(placing));
        }
        let built = Arc::new(build()?);
        Ok(Arc::clone(self.placing.get_or_init(|| built)))
    }

    /// The same without what keeps vectors.
    pub(crate) fn without_vectors(&self) -> Self {
        Layout { points: self.points.clone(), scale: self.scale, placing: OnceLock::new() }
    }

    /// `x` and `y` of each row, null for a row that has none.
    pub(crate) fn columns(&self) -> [Column; 2] {
        let values = |name: &str, axis: fn(&[f32; 2]) -> f32| {
            let values = self.points.iter().map(|point| Some(axis(point)).filter(|x| x.is_finite()));
            Column::new(name.into(), values.collect::<Vec<Option<f32>>>())
        };
        [values("x", |&[x, _]| x), values("y", |&[_, y]| y)]
    }

    pub(crate) fn frame(&self) -> Result<DataFrame> {
        DataFrame::new(self.points.len(), self.columns().into()).map_err(internal)
    }

    pub(crate) fn state(&self) -> State<'_> {
        let state = State::new("layout").with_values("points", self.points.as_flattened());
        match self.scale {
            Some(Scale { n_neighbors, mean_distance }) => {
                state.with_setting("n_neighbors", n_neighbors).with_values("mean_distance", vec![mean_distance])
            }
            None => state,
        }
    }

    /// The layout of a state, of this many rows.
    pub(crate) fn from_state(mut state: State<'_>, rows: usize) -> Result<Self> {
        let values = state.take_raw::<f32>("points")?;
        let (points, rest) = values.as_chunks::<2>();
        let is_place = |[x, y]: &[f32; 2]| x.is_finite() && y.is_finite() || x.is_nan() && y.is_nan();
        if points.len() != rows || !rest.is_empty() || !points.iter().all(is_place) {
            return Err(state.out_of_range("points"));
        }
        let scale = match state.has("mean_distance") {
            true => {
                let mean_distance = state.take_exactly::<f32>("mean_distance", 1)?.first().copied().unwrap_or_default();
                if !mean_distance.is_finite() || mean_distance < 0.0 {
                    return Err(state.out_of_range("mean_distance"));
                }
                Some(Scale { n_neighbors: state.setting::<usize>("n_neighbors")?.max(1), mean_distance })
            }
            false => None,
        };
        Ok(Layout { points: points.to_vec(), scale, placing: OnceLock::new() })
    }
}

/// The positions turned about their mean, which becomes (0, 0), so that they are widest from left to right.
pub(crate) fn turned(points: &mut [[f32; 2]]) {
    let n = points.len().max(1) as f64;
    let sum = points.iter().fold([0.0_f64; 2], |[x, y], &[a, b]| [x + f64::from(a), y + f64::from(b)]);
    let mean = sum.map(|sum| sum / n);
    let centered = |&[x, y]: &[f32; 2]| [f64::from(x) - mean[0], f64::from(y) - mean[1]];
    let (mut difference, mut product) = (0.0, 0.0);
    for [x, y] in points.iter().map(centered) {
        difference += (x * x - y * y) / 2.0;
        product += x * y;
    }
    // The double angle of the main axis, halved without trigonometry, whose last bit differs between systems.
    let length = (difference * difference + product * product).sqrt();
    let double = if length > 0.0 { difference / length } else { 1.0 };
    let cos = ((1.0 + double) / 2.0).max(0.0).sqrt();
    let sin = ((1.0 - double) / 2.0).max(0.0).sqrt().copysign(product);
    for point in points.iter_mut() {
        let [x, y] = centered(point);
        *point = [(x * cos + y * sin) as f32, (y * cos - x * sin) as f32];
    }
}
