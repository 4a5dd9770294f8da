//! `topicframe info`: shows a saved model.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value, json};
use topicframe::FittedTopicModel;
use topicframe::error::{Error, ErrorKind, Result, Stage};
use topicframe::files::{same_file, write_frame};
use topicframe::progress::{Progress, printable};

use crate::outputs::{self, Outputs};
use crate::{bar, table};

#[derive(Debug, Args)]
pub struct Info {
    /// The folder of the model, as written by `topicframe fit ... --save FOLDER`.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,

    /// Print everything as JSON.
    #[arg(long)]
    json: bool,

    /// Write the topic table here (.csv, .tsv, .json, .ndjson, .parquet, .arrow).
    #[arg(long, value_name = "FILE")]
    topics: Option<PathBuf>,

    /// Write the documents of the fit with their topics here (same formats), if they were saved.
    #[arg(long, value_name = "FILE")]
    documents: Option<PathBuf>,

    /// Write an HTML report here: one self-contained file.
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
}

impl Info {
    pub fn run(&self) -> Result<()> {
        let progress = bar::progress();
        for path in [&self.topics, &self.documents, &self.report].into_iter().flatten() {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            if same_file(folder.unwrap_or(".".as_ref()), &self.folder) {
                return Err(outputs::taken(path, "this is in the folder of the model, whose files are its own"));
            }
        }
        outputs::check([&self.topics, &self.documents, &self.report], &[])?;
        let topics = FittedTopicModel::load(&self.folder)?.with_progress(progress.clone());
        let listing = self.listing()?;
        let outputs = self.write(&topics, &progress);
        let text = match self.json {
            true => format!("{:#}\n", self.as_json(&topics, &listing)),
            false => self.as_text(&topics, &listing),
        };
        let printed = table::print(&text).map_err(|error| {
            Error::new(ErrorKind::Io, Stage::Display, "the model cannot be printed").with_cause(error)
        });
        for (name, path) in &outputs.written {
            table::report_line(&format!("wrote {name:<9}  {path}"));
        }
        outputs.complete().and(printed)
    }

    /// The content of `model.json`, which was checked when the model was loaded.
    fn listing(&self) -> Result<Value> {
        let path = self.folder.join("model.json");
        let failed = || Error::new(ErrorKind::Io, Stage::Input, "cannot read the file").with_path(&path);
        let bytes = fs::read(&path).map_err(|cause| failed().with_cause(cause))?;
        serde_json::from_slice(&bytes).map_err(|cause| failed().with_cause(cause))
    }

    fn write(&self, topics: &FittedTopicModel, progress: &Progress) -> Outputs {
        let mut outputs = Outputs::default();
        outputs.add("topics", self.topics.as_deref(), |path| outputs::write_topics(topics, path, false));
        outputs.add("documents", self.documents.as_deref(), |path| {
            write_frame(&outputs::writable(&topics.fitted_frame()?, path, progress), path)
        });
        outputs.add("report", self.report.as_deref(), |path| topics.report().write(path));
        outputs
    }

    /// The size of the model's files in bytes.
    fn bytes(&self, listing: &Value) -> u64 {
        let files = listing["files"].as_array().into_iter().flatten();
        let listed: u64 = files.filter_map(|file| file["bytes"].as_u64()).fold(0, u64::saturating_add);
        listed.saturating_add(fs::metadata(self.folder.join("model.json")).map_or(0, |file| file.len()))
    }

    fn as_json(&self, topics: &FittedTopicModel, listing: &Value) -> Value {
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
            "bytes": self.bytes(listing),
            "saved": model["saved"],
            "summary": topics.summary(),
            "settings": model["settings"],
            "topics": each.collect::<Vec<_>>(),
            "history": model["history"],
        })
    }

    fn as_text(&self, topics: &FittedTopicModel, listing: &Value) -> String {
        let (model, summary) = (&listing["model"], topics.summary());
        let settings = model["settings"].as_object().cloned().unwrap_or_default();
        let share = 100.0 * summary.outliers as f64 / summary.rows.max(1) as f64;
        let mut lines = vec![
            ("model", self.folder.display().to_string()),
            (
                "written by",
                format!("topicframe {}, format {}", words(&listing["topicframe"]), words(&listing["format_version"])),
            ),
            ("size", format!("{:.1} MB", self.bytes(listing) as f64 / 1e6)),
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
