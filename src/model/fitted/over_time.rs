//! Topics over time.

use polars::prelude::*;

use super::FittedTopicModel;
use super::emerging::Series;
use super::topic_parts::{MOST_CELLS, Parts};
use crate::corpus::{Classes, Moments, internal};
use crate::encode::counted;
use crate::error::{Error, ErrorKind, Hint, Result, Stage};
use crate::topics::{Binning, TimeBins, Tuning, too_many};

/// From this number of bins on, a note suggests fewer, as BERTopic does.
const MANY_BINS: usize = 100;

/// The settings of [`topics_over_time_with`](FittedTopicModel::topics_over_time_with).
///
/// | setting | default |
/// |---|---|
/// | [`nr_bins`](Self::nr_bins), [`every`](Self::every), [`at_most`](Self::at_most) | none: a bin for every value |
/// | [`format`](Self::format) | recognized |
/// | [`evolution_tuning`](Self::evolution_tuning), [`global_tuning`](Self::global_tuning) | yes |
/// | [`by`](Self::by) | none |
/// | [`empty_bins`](Self::empty_bins) | no |
/// | [`skip_unreadable`](Self::skip_unreadable) | no: an error |
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct OverTimeOptions {
    nr_bins: Option<usize>,
    every: Option<String>,
    format: Option<String>,
    tuning: Tuning,
    by: Option<String>,
    empty_bins: bool,
    skip_unreadable: bool,
    /// The maximum number of bins, if neither their number nor a period is set.
    at_most: Option<usize>,
}

impl Default for OverTimeOptions {
    fn default() -> Self {
        OverTimeOptions::new()
    }
}

impl OverTimeOptions {
    /// The defaults, which are BERTopic's.
    pub fn new() -> Self {
        OverTimeOptions {
            nr_bins: None,
            every: None,
            format: None,
            tuning: Tuning { evolution: true, global: true },
            by: None,
            empty_bins: false,
            skip_unreadable: false,
            at_most: None,
        }
    }

    /// This number of bins of equal width, 1 to 100,000, between the first and the last moment. A bin has its right edge,
    /// but not its left one, except for the first, as in BERTopic; its `Timestamp` is the left edge: Float64 for integers
    /// (Int64, rounded, if they are so large that Float64 has no fractions between them), a Datetime in microseconds for
    /// dates, and otherwise in the unit of the column, rounded. No two bins have the same `Timestamp`: if there are fewer
    /// such units from the first to the last moment than bins, there are as many bins as units.
    pub fn nr_bins(mut self, nr_bins: usize) -> Self {
        self.nr_bins = Some(nr_bins);
        self
    }

    /// Calendar periods, as Polars writes them: `1y`, `1q`, `1mo`, `2w` (weeks start on Monday), `1d`, `12h`, `30m`,
    /// `10s`, `1ms`, `1us`, or `5i` for a column of integers. They start where those of Polars' `truncate` do. Timestamps
    /// with a time zone are taken in UTC.
    pub fn every(mut self, every: impl Into<String>) -> Self {
        self.every = Some(every.into());
        self
    }

    /// At most this number of bins, at least 1, if neither their number nor a period is set: one for every value, and if
    /// these are more, the shortest periods of the calendar (or of round numbers) that make at most as many. Default: one
    /// for every value, however many.
    pub fn at_most(mut self, bins: usize) -> Self {
        self.at_most = Some(bins);
        self
    }

    /// The format of a column of texts, in strftime's directives: `%d.%m.%Y %H:%M`. Known are `%Y %y %m %b %B %d %e %j %a
    /// %A %H %I %p %M %S %f %.f %z %Z %s %F %T %R %D %%`; names are English. Default: recognized, which is ISO 8601 with
    /// any separator, or only its year or month; `29.02.2024`; `29/02/2024` or `02/29/2024`, and `29-02-2024` or
    /// `02-29-2024`, whichever all values fit (if they fit both, and mean different days, that is an error); and names of
    /// months (`29 Feb 2024`, `February 29, 2024`), each with or without a time and an offset from UTC.
    pub fn format(mut self, format: impl Into<String>) -> Self {
        self.format = Some(format.into());
        self
    }

