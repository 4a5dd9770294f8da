//! Displaying lists, numbers, and queries below a cell.

use polars::prelude::*;

use super::super::html::HtmlTable;
use super::super::markup::Html;
use super::super::notebook::print;
use super::layout::{stacked, texts};
use super::{Show, words};
use crate::model::FittedTopicModel;
use crate::topics::TokenDistribution;

/// Lists whose items are stacked.
macro_rules! lists {
    ($($thing:ty),+) => { $(
        impl Show for [$thing] {
            fn to_html(&self) -> Html {
                stacked(&self.iter().map(Show::to_html).collect::<Vec<Html>>())
            }

            fn to_text(&self) -> Option<String> {
                texts(&self.iter().map(Show::to_text).collect::<Vec<Option<String>>>())
            }
        }
    )+ };
}

lists!(Html, HtmlTable, DataFrame, Series, Column, FittedTopicModel, TokenDistribution);

/// Numbers and similar values, alone and in lists, which are truncated.
macro_rules! plain {
    ($($plain:ty),+) => { $(
        impl Show for $plain {
            fn to_html(&self) -> Html {
                self.to_string().to_html()
            }

            fn to_text(&self) -> Option<String> {
                Some(self.to_string())
            }

            fn evcxr_display(&self) {
                print(None, Some(&self.to_string()));
            }
        }

        impl Show for [$plain] {
            fn to_html(&self) -> Html {
                words::numbers(self).to_html()
            }

            fn to_text(&self) -> Option<String> {
                Some(words::numbers(self))
            }

            fn evcxr_display(&self) {
                print(None, Some(&words::numbers(self)));
            }
        }
    )+ };
}

plain!(bool, char, i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize, f32, f64);

#[cfg(feature = "lazy")]
impl Show for LazyFrame {
    /// Polars' query plan, and how to run it.
    fn to_html(&self) -> Html {
        self.to_text().unwrap_or_default().to_html()
    }

    fn to_text(&self) -> Option<String> {
        let plan = self.describe_plan().unwrap_or_else(|error| error.to_string());
        Some(format!("A query that has not been run yet: append `.collect()?` to run it.\n\n{plan}"))
    }
}
