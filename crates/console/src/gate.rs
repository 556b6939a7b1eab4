//! What every request passes before its handler: the check of `Host` and `Origin`, and on the API the key and
//! the role.
//!
//! Members have nothing to do here and get 403 before any handler runs, so they learn not even what exists.

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bailiwick_control::Actor;
use bailiwick_identity::authenticate::shown_prefix;
use bailiwick_identity::{AuthError, Failure, authenticate, query_has_token};
use bailiwick_model::key::Audience;
use bailiwick_model::principal::{Caller, Role};
use http::header::WWW_AUTHENTICATE;
use http::request::Parts;

use crate::app::App;
use crate::login;
use crate::problem::Problem;

/// Whoever passed the gate.
#[derive(Debug)]
pub(crate) struct Admitted(pub(crate) Actor);

impl<S: Sync> FromRequestParts<S> for Admitted {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let caller = parts.extensions.get::<Caller>().cloned();
        caller.map(|caller| Self(Actor::Caller(caller))).ok_or_else(|| Problem::auth(AuthError::Missing))
    }
}

/// Refuses requests that were addressed to another name or come from a page of another place.
pub(crate) async fn check_host(State(app): State<App>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match app.0.hosts.check(&parts.headers, &parts.uri) {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(foreign) => {
            note(&app, &parts, foreign.reason());
            Problem::foreign(foreign).into_response()
        }
    }
}

/// Lets auditors and administrators in.
pub(crate) async fn admit(State(app): State<App>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let caller = match who(&app, &parts) {
        Ok(caller) => caller,
        Err(error) => return refuse(&app, &parts, error),
    };
    if caller.principal.role < Role::Auditor {
        note(&app, &parts, "role_too_weak");
        return Problem::member().into_response();
    }
    parts.extensions.insert(caller);
    next.run(Request::from_parts(parts, body)).await
}

fn who(app: &App, parts: &Parts) -> Result<Caller, AuthError> {
    if query_has_token(&parts.uri) {
        return Err(AuthError::InQuery);
    }
    let now = app.0.clock.now();
    let caller = authenticate(&app.0.control.snapshot().keys, &parts.headers, Audience::Admin, now)?;
    if let Some(key) = caller.key {
        app.0.last_use.note(key, now);
    }
    Ok(caller)
}

fn refuse(app: &App, parts: &Parts, error: AuthError) -> Response {
    note(app, parts, error.reason());
    let mut response = Problem::auth(error).into_response();
    // One resource for the whole API, so that the challenge does not tell which paths exist.
    response.headers_mut().insert(WWW_AUTHENTICATE, app.0.metadata.challenge("/api", error));
    response
}

/// Notes a refusal for the ledger, without the token of a login link.
pub(crate) fn note(app: &App, parts: &Parts, reason: &'static str) {
    let path = parts.uri.path();
    let path = if path.starts_with(login::PREFIX) { login::PREFIX } else { path };
    let peer = (app.0.peer)(parts);
    app.0.failures.note(Failure { path, peer: &peer, reason, prefix: shown_prefix(&parts.headers) });
}
