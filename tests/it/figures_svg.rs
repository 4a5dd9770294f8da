//! Reads the SVG of figures, strictly: well-formed, of known elements, and with nothing that runs, loads or styles.

use std::collections::BTreeMap;

/// An element with the text in it.
#[derive(Debug, Clone)]
pub struct Shape {
    pub name: String,
    pub attributes: BTreeMap<String, String>,
    pub text: String,
}

impl Shape {
    pub fn number(&self, attribute: &str) -> f64 {
        self.attributes.get(attribute).map_or(0.0, |value| value.parse().unwrap())
    }

    /// The attributes that have colors.
    pub fn paints(&self) -> impl Iterator<Item = &str> {
        ["fill", "stroke"].into_iter().filter_map(|name| self.attributes.get(name)).map(String::as_str)
    }
}

const ELEMENTS: [&str; 10] = ["svg", "g", "title", "rect", "circle", "line", "path", "text", "image", "tspan"];

/// The elements of `svg`, in order.
///
/// # Panics
/// It is not well-formed, or has an element or attribute that a figure must not have.
pub fn shapes(svg: &str) -> Vec<Shape> {
    let (mut done, mut open, mut rest) = (Vec::<Shape>::new(), Vec::<usize>::new(), svg);
    while !rest.is_empty() {
        let end = rest.find('<').unwrap_or(rest.len());
        let text = unescaped(&rest[..end]);
        assert!(text.is_empty() || !open.is_empty(), "text outside of the root: {text}");
        open.iter().for_each(|&at| done[at].text.push_str(&text));
        rest = &rest[end..];
        if let Some(closing) = rest.strip_prefix("</") {
            let (name, after) = closing.split_once('>').unwrap();
            assert_eq!(done[open.pop().unwrap()].name, name, "closed in order");
            rest = after;
        } else if let Some(opening) = rest.strip_prefix('<') {
            assert!(done.is_empty() || !open.is_empty(), "one root");
            let (tag, after) = opening.split_once('>').unwrap();
            let (tag, is_closed) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
            if !is_closed {
                open.push(done.len());
            }
            done.push(shape(tag));
            rest = after;
        }
    }
    assert!(open.is_empty(), "everything is closed");
    assert_eq!(done[0].name, "svg");
    assert_eq!(svg.matches("http").count() - hosts_in_texts(&done), 1, "only the namespace");
    done
}

fn hosts_in_texts(shapes: &[Shape]) -> usize {
    let names = shapes.iter().filter(|shape| shape.name == "text" || shape.name == "title");
    let texts = names.map(|shape| shape.text.as_str());
    let labels = shapes.iter().filter_map(|shape| shape.attributes.get("aria-label")).map(String::as_str);
    texts.chain(labels).map(|text| text.matches("http").count()).sum()
}

fn shape(tag: &str) -> Shape {
    let (name, mut rest) = tag.split_at(tag.find(' ').unwrap_or(tag.len()));
    assert!(ELEMENTS.contains(&name), "<{name}>");
    let mut attributes = BTreeMap::new();
    while !rest.is_empty() {
        let (key, after) = rest[1..].split_once("=\"").unwrap_or_else(|| panic!("an attribute: {rest:.80}"));
        let (value, after) = after.split_once('"').unwrap();
        assert!(!["style", "class", "id"].contains(&key) && !key.starts_with("on"), "{key}");
        assert!(rest.starts_with(' ') && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{rest:.80}");
        let value = unescaped(value);
        match key {
            "href" => {
                assert!(value.starts_with("data:image/png;base64,") || value.starts_with("data:image/jpeg;base64,"))
            }
            "fill" | "stroke" => assert!(value == "none" || is_color(&value), "{value}"),
            "xmlns" => assert_eq!(value, "http://www.w3.org/2000/svg"),
            "aria-label" => {}
            _ => assert!(!value.contains("url(") && !value.contains("NaN") && !value.contains("inf"), "{key} {value}"),
        }
        assert!(attributes.insert(key.to_owned(), value).is_none(), "{key} twice");
        rest = after;
    }
    Shape { name: name.to_owned(), attributes, text: String::new() }
}

fn is_color(value: &str) -> bool {
    value.len() == 7 && value.starts_with('#') && value[1..].chars().all(|c| c.is_ascii_hexdigit())
}

fn unescaped(text: &str) -> String {
    let known = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&#13;", "\r")];
    assert!(!text.contains('<') && text.chars().all(|c| !c.is_control() || c == '\n' || c == '\t'), "{text:?}");
    let bare = known.iter().fold(text.replace("&amp;", ""), |text, (name, _)| text.replace(name, ""));
    assert!(!bare.contains('&'), "a bare ampersand: {text}");
    known.iter().fold(text.to_owned(), |text, (name, sign)| text.replace(name, sign)).replace("&amp;", "&")
}

/// That shapes are inside the drawing, as far as their coordinates are their own, and what is drawn is visible.
pub fn assert_inside(shapes: &[Shape]) {
    let (width, height) = (shapes[0].number("width"), shapes[0].number("height"));
    assert!((50.0..4_000.0).contains(&width) && (30.0..6_000.0).contains(&height), "{width} x {height}");
    for shape in shapes.iter().filter(|shape| shape.name == "rect" && !shape.attributes["width"].ends_with('%')) {
        assert!(shape.number("x") + shape.number("width") <= width, "{shape:?}");
        assert!(shape.number("y") + shape.number("height") <= height, "{shape:?}");
    }
}
