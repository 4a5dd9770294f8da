//! Building the values of a column after its kind is known.

use polars::prelude::{PlSmallStr, PolarsResult, Series};
use polars_arrow::array::{
    Array, BooleanArray, ListArray, MutableArray, MutableBinaryViewArray, MutableBooleanArray, MutablePrimitiveArray,
    NullArray, PrimitiveArray, StructArray, Utf8ViewArray,
};
use polars_arrow::bitmap::BitmapBuilder;
use polars_arrow::datatypes::{ArrowDataType, Field};
use polars_arrow::offset::OffsetsBuffer;

use super::kind::{Kind, Names, Record};
use super::scan::{Fault, Scanner, Token};

/// A column under construction.
pub(super) enum Cells {
    Nothing(usize),
    Flags(MutableBooleanArray),
    Integers(MutablePrimitiveArray<i64>),
    Numbers(MutablePrimitiveArray<f64>),
    Texts(MutableBinaryViewArray<str>),
    Lists(Lists),
    Records(Records),
}

pub(super) struct Lists {
    elements: Box<Cells>,
    offsets: Vec<i64>,
    validity: BitmapBuilder,
}

/// Fields may be shorter than the column: missing values at the end are null.
pub(super) struct Records {
    names: Names,
    fields: Vec<Cells>,
    validity: BitmapBuilder,
}

impl Cells {
    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Nothing => Cells::Nothing(0),
            Kind::Flag => Cells::Flags(MutableBooleanArray::new()),
            Kind::Integer { .. } => Cells::Integers(MutablePrimitiveArray::new()),
            Kind::Number => Cells::Numbers(MutablePrimitiveArray::new()),
            Kind::Text | Kind::Mixed => Cells::Texts(MutableBinaryViewArray::new()),
            Kind::List(list) => Cells::Lists(Lists {
                elements: Box::new(Cells::new(*list.kind)),
                offsets: vec![0],
                validity: BitmapBuilder::new(),
            }),
            Kind::Record(record) => Cells::Records(Records::new(record)),
        }
    }

    fn len(&self) -> usize {
        match self {
            Cells::Nothing(length) => *length,
            Cells::Flags(flags) => flags.len(),
            Cells::Integers(integers) => integers.len(),
            Cells::Numbers(numbers) => numbers.len(),
            Cells::Texts(texts) => texts.len(),
            Cells::Lists(lists) => lists.validity.len(),
            Cells::Records(records) => records.validity.len(),
        }
    }

    fn push_null(&mut self) {
        match self {
            Cells::Nothing(length) => *length += 1,
            Cells::Flags(flags) => flags.push(None),
            Cells::Integers(integers) => integers.push(None),
            Cells::Numbers(numbers) => numbers.push(None),
            Cells::Texts(texts) => texts.push_null(),
            Cells::Lists(lists) => lists.end(false),
            Cells::Records(records) => records.validity.push(false),
        }
    }

    fn pad(&mut self, length: usize) {
        while self.len() < length {
            self.push_null();
        }
    }

    /// Reads a value of the column's kind.
    fn push(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Fault> {
        let start = scanner.start();
        let token = scanner.value()?;
        match (&mut *self, &token) {
            (Cells::Flags(flags), Token::Flag(flag)) => flags.push(Some(*flag)),
            (Cells::Integers(integers), Token::Number(number)) => integers.push(number.parse().ok()),
            (Cells::Numbers(numbers), Token::Number(number)) => numbers.push(number.parse().ok()),
            (Cells::Texts(texts), Token::Text(text)) => texts.push_value(text.unescaped()),
            (Cells::Lists(lists), Token::List) => lists.push(scanner)?,
            (Cells::Records(records), Token::Record) => records.push(scanner)?,
            (_, Token::Null) => self.push_null(),
            (Cells::Texts(texts), _) => {
                scanner.skip(&token)?;
                texts.push_value(scanner.since(start));
            }
            // The kind was determined from these values, so there is no other case.
            _ => {
                scanner.skip(&token)?;
                self.push_null();
            }
        }
        Ok(())
    }

    fn finish(self) -> PolarsResult<Box<dyn Array>> {
        Ok(match self {
            Cells::Nothing(length) => Box::new(NullArray::try_new(ArrowDataType::Null, length)?),
            Cells::Flags(flags) => Box::new(BooleanArray::from(flags)),
            Cells::Integers(integers) => Box::new(PrimitiveArray::<i64>::from(integers)),
            Cells::Numbers(numbers) => Box::new(PrimitiveArray::<f64>::from(numbers)),
            Cells::Texts(texts) => Box::new(Utf8ViewArray::from(texts)),
            Cells::Lists(lists) => Box::new(lists.finish()?),
            Cells::Records(records) => Box::new(records.finish()?),
        })
    }
}

impl Lists {
    fn push(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Fault> {
        let mut is_first = true;
        while scanner.element(is_first)? {
            self.elements.push(scanner)?;
            is_first = false;
        }
        self.end(true);
        Ok(())
    }

    fn end(&mut self, is_valid: bool) {
        self.offsets.push(self.elements.len() as i64);
        self.validity.push(is_valid);
    }

    fn finish(self) -> PolarsResult<ListArray<i64>> {
        let elements = self.elements.finish()?;
        let dtype = ListArray::<i64>::default_datatype(elements.dtype().clone());
        ListArray::try_new(dtype, OffsetsBuffer::try_from(self.offsets)?, elements, self.validity.into_opt_validity())
    }
}

impl Records {
    pub(super) fn new(record: Record) -> Self {
        let fields = record.fields.into_iter().map(|field| Cells::new(field.kind)).collect();
        Records { names: record.names, fields, validity: BitmapBuilder::new() }
    }

    /// Reads the fields of an object.
    pub(super) fn push(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Fault> {
        let row = self.validity.len();
        let (mut is_first, mut expected) = (true, 0);
        while let Some(key) = scanner.key(is_first)? {
            let place = self.names.find(&key.unescaped(), expected).unwrap_or(self.fields.len());
            (is_first, expected) = (false, place + 1);
            match self.fields.get_mut(place) {
                Some(field) => {
                    field.pad(row);
                    field.push(scanner)?;
                }
                None => {
                    let token = scanner.value()?;
                    scanner.skip(&token)?;
                }
            }
        }
        self.validity.push(true);
        Ok(())
    }

    fn finish(self) -> PolarsResult<StructArray> {
        let length = self.validity.len();
        let mut arrays = Vec::with_capacity(self.fields.len());
        for mut field in self.fields {
            field.pad(length);
            arrays.push(field.finish()?);
        }
        let fields = self.names.names.iter().zip(&arrays);
        let fields =
            fields.map(|(name, array)| Field::new(name.as_str().into(), array.dtype().clone(), true)).collect();
        StructArray::try_new(ArrowDataType::Struct(fields), length, arrays, self.validity.into_opt_validity())
    }

    /// The fields as columns.
    pub(super) fn into_series(self) -> PolarsResult<Vec<Series>> {
        let length = self.validity.len();
        let fields = self.names.names.into_iter().zip(self.fields);
        let series = fields.map(|(name, mut field)| {
            field.pad(length);
            Series::try_from((PlSmallStr::from(name), field.finish()?))
        });
        series.collect()
    }
}
