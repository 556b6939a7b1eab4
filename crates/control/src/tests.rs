//! The use-cases over a real store and a real ledger.

mod access;
mod audit;
mod bodies;
mod discovery;
mod index;
mod links;
mod people;
mod servers;

use std::collections::BTreeMap;

use bailiwick_model::principal::{PrincipalKind, Role};
use bailiwick_model::server::{Timeouts, Transport};

use crate::testing::{Room, Settling};
use crate::{Actor, ControlError, NewPrincipal, NewServer};

/// A server that nobody can reach.
fn server(name: &str) -> NewServer {
    NewServer {
        name: Some(name.parse().unwrap()),
        registry_name: None,
        team: None,
        description: String::new(),
        transport: Transport::Http { url: "http://127.0.0.1:9/mcp".into(), headers: BTreeMap::new() },
        secrets: BTreeMap::new(),
        timeouts: Timeouts { connect_ms: 200, first_byte_ms: 200, idle_ms: 200 },
        capture: bailiwick_model::Capture::default(),
        enabled: true,
    }
}

fn agent(name: &str) -> NewPrincipal {
    NewPrincipal {
        kind: PrincipalKind::Agent,
        name: name.into(),
        display_name: None,
        team: None,
        role: Role::Member,
    }
}

/// The operations of all changes in the ledger, in their order.
fn operations(room: &Room) -> Vec<String> {
    let changes = room.records().into_iter().filter(|record| record["kind"] == "admin_change");
    changes.map(|record| record["operation"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_first_start_makes_an_administrator_once() {
    let room = Room::new().await;
    assert_eq!(room.first.link.user, "admin");
    assert!(room.control.bootstrap().await.unwrap().is_none());
    assert_eq!(operations(&room), ["bootstrap"]);
    let admin = room.control.show_principal(&Actor::Gateway, "admin").await.unwrap();
    assert_eq!((admin.principal.role, admin.team.as_str()), (Role::Admin, "default"));
}

#[tokio::test]
async fn members_may_nothing_and_auditors_only_read() {
    let room = Room::new().await;
    let (member, auditor) = (room.user(Role::Member).await, room.user(Role::Auditor).await);
    let page = || crate::Page::first(10);
    assert!(matches!(room.control.list_keys(&member, page()).await, Err(ControlError::Forbidden { .. })));
    assert!(room.control.list_keys(&auditor, page()).await.is_ok());
    for actor in [&member, &auditor] {
        let refused = room.control.add_principal(actor, agent("bot")).await;
        assert!(matches!(refused, Err(ControlError::Forbidden { needs: Role::Admin })));
        let refused = room.control.add_server(actor, server("files")).await;
        assert!(matches!(refused, Err(ControlError::Forbidden { needs: Role::Admin })));
    }
}

#[tokio::test]
async fn nothing_changes_while_the_ledger_is_down() {
    let room = Room::new().await;
    let admin = room.admin().await;
    room.recorder.set_down(true);
    let refused = room.control.add_principal(&admin, agent("bot")).await;
    assert!(matches!(refused, Err(ControlError::AuditUnavailable(_))));
    room.recorder.set_down(false);
    let missing = room.control.show_principal(&admin, "bot").await;
    assert!(matches!(missing, Err(ControlError::NotFound { .. })));
    room.control.add_principal(&admin, agent("bot")).await.unwrap();
    assert_eq!(operations(&room), ["bootstrap", "agent.add"]);
}

#[tokio::test]
async fn a_ledger_that_fails_between_record_and_commit_undoes_the_change() {
    let room = Room::new().await;
    let admin = room.admin().await;
    let bot = room.control.add_principal(&admin, agent("bot")).await.unwrap().principal.id;
    let before = room.control.snapshot().generation;
    room.recorder.set_settling(Settling::Failing);
    let added = room.control.add_principal(&admin, agent("other")).await;
    assert!(matches!(added, Err(ControlError::AuditUnavailable(_))), "{added:?}");
    let off = crate::PrincipalChange { enabled: Some(false), ..Default::default() };
    let changed = room.control.update_principal(&admin, "bot", off).await;
    assert!(matches!(changed, Err(ControlError::AuditUnavailable(_))), "{changed:?}");
    let registered = room.control.add_server(&admin, server("files")).await;
    assert!(matches!(registered, Err(ControlError::AuditUnavailable(_))), "{registered:?}");
    room.recorder.set_settling(Settling::AtOnce);
    // Neither this process, nor another that reads the store anew, knows of any of it.
    assert_eq!(room.control.snapshot().generation, before);
    let other = room.second_node();
    assert_eq!(other.catch_up().await.unwrap(), before);
    let snapshot = other.snapshot();
    assert!(snapshot.people.principal(bot).unwrap().enabled && snapshot.catalogue.server("files").is_none());
    let missing = other.show_principal(&admin, "other").await;
    assert!(matches!(missing, Err(ControlError::NotFound { .. })), "{missing:?}");
    room.control.add_principal(&admin, agent("other")).await.unwrap();
    assert_eq!(operations(&room), ["bootstrap", "agent.add", "agent.add"]);
}

#[tokio::test]
async fn a_change_that_fails_leaves_no_record() {
    let room = Room::new().await;
    let admin = room.admin().await;
    room.control.add_principal(&admin, agent("bot")).await.unwrap();
    let refused = room.control.add_principal(&admin, agent("bot")).await;
    assert!(matches!(refused, Err(ControlError::Conflict(_))), "{refused:?}");
    assert_eq!(operations(&room), ["bootstrap", "agent.add"]);
}

#[tokio::test]
async fn another_node_s_change_is_picked_up() {
    let room = Room::new().await;
    let admin = room.admin().await;
    let other = room.second_node();
    room.control.catch_up().await.unwrap();
    let mut snapshots = room.snapshots.clone();
    room.control.run(&room.tasks);
    snapshots.mark_unchanged();
    let added = other.add_principal(&admin, agent("bot")).await.unwrap();
    let seen = async {
        while snapshots.borrow_and_update().people.principal(added.principal.id).is_none() {
            snapshots.changed().await.unwrap();
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(5), seen).await.expect("within five seconds");
    room.tasks.shutdown(std::time::Duration::from_secs(5)).await.unwrap();
}
