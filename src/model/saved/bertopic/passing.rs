//! What of a model has no place in BERTopic's format.

use super::writing::{embedding_model, gallery_of};
use crate::cluster::OUTLIER;
use crate::encode::ClusterOn;
use crate::model::FittedTopicModel;
use crate::represent::Aspect;
use crate::topics::Outliers;

/// What cannot pass, one sentence each.
pub(super) fn what_cannot_pass(model: &FittedTopicModel) -> Vec<String> {
    // Of a model that came from there, everything passes, except for an embedder that was given to it.
    let sentences = match model.imported {
        Some(_) => vec![embedder(model)],
        None => vec![
            stages(model),
            outliers(model),
            rows(model),
            embedder(model),
            encoding(model),
            weighting(model),
            pictures(model),
            history(model),
        ],
    };
    sentences.into_iter().flatten().collect()
}

fn stages(model: &FittedTopicModel) -> Option<String> {
    let summary = model.summary();
    let stages = match model.pipeline.reducer {
        Some(_) => format!("The reducer ({:.200}) and the clusterer ({:.200}) are", summary.reducer, summary.clusterer),
        None => format!("The clusterer ({:.200}) is", summary.clusterer),
    };
    Some(format!(
        "{stages} not part of BERTopic's format: BERTopic places new rows by the topic with the most similar embedding."
    ))
}

fn outliers(model: &FittedTopicModel) -> Option<String> {
    let choice = match model.topics.assignment.outliers() {
        Outliers::AsClustered => "",
        _ => ", and the choice of outliers does not apply to new rows",
    };
    model.topic_size(OUTLIER)?;
    Some(format!(
        "The embedding of topic -1 is all zeros, so that BERTopic finds an outlier only where no topic is similar{choice}."
    ))
}

fn rows(model: &FittedTopicModel) -> Option<String> {
    let captions = if model.captions().is_empty() { "" } else { ", captions" };
    Some(format!(
        "Documents, vectors, probabilities, representative documents{captions} are not part of BERTopic's format; the topic \
         of each row is."
    ))
}

fn embedder(model: &FittedTopicModel) -> Option<String> {
    if embedding_model(model).is_some() {
        return None;
    }
    let was_named = model.imported.as_ref().is_some_and(|imported| imported.config.contains_key("embedding_model"));
    let is_recorded = model.settings.encoder.text_embedder.as_ref().is_none_or(|embedder| embedder.origin().is_none());
    if model.imported.is_some() && (was_named || is_recorded) {
        return None;
    }
    Some(format!(
        "The embedder ({:.200}) has no name by which BERTopic could load it: pass BERTopic an embedding_model that computes \
         the same vectors, or the vectors themselves.",
        model.summary().embedder
    ))
}

fn encoding(model: &FittedTopicModel) -> Option<String> {
    match model.settings.encoder.cluster_on {
        ClusterOn::Text => None,
        ClusterOn::Images => {
            Some("The model clusters images: pass BERTopic the vectors of images to place new ones.".to_owned())
        }
        ClusterOn::Both => Some(
            "The fusion of texts and images is not part of BERTopic's format: pass BERTopic vectors that were fused here."
                .to_owned(),
        ),
    }
}

fn weighting(model: &FittedTopicModel) -> Option<String> {
    if model.topics.terms.vocabulary.is_empty() {
        return None;
    }
    let coverage = match model.settings.ctfidf.has_coverage() {
        true => " and weighs them without coverage",
        false => "",
    };
    Some(format!(
        "The weights of topics pass as they are, but BERTopic counts the words of other texts with scikit-learn's \
         CountVectorizer{coverage}."
    ))
}

fn pictures(model: &FittedTopicModel) -> Option<String> {
    let is_images = |aspect: &&Aspect| matches!(aspect, Aspect::Images(_));
    match (model.topics.description.aspects.values().filter(is_images).count(), gallery_of(model)) {
        (0, _) => None,
        (_, None) => Some("Pictures cannot pass: BERTopic loads none if topic 0 has none.".to_owned()),
        (1, Some(_)) => {
            Some("The pictures of a topic pass as one collage; a topic without pictures has a white one.".to_owned())
        }
        (_, Some(_)) => Some(
            "Of the aspects with pictures, the first passes, as one collage per topic; a topic without pictures has a \
             white one."
                .to_owned(),
        ),
    }
}

fn history(model: &FittedTopicModel) -> Option<String> {
    (!model.topics.history.is_empty()).then(|| "The history of edits is not part of BERTopic's format.".to_owned())
}
