//! Benchmarks embedding with a model: the time of three runs after a warm-up in seconds, and peak memory, as JSON.
//!
//! ```sh
//! cargo run --release --example bench_embed -- texts MODEL_FOLDER DOCS.tsv --text TEXT_COLUMN
//! cargo run --release --example bench_embed -- images CLIP_FOLDER IMAGES_FOLDER
//! cargo run --release --example bench_embed -- captions VIT_GPT2_FOLDER IMAGES_FOLDER
//! ```
//!
//! `tests/peers/models.py time` measures Python libraries in the same way.

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use clap::{Args, Parser};
use topicframe::corpus::TextColumn;
use topicframe::files::{read_frame_as_text, write_frame};
use topicframe::prelude::*;

type Outcome<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[derive(Parser)]
#[command(about = "Benchmarks embedding with a model")]
enum Bench {
    /// Embeds texts with a sentence-transformers model, or with CLIP or SigLIP.
    Texts(Texts),
    /// Embeds images with CLIP or SigLIP.
    Images(Images),
    /// Captions images with ViT-GPT2 or BLIP.
    Captions(Images),
}

#[derive(Args)]
struct Images {
    /// The model folder.
    model: PathBuf,
    /// A folder of images.
    input: PathBuf,
    /// Maximum number of images to use.
    #[arg(long, default_value_t = usize::MAX)]
    rows: usize,
    /// Number of measured runs.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Device: `cpu`, or `cuda` if built with the feature `cuda`.
    #[arg(long, default_value_t = Device::Cpu)]
    device: Device,
    /// Number of beams in beam search.
    #[arg(long, default_value_t = 1)]
    beams: usize,
}

#[derive(Args)]
struct Texts {
    /// The model folder.
    model: PathBuf,
    /// A file with a text column.
    input: PathBuf,
    /// The text column.
    #[arg(long)]
    text: String,
    /// Maximum number of rows to use.
    #[arg(long, default_value_t = usize::MAX)]
    rows: usize,
    /// Device: `cpu`, or `cuda` if built with the feature `cuda`.
    #[arg(long, default_value_t = Device::Cpu)]
    device: Device,
    /// Writes the embeddings here (.parquet or .arrow).
    #[arg(long)]
    out: Option<PathBuf>,
    /// Number of measured runs.
    #[arg(long, default_value_t = 3)]
    runs: usize,
}

fn main() -> Outcome<()> {
    match Bench::parse() {
        Bench::Texts(texts) => texts.run(),
        Bench::Images(images) => {
            let started = Instant::now();
            let model = MultiModalBackend::from_dir(&images.model)?.device(images.device)?;
            images.run(started, |sources| Ok(model.embed_images(sources)?.nrows()))
        }
        Bench::Captions(images) => {
            let started = Instant::now();
            let model = Captioner::from_dir(&images.model)?.device(images.device)?.num_beams(images.beams);
            images.run(started, |sources| Ok(model.caption_images(sources, &Progress::silent())?.len()))
        }
    }
}

impl Images {
    fn run(&self, started: Instant, work: impl Fn(&[ImageSource<'_>]) -> Outcome<usize>) -> Outcome<()> {
        let loading = started.elapsed().as_secs_f64();
        let frame = read_image_folder(&self.input)?.head(Some(self.rows));
        let column = TextColumn::read(&frame, "image")?;
        let paths = (0..column.len()).filter_map(|row| column.raw(row));
        let sources: Vec<ImageSource<'_>> = paths.map(|path| ImageSource::File(self.input.join(path))).collect();
        let warm_up = sources.get(..sources.len().min(8)).unwrap_or_default();
        work(warm_up)?;
        let mut seconds = Vec::new();
        for _ in 0..self.runs {
            let started = Instant::now();
            work(&sources)?;
            seconds.push(started.elapsed().as_secs_f64());
        }
        report(sources.len(), loading, &seconds);
        Ok(())
    }
}

impl Texts {
    fn run(&self) -> Outcome<()> {
        let frame = read_frame_as_text(&self.input, &[&self.text])?.head(Some(self.rows));
        let column = TextColumn::read(&frame, &self.text)?;
        let texts: Vec<&str> = (0..column.len()).map(|row| column.raw(row).unwrap_or_default()).collect();
        let started = Instant::now();
        let model = LoadedEmbedder::load(&self.model.to_string_lossy(), self.device, &Progress::silent())?;
        let loading = started.elapsed().as_secs_f64();
        let embedder: &dyn TextEmbedder = match &model {
            LoadedEmbedder::SentenceTransformer(model) => model,
            LoadedEmbedder::MultiModal(model) => model,
            other => return Err(format!("{other:?} is not supported by this benchmark").into()),
        };
        let warm_up: Vec<&str> = texts.iter().take(64).copied().collect();
        embedder.embed_texts(&warm_up, &Progress::silent())?;
        let mut vectors = ndarray::Array2::zeros((0, 0));
        let mut seconds = Vec::new();
        for _ in 0..self.runs {
            let started = Instant::now();
            vectors = embedder.embed_texts(&texts, &Progress::silent())?;
            seconds.push(started.elapsed().as_secs_f64());
        }
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

/// The peak memory of the process in MiB, as reported by Linux.
fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib / 1024)
}
