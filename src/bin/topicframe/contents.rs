//! What the report, the map and the figures show besides the topics: columns of time and of classes.

use clap::Args;
use topicframe::FittedTopicModel;
use topicframe::error::Result;
use topicframe::polars::prelude::DataFrame;
use topicframe::prelude::{InteractiveMap, OverTimeOptions, PerClassOptions, Report};

use crate::exploring::with_bins;

/// As in the report.
const MOST_BINS: usize = 60;

/// The contents of the report, and of the figures.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Report and figures")]
pub struct Contents {
    /// Show the topics over time: in the report, a curve of the share of each topic, and which of them rise or fall; on the
    /// map, a timeline; with --plots, the lines of the largest topics. The column has dates, timestamps, integers, or texts
    /// that are dates.
    #[arg(long, value_name = "COLUMN", requires = "shown")]
    time: Option<String>,

    /// The bins of --time: periods of the calendar: `1y`, `1q`, `1mo`, `1w`, `1d`, `12h`; `5i` for integers [default: one
    /// bin per value, or the shortest periods that make at most 60].
    #[arg(long, value_name = "PERIOD", requires = "time", conflicts_with = "nr_bins")]
    every: Option<String>,

    /// This number of bins of equal width instead.
    #[arg(long, value_name = "N", requires = "time")]
    nr_bins: Option<usize>,

    /// The format of texts in the column of --time, such as `%d.%m.%Y` [default: recognized].
    #[arg(long, value_name = "FORMAT", requires = "time")]
    format: Option<String>,

    /// Count texts in the column of --time that are not dates as missing; otherwise, they are an error.
    #[arg(long, requires = "time")]
    skip_unreadable: bool,

    /// Show the topics by class in the report and with --plots: the share of each topic in each class, and where it is
    /// over-represented; on the map, documents can be colored by their class. The column has texts, categories, integers,
    /// booleans, or lists, of which a document is in each. May be repeated.
    #[arg(long = "class", value_name = "COLUMN", requires = "shown")]
    classes: Vec<String>,
}

impl Contents {
    /// Checks that `frame` has the columns, before a fit.
    pub fn check(&self, frame: &DataFrame) -> Result<()> {
        if let Some(column) = &self.time {
            self.options().check(frame, column)?;
        }
        self.classes.iter().try_for_each(|column| PerClassOptions::new().check(frame, column))
    }

    /// The report on `topics`.
    pub fn report(&self, topics: &FittedTopicModel) -> Report {
        let report = match &self.time {
            Some(column) => topics.report().time_with(column, self.options()),
            None => topics.report(),
        };
        self.classes.iter().fold(report, |report, column| report.class(column))
    }

    /// The map of the documents.
    pub fn map(&self, topics: &FittedTopicModel) -> InteractiveMap {
        let map = topics.interactive_map().color_by(self.classes());
        match &self.time {
            Some(column) => map.time_with(column, self.options()),
            None => map,
        }
    }

    /// The column of time, and its bins: at most 60, unless others are asked for.
    pub fn time(&self) -> Option<(&str, OverTimeOptions)> {
        Some((self.time.as_deref()?, self.options().at_most(MOST_BINS)))
    }

    /// The columns of classes, each once.
    pub fn classes(&self) -> Vec<&String> {
        let mut classes: Vec<&String> = Vec::new();
        for column in &self.classes {
            if !classes.contains(&column) {
                classes.push(column);
            }
        }
        classes
    }

    fn options(&self) -> OverTimeOptions {
        let options = OverTimeOptions::new().skip_unreadable(self.skip_unreadable);
        with_bins(options, self.every.as_deref(), self.nr_bins, self.format.as_deref())
    }
}
