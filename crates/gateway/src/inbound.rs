//! Requests that servers sent to clients of an aggregate: which server asked, so that the client's answer
//! finds its way. At a transparent endpoint there is only one server and nothing to remember.
//!
//! Servers choose their ids for themselves, so two of them may ask one client under the same one; the client sees
//! ids of the gateway's own.

use std::collections::HashMap;
use std::sync::Arc;

use bailiwick_mcp::RawId;
use bailiwick_mcp::envelope::Id;
use bailiwick_policy::CatalogueServer;
use parking_lot::Mutex;

use crate::Inner;

/// Most requests that may wait for answers.
const MAX: usize = 10_000;

/// Asking servers by session and the id that the client was shown.
#[derive(Debug, Default)]
pub(crate) struct Inbound(Mutex<Asking>);

#[derive(Debug, Default)]
struct Asking {
    last: u64,
    waiting: HashMap<(u128, Box<str>), Asked>,
}

#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) server: Arc<CatalogueServer>,
    /// The id as the server knows it.
    pub(crate) id: Id,
}

/// A request that waits for its answer. Dropped with the stream on which it was asked.
#[derive(Debug)]
pub(crate) struct Question {
    inner: Arc<Inner>,
    session: u128,
    /// The id as the client knows it.
    pub(crate) id: Id,
}

impl Inbound {
    /// Remembers who asked. `None` if there is no room: the request must then be refused.
    pub(crate) fn note(
        inner: &Arc<Inner>,
        session: u128,
        id: RawId<'_>,
        server: &Arc<CatalogueServer>,
    ) -> Option<Question> {
        let mut asking = inner.inbound.0.lock();
        if asking.waiting.len() >= MAX {
            return None;
        }
        asking.last += 1;
        let shown = Id::number(asking.last);
        let asked = Asked { server: Arc::clone(server), id: id.to_id() };
        asking.waiting.insert((session, shown.as_str().into()), asked);
        Some(Question { inner: Arc::clone(inner), session, id: shown })
    }

    /// Who asked, once.
    pub(crate) fn take(&self, session: u128, shown: &str) -> Option<Asked> {
        self.0.lock().waiting.remove(&(session, Box::from(shown)))
    }

    /// Forgets a session's.
    pub(crate) fn end(&self, session: u128) {
        self.0.lock().waiting.retain(|(of, _), _| *of != session);
    }

    /// What a question was asked as, if it still waits.
    fn own_id(&self, question: &Question) -> Option<Id> {
        let key = (question.session, question.id.as_str().into());
        self.0.lock().waiting.get(&key).map(|asked| asked.id.clone())
    }
}

impl Question {
    /// Whether the server means this one by `id`.
    pub(crate) fn is(&self, id: RawId<'_>) -> bool {
        self.inner.inbound.own_id(self).is_some_and(|own| own.as_raw().same(&id))
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        // An answered one is gone already.
        let _gone = self.inner.inbound.take(self.session, self.id.as_str());
    }
}
