//! The sizes of topics, as bars.

use polars::prelude::*;
use serde_json::{Value, json};

use super::super::markup::grouped;
use super::bar_rows::{Bar, BarRows};
use super::canvas::Canvas;
use super::draw::{Draw, Plot, labeled_axis};
use super::selection::Settings;
use super::theme::Paint;
use super::{Figure, left_out};
use crate::cluster::OUTLIER;
use crate::corpus::internal;
use crate::error::Result;
use crate::model::FittedTopicModel;

/// The number of topics, unless others are asked for.
const TOPICS: usize = 20;

/// The sizes of topics: see [`visualize_topic_sizes`](FittedTopicModel::visualize_topic_sizes).
#[derive(Debug, Clone)]
pub struct TopicSizes {
    model: FittedTopicModel,
}

impl FittedTopicModel {
    /// How many rows the topics have, as bars, and how many are outliers. Default: the twenty largest topics; -1 comes
    /// last, in gray, if there are outliers and [`topics`](Figure::topics) are not listed.
    ///
    /// Frame: `Topic` (i32), `Name`, `Count` (i64), `Share` (f64: of all rows, 0 to 1).
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let posts = df!("text" => ["the cat sleeps", "a fast train"].repeat(10))?;
    /// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
    /// let sizes = model.fit(&posts)?.visualize_topic_sizes().frame()?;
    /// assert_eq!(sizes.column("Share")?.f64()?.to_vec(), [Some(0.5), Some(0.5)]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn visualize_topic_sizes(&self) -> Figure<TopicSizes> {
        Figure::new(TopicSizes { model: self.clone() })
    }
}

/// What is drawn.
#[derive(Debug)]
pub struct Sizes {
    topics: Vec<(i32, String, usize)>,
    rows: usize,
    left_out: usize,
}

impl Draw for TopicSizes {
    type Data = Sizes;

    fn data(&self, settings: &Settings) -> Result<Sizes> {
        let mut selection = settings.select(&self.model, TOPICS)?;
        let size = |topic: i32| self.model.topic_size(topic);
        if settings.topics.is_none() && size(OUTLIER).is_some() {
            selection.topics.push(OUTLIER);
            selection.labels.push(settings.label_of(&self.model, OUTLIER)?);
        }
        let topics = selection.topics.into_iter().zip(selection.labels);
        Ok(Sizes {
            topics: topics.map(|(topic, label)| (topic, label, size(topic).unwrap_or(0))).collect(),
            rows: self.model.topic_ids().into_iter().filter_map(size).sum(),
            left_out: selection.left_out,
        })
    }
}

impl Sizes {
    fn share(&self, count: usize) -> f64 {
        count as f64 / self.rows.max(1) as f64
    }

    fn bars(&self) -> BarRows {
        let bar = |(topic, label, count): &(i32, String, usize)| Bar {
            label: label.clone(),
            value: *count as f64,
            text: format!("{} ({:.1}%)", grouped(*count), 100.0 * self.share(*count)),
            paint: if *topic == OUTLIER { Paint::Rest } else { Paint::Accent },
        };
        BarRows {
            bars: self.topics.iter().map(bar).collect(),
            most: self.topics.iter().map(|(.., count)| *count).max().unwrap_or(1) as f64,
            if_none: "There are no topics.".to_owned(),
        }
    }
}

impl Plot for Sizes {
    fn title(&self) -> String {
        "Sizes of topics".to_owned()
    }

    fn frame(&self) -> Result<DataFrame> {
        let columns = vec![
            Column::new("Topic".into(), self.topics.iter().map(|(topic, ..)| *topic).collect::<Vec<i32>>()),
            Column::new("Name".into(), self.topics.iter().map(|(_, label, _)| label.as_str()).collect::<Vec<_>>()),
            Column::new("Count".into(), self.topics.iter().map(|(.., count)| *count as i64).collect::<Vec<_>>()),
            Column::new("Share".into(), self.topics.iter().map(|(.., count)| self.share(*count)).collect::<Vec<_>>()),
        ];
        DataFrame::new(self.topics.len(), columns).map_err(internal)
    }

    fn size(&self) -> (f64, f64) {
        self.bars().size()
    }

    fn draw(&self, canvas: &mut Canvas) {
        self.bars().draw(canvas);
    }

    fn note(&self) -> Option<String> {
        left_out(self.left_out)
    }

    fn plotly(&self) -> (Vec<Value>, Value) {
        let rows = || self.topics.iter().rev();
        let trace = json!({
            "type": "bar", "orientation": "h", "x": rows().map(|(.., count)| *count).collect::<Vec<_>>(),
            "y": (0..self.topics.len()).collect::<Vec<_>>(),
        });
        let labels = labeled_axis(rows().map(|(_, label, _)| label.as_str()));
        (vec![trace], json!({ "xaxis": { "title": { "text": "Count" } }, "yaxis": labels }))
    }
}
