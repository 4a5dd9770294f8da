//! Whether texts have more words in common than by chance.

use hashbrown::HashSet;
use rayon::prelude::*;

use super::mean;
use crate::linalg::mix::mix;
use crate::linalg::sparse::CsrMatrix;
use crate::linalg::sparse_sums::SparseSums;

/// The number of texts that are compared: a sample of so many tells, and takes a fraction of a second.
const TEXTS: usize = 1_000;

/// Fewer texts tell nothing.
const FEWEST: usize = 50;

/// The number of nearest texts.
const NEAREST: usize = 15;

/// How often the words are exchanged anew.
const EXCHANGES: u64 = 3;

/// The number of attempted exchanges, in proportion to the words.
const ATTEMPTS: u64 = 6;

/// How similar texts are to the nearest ones by their words, and how similar they are after texts exchanged words at
/// random: each text still has as many different words, and each word is in as many texts (swap randomization; Gionis,
/// Mannila, Mielikäinen and Tsaparas 2007).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct WordsInCommon {
    /// The mean cosine of a text and its nearest ones, by the words' inverse document frequency.
    pub(crate) similarity: f64,
    /// The mean of it after several exchanges.
    pub(crate) exchanged: f64,
}

impl WordsInCommon {
    /// Of the texts whose terms are counted in `counts`, or of a random sample of them; `None` for fewer than 50 texts.
    pub(crate) fn of(counts: &CsrMatrix<u32>, seed: u64) -> Option<Self> {
        let mut drawn: Vec<(u64, u32)> = (0..counts.rows() as u32)
            .filter(|&row| !counts.row(row as usize).0.is_empty())
            .map(|row| (mix(seed, u64::from(row)), row))
            .collect();
        drawn.sort_unstable();
        drawn.truncate(TEXTS);
        if drawn.len() < FEWEST {
            return None;
        }
        let mut words = Words::new(drawn.iter().map(|&(_, row)| counts.row(row as usize).0), counts.cols());
        let similarity = words.similarity();
        let exchanged = (0..EXCHANGES).map(|round| {
            words.exchange(mix(seed, round));
            words.similarity()
        });
        Some(WordsInCommon { similarity, exchanged: mean(exchanged)? })
    }
}

/// The words of texts, each once.
struct Words {
    /// The text and the word of each occurrence.
    occurrences: Vec<(u32, u32)>,
    texts: usize,
    /// The inverse document frequency of each word.
    weights: Vec<f32>,
}

