//! A whole room over a temporary folder, with a real store and a real ledger: for the tests here and above.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bailiwick_identity::LastUse;
use bailiwick_ledger::{Keys, Ledger};
use bailiwick_model::key::Audience;
use bailiwick_model::principal::{Caller, PrincipalKind, Role};
use bailiwick_model::record::PayloadDigest;
use bailiwick_model::{Record, RecordFailed, Recorder, Recording};
use bailiwick_policy::Snapshot;
use bailiwick_runtime::{
    BodySealers, DigestKey, EgressRules, KeyDir, Outbound, OutboundSettings, Sealer, SigningKey, SystemClock,
    SystemEntropy, Tasks,
};
use bailiwick_store::{LedgerIndex, Location, Store};
use bailiwick_upstream::Upstreams;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::watch;

use crate::{Actor, Control, FirstStart, NewKey, NewPrincipal, Parts, Settings};

/// A room, with what a test wants to see and to move.
#[derive(Debug)]
pub struct Room {
    /// The use-cases.
    pub control: Control,
    /// What the first start made.
    pub first: FirstStart,
    /// What the data path would see.
    pub snapshots: watch::Receiver<Arc<Snapshot>>,
    /// The keys for bodies that the data path would have.
    pub body_sealers: watch::Receiver<Arc<BodySealers>>,
    /// The ledger, which can be made to fail.
    pub recorder: Arc<Switch>,
    /// Background work.
    pub tasks: Tasks,
    /// Uses of keys.
    pub last_use: Arc<LastUse>,
    /// Time.
    pub clock: Arc<SystemClock>,
    dir: tempfile::TempDir,
}

impl Room {
    /// A room after its first start. Servers on loopback may be dialled, any command may be started.
    pub async fn new() -> Self {
        Self::allowing(&[]).await
    }

    /// A room in which only these commands may be started.
    pub async fn allowing(commands: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let clock = Arc::new(SystemClock::new());
        let ledger = ledger(dir.path(), &clock);
        let recorder = Arc::new(Switch {
            ledger: Arc::clone(&ledger),
            down: AtomicBool::new(false),
            settling: watch::Sender::new(Settling::AtOnce),
        });
        let tasks = Tasks::new();
        let (sender, snapshots) = watch::channel(Arc::new(Snapshot::empty()));
        let (keys, body_sealers) = watch::channel(Arc::default());
        let last_use = Arc::new(LastUse::default());
        let store = Store::open(Location::Sqlite(dir.path().join("bailiwick.db"))).await.expect("a store");
        let control = Control::new(Parts {
            index: LedgerIndex::beside(&store, dir.path().join("ledger-index.db")),
            store,
            upstreams: upstreams(dir.path(), &clock, &tasks),
            recorder: Arc::clone(&recorder) as _,
            ledger,
            archive: None,
            snapshots: sender,
            body_sealers: keys,
            sealer: Arc::new(sealer(dir.path())),
            last_use: Arc::clone(&last_use),
            clock: Arc::clone(&clock) as _,
            entropy: Arc::new(SystemEntropy::new()),
            settings: Settings {
                public_url: "http://127.0.0.1:7420".into(),
                data_dir: dir.path().to_owned(),
                ledger_dir: dir.path().join("ledger"),
                retention: bailiwick_config::Retention::default(),
                allowed_commands: commands.iter().map(ToString::to_string).collect(),
                poll: Duration::from_secs(60),
                discoveries: 4,
            },
        });
        let first = control.bootstrap().await.expect("a first start").expect("nobody was here before");
        Self { control, first, snapshots, body_sealers, recorder, tasks, last_use, clock, dir }
    }

    /// Another node on the same store, with a ledger of its own in the same words.
    pub fn second_node(&self) -> Control {
        let parts = self.control.parts();
        let (sender, _) = watch::channel(Arc::new(Snapshot::empty()));
        Control::new(Parts {
            store: parts.store.clone(),
            index: parts.index.clone(),
            upstreams: Arc::clone(&parts.upstreams),
            recorder: Arc::clone(&parts.recorder),
            ledger: Arc::clone(&parts.ledger),
            archive: None,
            snapshots: sender,
            body_sealers: watch::channel(Arc::default()).0,
            sealer: Arc::clone(&parts.sealer),
            last_use: Arc::default(),
            clock: Arc::clone(&parts.clock),
            entropy: Arc::clone(&parts.entropy),
            settings: parts.settings.clone(),
        })
    }

    /// The administrator of the first start.
    pub async fn admin(&self) -> Actor {
        self.actor("admin").await
    }

    /// Somebody, by name.
    pub async fn actor(&self, name: &str) -> Actor {
        let found = self.control.show_principal(&Actor::Gateway, name).await.expect("somebody of this name");
        Actor::Caller(Caller { principal: Arc::new(found.principal), key: None, expires_at: None })
    }

