//! How a notebook displays each type that a cell may end with.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use ndarray::Array2;
use topicframe::cluster::{Clusterer, KMeans};
use topicframe::polars::prelude::*;
use topicframe::prelude::*;

use crate::colors::{EyeAndEar, Namer, image_frame, png, texts};
use crate::html::{Element, HOSTILE, assert_harmless, elements};

const ROWS: usize = 60;

struct Cell {
    elements: Vec<Element>,
}

impl Cell {
    /// Parses the output of a cell: a single element with its own style, and nothing that runs or loads.
    fn of(thing: &(impl Show + ?Sized)) -> Self {
        let html = thing.to_html();
        assert!(html.starts_with("<div class=\"topicframe\"><style>"), "{html:.100}");
        assert!(html.ends_with("</div>"), "{html}");
        let elements = elements(&html);
        assert_harmless(&elements, 0);
        Cell { elements }
    }

    fn all(&self, name: &str) -> Vec<&Element> {
        self.elements.iter().filter(|element| element.name == name).collect()
    }

    fn with_class(&self, class: &str) -> Vec<&Element> {
        self.elements.iter().filter(|element| element.has_class(class)).collect()
    }

    fn texts(&self, name: &str) -> Vec<&str> {
        self.all(name).into_iter().map(|element| element.text.as_str()).collect()
    }

    /// All visible text, without style sheets.
    fn text(&self) -> String {
        let sheets = self.texts("style");
        sheets.into_iter().fold(self.elements[0].text.clone(), |text, sheet| text.replacen(sheet, "", 1))
    }

    /// The names and values of a list of facts.
    fn facts(&self) -> Vec<(&str, &str)> {
        self.texts("dt").into_iter().zip(self.texts("dd")).collect()
    }

    fn fact(&self, name: &str) -> &str {
        self.facts().into_iter().find(|(own, _)| *own == name).unwrap_or_else(|| panic!("no {name}")).1
    }
}

/// `text` as displayed on a page: characters that HTML forbids or that change the text direction are replaced.
fn visible(text: &str) -> String {
    let replaced = |c: char| (c.is_control() && c != '\n' && c != '\t') || matches!(c, '\u{202d}' | '\u{202e}');
    text.chars().map(|c| if replaced(c) { '\u{FFFD}' } else { c }).collect()
}

fn words(weights: &[f64]) -> Vec<(String, f64)> {
    weights.iter().enumerate().map(|(i, &weight)| (format!("word{i}"), weight)).collect()
}

fn model(text: &str) -> TopicModel {
    TopicModel::text(text, EyeAndEar).reducer(NoReduction).clusterer(KMeans::new(3))
}

/// Three topics with an image file for each row.
fn illustrated(folder: &Path) -> FittedTopicModel {
    let names: Vec<String> = (0..ROWS).map(|row| format!("picture {row}.png")).collect();
    for (row, name) in names.iter().enumerate() {
        fs::write(folder.join(name), png(row % 3, row)).unwrap();
    }
    let frame = df!("text" => texts(ROWS), "image" => names).unwrap();
    let model = model("text").with_images("image").image_folder(folder);
    model.representation("Visual_Aspect", VisualRepresentation::new()).fit(&frame).unwrap()
}

fn pictures_of(topics: &FittedTopicModel) -> Gallery {
    match topics.topic_aspect("Visual_Aspect").unwrap() {
        Aspect::Images(gallery) => gallery,
        _ => panic!("pictures"),
    }
}

