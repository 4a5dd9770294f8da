//! The locations of the kernel's files.

use std::fs::{self, Metadata};
use std::io::ErrorKind as IoKind;
use std::path::{Path, PathBuf};

use clap::Args;
use etcetera::BaseStrategy;
use topicframe::error::{Error, ErrorKind, Result, Stage};

use super::NAME;
use super::needs::jupyter_program;

/// Where the kernel is built and where Jupyter looks for it.
#[derive(Debug, Args)]
pub struct Places {
    /// Where the kernel is built and stored: a new or empty folder, or one with a kernel [default: topicframe/kernel in
    /// the user's data directory].
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,

    /// The Python environment to install the kernel into, such as .venv [default: the user's Jupyter data directory,
    /// which all of the user's Jupyter installations read].
    #[arg(long, value_name = "FOLDER")]
    prefix: Option<PathBuf>,
}

impl Places {
    pub fn folders(&self) -> Result<Folders> {
        let root = match &self.folder {
            Some(folder) => std::path::absolute(folder).map_err(|cause| wrong("no such folder").with_cause(cause))?,
            None => base()?.data_dir().join("topicframe").join("kernel"),
        };
        Ok(Folders { root })
    }

    /// The Jupyter executable: that of the environment, or the one on the path.
    pub fn jupyter(&self) -> Option<PathBuf> {
        let of = |prefix: &PathBuf| prefix.join("bin").join("jupyter");
        self.prefix.as_ref().map(of).filter(|program| program.is_file()).or_else(jupyter_program)
    }

    /// The folder of the kernelspec.
    pub fn kernelspec(&self) -> Result<PathBuf> {
        let jupyter = match &self.prefix {
            Some(prefix) => std::path::absolute(prefix)
                .map_err(|cause| wrong("no such folder").with_path(prefix).with_cause(cause))?
                .join("share")
                .join("jupyter"),
            None => jupyter_data_dir()?,
        };
        Ok(jupyter.join("kernels").join(NAME))
    }
}

/// Follows Jupyter's own rules: https://docs.jupyter.org/en/latest/use/jupyter-directories.html
fn jupyter_data_dir() -> Result<PathBuf> {
    if let Some(folder) = std::env::var_os("JUPYTER_DATA_DIR").filter(|folder| !folder.is_empty()) {
        return Ok(folder.into());
    }
    let base = base()?;
    Ok(match cfg!(target_os = "macos") {
        true => base.home_dir().join("Library").join("Jupyter"),
        false => base.data_dir().join("jupyter"),
    })
}

fn base() -> Result<impl BaseStrategy> {
    etcetera::choose_base_strategy().map_err(|cause| wrong("the home directory cannot be determined").with_cause(cause))
}

/// The folder of the kernel and its parts.
#[derive(Debug, Clone)]
pub struct Folders {
    pub root: PathBuf,
}

impl Folders {
    /// All names in the folder except the marker.
    pub const PARTS: [&str; 8] =
        ["sources", "library", "front", "analysis", "config", "slots", "bin", "installed.json"];

    /// A copy of topicframe's sources: the kernel outlives the checkout that it was installed from.
    pub fn sources(&self) -> PathBuf {
        self.root.join("sources")
    }

    /// The crate of the dynamic library.
    pub fn library(&self) -> PathBuf {
        self.root.join("library")
    }

    /// Where cargo builds that crate.
    pub fn target(&self) -> PathBuf {
        self.library().join("target")
    }

    /// The build output of that crate.
    pub fn built(&self) -> PathBuf {
        self.target().join("release")
    }

    /// The crate that cells depend on.
    pub fn front(&self) -> PathBuf {
        self.root.join("front")
    }

    /// What evcxr's analysis reads.
    pub fn analysis(&self) -> PathBuf {
        self.root.join("analysis")
    }

    /// evcxr's settings.
    pub fn config(&self) -> PathBuf {
        self.root.join("config")
    }

    /// One folder for each running kernel.
    pub fn slots(&self) -> PathBuf {
        self.root.join("slots")
    }

    /// The program that Jupyter starts.
    pub fn launcher(&self) -> PathBuf {
        self.root.join("bin").join(format!("topicframe{}", std::env::consts::EXE_SUFFIX))
    }

    /// Marks the folder as ours, and lists what in it is ours: nothing else is removed.
    pub fn marker(&self) -> PathBuf {
        self.root.join("topicframe-kernel")
    }

    /// What was installed, and by what.
    pub fn state(&self) -> PathBuf {
        self.root.join("installed.json")
    }
}

/// The metadata of `path` itself, without following links. `None` if nothing is there.
pub fn metadata_of(path: &Path) -> Result<Option<Metadata>> {
    match fs::symlink_metadata(path) {
        Ok(data) => Ok(Some(data)),
        Err(cause) if matches!(cause.kind(), IoKind::NotFound | IoKind::NotADirectory) => Ok(None),
        Err(cause) => Err(unreadable("this cannot be accessed", path, cause)),
    }
}

/// An error about the kernel.
pub fn wrong(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Io, Stage::Notebook, message)
}

/// An error about a file of the kernel.
pub fn unreadable(message: &str, path: &Path, cause: std::io::Error) -> Error {
    wrong(message).with_path(path).with_cause(cause)
}
