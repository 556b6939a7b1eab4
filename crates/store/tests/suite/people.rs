//! Teams, principals, groups, keys, and paging.

use bailiwick_model::PrincipalId;
use bailiwick_model::grant::{Grantee, Scope};
use bailiwick_model::principal::Role;
use bailiwick_store::{Page, StoreError};

use super::fixture::{at, commit, grant, group, key, populate, principal, refused, server, team};
use crate::support::database::TestDatabase;

pub(crate) async fn principals_read_back_as_written(db: TestDatabase) {
    populate(&db.store).await;
    let mut changed = principal(2);
    changed.display_name = "Anna".into();
    changed.role = Role::Admin;
    changed.enabled = false;
    commit(&db.store, async |tx| tx.principals().update(&changed).await.map(drop)).await;

    let mut tx = db.store.read().await.unwrap();
    assert_eq!(tx.principals().get(principal(1).id).await.unwrap(), Some(principal(1)));
    assert_eq!(tx.principals().get(changed.id).await.unwrap(), Some(changed));
    let found = tx.principals().by_subject("bailiwick", "subject-3").await.unwrap();
    assert_eq!(found, Some(principal(3)));
    assert_eq!(tx.principals().by_subject("elsewhere", "subject-3").await.unwrap(), None);
}

pub(crate) async fn issuer_and_subject_are_unique_together(db: TestDatabase) {
    populate(&db.store).await;
    let mut twin = principal(9);
    twin.subject = principal(1).subject;
    let error = refused(&db.store, async |tx| tx.principals().insert(&twin).await).await;
    assert!(matches!(error, StoreError::Taken { what: "issuer and subject" }), "{error:?}");

    twin.issuer = "https://idp.example".into();
    commit(&db.store, async |tx| tx.principals().insert(&twin).await).await;
}

pub(crate) async fn a_team_that_owns_something_cannot_be_deleted(db: TestDatabase) {
    populate(&db.store).await;
    let error = refused(&db.store, async |tx| tx.teams().delete(team(1).id).await).await;
    assert!(matches!(error, StoreError::InUse { what: "team" }), "{error:?}");

    commit(&db.store, async |tx| tx.teams().insert(&team(2)).await).await;
    commit(&db.store, async |tx| tx.teams().delete(team(2).id).await.map(drop)).await;
    let mut tx = db.store.read().await.unwrap();
    assert_eq!(tx.teams().by_name(&team(1).name).await.unwrap(), Some(team(1)));
    assert_eq!(tx.teams().by_name(&team(2).name).await.unwrap(), None);
}

pub(crate) async fn a_principal_of_no_team_is_dangling(db: TestDatabase) {
    let error = refused(&db.store, async |tx| tx.principals().insert(&principal(1)).await).await;
    assert!(matches!(error, StoreError::Dangling), "{error:?}");
}

pub(crate) async fn groups_read_back_with_their_members(db: TestDatabase) {
    populate(&db.store).await;
    commit(&db.store, async |tx| {
        tx.groups().insert(&group(2, &[])).await?;
        tx.groups().insert(&group(3, &[1, 3])).await?;
        tx.groups().update(&group(1, &[3])).await.map(drop)
    })
    .await;

    let mut tx = db.store.read().await.unwrap();
    let all = [group(1, &[3]), group(2, &[]), group(3, &[1, 3])];
    assert_eq!(tx.groups().list(Page::first(10)).await.unwrap(), all);
    assert_eq!(tx.groups().by_name(&group(3, &[]).name).await.unwrap(), Some(group(3, &[1, 3])));

    let error = refused(&db.store, async |tx| tx.groups().insert(&group(4, &[1, 77])).await).await;
    assert!(matches!(error, StoreError::Dangling), "{error:?}");
    let error = refused(&db.store, async |tx| tx.groups().insert(&group(4, &[1, 1])).await).await;
    assert!(matches!(error, StoreError::Taken { what: "group member" }), "{error:?}");
}

pub(crate) async fn members_come_and_go_one_by_one(db: TestDatabase) {
    let before = populate(&db.store).await;
    let (group_id, third) = (group(1, &[]).id, PrincipalId::from_bits(3));
    let mut tx = db.store.begin().await.unwrap();
    assert!(tx.groups().add_member(group_id, third).await.unwrap());
    assert!(!tx.groups().add_member(group_id, third).await.unwrap());
    assert!(tx.groups().remove_member(group_id, PrincipalId::from_bits(1)).await.unwrap());
    assert!(!tx.groups().remove_member(group_id, PrincipalId::from_bits(1)).await.unwrap());
    assert_eq!(tx.groups().get(group_id).await.unwrap(), Some(group(1, &[2, 3])));
    assert!(tx.commit().await.unwrap() > before);
}

pub(crate) async fn a_group_of_thousands_is_written_whole(db: TestDatabase) {
    let members: Vec<u128> = (1..=1_201).collect();
    commit(&db.store, async |tx| {
        tx.teams().insert(&team(1)).await?;
        for n in &members {
            tx.principals().insert(&principal(*n)).await?;
        }
        tx.groups().insert(&group(1, &members)).await
    })
    .await;
    assert_eq!(db.store.load_all().await.unwrap().groups, [group(1, &members)]);
}

