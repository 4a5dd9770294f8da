//! Putting a model together.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use super::options::LoadOptions;
use super::pools::Pools;
use super::{SavedData, SavedKnown, SavedModel};
use crate::cluster::OUTLIER;
use crate::corpus::{Columns, Documents, Embeddings, KnownRows, TextColumn};
use crate::embed::FittedFusion;
use crate::encode::{Encoded, Encoder, FittedEncoder};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::model::data::Data;
use crate::model::layout::Layout;
use crate::model::pipeline::{Known, Pipeline};
use crate::model::{FittedTopicModel, TopicModel};
use crate::represent::{Aspect, Gallery, SavedPictures};
use crate::state::State;
use crate::store::{Contents, read};
use crate::topics::{Assignment, Centroids, Description, TopicTerms, Topics, history_from_json};

/// Links in `folder` are followed if they lead to a file in `links_into`.
pub(super) fn load(folder: &Path, links_into: Option<&Path>, options: &LoadOptions) -> Result<FittedTopicModel> {
    let mut contents = read(folder, links_into)?;
    let in_model = |error: Error| error.with_path(folder.join("model.json"));
    let saved: SavedModel = serde_json::from_value(std::mem::take(&mut contents.model)).map_err(|cause| {
        let message = "a file of the model is damaged: its settings cannot be read";
        in_model(Error::new(ErrorKind::InvalidData, Stage::Input, message).with_cause(cause))
    })?;
    let settings = saved.settings.model(&options.embedder).map_err(in_model)?;
    let history = history_from_json(&saved.history).ok_or_else(|| in_model(wrong("its history cannot be read")))?;
    // First, since it shows that there are as many rows as the model says.
    let mut state = contents.take_state("topics")?;
    let path = contents.path_of("topics");
    let in_topics = |error: Error| error.with_path(&path);
    let assignment = state.take_part("assignment");
    let assignment = assignment.and_then(|state| Assignment::from_state(state, saved.rows, saved.dimensions));
    let assignment = assignment.map_err(in_topics)?;
    let ids = assignment.ids();
    let labels = match &saved.imported {
        Some(imported) if saved.labels.is_empty() => imported.custom_labels.clone(),
        _ => saved.labels,
    };
    if !labels.keys().all(|&topic| topic == OUTLIER || ids.binary_search(&topic).is_ok()) {
        return Err(in_model(wrong("it has labels of topics that do not exist")));
    }
    let pools = match contents.states.contains_key("vectors") {
        true => in_part(&mut contents, "vectors", |state| Pools::from_state(state, saved.rows))?,
        false => Pools::default(),
    };
    let data = match &saved.data {
        Some(data) if !saved.saved.documents => {
            let data = Rebuilt { settings: &settings, pools: &pools, rows: saved.rows, saved: data };
            Some(data.without_documents(&mut state).map_err(in_topics)?)
        }
        Some(data) => {
            let frame =
                contents.frames.remove("documents").ok_or_else(|| in_model(wrong("its documents are missing")))?;
            let documents = contents.path_of("documents");
            let data = Rebuilt { settings: &settings, pools: &pools, rows: saved.rows, saved: data };
            let encoded = data.encoded(&mut state).map_err(in_topics)?;
            let captions = data.captions(&mut state).map_err(in_topics)?;
            Some(data.data(frame, encoded, captions).map_err(|error| error.with_path(&documents))?)
        }
        None => None,
    };
    // Only models of another program, which have no data, do not know them.
    if data.is_some() && assignment.probabilities.len() != saved.rows {
        return Err(in_topics(wrong("the probabilities of its rows are missing")));
    }
    let layout = match contents.states.contains_key("layout") {
        true => OnceLock::from(in_part(&mut contents, "layout", |state| Layout::from_state(state, saved.rows))?),
        false => OnceLock::new(),
    };
    let images = data.as_ref().and_then(|data| data.documents.images.as_ref());
    let source = SavedPictures { images, rows: saved.rows };
    let description = state.take_part("description").map_err(in_topics)?;
    let pictures = contents.path_of("pictures");
    let mut galleries = contents.states.remove("pictures");
    let description = Description::from_state(description, saved.rows, |number| {
        let name = format!("aspect_{number}");
        let Some(galleries) = galleries.as_mut().filter(|galleries| galleries.has_part(&name)) else { return Ok(None) };
        let gallery = galleries.take_part(&name).and_then(|state| Gallery::from_state(state, &source));
        Ok(Some(Aspect::Images(gallery.map_err(|error| error.with_path(&pictures))?)))
    })
    .map_err(|error| error.with_path_if_none(&path))?;
    let centroids = state.take_part("centroids");
    let centroids = centroids.and_then(|state| Centroids::from_state(state, saved.dimensions, &ids));
    let centroids = centroids.map_err(in_topics)?;
    let known = match &saved.known {
        Some(known) => Some(Arc::new(recognized(known, &mut state, &pools, saved.rows).map_err(in_topics)?)),
        None => None,
    };
    let fusion = match state.has_part("fusion") {
        true => {
            let fusion = state.take_part("fusion").and_then(|state| FittedFusion::from_state(state, saved.dimensions));
            Some(fusion.map_err(in_topics)?)
        }
        false => None,
    };
    let encoder = FittedEncoder {
        encoder: Encoder { cleaning: saved.cleaning, ..settings.encoder.clone() },
        fusion,
        dimensions: saved.dimensions,
        uses_direction_only: saved.uses_direction_only,
    };
    let vectors = pools.vectors();
    let reducer = contents.states.remove("reducer");
    let (terms, clusterer) = (contents.take_state("terms")?, contents.take_state("clusterer")?);
    let of = |part: &str, error: Error| error.with_path_if_none(contents.path_of(part));
    let stages = || {
        let reducer =
            reducer.map(|state| state.with_vectors_of(&vectors).and_then(|state| options.read_reducer(state)));
        let clusterer = clusterer.with_vectors_of(&vectors).and_then(|state| options.read_clusterer(state));
        Ok((
            reducer.transpose().map_err(|error| of("reducer", error))?,
            clusterer.map_err(|error| of("clusterer", error))?,
        ))
    };
    let terms = || TopicTerms::from_state(terms, &assignment.topics, &ids).map_err(|error| of("terms", error));
    let (terms, stages) = rayon::join(terms, stages);
    let (terms, (reducer, clusterer)) = (terms?, stages?);
    Ok(FittedTopicModel {
        settings: Arc::new(settings),
        pipeline: Arc::new(Pipeline { encoder, reducer, clusterer, known }),
        topics: Topics::new(assignment, terms, centroids, description).with_labels(labels).with_history(history),
        data: data.map(Arc::new),
        summary: Arc::new(saved.summary),
        imported: saved.imported.map(Arc::new),
        earlier: Arc::default(),
        layout: Arc::new(layout),
    })
}

