//! The list of what was written into the kernel's folder. It decides what is replaced and removed: nothing else is.
//!
//! The list is the marker itself, a line each, written before the file is. Who changes the folder holds a lock on it. It may
//! come from anywhere, with the folder: what it names is ours only inside the folder, under the names of the kernel's
//! parts, of the kind that it says, and with no link on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind as IoKind, Read, Write};
use std::path::{Component, Path, PathBuf};

use topicframe::error::{Error, ErrorKind, Result, Stage};
use topicframe::files::{check_writable, copy_whole, write_whole};

use super::earlier;
use super::folders::{Folders, metadata_of, unreadable, wrong};
use super::tree::{Removed, TAG, is_cache, remove_tree, tag};

/// The marker's first line.
pub const MARK: &str = "The kernel of topicframe for Jupyter. `topicframe kernel uninstall` removes it.";

/// Says that there is a list, and that it is complete. Earlier versions kept none.
const LIST: &str = "What was written here, and nothing else is ever removed:";

/// A list of the kernel's own has some thousand lines.
const LONGEST_LIST: u64 = 64 << 20;

/// Paths that a removal tells of.
pub const MOST_TOLD: usize = 20;

/// What an entry of the list is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    File,
    /// Removed when it is empty.
    Folder,
    /// A folder with all that is in it, where cargo and evcxr write what they like.
    Tree,
    /// What was there is removed: the name is free for others.
    Gone,
}

impl Kind {
    const ALL: [(Kind, &str); 4] =
        [(Kind::File, "file"), (Kind::Folder, "folder"), (Kind::Tree, "tree"), (Kind::Gone, "gone")];

    fn name(self) -> &'static str {
        Kind::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }
}

/// What was written into the kernel's folder, relative to it.
pub struct Written {
    root: PathBuf,
    marker: File,
    entries: BTreeMap<PathBuf, Kind>,
    /// Whether copies of sources are taken over from an earlier version, which did not list them.
    adopts: bool,
}

impl Written {
    /// For an installation: makes the folder, or takes one that is empty or holds a kernel.
    ///
    /// # Errors
    /// A folder that holds something else; an installation or removal that is under way.
    pub fn claim(folders: &Folders) -> Result<Self> {
        let (root, marker) = (&folders.root, folders.marker());
        fs::create_dir_all(root).map_err(|cause| unreadable("a folder cannot be made", root, cause))?;
        let refuse_others = |marker: &Path| any_other(root, marker)?.map_or(Ok(()), |other| Err(foreign(&other)));
        if metadata_of(&marker)?.is_none() {
            refuse_others(&marker)?;
        }
        let (mut written, text) = Self::open_marker(folders, true, true)?;
        if text.is_empty() {
            refuse_others(&marker)?;
            written.append(&format!("{MARK}\n{LIST}\n"))?;
        } else if !has_list(&text) {
            let other = any_other(root, &marker)?.unwrap_or(marker);
            for (path, kind) in earlier::entries(root).ok_or_else(|| foreign(&other))? {
                written.record(kind, &path)?;
            }
            written.adopts = true;
        }
        Ok(written)
    }

    /// The installation has come to its end: from now on the list is complete.
    pub fn complete(mut self) -> Result<()> {
        if self.adopts { self.append(&format!("{LIST}\n")) } else { Ok(()) }
    }

    /// For a removal: the list, where there is a kernel.
    ///
    /// # Errors
    /// An installation or removal that is under way.
    pub fn open(folders: &Folders) -> Result<Option<Self>> {
        if metadata_of(&folders.marker())?.is_none() {
            return Ok(None);
        }
        let (mut written, text) = Self::open_marker(folders, false, true)?;
        if !has_list(&text) {
            written.entries.extend(earlier::entries(&folders.root).unwrap_or_default());
        }
        Ok(Some(written).filter(|_| !text.is_empty()))
    }

    /// For a kernel that starts, beside others: without the lock.
    pub fn join(folders: &Folders) -> Result<Self> {
        Self::open_marker(folders, false, false).map(|(written, _)| written)
    }

