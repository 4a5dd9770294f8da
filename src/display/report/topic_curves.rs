//! The topics over time: a curve for each, and which of them rise or fall.

use std::collections::BTreeMap;

use polars::prelude::*;

use super::super::bin_labels::{labels, positions};
use super::super::html::count;
use super::super::markup::{Markup, grouped};
use super::percent::{p_value, percent};
use super::topic_names::TopicNames;
use crate::cluster::OUTLIER;
use crate::corpus::internal;
use crate::error::Result;
use crate::model::{FittedTopicModel, OverTimeOptions, TopicsOverTime};

/// The maximum number of bins, unless others are set.
const MOST_BINS: usize = 60;

/// The maximum numbers of curves and of topics that rise or fall.
const CURVES: usize = 24;
const TRENDS: usize = 12;

/// The maximum number of characters of a topic's name, and of the column's.
const NAME_LENGTH: usize = 60;
const COLUMN_LENGTH: usize = 60;

/// The drawing of a curve, in its own units. It is stretched to the width that it has.
const WIDTH: f64 = 200.0;
const HEIGHT: f64 = 48.0;
const MARGIN: f64 = 4.0;

/// The shares of bins with fewer rows say little.
const FEW_ROWS: i64 = 20;

/// A q-value below it is significant.
const SIGNIFICANT: f64 = 0.05;

/// The topics over time.
#[derive(Debug, Clone)]
pub(super) struct TopicCurves {
    column: String,
    /// The start of each bin that has rows, ascending: in words, and as a number.
    bins: Vec<(String, f64)>,
    /// The number of rows of each bin.
    totals: Vec<i64>,
    /// The period of the bins in words, if they are of the calendar.
    period: Option<String>,
    curves: Vec<Curve>,
    /// The number of topics without a curve.
    left_out: usize,
    trends: Trends,
    missing: usize,
    unreadable: usize,
}

/// The share of a topic in each bin, and its words in the bin with the largest.
#[derive(Debug, Clone)]
struct Curve {
    topic: i32,
    shares: Vec<f64>,
    words_at_peak: String,
}

/// The trends of the topics.
#[derive(Debug, Clone, Default)]
struct Trends {
    /// Those that are significant, the most certain first.
    significant: Vec<Trend>,
    /// The number of topics that could be tested.
    tested: usize,
    /// The smallest q-value.
    smallest: Option<f64>,
}

/// The change of a topic's share from the first to the last bin.
#[derive(Debug, Clone, Copy)]
struct Trend {
    topic: i32,
    change: f64,
    interval: (f64, f64),
    q_value: f64,
}

impl Trend {
    fn direction(&self) -> &'static str {
        if self.change > 0.0 { "↑ rising" } else { "↓ falling" }
    }
}

impl TopicCurves {
    /// The topics of `model` over the time in `column`, the largest `max_topics` of them.
    pub(super) fn of(
        model: &FittedTopicModel,
        column: &str,
        options: &OverTimeOptions,
        max_topics: usize,
    ) -> Result<Self> {
        let over_time = model.topics_over_time_with(column, &options.clone().at_most(MOST_BINS))?;
        let frame = over_time.frame();
        let table = Table::read(&frame)?;
        let topics: Vec<i32> = model.topic_ids().into_iter().filter(|&id| id != OUTLIER).collect();
        let most = CURVES.min(max_topics);
        let curves = topics.iter().take(most).map(|&topic| table.curve(topic));
        Ok(TopicCurves {
            column: column.to_owned(),
            curves: curves.collect(),
            left_out: topics.len().saturating_sub(most),
            bins: table.bins,
            totals: table.totals,
            period: over_time.period(),
            trends: Trends::of(&over_time)?,
            missing: over_time.missing(),
            unreadable: over_time.unreadable(),
        })
    }

