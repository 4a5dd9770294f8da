//! The readers under test, and how each reads a file.

use std::fmt;
use std::path::Path;

use clap::ValueEnum;
use topicframe::corpus::{Columns, Documents, Embeddings, ImageColumn, TextColumn};
use topicframe::files::{read_frame, write_frame};
use topicframe::prelude::*;
use topicframe::vision::{Encoding, decode, encode, thumbnail};

/// A reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Target {
    Csv,
    Tsv,
    Ndjson,
    Json,
    Parquet,
    Arrow,
    Png,
    Jpeg,
    Webp,
    Gif,
    Bmp,
    Tiff,
    Text,
    Clip,
    Caption,
    Model2vec,
    Saved,
}

impl Target {
    pub fn name(self) -> &'static str {
        match self {
            Target::Csv => "csv",
            Target::Tsv => "tsv",
            Target::Ndjson => "ndjson",
            Target::Json => "json",
            Target::Parquet => "parquet",
            Target::Arrow => "arrow",
            Target::Png => "png",
            Target::Jpeg => "jpeg",
            Target::Webp => "webp",
            Target::Gif => "gif",
            Target::Bmp => "bmp",
            Target::Tiff => "tiff",
            Target::Text => "text",
            Target::Clip => "clip",
            Target::Caption => "caption",
            Target::Model2vec => "model2vec",
            Target::Saved => "saved",
        }
    }

    /// Whether an input of this target is a folder, in which one file at a time is mutated.
    pub fn is_model(self) -> bool {
        matches!(self, Target::Text | Target::Clip | Target::Caption | Target::Model2vec | Target::Saved)
    }

    pub fn is_text(self) -> bool {
        matches!(self, Target::Csv | Target::Tsv | Target::Ndjson | Target::Json)
    }

    fn is_table(self) -> bool {
        self.is_text() || matches!(self, Target::Parquet | Target::Arrow)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

const TEXTS: [&str; 4] = ["a red apple", "Trains, trains! 12 of them.", "\u{e9}t\u{e9} \u{6f22}\u{5b57} \u{1f600}", ""];

/// Reads `path` as a user would, and uses the result.
pub fn read(target: Target, path: &Path) -> Result<(), Error> {
    if target.is_table() {
        return read_table(path, target);
    }
    match target {
        Target::Text => SentenceTransformer::from_dir(path)?.embed_texts(&TEXTS, &Progress::silent()).map(drop),
        Target::Model2vec => StaticEmbedder::from_dir(path)?.embed_texts(&TEXTS, &Progress::silent()).map(drop),
        Target::Saved => crate::saved::read(path),
        Target::Clip => {
            let model = MultiModalBackend::from_dir(path)?;
            model.embed_texts(&TEXTS, &Progress::silent())?;
            model.embed_images(&[ImageSource::from(picture(0).as_slice())]).map(drop)
        }
        Target::Caption => {
            let model = Captioner::from_dir(path)?;
            model.caption_images(&[ImageSource::from(picture(0).as_slice())], &Progress::silent()).map(drop)
        }
        _ => {
            let image = decode(&ImageSource::from(path), &Limits::default())?;
            encode(&thumbnail(&image, 64), Encoding::Png).map(drop)
        }
    }
}

/// Reads every column in every role, renders the frame, and writes it and reads it back.
fn read_table(path: &Path, target: Target) -> Result<(), Error> {
    let frame = read_frame(path)?;
    for name in frame.get_column_names() {
        let _ = TextColumn::read(&frame, name).map(|texts| texts.rows());
        let _ = ImageColumn::read(&frame, name, Path::new("pictures")).map(|images| images.check_reachable());
        let _ = Embeddings::read(&frame, name);
    }
    let first = frame.get_column_names().first().map(|name| name.to_string());
    let _ = Documents::read(&frame, &Columns { text: first, ..Columns::default() });
    let _ = frame.head(Some(20)).to_html();
    let folder = tempfile::tempdir().expect("a folder for a copy");
    let copy = folder.path().join(format!("copy.{target}"));
    write_frame(&frame, &copy)?;
    if let Target::Csv | Target::Tsv = target {
        let again = read_frame(&copy).unwrap_or_else(|error| panic!("the written file cannot be read: {error}"));
        assert_eq!(frame.get_column_names(), again.get_column_names(), "names round-trip");
        assert!(frame.equals_missing(&again), "values round-trip\n{frame}\n{again}");
    }
    Ok(())
}

/// An image of 8 x 8 pixels, one of 100.
pub fn picture(number: usize) -> Vec<u8> {
    let blue = 99 - (number % 100) as u8;
    let image = topicframe::vision::RgbImage::from_fn(8, 8, |x, y| image::Rgb([32 * x as u8, 32 * y as u8, blue]));
    encode(&image, Encoding::Png).map(|image| image.bytes).unwrap_or_default()
}
