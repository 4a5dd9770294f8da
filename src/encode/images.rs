//! Locating images, and reporting those that cannot be read.

use super::counted;
use crate::corpus::{Embeddings, ImageColumn};
use crate::error::{Error, ErrorKind, Hint, Result, Stage};
use crate::progress::Progress;
use crate::vision::ImageSource;

/// The image sources of those `rows` that have an image. Paths that leave the image folder are reported and omitted:
/// the model treats them as unreadable images.
pub(crate) fn image_sources<'a>(
    images: &'a ImageColumn,
    rows: impl Iterator<Item = usize>,
    progress: &Progress,
) -> (Vec<usize>, Vec<ImageSource<'a>>) {
    let mut refused = Vec::new();
    let mut found = (Vec::new(), Vec::new());
    for row in rows {
        match images.get(row) {
            Ok(Some(source)) => {
                found.0.push(row);
                found.1.push(source);
            }
            Ok(None) => {}
            Err(error) => refused.push(error),
        }
    }
    if let Some(first) = refused.first() {
        let first = first.report(progress.interface()).replace('\n', " ");
        let message = format!("{} cannot be read; the first: {first}", counted(refused.len(), "image", "images"));
        progress.note(Stage::Input, message);
    }
    found
}

/// The hint for images that are not found.
pub(crate) fn relative_paths() -> Hint {
    Hint::new("Relative paths are resolved against the image folder: check that it contains the images.").on_command_line(
        "Relative paths are resolved against the input folder or --image-folder: check that it contains the images.",
    )
}

/// If none of the images can be read, the folder or the column is probably wrong: an error is more helpful than a
/// count.
pub(super) fn check_readable(images: &ImageColumn, vectors: &Embeddings) -> Result<()> {
    let rows: Vec<usize> = (0..images.len()).filter(|&row| images.has(row)).collect();
    let Some(&first) = rows.first().filter(|_| !rows.iter().any(|&row| vectors.has(row))) else { return Ok(()) };
    let message = match rows.len() {
        1 => "the only image cannot be read".to_owned(),
        count => format!("none of the {count} images can be read"),
    };
    let error = Error::new(ErrorKind::Image, Stage::Embed, message).with_column(images.name()).with_row(first);
    let error = match images.label(first) {
        Some(path) => error.with_path(path),
        None => error,
    };
    let is_missing = matches!(images.get(first), Ok(Some(ImageSource::File(path))) if !path.exists());
    let reason = images.get(first).and_then(|source| match source {
        Some(source) => crate::vision::decode(&source, &crate::vision::Limits::new()).map(|_| ()),
        None => Ok(()),
    });
    let hint = relative_paths();
    Err(match reason {
        Err(cause) => match cause.hint().cloned() {
            Some(advice) => error.with_hint(advice).with_cause(cause.without_hint()),
            // An existing file is corrupt, or not an image.
            None if is_missing => error.with_hint(hint).with_cause(cause),
            None => error.with_cause(cause),
        },
        Ok(()) => error.with_hint(hint),
    })
}
