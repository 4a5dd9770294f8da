//! How to push, and what was pushed.

use std::fmt;

/// How a folder is pushed: the branch, the commit, and what happens to files that the repository has.
///
/// ```
/// use topicframe::hub::PushOptions;
///
/// let options = PushOptions::new()
///     .revision("experiments")
///     .message("Topics of May, 40 instead of 60")
///     .delete(["*.safetensors", "*.parquet"])  // arrays and tables of an earlier model
///     .keep(["README.md"]);                    // edited on the Hub's page
/// # let _ = options;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushOptions {
    pub(super) revision: String,
    pub(super) message: String,
    pub(super) description: String,
    pub(super) private: Option<bool>,
    pub(super) create: bool,
    pub(super) create_pr: bool,
    pub(super) delete: Vec<String>,
    pub(super) keep: Vec<String>,
}

impl PushOptions {
    /// The default: to the branch `main`, of a repository that is created if it does not exist.
    pub fn new() -> Self {
        PushOptions {
            revision: "main".to_owned(),
            message: "Push with topicframe".to_owned(),
            description: String::new(),
            private: None,
            create: true,
            create_pr: false,
            delete: Vec::new(),
            keep: Vec::new(),
        }
    }

    /// The branch; it is created from `main` if it does not exist. A pull request's `refs/pr/1` must exist. Default:
    /// `main`.
    #[must_use]
    pub fn revision(mut self, branch: impl Into<String>) -> Self {
        self.revision = branch.into();
        self
    }

    /// The commit's message, 1 to 1,000 characters. Default: `Push with topicframe`.
    #[must_use]
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// A longer description of the commit, or of the pull request. Default: none.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// Whether a repository that is created is private. It is an error if `true` is asked for and the repository exists
    /// and is public; nothing is pushed then. Default: the organization's setting, usually public.
    #[must_use]
    pub fn private(mut self, private: bool) -> Self {
        self.private = Some(private);
        self
    }

    /// Whether the repository and the branch are created if they do not exist. Default: yes.
    #[must_use]
    pub fn create(mut self, create: bool) -> Self {
        self.create = create;
        self
    }

    /// Whether to open a pull request against the branch instead of committing to it, which needs no right to write.
    /// Default: no.
    #[must_use]
    pub fn create_pr(mut self, create_pr: bool) -> Self {
        self.create_pr = create_pr;
        self
    }

    /// Patterns of files that are deleted from the repository if the folder does not have them, such as those of an
    /// earlier push. `*` also matches `/`. `.gitattributes` is never deleted. Default: none.
    #[must_use]
    pub fn delete<P: Into<String>>(mut self, patterns: impl IntoIterator<Item = P>) -> Self {
        self.delete = patterns.into_iter().map(Into::into).collect();
        self
    }

    /// Patterns of files that are pushed only if the branch does not have them, such as a model card that may have been
    /// edited on the Hub. Default: none.
    #[must_use]
    pub fn keep<P: Into<String>>(mut self, patterns: impl IntoIterator<Item = P>) -> Self {
        self.keep = patterns.into_iter().map(Into::into).collect();
        self
    }
}

impl Default for PushOptions {
    fn default() -> Self {
        PushOptions::new()
    }
}

/// What [`push_folder`](crate::hub::Hub::push_folder) did. Files are paths in the repository, in ascending order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pushed {
    /// The repository: `organization/name`.
    pub repository: String,
    /// The page of the commit, or of the repository if there was nothing to commit.
    pub url: String,
    /// The branch.
    pub revision: String,
    /// The new commit's hash, or that of the branch if there was nothing to commit. It pins exactly these files.
    pub commit: String,
    /// The page of the pull request, if one was opened.
    pub pull_request: Option<String>,
    /// Whether the repository was created.
    pub created: bool,
    /// Files that are new or changed.
    pub changed: Vec<String>,
    /// Files that the branch had already, or that were [kept](PushOptions::keep).
    pub unchanged: Vec<String>,
    /// Files that were deleted from the repository.
    pub deleted: Vec<String>,
    /// Bytes of contents that were sent; fewer than those of the changed files if the Hub had some contents already.
    pub uploaded_bytes: u64,
}

impl Pushed {
    /// Whether the repository had everything already, so that there was nothing to commit.
    pub fn is_unchanged(&self) -> bool {
        self.changed.is_empty() && self.deleted.is_empty()
    }
}

/// One line: what was done, and where it is.
impl fmt::Display for Pushed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_unchanged() {
            return write!(f, "nothing to push: {} has these files already ({})", self.url, self.revision);
        }
        let files = |count: usize| format!("{count} file{}", if count == 1 { "" } else { "s" });
        write!(f, "pushed {} ({} kB sent)", files(self.changed.len()), self.uploaded_bytes.div_ceil(1000))?;
        if !self.deleted.is_empty() {
            write!(f, ", deleted {}", files(self.deleted.len()))?;
        }
        write!(f, ": {}", self.pull_request.as_ref().unwrap_or(&self.url))
    }
}
