//! What is taken away is gone at once, for good, and ends the streams that it carried.

use std::time::Duration;

use bailiwick_control::{Actor, ServerChange, WantedScope};
use bailiwick_model::GrantId;
use bailiwick_testkit::upstream::{Eras, Reply, Step};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::support::{App, Client, DOORS, Era, PATIENCE, Stage, Stream, script};

/// How access is taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Grant,
    Key,
    Principal,
    ServerOff,
    ServerRemoved,
}

impl Way {
    async fn go(self, app: &App, grant: GrantId, bot: &Client) {
        let control = app.control();
        match self {
            Self::Grant => control.revoke_grant(&Actor::Gateway, grant).await.unwrap(),
            Self::Key => app.revoke(bot).await,
            Self::Principal => app.disable("bot").await,
            Self::ServerOff => {
                let off = ServerChange { enabled: Some(false), ..ServerChange::default() };
                control.update_server(&Actor::Gateway, "files", off).await.unwrap();
            }
            Self::ServerRemoved => control.remove_server(&Actor::Gateway, "files").await.unwrap(),
        }
    }

    /// Whether the client's very identity is gone.
    fn is_identity(self) -> bool {
        matches!(self, Self::Key | Self::Principal)
    }
}

/// No call and no list gives anything at any door.
async fn nothing_is_left(stage: &Stage, clients: &[(Era, (&str, &str), Client)], way: Way) {
    let before = stage.contacts().len();
    for (era, door, bot) in clients {
        let called = stage.echo(bot, *era, *door, "late").await;
        let listed = bot.ask(door.0, *era, "tools/list", json!({})).await;
        if way.is_identity() {
            assert_eq!(
                (called.status.as_u16(), listed.status.as_u16()),
                (401, 401),
                "{way:?} {era:?} {door:?}"
            );
        } else if door.0 == "/mcp" {
            assert_eq!(called.error()["message"], "Unknown tool: files__echo", "{way:?} {era:?}");
            assert_eq!(listed.result()["tools"], json!([]), "{way:?} {era:?}");
        } else {
            assert_eq!(
                (called.status.as_u16(), listed.status.as_u16()),
                (404, 404),
                "{way:?} {era:?} {door:?}"
            );
        }
    }
    assert_eq!(stage.contacts().len(), before);
}

