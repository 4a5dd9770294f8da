//! A round of turns with AVX2, for the usual shape: points of up to eight values and five repelling points.
//!
//! The same operations in the same order as in `take_round`, without fusing, so the results are bit-identical.
//! Compilers do not vectorize this loop well by themselves, and it takes most of the time of a fit.

use std::arch::x86_64::*;

use super::super::forces::{CLIP, MIN_SQUARED};
use super::super::power::avx2::powers;
use super::super::turns::{SIDE_BY_SIDE, Turns};
use super::super::wide::{LANES, Point};
use super::block::{AHEAD, Block, USUAL, fetch};
use super::pull::Pull;

/// Processes all turns, if they have the usual shape.
#[target_feature(enable = "avx2")]
pub(super) fn take_turns(block: &mut Block<'_, 1>, turns: &Turns) {
    let pull = Wides::new(&Pull::new(block.forces, block.random.epoch));
    let (rounds, _) = turns.own.as_chunks::<SIDE_BY_SIDE>();
    let (others, _) = turns.others.as_chunks::<SIDE_BY_SIDE>();
    for (number, (own, others)) in rounds.iter().zip(others).enumerate() {
        if let Some(next) = turns.others.get((number + AHEAD) * SIDE_BY_SIDE..(number + AHEAD + 1) * SIDE_BY_SIDE) {
            for others in next {
                others[..USUAL].iter().for_each(|&other| fetch(block.before, other));
            }
        }
        // SAFETY: `Turns` contains points of the block in `own`, and valid point numbers in `others`.
        unsafe { take_round(block, own, others, &pull) };
    }
}

/// The settings, each broadcast to all lanes.
struct Wides {
    exponent: __m256,
    a: __m256,
    repulsion: __m256,
    attraction: __m128,
    learning_rate: __m256,
}

impl Wides {
    #[target_feature(enable = "avx2")]
    fn new(pull: &Pull) -> Self {
        Wides {
            exponent: _mm256_set1_ps(pull.exponent),
            a: _mm256_set1_ps(pull.a),
            repulsion: _mm256_set1_ps(pull.repulsion),
            attraction: _mm_set1_ps(pull.attraction),
            learning_rate: _mm256_set1_ps(pull.learning_rate),
        }
    }
}

/// # Safety
/// Each element of `own` is the number of a point of the block, and the first six elements of each of `others` are
/// numbers among all points.
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn take_round(
    block: &mut Block<'_, 1>,
    own: &[u32; SIDE_BY_SIDE],
    others: &[[u32; LANES]; SIDE_BY_SIDE],
    pull: &Wides,
) {
    let (first, length) = (block.first, block.own.len());
    let (moving, before) = (block.own.as_mut_ptr(), block.before.as_ptr());
    // SAFETY (here and below): the caller guarantees that the numbers are in range, and points are aligned to 32 bytes.
    let load = |point: *const Point<1>| unsafe { _mm256_load_ps(point.cast()) };
    let find = |other: u32| {
        let own = (other as usize).wrapping_sub(first);
        let inside = moving.wrapping_add(own).cast_const();
        if own < length { inside } else { before.wrapping_add(other as usize) }
    };
    macro_rules! here {
        ($turn:expr) => {
            load(moving.wrapping_add(own[$turn] as usize))
        };
    }
    let here = [here!(0), here!(1), here!(2), here!(3)];
    macro_rules! ways {
        ($at:expr) => {{
            macro_rules! way {
                ($turn:expr, $column:expr) => {
                    _mm256_sub_ps(here[$turn], load(find(others[$turn][$column])))
                };
            }
            [
                way!(0, $at),
                way!(1, $at),
                way!(2, $at),
                way!(3, $at),
                way!(0, $at + 1),
                way!(1, $at + 1),
                way!(2, $at + 1),
                way!(3, $at + 1),
            ]
        }};
    }
    // In three registers of eight distances. Each step is performed for all registers before the next step, since a
    // step depends on the one before it.
    let ways = [ways!(0), ways!(2), ways!(4)];
    let squared = [squared_lengths(&ways[0]), squared_lengths(&ways[1]), squared_lengths(&ways[2])];
    let ends = [others[0][0], others[1][0], others[2][0], others[3][0]].map(|end| (end as usize).wrapping_sub(first));
    let [of_ends, second, third] = coefficients(squared, &ends, length, pull);
    let first_parts = parts(&ways[0], of_ends);
    let second_parts = parts(&ways[1], second);
    let third_parts = parts(&ways[2], third);
    macro_rules! finish {
        ($turn:expr) => {
            let mut away = _mm256_add_ps(first_parts[$turn], first_parts[$turn + 4]);
            away = _mm256_add_ps(away, second_parts[$turn]);
            away = _mm256_add_ps(away, second_parts[$turn + 4]);
            away = _mm256_add_ps(away, third_parts[$turn]);
            away = _mm256_add_ps(away, third_parts[$turn + 4]);
            let point = moving.wrapping_add(own[$turn] as usize);
            let moved = _mm256_add_ps(load(point), _mm256_mul_ps(away, pull.learning_rate));
            unsafe { _mm256_store_ps(point.cast(), moved) };
            if ends[$turn] < length {
                let end = moving.wrapping_add(ends[$turn]);
                let moved = _mm256_sub_ps(load(end), _mm256_mul_ps(first_parts[$turn], pull.learning_rate));
                unsafe { _mm256_store_ps(end.cast(), moved) };
            }
        };
    }
    finish!(0);
    finish!(1);
    finish!(2);
    finish!(3);
}

