//! Frames as HTML tables: every type, everything escaped, everything bounded.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Cursor;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use polars::prelude::*;
use topicframe::display::{CellFormatter, DataFrameHtml, Html, HtmlTable, Show, escape_html, image_formatter};

/// One element of a page.
#[derive(Debug, Clone)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: BTreeMap<String, String>,
    /// The text content, without tags.
    pub(crate) text: String,
}

impl Element {
    pub(crate) fn get(&self, attribute: &str) -> &str {
        self.attributes.get(attribute).map(String::as_str).unwrap_or_default()
    }

    pub(crate) fn has_class(&self, class: &str) -> bool {
        self.get("class").split_whitespace().any(|own| own == class)
    }
}

const VOID: [&str; 4] = ["img", "input", "link", "meta"];

/// Parses markup as strictly as XML: every element closed in order, every attribute quoted, all references known.
///
/// Elements are listed in the order of their start tags.
pub(crate) fn elements(html: &str) -> Vec<Element> {
    let mut rest = html.strip_prefix("<!DOCTYPE html>").unwrap_or(html);
    let (mut done, mut open) = (Vec::<Element>::new(), Vec::<usize>::new());
    while !rest.is_empty() {
        let raw = open.last().map(|&index| done[index].name.clone()).filter(|name| name == "style" || name == "script");
        let end = match &raw {
            Some(name) => rest.find(&format!("</{name}>")).expect("a raw element is closed"),
            None => rest.find('<').unwrap_or(rest.len()),
        };
        let text = if raw.is_some() { rest[..end].to_owned() } else { unescape(&rest[..end]) };
        open.iter().for_each(|&index| done[index].text.push_str(&text));
        rest = &rest[end..];
        if let Some(closing) = rest.strip_prefix("</") {
            let (name, after) = closing.split_once('>').unwrap();
            assert_eq!(done[open.pop().unwrap()].name, name, "closed in order");
            rest = after;
        } else if let Some(opening) = rest.strip_prefix('<') {
            let (element, after) = start_tag(opening);
            let is_closed = opening[..opening.len() - after.len()].ends_with("/>");
            if !is_closed && !VOID.contains(&element.name.as_str()) {
                open.push(done.len());
            }
            done.push(element);
            rest = after;
        }
    }
    assert!(open.is_empty(), "everything is closed");
    done
}

fn start_tag(opening: &str) -> (Element, &str) {
    let end = opening.find(|c: char| !c.is_ascii_alphanumeric()).unwrap();
    let (name, mut rest) = opening.split_at(end);
    let mut attributes = BTreeMap::new();
    loop {
        if let Some(after) = rest.strip_prefix('>').or_else(|| rest.strip_prefix("/>")) {
            return (Element { name: name.to_owned(), attributes, text: String::new() }, after);
        }
        rest = rest.strip_prefix(' ').unwrap_or_else(|| panic!("a space before an attribute: {:.80}", rest));
        let end = rest.find(['=', ' ', '/', '>']).unwrap();
        let (key, after) = rest.split_at(end);
        let of_svg = ["viewBox", "preserveAspectRatio"].contains(&key);
        let is_name = !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        assert!(is_name || of_svg, "attribute {key}");
        let (value, after) = match after.strip_prefix("=\"") {
            Some(quoted) => quoted.split_once('"').unwrap(),
            None => ("", after),
        };
        assert!(!value.contains('<'), "attribute {key}: {value}");
        assert!(attributes.insert(key.to_owned(), unescape(value)).is_none(), "{key} twice");
        rest = after;
    }
}

fn unescape(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        plain.push_str(&rest[..start]);
        let (reference, after) = rest[start + 1..].split_once(';').expect("a reference ends");
        plain.push(match reference {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            number => number.strip_prefix('#').and_then(|n| n.parse().ok()).and_then(char::from_u32).unwrap(),
        });
        rest = after;
    }
    plain.push_str(rest);
    plain
}

