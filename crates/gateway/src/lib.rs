//! The data path: every MCP request of every agent passes here.
//!
//! [`Gateway::serve`] is handed each HTTP request whose path [`Gateway::takes`]; the order of its steps is
//! written in `serve`. It reads one [`Snapshot`] per request and never touches
//! a database; it forwards only against a `Permit`; nothing that it did is answered before it is on record.
//! Called by the binary's listener.
//!
//! Invariant: no module here knows `control` or `store`.

mod batch;
mod binding;
mod bodies;
mod body;
mod captures;
mod carrier;
mod complete;
mod credential;
mod decide;
mod dispatch;
mod endpoint;
mod exposure;
mod facts;
mod forward;
mod handshake;
mod held;
mod inbound;
mod limits;
mod list;
mod listen;
mod lists;
mod local;
mod malformed;
mod mapping;
mod message;
mod open_call;
mod place;
mod post;
mod relay;
mod reply;
mod running;
mod serve;
mod session;
mod signs;
mod stream_end;
mod suspended;
mod tasks;
mod trace;
mod uris;
mod views;
mod visit;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bailiwick_identity::{AuthFailures, HostRules, LastUse, ResourceMetadata};
use bailiwick_model::{CallId, Clock, Entropy, Recorder, Timestamp};
use bailiwick_policy::Snapshot;
use bailiwick_runtime::Tasks;
use bailiwick_runtime::keys::Sealer;
use bailiwick_upstream::Upstreams;
use http::{Request, Response};
use tokio::sync::{Semaphore, watch};

pub use bodies::Bodies;
pub use body::{Body, Pieces};
pub use endpoint::Endpoint;
pub use limits::Limits;

/// What the data path is made of; all of it is handed in by the binary.
#[derive(Debug)]
pub struct Parts {
    /// What may be seen and done now.
    pub snapshot: watch::Receiver<Arc<Snapshot>>,
    /// The servers behind.
    pub upstreams: Arc<Upstreams>,
    /// The ledger.
    pub recorder: Arc<dyn Recorder>,
    /// Encrypts bodies for the ledger.
    pub bodies: Bodies,
    /// Seals session ids, cursors and handles.
    pub sealer: Arc<Sealer>,
    /// Which hosts and origins are ours.
    pub hosts: HostRules,
    /// Whose word on a client's address counts.
    pub trusted_proxies: Vec<ipnet::IpNet>,
    /// Challenges for strangers.
    pub metadata: ResourceMetadata,
    /// Where failed authentications are counted.
    pub failures: Arc<AuthFailures>,
    /// Where uses of keys are noted.
    pub last_use: Arc<LastUse>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// Work that outlives its request.
    pub tasks: Tasks,
    /// Bounds.
    pub limits: Limits,
}

/// The data path.
#[derive(Debug, Clone)]
pub struct Gateway(Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) parts: Parts,
    pub(crate) sessions: session::Sessions,
    pub(crate) views: views::Views,
    pub(crate) captures: captures::Captures,
    pub(crate) body_keys: bodies::Pause,
    pub(crate) lists: lists::Lists,
    pub(crate) suspended: suspended::Suspended,
    pub(crate) inbound: inbound::Inbound,
    pub(crate) malformed: malformed::Refused,
    pub(crate) running: running::Running,
    pub(crate) tasks: tasks::TaskIds,
    pub(crate) slots: Arc<Semaphore>,
    pub(crate) streams: Arc<Semaphore>,
    spans: trace::Spans,
    calls: AtomicU64,
    call_base: u128,
}

impl Gateway {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> Self {
        let mut base = [0; 16];
        parts.entropy.fill(&mut base);
        Self(Arc::new(Inner {
            sessions: session::Sessions::new(Arc::clone(&parts.sealer)),
            views: views::Views::default(),
            captures: captures::Captures::default(),
            body_keys: bodies::Pause::default(),
            lists: lists::Lists::new(),
            suspended: suspended::Suspended::default(),
            inbound: inbound::Inbound::default(),
            malformed: malformed::Refused::default(),
            running: running::Running::default(),
            tasks: tasks::TaskIds::new(),
            slots: Arc::new(Semaphore::new(parts.limits.concurrency)),
            streams: Arc::new(Semaphore::new(parts.limits.streams)),
            spans: trace::Spans::new(&*parts.entropy),
            calls: AtomicU64::new(0),
            call_base: u128::from_be_bytes(base) & 0xffff_0000_0000_0000_0000,
            parts,
        }))
    }

    /// Writes the counts of refused messages to the ledger until `stop` ends.
    pub async fn record_malformed(&self, stop: impl Future<Output = ()>) {
        self.0.malformed.run(&*self.0.parts.recorder, stop).await;
    }

    /// Whether a path is an MCP endpoint.
    pub fn takes(path: &str) -> bool {
        Endpoint::parse(path).is_some()
    }

    /// Answers one HTTP request.
    pub async fn serve<B>(&self, request: Request<B>) -> Response<Body>
    where
        B: http_body::Body<Data = bytes::Bytes> + Send,
        B::Error: std::error::Error,
    {
        serve::serve(&self.0, request).await
    }
}

impl Inner {
    /// The span of a call that begins now, with its id.
    pub(crate) fn begin_span(
        &self,
        asked: &dispatch::Asked<'_>,
        session: Option<&session::Session>,
    ) -> trace::Span {
        self.spans.of(self.next_call(asked.visit.now), &asked.trace, session)
    }

    /// The id of a call that begins now: 48 bits of milliseconds, 16 of chance per process, 64 counted.
    pub(crate) fn next_call(&self, now: Timestamp) -> CallId {
        let millis = u128::from(now.as_micros().unsigned_abs() / 1000) & 0xffff_ffff_ffff;
        let count = u128::from(self.calls.fetch_add(1, Ordering::Relaxed));
        CallId::from_bits((millis << 80) | self.call_base | count)
    }
}
