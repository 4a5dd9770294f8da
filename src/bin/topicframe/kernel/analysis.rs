//! The sources that evcxr's analysis reads to infer the types of variables.
//!
//! It reads all sources of every dependency, which takes half a minute for topicframe's 330 crates in each new kernel.
//! The types that occur in a notebook come from only a few of them, so each of these few is copied as a crate with the
//! same sources and features that depends only on the other copies. None of the copies could be compiled, and none is:
//! rustc gets the library instead.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use topicframe::error::Result;

use super::files::quoted;
use super::folders::{Folders, unreadable, wrong};
use super::state::{cargo, collect, host};
use super::written::Written;

/// Whether types of this crate can occur in a notebook.
fn is_seen(name: &str) -> bool {
    name == "topicframe"
        || name.starts_with("polars")
        || ["ndarray", "num-traits", "num-complex", "num-integer"].contains(&name)
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    edition: String,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
    src_path: PathBuf,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    features: Vec<String>,
    deps: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    pkg: String,
    dep_kinds: Vec<DependencyKind>,
}

#[derive(Deserialize)]
struct DependencyKind {
    kind: Option<String>,
}

impl Package {
    fn folder(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }

    fn library(&self) -> Option<&Target> {
        self.targets.iter().find(|target| target.kind.iter().any(|kind| kind == "lib" || kind == "rlib"))
    }
}

/// Writes the crates for the host of `rustc`; returns the folder of topicframe's crate.
pub fn write_analysis(folders: &Folders, rustc: &str, written: &mut Written) -> Result<PathBuf> {
    let metadata = metadata(&folders.library(), rustc)?;
    let seen: BTreeMap<&str, &Package> = metadata
        .packages
        .iter()
        .filter(|package| is_seen(&package.name) && package.library().is_some())
        .map(|package| (package.id.as_str(), package))
        .collect();
    let mut wanted = BTreeSet::new();
    for node in metadata.resolve.nodes.iter() {
        if let Some(package) = seen.get(node.id.as_str()) {
            for (path, content) in crate_of(&folders.analysis().join(package.folder()), package, node, &seen)? {
                written.write(&path, &content)?;
                wanted.insert(path);
            }
        }
    }
    written.remove_all_but(&wanted, &folders.analysis())?;
    let topicframe = seen.values().find(|package| package.name == "topicframe");
    let topicframe = topicframe.ok_or_else(|| wrong("the library does not depend on topicframe"))?;
    Ok(folders.analysis().join(topicframe.folder()))
}

/// The files of a crate with their contents.
fn crate_of(
    folder: &Path,
    package: &Package,
    node: &Node,
    seen: &BTreeMap<&str, &Package>,
) -> Result<Vec<(PathBuf, Vec<u8>)>> {
    let Some(library) = package.library() else { return Ok(Vec::new()) };
    let mut files = sources_of(library, folder)?;
    let root = Path::new("src").join(library.src_path.file_name().unwrap_or_default());
    let features: Vec<&String> = node.features.iter().filter(|feature| *feature != "default").collect();
    let mut manifest = format!(
        "[package]\nname = {:?}\nversion = {:?}\nedition = {:?}\npublish = false\n\n[lib]\nname = {:?}\npath = {}\n\n\
         [features]\ndefault = {features:?}\n",
        package.name,
        package.version,
        package.edition,
        library.name,
        quoted(root)
    );
    for feature in features {
        let _ = writeln!(manifest, "{feature:?} = []");
    }
    manifest.push_str("\n[dependencies]\n");
    for dependency in node.deps.iter().filter(|dependency| dependency.dep_kinds.iter().any(|kind| kind.kind.is_none()))
    {
        if let Some(other) = seen.get(dependency.pkg.as_str()) {
            let path = Path::new("..").join(other.folder());
            let _ =
                writeln!(manifest, "{:?} = {{ package = {:?}, path = {} }}", dependency.name, other.name, quoted(path));
        }
    }
    files.push((folder.join("Cargo.toml"), manifest.into_bytes()));
    Ok(files)
}

/// The Rust sources of a crate. They are copied because cargo removes old sources from its own folders.
fn sources_of(library: &Target, folder: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>> {
    let from = library.src_path.parent().unwrap_or(&library.src_path);
    let mut sources = Vec::new();
    collect(from, &mut sources)?;
    sources.retain(|source| source.extension().is_some_and(|extension| extension == "rs"));
    let copy = |source: PathBuf| {
        let content =
            std::fs::read(&source).map_err(|cause| unreadable("a source file cannot be read", &source, cause))?;
        Ok((folder.join("src").join(source.strip_prefix(from).unwrap_or(&source)), content))
    };
    sources.into_iter().map(copy).collect()
}

/// What cargo reports about the library's dependencies on this machine.
fn metadata(folder: &Path, rustc: &str) -> Result<Metadata> {
    let failed = || wrong("cargo metadata failed").with_path(folder);
    let host = host(rustc).ok_or_else(|| wrong("rustc does not report a host platform"))?;
    let mut command = cargo(folder);
    command.args(["metadata", "--format-version", "1", "--filter-platform", host]);
    let output = command.output().map_err(|cause| failed().with_cause(cause))?;
    if !output.status.success() {
        return Err(failed().with_hint(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    serde_json::from_slice(&output.stdout).map_err(|cause| failed().with_cause(cause))
}
