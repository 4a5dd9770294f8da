//! A drawing as PNG, by resvg, with the fonts of the system.

use std::sync::{Arc, OnceLock};

use image::RgbImage;
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::fontdb::{Database, Family, Query};
use resvg::usvg::{ImageHrefResolver, Options, Tree};

use super::canvas::PIXELATED;
use crate::error::{Error, ErrorKind, Hint, Result, Stage};
use crate::guard::caught;
use crate::vision::{Encoding, encode};

/// Pixels of the image for each pixel of the drawing: for high-density screens.
const SCALE: f64 = 2.0;

/// The largest number of pixels: of larger drawings, the scale is smaller.
const MOST_PIXELS: f64 = 32e6;

/// Fonts without serifs, where the system does not say which one it prefers.
const SANS: [&str; 8] =
    ["DejaVu Sans", "Liberation Sans", "Noto Sans", "Arial", "Helvetica", "Segoe UI", "Roboto", "Open Sans"];

/// The `svg` of this size as PNG.
pub(super) fn png(svg: &str, (width, height): (f64, f64)) -> Result<Vec<u8>> {
    let fonts = fonts()?;
    let scale = SCALE.min((MOST_PIXELS / (width * height).max(1.0)).sqrt());
    let drawn = caught(|| drawn(svg, fonts, scale));
    let image = drawn.unwrap_or_else(|_| Err("resvg panicked".to_owned()));
    let image = image.map_err(|why| {
        Error::new(ErrorKind::Internal, Stage::Display, format!("the figure cannot be drawn as PNG: {why}"))
            .with_hint(Hint::new("Write it as .svg."))
    })?;
    Ok(encode(&image, Encoding::Png)?.bytes)
}

fn drawn(svg: &str, fontdb: Arc<Database>, scale: f64) -> std::result::Result<RgbImage, String> {
    // Figures have their images in them: nothing is read from files.
    let image_href_resolver =
        ImageHrefResolver { resolve_string: Box::new(|_, _| None), ..ImageHrefResolver::default() };
    let options = Options { fontdb, image_href_resolver, ..Options::default() };
    // What browsers call pixelated, usvg reads in a style only.
    let svg = svg.replace(PIXELATED, " image-rendering=\"optimizeSpeed\"");
    let tree = Tree::from_str(&svg, &options).map_err(|error| error.to_string())?;
    let size = tree.size();
    let side = |length: f32| (f64::from(length) * scale).ceil() as u32;
    let (width, height) = (side(size.width()), side(size.height()));
    let mut pixels = Pixmap::new(width, height).ok_or_else(|| format!("it has {width} x {height} pixels"))?;
    resvg::render(&tree, Transform::from_scale(scale as f32, scale as f32), &mut pixels.as_mut());
    // The ground is opaque.
    let rgb = pixels.data().chunks_exact(4).flat_map(|pixel| pixel.iter().take(3)).copied().collect();
    RgbImage::from_raw(width, height, rgb).ok_or_else(|| "its size is not that of its pixels".to_owned())
}

/// The fonts of the system, read once.
fn fonts() -> Result<Arc<Database>> {
    static FONTS: OnceLock<Arc<Database>> = OnceLock::new();
    let fonts = FONTS.get_or_init(|| Arc::new(caught(of_system).unwrap_or_default()));
    match fonts.is_empty() {
        false => Ok(Arc::clone(fonts)),
        true => Err(Error::new(
            ErrorKind::NotFound,
            Stage::Display,
            "the system has no fonts, so text cannot be drawn as PNG",
        )
        .with_hint(Hint::new("Install a font, such as DejaVu Sans, or write the figure as .svg."))),
    }
}

fn of_system() -> Database {
    let mut fonts = Database::new();
    fonts.load_system_fonts();
    let has = |fonts: &Database, family: Family<'_>| {
        fonts.query(&Query { families: &[family], ..Query::default() }).is_some()
    };
    if !has(&fonts, Family::SansSerif) {
        let known = SANS.into_iter().find(|name| has(&fonts, Family::Name(name))).map(str::to_owned);
        let any = || fonts.faces().find_map(|face| Some(face.families.first()?.0.clone()));
        if let Some(name) = known.or_else(any) {
            fonts.set_sans_serif_family(name);
        }
    }
    fonts
}
