//! The data path from the door: this is the order, and why.

use std::sync::Arc;

use bailiwick_identity::authenticate::shown_prefix;
use bailiwick_identity::{AuthError, Failure, authenticate, query_has_token};
use bailiwick_mcp::{Era, GatewayError, Refusal};
use bailiwick_model::Timestamp;
use bailiwick_model::grant::Action;
use bailiwick_model::key::Audience;
use bailiwick_model::principal::Caller;
use bailiwick_runtime::{PeerInfo, client_address};
use bytes::Bytes;
use http::header::WWW_AUTHENTICATE;
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};

use crate::body::Body;
use crate::decide::{Found, absent, decide};
use crate::endpoint::Endpoint;
use crate::exposure::View;
use crate::facts::Facts;
use crate::place::{Place, PlaceKey};
use crate::post::drain;
use crate::reply::{Reply, method_not_allowed, refused};
use crate::visit::Visit;
use crate::{Inner, listen, post};

/// Answers one HTTP request.
pub(crate) async fn serve<B>(inner: &Arc<Inner>, request: Request<B>) -> Response<Body>
where
    B: http_body::Body<Data = Bytes> + Send,
    B::Error: std::error::Error,
{
    let (parts, body) = request.into_parts();
    let visit = match admit(inner, &parts).await {
        Ok(visit) => visit,
        Err(refusal) => {
            drain(body).await;
            return *refusal;
        }
    };
    let outcome = match parts.method {
        Method::POST => return post::post(&visit, &parts.headers, body).await,
        Method::GET => listen::get(&visit, &parts.headers).await,
        Method::DELETE => listen::delete(&visit, &parts.headers).await,
        _ => return method_not_allowed(),
    };
    outcome.map_or_else(|refusal| refused(&refusal, None), Reply::into_response)
}

/// Whether there is anything here for whoever asks, by the head alone.
async fn admit(inner: &Arc<Inner>, parts: &Parts) -> Result<Arc<Visit>, Box<Response<Body>>> {
    // Which endpoint: by the path alone, so that it costs nothing and tells nothing.
    let Some(endpoint) = Endpoint::parse(parts.uri.path()) else {
        return Err(Box::new(refused(&nowhere(), None)));
    };
    // A page of another place must not even learn whether a key is good (DNS rebinding).
    if let Err(foreign) = inner.parts.hosts.check(&parts.headers, &parts.uri) {
        note_failure(inner, parts, foreign.reason());
        return Err(Box::new(refused(&forbidden(&foreign.to_string()), None)));
    }
    // Who, derived anew on every request; everything below knows a caller.
    let now = inner.parts.clock.now();
    let caller = identify(inner, parts, now).map_err(|error| Box::new(unauthorized(inner, parts, error)))?;
    // What is there for this caller: an endpoint out of reach is as one that does not exist.
    enter(inner, parts, endpoint, caller, now).await.map_err(|refusal| Box::new(refused(&refusal, None)))
}

fn identify(inner: &Inner, parts: &Parts, now: Timestamp) -> Result<Caller, AuthError> {
    if query_has_token(&parts.uri) {
        return Err(AuthError::InQuery);
    }
    let snapshot = inner.parts.snapshot.borrow();
    let caller = authenticate(&snapshot.keys, &parts.headers, Audience::Mcp, now)?;
    drop(snapshot);
    if let Some(key) = caller.key {
        inner.parts.last_use.note(key, now);
    }
    Ok(caller)
}

async fn enter(
    inner: &Arc<Inner>,
    parts: &Parts,
    endpoint: Endpoint<'_>,
    caller: Caller,
    now: Timestamp,
) -> Result<Arc<Visit>, Refusal> {
    let snapshot = Arc::clone(&inner.parts.snapshot.borrow());
    let place = Place::find(inner, &snapshot, endpoint);
    let exists = place.is_some();
    let nothing = || Place { key: PlaceKey::All, view: Arc::new(View::default()), server: None };
    let visit = Arc::new(Visit {
        gateway: Arc::clone(inner),
        snapshot,
        caller,
        place: place.unwrap_or_else(nothing),
        path: parts.uri.path().into(),
        now,
        started: inner.parts.clock.monotonic(),
    });
    let refusal = if exists {
        match reach(&visit, parts).await {
            Ok(()) => return Ok(visit),
            Err(refusal) => refusal,
        }
    } else {
        absent(&visit, &door(parts), Action::List, parts.uri.path()).await
    };
    let audit = refusal.code == GatewayError::AuditUnavailable.code();
    Err(if audit { refusal } else { nowhere() })
}

/// Whether the caller may use the endpoint at all; recorded if not.
async fn reach(visit: &Visit, parts: &Parts) -> Result<(), Refusal> {
    let facts = door(parts);
    match (&visit.place.key, &visit.place.server) {
        (PlaceKey::All, _) => Ok(()),
        (_, Some(server)) => {
            let found = Found::server(server);
            decide(visit, &facts, Action::List, &found, &visit.path).await.map(|_| ())
        }
        (_, None) => {
            let kinds = bailiwick_model::definition::DefinitionKind::ALL;
            let lists = &visit.gateway.lists;
            if kinds.into_iter().any(|kind| !lists.get(visit, kind).is_empty()) {
                return Ok(());
            }
            Err(absent(visit, &facts, Action::List, &visit.path).await)
        }
    }
}

fn door(parts: &Parts) -> Facts<'_> {
    Facts {
        method: parts.method.as_str(),
        era: Era::MODERN,
        session: None,
        client: None,
        trace: None,
        span: None,
    }
}

fn unauthorized(inner: &Inner, parts: &Parts, error: AuthError) -> Response<Body> {
    note_failure(inner, parts, error.reason());
    let refusal = Refusal::new(bailiwick_mcp::error::INVALID_REQUEST, error.status(), error.to_string());
    let mut response = refused(&refusal, None);
    let challenge = inner.parts.metadata.challenge(parts.uri.path(), error);
    response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    response
}

fn note_failure(inner: &Inner, parts: &Parts, reason: &'static str) {
    let peer = parts.extensions.get::<PeerInfo>().map(|peer| {
        client_address(peer.addr, peer.scheme, &inner.parts.trusted_proxies, &parts.headers).ip.to_string()
    });
    inner.parts.failures.note(Failure {
        path: parts.uri.path(),
        peer: peer.as_deref().unwrap_or_default(),
        reason,
        prefix: shown_prefix(&parts.headers),
    });
}

fn forbidden(text: &str) -> Refusal {
    Refusal::new(bailiwick_mcp::error::INVALID_REQUEST, StatusCode::FORBIDDEN, text.to_owned())
}

/// The one answer for endpoints that do not exist and for those out of reach.
fn nowhere() -> Refusal {
    Refusal::new(
        bailiwick_mcp::error::INVALID_REQUEST,
        StatusCode::NOT_FOUND,
        "There is no such endpoint, or none that you may use; ask its owner for a grant",
    )
}
