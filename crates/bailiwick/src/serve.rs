//! `bailiwick serve`: puts the rooms together, opens the door, and takes everything down in order.

mod body_keys;
mod compose;
mod door;
mod link;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bailiwick_config::{Setting, Settings};
use bailiwick_control::Control;
use bailiwick_identity::{AuthFailures, HostRules, LastUse, ResourceMetadata};
use bailiwick_ledger::record_checkpoints;
use bailiwick_model::record::Lifecycle;
use bailiwick_model::{Record, Recorder};
use bailiwick_runtime::telemetry::{self, LogFormat};
use bailiwick_runtime::{Lanes, Listener, ServeLimits, Shutdown, SystemClock, SystemEntropy, Tasks, Tls};

use secrecy::ExposeSecret as _;

use compose::{Rooms, Shared};
use door::Door;

/// How long calls under way may take after SIGTERM.
const DRAIN: Duration = Duration::from_secs(25);
/// How long background work may take after that.
const WIND_DOWN: Duration = Duration::from_secs(4);

/// This very program, however it was started and even if its file was replaced since.
const OWN_PROGRAM: &str = "/proc/self/exe";

/// Sends logs to standard error, as the settings say. Once, before anything else.
///
/// # Errors
/// If the level cannot be read.
pub fn log_to(settings: &Settings) -> anyhow::Result<()> {
    let format = match settings.log.format {
        bailiwick_config::LogFormat::Auto => LogFormat::Auto,
        bailiwick_config::LogFormat::Text => LogFormat::Text,
        bailiwick_config::LogFormat::Json => LogFormat::Json,
    };
    telemetry::init(format, &settings.log.level).context("log.level")
}

/// Runs the gateway until it is asked to stop.
///
/// # Errors
/// If it cannot start; what is wrong and what to do is in the error.
pub async fn serve(settings: Settings) -> anyhow::Result<()> {
    let mut shutdown = Shutdown::listen().context("the kernel refuses signal handlers")?;
    let data = settings.data.dir.clone();
    let running = Running::start(settings).await?;
    tracing::info!(url = %running.url, data = %data.display(), "ready");
    let signal = shutdown.requested().await;
    tracing::info!(?signal, "stopping");
    running.stop().await
}

/// A gateway that serves.
pub struct Running {
    /// Where it is reached.
    pub url: String,
    /// Where it listens, which may be another place.
    pub bound: SocketAddr,
    door: Door,
    rooms: Rooms,
    connections: Tasks,
    background: Tasks,
    /// Until everything on them has ended.
    _lanes: Lanes,
}

impl Running {
    /// Starts a gateway. It serves when this returns.
    ///
    /// # Errors
    /// If it cannot start; what is wrong and what to do is in the error.
    pub async fn start(settings: Settings) -> anyhow::Result<Self> {
        Self::start_with_helper(settings, PathBuf::from(OWN_PROGRAM)).await
    }

    /// The same with another program as the one that confines stdio servers: within a test, this process is not the
    /// binary that can.
    ///
    /// # Errors
    /// As [`Running::start`].
    pub async fn start_with_helper(settings: Settings, helper: PathBuf) -> anyhow::Result<Self> {
        let (connections, background) = (Tasks::new(), Tasks::new());
        let listener = bind(&settings).await?;
        let bound = listener.local_addr();
        let url = settings.listen.base_url(bound);
        let shared = Shared {
            public_url: url.as_str().trim_end_matches('/').to_owned(),
            clock: Arc::new(SystemClock::new()),
            entropy: Arc::new(SystemEntropy::new()),
            last_use: Arc::new(LastUse::default()),
            connections: connections.clone(),
            background: background.clone(),
            helper,
        };
        let rooms = compose::compose(&settings, &shared).await?;
        let recorder: Arc<dyn Recorder> = Arc::clone(&rooms.ledger) as Arc<dyn Recorder>;
        lifecycle(&*recorder, "started").await.context("the ledger does not take the start's record")?;
        rooms.control.resume_restored().await.context("the restored state cannot be made ready")?;
        let first = rooms.control.bootstrap().await.context("the first start could not be prepared")?;
        // INVARIANT: whoever finds the gateway ready finds the link: nothing is served before it is shown.
        if let Some(first) = &first {
            link::show(&settings.data.dir, &first.link)?;
        }
        rooms.control.catch_up().await.context("the state cannot be read")?;
        let told = settings_on_record(&settings, &*recorder);
        let configured = rooms.control.record_configuration(env!("CARGO_PKG_VERSION"), told).await;
        configured.context("the ledger does not take the record of the settings")?;
        rooms.control.run(&background);
        let signed = Arc::clone(&rooms.ledger);
        background.spawn_until_stop("checkpoint records", async move { record_checkpoints(&signed).await });
        let failures = Arc::new(AuthFailures::new(recorder, Arc::clone(&shared.clock)));
        let (failing, stop) = (Arc::clone(&failures), background.stop_token());
        background.spawn("auth failures", async move { failing.run(stop.cancelled_owned()).await });
        let door = Door::new(&settings, &shared, &rooms, &failures, bound);
        let lanes = Lanes::start().context("the kernel gives no threads")?;
        let (serving, tasks, seats) = (door.clone(), connections.clone(), lanes.clone());
        connections.spawn("listener", async move {
            let service = hyper::service::service_fn(move |request| serving.clone().answer(request));
            listener.serve(service, &tasks, &seats).await;
        });
        Ok(Self { url: shared.public_url, bound, door, rooms, connections, background, _lanes: lanes })
    }

