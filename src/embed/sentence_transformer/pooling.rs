//! Pools the vectors of a text's tokens into one vector.

use std::ops::Range;
use std::path::Path;

use serde_json::Value;

use crate::error::Result;
use crate::nn::model_folder::{model_error, read_json};

/// A pooling mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Cls,
    Max,
    Mean,
    MeanSqrt,
    WeightedMean,
    Last,
}

/// The pooling modes of a model; if there are several, their vectors are concatenated.
#[derive(Debug, Clone)]
pub(super) struct Pooling {
    modes: Vec<Mode>,
    /// Whether the tokens of a prompt count.
    pub(super) include_prompt: bool,
}

/// The switches of `config.json`, in the order in which their vectors are concatenated.
const SWITCHES: [(&str, &str, Mode); 6] = [
    ("pooling_mode_cls_token", "cls", Mode::Cls),
    ("pooling_mode_max_tokens", "max", Mode::Max),
    ("pooling_mode_mean_tokens", "mean", Mode::Mean),
    ("pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens", Mode::MeanSqrt),
    ("pooling_mode_weightedmean_tokens", "weightedmean", Mode::WeightedMean),
    ("pooling_mode_lasttoken", "lasttoken", Mode::Last),
];

impl Pooling {
    /// The mean of all tokens.
    pub(super) fn mean() -> Self {
        Pooling { modes: vec![Mode::Mean], include_prompt: true }
    }

    /// Reads `1_Pooling/config.json`, as written by sentence-transformers before 6 or since.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let json = read_json(path)?;
        let named = |name: &str| SWITCHES.iter().find(|(_, word, _)| *word == name).map(|(_, _, mode)| *mode);
        let modes: Option<Vec<Mode>> = match json.get("pooling_mode") {
            Some(Value::String(name)) => named(name).map(|mode| vec![mode]),
            Some(Value::Array(names)) => names.iter().map(|name| named(name.as_str()?)).collect(),
            _ => {
                let on = |key: &str| json.get(key).and_then(Value::as_bool).unwrap_or(false);
                Some(SWITCHES.iter().filter(|(key, _, _)| on(key)).map(|(_, _, mode)| *mode).collect())
            }
        };
        let modes = modes.filter(|modes| !modes.is_empty());
        let modes = modes.ok_or_else(|| model_error(path, "it names no supported pooling mode"))?;
        if modes.len() > SWITCHES.len() {
            let what = format!(
                "its `pooling_mode` names {} pooling modes, but there are only {}",
                modes.len(),
                SWITCHES.len()
            );
            return Err(model_error(path, &what));
        }
        let include_prompt = json.get("include_prompt").and_then(Value::as_bool).unwrap_or(true);
        Ok(Pooling { modes, include_prompt })
    }

    /// The width of a pooled vector, for token vectors of width `width`.
    pub(super) fn outputs(&self, width: usize) -> usize {
        self.modes.len() * width
    }

    /// The vector of one text. `tokens` contains those of a batch, `width` values each; those of the text are `span`,
    /// and the first `skipped` of them do not count.
    pub(super) fn pool(&self, tokens: &[f32], width: usize, span: Range<usize>, skipped: usize) -> Vec<f32> {
        let skipped = skipped.min(span.len().saturating_sub(1));
        let counted = tokens.get((span.start + skipped) * width..span.end * width).unwrap_or_default();
        let mut pooled = Vec::with_capacity(self.outputs(width));
        for mode in &self.modes {
            pooled.extend(mode.pool(counted, width, skipped));
        }
        pooled
    }
}

impl Mode {
    fn pool(self, tokens: &[f32], width: usize, skipped: usize) -> Vec<f32> {
        let rows = tokens.chunks_exact(width);
        // A tokenizer that adds nothing may leave a text without tokens: zeros, no vector.
        if rows.len() == 0 {
            return vec![0.0; width];
        }
        let count = rows.len() as f32;
        match self {
            Mode::Cls => tokens.get(..width).unwrap_or_default().to_vec(),
            Mode::Last => rows.last().unwrap_or_default().to_vec(),
            Mode::Max => {
                let mut max = vec![f32::NEG_INFINITY; width];
                rows.for_each(|row| max.iter_mut().zip(row).for_each(|(max, x)| *max = max.max(*x)));
                max
            }
            Mode::Mean => scaled(weighted_sum(rows, width, |_| 1.0), 1.0 / count),
            Mode::MeanSqrt => scaled(weighted_sum(rows, width, |_| 1.0), 1.0 / count.sqrt()),
            Mode::WeightedMean => {
                let weight = |at: usize| (skipped + at + 1) as f32;
                let total: f32 = (0..rows.len()).map(weight).sum();
                scaled(weighted_sum(rows, width, weight), 1.0 / total)
            }
        }
    }
}

fn weighted_sum<'a>(rows: impl Iterator<Item = &'a [f32]>, width: usize, weight: impl Fn(usize) -> f32) -> Vec<f32> {
    let mut sum = vec![0.0; width];
    for (at, row) in rows.enumerate() {
        let weight = weight(at);
        sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += weight * x);
    }
    sum
}

fn scaled(mut values: Vec<f32>, scale: f32) -> Vec<f32> {
    values.iter_mut().for_each(|x| *x *= scale);
    values
}
