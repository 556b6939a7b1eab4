//! One request of one caller: who, where, when, under which snapshot. Made once at the door, read by every
//! step, shared with the stream that may follow.

use std::sync::Arc;
use std::time::Duration;

use bailiwick_model::Timestamp;
use bailiwick_model::principal::Caller;
use bailiwick_policy::Snapshot;

use crate::Inner;
use crate::place::Place;

#[derive(Debug)]
pub(crate) struct Visit {
    pub(crate) gateway: Arc<Inner>,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) caller: Caller,
    pub(crate) place: Place,
    pub(crate) path: Box<str>,
    /// The wall clock at the request's arrival.
    pub(crate) now: Timestamp,
    /// The monotonic clock then.
    pub(crate) started: Duration,
}

impl Visit {
    /// Time since the request's arrival, in microseconds.
    pub(crate) fn elapsed_us(&self) -> u64 {
        let spent = self.gateway.parts.clock.monotonic().saturating_sub(self.started);
        u64::try_from(spent.as_micros()).unwrap_or(u64::MAX)
    }
}
