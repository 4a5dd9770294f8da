//! Benchmarks the topics of a fit against labels, which are used only for scores.
//!
//! ```sh
//! cargo run --release --example bench_quality -- posts.tsv --text text --embeddings vectors.npy --labels label
//! cargo run --release --example bench_quality -- posts.arrow --text text --embeddings embedding --labels label \
//!     --clusterer hdbscan --seed 1,2,3
//! ```
//!
//! For each seed it prints the seconds of the fit, the number of topics, the share of outliers, NMI, ARI, purity and
//! hit; for several seeds also the mean ARI between them. `tests/peers/quality.py` runs this beside Python libraries,
//! and adds the scores of words.

use std::collections::HashMap;
use std::fs;
use std::hash::Hash;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, ValueEnum};
use serde_json::json;
use topicframe::cluster::OUTLIER;
use topicframe::corpus::{Embeddings, TextColumn};
use topicframe::files::read_frame_as_text;
use topicframe::ndarray::Array2;
use topicframe::polars::prelude::DataType;
use topicframe::prelude::*;

type Outcome<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[derive(Parser)]
#[command(about = "Benchmarks the topics of a fit against labels")]
struct Bench {
    /// A file with a text column.
    input: PathBuf,
    /// The text column.
    #[arg(long)]
    text: String,
    /// A column of embeddings, or a .npy file with a row for each text; without it the built-in embedder runs.
    #[arg(long)]
    embeddings: Option<String>,
    /// A column of labels, for scores. Rows without a label are not scored.
    #[arg(long)]
    labels: Option<String>,
    /// What finds the topics.
    #[arg(long, value_enum, default_value = "communities")]
    clusterer: Choice,
    /// The number of topics. HDBSCAN's are reduced to it.
    #[arg(long)]
    n_clusters: Option<usize>,
    /// The weight of the texts' words in the graph of the communities, 0 to 1.
    #[arg(long)]
    lexical_weight: Option<f64>,
    /// The minimum number of texts in a topic.
    #[arg(long, default_value_t = 10)]
    min_topic_size: usize,
    /// The share of outliers, 0 to 1: the rows of the lowest probability leave their topics, whose words stay the same.
    #[arg(long)]
    outliers: Option<f64>,
    /// Prints, for tenths of the rows by their probability, its mean and the share of rows whose label is the most
    /// frequent one of their topic.
    #[arg(long)]
    calibration: bool,
    /// Numbers of topics at which the tree of the last fit is cut, separated by commas: prints how long each takes, the
    /// share of the largest topic, and the scores.
    #[arg(long, value_delimiter = ',')]
    at: Vec<usize>,
    /// The random seeds, separated by commas.
    #[arg(long, value_delimiter = ',', default_value = "42")]
    seed: Vec<u64>,
    /// Writes the last fit as JSON Lines: first an object with `seconds`, and `Topic` and `Words` of each of `topics`;
    /// then one with `Topic` and `Probability` for each row.
    #[arg(long)]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Choice {
    /// Communities of the neighbor graph.
    Communities,
    /// UMAP and HDBSCAN.
    Hdbscan,
}

/// The topics of one fit.
struct Found {
    topics: FittedTopicModel,
    seconds: f64,
    labels: Vec<i32>,
    probabilities: Vec<f64>,
    words: Vec<(i32, Vec<String>)>,
}

fn read(bench: &Bench) -> Outcome<DataFrame> {
    let texts: Vec<&str> =
        [Some(&bench.text), bench.labels.as_ref()].into_iter().flatten().map(String::as_str).collect();
    let mut frame = read_frame_as_text(&bench.input, &texts)?;
    if let Some(file) = bench.embeddings.as_ref().filter(|name| name.ends_with(".npy")) {
        let vectors = read_npy(Path::new(file))?;
        if vectors.nrows() != frame.height() {
            return Err(format!("{file} has {} vectors, but there are {} rows", vectors.nrows(), frame.height()).into());
        }
        // A row of zeros is one without a vector.
        let rows: Vec<usize> = (0..vectors.nrows()).filter(|&row| vectors.row(row).iter().any(|&x| x != 0.0)).collect();
        let vectors = vectors.select(topicframe::ndarray::Axis(0), &rows);
        frame.with_column(Embeddings::scatter(vectors, &rows, frame.height())?.to_column("embedding")?)?;
    }
    let vectors = bench.embeddings.as_ref().filter(|name| !name.ends_with(".npy"));
    for name in [Some(&bench.text), bench.labels.as_ref(), vectors].into_iter().flatten() {
        let known: Vec<&str> = frame.get_column_names().into_iter().map(|name| name.as_str()).collect();
        if !known.contains(&name.as_str()) {
            let input = bench.input.display();
            return Err(format!("{input} has no column {name}; its columns are {}", known.join(", ")).into());
        }
    }
    Ok(frame)
}

