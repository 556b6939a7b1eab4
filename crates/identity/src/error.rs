//! Why a request is not let in: one variant per cause, each with a stable reason for the ledger.
//!
//! The client learns no more than RFC 6750 allows: every bad key is `invalid_token`. The reason, which tells
//! a revoked key from an invented one, goes to the ledger only.

use http::StatusCode;

/// A request does not show who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum AuthError {
    /// No `Authorization` header.
    #[error("no credential: send `Authorization: Bearer <key>`")]
    Missing,
    /// More than one `Authorization` header: two readers could disagree on who is calling.
    #[error("more than one Authorization header")]
    Ambiguous,
    /// Another scheme than Bearer.
    #[error("the Authorization header is not `Bearer <key>`")]
    NotBearer,
    /// A token in the query string, where logs and referrers would keep it.
    #[error("a credential does not belong into the query string")]
    InQuery,
    /// Not the shape of a key.
    #[error("the credential is not valid")]
    Malformed,
    /// No such key, or not its secret.
    #[error("the credential is not valid")]
    Unknown,
    /// The key was revoked.
    #[error("the credential is not valid")]
    Revoked,
    /// The key has ended.
    #[error("the credential is not valid")]
    Expired,
    /// The principal is switched off.
    #[error("the credential is not valid")]
    Disabled,
    /// An MCP key at the admin API, or the reverse.
    #[error("the credential is not valid")]
    WrongAudience,
}

impl AuthError {
    /// The stable word for it in the ledger and in metrics.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Ambiguous => "ambiguous",
            Self::NotBearer => "not_bearer",
            Self::InQuery => "token_in_query",
            Self::Malformed => "malformed",
            Self::Unknown => "unknown_key",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::Disabled => "principal_disabled",
            Self::WrongAudience => "wrong_audience",
        }
    }

    /// The status of the answer.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Ambiguous => StatusCode::BAD_REQUEST,
            _ => StatusCode::UNAUTHORIZED,
        }
    }

    /// The `error` parameter of the challenge (RFC 6750 section 3.1): none if nothing was shown at all.
    pub const fn code(self) -> Option<&'static str> {
        match self {
            Self::Missing => None,
            Self::Ambiguous | Self::InQuery | Self::NotBearer => Some("invalid_request"),
            _ => Some("invalid_token"),
        }
    }
}
