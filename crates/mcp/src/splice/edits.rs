//! A list of replaced ranges, applied in one copy.

use std::borrow::Cow;
use std::ops::Range;

use crate::json::Malformed;

/// Why a message cannot be spliced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpliceError {
    /// Two edits want the same bytes, or bytes that do not exist.
    #[error("edits overlap or lie outside of the message at offset {at}")]
    Overlap {
        /// Byte offset.
        at: usize,
    },
    /// The part to change cannot be read.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The message lacks the part to change (say, a result in an error).
    #[error("the message has no {0} to change")]
    Missing(&'static str),
}

/// Replacements by byte range. Insertions at one place keep the order in which they were added.
#[derive(Debug, Clone, Default)]
pub struct Edits<'e> {
    list: Vec<(Range<usize>, Cow<'e, [u8]>)>,
}

impl<'e> Edits<'e> {
    /// No edits.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Puts `with` in the place of `range`.
    pub fn replace(&mut self, range: Range<usize>, with: impl Into<Cow<'e, [u8]>>) {
        self.list.push((range, with.into()));
    }

    /// Puts `bytes` before the byte at `at`.
    pub fn insert(&mut self, at: usize, bytes: impl Into<Cow<'e, [u8]>>) {
        self.replace(at..at, bytes);
    }

    /// Takes `range` away.
    pub fn remove(&mut self, range: Range<usize>) {
        self.replace(range, Cow::Borrowed(&[][..]));
    }

    /// Writes `body` with all edits.
    ///
    /// # Errors
    /// [`SpliceError::Overlap`] if two edits overlap or one lies outside of `body`.
    pub fn apply(&self, body: &[u8]) -> Result<Vec<u8>, SpliceError> {
        let mut order: Vec<&(Range<usize>, Cow<'e, [u8]>)> = self.list.iter().collect();
        order.sort_by_key(|(range, _)| (range.start, range.end));
        let added: usize = order.iter().map(|(_, with)| with.len()).sum();
        let mut out = Vec::with_capacity(body.len() + added);
        let mut copied = 0;
        for (range, with) in order {
            let kept = body.get(copied..range.start).ok_or(SpliceError::Overlap { at: range.start })?;
            if range.end < range.start || range.end > body.len() {
                return Err(SpliceError::Overlap { at: range.start });
            }
            out.extend_from_slice(kept);
            out.extend_from_slice(with);
            copied = range.end;
        }
        out.extend_from_slice(&body[copied..]);
        Ok(out)
    }
}
