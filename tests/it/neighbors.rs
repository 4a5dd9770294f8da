//! The nearest-neighbor search compared with a naive one and with fixtures.

use ndarray::{Array2, ArrayView2, Axis, concatenate, s};
use topicframe::error::{ErrorKind, Stage};
use topicframe::neighbors::{Metric, NeighborIndex, Neighbors};
use topicframe::progress::Progress;

use crate::npy;

/// Random numbers from -1 to 1 that depend only on `seed`.
pub fn random(rows: usize, columns: usize, seed: u64) -> Array2<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    Array2::from_shape_simple_fn((rows, columns), || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        ((state >> 40) as f32) / 8_388_608.0 - 1.0
    })
}

fn search(data: &Array2<f32>, metric: Metric, k: usize) -> Neighbors {
    let index = NeighborIndex::new(data.view(), metric, Stage::Reduce).unwrap();
    index.neighbors(k, Stage::Reduce, &Progress::silent()).unwrap()
}

fn distance(a: &[f64], b: &[f64], metric: Metric) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    let difference: Vec<f64> = a.iter().zip(b).map(|(x, y)| x - y).collect();
    match metric {
        Metric::Euclidean => dot(&difference, &difference).sqrt(),
        _ => match (dot(a, a).sqrt(), dot(b, b).sqrt()) {
            (0.0, 0.0) => 0.0,
            (x, y) if x == 0.0 || y == 0.0 => 1.0,
            (x, y) => 1.0 - dot(a, b) / (x * y),
        },
    }
}

/// Checks neighbors against a naive search: the distances, and that each index has the distance reported for it.
fn check(found: &Neighbors, queries: ArrayView2<'_, f32>, data: ArrayView2<'_, f32>, metric: Metric, tolerance: f64) {
    let wide = |rows: ArrayView2<'_, f32>| -> Vec<Vec<f64>> {
        rows.rows().into_iter().map(|row| row.iter().map(|&x| f64::from(x)).collect()).collect()
    };
    let (queries, data) = (wide(queries), wide(data));
    assert_eq!(found.rows(), queries.len());
    for (row, query) in queries.iter().enumerate() {
        let all: Vec<f64> = data.iter().map(|point| distance(query, point, metric)).collect();
        let mut sorted = all.clone();
        sorted.sort_by(f64::total_cmp);
        let (indices, distances) = found.row(row);
        for (rank, (&index, &distance)) in indices.iter().zip(distances).enumerate() {
            let close = |expected: f64| (f64::from(distance) - expected).abs() <= tolerance * (1.0 + expected);
            assert!(close(sorted[rank]), "row {row}, rank {rank}: {distance}, not {}", sorted[rank]);
            assert!(close(all[index as usize]), "row {row}: {index} is at {}", all[index as usize]);
        }
        let mut unique = indices.to_vec();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), found.k, "row {row}");
    }
}

#[test]
fn the_fixtures_neighbors_are_found() {
    let points = npy::matrix("umap/points.npy");
    for metric in [Metric::Cosine, Metric::Euclidean] {
        let found = search(&points, metric, 15);
        let (_, bytes) = npy::values(&format!("umap/{metric}_indices.npy"), "<i4");
        let expected: Vec<u32> = bytes.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        assert_eq!(found.indices, expected, "{metric}");
        for (got, expected) in found.distances.iter().zip(&npy::matrix(&format!("umap/{metric}_distances.npy"))) {
            assert!((got - expected).abs() <= 1e-6 * (1.0 + expected), "{metric}: {got}, not {expected}");
            assert_eq!(*got == 0.0, *expected == 0.0, "{metric}: {got}, not {expected}");
        }
    }
}

#[test]
fn sizes_around_the_blocks_agree_with_a_naive_search() {
    for (rows, columns, k) in [(1, 3, 1), (2, 1, 2), (383, 7, 5), (384, 16, 3), (385, 17, 15), (800, 33, 20)] {
        let data = random(rows, columns, rows as u64);
        for metric in [Metric::Cosine, Metric::Euclidean] {
            let found = search(&data, metric, k);
            assert_eq!(found.k, k);
            check(&found, data.view(), data.view(), metric, 1e-6);
            assert!((0..rows).all(|row| found.row(row).0[0] as usize == row && found.row(row).1[0] == 0.0));
        }
    }
}

#[test]
fn new_rows_agree_with_a_naive_search_and_do_not_see_each_other() {
    let (data, queries) = (random(900, 24, 1), random(500, 24, 2));
    for metric in [Metric::Cosine, Metric::Euclidean] {
        let index = NeighborIndex::new(data.view(), metric, Stage::Reduce).unwrap();
        let all = index.query(queries.view(), 12, Stage::Reduce, &Progress::silent()).unwrap();
        check(&all, queries.view(), data.view(), metric, 1e-6);
        for row in [0, 17, 383, 384, 499] {
            let one = queries.slice(s![row..row + 1, ..]);
            let alone = index.query(one, 12, Stage::Reduce, &Progress::silent()).unwrap();
            assert_eq!(alone.row(0), all.row(row), "{metric}, row {row}");
        }
    }
}

