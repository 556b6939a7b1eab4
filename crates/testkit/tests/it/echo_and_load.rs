//! The echo server and the load generator, against each other: what one says it has seen is what the other has sent.

use std::collections::HashSet;
use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use bailiwick_testkit::echo::{self, Fault};
use bailiwick_testkit::load::{self, Era, Operation, Report, Until};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::wire::{Stream, ask, ask_with, legacy, modern, post};

async fn echo(settings: echo::Settings) -> (SocketAddr, CancellationToken) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let until = CancellationToken::new();
    TaskTracker::new().spawn(echo::serve(listener, settings, until.clone()));
    (address, until)
}

fn load(address: SocketAddr, era: Era, operation: Operation) -> load::Settings {
    load::Settings {
        address,
        host: address.to_string(),
        path: "/mcp".to_owned(),
        headers: vec!["X-Extra: 1".to_owned()],
        connections: 4,
        until: Until::Requests(200),
        warmup: Duration::ZERO,
        era,
        operation,
        tool: if operation == Operation::Blob { "blob" } else { "echo" }.to_owned(),
        timeout: Duration::from_secs(5),
        reconnect: false,
        acks: None,
    }
}

fn append(path: &Path) -> File {
    File::options().create(true).append(true).open(path).unwrap()
}

fn lines(path: &Path) -> HashSet<String> {
    std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

fn good(report: &Report) -> u64 {
    assert_eq!(report.errors, 0, "{report:?}");
    report.requests
}

#[tokio::test]
async fn every_operation_is_answered_in_both_eras() {
    let (address, _until) = echo(echo::Settings { tools: 100, ..Default::default() }).await;
    for era in [Era::Legacy, Era::Modern] {
        for operation in [Operation::Echo, Operation::Blob, Operation::List] {
            let report = load::run(load(address, era, operation)).await.unwrap();
            assert!(
                good(&report) >= 200 && report.p50_us > 0.0 && report.max_us >= report.p99_us,
                "{report:?}"
            );
        }
    }
}

#[tokio::test]
async fn what_is_acknowledged_was_seen_before() {
    let folder = tempfile::tempdir().unwrap();
    let (seen, acked) = (folder.path().join("seen"), folder.path().join("acked"));
    let (address, _until) = echo(echo::Settings { log: Some(append(&seen)), ..Default::default() }).await;
    let settings =
        load::Settings { acks: Some(append(&acked)), ..load(address, Era::Legacy, Operation::Echo) };
    let report = load::run(settings).await.unwrap();
    assert_eq!(lines(&acked).len() as u64, good(&report));
    assert_eq!(lines(&acked), lines(&seen));
}

#[tokio::test]
async fn the_load_survives_the_death_of_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let (seen, acked) = (folder.path().join("seen"), folder.path().join("acked"));
    let (address, until) = echo(echo::Settings { log: Some(append(&seen)), ..Default::default() }).await;
    let settings = load::Settings {
        acks: Some(append(&acked)),
        until: Until::Elapsed(Duration::from_secs(60)),
        ..load(address, Era::Modern, Operation::Echo)
    };
    let death = async {
        while std::fs::metadata(&seen).unwrap().len() == 0 {
            tokio::task::yield_now().await;
        }
        until.cancel();
    };
    let (report, ()) = tokio::join!(load::run(settings), death);
    let report = report.unwrap();
    assert_eq!(report.errors, 4, "each connection failed once: {report:?}");
    assert!(lines(&acked).is_subset(&lines(&seen)));
    assert_eq!(lines(&acked).len() as u64, report.requests);
}

#[tokio::test]
async fn wrong_answers_are_errors() {
    for (fault, kind) in
        [(Fault::WrongId, "wrong_answer"), (Fault::Malformed, "wrong_answer"), (Fault::Reset, "closed")]
    {
        let (address, _until) = echo(echo::Settings { fault: Some(fault), ..Default::default() }).await;
        let report = load::run(load(address, Era::Modern, Operation::Echo)).await.unwrap();
        assert_eq!(report.requests, 0);
        assert_eq!(report.error_kinds.keys().collect::<Vec<_>>(), [kind], "{report:?}");
    }
    let (address, _until) = echo(echo::Settings { fault: Some(Fault::Hang), ..Default::default() }).await;
    let settings = load(address, Era::Modern, Operation::Echo);
    let report = load::run(load::Settings { timeout: Duration::from_millis(50), ..settings }).await.unwrap();
    assert_eq!(report.error_kinds["timeout"], 4);
}

#[tokio::test]
async fn floods_and_endless_streams_do_not_end() {
    let call = post(&[], &legacy(1, "tools/call", &json!({ "name": "echo", "arguments": { "text": "x" } })));
    for (fault, piece) in [(Fault::Flood, "xxxxxxxxxxxxxxxx"), (Fault::EndlessSse, "notifications/message")] {
        let (address, _until) = echo(echo::Settings { fault: Some(fault), ..Default::default() }).await;
        let mut stream = Stream::open(address, &call).await;
        for _ in 0..100 {
            stream.until(piece).await;
        }
    }
}

#[tokio::test]
async fn the_handshakes_name_the_server_and_lists_work_in_spite_of_a_fault() {
    let (address, _until) =
        echo(echo::Settings { tools: 100, fault: Some(Fault::Reset), ..Default::default() }).await;
    let initialize = legacy(1, "initialize", &json!({ "protocolVersion": "2025-06-18" }));
    let (_, initialized) = ask(address, &initialize).await;
    assert_eq!(initialized["result"]["protocolVersion"], "2025-06-18");
    let (_, discovered) = ask(address, &modern(1, "server/discover", json!({}))).await;
    assert_eq!(discovered["result"]["resultType"], "complete");
    let version = [("MCP-Protocol-Version", "2026-07-28")];
    let (_, list) = ask_with(address, &version, &modern(2, "tools/list", json!({}))).await;
    assert_eq!(list["result"]["tools"].as_array().map(Vec::len), Some(100));
    assert_eq!(list["result"]["cacheScope"], "public");
    let (status, _) = ask_with(address, &version, &modern(3, "ping", json!({}))).await;
    assert_eq!(status, 404);
}
