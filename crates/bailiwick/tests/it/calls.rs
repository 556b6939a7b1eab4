//! The main job: an agent calls a tool on a registered server, by policy and on the record.

use bailiwick_testkit::upstream::{Eras, Reply, Script};
use serde_json::json;

use crate::support::{App, Era};

const LEGACY: Era = Era::Legacy("2025-11-25");

fn tools(eras: Eras) -> Script {
    let schema = json!({"type": "object", "x-unknown": [1, 2]});
    Script::new(eras)
        .tool(json!({"name": "echo", "inputSchema": schema}), |call| Reply::text(call.argument("text")))
        .tool(json!({"name": "secret", "inputSchema": schema}), |_| Reply::text("seen"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_granted_tool_is_listed_called_and_recorded_in_every_pair_of_eras() {
    for eras in [Eras::Legacy, Eras::Modern, Eras::Both] {
        for era in [Era::Legacy("2025-03-26"), Era::Legacy("2025-06-18"), LEGACY, Era::Modern] {
            let server = tools(eras).start().await.unwrap();
            let app = App::start().await;
            app.register("files", &server.url()).await;
            let mut client = app.agent("bot").await;
            app.grant_tool("bot", "files", "echo").await;
            for (path, name) in [("/servers/files/mcp", "echo"), ("/mcp", "files__echo")] {
                if let Era::Legacy(version) = era {
                    client.initialize(path, version).await;
                }
                let listed = client.ask(path, era, "tools/list", json!({})).await.result();
                let names: Vec<_> = listed["tools"].as_array().unwrap().iter().map(|t| &t["name"]).collect();
                assert_eq!(names, [name], "{eras:?} {era:?}");
                assert_eq!(listed["tools"][0]["inputSchema"]["x-unknown"], json!([1, 2]));
                let params = json!({"name": name, "arguments": {"text": "hi"}});
                let called = client.ask(path, era, "tools/call", params).await;
                assert_eq!(called.result()["content"][0]["text"], "hi", "{eras:?} {era:?} {path}");
                let denied = json!({"name": name.replace("echo", "secret"), "arguments": {}});
                let unknown = json!({"name": name.replace("echo", "nothing"), "arguments": {}});
                let denied = client.ask(path, era, "tools/call", denied).await.error();
                let unknown = client.ask(path, era, "tools/call", unknown).await.error();
                assert_eq!(denied["code"], unknown["code"]);
                assert_eq!(
                    denied["message"].as_str().unwrap().replace("secret", "nothing"),
                    unknown["message"].as_str().unwrap()
                );
            }
            let seen = server.received_of("tools/call");
            assert_eq!(seen.len(), 2, "the server saw the allowed calls only");
            let calls = app.records_of("intent").into_iter().filter(|r| r["what"]["method"] == "tools/call");
            assert_eq!(calls.count(), 2);
            app.running.stop().await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_has_its_intent_and_one_outcome() {
    let server = tools(Eras::Modern).start().await.unwrap();
    let app = App::start().await;
    app.register("files", &server.url()).await;
    let client = app.agent("bot").await;
    app.grant("bot", "files").await;
    let params = json!({"name": "echo", "arguments": {"text": "hi"}});
    client.ask("/servers/files/mcp", Era::Modern, "tools/call", params).await.result();
    let (intents, outcomes) = (app.records_of("intent"), app.records_of("outcome"));
    assert_eq!((intents.len(), outcomes.len()), (1, 1));
    assert_eq!(intents[0]["call"], outcomes[0]["call"]);
    assert_eq!(outcomes[0]["status"], "ok");
    assert_eq!(intents[0]["subject"]["key"], "echo");
    assert!(!intents[0]["why"]["rules"].as_array().unwrap().is_empty());
}
