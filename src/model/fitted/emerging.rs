//! The counts of topics over time, and which of them rise or fall.

use std::sync::Arc;

use polars::prelude::*;
use rayon::prelude::*;

use super::topic_parts::{MOST_CELLS, Parts};
use crate::cluster::OUTLIER;
use crate::corpus::{Classes, internal};
use crate::error::{Result, Stage};
use crate::measure::{Trend, benjamini_hochberg, trend};
use crate::progress::Progress;
use crate::topics::{TimeBins, too_many};

/// A topic with fewer rows has no trend that could be told from chance.
const LEAST_ROWS: u64 = 5;

/// The q-value below which a trend is called one.
const SIGNIFICANT: f64 = 0.05;

/// The rows of each class (the only one, if there are none), topic and bin.
#[derive(Clone)]
pub(super) struct Series {
    /// By a key of class, topic and bin.
    pub(super) parts: Arc<Parts>,
    /// The number of rows of each bin of each class.
    pub(super) totals: Vec<u64>,
    pub(super) bins: TimeBins,
    pub(super) classes: Option<Classes>,
    /// The ids of the topics, ascending, and their names.
    pub(super) topics: Vec<i32>,
    pub(super) names: Vec<Option<String>>,
    pub(super) progress: Progress,
}

impl std::fmt::Debug for Series {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Series({} bins of {} topics)", self.bins.len(), self.topics.len())
    }
}

/// A topic of a class, and the trend of its share.
struct Emerging {
    class: usize,
    topic: usize,
    count: u64,
    share: f64,
    /// The change from the first to the last bin.
    trend: Option<Trend>,
}

impl Series {
    /// The class, topic and bin of a part.
    pub(super) fn place(&self, part: usize) -> (usize, usize, usize) {
        let key = self.parts.keys.get(part).copied().unwrap_or_default();
        let (bins, topics) = (self.bins.len().max(1), self.topics.len().max(1));
        (key / bins / topics, key / bins % topics, key % bins)
    }

    /// Whether no rows of the class are between a part and the one before, which is of the same class and topic.
    pub(super) fn follows(&self, part: usize) -> bool {
        let Some(before) = part.checked_sub(1) else { return false };
        let ((class, topic, bin), (other_class, other_topic, other_bin)) = (self.place(part), self.place(before));
        (class, topic) == (other_class, other_topic)
            && (other_bin + 1..bin).all(|between| self.total(class, between) == 0)
    }

    /// The number of rows of a bin of a class.
    pub(super) fn total(&self, class: usize, bin: usize) -> u64 {
        self.totals.get(class * self.bins.len() + bin).copied().unwrap_or_default()
    }

    pub(super) fn id(&self, topic: usize) -> i32 {
        self.topics.get(topic).copied().unwrap_or(OUTLIER)
    }

    pub(super) fn name(&self, topic: usize) -> Option<&str> {
        self.names.get(topic)?.as_deref()
    }

    fn n_classes(&self) -> usize {
        self.classes.as_ref().map_or(1, Classes::len)
    }

    /// The number of rows with a time, but without a class.
    pub(super) fn without_class(&self, moments: &[Option<i64>]) -> usize {
        let Some(classes) = &self.classes else { return 0 };
        moments.iter().enumerate().filter(|(row, moment)| moment.is_some() && classes.of(*row).is_empty()).count()
    }

    /// The classes, bins and topics without rows.
    pub(super) fn absent(&self) -> Result<Vec<(usize, usize, usize)>> {
        let (bins, topics) = (self.bins.len(), self.topics.len());
        let all = self.n_classes().saturating_mul(topics).saturating_mul(bins);
        if all > MOST_CELLS {
            return Err(too_many("every topic in every bin", MOST_CELLS));
        }
        let mut present = self.parts.keys.iter().copied().peekable();
        let absent = (0..all).filter(|key| present.next_if_eq(key).is_none());
        Ok(absent.map(|key| (key / bins / topics, key % bins, key / bins % topics)).collect())
    }

