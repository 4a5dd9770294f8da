//! The order of the steps of a push.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use glob::Pattern;

use super::commit::{Changes, Outcome};
use super::local::{LocalFile, files_of};
use super::options::{PushOptions, Pushed};
use super::preupload::{Advice, Mode};
use super::repository::Branch;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::hub::meter::Meter;
use crate::hub::name::ModelName;
use crate::hub::remote::Remote;
use crate::hub::{Hub, compiled};
use crate::progress::{Progress, Task};

/// How often the difference to a branch that others change meanwhile is determined.
const ROUNDS: usize = 4;

/// A push that is about to start.
pub(super) struct Push {
    hub: Hub,
    folder: PathBuf,
    name: ModelName,
    options: PushOptions,
}

impl Push {
    /// Checks everything that needs no network.
    pub(super) fn new(hub: &Hub, folder: &Path, repo_id: &str, options: &PushOptions) -> Result<Self> {
        hub.check()?;
        options.check()?;
        if repo_id.contains('@') {
            let allowed = "a name without a revision, which is `PushOptions::revision`";
            return Err(Error::invalid_parameter(Stage::Output, "repo_id", format!("{repo_id:?}"), allowed));
        }
        let name = ModelName::as_given(repo_id, &options.revision)?;
        let push = Push { hub: hub.clone(), folder: folder.to_path_buf(), name, options: options.clone() };
        if hub.offline {
            let message = format!("`{}` cannot be pushed: network requests are disabled", push.name.id);
            let hint = "Push without HF_HUB_OFFLINE.";
            return Err(Error::new(ErrorKind::InvalidParameter, Stage::Output, message).with_hint(hint));
        }
        let silent = Progress::silent();
        let remote = Remote::new(&push.hub, &push.name, &silent)?;
        if hub.token.is_none() {
            return Err(remote.no_token());
        }
        drop(remote);
        Ok(push)
    }

    pub(super) fn run(self, progress: &Progress) -> Result<Pushed> {
        let files = files_of(&self.folder, progress)?;
        let mut name = self.name.clone();
        if !name.id.contains('/') {
            let user = Remote::new(&self.hub, &self.name, progress)?.user()?;
            name.id = format!("{user}/{}", name.id);
        }
        let remote = Remote::new(&self.hub, &name, progress)?;
        Pushing { remote, options: &self.options, files: &files, hashes: RefCell::default() }.run()
    }
}

/// A push in progress.
struct Pushing<'p> {
    remote: Remote<'p>,
    options: &'p PushOptions,
    files: &'p [LocalFile],
    /// Identifiers of files by the mode, so that no file is hashed twice.
    hashes: RefCell<BTreeMap<(&'p str, bool), String>>,
}

/// The difference between the folder and the branch.
struct Difference<'p> {
    branch: Branch,
    changes: Changes<'p>,
    unchanged: Vec<String>,
}

impl<'p> Pushing<'p> {
    fn run(&self) -> Result<Pushed> {
        let (mut created, mut sent) = (false, 0);
        let mut attempted: Option<Difference<'p>> = None;
        for round in 1..=ROUNDS {
            let (branch, new) = self.remote.branch(self.options)?;
            created |= new;
            let difference = self.difference(branch)?;
            if difference.changes.is_empty() {
                let commit = difference.branch.commit.clone();
                // An earlier attempt was successful after all if there is nothing left to do.
                let difference = attempted.filter(|_| !self.options.create_pr).unwrap_or(difference);
                let made = !difference.changes.is_empty();
                return Ok(self.pushed(difference, commit, None, made, created, sent));
            }
            let (outcome, bytes) = self.send(&difference)?;
            sent += bytes;
            match outcome {
                Outcome::Made { commit, pull_request } => {
                    return Ok(self.pushed(difference, commit, pull_request, true, created, sent));
                }
                Outcome::Overtaken(error) if round == ROUNDS => return Err(error),
                Outcome::Overtaken(_) => attempted = Some(difference),
            }
        }
        Err(self.remote.strange("a branch that never rests"))
    }

