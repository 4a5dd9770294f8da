//! Memory limits for reading a file, proportional to its size.

use std::fmt;

use super::foreign::Cause;

/// The uncompressed size allowed for any file, in bytes.
const FLOOR: u64 = 512 << 20;

/// The uncompressed size allowed per byte of a file. Text and numbers compress to a tenth; only repeated values
/// compress to less than a thousandth.
const RATIO: u64 = 1024;

/// The maximum number of columns in a text format: more are a sign of missing line breaks.
pub(super) const MAX_COLUMNS: usize = 100_000;

/// The maximum size of a null cell, in bytes.
const CELL: u64 = 16;

/// The number of cells that a text may omit per byte.
const LEAVES_OUT: u64 = 8;

/// The remaining number of cells that a text may omit, in rows with too few fields or objects without some of the
/// fields. They take no bytes in the file, but each is a null in memory.
pub(super) struct Missing {
    left: u64,
    all: u64,
}

impl Missing {
    /// For a text of `length` bytes: 32 Mi cells, plus 8 per byte. A complete table omits none.
    pub(super) fn of(length: u64) -> Self {
        let all = length.saturating_mul(LEAVES_OUT).saturating_add(FLOOR / CELL);
        Missing { left: all, all }
    }

    /// Subtracts `cells`, if that many are left.
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

/// The remaining uncompressed size allowed for a file, in bytes.
pub(super) struct Budget {
    left: u64,
    all: u64,
}

impl Budget {
    /// For a file of `length` bytes: `most`, or 512 MiB plus 1,024 times its length by default.
    pub(super) fn of(length: u64, most: Option<u64>) -> Self {
        let all = most.unwrap_or_else(|| length.saturating_mul(RATIO).saturating_add(FLOOR));
        Budget { left: all, all }
    }

    /// Subtracts `bytes`.
    ///
    /// # Errors
    /// The budget is exceeded.
    pub(super) fn spend(&mut self, bytes: u64) -> Result<(), Cause> {
        self.left = self.left.checked_sub(bytes).ok_or_else(|| {
            Cause::over_a_limit(&format!("it claims to unpack to more than {} MB", self.all / 1_000_000))
        })?;
        Ok(())
    }

    /// Like [`spend`](Self::spend), for `count` items of `bytes` each.
    pub(super) fn spend_on(&mut self, count: u64, bytes: u64) -> Result<(), Cause> {
        self.spend(count.saturating_mul(bytes))
    }
}
