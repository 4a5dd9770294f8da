//! Large files, by git's LFS protocol: a batch request says which contents the Hub lacks and where to send them, whole
//! or in parts.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::body::Body;
use super::local::LocalFile;
use super::options::PushOptions;
use super::request::{Answer, Sending, Verb};
use crate::error::{Error, ErrorKind, LONGEST_QUOTE, Result, Stage, quoted};
use crate::hub::meter::Meter;
use crate::hub::remote::{Remote, header};
use crate::progress::printable;

/// Contents in one batch request.
const CONTENTS: usize = 256;

/// The maximum number of parts of a content, as in Amazon S3.
const MAX_PARTS: u64 = 10_000;

/// The maximum number of headers that an upload may need.
const MAX_HEADERS: usize = 64;

/// How often links to send a content to are asked for: they expire.
const LINKS: usize = 2;

/// The type of requests and responses.
const MEDIA: &str = "application/vnd.git-lfs+json";

/// A content by its SHA-256, and a file that has it.
pub(super) type Content<'f> = (&'f str, &'f LocalFile);

/// A request that the Hub asks for.
struct Action {
    href: String,
    headers: Map<String, Value>,
}

/// What is to be done for a content that the Hub lacks.
struct Actions {
    upload: Action,
    verify: Option<Action>,
}

