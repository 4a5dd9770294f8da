//! The best few candidates for each of some queries.

/// No row.
pub(super) const NOBODY: u32 = u32::MAX;

/// The best candidates so far for each query: at most `capacity` of them count, with room for twice that number.
///
/// Score and row are packed into one integer with a total order, so the candidates that are kept do not depend on the
/// order in which they are offered.
#[derive(Debug, Default)]
pub(super) struct Shortlists {
    capacity: usize,
    keys: Vec<u64>,
    lengths: Vec<u32>,
    worst: Vec<i32>,
}

impl Shortlists {
    /// Resets to `queries` empty lists of `capacity`.
    pub(super) fn reset(&mut self, queries: usize, capacity: usize) {
        self.capacity = capacity;
        self.keys.resize(queries * 2 * capacity, 0);
        self.lengths.clear();
        self.lengths.resize(queries, 0);
        self.worst.clear();
        self.worst.resize(queries, i32::MIN);
    }

    /// The score below which a candidate for `list` can no longer count.
    #[inline(always)]
    pub(super) fn worst(&self, list: usize) -> i32 {
        self.worst[list]
    }

    /// Offers `row` to `list`; each row may be offered at most once.
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

    /// Drops all candidates but the best `capacity`.
    fn cut(&mut self, list: usize) {
        let start = list * 2 * self.capacity;
        let keys = &mut self.keys[start..start + 2 * self.capacity];
        let (_, worst, _) = keys.select_nth_unstable_by(self.capacity - 1, |a, b| b.cmp(a));
        self.worst[list] = score_of(*worst);
        self.lengths[list] = self.capacity as u32;
    }

    /// The best rows of `list` and their scores, best first, with ties broken by row.
    pub(super) fn sorted(&mut self, list: usize) -> &[u64] {
        let start = list * 2 * self.capacity;
        let keys = &mut self.keys[start..start + self.lengths[list] as usize];
        keys.sort_unstable_by(|a, b| b.cmp(a));
        &keys[..keys.len().min(self.capacity)]
    }
}

/// A key ordered by score, with ties broken by row, lower rows ranking higher.
fn key(score: i32, row: u32) -> u64 {
    (u64::from((score as u32) ^ 0x8000_0000) << 32) | u64::from(!row)
}

fn score_of(key: u64) -> i32 {
    ((key >> 32) as u32 ^ 0x8000_0000) as i32
}

pub(super) fn row_of(key: u64) -> u32 {
    !(key as u32)
}
