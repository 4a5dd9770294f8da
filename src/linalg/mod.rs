//! Shared leaves: matrices that more than one stage needs, and what the processor can do.

pub(crate) mod elementwise;
pub(crate) mod matmul;
pub(crate) mod processor;
pub(crate) mod room;
pub mod sparse;
pub mod symmetric_eigen;
pub mod vectors;
