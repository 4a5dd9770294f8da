//! Topics over time, compared with BERTopic 0.17.4 (tests/fixtures/series/make.py), and with calendars by hand.

use proptest::prelude::*;
use topicframe::measure::{benjamini_hochberg, trend};
use topicframe::polars::prelude::*;
use topicframe::prelude::*;

use crate::colors::{EyeAndEar, image_frame};
use crate::given_topics::{fit, fitted, fixture, floats, ints, strings};

#[test]
fn tables_are_bertopics() {
    let plain = || OverTimeOptions::new().evolution_tuning(false).global_tuning(false);
    for (name, options) in [
        ("plain", plain()),
        ("global", plain().global_tuning(true)),
        ("evolution", plain().evolution_tuning(true)),
        ("both", OverTimeOptions::new()),
        ("bins", plain().nr_bins(3)),
    ] {
        let frame = fitted().topics_over_time_with("year", &options).unwrap().frame();
        assert_eq!(frame.get_column_names(), ["Topic", "Words", "Frequency", "Timestamp", "Name", "Share"]);
        let expected = fixture()["over_time"][name].as_array().unwrap();
        let numbers = |column: &str| expected.iter().map(|row| row[column].as_i64().unwrap()).collect::<Vec<_>>();
        assert_eq!(ints(&frame, "Topic"), numbers("Topic"), "{name}");
        assert_eq!(ints(&frame, "Frequency"), numbers("Frequency"), "{name}");
        let words: Vec<&str> = expected.iter().map(|row| row["Words"].as_str().unwrap()).collect();
        assert_eq!(strings(&frame, "Words"), words, "{name}");
        match name {
            // pandas moves the first edge to the left.
            "bins" => {
                let starts = floats(&frame, "Timestamp");
                for (found, row) in starts.iter().zip(expected).filter(|(start, _)| **start != Some(2000.0)) {
                    assert!((found.unwrap() - row["Timestamp"].as_f64().unwrap()).abs() < 1e-3);
                }
                assert_eq!(starts[0], Some(2000.0));
            }
            _ => assert_eq!(ints(&frame, "Timestamp"), numbers("Timestamp")),
        }
    }
}

#[test]
fn evolution_tuning_tunes() {
    // BERTopic's has no effect.
    let words = |options: &OverTimeOptions| {
        let frame = fitted().topics_over_time_with("year", options).unwrap().frame();
        strings(&frame, "Words")
    };
    let options = OverTimeOptions::new();
    assert_ne!(words(&options), words(&options.clone().evolution_tuning(false)));
    assert_ne!(words(&options), words(&options.clone().global_tuning(false)));
    // The model is as before.
    let sums = fitted().terms().c_tf_idf.row_sums();
    assert!(sums.iter().any(|sum| (sum - 1.0).abs() > 0.01), "{sums:?}");
}

/// The start of each row's bin.
fn starts(column: Column, options: &OverTimeOptions) -> Result<Column, Error> {
    let rows = column.len();
    let texts: Vec<String> = (0..rows).map(|row| format!("word{row}")).collect();
    // Every row is a topic of its own, so that the frame has a row for each.
    let labels: Vec<i32> = (0..rows as i32).collect();
    let frame = df!("text" => texts).unwrap().hstack(&[column.with_name("time".into())]).unwrap();
    let found = fit(frame, &labels).topics_over_time_with("time", options)?.frame();
    let sorted = found.sort(["Topic"], SortMultipleOptions::default()).unwrap();
    Ok(sorted.column("Timestamp").unwrap().clone())
}

fn dates(texts: &[&str]) -> Column {
    Column::new("time".into(), texts).cast(&DataType::String).unwrap()
}

fn shown(column: &Column) -> Vec<String> {
    let shown = |row: usize| column.get(row).unwrap().to_string();
    (0..column.len()).map(shown).collect()
}