#[test]
fn hostile_text_is_text_in_whatever_shows_it() {
    for hostile in HOSTILE {
        let error =
            Error::new(ErrorKind::Io, Stage::Input, hostile).with_column(hostile).with_path(hostile).with_hint(hostile);
        let fails: std::result::Result<String, String> = Err(hostile.to_owned());
        let of_topics = TopicWords::from([(0, vec![(hostile.to_owned(), 1.0)])]);
        let things: Vec<(&str, Html)> = vec![
            ("a text", hostile.to_html()),
            ("a string", hostile.to_owned().to_html()),
            ("a heading", heading(hostile)),
            ("texts", vec![hostile.to_owned()].to_html()),
            ("words", vec![(hostile.to_owned(), 1.0)].to_html()),
            ("words of topics", of_topics.to_html()),
            ("an aspect", Aspect::Words(of_topics.clone()).to_html()),
            ("an error", error.to_html()),
            ("a result", fails.to_html()),
            ("a frame", df!(hostile => [hostile]).unwrap().to_html()),
            ("a column", Column::new(hostile.into(), [hostile]).to_html()),
            ("a series", Series::new(hostile.into(), [hostile]).to_html()),
            ("a path", picture(Path::new(hostile))),
            ("bytes", picture(ImageSource::Encoded { bytes: b"none", name: Some(hostile) })),
            ("a picture's name", picture(ImageSource::Encoded { bytes: &png(0, 0), name: Some(hostile) })),
            ("a model", model(hostile).to_html()),
            ("a tuple", show((hostile, heading(hostile)))),
        ];
        for (kind, html) in &things {
            let cell = Cell::of(html);
            let first_line = visible(hostile).lines().next().unwrap().to_owned();
            let read = cell.text() + &cell.elements.iter().map(|e| e.get("alt")).collect::<String>();
            assert!(read.contains(&first_line), "{kind}: {hostile} in {read}");
        }
    }
}

#[test]
fn topics_of_hostile_texts_and_columns_are_shown_as_they_are_called() {
    let hostile: Vec<Option<String>> =
        texts(ROWS).into_iter().map(|text| Some(format!("{} <script>alert('1')</script>", text.unwrap()))).collect();
    let frame = df!("<script>\"text'" => hostile).unwrap();
    let topics = model("<script>\"text'").fit(&frame).unwrap();
    let cell = Cell::of(&topics);
    assert!(cell.text().contains("<script>alert('1')</script>"), "a representative document");
    assert_eq!(Cell::of(&topics.summary()).fact("text column"), "<script>\"text'");
}

#[test]
fn a_result_shows_its_value_or_its_error_and_an_option_its_value_or_none() {
    let frame = df!("n" => [7]).unwrap();
    let fine: topicframe::error::Result<DataFrame> = Ok(frame.clone());
    assert_eq!(Cell::of(&fine).texts("td"), ["7"]);
    assert_eq!(fine.to_text(), Some(frame.to_string()));
    let error = Error::new(ErrorKind::NotFound, Stage::Topics, "no topic 9").with_hint("Ask for 0 to 3.");
    let fails: topicframe::error::Result<DataFrame> = Err(error.clone());
    let cell = Cell::of(&fails);
    assert_eq!(cell.texts("p"), ["topics: no topic 9", "Ask for 0 to 3."]);
    assert_eq!(cell.texts("b"), ["topics: no topic 9"], "the problem is in bold");
    assert_eq!(cell.with_class("tf-error")[0].get("role"), "alert");
    assert_eq!(fails.to_html(), error.to_html());
    assert_eq!(fails.to_text(), Some(format!("{error:#}")));
    let polars: PolarsResult<Column> = frame.column("gone").cloned();
    assert!(Cell::of(&polars).text().contains("gone"), "errors from other crates");

    assert_eq!(Cell::of(&Some(frame.clone())).texts("td"), ["7"]);
    let none: Option<DataFrame> = None;
    assert_eq!((Cell::of(&none).text().as_str(), none.to_text().as_deref()), ("none", Some("none")));
    let nested: Option<topicframe::error::Result<&str>> = Some(Ok("inside"));
    assert_eq!(Cell::of(&nested).text(), "inside");
}

