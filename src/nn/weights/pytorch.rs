//! `pytorch_model.bin`: a zip archive with a pickle that says where tensors are, and their values as stored in memory.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufReader, Read as _, Seek, SeekFrom};
use std::path::Path;

use candle_core::DType;
use zip::{CompressionMethod, ZipArchive};

use super::pickle::{Id, Parsed, Value, Values};
use super::{Location, MAX_ELEMENTS, Order};

/// Size limit for the pickle: it has some hundred bytes for each tensor.
const MAX_PICKLE: u64 = 16 << 20;

/// The maximum number of entries in an archive: one for each tensor, and a few more.
const MAX_ENTRIES: usize = 100_000;

/// The maximum number of dimensions of a tensor.
const MAX_DIMENSIONS: usize = 8;

/// How often the values of a file may be used: tensors may share theirs, and one or two do.
const MAX_SHARED: u64 = 4;

/// An uncompressed entry of the archive.
#[derive(Clone, Copy)]
struct Entry {
    start: u64,
    length: u64,
}

/// Where the tensors of a file are.
pub(super) fn locations(path: &Path) -> Parsed<BTreeMap<String, Location>> {
    let unreadable = |cause: std::io::Error| format!("it cannot be read: {cause}");
    let mut file = File::open(path).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    let entries = entries(&file, length)?;
    let (name, pickle) = entries
        .iter()
        .find(|(name, _)| *name == "data.pkl" || name.ends_with("/data.pkl"))
        .ok_or("it has no data.pkl: was it saved by PyTorch before 1.6?")?;
    if pickle.length > MAX_PICKLE {
        return Err(format!("its data.pkl has {} bytes; the maximum is {MAX_PICKLE}", pickle.length));
    }
    let mut program = vec![0; pickle.length as usize];
    file.seek(SeekFrom::Start(pickle.start)).and_then(|_| file.read_exact(&mut program)).map_err(unreadable)?;
    let values = Values::of(&program)?;
    let Value::Dict(pairs) = values.result() else {
        return Err("its pickle is not a dict of tensors".to_owned());
    };
    let tensors = Tensors { values: &values, entries: &entries, folder: name.trim_end_matches("data.pkl") };
    let (mut locations, mut bytes) = (BTreeMap::new(), 0_u64);
    for (name, value) in pairs {
        let Value::Text(name) = values.get(*name) else { continue };
        let location = tensors.location(*value).map_err(|why| format!("its tensor `{name:.100}` {why}"))?;
        if let Some(location) = location {
            bytes = bytes.saturating_add(location.bytes);
            locations.insert(name.clone(), location);
        }
    }
    match bytes <= length.saturating_mul(MAX_SHARED) {
        true => Ok(locations),
        false => Err(format!("its tensors would take {bytes} bytes, but the file has {length}")),
    }
}

/// The archive's entries by their names.
fn entries(file: &File, length: u64) -> Parsed<HashMap<String, Entry>> {
    let damaged = |cause: zip::result::ZipError| format!("it is not an archive of PyTorch 1.6 or later: {cause}");
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(damaged)?;
    if archive.len() > MAX_ENTRIES {
        return Err(format!("it has {} entries; the maximum is {MAX_ENTRIES}", archive.len()));
    }
    let mut entries = HashMap::with_capacity(archive.len());
    for number in 0..archive.len() {
        let entry = archive.by_index_raw(number).map_err(damaged)?;
        let name = entry.name().map_err(damaged)?.into_owned();
        let plain = entry.compression() == CompressionMethod::Stored && !entry.encrypted();
        let start = entry.data_start().filter(|_| plain && entry.size() == entry.compressed_size());
        let start = start.ok_or_else(|| format!("its entry `{name:.100}` is compressed, which PyTorch never does"))?;
        if start.checked_add(entry.size()).is_none_or(|end| end > length) {
            return Err(format!("its entry `{name:.100}` is not completely in the file"));
        }
        entries.insert(name, Entry { start, length: entry.size() });
    }
    Ok(entries)
}

struct Tensors<'a> {
    values: &'a Values,
    entries: &'a HashMap<String, Entry>,
    /// The folder within the archive.
    folder: &'a str,
}

