//! One server: its way of transport, its breaker and its health.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bailiwick_mcp::{Era, Method};
use bailiwick_model::PrincipalId;
use bailiwick_model::definition::Discovery;
use bailiwick_model::server::{Timeouts, Transport};
use bytes::Bytes;
use parking_lot::{Mutex, RwLock};
use tokio_util::sync::CancellationToken;

use crate::breaker::Breaker;
use crate::changes::Changes;
use crate::conversation::{Conversation, Request};
use crate::health::Pulse;
use crate::http::{Endpoint, Http};
use crate::stdio::Stdio;
use crate::{Answer, Health, Parts, ServerSpec, UpstreamError, discover};

/// One server.
#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) shared: Arc<Shared>,
    pub(crate) carrier: Carrier,
    breaker: Breaker,
    /// The eras that it was found to speak, newest first; empty if not known.
    eras: Mutex<Vec<Era>>,
    watched: AtomicBool,
    /// For whom it is on record that the server is shown its credential.
    introduced: RwLock<HashSet<PrincipalId>>,
    closed: CancellationToken,
}

/// What the layers of one server share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) spec: ServerSpec,
    pub(crate) parts: Parts,
    pub(crate) pulse: Pulse,
    /// This machine makes namespaces in which nothing can be mounted: its children run without.
    pub(crate) without_namespaces: AtomicBool,
    changes: Arc<Changes>,
}

/// A server's transport.
#[derive(Debug)]
pub(crate) enum Carrier {
    Http(Http),
    Stdio(Arc<Stdio>),
    /// Its registration cannot be used; each request is told why.
    Broken(UpstreamError),
}

impl Shared {
    pub(crate) fn timeouts(&self) -> &Timeouts {
        &self.spec.server.timeouts
    }

    pub(crate) fn name(&self) -> &str {
        self.spec.server.name.as_str()
    }

    /// A message that nobody waited for.
    pub(crate) fn stray(&self) {
        self.pulse.note(|health| health.strays = health.strays.saturating_add(1));
    }

    /// Its definitions may have changed.
    pub(crate) fn changed(&self) {
        self.changes.note(self.spec.server.id);
    }

    /// A notification of the server went by.
    pub(crate) fn heard(&self, method: Method) {
        let lists = [Method::ToolsListChanged, Method::PromptsListChanged, Method::ResourcesListChanged];
        if lists.contains(&method) {
            self.changed();
        }
    }
}

impl Upstream {
    pub(crate) fn new(spec: ServerSpec, parts: Parts, changes: Arc<Changes>) -> Self {
        let shared = Arc::new(Shared {
            spec,
            parts,
            pulse: Pulse::default(),
            without_namespaces: AtomicBool::new(false),
            changes,
        });
        let carrier = match &shared.spec.server.transport {
            Transport::Stdio { .. } => Carrier::Stdio(Stdio::new(Arc::clone(&shared))),
            Transport::Http { .. } => match Endpoint::new(&shared.spec) {
                Ok(endpoint) => Carrier::Http(Http::new(Arc::clone(&shared), endpoint)),
                Err(error) => Carrier::Broken(error),
            },
        };
        let closed = shared.parts.tasks.stop_token().child_token();
        Self {
            shared,
            carrier,
            breaker: Breaker::default(),
            eras: Mutex::default(),
            watched: AtomicBool::new(false),
            introduced: RwLock::default(),
            closed,
        }
    }

    pub(crate) fn health(&self) -> Health {
        Health { eras: self.eras(), ..self.shared.pulse.read() }
    }

    pub(crate) fn is_introduced(&self, principal: PrincipalId) -> bool {
        self.introduced.read().contains(&principal)
    }

    pub(crate) fn introduce(&self, principal: PrincipalId) {
        self.introduced.write().insert(principal);
    }

    pub(crate) fn eras(&self) -> Vec<Era> {
        self.eras.lock().clone()
    }

    pub(crate) fn remember_eras(&self, eras: &[Era]) {
        *self.eras.lock() = eras.to_vec();
    }

    pub(crate) fn forget_eras(&self) {
        self.eras.lock().clear();
    }

    /// Resolves when the server is taken out of the set.
    pub(crate) async fn closed(&self) {
        self.closed.cancelled().await;
    }

    /// Begins to listen for changed lists, if the server announces that it tells, and over HTTP: children tell anyway.
    pub(crate) fn watch_lists(self: &Arc<Self>, found: &Discovery) {
        let tells = found.hello.get().contains("listChanged");
        let newest = self.eras.lock().first().copied();
        let (Carrier::Http(_), Some(era), true) = (&self.carrier, newest, tells) else { return };
        if !self.watched.swap(true, Ordering::Relaxed) {
            let watch = discover::watch::watch(Arc::downgrade(self), era);
            self.shared.parts.tasks.spawn_until_stop("list watch", watch);
        }
    }

    /// Ends everything that is open with the server.
    pub(crate) fn close(&self) {
        self.closed.cancel();
        match &self.carrier {
            Carrier::Http(http) => http.sweep(true),
            Carrier::Stdio(stdio) => stdio.stop_all(),
            Carrier::Broken(_) => {}
        }
    }

    /// Ends what nobody used for a while.
    pub(crate) fn sweep(&self) {
        match &self.carrier {
            Carrier::Http(http) => http.sweep(false),
            Carrier::Stdio(stdio) => stdio.stop_idle(),
            Carrier::Broken(_) => {}
        }
    }

