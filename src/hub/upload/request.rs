//! Requests that carry something to the Hub, or to where the Hub wants it.

use std::time::Duration;

use serde_json::Value;
use ureq::SendBody;
use ureq::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};

use super::body::Body;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::hub::meter::Meter;
use crate::hub::pace::Paced;
use crate::hub::remote::{Failure, MAX_REDIRECTS, Remote, Try, header, joined, same_origin};

/// The type of most bodies.
const JSON: &str = "application/json";

/// How much longer than usual the server may take to respond where it has to put something together.
const PATIENCE: u32 = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Post,
    Put,
}

/// A request with a body.
#[derive(Debug)]
pub(super) struct Sending {
    pub(super) verb: Verb,
    pub(super) url: String,
    /// Sent to the host of `url` and to no other.
    pub(super) headers: Vec<(String, String)>,
    /// Whether the request is for the Hub itself, which does not send it to another host.
    pub(super) stays: bool,
    /// Whether the server has work to do before it responds.
    pub(super) patient: bool,
}

impl Sending {
    pub(super) fn json(url: String) -> Self {
        Sending::typed(url, JSON)
    }

    /// To the Hub, with a body of this type.
    pub(super) fn typed(url: String, media: &str) -> Self {
        let headers = vec![("content-type".to_owned(), media.to_owned())];
        Sending { verb: Verb::Post, url, headers, stays: true, patient: false }
    }

    pub(super) fn patient(self) -> Self {
        Sending { patient: true, ..self }
    }
}

/// A complete response.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Remote<'_> {
    /// Sends JSON to the Hub, with retries, and returns the response whatever its status.
    pub(super) fn post(&self, path: &str, value: &Value, doing: &str) -> Result<Answer> {
        let (sending, body) = (Sending::json(self.url(path)), Body::json(value));
        self.retrying(|| self.answered(&sending, &body, &Meter::silent(), 0, doing))
    }

    /// As [`send`](Self::send); a response that says that it may work later is a passing failure.
    pub(super) fn answered(
        &self,
        sending: &Sending,
        body: &Body<'_>,
        meter: &Meter<'_>,
        before: u64,
        doing: &str,
    ) -> Try<Answer> {
        let answer = self.send(sending, body, meter, before)?;
        match is_transient(answer.status) {
            false => Ok(answer),
            true => {
                let after = header(&answer.headers, "retry-after").and_then(|seconds| seconds.parse().ok());
                let after = after.map(Duration::from_secs);
                Err(Failure::Passing { error: self.refused(&answer, doing), after, further: false })
            }
        }
    }

    /// Sends a request and follows redirects that repeat it. The Hub's token is sent only to the endpoint's own host,
    /// and the request's own headers only to the host of its URL.
    pub(super) fn send(&self, sending: &Sending, body: &Body<'_>, meter: &Meter<'_>, before: u64) -> Try<Answer> {
        let first: Uri = sending.url.parse().map_err(|cause| self.strange("an invalid URL").with_cause(cause))?;
        if !matches!(first.scheme_str(), Some("http" | "https")) || first.host().is_none_or(str::is_empty) {
            return Err(self.strange("a URL that is none of the web's").into());
        }
        let mut place = first.clone();
        for _ in 0..=MAX_REDIRECTS {
            let is_encrypted = |place: &Uri| place.scheme_str() == Some("https");
            if is_encrypted(&self.endpoint) && !is_encrypted(&place) {
                return Err(self.strange("an unencrypted address to send files to").into());
            }
            if sending.stays && !same_origin(&place, &self.endpoint) {
                return Err(self.strange("a redirect of a change to another host").into());
            }
            let own = same_origin(&place, &first);
            let answer = self.send_once(sending, &place, own, body, meter, before)?;
            if !matches!(answer.status.as_u16(), 307 | 308) {
                return match answer.status.is_redirection() {
                    true => Err(self.strange("a redirect that would lose what is sent").into()),
                    false => Ok(answer),
                };
            }
            let target = header(&answer.headers, "location").and_then(|target| joined(&place, target));
            place = target.ok_or_else(|| self.strange("a redirect without a valid target"))?;
        }
        Err(self.strange("endless redirects").into())
    }

    fn send_once(
        &self,
        sending: &Sending,
        place: &Uri,
        own: bool,
        body: &Body<'_>,
        meter: &Meter<'_>,
        before: u64,
    ) -> Try<Answer> {
        self.progress.check(Stage::Output)?;
        let mut request = match sending.verb {
            Verb::Post => self.agent.post(place),
            Verb::Put => self.agent.put(place),
        };
        if sending.patient {
            request = request.config().timeout_recv_response(Some(self.hub.timeout.saturating_mul(PATIENCE))).build();
        }
        let mut authorized = false;
        for (name, value) in sending.headers.iter().filter(|_| own) {
            let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) else {
                return Err(self.strange("an invalid header for an upload").into());
            };
            authorized |= name == "authorization";
            request = request.header(name, value);
        }
        if let Some(token) = self.hub.token.as_ref().filter(|_| !authorized && same_origin(place, &self.endpoint)) {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        request = request.header("accept-encoding", "identity").header("content-length", body.length());
        let mut reader = Paced::new(body.reader(self.progress, meter, before), self.hub.min_rate, self.hub.timeout);
        let answer = request.send(SendBody::from_reader(&mut reader));
        self.reached.fetch_or(answer.is_ok(), std::sync::atomic::Ordering::Relaxed);
        if let Some(error) = reader.into_inner().take_error() {
            return Err(Failure::Final(error));
        }
        let response = answer.map_err(|cause| self.not_sent(place, cause))?;
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(Answer { status, headers, body: self.read_answer(response)? })
    }

    fn not_sent(&self, place: &Uri, cause: ureq::Error) -> Failure {
        match cause {
            // Before anything was sent, these are the errors of a connection; later, those of one that broke.
            ureq::Error::Io(_) | ureq::Error::Protocol(_) => {
                let (host, id) = (place.host().unwrap_or_default(), &self.model.id);
                let message = format!("the connection to {host} broke while `{id}` was being pushed");
                let error = Error::new(ErrorKind::Io, Stage::Output, message).with_cause(cause);
                Failure::passing(error.with_hint("Push again: what has arrived is not sent again."))
            }
            cause => self.no_answer(place, cause),
        }
    }
}

/// Whether the same request may succeed later. A full storage (507) stays full.
fn is_transient(status: StatusCode) -> bool {
    let code = status.as_u16();
    matches!(code, 408 | 429) || status.is_server_error() && !matches!(code, 501 | 505 | 507)
}