#[test]
fn periods_are_those_of_the_calendar() {
    let texts = ["2024-02-29", "2023-12-31", "2024-01-01", "1969-07-20", "2024-05-15"];
    for (every, expected) in [
        ("1d", texts),
        ("1y", ["2024-01-01", "2023-01-01", "2024-01-01", "1969-01-01", "2024-01-01"]),
        ("1q", ["2024-01-01", "2023-10-01", "2024-01-01", "1969-07-01", "2024-04-01"]),
        ("1mo", ["2024-02-01", "2023-12-01", "2024-01-01", "1969-07-01", "2024-05-01"]),
        ("5mo", ["2023-10-01", "2023-10-01", "2023-10-01", "1969-03-01", "2024-03-01"]),
        ("1w", ["2024-02-26", "2023-12-25", "2024-01-01", "1969-07-14", "2024-05-13"]),
        ("10y", ["2020-01-01", "2020-01-01", "2020-01-01", "1960-01-01", "2020-01-01"]),
    ] {
        let found = starts(dates(&texts), &OverTimeOptions::new().every(every)).unwrap();
        assert_eq!(*found.dtype(), DataType::Date);
        assert_eq!(shown(&found), expected, "{every}");
    }
    let texts = ["2024-02-29T23:59:59.5", "2024-02-29 00:00", "1969-12-31T22:10:00Z", "2024-03-01T01:30:00+02:00"];
    for (every, expected) in [
        ("1h", ["2024-02-29 23:00:00", "2024-02-29 00:00:00", "1969-12-31 22:00:00", "2024-02-29 23:00:00"]),
        ("30m", ["2024-02-29 23:30:00", "2024-02-29 00:00:00", "1969-12-31 22:00:00", "2024-02-29 23:30:00"]),
        ("10s", ["2024-02-29 23:59:50", "2024-02-29 00:00:00", "1969-12-31 22:10:00", "2024-02-29 23:30:00"]),
        ("1d", ["2024-02-29 00:00:00", "2024-02-29 00:00:00", "1969-12-31 00:00:00", "2024-02-29 00:00:00"]),
        ("1mo", ["2024-02-01 00:00:00", "2024-02-01 00:00:00", "1969-12-01 00:00:00", "2024-02-01 00:00:00"]),
    ] {
        let found = starts(dates(&texts), &OverTimeOptions::new().every(every)).unwrap();
        assert_eq!(*found.dtype(), DataType::Datetime(TimeUnit::Microseconds, None));
        assert_eq!(shown(&found), expected, "{every}");
    }
    // Other units, and integers.
    let moments = Column::new("time".into(), [86_400_123_i64, -1]);
    let moments = moments.cast(&DataType::Datetime(TimeUnit::Milliseconds, None)).unwrap();
    let found = starts(moments, &OverTimeOptions::new().every("1s")).unwrap();
    assert_eq!(*found.dtype(), DataType::Datetime(TimeUnit::Milliseconds, None));
    assert_eq!(shown(&found), ["1970-01-02 00:00:00", "1969-12-31 23:59:59"]);
    let found = starts(Column::new("time".into(), [-1_i16, 4, 5, 12]), &OverTimeOptions::new().every("5i")).unwrap();
    assert_eq!(shown(&found), ["-5", "0", "5", "10"]);
    assert_eq!(*found.dtype(), DataType::Int64, "of integers of any type");
}

#[test]
fn no_two_bins_start_at_the_same_time() {
    let dated = |moments: &[i64], dtype: DataType| Column::new("time".into(), moments).cast(&dtype).unwrap();
    let in_ms = DataType::Datetime(TimeUnit::Milliseconds, None);
    let in_us = DataType::Datetime(TimeUnit::Microseconds, None);
    let ends = [i64::MIN, i64::MAX];
    let large = 1 << 60;
    for (moments, nr_bins, expected, dtype) in [
        // Five milliseconds have no twenty parts; five days do.
        (dated(&[7, 9, 12], in_ms.clone()), 20, 5, in_ms.clone()),
        (dated(&[7, 9, 12], in_ms.clone()), 3, 3, in_ms.clone()),
        (dated(&[7, 9, 7], in_ms.clone()), 2, 2, in_ms),
        (dated(&[0, 5], DataType::Int32).cast(&DataType::Date).unwrap(), 20, 20, in_us),
        (dated(&[0, i64::from(i32::MAX)], DataType::Int32).cast(&DataType::Date).unwrap(), 20, 20, DataType::Date),
        (dated(&[0, 1, 2, 3, 4], DataType::Int64), 20, 20, DataType::Float64),
        (dated(&[0, 4], DataType::UInt8), 20, 20, DataType::Float64),
        // Beyond these, fractions are no different numbers.
        (dated(&[large, large + 5], DataType::Int64), 20, 5, DataType::Int64),
        (dated(&[1 << 52, (1 << 52) + 5], DataType::Int64), 20, 5, DataType::Int64),
        (dated(&ends, DataType::Int64), 7, 7, DataType::Float64),
        (
            dated(&ends, DataType::Datetime(TimeUnit::Nanoseconds, None)),
            1000,
            1000,
            DataType::Datetime(TimeUnit::Nanoseconds, None),
        ),
        (dated(&[3, 3], DataType::Int64), 20, 1, DataType::Float64),
    ] {
        let rows = moments.len();
        let case = format!("{:?} in {nr_bins}, {expected}", moments.dtype());
        let frame = df!("text" => vec!["a cat"; rows]).unwrap().hstack(&[moments]).unwrap();
        let options = OverTimeOptions::new().nr_bins(nr_bins).empty_bins(true);
        let found = fit(frame, &vec![0; rows]).topics_over_time_with("time", &options).unwrap().frame();
        assert_eq!(*found.column("Timestamp").unwrap().dtype(), dtype, "{case}");
        assert_eq!(found.height(), expected, "{case}");
        assert_eq!(ints(&found, "Frequency").iter().sum::<i64>(), rows as i64, "{case}");
        let are_apart = match dtype {
            DataType::Float64 => floats(&found, "Timestamp").is_sorted_by(|a, b| a < b),
            _ => ints(&found, "Timestamp").is_sorted_by(|a, b| a < b),
        };
        assert!(are_apart, "{case}");
    }
}

