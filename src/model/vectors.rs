//! Columns to the vectors that are clustered: embedding, fusing, and which rows have what it takes.

use ndarray::{Array2, ArrayView1};
use polars::prelude::DataFrame;

use super::check::{check_vectors, joint_model, no_row};
use super::cleaning::Cleaned;
use super::equal_rows::embed_distinct;
use super::{ClusterOn, TopicModel};
use crate::corpus::{Columns, Corpus, Embeddings, ImageColumn};
use crate::embed::{FittedFusion, nothing_embeds};
use crate::error::{Error, ErrorKind, Hint, Result, Stage};
use crate::linalg::room::check_room;
use crate::vision::ImageSource;

/// A frame's columns and vectors, ready to be clustered.
pub(crate) struct Embedded {
    pub(crate) corpus: Corpus,
    pub(crate) embeddings: Embeddings,
    /// How texts and images were fused, where they were.
    pub(crate) fusion: Option<FittedFusion>,
    /// The rows that can be clustered, ascending.
    pub(crate) rows: Vec<usize>,
}

/// For whom rows are embedded.
#[derive(Clone, Copy)]
pub(super) enum For<'a> {
    /// A fit, which needs at least one image that can be read.
    Fit,
    /// A fitted model: rows that have nothing are outliers.
    Placing(Option<&'a FittedFusion>),
}

impl TopicModel {
    /// Reads the columns of a fit, and checks that images can be found.
    pub(super) fn read_corpus(&self, frame: &DataFrame) -> Result<Corpus> {
        let corpus = Corpus::read(frame, &self.columns)?;
        if self.reads_images() {
            self.check_images(&corpus)?;
        }
        if self.columns.embeddings.is_none() && frame.column("embedding").is_ok() {
            let message = "the frame's column `embedding` is not used and is replaced by newly computed vectors";
            let hint = Hint::new("name it with .embeddings(\"embedding\") to use it")
                .on_command_line("name it with --embeddings embedding to use it");
            self.progress.note_with_hint(Stage::Embed, message, hint);
        }
        Ok(corpus)
    }

    /// Checks that images can be found, and tells of those that may be a surprise.
    pub(super) fn check_images(&self, corpus: &Corpus) -> Result<()> {
        let Some(images) = &corpus.images else { return Ok(()) };
        images.check_reachable()?;
        images.tell_unexpected(&self.progress);
        Ok(())
    }

    /// Reads and embeds rows that are to be placed by a fitted model: columns that do not decide where a row lies may
    /// be missing, and all rows may be blank. Of texts and images that were fused, one will do.
    pub(crate) fn embedded_new(&self, frame: &DataFrame, fusion: Option<&FittedFusion>) -> Result<Embedded> {
        self.placeable(Corpus::read(frame, &self.columns_to_place(frame))?, For::Placing(fusion))
    }

    fn columns_to_place(&self, frame: &DataFrame) -> Columns {
        let there = |name: &Option<String>| name.as_ref().is_none_or(|name| frame.column(name).is_ok());
        let mut columns = self.columns.clone();
        let given = columns.embeddings.is_some();
        let (text, image) = match self.cluster_on {
            ClusterOn::Text => (true, false),
            ClusterOn::Images => (false, true),
            ClusterOn::Both if given => (there(&columns.text), there(&columns.image)),
            ClusterOn::Both => {
                let text = there(&columns.text) && there(&columns.text_embeddings);
                let vectors = &columns.image_embeddings;
                let image = if vectors.is_some() { there(vectors) } else { there(&columns.image) };
                // Where both are missing, the error names what the fit had.
                (text || !image, image || !text)
            }
        };
        if !text {
            columns = Columns { text: None, text_embeddings: None, ..columns };
        }
        if !image {
            columns = Columns { image: None, image_embeddings: None, ..columns };
        }
        if given {
            columns = Columns { text_embeddings: None, image_embeddings: None, ..columns };
        }
        // An image need not be there where its vector is.
        if (given || columns.image_embeddings.is_some()) && !there(&columns.image) {
            columns.image = None;
        }
        columns
    }

    /// Embeds what has no vector yet, and finds the rows that can be clustered.
    pub(super) fn placeable(&self, mut corpus: Corpus, purpose: For<'_>) -> Result<Embedded> {
        let (embeddings, fusion) = self.vectors(&mut corpus, purpose)?;
        let rows = self.clusterable(&corpus, &embeddings);
        Ok(Embedded { corpus, embeddings, fusion, rows })
    }