    /// The section.
    pub(super) fn push(&self, html: &mut Markup, names: &TopicNames) {
        html.raw("<section class=\"part\" id=\"time\" aria-labelledby=\"time-heading\">");
        html.raw("<h2 id=\"time-heading\">Topics over time</h2>");
        self.push_note(html);
        if self.bins.len() > 1 && !self.curves.is_empty() {
            html.raw("<ol class=\"curves\">");
            for curve in &self.curves {
                self.push_curve(html, names, curve);
            }
            html.raw("</ol>");
            if self.left_out > 0 {
                html.raw("<p class=\"note\">").text(&count(self.left_out, "smaller topic"));
                html.raw(if self.left_out == 1 { " is" } else { " are" }).raw(" not shown.</p>");
            }
            self.push_trends(html, names);
        }
        html.raw("</section>");
    }

    fn push_note(&self, html: &mut Markup) {
        let column = |html: &mut Markup| {
            html.raw("<code dir=\"auto\">").cut_text(&self.column, COLUMN_LENGTH).raw("</code>");
        };
        html.raw("<p class=\"note\">");
        match self.bins.as_slice() {
            [] => {
                html.raw("No row has a time in ");
                column(html);
            }
            [(only, _)] => {
                html.raw("All rows are from one bin of ");
                column(html);
                html.raw(", ").text(only).raw(", so there is nothing to compare");
            }
            [(first, _), .., (last, _)] => {
                html.raw("The share of the rows of a bin that are in the topic, by ");
                column(html);
                html.raw(": ").text(&count(self.bins.len(), "bin"));
                if let Some(period) = &self.period {
                    html.raw(" of ").text(period);
                }
                html.raw(", the first from ").text(first).raw(", the last from ").text(last);
                html.raw(". ");
                match self.curves.is_empty() {
                    true => html.raw("There are no topics"),
                    false => html.raw("Each curve has a scale of its own, from 0% to its peak"),
                };
                self.push_sizes(html);
            }
        }
        html.raw(".");
        for (rows, of) in [(self.missing, " without a time"), (self.unreadable, " with a text that is not a date")] {
            if rows > 0 {
                html.raw(" ").text(&count(rows, "row")).raw(of).raw(if rows == 1 { " is" } else { " are" });
                html.raw(" left out.");
            }
        }
        html.raw("</p>");
    }

    /// How many rows the bins have, and whether some have too few to tell.
    fn push_sizes(&self, html: &mut Markup) {
        let rows = |number: Option<&i64>| number.copied().and_then(|rows| usize::try_from(rows).ok()).unwrap_or(0);
        let (least, most) = (rows(self.totals.iter().min()), rows(self.totals.iter().max()));
        html.raw(". ").raw(if least == most { "Each bin has " } else { "A bin has " }).text(&grouped(least));
        if least < most {
            html.raw(" to ").text(&grouped(most));
        }
        html.raw(if most == 1 { " row" } else { " rows" });
        let small = self.totals.iter().filter(|&&rows| rows < FEW_ROWS).count();
        if small > 0 {
            html.raw("; <strong>").text(&grouped(small)).raw(if small == 1 { " bin has" } else { " bins have" });
            html.raw(" fewer than ").value(FEW_ROWS).raw("</strong>, so that single rows move the curves there");
        }
    }

