//! What cleaning replaces in a text, by kind, and how often.

use std::borrow::Cow;

use crate::error::{Hint, Stage};
use crate::progress::Progress;

/// A kind of removed content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Address,
    Mail,
    Tag,
    Entity,
    Name,
    Number,
}

/// A replacement for a part of the text.
pub(super) struct Piece {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) with: Cow<'static, str>,
    pub(super) kind: Kind,
}

impl Piece {
    /// A piece that separates the words on either side.
    pub(super) fn parting(start: usize, end: usize, kind: Kind) -> Self {
        Piece { start, end, with: Cow::Borrowed(" "), kind }
    }
}

/// Counts of removed content.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::vectorize) struct LeftOut {
    kinds: [usize; 6],
    pub(super) texts: usize,
}

impl LeftOut {
    pub(super) fn note(&mut self, kind: Kind) {
        self.kinds[kind as usize] += 1;
    }

    pub(in crate::vectorize) fn add(&mut self, more: &LeftOut) {
        self.kinds.iter_mut().zip(more.kinds).for_each(|(sum, more)| *sum += more);
        self.texts += more.texts;
    }

    /// Whether the text appears to be scraped.
    pub(super) fn is_scraped(&self) -> bool {
        [Kind::Address, Kind::Tag, Kind::Entity].into_iter().any(|kind| self.kinds[kind as usize] > 0)
    }

    /// Reports the counts, if there are any, for `texts` texts in total.
    pub(in crate::vectorize) fn report(&self, texts: usize, progress: &Progress) {
        if self.texts == 0 {
            return;
        }
        let names = [
            ("web address", "web addresses"),
            ("email address", "email addresses"),
            ("tag", "tags"),
            ("entity", "entities"),
            ("@name", "@names"),
            ("long number", "long numbers"),
        ];
        let found = self.kinds.iter().zip(names).filter(|(count, _)| **count > 0);
        let found = found.map(|(count, (one, many))| format!("{count} {}", if *count == 1 { one } else { many }));
        let found = found.collect::<Vec<String>>().join(", ");
        let contain = if self.texts == 1 { "contains" } else { "contain" };
        let message = format!("{} of {texts} texts {contain} markup that is not counted as words: {found}", self.texts);
        let hint =
            Hint::new("TextCleaning::None counts it as words").on_command_line("--clean none counts it as words");
        progress.note_with_hint(Stage::Vectorize, message, hint);
    }
}
