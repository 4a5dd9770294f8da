//! The interactive map: what is on its page, from frames and from models.

use std::path::Path;

use topicframe::error::ErrorKind;
use topicframe::model::{SaveOptions, SavedVectors};
use topicframe::polars::prelude::*;
use topicframe::prelude::{
    Communities, FittedTopicModel, Html, InteractiveMap, Label, OverTimeOptions, Show, StaticEmbedder, TopicModel,
};

use crate::command_explore::explored;
use crate::command_topics::{done, model, refused, text};
use crate::corpora::{captions, drawings, frame_with_images};
use crate::map_pages::{Page, disjoint_labels};

const HOSTILE: [&str; 8] = [
    "</script><script>alert(1)</script>",
    "<!-- <script> \"'`&amp;<img src=x onerror=alert(1)>",
    "שלום \u{200F}x",
    "🏳️‍🌈\n\ttwo lines",
    "\u{2028}\u{2029}\\u003c ${x} ]]>",
    "EVCXR_END_CONTENT",
    "a\u{202E}b\u{0}c\u{7f}d",
    "",
];

fn hostile() -> DataFrame {
    let text = |row: usize| if row % 9 == 8 { None } else { Some(HOSTILE[row % 9]) };
    let rows = 1_100;
    df!(
        "x" => (0..rows).map(|row| (row * 37 % 101) as f64 / 7.0).collect::<Vec<f64>>(),
        "y" => (0..rows).map(|row| (row * 53 % 97) as f32).collect::<Vec<f32>>(),
        HOSTILE[0] => (0..rows).map(text).collect::<Vec<_>>(),
        "Topic" => (0..rows).map(|row| (row % 9) as i32 - 1).collect::<Vec<i32>>(),
        "Name" => (0..rows).map(text).collect::<Vec<_>>(),
        "year" => (0..rows).map(|row| if row % 10 == 0 { None } else { Some(1900 + (row % 3) as i64) }).collect::<Vec<_>>(),
        "Probability" => (0..rows).map(|row| row as f64 / 2_000.0).collect::<Vec<f64>>(),
    )
    .unwrap()
}

fn html(map: &InteractiveMap) -> String {
    map.html().map(Html::into_string).unwrap()
}

fn read(map: &InteractiveMap) -> Page {
    Page::read(&html(map))
}

fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

/// What the page has of a text: without control characters and overrides.
fn plain(text: &str) -> String {
    text.replace(['\u{202E}', '\u{0}', '\u{7f}'], "\u{FFFD}")
}

#[test]
fn hostile_texts_are_texts_everywhere_on_the_page() {
    let frame = hostile();
    let map = InteractiveMap::of_frame(&frame, "x", "y").text(HOSTILE[0]).title(HOSTILE[1]).time("year");
    let map = map.color_by(["Name", HOSTILE[0], "year"]);
    let page = read(&map);
    assert_eq!((page.number("/rows"), page.number("/total"), page.number("/drawn")), (1_100, 1_100, 1_100));
    assert_eq!(page.data["title"], HOSTILE[1]);
    assert_eq!(page.data["texts"]["column"], HOSTILE[0]);
    let texts = frame.column(HOSTILE[0]).unwrap().str().unwrap().iter();
    assert_eq!(page.texts(), texts.map(|text| plain(text.unwrap_or_default())).collect::<Vec<_>>());
    let names: Vec<&str> =
        page.data["topics"].as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap()).collect();
    for text in HOSTILE.iter().skip(1).filter(|text| !text.is_empty()) {
        assert!(names.contains(&plain(text).as_str()), "{text} in {names:?}");
    }
    assert_eq!(page.topics(), (0..1_100).map(|row| row % 9 - 1).collect::<Vec<_>>());
    disjoint_labels(&page);

    // In a cell, the page is in an attribute, and evcxr's marks are no marks.
    let cell = map.to_html();
    assert!(!cell.contains("<script") && !cell.contains("onerror=alert(1)>"), "everything is escaped");
    assert!(cell.contains("sandbox=\"allow-scripts allow-downloads\"") && cell.contains("data:image/svg+xml;base64,"));
    let (_, rest) = cell.split_once("srcdoc=\"").unwrap();
    let srcdoc = rest.split_once('"').unwrap().0;
    let unescaped = html_escape::decode_html_entities(srcdoc).into_owned();
    assert_eq!(Page::read(&unescaped).texts(), page.texts());
}

