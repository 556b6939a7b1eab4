//! The stream of a legacy session (GET), its resumption, and the session's end.

use bailiwick_control::{Actor, WantedScope};
use bailiwick_model::definition::DefinitionKind;
use bailiwick_testkit::upstream::{Eras, Kind, Reply, Script, Step};
use serde_json::json;

use super::{DOORS, LEGACY, VERSION, answering, at, behind, call, tool};
use crate::support::{App, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_the_last_list_changed_the_list_is_fresh() {
    for (path, name) in DOORS {
        let server = answering(Eras::Legacy, Reply::text("")).with_sessions().start().await.unwrap();
        let (_app, client) = behind(&server).await;
        let client = at(&client, path, LEGACY).await;
        let mut stream = client.listen(path, None).await;
        // The gateway's own and, at the transparent door, the client's.
        server.wait_for_streams(if path == "/mcp" { 1 } else { 2 }).await.unwrap();
        server.set_tools(vec![tool("t"), tool("u")]);
        server.changed(Kind::Tools);
        loop {
            stream.message_of("notifications/tools/list_changed").await;
            let listed = client.ask(path, LEGACY, "tools/list", json!({})).await.result();
            let names: Vec<_> = listed["tools"].as_array().unwrap().iter().map(|t| &t["name"]).collect();
            if names.len() == 2 {
                assert_eq!(names, [name, &name.replace('t', "u")]);
                break;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_that_comes_or_goes_is_told_on_the_stream() {
    for (path, _) in DOORS {
        let server = Script::new(Eras::Legacy)
            .with_sessions()
            .tool(tool("t"), |_| Reply::text(""))
            .tool(tool("u"), |_| Reply::text(""));
        let server = server.start().await.unwrap();
        let app = App::start().await;
        app.register("x", &server.url()).await;
        let client = app.agent("bot").await;
        app.grant_tool("bot", "x", "t").await;
        let client = at(&client, path, LEGACY).await;
        let mut stream = client.listen(path, None).await;
        let grant = app.grant_tool("bot", "x", "u").await;
        stream.message_of("notifications/tools/list_changed").await;
        app.control().revoke_grant(&Actor::Gateway, grant).await.unwrap();
        stream.message_of("notifications/tools/list_changed").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_polled_answer_comes_on_the_resumed_stream_and_is_recorded_there() {
    let reply = Reply::Stream(vec![Step::Raw("id: e-1\nretry: 10\ndata: \n\n".to_owned())]);
    let server = answering(Eras::Legacy, reply).with_sessions().start().await.unwrap();
    let (app, client) = behind(&server).await;
    let client = at(&client, "/servers/x/mcp", LEGACY).await;
    let mut stream = client.stream("/servers/x/mcp", LEGACY, "tools/call", call("t")).await;
    assert_eq!(stream.event().await.as_deref(), Some("id: e-1\nretry: 10\ndata: \n\n"));
    assert_eq!(stream.event().await, None);
    let calls =
        |kind: &str| app.records_of(kind).into_iter().filter(|r| r["what"]["method"] == "tools/call").count();
    assert_eq!(calls("intent"), 1);
    let before = app.records_of("outcome").len();
    let watching = server.open_streams();
    let mut resumed = client.listen("/servers/x/mcp", Some("e-1")).await;
    server.wait_for_streams(watching + 1).await.unwrap();
    let get = server.received().into_iter().rev().find(|r| r.method == "GET").unwrap();
    assert_eq!(get.header("last-event-id"), Some("e-1"));
    assert_eq!(app.records_of("outcome").len(), before, "the call goes on");
    server.send_raw(r#"{"jsonrpc":"2.0","id":1,"result":{"content":[],"isError":true}}"#);
    assert_eq!(resumed.message().await["result"], json!({"content": [], "isError": true}));
    assert_eq!(app.statuses_of("tools/call", 1).await, ["tool_error"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_polled_call_that_is_cancelled_is_recorded_so() {
    let reply = Reply::Stream(vec![Step::Raw("id: e-1\ndata: \n\n".to_owned())]);
    let server = answering(Eras::Legacy, reply).with_sessions().start().await.unwrap();
    let (app, client) = behind(&server).await;
    let client = at(&client, "/servers/x/mcp", LEGACY).await;
    client.stream("/servers/x/mcp", LEGACY, "tools/call", call("t")).await.rest().await;
    let params = json!({"requestId": 1});
    let cancelled = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params});
    assert_eq!(client.say("/servers/x/mcp", VERSION, cancelled).await.status, 202);
    assert_eq!(app.statuses_of("tools/call", 1).await, ["cancelled"]);
    server.wait_for("notifications/cancelled", 1).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ended_session_is_gone_and_its_open_calls_are_recorded() {
    let reply = Reply::Stream(vec![Step::Raw("id: e-1\ndata: \n\n".to_owned())]);
    let server = answering(Eras::Legacy, reply).with_sessions().start().await.unwrap();
    let (app, client) = behind(&server).await;
    for (path, _) in DOORS {
        let client = at(&client, path, LEGACY).await;
        if path != "/mcp" {
            client.stream(path, LEGACY, "tools/call", call("t")).await.rest().await;
        }
        let delete =
            || client.request(http::Method::DELETE, path).body(http_body_util::Full::default()).unwrap();
        assert_eq!(client.send(delete()).await.status(), 200, "{path}");
        assert_eq!(client.send(delete()).await.status(), 404, "{path}");
        let listed = client.ask(path, LEGACY, "tools/list", json!({})).await;
        assert_eq!(listed.status, 404, "{path}");
        assert_eq!(client.listen(path, None).await.status, 404, "{path}");
    }
    let called = server.received_of("tools/call")[0].header("mcp-session-id").unwrap().to_owned();
    let deleted = server.received().into_iter().filter(|r| r.method == "DELETE");
    let deleted = deleted.filter(|delete| delete.header("mcp-session-id") == Some(&called));
    assert_eq!(deleted.count(), 1, "the server's own session, once");
    assert_eq!(app.statuses_of("tools/call", 1).await, ["client_gone"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_followed_resource_is_told_of_and_a_forbidden_one_cannot_be_followed() {
    let server = Script::new(Eras::Legacy)
        .with_sessions()
        .resource(json!({"uri": "file:///mine", "name": "m"}), |_| Reply::text(""))
        .resource(json!({"uri": "file:///theirs", "name": "t"}), |_| Reply::text(""));
    let server = server.start().await.unwrap();
    let app = App::start().await;
    app.register("x", &server.url()).await;
    let client = app.agent("bot").await;
    let scope = WantedScope::Definition {
        server: "x".into(),
        kind: DefinitionKind::Resource,
        key: "file:///mine".into(),
    };
    app.grant_scope("bot", scope).await;
    let path = "/servers/x/mcp";
    let client = at(&client, path, LEGACY).await;
    let watching = server.open_streams();
    let mut stream = client.listen(path, None).await;
    server.wait_for_streams(watching + 1).await.unwrap();
    client.ask(path, LEGACY, "resources/subscribe", json!({"uri": "file:///mine"})).await.result();
    let refused = client.ask(path, LEGACY, "resources/subscribe", json!({"uri": "file:///theirs"})).await;
    assert_eq!(refused.error()["code"], -32002);
    assert_eq!(server.received_of("resources/subscribe").len(), 1);
    server.notify("notifications/resources/updated", &json!({"uri": "file:///mine"}));
    let updated = stream.message().await;
    assert_eq!(updated["params"], json!({"uri": "file:///mine"}));
    client.ask(path, LEGACY, "resources/unsubscribe", json!({"uri": "file:///mine"})).await.result();
    drop(stream);
    server.wait_for_streams(watching).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_outlives_the_gateway() {
    let server = answering(Eras::Legacy, Reply::text("still")).with_sessions().start().await.unwrap();
    let (app, client) = behind(&server).await;
    let mut clients = Vec::new();
    for (path, name) in DOORS {
        clients.push((path, name, at(&client, path, LEGACY).await));
    }
    let app = app.restart().await;
    for (path, name, client) in clients {
        let client = client.moved_to(app.url());
        until("the server in the catalogue", || app.control().snapshot().catalogue.server("x").cloned())
            .await;
        let called = client.ask(path, LEGACY, "tools/call", call(name)).await.result();
        assert_eq!(called["content"][0]["text"], "still");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_aggregate_refuses_a_subscription_whose_updates_it_could_not_bring() {
    let script =
        Script::new(Eras::Legacy).resource(json!({"uri": "file:///r", "name": "r"}), |_| Reply::text(""));
    let server = script.start().await.unwrap();
    let app = App::start().await;
    app.register("files", &server.url()).await;
    let mut client = app.agent("bot").await;
    app.grant("bot", "files").await;
    client.initialize("/mcp", "2025-11-25").await;
    let params = json!({"uri": "files+file:///r"});
    let refused = client.ask("/mcp", LEGACY, "resources/subscribe", params).await.error();
    assert_eq!(refused["code"], -32601);
    assert!(refused["message"].as_str().unwrap().contains("/servers/{name}/mcp"), "{refused}");
    assert!(server.received_of("resources/subscribe").is_empty());
}
