//! Messages from servers: only the framing is read, the inside stays bytes.
//!
//! Answers are large and their readers parse them again, so [`frame`] checks UTF-8, balance and depth, and
//! finds `id`, `method`, `params`, `result` and `error` of the top level, at memory speed. Works on JSON bodies, on the data of
//! an SSE event and on lines of a stdio child. Called by `upstream`. What a server says is hostile (SECURITY.md).

use std::borrow::Cow;
use std::ops::Range;

use crate::envelope::{Limits, RawId};
use crate::json::{Malformed, Raw};

mod read;

/// A message from a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame<'a> {
    /// Answers one of our requests.
    Answer(Answer<'a>),
    /// Asks the client (sampling, elicitation, roots, ping; legacy eras).
    Request(FrameRequest<'a>),
    /// Tells the client something.
    Notification(FrameNotification<'a>),
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<'a> {
    /// The id of the request it answers; absent or null only in errors.
    pub id: Option<RawId<'a>>,
    /// The result or the error.
    pub outcome: Outcome<'a>,
    pub(crate) raw: &'a str,
    pub(crate) id_start: usize,
}

impl<'a> Answer<'a> {
    /// The message as it stands.
    pub fn raw(&self) -> &'a [u8] {
        self.raw.as_bytes()
    }

    /// The result, if it is one.
    pub fn result(&self) -> Option<Raw<'a>> {
        match self.outcome {
            Outcome::Result(raw) => Some(raw),
            Outcome::Error(_) => None,
        }
    }
}

/// Where the parts of an answer with a result stand in its bytes: whoever gets the bytes next need not look for them
/// again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spots {
    message: Range<usize>,
    id: Range<usize>,
    result: Range<usize>,
}

impl<'a> Answer<'a> {
    /// Where its parts stand in `whole`, the bytes that it was read from; none if it is an error.
    pub fn spots(&self, whole: &[u8]) -> Option<Spots> {
        let start = (self.raw.as_ptr() as usize).checked_sub(whole.as_ptr() as usize)?;
        let (id, result) = (self.id?, self.result()?);
        let message = start..start + self.raw.len();
        let id = self.id_start..self.id_start + id.as_str().len();
        (message.end <= whole.len()).then(|| Spots { message, id, result: result.range() })
    }

    /// The answer that was read from these bytes.
    pub fn at(whole: &'a [u8], spots: &Spots) -> Option<Self> {
        let raw = simdutf8::basic::from_utf8(whole.get(spots.message.clone())?).ok()?;
        Some(Self {
            id: Some(RawId::new(raw.get(spots.id.clone())?)?),
            outcome: Outcome::Result(Raw::at(raw.get(spots.result.clone())?, spots.result.start)),
            raw,
            id_start: spots.id.start,
        })
    }
}

/// What an answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// It worked; always an object.
    Result(Raw<'a>),
    /// It did not.
    Error(ErrorObject<'a>),
}

/// A JSON-RPC error object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorObject<'a> {
    raw: Raw<'a>,
    code: Raw<'a>,
    message: Raw<'a>,
    data: Option<Raw<'a>>,
}

impl<'a> ErrorObject<'a> {
    /// Reads an error object; `None` unless `code` is an integer and `message` a string.
    pub fn new(raw: Raw<'a>) -> Option<Self> {
        let object = raw.object().ok()?;
        let code = object.get("code").filter(|code| code.integer().is_some())?;
        let message = object.get("message").filter(|message| message.string().is_some())?;
        Some(Self { raw, code, message, data: object.get("data") })
    }

    /// The object as it stands.
    pub fn raw(&self) -> Raw<'a> {
        self.raw
    }

    /// The code.
    pub fn code(&self) -> i64 {
        self.code.integer().unwrap_or(crate::error::INTERNAL_ERROR)
    }

    /// The code as it stands.
    pub fn code_raw(&self) -> Raw<'a> {
        self.code
    }

    /// The decoded message. Written by a peer: clean it before it is shown.
    pub fn message(&self) -> Cow<'a, str> {
        self.message.string().unwrap_or_default()
    }

    /// The message as it stands.
    pub fn message_raw(&self) -> Raw<'a> {
        self.message
    }

    /// The data as it stands.
    pub fn data(&self) -> Option<Raw<'a>> {
        self.data
    }
}

/// A request of a server to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameRequest<'a> {
    /// The server's id.
    pub id: RawId<'a>,
    /// The decoded method.
    pub method: Cow<'a, str>,
    /// The params, if present; always an object.
    pub params: Option<Raw<'a>>,
    pub(crate) raw: &'a str,
    pub(crate) id_start: usize,
}

impl<'a> FrameRequest<'a> {
    /// The message as it stands.
    pub fn raw(&self) -> &'a [u8] {
        self.raw.as_bytes()
    }
}

/// A notification of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameNotification<'a> {
    /// The decoded method.
    pub method: Cow<'a, str>,
    /// The params, if present; always an object.
    pub params: Option<Raw<'a>>,
    pub(crate) raw: &'a str,
}

impl<'a> FrameNotification<'a> {
    /// The message as it stands.
    pub fn raw(&self) -> &'a [u8] {
        self.raw.as_bytes()
    }
}

/// Why a server's bytes are no message; answered as `upstream_invalid`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// Larger than allowed.
    #[error("the server's message is larger than {max_bytes} bytes")]
    TooLarge {
        /// The limit in bytes.
        max_bytes: usize,
    },
    /// Not UTF-8.
    #[error("the server's message is not valid UTF-8")]
    Utf8,
    /// Not even coarsely JSON.
    #[error("the server's message is malformed: {0}")]
    Malformed(#[from] Malformed),
    /// JSON, but no JSON-RPC message.
    #[error("the server's message is no JSON-RPC message: {0}")]
    Shape(&'static str),
}

/// Reads the framing of one message.
///
/// # Errors
/// [`FrameError`] if it is too large, not UTF-8, malformed, or no JSON-RPC message.
pub fn frame<'a>(body: &'a [u8], limits: &Limits) -> Result<Frame<'a>, FrameError> {
    let text = read::utf8(body, limits)?;
    read::one(text, limits)
}

/// Reads the framing of a body that may be a batch (2025-03-26), of at most `limits.max_batch` messages.
///
/// # Errors
/// As [`frame`]; a batch that is empty, too long, or not allowed is an error too.
pub fn frames<'a>(body: &'a [u8], limits: &Limits) -> Result<Vec<Frame<'a>>, FrameError> {
    let text = read::utf8(body, limits)?;
    if !text.starts_with('[') {
        return Ok(vec![read::one(text, limits)?]);
    }
    if limits.max_batch == 0 {
        return Err(FrameError::Shape("batches are not part of this protocol version"));
    }
    read::batch(text, limits)
}
