//! The topics whose centroids are nearest to vectors.

use rayon::prelude::*;

use super::Centroids;
use crate::cluster::OUTLIER;
use crate::error::{Result, Stage};
use crate::linalg::vectors::{Vectors, scale_to_unit, unit};
use crate::progress::Progress;

/// Vectors that are compared with the centroids at a time, which bounds memory.
const AT_A_TIME: usize = 16;

/// The topic with the nearest centroid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Nearest {
    pub(crate) topic: i32,
    /// The cosine to its centroid, -1 to 1.
    pub(crate) cosine: f64,
    /// The share of that cosine in all positive ones, 0 to 1; 0 if it is not positive.
    pub(crate) share: f64,
}

/// The topic whose centroid has the largest cosine to each of `vectors`, ties by topic; `None` if there is no topic. A
/// vector or a centroid of length 0 has the cosine 0 to all.
///
/// # Errors
/// Interrupted.
pub(crate) fn nearest_topics(
    vectors: &Vectors,
    centroids: &Centroids,
    progress: &Progress,
) -> Result<Vec<Option<Nearest>>> {
    let topics: Vec<(i32, Vec<f64>)> = centroids
        .iter()
        .filter(|&(topic, _)| topic != OUTLIER)
        .map(|(topic, mean)| (topic, unit(mean.iter().copied())))
        .collect();
    if topics.is_empty() {
        return Ok(vec![None; vectors.rows()]);
    }
    let task = progress.task(Stage::Topics, "nearest topics", vectors.rows());
    // By coordinate: the innermost loop adds to the products with all topics.
    let by_coordinate: Vec<Vec<f32>> =
        (0..vectors.columns()).map(|axis| topics.iter().map(|(_, mean)| coordinate(mean, axis)).collect()).collect();
    let reader = vectors.reader();
    let of_chunk = |start: usize| {
        let rows = start..(start + AT_A_TIME).min(vectors.rows());
        if task.is_interrupted() {
            return vec![None; rows.len()];
        }
        task.advance(rows.len());
        let units: Vec<Vec<f32>> = rows.map(|row| to_unit(reader.row(row))).collect();
        let mut cosines = vec![vec![0.0_f32; topics.len()]; units.len()];
        for (axis, means) in by_coordinate.iter().enumerate() {
            for (vector, cosines) in units.iter().zip(&mut cosines) {
                let x = vector.get(axis).copied().unwrap_or(0.0);
                cosines.iter_mut().zip(means).for_each(|(cosine, mean)| *cosine += x * mean);
            }
        }
        cosines.into_iter().map(|cosines| best(&topics, &cosines)).collect::<Vec<_>>()
    };
    let nearest = (0..vectors.rows()).into_par_iter().step_by(AT_A_TIME).flat_map_iter(of_chunk).collect();
    task.finish()?;
    Ok(nearest)
}

fn coordinate(mean: &[f64], axis: usize) -> f32 {
    mean.get(axis).map_or(0.0, |&x| x as f32)
}

fn to_unit(vector: &[f32]) -> Vec<f32> {
    let mut vector = vector.to_vec();
    scale_to_unit(&mut vector);
    vector
}

fn best(topics: &[(i32, Vec<f64>)], cosines: &[f32]) -> Option<Nearest> {
    let mut best: Option<(i32, f32)> = None;
    let mut positive = 0.0_f64;
    for (&(topic, _), &cosine) in topics.iter().zip(cosines) {
        positive += f64::from(cosine.max(0.0));
        if best.is_none_or(|(_, largest)| cosine > largest) {
            best = Some((topic, cosine));
        }
    }
    let (topic, cosine) = best?;
    let share = if cosine > 0.0 { (f64::from(cosine) / positive).clamp(0.0, 1.0) } else { 0.0 };
    Some(Nearest { topic, cosine: f64::from(cosine), share })
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;
    use crate::corpus::Embeddings;

    #[test]
    fn the_nearest_centroid_by_direction() {
        let rows = array![[3.0, 0.0], [0.0, 1.0], [-1.0, -1.0], [1.0, 1.0]];
        let embeddings = Embeddings::scatter(rows, &[0, 1, 2, 3], 4).unwrap();
        let centroids = Centroids::of(&[0, 1, -1, 2], &embeddings);
        let near =
            |vectors: Array2<f32>| nearest_topics(&Vectors::from(vectors), &centroids, &Progress::silent()).unwrap();
        let found = near(array![[2.0, 0.0], [-1.0, -0.5], [0.0, 0.0]]);
        let [east, opposite, nowhere] = found[..] else { panic!("{found:?}") };
        let (east, opposite) = (east.unwrap(), opposite.unwrap());
        assert_eq!((east.topic, east.cosine), (0, 1.0));
        assert!((east.share - 1.0 / (1.0 + 0.5_f64.sqrt())).abs() < 1e-6, "{east:?}");
        assert_eq!((opposite.topic, opposite.share), (1, 0.0));
        assert_eq!(nowhere, Some(Nearest { topic: 0, cosine: 0.0, share: 0.0 }));
        let none = nearest_topics(&Vectors::from(array![[1.0_f32, 0.0]]), &Centroids::default(), &Progress::silent());
        assert_eq!(none.unwrap(), [None]);
        // The same in every chunk.
        let many = near(Array2::from_shape_fn((100, 2), |(row, axis)| f32::from(u8::from(row % 2 == axis))));
        assert!(many.iter().enumerate().all(|(row, one)| one.unwrap().topic == (row % 2) as i32));
    }
}
