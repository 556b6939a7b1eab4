//! One line of a segment: what the ledger puts in front of a record's members, and how it is read back.
//!
//! `{"v":1,"index":N,"time":"…","prev":"…",` and the members. `prev` is the beginning of the leaf hash of the
//! line before: the tree proves that something was changed, the link tells which line.

use bailiwick_model::record::{RECORD_VERSION, Status};
use bailiwick_model::{CallId, QuickMap, Record};
use serde::Deserialize;

use crate::{Hash, RecordClass, stamp};

/// The first eight bytes of a leaf hash: what the next line calls `prev`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Link([u8; 8]);

impl Link {
    /// The link to a line of this leaf hash.
    pub(crate) fn to(leaf: Hash) -> Self {
        let mut link = [0; 8];
        link.copy_from_slice(&leaf.0[..8]);
        Self(link)
    }

    /// Sixteen hexadecimal digits.
    pub(crate) fn digits(self) -> [u8; 16] {
        let mut digits = [0; 16];
        hex::encode_to_slice(self.0, &mut digits).unwrap_or_default();
        digits
    }

    pub(crate) fn parse(digits: &str) -> Option<Self> {
        let mut link = [0; 8];
        hex::decode_to_slice(digits, &mut link).ok()?;
        Some(Self(link))
    }
}

/// Appends a line with its line feed. `members` is the record as a JSON object.
pub(crate) fn write(
    buffer: &mut Vec<u8>,
    index: u64,
    time: &[u8; stamp::LENGTH],
    prev: Link,
    members: &[u8],
) {
    const { assert!(RECORD_VERSION == 1) };
    buffer.extend_from_slice(b"{\"v\":1,\"index\":");
    decimal(buffer, index);
    buffer.extend_from_slice(b",\"time\":\"");
    buffer.extend_from_slice(time);
    buffer.extend_from_slice(b"\",\"prev\":\"");
    buffer.extend_from_slice(&prev.digits());
    buffer.extend_from_slice(b"\",");
    buffer.extend_from_slice(members.get(1..).unwrap_or_default());
    buffer.push(b'\n');
}

pub(crate) fn decimal(buffer: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
        if number == 0 {
            break;
        }
    }
    buffer.extend_from_slice(&digits[at..]);
}

/// What a line's reader needs to know of it.
#[derive(Debug, Deserialize)]
pub(crate) struct Head<'a> {
    v: u32,
    pub(crate) index: u64,
    #[serde(borrow)]
    pub(crate) time: &'a str,
    #[serde(borrow)]
    prev: &'a str,
    #[serde(borrow)]
    kind: &'a str,
    #[serde(borrow, default)]
    call: Option<&'a str>,
}

impl<'a> Head<'a> {
    /// Reads a line without its line feed; `None` if it is no record of this version.
    pub(crate) fn parse(line: &'a [u8]) -> Option<Self> {
        let head: Self = serde_json::from_slice(line).ok()?;
        (head.v == RECORD_VERSION && head.time.len() == stamp::LENGTH).then_some(head)
    }

    pub(crate) fn prev(&self) -> Option<Link> {
        Link::parse(self.prev)
    }

    pub(crate) fn class(&self) -> RecordClass {
        RecordClass::of(self.kind)
    }

    pub(crate) fn mark(&self) -> Mark {
        let call = self.call.and_then(|call| call.parse().ok());
        match (self.kind, call) {
            ("intent", Some(call)) => Mark::Opens(call),
            ("outcome", Some(call)) => Mark::Closes(call, None),
            _ => Mark::None,
        }
    }
}

/// What a record does to the set of open calls, and what it is counted as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// An intent.
    Opens(CallId),
    /// An outcome; read back, without its status.
    Closes(CallId, Option<Status>),
    /// The gateway's own answer.
    Local,
    /// A refusal.
    Denied,
    /// Anything else.
    None,
}

impl Mark {
    pub(crate) fn of(record: &Record<'_>) -> Self {
        match record {
            Record::Intent(intent) => Self::Opens(intent.call),
            Record::Outcome(outcome) => Self::Closes(outcome.call, Some(outcome.status)),
            Record::Local(_) => Self::Local,
            Record::Denied(_) => Self::Denied,
            _ => Self::None,
        }
    }
}

/// The calls that have an intent and no outcome yet, with the index of the intent.
#[derive(Debug, Clone, Default)]
pub(crate) struct OpenCalls(QuickMap<CallId, u64>);

impl OpenCalls {
    pub(crate) fn apply(&mut self, mark: Mark, index: u64) {
        match mark {
            Mark::Opens(call) => {
                self.0.insert(call, index);
            }
            Mark::Closes(call, _) => {
                self.0.remove(&call);
            }
            Mark::Local | Mark::Denied | Mark::None => {}
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// In the order of their intents.
    pub(crate) fn sorted(&self) -> Vec<(CallId, u64)> {
        let mut calls: Vec<_> = self.0.iter().map(|(call, index)| (*call, *index)).collect();
        calls.sort_unstable_by_key(|(_, index)| *index);
        calls
    }
}

impl FromIterator<(CallId, u64)> for OpenCalls {
    fn from_iter<I: IntoIterator<Item = (CallId, u64)>>(calls: I) -> Self {
        Self(calls.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leaf_hash;

    #[test]
    fn a_line_reads_back() {
        let mut buffer = Vec::new();
        let call = CallId::from_bits(5);
        let members = format!(r#"{{"kind":"intent","call":"{call}","more":[1,{{"index":7}}]}}"#);
        let link = Link::to(leaf_hash(b"before"));
        write(
            &mut buffer,
            18_446_744_073_709_551_615,
            b"2026-07-28T00:00:00.000042Z",
            link,
            members.as_bytes(),
        );
        let line = buffer.strip_suffix(b"\n").unwrap();
        let head = Head::parse(line).unwrap();
        assert_eq!((head.index, head.time), (u64::MAX, "2026-07-28T00:00:00.000042Z"));
        assert_eq!((head.prev(), head.mark()), (Some(link), Mark::Opens(call)));
        assert!(line.starts_with(br#"{"v":1,"index":18446744073709551615,"time":"2026-07-28T"#));
    }

    #[test]
    fn what_is_no_record_is_told() {
        let good =
            r#"{"v":1,"index":0,"time":"2026-07-28T00:00:00.000042Z","prev":"0000000000000000","kind":"x"}"#;
        assert!(Head::parse(good.as_bytes()).is_some());
        for (from, to) in [
            ("\"v\":1", "\"v\":2"),
            ("\"index\":0", "\"index\":-1"),
            (".000042", ""),
            ("\"v\":1,", ""),
            ("\"v\":1,", "\"v\":1,\"v\":1,"),
            ("}", ""),
            ("}", "}}"),
        ] {
            assert!(Head::parse(good.replace(from, to).as_bytes()).is_none(), "{from} -> {to}");
        }
    }
}
