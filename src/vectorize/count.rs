//! Texts to counts of terms.

use std::fmt;

use hashbrown::hash_table::HashTable;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::hash::BuildHasher;

use super::cleaning::{LeftOut, TextCleaning};
use super::forms::in_one_form;
use super::reading::Reading;
use super::select::{NO_COLUMN, select};
use super::stop_words::StopWords;
use super::terms::{ByTerm, Hasher, MOST, Terms};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::linalg::sparse::CsrMatrix;
use crate::progress::{Progress, Task};

/// The longest n-gram that can be asked for.
const LONGEST_NGRAM: usize = 10;
/// Bytes of the longest word: what is longer is encoded data or a broken file, and would fill every table.
const LONGEST_WORD: usize = 256;
/// Texts are counted in pieces of about so many bytes. A piece has its own table of terms, so small pieces cost merging
/// and large ones leave threads without work.
const PIECE: usize = 1 << 20;

/// In how many documents a term must or may occur.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum DocumentFrequency {
    /// So many documents.
    Count(usize),
    /// This share of the documents, 0.0 to 1.0.
    Share(f64),
}

impl DocumentFrequency {
    /// As a number of documents, of `documents` in all.
    pub(super) fn documents(self, documents: usize) -> f64 {
        match self {
            DocumentFrequency::Count(count) => count as f64,
            DocumentFrequency::Share(share) => share * documents as f64,
        }
    }

    fn check(self, name: &str) -> Result<()> {
        let (fits, allowed) = match self {
            DocumentFrequency::Count(count) => (count > 0, "1 or more documents, or a share such as 0.5"),
            DocumentFrequency::Share(share) => ((0.0..=1.0).contains(&share), "a share from 0.0 to 1.0"),
        };
        if fits { Ok(()) } else { Err(Error::parameter(Stage::Vectorize, name, self, allowed)) }
    }
}

impl From<usize> for DocumentFrequency {
    fn from(count: usize) -> Self {
        DocumentFrequency::Count(count)
    }
}

impl From<f64> for DocumentFrequency {
    fn from(share: f64) -> Self {
        DocumentFrequency::Share(share)
    }
}

impl fmt::Display for DocumentFrequency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DocumentFrequency::Count(count) => write!(f, "{count}"),
            DocumentFrequency::Share(share) => write!(f, "{share:?}"),
        }
    }
}

/// Counts the words and n-grams of texts, with the semantics of scikit-learn's `CountVectorizer`, in any script.
///
/// A word is two or more letters, digits or underscores in a row. Unlike in Python, vowel signs and accents that are
/// characters of their own stay in their word; a word in two Unicode forms (accents composed or not, letters of full width,
/// ligatures) is one word; what is longer than 256 bytes is not; and addresses, tags and entities of scraped texts are
/// none ([`TextCleaning`]). Where a script has no spaces between words, there is no dictionary either, and words are found
/// by rules:
///
/// - Ideographs: a run of up to 3 is a word (猫, 東京, 図書館), one of 4 is two words (東京大学: 東京, 大学), and in a longer
///   one every two neighbors are a word.
/// - Katakana: a run of 2 or more is a word (カメラ).
/// - Hiragana: a run right after another word is an ending or a particle and left out; any other is a word.
/// - Thai, Lao, Khmer, Burmese: a run of up to 10 user-perceived characters is a word; in a longer one, every three
///   neighbors are. Put spaces between the words beforehand, if you can.
///
/// The columns are the different terms in the order of their code points.
///
/// ```
/// # use topicframe::{progress::Progress, vectorize::CountVectorizer};
/// let texts = ["the cat and the dog", "a dog, two dogs, a bird"];
/// let counted = CountVectorizer::new().ngram_range(1, 2).fit_transform(&texts, &Progress::silent())?;
/// assert_eq!(counted.vectorizer.vocabulary(), ["bird", "cat", "cat dog", "dog", "dog dogs", "dogs", "dogs bird"]);
/// assert_eq!(counted.counts.get(1, 3), 1);
/// # Ok::<(), topicframe::error::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CountVectorizer {
    pub(super) lowercase: bool,
    pub(super) ngram_range: (usize, usize),
    pub(super) stop_words: StopWords,
    // What was fitted before there was this setting counted everything.
    #[serde(default = "uncleaned")]
    pub(super) cleaning: TextCleaning,
    pub(super) min_df: DocumentFrequency,
    pub(super) max_df: DocumentFrequency,
    pub(super) max_features: Option<usize>,
}

