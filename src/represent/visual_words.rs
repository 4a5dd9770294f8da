//! Names for topics of images without captions: words near the images in the space of a joint model.

use std::collections::{BTreeMap, HashSet};

use rayon::prelude::*;

use super::text_vectors::{TextVectors, add, check_count, dot, unit};
use super::{Aspect, NeededEmbedder, Representation, TopicContext, TopicWords};
use crate::corpus::Embeddings;
use crate::embed::TextEmbedder;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::progress::Progress;

/// The most words of a topic that can be asked for.
const MOST_WORDS: usize = 1000;

/// One word or short phrase a line, made by `visual_words.py`.
const BUILTIN: &str = include_str!("visual_words.txt");

/// Where the word goes in a template.
const PLACE: &str = "{}";

/// Describes topics by the words nearest to their images: names for images that have no text, without a captioner. The
/// model needs an embedder of images that has a text side, such as CLIP.
///
/// Every word of a vocabulary is put into a sentence and embedded by the text side, once; a topic is the mean of its
/// images' vectors. In such a space all texts lie apart from all images, and some words lie near everything. So the mean
/// word is taken from every word and the mean of all images from every topic before they are compared: a topic gets the
/// words for what sets its images apart from the others, best first. A word's weight is that cosine, -1 to 1. Where only
/// one topic has images there is nothing to set apart, and it is the cosine of the vectors as they are. Of words that
/// differ only in an English plural the better one stays; ties go to the word that the vocabulary has first. A topic
/// without images gets no words.
///
/// | setting | default |
/// |---|---|
/// | [`vocabulary`](Self::vocabulary) | about 2,200 English words for what can be seen |
/// | [`template`](Self::template) | `a photo of a {}` |
/// | [`top_n_words`](Self::top_n_words) | 10 |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisualWords {
    vocabulary: Option<Vec<String>>,
    template: String,
    top_n_words: usize,
}

impl Default for VisualWords {
    fn default() -> Self {
        VisualWords { vocabulary: None, template: "a photo of a {}".to_owned(), top_n_words: 10 }
    }
}

impl VisualWords {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The words to choose from: words or short phrases, in any language that the model knows. Replaces the built-in
    /// ones. A word given twice counts once.
    #[must_use]
    pub fn vocabulary(mut self, words: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.vocabulary = Some(words.into_iter().map(Into::into).collect());
        self
    }

    /// The sentence that a word is embedded in; `{}` stands for the word. Default `a photo of a {}`; `{}` alone embeds
    /// the bare word, and drawings may want `a drawing of a {}`.
    #[must_use]
    pub fn template(mut self, template: impl Into<String>) -> Self {
        self.template = template.into();
        self
    }

    /// How many words a topic gets at most, 1 to 1,000; default 10.
    #[must_use]
    pub fn top_n_words(mut self, top_n_words: usize) -> Self {
        self.top_n_words = top_n_words;
        self
    }

    /// The built-in vocabulary: English words and short phrases for what can be seen, in lower case, the common ones
    /// first.
    pub fn builtin_vocabulary() -> Vec<&'static str> {
        BUILTIN.lines().map(str::trim).filter(|word| !word.is_empty()).collect()
    }

    /// The words of each of `topics`. `assignments` holds the topic of each row, `images` the image vector of each row
    /// that has one, and `embedder` gives vectors of texts in the same space.
    ///
    /// # Errors
    /// A parameter out of its range, an embedder whose vectors have another width than those of the images or are not
    /// finite, and what the embedder reports.
    pub fn words(
        &self,
        topics: &[i32],
        assignments: &[i32],
        images: &Embeddings,
        embedder: &dyn TextEmbedder,
        progress: &Progress,
    ) -> Result<TopicWords> {
        self.check()?;
        let (texts, images_width) = (embedder.dimensions(), images.dimensions());
        if texts != images_width {
            let message = format!("the words' vectors have {texts} numbers, those of the images {images_width}");
            return Err(Error::new(ErrorKind::InvalidData, Stage::Represent, message)
                .hint("Vectors of images and the embedder must come from the same joint model."));
        }
        let means = Means::of(topics, assignments, images);
        let center = means.topics.len() > 1;
        let vectors = self.word_vectors(embedder, center, progress)?;
        let of_topic = |&topic: &i32| {
            let mean = means.topics.get(&topic);
            (topic, mean.map(|mean| self.best(&vectors, &means.direction(mean, center))).unwrap_or_default())
        };
        Ok(topics.par_iter().map(of_topic).collect())
    }

    /// The words with their vectors at length 1, the mean word taken off where that is asked for.
    fn word_vectors(
        &self,
        embedder: &dyn TextEmbedder,
        center: bool,
        progress: &Progress,
    ) -> Result<Vec<(&str, Vec<f64>)>> {
        let words: Vec<&str> = match &self.vocabulary {
            Some(words) => words.iter().map(|word| word.trim()).collect(),
            None => Self::builtin_vocabulary(),
        };
        let message = format!("the topics get their words from a vocabulary of {}, which is embedded now", words.len());
        progress.note(Stage::Represent, message);
        let sentences: Vec<String> = words.iter().map(|word| self.template.replace(PLACE, word)).collect();
        let embedded = TextVectors::embed(embedder, sentences.iter().map(String::as_str), progress)?;
        let mut seen = HashSet::new();
        let distinct = words.into_iter().zip(&sentences).filter(|(word, _)| seen.insert(*word));
        let mut vectors: Vec<(&str, Vec<f64>)> =
            distinct.map(|(word, sentence)| (word, embedded.unit(sentence))).collect();
        // A word that the embedder does not know has no direction.
        vectors.retain(|(_, vector)| vector.iter().any(|&x| x != 0.0));
        // One word alone is its own mean.
        if center && vectors.len() > 1 {
            let mut sum = vec![0.0; embedder.dimensions()];
            vectors.iter().for_each(|(_, vector)| add(&mut sum, vector.iter().copied()));
            let count = vectors.len() as f64;
            for (_, vector) in &mut vectors {
                *vector = unit(vector.iter().zip(&sum).map(|(x, sum)| x - sum / count));
            }
        }
        Ok(vectors)
    }

    fn best(&self, vectors: &[(&str, Vec<f64>)], topic: &[f64]) -> Vec<(String, f64)> {
        let mut scored: Vec<(&str, f64)> =
            vectors.iter().map(|(word, vector)| (*word, dot(vector, topic).clamp(-1.0, 1.0))).collect();
        scored.sort_by(|a, b| b.1.total_cmp(&a.1));
        let mut best: Vec<(String, f64)> = Vec::new();
        for (word, score) in scored {
            if best.len() == self.top_n_words {
                break;
            }
            if !best.iter().any(|(better, _)| same(better, word)) {
                best.push((word.to_owned(), score));
            }
        }
        best
    }
}

