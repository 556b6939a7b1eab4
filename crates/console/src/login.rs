//! `/login/{token}`: the page behind a one-time login link.
//!
//! Opening the link uses nothing up, so a program that previews links cannot burn it; only the button's POST
//! does, and answers with a key for the admin API, once: as a page, or as JSON for the CLI. There is no
//! script, and the policy lets no script run. The token is the credential, so there is no key to show; the page
//! sends its address as `Origin` to this gateway alone, since browsers would send `null` under `no-referrer`.

mod page;

use axum::Json;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use bailiwick_control::{Control, ControlError};
use http::header::{ACCEPT, CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use http::request::Parts;
use http::{HeaderMap, StatusCode};

use crate::app::App;
use crate::gate::note;
use crate::problem::Problem;
use crate::wire::OpenedLinkView;

/// What every login link's path begins with.
pub(crate) const PREFIX: &str = "/login/";

const POLICY: &str = "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/login/{token}", get(show).post(open))
}

/// Shows the button, or that the link is dead.
async fn show(State(control): State<Control>, Path(token): Path<String>) -> Response {
    match control.link_is_good(&token).await {
        Ok(true) => html(StatusCode::OK, page::button()),
        Ok(false) => html(StatusCode::NOT_FOUND, page::dead()),
        Err(error) => Problem::from(error).into_response(),
    }
}

/// Uses the link up.
async fn open(State(app): State<App>, Path(token): Path<String>, parts: Parts) -> Response {
    let json = wants_json(&parts.headers);
    match app.0.control.open_link(&token).await {
        Ok(opened) if json => Json(OpenedLinkView::from(opened)).into_response(),
        Ok(opened) => html(StatusCode::OK, page::key(&opened.into())),
        Err(error) => {
            if matches!(error, ControlError::NotFound { .. }) {
                note(&app, &parts, "dead_link");
                if !json {
                    return html(StatusCode::NOT_FOUND, page::dead());
                }
            }
            Problem::from(error).into_response()
        }
    }
}

fn wants_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("application/json"))
}

fn html(status: StatusCode, page: String) -> Response {
    let headers = [(CONTENT_SECURITY_POLICY, POLICY), (REFERRER_POLICY, "same-origin")];
    (status, headers, Html(page)).into_response()
}
