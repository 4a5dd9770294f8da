//! Static embeddings: one vector per token, averaged over a text. No neural network runs, so a million captions take
//! seconds.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use ndarray::Array2;
use rayon::prelude::*;

use super::TextEmbedder;
use crate::error::{Error, Result, Stage};
use crate::hub::Origin;
use crate::linalg::memory::check_memory;
use crate::progress::Progress;

mod builtin;
mod char_folds;
mod directory;
mod folder_tokenizer;
mod token_table;
mod word_piece;

use folder_tokenizer::FolderTokenizer;
use token_table::TokenTable;
use word_piece::{Scratch, WordPiece};

/// Texts per unit of parallel work.
const CHUNK: usize = 128;

/// Embeds texts with a table of token vectors: their weighted mean, L2-normalized.
///
/// The tables are distilled from a sentence transformer as in Model2Vec (Tulkens and van Dongen 2024): the transformer
/// embeds each token of its vocabulary once, and the vectors are reduced by PCA and down-weighted by token frequency
/// (smooth inverse frequency, Arora et al. 2017). Much of the transformer's semantic quality survives, at about a
/// thousandth of its cost; word order does not.
///
/// A text without a known token (empty, whitespace, only unknown characters) yields a row of zeros. The rows do not
/// depend on the number of threads. Cloning is cheap.
///
/// ```
/// use topicframe::embed::{StaticEmbedder, TextEmbedder};
/// use topicframe::progress::Progress;
///
/// let embedder = StaticEmbedder::builtin();
/// let rows = embedder.embed_texts(&["a sailing boat", "a yacht on the sea", "income tax"], &Progress::silent())?;
/// assert!(rows.row(0).dot(&rows.row(1)) > rows.row(0).dot(&rows.row(2)));
/// # Ok::<(), topicframe::error::Error>(())
/// ```
#[derive(Clone)]
pub struct StaticEmbedder(Arc<Model>);

/// The model, or the error from reading the built-in one, which the embedder reports when it is used.
type Model = std::result::Result<Loaded, Error>;

struct Loaded {
    origin: Origin,
    tokenizer: Tokenizer,
    table: TokenTable,
}

enum Tokenizer {
    WordPiece(WordPiece),
    Folder(Box<FolderTokenizer>),
}

impl StaticEmbedder {
    /// The built-in embedder: English, distilled from all-MiniLM-L6-v2 (Apache-2.0).
    ///
    /// All returned embedders share one table; the first call prepares it in a few milliseconds. Texts are not
    /// truncated: all of their tokens count.
    pub fn builtin() -> Self {
        static BUILTIN: OnceLock<Arc<Model>> = OnceLock::new();
        StaticEmbedder(Arc::clone(BUILTIN.get_or_init(|| {
            let load = |(word_piece, table)| Loaded {
                origin: Origin::BuiltIn,
                tokenizer: Tokenizer::WordPiece(word_piece),
                table,
            };
            Arc::new(builtin::load().map(load))
        })))
    }

    /// Loads a folder saved by Model2Vec: `model.safetensors` (`embeddings` in F64, F32, F16, BF16 or I8, and the
    /// optional `weights` and `mapping` of a quantized vocabulary), `tokenizer.json` and `config.json`.
    ///
    /// Produces Model2Vec's vectors (checked against 0.10), with its limit on text length: the configuration's
    /// `max_length` tokens, by default 512. As [`TextEmbedder`] promises, rows have length 1 even if the configuration
    /// says `"normalize": false`.
    ///
    /// # Errors
    /// [`ErrorKind::Model`](crate::error::ErrorKind::Model), naming the file, if the folder or a file is missing, too
    /// large or damaged, or if the tensors do not match the tokenizer.
    pub fn from_dir(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let (tokenizer, table) = directory::load(folder)?;
        let tokenizer = Tokenizer::Folder(Box::new(tokenizer));
        let origin = Origin::of_folder(folder);
        Ok(StaticEmbedder(Arc::new(Ok(Loaded { origin, tokenizer, table }))))
    }

