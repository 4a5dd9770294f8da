//! Results below a notebook's cell: the protocol of evcxr, and the only place of this crate that prints.

use std::io::Write;

use super::html::DataFrameHtml;
use super::markup::{Html, Markup};
use crate::topics::FittedTopicModel;

/// Prints one block of the protocol, at once, so that no other thread's line comes between. evcxr shows one block of
/// HTML a cell.
pub(super) fn show(html: &Html) {
    let block = block(html);
    let mut out = std::io::stdout().lock();
    // Nobody is there to tell when the notebook's end of the pipe is closed.
    let _ = out.write_all(block.as_bytes()).and_then(|()| out.flush());
}

/// The block around `html`. A text of the frame could hold the words that end a block: written as references they read
/// the same and mean nothing.
fn block(html: &str) -> String {
    format!("EVCXR_BEGIN_CONTENT text/html\n{}\nEVCXR_END_CONTENT\n", html.replace("EVCXR_", "EVCXR&#95;"))
}

impl Html {
    /// Shows the HTML below a notebook's cell: evcxr calls it on the last expression of one.
    pub fn evcxr_display(&self) {
        show(self);
    }
}

impl FittedTopicModel {
    /// Shows the topics below a notebook's cell: a line on the fit and the table of
    /// [`get_topic_info`](FittedTopicModel::get_topic_info). evcxr calls it on the last expression of a cell.
    pub fn evcxr_display(&self) {
        show(&self.to_html());
    }

    /// A line on the fit and the table of [`get_topic_info`](FittedTopicModel::get_topic_info), as HTML. Where a picture
    /// can no longer be read, the table has the paths of the pictures instead, and says why.
    pub fn to_html(&self) -> Html {
        let summary = self.summary();
        let mut html = Markup::default();
        html.raw("<p><b>").text(&super::html::count(summary.topics, "topic")).raw("</b> · ");
        html.text(&super::html::count(summary.rows, "row")).raw(" · ");
        html.text(&super::html::count(summary.outliers, "outlier")).raw("</p>");
        let info = self.get_topic_info().or_else(|error| {
            html.raw("<p>No pictures: ").text(&error.to_string()).raw("</p>");
            self.get_topic_info_with_paths()
        });
        match info {
            Ok(info) => html.html(&info.to_html()),
            Err(error) => html.raw("<p>").text(&error.to_string()).raw("</p>"),
        };
        Html::trusted(html.finish())
    }
}
