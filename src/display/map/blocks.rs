//! Texts in deflated blocks: a page inflates only the block it looks into.

use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use rayon::prelude::*;

use super::super::markup::cut;
use crate::corpus::internal;
use crate::error::Result;

/// Rows in a block.
pub(super) const ROWS: usize = 1_024;

/// Between the texts of a block. Texts do not contain it.
const SEPARATOR: char = '\0';

/// Deflated blocks one after the other. Each begins at a multiple of three bytes, which is a place between two groups of
/// base64, so that a page can decode a block by itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Blocks {
    pub(super) bytes: Vec<u8>,
    /// The lengths of the blocks in bytes, without padding.
    pub(super) lengths: Vec<usize>,
    /// The number of texts that were cut.
    pub(super) shortened: usize,
}

/// `texts`, each cut to `limit` characters.
pub(super) fn blocks(texts: &[Option<&str>], limit: usize) -> Result<Blocks> {
    let deflated: Result<Vec<(Vec<u8>, usize)>> = texts.par_chunks(ROWS).map(|texts| block(texts, limit)).collect();
    let mut blocks = Blocks::default();
    for (bytes, shortened) in deflated? {
        blocks.lengths.push(bytes.len());
        blocks.shortened += shortened;
        blocks.bytes.extend_from_slice(&bytes);
        blocks.bytes.resize(blocks.bytes.len().next_multiple_of(3), 0);
    }
    Ok(blocks)
}

fn block(texts: &[Option<&str>], limit: usize) -> Result<(Vec<u8>, usize)> {
    let (mut whole, mut shortened) = (String::new(), 0);
    for (place, text) in texts.iter().map(|text| text.unwrap_or_default()).enumerate() {
        if place > 0 {
            whole.push(SEPARATOR);
        }
        match cut(text, limit) {
            None => whole.extend(text.chars().map(plain)),
            Some(head) => {
                whole.extend(head.trim_end().chars().map(plain));
                whole.push('…');
                shortened += 1;
            }
        }
    }
    Ok((deflated(whole.as_bytes())?, shortened))
}

/// As in [`escape_html`](super::super::escape_html), directional overrides and control characters other than line breaks
/// and tabs become U+FFFD.
pub(super) fn plain(character: char) -> char {
    match character {
        '\n' | '\t' | '\r' => character,
        '\u{202D}' | '\u{202E}' => '\u{FFFD}',
        _ if character.is_control() => '\u{FFFD}',
        _ => character,
    }
}

/// `bytes`, deflated without a header.
pub(super) fn deflated(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = DeflateEncoder::new(Vec::with_capacity(bytes.len() / 2), Compression::new(7));
    encoder.write_all(bytes).and_then(|()| encoder.finish()).map_err(internal)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::DeflateDecoder;

    use super::*;

    fn inflated(blocks: &Blocks) -> Vec<String> {
        let mut texts = Vec::new();
        let mut start = 0;
        for &length in &blocks.lengths {
            let mut block = String::new();
            DeflateDecoder::new(&blocks.bytes[start..start + length]).read_to_string(&mut block).unwrap();
            texts.extend(block.split(SEPARATOR).map(str::to_owned));
            start = (start + length).next_multiple_of(3);
        }
        assert_eq!(start, blocks.bytes.len());
        texts
    }

    #[test]
    fn hostile_texts_come_back() {
        let long = "ab".repeat(500_000);
        let hostile = ["</script><script>alert(1)</script>", "\"'`&<>", "שלום \u{200F}x", "", "🏳️‍🌈\n\ttwo", "﷽"];
        let texts: Vec<Option<&str>> =
            hostile.iter().map(|text| Some(*text)).chain([None]).cycle().take(2_500).collect();
        let blocks = blocks(&texts, 300).unwrap();
        assert_eq!((blocks.lengths.len(), blocks.shortened), (3, 0));
        let plain: Vec<String> = texts.iter().map(|text| text.unwrap_or_default().to_owned()).collect();
        assert_eq!(inflated(&blocks), plain);
        let cut = super::blocks(&[Some(&long), Some("a\0b\u{202E}c\u{1b}")], 300).unwrap();
        assert_eq!(cut.shortened, 1);
        assert_eq!(inflated(&cut), [format!("{}…", "ab".repeat(150)), "a\u{FFFD}b\u{FFFD}c\u{FFFD}".to_owned()]);
    }

    #[test]
    fn the_number_of_threads_does_not_matter() {
        let texts: Vec<String> = (0..3_000).map(|row| format!("text {row}")).collect();
        let texts: Vec<Option<&str>> = texts.iter().map(|text| Some(text.as_str())).collect();
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| blocks(&texts, 100).unwrap())
        };
        assert_eq!(on(1), on(3));
    }
}
