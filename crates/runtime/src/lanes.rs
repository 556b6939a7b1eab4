//! The threads that serve connections: one lane for each core, and a connection stays on its lane. What a call
//! touches is then in one core's cache, and no thread has to be woken to go on with it.
//!
//! A lane is a runtime with two workers of which one is held back. When the other one is stuck (a write to a disk
//! that hangs, say), the reserve is let go and serves the lane's connections: only the call that is stuck waits.

use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;

/// How often a lane is asked whether it still runs, which is also how long it may take to say so.
const LOOK: Duration = Duration::from_millis(250);
/// Looks that a reserve stays in service before it is held back again.
const SERVICE: u32 = 120;

/// The lanes of a process. Clones are handles to the same.
#[derive(Debug, Clone)]
pub struct Lanes(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    first: Lane,
    others: Vec<Lane>,
    stop: Arc<Gate>,
}

#[derive(Debug)]
struct Lane {
    handle: Handle,
    /// Dropped from outside of the runtime's own threads, without waiting.
    runtime: Option<Runtime>,
    seated: Arc<AtomicUsize>,
}

impl Lanes {
    /// Starts one lane for each core of the machine.
    ///
    /// # Errors
    /// If the kernel gives no threads.
    pub fn start() -> io::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let first = Lane::start()?;
        let others = (1..cores).map(|_| Lane::start()).collect::<io::Result<Vec<_>>>()?;
        let inner = Inner { first, others, stop: Arc::default() };
        let watched = inner.lanes().map(|lane| Watched::new(lane.handle.clone())).collect();
        let stop = Arc::clone(&inner.stop);
        std::thread::Builder::new().name("lanes-watch".to_owned()).spawn(move || watch(watched, &stop))?;
        Ok(Self(Arc::new(inner)))
    }

    /// A seat on the lane with the fewest.
    pub(crate) fn seat(&self) -> Seat {
        let taken = |lane: &Lane| lane.seated.load(Ordering::Relaxed);
        let first = &self.0.first;
        let lane = self.0.others.iter().fold(first, |best, lane| if taken(lane) < taken(best) { lane } else { best });
        lane.seated.fetch_add(1, Ordering::Relaxed);
        Seat { lane: lane.handle.clone(), seated: Arc::clone(&lane.seated) }
    }
}

impl Inner {
    fn lanes(&self) -> impl Iterator<Item = &Lane> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stop.open();
        for lane in std::iter::once(&mut self.first).chain(&mut self.others) {
            if let Some(runtime) = lane.runtime.take() {
                runtime.shutdown_background();
            }
        }
    }
}

impl Lane {
    fn start() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(2).thread_name("lane").enable_all().build()?;
        Ok(Self { handle: runtime.handle().clone(), runtime: Some(runtime), seated: Arc::default() })
    }
}

/// A connection's place on a lane.
#[derive(Debug)]
pub(crate) struct Seat {
    lane: Handle,
    seated: Arc<AtomicUsize>,
}

impl Seat {
    pub(crate) fn lane(&self) -> &Handle {
        &self.lane
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seated.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Something that a thread waits for.
#[derive(Debug, Default)]
struct Gate {
    open: Mutex<bool>,
    bell: Condvar,
}

impl Gate {
    fn open(&self) {
        *self.open.lock() = true;
        self.bell.notify_all();
    }

    fn wait(&self) {
        self.bell.wait_while(&mut self.open.lock(), |open| !*open);
    }

    /// Whether it opened within `time`.
    fn wait_for(&self, time: Duration) -> bool {
        let mut open = self.open.lock();
        self.bell.wait_while_for(&mut open, |open| !*open, time);
        *open
    }
}

/// A lane as the watch sees it.
struct Watched {
    lane: Handle,
    reserve: Reserve,
    question: Option<JoinHandle<()>>,
}

enum Reserve {
    /// Behind a gate.
    Held(Arc<Gate>),
    /// For so many looks more.
    Serving(u32),
}

impl Watched {
    fn new(lane: Handle) -> Self {
        let reserve = Reserve::hold(&lane);
        Self { lane, reserve, question: None }
    }

    fn look(&mut self) {
        let stuck = self.question.take().is_some_and(|question| !question.is_finished());
        match &mut self.reserve {
            Reserve::Held(gate) if stuck => {
                tracing::warn!("a thread is stuck: its connections go on with another");
                gate.open();
                self.reserve = Reserve::Serving(SERVICE);
            }
            Reserve::Serving(0) => self.reserve = Reserve::hold(&self.lane),
            Reserve::Serving(looks) => *looks -= 1,
            Reserve::Held(_) => {}
        }
        self.question = Some(self.lane.spawn(async {}));
    }
}

impl Reserve {
    fn hold(lane: &Handle) -> Self {
        let gate = Arc::new(Gate::default());
        let behind = Arc::clone(&gate);
        lane.spawn(async move { behind.wait() });
        Self::Held(gate)
    }
}

fn watch(mut lanes: Vec<Watched>, stop: &Gate) {
    while !stop.wait_for(LOOK) {
        lanes.iter_mut().for_each(Watched::look);
    }
    for lane in lanes {
        if let Reserve::Held(gate) = lane.reserve {
            gate.open();
        }
    }
}
