//! Calls that nobody waits for any more: who is told, and what the record says, exactly once.

use bailiwick_testkit::upstream::{Eras, Reply, Step};
use serde_json::{Value, json};

use super::{DOORS, LEGACY, VERSION, answering, at, behind, call};
use crate::support::{Era, until};

/// Before the answer, and in the middle of it.
fn endless() -> [Reply; 2] {
    [Reply::Hang, Reply::Stream(vec![Step::progress(&json!("p"), 0.1), Step::Hang])]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_modern_client_that_leaves_cancels_at_the_server() {
    for reply in endless() {
        let server = answering(Eras::Modern, reply.clone()).start().await.unwrap();
        let (app, client) = behind(&server).await;
        for (count, (path, name)) in DOORS.into_iter().enumerate() {
            let (headers, body) = crate::support::message(Era::Modern, "tools/call", call(name));
            let mut request = client.request(http::Method::POST, path);
            for (name, value) in &headers {
                request = request.header(name, value);
            }
            let asking = client.send(request.body(body.into()).unwrap());
            tokio::select! {
                answer = asking => drop(answer),
                came = server.wait_for("tools/call", count + 1) => { came.unwrap(); }
            }
            server.wait_for_abandoned(count + 1).await.unwrap();
            assert_eq!(app.statuses_of("tools/call", count + 1).await[count], "cancelled");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_legacy_clients_cancellation_reaches_the_server_under_the_servers_id() {
    for reply in endless() {
        let server = answering(Eras::Legacy, reply.clone()).with_sessions().start().await.unwrap();
        let (app, client) = behind(&server).await;
        for (count, (path, name)) in DOORS.into_iter().enumerate() {
            let client = at(&client, path, LEGACY).await;
            let body = json!({"jsonrpc": "2.0", "id": "c-1", "method": "tools/call", "params": call(name)});
            let asking = async {
                let mut answer = client.stream_of(path, VERSION, &body).await;
                let mut all = String::new();
                while let Some(event) = answer.event_or_rest().await {
                    all.push_str(&event);
                }
                all
            };
            let cancelling = async {
                server.wait_for("tools/call", count + 1).await.unwrap();
                let params = json!({"requestId": "c-1", "reason": "enough"});
                let message =
                    json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params});
                assert_eq!(client.say(path, VERSION, message).await.status, 202);
            };
            let (answer, ()) = tokio::join!(asking, cancelling);
            assert!(answer.contains("\"error\""), "{path}: {answer}");
            let cancelled = server.wait_for("notifications/cancelled", count + 1).await.unwrap();
            let sent = server.received_of("tools/call")[count].json();
            assert_eq!(
                cancelled[count].json()["params"],
                json!({"requestId": sent["id"], "reason": "enough"})
            );
            assert_eq!(app.statuses_of("tools/call", count + 1).await[count], "cancelled", "{path}");
        }
        app.running.stop().await.unwrap();
        assert_eq!(server.received_of("notifications/cancelled").len(), 2, "the server is told once");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancellation_of_something_unknown_is_taken_and_cancels_nothing() {
    let server = answering(Eras::Legacy, Reply::text("ok")).with_sessions().start().await.unwrap();
    let (_app, client) = behind(&server).await;
    for (path, name) in DOORS {
        let client = at(&client, path, LEGACY).await;
        let params = json!({"requestId": "nothing"});
        let message = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params});
        assert_eq!(client.say(path, VERSION, message).await.status, 202, "{path}");
        client.ask(path, LEGACY, "tools/call", call(name)).await.result();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_legacy_client_that_leaves_is_recorded_as_gone() {
    for reply in endless() {
        let server = answering(Eras::Legacy, reply.clone()).with_sessions().start().await.unwrap();
        let (app, client) = behind(&server).await;
        for (count, (path, name)) in DOORS.into_iter().enumerate() {
            let client = at(&client, path, LEGACY).await;
            let body = json!({"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": call(name)});
            tokio::select! {
                stream = client.stream_of(path, VERSION, &body) => drop(stream),
                came = server.wait_for("tools/call", count + 1) => { came.unwrap(); }
            }
            assert_eq!(app.statuses_of("tools/call", count + 1).await[count], "client_gone", "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_modern_clients_departure_cancels_at_a_legacy_server() {
    for reply in endless() {
        let server = answering(Eras::Legacy, reply.clone()).with_sessions().start().await.unwrap();
        let (app, client) = behind(&server).await;
        for (count, (path, name)) in DOORS.into_iter().enumerate() {
            tokio::select! {
                stream = client.stream(path, Era::Modern, "tools/call", call(name)) => drop(stream),
                came = server.wait_for("tools/call", count + 1) => { came.unwrap(); }
            }
            let cancelled = server.wait_for("notifications/cancelled", count + 1).await.unwrap();
            let sent = server.received_of("tools/call")[count].json();
            assert_eq!(cancelled[count].json()["params"]["requestId"], sent["id"], "{path}");
            assert_eq!(app.statuses_of("tools/call", count + 1).await[count], "cancelled", "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn access_that_is_withdrawn_ends_a_running_call() {
    use bailiwick_control::Actor;
    let [_, reply] = endless();
    for (path, name) in DOORS {
        let server = answering(Eras::Modern, reply.clone()).start().await.unwrap();
        let app = crate::support::App::start().await;
        app.register("x", &server.url()).await;
        let client = app.agent("bot").await;
        let grant = app.grant("bot", "x").await;
        let mut stream = client.stream(path, Era::Modern, "tools/call", call(name)).await;
        stream.message().await;
        app.control().revoke_grant(&Actor::Gateway, grant).await.unwrap();
        let rest: Vec<Value> = stream.rest().await;
        assert_eq!((rest.len(), rest[0]["error"].is_object()), (1, true), "{rest:?}");
        server.wait_for_abandoned(1).await.unwrap();
        let outcomes = app.outcomes_of("tools/call", 1).await;
        assert_eq!(outcomes[0]["status"], "cancelled");
        until("the reason in the record", || outcomes[0]["detail"].as_str().map(|_| ())).await;
    }
}
