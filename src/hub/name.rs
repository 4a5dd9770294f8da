//! Names of models, revisions and files, none of which may escape the cache.

use crate::error::{Error, ErrorKind, Result, Stage};

/// The organization that a name without one belongs to.
const SENTENCE_TRANSFORMERS: &str = "sentence-transformers";

/// Models without an organization: the names that sentence-transformers (6.2) leaves unchanged.
const WITHOUT_ORGANIZATION: [&str; 68] = [
    "albert-base-v1",
    "albert-base-v2",
    "albert-large-v1",
    "albert-large-v2",
    "albert-xlarge-v1",
    "albert-xlarge-v2",
    "albert-xxlarge-v1",
    "albert-xxlarge-v2",
    "bert-base-cased",
    "bert-base-cased-finetuned-mrpc",
    "bert-base-chinese",
    "bert-base-german-cased",
    "bert-base-german-dbmdz-cased",
    "bert-base-german-dbmdz-uncased",
    "bert-base-multilingual-cased",
    "bert-base-multilingual-uncased",
    "bert-base-uncased",
    "bert-large-cased",
    "bert-large-cased-whole-word-masking",
    "bert-large-cased-whole-word-masking-finetuned-squad",
    "bert-large-uncased",
    "bert-large-uncased-whole-word-masking",
    "bert-large-uncased-whole-word-masking-finetuned-squad",
    "camembert-base",
    "ctrl",
    "distilbert-base-cased",
    "distilbert-base-cased-distilled-squad",
    "distilbert-base-german-cased",
    "distilbert-base-multilingual-cased",
    "distilbert-base-uncased",
    "distilbert-base-uncased-distilled-squad",
    "distilbert-base-uncased-finetuned-sst-2-english",
    "distilgpt2",
    "distilroberta-base",
    "gpt2",
    "gpt2-large",
    "gpt2-medium",
    "gpt2-xl",
    "openai-gpt",
    "roberta-base",
    "roberta-base-openai-detector",
    "roberta-large",
    "roberta-large-mnli",
    "roberta-large-openai-detector",
    "t5-11b",
    "t5-3b",
    "t5-base",
    "t5-large",
    "t5-small",
    "transfo-xl-wt103",
    "xlm-clm-ende-1024",
    "xlm-clm-enfr-1024",
    "xlm-mlm-100-1280",
    "xlm-mlm-17-1280",
    "xlm-mlm-en-2048",
    "xlm-mlm-ende-1024",
    "xlm-mlm-enfr-1024",
    "xlm-mlm-enro-1024",
    "xlm-mlm-tlm-xnli15-1024",
    "xlm-mlm-xnli15-1024",
    "xlm-roberta-base",
    "xlm-roberta-large",
    "xlm-roberta-large-finetuned-conll02-dutch",
    "xlm-roberta-large-finetuned-conll02-spanish",
    "xlm-roberta-large-finetuned-conll03-english",
    "xlm-roberta-large-finetuned-conll03-german",
    "xlnet-base-cased",
    "xlnet-large-cased",
];

/// A model at a revision.
#[derive(Debug, Clone)]
pub(super) struct ModelName {
    /// `organization/name`, or `name` for the few without an organization.
    pub(super) id: String,
    /// A branch, a tag or a commit.
    pub(super) revision: String,
}

impl ModelName {
    /// Parses `organization/name` or a short name, with `@revision` or otherwise at `revision`.
    pub(super) fn parse(text: &str, revision: &str) -> Result<Self> {
        let model = ModelName::as_given(text, revision)?;
        let has_no_organization = !model.id.contains('/') && !WITHOUT_ORGANIZATION.contains(&model.id.as_str());
        let id = if has_no_organization { format!("{SENTENCE_TRANSFORMERS}/{}", model.id) } else { model.id };
        Ok(ModelName { id, ..model })
    }

    /// Parses `organization/name` or `name`, with `@revision` or otherwise at `revision`, without the sentence
    /// transformers' short names.
    pub(super) fn as_given(text: &str, revision: &str) -> Result<Self> {
        let (name, revision) = text.split_once('@').unwrap_or((text, revision));
        let parts: Vec<&str> = name.split('/').collect();
        if parts.len() > 2 || !parts.iter().all(|part| is_name(part)) {
            let allowed = "`organization/name` of letters, digits and single `-`, `_`, `.`";
            let hint = "A local folder is not a name on the Hub: load it as a folder.";
            return Err(Error::invalid_parameter(Stage::Embed, "model", format!("{text:?}"), allowed).with_hint(hint));
        }
        check_revision(revision)?;
        Ok(ModelName { id: name.to_owned(), revision: revision.to_owned() })
    }

    /// The model's folder in the cache.
    pub(super) fn folder(&self) -> String {
        format!("models--{}", self.id.replace('/', "--"))
    }
}

fn is_name(part: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (1..=96).contains(&part.len())
        && part.chars().all(|c| is_word(c) || c == '-' || c == '.')
        && part.starts_with(is_word)
        && part.ends_with(is_word)
        && !part.contains("--")
        && !part.contains("..")
        && !part.ends_with(".git")
}

/// A branch, a tag, a pull request's `refs/pr/1` or a commit.
pub(super) fn check_revision(revision: &str) -> Result<()> {
    let letters = revision.chars().all(|c| c.is_ascii_alphanumeric() || "-_.+/".contains(c));
    match letters && is_inside(revision) {
        true => Ok(()),
        false => Err(Error::invalid_parameter(
            Stage::Embed,
            "revision",
            format!("{revision:?}"),
            "a branch, a tag or a commit, of letters, digits and `-`, `_`, `.`, `+`, `/`",
        )),
    }
}

/// A full commit hash, which always refers to the same commit.
pub(super) fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The Hub's ETags become file names.
pub(super) fn is_etag(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// Whether a relative path with `/` as separator stays in its folder on every system.
pub(super) fn is_inside(path: &str) -> bool {
    let plain = |part: &str| !part.is_empty() && part != "." && part != "..";
    path.len() <= 512
        && path.split('/').count() <= 16
        && path.split('/').all(plain)
        && !path.chars().any(|c| c.is_control() || c == '\\' || c == ':')
}

/// The error for a path in `file` that is not [inside](is_inside) the model's folder.
pub(super) fn leads_out(path: &str, file: &str) -> Error {
    let message = format!("{file} names {path:?}, which is outside the model's folder");
    Error::new(ErrorKind::Model, Stage::Embed, message).with_hint("Do not use this model: its files look malicious.")
}
