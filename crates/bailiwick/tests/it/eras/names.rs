//! Names and URIs in aggregates: within what LLM APIs take, and all the way back.

use bailiwick_testkit::upstream::{Call, Eras, Reply, Script};
use serde_json::{Value, json};

use crate::support::{App, Era};

const LEGACY: Era = Era::Legacy("2025-11-25");

fn fits(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=64).contains(&name.len()) && name.bytes().all(allowed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_and_odd_names_are_shown_in_a_form_that_fits_and_called_by_their_own() {
    let long = "x".repeat(90);
    let longer = format!("{long}y");
    let odd =
        [long.as_str(), longer.as_str(), "get.weather", "get weather", "größe", "日本", "a__b", "plain"];
    for eras in [Eras::Legacy, Eras::Modern] {
        let echo = |call: &Call| Reply::text(call.params["name"].as_str().unwrap());
        let prompt = |call: &Call| Reply::Result(json!({"messages": [], "x": call.params["name"]}));
        let script = odd.iter().fold(Script::new(eras), |script, name| {
            script
                .tool(json!({"name": name, "inputSchema": {"type": "object"}}), echo)
                .prompt(json!({"name": name}), prompt)
        });
        let server = script.start().await.unwrap();
        let app = App::start().await;
        app.register("x", &server.url()).await;
        app.toolset("all", &[("x", None)]).await;
        let client = app.agent("bot").await;
        app.grant("bot", "x").await;
        let mut before: Option<Vec<String>> = None;
        for path in ["/mcp", "/toolsets/all/mcp"] {
            for era in [LEGACY, Era::Modern] {
                let mut client = client.clone();
                client.enter(path, era).await;
                let names = client.names(path, era, "tools/list").await;
                assert!(names.iter().all(|name| fits(name) && name.starts_with("x__")), "{names:?}");
                assert!(names.contains(&"x__plain".to_owned()) && names.contains(&"x__a__b".to_owned()));
                for (name, own) in names.iter().zip(odd) {
                    let called = client.ask(path, era, "tools/call", json!({"name": name})).await.result();
                    assert_eq!(called["content"][0]["text"], own, "{name}");
                    let got = client.ask(path, era, "prompts/get", json!({"name": name})).await.result();
                    assert_eq!(got["x"], own, "{name}");
                }
                assert_eq!(client.names(path, era, "prompts/list").await, names);
                assert_eq!(before.get_or_insert_with(|| names.clone()), &names, "the same everywhere");
            }
        }
    }
}

/// A server whose answers are full of URIs.
fn full_of_uris(eras: Eras) -> Script {
    let read = |call: &Call| {
        let uri = call.params["uri"].clone();
        Reply::Result(json!({"contents": [{"uri": uri, "text": "1"}, {"uri": "test://other", "text": "2"}]}))
    };
    let linked = |_: &Call| {
        Reply::Result(json!({
            "content": [
                {"type": "text", "text": "test://static"},
                {"type": "resource_link", "uri": "test://linked", "name": "l"},
                {"type": "resource", "resource": {"uri": "test://embedded", "text": "e"}},
            ],
            "_meta": {"ui": {"resourceUri": "ui://card/a.html"}},
        }))
    };
    let prompt = |_: &Call| {
        let resource = json!({"type": "resource", "resource": {"uri": "test://embedded", "text": "e"}});
        Reply::Result(json!({"messages": [{"role": "user", "content": resource}]}))
    };
    let meta =
        json!({"ui": {"resourceUri": "ui://card/a.html"}, "ui/resourceUri": "ui://card/a.html", "kept": 1});
    Script::new(eras)
        .tool(json!({"name": "t", "inputSchema": {"type": "object"}, "_meta": meta}), linked)
        .prompt(json!({"name": "p"}), prompt)
        .resource(json!({"uri": "test://static", "name": "s"}), read)
        .resource(
            json!({"uri": "ui://card/a.html", "name": "u", "mimeType": "text/html;profile=mcp-app"}),
            read,
        )
        .template(json!({"uriTemplate": "test://t/{id}", "name": "t"}))
        .on("resources/read", read)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uris_are_mapped_wherever_they_stand_and_mapped_back() {
    for eras in [Eras::Legacy, Eras::Modern] {
        let server = full_of_uris(eras).start().await.unwrap();
        let app = App::start().await;
        app.register("x", &server.url()).await;
        app.toolset("all", &[("x", None)]).await;
        let client = app.agent("bot").await;
        app.grant("bot", "x").await;
        for path in ["/mcp", "/toolsets/all/mcp"] {
            for era in [LEGACY, Era::Modern] {
                let mut client = client.clone();
                client.enter(path, era).await;
                let ask = |method: &'static str, params: Value| {
                    let client = client.clone();
                    async move { client.ask(path, era, method, params).await.result() }
                };
                let uris = client.names(path, era, "resources/list").await;
                assert_eq!(uris, ["x+test://static", "ui://x/card/a.html"]);
                let templates = client.names(path, era, "resources/templates/list").await;
                assert_eq!(templates, ["x+test://t/{id}"]);
                let tools = ask("tools/list", json!({})).await;
                let meta = &tools["tools"][0]["_meta"];
                let ui = json!("ui://x/card/a.html");
                let shown = (&meta["ui"]["resourceUri"], &meta["ui/resourceUri"], &meta["kept"]);
                assert_eq!(shown, (&ui, &ui, &json!(1)));

                let own = |uri: &str| uri.replacen("ui://x/", "ui://", 1).replacen("x+", "", 1);
                for uri in ["x+test://static", "ui://x/card/a.html", "x+test://t/7"] {
                    let read = ask("resources/read", json!({"uri": uri})).await;
                    assert_eq!(read["contents"][0]["uri"], uri);
                    assert_eq!(read["contents"][1]["uri"], "x+test://other");
                    let last = server.received_of("resources/read").pop().unwrap();
                    assert_eq!(last.json()["params"]["uri"], own(uri));
                }

                let called = ask("tools/call", json!({"name": "x__t"})).await;
                assert_eq!(called["content"][0]["text"], "test://static", "text is text");
                assert_eq!(called["content"][1]["uri"], "x+test://linked");
                assert_eq!(called["content"][2]["resource"]["uri"], "x+test://embedded");
                assert_eq!(called["_meta"]["ui"]["resourceUri"], ui);
                let got = ask("prompts/get", json!({"name": "x__p"})).await;
                assert_eq!(got["messages"][0]["content"]["resource"]["uri"], "x+test://embedded");
            }
        }
    }
}
