//! The same with child processes, which share one line for all that they say.

use std::collections::BTreeMap;

use bailiwick_model::server::{Confinement, Sharing, Transport};
use serde_json::{Value, json};

use super::{LEGACY, VERSION, at};
use crate::support::{App, Client, Era};

const DOORS: [(&str, &str); 2] = [("/servers/fix/mcp", ""), ("/mcp", "fix__")];

async fn fixture() -> (App, Client) {
    let app = App::start().await;
    app.register_fixture("fix").await;
    let client = app.agent("bot").await;
    app.grant("bot", "fix").await;
    (app, client)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_asks_the_client_whose_call_it_runs() {
    let (app, client) = fixture().await;
    for (path, prefix) in DOORS {
        let (one, two) = (at(&client, path, LEGACY).await, at(&client, path, LEGACY).await);
        for client in [&one, &two] {
            let params = json!({"name": format!("{prefix}test_sampling"), "arguments": {"prompt": "hello"}});
            let mut stream = client.stream(path, LEGACY, "tools/call", params).await;
            let asked = stream.message().await;
            assert_eq!(asked["method"], "sampling/createMessage", "{path} {asked}");
            let said = json!({"type": "text", "text": "hello yourself"});
            let result = json!({"role": "assistant", "content": said, "model": "m", "stopReason": "endTurn"});
            client.respond(path, VERSION, &asked, result).await;
            let answer = stream.message().await;
            assert!(answer["result"].to_string().contains("hello yourself"), "{answer}");
        }
    }
    app.running.stop().await.unwrap();
}

/// Lets the fixture tell of a change. It hears of its subscribers a little later than they think.
async fn trigger(client: &Client, path: &str, era: Era) {
    loop {
        let params = json!({"name": "test_trigger_tool_change"});
        let result = client.ask(path, era, "tools/call", params).await.result();
        if result["content"][0]["text"] != "0 subscribers told" {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_childs_news_reach_listeners_of_both_eras() {
    let (app, client) = fixture().await;
    let path = "/servers/fix/mcp";
    let legacy = at(&client, path, LEGACY).await;
    let mut stream = legacy.listen(path, None).await;
    assert_eq!(stream.status, 200);
    trigger(&legacy, path, LEGACY).await;
    stream.message_of("notifications/tools/list_changed").await;
    let wanted = json!({"notifications": {"toolsListChanged": true}});
    let mut stream = client.stream(path, Era::Modern, "subscriptions/listen", wanted).await;
    stream.message_of("notifications/subscriptions/acknowledged").await;
    trigger(&client, path, Era::Modern).await;
    let told = stream.message_of("notifications/tools/list_changed").await;
    assert_eq!(told["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], 1, "{told}");
    drop(stream);
    app.running.stop().await.unwrap();
}

/// A program whose tool `hang` never answers, and whose tool `count` says how many cancellations it was told of.
const PROGRAM: &str = r#"
count=0
while read -r line; do
  id=${line#*\"id\":}; id=${id%%[,\}]*}
  answer() { echo "{\"jsonrpc\":\"2.0\",\"id\":$id,\"result\":$1}"; }
  case "$line" in
    *'"notifications/cancelled"'*"\"requestId\":$hung"[,}]*) count=$((count + 1));;
    *'"notifications/'*) ;;
    *'"initialize"'*) answer '{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"sh","version":"1"}}';;
    *'"tools/list"'*) answer '{"tools":[{"name":"hang","inputSchema":{"type":"object"}},{"name":"count","inputSchema":{"type":"object"}}]}';;
    *'"tools/call"'*'"hang"'*)
      hung=$id
      echo '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":'$id',"progress":0.5}}';;
    *'"tools/call"'*) answer "{\"content\":[{\"type\":\"text\",\"text\":\"$count\"}]}";;
    *) echo "{\"jsonrpc\":\"2.0\",\"id\":$id,\"error\":{\"code\":-32601,\"message\":\"no\"}}";;
  esac
done
"#;

fn program() -> Transport {
    Transport::Stdio {
        command: "/bin/sh".to_owned(),
        args: ["-c", PROGRAM].map(str::to_owned).to_vec(),
        env: BTreeMap::new(),
        cwd: None,
        sharing: Sharing::Principal,
        confinement: Confinement::default(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_hears_of_each_cancellation_once_however_it_came() {
    let app = App::start().await;
    app.register_as("fix", program(), BTreeMap::new()).await;
    let client = app.agent("bot").await;
    app.grant("bot", "fix").await;
    for (path, prefix) in DOORS {
        let hang = json!({"name": format!("{prefix}hang"), "_meta": {"progressToken": "p"}});
        let count = json!({"name": format!("{prefix}count")});
        let counted = |answer: Value| answer["content"][0]["text"].as_str().unwrap().parse::<u32>().unwrap();

        let legacy = at(&client, path, LEGACY).await;
        let before = counted(legacy.ask(path, LEGACY, "tools/call", count.clone()).await.result());
        let body = json!({"jsonrpc": "2.0", "id": "c-1", "method": "tools/call", "params": hang});
        let mut stream = legacy.stream_of(path, VERSION, &body).await;
        stream.message_of("notifications/progress").await;
        let params = json!({"requestId": "c-1"});
        let cancelled = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params});
        assert_eq!(legacy.say(path, VERSION, cancelled).await.status, 202);
        assert!(stream.message().await["error"].is_object());
        let after = counted(legacy.ask(path, LEGACY, "tools/call", count.clone()).await.result());
        assert_eq!(after, before + 1, "{path}: by notification");

        let before = counted(client.ask(path, Era::Modern, "tools/call", count.clone()).await.result());
        let mut stream = client.stream(path, Era::Modern, "tools/call", hang).await;
        stream.message_of("notifications/progress").await;
        drop(stream);
        let outcomes = app.statuses_of("tools/call", if prefix.is_empty() { 5 } else { 11 }).await;
        assert_eq!(outcomes.iter().filter(|status| *status == "cancelled").count() % 2, 0, "{outcomes:?}");
        let after = counted(client.ask(path, Era::Modern, "tools/call", count).await.result());
        assert_eq!(after, before + 1, "{path}: by leaving");
    }
    app.running.stop().await.unwrap();
}
