//! The list of files written into the kernel's folder. It determines what is replaced and removed: nothing else is.
//!
//! The list is the marker file itself, one line per entry, written before the entry's file is. A process that changes
//! the folder holds a lock on the list. The list, like the folder, may come from an untrusted source: its entries count
//! as ours only inside the folder, under the names of the kernel's parts, if they have the stated kind, and if there is
//! no link in the path.

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

/// Marks the list as present and complete. Earlier versions kept no list.
const LIST: &str = "What was written here, and nothing else is ever removed:";

/// Maximum length of the list; one written by the kernel has a few thousand lines.
const LONGEST_LIST: u64 = 64 << 20;

/// Maximum number of remaining paths that a removal reports.
pub const MAX_LISTED: usize = 20;

/// The kind of a list entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    File,
    /// Removed if it is empty.
    Folder,
    /// A folder with all its contents, where cargo and evcxr write arbitrary files.
    Tree,
    /// The entry was removed: the name is free for other files.
    Gone,
}

impl Kind {
    const ALL: [(Kind, &str); 4] =
        [(Kind::File, "file"), (Kind::Folder, "folder"), (Kind::Tree, "tree"), (Kind::Gone, "gone")];

    fn name(self) -> &'static str {
        Kind::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }
}

/// The entries written into the kernel's folder, relative to it.
pub struct Written {
    root: PathBuf,
    marker: File,
    entries: BTreeMap<PathBuf, Kind>,
    /// Whether to take over copies of sources from an earlier version, which did not list them.
    adopts: bool,
}

