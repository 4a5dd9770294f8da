//! A text's and an image's vector to one.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2};

use crate::error::{Error, ErrorKind, Result, Stage};

/// How the vectors of a row's text and image become one: both are scaled to length 1, averaged by weight, and the
/// average is scaled to length 1. A row that lacks one of them has the other.
///
/// | setting | default |
/// |---|---|
/// | [`image_weight`](Self::image_weight) | 0.5 |
/// | [`centre`](Self::centre) | no |
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fusion {
    image_weight: f32,
    centre: bool,
}

impl Default for Fusion {
    fn default() -> Self {
        Fusion { image_weight: 0.5, centre: false }
    }
}

impl Fusion {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// How much the image counts in a row that has both, 0 to 1; the text counts the rest. Default 0.5.
    #[must_use]
    pub fn image_weight(mut self, image_weight: f32) -> Self {
        self.image_weight = image_weight;
        self
    }

    /// Whether the mean of the texts' vectors is taken off each text's, and that of the images off each image's, before
    /// they are averaged. Joint models put all texts in one corner of their space and all images in another; rows that
    /// lack one of them then lie apart from rows that have both, unless that is undone. Default false.
    #[must_use]
    pub fn centre(mut self, centre: bool) -> Self {
        self.centre = centre;
        self
    }

    /// Checks every parameter.
    ///
    /// # Errors
    /// A weight that is not 0 to 1.
    pub fn check(&self) -> Result<()> {
        if (0.0..=1.0).contains(&self.image_weight) {
            return Ok(());
        }
        Err(Error::parameter(Stage::Embed, "image_weight", self.image_weight, "0 to 1"))
    }

    /// Finds what fusing needs to know of all rows: the means, where they are to be taken off. `texts` and `images` are
    /// n rows of d numbers each; a row of zeros means that there is no text, or no image.
    ///
    /// # Errors
    /// A weight that is not 0 to 1; texts and images of different number or width.
    pub fn fit(&self, texts: ArrayView2<'_, f32>, images: ArrayView2<'_, f32>) -> Result<FittedFusion> {
        check_alike(texts, images)?;
        self.fit_rows(texts.ncols(), texts.outer_iter(), images.outer_iter())
    }

    /// As [`fit`](Self::fit), for the rows of `width` numbers that there are.
    pub(crate) fn fit_rows<'a>(
        &self,
        width: usize,
        texts: impl Iterator<Item = ArrayView1<'a, f32>>,
        images: impl Iterator<Item = ArrayView1<'a, f32>>,
    ) -> Result<FittedFusion> {
        self.check()?;
        Ok(FittedFusion {
            image_weight: self.image_weight,
            text_mean: self.centre.then(|| mean_direction(width, texts)),
            image_mean: self.centre.then(|| mean_direction(width, images)),
        })
    }

    /// Fuses row by row: n rows of d numbers, of length 1, or zeros where a row has neither. [`fit`](Self::fit) and
    /// [`FittedFusion::fuse`] in one.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn fuse(&self, texts: ArrayView2<'_, f32>, images: ArrayView2<'_, f32>) -> Result<Array2<f32>> {
        self.fit(texts, images)?.fuse(texts, images)
    }
}

/// A [`Fusion`] that knows the means of the rows that it was fitted to: it fuses new rows as it did those.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedFusion {
    image_weight: f32,
    text_mean: Option<Array1<f32>>,
    image_mean: Option<Array1<f32>>,
}

impl FittedFusion {
    /// Fuses row by row: n rows of d numbers, of length 1, or zeros where a row has neither. Rows do not influence each
    /// other.
    ///
    /// # Errors
    /// Texts and images of different number or width, or of another width than those of the fit.
    pub fn fuse(&self, texts: ArrayView2<'_, f32>, images: ArrayView2<'_, f32>) -> Result<Array2<f32>> {
        check_alike(texts, images)?;
        if let Some(mean) = self.text_mean.as_ref().filter(|mean| mean.len() != texts.ncols()) {
            let message = format!("vectors of {} numbers do not fit those of the fit, {}", texts.ncols(), mean.len());
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

    /// The width of the vectors of the fit, where it matters.
    pub(crate) fn width(&self) -> Option<usize> {
        self.text_mean.as_ref().map(Array1::len)
    }

    /// One row, of as many numbers as those of the fit; `None` where it has neither text nor image.
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

/// The vector at length 1, less the mean and at length 1 again; `None` where that leaves nothing.
fn prepare(vector: ArrayView1<'_, f32>, mean: Option<&Array1<f32>>) -> Option<Array1<f32>> {
    let vector = unit(vector.to_owned())?;
    match mean {
        Some(mean) => unit(vector - mean),
        None => Some(vector),
    }
}

/// `vector` at length 1; `None` for one without a direction. What rounding leaves of a difference is none.
fn unit(vector: Array1<f32>) -> Option<Array1<f32>> {
    let length = vector.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
    (length > 1e-6).then(|| vector.mapv(|x| (f64::from(x) / length) as f32))
}

/// The mean of the vectors at length 1, over those that have a direction.
fn mean_direction<'a>(width: usize, vectors: impl Iterator<Item = ArrayView1<'a, f32>>) -> Array1<f32> {
    let mut sum = Array1::<f64>::zeros(width);
    let mut count = 0_usize;
    for vector in vectors.filter_map(|vector| unit(vector.to_owned())) {
        sum.zip_mut_with(&vector, |sum, &x| *sum += f64::from(x));
        count += 1;
    }
    sum.mapv(|sum| (sum / count.max(1) as f64) as f32)
}

fn check_alike(texts: ArrayView2<'_, f32>, images: ArrayView2<'_, f32>) -> Result<()> {
    if texts.dim() == images.dim() {
        return Ok(());
    }
    let ((n, d), (m, e)) = (texts.dim(), images.dim());
    let message = format!("{n} text vectors of {d} numbers cannot be fused with {m} image vectors of {e}");
    Err(Error::new(ErrorKind::InvalidData, Stage::Embed, message)
        .hint("Texts and images must be embedded by one joint model."))
}
