//! Witnesses: places outside the ledger that are told of each signed checkpoint, so that whoever shortens or rewrites
//! the ledger, even with its key, contradicts them.
//!
//! Behind the data path: nobody who appends waits for a witness. Each has a task of its own, sends the newest checkpoint
//! that it has not had, and tries again until that is taken. One that is behind gets the newest, which vouches for all
//! before it.

mod file;
mod syslog;

use std::sync::Arc;
use std::time::Duration;

use bailiwick_config::{Syslog, Witness};
use bailiwick_model::Clock;
use bailiwick_runtime::egress::EgressRules;
use bailiwick_runtime::{Outbound, OutboundError, Tasks};
use serde::Serialize;
use tokio::sync::watch;

use crate::note::SignedCheckpoint;
use crate::{Ledger, Status};

/// How long a webhook may take.
const WEBHOOK_PATIENCE: Duration = Duration::from_secs(10);

/// A witness that has not taken a checkpoint in this time is told as failing, though it is still waited for.
const PATIENCE: Duration = Duration::from_secs(15);

/// How soon a failed delivery is tried again: doubled each time, up to a bound.
const AGAIN: Duration = Duration::from_secs(1);
const AGAIN_AT_MOST: Duration = Duration::from_secs(60);

/// How long an orderly stop waits for the last checkpoint to be taken.
const LAST: Duration = Duration::from_secs(2);

/// By what means witnesses are reached.
#[derive(Debug, Clone)]
pub struct Means {
    /// Posts to webhooks.
    pub outbound: Outbound,
    /// Says whether a syslog server may be sent to.
    pub egress: EgressRules,
    /// The time in syslog messages.
    pub clock: Arc<dyn Clock>,
}

/// How a witness is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WitnessStatus {
    /// `file`, `webhook` or `syslog`.
    pub kind: &'static str,
    /// Which one. Of a URL only its origin: the rest may be a secret.
    pub place: String,
    /// How many records the last checkpoint tells of that it took; 0 before the first. UDP cannot tell whether
    /// anybody took it: there it is what was sent.
    pub delivered: u64,
    /// How many deliveries failed since the start.
    pub failures: u64,
    /// Why the last delivery failed; none if it did not.
    pub error: Option<String>,
}

/// A checkpoint was not taken.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    #[error(transparent)]
    Forbidden(#[from] bailiwick_runtime::Forbidden),
    #[error("it answers {0}")]
    Status(u16),
    #[error("the name has no address")]
    Nowhere,
    #[error("it takes no checkpoint since {} seconds", PATIENCE.as_secs())]
    Hangs,
}

/// The witnesses of a running ledger.
#[derive(Debug)]
pub struct Witnesses {
    tasks: Tasks,
    newest: watch::Receiver<Option<SignedCheckpoint>>,
    standings: Vec<watch::Receiver<WitnessStatus>>,
}

impl Witnesses {
    /// Begins to tell the witnesses of the settings. How they are is in [`Ledger::status`].
    pub fn start(ledger: &Ledger, settings: &Witness, means: &Means) -> Self {
        let tasks = Tasks::new();
        let newest = ledger.checkpoints();
        let mut standings = Vec::new();
        for place in places(settings) {
            let standing = watch::Sender::new(place.status());
            standings.push(standing.subscribe());
            let telling = Telling { place, means: means.clone(), newest: newest.clone(), standing };
            tasks.spawn_until_stop("ledger witness", telling.run());
        }
        ledger.watched_by(standings.clone());
        Self { tasks, newest, standings }
    }

    /// Ends them, after the ledger was closed: they have two seconds for its last checkpoint. One that does not take it
    /// gets the next after the next start.
    pub async fn stop(mut self) {
        let last = self.newest.borrow_and_update().as_ref().map_or(0, |note| note.checkpoint().size);
        let all = async {
            for standing in &mut self.standings {
                // The sender ends only with the task, below.
                let _ = standing.wait_for(|status| status.delivered >= last).await;
            }
        };
        if tokio::time::timeout(LAST, all).await.is_err() {
            tracing::warn!(
                "not every witness took the ledger's last checkpoint; `bailiwick audit status` says which after the next start"
            );
        }
        if let Err(late) = self.tasks.shutdown(LAST).await {
            tracing::warn!(%late, "telling the ledger's witnesses was cut");
        }
    }
}

