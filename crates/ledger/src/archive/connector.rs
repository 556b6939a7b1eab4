//! The library that speaks S3 sends its requests by the one outbound client: the egress guard decides each dial, TLS is
//! the house's, and redirects are not followed.

use std::time::Duration;

use async_trait::async_trait;
use bailiwick_runtime::{Outbound, OutboundError};
use http_body_util::BodyExt as _;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody,
    HttpService,
};

/// How long the head of an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, Clone)]
pub(super) struct ByOutbound(pub(super) Outbound);

impl HttpConnector for ByOutbound {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for ByOutbound {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let answer = self.0.request(http::Request::from_parts(parts, body));
        let answer = tokio::time::timeout(PATIENCE, answer)
            .await
            .map_err(|late| HttpError::new(HttpErrorKind::Timeout, late))?
            .map_err(failed)?;
        let interrupted = |error| HttpError::new(HttpErrorKind::Interrupted, error);
        Ok(answer.map(|body| HttpResponseBody::new(body.map_err(interrupted))))
    }
}

/// What is not sent for a reason that stays is not tried again.
fn failed(error: OutboundError) -> HttpError {
    let kind = match &error {
        OutboundError::Forbidden(_) | OutboundError::Url => HttpErrorKind::Unknown,
        error if error.was_sent() => HttpErrorKind::Request,
        _ => HttpErrorKind::Connect,
    };
    HttpError::new(kind, error)
}