    /// Whether the words of a topic in a bin are the mean of its words there and in the bin before, if it occurs in that,
    /// too. Default: true.
    pub fn evolution_tuning(mut self, evolution_tuning: bool) -> Self {
        self.tuning.evolution = evolution_tuning;
        self
    }

    /// Whether the words of a topic in a bin are the mean of its words there and of those of the whole topic. Default:
    /// true.
    pub fn global_tuning(mut self, global_tuning: bool) -> Self {
        self.tuning.global = global_tuning;
        self
    }

    /// Another column, by whose classes time is divided: as in
    /// [`topics_per_class`](FittedTopicModel::topics_per_class), texts, categories, integers, booleans, or lists of
    /// these. Default: none.
    pub fn by(mut self, column: impl Into<String>) -> Self {
        self.by = Some(column.into());
        self
    }

    /// Whether a topic without rows in a bin has a row in the frame, with frequency 0 and no words; with `every`, also in
    /// periods without any rows. Default: false.
    pub fn empty_bins(mut self, empty_bins: bool) -> Self {
        self.empty_bins = empty_bins;
        self
    }

    /// Whether texts that are not dates are counted as missing, instead of being an error. Default: false.
    pub fn skip_unreadable(mut self, skip_unreadable: bool) -> Self {
        self.skip_unreadable = skip_unreadable;
        self
    }

    /// Checks that `column` of `frame` has times, and that they can be put into these bins: before a fit, for example.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let posts = df!("text" => ["a cat", "a train"], "date" => ["2024-01-03", "2024-02-30"])?;
    /// let monthly = OverTimeOptions::new().every("1mo");
    /// assert_eq!(monthly.check(&posts, "date").unwrap_err().row(), Some(1));
    /// assert!(monthly.skip_unreadable(true).check(&posts, "date").is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As those of [`topics_over_time_with`](FittedTopicModel::topics_over_time_with) that do not depend on the model.
    pub fn check(&self, frame: &DataFrame, column: &str) -> Result<()> {
        let binning = self.binning()?;
        let moments = Moments::read(frame, column, self.format.as_deref(), self.skip_unreadable)?;
        TimeBins::new(&moments.of_rows, &moments.clock, binning, self.empty_bins)?;
        self.by.as_deref().map_or(Ok(()), |by| Classes::read(frame, by).map(drop))
    }

    /// The column of classes that divides time, if there is one.
    pub(crate) fn class_column(&self) -> Option<&str> {
        self.by.as_deref()
    }

    /// The bin of each row, and the starts of the bins, which are at most `most`. With more
    /// bins than that, they are as if none had been set.
    pub(crate) fn bins(&self, frame: &DataFrame, column: &str, most: usize) -> Result<Bins> {
        let binning = match self.binning()? {
            Binning::Values => Binning::AtMost(most),
            other => other,
        };
        let moments = Moments::read(frame, column, self.format.as_deref(), self.skip_unreadable)?;
        let binned = |binning| TimeBins::new(&moments.of_rows, &moments.clock, binning, true);
        let bins = binned(binning)?;
        let bins = if bins.len() > most { binned(Binning::AtMost(most))? } else { bins };
        let starts = bins.column(column, 0..bins.len())?;
        let period = bins.every().map(|every| every.in_words());
        Ok(Bins { of_rows: bins.of_rows, starts, period })
    }

