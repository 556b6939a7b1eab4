//! What the ledger holds of payloads: size and digest always, the rest as the server's capture policy says, and never a
//! secret.

use bailiwick_control::{Actor, ServerChange};
use bailiwick_model::capture::{Capture, CaptureAction, CaptureMode, CaptureRule, ToolCapture};
use bailiwick_testkit::upstream::{Eras, Reply, Step};
use serde_json::{Value, json};

use crate::support::{App, DOORS, Era, Stage, script};

const SECRET: &str = "ghp_abcdefghijklmnopqrstuvwxyz0123456789";

async fn capture(app: &App, capture: Capture) {
    let change = ServerChange { capture: Some(capture), ..ServerChange::default() };
    app.control().update_server(&Actor::Gateway, "files", change).await.unwrap();
}

fn redacted() -> Capture {
    Capture { arguments: CaptureMode::Redacted, results: CaptureMode::Redacted, ..Capture::default() }
}

fn rule(path: &str, action: CaptureAction) -> CaptureRule {
    CaptureRule { path: path.to_owned(), action }
}

/// The payloads of the last call, as they are recorded.
fn last(app: &App) -> (Value, Value) {
    let intent = app.records_of("intent").pop().unwrap();
    let outcome = app.records_of("outcome").pop().unwrap();
    assert_eq!(intent["call"], outcome["call"]);
    (intent["arguments"].clone(), outcome["result"].clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn digests_are_always_there_and_bodies_only_where_they_are_wanted() {
    let stage = Stage::new(Eras::Both).await;
    let (app, bot) = (&stage.app, &stage.bot);
    let (path, prefix) = DOORS[0];
    let call = json!({"name": format!("{prefix}echo"), "arguments": {"text": "hello"}});
    let mut digests = Vec::new();
    for (policy, bodies) in [
        (Capture::default(), (false, false)),
        (redacted(), (true, true)),
        (Capture { results: CaptureMode::None, ..redacted() }, (true, false)),
        (Capture { arguments: CaptureMode::None, ..redacted() }, (false, true)),
        (Capture::default(), (false, false)),
    ] {
        capture(app, policy).await;
        let answer = bot.ask(path, Era::Modern, "tools/call", call.clone()).await;
        assert_eq!(answer.status, 200);
        let (arguments, result) = last(app);
        assert_eq!((arguments.get("body").is_some(), result.get("body").is_some()), bodies);
        digests.push((arguments["hmac"].clone(), result["hmac"].clone()));
        assert_eq!(arguments["hmac"].as_str().map(str::len), Some(64));
        assert!(result["bytes"].as_u64() > Some(10));
    }
    assert!(digests.windows(2).all(|pair| pair[0].1 == pair[1].1), "equal results have equal digests");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_and_nothing_personal_is_held_at_any_door() {
    let stage = Stage::new(Eras::Both).await;
    let (app, bot) = (&stage.app, &stage.bot);
    let rules = vec![rule("$.arguments.note", CaptureAction::Drop), rule("$..plain", CaptureAction::Keep)];
    capture(app, Capture { rules, ..redacted() }).await;
    for (path, prefix) in DOORS {
        let text = format!("mail eve@example.org, key {SECRET}");
        let arguments = json!({"text": text, "password": "hunter2hunter2", "note": "inner thoughts", "plain": "a@b.example"});
        let call = json!({"name": format!("{prefix}echo"), "arguments": arguments});
        let answer = bot.ask(path, Era::Modern, "tools/call", call).await;
        assert_eq!(answer.status, 200, "{path}");
        let (arguments, result) = last(app);
        let held = format!("{arguments}{result}");
        for gone in ["eve@example.org", SECRET, "hunter2", "inner thoughts"] {
            assert!(!held.contains(gone), "{path}: {gone} in {held}");
        }
        assert_eq!(arguments["body"]["arguments"]["plain"], "a@b.example", "{path}");
        assert_eq!(arguments["body"]["arguments"]["text"], "mail [email], key [token]", "{path}");
        assert_eq!(arguments["found"]["token"], 1, "{path}");
        assert!(result["body"]["content"][0]["text"].as_str().unwrap().contains("[token]"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tools_may_differ_sizes_are_bounded_and_streams_are_captured_too() {
    let text = |_: &_| Reply::text("x".repeat(100_000));
    let stream = |_: &_| {
        let params = json!({"level": "info", "data": "x"});
        let result = json!({"content": [{"type": "text", "text": "streamed"}]});
        Reply::Stream(vec![
            Step::Notify { method: "notifications/message".into(), params },
            Step::Result(result),
        ])
    };
    let schema = json!({"type": "object"});
    let server = script(Eras::Both)
        .tool(json!({"name": "large", "inputSchema": schema}), text)
        .tool(json!({"name": "stream", "inputSchema": schema}), stream)
        .start()
        .await
        .unwrap();
    let app = App::start().await;
    app.register("files", &server.url()).await;
    let bot = app.agent("bot").await;
    app.grant("bot", "files").await;
    let quiet = ToolCapture { results: Some(CaptureMode::None), ..ToolCapture::default() };
    let tools = [("echo".to_owned(), quiet)].into();
    capture(&app, Capture { max_bytes: 1_000, tools, ..redacted() }).await;
    let (path, prefix) = DOORS[0];
    let ask = async |name: &str| {
        let call = json!({"name": format!("{prefix}{name}"), "arguments": {"text": "t"}});
        assert_eq!(bot.ask(path, Era::Modern, "tools/call", call).await.status, 200);
        last(&app)
    };
    let (arguments, result) = ask("echo").await;
    assert!(arguments.get("body").is_some() && result.get("body").is_none());
    let (_, result) = ask("large").await;
    assert!(result["bytes"].as_u64() > Some(100_000) && result["cut"] == true);
    assert!(result["body"].to_string().len() <= 1_000);
    let (_, result) = ask("stream").await;
    assert_eq!(result["body"]["content"][0]["text"], "streamed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_that_is_not_understood_is_refused_with_its_place() {
    let stage = Stage::new(Eras::Both).await;
    let policy = Capture { rules: vec![rule("$.a[0", CaptureAction::Mask)], ..redacted() };
    let change = ServerChange { capture: Some(policy), ..ServerChange::default() };
    let error = stage.app.control().update_server(&Actor::Gateway, "files", change).await.unwrap_err();
    assert!(error.to_string().contains("$.a[0"), "{error}");
}