#[test]
fn what_points_to_something_shows_it() {
    let mut frame = df!("n" => [7]).unwrap();
    let (html, text) = (Show::to_html(&frame), Show::to_text(&frame));
    assert_eq!((Show::to_html(&&frame), Show::to_text(&&&frame)), (html.clone(), text.clone()));
    assert_eq!(Show::to_html(&Box::new(frame.clone())), html);
    assert_eq!(Show::to_html(&Arc::new(frame.clone())), html);
    assert_eq!(Show::to_html(&&mut frame), html);
    let unsized_text: Box<str> = "a text".into();
    assert_eq!(
        (Cell::of(&unsized_text).text().as_str(), unsized_text.to_text().as_deref()),
        ("a text", Some("a text"))
    );
    let any: [Arc<[String]>; 1] = [vec!["x".to_owned()].into()];
    assert_eq!(Cell::of(&any[0]).texts("li"), ["x"]);
}

#[test]
fn parts_of_a_cell_stand_in_their_order() {
    let frame = df!("n" => [7]).unwrap();
    let all = (
        heading("one"),
        "two".to_owned(),
        &frame,
        Some("four"),
        vec!["five".to_owned()],
        vec![("six".to_owned(), 6.0)],
        heading("seven"),
        "eight",
        "nine",
        "ten",
        "eleven",
        ("twelve", "thirteen"),
    );
    let cell = Cell::of(&all);
    let read = cell.text();
    let order = ["one", "two", "7", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    let places: Vec<usize> = order.iter().map(|word| read.find(word).unwrap_or_else(|| panic!("{word}"))).collect();
    assert!(places.is_sorted() && read.contains("thirteen"), "{read}");
    assert!(show(&all).as_str() == all.to_html().as_str() && show(&all).text() == all.to_text().as_deref());
    assert_eq!((cell.texts("h3"), cell.texts("td")), (vec!["one", "seven"], vec!["7"]));
    let text = all.to_text().unwrap();
    assert!(text.starts_with("one\n\ntwo\n\n") && text.ends_with("twelve\n\nthirteen"), "{text}");
    assert_eq!(show(("alone",)).matches("alone").count(), 1);
    assert_eq!((Html::trusted("x"), Html::trusted("y")).to_text(), None, "plain HTML has no text form");

    let pieces = vec![heading("first"), picture(&png(0, 0)[..]), heading("last")];
    assert_eq!(Cell::of(&pieces).texts("h3"), ["first", "last"]);
    assert_eq!((Cell::of(&pieces).all("img").len(), pieces.to_html()), (1, pieces[..].to_html()));
    assert_eq!(Cell::of(&Vec::<Html>::new()).text(), "");
}

#[test]
fn bars_of_words_are_as_long_as_their_weights() {
    let shares = |weights: &[f64]| -> Vec<String> {
        Cell::of(&words(weights)).all("i").into_iter().map(|bar| bar.get("style").to_owned()).collect()
    };
    assert_eq!(shares(&[0.5, 0.25, 0.0]), ["--tf-share:100%", "--tf-share:50%", "--tf-share:0%"]);
    assert_eq!(shares(&[0.1, 0.4]), ["--tf-share:25%", "--tf-share:100%"], "the largest need not be the first");
    assert_eq!(shares(&[2.0, -1.0]), ["--tf-share:100%", "--tf-share:0%"]);
    assert_eq!(shares(&[-2.0, -1.0]), ["--tf-share:0%"; 2]);
    assert_eq!(shares(&[0.0, 0.0]), ["--tf-share:0%"; 2]);
    assert!(shares(&[]).is_empty());
    let cell = Cell::of(&words(&[0.512_345, f64::NAN, -0.25]));
    assert_eq!(cell.texts("li"), ["word00.5123", "word1NaN", "word2-0.25"]);
    assert_eq!(words(&[0.5, 0.25]).to_text().unwrap(), "word0 0.5, word1 0.25");
    assert_eq!(words(&[0.5])[..].to_html(), words(&[0.5]).to_html());

    let many = Cell::of(&words(&[1.0; 45]));
    assert_eq!((many.all("li").len(), many.texts("p")), (40, vec!["5 more words not shown"]));
}

#[test]
fn weights_that_are_no_numbers_have_bars_that_are_lengths() {
    for weights in [[f64::NAN, 1.0], [1.0, f64::INFINITY], [f64::NAN, f64::NAN], [f64::NEG_INFINITY, 1.0]] {
        for bar in Cell::of(&words(&weights)).all("i") {
            let share = bar.get("style").trim_start_matches("--tf-share:").trim_end_matches('%');
            assert!(share.parse::<u32>().is_ok_and(|share| share <= 100), "{weights:?}: {}", bar.get("style"));
        }
    }
}

#[test]
fn words_of_topics_are_a_line_for_each_topic() {
    let topics = TopicWords::from([(-1, words(&[0.3])), (0, words(&[0.5, 0.2])), (1, vec![])]);
    assert_eq!(Cell::of(&topics).facts(), [("-1", "word0"), ("0", "word0, word1"), ("1", "")]);
    assert_eq!(topics.to_text().unwrap(), "-1: word0 0.3\n0: word0 0.5, word1 0.2\n1: ");
    let aspect = Aspect::Words(topics.clone());
    assert_eq!((Show::to_html(&aspect), Show::to_text(&aspect)), (topics.to_html(), topics.to_text()));
    let many: TopicWords = (0..130).map(|topic| (topic, words(&[1.0]))).collect();
    let cell = Cell::of(&many);
    assert_eq!((cell.all("dt").len(), cell.texts("p")), (100, vec!["30 more topics not shown"]));
    let lines = Cell::of(&vec!["x".repeat(1_000); 60]);
    assert_eq!((lines.all("li").len(), lines.texts("p")), (50, vec!["10 more texts not shown"]));
    assert!(lines.texts("li")[0].ends_with('…') && lines.texts("li")[0].chars().count() < 310);
}

#[test]
fn a_model_says_what_it_is_made_of() {
    let model = TopicModel::text_and_images("caption", "photo", EyeAndEar)
        .reducer(Pca::new().n_components(2))
        .clusterer(KMeans::new(3))
        .captioner(Namer::default())
        .representation("Close", MaximalMarginalRelevance::new())
        .top_n_words(7)
        .seed(1234);
    let params = model.get_params();
    let value = |name: &str| -> &str {
        let found: Vec<&str> = params.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str()).collect();
        assert_eq!(found.len(), 1, "{name} once in {params:?}");
        found[0]
    };
    assert_eq!((value("text column"), value("image column")), ("caption", "photo"));
    assert_eq!((value("seed"), value("top_n_words")), ("1234", "7"));
    assert!(value("reducer").contains("Pca") && value("reducer").contains('2'));
    assert!(value("clusterer").contains("KMeans") && value("clusterer").contains('3'));
    assert!(value("embedder").contains("EyeAndEar") && value("captioner").contains("Namer"));
    assert!(value("representation Close").contains("MaximalMarginalRelevance"));
    assert!(value("vectorizer").contains("CountVectorizer") && value("ctfidf").contains("ClassTfIdf"));
    let names = |params: &[(String, String)]| params.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let places = ["text column", "embedder", "reducer", "clusterer", "representation Close", "seed"];
    let places = places.map(|name| names(&params).iter().position(|own| own == name).unwrap());
    assert!(places.is_sorted(), "in the order of the pipeline: {params:?}");

    let cell = Cell::of(&model);
    assert_eq!(cell.texts("dt"), names(&params));
    assert_eq!((cell.fact("seed"), cell.fact("text column")), ("1234", "caption"));
    let text = Show::to_text(&model).unwrap();
    assert_eq!(text.lines().count(), params.len());
    assert!(text.lines().any(|line| line.starts_with("seed ") && line.ends_with(" 1234")), "{text}");

    let plain = TopicModel::text("caption", EyeAndEar).get_params();
    let absent = ["image column", "captioner", "fusion", "text vectors", "image vectors"];
    assert!(names(&plain).iter().all(|name| !absent.contains(&name.as_str())), "{plain:?}");
}

