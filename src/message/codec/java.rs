//! Objects that Java serialised, read and never made: their classes, fields and elements (Java Object Serialization
//! Specification, chapter 6).
//!
//! What a class writes by a method of its own is shown as a list of its pieces, but for the collections that everybody
//! uses. An object that is met again is named by its class. Limits: one object; what is nested deeper than [`DEPTH`] or
//! would be shown in more bytes than are allowed is not read.

use std::rc::Rc;

use serde_json::{Map, Value};

use super::tree;

/// How deep objects, arrays and superclasses may nest.
const DEPTH: usize = 32;
/// Bytes that a value costs beside its text.
const COST: usize = 16;
/// The number of the first object of a stream.
const FIRST_HANDLE: u32 = 0x7e_0000;
/// The member that names an object's class.
const CLASS: &str = "@class";

const WRITE_METHOD: u8 = 0x01;
const SERIALIZABLE: u8 = 0x02;
const EXTERNALIZABLE: u8 = 0x04;
const BLOCK_DATA: u8 = 0x08;

/// Reads the object behind a stream's first four bytes; `bytes` is the most that it may be shown in.
///
/// # Errors
/// Why it can't be read, in a few words.
pub(super) fn decode(stream: &[u8], bytes: usize) -> Result<Value, String> {
    let rest = stream.strip_prefix(b"\xac\xed\x00\x05").ok_or("it is no stream of objects")?;
    let mut reader = Reader { rest, handles: Vec::new(), budget: bytes };
    let value = match reader.content(0)? {
        Content::Value(value) => value,
        Content::Block | Content::End => return Err("it begins with no object".to_owned()),
    };
    if reader.rest.is_empty() { Ok(value) } else { Err(format!("{} bytes are left over", reader.rest.len())) }
}

/// A class as the stream describes it.
#[derive(Debug)]
struct Class {
    name: String,
    flags: u8,
    /// Type codes and names.
    fields: Vec<(u8, String)>,
    parent: Option<Rc<Class>>,
}

/// What a number stands for that refers to something before.
#[derive(Clone)]
enum Handle {
    Class(Rc<Class>),
    Text(String),
    /// An object of that class.
    Object(Rc<Class>),
}

enum Content {
    Value(Value),
    Block,
    End,
}

