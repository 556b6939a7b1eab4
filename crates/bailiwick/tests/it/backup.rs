//! Backups under load, and what a restored gateway lets nobody overlook.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bailiwick_control::Actor;
use bailiwick_control::backup::{BackupError, Restore, restore, take_stopped};
use bailiwick_ledger::{VerifyOptions, verify};
use bailiwick_model::{Clock as _, KeyId};
use bailiwick_runtime::SystemClock;
use bailiwick_store::{Location, Store};
use bailiwick_testkit::upstream::Eras;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::{App, Client, DOORS, Era, Stage};

const ALLOW: &str = "\"127.0.0.0/8:*\"";

/// A gateway, a backup of it that was taken under load, and what became of it afterwards.
struct Scene {
    stage: Stage,
    /// Revoked before the backup.
    before: Client,
    /// Revoked after it.
    after: Client,
    /// Of an agent that was switched off after it.
    off: Client,
    /// The answer to whoever asked for the backup.
    taken: Value,
}

impl Scene {
    async fn new() -> Self {
        let stage = Stage::new(Eras::Both).await;
        let admin = stage.app.admin().await;
        let (before, after) = (stage.app.key("bot").await, stage.app.key("bot").await);
        let off = stage.app.agent("other").await;
        stage.app.grant("other", "files").await;
        stage.app.revoke(&before).await;
        let stop = Arc::new(AtomicBool::new(false));
        let mut load = JoinSet::new();
        for _ in 0..4 {
            let (bot, stop) = (stage.bot.clone(), Arc::clone(&stop));
            load.spawn(async move {
                let params = json!({"name": "files__echo", "arguments": {"text": "hi"}});
                while !stop.load(Ordering::Relaxed) {
                    bot.ask("/mcp", Era::Modern, "tools/call", params.clone()).await.result();
                }
            });
        }
        let (control, stopped) = (stage.app.control().clone(), Arc::clone(&stop));
        load.spawn(async move {
            for nth in 0.. {
                if stopped.load(Ordering::Relaxed) {
                    break;
                }
                let name = format!("team-{nth}").parse().unwrap();
                control.add_team(&Actor::Gateway, name).await.unwrap();
            }
        });
        let path = stage.app.dir.path().join("backup");
        let body = json!({ "path": path }).to_string();
        let answer = admin.post_raw("/api/v1/backups", &[], &body).await;
        stop.store(true, Ordering::Relaxed);
        while let Some(ended) = load.join_next().await {
            ended.unwrap();
        }
        assert_eq!(answer.status, 201, "{answer:?}");
        stage.app.revoke(&after).await;
        stage.app.disable("other").await;
        Self { stage, before, after, off, taken: answer.json() }
    }

    fn backup(&self) -> std::path::PathBuf {
        self.stage.app.dir.path().join("backup")
    }

    /// Starts a gateway on what is restored into `dir/data`, with the callers moved to it.
    async fn start(&self, dir: tempfile::TempDir) -> (App, [Client; 4]) {
        let app = App::start_in(dir, "", ALLOW, "").await;
        let callers = [&self.stage.bot, &self.before, &self.after, &self.off];
        let callers = callers.map(|client| client.moved_to(app.url()));
        (app, callers)
    }
}

async fn status(client: &Client) -> u16 {
    let params = json!({"name": "files__echo", "arguments": {"text": "hi"}});
    client.ask(DOORS[1].0, Era::Modern, "tools/call", params).await.status.as_u16()
}

async fn audit_status(app: &App) -> Value {
    let admin = app.key_for("root", bailiwick_model::key::Audience::Admin, None).await;
    let request =
        admin.request(http::Method::GET, "/api/v1/audit/status").body(http_body_util::Full::default());
    crate::support::Answer::read(admin.send(request.unwrap()).await).await.json()["restored"].clone()
}

#[expect(clippy::disallowed_methods, reason = "the program under test is no child of a gateway")]
fn program(arguments: &[&str], paths: &[&Path]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bailiwick"));
    command.args(arguments).args(paths).output().unwrap()
}

