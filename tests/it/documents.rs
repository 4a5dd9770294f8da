//! What the README and the documents say is true.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use topicframe::prelude::*;

use crate::corpora;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The published package has no room for the notebooks' outputs, and contains only their code as examples.
pub fn is_published() -> bool {
    root().join(".cargo_vcs_info.json").exists()
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

/// The documents for users, the README first.
fn documents() -> Vec<String> {
    let inside = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = inside.map(|name| format!("docs/{}", name.to_string_lossy())).collect();
    names.retain(|name| name.ends_with(".md"));
    names.sort();
    names.insert(0, "README.md".to_owned());
    names
}

/// The text of all documents for users.
fn manual() -> String {
    documents().iter().map(|name| read(name)).collect()
}

/// The commands of the documents' `sh` blocks.
fn commands() -> Vec<String> {
    let manual = manual();
    let blocks = manual.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let joined: Vec<String> = blocks.map(|block| block.replace("\\\n", " ")).collect();
    joined.iter().flat_map(|block| block.lines()).map(|line| line.trim().to_owned()).filter(|l| !l.is_empty()).collect()
}

#[test]
fn the_main_command_makes_a_page() {
    let main = "cargo run --release -- fit examples/data/openclipart/captions.csv --text caption --images image --report topics.html";
    assert_eq!(commands().first().map(String::as_str), Some(main), "the first command of the README is the main one");

    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("topics.html");
    let arguments = main.split_once(" -- ").unwrap().1.replace("topics.html", page.to_str().unwrap());
    let output = Command::new(env!("CARGO_BIN_EXE_topicframe"))
        .current_dir(root())
        .args(arguments.split_whitespace())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.lines().count() > 20, "a table of topics:\n{table}");
    let page = fs::read_to_string(page).unwrap();
    assert!(page.matches("data:image/").count() > 100, "topics with images");
}

#[test]
fn the_readme_shows_what_its_code_prints() {
    let readme = read("README.md");
    let model = TopicModel::text("caption", StaticEmbedder::builtin());
    let (topics, drawings) = model.fit_transform(&corpora::drawings()).unwrap();
    let largest = topics.get_topic_info().unwrap().select(["Topic", "Count", "Name"]).unwrap().head(Some(4));
    let found = topics.find_topics("a boat on the sea", 3).unwrap();
    let size = format!("{} rows, {} columns", drawings.height(), drawings.width());
    let printed = format!("```text\n{largest}\n{found}\n{size}\n```");
    assert!(readme.contains(&printed), "README.md does not show this:\n{printed}");
}

#[test]
fn every_command_of_the_documents_is_one_that_exists() {
    let needs = read("src/bin/topicframe/kernel/needs.rs");
    assert!(needs.contains("EVCXR: &str = \"0.22.0\""));
    for command in commands() {
        let known = ["cargo test --release", "cargo doc", "cargo install --path . --locked"];
        let known = known.iter().any(|known| command.starts_with(known));
        let runs = ["fit", "transform", "info", "edit", "find", "over-time", "per-class", "hierarchy", "distribution"]
            .iter()
            .any(|run| command.starts_with(&format!("cargo run --release -- {run} ")));
        let example = command.split_once("--example ").map(|(_, rest)| rest.split_whitespace().next().unwrap_or(""));
        let example = example.is_some_and(|name| root().join(format!("examples/{name}.rs")).exists());
        let mut words = command.split_whitespace().skip_while(|word| *word == "sh");
        let script = words.next().is_some_and(|first| root().join(first).is_file());
        // As `kernel install` prints it when something is missing.
        let needed = needs.contains(&command.replace("0.22.0", "{EVCXR}"));
        let kernel = command.strip_prefix("cargo run --release -- kernel ");
        let kernel = kernel.is_some_and(|action| ["install", "doctor", "uninstall"].contains(&action));
        assert!(known || runs || example || script || needed || kernel, "{command}");
    }
}

#[test]
fn links_within_the_documents_lead_somewhere() {
    let others =
        ["ARCHITECTURE.md", "BENCHMARKS.md", "CHANGELOG.md", "CONTRIBUTING.md", "DIVERGENCES.md", "SECURITY.md"];
    for name in documents().into_iter().chain(others.map(str::to_owned)) {
        let text = read(&name);
        let folder = root().join(&name).parent().unwrap().to_owned();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.starts_with("http") || link.starts_with('#') {
                continue;
            }
            let target: PathBuf = folder.join(link.split('#').next().unwrap());
            // The published package has no room for the notebooks and the pictures, and does not need the peers.
            let omitted = ["notebooks/", "tests/peers/", "report.png", "map.png", ".svg"];
            let omitted = omitted.iter().any(|folder| link.contains(folder));
            assert!(target.exists() || omitted && is_published(), "{name} links to {link}");
        }
    }
}

#[test]
fn every_example_is_in_the_documents() {
    let manual = manual();
    for entry in fs::read_dir(root().join("examples")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            assert!(manual.contains(&name), "no document mentions examples/{name}");
        }
    }
}

#[test]
fn the_help_of_the_command_is_in_the_documents() {
    let manual = manual();
    let help = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_topicframe")).args(arguments).arg("--help").output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let commands = "fit transform info edit find over-time per-class hierarchy distribution";
    let kernel = ["install", "doctor", "uninstall"].map(|action| help(&["kernel", action])).concat();
    let help: String = commands.split(' ').map(|command| help(&[command])).chain([kernel]).collect();
    for option in help.split_whitespace().filter(|word| word.starts_with("--") && word.len() > 2) {
        let option = option.trim_end_matches([',', '.', ':']);
        assert!(option == "--help" || manual.contains(option), "no document mentions {option}");
    }
}
