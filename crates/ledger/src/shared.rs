//! What the appenders and the ledger's threads share, and the way of a record from an appender to the file.
//!
//! In place when nobody else is writing (a thread hop costs more than the write), else by the queue. Nobody
//! on the async side ever waits for the writer's mutex.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bailiwick_config::Durability;
use bailiwick_model::{Clock, Receipt, RecordFailed, Recording};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::watch;

use crate::WitnessStatus;
use crate::file::Medium;
use crate::line::Mark;
use crate::note::SignedCheckpoint;
use crate::queue::{Askers, Entry, Group, Queue};
use crate::writer::{Pulse, WriteFailed, Writer, as_record};

/// How often a writer that is busy is asked again, some tens of nanoseconds apart, before a record is handed over.
const SPINS: usize = 50;

/// So often an appender takes others' records along before it leaves them to the keeper.
const ROUNDS: usize = 4;

/// What is known of the disk.
#[derive(Debug, Default)]
pub(crate) struct Health {
    /// A write failed and no probe has succeeded since.
    pub(crate) unwritable: AtomicBool,
    /// A write or probe does not return.
    pub(crate) stalled: AtomicBool,
    /// A probe takes long: nothing is written in place for now.
    pub(crate) slow: AtomicBool,
    pub(crate) closed: AtomicBool,
    /// The writer's.
    pub(crate) pulse: Pulse,
    /// The probe's.
    pub(crate) probe: Pulse,
    /// How many records were not taken since the start.
    pub(crate) refused: AtomicU64,
    /// The watch's count, by which waiting is measured.
    pub(crate) tick: AtomicU64,
}

impl Health {
    pub(crate) fn refused(&self, records: u64) {
        self.refused.fetch_add(records, Ordering::Relaxed);
    }

    pub(crate) fn is_available(&self) -> bool {
        !self.unwritable.load(Ordering::Relaxed)
            && !self.stalled.load(Ordering::Relaxed)
            && !self.closed.load(Ordering::Relaxed)
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) dir: PathBuf,
    pub(crate) settings: bailiwick_config::Ledger,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) medium: Arc<dyn Medium>,
    pub(crate) writer: Mutex<Writer>,
    pub(crate) queue: Queue,
    pub(crate) health: Health,
    /// Those who wait for the group that is being written.
    pub(crate) inflight: Mutex<Arc<Askers>>,
    /// How many records the last checkpoint tells of.
    pub(crate) signed: AtomicU64,
    /// The last checkpoint, for those who pass it on.
    pub(crate) newest: watch::Sender<Option<SignedCheckpoint>>,
    /// How those are to whom it is passed on.
    pub(crate) witnesses: Mutex<Vec<watch::Receiver<WitnessStatus>>>,
}

impl Shared {
    pub(crate) fn append(&self, members: &[u8], mark: Mark) -> Recording {
        if self.health.closed.load(Ordering::Relaxed) {
            return self.refuse(RecordFailed::Closed);
        }
        if self.health.unwritable.load(Ordering::Relaxed) {
            return self.refuse(RecordFailed::Unwritable);
        }
        let in_place = self.in_place();
        if in_place && let Some(writer) = self.writer_soon() {
            let result = self.write(writer, Some((members, mark)));
            self.take_along(ROUNDS);
            return match result {
                Ok(index) => Recording::Settled(Ok(Receipt { index })),
                Err(failed) => self.refuse(failed),
            };
        }
        self.hand_over(Entry { members: members.into(), mark }, in_place)
    }

    fn refuse(&self, failed: RecordFailed) -> Recording {
        self.health.refused(1);
        Recording::Settled(Err(failed))
    }

    /// The writer, if it is free now or in the microseconds that another record takes: handing a record over and being
    /// woken costs more than that. Not if others wait already, since they are written together.
    fn writer_soon(&self) -> Option<MutexGuard<'_, Writer>> {
        for _ in 0..SPINS {
            let writer = self.writer.try_lock();
            if writer.is_some() || !self.queue.is_empty() {
                return writer;
            }
            std::hint::spin_loop();
        }
        None
    }

    fn in_place(&self) -> bool {
        self.settings.durability == Durability::Os
            && !self.health.slow.load(Ordering::Relaxed)
            && !self.health.stalled.load(Ordering::Relaxed)
    }

    fn hand_over(&self, entry: Entry, in_place: bool) -> Recording {
        let tick = self.health.tick.load(Ordering::Relaxed);
        let mut told = match self.queue.push(entry, tick, !in_place) {
            Ok(told) => told,
            Err(failed) => return self.refuse(failed),
        };
        if in_place {
            // The holder may have looked at the queue before this record was in it.
            self.take_along(ROUNDS);
            if let Ok(outcome) = told.try_recv() {
                return Recording::Settled(outcome);
            }
        }
        Recording::Pending(Box::pin(async move { told.await.unwrap_or(Err(RecordFailed::Closed)) }))
    }

    /// Writes what waits, as long as the writer is free: whoever gives the writer back must call this, or the
    /// records enqueued meanwhile would wait for the next one.
    fn take_along(&self, rounds: usize) {
        for _ in 0..rounds {
            if self.queue.is_empty() {
                return;
            }
            let Some(writer) = self.writer.try_lock() else { return };
            // A failure is told to those who wait.
            let _ = self.write(writer, None);
        }
        if !self.queue.is_empty() {
            self.queue.ring();
        }
    }

    /// Writes what waits, waiting for the writer: for the ledger's own threads.
    pub(crate) fn drain(&self) {
        while !self.queue.is_empty() {
            let _ = self.write(self.writer.lock(), None);
        }
    }

    /// Does something with the writer, waiting for it: for the ledger's own threads.
    pub(crate) fn with_writer<T>(&self, act: impl FnOnce(&mut Writer) -> T) -> T {
        let done = act(&mut self.writer.lock());
        self.drain();
        done
    }

    /// Writes the queue and one's own record behind it. Tells the own one's index, or the next.
    fn write(
        &self,
        mut writer: MutexGuard<'_, Writer>,
        own: Option<(&[u8], Mark)>,
    ) -> Result<u64, RecordFailed> {
        let group = if self.queue.is_empty() { None } else { Some(self.queue.take()) };
        let others = group.as_ref().map_or(0, |group| group.entries.len() as u64);
        let written = match &group {
            None => writer.write(self.clock.now(), own.as_slice(), &self.health.pulse),
            Some(group) => self.write_group(&mut writer, group, own),
        };
        let result = written.map_err(|failed| self.note(&failed));
        if result.is_ok() && writer.len >= self.settings.segment_bytes {
            self.queue.ring();
        }
        drop(writer);
        if let Some(group) = group {
            let told = group.settle(result);
            if result.is_err() {
                self.health.refused(told);
            }
        }
        result.map(|first| first + others)
    }

    fn write_group(
        &self,
        writer: &mut Writer,
        group: &Group,
        own: Option<(&[u8], Mark)>,
    ) -> Result<u64, WriteFailed> {
        *self.inflight.lock() = group.askers();
        let records: Vec<_> = group.entries.iter().map(as_record).chain(own).collect();
        writer.write(self.clock.now(), &records, &self.health.pulse)
    }

    /// A failed write makes the ledger unavailable until the keeper has repaired it.
    fn note(&self, failed: &WriteFailed) -> RecordFailed {
        if let WriteFailed::Closed = failed {
            return RecordFailed::Closed;
        }
        if !self.health.unwritable.swap(true, Ordering::Relaxed) {
            tracing::error!(error = %failed, "the ledger cannot write; calls are refused until it can");
        }
        RecordFailed::Unwritable
    }
}
