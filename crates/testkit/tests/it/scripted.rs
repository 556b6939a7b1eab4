//! The scripted server does what its script says.

use std::sync::Arc;

use bailiwick_testkit::http1::Connection;
use bailiwick_testkit::upstream::{Eras, Kind, Reply, Script, ScriptedServer, Step};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::wire::{Stream, ask, ask_with, legacy, modern, post};

fn tool(name: &str) -> Value {
    json!({ "name": name, "inputSchema": { "type": "object" }, "x-unknown": { "kept": [1, 2.50, null] } })
}

fn call(name: &str) -> String {
    legacy(7, "tools/call", &json!({ "name": name, "arguments": { "text": "hi" } }))
}

async fn with(reply: Reply) -> ScriptedServer {
    Script::new(Eras::Both).tool(tool("t"), move |_| reply.clone()).start().await.unwrap()
}

#[tokio::test]
async fn each_era_is_spoken_where_the_script_says_so() {
    let initialize = legacy(1, "initialize", &json!({ "protocolVersion": "2025-06-18" }));
    let discover = modern(1, "server/discover", json!({}));
    for (eras, initialized, discovered) in
        [(Eras::Legacy, true, false), (Eras::Modern, false, true), (Eras::Both, true, true)]
    {
        let server = Script::new(eras).start().await.unwrap();
        let (status, answer) = ask(server.address(), &initialize).await;
        assert_eq!(answer["result"]["protocolVersion"] == "2025-06-18", initialized, "{eras:?}: {answer}");
        assert_eq!(status, if initialized { 200 } else { 400 });
        let (_, answer) = ask(server.address(), &discover).await;
        assert_eq!(
            answer["result"]["supportedVersions"][0] == "2026-07-28",
            discovered,
            "{eras:?}: {answer}"
        );
    }
}

#[tokio::test]
async fn lists_keep_unknown_members_and_come_in_pages() {
    let server = Script::new(Eras::Both).with_pages_of(2);
    let server =
        ["a", "b", "c"].iter().fold(server, |server, name| server.tool(tool(name), |_| Reply::text("")));
    let server = server.start().await.unwrap();
    let (_, first) = ask(server.address(), &modern(1, "tools/list", json!({}))).await;
    assert_eq!(first["result"]["tools"], json!([tool("a"), tool("b")]));
    assert_eq!(first["result"]["resultType"], "complete");
    let cursor = &first["result"]["nextCursor"];
    let (_, second) = ask(server.address(), &legacy(2, "tools/list", &json!({ "cursor": cursor }))).await;
    assert_eq!(second["result"], json!({ "tools": [tool("c")] }));
}

#[tokio::test]
async fn sessions_are_demanded_and_can_be_forgotten() {
    let server = Script::new(Eras::Legacy).with_sessions().start().await.unwrap();
    let ping = legacy(2, "ping", &json!({}));
    assert_eq!(ask(server.address(), &ping).await.0, 400);
    let mut connection = Connection::open(server.address()).await.unwrap();
    let initialize = post(&[], &legacy(1, "initialize", &json!({})));
    let session = connection.send(&initialize).await.unwrap().header("mcp-session-id").unwrap().to_owned();
    assert_eq!(ask_with(server.address(), &[("Mcp-Session-Id", &session)], &ping).await.0, 200);
    server.forget_sessions();
    assert_eq!(ask_with(server.address(), &[("Mcp-Session-Id", &session)], &ping).await.0, 404);
    assert_eq!(server.received_of("ping").len(), 3);
    assert_eq!(server.received()[3].header("mcp-session-id"), Some(session.as_str()));
}

