//! Visual output: frames as HTML tables, a report page, and notebook display. No other module depends on this one.

mod bin_labels;
mod cell;
mod figure;
mod formatter;
mod html;
mod map;
mod markup;
mod notebook;
mod number;
mod picture;
mod report;
mod show;
mod value;

pub use figure::{
    Barchart, Dendrogram, DistributionBars, DocumentMap, Drawing, Figure, Heatmap, HierarchicalDocuments, Label,
    LayersTree, Orientation, OverTimeLines, PerClassTable, QualityStrips, TermRank, TokenTable, TopicMap, TopicSizes,
    TopicsPerClass,
};
pub use formatter::{CellFormatter, ImageFormatter, image_formatter};
pub use html::{DataFrameHtml, HtmlTable};
pub use map::InteractiveMap;
pub use markup::{Html, escape_html};
pub use report::{Report, stage_in_words};
pub use show::{Show, heading, picture, show};
