//! The only channel through which the crate reports what it is doing.

use std::collections::HashMap;
use std::fmt;
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Hint, Interface, Result, Stage};

/// What a [`ProgressSink`] receives.
///
/// ```
/// use topicframe::progress::Event;
///
/// /// Percent done, for a progress bar.
/// fn percent(event: &Event) -> Option<u64> {
///     match event {
///         Event::Advanced { done, total, .. } if *total > 0 => Some(100 * done / total),
///         Event::Finished { .. } => Some(100),
///         _ => None,
///     }
/// }
///
/// let stage = topicframe::error::Stage::Embed;
/// assert_eq!(percent(&Event::Advanced { stage, task: "texts".to_owned(), done: 30, total: 120 }), Some(25));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A task starts: its stage, its name in a word or two, and its number of units (0: unknown).
    Started {
        /// The stage that the task belongs to.
        stage: Stage,
        /// The task, in a word or two, such as `neighbors`.
        task: String,
        /// Units of work; 0 if unknown.
        total: u64,
    },
    /// Progress of a task that was started in this stage.
    Advanced {
        /// The stage that the task belongs to.
        stage: Stage,
        /// The task, as in [`Event::Started`].
        task: String,
        /// Units done so far.
        done: u64,
        /// Total units; 0 if unknown.
        total: u64,
    },
    /// The task has ended.
    Finished {
        /// The stage that the task belongs to.
        stage: Stage,
        /// The task, as in [`Event::Started`].
        task: String,
    },
    /// Something that the user should know: skipped rows, images that could not be read.
    Note {
        /// The stage that the note comes from.
        stage: Stage,
        /// The text of the note.
        message: String,
    },
}

/// Receives [`Event`]s, from any thread.
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use topicframe::prelude::*;
/// use topicframe::progress::{Event, ProgressSink};
///
/// /// Collects the notes of a fit, to show them to the user.
/// #[derive(Default)]
/// struct Notes(Mutex<Vec<String>>);
///
/// impl ProgressSink for Notes {
///     fn event(&self, event: &Event) {
///         if let (Event::Note { message, .. }, Ok(mut notes)) = (event, self.0.lock()) {
///             notes.push(message.clone());
///         }
///     }
/// }
///
/// let notes = Arc::new(Notes::default());
/// let posts = df!("text" => ["the cat sleeps", "a fast train"].repeat(10))?;
/// let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
/// model.with_progress(Progress::to(notes.clone())).fit(&posts)?;
/// assert!(notes.0.lock().is_ok_and(|notes| notes.iter().any(|note| note.contains("18 of 20 rows have the vector"))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait ProgressSink: Send + Sync {
    /// Handles one event. Called often, so it must be fast.
    fn event(&self, event: &Event);
}

/// Stops work in progress from another thread, for example on a button press, a signal, or a canceled request. The work
/// ends within a fraction of a second with an error of kind [`ErrorKind::Interrupted`]. Clones share the same state.
///
/// ```
/// use topicframe::prelude::*;
///
/// let stop = Interrupt::new();
/// let model = TopicModel::text("text", StaticEmbedder::builtin()).interrupt(stop.clone());
/// let posts = df!("text" => ["the cat sleeps", "a fast train"].repeat(10))?;
///
/// std::thread::spawn(move || stop.stop()).join().ok();              // in practice, while the fit runs
/// assert_eq!(model.fit(&posts).unwrap_err().kind(), ErrorKind::Interrupted);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// An interrupt that has not been triggered.
    pub fn new() -> Self {
        Interrupt::default()
    }

    /// Triggers the interrupt. It cannot be reset.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the interrupt has been triggered.
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A cheap handle to a [`ProgressSink`] and an [`Interrupt`]; by default silent and without an interrupt.
///
/// ```
/// use topicframe::prelude::*;
///
/// let posts = df!("text" => ["the cat sleeps", "a fast train"].repeat(10))?;
/// let model = TopicModel::text("text", StaticEmbedder::builtin()).with_progress(Progress::stderr());
/// assert_eq!(model.embed(&posts)?.width(), 2);                      // prints a line for each second that it takes
///
/// let rows = StaticEmbedder::builtin().embed_texts(&["a cat"], &Progress::silent())?;
/// assert_eq!(rows.nrows(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Progress {
    sink: Option<Arc<dyn ProgressSink>>,
    interrupt: Option<Interrupt>,
    interface: Interface,
}