#[test]
fn topics_show_their_counts_and_a_table_with_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let topics = illustrated(folder.path());
    let cell = Cell::of(&topics);
    assert_eq!(cell.texts("p")[0], "3 topics · 60 rows · 0 outliers");
    assert_eq!(cell.all("tr").len(), 1 + 3);
    assert_eq!(cell.all("img").len(), 3, "a collage for each topic");
    assert!(!cell.text().contains("No pictures"));
    for name in ["red", "green", "blue"] {
        assert!(cell.text().contains(name), "{name}");
    }
    let text = Show::to_text(&topics).unwrap();
    assert!(text.starts_with("3 topics, 60 rows, 0 outliers\n") && text.contains("Count"), "{text}");

    let one = model("text").clusterer(KMeans::new(1)).fit(&df!("text" => texts(ROWS)).unwrap()).unwrap();
    assert_eq!(Cell::of(&one).texts("p")[0], "1 topic · 60 rows · 0 outliers");
}

#[test]
fn topics_whose_picture_files_are_gone_are_still_shown() {
    let folder = tempfile::tempdir().unwrap();
    let topics = illustrated(folder.path());
    let shown = pictures_of(&topics).pictures(0)[0].path.clone().unwrap();
    for (what, content) in [("torn", Some(b"torn".as_slice())), ("gone", None)] {
        for row in 0..ROWS {
            let path = folder.path().join(format!("picture {row}.png"));
            match content {
                Some(bytes) => fs::write(path, bytes).unwrap(),
                None => fs::remove_file(path).unwrap(),
            }
        }
        let cell = Cell::of(&topics);
        assert_eq!(cell.texts("p")[0], "3 topics · 60 rows · 0 outliers", "{what}");
        assert_eq!(cell.all("tr").len(), 1 + 3, "{what}");
        let read = cell.text();
        if topics.get_topic_info().is_err() {
            assert!(read.contains("No pictures: ") && read.contains(&shown), "{what}: {read}");
            assert!(cell.texts("p")[1].contains(".png"), "{what}: it names the file: {}", cell.texts("p")[1]);
        } else {
            assert_eq!(cell.all("img").len(), 3, "{what}");
        }
        assert!(Show::to_text(&topics).unwrap().contains("red"), "{what}");
    }
}

