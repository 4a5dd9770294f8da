//! The environment variables that `huggingface_hub` reads.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::regular_file;

/// Size limit for the file with the token.
const MAX_TOKEN_FILE: u64 = 64 << 10;

/// The values of the variables.
pub(super) struct Environment {
    pub(super) cache_folder: Option<PathBuf>,
    pub(super) endpoint: Option<String>,
    pub(super) offline: bool,
    pub(super) token: Option<String>,
    pub(super) symlinks: bool,
}

impl Environment {
    /// Reads the variables through `lookup`. Empty ones count as unset.
    pub(super) fn read(lookup: &dyn Fn(&str) -> Option<OsString>) -> Self {
        let variable = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let text = |name: &str| variable(name).and_then(|value| value.into_string().ok());
        let is_on = |name: &str| text(name).is_some_and(|value| is_true(&value));
        let user = variable("HOME").or_else(|| variable("USERPROFILE")).map(PathBuf::from);
        let path = |name: &str| variable(name).map(|value| expand(Path::new(&value), user.as_deref()));

        let caches = path("XDG_CACHE_HOME").or_else(|| user.as_ref().map(|user| user.join(".cache")));
        let home = path("HF_HOME").or_else(|| caches.map(|caches| caches.join("huggingface")));
        let cache_folder = path("HF_HUB_CACHE")
            .or_else(|| path("HUGGINGFACE_HUB_CACHE"))
            .or_else(|| home.as_ref().map(|home| home.join("hub")));
        let token_file = path("HF_TOKEN_PATH").or_else(|| home.map(|home| home.join("token")));
        let token = || {
            let given = text("HF_TOKEN").or_else(|| text("HUGGING_FACE_HUB_TOKEN"));
            given.or_else(|| read_token(&token_file?)).map(|token| token.trim().to_owned())
        };
        Environment {
            cache_folder,
            endpoint: text("HF_ENDPOINT"),
            offline: is_on("HF_HUB_OFFLINE") || is_on("TRANSFORMERS_OFFLINE"),
            token: if is_on("HF_HUB_DISABLE_IMPLICIT_TOKEN") { None } else { token() },
            symlinks: !is_on("HF_HUB_DISABLE_SYMLINKS"),
        }
    }
}

fn is_true(value: &str) -> bool {
    ["1", "true", "yes", "on"].iter().any(|word| value.eq_ignore_ascii_case(word))
}

/// A leading `~` means the user's home folder.
fn expand(path: &Path, user: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~"), user) {
        (Ok(rest), Some(user)) => user.join(rest),
        _ => path.to_path_buf(),
    }
}

/// A file that is missing or cannot be read counts as no token: most models need none.
fn read_token(path: &Path) -> Option<String> {
    let token = String::from_utf8(regular_file::read(path, MAX_TOKEN_FILE).ok()?).ok()?;
    Some(token).filter(|token| !token.trim().is_empty())
}