#[test]
fn no_neighbors_and_more_than_there_are_rows_are_refused() {
    let data = random(4, 5, 9);
    assert_eq!(search(&data, Metric::Cosine, 4).k, 4);
    let index = NeighborIndex::new(data.view(), Metric::Cosine, Stage::Reduce).unwrap();
    for k in [0, 5, usize::MAX] {
        let of_own_rows = index.neighbors(k, Stage::Reduce, &Progress::silent()).unwrap_err();
        let of_new_rows = index.query(data.view(), k, Stage::Reduce, &Progress::silent()).unwrap_err();
        for error in [of_own_rows, of_new_rows] {
            assert_eq!((error.kind(), error.stage()), (ErrorKind::InvalidParameter, Stage::Reduce));
            assert!(format!("{error:#}").contains("from 1 to the number of rows (4)"), "{error:#}");
        }
    }
}

#[test]
fn duplicates_are_at_distance_0_and_come_by_index() {
    let mut data = random(500, 20, 4);
    let copy = data.row(100).to_owned();
    for row in (100..500).step_by(10) {
        data.row_mut(row).assign(&copy);
    }
    for metric in [Metric::Cosine, Metric::Euclidean] {
        let found = search(&data, metric, 6);
        assert_eq!(found.row(300), (&[300, 100, 110, 120, 130, 140][..], &[0.0; 6][..]), "{metric}");
        check(&found, data.view(), data.view(), metric, 1e-6);
    }
}

#[test]
fn equal_rows_are_all_at_distance_0() {
    let data = Array2::from_elem((700, 3), 0.7);
    for metric in [Metric::Cosine, Metric::Euclidean] {
        let found = search(&data, metric, 4);
        assert!(found.distances.iter().all(|&distance| distance == 0.0));
        assert_eq!(found.row(699).0, [699, 0, 1, 2]);
    }
}

#[test]
fn rows_of_zeros_are_near_each_other_and_at_distance_1_from_the_rest() {
    let mut data = random(60, 8, 6);
    for row in [3, 40] {
        data.row_mut(row).fill(0.0);
    }
    let found = search(&data, Metric::Cosine, 60);
    check(&found, data.view(), data.view(), Metric::Cosine, 1e-6);
    assert_eq!(found.row(3).0[..2], [3, 40]);
    // A new row of zeros, with and without rows of zeros in the index.
    let zeros = Array2::zeros((1, 8));
    for data in [data.view(), data.slice(s![4..40, ..])] {
        let index = NeighborIndex::new(data, Metric::Cosine, Stage::Reduce).unwrap();
        let found = index.query(zeros.view(), 5, Stage::Reduce, &Progress::silent()).unwrap();
        check(&found, zeros.view(), data, Metric::Cosine, 1e-6);
    }
}

#[test]
fn rows_too_short_to_have_a_direction_count_as_zeros() {
    let mut data = random(60, 8, 6);
    data.row_mut(3).fill(0.0);
    data.row_mut(40).fill(1e-41);
    let found = search(&data, Metric::Cosine, 60);
    assert!(found.distances.iter().all(|distance| distance.is_finite()));
    assert_eq!((&found.row(40).0[..2], found.row(40).1[1], found.row(40).1[2]), (&[40, 3][..], 0.0, 1.0));
    // A very short row that has a direction keeps it.
    let short = &data.row(7) * 1e-30;
    data.row_mut(40).assign(&short);
    assert_eq!(search(&data, Metric::Cosine, 2).row(40).0, [40, 7]);
}

#[test]
fn small_differences_far_from_the_origin_and_from_the_mean_are_seen() {
    // Two tight clusters far apart: no shift of the origin is close to both.
    let near = random(300, 6, 7) * 0.05 + 4096.0;
    let far = random(300, 6, 8) * 0.05 - 8192.0;
    let data = concatenate![Axis(0), near, far];
    let found = search(&data, Metric::Euclidean, 10);
    // Values of this magnitude are 5e-4 apart in single precision, and centering preserves that.
    check(&found, data.view(), data.view(), Metric::Euclidean, 2e-3);
    assert!((0..600).all(|row| found.row(row).0.iter().all(|&index| (index < 300) == (row < 300))));
    // The same for the cosine metric: directions that differ in the fourth digit.
    let base = random(1, 64, 3);
    let data = &base + &(random(600, 64, 5) * 1e-4);
    check(&search(&data, Metric::Cosine, 10), data.view(), data.view(), Metric::Cosine, 1e-11);
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    let data = random(1500, 40, 11);
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| search(&data, Metric::Cosine, 15))
    };
    let one = on(1);
    assert!(one == on(2) && one == on(5));
}

#[test]
fn bad_data_is_refused() {
    let refused = |data: &Array2<f32>, metric| NeighborIndex::new(data.view(), metric, Stage::Reduce).unwrap_err();
    assert_eq!(refused(&Array2::zeros((0, 4)), Metric::Cosine).kind(), ErrorKind::InvalidData);
    assert_eq!(refused(&Array2::zeros((4, 0)), Metric::Cosine).kind(), ErrorKind::InvalidData);
    for bad in [f32::NAN, f32::INFINITY] {
        let mut data = random(10, 4, 1);
        data[(7, 2)] = bad;
        assert_eq!(refused(&data, Metric::Cosine).row(), Some(7));
    }
    let mut data = random(10, 4, 1);
    data[(5, 0)] = 1e30;
    assert!(refused(&data, Metric::Euclidean).to_string().contains("overflows"));
    assert!(NeighborIndex::new(data.view(), Metric::Cosine, Stage::Reduce).is_ok());
    let index = NeighborIndex::new(random(10, 4, 1).view(), Metric::Cosine, Stage::Reduce).unwrap();
    let error = index.query(random(2, 5, 1).view(), 3, Stage::Reduce, &Progress::silent()).unwrap_err();
    assert!(format!("{error:#}").contains("5 columns; expected 4"), "{error:#}");
}
