//! The origin of a model.

use std::fmt;
use std::path::{Path, PathBuf};

/// The origin of a model, from which it can be loaded again.
///
/// ```
/// use topicframe::embed::{StaticEmbedder, TextEmbedder};
/// use topicframe::hub::Origin;
///
/// assert_eq!(StaticEmbedder::builtin().origin(), Some(Origin::BuiltIn));
///
/// let folder = "hub/models--org--model/snapshots/c9745ed1d9f207416be6d2e6f8de32d1f16199bf";
/// assert_eq!(Origin::of_folder(folder).to_string(), "org/model@c9745ed1d9f207416be6d2e6f8de32d1f16199bf");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// Part of this crate.
    BuiltIn,
    /// The Hugging Face Hub.
    Hub {
        /// The name, such as `sentence-transformers/all-MiniLM-L6-v2`.
        name: String,
        /// The commit hash.
        revision: String,
    },
    /// A folder on this machine, as specified.
    Folder(PathBuf),
}

impl Origin {
    /// The origin of a model in `folder`: the Hub for a snapshot in a Hub cache, whose path contains the model's name
    /// and commit, otherwise the folder.
    pub fn of_folder(folder: impl AsRef<Path>) -> Self {
        let folder = folder.as_ref();
        from_cache(folder).unwrap_or_else(|| Origin::Folder(folder.to_path_buf()))
    }
}

/// `models--ORGANIZATION--NAME/snapshots/COMMIT`.
fn from_cache(folder: &Path) -> Option<Origin> {
    let revision = folder.file_name()?.to_str()?;
    let snapshots = folder.parent()?;
    let name = snapshots.parent()?.file_name()?.to_str()?.strip_prefix("models--")?;
    let is_commit = revision.len() == 40 && revision.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_snapshot = snapshots.file_name()?.to_str()? == "snapshots";
    (is_commit && is_snapshot && !name.is_empty())
        .then(|| Origin::Hub { name: name.replace("--", "/"), revision: revision.to_owned() })
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::BuiltIn => f.write_str("builtin"),
            Origin::Hub { name, revision } => write!(f, "{name}@{revision}"),
            Origin::Folder(folder) => write!(f, "{}", folder.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_of_the_hub_are_recognized() {
        let commit = "c9745ed1d9f207416be6d2e6f8de32d1f16199bf";
        let hub = |name: &str| Origin::Hub { name: name.to_owned(), revision: commit.to_owned() };
        let snapshot = |name: &str| format!("/cache/hub/models--{name}/snapshots/{commit}");
        assert_eq!(Origin::of_folder(snapshot("org--model")), hub("org/model"));
        assert_eq!(Origin::of_folder(snapshot("bert-base-uncased")), hub("bert-base-uncased"));
        assert_eq!(Origin::of_folder(snapshot("org--model")).to_string(), format!("org/model@{commit}"));
        for folder in ["model", "", "/", "/cache/hub/models--org--model/snapshots/main", "/models--a--b/refs/main"] {
            assert_eq!(Origin::of_folder(folder), Origin::Folder(folder.into()));
        }
    }
}
