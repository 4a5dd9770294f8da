//! The interactive map of documents: one self-contained page.

use std::path::{Path, PathBuf};

use polars::prelude::DataFrame;

use super::figure::{Drawn, Label, MappedDocuments, Shown, drawn, framed};
use super::html::count;
use super::markup::Html;
use super::show::Show;
use crate::error::{Error, Result, Stage};
use crate::model::{FittedTopicModel, OverTimeOptions};
use crate::progress::Progress;
use crate::vision::Limits;

mod atlas;
mod blocks;
mod extent;
mod labels;
mod levels;
mod page;
mod pictures;
mod points;
mod rows;
mod script;
mod timeline;
mod topics;
mod values;
mod view;

use extent::Extent;
use rows::MapRows;
use view::MapView;

/// The height of a map in a cell, in pixels.
const CELL_HEIGHT: u32 = 640;

/// A map of documents in one HTML file: every document is a point, labels and pictures appear as one zooms in, texts are
/// read by pointing at a document and found by searching, and a selection leaves the page as row numbers.
///
/// The page is self-contained. It makes no network requests, which its content security policy also enforces, and text of
/// the frame is never read as HTML. Texts stay compressed in the page until they are looked at. In a notebook cell the map
/// is live, with at most 20,000 documents; where scripts do not run, such as on GitHub, a still picture is shown.
///
/// | setting | default |
/// |---|---|
/// | [`text`](Self::text), [`images`](Self::images), [`topics`](Self::topics) | those of the model; of a frame, no text and image, and the columns `Topic` and `Name` if it has them |
/// | [`time`](Self::time), [`color_by`](Self::color_by) | no such column |
/// | [`text_length`](Self::text_length) | 300 characters |
/// | [`thumbnails`](Self::thumbnails) | 2,000 of 72 pixels |
/// | [`title`](Self::title) | "Documents" |
/// | [`label`](Self::label) | [`Label::Custom`] |
/// | [`dark`](Self::dark) | as the reader prefers |
///
/// ```
/// use topicframe::prelude::*;
/// # let folder = tempfile::tempdir()?;
/// # let file = folder.path().join("map.html");
///
/// let posts = df!(
///     "x" => [0.0, 0.1, 5.0], "y" => [1.0, 1.1, 3.0], "Topic" => [0, 0, 1], "text" => ["a cat", "cats", "a train"],
/// )?;
/// let map = InteractiveMap::of_frame(&posts, "x", "y").text("text").title("Our posts");
/// map.write(&file)?;
/// assert!(map.html()?.contains("<title>Our posts</title>"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct InteractiveMap {
    source: Source,
    text: Option<String>,
    images: Option<(String, PathBuf)>,
    topics: Option<(String, Option<String>)>,
    time: Option<(String, OverTimeOptions)>,
    color_by: Vec<String>,
    title: String,
    label: Label,
    text_length: usize,
    thumbnails: (usize, u32),
    image_limits: Option<Limits>,
    dark: bool,
    all: bool,
    progress: Progress,
}

/// Where rows and their places come from.
#[derive(Debug, Clone)]
enum Source {
    /// A frame, and its columns of coordinates.
    Frame(DataFrame, String, String),
    /// A model, and the rows of its fit if they were given.
    Model(Box<FittedTopicModel>, Option<DataFrame>),
}

impl FittedTopicModel {
    /// The documents as an interactive map: one page with all documents as points in the plane of
    /// [`layout_2d`](Self::layout_2d), in the colors of [`visualize_documents`](Self::visualize_documents), with the topics'
    /// labels, texts and pictures. [`InteractiveMap`] says what can be done on it.
    ///
    /// Texts and images are those of the fit; a model that was saved without its documents shows points and topics, and
    /// the pictures of topics that it has, unless the rows are given with [`documents`](InteractiveMap::documents). If the
    /// clusterer found a tree of topics, labels of coarser topics are shown first, and the topics' own labels as one zooms
    /// in.
    ///
    /// ```
    /// use topicframe::prelude::*;
    /// # let folder = tempfile::tempdir()?;
    /// # let file = folder.path().join("map.html");
    ///
    /// let posts = df!(
    ///     "text" => ["the cat sleeps", "a fast train", "the dog sleeps"].repeat(10),
    ///     "date" => ["2024-01-03", "2024-02-29", "2024-02-01"].repeat(10),
    /// )?;
    /// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
    /// let map = model.fit(&posts)?.interactive_map().time("date");
    /// map.write(&file)?;
    /// # assert!(std::fs::read_to_string(&file)?.contains("2024-02"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn interactive_map(&self) -> InteractiveMap {
        InteractiveMap::new(Source::Model(Box::new(self.clone()), None), self.progress().clone())
    }
}

