//! The tensors of a model folder: `model.safetensors`, one in parts, or `pytorch_model.bin`.
//!
//! Tensors are read one at a time, so that a model never is in memory twice. Pickled files are read by candle, which
//! knows tensors and runs no code.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use candle_core::pickle::PthTensors;
use candle_core::{DType, Device, Tensor};
use serde_json::Value;

use super::model_folder::{model_error, open_plain, read_json};
use crate::error::{Error, Result};
use crate::guard::caught;

const SAFETENSORS: &str = "model.safetensors";
const PARTS: &str = "model.safetensors.index.json";
const PICKLED: &str = "pytorch_model.bin";

/// The longest header that is read: names, types and places of tensors.
const MAX_HEADER: u64 = 100 << 20;

/// The most numbers of one tensor: 16 GiB of single precision.
const MAX_NUMBERS: usize = 1 << 32;

/// A tensor's place in a file.
#[derive(Debug, Clone)]
struct Place {
    file: usize,
    dtype: DType,
    shape: Vec<usize>,
    start: u64,
    bytes: u64,
}

enum Source {
    Safetensors { files: Vec<PathBuf>, places: BTreeMap<String, Place> },
    Pickled { path: PathBuf, tensors: Box<PthTensors> },
}

/// The tensors of a model folder, or those whose names begin alike. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Weights {
    source: Arc<Source>,
    prefix: String,
}

impl Weights {
    /// Looks into `folder`; reads no tensor yet.
    ///
    /// # Errors
    /// No file of weights, or one that is damaged: names it.
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        let file = |name: &str| Some(folder.join(name)).filter(|path| path.exists());
        let source = if let Some(path) = file(SAFETENSORS) {
            read_safetensors(vec![path])?
        } else if let Some(index) = file(PARTS) {
            read_safetensors(parts(folder, &index)?)?
        } else if let Some(path) = file(PICKLED) {
            read_pickled(path)?
        } else {
            let message = format!("there is no {SAFETENSORS}, {PARTS} or {PICKLED}");
            return Err(model_error(folder, &message).hint("Is this the folder of a model, wholly downloaded?"));
        };
        Ok(Weights { source: Arc::new(source), prefix: String::new() })
    }

    /// The tensors whose names begin with `name` and a dot.
    #[must_use]
    pub(crate) fn pp(&self, name: impl std::fmt::Display) -> Self {
        Weights { source: self.source.clone(), prefix: format!("{}{name}.", self.prefix) }
    }

    /// Whether there is such a tensor.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.shape_of(name).is_some()
    }

    /// Whether a tensor's name begins with `name` and a dot.
    pub(crate) fn has_group(&self, name: &str) -> bool {
        let start = format!("{}{name}.", self.prefix);
        match &*self.source {
            Source::Safetensors { places, .. } => places.keys().any(|key| key.starts_with(&start)),
            Source::Pickled { tensors, .. } => tensors.tensor_infos().keys().any(|key| key.starts_with(&start)),
        }
    }

    /// The shape of a tensor, if there is one of this name.
    pub(crate) fn shape_of(&self, name: &str) -> Option<Vec<usize>> {
        let name = format!("{}{name}", self.prefix);
        match &*self.source {
            Source::Safetensors { places, .. } => places.get(&name).map(|place| place.shape.clone()),
            Source::Pickled { tensors, .. } => Some(tensors.tensor_infos().get(&name)?.layout.dims().to_vec()),
        }
    }

    /// Checks that there is a tensor of this name and shape; reads nothing.
    ///
    /// # Errors
    /// No such tensor, or another shape: with the file and the name.
    pub(crate) fn check(&self, name: &str, shape: &[usize]) -> Result<()> {
        match self.shape_of(name) {
            Some(found) if found == shape => Ok(()),
            Some(found) => Err(self.error(name, &format!("has the shape {found:?}, and {shape:?} is expected"))),
            None => Err(self.error(name, "is missing")),
        }
    }

    /// The tensor of this name and shape, as single precision in the processor's memory.
    ///
    /// # Errors
    /// No such tensor, another shape or type, or a file that ends too early: with the file and the name.
    pub(crate) fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor> {
        self.check(name, shape)?;
        let full = format!("{}{name}", self.prefix);
        let tensor = match &*self.source {
            Source::Safetensors { files, places } => {
                let place = places.get(&full).ok_or_else(|| self.error(name, "is missing"))?;
                read_tensor(files, place).map_err(|cause| self.error(name, "cannot be read").cause(cause))?
            }
            Source::Pickled { tensors, .. } => caught(|| tensors.get(&full))
                .map_err(|_| self.error(name, "cannot be read"))?
                .map_err(|cause| self.error(name, "cannot be read").cause(cause))?
                .ok_or_else(|| self.error(name, "is missing"))?,
        };
        let single = tensor.to_dtype(DType::F32).and_then(|tensor| tensor.contiguous());
        single.map_err(|cause| self.error(name, "cannot be made single precision").cause(cause))
    }

    /// The numbers of the tensor of this name and shape.
    ///
    /// # Errors
    /// As [`tensor`](Self::tensor).
    pub(crate) fn numbers(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let place = match &*self.source {
            Source::Safetensors { files, places } => {
                let place = places.get(&format!("{}{name}", self.prefix));
                place.filter(|place| place.dtype == DType::F32 && place.shape == shape).map(|place| (files, place))
            }
            Source::Pickled { .. } => None,
        };
        if let Some((files, place)) = place {
            // The usual case, and most of a model: nothing is in memory twice.
            return read_singles(files, place).map_err(|cause| self.error(name, "cannot be read").cause(cause));
        }
        let flat = self.tensor(name, shape)?.flatten_all().and_then(|tensor| tensor.to_vec1::<f32>());
        flat.map_err(|cause| self.error(name, "cannot be read").cause(cause))
    }

    /// An error about the file that holds, or should hold, the tensor `name`.
    pub(crate) fn error(&self, name: &str, what: &str) -> Error {
        let full = format!("{}{name}", self.prefix);
        let path = match &*self.source {
            Source::Safetensors { files, places } => {
                files.get(places.get(&full).map_or(0, |place| place.file)).cloned().unwrap_or_default()
            }
            Source::Pickled { path, .. } => path.clone(),
        };
        model_error(&path, &format!("the tensor `{full}` {what}"))
    }
}

