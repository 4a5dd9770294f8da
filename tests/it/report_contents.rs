//! The report's tree, its curves over time, and its tables by class.

use polars::prelude::*;
use topicframe::error::ErrorKind;
use topicframe::prelude::*;

use crate::corpora::captions;
use crate::html::{Element, HOSTILE};
use crate::report::{by_id, model, named, page};

/// Documents of these themes, each with a vector of its own axis.
fn documents(themes: &[usize], columns: Vec<Column>) -> DataFrame {
    let axes = themes.iter().max().unwrap() + 1;
    let texts = captions(108);
    let caption = |(row, &theme): (usize, &usize)| match axes {
        3 => texts[(3 * row + theme) % 108].clone(),
        _ => format!("{} subject{theme} subject{} subject{}", texts[row % 108], theme / 2, theme / 4),
    };
    let texts: Vec<String> = themes.iter().enumerate().map(caption).collect();
    let vectors: Vec<Series> = themes
        .iter()
        .enumerate()
        .map(|(row, &theme)| {
            let mut vector = vec![0.0_f32; axes];
            vector[theme] = 1.0 + row as f32 / 1e4;
            Series::new("".into(), vector)
        })
        .collect();
    let vectors =
        Series::new("vector".into(), vectors).cast(&DataType::Array(Box::new(DataType::Float32), axes)).unwrap();
    let mut all = vec![Column::new("caption".into(), texts), vectors.into_column()];
    all.extend(columns);
    DataFrame::new(themes.len(), all).unwrap()
}

fn fitted(themes: &[usize], columns: Vec<Column>) -> FittedTopicModel {
    let topics = themes.iter().max().unwrap() + 1;
    model("caption").clusterer(KMeans::new(topics)).fit(&documents(themes, columns)).unwrap()
}

/// Ten years of 20 documents: theme 0 falls from 12 of them to 3, theme 1 rises from 2 to 11, and theme 2 has 6; and their
/// groups, of which `b` has half of theme 1 and nothing else.
fn decade() -> FittedTopicModel {
    let (mut themes, mut years, mut groups) = (Vec::new(), Vec::new(), Vec::new());
    for year in 0..10 {
        for (theme, rows) in [(0, 12 - year), (1, 2 + year), (2, 6)] {
            for row in 0..rows {
                themes.push(theme);
                years.push(2000 + year);
                groups.push(if theme == 1 && row % 2 == 0 { "b" } else { "a" });
            }
        }
    }
    fitted(&themes, vec![Column::new("year".into(), years), Column::new("group".into(), groups)])
}

fn inside<'a>(page: &'a [Element], id: &str) -> &'a str {
    &by_id(page, id).text
}

fn has(page: &[Element], id: &str) -> bool {
    page.iter().any(|element| element.get("id") == id)
}

#[test]
fn every_topic_is_in_the_tree_and_every_branch_has_its_words() {
    let topics = decade();
    let tree = topics.hierarchical_topics().unwrap();
    let page = page(&topics.report().to_html().unwrap());
    let branches: Vec<&Element> = named(&page, "summary").filter(|summary| summary.has_class("line")).collect();
    assert_eq!(branches.len(), tree.merges().len());
    let root = tree.root().unwrap();
    for (word, _) in root.words.iter().take(5) {
        assert!(branches[0].text.contains(word), "{word}: {}", branches[0].text);
    }
    let numbers = format!("3 topics · 200 rows · distance {:.2}", root.distance);
    assert!(branches[0].text.ends_with(&numbers), "{}", branches[0].text);
    for leaf in tree.leaves() {
        let line =
            page.iter().find(|e| e.has_class("line") && e.name == "div" && e.text.starts_with(&leaf.id.to_string()));
        let rows = format!("{} rows", leaf.size);
        assert!(line.unwrap().text.ends_with(&rows), "{}", line.unwrap().text);
    }
    assert!(named(&page, "a").any(|link| link.get("href") == "#tree"));
    assert!(!has(&page, "time") && !has(&page, "class-0"), "only where asked");
}