    fn open_marker(folders: &Folders, create: bool, lock: bool) -> Result<(Self, String)> {
        let path = folders.marker();
        let failed = |cause| unreadable("the list of what was written cannot be used", &path, cause);
        if metadata_of(&path)?.is_some_and(|data| !data.is_file()) {
            return Err(in_the_way(&path));
        }
        let mut marker = OpenOptions::new().read(true).append(true).create(create).open(&path).map_err(failed)?;
        // Some network file systems have no locks. Whoever had the lock before may have removed the folder.
        if lock && (matches!(marker.try_lock(), Err(TryLockError::WouldBlock)) || metadata_of(&path)?.is_none()) {
            let message = "another `topicframe kernel install` or `uninstall` is at work in this folder";
            return Err(wrong(message).path(&folders.root).hint("Wait until it has ended, then try again."));
        }
        let mut text = String::new();
        (&mut marker).take(LONGEST_LIST).read_to_string(&mut text).map_err(failed)?;
        if !text.is_empty() && text.lines().next() != Some(MARK) {
            return Err(foreign(&path));
        }
        let mut written = Written { root: folders.root.clone(), marker, entries: parse(&text), adopts: false };
        if !text.is_empty() && !text.ends_with('\n') {
            // A line that was not completed, and so nothing that was written.
            written.append("\n")?;
        }
        Ok((written, text))
    }

    fn append(&mut self, text: &str) -> Result<()> {
        let failed = |cause| unreadable("the list of what was written cannot be written", &self.root, cause);
        self.marker.write_all(text.as_bytes()).map_err(failed)
    }

    /// Lists what is about to be written, or was removed.
    fn record(&mut self, kind: Kind, relative: &Path) -> Result<()> {
        if self.entries.get(relative) == Some(&kind) {
            return Ok(());
        }
        let name = relative.to_str().ok_or_else(|| wrong("the name of a file is not Unicode").path(relative))?;
        self.append(&format!("{} {}\n", kind.name(), serde_json::Value::from(name)))?;
        match kind {
            Kind::Gone => drop(self.entries.remove(relative)),
            _ => drop(self.entries.insert(relative.to_path_buf(), kind)),
        }
        Ok(())
    }

    /// Writes `content` to `path`, unless it is there already: cargo rebuilds what is newer.
    pub fn write(&mut self, path: &Path, content: &[u8]) -> Result<()> {
        if self.place(path)? && fs::read(path).is_ok_and(|there| there == content) {
            return Ok(());
        }
        write_whole(path, content)
    }

    /// Copies the file `from` to `path`, with its permissions.
    pub fn copy(&mut self, from: &Path, path: &Path) -> Result<()> {
        self.place(path)?;
        copy_whole(from, path)
    }

    /// Lists a file that another program will write.
    pub fn expect(&mut self, path: &Path) -> Result<()> {
        self.place(path).map(drop)
    }

    /// Lists the file `path` and makes its folder. Whether it is there already.
    ///
    /// # Errors
    /// Something of that name that was not written here, or a link on the way to it.
    fn place(&mut self, path: &Path) -> Result<bool> {
        let relative = self.relative(path)?;
        if let Some(folder) = relative.parent() {
            self.make_folders(folder)?;
        }
        let ours = self.is_adopted(&relative) || self.entries.get(&relative) == Some(&Kind::File);
        let exists = match metadata_of(path)? {
            None => false,
            Some(data) if data.is_file() && ours => true,
            Some(_) => return Err(in_the_way(path)),
        };
        self.record(Kind::File, &relative)?;
        Ok(exists)
    }

    /// Whether an earlier version wrote this, if it is there.
    fn is_adopted(&self, relative: &Path) -> bool {
        self.adopts && (relative.starts_with("sources") || relative.starts_with("analysis"))
    }

