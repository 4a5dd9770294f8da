//! Deduplication: of rows with equal vectors, one represents the others.

use rayon::prelude::*;

use super::Embeddings;
use crate::error::Result;
use crate::state::State;

/// Rows of a frame, deduplicated by their vectors. The first of several rows with equal vectors represents them all; 0
/// and -0 are equal.
#[derive(Debug)]
pub(crate) struct DistinctRows {
    /// The first row with each distinct vector, ascending.
    pub(crate) firsts: Vec<usize>,
    /// For each of the rows, in order, the index of its vector in `firsts`.
    pub(crate) places: Vec<u32>,
    /// The same vectors, as a lookup table.
    pub(crate) known: KnownRows,
}

impl DistinctRows {
    /// Deduplicates `rows` (ascending), which all have a vector.
    pub(crate) fn of(embeddings: &Embeddings, rows: &[usize]) -> Self {
        let vector = |place: u32| rows.get(place as usize).and_then(|&row| embeddings.get(row)).unwrap_or_default();
        let mut hashed: Vec<(u64, u32)> =
            (0..rows.len() as u32).into_par_iter().map(|place| (hash_of(vector(place)), place)).collect();
        hashed.par_sort_unstable();
        let mut first_of: Vec<u32> = (0..rows.len() as u32).collect();
        for alike in hashed.chunk_by_mut(|a, b| a.0 == b.0).filter(|alike| alike.len() > 1) {
            join_equal(alike, vector, &mut first_of);
        }
        let mut distinct =
            DistinctRows { firsts: Vec::new(), places: vec![0; rows.len()], known: KnownRows::default() };
        for (place, (&first, &row)) in first_of.iter().zip(rows).enumerate() {
            if first as usize == place {
                distinct.places[place] = distinct.firsts.len() as u32;
                distinct.firsts.push(row);
            } else {
                distinct.places[place] = distinct.places[first as usize];
            }
        }
        hashed.retain(|&(_, place)| first_of[place as usize] == place);
        distinct.known = KnownRows {
            rows: hashed.iter().map(|&(_, place)| rows[place as usize] as u32).collect(),
            hashes: hashed.into_iter().map(|(hash, _)| hash).collect(),
        };
        distinct
    }

    /// The number of rows that repeat an earlier one.
    pub(crate) fn repeated(&self) -> usize {
        self.places.len() - self.firsts.len()
    }

    /// For each distinct vector, the index of the first row with this vector among the rows.
    pub(crate) fn first_places(&self) -> Vec<usize> {
        let mut first_places = Vec::with_capacity(self.firsts.len());
        for (row, &place) in self.places.iter().enumerate() {
            if place as usize == first_places.len() {
                first_places.push(row);
            }
        }
        first_places
    }
}

/// Finds equal vectors among rows with the same hash, and sorts different ones by their values: input crafted to make
/// many vectors collide costs no more than a sort, here and in [`KnownRows::find`].
fn join_equal<'a>(alike: &mut [(u64, u32)], vector: impl Fn(u32) -> &'a [f32], first_of: &mut [u32]) {
    let all_equal = |alike: &[(u64, u32)]| alike.iter().all(|&(_, place)| vector(place) == vector(alike[0].1));
    if !all_equal(alike) {
        alike.sort_unstable_by(|a, b| in_order(vector(a.1), vector(b.1)).then(a.1.cmp(&b.1)));
    }
    for equal in alike.chunk_by(|a, b| vector(a.1) == vector(b.1)) {
        for &(_, place) in equal {
            first_of[place as usize] = equal[0].1;
        }
    }
}

fn in_order(a: &[f32], b: &[f32]) -> std::cmp::Ordering {
    let mut pairs = a.iter().zip(b).map(|(a, b)| (a + 0.0).total_cmp(&(b + 0.0)));
    pairs.find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
}

/// Rows sorted by the hash of their vector, then by the vector's values; each vector occurs once.
#[derive(Debug, Default)]
pub(crate) struct KnownRows {
    hashes: Vec<u64>,
    rows: Vec<u32>,
}

impl KnownRows {
    /// The state of the table.
    pub(crate) fn state(&self) -> State<'_> {
        State::new("known_rows").with_values("hashes", &self.hashes).with_values("rows", &self.rows)
    }

    /// The table of a state, of a frame with this number of rows.
    pub(crate) fn from_state(mut state: State<'_>, rows: usize) -> Result<Self> {
        let hashes = state.take_values::<u64>("hashes")?;
        let of_rows = state.take_exactly::<u32>("rows", hashes.len())?;
        match hashes.is_sorted() && of_rows.iter().all(|&row| (row as usize) < rows) {
            true => Ok(KnownRows { hashes, rows: of_rows }),
            false => Err(state.out_of_range("rows")),
        }
    }

    /// The row with this vector. `embeddings` are those that the rows were taken from.
    pub(crate) fn find(&self, embeddings: &Embeddings, vector: &[f32]) -> Option<usize> {
        let hash = hash_of(vector);
        let start = self.hashes.partition_point(|&other| other < hash);
        let end = self.hashes.partition_point(|&other| other <= hash);
        let alike = self.rows.get(start..end)?;
        let known = |row: u32| embeddings.get(row as usize).unwrap_or_default();
        let place = alike.partition_point(|&row| in_order(known(row), vector).is_lt());
        alike.get(place).filter(|&&row| known(row) == vector).map(|&row| row as usize)
    }
}

/// FNV-1a over the bits; adding 0 turns -0 into 0.
fn hash_of(vector: &[f32]) -> u64 {
    let mix = |hash: u64, x: &f32| (hash ^ u64::from((x + 0.0).to_bits())).wrapping_mul(0x0000_0100_0000_01b3);
    vector.iter().fold(0xcbf2_9ce4_8422_2325, mix)
}
