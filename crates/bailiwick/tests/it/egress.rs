//! Every outbound address is decided when it is dialled; the evidence is a listener that nobody knocked at.

use std::collections::BTreeMap;

use bailiwick_control::{Actor, NewServer, ServerAdded};
use bailiwick_model::server::{Timeouts, Transport, Value};
use bailiwick_testkit::upstream::{Eras, Reply, Script};
use secrecy::SecretString;
use serde_json::json;
use tokio::net::TcpListener;

use crate::support::{App, Era, script};

async fn add(app: &App, name: &str, url: &str) -> ServerAdded {
    let new = NewServer {
        name: Some(name.parse().unwrap()),
        registry_name: None,
        team: Some("default".into()),
        description: String::new(),
        transport: Transport::Http {
            url: url.to_owned(),
            headers: BTreeMap::from([("x-api-key".to_owned(), Value::Secret)]),
        },
        secrets: BTreeMap::from([("x-api-key".to_owned(), SecretString::from("s3cr3t"))]),
        timeouts: Timeouts { connect_ms: 1_000, first_byte_ms: 1_000, idle_ms: 1_000 },
        capture: bailiwick_model::Capture::default(),
        enabled: true,
    };
    app.control().add_server(&Actor::Gateway, new).await.unwrap()
}

/// Whether somebody has connected.
async fn knocked(listener: &TcpListener) -> bool {
    tokio::select! {
        biased;
        accepted = listener.accept() => accepted.is_ok(),
        () = tokio::task::yield_now() => false,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forbidden_address_is_not_dialled_however_it_is_spelled() {
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let app = App::start_as("", "", "").await;
    let bot = app.agent("bot").await;
    let hosts = [
        "127.0.0.1",
        "localhost",
        "localhost.",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "169.254.169.254",
        "10.0.0.1",
        "100.64.0.1",
        "[fd00::1]",
    ];
    let mut tried = 0;
    for (number, host) in hosts.iter().enumerate() {
        let name = format!("server-{number}");
        let url = format!("http://{host}:{port}/mcp");
        let new = tokio::time::timeout(std::time::Duration::from_secs(5), add(&app, &name, &url)).await;
        let added = new.unwrap_or_else(|_| panic!("{host} is waited for"));
        assert!(added.detail.discovery.is_none(), "{host}");
        assert!(added.detail.failure.is_some(), "{host}: the operator is told why");
        app.grant("bot", &name).await;
        let called = bot.ask(&format!("/servers/{name}/mcp"), Era::Modern, "tools/list", json!({})).await;
        assert!(!String::from_utf8_lossy(&called.body).contains(&port.to_string()), "no address in an error");
        tried += 1;
        assert!(!knocked(&listener).await, "{host} was dialled");
    }
    assert_eq!(tried, hosts.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_allowed_is_allowed_at_that_port_alone() {
    let server = script(Eras::Both).start().await.unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let allow = format!("\"127.0.0.1:{}\"", server.address().port());
    let app = App::start_as("", &allow, "").await;
    app.register("files", &server.url()).await;
    let added = add(&app, "closed", &format!("http://{}/mcp", closed.local_addr().unwrap())).await;
    assert!(added.detail.discovery.is_none());
    assert!(!knocked(&closed).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redirect_is_not_followed_and_takes_no_credential_along() {
    let thief = script(Eras::Both).start().await.unwrap();
    let to = thief.url();
    let server = Script::new(Eras::Both)
        .tool(json!({"name": "echo", "inputSchema": {"type": "object"}}), move |_| {
            Reply::Redirect(to.clone())
        })
        .start()
        .await
        .unwrap();
    let app = App::start().await;
    add(&app, "files", &server.url()).await;
    let bot = app.agent("bot").await;
    app.grant("bot", "files").await;
    for era in [Era::Legacy("2025-11-25"), Era::Modern] {
        for (path, name) in [("/servers/files/mcp", "echo"), ("/mcp", "files__echo")] {
            let mut bot = bot.clone();
            bot.enter(path, era).await;
            let answer = bot.ask(path, era, "tools/call", json!({"name": name, "arguments": {}})).await;
            let code = answer.error()["code"].as_i64().unwrap();
            assert!(matches!(code, 50201 | 50202), "{answer:?}");
            assert!(answer.headers.get("location").is_none());
            assert!(!String::from_utf8_lossy(&answer.body).contains("127.0.0.1"), "{answer:?}");
        }
    }
    assert_eq!(server.received_of("tools/call").len(), 4, "each call was tried once");
    assert_eq!(thief.received().len(), 0);
}
