//! The sources that evcxr's analysis reads to know the types of variables.
//!
//! It reads every source of every dependency, which for topicframe's 330 crates takes half a minute in each new kernel.
//! Types that a notebook meets come from few of them. So each of those is given again as a crate with the same sources
//! and features that depends on the others of the few alone. None of these crates could be compiled, and none is: rustc
//! gets the library instead.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use topicframe::error::Result;

use super::files::{quoted, remove_all_but, write};
use super::folders::{Folders, unreadable, wrong};
use super::state::{cargo, collect, host};

/// Whether types of this crate appear where a notebook can see them.
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

/// Writes the crates for the machine of `rustc`; gives the folder of topicframe's.
pub fn write_analysis(folders: &Folders, rustc: &str) -> Result<PathBuf> {
    let metadata = metadata(&folders.library(), rustc)?;
    let seen: BTreeMap<&str, &Package> = metadata
        .packages
        .iter()
        .filter(|package| is_seen(&package.name) && package.library().is_some())
        .map(|package| (package.id.as_str(), package))
        .collect();
    for node in metadata.resolve.nodes.iter() {
        if let Some(package) = seen.get(node.id.as_str()) {
            write_crate(&folders.analysis().join(package.folder()), package, node, &seen)?;
        }
    }
    let topicframe = seen.values().find(|package| package.name == "topicframe");
    let topicframe = topicframe.ok_or_else(|| wrong("the library does not depend on topicframe"))?;
    Ok(folders.analysis().join(topicframe.folder()))
}

fn write_crate(folder: &Path, package: &Package, node: &Node, seen: &BTreeMap<&str, &Package>) -> Result<()> {
    let Some(library) = package.library() else { return Ok(()) };
    let root = copy_sources(library, folder)?;
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
    write(&folder.join("Cargo.toml"), manifest.as_bytes())
}

/// Copies the Rust of a crate: cargo clears old sources out of its own folders. Gives the path of the crate's root.
fn copy_sources(library: &Target, folder: &Path) -> Result<PathBuf> {
    let from = library.src_path.parent().unwrap_or(&library.src_path);
    let mut sources = Vec::new();
    collect(from, &mut sources)?;
    let mut wanted = BTreeSet::new();
    for source in sources.iter().filter(|source| source.extension().is_some_and(|extension| extension == "rs")) {
        let content = std::fs::read(source).map_err(|cause| unreadable("a source cannot be read", source, cause))?;
        let target = folder.join("src").join(source.strip_prefix(from).unwrap_or(source));
        write(&target, &content)?;
        wanted.insert(target);
    }
    remove_all_but(&wanted, &folder.join("src"))?;
    Ok(Path::new("src").join(library.src_path.file_name().unwrap_or_default()))
}

/// What cargo knows of the library's dependencies on this machine.
fn metadata(folder: &Path, rustc: &str) -> Result<Metadata> {
    let failed = || wrong("cargo metadata has failed").path(folder);
    let host = host(rustc).ok_or_else(|| wrong("rustc does not say what machine this is"))?;
    let mut command = cargo(folder);
    command.args(["metadata", "--format-version", "1", "--filter-platform", host]);
    let output = command.output().map_err(|cause| failed().cause(cause))?;
    if !output.status.success() {
        return Err(failed().hint(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    serde_json::from_slice(&output.stdout).map_err(|cause| failed().cause(cause))
}
