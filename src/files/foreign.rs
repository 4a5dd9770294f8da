//! Third-party readers and writers: shortens their messages to one line, and converts their panics to errors.

use std::any::Any;
use std::fmt;

use crate::guard::caught;

/// The maximum message length: longer messages quote the file, sometimes all of it.
const MAX_LENGTH: usize = 200;

/// The message of a reader or writer: its first line, truncated.
#[derive(Debug)]
pub(super) struct Cause {
    said: String,
    /// Whether a limit was exceeded, as opposed to corrupt data.
    pub(super) is_over_a_limit: bool,
}

impl Cause {
    pub(super) fn new(message: &str) -> Self {
        let line = message.lines().find(|line| !line.trim().is_empty()).unwrap_or("no reason was given").trim();
        let said = match line.char_indices().nth(MAX_LENGTH) {
            Some((end, _)) => format!("{}…", &line[..end]),
            None => line.to_owned(),
        };
        Cause { said, is_over_a_limit: false }
    }

    pub(super) fn over_a_limit(message: &str) -> Self {
        Cause { is_over_a_limit: true, ..Cause::new(message) }
    }
}

impl Cause {
    /// The cause in plain words, for readers whose own messages are about their internals.
    fn in_plain_words(self) -> Self {
        let said = self.said.to_lowercase();
        let holds = |words: &[&str]| words.iter().any(|word| said.contains(word));
        Cause::new(match () {
            () if holds(&["encrypt"]) => "it is encrypted",
            () if holds(&["codec", "compress", "snap", "lz4", "zstd", "brotli", "gzip"]) => {
                "its compressed data is corrupt, or uses an unsupported codec"
            }
            () if holds(&["fill whole buffer", "eof", "unexpected end", "out of range"]) => "it ends prematurely",
            () => "it is inconsistent, or contains something unsupported",
        })
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said)
    }
}

impl std::error::Error for Cause {}

/// Runs `work`, third-party code that may fail or panic.
pub(super) fn guarded<T, E: fmt::Display>(work: impl FnOnce() -> Result<T, E>) -> Result<T, Cause> {
    match caught(work) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Cause::new(&error.to_string())),
        Err(panic) => Err(Cause::new(said(panic.as_ref()))),
    }
}

/// Like [`guarded`], for readers of binary files.
pub(super) fn guarded_reader<T, E: fmt::Display>(work: impl FnOnce() -> Result<T, E>) -> Result<T, Cause> {
    guarded(work).map_err(Cause::in_plain_words)
}

fn said(panic: &(dyn Any + Send)) -> &str {
    let owned = panic.downcast_ref::<String>().map(String::as_str);
    owned.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked")
}
