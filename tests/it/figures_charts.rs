//! Figures that are charts: their numbers are those of the model's tables and of BERTopic 0.17.4's figures
//! (tests/fixtures/figures/make.py), and their drawings are harmless.

use std::sync::OnceLock;

use serde_json::Value;
use topicframe::polars::prelude::*;
use topicframe::prelude::*;

use crate::figures_svg::{assert_inside, shapes};
use crate::given_topics::{fit, fitted, floats, ints, list, strings};
use crate::html::HOSTILE;

pub fn theirs() -> &'static Value {
    static FIXTURE: OnceLock<Value> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/figures/figures.json");
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    })
}

fn near(a: &[f64], b: &[f64], within: f64) {
    assert_eq!(a.len(), b.len());
    for (at, (a, b)) in a.iter().zip(b).enumerate() {
        assert!((a - b).abs() <= within, "{at}: {a} {b}");
    }
}

fn numbers(frame: &DataFrame, column: &str) -> Vec<f64> {
    floats(frame, column).into_iter().map(Option::unwrap).collect()
}

/// The rows of a frame with this number in a column.
fn of_topic(frame: &DataFrame, topic: i64) -> Vec<usize> {
    let topics = ints(frame, "Topic");
    (0..topics.len()).filter(|&row| topics[row] == topic).collect()
}

#[test]
fn a_heat_map_has_bertopics_similarities() {
    let theirs = &theirs()["heatmap"];
    let figure = fitted().visualize_heatmap();
    let frame = figure.frame().unwrap();
    assert_eq!(frame.get_column_names(), ["Topic_a", "Topic_b", "Name_a", "Name_b", "Similarity"]);
    assert_eq!(ints(&frame, "Topic_a")[..7], [0, 0, 0, 0, 0, 0, 1]);
    assert_eq!(strings(&frame, "Name_b")[2], fitted().topic_label(2).unwrap());
    near(&numbers(&frame, "Similarity"), &list::<Vec<f64>>(&theirs["vectors"]).concat(), 1e-6);
    let by_words = fitted().visualize_heatmap().use_ctfidf(true).frame().unwrap();
    near(&numbers(&by_words, "Similarity"), &list::<Vec<f64>>(&theirs["c_tf_idf"]).concat(), 1e-8);
    let clustered = fitted().visualize_heatmap().n_clusters(3).frame().unwrap();
    let order: Vec<i64> = list(&theirs["clusters"]["topics"]);
    assert_eq!(ints(&clustered, "Topic_b")[..6], order[..]);
    near(&numbers(&clustered, "Similarity"), &list::<Vec<f64>>(&theirs["clusters"]["values"]).concat(), 1e-6);
    // BERTopic shows the vectors of other topics if some are selected; here, they are the same numbers.
    let some = fitted().visualize_heatmap().topics(&[4, 1]).frame().unwrap();
    let all: Vec<Vec<f64>> = list(&theirs["vectors"]);
    near(&numbers(&some, "Similarity"), &[all[4][4], all[4][1], all[1][4], all[1][1]], 1e-6);
}

#[test]
fn a_heat_map_shows_cells_or_an_image() {
    let figure = fitted().visualize_heatmap();
    let drawn = shapes(&figure.svg().unwrap());
    let titles: Vec<&str> = drawn.iter().filter(|shape| shape.name == "title").map(|shape| &*shape.text).collect();
    assert!(titles.iter().any(|title| title.starts_with("0 – 5: ")), "{titles:?}");
    assert_eq!(drawn.iter().filter(|shape| shape.name == "image").count(), 0);
    let many = many_topics(45);
    let drawn = shapes(&many.visualize_heatmap().svg().unwrap());
    let images: Vec<_> = drawn.iter().filter(|shape| shape.name == "image").collect();
    assert_eq!(images.len(), 2, "the matrix and the ramp");
    assert!(images.iter().all(|image| image.attributes["image-rendering"] == "pixelated"));
    let pixels = |shape: &crate::figures_svg::Shape| {
        let encoded = shape.attributes["href"].split_once(',').unwrap().1.to_owned();
        let bytes = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, encoded).unwrap();
        image::load_from_memory(&bytes).unwrap().to_rgb8()
    };
    let matrix = pixels(images[0]);
    assert_eq!(matrix.dimensions(), (45, 45));
    // Similar topics are darker.
    let frame = many.visualize_heatmap().frame().unwrap();
    let values = numbers(&frame, "Similarity");
    let light = |a: usize, b: usize| matrix.get_pixel(b as u32, a as u32).0.iter().map(|&c| u32::from(c)).sum::<u32>();
    let mut pairs: Vec<(usize, usize)> = (0..45).flat_map(|a| (0..a).map(move |b| (a, b))).collect();
    pairs.sort_by(|x, y| values[45 * x.0 + x.1].total_cmp(&values[45 * y.0 + y.1]));
    assert!(pairs.windows(2).all(|two| light(two[0].0, two[0].1) >= light(two[1].0, two[1].1)));
}

