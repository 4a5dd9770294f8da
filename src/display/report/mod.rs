//! A report about a fitted model as a self-contained HTML file.

use std::path::Path;

use super::markup::{Html, Markup};
use super::show::{Show, framed};
use crate::error::{Error, Result, Stage};
use crate::model::{FittedTopicModel, OverTimeOptions};

mod class_table;
mod page;
mod page_figure;
mod percent;
mod settings;
mod summary;
mod topic_curves;
mod topic_names;
mod topic_section;
mod topic_table;
mod topic_tree;
mod trust;
mod view;

pub use settings::stage_in_words;
use view::{Extent, ReportView};

/// A report about a fitted model: a summary, the table of topics, the documents in the plane, the tree in which topics
/// merge, how similar they are, and for each topic its words with their weights, its images, its representative documents, and how far it can be trusted
/// ([`topic_quality`](FittedTopicModel::topic_quality)); topics that this speaks against are marked, with the reason. On
/// request, also the topics [over time](Self::time) and [by class](Self::class).
///
/// | setting | default |
/// |---|---|
/// | [`title`](Self::title) | "Topics" |
/// | [`max_topics`](Self::max_topics) | 300 |
/// | [`max_pictures`](Self::max_pictures) | 9 |
/// | [`map`](Self::map), [`tree`](Self::tree), [`heatmap`](Self::heatmap) | yes |
/// | [`time`](Self::time), [`class`](Self::class) | none |
///
/// The page is a single file. It makes no network requests, which its content security policy also enforces, and all
/// text from the frame is escaped. It is readable in wide and narrow windows, in dark mode, and in print; without
/// JavaScript, only the filter is unavailable.
///
/// ```
/// use topicframe::prelude::*;
/// # let posts = df!("text" => ["the cat sleeps", "a fast train"].repeat(10))?;
/// # let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
/// # let topics = model.fit(&posts)?;
/// # let folder = tempfile::tempdir()?;
/// # let file = folder.path().join("topics.html");
///
/// let report = topics.report().title("Our posts");
/// report.write(&file)?;
/// assert!(report.to_html()?.contains("Our posts"));
/// # assert!(std::fs::read_to_string(&file)?.contains("sleeps"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Report {
    topics: FittedTopicModel,
    title: String,
    extent: Extent,
}

impl Report {
    /// A report on `topics`. The memory of the model is shared, not copied.
    pub fn new(topics: &FittedTopicModel) -> Self {
        let (has_map, has_tree, has_heatmap) = (true, true, true);
        let (max_topics, max_pictures, time, classes) = (300, 9, None, Vec::new());
        let extent = Extent { max_topics, max_pictures, has_map, has_tree, has_heatmap, time, classes };
        Report { topics: topics.clone(), title: "Topics".to_owned(), extent }
    }

    /// The title of the page; must not be blank. Default: "Topics".
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// The maximum number of topics on the page, largest first; the others are counted. At least 1. Default: 300, which
    /// is about 30 MB with images.
    #[must_use]
    pub fn max_topics(mut self, max_topics: usize) -> Self {
        self.extent.max_topics = max_topics;
        self
    }

    /// The maximum number of images per topic; 0 omits all images. Default: 9.
    #[must_use]
    pub fn max_pictures(mut self, max_pictures: usize) -> Self {
        self.extent.max_pictures = max_pictures;
        self
    }

    /// Whether the documents in the plane are on the page ([`visualize_documents`](FittedTopicModel::visualize_documents); of
    /// more than 50,000, a sample). Default: `true`. For this, the [layout](FittedTopicModel::layout_2d) is computed, unless
    /// the model has it already; without topics, there is none.
    #[must_use]
    pub fn map(mut self, map: bool) -> Self {
        self.extent.has_map = map;
        self
    }

    /// Whether the tree in which the topics merge is on the page
    /// ([`hierarchical_topics`](FittedTopicModel::hierarchical_topics)). Default: `true`; with fewer than two topics, there
    /// is none.
    #[must_use]
    pub fn tree(mut self, tree: bool) -> Self {
        self.extent.has_tree = tree;
        self
    }

    /// Whether the similarity of topics is on the page ([`visualize_heatmap`](FittedTopicModel::visualize_heatmap); of the
    /// 200 largest topics). Default: `true`; with fewer than two topics, there is none.
    #[must_use]
    pub fn heatmap(mut self, heatmap: bool) -> Self {
        self.extent.has_heatmap = heatmap;
        self
    }

