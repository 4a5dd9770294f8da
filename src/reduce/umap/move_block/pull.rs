//! The forces between points.

#![allow(clippy::needless_range_loop, reason = "only indexed loops over the lanes of several arrays are vectorized")]

use crate::reduce::umap::forces::Forces;
use crate::reduce::umap::power::{limited, powers};
use crate::reduce::umap::turns::SIDE_BY_SIDE;
use crate::reduce::umap::wide::{LANES, Wide};

/// The forces as fractions of the difference between two points, by its squared length.
pub(super) struct Pull {
    pub(super) a: f32,
    pub(super) exponent: f32,
    pub(super) attraction: f32,
    pub(super) repulsion: f32,
    pub(super) learning_rate: f32,
}

impl Pull {
    pub(super) fn new(forces: &Forces, epoch: u32) -> Self {
        Pull {
            a: forces.a,
            exponent: forces.b - 1.0,
            attraction: -2.0 * forces.a * forces.b,
            repulsion: 2.0 * forces.repulsion_strength * forces.b,
            learning_rate: forces.learning_rate_at(epoch),
        }
    }

    /// The coefficients if all lanes repel.
    #[inline(always)]
    pub(super) fn of_others(&self, squared: Wide) -> Wide {
        let power = powers(squared.0, self.exponent);
        let mut out = Wide::ZERO;
        for lane in 0..LANES {
            out.0[lane] = self.repulsion / self.resistance(squared.0[lane], power[lane]);
        }
        out
    }

    /// The coefficients if the first lanes attract and the others repel. An endpoint that is not `within` the block
    /// attracts for both ends.
    #[inline(always)]
    pub(super) fn of_ends(&self, squared: Wide, within: &[bool; SIDE_BY_SIDE]) -> Wide {
        let power = powers(squared.0, self.exponent);
        let mut out = Wide::ZERO;
        for lane in 0..LANES {
            let attracts = lane < SIDE_BY_SIDE;
            let strength = if attracts { self.attraction * power[lane] } else { self.repulsion };
            let near = if attracts { 1.0 } else { 0.001 };
            let distance = if attracts { 0.0 } else { squared.0[lane] };
            out.0[lane] = strength / ((near + distance) * self.inverse_closeness(squared.0[lane], power[lane]));
        }
        for lane in 0..SIDE_BY_SIDE {
            let twice = self.twice(out.0[lane]);
            out.0[lane] = if within[lane] { out.0[lane] } else { twice };
        }
        out
    }

    #[inline(always)]
    fn resistance(&self, squared: f32, power: f32) -> f32 {
        (0.001 + squared) * self.inverse_closeness(squared, power)
    }

    /// 1 + a d^2b.
    #[inline(always)]
    fn inverse_closeness(&self, squared: f32, power: f32) -> f32 {
        1.0 + self.a * power * squared
    }

    /// The coefficient that moves a point as far as two turns of an edge do, if one turn has coefficient `once`.
    ///
    /// A turn moves both ends by a fraction of their difference, which leaves 1 - 2 · fraction of it, of which the
    /// second turn takes its fraction. If one turn would swap the ends, the second takes the move back.
    #[inline(always)]
    fn twice(&self, once: f32) -> f32 {
        once * (2.0 - 2.0 * limited(-once * self.learning_rate, 1.0))
    }
}
