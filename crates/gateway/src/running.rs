//! Requests of legacy sessions that are under way, so that `notifications/cancelled` finds them.

use std::sync::Arc;

use bailiwick_model::QuickMap;
use bailiwick_policy::CatalogueServer;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::Inner;

/// Running requests by session and JSON-RPC id.
#[derive(Debug, Default)]
pub(crate) struct Running(Mutex<QuickMap<Key, Run>>);

type Key = (u128, Box<str>);

#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) server: Arc<CatalogueServer>,
    pub(crate) cancel: CancellationToken,
}

/// Keeps a request in the table while it runs.
#[derive(Debug)]
pub(crate) struct Entry {
    inner: Arc<Inner>,
    key: Key,
    pub(crate) cancel: CancellationToken,
}

impl Running {
    /// Enters a request.
    pub(crate) fn enter(inner: &Arc<Inner>, session: u128, id: &str, server: &Arc<CatalogueServer>) -> Entry {
        let key: Key = (session, id.into());
        let cancel = CancellationToken::new();
        let run = Run { server: Arc::clone(server), cancel: cancel.clone() };
        inner.running.0.lock().insert(key.clone(), run);
        Entry { inner: Arc::clone(inner), key, cancel }
    }

    /// The request that shall be cancelled.
    pub(crate) fn find(&self, session: u128, id: &str) -> Option<Run> {
        self.0.lock().get(&(session, Box::from(id))).cloned()
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.inner.running.0.lock().remove(&self.key);
    }
}