impl Progress {
    /// Reports nothing.
    pub fn silent() -> Self {
        Progress::default()
    }

    /// Throttled whole lines on standard error.
    pub fn stderr() -> Self {
        Progress::to(Arc::new(Lines::stderr()))
    }

    /// Throttled whole lines where the user expects them: below the cell in a notebook ([`Lines::notebook`]), otherwise
    /// on standard error.
    pub fn lines() -> Self {
        if in_notebook() { Progress::to(Arc::new(Lines::notebook())) } else { Progress::stderr() }
    }

    /// The default of a model: silent, except in a notebook, where longer work is reported.
    pub(crate) fn of_a_model() -> Self {
        if in_notebook() { Progress::lines() } else { Progress::silent() }
    }

    /// Sends everything to `sink`.
    pub fn to(sink: Arc<dyn ProgressSink>) -> Self {
        Progress { sink: Some(sink), ..Progress::default() }
    }

    /// The same, and work stops when `interrupt` is triggered.
    #[must_use]
    pub fn with_interrupt(mut self, interrupt: Interrupt) -> Self {
        self.interrupt = Some(interrupt);
        self
    }

    /// The same, with the hints in notes worded for `interface`; the default is Rust.
    #[must_use]
    pub fn in_words_of(mut self, interface: Interface) -> Self {
        self.interface = interface;
        self
    }

    /// The interface that hints are worded for.
    pub(crate) fn interface(&self) -> Interface {
        self.interface
    }

    /// The interrupt that stops the work, if any.
    pub(crate) fn interrupt(&self) -> Option<&Interrupt> {
        self.interrupt.as_ref()
    }

    /// Whether work should stop.
    pub fn is_interrupted(&self) -> bool {
        self.interrupt.as_ref().is_some_and(Interrupt::is_stopped)
    }

    /// To be called regularly by long work in `stage`.
    ///
    /// # Errors
    /// [`ErrorKind::Interrupted`] if the work should stop.
    pub fn check(&self, stage: Stage) -> Result<()> {
        match self.is_interrupted() {
            true => Err(Error::new(ErrorKind::Interrupted, stage, "interrupted")),
            false => Ok(()),
        }
    }

    /// Starts a task of `total` units (0: unknown). It ends when the returned task is dropped.
    pub fn task(&self, stage: Stage, name: &str, total: usize) -> Task {
        let task =
            Task { progress: self.clone(), stage, name: name.to_owned(), total: total as u64, done: AtomicU64::new(0) };
        self.send(|| Event::Started { stage, task: task.name.clone(), total: task.total });
        task
    }

    /// Sends a note to the user.
    pub fn note(&self, stage: Stage, message: impl Into<String>) {
        self.send(|| Event::Note { stage, message: message.into() });
    }

    /// Sends a note to the user with a hint about what to do: a clause or sentence appended to `message`, worded for
    /// the interface in use.
    pub fn note_with_hint(&self, stage: Stage, message: impl Into<String>, hint: impl Into<Hint>) {
        self.send(|| {
            let (message, hint) = (message.into(), hint.into());
            let hint = hint.for_interface(self.interface);
            Event::Note { stage, message: if hint.is_empty() { message } else { format!("{message}. {hint}") } }
        });
    }

    fn send(&self, event: impl FnOnce() -> Event) {
        if let Some(sink) = &self.sink {
            sink.event(&event());
        }
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.sink.is_some() { "Progress(on)" } else { "Progress(silent)" })
    }
}

