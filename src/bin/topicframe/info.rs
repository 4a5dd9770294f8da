//! `topicframe info`: shows a saved model.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value, json};
use topicframe::FittedTopicModel;
use topicframe::error::{Error, ErrorKind, Result, Stage};
use topicframe::progress::printable;

use crate::loading::Listing;
use crate::outputs::{Files, Outputs};
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
The documents can be written, and the report can show time and classes, if the model was saved with
its documents.

Examples:
  topicframe info topics/
  topicframe info topics/ --topics topics.csv --report page.html
  topicframe info topics/ --report page.html --time date --every 1mo --class forum";

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
                format!("topicframe {}, format {}", words(&listing["topicframe"]), words(&listing["format_version"])),
            ),
            ("size", format!("{:.1} MB", bytes as f64 / 1e6)),
            ("saved", fields(&model["saved"])),
            (
                "rows",
                format!("{} in {} topics, {} outliers ({share:.0}%)", summary.rows, summary.topics, summary.outliers),
            ),
        ];
        lines.push(("history", edits(topics)));
        let mut text: String = lines.iter().map(|(name, value)| line(name, value)).collect();
        text.push_str("\nSettings\n");
        text.extend(
            settings.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| line(name, &words(value))),
        );
        text.push('\n');
        text.push_str(&table::topics(topics));
        text
    }
}

fn line(name: &str, value: &str) -> String {
    format!("{:<20}  {}\n", printable(name), printable(value).replace('\n', " "))
}

/// The edits since the fit.
fn edits(topics: &FittedTopicModel) -> String {
    let edits: Vec<String> = topics.history().into_iter().map(|regrouping| regrouping.edit).collect();
    if edits.is_empty() { "no edits since the fit".to_owned() } else { edits.join(", ") }
}

/// A setting in words: of a stage, what it was; of an embedder, also where it came from.
fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(stage) => match stage.get("description").and_then(Value::as_str) {
            Some(description) => match stage.get("origin") {
                Some(from) => format!("{description} ({})", origin(from)),
                None => description.to_owned(),
            },
            None => fields(value),
        },
        Value::Array(values) => values.iter().map(words).collect::<Vec<_>>().join("; "),
        other => other.to_string(),
    }
}

/// Where an embedder or a captioner came from.
fn origin(origin: &Value) -> String {
    match (origin.as_str(), &origin["hub"], &origin["folder"]) {
        (Some("built_in"), ..) => "built in".to_owned(),
        (Some("unknown"), ..) => "a type of the program that fitted the model, which was not saved".to_owned(),
        (_, Value::Object(hub), _) => format!("from the Hub: {}", fields(&Value::Object(hub.clone()))),
        (_, _, Value::Object(folder)) => {
            format!("from the folder {}", folder.get("path").map(words).unwrap_or_default())
        }
        _ => words(origin),
    }
}

/// `name: value` of each field that has a value.
fn fields(value: &Value) -> String {
    let empty = Map::new();
    let fields = value.as_object().unwrap_or(&empty).iter().filter(|(_, value)| !value.is_null());
    fields.map(|(name, value)| format!("{name}: {}", words(value))).collect::<Vec<_>>().join(", ")
}
