//! Fusion of a text vector and an image vector into one.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2};

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result, Stage};
use crate::linalg::vector_sum::VectorSum;
use crate::linalg::vectors::norm;
use crate::state::State;

/// How the text vector and the image vector of a row are combined: both are normalized to length 1, averaged by weight,
/// and the average is normalized to length 1. If a row lacks one of them, the other is used alone.
///
/// | setting | default |
/// |---|---|
/// | [`image_weight`](Self::image_weight) | 0.5 |
/// | [`center`](Self::center) | no |
///
/// ```
/// use topicframe::ndarray::array;
/// use topicframe::prelude::*;
///
/// let texts = array![[1.0, 0.0], [1.0, 0.0]];
/// let images = array![[0.0, 1.0], [0.0, 0.0]];                      // the second row has no image
/// let fused = Fusion::new().image_weight(0.9).fuse(texts.view(), images.view())?;
/// assert!(fused[[0, 1]] > fused[[0, 0]]);                           // nearer to the image
/// assert_eq!(fused.row(1), texts.row(1));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Fusion {
    image_weight: f32,
    center: bool,
}

impl Default for Fusion {
    fn default() -> Self {
        Fusion { image_weight: 0.5, center: false }
    }
}

impl Fusion {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The weight of the image in rows that have both, 0 to 1; the text gets the rest. Default 0.5.
    #[must_use]
    pub fn image_weight(mut self, image_weight: f32) -> Self {
        self.image_weight = image_weight;
        self
    }

    /// Whether to subtract the mean text vector from every text vector, and the mean image vector from every image
    /// vector, before averaging. Joint models place all texts in one region of their space and all images in another;
    /// without centering, rows that lack one of the two lie apart from rows that have both. Default false.
    #[must_use]
    pub fn center(mut self, center: bool) -> Self {
        self.center = center;
        self
    }

    /// Checks every parameter.
    ///
    /// # Errors
    /// A weight outside 0 to 1.
    pub fn check(&self) -> Result<()> {
        if (0.0..=1.0).contains(&self.image_weight) {
            return Ok(());
        }
        Err(Error::invalid_parameter(Stage::Embed, "image_weight", self.image_weight, "0 to 1"))
    }

    /// Computes what fusion needs from all rows: the means, if vectors are centered. `texts` and `images` are n x d; a
    /// row of zeros means that there is no text, or no image.
    ///
    /// # Errors
    /// A weight outside 0 to 1; texts and images that differ in number or dimensions.
    pub fn fit(&self, texts: ArrayView2<'_, f32>, images: ArrayView2<'_, f32>) -> Result<FittedFusion> {
        check_alike(texts, images)?;
        self.fit_rows(texts.ncols(), texts.outer_iter(), images.outer_iter())
    }

    /// As [`fit`](Self::fit), for iterators over the vectors that exist, each with `width` dimensions.
    pub(crate) fn fit_rows<'a>(
        &self,
        width: usize,
        texts: impl Iterator<Item = ArrayView1<'a, f32>>,
        images: impl Iterator<Item = ArrayView1<'a, f32>>,
    ) -> Result<FittedFusion> {
        self.check()?;
        Ok(FittedFusion {
            image_weight: self.image_weight,
            text_mean: self.center.then(|| mean_direction(width, texts)),
            image_mean: self.center.then(|| mean_direction(width, images)),
        })
    }

    /// Fuses row by row: n x d, with rows of length 1, or zeros where a row has neither. [`fit`](Self::fit) and
    /// [`FittedFusion::fuse`] in one.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn fuse(&self, texts: ArrayView2<'_, f32>, images: ArrayView2<'_, f32>) -> Result<Array2<f32>> {
        self.fit(texts, images)?.fuse(texts, images)
    }
}

/// A [`Fusion`] with the means of the rows that it was fitted to: it fuses new rows the same way.
///
/// ```
/// use topicframe::embed::Fusion;
/// use topicframe::ndarray::array;
///
/// let (texts, images) = (array![[1.0, 0.0], [0.8, 0.6]], array![[0.0, 1.0], [0.6, 0.8]]);
/// let fusion = Fusion::new().center(true).fit(texts.view(), images.view())?;
/// let all = fusion.fuse(texts.view(), images.view())?;
/// let new = fusion.fuse(array![[0.8, 0.6]].view(), array![[0.6, 0.8]].view())?;
/// assert_eq!(new.row(0), all.row(1));                               // centered as the rows of the fit
/// # Ok::<(), topicframe::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct FittedFusion {
    image_weight: f32,
    text_mean: Option<Array1<f32>>,
    image_mean: Option<Array1<f32>>,
}

