//! The one channel through which the crate says what it is doing.

use std::collections::HashMap;
use std::fmt;
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Hint, Interface, Result, Stage};

/// What a [`ProgressSink`] is told.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A piece of work begins: its stage, what it is in a word or two, and how many units it has (0: not known).
    Started {
        /// The stage that the work belongs to.
        stage: Stage,
        /// The work, in a word or two, such as `neighbors`.
        task: String,
        /// Units of work; 0 when not known.
        total: u64,
    },
    /// So many units of the work that began last in this stage are done.
    Advanced {
        /// The stage that the work belongs to.
        stage: Stage,
        /// The work, as in [`Event::Started`].
        task: String,
        /// Units done so far.
        done: u64,
        /// Units in all; 0 when not known.
        total: u64,
    },
    /// The work is over.
    Finished {
        /// The stage that the work belongs to.
        stage: Stage,
        /// The work, as in [`Event::Started`].
        task: String,
    },
    /// Something that the user should know: rows left out, images that could not be read.
    Note {
        /// The stage that has something to say.
        stage: Stage,
        /// The sentence.
        message: String,
    },
}

/// Receives [`Event`]s, from any thread.
pub trait ProgressSink: Send + Sync {
    /// Takes one event. Called often; it must be quick.
    fn event(&self, event: &Event);
}

/// Stops work that is under way, from another thread: a button, a signal, a request that is no longer waited for. The
/// work ends within a fraction of a second with an error of the kind [`ErrorKind::Interrupted`]. Clones are the same
/// switch.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// A switch that is not thrown.
    pub fn new() -> Self {
        Interrupt::default()
    }

    /// Throws it. It stays thrown.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it is thrown.
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A cheap handle on a [`ProgressSink`] and an [`Interrupt`]; by default silent, and nothing stops it.
#[derive(Clone, Default)]
pub struct Progress {
    sink: Option<Arc<dyn ProgressSink>>,
    interrupt: Option<Interrupt>,
    interface: Interface,
}

impl Progress {
    /// Says nothing.
    pub fn silent() -> Self {
        Progress::default()
    }

    /// Throttled whole lines on standard error.
    pub fn stderr() -> Self {
        Progress::to(Arc::new(Lines::stderr()))
    }

    /// Throttled whole lines where a reader of the program looks for them: in a notebook ([`Lines::notebook`]) below the
    /// cell, elsewhere on standard error.
    pub fn lines() -> Self {
        if in_notebook() { Progress::to(Arc::new(Lines::notebook())) } else { Progress::stderr() }
    }

    /// What a model does that was told nothing: it is silent, but in a notebook tells of work that takes its time.
    pub(crate) fn of_a_model() -> Self {
        if in_notebook() { Progress::lines() } else { Progress::silent() }
    }

    /// Sends everything to `sink`.
    pub fn to(sink: Arc<dyn ProgressSink>) -> Self {
        Progress { sink: Some(sink), ..Progress::default() }
    }

    /// The same, and work stops when `interrupt` says so.
    #[must_use]
    pub fn with_interrupt(mut self, interrupt: Interrupt) -> Self {
        self.interrupt = Some(interrupt);
        self
    }

    /// The same, with the hints of notes in the words of `interface`; by default those of Rust.
    #[must_use]
    pub fn in_words_of(mut self, interface: Interface) -> Self {
        self.interface = interface;
        self
    }

    /// In whose words hints are told.
    pub(crate) fn interface(&self) -> Interface {
        self.interface
    }

    /// What stops the work.
    pub(crate) fn interrupt(&self) -> Option<&Interrupt> {
        self.interrupt.as_ref()
    }

    /// Whether work should stop.
    pub fn is_interrupted(&self) -> bool {
        self.interrupt.as_ref().is_some_and(Interrupt::is_stopped)
    }

    /// To be asked now and then by long work in `stage`.
    ///
    /// # Errors
    /// [`ErrorKind::Interrupted`] when it should stop.
    pub fn check(&self, stage: Stage) -> Result<()> {
        match self.is_interrupted() {
            true => Err(Error::new(ErrorKind::Interrupted, stage, "interrupted")),
            false => Ok(()),
        }
    }

    /// Announces a piece of work of `total` units (0: not known). It ends when the returned task is dropped.
    pub fn task(&self, stage: Stage, name: &str, total: usize) -> Task {
        let task =
            Task { progress: self.clone(), stage, name: name.to_owned(), total: total as u64, done: AtomicU64::new(0) };
        self.send(|| Event::Started { stage, task: task.name.clone(), total: task.total });
        task
    }

    /// Tells the user something.
    pub fn note(&self, stage: Stage, message: impl Into<String>) {
        self.send(|| Event::Note { stage, message: message.into() });
    }

