//! Scores of some queries against a block of rows, computed in registers so that only the good scores are written to
//! memory.

#![allow(clippy::needless_range_loop, reason = "the arrays stay in registers only with indexed loops")]

use super::shortlist::Shortlists;
use super::sketch::Sketches;

/// Rows whose scores occupy the lanes of one register.
const LANES: usize = 16;

/// Coordinates of a row that one instruction processes together.
const QUAD: usize = 4;

/// Sketches of a block of rows, packed for the tile: for each group of [`LANES`] rows and each four coordinates, those
/// of the group's rows one after another. The last group is padded with zeros.
#[derive(Debug, Clone, Default)]
pub(super) struct Packed {
    quads: Vec<[i8; QUAD * LANES]>,
    half_norms: Vec<[i32; LANES]>,
    first: usize,
    rows: usize,
    quads_in_row: usize,
}

impl Packed {
    /// Packs the first `width` coordinates of `rows` of `sketches`.
    pub(super) fn pack(&mut self, sketches: &Sketches, rows: std::ops::Range<usize>, width: usize) {
        let quads_in_row = width / QUAD;
        (self.first, self.rows, self.quads_in_row) = (rows.start, rows.len(), quads_in_row);
        let groups = rows.len().div_ceil(LANES);
        self.quads.clear();
        self.quads.resize(groups * quads_in_row, [0; QUAD * LANES]);
        self.half_norms.clear();
        self.half_norms.resize(groups, [0; LANES]);
        for (number, row) in rows.enumerate() {
            let (group, lane) = (number / LANES, number % LANES);
            self.half_norms[group][lane] = sketches.half_norms[row];
            let to = &mut self.quads[group * quads_in_row..(group + 1) * quads_in_row];
            for (to, from) in to.iter_mut().zip(sketches.row(row).as_chunks::<QUAD>().0) {
                to[QUAD * lane..QUAD * (lane + 1)].copy_from_slice(from);
            }
        }
    }
}

/// Offers the packed rows to the lists `lists_of[i]` of the queries `queries.row(rows[i])`.
pub(super) fn offer_tile(queries: &Sketches, rows: &[u32], lists_of: &[u32], packed: &Packed, lists: &mut Shortlists) {
    #[cfg(target_arch = "x86_64")]
    if crate::linalg::processor::has_avx512_vnni() {
        // SAFETY: the CPU supports AVX-512 with VNNI.
        unsafe { vnni::offer_tile(queries, rows, lists_of, packed, lists) };
        return;
    } else if crate::linalg::processor::has_avx2() {
        // SAFETY: the CPU supports AVX2.
        unsafe { avx2::offer_tile(queries, rows, lists_of, packed, lists) };
        return;
    }
    offer_tile_here(queries, rows, lists_of, packed, lists);
}

/// Processes one query and one group at a time.
fn offer_tile_here(queries: &Sketches, rows: &[u32], lists_of: &[u32], packed: &Packed, lists: &mut Shortlists) {
    for (&row, &list) in rows.iter().zip(lists_of) {
        let (query, _) = queries.row(row as usize).as_chunks::<QUAD>();
        let groups = packed.quads.chunks_exact(packed.quads_in_row).zip(&packed.half_norms);
        for (group, (quads, half_norms)) in groups.enumerate() {
            let mut scores = half_norms.map(|half_norm| -half_norm);
            for (quads, query) in quads.iter().zip(query) {
                for (score, quad) in scores.iter_mut().zip(quads.as_chunks::<QUAD>().0) {
                    *score += quad.iter().zip(query).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum::<i32>();
                }
            }
            offer_group(packed, lists, list as usize, group, &scores);
        }
    }
}

/// Offers the rows of a group that exist and score well enough.
fn offer_group(packed: &Packed, lists: &mut Shortlists, list: usize, group: usize, scores: &[i32; LANES]) {
    for (lane, &score) in scores.iter().enumerate() {
        let row = group * LANES + lane;
        if row < packed.rows && score >= lists.worst(list) {
            lists.offer(list, score, (packed.first + row) as u32);
        }
    }
}

/// The same integers from the byte dot product instruction: four products in each of sixteen lanes.
#[cfg(target_arch = "x86_64")]
mod vnni {
    use std::arch::x86_64::*;

    use super::{LANES, Packed, QUAD, Shortlists, Sketches};

    /// Queries and groups whose sums are in registers together: 6 x 4 sums, the quads of 4 groups and that of one
    /// query.
    const QUERIES: usize = 6;
    const GROUPS: usize = 4;

