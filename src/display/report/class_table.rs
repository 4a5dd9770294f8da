//! The topics by class: the share of each topic in each class, and where it is over- or under-represented.

use std::collections::BTreeMap;

use polars::prelude::*;

use super::super::html::count;
use super::super::markup::{Markup, grouped};
use super::percent::{p_value, percent};
use super::topic_names::TopicNames;
use crate::cluster::OUTLIER;
use crate::corpus::internal;
use crate::error::Result;
use crate::model::{FittedTopicModel, PerClassOptions};

/// The maximum size of the table.
const CLASSES: usize = 12;
const TOPICS: usize = 30;

/// With more classes, some columns are usually out of sight.
const IN_SIGHT: usize = 5;

/// The maximum number of characters of a topic's name, a class, and the column's name.
const NAME_LENGTH: usize = 60;
const CLASS_LENGTH: usize = 28;
const COLUMN_LENGTH: usize = 60;

/// A q-value below it is significant.
const SIGNIFICANT: f64 = 0.05;

/// The topics by the classes of one column.
#[derive(Debug, Clone)]
pub(super) struct ClassTable {
    column: String,
    /// The classes that are shown, with their numbers of rows.
    classes: Vec<(String, i64)>,
    /// The number of all classes.
    all_classes: usize,
    /// The topics that are shown, with a cell for each class.
    topics: Vec<(i32, Vec<Cell>)>,
    /// The number of topics that are not.
    left_out: usize,
    /// The number of rows without a class.
    without: usize,
}

/// A topic in a class.
#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    rows: i64,
    share: f64,
    interval: (f64, f64),
    /// `None` if there is nothing to compare.
    effect: Option<Effect>,
}

/// How over-represented a topic is in a class.
#[derive(Debug, Clone, Copy)]
struct Effect {
    lift: f64,
    log_odds_ratio: f64,
    q_value: f64,
    test: &'static str,
}

impl Effect {
    fn is_significant(&self) -> bool {
        self.q_value < SIGNIFICANT
    }
}

impl ClassTable {
    /// The topics of `model` by the classes of `column`; the largest `max_topics` topics.
    pub(super) fn of(model: &FittedTopicModel, column: &str, max_topics: usize) -> Result<Self> {
        let options = PerClassOptions::new().absent(true).largest(CLASSES);
        let per_class = model.per_class(column, &options)?;
        let (classes, mut cells) = read(&per_class.frame)?;
        let topics = model.topic_ids();
        let most = TOPICS.min(max_topics);
        let mut shown: Vec<i32> = topics.iter().copied().filter(|&id| id != OUTLIER).take(most).collect();
        let left_out = topics.iter().filter(|&&id| id != OUTLIER).count() - shown.len();
        shown.extend(topics.iter().filter(|&&id| id == OUTLIER));
        let shown = shown.into_iter().map(|id| (id, cells.remove(&id).unwrap_or_default()));
        Ok(ClassTable {
            column: column.to_owned(),
            topics: shown.collect(),
            classes,
            all_classes: per_class.classes,
            left_out,
            without: per_class.without,
        })
    }

    /// The column, for a link to the section.
    pub(super) fn column(&self) -> &str {
        &self.column
    }

    /// The section, number `place` of its kind.
    pub(super) fn push(&self, html: &mut Markup, names: &TopicNames, place: usize) {
        html.raw("<section class=\"part\"").attribute("id", format_args!("class-{place}"));
        html.attribute("aria-labelledby", format_args!("class-heading-{place}")).raw("><h2");
        html.attribute("id", format_args!("class-heading-{place}")).raw(">Topics by <span dir=\"auto\">");
        html.cut_text(&self.column, COLUMN_LENGTH).raw("</span></h2>");
        self.push_note(html);
        if !self.classes.is_empty() {
            self.push_table(html, names);
            self.push_left_out(html);
        }
        html.raw("</section>");
    }

    fn push_note(&self, html: &mut Markup) {
        let effects = || self.topics.iter().flat_map(|(_, cells)| cells).filter_map(|cell| cell.effect);
        html.raw("<p class=\"note\">");
        match (self.classes.len(), effects().count()) {
            (0, _) => {
                html.raw("No row has a class.");
            }
            (_, 0) => {
                html.raw("The share of the rows of a class that are in the topic. ");
                html.raw(match self.topics.iter().filter(|(topic, _)| *topic != OUTLIER).count() {
                    0 => "There is no topic",
                    _ if self.all_classes == 1 => "There is only one class",
                    _ => "There is only one topic",
                });
                html.raw(", so there is nothing to compare.");
            }
            (_, pairs) => {
                let significant = effects().filter(Effect::is_significant).count();
                html.raw("The share of the rows of a class that are in the topic; × is that share divided by the topic’s \
                          share of all rows with a class. ▲ and ▼ mark topics that are more or less frequent in the class \
                          than in the others, with a corrected p-value below 0.05: ");
                html.text(&grouped(significant)).raw(" of ").text(&grouped(pairs)).raw(" cells.");
            }
        }
        if self.classes.len() > IN_SIGHT {
            html.raw(" The table has ").text(&grouped(self.classes.len())).raw(" columns and scrolls sideways.");
        }
        if self.without > 0 {
            html.raw(" ").text(&count(self.without, "row")).raw(" without a class");
            html.raw(if self.without == 1 { " is left out." } else { " are left out." });
        }
        html.raw("</p>");
    }

