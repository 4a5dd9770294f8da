//! Limits the memory that is used for decoding at the same time, on any number of threads.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The maximum memory of all images that are being decoded.
const MAX_IN_USE: u64 = 1 << 30;

static IN_USE: Mutex<u64> = Mutex::new(0);
static FREED: Condvar = Condvar::new();

/// A share of the decoding memory, released when it is dropped. Its owner must not wait for another thread.
pub(super) struct Share(u64);

impl Share {
    /// Waits until there is room for `bytes`. A request that exceeds the total waits until it is alone.
    pub(super) fn take(bytes: u64) -> Self {
        let has_room = |in_use: u64| in_use == 0 || in_use.saturating_add(bytes) <= MAX_IN_USE;
        let mut in_use = lock();
        while !has_room(*in_use) {
            in_use = FREED.wait(in_use).unwrap_or_else(PoisonError::into_inner);
        }
        *in_use = in_use.saturating_add(bytes);
        Share(bytes)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut in_use = lock();
        *in_use = in_use.saturating_sub(self.0);
        FREED.notify_all();
    }
}

/// The count is a number: a panic while the lock is held cannot leave it inconsistent.
fn lock() -> MutexGuard<'static, u64> {
    IN_USE.lock().unwrap_or_else(PoisonError::into_inner)
}
