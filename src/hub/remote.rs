//! Requests to the Hub: redirects, retries, and the meaning of refusals.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use ureq::http::{HeaderMap, Response, StatusCode, Uri};
use ureq::{Agent, Body, BodyReader};

use super::Hub;
use super::name::{ModelName, is_commit, is_etag, is_inside};
use super::needed::Listing;
use super::pace::Paced;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::progress::Progress;

/// Size limit for a response about a model.
const MAX_ANSWER: u64 = 32 << 20;

/// The maximum number of files in a model.
const MAX_FILES: usize = 100_000;

/// The maximum number of redirects, about as many as browsers follow.
pub(super) const MAX_REDIRECTS: usize = 10;

/// The maximum delay between two attempts, whatever the server says.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Why an attempt failed.
pub(super) enum Failure {
    /// It may succeed the next time.
    Passing {
        error: Error,
        /// How long the server asks to wait.
        after: Option<Duration>,
        /// Whether the attempt made progress nevertheless.
        further: bool,
    },
    /// It will not succeed.
    Final(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Final(error)
    }
}

impl Failure {
    pub(super) fn passing(error: Error) -> Self {
        Failure::Passing { error, after: None, further: false }
    }
}

pub(super) type Try<T> = std::result::Result<T, Failure>;

/// What the Hub reports about a file before it is downloaded.
pub(super) struct FileFacts {
    /// The content's identifier: its SHA-256 for large files.
    pub(super) etag: String,
    pub(super) size: Option<u64>,
}

/// The model on the Hub.
pub(super) struct Remote<'a> {
    pub(super) hub: &'a Hub,
    pub(super) model: &'a ModelName,
    pub(super) progress: &'a Progress,
    pub(super) agent: Agent,
    pub(super) endpoint: Uri,
    /// Whether the Hub has ever responded.
    pub(super) reached: AtomicBool,
}

#[derive(Clone, Copy)]
pub(super) enum Method {
    Head,
    Get,
}

