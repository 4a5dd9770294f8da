//! Which files an input names: one, those in a folder, or those that fit a pattern.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::folder::each_file;
use super::image_folder::is_image;
use super::{Format, format_of};
use crate::error::{Error, ErrorKind, Result, Stage};

/// What libraries leave beside the parts of a data set about itself.
const ABOUT_DATA_SETS: [&str; 4] = ["dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json"];

/// The files that an input names.
#[derive(Debug, Clone)]
pub struct Inputs {
    tables: Vec<PathBuf>,
    images: usize,
    folder: PathBuf,
    several: Option<PathBuf>,
    /// What is wrong with a folder that cannot be read, in which tables may be.
    unreadable: Option<Error>,
}

/// Kinds of tables that can be parts of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Delimited,
    Json,
    Binary,
}

impl Inputs {
    /// What `input` names: a file; a folder, with those in it; or, where no file is called so, a pattern with `*`, `?`,
    /// `[..]` and `**` (any folders).
    ///
    /// The tables of a folder are all files in it, and in the folders in it, whose names end as
    /// [`read_frame`](super::read_frame) knows. Left out are hidden files and folders, those that begin with `_`, links
    /// to folders, and what the `datasets` library writes about a data set (`dataset_info.json`, `state.json`). They
    /// are in the order of their paths, numbers by their size: `part-2` comes before `part-10`.
    ///
    /// # Errors
    /// A folder that cannot be read, a text that is not a pattern, or a pattern that no file fits.
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

    /// What several inputs name, one after the other, each as in [`find`](Self::find): shells spell out a pattern that is
    /// not in quotes.
    ///
    /// # Errors
    /// As [`find`](Self::find); no input, a folder without tables, a file that is named twice.
    pub fn find_all(inputs: &[PathBuf]) -> Result<Self> {
        let wrong =
            |message: &str, path: &Path| Error::new(ErrorKind::InvalidParameter, Stage::Input, message).path(path);
        match inputs {
            [] => return Err(Error::new(ErrorKind::InvalidParameter, Stage::Input, "no input is named")),
            [only] => return Self::find(only),
            _ => {}
        }
        let (mut tables, mut unreadable) = (Vec::new(), None);
        for input in inputs {
            let found = Self::find(input)?;
            if found.tables.is_empty() {
                return Err(wrong("there is no table in this folder", input)
                    .hint("A folder of images is read by itself: name nothing else."));
            }
            tables.extend(found.tables);
            unreadable = unreadable.or(found.unreadable);
        }
        let mut seen = BTreeSet::new();
        match tables.iter().find(|table| !seen.insert(table.as_path())) {
            Some(twice) => Err(wrong("this file is named twice", twice)),
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
        let wrong = |message: &str| Error::new(ErrorKind::InvalidParameter, Stage::Input, message).path(input);
        let options = glob::MatchOptions { require_literal_leading_dot: true, ..Default::default() };
        let found = glob::glob_with(pattern, options)
            .map_err(|cause| wrong("the name has `*`, `?` or `[` in it, but is not a pattern").cause(cause))?;
        // A folder that must not be read is no reason to leave out its files in silence.
        let found: std::result::Result<Vec<PathBuf>, _> = found.collect();
        let found = found.map_err(|cause| wrong("a folder that the pattern leads to cannot be read").cause(cause))?;
        let wanted = input.file_name().is_some_and(|name| name.to_string_lossy().starts_with('_'));
        let is_part = |path: &PathBuf| {
            path.is_file() && path.file_name().is_some_and(|name| wanted || !is_hidden(&name.to_string_lossy()))
        };
        let mut tables: Vec<PathBuf> = found.into_iter().filter(is_part).collect();
        if tables.is_empty() {
            return Err(wrong("there is no such file, and none that fits it as a pattern"));
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

    /// A folder on the way to a table whose name says what its rows have in common, as `year=2024`.
    pub(super) fn partition(&self) -> Option<String> {
        let inner = self.tables.iter().filter_map(|table| table.strip_prefix(&self.folder).ok()?.parent());
        let mut names = inner.flat_map(Path::components).map(|part| part.as_os_str().to_string_lossy());
        names.find(|name| name.split_once('=').is_some_and(|(key, _)| !key.is_empty())).map(|name| name.into_owned())
    }

    /// How many images a folder holds.
    pub fn images(&self) -> usize {
        self.images
    }

    /// The folder that the files are in: where relative paths in them start.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The kind that all tables are of; `None` where the input is a file by itself.
    ///
    /// # Errors
    /// No tables, and those of several kinds: with what there is.
    pub(super) fn kind(&self) -> Result<Option<Kind>> {
        let Some(several) = &self.several else { return Ok(None) };
        if let Some(error) = &self.unreadable {
            return Err(error.clone());
        }
        let wrong = |message: String| Error::new(ErrorKind::InvalidData, Stage::Input, message).path(several);
        let mut kinds: Vec<(&str, Kind, usize)> = Vec::new();
        for part in &self.tables {
            let (name, kind) = kind_of(format_of(part, Stage::Input)?);
            match kinds.iter_mut().find(|(other, ..)| *other == name) {
                Some((.., count)) => *count += 1,
                None => kinds.push((name, kind, 1)),
            }
        }
        match kinds.as_slice() {
            [] => Err(wrong("there is no table in this folder".to_owned()).hint(super::FORMATS)),
            [(_, kind, _)] => Ok(Some(*kind)),
            several => {
                let all: Vec<String> = several.iter().map(|(name, _, count)| format!("{count} of {name}")).collect();
                let message =
                    format!("these are files of several kinds, which cannot be one table: {}", all.join(", "));
                Err(wrong(message).hint("Name those of one kind with a pattern, such as 'folder/*.parquet'."))
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
    // A spreadsheet keeps `~$name` beside a file that it has open.
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

/// The order of paths, folder by folder, where digits count as numbers.
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

/// Takes the digits at the front, without leading zeros.
fn digits<'a>(rest: &mut &'a str) -> &'a str {
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, after) = rest.split_at(end);
    *rest = after;
    digits.trim_start_matches('0')
}
