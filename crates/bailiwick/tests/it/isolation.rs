//! What belongs to one caller is worth nothing to another, and no mix of ids delivers a wrong answer.

use std::sync::Arc;

use bailiwick_testkit::upstream::{Call, Eras, Reply, Script, Step};
use serde_json::{Value, json};

use crate::support::{App, Client, DOORS, Era, Stage, contacts, script};

const LEGACY: Era = Era::Legacy("2025-11-25");

/// One bit of a text of base64url changed, at each of some places.
fn tampered(text: &str) -> Vec<String> {
    (0..text.len())
        .step_by(text.len() / 12 + 1)
        .map(|at| {
            let other = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
            format!("{}{other}{}", &text[..at], &text[at + 1..])
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_nothing_to_anyone_else_anywhere_else_or_after_its_end() {
    let server = script(Eras::Both).with_sessions().start().await.unwrap();
    let app = App::start().await;
    app.register("files", &server.url()).await;
    app.toolset("mix", &[("files", None)]).await;
    let (bot, thief) = (app.agent("bot").await, app.agent("thief").await);
    app.grant("bot", "files").await;
    app.grant("thief", "files").await;
    let stage = Stage { app, server, bot };
    let list = |client: Client, path: &'static str| async move {
        client.ask(path, LEGACY, "tools/list", json!({})).await
    };
    for door in DOORS {
        let mut bot = stage.bot.clone();
        bot.enter(door.0, LEGACY).await;
        let id = bot.session.clone().unwrap();
        assert!(!id.contains("scripted-session"), "the server's own id is not shown");
        let with = |client: &Client, id: &str| {
            let mut client = client.clone();
            client.session = Some(id.to_owned());
            client
        };
        let before = stage.contacts().len();
        let forged = list(with(&stage.bot, "nonsense"), door.0).await;
        assert_eq!(forged.status, 404);
        let mut refused = vec![list(with(&thief, &id), door.0).await];
        for text in tampered(&id) {
            refused.push(list(with(&stage.bot, &text), door.0).await);
        }
        for other in DOORS.iter().filter(|other| other.0 != door.0) {
            refused.push(list(with(&stage.bot, &id), other.0).await);
        }
        for answer in refused {
            assert_eq!((answer.status, &answer.body), (forged.status, &forged.body));
        }
        let deleted = thief.request(http::Method::DELETE, door.0).header("mcp-session-id", &id);
        let deleted = thief.send(deleted.body(http_body_util::Full::default()).unwrap()).await;
        assert_eq!(deleted.status(), 404);
        assert_eq!(stage.contacts().len(), before);
        assert_eq!(stage.echo(&bot, LEGACY, door, "hi").await.result()["content"][0]["text"], "hi");
        let deleted = bot
            .send(bot.request(http::Method::DELETE, door.0).body(http_body_util::Full::default()).unwrap());
        assert_eq!(deleted.await.status(), 200);
        assert_eq!(stage.echo(&bot, LEGACY, door, "hi").await.status, 404, "{door:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_goes_on_after_a_restart_of_the_gateway() {
    let stage = Stage::new(Eras::Both).await;
    let mut bots = Vec::new();
    for door in DOORS {
        let mut bot = stage.bot.clone();
        bot.enter(door.0, LEGACY).await;
        bots.push((door, bot));
    }
    let Stage { app, server, bot } = stage;
    let stage = Stage { app: app.restart().await, server, bot };
    for (door, bot) in bots {
        let bot = bot.moved_to(stage.app.url());
        assert_eq!(stage.echo(&bot, LEGACY, door, "again").await.result()["content"][0]["text"], "again");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_is_its_caller_s_at_its_list() {
    let mut server = Script::new(Eras::Modern);
    for number in 0..1_001 {
        let tool = json!({"name": format!("tool-{number:04}"), "inputSchema": {"type": "object"}});
        server = server.tool(tool, |_| Reply::text("ok"));
    }
    let server = server.start().await.unwrap();
    let app = App::start().await;
    app.register("files", &server.url()).await;
    let (bot, thief) = (app.agent("bot").await, app.agent("thief").await);
    app.grant("bot", "files").await;
    app.grant("thief", "files").await;
    let page = async |client: &Client, path: &str, method: &str, cursor: &str| {
        client.ask(path, Era::Modern, method, json!({"cursor": cursor})).await
    };
    let path = "/servers/files/mcp";
    let first = bot.ask(path, Era::Modern, "tools/list", json!({})).await.result();
    let cursor = first["nextCursor"].as_str().unwrap();
    let second = page(&bot, path, "tools/list", cursor).await.result();
    let count = |result: &Value| result["tools"].as_array().unwrap().len();
    assert_eq!((count(&first), count(&second), second.get("nextCursor")), (1_000, 1, None));
    let invalid = page(&bot, path, "tools/list", "nonsense").await;
    assert_eq!(invalid.error()["code"], -32602);
    let mut refused = vec![
        page(&thief, path, "tools/list", cursor).await,
        page(&bot, "/mcp", "tools/list", cursor).await,
        page(&bot, path, "prompts/list", cursor).await,
    ];
    for text in tampered(cursor) {
        refused.push(page(&bot, path, "tools/list", &text).await);
    }
    for answer in refused {
        assert_eq!(answer.error(), invalid.error());
    }
}

/// A server with a tool that makes tasks and one that asks for input first.
fn handles() -> Script {
    let task = |_: &Call| Reply::Result(json!({"taskId": "task-1", "status": "working"}));
    let ask = |call: &Call| {
        if call.params["requestState"] == "state-1" {
            return Reply::text("thanks");
        }
        Reply::Result(json!({
            "resultType": "input_required", "requestState": "state-1",
            "inputRequests": {"a": {"method": "elicitation/create", "params": {}}},
        }))
    };
    let schema = json!({"type": "object"});
    Script::new(Eras::Modern)
        .tool(json!({"name": "long", "inputSchema": schema}), |_| {
            Reply::Result(json!({"resultType": "task", "taskId": "task-1", "status": "working"}))
        })
        .tool(json!({"name": "ask", "inputSchema": schema}), ask)
        .tool(json!({"name": "other", "inputSchema": schema}), ask)
        .on("tasks/get", task)
        .on("tasks/cancel", task)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_or_a_request_s_state_of_another_principal_does_not_exist() {
    let server = handles().start().await.unwrap();
    let app = App::start().await;
    app.register("files", &server.url()).await;
    let (bot, thief) = (app.agent("bot").await, app.agent("thief").await);
    app.grant("bot", "files").await;
    app.grant("thief", "files").await;
    for (path, prefix) in [("/servers/files/mcp", ""), ("/mcp", "files__")] {
        let call = |client: Client, name: &'static str, state: Option<String>| async move {
            let mut params = json!({"name": format!("{prefix}{name}"), "arguments": {}});
            if let Some(state) = state {
                params["requestState"] = json!(state);
                params["inputResponses"] = json!({"a": {"action": "accept"}});
            }
            client.ask(path, Era::Modern, "tools/call", params).await
        };
        let task = call(bot.clone(), "long", None).await.result()["taskId"].as_str().unwrap().to_owned();
        let state =
            call(bot.clone(), "ask", None).await.result()["requestState"].as_str().unwrap().to_owned();
        let before = contacts(&server).len();
        for method in ["tasks/get", "tasks/cancel"] {
            let ask = |client: Client, id: String| async move {
                client.ask(path, Era::Modern, method, json!({"taskId": id})).await
            };
            let unknown = ask(bot.clone(), "nonsense".into()).await;
            let mut refused =
                vec![ask(thief.clone(), task.clone()).await, ask(bot.clone(), "task-1".into()).await];
            refused.push(ask(bot.clone(), state.clone()).await);
            for text in tampered(&task) {
                refused.push(ask(bot.clone(), text).await);
            }
            for answer in refused {
                assert_eq!((answer.status, answer.error()), (unknown.status, unknown.error()), "{method}");
            }
        }
        let unknown = call(bot.clone(), "ask", Some("nonsense".into())).await;
        for (client, name, state) in [
            (&thief, "ask", state.clone()),
            (&bot, "other", state.clone()),
            (&bot, "ask", "state-1".to_owned()),
            (&bot, "ask", task.clone()),
        ] {
            assert_eq!(call(client.clone(), name, Some(state)).await.error(), unknown.error());
        }
        assert_eq!(contacts(&server).len(), before, "nothing of it reached the server");
        let thanked = call(bot.clone(), "ask", Some(state)).await.result();
        assert_eq!(thanked["content"][0]["text"], "thanks");
        let got = bot.ask(path, Era::Modern, "tasks/get", json!({"taskId": task})).await.result();
        assert_eq!(got["taskId"].as_str().map(|id| id == "task-1"), Some(false), "{got}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn equal_ids_in_a_server_s_own_sessions_get_their_own_answers() {
    equal_ids(Eras::Both, LEGACY, DOORS[0]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn equal_ids_in_our_sessions_get_their_own_answers() {
    equal_ids(Eras::Both, LEGACY, DOORS[1]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn equal_ids_of_modern_clients_of_a_legacy_server_get_their_own_answers() {
    equal_ids(Eras::Legacy, Era::Modern, DOORS[0]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn equal_ids_of_legacy_clients_of_a_modern_server_get_their_own_answers() {
    equal_ids(Eras::Modern, LEGACY, DOORS[1]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn equal_ids_of_modern_clients_get_their_own_answers() {
    equal_ids(Eras::Both, Era::Modern, DOORS[1]).await;
}

/// Two principals, and two sessions of one of them; every request has the id 1.
async fn equal_ids(eras: Eras, era: Era, door: (&'static str, &'static str)) {
    let stage = Stage::new(eras).await;
    let other = stage.app.agent("other").await;
    stage.app.grant_tool("other", "files", "echo").await;
    let mut clients = vec![stage.bot.clone(), other, stage.bot.clone()];
    for client in &mut clients {
        client.enter(door.0, era).await;
    }
    let stage = Arc::new(stage);
    let mut calls = tokio::task::JoinSet::new();
    for round in 0..100 {
        for (who, client) in clients.iter().enumerate() {
            let (stage, client) = (Arc::clone(&stage), client.clone());
            calls.spawn(async move {
                let text = format!("{who}/{round}");
                let answer = stage.echo(&client, era, door, &text).await;
                assert_eq!(answer.result()["content"][0]["text"], text, "{era:?} {door:?}");
                assert_eq!(answer.json()["id"], 1);
            });
        }
    }
    while let Some(done) = calls.join_next().await {
        done.unwrap();
    }
    assert_eq!(stage.contacts().len(), 300, "{eras:?} {era:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_to_one_server_never_goes_to_another_that_asked_under_the_same_id() {
    let asking = || {
        Script::new(Eras::Legacy).tool(json!({"name": "ask", "inputSchema": {"type": "object"}}), |call| {
            let params = json!({"message": call.argument("who"), "requestedSchema": {"type": "object", "properties": {}}});
            Reply::Stream(vec![Step::Ask { method: "elicitation/create".into(), params }, Step::ResultOfAnswers])
        })
    };
    let (one, two) = (asking().start().await.unwrap(), asking().start().await.unwrap());
    let app = App::start().await;
    app.register("one", &one.url()).await;
    app.register("two", &two.url()).await;
    let mut bot = app.agent("bot").await;
    app.grant("bot", "one").await;
    app.grant("bot", "two").await;
    bot.enter("/mcp", LEGACY).await;
    let call = |who: &str| json!({"name": format!("{who}__ask"), "arguments": {"who": who}});
    let mut first = bot.stream("/mcp", LEGACY, "tools/call", call("one")).await;
    let mut second = bot.stream("/mcp", LEGACY, "tools/call", call("two")).await;
    let asked = [first.message_of("elicitation/create").await, second.message_of("elicitation/create").await];
    assert_ne!(asked[0]["id"], asked[1]["id"], "the client can tell them apart");
    for asked in &asked {
        let content = json!({"action": "accept", "content": {"for": asked["params"]["message"]}});
        bot.respond("/mcp", "2025-11-25", asked, content).await;
    }
    for (stream, who) in [(first, "one"), (second, "two")] {
        let rest = stream.rest().await;
        let text = rest.last().unwrap()["result"]["content"][0]["text"].as_str().unwrap().to_owned();
        assert!(text.contains(who), "{who} got {text}");
    }
    // Nobody else can answer, nor twice.
    let mut thief = app.agent("thief").await;
    thief.enter("/mcp", LEGACY).await;
    for client in [&thief, &bot] {
        let response = json!({"jsonrpc": "2.0", "id": asked[0]["id"], "result": {}});
        assert_eq!(client.say("/mcp", "2025-11-25", response).await.status, 400);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_server_calls_public_reaches_no_shared_cache() {
    const URI: &str = "file:///open.txt";
    // The plain word, one that a search for it misses, and a word that some cache may take for it.
    for word in ["\"public\"", r#""\u0070ublic""#, "\"PUBLIC\"", "true", "{\"scope\":\"public\"}"] {
        for stream in [false, true] {
            let contents = format!(
                r#"{{"resultType":"complete","contents":[{{"uri":"{URI}","text":"read"}}],"ttlMs":60000,"cacheScope":{word}}}"#
            );
            let script = script(Eras::Modern)
                .on("resources/read", move |_| Reply::RawResult(contents.clone()))
                .on("server/discover", |_| {
                    Reply::Result(json!({
                        "supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}, "resources": {}},
                        "ttlMs": 60_000, "cacheScope": "public",
                    }))
                });
            let script = if stream { script.with_sse_answers() } else { script };
            let server = script.start().await.unwrap();
            let app = App::start().await;
            app.register("files", &server.url()).await;
            app.toolset("mix", &[("files", None)]).await;
            let bot = app.agent("bot").await;
            app.grant("bot", "files").await;
            for (path, prefix) in DOORS {
                let uri = if prefix.is_empty() { URI.to_owned() } else { format!("files+{URI}") };
                let lists = ["tools/list", "prompts/list", "resources/list", "resources/templates/list"];
                let asked = lists.into_iter().chain(["server/discover"]).map(|method| (method, json!({})));
                for (method, params) in asked.chain([("resources/read", json!({"uri": uri}))]) {
                    let answer = bot.ask(path, Era::Modern, method, params).await;
                    assert_eq!(answer.result()["cacheScope"], "private", "{word} {path} {method}");
                    let shared =
                        answer.headers.get("cache-control").is_some_and(|header| header != "no-store");
                    assert!(!shared, "{word} {path} {method} {:?}", answer.headers);
                }
            }
            app.running.stop().await.unwrap();
        }
    }
}
