//! One strict parse: what is malformed, ambiguous or contradicts itself is refused, and no server hears of it.

use std::time::Duration;

use bailiwick_testkit::upstream::{Eras, Reply, Script};
use bytes::Bytes;
use http::Method;
use http_body_util::Full;
use serde_json::json;
use tokio::time::Instant;

use crate::support::{Answer, App, Client, Era, Stage, contacts, message, raw, until};

const DOOR: &str = "/servers/files/mcp";
const CALL: [(&str, &str); 3] =
    [("mcp-protocol-version", "2026-07-28"), ("mcp-method", "tools/call"), ("mcp-name", "echo")];
const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;

/// A modern call of `echo`, in pieces that a test can spoil.
fn call(id: &str, arguments: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"echo","arguments":{arguments},{META}}}}}"#
    )
}

async fn post(client: &Client, path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
    let mut request = client.request(Method::POST, path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Answer::read(client.send(request.body(Full::from(body.into())).unwrap()).await).await
}

fn deep(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}

/// What is wrong, the body, and the code that says so.
fn spoiled() -> Vec<(&'static str, Vec<u8>, i64)> {
    let good = call("1", "{}");
    let spoil = |from: &str, to: &str| {
        assert!(good.contains(from));
        good.replacen(from, to, 1).into_bytes()
    };
    vec![
        ("two methods", spoil(r#""method":"#, r#""method":"tools/list","method":"#), -32700),
        ("two names", spoil(r#""name":"echo""#, r#""name":"echo","name":"secret""#), -32700),
        (
            "an escaped second name",
            spoil(r#""name":"echo""#, r#""name":"echo","n\u0061me":"secret""#),
            -32700,
        ),
        ("two params", spoil(r#""params":"#, r#""params":{},"params":"#), -32700),
        ("two ids", spoil(r#""id":1"#, r#""id":1,"id":2"#), -32700),
        ("two arguments", spoil(r#""arguments":{}"#, r#""arguments":{"a":1,"a":2}"#), -32700),
        (
            "two, deep inside",
            spoil(r#""arguments":{}"#, r#""arguments":{"a":[{"b":{"c":1,"\u0063":2}}]}"#),
            -32700,
        ),
        ("two _meta", spoil(r#""_meta":{"#, r#""_meta":{},"_meta":{"#), -32700),
        ("two keys of _meta", spoil(r#""_meta":{"#, r#""_meta":{"x":1,"x":2,"#), -32700),
        ("a lone surrogate", spoil("{}", r#"{"a":"\ud800"}"#), -32700),
        ("a lone surrogate as key", spoil("{}", r#"{"\udc00":1}"#), -32700),
        ("a trailing document", format!("{good}{good}").into_bytes(), -32700),
        ("trailing bytes", format!("{good} x").into_bytes(), -32700),
        ("a byte order mark", format!("\u{feff}{good}").into_bytes(), -32700),
        ("a comment", spoil("{}", "{/* */}"), -32700),
        ("a trailing comma", spoil("{}", r#"{"a":1,}"#), -32700),
        ("NaN", spoil("{}", r#"{"a":NaN}"#), -32700),
        ("a leading zero", spoil("{}", r#"{"a":01}"#), -32700),
        ("a raw control character", spoil("{}", "{\"a\":\"\u{1}\"}"), -32700),
        ("nothing", Vec::new(), -32700),
        ("half of it", good.as_bytes()[..good.len() - 1].to_vec(), -32700),
        ("invalid UTF-8", [good.as_bytes(), b"\xff"].concat(), -32700),
        (
            "an overlong slash",
            spoil("{}", r#"{"a":"?"}"#)
                .iter()
                .flat_map(|b| if *b == b'?' { vec![0xc0, 0xaf] } else { vec![*b] })
                .collect(),
            -32700,
        ),
        ("depth 65", spoil("{}", &format!(r#"{{"a":{}}}"#, deep(62))), -32600),
        ("depth 100,000", spoil("{}", &format!(r#"{{"a":{}}}"#, deep(100_000))), -32600),
        ("another case of method", spoil(r#""method""#, r#""Method""#), -32600),
        ("another case of jsonrpc", spoil(r#""jsonrpc""#, r#""JSONRPC""#), -32600),
        ("jsonrpc 1.0", spoil(r#""2.0""#, r#""1.0""#), -32600),
        ("jsonrpc as number", spoil(r#""2.0""#, "2.0"), -32600),
        ("a float id", spoil(r#""id":1"#, r#""id":1.0"#), -32600),
        ("an exponent id", spoil(r#""id":1"#, r#""id":1e0"#), -32600),
        ("a null id", spoil(r#""id":1"#, r#""id":null"#), -32600),
        ("an object id", spoil(r#""id":1"#, r#""id":{}"#), -32600),
        ("an id of 257 bytes", spoil(r#""id":1"#, &format!(r#""id":"{}""#, "x".repeat(255))), -32600),
        ("a method and a result", spoil(r#""id":1"#, r#""id":1,"result":{}"#), -32600),
        (
            "params as array",
            br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":["echo"]}"#.to_vec(),
            -32600,
        ),
        ("a text", br#""tools/call""#.to_vec(), -32600),
        ("an empty batch", b"[]".to_vec(), -32600),
        ("a batch", format!("[{good}]").into_bytes(), -32600),
        (
            "_meta as array",
            br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","_meta":[]}}"#.to_vec(),
            -32602,
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_two_readers_could_read_differently_is_refused() {
    let stage = Stage::new(Eras::Both).await;
    let mut legacy = stage.bot.clone();
    legacy.enter(DOOR, Era::Legacy("2025-11-25")).await;
    for (what, body, code) in spoiled() {
        // Whether a duplicate is bad JSON or a bad request is a matter of taste.
        let codes = if code == -32700 { &[-32700, -32600][..] } else { &[code] };
        for (client, headers) in
            [(&stage.bot, &CALL[..]), (&legacy, &[("mcp-protocol-version", "2025-11-25")][..])]
        {
            let answer = post(client, DOOR, headers, body.clone()).await;
            assert_eq!(answer.status, 400, "{what}: {answer:?}");
            let said = answer.error()["code"].as_i64().unwrap();
            assert!(codes.contains(&said), "{what}: {answer:?}");
        }
    }
    assert_eq!(stage.contacts().len(), 0, "{:?}", stage.contacts());
    let answer = post(&stage.bot, DOOR, &CALL, call("1", "{}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let deepest = call("1", &format!(r#"{{"a":{}}}"#, deep(61)));
    assert_eq!(post(&stage.bot, DOOR, &CALL, deepest).await.status, 200, "depth 64 passes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_without_an_id_does_not_slip_past_the_decision_as_a_notification() {
    for (eras, era) in [(Eras::Legacy, Era::Legacy("2025-11-25")), (Eras::Both, Era::Modern)] {
        let stage = Stage::new(eras).await;
        let mut bot = stage.bot.clone();
        bot.enter(DOOR, era).await;
        let before = stage.contacts().len();
        for (method, params) in [
            ("tools/call", r#""name":"secret","arguments":{}"#),
            ("tools/call", r#""name":"echo","arguments":{}"#),
            ("resources/read", r#""uri":"file:///closed.txt""#),
            ("resources/subscribe", r#""uri":"file:///closed.txt""#),
            ("tasks/cancel", r#""taskId":"1""#),
            ("anything", ""),
        ] {
            let comma = if params.is_empty() { "" } else { "," };
            let body =
                format!(r#"{{"jsonrpc":"2.0","method":"{method}","params":{{{params}{comma}{META}}}}}"#);
            let version = if let Era::Legacy(version) = era { version } else { "2026-07-28" };
            let headers = [("mcp-protocol-version", version), ("mcp-method", method)];
            let answer = post(&bot, DOOR, &headers, body).await;
            assert_eq!(answer.status, 400, "{era:?} {method}: {answer:?}");
        }
        assert_eq!(stage.contacts().len(), before, "{:?}", stage.contacts());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_over_the_limit_is_refused_at_once_however_it_comes() {
    let stage = Stage::new(Eras::Both).await;
    let host = stage.app.url().strip_prefix("http://").unwrap();
    let head = |more: &str| {
        format!(
            "POST {DOOR} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nConnection: close\r\n{more}\r\n",
            stage.bot.key()
        )
    };
    let size = (4 << 20) + 1;
    // Announced, and none of it sent.
    let mut fastest = Duration::MAX;
    for _ in 0..5 {
        let begun = Instant::now();
        let answer = raw(stage.app.url(), head(&format!("Content-Length: {size}\r\n"))).await;
        fastest = fastest.min(begun.elapsed());
        assert_eq!(answer.statuses(), [413], "{}", answer.text);
    }
    assert!(fastest < Duration::from_millis(200), "{fastest:?}");
    // In chunks, unannounced.
    let mut chunked = head("Transfer-Encoding: chunked\r\n").into_bytes();
    for _ in 0..5 {
        chunked.extend_from_slice(b"100000\r\n");
        chunked.extend_from_slice(&vec![b' '; 1 << 20]);
        chunked.extend_from_slice(b"\r\n");
    }
    let answer = raw(stage.app.url(), chunked).await;
    assert_eq!(answer.statuses(), [413], "{}", answer.text);
    assert!(answer.took < Duration::from_secs(1), "{:?}", answer.took);
    assert_eq!(stage.contacts().len(), 0);
    // Just at the limit it passes.
    let frame = call("1", r#"{"text":""}"#).len();
    let text = "x".repeat((4 << 20) - frame);
    let answer = post(&stage.bot, DOOR, &CALL, call("1", &format!(r#"{{"text":"{text}"}}"#))).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_over_the_limit_are_refused() {
    let stage = Stage::new(Eras::Both).await;
    let host = stage.app.url().strip_prefix("http://").unwrap();
    let filler = "x".repeat(40_000);
    let request =
        format!("POST {DOOR} HTTP/1.1\r\nHost: {host}\r\nX-Filler: {filler}\r\nContent-Length: 0\r\n\r\n");
    let answer = raw(stage.app.url(), request).await;
    assert!(matches!(answer.statuses()[..], [400 | 431]), "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_are_echoed_exactly() {
    for eras in [Eras::Legacy, Eras::Both] {
        let stage = Stage::new(eras).await;
        for id in [
            "1",
            "\"1\"",
            "0",
            "-7",
            "9007199254740993",
            "123456789012345678901234567890",
            "\"\"",
            r#""a\"b\\c""#,
            r#""\u0041""#,
            r#""ä 日""#,
        ] {
            // Answered by the gateway, refused by it, and carried (across eras, where the server gets another id).
            let list = call(id, "{}").replace("tools/call", "tools/list").replace(r#""name":"echo","#, "");
            let headers = [("mcp-protocol-version", "2026-07-28"), ("mcp-method", "tools/list")];
            let listed = post(&stage.bot, DOOR, &headers, list).await;
            let refused = call(id, "{}").replace("echo", "nothing");
            let refused = post(&stage.bot, DOOR, &[CALL[0], CALL[1], ("mcp-name", "nothing")], refused).await;
            let expected = format!(r#""id":{id},"#);
            for answer in [&listed, &refused] {
                assert!(String::from_utf8_lossy(&answer.body).contains(&expected), "{id}: {answer:?}");
            }
            if eras == Eras::Legacy {
                let called = post(&stage.bot, DOOR, &CALL, call(id, r#"{"text":"hi"}"#)).await;
                assert!(String::from_utf8_lossy(&called.body).contains(&expected), "{id}: {called:?}");
                assert_eq!(called.result()["content"][0]["text"], "hi");
            }
        }
        let number = post(&stage.bot, DOOR, &CALL, call("1", "{}")).await.json()["id"].clone();
        let text = post(&stage.bot, DOOR, &CALL, call("\"1\"", "{}")).await.json()["id"].clone();
        assert_eq!((number, text), (json!(1), json!("1")));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_content_types_and_encodings_are_refused() {
    let stage = Stage::new(Eras::Both).await;
    let body = call("1", "{}");
    let send = async |headers: &[(&str, &str)]| {
        let mut request = http::Request::builder()
            .method(Method::POST)
            .uri(format!("{}{DOOR}", stage.app.url()))
            .header("authorization", format!("Bearer {}", stage.bot.key()));
        for (name, value) in CALL.iter().chain(headers) {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::from(body.clone())).unwrap();
        Answer::read(stage.bot.send(request).await).await
    };
    let json = ("content-type", "application/json");
    for (headers, status) in [
        (&[][..], 415),
        (&[("content-type", "text/plain")], 415),
        (&[("content-type", "application/jsonp")], 415),
        (&[("content-type", "text/json")], 415),
        (&[("content-type", "multipart/form-data; boundary=application/json")], 415),
        (&[json, json], 415),
        (&[json, ("content-encoding", "gzip")], 415),
        (&[json, ("content-encoding", "identity")], 415),
        (&[json, ("accept", "text/html")], 406),
    ] {
        let answer = send(headers).await;
        assert_eq!(answer.status, status, "{headers:?} {answer:?}");
    }
    assert_eq!(stage.contacts().len(), 0);
    for headers in [&[json][..], &[("content-type", "Application/JSON; charset=utf-8"), ("accept", "*/*")]] {
        assert_eq!(send(headers).await.status, 200, "{headers:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn framing_that_hides_a_second_request_is_refused_and_the_connection_closed() {
    let stage = Stage::new(Eras::Both).await;
    let host = stage.app.url().strip_prefix("http://").unwrap();
    let body = call("1", "{}");
    let extra: String = CALL.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let start = format!(
        "POST {DOOR} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n{extra}",
        stage.bot.key()
    );
    let hidden = format!("{start}Content-Length: {}\r\n\r\n{body}", body.len());
    let length = body.len();
    let forms = [
        (
            "length and chunks",
            format!("Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ),
        ("chunks and length", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n".into()),
        ("two lengths", format!("Content-Length: {length}\r\nContent-Length: 0\r\n\r\n")),
        (
            "the same length twice",
            format!("Content-Length: {length}\r\nContent-Length: {length}\r\n\r\n{body}"),
        ),
        ("a list of lengths", format!("Content-Length: {length}, {length}\r\n\r\n{body}")),
        ("a signed length", format!("Content-Length: +{length}\r\n\r\n{body}")),
        (
            "a folded line",
            format!("X-Folded: a\r\n Content-Length: 0\r\nContent-Length: {length}\r\n\r\n{body}"),
        ),
        ("a space before the colon", format!("Content-Length : {length}\r\n\r\n{body}")),
        ("another coding", "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n".into()),
        ("chunked not last", "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n".into()),
        ("an odd chunked", "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n".into()),
        ("a bare line feed", format!("X: y\nContent-Length: {length}\r\n\r\n{body}")),
        ("an overflowing chunk", "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n".into()),
        ("a chunk of no size", "Transfer-Encoding: chunked\r\n\r\n\r\n".into()),
    ];
    for (what, form) in forms {
        let answer = raw(stage.app.url(), format!("{start}{form}{hidden}")).await;
        assert_eq!(answer.statuses(), [400], "{what}: {}", answer.text);
    }
    assert_eq!(stage.contacts().len(), 0, "{:?}", stage.contacts());
}

#[expect(clippy::too_many_lines, reason = "a table")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_modern_header_that_contradicts_the_body_is_refused_as_such() {
    let schema = json!({"type": "object", "properties": {
        "region": {"type": "string", "x-mcp-header": "Region"},
        "count": {"type": "integer", "x-mcp-header": "Count"},
    }});
    let server = Script::new(Eras::Modern)
        .tool(json!({"name": "echo", "inputSchema": schema}), |_| Reply::text("ok"))
        .tool(json!({"name": "größe", "inputSchema": {"type": "object"}}), |_| Reply::text("ok"))
        .start()
        .await
        .unwrap();
    let app = App::start().await;
    app.register("files", &server.url()).await;
    let bot = app.agent("bot").await;
    app.grant("bot", "files").await;
    let body = call("7", r#"{"region":"eu","count":42}"#);
    let params = [("mcp-param-region", "eu"), ("mcp-param-count", "42")];
    let with = |changes: &[(&'static str, Option<&'static str>)]| -> Vec<(&'static str, &'static str)> {
        let mut headers: Vec<_> = CALL.iter().chain(&params).copied().collect();
        for (name, value) in changes {
            headers.retain(|(known, _)| known != name);
            headers.extend(value.map(|value| (*name, value)));
        }
        headers
    };
    let mut wrong = vec![
        with(&[("mcp-method", None)]),
        with(&[("mcp-method", Some("tools/list"))]),
        with(&[("mcp-method", Some("TOOLS/CALL"))]),
        with(&[("mcp-name", None)]),
        with(&[("mcp-name", Some("secret"))]),
        with(&[("mcp-name", Some("Echo"))]),
        with(&[("mcp-name", Some("=?base64?c2VjcmV0?="))]),
        with(&[("mcp-name", Some("=?base64?!?="))]),
        with(&[("mcp-protocol-version", None)]),
        with(&[("mcp-protocol-version", Some("2025-11-25"))]),
        with(&[("mcp-param-region", None)]),
        with(&[("mcp-param-region", Some("us"))]),
        with(&[("mcp-param-region", Some("EU"))]),
        with(&[("mcp-param-count", Some("43"))]),
        with(&[("mcp-param-count", Some("\"42\""))]),
    ];
    for (name, value) in CALL.iter().chain(&params) {
        let mut twice = with(&[]);
        twice.push((name, value));
        wrong.push(twice);
    }
    for headers in wrong {
        let answer = post(&bot, DOOR, &headers, body.clone()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.error()["code"].as_i64()),
            (400, Some(-32020)),
            "{headers:?} {answer:?}"
        );
        assert_eq!(answer.json()["id"], 7);
    }
    assert_eq!(contacts(&server).len(), 0);
    for headers in [
        with(&[]),
        with(&[("mcp-name", Some("=?base64?ZWNobw==?="))]),
        with(&[("mcp-param-region", Some("=?base64?ZXU=?=")), ("mcp-param-count", Some("42.0"))]),
        with(&[("mcp-param-unknown", Some("anything"))]),
    ] {
        let answer = post(&bot, DOOR, &headers, body.clone()).await;
        assert_eq!(answer.status, 200, "{headers:?} {answer:?}");
    }
    let named = call("1", "{}").replace("echo", "größe");
    let encoded = [CALL[0], CALL[1], ("mcp-name", "=?base64?Z3LDtsOfZQ==?=")];
    assert_eq!(post(&bot, DOOR, &encoded, named).await.status, 200);
    for seen in contacts(&server) {
        assert_eq!(seen.header("mcp-param-unknown"), None, "{seen:?}");
        if seen.json()["params"]["name"] == "echo" {
            assert_eq!(
                (seen.header("mcp-param-region"), seen.header("mcp-param-count")),
                (Some("eu"), Some("42"))
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn versions_that_nobody_speaks_are_refused_with_those_that_are_spoken() {
    let stage = Stage::new(Eras::Both).await;
    for version in ["2027-01-01", "2026-07-27", "1.0", "x"] {
        let body = call("1", "{}").replace("2026-07-28", version);
        let headers = [("mcp-protocol-version", version), CALL[1], CALL[2]];
        let answer = post(&stage.bot, DOOR, &headers, body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.error()["code"].as_i64()),
            (400, Some(-32022)),
            "{answer:?}"
        );
        let supported = answer.error()["data"]["supported"].clone();
        assert!(supported.as_array().unwrap().contains(&json!("2026-07-28")), "{supported}");
        assert_eq!(answer.error()["data"]["requested"], version);
    }
    // A legacy handshake negotiates instead.
    for path in ["/mcp", DOOR] {
        let params = json!({"protocolVersion": "1999-01-01", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
        let answer = stage
            .bot
            .post_raw(
                path,
                &[],
                &json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}).to_string(),
            )
            .await;
        assert!(answer.result()["protocolVersion"].as_str().unwrap().starts_with("2025-"), "{answer:?}");
    }
    assert_eq!(stage.contacts().len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_messages_are_recorded_with_who_why_and_how_many() {
    let stage = Stage::new(Eras::Both).await;
    let params = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{},"params":{}}"#;
    for _ in 0..100 {
        assert_eq!(stage.bot.post_raw("/mcp", &[], params).await.status, 400);
    }
    assert_eq!(stage.bot.post_raw("/mcp", &[], "{").await.status, 400);
    let version = [("mcp-protocol-version", "2026-07-28"), ("mcp-method", "tools/call")];
    let (_, list) = message(Era::Modern, "tools/list", json!({}));
    assert_eq!(stage.bot.post_raw("/mcp", &version, &list).await.status, 400);
    let records = until("all of them on record", || {
        let records = stage.app.records_of("malformed");
        let sum: u64 = records.iter().map(|record| record["count"].as_u64().unwrap()).sum();
        (sum >= 102).then_some(records)
    })
    .await;
    let count = |reason: &str| -> u64 {
        let of = records.iter().filter(|record| record["reason"] == reason);
        of.map(|record| record["count"].as_u64().unwrap()).sum()
    };
    assert_eq!((count("duplicate_key"), count("json"), count("header_mismatch")), (100, 1, 1), "{records:?}");
    assert!(records.len() < 60, "beyond the rate they are counted: {}", records.len());
    assert!(records.iter().all(|r| r["who"]["subject"] == "bot" && r["endpoint"] == "/mcp"), "{records:?}");
}
