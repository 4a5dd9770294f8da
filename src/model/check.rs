//! What stages give is checked before anything is built on it: any of them may be the user's own.

use ndarray::Array2;

use crate::cluster::OUTLIER;
use crate::corpus::Corpus;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::represent::TopicWords;

/// An embedder gives a vector of finite numbers for each text.
pub(super) fn check_vectors(vectors: &Array2<f32>, rows: &[usize]) -> Result<()> {
    if vectors.nrows() != rows.len() || (vectors.ncols() == 0 && !rows.is_empty()) {
        let message = format!(
            "the embedder gave {} vectors of {} numbers for {} texts",
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

pub(super) fn no_row(corpus: &Corpus, message: &str) -> Error {
    let error = Error::new(ErrorKind::InvalidData, Stage::Input, message)
        .hint("Check that this is the column you mean, and that it was read correctly.");
    match &corpus.texts {
        Some(texts) => error.column(texts.name()),
        None => error,
    }
}

pub(super) fn after_pictures(name: &str) -> Error {
    let message = format!("the representation `{name}` goes on after pictures");
    Error::new(ErrorKind::InvalidParameter, Stage::Represent, message).hint("Pictures must be the last of their chain.")
}

pub(super) fn pictures_as_main() -> Error {
    Error::new(ErrorKind::InvalidParameter, Stage::Represent, "`Main` must be words, not pictures")
        .hint("Give the pictures a name of their own, such as `Visual_Aspect`.")
}