fn uncleaned() -> TextCleaning {
    TextCleaning::None
}

impl Default for CountVectorizer {
    fn default() -> Self {
        CountVectorizer::new()
    }
}

impl CountVectorizer {
    /// Single words in lower case; the stop words of the texts' language, where it is clear, and what scrapers leave in
    /// texts are left out.
    pub fn new() -> Self {
        CountVectorizer {
            lowercase: true,
            ngram_range: (1, 1),
            stop_words: StopWords::Auto,
            cleaning: TextCleaning::Auto,
            min_df: DocumentFrequency::Count(1),
            max_df: DocumentFrequency::Share(1.0),
            max_features: None,
        }
    }

    /// Whether `Cat` counts as `cat`. Default true.
    #[must_use]
    pub fn lowercase(mut self, lowercase: bool) -> Self {
        self.lowercase = lowercase;
        self
    }

    /// Terms of `shortest` to `longest` words that follow each other, 1 to 10. Default 1 to 1: single words.
    #[must_use]
    pub fn ngram_range(mut self, shortest: usize, longest: usize) -> Self {
        self.ngram_range = (shortest, longest);
        self
    }

    /// Words to leave out, before n-grams are formed. Default [`StopWords::Auto`].
    #[must_use]
    pub fn stop_words(mut self, stop_words: StopWords) -> Self {
        self.stop_words = stop_words;
        self
    }

    /// What to leave out of scraped texts: addresses, tags, entities. Default [`TextCleaning::Auto`]; in a
    /// [`TopicModel`](crate::model::TopicModel), Auto is what the model's own
    /// [`cleaning`](crate::model::TopicModel::cleaning) says.
    #[must_use]
    pub fn cleaning(mut self, cleaning: TextCleaning) -> Self {
        self.cleaning = cleaning;
        self
    }

    /// The same, with `cleaning` where this has [`TextCleaning::Auto`].
    pub(crate) fn cleaned_by_default(&self, cleaning: TextCleaning) -> Self {
        let own = self.cleaning != TextCleaning::Auto;
        CountVectorizer { cleaning: if own { self.cleaning } else { cleaning }, ..self.clone() }
    }

    /// How texts are read.
    fn reading(&self) -> Reading {
        Reading { lowercase: self.lowercase, cleaning: self.cleaning }
    }

    /// Leaves out terms that fewer documents hold: a count (1 or more) or a share of the documents (0.0 to 1.0).
    /// Default 1.
    #[must_use]
    pub fn min_df(mut self, min_df: impl Into<DocumentFrequency>) -> Self {
        self.min_df = min_df.into();
        self
    }

    /// Leaves out terms that more documents hold: a count (1 or more) or a share of the documents (0.0 to 1.0).
    /// Default 1.0.
    #[must_use]
    pub fn max_df(mut self, max_df: impl Into<DocumentFrequency>) -> Self {
        self.max_df = max_df.into();
        self
    }

    /// Keeps only the terms that occur most often in all texts together, so many (1 or more); of terms that occur
    /// equally often, the first in the vocabulary. Default: all.
    #[must_use]
    pub fn max_features(mut self, max_features: usize) -> Self {
        self.max_features = Some(max_features);
        self
    }

    /// Checks every parameter.
    ///
    /// # Errors
    /// The first parameter that is out of its range.
    pub fn check(&self) -> Result<()> {
        let (shortest, longest) = self.ngram_range;
        if shortest == 0 || shortest > longest || longest > LONGEST_NGRAM {
            let allowed = "1 or more words, the first number not above the second, the second at most 10";
            return Err(Error::parameter(Stage::Vectorize, "ngram_range", format!("({shortest}, {longest})"), allowed));
        }
        self.min_df.check("min_df")?;
        self.max_df.check("max_df")?;
        let crossed = match (self.min_df, self.max_df) {
            (DocumentFrequency::Count(min), DocumentFrequency::Count(max)) => min > max,
            (DocumentFrequency::Share(min), DocumentFrequency::Share(max)) => min > max,
            _ => false,
        };
        if crossed {
            let allowed = format!("at most max_df = {}", self.max_df);
            return Err(Error::parameter(Stage::Vectorize, "min_df", self.min_df, &allowed));
        }
        if self.max_features == Some(0) {
            return Err(Error::parameter(Stage::Vectorize, "max_features", 0, "1 or more"));
        }
        Ok(())
    }

