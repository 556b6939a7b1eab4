//! Asking servers what they offer: at registration, at start, when they say so, and every poll interval.
//!
//! Each server is asked in a task of its own, a bounded number at once, never twice at a time, so that one that
//! hangs delays nobody. What it said is stored and published; if it says nothing, the last good answer stays and
//! is marked stale. A difference from the last good answer is in the ledger before it is in any list.

mod drift;
mod rounds;

use std::collections::HashMap;
use std::sync::Arc;

use bailiwick_model::ServerId;
use bailiwick_model::definition::Discovery;
use bailiwick_model::server::Server;
use bailiwick_policy::DiscoveryPermit;
use bailiwick_store::DiscoveryFailure;
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use crate::publish::Touched;
use crate::{Control, ControlError};

/// Which servers are being asked.
#[derive(Debug)]
pub(crate) struct Discoveries {
    slots: Semaphore,
    turns: Mutex<HashMap<ServerId, Arc<tokio::sync::Mutex<()>>>>,
}

impl Discoveries {
    pub(crate) fn new(at_once: usize) -> Self {
        Self { slots: Semaphore::new(at_once.max(1)), turns: Mutex::default() }
    }

    fn turn(&self, server: ServerId) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(self.turns.lock().entry(server).or_default())
    }

    /// Forgets servers that are no more.
    fn retain(&self, known: impl Fn(ServerId) -> bool) {
        self.turns.lock().retain(|server, _| known(*server));
    }
}

impl Control {
    /// Asks a server what it offers, and keeps the answer or the reason why there is none. Troubles are in
    /// the store, in the log and in [`Control::show_server`], not in the result: they are the server's.
    pub async fn discover(&self, id: ServerId) {
        let turn = self.discoveries().turn(id);
        let _turn = turn.lock().await;
        let Ok(_slot) = self.discoveries().slots.acquire().await else { return };
        let snapshot = self.snapshot();
        let Some(server) = snapshot.catalogue.server_by_id(id).map(|known| Arc::clone(&known.server)) else {
            return;
        };
        drop(snapshot);
        let Some(permit) = DiscoveryPermit::for_server(&server) else { return };
        let kept = match self.parts().upstreams.discover(&permit).await {
            Ok(discovery) => self.keep(&server, &discovery).await,
            Err(error) => {
                tracing::warn!(server = %server.name, %error, "discovery failed");
                self.keep_failure(&server, error.to_string()).await
            }
        };
        if let Err(error) = kept {
            tracing::error!(server = %server.name, %error, "the result of a discovery is not kept");
        }
    }

    async fn keep(&self, server: &Server, discovery: &Discovery) -> Result<(), ControlError> {
        let mut tx = self.parts().store.begin().await?;
        let Some(current) = tx.servers().get(server.id).await? else { return Ok(()) };
        if current.transport != server.transport {
            // It was moved while it was asked: this answer is another server's.
            return Ok(());
        }
        let before = tx.discoveries().get(server.id).await?;
        let was_stale = before.as_ref().is_some_and(bailiwick_store::DiscoveryState::is_stale);
        let known = before.and_then(|state| state.last_good).map(|good| good.discovery);
        let differs = tx.discoveries().record(server.id, discovery, self.parts().clock.now()).await?;
        if let (true, Some(known)) = (differs, known) {
            drift::record(&*self.parts().recorder, server, &known, discovery).await?;
        }
        let generation = tx.commit().await?;
        if differs {
            let count = discovery.definitions.len();
            tracing::info!(server = %server.name, count, dropped = discovery.dropped.len(), "discovered");
            self.publish(generation, Touched::Everything).await;
        } else if was_stale {
            self.publish_staleness().await?;
        }
        Ok(())
    }

    async fn keep_failure(&self, server: &Server, reason: String) -> Result<(), ControlError> {
        let mut tx = self.parts().store.begin().await?;
        if tx.servers().get(server.id).await?.is_none() {
            return Ok(());
        }
        let was_stale = tx.discoveries().get(server.id).await?.is_some_and(|state| state.is_stale());
        let failure = DiscoveryFailure { failed_at: self.parts().clock.now(), reason };
        tx.discoveries().record_failure(server.id, &failure).await?;
        tx.commit().await?;
        if was_stale { Ok(()) } else { self.publish_staleness().await }
    }
}
