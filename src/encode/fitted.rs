//! Encodes new rows and search queries as vectors in the space of a fit.

use ndarray::Array2;
use polars::prelude::DataFrame;

use super::encoder::Purpose;
use super::{Cleaned, ClusterOn, Encoded, Encoder, FittedEncoder};
use crate::corpus::{Columns, Documents, internal};
use crate::embed::{ImageEmbedder, TextEmbedder};
use crate::error::{Error, ErrorKind, Hint, Result, Stage};
use crate::progress::Progress;
use crate::vision::{ImageSource, Limits, decode};

impl FittedEncoder {
    /// Encodes new rows to be placed: columns that do not affect the placement may be missing, and all rows may be
    /// blank. If texts and images were fused, one of the two columns is enough.
    pub(crate) fn encode(&self, frame: &DataFrame, progress: &Progress) -> Result<Encoded> {
        let encoder = &self.encoder;
        let documents = Documents::read(frame, &encoder.columns_to_place(frame))?;
        let (vectors, _) = encoder.row_vectors(&documents, Purpose::Place(self.fusion.as_ref()), progress)?;
        let encoded = encoder.encoded(&documents, vectors, self.uses_direction_only, progress);
        let (new, fitted) = (encoded.clustered.dimensions(), self.dimensions);
        if new != fitted && !encoded.rows.is_empty() {
            let message = format!("the vectors have {new} dimensions, but those in the fit had {fitted}");
            return Err(Error::new(ErrorKind::InvalidData, Stage::Embed, message)
                .with_hint("Use the embedder that the model was fitted with."));
        }
        Ok(encoded)
    }

    /// The vectors of texts, each encoded like a row that has only this text; zeros if the embedder knows none of its
    /// words.
    pub(crate) fn encode_texts(&self, texts: &[&str], progress: &Progress) -> Result<Array2<f32>> {
        let embedder = self.query_embedder().ok_or_else(|| self.no_embedder("texts"))?;
        let mut vectors = Cleaned::new(embedder, self.encoder.cleaning).embed_texts(texts, progress)?;
        if vectors.ncols() != self.dimensions {
            self.as_clustered(vec![0.0; vectors.ncols()], ClusterOn::Text)?;
        }
        if let Some(fusion) = &self.fusion {
            vectors = fusion.fuse(vectors.view(), Array2::zeros(vectors.dim()).view())?;
        }
        Ok(vectors)
    }

    /// The vector of a text, encoded like a row that has only this text.
    pub(crate) fn encode_text(&self, text: &str, progress: &Progress) -> Result<Vec<f32>> {
        let embedder = self.query_embedder().ok_or_else(|| self.no_embedder("texts"))?;
        let unknown = || {
            let message = "the query contains no word known to the embedder";
            Error::new(ErrorKind::InvalidData, Stage::Topics, message)
        };
        if text.trim().is_empty() {
            return Err(unknown());
        }
        let vectors = Cleaned::new(embedder, self.encoder.cleaning).embed_texts(&[text], progress)?;
        match first_row(&vectors) {
            vector if vector.iter().all(|&x| x == 0.0) => Err(unknown()),
            vector => self.as_clustered(vector, ClusterOn::Text),
        }
    }

    /// The vector of an image, encoded like a row that has only this image.
    pub(crate) fn encode_image(&self, image: ImageSource<'_>, progress: &Progress) -> Result<Vec<f32>> {
        let embedder = self.query_image_embedder().ok_or_else(|| self.no_embedder("images"))?;
        let image = [image];
        match first_row(&embedder.embed_images(&image, progress)?) {
            vector if vector.iter().all(|&x| x == 0.0) => {
                // The embedder only reports that the image cannot be read; decoding returns the reason.
                decode(&image[0], &Limits::new())?;
                Err(Error::new(ErrorKind::Image, Stage::Topics, "the embedder cannot read the image"))
            }
            vector => self.as_clustered(vector, ClusterOn::Images),
        }
    }