impl Remote<'_> {
    /// Uploads the contents that the Hub lacks. `meter` gets to `before` plus their sizes; returns the bytes sent.
    pub(super) fn upload(&self, contents: &[Content<'_>], options: &PushOptions, meter: &Meter<'_>) -> Result<u64> {
        let (mut done, mut sent) = (0, 0);
        for contents in contents.chunks(CONTENTS) {
            let mut wanted = self.batch(contents, options)?;
            for &(oid, file) in contents {
                if let Some(actions) = wanted.remove(oid).flatten() {
                    self.upload_one((oid, file), actions, options, meter, done)?;
                    sent += file.size;
                }
                done += file.size;
                meter.reach(done);
            }
        }
        Ok(sent)
    }

    /// What to do for each content; nothing if the Hub has it.
    fn batch(&self, contents: &[Content<'_>], options: &PushOptions) -> Result<BTreeMap<String, Option<Actions>>> {
        let objects: Vec<Value> = contents.iter().map(|(oid, file)| json!({ "oid": oid, "size": file.size })).collect();
        let wanted = json!({
            "operation": "upload",
            "transfers": ["basic", "multipart"],
            "objects": objects,
            "hash_algo": "sha256",
            "ref": { "name": options.revision },
        });
        let mut sending = Sending::typed(self.url(&format!("{}.git/info/lfs/objects/batch", self.model.id)), MEDIA);
        sending.headers.push(("accept".to_owned(), MEDIA.to_owned()));
        let (body, doing) = (Body::json(&wanted), "take large files");
        let answer = self.retrying(|| self.answered(&sending, &body, &Meter::silent(), 0, doing))?;
        if !answer.status.is_success() {
            return Err(self.refused(&answer, doing));
        }
        let answer = self.parsed(&answer.body)?;
        let objects = answer.get("objects").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let mut found = BTreeMap::new();
        for (oid, file) in contents {
            let object = objects.iter().find(|object| object.get("oid").and_then(Value::as_str) == Some(oid));
            let object = object.ok_or_else(|| self.strange("no way to send a large file"))?;
            if let Some(error) = object.get("error") {
                return Err(self.refused_content(file, error));
            }
            let actions = object.get("actions").filter(|actions| !actions.is_null()).and_then(|actions| {
                let upload = actions.get("upload").filter(|upload| !upload.is_null())?;
                Some((Action::read(upload), actions.get("verify").filter(|verify| !verify.is_null())))
            });
            let actions = match actions {
                None => None,
                Some((upload, verify)) => {
                    let upload = upload.ok_or_else(|| self.strange("no address for a large file"))?;
                    Some(Actions { upload, verify: verify.and_then(Action::read) })
                }
            };
            found.insert((*oid).to_owned(), actions);
        }
        Ok(found)
    }

    fn refused_content(&self, file: &LocalFile, error: &Value) -> Error {
        let code = error.get("code").and_then(Value::as_u64).unwrap_or_default();
        let said = error.get("message").and_then(Value::as_str).unwrap_or("no reason given");
        let said = quoted(&printable(said), LONGEST_QUOTE);
        let message =
            format!("{} refused {} of `{}` (code {code}): {said}", self.hub.endpoint, file.name, self.model.id);
        Error::new(ErrorKind::Io, Stage::Output, message)
    }

    fn upload_one(
        &self,
        content: Content<'_>,
        mut actions: Actions,
        options: &PushOptions,
        meter: &Meter<'_>,
        before: u64,
    ) -> Result<()> {
        for link in 1..=LINKS {
            let answer = match actions.upload.chunk_size() {
                None => self.put_whole(content, &actions.upload, meter, before)?,
                Some(size) => self.put_parts(content, &actions.upload, size, meter, before)?,
            };
            if answer.status.is_success() {
                content.1.check()?;
                return actions.verify.map_or(Ok(()), |verify| self.verify(content, &verify));
            }
            // The storage answers so when a link has expired.
            let again = link < LINKS && matches!(answer.status.as_u16(), 400 | 401 | 403);
            let renewed = if again { self.batch(&[content], options)?.remove(content.0).flatten() } else { None };
            match renewed {
                Some(renewed) => actions = renewed,
                None => return Err(self.refused(&answer, &format!("take {}", content.1.name))),
            }
        }
        Err(self.strange("links that expire at once"))
    }

    fn put_whole(&self, (_, file): Content<'_>, action: &Action, meter: &Meter<'_>, before: u64) -> Result<Answer> {
        let body = Body::part(file, 0, file.size);
        let sending = action.sending(Verb::Put, action.href.clone());
        let doing = format!("take {}", file.name);
        self.retrying(|| self.answered(&sending, &body, meter, before, &doing))
    }

    /// Sends the parts one after another, and asks the storage to put them together. Returns the first response that is
    /// not a success, or the last.
    fn put_parts(
        &self,
        (oid, file): Content<'_>,
        action: &Action,
        size: u64,
        meter: &Meter<'_>,
        before: u64,
    ) -> Result<Answer> {
        let links = action.links();
        if size == 0 || links.len() as u64 != file.size.div_ceil(size) || links.len() as u64 > MAX_PARTS {
            return Err(self.strange("parts that do not make up the file"));
        }
        let doing = format!("take {}", file.name);
        let mut parts = Vec::with_capacity(links.len());
        for (part, link) in (0_u64..).zip(links) {
            let start = part * size;
            let body = Body::part(file, start, size.min(file.size - start));
            let sending = Sending { verb: Verb::Put, url: link, headers: Vec::new(), stays: false, patient: false };
            let answer = self.retrying(|| self.answered(&sending, &body, meter, before + start, &doing))?;
            if !answer.status.is_success() {
                return Ok(answer);
            }
            let Some(etag) = header(&answer.headers, "etag").filter(|etag| !etag.is_empty()) else {
                return Err(self.strange("no ETag for a part of a file"));
            };
            parts.push(json!({ "partNumber": part + 1, "etag": etag }));
        }
        let body = Body::json(&json!({ "oid": oid, "parts": parts }));
        let headers =
            [("content-type", MEDIA), ("accept", MEDIA)].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let sending = Sending {
            verb: Verb::Post,
            url: action.href.clone(),
            headers: headers.into(),
            stays: false,
            patient: true,
        };
        self.retrying(|| self.answered(&sending, &body, &Meter::silent(), 0, &doing))
    }

    /// Asks the Hub to compare what has arrived.
    fn verify(&self, (oid, file): Content<'_>, action: &Action) -> Result<()> {
        let body = Body::json(&json!({ "oid": oid, "size": file.size }));
        let mut sending = action.sending(Verb::Post, action.href.clone()).patient();
        sending.headers.push(("content-type".to_owned(), MEDIA.to_owned()));
        let doing = format!("accept {}, as it arrived", file.name);
        let answer = self.retrying(|| self.answered(&sending, &body, &Meter::silent(), 0, &doing))?;
        match answer.status.is_success() {
            true => Ok(()),
            false => Err(self.refused(&answer, &doing).with_hint(
                "Its size or hash was not as announced. Push again; if the error persists, something between this \
                 machine and the Hub modifies files.",
            )),
        }
    }
}

impl Action {
    fn read(action: &Value) -> Option<Action> {
        let href = action.get("href")?.as_str()?.to_owned();
        let headers = action.get("header").and_then(Value::as_object).cloned().unwrap_or_default();
        Some(Action { href, headers })
    }

    /// The size of parts, if the content is to be sent in parts.
    fn chunk_size(&self) -> Option<u64> {
        let size = self.headers.get("chunk_size")?;
        // An unreadable size becomes 0, which is refused.
        Some(size.as_u64().or_else(|| size.as_str()?.parse().ok()).unwrap_or(0))
    }

    /// Where the parts go, in ascending order of their numbers.
    fn links(&self) -> Vec<String> {
        let number = |name: &str| name.bytes().all(|byte| byte.is_ascii_digit()).then(|| name.parse::<u64>().ok())?;
        let links = self.headers.iter().filter_map(|(name, link)| Some((number(name)?, link.as_str()?.to_owned())));
        links.collect::<BTreeMap<_, _>>().into_values().collect()
    }

    /// The request, with the headers that the Hub asks for, except those that the connection needs for itself.
    fn sending(&self, verb: Verb, url: String) -> Sending {
        const OURS: [&str; 6] =
            ["content-length", "host", "connection", "transfer-encoding", "chunk_size", "accept-encoding"];
        let is_ours = |name: &str| OURS.iter().any(|ours| name.eq_ignore_ascii_case(ours));
        let headers = self.headers.iter().filter(|(name, _)| !is_ours(name));
        let headers = headers.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
        Sending { verb, url, headers: headers.take(MAX_HEADERS).collect(), stays: false, patient: false }
    }
}
