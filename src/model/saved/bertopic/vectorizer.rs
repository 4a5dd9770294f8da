//! The settings of scikit-learn's `CountVectorizer`.

use serde_json::{Map, Value, json};

use crate::vectorize::{CountVectorizer, StopWords, TextCleaning};

/// The word pattern of scikit-learn.
const TOKEN_PATTERN: &str = r"(?u)\b\w\w+\b";

/// The settings here that are closest to these parameters.
pub(super) fn vectorizer_of(params: &Map<String, Value>) -> CountVectorizer {
    let number = |name: &str| params.get(name).and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok());
    let share = |name: &str| params.get(name).filter(|value| value.is_f64()).and_then(Value::as_f64);
    let mut vectorizer = CountVectorizer::new().cleaning(TextCleaning::None).stop_words(stop_words(params));
    if let Some(lowercase) = params.get("lowercase").and_then(Value::as_bool) {
        vectorizer = vectorizer.lowercase(lowercase);
    }
    if let Some((shortest, longest)) = ngram_range(params.get("ngram_range")) {
        vectorizer = vectorizer.ngram_range(shortest, longest);
    }
    vectorizer = match (number("min_df"), share("min_df")) {
        (Some(count), _) => vectorizer.min_df(count),
        (None, Some(share)) => vectorizer.min_df(share),
        (None, None) => vectorizer,
    };
    vectorizer = match (number("max_df"), share("max_df")) {
        (Some(count), _) => vectorizer.max_df(count),
        (None, Some(share)) => vectorizer.max_df(share),
        (None, None) => vectorizer,
    };
    if let Some(most) = number("max_features") {
        vectorizer = vectorizer.max_features(most);
    }
    // The words have been counted: a setting that does not exist here changes none of them.
    match vectorizer.check() {
        Ok(()) => vectorizer,
        Err(_) => CountVectorizer::new(),
    }
}

/// A range of lengths of n-grams.
pub(super) fn ngram_range(value: Option<&Value>) -> Option<(usize, usize)> {
    serde_json::from_value(value?.clone()).ok()
}

fn stop_words(params: &Map<String, Value>) -> StopWords {
    match params.get("stop_words") {
        Some(Value::String(name)) if name == "english" => StopWords::English,
        Some(Value::Array(words)) => StopWords::list(words.iter().filter_map(Value::as_str)),
        _ => StopWords::None,
    }
}

/// The parameters that are closest to these settings. The vocabulary is fixed, so limits of frequencies have no effect.
pub(super) fn params_of(vectorizer: &CountVectorizer) -> Map<String, Value> {
    let stop_words = match vectorizer.words_left_out() {
        words if words.is_empty() => Value::Null,
        words => json!(words),
    };
    let (shortest, longest) = vectorizer.lengths();
    let params = json!({
        "analyzer": "word",
        "binary": false,
        "decode_error": "strict",
        "encoding": "utf-8",
        "input": "content",
        "lowercase": vectorizer.is_lowercase(),
        "max_df": 1.0,
        "max_features": null,
        "min_df": 1,
        "ngram_range": [shortest, longest],
        "stop_words": stop_words,
        "strip_accents": null,
        "token_pattern": TOKEN_PATTERN,
        "vocabulary": null,
    });
    match params {
        Value::Object(params) => params,
        _ => Map::new(),
    }
}
