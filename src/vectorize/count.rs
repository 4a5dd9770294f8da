//! Counting the terms of texts.

use std::fmt;

use hashbrown::hash_table::HashTable;
use rayon::prelude::*;
use std::hash::BuildHasher;

use super::cleaning::{LeftOut, TextCleaning};
use super::count_vectorizer::CountVectorizer;
use super::forms::in_one_form;
use super::phrases::{self, END_OF_TEXT, Phrases};
use super::reading::Reading;
use super::select::{NO_COLUMN, select};
use super::stop_words::StopWords;
use super::terms::{ByTerm, Hasher, MAX_TERMS, Terms};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::linalg::sparse::CsrMatrix;
use crate::progress::{Progress, Task};

/// The maximum word length in bytes: anything longer is encoded data or a broken file, and would fill every table.
pub(super) const LONGEST_WORD: usize = 256;
/// The approximate size in bytes of the pieces in which texts are counted. Each piece has its own table of terms, so
/// small pieces increase the cost of merging, and large ones leave threads idle.
const PIECE: usize = 1 << 20;

impl CountVectorizer {
    /// Finds and counts the terms of `texts`. The result does not depend on the number of threads.
    ///
    /// # Errors
    /// `InvalidParameter` if a parameter is out of range. `InvalidData` if there are no texts, the texts contain only
    /// stop words, or no terms satisfy min_df and max_df. `Interrupted`.
    pub fn fit_transform(&self, texts: &[&str], progress: &Progress) -> Result<CountMatrix> {
        self.check()?;
        if texts.is_empty() {
            return Err(Error::new(ErrorKind::InvalidData, Stage::Vectorize, "there are no texts to count words in"));
        }
        let settings = self.resolved_for(texts);
        let task = progress.task(Stage::Vectorize, "words", texts.len());
        let phrases = Counter::new(&settings, &[]).phrases(texts, &task)?;
        let (terms, pieces, left_out) = Counter::new(&settings, &phrases).count(texts, &task)?;
        task.finish()?;
        left_out.report(texts.len(), progress);
        let selection = select(&terms, &settings, texts.len())?;
        drop(terms);
        self.stop_words.report(&settings.stop_words, progress);
        let counts =
            to_matrix(pieces, selection.vocabulary.len(), |piece, term| selection.columns.get(piece.numbers.get(term)));
        Ok(CountMatrix { counts, vectorizer: FittedCountVectorizer::with_index(settings, selection.vocabulary) })
    }

    /// The terms of each of `texts`, as they are counted, including repeated ones: words in the order of the text, then
    /// longer n-grams by their first word; [phrases](Self::phrases), found in these texts, after their first word. min_df, max_df and max_features have no effect. [`StopWords::Auto`] and
    /// [`TextCleaning::Auto`] are resolved for these texts; those of a fit are in
    /// [`FittedCountVectorizer::settings`], and those of a model in
    /// [`TopicContext::vectorizer`](crate::represent::TopicContext::vectorizer).
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let vectorizer = CountVectorizer::new().ngram_range(1, 2).stop_words(StopWords::English);
    /// assert_eq!(vectorizer.analyze(&["The cat saw a bird"])?, [["cat", "saw", "bird", "cat saw", "saw bird"]]);
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// `InvalidParameter` if a parameter is out of range.
    pub fn analyze(&self, texts: &[&str]) -> Result<Vec<Vec<String>>> {
        self.check()?;
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        let settings = self.resolved_for(texts);
        let phrases =
            Counter::new(&settings, &[]).phrases(texts, &Progress::silent().task(Stage::Vectorize, "words", 0))?;
        let counter = Counter::new(&settings, &phrases);
        Ok(in_pieces(texts).par_iter().flat_map_iter(|texts| counter.analyze(texts)).collect())
    }

