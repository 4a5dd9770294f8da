//! Runs texts and images through their towers in batches, with little in memory at a time.

use std::sync::mpsc::sync_channel;

use candle_core::{Device, Tensor};
use ndarray::Array2;
use rayon::prelude::*;

use super::prompts::{Prompt, PromptTokenizer};
use super::text_tower::TextTower;
use super::vision_tower::VisionTower;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::linalg::memory::check_memory;
use crate::linalg::vectors::scale_to_unit;
use crate::nn::image_input::report_unreadable;
use crate::nn::model_folder::compute_error;
use crate::nn::workers;
use crate::progress::{Progress, Task};
use crate::vision::{ImageSource, Limits, OnImageError, RgbImage, decode, decode_as_stored};

/// Tokens that a thread processes at a time, so that the activations between layers stay in its caches.
const TOKENS_ON_CPU: usize = 768;

/// One row of length 1 for each text, zeros for one without tokens. Equal texts are computed only once.
pub(super) fn embed_texts(
    texts: &[&str],
    tokenizer: &PromptTokenizer,
    tower: &TextTower,
    dimensions: usize,
    (batch_size, device): (usize, &Device),
    progress: &Progress,
) -> Result<Array2<f32>> {
    let task = progress.task(Stage::Embed, "texts", texts.len());
    let prompts = texts.par_iter().map(|text| progress.check(Stage::Embed).and_then(|()| tokenizer.encode(text)));
    let prompts: Vec<Option<Prompt>> = prompts.collect::<Result<_>>()?;
    let mut order: Vec<(&Prompt, usize)> =
        prompts.iter().enumerate().filter_map(|(row, prompt)| Some((prompt.as_ref()?, row))).collect();
    order.sort_by(|(a, i), (b, j)| b.ids.len().cmp(&a.ids.len()).then_with(|| a.cmp(b)).then(i.cmp(j)));
    let mut unique: Vec<UniquePrompt<'_>> = Vec::new();
    for (prompt, row) in order {
        match unique.last_mut() {
            Some((last, rows)) if *last == prompt => rows.push(row),
            _ => unique.push((prompt, vec![row])),
        }
    }
    let batches = text_batches(&unique, max_batch_size(unique.len(), batch_size, device), device);
    let vectors = workers::run(&batches, device, progress, |batch| {
        let prompts: Vec<&Prompt> = batch.iter().map(|(prompt, _)| *prompt).collect();
        let rows = normalized_rows(&tower.forward(&prompts)?)?;
        task.advance(batch.iter().map(|(_, rows)| rows.len()).sum());
        Ok(rows)
    })?;
    check_memory(Stage::Embed, "the vectors of the texts", texts.len(), dimensions)?;
    let mut out = Array2::zeros((texts.len(), dimensions));
    for ((_, rows), vector) in unique.iter().zip(vectors.iter().flatten()) {
        rows.iter().for_each(|row| copy_to_row(&mut out, *row, vector));
    }
    task.finish()?;
    Ok(out)
}

/// How images are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct ImageReading {
    pub(super) limits: Limits,
    pub(super) upright: bool,
    pub(super) on_error: OnImageError,
}

/// One row of length 1 for each image, zeros for one that cannot be read.
pub(super) fn embed_images(
    images: &[ImageSource<'_>],
    tower: &VisionTower,
    dimensions: usize,
    reading: &ImageReading,
    (batch_size, device): (usize, &Device),
    progress: &Progress,
) -> Result<Array2<f32>> {
    let task = progress.task(Stage::Embed, "images", images.len());
    let size = match device {
        Device::Cpu => max_batch_size(images.len(), batch_size, device).min((TOKENS_ON_CPU / tower.tokens()).max(1)),
        _ => batch_size,
    };
    let rows: Vec<usize> = (0..images.len()).collect();
    let batches: Vec<Batch> = rows.chunks(size).map(|rows| Batch { rows, images, reading, tower }).collect();
    let parts = match device {
        Device::Cpu => {
            workers::run(&batches, device, progress, |batch| batch.compute(batch.read(false)?, &task, progress))?
        }
        _ => run_with_prefetch(&batches, progress, &task)?,
    };
    check_memory(Stage::Embed, "the vectors of the images", images.len(), dimensions)?;
    let mut out = Array2::zeros((images.len(), dimensions));
    let mut broken = Vec::new();
    for (row, vector) in parts.into_iter().flatten() {
        match vector {
            Ok(vector) => copy_to_row(&mut out, row, &vector),
            Err(error) => broken.push(error),
        }
    }
    task.finish()?;
    report_unreadable(&broken.iter().collect::<Vec<_>>(), images.len(), "vector", progress)?;
    Ok(out)
}

/// The maximum batch size: smaller for few items, so that every thread has some.
fn max_batch_size(count: usize, batch_size: usize, device: &Device) -> usize {
    match device {
        Device::Cpu => batch_size.min(count.div_ceil(rayon::current_num_threads())).max(1),
        _ => batch_size,
    }
}

/// A prompt and the rows that have it.
type UniquePrompt<'a> = (&'a Prompt, Vec<usize>);

