//! Converting fields to columns. A column has a type only if every field would be written back byte for byte.

use polars::prelude::*;

/// A column under construction.
pub(super) struct ColumnBuilder {
    name: PlSmallStr,
    cells: Cells,
}

enum Cells {
    /// Only empty fields so far.
    Nulls(usize),
    Flags(BooleanChunkedBuilder),
    Integers(PrimitiveChunkedBuilder<Int64Type>),
    /// `finite`: whether any value is finite. A column of only `NaN` may be text.
    Numbers {
        numbers: PrimitiveChunkedBuilder<Float64Type>,
        finite: bool,
    },
    Texts(StringChunkedBuilder),
}

/// The types of a field other than text.
enum Value {
    Flag(bool),
    Integer(i64),
    Number(f64),
}

/// What the fields of a column have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ColumnKind {
    Nulls,
    Flags,
    Integers,
    /// Whether any value is finite.
    Numbers(bool),
    Texts,
}

impl ColumnKind {
    /// The kind of a column of which a part has this kind, and the rest `other`.
    pub(super) fn joined(self, other: ColumnKind) -> ColumnKind {
        match (self, other) {
            (ColumnKind::Nulls, kind) | (kind, ColumnKind::Nulls) => kind,
            (ColumnKind::Numbers(a), ColumnKind::Numbers(b)) => ColumnKind::Numbers(a || b),
            (a, b) if a == b => a,
            _ => ColumnKind::Texts,
        }
    }
}

impl ColumnBuilder {
    /// A column whose kind is known from a first pass over all of its fields.
    pub(super) fn of_kind(name: PlSmallStr, kind: ColumnKind) -> Self {
        let cells = match kind {
            ColumnKind::Flags => Cells::Flags(BooleanChunkedBuilder::new(name.clone(), 0)),
            ColumnKind::Integers => Cells::Integers(PrimitiveChunkedBuilder::new(name.clone(), 0)),
            ColumnKind::Numbers(true) => {
                Cells::Numbers { numbers: PrimitiveChunkedBuilder::new(name.clone(), 0), finite: true }
            }
            // A column of nulls or of only `NaN` is text.
            ColumnKind::Nulls | ColumnKind::Numbers(false) | ColumnKind::Texts => return Self::of_texts(name),
        };
        ColumnBuilder { name, cells }
    }

    pub(super) fn name(&self) -> &PlSmallStr {
        &self.name
    }

    pub(super) fn kind(&self) -> ColumnKind {
        match &self.cells {
            Cells::Nulls(_) => ColumnKind::Nulls,
            Cells::Flags(_) => ColumnKind::Flags,
            Cells::Integers(_) => ColumnKind::Integers,
            Cells::Numbers { finite, .. } => ColumnKind::Numbers(*finite),
            Cells::Texts(_) => ColumnKind::Texts,
        }
    }

    pub(super) fn new(name: PlSmallStr) -> Self {
        ColumnBuilder { name, cells: Cells::Nulls(0) }
    }

    /// A column that is String regardless of its fields.
    pub(super) fn of_texts(name: PlSmallStr) -> Self {
        ColumnBuilder { cells: Cells::Texts(StringChunkedBuilder::new(name.clone(), 0)), name }
    }

    pub(super) fn push_null(&mut self) {
        match &mut self.cells {
            Cells::Nulls(length) => *length += 1,
            Cells::Flags(flags) => flags.append_null(),
            Cells::Integers(integers) => integers.append_null(),
            Cells::Numbers { numbers, .. } => numbers.append_null(),
            Cells::Texts(texts) => texts.append_null(),
        }
    }