    /// Finds the terms of `texts` and counts them. The result is the same on any number of threads.
    ///
    /// # Errors
    /// A parameter out of its range; no texts; texts of stop words alone; no term that min_df and
    /// max_df allow.
    pub fn fit_transform(&self, texts: &[&str], progress: &Progress) -> Result<CountMatrix> {
        self.check()?;
        if texts.is_empty() {
            return Err(Error::new(ErrorKind::InvalidData, Stage::Vectorize, "there are no texts to count words in"));
        }
        let cleaning = self.cleaning.resolve(texts);
        let stop_words = self.stop_words.resolve(texts, &Reading { lowercase: true, cleaning });
        let settings = CountVectorizer { stop_words, cleaning, ..self.clone() };
        let task = progress.task(Stage::Vectorize, "words", texts.len());
        let (terms, pieces, left_out) = Counter::new(&settings).count(texts, &task)?;
        task.finish()?;
        left_out.tell(texts.len(), progress);
        let selection = select(&terms, &settings, texts.len())?;
        drop(terms);
        self.stop_words.tell(&settings.stop_words, progress);
        let counts =
            to_matrix(pieces, selection.vocabulary.len(), |piece, term| selection.columns.get(piece.numbers.get(term)));
        Ok(CountMatrix { counts, vectorizer: FittedCountVectorizer::with_index(settings, selection.vocabulary) })
    }
}

/// What [`CountVectorizer::fit_transform`] gives.
#[derive(Debug, Clone)]
pub struct CountMatrix {
    /// How often each text (row) holds each term (column).
    pub counts: CsrMatrix<u32>,
    /// The terms, and the way to count them in other texts.
    pub vectorizer: FittedCountVectorizer,
}

/// A vocabulary, and how its terms are counted.
#[derive(Clone)]
pub struct FittedCountVectorizer {
    settings: CountVectorizer,
    vocabulary: Vec<String>,
    hasher: Hasher,
    index: HashTable<u32>,
}

impl FittedCountVectorizer {
    /// The vectorizer of a fit, from its [`settings`](Self::settings) and its [`vocabulary`](Self::vocabulary).
    ///
    /// # Errors
    /// A setting is out of its range; stop words or cleaning are still `Auto`; the vocabulary does not ascend.
    pub fn from_vocabulary(settings: CountVectorizer, vocabulary: Vec<String>) -> Result<Self> {
        settings.check()?;
        if settings.cleaning == TextCleaning::Auto {
            let allowed = "None, Markup or All: Auto needs the texts of the fit";
            return Err(Error::parameter(Stage::Vectorize, "cleaning", "Auto", allowed));
        }
        if settings.stop_words == StopWords::Auto {
            let allowed = "English, None, Languages or a List: Auto needs the texts of the fit";
            return Err(Error::parameter(Stage::Vectorize, "stop_words", "Auto", allowed));
        }
        if let Some(pair) = vocabulary.windows(2).find(|pair| pair[0] >= pair[1]) {
            let message = format!("the vocabulary does not ascend: `{}` comes before `{}`", pair[0], pair[1]);
            return Err(Error::new(ErrorKind::InvalidData, Stage::Vectorize, message));
        }
        Ok(FittedCountVectorizer::with_index(settings, vocabulary))
    }

    fn with_index(settings: CountVectorizer, vocabulary: Vec<String>) -> Self {
        let hasher = Hasher::default();
        let mut index = HashTable::with_capacity(vocabulary.len());
        for (column, term) in vocabulary.iter().enumerate() {
            // As texts are read, however the term is written.
            let hash_of = |&column: &u32| hasher.hash_one(&*in_one_form(&vocabulary[column as usize]));
            index.insert_unique(hasher.hash_one(&*in_one_form(term)), column as u32, hash_of);
        }
        FittedCountVectorizer { settings, vocabulary, hasher, index }
    }

    /// The settings of the fit. Its stop words say what [`StopWords::Auto`] came to.
    pub fn settings(&self) -> &CountVectorizer {
        &self.settings
    }

    /// The stop words of the fit: what [`StopWords::Auto`] came to, where that was asked for.
    pub fn stop_words(&self) -> &StopWords {
        &self.settings.stop_words
    }

