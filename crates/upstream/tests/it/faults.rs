//! Servers that fail, hang, flood, lie or redirect.

use std::time::{Duration, Instant};

use bailiwick_testkit::upstream::{Eras, Reply, Script, Step};
use bailiwick_upstream::{State, UpstreamError};
use serde_json::json;

use crate::world::*;

async fn one(reply: Reply) -> (Result<serde_json::Value, UpstreamError>, usize, World) {
    let tool = json!({"name": "t", "inputSchema": {"type": "object"}});
    let script = Script::new(Eras::Both).tool(tool, move |_| reply.clone());
    let server = script.start().await.unwrap();
    let spec = impatient(http(1, &server.url()));
    let setting =
        Setting { config: "[limits]\nanswer_bytes = 65536\nevent_bytes = 65536\n", ..Setting::default() };
    let world = World::with(setting, vec![spec.clone()]);
    let outcome = world.call(&modern(&spec, ALICE), "t", json!({})).await;
    (outcome, server.received_of("tools/call").len(), world)
}

#[tokio::test]
async fn every_kind_of_misbehaviour_is_an_error_in_bounded_time_and_the_call_is_sent_once() {
    let json_body =
        |body: &str| Reply::Body { content_type: "application/json".to_owned(), body: body.to_owned() };
    type Expected = fn(&UpstreamError) -> bool;
    let invalid: Expected = |e| matches!(e, UpstreamError::Invalid(_) | UpstreamError::Frame(_));
    let timeout: Expected = |e| matches!(e, UpstreamError::Timeout(_));
    let cut: Expected = |e| matches!(e, UpstreamError::Cut);
    for (what, reply, expected) in [
        ("a hang", Reply::Hang, timeout),
        ("a reset", Reply::Reset, cut),
        ("another's id", Reply::WrongId(json!({})), invalid),
        ("100 MB", Reply::Huge(100 << 20), invalid),
        ("a redirect", Reply::Redirect("http://169.254.169.254/".to_owned()), invalid),
        ("a status", Reply::Status(502, "bad".to_owned()), |e| matches!(e, UpstreamError::Failed(502))),
        ("a refusal", Reply::Status(401, String::new()), |e| matches!(e, UpstreamError::Refused)),
        ("no JSON", json_body("{\"jsonrpc\":"), invalid),
        ("another shape", json_body("[1,2,3]"), invalid),
        ("a result that is no object", json_body(r#"{"jsonrpc":"2.0","id":1,"result":7}"#), invalid),
        ("HTML", Reply::Body { content_type: "text/html".to_owned(), body: "<p>".to_owned() }, invalid),
        ("nothing", json_body(""), invalid),
        ("a stream that hangs", Reply::Stream(vec![Step::progress(&json!(1), 1.0), Step::Hang]), timeout),
        ("a stream that is cut", Reply::Stream(vec![Step::progress(&json!(1), 1.0), Step::Cut]), cut),
        (
            "a stream of broken JSON",
            Reply::Stream(vec![Step::Raw("data: {\n\n".to_owned()), Step::Hang]),
            invalid,
        ),
        ("an event without end", Reply::Stream(vec![Step::Raw("x".repeat(1 << 20)), Step::Hang]), invalid),
        (
            "a stream of somebody else's answers",
            Reply::Stream(vec![Step::Message(json!({"jsonrpc": "2.0", "id": 99, "result": {}}))]),
            cut,
        ),
    ] {
        let started = Instant::now();
        let (outcome, sent, world) = one(reply).await;
        let error = outcome.expect_err(what);
        assert!(expected(&error), "{what}: {error:?}");
        assert_eq!(sent, 1, "{what}");
        assert!(started.elapsed() < Duration::from_secs(5), "{what} took {:?}", started.elapsed());
        drop(world);
    }
}

#[tokio::test]
async fn an_endless_stream_is_cut_at_its_bound() {
    let notification = Step::Notify {
        method: "notifications/message".to_owned(),
        params: json!({"data": "x".repeat(4000)}),
    };
    let (outcome, _, _world) = one(Reply::Stream(vec![notification; 200])).await;
    assert!(matches!(outcome, Err(UpstreamError::Invalid(_))), "{outcome:?}");
}

#[tokio::test]
async fn a_server_that_is_not_there_opens_its_breaker_and_nobody_else_s() {
    let gone = Script::new(Eras::Both).start().await.unwrap();
    let (address, url) = (gone.address(), gone.url());
    gone.stop().await;
    let good = Script::new(Eras::Both).on("tools/call", |_| Reply::text("x")).start().await.unwrap();
    let (dead, alive) = (http(1, &url), http(2, &good.url()));
    let clock = frozen();
    let world = World::with(
        Setting { clock: clock.clone(), ..Setting::default() },
        vec![dead.clone(), alive.clone()],
    );
    let mut changes = world.upstreams.changes().unwrap();
    world.discover(1).await.unwrap();
    let conversation = modern(&dead, ALICE);
    for _ in 0..5 {
        let refused = world.call(&conversation, "t", json!({})).await;
        assert!(matches!(refused, Err(UpstreamError::Unreachable(_))), "{refused:?}");
    }
    let back =
        Script::new(Eras::Both).on("tools/call", |_| Reply::text("x")).start_on(address).await.unwrap();
    let fast = fastest(async || {
        let refused = world.call(&conversation, "t", json!({})).await;
        assert!(matches!(refused, Err(UpstreamError::Unreachable(_))), "{refused:?}");
    });
    assert!(fast.await < Duration::from_millis(20));
    assert!(back.received().is_empty(), "the breaker is open");
    assert_eq!(world.health(0).state, State::Down);
    world.call(&modern(&alive, ALICE), "t", json!({})).await.expect("the other server is not affected");
    while changes.try_recv().is_ok() {}
    clock.advance(Duration::from_secs(2));
    world.call(&conversation, "t", json!({})).await.expect("half open");
    world.call(&conversation, "t", json!({})).await.expect("closed");
    assert_eq!(world.health(0).state, State::Up);
}

#[tokio::test]
async fn an_address_that_egress_forbids_is_never_dialled() {
    let listener = std::net::TcpListener::bind("127.0.0.2:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let spec = http(1, &format!("http://{}/mcp", listener.local_addr().unwrap()));
    let world = World::new(vec![spec.clone()]);
    let refused = world.call(&modern(&spec, ALICE), "t", json!({})).await.unwrap_err();
    assert!(
        refused.to_string().contains("egress") && !refused.to_string().contains("127.0.0.2"),
        "{refused}"
    );
    assert!(listener.accept().is_err(), "no connection was made");
}
