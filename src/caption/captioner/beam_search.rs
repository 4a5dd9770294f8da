//! Beam search: follows several likely captions of an image in parallel, and returns the most likely complete one.
//!
//! What is kept, when it ends and how lengths are weighted follows transformers' beam search, so that it produces the
//! same tokens.

use rayon::prelude::*;

use super::generation_config::{EarlyStopping, GenerationConfig};
use super::session::{Session, not_a_number};
use crate::error::{Result, Stage};
use crate::linalg::elementwise;
use crate::progress::Progress;

/// A caption and its score: the sum of its tokens' log probabilities, divided by a power of its length if it is
/// finished.
#[derive(Clone)]
struct Scored {
    tokens: Vec<u32>,
    score: f32,
}

/// A beam with one more token.
#[derive(Clone, Copy)]
struct Candidate {
    beam: usize,
    token: u32,
    score: f32,
}

/// The state of one image's caption.
struct Beams {
    /// The index of the image in the batch.
    image: usize,
    /// Unfinished captions, best first.
    running: Vec<Scored>,
    /// For each of them, the beam that it continues.
    parents: Vec<usize>,
    /// Finished captions, best first.
    finished: Vec<Scored>,
    done: bool,
}

/// The tokens of the best caption of each image, from the start token to the end token.
pub(super) fn run(mut session: Session<'_>, config: &GenerationConfig, progress: &Progress) -> Result<Vec<Vec<u32>>> {
    let mut captions = vec![Vec::new(); session.images()];
    let mut images: Vec<Beams> = (0..captions.len()).map(|image| Beams::new(image, config)).collect();
    let mut scores = session.start(&config.start_tokens)?;
    let mut rows_each = 1;
    for length in config.start_tokens.len().. {
        progress.check(Stage::Embed)?;
        let scores_each = scores.len() / images.len().max(1);
        (images.par_iter_mut().zip(scores.par_chunks_mut(scores_each.max(1))))
            .filter(|(beams, _)| !beams.done)
            .try_for_each(|(beams, scores)| beams.step(config, length, scores, rows_each))?;
        let open = images.iter().filter(|beams| !beams.done).count();
        if open == 0 || length + 1 >= config.length_limit() {
            break;
        }
        // Dropping images copies the cached keys and values of the others, so it is not done for every finished image.
        let leave_out = open * 2 <= images.len();
        let kept: Vec<usize> =
            (0..images.len()).filter(|at| !leave_out || images.get(*at).is_some_and(Beams::open)).collect();
        let parents = |at: &usize| {
            let base = at * rows_each;
            images
                .get(*at)
                .into_iter()
                .flat_map(move |beams| beams.parents.iter().map(move |beam| (base + beam) as u32))
        };
        session.keep_rows(&kept.iter().flat_map(parents).collect::<Vec<u32>>())?;
        if leave_out {
            session.keep_images(&kept.iter().map(|at| *at as u32).collect::<Vec<u32>>())?;
            let (left, stay) = images.into_iter().partition(|beams| beams.done);
            images = stay;
            store(left, &mut captions);
        }
        rows_each = config.num_beams;
        let next: Vec<u32> = images.iter().flat_map(|beams| beams.next(config)).collect();
        scores = session.append(&next)?;
    }
    store(images, &mut captions);
    Ok(captions)
}

fn store(images: Vec<Beams>, captions: &mut [Vec<u32>]) {
    for beams in images {
        if let Some(caption) = captions.get_mut(beams.image) {
            *caption = beams.best();
        }
    }
}

impl Beams {
    fn new(image: usize, config: &GenerationConfig) -> Self {
        let running = vec![Scored { tokens: config.start_tokens.clone(), score: 0.0 }];
        Beams { image, running, parents: vec![0], finished: Vec::new(), done: false }
    }

    fn open(&self) -> bool {
        !self.done
    }

