//! Pickles as written by `torch.save`.
//!
//! A pickle is a program that builds values. Here it runs on a machine that knows values but no code. The values are
//! kept in one list and refer to each other by index: nothing is copied however often the program asks for it, and
//! nothing recurses however deeply it nests, so memory is proportional to the size of the program.

use std::collections::HashMap;

/// What was wrong, as a clause.
pub(super) type Parsed<T> = std::result::Result<T, String>;

/// The maximum number of instructions in a program: a model's has some twenty for each tensor.
const MAX_STEPS: usize = 1 << 22;

/// The index of a value.
pub(super) type Id = usize;

/// A value, as far as it matters for tensors.
#[derive(Debug)]
pub(super) enum Value {
    /// None, booleans and floats.
    Other,
    Int(i64),
    Text(String),
    /// A class or a function, by its module and name.
    Global(String),
    /// A tuple or a list.
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    /// The result of calling a function with arguments.
    Call {
        function: Id,
        arguments: Id,
    },
    /// Data outside the pickle, named by a value (a persistent id).
    Persistent(Id),
}

/// The values of a finished program.
pub(super) struct Values {
    all: Vec<Value>,
    result: Id,
}

impl Values {
    /// Runs the program.
    pub(super) fn of(program: &[u8]) -> Parsed<Self> {
        let mut machine =
            Machine { input: program, all: Vec::new(), stack: Vec::new(), marks: Vec::new(), memo: HashMap::new() };
        for _ in 0..MAX_STEPS {
            if machine.step()? {
                let result = machine.pop()?;
                return Ok(Values { all: machine.all, result });
            }
        }
        Err(format!("its pickle has more than {MAX_STEPS} instructions"))
    }

    /// The result of the program.
    pub(super) fn result(&self) -> &Value {
        self.get(self.result)
    }

    pub(super) fn get(&self, id: Id) -> &Value {
        self.all.get(id).unwrap_or(&Value::Other)
    }

    /// The value at an index of a list.
    pub(super) fn at(&self, list: &[Id], index: usize) -> &Value {
        list.get(index).map_or(&Value::Other, |id| self.get(*id))
    }
}

struct Machine<'a> {
    input: &'a [u8],
    all: Vec<Value>,
    stack: Vec<Id>,
    /// The heights of the stack at its marks.
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
}

impl<'a> Machine<'a> {
    /// Executes one instruction; true for the last one.
    fn step(&mut self) -> Parsed<bool> {
        match self.byte()? {
            // The protocol, and frames: there is nothing to do.
            0x80 => {
                self.byte()?;
            }
            0x95 => {
                self.bytes(8)?;
            }
            b'.' => return Ok(true),
            b'N' | 0x88 | 0x89 => self.push(Value::Other),
            b'G' => {
                self.bytes(8)?;
                self.push(Value::Other);
            }
            b'K' => self.int(1, false)?,
            b'M' => self.int(2, false)?,
            b'J' => self.int(4, true)?,
            0x8a => {
                let length = self.byte()?;
                self.int(usize::from(length), true)?;
            }
            b'X' => {
                let length = self.number(4)?;
                self.text(length as usize)?;
            }
            0x8c => {
                let length = self.byte()?;
                self.text(usize::from(length))?;
            }
            b'c' => {
                let name = format!("{}.{}", self.line()?, self.line()?);
                self.push(Value::Global(name));
            }
            0x93 => self.global_of_stack()?,
            b'(' => self.marks.push(self.stack.len()),
            b')' | b']' => self.push(Value::List(Vec::new())),
            b'}' => self.push(Value::Dict(Vec::new())),
            b't' | b'l' => {
                let items = self.pop_to_mark()?;
                self.push(Value::List(items));
            }
            b'd' => {
                let pairs = pairs(&self.pop_to_mark()?)?;
                self.push(Value::Dict(pairs));
            }
            size @ 0x85..=0x87 => {
                let start = self.above_mark(usize::from(size - 0x84))?;
                let items = self.stack.split_off(start);
                self.push(Value::List(items));
            }
            b'a' => {
                let item = self.pop()?;
                self.extend(&[item])?;
            }
            b'e' => {
                let items = self.pop_to_mark()?;
                self.extend(&items)?;
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.set(vec![(key, value)])?;
            }
            b'u' => {
                let items = pairs(&self.pop_to_mark()?)?;
                self.set(items)?;
            }
            b'R' | 0x81 => self.call()?,
            // The state of a constructed object: attributes, which no tensor has.
            b'b' => {
                self.pop()?;
            }
            b'Q' => {
                let name = self.pop()?;
                self.push(Value::Persistent(name));
            }
            b'q' => {
                let slot = self.number(1)?;
                self.put(slot)?;
            }
            b'r' => {
                let slot = self.number(4)?;
                self.put(slot)?;
            }
            0x94 => self.put(self.memo.len() as u32)?,
            b'h' => {
                let slot = self.number(1)?;
                self.get(slot)?;
            }
            b'j' => {
                let slot = self.number(4)?;
                self.get(slot)?;
            }
            other => return Err(format!("its pickle has the instruction {other:#04x}, which no tensor needs")),
        }
        Ok(false)
    }

