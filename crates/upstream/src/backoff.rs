//! How long a child that keeps ending stays down: 1 s, doubled up to 60 s, forgotten after it ran for a minute.
//!
//! Pure: the time is an argument. Asked by the stdio pool before each start.

use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);
/// A child that lived so long did not crash in a loop.
const STABLE: Duration = Duration::from_secs(60);

/// The back-off of one server's children.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    span: Duration,
    until: Duration,
}

impl Backoff {
    /// How long to wait still; zero if a start is allowed.
    pub(crate) fn remaining(&self, now: Duration) -> Duration {
        self.until.saturating_sub(now)
    }

    /// A child ended by itself, having lived this long.
    pub(crate) fn ended(&mut self, now: Duration, lived: Duration) {
        self.span = if lived >= STABLE { FIRST } else { (self.span * 2).clamp(FIRST, LONGEST) };
        self.until = now + self.span;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crash_loops_wait_from_one_second_to_sixty() {
        let mut backoff = Backoff::default();
        let mut now = Duration::from_secs(100);
        assert_eq!(backoff.remaining(now), Duration::ZERO);
        let mut waits = Vec::new();
        for _ in 0..8 {
            backoff.ended(now, Duration::from_millis(3));
            waits.push(backoff.remaining(now).as_secs());
            now += backoff.remaining(now);
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
        backoff.ended(now, STABLE);
        assert_eq!(backoff.remaining(now), FIRST);
    }
}
