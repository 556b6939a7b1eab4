//! A JSON value inside a message, with its place there, and the members of an object.
//!
//! Nothing is decoded before it is asked for. Values come from a strict scan (clients) or from framing only
//! (servers), so reading the inside can still fail, and an object with duplicate members is always refused:
//! two readers might take different ones.

use std::borrow::Cow;
use std::ops::Range;

use super::skip::{self, Malformed};
use super::text;

/// Deepest nesting that is crossed when the members of an already framed value are read.
const ANY_DEPTH: u8 = u8::MAX;

/// One JSON value as it stands in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raw<'a> {
    text: &'a str,
    start: usize,
}

impl<'a> Raw<'a> {
    /// A value that stands alone, at offset 0. `text` is trusted to be one value without space around it.
    pub fn new(text: &'a str) -> Self {
        Self { text, start: 0 }
    }

    pub(crate) fn at(text: &'a str, start: usize) -> Self {
        Self { text, start }
    }

    /// The value as JSON text.
    pub fn as_str(&self) -> &'a str {
        self.text
    }

    /// The value as JSON bytes.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    /// Where the value stands in its message, in bytes.
    pub fn range(&self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    /// The decoded text if the value is a string.
    pub fn string(&self) -> Option<Cow<'a, str>> {
        text::unquote(self.text)
    }

    /// The value if it is an integer without fraction or exponent that fits.
    pub fn integer(&self) -> Option<i64> {
        self.text.parse().ok().filter(|_| !self.text.starts_with('+'))
    }

    /// The value if it is `true` or `false`.
    pub fn boolean(&self) -> Option<bool> {
        match self.text {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// Whether the value is `null`.
    pub fn is_null(&self) -> bool {
        self.text == "null"
    }

    /// Whether the value is an object.
    pub fn is_object(&self) -> bool {
        self.text.starts_with('{')
    }

    /// Whether the value is an array.
    pub fn is_array(&self) -> bool {
        self.text.starts_with('[')
    }

    /// All members of the object.
    ///
    /// # Errors
    /// [`Malformed`] if the value is no object, is broken inside, or names a member twice.
    pub fn object(&self) -> Result<Object<'a>, Malformed> {
        if !self.is_object() {
            return Err(Malformed::NotAnObject { at: self.start });
        }
        let mut members: Vec<Member<'a>> = Vec::new();
        let end = read_members(self.text, 0, ANY_DEPTH, |key, key_start, value| {
            members.push(Member {
                key,
                key_start: self.start + key_start,
                value: Raw::at(value.text, self.start + value.start),
            });
            Ok(())
        })?;
        if end != self.text.len() {
            return Err(Malformed::Structure { at: self.start + end });
        }
        refuse_duplicates(&members)?;
        Ok(Object { raw: *self, members: Cow::Owned(members) })
    }

    /// One member of the object, by its decoded name. The rest is only crossed.
    ///
    /// # Errors
    /// [`Malformed`] if the value is no object, is broken inside, or has the member twice.
    pub fn member(&self, name: &str) -> Result<Option<Raw<'a>>, Malformed> {
        if !self.is_object() {
            return Err(Malformed::NotAnObject { at: self.start });
        }
        let mut found: Option<Raw<'a>> = None;
        read_members(self.text, 0, ANY_DEPTH, |key, key_start, value| {
            if key == name && found.replace(Raw::at(value.text, self.start + value.start)).is_some() {
                return Err(Malformed::Duplicate { at: self.start + key_start });
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// The items of the array.
    ///
    /// # Errors
    /// [`Malformed`] if the value is no array or is broken inside.
    pub fn items(&self) -> Result<Vec<Raw<'a>>, Malformed> {
        let bytes = self.text.as_bytes();
        let broken = |at: usize| Malformed::Structure { at: self.start + at };
        if !self.is_array() {
            return Err(broken(0));
        }
        let mut items = Vec::new();
        let mut at = skip::space(bytes, 1);
        if bytes.get(at) == Some(&b']') {
            return Ok(items);
        }
        loop {
            let end = skip::value(bytes, at, ANY_DEPTH)?;
            items.push(Raw::at(self.text.get(at..end).ok_or(broken(at))?, self.start + at));
            at = skip::space(bytes, end);
            match bytes.get(at) {
                Some(b',') => at = skip::space(bytes, at + 1),
                Some(b']') => return Ok(items),
                _ => return Err(broken(at)),
            }
        }
    }
}

/// One member of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member<'a> {
    /// The decoded name.
    pub key: Cow<'a, str>,
    /// Where the name's opening quote stands in the message.
    pub key_start: usize,
    /// The value.
    pub value: Raw<'a>,
}

/// An object with its members, of which no two have the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object<'a> {
    raw: Raw<'a>,
    members: Cow<'a, [Member<'a>]>,
}

