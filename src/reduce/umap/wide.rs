//! Eight numbers side by side, and points made of them.
//!
//! Operations are on whole eights, one by one and never fused, so the bits are the same with vector instructions and
//! without.

/// Numbers side by side.
pub(super) const LANES: usize = 8;

/// Eight numbers, placed so that they never straddle two lines of the cache.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(align(32))]
pub(super) struct Wide(pub(super) [f32; LANES]);

/// A point of up to 8·R numbers; the rest is zeros, which no force moves.
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

    /// Every number between -`bound` and `bound`.
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
