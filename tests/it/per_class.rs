//! Topics by class, compared with BERTopic 0.17.4 (tests/fixtures/series/make.py), and with counts by hand.

use topicframe::measure::{association, benjamini_hochberg};
use topicframe::polars::prelude::*;
use topicframe::prelude::*;

use crate::colors::{EyeAndEar, image_frame};
use crate::given_topics::{Given, fit, fitted, fixture, floats, ints, strings};

#[test]
fn tables_are_bertopics() {
    for (name, tuning) in [("plain", false), ("global", true)] {
        let frame = fitted().topics_per_class_with("class", &PerClassOptions::new().global_tuning(tuning)).unwrap();
        // BERTopic's classes are in no order.
        let mut expected: Vec<(String, i64, i64, String)> = fixture()["per_class"][name]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| {
                let text = |column: &str| row[column].as_str().unwrap().to_owned();
                (text("Class"), row["Topic"].as_i64().unwrap(), row["Frequency"].as_i64().unwrap(), text("Words"))
            })
            .collect();
        expected.sort();
        let found: Vec<(String, i64, i64, String)> = strings(&frame, "Class")
            .into_iter()
            .zip(ints(&frame, "Topic"))
            .zip(ints(&frame, "Frequency"))
            .zip(strings(&frame, "Words"))
            .map(|(((class, topic), frequency), words)| (class, topic, frequency, words))
            .collect();
        assert_eq!(found, expected, "{name}");
    }
}

/// Topics of six texts that are repeated, with years and groups.
fn repeated(times: usize) -> FittedTopicModel {
    let texts = ["a cat sleeps", "the cat purrs", "a dog barks", "a fast train", "a slow train", "the train stops"];
    let posts = df!(
        "text" => texts.repeat(times),
        "year" => [2000, 2001, 2000, 2001, 2000, 2001].repeat(times),
        "group" => ["a", "b", "c"].repeat(2 * times),
    );
    let topics = [0, 0, 0, 1, 1, 1].repeat(times);
    let model = TopicModel::text("text", StaticEmbedder::builtin()).reducer(NoReduction).clusterer(Given(topics));
    model.fit(&posts.unwrap()).unwrap()
}

#[test]
fn words_do_not_depend_on_batches() {
    // In the second model, each topic has more rows than are counted at a time.
    let (few, many) = (repeated(10), repeated(6_000));
    let settings = OverTimeOptions::new().by("group");
    for (few, many) in [
        (few.topics_per_class("group").unwrap(), many.topics_per_class("group").unwrap()),
        (
            few.topics_over_time_with("year", &settings).unwrap().frame(),
            many.topics_over_time_with("year", &settings).unwrap().frame(),
        ),
    ] {
        assert!(few.height() >= 6);
        assert_eq!(strings(&few, "Words"), strings(&many, "Words"));
        assert_eq!(ints(&few, "Topic"), ints(&many, "Topic"));
        let expected: Vec<i64> = ints(&few, "Frequency").into_iter().map(|count| 600 * count).collect();
        assert_eq!(ints(&many, "Frequency"), expected);
    }
}

