/// The columns of a sparse matrix, in the form of its rows.
pub(crate) struct Transposed<T> {
    /// The start of each column in `rows` and `values`, with one more entry than there are columns.
    pub(crate) starts: Vec<usize>,
    /// The row of each entry, ascending within a column.
    pub(crate) rows: Vec<u32>,
    pub(crate) values: Vec<T>,
}

/// Transposes a matrix of `rows` rows; `row` returns the columns (below `cols`) and values of one. A value of `()` leaves
/// only the pattern.
pub(crate) fn transpose<T: Copy + Default, R: IntoIterator<Item = (u32, T)>>(
    rows: usize,
    cols: usize,
    row: impl Fn(usize) -> R,
) -> Transposed<T> {
    let mut starts = vec![0_usize; cols + 1];
    for number in 0..rows {
        for (column, _) in row(number) {
            starts[column as usize + 1] += 1;
        }
    }
    for column in 0..cols {
        starts[column + 1] += starts[column];
    }
    let entries = starts[cols];
    let mut next = starts.clone();
    let mut transposed = Transposed { starts, rows: vec![0; entries], values: vec![T::default(); entries] };
    for number in 0..rows {
        for (column, value) in row(number) {
            let place = &mut next[column as usize];
            transposed.rows[*place] = number as u32;
            transposed.values[*place] = value;
            *place += 1;
        }
    }
    transposed
}
