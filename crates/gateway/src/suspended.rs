//! Calls whose stream the server closed before the answer, to be polled (spec 2025-11-25 basic/transports
//! "Polling"): the answer comes on a resumed stream, and the outcome is recorded there.
//!
//! A client need not poll. So a call is given up after a while, and the oldest when there are too many, first of the
//! same session, so that nobody crowds out the calls of others by leaving. Giving one up records its outcome.

use std::collections::BTreeMap;
use std::time::Duration;

use parking_lot::Mutex;

use crate::mapping::Passage;
use crate::open_call::OpenCall;

/// Most suspended calls.
const MAX: usize = 10_000;
/// Most of one session.
const MAX_OF_SESSION: usize = 100;
/// How long a call waits for its client.
const PATIENCE: Duration = Duration::from_secs(600);

/// A call with the way of its answer.
pub(crate) type Waiting = (OpenCall, Passage);

type Key = (u128, Box<str>);

/// Open calls by session and JSON-RPC id.
#[derive(Debug)]
pub(crate) struct Suspended<T = Waiting>(Mutex<BTreeMap<Key, Kept<T>>>);

#[derive(Debug)]
struct Kept<T> {
    since: Duration,
    call: T,
}

impl<T> Default for Suspended<T> {
    fn default() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }
}

impl<T> Suspended<T> {
    /// Keeps a call until its answer comes. `now` is of the monotonic clock.
    pub(crate) fn keep(&self, session: u128, id: &str, call: T, now: Duration) {
        let mut calls = self.0.lock();
        calls.retain(|_, kept| now.saturating_sub(kept.since) < PATIENCE);
        if calls.keys().filter(|(of, _)| *of == session).count() >= MAX_OF_SESSION {
            give_up(&mut calls, |(of, _)| *of == session);
        } else if calls.len() >= MAX {
            give_up(&mut calls, |_| true);
        }
        calls.insert((session, id.into()), Kept { since: now, call });
    }

    /// The call whose answer came.
    pub(crate) fn take(&self, session: u128, id: &str) -> Option<T> {
        self.0.lock().remove(&(session, Box::from(id))).map(|kept| kept.call)
    }

    /// Gives up the calls of a session that ended.
    pub(crate) fn end(&self, session: u128) {
        self.0.lock().retain(|(of, _), _| *of != session);
    }
}

/// Gives up the oldest among some.
fn give_up<T>(calls: &mut BTreeMap<Key, Kept<T>>, among: impl Fn(&Key) -> bool) {
    let oldest = calls.iter().filter(|(key, _)| among(key)).min_by_key(|(_, kept)| kept.since);
    if let Some(key) = oldest.map(|(key, _)| key.clone()) {
        calls.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_call_is_taken_once_and_by_its_own_session_alone() {
        let calls = Suspended::default();
        calls.keep(1, "7", "a", SECOND);
        assert_eq!(calls.take(2, "7"), None);
        assert_eq!((calls.take(1, "7"), calls.take(1, "7")), (Some("a"), None));
    }

    #[test]
    fn a_call_that_nobody_polls_is_given_up_with_the_next_one() {
        let calls = Suspended::default();
        calls.keep(1, "7", "a", SECOND);
        calls.keep(2, "8", "b", SECOND + PATIENCE);
        assert_eq!((calls.take(1, "7"), calls.take(2, "8")), (None, Some("b")));
    }

    #[test]
    fn a_session_that_leaves_many_calls_crowds_out_its_own() {
        let calls = Suspended::default();
        calls.keep(1, "mine", 0, SECOND);
        for number in 0..=MAX_OF_SESSION {
            calls.keep(2, &number.to_string(), number, SECOND * 2);
        }
        assert_eq!(calls.take(1, "mine"), Some(0));
        assert_eq!(calls.0.lock().len(), MAX_OF_SESSION);
    }

    #[test]
    fn the_oldest_is_given_up_first() {
        let calls = Suspended::default();
        calls.keep(2, "younger", "b", SECOND * 2);
        calls.keep(3, "older", "a", SECOND);
        give_up(&mut calls.0.lock(), |_| true);
        assert_eq!((calls.take(3, "older"), calls.take(2, "younger")), (None, Some("b")));
    }
}
