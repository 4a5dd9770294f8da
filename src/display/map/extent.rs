//! How much of the rows is on a page.

use super::InteractiveMap;

/// How much is on the page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    /// The maximum number of rows.
    pub(super) rows: usize,
    /// The length of texts in characters.
    pub(super) text_length: usize,
    /// The maximum number of pictures.
    pub(super) pictures: usize,
    /// Their side in pixels.
    pub(super) side: u32,
}

impl Extent {
    pub(super) fn whole(map: &InteractiveMap) -> Self {
        let (pictures, side) = map.thumbnails;
        Extent { rows: usize::MAX, text_length: map.text_length, pictures, side }
    }

    pub(super) fn of_a_cell(map: &InteractiveMap) -> Self {
        let (pictures, side) = map.thumbnails;
        Extent { rows: 20_000, text_length: map.text_length.min(120), pictures: pictures.min(600), side: side.min(48) }
    }
}