/// The elements and attributes allowed in a table or report; nothing that runs code, loads resources or links
/// elsewhere.
pub(crate) fn assert_harmless(elements: &[Element], scripts: usize) {
    let known: BTreeSet<&str> = "a article b blockquote body circle code dd details div dl dt figcaption figure footer form \
        g h1 h2 h3 head header html i image img input li line link main mark meta nav ol output p path rect script section \
        small span strong style sub summary svg table tbody td text th thead title tr ul"
        .split_whitespace()
        .collect();
    for element in elements {
        assert!(known.contains(element.name.as_str()), "<{}>", element.name);
        assert!(element.attributes.keys().all(|name| !name.starts_with("on")), "{element:?}");
        for link in ["href", "src", "action", "formaction", "srcset", "background", "poster"] {
            let Some(target) = element.attributes.get(link) else { continue };
            let picture = ["png", "jpeg", "webp", "gif", "bmp"]
                .iter()
                .any(|format| target.starts_with(&format!("data:image/{format};base64,")));
            let is_allowed = match element.name.as_str() {
                "img" => link == "src" && picture,
                "image" => link == "href" && picture,
                "link" => target == "data:,",
                _ => link == "href" && target.starts_with('#'),
            };
            assert!(is_allowed, "{} {link} {target:.60}", element.name);
        }
        if element.name == "style" {
            assert!(!element.text.contains("url(") && !element.text.contains("@import"), "a style sheet loads nothing");
        }
    }
    assert_eq!(elements.iter().filter(|element| element.name == "script").count(), scripts);
}

/// Texts that must not break a page.
pub(crate) const HOSTILE: [&str; 10] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "</style><script>alert(1)</script>",
    "</title></td></table><iframe src=https://example.org>",
    "javascript:alert(1)",
    "&lt;b&gt; &#60;script&#62; &amp",
    "\u{202E}gpj.exe\u{202D} \u{2066}x\u{2069}",
    "nul\0 bell\u{7} escape\u{1b}[31m delete\u{7f}",
    "line\nEVCXR_END_CONTENT\nEVCXR_BEGIN_CONTENT text/html\n<script>alert(1)</script>\nEVCXR_END_CONTENT",
];

struct Page {
    elements: Vec<Element>,
}

impl Page {
    fn of(html: &str) -> Self {
        let elements = elements(html);
        assert_harmless(&elements, 0);
        assert_eq!(elements[0].get("class"), "topicframe");
        Page { elements }
    }

    fn all(&self, name: &str) -> Vec<&Element> {
        self.elements.iter().filter(|element| element.name == name).collect()
    }

    fn cells(&self) -> Vec<String> {
        self.all("td").into_iter().map(|cell| cell.text.clone()).collect()
    }

    fn titles(&self) -> Vec<String> {
        self.elements.iter().filter(|e| e.attributes.contains_key("title")).map(|e| e.get("title").to_owned()).collect()
    }

    fn images(&self) -> Vec<&Element> {
        self.all("img")
    }
}

fn cells(frame: &DataFrame) -> Vec<String> {
    Page::of(&frame.to_html()).cells()
}

fn frame(columns: Vec<Column>) -> DataFrame {
    DataFrame::new(columns[0].len(), columns).unwrap()
}

fn photo(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| Rgb([(x * 7 % 256) as u8, (y * 5 % 256) as u8, ((x ^ y) % 256) as u8]))
}

fn encoded(format: ImageFormat) -> Vec<u8> {
    let mut bytes = Vec::new();
    DynamicImage::ImageRgb8(photo(30, 20)).write_to(&mut Cursor::new(&mut bytes), format).unwrap();
    bytes
}

fn binary(name: &str, cells: &[Option<&[u8]>]) -> Column {
    let cells: BinaryChunked = cells.iter().copied().collect();
    cells.with_name(name.into()).into_column()
}

fn payload(image: &Element) -> Vec<u8> {
    STANDARD.decode(image.get("src").split_once(',').unwrap().1).unwrap()
}