    /// The same settings, with `Auto` replaced by what applies to `texts`.
    fn resolved_for(&self, texts: &[&str]) -> Self {
        let cleaning = self.cleaning.resolve(texts);
        let stop_words = self.stop_words.resolve(texts, &Reading { lowercase: true, cleaning });
        CountVectorizer { stop_words, cleaning, ..self.clone() }
    }
}

/// The result of [`CountVectorizer::fit_transform`].
///
/// ```
/// use topicframe::prelude::*;
///
/// let counted = CountVectorizer::new().fit_transform(&["cat cat dog", "dog"], &Progress::silent())?;
/// assert_eq!(counted.vectorizer.vocabulary(), ["cat", "dog"]);
/// assert_eq!(counted.counts.row_sums(), [3.0, 1.0]);
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct CountMatrix {
    /// The number of occurrences of each term (column) in each text (row).
    pub counts: CsrMatrix<u32>,
    /// The fitted vectorizer, which counts the same terms in other texts.
    pub vectorizer: FittedCountVectorizer,
}

/// A vocabulary and the settings for counting its terms.
///
/// ```
/// use topicframe::prelude::*;
///
/// let fitted = CountVectorizer::new().fit_transform(&["cat dog"], &Progress::silent())?.vectorizer;
/// let counts = fitted.transform(&["dog, dog, bird"]);               // birds are not in the vocabulary
/// assert_eq!(fitted.index_of("dog").map(|column| counts.get(0, column)), Some(2));
/// assert_eq!(counts.entries(), 1);
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone)]
pub struct FittedCountVectorizer {
    settings: CountVectorizer,
    vocabulary: Vec<String>,
    hasher: Hasher,
    index: HashTable<u32>,
}

impl FittedCountVectorizer {
    /// Restores a fitted vectorizer from its [`settings`](Self::settings) and [`vocabulary`](Self::vocabulary).
    ///
    /// # Errors
    /// A setting is out of range; stop words or cleaning are still `Auto`; or the vocabulary is not in ascending order.
    pub fn from_vocabulary(settings: CountVectorizer, vocabulary: Vec<String>) -> Result<Self> {
        settings.check()?;
        if settings.cleaning == TextCleaning::Auto {
            let allowed = "None, Markup, or All: Auto needs the texts of the fit";
            return Err(Error::invalid_parameter(Stage::Vectorize, "cleaning", "Auto", allowed));
        }
        if settings.stop_words == StopWords::Auto {
            let allowed = "English, None, Languages, or a List: Auto needs the texts of the fit";
            return Err(Error::invalid_parameter(Stage::Vectorize, "stop_words", "Auto", allowed));
        }
        if let Some(pair) = vocabulary.windows(2).find(|pair| pair[0] >= pair[1]) {
            let message = format!("the vocabulary is not in ascending order: `{}` comes before `{}`", pair[0], pair[1]);
            return Err(Error::new(ErrorKind::InvalidData, Stage::Vectorize, message));
        }
        Ok(FittedCountVectorizer::with_index(settings, vocabulary))
    }

    fn with_index(settings: CountVectorizer, vocabulary: Vec<String>) -> Self {
        let hasher = Hasher::default();
        let mut index = HashTable::with_capacity(vocabulary.len());
        for (column, term) in vocabulary.iter().enumerate() {
            // Normalized like the texts, whatever the form of the term.
            let hash_of = |&column: &u32| hasher.hash_one(&*in_one_form(&vocabulary[column as usize]));
            index.insert_unique(hasher.hash_one(&*in_one_form(term)), column as u32, hash_of);
        }
        FittedCountVectorizer { settings, vocabulary, hasher, index }
    }

    /// The settings of the fit, with [`StopWords::Auto`] resolved.
    pub fn settings(&self) -> &CountVectorizer {
        &self.settings
    }

    /// The stop words of the fit, with [`StopWords::Auto`] resolved.
    pub fn stop_words(&self) -> &StopWords {
        &self.settings.stop_words
    }

