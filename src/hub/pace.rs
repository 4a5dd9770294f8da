//! Rejects transfers that trickle: a server that sends, or takes, one byte per second is no better than a silent one.

use std::io::{self, Read};
use std::time::{Duration, Instant};

/// Reads as long as enough data passes.
pub(super) struct Paced<R> {
    inner: R,
    /// Bytes that must pass in each window.
    least: u64,
    window: Duration,
    since: Instant,
    came: u64,
}

impl<R: Read> Paced<R> {
    /// At least `rate` bytes per second on average, over each `window`.
    pub(super) fn new(inner: R, rate: u64, window: Duration) -> Self {
        let least = (window.as_secs_f64() * rate as f64) as u64;
        Paced { inner, least, window, since: Instant::now(), came: 0 }
    }

    pub(super) fn into_inner(self) -> R {
        self.inner
    }

    /// Checks at the end of a window whether enough data passed.
    fn look(&mut self) -> io::Result<()> {
        let (seconds, came) = (self.since.elapsed().as_secs_f64(), self.came);
        if self.since.elapsed() < self.window {
            return Ok(());
        }
        (self.since, self.came) = (Instant::now(), 0);
        match came < self.least {
            true => Err(io::Error::new(io::ErrorKind::TimedOut, format!("only {came} bytes in {seconds:.0} s"))),
            false => Ok(()),
        }
    }
}

impl<R: Read> Read for Paced<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.came += read as u64;
        if read > 0 {
            self.look()?;
        }
        Ok(read)
    }
}
