//! Captioning the representative images of each topic.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::TopicModel;
use super::check::check_captions;
use crate::corpus::{Documents, Embeddings, ImageColumn};
use crate::encode::{Encoded, image_sources, relative_paths};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::linalg::marginal_relevance::MarginalRelevance;
use crate::linalg::vectors::{dot, scale_to_unit};
use crate::represent::Ranking;
use crate::topics::Assignment;

/// The weight of an image's similarity to those already selected, versus its similarity to the topic. BERTopic's value.
const DIVERSITY: f64 = 0.1;

/// The number of candidates per captioned image: only the best images of a topic are considered.
const CANDIDATES: usize = 20;

/// Vectors that differ by less are considered the same image.
const SAME: f64 = 1e-6;

/// The maximum number of rounds in which images that could not be captioned are replaced by the next best.
const ROUNDS: usize = 3;

/// The rows of each topic that can be captioned, with their scores as representatives, best first.
type Candidates = BTreeMap<i32, Vec<(usize, f64)>>;

impl TopicModel {
    /// Captions, by row, of every topic's best images without a text. Empty without a captioner.
    pub(super) fn captions(
        &self,
        documents: &Documents,
        encoded: &Encoded,
        assignment: &Assignment,
    ) -> Result<BTreeMap<usize, String>> {
        let (Some(captioner), Some(images)) = (&self.captioner, &documents.images) else { return Ok(BTreeMap::new()) };
        let vectors = match (self.encoder.plan().texts, &encoded.images) {
            (false, _) | (_, None) => &encoded.clustered,
            (true, Some(vectors)) => vectors,
        };
        let mut candidates = candidates(documents, images, vectors, assignment);
        let mut captions = BTreeMap::new();
        let mut of_topics: BTreeMap<i32, Vec<usize>> = BTreeMap::new();
        let mut tried = 0;
        for _ in 0..ROUNDS {
            let more = |(topic, rows): (&i32, &Vec<(usize, f64)>)| {
                let captioned = of_topics.get(topic).map(Vec::as_slice).unwrap_or_default();
                representative(rows, captioned, vectors, self.nr_captioned_images)
            };
            let chosen: BTreeSet<usize> = candidates.par_iter().flat_map_iter(more).collect();
            if chosen.is_empty() {
                break;
            }
            let (rows, sources) = image_sources(images, chosen.iter().copied(), &self.progress);
            let texts = captioner.caption_images(&sources, &self.progress)?;
            check_captions(&texts, rows.len())?;
            self.progress.check(Stage::Represent)?;
            tried += chosen.len();
            for (row, text) in rows.into_iter().zip(texts) {
                if let Some(text) = text.filter(|text| !text.trim().is_empty()) {
                    let topic = assignment.topics.get(row).copied().unwrap_or_default();
                    of_topics.entry(topic).or_default().push(row);
                    captions.insert(row, text);
                }
            }
            if captions.is_empty() {
                return Err(no_caption(tried, images));
            }
            candidates.values_mut().for_each(|rows| rows.retain(|(row, _)| !chosen.contains(row)));
        }
        Ok(captions)
    }
}

/// The rows of every topic with an image and a vector but no text, best first.
fn candidates(
    documents: &Documents,
    images: &ImageColumn,
    vectors: &Embeddings,
    assignment: &Assignment,
) -> Candidates {
    let ranking = Ranking::by_image(&assignment.ids(), &assignment.topics, images, vectors);
    let wordless = |row: usize| documents.texts.as_ref().is_none_or(|texts| texts.get(row).is_none());
    let of_topic = |(&topic, rows): (&i32, &Vec<(usize, f64)>)| {
        (topic, rows.iter().copied().filter(|&(row, _)| wordless(row)).collect())
    };
    ranking.topics().iter().map(of_topic).collect()
}

/// Selects rows from `candidates` (best first) that are representative but diverse, until there are `n` images
/// including those in `before`. Each maximizes its similarity to the topic, minus its similarity to the previous ones
/// (maximal marginal relevance). No image is selected twice, unless all are requested.
fn representative(candidates: &[(usize, f64)], before: &[usize], vectors: &Embeddings, n: usize) -> Vec<usize> {
    let n = n - before.len().min(n);
    if n >= candidates.len() {
        return candidates.iter().map(|&(row, _)| row).collect();
    }
    let rest = candidates.get(..n.saturating_mul(CANDIDATES)).unwrap_or(candidates);
    let of_row = |row: usize| {
        let mut vector = vectors.get(row).unwrap_or_default().to_vec();
        scale_to_unit(&mut vector);
        vector
    };
    let units: Vec<Vec<f32>> = rest.iter().map(|&(row, _)| of_row(row)).collect();
    let before: Vec<Vec<f32>> = before.iter().map(|&row| of_row(row)).collect();
    let nearest = |vector: &Vec<f32>| before.iter().map(|known| dot(vector, known)).reduce(f64::max);
    let relevance: Vec<f64> = rest.iter().map(|&(_, score)| score).collect();
    let candidates = MarginalRelevance {
        relevance: &relevance,
        nearest: units.iter().map(nearest).collect(),
        diversity: DIVERSITY,
        same: 1.0 - SAME,
    };
    let chosen = candidates.choose(n, |a, b| dot(&units[b], &units[a]));
    chosen.into_iter().map(|place| rest[place].0).collect()
}

fn no_caption(tried: usize, images: &ImageColumn) -> Error {
    let message = match tried {
        1 => "the only image that was tried could not be captioned".to_owned(),
        tried => format!("none of the {tried} images that were tried could be captioned"),
    };
    Error::new(ErrorKind::Image, Stage::Represent, message).with_column(images.name()).with_hint(relative_paths())
}
