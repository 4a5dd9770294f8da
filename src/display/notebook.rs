//! The evcxr display protocol, which shows results below a notebook cell. The only place in this crate that prints.

use std::io::Write;

use super::markup::Html;
use crate::progress::without_orders;

/// Prints the output of a cell in a single write, so that output of other threads cannot be interleaved. evcxr shows
/// the last block of each kind that a cell prints: one with HTML, and one with text for viewers without HTML support.
pub(super) fn print(html: Option<&Html>, text: Option<&str>) {
    let blocks: String = [("text/html", html.map(Html::as_str)), ("text/plain", text)]
        .into_iter()
        .filter_map(|(mime, content)| Some(block(mime, content?)))
        .collect();
    let mut out = std::io::stdout().lock();
    // If the notebook has closed the pipe, the error cannot be reported.
    let _ = out.write_all(blocks.as_bytes()).and_then(|()| out.flush());
}

/// Wraps `content` in a block. Text from the frame may contain the end marker of a block: it is replaced with a variant
/// that looks the same but has no effect.
fn block(mime: &str, content: &str) -> String {
    let harmless = match mime {
        "text/html" => content.replace("EVCXR_", "EVCXR&#95;"),
        _ => without_orders(content),
    };
    format!("EVCXR_BEGIN_CONTENT {mime}\n{harmless}\nEVCXR_END_CONTENT\n")
}
