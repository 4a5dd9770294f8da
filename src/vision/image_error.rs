//! The error for an image that cannot be read.

use crate::error::{Error, ErrorKind, Stage};

pub(crate) fn image_error(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Image, Stage::Input, message)
}
