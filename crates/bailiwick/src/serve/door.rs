//! The one port: which room answers which path.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::Router;
use bailiwick_config::Settings;
use bailiwick_console::Console;
use bailiwick_gateway::{Gateway, Limits};
use bailiwick_identity::{AuthFailures, ResourceMetadata};
use bailiwick_ledger::Ledger;
use bailiwick_model::Recorder as _;
use bailiwick_runtime::{PeerInfo, Tasks, client_address};
use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use ipnet::IpNet;
use tokio::runtime::Handle;
use tower::ServiceExt as _;

use super::body_keys::bodies;
use super::compose::{Rooms, Shared};
use super::manners;

/// The service of every connection.
#[derive(Clone)]
pub(super) struct Door(Arc<Inner>);

struct Inner {
    gateway: Gateway,
    console: Router,
    metadata: ResourceMetadata,
    ledger: Arc<Ledger>,
    tasks: Tasks,
    /// Where administrative work is done: on a lane, calls would wait for it.
    home: Handle,
    draining: AtomicBool,
}

impl Door {
    pub(super) fn new(
        settings: &Settings,
        shared: &Shared,
        rooms: &Rooms,
        failures: &Arc<AuthFailures>,
        bound: SocketAddr,
    ) -> Self {
        let (hosts, metadata) = manners(settings, shared, bound);
        let gateway = Gateway::new(bailiwick_gateway::Parts {
            snapshot: rooms.snapshot.clone(),
            upstreams: Arc::clone(&rooms.upstreams),
            recorder: Arc::clone(&rooms.ledger) as _,
            bodies: bodies(shared, rooms),
            sealer: Arc::clone(&rooms.carried),
            hosts: hosts.clone(),
            trusted_proxies: settings.listen.trusted_proxies.clone(),
            metadata: metadata.clone(),
            failures: Arc::clone(failures),
            last_use: Arc::clone(&shared.last_use),
            clock: Arc::clone(&shared.clock),
            entropy: Arc::clone(&shared.entropy),
            tasks: shared.connections.clone(),
            limits: limits(settings),
        });
        let (telling, stop) = (gateway.clone(), shared.background.stop_token());
        shared.background.spawn("malformed messages", async move {
            telling.record_malformed(stop.cancelled_owned()).await;
        });
        let trusted = settings.listen.trusted_proxies.clone();
        let console = bailiwick_console::router(Console {
            control: rooms.control.clone(),
            hosts: Arc::new(hosts),
            failures: Arc::clone(failures),
            last_use: Arc::clone(&shared.last_use),
            metadata: metadata.clone(),
            peer: Arc::new(move |parts| peer(parts, &trusted)),
            clock: Arc::clone(&shared.clock),
        });
        Self(Arc::new(Inner {
            gateway,
            console,
            metadata,
            ledger: Arc::clone(&rooms.ledger),
            tasks: shared.connections.clone(),
            home: Handle::current(),
            draining: AtomicBool::new(false),
        }))
    }

    /// From now on the gateway is not ready: whoever spreads load sends it elsewhere.
    pub(super) fn drain(&self) {
        self.0.draining.store(true, Ordering::Relaxed);
    }
}

/// Where a request comes from, as the trusted proxies tell it.
fn peer(parts: &Parts, trusted: &[IpNet]) -> String {
    let known = parts.extensions.get::<PeerInfo>();
    known
        .map(|peer| client_address(peer.addr, peer.scheme, trusted, &parts.headers).ip.to_string())
        .unwrap_or_default()
}

fn limits(settings: &Settings) -> Limits {
    let limits = &settings.limits;
    Limits {
        message: bailiwick_mcp::Limits {
            max_bytes: limits.body_bytes,
            max_depth: u8::try_from(limits.depth).unwrap_or(u8::MAX),
            max_id_bytes: limits.id_bytes,
            ..bailiwick_mcp::Limits::default()
        },
        concurrency: limits.concurrency,
        streams: limits.streams,
        ..Limits::default()
    }
}

impl Door {
    /// Answers one HTTP request.
    pub(super) async fn answer(self, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        let inner = &*self.0;
        if Gateway::takes(request.uri().path()) {
            return Ok(inner.gateway.serve(request).await.map(Body::Gateway));
        }
        if let Some(response) = inner.simple(&request) {
            return Ok(response);
        }
        let administered = inner.tasks.spawn_on(&inner.home, "admin", inner.console.clone().oneshot(request));
        match administered.await {
            Ok(Ok(response)) => Ok(response.map(Body::Console)),
            Err(error) => {
                tracing::error!(%error, "an administrative request broke off");
                Ok(text(StatusCode::INTERNAL_SERVER_ERROR, "the request broke off; see the gateway's log\n"))
            }
        }
    }
}

impl Inner {
    /// What needs no room: signs of life, and what strangers may know of the endpoints.
    fn simple(&self, request: &Request<Incoming>) -> Option<Response<Body>> {
        let path = request.uri().path();
        let resource = ResourceMetadata::resource_of(path);
        if !matches!(path, "/livez" | "/readyz") && resource.is_none() {
            return None;
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "use GET\n");
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return Some(response);
        }
        if let Some(resource) = resource {
            let document = self.metadata.document(resource).to_string();
            return Some(answer(StatusCode::OK, "application/json", document.into()));
        }
        Some(match path {
            "/livez" => text(StatusCode::OK, "alive\n"),
            _ => self.readiness(),
        })
    }

    fn readiness(&self) -> Response<Body> {
        if self.draining.load(Ordering::Relaxed) {
            return text(StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
        }
        if !self.ledger.is_available() {
            return text(StatusCode::SERVICE_UNAVAILABLE, "the audit ledger takes no records\n");
        }
        text(StatusCode::OK, "ready\n")
    }
}

fn text(status: StatusCode, text: &'static str) -> Response<Body> {
    answer(status, "text/plain; charset=utf-8", Bytes::from_static(text.as_bytes()))
}

fn answer(status: StatusCode, kind: &'static str, bytes: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::Gateway(bailiwick_gateway::Body::full(bytes)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The body of any room's answer.
pub(super) enum Body {
    Gateway(bailiwick_gateway::Body),
    Console(axum::body::Body),
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match self.get_mut() {
            Self::Gateway(body) => Pin::new(body)
                .poll_frame(cx)
                .map(|frame| frame.map(|frame| frame.map_err(|never| match never {}))),
            Self::Console(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Gateway(body) => body.is_end_stream(),
            Self::Console(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Gateway(body) => body.size_hint(),
            Self::Console(body) => body.size_hint(),
        }
    }
}
