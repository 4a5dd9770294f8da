//! `topicframe info`: shows a saved model.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use topicframe::FittedTopicModel;
use topicframe::display::stage_in_words;
use topicframe::error::{Error, ErrorKind, Result, Stage};
use topicframe::progress::printable;
use topicframe::topics::Regrouping;

use crate::edits::OUTLIER;
use crate::loading::Listing;
use crate::outputs::{Files, Outputs};
use crate::table::counted;
use crate::{bar, table};

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Info {
    /// The folder of the model, as written by `topicframe fit ... --save FOLDER`.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,

    /// Print everything as JSON.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    files: Files,
}

const EXAMPLES: &str = "\
The documents can be written, and the report and the figures can show time and classes, if the
model was saved with its documents. The history has the edits by the options of `topicframe edit`,
with the topics that they changed: `1, 4 → 0` were merged; -1 are the outliers, and
`-1 → 2 (20), -1 (5)` says how many documents went where.

Examples:
  topicframe info topics/
  topicframe info topics/ --topics topics.csv --report page.html
  topicframe info topics/ --report page.html --time date --every 1mo --class forum
  topicframe info topics/ --plots figures/";

impl Info {
    pub fn run(&self) -> Result<()> {
        let progress = bar::progress();
        self.files.check_beside(&self.folder)?;
        self.files.check(&[])?;
        let topics = FittedTopicModel::load(&self.folder)?.with_progress(progress.clone());
        let listing = Listing::read(&self.folder)?;
        let mut outputs = Outputs::default();
        self.files.write(&mut outputs, &topics, false, || topics.fitted_frame(), &progress);
        let text = match self.json {
            true => format!("{:#}\n", self.as_json(&topics, &listing)),
            false => self.as_text(&topics, &listing),
        };
        let printed = table::print(&text).map_err(|error| {
            Error::new(ErrorKind::Io, Stage::Display, "the model cannot be printed").with_cause(error)
        });
        outputs.tell();
        outputs.complete().and(printed)
    }

    fn as_json(&self, topics: &FittedTopicModel, listing: &Listing) -> Value {
        let (bytes, listing) = (listing.bytes(), &listing.content);
        let model = &listing["model"];
        let each = topics.topic_ids().into_iter().map(|id| {
            let words = topics.get_topic(id).unwrap_or_default();
            let words = words.into_iter().map(|(word, weight)| json!({ "word": word, "weight": weight }));
            json!({
                "topic": id,
                "name": topics.topic_label(id),
                "rows": topics.topic_size(id),
                "words": words.collect::<Vec<_>>(),
            })
        });
        json!({
            "folder": self.folder.to_string_lossy(),
            "topicframe": listing["topicframe"],
            "format_version": listing["format_version"],
            "bytes": bytes,
            "saved": model["saved"],
            "summary": topics.summary(),
            "settings": model["settings"],
            "topics": each.collect::<Vec<_>>(),
            "history": model["history"],
        })
    }

    fn as_text(&self, topics: &FittedTopicModel, listing: &Listing) -> String {
        let (bytes, listing) = (listing.bytes(), &listing.content);
        let (model, summary) = (&listing["model"], topics.summary());
        let settings = model["settings"].as_object().cloned().unwrap_or_default();
        let share = 100.0 * summary.outliers as f64 / summary.rows.max(1) as f64;
        let mut lines = vec![
            ("model", self.folder.display().to_string()),
            (
                "written by",
                format!("topicframe {}, format {}", plain(&listing["topicframe"]), plain(&listing["format_version"])),
            ),
            ("size", format!("{:.1} MB", bytes as f64 / 1e6)),
            ("saved", fields(&model["saved"], &str::to_owned)),
            (
                "rows",
                format!(
                    "{} in {}, {} ({share:.0}%)",
                    summary.rows,
                    counted(summary.topics, "topic"),
                    counted(summary.outliers, "outlier")
                ),
            ),
        ];
        let edits = topics.history();
        match edits.is_empty() {
            true => lines.push(("history", "no edits since the fit".to_owned())),
            false => {
                let name = |step| if step == 1 { "history" } else { "" };
                lines.extend((1..).zip(&edits).map(|(step, edit)| (name(step), format!("{step}. {}", told(edit)))));
            }
        }
        let mut text: String = lines.iter().map(|(name, value)| line(name, value)).collect();
        text.push_str("\nSettings\n");
        text.extend(
            settings
                .iter()
                .map(|(name, value)| (name, setting(name, value)))
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| line(name, &value)),
        );
        text.push('\n');
        text.push_str(&table::topics(topics));
        text
    }
}

/// A text without quotes, or a number.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn line(name: &str, value: &str) -> String {
    format!("{:<20}  {}\n", printable(name), printable(value).replace('\n', " "))
}

/// An edit: its name on the command line, if it has one, and what became of the topics that it changed.
fn told(edit: &Regrouping) -> String {
    const MOST: usize = 8;
    let name = match edit.edit.as_str() {
        "merge_topics" => "merge",
        "delete_topics" => "delete",
        "split_topic" => "split",
        "reduce_topics" => "nr-topics",
        "with_outliers" => "outliers",
        "with_ctfidf" => "ctfidf",
        "set_topic_labels" => "label",
        "reduce_outliers" => "reduce-outliers",
        other => other,
    };
    let moves = moves(edit);
    let shown = moves.iter().take(MOST).map(String::as_str).collect::<Vec<_>>().join("; ");
    match moves.len() {
        0 => name.to_owned(),
        all if all > MOST => format!("{name}: {shown}; and {} more", all - MOST),
        _ => format!("{name}: {shown}"),
    }
}

