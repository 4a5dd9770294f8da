//! Benchmarks a fit: time in seconds and peak memory of each stage, and the quality of neighbors and layout.
//!
//! ```sh
//! cargo run --release --example bench_fit -- fit examples/data/openclipart/captions.csv --text caption
//! cargo run --release --example bench_fit -- texts examples/data/openclipart/captions.csv --text caption --rows 100000 --out many.arrow
//! cargo run --release --example bench_fit -- fit many.arrow --text text
//! ```
//!
//! `tests/peers/compare.py` compares this with Python libraries. Peak memory is that of the process during the stage,
//! as reported by Linux; on other systems it is not shown.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use clap::{Args, Parser};
use topicframe::cluster::hdbscan::FittedHdbscan;
use topicframe::corpus::{Embeddings, TextColumn};
use topicframe::error::Stage;
use topicframe::files::read_frame_as_text;
use topicframe::linalg::vectors::Vectors;
use topicframe::ndarray::Array2;
use topicframe::neighbors::{Metric, NeighborIndex, NeighborSearch};
use topicframe::prelude::*;
use topicframe::progress::{Event, ProgressSink};

type Outcome<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[derive(Parser)]
#[command(about = "Benchmarks a fit")]
enum Bench {
    /// A complete fit, stage by stage.
    Fit(Fit),
    /// Nearest-neighbor search: time, and recall against an exact search for a sample of rows.
    Neighbors(Numbers),
    /// UMAP including nearest-neighbor search: time, and trustworthiness and neighbor preservation for a sample of
    /// rows.
    Umap(Numbers),
    /// HDBSCAN on points: time.
    Hdbscan(Numbers),
    /// Generates many texts from few: each joins two texts of the input that are close together in it.
    Texts(Texts),
}

#[derive(Args)]
struct Fit {
    /// A file with a text column.
    input: PathBuf,
    /// The text column.
    #[arg(long)]
    text: String,
    /// A column of embeddings; without it the built-in embedder runs.
    #[arg(long)]
    embeddings: Option<String>,
    /// Minimum number of texts in a topic.
    #[arg(long, default_value_t = 10)]
    min_cluster_size: usize,
}

#[derive(Args)]
struct Numbers {
    /// A file with a column of embeddings, points or texts.
    input: PathBuf,
    /// A text column to embed with the built-in embedder.
    #[arg(long)]
    text: Option<String>,
    /// The column of the embeddings or points.
    #[arg(long, default_value = "embedding")]
    column: String,
    /// Nearest-neighbor search method: auto, exact or approximate.
    #[arg(long, default_value_t = NeighborSearch::Auto)]
    search: NeighborSearch,
    /// Minimum number of points in a cluster for `hdbscan`.
    #[arg(long, default_value_t = 30)]
    min_cluster_size: usize,
    /// The random seed for `umap`.
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Number of rows to measure quality on; 0 for none.
    #[arg(long, default_value_t = 1000)]
    sample: usize,
    /// Writes the points of `umap` or the labels of `hdbscan`: one column, null for a row without an embedding.
    #[arg(long)]
    out: Option<PathBuf>,
}

#[derive(Args)]
struct Texts {
    /// A file with a text column.
    input: PathBuf,
    /// The text column.
    #[arg(long)]
    text: String,
    /// Number of texts to generate.
    #[arg(long)]
    rows: usize,
    /// Where to write them, in the column `text`.
    #[arg(long)]
    out: PathBuf,
}

/// Times each task, and prints a line when it ends.
#[derive(Default)]
struct Stopwatch {
    running: Mutex<Vec<(String, Instant)>>,
}

impl ProgressSink for Stopwatch {
    fn event(&self, event: &Event) {
        let Ok(mut running) = self.running.lock() else { return };
        match event {
            Event::Started { stage, task, .. } => {
                reset_peak();
                running.push((format!("{stage}: {task}"), Instant::now()));
            }
            Event::Finished { .. } => {
                if let Some((name, started)) = running.pop() {
                    line(&name, started);
                }
            }
            Event::Note { stage, message } => println!("{stage}: {message}"),
            _ => {}
        }
    }
}

fn line(name: &str, started: Instant) {
    let peak = peak().map_or(String::new(), |bytes| format!("{:>9.0} MB", bytes as f64 / 1e6));
    println!("{name:<36}{:>9.3} s{peak}", started.elapsed().as_secs_f64());
}

/// The peak memory of the process since the last reset, if the system reports it.
fn peak() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
}

