//! The built-in vectors: `builtin/README.md` documents where they come from and how they were made.

use std::borrow::Cow;

use safetensors::{Dtype, SafeTensors};

use super::token_table::{Rows, TokenTable};
use super::word_piece::WordPiece;
use crate::error::{Error, ErrorKind, Result, Stage};

static VOCABULARY: &str = include_str!("../builtin/vocabulary.txt");
static VECTORS: &[u8] = include_bytes!("../builtin/vectors.safetensors");

/// The vocabulary and its vectors. The vectors stay where they are in the binary; only the vocabulary's index is built,
/// in about a millisecond.
pub(super) fn load() -> Result<(WordPiece, TokenTable)> {
    let word_piece = WordPiece::new(VOCABULARY);
    let tensors = SafeTensors::deserialize(VECTORS).map_err(|cause| damaged("no safetensors").with_cause(cause))?;
    let embeddings = tensors.tensor("embeddings").map_err(|cause| damaged("no embeddings").with_cause(cause))?;
    let scales = tensors.tensor("scales").map_err(|cause| damaged("no scales").with_cause(cause))?;
    let &[rows, dimensions] = embeddings.shape() else {
        return Err(damaged("embeddings that are not a matrix"));
    };
    if embeddings.dtype() != Dtype::I8 || scales.dtype() != Dtype::F32 || scales.shape() != [rows] {
        return Err(damaged("unexpected types or shapes"));
    }
    if rows != word_piece.len() || dimensions == 0 {
        return Err(damaged("a vocabulary of a different length"));
    }
    let factors = scales.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    let rows = Rows::Int8(Cow::Borrowed(embeddings.data()));
    Ok((word_piece, TokenTable { dimensions, rows, factors, mapping: None }))
}

fn damaged(how: &str) -> Error {
    Error::new(ErrorKind::Internal, Stage::Embed, format!("the built-in vectors are damaged: {how}"))
        .with_hint("Rebuild the crate from a clean copy of its source.")
}
