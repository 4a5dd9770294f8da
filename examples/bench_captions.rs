//! What captions cost: seconds of some runs after a warm-up, from files to sentences, and peak memory, as JSON.
//!
//! ```sh
//! cargo run --release --example bench_captions -- MODEL_FOLDER IMAGES_FOLDER --beams 4
//! ```
//!
//! `tests/peers/models.py time captions` measures transformers the same way.

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use clap::Parser;
use topicframe::embed::{Captioner, ImageCaptioner};
use topicframe::progress::Progress;
use topicframe::vision::ImageSource;

type Outcome<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[derive(Parser)]
#[command(about = "What captions cost")]
struct Bench {
    /// The folder of the model.
    model: PathBuf,
    /// A folder of images.
    images: PathBuf,
    /// Beams; 1 is greedy.
    #[arg(long, default_value_t = 1)]
    beams: usize,
    /// Images that a thread captions at once.
    #[arg(long, default_value_t = 8)]
    batch: usize,
    /// Tokens of a caption.
    #[arg(long, default_value_t = 20)]
    length: usize,
    /// Takes the images so many times.
    #[arg(long, default_value_t = 1)]
    repeat: usize,
    /// Runs that are measured.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Prints the captions.
    #[arg(long)]
    show: bool,
}

fn main() -> Outcome<()> {
    let bench = Bench::parse();
    let files = fs::read_dir(&bench.images)?.map(|file| Ok(file?.path())).collect::<std::io::Result<Vec<PathBuf>>>();
    let mut files = files?;
    files.sort();
    let repeated = (0..bench.repeat).flat_map(|_| &files);
    let images: Vec<ImageSource<'_>> = repeated.cloned().map(ImageSource::File).collect();
    let started = Instant::now();
    let captioner = Captioner::from_dir(&bench.model)?;
    let captioner = captioner.num_beams(bench.beams).max_length(bench.length).batch_size(bench.batch);
    let loading = started.elapsed().as_secs_f64();
    captioner.caption_images(images.get(..2).unwrap_or(&images), &Progress::silent())?;
    let mut seconds = Vec::new();
    for run in 0..bench.runs {
        let started = Instant::now();
        let captions = captioner.caption_images(&images, &Progress::silent())?;
        seconds.push(started.elapsed().as_secs_f64());
        if bench.show && run == 0 {
            files.iter().zip(&captions).for_each(|(file, caption)| println!("{}: {caption:?}", file.display()));
        }
    }
    seconds.sort_by(f64::total_cmp);
    let median = seconds.get(seconds.len() / 2).copied().unwrap_or(f64::NAN);
    let peak = peak_memory().map_or("null".to_owned(), |mib| mib.to_string());
    println!(
        "{{\"items\": {}, \"loading\": {loading:.2}, \"seconds\": {seconds:.2?}, \"median\": {median:.2}, \
         \"per_second\": {:.2}, \"peak_mib\": {peak}}}",
        images.len(),
        images.len() as f64 / median
    );
    Ok(())
}

/// The most memory that the process has held, in MiB, as Linux counts it.
fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib / 1024)
}
