//! Messages from clients, parsed once and strictly, borrowing from the body.
//!
//! [`Envelope::parse`] is the only way in: one scan checks the whole body and notes where `id`, `method`, the members of
//! `params` and of `params._meta` stand, so that policy and the server see the same values (DESIGN.md invariant 3).
//! Called by the gateway for each POST, and by upstream tests. Everything unknown stays in `raw`.

mod error;
mod id;
mod message;
mod parse;

pub use error::{ParseError, ParseErrorKind};
pub use id::{Id, RawId};
pub use message::{Message, Notification, Params, Request, Response};

/// What a message may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole body.
    pub max_bytes: usize,
    /// Arrays and objects that may be open at once.
    pub max_depth: u8,
    /// Bytes of an id as it stands, with its quotes.
    pub max_id_bytes: usize,
    /// Messages of a batch; 0 where batches are not allowed (every era but 2025-03-26).
    pub max_batch: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_bytes: 4 << 20, max_depth: 64, max_id_bytes: 256, max_batch: 0 }
    }
}

impl Limits {
    /// The same limits with batches of up to `max_batch` messages allowed.
    #[must_use]
    pub fn with_batches(self, max_batch: usize) -> Self {
        Self { max_batch, ..self }
    }
}

/// The entry point for client bodies.
#[derive(Debug)]
pub struct Envelope;

impl Envelope {
    /// Parses the body of a client's POST: one full, strict scan.
    ///
    /// # Errors
    /// [`ParseError`], which knows its JSON-RPC code, HTTP status, and the id if that could be read.
    pub fn parse<'a>(body: &'a [u8], limits: &Limits) -> Result<Message<'a>, ParseError> {
        parse::message(body, limits)
    }
}
