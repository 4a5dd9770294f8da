//! Reading a folder of images as a frame.

use std::collections::BTreeMap;
use std::fs::{self, DirEntry, File};
use std::io::Read;
use std::path::Path;

use polars::prelude::*;

use super::folder::each_file;
use crate::corpus::{escaped, internal};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::progress::Progress;
use crate::vision::format::unreadable_image;
use crate::vision::sniff_format;

/// The column created by [`read_image_folder`].
pub const IMAGE_COLUMN: &str = "image";

/// The extensions of images.
const EXTENSIONS: [&str; 14] =
    ["png", "apng", "jpg", "jpeg", "jpe", "jfif", "jif", "webp", "gif", "bmp", "dib", "tif", "tiff", "btf"];

/// The extensions of images in unsupported formats.
const UNREADABLE: [&str; 40] = [
    "avif", "avifs", "heic", "heics", "heif", "heifs", "hif", "jxl", "jp2", "j2k", "jpf", "jpx", "jxr", "svg", "svgz",
    "psd", "psb", "xcf", "ai", "eps", "ico", "cur", "qoi", "tga", "exr", "hdr", "dds", "ppm", "pgm", "pbm", "pnm",
    "dng", "cr2", "cr3", "nef", "arw", "orf", "rw2", "raf", "pef",
];

/// Returns one row per image in `folder` and its subfolders, in the order of their paths. The column `image` (String)
/// contains paths relative to `folder`. Also set the folder in the model:
/// [`image_folder`](crate::model::TopicModel::image_folder).
///
/// Images are recognized by their extension (`.png`, `.jpg`, `.webp`, `.gif`, `.bmp`, `.tif`, and variants of these),
/// or by their first bytes if there is no extension. If a name is not Unicode, its bytes are written as `\xE9`, and the
/// image can be found by this name. Hidden files and folders, and links to folders, are skipped.
///
/// In a notebook, skipped files are reported; elsewhere use [`read_image_folder_with`].
///
/// ```
/// use topicframe::prelude::*;
///
/// let animals = read_image_folder("examples/data/openclipart/images/animals")?;
/// assert_eq!(animals.column("image")?.str()?.get(0), Some("a_simple_pig_01.webp"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// The folder cannot be read or contains no images.
pub fn read_image_folder(folder: impl AsRef<Path>) -> Result<DataFrame> {
    read_image_folder_with(folder, &Progress::of_a_model())
}

/// Like [`read_image_folder`], but reports to `progress` how many files were skipped: images in unsupported formats
/// (AVIF, HEIC, JPEG XL, SVG, camera raw images ...) by extension, other files, and links to folders.
///
/// # Errors
/// Same as [`read_image_folder`].
pub fn read_image_folder_with(folder: impl AsRef<Path>, progress: &Progress) -> Result<DataFrame> {
    let folder = folder.as_ref();
    let mut found = Found::default();
    let passed_over = each_file(folder, |name| name.starts_with('.'), |entry, path| found.take(entry, path))?;
    (found.links, found.unreadable_folders) = (passed_over.links, passed_over.unreadable.len());
    let notes = found.left_out();
    let mut paths = found.paths;
    if paths.is_empty() {
        let message = format!("the folder contains no images (.{})", EXTENSIONS.join(", ."));
        let error = Error::new(ErrorKind::InvalidData, Stage::Input, message).with_path(folder);
        return Err(if notes.is_empty() { error } else { error.with_hint(format!("{}.", notes.join(". "))) });
    }
    for note in notes {
        progress.note(Stage::Input, note);
    }
    paths.sort_unstable();
    DataFrame::new(paths.len(), vec![Column::new(IMAGE_COLUMN.into(), paths)]).map_err(internal)
}

/// The contents of a folder.
#[derive(Default)]
struct Found {
    paths: Vec<String>,
    /// Images in unsupported formats, by extension.
    unreadable: BTreeMap<String, usize>,
    /// Files that are not images, by extension.
    others: BTreeMap<String, usize>,
    /// Links to folders.
    links: usize,
    /// Subfolders that cannot be read.
    unreadable_folders: usize,
}

