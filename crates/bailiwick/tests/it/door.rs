//! The door: who is turned away, with which words, and that no server hears of it.

use std::time::Duration;

use bailiwick_control::{Actor, ServerChange};
use bailiwick_model::key::Audience;
use bailiwick_testkit::upstream::Eras;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{App, ERAS, Era, Stage, raw, until};

const BODY: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

/// Bytes of a request on a connection of its own.
fn request(app: &App, method: &str, target: &str, headers: &str) -> String {
    let host = app.url().strip_prefix("http://").unwrap();
    let host = if headers.to_ascii_lowercase().contains("host:") {
        String::new()
    } else {
        format!("Host: {host}\r\n")
    };
    let body = if method == "POST" { BODY } else { "" };
    format!(
        "{method} {target} HTTP/1.1\r\n{host}{headers}Connection: close\r\nAccept: application/json, text/event-stream\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The failures on record with this reason at this path, however they were counted together.
async fn failures(app: &App, reason: &str, path: &str) -> Vec<Value> {
    until(&format!("a record of {reason} at {path}"), || {
        let found: Vec<Value> = app
            .records_of("auth_failure")
            .into_iter()
            .filter(|record| record["reason"] == reason && record["path"] == path)
            .collect();
        (!found.is_empty()).then_some(found)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_cannot_show_who_they_are_is_challenged_and_recorded() {
    let stage = Stage::new(Eras::Both).await;
    let app = &stage.app;
    let admin = app.admin().await;
    let expired = app.key_for("bot", Audience::Mcp, Some(Duration::from_millis(1))).await;
    let revoked = app.key("bot").await;
    app.revoke(&revoked).await;
    let disabled = app.agent("gone").await;
    app.disable("gone").await;
    let good = stage.bot.key();
    let invented = format!("{}{}", &good[..good.len() - 4], "AAAA");
    let bearer = |key: &str| format!("Authorization: Bearer {key}\r\n");
    let token = "error=\"invalid_token\"";
    let malformed = "error=\"invalid_request\"";
    let cases = [
        (String::new(), "", 401, "", "missing"),
        ("X-Forwarded-User: root\r\nX-Remote-User: root\r\n".into(), "", 401, "", "missing"),
        (bearer(good).repeat(2), "", 400, malformed, "ambiguous"),
        (format!("Authorization: Basic {good}\r\n"), "", 401, malformed, "not_bearer"),
        (bearer(good), "?access_token=x", 401, malformed, "token_in_query"),
        (String::new(), &format!("?k={good}"), 401, malformed, "token_in_query"),
        (bearer("bwk_short"), "", 401, token, "malformed"),
        (bearer(&invented), "", 401, token, "unknown_key"),
        (bearer(expired.key()), "", 401, token, "expired"),
        (bearer(revoked.key()), "", 401, token, "revoked"),
        (bearer(disabled.key()), "", 401, token, "principal_disabled"),
        (bearer(admin.key()), "", 401, token, "wrong_audience"),
    ];
    let base = app.url();
    for (headers, query, status, code, reason) in &cases {
        for (path, methods) in [
            ("/servers/files/mcp", &["POST", "GET", "DELETE"][..]),
            ("/mcp", &["POST"]),
            ("/servers/no-such/mcp", &["POST"]),
        ] {
            for &method in methods {
                let answer = raw(base, request(app, method, &format!("{path}{query}"), headers)).await;
                let said = answer.text.to_ascii_lowercase();
                assert_eq!(answer.statuses(), [*status], "{reason} {method} {path}: {}", answer.text);
                let metadata = format!(
                    "www-authenticate: bearer resource_metadata=\"{base}/.well-known/oauth-protected-resource{path}\""
                );
                assert!(said.contains(&metadata), "{reason}: {}", answer.text);
                assert_eq!(said.contains("error=\""), !code.is_empty(), "{reason}: {}", answer.text);
                assert!(said.contains(code), "{reason}: {}", answer.text);
            }
        }
    }
    for (.., reason) in &cases {
        failures(app, reason, "/servers/files/mcp").await;
    }
    assert_eq!(stage.contacts().len(), 0);
    let ledger = app.records().iter().map(Value::to_string).collect::<String>();
    for secret in [good, expired.key(), revoked.key(), disabled.key(), admin.key()] {
        assert!(!ledger.contains(&secret[15..]), "a key's secret part is on record");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_for_mcp_opens_nothing_of_the_admin_api() {
    let stage = Stage::new(Eras::Both).await;
    let app = &stage.app;
    let admin = app.admin().await;
    for (headers, status, reason) in [
        (String::new(), 401, "missing"),
        (format!("Authorization: Bearer {}\r\n", stage.bot.key()), 401, "wrong_audience"),
        (
            format!("Authorization: Bearer {0}\r\nAuthorization: Bearer {0}\r\n", admin.key()),
            400,
            "ambiguous",
        ),
    ] {
        let answer = raw(app.url(), request(app, "GET", "/api/v1/servers", &headers)).await;
        assert_eq!(answer.statuses(), [status], "{}", answer.text);
        assert!(answer.text.to_ascii_lowercase().contains("www-authenticate: bearer resource_metadata="));
        assert!(!answer.text.contains("files"));
        failures(app, reason, "/api/v1/servers").await;
    }
    let headers = format!("Authorization: Bearer {}\r\n", admin.key());
    let answer = raw(app.url(), request(app, "GET", "/api/v1/servers", &headers)).await;
    assert_eq!(answer.statuses(), [200], "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_out_of_reach_is_byte_for_byte_one_that_does_not_exist() {
    let stage = Stage::bare(Eras::Both).await;
    let app = &stage.app;
    let url = stage.server.url();
    app.register("offed", &url).await;
    let off = ServerChange { enabled: Some(false), ..ServerChange::default() };
    app.control().update_server(&Actor::Gateway, "offed", off).await.unwrap();
    let headers = format!("Authorization: Bearer {}\r\n", stage.bot.key());
    let modern = "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/list\r\n";
    for (there, nowhere) in [
        ("/servers/files/mcp", "/servers/filez/mcp"),
        ("/servers/offed/mcp", "/servers/offez/mcp"),
        ("/toolsets/mix/mcp", "/toolsets/miz/mcp"),
    ] {
        for method in ["POST", "GET", "DELETE", "PUT", "OPTIONS"] {
            for more in ["", modern, "Mcp-Session-Id: abc\r\n"] {
                let headers = format!("{headers}{more}");
                let [there, nowhere] = [there, nowhere].map(|path| request(app, method, path, &headers));
                let (there, nowhere) = (raw(app.url(), there).await, raw(app.url(), nowhere).await);
                assert_eq!(there.timeless(), nowhere.timeless(), "{method}");
                assert_eq!(there.statuses(), [404]);
            }
        }
    }
    assert_eq!(stage.contacts().len(), 0);
    let denied = app.records_of("denied");
    assert!(denied.iter().any(|record| record["asked"] == "/servers/files/mcp"), "{denied:?}");
    assert!(
        denied.iter().all(|record| record["reason"] == "not_found" && record["why"]["generation"].is_u64())
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_place_s_pages_and_names_are_turned_away_before_the_key_is_looked_at() {
    let stage = Stage::new(Eras::Both).await;
    let app = &stage.app;
    let admin = app.admin().await;
    let foreign = [
        ("Host: evil.example\r\n", "foreign_host"),
        ("Host: evil.example:7420\r\n", "foreign_host"),
        ("Host: localhost.evil.example\r\n", "foreign_host"),
        ("Host: user@localhost\r\n", "foreign_host"),
        ("Origin: https://evil.example\r\n", "foreign_origin"),
        ("Origin: http://localhost.evil.example\r\n", "foreign_origin"),
        ("Origin: null\r\n", "foreign_origin"),
        ("Origin: http://localhost\r\nOrigin: https://evil.example\r\n", "foreign_origin"),
    ];
    for (headers, reason) in foreign {
        for (method, path) in [
            ("POST", "/mcp"),
            ("POST", "/servers/files/mcp"),
            ("GET", "/api/v1/servers"),
            ("GET", "/login/x"),
        ] {
            let key = if path.starts_with("/api") { admin.key() } else { stage.bot.key() };
            for key in [format!("Authorization: Bearer {key}\r\n"), String::new()] {
                let answer = raw(app.url(), request(app, method, path, &format!("{headers}{key}"))).await;
                assert_eq!(answer.statuses(), [403], "{headers} {path} {}", answer.text);
                assert!(!answer.text.to_ascii_lowercase().contains("www-authenticate"));
            }
        }
        failures(app, reason, "/mcp").await;
    }
    let host = app.url().strip_prefix("http://").unwrap().to_owned();
    let two = format!("Host: {host}\r\nHost: evil.example\r\nAuthorization: Bearer {}\r\n", stage.bot.key());
    let answer = raw(app.url(), request(app, "POST", "/mcp", &two)).await;
    assert!(matches!(answer.statuses()[..], [400 | 403]), "{}", answer.text);
    assert_eq!(stage.contacts().len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_absent_origin_our_own_and_an_allowed_one_work() {
    let app = App::start_as("allowed_origins = [\"https://app.example\"]", "", "").await;
    let bot = app.agent("bot").await;
    let key = format!("Authorization: Bearer {}\r\n", bot.key());
    let own = format!("Origin: {}\r\n", app.url());
    for (origin, status) in [
        ("", 400),
        (own.as_str(), 400),
        ("Origin: https://app.example\r\n", 400),
        ("Origin: https://app.example:443\r\n", 400),
        ("Origin: http://app.example\r\n", 403),
        ("Origin: https://app.example:444\r\n", 403),
        ("Origin: https://app.example.evil\r\n", 403),
    ] {
        // The door lets it in: what is missing is a session.
        let answer = raw(app.url(), request(&app, "POST", "/mcp", &format!("{origin}{key}"))).await;
        assert_eq!(answer.statuses(), [status], "{origin} {}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metadata_tells_anyone_the_same_of_what_is_there_and_what_is_not() {
    let stage = Stage::bare(Eras::Both).await;
    let app = &stage.app;
    let well_known = "/.well-known/oauth-protected-resource";
    let mut answers = Vec::new();
    for name in ["files", "filez"] {
        for headers in ["", "Host: evil.example\r\n", "Origin: https://evil.example\r\n", "Origin: null\r\n"]
        {
            let path = format!("{well_known}/servers/{name}/mcp");
            let answer = raw(app.url(), request(app, "GET", &path, headers)).await;
            assert_eq!(answer.statuses(), [200], "{}", answer.text);
            let resource = format!("\"resource\":\"{}/servers/{name}/mcp\"", app.url());
            assert!(answer.text.contains(&resource), "{}", answer.text);
            answers.push(answer.timeless().replace(name, "name"));
        }
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    let posted = raw(app.url(), request(app, "POST", well_known, "")).await;
    assert_eq!(posted.statuses(), [405]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signs_of_life_need_no_key_and_everything_else_does() {
    let stage = Stage::bare(Eras::Both).await;
    let app = &stage.app;
    for (path, status) in [
        ("/livez", 200),
        ("/readyz", 200),
        ("/mcp", 401),
        ("/servers/files/mcp", 401),
        ("/toolsets/mix/mcp", 401),
        ("/api/v1/servers", 401),
        ("/api/v1/no-such", 401),
        ("/api/openapi.json", 401),
        ("/api", 401),
        ("/servers/fil%65s/mcp", 401),
        ("/servers/files/mcp/", 401),
        ("//mcp", 401),
        ("/mcp/../api/v1/servers", 401),
    ] {
        let answer = raw(app.url(), request(app, "GET", path, "")).await;
        assert_eq!(answer.statuses(), [status], "{path} {}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_stops_being_good_stops_opening_within_a_second() {
    for era in ERAS {
        let stage = Stage::new(Eras::Both).await;
        let mut bot = stage.bot.clone();
        bot.enter("/mcp", era).await;
        stage.echo(&bot, era, ("/mcp", "files__"), "hi").await.result();
        stage.app.revoke(&bot).await;
        let refused = stage.echo(&bot, era, ("/mcp", "files__"), "hi").await;
        assert_eq!(refused.status, 401, "{era:?}");
        assert_eq!(stage.contacts().len(), 1);
        if let Era::Modern = era {
            let app = stage.app.restart().await;
            let refused = bot.moved_to(app.url()).ask("/mcp", era, "tools/list", serde_json::json!({})).await;
            assert_eq!(refused.status, 401, "after a restart");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_is_refused_before_it_is_read_gets_its_answer_and_no_reset() {
    let app = App::start().await;
    let address = app.url().trim_start_matches("http://").to_owned();
    for path in ["/mcp", "/servers/nowhere/mcp", "/api/v1/servers"] {
        let mut tcp = tokio::net::TcpStream::connect(&address).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: 20000\r\n\r\n"
        );
        tcp.write_all(head.as_bytes()).await.unwrap();
        // The answer is on its way before the body is.
        let mut answer = vec![0; 12];
        tcp.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer, b"HTTP/1.1 401", "{path}");
        for _ in 0..2 {
            tcp.write_all(&[b' '; 10_000]).await.unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        let mut rest = Vec::new();
        tcp.read_to_end(&mut rest).await.expect("the connection is closed, not reset");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_request_whose_body_comes_later_does_not_cost_the_connection() {
    let app = App::start().await;
    let address = app.url().trim_start_matches("http://").to_owned();
    let mut tcp = tokio::net::TcpStream::connect(&address).await.unwrap();
    for path in ["/mcp", "/servers/nowhere/mcp", "/mcp"] {
        let head = format!("POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 5\r\n\r\n");
        tcp.write_all(head.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        tcp.write_all(b"[\"a\"]").await.unwrap();
        let mut answer = vec![0; 4096];
        let count = tcp.read(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer[..count]).to_ascii_lowercase();
        assert!(
            answer.starts_with("http/1.1 401") && !answer.contains("connection: close"),
            "{path}: {answer}"
        );
    }
}
