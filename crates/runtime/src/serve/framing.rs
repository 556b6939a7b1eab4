//! Follows the framing of HTTP/1.1 requests in the bytes of a connection and refuses what two parsers
//! could read differently (RFC 9112 sections 6.3 and 11.2: request smuggling). hyper alone would take
//! `Content-Length` together with `Transfer-Encoding`, repeated equal lengths and bare line feeds, and drops the
//! evidence before a service sees the request.
//!
//! A refused byte is overwritten with NUL, which no parser of a head or of a chunk accepts: hyper answers
//! 400 by its own means and closes. Nothing is copied but lines that are cut by the end of a read.

/// Longest line that is looked into; longer ones are none of those that matter.
const MAX_KEPT: usize = 256;

/// What the connection is in the middle of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Between requests.
    Idle,
    /// In a request's head.
    Head,
    /// In a request's body.
    Body,
    /// Past something refused.
    Refused,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// At the beginning of or in a line of the head.
    Head,
    /// In a body of known length, so many bytes before its end.
    Sized(u64),
    /// In the line of a chunk's size.
    ChunkSize { size: u64, digits: u8, extension: bool, cr: bool },
    /// In a chunk's data, so many bytes before its end.
    ChunkData(u64),
    /// In the line break after a chunk's data.
    ChunkEnd { cr: bool },
    /// In the lines after the last chunk.
    Trailer,
    /// Everything from here on is refused.
    Refused,
}

/// Something that no honest client sends.
#[derive(Debug, PartialEq, Eq)]
struct Bad;

/// The state of one connection's framing.
#[derive(Debug)]
pub(super) struct Framing {
    state: State,
    /// Whether the request line of the current head was seen.
    started: bool,
    length: Option<u64>,
    chunked: bool,
    /// The beginning of a line whose end was not read yet, at most `MAX_KEPT + 1` bytes.
    kept: Vec<u8>,
    /// The last byte of that beginning, kept or not.
    last: u8,
}

impl Framing {
    pub(super) fn new() -> Self {
        Self { state: State::Head, started: false, length: None, chunked: false, kept: Vec::new(), last: 0 }
    }

    pub(super) fn phase(&self) -> Phase {
        match self.state {
            State::Head if !self.started && self.kept.is_empty() => Phase::Idle,
            State::Head => Phase::Head,
            State::Refused => Phase::Refused,
            _ => Phase::Body,
        }
    }

