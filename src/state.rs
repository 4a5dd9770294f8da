//! The state of a fitted stage: settings and named arrays, from which an equal stage is built.

use std::borrow::Cow;
use std::collections::BTreeMap;

use half::f16;
use ndarray::{Array2, ArrayView2};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::error::{Error, ErrorKind, Result, Stage};
use crate::linalg::vectors::Vectors;

/// The settings under which a state notes which of its arrays are rows of the model's vectors.
const SHARED: &str = "shared_vectors";

/// What a fitted stage consists of: the name of its kind, settings as JSON, and named arrays. A stage hands out its
/// state to be saved, and is built again from a state that was read.
///
/// A float with more than 15 digits belongs into an array: in JSON, its last bit may be lost.
///
/// ```
/// use topicframe::ndarray::array;
/// use topicframe::state::State;
///
/// let centers = array![[0.0_f32, 1.0], [9.0, 8.0]];
/// let mut state = State::new("centers").with_setting("metric", "euclidean").with_matrix("centers", centers.view());
/// assert_eq!(state.setting::<String>("metric")?, "euclidean");
/// assert_eq!(state.take_matrix::<f32>("centers")?, centers);
/// # Ok::<(), topicframe::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct State<'a> {
    kind: String,
    settings: Map<String, Value>,
    arrays: BTreeMap<String, Array<'a>>,
}

/// A named array of a [`State`].
#[derive(Debug, Clone)]
pub(crate) struct Array<'a> {
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Values<'a>,
}

