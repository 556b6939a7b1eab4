//! Answers that are streams: passed on as they come, recorded before their end.

use std::sync::Arc;

use bailiwick_testkit::upstream::{Eras, Reply, Script, Step};
use serde_json::json;
use tokio::sync::Notify;

use super::{DOORS, LEGACY, VERSION, answering, at, behind, call, tool};
use crate::support::Era;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_event_is_read_while_the_server_still_works() {
    for (eras, era) in
        [(Eras::Legacy, LEGACY), (Eras::Legacy, Era::Legacy("2025-03-26")), (Eras::Modern, Era::Modern)]
    {
        let signal = Arc::new(Notify::new());
        let held = Arc::clone(&signal);
        let server = Script::new(eras).tool(tool("t"), move |call| {
            let log = json!({"level": "info", "data": {"n": 1}});
            Reply::Stream(vec![
                Step::progress(call.progress_token(), 0.5),
                Step::Notify { method: "notifications/message".into(), params: log },
                Step::Wait(Arc::clone(&held)),
                Step::Result(json!({"content": [{"type": "text", "text": "done"}]})),
            ])
        });
        let server = server.start().await.unwrap();
        let (app, client) = behind(&server).await;
        for (count, (path, name)) in DOORS.into_iter().enumerate() {
            let client = at(&client, path, era).await;
            let mut stream = client.stream(path, era, "tools/call", call(name)).await;
            assert_eq!(stream.headers["content-type"], "text/event-stream");
            assert_eq!(stream.headers["x-accel-buffering"], "no");
            let progress = stream.message().await;
            assert_eq!(progress["params"]["progressToken"], "p", "{progress}");
            assert_eq!(progress["params"]["progress"], 0.5);
            let log = stream.message().await;
            assert_eq!(log["params"]["data"], json!({"n": 1}), "{log}");
            signal.notify_one();
            let rest = stream.rest().await;
            assert_eq!(rest.len(), 1, "{rest:?}");
            assert_eq!(
                (&rest[0]["id"], &rest[0]["result"]["content"][0]["text"]),
                (&json!(1), &json!("done"))
            );
            assert_eq!(app.statuses_of("tools/call", count + 1).await[count], "ok");
        }
        app.running.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn event_ids_retry_and_priming_events_pass_byte_for_byte_where_they_can_be_resumed() {
    let text = concat!(
        "id: s-1\nretry: 500\ndata: \n\n",
        ": still here\n\n",
        "event: message\nid: s-2\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",",
        "\"params\":{\"level\":\"info\",\"data\":1.00,\"x\":[]}}\n\n",
        "event: message\nid: s-3\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[],\"n\":1.00}}\n\n",
    );
    let reply = Reply::Stream(vec![Step::Raw(text.to_owned())]);
    let server = answering(Eras::Legacy, reply).with_sessions().start().await.unwrap();
    let (_app, client) = behind(&server).await;
    let client = at(&client, "/servers/x/mcp", LEGACY).await;
    let mut stream = client.stream("/servers/x/mcp", LEGACY, "tools/call", call("t")).await;
    let mut got = String::new();
    while let Some(event) = stream.event().await {
        got.push_str(&event);
    }
    assert_eq!(got, text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_aggregate_which_resumes_nothing_shows_no_event_ids() {
    let server = Script::new(Eras::Legacy).with_sessions().tool(tool("t"), |call| {
        let answer = json!({"jsonrpc": "2.0", "id": call.id, "result": {"content": []}});
        Reply::Stream(vec![
            Step::Raw("id: s-1\nretry: 500\ndata: \n\n".to_owned()),
            Step::progress(call.progress_token(), 1.0),
            Step::Raw(format!("id: s-2\ndata: {answer}\n\n")),
        ])
    });
    let server = server.start().await.unwrap();
    let (_app, client) = behind(&server).await;
    let client = at(&client, "/mcp", LEGACY).await;
    let mut stream = client.stream("/mcp", LEGACY, "tools/call", call("x__t")).await;
    let mut events = Vec::new();
    while let Some(event) = stream.event().await {
        assert!(!event.contains("id: ") && !event.contains("retry"), "{event}");
        events.push(event);
    }
    assert_eq!(events.len(), 2, "{events:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_trace_goes_to_the_server_and_into_the_record() {
    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    for (eras, era) in [(Eras::Legacy, LEGACY), (Eras::Modern, Era::Modern)] {
        let server = answering(eras, Reply::text("ok")).start().await.unwrap();
        let (app, client) = behind(&server).await;
        let client = at(&client, "/servers/x/mcp", era).await;
        let (mut headers, body) = crate::support::message(era, "tools/call", call("t"));
        for (name, value) in [("traceparent", PARENT), ("tracestate", "a=1"), ("baggage", "k=v")] {
            headers.push((name.to_owned(), value.to_owned()));
        }
        let headers: Vec<_> = headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        client.post_raw("/servers/x/mcp", &headers, &body).await.result();
        let seen = &server.received_of("tools/call")[0];
        let intents = app.records_of("intent");
        let calls = intents.iter().find(|intent| intent["what"]["method"] == "tools/call").unwrap();
        assert_eq!(calls["what"]["trace"], "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(calls["what"]["parent"], "b7ad6b7169203331");
        // The server's parent is the call.
        let told = PARENT.replace("b7ad6b7169203331", calls["what"]["span"].as_str().unwrap());
        assert_ne!(told, PARENT);
        for (name, value) in [("traceparent", told.as_str()), ("tracestate", "a=1"), ("baggage", "k=v")] {
            assert_eq!(seen.header(name), Some(value), "{name} {era:?}");
            if era == Era::Modern {
                assert_eq!(seen.json()["params"]["_meta"][name], value, "{name}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_in_the_body_wins_over_the_headers() {
    const IN_BODY: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const IN_HEADER: &str = "00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let server = answering(Eras::Legacy, Reply::text("ok")).start().await.unwrap();
    let (_app, client) = behind(&server).await;
    let client = at(&client, "/mcp", LEGACY).await;
    let params = json!({"name": "x__t", "_meta": {"traceparent": IN_BODY}});
    let (_, body) = crate::support::message(LEGACY, "tools/call", params);
    let headers = [("mcp-protocol-version", VERSION), ("traceparent", IN_HEADER)];
    client.post_raw("/mcp", &headers, &body).await.result();
    let seen = &server.received_of("tools/call")[0];
    let told = seen.header("traceparent").unwrap();
    assert_eq!(told.get(..36), IN_BODY.get(..36));
    assert_eq!(seen.json()["params"]["_meta"]["traceparent"], told);
}