/// Which topics became which: `1, 4 → 0` if all of their documents are there, `-1 → 2 (20), -1 (5)` with the numbers of
/// documents otherwise. Topics that were only renumbered, or that only gained some documents of others, are left out.
fn moves(edit: &Regrouping) -> Vec<String> {
    let mut whole: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
    let mut divided = Vec::new();
    for (&from, parts) in &edit.destinations {
        match parts.first_key_value() {
            Some((&to, _)) if parts.len() == 1 => whole.entry(to).or_default().push(from),
            _ => {
                let mut parts: Vec<(i32, usize)> = parts.iter().map(|(&to, &rows)| (to, rows)).collect();
                parts.sort_by_key(|&(to, rows)| (std::cmp::Reverse(rows), to));
                let parts: Vec<String> = parts.into_iter().map(|(to, rows)| format!("{to} ({rows})")).collect();
                divided.push(format!("{from} → {}", parts.join(", ")));
            }
        }
    }
    // Outliers that stay outliers did not change.
    if let Some(from) = whole.get_mut(&OUTLIER) {
        from.retain(|&from| from != OUTLIER);
    }
    let joined = whole.into_iter().filter(|(to, from)| from.len() > 1 || *to == OUTLIER && !from.is_empty());
    let joined = joined.map(|(to, from)| {
        let from: Vec<String> = from.iter().map(i32::to_string).collect();
        format!("{} → {to}", from.join(", "))
    });
    joined.chain(divided).collect()
}

/// A setting as people read it; empty if it is left open.
fn setting(name: &str, value: &Value) -> String {
    match (name, value) {
        // Names of columns are not words of topicframe.
        ("columns", _) => fields(value, &|name| name.to_owned()),
        _ => words(value),
    }
}

/// A setting in words: of a stage, what it was; of an embedder, also where it came from.
fn words(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => in_words(text),
        Value::Object(stage) => match stage.get("description").and_then(Value::as_str) {
            Some(description) => match stage.get("origin") {
                Some(from) => format!("{} ({})", stage_in_words(description), origin(from)),
                None => stage_in_words(description),
            },
            None => match (stage.get("name").and_then(Value::as_str), stage.get("stage")) {
                (Some(name), Some(stage)) => format!("{name} ({})", words(stage)),
                _ => fields(value, &in_words),
            },
        },
        Value::Array(values) => {
            const MOST: usize = 10;
            // Texts in lists are the user's words.
            let each = |value: &Value| value.as_str().map_or_else(|| words(value), str::to_owned);
            let shown = values.iter().take(MOST).map(each).collect::<Vec<_>>().join(", ");
            match values.len() {
                all if all > MOST => format!("{shown} and {} more", all - MOST),
                _ => shown,
            }
        }
        other => other.to_string(),
    }
}

/// The name of a variant, such as `Auto`, as a word; another text as it is.
fn in_words(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) if first.is_ascii_uppercase() && letters.all(|c| c.is_ascii_lowercase()) => text.to_lowercase(),
        _ => text.to_owned(),
    }
}

/// Where an embedder or a captioner came from.
fn origin(origin: &Value) -> String {
    match (origin.as_str(), &origin["hub"], &origin["folder"]) {
        (Some("built_in"), ..) => "built in".to_owned(),
        (Some("unknown"), ..) => "a type of the program that fitted the model, which was not saved".to_owned(),
        (_, Value::Object(hub), _) => {
            let text = |name: &str| hub.get(name).and_then(Value::as_str).unwrap_or_default();
            format!("from the Hub: {}, revision {}", text("name"), text("revision"))
        }
        (_, _, Value::Object(folder)) => {
            format!("from the folder {}", folder.get("path").and_then(Value::as_str).unwrap_or_default())
        }
        _ => origin.to_string(),
    }
}

/// `name value` of each field that is set; a text is shown by `text`.
fn fields(value: &Value, text: &dyn Fn(&str) -> String) -> String {
    let shown = |(name, value): (&String, &Value)| {
        let value = match value {
            Value::String(value) => text(value),
            value => words(value),
        };
        (!value.is_empty()).then(|| format!("{} {value}", in_words(name)))
    };
    value.as_object().into_iter().flatten().filter_map(shown).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::setting;

    #[test]
    fn settings_are_words() {
        let vectorizer = json!({
            "cleaning": "Auto", "max_df": { "Share": 1.0 }, "max_features": null, "ngram_range": [1, 2],
            "stop_words": { "Words": ["a", "Auto"] }, "seed_words": [],
        });
        let words = "cleaning auto, max_df share 1.0, ngram_range 1, 2, stop_words words a, Auto";
        assert_eq!(setting("vectorizer", &vectorizer), words);
        assert_eq!(setting("columns", &json!({ "text": "Caption", "image": null })), "text Caption");
        assert_eq!(
            setting("reducer", &json!({ "description": "Pca { n: 5, seed: None }", "kind": "pca" })),
            "Pca: n 5"
        );
        let embedder = json!({ "description": "MyOwn", "origin": { "hub": { "name": "a/b", "revision": "main" } } });
        assert_eq!(setting("text_embedder", &embedder), "MyOwn (from the Hub: a/b, revision main)");
        let representations = json!([{ "name": "Visual_Aspect", "stage": { "description": "Visual { n: 9 }" } }]);
        assert_eq!(setting("representations", &representations), "Visual_Aspect (Visual: n 9)");
        assert_eq!(setting("nr_topics", &json!(null)), "");
    }
}
