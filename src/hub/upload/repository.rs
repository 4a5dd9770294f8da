//! The repository that is pushed to: whose it is, whether it exists, and where its branch is.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use ureq::http::StatusCode;

use super::options::PushOptions;
use super::request::Answer;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::hub::name::ModelName;
use crate::hub::remote::{Method, Remote, encoded, header};

/// The branch as it is.
#[derive(Debug)]
pub(super) struct Branch {
    pub(super) commit: String,
    pub(super) files: BTreeSet<String>,
    private: Option<bool>,
}

/// What the Hub answers about a branch.
enum Found {
    Branch(Branch),
    NoBranch,
    NoRepository,
}

impl Remote<'_> {
    /// The name of the token's user.
    pub(super) fn user(&self) -> Result<String> {
        let url = self.url("api/whoami-v2");
        let answer = self.retrying(|| {
            let (response, _) = self.follow(Method::Get, &url, None)?;
            let (status, headers) = (response.status(), response.headers().clone());
            match status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
                true => Err(self.refusal(&response, "the token's user")),
                false => Ok(Answer { status, headers, body: self.read_answer(response)? }),
            }
        })?;
        if answer.status != StatusCode::OK {
            return Err(self.refused(&answer, "say whose token this is"));
        }
        let user = self.parsed(&answer.body)?;
        let user = user.get("name").and_then(Value::as_str).filter(|name| !name.contains(['/', '@']));
        let user = user.filter(|name| ModelName::as_given(name, "main").is_ok());
        user.map(str::to_owned).ok_or_else(|| self.strange("no name of a user"))
    }

    /// The branch; it and the repository are created if they are missing, unless the options say otherwise. Also
    /// returns whether the repository was created.
    pub(super) fn branch(&self, options: &PushOptions) -> Result<(Branch, bool)> {
        let mut created = false;
        // First the repository may be missing, then the branch.
        for _ in 0..3 {
            match self.find()? {
                Found::Branch(branch) => {
                    self.check_privacy(&branch, options, created)?;
                    return Ok((branch, created));
                }
                Found::NoRepository if options.create && !created => {
                    created = self.create(options)?;
                    if !created {
                        // It exists and cannot be seen, or somebody was faster.
                        self.listing()?;
                    }
                }
                Found::NoBranch if options.create && !options.create_pr && !options.revision.starts_with("refs/") => {
                    self.create_branch(&options.revision)?;
                }
                Found::NoBranch | Found::NoRepository => break,
            }
        }
        // As for a download.
        self.listing().and(Err(self.strange("a repository that comes and goes")))
    }

    fn find(&self) -> Result<Found> {
        self.retrying(|| {
            let response = self.describe()?;
            let code = header(response.headers(), "x-error-code").unwrap_or_default();
            match (response.status().as_u16(), code) {
                (200, _) => {
                    let answer = self.parsed(&self.read_answer(response)?)?;
                    let (commit, files) = self.listed(&answer)?;
                    let private = answer.get("private").and_then(Value::as_bool);
                    Ok(Found::Branch(Branch { commit, files: files.into_keys().collect(), private }))
                }
                (_, "RevisionNotFound") => Ok(Found::NoBranch),
                (_, "RepoNotFound") | (404, "") => Ok(Found::NoRepository),
                _ => Err(self.refusal(&response, "the file list")),
            }
        })
    }

    /// Whoever asks for a private repository must not publish by mistake.
    fn check_privacy(&self, branch: &Branch, options: &PushOptions, created: bool) -> Result<()> {
        if options.private != Some(true) || branch.private != Some(false) {
            return Ok(());
        }
        let id = &self.model.id;
        let message = match created {
            true => format!("a private repository was asked for, and `{id}` was created as a public one"),
            false => format!("a private repository was asked for, but `{id}` exists and is public"),
        };
        let page = format!("{}/{id}/settings", self.hub.endpoint.trim_end_matches('/'));
        let hint =
            format!("Nothing was pushed. Make it private at {page}, choose another name, or leave out `private`.");
        Err(Error::new(ErrorKind::InvalidParameter, Stage::Output, message).with_hint(hint))
    }

    /// Whether the repository was created; otherwise it exists.
    fn create(&self, options: &PushOptions) -> Result<bool> {
        let (organization, name) = self.model.id.split_once('/').unwrap_or(("", &self.model.id));
        let mut wanted = json!({ "name": name, "organization": organization, "type": "model" });
        if let (Some(private), Some(fields)) = (options.private, wanted.as_object_mut()) {
            fields.insert("private".to_owned(), Value::Bool(private));
        }
        let answer = self.post("api/repos/create", &wanted, "create the repository")?;
        match answer.status.as_u16() {
            200..300 => Ok(true),
            409 => Ok(false),
            _ => Err(self.refused(&answer, "create the repository")),
        }
    }

    fn create_branch(&self, branch: &str) -> Result<()> {
        let path = format!("api/models/{}/branch/{}", self.model.id, encoded(branch, ""));
        let doing = format!("create the branch `{branch}`");
        let answer = self.post(&path, &json!({}), &doing)?;
        match answer.status.as_u16() {
            // Somebody else may have created it by now.
            200..300 | 409 => Ok(()),
            _ => Err(self.refused(&answer, &doing)),
        }
    }
}