    /// The use-cases.
    pub fn control(&self) -> &Control {
        &self.rooms.control
    }

    /// Takes everything down: no new connections, calls end, background work ends, the ledger is closed last.
    ///
    /// # Errors
    /// If the ledger could not be closed well.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.door.drain();
        if let Err(late) = self.connections.shutdown(DRAIN).await {
            tracing::warn!(%late, "connections were cut");
        }
        if let Err(late) = self.background.shutdown(WIND_DOWN).await {
            tracing::warn!(%late, "background work was cut");
        }
        if let Err(error) = lifecycle(&*self.rooms.ledger, "stopped").await {
            tracing::error!(%error, "the ledger does not take the stop's record");
        }
        let ledger = Arc::clone(&self.rooms.ledger);
        tokio::task::spawn_blocking(move || ledger.close())
            .await
            .context("the ledger's end was cut short")?
            .context("the ledger was not closed well")?;
        self.rooms.witnesses.stop().await;
        tracing::info!("stopped");
        Ok(())
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").field("url", &self.url).finish_non_exhaustive()
    }
}

async fn bind(settings: &Settings) -> anyhow::Result<Listener> {
    let listen = &settings.listen;
    let tls = match &listen.tls {
        Some(files) => {
            Some(Tls::load(&files.cert, &files.key).context("listen.tls_cert and listen.tls_key")?)
        }
        None => None,
    };
    let limits = ServeLimits {
        max_connections: listen.max_connections,
        header_timeout: listen.header_timeout,
        max_header_bytes: listen.max_header_bytes,
        ..ServeLimits::default()
    };
    Listener::bind(listen.address, tls, limits).await.with_context(|| {
        format!("cannot listen on {}: set listen.address to an address that is free", listen.address)
    })
}

async fn lifecycle(recorder: &dyn Recorder, event: &str) -> Result<(), bailiwick_model::RecordFailed> {
    let record = Record::Lifecycle(Lifecycle {
        event,
        version: env!("CARGO_PKG_VERSION"),
        node: "local",
        backup: None,
    });
    recorder.append(&record).settled().await.map(|_| ())
}

/// The settings as the ledger holds them: a secret that stands in them as its digest.
fn settings_on_record(
    settings: &Settings,
    recorder: &dyn Recorder,
) -> serde_json::Map<String, serde_json::Value> {
    let told = |setting: &Setting| match setting {
        Setting::Plain(value) => value.clone(),
        Setting::Secret(secret) => {
            let digest = recorder.digest(secret.expose_secret().as_bytes());
            serde_json::json!({ "hmac": digest })
        }
    };
    settings.in_force.iter().map(|(key, setting)| (key.clone(), told(setting))).collect()
}

/// What strangers are told and by which names the gateway is addressed.
fn manners(settings: &Settings, shared: &Shared, bound: SocketAddr) -> (HostRules, ResourceMetadata) {
    let hosts = HostRules::new(&shared.public_url, &[bound], &settings.listen.allowed_origins);
    (hosts, ResourceMetadata::new(&shared.public_url))
}
