//! Small documents for the control plane: keys, metadata, discovery. Bounded in size and time.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use url::Url;

use super::{Outbound, OutboundError};

impl Outbound {
    /// The answer to a GET, with its whole body of at most `max_bytes`, within `timeout`. Whatever the
    /// status; redirects are not followed.
    ///
    /// # Errors
    /// As [`Outbound::request`], or the body is too large, or all of it took too long. A URL with a user or
    /// password is refused.
    pub async fn get_small(
        &self,
        url: &Url,
        max_bytes: usize,
        timeout: Duration,
    ) -> Result<Response<Bytes>, OutboundError> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(OutboundError::Url);
        }
        let mut url = url.clone();
        url.set_fragment(None);
        let request = Request::get(url.as_str()).body(Bytes::new()).map_err(|_| OutboundError::Url)?;
        self.send_small(request, max_bytes, timeout).await
    }

    /// Any request whose answer is small; as [`Outbound::get_small`].
    ///
    /// # Errors
    /// As [`Outbound::get_small`].
    pub async fn send_small(
        &self,
        request: Request<Bytes>,
        max_bytes: usize,
        timeout: Duration,
    ) -> Result<Response<Bytes>, OutboundError> {
        tokio::time::timeout(timeout, self.collect(request, max_bytes))
            .await
            .unwrap_or(Err(OutboundError::Timeout(timeout)))
    }

    /// Posts a small document; tells the answer's status, whose body is not read.
    ///
    /// # Errors
    /// As [`Outbound::get_small`].
    pub async fn post_small(
        &self,
        url: &Url,
        content_type: &'static str,
        body: Vec<u8>,
        timeout: Duration,
    ) -> Result<StatusCode, OutboundError> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(OutboundError::Url);
        }
        let request = Request::post(url.as_str()).header(CONTENT_TYPE, content_type);
        let request = request.body(Bytes::from(body)).map_err(|_| OutboundError::Url)?;
        let answer = tokio::time::timeout(timeout, self.request(request)).await;
        Ok(answer.unwrap_or(Err(OutboundError::Timeout(timeout)))?.status())
    }

    async fn collect(
        &self,
        request: Request<Bytes>,
        max_bytes: usize,
    ) -> Result<Response<Bytes>, OutboundError> {
        let (head, body) = self.request(request).await?.into_parts();
        match Limited::new(body, max_bytes).collect().await {
            Ok(body) => Ok(Response::from_parts(head, body.to_bytes())),
            Err(error) if error.is::<LengthLimitError>() => Err(OutboundError::TooLarge(max_bytes)),
            Err(source) => Err(OutboundError::Broken { sent: true, source }),
        }
    }
}
