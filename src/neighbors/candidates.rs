//! The best candidates for each row of a block, picked from tiles of a matrix product.

/// Columns checked together for one that could beat the worst candidate.
const LOOK: usize = 16;

/// The best candidates so far of the rows of one block.
///
/// A candidate's score is the product minus half its squared norm, which orders like the negative distance. Score and
/// row number are packed into one integer with a total order, so the outcome does not depend on the order of the tiles.
#[derive(Debug)]
pub(super) struct Candidates {
    capacity: usize,
    keys: Vec<u64>,
    lengths: Vec<u32>,
    worst: Vec<f32>,
}

/// A tile of the product of two blocks of rows, row by row.
pub(super) struct Tile<'a> {
    /// The products: one row for each row of the first block.
    pub(super) products: &'a [f32],
    /// Half squared norms of the first block's rows.
    pub(super) row_half_norms: &'a [f32],
    /// Half squared norms of the second block's rows.
    pub(super) column_half_norms: &'a [f32],
    /// The first block's first row number.
    pub(super) first_row: usize,
    /// The second block's first row number.
    pub(super) first_column: usize,
    /// Both blocks are the same, so a row is not a candidate for itself.
    pub(super) diagonal: bool,
}

impl Candidates {
    pub(super) fn new(rows: usize, capacity: usize) -> Self {
        Candidates {
            capacity,
            keys: vec![0; rows * capacity],
            lengths: vec![0; rows],
            worst: vec![f32::NEG_INFINITY; rows],
        }
    }

    /// The row numbers of the candidates for row `row` of the block, best first.
    pub(super) fn row(&self, row: usize) -> impl Iterator<Item = u32> + '_ {
        let start = row * self.capacity;
        self.keys[start..start + self.lengths[row] as usize].iter().map(|&key| !(key as u32))
    }

    /// The score below which candidates for row `row` were rejected; negative infinity if none were.
    pub(super) fn refused_below(&self, row: usize) -> f32 {
        self.worst[row]
    }

    /// Offers the tile's columns as candidates to the rows of the first block, which these candidates belong to.
    pub(super) fn take_columns(&mut self, tile: &Tile<'_>) {
        let width = tile.column_half_norms.len();
        for (row, products) in tile.products.chunks_exact(width).enumerate() {
            let skip = if tile.diagonal { row } else { usize::MAX };
            let chunks = products.chunks(LOOK).zip(tile.column_half_norms.chunks(LOOK));
            for (chunk, (products, half_norms)) in chunks.enumerate() {
                if !any_at_least(products, half_norms, self.worst[row]) {
                    continue;
                }
                for (lane, (product, half_norm)) in products.iter().zip(half_norms).enumerate() {
                    let column = chunk * LOOK + lane;
                    if column != skip {
                        self.offer(row, product - half_norm, tile.first_column + column);
                    }
                }
            }
        }
    }

    /// Offers the tile's rows as candidates to the rows of the second block, which these candidates belong to.
    pub(super) fn take_rows(&mut self, tile: &Tile<'_>) {
        let width = tile.column_half_norms.len();
        for (row, products) in tile.products.chunks_exact(width).enumerate() {
            let half_norm = tile.row_half_norms[row];
            for (chunk, products) in products.chunks(LOOK).enumerate() {
                let start = chunk * LOOK;
                if !any_reaches(products, half_norm, &self.worst[start..start + products.len()]) {
                    continue;
                }
                for (lane, product) in products.iter().enumerate() {
                    self.offer(start + lane, product - half_norm, tile.first_row + row);
                }
            }
        }
    }

    fn offer(&mut self, row: usize, score: f32, candidate: usize) {
        if score < self.worst[row] {
            return;
        }
        let key = (u64::from(ordered(score)) << 32) | u64::from(!(candidate as u32));
        let start = row * self.capacity;
        let length = self.lengths[row] as usize;
        let keys = &mut self.keys[start..start + self.capacity];
        let mut slot = length;
        if length == self.capacity {
            if key < keys[length - 1] {
                return;
            }
            slot -= 1;
        } else {
            self.lengths[row] += 1;
        }
        while slot > 0 && keys[slot - 1] < key {
            keys[slot] = keys[slot - 1];
            slot -= 1;
        }
        keys[slot] = key;
        if self.lengths[row] as usize == self.capacity {
            self.worst[row] = unordered((keys[self.capacity - 1] >> 32) as u32);
        }
    }
}

fn any_at_least(products: &[f32], half_norms: &[f32], bound: f32) -> bool {
    match (<&[f32; LOOK]>::try_from(products), <&[f32; LOOK]>::try_from(half_norms)) {
        (Ok(products), Ok(half_norms)) => {
            let mut any = false;
            for lane in 0..LOOK {
                any |= products[lane] - half_norms[lane] >= bound;
            }
            any
        }
        _ => true,
    }
}

fn any_reaches(products: &[f32], half_norm: f32, bounds: &[f32]) -> bool {
    match (<&[f32; LOOK]>::try_from(products), <&[f32; LOOK]>::try_from(bounds)) {
        (Ok(products), Ok(bounds)) => {
            let mut any = false;
            for lane in 0..LOOK {
                any |= products[lane] - half_norm >= bounds[lane];
            }
            any
        }
        _ => true,
    }
}

/// Bits that have the same order as the scores.
fn ordered(score: f32) -> u32 {
    let bits = score.to_bits();
    if bits >> 31 == 0 { bits | 0x8000_0000 } else { !bits }
}

fn unordered(bits: u32) -> f32 {
    f32::from_bits(if bits >> 31 == 1 { bits & 0x7fff_ffff } else { !bits })
}
