//! The readers and writers below: what they say in one short line, and a panic in them as an error.

use std::any::Any;
use std::fmt;

use crate::guard::caught;

/// Longer messages quote the file, sometimes all of it.
const LONGEST: usize = 200;

/// What a reader or writer said: its first line, cut.
#[derive(Debug)]
pub(super) struct Cause(String);

impl Cause {
    pub(super) fn new(message: &str) -> Self {
        let line = message.lines().find(|line| !line.trim().is_empty()).unwrap_or("it does not say why").trim();
        match line.char_indices().nth(LONGEST) {
            Some((end, _)) => Cause(format!("{}…", &line[..end])),
            None => Cause(line.to_owned()),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Cause {}

/// Does `work`, whose code is not ours: it may fail, and it may panic.
pub(super) fn guarded<T, E: fmt::Display>(work: impl FnOnce() -> Result<T, E>) -> Result<T, Cause> {
    match caught(work) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Cause::new(&error.to_string())),
        Err(panic) => Err(Cause::new(said(panic.as_ref()))),
    }
}

fn said(panic: &(dyn Any + Send)) -> &str {
    let owned = panic.downcast_ref::<String>().map(String::as_str);
    owned.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it gave up")
}