    #[target_feature(enable = "avx512f,avx512vnni")]
    pub(super) fn offer_tile(
        queries: &Sketches,
        rows: &[u32],
        lists_of: &[u32],
        packed: &Packed,
        lists: &mut Shortlists,
    ) {
        let groups = packed.half_norms.len();
        let mut at = 0;
        while at < rows.len() {
            let left = rows.len() - at;
            let mut group = 0;
            while group < groups {
                let wide = groups - group >= GROUPS;
                let (rows, lists_of) = (&rows[at..], &lists_of[at..]);
                match (left >= QUERIES, wide) {
                    (true, true) => block::<QUERIES, GROUPS>(queries, rows, lists_of, packed, group, lists),
                    (true, false) => block::<QUERIES, 1>(queries, rows, lists_of, packed, group, lists),
                    (false, true) => block::<1, GROUPS>(queries, rows, lists_of, packed, group, lists),
                    (false, false) => block::<1, 1>(queries, rows, lists_of, packed, group, lists),
                }
                group += if wide { GROUPS } else { 1 };
            }
            at += if left >= QUERIES { QUERIES } else { 1 };
        }
    }

    /// Offers `G` groups to the first `Q` queries.
    #[target_feature(enable = "avx512f,avx512vnni")]
    #[inline]
    fn block<const Q: usize, const G: usize>(
        queries: &Sketches,
        rows: &[u32],
        lists_of: &[u32],
        packed: &Packed,
        first_group: usize,
        lists: &mut Shortlists,
    ) {
        let quads = packed.quads_in_row;
        let columns = &packed.quads[first_group * quads..(first_group + G) * quads];
        let mut query = [[].as_slice(); Q];
        for (query, &row) in query.iter_mut().zip(rows) {
            *query = &queries.row(row as usize)[..quads * QUAD];
        }
        // One operand of the product is unsigned: 128 is added to the rows' bytes and subtracted again using the
        // queries' sums.
        let shift = _mm512_set1_epi8(-128);
        let mut sums = [[_mm512_setzero_si512(); G]; Q];
        for (sums, query) in sums.iter_mut().zip(&query) {
            let sum: i32 = query.iter().map(|&x| i32::from(x)).sum();
            *sums = [_mm512_set1_epi32(-128 * sum); G];
        }
        for quad in 0..quads {
            let mut column = [_mm512_setzero_si512(); G];
            for group in 0..G {
                // SAFETY: `columns` contains G runs of `quads` blocks of 64 bytes, and the load may be unaligned.
                let bytes = unsafe { _mm512_loadu_si512(columns.as_ptr().add(group * quads + quad).cast()) };
                column[group] = _mm512_xor_si512(bytes, shift);
            }
            for number in 0..Q {
                // SAFETY: each query has `quads` times 4 bytes, and the read does not require alignment.
                let four = unsafe { query[number].as_ptr().add(QUAD * quad).cast::<i32>().read_unaligned() };
                let four = _mm512_set1_epi32(four);
                for group in 0..G {
                    sums[number][group] = _mm512_dpbusd_epi32(sums[number][group], column[group], four);
                }
            }
        }
        for group in 0..G {
            // SAFETY: sixteen 4-byte integers.
            let half_norms = unsafe { _mm512_loadu_si512(packed.half_norms[first_group + group].as_ptr().cast()) };
            let first = (first_group + group) * LANES;
            let present = if packed.rows - first >= LANES { u16::MAX } else { (1 << (packed.rows - first)) - 1 };
            for number in 0..Q {
                let list = lists_of[number] as usize;
                let scores = _mm512_sub_epi32(sums[number][group], half_norms);
                let mut good = _mm512_cmpge_epi32_mask(scores, _mm512_set1_epi32(lists.worst(list))) & present;
                if good == 0 {
                    continue;
                }
                let mut out = [0_i32; LANES];
                // SAFETY: room for sixteen 4-byte integers.
                unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), scores) };
                while good != 0 {
                    let lane = good.trailing_zeros() as usize;
                    good &= good - 1;
                    lists.offer(list, out[lane], (packed.first + first + lane) as u32);
                }
            }
        }
    }
}

