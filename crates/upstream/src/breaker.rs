//! The breaker of one server: after failures in a row it answers by itself, and now and then lets one try through.
//!
//! Waiting for a dead server again and again would hold its callers for the whole timeout (SECURITY.md "Faults and
//! load": fast-fail in under 20 ms). Pure: the time is an argument.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

/// Failures in a row that open it.
const THRESHOLD: u32 = 5;
/// How long it stays open at first, and at most.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);

/// One server's breaker.
#[derive(Debug, Default)]
pub(crate) struct Breaker {
    /// Whether there is anything to forget: each call comes by here, and takes no lock while all is well.
    troubled: AtomicBool,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    failures: u32,
    open: Option<Open>,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    until: Duration,
    span: Duration,
}

impl Breaker {
    /// Whether a request may go now. Of an open breaker's callers one is let through per span, to try.
    pub(crate) fn admits(&self, now: Duration) -> bool {
        if !self.troubled.load(Ordering::Acquire) {
            return true;
        }
        let mut inner = self.inner.lock();
        match &mut inner.open {
            None => true,
            Some(open) if now >= open.until => {
                open.until = now + open.span;
                true
            }
            Some(_) => false,
        }
    }

    /// A request went well. Answers whether the breaker had been open.
    pub(crate) fn succeeded(&self) -> bool {
        if !self.troubled.load(Ordering::Acquire) {
            return false;
        }
        let mut inner = self.inner.lock();
        self.troubled.store(false, Ordering::Release);
        inner.failures = 0;
        inner.open.take().is_some()
    }

    /// A request failed. Answers whether this opened the breaker.
    pub(crate) fn failed(&self, now: Duration) -> bool {
        let mut inner = self.inner.lock();
        self.troubled.store(true, Ordering::Release);
        inner.failures = inner.failures.saturating_add(1);
        if inner.failures < THRESHOLD {
            return false;
        }
        let opened = inner.open.is_none();
        let span = inner.open.map_or(FIRST, |open| (open.span * 2).min(LONGEST));
        inner.open = Some(Open { until: now + span, span });
        opened
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_after_failures_in_a_row_and_lets_one_try_through() {
        let breaker = Breaker::default();
        let second = Duration::from_secs(1);
        for _ in 0..THRESHOLD - 1 {
            assert!(!breaker.failed(second));
        }
        assert!(breaker.admits(second), "still closed");
        assert!(breaker.failed(second));
        assert!(!breaker.admits(second));
        assert!(breaker.admits(second * 2), "half open");
        assert!(!breaker.admits(second * 2), "only one try");
        assert!(!breaker.failed(second * 2));
        assert!(!breaker.admits(second * 3), "the span doubled");
        assert!(breaker.admits(second * 4));
        assert!(breaker.succeeded());
        assert!(breaker.admits(second * 4) && breaker.admits(second * 4), "closed");
    }
}
