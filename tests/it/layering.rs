//! Imports point down (the drawing in ARCHITECTURE.md), no two files import each other, and files stay within their
//! size limit.

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

/// The rooms that a file names with a path from the root, also in its tests.
fn imports(source: &str) -> BTreeSet<String> {
    let room = |path: String| path.strip_prefix("crate::")?.split_terminator([':', ' ']).next().map(str::to_owned);
    paths(&without_comments(source)).into_iter().filter_map(room).collect()
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
    // Paths that leave a room by `super`.
    let modules = modules();
    for module in modules.keys() {
        for import in imported(&modules, module) {
            let fine = import[0] == module[0] || is_allowed(&lines, &module[0], &import[0]);
            assert!(fine, "{} must not import {}", module.join("/"), import.join("/"));
        }
    }
}

#[test]
fn the_rule_sees_an_import_that_breaks_it() {
    for (code, expected) in [
        ("use crate::display::html;\n// use crate::topics::x;\n", &["display"][..]),
        ("fn f() { crate::model::g(crate::topics::Y) }", &["model", "topics"]),
        ("use crate::{display, topics::Y as Z};", &["display", "topics"]),
        ("pub use crate::{\n    display::{html, show::{self, *}}, // model,\n    topics,\n};", &["display", "topics"]),
        ("mod a;\npub(in crate::nn) use std::{fs, io};", &["nn"]),
        ("use {crate::{model}, std::fs};\n#[cfg(test)]\nmod tests { use crate::{files}; }", &["files", "model"]),
        ("use crate::*;", &["*"]),
    ] {
        assert_eq!(Vec::from_iter(imports(code)), expected, "{code}");
    }
    let lines = lines();
    for (room, import) in [("topics", "display"), ("topics", "model"), ("cluster", "reduce"), ("reduce", "cluster")] {
        assert!(!is_allowed(&lines, room, import), "{room} -> {import}");
    }
    assert!(is_allowed(&lines, "model", "topics") && !is_allowed(&lines, "error", "unheard_of"));
}

/// The modules of the library, each the segments of its path, with their code.
fn modules() -> BTreeMap<Vec<String>, String> {
    let module = |path: PathBuf| {
        let inside = path.strip_prefix(src()).unwrap().with_extension("");
        let mut segments: Vec<String> = inside.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        segments.pop_if(|last| last == "mod");
        (segments, code_of(&fs::read_to_string(path).unwrap()))
    };
    let modules = sources(&src()).into_iter().map(module);
    modules.filter(|(segments, _)| !["lib", "prelude", "bin"].contains(&segments[0].as_str())).collect()
}

/// A file's code without its comments and tests.
fn code_of(source: &str) -> String {
    without_comments(source).split("#[cfg(test)]\nmod ").next().unwrap().to_owned()
}

fn without_comments(source: &str) -> String {
    let code: Vec<&str> = source.lines().map(|line| line.split("//").next().unwrap()).collect();
    code.join("\n")
}

/// The paths in `code`: `use a::{b, c::d};` and `e::f()` are `a::b`, `a::c::d` and `e::f`.
fn paths(code: &str) -> Vec<String> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let words = code.split(|c| !is_part(c)).filter(|word| word.contains("::")).map(str::to_owned);
    let lists = code.split(';').filter_map(|item| item.rsplit_once("use ")).flat_map(|(_, tree)| flattened(tree));
    words.chain(lists).collect()
}

fn flattened(tree: &str) -> Vec<String> {
    let Some((stem, list)) = tree.split_once('{') else { return vec![tree.trim().to_owned()] };
    let list = list.rsplit_once('}').map_or(list, |(list, _)| list);
    let mut depth = 0;
    let parts = list.split(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    });
    parts.flat_map(flattened).map(|part| format!("{}{part}", stem.trim())).collect()
}

/// The other modules that `module` imports from, except for those that declare it.
fn imported<'m>(modules: &'m BTreeMap<Vec<String>, String>, module: &[String]) -> BTreeSet<&'m [String]> {
    let resolve = |path: String| {
        let mut from = module.to_vec();
        for (place, segment) in path.split("::").map(str::trim).enumerate() {
            match segment {
                "crate" if place == 0 => from.clear(),
                "self" => {}
                "super" => drop(from.pop()),
                name => from.push(name.to_owned()),
            }
        }
        while !from.is_empty() && !modules.contains_key(&from) {
            from.pop();
        }
        modules.get_key_value(&from).map(|(found, _)| found.as_slice())
    };
    let found = paths(&modules[module]).into_iter().filter_map(resolve);
    found.filter(|found| !module.starts_with(found)).collect()
}

/// The modules that import from themselves by way of others.
fn circles(modules: &BTreeMap<Vec<String>, String>) -> Vec<String> {
    let imports: BTreeMap<&[String], BTreeSet<&[String]>> =
        modules.keys().map(|module| (module.as_slice(), imported(modules, module))).collect();
    let is_in_circle = |module: &&[String]| {
        let mut reached = BTreeSet::new();
        let mut next: Vec<&[String]> = imports[module].iter().copied().collect();
        while let Some(import) = next.pop() {
            if reached.insert(import) {
                next.extend(&imports[import]);
            }
        }
        reached.contains(module)
    };
    imports.keys().copied().filter(is_in_circle).map(|module| module.join("/")).collect()
}

#[test]
fn no_two_files_import_each_other() {
    assert_eq!(circles(&modules()), [""; 0], "move what they share to a file of its own");
}

#[test]
fn the_rule_sees_a_circle() {
    let source = |path: &str, code: &str| (path.split('/').map(str::to_owned).collect(), code_of(code));
    let shared = source("a/shared", "use crate::a::one::X;");
    let files = [
        source("a", "pub use one::{X, y::Y};\nmod one;"),
        source(
            "a/one",
            "use super::{Z, two::{self, W}}; // super::shared::S\n#[cfg(test)]\nmod tests { use super::shared::S; }",
        ),
        source("a/two", "fn f() { super::three::g() }"),
        source("a/three", "pub(super) use super::one;"),
    ];
    let modules: BTreeMap<_, _> = files.into_iter().chain([shared]).collect();
    assert_eq!(circles(&modules), ["a/one", "a/three", "a/two"]);
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
