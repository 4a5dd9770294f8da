//! HTML tags, comments, and entities.

use std::borrow::Cow;

use html_escape::NAMED_ENTITIES;

use super::piece::{Kind, Piece};

/// The maximum length of an entity: the longest name is `CounterClockwiseContourIntegral`; also a bound for numbers.
const LONGEST_ENTITY: usize = 32;

/// Tags that are removed without separating the letters on either side: `H<sub>2</sub>O`.
const INLINE: &[&str] = &[
    "abbr", "acronym", "b", "big", "del", "em", "font", "i", "ins", "mark", "s", "small", "strike", "strong", "sub",
    "sup", "tt", "u", "wbr",
];

/// All other tags, sorted by bytes.
const TAGS: &[&str] = &[
    "a",
    "address",
    "applet",
    "area",
    "article",
    "aside",
    "audio",
    "base",
    "basefont",
    "bdi",
    "bdo",
    "blink",
    "blockquote",
    "body",
    "br",
    "button",
    "canvas",
    "caption",
    "center",
    "cite",
    "code",
    "col",
    "colgroup",
    "data",
    "datalist",
    "dd",
    "details",
    "dfn",
    "dialog",
    "dir",
    "div",
    "dl",
    "dt",
    "embed",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "frame",
    "frameset",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "header",
    "hgroup",
    "hr",
    "html",
    "iframe",
    "img",
    "input",
    "kbd",
    "label",
    "legend",
    "li",
    "link",
    "main",
    "map",
    "marquee",
    "menu",
    "meta",
    "nav",
    "nobr",
    "noscript",
    "object",
    "ol",
    "optgroup",
    "option",
    "p",
    "param",
    "picture",
    "pre",
    "q",
    "rp",
    "rt",
    "ruby",
    "samp",
    "script",
    "section",
    "select",
    "source",
    "span",
    "style",
    "summary",
    "svg",
    "table",
    "tbody",
    "td",
    "template",
    "textarea",
    "tfoot",
    "th",
    "thead",
    "time",
    "title",
    "tr",
    "track",
    "ul",
    "var",
    "video",
    "xml",
];

/// Attributes without a value.
const BOOLEAN: &[&str] = &[
    "allowfullscreen",
    "async",
    "autofocus",
    "autoplay",
    "checked",
    "compact",
    "controls",
    "default",
    "defer",
    "disabled",
    "formnovalidate",
    "hidden",
    "itemscope",
    "loop",
    "multiple",
    "muted",
    "noresize",
    "noshade",
    "novalidate",
    "nowrap",
    "open",
    "readonly",
    "required",
    "selected",
];

/// Closing sequences known to be missing from the rest of the text, so that they are not searched for again.
#[derive(Debug, Default)]
pub(super) struct Missing {
    comment: bool,
    script: bool,
    style: bool,
}

/// The tag or comment that begins at `at`; for scripts and styles, including their content.
pub(super) fn tag_at(text: &str, at: usize, missing: &mut Missing) -> Option<Piece> {
    match text.as_bytes().get(at + 1)? {
        b'!' | b'?' => declaration_at(text, at, missing),
        b'/' => {
            let (name, after) = name_at(text, at + 2)?;
            let end = tag_end(text, after)?;
            let blank = text.get(after..end - 1)?.trim().is_empty();
            blank.then(|| tag(name, at, end))
        }
        _ => {
            let (name, after) = name_at(text, at + 1)?;
            let end = tag_end(text, after)?;
            if !are_attributes(text.get(after..end - 1)?) {
                return None;
            }
            let known_missing = match name.to_ascii_lowercase().as_str() {
                "script" => &mut missing.script,
                "style" => &mut missing.style,
                _ => return Some(tag(name, at, end)),
            };
            let close = if *known_missing { None } else { closing(text, end, name) };
            *known_missing = close.is_none();
            Some(Piece::parting(at, close.unwrap_or(end), Kind::Tag))
        }
    }
}

fn tag(name: &str, start: usize, end: usize) -> Piece {
    let joins = INLINE.iter().any(|inline| inline.eq_ignore_ascii_case(name));
    let with = Cow::Borrowed(if joins { "" } else { " " });
    Piece { start, end, with, kind: Kind::Tag }
}

/// `<!-- -->`, `<!DOCTYPE >`, `<![CDATA[` and `<?xml ?>`.
fn declaration_at(text: &str, at: usize, missing: &mut Missing) -> Option<Piece> {
    let rest = text.get(at..)?;
    let begins = |with: &str| rest.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    if begins("<!--") {
        if missing.comment {
            return None;
        }
        let end = rest.get(4..)?.find("-->");
        missing.comment = end.is_none();
        return end.map(|end| Piece::parting(at, at + 4 + end + 3, Kind::Tag));
    }
    if begins("<![CDATA[") {
        return Some(Piece::parting(at, at + 9, Kind::Tag));
    }
    let known = begins("<!doctype") || begins("<?xml") || begins("<?php");
    known.then(|| tag_end(text, at + 2)).flatten().map(|end| Piece::parting(at, end, Kind::Tag))
}

