//! The workflow of agents: the gateway is a span of each trace that passes through it, so that what a server asks of
//! other servers stands under the call that led to it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bailiwick_testkit::upstream::{Call, Eras, Reply, Script, ScriptedServer};
use http::Method;
use http_body_util::Full;
use serde_json::{Value, json};

use crate::support::{Answer, App, Client, Era, script};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const LEGACY: &str = "2025-11-25";

/// A gateway with `agents`, whose tool `delegate` calls tools of `files` through the gateway as `worker`, in the trace
/// that it was called in; and `planner`, who may have it delegate.
struct Team {
    app: App,
    agents: ScriptedServer,
    files: ScriptedServer,
    planner: Client,
}

impl Team {
    async fn new(eras: Eras) -> Self {
        let worker: Arc<OnceLock<Client>> = Arc::default();
        let at_work = Arc::clone(&worker);
        let agents = Script::new(eras)
            .tool(json!({"name": "delegate", "inputSchema": {"type": "object"}}), move |call| {
                delegate(at_work.get().unwrap(), call)
            })
            .start()
            .await
            .unwrap();
        let files = script(Eras::Both).start().await.unwrap();
        let app = App::start().await;
        app.register("agents", &agents.url()).await;
        app.register("files", &files.url()).await;
        let planner = app.agent("planner").await;
        app.grant("planner", "agents").await;
        assert!(worker.set(app.agent("worker").await).is_ok());
        app.grant_tool("worker", "files", "echo").await;
        Self { app, agents, files, planner }
    }

    async fn delegate(&self, era: Era, meta: Value) {
        let params = json!({"name": "agents__delegate", "arguments": {}, "_meta": meta});
        self.planner.ask("/mcp", era, "tools/call", params).await.result();
    }
}

/// Calls two tools, of which one is refused, with nothing but the trace that came.
fn delegate(worker: &Client, call: &Call) -> Reply {
    let parent = call.headers["traceparent"].to_str().unwrap().to_owned();
    let asking = async {
        for tool in ["files__echo", "files__secret"] {
            let params = json!({"name": tool, "arguments": {"text": "hi"}, "_meta": {"traceparent": parent}});
            worker.ask("/mcp", Era::Modern, "tools/call", params).await;
        }
    };
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(asking));
    Reply::text("done")
}

