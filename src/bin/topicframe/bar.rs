//! Progress on the command line: bars on a terminal, whole lines otherwise.

use std::collections::HashMap;
use std::fmt;
use std::io::IsTerminal;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};
use topicframe::error::{Interface, Stage};
use topicframe::progress::{Event, Lines, Progress, ProgressSink, printable};

/// The progress channel for standard error: bars on a terminal, lines otherwise.
pub fn progress() -> Progress {
    to(sink())
}

/// The progress channel to `sink`, in the words of the command line.
pub fn to(sink: Arc<dyn ProgressSink>) -> Progress {
    Progress::to(sink).in_words_of(Interface::CommandLine)
}

/// What is shown on standard error.
pub fn sink() -> Arc<dyn ProgressSink> {
    match std::io::stderr().is_terminal() {
        true => Arc::new(Bars::default()),
        false => Arc::new(Lines::stderr()),
    }
}

#[derive(Default)]
struct Bars {
    all: MultiProgress,
    running: Mutex<HashMap<(Stage, String), ProgressBar>>,
}

impl Bars {
    fn start(&self, stage: Stage, task: &str, total: u64) {
        let template = match total {
            0 => "{spinner} {prefix}: {msg} {elapsed}",
            _ => "{prefix}: {msg} {wide_bar} {percent:>3}% {rate}/s, {eta} left",
        };
        let bar = if total == 0 { ProgressBar::new_spinner() } else { ProgressBar::new(total) };
        let bar = self.all.add(bar);
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.with_key("rate", rate));
        }
        bar.set_prefix(stage.name());
        bar.set_message(printable(task));
        bar.enable_steady_tick(Duration::from_millis(200));
        if let Ok(mut running) = self.running.lock() {
            running.insert((stage, task.to_owned()), bar);
        }
    }
}

/// Units per second, rounded.
fn rate(state: &ProgressState, out: &mut dyn fmt::Write) {
    // Writing to the bar's own buffer cannot fail.
    let _ = write!(out, "{:.0}", state.per_sec());
}

impl ProgressSink for Bars {
    fn event(&self, event: &Event) {
        match event {
            Event::Started { stage, task, total } => self.start(*stage, task, *total),
            Event::Advanced { stage, task, done, .. } => {
                if let Some(bar) = self.running.lock().ok().and_then(|bars| bars.get(&(*stage, task.clone())).cloned())
                {
                    bar.set_position(*done);
                }
            }
            Event::Finished { stage, task } => {
                let bar = self.running.lock().ok().and_then(|mut bars| bars.remove(&(*stage, task.clone())));
                if let Some(bar) = bar {
                    bar.finish_and_clear();
                    self.all.remove(&bar);
                }
            }
            Event::Note { stage, message } => {
                // Failing to print a line must not stop the work.
                let _ = self.all.println(printable(&format!("{stage}: {message}")));
            }
            _ => {}
        }
    }
}
