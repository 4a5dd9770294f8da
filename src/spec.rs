//! The name and settings of a stage, in serializable form.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{Error, ErrorKind, Result, Stage};

/// The specification of a stage: the name of its kind, such as `umap`, and its settings as JSON.
///
/// ```
/// use topicframe::reduce::{Reducer, Umap, reducer_of};
///
/// let umap = Umap::new().n_neighbors(30);
/// let spec = umap.spec().ok_or("no spec")?;
/// assert_eq!(spec.name, "umap");
/// assert_eq!(spec.settings["n_neighbors"], 30);
/// assert_eq!(format!("{:?}", reducer_of(&spec)?), format!("{umap:?}"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Spec {
    /// The kind: `umap`, `pca`, `none`, `hdbscan`, `kmeans`, or a user-defined name.
    pub name: String,
    /// The settings, by name.
    pub settings: Value,
}

impl Spec {
    /// The spec of a stage of this kind; `None` if the settings cannot be serialized to JSON.
    pub fn new(name: impl Into<String>, settings: &impl Serialize) -> Option<Self> {
        Some(Spec { name: name.into(), settings: serde_json::to_value(settings).ok()? })
    }

    /// Deserializes settings that were written by [`new`](Self::new).
    ///
    /// # Errors
    /// `InvalidData` of `stage`: a setting is missing, unknown or has the wrong type.
    pub fn read<T: DeserializeOwned>(&self, stage: Stage) -> Result<T> {
        T::deserialize(&self.settings).map_err(|cause| {
            let message = format!("the settings of `{}` cannot be read", self.name);
            Error::new(ErrorKind::InvalidData, stage, message).with_cause(cause)
        })
    }

    /// The error for a kind that is not built in.
    pub(crate) fn unknown(&self, stage: Stage, known: &str) -> Error {
        let message = format!("there is no built-in stage `{}`", self.name);
        Error::new(ErrorKind::NotFound, stage, message).with_hint(format!("The built-in stages are {known}."))
    }
}
