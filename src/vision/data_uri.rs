//! Images in `data:` URIs: `data:image/png;base64,...` (RFC 2397).

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::percent_decode;

use super::image_error::image_error;
use super::limits::Limits;
use crate::error::Result;

const SCHEME: &str = "data:";

/// Some writers omit the padding, and others cut it off.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// Whether `text` is a `data:` URI.
pub(crate) fn is_data_uri(text: &str) -> bool {
    text.trim_start().get(..SCHEME.len()).is_some_and(|start| start.eq_ignore_ascii_case(SCHEME))
}

/// A `data:` URI for display in messages: without its data.
pub(crate) fn label(uri: &str) -> String {
    const MAX_LENGTH: usize = 60;
    let head: String = uri.trim_start().chars().take_while(|&c| c != ',').take(MAX_LENGTH).collect();
    format!("{head},… ({} characters)", uri.len())
}

/// The bytes in a `data:` URI. Whitespace and percent-encoding are removed; the media type is ignored.
pub(super) fn bytes_of(uri: &str, limits: &Limits) -> Result<Vec<u8>> {
    let body = uri.trim().get(SCHEME.len()..).unwrap_or_default();
    let Some((head, data)) = body.split_once(',') else {
        return Err(image_error("the data: URI has no data: there is no comma in it"));
    };
    let is_base64 = head.rsplit(';').next().is_some_and(|last| last.trim().eq_ignore_ascii_case("base64"));
    // The text is longer than the bytes that it encodes.
    limits.check_bytes(if is_base64 { data.len() as u64 / 4 * 3 } else { data.len() as u64 / 3 })?;
    let mut bytes: Vec<u8> = percent_decode(data.as_bytes()).collect();
    if is_base64 {
        bytes.retain(|byte| !byte.is_ascii_whitespace());
        let engine = if bytes.iter().any(|byte| matches!(byte, b'-' | b'_')) { URL_SAFE } else { STANDARD };
        bytes = engine.decode(&bytes).map_err(|cause| image_error("the data: URI is not base64").with_cause(cause))?;
    }
    limits.check_bytes(bytes.len() as u64)?;
    match bytes.is_empty() {
        true => Err(image_error("the data: URI is empty")),
        false => Ok(bytes),
    }
}