#[test]
fn every_plain_type_is_shown() {
    let frame = df!(
        "text" => [Some("plain"), None],
        "int" => [Some(-12_i64), None],
        "small" => [Some(200_u32), None],
        "float" => [Some(0.25_f64), None],
        "yes" => [Some(true), None],
    )
    .unwrap();
    assert_eq!(cells(&frame), ["plain", "-12", "200", "0.2500", "true", "null", "null", "null", "null", "null"]);
    let page = Page::of(&frame.to_html());
    let headers: Vec<String> = page.all("th").into_iter().map(|header| header.text.clone()).collect();
    assert_eq!(headers, ["textstr", "inti64", "smallu32", "floatf64", "yesbool"]);
    let right: Vec<bool> = page.all("td").into_iter().map(|cell| cell.has_class("tf-n")).collect();
    assert_eq!(right[..5], [false, true, true, true, false]);
    assert_eq!(page.elements.iter().filter(|element| element.has_class("tf-null")).count(), 5);
}

#[test]
fn a_column_of_nothing_and_frames_without_rows_or_columns() {
    assert_eq!(cells(&frame(vec![Column::full_null("none".into(), 2, &DataType::Null)])), ["null", "null"]);
    let empty = df!("a" => [1, 2], "b" => ["x", "y"]).unwrap().head(Some(0));
    let page = Page::of(&empty.to_html());
    assert_eq!((page.all("th").len(), page.cells().len()), (2, 0));
    assert!(page.all("p")[0].text.contains("0 rows × 2 columns"));
    assert!(Page::of(&DataFrame::empty().to_html()).all("p")[0].text.contains("0 rows × 0 columns"));
}

#[test]
fn dates_are_those_of_polars_and_never_panic() {
    let days: Vec<i32> = (-800_000..800_000).step_by(997).chain([0, 59, 60, 10_956, 11_016, 11_017, -1]).collect();
    let dates = Column::new("day".into(), &days).cast(&DataType::Date).unwrap();
    let shown = Page::of(&HtmlTable::new(&frame(vec![dates.clone()])).max_rows(usize::MAX).to_html()).cells();
    for (row, shown) in shown.iter().enumerate() {
        let year_has_4_digits = (-719_162..2_932_896).contains(&days[row]);
        if year_has_4_digits {
            assert_eq!(*shown, dates.get(row).unwrap().to_string(), "day {}", days[row]);
        }
    }
    let extreme = Column::new("day".into(), [i32::MIN, i32::MAX]).cast(&DataType::Date).unwrap();
    assert_eq!(cells(&frame(vec![extreme])), ["-5877641-06-23", "5881580-07-11"]);
}

#[test]
fn times_keep_their_fractions_and_their_zone() {
    let ticks = Column::new("t".into(), [0_i64, 1_700_000_000_123_456, -1, i64::MIN, i64::MAX]);
    for (unit, expected) in [
        (TimeUnit::Microseconds, "2023-11-14 22:13:20.123456"),
        (TimeUnit::Nanoseconds, "1970-01-20 16:13:20.000123456"),
    ] {
        let column = ticks.cast(&DataType::Datetime(unit, None)).unwrap();
        let shown = cells(&frame(vec![column.clone()]));
        assert_eq!(shown[..2], ["1970-01-01 00:00:00", expected]);
        assert_eq!(shown[1], column.get(1).unwrap().to_string());
        assert!(shown[2].starts_with("1969-12-31 23:59:59.999999"), "{}", shown[2]);
    }
    let utc = DataType::Datetime(TimeUnit::Milliseconds, Some(TimeZone::UTC));
    let zoned = Series::new("t".into(), [1_500_i64]).cast(&DataType::Datetime(TimeUnit::Milliseconds, None)).unwrap();
    let zoned = unsafe { zoned.to_physical_repr().from_physical_unchecked(&utc) }.unwrap();
    assert_eq!(cells(&frame(vec![zoned.into_column()])), ["1970-01-01 00:00:01.5 UTC"]);
}

