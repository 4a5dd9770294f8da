//! Vectors that several owners share without copying; inner products and norms.

use std::fmt;
use std::sync::Arc;

use ndarray::{Array2, ArrayView2, CowArray, Ix2};

/// The inner product, accumulated in double precision.
pub(crate) fn dot<T: Copy + Into<f64>>(a: &[T], b: &[T]) -> f64 {
    let product = |(&a, &b): (&T, &T)| -> f64 { a.into() * b.into() };
    a.iter().zip(b).map(product).sum()
}

/// The Euclidean length, accumulated in double precision.
pub(crate) fn norm<T: Into<f64>>(vector: impl IntoIterator<Item = T>) -> f64 {
    vector.into_iter().map(Into::into).map(|x: f64| x * x).sum::<f64>().sqrt()
}

/// The cosine similarity of two vectors with inner product `dot` and these norms, -1 to 1; 0 if a norm is zero or NaN,
/// since such a vector has no direction.
pub(crate) fn cosine(dot: f64, norm: f64, other_norm: f64) -> f64 {
    if norm > 0.0 && other_norm > 0.0 { (dot / (norm * other_norm)).clamp(-1.0, 1.0) } else { 0.0 }
}

/// `vector` normalized to unit length in double precision; zero vectors stay zero.
pub(crate) fn unit<T: Into<f64>>(vector: impl IntoIterator<Item = T>) -> Vec<f64> {
    let mut vector: Vec<f64> = vector.into_iter().map(Into::into).collect();
    let length = norm(vector.iter().copied());
    if length > 0.0 {
        vector.iter_mut().for_each(|x| *x /= length);
    }
    vector
}

/// Scales `vector` to unit length in single precision and returns its original length. A vector whose length is zero or
/// not finite is left unchanged.
pub(crate) fn scale_to_unit(vector: &mut [f32]) -> f64 {
    let length = norm(vector.iter().copied());
    if length > 0.0 && length.is_finite() {
        vector.iter_mut().for_each(|x| *x = (f64::from(*x) / length) as f32);
    }
    length
}

/// Vectors, n rows of d dimensions: a cheap handle to shared memory, such as a frame's column, or to some of its rows.
///
/// ```
/// use topicframe::linalg::vectors::Vectors;
/// use topicframe::ndarray::array;
///
/// let all = Vectors::from(array![[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]);
/// let some = all.select(&[2, 0]).ok_or("no such row")?;             // shares the memory
/// assert_eq!((some.rows(), some.columns()), (2, 2));
/// assert_eq!(some.to_matrix(), array![[4.0, 5.0], [0.0, 1.0]]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Vectors {
    values: Arc<dyn AsRef<[f32]> + Send + Sync>,
    columns: usize,
    rows: Rows,
}

/// The rows of the memory that are selected.
#[derive(Clone)]
enum Rows {
    First(usize),
    These(Arc<[u32]>),
}

impl Vectors {
    /// The first `rows` rows of `columns` values each in `values`; `None` if there are fewer.
    pub fn shared(values: Arc<dyn AsRef<[f32]> + Send + Sync>, rows: usize, columns: usize) -> Option<Self> {
        let needed = rows.checked_mul(columns)?;
        (needed <= (*values).as_ref().len()).then_some(Vectors { values, columns, rows: Rows::First(rows) })
    }

    /// Selects `rows` of these rows, in the given order; `None` if one of them does not exist.
    pub fn select(&self, rows: &[usize]) -> Option<Self> {
        let named = rows.iter().map(|&row| match &self.rows {
            Rows::First(count) => u32::try_from(row).ok().filter(|_| row < *count),
            Rows::These(these) => these.get(row).copied(),
        });
        let rows = Rows::These(named.collect::<Option<Vec<u32>>>()?.into());
        Some(Vectors { values: Arc::clone(&self.values), columns: self.columns, rows })
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        match &self.rows {
            Rows::First(count) => *count,
            Rows::These(rows) => rows.len(),
        }
    }

    /// The number of values in a row.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// A reader with fast access to rows.
    pub fn reader(&self) -> Reader<'_> {
        let rows = match &self.rows {
            Rows::First(_) => None,
            Rows::These(rows) => Some(&**rows),
        };
        Reader { values: (*self.values).as_ref(), columns: self.columns, rows }
    }

    /// Whether these are rows of `pool`: they share its memory.
    pub(crate) fn is_of(&self, pool: &[f32]) -> bool {
        let values = (*self.values).as_ref();
        values.as_ptr() == pool.as_ptr() && values.len() == pool.len()
    }

    /// The number of each row in the shared memory; `None` if these are its first rows.
    pub(crate) fn row_numbers(&self) -> Option<&[u32]> {
        match &self.rows {
            Rows::First(_) => None,
            Rows::These(rows) => Some(rows),
        }
    }

    /// The rows as a matrix: a view if they are contiguous, otherwise a copy.
    pub fn to_matrix(&self) -> CowArray<'_, f32, Ix2> {
        let (rows, columns) = (self.rows(), self.columns);
        let reader = self.reader();
        if let (Rows::First(_), Some(values)) = (&self.rows, reader.values.get(..rows * columns))
            && let Ok(view) = ArrayView2::from_shape((rows, columns), values)
        {
            return CowArray::from(view);
        }
        CowArray::from(Array2::from_shape_fn((rows, columns), |(row, column)| reader.row(row)[column]))
    }
}

/// Reads the rows of [`Vectors`].
///
/// ```
/// use topicframe::linalg::vectors::Vectors;
/// use topicframe::ndarray::array;
///
/// let vectors = Vectors::from(array![[3.0, 4.0], [6.0, 8.0]]);
/// let reader = vectors.reader();
/// let length = |row: usize| reader.row(row).iter().map(|x| x * x).sum::<f32>().sqrt();
/// assert_eq!((0..vectors.rows()).map(length).collect::<Vec<f32>>(), [5.0, 10.0]);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    values: &'a [f32],
    columns: usize,
    rows: Option<&'a [u32]>,
}

impl<'a> Reader<'a> {
    /// Row `row`.
    ///
    /// # Panics
    /// There is no such row.
    #[inline]
    pub fn row(&self, row: usize) -> &'a [f32] {
        let row = self.rows.map_or(row, |rows| rows[row] as usize);
        &self.values[row * self.columns..(row + 1) * self.columns]
    }
}

impl From<Array2<f32>> for Vectors {
    fn from(matrix: Array2<f32>) -> Self {
        let (rows, columns) = matrix.dim();
        let values = match matrix.is_standard_layout() {
            true => matrix.into_raw_vec_and_offset().0,
            false => matrix.iter().copied().collect(),
        };
        Vectors { values: Arc::new(values), columns, rows: Rows::First(rows) }
    }
}

impl From<ArrayView2<'_, f32>> for Vectors {
    /// Copies the matrix.
    fn from(matrix: ArrayView2<'_, f32>) -> Self {
        matrix.to_owned().into()
    }
}

impl fmt::Debug for Vectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vectors({} x {})", self.rows(), self.columns)
    }
}

#[cfg(test)]
mod tests {
    use super::cosine;

    #[test]
    fn the_cosine_to_a_vector_without_direction_is_0() {
        assert_eq!((cosine(3.0, 2.0, 3.0), cosine(-7.0, 2.0, 3.0)), (0.5, -1.0));
        for norm in [0.0, f64::NAN] {
            assert_eq!((cosine(0.0, norm, 1.0), cosine(f64::NAN, 1.0, norm)), (0.0, 0.0));
        }
    }
}
