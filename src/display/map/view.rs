//! The content of a map, independent of its presentation.

use super::InteractiveMap;
use super::blocks::{Blocks, blocks};
use super::extent::Extent;
use super::pictures::Pictures;
use super::points::Points;
use super::rows::MapRows;
use super::timeline::Timeline;
use super::topics::TopicTable;
use super::values::Values;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::linalg::mix::mix64;

/// The content of a map.
#[derive(Debug)]
pub(super) struct MapView {
    pub(super) title: String,
    pub(super) dark: bool,
    /// The number of rows of the frame.
    pub(super) total: usize,
    /// The rows on the page, ascending; `None` if it is all of them.
    pub(super) rows: Option<Vec<u32>>,
    pub(super) points: Points,
    /// Topics and labels; its groups are those of all rows.
    pub(super) topics: TopicTable,
    /// The place in the table of topics of each row on the page.
    pub(super) groups: Vec<u16>,
    pub(super) texts: Option<Texts>,
    pub(super) pictures: Option<Pictures>,
    pub(super) timeline: Option<Timeline>,
    pub(super) values: Vec<Values>,
}

/// The texts of the rows on the page.
#[derive(Debug)]
pub(super) struct Texts {
    pub(super) column: String,
    pub(super) blocks: Blocks,
    /// The length in characters to which they are cut.
    pub(super) limit: usize,
}

impl MapView {
    pub(super) fn of(map: &InteractiveMap, rows: &MapRows, extent: Extent) -> Result<Self> {
        let total = rows.plane.points.len();
        if u32::try_from(total).is_err() {
            let message = format!("a map has at most {} rows, but there are {total}", u32::MAX);
            return Err(Error::new(ErrorKind::InvalidData, Stage::Display, message));
        }
        // Columns may be missing or of another type: that is said before images are read.
        let timeline = Timeline::of(map, rows)?;
        let values = Values::of(map, rows)?;
        let task = map.progress.task(Stage::Display, "map", total);
        let all = Points::of(&rows.plane.points);
        let topics = TopicTable::of(rows, &all)?;
        let chosen = chosen(&all, extent.rows);
        let on_page = chosen.as_deref();
        let texts = texts(rows, on_page, extent.text_length)?;
        task.advance(total);
        task.finish()?;
        let points = Points { places: picked(&all.places, on_page), ..all };
        let pictures = Pictures::of(map, rows, &points, on_page, extent)?;
        let values = values.into_iter().map(|values| Values { of_rows: picked(&values.of_rows, on_page), ..values });
        Ok(MapView {
            title: map.title.clone(),
            dark: map.dark,
            total,
            groups: picked(&topics.groups, on_page),
            timeline: timeline.map(|time| Timeline { of_rows: picked(&time.of_rows, on_page), ..time }),
            values: values.collect(),
            rows: chosen,
            points,
            topics,
            texts,
            pictures,
        })
    }

    /// The number of rows on the page.
    pub(super) fn len(&self) -> usize {
        self.points.places.len()
    }
}

fn texts(rows: &MapRows, on_page: Option<&[u32]>, limit: usize) -> Result<Option<Texts>> {
    let Some(column) = &rows.texts else { return Ok(None) };
    let texts: Vec<Option<&str>> = match on_page {
        None => (0..rows.plane.points.len()).map(|row| column.raw(row)).collect(),
        Some(rows) => rows.iter().map(|&row| column.raw(row as usize)).collect(),
    };
    Ok(Some(Texts { column: column.name().to_owned(), blocks: blocks(&texts, limit)?, limit }))
}

/// The values of the rows on the page.
fn picked<T: Copy>(values: &[T], rows: Option<&[u32]>) -> Vec<T> {
    match rows {
        None => values.to_vec(),
        Some(rows) => rows.iter().filter_map(|&row| values.get(row as usize).copied()).collect(),
    }
}

/// At most `most` of the drawn rows, as if by chance; `None` for all rows.
fn chosen(points: &Points, most: usize) -> Option<Vec<u32>> {
    if points.places.len() <= most {
        return None;
    }
    let drawn = points.places.iter().zip(0_u32..).filter(|(place, _)| Points::is_drawn(**place));
    let mut rows: Vec<u32> = drawn.map(|(_, row)| row).collect();
    if rows.len() > most {
        rows.select_nth_unstable_by_key(most, |&row| (mix64(u64::from(row)), row));
        rows.truncate(most);
        rows.sort_unstable();
    }
    Some(rows)
}
