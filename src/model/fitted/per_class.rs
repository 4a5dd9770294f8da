//! Topics by class.

use polars::prelude::*;
use rayon::prelude::*;

use super::FittedTopicModel;
use super::topic_parts::{MOST_CELLS, Parts};
use crate::corpus::{Classes, internal};
use crate::encode::counted;
use crate::error::{Error, ErrorKind, Hint, Result, Stage};
use crate::measure::{Association, AssociationTest, association, benjamini_hochberg, wilson_interval};
use crate::topics::Tuning;

/// Pairs of a class and a topic that are tested at a time, between which the work can be interrupted.
const CELLS_AT_A_TIME: usize = 1 << 16;

/// The settings of [`topics_per_class_with`](FittedTopicModel::topics_per_class_with).
///
/// | setting | default |
/// |---|---|
/// | [`global_tuning`](Self::global_tuning) | yes |
/// | [`absent`](Self::absent) | no |
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct PerClassOptions {
    global_tuning: bool,
    absent: bool,
    /// Only this number of classes, the largest.
    largest: Option<usize>,
}

impl Default for PerClassOptions {
    fn default() -> Self {
        PerClassOptions::new()
    }
}

impl PerClassOptions {
    /// The defaults, which are BERTopic's.
    pub fn new() -> Self {
        PerClassOptions { global_tuning: true, absent: false, largest: None }
    }

    /// Whether the words of a topic in a class are the mean of its words there and of those of the whole topic. Default:
    /// true.
    pub fn global_tuning(mut self, global_tuning: bool) -> Self {
        self.global_tuning = global_tuning;
        self
    }

    /// Whether a topic without rows in a class has a row in the frame, with frequency 0 and no words. Default: false.
    pub fn absent(mut self, absent: bool) -> Self {
        self.absent = absent;
        self
    }

    /// Checks that `column` of `frame` has classes: before a fit, for example.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let posts = df!("text" => ["a cat", "a train"], "score" => [0.5, 0.7])?;
    /// assert!(PerClassOptions::new().check(&posts, "text").is_ok());
    /// assert_eq!(PerClassOptions::new().check(&posts, "score").unwrap_err().kind(), ErrorKind::WrongType);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// There is no such column, or it has another type.
    pub fn check(&self, frame: &DataFrame, column: &str) -> Result<()> {
        Classes::read(frame, column).map(drop)
    }

    /// Only this number of classes, those with the most rows. Tests are corrected for all.
    pub(crate) fn largest(mut self, classes: usize) -> Self {
        self.largest = Some(classes);
        self
    }
}

/// The topics by class, and what is not in the frame.
#[derive(Debug, Clone)]
pub(crate) struct PerClass {
    pub(crate) frame: DataFrame,
    /// The number of all classes.
    pub(crate) classes: usize,
    /// The number of rows without a class.
    pub(crate) without: usize,
}

/// The rows of classes and topics.
struct Table {
    /// By class and topic.
    counts: Vec<u64>,
    of_classes: Vec<u64>,
    of_topics: Vec<u64>,
    /// The number of rows with a class. A row of several classes is one.
    rows: u64,
}

impl Table {
    fn new(classes: &Classes, places: &[usize], topics: usize) -> Self {
        let mut table = Table {
            counts: vec![0; classes.len() * topics],
            of_classes: vec![0; classes.len()],
            of_topics: vec![0; topics],
            rows: 0,
        };
        for (row, &topic) in places.iter().enumerate() {
            let of_row = classes.of(row);
            for &class in of_row {
                table.counts[class as usize * topics + topic] += 1;
                table.of_classes[class as usize] += 1;
            }
            if !of_row.is_empty() {
                table.of_topics[topic] += 1;
                table.rows += 1;
            }
        }
        table
    }

    /// How strongly a class and a topic go together.
    fn association(&self, class: usize, topic: usize) -> Option<Association> {
        let (both, of_class, of_topic) =
            (self.counts[class * self.of_topics.len() + topic], self.of_classes[class], self.of_topics[topic]);
        association(both, of_topic - both, of_class - both, self.rows + both - of_class - of_topic)
    }

    /// Which classes are among the `most` with the most rows; of equal ones, the first.
    fn is_large(&self, most: usize) -> Vec<bool> {
        let mut by_rows: Vec<usize> = (0..self.of_classes.len()).collect();
        by_rows.sort_by_key(|&class| (std::cmp::Reverse(self.of_classes[class]), class));
        let mut is_large = vec![false; by_rows.len()];
        by_rows.into_iter().take(most).for_each(|class| is_large[class] = true);
        is_large
    }
}

