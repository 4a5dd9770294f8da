//! Converts an image to the input that a vision model was trained on, as described by its `preprocessor_config.json`.
//!
//! Resize, center crop, rescale, normalize, as the image processors of Hugging Face's transformers do it with Pillow.
//! Everything operates on bytes except the last step, which has only 256 results per channel: a lookup table.

use std::path::Path;

use image::{RgbImage, imageops};
use serde_json::{Map, Value};

use super::resample::{Filter, resize_part};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::regular_file::{self, Refusal};

/// Size limit for a configuration, which is a page of text.
const MAX_FILE: u64 = 1 << 20;

/// The maximum side of a model's input; the memory for an image grows with its square.
const MAX_SIDE: u32 = 2048;

/// What is wrong, as a clause.
type Parsed<T> = std::result::Result<T, String>;

/// Converts images to a model's input.
///
/// ```
/// use topicframe::vision::{Preprocessor, RgbImage};
///
/// let json = r#"{"image_processor_type": "ViTImageProcessor", "size": {"height": 16, "width": 16}}"#;
/// let preprocessor = Preprocessor::from_json(json)?;
/// let pixels = preprocessor.pixels(&RgbImage::new(40, 30));
/// assert_eq!(pixels, vec![-1.0; 3 * 16 * 16]);
/// # Ok::<(), topicframe::error::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Preprocessor {
    resize: Option<Resize>,
    /// The size of the center crop; the same as the size to resize to if there is none.
    width: u32,
    height: u32,
    filter: Filter,
    /// For each channel, the value of each byte.
    table: [Vec<f32>; 3],
}

/// The size that an image is resized to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Resize {
    /// The shorter side gets this length, and the aspect ratio is kept.
    Shortest(u32),
    /// Width and height, ignoring the aspect ratio.
    To(u32, u32),
}

impl Preprocessor {
    /// Reads `preprocessor_config.json`, in the current and older forms of CLIP, SigLIP, ViT, DeiT and BLIP, or a
    /// `processor_config.json` that contains an `image_processor`. Missing settings default to those of transformers
    /// for that kind of processor.
    ///
    /// # Errors
    /// [`ErrorKind::Model`], naming the file: it is missing, larger than 1 MiB or not JSON; the kind of processor is
    /// not supported; a size is not within 1 to 2048; images would have different sizes; a filter other than nearest,
    /// bilinear, bicubic or Lanczos; unusable numbers.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        read_text(path).and_then(|text| parse(&text)).map_err(|why| config_error(&why).with_path(path))
    }

    /// Parses the text of such a file.
    ///
    /// # Errors
    /// As [`from_file`](Self::from_file), without a file to name.
    pub fn from_json(text: &str) -> Result<Self> {
        parse(text).map_err(|why| config_error(&why))
    }

    /// Width of every input, in pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height of every input, in pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The image resized and cropped, still in bytes: `width` x `height`. If it is too small for the crop, it is padded
    /// with black.
    pub fn fit(&self, image: &RgbImage) -> RgbImage {
        let (width, height) = match self.resize {
            Some(resize) => resize.size_of(image),
            None => image.dimensions(),
        };
        let (across, down) = (Cut::new(width, self.width), Cut::new(height, self.height));
        let part = resize_part(image, width, height, across.range(), down.range(), self.filter);
        if part.dimensions() == (self.width, self.height) {
            return part;
        }
        let mut padded = RgbImage::new(self.width, self.height);
        imageops::replace(&mut padded, &part, i64::from(across.before), i64::from(down.before));
        padded
    }

    /// The model's input: all of the red, then all of the green, then all of the blue, each row by row; 3 x `height` x
    /// `width` values.
    pub fn pixels(&self, image: &RgbImage) -> Vec<f32> {
        let fitted = self.fit(image);
        let mut pixels = Vec::with_capacity(fitted.len());
        for (channel, table) in self.table.iter().enumerate() {
            let bytes = fitted.iter().skip(channel).step_by(3);
            pixels.extend(bytes.map(|&byte| table.get(usize::from(byte)).copied().unwrap_or(0.0)));
        }
        pixels
    }

    /// The value of each byte, for each channel.
    #[cfg(feature = "models")]
    pub(crate) fn table(&self) -> &[Vec<f32>; 3] {
        &self.table
    }
}

impl Resize {
    fn size_of(self, image: &RgbImage) -> (u32, u32) {
        let (width, height) = image.dimensions();
        match self {
            Resize::To(width, height) => (width, height),
            Resize::Shortest(_) if width == 0 || height == 0 => (0, 0),
            Resize::Shortest(side) => {
                let longer = |long: u32, short: u32| {
                    let exact = u64::from(side) * u64::from(long) / u64::from(short);
                    u32::try_from(exact).unwrap_or(u32::MAX)
                };
                if width <= height { (side, longer(height, width)) } else { (longer(width, height), side) }
            }
        }
    }
}

