//! Sums and means of vectors.

/// A sum of vectors, accumulated in double precision in the order in which they are added.
#[derive(Debug, Clone)]
pub(crate) struct VectorSum {
    sum: Vec<f64>,
    count: usize,
}

impl VectorSum {
    /// An empty sum of `width` dimensions.
    pub(crate) fn new(width: usize) -> Self {
        VectorSum { sum: vec![0.0; width], count: 0 }
    }

    /// Adds a vector.
    pub(crate) fn add<T: Into<f64>>(&mut self, vector: impl IntoIterator<Item = T>) {
        self.sum.iter_mut().zip(vector).for_each(|(sum, x)| *sum += x.into());
        self.count += 1;
    }

    /// The sum; zeros if no vector was added.
    pub(crate) fn sum(self) -> Vec<f64> {
        self.sum
    }

    /// The mean in double precision; zeros if no vector was added.
    pub(crate) fn mean(self) -> Vec<f64> {
        let count = self.count.max(1) as f64;
        self.sum.into_iter().map(|sum| sum / count).collect()
    }

    /// The mean, rounded to single precision.
    pub(crate) fn mean_f32(self) -> Vec<f32> {
        self.mean().into_iter().map(|x| x as f32).collect()
    }
}