impl FittedTopicModel {
    /// The topics by class: which class has which topics, with which words, and how much more or less than the others.
    /// `column` is a column of the fitted frame: texts, categories, integers, booleans, or lists of these, in which a row
    /// counts for each of its classes. One row per class and topic with rows in it, ascending by both:
    ///
    /// | column | meaning |
    /// |---|---|
    /// | `Topic` (Int32) | the topic, -1 for outliers |
    /// | `Words` (String) | its top five words in the class, joined by commas |
    /// | `Frequency` (Int64) | the number of its rows in the class |
    /// | `Class` | the class: String, Int64 or Boolean |
    /// | `Name` (String) | what the topic is [called](Self::topic_label): its label, or its name |
    /// | `Share` (Float64) | the share of the class's rows that are in the topic, 0 to 1 |
    /// | `Share_low`, `Share_high` (Float64) | its 95 % confidence interval ([Wilson's](crate::measure::wilson_interval)) |
    /// | `Lift` (Float64) | the share divided by that among all rows with a class: 2 if the topic is twice as frequent in the class |
    /// | `Log_odds_ratio` (Float64) | the effect size: the logarithm of the odds of the topic in the class, divided by those in the rest |
    /// | `Log_odds_low`, `Log_odds_high` (Float64) | its 95 % confidence interval |
    /// | `P_value` (Float64) | the probability of such counts if class and topic were independent |
    /// | `Q_value` (Float64) | the same, [corrected](crate::measure::benjamini_hochberg) for the number of all pairs of a class and a topic: of those below .05, at most 5 % are expected to be wrong |
    /// | `Test` (String) | `chi-squared`, or `Fisher` if an expected count is below 5 |
    ///
    /// With a single class, or a single topic, there is nothing to compare, and lift and all after it are null. Rows
    /// without a class are left out; a note has their number. Words are those of c-TF-IDF with the idf of the whole model,
    /// tuned by those of the whole topic; images alone have the words of their topic. Neither the texts of the rows nor
    /// their vectors are read.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let posts = df!(
    ///     "text" => ["a cat sleeps", "the cat purrs", "a fast train", "a slow train"].repeat(10),
    ///     "group" => ["pets", "pets", "travel", "pets"].repeat(10),
    /// )?;
    /// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
    /// let per_class = model.fit(&posts)?.topics_per_class("group")?;
    /// assert_eq!(per_class.column("Frequency")?.i64()?.to_vec(), [Some(20), Some(10), Some(10)]);
    /// assert!(per_class.column("Q_value")?.f64()?.get(0) < Some(0.001));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// There is no such column, it has another type, or too many classes to compare; the model is without its data;
    /// interrupted.
    pub fn topics_per_class(&self, column: &str) -> Result<DataFrame> {
        self.topics_per_class_with(column, &PerClassOptions::new())
    }

    /// As [`topics_per_class`](Self::topics_per_class), with other settings.
    ///
    /// # Errors
    /// As [`topics_per_class`](Self::topics_per_class).
    pub fn topics_per_class_with(&self, column: &str, options: &PerClassOptions) -> Result<DataFrame> {
        Ok(self.per_class(column, options)?.frame)
    }

    /// The topics by class, with what is not in the frame.
    pub(crate) fn per_class(&self, column: &str, options: &PerClassOptions) -> Result<PerClass> {
        let data = self.data("topics_per_class")?;
        let classes = Classes::read(&data.frame, column)?;
        let ids = self.topic_ids();
        if classes.len().saturating_mul(ids.len()) > MOST_CELLS {
            let message = format!("{} classes are too many to compare {} topics in", classes.len(), ids.len());
            let hint = Hint::new("Specify a column with fewer different values.");
            return Err(Error::new(ErrorKind::InvalidData, Stage::Topics, message).with_column(column).with_hint(hint));
        }
        let places = self.topic_places(&ids);
        let without = (0..places.len()).filter(|&row| classes.of(row).is_empty()).count();
        if without > 0 {
            let rows = counted(without, "row", "rows");
            self.settings.progress.note(Stage::Topics, format!("column `{column}`: {rows} without a class left out"));
        }
        let n_classes = classes.len().max(1);
        let members = places.iter().enumerate().flat_map(|(row, &topic)| {
            classes.of(row).iter().map(move |&class| (row, topic * n_classes + class as usize))
        });
        let parts = Parts::of(members.collect());
        let tuning = Tuning { evolution: false, global: options.global_tuning };
        let topic_of = |part: usize| parts.keys.get(part).map_or(0, |key| key / n_classes);
        let words = self.words_of_parts("topics by class", &parts, topic_of, |_| false, tuning)?;
        let table = Table::new(&classes, &places, ids.len());
        let place = |&key: &usize| (key % n_classes) * ids.len() + key / n_classes;
        let mut cells: Vec<(usize, &str)> =
            parts.keys.iter().map(place).zip(words.iter().map(String::as_str)).collect();
        cells.par_sort_unstable();
        if options.absent {
            let mut present = cells.into_iter().peekable();
            let cell = |cell: usize| present.next_if(|(next, _)| *next == cell).unwrap_or((cell, ""));
            cells = (0..table.counts.len()).map(cell).collect();
        }
        let is_large = table.is_large(options.largest.unwrap_or(usize::MAX));
        cells.retain(|&(cell, _)| is_large.get(cell / ids.len().max(1)).copied().unwrap_or(false));
        let frame = self.frame_of_classes(&classes, &table, &cells)?;
        Ok(PerClass { frame, classes: classes.len(), without })
    }

