//! What BERTopic reads, from a model.

use std::collections::BTreeMap;

use ndarray::Array2;
use serde_json::{Map, Value, json};

use super::vectorizer::params_of;
use crate::cluster::OUTLIER;
use crate::encode::ClusterOn;
use crate::error::Result;
use crate::hub::Origin;
use crate::model::FittedTopicModel;
use crate::represent::{Aspect, Gallery, TopicWords};
use crate::store::{BertopicModel, BertopicTopics, CtfIdf, CtfIdfConfig, Ordered, VISUAL_ASPECT};
use crate::vision::{Encoding, RgbImage, encode};

/// What BERTopic has where a topic has no words.
const NO_WORD: (&str, f64) = ("", 1e-5);

/// The side of the white picture of a topic without pictures, and its JPEG quality.
const BLANK: (u32, u8) = (16, 90);

pub(super) fn model_of(model: &FittedTopicModel) -> Result<BertopicModel> {
    let ids = model.topic_ids();
    let images = match gallery_of(model) {
        Some(gallery) => images(gallery, &ids)?,
        None => BTreeMap::new(),
    };
    Ok(BertopicModel {
        topics: topics(model, &ids, !images.is_empty()),
        config: config(model),
        embeddings: embeddings(model, &ids),
        ctfidf: ctfidf(model)?,
        images,
    })
}

/// The pictures that pass: the first ones, if topic 0 has any.
pub(super) fn gallery_of(model: &FittedTopicModel) -> Option<&Gallery> {
    let described = &*model.topics.description;
    let galleries = described.order.iter().filter_map(|name| match described.aspects.get(name)? {
        Aspect::Images(gallery) => Some(gallery),
        Aspect::Words(_) => None,
    });
    galleries.into_iter().find(|gallery| !gallery.pictures(0).is_empty())
}

fn topics(model: &FittedTopicModel, ids: &[i32], has_images: bool) -> BertopicTopics {
    let described = &*model.topics.description;
    let words = of_all(&described.words, ids);
    let aspects = described.order.iter().filter_map(|name| match described.aspects.get(name)? {
        // There are no two kinds of aspects of this name.
        Aspect::Words(words) if name != VISUAL_ASPECT => Some((name.clone(), json!(of_all(words, ids)))),
        _ => None,
    });
    let mut aspects: Vec<(String, Value)> = aspects.collect();
    if has_images {
        aspects.push((VISUAL_ASPECT.to_owned(), Value::Bool(true)));
    }
    let imported = model.imported.as_deref();
    let custom = Some(model.custom_labels()).filter(|labels| !labels.is_empty());
    let label = |id: i32| {
        let words = words.get(&id).into_iter().flatten().take(4).map(|(word, _)| word.as_str());
        format!("{id}_{}", words.collect::<Vec<_>>().join("_"))
    };
    let topic_labels: BTreeMap<i32, String> = ids.iter().map(|&id| (id, label(id))).collect();
    let custom_label = |custom: &BTreeMap<i32, String>| {
        let label = |id: &i32| custom.get(id).or_else(|| topic_labels.get(id)).cloned().unwrap_or_default();
        ids.iter().map(label).collect()
    };
    let mapper = || json!(ids.iter().map(|id| [id, id]).collect::<Vec<_>>());
    BertopicTopics {
        topics: model.topics.assignment.topics.clone(),
        topic_sizes: model.topics.assignment.sizes.clone(),
        topic_mapper: imported.map_or_else(mapper, |imported| imported.topic_mapper.clone()),
        custom_labels: custom.as_ref().map(custom_label),
        topic_labels,
        outliers: i32::from(ids.contains(&OUTLIER)),
        topic_aspects: Some(Ordered(aspects)),
        topic_representations: words,
    }
}

/// The words of every topic: BERTopic's tables need at least one.
fn of_all(words: &TopicWords, ids: &[i32]) -> TopicWords {
    let of = |id: &i32| match words.get(id).filter(|words| !words.is_empty()) {
        Some(words) => words.clone(),
        None => vec![(NO_WORD.0.to_owned(), NO_WORD.1)],
    };
    ids.iter().map(|id| (*id, of(id))).collect()
}

