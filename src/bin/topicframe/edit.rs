//! `topicframe edit`: changes the topics of a saved model.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use topicframe::FittedTopicModel;
use topicframe::error::{Error, ErrorKind, Result, Stage};
use topicframe::files::same_file;
use topicframe::progress::printable;

use crate::apply::{Ids, apply};
use crate::edits::{Edits, OUTLIER};
use crate::limits::ImageLimits;
use crate::loading::{Listing, Loading};
use crate::outputs::{Files, Outputs};
use crate::saving::Saving;
use crate::{bar, table};

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Edit {
    /// The folder of the model, as written by `topicframe fit ... --save FOLDER`. It stays as it is, unless the edited
    /// model is saved there.
    #[arg(value_name = "MODEL")]
    model: PathBuf,

    #[command(flatten)]
    edits: Edits,

    #[command(flatten)]
    files: Files,

    #[command(flatten)]
    saving: Saving,

    #[command(flatten)]
    loading: Loading,

    #[command(flatten)]
    limits: ImageLimits,
}

const EXAMPLES: &str = "\
Topics are those that `topicframe info MODEL` lists, even if an earlier edit of the same command
renumbers them. The output has the topics before, with what became of their documents, the topics
after, and what became of labels. Without --save, the result is only shown. There is no undo for a
model that was saved over: save to another folder to keep both.

Examples:
  topicframe edit topics/ --merge 1,2 --merge 4,7,9
  topicframe edit topics/ --label \"3=Old cars\" --delete 12 --save topics/
  topicframe edit topics/ --reduce-outliers embeddings --max-outliers 10% --save fewer-outliers/
  topicframe edit topics/ --outliers 10% --nr-topics 20 --save topics-20/ --report page.html";

impl Edit {
    /// Edits the model, prints its topics before and after, and writes the outputs.
    pub fn run(&self) -> Result<()> {
        let progress = bar::progress();
        self.edits.check(self.saving.folder().is_some())?;
        self.check_outputs()?;
        let before = self.loading.load(&self.model, &self.limits, &progress)?;
        let vectors = Listing::read(&self.model)?.vectors();
        let (topics, ids) = apply(self.edits.all(), &before, &progress)?;
        let mut outputs = Outputs::default();
        outputs.add("model", self.saving.folder(), |folder| self.saving.write(&topics, folder, vectors));
        self.files.write(&mut outputs, &topics, false, || topics.fitted_frame(), &progress);
        let text = compared(&before, &topics) + &of_labels(&before, &topics, &ids);
        let printed = table::print(&text).map_err(|error| {
            Error::new(ErrorKind::Io, Stage::Display, "the topics cannot be printed").with_cause(error)
        });
        outputs.tell();
        if self.saving.folder().is_none() {
            table::report_line("the edited model was not saved: --save FOLDER saves it");
        }
        outputs.complete().and(printed)
    }

    fn check_outputs(&self) -> Result<()> {
        self.files.check_beside(&self.model)?;
        self.files.check(&[])?;
        let Some(folder) = self.saving.folder() else { return Ok(()) };
        self.files.check_beside(folder)?;
        if same_file(folder, &self.model) { Ok(()) } else { self.saving.check() }
    }
}

/// The topics before, with what became of their documents, and the topics after.
fn compared(before: &FittedTopicModel, after: &FittedTopicModel) -> String {
    let mut moves: BTreeMap<i32, BTreeMap<i32, usize>> = BTreeMap::new();
    for (from, to) in before.labels().into_iter().zip(after.labels()) {
        *moves.entry(from).or_default().entry(to).or_default() += 1;
    }
    let now: Vec<String> = before.topic_ids().iter().map(|id| told(moves.get(id))).collect();
    let column = now.iter().map(|now| now.chars().count()).max().unwrap_or(0).max("Now".len());
    let width = table::width(120);
    let mut text = format!("Before\n{:>5}  {:>6}  {:<column$}  Words\n", "Topic", "Count", "Now");
    for (id, now) in before.topic_ids().into_iter().zip(now) {
        let size = before.topic_size(id).unwrap_or(0);
        let line = format!("{id:>5}  {size:>6}  {now:<column$}  {}", table::words(before, id));
        text.push_str(&table::cut(&printable(&line), width));
        text.push('\n');
    }
    text.push_str("\nAfter\n");
    text.push_str(&table::topics(after));
    text
}

/// What became of each topic that had a label, one per line.
fn of_labels(before: &FittedTopicModel, after: &FittedTopicModel, ids: &Ids) -> String {
    let (labels, now) = (before.custom_labels(), after.custom_labels());
    if labels.is_empty() {
        return String::new();
    }
    let mut text = "\nLabels\n".to_owned();
    for (id, label) in labels {
        let heir = ids.heir(id);
        let is = if ids.is_joined(id) { "in" } else { "now" };
        let became = match now.get(&heir) {
            _ if heir == OUTLIER && id != OUTLIER => "its documents are outliers, and the label is gone".to_owned(),
            Some(same) if *same == label && heir == id => "as before".to_owned(),
            Some(same) if *same == label => format!("now topic {heir}"),
            Some(other) => format!("{is} topic {heir}, which is labeled {other}"),
            None => format!("{is} topic {heir}, which has no label"),
        };
        text.push_str(&table::cut(&printable(&format!("{id:>5}  {label}: {became}")), table::width(120)));
        text.push('\n');
    }
    text
}

/// Where the documents of a topic are now: `3`, or with their numbers, most first, if they were divided: `3 (20), -1 (5)`.
fn told(moves: Option<&BTreeMap<i32, usize>>) -> String {
    const MOST: usize = 3;
    let mut moves: Vec<(i32, usize)> = moves.into_iter().flatten().map(|(&to, &rows)| (to, rows)).collect();
    moves.sort_by_key(|&(to, rows)| (std::cmp::Reverse(rows), to));
    if let [(to, _)] = moves.as_slice() {
        return to.to_string();
    }
    let shown: Vec<String> = moves.iter().take(MOST).map(|(to, rows)| format!("{to} ({rows})")).collect();
    let more = if moves.len() > MOST { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::told;

    #[test]
    fn what_became_of_a_topic() {
        let told = |moves: &[(i32, usize)]| told(Some(&moves.iter().copied().collect::<BTreeMap<_, _>>()));
        assert_eq!((told(&[(3, 20)]).as_str(), told(&[]).as_str()), ("3", ""));
        assert_eq!(told(&[(-1, 5), (0, 5), (3, 20)]), "3 (20), -1 (5), 0 (5)");
        assert_eq!(told(&[(0, 1), (1, 2), (2, 3), (3, 4)]), "3 (4), 2 (3), 1 (2), …");
    }
}
