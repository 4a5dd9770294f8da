//! Model cards: the README.md that the Hub shows as a repository's page.

use std::fmt::Write;

/// Topics in the table; a longer one makes the page slow.
const MAX_TOPICS: usize = 1_000;

/// A model card: front matter in YAML that the Hub reads, and a page in Markdown. Texts may contain anything; they are
/// escaped.
///
/// ```
/// use topicframe::hub::ModelCard;
///
/// let card = ModelCard::new("Topics of reviews")
///     .license("cc-by-4.0")
///     .tag("topic-modeling")
///     .summary("12 topics of 8,000 reviews.")
///     .topic(0, 412, ["price", "cheap", "worth | it"])
///     .setting("seed", 42)
///     .version("topicframe", "0.1.0")
///     .code("Load the model", "rust", "let topics = FittedTopicModel::load_from_hf_hub(\"user/topics\")?;")
///     .to_markdown();
/// assert!(card.starts_with("---\nlicense: \"cc-by-4.0\"\nlibrary_name: \"topicframe\"\n"));
/// assert!(card.contains("| 0 | 412 | price, cheap, worth \\| it |"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelCard {
    title: String,
    library: String,
    license: Option<String>,
    languages: Vec<String>,
    tags: Vec<String>,
    pipeline: Option<String>,
    summary: Vec<String>,
    topics: Vec<Topic>,
    settings: Vec<(String, String)>,
    versions: Vec<(String, String)>,
    codes: Vec<Code>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Topic {
    id: i32,
    count: usize,
    words: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Code {
    heading: String,
    language: String,
    code: String,
}

impl ModelCard {
    /// A card with this heading, for the library `topicframe`.
    pub fn new(title: impl Into<String>) -> Self {
        ModelCard {
            title: title.into(),
            library: "topicframe".to_owned(),
            license: None,
            languages: Vec::new(),
            tags: Vec::new(),
            pipeline: None,
            summary: Vec::new(),
            topics: Vec::new(),
            settings: Vec::new(),
            versions: Vec::new(),
            codes: Vec::new(),
        }
    }

    /// The library that loads the model, by which the Hub filters. Default: `topicframe`.
    #[must_use]
    pub fn library(mut self, name: impl Into<String>) -> Self {
        self.library = name.into();
        self
    }

    /// The license, as the Hub abbreviates it: `mit`, `apache-2.0`, `cc-by-4.0`, `other`. Default: none.
    #[must_use]
    pub fn license(mut self, license: impl Into<String>) -> Self {
        self.license = Some(license.into());
        self
    }

    /// Adds a language of the texts, as its ISO 639 code: `en`.
    #[must_use]
    pub fn language(mut self, code: impl Into<String>) -> Self {
        self.languages.push(code.into());
        self
    }

    /// Adds a tag.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// The Hub's task, such as `text-classification`. Default: none.
    #[must_use]
    pub fn pipeline_tag(mut self, task: impl Into<String>) -> Self {
        self.pipeline = Some(task.into());
        self
    }

    /// Adds a paragraph below the heading: plain text.
    #[must_use]
    pub fn summary(mut self, paragraph: impl Into<String>) -> Self {
        self.summary.push(paragraph.into());
        self
    }

    /// Adds a row to the table of topics: its id, the number of its documents, and its words. The page shows the first
    /// 1,000 rows, and how many more there are.
    #[must_use]
    pub fn topic<W: AsRef<str>>(mut self, id: i32, count: usize, words: impl IntoIterator<Item = W>) -> Self {
        let words: Vec<String> = words.into_iter().map(|word| word.as_ref().to_owned()).collect();
        self.topics.push(Topic { id, count, words: words.join(", ") });
        self
    }

    /// Adds a setting with its value.
    #[must_use]
    pub fn setting(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.settings.push((name.into(), value.to_string()));
        self
    }

    /// Adds the version of a program or library.
    #[must_use]
    pub fn version(mut self, name: impl Into<String>, version: impl Into<String>) -> Self {
        self.versions.push((name.into(), version.into()));
        self
    }

    /// Adds a section with code, in a language that Markdown's highlighting knows: `rust`, `python`, `sh`.
    #[must_use]
    pub fn code(mut self, heading: impl Into<String>, language: impl Into<String>, code: impl Into<String>) -> Self {
        self.codes.push(Code { heading: heading.into(), language: language.into(), code: code.into() });
        self
    }

    /// The content of the README.md, the same at every call.
    pub fn to_markdown(&self) -> String {
        let mut page = self.front_matter();
        page.push_str(&format!("\n# {}\n", inline(&self.title)));
        for text in &self.summary {
            page.push_str(&format!("\n{}\n", paragraph(text)));
        }
        for Code { heading, language, code } in &self.codes {
            page.push_str(&format!("\n## {}\n\n{}", inline(heading), fenced(language, code)));
        }
        self.write_topics(&mut page);
        let pairs = |name: &str, pairs: &[(String, String)]| match pairs {
            [] => String::new(),
            pairs => {
                let rows = pairs.iter().map(|(name, value)| [inline(name), inline(value)]);
                format!("\n## {name}\n\n{}", table(["name", "value"], rows))
            }
        };
        page.push_str(&pairs("Settings", &self.settings));
        page.push_str(&pairs("Versions", &self.versions));
        page
    }

    fn front_matter(&self) -> String {
        let mut yaml = "---\n".to_owned();
        let mut one = |key: &str, value: Option<&String>| {
            if let Some(value) = value {
                yaml.push_str(&format!("{key}: {}\n", scalar(value)));
            }
        };
        one("license", self.license.as_ref());
        one("library_name", Some(&self.library));
        one("pipeline_tag", self.pipeline.as_ref());
        for (key, values) in [("language", &self.languages), ("tags", &self.tags)] {
            if !values.is_empty() {
                yaml.push_str(&format!("{key}:\n"));
                values.iter().for_each(|value| yaml.push_str(&format!("- {}\n", scalar(value))));
            }
        }
        yaml + "---\n"
    }

    fn write_topics(&self, page: &mut String) {
        if self.topics.is_empty() {
            return;
        }
        let row = |topic: &Topic| [topic.id.to_string(), topic.count.to_string(), inline(&topic.words)];
        let rows = self.topics.iter().take(MAX_TOPICS).map(row);
        page.push_str("\n## Topics\n\n");
        page.push_str(&table(["topic", "documents", "words"], rows));
        if self.topics.len() > MAX_TOPICS {
            page.push_str(&format!("\n... and {} more.\n", self.topics.len() - MAX_TOPICS));
        }
    }
}

fn table<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let mut table = format!("| {} |\n|{}\n", head.join(" | "), "---|".repeat(N));
    rows.for_each(|row| table.push_str(&format!("| {} |\n", row.join(" | "))));
    table
}

