//! What a model notes while it works.

use std::sync::Mutex;

use topicframe::progress::{Event, ProgressSink};

/// Keeps the notes, one after the other.
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
