//! `model.json`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The name of the file that lists the others.
pub(super) const MODEL: &str = "model.json";

/// The version of the format that is written, and the last that can be read.
pub(super) const VERSION: u64 = 1;

/// The value of `format`.
pub(super) const FORMAT: &str = "topicframe";

/// The content of `model.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) format: String,
    pub(super) format_version: u64,
    /// The version that wrote it.
    pub(super) topicframe: String,
    pub(super) model: Value,
    pub(super) parts: BTreeMap<String, Stated>,
    pub(super) files: Vec<FileEntry>,
}

/// What `model.json` has of a state.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Stated {
    pub(super) kind: String,
    pub(super) settings: Map<String, Value>,
}

/// A file of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileEntry {
    pub(super) part: String,
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

/// The number of digits of the hash in a file's name.
const DIGITS: usize = 16;

impl FileEntry {
    /// The entry of a file with this content, which determines its name.
    pub(super) fn new(part: &str, extension: &str, (bytes, sha256): (u64, String)) -> Self {
        let name = format!("{part}-{}.{extension}", sha256.get(..DIGITS).unwrap_or(&sha256));
        FileEntry { part: part.to_owned(), name, bytes, sha256 }
    }

    /// Whether the name is that of the content.
    pub(super) fn is_consistent(&self) -> bool {
        let hash = || self.sha256.len() == 64 && self.sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
        let expected = |extension| FileEntry::new(&self.part, extension, (0, self.sha256.clone())).name == self.name;
        is_name(&self.name) && hash() && (expected(ARRAYS) || expected(FRAME))
    }
}

/// The extension of files of arrays.
pub(super) const ARRAYS: &str = "safetensors";

/// The extension of files of a frame.
pub(super) const FRAME: &str = "arrow";

/// Whether a name has the exact form of the names of a model's files.
pub(super) fn is_name(name: &str) -> bool {
    let parts = || {
        let (stem, extension) = name.split_once('.')?;
        let (part, hash) = stem.rsplit_once('-')?;
        Some((part, hash, extension))
    };
    parts().is_some_and(|(part, hash, extension)| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
            && hash.len() == DIGITS
            && hash.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
            && [ARRAYS, FRAME].contains(&extension)
    })
}

/// The names of the files that `model.json` lists, if `bytes` are one.
pub(super) fn listed(bytes: &[u8]) -> Option<BTreeSet<String>> {
    let manifest: Manifest = serde_json::from_slice(bytes).ok()?;
    (manifest.format == FORMAT).then(|| manifest.files.into_iter().map(|file| file.name).collect())
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn names_have_a_part_a_hash_and_an_extension() {
        assert!(is_name("vectors-0123456789abcdef.safetensors") && is_name("a_b-0123456789abcdef.arrow"));
        for other in [
            "model.json",
            "vectors-0123456789abcde.arrow",
            "vectors-0123456789abcdeF.arrow",
            "../vectors-0123456789abcdef.arrow",
            "-0123456789abcdef.arrow",
            "vectors-0123456789abcdef.pickle",
            "vectors-0123456789abcdef",
            "",
        ] {
            assert!(!is_name(other), "{other}");
        }
    }
}
