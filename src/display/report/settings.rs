//! The settings of a stage for readers: from `Umap { n_neighbors: 15, metric: Cosine, target: None }`, as Rust prints
//! values, to `n_neighbors 15, metric cosine`.

/// The deepest nesting that is taken apart.
const DEPTH: usize = 16;

/// The name of a stage and its settings as people read them, from what its `Debug` prints: settings that are left open
/// are omitted. Another text is returned as it is.
///
/// ```
/// use topicframe::display::stage_in_words;
/// use topicframe::prelude::*;
///
/// let stage = format!("{:?}", KMeans::new(20));
/// assert!(stage.starts_with("KMeans { n_clusters: 20, "));
/// assert!(stage_in_words(&stage).starts_with("KMeans: n_clusters 20, "));
/// assert_eq!(stage_in_words("my own stage"), "my own stage");
/// ```
pub fn stage_in_words(printed: &str) -> String {
    match readable(printed) {
        Some((name, settings)) if settings.is_empty() => name,
        Some((name, settings)) => format!("{name}: {settings}"),
        None => printed.to_owned(),
    }
}

/// The name of a stage and its settings in words; `None` if `printed` is not the output of a derived `Debug` with fields.
/// Settings that are left open (`None`, `Auto`) are omitted, and those of a value within another follow in its place.
pub(super) fn readable(printed: &str) -> Option<(String, String)> {
    let mut reader = Reader { rest: printed.trim() };
    let name = reader.name()?;
    let mut settings = Vec::new();
    reader.fields(&mut settings, DEPTH)?;
    let is_complete = reader.rest.trim().is_empty();
    is_complete.then(|| (name.to_owned(), settings.join(", ")))
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    /// An identifier, such as `Umap` or `n_neighbors`.
    fn name(&mut self) -> Option<&'a str> {
        self.rest = self.rest.trim_start();
        let end = self.rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        (!name.is_empty()).then_some(name)
    }

    /// Skips `mark`, if it follows.
    fn skips(&mut self, mark: char) -> bool {
        self.rest = self.rest.trim_start();
        let rest = self.rest.strip_prefix(mark);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// `{ name: value, ... }`, each setting appended to `settings`.
    fn fields(&mut self, settings: &mut Vec<String>, depth: usize) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        if !self.skips('{') {
            return None;
        }
        while !self.skips('}') {
            let name = self.name()?;
            if !self.skips(':') {
                return None;
            }
            self.value(name, settings, depth)?;
            self.skips(',');
        }
        Some(())
    }

    /// The value of the setting `name`.
    fn value(&mut self, name: &str, settings: &mut Vec<String>, depth: usize) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        self.rest = self.rest.trim_start();
        let before = self.rest;
        match self.name() {
            Some("None" | "Auto") if self.ends() => return Some(()),
            Some("Some") if self.skips('(') => {
                self.value(name, settings, depth)?;
                self.skips(',');
                return self.skips(')').then_some(());
            }
            Some(variant) if variant.starts_with(char::is_alphabetic) => {
                if self.ends() {
                    settings.push(format!("{name} {}", words(variant)));
                    return Some(());
                }
                if self.rest.trim_start().starts_with('{') {
                    return self.fields(settings, depth);
                }
            }
            _ => {}
        }
        self.rest = before;
        settings.push(format!("{name} {}", self.verbatim()?));
        Some(())
    }

    /// Whether a value is complete here.
    fn ends(&self) -> bool {
        matches!(self.rest.trim_start().chars().next(), None | Some(',' | '}' | ')'))
    }

    /// A value as it is printed, up to the comma or bracket that ends it: a number, a text, a list.
    fn verbatim(&mut self) -> Option<&'a str> {
        let (mut open, mut in_text, mut escaped) = (0_usize, false, false);
        for (at, c) in self.rest.char_indices() {
            match c {
                _ if escaped => escaped = false,
                '\\' if in_text => escaped = true,
                '"' => in_text = !in_text,
                _ if in_text => {}
                '(' | '[' | '{' => open += 1,
                ',' if open == 0 => return self.cut(at),
                ')' | ']' | '}' if open == 0 => return self.cut(at),
                ')' | ']' | '}' => open -= 1,
                _ => {}
            }
        }
        None
    }

    fn cut(&mut self, at: usize) -> Option<&'a str> {
        let (value, rest) = self.rest.split_at_checked(at)?;
        self.rest = rest;
        Some(value.trim())
    }
}

/// The name of a variant as words: `SquaredEuclidean` as `squared euclidean`; abbreviations stay as they are.
fn words(name: &str) -> String {
    let mut words = String::new();
    let letters: Vec<char> = name.chars().collect();
    for (at, &letter) in letters.iter().enumerate() {
        let starts = letter.is_uppercase() && at > 0 && letters[at - 1].is_lowercase();
        let is_alone = letters.get(at + 1).is_none_or(|next| next.is_lowercase());
        words.push_str(if starts { " " } else { "" });
        match is_alone {
            true => words.extend(letter.to_lowercase()),
            false => words.push(letter),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(printed: &str) -> (String, String) {
        readable(printed).unwrap()
    }

    #[test]
    fn settings_are_words_and_numbers() {
        let printed = "Communities { graph: NeighborGraph { n_neighbors: 15, metric: None, neighbor_search: Auto, \
                       lexical_weight: Some(0.25) }, min_cluster_size: 10, n_clusters: Some(Some(3)), n_runs: 5 }";
        let words = "n_neighbors 15, lexical_weight 0.25, min_cluster_size 10, n_clusters 3, n_runs 5";
        assert_eq!(settings(printed), ("Communities".to_owned(), words.to_owned()));
        let printed = "StaticEmbedder { metric: SquaredEuclidean, flag: true, name: \"a, } b\\\"\", range: (1, 2), list: [1, 2], \
                       unit: -1.5e-3 }";
        let words = "metric squared euclidean, flag true, name \"a, } b\\\"\", range (1, 2), list [1, 2], unit -1.5e-3";
        assert_eq!(settings(printed), ("StaticEmbedder".to_owned(), words.to_owned()));
    }

    #[test]
    fn other_texts_are_left_as_they_are() {
        let deep = format!("A {{ {}1{} }}", "a: B { ".repeat(40), " }".repeat(40));
        for printed in ["", "none: the graph is clustered", "A { b }", "A { b: 1", "A { b: 1 } and more", "A(1)", &deep]
        {
            assert_eq!(readable(printed), None, "{printed}");
        }
        assert_eq!(settings("A { b: None }"), ("A".to_owned(), String::new()));
    }
}
