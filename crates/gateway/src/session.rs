//! Sessions of legacy clients: sealed into their own id, so that nothing is stored and a restarted gateway goes
//! on where it was.
//!
//! The id is an AEAD box over who the session belongs to, at which endpoint, in which era, and what is needed to
//! speak on with the server. It is never authority: the caller is authenticated anew with each request, and the
//! box opens only for the same principal at the same endpoint. What is kept in memory is a cache, and the nonces
//! of sessions that were ended.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bailiwick_mcp::Era;
use bailiwick_model::{PrincipalId, Timestamp};
use bailiwick_runtime::keys::Sealer;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::HeaderValue;
use parking_lot::Mutex;
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::place::PlaceKey;
use crate::visit::Visit;

/// How long a session lives. A client that gets 404 opens a new one (spec 2025-11-25 basic/transports).
const LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);
/// Sessions that stay opened.
const CACHED: usize = 10_000;
/// Ended sessions that are remembered.
const MAX_ENDED: usize = 100_000;
/// Longest session id that is looked at, in bytes.
const MAX_ID: usize = 16 * 1024;
/// What the box is bound to, beside its content.
const PURPOSE: &[u8] = b"bailiwick mcp session 1";

/// A legacy client's session.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    /// Tells sessions apart; scopes JSON-RPC ids towards servers.
    pub(crate) nonce: u128,
    /// The nonce as records show it.
    pub(crate) tag: Box<str>,
    pub(crate) principal: PrincipalId,
    pub(crate) era: Era,
    pub(crate) kind: SessionKind,
    /// The raw `params` of the client's `initialize`.
    pub(crate) initialize: Bytes,
    /// The client application by its own word.
    pub(crate) client: Option<Box<str>>,
}

/// How the session relates to servers.
#[derive(Debug, Clone)]
pub(crate) enum SessionKind {
    /// It is the session of the one server at a transparent endpoint, one to one.
    Own {
        /// The id that the server gave.
        upstream: Option<Box<str>>,
    },
    /// The gateway itself is the client's server.
    Ours,
}

#[derive(Serialize, Deserialize)]
struct Sealed<'a> {
    nonce: Box<str>,
    principal: PrincipalId,
    path: Box<str>,
    place: PlaceKey,
    era: Box<str>,
    own: bool,
    upstream: Option<Box<str>>,
    #[serde(borrow)]
    initialize: &'a RawValue,
    client: Option<Box<str>>,
    since: i64,
}

/// A session id that does not open here: foreign, forged, ended, too old, or not there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NoSession;

/// Seals and opens sessions.
#[derive(Debug)]
pub(crate) struct Sessions {
    sealer: Arc<Sealer>,
    opened: Cache<Box<str>, Arc<Opened>>,
    ended: Mutex<HashMap<u128, Timestamp>>,
}

#[derive(Debug)]
struct Opened {
    session: Arc<Session>,
    path: Box<str>,
    /// What was at the path: a server that is registered anew under an old name has no part in sessions with the old.
    place: PlaceKey,
    until: Timestamp,
}

impl Sessions {
    pub(crate) fn new(sealer: Arc<Sealer>) -> Self {
        Self { sealer, opened: Cache::new(CACHED), ended: Mutex::default() }
    }

    /// The id of a session at the visit's endpoint. `None` if the client's `initialize` is too large to carry along.
    pub(crate) fn seal(&self, visit: &Visit, session: &Session) -> Option<HeaderValue> {
        let initialize = std::str::from_utf8(&session.initialize).ok()?;
        let (own, upstream) = match &session.kind {
            SessionKind::Own { upstream } => (true, upstream.clone()),
            SessionKind::Ours => (false, None),
        };
        let sealed = Sealed {
            nonce: session.tag.clone(),
            principal: session.principal,
            path: visit.path.clone(),
            place: visit.place.key,
            era: session.era.as_str().into(),
            own,
            upstream,
            initialize: serde_json::from_str(initialize).ok()?,
            client: session.client.clone(),
            since: visit.now.as_micros(),
        };
        let plain = serde_json::to_vec(&sealed).ok()?;
        let id = URL_SAFE_NO_PAD.encode(self.sealer.seal(PURPOSE, &plain));
        if id.len() > MAX_ID {
            return None;
        }
        HeaderValue::try_from(id).ok()
    }

    /// The session of this id, for the visit's caller at the visit's endpoint.
    pub(crate) fn open(&self, visit: &Visit, id: &str) -> Result<Arc<Session>, NoSession> {
        let opened = match self.opened.get(id) {
            Some(opened) => opened,
            None => {
                let opened = Arc::new(self.unseal(id)?);
                self.opened.insert(id.into(), Arc::clone(&opened));
                opened
            }
        };
        // INVARIANT: another principal's session, or another endpoint's, is as if it did not exist.
        let fits = opened.session.principal == visit.caller.principal.id
            && opened.path == visit.path
            && opened.place == visit.place.key
            && visit.now < opened.until
            && !self.ended.lock().contains_key(&opened.session.nonce);
        if fits { Ok(Arc::clone(&opened.session)) } else { Err(NoSession) }
    }

    /// Ends a session: its id does not open any more.
    pub(crate) fn end(&self, session: &Session, now: Timestamp) {
        let mut ended = self.ended.lock();
        if ended.len() >= MAX_ENDED {
            ended.retain(|_, at| now.saturating_since(*at) < LIFETIME / 7);
        }
        ended.insert(session.nonce, now);
    }

    fn unseal(&self, id: &str) -> Result<Opened, NoSession> {
        if id.len() > MAX_ID {
            return Err(NoSession);
        }
        let boxed = URL_SAFE_NO_PAD.decode(id).map_err(|_| NoSession)?;
        let plain = self.sealer.open(PURPOSE, &boxed).ok_or(NoSession)?;
        let sealed: Sealed<'_> = serde_json::from_slice(&plain).map_err(|_| NoSession)?;
        let era = Era::parse(&sealed.era).filter(|era| era.is_supported()).ok_or(NoSession)?;
        let session = Session {
            nonce: u128::from_str_radix(&sealed.nonce, 16).map_err(|_| NoSession)?,
            tag: sealed.nonce,
            principal: sealed.principal,
            era,
            kind: if sealed.own { SessionKind::Own { upstream: sealed.upstream } } else { SessionKind::Ours },
            initialize: Bytes::copy_from_slice(sealed.initialize.get().as_bytes()),
            client: sealed.client,
        };
        let until = Timestamp::from_micros(sealed.since).saturating_add(LIFETIME);
        Ok(Opened { session: Arc::new(session), path: sealed.path, place: sealed.place, until })
    }
}

impl Session {
    /// A new session with a nonce of chance.
    pub(crate) fn new(visit: &Visit, era: Era, kind: SessionKind, initialize: Bytes) -> Self {
        let mut nonce = [0; 16];
        visit.gateway.parts.entropy.fill(&mut nonce);
        let nonce = u128::from_be_bytes(nonce);
        Self {
            nonce,
            tag: format!("{nonce:032x}").into(),
            principal: visit.caller.principal.id,
            era,
            client: crate::facts::client_of(&initialize),
            kind,
            initialize,
        }
    }
}
