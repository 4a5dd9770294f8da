//! The notes that a model makes while it works.

use std::path::Path;
use std::sync::{Arc, Mutex};

use topicframe::files::ReadOptions;
use topicframe::polars::prelude::DataFrame;
use topicframe::progress::{Event, Progress, ProgressSink};

/// The frame of a file, and the notes made while reading it.
pub fn read_with_notes(path: &Path) -> (DataFrame, String) {
    let notes = Arc::new(Notes::default());
    let frame = ReadOptions::new().progress(Progress::to(notes.clone())).read(path).unwrap();
    (frame, notes.text())
}

/// Collects the notes in order.
#[derive(Debug, Default)]
pub struct Notes(pub Mutex<Vec<String>>);

impl Notes {
    pub fn text(&self) -> String {
        self.0.lock().unwrap().join("\n")
    }
}

impl ProgressSink for Notes {
    fn event(&self, event: &Event) {
        if let Event::Note { message, .. } = event {
            self.0.lock().unwrap().push(message.clone());
        }
    }
}