/// A matrix of `f32` or `f64` values that NumPy saved, row by row.
fn read_npy(path: &Path) -> Outcome<Array2<f32>> {
    let bytes = fs::read(path)?;
    let invalid = || format!("{} is not a matrix of float32 or float64 in NumPy's format", path.display());
    let (start, length) = match bytes.get(..12) {
        Some([0x93, b'N', b'U', b'M', b'P', b'Y', 1, _, a, b, ..]) => (10, u32::from_le_bytes([*a, *b, 0, 0])),
        Some([0x93, b'N', b'U', b'M', b'P', b'Y', _, _, a, b, c, d]) => (12, u32::from_le_bytes([*a, *b, *c, *d])),
        _ => return Err(invalid().into()),
    };
    let end = start + length as usize;
    let header = std::str::from_utf8(bytes.get(start..end).ok_or_else(invalid)?)?;
    let shape = header.split(['(', ')']).nth(1).ok_or_else(invalid)?;
    let shape: Vec<usize> = shape.split(',').filter_map(|size| size.trim().parse().ok()).collect();
    let by_row = header.contains("'fortran_order': False");
    let values: Vec<f32> = if header.contains("<f4") {
        bytes[end..].as_chunks().0.iter().map(|&value| f32::from_le_bytes(value)).collect()
    } else if header.contains("<f8") {
        bytes[end..].as_chunks().0.iter().map(|&value| f64::from_le_bytes(value) as f32).collect()
    } else {
        return Err(invalid().into());
    };
    match shape[..] {
        [rows, columns] if by_row => Ok(Array2::from_shape_vec((rows, columns), values)?),
        _ => Err(invalid().into()),
    }
}

fn model(bench: &Bench, seed: u64) -> TopicModel {
    let mut model = TopicModel::text(&bench.text, StaticEmbedder::builtin()).seed(seed);
    if let Some(name) = &bench.embeddings {
        model = model.embeddings(if name.ends_with(".npy") { "embedding" } else { name });
    }
    match bench.clusterer {
        Choice::Hdbscan => model.clusterer(Hdbscan::new().min_cluster_size(bench.min_topic_size)),
        Choice::Communities => {
            let communities = Communities::new().min_cluster_size(bench.min_topic_size).n_clusters(bench.n_clusters);
            model.clusterer(match bench.lexical_weight {
                Some(weight) => communities.lexical_weight(weight),
                None => communities,
            })
        }
    }
}

fn fit(bench: &Bench, frame: &DataFrame, seed: u64) -> Outcome<Found> {
    let model = model(bench, seed);
    let started = Instant::now();
    let mut topics = model.fit(frame)?;
    if let (Choice::Hdbscan, Some(count)) = (bench.clusterer, bench.n_clusters) {
        topics = topics.reduce_topics(count)?;
    }
    let seconds = started.elapsed().as_secs_f64();
    let (mut labels, probabilities) = (topics.labels(), topics.probabilities());
    if let Some(share) = bench.outliers {
        leave_out(&mut labels, &probabilities, share);
    }
    let words = topics.get_topics().into_iter().filter(|(topic, _)| *topic != OUTLIER);
    let words = words.map(|(topic, words)| (topic, words.into_iter().map(|(word, _)| word).collect())).collect();
    Ok(Found { topics, seconds, labels, probabilities, words })
}

/// Makes the rows of the lowest probability outliers, until `share` of all rows are; the first of equal ones.
fn leave_out(labels: &mut [i32], probabilities: &[f64], share: f64) {
    let mut inside: Vec<usize> = (0..labels.len()).filter(|&row| labels[row] != OUTLIER).collect();
    inside.sort_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]));
    let wanted = (share * labels.len() as f64).round() as usize;
    let missing = wanted.saturating_sub(labels.len() - inside.len());
    inside.into_iter().take(missing).for_each(|row| labels[row] = OUTLIER);
}

/// How often each pair of a label and a topic occurs, each label, and each topic.
struct Contingency {
    pairs: Vec<(usize, usize, f64)>,
    labels: Vec<f64>,
    topics: Vec<f64>,
    rows: f64,
}

