//! Pushing a folder to the Hub: what is new goes to its large-file storage or into the commit itself, and one commit
//! makes all of it visible at once.

use std::path::Path;

use super::{Hub, compiled};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::progress::Progress;

#[cfg(feature = "hub")]
mod body;
#[cfg(feature = "hub")]
mod commit;
#[cfg(feature = "hub")]
mod git_blob;
#[cfg(feature = "hub")]
mod lfs;
#[cfg(feature = "hub")]
mod local;
mod options;
#[cfg(feature = "hub")]
mod preupload;
#[cfg(feature = "hub")]
mod push;
#[cfg(feature = "hub")]
mod refused;
#[cfg(feature = "hub")]
mod repository;
#[cfg(feature = "hub")]
mod request;

pub use options::{PushOptions, Pushed};

impl Hub {
    /// Pushes all files of a folder, with its subfolders, to a model repository on the Hub, in one commit. The
    /// repository and the branch are created if they do not exist.
    ///
    /// `repo_id` is `organization/name`, or `name` for a repository of the token's user. A push needs a
    /// [`token`](Self::token) with write access, by the same rules as a download: `HF_TOKEN`, or the file that
    /// `hf auth login` writes. It is sent to the endpoint and to no other host, also when the Hub has files uploaded
    /// elsewhere.
    ///
    /// Nothing is pushed twice: files that the branch has already are left out, contents that the Hub has already are
    /// not uploaded, and if nothing has changed, there is no commit ([`Pushed::is_unchanged`]). Files that the folder
    /// lacks stay in the repository unless [`PushOptions::delete`] names them. If someone else commits at the same time,
    /// the difference is determined anew, so the branch ends with this folder's files. Files are read in pieces, so
    /// memory does not grow with their sizes.
    ///
    /// Folders named `.git` and `.cache/huggingface` are skipped, as in Python, and so are files that a killed topicframe
    /// has left half written (`.topicframe-*.part`). Progress is reported in kB. After an
    /// interrupt, contents that were uploaded stay with the Hub, invisible, and the next push does not upload them
    /// again. A broken upload of a whole file is sent again from the start, one in parts from the broken part; the Hub
    /// determines which it is. The Hub's newer Xet protocol is not used.
    ///
    /// # Errors
    /// - [`ErrorKind::InvalidParameter`]: no token, an invalid name or option; a repository that is public although
    ///   [`private`](PushOptions::private) was asked for.
    /// - [`ErrorKind::InvalidData`]: a folder with nothing in it, or with a link, a pipe, a name that other systems or
    ///   the Hub cannot store, more than 10,000 files, or a file of more than 50 GB. This is found before anything is
    ///   sent.
    /// - [`ErrorKind::NotFound`]: no repository, branch or organization of this name, if it cannot be created.
    /// - [`ErrorKind::Io`]: a file that cannot be read or that changes during the push; the Hub cannot be reached,
    ///   refuses (no right to write, storage quota, size), or receives damaged contents.
    /// - [`ErrorKind::Interrupted`].
    ///
    /// In all of these cases, the branch is as it was; but if the connection breaks or the push is interrupted when the
    /// whole commit has been sent, the Hub may still make it.
    ///
    /// ```no_run
    /// use topicframe::hub::{Hub, PushOptions};
    /// use topicframe::progress::Progress;
    ///
    /// let options = PushOptions::new().private(true).message("Topics of May");
    /// let pushed = Hub::new().push_folder("topics", "user/topics", &options, &Progress::stderr())?;
    /// println!("{pushed}");
    /// # Ok::<(), topicframe::error::Error>(())
    /// ```
    pub fn push_folder(
        &self,
        folder: impl AsRef<Path>,
        repo_id: &str,
        options: &PushOptions,
        progress: &Progress,
    ) -> Result<Pushed> {
        self.pushed(folder.as_ref(), repo_id, options, progress).map_err(|error| error.in_stage(Stage::Output))
    }

    #[cfg(feature = "hub")]
    fn pushed(&self, folder: &Path, repo_id: &str, options: &PushOptions, progress: &Progress) -> Result<Pushed> {
        let push = push::Push::new(self, folder, repo_id, options)?;
        progress.check(Stage::Output)?;
        let told = progress.clone();
        super::in_thread(progress, move || push.run(&told))
    }

    #[cfg(not(feature = "hub"))]
    fn pushed(&self, _: &Path, _: &str, options: &PushOptions, _: &Progress) -> Result<Pushed> {
        options.check()?;
        let message = "topicframe was built without the feature `hub`, which pushes models";
        Err(Error::new(ErrorKind::InvalidParameter, Stage::Output, message))
    }
}

impl PushOptions {
    /// Checks the options.
    fn check(&self) -> Result<()> {
        super::check_revision(&self.revision)?;
        if super::name::is_commit(&self.revision) {
            let allowed = "a branch, since commits cannot be changed";
            return Err(Error::invalid_parameter(Stage::Output, "revision", format!("{:?}", self.revision), allowed));
        }
        if self.message.trim().is_empty() || self.message.chars().count() > 1_000 {
            let allowed = "1 to 1,000 characters";
            return Err(Error::invalid_parameter(Stage::Output, "message", format!("{:?}", self.message), allowed));
        }
        compiled("delete", &self.delete)?;
        compiled("keep", &self.keep).map(drop)
    }
}

/// An error in what is pushed.
#[cfg(feature = "hub")]
fn unfit(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidData, Stage::Output, message)
}