fn id_of(stage: &Stage, client: &Client) -> KeyId {
    let prefix = client.key().get(4..14).unwrap();
    stage.app.control().snapshot().keys.get(prefix).unwrap().key
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_under_load_is_whole_and_what_was_revoked_after_it_is_said_to_be_back() {
    let scene = Scene::new().await;
    let backup = scene.backup();
    // The manifest is about what is there.
    let manifest: Value =
        serde_json::from_slice(&std::fs::read(backup.join("manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["ledger"]["root"], scene.taken["root"]);
    let report = verify(&backup.join("ledger"), &VerifyOptions::default()).unwrap();
    assert_eq!((report.bad.as_ref(), report.signed), (None, report.records));
    assert_eq!(json!(report.records), scene.taken["records"]);
    assert_eq!(report.root.to_string(), manifest["ledger"]["root"].as_str().unwrap());
    let lines = bailiwick_ledger::tail(&backup.join("ledger"), usize::MAX, None).unwrap();
    assert!(lines.iter().any(|line| line.json.contains("\"operation\":\"backup.take\"")));

    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let args = ["restore", "--data", data.to_str().unwrap()];
    let done = program(&args, &[&backup]);
    assert!(done.status.success(), "{done:?}");
    assert!(String::from_utf8_lossy(&done.stderr).contains("in force again"), "{done:?}");
    // Every state that is in the backup has its record in it.
    let store = Store::open(Location::Sqlite(data.join("bailiwick.db"))).await.unwrap();
    let image = store.load_all().await.unwrap();
    store.close().await;
    assert_eq!(json!(image.teams.len()), manifest["rows"]["teams"]);
    assert_eq!(json!(image.keys.len()), manifest["rows"]["keys"]);
    assert!(image.teams.len() > 1, "nothing was changed meanwhile");
    for team in image.teams.iter().filter(|team| team.name.as_str() != "default") {
        assert!(lines.iter().any(|line| line.json.contains(&team.id.to_string())), "{team:?}");
    }

    let (app, [bot, before, after, off]) = scene.start(dir).await;
    assert_eq!(status(&bot).await, 200);
    assert_eq!(status(&before).await, 401, "what was revoked before the backup stays so");
    assert_eq!((status(&after).await, status(&off).await), (200, 200), "what was revoked after it is back …");
    let said = audit_status(&app).await;
    assert_eq!(
        (&said["since_known"], &said["continued"]),
        (&json!(false), &json!(false)),
        "… and that is said"
    );
    assert_eq!(said["taken_at"], manifest["taken_at"]);
    let restored = app.records_of("lifecycle").into_iter().filter(|record| record["event"] == "restored");
    let restored: Vec<_> = restored.collect();
    assert_eq!(restored.len(), 1);
    assert_eq!(restored[0]["backup"], manifest["taken_at"]);
    // It is a gateway like any other: it stops in order, and a second start says nothing new in the ledger.
    let app = app.restart().await;
    assert_eq!(app.records_of("lifecycle").iter().filter(|record| record["event"] == "restored").count(), 1);
    let ledger = app.ledger_dir();
    app.running.stop().await.unwrap();
    assert_eq!(verify(&ledger, &VerifyOptions::default()).unwrap().bad, None);
    scene.stage.app.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_revoked_after_a_backup_is_revoked_again_by_the_later_ledger() {
    let scene = Scene::new().await;
    let (key, off) = (id_of(&scene.stage, &scene.after), "\"enabled\":false");
    let backup = scene.backup();
    // A toolset that was changed: nobody can tell from the record whether that took something away.
    let change = bailiwick_control::ToolsetChange { selections: Some(Vec::new()), ..Default::default() };
    scene.stage.app.control().update_toolset(&Actor::Gateway, "mix", change).await.unwrap();
    let old = scene.stage.app.ledger_dir();
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let args = ["restore", "--data", data.to_str().unwrap(), "--since-ledger", old.to_str().unwrap()];
    let refused = program(&args, &[&backup]);
    assert_eq!(refused.status.code(), Some(1), "a ledger that is being written: {refused:?}");
    assert!(!data.exists());
    let Scene { stage: Stage { app, server, bot }, before, after, off: other, taken } = scene;
    let App { running, dir: old_dir, .. } = app;
    running.stop().await.unwrap();

    let done = program(&args, &[&backup]);
    let (said, complained) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert_eq!(done.status.code(), Some(1), "{said}{complained}");
    assert!(said.contains(&key.to_string()) && said.contains(off), "{said}");
    assert!(complained.contains("toolset.update"), "{complained}");

    let app = App::start_in(dir, "", ALLOW, "").await;
    let callers = [bot, before, after, other].map(|client| client.moved_to(app.url()));
    let mut statuses = Vec::new();
    for caller in &callers {
        statuses.push(status(caller).await);
    }
    assert_eq!(statuses, [200, 401, 401, 401]);
    let said = audit_status(&app).await;
    assert_eq!((&said["since_known"], &said["continued"]), (&json!(true), &json!(true)));
    assert_eq!(said["taken_away_again"], 2);
    assert!(said["unclear"][0].as_str().unwrap().contains("toolset.update"), "{said}");
    // The ledger is the one of before, gone on with: nothing that happened after the backup is lost.
    let records = app.records();
    assert!(records.len() as u64 > taken["records"].as_u64().unwrap());
    let revoked = records.iter().filter(|r| r["operation"] == "key.revoke" && r["object"] == json!(key));
    assert_eq!(revoked.count(), 2, "by the administrator, and again");
    let ledger = app.ledger_dir();
    app.running.stop().await.unwrap();
    assert_eq!(verify(&ledger, &VerifyOptions::default()).unwrap().bad, None);
    drop((old_dir, server));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_gateway_is_backed_up_and_a_damaged_backup_is_refused_before_anything_is_written() {
    let stage = Stage::new(Eras::Both).await;
    let now = SystemClock::new().now();
    let App { running, dir, .. } = stage.app;
    let (data, backup) = (dir.path().join("data"), dir.path().join("backup"));
    let busy = take_stopped(&data, &backup, now).await;
    assert!(matches!(busy, Err(BackupError::Ledger(_))) && !backup.exists(), "{busy:?}");
    running.stop().await.unwrap();
    let manifest = take_stopped(&data, &backup, now).await.unwrap();
    assert!(matches!(take_stopped(&data, &backup, now).await, Err(BackupError::Exists(_))));
    for name in manifest.files.keys() {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(backup.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }

    let target = dir.path().join("restored");
    let wanted = Restore { from: &backup, data: &target, since: None };
    for name in manifest.files.keys() {
        let path = backup.join(name);
        let good = std::fs::read(&path).unwrap();
        let mut bad = good.clone();
        bad.push(b'x');
        std::fs::write(&path, bad).unwrap();
        let refused = restore(&wanted, now);
        assert!(matches!(&refused, Err(BackupError::Damaged(at)) if *at == path), "{name}: {refused:?}");
        assert!(!target.exists(), "{name}");
        std::fs::write(&path, good).unwrap();
    }
    let into_use = restore(&Restore { data: &data, ..wanted }, now);
    assert!(matches!(into_use, Err(BackupError::NotEmpty(_))), "{into_use:?}");
    let text = std::fs::read_to_string(backup.join("manifest.json")).unwrap();
    std::fs::write(backup.join("manifest.json"), text.replace("keys/at-rest", "keys/../../at-rest")).unwrap();
    let escaped = restore(&Restore { from: &backup, data: &target, since: None }, now);
    assert!(matches!(escaped, Err(BackupError::NoBackup { .. })), "{escaped:?}");
    std::fs::write(backup.join("manifest.json"), text).unwrap();

    let wanted = Restore { from: &backup, data: &target, since: None };
    restore(&wanted, now).unwrap();
    // As a restore that was cut off leaves it: no gateway starts on half a backup.
    std::fs::write(target.join("restore-unfinished"), "").unwrap();
    let config = format!("[listen]\naddress = \"127.0.0.1:0\"\n[data]\ndir = {target:?}\n");
    let file = dir.path().join("half.toml");
    std::fs::write(&file, config).unwrap();
    let half = program(&["serve", "--config"], &[&file]);
    assert!(!half.status.success() && String::from_utf8_lossy(&half.stderr).contains("did not finish"));
}
