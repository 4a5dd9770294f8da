//! The protocol of evcxr, which shows results below a notebook's cell, and the only place of this crate that prints.

use std::io::Write;

use super::markup::Html;
use crate::progress::without_orders;

/// Prints what a cell shows, at once, so that no other thread's line comes between. evcxr shows the last block of a kind
/// that a cell prints: one of HTML, one of text for whoever cannot show HTML.
pub(super) fn print(html: Option<&Html>, text: Option<&str>) {
    let blocks: String = [("text/html", html.map(Html::as_str)), ("text/plain", text)]
        .into_iter()
        .filter_map(|(mime, content)| Some(block(mime, content?)))
        .collect();
    let mut out = std::io::stdout().lock();
    // Nobody is there to tell when the notebook's end of the pipe is closed.
    let _ = out.write_all(blocks.as_bytes()).and_then(|()| out.flush());
}

/// The block around `content`. A text of the frame could hold the words that end a block: they get a form that reads
/// the same and means nothing.
fn block(mime: &str, content: &str) -> String {
    let harmless = match mime {
        "text/html" => content.replace("EVCXR_", "EVCXR&#95;"),
        _ => without_orders(content),
    };
    format!("EVCXR_BEGIN_CONTENT {mime}\n{harmless}\nEVCXR_END_CONTENT\n")
}
