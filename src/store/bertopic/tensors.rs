//! The arrays that numpy writes: numbers of several types.

use std::borrow::Cow;

use half::f16;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors, View};

/// An array to write.
pub(super) struct Tensor {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Tensor {
    pub(super) fn f32(shape: &[usize], values: impl Iterator<Item = f32>) -> Self {
        Tensor { dtype: Dtype::F32, shape: shape.to_vec(), bytes: values.flat_map(f32::to_le_bytes).collect() }
    }

    pub(super) fn f64(values: &[f64]) -> Self {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Tensor { dtype: Dtype::F64, shape: vec![values.len()], bytes }
    }

    pub(super) fn i32(values: &[i32]) -> Self {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Tensor { dtype: Dtype::I32, shape: vec![values.len()], bytes }
    }

    pub(super) fn i64(values: &[i64]) -> Self {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Tensor { dtype: Dtype::I64, shape: vec![values.len()], bytes }
    }
}

impl View for &Tensor {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

/// Reads a file's arrays; offsets that overlap, leave a gap or lead outside are refused.
pub(super) fn parse(bytes: &[u8]) -> Result<SafeTensors<'_>, String> {
    SafeTensors::deserialize(bytes).map_err(|cause| format!("it is no safetensors file ({cause:.200})"))
}

/// An array with this number of dimensions.
pub(super) fn tensor<'a>(tensors: &SafeTensors<'a>, name: &str, dimensions: usize) -> Result<TensorView<'a>, String> {
    let tensor = tensors.tensor(name).map_err(|_| format!("it has no array `{name}`"))?;
    match tensor.shape().len() == dimensions {
        true => Ok(tensor),
        false => Err(format!("the array `{name}` has {} dimensions instead of {dimensions}", tensor.shape().len())),
    }
}

/// The finite numbers of an array.
pub(super) fn floats(tensor: &TensorView<'_>, name: &str) -> Result<Vec<f64>, String> {
    let data = tensor.data();
    let values: Vec<f64> = match tensor.dtype() {
        Dtype::F64 => data.as_chunks().0.iter().map(|&bytes| f64::from_le_bytes(bytes)).collect(),
        Dtype::F32 => data.as_chunks().0.iter().map(|&bytes| f64::from(f32::from_le_bytes(bytes))).collect(),
        Dtype::F16 => data.as_chunks().0.iter().map(|&bytes| f16::from_le_bytes(bytes).to_f64()).collect(),
        other => return Err(format!("the array `{name}` has elements of the type {other:?}")),
    };
    match values.iter().all(|value| value.is_finite()) {
        true => Ok(values),
        false => Err(format!("the array `{name}` has a NaN or infinite value")),
    }
}

/// The integers of an array, none of which is negative.
pub(super) fn integers(tensor: &TensorView<'_>, name: &str) -> Result<Vec<usize>, String> {
    let data = tensor.data();
    let values: Vec<i64> = match tensor.dtype() {
        Dtype::I64 => data.as_chunks().0.iter().map(|&bytes| i64::from_le_bytes(bytes)).collect(),
        Dtype::I32 => data.as_chunks().0.iter().map(|&bytes| i64::from(i32::from_le_bytes(bytes))).collect(),
        other => return Err(format!("the array `{name}` has elements of the type {other:?}")),
    };
    let values: Option<Vec<usize>> = values.into_iter().map(|value| usize::try_from(value).ok()).collect();
    values.ok_or_else(|| format!("the array `{name}` has a negative number"))
}
