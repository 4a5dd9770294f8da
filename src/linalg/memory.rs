//! Detecting that memory is insufficient before the process is killed.

use crate::error::{Error, ErrorKind, Result, Stage};

/// Checks that there is enough memory for a matrix of `rows` x `columns` single-precision values by allocating and
/// freeing it, which costs nothing because the memory is never written.
///
/// # Errors
/// The system does not have that much memory or does not grant it to this process: `what` is too large.
pub(crate) fn check_memory(stage: Stage, what: &str, rows: usize, columns: usize) -> Result<()> {
    let mut buffer = Vec::<f32>::new();
    let allocated = buffer.try_reserve_exact(rows.saturating_mul(columns));
    // Without this, compilers could remove an allocation that is never used.
    std::hint::black_box(&buffer);
    allocated.map_err(|cause| {
        let gigabytes = rows as f64 * columns as f64 * 4.0 / 1e9;
        let message =
            format!("{what} ({rows} x {columns} values) need {gigabytes:.1} GB of memory, which is not available");
        Error::new(ErrorKind::Internal, stage, message)
            .with_cause(cause)
            .with_hint("Use fewer rows or a machine with more memory.")
    })
}
