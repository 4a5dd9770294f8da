//! What is asked for is checked before the first slow step, and what stages give before anything is built on it: any of
//! them may be the user's own.

use ndarray::Array2;

use super::{ClusterOn, MAIN, TopicModel};
use crate::cluster::OUTLIER;
use crate::corpus::{Corpus, ImageColumn, TextColumn};
use crate::embed::nothing_embeds;
use crate::error::{Error, ErrorKind, Hint, Result, Stage};
use crate::represent::{NeededEmbedder, Representation, TopicWords};

impl TopicModel {
    /// Checks every parameter of every stage. [`fit`](Self::fit) does so before any work.
    ///
    /// # Errors
    /// The first parameter that is out of its range, or a representation that lacks the column it needs.
    pub fn check(&self) -> Result<()> {
        self.reducer.check()?;
        self.clusterer.check()?;
        self.vectorizer.check()?;
        self.ctfidf.check()?;
        if !(1..=1000).contains(&self.top_n_words) {
            return Err(Error::parameter(Stage::Represent, "top_n_words", self.top_n_words, "1 to 1000"));
        }
        if self.nr_repr_docs > 1000 {
            return Err(Error::parameter(Stage::Represent, "nr_repr_docs", self.nr_repr_docs, "at most 1000"));
        }
        self.check_columns()?;
        self.check_sources()?;
        self.check_captioner()?;
        self.representations.iter().try_for_each(|(name, representation)| self.check_one(name, &**representation))?;
        self.check_chains()
    }

    /// A column that the output adds would take the place of one that the model reads.
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
                let message = format!("the {role} column has the name of a column that the result adds");
                return Err(Error::new(ErrorKind::InvalidParameter, Stage::Input, message)
                    .column(column)
                    .hint("Rename it; the result adds `embedding`, `Topic` and `Probability`."));
            }
        }
        Ok(())
    }

    /// What is clustered has columns, and something that embeds them.
    pub(super) fn check_sources(&self) -> Result<()> {
        self.fusion.check()?;
        let columns = &self.columns;
        let (text, image) = match self.cluster_on {
            ClusterOn::Text => (true, false),
            ClusterOn::Images => (false, true),
            ClusterOn::Both => (true, true),
        };
        for (needed, column, what) in [(text, &columns.text, "text"), (image, &columns.image, "image")] {
            if needed && column.is_none() {
                let message =
                    format!("cluster_on = {} needs a column of {what}s, and the model has none", self.cluster_on);
                return Err(Error::new(ErrorKind::InvalidParameter, Stage::Embed, message).hint(
                    Hint::new("Name both columns: TopicModel::text_and_images(\"text\", \"image\", ..).")
                        .on_command_line("Name both columns with --text and --images."),
                ));
            }
        }
        if columns.embeddings.is_some() {
            return Ok(());
        }
        let of_texts = self.text_embedder.as_ref().map_or(0, |embedder| embedder.dimensions());
        let of_images = self.image_embedder.as_ref().map_or(0, |embedder| embedder.dimensions());
        let (embeds_texts, embeds_images) =
            (text && columns.text_embeddings.is_none(), image && columns.image_embeddings.is_none());
        if embeds_texts && of_texts == 0 {
            return Err(nothing_embeds("texts"));
        }
        if embeds_images && of_images == 0 {
            return Err(nothing_embeds("images"));
        }
        if embeds_texts && embeds_images && of_texts != of_images {
            let message = format!(
                "the embedder gives texts {of_texts} numbers and images {of_images}: a joint model gives both as many"
            );
            return Err(Error::new(ErrorKind::InvalidParameter, Stage::Embed, message).hint(joint_model()));
        }
        Ok(())
    }

    fn check_captioner(&self) -> Result<()> {
        if self.nr_captioned_images == 0 {
            return Err(Error::parameter(Stage::Represent, "nr_captioned_images", 0, "at least 1"));
        }
        if self.captioner.is_some() && self.cluster_on == ClusterOn::Text {
            let message =
                "the model clusters texts, so rows without a text have no topic that a caption could describe";
            return Err(Error::new(ErrorKind::InvalidParameter, Stage::Represent, message).hint(
                Hint::new("Cluster images, or leave the captioner out.")
                    .on_command_line("Give --cluster-on images or both, or leave --captioner out."),
            ));
        }
        Ok(())
    }

    /// Pictures end a chain, and are not the topics' own words.
    fn check_chains(&self) -> Result<()> {
        let mut ended = Vec::new();
        for (name, representation) in &self.representations {
            if ended.contains(&name) {
                return Err(after_pictures(name));
            }
            if !representation.gives_words() {
                ended.push(name);
            }
        }
        if ended.iter().any(|name| *name == MAIN) { Err(pictures_as_main()) } else { Ok(()) }
    }

    fn check_one(&self, name: &str, representation: &dyn Representation) -> Result<()> {
        const TAKEN: [&str; 5] = ["Topic", "Count", "Name", "Representation", "Representative_Docs"];
        if name.is_empty() || TAKEN.contains(&name) {
            let message =
                format!("a representation cannot be called `{name}`: the topic table has that column already");
            return Err(Error::new(ErrorKind::InvalidParameter, Stage::Represent, message).hint("Choose another name."));
        }
        representation.check()?;
        if representation.needs_images() && self.columns.image.is_none() {
            let message = format!("the representation `{name}` needs images, and the model has no image column");
            return Err(Error::new(ErrorKind::InvalidParameter, Stage::Represent, message).hint(
                Hint::new("Name the column: TopicModel::text(..).with_images(\"image\").")
                    .on_command_line("Name the column with --images."),
            ));
        }
        let columns = &self.columns;
        let has_image_vectors = columns.image_embeddings.is_some()
            || match self.cluster_on {
                ClusterOn::Text => false,
                ClusterOn::Images => true,
                ClusterOn::Both => columns.embeddings.is_none(),
            };
        let lacks = |needed: &NeededEmbedder| match needed {
            NeededEmbedder::Texts => self.words_embedder().is_none(),
            NeededEmbedder::WordsBesideImages => self.joint_text().is_none() || !has_image_vectors,
        };
        match representation.needs_embedder().filter(lacks) {
            Some(needed) => Err(needed.missing(name)),
            None => Ok(()),
        }
    }
}