fn reset_peak() {
    // If the system does not support this, the peak is that of the process so far.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

fn fit(bench: &Fit) -> Outcome<()> {
    let started = Instant::now();
    let frame = read_frame_as_text(&bench.input, &[bench.text.as_str()])?;
    line("read", started);
    let mut model = TopicModel::text(&bench.text, StaticEmbedder::builtin())
        .min_topic_size(bench.min_cluster_size)
        .with_progress(Progress::to(Arc::new(Stopwatch::default())));
    if let Some(column) = &bench.embeddings {
        model = model.embeddings(column);
    }
    let started = Instant::now();
    let topics = model.fit(&frame)?;
    line("fit", started);
    let summary = topics.summary();
    println!("{} rows, {} topics, {} outliers", summary.rows, summary.topics, summary.outliers);
    merge(&topics)
}

/// Five topics become two, five times over.
fn merge(topics: &FittedTopicModel) -> Outcome<()> {
    if topics.summary().topics < 10 {
        return Ok(());
    }
    let mut seconds = Vec::new();
    for _ in 0..5 {
        let started = Instant::now();
        topics.merge_topics(&[&[1, 2], &[4, 7, 9]])?;
        seconds.push(started.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    println!("{:<32} {:>8.4} s, the median of 5", "merge of 5 topics into 2", seconds[2]);
    Ok(())
}

/// The frame, its rows that have an embedding, and their embeddings.
fn vectors_of(bench: &Numbers) -> Outcome<(DataFrame, Vec<usize>, Vectors)> {
    let mut frame = read_frame_as_text(&bench.input, &[])?;
    if let Some(text) = &bench.text {
        frame = TopicModel::text(text, StaticEmbedder::builtin()).embed(&frame)?;
    }
    let embeddings = Embeddings::read(&frame, &bench.column)?;
    let rows: Vec<usize> = (0..embeddings.len()).filter(|&row| embeddings.has(row)).collect();
    let vectors = embeddings.of_rows(&rows)?;
    Ok((frame, rows, vectors))
}

/// A sample of evenly spaced rows.
fn sample(rows: usize, count: usize) -> Vec<usize> {
    let count = count.min(rows);
    (0..count).map(|number| number * rows / count).collect()
}

fn neighbors(bench: &Numbers) -> Outcome<()> {
    let (_, _, vectors) = vectors_of(bench)?;
    let silent = Progress::silent();
    let started = Instant::now();
    let index = NeighborIndex::new(vectors.clone(), Metric::Cosine, Stage::Reduce)?;
    let index = index.searched(bench.search, Stage::Reduce, &silent)?;
    line("index", started);
    let found = index.neighbors(15, Stage::Reduce, &silent)?;
    line("neighbors", started);
    let rows = sample(vectors.rows(), bench.sample);
    if rows.is_empty() {
        return Ok(());
    }
    let Some(queries) = vectors.select(&rows) else { return Ok(()) };
    let exact = NeighborIndex::new(vectors, Metric::Cosine, Stage::Reduce)?;
    let exact = exact.query(queries.clone(), 15, Stage::Reduce, &silent)?;
    println!(
        "recall {:.4} of {} rows",
        recall(rows.iter().map(|&row| found.row(row).0), exact.k, &exact.indices),
        rows.len()
    );
    let started = Instant::now();
    let new = index.query(queries, 15, Stage::Reduce, &silent)?;
    line("new rows", started);
    println!(
        "recall {:.4} of {} new rows",
        recall((0..rows.len()).map(|row| new.row(row).0), exact.k, &exact.indices),
        rows.len()
    );
    Ok(())
}

fn recall<'a>(found: impl Iterator<Item = &'a [u32]>, k: usize, exact: &[u32]) -> f64 {
    let hits: usize = found
        .zip(exact.chunks_exact(k))
        .map(|(found, exact)| exact.iter().filter(|index| found.contains(index)).count())
        .sum();
    hits as f64 / exact.len() as f64
}

fn umap(bench: &Numbers) -> Outcome<()> {
    let (frame, rows, vectors) = vectors_of(bench)?;
    let progress = Progress::to(Arc::new(Stopwatch::default()));
    let started = Instant::now();
    let fitted = Umap::new().neighbor_search(bench.search).fit_layout(vectors.clone(), bench.seed, &progress)?;
    line("umap", started);
    let layout = fitted.embedding().clone();
    if bench.sample > 0 && vectors.rows() > 100 {
        let (trust, kept) = quality(&vectors, &layout, &sample(vectors.rows(), bench.sample), 15)?;
        println!(
            "trustworthiness {trust:.4}, neighbors preserved {kept:.4}, k = 15, {} rows",
            bench.sample.min(vectors.rows())
        );
    }
    match &bench.out {
        Some(out) => Ok(write_points(out, &frame, &rows, layout)?),
        None => Ok(()),
    }
}

fn write_points(out: &PathBuf, frame: &DataFrame, rows: &[usize], points: Array2<f32>) -> Result<(), Error> {
    let column = Embeddings::scatter(points, rows, frame.height())?.to_column("points")?;
    let table = DataFrame::new(frame.height(), vec![column])
        .map_err(|error| Error::new(ErrorKind::Internal, Stage::Input, "no frame").with_cause(error))?;
    write_frame(&table, out)
}

/// Trustworthiness (Venna and Kaski 2001) and the fraction of neighbors that are also neighbors in the layout, both for
/// `rows`, each compared with all rows.
fn quality(vectors: &Vectors, layout: &Array2<f32>, rows: &[usize], k: usize) -> Outcome<(f64, f64)> {
    let silent = Progress::silent();
    let all = vectors.rows();
    let placed = NeighborIndex::new(layout.view(), Metric::Euclidean, Stage::Reduce)?;
    let points = Vectors::from(layout.view());
    let Some(queries) = points.select(rows) else { return Ok((0.0, 0.0)) };
    let near = placed.query(queries, k + 1, Stage::Reduce, &silent)?;
    let reader = vectors.reader();
    let norm = |row: &[f32]| row.iter().map(|x| x * x).sum::<f32>().sqrt();
    let norms: Vec<f32> = (0..all).map(|row| norm(reader.row(row))).collect();
    let (mut penalty, mut kept) = (0.0, 0);
    for (number, &row) in rows.iter().enumerate() {
        let own = reader.row(row);
        let closeness =
            |other: usize| reader.row(other).iter().zip(own).map(|(x, y)| x * y).sum::<f32>() / norms[other].max(1e-30);
        let closeness: Vec<f32> = (0..all).map(closeness).collect();
        for &other in near.row(number).0.iter().filter(|&&other| other as usize != row).take(k) {
            let limit = closeness[other as usize];
            let nearer = (0..all).filter(|&third| third != row && closeness[third] > limit).count();
            penalty += (nearer + 1).saturating_sub(k) as f64;
            kept += usize::from(nearer < k);
        }
    }
    let worst = (rows.len() * k) as f64 * (2 * all - 3 * k - 1) as f64 / 2.0;
    Ok((1.0 - penalty / worst, kept as f64 / (rows.len() * k) as f64))
}

fn hdbscan(bench: &Numbers) -> Outcome<()> {
    let (frame, rows, vectors) = vectors_of(bench)?;
    let started = Instant::now();
    let settings = Hdbscan::new().min_cluster_size(bench.min_cluster_size);
    let fitted: FittedHdbscan = settings.cluster(vectors.to_matrix().view(), &Progress::silent())?;
    line("hdbscan", started);
    let outliers = fitted.labels().iter().filter(|&&label| label < 0).count();
    println!("{} clusters, {outliers} outliers", fitted.n_clusters());
    if let Some(out) = &bench.out {
        let mut labels = vec![None; frame.height()];
        rows.iter().zip(fitted.labels()).for_each(|(&row, &label)| labels[row] = Some(label));
        let labels = Column::new("label".into(), labels);
        write_frame(&DataFrame::new(frame.height(), vec![labels])?, out)?;
    }
    Ok(())
}

fn texts(bench: &Texts) -> Outcome<()> {
    let frame = read_frame_as_text(&bench.input, &[bench.text.as_str()])?;
    let column = TextColumn::read(&frame, &bench.text)?;
    let rows = column.rows();
    if rows.is_empty() {
        return Err("the input has no texts to generate others from".into());
    }
    let text = |place: usize| column.get(rows[place % rows.len()]).unwrap_or("");
    // The first text cycles through the input; the second follows it at an offset that changes in each cycle.
    let pair = |number: usize| {
        let after = 1 + (number / rows.len()).wrapping_mul(7) % rows.len();
        format!("{}; {}", text(number), text(number + after))
    };
    let many: Vec<String> = (0..bench.rows).map(pair).collect();
    write_frame(&df!("text" => many)?, &bench.out)?;
    Ok(())
}

fn main() -> Outcome<()> {
    match Bench::parse() {
        Bench::Fit(bench) => fit(&bench),
        Bench::Neighbors(bench) => neighbors(&bench),
        Bench::Umap(bench) => umap(&bench),
        Bench::Hdbscan(bench) => hdbscan(&bench),
        Bench::Texts(bench) => texts(&bench),
    }
}
