//! How a server is: for `server show`, `readyz` and the console.

use std::sync::atomic::{AtomicBool, Ordering};

use bailiwick_mcp::Era;
use bailiwick_model::{Clock, Timestamp};
use parking_lot::Mutex;

use crate::confine::Report;

/// A server's health as last seen.
#[derive(Debug, Clone, Default)]
pub struct Health {
    /// Up, down or not known yet.
    pub state: State,
    /// Since when.
    pub since: Option<Timestamp>,
    /// What went wrong last, in the gateway's own words, cleaned.
    pub last_error: Option<String>,
    /// When that was.
    pub last_error_at: Option<Timestamp>,
    /// The eras that it was found to speak, newest first.
    pub eras: Vec<Era>,
    /// Children that run now.
    pub children: usize,
    /// Messages dropped because nobody waited for them.
    pub strays: u64,
    /// What holds of its children's confinement; none before the first child, and for HTTP.
    pub confinement: Option<Report>,
}

/// Up, down or not known yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Not contacted yet.
    #[default]
    Unknown,
    /// It answered last time.
    Up,
    /// It did not.
    Down,
}

/// Keeps a server's health.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    is_up: AtomicBool,
    health: Mutex<Health>,
}

impl Pulse {
    /// It answered. Answers whether it had been down.
    pub(crate) fn up(&self, clock: &dyn Clock) -> bool {
        // Each call comes by here: no clock and no write unless something changes.
        if self.is_up.load(Ordering::Relaxed) {
            return false;
        }
        let mut health = self.health.lock();
        let was_down = health.state == State::Down;
        health.state = State::Up;
        health.since = Some(clock.now());
        self.is_up.store(true, Ordering::Relaxed);
        was_down
    }

    /// It did not.
    pub(crate) fn down(&self, now: Timestamp, error: &str) {
        let mut health = self.health.lock();
        self.is_up.store(false, Ordering::Relaxed);
        if health.state != State::Down {
            health.state = State::Down;
            health.since = Some(now);
        }
        health.last_error = Some(clean(error));
        health.last_error_at = Some(now);
    }

    /// Changes the rest.
    pub(crate) fn note(&self, change: impl FnOnce(&mut Health)) {
        change(&mut self.health.lock());
    }

    pub(crate) fn read(&self) -> Health {
        self.health.lock().clone()
    }
}

/// The text without control characters, at most 300 characters.
pub(crate) fn clean(text: &str) -> String {
    text.chars().take(300).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