    /// A card: the topic, its curve, and where it starts, peaks and ends.
    fn push_curve(&self, html: &mut Markup, names: &TopicNames, curve: &Curve) {
        let (Some((first, _)), Some((last, _))) = (self.bins.first(), self.bins.last()) else { return };
        let peak = curve.peak();
        let share = |bin: usize| percent(curve.shares.get(bin).copied().unwrap_or(0.0));
        let (start, most, end) = (share(0), share(peak), share(curve.shares.len().saturating_sub(1)));
        let at_peak = self.bins.get(peak).map_or("", |(label, _)| label.as_str());
        let trend = self.trends.significant.iter().find(|trend| trend.topic == curve.topic);
        html.raw("<li").attribute("data-words", names.filter_words(curve.topic)).raw(">");
        names.push(html, curve.topic, NAME_LENGTH);
        let alternative = match curve.is_empty() {
            true => format!("Topic {} has no row with a time.", curve.topic),
            false => format!(
                "Share of topic {}: {start} at first ({first}), at most {most} ({at_peak}), {end} at last ({last}).",
                curve.topic
            ),
        };
        html.raw("<svg class=\"curve\" role=\"img\"").attribute("aria-label", &alternative);
        html.attribute("viewBox", format_args!("0 0 {WIDTH} {HEIGHT}")).raw(" preserveAspectRatio=\"none\"><title>");
        html.text(&alternative);
        if !curve.words_at_peak.is_empty() {
            html.raw(" Words at the peak: ").text(&curve.words_at_peak).raw(".");
        }
        html.raw("</title>");
        self.push_drawing(html, curve);
        html.raw("</svg><dl class=\"ends\">");
        let last_bin = self.bins.len().saturating_sub(1);
        for (name, bin, label, share) in [
            ("first", 0, first.as_str(), &start),
            ("peak", peak, at_peak, &most),
            ("last", last_bin, last.as_str(), &end),
        ] {
            html.raw("<div><dt>").raw(name).raw("</dt><dd>").text(share).raw("</dd><dd><small>").text(label);
            if let Some(rows) = self.totals.get(bin).filter(|rows| **rows < FEW_ROWS) {
                html.raw(", of ").text(&count(usize::try_from(*rows).unwrap_or(0), "row"));
            }
            html.raw("</small></dd></div>");
        }
        html.raw("</dl>");
        match trend {
            Some(trend) => html.raw("<p class=\"trend\">").raw(trend.direction()).raw("</p>"),
            // So that all curves of a row are at one height.
            None if !self.trends.significant.is_empty() => html.raw("<p class=\"no-trend\">\u{a0}</p>"),
            None => html,
        };
        html.raw("</li>");
    }

    /// The line, the area below it, and a dot at the peak.
    fn push_drawing(&self, html: &mut Markup, curve: &Curve) {
        let (first, last) = match self.bins.as_slice() {
            [(_, first), .., (_, last)] => (*first, *last),
            _ => return,
        };
        let peak = curve.peak();
        let most = curve.shares.get(peak).copied().unwrap_or(0.0);
        let bottom = HEIGHT - MARGIN;
        let x = |position: f64| MARGIN + (WIDTH - 2.0 * MARGIN) * (position - first) / (last - first);
        let y = |share: f64| bottom - (HEIGHT - 2.0 * MARGIN) * if most > 0.0 { share / most } else { 0.0 };
        let points: Vec<(f64, f64)> =
            self.bins.iter().zip(&curve.shares).map(|((_, position), share)| (x(*position), y(*share))).collect();
        let mut line = String::new();
        for (place, (x, y)) in points.iter().enumerate() {
            line.push_str(&format!("{}{x:.1} {y:.1}", if place == 0 { "M" } else { "L" }));
        }
        html.raw("<path fill=\"currentColor\" fill-opacity=\"0.13\"");
        html.attribute("d", format_args!("{line}V{bottom}H{MARGIN}Z")).raw("></path>");
        html.raw("<path fill=\"none\" stroke=\"currentColor\" stroke-width=\"1\" stroke-opacity=\"0.35\" ");
        html.raw("vector-effect=\"non-scaling-stroke\"");
        html.attribute("d", format_args!("M{MARGIN} {bottom}H{}", WIDTH - MARGIN)).raw("></path>");
        html.raw("<path fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.75\" stroke-linejoin=\"round\" ");
        html.raw("stroke-linecap=\"round\" vector-effect=\"non-scaling-stroke\"");
        html.attribute("d", line).raw("></path>");
        if let Some((x, y)) = points.get(peak).filter(|_| most > 0.0) {
            // A circle would be stretched with the drawing; the end of a line is not.
            html.raw("<path fill=\"none\" stroke=\"currentColor\" stroke-width=\"7\" stroke-linecap=\"round\" ");
            html.raw("vector-effect=\"non-scaling-stroke\"");
            html.attribute("d", format_args!("M{x:.1} {y:.1}h0.01")).raw("></path>");
        }
    }

