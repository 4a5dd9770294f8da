//! A JSON scanner that reads value by value, locates syntax errors, and limits the nesting depth.

use std::borrow::Cow;

/// The maximum nesting depth of values: readers are recursive.
pub(super) const MAX_DEPTH: usize = 64;

/// The byte position and reason of a syntax error.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) at: usize,
    pub(super) reason: Reason,
}

#[derive(Debug)]
pub(super) enum Reason {
    /// The text ends within a value.
    Cut,
    /// Values are nested more than [`MAX_DEPTH`] levels deep.
    Deep,
    Words(String),
}

/// A value, or the beginning of one that contains others.
pub(super) enum Token<'a> {
    Null,
    Flag(bool),
    Number(&'a str),
    Text(Text<'a>),
    /// Its elements follow: [`Scanner::element`].
    List,
    /// Its fields follow: [`Scanner::key`].
    Record,
}

/// The content between the quotes.
#[derive(Clone, Copy)]
pub(super) struct Text<'a> {
    raw: &'a str,
    has_escapes: bool,
}

/// A reader of values in `text` from `at` to `end`.
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    end: usize,
    depth: usize,
    /// The number of unpaired UTF-16 surrogate escapes.
    pub(super) halves: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str, at: usize, end: usize) -> Self {
        Scanner { text, at, end: end.min(text.len()), depth: 0, halves: 0 }
    }

    /// The byte position of the next value.
    pub(super) fn start(&mut self) -> usize {
        let rest = self.rest();
        self.at += rest.bytes().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
        self.at
    }

    pub(super) fn is_at_end(&mut self) -> bool {
        self.start() >= self.end
    }

    /// The text read since the byte `start`.
    pub(super) fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..self.end).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied().filter(|_| self.at < self.end)
    }

    pub(super) fn fault(&self, words: impl Into<String>) -> Fault {
        let reason = if self.peek().is_none() { Reason::Cut } else { Reason::Words(words.into()) };
        Fault { at: self.at, reason }
    }

    /// Reads the next value; of lists and records, only the opening bracket.
    pub(super) fn value(&mut self) -> Result<Token<'a>, Fault> {
        self.start();
        match self.peek() {
            Some(b'"') => self.text().map(Token::Text),
            Some(b'{') => self.open().map(|()| Token::Record),
            Some(b'[') => self.open().map(|()| Token::List),
            Some(b'-' | b'0'..=b'9') => self.number().map(Token::Number),
            _ => self.word(),
        }
    }

    fn word(&mut self) -> Result<Token<'a>, Fault> {
        let words = [("null", Token::Null), ("true", Token::Flag(true)), ("false", Token::Flag(false))];
        for (word, token) in words {
            if self.rest().starts_with(word) {
                self.at += word.len();
                return Ok(token);
            }
        }
        let rest = self.rest();
        let begins = |word: &&str| rest.starts_with(*word);
        if let Some(word) = ["NaN", "Infinity"].into_iter().find(begins) {
            return Err(self.fault(format!("{word} is not JSON; write null")));
        }
        if let Some(word) = ["None", "True", "False"].into_iter().find(begins) {
            return Err(self.fault(format!("{word} is Python, not JSON; use null, true, or false")));
        }
        if ["null", "true", "false"].iter().any(|word| word.starts_with(rest)) {
            return Err(Fault { at: self.end, reason: Reason::Cut });
        }
        match self.peek() {
            Some(b'\'') => Err(self.fault("strings must be in double quotes")),
            Some(b']' | b'}') => Err(self.fault("missing value before the bracket")),
            _ => Err(self.fault("expected a value: a string in double quotes, a number, true, false, null, [, or {")),
        }
    }

    fn open(&mut self) -> Result<(), Fault> {
        if self.depth == MAX_DEPTH {
            return Err(Fault { at: self.at, reason: Reason::Deep });
        }
        self.depth += 1;
        self.at += 1;
        Ok(())
    }

    /// Whether a list has another element, which is then the next value.
    pub(super) fn element(&mut self, is_first: bool) -> Result<bool, Fault> {
        self.start();
        match self.peek() {
            Some(b']') => {
                self.at += 1;
                self.depth = self.depth.saturating_sub(1);
                Ok(false)
            }
            _ if is_first => Ok(true),
            Some(b',') => {
                self.at += 1;
                Ok(true)
            }
            _ => Err(self.fault("missing comma or ]")),
        }
    }

    /// The name of the next field of a record, whose value comes next.
    pub(super) fn key(&mut self, is_first: bool) -> Result<Option<Text<'a>>, Fault> {
        self.start();
        match self.peek() {
            Some(b'}') => {
                self.at += 1;
                self.depth = self.depth.saturating_sub(1);
                return Ok(None);
            }
            _ if is_first => {}
            Some(b',') => self.at += 1,
            _ => return Err(self.fault("missing comma or }")),
        }
        self.start();
        if self.peek() != Some(b'"') {
            return Err(self.fault("expected a field name in double quotes"));
        }
        let key = self.text()?;
        self.start();
        if self.peek() != Some(b':') {
            return Err(self.fault("missing colon after a field name"));
        }
        self.at += 1;
        Ok(Some(key))
    }

    /// Skips the content of a list or record; other values have already been read.
    pub(super) fn skip(&mut self, token: &Token<'_>) -> Result<(), Fault> {
        let mut is_first = true;
        loop {
            let goes_on = match token {
                Token::List => self.element(is_first)?,
                Token::Record => self.key(is_first)?.is_some(),
                _ => false,
            };
            if !goes_on {
                return Ok(());
            }
            let inner = self.value()?;
            self.skip(&inner)?;
            is_first = false;
        }
    }

    fn text(&mut self) -> Result<Text<'a>, Fault> {
        let begins = self.at + 1;
        self.at = begins;
        let mut has_escapes = false;
        loop {
            let Some(length) = memchr::memchr3(b'"', b'\\', b'\n', self.rest().as_bytes()) else {
                return Err(Fault { at: self.end, reason: Reason::Cut });
            };
            self.at += length;
            match self.peek() {
                Some(b'"') => {
                    let raw = self.since(begins);
                    self.at += 1;
                    return Ok(Text { raw, has_escapes });
                }
                Some(b'\\') => {
                    has_escapes = true;
                    self.escape()?;
                }
                _ => {
                    let words = "a string contains a line break (which must be written as \\n in JSON), or its quote \
                                 is not closed";
                    return Err(self.fault(words));
                }
            }
        }
    }

    fn escape(&mut self) -> Result<(), Fault> {
        let rest = self.rest();
        match rest.as_bytes().get(1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => {
                let Some((character, length)) = unicode_escape(rest) else {
                    return Err(self.fault("\\u must be followed by four hexadecimal digits"));
                };
                self.halves += usize::from(character.is_none());
                self.at += length;
            }
            None => return Err(Fault { at: self.end, reason: Reason::Cut }),
            Some(_) => return Err(self.fault("not a valid JSON escape; a backslash is written as \\\\")),
        }
        Ok(())
    }

    fn number(&mut self) -> Result<&'a str, Fault> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.rest().starts_with("Infinity") {
            return Err(Fault { at: start, reason: Reason::Words("-Infinity is not JSON; write null".to_owned()) });
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        match self.peek() {
            Some(b'0'..=b'9') => Err(self.fault("numbers must not begin with 0; a string of digits must be in quotes")),
            _ => Ok(self.since(start)),
        }
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let count = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        self.at += count;
        if count == 0 { Err(self.fault("missing digit")) } else { Ok(()) }
    }
}

