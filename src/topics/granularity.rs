//! The coherence of groups of rows by the words of their texts, to choose the number of topics.

use super::DocumentTerms;
use crate::cluster::Coherence;
use crate::measure::TOP_WORDS;

/// Measures groups of rows by the NPMI of their best words within texts; these are weighted by their share of the
/// group's terms, by the share of the group's texts that have them, and by c-TF-IDF's inverse frequency, which compares
/// them with a group of average length. Rarer words would be more coherent, but say less about most of the rows.
pub(crate) struct TermCoherence<'a> {
    documents: &'a DocumentTerms,
    /// The frame row of each row that groups are of, ascending.
    rows: &'a [usize],
    /// The number of occurrences of each term.
    frequencies: Vec<f64>,
}

impl<'a> TermCoherence<'a> {
    pub(crate) fn new(documents: &'a DocumentTerms, rows: &'a [usize]) -> Self {
        TermCoherence { documents, rows, frequencies: documents.counts.column_sums() }
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
        let rarity = self.rarity(count);
        // The square of the weight ranks alike.
        let weigh =
            |term: u32, occurrences: u32, texts: u32| f64::from(occurrences) * f64::from(texts) * rarity[term as usize];
        let best = self.documents.counts.best_columns_by(&classes, count, TOP_WORDS, weigh);
        let Ok(best) = best else { return vec![None; count] };
        self.documents.occurrences().npmi(&best)
    }
}

impl Coherence for TermCoherence<'_> {
    fn of_groups(&mut self, groups: &[i32], count: usize) -> Vec<f64> {
        self.npmi_of_groups(groups, count).into_iter().map(Option::unwrap_or_default).collect()
    }
}
