//! Asks the Hub how each file is to be sent, and whether it has it already.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::local::LocalFile;
use super::options::PushOptions;
use crate::error::Result;
use crate::hub::remote::{Remote, encoded};

/// Files in one request.
const FILES: usize = 256;

/// How a file is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// In the commit.
    Regular,
    /// To the storage for large files; the commit has its hash.
    Large,
}

/// The Hub's answer about a file.
#[derive(Debug, Clone)]
pub(super) struct Advice {
    pub(super) mode: Mode,
    /// Whether the repository's `.gitignore` excludes the file.
    pub(super) ignored: bool,
    /// The identifier of the file that is in the branch: the SHA-256 of a large one, otherwise git's.
    pub(super) there: Option<String>,
}

impl Remote<'_> {
    /// The advice for each file.
    pub(super) fn advice<'f>(
        &self,
        files: &[&'f LocalFile],
        options: &PushOptions,
    ) -> Result<BTreeMap<&'f str, Advice>> {
        let parameters = if options.create_pr { "?create_pr=1" } else { "" };
        let (id, revision) = (&self.model.id, encoded(&options.revision, ""));
        let path = format!("api/models/{id}/preupload/{revision}{parameters}");
        let mut all = BTreeMap::new();
        for files in files.chunks(FILES) {
            let describe =
                |file: &&LocalFile| Ok(json!({ "path": file.name, "sample": file.sample()?, "size": file.size }));
            let described = files.iter().map(describe).collect::<Result<Vec<_>>>()?;
            let doing = "take the files";
            let answer = self.post(&path, &json!({ "files": described }), doing)?;
            if !answer.status.is_success() {
                return Err(self.refused(&answer, doing));
            }
            let answer = self.parsed(&answer.body)?;
            let advised = answer.get("files").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            let advised: BTreeMap<&str, &Value> =
                advised.iter().filter_map(|file| Some((file.get("path")?.as_str()?, file))).collect();
            for file in files {
                let advice = advised.get(file.name.as_str()).and_then(|advice| read(advice, file));
                all.insert(file.name.as_str(), advice.ok_or_else(|| self.strange("no way to send a file"))?);
            }
        }
        Ok(all)
    }
}

fn read(advice: &Value, file: &LocalFile) -> Option<Advice> {
    let mode = match advice.get("uploadMode")?.as_str()? {
        // The storage has no empty files.
        "lfs" if file.size > 0 => Mode::Large,
        "lfs" | "regular" => Mode::Regular,
        _ => return None,
    };
    let ignored = advice.get("shouldIgnore").and_then(Value::as_bool).unwrap_or(false);
    let there = advice.get("oid").and_then(Value::as_str).map(str::to_ascii_lowercase);
    Some(Advice { mode, ignored, there })
}