    /// The terms, one per column, sorted by code point.
    pub fn vocabulary(&self) -> &[String] {
        &self.vocabulary
    }

    /// The column of `term`, in any Unicode form.
    pub fn index_of(&self, term: &str) -> Option<usize> {
        let term = in_one_form(term);
        let same = |&column: &u32| in_one_form(&self.vocabulary[column as usize]) == term;
        self.index.find(self.hasher.hash_one(&*term), same).map(|&column| column as usize)
    }

    /// The number of occurrences of each vocabulary term (column) in each of `texts` (row). Other terms are ignored.
    pub fn transform(&self, texts: &[&str]) -> CsrMatrix<u32> {
        let known = self.vocabulary.iter().filter(|term| self.settings.phrases && term.contains(' '));
        let counter = Counter::new(&self.settings, &known.cloned().collect::<Vec<String>>());
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

/// Counted pieces of texts, with a mapping of their term IDs.
type Pieces = Vec<Piece<ByTerm<u32>>>;

/// A sequence of consecutive texts, counted.
struct Piece<T> {
    /// What the term IDs in `cells` refer to: a table of terms, or a mapping to other IDs.
    numbers: T,
    /// The end of the cells of each text.
    texts: Vec<usize>,
    /// Terms and their counts in the text.
    cells: Vec<(u32, u32)>,
    left_out: LeftOut,
}

struct Counter<'a> {
    settings: &'a CountVectorizer,
    /// The first terms of every table: distinct stop words, normalized like the words of the texts, and the other words
    /// of phrases.
    first: Vec<String>,
    /// The number of stop words.
    stop_words: usize,
    phrases: Phrases,
    hasher: Hasher,
}

impl<'a> Counter<'a> {
    /// Counts as `settings` say, and `phrases`.
    fn new(settings: &'a CountVectorizer, phrases: &[String]) -> Self {
        let reading = Reading { cleaning: TextCleaning::None, ..settings.reading() };
        let mut first = reading.words_of_entries(settings.stop_words.words().into_iter());
        let stop_words = first.len();
        let hasher = Hasher::default();
        let mut terms = Terms::new(&first, hasher.clone());
        let words = |phrase: &String| phrase.split(' ').map(|word| terms.word(word)).collect();
        let phrases = Phrases::new(phrases.iter().map(words));
        first.extend((stop_words as u32..terms.word_count() as u32).map(|word| terms.text_of_word(word).to_owned()));
        Counter { settings, first, stop_words, phrases, hasher }
    }

    /// The phrases in `texts`; none if the settings do not ask for them.
    fn phrases(&self, texts: &[&str], task: &Task) -> Result<Vec<String>> {
        if !self.settings.phrases {
            return Ok(Vec::new());
        }
        let mut terms = Terms::new(&self.first, self.hasher.clone());
        let mut words = Vec::new();
        for wave in in_pieces(texts).chunks(rayon::current_num_threads() * 4) {
            if task.is_interrupted() {
                return Ok(Vec::new());
            }
            let pieces: Vec<(Terms, Vec<u32>)> = wave.par_iter().map(|texts| self.sequence(texts)).collect();
            for (piece, of_piece) in pieces {
                if terms.word_count() + piece.word_count() > MAX_TERMS {
                    return Err(too_many_terms());
                }
                let here = terms.absorb(&piece);
                let word = |word: u32| if word == END_OF_TEXT { word } else { here.get(word) };
                words.extend(of_piece.into_iter().map(word));
            }
        }
        let found = phrases::find(&words, terms.word_count(), self.stop_words);
        let text =
            |words: Vec<u32>| words.into_iter().map(|word| terms.text_of_word(word)).collect::<Vec<&str>>().join(" ");
        Ok(found.into_iter().map(text).collect())
    }

