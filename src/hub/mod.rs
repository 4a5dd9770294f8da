//! Models from the Hugging Face Hub, through Hugging Face's own cache, and models for it.
//!
//! [`Hub`] downloads the files of a model and returns their folder. It finds what Python has downloaded, and Python
//! finds what was downloaded here. A cached model is used without any network request.
//!
//! [`Hub::push_folder`] does the opposite: it commits a folder to a repository on the Hub. [`ModelCard`] writes the page
//! that the Hub shows for it.
//!
//! # Layout of the cache
//!
//! ```text
//! models--organization--name/
//!   refs/main                 the commit that a branch or tag pointed to when it was requested
//!   blobs/<etag>              contents; <etag>.incomplete during a download, which can be resumed from there
//!   snapshots/<commit>/<file> links to the blobs; copies where links cannot be created
//!   .topicframe/<commit>.json which files the commit has: how a complete snapshot is recognized
//! .locks/models--organization--name/<etag>.lock
//! ```
//!
//! # Variables
//!
//! | variable | meaning |
//! |---|---|
//! | `HF_HUB_CACHE` (older: `HUGGINGFACE_HUB_CACHE`) | the cache; otherwise `hub` in Hugging Face's folder |
//! | `HF_HOME` | Hugging Face's folder; otherwise `huggingface` in `XDG_CACHE_HOME` or in `~/.cache` |
//! | `HF_ENDPOINT` | the server, such as a mirror; otherwise `https://huggingface.co` |
//! | `HF_HUB_OFFLINE`, `TRANSFORMERS_OFFLINE` | `1`, `true`, `yes` or `on`: no network requests |
//! | `HF_TOKEN` (older: `HUGGING_FACE_HUB_TOKEN`) | the token for private and gated models, and for pushing |
//! | `HF_TOKEN_PATH` | the file that the token is read from; otherwise `token` in Hugging Face's folder |
//! | `HF_HUB_DISABLE_IMPLICIT_TOKEN` | no token is read from variables or files |
//! | `HF_HUB_DISABLE_SYMLINKS` | snapshots contain copies instead of links |
//! | `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY` | the proxy |
//!
//! [`Hub::new`] reads them; every setter overrides one, and nothing else reads the environment.

// Without the `hub` feature, nothing fills the cache.
#![cfg_attr(not(feature = "hub"), allow(dead_code))]

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use glob::Pattern;

use crate::error::{Error, ErrorKind, Hint, Result, Stage};
use crate::nn::model_folder::check_folder;
use crate::progress::Progress;

mod cache;
mod card;
#[cfg(feature = "hub")]
mod download;
mod environment;
#[cfg(feature = "hub")]
mod meter;
mod name;
mod needed;
mod origin;
#[cfg(feature = "hub")]
mod pace;
mod read;
#[cfg(feature = "hub")]
mod remote;
mod upload;

use cache::Cache;
pub use card::ModelCard;
use environment::Environment;
use name::{ModelName, check_revision, is_inside};
pub use origin::Origin;
pub use upload::{PushOptions, Pushed};

/// The endpoint of Hugging Face.
const ENDPOINT: &str = "https://huggingface.co";

/// How often the caller's thread checks whether the work should stop.
#[cfg(feature = "hub")]
const LOOK: Duration = Duration::from_millis(50);

/// The Hugging Face Hub and its cache on this machine. See the [module](self) for the layout and the variables.
///
/// ```no_run
/// use topicframe::hub::Hub;
/// use topicframe::progress::Progress;
///
/// let folder = Hub::new().model_folder("all-MiniLM-L6-v2", &Progress::silent())?;
/// println!("{}", folder.display());
/// # Ok::<(), topicframe::error::Error>(())
/// ```
#[derive(Clone)]
pub struct Hub {
    cache_folder: Option<PathBuf>,
    endpoint: String,
    offline: bool,
    token: Option<String>,
    revision: String,
    symlinks: bool,
    retries: u32,
    retry_pause: Duration,
    timeout: Duration,
    min_rate: u64,
    #[cfg(feature = "hub")]
    proxy: Option<ureq::Proxy>,
}

/// What a caller asks for.
#[derive(Debug, Clone)]
enum Wanted {
    /// Everything needed to load the model.
    Model,
    /// These files.
    Files(Vec<String>),
    /// The files that match one of these patterns.
    Matching(Vec<Pattern>),
}

impl Hub {
    /// Settings from the environment.
    pub fn new() -> Self {
        let hub = Hub::with_variables(|name| match name {
            // Where the variable is not set, the system may still know.
            "HOME" => std::env::home_dir().map(PathBuf::into_os_string),
            _ => std::env::var_os(name),
        });
        #[cfg(feature = "hub")]
        let hub = Hub { proxy: ureq::Proxy::try_from_env(), ..hub };
        hub
    }