#[test]
fn trees_may_be_left_out_absent_or_large() {
    let topics = decade();
    let none = page(&topics.report().tree(false).to_html().unwrap());
    assert!(!has(&none, "tree") && !named(&none, "a").any(|link| link.get("href") == "#tree"));
    let single = page(&topics.merge_topics(&[&[0, 1, 2]]).unwrap().report().to_html().unwrap());
    assert!(!has(&single, "tree"));

    let themes: Vec<usize> = (0..120).map(|row| row % 40).collect();
    let topics = fitted(&themes, Vec::new());
    let is_open = |page: &[Element]| {
        let branches = named(page, "details").filter(|details| !details.has_class("outliers"));
        branches.map(|details| details.attributes.contains_key("open")).collect::<Vec<bool>>()
    };
    let large = page(&topics.report().to_html().unwrap());
    let branches = is_open(&large);
    assert_eq!((branches.len(), branches.iter().filter(|open| **open).count()), (39, 11), "down to 12 branches");
    let cut = page(&topics.report().max_topics(10).to_html().unwrap());
    assert_eq!(is_open(&cut), [true; 9], "ten branches that are not taken apart, or topics");
    assert!(inside(&cut, "tree").contains("all 40 topics") && inside(&cut, "tree").contains("not taken apart"));
}

#[test]
fn the_map_and_the_similarity_of_topics_are_on_the_page() {
    let topics = decade();
    let all = topics.report().to_html().unwrap().into_string();
    let drawn = page(&all);
    for (id, figure) in [
        ("map", topics.visualize_documents().title("").svg().unwrap()),
        ("similarity", topics.visualize_heatmap().n_clusters(2).title("").svg().unwrap()),
    ] {
        let figure = figure.replacen(" xmlns=\"http://www.w3.org/2000/svg\"", "", 1);
        assert!(has(&drawn, id) && all.contains(&figure), "{id}");
        assert!(named(&drawn, "a").any(|link| link.get("href") == format!("#{id}")));
    }
    let style = named(&drawn, "style").next().unwrap();
    assert!(style.text.contains(".figure svg [fill=\"#1f2328\"]{fill:#e6e9ed}"), "dark where the reader prefers it");
    let without = topics.report().map(false).heatmap(false).to_html().unwrap().into_string();
    assert!(!has(&page(&without), "map") && !has(&page(&without), "similarity") && !without.contains(".figure svg ["));
    let single = page(&topics.merge_topics(&[&[0, 1, 2]]).unwrap().report().to_html().unwrap());
    assert!(has(&single, "map") && !has(&single, "similarity"));
    // Without vectors, there is no map, but words can be compared.
    let bare = topics.without_data();
    let bare = page(&bare.report().to_html().unwrap());
    assert!(has(&bare, "similarity"));
}

#[test]
fn figures_of_many_documents_and_topics_add_less_than_a_megabyte() {
    let topics = crate::figures_map::in_the_plane(60_000, 60);
    let page = topics.report().max_topics(1).to_html().unwrap();
    let without = topics.report().max_topics(1).map(false).heatmap(false).to_html().unwrap();
    let added = page.len() - without.len();
    assert!((30_000..1_000_000).contains(&added), "{added}");
    assert!(page.contains("of 60,000 documents"));
}

