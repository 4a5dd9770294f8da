//! What embedding with a model costs: seconds of three runs after a warm-up, and peak memory, as JSON.
//!
//! ```sh
//! cargo run --release --example bench_embed -- texts MODEL_FOLDER DOCS.tsv --text TEXT_COLUMN
//! ```
//!
//! `tests/peers/models.py time` measures Python's libraries the same way.

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use clap::{Args, Parser};
use topicframe::corpus::TextColumn;
use topicframe::embed::{SentenceTransformer, TextEmbedder};
use topicframe::files::{read_frame_as_text, write_frame};
use topicframe::prelude::*;

type Outcome<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[derive(Parser)]
#[command(about = "What embedding with a model costs")]
enum Bench {
    /// Texts with a sentence-transformers model.
    Texts(Texts),
}

#[derive(Args)]
struct Texts {
    /// The folder of the model.
    model: PathBuf,
    /// A file with a column of texts.
    input: PathBuf,
    /// The column of the texts.
    #[arg(long)]
    text: String,
    /// Takes the first rows only.
    #[arg(long, default_value_t = usize::MAX)]
    rows: usize,
    /// Writes the vectors here (.parquet or .arrow).
    #[arg(long)]
    out: Option<PathBuf>,
    /// Runs that are measured.
    #[arg(long, default_value_t = 3)]
    runs: usize,
}

fn main() -> Outcome<()> {
    match Bench::parse() {
        Bench::Texts(texts) => texts.run(),
    }
}

impl Texts {
    fn run(&self) -> Outcome<()> {
        let frame = read_frame_as_text(&self.input, &[&self.text])?.head(Some(self.rows));
        let column = TextColumn::read(&frame, &self.text)?;
        let texts: Vec<&str> = (0..column.len()).map(|row| column.raw(row).unwrap_or_default()).collect();
        let started = Instant::now();
        let model = SentenceTransformer::from_dir(&self.model)?;
        let loading = started.elapsed().as_secs_f64();
        let warm_up: Vec<&str> = texts.iter().take(64).copied().collect();
        model.embed_texts(&warm_up, &Progress::silent())?;
        let mut vectors = ndarray::Array2::zeros((0, 0));
        let seconds = (0..self.runs).map(|_| {
            let started = Instant::now();
            vectors = model.embed_texts(&texts, &Progress::silent())?;
            Ok(started.elapsed().as_secs_f64())
        });
        let seconds = seconds.collect::<topicframe::error::Result<Vec<f64>>>()?;
        report(texts.len(), loading, &seconds);
        if let Some(path) = &self.out {
            let rows: Vec<usize> = (0..texts.len()).collect();
            let column =
                topicframe::corpus::Embeddings::scatter(vectors, &rows, texts.len())?.to_column("embedding")?;
            write_frame(&DataFrame::new(texts.len(), vec![column])?, path)?;
        }
        Ok(())
    }
}

fn report(items: usize, loading: f64, seconds: &[f64]) {
    let mut sorted = seconds.to_vec();
    sorted.sort_by(f64::total_cmp);
    let median = sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN);
    let peak = peak_memory().map_or("null".to_owned(), |mib| mib.to_string());
    println!(
        "{{\"items\": {items}, \"loading\": {loading:.2}, \"seconds\": {seconds:.2?}, \"median\": {median:.2}, \
         \"per_second\": {:.1}, \"peak_mib\": {peak}}}",
        items as f64 / median
    );
}

/// The most memory that the process has held, in MiB, as Linux counts it.
fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib / 1024)
}