    fn bytes(&mut self, count: usize) -> Parsed<&'a [u8]> {
        let (bytes, rest) = self.input.split_at_checked(count).ok_or("its pickle is truncated")?;
        self.input = rest;
        Ok(bytes)
    }

    fn byte(&mut self) -> Parsed<u8> {
        Ok(self.bytes(1)?.first().copied().unwrap_or_default())
    }

    /// An unsigned little-endian integer of up to 4 bytes.
    fn number(&mut self, bytes: usize) -> Parsed<u32> {
        Ok(self.bytes(bytes)?.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }

    /// A little-endian integer; a `signed` one is negative if its last bit is set.
    fn int(&mut self, length: usize, signed: bool) -> Parsed<()> {
        let bytes = self.bytes(length)?;
        if length > 8 {
            return Err("its pickle has a number that is too large".to_owned());
        }
        let negative = signed && bytes.last().is_some_and(|last| *last >= 0x80);
        let start = if negative { -1 } else { 0 };
        self.push(Value::Int(bytes.iter().rev().fold(start, |number, byte| number << 8 | i64::from(*byte))));
        Ok(())
    }

    fn text(&mut self, length: usize) -> Parsed<()> {
        let text = String::from_utf8_lossy(self.bytes(length)?).into_owned();
        self.push(Value::Text(text));
        Ok(())
    }

    fn line(&mut self) -> Parsed<String> {
        let end = self.input.iter().position(|byte| *byte == b'\n').ok_or("its pickle is truncated")?;
        let line = String::from_utf8_lossy(self.bytes(end)?).into_owned();
        self.byte()?;
        Ok(line)
    }

    fn push(&mut self, value: Value) {
        self.stack.push(self.all.len());
        self.all.push(value);
    }

    /// The index of the first of the topmost `count` values, which must lie above the last mark.
    fn above_mark(&self, count: usize) -> Parsed<usize> {
        let start = self.stack.len().checked_sub(count);
        let lowest = self.marks.last().copied().unwrap_or(0);
        start.filter(|start| *start >= lowest).ok_or_else(|| "its pickle takes values that do not exist".to_owned())
    }

    fn pop(&mut self) -> Parsed<Id> {
        self.above_mark(1)?;
        self.stack.pop().ok_or_else(|| "its pickle takes values that do not exist".to_owned())
    }

    fn pop_to_mark(&mut self) -> Parsed<Vec<Id>> {
        let mark = self.marks.pop().ok_or("its pickle lacks a mark")?;
        Ok(self.stack.split_off(mark.min(self.stack.len())))
    }

    fn last(&mut self) -> Parsed<&mut Value> {
        let id = self.above_mark(1).ok().and_then(|start| self.stack.get(start)).copied();
        id.and_then(|id| self.all.get_mut(id)).ok_or_else(|| "its pickle takes values that do not exist".to_owned())
    }

    fn extend(&mut self, items: &[Id]) -> Parsed<()> {
        match self.last()? {
            Value::List(list) => list.extend_from_slice(items),
            _ => return Err("its pickle adds to a value that is not a list".to_owned()),
        }
        Ok(())
    }

    fn set(&mut self, items: Vec<(Id, Id)>) -> Parsed<()> {
        match self.last()? {
            Value::Dict(dict) => dict.extend(items),
            _ => return Err("its pickle adds to a value that is not a dict".to_owned()),
        }
        Ok(())
    }

    fn global_of_stack(&mut self) -> Parsed<()> {
        let (name, module) = (self.pop()?, self.pop()?);
        let name = match (self.all.get(module), self.all.get(name)) {
            (Some(Value::Text(module)), Some(Value::Text(name))) => format!("{module}.{name}"),
            _ => return Err("its pickle names a class by a value that is not a string".to_owned()),
        };
        self.push(Value::Global(name));
        Ok(())
    }

    fn call(&mut self) -> Parsed<()> {
        let (arguments, function) = (self.pop()?, self.pop()?);
        let is_dict = matches!(self.all.get(function), Some(Value::Global(name)) if name == "collections.OrderedDict");
        self.push(if is_dict { Value::Dict(Vec::new()) } else { Value::Call { function, arguments } });
        Ok(())
    }

    fn put(&mut self, slot: u32) -> Parsed<()> {
        let start = self.above_mark(1)?;
        let id = self.stack.get(start).copied().unwrap_or_default();
        self.memo.insert(slot, id);
        Ok(())
    }

    fn get(&mut self, slot: u32) -> Parsed<()> {
        let id = self.memo.get(&slot).ok_or("its pickle asks for a value that it has not stored")?;
        self.stack.push(*id);
        Ok(())
    }
}