    /// Which topics rise or fall.
    pub(super) fn emerging(&self) -> Result<DataFrame> {
        let found = self.trends()?;
        let p_values: Vec<f64> = found.iter().map(|one| one.trend.map_or(f64::NAN, |trend| trend.p_value)).collect();
        let q_values = benjamini_hochberg(&p_values);
        let mut rows: Vec<(Emerging, f64)> = found.into_iter().zip(q_values).collect();
        let key = |(one, q): &(Emerging, f64)| (*q, -one.trend.map_or(0.0, |trend| trend.slope.abs()));
        rows.sort_by(|a, b| {
            let ((p, change), (other_p, other_change)) = (key(a), key(b));
            // NaN is larger than all numbers.
            let by_trend = p.total_cmp(&other_p).then(change.total_cmp(&other_change));
            a.0.class.cmp(&b.0.class).then(by_trend).then(a.0.topic.cmp(&b.0.topic))
        });
        let number = |name: &str, of: fn(&Trend) -> f64| {
            let values = rows.iter().map(|(one, _)| one.trend.as_ref().map(of));
            Column::new(name.into(), values.collect::<Vec<Option<f64>>>())
        };
        let q_value = |(one, q): &(Emerging, f64)| one.trend.map(|_| *q);
        let direction = |row: &(Emerging, f64)| match (q_value(row), row.0.trend?) {
            (Some(q), trend) if q < SIGNIFICANT => Some(if trend.slope > 0.0 { "rising" } else { "falling" }),
            _ => Some("none"),
        };
        let mut columns = vec![
            Column::new("Topic".into(), rows.iter().map(|(one, _)| self.id(one.topic)).collect::<Vec<i32>>()),
            Column::new("Name".into(), rows.iter().map(|(one, _)| self.name(one.topic)).collect::<Vec<_>>()),
            Column::new("Count".into(), rows.iter().map(|(one, _)| one.count as i64).collect::<Vec<i64>>()),
            Column::new("Share".into(), rows.iter().map(|(one, _)| one.share).collect::<Vec<f64>>()),
            number("Change", |trend| possible(trend.slope)),
            number("Change_low", |trend| possible(trend.interval.0)),
            number("Change_high", |trend| possible(trend.interval.1)),
            number("P_value", |trend| trend.p_value),
            Column::new("Q_value".into(), rows.iter().map(q_value).collect::<Vec<Option<f64>>>()),
            Column::new("Trend".into(), rows.iter().map(direction).collect::<Vec<Option<&str>>>()),
        ];
        if let Some(classes) = &self.classes {
            columns.push(classes.column("Class", rows.iter().map(|(one, _)| one.class))?);
        }
        DataFrame::new(rows.len(), columns).map_err(internal)
    }

    /// The topics that occur in each class, without outliers.
    fn trends(&self) -> Result<Vec<Emerging>> {
        let of = |part: usize| {
            let (class, topic, _) = self.place(part);
            (class, topic)
        };
        let mut starts: Vec<usize> =
            (0..self.parts.keys.len()).filter(|&part| part == 0 || of(part) != of(part - 1)).collect();
        starts.push(self.parts.keys.len());
        let task = self.progress.task(Stage::Topics, "trends of topics", starts.len() - 1);
        let one = |bounds: &[usize]| match bounds {
            &[start, end] if self.id(of(start).1) != OUTLIER && !task.is_interrupted() => {
                task.advance(1);
                Some(self.trend_of(start..end))
            }
            _ => None,
        };
        let found = starts.par_windows(2).with_max_len(1).filter_map(one).collect();
        task.finish()?;
        Ok(found)
    }

    /// The trend of the topic that these parts are of.
    fn trend_of(&self, parts: std::ops::Range<usize>) -> Emerging {
        let (class, topic, _) = self.place(parts.start);
        let totals: Vec<(usize, u64)> =
            (0..self.bins.len()).map(|bin| (bin, self.total(class, bin))).filter(|&(_, total)| total > 0).collect();
        let start = |place: Option<&(usize, u64)>| place.map_or(0.0, |&(bin, _)| self.bins.start(bin));
        let (first, last) = (start(totals.first()), start(totals.last()));
        let mut own = parts.clone().map(|part| (self.place(part).2, self.parts.sizes.get(part).copied().unwrap_or(0)));
        let mut next = own.next();
        let mut count = 0;
        let mut bin = |&(bin, total): &(usize, u64)| {
            let rows = next.filter(|&(at, _)| at == bin).map_or(0, |(_, rows)| rows);
            if rows > 0 {
                next = own.next();
            }
            count += rows;
            ((self.bins.start(bin) - first) / (last - first), rows, total)
        };
        let bins: Vec<(f64, u64, u64)> = totals.iter().map(&mut bin).collect();
        let all: u64 = totals.iter().map(|(_, total)| total).sum();
        let trend = if count < LEAST_ROWS { None } else { trend(&bins) };
        Emerging { class, topic, count, share: count as f64 / all.max(1) as f64, trend }
    }
}

/// A difference of two shares; a line through few bins may be steeper.
fn possible(difference: f64) -> f64 {
    difference.clamp(-1.0, 1.0)
}
