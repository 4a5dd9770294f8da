//! Figures of documents and topics in the plane.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use topicframe::error::ErrorKind;
use topicframe::prelude::*;

use crate::corpora::frame;

fn topics() -> FittedTopicModel {
    let texts = TopicModel::text("caption", StaticEmbedder::builtin());
    texts.reducer(NoReduction).clusterer(KMeans::new(3)).fit(&frame(90)).unwrap()
}

/// A model of `rows` rows in a given plane, `topics` clouds in rows of six.
pub fn in_the_plane(rows: usize, topics: usize) -> FittedTopicModel {
    let noise = |seed: usize| (seed.wrapping_mul(2_654_435_761) >> 7 & 0xffff) as f32 / 65_536.0 - 0.5;
    let cloud = |row: usize| [((row % topics) % 6) as f32 * 9.0, ((row % topics) / 6) as f32 * 9.0];
    let at = |row: usize, axis: usize| {
        let sum: f32 = (0..4).map(|number| noise(row * 8 + axis * 4 + number)).sum();
        cloud(row)[axis] + 2.2 * sum
    };
    let vectors: Vec<Series> = (0..rows).map(|row| Series::new("".into(), [at(row, 0), at(row, 1), 1.0])).collect();
    let texts: Vec<String> = (0..rows).map(|row| format!("word{} thing{0}x", row % topics)).collect();
    let x: Vec<f32> = (0..rows).map(|row| at(row, 0)).collect();
    let y: Vec<f32> = (0..rows).map(|row| at(row, 1)).collect();
    let classes: Vec<i32> = (0..rows).map(|row| (row % topics) as i32).collect();
    let frame = df!("text" => texts, "v" => vectors, "class" => classes).unwrap();
    let model = TopicModel::text("text", NoEmbedder).embeddings("v").reducer(NoReduction);
    let model = model.clusterer(KMeans::new(topics).n_runs(2));
    model.fit(&frame).unwrap().with_layout_2d(&df!("x" => x, "y" => y).unwrap()).unwrap()
}

/// The elements of a well-formed drawing: names and attributes. Panics where it is not, or has what a sanitizer removes.
fn elements(svg: &str) -> Vec<(String, BTreeMap<String, String>)> {
    let (mut open, mut found, mut rest) = (Vec::new(), Vec::new(), svg);
    while let Some(start) = rest.find('<') {
        assert!(!rest[..start].contains('>'), "{}", &rest[..start]);
        let end = rest[start..].find('>').expect("an element that does not end") + start;
        let inside = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = inside.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name));
            continue;
        }
        let (inside, closed) = inside.strip_suffix('/').map_or((inside, false), |inside| (inside, true));
        let (name, mut attributes) = inside.split_once(' ').unwrap_or((inside, ""));
        assert!(["svg", "g", "title", "rect", "circle", "line", "path", "text", "image"].contains(&name), "<{name}>");
        let mut of_element = BTreeMap::new();
        while let Some((key, after)) = attributes.trim_start().split_once("=\"") {
            let (value, after) = after.split_once('"').unwrap();
            assert!(!value.contains('<'));
            assert!(!["style", "class", "id"].contains(&key) && !key.starts_with("on"), "{key}");
            assert!(key != "href" || value.starts_with("data:image/"), "{value:.50}");
            assert!(key == "xmlns" || !value.contains("://") && !value.contains("url("), "{value:.50}");
            assert!(of_element.insert(key.to_owned(), value.to_owned()).is_none());
            attributes = after;
        }
        assert_eq!(attributes.trim(), "");
        if !closed {
            open.push(name.to_owned());
        }
        found.push((name.to_owned(), of_element));
    }
    assert!(open.is_empty(), "{open:?}");
    found
}

fn pictures(svg: &str) -> Vec<image::RgbaImage> {
    let hrefs = elements(svg).into_iter().filter_map(|(_, mut attributes)| attributes.remove("href"));
    hrefs
        .map(|href| {
            let bytes = STANDARD.decode(href.strip_prefix("data:image/png;base64,").unwrap()).unwrap();
            image::load_from_memory(&bytes).unwrap().to_rgba8()
        })
        .collect()
}