#[test]
fn every_value_of_a_row_is_on_the_page() {
    let mut frame = hostile();
    let x: Vec<f64> = frame.column("x").unwrap().f64().unwrap().iter().flatten().collect();
    let x: Vec<Option<f64>> = x.iter().enumerate().map(|(row, &x)| (row % 100 != 7).then_some(x)).collect();
    frame.replace("x", Column::new("x".into(), &x)).unwrap();
    let page = read(&InteractiveMap::of_frame(&frame, "x", "y").time("year").color_by(["year", "Name"]));
    assert_eq!((page.number("/rows"), page.number("/drawn")), (1_100, 1_089));
    let y = frame.column("y").unwrap().f32().unwrap();
    // The plane is as wide as the longer side, which is that of y, and its middle is the layout's.
    let (unit, middle) = (96.0, (100.0 / 7.0 / 2.0, 48.0));
    for (row, place) in page.places().into_iter().enumerate() {
        match (x[row], place) {
            (None, None) => {}
            (Some(x), Some([column, line])) => {
                let expected = (0.5 + (x - middle.0) / unit, 0.5 - (f64::from(y.get(row).unwrap()) - middle.1) / unit);
                assert!((f64::from(column) / 65_534.0 - expected.0).abs() < 1e-4, "{row}");
                assert!((f64::from(line) / 65_534.0 - expected.1).abs() < 1e-4, "{row}");
            }
            other => panic!("{row}: {other:?}"),
        }
    }
    // Time: three years and rows without one.
    let bins: Vec<&str> =
        page.data["time"]["bins"].as_array().unwrap().iter().map(|bin| bin["label"].as_str().unwrap()).collect();
    assert_eq!((bins.as_slice(), page.number("/time/undated")), (["1900", "1901", "1902"].as_slice(), 110));
    let expected = (0..1_100).map(|row| if row % 10 == 0 { 255 } else { (row % 3) as u8 });
    assert_eq!(page.inflated("time").unwrap(), expected.collect::<Vec<u8>>());
    // Few integers are classes, the most frequent first; strengths are numbers.
    let values = &page.data["values"];
    let classes: Vec<(&str, u64)> = values[0]["classes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|class| (class["name"].as_str().unwrap(), class["count"].as_u64().unwrap()))
        .collect();
    let count = |rest: usize| (0..1_100).filter(|row| row % 10 != 0 && row % 3 == rest).count() as u64;
    assert_eq!(classes.iter().map(|(_, count)| count).sum::<u64>(), 990);
    assert!(classes.is_sorted_by(|a, b| a.1 >= b.1) && classes.contains(&("1901", count(1))));
    let bytes = page.inflated("value-0").unwrap();
    let name = |byte: u8| (byte != 255).then(|| classes[byte as usize].0.to_owned());
    let of_rows = (0..1_100).map(|row| (row % 10 != 0).then(|| (1900 + row % 3).to_string()));
    assert!(bytes.iter().map(|&byte| name(byte)).eq(of_rows));
    assert_eq!((values[2]["column"].as_str(), values[2]["kind"].as_str()), (Some("Probability"), Some("number")));
    let (low, high) = (values[2]["low"].as_f64().unwrap(), values[2]["high"].as_f64().unwrap());
    assert_eq!((low, high), (0.0, 1_099.0 / 2_000.0));
    for (row, byte) in page.inflated("value-2").unwrap().into_iter().enumerate() {
        let number = low + f64::from(byte) / 254.0 * (high - low);
        assert!((number - row as f64 / 2_000.0).abs() <= (high - low) / 254.0 / 1.9, "{row}");
    }
}

/// Posts about a handful of things, from a fixed seed.
fn posts(rows: usize) -> DataFrame {
    let mut state = 7_u64;
    let mut random = move |most: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % most
    };
    let (mut x, mut y, mut topics, mut texts, mut dates) = (vec![], vec![], vec![], vec![], vec![]);
    let captions = captions(108);
    for row in 0..rows {
        let topic = random(40);
        let spread = |random: usize| random as f32 / 1_000.0;
        x.push((topic % 8) as f32 * 3.0 + spread(random(2_000)));
        y.push((topic / 8) as f32 * 2.0 + spread(random(1_500)));
        topics.push(topic as i32 - 1);
        texts.push(format!("{} {}, number {row}", captions[random(108)], captions[topic + 30]));
        dates.push(format!("20{:02}-{:02}-{:02}", 10 + random(14), 1 + random(12), 1 + random(28)));
    }
    let names: Vec<String> =
        topics.iter().map(|topic| format!("{topic}_{}", captions[(topic + 31) as usize])).collect();
    let columns = df!("x" => x, "y" => y, "Topic" => topics, "Name" => names, "text" => texts, "date" => dates);
    columns.unwrap()
}