/// At most `size` prompts per batch, and on the CPU no more tokens than fit its caches.
fn text_batches<'a, 'b>(unique: &'b [UniquePrompt<'a>], size: usize, device: &Device) -> Vec<&'b [UniquePrompt<'a>]> {
    let mut batches = Vec::new();
    let mut rest = unique;
    while let Some((first, _)) = rest.first() {
        // They are sorted: none is longer than the first.
        let max_prompts = match device {
            Device::Cpu => size.min(TOKENS_ON_CPU / first.ids.len().max(1)).max(1),
            _ => size,
        };
        let (batch, after) = rest.split_at(max_prompts.min(rest.len()));
        batches.push(batch);
        rest = after;
    }
    batches
}

/// An image's row, and its vector or the reason why there is none.
type Row = (usize, std::result::Result<Vec<f32>, Error>);

struct Batch<'a> {
    rows: &'a [usize],
    images: &'a [ImageSource<'a>],
    reading: &'a ImageReading,
    tower: &'a VisionTower,
}

/// The part of each image that the model sees.
type Fitted = Vec<(usize, Result<RgbImage>)>;

impl Batch<'_> {
    /// Reads and shrinks the images; with all threads, if `shared`.
    fn read(&self, shared: bool) -> Result<Fitted> {
        let read = |row: &usize| {
            let image = self.images.get(*row).map(|source| match self.reading.upright {
                true => decode(source, &self.reading.limits),
                false => decode_as_stored(source, &self.reading.limits),
            });
            let image = image.unwrap_or_else(|| Err(Error::new(ErrorKind::Internal, Stage::Embed, "no such image")));
            match image {
                Ok(image) => Ok((*row, Ok(self.tower.fit(&image)))),
                Err(error) if self.reading.on_error == OnImageError::Fail => Err(error.with_row(*row)),
                Err(error) => Ok((*row, Err(error.with_row(*row)))),
            }
        };
        match shared {
            true => self.rows.par_iter().map(read).collect(),
            false => self.rows.iter().map(read).collect(),
        }
    }

    fn compute(&self, fitted: Fitted, task: &Task, progress: &Progress) -> Result<Vec<Row>> {
        let (mut rows, mut images, mut seen) = (Vec::with_capacity(fitted.len()), Vec::new(), Vec::new());
        for (row, image) in fitted {
            match image {
                Ok(image) => {
                    images.push(image);
                    seen.push(row);
                }
                Err(error) => rows.push((row, Err(error))),
            }
        }
        if !images.is_empty() {
            let vectors = normalized_rows(&self.tower.forward(&images, progress)?)?;
            rows.extend(seen.into_iter().zip(vectors).map(|(row, vector)| (row, Ok(vector))));
        }
        rows.sort_by_key(|(row, _)| *row);
        task.advance(self.rows.len());
        Ok(rows)
    }
}

/// Runs one batch through the model while the next one is read.
fn run_with_prefetch(batches: &[Batch<'_>], progress: &Progress, task: &Task) -> Result<Vec<Vec<Row>>> {
    std::thread::scope(|scope| {
        let (send, receive) = sync_channel(1);
        scope.spawn(move || {
            for batch in batches {
                let fitted = progress.check(Stage::Embed).and_then(|()| batch.read(true));
                let stop = fitted.is_err();
                // The other side is gone if the model failed.
                if send.send((batch, fitted)).is_err() || stop {
                    return;
                }
            }
        });
        receive.into_iter().map(|(batch, fitted)| batch.compute(fitted?, task, progress)).collect()
    })
}

/// The rows of a tensor, normalized to length 1.
fn normalized_rows(x: &Tensor) -> Result<Vec<Vec<f32>>> {
    let mut rows = x.to_vec2::<f32>().map_err(compute_error)?;
    for row in &mut rows {
        if !scale_to_unit(row).is_finite() {
            let message = "the model's output is not finite: are its weights damaged?";
            return Err(Error::new(ErrorKind::Model, Stage::Embed, message));
        }
    }
    Ok(rows)
}

fn copy_to_row(out: &mut Array2<f32>, row: usize, vector: &[f32]) {
    out.row_mut(row).iter_mut().zip(vector).for_each(|(to, from)| *to = *from);
}