/// Topics of two rows each, `w0` to `w...`.
pub fn many_topics(count: usize) -> FittedTopicModel {
    let texts: Vec<String> = (0..count).flat_map(|topic| vec![format!("w{topic} x{}", topic % 7); 2]).collect();
    let labels: Vec<i32> = (0..2 * count as i32).map(|row| row / 2).collect();
    fit(df!("text" => texts).unwrap(), &labels)
}

#[test]
fn bars_and_ranks_are_bertopics() {
    let frame = fitted().visualize_barchart().topics(&[3, 0]).n_words(4).frame().unwrap();
    let bars: Vec<(Vec<f64>, Vec<String>)> = list(&theirs()["barchart"]);
    for (topic, (scores, words)) in [3, 0].into_iter().zip(bars) {
        let rows = of_topic(&frame, topic);
        let (own, own_words) = (numbers(&frame, "Score"), strings(&frame, "Word"));
        // The best is the last there.
        near(&rows.iter().rev().map(|&row| own[row]).collect::<Vec<_>>(), &scores, 1e-8);
        assert_eq!(rows.iter().rev().map(|&row| own_words[row].clone()).collect::<Vec<_>>(), trimmed(&words));
    }
    let frame = fitted().visualize_term_rank().frame().unwrap();
    assert_eq!(frame.get_column_names(), ["Topic", "Name", "Rank", "Word", "Score"]);
    let lines: Vec<(Vec<String>, Vec<f64>)> = list(&theirs()["term_rank"]);
    assert_eq!(lines.len(), 7, "-1 is a topic here");
    for (topic, (ranks, scores)) in (-1..).zip(&lines) {
        // The fixture has five words of each.
        let rows = &of_topic(&frame, topic)[..5];
        near(&rows.iter().map(|&row| numbers(&frame, "Score")[row]).collect::<Vec<_>>(), scores, 1e-8);
        let own: Vec<String> = rows.iter().map(|&row| ints(&frame, "Rank")[row].to_string()).collect();
        assert_eq!(&own, ranks);
    }
    let plotly = fitted().visualize_term_rank().log_scale(true).plotly_json().unwrap();
    for (line, (_, logarithms)) in
        plotly["data"].as_array().unwrap().iter().zip(list::<(Vec<String>, Vec<f64>)>(&theirs()["term_rank_log"]))
    {
        near(&list::<f64>(&line["y"])[..5], &logarithms, 1e-8);
    }
}

fn trimmed(words: &[String]) -> Vec<String> {
    words.iter().map(|word| word.trim().to_owned()).collect()
}

#[test]
fn ranks_color_the_topics_that_are_chosen() {
    let colors = |figure: &Figure<TermRank>| {
        let drawn = shapes(&figure.svg().unwrap());
        let lines = drawn.into_iter().filter(|shape| shape.name == "path");
        lines.filter(|line| line.attributes["stroke-width"] == "2").count()
    };
    assert_eq!(colors(&fitted().visualize_term_rank()), 0);
    assert_eq!(colors(&fitted().visualize_term_rank().topics(&[2, -1])), 2);
    assert_eq!(colors(&fitted().visualize_term_rank().top(3).log_scale(true)), 3);
    let text = fitted().visualize_term_rank().topics(&[2]).svg().unwrap();
    assert!(text.contains(&format!(">{}</text>", fitted().topic_label(2).unwrap())), "a label beside the line");
}

