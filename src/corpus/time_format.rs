//! Dates and times written as text: formats with `%` directives, and the recognized ones.

use super::calendar::{days_in_month, days_of};

/// Microseconds.
pub(super) const SECOND: i64 = 1_000_000;
pub(super) const DAY: i64 = 86_400 * SECOND;

/// A part of a format.
#[derive(Debug, Clone, PartialEq)]
enum Item {
    /// A character, as it is.
    Literal(char),
    /// Any amount of white space, or none.
    Space,
    Year,
    /// Two digits: 1969 to 2068, as in POSIX.
    ShortYear,
    Month,
    /// English, in full or three letters, in any case.
    MonthName,
    Day,
    DayOfYear,
    /// A weekday or a zone by its name: letters that are skipped.
    Letters,
    Hour,
    /// 1 to 12.
    HourOfHalf,
    Half,
    Minute,
    Second,
    /// One to nine digits.
    Fraction,
    /// A point and a fraction, or nothing.
    OptionalFraction,
    /// `Z`, or hours and minutes with a sign.
    Offset,
    /// Seconds since 1970.
    Timestamp,
    /// `T` or white space, a time of day to the minute or finer, and an offset; or nothing.
    OptionalTime,
}

/// A format of dates and times.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TimeFormat {
    items: Vec<Item>,
}

/// The recognized formats of dates, in the order in which they are tried; a time may follow each.
const RECOGNIZED: [&str; 18] = [
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%Y%m%d",
    "%Y-%m",
    "%Y/%m",
    "%Y",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d %b %Y",
    "%d-%b-%Y",
    "%b %d, %Y",
    "%b %d %Y",
    "%b %Y",
    "%a, %d %b %Y",
];

/// Pairs of formats, of which many texts fit both: day first, and month first. With points, it is always the day.
pub(super) const EITHER_WAY: [(&str, &str); 2] = [("%d/%m/%Y", "%m/%d/%Y"), ("%d-%m-%Y", "%m-%d-%Y")];

/// A moment that was read: microseconds since 1970-01-01 in UTC, and whether a time of day was given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Moment {
    pub(super) microseconds: i64,
    pub(super) has_time: bool,
}

impl TimeFormat {
    /// The format that strftime's directives describe; the character after `%` if it is not known.
    pub(super) fn parse(format: &str) -> Result<Self, String> {
        let mut items = Vec::new();
        let mut rest = format.chars();
        while let Some(character) = rest.next() {
            match character {
                '%' => match rest.next() {
                    Some('.') => match rest.next() {
                        Some('f') => items.push(Item::OptionalFraction),
                        other => return Err(other.map_or("%.".to_owned(), |other| format!("%.{other}"))),
                    },
                    Some(directive) => items.extend(items_of(directive).ok_or_else(|| format!("%{directive}"))?),
                    None => return Err("%".to_owned()),
                },
                space if space.is_whitespace() => items.push(Item::Space),
                other => items.push(Item::Literal(other)),
            }
        }
        Ok(TimeFormat { items })
    }

    /// The recognized formats with their names.
    pub(super) fn recognized() -> Vec<(&'static str, TimeFormat)> {
        let format = |name: &'static str| {
            let mut format = TimeFormat::parse(name).ok()?;
            format.items.push(Item::OptionalTime);
            Some((name, format))
        };
        RECOGNIZED.into_iter().filter_map(format).collect()
    }

    /// Reads a text, but for white space around it; `None` if it does not fit the format, or is no date.
    pub(super) fn read(&self, text: &str) -> Option<Moment> {
        let mut reader = Reader { rest: text.trim(), fields: Fields::default() };
        for item in &self.items {
            reader.take(item)?;
        }
        if reader.rest.is_empty() { reader.fields.moment() } else { None }
    }
}

