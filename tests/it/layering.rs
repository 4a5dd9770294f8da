//! Imports point down (the drawing in ARCHITECTURE.md), and files stay within their size limit.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The lines of the drawing in ARCHITECTURE.md, the highest first.
fn drawing() -> Vec<Vec<String>> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md")).unwrap();
    let (_, rest) = text.split_once("```rooms\n").expect("ARCHITECTURE.md has a drawing of rooms");
    let (drawing, _) = rest.split_once("```").unwrap();
    drawing.lines().map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
}

/// The line of each room, counted from the top.
fn lines() -> BTreeMap<String, usize> {
    let rooms = drawing().into_iter().enumerate();
    rooms.flat_map(|(line, rooms)| rooms.into_iter().map(move |room| (room, line))).collect()
}

/// The import is from a room on a lower line.
fn is_allowed(lines: &BTreeMap<String, usize>, room: &str, import: &str) -> bool {
    lines.get(import).is_some_and(|below| *below > lines[room])
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
fn imports_point_down() {
    let lines = lines();
    let mut rooms = BTreeSet::new();
    for path in sources(&src()) {
        let room = part_of(&path);
        if ["lib", "prelude", "bin"].contains(&room.as_str()) {
            continue;
        }
        assert!(lines.contains_key(&room), "src/{room} is not on the drawing in ARCHITECTURE.md");
        for import in imports(&fs::read_to_string(&path).unwrap()) {
            let fine = import == room || is_allowed(&lines, &room, &import);
            assert!(fine, "{}: {room} must not import {import}", path.display());
        }
        rooms.insert(room);
    }
    assert!(lines.keys().all(|room| rooms.contains(room)), "the drawing has a room that src lacks");
}

#[test]
fn the_rule_sees_an_import_that_breaks_it() {
    assert_eq!(imports("use crate::display::html;\n// use crate::topics::x;\n"), ["display"]);
    let lines = lines();
    for (room, import) in [("topics", "display"), ("topics", "model"), ("cluster", "reduce"), ("reduce", "cluster")] {
        assert!(!is_allowed(&lines, room, import), "{room} -> {import}");
    }
    assert!(is_allowed(&lines, "model", "topics") && !is_allowed(&lines, "error", "unheard_of"));
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
