//! What is clustered, resolved once from the columns and [`ClusterOn`].

use super::{ClusterOn, Encoder};

/// What determines the placement of a row, and what has to be computed for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Texts are clustered.
    pub(crate) texts: bool,
    /// Images are clustered.
    pub(crate) images: bool,
    /// The vectors to cluster are precomputed, in a column of the frame.
    pub(crate) given: bool,
    /// Texts have to be embedded.
    pub(crate) embeds_texts: bool,
    /// Images have to be embedded.
    pub(crate) embeds_images: bool,
    /// The clustered vectors come from the frame without fusion: either the vectors to cluster, or precomputed text or
    /// image vectors.
    pub(crate) reads_vectors: bool,
    /// There are image vectors.
    pub(crate) has_image_vectors: bool,
    /// The text vectors are computed by the model's embedder.
    pub(crate) computes_text_vectors: bool,
}

impl Plan {
    /// Whether text and image vectors are fused.
    pub(crate) fn fuses(self) -> bool {
        self.texts && self.images && !self.given
    }
}

impl Encoder {
    /// Resolves what is clustered.
    pub(crate) fn plan(&self) -> Plan {
        let columns = &self.columns;
        let (texts, images) = (self.cluster_on != ClusterOn::Images, self.cluster_on != ClusterOn::Text);
        let given = columns.embeddings.is_some();
        let (own_texts, own_images) = (columns.text_embeddings.is_some(), columns.image_embeddings.is_some());
        Plan {
            texts,
            images,
            given,
            embeds_texts: texts && !given && !own_texts,
            embeds_images: images && !given && !own_images,
            reads_vectors: given || !images && own_texts || !texts && own_images,
            has_image_vectors: own_images || images && (!texts || !given),
            computes_text_vectors: !given && !own_texts,
        }
    }
}