    /// Settings from `lookup`, which returns the value of a variable; nothing is read from the environment. `HOME` is
    /// the user's folder. The proxy is not among them: only [`new`](Self::new) sets one.
    pub fn with_variables(lookup: impl Fn(&str) -> Option<OsString>) -> Self {
        let environment = Environment::read(&lookup);
        Hub {
            cache_folder: environment.cache_folder,
            endpoint: environment.endpoint.unwrap_or_else(|| ENDPOINT.to_owned()),
            offline: environment.offline,
            token: environment.token,
            revision: "main".to_owned(),
            symlinks: environment.symlinks,
            retries: 4,
            retry_pause: Duration::from_millis(500),
            timeout: Duration::from_secs(30),
            min_rate: 1_000,
            #[cfg(feature = "hub")]
            proxy: None,
        }
    }

    /// The cache: the folder that contains `models--organization--name`. It is created when something is downloaded.
    #[must_use]
    pub fn cache_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.cache_folder = Some(folder.into());
        self
    }

    /// The server: `http://` or `https://`, a host, and optionally a path. Default: `https://huggingface.co`.
    #[must_use]
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = url.into();
        self
    }

    /// Whether network requests are forbidden, so that only cached models can be used. Default: no.
    #[must_use]
    pub fn offline(mut self, offline: bool) -> Self {
        self.offline = offline;
        self
    }

    /// The token for private and gated models, and with the right to write for pushing; empty for none. It is sent to
    /// the endpoint and to no other host.
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into()).filter(|token| !token.is_empty());
        self
    }

    /// The branch, tag or commit of models whose name does not specify one. Default: `main`. A full commit hash (40
    /// digits) pins the model permanently.
    #[must_use]
    pub fn revision(mut self, revision: impl Into<String>) -> Self {
        self.revision = revision.into();
        self
    }

    /// Whether snapshots may contain links to the blobs; otherwise, and where links cannot be created, they contain
    /// copies. Default: yes.
    #[must_use]
    pub fn symlinks(mut self, symlinks: bool) -> Self {
        self.symlinks = symlinks;
        self
    }

    /// How often a request is retried after a transient failure (no connection, a broken connection, status 408, 429
    /// and 5xx); when a download makes progress, the count starts over. As long as no server has ever responded, it is
    /// retried once: there is most likely no network. Default: 4; at most 100.
    #[must_use]
    pub fn retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// The delay before the first of the [`retries`](Self::retries); each delay is twice as long as the one before, and
    /// at most a minute. Default: half a second.
    #[must_use]
    pub fn retry_pause(mut self, pause: Duration) -> Self {
        self.retry_pause = pause;
        self
    }

    /// The minimum rate of downloads and uploads in bytes per second, averaged over each [`timeout`](Self::timeout); a slower
    /// connection counts as broken. Default: 1,000; 0 for no minimum.
    #[must_use]
    pub fn min_rate(mut self, bytes_a_second: u64) -> Self {
        self.min_rate = bytes_a_second;
        self
    }

    /// How long the server may be silent, or take to begin a response. Default: 30 seconds; more than 0.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidParameter`] for an endpoint that is not a URL, a token with spaces or other characters that
    /// no token contains, an invalid revision, too many retries, or a timeout of 0; also if there is no cache folder
    /// because the environment does not name the user's folder.
    pub fn check(&self) -> Result<()> {
        let address = self.endpoint.strip_prefix("https://").or_else(|| self.endpoint.strip_prefix("http://"));
        let is_host = |address: &str| address.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[');
        let is_plain = |c: char| c.is_ascii_graphic() && !"?#@\\\"<>".contains(c);
        if !address.is_some_and(|address| is_host(address) && address.chars().all(is_plain)) {
            let allowed = "a URL like https://huggingface.co";
            return Err(Error::invalid_parameter(Stage::Embed, "endpoint", format!("{:?}", self.endpoint), allowed));
        }
        if self.token.as_ref().is_some_and(|token| !token.chars().all(|c| c.is_ascii_graphic())) {
            // The token itself stays secret.
            return Err(Error::invalid_parameter(
                Stage::Embed,
                "token",
                "(not shown)",
                "visible ASCII characters only",
            ));
        }
        if self.retries > 100 {
            return Err(Error::invalid_parameter(Stage::Embed, "retries", self.retries, "at most 100"));
        }
        if self.timeout.is_zero() {
            return Err(Error::invalid_parameter(Stage::Embed, "timeout", "0 s", "more than 0"));
        }
        check_revision(&self.revision)?;
        self.cache().map(drop)
    }

    /// The folder with everything needed to load a model: configurations, vocabularies and weights, the latter in one
    /// format only (safetensors if available, otherwise PyTorch's). Files that are not cached are downloaded, verified
    /// against their size and SHA-256, and reported to `progress` in kB.
    ///
    /// `name` is `organization/name`, the short name of a sentence transformer (`all-MiniLM-L6-v2`, `clip-ViT-B-32`),
    /// or one of the few old names without an organization (`bert-base-uncased`); `@revision` may follow.
    ///
    /// A cached branch stays at the commit that it pointed to when it was downloaded: no request checks whether it has
    /// moved on. To get a newer version, name the commit.
    ///
    /// # Errors
    /// An invalid name or setting; [`ErrorKind::NotFound`] if the Hub has no such model or revision or, offline, if it
    /// is not in the cache; [`ErrorKind::Io`] if the Hub cannot be reached, refuses or is too slow, if the disk has no
    /// room for the files (then nothing is downloaded), or if the cache cannot be written; [`ErrorKind::Model`] if a
    /// downloaded file is damaged or the files are not a model; [`ErrorKind::Interrupted`].
    pub fn model_folder(&self, name: &str, progress: &Progress) -> Result<PathBuf> {
        self.folder(name, Wanted::Model, progress)
    }

    /// A folder with the given files of a model: paths as the Hub lists them, such as `1_Pooling/config.json`. The
    /// folder may contain others, too.
    ///
    /// # Errors
    /// As [`model_folder`](Self::model_folder); and a file that is outside the folder or that the model does not have.
    pub fn snapshot(&self, name: &str, files: &[&str], progress: &Progress) -> Result<PathBuf> {
        if let Some(file) = files.iter().find(|file| !is_inside(file)) {
            return Err(Error::invalid_parameter(
                Stage::Embed,
                "file",
                format!("{file:?}"),
                "a path inside the model's folder",
            ));
        }
        self.folder(name, Wanted::Files(files.iter().map(|&file| file.to_owned()).collect()), progress)
    }

    /// A folder with those files of a model that match at least one of the patterns: `*.json`, `images/*`. `*` stands
    /// for any characters, `?` for one, `[a-z]` for one of a range; as in `huggingface_hub`'s `allow_patterns`, `*`
    /// also matches `/`. The folder may contain other files, too. Files that are not cached are downloaded and verified
    /// as in [`model_folder`](Self::model_folder).
    ///
    /// `name` is `organization/name`; `@revision` may follow. Short names are not completed. Unlike a model that others
    /// have published, one's own is often pushed again, so the Hub is asked where the branch is now (one request);
    /// without a network, or with [`offline`](Self::offline), the cached files are used, with a note. A full commit
    /// hash that is cached makes no request.
    ///
    /// # Errors
    /// As [`model_folder`](Self::model_folder); [`ErrorKind::InvalidParameter`] for no patterns or an invalid one;
    /// [`ErrorKind::NotFound`] if no file matches, and [`ErrorKind::Model`] if more than 10,000 do.
    ///
    /// ```no_run
    /// use topicframe::hub::Hub;
    /// use topicframe::progress::Progress;
    ///
    /// let folder = Hub::new().snapshot_matching("user/topics", &["*.json", "*.safetensors"], &Progress::silent())?;
    /// println!("{}", folder.display());
    /// # Ok::<(), topicframe::error::Error>(())
    /// ```
    pub fn snapshot_matching(&self, name: &str, patterns: &[&str], progress: &Progress) -> Result<PathBuf> {
        let patterns = compiled("patterns", patterns)?;
        if patterns.is_empty() {
            return Err(Error::invalid_parameter(Stage::Input, "patterns", "[]", "at least one pattern"));
        }
        let model = ModelName::as_given(name, &self.revision).map_err(|error| error.in_stage(Stage::Input))?;
        self.brought(model, Wanted::Matching(patterns), progress).map_err(|error| error.in_stage(Stage::Input))
    }

    fn folder(&self, name: &str, wanted: Wanted, progress: &Progress) -> Result<PathBuf> {
        self.brought(ModelName::parse(name, &self.revision)?, wanted, progress)
    }

    fn brought(&self, model: ModelName, wanted: Wanted, progress: &Progress) -> Result<PathBuf> {
        self.check()?;
        progress.check(Stage::Embed)?;
        let cache = Cache::new(self.cache()?, &model, self.symlinks);
        let cached = cache.find(&model.revision, &wanted);
        match cached {
            Some(cached) if cached.sure || self.offline => Ok(cached.folder),
            None if self.offline => Err(not_cached(&model, &cache)),
            None => self.fetch(model, cache, wanted, progress),
            Some(cached) => match self.fetch(model, cache, wanted, progress) {
                Err(error) if error.kind() == ErrorKind::Io => {
                    progress.note(Stage::Embed, format!("using the cached model as is: {error:#}"));
                    Ok(cached.folder)
                }
                result => result,
            },
        }
    }

    fn cache(&self) -> Result<&Path> {
        self.cache_folder.as_deref().ok_or_else(|| {
            Error::new(ErrorKind::InvalidParameter, Stage::Embed, "there is no cache folder for models")
                .with_hint(Hint::new("Set HF_HOME or `Hub::cache_folder`.").on_command_line("Set HF_HOME."))
        })
    }

    #[cfg(feature = "hub")]
    fn fetch(&self, model: ModelName, cache: Cache, wanted: Wanted, progress: &Progress) -> Result<PathBuf> {
        let (hub, told) = (self.clone(), progress.clone());
        in_thread(progress, move || remote::Remote::new(&hub, &model, &told)?.bring(&cache, &wanted))
    }

    #[cfg(not(feature = "hub"))]
    fn fetch(&self, model: ModelName, cache: Cache, _: Wanted, _: &Progress) -> Result<PathBuf> {
        Err(not_cached(&model, &cache)
            .with_hint("topicframe was built without the feature `hub`, which downloads models."))
    }
}

