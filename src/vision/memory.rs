//! How much memory is decoded into at the same time, on however many threads.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// What all images that are being decoded may take together.
const MOST: u64 = 1 << 30;

static IN_USE: Mutex<u64> = Mutex::new(0);
static FREED: Condvar = Condvar::new();

/// A share of the memory for decoding, given back when it is dropped. Who holds one must not wait for another thread.
pub(super) struct Share(u64);

impl Share {
    /// Waits until there is room for `bytes`. What is larger than all there is waits until it is alone.
    pub(super) fn take(bytes: u64) -> Self {
        let has_room = |in_use: u64| in_use == 0 || in_use.saturating_add(bytes) <= MOST;
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

/// The count is a number: whoever panicked while holding it left it whole.
fn lock() -> MutexGuard<'static, u64> {
    IN_USE.lock().unwrap_or_else(PoisonError::into_inner)
}
