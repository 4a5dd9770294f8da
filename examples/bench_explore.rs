//! Benchmarks what is done with topics after a fit: seconds and peak memory of the tree, of topics over time and by class,
//! of the topics within documents, and of reducing outliers.
//!
//! ```sh
//! cargo run --release --example bench_explore -- embed posts.tsv --text text --out posts.arrow
//! cargo run --release --example bench_explore -- run posts.arrow --text text
//! ```
//!
//! `run` expects the columns `embedding`, `topic` (of each row, -1 for outliers), `time` and `class`, which
//! `tests/peers/explore.py` adds to the first file; it also compares this with BERTopic. Peak memory is that of the process
//! during the step, as reported by Linux; on other systems it is not shown.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use clap::{Args, Parser, ValueEnum};
use rayon::prelude::*;
use serde_json::json;
use topicframe::cluster::OUTLIER;
use topicframe::files::read_frame_as_text;
use topicframe::linalg::vectors::Vectors;
use topicframe::ndarray::{Array2, ArrayView2};
use topicframe::polars::prelude::DataType;
use topicframe::prelude::*;

type Outcome<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[derive(Parser)]
#[command(about = "Benchmarks what is done with topics after a fit")]
enum Bench {
    /// Adds the vectors of the built-in embedder, in the column `embedding`.
    Embed(Embed),
    /// Prints seconds and peak memory of each step, as JSON Lines.
    Run(Run),
}

#[derive(Args)]
struct Embed {
    /// A file with a text column.
    input: PathBuf,
    /// The text column.
    #[arg(long)]
    text: String,
    /// Where to write the frame.
    #[arg(long)]
    out: PathBuf,
}

