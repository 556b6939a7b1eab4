//! What differs between eras beside the answers: codes, statuses, and what cannot cross.

use bailiwick_testkit::upstream::{Call, Eras, Reply, Script, ScriptedServer, Step};
use serde_json::{Value, json};

use crate::support::{App, Client, ERAS, Era};

const LEGACY: Era = Era::Legacy("2025-11-25");

/// The doors to the server `x`, with how names and URIs begin there.
const DOORS: [(&str, &str, &str); 2] = [("/servers/x/mcp", "", ""), ("/mcp", "x__", "x+")];

async fn behind(script: Script) -> (ScriptedServer, App, Client) {
    let server = script.start().await.unwrap();
    let app = App::start().await;
    app.register("x", &server.url()).await;
    let client = app.agent("bot").await;
    app.grant("bot", "x").await;
    (server, app, client)
}

fn tool(name: &str) -> Value {
    json!({"name": name, "inputSchema": {"type": "object"}})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resource_that_its_server_does_not_know_has_the_code_of_the_clients_era() {
    for eras in [Eras::Legacy, Eras::Modern] {
        let gone = |call: &Call| Reply::Error {
            code: if call.modern { -32602 } else { -32002 },
            message: "Resource not found".to_owned(),
            data: json!({"uri": call.params["uri"]}),
        };
        let resource = json!({"uri": "file:///gone", "name": "g"});
        let (_server, _app, client) =
            behind(Script::new(eras).resource(resource, gone).on("resources/read", gone)).await;
        for era in ERAS {
            let code = if era == Era::Modern { -32602 } else { -32002 };
            for (path, _, prefix) in DOORS {
                let mut client = client.clone();
                client.enter(path, era).await;
                for uri in ["file:///gone", "file:///never-listed"] {
                    let uri = format!("{prefix}{uri}");
                    let answer = client.ask(path, era, "resources/read", json!({"uri": uri})).await;
                    assert_eq!(answer.status, 200, "{answer:?}");
                    let error = answer.error();
                    assert_eq!(error["code"], code, "{era:?} {eras:?} {path} {error}");
                    assert_eq!(error["data"]["uri"], uri, "{era:?} {eras:?} {path} {error}");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statuses_are_those_of_the_clients_era() {
    for eras in [Eras::Legacy, Eras::Modern] {
        let needs = |call: &Call| match call.modern {
            true => Reply::Error {
                code: -32021,
                message: "needs sampling".into(),
                data: json!({"requiredCapabilities": {"sampling": {}}}),
            },
            false => Reply::error(-32603, "needs sampling"),
        };
        let (_server, _app, client) = behind(Script::new(eras).tool(tool("t"), needs)).await;
        for era in ERAS {
            for (path, prefix, _) in DOORS {
                let mut client = client.clone();
                client.enter(path, era).await;
                let unknown = client.ask(path, era, "nobody/knows", json!({})).await;
                let status = if era == Era::Modern { 404 } else { 200 };
                assert_eq!((unknown.status.as_u16(), &unknown.error()["code"]), (status, &json!(-32601)));
                let absent = client.ask(path, era, "tools/call", json!({"name": "nothing"})).await;
                assert_eq!((absent.status.as_u16(), &absent.error()["code"]), (200, &json!(-32602)));
                let params = json!({"name": format!("{prefix}t")});
                let refused = client.ask(path, era, "tools/call", params).await;
                let same = era == Era::Modern && eras == Eras::Modern;
                assert_eq!(refused.status, if same { 400 } else { 200 }, "{era:?} {eras:?} {refused:?}");
                assert!(refused.error()["message"].as_str().unwrap().contains("needs sampling"));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_modern_server_that_wants_input_of_a_legacy_client_is_an_error_that_says_so() {
    let wants = |_: &Call| {
        Reply::Result(json!({"resultType": "input_required", "inputRequests": {}, "requestState": "s"}))
    };
    let task = |_: &Call| Reply::Result(json!({"resultType": "task", "taskId": "1", "status": "working"}));
    let script = Script::new(Eras::Modern).tool(tool("wants"), wants).tool(tool("task"), task);
    let (_server, app, client) = behind(script).await;
    for (count, (path, prefix, _)) in DOORS.into_iter().enumerate() {
        let mut client = client.clone();
        client.enter(path, LEGACY).await;
        for name in ["wants", "task"] {
            let params = json!({"name": format!("{prefix}{name}")});
            let error = client.ask(path, LEGACY, "tools/call", params).await.error();
            assert_eq!(error["data"]["reason"], "upstream_invalid", "{error}");
            let explanation = error["data"]["explanation"].as_str().unwrap();
            assert!(explanation.contains("protocol version"), "{explanation}");
        }
        let statuses = app.statuses_of("tools/call", 2 * (count + 1)).await;
        assert_eq!(statuses[2 * count..], ["upstream_invalid", "upstream_invalid"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_legacy_server_that_asks_a_modern_client_is_refused_and_goes_on() {
    for method in ["sampling/createMessage", "elicitation/create", "roots/list"] {
        let ask = move |_: &Call| {
            let ask = Step::Ask { method: method.to_owned(), params: json!({}) };
            Reply::Stream(vec![ask, Step::ResultOfAnswers])
        };
        let script = Script::new(Eras::Legacy).with_sessions().tool(tool("t"), ask);
        let (server, app, client) = behind(script).await;
        for (path, prefix, _) in DOORS {
            let params = json!({"name": format!("{prefix}t")});
            let all = client.stream(path, Era::Modern, "tools/call", params).await.rest().await;
            assert_eq!(all.len(), 1, "the client hears nothing of it: {all:?}");
            let heard = all[0]["result"]["content"][0]["text"].as_str().unwrap();
            assert!(heard.contains("-32601"), "{heard}");
        }
        assert_eq!(app.statuses_of("tools/call", 2).await, ["ok", "ok"]);
        let offered = server.received_of("initialize");
        let capabilities = &offered.last().unwrap().json()["params"]["capabilities"];
        assert!(capabilities.get(method.split('/').next().unwrap()).is_none(), "{capabilities}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_no_counterpart_in_the_servers_era_is_refused_at_once() {
    let resource = json!({"uri": "file:///r", "name": "r"});
    let script = Script::new(Eras::Modern).resource(resource, |_| Reply::text(""));
    let (server, _app, mut client) = behind(script).await;
    let path = "/servers/x/mcp";
    client.enter(path, LEGACY).await;
    for (method, params) in [
        ("resources/subscribe", json!({"uri": "file:///r"})),
        ("resources/unsubscribe", json!({"uri": "file:///r"})),
        ("logging/setLevel", json!({"level": "info"})),
    ] {
        let error = client.ask(path, LEGACY, method, params).await.error();
        assert_eq!(error["code"], -32601, "{error}");
        assert!(error["message"].as_str().unwrap().contains("protocol version"), "{error}");
        assert!(server.received_of(method).is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newest_common_era_is_spoken_with_a_server_of_several() {
    let script = Script::new(Eras::Both)
        .with_legacy_versions(&["2025-11-25", "2025-06-18"])
        .tool(tool("t"), |call| Reply::text(if call.modern { "modern" } else { "legacy" }));
    let (server, _app, client) = behind(script).await;
    for (era, spoken, version) in [
        (Era::Modern, "modern", "2026-07-28"),
        (LEGACY, "legacy", "2025-11-25"),
        (Era::Legacy("2025-06-18"), "legacy", "2025-06-18"),
        (Era::Legacy("2025-03-26"), "legacy", "2025-11-25"),
    ] {
        let mut client = client.clone();
        client.enter("/mcp", era).await;
        let called = client.ask("/mcp", era, "tools/call", json!({"name": "x__t"})).await.result();
        assert_eq!(called["content"][0]["text"], spoken, "{era:?}");
        let last = server.received_of("tools/call").pop().unwrap();
        assert_eq!(last.header("mcp-protocol-version"), Some(version), "{era:?}");
    }
}
