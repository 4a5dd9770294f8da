//! `model.safetensors`: a header that says where tensors are, and their values.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use candle_core::DType;
use serde_json::Value;

use super::{Location, MAX_ELEMENTS, Order};
use crate::error::Result;
use crate::nn::model_folder::{model_error, open_regular, read_json_of};
use crate::nn::weight_files::{MAX_INDEX, parts_of};

/// Size limit for the header: names, types and locations of tensors, some hundred bytes for each.
const MAX_HEADER: u64 = 16 << 20;

/// The files named by an index; each is in the folder itself.
pub(super) fn parts(folder: &Path, index: &Path) -> Result<Vec<PathBuf>> {
    let json = read_json_of(index, MAX_INDEX)?;
    let names = parts_of(&json).map_err(|what| model_error(index, &format!("it {what}")))?;
    match names.iter().find(|name| name.contains(['/', '\\']) || !name.ends_with(".safetensors")) {
        Some(_) => {
            Err(model_error(index, "its `weight_map` names a file that is not a .safetensors file in its folder"))
        }
        None => Ok(names.into_iter().map(|name| folder.join(name)).collect()),
    }
}

/// Where the tensors of all `files` are.
pub(super) fn locations(files: &[PathBuf]) -> Result<BTreeMap<String, Location>> {
    let mut locations = BTreeMap::new();
    for (number, path) in files.iter().enumerate() {
        read_header(path, number, &mut locations)?;
    }
    Ok(locations)
}

/// Reads where the tensors of one file are, and checks that they lie within it without overlapping.
fn read_header(path: &Path, number: usize, locations: &mut BTreeMap<String, Location>) -> Result<()> {
    let broken = |what: &str| model_error(path, &format!("it is not a complete safetensors file: {what}"));
    let (mut file, len) = open_regular(path)?;
    let mut length = [0_u8; 8];
    file.read_exact(&mut length).map_err(|_| broken("it is too short"))?;
    let length = u64::from_le_bytes(length);
    if length > len.saturating_sub(8) {
        return Err(broken("its header is longer than the file"));
    }
    if length > MAX_HEADER {
        return Err(broken(&format!("its header has {length} bytes; the maximum is {MAX_HEADER}")));
    }
    let mut header = vec![0; length as usize];
    file.read_exact(&mut header).map_err(|cause| broken("its header cannot be read").with_cause(cause))?;
    let header: Value =
        serde_json::from_slice(&header).map_err(|cause| broken("its header is not JSON").with_cause(cause))?;
    let header = header.as_object().ok_or_else(|| broken("its header is not an object"))?;
    let mut taken: Vec<(u64, u64, &str)> = Vec::with_capacity(header.len());
    for (name, tensor) in header.iter().filter(|(name, _)| *name != "__metadata__") {
        let wrong = |what: String| broken(&format!("the tensor `{name:.200}` {what}"));
        // Types that weights never have (integer positions, for instance) are skipped.
        if let Some(location) = location(tensor, number, 8 + length, len).map_err(wrong)? {
            taken.push((location.start, location.bytes, name));
            locations.insert(name.clone(), location);
        }
    }
    // Overlapping tensors could take more memory than the file.
    taken.retain(|(_, bytes, _)| *bytes > 0);
    taken.sort_unstable();
    for pair in taken.windows(2) {
        if let [(start, bytes, first), (next, _, second)] = pair
            && start + bytes > *next
        {
            return Err(broken(&format!("the tensors `{first:.200}` and `{second:.200}` overlap")));
        }
    }
    Ok(())
}

fn location(tensor: &Value, file: usize, data: u64, len: u64) -> std::result::Result<Option<Location>, String> {
    let shape: Option<Vec<usize>> = tensor["shape"].as_array().and_then(|shape| {
        shape.iter().map(|dimension| dimension.as_u64().and_then(|dimension| usize::try_from(dimension).ok())).collect()
    });
    let shape = shape.ok_or("has no shape")?;
    let elements = shape.iter().try_fold(1_usize, |product, dimension| product.checked_mul(*dimension));
    let elements = elements.filter(|elements| *elements <= MAX_ELEMENTS).ok_or("is too large")?;
    let (Some(start), Some(end)) = (tensor["data_offsets"][0].as_u64(), tensor["data_offsets"][1].as_u64()) else {
        return Err("has no offsets".to_owned());
    };
    let dtype = match tensor["dtype"].as_str().unwrap_or_default() {
        "F64" => DType::F64,
        "F32" => DType::F32,
        "F16" => DType::F16,
        "BF16" => DType::BF16,
        _ => return Ok(None),
    };
    let bytes = (elements * dtype.size_in_bytes()) as u64;
    match start.checked_add(bytes) == Some(end) && data.saturating_add(end) <= len {
        true => Ok(Some(Location { file, dtype, shape, start: data + start, bytes, order: Order::RowMajor })),
        false => Err("is not completely in the file: was the download interrupted?".to_owned()),
    }
}
