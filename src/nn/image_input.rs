//! Shared by image models: preprocessing, and reporting of images that cannot be read.

use std::path::Path;

use super::model_folder::model_error;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::progress::Progress;
use crate::vision::Preprocessor;

/// Number of reasons listed in a note about images that cannot be read.
const REASONS: usize = 3;

/// The preprocessor that produces images of `side` x `side` pixels: `preprocessor_config.json` in `folder`, or the
/// newer `processor_config.json`.
pub(crate) fn preprocessor(folder: &Path, side: usize) -> Result<Preprocessor> {
    let newer = folder.join("processor_config.json");
    let older = folder.join("preprocessor_config.json");
    let path = if !older.exists() && newer.exists() { newer } else { older };
    let preprocessor = Preprocessor::from_file(&path)?;
    let (width, height) = (preprocessor.width(), preprocessor.height());
    match width as usize == side && height as usize == side {
        true => Ok(preprocessor),
        false => {
            let what = format!("it produces images of {width} x {height}, but the model expects {side} x {side}");
            Err(model_error(&path, &what))
        }
    }
}

/// Reports how many of `images` cannot be read and therefore have no `what`, with the reasons for the first few.
///
/// # Errors
/// None of them can be read.
pub(crate) fn report_unreadable(broken: &[&Error], images: usize, what: &str, progress: &Progress) -> Result<()> {
    let Some(&first) = broken.first() else { return Ok(()) };
    if broken.len() == images {
        let message = match images {
            1 => "the image cannot be read".to_owned(),
            many => format!("none of the {many} images can be read"),
        };
        return Err(Error::new(ErrorKind::Image, Stage::Embed, message).with_cause(first.clone()));
    }
    let reason = |error: &&Error| error.report(progress.interface()).replace('\n', " ");
    let reasons: Vec<String> = broken.iter().take(REASONS).map(reason).collect();
    let more = if broken.len() > REASONS { "; ..." } else { "" };
    let verb = if broken.len() == 1 { "has" } else { "have" };
    let reasons = reasons.join("; ");
    let message = format!("{} of {images} images cannot be read and {verb} no {what}: {reasons}{more}", broken.len());
    progress.note(Stage::Embed, message);
    Ok(())
}