    fn push_trends(&self, html: &mut Markup, names: &TopicNames) {
        let trends = &self.trends;
        html.raw("<h3>Rising and falling topics</h3><p class=\"note\">");
        match (trends.significant.len(), trends.smallest) {
            _ if self.bins.len() < 3 => {
                html.raw("There are only two bins: at least three are needed to tell a trend from chance.</p>");
                return;
            }
            (_, None) if self.curves.len() + self.left_out == 1 => {
                html.raw("With a single topic, there is nothing to compare.</p>");
                return;
            }
            (_, None) => {
                html.raw("No topic has enough rows with a time to tell a trend from chance.</p>");
                return;
            }
            (0, Some(smallest)) => {
                html.raw("No topic rises or falls more than by chance: of ").text(&count(trends.tested, "topic"));
                html.raw(" tested, the smallest corrected p-value is ").text(&p_value(smallest)).raw(".");
                html.raw(if self.bins.len() < 6 {
                    " With few bins, hardly anything is significant.</p>"
                } else {
                    "</p>"
                });
                return;
            }
            (found, _) => {
                html.text(&count(found, "topic")).raw(if found == 1 { " rises" } else { " rise" });
                html.raw(if found == 1 { " or falls" } else { " or fall" }).raw(" significantly, of ");
                html.text(&count(trends.tested, "topic")).raw(
                    " tested. The change is that of the share from the first to \
                    the last bin, by its linear trend, in percentage points.</p>",
                );
            }
        }
        html.raw("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Rising and falling topics\">");
        html.raw("<table class=\"numbers\"><thead><tr><th scope=\"col\">Topic</th><th scope=\"col\">Trend</th>");
        html.raw("<th scope=\"col\">Change</th><th scope=\"col\">95% interval</th><th scope=\"col\">Corrected p</th>");
        html.raw("</tr></thead><tbody>");
        for trend in trends.significant.iter().take(TRENDS) {
            html.raw("<tr").attribute("data-words", names.filter_words(trend.topic)).raw("><th scope=\"row\">");
            names.push(html, trend.topic, NAME_LENGTH);
            html.raw("</th><td>").raw(trend.direction()).raw("</td><td>").text(&points(trend.change)).raw("</td><td>");
            html.text(&points(trend.interval.0)).raw(" to ").text(&points(trend.interval.1)).raw("</td><td>");
            html.text(&p_value(trend.q_value)).raw("</td></tr>");
        }
        html.raw("</tbody></table></div>");
        let more = trends.significant.len().saturating_sub(TRENDS);
        if more > 0 {
            html.raw("<p class=\"note\">").text(&count(more, "less certain trend")).raw(" not shown.</p>");
        }
    }
}

impl Curve {
    /// The first bin with the largest share.
    fn peak(&self) -> usize {
        let larger = |best: usize, (bin, share): (usize, &f64)| {
            if *share > self.shares.get(best).copied().unwrap_or(0.0) { bin } else { best }
        };
        self.shares.iter().enumerate().fold(0, larger)
    }

    fn is_empty(&self) -> bool {
        self.shares.iter().all(|share| *share == 0.0)
    }
}

/// The rows of each topic in each bin.
struct Table {
    bins: Vec<(String, f64)>,
    /// The number of rows of each bin.
    totals: Vec<i64>,
    /// The number of rows of each bin and topic, with the words there.
    cells: BTreeMap<i32, BTreeMap<usize, (i64, String)>>,
}