#[derive(Args)]
struct Run {
    /// A file with texts, vectors, topics, times and classes.
    input: PathBuf,
    /// The text column.
    #[arg(long)]
    text: String,
    /// The column of the vectors.
    #[arg(long, default_value = "embedding")]
    embeddings: String,
    /// The column of the topics, -1 for outliers.
    #[arg(long, default_value = "topic")]
    topics: String,
    /// The column of the times.
    #[arg(long, default_value = "time")]
    time: String,
    /// The number of bins of time.
    #[arg(long, default_value_t = 20)]
    bins: usize,
    /// The column of the classes.
    #[arg(long, default_value = "class")]
    class: String,
    /// How words are counted and weighted.
    #[arg(long, value_enum, default_value = "bertopic")]
    words: Words,
    /// The steps, separated by commas; all by default.
    #[arg(long, value_delimiter = ',', value_enum)]
    steps: Vec<Step>,
    /// How often each step runs; the median is printed.
    #[arg(long, default_value_t = 1)]
    runs: usize,
    /// A folder for the table of each step, and the topics of the rows.
    #[arg(long)]
    tables: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Words {
    /// As BERTopic does by default: all words, its c-TF-IDF.
    Bertopic,
    /// By topicframe's defaults.
    Default,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Step {
    Hierarchy,
    OverTime,
    Emerging,
    PerClass,
    Distribution,
    /// Reducing outliers by memberships.
    Probabilities,
    /// ... by the topics within documents.
    Distributions,
    /// ... by words.
    CTfIdf,
    /// ... by vectors.
    Embeddings,
    /// Half as many topics, by their words.
    ReduceTopics,
    /// As many topics as HDBSCAN finds among their words.
    ReduceTopicsAuto,
}

/// Topics that are known. A row's membership in each is the share of the cosine to its mean vector in all positive ones.
#[derive(Debug, Clone)]
struct Given {
    topics: Arc<[i32]>,
    vectors: Option<Vectors>,
    /// The mean vectors, of unit length: a row for each coordinate, a column for each topic.
    means: Array2<f32>,
}

impl Given {
    fn new(topics: &[i32]) -> Self {
        Given { topics: topics.into(), vectors: None, means: Array2::zeros((0, 0)) }
    }
}

impl Clusterer for Given {
    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    fn min_rows(&self) -> usize {
        1
    }

    fn fit(&self, training: &Training<'_>) -> Result<Clustering, Error> {
        let row = |number: usize| training.frame_rows.map_or(number, |rows| rows[number]);
        let labels: Vec<i32> = (0..training.rows()).map(|number| self.topics[row(number)]).collect();
        let count = labels.iter().max().map_or(0, |&last| (last + 1) as usize);
        let mut means = Array2::<f32>::zeros((training.vectors.columns(), count));
        let reader = training.vectors.reader();
        for (number, &label) in labels.iter().enumerate().filter(|(_, label)| **label != OUTLIER) {
            let place = training.places.map_or(number, |places| places[number] as usize);
            let unit = unit(reader.row(place));
            means.column_mut(label as usize).iter_mut().zip(unit).for_each(|(sum, x)| *sum += x);
        }
        for mut mean in means.columns_mut() {
            let unit = unit(&mean.to_vec());
            mean.iter_mut().zip(unit).for_each(|(x, unit)| *x = unit);
        }
        let probabilities = labels.iter().map(|&label| f64::from(u8::from(label != OUTLIER))).collect();
        let fitted = Given { vectors: Some(training.vectors.clone()), means, ..self.clone() };
        Ok(Clustering::new(labels, probabilities, fitted))
    }
}

impl FittedClusterer for Given {
    fn predict(&self, points: ArrayView2<'_, f32>, _progress: &Progress) -> Result<(Vec<i32>, Vec<f64>), Error> {
        Ok((vec![OUTLIER; points.nrows()], vec![0.0; points.nrows()]))
    }

    fn membership_vectors_of(&self, points: &[usize]) -> Result<Option<Array2<f64>>, Error> {
        let Some(vectors) = &self.vectors else { return Ok(None) };
        let (reader, topics) = (vectors.reader(), self.means.ncols());
        let means = self.means.as_slice().unwrap_or_default();
        let mut memberships = Array2::zeros((points.len(), topics));
        let rows = memberships.as_slice_mut().unwrap_or_default().par_chunks_mut(topics.max(1));
        rows.zip(points).for_each(|(shares, &point)| {
            let mut cosines = vec![0.0_f32; topics];
            for (x, means) in unit(reader.row(point)).into_iter().zip(means.chunks(topics.max(1))) {
                cosines.iter_mut().zip(means).for_each(|(cosine, mean)| *cosine += x * mean);
            }
            let all: f64 = cosines.iter().map(|&cosine| f64::from(cosine.max(0.0))).sum();
            let share = |cosine: f32| f64::from(cosine.max(0.0)) / all.max(f64::MIN_POSITIVE);
            shares.iter_mut().zip(cosines).for_each(|(to, cosine)| *to = share(cosine));
        });
        Ok(Some(memberships))
    }
}

fn unit(vector: &[f32]) -> Vec<f32> {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.iter().map(|x| if length > 0.0 { x / length } else { 0.0 }).collect()
}

/// The peak memory of the process since the last reset in MB, if the system reports it.
fn peak() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? * 1024.0 / 1e6)
}

