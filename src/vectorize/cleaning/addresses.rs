//! Web addresses, email addresses, and `@names`.

use super::html::entity_at;
use super::piece::{Kind, Piece};

/// The number of bytes examined before an `@` or a `/`: longer mailbox and domain names do not exist.
const LONGEST_NAME: usize = 64;
/// The maximum length of a domain.
const LONGEST_DOMAIN: usize = 255;
/// The maximum length of an `@name`.
const LONGEST_HANDLE: usize = 30;

/// URL schemes. The first two are often joined to preceding text.
const SCHEMES: &[&str] =
    &["http", "https", "ftp", "ftps", "sftp", "file", "ws", "wss", "git", "ssh", "gopher", "telnet", "irc", "magnet"];

/// Top-level domains of domains with a path, except those that are also words or file extensions.
const TOP_LEVEL: &[&str] = &[
    "com", "org", "net", "edu", "gov", "mil", "int", "info", "biz", "io", "co", "me", "tv", "ly", "gl", "gd", "be",
    "us", "uk", "de", "fr", "es", "it", "nl", "ru", "jp", "cn", "au", "ca", "br", "ch", "at", "eu", "se", "pl", "app",
    "dev", "ai", "fm", "gg",
];

/// An address with a `://`, whose first slash is at `at`.
pub(super) fn address_at(text: &str, at: usize, kept: usize) -> Option<Piece> {
    let bytes = text.as_bytes();
    if bytes.get(at + 1) != Some(&b'/') || at.checked_sub(1).and_then(|colon| bytes.get(colon)) != Some(&b':') {
        return None;
    }
    let rest = at + 2;
    if !text.get(rest..)?.starts_with(|c: char| c.is_alphanumeric() || c == '[' || c == '/') {
        return None;
    }
    let before = bytes.get(kept..at - 1)?;
    let letters = before.iter().rev().take(LONGEST_NAME).take_while(|b| b.is_ascii_alphabetic()).count();
    let run = before.get(before.len() - letters..)?;
    let ends_in = |scheme: &&str| {
        run.len() >= scheme.len() && run[run.len() - scheme.len()..].eq_ignore_ascii_case(scheme.as_bytes())
    };
    let glued = |scheme: &&str| run.len() == scheme.len() || scheme.starts_with("http");
    let scheme = SCHEMES.iter().filter(|scheme| ends_in(scheme) && glued(scheme)).max_by_key(|scheme| scheme.len())?;
    Some(Piece::parting(at - 1 - scheme.len(), address_end(text, rest), Kind::Address))
}

/// An address that begins with `www.`, whose dot is at `at`.
pub(super) fn www_at(text: &str, at: usize, kept: usize) -> Option<Piece> {
    let start = at.checked_sub(3).filter(|&start| start >= kept)?;
    let bytes = text.as_bytes();
    if !bytes.get(start..at)?.eq_ignore_ascii_case(b"www") {
        return None;
    }
    let begins = text.get(..start)?.chars().next_back().is_none_or(|c| !c.is_alphanumeric());
    let goes_on = bytes.get(at + 1).is_some_and(u8::is_ascii_alphanumeric);
    (begins && goes_on).then(|| Piece::parting(start, address_end(text, at + 1), Kind::Address))
}