#[test]
fn galleries_are_a_strip_of_pictures_for_each_topic() {
    let folder = tempfile::tempdir().unwrap();
    let topics = illustrated(folder.path());
    let gallery = pictures_of(&topics);
    let cell = Cell::of(&gallery);
    assert_eq!(cell.texts("dt"), ["0", "1", "2"]);
    let expected: Vec<String> =
        (0..3).flat_map(|topic| gallery.pictures(topic)).map(|picture| picture.path.clone().unwrap()).collect();
    let images = cell.all("img");
    assert_eq!(images.iter().map(|image| image.get("alt")).collect::<Vec<_>>(), expected);
    assert!(images.iter().all(|image| image.get("title") == image.get("alt")));
    assert!(Show::to_text(&gallery).unwrap().contains("score"));
    let aspect = Aspect::Images(gallery.clone());
    assert_eq!(Show::to_html(&aspect), Show::to_html(&gallery));

    // Images without a path are identified by their rows.
    let model = TopicModel::images("image", EyeAndEar).reducer(NoReduction).clusterer(KMeans::new(3));
    let model = model.representation("Visual_Aspect", VisualRepresentation::new());
    let mut frame = image_frame(ROWS);
    let broken: BinaryChunked =
        (0..ROWS).map(|row| Some(if row < 3 { b"none".to_vec() } else { png(row % 3, row) })).collect();
    frame.with_column(broken.with_name("image".into()).into_column()).unwrap();
    let topics = model.fit(&frame).unwrap();
    let cell = Cell::of(&pictures_of(&topics));
    assert!(cell.all("img").iter().all(|image| image.get("alt").starts_with("row ")), "{:?}", cell.all("img")[0]);
    assert!(cell.texts("dd").iter().any(|strip| strip.contains("no picture")) || !cell.texts("dt").contains(&"-1"));
}

