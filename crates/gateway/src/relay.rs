//! A stream from a server on its way to a client: event by event, unbuffered, the outcome recorded before the
//! event that carries the answer.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bailiwick_mcp::envelope::Id;
use bailiwick_mcp::error::error_response;
use bailiwick_mcp::frame::{FrameNotification, FrameRequest};
use bailiwick_mcp::sse::{Outgoing, encode, encode_comment};
use bailiwick_mcp::{Answer, Frame, Method, Patch, RawId, Refusal};
use bailiwick_model::grant::Action;
use bailiwick_model::record::Status;
use bailiwick_policy::{Permit, Target};
use bailiwick_upstream::{Conversation, Event, EventStream, UpstreamError};
use bytes::Bytes;

use crate::body::Pieces;
use crate::carrier::{Bridge, Carrier};
use crate::complete::{fail, frame_limits, message, unmappable};
use crate::decide::Found;
use crate::forward::cancelled;
use crate::inbound::{Inbound, Question};
use crate::listen::graceful_end;
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
    /// What the server asked the client on this stream, under ids of the gateway's own.
    questions: Vec<Question>,
}

enum Next {
    Event(Option<Result<Event, UpstreamError>>),
    Revoked,
    Cancelled,
    Quiet,
    Stopping,
}

impl Relay {
    /// The stream for the client.
    pub(crate) fn into_pieces(self) -> Pieces {
        let end = StreamEnd::new(&self.visit, Some((self.permit.clone(), self.found.clone())));
        let running = Running {
            relay: self,
            end,
            answered: false,
            over: false,
            resumable: false,
            questions: Vec::new(),
        };
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
                Next::Stopping => self.on_stop().await,
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
        // Nothing may happen on these for hours, and the gateway's stop does not wait for them.
        let quiet = self.relay.request.is_none() || self.listens();
        tokio::select! {
            // In this order, so that a server that floods its stream cannot outrun the end of it.
            biased;
            () = self.end.revoked() => Next::Revoked,
            () = cancelled(self.relay.entry.as_ref()) => Next::Cancelled,
            event = self.relay.events.next() => Next::Event(event),
            () = tokio::time::sleep(SIGN_OF_LIFE), if quiet => Next::Quiet,
            () = self.relay.visit.gateway.parts.tasks.stopping(), if quiet => Next::Stopping,
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
            Ok(Frame::Notification(notification)) => self.on_notification(&event, &data, &notification),
            Err(_) => self.on_failure(&UpstreamError::Invalid("an event is no JSON-RPC message")).await,
        }
    }

    /// Whether the caller may read what a notification tells of, now: grants on single resources end without the
    /// stream's end, and a server may tell of more than was asked for.
    fn may_follow(&self, notification: &FrameNotification<'_>) -> bool {
        let relay = &self.relay;
        let uri = notification.params.and_then(|params| params.member("uri").ok().flatten());
        let Some(uri) = uri.and_then(|uri| uri.string()) else { return false };
        let snapshot = Arc::clone(&relay.visit.gateway.parts.snapshot.borrow());
        let Some(server) = snapshot.catalogue.server_by_id(relay.found.server.server.id) else {
            return false;
        };
        let target = match server.resource_for_uri(&uri) {
            Some(definition) => Target::Definition(server, definition),
            None => Target::Uri(server, &uri),
        };
        let now = relay.visit.gateway.parts.clock.now();
        snapshot.decide(&relay.visit.caller, Action::Read, target, now).is_allow()
    }

    fn listens(&self) -> bool {
        self.relay.passage.method == Method::SubscriptionsListen
    }

    fn on_notification(
        &self,
        event: &Event,
        data: &Bytes,
        notification: &FrameNotification<'_>,
    ) -> Option<Bytes> {
        let relay = &self.relay;
        match Method::parse(&notification.method) {
            Method::Cancelled if !relay.carrier.is_own() => {
                return self.on_taken_back(event, notification);
            }
            Method::ResourcesUpdated if !self.may_follow(notification) => return None,
            _ => {}
        }
        match relay.passage.notification(&relay.visit.gateway, notification) {
            Ok(changed) => self.written(event, Some(changed.unwrap_or_else(|| data.clone()))),
            Err(error) => {
                tracing::warn!(%error, "a notification that cannot be passed on is dropped");
                None
            }
        }
    }

