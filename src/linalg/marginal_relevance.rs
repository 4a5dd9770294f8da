//! Maximal marginal relevance (Carbonell and Goldstein 1998): choosing what is relevant and unlike what was chosen.

/// What is chosen from: numbered candidates.
#[derive(Debug)]
pub(crate) struct MarginalRelevance<'a> {
    /// How relevant each candidate is.
    pub(crate) relevance: &'a [f64],
    /// Each candidate's greatest similarity to what was chosen before; `None` where nothing was.
    pub(crate) nearest: Vec<Option<f64>>,
    /// How much similarity counts against relevance, 0 to 1.
    pub(crate) diversity: f64,
    /// Candidates at least as similar as this to one chosen are not chosen.
    pub(crate) same: f64,
}

impl MarginalRelevance<'_> {
    /// Up to `n` candidates, in the order in which they are chosen: each has the highest `(1 - diversity) * relevance -
    /// diversity * greatest similarity to one chosen`, where nothing was chosen the highest relevance. The first wins
    /// ties.
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

    /// Similarity of numbers on a line.
    fn choose(points: &[f64], diversity: f64, same: f64, n: usize) -> Vec<usize> {
        let candidates = MarginalRelevance { relevance: points, nearest: vec![None; points.len()], diversity, same };
        candidates.choose(n, |a, b| 1.0 - (points[a] - points[b]).abs())
    }

    #[test]
    fn relevance_and_diversity_are_weighed() {
        let points = [0.9, 0.85, 0.2, 0.9];
        assert_eq!(choose(&points, 0.0, f64::INFINITY, 3), [0, 3, 1]);
        assert_eq!(choose(&points, 1.0, f64::INFINITY, 3), [0, 2, 1]);
        assert_eq!(choose(&points, 0.0, 1.0, 4), [0, 1, 2], "the copy is left out");
        assert_eq!(choose(&[], 0.5, 1.0, 4), [0_usize; 0]);
    }
}