/// Along one side: the part that is kept, and the black padding before it.
struct Cut {
    first: u32,
    length: u32,
    before: u32,
}

impl Cut {
    fn new(side: u32, wanted: u32) -> Self {
        match side.checked_sub(wanted) {
            Some(surplus) => Cut { first: surplus / 2, length: wanted, before: 0 },
            None => Cut { first: 0, length: side, before: (wanted - side).div_ceil(2) },
        }
    }

    fn range(&self) -> std::ops::Range<u32> {
        self.first..self.first + self.length
    }
}

/// The defaults of transformers for a kind of image processor.
struct Defaults {
    size: Value,
    /// Whether a single number is the length of both sides, or of the shorter one.
    square: bool,
    crop: bool,
    crop_size: u32,
    filter: Filter,
    mean: [f64; 3],
    std: [f64; 3],
}

const CLIP_MEAN: [f64; 3] = [0.481_454_66, 0.457_827_5, 0.408_210_73];
const CLIP_STD: [f64; 3] = [0.268_629_54, 0.261_302_58, 0.275_777_11];
const IMAGENET_MEAN: [f64; 3] = [0.485, 0.456, 0.406];
const IMAGENET_STD: [f64; 3] = [0.229, 0.224, 0.225];
const HALVES: [f64; 3] = [0.5; 3];

impl Defaults {
    /// By the name of the processor, or of the feature extractor that preceded it.
    fn of(name: &str) -> Option<Self> {
        let stem = name.trim_end_matches("Fast").trim_end_matches("Pil");
        let stem = stem.strip_suffix("ImageProcessor").or_else(|| stem.strip_suffix("FeatureExtractor"))?;
        let sides = |side: u32| serde_json::json!({ "height": side, "width": side });
        let vit = Defaults {
            size: sides(224),
            square: true,
            crop: false,
            crop_size: 224,
            filter: Filter::Bilinear,
            mean: HALVES,
            std: HALVES,
        };
        match stem {
            "ViT" => Some(vit),
            "DeiT" => Some(Defaults {
                size: sides(256),
                crop: true,
                filter: Filter::Bicubic,
                mean: IMAGENET_MEAN,
                std: IMAGENET_STD,
                ..vit
            }),
            "Siglip" => Some(Defaults { filter: Filter::Bicubic, ..vit }),
            "Blip" => {
                Some(Defaults { size: sides(384), filter: Filter::Bicubic, mean: CLIP_MEAN, std: CLIP_STD, ..vit })
            }
            "CLIP" => Some(Defaults {
                size: serde_json::json!({ "shortest_edge": 224 }),
                square: false,
                crop: true,
                filter: Filter::Bicubic,
                mean: CLIP_MEAN,
                std: CLIP_STD,
                ..vit
            }),
            _ => None,
        }
    }
}

fn parse(text: &str) -> Parsed<Preprocessor> {
    let json: Value = serde_json::from_str(text).map_err(|cause| format!("it is not JSON: {cause}"))?;
    let Value::Object(outer) = &json else { return Err("it is not a JSON object".to_owned()) };
    let config = match outer.get("image_processor") {
        Some(Value::Object(inner)) => inner,
        _ => outer,
    };
    let name = ["image_processor_type", "feature_extractor_type"].iter().find_map(|key| config.get(*key)?.as_str());
    let name = name.unwrap_or("ViTImageProcessor");
    let defaults = Defaults::of(name).ok_or_else(|| {
        format!("the image processor `{name}` is not supported; CLIP's, Siglip's, ViT's, DeiT's and Blip's are")
    })?;

    let resize = match flag(config, "do_resize", true)? {
        true => Some(resize(present(config, "size").unwrap_or(&defaults.size), defaults.square)?),
        false => None,
    };
    let crop = match flag(config, "do_center_crop", defaults.crop)? {
        true => Some(crop_size(config, defaults.crop_size)?),
        false => None,
    };
    let (width, height) = match (crop, resize) {
        (Some(size), _) => size,
        (None, Some(Resize::To(width, height))) => (width, height),
        _ => return Err("images would have different sizes: it neither crops nor resizes to a fixed one".to_owned()),
    };
    let filter = match present(config, "resample") {
        None => defaults.filter,
        Some(value) => filter(value)?,
    };
    Ok(Preprocessor { resize, width, height, filter, table: table(config, &defaults)? })
}

/// A value that is present and not null.
fn present<'a>(config: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    config.get(key).filter(|value| !value.is_null())
}

fn flag(config: &Map<String, Value>, key: &str, default: bool) -> Parsed<bool> {
    match present(config, key) {
        None => Ok(default),
        Some(Value::Bool(value)) => Ok(*value),
        Some(value) => Err(format!("{key} = {value} is neither true nor false")),
    }
}

