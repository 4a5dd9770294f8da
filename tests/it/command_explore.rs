//! Edits and tables of a saved model on the command line that the library has, too: labels, divided and deleted topics,
//! outliers, time, classes, the tree, topics within documents, and documents that are found.

use std::fs;
use std::path::Path;

use topicframe::files::{read_frame, write_frame};
use topicframe::model::{OutlierStrategy, ReduceOutliers};
use topicframe::polars::prelude::*;
use topicframe::prelude::{ApproximateDistribution, OverTimeOptions};

use crate::command_topics::{done, model, refused, same, text, topicframe};
use crate::corpora::captions;

/// A folder with `model`: documents with a month and a group, and outliers.
pub fn explored() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let rows = 216;
    let months: Vec<String> = (0..rows).map(|i| format!("2024-{:02}-15", 1 + i * 12 / rows)).collect();
    let groups: Vec<&str> = (0..rows).map(|i| if i % 3 == 0 { "a" } else { "b" }).collect();
    let numbers: Vec<i64> = (0..rows as i64).map(|i| 1000 * i).collect();
    let posts = df!("caption" => captions(rows), "month" => months, "group" => groups, "n" => numbers).unwrap();
    write_frame(&posts, folder.path().join("posts.parquet")).unwrap();
    let fit = "fit posts.parquet --text caption --n-neighbors 4 --min-cluster-size 4 --outliers 20% --save model";
    done(folder.path(), fit);
    folder
}

fn table(here: &Path, arguments: &str) -> DataFrame {
    let said = text(&done(here, &format!("{arguments} --out out.parquet")).stderr);
    assert!(said.contains("wrote table"), "{said}");
    read_frame(here.join("out.parquet")).unwrap()
}

