//! The common kind of all values in a column.

use std::collections::HashMap;

use super::scan::{Fault, Scanner, Token};
use crate::files::budget::{MAX_COLUMNS, Missing};

/// Records with more distinct fields than this become strings.
const MAX_FIELDS: usize = 10_000;

/// The kind of a column that fits all values seen so far.
#[derive(Clone)]
pub(super) enum Kind {
    /// All null.
    Nothing,
    Flag,
    /// `exact`: whether all of them can be represented as 64-bit floats.
    Integer {
        exact: bool,
    },
    Number,
    Text,
    /// Values without a common kind, or that no kind can represent: strings, as written in the file.
    Mixed,
    List(List),
    Record(Record),
}

/// The elements of all lists that were seen.
#[derive(Clone)]
pub(super) struct List {
    pub(super) kind: Box<Kind>,
    /// Their number, including nulls.
    length: usize,
}

/// Fields by name, in order of appearance.
#[derive(Clone, Default)]
pub(super) struct Names {
    pub(super) names: Vec<String>,
    places: HashMap<String, usize>,
}

impl Names {
    /// The index of a field that is probably at `expected`.
    pub(super) fn find(&self, name: &str, expected: usize) -> Option<usize> {
        match self.names.get(expected) {
            Some(likely) if likely == name => Some(expected),
            _ => self.places.get(name).copied(),
        }
    }

    fn add(&mut self, name: &str) -> usize {
        let place = self.names.len();
        self.names.push(name.to_owned());
        self.places.insert(name.to_owned(), place);
        place
    }
}

/// The fields of all objects that were seen.
#[derive(Clone, Default)]
pub(super) struct Record {
    pub(super) names: Names,
    pub(super) fields: Vec<FieldKind>,
    pub(super) objects: usize,
}

#[derive(Clone)]
pub(super) struct FieldKind {
    pub(super) kind: Kind,
    /// The index of the last object that has it.
    object: usize,
    /// The number of objects that have it.
    values: usize,
    /// Unpaired surrogates in it.
    pub(super) halves: usize,
}