#[test]
fn a_cell_has_at_most_20000_rows_and_says_what_is_left_out() {
    let frame = posts(23_000);
    let map = InteractiveMap::of_frame(&frame, "x", "y").text("text").time("date").title("Posts");
    let cell = map.to_html();
    let (_, rest) = cell.split_once("srcdoc=\"").unwrap();
    let page = html_escape::decode_html_entities(rest.split_once('"').unwrap().0).into_owned();
    let page = Page::read(&page);
    assert_eq!((page.number("/rows"), page.number("/total"), page.number("/texts/limit")), (20_000, 23_000, 120));
    assert_eq!(page.data["time"]["bins"].as_array().unwrap().len(), 168);
    let rows = page.rows();
    assert!(rows.len() == 20_000 && rows.is_sorted_by(|a, b| a < b) && *rows.last().unwrap() < 23_000);
    let texts = frame.column("text").unwrap().str().unwrap();
    let topics = frame.column("Topic").unwrap().i32().unwrap();
    for (place, (text, topic)) in page.texts().iter().zip(page.topics()).enumerate() {
        let row = rows[place] as usize;
        assert_eq!((text.as_str(), topic), (texts.get(row).unwrap(), i64::from(topics.get(row).unwrap())));
    }
    // Counts of topics are those of all rows.
    let counts: u64 = page.data["topics"].as_array().unwrap().iter().map(|t| t["count"].as_u64().unwrap()).sum();
    assert_eq!(counts, 23_000);
    assert!(cell.len() < 1_900_000, "{}", cell.len());
    assert_eq!(map.to_text().unwrap(), "Posts: a map of 23,000 rows");

    let whole = html(&InteractiveMap::of_frame(&frame.head(Some(20_000)), "x", "y").text("text"));
    assert!(whole.len() < 1_200_000, "{}", whole.len());
    let shown = disjoint_labels(&Page::read(&whole));
    assert!(shown.is_sorted() && *shown.last().unwrap() == 39, "{shown:?}");
}

#[test]
#[ignore = "writes a page of 60 MB: run with TOPICFRAME_MAPS=FOLDER"]
fn a_million_texts_are_a_page_of_60_mb() {
    let folder = std::env::var("TOPICFRAME_MAPS").unwrap();
    let path = Path::new(&folder).join("million.html");
    let frame = posts(1_000_000);
    let map = InteractiveMap::of_frame(&frame, "x", "y").text("text").time("date").color_by(["Name"]);
    map.write(&path).unwrap();
    assert!(std::fs::metadata(path).unwrap().len() <= 60_000_000);
}

fn drawn(rows: usize) -> (DataFrame, FittedTopicModel) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data/openclipart");
    let frame = drawings().head(Some(rows));
    let model = TopicModel::text("caption", StaticEmbedder::builtin()).with_images("image").image_folder(folder);
    let model = model.clusterer(Communities::new().n_neighbors(6)).min_topic_size(4);
    let topics = model.fit(&frame).unwrap();
    (frame, topics)
}