/// The same integers by pairwise products: of each four coordinates, first the even ones, then the odd ones.
#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::*;

    use super::{LANES, Packed, QUAD, Shortlists, Sketches, offer_group};

    /// Queries whose sums for a group are in registers together: 4 x 2 sums, the coordinates of the group and of one
    /// query.
    const QUERIES: usize = 4;

    #[target_feature(enable = "avx2")]
    pub(super) fn offer_tile(
        queries: &Sketches,
        rows: &[u32],
        lists_of: &[u32],
        packed: &Packed,
        lists: &mut Shortlists,
    ) {
        let mut at = 0;
        while at < rows.len() {
            let many = rows.len() - at >= QUERIES;
            for group in 0..packed.half_norms.len() {
                match many {
                    true => block::<QUERIES>(queries, &rows[at..], &lists_of[at..], packed, group, lists),
                    false => block::<1>(queries, &rows[at..], &lists_of[at..], packed, group, lists),
                }
            }
            at += if many { QUERIES } else { 1 };
        }
    }

    /// Offers a group to the first `Q` queries.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn block<const Q: usize>(
        queries: &Sketches,
        rows: &[u32],
        lists_of: &[u32],
        packed: &Packed,
        group: usize,
        lists: &mut Shortlists,
    ) {
        let quads = packed.quads_in_row;
        let columns = &packed.quads[group * quads..(group + 1) * quads];
        let mut query = [[].as_slice(); Q];
        for (query, &row) in query.iter_mut().zip(rows) {
            *query = queries.row(row as usize).as_chunks::<QUAD>().0;
        }
        let mut sums = [[_mm256_setzero_si256(); 2]; Q];
        for (quad, column) in columns.iter().enumerate() {
            // Bytes 0 and 2 of each four, and bytes 1 and 3, as pairs of sign-extended 16-bit integers.
            let mut pairs = [[_mm256_setzero_si256(); 2]; 2];
            for half in 0..2 {
                // SAFETY: 64 bytes, read in two halves; the load may be unaligned.
                let bytes = unsafe { _mm256_loadu_si256(column.as_ptr().add(32 * half).cast()) };
                pairs[half] = [_mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(bytes)), _mm256_srai_epi16::<8>(bytes)];
            }
            for number in 0..Q {
                let [a, b, c, d] = query[number][quad].map(|x| i32::from(x) & 0xffff);
                let (even, odd) = (_mm256_set1_epi32(a | (c << 16)), _mm256_set1_epi32(b | (d << 16)));
                for half in 0..2 {
                    let even = _mm256_madd_epi16(pairs[half][0], even);
                    let odd = _mm256_madd_epi16(pairs[half][1], odd);
                    sums[number][half] = _mm256_add_epi32(sums[number][half], _mm256_add_epi32(even, odd));
                }
            }
        }
        for number in 0..Q {
            let mut scores = [0_i32; LANES];
            for half in 0..2 {
                // SAFETY: room for sixteen 4-byte integers, written in two halves.
                unsafe { _mm256_storeu_si256(scores.as_mut_ptr().add(8 * half).cast(), sums[number][half]) };
            }
            let half_norms = &packed.half_norms[group];
            scores.iter_mut().zip(half_norms).for_each(|(score, half_norm)| *score -= half_norm);
            offer_group(packed, lists, lists_of[number] as usize, group, &scores);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 32;

    fn sketches(rows: usize, seed: u64) -> Sketches {
        let mut state = seed;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as i32
        };
        let values = (0..rows * WIDTH).map(|_| (next() % 128) as i8).collect();
        Sketches { width: WIDTH, values, half_norms: (0..rows).map(|_| next() % 50_000).collect() }
    }

    fn listed(offer: impl Fn(&Sketches, &[u32], &[u32], &Packed, &mut Shortlists)) -> Vec<Vec<u64>> {
        let (queries, points) = (sketches(23, 5), sketches(301, 9));
        let rows: Vec<u32> = (0..23).rev().collect();
        let lists_of: Vec<u32> = (0..23).collect();
        let mut packed = Packed::default();
        let mut lists = Shortlists::default();
        lists.reset(23, 12);
        for first in (0..301).step_by(100) {
            packed.pack(&points, first..301.min(first + 100), WIDTH);
            offer(&queries, &rows, &lists_of, &packed, &mut lists);
        }
        (0..23).map(|list| lists.sorted(list).to_vec()).collect()
    }

    #[test]
    fn wide_registers_change_no_list() {
        let portable = listed(offer_tile_here);
        assert_eq!(portable, listed(offer_tile));
        #[cfg(target_arch = "x86_64")]
        if crate::linalg::processor::has_avx2() {
            // SAFETY: the CPU supports AVX2.
            assert_eq!(portable, listed(|q, r, l, p, s| unsafe { avx2::offer_tile(q, r, l, p, s) }));
        }
    }
}
