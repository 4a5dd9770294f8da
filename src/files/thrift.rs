//! Thrift's compact protocol, as far as needed to determine the claimed size and nesting depth of a Parquet file.
//!
//! Nothing is allocated and nothing is trusted: a list that claims more elements than there are bytes left yields
//! `None`, as does anything else that is inconsistent.

/// The maximum nesting depth of skipped structs and lists.
const MAX_DEPTH: usize = 64;

/// A reader of bytes in the compact protocol.
pub(super) struct Thrift<'a> {
    rest: &'a [u8],
}

/// The wire type of a value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wire(u8);

impl<'a> Thrift<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Thrift { rest: bytes }
    }

    /// The unread bytes.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    /// An integer of any width.
    pub(super) fn int(&mut self) -> Option<i64> {
        let number = self.varint()?;
        Some((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    /// A string or bytes.
    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.varint()?).ok()?;
        self.take(length)
    }

    /// The fields of a struct: `visit` receives the ID of a field and either reads its value and returns `true`, or
    /// leaves it unread and returns `false`.
    pub(super) fn fields(&mut self, mut visit: impl FnMut(&mut Self, i16) -> Option<bool>) -> Option<()> {
        let mut id = 0_i16;
        loop {
            let header = self.byte()?;
            let wire = Wire(header & 0x0f);
            if wire.0 == 0 {
                return Some(());
            }
            id = match header >> 4 {
                0 => self.int()? as i16,
                step => id.wrapping_add(i16::from(step)),
            };
            if !visit(self, id)? {
                self.skip(wire, true, MAX_DEPTH)?;
            }
        }
    }

    /// The elements of a list, read by `each`.
    pub(super) fn list(&mut self, mut each: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        let (_, length) = self.list_header()?;
        (0..length).try_for_each(|_| each(self))
    }

    fn list_header(&mut self) -> Option<(Wire, usize)> {
        let header = self.byte()?;
        let length = match header >> 4 {
            15 => usize::try_from(self.varint()?).ok()?,
            length => usize::from(length),
        };
        // Every element takes at least one byte.
        (length <= self.rest.len()).then_some((Wire(header & 0x0f), length))
    }

    fn skip(&mut self, wire: Wire, in_struct: bool, deepest: usize) -> Option<()> {
        let deeper = deepest.checked_sub(1)?;
        match wire.0 {
            // The value of a Boolean field is in its header.
            1 | 2 if in_struct => {}
            1..=3 => {
                self.byte()?;
            }
            4..=6 => {
                self.varint()?;
            }
            7 => {
                self.take(8)?;
            }
            8 => {
                self.bytes()?;
            }
            9 | 10 => {
                let (wire, length) = self.list_header()?;
                (0..length).try_for_each(|_| self.skip(wire, false, deeper))?;
            }
            11 => self.skip_map(deeper)?,
            12 => self.skip_struct(deeper)?,
            13 => {
                self.take(16)?;
            }
            _ => return None,
        }
        Some(())
    }

    fn skip_map(&mut self, deeper: usize) -> Option<()> {
        let length = usize::try_from(self.varint()?).ok().filter(|&length| length <= self.rest.len())?;
        if length == 0 {
            return Some(());
        }
        let types = self.byte()?;
        (0..length).try_for_each(|_| {
            self.skip(Wire(types >> 4), false, deeper)?;
            self.skip(Wire(types & 0x0f), false, deeper)
        })
    }

    fn skip_struct(&mut self, deeper: usize) -> Option<()> {
        loop {
            let header = self.byte()?;
            if header & 0x0f == 0 {
                return Some(());
            }
            if header >> 4 == 0 {
                self.int()?;
            }
            self.skip(Wire(header & 0x0f), true, deeper)?;
        }
    }
}