impl Written {
    /// For an installation: creates the folder, or uses one that is empty or contains a kernel.
    ///
    /// # Errors
    /// If the folder contains anything else, or an installation or removal is in progress.
    pub fn claim(folders: &Folders) -> Result<Self> {
        let (root, marker) = (&folders.root, folders.marker());
        fs::create_dir_all(root).map_err(|cause| unreadable("a folder cannot be created", root, cause))?;
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

    /// Marks the installation as finished: from now on the list is complete.
    pub fn complete(mut self) -> Result<()> {
        if self.adopts { self.append(&format!("{LIST}\n")) } else { Ok(()) }
    }

    /// For a removal: the list, if there is a kernel.
    ///
    /// # Errors
    /// If an installation or removal is in progress.
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

    /// For a starting kernel, which may run alongside others: without the lock.
    pub fn join(folders: &Folders) -> Result<Self> {
        Self::open_marker(folders, false, false).map(|(written, _)| written)
    }

    fn open_marker(folders: &Folders, create: bool, lock: bool) -> Result<(Self, String)> {
        let path = folders.marker();
        let failed = |cause| unreadable("the list of installed files cannot be opened or read", &path, cause);
        if metadata_of(&path)?.is_some_and(|data| !data.is_file()) {
            return Err(in_the_way(&path));
        }
        let mut marker = OpenOptions::new().read(true).append(true).create(create).open(&path).map_err(failed)?;
        // Some network file systems have no locks. The previous lock holder may have removed the folder.
        if lock && (matches!(marker.try_lock(), Err(TryLockError::WouldBlock)) || metadata_of(&path)?.is_none()) {
            let message = "another `topicframe kernel install` or `uninstall` is running in this folder";
            return Err(wrong(message)
                .with_path(&folders.root)
                .with_hint("Wait until it has finished, then try again."));
        }
        let mut text = String::new();
        (&mut marker).take(LONGEST_LIST).read_to_string(&mut text).map_err(failed)?;
        if !text.is_empty() && text.lines().next() != Some(MARK) {
            return Err(foreign(&path));
        }
        let mut written = Written { root: folders.root.clone(), marker, entries: parse(&text), adopts: false };
        if !text.is_empty() && !text.ends_with('\n') {
            // An incomplete line: its file was never written.
            written.append("\n")?;
        }
        Ok((written, text))
    }

    fn append(&mut self, text: &str) -> Result<()> {
        let failed = |cause| unreadable("the list of installed files cannot be written", &self.root, cause);
        self.marker.write_all(text.as_bytes()).map_err(failed)
    }

    /// Records an entry that is about to be written, or that was removed.
    fn record(&mut self, kind: Kind, relative: &Path) -> Result<()> {
        if self.entries.get(relative) == Some(&kind) {
            return Ok(());
        }
        let name = relative.to_str().ok_or_else(|| wrong("a file name is not valid Unicode").with_path(relative))?;
        self.append(&format!("{} {}\n", kind.name(), serde_json::Value::from(name)))?;
        match kind {
            Kind::Gone => drop(self.entries.remove(relative)),
            _ => drop(self.entries.insert(relative.to_path_buf(), kind)),
        }
        Ok(())
    }

    /// Writes `content` to `path`, unless it is already there: cargo rebuilds files with a newer timestamp.
    pub fn write(&mut self, path: &Path, content: &[u8]) -> Result<()> {
        if self.place(path)? && fs::read(path).is_ok_and(|existing| existing == content) {
            return Ok(());
        }
        write_whole(path, content)
    }

    /// Copies the file `from` to `path`, with its permissions.
    pub fn copy(&mut self, from: &Path, path: &Path) -> Result<()> {
        self.place(path)?;
        copy_whole(from, path)
    }

    /// Records a file that another program will write.
    pub fn expect(&mut self, path: &Path) -> Result<()> {
        self.place(path).map(drop)
    }

    /// Records the file `path` and creates its folder. Returns whether the file already exists.
    ///
    /// # Errors
    /// If something else has that name, or there is a link in its path.
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

    /// Whether an earlier version wrote this, if it exists.
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

    /// Removes the listed files below `folder` that are no longer wanted, and folders that become empty.
    pub fn remove_all_but(&mut self, wanted: &BTreeSet<PathBuf>, folder: &Path) -> Result<()> {
        let within = self.relative(folder)?;
        let below = self.entries.iter().filter(|(path, _)| path.starts_with(&within) && **path != within);
        let below: Vec<(PathBuf, Kind)> = below.map(|(path, kind)| (path.clone(), *kind)).collect();
        // In reverse order, so that a folder comes after its contents.
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

    /// Prepares the folder `target` for cargo to build into. Returns the paths in it that are not ours.
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
        // Everything that an interrupted build left is ours: only cargo wrote there.
        let all = if self.entries.get(&relative) == Some(&Kind::Tree) { Vec::new() } else { self.built(target)? };
        Ok(all.into_iter().map(|(path, _)| path).filter(|path| !self.entries.contains_key(path)).collect())
    }

    /// Refuses links, because another program will write there, and would write through them.
    fn refuse_links(&self, within: &Path) -> Result<()> {
        let below = self.entries.keys().filter(|path| path.starts_with(within)).map(|path| self.root.join(path));
        for path in below {
            if metadata_of(&path)?.is_some_and(|data| data.is_symlink()) {
                return Err(in_the_way(&path));
            }
        }
        Ok(())
    }

    /// Records what cargo has built, except `others`.
    pub fn end_build(&mut self, target: &Path, others: &BTreeSet<PathBuf>) -> Result<()> {
        for (path, kind) in self.built(target)?.into_iter().filter(|(path, _)| !others.contains(path)) {
            self.record(kind, &path)?;
        }
        self.record(Kind::Folder, &self.relative(target)?)
    }

    /// The contents of a target folder and of its `release` subfolder: files, and folders that cargo owns entirely.
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

    /// Takes the folder `slot` for a kernel. Returns whether it is usable: new, or previously used by another kernel.
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

    /// Removes everything that is listed, the marker and the state last, so that a partial removal can be repeated.
    /// Returns up to twenty remaining paths that others wrote.
    pub fn remove_everything(mut self, folders: &Folders) -> Result<Vec<PathBuf>> {
        let entries: Vec<(PathBuf, Kind)> = self.entries.iter().map(|(path, kind)| (path.clone(), *kind)).collect();
        let state = &self.relative(&folders.state())?;
        let of = |wanted: Kind| entries.iter().rev().filter(move |(path, kind)| *kind == wanted && path != state);
        // Trees first: the tag that identifies them as caches is one of the files.
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

    /// Removes what killed writes left in a folder, as checking the folder for writing does.
    fn sweep(&self, relative: &Path) {
        if self.is_reached_without_links(&relative.join("any")) {
            let _ = check_writable(self.root.join(relative).join(".topicframe"));
        }
    }

    /// Removes an entry if it is still of the listed kind. Everything else stays.
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

    /// Whether all parents in the path are real folders.
    fn is_reached_without_links(&self, relative: &Path) -> bool {
        let is_folder = |folder: &Path| fs::symlink_metadata(self.root.join(folder)).is_ok_and(|data| data.is_dir());
        let mut folders = relative.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty());
        folders.all(is_folder)
    }

    /// Whether a folder or one of its parents is tagged as a cache.
    fn is_in_cache(&self, relative: &Path) -> bool {
        let mut folders = relative.ancestors().filter(|folder| !folder.as_os_str().is_empty());
        folders.any(|folder| is_cache(&self.root.join(folder)))
    }

    fn relative(&self, path: &Path) -> Result<PathBuf> {
        let relative = path.strip_prefix(&self.root).ok().filter(|relative| is_ours(relative));
        relative.map(Path::to_path_buf).ok_or_else(|| {
            Error::new(ErrorKind::Internal, Stage::Notebook, "this is not part of the kernel's folder").with_path(path)
        })
    }
}

fn has_list(text: &str) -> bool {
    text.lines().any(|line| line == LIST)
}

/// Ignores lines that cannot be valid entries.
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

/// Whether a path is in one of the kernel's parts.
fn is_ours(relative: &Path) -> bool {
    let plain = relative.components().all(|part| matches!(part, Component::Normal(_)));
    let part = relative.components().next().and_then(|part| part.as_os_str().to_str());
    plain && part.is_some_and(|part| Folders::PARTS.contains(&part))
}

/// Whether this path may be a folder that belongs to cargo or evcxr entirely.
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
        // Another kernel is starting.
        Err(error) if error.kind() == IoKind::AlreadyExists => Ok(()),
        result => result.map_err(|cause| unreadable("a folder cannot be created", path, cause)),
    }
}

