//! Sparse matrices: validation, and sums and cosines compared with dense rows.

use topicframe::error::ErrorKind;
use topicframe::linalg::sparse::CsrMatrix;

/// Pseudorandom columns and values that are always the same; about a third of the cells are set.
fn dense(rows: usize, cols: usize) -> Vec<Vec<u32>> {
    let mut state = 7_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u32
    };
    let mut cell = || if next() % 3 == 0 { next() % 5 + 1 } else { 0 };
    (0..rows).map(|_| (0..cols).map(|_| cell()).collect()).collect()
}

fn sparse(dense: &[Vec<u32>]) -> CsrMatrix<u32> {
    let (mut indptr, mut indices, mut data) = (vec![0], Vec::new(), Vec::new());
    for row in dense {
        for (column, &value) in row.iter().enumerate().filter(|&(_, &value)| value > 0) {
            indices.push(column as u32);
            data.push(value);
        }
        indptr.push(indices.len());
    }
    CsrMatrix::new(dense[0].len(), indptr, indices, data).unwrap()
}

fn weights(counts: &CsrMatrix<u32>) -> CsrMatrix<f64> {
    let data = counts.data().iter().map(|&count| f64::from(count) / 3.0).collect();
    CsrMatrix::new(counts.cols(), counts.indptr().to_vec(), counts.indices().to_vec(), data).unwrap()
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    type Parts<'a> = (usize, &'a [usize], &'a [u32], &'a [u32]);
    let flaws: [Parts<'_>; 8] = [
        (3, &[], &[], &[]),
        (3, &[1, 2], &[0, 1], &[1, 1]),
        (3, &[0, 1], &[0, 1], &[1, 1]),
        (3, &[0, 2], &[0, 1], &[1]),
        (3, &[0, 2, 1, 2], &[0, 1], &[1, 1]),
        (3, &[0, 2], &[1, 0], &[1, 1]),
        (3, &[0, 2], &[1, 1], &[1, 1]),
        (3, &[0, 2], &[0, 3], &[1, 1]),
    ];
    for (cols, indptr, indices, data) in flaws {
        let error = CsrMatrix::new(cols, indptr.to_vec(), indices.to_vec(), data.to_vec()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData, "{indptr:?} {indices:?}");
    }
    let columns_may_fall_between_rows = CsrMatrix::new(3, vec![0, 2, 2, 3], vec![1, 2, 0], vec![1_u32, 2, 3]).unwrap();
    assert_eq!((columns_may_fall_between_rows.rows(), columns_may_fall_between_rows.entries()), (3, 3));
}

#[test]
fn cells_and_rows() {
    let cells = dense(7, 5);
    let matrix = sparse(&cells);
    assert_eq!((matrix.rows(), matrix.cols()), (7, 5));
    for (row, values) in cells.iter().enumerate() {
        let read: Vec<u32> = (0..5).map(|column| matrix.get(row, column)).collect();
        assert_eq!(&read, values);
    }
    assert_eq!((matrix.get(7, 0), matrix.get(0, 5)), (0, 0));
    assert_eq!(matrix.row(7), (&[][..], &[][..]));
    let picked = matrix.select_rows(&[3, 0, 3]);
    assert_eq!(picked, sparse(&[cells[3].clone(), cells[0].clone(), cells[3].clone()]));
}

#[test]
fn sums() {
    let cells = dense(9, 6);
    let matrix = sparse(&cells);
    let rows: Vec<f64> = cells.iter().map(|row| f64::from(row.iter().sum::<u32>())).collect();
    let columns: Vec<f64> = (0..6).map(|column| f64::from(cells.iter().map(|row| row[column]).sum::<u32>())).collect();
    assert_eq!(matrix.row_sums(), rows);
    assert_eq!(matrix.column_sums(), columns);
}

