//! Which rows have a picture on the map, from which zoom on, and the sheets of them.

use image::RgbImage;
use rayon::prelude::*;

use super::InteractiveMap;
use super::atlas;
use super::extent::Extent;
use super::levels::{NEVER, levels};
use super::points::Points;
use super::rows::MapRows;
use crate::error::{Result, Stage};
use crate::linalg::mix::mix64;
use crate::vision::decode::decode_bytes;
use crate::vision::{Limits, decode};

/// Of more images than this for each picture, a sample is considered.
const CANDIDATES: usize = 20;

/// The pictures of a map.
#[derive(Debug)]
pub(super) struct Pictures {
    /// The name of the column, or of the pictures that a model keeps.
    pub(super) column: String,
    /// The place of each picture's row on the page.
    pub(super) rows: Vec<u32>,
    /// The level of each.
    pub(super) levels: Vec<u8>,
    pub(super) side: u32,
    pub(super) sheets: Vec<Vec<u8>>,
    /// The largest number of pictures.
    pub(super) limit: usize,
    /// The number of images that are points only.
    pub(super) left_out: usize,
    /// The number of images that could not be read.
    pub(super) unreadable: usize,
}

impl Pictures {
    /// The pictures of the rows on the page: if there are too many, those that are shown first when zooming in. `None` if
    /// no row has an image.
    pub(super) fn of(
        map: &InteractiveMap,
        known: &MapRows,
        points: &Points,
        rows: Option<&[u32]>,
        extent: Extent,
    ) -> Result<Option<Self>> {
        let row_of = |place: usize| rows.map_or(Some(place), |rows| rows.get(place).map(|&row| row as usize));
        let has_image = |place: usize| match (row_of(place), &known.images) {
            (Some(row), Some(images)) => images.has(row),
            (Some(row), None) => known.thumbnails.contains_key(&row),
            (None, _) => false,
        };
        let drawn = points.places.iter().enumerate().filter(|(_, at)| Points::is_drawn(**at));
        let mut candidates: Vec<usize> = drawn.map(|(place, _)| place).filter(|&place| has_image(place)).collect();
        let number = candidates.len();
        if number == 0 || extent.pictures == 0 {
            return Ok(None);
        }
        let most = extent.pictures.saturating_mul(CANDIDATES);
        if number > most {
            candidates.sort_unstable_by_key(|&place| (mix64(place as u64), place));
            candidates.truncate(most);
        }
        let strength = |place: &usize| {
            let known = row_of(*place).and_then(|row| known.probabilities.get(row).copied());
            known.filter(|strength| strength.is_finite()).unwrap_or(0.0)
        };
        candidates.sort_by(|a, b| strength(b).total_cmp(&strength(a)).then(a.cmp(b)));
        let chosen = first_shown(points, candidates, extent.pictures);
        let task = map.progress.task(Stage::Display, "pictures", chosen.len());
        let read = |&place: &usize| -> Option<(usize, RgbImage)> {
            if task.is_interrupted() {
                return None;
            }
            let image = pixels(known, row_of(place)?);
            task.advance(1);
            Some((place, atlas::tile(&image?, extent.side)))
        };
        let tiles: Vec<Option<(usize, RgbImage)>> = chosen.par_iter().map(read).collect();
        task.finish()?;
        let unreadable = tiles.iter().filter(|tile| tile.is_none()).count();
        let (places, tiles): (Vec<usize>, Vec<RgbImage>) = tiles.into_iter().flatten().unzip();
        Ok(Some(Pictures {
            column: known.images.as_ref().map_or("Pictures of topics", |images| images.name()).to_owned(),
            // Without those that could not be read, others may be shown earlier.
            levels: levels(&at(points, &places), usize::MAX),
            rows: places.iter().map(|&place| place as u32).collect(),
            side: extent.side,
            sheets: atlas::sheets(&tiles, extent.side)?,
            limit: extent.pictures,
            left_out: number - places.len() - unreadable,
            unreadable,
        }))
    }
}

/// Those of the rows at these places of the page, by priority, that are shown first when zooming in.
fn first_shown(points: &Points, candidates: Vec<usize>, most: usize) -> Vec<usize> {
    let mut order: Vec<(u8, usize)> = levels(&at(points, &candidates), most).into_iter().zip(candidates).collect();
    // A stable sort: of one level, those of higher priority come first.
    order.sort_by_key(|&(level, _)| level);
    order.into_iter().filter(|&(level, _)| level != NEVER).map(|(_, place)| place).take(most).collect()
}

fn at(points: &Points, places: &[usize]) -> Vec<[u16; 2]> {
    places.iter().filter_map(|&place| points.places.get(place).copied()).collect()
}

/// The image of a row; if it cannot be read, the picture that the model keeps.
fn pixels(known: &MapRows, row: usize) -> Option<RgbImage> {
    let source = known.images.as_ref().and_then(|images| images.get(row).ok().flatten());
    let original = source.and_then(|source| decode(&source, &known.limits).ok());
    original.or_else(|| decode_bytes(known.thumbnails.get(&row)?, &Limits::new(), true).ok())
}