#[test]
fn tests_are_of_every_pair() {
    let topics = fitted();
    let present = topics.topics_per_class("class").unwrap();
    let frame = topics.topics_per_class_with("class", &PerClassOptions::new().absent(true)).unwrap();
    assert_eq!((present.height(), frame.height()), (19, 21), "topic 2 is not in class c, and -1 not in b");
    let (rows, classes) = (topics.labels().len() as i64, strings(&frame, "Class"));
    let frequencies = ints(&frame, "Frequency");
    let size = |class: &str| classes.iter().zip(&frequencies).filter(|(c, _)| *c == class).map(|(_, f)| f).sum::<i64>();
    let found: Vec<_> = classes
        .iter()
        .zip(ints(&frame, "Topic"))
        .zip(&frequencies)
        .map(|((class, topic), &both)| {
            let (class, topic) = (size(class), topics.topic_size(topic as i32).unwrap() as i64);
            let counts = [both, topic - both, class - both, rows + both - class - topic].map(|count| count as u64);
            association(counts[0], counts[1], counts[2], counts[3]).unwrap()
        })
        .collect();
    let of =
        |value: fn(&topicframe::measure::Association) -> f64| found.iter().map(value).map(Some).collect::<Vec<_>>();
    assert_eq!(floats(&frame, "Lift"), of(|one| one.lift));
    assert_eq!(floats(&frame, "Log_odds_ratio"), of(|one| one.log_odds_ratio));
    assert_eq!(floats(&frame, "P_value"), of(|one| one.p_value));
    let p_values: Vec<f64> = found.iter().map(|one| one.p_value).collect();
    let q_values: Vec<Option<f64>> = benjamini_hochberg(&p_values).into_iter().map(Some).collect();
    assert_eq!(floats(&frame, "Q_value"), q_values);
    let tests: std::collections::BTreeSet<String> = strings(&frame, "Test").into_iter().collect();
    assert_eq!(Vec::from_iter(tests), ["Fisher", "chi-squared"]);
    let absent = frequencies.iter().position(|&frequency| frequency == 0).unwrap();
    assert_eq!((strings(&frame, "Words")[absent].as_str(), floats(&frame, "Share")[absent]), ("", Some(0.0)));
    assert!(floats(&frame, "Share_high")[absent] > Some(0.0));
    // Only the rows that are shown differ.
    let shown: Vec<Option<f64>> = floats(&frame, "Q_value")
        .into_iter()
        .zip(&frequencies)
        .filter(|(_, rows)| **rows > 0)
        .map(|(q, _)| q)
        .collect();
    assert_eq!(floats(&present, "Q_value"), shown);
}

#[test]
fn classes_have_any_type() {
    let texts: Vec<String> = (0..12).map(|row| format!("word{} again", row / 6)).collect();
    let labels: Vec<i32> = (0..12).map(|row| row / 6).collect();
    let tags: Vec<Series> = (0..12)
        .map(|row| match row % 4 {
            0 => Series::new("".into(), ["b", "a", "b"]),
            1 => Series::new("".into(), ["a"]),
            2 => Series::new("".into(), [None::<&str>]),
            _ => Series::new_empty("".into(), &DataType::String),
        })
        .collect();
    let numbers: Vec<i32> = (0..12).map(|row| [10, 9, -1][row % 3]).collect();
    let names: Vec<Option<&str>> = (0..12).map(|row| [Some("x"), None, Some("w")][row % 3]).collect();
    let frame = df!("text" => texts, "tags" => tags, "number" => numbers, "name" => names).unwrap();
    let category = frame.column("name").unwrap().cast(&DataType::from_categories(Categories::global())).unwrap();
    let odd = Column::new("odd".into(), (0..12).map(|row| row % 2 == 1).collect::<Vec<bool>>());
    let numbers =
        Column::new("lists".into(), (0..12).map(|row| Series::new("".into(), [row % 2, 7])).collect::<Vec<_>>());
    let frame = frame.hstack(&[category.with_name("category".into()), odd, numbers]).unwrap();
    let topics = fit(frame, &labels);
    let found = |column: &str| {
        let frame = topics.topics_per_class(column).unwrap();
        let class = frame.column("Class").unwrap().cast(&DataType::String).unwrap();
        let classes = class.str().unwrap().iter().map(|class| class.unwrap().to_owned()).collect::<Vec<_>>();
        classes.into_iter().zip(ints(&frame, "Topic")).zip(ints(&frame, "Frequency")).collect::<Vec<_>>()
    };
    let expected = |rows: &[(&str, i64, i64)]| {
        rows.iter().map(|&(class, topic, count)| ((class.to_owned(), topic), count)).collect::<Vec<_>>()
    };
    // Rows 0, 4, 8 have both tags, rows 1, 5, 9 one.
    assert_eq!(found("tags"), expected(&[("a", 0, 4), ("a", 1, 2), ("b", 0, 2), ("b", 1, 1)]));
    let integers = [("-1", 0, 2), ("-1", 1, 2), ("9", 0, 2), ("9", 1, 2), ("10", 0, 2), ("10", 1, 2)];
    assert_eq!(found("number"), expected(&integers), "in the order of numbers");
    let names = [("w", 0, 2), ("w", 1, 2), ("x", 0, 2), ("x", 1, 2)];
    assert_eq!(found("name"), expected(&names));
    assert_eq!(found("category"), expected(&names));
    assert_eq!(found("odd"), expected(&[("false", 0, 3), ("false", 1, 3), ("true", 0, 3), ("true", 1, 3)]));
    let lists = [("0", 0, 3), ("0", 1, 3), ("1", 0, 3), ("1", 1, 3), ("7", 0, 6), ("7", 1, 6)];
    assert_eq!(found("lists"), expected(&lists));
    // A row with two tags is one row of the comparison.
    let tags = topics.topics_per_class("tags").unwrap();
    assert_eq!(floats(&tags, "Lift")[2], Some((2.0 / 3.0) / (4.0 / 6.0)));
    assert!(floats(&tags, "P_value")[0].is_none(), "all rows with a tag have this one");
}

