//! Frames: small ones with unambiguous topics, and the drawings that the examples read.

use std::path::Path;

use topicframe::files::read_csv;
use topicframe::polars::prelude::*;

const THEMES: [(&str, [&str; 6], [&str; 6]); 3] = [
    (
        "animals",
        ["cat", "kitten", "dog", "puppy", "horse", "rabbit"],
        [
            "sleeping on the grass",
            "running with its owner",
            "eating pet food",
            "in the garden",
            "at the vet",
            "with fur",
        ],
    ),
    (
        "trains",
        ["locomotive", "train", "railway carriage", "steam engine", "tram", "freight train"],
        [
            "at the station",
            "on the rails",
            "passing a signal",
            "at the platform",
            "on a railway bridge",
            "with passengers",
        ],
    ),
    (
        "fruit",
        ["apple", "banana", "orange", "strawberry", "pear", "cherry"],
        ["on a plate", "ripe and sweet", "cut in slices", "in a fruit bowl", "squeezed to juice", "from the orchard"],
    ),
];

/// `rows` captions, cycling through the three themes.
pub fn captions(rows: usize) -> Vec<String> {
    (0..rows)
        .map(|i| {
            let (theme, things, places) = THEMES[i % 3];
            let (thing, place) = (things[(i / 3) % 6], places[(i / 18) % 6]);
            format!("a {thing} {place}, {theme}")
        })
        .collect()
}

/// The theme of each of [`captions`].
pub fn themes(rows: usize) -> Vec<usize> {
    (0..rows).map(|i| i % 3).collect()
}

/// A frame with the column `caption`.
pub fn frame(rows: usize) -> DataFrame {
    df!("caption" => captions(rows)).unwrap()
}

/// Like [`frame`], with the column `image`: PNG files in `folder`, one color per theme.
pub fn frame_with_images(rows: usize, folder: &Path) -> DataFrame {
    let names: Vec<String> = (0..rows).map(|i| format!("{i}.png")).collect();
    for (i, name) in names.iter().enumerate() {
        // No two images are the same, so none is treated as a repeat.
        let shade = (40 + 3 * (i / 3) % 200) as u8;
        let mut color = [shade; 3];
        color[i % 3] = 255;
        let width = 30 + (i % 17) as u32;
        image::RgbImage::from_pixel(width, 24, image::Rgb(color)).save(folder.join(name)).unwrap();
    }
    df!("caption" => captions(rows), "image" => names).unwrap()
}

/// The drawings of `examples/data`, with the columns `image`, `caption`, `category` and `author`.
pub fn drawings() -> DataFrame {
    read_csv(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data/openclipart/captions.csv")).unwrap()
}

/// The fraction of pairs of rows on which two partitions agree (Rand index).
pub fn agreement(a: &[i32], b: &[usize]) -> f64 {
    let mut same = 0_usize;
    let mut pairs = 0_usize;
    for i in 0..a.len() {
        for j in 0..i {
            same += usize::from((a[i] == a[j]) == (b[i] == b[j]));
            pairs += 1;
        }
    }
    same as f64 / pairs as f64
}
