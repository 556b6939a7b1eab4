//! Tells the ledger of requests that could not show who they are.
//!
//! Up to a rate each failure is a record of its own. Beyond it, failures are counted by reason, peer and path
//! and written once a second with their count, so that a stranger cannot fill the ledger; the table of counts
//! is bounded too. `gateway` and `console` note failures here; the binary runs [`AuthFailures::run`].

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bailiwick_model::record::AuthFailure;
use bailiwick_model::{Clock, Record, Recorder, Recording};
use parking_lot::Mutex;

/// How many failures a second are written one by one.
pub const RATE: u32 = 10;
/// How many different failures are counted apart in one second.
const MAX_COUNTED: usize = 128;
/// What stands for path and peer where there are too many to tell apart.
const SEVERAL: &str = "(several)";
/// Longest path and peer in a record, in bytes.
const MAX_TEXT: usize = 256;

/// One failure.
#[derive(Debug, Clone, Copy)]
pub struct Failure<'a> {
    /// The path asked for.
    pub path: &'a str,
    /// Where from, as the trusted proxies tell it.
    pub peer: &'a str,
    /// [`crate::AuthError::reason`] or [`crate::ForeignRequest::reason`].
    pub reason: &'static str,
    /// The visible part of the key shown: [`crate::authenticate::shown_prefix`].
    pub prefix: Option<&'a str>,
}

/// Writes failures to the ledger, at a bounded rate.
#[derive(Debug)]
pub struct AuthFailures {
    recorder: Arc<dyn Recorder>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    second: u64,
    written: u32,
    counted: HashMap<Counted, u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Counted {
    reason: &'static str,
    peer: Box<str>,
    path: Box<str>,
}

impl AuthFailures {
    /// Writes to this ledger.
    pub fn new(recorder: Arc<dyn Recorder>, clock: Arc<dyn Clock>) -> Self {
        Self { recorder, clock, state: Mutex::default() }
    }

    /// Notes a failure. Never waits.
    pub fn note(&self, failure: Failure<'_>) {
        let failure = Failure { path: cut(failure.path), peer: cut(failure.peer), ..failure };
        if self.state.lock().admits(self.clock.monotonic(), &failure) {
            self.write(&failure, 1);
        }
    }

    /// Writes what was counted since the last time.
    pub fn flush(&self) {
        let counted = std::mem::take(&mut self.state.lock().counted);
        for (key, count) in counted {
            let failure = Failure { path: &key.path, peer: &key.peer, reason: key.reason, prefix: None };
            self.write(&failure, count);
        }
    }

    /// Flushes each second until `stop` ends, and once more then.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        let mut ticks = tokio::time::interval(Duration::from_secs(1));
        loop {
            tokio::select! {
                () = &mut stop => break,
                _ = ticks.tick() => self.flush(),
            }
        }
        self.flush();
    }

    fn write(&self, failure: &Failure<'_>, count: u64) {
        let &Failure { path, peer, reason, prefix } = failure;
        let record = Record::AuthFailure(AuthFailure { path, peer, reason, prefix, count });
        // The request is refused in any case, so nothing waits for the ledger here.
        if let Recording::Settled(Err(error)) = self.recorder.append(&record) {
            tracing::warn!(%error, reason, count, "a failed authentication is not in the ledger");
        }
    }
}

impl State {
    /// Whether this failure gets a record of its own; if not, it is counted.
    fn admits(&mut self, now: Duration, failure: &Failure<'_>) -> bool {
        if self.second != now.as_secs() {
            self.second = now.as_secs();
            self.written = 0;
        }
        if self.written < RATE {
            self.written += 1;
            return true;
        }
        let mut key =
            Counted { reason: failure.reason, peer: failure.peer.into(), path: failure.path.into() };
        if self.counted.len() >= MAX_COUNTED && !self.counted.contains_key(&key) {
            (key.peer, key.path) = (SEVERAL.into(), SEVERAL.into());
        }
        *self.counted.entry(key).or_default() += 1;
        false
    }
}

fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_TEXT)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
