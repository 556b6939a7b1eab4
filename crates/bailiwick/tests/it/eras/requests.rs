//! Every request of tools, prompts, resources, templates and completion, for each pair of eras, at each door.

use bailiwick_testkit::upstream::{Call, Eras, Reply, Script, ScriptedServer};
use serde_json::{Value, json};

use super::{check_hints, reporting};
use crate::support::{App, Client, ERAS, Era};

/// A server with one of each.
async fn server(eras: Eras) -> ScriptedServer {
    let read = |call: &Call| {
        let mut result = json!({"contents": [{"uri": call.params["uri"], "text": "content"}], "x": [1.50]});
        if call.modern {
            result["ttlMs"] = json!(60_000);
            result["cacheScope"] = json!("public");
        }
        Reply::Result(result)
    };
    Script::new(eras)
        .tool(json!({"name": "t", "inputSchema": {"type": "object"}, "x": 1}), reporting)
        .prompt(json!({"name": "p", "x": 1}), |call| {
            let text = call.argument("who");
            Reply::Result(json!({"messages": [{"role": "user", "content": {"type": "text", "text": text}}]}))
        })
        .resource(json!({"uri": "file:///r", "name": "r", "x": 1}), read)
        .template(json!({"uriTemplate": "file:///t/{id}", "name": "t", "x": 1}))
        .on("resources/read", read)
        .start()
        .await
        .unwrap()
}

/// A door to a server, and how its names and URIs begin there.
struct Door {
    path: &'static str,
    name: &'static str,
    uri: &'static str,
}

const DOORS: [Door; 4] = [
    Door { path: "/servers/old/mcp", name: "", uri: "" },
    Door { path: "/servers/new/mcp", name: "", uri: "" },
    Door { path: "/mcp", name: "old__", uri: "old+" },
    Door { path: "/mcp", name: "new__", uri: "new+" },
];

async fn lists(client: &Client, era: Era, door: &Door) {
    for (method, member, key, value) in [
        ("tools/list", "tools", "name", format!("{}t", door.name)),
        ("prompts/list", "prompts", "name", format!("{}p", door.name)),
        ("resources/list", "resources", "uri", format!("{}file:///r", door.uri)),
        (
            "resources/templates/list",
            "resourceTemplates",
            "uriTemplate",
            format!("{}file:///t/{{id}}", door.uri),
        ),
    ] {
        let result = client.ask(door.path, era, method, json!({})).await.result();
        check_hints(era, method, &result);
        let all = result[member].as_array().unwrap();
        let found =
            all.iter().find(|one| one[key] == *value).unwrap_or_else(|| panic!("{value} in {result}"));
        assert_eq!(found["x"], 1, "unknown members stay");
    }
}

async fn requests(client: &Client, era: Era, door: &Door) {
    let name = |own: &str| format!("{}{own}", door.name);
    let uri = |own: &str| format!("{}{own}", door.uri);
    let params = json!({"name": name("t"), "arguments": {"text": "hi"}, "_meta": {"progressToken": "p-1"}});
    let all = client.stream(door.path, era, "tools/call", params).await.rest().await;
    let [progress, answer] = &all[..] else { panic!("{era:?} {} {all:?}", door.path) };
    assert_eq!(progress["params"]["progressToken"], "p-1", "{progress}");
    assert_eq!((&answer["id"], &answer["result"]["x"]), (&json!(1), &json!(1.50)));
    assert_eq!(answer["result"]["content"][0]["text"], "hi");
    check_hints(era, "tools/call", &answer["result"]);

    let params = json!({"name": name("p"), "arguments": {"who": "you"}});
    let result = client.ask(door.path, era, "prompts/get", params).await.result();
    assert_eq!(result["messages"][0]["content"]["text"], "you");
    check_hints(era, "prompts/get", &result);

    for own in ["file:///r", "file:///t/7"] {
        let result = client.ask(door.path, era, "resources/read", json!({"uri": uri(own)})).await.result();
        assert_eq!(result["contents"][0], json!({"uri": uri(own), "text": "content"}), "{era:?}");
        assert_eq!(result["x"], json!([1.50]));
        check_hints(era, "resources/read", &result);
    }

    for reference in [
        json!({"type": "ref/prompt", "name": name("p")}),
        json!({"type": "ref/resource", "uri": uri("file:///t/{id}")}),
    ] {
        let params = json!({"ref": reference, "argument": {"name": "who", "value": "o"}});
        let result = client.ask(door.path, era, "completion/complete", params).await.result();
        assert_eq!(result["completion"]["values"], json!(["one", "two"]));
        check_hints(era, "completion/complete", &result);
    }
}

/// The server is spoken to in its own era, under its own names.
fn check_received(server: &ScriptedServer, modern: bool) {
    let meta = |params: &Value| params["_meta"]["io.modelcontextprotocol/protocolVersion"].is_string();
    for received in server.received() {
        let message = received.json();
        let Some(method) = message["method"].as_str() else { continue };
        let (params, probes) = (&message["params"], ["initialize", "server/discover"].contains(&method));
        if probes || method.starts_with("notifications/") || method.ends_with("/list") {
            continue;
        }
        assert_eq!(meta(params), modern, "{message}");
        assert_eq!(received.header("mcp-method"), modern.then_some(method));
        if let Some(mirrored) = params["name"].as_str().or(params["uri"].as_str()) {
            assert!(!mirrored.contains("__") && !mirrored.contains('+'), "{message}");
            assert_eq!(received.header("mcp-name"), modern.then_some(mirrored), "{message}");
        }
        if method == "completion/complete" {
            let own = params["ref"]["name"].as_str().or(params["ref"]["uri"].as_str()).unwrap();
            assert!(["p", "file:///t/{id}"].contains(&own), "{message}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_works_between_all_eras_at_every_door() {
    let (old, new) = (server(Eras::Legacy).await, server(Eras::Modern).await);
    let app = App::start().await;
    app.register("old", &old.url()).await;
    app.register("new", &new.url()).await;
    let client = app.agent("bot").await;
    app.grant("bot", "old").await;
    app.grant("bot", "new").await;
    for era in ERAS {
        for door in &DOORS {
            let mut client = client.clone();
            client.enter(door.path, era).await;
            lists(&client, era, door).await;
            requests(&client, era, door).await;
        }
    }
    check_received(&old, false);
    check_received(&new, true);
    let calls = ERAS.len() * DOORS.len();
    assert!(app.statuses_of("tools/call", calls).await.iter().all(|status| status == "ok"));
}
