//! The tree in which the topics merge, as nested lists that open and close.

use super::super::html::count;
use super::super::markup::{Markup, grouped};
use super::topic_names::TopicNames;
use crate::error::{ErrorKind, Result};
use crate::model::{FittedTopicModel, TopicHierarchy};

/// The number of branches down to which the tree is open.
const OPEN: usize = 12;

/// Branches that are nested deeper are lists of topics: browsers limit how deep elements can be.
const DEPTH: usize = 24;

/// The number of words of a branch.
const WORDS: usize = 5;

/// The maximum number of characters of a word and of a topic's name.
const WORD_LENGTH: usize = 40;
const NAME_LENGTH: usize = 80;

/// The tree of the topics.
#[derive(Debug, Clone)]
pub(super) struct TopicTree {
    /// `Err`: why there is none.
    root: std::result::Result<Node, String>,
    topics: usize,
    /// Whether there are branches that are not taken apart.
    is_cut: bool,
}

#[derive(Debug, Clone)]
enum Node {
    Topic { id: i32, size: usize },
    Branch(Branch),
}

#[derive(Debug, Clone)]
struct Branch {
    words: Vec<String>,
    topics: usize,
    size: usize,
    distance: f64,
    is_open: bool,
    /// What merges, the larger part first; or all topics, if this is too deep; or nothing, if the page has no room.
    parts: Vec<Node>,
}

impl TopicTree {
    /// The tree of `model`, taken apart into at most `max_topics` parts; `None` with fewer than two topics.
    pub(super) fn of(model: &FittedTopicModel, max_topics: usize) -> Result<Option<Self>> {
        let tree = match model.hierarchical_topics() {
            Ok(tree) => tree,
            // The topics have nothing to compare them by.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let root = Err(error.message().to_owned());
                return Ok(Some(TopicTree { root, topics: 0, is_cut: false }));
            }
            Err(error) => return Err(error),
        };
        let Some(root) = tree.root() else { return Ok(None) };
        // The last merges are those of the highest numbers.
        let from_the_top = |merges: usize| root.id.saturating_sub(i32::try_from(merges).unwrap_or(i32::MAX));
        let builder = Builder {
            tree: &tree,
            closed_to: from_the_top(OPEN.saturating_sub(1)),
            whole_to: from_the_top(max_topics.saturating_sub(1)),
        };
        let topics = tree.leaves().len();
        Ok(Some(TopicTree { root: Ok(builder.node(root.id, 0)), topics, is_cut: topics > max_topics }))
    }

    /// The section.
    pub(super) fn push(&self, html: &mut Markup, names: &TopicNames) {
        html.raw("<section class=\"part\" id=\"tree\" aria-labelledby=\"tree-heading\">");
        html.raw("<h2 id=\"tree-heading\">Topics in a tree</h2>");
        match &self.root {
            Err(why) => {
                html.raw("<p class=\"note\">There is no tree: ").text(why).raw(".</p>");
            }
            Ok(root) => {
                html.raw("<p class=\"note\">Similar topics merge first, until all ").text(&count(self.topics, "topic"));
                html.raw(
                    " are one. A branch has the words of its topics together, weighted as those of the topics; the distance \
                          tells how far apart its two parts are.",
                );
                html.raw(if self.is_cut { " The lowest branches are not taken apart." } else { "" });
                html.raw("</p><ul class=\"tree\">");
                root.push(html, names);
                html.raw("</ul>");
            }
        }
        html.raw("</section>");
    }
}

struct Builder<'a> {
    tree: &'a TopicHierarchy,
    /// Merges up to this number are closed at first.
    closed_to: i32,
    /// Merges up to this number are not taken apart.
    whole_to: i32,
}

impl Builder<'_> {
    fn node(&self, id: i32, depth: usize) -> Node {
        let Some(merge) = self.tree.merge(id) else { return self.topic(id) };
        let parts = match depth {
            _ if merge.id <= self.whole_to => Vec::new(),
            DEPTH => merge.topics.iter().map(|&topic| self.topic(topic)).collect(),
            _ => {
                let (left, right) = (self.node(merge.left, depth + 1), self.node(merge.right, depth + 1));
                if right.size() > left.size() { vec![right, left] } else { vec![left, right] }
            }
        };
        let words = merge.words.iter().map(|(word, _)| word).filter(|word| !word.is_empty());
        Node::Branch(Branch {
            words: words.take(WORDS).cloned().collect(),
            topics: merge.topics.len(),
            size: merge.size,
            distance: merge.distance,
            is_open: merge.id > self.closed_to,
            parts,
        })
    }

    fn topic(&self, id: i32) -> Node {
        let leaves = self.tree.leaves();
        let leaf = leaves.binary_search_by_key(&id, |leaf| leaf.id).ok().and_then(|at| leaves.get(at));
        Node::Topic { id, size: leaf.map_or(0, |leaf| leaf.size) }
    }
}

impl Node {
    fn size(&self) -> usize {
        match self {
            Node::Topic { size, .. } => *size,
            Node::Branch(branch) => branch.size,
        }
    }

    /// The item of a list.
    fn push(&self, html: &mut Markup, names: &TopicNames) {
        html.raw("<li>");
        match self {
            Node::Topic { id, size } => {
                html.raw("<div class=\"line\">");
                names.push(html, *id, NAME_LENGTH);
                html.raw("<small>").text(&count(*size, "row")).raw("</small></div>");
            }
            Node::Branch(branch) if branch.parts.is_empty() => {
                html.raw("<div class=\"line\">");
                branch.push_line(html);
                html.raw("</div>");
            }
            Node::Branch(branch) => {
                html.raw(if branch.is_open { "<details open>" } else { "<details>" }).raw("<summary class=\"line\">");
                branch.push_line(html);
                html.raw("</summary><ul>");
                branch.parts.iter().for_each(|part| part.push(html, names));
                html.raw("</ul></details>");
            }
        }
        html.raw("</li>");
    }
}

impl Branch {
    fn push_line(&self, html: &mut Markup) {
        html.raw("<span class=\"name\">");
        for (place, word) in self.words.iter().enumerate() {
            html.raw(if place > 0 { ", <span dir=\"auto\">" } else { "<span dir=\"auto\">" });
            html.cut_text(word, WORD_LENGTH).raw("</span>");
        }
        html.raw(if self.words.is_empty() { "No words" } else { "" });
        html.raw("</span><small>").text(&count(self.topics, "topic")).raw(" · ").text(&grouped(self.size));
        html.raw(if self.size == 1 { " row" } else { " rows" }).raw(" · <span>distance ");
        html.value(format_args!("{:.2}", self.distance)).raw("</span></small>");
    }
}
