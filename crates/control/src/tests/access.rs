//! Keys and grants bite at once.

use std::time::Duration;

use bailiwick_identity::{AuthError, authenticate};
use bailiwick_model::Clock as _;
use bailiwick_model::definition::DefinitionKind;
use bailiwick_model::grant::{Action, Grantee};
use bailiwick_model::key::Audience;
use bailiwick_model::principal::Role;
use http::HeaderMap;
use secrecy::ExposeSecret as _;

use super::{agent, operations, server};
use crate::testing::Room;
use crate::{ControlError, NewGrant, NewKey, Page, PrincipalChange, WantedScope};

fn try_key(room: &Room, text: &str) -> Result<(), AuthError> {
    let mut headers = HeaderMap::new();
    headers.insert("authorization", format!("Bearer {text}").parse().unwrap());
    let snapshot = room.snapshots.borrow();
    authenticate(&snapshot.keys, &headers, Audience::Mcp, room.clock.now()).map(drop)
}

fn grant(scope: WantedScope) -> NewGrant {
    NewGrant { principal: Some("bot".into()), group: None, scope, actions: vec![], expires_in: None }
}

#[tokio::test]
async fn a_key_works_when_it_is_issued_and_not_when_it_is_revoked() {
    let room = Room::new().await;
    let admin = room.admin().await;
    room.control.add_principal(&admin, agent("bot")).await.unwrap();
    let text = room.key("bot", Audience::Mcp).await;
    assert_eq!(try_key(&room, text.expose_secret()), Ok(()));
    let listed = room.control.list_keys(&admin, Page::first(10)).await.unwrap();
    let id = listed.items[0].key.id;
    room.control.revoke_key(&admin, id).await.unwrap();
    assert_eq!(try_key(&room, text.expose_secret()), Err(AuthError::Revoked));
    room.control.revoke_key(&admin, id).await.unwrap();
    assert_eq!(operations(&room), ["bootstrap", "agent.add", "key.issue", "key.revoke"]);
}

#[tokio::test]
async fn a_disabled_principal_s_key_is_refused_at_once() {
    let room = Room::new().await;
    let admin = room.admin().await;
    room.control.add_principal(&admin, agent("bot")).await.unwrap();
    let text = room.key("bot", Audience::Mcp).await;
    let off = PrincipalChange { enabled: Some(false), ..PrincipalChange::default() };
    room.control.update_principal(&admin, "bot", off).await.unwrap();
    assert_eq!(try_key(&room, text.expose_secret()), Err(AuthError::Disabled));
}

#[tokio::test]
async fn the_text_of_a_key_is_nowhere_in_store_and_ledger() {
    let room = Room::new().await;
    let admin = room.admin().await;
    room.control.add_principal(&admin, agent("bot")).await.unwrap();
    let text = room.key("bot", Audience::Mcp).await;
    let secret = &text.expose_secret()[15..];
    let everything = room.bytes();
    assert!(!everything.windows(secret.len()).any(|window| window == secret.as_bytes()));
}

#[tokio::test]
async fn admin_keys_are_for_users_with_a_role() {
    let room = Room::new().await;
    let admin = room.admin().await;
    room.control.add_principal(&admin, agent("bot")).await.unwrap();
    room.user(Role::Member).await;
    for name in ["bot", "member"] {
        let new = NewKey {
            principal: name.into(),
            label: String::new(),
            audience: Audience::Admin,
            expires_in: Some(Duration::from_secs(60)),
        };
        let refused = room.control.issue_key(&admin, new).await;
        assert!(matches!(refused, Err(ControlError::Invalid { field: "audience", .. })), "{name}");
    }
}

#[tokio::test]
async fn grants_are_in_the_snapshot_until_they_are_taken_back() {
    let room = Room::new().await;
    let admin = room.admin().await;
    room.control.add_server(&admin, server("files")).await.unwrap();
    let bot = room.control.add_principal(&admin, agent("bot")).await.unwrap().principal.id;
    let on = WantedScope::Definition {
        server: "files".into(),
        kind: DefinitionKind::Tool,
        key: "read_file".into(),
    };
    let made = room.control.add_grant(&admin, grant(on)).await.unwrap();
    assert_eq!(made.grant.actions, [Action::List, Action::Call]);
    let granted = || room.snapshots.borrow().grants.of(Grantee::Principal(bot)).len();
    assert_eq!(granted(), 1);
    room.control.revoke_grant(&admin, made.grant.id).await.unwrap();
    assert_eq!(granted(), 0);
    let gone = room.control.revoke_grant(&admin, made.grant.id).await;
    assert!(matches!(gone, Err(ControlError::NotFound { .. })));
}

#[tokio::test]
async fn a_server_registered_anew_under_an_old_name_inherits_no_grant() {
    let room = Room::new().await;
    let admin = room.admin().await;
    let bot = room.control.add_principal(&admin, agent("bot")).await.unwrap().principal.id;
    room.control.add_server(&admin, server("files")).await.unwrap();
    room.control.add_grant(&admin, grant(WantedScope::Server("files".into()))).await.unwrap();
    room.control.remove_server(&admin, "files").await.unwrap();
    room.control.add_server(&admin, server("files")).await.unwrap();
    assert!(room.snapshots.borrow().grants.of(Grantee::Principal(bot)).is_empty());
    let listed = room.control.list_grants(&admin, Page::first(10)).await.unwrap();
    assert!(listed.items.is_empty());
}

#[tokio::test]
async fn a_grant_names_things_that_exist() {
    let room = Room::new().await;
    let admin = room.admin().await;
    room.control.add_principal(&admin, agent("bot")).await.unwrap();
    let refused = room.control.add_grant(&admin, grant(WantedScope::Server("files".into()))).await;
    assert!(matches!(refused, Err(ControlError::NotFound { what: "server", .. })));
    let both = NewGrant { group: Some("team".into()), ..grant(WantedScope::Server("files".into())) };
    assert!(matches!(room.control.add_grant(&admin, both).await, Err(ControlError::Invalid { .. })));
}
