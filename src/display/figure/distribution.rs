//! The topics of one document, as bars.

use polars::prelude::*;
use serde_json::{Value, json};

use super::super::number::short_float;
use super::Figure;
use super::bar_rows::{Bar, BarRows};
use super::canvas::Canvas;
use super::draw::{Draw, Plot, labeled_axis};
use super::selection::Settings;
use super::theme::Paint;
use crate::cluster::OUTLIER;
use crate::corpus::internal;
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::model::{FittedTopicModel, no_topic};

/// Smaller shares are left out, unless another limit is set: BERTopic's.
const MIN_PROBABILITY: f64 = 0.015;

/// The topics of one document: see [`visualize_distribution`](FittedTopicModel::visualize_distribution).
#[derive(Debug, Clone)]
pub struct DistributionBars {
    model: FittedTopicModel,
    shares: Vec<(i32, f64)>,
    min_probability: f64,
}

impl FittedTopicModel {
    /// The topics of one document with their shares, as bars, largest first (BERTopic's `visualize_distribution`):
    /// `topics.visualize_distribution(shares.of(row))` with the shares that
    /// [`approximate_distribution`](Self::approximate_distribution) returns, or pairs of a topic and a number from
    /// elsewhere, such as [`topic_probabilities`](Self::topic_probabilities). Shares below 0.015 are left out, unless
    /// [`min_probability`](Figure::min_probability) is set, and counted.
    ///
    /// Frame: `Topic` (i32), `Name`, `Probability` (f64), largest first.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let posts = df!("text" => ["the cat sleeps", "a fast train"].repeat(10))?;
    /// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
    /// let topics = model.fit(&posts)?;
    /// let shares = topics.approximate_distribution(&ApproximateDistribution::new())?;
    /// assert_eq!(topics.visualize_distribution(shares.of(0)).frame()?.height(), 1);
    ///
    /// let probabilities = topics.topic_probabilities()?;
    /// let of_row = probabilities.topics().iter().copied().zip(probabilities.values().row(0).to_vec());
    /// assert!(topics.visualize_distribution(of_row).svg()?.contains("cat"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn visualize_distribution(&self, shares: impl IntoIterator<Item = (i32, f64)>) -> Figure<DistributionBars> {
        let shares = shares.into_iter().collect();
        Figure::new(DistributionBars { model: self.clone(), shares, min_probability: MIN_PROBABILITY })
    }
}

impl Figure<DistributionBars> {
    /// The smallest share that is drawn, 0 to 1. Default: 0.015, as in BERTopic.
    #[must_use]
    pub fn min_probability(mut self, min_probability: f64) -> Self {
        self.drawing.min_probability = min_probability;
        self
    }
}

/// What is drawn.
#[derive(Debug)]
pub struct Shares {
    /// Largest first.
    topics: Vec<(i32, String, f64)>,
    min_probability: f64,
    smaller: usize,
}

impl Draw for DistributionBars {
    type Data = Shares;

    fn data(&self, settings: &Settings) -> Result<Shares> {
        if !(0.0..=1.0).contains(&self.min_probability) {
            let (name, value) = ("min_probability", self.min_probability);
            return Err(Error::invalid_parameter(Stage::Display, name, value, "a number from 0 to 1"));
        }
        // That those exist that were asked for.
        let asked = settings.topics.as_ref().map(|_| settings.select(&self.model, 0)).transpose()?;
        let mut shares = Vec::new();
        for &(topic, share) in &self.shares {
            if self.model.topic_size(topic).is_none() && topic != OUTLIER {
                return Err(no_topic(topic, None));
            }
            if !share.is_finite() || share < 0.0 {
                return Err(refused(format!("the share of topic {topic} is {share}: it must be at least 0")));
            }
            if asked.as_ref().is_none_or(|asked| asked.topics.contains(&topic)) {
                shares.push((topic, share));
            }
        }
        shares.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        // A share of 0 is none, whatever the limit.
        let is_shown = |share: f64| share >= self.min_probability && share > 0.0;
        let positive = shares.iter().filter(|(_, share)| *share > 0.0).count();
        shares.retain(|&(_, share)| is_shown(share));
        shares.truncate(settings.top.unwrap_or(usize::MAX));
        let named = |(topic, share): (i32, f64)| Ok((topic, settings.label_of(&self.model, topic)?, share));
        let topics: Vec<_> = shares.into_iter().map(named).collect::<Result<_>>()?;
        Ok(Shares { smaller: positive - topics.len(), topics, min_probability: self.min_probability })
    }
}

fn refused(message: String) -> Error {
    Error::new(ErrorKind::InvalidData, Stage::Display, message)
        .with_hint("Pass pairs of a topic and its share, such as those of approximate_distribution(..)?.of(row).")
}

impl Shares {
    fn rows(&self) -> BarRows {
        let bar = |(topic, label, share): &(i32, String, f64)| Bar {
            label: label.clone(),
            value: *share,
            text: short_float(*share),
            paint: if *topic == OUTLIER { Paint::Rest } else { Paint::Accent },
        };
        BarRows {
            bars: self.topics.iter().map(bar).collect(),
            most: self.topics.first().map_or(1.0, |(.., share)| *share),
            if_none: format!("No topic has a share of at least {}.", short_float(self.min_probability)),
        }
    }
}

impl Plot for Shares {
    fn title(&self) -> String {
        "Topics of the document".to_owned()
    }

    fn frame(&self) -> Result<DataFrame> {
        let columns = vec![
            Column::new("Topic".into(), self.topics.iter().map(|(topic, ..)| *topic).collect::<Vec<i32>>()),
            Column::new("Name".into(), self.topics.iter().map(|(_, label, _)| label.as_str()).collect::<Vec<_>>()),
            Column::new("Probability".into(), self.topics.iter().map(|(.., share)| *share).collect::<Vec<f64>>()),
        ];
        DataFrame::new(self.topics.len(), columns).map_err(internal)
    }

    fn size(&self) -> (f64, f64) {
        self.rows().size()
    }

    fn draw(&self, canvas: &mut Canvas) {
        self.rows().draw(canvas);
    }

    fn note(&self) -> Option<String> {
        match self.smaller {
            0 => None,
            1 => Some("1 smaller share not shown".to_owned()),
            more => Some(format!("{more} smaller shares not shown")),
        }
    }

    fn plotly(&self) -> (Vec<Value>, Value) {
        let rows = || self.topics.iter().rev();
        let trace = json!({
            "type": "bar", "orientation": "h", "x": rows().map(|(.., share)| *share).collect::<Vec<f64>>(),
            "y": (0..self.topics.len()).collect::<Vec<_>>(),
        });
        let labels = labeled_axis(rows().map(|(_, label, _)| label.as_str()));
        (vec![trace], json!({ "xaxis": { "title": { "text": "Probability" } }, "yaxis": labels }))
    }
}