    fn push_table(&self, html: &mut Markup, names: &TopicNames) {
        html.raw("<div class=\"scroll\" tabindex=\"0\" role=\"region\"");
        html.raw(
            " aria-label=\"Topics by class\"><table class=\"numbers by-class\"><thead><tr><th scope=\"col\">Topic</th>",
        );
        for (class, rows) in &self.classes {
            html.raw("<th scope=\"col\"><span dir=\"auto\">");
            match class.trim().is_empty() {
                true => html.raw("(blank)"),
                false => html.cut_text(class, CLASS_LENGTH),
            };
            html.raw("</span><small>").text(&count(usize::try_from(*rows).unwrap_or(0), "row")).raw("</small></th>");
        }
        html.raw("</tr></thead><tbody>");
        for (topic, cells) in &self.topics {
            html.raw("<tr").attribute("data-words", names.filter_words(*topic)).raw("><th scope=\"row\">");
            names.push(html, *topic, NAME_LENGTH);
            html.raw("</th>");
            cells.iter().for_each(|cell| cell.push(html));
            html.raw("</tr>");
        }
        html.raw("</tbody></table></div>");
    }

    fn push_left_out(&self, html: &mut Markup) {
        let classes = self.all_classes.saturating_sub(self.classes.len());
        let left_out: Vec<String> = [(self.left_out, "smaller topic"), (classes, "smaller class")]
            .into_iter()
            .filter(|(number, _)| *number > 0)
            .map(|(number, noun)| match (number, noun) {
                (2.., "smaller class") => format!("{} smaller classes", grouped(number)),
                _ => count(number, noun),
            })
            .collect();
        if !left_out.is_empty() {
            let has_tests = self.topics.iter().flat_map(|(_, cells)| cells).any(|cell| cell.effect.is_some());
            html.raw("<p class=\"note\">").text(&left_out.join(" and ")).raw(" not shown");
            html.raw(if has_tests { "; p-values are corrected for them, too.</p>" } else { ".</p>" });
        }
    }
}

impl Cell {
    fn push(&self, html: &mut Markup) {
        let effect = self.effect.filter(Effect::is_significant);
        html.raw(match effect {
            Some(effect) if effect.lift > 1.0 => "<td class=\"over\"",
            Some(_) => "<td class=\"under\"",
            None => "<td",
        });
        let mut hint =
            format!("{} (95% interval: {} to {})", rows(self.rows), percent(self.interval.0), percent(self.interval.1));
        if let Some(effect) = self.effect {
            let p = equals(&p_value(effect.q_value));
            hint.push_str(&format!("; log odds ratio {:.2}; {}; corrected p {p}", effect.log_odds_ratio, effect.test));
        }
        html.attribute("title", hint).raw("><b>").text(&percent(self.share)).raw("</b>");
        if let Some(found) = self.effect {
            html.raw(match effect {
                Some(effect) if effect.lift > 1.0 => " <span role=\"img\" aria-label=\"over-represented\">▲</span>",
                Some(_) => " <span role=\"img\" aria-label=\"under-represented\">▼</span>",
                None => "",
            });
            // Without rows, the share says it all.
            if self.rows > 0 {
                html.raw("<small>×").text(&times(found.lift)).raw(" <span>p ");
                html.text(&equals(&p_value(found.q_value))).raw("</span></small>");
            }
        }
        html.raw("</td>");
    }
}

/// How many times as frequent.
fn times(lift: f64) -> String {
    if lift < 0.05 { "< 0.1".to_owned() } else { format!("{lift:.0$}", usize::from(lift < 10.0)) }
}

/// `= 0.78` or `< 0.001`.
fn equals(value: &str) -> String {
    if value.starts_with('<') { value.to_owned() } else { format!("= {value}") }
}

fn rows(number: i64) -> String {
    count(usize::try_from(number).unwrap_or(0), "row")
}

/// The classes with their numbers of rows, and the cells of each topic.
type Read = (Vec<(String, i64)>, BTreeMap<i32, Vec<Cell>>);

/// Reads the frame of topics by class with absent ones, which is ascending by class and topic.
fn read(frame: &DataFrame) -> Result<Read> {
    let column = |name: &str| frame.column(name).map_err(internal);
    let numbers = |name: &str| column(name)?.f64().cloned().map_err(internal);
    let topics = column("Topic")?.i32().map_err(internal)?;
    let frequencies = column("Frequency")?.i64().map_err(internal)?;
    let tests = column("Test")?.str().map_err(internal)?;
    let of_rows = column("Class")?;
    let (shares, lows, highs) = (numbers("Share")?, numbers("Share_low")?, numbers("Share_high")?);
    let (lifts, odds, q_values) = (numbers("Lift")?, numbers("Log_odds_ratio")?, numbers("Q_value")?);
    let mut classes: Vec<(String, i64)> = Vec::new();
    let mut cells = BTreeMap::<i32, Vec<Cell>>::new();
    let first = topics.iter().flatten().next();
    for row in 0..frame.height() {
        let (Some(topic), Some(rows)) = (topics.get(row), frequencies.get(row)) else { continue };
        // Each class starts with the first topic.
        if Some(topic) == first {
            classes.push((name(of_rows, row)?, 0));
        }
        if let Some((_, total)) = classes.last_mut() {
            *total += rows;
        }
        let effect = || {
            Some(Effect {
                lift: lifts.get(row)?,
                log_odds_ratio: odds.get(row)?,
                q_value: q_values.get(row)?,
                test: if tests.get(row)? == "Fisher" { "Fisher’s test" } else { "chi-squared test" },
            })
        };
        let number = |numbers: &Float64Chunked| numbers.get(row).unwrap_or(0.0);
        let cell = Cell { rows, share: number(&shares), interval: (number(&lows), number(&highs)), effect: effect() };
        cells.entry(topic).or_default().push(cell);
    }
    Ok((classes, cells))
}

/// A class as text.
fn name(classes: &Column, row: usize) -> Result<String> {
    let class = classes.get(row).map_err(internal)?;
    Ok(class.get_str().map_or_else(|| class.to_string(), str::to_owned))
}