    fn make_folders(&mut self, relative: &Path) -> Result<()> {
        let mut made = PathBuf::new();
        for part in relative.components() {
            made.push(part);
            let path = self.root.join(&made);
            match metadata_of(&path)? {
                Some(data) if data.is_dir() => {
                    if self.is_adopted(&made) {
                        self.record(Kind::Folder, &made)?;
                    }
                }
                Some(_) => return Err(in_the_way(&path)),
                None => {
                    self.record(Kind::Folder, &made)?;
                    make_folder(&path)?;
                }
            }
        }
        Ok(())
    }

    /// Removes the listed files below `folder` that are not wanted any more, and folders that are empty then.
    pub fn remove_all_but(&mut self, wanted: &BTreeSet<PathBuf>, folder: &Path) -> Result<()> {
        let within = self.relative(folder)?;
        let below = self.entries.iter().filter(|(path, _)| path.starts_with(&within) && **path != within);
        let below: Vec<(PathBuf, Kind)> = below.map(|(path, kind)| (path.clone(), *kind)).collect();
        // From the end: a folder after what is in it.
        for (path, kind) in below.into_iter().rev() {
            let is_wanted = wanted.range(self.root.join(&path)..).next().is_some_and(|next| {
                // The path itself, or something in it.
                next.starts_with(self.root.join(&path))
            });
            if !is_wanted && kind != Kind::Tree {
                self.remove(&path, kind)?;
            }
        }
        Ok(())
    }

