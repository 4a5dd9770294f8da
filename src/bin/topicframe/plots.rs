//! `--plots FOLDER`: every figure that the model and the columns allow, as SVG.

use std::fs;
use std::path::Path;

use topicframe::FittedTopicModel;
use topicframe::error::{Error, ErrorKind, Result, Stage};
use topicframe::files::{check_writable, write_whole};
use topicframe::progress::Progress;
use topicframe::represent::Aspect;

use crate::contents::Contents;

/// Checks that figures can be written to `folder`: it is a folder, or does not exist yet in one that does.
pub fn check_folder(folder: &Path) -> Result<()> {
    match fs::metadata(folder) {
        Ok(found) if found.is_dir() => check_writable(folder.join("topics.svg")),
        Ok(_) => {
            Err(Error::new(ErrorKind::InvalidParameter, Stage::Output, "figures go to a folder, but this is a file")
                .with_path(folder)
                .with_hint("Name a folder, which is created if it does not exist."))
        }
        Err(_) => check_writable(folder),
    }
}

/// Writes the figures of `topics`, and notes which are not possible, and why.
///
/// # Errors
/// A file cannot be written, or interrupted.
pub fn write(topics: &FittedTopicModel, folder: &Path, contents: &Contents, progress: &Progress) -> Result<()> {
    if !folder.is_dir() {
        fs::create_dir_all(folder).map_err(|cause| {
            Error::new(ErrorKind::Io, Stage::Output, "cannot create the folder of the figures")
                .with_path(folder)
                .with_cause(cause)
        })?;
    }
    let mut plots = Plots { folder, progress, left_out: Vec::new() };
    let has = Has::of(topics);
    plots.add("topics", has.topics(1), || topics.visualize_topics().svg())?;
    plots.add("documents", None, || topics.visualize_documents().svg())?;
    plots.add("document_datamap", None, || topics.visualize_document_datamap().svg())?;
    plots.add("hierarchical_documents", has.topics(2), || topics.visualize_hierarchical_documents().svg())?;
    plots.add("hierarchy", has.topics(2), || topics.visualize_hierarchy().svg())?;
    plots.add("heatmap", has.topics(2), || topics.visualize_heatmap().svg())?;
    plots.add("barchart", has.topics(1).or(has.words_or_images()), || topics.visualize_barchart().svg())?;
    plots.add("term_rank", has.topics(1).or(has.words()), || topics.visualize_term_rank().svg())?;
    plots.add("topic_sizes", has.topics(1), || topics.visualize_topic_sizes().svg())?;
    plots.add("quality", has.topics(1), || topics.visualize_topic_quality().svg())?;
    plots.add("layers", has.topics(1), || topics.visualize_layers().svg())?;
    if let Some((column, options)) = contents.time() {
        plots.add("topics_over_time", has.topics(1), || {
            let over_time = topics.topics_over_time_with(column, &options)?;
            topics.visualize_topics_over_time(&over_time).svg()
        })?;
    }
    // Names of columns are not names of files.
    for (column, number) in contents.classes().iter().zip(1..) {
        let name = match number {
            1 => "topics_per_class".to_owned(),
            _ => format!("topics_per_class_{number}"),
        };
        plots.add(&name, has.topics(1), || topics.visualize_topics_per_class(column.as_str()).svg())?;
    }
    plots.tell();
    Ok(())
}

/// What the model has to draw.
struct Has {
    topics: usize,
    words: bool,
    images: bool,
}

impl Has {
    fn of(topics: &FittedTopicModel) -> Self {
        let ids: Vec<i32> = topics.topic_ids().into_iter().filter(|&id| id >= 0).collect();
        let words =
            |id: &i32| topics.get_topic(*id).is_some_and(|words| words.iter().any(|(word, _)| !word.is_empty()));
        Has {
            topics: ids.len(),
            words: ids.iter().any(words),
            images: topics.topic_aspects().values().any(|aspect| matches!(aspect, Aspect::Images(_))),
        }
    }

    /// Why a figure of at least this number of topics is not possible, if it is not.
    fn topics(&self, least: usize) -> Option<&'static str> {
        match self.topics {
            topics if topics >= least => None,
            0 => Some("there are no topics"),
            _ => Some("there is only one topic"),
        }
    }

    fn words(&self) -> Option<&'static str> {
        (!self.words).then_some("the topics have no words")
    }

    fn words_or_images(&self) -> Option<&'static str> {
        if self.images { None } else { self.words() }
    }
}

struct Plots<'a> {
    folder: &'a Path,
    progress: &'a Progress,
    left_out: Vec<(String, String)>,
}

impl Plots<'_> {
    /// Draws and writes `name.svg`, unless something is `lacking`.
    fn add(&mut self, name: &str, lacking: Option<&str>, draw: impl FnOnce() -> Result<String>) -> Result<()> {
        let drawn = match lacking {
            Some(why) => Err(why.to_owned()),
            None => match draw() {
                Err(error) if error.kind() == ErrorKind::Interrupted => return Err(error),
                drawn => drawn.map_err(|error| error.message().to_owned()),
            },
        };
        match drawn {
            Ok(svg) => write_whole(self.folder.join(format!("{name}.svg")), svg),
            Err(why) => {
                self.left_out.push((format!("{name}.svg"), why));
                Ok(())
            }
        }
    }

    /// Notes what was left out, one line for each reason.
    fn tell(&self) {
        let mut reasons: Vec<&str> = Vec::new();
        for (_, why) in &self.left_out {
            if !reasons.contains(&why.as_str()) {
                reasons.push(why);
            }
        }
        for reason in reasons {
            let of_reason = self.left_out.iter().filter(|(_, why)| why == reason);
            let names: Vec<&str> = of_reason.map(|(name, _)| name.as_str()).collect();
            self.progress.note(Stage::Output, format!("not drawn: {} ({reason})", names.join(", ")));
        }
    }
}
