//! What servers hand out to be brought back: `requestState` of requests that want input, ids of tasks. Sealed to
//! their principal, and the same each time they are shown.

use bailiwick_testkit::upstream::{Call, Eras, Reply, Script};
use serde_json::{Value, json};

use super::{DOORS, behind, tool};
use crate::support::Era;

fn wants_input(call: &Call) -> Reply {
    if call.params["inputResponses"]["who"]["content"]["name"] != "Ann" {
        let ask = json!({"method": "elicitation/create", "params": {"message": "who?"}});
        return Reply::Result(json!({
            "resultType": "input_required", "inputRequests": {"who": ask}, "requestState": "state-1", "x": 1.50
        }));
    }
    Reply::text(format!(
        "{} {}",
        call.params["requestState"].as_str().unwrap_or("none"),
        call.params["arguments"]
    ))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_wants_input_is_retried_with_its_state() {
    let server = Script::new(Eras::Modern).tool(tool("t"), wants_input).tool(tool("u"), wants_input);
    let server = server.start().await.unwrap();
    let (app, client) = behind(&server).await;
    let other = app.agent("other").await;
    app.grant("other", "x").await;
    for (count, (path, name)) in DOORS.into_iter().enumerate() {
        let ask = |client: &crate::support::Client, params: Value| {
            let client = client.clone();
            async move { client.ask(path, Era::Modern, "tools/call", params).await }
        };
        let first = ask(&client, json!({"name": name, "arguments": {"a": 1}})).await.result();
        assert_eq!(first["resultType"], "input_required");
        assert_eq!(first["inputRequests"]["who"]["method"], "elicitation/create");
        let state = first["requestState"].as_str().unwrap().to_owned();
        assert!(!state.contains("state-1"), "{state}");
        let retry = |name: &str| {
            json!({"name": name, "arguments": {"a": 1}, "requestState": state,
                "inputResponses": {"who": {"action": "accept", "content": {"name": "Ann"}}}})
        };
        let before = server.received_of("tools/call").len();
        assert_eq!(ask(&other, retry(name)).await.error()["code"], -32602, "another principal's state");
        let elsewhere = retry(&name.replace('t', "u"));
        assert_eq!(ask(&client, elsewhere).await.error()["code"], -32602, "another tool's state");
        let mut forged = retry(name);
        forged["requestState"] = json!("state-1");
        assert_eq!(ask(&client, forged).await.error()["code"], -32602, "a state that was never sealed");
        assert_eq!(server.received_of("tools/call").len(), before);
        let done = ask(&client, retry(name)).await.result();
        assert_eq!(done["content"][0]["text"], "state-1 {\"a\":1}");
        let statuses = app.statuses_of("tools/call", 2 * (count + 1)).await;
        assert_eq!(statuses[2 * count..], ["input_required", "ok"]);
    }
}

fn task(status: &str) -> Value {
    json!({"taskId": "task-1", "status": status, "createdAt": "2026-01-01T00:00:00Z", "ttlMs": 1000})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_is_polled_and_cancelled_under_one_sealed_id() {
    let server = Script::new(Eras::Modern)
        .tool(tool("t"), |_| {
            let mut created = task("working");
            created["resultType"] = json!("task");
            Reply::Result(created)
        })
        .on("tasks/get", |_| Reply::Result(task("working")))
        .on("tasks/cancel", |_| Reply::Result(json!({})));
    let server = server.start().await.unwrap();
    let (app, client) = behind(&server).await;
    let other = app.agent("other").await;
    app.grant("other", "x").await;
    for (count, (path, name)) in DOORS.into_iter().enumerate() {
        let created = client.ask(path, Era::Modern, "tools/call", json!({"name": name})).await.result();
        assert_eq!(created["resultType"], "task");
        let id = created["taskId"].as_str().unwrap().to_owned();
        assert!(!id.contains("task-1"));
        let asked = json!({"taskId": id});
        for _ in 0..2 {
            let polled = client.ask(path, Era::Modern, "tasks/get", asked.clone()).await.result();
            assert_eq!(polled["status"], "working");
            assert_eq!(polled["taskId"], json!(id), "the client knows its task by this id");
        }
        client.ask(path, Era::Modern, "tasks/cancel", asked.clone()).await.result();
        let polls = server.received_of("tasks/get");
        assert_eq!(polls.len(), 2 * (count + 1));
        assert_eq!(polls[0].header("mcp-name"), Some("task-1"));
        assert_eq!(polls[0].json()["params"]["taskId"], "task-1");
        let stolen = other.ask(path, Era::Modern, "tasks/get", asked).await;
        assert_eq!(stolen.error()["message"], "Unknown task");
        let bare = client.ask(path, Era::Modern, "tasks/get", json!({"taskId": "task-1"})).await;
        assert_eq!(bare.error()["message"], "Unknown task");
        assert_eq!(server.received_of("tasks/get").len(), polls.len());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_is_told_of_its_tasks_by_the_ids_that_it_knows() {
    let server = Script::new(Eras::Modern).tool(tool("t"), |_| {
        let mut created = task("working");
        created["resultType"] = json!("task");
        Reply::Result(created)
    });
    let server = server
        .on("subscriptions/listen", |call| {
            let meta = json!({"io.modelcontextprotocol/subscriptionId": call.id});
            let mut told = task("completed");
            told["_meta"] = meta.clone();
            let notify = |method: &str, params| bailiwick_testkit::upstream::Step::Notify {
                method: method.to_owned(),
                params,
            };
            let honoured = call.params["notifications"].clone();
            Reply::Stream(vec![
                notify(
                    "notifications/subscriptions/acknowledged",
                    json!({"notifications": honoured, "_meta": meta}),
                ),
                notify("notifications/tasks", told),
                bailiwick_testkit::upstream::Step::Hang,
            ])
        })
        .start()
        .await
        .unwrap();
    let (app, client) = behind(&server).await;
    let other = app.agent("other").await;
    app.grant("other", "x").await;
    let path = "/servers/x/mcp";
    let created = client.ask(path, Era::Modern, "tools/call", json!({"name": "t"})).await.result();
    let id = created["taskId"].clone();
    let wanted = json!({"notifications": {"taskIds": [id]}});
    let mut stream = client.stream(path, Era::Modern, "subscriptions/listen", wanted.clone()).await;
    let first = stream.message().await;
    assert_eq!(first["params"]["notifications"], json!({"taskIds": [id]}));
    let told = stream.message().await;
    assert_eq!((&told["params"]["taskId"], &told["params"]["status"]), (&id, &json!("completed")));
    let listens = server.received_of("subscriptions/listen");
    assert_eq!(listens.last().unwrap().json()["params"]["notifications"], json!({"taskIds": ["task-1"]}));
    let stolen = other.ask(path, Era::Modern, "subscriptions/listen", wanted).await;
    assert!(stolen.error()["code"].is_i64());
    assert_eq!(server.received_of("subscriptions/listen").len(), listens.len());
}
