//! Maximal marginal relevance (Carbonell and Goldstein 1998): selecting candidates that are relevant, but unlike those
//! already selected.

/// The candidates to select from, identified by index.
#[derive(Debug)]
pub(crate) struct MarginalRelevance<'a> {
    /// The relevance of each candidate.
    pub(crate) relevance: &'a [f64],
    /// Each candidate's maximum similarity to previously selected ones; `None` if there are none.
    pub(crate) nearest: Vec<Option<f64>>,
    /// The weight of similarity versus relevance, 0 to 1.
    pub(crate) diversity: f64,
    /// Candidates with at least this similarity to a selected one are excluded.
    pub(crate) same: f64,
}

impl MarginalRelevance<'_> {
    /// Selects up to `n` candidates, in order: each maximizes `(1 - diversity) * relevance - diversity * maximum
    /// similarity to a selected one`, or the relevance if none is selected yet. Ties are resolved in favor of the first
    /// candidate.
    pub(crate) fn choose(mut self, n: usize, similarity: impl Fn(usize, usize) -> f64) -> Vec<usize> {
        let mut is_left = vec![true; self.relevance.len()];
        let mut chosen = Vec::new();
        while chosen.len() < n {
            let Some(best) = self.best(&is_left) else { break };
            is_left[best] = false;
            chosen.push(best);
            for (other, near) in self.nearest.iter_mut().enumerate().filter(|(other, _)| is_left[*other]) {
                let similarity = similarity(best, other);
                *near = Some(near.map_or(similarity, |near| near.max(similarity)));
            }
        }
        chosen
    }

    fn best(&self, is_left: &[bool]) -> Option<usize> {
        let mut best: Option<(usize, f64)> = None;
        for (candidate, (&relevance, &near)) in self.relevance.iter().zip(&self.nearest).enumerate() {
            if !is_left[candidate] || near.is_some_and(|near| near >= self.same) {
                continue;
            }
            let worth = match near {
                None => relevance,
                Some(near) => (1.0 - self.diversity) * relevance - self.diversity * near,
            };
            if best.is_none_or(|(_, highest)| worth > highest) {
                best = Some((candidate, worth));
            }
        }
        best.map(|(candidate, _)| candidate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Selects among points on a line, by their distance.
    fn choose(points: &[f64], diversity: f64, same: f64, n: usize) -> Vec<usize> {
        let candidates = MarginalRelevance { relevance: points, nearest: vec![None; points.len()], diversity, same };
        candidates.choose(n, |a, b| 1.0 - (points[a] - points[b]).abs())
    }

    #[test]
    fn relevance_and_diversity_are_weighed() {
        let points = [0.9, 0.85, 0.2, 0.9];
        assert_eq!(choose(&points, 0.0, f64::INFINITY, 3), [0, 3, 1]);
        assert_eq!(choose(&points, 1.0, f64::INFINITY, 3), [0, 2, 1]);
        assert_eq!(choose(&points, 0.0, 1.0, 4), [0, 1, 2], "the duplicate is excluded");
        assert_eq!(choose(&[], 0.5, 1.0, 4), [0_usize; 0]);
    }
}
