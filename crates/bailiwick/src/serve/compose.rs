//! The composition root: which room gets what. The only place that knows all of them.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use bailiwick_config::Settings;
use bailiwick_control::Control;
use bailiwick_identity::LastUse;
use bailiwick_ledger::{Archive, Ledger, Means, Witnesses};
use bailiwick_model::{Clock, Entropy, Recorder};
use bailiwick_policy::Snapshot;
use bailiwick_runtime::egress::EgressRules;
use bailiwick_runtime::outbound::Proxy;
use bailiwick_runtime::{BodySealers, KeyDir, Outbound, OutboundSettings, Sealer, Tasks};
use bailiwick_store::{LedgerIndex, Location, Store};
use bailiwick_upstream::Upstreams;
use secrecy::ExposeSecret as _;
use tokio::sync::watch;

use crate::ledger_keys;

/// What rooms share that is no room.
pub(super) struct Shared {
    pub(super) public_url: String,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) last_use: Arc<LastUse>,
    /// Connections and what hangs on them.
    pub(super) connections: Tasks,
    /// Work that outlives connections.
    pub(super) background: Tasks,
    /// The program that confines stdio servers.
    pub(super) helper: PathBuf,
}

/// The rooms, put together.
pub(super) struct Rooms {
    pub(super) ledger: Arc<Ledger>,
    /// Who is told of the ledger's checkpoints.
    pub(super) witnesses: Witnesses,
    pub(super) control: Control,
    pub(super) upstreams: Arc<Upstreams>,
    pub(super) snapshot: watch::Receiver<Arc<Snapshot>>,
    /// The keys for bodies that are known.
    pub(super) body_sealers: watch::Receiver<Arc<BodySealers>>,
    /// Seals what clients carry: session ids, cursors, handles.
    pub(super) carried: Arc<Sealer>,
}

/// Puts the rooms together.
pub(super) async fn compose(settings: &Settings, shared: &Shared) -> anyhow::Result<Rooms> {
    let data = &settings.data.dir;
    private_dir(data)?;
    bailiwick_control::backup::refuse_unfinished(data)?;
    let keys = KeyDir::open(data.join("keys"))?;
    let entropy = &*shared.entropy;
    let at_rest = Arc::new(Sealer::new(1, &keys.load_or_create("at-rest", entropy)?));
    let carried = Arc::new(Sealer::new(1, &keys.load_or_create("carried", entropy)?));
    let ledger = open_ledger(settings, shared, &keys).await?;
    let outbound = outbound(settings)?;
    let witnesses = Witnesses::start(
        &ledger,
        &settings.ledger.witness,
        &Means {
            outbound: outbound.clone(),
            egress: EgressRules::new(settings.egress.allow.clone()),
            clock: Arc::clone(&shared.clock),
        },
    );
    let archive = settings.ledger.archive.as_ref().map(|archive| Archive::new(archive, &outbound));
    let store = open_store(settings).await?;
    let upstreams = Upstreams::new(bailiwick_upstream::Parts {
        outbound,
        clock: Arc::clone(&shared.clock),
        tasks: shared.background.clone(),
        settings: upstream_settings(settings, shared)?,
    });
    let (snapshots, snapshot) = watch::channel(Arc::new(Snapshot::empty()));
    let (body_keys, body_sealers) = watch::channel(Arc::default());
    let control = Control::new(bailiwick_control::Parts {
        index: LedgerIndex::beside(&store, data.join("ledger-index.db")),
        store,
        upstreams: Arc::clone(&upstreams),
        recorder: Arc::clone(&ledger) as Arc<dyn Recorder>,
        ledger: Arc::clone(&ledger),
        archive: archive.transpose().context("ledger.archive")?,
        snapshots,
        body_sealers: body_keys,
        sealer: at_rest,
        last_use: Arc::clone(&shared.last_use),
        clock: Arc::clone(&shared.clock),
        entropy: Arc::clone(&shared.entropy),
        settings: bailiwick_control::Settings {
            public_url: shared.public_url.clone(),
            data_dir: data.clone(),
            ledger_dir: data.join("ledger"),
            retention: settings.ledger.retention,
            allowed_commands: settings.upstream.children.allowed_commands.clone(),
            poll: settings.upstream.poll,
            discoveries: 16,
        },
    });
    Ok(Rooms { ledger, witnesses, control, upstreams, snapshot, body_sealers, carried })
}

/// The data directory: its owner's alone, since it holds keys and records.
fn private_dir(path: &Path) -> anyhow::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("cannot make the data directory {}; set data.dir", path.display()))
}

/// Opens the ledger on a thread of its own: it reads what the last run left.
async fn open_ledger(settings: &Settings, shared: &Shared, keys: &KeyDir) -> anyhow::Result<Arc<Ledger>> {
    let dir = settings.data.dir.join("ledger");
    let ledger_keys = ledger_keys::load(keys, &dir, &*shared.entropy)?;
    let (ledger, clock) = (settings.ledger.clone(), Arc::clone(&shared.clock));
    tokio::task::spawn_blocking(move || Ledger::open(&dir, ledger, ledger_keys, clock))
        .await
        .context("the ledger's start was cut short")?
        .context("the ledger cannot be opened")
}

async fn open_store(settings: &Settings) -> anyhow::Result<Store> {
    let location = match &settings.database.url {
        Some(url) => Location::Postgres(url.clone()),
        None => Location::Sqlite(settings.data.dir.join("bailiwick.db")),
    };
    Store::open(location).await.context("the database cannot be opened")
}

fn outbound(settings: &Settings) -> anyhow::Result<Outbound> {
    let egress = &settings.egress;
    let proxy =
        egress.proxy.as_ref().map(|url| Proxy::new(url.expose_secret(), &egress.no_proxy)).transpose();
    let extra_ca = egress.extra_ca.as_ref().map(|path| {
        std::fs::read(path).with_context(|| format!("egress.extra_ca: {} cannot be read", path.display()))
    });
    Outbound::new(OutboundSettings {
        rules: EgressRules::new(egress.allow.clone()),
        proxy: proxy.context("egress.proxy")?,
        extra_ca: extra_ca.transpose()?,
        connect_timeout: settings.upstream.connect,
    })
    .context("the outbound client cannot be set up")
}

fn upstream_settings(settings: &Settings, shared: &Shared) -> anyhow::Result<bailiwick_upstream::Settings> {
    let scratch = std::path::absolute(settings.data.dir.join("children"))?;
    private_dir(&scratch)?;
    Ok(bailiwick_upstream::Settings {
        upstream: settings.upstream.clone(),
        limits: settings.limits.clone(),
        helper: shared.helper.clone(),
        path: path_of_environment(),
        scratch,
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "PATH is the system's, not a setting: children get it as it is"
)]
fn path_of_environment() -> String {
    std::env::var("PATH").unwrap_or_else(|_| "/usr/local/bin:/usr/bin:/bin".to_owned())
}
