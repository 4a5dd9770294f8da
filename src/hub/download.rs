//! Downloads a model's files into the cache: broken downloads are resumed, and files are verified before they count.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind as IoKind, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use ureq::http::StatusCode;

use super::Wanted;
use super::cache::{Cache, unwritable};
use super::meter::Meter;
use super::name::ModelName;
use super::needed::{Listing, MAX_MATCHING, matching, model_files};
use super::read::read_limited;
use super::remote::{Failure, FileFacts, Remote, Try, early_end, header};
use crate::error::{Error, ErrorKind, Result, Stage};

/// Size limit for a file whose size the Hub does not report.
const MAX_UNANNOUNCED: u64 = 1 << 30;

/// Bytes that an attempt must add to reset the count of failed attempts.
const FURTHER: u64 = 64 << 10;

/// Bytes that are read, written and hashed at a time.
const PIECE: usize = 256 << 10;

impl Remote<'_> {
    /// Downloads what is wanted, and returns the snapshot's folder.
    pub(super) fn bring(&self, cache: &Cache, wanted: &Wanted) -> Result<PathBuf> {
        let (commit, mut listing) = self.listing()?;
        cache.prepare()?;
        let snapshot = Snapshot { remote: self, cache, commit };
        let files = match wanted {
            Wanted::Files(files) => {
                if let Some(file) = files.iter().find(|file| !listing.contains_key(*file)) {
                    let message = format!("the model `{}` has no file {file}", self.model.id);
                    return Err(Error::new(ErrorKind::NotFound, Stage::Embed, message));
                }
                files.clone()
            }
            // Some files name others, so they come first.
            Wanted::Model => model_files(&listing, &mut |file, limit| snapshot.read(file, limit))?,
            Wanted::Matching(patterns) => {
                let files = matching(&listing, patterns);
                self.check_number(files.len())?;
                if cache.has_matching(&snapshot.commit, patterns) {
                    cache.remember(&self.model.revision, &snapshot.commit, None)?;
                    return Ok(cache.snapshot(&snapshot.commit));
                }
                files
            }
        };
        let facts = snapshot.bring(&files)?;
        let complete = (!matches!(wanted, Wanted::Files(_))).then(|| {
            add_sizes(&mut listing, &facts);
            &listing
        });
        cache.remember(&self.model.revision, &snapshot.commit, complete)?;
        Ok(cache.snapshot(&snapshot.commit))
    }

    fn check_number(&self, files: usize) -> Result<()> {
        let ModelName { id, revision } = self.model;
        if files == 0 {
            let message = format!("the model `{id}` (revision `{revision}`) has none of the files that are needed");
            return Err(Error::new(ErrorKind::NotFound, Stage::Embed, message));
        }
        if files > MAX_MATCHING {
            let message =
                format!("the model `{id}` cannot be used: it has {files} files; the maximum is {MAX_MATCHING}");
            return Err(Error::new(ErrorKind::Model, Stage::Embed, message));
        }
        Ok(())
    }
}

fn add_sizes(listing: &mut Listing, facts: &BTreeMap<&str, FileFacts>) {
    for (name, facts) in facts {
        if let Some(size) = listing.get_mut(*name) {
            *size = facts.size;
        }
    }
}

/// The snapshot that is being filled.
struct Snapshot<'a> {
    remote: &'a Remote<'a>,
    cache: &'a Cache,
    commit: String,
}

