//! The measures of a topic, what speaks against it, and the order of topics by them.

use std::collections::BTreeMap;

use crate::linalg::sparse::CsrMatrix;
use crate::measure::{Chance, WordsInCommon, mean};

/// A topic that runs reproduce less well is dissolved (Hennig 2007): what matches it best is as much something else.
const DISSOLVED: f64 = 0.5;

/// From this share on, and this number, texts repeat each other: two of them have half of their terms in common. A few
/// keywords in common are no copy.
const REPETITIVE: (f64, f64) = (0.5, 5.0);

/// Texts have words in common because of what they are about if nearest ones are more similar than texts of random words
/// by this factor. Of random texts, the similarity differs by half a percent; of real ones, it was higher by 6 % (dictionary
/// glosses) to 150 % (captions).
const EXCESS: f64 = 1.02;

/// A mean is above 0 by more than noise if it is above this many standard errors.
const STANDARD_ERRORS: f64 = 2.0;

/// How far a topic can be trusted, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TopicQuality {
    pub(crate) topic: i32,
    /// How well its words belong together (NPMI), -1 to 1.
    pub(crate) coherence: Option<f64>,
    /// The same for words as frequent as these, but anywhere.
    pub(crate) chance: Option<Chance>,
    /// How well the runs of the clusterer agree on it, 0 to 1.
    pub(crate) stability: Option<f64>,
    /// How much stronger its rows belong to it than to the second best topic.
    pub(crate) margin: Option<Margin>,
    /// How much nearer its images are to each other than to the next topic, -2 to 2.
    pub(crate) separation: Option<f64>,
    /// What its texts have in common.
    pub(crate) repetition: Option<Repetition>,
    /// Its place by the mean of its ranks in what is known, 1 for the topic to trust most; topics with doubts come last.
    pub(crate) rank: Option<usize>,
}

/// The mean margin of a topic's rows, -1 to 1, and its standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Margin {
    pub(crate) mean: f64,
    pub(crate) error: f64,
}

/// The terms that two texts of a topic have in common, on average.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Repetition {
    /// Their share of the terms of a text, 0 to 1: near 1 for copies of a text, and hardly above 0 for texts of different
    /// words.
    pub(crate) share: f64,
    pub(crate) terms: f64,
}

impl Repetition {
    fn is_by_copies(self) -> bool {
        self.share >= REPETITIVE.0 && self.terms >= REPETITIVE.1
    }
}

/// What speaks against a topic, by a standard that does not depend on the other topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doubt {
    Unstable,
    Incoherent,
    Undecided,
    Mixed,
    Repetitive,
}

impl Doubt {
    /// In one or two words.
    pub(crate) fn brief(self) -> &'static str {
        match self {
            Doubt::Unstable => "unstable",
            Doubt::Incoherent => "words by chance",
            Doubt::Undecided => "undecided",
            Doubt::Mixed => "mixed images",
            Doubt::Repetitive => "repeated texts",
        }
    }

    /// As a clause about the topic.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Doubt::Unstable => "in other runs, its rows are divided differently or belong to other topics",
            Doubt::Incoherent => "its words occur together no more often than by chance",
            Doubt::Undecided => "its rows belong to another topic about as much",
            Doubt::Mixed => "its images are as close to another topic",
            Doubt::Repetitive => "its texts repeat each other: two of them have half of their words in common",
        }
    }
}

impl TopicQuality {
    /// What speaks against the topic.
    pub(crate) fn doubts(&self) -> Vec<Doubt> {
        let coherence = self.coherence.zip(self.chance);
        let found = [
            (Doubt::Unstable, self.stability.is_some_and(|stability| stability < DISSOLVED)),
            (Doubt::Incoherent, coherence.is_some_and(|(coherence, chance)| coherence <= chance.highest)),
            (Doubt::Undecided, self.margin.is_some_and(|margin| margin.mean <= STANDARD_ERRORS * margin.error)),
            (Doubt::Mixed, self.separation.is_some_and(|separation| separation <= 0.0)),
            (Doubt::Repetitive, self.repetition.is_some_and(Repetition::is_by_copies)),
        ];
        found.into_iter().filter(|(_, holds)| *holds).map(|(doubt, _)| doubt).collect()
    }

    /// The reasons to doubt the topic as one text; `None` if there are none.
    pub(crate) fn caution(&self) -> Option<String> {
        let reasons: Vec<&str> = self.doubts().into_iter().map(Doubt::reason).collect();
        (!reasons.is_empty()).then(|| reasons.join("; "))
    }

    /// Whether chance would make such a topic, too.
    fn is_by_chance(&self) -> bool {
        self.doubts().iter().any(|doubt| matches!(doubt, Doubt::Unstable | Doubt::Incoherent))
    }
}