    /// Processes the scores of every next token, for each of `rows` beams that are `length` tokens long.
    fn step(&mut self, config: &GenerationConfig, length: usize, scores: &mut [f32], rows: usize) -> Result<()> {
        let vocabulary = scores.len() / rows.max(1);
        for (beam, scores) in self.running.iter().zip(scores.chunks_exact_mut(vocabulary.max(1))) {
            log_softmax(scores)?;
            config.process_scores(&beam.tokens, scores);
        }
        let candidates = self.best_candidates(scores, vocabulary, config.candidates());
        let (written, last) = (length + 1 - config.start_tokens.len(), length + 1 >= config.length_limit());
        let extended = |candidate: &Candidate| {
            let mut tokens = self.running.get(candidate.beam).map(|beam| beam.tokens.clone()).unwrap_or_default();
            tokens.push(candidate.token);
            tokens
        };
        let penalty = (written as f64).powf(config.length_penalty) as f32;
        let ends = |candidate: &Candidate| last || config.ends(candidate.token);
        let finished = (candidates.iter().take(config.num_beams))
            .filter(|candidate| ends(candidate) && candidate.score > f32::NEG_INFINITY)
            .map(|candidate| Scored { tokens: extended(candidate), score: candidate.score / penalty });
        let finished: Vec<Scored> = finished.collect();
        let open: Vec<&Candidate> = candidates.iter().filter(|it| !ends(it)).take(config.num_beams).collect();
        let running = open.iter().map(|it| Scored { tokens: extended(it), score: it.score }).collect();
        self.parents = open.iter().map(|candidate| candidate.beam).collect();
        self.running = running;
        self.finish(finished, config.num_beams);
        self.done = last || !self.can_improve(config, written);
        Ok(())
    }

    /// The best continuations of all beams, best first; ties go to the first beam and token.
    fn best_candidates(&self, scores: &[f32], vocabulary: usize, most: usize) -> Vec<Candidate> {
        let mut best: Vec<Candidate> = Vec::with_capacity(most + 1);
        for (beam, (running, scores)) in self.running.iter().zip(scores.chunks_exact(vocabulary.max(1))).enumerate() {
            let mut worst = if best.len() < most { None } else { best.last().map(|candidate| candidate.score) };
            for (token, score) in (0..).zip(scores) {
                let score = running.score + score;
                if worst.is_some_and(|worst| score <= worst) {
                    continue;
                }
                let at = best.partition_point(|candidate| candidate.score >= score);
                best.insert(at, Candidate { beam, token, score });
                best.truncate(most);
                worst = if best.len() < most { None } else { best.last().map(|candidate| candidate.score) };
            }
        }
        best
    }

    /// Inserts finished captions among the best ones.
    fn finish(&mut self, finished: Vec<Scored>, most: usize) {
        for caption in finished {
            let at = self.finished.partition_point(|other| other.score >= caption.score);
            self.finished.insert(at, caption);
        }
        self.finished.truncate(most);
    }

    /// Whether following the beams further could change the result; `written` tokens follow the start so far.
    fn can_improve(&self, config: &GenerationConfig, written: usize) -> bool {
        let full = self.finished.len() >= config.num_beams;
        let Some(worst) = self.finished.last().filter(|_| full) else { return true };
        if config.early_stopping == EarlyStopping::Full {
            return false;
        }
        let length = match config.early_stopping {
            EarlyStopping::Never if config.length_penalty > 0.0 => {
                config.length_limit().saturating_sub(config.start_tokens.len())
            }
            _ => written,
        };
        let penalty = (length as f64).powf(config.length_penalty) as f32;
        self.running.first().is_some_and(|best| best.score / penalty > worst.score)
    }

    /// The next input for the rows of the image, one token for each beam.
    fn next<'a>(&'a self, config: &'a GenerationConfig) -> impl Iterator<Item = u32> + 'a {
        self.running.iter().map(|beam| beam.tokens.last().copied().unwrap_or(config.pad_token_id))
    }

    fn best(self) -> Vec<u32> {
        let best = self.finished.into_iter().next().or(self.running.into_iter().next());
        best.map(|best| best.tokens).unwrap_or_default()
    }
}

/// Converts scores to log probabilities.
fn log_softmax(scores: &mut [f32]) -> Result<()> {
    let greatest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut probabilities = scores.to_vec();
    elementwise::softmax(&mut probabilities);
    // The greatest probability is one over the sum of the exponentials of the scores minus the greatest score.
    let log = -probabilities.iter().copied().fold(0.0, f32::max).ln();
    if !log.is_finite() || !greatest.is_finite() || probabilities.iter().any(|p| p.is_nan()) {
        return Err(not_a_number());
    }
    scores.iter_mut().for_each(|score| *score = *score - greatest - log);
    Ok(())
}
