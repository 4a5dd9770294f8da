//! Short texts on which a tokenizer's patterns might be slow.
//!
//! Slowness is measured by comparison: a text four times as long takes about four times as long, on a fast machine as
//! well as on a slow or busy one. A pattern that backtracks takes thousands of times as long.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use tokenizers::{NormalizedString, Normalizer, Tokenizer};

use super::{Checked, MAX_TOKEN_BYTES};
use crate::guard::caught;

/// The maximum ratio of a tokenizer's output to the text that it is tried on; no model exceeds three.
const MAX_TRIED_GROWTH: usize = 16;

/// How often a character is repeated, and how often in the text that this one is compared with.
const LENGTHS: [(usize, usize); 2] = [(8, 2), (64, 8)];
const LENGTHS_FOR_PATTERNS: [(usize, usize); 4] = [(8, 2), (32, 8), (128, 32), (512, 128)];

/// Times below this are not compared. A text usually takes less than a tenth of a millisecond.
const NEGLIGIBLE_TIME: Duration = Duration::from_millis(2);

/// The maximum time for one text, and for all of them, however slow the machine.
const MAX_TIME: Duration = Duration::from_secs(1);
const MAX_TOTAL_TIME: Duration = Duration::from_secs(10);

/// The time may grow with up to this power of the length: more than quadratic, less than cubic.
const MAX_POWER: f64 = 2.5;

/// Both texts are timed up to this many times, and up to this long, until the time is within bounds: other processes on
/// the machine disturb some of the runs, not all of them.
const MAX_RUNS: usize = 20;
const MAX_COMPARISON_TIME: Duration = Duration::from_secs(2);

/// What a tokenizer is tried on.
pub(crate) struct Trial {
    characters: BTreeSet<char>,
    lengths: &'static [(usize, usize)],
}

impl Trial {
    /// From the characters that a tokenizer looks for.
    pub(super) fn new(characters: BTreeSet<char>, has_patterns: bool) -> Self {
        Trial { characters, lengths: if has_patterns { &LENGTHS_FOR_PATTERNS } else { &LENGTHS } }
    }

    /// Tries a tokenizer on runs of the characters that it looks for, and of some that occur in every text: a pattern
    /// that backtracks does so where the same character repeats and the end that it waits for never comes.
    pub(crate) fn run(self, tokenizer: &Tokenizer) -> Checked<()> {
        let mut characters = self.characters;
        characters.extend("ae1 .-_\n\u{e9}\u{4e2d}".chars());
        let mut total = Duration::ZERO;
        let trials = self.lengths.iter().flat_map(|lengths| characters.iter().map(move |c| (lengths, *c)));
        for (&(length, shorter), character) in trials {
            let text = repeated(character, length);
            let (tokens, time) = measure(tokenizer, &text)?;
            let made = normalized_bytes(tokenizer, &text).max(tokens);
            if made > MAX_TRIED_GROWTH * text.len() + MAX_TOKEN_BYTES {
                return Err(format!("it produces {made} bytes or tokens from {} bytes", text.len()));
            }
            let power = (length as f64 / shorter as f64).powf(MAX_POWER);
            total += match time > NEGLIGIBLE_TIME {
                true => compare(tokenizer, &text, &repeated(character, shorter), power)?.map_err(|[time, base]| {
                    format!(
                        "it takes {time:.1?} for {length} repetitions of {character:?}, and {base:.1?} for {shorter}"
                    )
                })?,
                false => time,
            };
            if total > MAX_TOTAL_TIME {
                return Err(format!("it takes {total:.1?} for short texts"));
            }
        }
        Ok(())
    }
}

fn repeated(character: char, length: usize) -> String {
    format!("{}\u{1}", String::from(character).repeat(length))
}

/// Checks that `text` takes at most `max_ratio` times as long as `shorter`, and no longer than the absolute limit.
/// Returns its time, or otherwise the times of both. The fastest run of each counts.
fn compare(
    tokenizer: &Tokenizer,
    text: &str,
    shorter: &str,
    max_ratio: f64,
) -> Checked<std::result::Result<Duration, [Duration; 2]>> {
    let start = Instant::now();
    let (mut time, mut base) = (Duration::MAX, Duration::MAX);
    for run in 0..MAX_RUNS {
        base = base.min(measure(tokenizer, shorter)?.1);
        time = time.min(measure(tokenizer, text)?.1);
        if time <= NEGLIGIBLE_TIME || (time <= MAX_TIME && time <= base.mul_f64(max_ratio)) {
            return Ok(Ok(time));
        }
        // The first run may have been interrupted for a long time.
        if run > 0 && start.elapsed() > MAX_COMPARISON_TIME {
            break;
        }
    }
    Ok(Err([time, base]))
}

/// The length of a normalized text in bytes.
fn normalized_bytes(tokenizer: &Tokenizer, text: &str) -> usize {
    let Some(normalizer) = tokenizer.get_normalizer() else { return 0 };
    let mut text = NormalizedString::from(text);
    // A failure here is reported when it happens on one of the user's texts.
    let _ = caught(|| normalizer.normalize(&mut text));
    text.get().len()
}

/// The number of tokens in a text, and the time it takes to tokenize.
fn measure(tokenizer: &Tokenizer, text: &str) -> Checked<(usize, Duration)> {
    let start = Instant::now();
    let encoding = caught(|| tokenizer.encode_fast(text, false));
    let time = start.elapsed();
    let encoding = encoding.map_err(|_| "it is inconsistent: it fails on a short text")?;
    // A failure to tokenize is reported when it happens on one of the user's texts.
    Ok((encoding.map_or(0, |encoding| encoding.len()), time))
}