    pub(super) fn embeds_images(&self) -> bool {
        let columns = &self.columns;
        self.cluster_on != ClusterOn::Text && columns.embeddings.is_none() && columns.image_embeddings.is_none()
    }

    /// Whether the fit looks at the images themselves.
    fn reads_images(&self) -> bool {
        let shows = self.representations.iter().any(|(_, representation)| representation.needs_images());
        self.embeds_images() || shows || self.captioner.is_some()
    }

    /// The vectors to cluster. Those of the images, where they are known, are left in the corpus.
    pub(super) fn vectors(&self, corpus: &mut Corpus, purpose: For<'_>) -> Result<(Embeddings, Option<FittedFusion>)> {
        if let Some(given) = corpus.embeddings.clone() {
            if self.cluster_on == ClusterOn::Images && corpus.image_embeddings.is_none() {
                corpus.image_embeddings = Some(given.clone());
            }
            return Ok((given, None));
        }
        match self.cluster_on {
            ClusterOn::Text => Ok((self.text_vectors(corpus)?, None)),
            ClusterOn::Images => {
                let vectors = self.image_vectors(corpus, purpose)?;
                corpus.image_embeddings = Some(vectors.clone());
                Ok((vectors, None))
            }
            ClusterOn::Both => self.fused_vectors(corpus, purpose),
        }
    }

    fn fused_vectors(&self, corpus: &mut Corpus, purpose: For<'_>) -> Result<(Embeddings, Option<FittedFusion>)> {
        self.check_widths(corpus)?;
        let has_texts = corpus.texts.is_some() || corpus.text_embeddings.is_some();
        let has_images = corpus.images.is_some() || corpus.image_embeddings.is_some();
        let texts = if has_texts { Some(self.text_vectors(corpus)?) } else { None };
        let images = if has_images { Some(self.image_vectors(corpus, purpose)?) } else { None };
        // Vectors that are all null have no width.
        let width = texts.iter().chain(&images).map(Embeddings::dimensions).max().unwrap_or(0);
        let text = |row: usize| texts.as_ref().filter(|_| corpus.has_text(row))?.get(row).map(ArrayView1::from);
        let image = |row: usize| images.as_ref().filter(|_| corpus.has_image(row))?.get(row).map(ArrayView1::from);
        let all = 0..corpus.rows;
        let fusion = match purpose {
            For::Placing(Some(fusion)) => fusion.clone(),
            _ => self.fusion.fit_rows(width, all.clone().filter_map(text), all.clone().filter_map(image))?,
        };
        if fusion.width().is_some_and(|fitted| fitted != width) {
            let message = format!("the vectors have {width} numbers, and those of the fit had others");
            return Err(Error::new(ErrorKind::InvalidData, Stage::Embed, message)
                .hint("Use the embedder that the model was fitted with."));
        }
        check_room(Stage::Embed, "the vectors of texts and images", corpus.rows, width)?;
        let mut fused = Array2::zeros((corpus.rows, width));
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
        if matches!(purpose, For::Fit) {
            self.note_fused(counts);
        }
        corpus.text_embeddings = texts;
        corpus.image_embeddings = images;
        Ok((all_rows(fused)?, Some(fusion)))
    }

    /// Texts and images of different width are told before the slow steps.
    fn check_widths(&self, corpus: &Corpus) -> Result<()> {
        let text = match &corpus.text_embeddings {
            Some(vectors) => vectors.dimensions(),
            None => self.text_embedder.as_ref().map_or(0, |embedder| embedder.dimensions()),
        };
        let image = match &corpus.image_embeddings {
            Some(vectors) => vectors.dimensions(),
            None => self.image_embedder.as_ref().map_or(0, |embedder| embedder.dimensions()),
        };
        let known = text > 0 && image > 0 && corpus.texts.is_some() && corpus.images.is_some();
        if !known || text == image {
            return Ok(());
        }
        let message = format!("texts have vectors of {text} numbers and images of {image}: they cannot be fused");
        Err(Error::new(ErrorKind::InvalidData, Stage::Embed, message).hint(joint_model()))
    }