impl Contingency {
    fn new<A: Eq + Hash, B: Eq + Hash>(labels: &[A], topics: &[B]) -> Self {
        let (labels, topics) = (numbered(labels), numbered(topics));
        let pairs: Vec<(usize, usize)> = labels.iter().copied().zip(topics.iter().copied()).collect();
        let by_pair = counts(&numbered(&pairs));
        let mut distinct: Vec<(usize, usize)> = Vec::with_capacity(by_pair.len());
        let mut numbers = numbered(&pairs).into_iter().zip(&pairs);
        // Numbers are given in the order of first occurrence.
        numbers.by_ref().for_each(|(number, &pair)| {
            if number == distinct.len() {
                distinct.push(pair);
            }
        });
        let pairs = distinct.into_iter().zip(by_pair).map(|((label, topic), count)| (label, topic, count)).collect();
        Contingency { pairs, rows: labels.len() as f64, labels: counts(&labels), topics: counts(&topics) }
    }

    /// Normalized mutual information: divided by the mean of the entropies.
    fn nmi(&self) -> f64 {
        let entropy = |counts: &[f64]| -counts.iter().map(|n| n / self.rows * (n / self.rows).ln()).sum::<f64>();
        let mean = (entropy(&self.labels) + entropy(&self.topics)) / 2.0;
        let information = |&(label, topic, count): &(usize, usize, f64)| {
            count / self.rows * (count * self.rows / (self.labels[label] * self.topics[topic])).ln()
        };
        if mean > 0.0 { self.pairs.iter().map(information).sum::<f64>() / mean } else { 1.0 }
    }

    /// The adjusted Rand index.
    fn ari(&self) -> f64 {
        let pairs = |counts: &mut dyn Iterator<Item = f64>| counts.map(|n| n * (n - 1.0) / 2.0).sum::<f64>();
        let together = pairs(&mut self.pairs.iter().map(|pair| pair.2));
        let (labels, topics) = (pairs(&mut self.labels.iter().copied()), pairs(&mut self.topics.iter().copied()));
        let expected = labels * topics / (self.rows * (self.rows - 1.0) / 2.0);
        let largest = (labels + topics) / 2.0;
        if largest == expected { 1.0 } else { (together - expected) / (largest - expected) }
    }

    /// The number of rows whose label is the most frequent one of their topic.
    fn hits(&self) -> f64 {
        let mut most = vec![0.0_f64; self.topics.len()];
        self.pairs.iter().for_each(|&(_, topic, count)| most[topic] = most[topic].max(count));
        most.iter().sum()
    }
}

/// Each value as a number, from 0 in the order of first occurrence.
fn numbered<T: Eq + Hash>(values: &[T]) -> Vec<usize> {
    let mut numbers = HashMap::new();
    let mut number = |value| {
        let next = numbers.len();
        *numbers.entry(value).or_insert(next)
    };
    values.iter().map(&mut number).collect()
}

fn counts(numbers: &[usize]) -> Vec<f64> {
    let mut counts = vec![0.0; numbers.iter().max().map_or(0, |&last| last + 1)];
    numbers.iter().for_each(|&number| counts[number] += 1.0);
    counts
}

fn print_scores(found: &Found, labels: Option<&TextColumn>) {
    let outliers = found.labels.iter().filter(|&&label| label == OUTLIER).count();
    let share = 100.0 * outliers as f64 / found.labels.len() as f64;
    println!("{:.3} s, {} topics, {share:.1} % outliers", found.seconds, found.words.len());
    if let Some(labels) = labels {
        print_agreement(&found.labels, labels);
    }
}

/// How far topics agree with labels, where there are any.
fn print_agreement(topics: &[i32], labels: &TextColumn) {
    let scored: Vec<(&str, i32)> = (0..topics.len()).filter_map(|row| Some((labels.get(row)?, topics[row]))).collect();
    let table = |rows: &[(&str, i32)]| {
        let (labels, topics): (Vec<&str>, Vec<i32>) = rows.iter().copied().unzip();
        Contingency::new(&labels, &topics)
    };
    let inside: Vec<(&str, i32)> = scored.iter().copied().filter(|(_, topic)| *topic != OUTLIER).collect();
    if inside.is_empty() {
        return;
    }
    let (all, inside) = (table(&scored), table(&inside));
    println!("  all rows:  NMI {:.4}, ARI {:.4}, hit {:.4}", all.nmi(), all.ari(), inside.hits() / all.rows);
    println!(
        "  in topics: NMI {:.4}, ARI {:.4}, purity {:.4}",
        inside.nmi(),
        inside.ari(),
        inside.hits() / inside.rows
    );
}