/// A double-quoted scalar of YAML 1.2: what JSON escapes, and what YAML does not take as printable or breaks lines at.
fn scalar(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            _ if is_unprintable(c) => drop(write!(out, "\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Characters of the basic plane that YAML escapes in strings.
fn is_unprintable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// `text` in one line of Markdown, where nothing in it is markup.
fn inline(text: &str) -> String {
    let mut out = String::new();
    for c in text.split_whitespace().collect::<Vec<_>>().join(" ").chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '|' | '~' | '$' | '!' => out.extend(['\\', c]),
            c if c.is_control() => out.push(char::REPLACEMENT_CHARACTER),
            c => out.push(c),
        }
    }
    out
}

/// `text` as a paragraph, where it does not begin a list or underline what is above.
fn paragraph(text: &str) -> String {
    let text = inline(text);
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let number = text.len() - rest.len();
    match text.split_at_checked(number) {
        Some((number, rest)) if !number.is_empty() && rest.starts_with(['.', ')']) => format!("{number}\\{rest}"),
        _ if text.starts_with(['-', '+', '=']) => format!("\\{text}"),
        _ => text,
    }
}

/// `code` between fences that it does not contain.
fn fenced(language: &str, code: &str) -> String {
    let longest = code.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(3.max(longest + 1));
    let language: String = language.chars().filter(|c| c.is_ascii_alphanumeric() || "-+#".contains(*c)).collect();
    format!("{fence}{language}\n{}\n{fence}\n", code.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_has_its_sections_in_order() {
        let card = ModelCard::new("Topics")
            .license("mit")
            .language("en")
            .language("no")
            .tag("bertopic")
            .pipeline_tag("text-classification")
            .summary("Two topics.")
            .summary("1. of two")
            .topic(-1, 3, ["x"])
            .topic(0, 12, ["a_b", "c|d"])
            .setting("clusterer", "communities")
            .setting("min_topic_size", 10)
            .version("topicframe", "0.1.0")
            .code("Load it", "rust", "load()?\n");
        let expected = "---\nlicense: \"mit\"\nlibrary_name: \"topicframe\"\npipeline_tag: \"text-classification\"\n\
            language:\n- \"en\"\n- \"no\"\ntags:\n- \"bertopic\"\n---\n\
            \n# Topics\n\nTwo topics.\n\n1\\. of two\n\
            \n## Load it\n\n```rust\nload()?\n```\n\
            \n## Topics\n\n| topic | documents | words |\n|---|---|---|\n| -1 | 3 | x |\n| 0 | 12 | a\\_b, c\\|d |\n\
            \n## Settings\n\n| name | value |\n|---|---|\n| clusterer | communities |\n| min\\_topic\\_size | 10 |\n\
            \n## Versions\n\n| name | value |\n|---|---|\n| topicframe | 0.1.0 |\n";
        assert_eq!(card.to_markdown(), expected);
    }

    #[test]
    fn nothing_in_a_text_is_markup() {
        for (text, expected) in [
            ("a | b\nc", "a \\| b c"),
            ("<script>&amp;", "&lt;script&gt;&amp;amp;"),
            ("[x](http://y)", "\\[x\\](http://y)"),
            ("![x]", "\\!\\[x\\]"),
            ("`*_~$#\\", "\\`\\*\\_\\~\\$\\#\\\\"),
            ("a\u{1b}[2J", "a\u{fffd}\\[2J"),
            ("", ""),
        ] {
            assert_eq!(inline(text), expected, "{text:?}");
        }
        for (text, expected) in
            [("- item", "\\- item"), ("12) item", "12\\) item"), ("0.5", "0\\.5"), ("===", "\\==="), ("12", "12")]
        {
            assert_eq!(paragraph(text), expected, "{text:?}");
        }
    }

    #[test]
    fn no_text_ends_the_front_matter() {
        for text in ["mit\n---\nevil: 1", "\"", "\\", "a: b # c", "\u{85}\u{2028}\u{feff}\u{7f}\u{0}", "yes", "é 🦀"]
        {
            let card = ModelCard::new("x").license(text).tag(text).to_markdown();
            let (yaml, _) = card.strip_prefix("---\n").unwrap().split_once("\n---\n").unwrap();
            assert_eq!(yaml.lines().count(), 4, "{yaml}");
            // For these texts, the scalar is also JSON.
            let scalar = yaml.lines().next().unwrap().strip_prefix("license: ").unwrap();
            assert_eq!(serde_json::from_str::<String>(scalar).unwrap(), text, "{scalar}");
        }
    }

    #[test]
    fn code_stays_in_its_fence() {
        let card = ModelCard::new("x").code("y", "rust\n```", "a\n````\nb").to_markdown();
        assert!(card.contains("`````rust\na\n````\nb\n`````\n"), "{card}");
    }

    #[test]
    fn long_tables_are_cut_and_say_so() {
        let card = (0..1_005).fold(ModelCard::new("x"), |card, id| card.topic(id, 1, ["w"])).to_markdown();
        assert!(card.contains("| 999 | 1 | w |\n\n... and 5 more.\n") && !card.contains("| 1000 |"));
    }
}