#[test]
fn topics_are_labeled_divided_and_deleted() {
    let folder = explored();
    let here = folder.path();
    let fitted = model(here, "model");

    let output = topicframe(here, &["edit", "model", "--label", "0=Old cars", "--delete", "1,2", "--save", "labeled"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let expected = fitted.set_topic_labels([(0, "Old cars")]).unwrap().delete_topics(&[1, 2]).unwrap();
    let labeled = model(here, "labeled");
    same(&labeled, &expected);
    assert_eq!(labeled.custom_labels(), expected.custom_labels());
    assert!(text(&output.stdout).contains("Old cars") && labeled.custom_labels().len() == 1);

    done(here, "edit model --split 0=2 --save split");
    same(&model(here, "split"), &fitted.split_topic(0, 2).unwrap());

    done(here, "edit model --reduce-outliers Embeddings --max-outliers 5% --save fewer");
    let best = ReduceOutliers::new(OutlierStrategy::Embeddings).max_outliers(0.05);
    same(&model(here, "fewer"), &fitted.reduce_outliers(best).unwrap());
    done(here, "edit model --reduce-outliers distributions --save moved");
    let moved = model(here, "moved");
    same(&moved, &fitted.reduce_outliers(OutlierStrategy::Distributions).unwrap());
    assert!(moved.summary().outliers < fitted.summary().outliers);

    let cases = [
        ("--label 0", "such as 3=Cars"),
        ("--label 99=x", "there is no topic 99"),
        ("--split 0=1", "at least 2"),
        ("--delete=-1", "--delete -1 cannot be used"),
        ("--max-outliers 10%", "belongs to --reduce-outliers"),
        ("--max-outliers 2 --reduce-outliers embeddings", "--max-outliers 2 cannot be used"),
        ("--reduce-outliers guess", "distributions"),
    ];
    for (edit, expected) in cases {
        let said = refused(here, &format!("edit model {edit}"));
        assert!(said.contains(expected), "{edit}: {said}");
    }
}

#[test]
fn outliers_move_to_the_topic_with_the_largest_share_of_their_text() {
    let folder = explored();
    let fitted = model(folder.path(), "model");
    let moved = fitted.reduce_outliers(OutlierStrategy::Distributions).unwrap();
    let shares = fitted.approximate_distribution(&ApproximateDistribution::new()).unwrap();
    let mut rows = 0;
    for (row, (before, after)) in fitted.labels().into_iter().zip(moved.labels()).enumerate() {
        let of_row = shares.of(row);
        let largest = of_row.iter().map(|&(_, share)| share).fold(0.0, f64::max);
        if before != -1 {
            continue;
        }
        rows += 1;
        let now = moved.history().last().map(|edit| {
            let best = of_row.iter().find(|&&(_, share)| share == largest).map_or(-1, |&(topic, _)| topic);
            if best == -1 { -1 } else { edit.successor(best) }
        });
        assert_eq!(now, Some(after), "row {row}");
        assert!(after == -1 || (moved.probabilities()[row] - largest).abs() < 1e-12, "row {row}");
    }
    assert!(rows > 20, "{rows} outliers are too few for this test");
}

#[test]
fn time_classes_and_the_tree_are_tables() {
    let folder = explored();
    let here = folder.path();
    let fitted = model(here, "model");

    let monthly = OverTimeOptions::new().every("1q");
    let expected = fitted.topics_over_time_with("month", &monthly).unwrap();
    assert!(table(here, "over-time model --column month --every 1q").equals_missing(&expected.frame()));
    let trends = table(here, "over-time model --column month --every 1q --emerging");
    assert!(trends.equals_missing(&expected.emerging_topics().unwrap()));
    let classes = table(here, "per-class model --column group");
    assert!(classes.equals_missing(&fitted.topics_per_class("group").unwrap()));

    let tree = fitted.hierarchical_topics().unwrap();
    assert!(table(here, "hierarchy model").equals_missing(&tree.frame().unwrap()));
    let said = text(&done(here, "hierarchy model").stdout);
    assert_eq!(said.lines().count(), tree.get_topic_tree().lines().count());
    let single = table(here, "hierarchy model --by vectors --linkage Single");
    assert!(!single.equals_missing(&tree.frame().unwrap()) && single.height() == tree.frame().unwrap().height());

    // What is too small to print is not 0, and files have all digits.
    let said = text(&done(here, "per-class model --column group").stdout);
    assert!(said.contains("<0.001"), "{said}");
    let least = classes.column("P_value").unwrap().f64().unwrap().min().unwrap();
    assert!(least > 0.0 && least < 0.001, "{least}");
    // What is blank is explained.
    let output = done(here, "over-time model --column month --nr-bins 2 --emerging");
    let said = text(&output.stderr);
    assert!(said.contains("at least 3 bins of time, and there are 2") && said.contains("--every"), "{said}");
    let said = text(&done(here, "over-time model --column month --every 1q --emerging").stderr);
    assert!(!said.contains("bins of time"), "{said}");
    let same: Vec<&str> = vec!["a"; 216];
    let mut posts = read_frame(here.join("posts.parquet")).unwrap();
    posts.with_column(Column::new("group".into(), same)).unwrap();
    write_frame(&posts, here.join("same.parquet")).unwrap();
    done(here, "fit same.parquet --text caption --save same");
    let said = text(&done(here, "per-class same --column group").stderr);
    assert!(said.contains("nothing to compare"), "{said}");

    let cases = [
        ("over-time model", "--column"),
        ("over-time model --column month --embedder builtin", "there is no option --embedder"),
        ("over-time model --column group", "--format"),
        ("over-time model --column n --format %Y", "Leave out --format"),
        ("over-time model --column n --every 1i --empty-bins", "--every 1i makes more than 100000 bins"),
        ("over-time model --column absent", "absent"),
        ("over-time model --column caption", "caption"),
        ("over-time model --column month --every 1x", "1x"),
        ("over-time model --column month --every 1mo --nr-bins 3", "cannot be used together"),
        ("per-class model --column absent", "absent"),
        ("hierarchy model --linkage median", "ward, average, complete or single"),
        ("hierarchy model --out model/x.csv", "folder of the model"),
    ];
    for (arguments, expected) in cases {
        let said = refused(here, arguments);
        assert!(said.contains(expected), "{arguments}: {said}");
    }
}

#[test]
fn topics_within_documents_and_documents_are_found() {
    let folder = explored();
    let here = folder.path();
    let fitted = model(here, "model");
    let settings = ApproximateDistribution::new().window(3).padding(true);
    let expected = fitted.approximate_distribution(&settings).unwrap().to_frame().unwrap();
    assert!(table(here, "distribution model --window 3 --padding").equals_missing(&expected));
    let new = table(here, "distribution model --window 3 --padding --documents posts.parquet");
    assert!(new.equals_missing(&expected));
    assert!(refused(here, "distribution model --window 0").contains("--window 0 cannot be used"));

    let found = table(here, "find model horse --documents --top-n 3");
    assert_eq!(found.height(), 3);
    let rows = |frame: &DataFrame| frame.column("Row").unwrap().cast(&DataType::Int64).unwrap();
    assert_eq!(rows(&found), rows(&fitted.find_documents("horse", 3).unwrap()));
    let of_topic = table(here, "find model horse --documents --top-n 3 --topic 0");
    assert!(of_topic.column("Topic").unwrap().i32().unwrap().iter().all(|topic| topic == Some(0)));
    let similar = table(here, "find model --similar-to 0 --top-n 2");
    assert!(similar.equals_missing(&fitted.similar_topics(0, 2).unwrap()));
    let said = refused(here, "find model horse --topic 0");
    assert!(said.contains("--topic is for documents") && said.contains("Add --documents"), "{said}");
    // What the command says is about its own options.
    std::fs::write(here.join("no.png"), "no image").unwrap();
    for arguments in ["find model --image no.png", "find model --image no.png --documents"] {
        let said = refused(here, arguments);
        assert!(said.contains("supports texts only") && !said.contains("--embeddings"), "{said}");
    }
    assert!(refused(here, "find model horse --similar-to 0").contains("together"));
}

#[test]
fn the_report_has_the_columns_that_are_named() {
    let folder = explored();
    let here = folder.path();
    let fitted = model(here, "model");
    let report = fitted.report().time_with("month", OverTimeOptions::new().every("1q")).class("group").class("month");
    let expected = report.to_html().unwrap().into_string();
    let columns = "--time month --every 1q --class group --class month";
    done(here, &format!("info model --report info.html {columns}"));
    let said = fs::read_to_string(here.join("info.html")).unwrap();
    assert!(said == expected && said.contains("4 bins of 1 quarter") && said.contains("Topics by"));
    let fit = "fit posts.parquet --text caption --n-neighbors 4 --min-cluster-size 4 --outliers 20% --report fit.html";
    done(here, &format!("{fit} {columns}"));
    let page = |text: &str| text.split("<dt>Embedding</dt>").next().unwrap().to_owned();
    assert_eq!(page(&fs::read_to_string(here.join("fit.html")).unwrap()), page(&expected));
    done(here, "edit model --merge 0,1 --report edit.html --class group");
    assert!(fs::read_to_string(here.join("edit.html")).unwrap().contains("id=\"class-0\""));

    // A fit does not start.
    let cases = [
        ("--time absent", "The columns are `caption`, `month`, `group`"),
        ("--class absent", "there is no column `absent`"),
        ("--time caption", "is not a date in a format that is recognized (column `caption`, row 0)"),
        ("--time month --every 1x", "--every 1x cannot be used"),
        ("--time month --every 12h", "--every 12h cannot be used"),
        ("--time month --every 1mo --nr-bins 3", "cannot be used together"),
        ("--time month --format %d.%m.%Y", "`2024-01-15` is not a date in the format `%d.%m.%Y`"),
        ("--every 1mo", "--time COLUMN is missing"),
    ];
    for (arguments, expected) in cases {
        let said =
            refused(here, &format!("fit posts.parquet --text caption --report no.html --topics no.csv {arguments}"));
        assert!(said.contains(expected), "{arguments}: {said}");
        assert!(!here.join("no.html").exists() && !here.join("no.csv").exists(), "{arguments}");
    }
    assert!(
        refused(here, "fit posts.parquet --text caption --time month")
            .contains("--report FILE.html or --map FILE.html or --plots")
    );
    let said = refused(here, "info model --report no.html --time absent");
    assert!(said.contains("The columns are `caption`, `month`, `group`"), "{said}");
    done(here, "edit model --save bare --save-without-documents");
    let said = refused(here, "info bare --report no.html --class group");
    assert!(said.contains("needs the documents of the fit"), "{said}");
}

#[test]
fn what_a_model_lacks_is_said_in_the_words_of_the_command() {
    let folder = explored();
    let here = folder.path();
    done(here, "edit model --save without --save-without-documents");
    for command in ["over-time without --column month", "per-class without --column group", "distribution without"] {
        let said = refused(here, command);
        assert!(said.contains("needs the documents") && said.contains("--save-without-documents"), "{said}");
        assert!(!said.contains("topics_") && !said.contains("approximate_") && !said.contains("()"), "{said}");
    }
    done(here, "hierarchy without");
    done(here, "edit model --save bare --save-without-documents --save-vectors none");
    done(here, "edit model --save light --save-vectors none");
    for command in ["edit bare --merge 0,1", "find bare horse --documents", "edit light --merge 0,1"] {
        let said = refused(here, command);
        assert!(said.contains("needs the") && said.contains("--save-vectors none"), "{said}");
        assert!(!said.contains('_') && !said.contains("()"), "{said}");
    }
    // How many parts are possible.
    let fitted = model(here, "model");
    let said = refused(here, "edit model --split 0=1000");
    let rows = format!("it has {} documents", fitted.topic_size(0).unwrap());
    assert!(said.contains(&rows) && said.contains("parts are possible") && !said.contains("settings"), "{said}");
    let possible = said.split("Up to ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
    done(here, &format!("edit model --split 0={possible}"));
}
