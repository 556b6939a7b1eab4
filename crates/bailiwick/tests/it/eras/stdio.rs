//! The same towards child processes: the conformance fixture, and programs of one era only.

use std::collections::BTreeMap;

use bailiwick_model::server::{Confinement, Sharing, Transport};
use serde_json::json;

use super::check_hints;
use crate::support::{App, ERAS, Era};

/// A server in shell: it echoes the request's id, and its progress token where there is one. `$1` is its era.
const PROGRAM: &str = r#"
while read -r line; do
  id=${line#*\"id\":}; id=${id%%[,\}]*}
  answer() { echo "{\"jsonrpc\":\"2.0\",\"id\":$id,\"result\":$1}"; }
  fail() { echo "{\"jsonrpc\":\"2.0\",\"id\":$id,\"error\":{\"code\":$1,\"message\":\"no\"}}"; }
  if [ "$1" = modern ]; then more='"resultType":"complete",'; keep='"ttlMs":9,"cacheScope":"public",'; fi
  case "$1 $line" in
    *'"notifications/'*) ;;
    modern*'"initialize"'*) fail -32022;;
    legacy*'"server/discover"'*) fail -32601;;
    *'"initialize"'*) answer '{"protocolVersion":"2025-06-18","capabilities":{"tools":{},"resources":{}},"serverInfo":{"name":"sh","version":"1"}}';;
    *'"server/discover"'*) answer '{"supportedVersions":["2026-07-28"],"capabilities":{"tools":{},"resources":{}},"resultType":"complete","ttlMs":0,"cacheScope":"private"}';;
    *'"tools/list"'*) answer "{$more$keep\"tools\":[{\"name\":\"t\",\"inputSchema\":{\"type\":\"object\"}}]}";;
    *'"resources/list"'*) answer "{$more$keep\"resources\":[{\"uri\":\"file:///r\",\"name\":\"r\"}]}";;
    *'"resources/read"'*) answer "{$more$keep\"contents\":[{\"uri\":\"file:///r\",\"text\":\"content\"}]}";;
    *'"tools/call"'*)
      token=${line#*\"progressToken\":}; token=${token%%[,\}]*}
      echo "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progressToken\":$token,\"progress\":0.5}}"
      trace=none; case "$line" in *'"traceparent"'*) trace=traced;; esac
      answer "{$more\"content\":[{\"type\":\"text\",\"text\":\"$1 $trace\"}]}";;
    *) fail -32601;;
  esac
done
"#;

async fn register(app: &App, era: &str) {
    let transport = Transport::Stdio {
        command: "/bin/sh".to_owned(),
        args: ["-c", PROGRAM, "server", era].map(str::to_owned).to_vec(),
        env: BTreeMap::new(),
        cwd: None,
        sharing: Sharing::Principal,
        confinement: Confinement::default(),
    };
    app.register_as(era, transport, BTreeMap::new()).await;
    app.grant("bot", era).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_of_one_era_serve_clients_of_all() {
    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let app = App::start().await;
    let client = app.agent("bot").await;
    for server in ["legacy", "modern"] {
        register(&app, server).await;
        for era in ERAS {
            for (path, name, uri) in [
                (format!("/servers/{server}/mcp"), "t".to_owned(), "file:///r".to_owned()),
                ("/mcp".to_owned(), format!("{server}__t"), format!("{server}+file:///r")),
            ] {
                let mut client = client.clone();
                client.enter(&path, era).await;
                let meta = json!({"progressToken": "p-1", "traceparent": PARENT});
                let params = json!({"name": name, "_meta": meta});
                let all = client.stream(&path, era, "tools/call", params).await.rest().await;
                let [progress, answer] = &all[..] else { panic!("{era:?} {path} {all:?}") };
                assert_eq!(progress["params"]["progressToken"], "p-1");
                let text = format!("{server} traced");
                assert_eq!(answer["result"]["content"][0]["text"], text, "{era:?} {path} {answer}");
                check_hints(era, "tools/call", &answer["result"]);
                let result = client.ask(&path, era, "resources/read", json!({"uri": uri})).await.result();
                assert_eq!(result["contents"][0], json!({"uri": uri, "text": "content"}));
                check_hints(era, "resources/read", &result);
                let listed = client.ask(&path, era, "tools/list", json!({})).await.result();
                check_hints(era, "tools/list", &listed);
            }
        }
    }
    app.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_header_reaches_a_program_within_the_message() {
    let app = App::start().await;
    let client = app.agent("bot").await;
    for server in ["legacy", "modern"] {
        register(&app, server).await;
        for era in [Era::Legacy("2025-11-25"), Era::Modern] {
            let mut client = client.clone();
            client.enter("/mcp", era).await;
            let params = json!({"name": format!("{server}__t"), "_meta": {"progressToken": 1}});
            let (mut headers, body) = crate::support::message(era, "tools/call", params);
            let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
            headers.push(("traceparent".to_owned(), parent.to_owned()));
            let headers: Vec<_> = headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            let answer = client.post_raw("/mcp", &headers, &body).await;
            assert_eq!(answer.result()["content"][0]["text"], format!("{server} traced"), "{era:?}");
        }
    }
    app.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_fixture_as_a_child_serves_clients_of_all_eras() {
    let app = App::start().await;
    app.register_fixture("fix").await;
    let client = app.agent("bot").await;
    app.grant("bot", "fix").await;
    for era in ERAS {
        for (path, name, uri) in [("/servers/fix/mcp", "", ""), ("/mcp", "fix__", "fix+")] {
            let mut client = client.clone();
            client.enter(path, era).await;
            let params =
                json!({"name": format!("{name}test_tool_with_progress"), "_meta": {"progressToken": "p-1"}});
            let all = client.stream(path, era, "tools/call", params).await.rest().await;
            assert_eq!(all.len(), 4, "{era:?} {path} {all:?}");
            assert!(all[..3].iter().all(|told| told["params"]["progressToken"] == "p-1"), "{all:?}");
            assert_eq!(all[3]["result"]["content"][0]["text"], "Progress test completed");
            let params = json!({"name": format!("{name}test_simple_prompt")});
            let prompt = client.ask(path, era, "prompts/get", params).await.result();
            assert_eq!(prompt["description"], "A simple test prompt");
            for own in ["test://static-text", "test://template/7/data"] {
                let exposed = format!("{uri}{own}");
                let read = client.ask(path, era, "resources/read", json!({"uri": exposed})).await.result();
                assert_eq!(read["contents"][0]["uri"], exposed, "{era:?}");
            }
            let reference =
                json!({"type": "ref/prompt", "name": format!("{name}test_prompt_with_arguments")});
            let params = json!({"ref": reference, "argument": {"name": "arg1", "value": "t"}});
            let completed = client.ask(path, era, "completion/complete", params).await.result();
            assert!(completed["completion"]["values"].is_array(), "{completed}");
        }
    }
    app.running.stop().await.unwrap();
}