    /// The terms, one a column, in the order of their code points.
    pub fn vocabulary(&self) -> &[String] {
        &self.vocabulary
    }

    /// The column of `term`, in whichever Unicode form.
    pub fn index_of(&self, term: &str) -> Option<usize> {
        let term = in_one_form(term);
        let same = |&column: &u32| in_one_form(&self.vocabulary[column as usize]) == term;
        self.index.find(self.hasher.hash_one(&*term), same).map(|&column| column as usize)
    }

    /// How often each of `texts` (row) holds each term of the vocabulary (column). Other terms are left out.
    pub fn transform(&self, texts: &[&str]) -> CsrMatrix<u32> {
        let counter = Counter::new(&self.settings);
        let count = |texts: &&[&str]| {
            let piece = counter.piece(texts);
            let left_out = LeftOut::default();
            Piece { numbers: self.columns_of(&piece.numbers), texts: piece.texts, cells: piece.cells, left_out }
        };
        let pieces: Pieces = in_pieces(texts).par_iter().map(count).collect();
        to_matrix(pieces, self.vocabulary.len(), |piece, term| piece.numbers.get(term))
    }

    fn columns_of(&self, terms: &Terms) -> ByTerm<u32> {
        let mut columns = ByTerm::filled(terms, NO_COLUMN);
        let mut text = String::new();
        for term in terms.numbers().filter(|&term| terms.totals(term).documents > 0) {
            text.clear();
            terms.write(term, &mut text);
            *columns.get_mut(term) = self.index_of(&text).map_or(NO_COLUMN, |column| column as u32);
        }
        columns
    }
}

impl fmt::Debug for FittedCountVectorizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("FittedCountVectorizer");
        out.field("settings", &self.settings).field("terms", &self.vocabulary.len()).finish()
    }
}

/// Texts piece by piece, with the numbers of their terms elsewhere.
type Pieces = Vec<Piece<ByTerm<u32>>>;

/// Some texts in a row, counted.
struct Piece<T> {
    /// What the numbers of the terms in `cells` mean: a table of terms, or their numbers elsewhere.
    numbers: T,
    /// Where the cells of each text end.
    texts: Vec<usize>,
    /// Terms and how often the text holds them.
    cells: Vec<(u32, u32)>,
    left_out: LeftOut,
}

struct Counter<'a> {
    settings: &'a CountVectorizer,
    /// Different stop words, as words of the texts are written. They are the first terms of every table.
    stop_words: Vec<String>,
    hasher: Hasher,
}

impl<'a> Counter<'a> {
    fn new(settings: &'a CountVectorizer) -> Self {
        let reading = Reading { cleaning: TextCleaning::None, ..settings.reading() };
        let stop_words = reading.words_of_entries(settings.stop_words.words().into_iter());
        Counter { settings, stop_words, hasher: Hasher::default() }
    }

    /// All terms of `texts`; the texts piece by piece, with the numbers of the piece's terms among all; and what of the texts
    /// was left out as no words.
    fn count(&self, texts: &[&str], task: &Task) -> Result<(Terms, Pieces, LeftOut)> {
        let mut all_left_out = LeftOut::default();
        let mut terms = Terms::new(&self.stop_words, self.hasher.clone());
        let mut counted = Vec::new();
        // A few pieces at a time, so that only a few tables of terms exist at once.
        for wave in in_pieces(texts).chunks(rayon::current_num_threads() * 4) {
            if task.is_interrupted() {
                break;
            }
            let count = |texts: &&[&str]| {
                let piece = self.piece(texts);
                task.advance(texts.len());
                piece
            };
            let pieces: Vec<Piece<Terms>> = wave.par_iter().map(count).collect();
            for Piece { numbers, texts, cells, left_out } in pieces {
                if terms.word_count() + numbers.word_count() > MOST
                    || terms.ngram_count() + numbers.ngram_count() > MOST
                {
                    return Err(too_many_terms());
                }
                all_left_out.add(&left_out);
                counted.push(Piece { numbers: terms.absorb(&numbers), texts, cells, left_out });
            }
        }
        Ok((terms, counted, all_left_out))
    }

