//! What the ledger says beside who called what: which credential was shown, what came of it on the server's side, and
//! with which settings the gateway ran.

use std::collections::BTreeMap;
use std::fs;

use bailiwick_control::{Actor, ServerChange};
use bailiwick_testkit::upstream::{Eras, Reply, Script};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::support::{App, Client, Era, script, until};

async fn call(client: &Client, tool: &str) {
    let params = json!({"name": tool, "arguments": {"text": "hi"}});
    client.ask("/mcp", Era::Modern, "tools/call", params).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_credential_is_on_record_by_name_before_it_is_first_shown_and_after_each_change() {
    let server = script(Eras::Both).start().await.unwrap();
    let open = script(Eras::Both).start().await.unwrap();
    let app = App::start().await;
    app.register_with_header("files", &server.url(), "x-api-key", "s3cret-value-1").await;
    app.register("open", &open.url()).await;
    let (bot, other) = (app.agent("bot").await, app.agent("other").await);
    for agent in ["bot", "other"] {
        app.grant(agent, "files").await;
        app.grant(agent, "open").await;
    }
    for client in [&bot, &bot, &other, &bot] {
        call(client, "files__echo").await;
        call(client, "open__echo").await;
    }
    let shown = app.records_of("credential");
    let names: Vec<_> =
        shown.iter().map(|r| (r["who"]["subject"].clone(), r["subject"]["name"].clone())).collect();
    assert_eq!(names, [(json!("bot"), json!("files")), (json!("other"), json!("files"))]);
    assert!(shown.iter().all(|record| record["credential"] == json!(["x-api-key"])));
    for intent in app.records_of("intent") {
        let expected = if intent["subject"]["name"] == "files" { json!(["x-api-key"]) } else { Value::Null };
        assert_eq!(intent["credential"], expected, "{intent}");
    }
    // It stands before the first call that shows it.
    let first =
        app.records().into_iter().find(|r| r["kind"] == "intent" && r["subject"]["name"] == "files").unwrap();
    assert!(shown[0]["index"].as_u64() < first["index"].as_u64());

    let secrets = BTreeMap::from([("x-api-key".to_owned(), SecretString::from("s3cret-value-2"))]);
    let change = ServerChange { secrets, ..ServerChange::default() };
    app.control().update_server(&Actor::Gateway, "files", change).await.unwrap();
    call(&bot, "files__echo").await;
    call(&bot, "files__echo").await;
    assert_eq!(app.records_of("credential").len(), 3);
    let app = app.restart().await;
    call(&bot.moved_to(app.url()), "files__echo").await;
    assert_eq!(app.records_of("credential").len(), 4);
    assert!(!app.records().iter().any(|record| record.to_string().contains("s3cret-value")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outcome_says_what_came_of_it_on_the_server_s_side() {
    let tool = |name: &str| json!({"name": name, "inputSchema": {"type": "object"}});
    let failed = json!({"content": [], "isError": true, "resultType": "complete"});
    let server = Script::new(Eras::Both)
        .tool(tool("good"), |_| Reply::text("ok"))
        .tool(tool("bad"), move |_| Reply::Result(failed.clone()))
        .tool(tool("broken"), |_| Reply::Status(500, "no".into()))
        .tool(tool("cut"), |_| Reply::Reset)
        .tool(tool("foreign"), |_| Reply::WrongId(json!({"content": []})))
        .start()
        .await
        .unwrap();
    let app = App::start().await;
    app.register("x", &server.url()).await;
    app.register_fixture("child").await;
    let bot = app.agent("bot").await;
    app.grant("bot", "x").await;
    app.grant("bot", "child").await;
    for (tool, upstream, is_error) in [
        ("x__good", json!({"http": 200}), json!(false)),
        ("x__bad", json!({"http": 200}), json!(true)),
        ("x__broken", json!({"http": 500, "failure": "failed"}), Value::Null),
        ("x__cut", json!({"failure": "cut"}), Value::Null),
        ("x__foreign", json!({"failure": "invalid"}), Value::Null),
        ("child__test_simple_text", Value::Null, json!(false)),
    ] {
        let before = app.records_of("outcome").len();
        call(&bot, tool).await;
        let outcomes =
            until("the outcome", || Some(app.records_of("outcome")).filter(|all| all.len() > before)).await;
        let outcome = outcomes.last().unwrap();
        assert_eq!((&outcome["upstream"], &outcome["is_error"]), (&upstream, &is_error), "{tool}: {outcome}");
        let time = |name: &str| outcome["timing"][name].as_u64().unwrap();
        assert!(time("policy_us") + time("queue_us") + time("upstream_us") <= time("total_us"), "{outcome}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_start_tells_the_settings_in_force_and_what_changed() {
    let app = App::start().await;
    let told = app.records_of("configuration").pop().unwrap();
    assert_eq!(told["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(told["settings"]["ledger.checkpoint_seconds"], 10);
    assert_eq!(told["settings"]["egress.allow"], json!(["127.0.0.0/8:*"]));
    assert!(told["changed"].is_null(), "{told}");
    // The index has it when the next start looks for it.
    let admin = app.admin().await;
    let indexed = async {
        loop {
            let request = admin.request(http::Method::GET, "/api/v1/audit/calls?kind=configuration");
            let answer = admin.send(request.body(http_body_util::Full::default()).unwrap()).await;
            let answer = crate::support::Answer::read(answer).await;
            if String::from_utf8_lossy(&answer.body).contains("configuration") {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(5), indexed).await.unwrap();
    let webhook =
        "[ledger]\ncheckpoint_seconds = 7\nwitness_webhook = \"https://127.0.0.1:9/t0ken?k=t0ken\"\n";
    let app = app.restart_with(webhook).await;
    let told = app.records_of("configuration").pop().unwrap();
    assert_eq!(told["changed"], json!({"ledger.checkpoint_seconds": 10, "ledger.witness_webhook": null}));
    assert_eq!(told["settings"]["ledger.witness_webhook"], "https://127.0.0.1:9");
    let text = fs::read_to_string(app.ledger_dir().join("00000000000000000000.jsonl")).unwrap();
    assert!(!text.contains("t0ken"));
}