#[test]
fn floats_line_up_and_keep_the_exact_number_on_hover() {
    let table = |values: &[f64]| Page::of(&df!("x" => values).unwrap().to_html());
    assert_eq!(table(&[0.5, 0.123_456, 1.0]).cells(), ["0.500", "0.123", "1.000"]);
    assert_eq!(table(&[0.5, 0.123_456, 0.9]).cells(), ["0.5000", "0.1235", "0.9000"]);
    assert_eq!(table(&[0.5, 0.123_456, 0.9]).titles(), ["0.123456"]);
    assert_eq!(table(&[1.0, 20.0]).cells(), ["1.0", "20.0"]);
    assert_eq!(table(&[1234.567, 2.0]).cells(), ["1234.57", "2.00"]);
    assert_eq!(table(&[0.000_012_345, 0.0]).cells(), ["1.234e-5", "0"]);
    assert_eq!(table(&[1.5e12]).cells(), ["1.500e12"]);
    assert_eq!(table(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.25]).cells(), ["NaN", "∞", "−∞", "0.2500"]);
    // The shortest representation of the f32 itself, not of the f64 it converts to.
    let narrow = Page::of(&df!("x" => [0.123_456_7_f32]).unwrap().to_html());
    assert_eq!((narrow.cells()[0].as_str(), narrow.titles()[0].as_str()), ("0.1235", "0.1234567"));
}

#[test]
fn lists_of_strings_become_chips_or_lines() {
    let lists = Series::new(
        "words".into(),
        [
            Series::new("".into(), ["cat", "dog"]),
            Series::new("".into(), ["a sentence that is much longer than any word", "another"]),
            Series::new("".into(), (0..40).map(|i| format!("w{i}")).collect::<Vec<_>>()),
            Series::new("".into(), Vec::<String>::new()),
            Series::new("".into(), [Some("x"), None]),
        ],
    );
    let page = Page::of(&frame(vec![lists.into_column()]).to_html());
    let kinds: Vec<&str> = page.all("ul").into_iter().map(|list| list.get("class")).collect();
    assert_eq!(kinds, ["tf-chips", "tf-lines", "tf-chips", "tf-chips"]);
    let items: Vec<&str> = page.all("li").into_iter().map(|item| item.text.as_str()).collect();
    assert_eq!(items[..3], ["cat", "dog", "a sentence that is much longer than any word"]);
    assert!(items.contains(&"and 24 more") && items.contains(&"null"));
    assert_eq!(page.cells()[3], "empty");
}

#[test]
fn vectors_become_a_summary() {
    let vector = |length: usize| Series::new("".into(), (0..length).map(|i| i as f32 / 8.0 - 0.25).collect::<Vec<_>>());
    let lists = Series::new("list".into(), [vector(384), vector(3)]);
    let array = Series::new("array".into(), [vector(384), vector(384)])
        .cast(&DataType::Array(Box::new(DataType::Float32), 384))
        .unwrap();
    let shown = cells(&frame(vec![lists.into_column(), array.into_column()]));
    assert_eq!(shown[0], "384 numbers -0.25, -0.125, 0, 0.125, …");
    assert_eq!(shown[1], shown[0]);
    assert_eq!(shown[2], "[-0.25, -0.125, 0]");
}

#[test]
fn nested_values_are_one_line() {
    let inner = Series::new("".into(), [Series::new("".into(), [1_i64, 2]), Series::new("".into(), [3_i64])]);
    let nested = Series::new("nested".into(), [inner]);
    let name = Series::new("name".into(), ["a \"b\""]);
    let born = Column::new("born".into(), [1_i32]).cast(&DataType::Date).unwrap().take_materialized_series();
    let inside = StructChunked::from_series("inside".into(), 1, [born].iter()).unwrap().into_series();
    let outer = StructChunked::from_series("struct".into(), 1, [name, inside].iter()).unwrap().into_series();
    let shown = cells(&frame(vec![nested.into_column(), outer.into_column()]));
    assert_eq!(shown, ["[[1, 2], [3]]", "{name: \"a \"b\"\", inside: {born: 1970-01-02}}"]);
}

