//! What embedding with a model costs: seconds of three runs after a warm-up, and peak memory, as JSON.
//!
//! ```sh
//! cargo run --release --example bench_embed -- texts MODEL_FOLDER DOCS.tsv --text TEXT_COLUMN
//! cargo run --release --example bench_embed -- clip-texts MODEL_FOLDER DOCS.tsv --text TEXT_COLUMN
//! cargo run --release --example bench_embed -- clip-images MODEL_FOLDER IMAGES_FOLDER
//! ```
//!
//! `tests/peers/models.py time` measures Python's libraries the same way.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, Parser};
use topicframe::corpus::TextColumn;
use topicframe::files::{read_frame_as_text, write_frame};
use topicframe::prelude::*;

type Outcome<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[derive(Parser)]
#[command(about = "What embedding with a model costs")]
enum Bench {
    /// Texts with a sentence-transformers model.
    Texts(Texts),
    /// Texts with CLIP or SigLIP.
    ClipTexts(Texts),
    /// The images of a folder with CLIP or SigLIP.
    ClipImages(Images),
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

#[derive(Args)]
struct Images {
    /// The folder of the model.
    model: PathBuf,
    /// A folder of images.
    input: PathBuf,
    /// Takes the first images only, by name.
    #[arg(long, default_value_t = usize::MAX)]
    rows: usize,
    /// Runs that are measured.
    #[arg(long, default_value_t = 3)]
    runs: usize,
}

fn main() -> Outcome<()> {
    match Bench::parse() {
        Bench::Texts(texts) => texts.run(|folder| Ok(Box::new(SentenceTransformer::from_dir(folder)?))),
        Bench::ClipTexts(texts) => texts.run(|folder| Ok(Box::new(MultiModalBackend::from_dir(folder)?))),
        Bench::ClipImages(images) => images.run(),
    }
}

impl Images {
    fn run(&self) -> Outcome<()> {
        let mut files: Vec<PathBuf> =
            fs::read_dir(&self.input)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
        files.sort();
        let images: Vec<ImageSource<'_>> = files.into_iter().take(self.rows).map(ImageSource::from).collect();
        let started = Instant::now();
        let model = MultiModalBackend::from_dir(&self.model)?;
        let loading = started.elapsed().as_secs_f64();
        model.embed_images(&images[..images.len().min(32)])?;
        let seconds = (0..self.runs).map(|_| {
            let started = Instant::now();
            model.embed_images(&images)?;
            Ok(started.elapsed().as_secs_f64())
        });
        report(images.len(), loading, &seconds.collect::<topicframe::error::Result<Vec<f64>>>()?);
        Ok(())
    }
}

type Load = fn(&Path) -> topicframe::error::Result<Box<dyn TextEmbedder>>;

impl Texts {
    fn run(&self, load: Load) -> Outcome<()> {
        let frame = read_frame_as_text(&self.input, &[&self.text])?.head(Some(self.rows));
        let column = TextColumn::read(&frame, &self.text)?;
        let texts: Vec<&str> = (0..column.len()).map(|row| column.raw(row).unwrap_or_default()).collect();
        let started = Instant::now();
        let model = load(&self.model)?;
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