#[test]
fn curves_have_the_shares_of_every_bin() {
    let page = page(&decade().report().time("year").to_html().unwrap());
    let expected = [
        "Share of topic 0: 60% at first (2000), at most 60% (2000), 15% at last (2009).",
        "Share of topic 1: 10% at first (2000), at most 55% (2009), 55% at last (2009).",
        "Share of topic 2: 30% at first (2000), at most 30% (2000), 30% at last (2009).",
    ];
    let drawings: Vec<&Element> = named(&page, "svg").filter(|svg| svg.has_class("curve")).collect();
    let alternatives: Vec<&str> = drawings.iter().map(|svg| svg.get("aria-label")).collect();
    assert_eq!(alternatives, expected);
    assert!(drawings.iter().all(|svg| svg.get("role") == "img" && svg.text.contains("Words at the peak: ")));
    // From the upper left, the peak, to the lower right, a quarter of it.
    let lines: Vec<&str> = named(&page, "path").map(|path| path.get("d")).collect();
    assert!(lines[2].starts_with("M4.0 4.0L25.3 7.3L") && lines[2].ends_with("L196.0 34.0"), "{}", lines[2]);
    let text = inside(&page, "time");
    for expected in ["by year: 10 bins, the first from 2000, the last from 2009.", "first10%2000peak55%2009last55%2009"]
    {
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[test]
fn topics_that_rise_or_fall_are_a_table() {
    let topics = decade();
    let page = page(&topics.report().time("year").to_html().unwrap());
    let text = inside(&page, "time");
    assert!(text.contains("2 topics rise or fall significantly, of 3 topics tested."), "{text}");
    let rows: Vec<&str> = named(&page, "tr").map(|row| row.text.as_str()).filter(|row| row.contains("ing")).collect();
    let emerging = topics.topics_over_time("year").unwrap().emerging_topics().unwrap();
    assert_eq!(emerging.column("Trend").unwrap().str().unwrap().iter().flatten().filter(|t| *t != "none").count(), 2);
    let rising = rows.iter().find(|row| row.contains("↑ rising")).unwrap();
    let falling = rows.iter().find(|row| row.contains("↓ falling")).unwrap();
    assert!(rising.starts_with('1') && rising.contains("+45.0"), "{rising}");
    assert!(falling.starts_with('0') && falling.contains("−45.0"), "{falling}");
    let q = emerging.column("Q_value").unwrap().f64().unwrap().get(0).unwrap();
    assert!(rows.iter().any(|row| row.ends_with(&format!("{q:.3}"))), "{q}: {rows:?}");
    assert_eq!(named(&page, "p").filter(|p| p.has_class("trend")).count(), 2, "the cards say so, too");
}

#[test]
fn few_bins_and_missing_times_are_told() {
    let themes: Vec<usize> = (0..60).map(|row| row % 3).collect();
    let years = |year: fn(usize) -> Option<i32>| {
        let column = Column::new("year".into(), (0..60).map(year).collect::<Vec<_>>());
        let html = fitted(&themes, vec![column]).report().time("year").to_html().unwrap();
        inside(&page(&html), "time").to_owned()
    };
    let two = years(|row| (row > 0).then_some(1999 + row as i32 % 2));
    assert!(two.contains("at least three are needed") && two.contains("1 row without a time is left out"), "{two}");
    let one = years(|row| (row > 1).then_some(1999));
    assert!(one.contains("All rows are from one bin of year, 1999, so there is nothing to compare"), "{one}");
    assert!(one.contains("2 rows without a time are left out") && !one.contains("Rising"), "{one}");
    let none = years(|_| None);
    assert!(none.contains("No row has a time in year"), "{none}");
    let even = years(|row| Some(row as i32 / 6));
    assert!(even.contains("No topic rises or falls more than by chance: of 3 topics tested"), "{even}");
}

#[test]
fn bins_are_chosen_to_be_readable() {
    let note = |column: Column, options: OverTimeOptions| {
        let themes: Vec<usize> = (0..column.len()).map(|row| row % 3).collect();
        let html = fitted(&themes, vec![column]).report().time_with("t", options).to_html().unwrap();
        inside(&page(&html), "time").to_owned()
    };
    let auto = OverTimeOptions::new;
    let numbers = |most: i64, step: i64| Column::new("t".into(), (0..most).map(|n| n * step).collect::<Vec<i64>>());
    let days = |most: i64| numbers(most, 1).cast(&DataType::Int32).unwrap().cast(&DataType::Date).unwrap();
    let seconds = numbers(240, 300_000).cast(&DataType::Datetime(TimeUnit::Milliseconds, None)).unwrap();
    let cases = [
        (days(60), auto(), "60 bins, the first from 1970-01-01, the last from 1970-03-01."),
        (days(61), auto(), "10 bins of 1 week, the first from 1969-12-29, the last from 1970-03-02."),
        (days(730), auto(), "24 bins of 1 month, the first from 1970-01, the last from 1971-12."),
        (days(730), auto().every("1q"), "8 bins of 1 quarter, the first from 1970-01, the last from 1971-10."),
        (days(730), auto().nr_bins(2), "2 bins, the first from 1970-01-01, the last from 1970-12-31."),
        (numbers(100, 1), auto(), "50 bins of 2, the first from 0, the last from 98."),
        (numbers(100, 10_000_000_000), auto(), "60 bins, the first from 0, the last from 973500000000."),
        (seconds, auto(), "20 bins of 1 hour, the first from 1970-01-01 00:00, the last from 1970-01-01 19:00."),
    ];
    for (column, options, expected) in cases {
        let text = note(column, options);
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[test]
fn classes_have_the_numbers_of_topics_per_class() {
    let topics = decade();
    let page = page(&topics.report().class("group").class("group").to_html().unwrap());
    let frame = topics.topics_per_class_with("group", &PerClassOptions::new().absent(true)).unwrap();
    let cells: Vec<&Element> = named(&page, "td").filter(|cell| cell.get("title").contains("95% interval")).collect();
    assert_eq!(cells.len(), frame.height());
    let numbers = |name: &str| frame.column(name).unwrap().f64().unwrap().to_vec();
    let (lifts, q_values, odds) = (numbers("Lift"), numbers("Q_value"), numbers("Log_odds_ratio"));
    let rows = frame.column("Frequency").unwrap().i64().unwrap();
    let mut marked = 0;
    for (place, cell) in cells.iter().enumerate() {
        // The frame is by class, the table by topic.
        let row = place % 2 * 3 + place / 2;
        let (lift, q) = (lifts[row].unwrap(), q_values[row].unwrap());
        assert!(cell.get("title").starts_with(&format!("{} row", rows.get(row).unwrap())), "{cell:?}");
        assert!(cell.get("title").contains(&format!("log odds ratio {:.2}", odds[row].unwrap())), "{cell:?}");
        assert!(cell.text.contains(&format!("×{lift:.1} p ")), "{cell:?}");
        let expected = if q >= 0.05 {
            ""
        } else if lift > 1.0 {
            "over"
        } else {
            "under"
        };
        assert_eq!(cell.get("class"), expected, "{cell:?}");
        assert_eq!((cell.text.contains('▲'), cell.text.contains('▼')), (expected == "over", expected == "under"));
        marked += usize::from(!expected.is_empty());
    }
    let text = inside(&page, "class-0");
    assert!(text.starts_with("Topics by group") && marked > 2, "{text}");
    assert!(text.contains(&format!("{marked} of 6 cells.")) && !text.contains("not shown"), "{text}");
    assert!(!has(&page, "class-1"), "the same column again is one table");
}

#[test]
fn tables_of_classes_are_limited_and_say_so() {
    let themes: Vec<usize> = (0..120).map(|row| row % 3).collect();
    // 13 classes; the larger the number, the more rows.
    let class = |row: i64| (row > 3).then(|| (row * 17 / 10).isqrt());
    let classes: Vec<Option<i64>> = (0..120).map(class).collect();
    let blank: Vec<&str> = vec![" "; 120];
    let columns = vec![Column::new("class".into(), classes), Column::new("blank".into(), blank)];
    let topics = fitted(&themes, columns);
    let html = topics.report().max_topics(2).class("class").class("blank").to_html().unwrap();
    let page = page(&html);
    let text = inside(&page, "class-0");
    assert!(text.contains("1 smaller topic and 1 smaller class not shown"), "{text}");
    assert!(text.contains("4 rows without a class are left out."), "{text}");
    let headings = named(&page, "th").filter(|cell| cell.get("scope") == "col" && cell.text.contains("row")).count();
    assert_eq!(headings, 12 + 1);
    let text = inside(&page, "class-1");
    assert!(text.contains("There is only one class") && text.contains("(blank)120 rows"), "{text}");
}

#[test]
fn hostile_columns_classes_and_labels_do_nothing() {
    let themes: Vec<usize> = (0..60).map(|row| row % 3).collect();
    let classes: Vec<&str> = (0..60).map(|row| HOSTILE[row / 3 % 10]).collect();
    let years: Vec<i32> = (0..60).map(|row| row / 12).collect();
    let columns = vec![Column::new(HOSTILE[0].into(), years), Column::new(HOSTILE[1].into(), classes)];
    let topics = fitted(&themes, columns).set_topic_labels([(0, HOSTILE[3]), (1, HOSTILE[4])]).unwrap();
    let html = topics.report().time(HOSTILE[0]).class(HOSTILE[1]).to_html().unwrap();
    let page = page(&html);
    assert!(inside(&page, "time").contains(HOSTILE[0]) && inside(&page, "tree").contains(HOSTILE[4]));
    assert!(inside(&page, "class-0").contains(HOSTILE[1]) && inside(&page, "class-0").contains("javascript:alert"));
    assert!(!html.contains('\u{202E}') && !html.contains('\0'));
}

#[test]
fn columns_that_cannot_be_shown_are_errors() {
    let topics = decade();
    let refused = |report: Report| report.to_html().unwrap_err();
    let error = refused(topics.report().time("yeer"));
    assert_eq!((error.kind(), error.column()), (ErrorKind::MissingColumn, Some("yeer")));
    assert!(format!("{error:#}").contains("Did you mean `year`?"), "{error:#}");
    let error = refused(topics.report().class("gruop"));
    assert_eq!((error.kind(), error.column()), (ErrorKind::MissingColumn, Some("gruop")));
    let error = refused(topics.report().time("group"));
    assert_eq!((error.kind(), error.row()), (ErrorKind::InvalidData, Some(0)));
    let error = refused(topics.report().class("vector"));
    assert_eq!(error.kind(), ErrorKind::WrongType);
    let error = refused(topics.report().time_with("year", OverTimeOptions::new().every("1mo")));
    assert_eq!(error.kind(), ErrorKind::InvalidParameter);
    let error = topics.report().time_with("year", OverTimeOptions::new().by("group")).check().unwrap_err();
    assert!(error.kind() == ErrorKind::InvalidParameter && error.parameter() == Some("by"), "{error:#}");
    let error = refused(topics.without_data().report().time("year"));
    assert!(error.kind() == ErrorKind::NotFound && format!("{error}").contains("documents"), "{error:#}");
    assert!(topics.without_data().report().to_html().unwrap().contains("Topics in a tree"));
}
