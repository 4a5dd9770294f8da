//! Converts documents to vectors: embedding, and fusion if both texts and images are clustered.

use ndarray::{Array2, ArrayView1};
use polars::prelude::DataFrame;

use super::check::joint_model;
use super::embed_distinct::embed_distinct;
use super::images::{check_readable, image_sources};
use super::{Cleaned, ClusterOn, Encoded, Encoder, FittedEncoder, resolve_cleaning};
use crate::corpus::{Documents, Embeddings};
use crate::embed::{FittedFusion, TextEmbedder, check_vectors, missing_embedder};
use crate::error::{Error, ErrorKind, Hint, Result, Stage};
use crate::linalg::memory::check_memory;
use crate::progress::Progress;

/// Why rows are encoded.
#[derive(Clone, Copy)]
pub(super) enum Purpose<'a> {
    /// A fit, which requires at least one readable image.
    Fit,
    /// Placing new rows in a fitted model: rows without input are outliers.
    Place(Option<&'a FittedFusion>),
}

/// The vectors of all rows: those to cluster, and those of texts and images.
#[derive(Debug)]
pub(crate) struct RowVectors {
    pub(crate) clustered: Embeddings,
    pub(crate) texts: Option<Embeddings>,
    pub(crate) images: Option<Embeddings>,
}

impl Encoder {
    /// Reads the columns of a fit. `opens_images`: whether anything other than the encoder opens the images, so that
    /// they must be found.
    pub(crate) fn read(&self, frame: &DataFrame, opens_images: bool, progress: &Progress) -> Result<Documents> {
        let documents = Documents::read(frame, &self.columns)?;
        if self.plan().embeds_images || opens_images {
            check_images(&documents, progress)?;
        }
        if !self.plan().given && frame.column("embedding").is_ok() {
            let message = "the frame's column `embedding` is not used and is replaced by newly computed vectors";
            let hint = Hint::new("use it with .embeddings(\"embedding\")")
                .on_command_line("use it with --embeddings embedding");
            progress.note_with_hint(Stage::Embed, message, hint);
        }
        Ok(documents)
    }

    /// Computes the vectors of `frame` without clustering them, and returns the fitted fusion if texts and images were
    /// fused.
    pub(crate) fn vectors(&self, frame: &DataFrame, progress: &Progress) -> Result<(RowVectors, Option<FittedFusion>)> {
        let documents = Documents::read(frame, &self.columns)?;
        if self.plan().embeds_images {
            check_images(&documents, progress)?;
        }
        self.resolved(&documents).row_vectors(&documents, Purpose::Fit, progress)
    }

    /// Encodes the documents of a fit, of which at least one must be usable for clustering. If the reducer
    /// `uses_direction_only`, all-zero vectors are outliers.
    pub(crate) fn fit(
        &self,
        documents: &Documents,
        uses_direction_only: bool,
        progress: &Progress,
    ) -> Result<(Encoded, FittedEncoder)> {
        let encoder = self.resolved(documents);
        let (vectors, fusion) = encoder.row_vectors(documents, Purpose::Fit, progress)?;
        let dimensions = vectors.clustered.dimensions();
        let encoded = encoder.encoded(documents, vectors, uses_direction_only, progress);
        encoder.check_usable(documents, &encoded)?;
        Ok((encoded, FittedEncoder { encoder, fusion, dimensions, uses_direction_only }))
    }

    /// The same settings, with the cleaning resolved for the texts of `documents`.
    pub(crate) fn resolved(&self, documents: &Documents) -> Encoder {
        Encoder { cleaning: resolve_cleaning(self.cleaning, documents.texts.as_ref()), ..self.clone() }
    }

