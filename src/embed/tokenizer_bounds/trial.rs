//! Short texts that a tokenizer's patterns might take long for.
//!
//! What is long is told by comparison: a text four times as long takes some four times as long, on a fast machine as on a
//! slow or a busy one. A pattern that goes back and forth takes thousands of times as long.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use tokenizers::{NormalizedString, Normalizer, Tokenizer};

use super::{Checked, MAX_TOKEN};
use crate::guard::caught;

/// How many times as much a tokenizer may make of the texts that it is tried on, which no model makes more than three of.
const MAX_TRIED_GROWTH: usize = 16;

/// How often a character is repeated, and how often in the text that this one is compared with.
const LENGTHS: [(usize, usize); 2] = [(8, 2), (64, 8)];
const LENGTHS_FOR_PATTERNS: [(usize, usize); 4] = [(8, 2), (32, 8), (128, 32), (512, 128)];

/// Times below this are not compared. A text usually takes less than a tenth of a millisecond.
const SHORT: Duration = Duration::from_millis(2);

/// How long one text may take, and all of them, however slow the machine.
const LONGEST: Duration = Duration::from_secs(1);
const LONGEST_IN_ALL: Duration = Duration::from_secs(10);

/// The time may grow with this power of the length: more than its square, less than its cube.
const MAX_POWER: f64 = 2.5;

/// Both texts are measured so often, and so long, until the time is found to be usual: what else runs on the machine
/// interrupts some of the runs, not all of them.
const MOST_RUNS: usize = 20;
const LONGEST_COMPARISON: Duration = Duration::from_secs(2);

/// What a tokenizer has to be tried on.
pub(crate) struct Trial {
    characters: BTreeSet<char>,
    lengths: &'static [(usize, usize)],
}

impl Trial {
    /// Of the characters that a tokenizer looks for.
    pub(super) fn new(characters: BTreeSet<char>, has_patterns: bool) -> Self {
        Trial { characters, lengths: if has_patterns { &LENGTHS_FOR_PATTERNS } else { &LENGTHS } }
    }

    /// Tries a tokenizer on runs of the characters that it looks for, and of some that are in every text: a pattern that
    /// goes back and forth does so where the same comes again and again, and no end that it waits for.
    pub(crate) fn run(self, tokenizer: &Tokenizer) -> Checked<()> {
        let mut characters = self.characters;
        characters.extend("ae1 .-_\n\u{e9}\u{4e2d}".chars());
        let mut in_all = Duration::ZERO;
        let trials = self.lengths.iter().flat_map(|lengths| characters.iter().map(move |c| (lengths, *c)));
        for (&(length, shorter), character) in trials {
            let text = repeated(character, length);
            let (tokens, time) = measure(tokenizer, &text)?;
            let made = normalized_bytes(tokenizer, &text).max(tokens);
            if made > MAX_TRIED_GROWTH * text.len() + MAX_TOKEN {
                return Err(format!("it makes {made} bytes or tokens of {} bytes", text.len()));
            }
            let power = (length as f64 / shorter as f64).powf(MAX_POWER);
            in_all += match time > SHORT {
                true => compare(tokenizer, &text, &repeated(character, shorter), power)?.map_err(|[time, base]| {
                    format!(
                        "it takes {time:.1?} for a text of {length} times {character:?}, and {base:.1?} for {shorter} times"
                    )
                })?,
                false => time,
            };
            if in_all > LONGEST_IN_ALL {
                return Err(format!("it takes {in_all:.1?} for short texts"));
            }
        }
        Ok(())
    }
}

fn repeated(character: char, length: usize) -> String {
    format!("{}\u{1}", String::from(character).repeat(length))
}

/// Whether `text` takes at most `most` times as long as `shorter`, and no longer than it may on any machine: its time, or
/// else the times of both. The shortest of each counts.
fn compare(
    tokenizer: &Tokenizer,
    text: &str,
    shorter: &str,
    most: f64,
) -> Checked<std::result::Result<Duration, [Duration; 2]>> {
    let begun = Instant::now();
    let (mut time, mut base) = (Duration::MAX, Duration::MAX);
    for run in 0..MOST_RUNS {
        base = base.min(measure(tokenizer, shorter)?.1);
        time = time.min(measure(tokenizer, text)?.1);
        if time <= SHORT || (time <= LONGEST && time <= base.mul_f64(most)) {
            return Ok(Ok(time));
        }
        // The first run may have been interrupted for long.
        if run > 0 && begun.elapsed() > LONGEST_COMPARISON {
            break;
        }
    }
    Ok(Err([time, base]))
}

/// The bytes of a normalized text.
fn normalized_bytes(tokenizer: &Tokenizer, text: &str) -> usize {
    let Some(normalizer) = tokenizer.get_normalizer() else { return 0 };
    let mut text = NormalizedString::from(text);
    // One that fails here will tell so when it fails on a text of the user's.
    let _ = caught(|| normalizer.normalize(&mut text));
    text.get().len()
}

/// The tokens of a text, and how long they take.
fn measure(tokenizer: &Tokenizer, text: &str) -> Checked<(usize, Duration)> {
    let begun = Instant::now();
    let encoding = caught(|| tokenizer.encode_fast(text, false));
    let time = begun.elapsed();
    let encoding = encoding.map_err(|_| "it contradicts itself: it fails on a short text")?;
    // That it cannot be cut into tokens is told when it happens to a text of the user's.
    Ok((encoding.map_or(0, |encoding| encoding.len()), time))
}
