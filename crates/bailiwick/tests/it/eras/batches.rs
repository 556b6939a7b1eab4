//! Batches of 2025-03-26: every message on its own, the answers together.

use bailiwick_testkit::upstream::{Eras, Reply, Script};
use serde_json::{Value, json};

use super::reporting;
use crate::support::{Answer, App, Client, Era};

const OLD: &str = "2025-03-26";
const DOORS: [(&str, &str); 2] = [("/servers/x/mcp", ""), ("/mcp", "x__")];

async fn behind() -> (bailiwick_testkit::upstream::ScriptedServer, App, Client) {
    let schema = json!({"type": "object"});
    let server = Script::new(Eras::Legacy)
        .with_sessions()
        .tool(json!({"name": "t", "inputSchema": schema}), |call| Reply::text(call.argument("text")))
        .tool(json!({"name": "s", "inputSchema": schema}), reporting)
        .start()
        .await
        .unwrap();
    let app = App::start().await;
    app.register("x", &server.url()).await;
    let client = app.agent("bot").await;
    app.grant("bot", "x").await;
    (server, app, client)
}

fn call(id: u64, name: &str) -> Value {
    let params = json!({"name": name, "arguments": {"text": id.to_string()}, "_meta": {"progressToken": id}});
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params})
}

fn by_id(messages: &[Value], id: u64) -> &Value {
    messages.iter().find(|message| message["id"] == id).unwrap_or_else(|| panic!("{id} in {messages:?}"))
}

async fn send(client: &Client, path: &str, batch: &Value) -> Answer {
    client.post_raw(path, &[], &batch.to_string()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_of_calls_errors_and_notifications_is_answered_as_one_array() {
    let (_server, app, client) = behind().await;
    for (count, (path, prefix)) in DOORS.into_iter().enumerate() {
        let mut client = client.clone();
        client.enter(path, Era::Legacy(OLD)).await;
        let cancelled =
            json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 99}});
        let ping = json!({"jsonrpc": "2.0", "id": 4, "method": "ping"});
        let batch = json!([
            call(1, &format!("{prefix}t")),
            cancelled,
            call(2, "nothing"),
            ping,
            call(3, &format!("{prefix}t"))
        ]);
        let answer = send(&client, path, &batch).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let answers: Vec<Value> = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(answers.len(), 4, "{answers:?}");
        for id in [1, 3] {
            assert_eq!(by_id(&answers, id)["result"]["content"][0]["text"], id.to_string());
        }
        assert_eq!(by_id(&answers, 2)["error"]["code"], -32602);
        assert_eq!(by_id(&answers, 4)["result"], json!({}));
        app.statuses_of("tools/call", 2 * (count + 1)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_with_a_stream_is_answered_as_one_stream() {
    let (_server, _app, client) = behind().await;
    for (path, prefix) in DOORS {
        let mut client = client.clone();
        client.enter(path, Era::Legacy(OLD)).await;
        let batch =
            json!([call(1, &format!("{prefix}t")), call(2, &format!("{prefix}s")), call(3, "nothing")]);
        let all = client.stream_of(path, OLD, &batch).await.rest().await;
        assert_eq!(by_id(&all, 1)["result"]["content"][0]["text"], "1");
        assert_eq!(by_id(&all, 2)["result"]["content"][0]["text"], "2");
        assert_eq!(by_id(&all, 3)["error"]["code"], -32602);
        let progress: Vec<_> = all.iter().filter(|m| m["method"] == "notifications/progress").collect();
        assert_eq!((progress.len(), &progress[0]["params"]["progressToken"]), (1, &json!(2)));
        assert_eq!(all.len(), 4, "{all:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_asks_nothing_is_only_taken() {
    let (_server, _app, client) = behind().await;
    for (path, _) in DOORS {
        let mut client = client.clone();
        client.enter(path, Era::Legacy(OLD)).await;
        let told = json!({"jsonrpc": "2.0", "method": "notifications/roots/list_changed"});
        let answer = send(&client, path, &json!([told, told])).await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (202, 0), "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_that_are_none_or_too_long_or_of_another_era_are_refused_whole() {
    let (server, _app, client) = behind().await;
    for (path, prefix) in DOORS {
        let mut client = client.clone();
        client.enter(path, Era::Legacy(OLD)).await;
        let name = format!("{prefix}t");
        let many: Vec<Value> = (0..51).map(|id| call(id, &name)).collect();
        let initialize = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {}});
        for batch in [json!([]), json!(many), json!([call(1, &name), initialize]), json!([1])] {
            let answer = send(&client, path, &batch).await;
            assert_eq!(answer.status, 400, "{path} {batch}");
        }
        for version in ["2025-06-18", "2025-11-25"] {
            let mut client = client.clone();
            client.enter(path, Era::Legacy(version)).await;
            let answer = client.say(path, version, json!([call(1, &name)])).await;
            assert_eq!(answer.status, 400, "{answer:?}");
        }
    }
    assert!(server.received_of("tools/call").is_empty());
}
