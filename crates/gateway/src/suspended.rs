//! Calls whose stream the server closed before the answer, to be polled (spec 2025-11-25 basic/transports
//! "Polling"): the answer comes on a resumed stream, and the outcome is recorded there.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::mapping::Passage;
use crate::open_call::OpenCall;

/// Most suspended calls; beyond it the oldest request is given up, which records its outcome.
const MAX: usize = 10_000;

/// Open calls by session and JSON-RPC id.
#[derive(Debug, Default)]
pub(crate) struct Suspended(Mutex<HashMap<(u128, Box<str>), Waiting>>);

/// A call with the way of its answer.
type Waiting = (OpenCall, Passage);

impl Suspended {
    /// Keeps a call until its answer comes.
    pub(crate) fn keep(&self, session: u128, id: &str, call: Waiting) {
        let mut calls = self.0.lock();
        // A call that finds no room is dropped here, which closes it.
        if calls.len() < MAX {
            calls.insert((session, id.into()), call);
        }
    }

    /// The call whose answer came.
    pub(crate) fn take(&self, session: u128, id: &str) -> Option<Waiting> {
        self.0.lock().remove(&(session, Box::from(id)))
    }

    /// Gives up the calls of a session that ended, which records their outcomes.
    pub(crate) fn end(&self, session: u128) {
        self.0.lock().retain(|(of, _), _| *of != session);
    }
}
