//! Why a client's body is refused, and how that is said on the wire.

use super::Id;
use crate::error::{INVALID_PARAMS, INVALID_REQUEST, PARSE_ERROR, Refusal};
use crate::json::SyntaxError;

/// What is wrong with a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// The body is larger than allowed.
    #[error("the message is larger than {max_bytes} bytes")]
    TooLarge {
        /// The limit in bytes.
        max_bytes: usize,
    },
    /// The body is not UTF-8.
    #[error("the message is not valid UTF-8")]
    Utf8,
    /// The body is not strict JSON.
    #[error("{0}")]
    Syntax(#[from] SyntaxError),
    /// JSON, but no JSON-RPC message that is allowed here.
    #[error("{0}")]
    Request(&'static str),
    /// A request whose params have the wrong shape.
    #[error("{0}")]
    Params(&'static str),
}

/// A body that is refused, with the id of the request if it could be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct ParseError {
    /// What is wrong.
    #[source]
    pub kind: ParseErrorKind,
    /// The id to answer with.
    pub id: Option<Id>,
}

impl ParseError {
    pub(super) fn new(kind: impl Into<ParseErrorKind>) -> Self {
        Self { kind: kind.into(), id: None }
    }

    /// The JSON-RPC error code.
    pub fn code(&self) -> i64 {
        match self.kind {
            // The body was read far enough to know that it is JSON, or it was not read at all.
            ParseErrorKind::Syntax(SyntaxError::TooDeep { .. } | SyntaxError::DuplicateKey { .. })
            | ParseErrorKind::TooLarge { .. }
            | ParseErrorKind::Request(_) => INVALID_REQUEST,
            ParseErrorKind::Params(_) => INVALID_PARAMS,
            ParseErrorKind::Utf8 | ParseErrorKind::Syntax(_) => PARSE_ERROR,
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> http::StatusCode {
        match self.kind {
            ParseErrorKind::TooLarge { .. } => http::StatusCode::PAYLOAD_TOO_LARGE,
            _ => http::StatusCode::BAD_REQUEST,
        }
    }

    /// The same as a refusal, to be written with `self.id`.
    pub fn refusal(&self) -> Refusal {
        Refusal::new(self.code(), self.status(), self.kind.to_string())
    }
}
