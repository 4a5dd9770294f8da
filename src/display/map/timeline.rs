//! The timeline of a map: rows in bins of time.

use super::super::bin_labels::labels;
use super::InteractiveMap;
use super::rows::MapRows;
use crate::error::Result;

/// The maximum number of bins: a row has one byte.
const MOST: usize = 250;

/// The bin of a row without a time.
pub(super) const UNDATED: u8 = 255;

/// Rows in bins.
#[derive(Debug)]
pub(super) struct Timeline {
    pub(super) column: String,
    /// The start of each bin, as text.
    pub(super) labels: Vec<String>,
    /// The period of the bins in words, if they are of the calendar.
    pub(super) period: Option<String>,
    /// The bin of each row, or [`UNDATED`].
    pub(super) of_rows: Vec<u8>,
}

impl Timeline {
    pub(super) fn of(map: &InteractiveMap, rows: &MapRows) -> Result<Option<Self>> {
        let Some((column, options)) = &map.time else { return Ok(None) };
        let bins = options.bins(rows.frame(map)?, column, MOST)?;
        let bin = |bin: &Option<u32>| bin.and_then(|bin| u8::try_from(bin).ok()).unwrap_or(UNDATED);
        let of_rows = bins.of_rows.iter().map(bin).collect();
        Ok(Some(Timeline { column: column.clone(), labels: labels(&bins.starts)?, period: bins.period, of_rows }))
    }
}
