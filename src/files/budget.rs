//! How much memory a file may ask for, in proportion to its size.

use std::fmt;

use super::foreign::Cause;

/// What any file may unpack to, in bytes.
const FLOOR: u64 = 512 << 20;

/// What each byte of a file may unpack to. Texts and numbers shrink to a tenth; only values that repeat shrink to less than
/// a thousandth.
const RATIO: u64 = 1024;

/// The most columns of a table in a text: more come of a file that has lost its line ends.
pub(super) const MOST_COLUMNS: usize = 100_000;

/// What a cell takes that is null, in bytes, at most.
const CELL: u64 = 16;

/// How many cells a text may leave out for each of its bytes.
const LEAVES_OUT: u64 = 8;

/// The cells that a text may still leave out: of a row that is short of fields, or of an object that does not have what
/// others have. They take no bytes in the file, but each is a null in memory.
pub(super) struct Missing {
    left: u64,
    all: u64,
}

impl Missing {
    /// For a text of `length` bytes: 32 Mi cells, and 8 for each byte. A table that is all there leaves out none.
    pub(super) fn of(length: u64) -> Self {
        let all = length.saturating_mul(LEAVES_OUT).saturating_add(FLOOR / CELL);
        Missing { left: all, all }
    }

    /// Takes `cells` off, if so many are left.
    pub(super) fn take(&mut self, cells: u64) -> bool {
        let left = self.left.checked_sub(cells);
        self.left = left.unwrap_or(self.left);
        left.is_some()
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} million", self.all / 1_000_000)
    }
}

/// The bytes that a file may still unpack to.
pub(super) struct Budget {
    left: u64,
    all: u64,
}

impl Budget {
    /// For a file of `length` bytes: `most`, by default 512 MiB and 1,024 times its length.
    pub(super) fn of(length: u64, most: Option<u64>) -> Self {
        let all = most.unwrap_or_else(|| length.saturating_mul(RATIO).saturating_add(FLOOR));
        Budget { left: all, all }
    }

    /// Takes `bytes` off.
    ///
    /// # Errors
    /// More than is left.
    pub(super) fn spend(&mut self, bytes: u64) -> Result<(), Cause> {
        self.left = self.left.checked_sub(bytes).ok_or_else(|| {
            Cause::over_a_limit(&format!("it claims to unpack to more than {} MB", self.all / 1_000_000))
        })?;
        Ok(())
    }

    /// As [`spend`](Self::spend), for `count` things of `bytes` each.
    pub(super) fn spend_on(&mut self, count: u64, bytes: u64) -> Result<(), Cause> {
        self.spend(count.saturating_mul(bytes))
    }
}
