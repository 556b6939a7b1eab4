//! Large lists: complete, in pages, in the same order each time.

use bailiwick_testkit::upstream::{Eras, Reply, Script};
use serde_json::{Value, json};

use crate::support::{App, Client, Era, until};

const MANY: usize = 2_500;

fn many(eras: Eras) -> Script {
    (0..MANY).fold(Script::new(eras).with_pages_of(500), |script, number| {
        let tool = json!({"name": format!("tool-{number}"), "inputSchema": {"type": "object"}});
        script.tool(tool, |_| Reply::text(""))
    })
}

/// All names and the number of pages.
async fn all(client: &Client, path: &str, era: Era) -> (Vec<String>, usize) {
    let (mut names, mut pages, mut params) = (Vec::new(), 0, json!({}));
    loop {
        let result = client.ask(path, era, "tools/list", params).await.result();
        names.extend(
            result["tools"].as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap().to_owned()),
        );
        pages += 1;
        match result.get("nextCursor") {
            Some(cursor) => params = json!({"cursor": cursor}),
            None => return (names, pages),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_tools_come_in_pages_in_a_stable_order() {
    let server = many(Eras::Both).start().await.unwrap();
    let app = App::start().await;
    app.register("x", &server.url()).await;
    let client = app.agent("bot").await;
    app.grant("bot", "x").await;
    let own: Vec<String> = (0..MANY).map(|number| format!("tool-{number}")).collect();
    let prefixed: Vec<String> = own.iter().map(|name| format!("x__{name}")).collect();
    let mut visits = Vec::new();
    for era in [Era::Legacy("2025-11-25"), Era::Modern] {
        for (path, expected) in [("/servers/x/mcp", &own), ("/mcp", &prefixed)] {
            let mut client = client.clone();
            client.enter(path, era).await;
            visits.push((client, path, era, expected));
        }
    }
    // Lists ask no server: it is not even there any more.
    server.stop().await;
    for (client, path, era, expected) in visits {
        let (names, pages) = all(&client, path, era).await;
        assert!(names == *expected, "{era:?} {path}: {} names", names.len());
        assert!(pages > 1);
    }
    let app = app.restart().await;
    until("the catalogue", || app.control().snapshot().catalogue.server("x").cloned()).await;
    let (names, _) = all(&client.moved_to(app.url()), "/mcp", Era::Modern).await;
    assert!(names == prefixed, "the order outlives the gateway");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_is_worth_nothing_to_others_and_elsewhere() {
    let server = many(Eras::Modern).start().await.unwrap();
    let app = App::start().await;
    app.register("x", &server.url()).await;
    let (client, other) = (app.agent("bot").await, app.agent("other").await);
    app.grant("bot", "x").await;
    app.grant("other", "x").await;
    let list = |client: &Client, path: &'static str, method: &'static str, cursor: Value| {
        let client = client.clone();
        async move { client.ask(path, Era::Modern, method, json!({"cursor": cursor})).await }
    };
    let first = client.ask("/mcp", Era::Modern, "tools/list", json!({})).await.result();
    let cursor = first["nextCursor"].clone();
    list(&client, "/mcp", "tools/list", cursor.clone()).await.result();
    for answer in [
        list(&other, "/mcp", "tools/list", cursor.clone()).await,
        list(&client, "/servers/x/mcp", "tools/list", cursor.clone()).await,
        list(&client, "/mcp", "prompts/list", cursor.clone()).await,
        list(&client, "/mcp", "tools/list", json!("1000")).await,
        list(&client, "/mcp", "tools/list", json!(7)).await,
        list(&client, "/mcp", "tools/list", json!("")).await,
    ] {
        assert_eq!(answer.error()["code"], -32602, "{answer:?}");
    }
}
