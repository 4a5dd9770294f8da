//! The tensors of a model folder: `model.safetensors`, whole or sharded, or `pytorch_model.bin`.
//!
//! Tensors are read one at a time from their place in the file, so a model is never in memory twice. No file is
//! memory-mapped, so a file that another program truncates while it is read is an error like any other. Requested sizes
//! are compared with those in the file before anything is allocated.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};

use super::model_folder::{Config, model_error, open_regular};
use super::weight_files::{INDEX, PICKLED, SAFETENSORS};
use crate::error::{Error, Result};

mod pickle;
mod pytorch;
mod safetensors;

/// The maximum number of values in one tensor: 16 GiB in single precision.
const MAX_ELEMENTS: usize = 1 << 32;

/// Where a tensor is in a file.
#[derive(Debug, Clone)]
struct Location {
    file: usize,
    dtype: DType,
    shape: Vec<usize>,
    start: u64,
    bytes: u64,
    order: Order,
}

/// The memory order of a tensor's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// The last dimension varies fastest.
    RowMajor,
    /// The first one does.
    ColumnMajor,
}

/// The files, and where in them the tensors are.
struct Source {
    files: Vec<PathBuf>,
    locations: BTreeMap<String, Location>,
}

/// The tensors of a model folder, or those with a common name prefix. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Weights {
    source: Arc<Source>,
    prefix: String,
}

impl Weights {
    /// Opens `folder` without reading any tensor.
    ///
    /// # Errors
    /// A missing or damaged weights file, with its name.
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
            return Err(model_error(folder, &message)
                .with_hint("Is this the folder of a model, and was it downloaded completely?"));
        };
        Ok(Weights { source: Arc::new(source), prefix: String::new() })
    }

    /// The tensors whose names begin with `name` and a dot.
    #[must_use]
    pub(crate) fn pp(&self, name: impl std::fmt::Display) -> Self {
        Weights { source: self.source.clone(), prefix: format!("{}{name}.", self.prefix) }
    }

    /// Whether this tensor exists.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.shape_of(name).is_some()
    }

    /// Whether a tensor's name begins with `name` and a dot.
    pub(crate) fn has_group(&self, name: &str) -> bool {
        let start = format!("{}{name}.", self.prefix);
        let from = (Bound::Included(start.as_str()), Bound::Unbounded);
        self.source.locations.range::<str, _>(from).next().is_some_and(|(key, _)| key.starts_with(&start))
    }

    /// The number of groups below `name` that are numbered from 0.
    fn groups(&self, name: &str) -> usize {
        (0..).take_while(|number| self.has_group(&format!("{name}.{number}"))).count()
    }

    /// The shape of a tensor, if one with this name exists.
    pub(crate) fn shape_of(&self, name: &str) -> Option<Vec<usize>> {
        self.source.locations.get(&format!("{}{name}", self.prefix)).map(|location| location.shape.clone())
    }

    /// Checks that a size in the configuration matches a dimension of a tensor, if that tensor exists.
    ///
    /// # Errors
    /// A mismatch, with the configuration's file, the key, its value, and what it must be.
    pub(crate) fn check_size(
        &self,
        config: &Config<'_>,
        key: &str,
        size: usize,
        tensor: &str,
        dimension: usize,
    ) -> Result<()> {
        let Some(shape) = self.shape_of(tensor) else { return Ok(()) };
        match shape.get(dimension) {
            Some(found) if *found != size => {
                let (key, name) = (config.name(key), format!("{}{tensor}", self.prefix));
                let what =
                    format!("`{key}` is {size}, but must be {found}: the tensor `{name}` has the shape {shape:?}");
                Err(model_error(config.path(), &what))
            }
            _ => Ok(()),
        }
    }

    /// Checks that there are as many layers as the configuration declares, if there are any: groups of tensors below
    /// `name`, by their numbers.
    ///
    /// # Errors
    /// Too few layers, with the configuration's file, the key, its value, and what it may be.
    pub(crate) fn check_layers(&self, config: &Config<'_>, key: &str, layers: usize, name: &str) -> Result<()> {
        match self.groups(name) {
            found if found > 0 && found < layers => {
                let key = config.name(key);
                let what =
                    format!("`{key}` is {layers}, but must be 1 to {found}, the number of layers in the weights");
                Err(model_error(config.path(), &what))
            }
            _ => Ok(()),
        }
    }

    /// Checks that a tensor with this name and shape exists; reads nothing.
    ///
    /// # Errors
    /// A missing tensor or a different shape, with the file and the name.
    pub(crate) fn check(&self, name: &str, shape: &[usize]) -> Result<()> {
        match self.shape_of(name) {
            Some(found) if found == shape => Ok(()),
            Some(found) => Err(self.error(name, &format!("has the shape {found:?}, but {shape:?} is expected"))),
            None => Err(self.error(name, "is missing")),
        }
    }

    /// The tensor with this name and shape, in single precision on the CPU.
    ///
    /// # Errors
    /// A missing tensor, a different shape or type, or a truncated file, with the file and the name.
    pub(crate) fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor> {
        self.check(name, shape)?;
        let location = self.location(name)?;
        let tensor = read_tensor(&self.source.files, location)
            .map_err(|cause| self.error(name, "cannot be read").with_cause(cause))?;
        let single = tensor.to_dtype(DType::F32).and_then(|tensor| tensor.contiguous());
        single.map_err(|cause| self.error(name, "cannot be converted to single precision").with_cause(cause))
    }

    /// The values of the tensor with this name and shape.
    ///
    /// # Errors
    /// As [`tensor`](Self::tensor).
    pub(crate) fn values(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        self.check(name, shape)?;
        let location = self.location(name)?;
        if location.dtype == DType::F32 && location.order == Order::RowMajor {
            // The usual case, and most of a model: nothing is in memory twice.
            let read = read_f32(&self.source.files, location);
            return read.map_err(|cause| self.error(name, "cannot be read").with_cause(cause));
        }
        let flat = self.tensor(name, shape)?.flatten_all().and_then(|tensor| tensor.to_vec1::<f32>());
        flat.map_err(|cause| self.error(name, "cannot be read").with_cause(cause))
    }

    fn location(&self, name: &str) -> Result<&Location> {
        let location = self.source.locations.get(&format!("{}{name}", self.prefix));
        location.ok_or_else(|| self.error(name, "is missing"))
    }

    /// An error about the file that contains, or should contain, the tensor `name`.
    pub(crate) fn error(&self, name: &str, what: &str) -> Error {
        let full = format!("{}{name}", self.prefix);
        let Source { files, locations } = &*self.source;
        let file = files.get(locations.get(&full).map_or(0, |location| location.file));
        model_error(file.map_or(Path::new(""), PathBuf::as_path), &format!("the tensor `{full}` {what}"))
    }
}

