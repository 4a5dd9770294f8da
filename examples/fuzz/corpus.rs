//! Seed files and their mutations.

use std::fs;
use std::path::{Path, PathBuf};

use crate::mutate::{Random, mutate, repair_png};
use crate::saved::{mutate_folder, write_seeds};
use crate::target::Target;
use crate::{Outcome, entries};

/// A file or a model folder.
pub struct Seed {
    pub path: PathBuf,
}

impl Seed {
    fn new(path: PathBuf) -> Self {
        Seed { path }
    }
}

/// The corpus of `target`: the contents of its folder, and for models the small test models. Saved topic models are
/// written below `folder`.
pub fn seeds(target: Target, folder: &Path) -> Outcome<Vec<Seed>> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let own = fixtures.join("fuzz").join(target.name());
    let mut paths = if own.is_dir() { entries(&own)? } else { Vec::new() };
    let models = fixtures.join("models");
    let folders: Vec<PathBuf> = match target {
        Target::Text => entries(&models.join("sentence_transformers"))?,
        Target::Clip => entries(&models.join("clip"))?,
        Target::Caption => [entries(&models.join("vit_gpt2"))?, entries(&models.join("blip"))?].concat(),
        Target::Model2vec => entries(&fixtures.join("static_embedder/model2vec"))?,
        _ => Vec::new(),
    };
    if target == Target::Saved {
        paths.extend(entries(&fixtures.join("saved"))?);
        paths.extend(write_seeds(folder)?);
    }
    paths.extend(
        folders.into_iter().filter(|path| path.join("config.json").is_file() || path.join("modules.json").is_file()),
    );
    if paths.is_empty() {
        return Err(format!("there is no corpus for {target}").into());
    }
    Ok(paths.into_iter().map(Seed::new).collect())
}

/// A mutation of one of the seeds, below `folder`.
pub fn mutant(target: Target, seeds: &[Seed], folder: &Path, random: &mut Random) -> Outcome<PathBuf> {
    let seed = &seeds[random.below(seeds.len())].path;
    if target.is_model() {
        return mutant_of_a_model(target, seed, folder, random);
    }
    let other = fs::read(&seeds[random.below(seeds.len())].path)?;
    let mut bytes = fs::read(seed)?;
    mutate(&mut bytes, &other, target.is_text(), random);
    if target == Target::Png {
        repair_png(&mut bytes);
    }
    let path = folder.join(format!("mutant.{target}"));
    fs::write(&path, bytes)?;
    Ok(path)
}

/// A copy of the folder with one file mutated.
fn mutant_of_a_model(target: Target, seed: &Path, folder: &Path, random: &mut Random) -> Outcome<PathBuf> {
    let copy = folder.join("model");
    if copy.exists() {
        fs::remove_dir_all(&copy)?;
    }
    let mut files = Vec::new();
    copy_folder(seed, &copy, &mut files)?;
    if target == Target::Saved {
        mutate_folder(&copy, &files, random)?;
        return Ok(copy);
    }
    let path = &files[random.below(files.len())];
    let mut bytes = fs::read(path)?;
    let is_text = path.extension().is_some_and(|extension| extension == "json" || extension == "txt");
    let other = bytes.clone();
    mutate(&mut bytes, &other, is_text, random);
    fs::write(path, bytes)?;
    Ok(copy)
}

fn copy_folder(from: &Path, to: &Path, files: &mut Vec<PathBuf>) -> Outcome<()> {
    fs::create_dir_all(to)?;
    for entry in entries(from)? {
        let target = to.join(entry.file_name().unwrap_or_default());
        if entry.is_dir() {
            copy_folder(&entry, &target, files)?;
        } else {
            fs::copy(&entry, &target)?;
            files.push(target);
        }
    }
    Ok(())
}

/// Saves a file or folder that the worker did not survive.
pub fn keep(path: &Path, findings: &Path, name: &str) -> Outcome<PathBuf> {
    fs::create_dir_all(findings)?;
    let kept = findings.join(name);
    if path.is_dir() {
        copy_folder(path, &kept, &mut Vec::new())?;
        return Ok(kept);
    }
    let kept = kept.with_extension(path.extension().unwrap_or_default());
    fs::copy(path, &kept)?;
    Ok(kept)
}
