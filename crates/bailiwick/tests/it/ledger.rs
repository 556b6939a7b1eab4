//! No acknowledged call without a record, exactly one outcome for each, and nothing at all while there can be none.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use bailiwick::serve::Running;
use bailiwick_config::{Settings, Source};
use bailiwick_ledger::{VerifyOptions, verify};
use bailiwick_testkit::upstream::{Eras, Reply, Step};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::support::{App, DOORS, Era, Stage, raw, script, until};

const LEGACY: Era = Era::Legacy("2025-11-25");

pub(crate) fn settings(config: &str) -> Settings {
    let source = Source { name: "test.toml".into(), text: config.to_owned() };
    let read = |path: &Path| std::fs::read_to_string(path);
    Settings::load(Some(source), [], &read).unwrap_or_else(|error| panic!("{error}"))
}

/// The ledger is whole, and every call in it has its end.
fn is_clean(dir: &Path) {
    let report = verify(dir, &VerifyOptions::default()).unwrap();
    assert_eq!(report.bad, None);
    assert_eq!((report.open_calls, report.torn_bytes), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_leaves_has_one_outcome_with_its_reason() {
    let server = script(Eras::Both)
        .tool(json!({"name": "hang", "inputSchema": {"type": "object"}}), |_| Reply::Hang)
        .tool(json!({"name": "stream", "inputSchema": {"type": "object"}}), |_| {
            let params = json!({"level": "info", "data": "x"});
            Reply::Stream(vec![Step::Notify { method: "notifications/message".into(), params }, Step::Hang])
        })
        .start()
        .await
        .unwrap();
    let app = App::start().await;
    app.register("files", &server.url()).await;
    let bot = app.agent("bot").await;
    app.grant("bot", "files").await;
    let mut count = 0;
    for (era, path, prefix, status) in [
        (Era::Modern, DOORS[0].0, DOORS[0].1, "cancelled"),
        (Era::Modern, DOORS[1].0, DOORS[1].1, "cancelled"),
        (LEGACY, DOORS[0].0, DOORS[0].1, "client_gone"),
        (LEGACY, DOORS[1].0, DOORS[1].1, "client_gone"),
    ] {
        let mut bot = bot.clone();
        bot.enter(path, era).await;
        let called = |name: &str| json!({"name": format!("{prefix}{name}"), "arguments": {}});
        let stream = bot.stream(path, era, "tools/call", called("stream")).await;
        assert_eq!(stream.status, 200);
        drop(stream);
        count += 1;
        let statuses = app.statuses_of("tools/call", count).await;
        assert_eq!(statuses.last().map(String::as_str), Some(status), "{era:?} {path}");
        let hanging = bot.clone();
        let params = called("hang");
        let mut call = JoinSet::new();
        call.spawn(async move { hanging.ask(path, era, "tools/call", params).await });
        server.wait_for("tools/call", count + 1).await.unwrap();
        drop(call);
        count += 1;
        let statuses = app.statuses_of("tools/call", count).await;
        assert_eq!(statuses.last().map(String::as_str), Some(status), "{era:?} {path} hanging");
    }
    let dir = app.ledger_dir();
    app.running.stop().await.unwrap();
    is_clean(&dir);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_denial_is_one_record_and_line_breaks_forge_none() {
    let stage = Stage::new(Eras::Both).await;
    let forged = "x\n{\"v\":1,\"index\":0,\"kind\":\"outcome\"}\r\u{2028}\u{1b}[2J";
    let params = json!({"name": forged, "arguments": {}});
    let denied = stage.bot.ask("/mcp", Era::Modern, "tools/call", params).await;
    assert_eq!(denied.error()["code"], -32602);
    let records = stage.app.records_of("denied");
    assert_eq!(records.len(), 1);
    assert_eq!(records[0]["asked"], forged);
    assert!(stage.app.records_of("intent").is_empty() && stage.app.records_of("outcome").is_empty());
    let dir = stage.app.ledger_dir();
    let text: String = std::fs::read_dir(&dir)
        .unwrap()
        .filter_map(|entry| std::fs::read_to_string(entry.unwrap().path()).ok())
        .collect();
    assert!(!text.contains("\n{\"v\":1,\"index\":0,\"kind\":\"outcome\"") && !text.contains('\u{1b}'));
    stage.app.running.stop().await.unwrap();
    is_clean(&dir);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_gateway_on_the_same_data_refuses_to_start() {
    let stage = Stage::new(Eras::Both).await;
    let data = stage.app.dir.path().join("data");
    let config = format!("[listen]\naddress = \"127.0.0.1:0\"\n[data]\ndir = {data:?}\n");
    let second = Running::start(settings(&config)).await;
    let error = format!("{:#}", second.err().unwrap());
    assert!(error.contains("ledger"), "{error}");
    // The first goes on as if nothing had been.
    stage.echo(&stage.bot, Era::Modern, DOORS[1], "hi").await.result();
    let dir = stage.app.ledger_dir();
    stage.app.running.stop().await.unwrap();
    is_clean(&dir);
}

/// A file system of its own for a ledger, so small that it can be filled.
struct Small(PathBuf);

#[expect(clippy::disallowed_methods, reason = "mounting is no child of the gateway")]
impl Small {
    /// `None` where this process may not mount.
    fn mount(path: &Path) -> Option<Self> {
        std::fs::create_dir_all(path).unwrap();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs"]).arg(path).output();
        mounted.is_ok_and(|output| output.status.success()).then(|| Self(path.to_owned()))
    }

    fn fill(&self) {
        let chunk = vec![b'x'; 4_096];
        let mut file = std::fs::File::create(self.0.join("filler")).unwrap();
        while std::io::Write::write_all(&mut file, &chunk).is_ok() {}
    }

    fn free(&self) {
        std::fs::remove_file(self.0.join("filler")).unwrap();
    }
}

#[expect(clippy::disallowed_methods, reason = "mounting is no child of the gateway")]
impl Drop for Small {
    fn drop(&mut self) {
        let _gone = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}

async fn ready(app: &App) -> (u16, u16) {
    let ask = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let (ready, live) = (raw(app.url(), ask("/readyz")).await, raw(app.url(), ask("/livez")).await);
    (ready.statuses()[0], live.statuses()[0])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_ledger_is_full_nothing_is_forwarded_and_it_comes_back_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let Some(disk) = Small::mount(&dir.path().join("data/ledger")) else {
        eprintln!("SKIPPED: only root may mount the small disk that this test fills");
        return;
    };
    let app = App::start_in(dir, "", "\"127.0.0.0/8:*\"", "").await;
    let server = script(Eras::Both).start().await.unwrap();
    app.register("files", &server.url()).await;
    app.toolset("mix", &[("files", None)]).await;
    let bot = app.agent("bot").await;
    app.grant("bot", "files").await;
    let stage = Stage { app, server, bot };
    let mut legacy = stage.bot.clone();
    legacy.enter("/servers/files/mcp", LEGACY).await;
    stage.echo(&stage.bot, Era::Modern, DOORS[1], "before").await.result();
    let before = stage.contacts().len();
    disk.fill();
    // A record still fits into the last block or not: from the first refusal on, nothing does.
    let mut refusal = None;
    for _ in 0..200 {
        let answer = stage.bot.ask("/mcp", Era::Modern, "tools/list", json!({})).await;
        if answer.status != 200 {
            refusal = Some(answer);
            break;
        }
    }
    assert_eq!(refusal.unwrap().status, 503);
    let begun = tokio::time::Instant::now();
    let listed = json!({});
    let named = |name: &str| json!({"name": name, "arguments": {}});
    for (client, era, path, method, params) in [
        (&stage.bot, Era::Modern, "/mcp", "tools/call", named("files__echo")),
        (&stage.bot, Era::Modern, "/servers/files/mcp", "tools/call", named("echo")),
        (&stage.bot, Era::Modern, "/servers/files/mcp", "tools/call", named("absent")),
        (&stage.bot, Era::Modern, "/servers/nowhere/mcp", "tools/list", listed.clone()),
        (&legacy, LEGACY, "/servers/files/mcp", "tools/call", named("echo")),
        (&legacy, LEGACY, "/servers/files/mcp", "ping", listed.clone()),
        (&legacy, LEGACY, "/servers/files/mcp", "tools/list", listed),
    ] {
        let answer = client.ask(path, era, method, params).await;
        assert_eq!(answer.status, 503, "{method} {path}: {answer:?}");
        assert!(answer.headers.contains_key("retry-after"));
        let error = answer.error();
        assert_eq!((&error["code"], &error["data"]["reason"]), (&json!(50301), &json!("audit_unavailable")));
        assert_eq!(error["data"]["executed"], false);
    }
    assert!(begun.elapsed() < std::time::Duration::from_secs(4));
    assert_eq!(ready(&stage.app).await, (503, 200));
    assert_eq!(stage.contacts().len(), before, "the server saw nothing of it");
    let change =
        stage.app.control().add_team(&bailiwick_control::Actor::Gateway, "late".parse().unwrap()).await;
    assert!(change.is_err(), "nothing is changed either");
    disk.free();
    let mut again = None;
    for _ in 0..400 {
        if ready(&stage.app).await.0 == 200 {
            again = Some(stage.echo(&stage.bot, Era::Modern, DOORS[1], "after").await.result());
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(again.unwrap()["content"][0]["text"], "after");
    until("both calls' outcomes", || {
        let outcomes: Vec<Value> = stage.app.records_of("outcome");
        (outcomes.iter().filter(|outcome| outcome["status"] == "ok").count() >= 2).then_some(())
    })
    .await;
    let ledger = stage.app.ledger_dir();
    stage.app.running.stop().await.unwrap();
    is_clean(&ledger);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_whose_outcome_cannot_be_recorded_is_withheld() {
    let dir = tempfile::tempdir().unwrap();
    let Some(disk) = Small::mount(&dir.path().join("data/ledger")) else {
        eprintln!("SKIPPED: only root may mount the small disk that this test fills");
        return;
    };
    let app = App::start_in(dir, "", "\"127.0.0.0/8:*\"", "").await;
    let go = Arc::new(Notify::new());
    let (plain, streamed) = (Arc::clone(&go), Arc::clone(&go));
    let schema = json!({"type": "object"});
    let server = script(Eras::Both)
        .tool(json!({"name": "plain", "inputSchema": schema}), move |_| {
            Reply::When(Arc::clone(&plain), Box::new(Reply::text("the result")))
        })
        .tool(json!({"name": "streamed", "inputSchema": schema}), move |_| {
            let result = json!({"content": [{"type": "text", "text": "the result"}]});
            Reply::Stream(vec![Step::Wait(Arc::clone(&streamed)), Step::Result(result)])
        })
        .start()
        .await
        .unwrap();
    app.register("files", &server.url()).await;
    let bot = app.agent("bot").await;
    app.grant("bot", "files").await;
    for (count, (path, name)) in [
        ("/servers/files/mcp", "plain"),
        ("/mcp", "files__plain"),
        ("/servers/files/mcp", "streamed"),
        ("/mcp", "files__streamed"),
    ]
    .into_iter()
    .enumerate()
    {
        let calling = bot.clone();
        let params = json!({"name": name, "arguments": {}});
        let mut call = JoinSet::new();
        call.spawn(async move { calling.ask(path, Era::Modern, "tools/call", params).await });
        server.wait_for("tools/call", count + 1).await.unwrap();
        disk.fill();
        let mut refused = false;
        for _ in 0..200 {
            refused = bot.ask("/mcp", Era::Modern, "tools/list", json!({})).await.status == 503;
            if refused {
                break;
            }
        }
        assert!(refused, "the disk is not full");
        go.notify_one();
        let answer = call.join_next().await.unwrap().unwrap();
        assert!(!String::from_utf8_lossy(&answer.body).contains("the result"), "{answer:?}");
        let error = answer.error();
        assert_eq!((&error["code"], &error["data"]["executed"]), (&json!(50301), &json!(true)), "{answer:?}");
        disk.free();
        let mut again = false;
        for _ in 0..400 {
            again = ready(&app).await.0 == 200;
            if again {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        assert!(again, "the ledger stays closed");
    }
    assert_eq!(server.received_of("tools/call").len(), 4);
    let ledger = app.ledger_dir();
    app.running.stop().await.unwrap();
    let report = verify(&ledger, &VerifyOptions::default()).unwrap();
    assert_eq!((report.bad, report.open_calls), (None, 4), "their ends are not known to the ledger");
}