#[test]
fn maps_are_well_formed_light_and_dark() {
    let topics = topics();
    let of = |svg: Result<String, Error>| elements(&svg.unwrap());
    for dark in [false, true] {
        let map = of(topics.visualize_documents().dark(dark).svg());
        assert_eq!(map.iter().filter(|(name, _)| name == "image").count(), 1);
        assert!(map.iter().filter(|(name, _)| name == "text").count() > 3);
        let beside = of(topics.visualize_document_datamap().dark(dark).svg());
        assert_eq!(beside.iter().filter(|(name, _)| name == "line").count(), 3);
        let bubbles = of(topics.visualize_topics().dark(dark).svg());
        assert_eq!(bubbles.iter().filter(|(name, _)| name == "circle").count(), 6);
        let levels = of(topics.visualize_hierarchical_documents().dark(dark).svg());
        assert_eq!(levels.iter().filter(|(name, _)| name == "image").count(), 1);
    }
    let colors = |dark: bool| {
        let svg = topics.visualize_documents().dark(dark).svg().unwrap();
        let picture = pictures(&svg).remove(0);
        picture.pixels().filter(|pixel| pixel.0[3] > 200).map(|pixel| pixel.0).collect::<BTreeSet<[u8; 4]>>()
    };
    assert!(colors(false).len() >= 3 && colors(false).is_disjoint(&colors(true)));
    assert!(!topics.visualize_documents().hide_annotations(true).svg().unwrap().contains("animals"));
}

