//! The one writer: makes lines of records, writes them at the end of the segment, and follows the tree.
//!
//! A write is all or nothing: what fails or falls short is cut off again, and until that is done nothing more
//! is written. State moves on only after the bytes stand.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bailiwick_model::Timestamp;

use crate::check::State;
use crate::file::{SegmentFile, write_all_at};
use crate::line::{self, Link, Mark, OpenCalls};
use crate::queue::Entry;
use crate::segment::Segment;
use crate::stamp::Stamp;
use crate::tree::{LEAF_PREFIX, prefixed_leaf_hash};
use crate::{CompactRange, Counts};

/// A buffer that grew beyond this is given back.
const KEEP_BUFFER: usize = 1 << 20;

/// Odd while something is under way: lets the watch see, without a clock, that it does not end.
#[derive(Debug, Default)]
pub(crate) struct Pulse(AtomicU64);

impl Pulse {
    pub(crate) fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        self.0.fetch_add(1, Ordering::Relaxed);
        let done = work();
        self.0.fetch_add(1, Ordering::Relaxed);
        done
    }

    pub(crate) fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteFailed {
    /// An earlier failure is not repaired yet.
    #[error("an earlier failure is not repaired yet")]
    Broken,
    /// The ledger is closed.
    #[error("the ledger is closed")]
    Closed,
    /// The file system said no.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) segment: Segment,
    file: Arc<dyn SegmentFile>,
    /// The segment's length: everything up to here is whole lines.
    pub(crate) len: u64,
    /// When the segment was begun.
    pub(crate) begun: Timestamp,
    pub(crate) range: CompactRange,
    link: Link,
    last: Timestamp,
    pub(crate) open: OpenCalls,
    /// What was written since the start.
    pub(crate) counts: Counts,
    /// A failed write could not be cut off yet.
    pub(crate) broken: bool,
    /// The segment is no longer where, or as long as, it was.
    pub(crate) displaced: bool,
    pub(crate) closed: bool,
    sync: bool,
    stamp: Stamp,
    /// A zero, the leaf prefix, then lines. Their line feeds become leaf prefixes while they are hashed.
    buffer: Vec<u8>,
    saved: CompactRange,
}

/// What the keeper needs of a segment that is closed, or of one that it makes durable.
#[derive(Debug)]
pub(crate) struct Behind {
    pub(crate) segment: Segment,
    pub(crate) file: Arc<dyn SegmentFile>,
    pub(crate) len: u64,
    pub(crate) state: State,
}

impl Writer {
    /// Goes on at the end of a segment; `sync` makes every write durable.
    pub(crate) fn new(behind: Behind, now: Timestamp, sync: bool) -> Self {
        let last = behind.state.time.parse().unwrap_or_default();
        Self {
            segment: behind.segment,
            file: behind.file,
            len: behind.len,
            begun: now,
            range: behind.state.range,
            link: behind.state.link,
            last,
            open: behind.state.open,
            counts: Counts::default(),
            broken: false,
            displaced: false,
            closed: false,
            sync,
            stamp: Stamp::new(),
            buffer: vec![LEAF_PREFIX],
            saved: CompactRange::default(),
        }
    }

    /// Writes records in this order, all or none. Tells the first one's index.
    pub(crate) fn write(
        &mut self,
        now: Timestamp,
        records: &[(&[u8], Mark)],
        pulse: &Pulse,
    ) -> Result<u64, WriteFailed> {
        if self.broken || self.displaced {
            return Err(WriteFailed::Broken);
        }
        if self.closed {
            return Err(WriteFailed::Closed);
        }
        let first = self.range.size();
        let (link, last) = (self.link, self.last);
        self.saved.clone_from(&self.range);
        self.prepare(now, records);
        if let Err(error) = pulse.during(|| self.put()) {
            self.range.clone_from(&self.saved);
            (self.link, self.last) = (link, last);
            return Err(error.into());
        }
        let written = self.buffer.len() as u64 - 1;
        self.len += written;
        self.counts.bytes += written;
        for ((_, mark), index) in records.iter().zip(first..) {
            self.open.apply(*mark, index);
            self.counts.note(*mark);
        }
        if self.buffer.capacity() > KEEP_BUFFER {
            self.buffer = vec![LEAF_PREFIX];
        }
        Ok(first)
    }

    /// Lines into the buffer, leaves into the tree.
    fn prepare(&mut self, now: Timestamp, records: &[(&[u8], Mark)]) {
        // Time never runs backwards within a ledger, whatever the wall clock does.
        self.last = self.last.max(now);
        let time = *self.stamp.write(self.last);
        self.buffer.truncate(1);
        for (members, _) in records {
            let start = self.buffer.len();
            line::write(&mut self.buffer, self.range.size(), &time, self.link, members);
            let feed = std::mem::replace(&mut self.buffer[start - 1], LEAF_PREFIX);
            let end = self.buffer.len() - 1;
            let leaf = prefixed_leaf_hash(&self.buffer[start - 1..end]);
            self.buffer[start - 1] = feed;
            self.range.push(leaf);
            self.link = Link::to(leaf);
        }
    }

    fn put(&mut self) -> std::io::Result<()> {
        let written = write_all_at(&*self.file, &self.buffer[1..], self.len)
            .and_then(|()| if self.sync { self.file.sync() } else { Ok(()) });
        written.inspect_err(|_| {
            self.broken = self.file.set_len(self.len).is_err();
        })
    }

    /// Cuts off what a failed write may have left; after this the writer takes records again.
    pub(crate) fn repair(&mut self) -> Result<(), WriteFailed> {
        if self.displaced {
            return Err(WriteFailed::Broken);
        }
        self.file.set_len(self.len)?;
        self.broken = false;
        Ok(())
    }

    /// The state now, to be sealed or signed.
    pub(crate) fn behind(&self) -> Behind {
        Behind {
            segment: self.segment.clone(),
            file: Arc::clone(&self.file),
            len: self.len,
            state: State {
                range: self.range.clone(),
                link: self.link,
                time: self.last.to_string(),
                open: self.open.clone(),
            },
        }
    }

    /// Goes on in a new segment; tells the state at the end of the old one.
    pub(crate) fn turn(&mut self, segment: Segment, file: Arc<dyn SegmentFile>, now: Timestamp) -> Behind {
        let behind = self.behind();
        self.segment = segment;
        self.file = file;
        self.len = 0;
        self.begun = now;
        behind
    }

    /// The file that is being written, for its `sync` outside the writer's lock.
    pub(crate) fn file(&self) -> Arc<dyn SegmentFile> {
        Arc::clone(&self.file)
    }
}

/// A queued record as the writer takes it.
pub(crate) fn as_record(entry: &Entry) -> (&[u8], Mark) {
    (&entry.members, entry.mark)
}