#[test]
fn steps_and_summaries_show_their_numbers() {
    let points = Array2::from_shape_fn((1_200, 2), |(row, axis)| if axis == 0 { (row % 3) as f32 } else { 0.5 });
    let mut clustering = KMeans::new(3).fit(&Training::new(points.view()).with_seed(0)).unwrap();
    let labels: Vec<i32> = (0..1_200).map(|row| if row < 1_100 { 0 } else { row % 3 - 1 }).collect();
    clustering.labels = labels;
    let cell = Cell::of(&clustering);
    assert_eq!(cell.facts()[..2], [("clusters", "2"), ("largest", "1,133, 34")]);
    assert_eq!(cell.facts()[2..], [("points", "1,200"), ("outliers", "33")]);
    let mut none = clustering.clone();
    none.labels = vec![-1, -1];
    assert_eq!((Cell::of(&none).fact("clusters"), Cell::of(&none).fact("outliers")), ("0", "2"));

    let reduction = Pca::new().n_components(1).fit(&Training::new(points.view()).with_seed(0)).unwrap();
    let cell = Cell::of(&reduction);
    assert_eq!((cell.fact("points"), cell.fact("dimensions")), ("1,200", "1"));
    assert!(cell.fact("model").contains("Pca") && cell.fact("model").len() < 80, "{}", cell.fact("model"));
    assert!(Show::to_text(&reduction).unwrap().contains("1,200"));

    let folder = tempfile::tempdir().unwrap();
    let topics = illustrated(folder.path());
    let cell = Cell::of(&topics.summary());
    assert_eq!((cell.fact("topics"), cell.fact("rows"), cell.fact("outliers")), ("3", "60", "0"));
    assert_eq!((cell.fact("text column"), cell.fact("image column")), ("text", "image"));
    assert_eq!((cell.fact("rows with an image"), cell.fact("clustered")), ("60", "text"));
    assert!(cell.fact("dimensions") == "3" && cell.fact("clusterer").contains("KMeans"));
    assert!(Show::to_text(&topics.summary()).unwrap().contains("topics"));
}

#[test]
fn a_picture_is_shown_or_says_why_not() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a \"red\" one.png");
    fs::write(&file, png(0, 0)).unwrap();
    let name = file.display().to_string();
    for html in [picture(file.as_path()), picture(file.clone()), picture(name.as_str())] {
        let cell = Cell::of(&html);
        assert_eq!(cell.all("img").len(), 1);
        assert_eq!(cell.all("img")[0].get("alt"), name);
        assert!(cell.all("img")[0].get("src").starts_with("data:image/png;base64,"));
    }
    assert_eq!(Cell::of(&picture(&png(1, 1)[..])).all("img").len(), 1);
    let large = image::RgbImage::from_fn(1_000, 900, |x, y| image::Rgb([(x * y % 251) as u8, x as u8, y as u8]));
    large.save(&file).unwrap();
    let cell = Cell::of(&picture(file.as_path()));
    assert_eq!((cell.all("img")[0].get("width"), cell.all("img")[0].get("height")), ("333", "300"));

    let missing = Cell::of(&picture(folder.path().join("<gone>.png")));
    assert!(missing.all("img").is_empty());
    assert!(
        missing.text().contains("no such file") && missing.text().contains("<gone>.png")
            || missing.text().contains('…')
    );
    assert!(missing.with_class("tf-missing")[0].get("title").ends_with("<gone>.png"));
    assert!(Cell::of(&picture(folder.path())).text().contains("folder, not an image"));
    let no_image = Cell::of(&picture(b"<svg onload='alert(1)'></svg>".as_slice()));
    assert!(no_image.all("img").is_empty() && no_image.text().contains("SVG"), "{}", no_image.text());
    assert!(Cell::of(&picture(b"".as_slice())).text().contains("empty"));
}

