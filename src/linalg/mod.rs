//! Shared leaves: matrices that more than one stage needs.

pub mod sparse;
pub mod symmetric_eigen;
pub mod vectors;
