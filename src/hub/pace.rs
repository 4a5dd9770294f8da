//! Rejects transfers that trickle: a server that sends, or takes, one byte per second is no better than a silent one.

use std::io::{self, Read};
use std::time::{Duration, Instant};

/// Reads as long as enough data passes.
pub(super) struct Paced<R> {
    inner: R,
    /// Bytes that must pass in each window.
    least: u64,
    window: Duration,
    /// The start of the window; the first one starts with the first read.
    since: Option<Instant>,
    came: u64,
}

impl<R: Read> Paced<R> {
    /// At least `rate` bytes per second on average, over each `window`.
    pub(super) fn new(inner: R, rate: u64, window: Duration) -> Self {
        let least = (window.as_secs_f64() * rate as f64) as u64;
        Paced { inner, least, window, since: None, came: 0 }
    }

    pub(super) fn into_inner(self) -> R {
        self.inner
    }

    /// Checks at the end of a window whether enough data passed.
    fn look(&mut self, since: Instant) -> io::Result<()> {
        let (elapsed, came) = (since.elapsed(), self.came);
        if elapsed < self.window {
            return Ok(());
        }
        (self.since, self.came) = (Some(Instant::now()), 0);
        match came < self.least {
            true => {
                let message = format!("only {came} bytes in {:.0} s", elapsed.as_secs_f64());
                Err(io::Error::new(io::ErrorKind::TimedOut, message))
            }
            false => Ok(()),
        }
    }
}

impl<R: Read> Read for Paced<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let since = *self.since.get_or_insert_with(Instant::now);
        let read = self.inner.read(buffer)?;
        self.came += read as u64;
        if read > 0 {
            self.look(since)?;
        }
        Ok(read)
    }
}
