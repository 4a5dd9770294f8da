//! Installations by versions that kept no list of what they wrote: files are recognized by their content.

use std::fs;
use std::path::{Path, PathBuf};

use super::tree::{TAG, is_cache};
use super::written::Kind;

/// What evcxr and the launcher write into a kernel's own folder.
pub const SLOT: [(&str, Kind); 7] = [
    (TAG, Kind::File),
    ("lock", Kind::File),
    ("Cargo.toml", Kind::File),
    ("Cargo.lock", Kind::File),
    ("src", Kind::Tree),
    ("target", Kind::Tree),
    (".cargo", Kind::Tree),
];

/// Files, and text that identifies those written by `kernel install`.
const FILES: [(&str, &str); 10] = [
    ("library/Cargo.toml", "name = \"topicframe-notebook\""),
    ("library/src/lib.rs", "pub use topicframe::*;"),
    ("library/Cargo.lock", "name = \"topicframe-notebook\""),
    ("sources/Cargo.toml", "name = \"topicframe\""),
    ("sources/Cargo.lock", "name = \"topicframe\""),
    ("front/Cargo.toml", "topicframe_sources"),
    ("front/build.rs", "topicframe_notebook"),
    ("front/src/lib.rs", "topicframe_notebook as built"),
    ("config/evcxr.toml", "use topicframe::prelude::*;"),
    ("installed.json", "\"kernelspecs\""),
];

/// What cargo writes into a target folder and its `release` subfolder.
const BUILT: [(&str, Kind); 13] = [
    (TAG, Kind::File),
    (".rustc_info.json", Kind::File),
    ("tmp", Kind::Tree),
    ("release", Kind::Folder),
    ("release/.cargo-lock", Kind::File),
    ("release/.fingerprint", Kind::Tree),
    ("release/build", Kind::Tree),
    ("release/deps", Kind::Tree),
    ("release/examples", Kind::Tree),
    ("release/incremental", Kind::Tree),
    ("release/libtopicframe_notebook.d", Kind::File),
    ("release/libtopicframe_notebook.so", Kind::File),
    ("release/libtopicframe_notebook.dylib", Kind::File),
];

/// What was written into the folder `root`, as far as that can be determined; `None` if it contained no kernel.
pub fn entries(root: &Path) -> Option<Vec<(PathBuf, Kind)>> {
    let says = |(path, text): &(&str, &str)| {
        let path = root.join(path);
        is(&path, Kind::File) && fs::read_to_string(path).is_ok_and(|content| content.contains(text))
    };
    let files: Vec<PathBuf> = FILES.iter().filter(|file| says(file)).map(|(path, _)| PathBuf::from(path)).collect();
    if !files.iter().any(|path| path.starts_with("library")) {
        return None;
    }
    let mut found: Vec<(PathBuf, Kind)> = files.into_iter().map(|path| (path, Kind::File)).collect();
    let launcher = format!("bin/topicframe{}", std::env::consts::EXE_SUFFIX);
    found.push((launcher.into(), Kind::File));
    let target = Path::new("library/target");
    if is_cache(&root.join(target)) {
        found.push((target.to_path_buf(), Kind::Folder));
        found.extend(BUILT.iter().map(|(path, kind)| (target.join(path), *kind)));
    }
    for slot in fs::read_dir(root.join("slots")).into_iter().flatten().flatten() {
        let slot = Path::new("slots").join(slot.file_name());
        if is(&root.join(&slot).join("lock"), Kind::File) {
            found.extend(SLOT.iter().map(|(path, kind)| (slot.join(path), *kind)));
            found.push((slot, Kind::Folder));
        }
    }
    for folder in ["library/src", "library", "sources", "front/src", "front", "config", "slots", "bin"] {
        found.push((folder.into(), Kind::Folder));
    }
    found.retain(|(path, kind)| is(&root.join(path), *kind));
    Some(found)
}

/// Whether `path` exists, is of this kind, and is not a symbolic link.
fn is(path: &Path, kind: Kind) -> bool {
    fs::symlink_metadata(path).is_ok_and(|data| match kind {
        Kind::File => data.is_file(),
        Kind::Folder | Kind::Tree => data.is_dir(),
        Kind::Gone => false,
    })
}
