//! From the end of the last run to a running ledger: the writer where it left off, what was left open closed,
//! the threads started. The counterpart, their end, is here too.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;
use std::{io, thread};

use bailiwick_config::Durability;
use bailiwick_model::record::{Outcome, Status, Timing, Upstream};
use bailiwick_model::{CallId, Clock, Record};
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::file::Medium;
use crate::keeper::{Keeper, Signing};
use crate::keys::Signer;
use crate::line::Mark;
use crate::lock::Lock;
use crate::notes::NotesFile;
use crate::open::{Ending, OpenError};
use crate::queue::Queue;
use crate::segment::Segment;
use crate::shared::{Health, Shared};
use crate::watch::{Stop, probe, watch};
use crate::writer::{Behind, Writer};

/// How long closing waits for the disk.
const CLOSE_PATIENCE: Duration = Duration::from_secs(5);

/// So many open calls are closed by one write.
const CHUNK: usize = 1024;

/// The ledger could not be closed properly. Its records are safe; the next start finds their end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CloseError {
    /// The disk does not finish writing.
    #[error("the disk does not finish writing; the ledger is left as it is")]
    Stalled,
}

/// What a ledger is begun with.
pub(crate) struct Begin<'a> {
    pub(crate) dir: &'a Path,
    pub(crate) settings: bailiwick_config::Ledger,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) medium: Arc<dyn Medium>,
    pub(crate) signer: Signer,
}

impl Begin<'_> {
    /// Goes on at the end that was found.
    pub(crate) fn at(self, ending: Ending) -> Result<(Shared, Signing), OpenError> {
        let next = ending.state.range.size();
        let (segment, len) = ending.segment.unwrap_or_else(|| (Segment::new(self.dir, next), 0));
        let file = self.medium.open(&segment.path).map_err(OpenError::io(&segment.path))?;
        let notes = NotesFile::open(&segment, ending.notes_len).map_err(OpenError::io(&segment.notes()))?;
        let signed = ending.last.as_ref().map_or(0, |note| note.checkpoint().size);
        let behind = Behind { segment, file, len, state: ending.state };
        let sync = self.settings.durability == Durability::Disk;
        let signing = Signing {
            signer: self.signer,
            next: None,
            notes,
            last: ending.last,
            last_at: self.clock.monotonic(),
            unsealed: None,
        };
        let shared = Shared {
            dir: self.dir.to_owned(),
            settings: self.settings,
            writer: Mutex::new(Writer::new(behind, self.clock.now(), sync)),
            clock: self.clock,
            medium: self.medium,
            queue: Queue::default(),
            health: Health::default(),
            inflight: Mutex::default(),
            signed: AtomicU64::new(signed),
            newest: watch::Sender::new(signing.last.clone()),
            witnesses: Mutex::default(),
        };
        Ok((shared, signing))
    }
}

/// Gives every call that the last run left open an outcome: whether its server acted is not known.
pub(crate) fn close_open_calls(shared: &Shared) -> Result<(), OpenError> {
    let mut writer = shared.writer.lock();
    let open = writer.open.sorted();
    for calls in open.chunks(CHUNK) {
        let records = calls.iter().map(|(call, _)| unknown(*call)).collect::<Result<Vec<_>, _>>();
        let records = records.map_err(|error| OpenError::Append(error.to_string()))?;
        let records: Vec<_> = records
            .iter()
            .zip(calls)
            .map(|(bytes, (call, _))| (bytes.as_slice(), Mark::Closes(*call, Some(Status::Unknown))))
            .collect();
        writer
            .write(shared.clock.now(), &records, &shared.health.pulse)
            .map_err(|failed| OpenError::Append(failed.to_string()))?;
    }
    if !open.is_empty() {
        tracing::warn!(
            calls = open.len(),
            "calls were under way when the last run ended: recorded as unknown"
        );
    }
    Ok(())
}

fn unknown(call: CallId) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&Record::Outcome(Outcome {
        call,
        status: Status::Unknown,
        code: None,
        detail: Some("the gateway ended before the call did"),
        upstream: Upstream::default(),
        is_error: None,
        result: None,
        timing: Timing::default(),
    }))
}

/// The running ledger's threads.
#[derive(Debug)]
pub(crate) struct Threads {
    stop: Arc<Stop>,
    keeper_ended: Receiver<()>,
}

impl Threads {
    /// Starts them. The keeper has the lock: it is given back when nothing more is written, not before.
    pub(crate) fn start(shared: &Arc<Shared>, signing: &Arc<Mutex<Signing>>, lock: Lock) -> io::Result<Self> {
        let stop = Arc::new(Stop::default());
        let (ended, keeper_ended) = sync_channel(1);
        let keeper = Keeper { shared: Arc::clone(shared), signing: Arc::clone(signing) };
        named("ledger-keeper", move || {
            keeper.run();
            drop(lock);
            // Nobody listens any more if closing was given up.
            let _ = ended.send(());
        })?;
        for (name, work) in [("ledger-watch", watch as fn(&Shared, &Stop)), ("ledger-probe", probe)] {
            let (shared, stop) = (Arc::clone(shared), Arc::clone(&stop));
            named(name, move || work(&shared, &stop))?;
        }
        Ok(Self { stop, keeper_ended })
    }

    /// Waits until the keeper, whose queue is closed, has ended.
    pub(crate) fn end(self) -> Result<(), CloseError> {
        let ended = self.keeper_ended.recv_timeout(CLOSE_PATIENCE);
        self.stop.stop();
        ended.map_err(|_| CloseError::Stalled)
    }
}

fn named(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name(name.to_owned()).spawn(work).map(drop)
}