    /// Makes a user of this role, named after it.
    pub async fn user(&self, role: Role) -> Actor {
        let name = role.as_str().to_owned();
        let new = NewPrincipal { kind: PrincipalKind::User, name, display_name: None, team: None, role };
        self.control.add_principal(&self.admin().await, new).await.expect("a user");
        self.actor(role.as_str()).await
    }

    /// Makes a key for somebody.
    pub async fn key(&self, name: &str, audience: Audience) -> SecretString {
        let new = NewKey { principal: name.into(), label: "test".into(), audience, expires_in: None };
        self.control.issue_key(&self.admin().await, new).await.expect("a key").text
    }

    /// The token of the first start's link.
    pub fn login_token(&self) -> String {
        self.first.link.url.expose_secret().rsplit('/').next().unwrap_or_default().to_owned()
    }

    /// Everything that is in the ledger, oldest first.
    pub fn records(&self) -> Vec<serde_json::Value> {
        let lines = bailiwick_ledger::tail(&self.dir.path().join("ledger"), 10_000, None).expect("a ledger");
        lines.iter().map(|line| serde_json::from_str(&line.json).expect("JSON")).collect()
    }

    /// Every file of the room, byte for byte: to look for what must not be there.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut folders = vec![self.dir.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
                if entry.path().is_dir() {
                    folders.push(entry.path());
                } else {
                    bytes.extend(std::fs::read(entry.path()).unwrap_or_default());
                }
            }
        }
        bytes
    }
}

fn ledger(dir: &Path, clock: &Arc<SystemClock>) -> Arc<Ledger> {
    let keys = KeyDir::open(dir.join("keys")).expect("a key folder");
    let digest = keys.load_or_create("digest", &SystemEntropy::new()).expect("a key");
    let keys = Keys {
        origin: "test/ledger".into(),
        signing: SigningKey::load_or_create(&keys, "ledger").expect("a key"),
        digest: DigestKey::new(&digest),
    };
    let settings = settings().ledger;
    Ledger::open(&dir.join("ledger"), settings, keys, Arc::clone(clock) as _).expect("a ledger")
}

fn sealer(dir: &Path) -> Sealer {
    let keys = KeyDir::open(dir.join("keys")).expect("a key folder");
    Sealer::new(1, &keys.load_or_create("seal", &SystemEntropy::new()).expect("a key"))
}

fn upstreams(dir: &Path, clock: &Arc<SystemClock>, tasks: &Tasks) -> Arc<Upstreams> {
    let rules = EgressRules::new(vec!["127.0.0.1:*".parse().expect("a destination")]);
    let outbound = Outbound::new(OutboundSettings { rules, ..OutboundSettings::default() });
    let settings = settings();
    Upstreams::new(bailiwick_upstream::Parts {
        outbound: outbound.expect("a client"),
        clock: Arc::clone(clock) as _,
        tasks: tasks.clone(),
        settings: bailiwick_upstream::Settings {
            upstream: settings.upstream,
            limits: settings.limits,
            helper: "/proc/self/exe".into(),
            path: "/usr/bin:/bin".into(),
            scratch: dir.join("scratch"),
        },
    })
}

fn settings() -> bailiwick_config::Settings {
    let read = |_: &Path| Err(std::io::ErrorKind::NotFound.into());
    bailiwick_config::Settings::load(None, [], &read).expect("defaults are valid")
}

/// A ledger that can be made to fail.
#[derive(Debug)]
pub struct Switch {
    ledger: Arc<Ledger>,
    down: AtomicBool,
    settling: watch::Sender<Settling>,
}

/// When records that were taken are safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settling {
    /// As the ledger says.
    AtOnce,
    /// Not before this is changed.
    Held,
    /// Never: the disk fails behind the append. The ledger seems available until then.
    Failing,
}

impl Switch {
    /// Makes it fail, or work again.
    pub fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    /// Makes records safe at once, later, or never.
    pub fn set_settling(&self, settling: Settling) {
        self.settling.send_replace(settling);
    }
}

impl Recorder for Switch {
    fn append(&self, record: &Record<'_>) -> Recording {
        if self.down.load(Ordering::SeqCst) {
            return Recording::Settled(Err(RecordFailed::Unwritable));
        }
        let mut settling = self.settling.subscribe();
        if *settling.borrow() == Settling::AtOnce {
            return self.ledger.append(record);
        }
        let taken = match *settling.borrow() {
            Settling::Failing => Recording::Settled(Err(RecordFailed::Unwritable)),
            _ => self.ledger.append(record),
        };
        Recording::Pending(Box::pin(async move {
            // The switch is gone only with the whole room.
            drop(settling.wait_for(|now| *now != Settling::Held).await);
            taken.settled().await
        }))
    }

    fn digest(&self, payload: &[u8]) -> PayloadDigest {
        Recorder::digest(&*self.ledger, payload)
    }

    fn is_available(&self) -> bool {
        !self.down.load(Ordering::SeqCst) && self.ledger.is_available()
    }
}
