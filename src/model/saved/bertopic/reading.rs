//! A model from what BERTopic saved.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::super::options::EmbedderOptions;
use super::embedder::SavedEmbedder;
use super::recorded::Recorded;
use super::vectorizer::{ngram_range, vectorizer_of};
use crate::cluster::{Clusterer, NearestCentroid};
use crate::corpus::Columns;
use crate::embed::{NoEmbedder, TextEmbedder};
use crate::encode::{ClusterOn, FittedEncoder};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::model::imported::{Imported, ImportedWeighting};
use crate::model::pipeline::Pipeline;
use crate::model::{FittedTopicModel, Summary, TopicModel};
use crate::represent::{Aspect, Gallery, TopicWords};
use crate::store::{BertopicModel, BertopicTopics, Ordered, VISUAL_ASPECT};
use crate::topics::{Assignment, Centroids, Description, TopicTerms, Topics};
use crate::vectorize::{ClassTfIdf, CountVectorizer, TextCleaning};

/// The columns that a frame of new rows has.
const TEXT: &str = "text";
const EMBEDDING: &str = "embedding";

/// What the summary says of the clusterer, and of the reducer.
const CLUSTERER: &str = "of BERTopic, which does not save it (new rows are placed by centroids)";
const REDUCER: &str = "of BERTopic, which does not save it";

/// The columns of tables of topics, which no aspect can be named after.
const TAKEN: [&str; 6] = ["Topic", "Count", "Name", "CustomName", "Representation", "Representative_Docs"];

pub(super) fn model_of(saved: BertopicModel) -> Result<FittedTopicModel> {
    let BertopicModel { topics: saved_topics, config, embeddings, ctfidf, images } = saved;
    let ids: Vec<i32> = saved_topics.topic_sizes.keys().copied().collect();
    let (rows, dimensions) = (saved_topics.topics.len(), embeddings.ncols());
    let name = config.get("embedding_model").and_then(Value::as_str).filter(|name| is_hub_name(name));
    let (embedder, _) =
        SavedEmbedder::embedders(Some(SavedEmbedder::of_name(name, dimensions)), None, &EmbedderOptions::default());
    let params = ctfidf.as_ref().map(|ctfidf| &ctfidf.config);
    let mut vectorizer = params.map_or_else(CountVectorizer::new, |config| vectorizer_of(&config.vectorizer));
    if let (None, Some((shortest, longest))) = (params, ngram_range(config.get("n_gram_range"))) {
        vectorizer = Some(vectorizer.clone().ngram_range(shortest, longest))
            .filter(|vectorizer| vectorizer.check().is_ok())
            .unwrap_or(vectorizer);
    }
    let is_set = |name: &str| params.and_then(|config| config.ctfidf_model.get(name)?.as_bool()).unwrap_or(false);
    let weighting = ClassTfIdf::new()
        .bm25_weighting(is_set("bm25_weighting"))
        .reduce_frequent_words(is_set("reduce_frequent_words"));
    let top_n_words = config.get("top_n_words").and_then(Value::as_u64).unwrap_or(10).clamp(1, 1000) as usize;
    let settings = settings(embedder, vectorizer.clone(), weighting.clone(), top_n_words);
    let custom_labels = custom_labels(&saved_topics);
    let description = description(&saved_topics, images)?;
    let means = ids.iter().zip(embeddings.outer_iter()).map(|(&id, row)| (id, row.to_vec())).collect();
    // The clusters are the rows of embeddings: also topic -1 is one of them.
    let labels: BTreeMap<i32, i32> = (0..).zip(ids.iter().copied()).collect();
    let clusters =
        labels.keys().zip(embeddings.outer_iter()).filter_map(|(&label, row)| Some((label, row.to_slice()?)));
    let clusterer = NearestCentroid::new(clusters, dimensions).always();
    let (terms, imported_weighting) = match ctfidf {
        Some(ctfidf) => {
            let imported = ImportedWeighting::new(ctfidf.config, &ctfidf.idf);
            let terms = TopicTerms::of_weights(ctfidf.vocabulary, ctfidf.weights, rows, vectorizer, weighting)?;
            (terms, Some(imported))
        }
        None => (TopicTerms::empty(&ids, rows)?, None),
    };
    let imported = Imported {
        custom_labels: BTreeMap::new(),
        config,
        topic_mapper: saved_topics.topic_mapper,
        ctfidf: imported_weighting,
    };
    let assignment = Assignment::imported(saved_topics.topics, saved_topics.topic_sizes, labels);
    let encoder =
        FittedEncoder { encoder: settings.encoder.clone(), fusion: None, dimensions, uses_direction_only: true };
    Ok(FittedTopicModel {
        summary: Arc::new(summary(&settings, &assignment, dimensions)),
        settings: Arc::new(settings),
        pipeline: Arc::new(Pipeline { encoder, reducer: None, clusterer: Arc::new(clusterer), known: None }),
        topics: Topics::new(assignment, terms, Centroids::from_means(means), description).with_labels(custom_labels),
        data: None,
        imported: Some(Arc::new(imported)),
        earlier: Arc::default(),
        layout: Arc::default(),
    })
}

/// Whether this is the form of a name on the Hub, not of a path.
fn is_hub_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.len() <= 200
        && name.chars().all(is_plain)
        && name.matches('/').count() <= 1
        && !name.contains("..")
}

