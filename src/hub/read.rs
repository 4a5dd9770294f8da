//! Reading the files of a model.

use std::path::Path;

use crate::error::{Error, ErrorKind, Result, Stage};
use crate::regular_file::{self, Refusal};

/// Reads a whole regular file of at most `limit` bytes.
pub(super) fn read_limited(path: &Path, limit: u64) -> Result<Vec<u8>> {
    regular_file::read(path, limit).map_err(|refusal| {
        let problem =
            |what: &str| Error::new(ErrorKind::Model, Stage::Embed, format!("the file {what}")).with_path(path);
        match refusal {
            Refusal::Io(cause) => problem("cannot be read").with_cause(cause),
            Refusal::Empty => problem("is empty"),
            _ => problem(&format!("is not a regular file of at most {limit} bytes")),
        }
    })
}
