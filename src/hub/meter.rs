//! Counting transferred bytes.

use std::cell::Cell;

use crate::progress::Task;

/// Reports bytes as kB. Bytes that are transferred twice count once.
pub(super) struct Meter<'a> {
    task: Option<&'a Task>,
    reached: Cell<u64>,
}

impl<'a> Meter<'a> {
    pub(super) fn silent() -> Self {
        Meter { task: None, reached: Cell::new(0) }
    }

    pub(super) fn of(task: &'a Task) -> Self {
        Meter { task: Some(task), ..Meter::silent() }
    }

    /// This many bytes are done.
    pub(super) fn reach(&self, bytes: u64) {
        let before = self.reached.get();
        if bytes / 1000 > before / 1000 {
            self.reached.set(bytes);
            if let Some(task) = self.task {
                task.advance((bytes / 1000 - before / 1000) as usize);
            }
        }
    }
}
