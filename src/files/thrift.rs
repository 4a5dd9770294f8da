//! Thrift's compact protocol, as far as needed to determine the claimed size and nesting depth of a Parquet file, and to
//! write the footer of a part of it ([`Copied`]).
//!
//! Except by [`Copied`], nothing is allocated and nothing is trusted: a list that claims more elements than there are bytes left yields
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

/// A value that was read, to be written with changes.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Copied {
    /// A Boolean, which is part of the header of a field, and a byte in a list.
    Flag(bool),
    Int(u8, i64),
    Bytes(Vec<u8>),
    /// A value of fixed width, with its wire type: bytes, floats, UUIDs.
    Fixed(u8, Vec<u8>),
    List(u8, u8, Vec<Copied>),
    Struct(Vec<(i16, Copied)>),
}

impl Copied {
    /// A struct; `None` if it is damaged, or has a map, which Parquet does not use.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        Self::read(&mut Thrift::new(bytes), 12, None, MAX_DEPTH)
    }

    /// Reads a value of a wire type; `flag` is that of a Boolean field.
    fn read(thrift: &mut Thrift<'_>, wire: u8, flag: Option<bool>, deepest: usize) -> Option<Self> {
        let deeper = deepest.checked_sub(1)?;
        Some(match wire {
            1 | 2 => Copied::Flag(match flag {
                Some(flag) => flag,
                None => thrift.byte()? == 1,
            }),
            3 => Copied::Fixed(wire, thrift.take(1)?.to_vec()),
            4..=6 => Copied::Int(wire, thrift.int()?),
            7 => Copied::Fixed(wire, thrift.take(8)?.to_vec()),
            8 => Copied::Bytes(thrift.bytes()?.to_vec()),
            9 | 10 => {
                let (inner, length) = thrift.list_header()?;
                let read = |_| Self::read(thrift, inner.0, None, deeper);
                Copied::List(wire, inner.0, (0..length).map(read).collect::<Option<_>>()?)
            }
            12 => {
                let (mut fields, mut id) = (Vec::new(), 0_i16);
                loop {
                    let header = thrift.byte()?;
                    let wire = header & 0x0f;
                    if wire == 0 {
                        break Copied::Struct(fields);
                    }
                    id = match header >> 4 {
                        0 => thrift.int()? as i16,
                        step => id.wrapping_add(i16::from(step)),
                    };
                    fields.push((id, Self::read(thrift, wire, Some(wire == 1), deeper)?));
                }
            }
            13 => Copied::Fixed(wire, thrift.take(16)?.to_vec()),
            _ => return None,
        })
    }

    /// The field of a struct.
    pub(super) fn field(&self, id: i16) -> Option<&Copied> {
        let Copied::Struct(fields) = self else { return None };
        fields.iter().find(|(other, _)| *other == id).map(|(_, value)| value)
    }

    pub(super) fn field_mut(&mut self, id: i16) -> Option<&mut Copied> {
        let Copied::Struct(fields) = self else { return None };
        fields.iter_mut().find(|(other, _)| *other == id).map(|(_, value)| value)
    }

    /// Removes fields of a struct.
    pub(super) fn remove(&mut self, ids: &[i16]) {
        if let Copied::Struct(fields) = self {
            fields.retain(|(id, _)| !ids.contains(id));
        }
    }

    pub(super) fn int(&self) -> Option<i64> {
        if let Copied::Int(_, number) = self { Some(*number) } else { None }
    }

    pub(super) fn int_mut(&mut self) -> Option<&mut i64> {
        if let Copied::Int(_, number) = self { Some(number) } else { None }
    }

    pub(super) fn list(&self) -> Option<&[Copied]> {
        if let Copied::List(_, _, values) = self { Some(values) } else { None }
    }

    pub(super) fn list_mut(&mut self) -> Option<&mut Vec<Copied>> {
        if let Copied::List(_, _, values) = self { Some(values) } else { None }
    }

    fn wire(&self) -> u8 {
        match self {
            Copied::Flag(true) => 1,
            Copied::Flag(false) => 2,
            Copied::Int(wire, _) | Copied::Fixed(wire, _) | Copied::List(wire, ..) => *wire,
            Copied::Bytes(_) => 8,
            Copied::Struct(_) => 12,
        }
    }

    /// Writes the value; that of a Boolean as in a list.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Copied::Flag(flag) => out.push(if *flag { 1 } else { 2 }),
            Copied::Int(_, number) => write_int(*number, out),
            Copied::Bytes(bytes) => {
                write_varint(bytes.len() as u64, out);
                out.extend_from_slice(bytes);
            }
            Copied::Fixed(_, bytes) => out.extend_from_slice(bytes),
            Copied::List(_, inner, values) => {
                match u8::try_from(values.len()).ok().filter(|&length| length < 15) {
                    Some(length) => out.push(length << 4 | inner),
                    None => {
                        out.push(0xf0 | inner);
                        write_varint(values.len() as u64, out);
                    }
                }
                values.iter().for_each(|value| value.write(out));
            }
            Copied::Struct(fields) => {
                for (id, value) in fields {
                    out.push(value.wire());
                    write_int(i64::from(*id), out);
                    if !matches!(value, Copied::Flag(_)) {
                        value.write(out);
                    }
                }
                out.push(0);
            }
        }
    }
}

fn write_int(number: i64, out: &mut Vec<u8>) {
    write_varint(((number << 1) ^ (number >> 63)) as u64, out);
}

fn write_varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}