#[test]
fn the_frame_of_a_map_has_its_points() {
    let topics = topics();
    let map = topics.visualize_documents().frame().unwrap();
    assert_eq!(map.get_column_names(), ["row", "x", "y", "Topic", "Name", "Probability"]);
    let plane = topics.layout_2d().unwrap();
    for name in ["x", "y"] {
        assert!(map.column(name).unwrap().equals(plane.column(name).unwrap()));
    }
    assert_eq!(
        map.column("Topic").unwrap().i32().unwrap().to_vec(),
        topics.labels().into_iter().map(Some).collect::<Vec<_>>()
    );
    // A tenth of each topic of 30, and always the same.
    let sample = topics.visualize_documents().sample(0.1);
    let sampled = sample.frame().unwrap();
    assert_eq!(sampled.height(), 9);
    assert!(sampled.equals_missing(&sample.frame().unwrap()));
    for topic in 0..3 {
        assert_eq!(sampled.column("Topic").unwrap().i32().unwrap().iter().filter(|&of| of == Some(topic)).count(), 3);
    }
    assert!(sample.svg().unwrap().contains("a sample of 9 of 90 documents"));
    for share in [0.0, 1.1, f64::NAN] {
        assert_eq!(topics.visualize_documents().sample(share).frame().unwrap_err().kind(), ErrorKind::InvalidParameter);
    }
    assert_eq!(topics.visualize_documents().topics(&[9]).frame().unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn other_topics_and_outliers_are_gray_and_counted() {
    let topics = topics().with_outliers(0.2).unwrap();
    let outliers = topics.topic_size(-1).unwrap();
    let svg = topics.visualize_documents().topics(&[1]).svg().unwrap();
    let others = topics.topic_size(0).unwrap() + topics.topic_size(2).unwrap();
    assert!(svg.contains(&format!("gray: {outliers} outliers, {others} documents of other topics")));
    let gray = [0xa3, 0xab, 0xb4];
    let picture = pictures(&svg).remove(0);
    let share = |is: fn(bool) -> bool| {
        picture.pixels().filter(|pixel| pixel.0[3] > 100 && is(pixel.0[..3] == gray)).count() as f64
    };
    let ratio = share(|gray| gray) / share(|gray| !gray);
    assert!((1.0..4.0).contains(&ratio), "{ratio}");
}

#[test]
fn topics_are_where_their_points_are() {
    let topics = in_the_plane(1_800, 18);
    let bubbles = topics.visualize_topics().frame().unwrap();
    assert_eq!(bubbles.get_column_names(), ["Topic", "x", "y", "Count", "Name", "Words"]);
    let value = |name: &str, row: usize| bubbles.column(name).unwrap().f64().unwrap().get(row).unwrap();
    for row in 0..18 {
        // k-means has found the clouds, whose middles are multiples of 9.
        for name in ["x", "y"] {
            let at = value(name, row);
            assert!((at - (at / 9.0).round() * 9.0).abs() < 1.5, "{name} {at}");
        }
    }
    assert_eq!(bubbles.column("Count").unwrap().u32().unwrap().iter().flatten().sum::<u32>(), 1_800);
    // Neighbors have different colors, in the order of the elements: disc and circle of each topic.
    let svg = topics.visualize_topics().svg().unwrap();
    let colors: BTreeSet<String> = elements(&svg)
        .into_iter()
        .filter(|(name, attributes)| name == "circle" && attributes.contains_key("fill-opacity"))
        .map(|(_, attributes)| attributes["fill"].clone())
        .collect();
    assert!(colors.len() >= 6, "{colors:?}");
}

#[test]
fn many_points_take_little_space() {
    let topics = in_the_plane(20_000, 60);
    let drawn = [
        (topics.visualize_documents().svg().unwrap(), 400_000),
        (topics.visualize_document_datamap().svg().unwrap(), 300_000),
        (topics.visualize_hierarchical_documents().nr_levels(2).svg().unwrap(), 300_000),
        (topics.visualize_topics().svg().unwrap(), 45_000),
    ];
    for (svg, most) in &drawn {
        assert!(svg.len() < *most, "{} bytes instead of {most}", svg.len());
    }
    assert!(drawn[1].0.contains("without a label, which would not fit"));
}

#[test]
fn levels_merge_as_the_tree_does() {
    let topics = in_the_plane(600, 12);
    let tree = topics.hierarchical_topics().unwrap();
    let figure = topics.visualize_hierarchical_documents().hierarchical_topics(&tree).nr_levels(4);
    let frame = figure.frame().unwrap();
    // 10 merges, without the one that leaves one topic, in lists of 3, 3, 2 and 2.
    for (level, merge) in [("Level_1", 2), ("Level_2", 5), ("Level_3", 7), ("Level_4", 9)] {
        let groups = tree.groups(tree.merges()[merge].distance).unwrap();
        let of_rows = frame.column(level).unwrap().i32().unwrap();
        assert_eq!(of_rows.iter().collect::<BTreeSet<_>>().len(), groups.len(), "{level}");
        for (of_row, topic) in of_rows.iter().zip(topics.labels()) {
            let group = groups.iter().find(|group| group.contains(&topic)).unwrap();
            match tree.merge(of_row.unwrap()) {
                Some(merge) => assert_eq!(&merge.topics, group),
                None => assert_eq!(group[..], [of_row.unwrap()]),
            }
        }
    }
    for levels in [0, 31] {
        let error = topics.visualize_hierarchical_documents().nr_levels(levels).frame().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter);
    }
    let other = in_the_plane(60, 3).hierarchical_topics().unwrap();
    let error = topics.visualize_hierarchical_documents().hierarchical_topics(&other).frame().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
}

#[test]
fn few_topics_or_none_are_drawn() {
    for count in [1, 2] {
        let topics = in_the_plane(40, count);
        elements(&topics.visualize_documents().svg().unwrap());
        elements(&topics.visualize_document_datamap().svg().unwrap());
        elements(&topics.visualize_topics().svg().unwrap());
        elements(&topics.visualize_hierarchical_documents().svg().unwrap());
    }
    let none = topics().delete_topics(&[0, 1, 2]).unwrap();
    assert_eq!(none.topic_ids(), [-1]);
    elements(&none.visualize_documents().svg().unwrap());
    elements(&none.visualize_topics().svg().unwrap());
    elements(&none.visualize_hierarchical_documents().svg().unwrap());
    assert_eq!(none.visualize_topics().frame().unwrap().height(), 0);
}

#[test]
fn hostile_labels_stay_text() {
    let hostile = "</text><script>alert(1)</script>\" onload=\"x &amp; \u{202E}".repeat(30);
    let topics = topics().set_topic_labels([(0, hostile.as_str()), (1, "\u{0}"), (2, "שלום 世界")]).unwrap();
    for svg in [
        topics.visualize_documents().svg(),
        topics.visualize_document_datamap().svg(),
        topics.visualize_topics().svg(),
        topics.visualize_hierarchical_documents().svg(),
    ] {
        elements(&svg.unwrap());
    }
    let plotly = topics.visualize_documents().plotly_json().unwrap().to_string();
    assert!(!plotly.contains("<script>"));
}

#[test]
fn drawings_are_the_same_for_any_number_of_threads() {
    let all = |topics: &FittedTopicModel| {
        [
            topics.visualize_documents().svg().unwrap(),
            topics.visualize_document_datamap().svg().unwrap(),
            topics.visualize_topics().svg().unwrap(),
            topics.visualize_hierarchical_documents().svg().unwrap(),
        ]
    };
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| all(&topics()))
    };
    assert_eq!(on(1), on(3));
}

