//! The strict scanner: one pass over a client's body that refuses everything two readers could read differently.
//!
//! It checks the JSON grammar (RFC 8259), refuses duplicate keys after unescaping, lone surrogates and trailing
//! bytes, and bounds the depth. Whoever calls it says per object which members it wants to see; see
//! [`Scanner::object_with`]. SECURITY: "One strict parse". UTF-8 is checked before, for the whole body at once.

mod keys;
mod number;

use std::borrow::Cow;

use self::keys::Keys;
use super::text;

/// Why a text is not acceptable JSON; `at` is the byte offset where it was noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SyntaxError {
    /// A byte that the grammar does not allow here, or the end of the text.
    #[error("unexpected byte or end of text at offset {at}")]
    Unexpected {
        /// Byte offset.
        at: usize,
    },
    /// A malformed escape in a string.
    #[error("malformed escape at offset {at}")]
    Escape {
        /// Byte offset.
        at: usize,
    },
    /// Half of a surrogate pair alone.
    #[error("lone surrogate at offset {at}")]
    LoneSurrogate {
        /// Byte offset.
        at: usize,
    },
    /// Something follows the value.
    #[error("trailing bytes at offset {at}")]
    Trailing {
        /// Byte offset.
        at: usize,
    },
    /// Two members of one object have the same name.
    #[error("duplicate member name in the object that ends at offset {at}")]
    DuplicateKey {
        /// Byte offset.
        at: usize,
    },
    /// More nested arrays and objects than allowed.
    #[error("nested too deeply at offset {at}")]
    TooDeep {
        /// Byte offset.
        at: usize,
    },
}

type Result<T> = std::result::Result<T, SyntaxError>;

/// Checks that `text` is exactly one strict JSON value, nested at most `max_depth` arrays and objects deep.
///
/// # Errors
/// The first violation that is found.
pub fn validate(text: &str, max_depth: u8) -> Result<()> {
    let mut scanner = Scanner::new(text, max_depth);
    scanner.space();
    scanner.value(0)?;
    scanner.end()
}

/// A cursor over a text that is known to be UTF-8.
pub(crate) struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    pos: usize,
    max_depth: u8,
    keys: Keys<'a>,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str, max_depth: u8) -> Self {
        Self { text, bytes: text.as_bytes(), pos: 0, max_depth, keys: Keys::new() }
    }

    pub(crate) fn pos(&self) -> usize {
        self.pos
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.pos).copied()
    }

    /// The text from `from` to the cursor; both stand before or after an ASCII byte, never inside a character.
    pub(crate) fn since(&self, from: usize) -> &'a str {
        self.text.get(from..self.pos).unwrap_or_default()
    }

    pub(crate) fn unexpected<T>(&self) -> Result<T> {
        Err(SyntaxError::Unexpected { at: self.pos })
    }

    #[inline]
    pub(crate) fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.pos += 1;
        }
    }

    /// The end of the text, after optional white space.
    pub(crate) fn end(&mut self) -> Result<()> {
        self.space();
        if self.pos == self.bytes.len() { Ok(()) } else { Err(SyntaxError::Trailing { at: self.pos }) }
    }

    /// Scans any value. `depth` is the number of arrays and objects that are open around it.
    // Recursion is bounded by the type of `max_depth`: 255 small frames.
    pub(crate) fn value(&mut self, depth: u8) -> Result<()> {
        match self.peek() {
            Some(b'"') => self.string().map(drop),
            Some(b'{') => self.object_with(depth, |scanner, _, _| scanner.value(depth + 1)),
            Some(b'[') => self.array_with(depth, |scanner| scanner.value(depth + 1)),
            Some(b't') => self.literal(b"true"),
            Some(b'f') => self.literal(b"false"),
            Some(b'n') => self.literal(b"null"),
            Some(b'-' | b'0'..=b'9') => {
                self.pos = number::end(self.bytes, self.pos)?;
                Ok(())
            }
            _ => self.unexpected(),
        }
    }

    fn literal(&mut self, word: &'static [u8]) -> Result<()> {
        if self.bytes[self.pos..].starts_with(word) {
            self.pos += word.len();
            Ok(())
        } else {
            self.unexpected()
        }
    }

    /// Scans a string; answers what stands between the quotes, and whether it holds escapes.
    #[inline]
    fn string(&mut self) -> Result<(&'a str, bool)> {
        let start = self.pos + 1;
        let mut at = start;
        let mut escaped = false;
        loop {
            at = text::find_special(self.bytes, at);
            match self.bytes.get(at) {
                Some(b'"') => {
                    self.pos = at;
                    let inner = self.since(start);
                    self.pos = at + 1;
                    return Ok((inner, escaped));
                }
                Some(b'\\') => {
                    escaped = true;
                    at = text::check_escape(self.bytes, at)?;
                }
                _ => return Err(SyntaxError::Unexpected { at }),
            }
        }
    }

    /// Scans a member name; answers it decoded.
    #[inline]
    fn key(&mut self) -> Result<Cow<'a, str>> {
        if self.peek() != Some(b'"') {
            return self.unexpected();
        }
        match self.string()? {
            (inner, false) => Ok(Cow::Borrowed(inner)),
            (inner, true) => text::decode(inner),
        }
    }

    fn descend(&self, depth: u8) -> Result<()> {
        if depth >= self.max_depth { Err(SyntaxError::TooDeep { at: self.pos }) } else { Ok(()) }
    }

    /// Scans an object; `on_value` gets each name with its offset and has to scan the value.
    #[inline]
    pub(crate) fn object_with(
        &mut self,
        depth: u8,
        mut on_value: impl FnMut(&mut Self, &Cow<'a, str>, usize) -> Result<()>,
    ) -> Result<()> {
        self.descend(depth)?;
        self.pos += 1;
        self.space();
        if self.peek() == Some(b'}') {
            self.pos += 1;
            return Ok(());
        }
        let mark = self.keys.mark();
        loop {
            let key_start = self.pos;
            let key = self.key()?;
            self.space();
            if self.peek() != Some(b':') {
                return self.unexpected();
            }
            self.pos += 1;
            self.space();
            if !self.keys.add(mark, key.clone()) {
                return Err(SyntaxError::DuplicateKey { at: self.pos });
            }
            on_value(self, &key, key_start)?;
            self.space();
            match self.peek() {
                Some(b',') => {
                    self.pos += 1;
                    self.space();
                }
                Some(b'}') => break,
                _ => return self.unexpected(),
            }
        }
        self.pos += 1;
        if self.keys.close(mark) { Ok(()) } else { Err(SyntaxError::DuplicateKey { at: self.pos }) }
    }

    /// Scans an array; `on_item` has to scan each item.
    #[inline]
    pub(crate) fn array_with(
        &mut self,
        depth: u8,
        mut on_item: impl FnMut(&mut Self) -> Result<()>,
    ) -> Result<()> {
        self.descend(depth)?;
        self.pos += 1;
        self.space();
        if self.peek() == Some(b']') {
            self.pos += 1;
            return Ok(());
        }
        loop {
            on_item(self)?;
            self.space();
            match self.peek() {
                Some(b',') => {
                    self.pos += 1;
                    self.space();
                }
                Some(b']') => break,
                _ => return self.unexpected(),
            }
        }
        self.pos += 1;
        Ok(())
    }
}