/// The tree of an id once it has so many branches: depth, tool, decision, and the call that it names as its parent.
async fn tree(admin: &Client, id: &str, count: usize) -> (Value, Vec<(u64, String, String)>) {
    let looking = async {
        loop {
            let request = admin.request(Method::GET, &format!("/api/v1/audit/trace/{id}"));
            let answer = Answer::read(admin.send(request.body(Full::default()).unwrap()).await).await;
            let tree: Value = serde_json::from_slice(&answer.body).unwrap();
            let branches = tree["branches"].as_array().cloned().unwrap_or_default();
            if branches.len() == count {
                return (tree, branches);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let looking = tokio::time::timeout(Duration::from_secs(5), looking).await;
    let (tree, branches) = looking.unwrap_or_else(|_| panic!("{id}: no {count} branches in time"));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let drawn = branches
        .iter()
        .map(|b| {
            (b["depth"].as_u64().unwrap(), text(&b["record"]["definition"]), text(&b["record"]["decision"]))
        })
        .collect();
    (tree, drawn)
}

fn branch(depth: u64, tool: &str, decision: &str) -> (u64, String, String) {
    (depth, tool.to_owned(), decision.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_server_asks_of_others_stands_under_the_call_that_led_to_it() {
    for (era, eras) in [(Era::Modern, Eras::Both), (Era::Legacy(LEGACY), Eras::Legacy)] {
        let mut team = Team::new(eras).await;
        let admin = team.app.admin().await;
        team.planner.enter("/mcp", era).await;
        team.delegate(era, json!({"traceparent": format!("00-{TRACE}-b7ad6b7169203331-01")})).await;
        let (tree, drawn) = tree(&admin, TRACE, 3).await;
        assert_eq!(
            drawn,
            [branch(0, "delegate", "allow"), branch(1, "echo", "allow"), branch(1, "secret", "deny")]
        );
        let of = |at: usize| &tree["branches"][at]["record"];
        assert_eq!(of(0)["parent_span"], "b7ad6b7169203331");
        for child in [of(1), of(2)] {
            assert_eq!((&child["parent_call"], &child["parent_span"]), (&of(0)["call"], &of(0)["span"]));
            assert_eq!((&child["subject"], &child["trace"]), (&json!("worker"), &json!(TRACE)));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_without_a_trace_has_one_in_which_its_calls_and_their_consequences_are_a_tree() {
    let mut team = Team::new(Eras::Legacy).await;
    let admin = team.app.admin().await;
    team.planner.enter("/mcp", Era::Legacy(LEGACY)).await;
    for _ in 0..2 {
        team.delegate(Era::Legacy(LEGACY), json!({})).await;
    }
    let intent =
        team.app.records_of("intent").into_iter().find(|r| r["who"]["subject"] == "planner").unwrap();
    let (session, call) = (intent["what"]["session"].as_str().unwrap(), intent["call"].as_str().unwrap());
    assert!(intent["what"]["parent"].is_null() && intent["what"]["trace"] != session, "{intent}");
    for id in [session, call] {
        let (tree, drawn) = tree(&admin, id, 7).await;
        assert_eq!((&tree["by"], &tree["id"]), (&json!("session"), &json!(session)));
        let one = [branch(0, "delegate", "allow"), branch(1, "echo", "allow"), branch(1, "secret", "deny")];
        // Before them the end of the handshake, which names no tool.
        assert_eq!(drawn.get(1..), Some(&[one.clone(), one].concat()[..]), "{tree}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_told_the_call_s_own_span_and_nothing_else_of_the_request_changes() {
    let team = Team::new(Eras::Both).await;
    team.app.grant("planner", "files").await;
    let send = async |meta: Value, headers: &[(&str, &str)]| {
        let params = json!({"name": "echo", "arguments": {"text": "hi"}, "_meta": meta});
        let (own, body) = crate::support::message(Era::Modern, "tools/call", params);
        let mut all: Vec<_> = own.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        all.extend(headers);
        team.planner.post_raw("/servers/files/mcp", &all, &body).await.result();
        let received = team.files.received_of("tools/call").pop().unwrap();
        let span = team.app.records_of("intent").pop().unwrap()["what"]["span"].as_str().unwrap().to_owned();
        (body, received, span)
    };
    let given = format!("00-{TRACE}-b7ad6b7169203331-01");

    let (body, received, span) = send(json!({"traceparent": given, "tracestate": "a=1", "x": 1}), &[]).await;
    let told = format!("00-{TRACE}-{span}-01");
    assert_eq!(received.text(), body.replace(&given, &told));
    assert_eq!((received.header("traceparent"), received.header("tracestate")), (Some(&*told), Some("a=1")));

    let headers = [("traceparent", given.as_str()), ("tracestate", "b=2")];
    let (_, received, span) = send(json!({}), &headers).await;
    let (told, meta) = (format!("00-{TRACE}-{span}-01"), &received.json()["params"]["_meta"]);
    assert_eq!((received.header("traceparent"), received.header("tracestate")), (Some(&*told), Some("b=2")));
    assert_eq!((&meta["traceparent"], &meta["tracestate"]), (&json!(told), &json!("b=2")));

    // A trace that the caller did not name goes in the header: the body is as it came, byte for byte.
    let (body, received, span) = send(json!({}), &[]).await;
    assert_eq!(received.text(), body);
    let told = received.header("traceparent").unwrap().to_owned();
    assert!(told.contains(&span) && !told.contains(TRACE), "{told}");
    let (_, received, _) = send(json!({}), &[]).await;
    assert_ne!(received.header("traceparent").unwrap().get(..35), told.get(..35));
    assert!(team.agents.received_of("tools/call").is_empty());
}