impl<'a> Remote<'a> {
    pub(super) fn new(hub: &'a Hub, model: &'a ModelName, progress: &'a Progress) -> Result<Self> {
        let endpoint = hub.endpoint.trim_end_matches('/').parse().map_err(|cause| {
            Error::invalid_parameter(Stage::Embed, "endpoint", &hub.endpoint, "a URL like https://huggingface.co")
                .with_cause(cause)
        })?;
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(hub.proxy.clone())
            .user_agent(concat!("topicframe/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(hub.timeout))
            .timeout_connect(Some(hub.timeout))
            .timeout_recv_response(Some(hub.timeout))
            .timeout_per_read(Some(hub.timeout))
            .timeout_per_write(Some(hub.timeout))
            .build();
        let (agent, reached) = (Agent::new_with_config(config), AtomicBool::new(false));
        Ok(Remote { hub, model, progress, agent, endpoint, reached })
    }

    /// The commit that the revision points to, and its files. Names that lead out of the folder are skipped and
    /// reported.
    pub(super) fn listing(&self) -> Result<(String, Listing)> {
        let answer = self.retrying(|| {
            let response = self.describe()?;
            match response.status() {
                StatusCode::OK => self.read_answer(response),
                _ => Err(self.refusal(&response, "the file list")),
            }
        })?;
        self.listed(&self.parsed(&answer)?)
    }

    /// Asks for what the Hub knows about the model at the revision.
    pub(super) fn describe(&self) -> Try<Response<Body>> {
        let ModelName { id, revision } = self.model;
        let url = self.url(&format!("api/models/{id}/revision/{}", encoded(revision, "")));
        self.follow(Method::Get, &url, None).map(|(response, _)| response)
    }

    /// The whole body of a response that is not a file.
    pub(super) fn read_answer(&self, response: Response<Body>) -> Try<Vec<u8>> {
        let mut answer = Vec::new();
        let read = self.paced(response).take(MAX_ANSWER + 1).read_to_end(&mut answer);
        read.map_err(|cause| Failure::passing(self.cut_short(cause)))?;
        match answer.len() as u64 > MAX_ANSWER {
            true => Err(Failure::Final(self.strange("an endless response"))),
            false => Ok(answer),
        }
    }

    pub(super) fn parsed(&self, answer: &[u8]) -> Result<Value> {
        serde_json::from_slice(answer).map_err(|cause| self.strange("invalid JSON").with_cause(cause))
    }

    /// The commit and its files in the answer to [`describe`](Self::describe).
    pub(super) fn listed(&self, answer: &Value) -> Result<(String, Listing)> {
        let commit = answer.get("sha").and_then(Value::as_str).filter(|sha| is_commit(sha));
        let files = answer.get("siblings").and_then(Value::as_array);
        let (Some(commit), Some(files)) = (commit, files) else {
            return Err(self.strange("no commit or no list of files"));
        };
        if files.len() > MAX_FILES {
            return Err(self.strange(&format!("a list of {} files", files.len())));
        }
        let names = files.iter().filter_map(|file| file.get("rfilename").and_then(Value::as_str));
        let listing: Listing = names.filter(|name| is_inside(name)).map(|name| (name.to_owned(), None)).collect();
        if listing.len() < files.len() {
            let (id, count) = (&self.model.id, files.len() - listing.len());
            self.progress.note(Stage::Embed, format!("skipped {count} files of `{id}` with unusable names"));
        }
        Ok((commit.to_owned(), listing))
    }

    /// What the Hub reports about a file.
    pub(super) fn facts(&self, commit: &str, file: &str) -> Result<FileFacts> {
        let url = self.file_url(commit, file);
        self.retrying(|| {
            let (response, arrived) = self.follow(Method::Head, &url, None)?;
            if arrived && response.status() != StatusCode::OK {
                return Err(self.refusal(&response, file));
            }
            let headers = response.headers();
            if header(headers, "x-repo-commit").is_some_and(|other| other != commit) {
                return Err(self.strange("a file from another commit").into());
            }
            let etag = header(headers, "x-linked-etag").or_else(|| header(headers, "etag"));
            let etag = etag.map(|etag| etag.trim_start_matches("W/").trim_matches('"'));
            let Some(etag) = etag.filter(|etag| is_etag(etag)) else {
                return Err(self.strange(&format!("no usable ETag for {file}")).into());
            };
            let length = || header(headers, "content-length").filter(|_| arrived);
            let size = header(headers, "x-linked-size").or_else(length).and_then(|size| size.parse().ok());
            Ok(FileFacts { etag: etag.to_owned(), size })
        })
    }

    /// Starts the download of a file, from byte `start` if the server supports it.
    pub(super) fn open(&self, commit: &str, file: &str, start: u64) -> Try<Response<Body>> {
        let range = (start > 0).then_some(start);
        self.follow(Method::Get, &self.file_url(commit, file), range).map(|(response, _)| response)
    }

    /// The body of a response, which must not trickle.
    pub(super) fn paced(&self, response: Response<Body>) -> Paced<BodyReader<'static>> {
        Paced::new(response.into_body().into_reader(), self.hub.min_rate, self.hub.timeout)
    }

    fn file_url(&self, commit: &str, file: &str) -> String {
        self.url(&format!("{}/resolve/{commit}/{}", self.model.id, encoded(file, "/")))
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.hub.endpoint.trim_end_matches('/'))
    }

    /// Sends a request and follows redirects. The token is sent only to the endpoint's own host. A `HEAD` request ends
    /// at the redirect that carries the metadata and leads to another host; the flag says whether it reached its target
    /// instead.
    pub(super) fn follow(&self, method: Method, url: &str, range: Option<u64>) -> Try<(Response<Body>, bool)> {
        let mut place: Uri = url.parse().map_err(|cause| self.strange("an invalid URL").with_cause(cause))?;
        for _ in 0..=MAX_REDIRECTS {
            self.progress.check(Stage::Embed)?;
            let response = self.request(method, &place, range)?;
            if !response.status().is_redirection() || response.status() == StatusCode::NOT_MODIFIED {
                return Ok((response, true));
            }
            let target = header(response.headers(), "location").and_then(|target| joined(&place, target));
            let Some(target) = target else {
                return Err(self.strange("a redirect without a valid target").into());
            };
            if place.scheme_str() == Some("https") && target.scheme_str() != Some("https") {
                return Err(self.strange("a redirect to an unencrypted address").into());
            }
            let has_facts = ["x-linked-etag", "etag"].iter().any(|name| response.headers().contains_key(*name));
            if matches!(method, Method::Head) && has_facts && !same_origin(&place, &target) {
                return Ok((response, false));
            }
            place = target;
        }
        Err(self.strange("endless redirects").into())
    }