    /// The vectors of the texts; null where there is none.
    fn text_vectors(&self, corpus: &Corpus) -> Result<Embeddings> {
        if let Some(given) = &corpus.text_embeddings {
            return Ok(given.clone());
        }
        let (Some(texts), Some(embedder)) = (&corpus.texts, &self.text_embedder) else {
            return Err(nothing_embeds("texts"));
        };
        let rows = texts.rows();
        let texts: Vec<&str> = rows.iter().filter_map(|&row| texts.get(row)).collect();
        let vectors = match texts.is_empty() {
            true => Array2::zeros((0, embedder.dimensions())),
            false => {
                let embedder = Cleaned::new(&**embedder, self.settled_cleaning(corpus));
                embed_distinct(&embedder, &texts, &self.progress)?
            }
        };
        check_vectors(&vectors, &rows, "texts")?;
        Embeddings::scatter(vectors, &rows, corpus.rows)?.without_zeros()
    }

    /// The vectors of the images; null where there is none, or none that can be read.
    fn image_vectors(&self, corpus: &Corpus, purpose: For<'_>) -> Result<Embeddings> {
        if let Some(given) = &corpus.image_embeddings {
            return Ok(given.clone());
        }
        let (Some(images), Some(embedder)) = (&corpus.images, &self.image_embedder) else {
            return Err(nothing_embeds("images"));
        };
        let (rows, sources) = self.image_sources(images, 0..images.len());
        let vectors = match sources.is_empty() {
            true => Array2::zeros((0, embedder.dimensions())),
            false => embedder.embed_images(&sources, &self.progress)?,
        };
        check_vectors(&vectors, &rows, "images")?;
        let vectors = Embeddings::scatter(vectors, &rows, corpus.rows)?.without_zeros()?;
        match purpose {
            For::Fit => check_readable(images, &vectors)?,
            For::Placing(_) => {}
        }
        Ok(vectors)
    }

    /// Where the images of `rows` are, of those that have one. Paths that leave the image folder are told and left out:
    /// to the model they are images that cannot be read.
    pub(super) fn image_sources<'a>(
        &self,
        images: &'a ImageColumn,
        rows: impl Iterator<Item = usize>,
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
            let first = first.told(self.progress.interface()).replace('\n', " ");
            let message = format!("{} cannot be read; the first: {first}", counted(refused.len(), "image", "images"));
            self.progress.note(Stage::Input, message);
        }
        found
    }

    /// The rows that have what is clustered, and a vector of it; the others are counted and told. A vector of zeros is
    /// what an embedder gives for a text without a known word; among vectors of the frame's own it is a point like any
    /// other, unless the reducer goes by directions: it has none.
    fn clusterable(&self, corpus: &Corpus, embeddings: &Embeddings) -> Vec<usize> {
        let filled: Vec<usize> = (0..corpus.rows).filter(|&row| self.has_input(corpus, row)).collect();
        let there: Vec<usize> = filled.iter().copied().filter(|&row| embeddings.has(row)).collect();
        let has_place = |&row: &usize| !self.reducer.by_direction() || !embeddings.is_zero(row);
        let rows: Vec<usize> = there.iter().copied().filter(has_place).collect();
        let (nothing, no_vector) = match self.cluster_on {
            ClusterOn::Text if self.given() => ("no text (null, empty or whitespace)", "a text but no vector (null)"),
            ClusterOn::Text => ("no text (null, empty or whitespace)", "a text without a word that the embedder knows"),
            ClusterOn::Images if self.given() => ("no image (null)", "an image but no vector (null)"),
            ClusterOn::Images => ("no image (null)", "an image that cannot be read"),
            ClusterOn::Both => (
                "neither a text nor an image",
                "a text or an image, but neither a known word nor pixels that can be read",
            ),
        };
        self.note_outliers(corpus.rows - filled.len(), nothing);
        self.note_outliers(filled.len() - there.len(), no_vector);
        self.note_outliers(there.len() - rows.len(), "a vector of nothing but zeros, which has no direction");
        rows
    }

    fn has_input(&self, corpus: &Corpus, row: usize) -> bool {
        let (texts, images) = (corpus.texts.is_some(), corpus.images.is_some());
        match self.cluster_on {
            ClusterOn::Text => corpus.has_text(row),
            ClusterOn::Images => corpus.has_image(row),
            // A column that new rows lack refuses none of them, but what they have beside it may.
            ClusterOn::Both if texts || images => {
                let vector_alone = !images && corpus.image_embeddings.as_ref().is_some_and(|vectors| vectors.has(row));
                texts && corpus.has_text(row) || images && corpus.has_image(row) || vector_alone
            }
            ClusterOn::Both => true,
        }
    }

    /// Whether the vectors to cluster are the frame's own.
    fn given(&self) -> bool {
        let columns = &self.columns;
        let of_one = match self.cluster_on {
            ClusterOn::Text => columns.text_embeddings.is_some(),
            ClusterOn::Images => columns.image_embeddings.is_some(),
            ClusterOn::Both => false,
        };
        of_one || columns.embeddings.is_some()
    }

    /// A fit of no row says which input is missing.
    pub(super) fn check_inputs(&self, corpus: &Corpus, embeddings: &Embeddings, rows: &[usize]) -> Result<()> {
        if !rows.is_empty() {
            return Ok(());
        }
        let has_input = |row: usize| self.has_input(corpus, row);
        if (0..corpus.rows).any(|row| has_input(row) && embeddings.is_zero(row)) {
            let message = "all vectors are zero, so there is nothing to tell rows apart by";
            let hint = "A row of zeros usually stands for a text or an image that could not be embedded.";
            return Err(Error::new(ErrorKind::InvalidData, Stage::Input, message).hint(hint));
        }
        if (0..corpus.rows).any(has_input) {
            return Err(no_row(
                corpus,
                self.cluster_on,
                "no row has a vector that says something: all are null or zero",
            ));
        }
        let message = match self.cluster_on {
            ClusterOn::Text => "no row has a text: all are null, empty or whitespace",
            ClusterOn::Images => "no row has an image: all are null or blank",
            ClusterOn::Both => "no row has a text or an image: all are null or blank",
        };
        Err(no_row(corpus, self.cluster_on, message))
    }

    fn note_fused(&self, [both, text, image]: [usize; 3]) {
        if text + image > 0 {
            let message =
                format!("{both} rows have both a text and an image, {text} a text alone, {image} an image alone");
            self.progress.note(Stage::Embed, message);
        }
    }

    fn note_outliers(&self, rows: usize, why: &str) {
        if rows > 0 {
            let rows = counted(rows, "row has", "rows have");
            self.progress.note(Stage::Input, format!("{rows} {why}: counted as outliers (topic -1)"));
        }
    }
}

