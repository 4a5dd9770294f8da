//! Neighbors by words: mutual nearest neighbors by the cosine of TF-IDF.

use rayon::prelude::*;

use super::FuzzyGraph;
use crate::error::{Result, Stage};
use crate::linalg::sparse::{CsrMatrix, transpose};
use crate::linalg::sparse_sums::SparseSums;
use crate::progress::{Progress, Task};

/// Terms in a larger share of the texts do not make texts neighbors.
const MAX_SHARE: f64 = 0.05;

/// The number of entries of the inverted index that are read for a text, rarest terms first.
const POSTINGS_PER_TEXT: usize = 2_000;

/// Texts whose neighbors are searched by one thread at a time.
const TEXTS_AT_A_TIME: usize = 64;

/// How many times as many candidates as neighbors are kept before the worst are dropped.
const CANDIDATES: usize = 4;

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
    let later: Vec<Vec<(u32, f32)>> = (0..counts.rows() as u32)
        .into_par_iter()
        .map(|row| {
            let mutual = nearest[row as usize].iter().filter(|&&other| other > row && is_mutual(row, other));
            mutual.map(|&other| (other, index.similarity(row, other))).collect()
        })
        .collect();
    Ok(FuzzyGraph::from_rows(both_directions(later)))
}

/// All edges of each row, ascending, from the edges of each row to later ones.
fn both_directions(later: Vec<Vec<(u32, f32)>>) -> Vec<Vec<(u32, f32)>> {
    let mut edges = vec![Vec::new(); later.len()];
    for (row, later) in later.into_iter().enumerate() {
        for &(other, weight) in &later {
            edges[other as usize].push((row as u32, weight));
        }
        // Those to earlier rows are there.
        edges[row].extend(later);
    }
    edges
}

/// Rows of numbered weights, one after the other.
struct Rows {
    /// The start of each row, with one more entry than there are rows.
    starts: Vec<usize>,
    numbers: Vec<u32>,
    weights: Vec<f32>,
}

impl Rows {
    fn of(&self, row: u32) -> impl ExactSizeIterator<Item = (u32, f32)> {
        let range = self.range(row);
        self.numbers[range.clone()].iter().copied().zip(self.weights[range].iter().copied())
    }

    fn range(&self, row: u32) -> std::ops::Range<usize> {
        self.starts[row as usize]..self.starts[row as usize + 1]
    }
}

/// The texts of each term.
struct InvertedIndex {
    /// The terms of each text with their normalized TF-IDF, ascending; the frequent ones are left out.
    texts: Rows,
    /// The texts of each term, ascending.
    postings: Rows,
}

impl InvertedIndex {
    fn new(counts: &CsrMatrix<u32>) -> Self {
        let mut frequencies = vec![0_u32; counts.cols()];
        for &term in counts.indices() {
            frequencies[term as usize] += 1;
        }
        let rows = counts.rows() as f64;
        let idf: Vec<f64> =
            frequencies.iter().map(|&texts| ((1.0 + rows) / (1.0 + f64::from(texts))).ln() + 1.0).collect();
        let usable = 2..=(MAX_SHARE * rows).max(2.0) as u32;
        let is_usable = |term: u32| usable.contains(&frequencies[term as usize]);
        let mut texts = Rows { starts: vec![0], numbers: Vec::new(), weights: Vec::new() };
        let mut weights: Vec<f64> = Vec::new();
        for row in 0..counts.rows() {
            let (terms, counts) = counts.row(row);
            weights.clear();
            weights.extend(terms.iter().zip(counts).map(|(&term, &count)| damped(count) * idf[term as usize]));
            let norm = weights.iter().map(|weight| weight * weight).sum::<f64>().sqrt();
            for (&term, &weight) in terms.iter().zip(&weights).filter(|(term, _)| is_usable(**term)) {
                texts.numbers.push(term);
                texts.weights.push((weight / norm) as f32);
            }
            texts.starts.push(texts.numbers.len());
        }
        let columns = transpose(counts.rows(), counts.cols(), |row| texts.of(row as u32));
        let postings = Rows { starts: columns.starts, numbers: columns.rows, weights: columns.values };
        InvertedIndex { texts, postings }
    }

    fn len(&self) -> usize {
        self.texts.starts.len() - 1
    }

    /// The `k` texts that are most similar to each text, ascending, without the text itself; ties are broken by row.
    fn nearest(&self, k: usize, task: &Task) -> Vec<Vec<u32>> {
        let blocks = (0..self.len().div_ceil(TEXTS_AT_A_TIME)).into_par_iter();
        let found = blocks.map_init(
            || SparseSums::new(self.len()),
            |sums, block| {
                if task.is_interrupted() {
                    return Vec::<Vec<u32>>::new();
                }
                let range = block * TEXTS_AT_A_TIME..self.len().min((block + 1) * TEXTS_AT_A_TIME);
                task.advance(range.len());
                range.map(|row| self.nearest_of(row as u32, k, sums)).collect()
            },
        );
        let mut all: Vec<Vec<u32>> = found.flatten_iter().collect();
        // After an interruption, which the task reports.
        all.resize(self.len(), Vec::new());
        all
    }

    /// The `k` texts most similar to `row`. All `sums` are 0 before and after.
    fn nearest_of(&self, row: u32, k: usize, sums: &mut SparseSums<f32>) -> Vec<u32> {
        let mut terms: Vec<(u32, f32)> = self.texts.of(row).collect();
        terms.sort_by_key(|&(term, _)| (self.postings.range(term).len(), term));
        let mut read = 0;
        for (term, weight) in terms {
            let postings = self.postings.of(term);
            read += postings.len();
            if read > POSTINGS_PER_TEXT && !sums.used().is_empty() {
                break;
            }
            postings.for_each(|(other, other_weight)| sums.add(other, weight * other_weight));
        }
        let mut best: Vec<(f32, u32)> = Vec::with_capacity(CANDIDATES * k);
        let mut lowest = 0.0;
        for (other, sum) in sums.drain() {
            if sum < lowest || other == row {
                continue;
            }
            best.push((sum, other));
            if best.len() == CANDIDATES * k {
                keep_best(&mut best, k);
                lowest = best.iter().map(|&(sum, _)| sum).fold(f32::INFINITY, f32::min);
            }
        }
        keep_best(&mut best, k);
        let mut rows: Vec<u32> = Vec::with_capacity(best.len());
        rows.extend(best.iter().map(|&(_, other)| other));
        rows.sort_unstable();
        rows
    }

    /// The cosine similarity of two texts by their terms that are not frequent.
    fn similarity(&self, a: u32, b: u32) -> f32 {
        let (mut a, mut b) = (self.texts.of(a).peekable(), self.texts.of(b).peekable());
        let mut sum = 0.0;
        while let (Some(&(x, of_a)), Some(&(y, of_b))) = (a.peek(), b.peek()) {
            if x == y {
                sum += of_a * of_b;
            }
            if x <= y {
                a.next();
            }
            if y <= x {
                b.next();
            }
        }
        sum
    }
}

/// The weight of a term that occurs `count` times in a text.
fn damped(count: u32) -> f64 {
    1.0 + f64::from(count).ln()
}

/// Leaves the `k` most similar texts, in any order; ties are broken by row.
fn keep_best(best: &mut Vec<(f32, u32)>, k: usize) {
    if best.len() > k {
        best.select_nth_unstable_by(k, |a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        best.truncate(k);
    }
}