    fn request(&self, method: Method, place: &Uri, range: Option<u64>) -> Try<Response<Body>> {
        let mut request = match method {
            Method::Head => self.agent.head(place),
            Method::Get => self.agent.get(place),
        };
        // A compressed file would have a different size.
        request = request.header("accept-encoding", "identity");
        if let Some(start) = range {
            request = request.header("range", format!("bytes={start}-"));
        }
        if let Some(token) = self.hub.token.as_ref().filter(|_| same_origin(place, &self.endpoint)) {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let answer = request.call();
        self.reached.fetch_or(answer.is_ok(), Ordering::Relaxed);
        answer.map_err(|cause| self.no_answer(place, cause))
    }

    /// A request that got no response.
    pub(super) fn no_answer(&self, place: &Uri, cause: ureq::Error) -> Failure {
        match cause {
            ureq::Error::Io(_)
            | ureq::Error::Timeout(_)
            | ureq::Error::HostNotFound
            | ureq::Error::ConnectionFailed
            | ureq::Error::Protocol(_) => Failure::passing(self.unreachable(place).with_cause(cause)),
            cause => Failure::Final(self.unreachable(place).with_cause(cause)),
        }
    }

    /// Retries until an attempt succeeds, one fails permanently, or too many in a row make no progress.
    pub(super) fn retrying<T>(&self, mut attempt: impl FnMut() -> Try<T>) -> Result<T> {
        let mut failed = 0;
        loop {
            let (error, after) = match attempt() {
                Ok(value) => return Ok(value),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Passing { error, after, further }) => {
                    failed = if further { 0 } else { failed };
                    (error, after)
                }
            };
            // If nothing has ever responded, there is most likely no network, so this fails early.
            let reached = self.reached.load(Ordering::Relaxed);
            if failed >= if reached { self.hub.retries } else { self.hub.retries.min(1) } {
                return Err(error);
            }
            let pause = self.hub.retry_pause.saturating_mul(1 << failed.min(16));
            self.wait(after.map_or(pause, |after| after.max(pause)).min(LONGEST_PAUSE))?;
            failed += 1;
        }
    }