impl Source {
    fn safetensors(files: Vec<PathBuf>) -> Result<Self> {
        let locations = safetensors::locations(&files)?;
        Ok(Source { files, locations })
    }

    fn pickled(path: PathBuf) -> Result<Self> {
        open_regular(&path)?;
        let locations = pytorch::locations(&path).map_err(|why| {
            model_error(&path, &format!("it is not a complete file of pickled tensors: {why}"))
                .with_hint("Was the download interrupted? Prefer model.safetensors if the model has it.")
        })?;
        Ok(Source { files: vec![path], locations })
    }
}

fn read_tensor(files: &[PathBuf], location: &Location) -> std::result::Result<Tensor, candle_core::Error> {
    if location.order == Order::ColumnMajor {
        let reversed = |order: &[usize]| order.iter().rev().copied().collect::<Vec<usize>>();
        let rows = Location { shape: reversed(&location.shape), order: Order::RowMajor, ..location.clone() };
        let dimensions: Vec<usize> = (0..location.shape.len()).collect();
        return read_tensor(files, &rows)?.permute(reversed(&dimensions));
    }
    if location.dtype == DType::F32 {
        return Tensor::from_vec(read_f32(files, location)?, location.shape.as_slice(), &Device::Cpu);
    }
    let mut bytes = vec![0; location.bytes as usize];
    open_at(files, location)?.read_exact(&mut bytes)?;
    Tensor::from_raw_buffer(&bytes, location.dtype, &location.shape, &Device::Cpu)
}

/// Values in single precision, read one chunk of the file at a time.
fn read_f32(files: &[PathBuf], location: &Location) -> std::io::Result<Vec<f32>> {
    const PIECE: u64 = 1 << 18;
    let mut file = open_at(files, location)?;
    let mut values = Vec::with_capacity((location.bytes / 4) as usize);
    let mut piece = vec![0; PIECE.min(location.bytes) as usize];
    let mut left = location.bytes;
    while left > 0 {
        piece.truncate(left.min(PIECE) as usize);
        file.read_exact(&mut piece)?;
        values.extend(piece.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)));
        left -= piece.len() as u64;
    }
    Ok(values)
}

fn open_at(files: &[PathBuf], location: &Location) -> std::io::Result<File> {
    let mut file = File::open(files.get(location.file).map(PathBuf::as_path).unwrap_or(Path::new("")))?;
    file.seek(SeekFrom::Start(location.start))?;
    Ok(file)
}
