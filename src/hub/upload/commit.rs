//! The commit: one line of JSON for the message, one for each file.

use serde_json::{Value, json};

use super::body::{Body, Piece};
use super::local::LocalFile;
use super::options::PushOptions;
use super::request::Sending;
use crate::error::{Error, Result};
use crate::hub::meter::Meter;
use crate::hub::name::is_commit;
use crate::hub::remote::{Failure, Remote, encoded, joined, same_origin};

/// What a commit changes.
#[derive(Debug, Default)]
pub(super) struct Changes<'f> {
    /// Files whose contents are in the commit.
    pub(super) regular: Vec<&'f LocalFile>,
    /// Files whose contents are in the storage, with their SHA-256.
    pub(super) large: Vec<(&'f LocalFile, String)>,
    pub(super) deleted: Vec<String>,
}

impl Changes<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.regular.is_empty() && self.large.is_empty() && self.deleted.is_empty()
    }

    /// The new and changed files, in ascending order.
    pub(super) fn names(&self) -> Vec<String> {
        let large = self.large.iter().map(|(file, _)| &file.name);
        let mut names: Vec<String> = self.regular.iter().map(|file| &file.name).chain(large).cloned().collect();
        names.sort();
        names
    }
}

/// What became of a commit.
pub(super) enum Outcome {
    Made {
        commit: String,
        pull_request: Option<String>,
    },
    /// The branch is no longer at the parent: somebody was faster, or an attempt succeeded whose response was lost.
    Overtaken(Error),
}

impl Remote<'_> {
    /// Commits to the branch if it is still at `parent`.
    pub(super) fn commit(
        &self,
        changes: &Changes<'_>,
        parent: &str,
        options: &PushOptions,
        meter: &Meter<'_>,
        before: u64,
    ) -> Result<Outcome> {
        let parameters = if options.create_pr { "?create_pr=1" } else { "" };
        let (id, revision) = (&self.model.id, encoded(&options.revision, ""));
        let url = self.url(&format!("api/models/{id}/commit/{revision}{parameters}"));
        let sending = Sending::typed(url, "application/x-ndjson").patient();
        let (body, doing) = (body_of(changes, parent, options)?, "commit");
        let attempt = || self.answered(&sending, &body, meter, before, doing);
        let answer = match options.create_pr {
            false => self.retrying(attempt)?,
            // A second attempt could open a second pull request.
            true => attempt().map_err(|failure| self.maybe_opened(failure))?,
        };
        match answer.status.as_u16() {
            200..300 => self.made(&self.parsed(&answer.body)?, options),
            409 | 412 => Ok(Outcome::Overtaken(self.refused(&answer, doing))),
            _ => Err(self.refused(&answer, doing)),
        }
    }

    fn maybe_opened(&self, failure: Failure) -> Error {
        let page = format!("{}/{}/discussions", self.hub.endpoint.trim_end_matches('/'), self.model.id);
        match failure {
            Failure::Final(error) => error,
            Failure::Passing { error, .. } => {
                error.with_hint(format!("The pull request may have been opened all the same: look at {page}."))
            }
        }
    }

    fn made(&self, answer: &Value, options: &PushOptions) -> Result<Outcome> {
        let text = |key: &str| answer.get(key).and_then(Value::as_str);
        let Some(commit) = text("commitOid").filter(|oid| is_commit(oid)) else {
            return Err(self.strange("no commit"));
        };
        let page = text("pullRequestUrl").filter(|_| options.create_pr);
        let page = page.and_then(|page| joined(&self.endpoint, page)).filter(|page| same_origin(page, &self.endpoint));
        Ok(Outcome::Made { commit: commit.to_owned(), pull_request: page.map(|page| page.to_string()) })
    }
}

fn body_of<'f>(changes: &Changes<'f>, parent: &str, options: &PushOptions) -> Result<Body<'f>> {
    let mut body = Body::default();
    let line = |body: &mut Body<'f>, key: &str, value: Value| {
        body.push(Piece::Bytes(format!("{}\n", json!({ "key": key, "value": value })).into_bytes()));
    };
    let header = json!({ "summary": options.message, "description": options.description, "parentCommit": parent });
    line(&mut body, "header", header);
    for file in &changes.regular {
        let path = Value::from(file.name.as_str());
        let start = format!("{{\"key\":\"file\",\"value\":{{\"path\":{path},\"encoding\":\"base64\",\"content\":\"");
        body.push(Piece::Bytes(start.into_bytes()));
        body.push(Piece::Base64(file));
        body.push(Piece::Bytes(b"\"}}\n".to_vec()));
    }
    for (file, oid) in &changes.large {
        let value = json!({ "path": file.name, "algo": "sha256", "oid": oid, "size": file.size });
        line(&mut body, "lfsFile", value);
    }
    for name in &changes.deleted {
        line(&mut body, "deletedFile", json!({ "path": name }));
    }
    Ok(body)
}
