//! A real PostgreSQL that goes away and comes back under load, and one whose dump goes back with a backup.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bailiwick_control::Actor;
use bailiwick_ledger::{VerifyOptions, verify};
use bailiwick_model::key::Audience;
use bailiwick_testkit::postgres::Cluster;
use bailiwick_testkit::upstream::{Eras, ScriptedServer};
use http::Method;
use http_body_util::Full;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::support::{Answer, App, Client, Era, script, until};

const ALLOW: &str = "\"127.0.0.0/8:*\"";

/// A gateway on a database of the cluster, with a server and an agent that may use it.
async fn on(cluster: &Cluster) -> (App, ScriptedServer, Client) {
    let server = script(Eras::Both).start().await.unwrap();
    let url = cluster.create_database().unwrap();
    let app = App::start_with(&format!("[database]\nurl = {url:?}\n")).await;
    app.register("files", &server.url()).await;
    let bot = app.agent("bot").await;
    app.grant("bot", "files").await;
    (app, server, bot)
}

async fn echo(bot: &Client) -> Answer {
    let params = json!({"name": "files__echo", "arguments": {"text": "hi"}});
    bot.ask("/mcp", Era::Modern, "tools/call", params).await
}

async fn get(client: &Client, path: &str) -> Answer {
    Answer::read(client.send(client.request(Method::GET, path).body(Full::default()).unwrap()).await).await
}

async fn add_team(admin: &Client, name: &str) -> Answer {
    admin.post_raw("/api/v1/teams", &[], &json!({ "name": name }).to_string()).await
}

/// Callers that call until they are stopped; every call has to succeed.
struct Load {
    stop: Arc<AtomicBool>,
    made: Arc<AtomicU64>,
    callers: JoinSet<()>,
}

