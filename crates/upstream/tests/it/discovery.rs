//! What discovery finds, and what it leaves out.

use std::time::Duration;

use bailiwick_model::definition::DefinitionKind;
use bailiwick_testkit::upstream::{Eras, Kind, Reply, Script};
use bailiwick_upstream::UpstreamError;
use serde_json::json;

use crate::world::*;

fn tool(name: &str) -> serde_json::Value {
    json!({"name": name, "inputSchema": {"type": "object"}})
}

#[tokio::test]
async fn all_eras_and_all_pages_of_all_lists_are_found() {
    for (eras, expected) in [
        (Eras::Both, &["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"][..]),
        (Eras::Modern, &["2026-07-28"]),
        (Eras::Legacy, &["2025-11-25", "2025-06-18", "2025-03-26"]),
    ] {
        let mut script = Script::new(eras).with_sessions().with_pages_of(2).with_sse_answers();
        for name in ["a", "b", "c", "d", "e"] {
            script = script.tool(tool(name), |_| Reply::text("never called"));
        }
        let server = script
            .prompt(json!({"name": "p"}), |_| Reply::text(""))
            .resource(json!({"uri": "test://r", "name": "r"}), |_| Reply::text(""))
            .template(json!({"uriTemplate": "test://{x}", "name": "t"}))
            .start()
            .await
            .unwrap();
        let world = World::new(vec![http(1, &server.url())]);
        let found = world.discover(0).await.unwrap();
        assert_eq!(found.eras, expected);
        let keys: Vec<_> = found.definitions.iter().map(|d| d.key.as_str()).collect();
        assert_eq!(keys, ["a", "b", "c", "d", "e", "p", "test://r", "test://{x}"], "{eras:?}");
        assert_eq!(found.definitions[7].kind, DefinitionKind::ResourceTemplate);
        assert!(found.dropped.is_empty(), "{:?}", found.dropped);
        assert!(server.received_of("tools/call").is_empty(), "no side effects");
        assert!(found.hello.get().contains("capabilities"));
        assert_eq!(world.health(0).eras.len(), expected.len());
        let probes = server.received_of("initialize").len();
        world.discover(0).await.unwrap();
        assert!(server.received_of("initialize").len() <= probes, "the eras are remembered");
    }
}

#[tokio::test]
async fn a_bad_definition_is_dropped_with_a_sentence_and_the_rest_is_kept() {
    let server = Script::new(Eras::Modern)
        .tool(tool("good"), |_| Reply::Hang)
        .tool(tool("bad\u{1b}[2J"), |_| Reply::Hang)
        .tool(tool("good"), |_| Reply::Hang)
        .tool(json!({"inputSchema": {}}), |_| Reply::Hang)
        .tool(json!("text"), |_| Reply::Hang)
        .tool(json!({"name": "h", "inputSchema": {"properties": {"p": {"type": "string", "x-mcp-header": "a b"}}}}), |_| {
            Reply::Hang
        })
        .tool(tool("last"), |_| Reply::Hang)
        .start()
        .await
        .unwrap();
    let world = World::new(vec![http(1, &server.url())]);
    let found = world.discover(0).await.unwrap();
    let keys: Vec<_> = found.definitions.iter().map(|d| d.key.as_str()).collect();
    assert_eq!(keys, ["good", "last"]);
    assert_eq!(found.dropped.len(), 5, "{:?}", found.dropped);
    assert!(found.dropped.iter().all(|sentence| !sentence.chars().any(char::is_control)));
}

#[tokio::test]
async fn lists_without_end_are_cut_at_the_bounds() {
    let page = |cursor: &str| {
        Reply::Result(
            json!({"tools": [{"name": format!("t{cursor}"), "inputSchema": {}}], "nextCursor": format!("{cursor}1")}),
        )
    };
    let server = Script::new(Eras::Modern)
        .on("tools/list", move |call| page(call.params["cursor"].as_str().unwrap_or_default()))
        .on("prompts/list", |_| Reply::Result(json!({"prompts": [{"name": "p"}], "nextCursor": "same"})))
        .start()
        .await
        .unwrap();
    let setting = Setting { config: "[upstream]\ndiscovery_pages = 7\n", ..Setting::default() };
    let world = World::with(setting, vec![http(1, &server.url())]);
    let found = world.discover(0).await.unwrap();
    assert_eq!(found.definitions.len(), 8);
    assert!(found.dropped.iter().any(|s| s.contains("7 pages")), "{:?}", found.dropped);
    assert!(found.dropped.iter().any(|s| s.contains("repeats a cursor")), "{:?}", found.dropped);
}

#[tokio::test]
async fn only_announced_lists_are_asked_for() {
    let server = Script::new(Eras::Both).with_capabilities(json!({"prompts": {}})).start().await.unwrap();
    let world = World::new(vec![http(1, &server.url())]);
    world.discover(0).await.unwrap();
    assert!(server.received_of("tools/list").is_empty() && server.received_of("resources/list").is_empty());
    assert!(!server.received_of("prompts/list").is_empty());
}

#[tokio::test]
async fn a_server_that_says_that_its_lists_changed_is_named() {
    for eras in [Eras::Both, Eras::Legacy] {
        let server = Script::new(eras).tool(tool("a"), |_| Reply::Hang).start().await.unwrap();
        let world = World::new(vec![http(1, &server.url())]);
        let mut changes = world.upstreams.changes().unwrap();
        assert_eq!(changes.recv().await, Some(world.specs[0].server.id), "new");
        world.discover(0).await.unwrap();
        server.wait_for_streams(1).await.unwrap();
        server.changed(Kind::Tools);
        let named = tokio::time::timeout(Duration::from_secs(5), changes.recv()).await.unwrap();
        assert_eq!(named, Some(world.specs[0].server.id), "{eras:?}");
    }
}

#[tokio::test]
async fn a_dead_server_is_an_error_in_bounded_time() {
    let server =
        Script::new(Eras::Both).on("server/discover", |_| Reply::Hang).on("initialize", |_| Reply::Hang);
    let server = server.start().await.unwrap();
    let world = World::new(vec![impatient(http(1, &server.url()))]);
    let found = tokio::time::timeout(Duration::from_secs(10), world.discover(0)).await.unwrap();
    assert!(matches!(found, Err(UpstreamError::Timeout(_))), "{found:?}");
}
