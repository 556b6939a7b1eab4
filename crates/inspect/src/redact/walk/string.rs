//! Strings: values that are looked through, and keys.

use super::{Halt, Walk};
use crate::find::{Scope, Shape, Stop};
use crate::redact::output::{Encoded, quote};
use crate::redact::{MARGIN, lex};

/// With less room than this, in bytes, no part of a string is worth keeping.
const PART: usize = 8;

/// What a string says.
pub(super) struct Content<'a> {
    raw: &'a str,
    /// The meaning, if it is not what is written.
    decoded: Option<String>,
    /// Known only of a string without escapes.
    shape: Option<Shape>,
    /// Behind the closing quote; of a string that is not `whole`, nowhere.
    end: usize,
    /// Whether this is the whole string.
    whole: bool,
}

impl Content<'_> {
    pub(super) fn text(&self) -> &str {
        self.decoded.as_deref().unwrap_or(self.raw)
    }
}

impl<'a> Walk<'a> {
    /// The string that begins here, or as much of it as is worth looking at.
    fn content(&mut self) -> Result<Content<'a>, Halt> {
        let text = self.text;
        let start = self.pos + 1;
        let limit = text.floor_char_boundary(start.saturating_add(self.room()).saturating_add(MARGIN));
        let window = text.get(start..limit).ok_or(Halt::NotJson)?;
        let (shape, stop) = Shape::quoted(window.as_bytes());
        match stop {
            Stop::Quote(length) => {
                let raw = &window[..length];
                Ok(Content { raw, decoded: None, shape: Some(shape), end: start + length + 1, whole: true })
            }
            Stop::Broken if limit == text.len() => Err(Halt::NotJson),
            Stop::Broken | Stop::Escape => self.decode(window, start, limit == text.len()),
        }
    }

    fn decode(&mut self, window: &'a str, start: usize, last: bool) -> Result<Content<'a>, Halt> {
        let length = lex::string_end(window.as_bytes(), 0);
        if length.is_none() && last {
            return Err(Halt::NotJson);
        }
        let raw = &window[..length.unwrap_or(window.len())];
        let mut decoded = std::mem::take(&mut self.cleaner.decoded);
        decoded.clear();
        // Where the string goes on, the window may end inside of an escape.
        if !lex::decode(raw, &mut decoded) && length.is_some() {
            return Err(Halt::NotJson);
        }
        Ok(Content {
            raw,
            decoded: Some(decoded),
            shape: None,
            end: start + raw.len() + 1,
            whole: length.is_some(),
        })
    }

    /// Gives back the room that the string took.
    fn done(&mut self, content: Content<'a>) {
        if let Some(decoded) = content.decoded {
            self.cleaner.decoded = decoded;
        }
    }

    /// The string value here.
    pub(super) fn string(&mut self, scope: Scope) -> Result<(), Halt> {
        let content = self.content()?;
        let text = content.text();
        let room = self.room();
        let kept = if content.whole { text.len() } else { text.floor_char_boundary(room) };
        let cleaned = self.cleaner.shaped(text, kept, content.shape, scope);
        let as_it_is = cleaned.is_none() && content.whole && content.end - self.pos <= room;
        if as_it_is {
            self.pos = content.end;
        } else if room < PART {
            return Err(Halt::Full);
        } else {
            self.flush(self.pos);
            let Encoded { cut } = quote(&mut self.out, cleaned.as_deref().unwrap_or(&text[..kept]), room);
            if cut || !content.whole {
                self.safe = self.out.len();
                return Err(Halt::Full);
            }
            (self.pos, self.copied) = (content.end, content.end);
        }
        self.done(content);
        Ok(())
    }

    /// The key here, looked through like values beside it; what it means is told to `see`, which says whether the key stays as it is.
    pub(super) fn key<T>(
        &mut self,
        scope: Scope,
        see: impl FnOnce(&mut Self, &str) -> (T, bool),
    ) -> Result<T, Halt> {
        if self.peek() != Some(b'"') {
            return Err(Halt::NotJson);
        }
        let content = self.content()?;
        if !content.whole {
            return Err(Halt::Full);
        }
        let (seen, as_it_is) = see(self, content.text());
        let text = content.text();
        let cleaned =
            if as_it_is { None } else { self.cleaner.shaped(text, text.len(), content.shape, scope) };
        if let Some(cleaned) = cleaned {
            self.flush(self.pos);
            quote(&mut self.out, &cleaned, usize::MAX);
            self.copied = content.end;
        }
        self.pos = content.end;
        self.done(content);
        Ok(seen)
    }
}