    /// The known tokens of `text` in order, as spelled in the vocabulary: the ones that its vector averages. A text
    /// without any has no vector, and its row belongs to no topic.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let embedder = StaticEmbedder::builtin();
    /// assert!(embedder.tokenize("A cat!")?.contains(&"cat".to_owned()));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`TextEmbedder::embed_texts`]: only a tokenizer loaded from a folder can fail on a text.
    pub fn tokenize(&self, text: &str) -> Result<Vec<String>> {
        let model = self.model()?;
        let mut ids = Vec::new();
        model.encode(text, &mut Scratch::default(), &mut ids)?;
        Ok(ids.into_iter().filter_map(|id| model.token(id)).collect())
    }

    fn model(&self) -> Result<&Loaded> {
        self.0.as_ref().as_ref().map_err(Error::clone)
    }
}

impl Loaded {
    fn encode(&self, text: &str, scratch: &mut Scratch, ids: &mut Vec<u32>) -> Result<()> {
        match &self.tokenizer {
            Tokenizer::WordPiece(word_piece) => word_piece.encode(text, scratch, ids),
            Tokenizer::Folder(tokenizer) => tokenizer.encode(text, ids),
        }
    }

    fn token(&self, id: u32) -> Option<String> {
        match &self.tokenizer {
            Tokenizer::WordPiece(word_piece) => word_piece.token(id).map(str::to_owned),
            Tokenizer::Folder(tokenizer) => tokenizer.token(id),
        }
    }

    /// Embeds `texts` into `rows`, one after the other.
    fn embed(&self, texts: &[&str], rows: &mut [f32]) -> Result<()> {
        let (mut scratch, mut ids) = (Scratch::default(), Vec::new());
        for (text, row) in texts.iter().zip(rows.chunks_exact_mut(self.table.dimensions)) {
            ids.clear();
            self.encode(text, &mut scratch, &mut ids)?;
            self.table.pool(&ids, row);
        }
        Ok(())
    }
}

impl TextEmbedder for StaticEmbedder {
    /// There are no parameters to check, but [`builtin`](Self::builtin) cannot report an error.
    ///
    /// # Errors
    /// The built-in table cannot be read.
    fn check(&self) -> Result<()> {
        self.model().map(|_| ())
    }

    fn dimensions(&self) -> usize {
        self.model().map_or(0, |model| model.table.dimensions)
    }

    fn origin(&self) -> Option<Origin> {
        self.model().ok().map(|model| model.origin.clone())
    }

    /// Every token counts the same, so a few URLs outweigh a sentence.
    fn wants_clean_texts(&self) -> bool {
        true
    }

    fn embed_texts(&self, texts: &[&str], progress: &Progress) -> Result<Array2<f32>> {
        let model = self.model()?;
        let dimensions = model.table.dimensions;
        let task = progress.task(Stage::Embed, "texts", texts.len());
        check_memory(Stage::Embed, "the vectors of the texts", texts.len(), dimensions)?;
        let mut rows = vec![0.0; texts.len() * dimensions];
        rows.par_chunks_mut(CHUNK * dimensions).zip(texts.par_chunks(CHUNK)).try_for_each(|(rows, texts)| {
            progress.check(Stage::Embed)?;
            model.embed(texts, rows)?;
            task.advance(texts.len());
            Ok::<(), Error>(())
        })?;
        Array2::from_shape_vec((texts.len(), dimensions), rows).map_err(|cause| {
            Error::new(crate::error::ErrorKind::Internal, Stage::Embed, "the rows do not fill a matrix")
                .with_cause(cause)
        })
    }
}

impl fmt::Debug for StaticEmbedder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_ref() {
            Ok(model) => write!(f, "StaticEmbedder({}, {} dimensions)", model.origin, model.table.dimensions),
            Err(error) => write!(f, "StaticEmbedder({error})"),
        }
    }
}
