//! The number of communities if nothing else is asked for: where rows belong firmly to communities that are coherent.
//!
//! The score of a level of the tree is the sum, over rows, of the strength with which a row belongs to its community
//! times the coherence of the community (0 if that is negative). Strengths fall and coherence rises as communities
//! become smaller, so the score has a maximum in between. Levels near the maximum score almost alike, and which is
//! highest is up to chance; the mean of all levels' numbers of communities, in which the highest scores count most, is
//! steadier.

/// The power of a score in its weight: a level that scores 4 % lower than the best counts half as much.
const POWER: i32 = 16;

/// A level of the tree.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scored {
    /// The number of communities with enough rows.
    pub(crate) communities: usize,
    pub(crate) score: f64,
}

/// The number of communities at which the score of `levels`, ascending by their communities, is highest: the geometric
/// mean of their numbers, weighted by scores. `None` if no score is above 0.
pub(crate) fn most_coherent(levels: &[Scored]) -> Option<f64> {
    let mut levels: Vec<Scored> = levels.iter().copied().filter(|level| level.communities > 0).collect();
    levels.dedup_by_key(|level| level.communities);
    let highest = levels.iter().map(|level| level.score).fold(0.0, f64::max);
    if highest <= 0.0 {
        return None;
    }
    let place = |level: &Scored| (level.communities as f64).ln();
    let (mut sum, mut weights) = (0.0, 0.0);
    for (at, level) in levels.iter().enumerate() {
        // Each level stands for the numbers up to halfway to the next ones.
        let before = levels.get(at.wrapping_sub(1)).unwrap_or(level);
        let after = levels.get(at + 1).unwrap_or(level);
        let width = if levels.len() == 1 { 1.0 } else { (place(after) - place(before)).abs() };
        let weight = width * (level.score / highest).max(0.0).powi(POWER);
        sum += weight * place(level);
        weights += weight;
    }
    Some((sum / weights).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(levels: &[(usize, f64)]) -> Option<f64> {
        let levels: Vec<Scored> = levels.iter().map(|&(communities, score)| Scored { communities, score }).collect();
        most_coherent(&levels)
    }

    #[test]
    fn the_number_moves_smoothly_from_one_level_to_the_next() {
        let between = |share: f64| {
            let scores = [(4, 0.2), (8, 1.0 - share), (16, 1.0), (32, 1.0 + share), (64, 0.2)];
            chosen(&scores).unwrap()
        };
        assert!((between(0.0) - 16.0).abs() < 1e-6);
        let steps: Vec<f64> = (0..=20).map(|step| between(f64::from(step) * 0.02)).collect();
        let is_small_step = |pair: &[f64]| pair[0] < pair[1] && pair[1] < 1.25 * pair[0];
        assert!(steps.windows(2).all(is_small_step), "{steps:?}");
        assert!(steps[20] < 32.0 && steps[20] > 28.0, "{steps:?}");
    }

    #[test]
    fn a_single_level_and_none() {
        assert!((chosen(&[(7, 0.3)]).unwrap() - 7.0).abs() < 1e-9);
        assert!((chosen(&[(7, 0.3), (7, 0.1)]).unwrap() - 7.0).abs() < 1e-9);
        assert_eq!(chosen(&[(0, 1.0)]), None);
        assert_eq!(chosen(&[(3, 0.0), (5, 0.0)]), None);
        assert_eq!(chosen(&[]), None);
    }
}