    pub(crate) async fn request(
        &self,
        conversation: &Conversation,
        request: Request<'_>,
    ) -> Result<Answer, UpstreamError> {
        self.admit()?;
        self.request_unguarded(conversation, request).await
    }

    /// The same past the breaker: discovery has a pace of its own, and is how a server is found to be back.
    pub(crate) async fn request_unguarded(
        &self,
        conversation: &Conversation,
        request: Request<'_>,
    ) -> Result<Answer, UpstreamError> {
        self.judged(match &self.carrier {
            Carrier::Http(http) => http.request(conversation, request).await,
            Carrier::Stdio(stdio) => Box::pin(stdio.request(conversation, request)).await,
            Carrier::Broken(error) => Err(error.clone()),
        })
    }

    pub(crate) async fn initialize(
        &self,
        conversation: &Conversation,
        request: Request<'_>,
    ) -> Result<(Answer, Option<Box<str>>), UpstreamError> {
        self.admit()?;
        self.judged(match &self.carrier {
            Carrier::Http(http) => http.initialize(conversation, request).await,
            Carrier::Stdio(stdio) => {
                stdio.initialize(conversation, request).await.map(|answer| (answer, None))
            }
            Carrier::Broken(error) => Err(error.clone()),
        })
    }

    /// The server's `initialize` result for a legacy conversation.
    pub(crate) async fn hello(&self, conversation: &Conversation) -> Result<Bytes, UpstreamError> {
        self.judged(match &self.carrier {
            Carrier::Http(http) => http.hello(conversation).await,
            Carrier::Stdio(stdio) => stdio.hello(conversation).await,
            Carrier::Broken(error) => Err(error.clone()),
        })
    }

    pub(crate) async fn notify(
        &self,
        conversation: &Conversation,
        body: Bytes,
    ) -> Result<Answer, UpstreamError> {
        self.admit()?;
        self.judged(match &self.carrier {
            Carrier::Http(http) => http.notify(conversation, body).await,
            Carrier::Stdio(stdio) => stdio.notify(conversation, &body).await,
            Carrier::Broken(error) => Err(error.clone()),
        })
    }

    pub(crate) async fn respond(
        &self,
        conversation: &Conversation,
        body: Bytes,
    ) -> Result<Answer, UpstreamError> {
        self.admit()?;
        self.judged(match &self.carrier {
            Carrier::Http(http) => http.respond(conversation, body).await,
            Carrier::Stdio(stdio) => stdio.respond(conversation, &body).await,
            Carrier::Broken(error) => Err(error.clone()),
        })
    }

    pub(crate) async fn listen(
        &self,
        conversation: &Conversation,
        last_event_id: Option<&str>,
    ) -> Result<Answer, UpstreamError> {
        self.admit()?;
        self.judged(match &self.carrier {
            Carrier::Http(http) => http.listen(conversation, last_event_id).await,
            Carrier::Stdio(stdio) => stdio.listen(conversation).await,
            Carrier::Broken(error) => Err(error.clone()),
        })
    }

    pub(crate) async fn end(&self, conversation: &Conversation) -> Result<u16, UpstreamError> {
        self.admit()?;
        self.judged(match &self.carrier {
            Carrier::Http(http) => http.close(conversation).await,
            Carrier::Stdio(stdio) => Ok(stdio.close(conversation)),
            Carrier::Broken(error) => Err(error.clone()),
        })
    }

    /// Does what has to be done once before the server can be asked anything.
    pub(crate) async fn prepare(&self) -> Result<(), UpstreamError> {
        match &self.carrier {
            Carrier::Stdio(stdio) => stdio.prepare().await,
            Carrier::Http(_) | Carrier::Broken(_) => Ok(()),
        }
    }

    /// Ends a session or child of the room's own that is not needed any more.
    pub(crate) async fn retire(&self, conversation: &Conversation) {
        match &self.carrier {
            Carrier::Http(http) => http.retire(conversation).await,
            Carrier::Stdio(stdio) => stdio.retire(conversation).await,
            Carrier::Broken(_) => {}
        }
    }

    /// Refuses at once while the breaker is open.
    fn admit(&self) -> Result<(), UpstreamError> {
        let now = self.shared.parts.clock.monotonic();
        if self.breaker.admits(now) {
            Ok(())
        } else {
            Err(UpstreamError::Unreachable("it failed repeatedly just now"))
        }
    }

    /// Draws the lesson of an attempt. Requests that were never sent teach nothing.
    fn judged<T>(&self, outcome: Result<T, UpstreamError>) -> Result<T, UpstreamError> {
        let clock = &self.shared.parts.clock;
        match &outcome {
            Ok(_) | Err(UpstreamError::Refused | UpstreamError::Answered(_)) => self.up(),
            Err(error) if error.is_failure() => {
                // What comes back may be another version.
                self.forget_eras();
                self.shared.pulse.down(clock.now(), &error.to_string());
                if self.breaker.failed(clock.monotonic()) {
                    tracing::warn!(server = self.shared.name(), %error, "the breaker opened");
                }
            }
            Err(_) => {}
        }
        outcome
    }

    fn up(&self) {
        let reopened = self.breaker.succeeded();
        let was_down = self.shared.pulse.up(&*self.shared.parts.clock);
        if reopened || was_down {
            // It may have become another version meanwhile, with other eras.
            self.shared.changed();
        }
    }
}