    /// How strongly the class and the topic of each of the `cells` (ascending) go together, and the q-value. All other
    /// cells are tests as well.
    fn associations(&self, table: &Table, cells: &[(usize, &str)]) -> Result<Vec<(Option<Association>, f64)>> {
        let all = table.counts.len();
        let topics = table.of_topics.len().max(1);
        let task = self.settings.progress.task(Stage::Topics, "classes with topics", all);
        let mut p_values = Vec::with_capacity(all);
        let mut found = Vec::with_capacity(cells.len());
        let mut shown = cells.iter().map(|&(cell, _)| cell).peekable();
        for start in (0..all).step_by(CELLS_AT_A_TIME).take_while(|_| !task.is_interrupted()) {
            let some: Vec<Option<Association>> = (start..(start + CELLS_AT_A_TIME).min(all))
                .into_par_iter()
                .with_min_len(64)
                .map(|cell| table.association(cell / topics, cell % topics))
                .collect();
            task.advance(some.len());
            for (cell, association) in (start..).zip(some) {
                p_values.push(association.map_or(f64::NAN, |found| found.p_value));
                found.extend(shown.next_if_eq(&cell).map(|_| association));
            }
        }
        task.finish()?;
        let q_values = benjamini_hochberg(&p_values);
        let q_value = |&(cell, _): &(usize, &str)| q_values.get(cell).copied().unwrap_or(f64::NAN);
        Ok(found.into_iter().zip(cells.iter().map(q_value)).collect())
    }

    /// The rows of `cells`: the numbers of pairs of a class and a topic, ascending, and their words.
    fn frame_of_classes(&self, classes: &Classes, table: &Table, cells: &[(usize, &str)]) -> Result<DataFrame> {
        let ids = self.topic_ids();
        let topics = ids.len().max(1);
        let found = self.associations(table, cells)?;
        let names: Vec<Option<String>> = ids.iter().map(|&id| self.topic_label(id)).collect();
        let count = |cell: usize| table.counts.get(cell).copied().unwrap_or_default();
        let total = |cell: usize| table.of_classes.get(cell / topics).copied().unwrap_or_default();
        let interval = |cell: usize| wilson_interval(count(cell), total(cell)).unwrap_or((0.0, 1.0));
        let numbers = |name: &str, value: &dyn Fn(usize) -> f64| {
            Column::new(name.into(), cells.iter().map(|&(cell, _)| value(cell)).collect::<Vec<f64>>())
        };
        let measured = |name: &str, value: &dyn Fn(&Association, f64) -> f64| {
            let value = |(found, q): &(Option<Association>, f64)| found.as_ref().map(|found| value(found, *q));
            Column::new(name.into(), found.iter().map(value).collect::<Vec<Option<f64>>>())
        };
        let test = |(found, _): &(Option<Association>, f64)| {
            found.map(|found| match found.test {
                AssociationTest::ChiSquared => "chi-squared",
                AssociationTest::Fisher => "Fisher",
            })
        };
        let numbered = || cells.iter().map(|&(cell, _)| cell);
        let columns = vec![
            Column::new("Topic".into(), numbered().map(|cell| ids[cell % topics]).collect::<Vec<i32>>()),
            Column::new("Words".into(), cells.iter().map(|&(_, words)| words).collect::<Vec<&str>>()),
            Column::new("Frequency".into(), numbered().map(|cell| count(cell) as i64).collect::<Vec<i64>>()),
            classes.column("Class", numbered().map(|cell| cell / topics))?,
            Column::new("Name".into(), numbered().map(|cell| names[cell % topics].as_deref()).collect::<Vec<_>>()),
            numbers("Share", &|cell| count(cell) as f64 / total(cell).max(1) as f64),
            numbers("Share_low", &|cell| interval(cell).0),
            numbers("Share_high", &|cell| interval(cell).1),
            measured("Lift", &|found, _| found.lift),
            measured("Log_odds_ratio", &|found, _| found.log_odds_ratio),
            measured("Log_odds_low", &|found, _| found.interval.0),
            measured("Log_odds_high", &|found, _| found.interval.1),
            measured("P_value", &|found, _| found.p_value),
            measured("Q_value", &|_, q| q),
            Column::new("Test".into(), found.iter().map(test).collect::<Vec<Option<&str>>>()),
        ];
        DataFrame::new(cells.len(), columns).map_err(internal)
    }
}
