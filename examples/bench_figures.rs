//! Benchmarks the figures: seconds from a model to a page, and bytes of the drawing and of the page.
//!
//! ```sh
//! cargo run --release --example bench_figures -- posts.arrow --text text
//! ```
//!
//! Expects the columns `embedding`, `topic` (of each row, -1 for outliers), `time` and `class`, which
//! `tests/peers/figures.py` makes; it also compares this with BERTopic. What figures are drawn of (the layout, the tree,
//! topics over time and by class, and within a document) is computed before: `tests/peers/explore.py` measures that.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use serde_json::json;
use topicframe::files::read_frame_as_text;
use topicframe::model::UpdateTopics;
use topicframe::polars::prelude::DataType;
use topicframe::prelude::*;

type Outcome<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[derive(Parser)]
#[command(about = "Benchmarks the figures")]
struct Bench {
    /// A file with texts, vectors, topics, times and classes.
    input: PathBuf,
    /// The text column.
    #[arg(long)]
    text: String,
    /// The number of bins of time.
    #[arg(long, default_value_t = 20)]
    bins: usize,
    /// The row whose topics are shown.
    #[arg(long, default_value_t = 0)]
    row: usize,
    /// How often each figure is drawn; the median is printed.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// A folder for the figures, the layout, and the topics of the rows.
    #[arg(long)]
    out: Option<PathBuf>,
}

impl Bench {
    /// Draws a figure and prints its median time and its sizes.
    fn draw<D: Drawing>(&self, name: &str, figure: impl Fn() -> Figure<D>) -> Outcome<()> {
        let mut seconds = Vec::new();
        let page = loop {
            let started = Instant::now();
            let page = figure().html()?;
            seconds.push(started.elapsed().as_secs_f64());
            if seconds.len() >= self.runs {
                break page;
            }
        };
        seconds.sort_by(f64::total_cmp);
        let svg = figure().svg()?;
        let median = seconds[seconds.len() / 2];
        println!("{}", json!({ "step": name, "seconds": median, "svg": svg.len(), "html": page.len() }));
        if let Some(folder) = &self.out {
            fs::write(folder.join(format!("{name}.svg")), svg)?;
            fs::write(folder.join(format!("{name}.html")), page.as_str())?;
        }
        Ok(())
    }

    /// The model of the topics in the file.
    fn model(&self) -> Outcome<FittedTopicModel> {
        let frame = read_frame_as_text(&self.input, &[self.text.as_str()])?;
        let topics = frame.column("topic")?.cast(&DataType::Int32)?;
        let topics: Vec<i32> = topics.i32()?.iter().map(|topic| topic.unwrap_or(-1)).collect();
        // Words are counted and weighted as BERTopic does by default.
        let words = CountVectorizer::new().stop_words(StopWords::None);
        let model = TopicModel::text(&self.text, StaticEmbedder::builtin()).bertopic();
        let model = model.cleaning(TextCleaning::None).vectorizer(words);
        let model = model.embeddings("embedding").reducer(NoReduction).clusterer(KMeans::new(1).n_runs(1));
        Ok(model.fit(&frame)?.update_topics(&UpdateTopics::new().topics(&topics))?)
    }

    fn run(&self) -> Outcome<()> {
        let topics = self.model()?;
        if let Some(folder) = &self.out {
            fs::create_dir_all(folder)?;
            write_frame(&df!("Topic" => topics.labels())?, folder.join("topics.arrow"))?;
        }
        let started = Instant::now();
        let layout = topics.layout_2d()?;
        println!("{}", json!({ "step": "layout", "seconds": started.elapsed().as_secs_f64() }));
        if let Some(folder) = &self.out {
            write_frame(&layout, folder.join("layout.arrow"))?;
        }
        self.draw("visualize_topics", || topics.visualize_topics())?;
        self.draw("visualize_documents", || topics.visualize_documents())?;
        self.draw("visualize_document_datamap", || topics.visualize_document_datamap())?;
        let tree = topics.hierarchical_topics()?;
        self.draw("visualize_hierarchical_documents", || {
            topics.visualize_hierarchical_documents().nr_levels(10).hierarchical_topics(&tree)
        })?;
        self.draw("visualize_hierarchy", || topics.visualize_hierarchy().tree(&tree))?;
        self.draw("visualize_heatmap", || topics.visualize_heatmap())?;
        self.draw("visualize_barchart", || topics.visualize_barchart())?;
        self.draw("visualize_term_rank", || topics.visualize_term_rank())?;
        let over_time = topics.topics_over_time_with("time", &OverTimeOptions::new().nr_bins(self.bins))?;
        self.draw("visualize_topics_over_time", || topics.visualize_topics_over_time(&over_time))?;
        let per_class = topics.topics_per_class("class")?;
        self.draw("visualize_topics_per_class", || topics.visualize_topics_per_class(per_class.clone()))?;
        let settings = ApproximateDistribution::new();
        let shares = topics.approximate_distribution(&settings)?.of(self.row);
        self.draw("visualize_distribution", || topics.visualize_distribution(shares.clone()))?;
        let tokens = topics.token_distributions(&[self.row], &settings)?;
        let tokens = tokens.first().ok_or("there is no such row")?;
        self.draw("visualize_approximate_distribution", || topics.visualize_approximate_distribution(tokens))?;
        // BERTopic has no counterpart of these.
        self.draw("visualize_topic_sizes", || topics.visualize_topic_sizes())?;
        self.draw("visualize_topic_quality", || topics.visualize_topic_quality())
    }
}

fn main() -> ExitCode {
    match Bench::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
