//! Counter-based random numbers, which do not depend on the order of execution.

use crate::linalg::mix::mix64;

/// A key for one use of randomness, derived from the overall key and two counters.
#[inline(always)]
pub(super) fn key(seed: u64, first: u64, second: u64) -> u64 {
    mix64(mix64(seed ^ first.wrapping_mul(0x9e37_79b9_7f4a_7c15)) ^ second.wrapping_mul(0xd1b5_4a32_d192_ed03))
}

/// 32 random bits, the `counter`-th of `key`. Computed in 32-bit steps, so that several can be computed in one vector.
#[inline(always)]
pub(super) fn bits32(key: u64, counter: u32) -> u32 {
    let mut x = (key as u32).wrapping_add(counter.wrapping_mul(0x9e37_79b9));
    x = (x ^ (x >> 16)).wrapping_mul(0x85eb_ca6b);
    x = ((x ^ (x >> 13)) ^ (key >> 32) as u32).wrapping_mul(0xc2b2_ae35);
    x ^ (x >> 16)
}

/// A number less than `bound`, from 32 random bits.
#[inline(always)]
pub(super) fn below(bits: u32, bound: u32) -> u32 {
    ((u64::from(bits) * u64::from(bound)) >> 32) as u32
}

/// A number from -1 to 1, the `counter`-th of `key`.
pub(super) fn symmetric_unit(key: u64, counter: u64) -> f32 {
    let bits = mix64(key ^ mix64(counter.wrapping_add(0x9e37_79b9_7f4a_7c15))) >> 40;
    (bits as f32 + 0.5) / 8_388_608.0 - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_below_a_bound_are_spread_evenly() {
        let mut counts = [0_u32; 100];
        for vertex in 0..1000 {
            let key = key(7, 3, vertex);
            for counter in 0..100 {
                counts[below(bits32(key, counter), 100) as usize] += 1;
            }
        }
        // The expected count is 1000, with a standard deviation of 31.5.
        assert!(counts.iter().all(|count| (840..1160).contains(count)), "{counts:?}");
    }

    #[test]
    fn signed_units_have_no_drift() {
        let values: Vec<f32> = (0..10_000).map(|counter| symmetric_unit(11, counter)).collect();
        let mean = values.iter().sum::<f32>() / 10_000.0;
        assert!(mean.abs() < 0.03 && values.iter().all(|value| value.abs() <= 1.0), "{mean}");
    }
}