    /// The vectors of all rows, null for rows with nothing to embed; and the fitted fusion, if texts and images were
    /// fused.
    pub(super) fn row_vectors(
        &self,
        documents: &Documents,
        purpose: Purpose<'_>,
        progress: &Progress,
    ) -> Result<(RowVectors, Option<FittedFusion>)> {
        let (texts, images) = (documents.text_embeddings.clone(), documents.image_embeddings.clone());
        if let Some(given) = documents.embeddings.clone() {
            let images = match self.cluster_on {
                ClusterOn::Images => images.or_else(|| Some(given.clone())),
                ClusterOn::Text | ClusterOn::Both => images,
            };
            return Ok((RowVectors { clustered: given, texts, images }, None));
        }
        match self.cluster_on {
            ClusterOn::Text => {
                let clustered = self.text_vectors(documents, progress)?;
                Ok((RowVectors { texts: Some(clustered.clone()), clustered, images }, None))
            }
            ClusterOn::Images => {
                let clustered = self.image_vectors(documents, purpose, progress)?;
                Ok((RowVectors { images: Some(clustered.clone()), clustered, texts }, None))
            }
            ClusterOn::Both => self.fused(documents, purpose, progress),
        }
    }

    fn fused(
        &self,
        documents: &Documents,
        purpose: Purpose<'_>,
        progress: &Progress,
    ) -> Result<(RowVectors, Option<FittedFusion>)> {
        self.check_widths(documents)?;
        let has_texts = documents.texts.is_some() || documents.text_embeddings.is_some();
        let has_images = documents.images.is_some() || documents.image_embeddings.is_some();
        let texts = if has_texts { Some(self.text_vectors(documents, progress)?) } else { None };
        let images = if has_images { Some(self.image_vectors(documents, purpose, progress)?) } else { None };
        // If all vectors are null, they have no dimensions.
        let width = texts.iter().chain(&images).map(Embeddings::dimensions).max().unwrap_or(0);
        let text = |row: usize| texts.as_ref().filter(|_| documents.has_text(row))?.get(row).map(ArrayView1::from);
        let image = |row: usize| images.as_ref().filter(|_| documents.has_image(row))?.get(row).map(ArrayView1::from);
        let all = 0..documents.rows;
        let fusion = match purpose {
            Purpose::Place(Some(fusion)) => fusion.clone(),
            _ => self.fusion.fit_rows(width, all.clone().filter_map(text), all.clone().filter_map(image))?,
        };
        if fusion.width().is_some_and(|fitted| fitted != width) {
            let message = format!("the vectors have {width} dimensions, unlike those in the fit");
            return Err(Error::new(ErrorKind::InvalidData, Stage::Embed, message)
                .with_hint("Use the embedder that the model was fitted with."));
        }
        check_memory(Stage::Embed, "the vectors of texts and images", documents.rows, width)?;
        let mut fused = Array2::zeros((documents.rows, width));
        let mut counts = [0_usize; 3];
        for (row, mut to) in fused.outer_iter_mut().enumerate() {
            let (text, image) = (text(row), image(row));
            match (text.is_some(), image.is_some()) {
                (true, true) => counts[0] += 1,
                (true, false) => counts[1] += 1,
                (false, true) => counts[2] += 1,
                (false, false) => {}
            }
            if let Some(vector) = fusion.fuse_row(text, image) {
                to.assign(&vector);
            }
        }
        if matches!(purpose, Purpose::Fit) {
            note_fused(counts, progress);
        }
        Ok((RowVectors { clustered: all_rows(fused)?, texts, images }, Some(fusion)))
    }

    /// Reports text and image vectors with different dimensions before the slow steps.
    fn check_widths(&self, documents: &Documents) -> Result<()> {
        let text = match &documents.text_embeddings {
            Some(vectors) => vectors.dimensions(),
            None => self.text_embedder.as_ref().map_or(0, |embedder| embedder.dimensions()),
        };
        let image = match &documents.image_embeddings {
            Some(vectors) => vectors.dimensions(),
            None => self.image_embedder.as_ref().map_or(0, |embedder| embedder.dimensions()),
        };
        let known = text > 0 && image > 0 && documents.texts.is_some() && documents.images.is_some();
        if !known || text == image {
            return Ok(());
        }
        let message = format!("text vectors have {text} dimensions and image vectors {image}: they cannot be fused");
        Err(Error::new(ErrorKind::InvalidData, Stage::Embed, message).with_hint(joint_model()))
    }