    /// The embedder that maps texts to the space of the clustered vectors.
    fn query_embedder(&self) -> Option<&dyn TextEmbedder> {
        match self.encoder.cluster_on {
            ClusterOn::Images => self.encoder.joint_text(),
            ClusterOn::Text | ClusterOn::Both => self.encoder.text_embedder.as_deref(),
        }
    }

    /// The embedder that maps images to the space of the clustered vectors.
    fn query_image_embedder(&self) -> Option<&dyn ImageEmbedder> {
        self.encoder.image_embedder.as_deref()
    }

    /// The error for queries that nothing can embed.
    fn no_embedder(&self, what: &str) -> Error {
        let (reason, on_command_line) = match (self.encoder.plan().reads_vectors, what) {
            (true, _) => (
                "it was fitted to precomputed vectors",
                "Pass --embedder the model that the vectors are from, if it supports them.",
            ),
            (false, "images") => (
                "that of the fit supports texts only",
                "Search by a text, or fit a model with an --embedder that supports images, such as clip-ViT-B-32.",
            ),
            (false, _) => ("that of the fit supports images only", "Search by an image: --image FILE."),
        };
        let method = if what == "images" { "with_image_embedder" } else { "with_embedder" };
        let message = format!("the model has no embedder for {what}: {reason}");
        Error::new(ErrorKind::InvalidParameter, Stage::Embed, message).with_hint(
            Hint::new(format!("Give it the embedder of the vectors that are clustered: topics.{method}(..)."))
                .on_command_line(on_command_line),
        )
    }

    fn as_clustered(&self, vector: Vec<f32>, is: ClusterOn) -> Result<Vec<f32>> {
        let (width, fitted) = (vector.len(), self.dimensions);
        if width != fitted {
            let message = format!("the query vector has {width} dimensions, but those in the fit had {fitted}");
            return Err(Error::new(ErrorKind::InvalidData, Stage::Topics, message)
                .with_hint("The model must have the embedder that computed the vectors."));
        }
        let Some(fusion) = &self.fusion else { return Ok(vector) };
        let row = Array2::from_shape_vec((1, width), vector).map_err(internal)?;
        let zeros = Array2::zeros((1, width));
        let fused = match is {
            ClusterOn::Images => fusion.fuse(zeros.view(), row.view())?,
            ClusterOn::Text | ClusterOn::Both => fusion.fuse(row.view(), zeros.view())?,
        };
        Ok(fused.into_raw_vec_and_offset().0)
    }
}

fn first_row(vectors: &Array2<f32>) -> Vec<f32> {
    vectors.outer_iter().next().map(|row| row.to_vec()).unwrap_or_default()
}

impl Encoder {
    fn columns_to_place(&self, frame: &DataFrame) -> Columns {
        let exists = |name: &Option<String>| name.as_ref().is_none_or(|name| frame.column(name).is_ok());
        let mut columns = Columns { labels: None, ..self.columns.clone() };
        let given = self.plan().given;
        let (text, image) = match self.cluster_on {
            ClusterOn::Text => (true, false),
            ClusterOn::Images => (false, true),
            ClusterOn::Both if given => (exists(&columns.text), exists(&columns.image)),
            ClusterOn::Both => {
                let text = exists(&columns.text) && exists(&columns.text_embeddings);
                let vectors = &columns.image_embeddings;
                let image = if vectors.is_some() { exists(vectors) } else { exists(&columns.image) };
                // If both are missing, the error is about the columns of the fit.
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
        if self.cluster_on == ClusterOn::Text && columns.text_embeddings.is_some() {
            // Vectors are enough, and so are texts, which can be embedded.
            match (exists(&columns.text), exists(&columns.text_embeddings)) {
                (false, true) => columns.text = None,
                (true, false) if self.text_embedder.is_some() => columns.text_embeddings = None,
                _ => {}
            }
        }
        // The image column may be missing if its vectors are present.
        if (given || columns.image_embeddings.is_some()) && !exists(&columns.image) {
            columns.image = None;
        }
        columns
    }
}