    /// Takes the folder `target` for cargo to build into. Gives what is in it that is not ours.
    pub fn begin_build(&mut self, target: &Path) -> Result<BTreeSet<PathBuf>> {
        let relative = self.relative(target)?;
        let listed = self.entries.get(&relative).copied();
        match (metadata_of(target)?, listed) {
            (None, _) => self.make_folders(&relative)?,
            (Some(data), Some(Kind::Tree | Kind::Folder)) if data.is_dir() => {}
            (Some(_), _) => return Err(in_the_way(target)),
        }
        self.refuse_links(&relative)?;
        let is_ours = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name == TAG || name.starts_with(".topicframe-")
        };
        if entries_of(target)?.iter().all(is_ours) {
            self.record(Kind::File, &relative.join(TAG))?;
            tag(target)?;
            self.record(Kind::Tree, &relative)?;
        }
        // What an interrupted build has left is all ours: cargo was alone there.
        let all = if self.entries.get(&relative) == Some(&Kind::Tree) { Vec::new() } else { self.built(target)? };
        Ok(all.into_iter().map(|(path, _)| path).filter(|path| !self.entries.contains_key(path)).collect())
    }

    /// Another program will write there, through links as well.
    fn refuse_links(&self, within: &Path) -> Result<()> {
        let below = self.entries.keys().filter(|path| path.starts_with(within)).map(|path| self.root.join(path));
        for path in below {
            if metadata_of(&path)?.is_some_and(|data| data.is_symlink()) {
                return Err(in_the_way(&path));
            }
        }
        Ok(())
    }

    /// Lists what cargo has built, all but `others`.
    pub fn end_build(&mut self, target: &Path, others: &BTreeSet<PathBuf>) -> Result<()> {
        for (path, kind) in self.built(target)?.into_iter().filter(|(path, _)| !others.contains(path)) {
            self.record(kind, &path)?;
        }
        self.record(Kind::Folder, &self.relative(target)?)
    }

    /// What is in a target folder and in its `release`: files and folders that are cargo's as a whole.
    fn built(&self, target: &Path) -> Result<Vec<(PathBuf, Kind)>> {
        let mut found = Vec::new();
        let release = target.join("release");
        let mut paths = entries_of(target)?;
        if metadata_of(&release)?.is_some_and(|data| data.is_dir()) {
            paths.extend(entries_of(&release)?);
        }
        for path in paths {
            let kind = match metadata_of(&path)? {
                Some(data) if data.is_dir() && path == release => Kind::Folder,
                Some(data) if data.is_dir() => Kind::Tree,
                Some(data) if data.is_file() => Kind::File,
                _ => continue,
            };
            found.push((self.relative(&path)?, kind));
        }
        Ok(found)
    }

    /// Takes the folder `slot` for a kernel. Whether it may: it is new, or another kernel had it before.
    pub fn take_slot(&mut self, slot: &Path) -> Result<bool> {
        let relative = self.relative(slot)?;
        if !self.is_reached_without_links(&relative) && metadata_of(&self.root.join("slots"))?.is_some() {
            return Err(in_the_way(&self.root.join("slots")));
        }
        match metadata_of(slot)? {
            None => {
                self.make_folders(&relative)?;
                for (name, kind) in earlier::SLOT {
                    self.record(kind, &relative.join(name))?;
                }
            }
            Some(data) if data.is_dir() && self.entries.get(&relative) == Some(&Kind::Folder) => {}
            Some(_) => return Ok(false),
        }
        let usable = self.refuse_links(&relative).is_ok();
        if usable && metadata_of(&slot.join(TAG))?.is_none() {
            tag(slot)?;
        }
        Ok(usable)
    }

    /// Removes all that is listed, the marker and the state last: what was removed in part can be removed again. Gives
    /// what stays because others wrote it, up to twenty paths.
    pub fn remove_everything(mut self, folders: &Folders) -> Result<Vec<PathBuf>> {
        let entries: Vec<(PathBuf, Kind)> = self.entries.iter().map(|(path, kind)| (path.clone(), *kind)).collect();
        let state = &self.relative(&folders.state())?;
        let of = |wanted: Kind| entries.iter().rev().filter(move |(path, kind)| *kind == wanted && path != state);
        // Trees first: what says that they are caches is one of the files.
        for (path, kind) in of(Kind::Tree).chain(of(Kind::File)) {
            self.remove(path, *kind)?;
        }
        for (path, kind) in of(Kind::Folder) {
            self.sweep(path);
            self.remove(path, *kind)?;
        }
        self.remove(state, Kind::File)?;
        self.sweep(Path::new(""));
        let marker = folders.marker();
        let mut others = Vec::new();
        list_remaining(&self.root, &mut others, &marker);
        fs::remove_file(&marker).map_err(|cause| unreadable("this cannot be removed", &marker, cause))?;
        // Only if nothing else is in it.
        let _ = fs::remove_dir(&self.root);
        Ok(others)
    }

    /// Whoever writes into a folder removes what killed writes have left there.
    fn sweep(&self, relative: &Path) {
        if self.is_reached_without_links(&relative.join("any")) {
            let _ = check_writable(self.root.join(relative).join(".topicframe"));
        }
    }

    /// Removes what is listed, if it still is what the list says. Everything else stays.
    fn remove(&mut self, relative: &Path, kind: Kind) -> Result<()> {
        let path = self.root.join(relative);
        if !self.is_reached_without_links(relative) {
            return Ok(());
        }
        let Some(data) = metadata_of(&path)? else { return self.record(Kind::Gone, relative) };
        let removed = match kind {
            Kind::File if data.is_file() => fs::remove_file(&path),
            Kind::Folder if data.is_dir() => match fs::remove_dir(&path) {
                Err(error) if error.kind() == IoKind::DirectoryNotEmpty => return Ok(()),
                result => result,
            },
            Kind::Tree if data.is_dir() && self.is_in_cache(relative) => match remove_tree(&path) {
                Ok(Removed::All) => Ok(()),
                Ok(Removed::Nothing) => return Ok(()),
                Err(error) => Err(error),
            },
            _ => return Ok(()),
        };
        removed.map_err(|cause| unreadable("this cannot be removed", &path, cause))?;
        self.record(Kind::Gone, relative)
    }

    /// Whether all folders on the way are folders.
    fn is_reached_without_links(&self, relative: &Path) -> bool {
        let is_folder = |folder: &Path| fs::symlink_metadata(self.root.join(folder)).is_ok_and(|data| data.is_dir());
        let mut folders = relative.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty());
        folders.all(is_folder)
    }

    /// Whether a folder is tagged as a cache, or one around it.
    fn is_in_cache(&self, relative: &Path) -> bool {
        let mut folders = relative.ancestors().filter(|folder| !folder.as_os_str().is_empty());
        folders.any(|folder| is_cache(&self.root.join(folder)))
    }

    fn relative(&self, path: &Path) -> Result<PathBuf> {
        let relative = path.strip_prefix(&self.root).ok().filter(|relative| is_ours(relative));
        relative.map(Path::to_path_buf).ok_or_else(|| {
            Error::new(ErrorKind::Internal, Stage::Notebook, "this is not part of the kernel's folder").path(path)
        })
    }
}

