//! The readers and writers below: what they say in one short line, and a panic in them as an error.

use std::any::Any;
use std::fmt;

use crate::guard::caught;

/// Longer messages quote the file, sometimes all of it.
const LONGEST: usize = 200;

/// What a reader or writer said: its first line, cut.
#[derive(Debug)]
pub(super) struct Cause {
    said: String,
    /// Whether it is no damage, but more than a limit allows.
    pub(super) is_over_a_limit: bool,
}

impl Cause {
    pub(super) fn new(message: &str) -> Self {
        let line = message.lines().find(|line| !line.trim().is_empty()).unwrap_or("it does not say why").trim();
        let said = match line.char_indices().nth(LONGEST) {
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
    /// What is known of it in plain words, for readers whose own words are about their insides.
    fn in_plain_words(self) -> Self {
        let said = self.said.to_lowercase();
        let holds = |words: &[&str]| words.iter().any(|word| said.contains(word));
        Cause::new(match () {
            () if holds(&["encrypt"]) => "it is encrypted",
            () if holds(&["codec", "compress", "snap", "lz4", "zstd", "brotli", "gzip"]) => {
                "what is compressed in it is damaged, or compressed in a way that is not read"
            }
            () if holds(&["fill whole buffer", "eof", "unexpected end", "out of range"]) => "it ends too early",
            () => "it contradicts itself, or holds something that is not read",
        })
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said)
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

/// As [`guarded`], for readers of binary files.
pub(super) fn guarded_reader<T, E: fmt::Display>(work: impl FnOnce() -> Result<T, E>) -> Result<T, Cause> {
    guarded(work).map_err(Cause::in_plain_words)
}

fn said(panic: &(dyn Any + Send)) -> &str {
    let owned = panic.downcast_ref::<String>().map(String::as_str);
    owned.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it gave up")
}