impl Default for Hub {
    fn default() -> Self {
        Hub::new()
    }
}

/// Everything except the token.
impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub")
            .field("cache_folder", &self.cache_folder)
            .field("endpoint", &self.endpoint)
            .field("offline", &self.offline)
            .field("token", &self.token.as_ref().map(|_| "(not shown)"))
            .field("revision", &self.revision)
            .finish_non_exhaustive()
    }
}

fn not_cached(model: &ModelName, cache: &Cache) -> Error {
    let ModelName { id, revision } = model;
    let message =
        format!("the model `{id}` (revision `{revision}`) is not in the cache, and network requests are disabled");
    Error::new(ErrorKind::NotFound, Stage::Embed, message).with_path(cache.folder()).with_hint(format!(
        "Run once online and without HF_HUB_OFFLINE, or run `hf download {id}` on another machine and copy the folder."
    ))
}

/// Works in a separate thread: a request that waits for the server cannot be stopped, but it can be abandoned.
#[cfg(feature = "hub")]
fn in_thread<T: Send + 'static>(progress: &Progress, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    use std::sync::mpsc::{RecvTimeoutError, sync_channel};

    let (sender, receiver) = sync_channel(1);
    // After an interrupt, nobody is listening anymore.
    let work = move || drop(sender.send(work()));
    let started = std::thread::Builder::new().name("hub".to_owned()).spawn(work);
    started.map_err(|cause| internal("no thread can be started").with_cause(cause))?;
    loop {
        match receiver.recv_timeout(LOOK) {
            Ok(result) => return result,
            Err(RecvTimeoutError::Timeout) => progress.check(Stage::Embed)?,
            Err(RecvTimeoutError::Disconnected) => return Err(internal("the transfer has failed")),
        }
    }
}

