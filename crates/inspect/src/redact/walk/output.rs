//! Where the walk is in input and output.

use super::{Halt, Walk};
use crate::Kind;
use crate::redact::lex;

impl Walk<'_> {
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.pos).copied()
    }

    pub(super) fn expect(&mut self, byte: u8) -> Result<(), Halt> {
        if self.peek() != Some(byte) {
            return Err(Halt::NotJson);
        }
        self.pos += 1;
        Ok(())
    }

    /// Steps over white space.
    pub(super) fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.pos += 1;
        }
    }

    /// The length of the output so far.
    pub(super) const fn len(&self) -> usize {
        self.out.len() + (self.pos - self.copied)
    }

    /// Whether the output so far fits, with the brackets of `open` containers.
    pub(super) const fn fits(&self, open: usize) -> Result<(), Halt> {
        if self.len().saturating_add(open) <= self.cap { Ok(()) } else { Err(Halt::Full) }
    }

    /// How much room there is for a value here.
    pub(super) const fn room(&self) -> usize {
        self.cap.saturating_sub(self.len() + self.frames.len())
    }

    /// A value is in the output, whole.
    pub(super) fn whole(&mut self) {
        self.safe = self.len();
        if let Some(frame) = self.frames.last_mut() {
            frame.kept = true;
        }
    }

    /// Brings the output up to this place of the input.
    pub(super) fn flush(&mut self, to: usize) {
        if self.out.capacity() == 0 {
            self.out.reserve(self.text.len().min(self.cap));
        }
        self.out.push_str(self.text.get(self.copied..to).unwrap_or_default());
        self.copied = to;
    }

    /// Takes back what is behind the last whole value, and goes on from here.
    pub(super) fn rewind(&mut self) {
        if self.safe < self.out.len() {
            self.out.truncate(self.safe);
        } else {
            let to = self.copied + (self.safe - self.out.len());
            self.flush(to);
        }
        self.copied = self.pos;
    }

    /// Replaces the input between two places by a mark in quotes.
    pub(super) fn put_mark(&mut self, kind: Kind, start: usize, end: usize) {
        self.flush(start);
        self.out.push('"');
        self.out.push_str(kind.mark());
        self.out.push('"');
        (self.pos, self.copied) = (end, end);
        self.cleaner.counts.add(kind);
    }

    /// Replaces the value here by a mark, unless it is one.
    pub(super) fn replace_value(&mut self, kind: Kind) -> Result<(), Halt> {
        let end = lex::value_end(self.text.as_bytes(), self.pos).ok_or(Halt::NotJson)?;
        if self.text[self.pos..end].trim_matches('"') == kind.mark() {
            self.pos = end;
        } else {
            self.put_mark(kind, self.pos, end);
        }
        Ok(())
    }

    /// The whole output, if it is not the input.
    pub(super) fn finish(&mut self) -> Option<String> {
        if self.copied == 0 {
            return None;
        }
        self.flush(self.pos);
        Some(std::mem::take(&mut self.out))
    }

    /// The output up to the last whole value, with what is open closed.
    pub(super) fn cut(&mut self) -> String {
        self.rewind();
        while let Some(frame) = self.frames.pop() {
            self.out.push(if frame.object { '}' } else { ']' });
        }
        if self.out.trim_ascii().is_empty() {
            "null".clone_into(&mut self.out);
        }
        std::mem::take(&mut self.out)
    }
}
