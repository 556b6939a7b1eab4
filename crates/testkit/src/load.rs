//! The load generator: many keep-alive connections that each call, check the answer, and call again.
//!
//! Runs on one thread, with one prebuilt request whose id and text are patched in place, because it shares the machine with
//! what it measures. Every answer is checked: status 200, its own id, and the text or list it should hold. With an
//! acknowledgement file it is one half of the ledger's `kill -9` oracle: a text is in the file only if its answer has come.

mod request;
mod worker;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;
use tokio::task::LocalSet;
use tokio::time::Instant;

pub use request::{Era, Operation};

/// Longest latency that is told apart, in nanoseconds.
const LONGEST: u64 = 120_000_000_000;

/// What to send, where, and for how long.
#[derive(Debug)]
pub struct Settings {
    /// Where to connect to.
    pub address: SocketAddr,
    /// The `Host` header.
    pub host: String,
    /// The path and query of the endpoint.
    pub path: String,
    /// Header lines (`Name: value`) for every request.
    pub headers: Vec<String>,
    /// How many connections call at the same time.
    pub connections: usize,
    /// When to stop.
    pub until: Until,
    /// Calls before this are not counted.
    pub warmup: Duration,
    /// Which revision to speak.
    pub era: Era,
    /// What to call.
    pub operation: Operation,
    /// The name of the tool, where the operation calls one.
    pub tool: String,
    /// How long one answer may take.
    pub timeout: Duration,
    /// Whether to connect again after a failure; otherwise a failed connection is out for the rest of the run.
    pub reconnect: bool,
    /// Gets the text of each acknowledged call. Flushed at every failure and at the end.
    pub acks: Option<File>,
}

/// When to stop.
#[derive(Debug, Clone, Copy)]
pub enum Until {
    /// After this time.
    Elapsed(Duration),
    /// After this many requests, those of the warm-up included.
    Requests(u64),
}

/// What came of it.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Connections that called.
    pub connections: usize,
    /// Requests answered as they should be.
    pub requests: u64,
    /// Requests answered otherwise or not at all, and connections that failed.
    pub errors: u64,
    /// The errors by kind.
    pub error_kinds: BTreeMap<String, u64>,
    /// How long it took, without the warm-up.
    pub seconds: f64,
    /// Good requests per second.
    pub rps: f64,
    /// Median latency in microseconds.
    pub p50_us: f64,
    /// 90th percentile in microseconds.
    pub p90_us: f64,
    /// 99th percentile in microseconds.
    pub p99_us: f64,
    /// Longest latency in microseconds.
    pub max_us: f64,
}

/// Why the load could not be made or its acknowledgements not be kept.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The acknowledgement file.
    #[error("cannot write the acknowledgements")]
    Acks(#[source] std::io::Error),
    /// The task of a connection broke.
    #[error(transparent)]
    Broken(#[from] tokio::task::JoinError),
}

/// What all connections count together.
struct Tally {
    latencies: Histogram<u32>,
    requests: u64,
    started: u64,
    errors: BTreeMap<String, u64>,
    acks: Option<BufWriter<File>>,
    counted_from: Instant,
    broken_acks: Option<std::io::Error>,
}

impl Tally {
    fn good(&mut self, text: &str, sent: Instant, answered: Instant) {
        if let Some(acks) = &mut self.acks
            && let Err(error) = writeln!(acks, "{text}")
        {
            self.broken_acks = Some(error);
        }
        if sent >= self.counted_from {
            self.requests += 1;
            let nanos = u64::try_from((answered - sent).as_nanos()).unwrap_or(LONGEST);
            self.latencies.saturating_record(nanos);
        }
    }

    fn bad(&mut self, kind: &str) {
        *self.errors.entry(kind.to_owned()).or_default() += 1;
        self.flush();
    }

    fn flush(&mut self) {
        if let Some(acks) = &mut self.acks
            && let Err(error) = acks.flush()
        {
            self.broken_acks = Some(error);
        }
    }

    fn report(&self, connections: usize, ended: Instant) -> Report {
        let seconds = (ended - self.counted_from.min(ended)).as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "latencies for people")]
        let micros = |nanos: u64| nanos as f64 / 1000.0;
        let at = |quantile| micros(self.latencies.value_at_quantile(quantile));
        Report {
            connections,
            requests: self.requests,
            errors: self.errors.values().sum(),
            error_kinds: self.errors.clone(),
            seconds,
            #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
            rps: if seconds > 0.0 { self.requests as f64 / seconds } else { 0.0 },
            p50_us: at(0.5),
            p90_us: at(0.9),
            p99_us: at(0.99),
            max_us: micros(self.latencies.max()),
        }
    }
}

/// Makes the load and ends by itself, also when the server dies. Must run on a current-thread runtime.
///
/// # Errors
/// When the acknowledgements cannot be kept: the run is then worth nothing.
pub async fn run(mut settings: Settings) -> Result<Report, LoadError> {
    let start = Instant::now();
    let tally = Rc::new(RefCell::new(Tally {
        latencies: Histogram::new_with_bounds(1, LONGEST, 3).expect("the bounds are constants in order"),
        requests: 0,
        started: 0,
        errors: BTreeMap::new(),
        acks: settings.acks.take().map(BufWriter::new),
        counted_from: start + settings.warmup,
        broken_acks: None,
    }));
    let settings = Rc::new(settings);
    let local = LocalSet::new();
    let workers: Vec<_> = (0..settings.connections)
        .map(|number| local.spawn_local(worker::run(Rc::clone(&settings), Rc::clone(&tally), number, start)))
        .collect();
    local.await;
    for worker in workers {
        worker.await?;
    }
    let mut tally = tally.borrow_mut();
    tally.flush();
    match tally.broken_acks.take() {
        Some(error) => Err(LoadError::Acks(error)),
        None => Ok(tally.report(settings.connections, Instant::now())),
    }
}
