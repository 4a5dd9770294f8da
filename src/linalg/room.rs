//! Too little memory, told before it ends the process.

use crate::error::{Error, ErrorKind, Result, Stage};

/// Checks that there is room for a matrix of `rows` x `columns` single-precision numbers: asks for it and gives it back,
/// which costs nothing, as nothing is written there.
///
/// # Errors
/// A system that does not have so much memory, or does not give it to this process: `what` is too large.
pub(crate) fn check_room(stage: Stage, what: &str, rows: usize, columns: usize) -> Result<()> {
    let numbers = rows.saturating_mul(columns);
    let mut room = Vec::<f32>::new();
    let there = room.try_reserve_exact(numbers);
    // Memory that nobody looks at need not be asked for, as compilers see it.
    std::hint::black_box(&room);
    there.map_err(|cause| {
        let gigabytes = rows as f64 * columns as f64 * 4.0 / 1e9;
        let message =
            format!("{what} ({rows} x {columns} numbers) need {gigabytes:.1} GB of memory, which is not there");
        Error::new(ErrorKind::Internal, stage, message)
            .cause(cause)
            .hint("Take fewer rows, or a machine with more memory.")
    })
}
