//! The shim adds its header and changes nothing else.

use std::net::SocketAddr;

use bailiwick_testkit::http1::Connection;
use bailiwick_testkit::net::Target;
use bailiwick_testkit::shim::{self, Settings};
use bailiwick_testkit::upstream::{Eras, Reply, Script, ScriptedServer, Step};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::wire::{Stream, legacy, post};

async fn shim(to: &ScriptedServer, path: &str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let to = Target::parse(&format!("http://{}{path}", to.address())).unwrap();
    let settings = Settings { to, headers: vec!["Authorization: Bearer secret".to_owned()] };
    TaskTracker::new().spawn(shim::serve(listener, settings, CancellationToken::new()));
    address
}

#[tokio::test]
async fn headers_are_kept_and_one_is_added() {
    let server = Script::new(Eras::Both).start().await.unwrap();
    let address = shim(&server, "/servers/fixture/mcp").await;
    let mut connection = Connection::open(address).await.unwrap();
    let ping = legacy(1, "ping", &json!({}));
    let headers = [("Origin", "http://evil.example"), ("Mcp-Name", "=?base64?eA==?=")];
    for _ in 0..2 {
        let answer = connection.send(&post(&headers, &ping)).await.unwrap();
        assert_eq!(answer.status, 200);
    }
    let chunked = format!(
        "DELETE /mcp?x=1 HTTP/1.1\r\nHost: evil.example\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{ping}\r\n0\r\n\r\n",
        ping.len()
    );
    assert_eq!(connection.send(chunked.as_bytes()).await.unwrap().status, 405);
    let received = server.received();
    assert_eq!(received.len(), 3);
    for one in &received {
        assert_eq!(one.header("authorization"), Some("Bearer secret"));
        assert_eq!(one.text(), ping);
    }
    assert_eq!(received[0].header("origin"), Some("http://evil.example"));
    assert_eq!(received[0].header("host"), Some("localhost"));
    assert_eq!(received[0].header("mcp-name"), Some("=?base64?eA==?="));
    assert_eq!(received[0].path, "/servers/fixture/mcp");
    assert_eq!(received[2].header("host"), Some("evil.example"));
    assert_eq!(received[2].path, "/servers/fixture/mcp?x=1");
}

#[tokio::test]
async fn streams_come_at_once_and_leaving_is_passed_on() {
    let steps = vec![Step::Raw("id: 1\nretry: 5\ndata:\n\n".to_owned()), Step::Hang];
    let definition = json!({ "name": "t", "inputSchema": { "type": "object" } });
    let server = Script::new(Eras::Both)
        .tool(definition, move |_| Reply::Stream(steps.clone()))
        .start()
        .await
        .unwrap();
    let address = shim(&server, "/mcp").await;
    let call = post(&[], &legacy(1, "tools/call", &json!({ "name": "t" })));
    let mut stream = Stream::open(address, &call).await;
    stream.until("id: 1\nretry: 5\ndata:\n\n").await;
    drop(stream);
    server.wait_for_abandoned(1).await.unwrap();
}

#[tokio::test]
async fn a_dead_target_closes_the_client() {
    let server = Script::new(Eras::Both).start().await.unwrap();
    let address = shim(&server, "/mcp").await;
    server.stop().await;
    let mut connection = Connection::open(address).await.unwrap();
    assert!(connection.send(&post(&[], &legacy(1, "ping", &json!({})))).await.is_err());
}