    /// Shows the topics over time, by a column of the fitted frame: dates, timestamps, integers, or texts that are dates
    /// ([`topics_over_time`](FittedTopicModel::topics_over_time)). A curve of the share of each topic, for the 24 largest
    /// topics, and a table of those that rise or fall
    /// ([`emerging_topics`](crate::model::TopicsOverTime::emerging_topics)).
    ///
    /// Every value is a bin; if there are more than 60, bins are the shortest periods of the calendar (or of round numbers)
    /// that make at most 60. [`time_with`](Self::time_with) sets others.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let posts = df!(
    ///     "text" => ["a cat sleeps", "a fast train", "a slow train"].repeat(10),
    ///     "year" => (0..30).map(|row| 2000 + row / 3).collect::<Vec<i32>>(),
    ///     "forum" => ["pets", "travel", "travel"].repeat(10),
    /// )?;
    /// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
    /// let page = model.fit(&posts)?.report().time("year").class("forum").to_html()?;
    /// assert!(page.contains("Topics over time") && page.contains("Rising and falling topics"));
    /// assert!(page.contains("Topics by <span dir=\"auto\">forum</span>"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn time(self, column: impl Into<String>) -> Self {
        self.time_with(column, OverTimeOptions::new())
    }

    /// As [`time`](Self::time), with bins by number or by calendar, or a format of texts.
    ///
    /// ```
    /// use topicframe::prelude::*;
    ///
    /// let posts = df!(
    ///     "text" => ["a cat sleeps", "a fast train"].repeat(10),
    ///     "date" => ["03.01.2024", "15.02.2024", "29.02.2024", "01.04.2024"].repeat(5),
    /// )?;
    /// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
    /// let monthly = OverTimeOptions::new().every("1mo").format("%d.%m.%Y");
    /// let page = model.fit(&posts)?.report().time_with("date", monthly).to_html()?;
    /// assert!(page.contains("3 bins of 1 month"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn time_with(mut self, column: impl Into<String>, options: OverTimeOptions) -> Self {
        self.extent.time = Some((column.into(), options));
        self
    }

    /// Shows the topics by the classes of a column of the fitted frame: texts, categories, integers, booleans, or lists of
    /// these ([`topics_per_class`](FittedTopicModel::topics_per_class)). A table of the share of each topic in each class,
    /// with how over-represented it is there, and whether that may be chance; for the 30 largest topics and the 12 largest
    /// classes. Every further column adds a table.
    #[must_use]
    pub fn class(mut self, column: impl Into<String>) -> Self {
        let column = column.into();
        if !self.extent.classes.contains(&column) {
            self.extent.classes.push(column);
        }
        self
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// The title is blank; the maximum number of topics is 0; time is [divided by](OverTimeOptions::by) classes.
    pub fn check(&self) -> Result<()> {
        if self.title.trim().is_empty() {
            return Err(Error::invalid_parameter(
                Stage::Display,
                "title",
                format_args!("{:?}", self.title),
                "not blank",
            ));
        }
        if self.extent.max_topics == 0 {
            return Err(Error::invalid_parameter(Stage::Display, "max_topics", 0, "at least 1"));
        }
        match self.extent.time.as_ref().and_then(|(_, options)| options.class_column()) {
            Some(by) => {
                let allowed = "left out: the report shows classes with class(..), and does not divide time by them";
                Err(Error::invalid_parameter(Stage::Display, "by", format_args!("{by:?}"), allowed))
            }
            None => Ok(()),
        }
    }

    /// Renders the page.
    ///
    /// # Errors
    /// A setting is out of range; there is no column of time or of classes, or it has another type, or the model is
    /// without its data; an image can no longer be read and the model is configured to fail in that case; or interrupted.
    pub fn to_html(&self) -> Result<Html> {
        self.check()?;
        let view = ReportView::of(&self.topics, &self.title, &self.extent)?;
        let mut html = Markup::default();
        page::push(&mut html, &view);
        Ok(Html::trusted(html.finish()))
    }

    /// Writes the page to a file atomically.
    ///
    /// # Errors
    /// Same as [`to_html`](Self::to_html); also if the file cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        crate::files::write_whole(path.as_ref(), self.to_html()?.as_str())
    }
}

impl Show for Report {
    /// The page in an iframe, 44 rem high.
    fn to_html(&self) -> Html {
        match Report::to_html(self) {
            Err(error) => Show::to_html(&error),
            Ok(page) => {
                let mut html = Markup::default();
                html.raw("<iframe class=\"tf-page\" title=\"Topics\" sandbox=\"allow-scripts\"");
                html.attribute("srcdoc", page.as_str()).raw("></iframe>");
                framed(&html.finish())
            }
        }
    }
}

impl Report {
    /// Displays the report below a notebook cell: evcxr calls this on the last expression of a cell.
    pub fn evcxr_display(&self) {
        Show::evcxr_display(self);
    }
}

impl FittedTopicModel {
    /// A report about the topics: `topics.report().write("topics.html")?` writes it, [`Report::to_html`] renders it.
    pub fn report(&self) -> Report {
        Report::new(self)
    }
}
