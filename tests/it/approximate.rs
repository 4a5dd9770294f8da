//! The approximate search compared with the exact one.

use std::collections::HashSet;
use std::sync::Arc;

use ndarray::{Array2, Axis, s};
use topicframe::error::Stage;
use topicframe::neighbors::{Metric, NeighborIndex, NeighborSearch, Neighbors};
use topicframe::progress::Progress;

use crate::neighbors::random;
use crate::notes::Notes;

/// Rows around many centers, in an order that interleaves them.
fn clustered(rows: usize, columns: usize) -> Array2<f32> {
    let centers = random(70, columns, 1);
    let mut data = random(rows, columns, 2) * 0.7;
    for (row, mut to) in data.axis_iter_mut(Axis(0)).enumerate() {
        to += &centers.row(row * 37 % 70);
    }
    data
}

fn index(data: &Array2<f32>, metric: Metric, search: NeighborSearch) -> NeighborIndex {
    let index = NeighborIndex::new(data.view(), metric, Stage::Reduce).unwrap();
    index.searched(search, Stage::Reduce, &Progress::silent()).unwrap()
}

fn neighbors(data: &Array2<f32>, metric: Metric, search: NeighborSearch, k: usize) -> Neighbors {
    index(data, metric, search).neighbors(k, Stage::Reduce, &Progress::silent()).unwrap()
}

fn recall(found: &Neighbors, exact: &Neighbors) -> f64 {
    let shared = |row: usize| {
        let exact: HashSet<u32> = exact.row(row).0.iter().copied().collect();
        found.row(row).0.iter().filter(|index| exact.contains(index)).count()
    };
    (0..exact.rows()).map(shared).sum::<usize>() as f64 / exact.indices.len() as f64
}

/// Every row starts with itself, followed by distinct rows at their actual distances, nearest first.
fn check(found: &Neighbors, exact_of: &NeighborIndex, data: &Array2<f32>) {
    let all = exact_of.query(data.slice(s![..40, ..]), data.nrows(), Stage::Reduce, &Progress::silent()).unwrap();
    for row in 0..40 {
        let (indices, distances) = found.row(row);
        assert_eq!((indices[0] as usize, distances[0]), (row, 0.0));
        assert!(distances.is_sorted());
        assert_eq!(indices.iter().collect::<HashSet<_>>().len(), indices.len());
        for (index, distance) in indices.iter().zip(distances) {
            let place = all.row(row).0.iter().position(|other| other == index).unwrap();
            assert_eq!(all.row(row).1[place].to_bits(), distance.to_bits(), "row {row}, neighbor {index}");
        }
    }
}

#[test]
fn many_rows_are_searched_approximately_and_nearly_all_neighbors_are_found() {
    for (columns, metric) in [(48, Metric::Cosine), (90, Metric::Euclidean), (5, Metric::Euclidean)] {
        let data = clustered(9000, columns);
        let searched = index(&data, metric, NeighborSearch::Auto);
        assert!(searched.is_approximate());
        let found = searched.neighbors(15, Stage::Reduce, &Progress::silent()).unwrap();
        let exact = index(&data, metric, NeighborSearch::Exact);
        assert!(!exact.is_approximate());
        let recall = recall(&found, &exact.neighbors(15, Stage::Reduce, &Progress::silent()).unwrap());
        assert!(recall > 0.97, "{columns} columns, {metric}: {recall}");
        check(&found, &exact, &data);
    }
}

#[test]
fn few_rows_are_searched_exactly_unless_asked() {
    let data = clustered(600, 20);
    assert!(!index(&data, Metric::Cosine, NeighborSearch::Auto).is_approximate());
    for k in [1, 2, 15, 600] {
        let found = neighbors(&data, Metric::Cosine, NeighborSearch::Approximate, k);
        let exact = neighbors(&data, Metric::Cosine, NeighborSearch::Exact, k);
        assert!(recall(&found, &exact) > 0.99, "{k}");
        assert_eq!(found.row(7).0[0], 7);
    }
}