#[target_feature(enable = "avx2")]
#[inline]
fn squared_lengths(ways: &[__m256; LANES]) -> __m256 {
    let [a, b, c, d, e, f, g, h] = *ways;
    let (a, b, c, d) = (_mm256_mul_ps(a, a), _mm256_mul_ps(b, b), _mm256_mul_ps(c, c), _mm256_mul_ps(d, d));
    let (e, f, g, h) = (_mm256_mul_ps(e, e), _mm256_mul_ps(f, f), _mm256_mul_ps(g, g), _mm256_mul_ps(h, h));
    let first = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
    let second = _mm256_hadd_ps(_mm256_hadd_ps(e, f), _mm256_hadd_ps(g, h));
    let low = _mm256_permute2f128_ps::<0x20>(first, second);
    let high = _mm256_permute2f128_ps::<0x31>(first, second);
    _mm256_add_ps(_mm256_set1_ps(MIN_SQUARED), _mm256_add_ps(low, high))
}

/// 1 + a d^2b.
#[target_feature(enable = "avx2")]
#[inline]
fn inverse_closeness(squared: __m256, power: __m256, pull: &Wides) -> __m256 {
    _mm256_add_ps(_mm256_set1_ps(1.0), _mm256_mul_ps(_mm256_mul_ps(pull.a, power), squared))
}

/// The fractions of the differences by which the points at these squared distances move a point. Those in the first
/// half of the first register attract.
#[target_feature(enable = "avx2")]
#[inline]
fn coefficients(squared: [__m256; 3], ends: &[usize; SIDE_BY_SIDE], length: usize, pull: &Wides) -> [__m256; 3] {
    let power = powers(squared, pull.exponent);
    let mut once = squared;
    for i in 0..3 {
        let mut strength = pull.repulsion;
        let mut near = _mm256_add_ps(_mm256_set1_ps(0.001), squared[i]);
        if i == 0 {
            let attraction = _mm_mul_ps(pull.attraction, _mm256_castps256_ps128(power[0]));
            strength = _mm256_insertf128_ps::<0>(strength, attraction);
            near = _mm256_insertf128_ps::<0>(near, _mm_set1_ps(1.0));
        }
        once[i] = _mm256_div_ps(strength, _mm256_mul_ps(near, inverse_closeness(squared[i], power[i], pull)));
    }
    let ends_once = _mm256_castps256_ps128(once[0]);
    let rate = _mm256_castps256_ps128(pull.learning_rate);
    let share = _mm_mul_ps(_mm_xor_ps(ends_once, _mm_set1_ps(-0.0)), rate);
    let share = _mm_max_ps(_mm_min_ps(share, _mm_set1_ps(1.0)), _mm_set1_ps(-1.0));
    let twice = _mm_mul_ps(ends_once, _mm_sub_ps(_mm_set1_ps(2.0), _mm_mul_ps(_mm_set1_ps(2.0), share)));
    let mask = |end: usize| if end < length { -1 } else { 0 };
    let within = _mm_set_epi32(mask(ends[3]), mask(ends[2]), mask(ends[1]), mask(ends[0]));
    once[0] = _mm256_insertf128_ps::<0>(once[0], _mm_blendv_ps(twice, ends_once, _mm_castsi128_ps(within)));
    once
}

#[target_feature(enable = "avx2")]
#[inline]
fn parts(ways: &[__m256; LANES], coefficients: __m256) -> [__m256; LANES] {
    let low = _mm256_permute2f128_ps::<0x00>(coefficients, coefficients);
    let high = _mm256_permute2f128_ps::<0x11>(coefficients, coefficients);
    let (bound, lower) = (_mm256_set1_ps(CLIP), _mm256_set1_ps(-CLIP));
    macro_rules! part {
        ($lane:expr, $half:expr, $order:expr) => {{
            let part = _mm256_mul_ps(ways[$lane], _mm256_permute_ps::<$order>($half));
            _mm256_max_ps(_mm256_min_ps(part, bound), lower)
        }};
    }
    [
        part!(0, low, 0x00),
        part!(1, low, 0x55),
        part!(2, low, 0xaa),
        part!(3, low, 0xff),
        part!(4, high, 0x00),
        part!(5, high, 0x55),
        part!(6, high, 0xaa),
        part!(7, high, 0xff),
    ]
}
