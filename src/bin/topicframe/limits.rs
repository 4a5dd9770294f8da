//! Size limits for images.

use clap::Args;
use topicframe::prelude::Limits;

const MILLION: u64 = 1_000_000;

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Images")]
pub struct ImageLimits {
    /// Maximum number of pixels in an image, in millions; also scales the memory limit for decoding [default: 134, or
    /// that of a saved model's fit].
    #[arg(long, value_name = "N")]
    max_image_megapixels: Option<u64>,

    /// Maximum length of an image's longer side, in pixels [default: 32768, or that of a saved model's fit].
    #[arg(long, value_name = "PIXELS")]
    max_image_side: Option<u32>,

    /// Maximum size of an image file, in megabytes [default: 67, or that of a saved model's fit].
    #[arg(long, value_name = "N")]
    max_image_megabytes: Option<u64>,
}

impl ImageLimits {
    /// `limits`, with those that were given in place of its own.
    pub fn change(&self, mut limits: Limits) -> Limits {
        if let Some(megapixels) = self.max_image_megapixels {
            limits = limits.max_pixels(megapixels.saturating_mul(MILLION));
        }
        if let Some(side) = self.max_image_side {
            limits = limits.max_side(side);
        }
        if let Some(megabytes) = self.max_image_megabytes {
            limits = limits.max_bytes(megabytes.saturating_mul(MILLION));
        }
        limits
    }

    /// The options that were given.
    pub fn given(&self) -> Vec<&'static str> {
        let all = [
            ("--max-image-megapixels", self.max_image_megapixels.is_some()),
            ("--max-image-side", self.max_image_side.is_some()),
            ("--max-image-megabytes", self.max_image_megabytes.is_some()),
        ];
        all.into_iter().filter(|(_, given)| *given).map(|(option, _)| option).collect()
    }
}
