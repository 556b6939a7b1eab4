//! The way in: TLS on the listener, the public address, and proxies in front.

use bailiwick_runtime::{EgressRules, Outbound, OutboundSettings};
use bailiwick_testkit::upstream::{Eras, Reply, Script};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};

use super::Authority;
use crate::support::{App, Era, message, until};

/// A client that trusts this authority and may dial loopback.
fn trusting(authority: &Authority) -> Outbound {
    let rules = EgressRules::new(vec!["127.0.0.1".parse().unwrap()]);
    let extra_ca = Some(authority.pem.clone().into_bytes());
    Outbound::new(OutboundSettings { rules, extra_ca, ..OutboundSettings::default() }).unwrap()
}

async fn text<B>(response: Response<B>) -> (StatusCode, String)
where
    B: http_body::Body<Error: std::fmt::Debug>,
{
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_listener_speaks_tls_and_nothing_else_then() {
    let (authority, files) = (Authority::new(), tempfile::tempdir().unwrap());
    let (cert, key) = authority.issue(files.path(), "127.0.0.1");
    let listen = format!("tls_cert = {cert:?}\ntls_key = {key:?}");
    let app = App::start_as(&listen, "\"127.0.0.0/8:*\"", "").await;
    assert!(app.url().starts_with("https://127.0.0.1:"), "{}", app.url());
    let server = Script::new(Eras::Modern)
        .tool(json!({"name": "t", "inputSchema": {"type": "object"}}), |_| Reply::text("over TLS"))
        .start()
        .await
        .unwrap();
    app.register("x", &server.url()).await;
    let client = app.agent("bot").await;
    app.grant("bot", "x").await;
    let (headers, body) = message(Era::Modern, "tools/call", json!({"name": "t"}));
    let mut request = client.request(Method::POST, "/servers/x/mcp");
    for (name, value) in &headers {
        request = request.header(name, value);
    }
    let request = request.body(Bytes::from(body)).unwrap();
    let (status, answer) = text(trusting(&authority).request(request).await.unwrap()).await;
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!((status.as_u16(), &answer["result"]["content"][0]["text"]), (200, &json!("over TLS")));
    let stranger = trusting(&Authority::new());
    let request = client.request(Method::GET, "/livez").body(Bytes::new()).unwrap();
    assert!(stranger.request(request).await.is_err(), "a certificate of nobody's is not taken");
    let plain = app.url().replace("https://", "http://");
    let request = Request::get(format!("{plain}/livez")).body(Bytes::new()).unwrap();
    assert!(trusting(&authority).request(request).await.is_err(), "nothing is answered in the clear");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_public_url_is_in_challenges_and_metadata_and_its_host_is_ours() {
    let listen = "public_url = \"https://gw.corp.example\"";
    let app = App::start_as(listen, "\"127.0.0.0/8:*\"", "").await;
    assert_eq!(app.url(), "https://gw.corp.example");
    let bound = format!("http://{}", app.running.bound);
    let stranger = app.agent("bot").await.moved_to(&bound);
    for path in ["/mcp", "/servers/x/mcp", "/toolsets/y/mcp"] {
        let ask = |method, path: &str, host| {
            let request =
                Request::builder().method(method).uri(format!("{bound}{path}")).header("host", host);
            stranger.send(request.body(Full::default()).unwrap())
        };
        let refused = ask(Method::POST, path, "gw.corp.example").await;
        assert_eq!(refused.status(), 401);
        let challenge = refused.headers()["www-authenticate"].to_str().unwrap();
        let document = format!("/.well-known/oauth-protected-resource{path}");
        let expected = format!("resource_metadata=\"https://gw.corp.example{document}\"");
        assert!(challenge.contains(&expected), "{challenge}");
        let (status, metadata) = text(ask(Method::GET, &document, "gw.corp.example").await).await;
        assert_eq!(status, 200);
        let metadata: Value = serde_json::from_str(&metadata).unwrap();
        assert_eq!(metadata["resource"], format!("https://gw.corp.example{path}"));
        assert_eq!(ask(Method::POST, path, "elsewhere.example").await.status(), 403);
    }
}

/// The peers in the records of failed authentications, after one more failure with these headers.
async fn peer_of(app: &App, forwarded: &[(&str, &str)]) -> String {
    let before = app.records_of("auth_failure").len();
    let client = crate::support::Client::new(app.url(), "nobody");
    let mut request = client.request(Method::POST, "/mcp");
    for (name, value) in forwarded {
        request = request.header(*name, *value);
    }
    assert_eq!(client.send(request.body(Full::default()).unwrap()).await.status(), 401);
    until("the record of the failure", || {
        let records = app.records_of("auth_failure");
        let record = records.get(before)?;
        Some(record["peer"].as_str().unwrap().to_owned())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_trusted_proxies_say_who_is_behind_them() {
    let untrusting = App::start().await;
    let claim = [("x-forwarded-for", "203.0.113.7")];
    assert_eq!(peer_of(&untrusting, &claim).await, "127.0.0.1");
    let listen = "trusted_proxies = [\"127.0.0.0/8\", \"10.1.0.0/16\"]";
    let trusting = App::start_as(listen, "\"127.0.0.0/8:*\"", "").await;
    for (forwarded, peer) in [
        (&[][..], "127.0.0.1"),
        (&[("x-forwarded-for", "203.0.113.7")][..], "203.0.113.7"),
        (&[("x-forwarded-for", "198.51.100.9, 203.0.113.7, 10.1.2.3")][..], "203.0.113.7"),
        (&[("x-forwarded-for", "198.51.100.9"), ("x-forwarded-for", "203.0.113.7")][..], "203.0.113.7"),
        (&[("x-forwarded-for", "nonsense")][..], "127.0.0.1"),
    ] {
        assert_eq!(peer_of(&trusting, forwarded).await, peer, "{forwarded:?}");
    }
}