    fn binning(&self) -> Result<Binning> {
        match (self.nr_bins, &self.every) {
            (Some(_), Some(_)) => {
                let message = "both nr_bins and every are set, and bins can be by only one of them";
                Err(Error::new(ErrorKind::InvalidParameter, Stage::Topics, message)
                    .with_hint(Hint::new("Leave one of them out.").on_command_line("Leave out --nr-bins or --every.")))
            }
            (Some(count), None) => Ok(Binning::Number(count)),
            (None, Some(every)) => Ok(Binning::Every(every.parse()?)),
            (None, None) => match self.at_most {
                Some(0) => Err(Error::invalid_parameter(Stage::Topics, "at_most", 0, "at least 1")),
                most => Ok(most.map_or(Binning::Values, Binning::AtMost)),
            },
        }
    }
}

/// Rows in bins of time.
pub(crate) struct Bins {
    /// `None` for a row without a time.
    pub(crate) of_rows: Vec<Option<u32>>,
    /// Ascending, in the type of the column.
    pub(crate) starts: Column,
    /// The period of the bins in words, if they are of the calendar.
    pub(crate) period: Option<String>,
}

/// Topics over time, as [`topics_over_time`](FittedTopicModel::topics_over_time) returns them.
#[derive(Debug, Clone)]
pub struct TopicsOverTime {
    frame: DataFrame,
    missing: usize,
    unreadable: usize,
    series: Series,
}

impl TopicsOverTime {
    /// One row per bin and topic with rows in it, ascending by both:
    ///
    /// | column | meaning |
    /// |---|---|
    /// | `Topic` (Int32) | the topic, -1 for outliers |
    /// | `Words` (String) | its top five words in the bin, joined by commas |
    /// | `Frequency` (Int64) | the number of its rows in the bin |
    /// | `Timestamp` | the start of the bin, in the type of the column (of integers of any type: Int64; with [`nr_bins`](OverTimeOptions::nr_bins), see there); texts become Date or Datetime |
    /// | `Name` (String) | what the topic is [called](FittedTopicModel::topic_label): its label, or its name |
    /// | `Share` (Float64) | the share of the bin's rows that are in the topic, 0 to 1 |
    /// | `Class` | the class, if time is divided [by](OverTimeOptions::by) one; first in the order |
    ///
    /// Words are those of c-TF-IDF with the idf of the whole model, tuned as set; images alone have the words of their
    /// topic. Neither the texts of the rows nor their vectors are read.
    pub fn frame(&self) -> DataFrame {
        self.frame.clone()
    }

    /// The number of rows that are left out because they have no time, or no class.
    pub fn missing(&self) -> usize {
        self.missing
    }

    /// The number of rows that are left out because their text is not a date.
    pub fn unreadable(&self) -> usize {
        self.unreadable
    }

    /// The period of the bins in words (`1 month`), if they are of the calendar.
    pub(crate) fn period(&self) -> Option<String> {
        self.series.bins.every().map(|every| every.in_words())
    }

    /// Which topics rise or fall: one row per topic (and class) but -1, the most certain trend first:
    ///
    /// | column | meaning |
    /// |---|---|
    /// | `Topic` (Int32), `Name` (String) | the topic |
    /// | `Count` (Int64), `Share` (Float64) | the number of its rows that have a time, and their share of all that have one |
    /// | `Change` (Float64) | by how much its share changes from the first to the last bin: the linear [trend](crate::measure::trend) of the shares, weighted by the rows of the bins |
    /// | `Change_low`, `Change_high` (Float64) | its 95 % confidence interval |
    /// | `P_value` (Float64) | the probability of such a change if there was none |
    /// | `Q_value` (Float64) | the same, [corrected](crate::measure::benjamini_hochberg) for the number of topics: of those below .05, at most 5 % are expected to be wrong |
    /// | `Trend` (String) | `rising` or `falling` if the q-value is below .05, otherwise `none`; null without a q-value |
    /// | `Class` | the class, if time is divided by one |
    ///
    /// The test allows for shares that fluctuate more than those of independent rows, and for few bins: with three of
    /// them, nearly nothing is significant, and a topic that rises and falls again has no trend. With fewer than three
    /// bins, or fewer than five rows of a topic, change and p-value are null.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let texts: Vec<&str> = (0..200).map(|i| if i % 20 < i / 10 { "a cat sleeps" } else { "a fast train" }).collect();
    /// let years: Vec<i32> = (0..200).map(|i| 2000 + i / 20).collect();
    /// let posts = df!("text" => texts, "year" => years)?;
    /// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
    /// let emerging = model.fit(&posts)?.topics_over_time("year")?.emerging_topics()?;
    /// let trends = emerging.column("Trend")?.str()?;
    /// assert!(trends.iter().any(|trend| trend == Some("rising")) && trends.iter().any(|trend| trend == Some("falling")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Interrupted.
    pub fn emerging_topics(&self) -> Result<DataFrame> {
        self.series.emerging()
    }
}