fn has_list(text: &str) -> bool {
    text.lines().any(|line| line == LIST)
}

/// Lines that say nothing that could be ours count as none.
fn parse(text: &str) -> BTreeMap<PathBuf, Kind> {
    let mut entries = BTreeMap::new();
    for line in text.lines().skip(1) {
        let Some((name, path)) = line.split_once(' ') else { continue };
        let kind = Kind::ALL.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind);
        let path = serde_json::from_str::<String>(path).ok().map(PathBuf::from).filter(|path| is_ours(path));
        match (kind, path) {
            (Some(Kind::Gone), Some(path)) => drop(entries.remove(&path)),
            (Some(Kind::Tree), Some(path)) if !may_be_tree(&path) => {}
            (Some(kind), Some(path)) => drop(entries.insert(path, kind)),
            _ => {}
        }
    }
    entries
}

/// Whether a path lies in one of the kernel's parts.
fn is_ours(relative: &Path) -> bool {
    let plain = relative.components().all(|part| matches!(part, Component::Normal(_)));
    let part = relative.components().next().and_then(|part| part.as_os_str().to_str());
    plain && part.is_some_and(|part| Folders::PARTS.contains(&part))
}

/// Whether cargo or evcxr may have a folder for themselves there.
fn may_be_tree(relative: &Path) -> bool {
    let parts: Vec<&str> = relative.iter().filter_map(|part| part.to_str()).collect();
    match parts[..] {
        ["library", "target"] | ["library", "target", _] | ["library", "target", "release", _] => true,
        ["slots", _, name] => earlier::SLOT.contains(&(name, Kind::Tree)),
        _ => false,
    }
}

fn make_folder(path: &Path) -> Result<()> {
    match fs::create_dir(path) {
        // Another kernel that starts.
        Err(error) if error.kind() == IoKind::AlreadyExists => Ok(()),
        result => result.map_err(|cause| unreadable("a folder cannot be made", path, cause)),
    }
}

fn entries_of(folder: &Path) -> Result<Vec<PathBuf>> {
    let list = || fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<PathBuf>>>();
    list().map_err(|cause| unreadable("a folder cannot be read", folder, cause))
}

fn any_other(root: &Path, marker: &Path) -> Result<Option<PathBuf>> {
    Ok(entries_of(root)?.into_iter().filter(|path| path != marker).min())
}

/// What is in `folder` and below, up to [`MOST_TOLD`] paths.
fn list_remaining(folder: &Path, found: &mut Vec<PathBuf>, marker: &Path) {
    let mut paths = entries_of(folder).unwrap_or_default();
    paths.sort();
    for path in paths.into_iter().filter(|path| path != marker) {
        if found.len() == MOST_TOLD {
            return;
        }
        let before = found.len();
        if fs::symlink_metadata(&path).is_ok_and(|data| data.is_dir()) {
            list_remaining(&path, found, marker);
        }
        // An empty folder stands for itself.
        if found.len() == before {
            found.push(path);
        }
    }
}

fn foreign(path: &Path) -> Error {
    Error::new(ErrorKind::InvalidParameter, Stage::Notebook, "the folder holds something that is not topicframe's")
        .path(path)
        .hint("Name an empty or a new folder with --folder.")
}

/// An error about something that was not written here.
pub fn in_the_way(path: &Path) -> Error {
    Error::new(ErrorKind::InvalidData, Stage::Notebook, "this is in the way, and `kernel install` did not write it")
        .path(path)
        .hint("Move it elsewhere, or name an empty or a new folder with --folder.")
}