#[test]
fn formats_are_recognized() {
    for (texts, expected) in [
        (["2024-02-29", "1999-12-01"], ["2024-02-29", "1999-12-01"]),
        (["2024/2/29", "1999/12/1"], ["2024-02-29", "1999-12-01"]),
        (["20240229", "19991201"], ["2024-02-29", "1999-12-01"]),
        (["2024-02", "1999-12"], ["2024-02-01", "1999-12-01"]),
        (["2024", " 1999 "], ["2024-01-01", "1999-01-01"]),
        (["29.02.2024", "1.12.1999"], ["2024-02-29", "1999-12-01"]),
        (["29/02/2024", "01/12/1999"], ["2024-02-29", "1999-12-01"]),
        (["02/29/2024", "12/01/1999"], ["2024-02-29", "1999-12-01"]),
        (["29-02-2024", "01-12-1999"], ["2024-02-29", "1999-12-01"]),
        (["02-29-2024", "12-01-1999"], ["2024-02-29", "1999-12-01"]),
        (["29 Feb 2024", "1 December 1999"], ["2024-02-29", "1999-12-01"]),
        (["February 29, 2024", "Dec. 1, 1999"], ["2024-02-29", "1999-12-01"]),
        (["Thu, 29 Feb 2024", "Wed, 1 Dec 1999"], ["2024-02-29", "1999-12-01"]),
    ] {
        let found = starts(dates(&texts), &OverTimeOptions::new()).unwrap();
        assert_eq!(shown(&found), expected, "{texts:?}");
    }
    let found = starts(dates(&["Thu, 29 Feb 2024 10:00:01 GMT", "01 Dec 1999 23:00 -0100"]), &OverTimeOptions::new());
    assert!(found.is_err(), "two formats in one column");
    let found = starts(dates(&["29.02.2024 3:07 PM", "01.03.2024 12:00 am"]), &OverTimeOptions::new()).unwrap();
    assert_eq!(shown(&found), ["2024-02-29 15:07:00", "2024-03-01 00:00:00"]);
    for (format, text, expected) in [
        ("%d.%m.%y", "29.02.24", "2024-02-29"),
        ("%m/%d/%Y", "02/03/2024", "2024-02-03"),
        ("%Y-%j", "2024-060", "2024-02-29"),
        ("on %e %B %Y at %I:%M %p", "on  9 march 2024 at 12:05 AM", "2024-03-09 00:05:00"),
        ("%FT%T.%f%z", "2024-02-29T01:00:00.25+0200", "2024-02-28 23:00:00.250"),
        ("%s", "86400", "1970-01-02 00:00:00"),
        ("100%% %F", "100% 2024-02-29", "2024-02-29"),
    ] {
        let found = starts(dates(&[text; 2]), &OverTimeOptions::new().format(format)).unwrap();
        assert_eq!(shown(&found), [expected; 2], "{format}");
    }
}