    /// Adds a field: an empty field is null, and an empty quoted field is an empty string.
    pub(super) fn push(&mut self, text: &str, quoted: bool) {
        if text.is_empty() && !quoted {
            return self.push_null();
        }
        if let Cells::Texts(texts) = &mut self.cells {
            return texts.append_value(text);
        }
        match (value_of(text), &mut self.cells) {
            (Some(Value::Flag(flag)), Cells::Flags(flags)) => flags.append_value(flag),
            (Some(Value::Integer(integer)), Cells::Integers(integers)) => integers.append_value(integer),
            (Some(Value::Number(number)), Cells::Numbers { numbers, finite }) => {
                *finite |= number.is_finite();
                numbers.append_value(number);
            }
            (Some(value), &mut Cells::Nulls(length)) => self.begin(value, length),
            _ => {
                self.become_texts();
                self.push(text, quoted);
            }
        }
    }

    fn begin(&mut self, value: Value, nulls: usize) {
        let name = self.name.clone();
        self.cells = match value {
            Value::Flag(flag) => {
                let mut flags = BooleanChunkedBuilder::new(name, nulls + 1);
                (0..nulls).for_each(|_| flags.append_null());
                flags.append_value(flag);
                Cells::Flags(flags)
            }
            Value::Integer(integer) => {
                let mut integers = PrimitiveChunkedBuilder::new(name, nulls + 1);
                (0..nulls).for_each(|_| integers.append_null());
                integers.append_value(integer);
                Cells::Integers(integers)
            }
            Value::Number(number) => {
                let mut numbers = PrimitiveChunkedBuilder::new(name, nulls + 1);
                (0..nulls).for_each(|_| numbers.append_null());
                numbers.append_value(number);
                Cells::Numbers { numbers, finite: number.is_finite() }
            }
        };
    }

    /// Converts the values back to the strings they were read from, which is possible since the conversion is lossless.
    fn become_texts(&mut self) {
        let mut texts = StringChunkedBuilder::new(self.name.clone(), 0);
        match std::mem::replace(&mut self.cells, Cells::Nulls(0)) {
            Cells::Nulls(length) => (0..length).for_each(|_| texts.append_null()),
            Cells::Flags(flags) => {
                let text = |flag| if flag { "true" } else { "false" };
                flags.finish().iter().for_each(|flag| texts.append_option(flag.map(text)));
            }
            Cells::Integers(integers) => {
                integers
                    .finish()
                    .iter()
                    .for_each(|integer| texts.append_option(integer.map(|value| value.to_string())));
            }
            Cells::Numbers { numbers, .. } => {
                let mut buffer = zmij::Buffer::new();
                for number in numbers.finish().iter() {
                    texts.append_option(number.map(|value| buffer.format(value)));
                }
            }
            Cells::Texts(before) => texts = before,
        }
        self.cells = Cells::Texts(texts);
    }

    pub(super) fn finish(mut self) -> Column {
        let only_nan = matches!(self.cells, Cells::Numbers { finite: false, .. });
        if only_nan {
            self.become_texts();
        }
        match self.cells {
            Cells::Nulls(length) => StringChunked::full_null(self.name, length).into_column(),
            Cells::Flags(flags) => flags.finish().into_column(),
            Cells::Integers(integers) => integers.finish().into_column(),
            Cells::Numbers { numbers, .. } => numbers.finish().into_column(),
            Cells::Texts(texts) => texts.finish().into_column(),
        }
    }
}

/// The value whose canonical form is `text`.
fn value_of(text: &str) -> Option<Value> {
    /// The longest number has 24 characters.
    const MAX_LENGTH: usize = 24;
    match text.as_bytes() {
        b"true" => Some(Value::Flag(true)),
        b"false" => Some(Value::Flag(false)),
        [b'0'..=b'9' | b'-' | b'N' | b'i', ..] if text.len() <= MAX_LENGTH => {
            integer_of(text).map(Value::Integer).or_else(|| number_of(text).map(Value::Number))
        }
        _ => None,
    }
}

fn integer_of(text: &str) -> Option<i64> {
    let is_written_so = matches!(text.as_bytes(), b"0" | [b'1'..=b'9', ..] | [b'-', b'1'..=b'9', ..]);
    if is_written_so { text.parse().ok() } else { None }
}

fn number_of(text: &str) -> Option<f64> {
    let number = text.parse().ok()?;
    (zmij::Buffer::new().format(number) == text).then_some(number)
}
