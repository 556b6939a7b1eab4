//! Time for people and deadlines; the product takes its clock as an argument, xtask has only the real one.

use std::time::{Duration, Instant};

/// The time now.
pub(crate) fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "xtask measures real processes")]
    Instant::now()
}

/// A moment after which waiting ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    pub(crate) fn after(within: Duration) -> Self {
        Self(now() + within)
    }

    pub(crate) fn passed(self) -> bool {
        now() >= self.0
    }
}
