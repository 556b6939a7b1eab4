//! Answers that are none: hanging, cut, flooding, malformed, somebody else's.

use std::time::{Duration, Instant};

use bailiwick_testkit::upstream::{Eras, Reply, Step};
use serde_json::{Value, json};

use super::{LEGACY, agent, server};
use crate::support::{App, Era};

/// Small bounds, so that a flood is one soon.
const SMALL: &str = "[limits]\nanswer_bytes = 200000\nevent_bytes = 100000";
/// How long a server that is silent, and any other, is waited for, in milliseconds.
const SHORT: u64 = 200;
const LONG: u64 = 5_000;

fn body(content_type: &str, body: &str) -> Reply {
    Reply::Body { content_type: content_type.to_owned(), body: body.to_owned() }
}

fn progress() -> Step {
    Step::progress(&json!("p"), 0.5)
}

/// An event of so many bytes.
fn event(size: usize) -> Step {
    let params = json!({"level": "info", "data": "x".repeat(size)});
    Step::Notify { method: "notifications/message".to_owned(), params }
}

/// What a server does, and what is said of it.
fn faults() -> Vec<(&'static str, Reply, &'static str)> {
    let endless = std::iter::repeat_with(|| event(90_000)).take(100).collect();
    vec![
        ("silence", Reply::Hang, "upstream_timeout"),
        ("silence after a beginning", Reply::Stream(vec![progress(), Step::Hang]), "upstream_timeout"),
        ("a reset", Reply::Reset, "upstream_invalid"),
        ("a cut", Reply::Stream(vec![progress(), Step::Cut]), "upstream_invalid"),
        ("an end without an answer", Reply::Stream(vec![progress()]), "upstream_invalid"),
        ("a flood of 100 MB", Reply::Huge(100_000_000), "upstream_invalid"),
        ("a stream without end", Reply::Stream(endless), "upstream_invalid"),
        ("a huge event", Reply::Stream(vec![progress(), event(150_000)]), "upstream_invalid"),
        ("no JSON", body("application/json", "{\"jsonrpc\":"), "upstream_invalid"),
        ("no JSON-RPC", body("application/json", "{\"hello\":1}"), "upstream_invalid"),
        ("a page", body("text/html", "<html>"), "upstream_invalid"),
        ("nothing", body("application/json", ""), "upstream_invalid"),
        ("no event", Reply::Stream(vec![Step::Raw("data: {\n\n".to_owned())]), "upstream_invalid"),
        ("another's answer", Reply::WrongId(json!({"content": []})), "upstream_invalid"),
        ("a redirect", Reply::Redirect("http://127.0.0.1:1/".to_owned()), "upstream_invalid"),
        ("a refusal", Reply::Status(401, "who are you at 10.0.0.7?".to_owned()), "upstream_unreachable"),
        ("a failure", Reply::Status(500, "panic at /srv/x.rs".to_owned()), "upstream_unreachable"),
    ]
}

/// The error, wherever it stands, and nothing of what the server wrote.
fn check_error(what: &str, text: &str, reason: &str) {
    let last = text.lines().rev().find_map(|line| line.strip_prefix("data: ")).unwrap_or(text);
    let message: Value = serde_json::from_str(last).unwrap_or_else(|_| panic!("{what}: {last:.300}"));
    assert_eq!(message["id"], 1, "{what}: {message}");
    assert_eq!(message["error"]["data"]["reason"], reason, "{what}: {message}");
    assert!(!message["error"]["data"]["explanation"].as_str().unwrap().is_empty());
    for leak in ["10.0.0.7", "/srv", "127.0.0.1", "panic", "<html>"] {
        assert!(!message.to_string().contains(leak), "{what}: {message}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_failure_of_a_modern_server_has_its_true_reason_once_and_soon_and_is_never_tried_twice() {
    check_failures(Eras::Modern, Era::Modern).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_failure_of_a_legacy_server_has_its_true_reason_once_and_soon_and_is_never_tried_twice() {
    check_failures(Eras::Legacy, LEGACY).await;
}

#[expect(clippy::disallowed_methods, reason = "real time is what is measured")]
async fn check_failures(eras: Eras, era: Era) {
    let app = App::start_with(SMALL).await;
    let client = app.agent("bot").await;
    let mut count = 0;
    for (number, (what, reply, reason)) in faults().into_iter().enumerate() {
        let server = server(eras, reply).await;
        let name = format!("s{number}");
        let patience = if reason == "upstream_timeout" { SHORT } else { LONG };
        app.register_impatient(&name, &server.url(), patience).await;
        app.grant("bot", &name).await;
        for (path, tool) in
            [(format!("/servers/{name}/mcp"), "t".to_owned()), ("/mcp".to_owned(), format!("{name}__t"))]
        {
            let mut client = client.clone();
            client.enter(&path, era).await;
            let before = server.received_of("tools/call").len();
            let started = Instant::now();
            let answer = client.ask(&path, era, "tools/call", json!({"name": tool})).await;
            let took = started.elapsed();
            assert!(took < Duration::from_secs(3), "{what}: {took:?}");
            assert_eq!(answer.status, 200, "{what}: {answer:?}");
            check_error(what, std::str::from_utf8(&answer.body).unwrap(), reason);
            assert_eq!(server.received_of("tools/call").len(), before + 1, "{what} was tried again");
            count += 1;
            let outcome = app.outcomes_of("tools/call", count).await.pop().unwrap();
            assert_eq!(outcome["status"], reason, "{what} {path}: {outcome}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_is_not_read_to_its_end() {
    let app = App::start_with(SMALL).await;
    let server = server(Eras::Modern, Reply::Huge(100_000_000)).await;
    app.register("x", &server.url()).await;
    let client = agent(&app, &["x"]).await;
    let before = resident();
    for _ in 0..10 {
        let params = json!({"name": "t"});
        let answer = client.ask("/servers/x/mcp", Era::Modern, "tools/call", params).await;
        assert_eq!(answer.error()["data"]["reason"], "upstream_invalid");
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < 100 << 20, "{} MB for ten floods of 100 MB", grown >> 20);
}

/// The memory of this process, in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() << 10
}