#[test]
fn rows_that_do_not_parse_are_named_or_counted() {
    let refused = |texts: &[&str], options: OverTimeOptions, row: usize, message: &str| {
        let error = starts(dates(texts), &options).unwrap_err();
        assert_eq!((error.kind(), error.column(), error.row()), (ErrorKind::InvalidData, Some("time"), Some(row)));
        assert!(error.to_string().contains(message), "{error}");
    };
    let options = OverTimeOptions::new;
    refused(&["2024-02-28", "2024-02-30", "soon"], options(), 1, "`2024-02-30`");
    refused(&["2024-02-28", "2024-02-29", "soon"], options().format("%Y-%m-%d"), 2, "`soon`");
    refused(&["yesterday"; 2], options(), 0, "`yesterday`");
    refused(&["01/02/2024", "05/05/2024", "03/04/2024"], options(), 0, "day first or month first");
    refused(&["01-02-2024 10:00", "03-04-2024 11:00"], options(), 0, "day first or month first");
    let error = starts(dates(&["01-02-2024", "05-05-2024", "03-04-2024"]), &options()).unwrap_err();
    assert_eq!((error.row(), error.column()), (Some(0), Some("time")));
    assert!(format!("{error:#}").contains("`%d-%m-%Y` or `%m-%d-%Y`"), "{error:#}");
    for (format, expected) in [("%d-%m-%Y", "2024-02-01"), ("%m-%d-%Y", "2024-01-02")] {
        assert_eq!(shown(&starts(dates(&["01-02-2024"; 2]), &options().format(format)).unwrap()), [expected; 2]);
    }
    // Which way round they are makes no difference, and points stand after the day.
    assert_eq!(shown(&starts(dates(&["05-05-2024"; 2]), &options()).unwrap()), ["2024-05-05"; 2]);
    assert_eq!(shown(&starts(dates(&["01.02.2024"; 2]), &options()).unwrap()), ["2024-02-01"; 2]);
    refused(&["2024-01-01 24:00"; 2], options(), 0, "24:00");
    let error = starts(dates(&["x"; 2]), &options().format("%Q")).unwrap_err();
    assert_eq!((error.parameter(), error.to_string().contains("%Q")), (Some("format"), true), "{error}");
    // Nulls, blanks and unreadable values are left out and counted.
    let frame = df!(
        "text" => ["a cat"; 6],
        "time" => [Some("2024-01-01"), None, Some("  "), Some("soon"), Some("2024-01-02"), Some("2023-13-01")],
    );
    let topics = fit(frame.unwrap(), &[0; 6]);
    assert_eq!(topics.topics_over_time("time").unwrap_err().row(), Some(3));
    let found = topics.topics_over_time_with("time", &options().skip_unreadable(true)).unwrap();
    assert_eq!((found.missing(), found.unreadable()), (2, 2));
    assert_eq!(ints(&found.frame(), "Frequency"), [1, 1]);
    // Nothing is left.
    let topics = fit(df!("text" => ["a cat"; 3], "time" => [None::<&str>; 3]).unwrap(), &[0; 3]);
    let found = topics.topics_over_time("time").unwrap();
    assert_eq!((found.missing(), found.frame().height(), found.frame().width()), (3, 0, 6));
    assert_eq!(found.emerging_topics().unwrap().height(), 0);
}