#[test]
fn deep_and_wide_nesting_ends() {
    let mut series = Series::new("".into(), [1_i32]);
    for _ in 0..40 {
        series = Series::new("deep".into(), [series]);
    }
    let shown = cells(&frame(vec![series.into_column()]));
    assert!(shown[0].contains('…') && shown[0].len() < 200, "{}", shown[0]);
    let wide = Series::new("".into(), (0..5_000).map(|i| i % 2 == 0).collect::<Vec<_>>());
    let shown = cells(&frame(vec![Series::new("wide".into(), [wide]).into_column()]));
    assert!(shown[0].contains("4990 more"), "{}", shown[0]);
}

#[test]
fn hostile_text_is_text_wherever_it_stands() {
    for hostile in HOSTILE {
        let list = Series::new("".into(), [Series::new("".into(), [hostile])]);
        let inner = [hostile; 2].map(|text| Series::new("".into(), [text]));
        let lists = Series::new("".into(), [Series::new("".into(), inner)]);
        let field = Series::new(hostile.into(), [hostile]);
        let table = frame(vec![
            Column::new(hostile.into(), [hostile]),
            list.with_name("list".into()).into_column(),
            lists.with_name("lists".into()).into_column(),
            StructChunked::from_series("struct".into(), 1, [field].iter()).unwrap().into_series().into_column(),
            binary("bytes", &[Some(hostile.as_bytes())]),
        ]);
        let page = Page::of(&table.to_html());
        let forbidden = |c: char| (c.is_control() && c != '\n' && c != '\t') || c == '\u{202E}' || c == '\u{202D}';
        let visible: String = hostile.chars().map(|c| if forbidden(c) { '\u{FFFD}' } else { c }).collect();
        let name = page.all("th")[0].text.trim_end_matches("str").trim_end_matches('…');
        assert!(visible.starts_with(name) && name.chars().count() >= 12.min(visible.chars().count()), "{name}");
        assert_eq!(page.cells()[0], visible);
        assert_eq!(page.all("li")[0].text, visible);
        // The page has the same elements as that of a harmless text of the same kind.
        let plain = "x".repeat(hostile.chars().count());
        let tame = df!(plain.as_str() => [plain.as_str()]).unwrap().to_html();
        let of = |html: &str| Page::of(html).elements.iter().map(|element| element.name.clone()).collect::<Vec<_>>();
        assert_eq!(of(&df!(hostile => [hostile]).unwrap().to_html()), of(&tame), "{hostile}");
    }
}

#[test]
fn long_texts_are_cut_by_what_a_reader_counts() {
    let table = |text: &str| Page::of(&df!("t" => [text]).unwrap().html().max_text(10).to_html());
    assert_eq!(table("0123456789").cells(), ["0123456789"]);
    assert!(table("0123456789").titles().is_empty());
    assert_eq!(table("0123456789a").cells(), ["0123456789…"]);
    assert_eq!(table("0123456789a").titles(), ["0123456789a"]);
    // A family emoji is one character, and an accent belongs to its letter.
    let family = "👩‍👩‍👧‍👦";
    assert_eq!(table(&family.repeat(10)).cells()[0], family.repeat(10));
    assert_eq!(table(&family.repeat(11)).cells()[0], format!("{}…", family.repeat(10)));
    assert_eq!(table("e\u{301}e\u{301}e\u{301}e\u{301}").cells(), ["e\u{301}e\u{301}e\u{301}e\u{301}"]);
    // One letter under a pile of accents is a single character, but is truncated nevertheless.
    let pile = format!("a{}", "\u{301}".repeat(1_000_000));
    let html = df!("t" => [pile.as_str()]).unwrap().html().max_text(10).to_html();
    assert!(html.len() < 40_000, "{}", html.len());
    // So is a long text.
    let huge = "word ".repeat(2_000_000);
    let html = df!("t" => [huge.as_str()]).unwrap().to_html();
    assert!(html.len() < 12_000 && html.contains("(10000000 characters)"), "{}", html.len());
}