/// A task in progress; shared between threads by reference.
///
/// ```
/// use topicframe::error::{Result, Stage};
/// use topicframe::progress::Progress;
///
/// /// Slow work that reports its progress and can be interrupted.
/// fn lengths(texts: &[&str], progress: &Progress) -> Result<Vec<usize>> {
///     let task = progress.task(Stage::Embed, "lengths", texts.len());
///     let mut lengths = Vec::new();
///     for text in texts {
///         if task.is_interrupted() {
///             break;
///         }
///         lengths.push(text.len());
///         task.advance(1);
///     }
///     task.finish()?;                                               // the error, if it was interrupted
///     Ok(lengths)
/// }
///
/// assert_eq!(lengths(&["cat", "train"], &Progress::silent())?, [3, 5]);
/// # Ok::<(), topicframe::Error>(())
/// ```
#[derive(Debug)]
pub struct Task {
    progress: Progress,
    stage: Stage,
    name: String,
    total: u64,
    done: AtomicU64,
}

impl Task {
    /// Reports `units` more units as done.
    pub fn advance(&self, units: usize) {
        if self.progress.sink.is_none() {
            return;
        }
        let done = self.done.fetch_add(units as u64, Ordering::Relaxed) + units as u64;
        self.progress.send(|| Event::Advanced { stage: self.stage, task: self.name.clone(), done, total: self.total });
    }

    /// Whether the work should stop. Loops check this at every unit; [`finish`](Self::finish) then returns the error.
    pub fn is_interrupted(&self) -> bool {
        self.progress.is_interrupted()
    }

    /// Ends the task.
    ///
    /// # Errors
    /// [`ErrorKind::Interrupted`] if the work was stopped before it was done.
    pub fn finish(self) -> Result<()> {
        self.progress.check(self.stage)
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.progress.send(|| Event::Finished { stage: self.stage, task: self.name.clone() });
    }
}