#[test]
fn pictures_never_overlap_and_stay_while_zooming_in() {
    let folder = tempfile::tempdir().unwrap();
    let mut frame = frame_with_images(90, folder.path());
    std::fs::write(folder.path().join("4.png"), "no image").unwrap();
    std::fs::remove_file(folder.path().join("7.png")).unwrap();
    let at = |step: usize| (0..90).map(|row| (row * step % 31) as f32).collect::<Vec<f32>>();
    frame.with_column(Column::new("x".into(), at(17))).unwrap();
    frame.with_column(Column::new("y".into(), at(7))).unwrap();
    let map = InteractiveMap::of_frame(&frame, "x", "y").images("image", folder.path());
    let page = read(&map.clone().thumbnails(60, 32));
    let (number, side) = (page.number("/pictures/number"), page.number("/pictures/side"));
    let (left_out, unreadable) = (page.number("/pictures/left_out"), page.number("/pictures/unreadable"));
    assert_eq!((number + left_out + unreadable, side, page.number("/pictures/across")), (90, 32, 64));
    assert!(number >= 20 && unreadable <= 2);
    let (places, pictures) = (page.places(), page.pictures());
    assert_eq!(pictures.len() as u64, number);
    for width in (0..40).map(|step| 100.0 * 1.3_f64.powi(step)) {
        let is_shown = |level: u8| width * (-f64::from(level) / 4.0).exp2() >= 40.0;
        let shown: Vec<[u16; 2]> = pictures
            .iter()
            .filter(|(_, level)| is_shown(*level))
            .map(|(row, _)| places[*row as usize].unwrap())
            .collect();
        for (number, a) in shown.iter().enumerate() {
            for b in &shown[..number] {
                let apart = f64::from(a[0].abs_diff(b[0]).max(a[1].abs_diff(b[1]))) / 65_534.0 * width;
                assert!(apart >= 40.0 - 1e-6, "{a:?} {b:?}");
            }
        }
    }
    // The tiles are the images, in their order.
    let sheet = image::load_from_memory(&page.bytes("sheet-0").unwrap()).unwrap().to_rgb8();
    for (place, (row, _)) in pictures.iter().enumerate() {
        let pixel = sheet.get_pixel(place as u32 % 64 * 32 + 16, place as u32 / 64 * 32 + 16).0;
        let strongest = (0..3).max_by_key(|&channel| pixel[channel]).unwrap();
        assert_eq!(strongest as u32, row % 3, "{pixel:?}");
    }
    assert!(read(&map.thumbnails(0, 32)).data["pictures"].is_null());
}

#[test]
fn a_model_is_mapped_with_everything_it_knows() {
    let (frame, topics) = drawn(300);
    let topics = topics.set_topic_labels([(0, "Old <cars>")]).unwrap();
    let map = topics.interactive_map().color_by(["category"]).thumbnails(40, 32);
    let page = read(&map);
    assert_eq!(page.topics(), topics.labels().into_iter().map(i64::from).collect::<Vec<_>>());
    let captions: Vec<&str> = frame.column("caption").unwrap().str().unwrap().iter().flatten().collect();
    assert_eq!(page.texts(), captions);
    assert_eq!(
        (page.data["texts"]["column"].as_str(), page.data["pictures"]["column"].as_str()),
        (Some("caption"), Some("image"))
    );
    assert_eq!((page.number("/pictures/number"), page.number("/pictures/unreadable")), (40, 0));
    let listed = page.data["topics"].as_array().unwrap();
    let of = |id: i32| listed.iter().find(|topic| topic["id"] == id).unwrap();
    assert_eq!((of(0)["name"].as_str(), of(0)["label"].as_str()), (Some("Old <cars>"), Some("Old <cars>")));
    assert_eq!(of(1)["name"].as_str(), topics.topic_name(1).as_deref());
    let words: Vec<String> = topics.get_topic(1).unwrap().into_iter().map(|(word, _)| word).take(10).collect();
    assert_eq!(of(1)["words"], serde_json::json!(words));
    assert!(read(&map.clone().label(Label::Name)).data["topics"][0]["name"].as_str().unwrap().starts_with("0_"));
    // Colors and places are those of the other figures.
    assert_eq!(map.clone().title("Documents and topics").svg().unwrap(), topics.visualize_documents().svg().unwrap());
    disjoint_labels(&page);

    // The same bytes on any number of threads.
    assert_eq!(on_threads(1, || html(&map)), on_threads(3, || html(&map)));
    let dark = html(&map.clone().dark(true));
    assert!(dark.contains("<html lang=\"en\" class=\"dark\">") && map.dark(true).svg().unwrap().contains("#111418"));
}