impl FittedFusion {
    /// Fuses row by row: n x d, with rows of length 1, or zeros where a row has neither. Rows do not influence each
    /// other.
    ///
    /// # Errors
    /// Texts and images that differ in number or dimensions, or that have other dimensions than the rows of the fit.
    pub fn fuse(&self, texts: ArrayView2<'_, f32>, images: ArrayView2<'_, f32>) -> Result<Array2<f32>> {
        check_alike(texts, images)?;
        if let Some(mean) = self.text_mean.as_ref().filter(|mean| mean.len() != texts.ncols()) {
            let message =
                format!("the vectors have {} dimensions, but the fusion was fitted to {}", texts.ncols(), mean.len());
            return Err(Error::new(ErrorKind::InvalidData, Stage::Embed, message));
        }
        let mut fused = Array2::zeros(texts.dim());
        for ((mut to, text), image) in fused.outer_iter_mut().zip(texts.outer_iter()).zip(images.outer_iter()) {
            let row = self.fuse_row(Some(text), Some(image));
            if let Some(row) = row {
                to.assign(&row);
            }
        }
        Ok(fused)
    }

    /// The state of the fusion.
    pub(crate) fn state(&self) -> State<'static> {
        let state = State::new("fusion").with_values("image_weight", vec![self.image_weight]);
        let with = |state: State<'static>, name: &str, mean: &Option<Array1<f32>>| match mean {
            Some(mean) => state.with_values(name, mean.to_vec()),
            None => state,
        };
        with(with(state, "text_mean", &self.text_mean), "image_mean", &self.image_mean)
    }

    /// The fusion of a state, of vectors with these dimensions.
    pub(crate) fn from_state(mut state: State<'_>, dimensions: usize) -> Result<Self> {
        let image_weight = state.take_exactly::<f32>("image_weight", 1)?.first().copied().unwrap_or_default();
        let fusion = Fusion { image_weight, center: false };
        fusion.check()?;
        let mut mean = |name: &str| match state.has(name) {
            true => Ok(Some(Array1::from(state.take_exactly::<f32>(name, dimensions)?))),
            false => Ok(None),
        };
        Ok(FittedFusion { image_weight, text_mean: mean("text_mean")?, image_mean: mean("image_mean")? })
    }

    /// The dimensions of the fit, where they matter.
    pub(crate) fn width(&self) -> Option<usize> {
        self.text_mean.as_ref().map(Array1::len)
    }

    /// One row, with the dimensions of the fit; `None` if it has neither text nor image.
    pub(crate) fn fuse_row(
        &self,
        text: Option<ArrayView1<'_, f32>>,
        image: Option<ArrayView1<'_, f32>>,
    ) -> Option<Array1<f32>> {
        let text = text.and_then(|text| prepare(text, self.text_mean.as_ref()));
        let image = image.and_then(|image| prepare(image, self.image_mean.as_ref()));
        match (text, image) {
            (Some(text), Some(image)) => unit(text * (1.0 - self.image_weight) + image * self.image_weight),
            (Some(one), None) | (None, Some(one)) => Some(one),
            (None, None) => None,
        }
    }
}

/// The normalized vector minus the mean, normalized again; `None` if nothing is left.
fn prepare(vector: ArrayView1<'_, f32>, mean: Option<&Array1<f32>>) -> Option<Array1<f32>> {
    let vector = unit(vector.to_owned())?;
    match mean {
        Some(mean) => unit(vector - mean),
        None => Some(vector),
    }
}

/// `vector` normalized to length 1; `None` if it has no direction. Unlike in `linalg`, the rounding residue of a
/// difference does not count as one.
fn unit(vector: Array1<f32>) -> Option<Array1<f32>> {
    let length = norm(vector.iter().copied());
    (length > 1e-6).then(|| vector.mapv(|x| (f64::from(x) / length) as f32))
}

/// The mean of the normalized vectors, over those that have a direction.
fn mean_direction<'a>(width: usize, vectors: impl Iterator<Item = ArrayView1<'a, f32>>) -> Array1<f32> {
    let mut sum = VectorSum::new(width);
    vectors.filter_map(|vector| unit(vector.to_owned())).for_each(|vector| sum.add(vector));
    sum.mean_f32().into()
}

fn check_alike(texts: ArrayView2<'_, f32>, images: ArrayView2<'_, f32>) -> Result<()> {
    if texts.dim() == images.dim() {
        return Ok(());
    }
    let ((n, d), (m, e)) = (texts.dim(), images.dim());
    let message = format!("{n} x {d} text vectors cannot be fused with {m} x {e} image vectors");
    Err(Error::new(ErrorKind::InvalidData, Stage::Embed, message)
        .with_hint("Embed texts and images with the same joint model."))
}