/// The files that an index names; each lies in the folder itself.
fn parts(folder: &Path, index: &Path) -> Result<Vec<PathBuf>> {
    let json = read_json(index)?;
    let map = json.get("weight_map").and_then(Value::as_object);
    let map = map.ok_or_else(|| model_error(index, "it has no weight_map"))?;
    let mut files = Vec::new();
    for name in map.values() {
        let name = name.as_str().filter(|name| !name.contains(['/', '\\']) && name.ends_with(".safetensors"));
        let name =
            name.ok_or_else(|| model_error(index, "its weight_map names a file that is no .safetensors here"))?;
        let path = folder.join(name);
        if !files.contains(&path) {
            files.push(path);
        }
    }
    match files.is_empty() {
        true => Err(model_error(index, "its weight_map is empty")),
        false => Ok(files),
    }
}

fn read_safetensors(files: Vec<PathBuf>) -> Result<Source> {
    let mut places = BTreeMap::new();
    for (number, path) in files.iter().enumerate() {
        read_header(path, number, &mut places)?;
    }
    Ok(Source::Safetensors { files, places })
}

/// Reads where the tensors of one file are, and checks that they are in it.
fn read_header(path: &Path, number: usize, places: &mut BTreeMap<String, Place>) -> Result<()> {
    let broken = |what: &str| model_error(path, &format!("it is no whole safetensors file: {what}"));
    let (mut file, len) = open_plain(path)?;
    let mut length = [0_u8; 8];
    file.read_exact(&mut length).map_err(|_| broken("it is too short"))?;
    let length = u64::from_le_bytes(length);
    if length > MAX_HEADER || length > len.saturating_sub(8) {
        return Err(broken("its header is longer than the file"));
    }
    let mut header = vec![0; length as usize];
    file.read_exact(&mut header).map_err(|cause| broken("its header cannot be read").cause(cause))?;
    let header: Value =
        serde_json::from_slice(&header).map_err(|cause| broken("its header is no JSON").cause(cause))?;
    let header = header.as_object().ok_or_else(|| broken("its header is no object"))?;
    for (name, tensor) in header.iter().filter(|(name, _)| *name != "__metadata__") {
        let place =
            place(tensor, number, 8 + length, len).map_err(|what| broken(&format!("the tensor `{name}` {what}")))?;
        // Types that no weight has (numbers of positions, for instance) are left out.
        if let Some(place) = place {
            places.insert(name.clone(), place);
        }
    }
    Ok(())
}

