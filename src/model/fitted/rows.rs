//! What figures of documents need of the rows of the fit.

use polars::prelude::DataFrame;

use super::FittedTopicModel;
use crate::corpus::{ImageColumn, TextColumn};
use crate::error::Result;
use crate::progress::Progress;

impl FittedTopicModel {
    /// The texts of the rows, or the captions of their images, if the model keeps them.
    pub(crate) fn texts(&self) -> Option<&TextColumn> {
        self.data.as_ref()?.texts.as_ref()
    }

    /// The images of the rows, if the model keeps their column.
    pub(crate) fn images(&self) -> Option<&ImageColumn> {
        self.data.as_ref()?.documents.images.as_ref()
    }

    /// The frame of the fit; the error names the method, `what`, that needs it.
    pub(crate) fn frame_of_fit(&self, what: &str) -> Result<&DataFrame> {
        Ok(&self.data(what)?.frame)
    }

    /// Where the model reports its progress.
    pub(crate) fn progress(&self) -> &Progress {
        &self.settings.progress
    }
}
