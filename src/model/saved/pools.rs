//! The vectors of a model: each is saved once, whatever uses it.

use std::collections::BTreeMap;

use half::f16;
use polars::prelude::DataFrame;
use serde::{Deserialize, Serialize};

use super::options::SavedVectors;
use crate::corpus::{Columns, Embeddings};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::linalg::vectors::Vectors;
use crate::state::State;

/// The vectors of a model by name, of which no two are the same.
#[derive(Debug, Default)]
pub(super) struct Pools {
    pools: Vec<(String, Embeddings)>,
}

/// A column of the frame that is saved as vectors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct VectorColumn {
    pub(super) name: String,
    /// Its place among the columns of the frame.
    pub(super) place: usize,
    /// The vectors; `None` if they were not saved.
    pub(super) vectors: Option<String>,
}

impl Pools {
    /// The name of these vectors, which are added if they are new.
    pub(super) fn name_of(&mut self, role: &str, vectors: &Embeddings) -> String {
        match self.pools.iter().find(|(_, known)| known.is_same(vectors)) {
            Some((name, _)) => name.clone(),
            None => {
                self.pools.push((role.to_owned(), vectors.clone()));
                role.to_owned()
            }
        }
    }

    /// The vectors' memory, by which stages recognize them.
    pub(super) fn memory(&self) -> Vec<(&str, &[f32])> {
        self.pools.iter().map(|(name, vectors)| (name.as_str(), vectors.values())).collect()
    }

    /// The columns of `frame` that have a role as vectors, and the frame without them. Vectors of another type than the
    /// model's own stay in the frame, unless the vectors are to be saved with less precision.
    pub(super) fn split(
        &mut self,
        frame: &DataFrame,
        columns: &Columns,
        precision: SavedVectors,
    ) -> (DataFrame, Vec<VectorColumn>) {
        let roles = [&columns.embeddings, &columns.text_embeddings, &columns.image_embeddings];
        let mut taken = Vec::new();
        for name in roles.into_iter().flatten() {
            let place = frame.get_column_index(name);
            let Some((place, column)) = place.and_then(|place| Some((place, frame.columns().get(place)?))) else {
                continue;
            };
            let vectors = match (Embeddings::of_column(column), precision) {
                (_, SavedVectors::None) => None,
                (Some(vectors), _) => Some(vectors),
                (None, SavedVectors::Full) => continue,
                (None, SavedVectors::Half) => match Embeddings::read(frame, name) {
                    Ok(vectors) => Some(vectors),
                    Err(_) => continue,
                },
            };
            let vectors = vectors.map(|vectors| self.name_of(&format!("column_{place}"), &vectors));
            taken.push(VectorColumn { name: name.clone(), place, vectors });
        }
        taken.sort_by_key(|column| column.place);
        taken.dedup();
        let names: Vec<&str> = taken.iter().map(|column| column.name.as_str()).collect();
        (frame.drop_many(names), taken)
    }

    /// The state of all vectors.
    ///
    /// # Errors
    /// A value is too large for half precision.
    pub(super) fn state(&self, precision: SavedVectors) -> Result<State<'_>> {
        let mut state = State::new("vectors");
        for (name, vectors) in &self.pools {
            state = state.with_setting(&format!("{name}.rows"), vectors.len());
            state = state.with_setting(&format!("{name}.dimensions"), vectors.dimensions());
            state = match precision {
                SavedVectors::Full => state.with_values(name, vectors.values()),
                SavedVectors::Half | SavedVectors::None => {
                    let width = vectors.dimensions();
                    let half = |(at, &x): (usize, &f32)| {
                        // What is in the place of a missing vector may be anything.
                        if vectors.has(at / width.max(1)) { f16::from_f32(x) } else { f16::ZERO }
                    };
                    let halves: Vec<f16> = vectors.values().iter().enumerate().map(half).collect();
                    if halves.iter().any(|half| !half.is_finite()) {
                        let message = "a value of the vectors is too large for half precision";
                        return Err(Error::new(ErrorKind::InvalidParameter, Stage::Output, message)
                            .with_hint("Save the vectors in full precision."));
                    }
                    state.with_values(name, halves)
                }
            };
            if let Some(valid) = vectors.validity() {
                let valid: Vec<u8> = valid.into_iter().map(u8::from).collect();
                state = state.with_values(&format!("{name}.valid"), valid);
            }
        }
        Ok(state.with_setting("names", self.pools.iter().map(|(name, _)| name).collect::<Vec<_>>()))
    }

    /// The vectors of a state.
    pub(super) fn from_state(mut state: State<'_>, rows: usize) -> Result<Self> {
        let mut pools = Vec::new();
        for name in state.setting::<Vec<String>>("names")? {
            let dimensions: usize = state.setting(&format!("{name}.dimensions"))?;
            if state.setting::<usize>(&format!("{name}.rows"))? != rows {
                return Err(state.wrong("the vectors have another number of rows than the model"));
            }
            let valid = match state.has(&format!("{name}.valid")) {
                true => Some(state.take_exactly::<u8>(&format!("{name}.valid"), rows)?),
                false => None,
            };
            let valid = valid.map(|valid| valid.into_iter().map(|valid| valid != 0).collect());
            let values = match state.is_half(&name) {
                true => state.take_values::<f16>(&name)?.into_iter().map(f16::to_f32).collect(),
                false => state.take_raw::<f32>(&name)?,
            };
            let vectors = Embeddings::of_rows_with(values, dimensions, rows, valid)
                .map_err(|cause| state.wrong(format!("the array `{name}`")).with_cause(cause))?;
            pools.push((name, vectors));
        }
        Ok(Pools { pools })
    }

    pub(super) fn get(&self, name: &str) -> Option<&Embeddings> {
        self.pools.iter().find(|(known, _)| known == name).map(|(_, vectors)| vectors)
    }

    /// All vectors, for stages.
    pub(super) fn vectors(&self) -> BTreeMap<String, Vectors> {
        self.pools.iter().filter_map(|(name, vectors)| Some((name.clone(), vectors.vectors()?))).collect()
    }

    /// The frame with its columns of vectors again, as far as they were saved.
    pub(super) fn join(&self, frame: DataFrame, columns: &[VectorColumn]) -> Option<DataFrame> {
        let mut all = frame.columns().to_vec();
        for column in columns {
            if let Some(name) = &column.vectors {
                all.insert(column.place.min(all.len()), self.get(name)?.to_column(&column.name).ok()?);
            }
        }
        DataFrame::new(frame.height(), all).ok()
    }
}
