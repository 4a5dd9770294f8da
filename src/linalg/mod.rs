//! Linear algebra shared by several stages, the detection of CPU features, and the mixing of bits.

#[cfg(feature = "models")]
pub(crate) mod elementwise;
pub(crate) mod facility_location;
pub(crate) mod finite;
pub(crate) mod marginal_relevance;
#[cfg(feature = "models")]
pub(crate) mod matmul;
pub(crate) mod memory;
pub(crate) mod mix;
pub(crate) mod processor;
pub mod sparse;
pub(crate) mod sparse_sums;
#[doc(hidden)] // For the tests.
pub mod symmetric_eigen;
pub(crate) mod vector_sum;
pub mod vectors;
