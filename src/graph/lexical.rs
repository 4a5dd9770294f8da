//! Neighbors by words: mutual nearest neighbors by the cosine of TF-IDF.

use rayon::prelude::*;

use super::FuzzyGraph;
use crate::error::{Result, Stage};
use crate::linalg::sparse::CsrMatrix;
use crate::progress::{Progress, Task};

/// Terms in a larger share of the texts do not make texts neighbors.
const MAX_SHARE: f64 = 0.05;

/// The number of entries of the inverted index that are read for a text, rarest terms first.
const POSTINGS_PER_TEXT: usize = 2_000;

/// Texts whose neighbors are searched by one thread at a time.
const TEXTS_AT_A_TIME: usize = 64;

/// The graph of mutual nearest neighbors among texts: an edge where each of two texts is among the `k` most similar to
/// the other, with the cosine of their TF-IDF as its weight.
pub(super) fn lexical_neighbors(
    counts: &CsrMatrix<u32>,
    k: usize,
    stage: Stage,
    progress: &Progress,
) -> Result<FuzzyGraph> {
    let task = progress.task(stage, "words in common", counts.rows());
    let index = InvertedIndex::new(counts);
    let nearest = index.nearest(k, &task);
    task.finish()?;
    let is_mutual = |row: u32, other: u32| nearest[other as usize].binary_search(&row).is_ok();
    let edges: Vec<Vec<(u32, f32)>> = (0..counts.rows() as u32)
        .into_par_iter()
        .map(|row| {
            let mutual = nearest[row as usize].iter().filter(|&&other| is_mutual(row, other));
            // From the lower row's side: a sum in another order could differ in its last bit.
            mutual.map(|&other| (other, index.similarity(row.min(other), row.max(other)))).collect()
        })
        .collect();
    Ok(FuzzyGraph::from_rows(edges))
}

/// The texts of each term.
struct InvertedIndex {
    /// The terms of each text with their normalized TF-IDF, ascending; the frequent ones are left out.
    texts: Vec<Vec<(u32, f32)>>,
    /// The texts of each term, ascending.
    postings: Vec<Vec<(u32, f32)>>,
}

impl InvertedIndex {
    fn new(counts: &CsrMatrix<u32>) -> Self {
        let mut frequencies = vec![0_u32; counts.cols()];
        for &term in counts.indices() {
            frequencies[term as usize] += 1;
        }
        let rows = counts.rows() as f64;
        let idf = |term: u32| ((1.0 + rows) / (1.0 + f64::from(frequencies[term as usize]))).ln() + 1.0;
        let usable = 2..=(MAX_SHARE * rows).max(2.0) as u32;
        let weighted = |row: usize| {
            let (terms, counts) = counts.row(row);
            let weigh = |(&term, &count): (&u32, &u32)| (term, (1.0 + f64::from(count).ln()) * idf(term));
            let weights: Vec<(u32, f64)> = terms.iter().zip(counts).map(weigh).collect();
            let norm = weights.iter().map(|(_, weight)| weight * weight).sum::<f64>().sqrt();
            let usable = weights.iter().filter(|(term, _)| usable.contains(&frequencies[*term as usize]));
            usable.map(|&(term, weight)| (term, (weight / norm) as f32)).collect()
        };
        let texts: Vec<Vec<(u32, f32)>> = (0..counts.rows()).into_par_iter().map(weighted).collect();
        let mut postings: Vec<Vec<(u32, f32)>> = vec![Vec::new(); counts.cols()];
        for (row, terms) in texts.iter().enumerate() {
            for &(term, weight) in terms {
                postings[term as usize].push((row as u32, weight));
            }
        }
        InvertedIndex { texts, postings }
    }

    /// The `k` texts that are most similar to each text, ascending, without the text itself; ties are broken by row.
    fn nearest(&self, k: usize, task: &Task) -> Vec<Vec<u32>> {
        let blocks = self.texts.par_chunks(TEXTS_AT_A_TIME).enumerate();
        let found = blocks.map_init(
            || vec![0.0_f32; self.texts.len()],
            |sums, (block, texts)| {
                if task.is_interrupted() {
                    return Vec::<Vec<u32>>::new();
                }
                let first = block * TEXTS_AT_A_TIME;
                let nearest = (first..first + texts.len()).map(|row| self.nearest_of(row as u32, k, sums)).collect();
                task.advance(texts.len());
                nearest
            },
        );
        let mut all: Vec<Vec<u32>> = found.flatten_iter().collect();
        // After an interruption, which the task reports.
        all.resize(self.texts.len(), Vec::new());
        all
    }

    /// The `k` texts most similar to `row`. `sums` has a 0 for each text, before and after.
    fn nearest_of(&self, row: u32, k: usize, sums: &mut [f32]) -> Vec<u32> {
        let mut terms: Vec<(u32, f32)> = self.texts[row as usize].clone();
        terms.sort_by_key(|&(term, _)| (self.postings[term as usize].len(), term));
        let mut used = Vec::new();
        let mut read = 0;
        for (term, weight) in terms {
            let postings = &self.postings[term as usize];
            read += postings.len();
            if read > POSTINGS_PER_TEXT && !used.is_empty() {
                break;
            }
            for &(other, other_weight) in postings {
                let sum = &mut sums[other as usize];
                if *sum == 0.0 {
                    used.push(other);
                }
                *sum += weight * other_weight;
            }
        }
        let others = used.iter().filter(|&&other| other != row);
        let mut best: Vec<(f32, u32)> = others.map(|&other| (sums[other as usize], other)).collect();
        for other in used {
            sums[other as usize] = 0.0;
        }
        let order = |a: &(f32, u32), b: &(f32, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
        if best.len() > k {
            best.select_nth_unstable_by(k, order);
            best.truncate(k);
        }
        // Collecting `best` itself would keep the memory of all candidates.
        let mut rows: Vec<u32> = best.iter().map(|&(_, other)| other).collect();
        rows.sort_unstable();
        rows
    }

    /// The cosine similarity of two texts by their terms that are not frequent.
    fn similarity(&self, a: u32, b: u32) -> f32 {
        let (a, b) = (&self.texts[a as usize], &self.texts[b as usize]);
        let (mut i, mut j, mut sum) = (0, 0, 0.0);
        while let (Some(&(x, of_a)), Some(&(y, of_b))) = (a.get(i), b.get(j)) {
            if x == y {
                sum += of_a * of_b;
            }
            i += usize::from(x <= y);
            j += usize::from(y <= x);
        }
        sum
    }
}
