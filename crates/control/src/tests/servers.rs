//! Registering servers.

use std::collections::BTreeMap;

use bailiwick_model::server::{Confinement, Sharing, Transport, Value};
use secrecy::ExposeSecret as _;

use super::{operations, server};
use crate::testing::Room;
use crate::{Control, ControlError, NewServer, ServerChange};

const TOKEN: &str = "the-token-that-nobody-may-see";

fn with_secret(name: &str) -> NewServer {
    let headers = BTreeMap::from([("Authorization".to_owned(), Value::Secret)]);
    NewServer {
        transport: Transport::Http { url: "http://127.0.0.1:9/mcp".into(), headers },
        secrets: BTreeMap::from([("Authorization".to_owned(), TOKEN.into())]),
        ..server(name)
    }
}

fn moved(url: &str) -> ServerChange {
    let headers = BTreeMap::from([("authorization".to_owned(), Value::Secret)]);
    let transport = Some(Transport::Http { url: url.into(), headers });
    ServerChange { transport, ..ServerChange::default() }
}

async fn kept_secret(control: &Control, name: &str) -> Option<String> {
    let snapshot = control.snapshot();
    let id = snapshot.catalogue.server(name).unwrap().server.id;
    let mut tx = control.parts().store.read().await.unwrap();
    let sealed = tx.secrets().of(id).await.unwrap().remove("authorization")?;
    Some(control.unseal(id, "authorization", &sealed.0).unwrap().expose_secret().to_owned())
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_registered_and_says_why() {
    let room = Room::new().await;
    let admin = room.admin().await;
    let added = room.control.add_server(&admin, server("files")).await.unwrap();
    assert!(added.detail.discovery.is_none());
    let failure = added.detail.failure.expect("it cannot be reached");
    assert!(!failure.reason.contains("127.0.0.1"), "no address in {}", failure.reason);
    let snapshot = room.snapshots.borrow();
    let known = snapshot.catalogue.server("files").expect("it is in the catalogue");
    assert!(known.stale && !known.available);
}

#[tokio::test]
async fn a_secret_is_sealed_and_in_no_view_record_or_file() {
    let room = Room::new().await;
    let admin = room.admin().await;
    let added = room.control.add_server(&admin, with_secret("crm")).await.unwrap();
    assert!(!format!("{added:?}").contains(TOKEN));
    assert!(!room.bytes().windows(TOKEN.len()).any(|window| window == TOKEN.as_bytes()));
    assert_eq!(kept_secret(&room.control, "crm").await.as_deref(), Some(TOKEN));
    let records = room.records();
    let last = records.iter().rfind(|record| record["operation"] == "server.add").unwrap();
    assert_eq!(last["after"]["secrets_set"][0], "Authorization");
    assert_eq!(last["who"]["subject"], "admin");
}

#[tokio::test]
async fn a_sealed_secret_does_not_open_for_another_server() {
    let room = Room::new().await;
    let admin = room.admin().await;
    let one = room.control.add_server(&admin, with_secret("one")).await.unwrap().detail.server.id;
    let two = room.control.add_server(&admin, with_secret("two")).await.unwrap().detail.server.id;
    let mut tx = room.control.parts().store.read().await.unwrap();
    let sealed = tx.secrets().of(one).await.unwrap().remove("authorization").unwrap();
    assert!(room.control.unseal(one, "authorization", &sealed.0).is_ok());
    assert!(room.control.unseal(two, "authorization", &sealed.0).is_err());
    assert!(room.control.unseal(one, "x-other", &sealed.0).is_err());
}

#[tokio::test]
async fn a_secret_stays_with_its_origin_and_does_not_follow_the_server_elsewhere() {
    let room = Room::new().await;
    let admin = room.admin().await;
    room.control.add_server(&admin, with_secret("crm")).await.unwrap();
    room.control.update_server(&admin, "crm", moved("http://127.0.0.1:9/other")).await.unwrap();
    assert_eq!(kept_secret(&room.control, "crm").await.as_deref(), Some(TOKEN));
    let refused = room.control.update_server(&admin, "crm", moved("http://127.0.0.1:10/mcp")).await;
    assert!(matches!(refused, Err(ControlError::Invalid { .. })), "{refused:?}");
    let anew = ServerChange {
        secrets: BTreeMap::from([("authorization".to_owned(), "another".into())]),
        ..moved("http://127.0.0.1:10/mcp")
    };
    room.control.update_server(&admin, "crm", anew).await.unwrap();
    assert_eq!(kept_secret(&room.control, "crm").await.as_deref(), Some("another"));
    let without = Transport::Http { url: "http://127.0.0.1:10/mcp".into(), headers: BTreeMap::new() };
    let change = ServerChange { transport: Some(without), ..ServerChange::default() };
    room.control.update_server(&admin, "crm", change).await.unwrap();
    assert_eq!(kept_secret(&room.control, "crm").await, None, "what is not declared is not kept");
}

#[tokio::test]
async fn secrets_and_their_marks_must_agree() {
    let room = Room::new().await;
    let admin = room.admin().await;
    let unvalued = NewServer { secrets: BTreeMap::new(), ..with_secret("crm") };
    assert!(matches!(room.control.add_server(&admin, unvalued).await, Err(ControlError::Invalid { .. })));
    let unmarked = NewServer { secrets: BTreeMap::from([("x".to_owned(), "y".into())]), ..server("crm") };
    assert!(matches!(room.control.add_server(&admin, unmarked).await, Err(ControlError::Invalid { .. })));
    assert_eq!(operations(&room), ["bootstrap"]);
}

#[tokio::test]
async fn names_come_from_the_registry_s_and_are_unique() {
    let room = Room::new().await;
    let admin = room.admin().await;
    let from_registry =
        || NewServer { name: None, registry_name: Some("io.github.acme/Weather".into()), ..server("x") };
    for expected in ["weather", "weather-2", "weather-3"] {
        let added = room.control.add_server(&admin, from_registry()).await.unwrap();
        assert_eq!(added.detail.server.name.as_str(), expected);
    }
    let taken = room.control.add_server(&admin, server("weather")).await;
    assert!(matches!(taken, Err(ControlError::Conflict(_))));
}

#[tokio::test]
async fn only_allowed_commands_are_started() {
    let room = Room::allowing(&["npx"]).await;
    let admin = room.admin().await;
    let stdio = |command: &str| NewServer {
        transport: Transport::Stdio {
            command: command.into(),
            args: vec![],
            env: BTreeMap::new(),
            cwd: None,
            sharing: Sharing::Principal,
            confinement: Confinement::default(),
        },
        enabled: false,
        ..server(command.trim_start_matches('/'))
    };
    let refused = room.control.add_server(&admin, stdio("sh")).await;
    assert!(matches!(refused, Err(ControlError::Invalid { field: "transport.command", .. })));
    room.control.add_server(&admin, stdio("npx")).await.unwrap();
}

#[tokio::test]
async fn a_disabled_server_is_not_contacted() {
    let room = Room::new().await;
    let admin = room.admin().await;
    let disabled = NewServer { enabled: false, ..server("files") };
    let added = room.control.add_server(&admin, disabled).await.unwrap();
    assert!(added.detail.failure.is_none() && added.detail.health.is_none());
    let refused = room.control.refresh_server(&admin, "files").await;
    assert!(matches!(refused, Err(ControlError::Conflict(_))));
}

#[tokio::test]
async fn an_address_that_egress_forbids_is_explained() {
    let room = Room::new().await;
    let admin = room.admin().await;
    let private = NewServer {
        transport: Transport::Http { url: "http://10.1.2.3/mcp".into(), headers: BTreeMap::new() },
        ..server("private")
    };
    let added = room.control.add_server(&admin, private).await.unwrap();
    assert!(added.warnings.iter().any(|warning| warning.contains("egress.allow")), "{added:?}");
}