/// The values of an array, row by row.
#[derive(Debug, Clone)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the variants are the types of elements")]
pub enum Values<'a> {
    I8(Cow<'a, [i8]>),
    U8(Cow<'a, [u8]>),
    I32(Cow<'a, [i32]>),
    U32(Cow<'a, [u32]>),
    U64(Cow<'a, [u64]>),
    F16(Cow<'a, [f16]>),
    F32(Cow<'a, [f32]>),
    F64(Cow<'a, [f64]>),
    /// Rows that may share the memory of the model's vectors; they are stored once.
    Vectors(Vectors),
}

/// A type of the elements of an array: `i8`, `u8`, `i32`, `u32`, `u64`, `f16`, `f32` and `f64`.
pub trait Element: Copy + Send + Sync + 'static {
    /// The values of an array.
    fn wrap(values: Cow<'_, [Self]>) -> Values<'_>;

    /// The values of an array of this type; `None` if it has another.
    fn unwrap(values: Values<'_>) -> Option<Vec<Self>>;

    /// Whether this is NaN.
    fn is_nan(self) -> bool {
        false
    }
}

macro_rules! element {
    ($type:ty, $variant:ident $(, $is_nan:path)?) => {
        impl Element for $type {
            fn wrap(values: Cow<'_, [Self]>) -> Values<'_> {
                Values::$variant(values)
            }

            fn unwrap(values: Values<'_>) -> Option<Vec<Self>> {
                match values {
                    Values::$variant(values) => Some(values.into_owned()),
                    _ => None,
                }
            }

            $(fn is_nan(self) -> bool {
                $is_nan(self)
            })?
        }
    };
}

element!(i8, I8);
element!(u8, U8);
element!(i32, I32);
element!(u32, U32);
element!(u64, U64);
element!(f16, F16, f16::is_nan);
element!(f32, F32, f32::is_nan);
element!(f64, F64, f64::is_nan);

impl<'a> State<'a> {
    /// An empty state of a stage of this kind.
    pub fn new(kind: impl Into<String>) -> Self {
        State { kind: kind.into(), settings: Map::new(), arrays: BTreeMap::new() }
    }

    pub(crate) fn of(kind: String, settings: Map<String, Value>, arrays: BTreeMap<String, Array<'a>>) -> Self {
        State { kind, settings, arrays }
    }

    /// The name of the kind.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    pub(crate) fn settings(&self) -> &Map<String, Value> {
        &self.settings
    }

    pub(crate) fn arrays(&self) -> &BTreeMap<String, Array<'a>> {
        &self.arrays
    }

    /// Adds a setting. What cannot be JSON becomes null.
    #[must_use]
    pub fn with_setting(mut self, name: &str, value: impl Serialize) -> Self {
        self.settings.insert(name.to_owned(), serde_json::to_value(value).unwrap_or_default());
        self
    }

    /// Adds an array of one dimension.
    #[must_use]
    pub fn with_values<T: Element>(mut self, name: &str, values: impl Into<Cow<'a, [T]>>) -> Self {
        let values = values.into();
        self.arrays.insert(name.to_owned(), Array { shape: vec![values.len()], values: T::wrap(values) });
        self
    }

    /// Adds numbers from 0 to 2⁶⁴ - 1: rows, sizes.
    #[must_use]
    pub fn with_numbers(self, name: &str, values: &[usize]) -> Self {
        self.with_values(name, values.iter().map(|&value| value as u64).collect::<Vec<u64>>())
    }

    /// Adds an array of rows.
    #[must_use]
    pub fn with_matrix<T: Element>(mut self, name: &str, rows: ArrayView2<'a, T>) -> Self {
        let shape = vec![rows.nrows(), rows.ncols()];
        let values = match rows.to_slice() {
            Some(values) => Cow::Borrowed(values),
            None => Cow::Owned(rows.iter().copied().collect()),
        };
        self.arrays.insert(name.to_owned(), Array { shape, values: T::wrap(values) });
        self
    }

    /// Adds rows that may share the memory of the model's vectors: these are not saved a second time.
    #[must_use]
    pub fn with_vectors(mut self, name: &str, vectors: Vectors) -> Self {
        let shape = vec![vectors.rows(), vectors.columns()];
        self.arrays.insert(name.to_owned(), Array { shape, values: Values::Vectors(vectors) });
        self
    }

    /// Adds texts.
    #[must_use]
    pub fn with_texts<'t>(self, name: &str, texts: impl Iterator<Item = &'t str>) -> Self {
        self.with_contents(name, texts.map(str::as_bytes))
    }

    /// Adds pieces of bytes.
    #[must_use]
    pub fn with_contents<'t>(self, name: &str, contents: impl Iterator<Item = &'t [u8]>) -> Self {
        let (mut bytes, mut ends) = (Vec::new(), Vec::new());
        for content in contents {
            bytes.extend_from_slice(content);
            ends.push(bytes.len() as u64);
        }
        self.with_values(name, bytes).with_values(&format!("{name}.ends"), ends)
    }

    /// Adds the state of a part, whose arrays are called `name.array`.
    #[must_use]
    pub fn with_part(mut self, name: &str, part: State<'a>) -> Self {
        self.settings.insert(name.to_owned(), json!({ "kind": part.kind, "settings": part.settings }));
        self.arrays.extend(part.arrays.into_iter().map(|(array, values)| (format!("{name}.{array}"), values)));
        self
    }

    /// Reads a setting.
    ///
    /// # Errors
    /// It does not exist, or has the wrong type.
    pub fn setting<T: DeserializeOwned>(&self, name: &str) -> Result<T> {
        let value = self.settings.get(name).unwrap_or(&Value::Null);
        T::deserialize(value)
            .map_err(|cause| self.wrong(format!("the setting `{name}` cannot be read")).with_cause(cause))
    }

    /// Whether there is an array of this name.
    pub fn has(&self, name: &str) -> bool {
        self.arrays.contains_key(name)
    }

    /// Whether there is a part of this name.
    pub fn has_part(&self, name: &str) -> bool {
        self.settings.get(name).is_some_and(Value::is_object)
    }

    /// Takes out an array, whatever its shape.
    ///
    /// # Errors
    /// It does not exist, has another type, or a value is NaN.
    pub fn take_values<T: Element>(&mut self, name: &str) -> Result<Vec<T>> {
        Ok(self.take(name)?.1)
    }

    /// Takes out an array in which NaN is allowed: whoever uses the values checks them.
    pub(crate) fn take_raw<T: Element>(&mut self, name: &str) -> Result<Vec<T>> {
        let array = self.arrays.remove(name).ok_or_else(|| self.missing(name))?;
        T::unwrap(array.values).ok_or_else(|| self.wrong(format!("the array `{name}` has elements of another type")))
    }

    /// Whether an array has elements of half precision.
    pub(crate) fn is_half(&self, name: &str) -> bool {
        matches!(self.arrays.get(name), Some(Array { values: Values::F16(_), .. }))
    }

    /// Takes out an array with this number of values.
    ///
    /// # Errors
    /// As [`take_values`](Self::take_values); it has another number of values.
    pub fn take_exactly<T: Element>(&mut self, name: &str, count: usize) -> Result<Vec<T>> {
        let values = self.take_values(name)?;
        match values.len() == count {
            true => Ok(values),
            false => Err(self.wrong(format!("the array `{name}` has {} values instead of {count}", values.len()))),
        }
    }

    /// Takes out numbers that are below `limit`.
    ///
    /// # Errors
    /// As [`take_values`](Self::take_values); a number is out of range.
    pub fn take_numbers(&mut self, name: &str, limit: usize) -> Result<Vec<usize>> {
        let values = self.take_values::<u64>(name)?.into_iter();
        let numbers = values.map(|value| usize::try_from(value).ok().filter(|&number| number < limit));
        numbers.collect::<Option<Vec<usize>>>().ok_or_else(|| self.out_of_range(name))
    }

    /// Takes out an array of rows.
    ///
    /// # Errors
    /// As [`take_values`](Self::take_values); it has another number of dimensions.
    pub fn take_matrix<T: Element>(&mut self, name: &str) -> Result<Array2<T>> {
        let (shape, values) = self.take(name)?;
        let [rows, columns] = shape[..] else {
            return Err(self.wrong(format!("the array `{name}` is no matrix")));
        };
        Array2::from_shape_vec((rows, columns), values)
            .map_err(|cause| self.wrong(format!("the array `{name}` has another shape")).with_cause(cause))
    }

    /// Takes out vectors.
    ///
    /// # Errors
    /// They do not exist, or a value is NaN.
    pub fn take_vectors(&mut self, name: &str) -> Result<Vectors> {
        if let Some(Array { values: Values::Vectors(vectors), .. }) = self.arrays.get(name) {
            return Ok(vectors.clone());
        }
        Ok(self.take_matrix::<f32>(name)?.into())
    }

    /// Takes out texts.
    ///
    /// # Errors
    /// They do not exist, or are no valid UTF-8.
    pub fn take_texts(&mut self, name: &str) -> Result<Vec<String>> {
        let (bytes, ends) = self.take_pieces(name)?;
        let all = std::str::from_utf8(&bytes).map_err(|cause| self.not_text(name).with_cause(cause))?;
        let mut start = 0;
        let text = |end: usize| {
            let text = all.get(start..end)?;
            start = end;
            Some(text.to_owned())
        };
        ends.into_iter().map(text).collect::<Option<Vec<String>>>().ok_or_else(|| self.not_text(name))
    }

    /// Takes out pieces of bytes.
    ///
    /// # Errors
    /// They do not exist.
    pub fn take_contents(&mut self, name: &str) -> Result<Vec<Vec<u8>>> {
        let (bytes, ends) = self.take_pieces(name)?;
        let mut start = 0;
        let piece = |end: usize| {
            let piece = bytes.get(start..end)?;
            start = end;
            Some(piece.to_vec())
        };
        ends.into_iter().map(piece).collect::<Option<Vec<_>>>().ok_or_else(|| self.out_of_range(name))
    }

    /// Takes out the state of a part.
    ///
    /// # Errors
    /// There is none.
    pub fn take_part(&mut self, name: &str) -> Result<State<'a>> {
        let Some(Value::Object(mut part)) = self.settings.remove(name) else {
            return Err(self.wrong(format!("the part `{name}` is missing")));
        };
        let (Some(Value::String(kind)), Some(Value::Object(settings))) = (part.remove("kind"), part.remove("settings"))
        else {
            return Err(self.wrong(format!("the part `{name}` is damaged")));
        };
        let prefix = format!("{name}.");
        let mut arrays = BTreeMap::new();
        let names: Vec<String> = self.arrays.keys().filter(|array| array.starts_with(&prefix)).cloned().collect();
        for array in names {
            if let (Some(rest), Some(values)) = (array.strip_prefix(&prefix), self.arrays.remove(&array)) {
                arrays.insert(rest.to_owned(), values);
            }
        }
        Ok(State { kind, settings, arrays })
    }

    fn take<T: Element>(&mut self, name: &str) -> Result<(Vec<usize>, Vec<T>)> {
        let array = self.arrays.remove(name).ok_or_else(|| self.missing(name))?;
        let values = T::unwrap(array.values)
            .ok_or_else(|| self.wrong(format!("the array `{name}` has elements of another type")))?;
        match values.iter().any(|value| value.is_nan()) {
            false => Ok((array.shape, values)),
            true => Err(self.wrong(format!("the array `{name}` contains NaN"))),
        }
    }

    fn take_pieces(&mut self, name: &str) -> Result<(Vec<u8>, Vec<usize>)> {
        let bytes = self.take_values::<u8>(name)?;
        let ends = self.take_numbers(&format!("{name}.ends"), bytes.len().saturating_add(1))?;
        match ends.is_sorted() && ends.last().copied().unwrap_or(0) == bytes.len() {
            true => Ok((bytes, ends)),
            false => Err(self.out_of_range(name)),
        }
    }

    /// The error for a state from which no stage can be built.
    pub fn wrong(&self, message: impl std::fmt::Display) -> Error {
        let message = format!("the state of `{}` is damaged: {message}", self.kind);
        Error::new(ErrorKind::InvalidData, Stage::Input, message)
    }

    /// The error for a kind that is not built in.
    pub(crate) fn unknown(&self, stage: Stage, known: &str) -> Error {
        let message = format!("there is no built-in stage `{:.100}` that could be read", self.kind);
        Error::new(ErrorKind::NotFound, stage, message).with_hint(format!("The built-in stages are {known}."))
    }

    /// The error for numbers that are out of range.
    pub fn out_of_range(&self, name: &str) -> Error {
        self.wrong(format!("the array `{name}` has a value out of range"))
    }

    fn missing(&self, name: &str) -> Error {
        self.wrong(format!("the array `{name}` is missing"))
    }

    fn not_text(&self, name: &str) -> Error {
        self.wrong(format!("the array `{name}` is not UTF-8"))
    }

    /// The same state, in which vectors are the numbers of rows in one of the `pools` if they share its memory, and
    /// otherwise an array of their own.
    pub(crate) fn with_shared_vectors(mut self, pools: &[(&str, &[f32])]) -> Self {
        let names: Vec<String> = self.arrays.keys().cloned().collect();
        let mut shared = Map::new();
        for name in names {
            let Some(Array { values: Values::Vectors(vectors), .. }) = self.arrays.get(&name) else { continue };
            let vectors = vectors.clone();
            self.arrays.remove(&name);
            match pools.iter().find(|(_, pool)| vectors.is_of(pool)) {
                Some((pool, _)) => {
                    shared.insert(name.clone(), json!({ "of": pool, "rows": vectors.rows() }));
                    if let Some(rows) = vectors.row_numbers() {
                        self = self.with_values(&format!("{name}.rows"), rows.to_vec());
                    }
                }
                None => {
                    let matrix = vectors.to_matrix().into_owned();
                    let shape = vec![matrix.nrows(), matrix.ncols()];
                    let values = f32::wrap(Cow::Owned(matrix.into_raw_vec_and_offset().0));
                    self.arrays.insert(name, Array { shape, values });
                }
            }
        }
        if !shared.is_empty() {
            self.settings.insert(SHARED.to_owned(), Value::Object(shared));
        }
        self
    }

    /// The opposite of [`with_shared_vectors`](Self::with_shared_vectors).
    pub(crate) fn with_vectors_of(mut self, pools: &BTreeMap<String, Vectors>) -> Result<Self> {
        let Some(Value::Object(shared)) = self.settings.remove(SHARED) else { return Ok(self) };
        for (name, shared) in shared {
            let pool = shared["of"].as_str().and_then(|of| pools.get(of));
            let pool = pool.ok_or_else(|| self.wrong(format!("the vectors of `{name}` are missing")))?;
            let rows = format!("{name}.rows");
            let vectors = match self.has(&rows) {
                true => {
                    let rows = self.take_values::<u32>(&rows)?;
                    pool.select(&rows.iter().map(|&row| row as usize).collect::<Vec<_>>())
                }
                false => Some(pool.clone()),
            };
            let count = shared["rows"].as_u64();
            let vectors = vectors.filter(|vectors| count == Some(vectors.rows() as u64));
            self = match vectors {
                Some(vectors) => self.with_vectors(&name, vectors),
                None => return Err(self.out_of_range(&rows)),
            };
        }
        Ok(self)
    }
}