impl Snapshot<'_> {
    /// Downloads one small file and reads it.
    fn read(&self, file: &str, limit: u64) -> Result<Vec<u8>> {
        let facts = self.remote.facts(&self.commit, file)?;
        if facts.size.is_some_and(|size| size > limit) {
            return Err(self.remote.strange(&format!("a file {file} of more than {limit} bytes")));
        }
        self.bring_one(file, &facts, &Meter::silent())?;
        read_limited(&self.cache.snapshot(&self.commit).join(file), limit)
    }

    fn bring<'f>(&self, files: &'f [String]) -> Result<BTreeMap<&'f str, FileFacts>> {
        let mut all = BTreeMap::new();
        for file in files {
            all.insert(file.as_str(), self.remote.facts(&self.commit, file)?);
        }
        // By their contents, which two files may share.
        let missing: BTreeMap<&str, u64> = all
            .values()
            .filter(|facts| !self.cache.has_blob(&facts.etag, facts.size))
            .filter_map(|facts| Some((facts.etag.as_str(), facts.size?)))
            .collect();
        let bytes = missing.values().copied().fold(0, u64::saturating_add);
        let downloaded = missing.iter().map(|(etag, size)| length(&self.cache.partial(etag)).min(*size));
        let downloaded = downloaded.fold(0, u64::saturating_add);
        self.cache.check_space(bytes.saturating_sub(downloaded), &self.remote.model.id)?;
        let name = format!("kB of {}", self.remote.model.id);
        let task = self.remote.progress.task(Stage::Embed, &name, usize::try_from(bytes / 1000).unwrap_or(usize::MAX));
        for (file, facts) in &all {
            self.bring_one(file, facts, &Meter::of(&task))?;
        }
        task.finish()?;
        Ok(all)
    }

    fn bring_one(&self, file: &str, facts: &FileFacts, meter: &Meter<'_>) -> Result<()> {
        let FileFacts { etag, size } = facts;
        let lock = self.cache.lock(etag, self.remote.progress)?;
        if !self.cache.has_blob(etag, *size) {
            self.complete(file, facts, meter)?;
            self.cache.publish(etag)?;
        }
        self.cache.point(&self.commit, file, etag)?;
        drop(lock);
        Ok(())
    }

    /// Downloads the rest of the partial file, and verifies it.
    fn complete(&self, file: &str, facts: &FileFacts, meter: &Meter<'_>) -> Result<()> {
        let partial = self.cache.partial(&facts.etag);
        let was_started = length(&partial) > 0;
        let mut furthest = 0;
        let mut download = || self.remote.retrying(|| self.go_on(file, facts, &partial, &mut furthest, meter));
        download()?;
        match self.check(file, facts, &partial) {
            // Data left behind by an earlier run may be at fault.
            Err(error) if was_started && error.kind() == ErrorKind::Model => {
                download()?;
                self.check(file, facts, &partial)
            }
            result => result,
        }
    }

    /// One request, which resumes where the partial file ends.
    fn go_on(&self, file: &str, facts: &FileFacts, partial: &Path, furthest: &mut u64, meter: &Meter<'_>) -> Try<()> {
        let mut start = length(partial);
        if facts.size.is_some_and(|size| start > size) {
            remove(partial)?;
            start = 0;
        }
        if start > 0 && facts.size == Some(start) {
            return Ok(());
        }
        let response = self.remote.open(&self.commit, file, start)?;
        let continues = header(response.headers(), "content-range").and_then(first_byte) == Some(start);
        match response.status() {
            StatusCode::PARTIAL_CONTENT if continues && start > 0 => {}
            StatusCode::OK => start = 0,
            StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {
                remove(partial)?;
                return Err(Failure::passing(self.remote.strange("a different part of the file than requested")));
            }
            _ => return Err(self.remote.refusal(&response, file)),
        }
        let mut out = open_at(partial, start).map_err(|cause| unwritable(partial, cause))?;
        let mut body = self.remote.paced(response);
        let mut length = start;
        let mut piece = vec![0; PIECE];
        let ended = loop {
            self.remote.progress.check(Stage::Embed)?;
            let read = match body.read(&mut piece) {
                Ok(0) => break None,
                Ok(read) => read,
                Err(error) if error.kind() == IoKind::Interrupted => continue,
                Err(error) => break Some(error),
            };
            length += read as u64;
            if length > facts.size.unwrap_or(MAX_UNANNOUNCED) {
                remove(partial)?;
                return Err(self.wrong(file, "it is longer than the Hub announced").into());
            }
            let new = piece.get(..read).unwrap_or_default();
            out.write_all(new).map_err(|cause| unwritable(partial, cause))?;
            meter.reach(length);
        };
        // A server that disconnects after every byte makes no progress; nor does one that trickles.
        let least = FURTHER.max(self.remote.hub.min_rate.saturating_mul(self.remote.hub.timeout.as_secs()));
        let further = length >= furthest.saturating_add(least);
        if further {
            *furthest = length;
        }
        match ended {
            None if facts.size.is_none_or(|size| size == length) => {
                out.sync_all().map_err(|cause| unwritable(partial, cause))?;
                Ok(())
            }
            cause => {
                let error = self.remote.broken(cause.unwrap_or_else(early_end));
                Err(Failure::Passing { error, after: None, further })
            }
        }
    }

    /// Compares the content with its name, if that is a SHA-256. A file that does not match is removed.
    fn check(&self, file: &str, facts: &FileFacts, partial: &Path) -> Result<()> {
        if facts.etag.len() != 64 || !facts.etag.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(());
        }
        let unreadable = |cause| unwritable(partial, cause);
        let mut content = File::open(partial).map_err(unreadable)?;
        let mut hash = Sha256::new();
        let mut piece = vec![0; PIECE];
        loop {
            self.remote.progress.check(Stage::Embed)?;
            match content.read(&mut piece).map_err(unreadable)? {
                0 => break,
                read => hash.update(piece.get(..read).unwrap_or_default()),
            }
        }
        let found: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        if found.eq_ignore_ascii_case(&facts.etag) {
            return Ok(());
        }
        remove(partial)?;
        Err(self.wrong(file, &format!("its SHA-256 is {found}, not {}", facts.etag)))
    }

    fn wrong(&self, file: &str, what: &str) -> Error {
        let message = format!(
            "the download of {file} of the model `{}` was damaged, and was removed: {what}",
            self.remote.model.id
        );
        Error::new(ErrorKind::Model, Stage::Embed, message)
            .with_hint("Try again; if the error persists, something between this machine and the Hub modifies files.")
    }
}

/// 0 if there is no file.
fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != IoKind::NotFound => Err(unwritable(path, cause)),
        _ => Ok(()),
    }
}

/// The file truncated to its first `start` bytes, open for appending.
fn open_at(path: &Path, start: u64) -> std::io::Result<File> {
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    file.set_len(start)?;
    Ok(file)
}

/// The first byte of a `Content-Range: bytes 5-9/10`.
fn first_byte(range: &str) -> Option<u64> {
    range.strip_prefix("bytes ")?.split('-').next()?.trim().parse().ok()
}