/// The name of a known tag at `at`, and its end. A name in mixed case is more likely a type: `Vec<Path>`.
fn name_at(text: &str, at: usize) -> Option<(&str, usize)> {
    let longest = 12;
    let bytes = text.as_bytes().get(at..)?;
    let length = bytes.iter().take(longest + 1).take_while(|b| b.is_ascii_alphanumeric()).count();
    let name = text.get(at..at + length)?;
    let one_case = !name.bytes().any(|b| b.is_ascii_uppercase()) || !name.bytes().any(|b| b.is_ascii_lowercase());
    let lower = name.to_ascii_lowercase();
    let known = INLINE.binary_search(&lower.as_str()).is_ok() || TAGS.binary_search(&lower.as_str()).is_ok();
    let ends = matches!(bytes.get(length), Some(b'>' | b'/' | b' ' | b'\t' | b'\n' | b'\r' | b'\x0c'));
    (one_case && known && ends).then_some((name, at + length))
}

/// The end of the tag whose attributes start at `from`: after an unquoted `>`, or after the first one if a quote is not
/// closed. Tags do not extend beyond the next `<`, so no text is scanned twice.
fn tag_end(text: &str, from: usize) -> Option<usize> {
    let (mut quote, mut quoted) = (None, None);
    for (i, &byte) in text.as_bytes().get(from..)?.iter().enumerate() {
        match (byte, quote) {
            (b'<', _) => break,
            (b'>', None) => return Some(from + i + 1),
            (b'>', Some(_)) => quoted = quoted.or(Some(from + i + 1)),
            (b'"' | b'\'', None) => quote = Some(byte),
            (byte, Some(open)) if byte == open => quote = None,
            _ => {}
        }
    }
    quoted
}

/// Whether the text after a tag name looks like attributes; `a <b and c> d` is not a tag.
fn are_attributes(body: &str) -> bool {
    let body = body.trim().trim_start_matches('/').trim_start();
    let name_end = body
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | ':' | '_' | '@' | '.')))
        .unwrap_or(body.len());
    let (name, rest) = body.split_at(name_end);
    match (name.is_empty(), rest.trim_start().starts_with('=')) {
        (true, _) => body.is_empty(),
        (false, true) => true,
        (false, false) => BOOLEAN.iter().any(|known| known.eq_ignore_ascii_case(name)),
    }
}

/// The position after the closing tag `name`, searching from `from`.
fn closing(text: &str, from: usize, name: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        at += text.get(at..)?.find("</")?;
        let start = at + 2;
        if bytes.get(start..start + name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes())) {
            return Some(tag_end(text, start + name.len()).unwrap_or(start + name.len()));
        }
        at = start;
    }
}

/// The entity that begins at `at`, decoded. The semicolon may be missing if the entity is unambiguous.
pub(super) fn entity_at(text: &str, at: usize) -> Option<Piece> {
    let rest = text.as_bytes().get(at + 1..)?;
    let is_name = |(i, b): &(usize, &u8)| b.is_ascii_alphanumeric() || (*i == 0 && **b == b'#');
    let length = rest.iter().enumerate().take(LONGEST_ENTITY + 1).take_while(is_name).count();
    let name = text.get(at + 1..at + 1 + length)?;
    let closed = rest.get(length) == Some(&b';');
    let with = match name.strip_prefix('#') {
        Some(number) => numbered(number)?,
        None if closed => named(name)?,
        None if matches!(name, "nbsp" | "amp" | "quot" | "lt" | "gt") && rest.get(length) != Some(&b'=') => {
            named(name)?
        }
        None => return None,
    };
    let end = at + 1 + length + usize::from(closed);
    Some(Piece { start: at, end, with, kind: Kind::Entity })
}

fn named(name: &str) -> Option<Cow<'static, str>> {
    let place = NAMED_ENTITIES.binary_search_by(|(known, _)| (*known).cmp(name.as_bytes())).ok()?;
    NAMED_ENTITIES.get(place).map(|(_, letters)| Cow::Borrowed(*letters))
}

fn numbered(number: &str) -> Option<Cow<'static, str>> {
    let code = match number.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => number.parse().ok()?,
    };
    // Like browsers: Windows-1252 codes, of which these are letters.
    let letter = match code {
        138 => 'Š',
        140 => 'Œ',
        142 => 'Ž',
        145 | 146 => '’',
        154 => 'š',
        156 => 'œ',
        158 => 'ž',
        159 => 'Ÿ',
        code => char::from_u32(code).filter(|c| !c.is_control()).unwrap_or(' '),
    };
    Some(Cow::Owned(letter.to_string()))
}

#[cfg(test)]
mod tests {
    use super::{INLINE, TAGS};

    #[test]
    fn names_are_in_order() {
        assert!(INLINE.is_sorted() && TAGS.is_sorted());
    }
}
