//! Resolves the text in an image column: a file, an image inside the text itself, or a URL, which is not fetched.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

use crate::error::{Error, ErrorKind, Hint, Stage};
use crate::vision::{ImageSource, data_uri};

/// Why the text of a cell does not refer to a readable image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unreachable {
    /// It is a web URL.
    WebAddress,
    /// It is in object storage (`s3:`, `gs:`, `hf:`), or uses another URL scheme.
    Store,
    /// A `file://` URL with a host name.
    OtherMachine,
    /// A relative path that leaves its base folder.
    LeavesFolder,
    /// An absolute path or a symbolic link to a file outside the image folder, if these are rejected.
    Outside,
    /// A path with backslashes or a drive letter that does not exist.
    WindowsPath,
}

impl Unreachable {
    /// The message, as a single clause.
    pub(crate) fn message(self) -> &'static str {
        match self {
            Unreachable::WebAddress => "this is a web address, which is not fetched",
            Unreachable::Store => "this is an address, not a path, and is not fetched",
            Unreachable::OtherMachine => "the address refers to a file on another machine",
            Unreachable::LeavesFolder => "the path leaves the image folder",
            Unreachable::Outside => "the image is outside the image folder",
            Unreachable::WindowsPath => "there is no such file, and this looks like a Windows path",
        }
    }

    fn hint(self) -> Hint {
        match self {
            Unreachable::WebAddress => Hint::new(
                "Download the images first (`wget --input-file=addresses.txt` takes a list of addresses), and put \
                 their paths in the column.",
            ),
            Unreachable::Store => Hint::new("Download the images first, and put their paths in the column."),
            Unreachable::OtherMachine => Hint::new("Copy the files to this machine, and use their local paths."),
            Unreachable::LeavesFolder => Hint::new(
                "Set the image folder to one that contains all images, `.image_folder(..)`, or use absolute paths.",
            )
            .on_command_line("Set --image-folder to one that contains all images, or use absolute paths."),
            Unreachable::Outside => Hint::new(
                "`.only_in_image_folder(true)` rejects it; set the image folder to one that contains all images, or \
                 remove the setting.",
            )
            .on_command_line(
                "--only-in-image-folder rejects it; set --image-folder to one that contains all images, or omit the \
                 option.",
            ),
            Unreachable::WindowsPath => Hint::new(
                "Write the paths with / and without a drive letter, and set the image folder that they are relative \
                 to: `.image_folder(..)`.",
            )
            .on_command_line(
                "Write the paths with / and without a drive letter, and set --image-folder to the folder that they are \
                 relative to.",
            ),
        }
    }

    /// The error, without a location.
    pub(crate) fn error(self) -> Error {
        self.error_of(self.message())
    }

    /// The error with a different message.
    pub(super) fn error_of(self, message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Image, Stage::Input, message).with_hint(self.hint())
    }
}

/// Locates the image that `text` refers to: a path (relative ones are resolved against `base`), a `file:` URL, or a
/// `data:` URI.
///
/// If a file with exactly this path exists, it is used, even if the path looks like a URL. Otherwise, `\xE9` in the
/// path stands for a byte, the way [`escaped`] writes file names that are not Unicode, and backslashes stand for
/// slashes.
pub(crate) fn find_image<'a>(text: &'a str, base: &Path) -> Result<ImageSource<'a>, Unreachable> {
    let scheme = scheme_of(text);
    let is_data = data_uri::is_data_uri(text);
    let is_file = scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("file"));
    if is_data || is_file {
        match stored_file(text, base) {
            Some(file) => return Ok(ImageSource::File(file)),
            None if is_data => return Ok(ImageSource::DataUri(text)),
            None => {}
        }
    }
    let path: Cow<'_, Path> = match scheme {
        Some(_) if is_file => Cow::Owned(path_of_file_address(text)?),
        Some(scheme) if ["http", "https"].iter().any(|web| scheme.eq_ignore_ascii_case(web)) => {
            return Err(Unreachable::WebAddress);
        }
        Some(_) => return Err(Unreachable::Store),
        None => Cow::Borrowed(Path::new(text)),
    };
    if leaves_its_folder(&path) {
        return Err(Unreachable::LeavesFolder);
    }
    let file = base.join(&path);
    if !looks_like_windows(text) || file.symlink_metadata().is_ok() {
        return Ok(ImageSource::File(file));
    }
    let named = unescaped(text).filter(|path| !leaves_its_folder(path)).map(|path| base.join(path));
    if let Some(named) = named.filter(|named| named.symlink_metadata().is_ok()) {
        return Ok(ImageSource::File(named));
    }
    let slashes = text.replace('\\', "/");
    if leaves_its_folder(Path::new(&slashes)) {
        return Err(Unreachable::LeavesFolder);
    }
    match base.join(slashes) {
        file if file.symlink_metadata().is_ok() => Ok(ImageSource::File(file)),
        _ => Err(Unreachable::WindowsPath),
    }
}

