//! Taking a model apart.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::options::{SaveOptions, SavedVectors};
use super::pools::Pools;
use super::settings::SavedSettings;
use super::{Saved, SavedData, SavedKnown, SavedModel};
use crate::cluster::{FittedClusterer, NearestCentroid};
use crate::error::{Error, ErrorKind, Hint, Result, Stage, quoted};
use crate::model::data::Data;
use crate::model::{FittedTopicModel, Summary};
use crate::represent::Aspect;
use crate::state::State;
use crate::store::{Part, write};
use crate::topics::history_to_json;

/// What the summary says of a model that was saved without its clusterer.
const BY_CENTROIDS: &str = " (new rows are placed by centroids)";

pub(super) fn save(topics: &FittedTopicModel, folder: &Path, options: &SaveOptions) -> Result<()> {
    let saved = what_is_saved(topics, options);
    let by_centroids = options.by_centroids() && !is_placed_by_centroids(topics);
    let clusterer: Arc<dyn FittedClusterer> = match by_centroids {
        true => Arc::new(centroids(topics)),
        false => Arc::clone(&topics.pipeline.clusterer),
    };
    let reducer = topics.pipeline.reducer.as_ref().filter(|_| !by_centroids);
    let clusterer_state = clusterer.state().ok_or_else(|| cannot("clusterer", &topics.summary.clusterer))?;
    let reducer_state = match reducer {
        Some(reducer) => Some(reducer.state().ok_or_else(|| cannot("reducer", &topics.summary.reducer))?),
        None => None,
    };
    let data = topics.data.as_deref().filter(|_| saved.term_counts);
    let mut pools = Pools::default();
    let known = known(topics, saved, &mut pools);
    let has_known = known.is_some();
    let (data_json, frame) = match data {
        Some(data) => {
            let (json, frame) = rows(topics, data, saved, &mut pools);
            (Some(json), frame)
        }
        None => (None, None),
    };
    let model = SavedModel {
        settings: SavedSettings::of(&topics.settings),
        saved,
        rows: topics.topics.assignment.topics.len(),
        dimensions: topics.pipeline.encoder.dimensions,
        cleaning: topics.pipeline.encoder.encoder.cleaning,
        uses_direction_only: topics.pipeline.encoder.uses_direction_only,
        data: data_json,
        known,
        summary: summary(topics, by_centroids),
        topics: readable(topics),
        history: history_to_json(&topics.topics.history),
        labels: (*topics.topics.labels).clone(),
        imported: topics.imported.as_deref().cloned(),
    };
    let model = serde_json::to_value(model).map_err(|cause| {
        Error::new(ErrorKind::Internal, Stage::Output, "the settings cannot be saved as JSON").with_cause(cause)
    })?;
    let memory = pools.memory();
    let mut parts = vec![
        ("topics", Part::State(topics_state(topics, data, saved.documents, has_known))),
        ("terms", Part::State(topics.topics.terms.state(data.is_some()))),
        ("clusterer", Part::State(clusterer_state.with_shared_vectors(&memory))),
    ];
    parts.extend(reducer_state.map(|state| ("reducer", Part::State(state.with_shared_vectors(&memory)))));
    parts.extend(topics.layout.get().map(|layout| ("layout", Part::State(layout.state()))));
    if !memory.is_empty() {
        // The largest first, so that no thread is left with it at the end.
        parts.insert(0, ("vectors", Part::State(pools.state(saved.vectors)?)));
    }
    if let Some(frame) = frame {
        parts.insert(0, ("documents", Part::Frame(frame)));
    }
    // Pictures of a model without its documents are its own.
    let has_documents = topics.data.as_ref().is_some_and(|data| data.has_documents);
    if saved.documents || !has_documents && options.documents {
        parts.extend(pictures(topics, options).map(|state| ("pictures", Part::State(state))));
    }
    write(folder, model, parts)
}

fn what_is_saved(topics: &FittedTopicModel, options: &SaveOptions) -> Saved {
    let data = topics.data.as_deref();
    let vectors = match data.is_some_and(|data| !data.has_vectors) {
        true => SavedVectors::None,
        false => options.vectors,
    };
    let documents = options.documents && data.is_some_and(|data| data.has_documents);
    let has_counts = data.is_some() && vectors != SavedVectors::None && options.term_counts;
    Saved { documents, term_counts: documents || has_counts, vectors }
}