/// The vectors by which BERTopic places new rows. That of topic -1 is all zeros, so that its cosine is 0: a row is an
/// outlier if no other cosine is larger.
fn embeddings(model: &FittedTopicModel, ids: &[i32]) -> Array2<f32> {
    let mut rows = Array2::zeros((ids.len(), model.pipeline.encoder.dimensions));
    for (mut row, &id) in rows.outer_iter_mut().zip(ids) {
        let is_known = id != OUTLIER || model.imported.is_some();
        if let Some(mean) = model.topics.centroids.get(id).filter(|_| is_known) {
            row.iter_mut().zip(mean).for_each(|(to, &from)| *to = from);
        }
    }
    rows
}

fn config(model: &FittedTopicModel) -> Map<String, Value> {
    let mut config = match &model.imported {
        Some(imported) => imported.config.clone(),
        None => own_config(model),
    };
    if let Some(name) = embedding_model(model) {
        let named = config.get("embedding_model").and_then(Value::as_str).unwrap_or_default();
        // `all-MiniLM-L6-v2` is short for the same model.
        if named != name && (named.is_empty() || !name.ends_with(&format!("/{named}"))) {
            config.insert("embedding_model".to_owned(), Value::String(name));
        }
    }
    config
}

/// The name on the Hub of the model that embeds texts.
pub(super) fn embedding_model(model: &FittedTopicModel) -> Option<String> {
    let encoder = &model.settings.encoder;
    match encoder.text_embedder.as_ref().filter(|_| encoder.cluster_on == ClusterOn::Text)?.origin()? {
        Origin::Hub { name, .. } => Some(name),
        _ => None,
    }
}

fn own_config(model: &FittedTopicModel) -> Map<String, Value> {
    let (shortest, longest) = model.settings.vectorizer.lengths();
    let config = json!({
        "calculate_probabilities": false,
        "language": null,
        "low_memory": false,
        "min_topic_size": 10,
        "n_gram_range": [shortest, longest],
        "nr_topics": null,
        "seed_topic_list": null,
        "top_n_words": model.settings.top_n_words,
        "verbose": false,
        "zeroshot_min_similarity": 0.7,
        "zeroshot_topic_list": null,
    });
    match config {
        Value::Object(config) => config,
        _ => Map::new(),
    }
}

fn ctfidf(model: &FittedTopicModel) -> Result<Option<CtfIdf>> {
    let terms = &*model.topics.terms;
    if terms.vocabulary.is_empty() {
        return Ok(None);
    }
    let imported = model.imported.as_ref().and_then(|imported| imported.ctfidf.as_ref());
    let (config, idf) = match imported {
        Some(imported) => (imported.config.clone(), imported.idf()),
        None => (own_weighting(model), terms.idf()?),
    };
    Ok(Some(CtfIdf { weights: terms.c_tf_idf.clone(), idf, vocabulary: terms.vocabulary.to_vec(), config }))
}

fn own_weighting(model: &FittedTopicModel) -> CtfIdfConfig {
    let vectorizer = model.topics.terms.vectorizer().unwrap_or(&model.settings.vectorizer);
    let ctfidf = &model.settings.ctfidf;
    CtfIdfConfig {
        ctfidf_model: Map::from_iter([
            ("bm25_weighting".to_owned(), Value::Bool(ctfidf.has_bm25_weighting())),
            ("reduce_frequent_words".to_owned(), Value::Bool(ctfidf.has_reduced_words())),
        ]),
        vectorizer: params_of(vectorizer),
    }
}

/// A picture for each topic, since BERTopic loads all or none.
fn images(gallery: &Gallery, ids: &[i32]) -> Result<BTreeMap<i32, Vec<u8>>> {
    let mut images = gallery.collages()?;
    images.retain(|id, _| ids.contains(id));
    let (side, quality) = BLANK;
    for id in ids.iter().filter(|id| gallery.pictures(**id).is_empty()) {
        let blank = RgbImage::from_pixel(side, side, [255; 3].into());
        images.insert(*id, encode(&blank, Encoding::Jpeg { quality })?.bytes);
    }
    Ok(images)
}
