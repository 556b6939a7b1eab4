//! A stream from a server on its way to a client: event by event, unbuffered, the outcome recorded before the
//! event that carries the answer.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bailiwick_mcp::envelope::Id;
use bailiwick_mcp::error::error_response;
use bailiwick_mcp::frame::FrameRequest;
use bailiwick_mcp::sse::{Outgoing, encode, encode_comment};
use bailiwick_mcp::{Answer, Era, Frame, RawId, Refusal};
use bailiwick_model::record::Status;
use bailiwick_policy::Permit;
use bailiwick_upstream::{Conversation, Event, EventStream, UpstreamError};
use bytes::Bytes;

use crate::body::Pieces;
use crate::carrier::{Bridge, Carrier};
use crate::complete::{fail, frame_limits, message, refusal_of, unmappable};
use crate::decide::Found;
use crate::forward::cancelled;
use crate::mapping::Passage;
use crate::open_call::{End, OpenCall};
use crate::reply::audit_unavailable;
use crate::running::Entry;
use crate::stream_end::StreamEnd;
use crate::visit::Visit;

/// How long the server may take to end a stream that has carried its answer; then we end it.
const AFTERWARDS: Duration = Duration::from_secs(1);
/// How often an idle stream without a call is given a sign of life, so that a client that is gone is noticed.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// What a stream belongs to.
#[derive(Debug)]
pub(crate) struct Relay {
    pub(crate) visit: Arc<Visit>,
    pub(crate) found: Found,
    pub(crate) passage: Passage,
    pub(crate) carrier: Carrier,
    pub(crate) permit: Permit,
    /// The request that it answers; none for the stream of a session (GET).
    pub(crate) request: Option<(Id, OpenCall)>,
    pub(crate) events: EventStream,
    /// Events that were read before the relay began.
    pub(crate) early: VecDeque<Event>,
    /// Where the client's cancellation finds it.
    pub(crate) entry: Option<Entry>,
}

struct Running {
    relay: Relay,
    end: StreamEnd,
    /// The answer was passed on, or an error in its place: nothing but the end may follow.
    answered: bool,
    over: bool,
    resumable: bool,
}

enum Next {
    Event(Option<Result<Event, UpstreamError>>),
    Revoked,
    Cancelled,
    Quiet,
}

impl Relay {
    /// The stream for the client.
    pub(crate) fn into_pieces(self) -> Pieces {
        let end = StreamEnd::new(&self.visit, Some((self.permit.clone(), self.found.clone())));
        let running = Running { relay: self, end, answered: false, over: false, resumable: false };
        Box::pin(futures_util::stream::unfold(running, |mut running| async move {
            let piece = running.next_piece().await?;
            Some((piece, running))
        }))
    }
}

impl Running {
    async fn next_piece(&mut self) -> Option<Bytes> {
        while !self.over {
            let piece = match self.next_event().await {
                Next::Event(Some(Ok(event))) => self.on_event(event).await,
                Next::Event(Some(Err(error))) => self.on_failure(&error).await,
                Next::Event(None) => self.on_end().await,
                Next::Revoked => self.on_withdrawal("access was withdrawn").await,
                Next::Cancelled => self.on_withdrawal("cancelled by the client").await,
                Next::Quiet => {
                    let mut out = Vec::new();
                    encode_comment("", &mut out);
                    Some(out.into())
                }
            };
            if piece.is_some() {
                return piece;
            }
        }
        None
    }

    async fn next_event(&mut self) -> Next {
        if let Some(event) = self.relay.early.pop_front() {
            return Next::Event(Some(Ok(event)));
        }
        if self.answered {
            let rest = tokio::time::timeout(AFTERWARDS, self.relay.events.next()).await;
            return Next::Event(rest.ok().flatten());
        }
        let quiet = self.relay.request.is_none();
        tokio::select! {
            biased;
            event = self.relay.events.next() => Next::Event(event),
            () = self.end.revoked() => Next::Revoked,
            () = cancelled(self.relay.entry.as_ref()) => Next::Cancelled,
            () = tokio::time::sleep(SIGN_OF_LIFE), if quiet => Next::Quiet,
            () = self.relay.visit.gateway.parts.tasks.stopping(), if quiet => Next::Event(None),
        }
    }

    async fn on_event(&mut self, event: Event) -> Option<Bytes> {
        self.resumable |= event.id.is_some();
        let Some(data) = event.data.clone().filter(|data| !data.is_empty()) else {
            return self.written(&event, None);
        };
        let limits = frame_limits(&self.relay.visit);
        match bailiwick_mcp::frame(&data, &limits) {
            Ok(Frame::Answer(answer)) => self.on_answer(&event, &data, &answer).await,
            Ok(Frame::Request(request)) => self.on_request(&event, &data, &request).await,
            Ok(Frame::Notification(notification)) => {
                let inner = &self.relay.visit.gateway;
                match self.relay.passage.notification(inner, &notification) {
                    Ok(changed) => self.written(&event, Some(changed.unwrap_or(data))),
                    Err(error) => {
                        tracing::warn!(%error, "a notification that cannot be passed on is dropped");
                        None
                    }
                }
            }
            Err(_) => self.on_failure(&UpstreamError::Invalid("an event is no JSON-RPC message")).await,
        }
    }