/// `1 image`, `7 images`.
pub(super) fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Every row of `vectors`; null where it is zeros.
fn all_rows(vectors: Array2<f32>) -> Result<Embeddings> {
    let rows: Vec<usize> = (0..vectors.nrows()).collect();
    Embeddings::scatter(vectors, &rows, rows.len())?.without_zeros()
}

/// What to do where images are not found.
pub(super) fn relative_paths() -> Hint {
    Hint::new("Relative paths start in the image folder: is it set to where the images are?").on_command_line(
        "Relative paths start in the input's folder, or where --image-folder says: are the images there?",
    )
}

/// Images of which not one can be read are better told than counted: the folder is wrong, or the column.
fn check_readable(images: &ImageColumn, vectors: &Embeddings) -> Result<()> {
    let there: Vec<usize> = (0..images.len()).filter(|&row| images.has(row)).collect();
    let Some(&first) = there.first().filter(|_| !there.iter().any(|&row| vectors.has(row))) else { return Ok(()) };
    let message = match there.len() {
        1 => "the only image cannot be read".to_owned(),
        count => format!("not one of the {count} images can be read"),
    };
    let error = Error::new(ErrorKind::Image, Stage::Embed, message).column(images.name()).row(first);
    let error = match images.label(first) {
        Some(path) => error.path(path),
        None => error,
    };
    let is_missing = matches!(images.get(first), Ok(Some(ImageSource::File(path))) if !path.exists());
    let reason = images.get(first).and_then(|source| match source {
        Some(source) => crate::vision::decode(&source, &crate::vision::Limits::new()).map(|_| ()),
        None => Ok(()),
    });
    let hint = relative_paths();
    Err(match reason {
        Err(cause) => match cause.advice().cloned() {
            Some(advice) => error.hint(advice).cause(cause.without_hint()),
            // A file that is there is damaged, or no image.
            None if is_missing => error.hint(hint).cause(cause),
            None => error.cause(cause),
        },
        Ok(()) => error.hint(hint),
    })
}
