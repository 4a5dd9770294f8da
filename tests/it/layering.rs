//! Imports flow in one direction (ARCHITECTURE.md), and files stay within their size limit.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The crate's modules that each part of `src` may import.
fn allowed() -> BTreeMap<&'static str, Vec<&'static str>> {
    let leaves =
        vec!["error", "guard", "linalg", "neighbors", "progress", "regular_file", "spec", "training", "vision"];
    let with = |more: &[&'static str]| leaves.iter().chain(more).copied().collect::<Vec<_>>();
    let stages = with(&["corpus", "embed", "reduce", "cluster", "vectorize"]);
    let above = |more: &[&'static str]| stages.iter().chain(more).copied().collect::<Vec<_>>();
    BTreeMap::from([
        ("error", vec![]),
        ("guard", vec![]),
        ("regular_file", vec![]),
        ("progress", vec!["error"]),
        ("spec", vec!["error"]),
        ("training", vec!["error", "progress", "linalg"]),
        ("linalg", vec!["error"]),
        ("neighbors", vec!["error", "linalg", "progress"]),
        ("vision", vec!["error", "guard", "progress", "regular_file"]),
        ("corpus", leaves.clone()),
        ("files", with(&["corpus"])),
        ("embed", with(&["corpus"])),
        ("reduce", with(&["corpus"])),
        ("cluster", with(&["corpus"])),
        ("vectorize", with(&["corpus"])),
        ("encode", with(&["corpus", "embed", "vectorize"])),
        ("represent", with(&["corpus", "embed", "vectorize"])),
        ("topics", with(&["corpus", "cluster", "vectorize", "represent"])),
        ("model", above(&["encode", "represent", "topics"])),
        ("display", above(&["represent", "model", "files"])),
    ])
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn part_of(path: &Path) -> String {
    let inside = path.strip_prefix(src()).unwrap();
    let first = inside.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

fn imports(source: &str) -> Vec<String> {
    let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    let names = code.flat_map(|line| line.split("crate::").skip(1).map(str::to_owned).collect::<Vec<_>>());
    names
        .map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>())
        .filter(|name| !name.is_empty())
        .collect()
}

#[test]
fn imports_flow_one_way() {
    let allowed = allowed();
    for path in sources(&src()) {
        let part = part_of(&path);
        if ["lib", "prelude", "bin"].contains(&part.as_str()) {
            continue;
        }
        let may = allowed.get(part.as_str()).unwrap_or_else(|| panic!("src/{part} has no rule in this test"));
        for import in imports(&fs::read_to_string(&path).unwrap()) {
            let is_own = import == part;
            assert!(is_own || may.contains(&import.as_str()), "{}: {part} must not import {import}", path.display());
        }
    }
}

#[test]
fn the_rule_sees_an_import_that_breaks_it() {
    assert_eq!(imports("use crate::display::html;\n// use crate::topics::x;\n"), ["display"]);
    assert!(!allowed()["topics"].contains(&"display") && !allowed()["topics"].contains(&"model"));
    assert!(!allowed()["cluster"].contains(&"reduce") && !allowed()["reduce"].contains(&"cluster"));
}

#[test]
fn files_stay_readable() {
    for path in sources(&src()) {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 600, "{} has {lines} lines: split it by step", path.display());
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(!["utils", "common", "helpers", "util", "misc"].contains(&name.as_str()), "{}", path.display());
    }
}
