//! Mutations of files.

/// SplitMix64 (Steele, Lea and Flood 2014).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Random(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 if `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    fn pick<'a, T: ?Sized>(&mut self, among: &[&'a T]) -> &'a T {
        among[self.below(among.len())]
    }
}

/// Special tokens in text formats.
const WORDS: [&str; 28] = [
    "\"",
    "\"\"",
    ",",
    ";",
    "\t",
    "\n",
    "\r\n",
    "\r",
    "|",
    "'",
    "\\",
    "\u{feff}",
    "\0",
    "NaN",
    "-Infinity",
    "1e999",
    "00",
    "{",
    "}",
    "[",
    "]",
    ":",
    "null",
    "true",
    "-1",
    "18446744073709551616",
    "\u{ff}",
    "\\ud800",
];

/// Numbers at the edges of their types.
const EDGES: [u64; 14] = [
    0,
    1,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    1 << 40,
    i64::MAX as u64,
    1 << 63,
    u64::MAX,
];

/// Applies one to eight changes to `bytes`; `other` is another file of the same kind.
pub fn mutate(bytes: &mut Vec<u8>, other: &[u8], is_text: bool, random: &mut Random) {
    /// Longer files reveal nothing new.
    const LONGEST: usize = 1 << 20;
    for _ in 0..=random.below(8) {
        match random.below(if is_text { 13 } else { 9 }) {
            0 | 1 => flip(bytes, random),
            2 => overwrite(bytes, random),
            3 => drop(bytes.drain(part(bytes.len(), random))),
            4 => repeat(bytes, random),
            5 => bytes.truncate(random.below(bytes.len() + 1)),
            6 => splice(bytes, other, random),
            7 | 8 => edge(bytes, random),
            9 | 10 => insert(bytes, random.pick(&WORDS).as_bytes(), random),
            11 => digit(bytes, random),
            _ => nest(bytes, random),
        }
        bytes.truncate(LONGEST);
    }
}

fn flip(bytes: &mut [u8], random: &mut Random) {
    let at = random.below(bytes.len());
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << random.below(8);
    }
}

fn overwrite(bytes: &mut [u8], random: &mut Random) {
    for at in part(bytes.len(), random).take(16) {
        bytes[at] = random.next() as u8;
    }
}

/// A range within a file, more often short than long.
fn part(length: usize, random: &mut Random) -> std::ops::Range<usize> {
    let start = random.below(length + 1);
    let longest = [4, 32, 512, length][random.below(4)];
    start..(start + random.below(longest + 1)).min(length)
}

fn repeat(bytes: &mut Vec<u8>, random: &mut Random) {
    let copy = bytes[part(bytes.len(), random)].to_vec();
    let times = [1, 1, 2, 20, 400][random.below(5)];
    insert(bytes, &copy.repeat(times), random);
}

fn splice(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let piece = other[part(other.len(), random)].to_vec();
    insert(bytes, &piece, random);
}

fn insert(bytes: &mut Vec<u8>, piece: &[u8], random: &mut Random) {
    let at = random.below(bytes.len() + 1);
    bytes.splice(at..at, piece.iter().copied());
}

/// Overwrites 1 to 8 bytes with a number, in either byte order.
fn edge(bytes: &mut [u8], random: &mut Random) {
    let width = 1 << random.below(4);
    let value = EDGES[random.below(EDGES.len())].wrapping_sub(random.below(3) as u64);
    let (little, big) = (value.to_le_bytes(), value.to_be_bytes());
    let number = if random.below(2) == 0 { &little[..width] } else { &big[8 - width..] };
    let at = random.below(bytes.len());
    if let Some(place) = bytes.get_mut(at..at + width) {
        place.copy_from_slice(number);
    }
}

/// Replaces a number written in digits with another.
fn digit(bytes: &mut Vec<u8>, random: &mut Random) {
    let digits: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at].is_ascii_digit()).collect();
    if digits.is_empty() {
        return;
    }
    let start = digits[random.below(digits.len())];
    let end = (start..bytes.len()).find(|&at| !bytes[at].is_ascii_digit()).unwrap_or(bytes.len());
    let number = EDGES[random.below(EDGES.len())].to_string();
    bytes.splice(start..end, number.into_bytes());
}

/// Inserts nested brackets.
fn nest(bytes: &mut Vec<u8>, random: &mut Random) {
    let depth = [3, 60, 300, 20_000][random.below(4)];
    let (open, close) = [("[", "]"), ("{\"a\":", "}")][random.below(2)];
    let piece = if random.below(2) == 0 { open.repeat(depth) } else { open.repeat(depth) + "1" + &close.repeat(depth) };
    insert(bytes, piece.as_bytes(), random);
}

/// Fixes the checksums of a PNG's chunks, without which the decoder stops early.
pub fn repair_png(bytes: &mut [u8]) {
    let mut at = 8;
    while let Some(length) = bytes.get(at..at + 4).and_then(|length| length.try_into().ok()).map(u32::from_be_bytes) {
        let end = at + 8 + length as usize;
        let Some(chunk) = bytes.get(at + 4..end) else { return };
        let sum = crc32(chunk).to_be_bytes();
        let Some(place) = bytes.get_mut(end..end + 4) else { return };
        place.copy_from_slice(&sum);
        at = end + 4;
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut sum = flate2::Crc::new();
    sum.update(bytes);
    sum.sum()
}
