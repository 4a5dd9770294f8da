//! Which rows are outliers: a choice of the user's.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result, Stage};

/// Which rows are in no topic. Blank rows, which have no vector, never are in one.
///
/// | value | as text | outliers |
/// |---|---|---|
/// | [`AsClustered`](Self::AsClustered), the default | `clusterer` | those that the clusterer leaves out |
/// | [`None`](Self::None) | `none` | none |
/// | [`Share`](Self::Share) | `10%` or `0.1` | this share of the rows that have a vector |
/// | [`Below`](Self::Below) | `below 0.3`, `below=0.3` or `<0.3` | rows with a lower probability, and those that the clusterer leaves out |
///
/// ```
/// use topicframe::prelude::*;
///
/// let posts = df!("text" => ["the cat sleeps", "the dog sleeps", "a fast train"].repeat(10))?;
/// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(3));
/// assert_eq!(model.clone().outliers(Outliers::Share(0.1)).fit(&posts)?.summary().outliers, 3);
/// assert_eq!(model.outliers("10%".parse::<Outliers>()?).fit(&posts)?.summary().outliers, 3);   // as a user writes it
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub enum Outliers {
    /// The rows that the clusterer leaves out.
    #[default]
    AsClustered,
    /// No row: those that the clusterer leaves out are in the topic where they belong most.
    None,
    /// This share of the rows that have a vector, 0 to 1, rounded to a whole number of rows.
    Share(f64),
    /// The rows whose probability is below this, 0 to 1, and those that the clusterer leaves out.
    Below(f64),
}

/// What is accepted, for errors.
const ALLOWED: &str = "clusterer, none, a share such as 10% or 0.1, or a probability such as below=0.3";

impl Outliers {
    /// Checks that shares and probabilities are from 0 to 1.
    pub(crate) fn check(self) -> Result<()> {
        let (value, what) = match self {
            Outliers::AsClustered | Outliers::None => return Ok(()),
            Outliers::Share(share) => (share, "a share from 0 to 1"),
            Outliers::Below(probability) => (probability, "a probability from 0 to 1"),
        };
        match (0.0..=1.0).contains(&value) {
            true => Ok(()),
            false => Err(Error::invalid_parameter(Stage::Topics, "outliers", self, what)),
        }
    }
}

/// A share of the rows.
impl From<f64> for Outliers {
    fn from(share: f64) -> Self {
        Outliers::Share(share)
    }
}

impl FromStr for Outliers {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || Error::invalid_parameter(Stage::Topics, "outliers", text, ALLOWED);
        let number = |text: &str| text.trim().parse::<f64>().map_err(|_| wrong());
        let below = text.strip_prefix('<').or_else(|| {
            let rest = text.strip_prefix("below")?;
            rest.strip_prefix('=').or_else(|| rest.strip_prefix(' '))
        });
        let outliers = match (text, below, text.strip_suffix('%')) {
            ("clusterer", ..) => Outliers::AsClustered,
            ("none", ..) => Outliers::None,
            (_, Some(probability), _) => Outliers::Below(number(probability)?),
            (_, _, Some(percent)) => Outliers::Share(number(percent)? / 100.0),
            _ => Outliers::Share(number(text)?),
        };
        outliers.check().map_err(|_| wrong())?;
        Ok(outliers)
    }
}

impl fmt::Display for Outliers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outliers::AsClustered => f.write_str("clusterer"),
            Outliers::None => f.write_str("none"),
            Outliers::Share(share) => write!(f, "{share}"),
            Outliers::Below(probability) => write!(f, "below {probability}"),
        }
    }
}

/// What a choice of outliers means for new rows.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Admission {
    /// A row with a lower probability, or with this one and a lower cosine to its topic's centroid, is an outlier.
    pub(crate) lowest: Option<(f64, f64)>,
    /// A row that the clusterer leaves out is in the topic with the nearest centroid, unless its cosine to that is
    /// lower.
    pub(crate) nearest: Option<f64>,
}
