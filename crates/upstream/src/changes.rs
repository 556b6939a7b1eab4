//! Which servers should be discovered again. One entry per server at most, so that a server that keeps saying "changed"
//! is asked at the pace of discovery and not at its own.

use std::collections::HashSet;

use bailiwick_model::ServerId;
use parking_lot::Mutex;
use tokio::sync::mpsc;

/// The writing end.
#[derive(Debug)]
pub(crate) struct Changes {
    waiting: Mutex<HashSet<ServerId>>,
    sender: mpsc::UnboundedSender<ServerId>,
}

impl Changes {
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<ServerId>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self { waiting: Mutex::default(), sender }, receiver)
    }

    /// A server's definitions may have changed.
    pub(crate) fn note(&self, server: ServerId) {
        if self.waiting.lock().insert(server) && self.sender.send(server).is_err() {
            tracing::debug!(%server, "nobody discovers any more");
        }
    }

    /// It is being discovered: what changes from here on is news again.
    pub(crate) fn taken(&self, server: ServerId) {
        self.waiting.lock().remove(&server);
    }
}
