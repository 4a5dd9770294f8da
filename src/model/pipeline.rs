//! Placing new rows: runs the fitted encoder, reducer and clusterer in sequence.

use std::sync::Arc;

use half::f16;
use ndarray::{Array2, CowArray, Ix2};

use super::check::{check_labels, check_points};
use crate::cluster::FittedClusterer;
use crate::corpus::{Embeddings, KnownRows};
use crate::encode::FittedEncoder;
use crate::error::Result;
use crate::linalg::vectors::Vectors;
use crate::progress::Progress;
use crate::reduce::FittedReducer;
use crate::topics::Place;

/// The fitted stages.
#[derive(Debug, Clone)]
pub(crate) struct Pipeline {
    pub(crate) encoder: FittedEncoder,
    /// `None` if the clusterer works on the vectors themselves.
    pub(crate) reducer: Option<Arc<dyn FittedReducer>>,
    pub(crate) clusterer: Arc<dyn FittedClusterer>,
    /// The rows of the fit, if available.
    pub(crate) known: Option<Arc<Known>>,
}

/// The rows of the fit, indexed by their vectors.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) rows: KnownRows,
    pub(crate) vectors: Embeddings,
    /// Whether the vectors were rounded to half precision.
    pub(crate) is_rounded: bool,
}

impl Pipeline {
    /// Places each of `vectors`. Rows are placed independently of each other.
    pub(crate) fn place(&self, vectors: &Vectors, progress: &Progress) -> Result<Vec<Place>> {
        let reader = vectors.reader();
        let known = |row: usize| self.known.as_ref()?.find(reader.row(row));
        let known: Vec<Option<usize>> = (0..vectors.rows()).map(known).collect();
        let new: Vec<usize> = (0..vectors.rows()).filter(|&row| known[row].is_none()).collect();
        let mut labeled = match vectors.select(&new).filter(|vectors| vectors.rows() > 0) {
            Some(vectors) => self.label(&vectors, progress)?,
            None => Vec::new(),
        }
        .into_iter();
        let place = |known: Option<usize>| match known {
            Some(row) => Some(Place::Known(row)),
            None => labeled.next().map(|(label, strength)| Place::New(label, strength)),
        };
        Ok(known.into_iter().filter_map(place).collect())
    }

    /// The membership of each of `vectors`, as new rows, in each cluster; `None` if the clusterer does not tell.
    pub(crate) fn memberships(&self, vectors: &Vectors, progress: &Progress) -> Result<Option<Array2<f64>>> {
        let points = self.points(vectors, progress)?;
        let memberships = self.clusterer.membership_vectors_of_new(points.view(), progress)?;
        Ok(memberships.filter(|memberships| memberships.nrows() == vectors.rows()))
    }

    /// The vectors as the clusterer reads them.
    fn points<'v>(&self, vectors: &'v Vectors, progress: &Progress) -> Result<CowArray<'v, f32, Ix2>> {
        match &self.reducer {
            Some(reducer) => {
                let points = reducer.transform(vectors, progress)?;
                check_points(&points, vectors.rows())?;
                Ok(CowArray::from(points))
            }
            None => Ok(vectors.to_matrix()),
        }
    }

    fn label(&self, vectors: &Vectors, progress: &Progress) -> Result<Vec<(i32, f64)>> {
        let points = self.points(vectors, progress)?;
        let (labels, strengths) = self.clusterer.predict(points.view(), progress)?;
        check_labels(&labels, &strengths, vectors.rows())?;
        Ok(labels.into_iter().zip(strengths).collect())
    }
}

impl Known {
    fn find(&self, vector: &[f32]) -> Option<usize> {
        match self.is_rounded {
            false => self.rows.find(&self.vectors, vector),
            true => {
                let rounded: Vec<f32> = vector.iter().map(|&x| f16::from_f32(x).to_f32()).collect();
                self.rows.find(&self.vectors, &rounded)
            }
        }
    }
}