#[test]
fn shares_of_a_document_are_bertopics() {
    let shares = [0.4, 0.01, 0.2, 0.015, 0.0, 0.3];
    let figure = fitted().visualize_distribution((0..).zip(shares));
    let frame = figure.frame().unwrap();
    let (values, _) = list::<(Vec<f64>, Vec<String>)>(&theirs()["distribution"]).remove(0);
    let mut largest_first = values;
    largest_first.sort_by(|a, b| b.total_cmp(a));
    near(&numbers(&frame, "Probability"), &largest_first, 0.0);
    assert_eq!(ints(&frame, "Topic"), [0, 5, 2, 3]);
    assert!(figure.svg().unwrap().contains("1 smaller share not shown"));
    assert_eq!(figure.clone().min_probability(0.25).frame().unwrap().height(), 2);
    assert_eq!(figure.clone().min_probability(0.0).frame().unwrap().height(), 5, "not those of 0");
    assert_eq!(ints(&figure.clone().topics(&[2, 1, 4]).frame().unwrap(), "Topic"), [2]);
    assert_eq!(ints(&figure.clone().top(1).frame().unwrap(), "Topic"), [0]);
    assert_eq!(figure.min_probability(1.5).frame().unwrap_err().parameter(), Some("min_probability"));
    let none = fitted().visualize_distribution(Vec::new());
    assert!(none.svg().unwrap().contains("No topic has a share of at least 0.015."));
    assert_eq!(fitted().visualize_distribution([(9, 0.5)]).frame().unwrap_err().kind(), ErrorKind::NotFound);
    for wrong in [(0, f64::NAN), (0, -0.1)] {
        assert_eq!(fitted().visualize_distribution([wrong]).frame().unwrap_err().kind(), ErrorKind::InvalidData);
    }
}

#[test]
fn lines_over_time_are_bertopics() {
    let over_time = fitted().topics_over_time("year").unwrap();
    let table = over_time.frame();
    for (name, normalize) in [("over_time", false), ("over_time_normalized", true)] {
        let figure = fitted().visualize_topics_over_time(&over_time).normalize_frequency(normalize);
        let frame = figure.frame().unwrap();
        assert_eq!(frame.get_column_names(), ["Topic", "Name", "Timestamp", "Frequency", "Value", "Words"]);
        let lines: Vec<(Vec<String>, Vec<f64>)> = list(&theirs()[name]);
        assert_eq!(lines.len(), 6);
        let (years, values) = (ints(&frame, "Timestamp"), numbers(&frame, "Value"));
        for (topic, (times, expected)) in (0..).zip(lines) {
            let rows = of_topic(&frame, topic);
            // BERTopic's lines have no point where a topic does not occur.
            let there: Vec<usize> = rows.iter().copied().filter(|&row| values[row] > 0.0).collect();
            assert_eq!(there.iter().map(|&row| years[row].to_string()).collect::<Vec<_>>(), times);
            near(&there.iter().map(|&row| values[row]).collect::<Vec<_>>(), &expected, 1e-8);
            assert_eq!(rows.iter().map(|&row| years[row]).collect::<Vec<_>>(), [2000, 2001, 2002, 2003, 2004]);
        }
    }
    let frame = fitted().visualize_topics_over_time(&over_time).top(1).frame().unwrap();
    let first = of_topic(&table, 0)[0];
    assert_eq!(strings(&frame, "Words")[0], strings(&table, "Words")[first]);
    assert_eq!(strings(&frame, "Name")[0], fitted().topic_label(0).unwrap());
}

