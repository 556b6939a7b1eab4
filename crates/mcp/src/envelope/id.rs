//! Ids of requests: kept as they stand, so that they are echoed exactly.

use std::borrow::Cow;
use std::fmt;

use crate::json::{quote, unquote};

/// The id of a request or response as it stands in the message: a string or an integer.
///
/// `1` and `"1"` are different ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RawId<'a>(&'a str);

impl<'a> RawId<'a> {
    /// Takes the JSON text of an id; `None` unless it is one string or integer.
    pub fn new(json: &'a str) -> Option<Self> {
        let integer = {
            let digits = json.strip_prefix('-').unwrap_or(json);
            let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            plain && (digits == "0" || !digits.starts_with('0'))
        };
        let string = || unquote(json).is_some() && crate::json::validate(json, 0).is_ok();
        (integer || string()).then_some(Self(json))
    }

    /// An id that the scan has checked already.
    pub(super) fn trusted(json: &'a str) -> Self {
        Self(json)
    }

    /// The JSON text.
    pub fn as_str(&self) -> &'a str {
        self.0
    }

    /// The number, for ids that the gateway chose itself.
    pub fn as_u64(&self) -> Option<u64> {
        self.0.parse().ok().filter(|_| !self.0.starts_with('+'))
    }

    /// The decoded text if the id is a string.
    pub fn string(&self) -> Option<Cow<'a, str>> {
        unquote(self.0)
    }

    /// Whether both mean the same id, even if a peer escaped its string in another way.
    pub fn same(&self, other: &RawId<'_>) -> bool {
        self.0 == other.0 || matches!((self.string(), other.string()), (Some(a), Some(b)) if a == b)
    }

    /// A copy that outlives the message.
    pub fn to_id(&self) -> Id {
        Id(self.0.into())
    }
}

/// An id that outlives its message.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Id(Box<str>);

impl Id {
    /// An id made of a number.
    pub fn number(n: u64) -> Self {
        Self(n.to_string().into())
    }

    /// An id made of a text.
    pub fn text(text: &str) -> Self {
        Self(String::from_utf8_lossy(&quote(text)).into())
    }

    /// The borrowed form.
    pub fn as_raw(&self) -> RawId<'_> {
        RawId(&self.0)
    }

    /// The JSON text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