#[test]
fn a_report_is_a_page_of_its_own_within_the_cell() {
    let folder = tempfile::tempdir().unwrap();
    let topics = illustrated(folder.path());
    let report = Report::new(&topics).title("Ours & \"theirs\" <script>");
    let html = Show::to_html(&report);
    assert!(html.starts_with("<div class=\"topicframe\"><style>") && html.ends_with("</iframe></div>"));
    let elements = elements(&html);
    let frames: Vec<&Element> = elements.iter().filter(|element| element.name == "iframe").collect();
    assert_eq!(frames.len(), 1);
    assert_eq!(frames[0].get("srcdoc"), report.to_html().unwrap().as_str(), "it decodes to the page");
    assert_eq!(frames[0].get("sandbox"), "allow-scripts", "it can neither access the notebook nor navigate");
    assert!(!elements.iter().any(|element| element.name == "script"), "scripts stay inside the frame");
    assert!(Cell::of(&Report::new(&topics).max_topics(0)).text().contains("max_topics"), "an error is shown as such");
}

fn bars(frame: &DataFrame, column: &str) -> Vec<String> {
    let cell = Cell::of(&frame.html().bars(column));
    cell.with_class("tf-bar").into_iter().map(|bar| bar.get("style").to_owned()).collect()
}

#[test]
fn bars_below_numbers_are_as_long_as_the_numbers() {
    let widths = |shares: &[u32]| shares.iter().map(|share| format!("width:{share}%")).collect::<Vec<_>>();
    let frame = df!(
        "n" => [Some(10_i64), Some(-5), Some(0), None],
        "x" => [Some(0.25_f32), None, Some(0.5), Some(-0.5)],
        "odd" => [f64::NAN, f64::INFINITY, 4.0, 1.0],
        "zero" => [0_u8, 0, 0, 0],
        "text" => ["9", "8", "7", "6"],
        "yes" => [true, false, true, true],
    )
    .unwrap();
    assert_eq!(bars(&frame, "n"), widths(&[100, 50, 0]), "a null has no bar");
    assert_eq!(bars(&frame, "x"), widths(&[50, 100, 100]));
    assert_eq!(bars(&frame, "odd"), widths(&[100, 25]), "a non-finite value has no bar");
    assert!(bars(&frame, "zero").is_empty());
    let cell = Cell::of(&frame.html().bars("n"));
    assert_eq!(cell.texts("td")[0], "10", "the number itself stays");
    assert!(!cell.text().contains("Bars were requested for"));
    for (column, reason) in [("text", "has no numbers"), ("yes", "has no numbers"), ("<gone>", "does not exist")] {
        let cell = Cell::of(&frame.html().bars(column));
        assert!(cell.with_class("tf-bar").is_empty(), "{column}");
        let said = cell.texts("p").join("\n");
        assert!(said.contains("Bars were requested for") && said.contains(column) && said.contains(reason), "{said}");
    }
    // The bar's length relates to the values that are shown.
    let long = df!("n" => [1, 2, 1_000, 4]).unwrap();
    let shown = Cell::of(&long.html().bars("n").max_rows(2));
    let shown: Vec<String> = shown.with_class("tf-bar").iter().map(|bar| bar.get("style").to_owned()).collect();
    assert_eq!(shown, widths(&[25, 100]));
    let two = Cell::of(&frame.html().bars("n").bars("x"));
    assert_eq!(two.with_class("tf-bar").len(), 6);
    assert_eq!(Show::to_html(&frame.html().bars("n")), frame.html().bars("n").to_html());
}