fn side(key: &str, value: &Value) -> Parsed<u32> {
    match value.as_u64().and_then(|side| u32::try_from(side).ok()) {
        Some(side) if (1..=MAX_SIDE).contains(&side) => Ok(side),
        _ => Err(format!("{key} = {value} is not a length from 1 to {MAX_SIDE} pixels")),
    }
}

/// `size`: one number, [height, width], or an object of named sides.
fn resize(size: &Value, square: bool) -> Parsed<Resize> {
    match size {
        Value::Object(sides) => match ["shortest_edge", "longest_edge", "height", "width"]
            .map(|key| present(sides, key))
        {
            [Some(shortest), None, None, None] => Ok(Resize::Shortest(side("shortest_edge", shortest)?)),
            [None, None, Some(height), Some(width)] => Ok(Resize::To(side("width", width)?, side("height", height)?)),
            _ => Err(format!("size = {size} names neither `shortest_edge` nor `height` and `width`")),
        },
        Value::Array(sides) => match sides.as_slice() {
            [height, width] => Ok(Resize::To(side("width", width)?, side("height", height)?)),
            _ => Err(format!("size = {size} is not height and width")),
        },
        number if square => side("size", number).map(|side| Resize::To(side, side)),
        number => side("size", number).map(Resize::Shortest),
    }
}

fn crop_size(config: &Map<String, Value>, default: u32) -> Parsed<(u32, u32)> {
    let Some(size) = present(config, "crop_size") else { return Ok((default, default)) };
    match resize(size, true)? {
        Resize::To(width, height) => Ok((width, height)),
        Resize::Shortest(_) => Err(format!("crop_size = {size} is not height and width")),
    }
}

/// Pillow's filter numbers.
fn filter(value: &Value) -> Parsed<Filter> {
    match value.as_u64() {
        Some(0) => Ok(Filter::Nearest),
        Some(1) => Ok(Filter::Lanczos3),
        Some(2) => Ok(Filter::Bilinear),
        Some(3) => Ok(Filter::Bicubic),
        _ => Err(format!(
            "resample = {value} is not supported; 0 (nearest), 1 (Lanczos), 2 (bilinear) and 3 (bicubic) are"
        )),
    }
}

/// Scales in double precision, rounds to single, and normalizes in single, as numpy does in transformers.
fn table(config: &Map<String, Value>, defaults: &Defaults) -> Parsed<[Vec<f32>; 3]> {
    let scale = match flag(config, "do_rescale", true)? {
        true => match present(config, "rescale_factor") {
            None => 1.0 / 255.0,
            Some(value) => value.as_f64().ok_or_else(|| format!("rescale_factor = {value} is not a number"))?,
        },
        false => 1.0,
    };
    let (mean, std) = match flag(config, "do_normalize", true)? {
        true => (channels(config, "image_mean", defaults.mean)?, channels(config, "image_std", defaults.std)?),
        false => ([0.0; 3], [1.0; 3]),
    };
    let mut table = [const { Vec::new() }; 3];
    for ((bytes, mean), std) in table.iter_mut().zip(mean).zip(std) {
        bytes.extend((0..=255_u8).map(|byte| ((f64::from(byte) * scale) as f32 - mean as f32) / std as f32));
        if bytes.iter().any(|value| !value.is_finite()) {
            return Err(format!(
                "after scaling by {scale}, subtracting {mean} and dividing by {std}, pixels are not finite"
            ));
        }
    }
    Ok(table)
}

/// Three numbers, or one for all channels.
fn channels(config: &Map<String, Value>, key: &str, default: [f64; 3]) -> Parsed<[f64; 3]> {
    let Some(value) = present(config, key) else { return Ok(default) };
    let numbers = match value {
        Value::Array(values) => values.iter().map(Value::as_f64).collect::<Option<Vec<f64>>>(),
        one => one.as_f64().map(|number| vec![number; 3]),
    };
    numbers.and_then(|numbers| numbers.try_into().ok()).ok_or_else(|| format!("{key} = {value} is not three numbers"))
}

fn read_text(path: &Path) -> Parsed<String> {
    let bytes = regular_file::read(path, MAX_FILE).map_err(|refusal| match refusal {
        Refusal::TooLarge => "it is over 1 MiB, too large for a file of this name".to_owned(),
        Refusal::Io(cause) if cause.kind() != std::io::ErrorKind::NotFound => format!("it cannot be read: {cause}"),
        _ => refusal.to_string(),
    })?;
    String::from_utf8(bytes).map_err(|cause| format!("it cannot be read: {cause}"))
}

fn config_error(why: &str) -> Error {
    Error::new(ErrorKind::Model, Stage::Embed, format!("the image preprocessing configuration cannot be used: {why}"))
        .with_hint("Is this the folder of an image model, and was it downloaded completely?")
}
