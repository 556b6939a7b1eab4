//! The router, and what its handlers share.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{any, get};
use bailiwick_control::Control;
use bailiwick_identity::{AuthFailures, HostRules, LastUse, ResourceMetadata};
use bailiwick_model::Clock;
use http::request::Parts;

use crate::problem::Problem;
use crate::{gate, headers, login, metrics, openapi, v1};

/// Largest body of a request, in bytes.
const MAX_BODY: usize = 1 << 20;

/// Tells where a request comes from, as the trusted proxies tell it: for records.
pub type PeerOf = Arc<dyn Fn(&Parts) -> String + Send + Sync>;

/// What the room is made of.
#[derive(Clone)]
pub struct Console {
    /// The use-cases.
    pub control: Control,
    /// By which names the gateway may be addressed.
    pub hosts: Arc<HostRules>,
    /// Where failed authentications are recorded.
    pub failures: Arc<AuthFailures>,
    /// Where uses of keys are noted.
    pub last_use: Arc<LastUse>,
    /// What a stranger is told.
    pub metadata: ResourceMetadata,
    /// Where a request comes from.
    pub peer: PeerOf,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Console {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Console").field("control", &self.control).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone)]
pub(crate) struct App(pub(crate) Arc<Console>);

impl FromRef<App> for Control {
    fn from_ref(app: &App) -> Self {
        app.0.control.clone()
    }
}

/// The routes `/api/…`, `/metrics` and `/login/…`.
pub fn router(console: Console) -> Router {
    let app = App(Arc::new(console));
    let api = v1::routes()
        .split_for_parts()
        .0
        .route("/api/openapi.json", get(openapi::handler))
        .route("/metrics", get(metrics::handler))
        // Not a fallback of the router: what stands beside it on the listener has its own.
        .route("/api", any(no_such_route))
        .route("/api/{*rest}", any(no_such_route))
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(app.clone(), gate::admit));
    login::routes()
        .merge(api)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn_with_state(app.clone(), gate::check_host))
        .layer(from_fn(headers::secure))
        .with_state(app)
}

async fn no_such_route() -> Problem {
    Problem::no_such_route()
}

async fn wrong_method() -> Problem {
    Problem::wrong_method()
}
