//! The coherence of groups of rows by the words of their texts, to choose the number of topics.

use rayon::prelude::*;

use super::DocumentTerms;
use crate::cluster::Coherence;
use crate::linalg::sparse::ClassCounts;
use crate::measure::{Occurrences, TOP_WORDS};

/// Measures groups of rows by the NPMI of their best words within texts; these are weighted by their share of the
/// group's terms, by the share of the group's texts that have them, and by c-TF-IDF's inverse frequency, which compares
/// them with a group of average length. Rarer words would be more coherent, but say less about most of the rows.
pub(crate) struct TermCoherence<'a> {
    documents: &'a DocumentTerms,
    /// The frame row of each row that groups are of, ascending.
    rows: &'a [usize],
    occurrences: Occurrences,
    /// The number of occurrences of each term.
    frequencies: Vec<f64>,
}

impl<'a> TermCoherence<'a> {
    pub(crate) fn new(documents: &'a DocumentTerms, rows: &'a [usize]) -> Self {
        let counts = &documents.counts;
        let occurrences = Occurrences::new(counts, |_| true);
        TermCoherence { documents, rows, occurrences, frequencies: counts.column_sums() }
    }

    /// The squared inverse frequency of each term, for this number of groups.
    fn rarity(&self, groups: usize) -> Vec<f64> {
        let average = self.frequencies.iter().sum::<f64>() / groups.max(1) as f64;
        self.frequencies.iter().map(|frequency| (1.0 + average / frequency.max(1.0)).ln().powi(2)).collect()
    }

    /// The coherence of each of `count` groups; `None` for a group with fewer than two words. `groups` has the group of
    /// each row.
    pub(crate) fn npmi_of_groups(&self, groups: &[i32], count: usize) -> Vec<Option<f64>> {
        let group_of = |row: &usize| {
            let group = *groups.get(self.rows.binary_search(row).ok()?)?;
            usize::try_from(group).ok().filter(|&group| group < count)
        };
        let classes: Vec<Option<usize>> = self.documents.rows.iter().map(group_of).collect();
        let Ok(counts) = self.documents.counts.count_rows_by(&classes, count, None) else { return vec![None; count] };
        let rarity = self.rarity(count);
        let best_terms = |group: usize| best_terms(&counts, group, &rarity);
        let best: Vec<Vec<u32>> = (0..count).into_par_iter().with_max_len(1).map(best_terms).collect();
        self.occurrences.npmi(&best)
    }
}

impl Coherence for TermCoherence<'_> {
    fn of_groups(&mut self, groups: &[i32], count: usize) -> Vec<f64> {
        self.npmi_of_groups(groups, count).into_iter().map(Option::unwrap_or_default).collect()
    }
}

/// The columns of the best words of `group`; ties are broken by column.
fn best_terms(counts: &ClassCounts, group: usize, rarity: &[f64]) -> Vec<u32> {
    let (terms, occurrences) = counts.occurrences.row(group);
    let texts = counts.rows.row(group).1;
    let mut best: Vec<(f64, u32)> = Vec::with_capacity(TOP_WORDS + 1);
    for ((&term, &occurrences), &texts) in terms.iter().zip(occurrences).zip(texts) {
        // The square of the weight ranks alike.
        let weight = f64::from(occurrences) * f64::from(texts) * rarity[term as usize];
        if best.len() == TOP_WORDS && best.last().is_some_and(|last| weight <= last.0) {
            continue;
        }
        let place = best.partition_point(|&(other, _)| other >= weight);
        best.insert(place, (weight, term));
        best.truncate(TOP_WORDS);
    }
    best.into_iter().map(|(_, term)| term).collect()
}
