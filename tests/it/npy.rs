//! Reading arrays written by NumPy.

use std::path::Path;

use topicframe::ndarray::Array2;

/// Reads a two-dimensional f32 array from a `.npy` file in `tests/fixtures`.
pub fn matrix(name: &str) -> Array2<f32> {
    let (shape, bytes) = values(name, "<f4");
    let values = bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    Array2::from_shape_vec((shape[0], shape[1]), values).unwrap()
}

/// The shape and the raw values of a `.npy` file with the type `descr`, such as `<i4`.
pub fn values(name: &str, descr: &str) -> (Vec<usize>, Vec<u8>) {
    let bytes = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)).unwrap();
    assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00", "{name}");
    let end = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = std::str::from_utf8(&bytes[10..end]).unwrap();
    assert!(header.contains(descr) && header.contains("'fortran_order': False"), "{name}: {header}");
    let shape = header.split(['(', ')']).nth(1).unwrap();
    (shape.split(',').filter_map(|n| n.trim().parse().ok()).collect(), bytes[end..].to_vec())
}
