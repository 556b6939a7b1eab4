//! Requests over HTTP: what goes out, what comes back, and that it is the same.

use bailiwick_mcp::RawId;
use bailiwick_model::call::{Trace, TraceParent};
use bailiwick_testkit::upstream::{Eras, Reply, Script, Step};
use bailiwick_upstream::{AnswerBody, Request, UpstreamError};
use serde_json::json;

use crate::world::*;

fn tool(name: &str) -> serde_json::Value {
    json!({"name": name, "inputSchema": {"type": "object"}})
}

#[tokio::test]
async fn a_modern_call_carries_the_headers_of_its_body_and_comes_back_byte_for_byte() {
    let raw = r#"{ "content":[],  "x-unknown" : {"a":1.0}, "resultType":"complete"}"#;
    let script = Script::new(Eras::Both).tool(tool("t"), move |_| Reply::RawResult(raw.to_owned()));
    let server = script.start().await.unwrap();
    let spec = with_secret_header(http(1, &server.url()), "authorization", "Bearer s3cret");
    let world = World::new(vec![spec.clone()]);
    let conversation = modern(&spec, ALICE);
    let body = r#"{"jsonrpc":"2.0","id":"a-1","method":"tools/call","params":{"name":"t","arguments":{},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}},"x":1}"#;
    let trace = Trace {
        parent: TraceParent::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ..Trace::default()
    };
    let request = Request {
        body: body.into(),
        id: RawId::new("\"a-1\"").unwrap(),
        method: "tools/call",
        name: Some("t"),
        params: vec![("mcp-param-region".to_owned(), "eu".to_owned())],
        trace: &trace,
    };
    let answer = world.upstreams.request(&world.permit(0, ALICE), &conversation, request).await.unwrap();
    let AnswerBody::Json(answer) = answer.body else { panic!() };
    assert!(std::str::from_utf8(&answer).unwrap().contains(raw), "{answer:?}");
    let received = server.received_of("tools/call").pop().unwrap();
    assert_eq!(received.body, body.as_bytes());
    for (name, value) in [
        ("mcp-method", "tools/call"),
        ("mcp-name", "t"),
        ("mcp-param-region", "eu"),
        ("mcp-protocol-version", "2026-07-28"),
        ("authorization", "Bearer s3cret"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("accept", "application/json, text/event-stream"),
    ] {
        assert_eq!(received.header(name), Some(value), "{name}");
    }
    let shown = format!("{:?} {:?}", world.upstreams, world.health(0));
    assert!(!shown.contains("s3cret"), "the secret shows in Debug");
}

#[tokio::test]
async fn a_permit_opens_only_its_own_server_to_its_own_principal() {
    let server = Script::new(Eras::Both).tool(tool("t"), |_| Reply::text("x")).start().await.unwrap();
    let (a, b) = (http(1, &server.url()), http(2, &server.url()));
    let world = World::new(vec![a.clone(), b.clone()]);
    for (permit, conversation) in
        [(world.permit(0, ALICE), modern(&b, ALICE)), (world.permit(0, ALICE), modern(&a, BOB))]
    {
        let refused = world.upstreams.notify(&permit, &conversation, "{}".into()).await;
        assert!(matches!(refused, Err(UpstreamError::Request(_))), "{refused:?}");
    }
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn events_pass_one_to_one_with_ids_retries_and_comments() {
    let script = Script::new(Eras::Legacy).tool(tool("t"), |_| {
        Reply::Stream(vec![
            Step::Raw("id: 7\nretry: 10\ndata:\n\n".to_owned()),
            Step::Raw(": still here\n\n".to_owned()),
            Step::progress(&json!("p"), 1.0),
            Step::Result(json!({"content": []})),
        ])
    });
    let server = script.start().await.unwrap();
    let spec = http(1, &server.url());
    let world = World::new(vec![spec.clone()]);
    let answer = world.send(&own(&spec, ALICE, None), call_body(json!(1), "t", json!({}))).await.unwrap();
    let events: Vec<_> = events(answer).await.into_iter().map(Result::unwrap).collect();
    let priming = &events[0];
    assert_eq!(
        (priming.id.as_deref(), priming.retry, priming.data.as_deref()),
        (Some("7"), Some(10), Some(&b""[..]))
    );
    assert!(events.iter().any(|event| event.comment.as_deref().is_some_and(|c| c.contains("still here"))));
    assert!(
        events.iter().any(|event| event.data.as_deref().is_some_and(|d| d.windows(3).any(|w| w == b"\"p\"")))
    );
    assert!(events.last().unwrap().data.as_deref().unwrap().windows(9).any(|w| w == b"\"content\""));
}

#[tokio::test]
async fn leaving_a_stream_closes_the_server_s_answer() {
    let script = Script::new(Eras::Both)
        .tool(tool("t"), |_| Reply::Stream(vec![Step::progress(&json!(1), 1.0), Step::Hang]));
    let server = script.start().await.unwrap();
    let spec = http(1, &server.url());
    let world = World::new(vec![spec.clone()]);
    let answer = world.send(&modern(&spec, ALICE), call_body(json!(1), "t", json!({}))).await.unwrap();
    let AnswerBody::Stream(mut stream) = answer.body else { panic!() };
    stream.next().await.unwrap().unwrap();
    drop(stream);
    server.wait_for_abandoned(1).await.unwrap();
}

#[tokio::test]
async fn errors_of_the_server_keep_their_status_and_the_request_s_id() {
    let script = Script::new(Eras::Modern).on("tools/call", |_| Reply::error(-32020, "header mismatch"));
    let server = script.start().await.unwrap();
    let spec = http(1, &server.url());
    let world = World::new(vec![spec.clone()]);
    let answer = world.send(&modern(&spec, ALICE), call_body(json!("id"), "t", json!({}))).await.unwrap();
    assert_eq!(answer.status, 400);
    let message = last(answer).await.unwrap();
    assert_eq!((&message["id"], &message["error"]["code"]), (&json!("id"), &json!(-32020)));
}

#[tokio::test]
async fn a_changed_server_is_reached_anew_and_an_unchanged_one_keeps_its_session() {
    let script = Script::new(Eras::Legacy).with_sessions().tool(tool("t"), |_| Reply::text("x"));
    let server = script.start().await.unwrap();
    let spec = http(1, &server.url());
    let world = World::new(vec![spec.clone()]);
    let conversation = pooled(&spec, ALICE);
    world.call(&conversation, "t", json!({})).await.unwrap();
    world.upstreams.apply(vec![spec.clone()]);
    world.call(&conversation, "t", json!({})).await.unwrap();
    assert_eq!(server.sessions_opened(), 1);
    let mut changed = spec.clone();
    change(&mut changed, |server| server.timeouts.idle_ms += 1);
    world.upstreams.apply(vec![changed]);
    world.call(&conversation, "t", json!({})).await.unwrap();
    assert_eq!(server.sessions_opened(), 2);
    world.upstreams.apply(Vec::new());
    let gone = world.call(&conversation, "t", json!({})).await;
    assert!(matches!(gone, Err(UpstreamError::Unknown)), "{gone:?}");
}
