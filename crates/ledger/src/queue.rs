//! Records that found the writer busy, until whoever holds it, or the keeper's thread, takes them along.
//!
//! No wake-up is lost: an appender enqueues and then tries for the writer; a holder gives the writer back and
//! then looks at the queue. Both pass through the queue's mutex, so one of them sees the other.

use std::sync::Arc;
use std::time::Duration;

use bailiwick_model::{Receipt, RecordFailed};
use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

use crate::line::Mark;

/// How an append ended.
pub(crate) type Outcome = Result<Receipt, RecordFailed>;

/// More than this many waiting records are refused: memory stays bounded while the disk hangs.
const MOST: usize = 65_536;

/// A serialised record and what it does to the open calls.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) members: Box<[u8]>,
    pub(crate) mark: Mark,
}

#[derive(Debug)]
struct Waiting {
    entry: Entry,
    asker: Asker,
}

/// Who waits for a record, and since which tick.
#[derive(Debug)]
struct Asker {
    since: u64,
    tell: oneshot::Sender<Outcome>,
}

#[derive(Debug, Default)]
struct Inner {
    waiting: Vec<Waiting>,
    closed: bool,
    rung: bool,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    inner: Mutex<Inner>,
    bell: Condvar,
}

impl Queue {
    /// Adds a record at the given tick; `ring` wakes the keeper to take it.
    pub(crate) fn push(
        &self,
        entry: Entry,
        since: u64,
        ring: bool,
    ) -> Result<oneshot::Receiver<Outcome>, RecordFailed> {
        let (tell, told) = oneshot::channel();
        let mut inner = self.inner.lock();
        if inner.closed {
            return Err(RecordFailed::Closed);
        }
        if inner.waiting.len() >= MOST {
            return Err(RecordFailed::Stalled);
        }
        inner.waiting.push(Waiting { entry, asker: Asker { since, tell } });
        if ring {
            inner.rung = true;
            self.bell.notify_one();
        }
        Ok(told)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.inner.lock().waiting.is_empty()
    }

    /// Takes all that wait.
    pub(crate) fn take(&self) -> Group {
        let waiting = std::mem::take(&mut self.inner.lock().waiting);
        let (entries, askers) = waiting.into_iter().map(|w| (w.entry, Some(w.asker))).unzip();
        Group { entries, askers: Arc::new(Askers(Mutex::new(askers))) }
    }

    /// Tells those who have waited since this tick or longer that it takes too long, and forgets their
    /// records: what is refused here is never written. Says how many.
    pub(crate) fn expire(&self, since: u64) -> u64 {
        let mut inner = self.inner.lock();
        let mut told = 0;
        for late in inner.waiting.extract_if(.., |waiting| waiting.asker.since <= since) {
            // An asker that went away needs no answer.
            let _ = late.asker.tell.send(Err(RecordFailed::Stalled));
            told += 1;
        }
        told
    }

    /// Wakes the keeper.
    pub(crate) fn ring(&self) {
        self.inner.lock().rung = true;
        self.bell.notify_one();
    }

    /// Refuses further records and wakes the keeper.
    pub(crate) fn close(&self) {
        self.inner.lock().closed = true;
        self.bell.notify_one();
    }

    /// The keeper's pause: until somebody rings, or the time is over. Tells whether the queue is closed.
    pub(crate) fn pause(&self, at_most: Duration) -> bool {
        let mut inner = self.inner.lock();
        if !inner.rung && !inner.closed {
            self.bell.wait_for(&mut inner, at_most);
        }
        inner.rung = false;
        inner.closed
    }
}

/// Records that are written together.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) entries: Vec<Entry>,
    askers: Arc<Askers>,
}

impl Group {
    pub(crate) fn askers(&self) -> Arc<Askers> {
        Arc::clone(&self.askers)
    }

    /// Tells everyone who still waits: the records have the indices from `first` on, or all failed. Says how many they are.
    pub(crate) fn settle(self, result: Result<u64, RecordFailed>) -> u64 {
        let mut told = 0;
        for (asker, nth) in self.askers.0.lock().iter_mut().zip(0..) {
            if let Some(asker) = asker.take() {
                let outcome = result.map(|first| Receipt { index: first + nth });
                // An asker that went away needs no answer; its record stands.
                let _ = asker.tell.send(outcome);
                told += 1;
            }
        }
        told
    }
}

/// Those who wait for a group that is being written.
#[derive(Debug, Default)]
pub(crate) struct Askers(Mutex<Vec<Option<Asker>>>);

impl Askers {
    /// Tells those who have waited since this tick or longer that it takes too long. Their records may yet
    /// be written, whole. Says how many they are.
    pub(crate) fn expire(&self, since: u64) -> u64 {
        let mut told = 0;
        for slot in self.0.lock().iter_mut() {
            if let Some(late) = slot.take_if(|asker| asker.since <= since) {
                let _ = late.tell.send(Err(RecordFailed::Stalled));
                told += 1;
            }
        }
        told
    }
}
