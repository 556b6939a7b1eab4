//! One server's trouble is its own, and so is one caller's load.

use std::sync::Arc;
use std::time::Duration;

use bailiwick_testkit::upstream::{Eras, Reply, Script};
use serde_json::json;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::{agent, fastest, script, server, tool};
use crate::support::{App, Era};

/// What a failing server may cost those who do not call it, and those who call it again.
const SOON: Duration = Duration::from_millis(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dead_and_hanging_servers_delay_no_list_and_no_call_of_others() {
    let app = App::start().await;
    let (good, dead, hanging) = (
        server(Eras::Modern, Reply::text("ok")).await,
        server(Eras::Modern, Reply::text("ok")).await,
        server(Eras::Modern, Reply::Hang).await,
    );
    for (name, server) in [("good", &good), ("dead", &dead), ("hanging", &hanging)] {
        app.register(name, &server.url()).await;
    }
    let client = agent(&app, &["good", "dead", "hanging"]).await;
    dead.stop().await;
    let mut waiting = JoinSet::new();
    for _ in 0..8 {
        let client = client.clone();
        let params = json!({"name": "hanging__t"});
        waiting.spawn(async move { client.ask("/mcp", Era::Modern, "tools/call", params).await });
    }
    hanging.wait_for("tools/call", 8).await.unwrap();
    let listed = fastest(async || {
        let names = client.names("/mcp", Era::Modern, "tools/list").await;
        assert_eq!(names.len(), 6, "what is dead is still listed: {names:?}");
    });
    assert!(listed.await < SOON);
    let called = fastest(async || {
        let params = json!({"name": "good__t"});
        client.ask("/mcp", Era::Modern, "tools/call", params).await.result();
    });
    assert!(called.await < SOON);
    assert!(waiting.try_join_next().is_none(), "the hanging server answered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_to_a_server_that_keeps_failing_are_refused_at_once() {
    let app = App::start().await;
    let dead = server(Eras::Modern, Reply::text("ok")).await;
    app.register("dead", &dead.url()).await;
    let client = agent(&app, &["dead"]).await;
    dead.stop().await;
    let call = async || {
        let params = json!({"name": "t"});
        let answer = client.ask("/servers/dead/mcp", Era::Modern, "tools/call", params).await;
        let error = answer.error();
        assert_eq!(error["data"]["reason"], "upstream_unreachable", "{error}");
        assert_eq!(error["data"]["executed"], false, "{error}");
    };
    for _ in 0..5 {
        call().await;
    }
    assert!(fastest(call).await < SOON);
    assert!(app.statuses_of("tools/call", 10).await.iter().all(|status| status == "upstream_unreachable"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_calls_than_allowed_are_refused_at_once_and_never_sent() {
    let signal = Arc::new(Notify::new());
    let held = Reply::When(Arc::clone(&signal), Box::new(Reply::text("late")));
    let app = App::start_with("[limits]\nconcurrency = 1").await;
    let server = script(Eras::Modern, held).start().await.unwrap();
    app.register("x", &server.url()).await;
    let client = agent(&app, &["x"]).await;
    let ask = |name: &'static str| {
        let client = client.clone();
        async move { client.ask("/servers/x/mcp", Era::Modern, "tools/call", json!({"name": name})).await }
    };
    let overload = async {
        server.wait_for("tools/call", 1).await.unwrap();
        let took = fastest(async || {
            let refused = ask("fine").await;
            assert_eq!(refused.status, 503);
            let seconds: u32 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
            assert!(seconds > 0);
            assert_eq!(refused.error()["data"]["reason"], "overloaded");
            // What needs no server is answered all the same.
            client.names("/servers/x/mcp", Era::Modern, "tools/list").await;
        });
        assert!(took.await < SOON);
        assert_eq!(server.received_of("tools/call").len(), 1);
        signal.notify_one();
    };
    let (answer, ()) = tokio::join!(ask("t"), overload);
    assert_eq!(answer.result()["content"][0]["text"], "late");
    assert_eq!(ask("fine").await.result()["content"][0]["text"], "fine");
    assert_eq!(app.statuses_of("tools/call", 2).await, ["ok", "ok"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_bad_definition_does_not_take_the_others_along() {
    let app = App::start().await;
    let server = Script::new(Eras::Modern)
        .tool(tool("good"), |_| Reply::text("ok"))
        .tool(json!({"name": 7, "inputSchema": {}}), |_| Reply::text(""))
        .tool(json!({"title": "nameless"}), |_| Reply::text(""))
        .tool(tool("last"), |_| Reply::text("ok"));
    let server = server.start().await.unwrap();
    app.register("x", &server.url()).await;
    let client = agent(&app, &["x"]).await;
    assert_eq!(client.names("/servers/x/mcp", Era::Modern, "tools/list").await, ["good", "last"]);
}