impl Words {
    fn new<'a>(texts: impl Iterator<Item = &'a [u32]>, words: usize) -> Self {
        let (mut occurrences, mut frequencies, mut number) = (Vec::new(), vec![0_u32; words], 0);
        for text in texts {
            for &word in text {
                occurrences.push((number, word));
                frequencies[word as usize] += 1;
            }
            number += 1;
        }
        let idf = |&frequency: &u32| ((1.0 + number as f32) / (1.0 + frequency as f32)).ln() + 1.0;
        Words { occurrences, texts: number as usize, weights: frequencies.iter().map(idf).collect() }
    }

    /// Lets pairs of texts exchange a word that the other does not have.
    fn exchange(&mut self, seed: u64) {
        let count = self.occurrences.len() as u64;
        let mut present: HashSet<(u32, u32)> = self.occurrences.iter().copied().collect();
        for attempt in 0..ATTEMPTS * count {
            let random = mix(seed, attempt);
            let (a, b) = ((random % count) as usize, (mix(random, attempt) % count) as usize);
            let ((text, word), (other, its)) = (self.occurrences[a], self.occurrences[b]);
            if present.contains(&(text, its)) || present.contains(&(other, word)) {
                continue;
            }
            present.remove(&(text, word));
            present.remove(&(other, its));
            present.insert((text, its));
            present.insert((other, word));
            (self.occurrences[a].1, self.occurrences[b].1) = (its, word);
        }
    }

    /// The mean cosine of a text and its nearest ones.
    fn similarity(&self) -> f64 {
        let (mut of_texts, mut of_words) = (vec![Vec::new(); self.texts], vec![Vec::new(); self.weights.len()]);
        for &(text, word) in &self.occurrences {
            of_texts[text as usize].push(word);
            of_words[word as usize].push(text);
        }
        of_texts.iter_mut().chain(&mut of_words).for_each(|numbers| numbers.sort_unstable());
        let norm = |words: &Vec<u32>| words.iter().map(|&word| self.weights[word as usize].powi(2)).sum::<f32>().sqrt();
        let norms: Vec<f32> = of_texts.iter().map(norm).collect();
        let nearest = |sums: &mut SparseSums<f32>, text: usize| {
            for &word in &of_texts[text] {
                let weight = self.weights[word as usize].powi(2);
                of_words[word as usize].iter().for_each(|&other| sums.add(other, weight));
            }
            let others = sums.drain().filter(|&(other, _)| other as usize != text);
            let mut cosines: Vec<f32> =
                others.map(|(other, sum)| sum / (norms[text] * norms[other as usize])).collect();
            cosines.sort_unstable_by(|a, b| b.total_cmp(a));
            cosines.iter().take(NEAREST).map(|&cosine| f64::from(cosine)).sum::<f64>() / NEAREST as f64
        };
        let texts: Vec<f64> =
            (0..self.texts).into_par_iter().map_init(|| SparseSums::new(self.texts), nearest).collect();
        mean(texts).unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts of 8 different words of 60, at random; of those that begin with `own` words, from the ten of their subject.
    fn texts(own: usize) -> CsrMatrix<u32> {
        let rows: Vec<Vec<u32>> = (0..300_u64)
            .map(|text| {
                let mut words: Vec<u32> = Vec::new();
                for at in 0.. {
                    let random = mix(text, at);
                    let word = match words.len() {
                        8 => break,
                        few if few < own => (text % 6 * 10 + random % 10) as u32,
                        _ => (random % 60) as u32,
                    };
                    if !words.contains(&word) {
                        words.push(word);
                    }
                }
                words.sort_unstable();
                words
            })
            .collect();
        let ones = [1_u32; 8];
        CsrMatrix::from_rows(60, rows.iter().map(|row| (&row[..], &ones[..])))
    }

    #[test]
    fn texts_of_random_words_are_as_similar_as_after_an_exchange() {
        let random = WordsInCommon::of(&texts(0), 1).unwrap();
        assert!((random.similarity / random.exchanged - 1.0).abs() < 0.02, "{random:?}");
        let of_subjects = WordsInCommon::of(&texts(4), 1).unwrap();
        assert!(of_subjects.similarity > 1.05 * of_subjects.exchanged, "{of_subjects:?}");
        assert_eq!(WordsInCommon::of(&texts(4), 1), Some(of_subjects));
        assert_eq!(WordsInCommon::of(&texts(4).select_rows(&(0..49).collect::<Vec<_>>()), 1), None);
    }

    #[test]
    fn an_exchange_keeps_the_numbers_of_words_and_texts() {
        let counts = texts(3);
        let before = Words::new((0..300).map(|row| counts.row(row).0), 60);
        let mut after = Words::new((0..300).map(|row| counts.row(row).0), 60);
        after.exchange(4);
        let sorted = |words: &Words, by: fn(&(u32, u32)) -> u32| {
            let mut numbers: Vec<u32> = words.occurrences.iter().map(by).collect();
            numbers.sort_unstable();
            numbers
        };
        assert_ne!(before.occurrences, after.occurrences);
        for by in [|pair: &(u32, u32)| pair.0, |pair: &(u32, u32)| pair.1] {
            assert_eq!(sorted(&before, by), sorted(&after, by));
        }
        let distinct: HashSet<(u32, u32)> = after.occurrences.iter().copied().collect();
        assert_eq!(distinct.len(), after.occurrences.len());
    }
}
