//! The forces that attract connected points and repel others.

/// The maximum distance that one force moves a point along one axis, at a learning rate of 1.
pub(super) const CLIP: f32 = 4.0;

/// Lower bound for squared distances, so that their negative powers stay finite.
pub(super) const MIN_SQUARED: f32 = 1e-12;

/// The parameters of the forces.
#[derive(Debug, Clone, Copy)]
pub(super) struct Forces {
    /// a of the curve 1 / (1 + a d^2b).
    pub(super) a: f32,
    /// b of the curve.
    pub(super) b: f32,
    /// The weight of repulsion.
    pub(super) repulsion_strength: f32,
    /// The number of repelling points per attracting point.
    pub(super) negative_sample_rate: u32,
    /// The initial learning rate; it decreases linearly to 0.
    pub(super) learning_rate: f32,
    /// Passes over the edges.
    pub(super) n_epochs: u32,
    /// The key of all random numbers.
    pub(super) seed: u64,
}

impl Forces {
    /// The learning rate in `epoch` (from 1).
    pub(super) fn learning_rate_at(&self, epoch: u32) -> f32 {
        self.learning_rate * (1.0 - (epoch - 1) as f32 / self.n_epochs as f32)
    }

    /// The fraction of the distance to a point at this `squared` distance by which that point attracts; `power` is
    /// `squared` to the power b - 1.
    #[inline(always)]
    pub(super) fn attraction(&self, squared: f32, power: f32) -> f32 {
        2.0 * self.a * self.b * power / self.inverse_closeness(squared, power)
    }

    /// The same for a repelling point.
    #[inline(always)]
    pub(super) fn repulsion(&self, squared: f32, power: f32) -> f32 {
        let strength = 2.0 * self.repulsion_strength * self.b;
        strength / ((0.001 + squared) * self.inverse_closeness(squared, power))
    }

    /// 1 + a d^2b.
    #[inline(always)]
    fn inverse_closeness(&self, squared: f32, power: f32) -> f32 {
        1.0 + self.a * power * squared
    }
}
