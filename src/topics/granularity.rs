//! The coherence of groups of rows by the words of their texts, to choose the number of topics.

use rayon::prelude::*;

use super::DocumentTerms;
use crate::cluster::Coherence;
use crate::linalg::sparse::ClassCounts;
use crate::measure::{Occurrences, TOP_WORDS};

/// Measures groups of rows by the NPMI of their best words within texts; these are weighted by their share of the
/// group's terms, by the share of the group's texts that have them, and by c-TF-IDF's inverse frequency, which compares
/// them with a group of average length. Rarer words would be more coherent, but say less about most of the rows.
///
/// Groups are merged by adding their counts, so that every cut of a tree can be measured. The average length grows as
/// groups are merged; the best words of all groups are chosen anew when it has grown by √2.
pub(crate) struct TermCoherence<'a> {
    documents: &'a DocumentTerms,
    /// The frame row of each row that groups are of, ascending.
    rows: &'a [usize],
    occurrences: Occurrences,
    /// The number of occurrences of each term.
    frequencies: Vec<f64>,
    /// The squared inverse frequency of each term.
    rarity: Vec<f64>,
    /// The step of the average length that `rarity` is for.
    step: i32,
    groups: Vec<Group>,
    marks: Vec<u64>,
}

/// The terms of a group, ascending: each with its number of occurrences and of texts.
type Group = Vec<(u32, u32, u32)>;

impl<'a> TermCoherence<'a> {
    pub(crate) fn new(documents: &'a DocumentTerms, rows: &'a [usize]) -> Self {
        let counts = &documents.counts;
        let occurrences = Occurrences::new(counts, |_| true);
        let marks = vec![0; counts.rows()];
        let (frequencies, rarity) = (counts.column_sums(), Vec::new());
        TermCoherence { documents, rows, occurrences, frequencies, rarity, step: -1, groups: Vec::new(), marks }
    }

    /// Sets the rarity of terms for this number of groups. Returns whether it changed.
    fn compare_among(&mut self, groups: usize) -> bool {
        let step = (2.0 * (groups.max(1) as f64).log2()).round() as i32;
        if step == self.step {
            return false;
        }
        self.step = step;
        let average = self.frequencies.iter().sum::<f64>() / 2_f64.powf(f64::from(step) / 2.0);
        let rarity = |frequency: &f64| (1.0 + average / frequency.max(1.0)).ln().powi(2);
        self.rarity = self.frequencies.iter().map(rarity).collect();
        true
    }

    fn npmi_of_all(&self) -> Vec<Option<f64>> {
        let best: Vec<Vec<u32>> = self.groups.par_iter().map(|group| self.best_terms(group)).collect();
        self.occurrences.npmi(&best)
    }

    /// The columns of the best words of `group`; ties are broken by column.
    fn best_terms(&self, group: &[(u32, u32, u32)]) -> Vec<u32> {
        let mut best: Vec<(f64, u32)> = Vec::with_capacity(TOP_WORDS + 1);
        for &(term, occurrences, texts) in group {
            // The square of the weight ranks alike.
            let weight = f64::from(occurrences) * f64::from(texts) * self.rarity[term as usize];
            if best.len() == TOP_WORDS && best.last().is_some_and(|last| weight <= last.0) {
                continue;
            }
            let place = best.partition_point(|&(other, _)| other >= weight);
            best.insert(place, (weight, term));
            best.truncate(TOP_WORDS);
        }
        best.into_iter().map(|(_, term)| term).collect()
    }
}

impl TermCoherence<'_> {
    /// The coherence of each of `count` groups; `None` for a group with fewer than two words. `groups` has the group of
    /// each row.
    pub(crate) fn npmi_of_groups(&mut self, groups: &[i32], count: usize) -> Vec<Option<f64>> {
        let group_of = |row: &usize| {
            let group = *groups.get(self.rows.binary_search(row).ok()?)?;
            usize::try_from(group).ok().filter(|&group| group < count)
        };
        let classes: Vec<Option<usize>> = self.documents.rows.iter().map(group_of).collect();
        self.groups = match self.documents.counts.count_rows_by(&classes, count, None) {
            Ok(counts) => (0..count).into_par_iter().with_max_len(1).map(|group| group_in(&counts, group)).collect(),
            Err(_) => vec![Vec::new(); count],
        };
        self.compare_among(count);
        self.npmi_of_all()
    }
}

/// The counts of a group.
fn group_in(counts: &ClassCounts, group: usize) -> Group {
    let (terms, occurrences) = counts.occurrences.row(group);
    let texts = counts.rows.row(group).1;
    terms.iter().zip(occurrences).zip(texts).map(|((&term, &count), &texts)| (term, count, texts)).collect()
}

impl Coherence for TermCoherence<'_> {
    fn of_groups(&mut self, groups: &[i32], count: usize) -> Vec<f64> {
        self.npmi_of_groups(groups, count).into_iter().map(Option::unwrap_or_default).collect()
    }

    fn joined(&mut self, kept: usize, gone: usize, left: usize, coherence: &mut [f64]) {
        let gone = self.groups.get_mut(gone).map(std::mem::take).unwrap_or_default();
        let Some(group) = self.groups.get_mut(kept) else { return };
        *group = merged(group, &gone);
        if self.compare_among(left) {
            let all = self.npmi_of_all().into_iter().map(Option::unwrap_or_default);
            coherence.iter_mut().zip(all).for_each(|(to, npmi)| *to = npmi);
        } else if let (Some(group), Some(to)) = (self.groups.get(kept), coherence.get_mut(kept)) {
            let best = self.best_terms(group);
            *to = self.occurrences.npmi_of(&best, &mut self.marks).unwrap_or_default();
        }
    }
}

/// The terms of two groups together.
fn merged(a: &[(u32, u32, u32)], b: &[(u32, u32, u32)]) -> Group {
    let mut all = Vec::with_capacity(a.len() + b.len());
    let (mut a, mut b) = (a.iter().copied().peekable(), b.iter().copied().peekable());
    while let (Some(x), Some(y)) = (a.peek(), b.peek()) {
        match x.0.cmp(&y.0) {
            std::cmp::Ordering::Less => all.extend(a.next()),
            std::cmp::Ordering::Greater => all.extend(b.next()),
            std::cmp::Ordering::Equal => {
                all.push((x.0, x.1 + y.1, x.2 + y.2));
                a.next();
                b.next();
            }
        }
    }
    all.extend(a);
    all.extend(b);
    all
}
