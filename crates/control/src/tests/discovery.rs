//! What servers offer, and what becomes of it, with a scripted server.

use std::collections::BTreeMap;
use std::time::Duration;

use bailiwick_model::server::{Timeouts, Transport, Value};
use bailiwick_testkit::upstream::{Eras, Reply, Script, ScriptedServer};
use serde_json::json;

use super::server;
use crate::NewServer;
use crate::testing::{Room, Settling};

fn tool(name: &str) -> serde_json::Value {
    json!({ "name": name, "inputSchema": { "type": "object" } })
}

fn at(name: &str, scripted: &ScriptedServer) -> NewServer {
    NewServer {
        transport: Transport::Http { url: scripted.url(), headers: BTreeMap::new() },
        timeouts: Timeouts::default(),
        capture: bailiwick_model::Capture::default(),
        ..server(name)
    }
}

fn offered(room: &Room, name: &str) -> Vec<String> {
    let snapshot = room.snapshots.borrow();
    let known = snapshot.catalogue.server(name).unwrap();
    known.definitions.iter().map(|definition| definition.key.clone()).collect()
}

#[tokio::test]
async fn a_server_is_asked_when_it_is_registered_and_its_secret_is_shown_to_it() {
    let script = Script::new(Eras::Both).tool(tool("echo"), |_| Reply::text("x"));
    let scripted = script.requiring_header("authorization", "Bearer sesame").start().await.unwrap();
    let room = Room::new().await;
    let headers = BTreeMap::from([("Authorization".to_owned(), Value::Secret)]);
    let new = NewServer {
        transport: Transport::Http { url: scripted.url(), headers },
        secrets: BTreeMap::from([("Authorization".to_owned(), "Bearer sesame".into())]),
        ..at("crm", &scripted)
    };
    let added = room.control.add_server(&room.admin().await, new).await.unwrap();
    let discovery = added.detail.discovery.unwrap_or_else(|| panic!("{:?}", added.detail.failure));
    assert_eq!(discovery.definitions.len(), 1);
    assert_eq!(offered(&room, "crm"), ["echo"]);
    scripted.stop().await;
}

#[tokio::test]
async fn a_drift_is_in_the_ledger_and_in_the_lists() {
    let script = Script::new(Eras::Both).tool(tool("echo"), |_| Reply::text("x"));
    let scripted = script.start().await.unwrap();
    let room = Room::new().await;
    let admin = room.admin().await;
    room.control.add_server(&admin, at("crm", &scripted)).await.unwrap();
    scripted.set_tools(vec![tool("other")]);
    room.control.refresh_server(&admin, "crm").await.unwrap();
    assert_eq!(offered(&room, "crm"), ["other"]);
    let records = room.records();
    let drifts: Vec<_> = records
        .iter()
        .filter(|record| record["kind"] == "definition_drift")
        .map(|record| (record["change"].as_str().unwrap(), record["subject"]["key"].as_str().unwrap()))
        .collect();
    assert_eq!(drifts, [("added", "other"), ("removed", "echo")]);
    scripted.stop().await;
}

#[tokio::test]
async fn a_drift_stands_in_the_ledger_before_any_list_shows_the_change() {
    let script = Script::new(Eras::Both).tool(tool("echo"), |_| Reply::text("x"));
    let scripted = script.start().await.unwrap();
    let room = Room::new().await;
    let admin = room.admin().await;
    room.control.add_server(&admin, at("crm", &scripted)).await.unwrap();
    scripted.set_tools(vec![tool("other")]);
    room.recorder.set_settling(Settling::Held);
    let (control, actor) = (room.control.clone(), admin.clone());
    let mut refresh = tokio::task::JoinSet::new();
    refresh.spawn(async move { control.refresh_server(&actor, "crm").await });
    let drifts = || room.records().iter().filter(|record| record["kind"] == "definition_drift").count();
    let mut looks = tokio::time::interval(Duration::from_millis(5));
    while drifts() < 2 {
        looks.tick().await;
    }
    // Taken, but not safe yet: a loss of power might still take the record away.
    for _ in 0..20 {
        looks.tick().await;
        assert_eq!(offered(&room, "crm"), ["echo"]);
        assert_eq!(room.second_node().catch_up().await.unwrap(), room.control.snapshot().generation);
    }
    room.recorder.set_settling(Settling::AtOnce);
    refresh.join_next().await.unwrap().unwrap().unwrap();
    assert_eq!(offered(&room, "crm"), ["other"]);
    scripted.stop().await;
}

#[tokio::test]
async fn the_last_good_list_is_kept_and_marked_stale_when_the_server_is_gone() {
    let script = Script::new(Eras::Both).tool(tool("echo"), |_| Reply::text("x"));
    let scripted = script.start().await.unwrap();
    let room = Room::new().await;
    let admin = room.admin().await;
    room.control.add_server(&admin, at("crm", &scripted)).await.unwrap();
    scripted.stop().await;
    let shown = room.control.refresh_server(&admin, "crm").await.unwrap();
    assert!(shown.failure.is_some() && shown.discovery.is_some());
    assert_eq!(offered(&room, "crm"), ["echo"]);
    assert!(room.snapshots.borrow().catalogue.server("crm").unwrap().stale);
}

#[tokio::test]
async fn a_definition_that_cannot_be_recorded_is_not_listed() {
    let script = Script::new(Eras::Both).tool(tool("echo"), |_| Reply::text("x"));
    let scripted = script.start().await.unwrap();
    let room = Room::new().await;
    let admin = room.admin().await;
    room.control.add_server(&admin, at("crm", &scripted)).await.unwrap();
    scripted.set_tools(vec![tool("other")]);
    room.recorder.set_down(true);
    room.control.refresh_server(&admin, "crm").await.unwrap();
    assert_eq!(offered(&room, "crm"), ["echo"]);
    room.recorder.set_down(false);
    room.control.refresh_server(&admin, "crm").await.unwrap();
    assert_eq!(offered(&room, "crm"), ["other"]);
    scripted.stop().await;
}

#[tokio::test]
async fn a_server_that_hangs_delays_no_other() {
    let hanging = Script::new(Eras::Both)
        .on("server/discover", |_| Reply::Hang)
        .on("initialize", |_| Reply::Hang)
        .start()
        .await
        .unwrap();
    let script = Script::new(Eras::Both).tool(tool("echo"), |_| Reply::text("x"));
    let good = script.start().await.unwrap();
    let room = Room::new().await;
    let admin = room.admin().await;
    let asleep = NewServer { enabled: false, ..at("stuck", &hanging) };
    room.control.add_server(&admin, asleep).await.unwrap();
    let asleep = NewServer { enabled: false, ..at("good", &good) };
    room.control.add_server(&admin, asleep).await.unwrap();
    let on = || crate::ServerChange { enabled: Some(true), ..Default::default() };
    let control = room.control.clone();
    let mut slow = tokio::task::JoinSet::new();
    let actor = admin.clone();
    slow.spawn(async move { control.update_server(&actor, "stuck", on()).await });
    let quick = room.control.update_server(&admin, "good", on());
    let added =
        tokio::time::timeout(Duration::from_secs(10), quick).await.expect("it waits for nobody").unwrap();
    assert!(added.detail.discovery.is_some());
    slow.shutdown().await;
}
