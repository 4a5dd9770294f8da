//! The lists of stop words in this crate.

/// Words on scikit-learn's list that can be the subject of a text.
const CONTENT_WORDS: [&str; 12] =
    ["bill", "cry", "describe", "detail", "fire", "interest", "mill", "serious", "sincere", "system", "thick", "thin"];

/// The English stop words.
pub(super) fn english() -> impl Iterator<Item = &'static str> {
    let kept = |word: &&str| !CONTENT_WORDS.contains(word);
    listed(include_str!("stop_words_sklearn.txt")).filter(kept).chain(listed(include_str!("stop_words_additions.txt")))
}

/// The words of a file, in which lines that start with # are comments.
pub(super) fn listed(file: &'static str) -> impl Iterator<Item = &'static str> {
    file.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_lists_are_whole_and_do_not_overlap() {
        let sklearn: HashSet<&str> = listed(include_str!("stop_words_sklearn.txt")).collect();
        let additions: HashSet<&str> = listed(include_str!("stop_words_additions.txt")).collect();
        assert_eq!(sklearn.len(), 318);
        assert!(sklearn.is_disjoint(&additions));
        assert!(CONTENT_WORDS.iter().all(|word| sklearn.contains(word)));
        assert_eq!(english().count(), 318 - 12 + additions.len());
    }
}