#[test]
fn lines_over_time_are_at_most_eighteen() {
    let rows = 25 * 4;
    let texts: Vec<String> = (0..rows).map(|row| format!("w{}", row / 4)).collect();
    let labels: Vec<i32> = (0..rows as i32).map(|row| row / 4).collect();
    let dates: Vec<String> = (0..rows).map(|row| format!("2024-0{}-15", 1 + row % 4)).collect();
    let classes: Vec<&str> = (0..rows).map(|row| ["a", "b"][row % 2]).collect();
    let topics = fit(df!("text" => texts, "date" => dates, "class" => classes).unwrap(), &labels);
    let over_time = topics.topics_over_time("date").unwrap();
    let figure = topics.visualize_topics_over_time(&over_time).top(25);
    let svg = figure.svg().unwrap();
    let drawn = shapes(&svg);
    assert_inside(&drawn);
    let lines: Vec<_> =
        drawn.iter().filter(|shape| shape.attributes.get("stroke-width").is_some_and(|w| w == "2")).collect();
    assert_eq!(lines.len(), 18);
    let mut colors: Vec<&str> = lines.iter().flat_map(|line| line.paints()).filter(|paint| *paint != "none").collect();
    colors.sort_unstable();
    colors.dedup();
    assert_eq!(colors.len(), 18, "each has a color of its own");
    assert!(svg.contains("7 lines not shown") && svg.contains(">2024-02-"), "{svg}");
    assert_eq!(*figure.frame().unwrap().column("Timestamp").unwrap().dtype(), DataType::Date);
    // Labels do not overlap.
    let labels: Vec<f64> = drawn
        .iter()
        .filter(|shape| {
            shape.name == "text" && shape.text.starts_with(|c: char| c.is_ascii_digit()) && shape.text.contains("_w")
        })
        .map(|shape| shape.number("y"))
        .collect();
    assert_eq!(labels.len(), 18);
    let mut sorted = labels;
    sorted.sort_by(f64::total_cmp);
    assert!(sorted.windows(2).all(|two| two[1] - two[0] > 14.9), "{sorted:?}");
    // A line for each class.
    let by_class = topics.topics_over_time_with("date", &OverTimeOptions::new().by("class")).unwrap();
    let frame = topics.visualize_topics_over_time(&by_class).topics(&[3]).frame().unwrap();
    assert_eq!(frame.height(), 2 * 4);
    assert_eq!(strings(&frame, "Class")[3..5], ["a", "b"]);
    assert_eq!(ints(&frame, "Frequency"), [1, 0, 1, 0, 0, 1, 0, 1]);
    assert!(strings(&frame, "Name")[0].ends_with(" · a"));
}

#[test]
fn classes_are_bertopics() {
    let table = fitted().topics_per_class("class").unwrap();
    for (name, normalize) in [("per_class", false), ("per_class_normalized", true)] {
        let figure = fitted().visualize_topics_per_class(&table).normalize_frequency(normalize);
        let frame = figure.frame().unwrap();
        assert_eq!(frame.get_column_names(), ["Topic", "Name", "Class", "Frequency", "Value", "Words"]);
        let bars: Vec<(Vec<f64>, Vec<String>)> = list(&theirs()[name]);
        assert_eq!(bars.len(), 6);
        for (topic, (expected, classes)) in (0..).zip(bars) {
            let rows = of_topic(&frame, topic);
            let (values, own) = (numbers(&frame, "Value"), strings(&frame, "Class"));
            let mut pairs: Vec<(String, f64)> = rows.iter().map(|&row| (own[row].clone(), values[row])).collect();
            let mut wanted: Vec<(String, f64)> = classes.into_iter().zip(expected).collect();
            [&mut pairs, &mut wanted].into_iter().for_each(|pairs| pairs.sort_by(|a, b| a.0.cmp(&b.0)));
            assert_eq!(
                pairs.iter().map(|pair| &pair.0).collect::<Vec<_>>(),
                wanted.iter().map(|pair| &pair.0).collect::<Vec<_>>()
            );
            near(
                &pairs.iter().map(|pair| pair.1).collect::<Vec<_>>(),
                &wanted.iter().map(|pair| pair.1).collect::<Vec<_>>(),
                1e-8,
            );
        }
        assert!(
            fitted()
                .visualize_topics_per_class("class")
                .frame()
                .unwrap()
                .equals_missing(&fitted().visualize_topics_per_class(&table).frame().unwrap())
        );
    }
}

