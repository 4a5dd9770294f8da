//! Displaying values as the output of a notebook cell, alone or several in one cell.

use std::fmt::Display;
use std::sync::Arc;

use polars::prelude::*;

use super::html::{DataFrameHtml, HtmlTable, count};
use super::markup::{Html, Markup};
use super::notebook::print;
#[cfg(feature = "models")]
use crate::caption::Captioner;
use crate::cluster::{Clustering, Communities, Hdbscan, KMeans};
use crate::embed::{Fusion, LoadedEmbedder, NoEmbedder, StaticEmbedder};
#[cfg(feature = "models")]
use crate::embed::{MultiModalBackend, SentenceTransformer};
use crate::error::Error;
use crate::graph::NeighborGraph;
use crate::hub::Pushed;
use crate::model::TopicModel;
use crate::model::{FittedTopicModel, Summary, TopicsOverTime};
use crate::reduce::{NoReduction, Pca, Reduction, Umap};
use crate::represent::{
    Aspect, Gallery, KeyBERTInspired, MaximalMarginalRelevance, TopicWords, VisualRepresentation, VisualWords,
};
use crate::topics::{
    ApproximateDistribution, TokenDistribution, TopicDistribution, TopicHierarchy, TopicProbabilities,
};
use crate::vectorize::{ClassTfIdf, CountVectorizer};

mod facts;
mod layout;
mod lists;
mod pictures;
mod tokens;
mod words;

pub(in crate::display) use layout::framed;
use layout::{stacked, texts};
pub use pictures::picture;

/// Values that are displayed as the output of a notebook cell: frames, columns, topics, models, words, images, errors;
/// options, results, and references of these; and tuples, the parts of which are stacked (see [`show`]).
///
/// The prelude exports it; evcxr calls [`evcxr_display`](Self::evcxr_display) on the last expression of a cell. To
/// support a custom type, implement `to_html`:
///
/// ```
/// use topicframe::prelude::*;
///
/// struct Score(f64);
///
/// impl Show for Score {
///     fn to_html(&self) -> Html {
///         Html::trusted(format!("<b>{:.1}%</b>", 100.0 * self.0))
///     }
/// }
/// assert!(show(("How good?", Score(0.5))).contains("<b>50.0%</b>"));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be displayed in a cell",
    note = "supported: frames, columns, topics, models, words, texts, numbers, images, errors; lists/tuples of these",
    note = "to support another type, implement its HTML output: `impl Show for ...`"
)]
pub trait Show {
    /// The value as self-contained HTML with its own style sheet.
    fn to_html(&self) -> Html;

    /// The value as text, for viewers without HTML support (terminals, notebook diffs). Default: none.
    fn to_text(&self) -> Option<String> {
        None
    }

    /// Displays the value below the cell.
    fn evcxr_display(&self) {
        print(Some(&self.to_html()), self.to_text().as_deref());
    }
}

/// Displays several values stacked in one cell: `show(("The topics", topics.get_topic_info()?, &pictures))`.
///
/// A cell displays its last expression, so omit the semicolon after it.
///
/// ```
/// use topicframe::prelude::*;
///
/// let frame = df!("n" => [1, 2])?;
/// let cell = show((heading("Numbers"), &frame, "and a word about them"));
/// assert!(cell.contains("<h3") && cell.contains("<table") && cell.contains("a word about them"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn show(things: impl Show) -> Html {
    match things.to_text() {
        Some(text) => things.to_html().with_text(text),
        None => things.to_html(),
    }
}

/// A heading between the parts of a cell.
pub fn heading(text: impl AsRef<str>) -> Html {
    let mut html = Markup::default();
    html.raw("<h3 dir=\"auto\" class=\"tf-heading\">").text(text.as_ref()).raw("</h3>");
    framed(&html.finish()).with_text(text.as_ref())
}

impl Show for Html {
    fn to_html(&self) -> Html {
        self.clone()
    }

    fn to_text(&self) -> Option<String> {
        self.text().map(str::to_owned)
    }
}

