//! Validation of columns and embedders before the first slow step.

use super::{ClusterOn, Encoder};
use crate::corpus::{Documents, ImageColumn, TextColumn};
use crate::embed::missing_embedder;
use crate::error::{Error, ErrorKind, Hint, Result, Stage};

impl Encoder {
    /// Checks columns, embedders and fusion.
    pub(crate) fn check(&self) -> Result<()> {
        self.check_columns()?;
        self.check_sources()
    }

    /// Rejects input columns that would be replaced by a column of the output.
    fn check_columns(&self) -> Result<()> {
        let columns = &self.columns;
        let roles = [
            ("text", &columns.text, &["embedding", "Topic", "Probability"][..]),
            ("image", &columns.image, &["embedding", "Topic", "Probability"]),
            ("text vector", &columns.text_embeddings, &["embedding", "Topic", "Probability"]),
            ("image vector", &columns.image_embeddings, &["embedding", "Topic", "Probability"]),
            ("vector", &columns.embeddings, &["Topic", "Probability"]),
        ];
        for (role, column, taken) in roles {
            if let Some(column) = column.as_ref().filter(|column| taken.contains(&column.as_str())) {
                let message = format!("the {role} column has the same name as a column that the result adds");
                return Err(Error::new(ErrorKind::InvalidParameter, Stage::Input, message)
                    .with_column(column)
                    .with_hint("Rename it: the result adds `embedding`, `Topic` and `Probability`."));
            }
        }
        Ok(())
    }

    /// Checks the embedders' parameters, also of embedders that only describe topics.
    fn check_embedders(&self) -> Result<()> {
        if let Some(texts) = &self.text_embedder {
            texts.check()?;
        }
        let Some(images) = &self.image_embedder else { return Ok(()) };
        images.check()?;
        images.text_side().map_or(Ok(()), |texts| texts.check())
    }

    /// Checks that the columns to cluster are set, and that there is an embedder for them, with valid parameters.
    pub(crate) fn check_sources(&self) -> Result<()> {
        self.fusion.check()?;
        let (columns, plan) = (&self.columns, self.plan());
        for (needed, column, what) in [(plan.texts, &columns.text, "text"), (plan.images, &columns.image, "image")] {
            if needed && column.is_none() {
                let message =
                    format!("cluster_on = {} needs a column of {what}s, but the model has none", self.cluster_on);
                return Err(Error::new(ErrorKind::InvalidParameter, Stage::Embed, message).with_hint(
                    Hint::new("Specify both columns: TopicModel::text_and_images(\"text\", \"image\", ..).")
                        .on_command_line("Specify both columns with --text and --images."),
                ));
            }
        }
        if plan.embeds_texts && self.text_embedder.is_none() {
            return Err(missing_embedder("texts"));
        }
        if plan.embeds_images && self.image_embedder.is_none() {
            return Err(missing_embedder("images"));
        }
        self.check_embedders()?;
        let of_texts = self.text_embedder.as_ref().map(|embedder| embedder.dimensions());
        let of_images = self.image_embedder.as_ref().map(|embedder| embedder.dimensions());
        if let (true, true, Some(of_texts), Some(of_images)) =
            (plan.embeds_texts, plan.embeds_images, of_texts, of_images)
            && of_texts != of_images
        {
            let message = format!(
                "the embedder's text vectors have {of_texts} dimensions and its image vectors {of_images}: a joint \
                 model must use the same number for both"
            );
            return Err(Error::new(ErrorKind::InvalidParameter, Stage::Embed, message).with_hint(joint_model()));
        }
        Ok(())
    }
}

/// The hint for text and image vectors from different spaces.
pub(super) fn joint_model() -> Hint {
    Hint::new("Texts and images must be embedded by one joint model, such as CLIP.")
        .on_command_line("Set --embedder to a joint model of texts and images, such as CLIP.")
}

/// An error with `message` that names the clustered column.
pub(crate) fn no_row(documents: &Documents, cluster_on: ClusterOn, message: &str) -> Error {
    let error = Error::new(ErrorKind::InvalidData, Stage::Input, message)
        .with_hint("Check that this is the intended column, and that it was read correctly.");
    let column = match cluster_on {
        ClusterOn::Images => documents.images.as_ref().map(ImageColumn::name),
        ClusterOn::Text | ClusterOn::Both => documents.texts.as_ref().map(TextColumn::name),
    };
    match column {
        Some(column) => error.with_column(column),
        None => error,
    }
}