#[test]
fn bad_input_is_refused_or_empty() {
    let topics = fitted();
    let error = topics.topics_per_class("clas").unwrap_err();
    assert_eq!((error.kind(), error.column()), (ErrorKind::MissingColumn, Some("clas")));
    let error = topics.topics_per_class("embedding").unwrap_err();
    assert_eq!((error.kind(), error.column()), (ErrorKind::WrongType, Some("embedding")));
    assert_eq!(topics.without_data().topics_per_class("class").unwrap_err().kind(), ErrorKind::NotFound);
    let one_class = |labels: [i32; 6], class: [Option<&str>; 6]| {
        let frame = df!("text" => ["a cat"; 6], "class" => class).unwrap();
        fit(frame, &labels).topics_per_class("class").unwrap()
    };
    let frame = one_class([0, 0, 0, 1, 1, -1], [Some("a"); 6]);
    assert_eq!((ints(&frame, "Frequency"), floats(&frame, "P_value")), (vec![1, 3, 2], vec![None; 3]));
    assert_eq!(strings(&frame, "Test"), ["null"; 3]);
    let frame = one_class([0; 6], [Some("a"), Some("b"), None, None, None, None]);
    assert_eq!((ints(&frame, "Frequency"), floats(&frame, "Share")), (vec![1, 1], vec![Some(1.0); 2]));
    let frame = one_class([-1; 6], [Some("a"), Some("b"), Some("b"), None, None, None]);
    assert_eq!((ints(&frame, "Topic"), ints(&frame, "Frequency")), (vec![-1, -1], vec![1, 2]));
    let frame = one_class([0, 0, 0, 1, 1, 1], [None; 6]);
    assert_eq!((frame.height(), frame.width()), (0, 15));
    // A class of one row.
    let frame = one_class([0, 0, 0, 1, 1, 1], [Some("a"), Some("b"), Some("b"), Some("b"), Some("b"), Some("b")]);
    assert!((floats(&frame, "P_value")[0].unwrap() - 1.0).abs() < 1e-9);
}

#[test]
fn images_alone_have_classes() {
    let frame = image_frame(30);
    let colors: Vec<&str> = (0..30).map(|row| ["red", "other", "other"][row % 3]).collect();
    let frame = frame.hstack(&[Column::new("color".into(), colors)]).unwrap();
    let model = TopicModel::images("image", EyeAndEar).reducer(NoReduction).clusterer(KMeans::new(3));
    let frame = model.fit(&frame).unwrap().topics_per_class("color").unwrap();
    assert_eq!(ints(&frame, "Frequency"), [10, 10, 10]);
    assert!(floats(&frame, "Q_value").iter().all(|q| *q < Some(0.05)));
}
