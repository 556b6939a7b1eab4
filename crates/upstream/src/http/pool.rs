//! Sessions towards legacy servers that this room opens, keeps and renews: one per principal, era and `initialize`
//! parameters, so that they are never shared between principals.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bailiwick_mcp::Era;
use bailiwick_mcp::error::call;
use bailiwick_model::PrincipalId;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use parking_lot::Mutex;
use tokio::sync::Mutex as AsyncMutex;

use super::ears::Ears;
use super::passage::Passage;
use super::{Wire, owed, own_id, reply, session_id};
use crate::conversation::{Conversation, Request};
use crate::exchange::Exchange;
use crate::{Answer, UpstreamError};

/// A session that nobody used for so long is ended.
const IDLE: Duration = Duration::from_secs(1_800);
/// Most sessions of one server.
const MOST: usize = 10_000;

/// A session with a server.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) era: Era,
    pub(super) hello: Bytes,
    pub(super) exchange: Exchange,
    pub(super) ears: Ears,
    id: Option<HeaderValue>,
    used: Mutex<Duration>,
}

type Slot = Arc<AsyncMutex<Option<Arc<Session>>>>;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    principal: PrincipalId,
    era: Era,
    initialize: Bytes,
}

/// The sessions of one server.
#[derive(Debug, Default)]
pub(super) struct Pool(Mutex<HashMap<Key, Slot>>);

impl Pool {
    /// The session of a conversation, opened if there is none.
    pub(super) async fn session(
        &self,
        wire: &Arc<Wire>,
        conversation: &Conversation,
    ) -> Result<Arc<Session>, UpstreamError> {
        let slot = self.slot(conversation)?;
        // Held while the session opens: whoever wants the same one waits for it, nobody else.
        let mut slot = slot.lock().await;
        let now = wire.shared.parts.clock.monotonic();
        if let Some(session) = &*slot {
            *session.used.lock() = now;
            return Ok(Arc::clone(session));
        }
        let session = Arc::new(Session::open(wire, conversation, now).await?);
        *slot = Some(Arc::clone(&session));
        Ok(session)
    }

    /// The session of a conversation, if it is open.
    pub(super) async fn existing(&self, conversation: &Conversation) -> Option<Arc<Session>> {
        let key = Key::of(conversation)?;
        let slot = self.0.lock().get(&key).cloned()?;
        let session = slot.lock().await;
        session.clone()
    }

    /// Forgets a session that its server does not know any more, unless that was done already.
    pub(super) async fn drop_session(&self, conversation: &Conversation, session: &Arc<Session>) {
        let slot = Key::of(conversation).and_then(|key| self.0.lock().get(&key).cloned());
        let Some(slot) = slot else { return };
        let mut slot = slot.lock().await;
        if slot.as_ref().is_some_and(|kept| Arc::ptr_eq(kept, session)) {
            *slot = None;
        }
    }

    /// Takes out the sessions that are to be ended.
    pub(super) fn take_idle(&self, wire: &Wire, all: bool) -> Vec<Arc<Session>> {
        let now = wire.shared.parts.clock.monotonic();
        let mut ended = Vec::new();
        self.0.lock().retain(|_, slot| {
            let Ok(mut slot) = slot.try_lock() else { return true };
            let idle = slot.as_ref().is_none_or(|session| {
                session.exchange.is_idle() && now.saturating_sub(*session.used.lock()) >= IDLE
            });
            if idle || all {
                ended.extend(slot.take());
            }
            !(idle || all)
        });
        ended
    }

    fn slot(&self, conversation: &Conversation) -> Result<Slot, UpstreamError> {
        let key = Key::of(conversation).ok_or(UpstreamError::Request("the conversation has no session"))?;
        let mut slots = self.0.lock();
        if slots.len() >= MOST && !slots.contains_key(&key) {
            return Err(UpstreamError::Overloaded);
        }
        Ok(Arc::clone(slots.entry(key).or_default()))
    }
}

impl Key {
    fn of(conversation: &Conversation) -> Option<Self> {
        let initialize = conversation.initialize()?.clone();
        Some(Self { principal: conversation.principal, era: conversation.era, initialize })
    }
}

impl Session {
    async fn open(
        wire: &Arc<Wire>,
        conversation: &Conversation,
        now: Duration,
    ) -> Result<Self, UpstreamError> {
        let params =
            conversation.initialize().ok_or(UpstreamError::Request("the conversation has no session"))?;
        let id = own_id("0")?;
        let body = Bytes::from(call(Some(id), "initialize", Some(params)));
        let headers = wire.endpoint.legacy_headers(Era::V2025_03_26, None);
        let response = wire.send(Method::POST, headers, body).await?;
        let session = session_id(&response)?;
        let passage = Passage::direct(Some(id), conversation.era);
        let hello = result(owed(reply::answer(wire, response, passage).await?)?).await?;
        let opened = Self {
            era: crate::wire::agreed_era(&hello).unwrap_or(conversation.era),
            hello,
            exchange: Exchange::default(),
            ears: Ears::default(),
            id: session,
            used: Mutex::new(now),
        };
        let ready = Bytes::from(call(None, "notifications/initialized", None));
        wire.post(opened.headers(wire), ready).await?;
        Ok(opened)
    }

    /// What every message of the session carries.
    pub(super) fn headers(&self, wire: &Wire) -> HeaderMap {
        wire.endpoint.legacy_headers(self.era, self.id.clone())
    }

    /// Carries a request; none if the server does not know the session any more, and so did not run it.
    pub(super) async fn request(
        self: &Arc<Self>,
        wire: &Arc<Wire>,
        conversation: &Conversation,
        request: &Request<'_>,
    ) -> Result<Option<Answer>, UpstreamError> {
        let (number, body) = self.exchange.begin(conversation.client, &request.body)?;
        let passage = Passage::shared(self, wire, conversation.client, number);
        let mut headers = self.headers(wire);
        super::endpoint::trace(&mut headers, request);
        let response = wire.send(Method::POST, headers, body).await?;
        if response.status() == http::StatusCode::NOT_FOUND && self.id.is_some() {
            self.exchange.end(number);
            return Ok(None);
        }
        owed(reply::answer(wire, response, passage).await?).map(Some)
    }

    /// Tells the server that the session is over.
    pub(super) async fn end(&self, wire: &Wire) -> Result<(), UpstreamError> {
        self.ears.close();
        if self.id.is_some() {
            wire.send(Method::DELETE, self.headers(wire), Bytes::new()).await?;
        }
        Ok(())
    }
}

/// The result within an answer, whichever form it has.
async fn result(answer: Answer) -> Result<Bytes, UpstreamError> {
    let message = crate::wire::last_message(answer.body).await?;
    crate::wire::result_of(&message)
}
