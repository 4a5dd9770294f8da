//! The files that an input refers to: a single file, those in a folder, or those that match a pattern.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::folder::each_file;
use super::format::{FORMATS, Format, format_of};
use super::image_folder::is_image;
use crate::error::{Error, ErrorKind, Result, Stage};

/// Metadata files that libraries leave next to the parts of a dataset.
const ABOUT_DATA_SETS: [&str; 4] = ["dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json"];

/// The files that an input refers to.
///
/// ```
/// use topicframe::files::{Inputs, ReadOptions};
///
/// let inputs = Inputs::find("examples/data/openclipart/*.csv")?;
/// let names: Vec<_> = inputs.tables().iter().filter_map(|table| table.file_name()).collect();
/// assert_eq!(names, ["captions.csv", "edits.csv"]);
///
/// let captions = ReadOptions::new().read_inputs(&Inputs::find("examples/data/openclipart/captions.csv")?)?;
/// assert_eq!(captions.height(), 1485);
/// # Ok::<(), topicframe::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Inputs {
    tables: Vec<PathBuf>,
    images: usize,
    folder: PathBuf,
    several: Option<PathBuf>,
    /// The error for an unreadable folder that may contain tables.
    unreadable: Option<Error>,
}

/// Kinds of files that can be parts of one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Delimited,
    Json,
    Binary,
}

impl Inputs {
    /// Resolves `input`: a file; a folder, whose files are used; or, if no such file exists, a pattern with `*`, `?`,
    /// `[..]`, and `**` (any folders).
    ///
    /// The tables of a folder are all files in it and its subfolders with an extension that
    /// [`read_frame`](super::read_frame) supports. Hidden files and folders, those that begin with `_`, links to
    /// folders, and the metadata files of the `datasets` library (`dataset_info.json`, `state.json`) are skipped. The
    /// tables are in the natural order of their paths: `part-2` comes before `part-10`.
    ///
    /// # Errors
    /// The folder cannot be read, the pattern is invalid, or no file matches the pattern.
    pub fn find(input: impl AsRef<Path>) -> Result<Self> {
        let input = input.as_ref();
        if input.is_dir() {
            return Self::in_folder(input);
        }
        match input.to_str().filter(|text| text.contains(['*', '?', '[']) && !input.exists()) {
            Some(pattern) => Self::of_pattern(input, pattern),
            None => Ok(Inputs {
                tables: vec![input.to_path_buf()],
                images: 0,
                folder: input.parent().unwrap_or(Path::new("")).to_path_buf(),
                several: None,
                unreadable: None,
            }),
        }
    }

    /// Resolves several inputs in order, each as in [`find`](Self::find): shells expand unquoted patterns.
    ///
    /// # Errors
    /// Same as [`find`](Self::find); also if there is no input, a folder contains no tables, or a file occurs twice.
    pub fn find_all(inputs: &[PathBuf]) -> Result<Self> {
        let wrong =
            |message: &str, path: &Path| Error::new(ErrorKind::InvalidParameter, Stage::Input, message).with_path(path);
        match inputs {
            [] => return Err(Error::new(ErrorKind::InvalidParameter, Stage::Input, "no input was given")),
            [only] => return Self::find(only),
            _ => {}
        }
        let (mut tables, mut unreadable) = (Vec::new(), None);
        for input in inputs {
            let found = Self::find(input)?;
            if found.tables.is_empty() {
                return Err(wrong("the folder contains no tables", input)
                    .with_hint("A folder of images must be the only input."));
            }
            tables.extend(found.tables);
            unreadable = unreadable.or(found.unreadable);
        }
        let mut seen = BTreeSet::new();
        match tables.iter().find(|table| !seen.insert(table.as_path())) {
            Some(twice) => Err(wrong("the file is listed twice", twice)),
            None => Ok(Inputs {
                folder: common_folder(&tables),
                tables,
                images: 0,
                several: inputs.first().cloned(),
                unreadable,
            }),
        }
    }

    fn in_folder(folder: &Path) -> Result<Self> {
        let several = Some(folder.to_path_buf());
        let mut inputs =
            Inputs { tables: Vec::new(), images: 0, folder: folder.to_path_buf(), several, unreadable: None };
        let is_left_out = |name: &str| is_hidden(name) || ABOUT_DATA_SETS.contains(&name);
        let passed_over = each_file(folder, is_left_out, |entry, name| {
            let path = entry.path();
            if is_image(&name) {
                inputs.images += 1;
            } else if format_of(&path, Stage::Input).is_ok() && path.is_file() {
                inputs.tables.push(path);
            }
        })?;
        inputs.unreadable = passed_over.unreadable.into_iter().next();
        inputs.tables.sort_by(|a, b| by_number(a, b));
        Ok(inputs)
    }

    fn of_pattern(input: &Path, pattern: &str) -> Result<Self> {
        let wrong = |message: &str| Error::new(ErrorKind::InvalidParameter, Stage::Input, message).with_path(input);
        let options = glob::MatchOptions { require_literal_leading_dot: true, ..Default::default() };
        let found = glob::glob_with(pattern, options).map_err(|cause| {
            wrong("the name contains `*`, `?`, or `[` but is not a valid pattern").with_cause(cause)
        })?;
        // An unreadable folder must not cause its files to be skipped silently.
        let found: std::result::Result<Vec<PathBuf>, _> = found.collect();
        let found = found.map_err(|cause| wrong("cannot read a folder that the pattern matches").with_cause(cause))?;
        let wanted = input.file_name().is_some_and(|name| name.to_string_lossy().starts_with('_'));
        let is_part = |path: &PathBuf| {
            path.is_file() && path.file_name().is_some_and(|name| wanted || !is_hidden(&name.to_string_lossy()))
        };
        let mut tables: Vec<PathBuf> = found.into_iter().filter(is_part).collect();
        if tables.is_empty() {
            return Err(wrong("no such file, and no file matches it as a pattern"));
        }
        tables.sort_by(|a, b| by_number(a, b));
        Ok(Inputs {
            folder: common_folder(&tables),
            tables,
            images: 0,
            several: Some(input.to_path_buf()),
            unreadable: None,
        })
    }