/// What speaks against the clustering as a whole: that texts have hardly more words in common than by chance, or that most
/// rows are in topics, whose sizes are given, that chance would make, too.
pub(super) fn caution<'a>(
    topics: impl Iterator<Item = (&'a TopicQuality, usize)>,
    words: Option<WordsInCommon>,
) -> Option<&'static str> {
    let (mut rows, mut by_chance) = (0, 0);
    for (quality, size) in topics {
        rows += size;
        by_chance += if quality.is_by_chance() { size } else { 0 };
    }
    match words {
        Some(words) if rows > 0 && words.similarity < EXCESS * words.exchanged => Some(
            "texts hardly have more words in common than texts of random words would, so these topics may be no better than \
             a random division",
        ),
        _ => (2 * by_chance > rows).then_some(
            "most rows are in topics that other runs do not reproduce, or whose words occur together no more often than by \
             chance, so these topics may be no better than a random division",
        ),
    }
}

/// Sets the ranks: topics without doubts first, then by the mean of a topic's ranks in each measure that is known of
/// any, ties by topic.
pub(super) fn rank(qualities: &mut [TopicQuality]) {
    let measures: [fn(&TopicQuality) -> Option<f64>; 4] =
        [|one| one.coherence, |one| one.stability, |one| one.margin.map(|margin| margin.mean), |one| one.separation];
    let mut sums = vec![0.0; qualities.len()];
    let mut is_known = false;
    for measure in measures {
        let values: Vec<Option<f64>> = qualities.iter().map(measure).collect();
        if values.iter().all(Option::is_none) {
            continue;
        }
        is_known = true;
        sums.iter_mut().zip(ranks(&values)).for_each(|(sum, rank)| *sum += rank);
    }
    let doubtful: Vec<bool> = qualities.iter().map(|one| !one.doubts().is_empty()).collect();
    let mut order: Vec<usize> = (0..qualities.len()).collect();
    order.sort_by(|&a, &b| doubtful[a].cmp(&doubtful[b]).then(sums[b].total_cmp(&sums[a])));
    for (place, topic) in order.into_iter().enumerate().filter(|_| is_known) {
        qualities[topic].rank = Some(place + 1);
    }
}

/// How many values are lower than each, counting equal ones half; unknown ones are the lowest.
fn ranks(values: &[Option<f64>]) -> Vec<f64> {
    let values: Vec<f64> = values.iter().map(|value| value.unwrap_or(f64::NEG_INFINITY)).collect();
    let mut sorted = values.clone();
    sorted.sort_by(f64::total_cmp);
    let rank = |value: &f64| {
        let (lower, equal) = (sorted.partition_point(|x| x < value), sorted.partition_point(|x| x <= value));
        (lower + equal) as f64 / 2.0
    };
    values.iter().map(rank).collect()
}

/// The mean of what several maps have for a topic.
pub(super) fn mean_of(found: &[BTreeMap<i32, f64>], topic: &i32) -> Option<f64> {
    mean(found.iter().filter_map(|of_topics| of_topics.get(topic).copied()))
}

/// The mean and standard error of the margins of each topic's rows, given the topic and the margin of each row.
pub(super) fn margins(rows: impl Iterator<Item = (i32, f64)>) -> BTreeMap<i32, Margin> {
    let mut sums = BTreeMap::<i32, (f64, f64, usize)>::new();
    for (topic, margin) in rows {
        let (sum, squares, rows) = sums.entry(topic).or_default();
        *sum += margin;
        *squares += margin * margin;
        *rows += 1;
    }
    let margin = |(topic, (sum, squares, rows)): (i32, (f64, f64, usize))| {
        let (rows, mean) = (rows as f64, sum / rows as f64);
        let variance = (squares / rows - mean * mean).max(0.0);
        (topic, Margin { mean, error: (variance / (rows - 1.0).max(1.0)).sqrt() })
    };
    sums.into_iter().map(margin).collect()
}