    /// Follows the next bytes of the connection; overwrites them from the first bad one on.
    pub(super) fn follow(&mut self, bytes: &mut [u8]) {
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            match self.step(rest) {
                Ok(taken) => at += taken,
                Err(offset) => {
                    self.state = State::Refused;
                    bytes[at + offset..].fill(0);
                    return;
                }
            }
        }
    }

    /// Takes some bytes (at least one); `Err` says which of them is bad.
    fn step(&mut self, bytes: &[u8]) -> Result<usize, usize> {
        match self.state {
            State::Head | State::Trailer => self.line(bytes),
            State::Sized(left) => {
                let (taken, left) = skip(bytes, left);
                self.state = if left == 0 { State::Head } else { State::Sized(left) };
                Ok(taken)
            }
            State::ChunkData(left) => {
                let (taken, left) = skip(bytes, left);
                self.state = if left == 0 { State::ChunkEnd { cr: false } } else { State::ChunkData(left) };
                Ok(taken)
            }
            State::ChunkSize { .. } | State::ChunkEnd { .. } => {
                let byte = *bytes.first().ok_or(0usize)?;
                self.state = self.chunk_byte(byte).map_err(|Bad| 0usize)?;
                Ok(1)
            }
            State::Refused => Err(0),
        }
    }

    fn line(&mut self, bytes: &[u8]) -> Result<usize, usize> {
        let Some(end) = memchr::memchr(b'\n', bytes) else {
            self.keep(bytes);
            return Ok(bytes.len());
        };
        let judged = if self.kept.is_empty() {
            self.judge(&bytes[..end])
        } else {
            self.keep(&bytes[..end]);
            let (whole, last) = (std::mem::take(&mut self.kept), self.last);
            if whole.len() > MAX_KEPT { self.judge_overlong(&whole, last) } else { self.judge(&whole) }
        };
        judged.map(|()| end + 1).map_err(|Bad| end)
    }

    fn keep(&mut self, part: &[u8]) {
        let room = (MAX_KEPT + 1).saturating_sub(self.kept.len());
        self.kept.extend_from_slice(&part[..part.len().min(room)]);
        if let Some(last) = part.last() {
            self.last = *last;
        }
    }

    /// A whole line without its line feed.
    fn judge(&mut self, line: &[u8]) -> Result<(), Bad> {
        let line = line.strip_suffix(b"\r").ok_or(Bad)?;
        match (self.state, line.is_empty()) {
            (State::Trailer, true) => self.state = State::Head,
            (State::Trailer, false) => {}
            // Blank lines before a request line are skipped (RFC 9112 section 2.2).
            (_, true) if !self.started => {}
            (_, true) => self.end_of_head()?,
            (_, false) if !self.started => self.request_line(line)?,
            (_, false) => self.header(line)?,
        }
        Ok(())
    }

    /// A line too long to be one that matters, unless it pretends to.
    fn judge_overlong(&mut self, start: &[u8], last: u8) -> Result<(), Bad> {
        if last != b'\r' {
            return Err(Bad);
        }
        if self.state == State::Head && !self.started {
            return self.request_line(start);
        }
        if self.state == State::Head && matches!(name_of(start), Name::Length | Name::Encoding | Name::Folded)
        {
            return Err(Bad);
        }
        Ok(())
    }

    /// Tunnels are not offered, and after CONNECT the bytes would be no requests any more.
    fn request_line(&mut self, line: &[u8]) -> Result<(), Bad> {
        if line.starts_with(b"CONNECT ") {
            return Err(Bad);
        }
        self.started = true;
        Ok(())
    }

    fn header(&mut self, line: &[u8]) -> Result<(), Bad> {
        match name_of(line) {
            Name::Other => Ok(()),
            Name::Folded => Err(Bad),
            Name::Length if self.length.is_some() => Err(Bad),
            Name::Length => {
                self.length = Some(decimal(value_of(line)).ok_or(Bad)?);
                Ok(())
            }
            Name::Encoding if self.chunked => Err(Bad),
            Name::Encoding if value_of(line).eq_ignore_ascii_case(b"chunked") => {
                self.chunked = true;
                Ok(())
            }
            Name::Encoding => Err(Bad),
        }
    }

    fn end_of_head(&mut self) -> Result<(), Bad> {
        self.started = false;
        let chunked = std::mem::take(&mut self.chunked);
        self.state = match (self.length.take(), chunked) {
            (Some(_), true) => return Err(Bad),
            (None, true) => chunk_size(),
            (Some(0) | None, false) => State::Head,
            (Some(length), false) => State::Sized(length),
        };
        Ok(())
    }

    fn chunk_byte(&mut self, byte: u8) -> Result<State, Bad> {
        match (self.state, byte) {
            (State::ChunkEnd { cr: false }, b'\r') => Ok(State::ChunkEnd { cr: true }),
            (State::ChunkEnd { cr: true }, b'\n') => Ok(chunk_size()),
            (State::ChunkSize { size, digits: 1.., cr: true, .. }, b'\n') => {
                Ok(if size == 0 { State::Trailer } else { State::ChunkData(size) })
            }
            (State::ChunkSize { size, digits: digits @ 1.., extension, cr: false }, b'\r') => {
                Ok(State::ChunkSize { size, digits, extension, cr: true })
            }
            (State::ChunkSize { size, digits: digits @ 1.., extension: false, cr: false }, b';') => {
                Ok(State::ChunkSize { size, digits, extension: true, cr: false })
            }
            (State::ChunkSize { extension: true, cr: false, .. }, b'\t' | b' '..=b'~' | 0x80..) => {
                Ok(self.state)
            }
            (State::ChunkSize { size, digits: digits @ 0..15, extension: false, cr: false }, byte) => {
                let digit = char::from(byte).to_digit(16).ok_or(Bad)?;
                Ok(State::ChunkSize {
                    size: size * 16 + u64::from(digit),
                    digits: digits + 1,
                    extension: false,
                    cr: false,
                })
            }
            _ => Err(Bad),
        }
    }
}

fn chunk_size() -> State {
    State::ChunkSize { size: 0, digits: 0, extension: false, cr: false }
}

fn skip(bytes: &[u8], left: u64) -> (usize, u64) {
    let taken = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
    (taken, left - taken as u64)
}

/// The header names that matter here.
enum Name {
    Length,
    Encoding,
    /// No name at all: a line that continues the one before (obs-fold).
    Folded,
    Other,
}

fn name_of(line: &[u8]) -> Name {
    match line.first() {
        Some(b' ' | b'\t') => return Name::Folded,
        Some(b'c' | b'C' | b't' | b'T') => {}
        _ => return Name::Other,
    }
    let name = line.split(|byte| *byte == b':').next().unwrap_or_default().trim_ascii_end();
    if name.eq_ignore_ascii_case(b"content-length") {
        Name::Length
    } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
        Name::Encoding
    } else {
        Name::Other
    }
}

fn value_of(line: &[u8]) -> &[u8] {
    let colon = line.iter().position(|byte| *byte == b':').map_or(line.len(), |at| at + 1);
    line[colon..].trim_ascii()
}

fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    digits.iter().try_fold(0u64, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u64::from(byte - b'0')))
}

#[cfg(test)]
mod tests;