fn place(tensor: &Value, file: usize, data: u64, len: u64) -> std::result::Result<Option<Place>, String> {
    let shape: Option<Vec<usize>> = tensor["shape"]
        .as_array()
        .and_then(|shape| shape.iter().map(|side| side.as_u64().and_then(|side| usize::try_from(side).ok())).collect());
    let shape = shape.ok_or("has no shape")?;
    let numbers = shape.iter().try_fold(1_usize, |product, side| product.checked_mul(*side));
    let numbers = numbers.filter(|numbers| *numbers <= MAX_NUMBERS).ok_or("is too large")?;
    let (Some(start), Some(end)) = (tensor["data_offsets"][0].as_u64(), tensor["data_offsets"][1].as_u64()) else {
        return Err("has no place".to_owned());
    };
    let dtype = match tensor["dtype"].as_str().unwrap_or_default() {
        "F64" => DType::F64,
        "F32" => DType::F32,
        "F16" => DType::F16,
        "BF16" => DType::BF16,
        _ => return Ok(None),
    };
    let bytes = (numbers * dtype.size_in_bytes()) as u64;
    match start.checked_add(bytes) == Some(end) && data.saturating_add(end) <= len {
        true => Ok(Some(Place { file, dtype, shape, start: data + start, bytes })),
        false => Err("is not wholly in the file: was the download cut short?".to_owned()),
    }
}

fn read_tensor(files: &[PathBuf], place: &Place) -> std::result::Result<Tensor, candle_core::Error> {
    if place.dtype == DType::F32 {
        return Tensor::from_vec(read_singles(files, place)?, place.shape.as_slice(), &Device::Cpu);
    }
    let mut bytes = vec![0; place.bytes as usize];
    open_at(files, place)?.read_exact(&mut bytes)?;
    Tensor::from_raw_buffer(&bytes, place.dtype, &place.shape, &Device::Cpu)
}

/// Numbers of single precision, a piece of the file at a time.
fn read_singles(files: &[PathBuf], place: &Place) -> std::io::Result<Vec<f32>> {
    const PIECE: u64 = 1 << 18;
    let mut file = open_at(files, place)?;
    let mut numbers = Vec::with_capacity((place.bytes / 4) as usize);
    let mut piece = vec![0; PIECE.min(place.bytes) as usize];
    let mut left = place.bytes;
    while left > 0 {
        piece.truncate(left.min(PIECE) as usize);
        file.read_exact(&mut piece)?;
        numbers.extend(piece.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)));
        left -= piece.len() as u64;
    }
    Ok(numbers)
}

fn open_at(files: &[PathBuf], place: &Place) -> std::io::Result<File> {
    let mut file = File::open(files.get(place.file).map(PathBuf::as_path).unwrap_or(Path::new("")))?;
    file.seek(SeekFrom::Start(place.start))?;
    Ok(file)
}

fn read_pickled(path: PathBuf) -> Result<Source> {
    open_plain(&path)?;
    let broken = || model_error(&path, "it is no whole file of pickled tensors");
    let hint = "Was the download cut short? Prefer model.safetensors where the model has it.";
    let tensors = caught(|| PthTensors::new(&path, None))
        .map_err(|_| broken().hint(hint))?
        .map_err(|cause| broken().cause(cause).hint(hint))?;
    if tensors.tensor_infos().values().any(|info| info.layout.shape().elem_count() > MAX_NUMBERS) {
        return Err(broken().hint(hint));
    }
    Ok(Source::Pickled { path, tensors: Box::new(tensors) })
}
