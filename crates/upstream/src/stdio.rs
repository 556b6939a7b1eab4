//! Servers that are child processes: started on first use, one per principal, era and `initialize` parameters, stopped
//! when idle, kept down for a while when they keep ending.
//!
//! What `initialize` says belongs to a process, not to a request; so clients that say the same share one, and each
//! request carries a number of the room's own on it ([`crate::exchange`]).

mod child;
mod errors;
mod install;
mod lines;
mod link;

use std::collections::HashMap;
use std::sync::Arc;

use bailiwick_mcp::Era;
use bailiwick_mcp::error::{call, result_response};
use bailiwick_model::PrincipalId;
use bailiwick_model::server::{Sharing, Transport};
use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Mutex as AsyncMutex;
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::conversation::{Conversation, DISCOVERY, Request};
use crate::http::own_id;
use crate::upstream::Shared;
use crate::{Answer, UpstreamError, wire};
use install::{Package, Program};
use link::Link;

/// Most children of one server.
const MOST: usize = 256;

/// One server's children.
#[derive(Debug)]
pub(crate) struct Stdio {
    shared: Arc<Shared>,
    children: Mutex<HashMap<Key, Slot>>,
    backoff: Arc<Mutex<Backoff>>,
    installing: Arc<AsyncMutex<()>>,
    /// Ends all children, those too that are starting just now.
    closed: CancellationToken,
}

type Slot = Arc<AsyncMutex<Option<Arc<Link>>>>;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    owner: Owner,
    era: Era,
    initialize: Bytes,
}

/// Whose a child is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Owner {
    Principal(PrincipalId),
    /// Everybody's, by an administrator's word (`sharing = "stateless"`).
    Everybody,
}

impl Stdio {
    pub(crate) fn new(shared: Arc<Shared>) -> Arc<Self> {
        let closed = shared.parts.tasks.stop_token().child_token();
        Arc::new(Self {
            shared,
            children: Mutex::default(),
            backoff: Arc::default(),
            installing: Arc::default(),
            closed,
        })
    }

    pub(crate) async fn request(
        &self,
        conversation: &Conversation,
        request: Request<'_>,
    ) -> Result<Answer, UpstreamError> {
        let link = self.link(conversation).await?;
        let body = if conversation.era.is_modern() && self.is_shared() {
            wire::without_client_features(&request.body)?
        } else {
            request.body
        };
        link.request(conversation.client, &body, request.method).await
    }

    /// Answers the client's `initialize` with what the child said when it was started with the same parameters.
    pub(crate) async fn initialize(
        &self,
        conversation: &Conversation,
        request: Request<'_>,
    ) -> Result<Answer, UpstreamError> {
        let hello = self.hello(conversation).await?;
        Ok(Answer::json(200, result_response(request.id, &hello).into()))
    }

    pub(crate) async fn hello(&self, conversation: &Conversation) -> Result<Bytes, UpstreamError> {
        let link = self.link(conversation).await?;
        link.hello().cloned().ok_or(UpstreamError::Request("a modern conversation has no handshake"))
    }

    pub(crate) async fn notify(
        &self,
        conversation: &Conversation,
        body: &Bytes,
    ) -> Result<Answer, UpstreamError> {
        let Some(link) = self.existing(conversation).await else { return Ok(Answer::empty(202)) };
        // A shared child has no client of its own, so it hears of none.
        let wanted = !self.is_shared() || wire::is_cancellation(body);
        if let Some(body) = link.exchange.tell(conversation.client, body)?.filter(|_| wanted) {
            link.write(body).await?;
        }
        Ok(Answer::empty(202))
    }

    pub(crate) async fn respond(
        &self,
        conversation: &Conversation,
        body: &Bytes,
    ) -> Result<Answer, UpstreamError> {
        let link = self.existing(conversation).await;
        let translated = match &link {
            Some(link) => link.exchange.respond(conversation.client, body)?,
            None => None,
        };
        if let (Some(link), Some(body)) = (link, translated) {
            link.write(body).await?;
            return Ok(Answer::empty(202));
        }
        self.shared.stray();
        Ok(Answer::empty(400))
    }

    /// The stream of what the child says unasked.
    pub(crate) async fn listen(&self, conversation: &Conversation) -> Result<Answer, UpstreamError> {
        if conversation.era.is_modern() {
            return Ok(Answer::empty(405));
        }
        Ok(Answer::stream(self.link(conversation).await?.listen(conversation.client)))
    }

    /// Ends a client's session. Its child may serve others, and stops when it is idle.
    pub(crate) fn close(&self, conversation: &Conversation) -> u16 {
        let slot = self.children.lock().get(&self.key(conversation)).cloned();
        if let Some(link) = slot.and_then(|slot| slot.try_lock().ok().and_then(|link| link.clone())) {
            link.exchange.forget(conversation.client);
            link.leave(conversation.client);
        }
        200
    }

    /// Installs the program if it is a package that is not there yet.
    pub(crate) async fn prepare(&self) -> Result<(), UpstreamError> {
        self.program().await.map(drop)
    }

    /// Stops a child that only discovery used.
    pub(crate) async fn retire(&self, conversation: &Conversation) {
        let slot = self.children.lock().remove(&self.key(conversation));
        if let Some(link) = match slot {
            Some(slot) => slot.lock().await.take(),
            None => None,
        } {
            link.stop();
        }
    }