fn items_of(directive: char) -> Option<Vec<Item>> {
    use Item::*;
    let joined = |format: &str| TimeFormat::parse(format).ok().map(|format| format.items);
    Some(match directive {
        'Y' => vec![Year],
        'y' => vec![ShortYear],
        'm' => vec![Month],
        'b' | 'B' | 'h' => vec![MonthName],
        'd' | 'e' => vec![Day],
        'j' => vec![DayOfYear],
        'a' | 'A' | 'Z' => vec![Letters],
        'H' | 'k' => vec![Hour],
        'I' | 'l' => vec![HourOfHalf],
        'p' | 'P' => vec![Half],
        'M' => vec![Minute],
        'S' => vec![Second],
        'f' => vec![Fraction],
        'z' => vec![Offset],
        's' => vec![Timestamp],
        'F' => return joined("%Y-%m-%d"),
        'T' => return joined("%H:%M:%S"),
        'R' => return joined("%H:%M"),
        'D' => return joined("%m/%d/%y"),
        '%' => vec![Literal('%')],
        _ => return None,
    })
}

#[derive(Debug, Default)]
struct Fields {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    hour: Option<i64>,
    afternoon: Option<bool>,
    minute: i64,
    second: i64,
    microsecond: i64,
    /// In seconds.
    offset: i64,
    timestamp: Option<i64>,
}

impl Fields {
    fn moment(&self) -> Option<Moment> {
        let has_time = self.hour.is_some() || self.timestamp.is_some();
        if let Some(seconds) = self.timestamp {
            let microseconds = seconds.checked_mul(SECOND)?.checked_add(self.microsecond)?;
            return Some(Moment { microseconds, has_time });
        }
        let year = self.year?;
        let days = match self.day_of_year {
            Some(day) if self.month.is_none() && self.day.is_none() => {
                let days = days_of(year, 1, 1) + day - 1;
                if day < 1 || days >= days_of(year + 1, 1, 1) {
                    return None;
                }
                days
            }
            _ => {
                let (month, day) = (self.month.unwrap_or(1), self.day.unwrap_or(1));
                if !(1..=12).contains(&month) || !(1..=days_in_month(year, month)).contains(&day) {
                    return None;
                }
                days_of(year, month, day)
            }
        };
        let hour = match (self.hour, self.afternoon) {
            (Some(hour), Some(afternoon)) if (1..=12).contains(&hour) => hour % 12 + 12 * i64::from(afternoon),
            (Some(_), Some(_)) => return None,
            (hour, _) => hour.unwrap_or(0),
        };
        // A leap second is the first of the next minute.
        if hour > 23 || self.minute > 59 || self.second > 60 {
            return None;
        }
        let seconds = hour * 3600 + self.minute * 60 + self.second - self.offset;
        Some(Moment { microseconds: days * DAY + seconds * SECOND + self.microsecond, has_time })
    }
}

struct Reader<'a> {
    rest: &'a str,
    fields: Fields,
}

impl<'a> Reader<'a> {
    fn take(&mut self, item: &Item) -> Option<()> {
        match item {
            Item::Literal(character) => self.rest = self.rest.strip_prefix(*character)?,
            Item::Space => self.rest = self.rest.trim_start(),
            Item::Year => self.fields.year = Some(self.digits(4, 4)?.0),
            Item::ShortYear => {
                let year = self.digits(2, 2)?.0;
                self.fields.year = Some(if year < 69 { 2000 + year } else { 1900 + year });
            }
            Item::Month => self.fields.month = Some(self.digits(1, 2)?.0),
            Item::MonthName => self.fields.month = Some(month(self.letters())?),
            Item::Day => self.fields.day = Some(self.digits(1, 2)?.0),
            Item::DayOfYear => self.fields.day_of_year = Some(self.digits(1, 3)?.0),
            Item::Letters => {
                self.letters();
            }
            Item::Hour | Item::HourOfHalf => self.fields.hour = Some(self.digits(1, 2)?.0),
            Item::Half => {
                let half = self.letters();
                self.fields.afternoon = Some(half.eq_ignore_ascii_case("pm"));
                if !half.eq_ignore_ascii_case("pm") && !half.eq_ignore_ascii_case("am") {
                    return None;
                }
            }
            Item::Minute => self.fields.minute = self.digits(1, 2)?.0,
            Item::Second => self.fields.second = self.digits(1, 2)?.0,
            Item::Fraction => self.fraction()?,
            Item::OptionalFraction => {
                if let Some(rest) = self.rest.strip_prefix(['.', ',']) {
                    self.rest = rest;
                    self.fraction()?;
                }
            }
            Item::Offset => self.offset()?,
            Item::Timestamp => {
                let rest = self.rest.strip_prefix('-');
                self.rest = rest.unwrap_or(self.rest);
                let (seconds, _) = self.digits(1, 15)?;
                self.fields.timestamp = Some(if rest.is_some() { -seconds } else { seconds });
            }
            Item::OptionalTime => self.optional_time()?,
        }
        Some(())
    }

