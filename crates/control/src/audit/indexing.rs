//! How the index is, as the feed tells it and others ask for it.

use std::time::Duration;

use bailiwick_model::Timestamp;
use parking_lot::Mutex;
use tokio::sync::Notify;

/// How the index over the ledger is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IndexState {
    /// How many records of this node's ledger are in it.
    pub records: u64,
    /// How many are not yet.
    pub lag_records: u64,
    /// For how many seconds it has been behind.
    pub lag_seconds: u64,
    /// Whether it is being made anew.
    pub rebuilding: bool,
    /// Whether it cannot be written just now; the log says why.
    pub failing: bool,
}

/// What the feed and the use-cases share.
#[derive(Debug, Default)]
pub(crate) struct Indexing {
    state: Mutex<Shared>,
    bell: Notify,
}

#[derive(Debug, Default)]
struct Shared {
    state: IndexState,
    requested: bool,
    /// Since when it has been behind.
    behind: Option<Timestamp>,
}

impl Indexing {
    pub(crate) fn state(&self, now: Timestamp) -> IndexState {
        let shared = self.state.lock();
        let lag = shared.behind.map_or(0, |since| now.saturating_since(since).as_secs());
        IndexState { lag_seconds: lag, ..shared.state }
    }

    /// Asks for the index to be made anew.
    pub(crate) fn request(&self) {
        let mut shared = self.state.lock();
        shared.requested = true;
        shared.state.rebuilding = true;
        drop(shared);
        self.bell.notify_one();
    }

    /// Whether that was asked for; asked again, it was not.
    pub(super) fn take_request(&self) -> bool {
        std::mem::take(&mut self.state.lock().requested)
    }

    /// The feed begins at the ledger's first record.
    pub(super) fn begins_anew(&self) {
        self.state.lock().state = IndexState { rebuilding: true, ..IndexState::default() };
    }

    /// The feed is at `next` of so many records.
    pub(super) fn reached(&self, next: u64, records: u64, now: Timestamp) {
        let mut shared = self.state.lock();
        let lag = records.saturating_sub(next);
        shared.behind = (lag > 0).then(|| shared.behind.unwrap_or(now));
        let rebuilding = shared.requested || (shared.state.rebuilding && lag > 0);
        shared.state =
            IndexState { records: next, lag_records: lag, lag_seconds: 0, rebuilding, failing: false };
    }

    /// The feed failed; says whether it did not before.
    pub(super) fn fails(&self) -> bool {
        !std::mem::replace(&mut self.state.lock().state.failing, true)
    }

    /// Waits until something is asked for, at most so long.
    pub(super) async fn wait(&self, at_most: Duration) {
        // Either end is an end of the wait.
        let _rang = tokio::time::timeout(at_most, self.bell.notified()).await;
    }
}