    /// All words of `texts` in order, with [`END_OF_TEXT`] after each text.
    fn sequence(&self, texts: &[&str]) -> (Terms, Vec<u32>) {
        let mut terms = Terms::new(&self.first, self.hasher.clone());
        let (mut buffer, mut words, mut sequence) = (String::new(), Vec::new(), Vec::new());
        let mut left_out = LeftOut::default();
        for text in texts {
            self.words_of(text, &mut buffer, &mut left_out, &mut terms, &mut words);
            sequence.append(&mut words);
            sequence.push(END_OF_TEXT);
        }
        (terms, sequence)
    }

    /// Returns all terms of `texts`, the counted pieces with a mapping of their terms to all terms, and counts of what
    /// cleaning removed.
    fn count(&self, texts: &[&str], task: &Task) -> Result<(Terms, Pieces, LeftOut)> {
        let mut all_left_out = LeftOut::default();
        let mut terms = Terms::new(&self.first, self.hasher.clone());
        let mut counted = Vec::new();
        // A few pieces at a time, so that only a few tables of terms exist at the same time.
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
                if terms.word_count() + numbers.word_count() > MAX_TERMS
                    || terms.ngram_count() + numbers.ngram_count() > MAX_TERMS
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
        let mut terms = Terms::new(&self.first, self.hasher.clone());
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

    /// The terms of each text, in order.
    fn analyze(&self, texts: &[&str]) -> Vec<Vec<String>> {
        let mut terms = Terms::new(&self.first, self.hasher.clone());
        let (mut buffer, mut words, mut found) = (String::new(), Vec::new(), Vec::new());
        let mut left_out = LeftOut::default();
        let of_text = |text: &&str| {
            self.words_of(text, &mut buffer, &mut left_out, &mut terms, &mut words);
            self.terms_of(&words, &mut terms, &mut found);
            let written = |&term: &u32| {
                let mut text = String::new();
                terms.write(term, &mut text);
                text
            };
            found.iter().map(written).collect()
        };
        texts.iter().map(of_text).collect()
    }

    /// The words of `text` that are not stop words; all words, if phrases are counted.
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
            if self.settings.phrases || word as usize >= self.stop_words {
                words.push(word);
            }
        });
    }

    /// The n-grams of `words`, of the requested lengths.
    fn terms_of(&self, words: &[u32], terms: &mut Terms, found: &mut Vec<u32>) {
        let (shortest, longest) = self.settings.ngram_range;
        found.clear();
        if self.settings.phrases {
            return self.words_and_phrases_of(words, terms, found);
        }
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

impl Counter<'_> {
    /// The words that are not stop words, each followed by the phrases that begin with it.
    fn words_and_phrases_of(&self, words: &[u32], terms: &mut Terms, found: &mut Vec<u32>) {
        for start in (0..words.len()).filter(|&start| words[start] as usize >= self.stop_words) {
            let mut term = words[start];
            found.push(term);
            self.phrases.at_start(&words[start..], |word, ends| {
                term = terms.ngram(term, word);
                if ends {
                    found.push(term);
                }
            });
        }
    }
}

/// `texts` in pieces of about [`PIECE`] bytes.
fn in_pieces<'t, 's>(texts: &'t [&'s str]) -> Vec<&'t [&'s str]> {
    let mut pieces = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (i, text) in texts.iter().enumerate() {
        // Account for the overhead of empty texts.
        bytes += text.len() + 16;
        if bytes >= PIECE || i + 1 == texts.len() {
            pieces.push(&texts[start..=i]);
            (start, bytes) = (i + 1, 0);
        }
    }
    pieces
}

/// Combines the pieces into a matrix with `cols` columns. `column` maps a piece's term to its column; [`NO_COLUMN`]
/// drops it.
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

/// Replaces terms with columns, drops those without a column, and sorts the cells of each text.
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
    Error::new(ErrorKind::InvalidData, Stage::Vectorize, "the texts contain more than 2,147,483,647 distinct terms")
        .with_hint("Use shorter n-grams.")
}