impl InteractiveMap {
    /// A map of the rows of `frame` at the coordinates in two columns of numbers, y upward. Rows without finite coordinates
    /// are counted, but not drawn. If there are columns `Topic` and `Name` (or `CustomName`), they are the
    /// [topics](Self::topics); a column `Probability` of numbers is shown with each row.
    pub fn of_frame(frame: &DataFrame, x: &str, y: &str) -> Self {
        let has = |name: &str| frame.column(name).is_ok().then(|| name.to_owned());
        let topics = has("Topic").map(|topic| (topic, has("CustomName").or_else(|| has("Name"))));
        let source = Source::Frame(frame.clone(), x.to_owned(), y.to_owned());
        InteractiveMap { topics, ..InteractiveMap::new(source, Progress::silent()) }
    }

    fn new(source: Source, progress: Progress) -> Self {
        InteractiveMap {
            source,
            text: None,
            images: None,
            topics: None,
            time: None,
            color_by: Vec::new(),
            title: "Documents".to_owned(),
            label: Label::default(),
            text_length: 300,
            thumbnails: (2_000, 72),
            image_limits: None,
            dark: false,
            all: false,
            progress,
        }
    }

    /// The rows of the fit, for a model that was saved without them or with other columns: one row for each row of the
    /// fit, in the same order. The other setters name columns of this frame. A map of a frame is one of this frame then.
    #[must_use]
    pub fn documents(mut self, frame: &DataFrame) -> Self {
        match &mut self.source {
            Source::Model(_, documents) => *documents = Some(frame.clone()),
            Source::Frame(of_map, ..) => *of_map = frame.clone(),
        }
        self
    }

    /// The column of topics (integers, -1 or null for outliers), and the column with their names, if there is one.
    #[must_use]
    pub fn topics(mut self, column: impl Into<String>, names: Option<&str>) -> Self {
        self.topics = Some((column.into(), names.map(str::to_owned)));
        self
    }

    /// The column of texts.
    #[must_use]
    pub fn text(mut self, column: impl Into<String>) -> Self {
        self.text = Some(column.into());
        self
    }

    /// The column of images: paths relative to `folder`, or encoded images. Images that cannot be read are left out and
    /// counted.
    #[must_use]
    pub fn images(mut self, column: impl Into<String>, folder: impl Into<PathBuf>) -> Self {
        self.images = Some((column.into(), folder.into()));
        self
    }

    /// The column of the timeline: dates, timestamps, integers, or texts that are dates. Every value is a bin; if there are
    /// more than 250, bins are the shortest periods of the calendar (or of round numbers) that make at most 250.
    #[must_use]
    pub fn time(self, column: impl Into<String>) -> Self {
        self.time_with(column, OverTimeOptions::new())
    }

    /// As [`time`](Self::time), with bins by number or by calendar, or a format of texts. More than 250 bins are replaced
    /// by those of `time`.
    #[must_use]
    pub fn time_with(mut self, column: impl Into<String>, options: OverTimeOptions) -> Self {
        self.time = Some((column.into(), options));
        self
    }

    /// Columns by which the points can be colored: numbers, or classes (texts, categories, booleans, and integers with at
    /// most 18 different values; of a list, the most frequent), of which the 18 most frequent have a color each.
    #[must_use]
    pub fn color_by<C: Into<String>>(mut self, columns: impl IntoIterator<Item = C>) -> Self {
        self.color_by = columns.into_iter().map(Into::into).collect();
        self
    }

    /// The title of the page; must not be blank. Default: "Documents".
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// What the topics of a model are called. Default: [`Label::Custom`]. Without effect on a frame, whose
    /// [`topics`](Self::topics) have names of their own.
    #[must_use]
    pub fn label(mut self, label: Label) -> Self {
        self.label = label;
        self
    }

    /// The length to which texts are cut, in characters; at least 1. Default: 300, and at most 120 in a cell.
    #[must_use]
    pub fn text_length(mut self, text_length: usize) -> Self {
        self.text_length = text_length;
        self
    }

    /// The maximum number of pictures on the map, and their side in pixels, 16 to 256. Default: 2,000 of 72 pixels (about
    /// 1.5 kB each); in a cell at most 600 of 48. Other images are points. 0 pictures read no image.
    #[must_use]
    pub fn thumbnails(mut self, number: usize, side: u32) -> Self {
        self.thumbnails = (number, side);
        self
    }

    /// The size limits within which images are read. Default: those of the model's pictures of topics, if it has any.
    #[must_use]
    pub fn image_limits(mut self, limits: Limits) -> Self {
        self.image_limits = Some(limits);
        self
    }