    /// Tells the user something, and what to do about it: one more clause or sentence behind `message`, in the words of the
    /// interface at hand.
    pub fn note_with_hint(&self, stage: Stage, message: impl Into<String>, hint: impl Into<Hint>) {
        self.send(|| {
            let (message, hint) = (message.into(), hint.into());
            let hint = hint.for_interface(self.interface);
            Event::Note { stage, message: if hint.is_empty() { message } else { format!("{message}; {hint}") } }
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

/// A piece of work under way; shared between threads by reference.
#[derive(Debug)]
pub struct Task {
    progress: Progress,
    stage: Stage,
    name: String,
    total: u64,
    done: AtomicU64,
}

impl Task {
    /// `units` more are done.
    pub fn advance(&self, units: usize) {
        if self.progress.sink.is_none() {
            return;
        }
        let done = self.done.fetch_add(units as u64, Ordering::Relaxed) + units as u64;
        self.progress.send(|| Event::Advanced { stage: self.stage, task: self.name.clone(), done, total: self.total });
    }

    /// Whether the work should stop. Loops ask it at every unit; [`finish`](Self::finish) then says so.
    pub fn is_interrupted(&self) -> bool {
        self.progress.is_interrupted()
    }

    /// Ends the work.
    ///
    /// # Errors
    /// [`ErrorKind::Interrupted`] where it was stopped before it was done.
    pub fn finish(self) -> Result<()> {
        self.progress.check(self.stage)
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.progress.send(|| Event::Finished { stage: self.stage, task: self.name.clone() });
    }
}

/// `text` as it may be printed on a terminal: control characters, which could drive it, and the marks that override
/// the direction of writing become U+FFFD. Line ends stay.
pub fn printable(text: &str) -> String {
    let drives = |c: char| c.is_control() && c != '\n';
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if drives(c) || turns(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// `text` for a notebook: evcxr takes its own words for orders wherever they stand in a line, so they get a form that reads
/// the same and means nothing.
pub(crate) fn without_orders(text: &str) -> String {
    text.replace("EVCXR_", "EVCXR\u{200B}_")
}

/// Whether this is the process in which evcxr runs a notebook's cells.
fn in_notebook() -> bool {
    std::env::var_os("EVCXR_IS_RUNTIME").is_some()
}

/// Whole lines, for logs and notebooks, where a line cannot be redrawn.
pub struct Lines {
    out: Mutex<Box<dyn Write + Send>>,
    pace: Pace,
    in_notebook: bool,
    state: Mutex<HashMap<(Stage, String), Running>>,
}

/// When the lines of one piece of work come.
#[derive(Clone, Copy)]
struct Pace {
    /// The first one, and the least time between two.
    least: Duration,
    /// The time between two as a part of the time that the work has taken so far, so that long work has few lines ...
    part: f64,
    /// ... up to this.
    most: Duration,
}

/// One a second.
const LOG: Pace = Pace { least: Duration::from_secs(1), part: 0.0, most: Duration::from_secs(1) };

/// A notebook is saved with what its cells printed: eleven lines in the first two minutes, then one a minute.
const NOTEBOOK: Pace = Pace { least: Duration::from_secs(2), part: 0.5, most: Duration::from_secs(60) };

struct Running {
    started: Instant,
    told: Instant,
    shown: bool,
}

impl Lines {
    /// Lines on standard error, at most one a second for each piece of work; work of less than a second says nothing.
    pub fn stderr() -> Self {
        Lines::to(Box::new(std::io::stderr()))
    }

    /// Lines to `out`, as [`stderr`](Self::stderr). A line that cannot be written is dropped: progress must not stop the
    /// work.
    pub fn to(out: Box<dyn Write + Send>) -> Self {
        Lines { out: Mutex::new(out), pace: LOG, in_notebook: false, state: Mutex::new(HashMap::new()) }
    }

    /// Lines for a notebook, on standard output (below a cell, standard error looks like a failure): work of less than two
    /// seconds says nothing, and the longer work takes, the rarer are its lines.
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

    /// The line to print for work that has come so far, if it is time for one.
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
        running.shown.then(|| format!("{stage}: {task} done in {}", in_words(running.started.elapsed().as_secs_f64())))
    }
}

/// Share, rate and time left.
fn so_far(done: u64, total: u64, seconds: f64) -> String {
    let rate = done as f64 / seconds.max(f64::MIN_POSITIVE);
    let rate_in_words = if rate < 10.0 { format!("{rate:.1} a second") } else { format!("{rate:.0} a second") };
    if total == 0 {
        return format!("{done} so far, {rate_in_words}");
    }
    let share = 100 * done / total;
    let left = match done {
        0 => "no telling how long".to_owned(),
        _ => format!("{} left", in_words(total.saturating_sub(done) as f64 / rate)),
    };
    format!("{share} % ({done} of {total}, {rate_in_words}, {left})")
}

/// `3.2 s`, `45 s`, `2 min 5 s`, `1 h 10 min`.
fn in_words(seconds: f64) -> String {
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
