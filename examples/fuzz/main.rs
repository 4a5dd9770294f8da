//! Searches for files that crash the process, hang it or exhaust memory, by feeding mutated files to each reader.
//!
//! ```sh
//! cargo run --release --example fuzz -- once
//! cargo run --release --example fuzz -- run csv --minutes 10
//! ```
//!
//! `once` reads every file of the corpora (`tests/fixtures/fuzz/TARGET`, the small models in `tests/fixtures/models`, and
//! saved topic models, which are fitted for this) unmodified; CI does this. `run` mutates them. Each file is read by a worker, a separate
//! process limited to 10 seconds and 2 GB per file; a file that it does not survive is saved in `target/fuzz`, and
//! should be added to the corpus once the bug is fixed. The seed determines the mutations. Unix only: the memory limit
//! is set by the shell.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};

mod corpus;
mod mutate;
mod saved;
mod target;
mod worker;

use mutate::Random;
use target::Target;
use worker::{Verdict, Worker};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

#[derive(Parser)]
#[command(about = "Feeds mutated files to each reader")]
enum Fuzz {
    /// Reads every file of the corpora once, unmodified.
    Once,
    /// Reads mutations of one target's corpus.
    Run {
        /// The reader.
        target: Target,
        /// How long to run.
        #[arg(long, default_value_t = 10.0)]
        minutes: f64,
        /// The random seed: the same seed produces the same mutations.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Where to save files that the worker does not survive.
        #[arg(long, default_value = "target/fuzz")]
        findings: PathBuf,
    },
    /// Reads the files named on standard input, one per line, and reports the result of each.
    #[command(hide = true)]
    Work { target: Target },
}

fn main() -> Outcome<ExitCode> {
    match Fuzz::parse() {
        Fuzz::Once => once(),
        Fuzz::Run { target, minutes, seed, findings } => run(target, minutes, seed, &findings),
        Fuzz::Work { target } => worker::work(target).map(|()| ExitCode::SUCCESS),
    }
}

fn once() -> Outcome<ExitCode> {
    let mut bad = 0;
    for &target in Target::value_variants() {
        let corpus = tempfile::tempdir()?;
        let seeds = corpus::seeds(target, corpus.path())?;
        let mut worker = Worker::start(target)?;
        let (mut read, mut refused) = (0, 0);
        for seed in &seeds {
            match worker.read(&seed.path)? {
                Verdict::Read => read += 1,
                Verdict::Refused(_) => refused += 1,
                verdict => {
                    bad += 1;
                    println!("{target}: {} {verdict}", seed.path.display());
                    worker = Worker::start(target)?;
                }
            }
        }
        println!("{target}: {} files, {read} read, {refused} refused with an error", seeds.len());
    }
    Ok(if bad == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn run(target: Target, minutes: f64, seed: u64, findings: &Path) -> Outcome<ExitCode> {
    let corpus = tempfile::tempdir()?;
    let seeds = corpus::seeds(target, corpus.path())?;
    let folder = tempfile::tempdir()?;
    let mut random = Random::new(seed);
    let mut worker = Worker::start(target)?;
    let (started, length) = (Instant::now(), Duration::from_secs_f64(60.0 * minutes));
    let (mut inputs, mut read, mut found) = (0_u64, 0_u64, 0);
    let mut slowest = Duration::ZERO;
    let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
    while started.elapsed() < length {
        let path = corpus::mutant(target, &seeds, folder.path(), &mut random)?;
        let began = Instant::now();
        let verdict = worker.read(&path)?;
        slowest = slowest.max(began.elapsed());
        inputs += 1;
        match verdict {
            Verdict::Read => read += 1,
            Verdict::Refused(reason) => *reasons.entry(reason).or_default() += 1,
            verdict => {
                found += 1;
                let kept = corpus::keep(&path, findings, &format!("{target}-{seed}-{inputs}"))?;
                println!("{} {verdict}", kept.display());
                worker = Worker::start(target)?;
            }
        }
        // The aftereffects of one file should not be attributed to another.
        if inputs % 2_000 == 0 {
            worker = Worker::start(target)?;
        }
    }
    println!(
        "{target}: {inputs} files in {:.0} s, {read} read, {} refused, {found} failures; the slowest took {:.2} s",
        started.elapsed().as_secs_f64(),
        inputs - read - found,
        slowest.as_secs_f64()
    );
    let mut reasons: Vec<(String, u64)> = reasons.into_iter().collect();
    reasons.sort_by_key(|(reason, count)| (std::cmp::Reverse(*count), reason.clone()));
    for (reason, count) in reasons.iter().take(12) {
        println!("{count:>9}  {reason}");
    }
    Ok(if found == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Files and folders below `folder`, in order.
fn entries(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    Ok(paths)
}