#[test]
fn classes_keep_every_count() {
    let cells = dense(60, 11);
    let matrix = sparse(&cells);
    let classes: Vec<Option<usize>> = (0..60).map(|row| [Some(0), Some(3), None, Some(1)][row * row % 4]).collect();
    let summed = matrix.sum_rows_by(&classes, 5).unwrap();
    let mut expected = vec![vec![0; 11]; 5];
    for (row, class) in classes.iter().enumerate() {
        if let Some(class) = class {
            expected[*class].iter_mut().zip(&cells[row]).for_each(|(sum, value)| *sum += value);
        }
    }
    assert_eq!(summed, sparse(&expected));
    assert_eq!(summed.row(4).0.len(), 0, "a class without rows has an empty row");

    let all: Vec<Option<usize>> = (0..60).map(|row| Some(row % 7)).collect();
    assert_eq!(matrix.sum_rows_by(&all, 7).unwrap().column_sums(), matrix.column_sums());
    // Merging the sums equals summing the merged classes.
    let merged: Vec<Option<usize>> = (0..7).map(|class| Some(class / 3)).collect();
    let at_once: Vec<Option<usize>> = (0..60).map(|row| Some(row % 7 / 3)).collect();
    let twice = matrix.sum_rows_by(&all, 7).unwrap().sum_rows_by(&merged, 3).unwrap();
    assert_eq!(twice, matrix.sum_rows_by(&at_once, 3).unwrap());
}

#[test]
fn a_sum_stops_at_the_largest_count() {
    let matrix = CsrMatrix::new(1, vec![0, 1, 2], vec![0, 0], vec![u32::MAX, 5]).unwrap();
    assert_eq!(matrix.sum_rows_by(&[Some(0), Some(0)], 1).unwrap().get(0, 0), u32::MAX);
}

#[test]
fn cosines_are_those_of_dense_rows() {
    let (cells, others) = (dense(30, 40), dense(4, 40));
    let (rows, topics) = (weights(&sparse(&cells)), weights(&sparse(&others)));
    let classes: Vec<Option<usize>> = (0..30).map(|row| (row % 5 < 4).then_some(row % 5)).collect();
    let cosines = rows.cosines(&topics, &classes).unwrap();
    let dot = |a: &[u32], b: &[u32]| a.iter().zip(b).map(|(x, y)| f64::from(x * y)).sum::<f64>();
    for (row, class) in classes.iter().enumerate() {
        let Some(class) = *class else {
            assert_eq!(cosines[row], 0.0);
            continue;
        };
        let (a, b) = (&cells[row], &others[class]);
        let expected = dot(a, b) / (dot(a, a) * dot(b, b)).sqrt();
        assert!((cosines[row] - expected).abs() < 1e-12, "{row}: {} {expected}", cosines[row]);
        assert_eq!(cosines[row], rows.cosine(row, &topics, class));
        assert_eq!(rows.cosine(row, &topics, class), topics.cosine(class, &rows, row));
    }
    assert!((rows.cosine(3, &rows, 3) - 1.0).abs() < 1e-12);
}

#[test]
fn nothing_is_similar_to_an_empty_row() {
    let matrix = CsrMatrix::new(2, vec![0, 0, 1, 2], vec![0, 1], vec![1.0, 0.0]).unwrap();
    assert_eq!(matrix.cosines(&matrix, &[Some(1), Some(0), Some(2)]).unwrap(), [0.0; 3]);
    assert_eq!(matrix.cosine(1, &matrix, 2), 0.0);
}

#[test]
fn classes_must_fit() {
    let matrix = sparse(&dense(3, 4));
    let other = sparse(&dense(3, 5));
    assert!(matrix.sum_rows_by(&[Some(0), None], 1).is_err());
    let error = matrix.sum_rows_by(&[Some(0), None, Some(2)], 2).unwrap_err();
    assert_eq!(error.row(), Some(2));
    assert!(matrix.cosines(&matrix, &[None, None]).is_err());
    assert!(matrix.cosines(&matrix, &[None, None, Some(3)]).is_err());
    assert!(matrix.cosines(&other, &[None, None, None]).is_err());
}

#[test]
fn a_matrix_survives_a_file_and_a_damaged_file_is_refused() {
    let matrix = weights(&sparse(&dense(5, 4)));
    let text = serde_json::to_string(&matrix).unwrap();
    assert_eq!(serde_json::from_str::<CsrMatrix<f64>>(&text).unwrap(), matrix);
    let damaged = text.replace("\"cols\":4", "\"cols\":2");
    assert_ne!(damaged, text);
    assert!(serde_json::from_str::<CsrMatrix<f64>>(&damaged).is_err());
}