/// Draws a real model into a folder, to be looked at: `TOPICFRAME_LOOK=folder`, with a file of texts in `TOPICFRAME_TEXTS`.
#[test]
#[ignore = "draws files to be looked at"]
fn maps_to_be_looked_at() {
    let Some(folder) = std::env::var_os("TOPICFRAME_LOOK").map(std::path::PathBuf::from) else { return };
    let drawings = crate::corpora::drawings().drop_nulls(Some(["caption"].as_slice())).unwrap();
    let mut models = vec![("drawings", TopicModel::text("caption", StaticEmbedder::builtin()).fit(&drawings).unwrap())];
    if let Some(path) = std::env::var_os("TOPICFRAME_TEXTS") {
        let posts = topicframe::files::read_csv(path).unwrap();
        let model = TopicModel::text("text_stripped", StaticEmbedder::builtin());
        models.push(("posts", model.clone().fit(&posts).unwrap()));
        models.push(("many", model.nr_topics(120).fit(&posts).unwrap()));
    }
    // Layouts with other distances, to compare.
    let (_, drawn) = &models[0];
    let frame = drawn.fitted_frame().unwrap();
    let vectors = topicframe::corpus::Embeddings::read(&frame, "embedding").unwrap();
    let rows: Vec<usize> = (0..frame.height()).filter(|&row| vectors.has(row)).collect();
    for distance in [0.0, 0.1, 0.25, 0.5] {
        let umap = Umap::new().n_components(2).min_dist(distance);
        let fitted = umap.fit_layout(vectors.of_rows(&rows).unwrap(), 42, &Progress::silent()).unwrap();
        let mut points = vec![None; frame.height()];
        for (&row, at) in rows.iter().zip(fitted.embedding().outer_iter()) {
            points[row] = Some((at[0], at[1]));
        }
        let axis = |axis: fn((f32, f32)) -> f32| points.iter().map(|at| at.map(axis)).collect::<Vec<Option<f32>>>();
        let layout = df!("x" => axis(|at| at.0), "y" => axis(|at| at.1)).unwrap();
        let html = drawn.with_layout_2d(&layout).unwrap().visualize_documents().html().unwrap();
        std::fs::write(folder.join(format!("distance_{distance}.html")), html.as_str()).unwrap();
    }
    for (name, topics) in models {
        let write = |figure: &str, svg: Result<Html, Error>| {
            let begun = std::time::Instant::now();
            let html = svg.unwrap();
            println!("{name} {figure}: {} kB, {:?}", html.len() / 1000, begun.elapsed());
            std::fs::write(folder.join(format!("{name}_{figure}.html")), html.as_str()).unwrap();
        };
        let begun = std::time::Instant::now();
        topics.layout_2d().unwrap();
        println!("{name}: layout of {} rows {:?}", topics.labels().len(), begun.elapsed());
        topics.visualize_documents().write(folder.join(format!("{name}.csv"))).unwrap();
        topics.visualize_topics().write(folder.join(format!("{name}_topics.csv"))).unwrap();
        write("documents", topics.visualize_documents().html());
        write("documents_dark", topics.visualize_documents().dark(true).html());
        write("datamap", topics.visualize_document_datamap().html());
        write("topics", topics.visualize_topics().html());
        write("topics_dark", topics.visualize_topics().dark(true).html());
        write("levels", topics.visualize_hierarchical_documents().html());
    }
}