/// One witness.
#[derive(Debug)]
enum Place {
    File(std::path::PathBuf),
    Webhook(url::Url),
    Syslog(Syslog),
}

fn places(settings: &Witness) -> Vec<Place> {
    let file = settings.file.clone().map(Place::File);
    let webhook = settings.webhook.clone().map(Place::Webhook);
    let syslog = settings.syslog.clone().map(Place::Syslog);
    [file, webhook, syslog].into_iter().flatten().collect()
}

impl Place {
    fn status(&self) -> WitnessStatus {
        let (kind, place) = match self {
            Self::File(path) => ("file", path.display().to_string()),
            Self::Webhook(url) => ("webhook", url.origin().ascii_serialization()),
            Self::Syslog(Syslog::Udp { host, port }) => ("syslog", format!("udp {host} {port}")),
            Self::Syslog(Syslog::Unix(path)) => ("syslog", path.display().to_string()),
        };
        WitnessStatus { kind, place, delivered: 0, failures: 0, error: None }
    }

    async fn tell(&self, note: &SignedCheckpoint, means: &Means) -> Result<(), Refused> {
        match self {
            Self::File(path) => Ok(file::append(path.clone(), note.to_string()).await?),
            Self::Webhook(url) => post(url, note, &means.outbound).await,
            Self::Syslog(server) => syslog::send(server, note, means).await,
        }
    }
}

async fn post(url: &url::Url, note: &SignedCheckpoint, outbound: &Outbound) -> Result<(), Refused> {
    let checkpoint = note.checkpoint();
    let body = serde_json::json!({
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "root": checkpoint.root,
        "checkpoint": note.to_string(),
    });
    let body = body.to_string().into_bytes();
    let status = outbound.post_small(url, "application/json", body, WEBHOOK_PATIENCE).await?;
    if status.is_success() { Ok(()) } else { Err(Refused::Status(status.as_u16())) }
}

/// One witness's task.
struct Telling {
    place: Place,
    means: Means,
    newest: watch::Receiver<Option<SignedCheckpoint>>,
    standing: watch::Sender<WitnessStatus>,
}

impl Telling {
    /// Until the ledger is gone, or this is stopped.
    async fn run(mut self) {
        let mut again = AGAIN;
        loop {
            let note = self.newest.borrow_and_update().clone();
            if let Some(note) = note {
                if let Err(refused) = self.tell(&note).await {
                    self.failed(&refused);
                    tokio::time::sleep(again).await;
                    again = (again * 2).min(AGAIN_AT_MOST);
                    continue;
                }
                again = AGAIN;
                self.took(note.checkpoint().size);
            }
            if self.newest.changed().await.is_err() {
                return;
            }
        }
    }

    /// Waits for a witness that hangs, but says that it does.
    async fn tell(&self, note: &SignedCheckpoint) -> Result<(), Refused> {
        let mut telling = std::pin::pin!(self.place.tell(note, &self.means));
        if let Ok(told) = tokio::time::timeout(PATIENCE, &mut telling).await {
            return told;
        }
        self.failed(&Refused::Hangs);
        telling.await
    }

    fn failed(&self, refused: &Refused) {
        let mut first = false;
        self.standing.send_modify(|status| {
            first = status.error.is_none();
            status.failures += 1;
            status.error = Some(refused.to_string());
        });
        if first {
            let WitnessStatus { kind, place, .. } = self.place.status();
            tracing::warn!(witness = kind, place, error = %refused,
                "a witness of the ledger takes no checkpoints; it is tried again");
        }
    }

    fn took(&self, size: u64) {
        let mut failed = false;
        self.standing.send_modify(|status| {
            failed = status.error.take().is_some();
            status.delivered = size;
        });
        if failed {
            let WitnessStatus { kind, place, .. } = self.place.status();
            tracing::info!(witness = kind, place, "the witness takes the ledger's checkpoints again");
        }
    }
}

impl Status {
    /// How many records the witness that is furthest behind has not been told of; none if there is no witness.
    pub fn witness_lag(&self) -> Option<u64> {
        let least = self.witnesses.iter().map(|witness| witness.delivered).min()?;
        Some(self.checkpoint_size.saturating_sub(least))
    }
}