    pub(crate) fn stop_all(&self) {
        self.closed.cancel();
    }

    pub(crate) fn stop_idle(&self) {
        let idle = self.shared.parts.settings.upstream.children.idle;
        let now = self.shared.parts.clock.monotonic();
        self.children.lock().retain(|_, slot| {
            let Ok(mut link) = slot.try_lock() else { return true };
            if link.as_ref().is_some_and(|link| link.is_idle(now, idle)) {
                link.take().inspect(|link| link.stop());
            }
            link.as_ref().is_some_and(|link| !link.has_ended())
        });
    }

    /// The child of a conversation, started if it does not run.
    async fn link(&self, conversation: &Conversation) -> Result<Arc<Link>, UpstreamError> {
        let slot = self.slot(conversation)?;
        // Held while the child starts: whoever wants the same one waits for it, nobody else.
        let mut slot = slot.lock().await;
        if let Some(link) = slot.as_ref().filter(|link| !link.has_ended()) {
            link.touch();
            return Ok(Arc::clone(link));
        }
        let link = self.start(conversation).await?;
        *slot = Some(Arc::clone(&link));
        Ok(link)
    }

    async fn start(&self, conversation: &Conversation) -> Result<Arc<Link>, UpstreamError> {
        let discovers = conversation.principal == DISCOVERY;
        let now = self.shared.parts.clock.monotonic();
        // Discovery has a pace of its own, and old servers may well end when they are asked modern questions.
        if !discovers && !self.backoff.lock().remaining(now).is_zero() {
            return Err(UpstreamError::BackingOff);
        }
        let running = child::start(&self.shared, self.program().await?)?;
        let backoff = (!discovers).then(|| Arc::clone(&self.backoff));
        let link = Link::run(
            &self.shared,
            conversation.era,
            !self.is_shared(),
            (running, backoff, self.closed.child_token()),
        );
        if !conversation.era.is_modern() {
            let greeted = self.greet(&link, conversation).await;
            greeted.inspect_err(|_| link.stop())?;
        }
        Ok(link)
    }

    /// The program, installed if it is a package.
    async fn program(&self) -> Result<Program, UpstreamError> {
        child::check(&self.shared)?;
        let Some(package) = self.package()? else { return child::program(&self.shared) };
        if let Some(program) = package.installed(&self.shared) {
            return Ok(program);
        }
        // Whoever waits may leave: the installation goes on, and who comes next finds it done.
        let one = Arc::clone(&self.installing).lock_owned().await;
        let shared = Arc::clone(&self.shared);
        let (installer, backoff) = (package.clone(), Arc::clone(&self.backoff));
        let install = self.shared.parts.tasks.spawn("package installation", async move {
            let _one = one;
            if installer.installed(&shared).is_some() {
                return Ok(());
            }
            let made = tokio::select! {
                made = installer.install(&shared) => made,
                () = shared.parts.tasks.stopping() => Err(UpstreamError::Unknown),
            };
            match made {
                Ok(()) => shared.changed(),
                Err(_) => backoff.lock().ended(shared.parts.clock.monotonic(), std::time::Duration::ZERO),
            }
            made
        });
        install.await.map_err(|_| UpstreamError::Unreachable("its package cannot be installed"))??;
        package.installed(&self.shared).ok_or(UpstreamError::Unreachable("its package has no program"))
    }

    fn package(&self) -> Result<Option<Package>, UpstreamError> {
        match &self.shared.spec.server.transport {
            Transport::Stdio { command, args, .. } => Package::of(command, args),
            Transport::Http { .. } => Ok(None),
        }
    }

    /// The legacy handshake.
    async fn greet(&self, link: &Arc<Link>, conversation: &Conversation) -> Result<(), UpstreamError> {
        let neutral = Bytes::from(wire::initialize_params(conversation.era));
        let params = conversation.initialize().filter(|_| !self.is_shared()).unwrap_or(&neutral);
        let body = call(Some(own_id("0")?), "initialize", Some(params));
        let answer = link.request(0, &body.into(), "initialize").await?;
        let hello = wire::result_of(&wire::last_message(answer.body).await?)?;
        link.greeted(hello);
        link.write(call(None, "notifications/initialized", None).into()).await
    }

    async fn existing(&self, conversation: &Conversation) -> Option<Arc<Link>> {
        let slot = self.children.lock().get(&self.key(conversation)).cloned()?;
        let link = slot.lock().await;
        link.clone().filter(|link| !link.has_ended())
    }

    fn slot(&self, conversation: &Conversation) -> Result<Slot, UpstreamError> {
        let key = self.key(conversation);
        let mut children = self.children.lock();
        if children.len() >= MOST && !children.contains_key(&key) {
            return Err(UpstreamError::Overloaded);
        }
        Ok(Arc::clone(children.entry(key).or_default()))
    }

    fn key(&self, conversation: &Conversation) -> Key {
        let (owner, initialize) = if self.is_shared() {
            (Owner::Everybody, None)
        } else {
            (Owner::Principal(conversation.principal), conversation.initialize())
        };
        Key { owner, era: conversation.era, initialize: initialize.cloned().unwrap_or_default() }
    }

    fn is_shared(&self) -> bool {
        matches!(&self.shared.spec.server.transport, Transport::Stdio { sharing: Sharing::Stateless, .. })
    }
}
