//! Units of work: all or nothing, and one moment.

use bailiwick_model::{GrantId, GroupId, KeyId, PrincipalId, ServerId, TeamId, ToolsetId};
use bailiwick_store::{Page, StoreError};

use super::fixture::{NOW, commit, group, key, populate, principal, refused, server, team, toolset};
use crate::support::database::TestDatabase;

pub(crate) async fn what_is_dropped_without_commit_was_never_there(db: TestDatabase) {
    let mut tx = db.store.begin().await.unwrap();
    tx.teams().insert(&team(1)).await.unwrap();
    assert_eq!(tx.teams().get(team(1).id).await.unwrap(), Some(team(1)));
    drop(tx);

    let mut tx = db.store.read().await.unwrap();
    assert_eq!(tx.teams().get(team(1).id).await.unwrap(), None);
    assert_eq!(tx.generation().await.unwrap().0, 0);
}

pub(crate) async fn after_a_failed_statement_nothing_of_the_unit_is_kept(db: TestDatabase) {
    let mut tx = db.store.begin().await.unwrap();
    tx.teams().insert(&team(1)).await.unwrap();
    assert!(matches!(tx.teams().insert(&team(1)).await, Err(StoreError::Taken { what: "id" | "team name" })));
    assert!(matches!(tx.teams().insert(&team(2)).await, Err(StoreError::Aborted)));
    assert!(matches!(tx.commit().await, Err(StoreError::Aborted)));

    assert!(db.store.load_all().await.unwrap().teams.is_empty());
}

pub(crate) async fn a_reader_sees_one_moment_throughout(db: TestDatabase) {
    let mut reader = db.store.read().await.unwrap();
    let before = reader.generation().await.unwrap();
    commit(&db.store, async |tx| tx.teams().insert(&team(1)).await).await;

    assert_eq!(reader.teams().list(Page::first(10)).await.unwrap(), []);
    assert_eq!(reader.generation().await.unwrap(), before);
    assert_eq!(db.store.load_all().await.unwrap().teams, [team(1)]);
}

pub(crate) async fn a_nul_character_is_refused_on_both_databases_alike(db: TestDatabase) {
    populate(&db.store).await;
    let mut principal = principal(9);
    principal.display_name = "a\0b".into();
    let error = refused(&db.store, async |tx| tx.principals().insert(&principal).await).await;
    assert!(matches!(error, StoreError::Unstorable), "{error:?}");
}

pub(crate) async fn what_is_not_found_is_none(db: TestDatabase) {
    let mut tx = db.store.begin().await.unwrap();
    assert_eq!(tx.teams().get(TeamId::from_bits(9)).await.unwrap(), None);
    assert_eq!(tx.principals().get(PrincipalId::from_bits(9)).await.unwrap(), None);
    assert_eq!(tx.groups().get(GroupId::from_bits(9)).await.unwrap(), None);
    assert_eq!(tx.servers().get(ServerId::from_bits(9)).await.unwrap(), None);
    assert!(tx.discoveries().get(ServerId::from_bits(9)).await.unwrap().is_none());
    assert_eq!(tx.toolsets().get(ToolsetId::from_bits(9)).await.unwrap(), None);
    assert_eq!(tx.grants().get(GrantId::from_bits(9)).await.unwrap(), None);
    assert_eq!(tx.keys().get(KeyId::from_bits(9)).await.unwrap(), None);
    assert_eq!(tx.settings().get("absent").await.unwrap(), None);
}

pub(crate) async fn a_change_of_what_is_not_there_is_false_and_no_change(db: TestDatabase) {
    let mut tx = db.store.begin().await.unwrap();
    assert!(!tx.teams().update(&team(9)).await.unwrap());
    assert!(!tx.principals().update(&principal(9)).await.unwrap());
    assert!(!tx.groups().update(&group(9, &[])).await.unwrap());
    assert!(!tx.servers().update(&server(9)).await.unwrap());
    assert!(!tx.toolsets().update(&toolset(9, vec![])).await.unwrap());
    assert!(!tx.keys().revoke(key(9, 9).id, NOW).await.unwrap());
    assert!(!tx.teams().delete(TeamId::from_bits(9)).await.unwrap());
    assert!(!tx.servers().delete(ServerId::from_bits(9)).await.unwrap());
    assert_eq!(tx.commit().await.unwrap().0, 0, "nothing changed");
}

pub(crate) async fn a_fact_that_is_made_once_is_the_same_for_everyone(db: TestDatabase) {
    let other_node = db.open().await.unwrap();
    let first = async |store: &bailiwick_store::Store, value: &str| {
        let mut tx = store.begin().await.unwrap();
        let held = tx.settings().put_if_absent("installation", value).await.unwrap();
        tx.commit().await.unwrap();
        held
    };
    let (one, two) = tokio::join!(first(&db.store, "one"), first(&other_node, "two"));
    assert_eq!(one, two);

    let mut tx = db.store.begin().await.unwrap();
    tx.settings().put("installation", "three").await.unwrap();
    assert_eq!(tx.settings().get("installation").await.unwrap().as_deref(), Some("three"));
}