fn pairs(items: &[Id]) -> Parsed<Vec<(Id, Id)>> {
    let (pairs, rest) = items.as_chunks::<2>();
    match rest.is_empty() {
        true => Ok(pairs.iter().map(|&[key, value]| (key, value)).collect()),
        false => Err("its pickle has a key without a value".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shared_however_often_they_are_asked_for() {
        // A pair of the pair before, forty times.
        let mut program = b"\x80\x02Nq\x00".to_vec();
        for i in 0..40 {
            program.extend([b'h', i, b'h', i, 0x86, b'q', i + 1]);
        }
        program.push(b'.');
        let values = Values::of(&program).unwrap();
        assert_eq!(values.all.len(), 41);
    }

    #[test]
    fn nesting_has_no_depth_to_run_out_of() {
        let mut program = b"\x80\x02N".to_vec();
        program.resize(3_000_000, 0x85);
        program.push(b'.');
        assert!(matches!(Values::of(&program).unwrap().result(), Value::List(_)));
        program.pop();
        program.resize(5_000_000, 0x85);
        assert!(Values::of(&program).is_err());
    }

    #[test]
    fn contradictions_are_errors() {
        for program in [
            &b""[..],
            b".",
            b"t.",
            b"(N\x86.",
            b"(\x85.",
            b"Na.",
            b"NNs.",
            b"(Nu.",
            b"h\x00.",
            b"X\xff\xff\xff\xffa.",
            b"cmodule.",
            b"\x8a\x20.",
            b"?.",
        ] {
            assert!(Values::of(program).is_err(), "{program:?}");
        }
    }

    #[test]
    fn numbers_texts_and_dicts_are_read() {
        let values = Values::of(
            b"\x80\x02}(X\x01\x00\x00\x00aJ\xff\xff\xff\xffX\x01\x00\x00\x00b\x8a\x02\x00\x80\x8c\x01cM\x01\x02u.",
        )
        .unwrap();
        let pairs = if let Value::Dict(pairs) = values.result() { pairs.as_slice() } else { &[] };
        let number = |id: Id| if let Value::Int(number) = values.get(id) { *number } else { 0 };
        let numbers: Vec<i64> = pairs.iter().map(|(_, value)| number(*value)).collect();
        assert_eq!(numbers, [-1, -32_768, 513]);
    }
}