    /// The tables, in order.
    pub fn tables(&self) -> &[PathBuf] {
        &self.tables
    }

    /// The name of a partition folder on the path to a table, such as `year=2024`.
    pub(super) fn partition(&self) -> Option<String> {
        let inner = self.tables.iter().filter_map(|table| table.strip_prefix(&self.folder).ok()?.parent());
        let mut names = inner.flat_map(Path::components).map(|part| part.as_os_str().to_string_lossy());
        names.find(|name| name.split_once('=').is_some_and(|(key, _)| !key.is_empty())).map(|name| name.into_owned())
    }

    /// The number of images in a folder.
    pub fn images(&self) -> usize {
        self.images
    }

    /// The folder that contains the files, against which relative paths in them are resolved.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Checks that no table was missed.
    ///
    /// # Errors
    /// A folder that may contain tables cannot be read.
    #[doc(hidden)] // For the command.
    pub fn check_readable(&self) -> Result<()> {
        self.unreadable.clone().map_or(Ok(()), Err)
    }

    /// The common kind of all tables; `None` if the input is a single file.
    ///
    /// # Errors
    /// There are no tables, or tables of several kinds, which are listed.
    pub(super) fn kind(&self) -> Result<Option<Kind>> {
        let Some(several) = &self.several else { return Ok(None) };
        if let Some(error) = &self.unreadable {
            return Err(error.clone());
        }
        let wrong = |message: String| Error::new(ErrorKind::InvalidData, Stage::Input, message).with_path(several);
        let mut kinds: Vec<(&str, Kind, usize)> = Vec::new();
        for part in &self.tables {
            let (name, kind) = kind_of(format_of(part, Stage::Input)?);
            match kinds.iter_mut().find(|(other, ..)| *other == name) {
                Some((.., count)) => *count += 1,
                None => kinds.push((name, kind, 1)),
            }
        }
        match kinds.as_slice() {
            [] => Err(wrong("the folder contains no tables".to_owned()).with_hint(FORMATS)),
            [(_, kind, _)] => Ok(Some(*kind)),
            several => {
                let all: Vec<String> = several.iter().map(|(name, _, count)| format!("{count} {name}")).collect();
                let message =
                    format!("files of different formats cannot be combined into one table: {}", all.join(", "));
                Err(wrong(message).with_hint("Select one format with a pattern, such as 'folder/*.parquet'."))
            }
        }
    }
}

fn kind_of(format: Format) -> (&'static str, Kind) {
    match format {
        Format::Csv => ("CSV", Kind::Delimited),
        Format::Tsv => ("TSV", Kind::Delimited),
        Format::Json | Format::NdJson => ("JSON", Kind::Json),
        Format::Parquet => ("Parquet", Kind::Binary),
        Format::Arrow => ("Arrow", Kind::Binary),
    }
}

fn is_hidden(name: &str) -> bool {
    // Spreadsheets keep `~$name` next to a file that is open.
    name.starts_with(['.', '_']) || name.starts_with("~$")
}

fn common_folder(paths: &[PathBuf]) -> PathBuf {
    let mut folders = paths.iter().filter_map(|path| path.parent());
    let mut common = folders.next().unwrap_or(Path::new("")).to_path_buf();
    for folder in folders {
        while !folder.starts_with(&common) {
            common.pop();
        }
    }
    common
}

/// The natural order of paths, folder by folder: digits are compared as numbers.
fn by_number(a: &Path, b: &Path) -> Ordering {
    let pieces = a.components().zip(b.components());
    let mut differing = pieces.map(|(a, b)| {
        let (a, b) = (a.as_os_str().to_string_lossy(), b.as_os_str().to_string_lossy());
        name_by_number(&a, &b)
    });
    differing.find(|order| order.is_ne()).unwrap_or_else(|| a.cmp(b))
}

fn name_by_number(a: &str, b: &str) -> Ordering {
    let (mut rest_a, mut rest_b) = (a, b);
    while let (Some(first_a), Some(first_b)) = (rest_a.chars().next(), rest_b.chars().next()) {
        let order = match first_a.is_ascii_digit() && first_b.is_ascii_digit() {
            true => {
                let (digits_a, digits_b) = (digits(&mut rest_a), digits(&mut rest_b));
                digits_a.len().cmp(&digits_b.len()).then(digits_a.cmp(digits_b))
            }
            false => {
                rest_a = rest_a.get(first_a.len_utf8()..).unwrap_or_default();
                rest_b = rest_b.get(first_b.len_utf8()..).unwrap_or_default();
                first_a.cmp(&first_b)
            }
        };
        if order.is_ne() {
            return order;
        }
    }
    rest_a.len().cmp(&rest_b.len()).then_with(|| a.cmp(b))
}

/// Takes the leading digits, without leading zeros.
fn digits<'a>(rest: &mut &'a str) -> &'a str {
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, after) = rest.split_at(end);
    *rest = after;
    digits.trim_start_matches('0')
}
