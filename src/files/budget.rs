//! How much memory a file may ask for, in proportion to its size.

use super::foreign::Cause;

/// What any file may unpack to, in bytes.
const FLOOR: u64 = 512 << 20;

/// What each byte of a file may unpack to. Texts and numbers shrink to a tenth; only values that repeat shrink to less than
/// a thousandth.
const RATIO: u64 = 1024;

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