/// Builds something from the state of a part; the error has its file.
fn in_part<T>(contents: &mut Contents, part: &str, build: impl FnOnce(State<'static>) -> Result<T>) -> Result<T> {
    let state = contents.take_state(part)?;
    build(state).map_err(|error| error.with_path_if_none(contents.path_of(part)))
}

fn recognized(saved: &SavedKnown, state: &mut State<'_>, pools: &Pools, rows: usize) -> Result<Known> {
    let vectors = pools.get(&saved.vectors).ok_or_else(|| wrong("the vectors of its rows are missing"))?.clone();
    let rows = KnownRows::from_state(state.take_part("known")?, rows)?;
    Ok(Known { rows, vectors, is_rounded: saved.is_rounded })
}

/// The documents of a model that is being loaded.
struct Rebuilt<'a> {
    settings: &'a TopicModel,
    pools: &'a Pools,
    rows: usize,
    saved: &'a SavedData,
}

impl Rebuilt<'_> {
    fn data(
        &self,
        frame: polars::prelude::DataFrame,
        encoded: Encoded,
        captions: BTreeMap<usize, String>,
    ) -> Result<Data> {
        let frame = self
            .pools
            .join(frame, &self.saved.columns)
            .filter(|frame| frame.height() == self.rows)
            .ok_or_else(|| wrong("the documents do not match the model"))?;
        // Vectors and labels were used in the fit.
        let Columns { text, image, image_folder, only_in_image_folder, .. } = self.settings.encoder.columns.clone();
        let columns = Columns { text, image, image_folder, only_in_image_folder, ..Columns::default() };
        let documents = Documents::read(&frame, &columns)?;
        let texts = match captions.is_empty() {
            true => documents.texts.clone(),
            false => Some(TextColumn::with_captions(documents.texts.as_ref(), &captions, self.rows)),
        };
        let (cleaning, has_vectors) = (self.saved.cleaning, self.saved.clustered.is_some());
        Ok(Data { frame, documents, encoded, captions, texts, cleaning, has_documents: true, has_vectors })
    }

    fn without_documents(&self, state: &mut State<'_>) -> Result<Data> {
        let encoded = self.encoded(state)?;
        let data = Data::without_documents(self.rows, encoded, self.saved.cleaning);
        Ok(Data { has_vectors: self.saved.clustered.is_some(), ..data })
    }

    fn captions(&self, state: &mut State<'_>) -> Result<BTreeMap<usize, String>> {
        let rows = state.take_numbers("captioned", self.rows)?;
        let captions = state.take_texts("captions")?;
        match captions.len() == rows.len() {
            true => Ok(rows.into_iter().zip(captions).collect()),
            false => Err(state.out_of_range("captioned")),
        }
    }

    fn encoded(&self, state: &mut State<'_>) -> Result<Encoded> {
        let vectors = |name: &Option<String>| match name {
            Some(name) => {
                let vectors = self.pools.get(name).cloned();
                vectors.map(Some).ok_or_else(|| wrong(&format!("the vectors `{name:.100}` are missing")))
            }
            None => Ok(None),
        };
        let rows = state.take_numbers("rows", self.rows)?;
        let clustered = match vectors(&self.saved.clustered)? {
            Some(clustered) => {
                if !rows.iter().all(|&row| clustered.has(row)) {
                    return Err(state.out_of_range("rows"));
                }
                clustered
            }
            None => Embeddings::of_rows_with(Vec::new(), 0, self.rows, Some(vec![false; self.rows]))?,
        };
        if !rows.is_sorted_by(|a, b| a < b) {
            return Err(state.out_of_range("rows"));
        }
        let (texts, images) = (vectors(&self.saved.texts)?, vectors(&self.saved.images)?);
        Ok(Encoded { clustered, texts, images, rows })
    }
}

fn wrong(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, Stage::Input, format!("a file of the model is damaged: {what}"))
}