#[test]
fn long_frames_show_their_ends_and_say_what_is_missing() {
    let long = df!("n" => (0..1_000).collect::<Vec<i32>>()).unwrap();
    let page = Page::of(&long.html().max_rows(5).to_html());
    assert_eq!(page.cells(), ["0", "1", "2", "⋮ 995 rows not shown", "998", "999"]);
    assert_eq!(page.all("p")[0].text, "1,000 rows × 1 column · 995 rows not shown");
    assert_eq!(Page::of(&long.to_html()).all("tr").len(), 1 + 60 + 1);
    assert_eq!(Page::of(&long.html().max_rows(usize::MAX).to_html()).cells().len(), 1_000);
    assert_eq!(Page::of(&long.html().max_rows(1).to_html()).cells(), ["0"]);
    assert!(Page::of(&long.html().max_rows(0).to_html()).cells().is_empty());
}

#[test]
fn wide_frames_show_their_ends_and_say_what_is_missing() {
    let columns: Vec<Column> = (0..100).map(|i| Column::new(format!("c{i}").into(), [i])).collect();
    let page = Page::of(&frame(columns).html().max_columns(4).to_html());
    let names: Vec<String> = page.all("th").into_iter().map(|header| header.text.clone()).collect();
    assert_eq!(names, ["c0i32", "c1i32", "⋯", "c98i32", "c99i32"]);
    assert_eq!(page.cells(), ["0", "1", "⋯", "98", "99"]);
    assert_eq!(page.all("th")[2].get("title"), "96 columns not shown");
}

#[test]
fn encoded_images_are_shown_without_being_asked() {
    for (format, mime) in [
        (ImageFormat::Png, "image/png"),
        (ImageFormat::Jpeg, "image/jpeg"),
        (ImageFormat::WebP, "image/webp"),
        (ImageFormat::Gif, "image/gif"),
        (ImageFormat::Bmp, "image/bmp"),
    ] {
        let bytes = encoded(format);
        let frame = frame(vec![binary("picture", &[Some(&bytes), None])]);
        let page = Page::of(&frame.to_html());
        assert_eq!(page.images().len(), 1, "{mime}");
        let image = page.images()[0];
        assert!(image.get("src").starts_with(&format!("data:{mime};base64,")), "{mime}");
        assert_eq!(payload(image), bytes, "{mime}: unchanged");
        assert_eq!((image.get("width"), image.get("height")), ("30", "20"));
        assert_eq!(page.cells()[1], "null");
        assert!(Page::of(&frame.html().show_images(false).to_html()).images().is_empty());
    }
}

#[test]
fn hugging_face_structs_are_shown_too() {
    let bytes = encoded(ImageFormat::Png);
    let bytes = binary("bytes", &[Some(&bytes)]).take_materialized_series();
    let path = Series::new("path".into(), ["cats/tom.png"]);
    let column = StructChunked::from_series("image".into(), 1, [bytes, path].iter()).unwrap().into_series();
    let page = Page::of(&frame(vec![column.into_column()]).to_html());
    assert_eq!(page.images()[0].get("alt"), "cats/tom.png");
}

#[test]
fn paths_are_read_only_when_asked_and_stay_below_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("inside")).unwrap();
    fs::write(folder.path().join("secret.png"), encoded(ImageFormat::Png)).unwrap();
    fs::write(folder.path().join("inside/cat.jpg"), encoded(ImageFormat::Png)).unwrap();
    fs::write(folder.path().join("inside/empty.png"), b"").unwrap();
    let paths = ["cat.jpg", "missing.png", "../secret.png", "a/../../secret.png", ".", "empty.png"];
    let frame = df!("image" => paths).unwrap();
    assert!(Page::of(&frame.to_html()).images().is_empty(), "a path is plain text without a formatter");
    let formatter = image_formatter().folder(folder.path().join("inside"));
    let page = Page::of(&frame.html().formatter("image", formatter).to_html());
    assert_eq!(page.images().len(), 1);
    assert!(page.images()[0].get("src").starts_with("data:image/png;"), "by content, not by name");
    assert_eq!(page.images()[0].get("alt"), "cat.jpg");
    let cells = page.cells();
    assert!(cells[1].contains("no such file") && cells[1].contains("missing.png"), "{}", cells[1]);
    assert!(cells[2].contains("leaves the image folder") && cells[3].contains("leaves the image folder"), "{cells:?}");
    assert!(cells[4].contains("folder, not an image"), "{}", cells[4]);
    assert!(cells[5].contains("the file is empty"), "{}", cells[5]);
}