impl FittedTopicModel {
    /// The topics over time: how often each occurs, and with which words, for every value of a column of the fitted frame:
    /// dates, timestamps, integers, or texts that are dates. See [`TopicsOverTime::frame`] for the columns, which are
    /// BERTopic's and two more, and [`topics_over_time_with`](Self::topics_over_time_with) for bins of several values.
    ///
    /// Rows without a time are left out, and [counted](TopicsOverTime::missing).
    ///
    /// # Errors
    /// There is no such column, it has another type, or a text is not a date; the model is without its data; interrupted.
    pub fn topics_over_time(&self, column: &str) -> Result<TopicsOverTime> {
        self.topics_over_time_with(column, &OverTimeOptions::new())
    }

    /// As [`topics_over_time`](Self::topics_over_time), in bins, and with other settings.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let posts = df!(
    ///     "text" => ["a cat sleeps", "the cat purrs", "a fast train", "a slow train"].repeat(10),
    ///     "date" => ["2024-01-03", "2024-01-30", "2024-02-01", "2024-02-29"].repeat(10),
    /// )?;
    /// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
    /// let topics = model.fit(&posts)?;
    /// let monthly = topics.topics_over_time_with("date", &OverTimeOptions::new().every("1mo"))?.frame();
    /// assert_eq!((monthly.height(), monthly.column("Frequency")?.i64()?.get(0)), (2, Some(20)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`topics_over_time`](Self::topics_over_time); `nr_bins` or `every` is out of range, both are set, or there are
    /// too many bins; there is no column `by`, or it has no classes.
    pub fn topics_over_time_with(&self, column: &str, options: &OverTimeOptions) -> Result<TopicsOverTime> {
        let data = self.data("topics_over_time")?;
        let binning = options.binning()?;
        let moments = Moments::read(&data.frame, column, options.format.as_deref(), options.skip_unreadable)?;
        let classes = options.by.as_deref().map(|by| Classes::read(&data.frame, by)).transpose()?;
        let bins = TimeBins::new(&moments.of_rows, &moments.clock, binning, options.empty_bins)?;
        self.note_left_out(column, moments.missing, moments.unreadable);
        if binning == Binning::Values && bins.len() > MANY_BINS {
            let message = format!("column `{column}` has {} different times, each of which is a bin", bins.len());
            let hint = Hint::new("Choose bins with nr_bins(20) or every(\"1mo\").")
                .on_command_line("Choose bins with --every.");
            self.settings.progress.note_with_hint(Stage::Topics, message, hint);
        }
        self.settings.progress.check(Stage::Topics)?;
        let series = self.series(bins, classes)?;
        let without_class = series.without_class(&moments.of_rows);
        if without_class > 0 {
            let (rows, by) = (counted(without_class, "row", "rows"), options.by.as_deref().unwrap_or_default());
            self.settings.progress.note(Stage::Topics, format!("column `{by}`: {rows} without a class left out"));
        }
        let missing = moments.missing + without_class;
        let frame = self.frame_of_series(&series, options)?;
        Ok(TopicsOverTime { frame, missing, unreadable: moments.unreadable, series })
    }