impl Table {
    /// Reads the frame of [`TopicsOverTime::frame`], leaving out bins without rows, which have no shares.
    fn read(frame: &DataFrame) -> Result<Self> {
        let starts = frame.column("Timestamp").map_err(internal)?;
        let times = positions(starts)?;
        let topics = frame.column("Topic").and_then(|topics| topics.i32().cloned()).map_err(internal)?;
        let rows = frame.column("Frequency").and_then(|rows| rows.i64().cloned()).map_err(internal)?;
        let words = frame.column("Words").and_then(|words| words.str().cloned()).map_err(internal)?;
        let mut cells = BTreeMap::<i32, BTreeMap<usize, (i64, String)>>::new();
        let (mut firsts, mut totals, mut bins): (Vec<IdxSize>, Vec<i64>, Vec<f64>) = Default::default();
        // Ascending by time.
        let all = topics.iter().zip(rows.iter()).zip(words.iter()).zip(&times).zip(0..);
        for ((((topic, rows), words), &time), row) in all {
            let (Some(topic), Some(rows @ 1..)) = (topic, rows) else { continue };
            if bins.last() != Some(&time) {
                firsts.push(row);
                bins.push(time);
                totals.push(0);
            }
            if let Some(total) = totals.last_mut() {
                *total += rows;
            }
            let cell = cells.entry(topic).or_default().entry(bins.len() - 1).or_default();
            cell.0 += rows;
            cell.1 = words.unwrap_or_default().to_owned();
        }
        let starts = starts.take(&IdxCa::from_vec(PlSmallStr::EMPTY, firsts)).map_err(internal)?;
        Ok(Table { bins: labels(&starts)?.into_iter().zip(bins).collect(), totals, cells })
    }

    fn curve(&self, topic: i32) -> Curve {
        let empty = BTreeMap::new();
        let cells = self.cells.get(&topic).unwrap_or(&empty);
        let share =
            |(bin, &total): (usize, &i64)| cells.get(&bin).map_or(0.0, |&(rows, _)| rows as f64 / total.max(1) as f64);
        let shares = self.totals.iter().enumerate().map(share).collect();
        let mut curve = Curve { topic, shares, words_at_peak: String::new() };
        curve.words_at_peak = cells.get(&curve.peak()).map(|(_, words)| words.clone()).unwrap_or_default();
        curve
    }
}

impl Trends {
    fn of(over_time: &TopicsOverTime) -> Result<Self> {
        let frame = over_time.emerging_topics()?;
        let number = |name: &str| frame.column(name).and_then(|column| column.f64().cloned()).map_err(internal);
        let topics = frame.column("Topic").and_then(|topics| topics.i32().cloned()).map_err(internal)?;
        let (changes, q_values) = (number("Change")?, number("Q_value")?);
        let (lows, highs) = (number("Change_low")?, number("Change_high")?);
        let mut trends = Trends::default();
        let all = topics.iter().zip(changes.iter()).zip(q_values.iter()).zip(lows.iter()).zip(highs.iter());
        for ((((topic, change), q_value), low), high) in all {
            let (Some(topic), Some(change), Some(q_value)) = (topic, change, q_value) else { continue };
            trends.tested += 1;
            trends.smallest = Some(trends.smallest.map_or(q_value, |smallest| smallest.min(q_value)));
            if q_value < SIGNIFICANT {
                let interval = (low.unwrap_or(f64::NAN), high.unwrap_or(f64::NAN));
                trends.significant.push(Trend { topic, change, interval, q_value });
            }
        }
        Ok(trends)
    }
}

/// A difference of shares in percentage points: `+4.2`, `−0.3`.
fn points(difference: f64) -> String {
    format!("{:+.1}", 100.0 * difference).replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::points;

    #[test]
    fn differences_have_a_sign() {
        assert_eq!([0.0421, -0.003, 0.0].map(points), ["+4.2", "−0.3", "+0.0"]);
    }
}