impl<'a> Text<'a> {
    /// The unescaped text.
    pub(super) fn unescaped(self) -> Cow<'a, str> {
        if !self.has_escapes {
            return Cow::Borrowed(self.raw);
        }
        let mut text = String::with_capacity(self.raw.len());
        let mut rest = self.raw;
        while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
            text.push_str(rest.get(..at).unwrap_or_default());
            rest = rest.get(at..).unwrap_or_default();
            let (character, length) = match rest.as_bytes().get(1) {
                Some(b'u') => unicode_escape(rest).unwrap_or((None, 2)),
                Some(b'b') => (Some('\u{8}'), 2),
                Some(b'f') => (Some('\u{c}'), 2),
                Some(b'n') => (Some('\n'), 2),
                Some(b'r') => (Some('\r'), 2),
                Some(b't') => (Some('\t'), 2),
                other => (other.map(|&byte| char::from(byte)), 2),
            };
            text.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
            rest = rest.get(length..).unwrap_or_default();
        }
        text.push_str(rest);
        Cow::Owned(text)
    }
}

/// The character of `\u1234`, or of a surrogate pair of such escapes, and its length in bytes. The character is `None`
/// for an unpaired surrogate; the result is `None` if there are not four digits.
fn unicode_escape(text: &str) -> Option<(Option<char>, usize)> {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6).and_then(|escape| escape.strip_prefix("\\u"))?;
        digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
    };
    let first = unit(0)?;
    if let (0xd800..=0xdbff, Some(second @ 0xdc00..=0xdfff)) = (first, unit(6)) {
        return Some((char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)), 12));
    }
    Some((char::from_u32(first), 6))
}