#[test]
fn many_classes_are_shades_and_the_smallest_are_counted() {
    let rows = 200;
    let texts: Vec<String> = (0..rows).map(|row| format!("w{}", row % 2)).collect();
    let labels: Vec<i32> = (0..rows).map(|row| row % 2).collect();
    let classes: Vec<String> = (0..rows).map(|row| format!("class {:02}", row % 70)).collect();
    let topics = fit(df!("text" => texts, "class" => classes).unwrap(), &labels);
    let figure = topics.visualize_topics_per_class("class");
    let svg = figure.svg().unwrap();
    assert!(svg.contains("10 classes not shown") && svg.contains("the darkest shade is"), "{svg}");
    assert!(svg.contains("class 00") && !svg.contains("class 69"), "the largest are drawn");
    assert_eq!(figure.frame().unwrap().height(), 70);
    assert_inside(&shapes(&svg));
    for wrong in [df!("Topic" => [0], "Class" => ["a"]), df!("Topic" => ["0"], "Class" => ["a"], "Frequency" => [1])] {
        assert!(topics.visualize_topics_per_class(wrong.unwrap()).frame().is_err());
    }
    assert_eq!(topics.visualize_topics_per_class("none").frame().unwrap_err().column(), Some("none"));
}

#[test]
fn sizes_and_quality_are_those_of_the_tables() {
    let topics = fitted();
    let frame = topics.visualize_topic_sizes().frame().unwrap();
    let freq = topics.get_topic_freq().unwrap();
    assert_eq!(ints(&frame, "Topic"), [0, 1, 2, 3, 4, 5, -1]);
    let size = |topic: i64| ints(&freq, "Count")[of_topic(&freq, topic)[0]];
    assert_eq!(ints(&frame, "Count"), ints(&frame, "Topic").into_iter().map(size).collect::<Vec<_>>());
    assert!((numbers(&frame, "Share").iter().sum::<f64>() - 1.0).abs() < 1e-9);
    let two = topics.visualize_topic_sizes().top(2);
    assert_eq!(ints(&two.frame().unwrap(), "Topic"), [0, 1, -1]);
    assert!(two.svg().unwrap().contains("4 topics not shown"));
    assert_eq!(ints(&topics.visualize_topic_sizes().topics(&[5, 1]).frame().unwrap(), "Topic"), [5, 1]);

    let figure = topics.visualize_topic_quality();
    let frame = figure.frame().unwrap();
    let table = topics.topic_quality().unwrap();
    for column in ["Coherence", "Coherence_by_chance", "Stability", "Margin"] {
        assert_eq!(floats(&frame, column), floats(&table, column), "{column}");
    }
    assert_eq!(strings(&frame, "Caution"), strings(&table, "Caution"));
    assert_eq!(numbers(&frame, "Confidence_05"), [1.0; 6]);
    let svg = figure.svg().unwrap();
    assert!(svg.contains("Coherence of words") && svg.contains("Confidence of rows") && !svg.contains("Stability"));
    assert_inside(&shapes(&svg));
}

#[test]
fn every_figure_is_harmless_and_checked() {
    let hostile: Vec<(i32, String)> =
        HOSTILE.iter().enumerate().map(|(topic, text)| (topic as i32 % 6, (*text).to_owned())).collect();
    let over_time = fitted().topics_over_time_with("year", &OverTimeOptions::new().by("class")).unwrap();
    let tokens = fitted().token_distributions(&[0], &ApproximateDistribution::new()).unwrap().remove(0);
    for labels in [hostile[..6].to_vec(), hostile[4..].to_vec()] {
        let topics = fitted().set_topic_labels(labels.clone()).unwrap();
        let mut drawn = Vec::new();
        macro_rules! draw {
            ($($figure:expr),+ $(,)?) => { $(
                let figure = $figure.dark(drawn.len() % 2 == 0).title(HOSTILE[0]);
                drawn.push(figure.svg().unwrap());
                let html = figure.html().unwrap();
                assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
                let json = figure.plotly_json().unwrap().to_string();
                assert!(!json.contains("<script") && !json.contains("<img"), "{json}");
                assert!(figure.to_text().unwrap().contains("shape"));
                // Errors.
                assert_eq!(figure.clone().topics(&[99]).frame().unwrap_err().kind(), ErrorKind::NotFound);
                assert_eq!(figure.clone().topics(&[]).svg().unwrap_err().parameter(), Some("topics"));
                assert_eq!(figure.clone().top(0).plotly_json().unwrap_err().parameter(), Some("top"));
                // The same on any number of threads.
                let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
                assert_eq!(Some(&alone.install(|| figure.svg().unwrap())), drawn.last());
            )+ };
        }
        draw!(
            topics.visualize_heatmap().n_clusters(2),
            topics.visualize_hierarchy(),
            topics.visualize_hierarchy().orientation(Orientation::Bottom),
            topics.visualize_barchart(),
            topics.visualize_term_rank().top(4),
            topics.visualize_distribution((0..6).map(|topic| (topic, 0.1))),
            topics.visualize_topics_over_time(&over_time),
            topics.visualize_topics_per_class("class"),
            topics.visualize_topic_sizes(),
            topics.visualize_topic_quality(),
            topics.visualize_approximate_distribution(&tokens),
        );
        for svg in &drawn {
            let found = shapes(svg);
            assert_inside(&found);
            assert_eq!(found[0].attributes["aria-label"], HOSTILE[0]);
        }
        // A label is text, on hover or in the drawing.
        let texts: String = drawn.iter().flat_map(|svg| shapes(svg)).map(|shape| shape.text).collect();
        let first = labels[0]
            .1
            .lines()
            .next()
            .unwrap()
            .replace(|c: char| c.is_control() || matches!(c, '\u{202d}' | '\u{202e}'), "\u{FFFD}");
        assert!(texts.contains(&first), "{first}");
    }
}