    /// The server does not want an answer any more to what it asked.
    fn on_taken_back(&self, event: &Event, notification: &FrameNotification<'_>) -> Option<Bytes> {
        let id = notification.params?.member("requestId").ok()??;
        let id = RawId::new(id.as_str())?;
        let question = self.questions.iter().find(|question| question.is(id))?;
        let mut patch = Patch::new();
        patch.body.set("requestId", question.id.as_str().as_bytes());
        let changed = patch.apply(notification).ok()?;
        self.written(event, Some(changed.into()))
    }

    async fn on_answer(&mut self, event: &Event, data: &Bytes, answer: &Answer<'_>) -> Option<Bytes> {
        let id = answer.id.as_ref();
        let Some((asked, mut call, passage)) = self.take_call(id) else {
            tracing::debug!("an answer that nobody waits for is dropped");
            return None;
        };
        self.answered = self.relay.request.is_none();
        let mapped = passage.answer(&self.relay.visit.gateway, answer);
        let (bytes, end) = match mapped {
            Ok(mapped) => (mapped.bytes.unwrap_or_else(|| data.clone()), mapped.end),
            Err(error) => {
                let refusal = unmappable(&error);
                let end = End::invalid(&refusal);
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
    fn take_call(&mut self, id: Option<&RawId<'_>>) -> Option<(Id, OpenCall, Passage)> {
        let own = self.relay.request.take_if(|(asked, _)| id.is_none_or(|id| id.same(&asked.as_raw())));
        if let Some((asked, call)) = own {
            return Some((asked, call, self.relay.passage.clone()));
        }
        let id = id?;
        let session = self.relay.carrier.conversation.client;
        let (call, passage) = self.relay.visit.gateway.suspended.take(session, id.as_str())?;
        Some((id.to_id(), call, passage))
    }

    async fn on_request(&mut self, event: &Event, data: &Bytes, request: &FrameRequest<'_>) -> Option<Bytes> {
        let relay = &self.relay;
        let session = relay.carrier.conversation.client;
        let passes = relay.carrier.bridge == Bridge::None && !relay.carrier.conversation.era.is_modern();
        if passes && relay.carrier.is_own() {
            return self.written(event, Some(data.clone()));
        }
        let inner = &relay.visit.gateway;
        let question =
            if passes { Inbound::note(inner, session, request.id, &relay.found.server) } else { None };
        if let Some(question) = question
            && let Ok(renamed) = Patch::new().with_id(question.id.as_raw()).apply(request)
        {
            self.questions.push(question);
            return self.written(event, Some(renamed.into()));
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
        let (id, mut call) = self.relay.request.take()?;
        if self.resumable && self.relay.carrier.conversation.era.primes_streams() {
            // The server closed to be polled; the answer comes on a resumed stream.
            call.idle();
            let session = self.relay.carrier.conversation.client;
            let passage = self.relay.passage.clone();
            let inner = &self.relay.visit.gateway;
            inner.suspended.keep(session, id.as_str(), (call, passage), inner.parts.clock.monotonic());
            return None;
        }
        self.relay.request = Some((id, call));
        self.on_failure(&UpstreamError::Cut).await
    }

    /// The gateway stops: listeners are told in the words of the spec, a GET stream just ends.
    async fn on_stop(&mut self) -> Option<Bytes> {
        self.over = true;
        let (id, mut call) = self.relay.request.take()?;
        let end = match call.close(End::of(Status::Ok)).await {
            Ok(()) => graceful_end(&id),
            Err(_) => message(&audit_unavailable(true), id.as_raw()),
        };
        self.written(&Event::default(), Some(end))
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
        let keeps = relay.carrier.is_own();
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