impl Tensors<'_> {
    /// Where a tensor is; `None` for values that are not tensors, and for types that weights never have.
    fn location(&self, value: Id) -> Parsed<Option<Location>> {
        let Some(arguments) = self.rebuild_arguments(value) else { return Ok(None) };
        let [storage, offset, shape, strides, ..] = arguments else { return Err("lacks a part".to_owned()) };
        let Some((dtype, storage)) = self.storage(*storage)? else { return Ok(None) };
        let (shape, strides) = (self.sizes(*shape)?, self.sizes(*strides)?);
        let Value::Int(offset) = self.values.get(*offset) else { return Err("has no offset".to_owned()) };
        let elements = shape.iter().try_fold(1_usize, |product, dimension| product.checked_mul(*dimension));
        let elements = elements.filter(|elements| *elements <= MAX_ELEMENTS).ok_or("is too large")?;
        let size = dtype.size_in_bytes() as u64;
        let first =
            u64::try_from(*offset).ok().and_then(|offset| offset.checked_mul(size)).ok_or("has an invalid offset")?;
        let bytes = elements as u64 * size;
        if first.checked_add(bytes).is_none_or(|end| end > storage.length) {
            return Err("is not completely in its storage".to_owned());
        }
        let order = order(&shape, &strides)?;
        Ok(Some(Location { file: 0, dtype, shape, start: storage.start + first, bytes, order }))
    }

    /// The arguments of the call that builds a tensor. Parameters wrap it in another one.
    fn rebuild_arguments(&self, mut value: Id) -> Option<&[Id]> {
        for _ in 0..3 {
            let Value::Call { function, arguments } = self.values.get(value) else { return None };
            let (Value::Global(name), Value::List(list)) = (self.values.get(*function), self.values.get(*arguments))
            else {
                return None;
            };
            match name.as_str() {
                "torch._utils._rebuild_tensor_v2" => return Some(list),
                "torch._utils._rebuild_parameter" => value = *list.first()?,
                "torch._tensor._rebuild_from_type_v2" => {
                    // A function, a type, the function's arguments, and a state.
                    let Value::List(inner) = self.values.at(list, 2) else { return None };
                    let Value::Global(name) = self.values.at(list, 0) else { return None };
                    return (name == "torch._utils._rebuild_tensor_v2").then_some(inner.as_slice());
                }
                _ => return None,
            }
        }
        None
    }

    /// The type and the storage of a tensor's values; `None` for types that weights never have.
    fn storage(&self, value: Id) -> Parsed<Option<(DType, Entry)>> {
        let Value::Persistent(name) = self.values.get(value) else { return Err("has no storage".to_owned()) };
        let Value::List(parts) = self.values.get(*name) else { return Err("has no storage".to_owned()) };
        let (Value::Global(class), Value::Text(key)) = (self.values.at(parts, 1), self.values.at(parts, 2)) else {
            return Err("has no storage".to_owned());
        };
        let dtype = match class.as_str() {
            "torch.DoubleStorage" => DType::F64,
            "torch.FloatStorage" => DType::F32,
            "torch.HalfStorage" => DType::F16,
            "torch.BFloat16Storage" => DType::BF16,
            _ => return Ok(None),
        };
        let entry = self.entries.get(&format!("{}data/{key}", self.folder));
        let entry = entry.ok_or_else(|| format!("is in data/{key:.100}, which the file does not have"))?;
        Ok(Some((dtype, *entry)))
    }

    fn sizes(&self, list: Id) -> Parsed<Vec<usize>> {
        let sizes = match self.values.get(list) {
            Value::List(list) if list.len() <= MAX_DIMENSIONS => list,
            _ => return Err("has no shape".to_owned()),
        };
        let number = |id: &Id| match self.values.get(*id) {
            Value::Int(number) => usize::try_from(*number).ok(),
            _ => None,
        };
        sizes.iter().map(number).collect::<Option<_>>().ok_or_else(|| "has no shape".to_owned())
    }
}

/// The memory order of a tensor's values. Dimensions of length 1 do not matter.
fn order(shape: &[usize], strides: &[usize]) -> Parsed<Order> {
    if shape.len() != strides.len() {
        return Err("has strides that do not fit its shape".to_owned());
    }
    if strides_follow(shape.iter().zip(strides).rev()) {
        return Ok(Order::RowMajor);
    }
    match strides_follow(shape.iter().zip(strides)) {
        true => Ok(Order::ColumnMajor),
        false => Err("is not contiguous".to_owned()),
    }
}

/// Whether each dimension's stride is the product of the dimensions before it.
fn strides_follow<'a>(mut dimensions: impl Iterator<Item = (&'a usize, &'a usize)>) -> bool {
    let mut step = 1_usize;
    dimensions.all(|(dimension, stride)| {
        let fits = *dimension <= 1 || *stride == step;
        step = step.saturating_mul(*dimension);
        fits
    })
}
