//! Clients that connect while their server is away: they get what is known of it, and go on when it is back.

use bailiwick_testkit::upstream::{Eras, Reply, Script};
use serde_json::{Value, json};

use super::{LEGACY, agent, script};
use crate::support::{App, Client, Era};

const PATH: &str = "/servers/x/mcp";

fn announced() -> Script {
    script(Eras::Legacy, Reply::text("ok"))
        .with_sessions()
        .with_instructions("Ask nicely.")
        .with_server_info(json!({"name": "scripted", "version": "7", "x-kept": [1, {"a": null}]}))
        .with_capabilities(json!({"tools": {"listChanged": true}, "experimental": {"x": {}}}))
        .with_legacy_versions(&["2025-11-25", "2025-06-18"])
}

async fn call(client: &Client, era: Era) -> Value {
    client.ask(PATH, era, "tools/call", json!({"name": "t"})).await.json()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_connects_while_its_server_is_away_and_works_when_it_is_back() {
    // The third revision is none of the server's: it agreed on its newest, and so does the gateway in its place.
    for (version, agreed) in
        [("2025-11-25", "2025-11-25"), ("2025-06-18", "2025-06-18"), ("2025-03-26", "2025-11-25")]
    {
        let app = App::start().await;
        let server = announced().start().await.unwrap();
        let address = server.address();
        app.register("x", &server.url()).await;
        let mut client = agent(&app, &["x"]).await;
        let there = client.initialize(PATH, version).await;
        assert_eq!(
            (&there["protocolVersion"], &there["instructions"]),
            (&json!(agreed), &json!("Ask nicely."))
        );
        server.stop().await;
        let away = client.initialize(PATH, version).await;
        assert_eq!(away, there, "{version}");
        let era = Era::Legacy(if agreed == "2025-06-18" { "2025-06-18" } else { "2025-11-25" });
        assert_eq!(client.names(PATH, era, "tools/list").await, ["t", "fine"]);
        let refused = call(&client, era).await;
        assert_eq!(refused["error"]["data"]["reason"], "upstream_unreachable", "{refused}");
        assert_eq!(refused["error"]["data"]["executed"], false, "{refused}");
        let status = &app.outcomes_of("initialize", 2).await[1]["status"];
        assert_eq!(status, "upstream_unreachable", "the attempt has its true reason");

        let server = announced().start_on(address).await.unwrap();
        let works = async { while call(&client, era).await["result"].is_null() {} };
        tokio::time::timeout(crate::support::PATIENCE, works).await.expect("the call works again");
        let opened = server.received_of("initialize");
        assert!(
            opened.iter().any(|sent| sent.json()["params"]["clientInfo"]["name"] == "test"),
            "{opened:?}"
        );
        // Over a restart of the gateway, too: nothing of it is kept but in the session's id.
        let app = app.restart().await;
        let client = client.moved_to(app.url());
        assert!(call(&client, era).await["result"].is_object());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_refuses_to_initialize_is_heard_and_one_that_was_never_there_is_not_made_up() {
    let app = App::start().await;
    let picky = script(Eras::Legacy, Reply::text("ok"));
    let server = picky.clone().start().await.unwrap();
    let address = server.address();
    app.register("x", &server.url()).await;
    server.stop().await;
    let refusing = picky.on("initialize", |_| Reply::error(-32603, "closed on Sundays"));
    let _server = refusing.start_on(address).await.unwrap();
    let client = agent(&app, &["x"]).await;
    let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}});
    let refused = client.ask(PATH, LEGACY, "initialize", params.clone()).await;
    assert_eq!(refused.error()["message"], "closed on Sundays");
    app.register_impatient("never", &format!("http://{}/mcp", unused().await), 500).await;
    app.grant("bot", "never").await;
    let unknown = client.ask("/servers/never/mcp", LEGACY, "initialize", params).await;
    assert_eq!(unknown.error()["data"]["reason"], "upstream_unreachable");
    assert!(unknown.headers.get("mcp-session-id").is_none());
}

/// An address at which nobody listens.
async fn unused() -> std::net::SocketAddr {
    tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}
