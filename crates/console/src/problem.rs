//! The one place where errors become answers: problem details (RFC 9457) with a stable `reason`.
//!
//! What is internal goes to the log and not into the answer.

use std::error::Error;

use axum::Json;
use axum::response::{IntoResponse, Response};
use bailiwick_control::ControlError;
use bailiwick_identity::{AuthError, ForeignRequest};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};

use crate::wire::ProblemDetails;

/// An answer that is no result.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    reason: &'static str,
    detail: String,
    field: Option<String>,
}

impl Problem {
    fn new(status: StatusCode, reason: &'static str, detail: impl Into<String>) -> Self {
        Self { status, reason, detail: detail.into(), field: None }
    }

    /// The request says something that cannot be.
    pub(crate) fn invalid(field: impl Into<String>, detail: impl Into<String>) -> Self {
        let field = Some(field.into());
        Self { field, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail) }
    }

    /// The request could not be read.
    pub(crate) fn unreadable(status: StatusCode, detail: impl Into<String>) -> Self {
        Self::new(status, "unreadable", detail)
    }

    pub(crate) fn auth(error: AuthError) -> Self {
        // Bad keys all read the same: which kind of bad it was is in the ledger.
        Self::new(error.status(), error.code().unwrap_or("no_credential"), error.to_string())
    }

    pub(crate) fn foreign(foreign: ForeignRequest) -> Self {
        Self::new(StatusCode::FORBIDDEN, foreign.reason(), foreign.to_string())
    }

    pub(crate) fn member() -> Self {
        let detail = "the admin API is for users with the role `auditor` or `admin`";
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    pub(crate) fn no_such_route() -> Self {
        Self::new(StatusCode::NOT_FOUND, "no_such_route", "there is no such route; see /api/openapi.json")
    }

    pub(crate) fn wrong_method() -> Self {
        let detail = "this route has other methods; see /api/openapi.json";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "wrong_method", detail)
    }
}

impl From<ControlError> for Problem {
    fn from(error: ControlError) -> Self {
        let detail = error.to_string();
        match error {
            ControlError::Forbidden { .. } => Self::new(StatusCode::FORBIDDEN, "forbidden", detail),
            ControlError::NotFound { .. } => Self::new(StatusCode::NOT_FOUND, "not_found", detail),
            ControlError::Conflict(_) => Self::new(StatusCode::CONFLICT, "conflict", detail),
            ControlError::Invalid { field, problem } => Self::invalid(field, problem),
            ControlError::AuditUnavailable(_) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "audit_unavailable", detail)
            }
            ControlError::Unavailable(source) => {
                tracing::warn!(error = chain(&source), "the database is not available");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
            }
            ControlError::Internal(source) => {
                tracing::error!(error = chain(&*source), "an admin request failed");
                let detail = "something went wrong; the gateway's log says what";
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
            }
        }
    }
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let details = ProblemDetails {
            r#type: "about:blank".to_owned(),
            title: self.status.canonical_reason().unwrap_or_default().to_owned(),
            status: self.status.as_u16(),
            reason: self.reason.to_owned(),
            detail: self.detail,
            field: self.field,
        };
        let mut response = (self.status, Json(details)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("2"));
        }
        response
    }
}
