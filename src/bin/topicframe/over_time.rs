//! `topicframe over-time`: the topics of a saved model over time.

use std::path::PathBuf;

use clap::Args;
use topicframe::error::Result;
use topicframe::prelude::OverTimeOptions;

use crate::bar;
use crate::loading::Loading;
use crate::result::ResultTable;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct OverTime {
    /// The folder of the model, as written by `topicframe fit ... --save FOLDER`.
    #[arg(value_name = "MODEL")]
    model: PathBuf,

    /// The column with the time: dates, timestamps, integers, or texts.
    #[arg(long, value_name = "COLUMN")]
    column: String,

    /// Periods of the calendar: `1y`, `1q`, `1mo`, `1w`, `1d`, `12h`; `5i` for integers [default: one bin per value].
    #[arg(long, value_name = "PERIOD", conflicts_with = "nr_bins")]
    every: Option<String>,

    /// This number of bins of equal width instead.
    #[arg(long, value_name = "N")]
    nr_bins: Option<usize>,

    /// The format of texts, such as `%d.%m.%Y` [default: recognized].
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,

    /// A column of classes, to divide time by them as well.
    #[arg(long, value_name = "COLUMN")]
    by: Option<String>,

    /// Show which topics rise or fall instead of bins: the change of a topic's share from the first to the last bin, with
    /// p-values, and q-values that are corrected for the number of topics.
    #[arg(long)]
    emerging: bool,

    /// Also show topics in bins in which they have no documents.
    #[arg(long)]
    empty_bins: bool,

    /// Count texts that are not dates as missing; otherwise, they are an error.
    #[arg(long)]
    skip_unreadable: bool,

    /// Do not average the words of a topic in a bin with its words in the bin before.
    #[arg(long)]
    no_evolution_tuning: bool,

    /// Do not average the words of a topic in a bin with those of the whole topic.
    #[arg(long)]
    no_global_tuning: bool,

    #[command(flatten)]
    result: ResultTable,

    #[command(flatten)]
    loading: Loading,
}

const EXAMPLES: &str = "\
Examples:
  topicframe over-time topics/ --column date --every 1mo --out months.csv
  topicframe over-time topics/ --column year --emerging";

impl OverTime {
    /// Prints the frequency and the words of each topic in each bin, or the trends.
    pub fn run(&self) -> Result<()> {
        let progress = bar::progress();
        self.result.check(&self.model)?;
        let topics = self.loading.load(&self.model, &progress)?;
        let over_time = topics.topics_over_time_with(&self.column, &self.options())?;
        match self.emerging {
            true => self.result.tell(&over_time.emerging_topics()?, &progress),
            false => self.result.tell(&over_time.frame(), &progress),
        }
    }

    fn options(&self) -> OverTimeOptions {
        let mut options = OverTimeOptions::new()
            .empty_bins(self.empty_bins)
            .skip_unreadable(self.skip_unreadable)
            .evolution_tuning(!self.no_evolution_tuning)
            .global_tuning(!self.no_global_tuning);
        if let Some(every) = &self.every {
            options = options.every(every);
        }
        if let Some(nr_bins) = self.nr_bins {
            options = options.nr_bins(nr_bins);
        }
        if let Some(format) = &self.format {
            options = options.format(format);
        }
        if let Some(by) = &self.by {
            options = options.by(by);
        }
        options
    }
}
