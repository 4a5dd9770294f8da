//! The script of the page: its parts in their order, in one function.

/// The only script that the page's content security policy allows.
pub(super) const SCRIPT: &str = concat!(
    "(() => {\n'use strict';\n",
    include_str!("page/data.js"),
    include_str!("page/theme.js"),
    include_str!("page/view.js"),
    include_str!("page/index.js"),
    include_str!("page/filter.js"),
    include_str!("page/points.js"),
    include_str!("page/raster.js"),
    include_str!("page/labels.js"),
    include_str!("page/pictures.js"),
    include_str!("page/colors.js"),
    include_str!("page/classes.js"),
    include_str!("page/search.js"),
    include_str!("page/card.js"),
    include_str!("page/topics.js"),
    include_str!("page/select.js"),
    include_str!("page/selection.js"),
    include_str!("page/timeline.js"),
    include_str!("page/input.js"),
    include_str!("page/main.js"),
    "})();\n"
);