#[test]
fn what_is_no_image_is_never_embedded() {
    let png = encoded(ImageFormat::Png);
    let torn = &png[..png.len() / 2];
    let gif_in_name_only = b"GIF89a<script>alert(1)</script>".as_slice();
    let others: [&[u8]; 6] = [
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'></svg>",
        b"<!DOCTYPE html><script>alert(1)</script>",
        b"%PDF-1.7",
        b"",
        torn,
        gif_in_name_only,
    ];
    let cells: Vec<Option<&[u8]>> = others.iter().map(|&bytes| Some(bytes)).collect();
    let frame = frame(vec![binary("picture", &cells)]);
    for html in [frame.to_html(), frame.html().formatter("picture", image_formatter()).to_html()] {
        assert!(Page::of(&html).images().is_empty());
        assert!(!html.contains("base64"));
    }
    let shown = Page::of(&frame.html().formatter("picture", image_formatter()).to_html()).cells();
    assert!(shown[0].contains("SVG") && shown[0].contains("3c 73 76 67"), "{}", shown[0]);
    assert!(shown[3].contains("empty") && shown[4].contains("decode"), "{shown:?}");
    let number = df!("n" => [7]).unwrap().html().formatter("n", image_formatter()).to_html();
    assert!(Page::of(&number).cells()[0].contains("not an image"));
}

#[test]
fn large_images_become_thumbnails() {
    let mut bytes = Vec::new();
    DynamicImage::ImageRgb8(photo(1_600, 1_000)).write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).unwrap();
    assert!(bytes.len() > 98_304);
    let frame = frame(vec![binary("picture", &[Some(&bytes)])]);
    let page = Page::of(&frame.to_html());
    let image = page.images()[0];
    assert_eq!((image.get("width"), image.get("height")), ("320", "200"));
    let small = image::load_from_memory(&payload(image)).unwrap();
    assert_eq!((small.width(), small.height()), (640, 400), "twice the displayed size");
    let page = Page::of(&frame.html().formatter("picture", image_formatter().height(50).max_bytes(1 << 30)).to_html());
    assert_eq!(payload(page.images()[0]), bytes, "unchanged");
    assert_eq!((page.images()[0].get("width"), page.images()[0].get("height")), ("80", "50"));
}

#[test]
fn transparent_drawings_are_laid_on_white_in_thumbnails() {
    let drawing = RgbaImage::from_fn(900, 900, |x, y| {
        let noise = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)) as u8;
        if x < 450 { Rgba([0, 0, 0, 0]) } else { Rgba([noise, noise / 2, 0, 255]) }
    });
    let mut bytes = Vec::new();
    DynamicImage::ImageRgba8(drawing).write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).unwrap();
    let page = Page::of(&frame(vec![binary("picture", &[Some(&bytes)])]).to_html());
    let small = image::load_from_memory(&payload(page.images()[0])).unwrap().to_rgb8();
    assert!(small.get_pixel(10, 10).0.iter().all(|&value| value > 250), "{:?}", small.get_pixel(10, 10));
}

/// A custom formatter.
struct Stars;

impl CellFormatter for Stars {
    fn format(&self, value: &AnyValue<'_>) -> Option<Html> {
        let stars = value.extract::<usize>()?;
        Some(Html::trusted(format!("<b>{}</b>", "★".repeat(stars))))
    }
}

#[test]
fn own_formatters_plug_in() {
    let posts = df!("stars" => [Some(3), None], "link" => ["a<b", "c"]).unwrap();
    let bold = |value: &AnyValue<'_>| Some(Html::trusted(format!("<b>{}</b>", escape_html(value.get_str()?))));
    let table: HtmlTable = posts.html().formatter("stars", Stars).formatter("link", bold).formatter("<gone>", Stars);
    let page = Page::of(&table.to_html());
    assert_eq!(page.cells(), ["★★★", "a<b", "null", "c"], "values without formatter output are shown as usual");
    assert_eq!(page.all("b").len(), 3);
    assert!(page.all("p")[1].text.contains("<gone>"), "a formatter without its column is reported");
}