    fn piece(&self, texts: &[&str]) -> Piece<Terms> {
        let mut terms = Terms::new(&self.stop_words, self.hasher.clone());
        let (mut ends, mut cells) = (Vec::with_capacity(texts.len()), Vec::new());
        let (mut buffer, mut words, mut found) = (String::new(), Vec::new(), Vec::new());
        let mut left_out = LeftOut::default();
        for text in texts {
            self.words_of(text, &mut buffer, &mut left_out, &mut terms, &mut words);
            self.terms_of(&words, &mut terms, &mut found);
            found.sort_unstable();
            for same in found.chunk_by(|a, b| a == b) {
                terms.add_document(same[0], same.len() as u32);
                cells.push((same[0], same.len() as u32));
            }
            ends.push(cells.len());
        }
        Piece { numbers: terms, texts: ends, cells, left_out }
    }

    /// The words of `text` that are not stop words.
    fn words_of(
        &self,
        text: &str,
        buffer: &mut String,
        left_out: &mut LeftOut,
        terms: &mut Terms,
        words: &mut Vec<u32>,
    ) {
        words.clear();
        self.settings.reading().for_each_word_counting(text, buffer, left_out, |word| {
            if word.len() > LONGEST_WORD {
                return;
            }
            let word = terms.word(word);
            if word as usize >= self.stop_words.len() {
                words.push(word);
            }
        });
    }

    /// The n-grams of `words`, of the lengths that are asked for.
    fn terms_of(&self, words: &[u32], terms: &mut Terms, found: &mut Vec<u32>) {
        let (shortest, longest) = self.settings.ngram_range;
        found.clear();
        if shortest == 1 {
            found.extend_from_slice(words);
        }
        for start in 0..if longest > 1 { words.len() } else { 0 } {
            let mut term = words[start];
            for (more, &word) in words[start + 1..].iter().take(longest - 1).enumerate() {
                term = terms.ngram(term, word);
                if more + 2 >= shortest {
                    found.push(term);
                }
            }
        }
    }
}

/// `texts` in pieces of about [`PIECE`] bytes.
fn in_pieces<'t, 's>(texts: &'t [&'s str]) -> Vec<&'t [&'s str]> {
    let mut pieces = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (i, text) in texts.iter().enumerate() {
        // An empty text is work too.
        bytes += text.len() + 16;
        if bytes >= PIECE || i + 1 == texts.len() {
            pieces.push(&texts[start..=i]);
            (start, bytes) = (i + 1, 0);
        }
    }
    pieces
}

/// The pieces as one matrix of `cols` columns. `column` says where a piece's term goes; [`NO_COLUMN`] leaves it out.
fn to_matrix(
    mut pieces: Pieces,
    cols: usize,
    column: impl Fn(&Piece<ByTerm<u32>>, u32) -> u32 + Sync,
) -> CsrMatrix<u32> {
    pieces.par_iter_mut().for_each(|piece| move_to_columns(piece, &column));
    let total = pieces.iter().map(|piece| piece.cells.len()).sum();
    let texts: usize = pieces.iter().map(|piece| piece.texts.len()).sum();
    let mut indptr = Vec::with_capacity(texts + 1);
    let (mut indices, mut data) = (Vec::with_capacity(total), Vec::with_capacity(total));
    indptr.push(0);
    for piece in pieces {
        let before = indices.len();
        indptr.extend(piece.texts.iter().map(|end| before + end));
        indices.extend(piece.cells.iter().map(|cell| cell.0));
        data.extend(piece.cells.iter().map(|cell| cell.1));
    }
    CsrMatrix::from_sorted(cols, indptr, indices, data)
}

/// Replaces terms by columns, drops those without, and sorts every text's cells.
fn move_to_columns(piece: &mut Piece<ByTerm<u32>>, column: &impl Fn(&Piece<ByTerm<u32>>, u32) -> u32) {
    let mut cells = std::mem::take(&mut piece.cells);
    let mut ends = std::mem::take(&mut piece.texts);
    let (mut start, mut kept) = (0, 0);
    for end in &mut ends {
        let first = kept;
        for i in start..*end {
            let (term, times) = cells[i];
            let column = column(piece, term);
            if column != NO_COLUMN {
                cells[kept] = (column, times);
                kept += 1;
            }
        }
        cells[first..kept].sort_unstable();
        (start, *end) = (*end, kept);
    }
    cells.truncate(kept);
    (piece.cells, piece.texts) = (cells, ends);
}

fn too_many_terms() -> Error {
    Error::new(ErrorKind::InvalidData, Stage::Vectorize, "the texts hold more than 2,147,483,647 different terms")
        .hint("Ask for shorter n-grams.")
}
