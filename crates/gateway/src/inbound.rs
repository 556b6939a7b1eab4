//! Requests that servers sent to clients of an aggregate: which server asked, so that the client's answer
//! finds its way. At a transparent endpoint there is only one server and nothing to remember.

use std::collections::HashMap;
use std::sync::Arc;

use bailiwick_policy::CatalogueServer;
use parking_lot::Mutex;

/// Most requests that may wait for answers.
const MAX: usize = 10_000;

/// Asking servers by session and JSON-RPC id.
#[derive(Debug, Default)]
pub(crate) struct Inbound(Mutex<Asking>);

type Asking = HashMap<(u128, Box<str>), Arc<CatalogueServer>>;

impl Inbound {
    /// Remembers who asked. False if there is no room: the request must then be refused.
    pub(crate) fn note(&self, session: u128, id: &str, server: &Arc<CatalogueServer>) -> bool {
        let mut asked = self.0.lock();
        if asked.len() >= MAX {
            return false;
        }
        asked.insert((session, id.into()), Arc::clone(server));
        true
    }

    /// Who asked, once.
    pub(crate) fn take(&self, session: u128, id: &str) -> Option<Arc<CatalogueServer>> {
        self.0.lock().remove(&(session, Box::from(id)))
    }

    /// Forgets a session's.
    pub(crate) fn end(&self, session: u128) {
        self.0.lock().retain(|(of, _), _| *of != session);
    }
}