fn entries_of(folder: &Path) -> Result<Vec<PathBuf>> {
    let list = || fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<PathBuf>>>();
    list().map_err(|cause| unreadable("a folder cannot be read", folder, cause))
}

fn any_other(root: &Path, marker: &Path) -> Result<Option<PathBuf>> {
    Ok(entries_of(root)?.into_iter().filter(|path| path != marker).min())
}

/// Collects the contents of `folder` recursively, up to [`MAX_LISTED`] paths.
fn list_remaining(folder: &Path, found: &mut Vec<PathBuf>, marker: &Path) {
    let mut paths = entries_of(folder).unwrap_or_default();
    paths.sort();
    for path in paths.into_iter().filter(|path| path != marker) {
        if found.len() == MAX_LISTED {
            return;
        }
        let before = found.len();
        if fs::symlink_metadata(&path).is_ok_and(|data| data.is_dir()) {
            list_remaining(&path, found, marker);
        }
        // An empty folder is listed itself.
        if found.len() == before {
            found.push(path);
        }
    }
}

fn foreign(path: &Path) -> Error {
    Error::new(ErrorKind::InvalidParameter, Stage::Notebook, "the folder contains something that is not topicframe's")
        .with_path(path)
        .with_hint("Specify an empty or new folder with --folder.")
}

/// An error about something that `kernel install` did not write.
pub fn in_the_way(path: &Path) -> Error {
    Error::new(ErrorKind::InvalidData, Stage::Notebook, "this is in the way, and `kernel install` did not write it")
        .with_path(path)
        .with_hint("Move it elsewhere, or specify an empty or new folder with --folder.")
}