#[test]
fn new_rows_find_their_neighbors_one_by_one_or_together() {
    let data = clustered(9300, 40);
    let (known, new) = data.view().split_at(Axis(0), 9000);
    let approximate = index(&known.to_owned(), Metric::Cosine, NeighborSearch::Auto);
    let exact = index(&known.to_owned(), Metric::Cosine, NeighborSearch::Exact);
    let found = approximate.query(new, 15, Stage::Reduce, &Progress::silent()).unwrap();
    let recall = recall(&found, &exact.query(new, 15, Stage::Reduce, &Progress::silent()).unwrap());
    assert!(recall > 0.97, "{recall}");
    for row in [0, 63, 64, 299] {
        let alone = new.slice(s![row..row + 1, ..]);
        assert_eq!(approximate.query(alone, 15, Stage::Reduce, &Progress::silent()).unwrap().row(0), found.row(row));
    }
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    let data = clustered(9000, 24);
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| neighbors(&data, Metric::Cosine, NeighborSearch::Auto, 15))
    };
    let one = on(1);
    assert!(one == on(2) && one == on(5));
}

#[test]
fn rows_that_sketches_cannot_tell_apart_are_searched_exactly_and_it_is_told() {
    // All directions are equally important, and there are more of them than coordinates in a sketch.
    let data = random(1500, 700, 3);
    let notes = Arc::new(Notes::default());
    let searched = NeighborIndex::new(data.view(), Metric::Cosine, Stage::Reduce).unwrap();
    let searched = searched.searched(NeighborSearch::Approximate, Stage::Reduce, &Progress::to(notes.clone())).unwrap();
    assert!(!searched.is_approximate());
    assert!(notes.0.lock().unwrap()[0].contains("exact neighbor search"));
}

#[test]
fn zeros_duplicates_and_far_outliers_work() {
    let mut data = clustered(9000, 16);
    for row in (0..9000).step_by(9) {
        data.row_mut(row).fill(0.0);
    }
    let copy = data.row(1).to_owned();
    for row in (1..9000).step_by(90) {
        data.row_mut(row).assign(&copy);
    }
    for metric in [Metric::Cosine, Metric::Euclidean] {
        let found = neighbors(&data, metric, NeighborSearch::Approximate, 15);
        assert!(found.row(9).1.iter().all(|&distance| distance == 0.0), "{metric}: rows of zeros are near each other");
        assert!(found.row(91).1.iter().all(|&distance| distance == 0.0), "{metric}: copies are near each other");
    }
    data.row_mut(5).fill(1e6);
    let found = neighbors(&data, Metric::Euclidean, NeighborSearch::Approximate, 15);
    let exact = neighbors(&data, Metric::Euclidean, NeighborSearch::Exact, 15);
    let apart =
        (0..9000).filter(|&row| exact.row(row).1[14] > 0.0 && found.row(row).1[14] > exact.row(row).1[14]).count();
    assert!(apart < 2700, "{apart} rows miss a neighbor");
}

#[test]
fn equal_rows_are_all_at_distance_0() {
    let data = Array2::from_elem((9000, 3), 0.7);
    for metric in [Metric::Cosine, Metric::Euclidean] {
        let found = neighbors(&data, metric, NeighborSearch::Approximate, 4);
        assert!(found.distances.iter().all(|&distance| distance == 0.0));
        assert_eq!(found.row(8999).0[0], 8999);
    }
}

#[test]
fn a_way_to_search_is_known_by_its_name() {
    for search in [NeighborSearch::Auto, NeighborSearch::Exact, NeighborSearch::Approximate] {
        assert_eq!(search.to_string().parse::<NeighborSearch>().unwrap(), search);
    }
    let error = "fast".parse::<NeighborSearch>().map_err(|error| format!("{error:#}")).unwrap_err();
    assert!(error.contains("fast") && error.contains("auto, exact or approximate"), "{error:#}");
}
