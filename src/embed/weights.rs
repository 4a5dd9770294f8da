//! The tensors of a model folder: `model.safetensors`, one in parts, or `pytorch_model.bin`.
//!
//! Tensors are read one at a time from where they lie in the file, so that a model never is in memory twice; no file is
//! mapped, so that one that another program cuts short while it is read is an error like any other. What is asked for
//! is compared with what the file has before anything is allocated.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use serde_json::Value;

use super::model_folder::{Config, model_error, open_regular};
use crate::error::{Error, Result};

mod pickle;
mod pytorch;
mod safetensors;

pub(super) const SAFETENSORS: &str = "model.safetensors";
pub(super) const INDEX: &str = "model.safetensors.index.json";
pub(super) const PICKLED: &str = "pytorch_model.bin";

/// The largest index of weights that is read.
pub(super) const MAX_INDEX: u64 = 16 << 20;

/// No model comes in more parts.
const MAX_PARTS: usize = 1_000;

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
    order: Order,
}

/// How a tensor's numbers follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// The last side is the quickest.
    Rows,
    /// The first one is.
    Columns,
}

/// The files, and where in them the tensors are.
struct Source {
    files: Vec<PathBuf>,
    places: BTreeMap<String, Place>,
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
            Source::safetensors(vec![path])?
        } else if let Some(index) = file(INDEX) {
            Source::safetensors(safetensors::parts(folder, &index)?)?
        } else if let Some(path) = file(PICKLED) {
            Source::pickled(path)?
        } else {
            let message = format!("there is no {SAFETENSORS}, {INDEX} or {PICKLED}");
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
        let from = (Bound::Included(start.as_str()), Bound::Unbounded);
        self.source.places.range::<str, _>(from).next().is_some_and(|(key, _)| key.starts_with(&start))
    }

    /// How many groups there are below `name` that are numbered from 0 on.
    fn groups(&self, name: &str) -> usize {
        (0..).take_while(|number| self.has_group(&format!("{name}.{number}"))).count()
    }

    /// The shape of a tensor, if there is one of this name.
    pub(crate) fn shape_of(&self, name: &str) -> Option<Vec<usize>> {
        self.source.places.get(&format!("{}{name}", self.prefix)).map(|place| place.shape.clone())
    }

    /// Checks that a size of the configuration is the length of a side of a tensor, where there is that tensor.
    ///
    /// # Errors
    /// It is not: with the configuration's file, the name, the value, and what it must be.
    pub(crate) fn fit(&self, config: &Config<'_>, key: &str, size: usize, tensor: &str, side: usize) -> Result<()> {
        let Some(shape) = self.shape_of(tensor) else { return Ok(()) };
        match shape.get(side) {
            Some(held) if *held != size => {
                let (key, name) = (config.name(key), format!("{}{tensor}", self.prefix));
                let what =
                    format!("`{key}` is {size}, and must be {held}: the tensor `{name}` has the shape {shape:?}");
                Err(model_error(config.path(), &what))
            }
            _ => Ok(()),
        }
    }

    /// Checks that there are as many layers as the configuration asks for, where there are any: groups of tensors below
    /// `name`, by their numbers.
    ///
    /// # Errors
    /// There are fewer: with the configuration's file, the name, the value, and what it may be.
    pub(crate) fn fit_layers(&self, config: &Config<'_>, key: &str, layers: usize, name: &str) -> Result<()> {
        match self.groups(name) {
            held if held > 0 && held < layers => {
                let key = config.name(key);
                let what = format!("`{key}` is {layers}, and must be 1 to {held}: the weights have so many layers");
                Err(model_error(config.path(), &what))
            }
            _ => Ok(()),
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
        let place = self.place(name)?;
        let tensor =
            read_tensor(&self.source.files, place).map_err(|cause| self.error(name, "cannot be read").cause(cause))?;
        let single = tensor.to_dtype(DType::F32).and_then(|tensor| tensor.contiguous());
        single.map_err(|cause| self.error(name, "cannot be made single precision").cause(cause))
    }

    /// The numbers of the tensor of this name and shape.
    ///
    /// # Errors
    /// As [`tensor`](Self::tensor).
    pub(crate) fn numbers(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        self.check(name, shape)?;
        let place = self.place(name)?;
        if place.dtype == DType::F32 && place.order == Order::Rows {
            // The usual case, and most of a model: nothing is in memory twice.
            let read = read_singles(&self.source.files, place);
            return read.map_err(|cause| self.error(name, "cannot be read").cause(cause));
        }
        let flat = self.tensor(name, shape)?.flatten_all().and_then(|tensor| tensor.to_vec1::<f32>());
        flat.map_err(|cause| self.error(name, "cannot be read").cause(cause))
    }

    fn place(&self, name: &str) -> Result<&Place> {
        let place = self.source.places.get(&format!("{}{name}", self.prefix));
        place.ok_or_else(|| self.error(name, "is missing"))
    }

    /// An error about the file that holds, or should hold, the tensor `name`.
    pub(crate) fn error(&self, name: &str, what: &str) -> Error {
        let full = format!("{}{name}", self.prefix);
        let Source { files, places } = &*self.source;
        let file = files.get(places.get(&full).map_or(0, |place| place.file));
        model_error(file.map_or(Path::new(""), PathBuf::as_path), &format!("the tensor `{full}` {what}"))
    }
}

/// The files that an index of weights names, each once; or what is wrong with it, as what follows its name.
///
/// They are names without a folder. That they stay inside the model's folder is for the caller to check, who knows where
/// the index is from.
pub(super) fn parts_of(index: &Value) -> std::result::Result<BTreeSet<&str>, String> {
    let map = index.get("weight_map").and_then(Value::as_object).ok_or("has no `weight_map`")?;
    let names: Option<BTreeSet<&str>> = map.values().map(Value::as_str).collect();
    let names = names.ok_or("has a tensor without the name of a file in its `weight_map`")?;
    match names.len() {
        1..=MAX_PARTS => Ok(names),
        many => Err(format!("names {many} files in its `weight_map`; 1 to {MAX_PARTS} are possible")),
    }
}

impl Source {
    fn safetensors(files: Vec<PathBuf>) -> Result<Self> {
        let places = safetensors::places(&files)?;
        Ok(Source { files, places })
    }

    fn pickled(path: PathBuf) -> Result<Self> {
        open_regular(&path)?;
        let places = pytorch::places(&path).map_err(|why| {
            model_error(&path, &format!("it is not a whole file of pickled tensors: {why}"))
                .hint("Was the download cut short? Prefer model.safetensors where the model has it.")
        })?;
        Ok(Source { files: vec![path], places })
    }
}

fn read_tensor(files: &[PathBuf], place: &Place) -> std::result::Result<Tensor, candle_core::Error> {
    if place.order == Order::Columns {
        let reversed = |order: &[usize]| order.iter().rev().copied().collect::<Vec<usize>>();
        let rows = Place { shape: reversed(&place.shape), order: Order::Rows, ..place.clone() };
        let sides: Vec<usize> = (0..place.shape.len()).collect();
        return read_tensor(files, &rows)?.permute(reversed(&sides));
    }
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
