//! Notes about batches of rows, added up: 3 rows without a text here and 2 there are 5.

use std::sync::{Arc, Mutex, PoisonError};

use topicframe::error::Stage;
use topicframe::progress::{Event, Progress, ProgressSink};

use crate::table;

/// Adds up the notes of batches, and passes on everything else that is worth showing.
pub struct Gather {
    out: Arc<dyn ProgressSink>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    notes: Vec<Gathered>,
    /// The number of rows before the current batch.
    before: usize,
}

/// Notes with the same wording.
struct Gathered {
    stage: Stage,
    /// What they have in common.
    key: String,
    /// The first of them.
    first: String,
    count: Option<usize>,
    notes: usize,
    /// The number of rows before the batch of the first.
    before: usize,
}

impl Gather {
    pub fn new(out: Arc<dyn ProgressSink>) -> Self {
        Gather { out, state: Mutex::default() }
    }

    /// Begins a batch after `before` rows.
    pub fn begin(&self, before: usize) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).before = before;
    }

    /// Reports the notes of all batches to `progress`.
    pub fn tell(&self, progress: &Progress) {
        let notes = std::mem::take(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner).notes);
        for note in notes {
            progress.note(note.stage, note.told());
        }
    }

    fn add(&self, stage: Stage, message: &str) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, key) = counted(message);
        let before = state.before;
        match state.notes.iter_mut().find(|note| note.stage == stage && note.key == key) {
            Some(note) => {
                note.count = note.count.zip(count).map(|(a, b)| a + b);
                note.notes += 1;
            }
            None => state.notes.push(Gathered { stage, key, first: message.to_owned(), count, notes: 1, before }),
        }
    }
}

impl Gathered {
    fn told(&self) -> String {
        let Some(count) = self.count else { return self.first.clone() };
        // The rows in a note are those of its batch.
        let detail = self.first.split_once(FIRST).map_or(String::new(), |(_, detail)| match self.before {
            0 => format!("{FIRST}{detail}"),
            before => format!("{FIRST}{detail} (counted after the first {})", table::counted(before, "row")),
        });
        match (self.notes, detail.is_empty()) {
            (1, true) => self.first.clone(),
            _ => format!("{count} {}{detail}", self.key),
        }
    }
}

/// What separates the first of several rows from their number.
const FIRST: &str = "; the first: ";

/// The number at the beginning of a note, and the rest in the plural, without what is about one row.
fn counted(message: &str) -> (Option<usize>, String) {
    let counted = message.split_once(' ').and_then(|(number, rest)| Some((number.parse::<usize>().ok()?, rest)));
    let Some((count, rest)) = counted else { return (None, message.to_owned()) };
    let rest = rest.split_once(FIRST).map_or(rest, |(rest, _)| rest);
    let plural = [("row has ", "rows have "), ("image cannot ", "images cannot ")];
    let several = plural.iter().find_map(|(one, many)| Some(format!("{many}{}", rest.strip_prefix(one)?)));
    (Some(count), several.unwrap_or_else(|| rest.to_owned()))
}

impl ProgressSink for Gather {
    fn event(&self, event: &Event) {
        // The steps of a batch are short; only downloads are not.
        const STEPS: [&str; 2] = ["texts", "images"];
        match event {
            Event::Note { stage, message } => self.add(*stage, message),
            Event::Started { stage: Stage::Embed, task, .. }
            | Event::Advanced { stage: Stage::Embed, task, .. }
            | Event::Finished { stage: Stage::Embed, task }
                if !STEPS.contains(&task.as_str()) =>
            {
                self.out.event(event);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use topicframe::error::Stage;
    use topicframe::progress::{Event, Progress, ProgressSink};

    use super::Gather;

    #[derive(Default)]
    struct Told(Mutex<Vec<String>>);

    impl ProgressSink for Told {
        fn event(&self, event: &Event) {
            if let Event::Note { message, .. } = event {
                self.0.lock().unwrap().push(message.clone());
            }
        }
    }

    #[test]
    fn counts_are_added_up() {
        let told = Arc::new(Told::default());
        let gather = Arc::new(Gather::new(told.clone()));
        let progress = Progress::to(gather.clone());
        for (before, note) in
            [(0, "1 row has no text: counted"), (10, "4 rows have no text: counted"), (20, "replaced")]
        {
            gather.begin(before);
            progress.note(Stage::Input, note);
            if before == 20 {
                progress.note(Stage::Input, note);
                progress.note(Stage::Input, "1 image cannot be read; the first: row 3");
                progress.note(Stage::Input, "2 images cannot be read; the first: row 4");
            }
        }
        gather.tell(&Progress::to(told.clone()));
        assert_eq!(
            *told.0.lock().unwrap(),
            [
                "5 rows have no text: counted",
                "replaced",
                "3 images cannot be read; the first: row 3 (counted after the first 20 rows)"
            ]
        );
    }
}