/// The vectors by which rows of the fit are recognized.
fn known(topics: &FittedTopicModel, saved: Saved, pools: &mut Pools) -> Option<SavedKnown> {
    let known = topics.pipeline.known.as_ref().filter(|_| saved.vectors != SavedVectors::None)?;
    let is_rounded = known.is_rounded || saved.vectors == SavedVectors::Half;
    Some(SavedKnown { vectors: pools.name_of("clustered", &known.vectors), is_rounded })
}

/// What is known of the rows, and the frame, without columns of vectors, unless it stays out.
fn rows(
    topics: &FittedTopicModel,
    data: &Data,
    saved: Saved,
    pools: &mut Pools,
) -> (SavedData, Option<polars::prelude::DataFrame>) {
    let keeps = saved.vectors != SavedVectors::None;
    let clustered = keeps.then(|| pools.name_of("clustered", &data.encoded.clustered));
    let texts = data.encoded.texts.as_ref().filter(|_| keeps).map(|vectors| pools.name_of("texts", vectors));
    let images = data.encoded.images.as_ref().filter(|_| keeps).map(|vectors| pools.name_of("images", vectors));
    let (frame, columns) = match saved.documents {
        true => {
            let (frame, columns) = pools.split(&data.frame, &topics.settings.encoder.columns, saved.vectors);
            (Some(frame), columns)
        }
        false => (None, Vec::new()),
    };
    (SavedData { cleaning: data.cleaning, clustered, texts, images, columns }, frame)
}

fn topics_state<'a>(
    topics: &'a FittedTopicModel,
    data: Option<&'a Data>,
    with_captions: bool,
    has_known: bool,
) -> State<'a> {
    let mut state = State::new("topics")
        .with_part("assignment", topics.topics.assignment.state())
        .with_part("centroids", topics.topics.centroids.state())
        .with_part("description", topics.topics.description.state());
    if let Some(fusion) = &topics.pipeline.encoder.fusion {
        state = state.with_part("fusion", fusion.state());
    }
    if let Some(known) = topics.pipeline.known.as_ref().filter(|_| has_known) {
        state = state.with_part("known", known.rows.state());
    }
    let Some(data) = data else { return state };
    let state = state.with_numbers("rows", &data.encoded.rows);
    match with_captions {
        true => state
            .with_numbers("captioned", &data.captions.keys().copied().collect::<Vec<usize>>())
            .with_texts("captions", data.captions.values().map(String::as_str)),
        false => state,
    }
}

fn pictures(topics: &FittedTopicModel, options: &SaveOptions) -> Option<State<'static>> {
    let aspects = topics.topics.description.aspects.values().enumerate();
    let galleries = aspects.filter_map(|(number, aspect)| match aspect {
        Aspect::Images(gallery) => Some((number, gallery.state(options.images))),
        Aspect::Words(_) => None,
    });
    let state = galleries
        .fold(State::new("pictures"), |state, (number, gallery)| state.with_part(&format!("aspect_{number}"), gallery));
    (!state.settings().is_empty()).then_some(state)
}

/// The topics as people read them.
fn readable(topics: &FittedTopicModel) -> Value {
    let words = |id: i32| topics.topics.description.words.get(&id).into_iter().flatten().map(|(word, _)| word);
    let topic = |id: i32| {
        json!({
            "topic": id,
            "rows": topics.topic_size(id),
            "name": topics.topic_label(id),
            "words": words(id).collect::<Vec<_>>(),
        })
    };
    topics.topic_ids().into_iter().map(topic).collect()
}

fn is_placed_by_centroids(topics: &FittedTopicModel) -> bool {
    topics.summary.clusterer.ends_with(BY_CENTROIDS)
}

fn centroids(topics: &FittedTopicModel) -> NearestCentroid {
    let centroids = &topics.topics.centroids;
    let clusters = topics.topics.assignment.cluster_of_topics();
    let clusters = clusters.into_iter().filter_map(|(topic, cluster)| Some((cluster, centroids.get(topic)?)));
    NearestCentroid::new(clusters, topics.pipeline.encoder.dimensions)
}

fn summary(topics: &FittedTopicModel, by_centroids: bool) -> Summary {
    let summary = topics.summary();
    match by_centroids {
        true => Summary { clusterer: format!("{}{BY_CENTROIDS}", summary.clusterer), ..summary },
        false => summary,
    }
}

fn cannot(stage: &str, description: &str) -> Error {
    let message = format!("the {stage} `{}` cannot be saved", quoted(description, 200));
    Error::new(ErrorKind::InvalidParameter, Stage::Output, message).with_hint(
        Hint::new(
            "Implement `state` for its fitted type, or leave it out, so that new rows are placed by centroids: \
             .save_with(folder, &SaveOptions::new().place_by_centroids(true)).",
        )
        .on_command_line(""),
    )
}