#[test]
fn what_has_a_text_is_that_text_for_whoever_shows_no_html() {
    let frame = df!("n" => [1, 2], "word" => ["a", "b"]).unwrap();
    assert_eq!(Show::to_text(&frame), Some(frame.to_string()));
    assert_eq!(Show::to_text(&frame.html().max_rows(1)), Some(frame.to_string()));
    assert!(Show::to_text(frame.column("word").unwrap()).unwrap().contains("\"b\""));
    let error = Error::new(ErrorKind::Io, Stage::Output, "it is full").with_hint("Make room.");
    assert_eq!(Show::to_text(&error).unwrap(), "output: it is full\n  Make room.");
    assert_eq!((Show::to_text("a <b>"), Show::to_text(&"c".to_owned())), (Some("a <b>".into()), Some("c".into())));
    assert_eq!(vec!["a".to_owned(), "b".to_owned()].to_text().unwrap(), "a\nb");
    assert_eq!(heading("a").to_text().as_deref(), Some("a"));
    assert_eq!(Html::trusted("<b>a</b>").to_text(), None);
    assert_eq!(show((heading("a"), 7, true)).to_text().as_deref(), Some("a\n\n7\n\ntrue"));
    assert_eq!((0..100).collect::<Vec<i32>>().to_text().unwrap().split(", ").last(), Some("... and 60 more]"));
    assert_eq!(vec![frame.clone(), frame.clone()].to_html().matches("<table").count(), 2);
    let numbers = Cell::of(frame.column("n").unwrap());
    assert_eq!((numbers.texts("td"), numbers.texts("th")), (vec!["1", "2"], vec!["ni32"]));
    assert_eq!(Cell::of(frame.column("n").unwrap().as_materialized_series()).texts("td"), ["1", "2"]);
}

const SPOOF: &str = "line\nEVCXR_END_CONTENT\nEVCXR_BEGIN_CONTENT text/html\n<script>alert(1)</script>";

/// Ends a cell in a separate process, started by the tests below.
#[test]
fn printer() {
    let Ok(what) = std::env::var("TOPICFRAME_TEST_PRINTS") else { return };
    println!();
    let error = Error::new(ErrorKind::Io, Stage::Input, SPOOF);
    match what.as_str() {
        "frame" => df!("text" => [SPOOF]).unwrap().evcxr_display(),
        "text" => SPOOF.evcxr_display(),
        "string" => Box::new(SPOOF.to_owned()).evcxr_display(),
        "error" => error.evcxr_display(),
        "result" => Err::<DataFrame, _>(error).evcxr_display(),
        "html" => heading(SPOOF).evcxr_display(),
        "nothing" => ().evcxr_display(),
        "tuple" => (heading("a heading"), SPOOF).evcxr_display(),
        _ => (),
    }
}

/// The blocks that a cell sends to evcxr: kind and content.
fn blocks(what: &str) -> Vec<(String, String)> {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["show::printer", "--exact", "--nocapture", "--test-threads=1"])
        .env("TOPICFRAME_TEST_PRINTS", what)
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let mut blocks: Vec<(String, String)> = Vec::new();
    let mut open = false;
    for line in printed.lines() {
        if let Some(kind) = line.strip_prefix("EVCXR_BEGIN_CONTENT ") {
            assert!(!open, "{what}: a block within a block: {printed}");
            blocks.push((kind.to_owned(), String::new()));
            open = true;
        } else if line == "EVCXR_END_CONTENT" {
            assert!(open, "{what}: an end without a beginning: {printed}");
            open = false;
        } else if open {
            assert!(!line.contains("EVCXR_"), "{what}: {line}");
            let content = &mut blocks.last_mut().unwrap().1;
            content.push_str(line);
            content.push('\n');
        }
    }
    assert!(!open, "{what}: a block without an end: {printed}");
    blocks
}

#[test]
fn evcxr_gets_one_block_of_each_kind_whatever_the_text() {
    for (what, expected) in [
        ("frame", &["text/html", "text/plain"][..]),
        ("text", &["text/plain"]),
        ("string", &["text/plain"]),
        ("error", &["text/html", "text/plain"]),
        ("result", &["text/html", "text/plain"]),
        ("html", &["text/html", "text/plain"]),
        ("nothing", &[]),
        ("tuple", &["text/html", "text/plain"]),
    ] {
        let blocks = blocks(what);
        assert_eq!(blocks.iter().map(|(kind, _)| kind.as_str()).collect::<Vec<_>>(), expected, "{what}");
        for (kind, content) in &blocks {
            if kind == "text/html" {
                let cell = Cell::of(&Html::trusted(content.trim_end()));
                assert!(cell.text().contains("EVCXR_END_CONTENT"), "{what}: the text itself is present");
            } else {
                assert!(content.contains("_END_CONTENT"), "{what}: {content}");
            }
        }
    }
}