/// Mean vectors of images, each scaled to length 1 before.
struct Means {
    /// Of each topic that has images.
    topics: BTreeMap<i32, Vec<f64>>,
    /// Of all images.
    all: Vec<f64>,
}

impl Means {
    fn of(topics: &[i32], assignments: &[i32], images: &Embeddings) -> Self {
        let zeros = vec![0.0; images.dimensions()];
        let (mut all, mut count) = (zeros.clone(), 0.0);
        let topics: HashSet<i32> = topics.iter().copied().collect();
        let mut sums = BTreeMap::<i32, (Vec<f64>, f64)>::new();
        for (row, topic) in assignments.iter().enumerate() {
            let Some(vector) = images.get(row).filter(|vector| vector.iter().any(|&x| x != 0.0)) else { continue };
            let vector = unit(vector.iter().map(|&x| f64::from(x)));
            add(&mut all, vector.iter().copied());
            count += 1.0;
            if topics.contains(topic) {
                let (sum, count) = sums.entry(*topic).or_insert_with(|| (zeros.clone(), 0.0));
                add(sum, vector);
                *count += 1.0;
            }
        }
        let mean = |sum: Vec<f64>, count: f64| sum.into_iter().map(|x| x / count).collect::<Vec<f64>>();
        Means {
            topics: sums.into_iter().map(|(topic, (sum, count))| (topic, mean(sum, count))).collect(),
            all: if count > 0.0 { mean(all, count) } else { all },
        }
    }

    /// Where a topic lies, seen from the mean of all images or from the origin.
    fn direction(&self, mean: &[f64], center: bool) -> Vec<f64> {
        match center {
            true => unit(mean.iter().zip(&self.all).map(|(mean, all)| mean - all)),
            false => unit(mean.iter().copied()),
        }
    }
}

/// Whether two words differ in nothing but upper case or the ending of an English plural.
fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.to_lowercase(), b.to_lowercase());
    let plural = |one: &str, many: &str| {
        let ending = many.strip_prefix(one);
        let of_y = one.strip_suffix('y').and_then(|stem| many.strip_prefix(stem));
        ending == Some("s") || ending == Some("es") || of_y == Some("ies")
    };
    a == b || plural(&a, &b) || plural(&b, &a)
}

impl Representation for VisualWords {
    fn check(&self) -> Result<()> {
        check_count("top_n_words", self.top_n_words, MOST_WORDS)?;
        if self.template.matches(PLACE).count() != 1 {
            let value = format!("\"{}\"", self.template);
            return Err(Error::parameter(Stage::Represent, "template", value, "a text with one `{}` for the word"));
        }
        let Some(words) = &self.vocabulary else { return Ok(()) };
        if words.is_empty() {
            return Err(Error::parameter(Stage::Represent, "vocabulary", "no word", "one word or more"));
        }
        match words.iter().position(|word| word.trim().is_empty()) {
            None => Ok(()),
            Some(place) => {
                let value = format!("a blank word at place {place}");
                Err(Error::parameter(Stage::Represent, "vocabulary", value, "words that are not blank"))
            }
        }
    }

    fn needs_embedder(&self) -> Option<NeededEmbedder> {
        Some(NeededEmbedder::WordsBesideImages)
    }

    fn describe(&self, context: &TopicContext<'_>, _words: &TopicWords) -> Result<Aspect> {
        let (Some(embedder), Some(images)) = (context.joint_text, context.image_embeddings) else {
            return Err(NeededEmbedder::WordsBesideImages.missing("VisualWords"));
        };
        self.words(context.topics, context.assignments, images, embedder, context.progress).map(Aspect::Words)
    }
}
