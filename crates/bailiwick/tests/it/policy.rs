//! Deny is the default, on every surface, at every door, in every revision; and what is taken away is gone at once.

mod surfaces;
mod taken;

use std::time::Duration;

use bailiwick_control::{Actor, NewGrant, WantedScope};
use bailiwick_testkit::upstream::Eras;
use serde_json::json;

use crate::support::{DOORS, ERAS, Era, Stage, contacts, script, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_ends_by_itself_for_calls_lists_and_streams() {
    let stage = Stage::bare(Eras::Both).await;
    let new = NewGrant {
        principal: Some("bot".into()),
        group: None,
        scope: WantedScope::Server("files".into()),
        actions: Vec::new(),
        expires_in: Some(Duration::from_millis(700)),
    };
    stage.app.control().add_grant(&Actor::Gateway, new).await.unwrap();
    let door = ("/mcp", "files__");
    stage.echo(&stage.bot, Era::Modern, door, "hi").await.result();
    assert_eq!(stage.bot.names("/mcp", Era::Modern, "tools/list").await.len(), 2);
    let filter = json!({"notifications": {"toolsListChanged": true}});
    let stream = stage.bot.stream("/servers/files/mcp", Era::Modern, "subscriptions/listen", filter).await;
    assert_eq!(stream.status, 200);
    stream.rest().await;
    assert!(stage.bot.names("/mcp", Era::Modern, "tools/list").await.is_empty());
    assert_eq!(stage.echo(&stage.bot, Era::Modern, door, "late").await.error()["code"], -32602);
    assert_eq!(stage.contacts().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_registered_anew_under_an_old_name_inherits_no_grant_and_no_session() {
    let stage = Stage::new(Eras::Both).await;
    let legacy = Era::Legacy("2025-11-25");
    let mut old = stage.bot.clone();
    old.enter("/servers/files/mcp", legacy).await;
    stage.app.control().remove_server(&Actor::Gateway, "files").await.unwrap();
    let impostor = script(Eras::Both).start().await.unwrap();
    stage.app.register("files", &impostor.url()).await;
    for era in [legacy, Era::Modern] {
        let mut bot = stage.bot.clone();
        bot.enter("/mcp", era).await;
        assert!(bot.names("/mcp", era, "tools/list").await.is_empty());
        assert_eq!(stage.echo(&bot, era, ("/mcp", "files__"), "hi").await.error()["code"], -32602);
        let refused = stage.echo(&bot, era, ("/servers/files/mcp", ""), "hi").await;
        assert_eq!(refused.status, 404);
    }
    assert_eq!(stage.echo(&old, legacy, ("/servers/files/mcp", ""), "hi").await.status, 404);
    // Even with a grant on the new one, the session with the old one is no session with it.
    stage.app.grant("bot", "files").await;
    assert_eq!(stage.echo(&old, legacy, ("/servers/files/mcp", ""), "hi").await.status, 404);
    assert_eq!(contacts(&impostor).len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_caller_has_a_list_of_its_own_that_follows_its_grants() {
    let stage = Stage::new(Eras::Both).await;
    let other = stage.app.agent("other").await;
    stage.app.grant_tool("other", "files", "secret").await;
    for (path, prefix) in DOORS {
        for _ in 0..3 {
            assert_eq!(stage.bot.names(path, Era::Modern, "tools/list").await, [format!("{prefix}echo")]);
            assert_eq!(other.names(path, Era::Modern, "tools/list").await, [format!("{prefix}secret")]);
        }
        let list = stage.bot.ask(path, Era::Modern, "tools/list", json!({})).await.result();
        assert_eq!((&list["cacheScope"], list["ttlMs"].is_u64()), (&json!("private"), true));
    }
    let grant = stage.app.grant_tool("bot", "files", "secret").await;
    assert_eq!(stage.bot.names("/mcp", Era::Modern, "tools/list").await, ["files__echo", "files__secret"]);
    stage.app.control().revoke_grant(&Actor::Gateway, grant).await.unwrap();
    assert_eq!(stage.bot.names("/mcp", Era::Modern, "tools/list").await, ["files__echo"]);
    let lists = stage.server.received_of("tools/list").len();
    stage.bot.names("/mcp", Era::Modern, "tools/list").await;
    assert_eq!(stage.server.received_of("tools/list").len(), lists, "lists ask no server");
    until("the list's record", || {
        stage.app.records_of("local").iter().any(|r| r["what"]["method"] == "tools/list").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_toolset_reaches_what_it_selects_and_nothing_else_of_its_server() {
    let stage = Stage::bare(Eras::Both).await;
    stage.app.grant("bot", "files").await;
    stage.app.toolset("narrow", &[("files", Some("echo"))]).await;
    let path = "/toolsets/narrow/mcp";
    for era in ERAS {
        let mut bot = stage.bot.clone();
        bot.enter(path, era).await;
        assert_eq!(bot.names(path, era, "tools/list").await, ["files__echo"]);
        assert_eq!(bot.names(path, era, "resources/list").await, Vec::<String>::new());
        let before = stage.contacts().len();
        for (method, params) in [
            ("tools/call", json!({"name": "files__secret", "arguments": {}})),
            ("tools/call", json!({"name": "secret", "arguments": {}})),
            ("tools/call", json!({"name": "echo", "arguments": {}})),
            ("prompts/get", json!({"name": "files__greet"})),
            ("resources/read", json!({"uri": "files+file:///open.txt"})),
            ("resources/read", json!({"uri": "files+file:///logs/a"})),
            ("resources/read", json!({"uri": "files+file:///anything"})),
            ("resources/read", json!({"uri": "file:///open.txt"})),
            (
                "completion/complete",
                json!({"ref": {"type": "ref/prompt", "name": "files__greet"}, "argument": {"name": "a", "value": ""}}),
            ),
        ] {
            let refused = bot.ask(path, era, method, params.clone()).await;
            assert!(
                matches!(refused.error()["code"].as_i64(), Some(-32602 | -32002)),
                "{params} {refused:?}"
            );
        }
        assert_eq!(stage.contacts().len(), before);
        assert_eq!(stage.echo(&bot, era, (path, "files__"), "hi").await.result()["content"][0]["text"], "hi");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_message_of_a_batch_is_decided_for_itself() {
    for (path, prefix) in DOORS {
        let stage = Stage::new(Eras::Both).await;
        let mut bot = stage.bot.clone();
        bot.enter(path, Era::Legacy("2025-03-26")).await;
        let call = |id: &serde_json::Value, name: &str| {
            let params = json!({"name": format!("{prefix}{name}"), "arguments": {"text": "hi"}});
            json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params})
        };
        let mut smuggled = call(&json!(9), "secret");
        smuggled.as_object_mut().unwrap().remove("id");
        let batch = json!([
            call(&json!(1), "secret"),
            call(&json!("1"), "echo"),
            smuggled,
            call(&json!(2), "absent")
        ]);
        let version = [("mcp-protocol-version", "2025-03-26")];
        let answer = bot.post_raw(path, &version, &batch.to_string()).await;
        let answers = answer.json();
        let of = |id: serde_json::Value| {
            answers.as_array().unwrap().iter().find(|answer| answer["id"] == id).unwrap().clone()
        };
        assert_eq!(of(json!("1"))["result"]["content"][0]["text"], "hi", "{answers}");
        assert_eq!(
            (&of(json!(1))["error"]["code"], &of(json!(2))["error"]["code"]),
            (&json!(-32602), &json!(-32602))
        );
        assert_eq!(stage.contacts().len(), 1, "{:?}", stage.contacts());
        assert_eq!(stage.app.records_of("denied").len(), 2);
        let many: Vec<_> = (0..51).map(|id| call(&json!(id), "echo")).collect();
        let refused = bot.post_raw(path, &version, &json!(many).to_string()).await;
        assert_eq!(refused.status, 400, "{refused:?}");
        assert_eq!(stage.contacts().len(), 1);
    }
}
