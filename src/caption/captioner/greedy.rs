//! Greedy search: always takes the most likely token.

use rayon::prelude::*;

use super::generation_config::GenerationConfig;
use super::session::{Session, not_a_number};
use crate::error::{Result, Stage};
use crate::progress::Progress;

/// The tokens of one caption for each image, from the start token to the end token.
pub(super) fn run(mut session: Session<'_>, config: &GenerationConfig, progress: &Progress) -> Result<Vec<Vec<u32>>> {
    let mut captions = vec![config.start_tokens.clone(); session.images()];
    // The image of each row, and whether its caption is still being written.
    let mut rows: Vec<(usize, bool)> = (0..captions.len()).map(|image| (image, true)).collect();
    let mut scores = session.start(&config.start_tokens)?;
    for length in config.start_tokens.len().. {
        progress.check(Stage::Embed)?;
        let vocabulary = scores.len() / rows.len().max(1);
        let tokens: Vec<Option<u32>> = (rows.par_iter().zip(scores.par_chunks_mut(vocabulary.max(1))))
            .map(|((image, open), scores)| match open {
                true => best(captions.get(*image).map_or(&[], Vec::as_slice), config, scores).map(Some),
                false => Ok(None),
            })
            .collect::<Result<_>>()?;
        for ((image, open), token) in rows.iter_mut().zip(&tokens) {
            if let (Some(caption), Some(token)) = (captions.get_mut(*image), token) {
                caption.push(*token);
                *open = !config.ends(*token);
            }
        }
        let open = rows.iter().filter(|(_, open)| *open).count();
        if open == 0 || length + 1 >= config.length_limit() {
            break;
        }
        let mut next: Vec<u32> = tokens.iter().map(|token| token.unwrap_or(config.pad_token_id)).collect();
        // Dropping rows copies the cached keys and values of the others, so it is not done for every finished row.
        if open * 2 <= rows.len() {
            let kept: Vec<u32> = (0..).zip(&rows).filter(|(_, (_, open))| *open).map(|(row, _)| row).collect();
            session.keep_rows(&kept)?;
            session.keep_images(&kept)?;
            next = kept.iter().filter_map(|row| next.get(*row as usize).copied()).collect();
            rows.retain(|(_, open)| *open);
        }
        scores = session.append(&next)?;
    }
    Ok(captions)
}

/// The token with the highest score; ties go to the first.
fn best(tokens: &[u32], config: &GenerationConfig, scores: &mut [f32]) -> Result<u32> {
    config.process_scores(tokens, scores);
    let mut best = (0, f32::NEG_INFINITY);
    for (token, score) in (0..).zip(scores.iter()) {
        if score.is_nan() {
            return Err(not_a_number());
        }
        if *score > best.1 {
            best = (token, *score);
        }
    }
    Ok(best.0)
}
