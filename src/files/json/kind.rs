//! Of which kind all values of a column are.

use std::collections::HashMap;

use super::scan::{Fault, Scanner, Token};

/// Records with more different fields than this become texts.
const MOST_FIELDS: usize = 10_000;

/// The most columns of a table.
const MOST_COLUMNS: usize = 100_000;

/// What a column can hold of the values that were seen.
pub(super) enum Kind {
    /// Nothing but null.
    Nothing,
    Flag,
    /// `exact`: whether all of them are numbers of 64-bit floating point too.
    Integer {
        exact: bool,
    },
    Number,
    /// Texts; and values that are of no kind together, as they stand in the file.
    Text,
    List(Box<Kind>),
    Record(Record),
}

/// Fields by their names, in the order in which they came.
#[derive(Default)]
pub(super) struct Names {
    pub(super) names: Vec<String>,
    places: HashMap<String, usize>,
}

impl Names {
    /// The place of a field that is likely to be at `expected`.
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
#[derive(Default)]
pub(super) struct Record {
    pub(super) names: Names,
    pub(super) fields: Vec<FieldKind>,
    pub(super) objects: usize,
}

pub(super) struct FieldKind {
    pub(super) kind: Kind,
    /// The number of the last object that has it.
    object: usize,
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
            *self = Kind::List(Box::new(Kind::Nothing));
        }
        let Kind::List(elements) = self else {
            *self = Kind::Text;
            return scanner.skip(token);
        };
        let mut is_first = true;
        while scanner.element(is_first)? {
            elements.see(scanner)?;
            is_first = false;
        }
        Ok(())
    }

    fn see_record(&mut self, scanner: &mut Scanner<'_>, token: &Token<'_>) -> Result<(), Fault> {
        if let Kind::Nothing = self {
            *self = Kind::Record(Record::default());
        }
        match self {
            Kind::Record(record) if record.fields.len() <= MOST_FIELDS => record.see(scanner),
            _ => {
                *self = Kind::Text;
                scanner.skip(token)
            }
        }
    }

    /// Takes in a value of kind `other`, which is no list and no record.
    fn join(&mut self, other: Kind) {
        let joined = match (&*self, other) {
            (Kind::Nothing, other) => other,
            (Kind::Flag, Kind::Flag) => Kind::Flag,
            (Kind::Integer { exact: a }, Kind::Integer { exact: b }) => Kind::Integer { exact: *a && b },
            (Kind::Integer { exact: true } | Kind::Number, Kind::Number) => Kind::Number,
            (Kind::Number, Kind::Integer { exact: true }) => Kind::Number,
            _ => Kind::Text,
        };
        *self = joined;
    }

    /// What the column will be, where its cells may be `most`: no records without fields, or that are mostly empty.
    pub(super) fn settled(self, most: usize) -> Kind {
        match self {
            Kind::List(elements) => Kind::List(Box::new(elements.settled(most))),
            Kind::Record(record) if record.fields.is_empty() || record.cells() > most => Kind::Text,
            Kind::Record(record) => Kind::Record(record.settled(most)),
            other => other,
        }
    }

    /// As texts, if it is of single values.
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
        let (mut is_first, mut expected) = (true, 0);
        while let Some(key) = scanner.key(is_first)? {
            let name = key.unescaped();
            let place = self.names.find(&name, expected).unwrap_or_else(|| {
                self.fields.push(FieldKind { kind: Kind::Nothing, object: 0 });
                self.names.add(&name)
            });
            (is_first, expected) = (false, place + 1);
            let Some(field) = self.fields.get_mut(place) else { continue };
            if field.object == self.objects {
                return Err(scanner.fault(format!("the object has two fields `{}`", crate::error::quoted(&name, 60))));
            }
            field.object = self.objects;
            field.kind.see(scanner)?;
            if self.fields.len() > MOST_COLUMNS {
                return Err(scanner.fault(format!("the objects have more than {MOST_COLUMNS} different fields")));
            }
        }
        Ok(())
    }

    pub(super) fn cells(&self) -> usize {
        self.fields.len().saturating_mul(self.objects)
    }

    pub(super) fn settled(self, most: usize) -> Record {
        let settled = |field: FieldKind| FieldKind { kind: field.kind.settled(most), ..field };
        Record { fields: self.fields.into_iter().map(settled).collect(), ..self }
    }
}

/// Whole numbers of more than 64 bits, and numbers beyond floating point, stay as they are written.
fn kind_of_number(number: &str) -> Kind {
    /// The largest whole number below which floating point has all.
    const EXACT: u64 = 1 << 53;
    /// Numbers of fewer characters and no exponent are never too large.
    const SHORT: usize = 300;
    if number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
        return match number.parse::<i64>() {
            Ok(0) if number.starts_with('-') => Kind::Number,
            Ok(integer) => Kind::Integer { exact: integer.unsigned_abs() <= EXACT },
            Err(_) => Kind::Text,
        };
    }
    let is_short = number.len() < SHORT && !number.contains(['e', 'E']);
    match is_short || number.parse::<f64>().is_ok_and(f64::is_finite) {
        true => Kind::Number,
        false => Kind::Text,
    }
}
