//! A child's standard error: first the helper's report, then whatever the program writes, into the log within bounds.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::ChildStderr;

use crate::confine;
use crate::health::clean;
use crate::upstream::Shared;

/// Bytes of a line that are kept.
const LINE: usize = 4 << 10;
/// Lines that are logged in [`SPAN`]; the rest is counted.
const LINES: u32 = 20;
const SPAN: Duration = Duration::from_secs(1);

/// Reads until the end. While this runs, the helper knows that the gateway lives.
pub(super) async fn read(shared: Arc<Shared>, from: ChildStderr) {
    let mut lines = Cut::new(from);
    // INVARIANT: only the helper is believed, and it speaks before the program and, if that cannot be run, just after.
    let mut reported = false;
    while let Some(line) = lines.next().await {
        match line.strip_prefix(confine::REPORT).filter(|_| !reported) {
            Some(report) => {
                note_report(&shared, report);
                reported = true;
            }
            None if helper_says(&shared, &line, reported) => {}
            None => {
                tell(&shared, &line);
                break;
            }
        }
    }
    let mut budget = Budget::default();
    while let Some(line) = lines.next().await {
        match budget.spend(shared.parts.clock.monotonic()) {
            Spend::Allowed { missed: 0 } => tell(&shared, &line),
            Spend::Allowed { missed } => {
                tracing::info!(server = shared.name(), missed, "lines of a child were left out of the log");
                tell(&shared, &line);
            }
            Spend::Refused => {}
        }
    }
}

fn note_report(shared: &Shared, report: &str) {
    match serde_json::from_str(report) {
        Ok(report) => shared.pulse.note(|health| health.confinement = Some(report)),
        Err(error) => tracing::warn!(server = shared.name(), %error, "the helper's report cannot be read"),
    }
}

/// Handles a line of the helper. False if it is none.
fn helper_says(shared: &Shared, line: &str, reported: bool) -> bool {
    if let Some(why) = line.strip_prefix(confine::FAILURE) {
        tracing::warn!(server = shared.name(), why = clean(why), "a child was not started");
        shared.pulse.note(|health| health.last_error = Some(clean(why)));
        return true;
    }
    let Some(why) = line.strip_prefix(confine::NO_NAMESPACES).filter(|_| !reported) else { return false };
    tracing::warn!(server = shared.name(), why = clean(why), "children run without namespaces from now on");
    shared.without_namespaces.store(true, Ordering::Relaxed);
    true
}

fn tell(shared: &Shared, line: &str) {
    tracing::info!(server = shared.name(), line = clean(line), "a child says");
}

/// Lines cut to [`LINE`] bytes, however long they are.
struct Cut<R> {
    from: R,
    line: Vec<u8>,
    chunk: Vec<u8>,
    at: usize,
}

impl<R: AsyncRead + Unpin> Cut<R> {
    fn new(from: R) -> Self {
        Self { from, line: Vec::new(), chunk: Vec::new(), at: 0 }
    }

    async fn next(&mut self) -> Option<String> {
        self.line.clear();
        loop {
            let rest = self.chunk.get(self.at..).unwrap_or_default();
            let end = memchr::memchr(b'\n', rest);
            let piece = end.map_or(rest, |end| &rest[..end]);
            let room = LINE.saturating_sub(self.line.len());
            self.line.extend_from_slice(&piece[..piece.len().min(room)]);
            if let Some(end) = end {
                self.at += end + 1;
                return Some(String::from_utf8_lossy(&self.line).into_owned());
            }
            self.chunk.clear();
            self.at = 0;
            self.chunk.reserve(LINE);
            // A read error means that the child is gone, like the end.
            if self.from.read_buf(&mut self.chunk).await.unwrap_or(0) == 0 {
                return (!self.line.is_empty()).then(|| String::from_utf8_lossy(&self.line).into_owned());
            }
        }
    }
}

/// How many lines may be logged.
#[derive(Debug, Default)]
struct Budget {
    since: Duration,
    spent: u32,
    missed: u64,
}

#[derive(Debug, PartialEq, Eq)]
enum Spend {
    Allowed { missed: u64 },
    Refused,
}

impl Budget {
    fn spend(&mut self, now: Duration) -> Spend {
        if now.saturating_sub(self.since) >= SPAN {
            self.since = now;
            self.spent = 0;
        }
        if self.spent >= LINES {
            self.missed += 1;
            return Spend::Refused;
        }
        self.spent += 1;
        Spend::Allowed { missed: std::mem::take(&mut self.missed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_counted_and_told_once_when_it_is_over() {
        let mut budget = Budget::default();
        let now = Duration::from_secs(9);
        let allowed = (0..1_000).filter(|_| budget.spend(now) != Spend::Refused).count();
        assert_eq!(allowed, 20);
        assert_eq!(budget.spend(now + SPAN), Spend::Allowed { missed: 980 });
    }

    #[tokio::test]
    async fn a_long_line_is_cut_and_the_next_is_read() {
        let text = format!("{}\nnext\nlast", "x".repeat(100_000));
        let mut lines = Cut::new(text.as_bytes());
        assert_eq!(lines.next().await.unwrap().len(), LINE);
        assert_eq!(lines.next().await.as_deref(), Some("next"));
        assert_eq!(lines.next().await.as_deref(), Some("last"));
        assert_eq!(lines.next().await, None);
    }
}