enum Kind {
    Image,
    Unreadable,
    Other,
}

impl Found {
    /// Adds a file by its path in the folder.
    fn take(&mut self, entry: &DirEntry, path: String) {
        let name = entry.file_name();
        let ending = Path::new(&name).extension().map(|ending| escaped(ending).to_lowercase()).unwrap_or_default();
        let kind = match ending.as_str() {
            "" => kind_by_content(&entry.path()),
            ending if EXTENSIONS.contains(&ending) => Kind::Image,
            ending if UNREADABLE.contains(&ending) => Kind::Unreadable,
            _ => Kind::Other,
        };
        match kind {
            Kind::Image => self.paths.push(path),
            Kind::Unreadable => *self.unreadable.entry(ending).or_default() += 1,
            Kind::Other => *self.others.entry(ending).or_default() += 1,
        }
    }

    /// One sentence per kind of skipped files.
    fn left_out(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some((files, kinds)) = listed(&self.unreadable) {
            let (is, kind) = match (files, self.unreadable.len()) {
                (1, _) => ("file is an image", "an unsupported format and was"),
                (_, 1) => ("files are images", "an unsupported format and were"),
                _ => ("files are images", "unsupported formats and were"),
            };
            notes.push(format!("{kinds} {is} in {kind} skipped; convert them to PNG or JPEG to include them"));
        }
        if let Some((files, kinds)) = listed(&self.others) {
            let are = if files == 1 { "file is not an image and was" } else { "files are not images and were" };
            notes.push(format!("{kinds} {are} skipped"));
        }
        match self.unreadable_folders {
            0 => {}
            1 => notes.push("1 folder cannot be read and was skipped".to_owned()),
            more => notes.push(format!("{more} folders cannot be read and were skipped")),
        }
        match self.links {
            0 => {}
            1 => notes.push("1 link to a folder was not followed".to_owned()),
            more => notes.push(format!("{more} links to folders were not followed")),
        }
        notes
    }
}

/// The number of files, and a list such as `12 .avif and 3 .heic`, with the most frequent extensions first.
fn listed(kinds: &BTreeMap<String, usize>) -> Option<(usize, String)> {
    const NAMED: usize = 20;
    let mut kinds: Vec<(&String, usize)> = kinds.iter().map(|(ending, &files)| (ending, files)).collect();
    kinds.sort_by_key(|&(_, files)| std::cmp::Reverse(files));
    let files = kinds.iter().map(|&(_, files)| files).sum();
    let mut named: Vec<String> = kinds.iter().take(NAMED).map(|&(ending, files)| of_ending(ending, files)).collect();
    let rest: usize = kinds.iter().skip(NAMED).map(|&(_, files)| files).sum();
    if rest > 0 {
        named.push(format!("{rest} other"));
    }
    let last = named.pop()?;
    Some((files, if named.is_empty() { last } else { format!("{} and {last}", named.join(", ")) }))
}

fn of_ending(ending: &str, files: usize) -> String {
    const MAX_LENGTH: usize = 12;
    match ending {
        "" => format!("{files} (no extension)"),
        ending => format!("{files} .{}", ending.chars().take(MAX_LENGTH).collect::<String>()),
    }
}

/// The kind of a file without an extension. Only regular files are opened.
fn kind_by_content(path: &Path) -> Kind {
    let mut start = Vec::new();
    let read = fs::metadata(path).is_ok_and(|metadata| metadata.is_file())
        && File::open(path).and_then(|file| file.take(256).read_to_end(&mut start)).is_ok();
    match read {
        true if sniff_format(&start).is_some() => Kind::Image,
        true if unreadable_image(&start).is_some() => Kind::Unreadable,
        _ => Kind::Other,
    }
}

/// Whether the name is that of an image in a supported format.
pub(super) fn is_image(name: &str) -> bool {
    let ending = Path::new(name).extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    EXTENSIONS.contains(&ending.to_lowercase().as_str())
}