/// Compiled patterns of file names.
fn compiled(parameter: &str, patterns: &[impl AsRef<str>]) -> Result<Vec<Pattern>> {
    let compile = |pattern: &str| {
        Pattern::new(pattern).map_err(|cause| {
            let allowed = "a pattern like `*.json` or `images/*`";
            Error::invalid_parameter(Stage::Input, parameter, format!("{pattern:?}"), allowed).with_cause(cause)
        })
    };
    patterns.iter().map(|pattern| compile(pattern.as_ref())).collect()
}

#[cfg(feature = "hub")]
fn internal(message: &str) -> Error {
    Error::new(ErrorKind::Internal, Stage::Embed, message)
}

/// A local folder, or the folder into which the Hub's model of this name is downloaded.
///
/// # Errors
/// A path to a folder that does not exist; as [`Hub::model_folder`].
pub(crate) fn folder_of(name: &str, progress: &Progress) -> Result<PathBuf> {
    let path = Path::new(name);
    let is_path = path.is_absolute() || name.starts_with('.') || name.contains('\\') || path.components().count() > 2;
    if is_path || path.is_dir() {
        check_folder(path)?;
        return Ok(path.to_path_buf());
    }
    let hint = "There is no local folder of this name, so it was treated as a model on the Hub.";
    Hub::new().model_folder(name, progress).map_err(|error| error.with_further_hint(hint))
}