/// What the texts of each topic, a row of `document_counts`, have in common; `None` for fewer than two texts.
pub(super) fn repetitions(document_counts: &CsrMatrix<u32>, documents: &[usize]) -> Vec<Option<Repetition>> {
    let of_topic = |(row, &documents): (usize, &usize)| {
        let counts = document_counts.row(row).1.iter().map(|&count| f64::from(count));
        let (in_others, all) = counts.fold((0.0, 0.0), |(in_others, all), n| (in_others + n * (n - 1.0), all + n));
        let others = documents.saturating_sub(1) as f64;
        (others > 0.0 && all > 0.0).then(|| Repetition {
            share: (in_others / (all * others)).min(1.0),
            terms: in_others / (documents as f64 * others),
        })
    };
    documents.iter().take(document_counts.rows()).enumerate().map(of_topic).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quality(topic: i32, coherence: Option<f64>, stability: Option<f64>) -> TopicQuality {
        TopicQuality {
            topic,
            coherence,
            chance: coherence.map(|_| Chance { mean: -0.1, highest: -0.05 }),
            stability,
            margin: None,
            separation: None,
            repetition: None,
            rank: None,
        }
    }

    #[test]
    fn topics_are_ranked_by_the_measures_that_are_known() {
        let mut topics = [
            quality(0, Some(0.2), Some(0.9)),
            quality(1, None, Some(0.5)),
            quality(2, Some(0.1), Some(0.5)),
            quality(3, Some(0.3), Some(0.95)),
        ];
        rank(&mut topics);
        assert_eq!(topics.map(|topic| topic.rank), [Some(2), Some(4), Some(3), Some(1)]);
        topics[3].repetition = Some(Repetition { share: 0.9, terms: 9.0 });
        rank(&mut topics);
        assert_eq!(topics.map(|topic| topic.rank), [Some(1), Some(3), Some(2), Some(4)], "copies come last");
        let mut unknown = [0, 1, 2, 3].map(|topic| quality(topic, None, None));
        rank(&mut unknown);
        assert!(unknown.iter().all(|topic| topic.rank.is_none() && topic.caution().is_none()));
    }

    #[test]
    fn doubts_do_not_depend_on_other_topics() {
        let mut one = quality(0, Some(0.1), Some(0.8));
        assert_eq!(one.doubts(), []);
        (one.stability, one.coherence) = (Some(0.02), Some(-0.05));
        assert_eq!(one.doubts(), [Doubt::Unstable, Doubt::Incoherent]);
        let caution = one.caution().unwrap();
        assert!(caution.contains("runs") && caution.contains("; its words"), "{caution}");
        (one.stability, one.coherence) = (Some(0.5), Some(-0.04));
        one.margin = Some(Margin { mean: 0.1, error: 0.05 });
        one.separation = Some(0.0);
        assert_eq!(one.doubts(), [Doubt::Undecided, Doubt::Mixed]);
        one.margin = Some(Margin { mean: 0.11, error: 0.05 });
        one.separation = Some(0.01);
        one.repetition = Some(Repetition { share: 0.5, terms: 5.0 });
        assert_eq!(one.doubts(), [Doubt::Repetitive]);
        one.repetition = Some(Repetition { share: 0.9, terms: 4.9 });
        assert_eq!(one.doubts(), [], "keywords in common");
    }

    #[test]
    fn a_clustering_is_doubted_if_most_rows_are_in_topics_by_chance() {
        let topics = [quality(0, Some(0.1), Some(0.4)), quality(1, Some(-0.2), Some(0.9)), quality(2, None, None)];
        let of = |sizes: [usize; 3]| caution(topics.iter().zip(sizes), None);
        assert!(of([10, 20, 29]).is_some() && of([10, 20, 30]).is_none() && of([0, 0, 0]).is_none());
        let words = |similarity: f64| Some(WordsInCommon { similarity, exchanged: 0.2 });
        assert_eq!(caution(std::iter::empty(), words(0.2)), None);
        assert!(
            caution(topics.iter().zip([0, 0, 9]), words(0.2)).is_some_and(|caution| caution.contains("random words"))
        );
        assert_eq!(caution(topics.iter().zip([0, 0, 9]), words(0.22)), None);
    }

    #[test]
    fn margins_have_a_standard_error() {
        let found = margins([(0, 0.1), (0, 0.3), (0, 0.2), (2, 0.5), (-1, 0.0)].into_iter());
        assert!((found[&0].mean - 0.2).abs() < 1e-12 && (found[&0].error - 0.1 / 3_f64.sqrt()).abs() < 1e-12);
        assert_eq!(found[&2], Margin { mean: 0.5, error: 0.0 });
    }

    #[test]
    fn copies_repeat_each_other() {
        // Two copies of three terms; two texts with one of three terms in common; one text.
        let counts: [&[u32]; 3] = [&[2, 2, 2], &[2, 1, 1, 1, 1], &[1, 1]];
        let columns: [&[u32]; 3] = [&[0, 1, 2], &[0, 1, 2, 3, 4], &[0, 4]];
        let counts = CsrMatrix::from_rows(5, columns.into_iter().zip(counts));
        let found = repetitions(&counts, &[2, 2, 1]);
        assert_eq!(found[0], Some(Repetition { share: 1.0, terms: 3.0 }));
        assert!((found[1].unwrap().share - 1.0 / 3.0).abs() < 1e-12 && (found[1].unwrap().terms - 1.0).abs() < 1e-12);
        assert_eq!(found[2], None);
    }
}
