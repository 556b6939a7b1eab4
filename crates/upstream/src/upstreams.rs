//! The set of servers: the room's front door.
//!
//! Each server stands alone: its connections, sessions, children, breaker and health are its own, so that the trouble
//! of one never delays another. The lock on the set is held for a look-up only.

use std::sync::{Arc, Weak};
use std::time::Duration;

use bailiwick_model::definition::Discovery;
use bailiwick_model::{QuickMap, ServerId};
use bailiwick_policy::{DiscoveryPermit, Permit};
use bytes::Bytes;
use parking_lot::{Mutex, RwLock};
use tokio::sync::mpsc;

use crate::changes::Changes;
use crate::conversation::{Conversation, Request};
use crate::upstream::Upstream;
use crate::{Answer, Health, Parts, ServerSpec, UpstreamError, discover};

/// How often idle children and sessions are looked for.
const SWEEP: Duration = Duration::from_secs(5);

/// The servers behind.
#[derive(Debug)]
pub struct Upstreams {
    parts: Parts,
    servers: RwLock<QuickMap<ServerId, Arc<Upstream>>>,
    changes: Arc<Changes>,
    changed: Mutex<Option<mpsc::UnboundedReceiver<ServerId>>>,
}

impl Upstreams {
    /// An empty set. Needs a Tokio runtime.
    pub fn new(parts: Parts) -> Arc<Self> {
        let (changes, changed) = Changes::new();
        let tasks = parts.tasks.clone();
        let set = Arc::new(Self {
            parts,
            servers: RwLock::default(),
            changes: Arc::new(changes),
            changed: Mutex::new(Some(changed)),
        });
        tasks.spawn_until_stop("upstream sweep", sweep(Arc::downgrade(&set)));
        set
    }

    /// Replaces the set. Servers whose spec did not change keep their connections, children and health; the others
    /// are closed. New and changed ones that are enabled are announced by [`Upstreams::changes`].
    pub fn apply(&self, specs: Vec<ServerSpec>) {
        let mut added = Vec::new();
        let mut servers = self.servers.write();
        let mut old = std::mem::take(&mut *servers);
        for spec in specs.into_iter().filter(|spec| spec.server.enabled) {
            let id = spec.server.id;
            let same = old.get(&id).is_some_and(|known| known.shared.spec.same_as(&spec));
            let upstream = match if same { old.remove(&id) } else { None } {
                Some(known) => known,
                // A changed one stays in `old` and is closed with what was removed.
                None => {
                    added.push(id);
                    Arc::new(Upstream::new(spec, self.parts.clone(), Arc::clone(&self.changes)))
                }
            };
            servers.insert(id, upstream);
        }
        drop(servers);
        for upstream in old.into_values() {
            upstream.close();
        }
        for id in added {
            self.changes.note(id);
        }
    }

    /// The servers whose definitions should be discovered again: new ones, those that said so, those that came back.
    /// Each is named once until it is discovered. There is one receiver: the first call takes it.
    pub fn changes(&self) -> Option<mpsc::UnboundedReceiver<ServerId>> {
        self.changed.lock().take()
    }

    /// How a server is; none if it is not in the set or switched off.
    pub fn health(&self, server: ServerId) -> Option<Health> {
        self.servers.read().get(&server).map(|upstream| upstream.health())
    }

    /// Asks a server what it offers, in all eras that it speaks.
    ///
    /// # Errors
    /// [`UpstreamError`] if it cannot be asked; a list that is cut or a bad definition is no error but a sentence in
    /// `dropped`.
    pub async fn discover(&self, permit: &DiscoveryPermit) -> Result<Discovery, UpstreamError> {
        let upstream = self.find(permit.server())?;
        self.changes.taken(permit.server());
        let found = discover::discover(&upstream).await?;
        upstream.watch_lists(&found);
        Ok(found)
    }

