//! Recognizing the model in a folder.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// Of larger files, only the beginning and the end are read.
const PIECE: u64 = 1 << 20;

/// More files than any model has.
const MAX_FILES: usize = 1000;

/// How deep folders are looked into.
const DEPTH: usize = 3;

/// The SHA-256 of the names, sizes and contents of the files in `folder`, without hidden ones, as hexadecimal digits; of
/// files above 2 MiB, the first and the last MiB. `None` if they cannot be read.
pub(crate) fn fingerprint(folder: &Path) -> Option<String> {
    let mut files = Vec::new();
    collect(folder, &PathBuf::new(), DEPTH, &mut files)?;
    files.sort();
    let mut hash = Sha256::new();
    for (name, path) in files {
        let mut file = File::open(path).ok()?;
        let length = file.metadata().ok()?.len();
        hash.update(name.as_bytes());
        hash.update([0]);
        hash.update(length.to_le_bytes());
        let mut bytes = Vec::new();
        file.by_ref().take(2 * PIECE).read_to_end(&mut bytes).ok()?;
        if length > 2 * PIECE {
            bytes.truncate(PIECE as usize);
            file.seek(SeekFrom::End(-(PIECE as i64))).ok()?;
            file.take(PIECE).read_to_end(&mut bytes).ok()?;
        }
        hash.update(&bytes);
    }
    Some(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn collect(folder: &Path, inside: &Path, depth: usize, files: &mut Vec<(String, PathBuf)>) -> Option<()> {
    for entry in fs::read_dir(folder).ok()? {
        let entry = entry.ok()?;
        let (name, path) = (entry.file_name().into_string().ok()?, entry.path());
        if name.starts_with('.') {
            continue;
        }
        let inside = inside.join(&name);
        match fs::metadata(&path).ok()? {
            kind if kind.is_file() => files.push((inside.to_str()?.replace('\\', "/"), path)),
            kind if kind.is_dir() && depth > 0 => collect(&path, &inside, depth - 1, files)?,
            _ => {}
        }
        if files.len() > MAX_FILES {
            return None;
        }
    }
    Some(())
}