impl Load {
    fn start(bot: &Client) -> Self {
        let (stop, made) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let mut callers = JoinSet::new();
        for _ in 0..4 {
            let (bot, stop, made) = (bot.clone(), Arc::clone(&stop), Arc::clone(&made));
            callers.spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    assert_eq!(echo(&bot).await.result()["content"][0]["text"], "hi");
                    made.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        Self { stop, made, callers }
    }

    /// Waits until so many more calls were answered; how long that took.
    async fn goes_on(&self, calls: u64) {
        let goal = self.made.load(Ordering::Relaxed) + calls;
        until("calls", || (self.made.load(Ordering::Relaxed) >= goal).then_some(())).await;
    }

    async fn end(mut self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = self.callers.join_next().await {
            ended.unwrap();
        }
        self.made.load(Ordering::Relaxed)
    }
}

/// The ids of the calls of one kind of record.
fn calls_of(app: &App, kind: &str) -> BTreeMap<String, u32> {
    let mut found = BTreeMap::new();
    for record in app.records_of(kind) {
        *found.entry(record["call"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    found
}

fn teams(answer: &Answer) -> Vec<String> {
    let items = answer.json()["items"].as_array().unwrap().clone();
    items.iter().map(|team| team["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_database_away_calls_go_on_and_administration_waits() {
    let Some(mut cluster) = Cluster::start().unwrap() else { return };
    let (app, server, bot) = on(&cluster).await;
    let admin = app.admin().await;
    let spare = app.key("bot").await;
    assert_eq!(add_team(&admin, "before").await.status, 201);
    let load = Load::start(&bot);
    load.goes_on(20).await;
    let mut cluster = tokio::task::spawn_blocking(move || {
        cluster.pause().unwrap();
        cluster
    })
    .await
    .unwrap();

    // A key that nobody has used since the start, too: it is in the snapshot.
    assert_eq!(echo(&spare).await.status, 200);
    let asked = Instant::now();
    let (added, listed, revoked) = tokio::join!(
        add_team(&admin, "while-away"),
        get(&admin, "/api/v1/teams"),
        app.control().remove_server(&Actor::Gateway, "files"),
    );
    for refused in [added, listed] {
        assert_eq!(refused.status, 503, "{refused:?}");
        assert!(refused.headers["content-type"] == "application/problem+json", "{refused:?}");
        let text = String::from_utf8_lossy(&refused.body);
        assert!(!text.contains("postgres") && !text.contains("127.0.0.1"), "{text}");
    }
    assert!(matches!(revoked, Err(bailiwick_control::ControlError::Unavailable(_))), "{revoked:?}");
    assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
    load.goes_on(100).await;
    // Signs of life speak of the data path, which needs no database.
    assert_eq!(
        [get(&bot, "/livez").await.status, get(&bot, "/readyz").await.status].map(|s| s.as_u16()),
        [200, 200]
    );

    let _cluster = tokio::task::spawn_blocking(move || {
        cluster.resume().unwrap();
        cluster
    })
    .await
    .unwrap();
    let back = async {
        while add_team(&admin, "after").await.status != 201 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), back).await.expect("administration goes on");
    load.goes_on(20).await;
    let made = load.end().await;

    let mut known = teams(&get(&admin, "/api/v1/teams").await);
    known.sort();
    assert_eq!(known, ["after", "before", "default"], "what was refused did not come to be");
    app.revoke(&spare).await;
    assert_eq!([echo(&spare).await.status, echo(&bot).await.status].map(|s| s.as_u16()), [401, 200]);
    // Every answered call reached the server once, and has its two records.
    let (intents, outcomes) = (calls_of(&app, "intent"), calls_of(&app, "outcome"));
    assert_eq!((server.received_of("tools/call").len() as u64, intents.len() as u64), (made + 2, made + 2));
    assert!(intents == outcomes && intents.values().all(|count| *count == 1));
    everything_is_indexed(&app, &admin).await;
    let app = app.restart().await;
    let admin = app.key_for("root", Audience::Admin, None).await;
    assert_eq!(teams(&get(&admin, "/api/v1/teams").await).len(), 3);
    assert_eq!(echo(&bot.moved_to(app.url())).await.status, 200);
    let ledger = app.ledger_dir();
    app.running.stop().await.unwrap();
    assert_eq!(verify(&ledger, &VerifyOptions::default()).unwrap().bad, None);
}

/// Waits until the index, which is in the database, knows every record again.
async fn everything_is_indexed(app: &App, admin: &Client) {
    let indexed = async {
        loop {
            let index = get(admin, "/api/v1/audit/status").await.json()["index"].clone();
            if index["lag_records"] == 0 && index["records"] == json!(app.records().len()) {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), indexed).await.expect("the index catches up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_and_a_backup_of_one_evening_go_back_together() {
    let Some(cluster) = Cluster::start().unwrap() else { return };
    let cluster = Arc::new(cluster);
    let (app, server, bot) = on(&cluster).await;
    let admin = app.admin().await;
    let gone = app.key("bot").await;
    app.revoke(&gone).await;
    let late = app.key("bot").await;
    let load = Load::start(&bot);
    let (stop, control) = (Arc::clone(&load.stop), app.control().clone());
    let mut changes = JoinSet::new();
    changes.spawn(async move {
        for nth in 0.. {
            if stop.load(Ordering::Relaxed) {
                return nth;
            }
            let name = format!("team-{nth}").parse().unwrap();
            control.add_team(&Actor::Gateway, name).await.unwrap();
        }
        0
    });
    load.goes_on(20).await;
    let config = app.config().to_owned();
    let url = config.split('"').find(|part| part.starts_with("postgres://")).unwrap().to_owned();
    let dump = app.dir.path().join("monday.dump");
    let (tool, file, from) = (Arc::clone(&cluster), dump.clone(), url.clone());
    let dumped = tokio::task::spawn_blocking(move || {
        let file = format!("--file={}", file.display());
        tool.tool("pg_dump", &["--format=custom", &file, &from]).map(drop)
    });
    dumped.await.unwrap().unwrap();
    load.goes_on(20).await;
    let backup = app.dir.path().join("monday");
    let taken = admin.post_raw("/api/v1/backups", &[], &json!({ "path": backup }).to_string()).await;
    assert_eq!(taken.status, 201, "{taken:?}");
    load.goes_on(20).await;
    load.end().await;
    assert!(changes.join_next().await.unwrap().unwrap() > 0, "nothing was changed meanwhile");
    app.revoke(&late).await;
    app.running.stop().await.unwrap();

    // Back: the dump into an empty database, the backup into an empty directory.
    let other = cluster.create_database().unwrap();
    let to = format!("--dbname={other}");
    cluster.tool("pg_restore", &["--exit-on-error", &to, dump.to_str().unwrap()]).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let wanted =
        bailiwick_control::backup::Restore { from: &backup, data: &dir.path().join("data"), since: None };
    bailiwick_control::backup::restore(
        &wanted,
        bailiwick_model::Clock::now(&bailiwick_runtime::SystemClock::new()),
    )
    .unwrap();
    let back = App::start_in(dir, "", ALLOW, &format!("[database]\nurl = {other:?}\n")).await;
    let at = |client: &Client| client.moved_to(back.url());
    assert_eq!([echo(&at(&bot)).await.status, echo(&at(&gone)).await.status].map(|s| s.as_u16()), [200, 401]);
    assert_eq!(echo(&at(&late)).await.status, 200, "revoked after the backup, so it is back …");
    let admin = back.key_for("root", Audience::Admin, None).await;
    let restored = get(&admin, "/api/v1/audit/status").await.json()["restored"].clone();
    assert_eq!(restored["since_known"], false, "… and that is said");
    // Every change that is in the restored database has its record in the restored ledger.
    let added: Vec<Value> = back.records().into_iter().filter(|r| r["operation"] == "team.add").collect();
    let known =
        back.control().list_teams(&Actor::Gateway, bailiwick_control::Page::first(10_000)).await.unwrap();
    let dumped: Vec<_> = known.items.iter().filter(|team| team.name.as_str().starts_with("team-")).collect();
    assert!(!dumped.is_empty() && dumped.len() < added.len(), "{} of {}", dumped.len(), added.len());
    for team in dumped {
        assert!(added.iter().any(|record| record["object"] == json!(team.id)), "{team:?}");
    }
    everything_is_indexed(&back, &admin).await;
    let ledger = back.ledger_dir();
    back.running.stop().await.unwrap();
    assert_eq!(verify(&ledger, &VerifyOptions::default()).unwrap().bad, None);
    drop(server);
}