    /// The text vector of each row; null if the row has no text.
    fn text_vectors(&self, documents: &Documents, progress: &Progress) -> Result<Embeddings> {
        if let Some(given) = &documents.text_embeddings {
            return Ok(given.clone());
        }
        let (Some(texts), Some(embedder)) = (&documents.texts, &self.text_embedder) else {
            return Err(missing_embedder("texts"));
        };
        let rows = texts.rows();
        let texts: Vec<&str> = rows.iter().filter_map(|&row| texts.get(row)).collect();
        let vectors = match texts.is_empty() {
            true => Array2::zeros((0, embedder.dimensions())),
            false => embed_distinct(&Cleaned::new(&**embedder, self.cleaning), &texts, progress)?,
        };
        check_vectors(&vectors, rows.len(), "texts", Stage::Embed, |input| rows.get(input).copied())?;
        Embeddings::scatter(vectors, &rows, documents.rows)?.without_zeros()
    }

    /// The image vector of each row; null if the row has no image, or one that cannot be read.
    fn image_vectors(&self, documents: &Documents, purpose: Purpose<'_>, progress: &Progress) -> Result<Embeddings> {
        if let Some(given) = &documents.image_embeddings {
            return Ok(given.clone());
        }
        let (Some(images), Some(embedder)) = (&documents.images, &self.image_embedder) else {
            return Err(missing_embedder("images"));
        };
        let (rows, sources) = image_sources(images, 0..images.len(), progress);
        let vectors = match sources.is_empty() {
            true => Array2::zeros((0, embedder.dimensions())),
            false => embedder.embed_images(&sources, progress)?,
        };
        check_vectors(&vectors, rows.len(), "images", Stage::Embed, |input| rows.get(input).copied())?;
        let vectors = Embeddings::scatter(vectors, &rows, documents.rows)?.without_zeros()?;
        match purpose {
            Purpose::Fit => check_readable(images, &vectors)?,
            Purpose::Place(_) => {}
        }
        Ok(vectors)
    }

    /// The embedder that maps texts to the space of the image vectors.
    pub(crate) fn joint_text(&self) -> Option<&dyn TextEmbedder> {
        let images = self.image_embedder.as_deref()?;
        images.text_side().or(self.text_embedder.as_deref())
    }

    /// The embedder of the words and texts that describe topics.
    pub(crate) fn words_embedder(&self) -> Option<&dyn TextEmbedder> {
        self.text_embedder.as_deref().or_else(|| self.joint_text())
    }

    /// The embedders and their settings, or the columns with precomputed vectors.
    pub(crate) fn describe_embedders(&self) -> String {
        let column = |name: &String| format!("the column `{name}`");
        let none = || "none".to_owned();
        let columns = &self.columns;
        if let Some(name) = &columns.embeddings {
            return column(name);
        }
        let text = || match &columns.text_embeddings {
            Some(name) => column(name),
            None => self.text_embedder.as_ref().map(|embedder| format!("{embedder:?}")).unwrap_or_else(none),
        };
        let images = || match &columns.image_embeddings {
            Some(name) => column(name),
            None => self.image_embedder.as_ref().map(|embedder| format!("{embedder:?}")).unwrap_or_else(none),
        };
        match self.cluster_on {
            ClusterOn::Text => text(),
            ClusterOn::Images => images(),
            ClusterOn::Both if text() == images() => text(),
            ClusterOn::Both => format!("{} and {}", text(), images()),
        }
    }
}

/// Checks that images can be found, and reports those in unexpected places.
fn check_images(documents: &Documents, progress: &Progress) -> Result<()> {
    let Some(images) = &documents.images else { return Ok(()) };
    images.check_reachable()?;
    images.report_unexpected(progress);
    Ok(())
}

/// All rows of `vectors`, with all-zero rows as null.
fn all_rows(vectors: Array2<f32>) -> Result<Embeddings> {
    let rows: Vec<usize> = (0..vectors.nrows()).collect();
    Embeddings::scatter(vectors, &rows, rows.len())?.without_zeros()
}

fn note_fused([both, text, image]: [usize; 3], progress: &Progress) {
    if text + image > 0 {
        let message = format!("{both} rows have both a text and an image, {text} only a text, {image} only an image");
        progress.note(Stage::Embed, message);
    }
}
