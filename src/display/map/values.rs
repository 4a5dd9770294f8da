//! Columns that points can be colored by: a byte for each row.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use polars::prelude::*;

use super::super::figure::COLORS;
use super::InteractiveMap;
use super::rows::MapRows;
use crate::corpus::{Classes, find, internal};
use crate::error::{Error, Result, Stage};

/// The byte of a row without a value, and of a row in a class that has no color.
pub(super) const MISSING: u8 = 255;
pub(super) const OTHER: u8 = 254;

/// The byte of the largest number.
const HIGHEST: f64 = 254.0;

/// The values of a column.
#[derive(Debug)]
pub(super) struct Values {
    pub(super) column: String,
    pub(super) scale: Scale,
    pub(super) of_rows: Vec<u8>,
}

/// What the bytes mean.
#[derive(Debug, PartialEq)]
pub(super) enum Scale {
    /// From 0 for the lowest number to 254 for the highest.
    Number { low: f64, high: f64 },
    /// The classes that have a color, the most frequent first.
    Class(Vec<String>),
}

impl Values {
    /// The columns that `map` names, and the membership strengths if they are known.
    pub(super) fn of(map: &InteractiveMap, rows: &MapRows) -> Result<Vec<Self>> {
        let mut seen = BTreeSet::new();
        let mut values = Vec::new();
        for name in map.color_by.iter().filter(|name| seen.insert(name.as_str())) {
            values.push(Values::read(rows.frame(map)?, name)?);
        }
        if !rows.probabilities.is_empty() && seen.insert("Probability") {
            values.push(Values::of_numbers("Probability", &rows.probabilities));
        }
        Ok(values)
    }

    fn read(frame: &DataFrame, name: &str) -> Result<Self> {
        let column = find(frame, name)?;
        let is_number = match column.dtype() {
            dtype if dtype.is_integer() => column.n_unique().map_err(internal)? > COLORS,
            dtype => dtype.is_numeric(),
        };
        if is_number {
            let numbers = column.cast(&DataType::Float64).map_err(internal)?;
            let numbers = numbers.f64().map_err(internal)?.iter().map(|number| number.unwrap_or(f64::NAN));
            return Ok(Values::of_numbers(name, &numbers.collect::<Vec<f64>>()));
        }
        let classes = Classes::read(frame, name).map_err(|error| match error.kind() {
            crate::error::ErrorKind::WrongType => {
                let message = "points are colored by numbers, or by classes: texts, categories, integers or booleans";
                Error::new(error.kind(), Stage::Display, message).with_column(name)
            }
            _ => error,
        })?;
        Values::of_classes(name, &classes, frame.height())
    }

    fn of_numbers(name: &str, numbers: &[f64]) -> Self {
        let finite = numbers.iter().copied().filter(|number| number.is_finite());
        let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        let (low, high) = if low <= high { (low, high) } else { (0.0, 0.0) };
        // Halves, since the difference of two numbers may be infinite.
        let width = high / 2.0 - low / 2.0;
        let byte = |number: f64| match number.is_finite() {
            false => MISSING,
            true if width > 0.0 => ((number / 2.0 - low / 2.0) / width * HIGHEST).round() as u8,
            true => 0,
        };
        let of_rows = numbers.iter().copied().map(byte).collect();
        Values { column: name.to_owned(), scale: Scale::Number { low, high }, of_rows }
    }

    fn of_classes(name: &str, classes: &Classes, rows: usize) -> Result<Self> {
        let mut counts = vec![0_usize; classes.len()];
        let all = (0..rows).flat_map(|row| classes.of(row));
        for &class in all {
            if let Some(count) = counts.get_mut(class as usize) {
                *count += 1;
            }
        }
        let mut order: Vec<usize> = (0..classes.len()).collect();
        order.sort_by_key(|&class| (Reverse(counts.get(class).copied()), class));
        let mut places = vec![usize::MAX; classes.len()];
        for (place, &class) in order.iter().enumerate() {
            if let Some(slot) = places.get_mut(class) {
                *slot = place;
            }
        }
        let byte = |row: usize| {
            let of_row = classes.of(row).iter().filter_map(|&class| places.get(class as usize));
            match of_row.min() {
                None => MISSING,
                Some(&place) if place < COLORS => place as u8,
                Some(_) => OTHER,
            }
        };
        let of_rows = (0..rows).map(byte).collect();
        let names = classes.column(name, order.into_iter().take(COLORS))?.cast(&DataType::String).map_err(internal)?;
        let names = names.str().map_err(internal)?.iter().map(|name| name.unwrap_or_default().to_owned());
        Ok(Values { column: name.to_owned(), scale: Scale::Class(names.collect()), of_rows })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_bytes_from_the_lowest_to_the_highest() {
        let values = Values::of_numbers("n", &[2.0, f64::NAN, 4.0, 3.0, f64::INFINITY]);
        assert_eq!(values.scale, Scale::Number { low: 2.0, high: 4.0 });
        assert_eq!(values.of_rows, [0, MISSING, 254, 127, MISSING]);
        assert_eq!(Values::of_numbers("n", &[f64::MIN, f64::MAX, 0.0]).of_rows, [0, 254, 127]);
        assert_eq!(Values::of_numbers("n", &[5.0, 5.0]).of_rows, [0, 0]);
        assert_eq!(Values::of_numbers("n", &[f64::NAN]).scale, Scale::Number { low: 0.0, high: 0.0 });
    }

    #[test]
    fn the_most_frequent_classes_have_a_color() {
        let names: Vec<Option<String>> =
            (0..200).map(|row| if row % 7 == 0 { None } else { Some(format!("c{}", row % 30)) }).collect();
        let frame = df!("c" => &names).unwrap();
        let values = Values::read(&frame, "c").unwrap();
        let Scale::Class(classes) = &values.scale else { panic!("{values:?}") };
        assert_eq!(classes.len(), COLORS);
        for (name, &byte) in names.iter().zip(&values.of_rows) {
            match name {
                None => assert_eq!(byte, MISSING),
                Some(name) => {
                    let place = classes.iter().position(|class| class == name);
                    assert_eq!(byte, place.map_or(OTHER, |place| place as u8));
                }
            }
        }
        let few = df!("n" => [3_i64, 1, 3]).unwrap();
        assert_eq!(Values::read(&few, "n").unwrap().scale, Scale::Class(vec!["3".to_owned(), "1".to_owned()]));
    }
}
