//! The names of a header.

use std::collections::{HashMap, HashSet};

use polars::prelude::PlSmallStr;

/// Makes `names` unique: the second `x` becomes `x_duplicated_0` as in Polars, or the next such name that is not taken.
pub(super) fn distinct(names: &[String]) -> Vec<PlSmallStr> {
    let given: HashSet<&str> = names.iter().map(String::as_str).collect();
    let mut next: HashMap<&str, usize> = HashMap::new();
    let mut distinct = Vec::with_capacity(names.len());
    for name in names {
        let mut unique = name.clone();
        match next.get_mut(name.as_str()) {
            None => {
                next.insert(name, 0);
            }
            Some(number) => loop {
                unique = format!("{name}_duplicated_{number}");
                *number += 1;
                if !given.contains(unique.as_str()) {
                    break;
                }
            },
        }
        distinct.push(unique.into());
    }
    distinct
}

/// The first name in `text` that is ambiguous because two columns have it.
pub(super) fn ambiguous<'a>(names: &[String], text: &'a [String]) -> Option<&'a str> {
    let is_twice = |name: &&String| names.iter().filter(|other| other == name).take(2).count() == 2;
    text.iter().find(is_twice).map(String::as_str)
}