#[test]
fn pictures_stop_before_the_page_is_too_large() {
    let wide = |_: &AnyValue<'_>| Some(Html::trusted("x".repeat(9 << 20)));
    let html = df!("n" => [1, 2, 3, 4, 5, 6]).unwrap().html().formatter("n", wide).to_html();
    assert!(html.len() < 33 << 20);
    let shown = Page::of(&html).cells();
    assert!(shown[2].len() == 9 << 20 && shown[3].contains("the table is too large"), "{}", shown[3]);
}

#[test]
fn the_style_stays_inside_and_follows_the_theme() {
    let html = df!("n" => [1]).unwrap().to_html();
    let page = Page::of(&html);
    let css = page.all("style")[0].text.clone();
    for rule in css.lines() {
        let selectors = rule.split('{').next().unwrap();
        let selectors = if selectors.starts_with("@media") { rule.split('{').nth(1).unwrap() } else { selectors };
        assert!(selectors.split(',').all(|one| one.trim().starts_with(".topicframe")), "{selectors}");
    }
    assert!(css.contains("--jp-layout-color") && css.contains("prefers-color-scheme:dark"));
    assert!(html.len() < 6_000, "a small frame stays small: {}", html.len());
}

#[test]
fn html_is_a_string_in_every_way_that_one_needs() {
    let html = df!("n" => [1]).unwrap().to_html();
    assert_eq!(html.to_string(), html.as_str());
    assert_eq!(html.clone().into_string(), String::from(html.clone()));
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("table.html"), &html).unwrap();
    assert_eq!(fs::read_to_string(folder.path().join("table.html")).unwrap(), html.as_str());
    assert_eq!(escape_html("a<\"b'\u{0}"), "a&lt;&quot;b&#39;\u{FFFD}");
}

/// Prints in a separate process, started by the test below.
#[test]
fn printer() {
    if std::env::var_os("TOPICFRAME_TEST_PRINTS").is_some() {
        let frame = df!("text" => HOSTILE, HOSTILE[9] => HOSTILE).unwrap();
        println!();
        frame.evcxr_display();
    }
}

#[test]
fn a_notebook_gets_one_block_whatever_the_text() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["html::printer", "--exact", "--nocapture", "--test-threads=1"])
        .env("TOPICFRAME_TEST_PRINTS", "1")
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = printed.lines().collect();
    let starts: Vec<usize> = (0..lines.len()).filter(|&i| lines[i].contains("EVCXR_BEGIN_CONTENT")).collect();
    let ends: Vec<usize> = (0..lines.len()).filter(|&i| lines[i].contains("EVCXR_END_CONTENT")).collect();
    assert_eq!((starts.len(), ends.len()), (2, 2), "one of HTML, one of text: {printed}");
    assert_eq!((lines[starts[0]], lines[ends[0]]), ("EVCXR_BEGIN_CONTENT text/html", "EVCXR_END_CONTENT"));
    assert_eq!((lines[starts[1]], lines[ends[1]]), ("EVCXR_BEGIN_CONTENT text/plain", "EVCXR_END_CONTENT"));
    let page = Page::of(&lines[starts[0] + 1..ends[0]].join("\n"));
    assert!(page.cells().iter().any(|cell| cell.contains("EVCXR_END_CONTENT")), "the text itself is present");
}

#[test]
fn a_table_is_written_as_a_page_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.html");
    let frame = df!("a <b>" => ["1 < 2"]).unwrap();
    frame.html().write(&path).unwrap();
    let page = std::fs::read_to_string(&path).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains(frame.html().to_html().as_str()));
    assert!(!page.contains("<b>") && page.contains("1 &lt; 2"));
    let error = frame.html().write(folder.path().join("nowhere/table.html")).unwrap_err();
    assert_eq!(error.kind(), topicframe::ErrorKind::Io);
}