    fn wait(&self, pause: Duration) -> Result<()> {
        const LOOK: Duration = Duration::from_millis(50);
        let end = Instant::now() + pause;
        loop {
            self.progress.check(Stage::Embed)?;
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(LOOK));
        }
    }

    /// The meaning of an unexpected response.
    pub(super) fn refusal(&self, response: &Response<Body>, what: &str) -> Failure {
        let status = response.status();
        let ModelName { id, revision } = self.model;
        let endpoint = &self.hub.endpoint;
        let error = |kind, message: String| Error::new(kind, Stage::Embed, message);
        let token = match self.hub.token {
            Some(_) => "The token that was sent (HF_TOKEN) does not grant access to it, or has expired.",
            None => "If the model is private, set HF_TOKEN to a token with access to it.",
        };
        let code = header(response.headers(), "x-error-code").unwrap_or_default();
        if status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::REQUEST_TIMEOUT || status.is_server_error()
        {
            let message = format!("{endpoint} returned status {status} when asked for {what} of `{id}`");
            let error = error(ErrorKind::Io, message).with_hint("This is usually temporary: try again later.");
            let after = header(response.headers(), "retry-after").and_then(|seconds| seconds.parse().ok());
            return Failure::Passing { error, after: after.map(Duration::from_secs), further: false };
        }
        Failure::Final(match (status.as_u16(), code) {
            (_, "GatedRepo") => error(ErrorKind::Io, format!("the model `{id}` is gated: its owner requires consent"))
                .with_hint(format!(
                    "Accept its terms at {endpoint}/{id}, and set HF_TOKEN to a token of that account."
                )),
            (_, "RevisionNotFound") => {
                error(ErrorKind::NotFound, format!("the model `{id}` has no revision `{revision}`"))
                    .with_hint(format!("{endpoint}/{id}/commits/main lists the available revisions."))
            }
            (404, "EntryNotFound") => error(ErrorKind::NotFound, format!("the model `{id}` has no file {what}")),
            (404, _) | (401, "RepoNotFound" | "") if self.hub.token.is_none() || status == StatusCode::NOT_FOUND => {
                error(ErrorKind::NotFound, format!("{endpoint} has no model `{id}`, or it is not public"))
                    .with_hint(format!("Check the spelling (`organization/name`). {token}"))
            }
            (401 | 403, _) => {
                error(ErrorKind::Io, format!("{endpoint} denied access to {what} of `{id}` (status {status})"))
                    .with_hint(token)
            }
            _ => error(ErrorKind::Io, format!("{endpoint} returned status {status} for {what} of `{id}`")),
        })
    }

    fn unreachable(&self, place: &Uri) -> Error {
        let host = place.host().unwrap_or_default();
        let message = format!("no response from {host} for the model `{}`", self.model.id);
        Error::new(ErrorKind::Io, Stage::Embed, message)
            .with_hint("Is the network up, and is HTTPS_PROXY set if a proxy is needed? HF_ENDPOINT selects a mirror.")
    }

    /// The connection ended before the response did.
    pub(super) fn broken(&self, cause: impl std::error::Error + Send + Sync + 'static) -> Error {
        let message = format!("the connection broke while the model `{}` was downloading", self.model.id);
        let error = Error::new(ErrorKind::Io, Stage::Embed, message).with_cause(cause);
        error.with_hint("Run it again: downloaded data is kept, and the download resumes.")
    }

    fn cut_short(&self, cause: io::Error) -> Error {
        let message = format!("the connection broke during a response about the model `{}`", self.model.id);
        Error::new(ErrorKind::Io, Stage::Embed, message).with_cause(cause).with_hint("Run it again.")
    }

    /// The server does not behave like a hub.
    pub(super) fn strange(&self, what: &str) -> Error {
        let message = format!("{} returned {what} for the model `{}`", self.hub.endpoint, self.model.id);
        Error::new(ErrorKind::Io, Stage::Embed, message).with_hint("Is HF_ENDPOINT the URL of a Hugging Face Hub?")
    }
}

/// A connection that ended without an error.
pub(super) fn early_end() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the connection ended early")
}

pub(super) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Resolves a `Location` relative to `place`.
pub(super) fn joined(place: &Uri, target: &str) -> Option<Uri> {
    let scheme = place.scheme_str()?;
    let target = target.split('#').next().unwrap_or_default();
    let address = match target {
        _ if target.starts_with("http://") || target.starts_with("https://") => target.to_owned(),
        _ if target.starts_with("//") => format!("{scheme}:{target}"),
        _ if target.starts_with('/') => format!("{scheme}://{}{target}", place.authority()?),
        _ => {
            let folder = place.path().rsplit_once('/').map_or("", |(folder, _)| folder);
            format!("{scheme}://{}{folder}/{target}", place.authority()?)
        }
    };
    address.parse().ok()
}

pub(super) fn same_origin(a: &Uri, b: &Uri) -> bool {
    let port = |uri: &Uri| uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
    let host = |uri: &Uri| uri.host().unwrap_or_default().to_ascii_lowercase();
    a.scheme_str() == b.scheme_str() && host(a) == host(b) && port(a) == port(b)
}

/// `text` percent-encoded for a URL; the characters of `keep` are kept as well.
pub(super) fn encoded(text: &str, keep: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let c = char::from(byte);
        match byte.is_ascii_alphanumeric() || "-_.~".contains(c) || keep.contains(c) {
            true => out.push(c),
            false => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
