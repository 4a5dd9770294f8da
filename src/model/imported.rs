//! What a model of BERTopic has that has no other place here, kept so that it can be saved for BERTopic again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::store::CtfIdfConfig;

/// What a model of BERTopic has that has no other place here.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Imported {
    /// Where earlier versions saved the labels of topics.
    #[serde(default, skip_serializing)]
    pub(crate) custom_labels: BTreeMap<i32, String>,
    /// `config.json`.
    pub(crate) config: Map<String, Value>,
    pub(crate) topic_mapper: Value,
    pub(crate) ctfidf: Option<ImportedWeighting>,
}

/// How the weights of a model of BERTopic were computed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ImportedWeighting {
    pub(crate) config: CtfIdfConfig,
    /// The bits of each term's idf: decimals would be read less precisely.
    idf: Vec<u64>,
}

impl ImportedWeighting {
    pub(crate) fn new(config: CtfIdfConfig, idf: &[f64]) -> Self {
        ImportedWeighting { config, idf: idf.iter().map(|idf| idf.to_bits()).collect() }
    }

    pub(crate) fn idf(&self) -> Vec<f64> {
        self.idf.iter().map(|&bits| f64::from_bits(bits)).collect()
    }
}
