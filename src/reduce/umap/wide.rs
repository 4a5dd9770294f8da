//! Vectors of eight values, and points composed of them.
//!
//! Operations apply to all eight values, one by one and never fused, so the results are bit-identical with and without
//! vector instructions.

/// The number of lanes.
pub(super) const LANES: usize = 8;

/// Eight values, aligned so that they never straddle two cache lines.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(align(32))]
pub(super) struct Wide(pub(super) [f32; LANES]);

/// A point of up to 8·R values; the rest is zeros, which no force moves.
pub(super) type Point<const R: usize> = [Wide; R];

impl Wide {
    pub(super) const ZERO: Wide = Wide([0.0; LANES]);

    #[inline(always)]
    pub(super) fn plus(mut self, other: &Wide) -> Wide {
        for lane in 0..LANES {
            self.0[lane] += other.0[lane];
        }
        self
    }

    #[inline(always)]
    pub(super) fn minus(mut self, other: &Wide) -> Wide {
        for lane in 0..LANES {
            self.0[lane] -= other.0[lane];
        }
        self
    }

    #[inline(always)]
    pub(super) fn scaled(mut self, factor: f32) -> Wide {
        for lane in 0..LANES {
            self.0[lane] *= factor;
        }
        self
    }

    /// Every value clamped to -`bound` to `bound`.
    #[inline(always)]
    pub(super) fn limited(mut self, bound: f32) -> Wide {
        for lane in 0..LANES {
            self.0[lane] = super::power::limited(self.0[lane], bound);
        }
        self
    }

    /// The sum of the squares.
    #[inline(always)]
    pub(super) fn squared_length(&self) -> f32 {
        let x = self.0.map(|x| x * x);
        ((x[0] + x[1]) + (x[2] + x[3])) + ((x[4] + x[5]) + (x[6] + x[7]))
    }
}
