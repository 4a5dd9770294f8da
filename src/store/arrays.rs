//! Arrays as safetensors.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};

use half::f16;
use safetensors::{Dtype, SafeTensors};
use serde_json::{Map, Value, json};

use crate::state::{Array, State, Values};

/// Bytes that are written at a time.
const CHUNK: usize = 1 << 16;

/// Writes the arrays of `state`.
pub(super) fn write_arrays(state: &State<'_>, file: &mut impl Write) -> io::Result<()> {
    let mut arrays: Vec<(&String, &Array<'_>)> = state.arrays().iter().collect();
    // Wide elements first, so that all of them are aligned.
    arrays.sort_by_key(|(name, array)| (std::cmp::Reverse(layout(&array.values).1), name.as_str()));
    let mut header = Map::new();
    let mut start = 0_u64;
    for (name, array) in &arrays {
        let (dtype, width, count) = layout(&array.values);
        let end = start + (width * count) as u64;
        header.insert((*name).clone(), json!({ "dtype": dtype, "shape": array.shape, "data_offsets": [start, end] }));
        start = end;
    }
    let mut header = Value::Object(header).to_string().into_bytes();
    header.resize(header.len().next_multiple_of(8), b' ');
    file.write_all(&(header.len() as u64).to_le_bytes())?;
    file.write_all(&header)?;
    arrays.into_iter().try_for_each(|(_, array)| write_values(&array.values, file))
}

/// The name of the type, its bytes, and the number of elements.
fn layout(values: &Values<'_>) -> (&'static str, usize, usize) {
    match values {
        Values::I8(values) => ("I8", 1, values.len()),
        Values::U8(values) => ("U8", 1, values.len()),
        Values::I32(values) => ("I32", 4, values.len()),
        Values::U32(values) => ("U32", 4, values.len()),
        Values::U64(values) => ("U64", 8, values.len()),
        Values::F16(values) => ("F16", 2, values.len()),
        Values::F32(values) => ("F32", 4, values.len()),
        Values::F64(values) => ("F64", 8, values.len()),
        Values::Vectors(vectors) => ("F32", 4, vectors.rows() * vectors.columns()),
    }
}

fn write_values(values: &Values<'_>, file: &mut impl Write) -> io::Result<()> {
    match values {
        Values::U8(values) => file.write_all(values),
        Values::I8(values) => write_as(values, |x: i8| x.to_le_bytes(), file),
        Values::I32(values) => write_as(values, i32::to_le_bytes, file),
        Values::U32(values) => write_as(values, u32::to_le_bytes, file),
        Values::U64(values) => write_as(values, u64::to_le_bytes, file),
        Values::F16(values) => write_as(values, f16::to_le_bytes, file),
        Values::F32(values) => write_as(values, f32::to_le_bytes, file),
        Values::F64(values) => write_as(values, f64::to_le_bytes, file),
        Values::Vectors(vectors) => {
            let reader = vectors.reader();
            (0..vectors.rows()).try_for_each(|row| write_as(reader.row(row), f32::to_le_bytes, file))
        }
    }
}

fn write_as<T: Copy, const N: usize>(
    values: &[T],
    bytes_of: impl Fn(T) -> [u8; N],
    file: &mut impl Write,
) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(CHUNK);
    for values in values.chunks(CHUNK / N) {
        bytes.clear();
        bytes.resize(values.len() * N, 0);
        let (room, _) = bytes.as_chunks_mut::<N>();
        room.iter_mut().zip(values).for_each(|(to, &value)| *to = bytes_of(value));
        file.write_all(&bytes)?;
    }
    Ok(())
}

/// Reads the arrays of a file.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read_arrays(bytes: &[u8]) -> Result<BTreeMap<String, Array<'static>>, String> {
    // Offsets that overlap, leave a gap or lead outside are refused here, and shapes that overflow.
    let tensors = SafeTensors::deserialize(bytes).map_err(|cause| cause.to_string())?;
    let mut arrays = BTreeMap::new();
    for (name, tensor) in tensors.iter() {
        let values = values_of(tensor.dtype(), tensor.data())
            .ok_or_else(|| format!("the array `{name:.100}` has elements of an unexpected type"))?;
        arrays.insert(name.to_owned(), Array { shape: tensor.shape().to_vec(), values });
    }
    Ok(arrays)
}

fn values_of(dtype: Dtype, data: &[u8]) -> Option<Values<'static>> {
    Some(match dtype {
        Dtype::U8 => Values::U8(Cow::Owned(data.to_vec())),
        Dtype::I8 => Values::I8(read_as(data, i8::from_le_bytes)),
        Dtype::I32 => Values::I32(read_as(data, i32::from_le_bytes)),
        Dtype::U32 => Values::U32(read_as(data, u32::from_le_bytes)),
        Dtype::U64 => Values::U64(read_as(data, u64::from_le_bytes)),
        Dtype::F16 => Values::F16(read_as(data, f16::from_le_bytes)),
        Dtype::F32 => Values::F32(read_as(data, f32::from_le_bytes)),
        Dtype::F64 => Values::F64(read_as(data, f64::from_le_bytes)),
        _ => return None,
    })
}

fn read_as<T: Clone, const N: usize>(data: &[u8], value_of: impl Fn([u8; N]) -> T) -> Cow<'static, [T]> {
    let (values, _) = data.as_chunks::<N>();
    Cow::Owned(values.iter().map(|&bytes| value_of(bytes)).collect())
}
