//! Selecting the best readable images of a topic, without duplicates.

use std::borrow::Cow;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use rayon::prelude::*;

use super::gallery::{ChosenImage, SkippedImage};
use super::thumbnails::shrink;
use crate::corpus::ImageColumn;
use crate::error::{Error, Result};
use crate::vision::decode::read;
use crate::vision::{Limits, image_error};

/// The settings shared by all topics.
pub(super) struct Choice<'a> {
    pub(super) images: &'a ImageColumn,
    pub(super) limits: Limits,
    /// The maximum number of images per topic.
    pub(super) most: usize,
    /// Whether an image that cannot be read is an error.
    pub(super) fail: bool,
}

/// The result for one topic.
#[derive(Default)]
pub(super) struct TopicChoice {
    pub(super) pictures: Vec<ChosenImage>,
    pub(super) skipped: Vec<SkippedImage>,
}

/// The images seen so far for a topic.
#[derive(Default)]
struct Seen<'a> {
    paths: HashSet<&'a str>,
    contents: HashSet<(usize, u64)>,
}

type Candidate = (usize, f64);

impl<'a> Choice<'a> {
    /// Processes the candidates in order, in rounds of the number still missing. Rounds do not depend on the number of
    /// threads, so neither does the result.
    pub(super) fn choose(&self, candidates: &[Candidate]) -> Result<TopicChoice> {
        let mut choice = TopicChoice::default();
        let mut seen = Seen::default();
        let mut rest = candidates.iter().copied();
        while choice.pictures.len() < self.most {
            let missing = self.most - choice.pictures.len();
            let round: Vec<Candidate> =
                rest.by_ref().filter(|&(row, _)| self.is_new_path(row, &mut seen)).take(missing).collect();
            if round.is_empty() {
                break;
            }
            self.take(&round, &mut seen, &mut choice)?;
        }
        Ok(choice)
    }

    /// Whether no previous candidate had the same file. Paths that accompany bytes are only names and may repeat.
    fn is_new_path(&self, row: usize, seen: &mut Seen<'a>) -> bool {
        match self.images.path(row) {
            Some(path) if self.images.bytes(row).is_none() => seen.paths.insert(path),
            _ => true,
        }
    }

    /// Reads all files of the round, drops duplicates, and decodes the rest.
    fn take(&self, round: &[Candidate], seen: &mut Seen<'a>, choice: &mut TopicChoice) -> Result<()> {
        let encoded: Vec<Result<(Cow<'_, [u8]>, u64)>> = round.par_iter().map(|&(row, _)| self.read(row)).collect();
        let mut fresh = Vec::with_capacity(round.len());
        for (&candidate, encoded) in round.iter().zip(encoded) {
            match encoded {
                Ok((bytes, hash)) if seen.contents.insert((bytes.len(), hash)) => fresh.push((candidate, Ok(bytes))),
                Ok(_) => {}
                Err(error) => fresh.push((candidate, Err(error))),
            }
        }
        let shrink = |(candidate, bytes): (Candidate, Result<Cow<'_, [u8]>>)| {
            (candidate, bytes.and_then(|bytes| shrink(&bytes, &self.limits)))
        };
        let shrunk: Vec<_> = fresh.into_par_iter().map(shrink).collect();
        for ((row, score), image) in shrunk {
            match image {
                Ok((size, thumbnail)) => choice.pictures.push(ChosenImage { row, score, size, thumbnail }),
                Err(error) if self.fail => return Err(self.locate(row, error)),
                Err(error) => choice.skipped.push(self.skipped(row, &error)),
            }
        }
        Ok(())
    }

    fn read(&self, row: usize) -> Result<(Cow<'a, [u8]>, u64)> {
        let source = self.images.get(row)?.ok_or_else(|| image_error("the row has no image"))?;
        let bytes = read(&source, &self.limits)?;
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        Ok((bytes, hasher.finish()))
    }

    fn locate(&self, row: usize, error: Error) -> Error {
        let error = error.with_column(self.images.name()).with_row(row);
        match self.images.label(row) {
            Some(path) => error.with_path(path),
            None => error,
        }
    }

    fn skipped(&self, row: usize, error: &Error) -> SkippedImage {
        SkippedImage { row, path: self.images.label(row), reason: reason(error), advice: error.hint().cloned() }
    }
}

/// The error in one clause, without the stage: row and path are reported next to it.
fn reason(error: &Error) -> String {
    let text = error.clone().without_place().without_hint().to_string();
    let stage = format!("{}: ", error.stage());
    text.strip_prefix(&stage).unwrap_or(&text).replace('\n', " ")
}
