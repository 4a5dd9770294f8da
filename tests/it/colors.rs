//! Images of three colors, and models that see only color.

use std::io::Cursor;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use image::{ImageFormat, Rgb, RgbImage};
use ndarray::Array2;
use topicframe::caption::ImageCaptioner;
use topicframe::embed::{ImageEmbedder, JointEmbedder, TextEmbedder};
use topicframe::error::{Result, Stage};
use topicframe::polars::prelude::*;
use topicframe::progress::Progress;
use topicframe::vision::{ImageSource, Limits, decode};

pub const NAMES: [&str; 3] = ["red", "green", "blue"];

/// A PNG of the color of `theme` with some of the other colors mixed in; every index yields a different image.
pub fn png(theme: usize, index: usize) -> Vec<u8> {
    let mut color = [(index * 7 % 60) as u8, (index * 11 % 60) as u8, (index * 13 % 60) as u8];
    color[theme] = 255 - (index % 20) as u8;
    let picture = RgbImage::from_pixel(8 + (index % 5) as u32, 8 + (index / 5 % 7) as u32, Rgb(color));
    let mut bytes = Vec::new();
    picture.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).unwrap();
    bytes
}

/// `rows` images, cycling through the three colors.
pub fn pictures(rows: usize) -> Vec<Option<Vec<u8>>> {
    (0..rows).map(|row| Some(png(row % 3, row))).collect()
}

/// A column of encoded images.
pub fn image_column(pictures: &[Option<Vec<u8>>]) -> Column {
    let cells: BinaryChunked = pictures.iter().map(Option::as_deref).collect();
    cells.with_name("image".into()).into_column()
}

/// A frame of `rows` images with a number each.
pub fn image_frame(rows: usize) -> DataFrame {
    framed(&pictures(rows))
}

pub fn framed(pictures: &[Option<Vec<u8>>]) -> DataFrame {
    let numbers: Vec<i64> = (0..pictures.len() as i64).collect();
    DataFrame::new(pictures.len(), vec![Column::new("number".into(), numbers), image_column(pictures)]).unwrap()
}

/// Texts for those images: the name of the color among unrelated words.
pub fn texts(rows: usize) -> Vec<Option<String>> {
    let things = [["rose", "brick", "fire"], ["meadow", "frog", "leaf"], ["sky", "lake", "whale"]];
    (0..rows).map(|row| Some(format!("a {} {}", NAMES[row % 3], things[row % 3][row / 3 % 3]))).collect()
}

pub fn text_and_image_frame(texts: &[Option<String>], pictures: &[Option<Vec<u8>>]) -> DataFrame {
    let texts: Vec<Option<&str>> = texts.iter().map(Option::as_deref).collect();
    DataFrame::new(texts.len(), vec![Column::new("text".into(), texts), image_column(pictures)]).unwrap()
}

fn mean_color(source: &ImageSource<'_>) -> Result<[f32; 3]> {
    let picture = decode(source, &Limits::new())?;
    let mut sum = [0.0_f32; 3];
    for pixel in picture.pixels() {
        sum.iter_mut().zip(pixel.0).for_each(|(sum, value)| *sum += f32::from(value));
    }
    Ok(sum.map(|sum| sum / (picture.width() * picture.height()) as f32))
}

fn unit(vector: [f32; 3]) -> [f32; 3] {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if length > 0.0 { vector.map(|x| x / length) } else { vector }
}

/// Embeds images by their mean color.
#[derive(Debug, Clone)]
pub struct Eye;

impl ImageEmbedder for Eye {
    fn dimensions(&self) -> usize {
        3
    }

    fn embed_images(&self, images: &[ImageSource<'_>], progress: &Progress) -> Result<Array2<f32>> {
        let mut vectors = Array2::zeros((images.len(), 3));
        let mut unreadable = 0;
        for (mut row, image) in vectors.outer_iter_mut().zip(images) {
            match mean_color(image) {
                Ok(color) => row.assign(&ndarray::arr1(&unit(color))),
                Err(_) => unreadable += 1,
            }
        }
        if unreadable > 0 {
            progress.note(Stage::Embed, format!("{unreadable} unreadable"));
        }
        Ok(vectors)
    }
}

/// Embeds images by their color and texts by the colors they name.
#[derive(Debug, Clone)]
pub struct EyeAndEar;

impl TextEmbedder for EyeAndEar {
    fn dimensions(&self) -> usize {
        3
    }

    fn embed_texts(&self, texts: &[&str], _: &Progress) -> Result<Array2<f32>> {
        let mut vectors = Array2::zeros((texts.len(), 3));
        for (mut row, text) in vectors.outer_iter_mut().zip(texts) {
            let named = NAMES.map(|name| if text.contains(name) { 1.0 } else { 0.0 });
            row.assign(&ndarray::arr1(&unit(named)));
        }
        Ok(vectors)
    }
}

impl ImageEmbedder for EyeAndEar {
    fn dimensions(&self) -> usize {
        3
    }

    fn embed_images(&self, images: &[ImageSource<'_>], progress: &Progress) -> Result<Array2<f32>> {
        Eye.embed_images(images, progress)
    }

    fn text_side(&self) -> Option<&dyn TextEmbedder> {
        Some(self)
    }
}

impl JointEmbedder for EyeAndEar {}

/// Captions an image with its color and counts the images it was given.
#[derive(Debug, Clone, Default)]
pub struct Namer {
    pub shown: Arc<AtomicUsize>,
    /// Fails on images equal to this.
    pub fails_at: Option<Vec<u8>>,
}

impl ImageCaptioner for Namer {
    fn caption_images(&self, images: &[ImageSource<'_>], _: &Progress) -> Result<Vec<Option<String>>> {
        self.shown.fetch_add(images.len(), Ordering::Relaxed);
        let name = |image: &ImageSource<'_>| {
            if let ImageSource::Encoded { bytes, .. } = image
                && self.fails_at.as_deref() == Some(*bytes)
            {
                return None;
            }
            let color = mean_color(image).ok()?;
            let best = (0..3).max_by(|&a, &b| color[a].total_cmp(&color[b]))?;
            Some(format!("a {} square painted {}", NAMES[best], ["warm", "fresh", "cold"][best]))
        };
        Ok(images.iter().map(name).collect())
    }
}

/// Must not run: errors come before the slow steps.
#[derive(Debug, Clone)]
pub struct Never(pub usize, pub usize);

impl TextEmbedder for Never {
    fn dimensions(&self) -> usize {
        self.0
    }

    fn embed_texts(&self, _: &[&str], _: &Progress) -> Result<Array2<f32>> {
        panic!("texts were embedded")
    }
}

impl ImageEmbedder for Never {
    fn dimensions(&self) -> usize {
        self.1
    }

    fn embed_images(&self, _: &[ImageSource<'_>], _: &Progress) -> Result<Array2<f32>> {
        panic!("images were embedded")
    }
}

impl JointEmbedder for Never {}

/// The common theme of the rows of each topic, if there is one; row `row` has theme `row % 3`.
pub fn theme_of(topics: &[i32], topic: i32) -> usize {
    let mut themes = topics.iter().enumerate().filter(|(_, t)| **t == topic).map(|(row, _)| row % 3);
    let first = themes.next().unwrap_or_else(|| panic!("no row in topic {topic}"));
    assert!(themes.all(|theme| theme == first), "topic {topic} mixes themes");
    first
}

pub fn column_of_topics(frame: &DataFrame) -> Vec<i32> {
    frame.column("Topic").unwrap().i32().unwrap().into_no_null_iter().collect()
}
