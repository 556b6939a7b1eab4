//! What is looked for in the index, and where a piece of the answer ends.

use std::fmt;
use std::str::FromStr;

use bailiwick_model::{CallId, PrincipalId, ServerId, Timestamp};

/// What is looked for: records that fit everything that is said.
#[derive(Debug, Clone, Default)]
pub struct IndexFilter {
    /// The kind of record.
    pub kind: Option<String>,
    /// The call.
    pub call: Option<CallId>,
    /// The principal.
    pub principal: Option<Named<PrincipalId>>,
    /// The server.
    pub server: Option<Named<ServerId>>,
    /// The definition's key: the tool's name, or the URI.
    pub definition: Option<String>,
    /// `allow` or `deny`.
    pub decision: Option<String>,
    /// How it ended.
    pub status: Option<String>,
    /// Why it was refused.
    pub reason: Option<String>,
    /// W3C trace id, 32 hexadecimal digits.
    pub trace: Option<String>,
    /// The session's nonce.
    pub session: Option<String>,
    /// Words, all of which are in the request, or all in the answer.
    pub text: Option<String>,
    /// Not before this moment.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub to: Option<Timestamp>,
}

/// Something by its id, or by the name that it had then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named<I> {
    /// By id.
    Id(I),
    /// By name.
    Name(String),
}

/// A place in the order of records: by time, index and ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct IndexCursor {
    pub(super) at: Timestamp,
    pub(super) index: u64,
    pub(super) node: i64,
}

impl fmt::Display for IndexCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.at.as_micros(), self.index, self.node)
    }
}

/// A text that is no [`IndexCursor`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the `next` of an answer before")]
pub struct InvalidCursor;

impl FromStr for IndexCursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let mut parts = text.split('.');
        let mut next = || parts.next().ok_or(InvalidCursor);
        let (at, index, node) = (next()?, next()?, next()?);
        if parts.next().is_some() {
            return Err(InvalidCursor);
        }
        Ok(Self {
            at: Timestamp::from_micros(at.parse().map_err(|_| InvalidCursor)?),
            index: index.parse().map_err(|_| InvalidCursor)?,
            node: node.parse().map_err(|_| InvalidCursor)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_read_back() {
        let cursor = IndexCursor { at: Timestamp::from_micros(1_785_196_800_000_042), index: 7, node: 2 };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for wrong in ["", "1.2", "1.2.3.4", "a.b.c", "1.-2.3", "1.2.3' OR 1"] {
            assert_eq!(wrong.parse::<IndexCursor>(), Err(InvalidCursor), "{wrong}");
        }
    }
}
