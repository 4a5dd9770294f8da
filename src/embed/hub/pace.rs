//! Answers that must not trickle: a server that sends a byte a second is as good as one that is silent.

use std::io::{self, Read};
use std::time::{Duration, Instant};

/// Reads on while enough comes.
pub(super) struct Paced<R> {
    inner: R,
    /// Bytes that must come in each window.
    least: u64,
    window: Duration,
    since: Instant,
    came: u64,
}

impl<R: Read> Paced<R> {
    /// At least `rate` bytes a second on average, over each `window`.
    pub(super) fn new(inner: R, rate: u64, window: Duration) -> Self {
        let least = (window.as_secs_f64() * rate as f64) as u64;
        Paced { inner, least, window, since: Instant::now(), came: 0 }
    }

    /// The window is over: whether enough came in it.
    fn look(&mut self) -> io::Result<()> {
        let (seconds, came) = (self.since.elapsed().as_secs_f64(), self.came);
        if self.since.elapsed() < self.window {
            return Ok(());
        }
        (self.since, self.came) = (Instant::now(), 0);
        match came < self.least {
            true => Err(io::Error::new(io::ErrorKind::TimedOut, format!("only {came} bytes came in {seconds:.0} s"))),
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
