//! Two small threads that see a disk that hangs: the probe writes a byte now and then, the watch looks whether
//! writes and probes return. The watch does no I/O, so nothing keeps it from telling those who wait.
//!
//! Time is counted in the watch's own ticks: no clock is read on the way of a record, and a process that was
//! stopped and continued does not find itself stalled.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::file::write_all_at;
use crate::segment::PROBE;
use crate::shared::Shared;

/// How often the probe writes.
const PROBE_PACE: Duration = Duration::from_millis(250);

/// In what fraction of the time after which waiting is given up a hanging write is noticed.
const NOTICE: u64 = 4;

/// Ticks until waiting is given up.
const PATIENCE: u64 = 40;

/// Ticks after which a probe is slow: other threads than the appenders' write then.
const SLOW: u64 = 2;

/// Ends the threads.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    stopped: Mutex<bool>,
    bell: Condvar,
}

impl Stop {
    pub(crate) fn stop(&self) {
        *self.stopped.lock() = true;
        self.bell.notify_all();
    }

    /// Pauses; tells whether to go on.
    fn pause(&self, time: Duration) -> bool {
        let mut stopped = self.stopped.lock();
        if !*stopped {
            self.bell.wait_for(&mut stopped, time);
        }
        !*stopped
    }
}

/// Writes a byte to the ledger's directory at each step, so that a hanging or failing disk shows before a
/// call meets it.
pub(crate) fn probe(shared: &Shared, stop: &Stop) {
    while stop.pause(PROBE_PACE) {
        let path = shared.dir.join(PROBE);
        let done = shared.health.probe.during(|| {
            let file = shared.medium.open(&path)?;
            write_all_at(&*file, b".", 0)
        });
        if let Err(error) = done
            && !shared.health.unwritable.swap(true, Ordering::Relaxed)
        {
            tracing::error!(%error, "the ledger's directory cannot be written; calls are refused until it can");
        }
    }
}

/// See the module.
pub(crate) fn watch(shared: &Shared, stop: &Stop) {
    let tick = (shared.settings.stall / u32::try_from(PATIENCE).unwrap_or(1)).max(Duration::from_millis(1));
    let mut writes = Stillness::default();
    let mut probes = Stillness::default();
    while stop.pause(tick) {
        let now = shared.health.tick.fetch_add(1, Ordering::Relaxed) + 1;
        let write = writes.after(shared.health.pulse.read());
        let probe = probes.after(shared.health.probe.read());
        shared.health.slow.store(probe.max(write) >= SLOW, Ordering::Relaxed);
        tell_stall(shared, probe.max(write) >= PATIENCE / NOTICE);
        // One tick early: the moment of the append lies within a tick.
        if let Some(since) = now.checked_sub(PATIENCE - 1) {
            shared.health.refused(shared.queue.expire(since));
            let askers = Arc::clone(&shared.inflight.lock());
            shared.health.refused(askers.expire(since));
        }
    }
}

fn tell_stall(shared: &Shared, stalled: bool) {
    if shared.health.stalled.swap(stalled, Ordering::Relaxed) == stalled {
        return;
    }
    if stalled {
        tracing::error!("the disk does not finish writing; calls are refused until it does");
    } else {
        tracing::info!("the disk finishes writing again");
    }
}

/// Counts for how many ticks the same work has been under way.
#[derive(Debug, Default)]
struct Stillness {
    seen: u64,
    ticks: u64,
}

impl Stillness {
    fn after(&mut self, pulse: u64) -> u64 {
        // Odd: under way (see `Pulse`).
        self.ticks = if pulse % 2 == 1 && pulse == self.seen { self.ticks + 1 } else { 0 };
        self.seen = pulse;
        self.ticks
    }
}