struct Reader<'a> {
    rest: &'a [u8],
    handles: Vec<Handle>,
    budget: usize,
}

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or("it is cut")?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        self.bytes(N)?.try_into().map_err(|_| "it is cut".to_owned())
    }

    fn byte(&mut self) -> Result<u8, String> {
        self.array().map(u8::from_be_bytes)
    }

    fn count(&mut self) -> Result<usize, String> {
        let count = self.array().map(i32::from_be_bytes)?;
        usize::try_from(count).map_err(|_| format!("a length is {count}"))
    }

    /// Text behind its length, in Java's own UTF-8.
    fn text(&mut self) -> Result<String, String> {
        let length = self.array().map(u16::from_be_bytes)?;
        Ok(String::from_utf8_lossy(self.bytes(length.into())?).into_owned())
    }

    fn long_text(&mut self) -> Result<String, String> {
        let length = usize::try_from(self.array().map(u64::from_be_bytes)?).map_err(|_| "it is cut")?;
        Ok(String::from_utf8_lossy(self.bytes(length)?).into_owned())
    }

    fn spend(&mut self, bytes: usize) -> Result<(), String> {
        self.budget = self.budget.checked_sub(bytes + COST).ok_or("it grows too large")?;
        Ok(())
    }

    fn handle(&mut self) -> Result<Handle, String> {
        let number = self.array().map(u32::from_be_bytes)?;
        let at = number.checked_sub(FIRST_HANDLE).and_then(|at| self.handles.get(usize::try_from(at).ok()?));
        at.cloned().ok_or_else(|| "it refers to what is not there".to_owned())
    }

    fn content(&mut self, depth: usize) -> Result<Content, String> {
        if depth > DEPTH {
            return Err(format!("it is nested deeper than {DEPTH}"));
        }
        let value = match self.byte()? {
            0x70 => Value::Null,
            0x71 => match self.handle()? {
                Handle::Text(text) => {
                    self.spend(text.len())?;
                    Value::String(text)
                }
                Handle::Object(class) | Handle::Class(class) => self.named(&class)?.into(),
            },
            0x73 => self.object(depth)?,
            code @ (0x74 | 0x7c) => {
                let text = if code == 0x74 { self.text() } else { self.long_text() }?;
                self.spend(text.len())?;
                self.handles.push(Handle::Text(text.clone()));
                Value::String(text)
            }
            0x75 => self.list(depth)?,
            0x76 => {
                let class = self.class(depth)?.ok_or("a class has no description")?;
                self.handles.push(Handle::Class(Rc::clone(&class)));
                self.named(&class)?.into()
            }
            0x77 => {
                let count = self.byte()?;
                return self.bytes(count.into()).map(|_| Content::Block);
            }
            0x78 => return Ok(Content::End),
            0x7a => {
                let count = self.count()?;
                return self.bytes(count).map(|_| Content::Block);
            }
            0x7e => {
                let class = self.class(depth)?.ok_or("an enum has no class")?;
                self.handles.push(Handle::Object(class));
                self.value(b'L', depth + 1)?
            }
            code => return Err(format!("0x{code:02x} begins nothing that is known")),
        };
        Ok(Content::Value(value))
    }

    /// An object with nothing but its class.
    fn named(&mut self, class: &Class) -> Result<Map<String, Value>, String> {
        self.spend(CLASS.len() + class.name.len())?;
        Ok(Map::from_iter([(CLASS.to_owned(), Value::String(class.name.clone()))]))
    }

    /// A class description; `None` for null.
    fn class(&mut self, depth: usize) -> Result<Option<Rc<Class>>, String> {
        if depth > DEPTH {
            return Err(format!("it is nested deeper than {DEPTH}"));
        }
        match self.byte()? {
            0x70 => Ok(None),
            0x71 => match self.handle()? {
                Handle::Class(class) => Ok(Some(class)),
                _ => Err("what should be a class is none".to_owned()),
            },
            0x72 => {
                let name = self.text()?;
                self.bytes(8)?;
                let at = self.reserve();
                let flags = self.byte()?;
                let count = self.array().map(u16::from_be_bytes)?;
                let fields: Vec<(u8, String)> = (0..count).map(|_| self.field(depth)).collect::<Result<_, _>>()?;
                self.annotation(depth)?;
                let parent = self.class(depth + 1)?;
                self.keep(at, Class { name, flags, fields, parent })
            }
            0x7d => {
                let at = self.reserve();
                let count = self.count()?;
                let names: Vec<String> = (0..count).map(|_| self.text()).collect::<Result<_, _>>()?;
                self.annotation(depth)?;
                let parent = self.class(depth + 1)?;
                let name = format!("a proxy of {}", names.join(", "));
                self.keep(at, Class { name, flags: SERIALIZABLE, fields: Vec::new(), parent })
            }
            code => Err(format!("0x{code:02x} begins no class")),
        }
    }

    /// The place of a class whose description is not read yet.
    fn reserve(&mut self) -> usize {
        self.handles.push(Handle::Text(String::new()));
        self.handles.len() - 1
    }

    fn keep(&mut self, at: usize, class: Class) -> Result<Option<Rc<Class>>, String> {
        let class = Rc::new(class);
        let place = self.handles.get_mut(at).ok_or("it refers to what is not there")?;
        *place = Handle::Class(Rc::clone(&class));
        Ok(Some(class))
    }

    fn field(&mut self, depth: usize) -> Result<(u8, String), String> {
        let code = self.byte()?;
        let name = self.text()?;
        if matches!(code, b'L' | b'[') {
            self.content(depth + 1)?;
        }
        Ok((code, name))
    }

    /// What a class wrote by its own method, up to its end: its objects. What its bytes mean only the class knows.
    fn annotation(&mut self, depth: usize) -> Result<Vec<Value>, String> {
        let mut values = Vec::new();
        loop {
            match self.content(depth + 1)? {
                Content::Value(value) => values.push(value),
                Content::Block => {}
                Content::End => return Ok(values),
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, String> {
        let class = self.class(depth)?.ok_or("an object has no class")?;
        self.handles.push(Handle::Object(Rc::clone(&class)));
        let mut object = self.named(&class)?;
        let mut written = Vec::new();
        let mut lineage: Vec<Rc<Class>> =
            std::iter::successors(Some(Rc::clone(&class)), |it| it.parent.clone()).collect();
        lineage.reverse();
        for part in lineage {
            if part.flags & SERIALIZABLE != 0 {
                for (code, name) in &part.fields {
                    let value = self.value(*code, depth + 1)?;
                    self.spend(name.len())?;
                    object.insert(name.clone(), value);
                }
            } else if part.flags & (EXTERNALIZABLE | BLOCK_DATA) == EXTERNALIZABLE {
                return Err(format!("{} writes itself in a form of its own", part.name));
            }
            if part.flags & WRITE_METHOD != 0 && part.flags & SERIALIZABLE != 0
                || part.flags & EXTERNALIZABLE != 0 && part.flags & BLOCK_DATA != 0
            {
                written.append(&mut self.annotation(depth)?);
            }
        }
        Ok(shown(&class.name, object, written))
    }

    fn list(&mut self, depth: usize) -> Result<Value, String> {
        let class = self.class(depth)?.ok_or("an array has no class")?;
        self.handles.push(Handle::Object(Rc::clone(&class)));
        let count = self.count()?;
        let code = class.name.as_bytes().get(1).copied().unwrap_or(b'L');
        let mut values = Vec::new();
        for _ in 0..count {
            values.push(self.value(code, depth + 1)?);
        }
        Ok(Value::Array(values))
    }

    /// A field's value by its type code.
    fn value(&mut self, code: u8, depth: usize) -> Result<Value, String> {
        self.spend(0)?;
        Ok(match code {
            b'B' => i8::from_be_bytes(self.array()?).into(),
            b'C' => String::from_utf16_lossy(&[u16::from_be_bytes(self.array()?)]).into(),
            b'D' => tree::float(f64::from_be_bytes(self.array()?)),
            b'F' => tree::float(f32::from_be_bytes(self.array()?).into()),
            b'I' => i32::from_be_bytes(self.array()?).into(),
            b'J' => i64::from_be_bytes(self.array()?).into(),
            b'S' => i16::from_be_bytes(self.array()?).into(),
            b'Z' => (self.byte()? != 0).into(),
            b'L' | b'[' => match self.content(depth)? {
                Content::Value(value) => value,
                Content::Block | Content::End => return Err("an object is missing".to_owned()),
            },
            code => return Err(format!("0x{code:02x} is no type")),
        })
    }
}

/// An object as people would write it: boxed values, lists and maps of `java.util` as what they are.
fn shown(class: &str, mut object: Map<String, Value>, written: Vec<Value>) -> Value {
    let boxed = class.strip_prefix("java.lang.").is_some_and(|name| !name.contains('.')) && object.len() == 2;
    if let Some(value) = object.get_mut("value").filter(|_| boxed) {
        return value.take();
    }
    match class {
        "java.util.ArrayList"
        | "java.util.LinkedList"
        | "java.util.HashSet"
        | "java.util.LinkedHashSet"
        | "java.util.TreeSet"
        | "java.util.ArrayDeque"
        | "java.util.CollSer" => return Value::Array(written),
        "java.util.HashMap" | "java.util.LinkedHashMap" | "java.util.TreeMap" | "java.util.Hashtable"
            if written.iter().step_by(2).all(Value::is_string) =>
        {
            let mut members = Map::new();
            let mut written = written.into_iter();
            while let (Some(Value::String(name)), Some(value)) = (written.next(), written.next()) {
                members.insert(name, value);
            }
            return Value::Object(members);
        }
        _ => {}
    }
    if !written.is_empty() {
        object.insert("@written".to_owned(), Value::Array(written));
    }
    Value::Object(object)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A class description: its name, flags and fields, and no parent.
    fn class(name: &str, flags: u8, fields: &[&[u8]]) -> Vec<u8> {
        let length = |len: usize| u16::try_from(len).unwrap().to_be_bytes();
        let head =
            [&b"r"[..], &length(name.len())[..], name.as_bytes(), &[0; 8], &[flags], &length(fields.len())].concat();
        [&head[..], &fields.concat(), b"xp"].concat()
    }

    fn stream(parts: &[&[u8]]) -> Vec<u8> {
        [&b"\xac\xed\x00\x05"[..], &parts.concat()].concat()
    }

    fn read(stream: &[u8]) -> Result<Value, String> {
        decode(stream, 1 << 20)
    }

    #[test]
    fn an_object_shows_its_class_and_fields() {
        let boxed = class("java.lang.Integer", 2, &[b"I\0\x05value"]);
        let order = class(
            "com.acme.Order",
            2,
            &[
                b"J\0\x02id",
                b"Z\0\x04paid",
                b"D\0\x05total",
                b"L\0\x04namet\0\x12Ljava/lang/String;",
                b"L\0\x05itemst\0\x01L",
                b"L\0\x04selft\0\x01S",
            ],
        );
        let list = class("java.util.ArrayList", 3, &[b"I\0\x04size"]);
        let values: &[&[u8]] = &[
            b"s",
            &order,
            &17_i64.to_be_bytes(),
            b"\x01",
            &129.95_f64.to_be_bytes(),
            b"t\0\x04Anna",
            b"s",
            &list,
            b"\0\0\0\x02w\x04\0\0\0\x02t\0\x03A-1s",
            &boxed,
            b"\0\0\0\x05x",
            b"q\0\x7e\0\x04",
        ];
        assert_eq!(
            read(&stream(values)).unwrap(),
            json!({"@class": "com.acme.Order", "id": 17, "paid": true, "total": 129.95, "name": "Anna",
                "items": ["A-1", 5], "self": {"@class": "com.acme.Order"}})
        );
    }

    #[test]
    fn maps_arrays_and_enums_are_what_they_are() {
        let map = class("java.util.HashMap", 3, &[b"F\0\x0aloadFactor", b"I\0\x09threshold"]);
        let parts: &[&[u8]] =
            &[b"s", &map, &0.75_f32.to_be_bytes(), b"\0\0\0\x0cw\x08\0\0\0\x10\0\0\0\x01t\0\x01at\0\x01bx"];
        assert_eq!(read(&stream(parts)).unwrap(), json!({"a": "b"}));
        let numbers: &[&[u8]] = &[b"u", &class("[I", 2, &[]), b"\0\0\0\x02\0\0\0\x07\xff\xff\xff\xff"];
        assert_eq!(read(&stream(numbers)).unwrap(), json!([7, -1]));
        let paid: &[&[u8]] = &[b"~", &class("com.acme.Status", 0x12, &[]), b"t\0\x04PAID"];
        assert_eq!(read(&stream(paid)).unwrap(), json!("PAID"));
    }

    #[test]
    fn what_is_cut_deep_or_large_is_refused() {
        let whole = stream(&[b"s", &class("A", 2, &[b"I\0\x01n"]), b"\0\0\0\x01"]);
        assert_eq!(read(&whole).unwrap(), json!({"@class": "A", "n": 1}));
        for end in 0..whole.len() {
            assert!(read(&whole[..end]).is_err(), "{end}");
        }
        assert!(read(&[&whole[..], b"p"].concat()).unwrap_err().contains("left over"));
        let first = stream(&[b"s", &class("A", 2, &[b"L\0\x01nt\0\x01L"])]);
        let deep = [&first[..], &b"sq\0\x7e\0\0".repeat(1000)].concat();
        assert!(read(&deep).unwrap_err().contains("deeper"));
        // Many objects with a long field name each: what is shown is bounded.
        let name = [&b"Z"[..], &60_000_u16.to_be_bytes()[..], &vec![b'n'; 60_000]].concat();
        let objects =
            [
                &stream(&[
                    b"u",
                    &class("[LB;", 2, &[]),
                    &1000_i32.to_be_bytes(),
                    b"s",
                    &class("B", 2, &[&name]),
                    b"\0",
                ])[..],
                &b"sq\0\x7e\0\x02\0".repeat(999),
            ]
            .concat();
        assert!(read(&objects).unwrap_err().contains("too large"));
    }
}
