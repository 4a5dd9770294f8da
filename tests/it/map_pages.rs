//! Reads the page of a map as a browser does, without running its script: the data, and the blocks behind it.

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::DeflateDecoder;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// A page and its data.
pub struct Page {
    html: String,
    pub data: Value,
}

impl Page {
    /// Reads a page, and checks that it is one that a browser reads as it is meant.
    ///
    /// # Panics
    /// The page is not self-contained, or something in it is not what the policy and the script expect.
    pub fn read(html: &str) -> Self {
        assert!(html.starts_with("<!DOCTYPE html>") && html.ends_with("</body></html>\n"));
        let elements: Vec<&str> = html.split("<script").skip(1).collect();
        let mut runs = Vec::new();
        for element in &elements {
            let (attributes, rest) = element.split_once('>').unwrap();
            let (content, _) = rest.split_once("</script>").unwrap();
            // Whatever else a browser could take for the end of the element, or for a comment.
            assert!(!content.contains("</script") && !content.contains("<!--"), "{attributes}");
            match attributes {
                "" => runs.push(content),
                _ => assert!(attributes.starts_with(" type=\"application/"), "{attributes}"),
            }
        }
        // The script that runs is the one that the policy allows.
        let hash = STANDARD.encode(Sha256::digest(runs[0]));
        let policy = format!(
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'sha256-{hash}'; \
             style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'\">"
        );
        assert!(runs.len() == 1 && html.contains(&policy) && html.matches("Content-Security-Policy").count() == 1);
        // Before data and script, nothing refers to anywhere.
        let skeleton = html.split_once("<script").unwrap().0.replace("http-equiv", "");
        let (head, rest) = skeleton.split_once("<title>").unwrap();
        let (title, rest) = rest.split_once("</title>").unwrap();
        assert!(!title.contains('<'), "{title}");
        let skeleton = format!("{head}{rest}");
        for reference in ["http", "src=", "href=", "url(", "@import", "<link", "<iframe", "<object", "<base", "action="]
        {
            let at = skeleton.find(reference);
            assert_eq!(at.map(|at| skeleton[at..].chars().take(60).collect::<String>()), None);
        }
        let data = serde_json::from_str(element(html, "data").unwrap()).unwrap();
        Page { html: html.to_owned(), data }
    }

    /// A block as it is in the page.
    pub fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        Some(STANDARD.decode(element(&self.html, name)?).unwrap())
    }

    /// A block that is deflated as a whole.
    pub fn inflated(&self, name: &str) -> Option<Vec<u8>> {
        Some(inflated(&self.bytes(name)?))
    }

    /// The place of each row on the page, or `None` if it is not drawn.
    pub fn places(&self) -> Vec<Option<[u16; 2]>> {
        let numbers = shorts(&self.bytes("places").unwrap());
        let (x, y) = numbers.split_at(numbers.len() / 2);
        x.iter().zip(y).map(|(&x, &y)| (x != u16::MAX || y != u16::MAX).then_some([x, y])).collect()
    }

    /// The id of the topic of each row on the page.
    pub fn topics(&self) -> Vec<i64> {
        let groups = shorts(&self.inflated("groups").unwrap());
        groups.into_iter().map(|group| self.data["topics"][group as usize]["id"].as_i64().unwrap()).collect()
    }

    /// The number of each row on the page in the frame.
    pub fn rows(&self) -> Vec<u32> {
        let n = self.data["rows"].as_u64().unwrap() as u32;
        let Some(bytes) = self.inflated("rows") else { return (0..n).collect() };
        let mut row = 0;
        longs(&bytes).into_iter().map(|step| (row += step, row).1).collect()
    }

    /// The texts, each block decoded by itself.
    pub fn texts(&self) -> Vec<String> {
        let encoded = element(&self.html, "texts").unwrap();
        let mut start = 0;
        let mut texts = Vec::new();
        for length in self.data["texts"]["lengths"].as_array().unwrap() {
            let length = length.as_u64().unwrap() as usize;
            assert_eq!(start % 3, 0);
            let end = (start + length).next_multiple_of(3);
            let block = STANDARD.decode(&encoded[start * 4 / 3..end * 4 / 3]).unwrap();
            let block = String::from_utf8(inflated(&block[..length])).unwrap();
            texts.extend(block.split('\0').map(str::to_owned));
            start = end;
        }
        assert_eq!(start * 4 / 3, encoded.len());
        texts
    }

    /// The place on the page and the level of each picture.
    pub fn pictures(&self) -> Vec<(u32, u8)> {
        let (rows, levels) = (self.inflated("picture-rows").unwrap(), self.inflated("picture-levels").unwrap());
        longs(&rows).into_iter().zip(levels).collect()
    }

    pub fn number(&self, pointer: &str) -> u64 {
        self.data.pointer(pointer).and_then(Value::as_u64).unwrap_or_else(|| panic!("{pointer}"))
    }
}

fn element<'a>(html: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = html.split_once(&format!("id=\"tf-{name}\">"))?;
    Some(rest.split_once("</script>").unwrap().0)
}

fn inflated(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    DeflateDecoder::new(bytes).read_to_end(&mut plain).unwrap();
    plain
}

fn shorts(bytes: &[u8]) -> Vec<u16> {
    bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect()
}

fn longs(bytes: &[u8]) -> Vec<u32> {
    bytes.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

/// A label with its box: at this scale, in pixels.
pub fn label_boxes(page: &Page, scale: f64) -> Vec<(String, [f64; 4])> {
    let number = |value: &Value| value.as_f64().unwrap();
    let labels = page.data["labels"].as_array().unwrap().iter();
    let shown =
        labels.filter(|label| scale >= number(&label["from"]) && label["to"].as_f64().is_none_or(|to| scale < to));
    let area = |label: &Value| {
        let (x, y) = (number(&label["at"][0]) * scale, number(&label["at"][1]) * scale);
        let (width, height) = (number(&label["width"]) / 2.0, number(&label["height"]) / 2.0);
        (label["lines"].to_string(), [x - width, y - height, x + width, y + height])
    };
    shown.map(area).collect()
}

/// Checks that no two labels overlap at any scale, and returns how many are shown at each.
pub fn disjoint_labels(page: &Page) -> Vec<usize> {
    let shown = |step: i32| {
        let boxes = label_boxes(page, 0.004 * 1.1_f64.powi(step));
        for (place, (name, a)) in boxes.iter().enumerate() {
            for (other, b) in &boxes[..place] {
                let apart = a[0] >= b[2] || b[0] >= a[2] || a[1] >= b[3] || b[1] >= a[3];
                assert!(apart, "{name} and {other} at step {step}");
            }
        }
        boxes.len()
    };
    (0..90).map(shown).collect()
}