#[test]
fn figures_of_few_topics_and_of_none() {
    for labels in [vec![-1; 8], vec![0; 8], [[0; 4], [1; 4]].concat()] {
        let texts =
            ["a cat sleeps", "the cat purrs", "a cat", "cat and cat", "a fast train", "trains", "train", "a train"];
        let years = [1, 1, 2, 2, 1, 1, 2, 2];
        let topics = fit(df!("text" => texts, "year" => years).unwrap(), &labels);
        let over_time = topics.topics_over_time("year").unwrap();
        let tokens = topics.token_distributions(&[0], &ApproximateDistribution::new()).unwrap().remove(0);
        for svg in [
            topics.visualize_heatmap().svg(),
            topics.visualize_hierarchy().svg(),
            topics.visualize_hierarchy().orientation(Orientation::Bottom).svg(),
            topics.visualize_term_rank().svg(),
            topics.visualize_term_rank().top(2).log_scale(true).svg(),
            topics.visualize_topics_over_time(&over_time).svg(),
            topics.visualize_topics_per_class("year").svg(),
            topics.visualize_topic_sizes().svg(),
            topics.visualize_topic_quality().svg(),
            topics.visualize_approximate_distribution(&tokens).svg(),
        ] {
            assert_inside(&shapes(&svg.unwrap()));
        }
        let count = topics.summary().topics;
        assert_eq!(topics.visualize_heatmap().frame().unwrap().height(), count * count);
        assert_eq!(topics.visualize_hierarchy().frame().unwrap().height(), count.saturating_sub(1));
    }
}

#[test]
fn words_of_a_document_have_their_similarities() {
    let settings = ApproximateDistribution::new();
    let tokens = fitted().token_distributions(&[3], &settings).unwrap().remove(0);
    let figure = fitted().visualize_approximate_distribution(&tokens);
    let (frame, table) = (figure.clone().top(6).frame().unwrap(), tokens.to_frame().unwrap());
    let sum = |frame: &DataFrame| floats(frame, "Similarity").into_iter().flatten().sum::<f64>();
    assert!((sum(&frame) - sum(&table)).abs() < 1e-9);
    assert_eq!(strings(&frame, "Word")[0], tokens.tokens()[ints(&frame, "Token")[0] as usize]);
    assert!((sum(&figure.clone().normalize(true).top(6).frame().unwrap()) - 1.0).abs() < 1e-9);
    let one = figure.clone().topics(&[2]).frame().unwrap();
    assert!(ints(&one, "Topic").iter().all(|&topic| topic == 2));
    let other = many_topics(3).visualize_approximate_distribution(&tokens).frame().unwrap_err();
    assert_eq!(other.kind(), ErrorKind::InvalidData);
    // A long document.
    let text = vec!["cat dog train tram"; 200].join(" ");
    let long = fitted().token_distributions_of(&df!("text" => [text]).unwrap(), &[0], &settings).unwrap().remove(0);
    let svg = fitted().visualize_approximate_distribution(&long).svg().unwrap();
    assert!(svg.contains("400 words not shown"));
    assert_inside(&shapes(&svg));
}
