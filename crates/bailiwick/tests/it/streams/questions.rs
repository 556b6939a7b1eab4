//! Legacy servers that ask their client: sampling, elicitation, roots.

use bailiwick_testkit::upstream::{Eras, Reply, Step};
use serde_json::{Value, json};

use super::{DOORS, LEGACY, VERSION, answering, at, behind, call};
use crate::support::{App, until};

const QUESTIONS: [&str; 3] = ["sampling/createMessage", "elicitation/create", "roots/list"];

fn asking(method: &str) -> Reply {
    let params = json!({"x": method});
    Reply::Stream(vec![Step::Ask { method: method.to_owned(), params }, Step::ResultOfAnswers])
}

fn answers(result: &Value) -> Value {
    serde_json::from_str(result["result"]["content"][0]["text"].as_str().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_asks_within_a_call_and_gets_its_clients_answer() {
    for method in QUESTIONS {
        let server = answering(Eras::Legacy, asking(method)).with_sessions().start().await.unwrap();
        let (app, client) = behind(&server).await;
        for (path, name) in DOORS {
            let client = at(&client, path, LEGACY).await;
            let mut stream = client.stream(path, LEGACY, "tools/call", call(name)).await;
            let asked = stream.message().await;
            assert_eq!((&asked["method"], &asked["params"]), (&json!(method), &json!({"x": method})));
            client.respond(path, VERSION, &asked, json!({"said": method})).await;
            let result = stream.message().await;
            assert_eq!(answers(&result), json!([{"said": method}]), "{path} {result}");
        }
        assert_eq!(app.statuses_of("tools/call", 2).await, ["ok", "ok"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_nobody_asked_for_is_refused() {
    let server = answering(Eras::Legacy, asking("roots/list")).with_sessions().start().await.unwrap();
    let (_app, client) = behind(&server).await;
    for (path, name) in DOORS {
        let client = at(&client, path, LEGACY).await;
        let mut stream = client.stream(path, LEGACY, "tools/call", call(name)).await;
        let asked = stream.message().await;
        let wrong = json!({"jsonrpc": "2.0", "id": "nobody", "result": {}});
        assert_eq!(client.say(path, VERSION, wrong).await.status, 400, "{path}");
        client.respond(path, VERSION, &asked, json!({})).await;
        let again = json!({"jsonrpc": "2.0", "id": asked["id"], "result": {}});
        assert_eq!(client.say(path, VERSION, again).await.status, 400, "{path}");
        stream.message().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_that_ask_with_equal_ids_get_their_own_answers() {
    let app = App::start().await;
    let client = app.agent("bot").await;
    let mut servers = Vec::new();
    for name in ["one", "two"] {
        let server = answering(Eras::Legacy, asking("roots/list")).with_sessions().start().await.unwrap();
        app.register(name, &server.url()).await;
        app.grant("bot", name).await;
        servers.push(server);
    }
    let client = at(&client, "/mcp", LEGACY).await;
    let mut asked = Vec::new();
    for (id, name) in [(1, "one__t"), (2, "two__t")] {
        let body = json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": name}});
        let mut stream = client.stream_of("/mcp", VERSION, &body).await;
        let question = stream.message().await;
        asked.push((name, stream, question));
    }
    assert_ne!(asked[0].2["id"], asked[1].2["id"], "the client could not tell them apart");
    for (name, mut stream, question) in asked {
        client.respond("/mcp", VERSION, &question, json!({"for": name})).await;
        assert_eq!(answers(&stream.message().await), json!([{"for": name}]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_asks_on_the_sessions_own_stream() {
    let server = answering(Eras::Legacy, Reply::text("")).with_sessions().start().await.unwrap();
    let (_app, client) = behind(&server).await;
    let client = at(&client, "/servers/x/mcp", LEGACY).await;
    let watching = server.open_streams();
    let mut stream = client.listen("/servers/x/mcp", None).await;
    assert_eq!(stream.status, 200);
    server.wait_for_streams(watching + 1).await.unwrap();
    server.send_raw(r#"{"jsonrpc":"2.0","id":"q-7","method":"roots/list"}"#);
    let asked = stream.message().await;
    assert_eq!(asked, json!({"jsonrpc": "2.0", "id": "q-7", "method": "roots/list"}));
    let response = json!({"jsonrpc": "2.0", "id": "q-7", "result": {"roots": []}});
    client.say("/servers/x/mcp", VERSION, response.clone()).await;
    until("the answer at the server", || {
        server.received().iter().find(|received| received.json() == response).map(|_| ())
    })
    .await;
}