    async fn on_answer(&mut self, event: &Event, data: &Bytes, answer: &Answer<'_>) -> Option<Bytes> {
        let id = answer.id.as_ref();
        let Some((asked, mut call)) = self.take_call(id) else {
            tracing::debug!("an answer that nobody waits for is dropped");
            return None;
        };
        self.answered = self.relay.request.is_none();
        let mapped = self.relay.passage.answer(&self.relay.visit.gateway, answer);
        let (bytes, end) = match mapped {
            Ok(mapped) => (mapped.bytes.unwrap_or_else(|| data.clone()), mapped.end),
            Err(error) => {
                let refusal = unmappable(&error);
                let end = End { code: Some(refusal.code), ..End::of(Status::UpstreamInvalid) };
                (message(&refusal, asked.as_raw()), end)
            }
        };
        // INVARIANT: the outcome is in the ledger before the answer goes down.
        let bytes = match call.close(end).await {
            Ok(()) => bytes,
            Err(_) => message(&audit_unavailable(true), asked.as_raw()),
        };
        self.written(event, Some(bytes))
    }

    /// The call that an answer belongs to: this stream's, or a suspended one of its session.
    fn take_call(&mut self, id: Option<&RawId<'_>>) -> Option<(Id, OpenCall)> {
        if let Some((asked, _)) = &self.relay.request {
            let own = id.is_none_or(|id| id.same(&asked.as_raw()));
            if own {
                return self.relay.request.take();
            }
        }
        let id = id?;
        let session = self.relay.carrier.conversation.client;
        let call = self.relay.visit.gateway.suspended.take(session, id.as_str())?;
        Some((id.to_id(), call))
    }

    async fn on_request(&mut self, event: &Event, data: &Bytes, request: &FrameRequest<'_>) -> Option<Bytes> {
        let relay = &self.relay;
        let session = relay.carrier.conversation.client;
        let passes = relay.carrier.bridge == Bridge::None && !relay.carrier.conversation.era.is_modern();
        if passes {
            let known = relay.passage.aggregate.is_none()
                || relay.visit.gateway.inbound.note(session, request.id.as_str(), &relay.found.server);
            if known {
                return self.written(event, Some(data.clone()));
            }
        }
        let (permit, conversation) = (relay.permit.clone(), relay.carrier.conversation.clone());
        refuse_request(Arc::clone(&relay.visit), permit, conversation, request).await;
        None
    }

    async fn on_failure(&mut self, error: &UpstreamError) -> Option<Bytes> {
        self.over = true;
        let (id, mut call) = self.relay.request.take()?;
        let refusal = fail(&mut call, error).await;
        self.written(&Event::default(), Some(message(&refusal, id.as_raw())))
    }

    async fn on_end(&mut self) -> Option<Bytes> {
        self.over = true;
        let (id, call) = self.relay.request.take()?;
        if self.resumable && self.relay.carrier.conversation.era.primes_streams() {
            // The server closed to be polled; the answer comes on a resumed stream.
            let session = self.relay.carrier.conversation.client;
            self.relay.visit.gateway.suspended.keep(session, id.as_str(), call);
            return None;
        }
        self.relay.request = Some((id, call));
        self.on_failure(&UpstreamError::Cut).await
    }

    async fn on_withdrawal(&mut self, why: &'static str) -> Option<Bytes> {
        self.over = true;
        let (id, mut call) = self.relay.request.take()?;
        let end = End { detail: Some(why), ..End::of(Status::Cancelled) };
        let refusal = match call.close(end).await {
            Ok(()) => Refusal::new(bailiwick_mcp::error::INVALID_REQUEST, http::StatusCode::OK, why),
            Err(_) => audit_unavailable(true),
        };
        self.written(&Event::default(), Some(message(&refusal, id.as_raw())))
    }

    /// The event in the client's words: ids and retry hints only where it can resume by them.
    fn written(&self, event: &Event, data: Option<Bytes>) -> Option<Bytes> {
        let relay = &self.relay;
        let own = relay.passage.aggregate.is_none() && relay.carrier.bridge == Bridge::None;
        let keeps = own && relay.carrier.conversation.era != Era::MODERN;
        let mut out = Vec::with_capacity(data.as_ref().map_or(0, Bytes::len) + 64);
        if let Some(comment) = &event.comment {
            encode_comment(comment, &mut out);
        }
        let data = data.or_else(|| event.data.clone().filter(|_| keeps));
        let outgoing = Outgoing {
            id: event.id.as_deref().filter(|_| keeps),
            event: event.name.as_deref(),
            retry: event.retry.filter(|_| keeps),
            data: data.as_deref(),
        };
        if outgoing.id.is_some() || outgoing.retry.is_some() || outgoing.data.is_some() {
            encode(&outgoing, &mut out);
        }
        if out.is_empty() { None } else { Some(out.into()) }
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Running")
    }
}

/// Tells a server that this client cannot be asked, so that it does not wait.
async fn refuse_request(
    visit: Arc<Visit>,
    permit: Permit,
    conversation: Conversation,
    request: &FrameRequest<'_>,
) {
    if conversation.era.is_modern() {
        tracing::warn!("a request of a modern server is dropped: it has to ask by input_required");
        return;
    }
    let text = "the client's protocol version cannot be asked from here";
    let body = error_response(Some(request.id), bailiwick_mcp::error::METHOD_NOT_FOUND, text, None);
    let upstreams = &visit.gateway.parts.upstreams;
    if let Err(error) = upstreams.respond(&permit, &conversation, body.into()).await {
        tracing::debug!(%error, "a server could not be told that its request is refused");
    }
}

/// An answer of a server to something that has no call of its own: its failure as a refusal.
pub(crate) fn refused_by(error: &UpstreamError) -> bailiwick_mcp::Refusal {
    refusal_of(error)
}