/// The mean probability of each tenth of the scored rows in topics, and how many of them are right.
fn print_calibration(found: &Found, labels: &TextColumn) {
    let mut counts: HashMap<i32, HashMap<&str, usize>> = HashMap::new();
    let inside = |&row: &usize| found.labels[row] != OUTLIER && labels.get(row).is_some();
    let mut rows: Vec<usize> = (0..found.labels.len()).filter(inside).collect();
    let label = |row: usize| labels.get(row).unwrap_or_default();
    for &row in &rows {
        *counts.entry(found.labels[row]).or_default().entry(label(row)).or_default() += 1;
    }
    let most = |counts: &HashMap<&str, usize>| counts.values().copied().max().unwrap_or(0);
    let is_right =
        |row: usize| counts.get(&found.labels[row]).is_some_and(|counts| counts.get(label(row)) == Some(&most(counts)));
    rows.sort_by(|&a, &b| found.probabilities[a].total_cmp(&found.probabilities[b]));
    for tenth in 0..10 {
        let part = &rows[tenth * rows.len() / 10..(tenth + 1) * rows.len() / 10];
        let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / part.len() as f64;
        let probability = mean(&mut part.iter().map(|&row| found.probabilities[row]));
        let right = mean(&mut part.iter().map(|&row| f64::from(u8::from(is_right(row)))));
        println!("  probability {probability:.3}: {right:.3} right");
    }
}

fn write(found: &Found, path: &Path) -> Outcome<()> {
    let mut out = BufWriter::new(fs::File::create(path)?);
    let topics: Vec<_> = found.words.iter().map(|(topic, words)| json!({ "Topic": topic, "Words": words })).collect();
    writeln!(out, "{}", json!({ "seconds": found.seconds, "topics": topics }))?;
    for (topic, probability) in found.labels.iter().zip(&found.probabilities) {
        writeln!(out, "{}", json!({ "Topic": topic, "Probability": probability }))?;
    }
    Ok(out.flush()?)
}

/// Cuts the tree of a fit into `count` topics.
fn print_cut(found: &Found, count: usize, labels: Option<&TextColumn>) -> Outcome<()> {
    let started = Instant::now();
    let cut = found.topics.at(count)?;
    let took = 1e3 * started.elapsed().as_secs_f64();
    let topics = cut.topic_ids().into_iter().filter(|&id| id != OUTLIER);
    let largest = topics.filter_map(|id| cut.topic_size(id)).max().unwrap_or(0);
    let share = 100.0 * largest as f64 / cut.summary().rows.max(1) as f64;
    println!("at({count}): {} topics in {took:.0} ms, the largest has {share:.1} %", cut.summary().topics);
    if let Some(labels) = labels {
        print_agreement(&cut.labels(), labels);
    }
    Ok(())
}

fn main() -> ExitCode {
    match run(&Bench::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(bench: &Bench) -> Outcome<()> {
    let mut frame = read(bench)?;
    if let Some(name) = &bench.labels {
        let labels = frame.column(name)?.cast(&DataType::String)?;
        frame.with_column(labels)?;
    }
    let labels = bench.labels.as_ref().map(|name| TextColumn::read(&frame, name)).transpose()?;
    let fits = bench.seed.iter().map(|&seed| fit(bench, &frame, seed)).collect::<Outcome<Vec<_>>>()?;
    fits.iter().for_each(|found| print_scores(found, labels.as_ref()));
    let between: Vec<f64> = (0..fits.len())
        .flat_map(|a| (0..a).map(move |b| (a, b)))
        .map(|(a, b)| Contingency::new(&fits[a].labels, &fits[b].labels).ari())
        .collect();
    if !between.is_empty() {
        println!("ARI between seeds {:.4}", between.iter().sum::<f64>() / between.len() as f64);
    }
    let Some(last) = fits.last() else { return Ok(()) };
    if let Some(labels) = labels.as_ref().filter(|_| bench.calibration) {
        print_calibration(last, labels);
    }
    for &count in &bench.at {
        print_cut(last, count, labels.as_ref())?;
    }
    bench.out.as_ref().map_or(Ok(()), |path| write(last, path))
}
