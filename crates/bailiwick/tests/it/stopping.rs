//! The real program, told to stop in the middle of its work: every call gets its answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bailiwick_control::{Actor, NewServer};
use bailiwick_ledger::{VerifyOptions, verify};
use bailiwick_model::server::{Timeouts, Transport};
use bailiwick_testkit::upstream::{Eras, Reply};
use serde_json::json;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::support::{App, Era, Program, script};

/// How many calls are under way.
const CALLS: usize = 200;

/// Waits until the program has noticed that it shall stop: whoever comes then is not let in any more.
async fn lets_nobody_in(url: &str) {
    let address = url.trim_start_matches("http://");
    for _ in 0..500 {
        if tokio::net::TcpStream::connect(address).await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the program still takes connections");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_with_200_calls_under_way_loses_none() {
    let go = Arc::new(Notify::new());
    let held = Arc::clone(&go);
    let server = script(Eras::Both)
        .tool(json!({"name": "slow", "inputSchema": {"type": "object"}}), move |call| {
            let text = call.argument("n");
            Reply::When(Arc::clone(&held), Box::new(Reply::text(text)))
        })
        .start()
        .await
        .unwrap();
    let app = App::start().await;
    let new = NewServer {
        name: Some("files".parse().unwrap()),
        registry_name: None,
        team: Some("default".into()),
        description: String::new(),
        transport: Transport::Http { url: server.url(), headers: BTreeMap::new() },
        secrets: BTreeMap::new(),
        timeouts: Timeouts { connect_ms: 10_000, first_byte_ms: 60_000, idle_ms: 60_000 },
        capture: bailiwick_model::Capture::default(),
        enabled: true,
    };
    app.control().add_server(&Actor::Gateway, new).await.unwrap();
    let bot = app.agent("bot").await;
    app.grant("bot", "files").await;
    let App { running, dir, .. } = app;
    running.stop().await.unwrap();

    let program = Program::start(dir.path());
    let bot = bot.moved_to(&program.url);
    let mut calls = JoinSet::new();
    for n in 0..CALLS {
        let bot = bot.clone();
        let params = json!({"name": "files__slow", "arguments": {"n": n.to_string()}});
        calls.spawn(async move { (n, bot.ask("/mcp", Era::Modern, "tools/call", params).await) });
    }
    server.wait_for("tools/call", CALLS).await.unwrap();
    program.terminate();
    lets_nobody_in(&program.url).await;
    go.notify_waiters();
    while let Some(answered) = calls.join_next().await {
        let (n, answer) = answered.unwrap();
        assert_eq!(answer.status, 200, "call {n}: {answer:?}");
        assert_eq!(answer.result()["content"][0]["text"], n.to_string());
    }
    assert_eq!(program.ended(Duration::from_secs(30)).await, Some(0));

    assert_eq!(server.received_of("tools/call").len(), CALLS);
    let ledger = dir.path().join("data/ledger");
    let report = verify(&ledger, &VerifyOptions::default()).unwrap();
    assert_eq!((report.bad, report.open_calls, report.torn_bytes), (None, 0, 0));
    assert_eq!(report.signed, report.records, "the end is signed");
    let lines = bailiwick_ledger::tail(&ledger, usize::MAX, None).unwrap();
    let records = lines.iter().map(|line| serde_json::from_str::<serde_json::Value>(&line.json).unwrap());
    let records: Vec<_> = records.collect();
    let intents: Vec<_> = records.iter().filter(|record| record["kind"] == "intent").collect();
    assert_eq!(intents.len(), CALLS);
    for intent in intents {
        let of_call =
            |record: &&serde_json::Value| record["kind"] == "outcome" && record["call"] == intent["call"];
        let outcomes: Vec<_> = records.iter().filter(of_call).collect();
        assert_eq!(outcomes.len(), 1);
        assert_eq!(outcomes[0]["status"], "ok");
    }
    let last = records.last().unwrap();
    assert_eq!((&last["kind"], &last["event"]), (&json!("lifecycle"), &json!("stopped")));
}