#[test]
fn coarser_topics_have_labels_until_their_parts_have() {
    let topics = TopicModel::text("caption", StaticEmbedder::builtin()).min_topic_size(5).fit(&drawings()).unwrap();
    let page = read(&topics.interactive_map());
    let (layers, listed) = (page.data["layers"].as_array().unwrap(), page.data["topics"].as_array().unwrap());
    assert!(!layers.is_empty() && listed.len() > 30, "{} {}", layers.len(), listed.len());
    for layer in layers {
        let coarse = layer["topics"].as_array().unwrap();
        let groups: Vec<u64> = layer["groups"].as_array().unwrap().iter().map(|g| g.as_u64().unwrap()).collect();
        assert_eq!(groups.len(), listed.len());
        assert!(groups.iter().all(|&group| group < coarse.len() as u64) && coarse.len() * 2 < listed.len());
        let rows: u64 = coarse.iter().map(|topic| topic["count"].as_u64().unwrap()).sum();
        assert!(rows >= page.number("/rows") && coarse.iter().all(|topic| topic["label"].as_str().is_some()));
        for (group, topic) in groups.iter().zip(listed) {
            let is_gray = coarse[*group as usize]["color"].is_null();
            assert_eq!(topic["id"] == -1, is_gray);
        }
    }
    let labels = page.data["labels"].as_array().unwrap();
    let coarse: Vec<_> = labels.iter().filter(|label| label["layer"] != 0).collect();
    assert!(
        !coarse.is_empty()
            && coarse.iter().all(|label| label["to"].as_f64().unwrap() > label["from"].as_f64().unwrap())
    );
    // Where a coarser label is shown, none of its topics has one.
    for label in &coarse {
        for part in label["topics"].as_array().unwrap() {
            let own = labels.iter().find(|own| own["topic"] == *part);
            assert!(own.is_none_or(|own| own["from"].as_f64() >= label["to"].as_f64()), "{label} {own:?}");
        }
    }
    let shown = disjoint_labels(&page);
    assert!(shown[10] >= 3 && *shown.last().unwrap() > 30, "{shown:?}");
}

#[test]
fn a_saved_model_is_mapped_with_what_it_keeps() {
    let (frame, topics) = drawn(120);
    let folder = tempfile::tempdir().unwrap();
    let map = |topics: &FittedTopicModel| topics.interactive_map().thumbnails(20, 32);
    let expected = html(&map(&topics));
    topics.save(folder.path().join("whole")).unwrap();
    assert_eq!(html(&map(&FittedTopicModel::load(folder.path().join("whole")).unwrap())), expected);
    topics.save_with(folder.path().join("bare"), &SaveOptions::new().documents(false)).unwrap();
    let bare = FittedTopicModel::load(folder.path().join("bare")).unwrap();
    let page = read(&map(&bare));
    assert!(page.data["texts"].is_null() && page.number("/drawn") == 120);
    let error = map(&bare).color_by(["category"]).html().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    // With the rows of the fit, it is whole again.
    let given = read(&map(&bare).documents(&frame).color_by(["category"]));
    assert_eq!((given.texts().len(), given.number("/pictures/number")), (120, 20));
    let error = map(&bare).documents(&frame.head(Some(7))).html().unwrap_err();
    assert!(error.message().contains("7 rows") && error.message().contains("120"), "{error}");
    // Without vectors, a layout that was made before is enough.
    topics.layout_2d().unwrap();
    let options = SaveOptions::new().documents(false).vectors(SavedVectors::None);
    topics.save_with(folder.path().join("nothing"), &options).unwrap();
    let page = read(&map(&FittedTopicModel::load(folder.path().join("nothing")).unwrap()));
    assert_eq!((page.number("/drawn"), page.data["layers"].as_array().unwrap().len()), (120, 0));
}

