//! `topicframe over-time`: the topics of a saved model over time.

use std::collections::BTreeMap;

use clap::Args;
use topicframe::error::{Error, ErrorKind, Result, Stage};
use topicframe::polars::prelude::{AnyValue, DataFrame, PolarsError, PolarsResult};
use topicframe::prelude::OverTimeOptions;

use crate::bar;
use crate::exploring::{Divided, with_bins};
use crate::table::counted;

/// With fewer documents, the shares of a bin say little.
const FEW_DOCUMENTS: i64 = 20;

/// What a trend takes at least: documents of the topic, and bins of time with documents.
const LEAST_DOCUMENTS: i64 = 5;
const LEAST_BINS: usize = 3;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct OverTime {
    /// The column with the time: dates, timestamps, integers such as years, or texts that are dates.
    #[arg(long, value_name = "COLUMN")]
    column: String,

    /// Bins by the calendar: a number and a unit (`1y`, `1q`, `1mo`, `2w`, `1d`, `12h`, `30m`), or for integers, such as
    /// years, `5i` [default: one bin per value].
    #[arg(long, value_name = "PERIOD", conflicts_with = "nr_bins")]
    every: Option<String>,

    /// This number of bins of equal width instead of --every.
    #[arg(long, value_name = "N")]
    nr_bins: Option<usize>,

    /// The format of texts, such as `%d.%m.%Y %H:%M` [default: recognized].
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,

    /// A column with classes: counts each bin separately for each of them.
    #[arg(long, value_name = "COLUMN")]
    by: Option<String>,

    /// Print which topics rise or fall instead of the bins: the change of a topic's share from the first to the last bin,
    /// with p-values, and q-values that are corrected for the number of topics.
    #[arg(long)]
    emerging: bool,

    /// Also show topics in bins in which they have no documents.
    #[arg(long)]
    empty_bins: bool,

    /// Leave out documents whose text is not a date; otherwise, they are an error.
    #[arg(long)]
    skip_unreadable: bool,

    /// Do not average the words of a topic in a bin with its words in the bin before.
    #[arg(long)]
    no_evolution_tuning: bool,

    #[command(flatten)]
    divided: Divided,
}

const EXAMPLES: &str = "\
The model must have been saved with its documents; the column is one of the input's. Share is the
share of a bin's documents that are in the topic. With --emerging, Change is the change of a topic's
share from the first to the last bin, and a q-value below 0.05 is hardly chance; this takes at least
3 bins of time, and 5 documents of the topic.

Examples:
  topicframe over-time topics/ --column date --every 1mo --out months.csv
  topicframe over-time topics/ --column date --format %d.%m.%Y --nr-bins 20
  topicframe over-time topics/ --column year --emerging";

impl OverTime {
    /// Prints the frequency and the words of each topic in each bin, or the trends.
    pub fn run(&self) -> Result<()> {
        let progress = bar::progress();
        let topics = self.divided.load(&progress)?;
        let over_time = topics.topics_over_time_with(&self.column, &self.options())?;
        if !self.emerging {
            let frame = over_time.frame();
            self.divided.tell(&frame, &progress)?;
            if let Some(note) = of_small_bins(&frame).map_err(unexpected)? {
                progress.note(Stage::Topics, note);
            }
            return Ok(());
        }
        let trends = over_time.emerging_topics()?;
        self.divided.tell(&trends, &progress)?;
        if let Some(why) = why_without_trend(&over_time.frame(), &trends).map_err(unexpected)? {
            progress.note(Stage::Topics, why);
        }
        Ok(())
    }

    fn options(&self) -> OverTimeOptions {
        let options = OverTimeOptions::new()
            .empty_bins(self.empty_bins)
            .skip_unreadable(self.skip_unreadable)
            .evolution_tuning(!self.no_evolution_tuning)
            .global_tuning(self.divided.global_tuning());
        let options = with_bins(options, self.every.as_deref(), self.nr_bins, self.format.as_deref());
        match &self.by {
            Some(by) => options.by(by),
            None => options,
        }
    }
}

/// How many bins have so few documents that shares say little: `over_time` has the topics in each bin, ordered by class and
/// bin.
fn of_small_bins(over_time: &DataFrame) -> PolarsResult<Option<String>> {
    let sizes = sizes_of_bins(over_time)?;
    let small = sizes.iter().filter(|(_, size)| *size < FEW_DOCUMENTS).count();
    let are = if small == 1 { "has" } else { "have" };
    Ok((small > 0).then(|| {
        let all = counted(sizes.len(), "bin");
        format!("{small} of {all} {are} fewer than {FEW_DOCUMENTS} documents: shares of them say little")
    }))
}