    /// Opens the client's own session ([`crate::Kind::Own`]) with this `initialize` request. Beside the answer, the
    /// session id that the server gave, if any.
    ///
    /// # Errors
    /// [`UpstreamError`] if there is no answer.
    pub async fn initialize(
        &self,
        permit: &Permit,
        conversation: &Conversation,
        request: Request<'_>,
    ) -> Result<(Answer, Option<Box<str>>), UpstreamError> {
        self.permitted(permit, conversation)?.initialize(conversation, request).await
    }

    /// Carries a request.
    ///
    /// # Errors
    /// [`UpstreamError`] if there is no answer. HTTP errors with a JSON-RPC body are answers, and so is an empty 404 or
    /// 405 of a legacy session.
    pub async fn request(
        &self,
        permit: &Permit,
        conversation: &Conversation,
        request: Request<'_>,
    ) -> Result<Answer, UpstreamError> {
        self.permitted(permit, conversation)?.request(conversation, request).await
    }

    /// Whether it is on record that the permit's server is shown its credential for the permit's principal, since the
    /// server is registered as it is with the secrets that it has.
    pub fn is_introduced(&self, permit: &Permit) -> bool {
        self.find(permit.server()).is_ok_and(|upstream| upstream.is_introduced(permit.principal()))
    }

    /// Notes that it is on record.
    pub fn introduce(&self, permit: &Permit) {
        if let Ok(upstream) = self.find(permit.server()) {
            upstream.introduce(permit.principal());
        }
    }

    /// Carries a notification.
    ///
    /// # Errors
    /// [`UpstreamError`] if it was not taken.
    pub async fn notify(
        &self,
        permit: &Permit,
        conversation: &Conversation,
        body: Bytes,
    ) -> Result<Answer, UpstreamError> {
        self.permitted(permit, conversation)?.notify(conversation, body).await
    }

    /// Carries a client's response to a request that the server sent to this very client session; 400 if there is no
    /// such request.
    ///
    /// # Errors
    /// [`UpstreamError`] if it was not taken.
    pub async fn respond(
        &self,
        permit: &Permit,
        conversation: &Conversation,
        body: Bytes,
    ) -> Result<Answer, UpstreamError> {
        self.permitted(permit, conversation)?.respond(conversation, body).await
    }

    /// Opens the stream of a legacy session (GET), or resumes one.
    ///
    /// # Errors
    /// [`UpstreamError`] if there is no answer. A server without such a stream answers 405.
    pub async fn listen(
        &self,
        permit: &Permit,
        conversation: &Conversation,
        last_event_id: Option<&str>,
    ) -> Result<Answer, UpstreamError> {
        self.permitted(permit, conversation)?.listen(conversation, last_event_id).await
    }

    /// Ends a legacy session (DELETE); answers the status.
    ///
    /// # Errors
    /// [`UpstreamError`] if there is no answer.
    pub async fn close(&self, permit: &Permit, conversation: &Conversation) -> Result<u16, UpstreamError> {
        self.permitted(permit, conversation)?.end(conversation).await
    }

    fn find(&self, server: ServerId) -> Result<Arc<Upstream>, UpstreamError> {
        self.servers.read().get(&server).cloned().ok_or(UpstreamError::Unknown)
    }

    // INVARIANT: a permit opens its own server to its own principal and nothing else.
    fn permitted(
        &self,
        permit: &Permit,
        conversation: &Conversation,
    ) -> Result<Arc<Upstream>, UpstreamError> {
        if permit.server() != conversation.server || permit.principal() != conversation.principal {
            return Err(UpstreamError::Request("the permit is for somebody or something else"));
        }
        self.find(conversation.server)
    }
}

async fn sweep(set: Weak<Upstreams>) {
    loop {
        tokio::time::sleep(SWEEP).await;
        let Some(set) = set.upgrade() else { return };
        let servers: Vec<_> = set.servers.read().values().cloned().collect();
        for server in servers {
            server.sweep();
        }
    }
}