fn settings(
    embedder: Option<Arc<dyn TextEmbedder>>,
    vectorizer: CountVectorizer,
    weighting: ClassTfIdf,
    top_n_words: usize,
) -> TopicModel {
    let mut model = TopicModel::text(TEXT, NoEmbedder);
    model.encoder.columns =
        Columns { text: Some(TEXT.to_owned()), text_embeddings: Some(EMBEDDING.to_owned()), ..Columns::default() };
    model.encoder.text_embedder = embedder;
    model.encoder.cleaning = TextCleaning::None;
    let description = format!("a clusterer {CLUSTERER}");
    let clusterer: Arc<dyn Clusterer> = Arc::new(Recorded { description, name: None, produces_words: true });
    TopicModel {
        reducer: None,
        clusterer,
        vectorizer,
        ctfidf: weighting,
        merge_word_forms: false,
        coherent_words: false,
        top_n_words,
        ..model
    }
}

/// The labels that users gave, and those of zero-shot topics, which BERTopic saves but does not load.
fn custom_labels(topics: &BertopicTopics) -> BTreeMap<i32, String> {
    let ids = || topics.topic_sizes.keys().copied();
    if let Some(labels) = topics.custom_labels.as_ref().filter(|labels| labels.len() == topics.topic_sizes.len()) {
        return ids().zip(labels.iter().cloned()).collect();
    }
    let from_words = |id: i32| {
        let words = topics.topic_representations.get(&id).into_iter().flatten().take(4);
        format!("{id}_{}", words.map(|(word, _)| word.as_str()).collect::<Vec<_>>().join("_"))
    };
    let is_other = |(id, label): &(&i32, &String)| topics.topic_sizes.contains_key(id) && **label != from_words(**id);
    match topics.topic_labels.iter().any(|(id, label)| is_other(&(id, label))) {
        true => ids().map(|id| (id, topics.topic_labels.get(&id).cloned().unwrap_or_else(|| from_words(id)))).collect(),
        false => BTreeMap::new(),
    }
}

fn description(topics: &BertopicTopics, images: BTreeMap<i32, Vec<u8>>) -> Result<Description> {
    let words = topics.topic_representations.clone();
    let words = words.into_iter().map(|(id, words)| (id, without_filler(words))).collect();
    let mut description = Description { words, ..Description::default() };
    let mut add = |name: &str, aspect: Aspect| {
        if !description.order.iter().any(|known| known == name) {
            description.order.push(name.to_owned());
        }
        description.aspects.insert(name.to_owned(), aspect);
    };
    for (name, value) in topics.topic_aspects.iter().flat_map(|Ordered(aspects)| aspects) {
        if name.is_empty() || TAKEN.contains(&name.as_str()) {
            let message = format!("a file of the model is damaged: `{name}` cannot be the name of an aspect");
            return Err(Error::new(ErrorKind::InvalidData, Stage::Input, message));
        }
        if name == VISUAL_ASPECT && *value == Value::Bool(true) {
            continue;
        }
        let words = words_of(value).ok_or_else(|| {
            let message = format!("a file of the model is damaged: the aspect `{name:.100}` cannot be read");
            Error::new(ErrorKind::InvalidData, Stage::Input, message)
        })?;
        add(name, Aspect::Words(words));
    }
    if !images.is_empty() {
        let row_of = |topic: i32| topics.topics.iter().position(|&other| other == topic).unwrap_or(0);
        add(VISUAL_ASPECT, Aspect::Images(Gallery::of_collages(images, row_of, topics.topics.len())?));
    }
    Ok(description)
}

/// A single empty word stands for none: BERTopic's tables need one.
fn without_filler(words: Vec<(String, f64)>) -> Vec<(String, f64)> {
    let is_filler = words.len() == 1 && words.iter().all(|(word, _)| word.is_empty());
    if is_filler { Vec::new() } else { words }
}

/// The words of each topic. A topic may also have a list of texts, which are one label, or a text.
fn words_of(aspect: &Value) -> Option<TopicWords> {
    let word = |pair: &Value| Some((pair.get(0)?.as_str()?.to_owned(), pair.get(1)?.as_f64()?));
    let words = |value: &Value| match value {
        Value::String(label) => Some(vec![(label.clone(), 1.0)]),
        Value::Array(items) if items.first().is_some_and(Value::is_string) => {
            let label = items.iter().map(Value::as_str).collect::<Option<Vec<_>>>()?.join(" ");
            Some(vec![(label.trim().to_owned(), 1.0)])
        }
        Value::Array(items) => items.iter().map(word).collect(),
        _ => None,
    };
    let of_topic = |(id, value): (&String, &Value)| Some((id.parse().ok()?, without_filler(words(value)?)));
    aspect.as_object()?.iter().map(of_topic).collect()
}

fn summary(settings: &TopicModel, assignment: &Assignment, dimensions: usize) -> Summary {
    let (clustered, outliers) = (assignment.clustered(), assignment.outlier_count());
    Summary {
        rows: clustered.saturating_add(outliers),
        clustered,
        outliers,
        blank: 0,
        repeated: 0,
        topics: assignment.topic_count(),
        dimensions,
        seed: settings.seed,
        cluster_on: ClusterOn::Text,
        embedder: settings.encoder.text_embedder.as_ref().map(|embedder| format!("{embedder:?}")).unwrap_or_default(),
        reducer: REDUCER.to_owned(),
        clusterer: CLUSTERER.to_owned(),
        text_column: Some(TEXT.to_owned()),
        image_column: None,
        images: None,
        captioner: None,
        captions: 0,
    }
}
