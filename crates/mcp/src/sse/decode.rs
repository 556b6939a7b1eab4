//! The incremental decoder.

use std::collections::VecDeque;

/// What one stream may make us hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// Bytes of one line.
    pub max_line: usize,
    /// Bytes of the data of one event.
    pub max_event: usize,
}

impl Default for Caps {
    fn default() -> Self {
        Self { max_line: 4 << 20, max_event: 4 << 20 }
    }
}

/// Why a stream cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SseError {
    /// A line is longer than allowed.
    #[error("a line of the stream is longer than {max} bytes")]
    LineTooLong {
        /// The cap in bytes.
        max: usize,
    },
    /// The data of an event is larger than allowed.
    #[error("an event of the stream is larger than {max} bytes")]
    EventTooLarge {
        /// The cap in bytes.
        max: usize,
    },
    /// An id, event name or comment is not UTF-8.
    #[error("the stream is not valid UTF-8")]
    Utf8,
}

/// One event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// `id` of this event; ids with NUL are ignored.
    pub id: Option<String>,
    /// `event`; absent means `message`. Names with NUL are ignored like such ids.
    pub event: Option<String>,
    /// `data`, its lines joined by line feeds; `None` if there was no data line. Not checked to be UTF-8.
    pub data: Option<Vec<u8>>,
    /// `retry` in milliseconds.
    pub retry: Option<u64>,
}

/// What a stream gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A block of fields that ended with an empty line.
    Event(Event),
    /// A comment line without its colon.
    Comment(String),
}

/// Decodes a stream of bytes, cut anywhere.
#[derive(Debug, Default)]
pub struct Decoder {
    caps: Caps,
    /// A line whose end has not arrived.
    partial: Vec<u8>,
    /// The last chunk ended with CR: a LF at the start of the next belongs to it.
    after_cr: bool,
    /// The first line is behind: no byte order mark any more.
    started: bool,
    event: Event,
    ready: VecDeque<Item>,
}

impl Decoder {
    /// A decoder for a new stream.
    pub fn new(caps: Caps) -> Self {
        Self { caps, ..Self::default() }
    }

    /// Takes the next bytes. Items that are complete by now can be taken with [`Decoder::pop`], also after an error.
    ///
    /// # Errors
    /// [`SseError`] if a cap is exceeded or a field is not UTF-8; the stream must be given up then.
    pub fn push(&mut self, mut chunk: &[u8]) -> Result<(), SseError> {
        if std::mem::take(&mut self.after_cr) && !chunk.is_empty() {
            chunk = chunk.strip_prefix(b"\n").unwrap_or(chunk);
        }
        while let Some(end) = memchr::memchr2(b'\n', b'\r', chunk) {
            let (line, rest) = (&chunk[..end], &chunk[end..]);
            if self.partial.is_empty() {
                self.check_line(line.len())?;
                self.line(line)?;
            } else {
                self.check_line(self.partial.len() + line.len())?;
                self.partial.extend_from_slice(line);
                let whole = std::mem::take(&mut self.partial);
                self.line(&whole)?;
            }
            chunk = match rest {
                [b'\r', b'\n', after @ ..] => after,
                [b'\r'] => {
                    self.after_cr = true;
                    &[]
                }
                [_, after @ ..] => after,
                [] => &[],
            };
        }
        self.check_line(self.partial.len() + chunk.len())?;
        self.partial.extend_from_slice(chunk);
        Ok(())
    }

    /// The next item, if one is complete. An event that the stream's end cuts off is never given.
    pub fn pop(&mut self) -> Option<Item> {
        self.ready.pop_front()
    }

    fn check_line(&self, len: usize) -> Result<(), SseError> {
        if len > self.caps.max_line { Err(SseError::LineTooLong { max: self.caps.max_line }) } else { Ok(()) }
    }

    fn line(&mut self, mut line: &[u8]) -> Result<(), SseError> {
        if !std::mem::replace(&mut self.started, true) {
            line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        }
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            if event != Event::default() {
                self.ready.push_back(Item::Event(event));
            }
            return Ok(());
        }
        let (name, value) = match memchr::memchr(b':', line) {
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, &[][..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match name {
            b"" => self.ready.push_back(Item::Comment(utf8(value)?)),
            b"data" => self.data(value)?,
            b"event" if !value.contains(&0) => self.event.event = Some(utf8(value)?),
            b"id" if !value.contains(&0) => self.event.id = Some(utf8(value)?),
            b"retry" if !value.is_empty() && value.iter().all(u8::is_ascii_digit) => {
                // A number that does not fit is ignored like any other malformed one.
                self.event.retry = utf8(value)?.parse().ok().or(self.event.retry);
            }
            _ => {}
        }
        Ok(())
    }

    fn data(&mut self, value: &[u8]) -> Result<(), SseError> {
        let max = self.caps.max_event;
        let held = self.event.data.as_ref().map_or(0, |data| data.len() + 1);
        if held + value.len() > max {
            return Err(SseError::EventTooLarge { max });
        }
        match &mut self.event.data {
            Some(data) => {
                data.push(b'\n');
                data.extend_from_slice(value);
            }
            none => *none = Some(value.to_vec()),
        }
        Ok(())
    }
}

fn utf8(bytes: &[u8]) -> Result<String, SseError> {
    simdutf8::basic::from_utf8(bytes).map(str::to_owned).map_err(|_| SseError::Utf8)
}
