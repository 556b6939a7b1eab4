//! Servers over Streamable HTTP: one endpoint, every era.
//!
//! Nothing is sent but what this room builds: the protocol's headers, the trace, and the server's static headers, which
//! win. Headers, cookies and credentials of clients have no way in. Redirects are never followed.

mod ears;
mod endpoint;
mod events;
mod passage;
mod pool;
mod reply;

use std::sync::Arc;

use bailiwick_mcp::headers::{LAST_EVENT_ID, MCP_SESSION_ID};
use bailiwick_mcp::{Era, RawId};
use bailiwick_runtime::outbound::Body;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

use crate::conversation::{Conversation, Kind, Request};
use crate::upstream::Shared;
use crate::{Answer, AnswerBody, UpstreamError};

pub(crate) use endpoint::Endpoint;
use passage::Passage;
use pool::{Pool, Session};

/// One server's HTTP side.
#[derive(Debug)]
pub(crate) struct Http {
    wire: Arc<Wire>,
    pool: Pool,
}

/// What every exchange over HTTP needs.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) shared: Arc<Shared>,
    pub(crate) endpoint: Endpoint,
}

impl Http {
    pub(crate) fn new(shared: Arc<Shared>, endpoint: Endpoint) -> Self {
        Self { wire: Arc::new(Wire { shared, endpoint }), pool: Pool::default() }
    }

    /// Carries a request.
    pub(crate) async fn request(
        &self,
        conversation: &Conversation,
        request: Request<'_>,
    ) -> Result<Answer, UpstreamError> {
        let Kind::Pooled { .. } = &conversation.kind else {
            let headers = self.wire.endpoint.request_headers(conversation, &request)?;
            return self.wire.exchange(headers, &request, conversation.era).await;
        };
        // Boxed, so that the future of a session of the client's own, or of none, stays small.
        Box::pin(self.pooled(conversation, request)).await
    }

    async fn pooled(
        &self,
        conversation: &Conversation,
        request: Request<'_>,
    ) -> Result<Answer, UpstreamError> {
        let session = self.pool.session(&self.wire, conversation).await?;
        match session.request(&self.wire, conversation, &request).await? {
            Some(answer) => Ok(answer),
            // INVARIANT: 404 for a session says that the request did not run, so this is no retry of a call.
            None => {
                self.pool.drop_session(conversation, &session).await;
                let session = self.pool.session(&self.wire, conversation).await?;
                let again = session.request(&self.wire, conversation, &request).await?;
                again.ok_or(UpstreamError::Invalid("it forgets its sessions"))
            }
        }
    }

    /// Opens the client's own session.
    pub(crate) async fn initialize(
        &self,
        conversation: &Conversation,
        request: Request<'_>,
    ) -> Result<(Answer, Option<Box<str>>), UpstreamError> {
        let headers = self.wire.endpoint.first_headers(&request);
        let response = self.wire.send(Method::POST, headers, request.body.clone()).await?;
        let session = session_id(&response)?;
        let passage = Passage::direct(Some(request.id), conversation.era);
        let answer = reply::answer(&self.wire, response, passage).await?;
        Ok((answer, session.and_then(|id| id.to_str().ok().map(Into::into))))
    }

    /// What the server says of itself: its `initialize` result, from a pooled session.
    pub(crate) async fn hello(&self, conversation: &Conversation) -> Result<Bytes, UpstreamError> {
        Ok(self.pool.session(&self.wire, conversation).await?.hello.clone())
    }

    /// Carries a notification.
    pub(crate) async fn notify(
        &self,
        conversation: &Conversation,
        body: Bytes,
    ) -> Result<Answer, UpstreamError> {
        let Kind::Pooled { .. } = &conversation.kind else {
            return self.wire.post(self.wire.endpoint.session_headers(conversation)?, body).await;
        };
        let Some(session) = self.pool.existing(conversation).await else { return Ok(Answer::empty(202)) };
        match session.exchange.tell(conversation.client, &body)? {
            Some(body) => self.wire.post(session.headers(&self.wire), body).await,
            None => Ok(Answer::empty(202)),
        }
    }

    /// Carries a client's response to a request of the server.
    pub(crate) async fn respond(
        &self,
        conversation: &Conversation,
        body: Bytes,
    ) -> Result<Answer, UpstreamError> {
        let Kind::Pooled { .. } = &conversation.kind else {
            return self.wire.post(self.wire.endpoint.session_headers(conversation)?, body).await;
        };
        let session = self.pool.existing(conversation).await;
        let translated = match &session {
            Some(session) => session.exchange.respond(conversation.client, &body)?,
            None => None,
        };
        match (session, translated) {
            (Some(session), Some(body)) => self.wire.post(session.headers(&self.wire), body).await,
            _ => {
                self.wire.shared.stray();
                Ok(Answer::empty(400))
            }
        }
    }

    /// Opens or resumes the GET stream of a legacy session.
    pub(crate) async fn listen(
        &self,
        conversation: &Conversation,
        last_event_id: Option<&str>,
    ) -> Result<Answer, UpstreamError> {
        if conversation.era.is_modern() {
            return Ok(Answer::empty(405));
        }
        if let Kind::Pooled { .. } = &conversation.kind {
            let session = self.pool.session(&self.wire, conversation).await?;
            return ears::listen(&self.wire, &session, conversation.client).await;
        }
        let mut headers = listening(self.wire.endpoint.session_headers(conversation)?);
        if let Some(id) = last_event_id {
            let id = HeaderValue::from_str(id)
                .map_err(|_| UpstreamError::Request("the event id is no header value"))?;
            headers.insert(&LAST_EVENT_ID, id);
        }
        let response = self.wire.send(Method::GET, headers, Bytes::new()).await?;
        reply::answer(&self.wire, response, Passage::direct(None, conversation.era)).await
    }