#[tokio::test]
async fn handlers_see_the_call_and_faults_are_replies() {
    let server = Script::new(Eras::Both)
        .tool(tool("echo"), |call| Reply::text(call.argument("text")))
        .on("completion/complete", |_| Reply::error(-32603, "no"))
        .start()
        .await
        .unwrap();
    assert_eq!(ask(server.address(), &call("echo")).await.1["result"]["content"][0]["text"], "hi");
    let complete = legacy(1, "completion/complete", &json!({}));
    assert_eq!(ask(server.address(), &complete).await.1["error"]["code"], -32603);
    assert_eq!(ask(server.address(), &call("none")).await.1["error"]["code"], -32602);

    let wrong = with(Reply::WrongId(json!({}))).await;
    assert_ne!(ask(wrong.address(), &call("t")).await.1["id"], 7);
    let huge = with(Reply::Huge(1_000_000)).await;
    let (_, answer) = ask(huge.address(), &call("t")).await;
    assert_eq!(answer["result"]["content"][0]["text"].as_str().map(str::len), Some(1_000_000));
    let elsewhere = with(Reply::Redirect("http://127.0.0.1:1/".to_owned())).await;
    assert_eq!(ask(elsewhere.address(), &call("t")).await.0, 307);
    let raw = with(Reply::RawResult(r#"{"content":[],"n":1.00}"#.to_owned())).await;
    let mut connection = Connection::open(raw.address()).await.unwrap();
    let answer = connection.send(&post(&[], &call("t"))).await.unwrap();
    assert_eq!(answer.body, br#"{"jsonrpc":"2.0","id":7,"result":{"content":[],"n":1.00}}"#);
    let reset = with(Reply::Reset).await;
    let mut connection = Connection::open(reset.address()).await.unwrap();
    assert!(connection.send(&post(&[], &call("t"))).await.is_err());
}

#[tokio::test]
async fn leaving_a_hanging_answer_is_seen() {
    let server = with(Reply::Hang).await;
    let stream = Stream::open(server.address(), &post(&[], &call("t"))).await;
    server.wait_for("tools/call", 1).await.unwrap();
    assert_eq!(server.abandoned(), 0);
    drop(stream);
    server.wait_for_abandoned(1).await.unwrap();
}

#[tokio::test]
async fn a_reply_waits_for_the_test() {
    let signal = Arc::new(Notify::new());
    let server = with(Reply::When(Arc::clone(&signal), Box::new(Reply::text("late")))).await;
    let release = async {
        server.wait_for("tools/call", 1).await.unwrap();
        signal.notify_one();
    };
    let body = call("t");
    let (answer, ()) = tokio::join!(ask(server.address(), &body), release);
    assert_eq!(answer.1["result"]["content"][0]["text"], "late");
    assert_eq!(server.abandoned(), 0);
}

#[tokio::test]
async fn a_stream_plays_its_steps_and_waits_for_the_test_and_the_client() {
    let signal = Arc::new(Notify::new());
    let server = with(Reply::Stream(vec![
        Step::Raw(": hello\nid: 1\ndata:\n\n".to_owned()),
        Step::Wait(Arc::clone(&signal)),
        Step::progress(&json!("p"), 0.5),
        Step::Ask { method: "roots/list".to_owned(), params: json!({}) },
        Step::ResultOfAnswers,
    ]))
    .await;
    let mut stream = Stream::open(server.address(), &post(&[], &call("t"))).await;
    stream.until("id: 1\ndata:\n\n").await;
    signal.notify_one();
    let asked = stream.until("\"roots/list\"").await;
    assert!(asked.contains("notifications/progress"), "{asked}");
    let response = json!({ "jsonrpc": "2.0", "id": "ask-0", "result": { "roots": [] } }).to_string();
    assert_eq!(ask(server.address(), &response).await.0, 202);
    let end = stream.until("0\r\n\r\n").await;
    assert!(end.contains(r#"[{\"roots\":[]}]"#), "{end}");
    assert_eq!(server.abandoned(), 0);
}

#[tokio::test]
async fn a_cut_stream_breaks_and_a_hanging_one_can_be_left() {
    let server = with(Reply::Stream(vec![Step::Raw(": one\n\n".to_owned()), Step::Cut])).await;
    let mut stream = Stream::open(server.address(), &post(&[], &call("t"))).await;
    assert!(stream.is_cut().await);
    let server = with(Reply::Stream(vec![Step::Raw(": one\n\n".to_owned()), Step::Hang])).await;
    let mut stream = Stream::open(server.address(), &post(&[], &call("t"))).await;
    stream.until(": one").await;
    drop(stream);
    server.wait_for_abandoned(1).await.unwrap();
}

#[tokio::test]
async fn changes_reach_the_streams_of_both_eras() {
    let server = Script::new(Eras::Both).start().await.unwrap();
    let get = b"GET /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n";
    let mut old = Stream::open(server.address(), get).await;
    let filter = json!({ "notifications": { "toolsListChanged": true } });
    let listen = post(&[], &modern(9, "subscriptions/listen", filter));
    let mut new = Stream::open(server.address(), &listen).await;
    server.wait_for_streams(2).await.unwrap();
    server.changed(Kind::Prompts);
    server.changed(Kind::Tools);
    old.until("notifications/prompts/list_changed").await;
    old.until("notifications/tools/list_changed").await;
    let heard = new.until("notifications/tools/list_changed").await;
    assert!(heard.contains("subscriptions/acknowledged") && !heard.contains("prompts"), "{heard}");
    new.until(r#""io.modelcontextprotocol/subscriptionId":9"#).await;
    drop(old);
    server.wait_for_streams(1).await.unwrap();
}

#[tokio::test]
async fn a_stopped_server_refuses_and_its_successor_answers_on_the_same_address() {
    let script = Script::new(Eras::Both);
    let server = script.clone().start().await.unwrap();
    let address = server.address();
    server.stop().await;
    assert!(Connection::open(address).await.is_err());
    let _successor = script.start_on(address).await.unwrap();
    assert_eq!(ask(address, &legacy(1, "ping", &json!({}))).await.0, 200);
}

#[tokio::test]
async fn a_required_header_is_required() {
    let server = Script::new(Eras::Both).requiring_header("authorization", "Bearer x").start().await.unwrap();
    let ping = legacy(1, "ping", &json!({}));
    assert_eq!(ask(server.address(), &ping).await.0, 401);
    assert_eq!(ask_with(server.address(), &[("Authorization", "Bearer x")], &ping).await.0, 200);
}
