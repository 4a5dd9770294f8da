//! Layers of topics as a figure, and figures of real drawings, which are written to look at.

use std::path::PathBuf;
use std::sync::OnceLock;

use topicframe::polars::prelude::*;
use topicframe::prelude::*;

use crate::corpora::drawings;
use crate::figures_svg::{assert_inside, shapes};
use crate::given_topics::ints;

fn model() -> &'static FittedTopicModel {
    static MODEL: OnceLock<FittedTopicModel> = OnceLock::new();
    MODEL.get_or_init(|| TopicModel::text("caption", StaticEmbedder::builtin()).fit(&drawings()).unwrap())
}

#[test]
fn layers_are_nested() {
    let figure = model().visualize_layers().nr_topics(&[4, 9, 20]);
    let frame = figure.frame().unwrap();
    assert_eq!(frame.get_column_names(), ["Layer", "Topics", "Topic", "Parent", "Name", "Count"]);
    assert_eq!(frame.height(), 4 + 9 + 20);
    let (layers, topics, counts) = (ints(&frame, "Layer"), ints(&frame, "Topic"), ints(&frame, "Count"));
    let parents = frame.column("Parent").unwrap().i32().unwrap().to_vec();
    let levels = model().topics_at(&[4, 9, 20]).unwrap();
    let of_rows: Vec<Vec<i64>> = ["Topic_4", "Topic_9", "Topic_20"].iter().map(|name| ints(&levels, name)).collect();
    for row in 0..frame.height() {
        let layer = layers[row] as usize;
        let rows: Vec<usize> = (0..levels.height()).filter(|&at| of_rows[layer][at] == topics[row]).collect();
        assert_eq!(rows.len() as i64, counts[row]);
        match parents[row] {
            None => assert_eq!(layer, 0),
            Some(parent) => assert!(rows.iter().all(|&at| of_rows[layer - 1][at] == i64::from(parent))),
        }
    }
    assert_inside(&shapes(&figure.svg().unwrap()));
    let top = model().visualize_layers().nr_topics(&[4, 9]).top(1);
    let frame = top.frame().unwrap();
    assert!(ints(&frame, "Layer").iter().filter(|&&layer| layer == 0).count() == 1 && frame.height() > 2);
    assert!(top.svg().unwrap().contains("3 topics of the first layer not shown"));
    let json = figure.plotly_json().unwrap();
    assert_eq!(json["data"][0]["ids"].as_array().unwrap().len(), 33);
}

#[test]
fn layers_are_checked() {
    for wrong in [&[][..], &[0, 4], &[5, 4], &[4, 4]] {
        let error = model().visualize_layers().nr_topics(wrong).frame().unwrap_err();
        assert_eq!(error.parameter(), Some("nr_topics"), "{wrong:?}");
    }
    let flat = TopicModel::text("caption", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(KMeans::new(3));
    let flat = flat.fit(&drawings().head(Some(100))).unwrap();
    assert_eq!(flat.visualize_layers().frame().unwrap_err().kind(), ErrorKind::NotFound);
    assert!(flat.visualize_layers().to_html().contains("tf-error"));
}

/// Writes figures to `$TOPICFRAME_FIGURES`, to be looked at.
#[test]
#[ignore = "writes files"]
fn figures_to_look_at() {
    let Ok(folder) = std::env::var("TOPICFRAME_FIGURES").map(PathBuf::from) else { return };
    let topics = model();
    let frame = drawings();
    let years: Vec<String> =
        (0..frame.height()).map(|row| format!("20{:02}-0{}-01", 4 + row * 7 % 13, 1 + row % 9)).collect();
    let frame = frame.hstack(&[Column::new("date".into(), years)]).unwrap();
    let timed = TopicModel::text("caption", StaticEmbedder::builtin()).fit(&frame).unwrap();
    let over_time = timed.topics_over_time_with("date", &OverTimeOptions::new().every("1y")).unwrap();
    let settings = ApproximateDistribution::new();
    let new = df!("caption" => ["a sailing boat on the sea, and a bird on its mast, beside a red house with a garden of flowers, an old tree, and a dog that plays with a ball"]).unwrap();
    let tokens = topics.token_distributions_of(&new, &[0], &settings).unwrap().remove(0);
    let shares = topics.approximate_distribution_of(&new, &settings).unwrap().of(0);
    macro_rules! write {
        ($($name:literal: $figure:expr),+ $(,)?) => { $(
            let figure = $figure;
            let begun = std::time::Instant::now();
            figure.write(folder.join(concat!($name, ".svg"))).unwrap();
            figure.write(folder.join(concat!($name, ".html"))).unwrap();
            figure.write(folder.join(concat!($name, ".json"))).unwrap();
            figure.dark(true).write(folder.join(concat!($name, "-dark.svg"))).unwrap();
            println!("{}: {:?}", $name, begun.elapsed());
        )+ };
    }
    write! {
        "heatmap": topics.visualize_heatmap().n_clusters(6),
        "heatmap-10": topics.visualize_heatmap().top(10),
        "heatmap-fine": crate::figures_charts::many_topics(120).visualize_heatmap().n_clusters(12),
        "hierarchy": topics.visualize_hierarchy(),
        "hierarchy-bottom": topics.visualize_hierarchy().top(25).orientation(Orientation::Bottom),
        "hierarchy-fine": crate::figures_charts::many_topics(130).visualize_hierarchy(),
        "barchart": topics.visualize_barchart(),
        "term-rank": topics.visualize_term_rank().top(5),
        "term-rank-log": topics.visualize_term_rank().log_scale(true),
        "distribution": topics.visualize_distribution(shares),
        "over-time": timed.visualize_topics_over_time(&over_time),
        "over-time-18": timed.visualize_topics_over_time(&over_time).top(18).normalize_frequency(true),
        "per-class": topics.visualize_topics_per_class("category"),
        "per-author": topics.visualize_topics_per_class("author").normalize_frequency(true),
        "sizes": topics.visualize_topic_sizes(),
        "quality": topics.visualize_topic_quality(),
        "layers": topics.visualize_layers(),
        "tokens": topics.visualize_approximate_distribution(&tokens),
    }
}
