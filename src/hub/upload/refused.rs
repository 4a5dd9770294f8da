//! The meaning of refusals to change something.

use serde_json::Value;

use super::request::Answer;
use crate::error::{Error, ErrorKind, Hint, LONGEST_QUOTE, Stage, quoted};
use crate::hub::remote::{Remote, header};
use crate::progress::printable;

impl Remote<'_> {
    /// The error for a response that is not a success. `doing` completes "refused to".
    pub(super) fn refused(&self, answer: &Answer, doing: &str) -> Error {
        let (id, endpoint, status) = (&self.model.id, &self.hub.endpoint, answer.status);
        let said = said(answer).map_or(String::new(), |said| format!(": {said}"));
        let message = format!("{endpoint} refused to {doing} (`{id}`, status {}){said}", status.as_u16());
        let about_storage = ["quota", "storage", "billing"].iter().any(|word| said.to_lowercase().contains(word));
        let missing = matches!(header(&answer.headers, "x-error-code"), Some("RepoNotFound" | "RevisionNotFound"));
        let kind = if missing || status.as_u16() == 404 { ErrorKind::NotFound } else { ErrorKind::Io };
        let error = Error::new(kind, Stage::Output, message);
        match status.as_u16() {
            402 | 507 => error.with_hint(self.storage()),
            403 | 413 | 422 if about_storage => error.with_hint(self.storage()),
            401 if !missing => error.with_hint(format!(
                "The token that was sent (HF_TOKEN) is not valid, or has expired. {}",
                self.where_tokens_are()
            )),
            401 | 404 => error.with_hint(
                "Check the spelling (`organization/name`), and that the token that was sent (HF_TOKEN) has access to it.",
            ),
            403 => error.with_hint(
                Hint::new(format!(
                    "The token that was sent (HF_TOKEN) needs the right to write to `{id}`. {} Without that right, \
                     `PushOptions::create_pr` proposes the change in a pull request.",
                    self.where_tokens_are()
                ))
                .on_command_line(format!(
                    "The token that was sent (HF_TOKEN) needs the right to write to `{id}`. {}",
                    self.where_tokens_are()
                )),
            ),
            409 | 412 => error.with_hint("Something else changes the repository at the same time. Push again."),
            413 => error.with_hint("The files are larger than the Hub takes in this form."),
            408 | 429 | 500.. => error.with_hint("This is usually temporary: push again later."),
            _ => error,
        }
    }

    /// The error for a push without a token.
    pub(super) fn no_token(&self) -> Error {
        let message = format!("pushing `{}` needs a token, and there is none", self.model.id);
        let how = format!("{} Then set HF_TOKEN to it, or run `hf auth login`", self.where_tokens_are());
        Error::new(ErrorKind::InvalidParameter, Stage::Output, message)
            .with_hint(Hint::new(format!("{how}, or call `Hub::token`.")).on_command_line(format!("{how}.")))
    }

    fn where_tokens_are(&self) -> String {
        let endpoint = self.hub.endpoint.trim_end_matches('/');
        format!("Create one with write access at {endpoint}/settings/tokens.")
    }

    fn storage(&self) -> &'static str {
        "The account's storage on the Hub is full. Delete what is no longer needed, or buy more storage."
    }
}

/// What the server says, which is not trusted to be short or printable.
fn said(answer: &Answer) -> Option<String> {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let said = ["error", "message"].iter().find_map(|key| text_of(body.get(*key)?));
    let said = said.or_else(|| header(&answer.headers, "x-error-message").map(str::to_owned))?;
    let said = printable(said.trim()).replace('\n', " ");
    (!said.is_empty()).then(|| quoted(&said, LONGEST_QUOTE))
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(all) => Some(all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("; ")),
        Value::Object(_) => text_of(value.get("message")?),
        _ => None,
    }
}
