//! Secrets stay on their side: the server's credential goes to that server and nowhere else, the client's to none.

use std::path::Path;

use bailiwick_control::Actor;
use bailiwick_testkit::upstream::{Eras, Reply, Step};
use http_body_util::Full;
use serde_json::json;

use crate::support::{App, ERAS, Era, contacts, script};

const SECRET: &str = "s3cr3t-0f-the-server";

/// All files below a directory whose bytes hold a text.
pub(crate) fn files_with(dir: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, text));
        } else if let Ok(bytes) = std::fs::read(&path)
            && bytes.windows(text.len()).any(|window| window == text.as_bytes())
        {
            found.push(path.display().to_string());
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_s_credential_reaches_that_server_and_nothing_else() {
    let server = script(Eras::Both)
        .tool(json!({"name": "leave", "inputSchema": {"type": "object"}}), |_| Reply::Stream(vec![Step::Cut]))
        .requiring_header("x-api-key", SECRET)
        .start()
        .await
        .unwrap();
    let other = script(Eras::Both).start().await.unwrap();
    let app = App::start().await;
    app.register_with_header("files", &server.url(), "x-api-key", SECRET).await;
    app.register("other", &other.url()).await;
    let bot = app.agent("bot").await;
    let admin = app.admin().await;
    app.grant("bot", "files").await;
    app.grant("bot", "other").await;
    let mut heard = String::new();
    for era in ERAS {
        let mut bot = bot.clone();
        bot.enter("/mcp", era).await;
        for (method, params) in [
            ("tools/list", json!({})),
            ("tools/call", json!({"name": "files__echo", "arguments": {"text": "hi"}})),
            ("tools/call", json!({"name": "other__echo", "arguments": {"text": "hi"}})),
            ("tools/call", json!({"name": "files__leave", "arguments": {}})),
            ("tools/call", json!({"name": "files__absent", "arguments": {}})),
            ("resources/read", json!({"uri": "files+file:///open.txt"})),
        ] {
            let answer = bot.ask("/mcp", era, method, params).await;
            heard += &format!("{:?}{}", answer.headers, String::from_utf8_lossy(&answer.body));
        }
    }
    for path in ["/api/v1/servers", "/api/v1/servers/files", "/api/openapi.json", "/api/v1/audit/records"] {
        let request = admin.request(http::Method::GET, path).body(Full::default()).unwrap();
        let answer = crate::support::Answer::read(admin.send(request).await).await;
        heard += &String::from_utf8_lossy(&answer.body);
    }
    let shown = app.control().show_server(&Actor::Gateway, "files").await.unwrap();
    heard += &format!("{shown:?}");
    assert!(heard.contains("x-api-key"), "its name is no secret");
    assert!(!heard.contains(SECRET), "{heard}");
    assert!(contacts(&server).iter().all(|seen| seen.header("x-api-key") == Some(SECRET)));
    assert!(other.received().iter().all(|seen| !format!("{seen:?}").contains(SECRET)));
    let dir = app.dir.path().to_owned();
    assert_eq!(files_with(&dir, SECRET), Vec::<String>::new());
    assert_eq!(files_with(&dir, &bot.key()[15..]), Vec::<String>::new());
    app.running.stop().await.unwrap();
    assert_eq!(files_with(&dir, SECRET), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_a_client_adds_to_its_headers_reaches_a_server() {
    for eras in [Eras::Legacy, Eras::Modern, Eras::Both] {
        let server = script(eras).start().await.unwrap();
        let app = App::start().await;
        app.register_with_header("files", &server.url(), "x-api-key", SECRET).await;
        let bot = app.agent("bot").await;
        app.grant("bot", "files").await;
        for era in [Era::Legacy("2025-11-25"), Era::Modern] {
            for (path, name) in [("/servers/files/mcp", "echo"), ("/mcp", "files__echo")] {
                let mut bot = bot.clone();
                bot.enter(path, era).await;
                let params = json!({"name": name, "arguments": {"text": "hi"}});
                let (headers, body) = crate::support::message(era, "tools/call", params);
                let mut request = bot.request(http::Method::POST, path);
                for (name, value) in &headers {
                    request = request.header(name, value);
                }
                for (name, value) in [
                    ("cookie", "planted=1"),
                    ("x-api-key", "planted"),
                    ("x-forwarded-for", "planted"),
                    ("x-forwarded-user", "planted"),
                    ("forwarded", "for=planted"),
                    ("proxy-authorization", "planted"),
                    ("mcp-param-planted", "planted"),
                    ("last-event-id", "planted"),
                    ("x-anything", "planted"),
                    ("user-agent", "planted"),
                    ("referer", "planted"),
                    ("te", "trailers"),
                ] {
                    request = request.header(name, value);
                }
                let answer = bot.send(request.body(Full::from(body)).unwrap()).await;
                assert_eq!(answer.status(), 200, "{eras:?} {era:?} {path}");
                let answer = crate::support::Answer::read(answer).await;
                assert_eq!(answer.result()["content"][0]["text"], "hi");
            }
        }
        for seen in server.received() {
            let headers = format!("{:?}", seen.headers);
            assert!(!headers.contains("planted") && !headers.contains("bwk_"), "{headers}");
            assert!(!headers.contains("authorization") && !headers.contains("cookie"), "{headers}");
            let own = bot.key();
            assert!(!seen.text().contains(own), "the client's key is in a body");
            assert_eq!(seen.header("x-api-key"), Some(SECRET));
        }
        assert_eq!(contacts(&server).len(), 4);
    }
}