/// The maximum length of a text that is tried as a path, since it may be a `data:` URI of several megabytes: the limit
/// on Linux.
const LONGEST_PATH: usize = 4096;

/// The file in `base` with the relative path `text`, either verbatim or as written by [`escaped`].
fn stored_file(text: &str, base: &Path) -> Option<PathBuf> {
    if text.len() > LONGEST_PATH {
        return None;
    }
    let paths = [Some(PathBuf::from(text)), unescaped(text)].into_iter().flatten();
    let mut files = paths.filter(|path| !leaves_its_folder(path)).map(|path| base.join(path));
    files.find(|file| file.symlink_metadata().is_ok_and(|metadata| !metadata.is_dir()))
}

/// The part before `://` (or `file:`), if it is a valid scheme. A single letter is a Windows drive.
fn scheme_of(text: &str) -> Option<&str> {
    let (scheme, rest) = text.trim_start().split_once(':')?;
    let is_name = scheme.len() > 1
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    (is_name && (rest.starts_with("//") || scheme.eq_ignore_ascii_case("file") && rest.starts_with('/')))
        .then_some(scheme)
}

/// `file:///folder/a%20cat.jpg`, `file://localhost/...` and `file:/...` as a path.
fn path_of_file_address(text: &str) -> Result<PathBuf, Unreachable> {
    let rest = text.trim().split_once(':').map_or("", |(_, rest)| rest);
    let path = match rest.strip_prefix("//") {
        None => rest,
        Some(rest) => match rest.find('/') {
            Some(0) => rest,
            Some(end) if rest[..end].eq_ignore_ascii_case("localhost") => &rest[end..],
            _ => return Err(Unreachable::OtherMachine),
        },
    };
    Ok(path_of_bytes(percent_encoding::percent_decode(path.as_bytes()).collect()))
}

/// Whether a path contains backslashes, or begins with a drive letter.
fn looks_like_windows(path: &str) -> bool {
    let drive = matches!(path.as_bytes(), [letter, b':', b'/' | b'\\', ..] if letter.is_ascii_alphabetic());
    cfg!(not(windows)) && (drive || path.contains('\\'))
}

/// Whether a relative path leaves its base folder at any point.
fn leaves_its_folder(path: &Path) -> bool {
    if path.is_absolute() {
        return false;
    }
    let mut depth = 0_i64;
    path.components().any(|component| {
        match component {
            Component::ParentDir => depth -= 1,
            Component::Normal(_) => depth += 1,
            _ => {}
        }
        depth < 0
    })
}

/// A file name as a string for a column: bytes that are not valid UTF-8 are written as `\xE9` and the like.
/// [`find_image`] resolves it to the file.
pub(crate) fn escaped(name: &OsStr) -> String {
    let mut text = String::new();
    for chunk in name.as_encoded_bytes().utf8_chunks() {
        text.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|byte| text.push_str(&format!("\\x{byte:02X}")));
    }
    text
}

/// Decodes bytes written as `\xE9` in `text`; `None` if there are none.
fn unescaped(text: &str) -> Option<PathBuf> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\\x") {
        bytes.extend_from_slice(before.as_bytes());
        let byte = after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|byte| *byte >= 0x80);
        match byte {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(b"\\x"),
        }
        rest = if byte.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    bytes.extend_from_slice(rest.as_bytes());
    (bytes != text.as_bytes()).then(|| path_of_bytes(bytes))
}

#[cfg(unix)]
fn path_of_bytes(bytes: Vec<u8>) -> PathBuf {
    PathBuf::from(<OsString as std::os::unix::ffi::OsStringExt>::from_vec(bytes))
}

#[cfg(not(unix))]
fn path_of_bytes(bytes: Vec<u8>) -> PathBuf {
    PathBuf::from(OsString::from(String::from_utf8_lossy(&bytes).into_owned()))
}
