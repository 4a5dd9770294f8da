//! Finding the terms of topics in texts that were split into words.

use hashbrown::HashMap;

/// The number of a word that is in no term.
const OTHER: u32 = u32::MAX;

/// The terms of topics: words, and phrases of several words with spaces between them.
#[derive(Debug, Default)]
pub(super) struct Lexicon {
    /// The numbers of the words that occur in terms.
    numbers: HashMap<String, u32>,
    /// For each word, the terms that end with it.
    endings: Vec<Vec<Ending>>,
}

/// A term that ends with some word.
#[derive(Debug)]
struct Ending {
    /// The words before the last one.
    before: Vec<u32>,
    term: u32,
}

/// A term in a text, at the position of its last word.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Occurrence {
    pub(super) position: usize,
    pub(super) term: u32,
}

impl Lexicon {
    /// The lexicon of `topics`, and the terms of each topic, numbered from 0 in the order in which they first occur.
    pub(super) fn new<S: AsRef<str>>(topics: &[Vec<S>]) -> (Self, Vec<Vec<u32>>) {
        let mut lexicon = Lexicon::default();
        let mut terms = HashMap::<&str, u32>::new();
        let mut numbered = Vec::with_capacity(topics.len());
        for topic in topics {
            let mut numbers = Vec::with_capacity(topic.len());
            for term in topic.iter().map(AsRef::as_ref) {
                let next = terms.len() as u32;
                let number = *terms.entry(term).or_insert(next);
                if number == next {
                    lexicon.add(term, number);
                }
                numbers.push(number);
            }
            numbered.push(numbers);
        }
        (lexicon, numbered)
    }

    fn add(&mut self, term: &str, number: u32) {
        // Texts may have been split into phrases already.
        let whole = self.word(term);
        self.endings[whole as usize].push(Ending { before: Vec::new(), term: number });
        let mut words: Vec<u32> = term.split_whitespace().map(|word| self.word(word)).collect();
        match words.pop() {
            Some(last) if !words.is_empty() => {
                self.endings[last as usize].push(Ending { before: words, term: number });
            }
            _ => {}
        }
    }

    fn word(&mut self, word: &str) -> u32 {
        let next = self.endings.len() as u32;
        match self.numbers.get(word) {
            Some(&number) => number,
            None => {
                self.numbers.insert(word.to_owned(), next);
                self.endings.push(Vec::new());
                next
            }
        }
    }

    /// The terms in the words of `text`, by position, in `found`; `numbers` is working memory.
    pub(super) fn find<S: AsRef<str>>(&self, text: &[S], numbers: &mut Vec<u32>, found: &mut Vec<Occurrence>) {
        numbers.clear();
        numbers.extend(text.iter().map(|word| self.numbers.get(word.as_ref()).copied().unwrap_or(OTHER)));
        found.clear();
        for (position, &number) in numbers.iter().enumerate() {
            for Ending { before, term } in self.endings.get(number as usize).into_iter().flatten() {
                if numbers[..position].ends_with(before) {
                    found.push(Occurrence { position, term: *term });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_are_found_at_their_last_word() {
        let topics = [vec!["hard drive", "drive"], vec!["drive", "new york city", "york"]];
        let (lexicon, numbered) = Lexicon::new(&topics);
        assert_eq!(numbered, [vec![0, 1], vec![1, 2, 3]]);
        let find = |text: &[&str]| {
            let (mut numbers, mut found) = (Vec::new(), Vec::new());
            lexicon.find(text, &mut numbers, &mut found);
            found.iter().map(|found| (found.position, found.term)).collect::<Vec<_>>()
        };
        assert_eq!(find(&["a", "hard", "drive", "drive"]), [(2, 0), (2, 1), (3, 1)]);
        assert_eq!(find(&["new", "york", "city", "hard drive"]), [(1, 3), (2, 2), (3, 0)]);
        assert_eq!(find(&["york", "city", "drive", "hard"]), [(0, 3), (2, 1)]);
        assert_eq!(find(&[]), []);
    }
}
