//! A page about a fitted model: one HTML file that needs nothing else.

use std::path::Path;

use super::markup::Markup;
use crate::error::{Error, Result, Stage};
use crate::model::FittedTopicModel;

mod page;
mod summary;
mod topic_section;
mod topic_table;
mod view;

use view::{Extent, ReportView};

/// A page about a fitted model: a summary, the table of topics, and for each topic its words with their weights, its
/// pictures and its representative documents.
///
/// The page is one file. It loads nothing and sends nothing, and its own policy forbids browsers to; every text of the
/// frame is escaped. It reads well in wide and narrow windows, in dark mode and on paper; without JavaScript only its
/// filter is gone.
///
/// ```no_run
/// use topicframe::prelude::*;
/// # fn page(topics: FittedTopicModel) -> topicframe::error::Result<()> {
/// Report::new(&topics).title("Our posts").write("topics.html")?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Report {
    topics: FittedTopicModel,
    title: String,
    max_topics: usize,
    max_pictures: usize,
}

impl Report {
    /// A report on `topics`, whose memory is shared, not copied.
    pub fn new(topics: &FittedTopicModel) -> Self {
        Report { topics: topics.clone(), title: "Topics".to_owned(), max_topics: 300, max_pictures: 9 }
    }

    /// The title of the page; not blank. Default: "Topics".
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// The most topics that the page shows, the largest first; the others are counted. At least 1. Default: 300, which
    /// with pictures makes some 30 MB.
    #[must_use]
    pub fn max_topics(mut self, max_topics: usize) -> Self {
        self.max_topics = max_topics;
        self
    }

    /// The most pictures of one topic; 0 leaves all of them out. Default: 9.
    #[must_use]
    pub fn max_pictures(mut self, max_pictures: usize) -> Self {
        self.max_pictures = max_pictures;
        self
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// A blank title, or no topic to show.
    pub fn check(&self) -> Result<()> {
        if self.title.trim().is_empty() {
            return Err(Error::parameter(Stage::Display, "title", format_args!("{:?}", self.title), "not blank"));
        }
        if self.max_topics == 0 {
            return Err(Error::parameter(Stage::Display, "max_topics", 0, "at least 1"));
        }
        Ok(())
    }

    /// The page.
    ///
    /// # Errors
    /// A setting out of its range; a picture that can no longer be read, where the model was told to fail on those.
    pub fn html(&self) -> Result<String> {
        self.check()?;
        let extent = Extent { max_topics: self.max_topics, max_pictures: self.max_pictures };
        let view = ReportView::of(&self.topics, &self.title, extent)?;
        let mut html = Markup::default();
        page::push(&mut html, &view);
        Ok(html.finish())
    }

    /// Writes the page to a file, whole or not at all.
    ///
    /// # Errors
    /// As [`html`](Self::html), and a file that cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        crate::files::write_whole(path.as_ref(), self.html()?)
    }
}

impl FittedTopicModel {
    /// Writes a page about the topics to a file: [`Report`] with its defaults.
    ///
    /// # Errors
    /// As [`Report::write`].
    pub fn to_html_report(&self, path: impl AsRef<Path>) -> Result<()> {
        Report::new(self).write(path)
    }

    /// A page about the topics: [`Report`] with its defaults.
    ///
    /// # Errors
    /// As [`Report::html`].
    pub fn report_html(&self) -> Result<String> {
        Report::new(self).html()
    }
}
