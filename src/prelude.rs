//! Everything that a notebook cell needs: `use topicframe::prelude::*;`.

#[doc(no_inline)]
pub use crate::caption::ImageCaptioner;
#[doc(no_inline)]
pub use crate::cluster::{Clusterer, Clustering, Communities, FittedClusterer, Hdbscan, KMeans};
#[doc(no_inline)]
pub use crate::display::*;
#[doc(no_inline)]
pub use crate::embed::{
    Device, Fusion, ImageEmbedder, JointEmbedder, LoadedEmbedder, NoEmbedder, StaticEmbedder, TextEmbedder,
};
#[doc(no_inline)]
pub use crate::error::{Error, ErrorKind, Stage};
#[doc(no_inline)]
pub use crate::files::{
    Quotes, ReadOptions, read_csv, read_frame, read_image_folder, read_image_folder_with, write_frame,
};
#[doc(no_inline)]
pub use crate::model::{
    ClusterOn, Cut, DocumentSearch, FittedTopicModel, HierarchyOptions, Linkage, NrTopics, OutlierStrategy, Outliers,
    OverTimeOptions, PerClassOptions, ReduceOutliers, ReduceTopics, SplitBy, TopicDistance, TopicHierarchy,
    TopicLabels, TopicModel, TopicsOverTime, UpdateTopics,
};
#[doc(no_inline)]
pub use crate::neighbors::{Metric, NeighborSearch};
#[doc(no_inline)]
pub use crate::progress::{Interrupt, Progress};
#[doc(no_inline)]
pub use crate::reduce::{FittedReducer, NoReduction, Pca, Reducer, Reduction, Umap};
#[doc(no_inline)]
pub use crate::represent::{
    Aspect, Gallery, KeyBERTInspired, MaximalMarginalRelevance, OnImageError, Representation, Representatives,
    TopicContext, TopicWords, VisualRepresentation, VisualWords,
};
#[doc(no_inline)]
pub use crate::topics::ApproximateDistribution;
#[doc(no_inline)]
pub use crate::training::Training;
#[doc(no_inline)]
pub use crate::vectorize::{ClassTfIdf, CountVectorizer, Language, StopWords, TextCleaning};
#[doc(no_inline)]
pub use crate::vision::{ImageSource, Limits};
#[cfg(feature = "models")]
#[doc(no_inline)]
pub use crate::{
    caption::Captioner,
    embed::{MultiModalBackend, SentenceTransformer},
};
#[doc(no_inline)]
pub use polars::prelude::{Column, DataFrame, NamedFrom, Series, df};