    /// Ends the client's own session. A pooled one is not the client's to end.
    pub(crate) async fn close(&self, conversation: &Conversation) -> Result<u16, UpstreamError> {
        match &conversation.kind {
            Kind::Own { session: Some(_), .. } => {
                let headers = self.wire.endpoint.session_headers(conversation)?;
                Ok(self.wire.send(Method::DELETE, headers, Bytes::new()).await?.status().as_u16())
            }
            Kind::Own { .. } | Kind::Modern => Ok(405),
            Kind::Pooled { .. } => {
                if let Some(session) = self.pool.existing(conversation).await {
                    session.exchange.forget(conversation.client);
                    session.ears.leave(conversation.client);
                }
                Ok(200)
            }
        }
    }

    /// Ends a pooled session.
    pub(crate) async fn retire(&self, conversation: &Conversation) {
        if let Some(session) = self.pool.existing(conversation).await {
            self.pool.drop_session(conversation, &session).await;
            self.end_later(session);
        }
    }

    fn end_later(&self, session: Arc<Session>) {
        let wire = Arc::clone(&self.wire);
        self.wire.shared.parts.tasks.spawn_until_stop("session end", async move {
            if let Err(error) = session.end(&wire).await {
                tracing::debug!(%error, "a pooled session was not ended");
            }
        });
    }

    /// Ends pooled sessions that nobody used for a while, or all.
    pub(crate) fn sweep(&self, all: bool) {
        for session in self.pool.take_idle(&self.wire, all) {
            self.end_later(session);
        }
    }
}

impl Wire {
    /// Sends and waits for the head of the answer.
    async fn send(
        &self,
        method: Method,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response<Body>, UpstreamError> {
        let mut request = http::Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = self.endpoint.uri.clone();
        *request.headers_mut() = headers;
        let sent = self.shared.parts.outbound.request(request);
        match tokio::time::timeout(self.shared.timeouts().first_byte(), sent).await {
            Err(_) => Err(UpstreamError::Timeout("no answer began")),
            Ok(Err(error)) => Err(self.dial_failed(&error)),
            Ok(Ok(response)) => Ok(response),
        }
    }

    /// The precise reason names hosts and addresses: it goes to the log and to `server show`, never to a client.
    fn dial_failed(&self, error: &bailiwick_runtime::OutboundError) -> UpstreamError {
        use bailiwick_runtime::OutboundError as Out;
        let server = self.shared.name();
        tracing::info!(server, %error, "the server was not reached");
        match error {
            Out::Forbidden(_) => UpstreamError::Unreachable("its address is forbidden by egress rules"),
            Out::Dns { .. } => UpstreamError::Unreachable("its name cannot be resolved"),
            Out::Tls(_) => UpstreamError::Unreachable("no trusted TLS connection"),
            Out::ConnectTimeout(_) => UpstreamError::Unreachable("connecting took too long"),
            error if error.was_sent() => UpstreamError::Cut,
            _ => UpstreamError::Unreachable("no connection"),
        }
    }

    /// A request whose ids pass unchanged.
    async fn exchange(
        self: &Arc<Self>,
        headers: HeaderMap,
        request: &Request<'_>,
        era: Era,
    ) -> Result<Answer, UpstreamError> {
        let response = self.send(Method::POST, headers, request.body.clone()).await?;
        let passage = if request.method == bailiwick_mcp::Method::SubscriptionsListen.as_str() {
            Passage::listening(request.id, era)
        } else {
            Passage::direct(Some(request.id), era)
        };
        owed(reply::answer(self, response, passage).await?)
    }

    /// A message that wants no answer.
    async fn post(self: &Arc<Self>, headers: HeaderMap, body: Bytes) -> Result<Answer, UpstreamError> {
        let response = self.send(Method::POST, headers, body).await?;
        let passage = Passage::Told;
        match reply::answer(self, response, passage).await? {
            // Some servers answer a notification with 200 and nothing, or `null`.
            Answer { status: 200..=299, .. } => Ok(Answer::empty(202)),
            answer => Ok(answer),
        }
    }
}

/// The headers of a GET for these of a POST.
fn listening(mut headers: HeaderMap) -> HeaderMap {
    headers.remove(http::header::CONTENT_TYPE);
    headers.insert(http::header::ACCEPT, HeaderValue::from_static("text/event-stream"));
    headers
}

/// A request is owed an answer with a body; errors may come without.
fn owed(answer: Answer) -> Result<Answer, UpstreamError> {
    match answer {
        Answer { status: 200..=299, body: AnswerBody::Empty, .. } => {
            Err(UpstreamError::Invalid("it took the request without answering it"))
        }
        answer => Ok(answer),
    }
}

/// The session id that an answer gives. Only visible ASCII is allowed (spec 2025-11-25 basic/transports).
fn session_id(response: &Response<Body>) -> Result<Option<HeaderValue>, UpstreamError> {
    let Some(id) = response.headers().get(&MCP_SESSION_ID) else { return Ok(None) };
    let good = response.status() == StatusCode::OK
        && id.len() <= 1_024
        && id.as_bytes().iter().all(|byte| (0x21..=0x7e).contains(byte));
    if good { Ok(Some(id.clone())) } else { Err(UpstreamError::Invalid("its session id is malformed")) }
}

/// The id of a request that the room makes for itself.
pub(crate) fn own_id(text: &str) -> Result<RawId<'_>, UpstreamError> {
    RawId::new(text).ok_or(UpstreamError::Request("not an id"))
}