impl<'a> Object<'a> {
    /// An object whose members were found before and are known to be distinct.
    pub(crate) fn found(raw: Raw<'a>, members: &'a [Member<'a>]) -> Self {
        Self { raw, members: Cow::Borrowed(members) }
    }

    /// The object as it stands.
    pub fn raw(&self) -> Raw<'a> {
        self.raw
    }

    /// The members in their order.
    pub fn members(&self) -> &[Member<'a>] {
        &self.members
    }

    /// The member of that decoded name.
    pub fn get(&self, name: &str) -> Option<Raw<'a>> {
        self.members.iter().find(|m| m.key == name).map(|m| m.value)
    }
}

/// The member `name` of the JSON object `object`, which must be valid UTF-8 without space in front.
///
/// # Errors
/// [`Malformed`] if it is no object, is broken, or has the member twice.
pub fn member<'a>(object: &'a str, name: &str) -> Result<Option<Raw<'a>>, Malformed> {
    Raw::new(object).member(name)
}

/// Calls `on_member` for each member of the object that starts at `at`; answers the index after it.
pub(crate) fn read_members<'a>(
    text: &'a str,
    at: usize,
    max_depth: u8,
    mut on_member: impl FnMut(Cow<'a, str>, usize, Raw<'a>) -> Result<(), Malformed>,
) -> Result<usize, Malformed> {
    let bytes = text.as_bytes();
    let mut at = skip::space(bytes, at + 1);
    if bytes.get(at) == Some(&b'}') {
        return Ok(at + 1);
    }
    loop {
        let key_start = at;
        if bytes.get(at) != Some(&b'"') {
            return Err(Malformed::Structure { at });
        }
        at = skip::string(bytes, at)?;
        let key = text.get(key_start..at).and_then(text::unquote).ok_or(Malformed::Structure { at })?;
        at = skip::space(bytes, at);
        if bytes.get(at) != Some(&b':') {
            return Err(Malformed::Structure { at });
        }
        let start = skip::space(bytes, at + 1);
        let end = skip::value(bytes, start, max_depth)?;
        let value = text.get(start..end).ok_or(Malformed::Structure { at: start })?;
        on_member(key, key_start, Raw::at(value, start))?;
        at = skip::space(bytes, end);
        match bytes.get(at) {
            Some(b',') => at = skip::space(bytes, at + 1),
            Some(b'}') => return Ok(at + 1),
            _ => return Err(Malformed::Structure { at }),
        }
    }
}

/// Sorting keeps this harmless for objects with very many members.
pub(crate) fn refuse_duplicates(members: &[Member<'_>]) -> Result<(), Malformed> {
    let duplicate = |m: &Member<'_>| Malformed::Duplicate { at: m.key_start };
    if members.len() <= 16 {
        for (i, m) in members.iter().enumerate() {
            if members[..i].iter().any(|earlier| earlier.key == m.key) {
                return Err(duplicate(m));
            }
        }
        return Ok(());
    }
    let mut sorted: Vec<&Member<'_>> = members.iter().collect();
    sorted.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    match sorted.windows(2).find(|pair| pair[0].key == pair[1].key) {
        Some(pair) => Err(duplicate(pair[1])),
        None => Ok(()),
    }
}