impl Kind {
    /// Reads a value.
    pub(super) fn see(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Fault> {
        let token = scanner.value()?;
        match &token {
            Token::Null => {}
            Token::Flag(_) => self.join(Kind::Flag),
            Token::Number(number) => self.join(kind_of_number(number)),
            Token::Text(_) => self.join(Kind::Text),
            Token::List => return self.see_list(scanner, &token),
            Token::Record => return self.see_record(scanner, &token),
        }
        Ok(())
    }

    fn see_list(&mut self, scanner: &mut Scanner<'_>, token: &Token<'_>) -> Result<(), Fault> {
        if let Kind::Nothing = self {
            *self = Kind::List(List { kind: Box::new(Kind::Nothing), length: 0 });
        }
        let Kind::List(list) = self else {
            *self = Kind::Mixed;
            return scanner.skip(token);
        };
        let mut is_first = true;
        while scanner.element(is_first)? {
            list.kind.see(scanner)?;
            list.length += 1;
            is_first = false;
        }
        Ok(())
    }

    fn see_record(&mut self, scanner: &mut Scanner<'_>, token: &Token<'_>) -> Result<(), Fault> {
        if let Kind::Nothing = self {
            *self = Kind::Record(Record::default());
        }
        match self {
            Kind::Record(record) if record.fields.len() <= MAX_FIELDS => record.see(scanner),
            _ => {
                *self = Kind::Mixed;
                scanner.skip(token)
            }
        }
    }

    /// Adds a value of kind `other`, which is neither a list nor a record.
    fn join(&mut self, other: Kind) {
        let joined = match (&*self, other) {
            (Kind::Nothing, other) => other,
            (Kind::Flag, Kind::Flag) => Kind::Flag,
            (Kind::Integer { exact: a }, Kind::Integer { exact: b }) => Kind::Integer { exact: *a && b },
            (Kind::Integer { exact: true } | Kind::Number, Kind::Number) => Kind::Number,
            (Kind::Number, Kind::Integer { exact: true }) => Kind::Number,
            (Kind::Text, Kind::Text) => Kind::Text,
            _ => Kind::Mixed,
        };
        *self = joined;
    }

    /// Converts it to strings, unless it contains nested values.
    pub(super) fn as_text(&mut self) {
        if let Kind::Flag | Kind::Integer { .. } | Kind::Number = self {
            *self = Kind::Text;
        }
    }
}

impl Record {
    /// Reads the fields of an object.
    pub(super) fn see(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Fault> {
        self.objects += 1;
        let (mut is_first, mut expected, mut halves) = (true, 0, scanner.halves);
        while let Some(key) = scanner.key(is_first)? {
            let name = key.unescaped();
            let place = self.names.find(&name, expected).unwrap_or_else(|| {
                self.fields.push(FieldKind { kind: Kind::Nothing, object: 0, values: 0, halves: 0 });
                self.names.add(&name)
            });
            (is_first, expected) = (false, place + 1);
            let Some(field) = self.fields.get_mut(place) else { continue };
            if field.object == self.objects {
                return Err(
                    scanner.fault(format!("the object has a duplicate field `{}`", crate::error::quoted(&name, 60)))
                );
            }
            field.object = self.objects;
            field.values += 1;
            field.kind.see(scanner)?;
            field.halves += scanner.halves - halves;
            halves = scanner.halves;
            if self.fields.len() > MAX_COLUMNS {
                return Err(scanner.fault(format!("the objects have more than {MAX_COLUMNS} distinct fields")));
            }
        }
        Ok(())
    }

    pub(super) fn cells(&self) -> usize {
        self.fields.len().saturating_mul(self.objects)
    }

    /// The number of cells that are null because objects lack the field, in a column of `length` rows.
    fn missing(&self, length: usize) -> u64 {
        self.fields.iter().map(|field| length.saturating_sub(field.values) as u64).fold(0, u64::saturating_add)
    }
}

/// Determines the columns of a file, after all values were seen.
pub(super) struct Settling {
    /// The maximum number of cells in a record; with more, it is mostly empty.
    pub(super) most: usize,
    /// The number of cells that all records together may omit.
    pub(super) missing: Missing,
    /// Whether all-null columns stay null instead of becoming strings.
    pub(super) keeps_null: bool,
}

impl Settling {
    /// The columns for the fields of `record`, of `length` rows.
    pub(super) fn record(&mut self, record: Record, length: usize) -> Record {
        let settled = |field: FieldKind| FieldKind { kind: self.kind(field.kind, length), ..field };
        Record { fields: record.fields.into_iter().map(settled).collect(), ..record }
    }

    /// Records without fields, and those that are mostly empty, become strings.
    fn kind(&mut self, kind: Kind, length: usize) -> Kind {
        match kind {
            Kind::Nothing if !self.keeps_null => Kind::Text,
            Kind::List(list) => Kind::List(List { kind: Box::new(self.kind(*list.kind, list.length)), ..list }),
            Kind::Record(record) if record.fields.is_empty() || !self.fits(&record, length) => Kind::Text,
            Kind::Record(record) => Kind::Record(self.record(record, length)),
            other => other,
        }
    }

    /// A record has a cell for each field in every row of its parent, even where the record itself is null.
    fn fits(&mut self, record: &Record, length: usize) -> bool {
        record.cells() <= self.most && self.missing.take(record.missing(length))
    }
}

/// Integers of more than 64 bits, and numbers outside the range of floats, are kept as written.
fn kind_of_number(number: &str) -> Kind {
    /// The largest integer up to which floats represent every integer.
    const EXACT: u64 = 1 << 53;
    /// Shorter numbers without an exponent are never too large.
    const SHORT: usize = 300;
    if number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
        return match number.parse::<i64>() {
            Ok(0) if number.starts_with('-') => Kind::Number,
            Ok(integer) => Kind::Integer { exact: integer.unsigned_abs() <= EXACT },
            Err(_) => Kind::Mixed,
        };
    }
    let is_short = number.len() < SHORT && !number.contains(['e', 'E']);
    match is_short || number.parse::<f64>().is_ok_and(f64::is_finite) {
        true => Kind::Number,
        false => Kind::Mixed,
    }
}
