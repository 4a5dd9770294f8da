//! Determining which rows can be clustered.

use super::check::no_row;
use super::encoder::RowVectors;
use super::{ClusterOn, Encoded, Encoder};
use crate::corpus::{Documents, Embeddings};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::progress::Progress;

impl Encoder {
    /// The `vectors`, and the rows that have both the clustered input and a vector; the other rows are counted and
    /// reported. Embedders return an all-zero vector for a text without a known word. Among precomputed vectors, an
    /// all-zero vector is a point like any other, unless the reducer only uses directions (`uses_direction_only`),
    /// since it has none.
    pub(super) fn encoded(
        &self,
        documents: &Documents,
        vectors: RowVectors,
        uses_direction_only: bool,
        progress: &Progress,
    ) -> Encoded {
        let RowVectors { clustered, texts, images } = vectors;
        let has_input = |&row: &usize| self.has_input(documents, images.as_ref(), row);
        let filled: Vec<usize> = (0..documents.rows).filter(has_input).collect();
        let with_vector: Vec<usize> = filled.iter().copied().filter(|&row| clustered.has(row)).collect();
        let has_place = |&row: &usize| !uses_direction_only || !clustered.is_zero(row);
        let rows: Vec<usize> = with_vector.iter().copied().filter(has_place).collect();
        let given = self.plan().reads_vectors;
        let (no_input, no_vector) = match self.cluster_on {
            ClusterOn::Text if given => ("no text (null, empty or whitespace)", "a text but no vector (null)"),
            ClusterOn::Text => ("no text (null, empty or whitespace)", "a text without a word known to the embedder"),
            ClusterOn::Images if given => ("no image (null)", "an image but no vector (null)"),
            ClusterOn::Images => ("no image (null)", "an image that cannot be read"),
            ClusterOn::Both => {
                ("neither a text nor an image", "a text or an image, but neither a known word nor a readable image")
            }
        };
        note_outliers(documents.rows - filled.len(), no_input, progress);
        note_outliers(filled.len() - with_vector.len(), no_vector, progress);
        note_outliers(with_vector.len() - rows.len(), "an all-zero vector, which has no direction", progress);
        Encoded { clustered, texts, images, rows }
    }

    /// Whether `row` has the input that is clustered. `image_vectors`: the vectors of the images, if there are any.
    fn has_input(&self, documents: &Documents, image_vectors: Option<&Embeddings>, row: usize) -> bool {
        let (texts, images) = (documents.texts.is_some(), documents.images.is_some());
        match self.cluster_on {
            ClusterOn::Text => documents.has_text(row),
            ClusterOn::Images => documents.has_image(row),
            // A column missing from new rows does not exclude any of them, but the other column may.
            ClusterOn::Both if texts || images => {
                let has_image_vector = || image_vectors.is_some_and(|vectors| vectors.has(row));
                texts && documents.has_text(row) || images && documents.has_image(row) || !images && has_image_vector()
            }
            ClusterOn::Both => true,
        }
    }

    /// Returns an error that states which input is missing if no row is usable.
    pub(super) fn check_usable(&self, documents: &Documents, encoded: &Encoded) -> Result<()> {
        if !encoded.rows.is_empty() {
            return Ok(());
        }
        let has_input = |row: usize| self.has_input(documents, encoded.images.as_ref(), row);
        if (0..documents.rows).any(|row| has_input(row) && encoded.clustered.is_zero(row)) {
            let message = "all vectors are zero, so the rows cannot be distinguished";
            let hint = "An all-zero vector usually means that a text or an image could not be embedded.";
            return Err(Error::new(ErrorKind::InvalidData, Stage::Input, message).with_hint(hint));
        }
        let message = match self.cluster_on {
            _ if (0..documents.rows).any(has_input) => "no row has a usable vector: all are null or zero",
            ClusterOn::Text => "no row has a text: all are null, empty or whitespace",
            ClusterOn::Images => "no row has an image: all are null or blank",
            ClusterOn::Both => "no row has a text or an image: all are null or blank",
        };
        Err(no_row(documents, self.cluster_on, message))
    }
}

fn note_outliers(rows: usize, why: &str, progress: &Progress) {
    if rows > 0 {
        let rows = counted(rows, "row has", "rows have");
        progress.note(Stage::Input, format!("{rows} {why}: counted as outliers (topic -1)"));
    }
}

/// `1 image`, `7 images`.
pub(crate) fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
