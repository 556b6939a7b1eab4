//! `subscriptions/listen` of modern clients: the server's own stream at its own door, the gateway's at aggregates.

use bailiwick_control::{Actor, WantedScope};
use bailiwick_model::definition::DefinitionKind;
use bailiwick_testkit::upstream::{Eras, Kind, Reply, Script};
use serde_json::{Value, json};

use super::{DOORS, answering, behind, behind_with, call, tool};
use crate::support::{App, Era};

const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

fn filter(more: &Value) -> Value {
    let mut filter = json!({"toolsListChanged": true});
    filter.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"notifications": filter})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_acknowledgement_comes_first_and_changes_follow_with_a_fresh_list() {
    for (path, _) in DOORS {
        let server = answering(Eras::Modern, Reply::text("")).start().await.unwrap();
        let (_app, client) = behind(&server).await;
        let mut stream = client.stream(path, Era::Modern, "subscriptions/listen", filter(&json!({}))).await;
        let first = stream.message().await;
        assert_eq!(first["method"], "notifications/subscriptions/acknowledged", "{path}");
        assert_eq!(first["params"]["notifications"], json!({"toolsListChanged": true}), "{path}");
        assert_eq!(first["params"]["_meta"][SUBSCRIPTION], 1, "{path}");
        server.wait_for_streams(if path == "/mcp" { 1 } else { 2 }).await.unwrap();
        server.set_tools(vec![tool("t"), tool("u")]);
        server.changed(Kind::Tools);
        loop {
            let changed = stream.message_of("notifications/tools/list_changed").await;
            assert_eq!(changed["params"]["_meta"][SUBSCRIPTION], 1, "{path}");
            let listed = client.ask(path, Era::Modern, "tools/list", json!({})).await.result();
            if listed["tools"].as_array().unwrap().len() == 2 {
                break;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_that_comes_or_goes_is_told_to_listeners() {
    for (path, _) in DOORS {
        let server = Script::new(Eras::Modern)
            .tool(tool("t"), |_| Reply::text(""))
            .tool(tool("u"), |_| Reply::text(""));
        let server = server.start().await.unwrap();
        let app = App::start().await;
        app.register("x", &server.url()).await;
        let client = app.agent("bot").await;
        app.grant_tool("bot", "x", "t").await;
        let mut stream = client.stream(path, Era::Modern, "subscriptions/listen", filter(&json!({}))).await;
        stream.message_of("notifications/subscriptions/acknowledged").await;
        let grant = app.grant_tool("bot", "x", "u").await;
        stream.message_of("notifications/tools/list_changed").await;
        app.control().revoke_grant(&Actor::Gateway, grant).await.unwrap();
        stream.message_of("notifications/tools/list_changed").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_followed_resource_is_told_of_and_a_forbidden_one_refuses_the_whole() {
    let server = Script::new(Eras::Modern)
        .resource(json!({"uri": "file:///mine", "name": "m"}), |_| Reply::text(""))
        .resource(json!({"uri": "file:///theirs", "name": "t"}), |_| Reply::text(""));
    let server = server.start().await.unwrap();
    let app = App::start().await;
    app.register("x", &server.url()).await;
    let client = app.agent("bot").await;
    let key = "file:///mine".to_owned();
    let scope = WantedScope::Definition { server: "x".into(), kind: DefinitionKind::Resource, key };
    app.grant_scope("bot", scope).await;
    let path = "/servers/x/mcp";
    let before = server.received_of("subscriptions/listen").len();
    let both = filter(&json!({"resourceSubscriptions": ["file:///mine", "file:///theirs"]}));
    let refused = client.ask(path, Era::Modern, "subscriptions/listen", both).await;
    assert!(refused.error()["code"].is_i64(), "{refused:?}");
    assert_eq!(server.received_of("subscriptions/listen").len(), before);
    let mine = filter(&json!({"resourceSubscriptions": ["file:///mine"]}));
    let mut stream = client.stream(path, Era::Modern, "subscriptions/listen", mine).await;
    let first = stream.message().await;
    assert_eq!(first["params"]["notifications"]["resourceSubscriptions"], json!(["file:///mine"]));
    server.notify("notifications/resources/updated", &json!({"uri": "file:///mine"}));
    let updated = stream.message().await;
    assert_eq!(updated["params"]["uri"], "file:///mine");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_aggregate_acknowledges_only_what_it_will_tell() {
    let server =
        Script::new(Eras::Modern).resource(json!({"uri": "file:///mine", "name": "m"}), |_| Reply::text(""));
    let server = server.start().await.unwrap();
    let (_app, client) = behind(&server).await;
    let wanted = filter(&json!({"resourceSubscriptions": ["x+file:///mine"], "promptsListChanged": false}));
    let mut stream = client.stream("/mcp", Era::Modern, "subscriptions/listen", wanted).await;
    let first = stream.message().await;
    assert_eq!(first["params"]["notifications"], json!({"toolsListChanged": true}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn listeners_end_gracefully_when_the_gateway_stops() {
    for (path, _) in DOORS {
        let server = answering(Eras::Modern, Reply::text("")).start().await.unwrap();
        let (app, client) = behind(&server).await;
        let mut stream = client.stream(path, Era::Modern, "subscriptions/listen", filter(&json!({}))).await;
        stream.message_of("notifications/subscriptions/acknowledged").await;
        let ledger = app.ledger_dir();
        let App { running, dir, .. } = app;
        let started = tokio::time::Instant::now();
        let (stopped, rest) = tokio::join!(running.stop(), stream.rest());
        stopped.unwrap();
        assert!(started.elapsed().as_secs() < 5, "{path}: listeners held up the stop");
        assert_eq!(rest.len(), 1, "{path} {rest:?}");
        assert_eq!(rest[0]["id"], 1);
        assert_eq!(rest[0]["result"]["resultType"], "complete", "{path} {rest:?}");
        assert_eq!(rest[0]["result"]["_meta"][SUBSCRIPTION], 1);
        let lines = bailiwick_ledger::tail(&ledger, usize::MAX, None).unwrap();
        let open = |kind: &str| lines.iter().filter(|line| line.json.contains(kind)).count();
        assert_eq!(open("\"kind\":\"intent\""), open("\"kind\":\"outcome\""), "{path}");
        drop(dir);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn listeners_take_no_room_from_calls() {
    let server = answering(Eras::Modern, Reply::text("ok")).start().await.unwrap();
    let (_app, client) = behind_with("[limits]\nconcurrency = 1", &server).await;
    let mut streams = Vec::new();
    for (path, _) in DOORS {
        for _ in 0..2 {
            let mut stream =
                client.stream(path, Era::Modern, "subscriptions/listen", filter(&json!({}))).await;
            assert_eq!(stream.status, 200, "{path}");
            stream.message_of("notifications/subscriptions/acknowledged").await;
            streams.push(stream);
        }
    }
    for (path, name) in DOORS {
        client.ask(path, Era::Modern, "tools/call", call(name)).await.result();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_streams_than_allowed_are_refused() {
    let server = answering(Eras::Modern, Reply::text("ok")).start().await.unwrap();
    let (_app, client) = behind_with("[limits]\nstreams = 2", &server).await;
    let mut streams = Vec::new();
    for (path, _) in DOORS {
        let mut stream = client.stream(path, Era::Modern, "subscriptions/listen", filter(&json!({}))).await;
        stream.message_of("notifications/subscriptions/acknowledged").await;
        streams.push(stream);
    }
    for (path, _) in DOORS {
        let refused = client.ask(path, Era::Modern, "subscriptions/listen", filter(&json!({}))).await;
        assert_eq!(refused.status, 503, "{path}");
        assert!(refused.headers.contains_key("retry-after"));
        assert_eq!(refused.error()["data"]["reason"], "overloaded");
    }
}