    fn optional_time(&mut self) -> Option<()> {
        if self.rest.is_empty() {
            return Some(());
        }
        self.rest = match self.rest.strip_prefix(['T', 't']) {
            Some(rest) => rest,
            None => Some(self.rest.trim_start()).filter(|rest| rest.len() < self.rest.len())?,
        };
        self.take(&Item::Hour)?;
        self.take(&Item::Literal(':'))?;
        self.take(&Item::Minute)?;
        if self.rest.starts_with(':') {
            self.take(&Item::Literal(':'))?;
            self.take(&Item::Second)?;
            self.take(&Item::OptionalFraction)?;
        }
        self.rest = self.rest.trim_start();
        let start = self.rest.get(..2).unwrap_or_default();
        if start.eq_ignore_ascii_case("am") || start.eq_ignore_ascii_case("pm") {
            self.take(&Item::Half)?;
            self.rest = self.rest.trim_start();
        }
        if self.rest.is_empty() { Some(()) } else { self.offset() }
    }

    /// `Z`, `UTC`, `GMT`, or `+01:30`, `+0130`, `+01`.
    fn offset(&mut self) -> Option<()> {
        for name in ["Z", "z", "UTC", "GMT"] {
            if let Some(rest) = self.rest.strip_prefix(name) {
                self.rest = rest;
                return Some(());
            }
        }
        let sign = match self.rest.chars().next()? {
            '+' => 1,
            '-' => -1,
            _ => return None,
        };
        self.rest = self.rest.get(1..)?;
        let hours = self.digits(2, 2)?.0;
        self.rest = self.rest.strip_prefix(':').unwrap_or(self.rest);
        let minutes = self.digits(2, 2).map_or(0, |(minutes, _)| minutes);
        self.fields.offset = sign * (hours * 3600 + minutes * 60);
        (hours < 24 && minutes < 60).then_some(())
    }

    fn fraction(&mut self) -> Option<()> {
        let (digits, count) = self.digits(1, 9)?;
        self.fields.microsecond = match count {
            0..=6 => digits * 10_i64.pow(6 - count as u32),
            _ => digits / 10_i64.pow(count as u32 - 6),
        };
        Some(())
    }

    /// A number of `least` to `most` digits, and how many there were.
    fn digits(&mut self, least: usize, most: usize) -> Option<(i64, usize)> {
        let count = self.rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        if count < least {
            return None;
        }
        let (digits, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        digits.parse().ok().map(|number| (number, count))
    }

    /// Letters, and a point after them.
    fn letters(&mut self) -> &'a str {
        let end = self.rest.find(|character: char| !character.is_alphabetic()).unwrap_or(self.rest.len());
        let (letters, rest) = self.rest.split_at(end);
        self.rest = rest.strip_prefix('.').unwrap_or(rest);
        letters
    }
}

fn month(name: &str) -> Option<i64> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let name = name.to_lowercase();
    let is = |month: &&str| **month == name || name.len() == 3 && month.starts_with(&name);
    let place = MONTHS.iter().position(is).or((name == "sept").then_some(8))?;
    Some(place as i64 + 1)
}