    /// What is to be changed in the branch.
    fn difference(&self, branch: Branch) -> Result<Difference<'p>> {
        let keep = compiled("keep", &self.options.keep)?;
        let is_kept = |file: &&LocalFile| branch.files.contains(&file.name) && matches(&keep, &file.name);
        let (kept, ours): (Vec<&LocalFile>, Vec<&LocalFile>) = self.files.iter().partition(is_kept);
        let advice = self.remote.advice(&ours, self.options)?;
        let ignored = advice.values().filter(|advice| advice.ignored).count();
        if ignored > 0 {
            let message = format!("skipped {ignored} files that the repository's .gitignore excludes");
            self.remote.progress.note(Stage::Output, message);
        }
        let mut changes = Changes::default();
        let mut unchanged: Vec<String> = kept.iter().map(|file| file.name.clone()).collect();
        let task = self.task("kB hashed", ours.iter().map(|file| file.size).sum());
        let (meter, mut done) = (Meter::of(&task), 0);
        for file in ours {
            let Some(advice) = advice.get(file.name.as_str()).filter(|advice| !advice.ignored) else {
                continue;
            };
            let hash = self.hash(file, advice, &meter, done)?;
            done += file.size;
            meter.reach(done);
            match (hash, advice.mode) {
                (hash, _) if hash.is_some() && hash == advice.there => unchanged.push(file.name.clone()),
                (Some(hash), Mode::Large) => changes.large.push((file, hash)),
                _ => changes.regular.push(file),
            }
        }
        task.finish()?;
        changes.deleted = self.deleted(&branch)?;
        unchanged.sort();
        Ok(Difference { branch, changes, unchanged })
    }

    /// The identifier of the file's content, if it is needed.
    fn hash(&self, file: &'p LocalFile, advice: &Advice, meter: &Meter<'_>, before: u64) -> Result<Option<String>> {
        let large = advice.mode == Mode::Large;
        if !large && advice.there.is_none() {
            return Ok(None);
        }
        let key = (file.name.as_str(), large);
        if let Some(hash) = self.hashes.borrow().get(&key) {
            return Ok(Some(hash.clone()));
        }
        let mut done = before;
        let read = |bytes: u64| {
            done += bytes;
            meter.reach(done);
            self.remote.progress.check(Stage::Output)
        };
        let hash = if large { file.sha256(read)? } else { file.git_identifier(read)? };
        self.hashes.borrow_mut().insert(key, hash.clone());
        Ok(Some(hash))
    }

    /// The branch's files that are to be deleted.
    fn deleted(&self, branch: &Branch) -> Result<Vec<String>> {
        let patterns = compiled("delete", &self.options.delete)?;
        let ours: BTreeSet<&str> = self.files.iter().map(|file| file.name.as_str()).collect();
        let is_deleted =
            |name: &&String| *name != ".gitattributes" && !ours.contains(name.as_str()) && matches(&patterns, name);
        Ok(branch.files.iter().filter(is_deleted).cloned().collect())
    }

    /// Uploads the large contents and commits; also returns the bytes that were sent.
    fn send(&self, difference: &Difference<'p>) -> Result<(Outcome, u64)> {
        let changes = &difference.changes;
        // Two files may have the same content.
        let contents: BTreeMap<&str, &LocalFile> =
            changes.large.iter().map(|(file, hash)| (hash.as_str(), *file)).collect();
        let contents: Vec<(&str, &LocalFile)> = contents.into_iter().collect();
        let large: u64 = contents.iter().map(|(_, file)| file.size).sum();
        let small: u64 = changes.regular.iter().map(|file| file.size).sum();
        let task = self.task(&format!("kB to {}", self.remote.model.id), large.saturating_add(small));
        let meter = Meter::of(&task);
        let sent = self.remote.upload(&contents, self.options, &meter)?;
        // A commit of some files as they were and others as they are now would be no saved model.
        self.files.iter().try_for_each(LocalFile::check)?;
        let outcome = self.remote.commit(changes, &difference.branch.commit, self.options, &meter, large)?;
        drop(task);
        Ok((outcome, sent.saturating_add(small)))
    }

    fn task(&self, name: &str, bytes: u64) -> Task {
        self.remote.progress.task(Stage::Output, name, usize::try_from(bytes / 1000).unwrap_or(usize::MAX))
    }

    fn pushed(
        &self,
        difference: Difference<'p>,
        commit: String,
        pull_request: Option<String>,
        made: bool,
        created: bool,
        uploaded_bytes: u64,
    ) -> Pushed {
        let id = &self.remote.model.id;
        let page = format!("{}/{id}", self.remote.hub.endpoint.trim_end_matches('/'));
        Pushed {
            repository: id.clone(),
            url: if made { format!("{page}/commit/{commit}") } else { page },
            revision: self.options.revision.clone(),
            commit,
            pull_request,
            created,
            changed: difference.changes.names(),
            unchanged: difference.unchanged,
            deleted: difference.changes.deleted,
            uploaded_bytes,
        }
    }
}

fn matches(patterns: &[Pattern], name: &str) -> bool {
    patterns.iter().any(|pattern| pattern.matches(name))
}
