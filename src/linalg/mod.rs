//! Shared low-level modules: matrices used by more than one stage, and CPU feature detection.

pub(crate) mod elementwise;
pub(crate) mod matmul;
pub(crate) mod processor;
pub(crate) mod room;
pub mod sparse;
pub mod symmetric_eigen;
pub mod vectors;