#[test]
fn bad_input_is_refused() {
    let topics = fitted();
    let error = topics.topics_over_time("yaer").unwrap_err();
    assert_eq!((error.kind(), error.column()), (ErrorKind::MissingColumn, Some("yaer")));
    assert_eq!(topics.topics_over_time("embedding").unwrap_err().kind(), ErrorKind::WrongType);
    assert_eq!(topics.without_data().topics_over_time("year").unwrap_err().kind(), ErrorKind::NotFound);
    let parameter = |options: OverTimeOptions| {
        let error = topics.topics_over_time_with("year", &options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{error}");
        error.parameter().map(str::to_owned)
    };
    assert_eq!(parameter(OverTimeOptions::new().nr_bins(0)).as_deref(), Some("nr_bins"));
    assert_eq!(parameter(OverTimeOptions::new().at_most(0)).as_deref(), Some("at_most"));
    assert_eq!(parameter(OverTimeOptions::new().nr_bins(usize::MAX)).as_deref(), Some("nr_bins"));
    assert_eq!(parameter(OverTimeOptions::new().nr_bins(3).every("1i")), None);
    for every in ["1mo", "0i", "mo", "", "1", "-1i", "1.5i", "99999999999999999999i", "1x"] {
        assert_eq!(parameter(OverTimeOptions::new().every(every)).as_deref(), Some("every"), "{every}");
    }
    let error = topics.topics_over_time_with("year", &OverTimeOptions::new().format("%Y")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongType);
    let error = topics.topics_over_time_with("year", &OverTimeOptions::new().by("none")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingColumn);
    assert_eq!(
        starts(dates(&["2024-01-01"; 2]), &OverTimeOptions::new().every("1h")).unwrap_err().parameter(),
        Some("every")
    );
    let gaps = OverTimeOptions::new().every("1s").empty_bins(true);
    let error = starts(dates(&["2024-01-01 00:00", "2025-01-01 00:00"]), &gaps).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParameter);
    // The ends of what numbers can be.
    let ends = Column::new("time".into(), [i64::MIN, 0, i64::MAX]);
    for options in [OverTimeOptions::new(), OverTimeOptions::new().nr_bins(2), OverTimeOptions::new().every("7i")] {
        assert_eq!(starts(ends.clone(), &options).unwrap().len(), 3);
    }
    let moments = ends.cast(&DataType::Datetime(TimeUnit::Nanoseconds, None)).unwrap();
    for every in ["1y", "1w", "1000000h"] {
        assert_eq!(starts(moments.clone(), &OverTimeOptions::new().every(every)).unwrap().len(), 3);
    }
}

#[test]
fn empty_bins_are_zeros_where_asked() {
    let frame = df!(
        "text" => ["a cat", "a cat", "a dog", "a dog", "a dog"],
        "time" => ["2024-01-05", "2024-04-01", "2024-01-31", "2024-01-30", "2024-01-01"],
        "class" => ["x", "y", "x", "x", "x"],
    );
    let topics = fit(frame.unwrap(), &[1, 1, 0, 0, 0]);
    let options = OverTimeOptions::new().every("1mo");
    let found = topics.topics_over_time_with("time", &options).unwrap().frame();
    assert_eq!((ints(&found, "Topic"), ints(&found, "Frequency")), (vec![0, 1, 1], vec![3, 1, 1]));
    assert_eq!(floats(&found, "Share"), [Some(0.75), Some(0.25), Some(1.0)]);
    let found = topics.topics_over_time_with("time", &options.clone().empty_bins(true)).unwrap().frame();
    assert_eq!(ints(&found, "Frequency"), [3, 1, 0, 0, 0, 0, 0, 1], "January to April");
    assert_eq!(floats(&found, "Share")[2], Some(0.0));
    assert_eq!(strings(&found, "Words")[2], "");
    // By class, each with its own shares.
    let found = topics.topics_over_time_with("time", &options.by("class")).unwrap().frame();
    assert_eq!(strings(&found, "Class"), ["x", "x", "y"]);
    assert_eq!(floats(&found, "Share"), [Some(0.75), Some(0.25), Some(1.0)]);
}