    fn note_left_out(&self, column: &str, missing: usize, unreadable: usize) {
        for (rows, of) in [(missing, "without a time"), (unreadable, "with a text that is not a date")] {
            if rows > 0 {
                let rows = counted(rows, "row", "rows");
                self.settings.progress.note(Stage::Topics, format!("column `{column}`: {rows} {of} left out"));
            }
        }
    }

    /// The rows of each class, topic and bin.
    fn series(&self, bins: TimeBins, classes: Option<Classes>) -> Result<Series> {
        let ids = self.topic_ids();
        let n_classes = classes.as_ref().map_or(1, Classes::len);
        if n_classes.saturating_mul(bins.len()) > MOST_CELLS {
            return Err(too_many("time divided by classes", MOST_CELLS));
        }
        let places = self.topic_places(&ids);
        let mut members = Vec::with_capacity(bins.of_rows.len());
        let mut totals = vec![0_u64; n_classes * bins.len()];
        for ((row, bin), &topic) in bins.of_rows.iter().enumerate().zip(&places) {
            let Some(bin) = bin.map(|bin| bin as usize) else { continue };
            let of_row = classes.as_ref().map_or(&[0][..], |classes| classes.of(row));
            for &class in of_row {
                let class = class as usize;
                members.push((row, (class * ids.len() + topic) * bins.len() + bin));
                if let Some(total) = totals.get_mut(class * bins.len() + bin) {
                    *total += 1;
                }
            }
        }
        let names = ids.iter().map(|&id| self.topic_label(id)).collect();
        let progress = self.settings.progress.clone();
        Ok(Series { parts: Parts::of(members).into(), totals, bins, classes, topics: ids, names, progress })
    }

    fn frame_of_series(&self, series: &Series, options: &OverTimeOptions) -> Result<DataFrame> {
        let parts = &*series.parts;
        let (topic_of, follows) = (|part| series.place(part).1, |part| series.follows(part));
        let words = self.words_of_parts("topics over time", parts, topic_of, follows, options.tuning)?;
        // Class, bin, topic, and the part.
        let mut rows: Vec<((usize, usize, usize), Option<usize>)> = (0..parts.keys.len())
            .map(|part| {
                let (class, topic, bin) = series.place(part);
                ((class, bin, topic), Some(part))
            })
            .collect();
        if options.empty_bins {
            rows.extend(series.absent()?.into_iter().map(|place| (place, None)));
        }
        rows.sort_unstable();
        let part = |&(_, part): &(_, Option<usize>)| part;
        let frequency = |row: &_| part(row).and_then(|part| parts.sizes.get(part)).map_or(0, |&size| size as i64);
        let text = |row: &_| part(row).and_then(|part| words.get(part)).map_or("", String::as_str);
        let share = |row: &((usize, usize, usize), Option<usize>)| {
            let total = series.total(row.0.0, row.0.1);
            if total == 0 { 0.0 } else { frequency(row) as f64 / total as f64 }
        };
        let topics = rows.iter().map(|((_, _, topic), _)| *topic);
        let mut columns = vec![
            Column::new("Topic".into(), topics.clone().map(|topic| series.id(topic)).collect::<Vec<i32>>()),
            Column::new("Words".into(), rows.iter().map(text).collect::<Vec<&str>>()),
            Column::new("Frequency".into(), rows.iter().map(frequency).collect::<Vec<i64>>()),
            series.bins.column("Timestamp", rows.iter().map(|((_, bin, _), _)| *bin))?,
            Column::new("Name".into(), topics.map(|topic| series.name(topic)).collect::<Vec<Option<&str>>>()),
            Column::new("Share".into(), rows.iter().map(share).collect::<Vec<f64>>()),
        ];
        if let Some(classes) = &series.classes {
            columns.push(classes.column("Class", rows.iter().map(|((class, _, _), _)| *class))?);
        }
        DataFrame::new(rows.len(), columns).map_err(internal)
    }
}