/// A domain with a path, whose first slash is at `at`: `t.co/x`, `example.org/page.html`.
pub(super) fn domain_path_at(text: &str, at: usize, kept: usize) -> Option<Piece> {
    let before = text.as_bytes().get(kept..at)?;
    let length = before
        .iter()
        .rev()
        .take(LONGEST_NAME)
        .take_while(|&&b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
        .count();
    let domain = text.get(at - length..at)?.trim_start_matches(['.', '-']);
    let (name, top) = domain.rsplit_once('.')?;
    let known = TOP_LEVEL.iter().any(|known| known.eq_ignore_ascii_case(top));
    let goes_on = text
        .as_bytes()
        .get(at + 1)
        .is_some_and(|&b| b.is_ascii_alphanumeric() || matches!(b, b'~' | b'?' | b'#' | b'@'));
    let labels = name.split('.').all(|label| !label.is_empty());
    (known && goes_on && labels).then(|| Piece::parting(at - domain.len(), address_end(text, at), Kind::Address))
}

/// The end of the address with its host or path at `from`.
fn address_end(text: &str, from: usize) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    let mut open = 0_usize;
    for (i, c) in rest.char_indices() {
        let ends = match c {
            '\0'..=' ' | '\x7f' | '<' | '>' | '"' | '\'' | '`' | '{' | '}' | '|' | '\\' | '^' | ']' => true,
            '(' => {
                open += 1;
                false
            }
            ')' if open == 0 => true,
            ')' => {
                open -= 1;
                false
            }
            '&' => entity_at(text, from + i).is_some_and(|entity| parts(&entity.with)),
            '\0'..='\x7f' => false,
            // Addresses may contain letters; letters of scripts without spaces more likely belong to the text that
            // follows.
            _ => {
                !c.is_alphanumeric()
                    || matches!(c, '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{ffef}' | '\u{20000}'..)
            }
        };
        if ends {
            return from + i;
        }
    }
    text.len()
}

/// Whether an entity stands for a character that ends an address.
fn parts(letters: &str) -> bool {
    letters.chars().all(|c| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '\''))
}

/// An email address around the `@` at `at`, with an optional `mailto:`.
pub(super) fn mail_at(text: &str, at: usize, kept: usize) -> Option<Piece> {
    let before = text.as_bytes().get(kept..at)?;
    let is_local = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'%' | b'+' | b'-' | b'=');
    let length = before.iter().rev().take(LONGEST_NAME).take_while(|b| is_local(b)).count();
    let local = text.get(at - length..at)?.trim_start_matches(['.', '=', '-']);
    let end = domain_end(text, at + 1)?;
    if local.is_empty() {
        return None;
    }
    let start = at - local.len();
    let scheme = "mailto:";
    let mailto = start.checked_sub(scheme.len()).filter(|&start| start >= kept);
    let mailto = mailto.filter(|&before| text.get(before..start).is_some_and(|text| text.eq_ignore_ascii_case(scheme)));
    Some(Piece::parting(mailto.unwrap_or(start), end, Kind::Mail))
}

/// The end of the domain that starts at `from`, if it has a dot and its last label consists of letters.
fn domain_end(text: &str, from: usize) -> Option<usize> {
    let rest = text.as_bytes().get(from..)?;
    let is_domain = |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-');
    let length = rest.iter().take(LONGEST_DOMAIN).take_while(is_domain).count();
    let domain = text.get(from..from + length)?;
    // The sentence may end or continue after the domain.
    let labels = domain.split('.').take_while(|label| !label.is_empty());
    let (mut end, mut found) = (0, None);
    for (i, label) in labels.enumerate() {
        end += label.len() + usize::from(i > 0);
        if i > 0 && label.len() > 1 && label.bytes().all(|b| b.is_ascii_alphabetic()) {
            found = Some(from + end);
        }
    }
    found
}

/// An `@name` whose `@` is at `at`, with its server, if any.
pub(super) fn handle_at(text: &str, at: usize) -> Option<Piece> {
    let before = text.get(..at)?.chars().next_back();
    if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '/')) {
        return None;
    }
    let rest = text.get(at + 1..)?;
    let length = rest.bytes().take(LONGEST_HANDLE + 1).take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
    if !(2..=LONGEST_HANDLE).contains(&length) || rest.get(length..)?.starts_with(char::is_alphanumeric) {
        return None;
    }
    let end = at + 1 + length;
    let server = text.as_bytes().get(end).filter(|b| **b == b'@').and_then(|_| domain_end(text, end + 1));
    Some(Piece::parting(at, server.unwrap_or(end), Kind::Name))
}