impl Show for HtmlTable {
    fn to_html(&self) -> Html {
        HtmlTable::to_html(self)
    }

    fn to_text(&self) -> Option<String> {
        Some(self.frame().to_string())
    }
}

impl Show for DataFrame {
    fn to_html(&self) -> Html {
        HtmlTable::to_html(&self.html())
    }

    fn to_text(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Show for Column {
    fn to_html(&self) -> Html {
        Show::to_html(&self.clone().into_frame())
    }

    fn to_text(&self) -> Option<String> {
        self.as_materialized_series().to_text()
    }
}

impl Show for Series {
    fn to_html(&self) -> Html {
        Show::to_html(&self.clone().into_frame())
    }

    fn to_text(&self) -> Option<String> {
        // Polars has its own `to_string` for temporal types.
        Some(format!("{self}"))
    }
}

impl Show for FittedTopicModel {
    /// A summary line and the table of [`get_topic_info`](FittedTopicModel::get_topic_info). If an image can no longer
    /// be read, the table contains the paths of the images instead, with the reason.
    fn to_html(&self) -> Html {
        let summary = self.summary();
        let mut html = Markup::default();
        html.raw("<p class=\"tf-line\"><b>").text(&count(summary.topics, "topic")).raw("</b> · ");
        html.text(&count(summary.rows, "row")).raw(" · ").text(&count(summary.outliers, "outlier")).raw("</p>");
        let info = self.get_topic_info().or_else(|error| {
            html.raw("<p class=\"tf-line\">No pictures: ").text(&format!("{error:#}")).raw("</p>");
            self.get_topic_info_with_paths()
        });
        match info {
            Ok(info) => html.html(&Show::to_html(&info)),
            Err(error) => html.html(&Show::to_html(&error)),
        };
        framed(&html.finish())
    }

    fn to_text(&self) -> Option<String> {
        let summary = self.summary();
        let line = format!("{} topics, {} rows, {} outliers", summary.topics, summary.rows, summary.outliers);
        let info = self.get_topic_info_with_paths().ok()?.select(["Topic", "Count", "Name"]).ok()?;
        Some(format!("{line}\n{info}"))
    }
}

/// Types displayed as names and values, and the functions that provide them.
macro_rules! facts {
    ($($shown:ty => $facts:expr),+ $(,)?) => { $(
        impl Show for $shown {
            fn to_html(&self) -> Html {
                facts::html(&$facts(self))
            }

            fn to_text(&self) -> Option<String> {
                Some(facts::text(&$facts(self)))
            }
        }
    )+ };
}

facts!(
    TopicModel => TopicModel::get_params,
    Summary => facts::of_summary,
    Reduction => facts::of_reduction,
    Clustering => facts::of_clustering,
);

impl Show for TopicsOverTime {
    fn to_html(&self) -> Html {
        Show::to_html(&self.frame())
    }

    fn to_text(&self) -> Option<String> {
        self.frame().to_text()
    }
}

impl Show for Gallery {
    fn to_html(&self) -> Html {
        pictures::gallery(self)
    }

    fn to_text(&self) -> Option<String> {
        self.to_frame().ok().map(|frame| frame.to_string())
    }
}

impl Show for Aspect {
    fn to_html(&self) -> Html {
        match self {
            Aspect::Words(topics) => Show::to_html(topics),
            Aspect::Images(gallery) => Show::to_html(gallery),
        }
    }

    fn to_text(&self) -> Option<String> {
        match self {
            Aspect::Words(topics) => topics.to_text(),
            Aspect::Images(gallery) => gallery.to_text(),
        }
    }
}

impl Show for TopicWords {
    fn to_html(&self) -> Html {
        words::topics(self)
    }

    fn to_text(&self) -> Option<String> {
        Some(
            self.iter().map(|(topic, words)| format!("{topic}: {}", words::line(words))).collect::<Vec<_>>().join("\n"),
        )
    }
}

impl Show for TokenDistribution {
    /// The text with its words marked by topic, and the topics with their shares.
    fn to_html(&self) -> Html {
        tokens::html(self)
    }

    fn to_text(&self) -> Option<String> {
        Some(tokens::text(self))
    }
}

impl Show for TopicDistribution {
    /// The table of [`to_frame`](TopicDistribution::to_frame), and the number of rows without a match.
    fn to_html(&self) -> Html {
        let table = Show::to_html(&self.to_frame());
        match self.without_match().len() {
            0 => table,
            rows => stacked(&[table, Show::to_html(&format!("{} without a match", count(rows, "row")))]),
        }
    }

    fn to_text(&self) -> Option<String> {
        self.to_frame().ok().map(|frame| frame.to_string())
    }
}

impl Show for TopicProbabilities {
    /// The table of [`to_frame`](TopicProbabilities::to_frame).
    fn to_html(&self) -> Html {
        Show::to_html(&self.to_frame())
    }

    fn to_text(&self) -> Option<String> {
        self.to_frame().ok().map(|frame| frame.to_string())
    }
}

impl Show for [(String, f64)] {
    fn to_html(&self) -> Html {
        words::bars(self)
    }

    fn to_text(&self) -> Option<String> {
        Some(words::line(self))
    }
}

impl Show for [String] {
    fn to_html(&self) -> Html {
        words::list(self)
    }

    fn to_text(&self) -> Option<String> {
        Some(self.join("\n"))
    }
}

/// Vectors are displayed like slices.
macro_rules! vectors {
    ($($thing:ty),+) => { $(
        impl Show for Vec<$thing> {
            fn to_html(&self) -> Html {
                self.as_slice().to_html()
            }

            fn to_text(&self) -> Option<String> {
                self.as_slice().to_text()
            }

            fn evcxr_display(&self) {
                self.as_slice().evcxr_display();
            }
        }
    )+ };
}

vectors!((String, f64), String, Html, HtmlTable, DataFrame, Series, Column, FittedTopicModel, TokenDistribution);
vectors!(bool, char, i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize, f32, f64);

impl Show for Pushed {
    fn to_html(&self) -> Html {
        Show::to_html(&self.to_string())
    }

    fn to_text(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Show for str {
    fn to_html(&self) -> Html {
        let mut html = Markup::default();
        html.raw("<p dir=\"auto\" class=\"tf-text\">").text(self).raw("</p>");
        framed(&html.finish())
    }

    fn to_text(&self) -> Option<String> {
        Some(self.to_owned())
    }

    /// As text only.
    fn evcxr_display(&self) {
        print(None, Some(self));
    }
}

impl Show for String {
    fn to_html(&self) -> Html {
        Show::to_html(self.as_str())
    }

    fn to_text(&self) -> Option<String> {
        Some(self.clone())
    }

    /// As text only.
    fn evcxr_display(&self) {
        print(None, Some(self));
    }
}

impl Show for Error {
    fn to_html(&self) -> Html {
        error(self)
    }

    fn to_text(&self) -> Option<String> {
        Some(format!("{self:#}"))
    }
}

/// The first line of an error in bold, with the hint below it.
fn error(error: &dyn Display) -> Html {
    let said = format!("{error:#}");
    let (first, rest) = said.split_once('\n').unwrap_or((&said, ""));
    let mut html = Markup::default();
    html.raw("<div class=\"tf-error\" role=\"alert\"><p dir=\"auto\"><b>").text(first).raw("</b></p>");
    for line in rest.lines() {
        html.raw("<p dir=\"auto\">").text(line.trim()).raw("</p>");
    }
    html.raw("</div>");
    framed(&html.finish())
}

impl<T: Show, E: Display> Show for std::result::Result<T, E> {
    /// The value or the error.
    fn to_html(&self) -> Html {
        match self {
            Ok(value) => value.to_html(),
            Err(failure) => error(failure),
        }
    }

    fn to_text(&self) -> Option<String> {
        match self {
            Ok(value) => value.to_text(),
            Err(failure) => Some(format!("{failure:#}")),
        }
    }

    fn evcxr_display(&self) {
        match self {
            Ok(value) => value.evcxr_display(),
            Err(failure) => print(Some(&error(failure)), Some(&format!("{failure:#}"))),
        }
    }
}

impl<T: Show> Show for Option<T> {
    /// The value, or the word "none".
    fn to_html(&self) -> Html {
        match self {
            Some(value) => value.to_html(),
            None => framed("<i class=\"tf-null\">none</i>"),
        }
    }

    fn to_text(&self) -> Option<String> {
        match self {
            Some(value) => value.to_text(),
            None => Some("none".to_owned()),
        }
    }

    fn evcxr_display(&self) {
        match self {
            Some(value) => value.evcxr_display(),
            None => print(Some(&self.to_html()), Some("none")),
        }
    }
}

impl Show for () {
    /// Nothing.
    fn to_html(&self) -> Html {
        Html::trusted("")
    }

    /// Nothing is displayed below a cell that ends with a statement, such as an `if`.
    fn evcxr_display(&self) {}
}

/// Pointers display what they point to.
macro_rules! pointers {
    ($($pointer:ty),+) => { $(
        impl<T: Show + ?Sized> Show for $pointer {
            fn to_html(&self) -> Html {
                (**self).to_html()
            }

            fn to_text(&self) -> Option<String> {
                (**self).to_text()
            }

            fn evcxr_display(&self) {
                (**self).evcxr_display();
            }
        }
    )+ };
}

pointers!(&T, &mut T, Box<T>, Arc<T>);

/// Tuples: their parts stacked.
macro_rules! tuples {
    ($($name:ident)+) => {
        impl<$($name: Show),+> Show for ($($name,)+) {
            #[allow(non_snake_case)]
            fn to_html(&self) -> Html {
                let ($($name,)+) = self;
                stacked(&[$($name.to_html()),+])
            }

            #[allow(non_snake_case)]
            fn to_text(&self) -> Option<String> {
                let ($($name,)+) = self;
                texts(&[$($name.to_text()),+])
            }
        }
    };
}

tuples!(A);
tuples!(A B);
tuples!(A B C);
tuples!(A B C D);
tuples!(A B C D F);
tuples!(A B C D F G);
tuples!(A B C D F G H);
tuples!(A B C D F G H I);
tuples!(A B C D F G H I J);
tuples!(A B C D F G H I J K);
tuples!(A B C D F G H I J K L);
tuples!(A B C D F G H I J K L M);

/// Model steps display their settings.
macro_rules! steps {
    ($($step:ty),+) => { $(
        impl Show for $step {
            fn to_html(&self) -> Html {
                format!("{self:?}").to_html()
            }

            fn to_text(&self) -> Option<String> {
                Some(format!("{self:?}"))
            }
        }
    )+ };
}

steps!(StaticEmbedder, LoadedEmbedder, NoEmbedder, Fusion);
#[cfg(feature = "models")]
steps!(SentenceTransformer, MultiModalBackend, Captioner);
steps!(Umap, Pca, NoReduction, NeighborGraph, Communities, Hdbscan, KMeans, CountVectorizer, ClassTfIdf);
steps!(KeyBERTInspired, MaximalMarginalRelevance, VisualRepresentation, VisualWords);
steps!(ApproximateDistribution);

/// The types of this crate can be displayed without the trait in scope, too.
macro_rules! inherent {
    ($($name:ty),+) => { $(
        impl $name {
            /// Displays the value below a notebook cell: evcxr calls this on the last expression of a cell.
            pub fn evcxr_display(&self) {
                Show::evcxr_display(self);
            }
        }
    )+ };
}

inherent!(
    Html,
    HtmlTable,
    FittedTopicModel,
    TopicModel,
    Summary,
    Reduction,
    Clustering,
    Gallery,
    TopicHierarchy,
    TopicsOverTime,
    Aspect,
    Pushed,
    TokenDistribution,
    TopicDistribution,
    TopicProbabilities,
    Error
);
