//! Work in code that is not ours, and that may panic: the panic is caught, and nothing is printed.
//!
//! A panic is told by the process's panic hook before it can be caught. The first call puts a hook in front of the one
//! that is there; it is silent for panics that will be caught and passes all others on. Those are the panics of a thread
//! that is in [`caught`], and, while any thread is, those of Polars' own threads: they do a reader's work and hand its
//! panic back.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};

thread_local! {
    /// How many calls of [`caught`] this thread is in.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// How many calls of [`caught`] there are on all threads.
static CALLS: AtomicUsize = AtomicUsize::new(0);

/// Does `work`; a panic in it is the error.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> std::thread::Result<T> {
    static HOOK: Once = Once::new();
    // A thread that panics already must not touch the hook.
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
    // A thread that is ending has no depth any more.
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
