//! The tree in which topics merge: a dendrogram.

use std::collections::BTreeMap;

use super::super::html::count;
use super::super::markup::{Html, Markup};
use super::super::number::short_float;
use super::Show;
use super::layout::framed;
use crate::topics::{HierarchyMerge, TopicHierarchy};

/// Of larger trees, the lowest merges are left out.
const MOST_LEAVES: usize = 100;

/// Sizes in pixels.
const WIDTH: f64 = 420.0;
const LINE: f64 = 18.0;
const LABELS: f64 = 380.0;
const MARGIN: f64 = 8.0;
const AXIS: f64 = 22.0;

/// The number of characters of a label.
const LABEL: usize = 60;

impl Show for TopicHierarchy {
    /// A dendrogram: topics on the right, and lines that meet at the distance at which they merge. Of a tree of more than
    /// 100 topics, the upper part, with the number of topics in each branch.
    fn to_html(&self) -> Html {
        let mut html = Markup::default();
        html.raw("<p class=\"tf-line\"><b>").text(&count(self.leaves().len(), "topic")).raw("</b> · ");
        html.text(&count(self.merges().len(), "merge")).raw("</p>");
        if let Some(root) = self.root() {
            Drawing::new(self, root).push(&mut html, self);
        }
        framed(&html.finish())
    }

    fn to_text(&self) -> Option<String> {
        Some(self.get_topic_tree())
    }
}

/// Where the nodes of a tree are drawn.
struct Drawing<'a> {
    /// The height of each node, in lines from the top.
    heights: BTreeMap<i32, f64>,
    /// The nodes at the right end, from the top, with the number of their topics.
    ends: Vec<(i32, usize)>,
    /// The merges that are drawn, the lowest first.
    merges: &'a [HierarchyMerge],
    /// The largest distance.
    most: f64,
}

impl<'a> Drawing<'a> {
    fn new(tree: &'a TopicHierarchy, root: &HierarchyMerge) -> Self {
        let hidden = tree.leaves().len().saturating_sub(MOST_LEAVES);
        let merges = tree.merges().get(hidden..).unwrap_or_default();
        let drawn = |id: i32| merges.binary_search_by_key(&id, |merge| merge.id).ok().and_then(|at| merges.get(at));
        let (mut ends, mut heights) = (Vec::new(), BTreeMap::new());
        let mut left = vec![root.id];
        while let Some(id) = left.pop() {
            match drawn(id) {
                Some(merge) => left.extend([merge.right, merge.left]),
                None => {
                    heights.insert(id, ends.len() as f64 + 0.5);
                    ends.push((id, tree.merge(id).map_or(1, |merge| merge.topics.len())));
                }
            }
        }
        for merge in merges {
            let height = |id: &i32| heights.get(id).copied().unwrap_or_default();
            let middle = (height(&merge.left) + height(&merge.right)) / 2.0;
            heights.insert(merge.id, middle);
        }
        let most = merges.iter().map(|merge| merge.distance).fold(0.0, f64::max);
        Drawing { heights, ends, merges, most }
    }

    /// Distances grow to the left.
    fn x(&self, distance: f64) -> f64 {
        let share = if self.most > 0.0 { distance / self.most } else { 0.0 };
        MARGIN + WIDTH * (1.0 - share)
    }

    fn y(&self, id: i32) -> f64 {
        MARGIN + LINE * self.heights.get(&id).copied().unwrap_or_default()
    }

    fn push(&self, html: &mut Markup, tree: &TopicHierarchy) {
        let height = 2.0 * MARGIN + LINE * self.ends.len() as f64 + AXIS;
        html.raw("<svg class=\"tf-tree\" role=\"img\" aria-label=\"The tree in which the topics merge\"");
        html.attribute("viewBox", format_args!("0 0 {:.0} {height:.0}", 2.0 * MARGIN + WIDTH + LABELS));
        html.attribute("width", format_args!("{:.0}", 2.0 * MARGIN + WIDTH + LABELS));
        html.attribute("height", format_args!("{height:.0}")).raw("><g>");
        for merge in self.merges {
            let start =
                |id: i32| self.x(tree.merge(id).filter(|_| self.is_drawn(id)).map_or(0.0, |part| part.distance));
            let (x, left, right) = (self.x(merge.distance), self.y(merge.left), self.y(merge.right));
            let path = format!("M{:.1} {left:.1}H{x:.1}V{right:.1}H{:.1}", start(merge.left), start(merge.right));
            html.raw("<path").attribute("d", path).raw("><title>");
            html.text(&format!("{}: {} ({})", merge.id, merge.name, short_float(merge.distance)))
                .raw("</title></path>");
        }
        html.raw("</g>");
        for &(id, topics) in &self.ends {
            html.raw("<text").attribute("x", format_args!("{:.1}", MARGIN + WIDTH + 6.0));
            html.attribute("y", format_args!("{:.1}", self.y(id) + 4.0)).raw(">");
            let name = tree.name(id).unwrap_or_default();
            let label = if topics > 1 { format!("{topics} topics: {name}") } else { format!("{id} {name}") };
            // Nothing but text can be in here.
            let cut: String = label.chars().take(LABEL).collect();
            html.text(&cut).raw(if cut.len() < label.len() { "…</text>" } else { "</text>" });
        }
        for distance in [0.0, self.most / 2.0, self.most] {
            html.raw("<text class=\"tf-axis\"").attribute("x", format_args!("{:.1}", self.x(distance)));
            html.attribute("y", format_args!("{:.1}", height - MARGIN))
                .raw(">")
                .text(&short_float(distance))
                .raw("</text>");
        }
        html.raw("</svg>");
    }

    fn is_drawn(&self, id: i32) -> bool {
        self.merges.binary_search_by_key(&id, |merge| merge.id).is_ok()
    }
}