/// `text` made safe for printing on a terminal: control characters, which could manipulate it, and bidirectional
/// control characters become U+FFFD. Line breaks are kept.
///
/// ```
/// use topicframe::progress::printable;
///
/// assert_eq!(printable("a title\u{1b}[2J"), "a title\u{fffd}[2J");  // does not clear the screen
/// ```
pub fn printable(text: &str) -> String {
    let drives = |c: char| c.is_control() && c != '\n';
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if drives(c) || turns(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// `text` for a notebook: evcxr treats its own keywords as commands anywhere in a line, so they are changed to a form
/// that looks the same but has no effect.
pub(crate) fn without_orders(text: &str) -> String {
    text.replace("EVCXR_", "EVCXR\u{200B}_")
}

/// Whether this is the process in which evcxr runs a notebook's cells.
fn in_notebook() -> bool {
    std::env::var_os("EVCXR_IS_RUNTIME").is_some()
}

/// Progress as whole lines, for logs and notebooks, where a line cannot be redrawn.
///
/// ```
/// use std::sync::Arc;
/// use topicframe::prelude::*;
/// use topicframe::progress::Lines;
/// # let folder = tempfile::tempdir()?;
/// # let log = folder.path().join("fit.log");
///
/// let progress = Progress::to(Arc::new(Lines::to(Box::new(std::fs::File::create(&log)?))));
/// progress.note(Stage::Input, "2 rows have no text");
/// assert_eq!(std::fs::read_to_string(&log)?, "input: 2 rows have no text\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Lines {
    out: Mutex<Box<dyn Write + Send>>,
    pace: Pace,
    in_notebook: bool,
    state: Mutex<HashMap<(Stage, String), Running>>,
}

/// How often lines are printed for a task.
#[derive(Clone, Copy)]
struct Pace {
    /// The time before the first line, and the minimum interval between lines.
    least: Duration,
    /// The interval as a fraction of the elapsed time, so that long work prints few lines ...
    part: f64,
    /// ... up to this maximum.
    most: Duration,
}

/// One line per second.
const LOG: Pace = Pace { least: Duration::from_secs(1), part: 0.0, most: Duration::from_secs(1) };

/// A notebook is saved with its printed output: eleven lines in the first two minutes, then one a minute.
const NOTEBOOK: Pace = Pace { least: Duration::from_secs(2), part: 0.5, most: Duration::from_secs(60) };

struct Running {
    started: Instant,
    told: Instant,
    shown: bool,
}

impl Lines {
    /// Lines on standard error, at most one per second for each task; tasks shorter than a second print nothing.
    pub fn stderr() -> Self {
        Lines::to(Box::new(std::io::stderr()))
    }

    /// Lines to `out`, as for [`stderr`](Self::stderr). A line that cannot be written is dropped: progress output must
    /// not stop the work.
    pub fn to(out: Box<dyn Write + Send>) -> Self {
        Lines { out: Mutex::new(out), pace: LOG, in_notebook: false, state: Mutex::new(HashMap::new()) }
    }

    /// Lines for a notebook, on standard output (below a cell, standard error looks like a failure): tasks shorter than
    /// two seconds print nothing, and the longer a task takes, the less often it prints.
    pub fn notebook() -> Self {
        Lines::notebook_to(Box::new(std::io::stdout()))
    }

    /// Lines to `out` at the pace of [`notebook`](Self::notebook).
    pub fn notebook_to(out: Box<dyn Write + Send>) -> Self {
        Lines { pace: NOTEBOOK, in_notebook: true, ..Lines::to(out) }
    }

    fn line(&self, text: &str) {
        let mut text = printable(text);
        if self.in_notebook {
            text = without_orders(&text);
        }
        if let Ok(mut out) = self.out.lock() {
            let _ = writeln!(out, "{text}");
        }
    }

    /// The line to print for a task at this point, if one is due.
    fn due(&self, stage: Stage, task: &str, done: u64, total: u64) -> Option<String> {
        let mut state = self.state.lock().ok()?;
        let running = state.get_mut(&(stage, task.to_owned()))?;
        let taken = running.started.elapsed();
        let pause = taken.mul_f64(self.pace.part).clamp(self.pace.least, self.pace.most);
        if running.told.elapsed() < pause || (done >= total && total > 0) {
            return None;
        }
        running.told = Instant::now();
        running.shown = true;
        Some(format!("{stage}: {task} {}", so_far(done, total, taken.as_secs_f64())))
    }

    fn finished(&self, stage: Stage, task: &str) -> Option<String> {
        let running = self.state.lock().ok()?.remove(&(stage, task.to_owned()))?;
        running
            .shown
            .then(|| format!("{stage}: {task} done in {}", format_duration(running.started.elapsed().as_secs_f64())))
    }
}

/// Percentage, rate and time left.
fn so_far(done: u64, total: u64, seconds: f64) -> String {
    let rate = done as f64 / seconds.max(f64::MIN_POSITIVE);
    let rate_in_words = if rate < 10.0 { format!("{rate:.1}/s") } else { format!("{rate:.0}/s") };
    if total == 0 {
        return format!("{done} so far, {rate_in_words}");
    }
    let share = 100 * done / total;
    let left = match done {
        0 => "time left unknown".to_owned(),
        _ => format!("{} left", format_duration(total.saturating_sub(done) as f64 / rate)),
    };
    format!("{share}% ({done} of {total}, {rate_in_words}, {left})")
}

/// `3.2 s`, `45 s`, `2 min 5 s`, `1 h 10 min`.
fn format_duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        0..10 => format!("{seconds:.1} s"),
        10..60 => format!("{whole} s"),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

impl ProgressSink for Lines {
    fn event(&self, event: &Event) {
        match event {
            Event::Started { stage, task, .. } => {
                if let Ok(mut state) = self.state.lock() {
                    let now = Instant::now();
                    state.insert((*stage, task.clone()), Running { started: now, told: now, shown: false });
                }
            }
            Event::Advanced { stage, task, done, total } => {
                if let Some(line) = self.due(*stage, task, *done, *total) {
                    self.line(&line);
                }
            }
            Event::Finished { stage, task } => {
                if let Some(line) = self.finished(*stage, task) {
                    self.line(&line);
                }
            }
            Event::Note { stage, message } => self.line(&format!("{stage}: {message}")),
        }
    }
}
