//! The best few of many offers, for each of some queries.

/// No row.
pub(super) const NOBODY: u32 = u32::MAX;

/// For each query the best offers so far: at most `capacity` of them count, twice as many have room.
///
/// Score and row are packed into one number whose order is total, so that what is kept does not depend on the order
/// of the offers.
#[derive(Debug, Default)]
pub(super) struct Shortlists {
    capacity: usize,
    keys: Vec<u64>,
    lengths: Vec<u32>,
    worst: Vec<i32>,
}

impl Shortlists {
    /// Empties the lists and makes them `queries` lists of `capacity`.
    pub(super) fn reset(&mut self, queries: usize, capacity: usize) {
        self.capacity = capacity;
        self.keys.resize(queries * 2 * capacity, 0);
        self.lengths.clear();
        self.lengths.resize(queries, 0);
        self.worst.clear();
        self.worst.resize(queries, i32::MIN);
    }

    /// The score below which an offer to `list` cannot count any more.
    #[inline(always)]
    pub(super) fn worst(&self, list: usize) -> i32 {
        self.worst[list]
    }

    /// Offers `row` to `list`; each row at most once.
    pub(super) fn offer(&mut self, list: usize, score: i32, row: u32) {
        let room = 2 * self.capacity;
        let start = list * room;
        let length = self.lengths[list] as usize;
        self.keys[start + length] = key(score, row);
        if length + 1 < room {
            self.lengths[list] += 1;
        } else {
            self.cut(list);
        }
    }

    /// Drops all but the best `capacity`.
    fn cut(&mut self, list: usize) {
        let start = list * 2 * self.capacity;
        let keys = &mut self.keys[start..start + 2 * self.capacity];
        let (_, worst, _) = keys.select_nth_unstable_by(self.capacity - 1, |a, b| b.cmp(a));
        self.worst[list] = score_of(*worst);
        self.lengths[list] = self.capacity as u32;
    }

    /// The best rows of `list` and their scores, best first; equal ones by row.
    pub(super) fn sorted(&mut self, list: usize) -> &[u64] {
        let start = list * 2 * self.capacity;
        let keys = &mut self.keys[start..start + self.lengths[list] as usize];
        keys.sort_unstable_by(|a, b| b.cmp(a));
        &keys[..keys.len().min(self.capacity)]
    }
}

/// Orders as the score does, and equal ones by row, the first highest.
fn key(score: i32, row: u32) -> u64 {
    (u64::from((score as u32) ^ 0x8000_0000) << 32) | u64::from(!row)
}

fn score_of(key: u64) -> i32 {
    ((key >> 32) as u32 ^ 0x8000_0000) as i32
}

pub(super) fn row_of(key: u64) -> u32 {
    !(key as u32)
}
