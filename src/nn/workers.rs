//! Runs batches on several threads.
//!
//! A model's operations are short, and threads that synchronize after each of them mostly wait for each other. So each
//! thread takes whole batches and computes them alone.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use candle_core::Device;

use crate::error::{Error, ErrorKind, Result, Stage};
use crate::progress::Progress;

/// The results of `work` for all batches, in order. On the CPU, as many batches run at a time as there are threads; on
/// other devices, one.
///
/// # Errors
/// That of the first batch that failed; or that the work was interrupted.
pub(crate) fn run<B: Sync, R: Send>(
    batches: &[B],
    device: &Device,
    progress: &Progress,
    work: impl Fn(&B) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let threads = match device {
        Device::Cpu => rayon::current_num_threads().min(batches.len()),
        _ => 1,
    };
    let next = AtomicUsize::new(0);
    let results: Vec<Mutex<Option<Result<R>>>> = batches.iter().map(|_| Mutex::new(None)).collect();
    let process_batches = || {
        loop {
            let turn = next.fetch_add(1, Ordering::Relaxed);
            let (Some(batch), Some(slot)) = (batches.get(turn), results.get(turn)) else { return };
            let result = progress.check(Stage::Embed).and_then(|()| work(batch));
            if result.is_err() {
                // The batches after it are not needed.
                next.store(batches.len(), Ordering::Relaxed);
            }
            if let Ok(mut slot) = slot.lock() {
                *slot = Some(result);
            }
        }
    };
    if threads <= 1 {
        process_batches();
    } else {
        std::thread::scope(|scope| {
            for _ in 0..threads {
                // Operations that would run in parallel see a pool of one thread, and do not.
                scope.spawn(|| match rayon::ThreadPoolBuilder::new().num_threads(1).build() {
                    Ok(pool) => pool.install(process_batches),
                    Err(_) => process_batches(),
                });
            }
        });
    }
    let mut all = Vec::with_capacity(batches.len());
    for result in results {
        match result.into_inner().unwrap_or_default() {
            Some(result) => all.push(result?),
            None => continue,
        }
    }
    match all.len() == batches.len() {
        true => Ok(all),
        false => Err(Error::new(ErrorKind::Internal, Stage::Embed, "a batch was skipped")),
    }
}
