//! Runs third-party code that may panic: the panic is caught, and nothing is printed.
//!
//! The process's panic hook reports a panic before it can be caught. The first call installs a hook in front of the
//! existing one; it is silent for panics that will be caught and forwards all others. Panics are caught in threads that
//! are inside [`caught`] and, while any thread is, in Polars' own threads, which do a reader's work and propagate its
//! panics.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};

thread_local! {
    /// The number of nested calls of [`caught`] on this thread.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// The number of active calls of [`caught`] on all threads.
static CALLS: AtomicUsize = AtomicUsize::new(0);

/// Runs `work`; a panic in it is returned as the error.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> std::thread::Result<T> {
    static HOOK: Once = Once::new();
    // A thread that is already panicking must not modify the hook.
    if !std::thread::panicking() {
        HOOK.call_once(put_hook);
    }
    let _call = Call::begin();
    catch_unwind(AssertUnwindSafe(work))
}

fn put_hook() {
    let before = take_hook();
    set_hook(Box::new(move |panic| {
        if !will_be_caught() {
            before(panic);
        }
    }));
}

fn will_be_caught() -> bool {
    // A terminating thread no longer has a depth.
    let here = DEPTH.try_with(|depth| depth.get() > 0).unwrap_or(false);
    here || (CALLS.load(Ordering::SeqCst) > 0 && is_polars())
}

fn is_polars() -> bool {
    std::thread::current().name().is_some_and(|name| name.starts_with("polars"))
}

struct Call;

impl Call {
    fn begin() -> Self {
        CALLS.fetch_add(1, Ordering::SeqCst);
        DEPTH.set(DEPTH.get() + 1);
        Call
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
        CALLS.fetch_sub(1, Ordering::SeqCst);
    }
}