pub(crate) async fn keys_read_back_as_written(db: TestDatabase) {
    populate(&db.store).await;
    commit(&db.store, async |tx| {
        tx.keys().insert(&key(1, 1)).await?;
        tx.keys().insert(&key(2, 2)).await?;
        tx.keys().insert(&key(3, 1)).await
    })
    .await;

    let mut tx = db.store.read().await.unwrap();
    assert_eq!(tx.keys().get(key(1, 1).id).await.unwrap(), Some(key(1, 1)));
    assert_eq!(tx.keys().by_prefix("prefix2").await.unwrap(), Some(key(2, 2)));
    assert_eq!(tx.keys().list(Page::first(2)).await.unwrap(), [key(1, 1), key(2, 2)]);
    let firsts = tx.keys().list_of(principal(1).id, Page::first(9)).await.unwrap();
    assert_eq!(firsts, [key(1, 1), key(3, 1)]);

    let mut twin = key(9, 1);
    twin.prefix = "prefix1".into();
    let error = refused(&db.store, async |tx| tx.keys().insert(&twin).await).await;
    assert!(matches!(error, StoreError::Taken { what: "key prefix" }), "{error:?}");
}

pub(crate) async fn a_key_is_revoked_once_and_for_good(db: TestDatabase) {
    populate(&db.store).await;
    let before = commit(&db.store, async |tx| tx.keys().insert(&key(1, 1)).await).await;

    let mut tx = db.store.begin().await.unwrap();
    assert!(tx.keys().revoke(key(1, 1).id, at(5)).await.unwrap());
    assert!(!tx.keys().revoke(key(1, 1).id, at(9)).await.unwrap());
    assert!(tx.commit().await.unwrap() > before);

    assert_eq!(db.store.load_all().await.unwrap().keys[0].revoked_at, Some(at(5)));
}

pub(crate) async fn touching_keys_never_goes_back_in_time(db: TestDatabase) {
    populate(&db.store).await;
    let (one, two, gone) = (key(1, 1), key(2, 2), key(7, 1));
    let before = commit(&db.store, async |tx| {
        tx.keys().insert(&one).await?;
        tx.keys().insert(&two).await
    })
    .await;

    let uses = [(one.id, at(9)), (two.id, at(1)), (gone.id, at(1)), (one.id, at(3))];
    let after = commit(&db.store, async |tx| tx.keys().touch(&uses).await).await;

    assert_eq!(after, before);
    let keys = db.store.load_all().await.unwrap().keys;
    assert_eq!([keys[0].last_used_at, keys[1].last_used_at], [Some(at(9)), Some(at(1))]);
}

pub(crate) async fn a_deleted_principal_takes_its_keys_grants_and_memberships_along(db: TestDatabase) {
    populate(&db.store).await;
    let scope = Scope::Server { server: server(1).id };
    commit(&db.store, async |tx| {
        tx.keys().insert(&key(1, 1)).await?;
        tx.keys().insert(&key(2, 2)).await?;
        tx.grants().insert(&grant(1, Grantee::Principal(principal(1).id), scope.clone())).await?;
        tx.grants().insert(&grant(2, Grantee::Group(group(1, &[]).id), scope.clone())).await?;
        tx.principals().delete(principal(1).id).await.map(drop)
    })
    .await;

    let image = db.store.load_all().await.unwrap();
    assert_eq!(image.keys, [key(2, 2)]);
    assert_eq!(image.groups, [group(1, &[2])]);
    assert_eq!(image.grants, [grant(2, Grantee::Group(group(1, &[]).id), scope)]);

    commit(&db.store, async |tx| tx.groups().delete(group(1, &[]).id).await.map(drop)).await;
    assert_eq!(db.store.load_all().await.unwrap().grants, []);
}

pub(crate) async fn lists_come_in_pieces_that_stay_right_while_rows_come_and_go(db: TestDatabase) {
    commit(&db.store, async |tx| {
        for n in [3, 1, 0x10, 5, 0xab] {
            tx.teams().insert(&team(n)).await?;
        }
        Ok(())
    })
    .await;
    let piece = async |page| db.store.read().await.unwrap().teams().list(page).await.unwrap();

    assert_eq!(piece(Page::first(2)).await, [team(1), team(3)]);
    commit(&db.store, async |tx| tx.teams().delete(team(3).id).await.map(drop)).await;
    commit(&db.store, async |tx| tx.teams().insert(&team(2)).await).await;
    assert_eq!(piece(Page::after(team(3).id, 2)).await, [team(5), team(0x10)]);
    assert_eq!(piece(Page::after(team(0x10).id, 2)).await, [team(0xab)]);
    assert_eq!(piece(Page::after(team(0xab).id, 2)).await, []);
    assert_eq!(piece(Page::first(0)).await, []);
}