#[test]
fn rising_topics_are_told_from_chance() {
    // Topic 0 falls, topic 1 rises, and topic 2 occurs in bursts.
    let counts = [[30, 1, 2], [26, 4, 9], [22, 9, 1], [17, 13, 8], [13, 18, 2], [9, 22, 9], [5, 27, 3]];
    let rows: Vec<(i32, i32)> = counts
        .iter()
        .enumerate()
        .flat_map(|(bin, topics)| (0..3).flat_map(move |topic| vec![(2000 + bin as i32, topic as i32); topics[topic]]))
        .collect();
    let (years, labels): (Vec<i32>, Vec<i32>) = rows.into_iter().unzip();
    let texts: Vec<String> = labels.iter().map(|label| format!("word{label}")).collect();
    let topics = fit(df!("text" => texts, "year" => years).unwrap(), &labels);
    let sizes: Vec<usize> = topics.topic_ids().iter().map(|&id| topics.topic_size(id).unwrap()).collect();
    assert_eq!(sizes, [122, 94, 34]);
    let found = topics.topics_over_time("year").unwrap().emerging_topics().unwrap();
    let names: Vec<(i64, String)> = ints(&found, "Topic").into_iter().zip(strings(&found, "Trend")).collect();
    assert_eq!(names[2], (2, "none".to_owned()));
    assert!(names[..2].contains(&(0, "falling".to_owned())) && names[..2].contains(&(1, "rising".to_owned())));
    // The numbers are those of the measure, over the span.
    for (place, topic) in ints(&found, "Topic").into_iter().enumerate() {
        let bin = |(bin, counts): (usize, &[usize; 3])| {
            (bin as f64 / 6.0, counts[topic as usize] as u64, counts.iter().sum::<usize>() as u64)
        };
        let expected = trend(&counts.iter().enumerate().map(bin).collect::<Vec<_>>()).unwrap();
        assert_eq!(floats(&found, "Change")[place], Some(expected.slope));
        assert_eq!(floats(&found, "P_value")[place], Some(expected.p_value));
        assert_eq!(floats(&found, "Change_low")[place], Some(expected.interval.0));
    }
    let p_values: Vec<f64> = floats(&found, "P_value").into_iter().flatten().collect();
    let q_values: Vec<f64> = floats(&found, "Q_value").into_iter().flatten().collect();
    assert_eq!(q_values, benjamini_hochberg(&p_values));
    // Two bins tell nothing.
    let few = topics.topics_over_time_with("year", &OverTimeOptions::new().nr_bins(2)).unwrap();
    let few = few.emerging_topics().unwrap();
    assert_eq!(floats(&few, "P_value"), [None; 3]);
    assert_eq!((strings(&few, "Trend"), ints(&few, "Topic")), (vec!["none".to_owned(); 3], vec![0, 1, 2]));
    // Outliers are no topic, and rare topics have no trend.
    let found = fitted().topics_over_time_with("year", &OverTimeOptions::new().by("class")).unwrap();
    let found = found.emerging_topics().unwrap();
    assert!(ints(&found, "Topic").iter().all(|&topic| topic >= 0));
    let changes = floats(&found, "Change");
    assert!(ints(&found, "Count").iter().zip(&changes).all(|(&count, change)| count >= 5 || change.is_none()));
    assert!(strings(&found, "Class").is_sorted() && changes.iter().any(Option::is_some));
}

#[test]
fn images_alone_have_a_series() {
    let frame = image_frame(30);
    let days =
        Column::new("day".into(), (0..30).map(|row| row / 10).collect::<Vec<i32>>()).cast(&DataType::Date).unwrap();
    let model = TopicModel::images("image", EyeAndEar).reducer(NoReduction).clusterer(KMeans::new(3));
    let topics = model.fit(&frame.hstack(&[days]).unwrap()).unwrap();
    let found = topics.topics_over_time("day").unwrap();
    assert_eq!(ints(&found.frame(), "Frequency").iter().sum::<i64>(), 30);
    let words: Vec<String> = topics.get_topic(0).unwrap().into_iter().take(5).map(|(word, _)| word).collect();
    assert_eq!(strings(&found.frame(), "Words")[0], words.join(", "));
    assert!(Show::to_html(&found).contains("<table"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn counts_are_conserved(seed in any::<u64>(), nr_bins in 1_usize..9, empty in any::<bool>(), threads in 1_usize..4) {
        let number = |row: usize, of: u64| seed.wrapping_add(row as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33 ^ of;
        let labels: Vec<i32> = (0..40).map(|row| (number(row, 1) % 4) as i32 - 1).collect();
        let times: Vec<Option<i64>> = (0..40).map(|row| (number(row, 2) % 7 != 0).then(|| (number(row, 3) % 100) as i64)).collect();
        let texts: Vec<String> = (0..40).map(|row| format!("word{} word{}", number(row, 4) % 5, number(row, 5) % 9)).collect();
        let known = times.iter().flatten().count() as i64;
        let topics = fit(df!("text" => texts, "time" => times).unwrap(), &labels);
        let options = OverTimeOptions::new().nr_bins(nr_bins).empty_bins(empty);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let found = pool.install(|| topics.topics_over_time_with("time", &options)).unwrap();
        let frame = found.frame();
        prop_assert!(frame.equals_missing(&topics.topics_over_time_with("time", &options).unwrap().frame()));
        prop_assert_eq!(ints(&frame, "Frequency").iter().sum::<i64>(), known);
        prop_assert_eq!(found.missing() as i64, 40 - known);
        let mut shares = std::collections::BTreeMap::<String, f64>::new();
        for (start, share) in floats(&frame, "Timestamp").iter().zip(floats(&frame, "Share")) {
            *shares.entry(format!("{start:?}")).or_default() += share.unwrap();
        }
        prop_assert!(shares.values().all(|sum| (sum - 1.0).abs() < 1e-9 || empty && *sum == 0.0), "{shares:?}");
    }
}