    /// Whether the map is dark for every reader. Default: `false`: it is dark for those who prefer that.
    #[must_use]
    pub fn dark(mut self, dark: bool) -> Self {
        self.dark = dark;
        self
    }

    /// Shows all documents in a notebook cell, with texts and pictures as in a file, instead of at most 20,000. The
    /// notebook grows by the size of the page.
    #[must_use]
    pub fn all(mut self) -> Self {
        self.all = true;
        self
    }

    /// Reports progress, and lets the work be interrupted. Default: that of the model; of a frame, silent.
    #[must_use]
    pub fn progress(mut self, progress: Progress) -> Self {
        self.progress = progress;
        self
    }

    /// Checks the settings that do not depend on the rows.
    ///
    /// # Errors
    /// The title is blank, a size is out of range, or time is [divided by](OverTimeOptions::by) classes.
    pub fn check(&self) -> Result<()> {
        let invalid = |name: &str, value: String, allowed: &str| {
            Err(Error::invalid_parameter(Stage::Display, name, value, allowed))
        };
        let by = self.time.as_ref().and_then(|(_, options)| options.class_column());
        match self.thumbnails {
            _ if self.title.trim().is_empty() => invalid("title", format!("{:?}", self.title), "not blank"),
            _ if self.text_length == 0 => invalid("text_length", "0".to_owned(), "at least 1"),
            (_, side) if !(16..=256).contains(&side) => invalid("thumbnails", side.to_string(), "16 to 256 pixels"),
            _ => match by {
                Some(by) => invalid("by", format!("{by:?}"), "left out: color_by(..) shows classes"),
                None => Ok(()),
            },
        }
    }

    /// The page.
    ///
    /// # Errors
    /// A column does not exist or has the wrong type, a setting is out of range, or a representation does not exist; the
    /// model has no layout and cannot make one (as [`layout_2d`](FittedTopicModel::layout_2d)); or interrupted.
    pub fn html(&self) -> Result<Html> {
        Ok(Html::trusted(self.page(&self.rows()?, Extent::whole(self))?))
    }

    /// Writes the page to a file atomically.
    ///
    /// # Errors
    /// Same as [`html`](Self::html); also if the file cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        crate::files::write_whole(path.as_ref(), self.html()?.as_str())
    }

    /// A still picture of the map with its labels, as SVG: the one that
    /// [`visualize_documents`](FittedTopicModel::visualize_documents) draws.
    ///
    /// # Errors
    /// Same as [`html`](Self::html).
    pub fn svg(&self) -> Result<String> {
        Ok(self.still(&self.rows()?).svg)
    }

    fn rows(&self) -> Result<MapRows> {
        self.check()?;
        MapRows::of(self)
    }

    fn page(&self, rows: &MapRows, extent: Extent) -> Result<String> {
        page::page(&MapView::of(self, rows, extent)?)
    }

    fn still(&self, rows: &MapRows) -> Drawn {
        let labels = rows.still_labels();
        let topics: Vec<i32> = labels.keys().copied().collect();
        let texts: Vec<String> = labels.values().cloned().collect();
        let shown =
            Shown { topics: &topics, labels: &texts, sample: 1.0, has_labels: rows.has_topics, is_beside: false };
        let still = MappedDocuments::new(&rows.plane, &rows.probabilities, labels, &shown);
        drawn(&still, &self.title, self.dark)
    }

    fn cell(&self) -> Result<String> {
        let rows = self.rows()?;
        let extent = if self.all { Extent::whole(self) } else { Extent::of_a_cell(self) };
        let page = self.page(&rows, extent)?;
        let size = format!("height:{CELL_HEIGHT}px");
        Ok(framed(&page, &self.still(&rows), "allow-scripts allow-downloads", &size))
    }

    /// The number of rows.
    fn height(&self) -> usize {
        match &self.source {
            Source::Frame(frame, ..) => frame.height(),
            Source::Model(model, _) => model.labels().len(),
        }
    }
}

impl Show for InteractiveMap {
    /// The map; where scripts and frames are not allowed, such as in notebooks on GitHub, a still picture.
    fn to_html(&self) -> Html {
        match self.cell() {
            Ok(cell) => Html::trusted(cell),
            Err(error) => error.to_html(),
        }
    }

    fn to_text(&self) -> Option<String> {
        match self.check() {
            Ok(()) => Some(format!("{}: a map of {}", self.title, count(self.height(), "row"))),
            Err(error) => error.to_text(),
        }
    }
}

impl InteractiveMap {
    /// Displays the map below a notebook cell: evcxr calls this on the last expression of a cell.
    pub fn evcxr_display(&self) {
        Show::evcxr_display(self);
    }
}