/// What to do where texts and images have vectors of their own.
pub(super) fn joint_model() -> Hint {
    Hint::new("Texts and images must be embedded by one joint model, such as CLIP.")
        .on_command_line("Give --embedder a model of texts and images, such as CLIP.")
}

/// An embedder gives a vector of finite numbers for each text, or each image: `what`.
pub(super) fn check_vectors(vectors: &Array2<f32>, rows: &[usize], what: &str) -> Result<()> {
    if vectors.nrows() != rows.len() || (vectors.ncols() == 0 && !rows.is_empty()) {
        let message = format!(
            "the embedder gave {} vectors of {} numbers for {} {what}",
            vectors.nrows(),
            vectors.ncols(),
            rows.len()
        );
        return Err(Error::new(ErrorKind::InvalidData, Stage::Embed, message));
    }
    let broken = vectors.outer_iter().zip(rows).find(|(vector, _)| vector.iter().any(|x| !x.is_finite()));
    match broken {
        Some((_, &row)) => {
            let message = "the embedder gave a vector with NaN or an infinite number";
            Err(Error::new(ErrorKind::InvalidData, Stage::Embed, message).row(row))
        }
        None => Ok(()),
    }
}

/// A reducer gives a point of finite numbers for each row.
pub(crate) fn check_points(points: &Array2<f32>, rows: usize) -> Result<()> {
    let message = match (points.nrows() == rows && points.ncols() > 0, points.iter().all(|x| x.is_finite())) {
        (true, true) => return Ok(()),
        (true, false) => "the reducer gave a point with NaN or an infinite number".to_owned(),
        (false, _) => {
            format!("the reducer gave {} points of {} numbers for {rows} rows", points.nrows(), points.ncols())
        }
    };
    Err(Error::new(ErrorKind::InvalidData, Stage::Reduce, message))
}

/// What a clusterer says of `rows` points: a label of -1 or more and a strength of 0 to 1 for each.
pub(crate) fn check_labels(labels: &[i32], strengths: &[f64], rows: usize) -> Result<()> {
    let message = if labels.len() != rows || strengths.len() != rows {
        format!("the clusterer gave {} labels and {} strengths for {rows} points", labels.len(), strengths.len())
    } else if let Some(label) = labels.iter().find(|label| **label < OUTLIER) {
        format!("the clusterer gave the label {label}: -1 is the outlier label, clusters count from 0")
    } else if let Some(strength) = strengths.iter().find(|strength| !(0.0..=1.0).contains(*strength)) {
        format!("the clusterer gave the strength {strength}: it must be 0 to 1")
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorKind::InvalidData, Stage::Cluster, message))
}

/// The topics' own words are words of every topic.
pub(super) fn check_described(words: &TopicWords, ids: &[i32], name: &str) -> Result<()> {
    match ids.iter().find(|id| !words.contains_key(id)) {
        None => Ok(()),
        Some(id) => {
            let message =
                format!("the representation `{name}` says nothing of topic {id}: every topic needs its words");
            Err(Error::new(ErrorKind::InvalidData, Stage::Represent, message))
        }
    }
}

pub(super) fn no_row(corpus: &Corpus, cluster_on: ClusterOn, message: &str) -> Error {
    let error = Error::new(ErrorKind::InvalidData, Stage::Input, message)
        .hint("Check that this is the column you mean, and that it was read correctly.");
    let column = match cluster_on {
        ClusterOn::Images => corpus.images.as_ref().map(ImageColumn::name),
        ClusterOn::Text | ClusterOn::Both => corpus.texts.as_ref().map(TextColumn::name),
    };
    match column {
        Some(column) => error.column(column),
        None => error,
    }
}

/// A captioner gives a caption, or none, for each image.
pub(super) fn check_captions(captions: &[Option<String>], images: usize) -> Result<()> {
    if captions.len() == images {
        return Ok(());
    }
    let message = format!("the captioner gave {} captions for {images} images", captions.len());
    Err(Error::new(ErrorKind::InvalidData, Stage::Represent, message))
}

pub(super) fn after_pictures(name: &str) -> Error {
    let message = format!("the representation `{name}` goes on after pictures");
    Error::new(ErrorKind::InvalidParameter, Stage::Represent, message).hint("Pictures must be the last of their chain.")
}

pub(super) fn pictures_as_main() -> Error {
    Error::new(ErrorKind::InvalidParameter, Stage::Represent, "`Main` must be words, not pictures")
        .hint("Give the pictures a name of their own, such as `Visual_Aspect`.")
}