/// The class, by its place, and the number of documents of each bin that has any.
fn sizes_of_bins(over_time: &DataFrame) -> PolarsResult<Vec<(usize, i64)>> {
    let bins = over_time.column("Timestamp")?;
    let classes = over_time.column("Class").ok();
    let counts = over_time.column("Frequency")?.i64()?;
    let (mut of_class, mut last) = (0, None);
    let mut sizes = BTreeMap::<(usize, String), i64>::new();
    for row in 0..over_time.height() {
        let Some(count @ 1..) = counts.get(row) else { continue };
        let class = classes.map_or(Ok(AnyValue::Null), |classes| classes.get(row))?;
        if last.as_ref().is_some_and(|last| *last != class) {
            of_class += 1;
        }
        last = Some(class);
        *sizes.entry((of_class, bins.get(row)?.to_string())).or_default() += count;
    }
    Ok(sizes.into_iter().map(|((class, _), size)| (class, size)).collect())
}

/// Why some topics have no trend: `over_time` are the topics in each bin, ordered by class and bin.
fn why_without_trend(over_time: &DataFrame, trends: &DataFrame) -> PolarsResult<Option<String>> {
    let without: Vec<bool> = trends.column("Change")?.f64()?.iter().map(|change| change.is_none()).collect();
    if !without.contains(&true) {
        return Ok(None);
    }
    let bins = most_bins(over_time)?;
    if bins < LEAST_BINS {
        let are = if bins == 1 { "is" } else { "are" };
        return Ok(Some(format!(
            "no topic has a change or a p-value: that takes at least {LEAST_BINS} bins of time, and there {are} {bins} \
             (for dates, shorter periods with --every, or more --nr-bins, make more)",
        )));
    }
    let (counts, shares) = (trends.column("Count")?.i64()?, trends.column("Share")?.f64()?);
    let (mut few, mut all, mut others) = (0, 0, 0);
    for (row, _) in without.iter().enumerate().filter(|(_, without)| **without) {
        match (counts.get(row), shares.get(row)) {
            (Some(count), _) if count < LEAST_DOCUMENTS => few += 1,
            (_, Some(share)) if share >= 1.0 => all += 1,
            _ => others += 1,
        }
    }
    let reasons = [
        (few, format!("with fewer than {LEAST_DOCUMENTS} documents")),
        (all, "with all of the documents".to_owned()),
        (others, format!("in a class with fewer than {LEAST_BINS} bins")),
    ];
    let told = reasons.into_iter().filter(|(topics, _)| *topics > 0);
    let told: Vec<String> = told.map(|(topics, why)| format!("{} {why}", counted(topics, "topic"))).collect();
    Ok(Some(format!("no change and no p-value for {}", told.join(", "))))
}

/// The number of bins with documents, in the class that has most of them.
fn most_bins(over_time: &DataFrame) -> PolarsResult<usize> {
    let sizes = sizes_of_bins(over_time)?;
    Ok(sizes.chunk_by(|(class, _), (next, _)| class == next).map(<[_]>::len).max().unwrap_or(0))
}

fn unexpected(cause: PolarsError) -> Error {
    Error::new(ErrorKind::Internal, Stage::Topics, "the table of topics over time cannot be read").with_cause(cause)
}

#[cfg(test)]
mod tests {
    use topicframe::polars::prelude::*;

    use super::{of_small_bins, why_without_trend};

    #[test]
    fn bins_with_few_documents_are_counted() {
        let bins = |times: &[i32], counts: &[i64]| df!("Timestamp" => times, "Frequency" => counts).unwrap();
        let note = of_small_bins(&bins(&[1, 1, 2, 3], &[15, 15, 19, 0])).unwrap().unwrap();
        assert!(note.starts_with("1 of 2 bins has fewer than 20 documents"), "{note}");
        assert_eq!(of_small_bins(&bins(&[1, 2, 2], &[20, 10, 10])).unwrap(), None);
    }

    #[test]
    fn topics_without_a_trend_are_explained() {
        let bins = |times: &[i32], classes: &[&str], counts: &[i64]| {
            df!("Timestamp" => times, "Frequency" => counts, "Class" => classes).unwrap()
        };
        let trends = |changes: &[Option<f64>]| {
            let counts = &[4_i64, 9, 7][..changes.len()];
            let shares = &[0.2, 1.0, 0.5][..changes.len()];
            df!("Change" => changes, "Count" => counts, "Share" => shares).unwrap()
        };
        let why = |bins: &DataFrame, changes: &[Option<f64>]| why_without_trend(bins, &trends(changes)).unwrap();
        // The third bin of `a` has no documents.
        let two = bins(&[1, 1, 2, 3, 1, 2], &["a", "a", "a", "a", "b", "b"], &[1, 2, 1, 0, 5, 5]);
        let told = why(&two, &[None]).unwrap();
        assert!(told.contains("at least 3 bins of time, and there are 2"), "{told}");
        let three = bins(&[1, 2, 2, 3, 1], &["a", "a", "a", "a", "b"], &[1, 2, 1, 1, 5]);
        assert_eq!(why(&three, &[Some(0.1), Some(0.0)]), None);
        let told = why(&three, &[None, None, None]).unwrap();
        let reasons = "1 topic with fewer than 5 documents, 1 topic with all of the documents, 1 topic in a class \
                       with fewer than 3 bins";
        assert_eq!(told, format!("no change and no p-value for {reasons}"));
    }
}