async fn taken_away(way: Way) {
    let stage = Stage::bare(Eras::Both).await;
    let grant = stage.app.grant("bot", "files").await;
    let mut clients = Vec::new();
    for era in [Era::Legacy("2025-11-25"), Era::Modern] {
        for door in DOORS {
            let mut bot = stage.bot.clone();
            bot.enter(door.0, era).await;
            assert_eq!(stage.echo(&bot, era, door, "hi").await.result()["content"][0]["text"], "hi");
            bot.names(door.0, era, "tools/list").await;
            clients.push((era, door, bot));
        }
    }
    way.go(&stage.app, grant, &stage.bot).await;
    let begun = Instant::now();
    nothing_is_left(&stage, &clients, way).await;
    assert!(begun.elapsed() < Duration::from_secs(1));
    // What is gone stays gone.
    let Stage { app, server, bot } = stage;
    let stage = Stage { app: app.restart().await, server, bot };
    let moved: Vec<_> =
        clients.iter().map(|(era, door, bot)| (*era, *door, bot.moved_to(stage.app.url()))).collect();
    nothing_is_left(&stage, &moved, way).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_grant_is_gone_at_once_and_for_good() {
    taken_away(Way::Grant).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_key_is_gone_at_once_and_for_good() {
    taken_away(Way::Key).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disabled_principal_is_gone_at_once_and_for_good() {
    taken_away(Way::Principal).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_off_is_gone_at_once_and_for_good() {
    taken_away(Way::ServerOff).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removed_server_is_gone_at_once_and_for_good() {
    taken_away(Way::ServerRemoved).await;
}

/// Streams of every kind, opened by one key: those that hang on the server, and those of the gateway's own.
async fn streams(stage: &Stage) -> (Vec<(&'static str, Stream)>, Vec<(&'static str, Stream)>) {
    let legacy = Era::Legacy("2025-11-25");
    let everything = json!({"notifications": {"toolsListChanged": true}});
    let (mut own, mut ours) = (stage.bot.clone(), stage.bot.clone());
    own.enter("/servers/files/mcp", legacy).await;
    ours.enter("/mcp", legacy).await;
    let slow = |prefix: &str| json!({"name": format!("{prefix}slow"), "arguments": {}});
    let bot = &stage.bot;
    let of_server = vec![
        ("GET of a server's session", own.listen("/servers/files/mcp", None).await),
        (
            "listen at a server",
            bot.stream("/servers/files/mcp", Era::Modern, "subscriptions/listen", everything.clone()).await,
        ),
        ("a modern call", bot.stream("/servers/files/mcp", Era::Modern, "tools/call", slow("")).await),
        (
            "a modern call in the aggregate",
            bot.stream("/mcp", Era::Modern, "tools/call", slow("files__")).await,
        ),
        (
            "a call in a server's session",
            own.stream("/servers/files/mcp", legacy, "tools/call", slow("")).await,
        ),
        ("a call in our session", ours.stream("/mcp", legacy, "tools/call", slow("files__")).await),
    ];
    let of_gateway = vec![
        ("GET of our session", ours.listen("/mcp", None).await),
        (
            "listen at the aggregate",
            bot.stream("/mcp", Era::Modern, "subscriptions/listen", everything).await,
        ),
    ];
    (of_server, of_gateway)
}

async fn closes_streams(way: Way) {
    let server = script(Eras::Both)
        .tool(json!({"name": "slow", "inputSchema": {"type": "object"}}), |_| {
            let progress = json!({"level": "info", "data": "working"});
            let begun = Step::Notify { method: "notifications/message".into(), params: progress };
            Reply::Stream(vec![begun, Step::Hang])
        })
        .start()
        .await
        .unwrap();
    let app = App::start().await;
    app.register("files", &server.url()).await;
    app.toolset("mix", &[("files", None)]).await;
    let bot = app.agent("bot").await;
    let stage = Stage { app, server, bot };
    let grant = stage.app.grant("bot", "files").await;
    let (of_server, of_gateway) = streams(&stage).await;
    for (what, stream) in of_server.iter().chain(&of_gateway) {
        assert_eq!(stream.status, 200, "{what}");
    }
    way.go(&stage.app, grant, &stage.bot).await;
    let begun = Instant::now();
    for (what, stream) in of_server {
        let ended = tokio::time::timeout(PATIENCE, stream.rest()).await;
        assert!(ended.is_ok(), "{way:?}: {what} stays open");
    }
    for (what, mut stream) in of_gateway {
        if way.is_identity() {
            assert!(
                tokio::time::timeout(PATIENCE, stream.rest()).await.is_ok(),
                "{way:?}: {what} stays open"
            );
        } else {
            // It is still the caller's, and says that there is less to see.
            assert_eq!(stream.message_of("notifications/tools/list_changed").await["jsonrpc"], "2.0");
        }
    }
    assert!(begun.elapsed() < Duration::from_secs(10));
    let statuses = stage.app.statuses_of("tools/call", 4).await;
    assert!(statuses.iter().all(|status| status == "cancelled"), "{statuses:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_end_with_the_grant() {
    closes_streams(Way::Grant).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_end_with_the_key() {
    closes_streams(Way::Key).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_end_with_the_principal() {
    closes_streams(Way::Principal).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_end_with_the_server() {
    closes_streams(Way::ServerOff).await;
    closes_streams(Way::ServerRemoved).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_floods_a_stream_does_not_outrun_its_end() {
    const FLOOD: usize = 50_000;
    let server = script(Eras::Modern)
        .tool(json!({"name": "flood", "inputSchema": {"type": "object"}}), |_| {
            let params = json!({"level": "info", "data": "x".repeat(200)});
            let mut steps = vec![Step::Notify { method: "notifications/message".into(), params }; FLOOD];
            steps.push(Step::Hang);
            Reply::Stream(steps)
        })
        .start()
        .await
        .unwrap();
    let app = App::start().await;
    app.register("files", &server.url()).await;
    let bot = app.agent("bot").await;
    let grant = app.grant("bot", "files").await;
    let params = json!({"name": "flood", "arguments": {}});
    let mut stream = bot.stream("/servers/files/mcp", Era::Modern, "tools/call", params).await;
    stream.message().await;
    app.control().revoke_grant(&Actor::Gateway, grant).await.unwrap();
    let rest = stream.rest().await;
    assert!(rest.len() < FLOOD - 1, "all of the flood came through");
    assert!(rest.last().unwrap().get("error").is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn news_of_a_resource_end_with_its_grant() {
    let stage = Stage::bare(Eras::Both).await;
    stage.app.grant_tool("bot", "files", "echo").await;
    let open = WantedScope::Definition {
        server: "files".into(),
        kind: bailiwick_model::definition::DefinitionKind::Resource,
        key: "file:///open.txt".into(),
    };
    let grant = stage.app.grant_scope("bot", open).await;
    let path = "/servers/files/mcp";
    let filter =
        json!({"notifications": {"toolsListChanged": true, "resourceSubscriptions": ["file:///open.txt"]}});
    let mut stream = stage.bot.stream(path, Era::Modern, "subscriptions/listen", filter).await;
    stream.message_of("notifications/subscriptions/acknowledged").await;
    let updated = "notifications/resources/updated";
    stage.server.notify(updated, &json!({"uri": "file:///open.txt"}));
    assert_eq!(stream.message_of(updated).await["params"]["uri"], "file:///open.txt");
    stage.app.control().revoke_grant(&Actor::Gateway, grant).await.unwrap();
    stage.server.notify(updated, &json!({"uri": "file:///open.txt"}));
    stage.server.notify("notifications/tools/list_changed", &Value::Null);
    assert_eq!(stream.message().await["method"], "notifications/tools/list_changed");
}
