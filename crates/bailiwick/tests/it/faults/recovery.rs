//! Servers that come back, forget, or come back as others.

use bailiwick_testkit::upstream::{Eras, Reply, Script};
use serde_json::{Value, json};

use super::{LEGACY, agent, script, tool};
use crate::support::{App, Client, Era, until};

async fn call(client: &Client, path: &str, era: Era, name: &str) -> Value {
    client.ask(path, era, "tools/call", json!({"name": name})).await.json()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forgotten_pooled_session_is_opened_again_once() {
    let app = App::start().await;
    let server = script(Eras::Legacy, Reply::text("ok")).with_sessions().start().await.unwrap();
    app.register("x", &server.url()).await;
    let mut client = agent(&app, &["x"]).await;
    client.enter("/mcp", LEGACY).await;
    assert!(call(&client, "/mcp", LEGACY, "x__t").await["result"].is_object());
    let (opened, sent) = (server.sessions_opened(), server.received_of("tools/call").len());
    server.forget_sessions();
    let again = call(&client, "/mcp", LEGACY, "x__t").await;
    assert!(again["result"].is_object(), "{again}");
    assert_eq!(server.sessions_opened(), opened + 1);
    assert_eq!(server.received_of("tools/call").len(), sent + 2, "refused unheard once, then run");
    assert_eq!(app.statuses_of("tools/call", 2).await, ["ok", "ok"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_forgets_every_session_is_not_asked_for_ever() {
    let app = App::start().await;
    let server =
        script(Eras::Legacy, Reply::Status(404, String::new())).with_sessions().start().await.unwrap();
    app.register("x", &server.url()).await;
    let mut client = agent(&app, &["x"]).await;
    client.enter("/mcp", LEGACY).await;
    let error = call(&client, "/mcp", LEGACY, "x__t").await;
    assert_eq!(error["error"]["data"]["reason"], "upstream_invalid", "{error}");
    assert_eq!(server.received_of("tools/call").len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clients_own_forgotten_session_is_told_to_the_client() {
    let app = App::start().await;
    let server = script(Eras::Legacy, Reply::text("ok")).with_sessions().start().await.unwrap();
    app.register("x", &server.url()).await;
    let mut client = agent(&app, &["x"]).await;
    let path = "/servers/x/mcp";
    client.enter(path, LEGACY).await;
    server.forget_sessions();
    let gone = client.ask(path, LEGACY, "tools/call", json!({"name": "t"})).await;
    assert_eq!(gone.status, 404, "{gone:?}");
    client.enter(path, LEGACY).await;
    assert!(call(&client, path, LEGACY, "t").await["result"].is_object());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_restarts_serves_on_and_its_new_list_is_shown() {
    for eras in [Eras::Legacy, Eras::Modern] {
        let app = App::start().await;
        let server = script(eras, Reply::text("before")).start().await.unwrap();
        let address = server.address();
        app.register("x", &server.url()).await;
        let client = agent(&app, &["x"]).await;
        server.stop().await;
        let down = call(&client, "/mcp", Era::Modern, "x__t").await;
        assert_eq!(down["error"]["data"]["reason"], "upstream_unreachable", "{down}");
        let names = client.names("/mcp", Era::Modern, "tools/list").await;
        assert_eq!(names, ["x__t", "x__fine"], "the last good list stays");
        let successor = script(eras, Reply::text("after")).tool(tool("new"), |_| Reply::text(""));
        let _successor = successor.start_on(address).await.unwrap();
        let back = call(&client, "/mcp", Era::Modern, "x__t").await;
        assert_eq!(back["result"]["content"][0]["text"], "after", "{back}");
        until("the new list", || {
            let snapshot = app.control().snapshot();
            (snapshot.catalogue.server("x")?.definitions.len() == 3).then_some(())
        })
        .await;
        assert_eq!(client.names("/mcp", Era::Modern, "tools/list").await.len(), 3);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_comes_back_in_another_era_is_spoken_to_in_it() {
    let app = App::start().await;
    let old = Script::new(Eras::Legacy).tool(tool("t"), |_| Reply::text("old")).start().await.unwrap();
    let address = old.address();
    app.register("x", &old.url()).await;
    let mut client = agent(&app, &["x"]).await;
    client.enter("/mcp", LEGACY).await;
    assert_eq!(call(&client, "/mcp", LEGACY, "x__t").await["result"]["content"][0]["text"], "old");
    old.stop().await;
    assert!(call(&client, "/mcp", LEGACY, "x__t").await["error"].is_object());
    let new = Script::new(Eras::Modern).tool(tool("t"), |_| Reply::text("new"));
    let _new = new.start_on(address).await.unwrap();
    // The first call finds out: its server answers again, but not to this.
    until_called(&client, "new").await;
}

/// Calls until the answer is this.
async fn until_called(client: &Client, text: &str) {
    let tries = async {
        loop {
            let answer = call(client, "/mcp", LEGACY, "x__t").await;
            if answer["result"]["content"][0]["text"] == text {
                return;
            }
        }
    };
    tokio::time::timeout(crate::support::PATIENCE, tries).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_registered_while_it_is_down_is_found_when_it_comes() {
    let app = App::start_with("[upstream]\npoll_seconds = 1").await;
    let server = script(Eras::Modern, Reply::text("ok")).start().await.unwrap();
    let (address, url) = (server.address(), server.url());
    server.stop().await;
    app.register_impatient("x", &url, 500).await;
    let client = agent(&app, &["x"]).await;
    let early = client.ask("/servers/x/mcp", Era::Modern, "server/discover", json!({})).await;
    assert_eq!(early.error()["data"]["reason"], "upstream_unreachable");
    assert!(client.names("/mcp", Era::Modern, "tools/list").await.is_empty());
    let _server = script(Eras::Modern, Reply::text("ok")).start_on(address).await.unwrap();
    until("the server in the catalogue", || {
        app.control().snapshot().catalogue.server("x")?.available.then_some(())
    })
    .await;
    assert!(call(&client, "/mcp", Era::Modern, "x__t").await["result"].is_object());
}