#[test]
fn settings_and_columns_that_cannot_be_are_errors() {
    let frame = hostile();
    let map = || InteractiveMap::of_frame(&frame, "x", "y");
    let error = |map: InteractiveMap| map.html().unwrap_err();
    for (map, kind, word) in [
        (map().title(" \n"), ErrorKind::InvalidParameter, "title"),
        (map().text_length(0), ErrorKind::InvalidParameter, "text_length"),
        (map().thumbnails(10, 15), ErrorKind::InvalidParameter, "16 to 256"),
        (map().thumbnails(10, 257), ErrorKind::InvalidParameter, "16 to 256"),
        (map().time_with("year", OverTimeOptions::new().by("Name")), ErrorKind::InvalidParameter, "color_by"),
        (map().text("absent"), ErrorKind::MissingColumn, "absent"),
        (map().text("x"), ErrorKind::WrongType, "text"),
        (map().images("absent", ""), ErrorKind::MissingColumn, "absent"),
        (map().images("x", ""), ErrorKind::WrongType, "image"),
        (map().time("x"), ErrorKind::WrongType, "time"),
        (map().time("Name"), ErrorKind::InvalidData, "date"),
        (map().topics("x", None), ErrorKind::WrongType, "integers"),
        (map().topics("Topic", Some("x")), ErrorKind::WrongType, "text"),
        (map().color_by(["absent"]), ErrorKind::MissingColumn, "absent"),
        (InteractiveMap::of_frame(&frame, "Name", "y"), ErrorKind::WrongType, "coordinates"),
        (InteractiveMap::of_frame(&frame, "x", "z"), ErrorKind::MissingColumn, "z"),
    ] {
        let error = error(map.clone());
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(word), "{word} in {error}");
        // In a cell, the error is shown.
        assert!(!map.to_html().contains("<iframe"), "{error}");
    }
    let large = df!("x" => [0.0], "y" => [0.0], "Topic" => [i64::MAX]).unwrap();
    assert_eq!(error(InteractiveMap::of_frame(&large, "x", "y")).kind(), ErrorKind::InvalidData);
    let dates = Column::new("date".into(), [3_i32]).cast(&DataType::Date).unwrap();
    let dates = df!("x" => [0.0], "y" => [0.0]).unwrap().hstack(&[dates]).unwrap();
    assert_eq!(error(InteractiveMap::of_frame(&dates, "x", "y").color_by(["date"])).kind(), ErrorKind::WrongType);
}

#[test]
fn no_rows_one_row_and_rows_without_a_place_are_pages() {
    for rows in [0, 1, 5] {
        let x: Vec<f64> = (0..rows).map(|row| if rows == 5 { f64::NAN } else { f64::from(row) }).collect();
        let frame = df!("x" => &x, "y" => &x, "text" => vec!["a"; x.len()], "n" => vec![None::<i64>; x.len()]);
        let frame = frame.unwrap();
        let map = InteractiveMap::of_frame(&frame, "x", "y").text("text").color_by(["x", "text"]).time("n");
        let page = read(&map);
        assert!(map.svg().unwrap().starts_with("<svg") && map.to_html().contains("srcdoc"));
        assert_eq!(page.number("/drawn"), if rows == 5 { 0 } else { x.len() as u64 });
        assert_eq!(page.number("/rows"), x.len() as u64);
    }
}

#[test]
fn the_command_writes_the_map_of_the_library() {
    let folder = explored();
    let here = folder.path();
    let said = text(&done(here, "info model --map map.html --time month --class group").stderr);
    assert!(said.contains("wrote map"), "{said}");
    let expected = model(here, "model").interactive_map().time("month").color_by(["group"]);
    assert_eq!(std::fs::read_to_string(here.join("map.html")).unwrap(), html(&expected));
    done(here, "fit posts.parquet --text caption --n-neighbors 4 --min-cluster-size 4 --outliers 20% --map fit.html");
    let fitted = Page::read(&std::fs::read_to_string(here.join("fit.html")).unwrap());
    assert_eq!(fitted.topics(), model(here, "model").labels().into_iter().map(i64::from).collect::<Vec<_>>());
    assert!(refused(here, "info model --map map.csv").contains(".html"));
    assert!(refused(here, "info model --map same.html --report same.html").contains("same.html"));
    assert!(refused(here, "fit posts.parquet --text caption --map no.html --time absent").contains("absent"));
    done(here, "edit model --save bare --save-without-documents");
    done(here, "info bare --map bare.html");
    assert!(refused(here, "info bare --map no.html --class group").contains("without"));
    assert!(!here.join("no.html").exists());
}