fn reset_peak() {
    // If the system does not support this, the peak is that of the process so far.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// Runs a step, and prints its median time and its peak memory; `count` says how many rows its result has.
fn timed<T>(step: &str, runs: usize, mut run: impl FnMut() -> Outcome<T>, count: impl Fn(&T) -> usize) -> Outcome<T> {
    reset_peak();
    let mut seconds = Vec::new();
    let found = loop {
        let started = Instant::now();
        let found = run()?;
        seconds.push(started.elapsed().as_secs_f64());
        if seconds.len() >= runs {
            break found;
        }
    };
    seconds.sort_by(f64::total_cmp);
    let median = seconds[seconds.len() / 2];
    println!("{}", json!({ "step": step, "seconds": median, "peak": peak(), "rows": count(&found) }));
    Ok(found)
}

fn embed(bench: &Embed) -> Outcome<()> {
    let frame = read_frame_as_text(&bench.input, &[bench.text.as_str()])?;
    let frame = TopicModel::text(&bench.text, StaticEmbedder::builtin()).embed(&frame)?;
    Ok(write_frame(&frame, &bench.out)?)
}

fn model(bench: &Run, given: Given) -> TopicModel {
    let model = TopicModel::text(&bench.text, StaticEmbedder::builtin());
    let model = match bench.words {
        Words::Default => model,
        Words::Bertopic => {
            model.bertopic().cleaning(TextCleaning::None).vectorizer(CountVectorizer::new().stop_words(StopWords::None))
        }
    };
    model.embeddings(&bench.embeddings).reducer(NoReduction).clusterer(given)
}

fn run(bench: &Run) -> Outcome<()> {
    let frame = read_frame_as_text(&bench.input, &[bench.text.as_str()])?;
    let topics = frame.column(&bench.topics)?.cast(&DataType::Int32)?;
    let topics: Vec<i32> = topics.i32()?.iter().map(|topic| topic.unwrap_or(OUTLIER)).collect();
    let model = model(bench, Given::new(&topics));
    let topics = timed("fit", 1, || Ok(model.fit(&frame)?), |topics| topics.summary().rows)?;
    write(bench, "topics", || rows_of(&topics))?;
    let is_wanted = |step: Step| bench.steps.is_empty() || bench.steps.contains(&step);
    if is_wanted(Step::Hierarchy) {
        let tree = timed("hierarchy", bench.runs, || Ok(topics.hierarchical_topics()?.frame()?), DataFrame::height)?;
        // A list is not written to every format: the merged topics are left out.
        write(bench, "hierarchy", || Ok(tree.drop("Topics")?))?;
    }
    if is_wanted(Step::OverTime) || is_wanted(Step::Emerging) {
        let options = OverTimeOptions::new().nr_bins(bench.bins);
        let over_time = || Ok(topics.topics_over_time_with(&bench.time, &options)?);
        let found = timed("over_time", bench.runs, over_time, |found| found.frame().height())?;
        write(bench, "over_time", || Ok(found.frame()))?;
        let emerging = timed("emerging", bench.runs, || Ok(found.emerging_topics()?), DataFrame::height)?;
        write(bench, "emerging", || Ok(emerging))?;
    }
    if is_wanted(Step::PerClass) {
        let per_class = || Ok(topics.topics_per_class(&bench.class)?);
        let found = timed("per_class", bench.runs, per_class, DataFrame::height)?;
        write(bench, "per_class", || Ok(found))?;
    }
    if is_wanted(Step::Distribution) {
        let distribution = || Ok(topics.approximate_distribution(&ApproximateDistribution::new())?);
        let found = timed("distribution", bench.runs, distribution, |found| found.rows())?;
        write(bench, "distribution", || Ok(found.to_frame()?))?;
    }
    let strategies = [
        (Step::Probabilities, OutlierStrategy::Probabilities),
        (Step::Distributions, OutlierStrategy::Distributions),
        (Step::CTfIdf, OutlierStrategy::CTfIdf),
        (Step::Embeddings, OutlierStrategy::Embeddings),
    ];
    for (_, strategy) in strategies.into_iter().filter(|(step, _)| is_wanted(*step)) {
        let name = format!("outliers by {strategy}");
        let reduce = || Ok(topics.reduce_outliers(strategy)?);
        let fewer = timed(&name, bench.runs, reduce, |fewer| fewer.summary().outliers)?;
        write(bench, &format!("outliers_{strategy}"), || rows_of(&fewer))?;
    }
    let half = (topics.summary().topics / 2).max(1);
    let reductions = [
        (Step::ReduceTopics, "half the topics by words", ReduceTopics::to(half)),
        (Step::ReduceTopicsAuto, "automatic topics by words", ReduceTopics::to(NrTopics::Auto)),
    ];
    for (_, name, to) in reductions.into_iter().filter(|(step, ..)| is_wanted(*step)) {
        let to = to.use_ctfidf(true);
        timed(name, bench.runs, || Ok(topics.reduce_topics(to)?), |fewer| fewer.summary().topics)?;
    }
    Ok(())
}

/// The topic of each row.
fn rows_of(topics: &FittedTopicModel) -> Outcome<DataFrame> {
    Ok(df!("Topic" => topics.labels())?)
}

fn write(bench: &Run, name: &str, table: impl FnOnce() -> Outcome<DataFrame>) -> Outcome<()> {
    let Some(folder) = &bench.tables else { return Ok(()) };
    fs::create_dir_all(folder)?;
    let path: &Path = &folder.join(format!("{name}.arrow"));
    Ok(write_frame(&table()?, path)?)
}

fn main() -> ExitCode {
    let done = match Bench::parse() {
        Bench::Embed(bench) => embed(&bench),
        Bench::Run(bench) => run(&bench),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
