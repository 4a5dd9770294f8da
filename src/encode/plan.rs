//! What is clustered, resolved once from the columns and [`ClusterOn`].

use super::{ClusterOn, Encoder};

/// What decides where a row lies, and what has to be computed for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Texts decide.
    pub(crate) texts: bool,
    /// Images decide.
    pub(crate) images: bool,
    /// The vectors to cluster are a column of the frame.
    pub(crate) given: bool,
    /// Texts have to be embedded.
    pub(crate) embeds_texts: bool,
    /// Images have to be embedded.
    pub(crate) embeds_images: bool,
    /// The vector of the one thing that is clustered comes from the frame, as the vector to cluster or as that of the
    /// texts or images alone.
    pub(crate) reads_vectors: bool,
    /// There are vectors of the images alone.
    pub(crate) has_image_vectors: bool,
    /// The vectors of the texts are those that the model's embedder returns.
    pub(crate) computes_text_vectors: bool,
}

impl Plan {
    /// Whether a row's vector is made of two.
    pub(crate) fn fuses(self) -> bool {
        self.texts && self.images && !self.given
    }
}

impl Encoder {
    /// What is clustered.
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
