//! `--plots FOLDER`: the figures of the command.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use topicframe::files::write_frame;
use topicframe::prelude::*;

use crate::command_explore::explored;
use crate::command_topics::{done, model, refused, text};
use crate::corpora::frame;

fn names(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| format!("{name}.svg")).collect()
}

#[test]
fn every_figure_that_is_possible_is_written() {
    let folder = explored();
    let here = folder.path();
    let columns = "--time month --every 1q --class group --class month --class group";
    let said = text(&done(here, &format!("info model --plots drawn {columns}")).stderr);
    assert!(said.contains("wrote figures") && !said.contains("not drawn"), "{said}");
    let of_model = [
        "topics",
        "documents",
        "document_datamap",
        "hierarchical_documents",
        "hierarchy",
        "heatmap",
        "barchart",
        "term_rank",
        "topic_sizes",
        "quality",
        "layers",
    ];
    let of_columns = ["topics_over_time", "topics_per_class", "topics_per_class_2"];
    assert_eq!(names(&here.join("drawn")), set(&[&of_model[..], &of_columns[..]].concat()));
    let read = |name: &str| fs::read_to_string(here.join("drawn").join(name)).unwrap();
    let topics = model(here, "model");
    assert_eq!(read("heatmap.svg"), topics.visualize_heatmap().svg().unwrap());
    assert_eq!(read("topics_per_class_2.svg"), topics.visualize_topics_per_class("month").svg().unwrap());
    let quarters = topics.topics_over_time_with("month", &OverTimeOptions::new().every("1q")).unwrap();
    assert_eq!(read("topics_over_time.svg"), topics.visualize_topics_over_time(&quarters).svg().unwrap());

    // Files of others stay, and figures are replaced.
    fs::write(here.join("drawn/notes.txt"), "notes").unwrap();
    fs::write(here.join("drawn/heatmap.svg"), "old").unwrap();
    done(here, "edit model --merge 0,1 --plots drawn");
    assert!(read("heatmap.svg").starts_with("<svg") && read("notes.txt") == "notes");
    // One that cannot be drawn does not stop the others.
    done(here, "edit model --save bare --save-without-documents --save-vectors none");
    let said = text(&done(here, "info bare --plots some --class group").stderr);
    assert!(said.contains("not drawn: topics_per_class.svg ("), "{said}");
    let some = names(&here.join("some"));
    assert!(some.contains("barchart.svg") && !some.contains("topics_per_class.svg"), "{some:?}");
}

#[test]
fn figures_that_one_topic_does_not_allow_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let topics = TopicModel::text("caption", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(2));
    let topics = topics.fit(&frame(40)).unwrap();
    topics.merge_topics(&[&[0, 1]]).unwrap().save(here.join("one")).unwrap();
    topics.delete_topics(&[0, 1]).unwrap().save(here.join("none")).unwrap();
    let said = text(&done(here, "info one --plots of-one").stderr);
    let why = "hierarchical_documents.svg, hierarchy.svg, heatmap.svg (there is only one topic)";
    assert!(said.contains(why) && said.contains("layers.svg ("), "{said}");
    let expected = set(&["topics", "documents", "document_datamap", "barchart", "term_rank", "topic_sizes", "quality"]);
    assert_eq!(names(&here.join("of-one")), expected);
    let said = text(&done(here, "info none --plots of-none").stderr);
    assert!(said.contains("(there are no topics)"), "{said}");
    assert_eq!(names(&here.join("of-none")), set(&["documents", "document_datamap"]));
}

#[test]
fn the_folder_of_figures_is_checked_before_the_fit() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_frame(&frame(40), here.join("in.csv")).unwrap();
    fs::write(here.join("file"), "").unwrap();
    let cases = [
        ("--plots file", "figures go to a folder, but this is a file"),
        ("--plots no/such/folder", "no/such/folder"),
        ("--save same --plots same", "this is the folder of the model"),
    ];
    for (arguments, expected) in cases {
        let said = refused(here, &format!("fit in.csv --text caption --topics t.csv {arguments}"));
        assert!(said.contains(expected), "{arguments}: {said}");
    }
    let said = refused(here, "fit in.csv --text caption --time caption");
    assert!(said.contains("--report FILE.html or --map FILE.html or --plots FOLDER is missing"), "{said}");
    let said = refused(here, "fit in.csv --text caption --plots drawn --class absent");
    assert!(said.contains("there is no column `absent`"), "{said}");
    assert_eq!(names(here), ["file", "in.csv"].map(str::to_owned).into());
}
