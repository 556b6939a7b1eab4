//! Keys for bodies: one in use per principal and class, destroyed for good.

use std::collections::HashSet;

use bailiwick_model::body_key::{BodyKey, Destroyed};
use bailiwick_model::{BodyKeyId, PrincipalId, RetentionClass};
use bailiwick_store::{BodyKeyEntry, Sealed};

use super::fixture::{NOW, at, commit, populate, principal, shared};
use crate::support::database::TestDatabase;

fn class(name: &str) -> RetentionClass {
    name.parse().unwrap()
}

fn body_key(n: u128, principal: u128, name: &str) -> BodyKey {
    BodyKey {
        id: BodyKeyId::from_bits(n),
        principal: PrincipalId::from_bits(principal),
        class: class(name),
        created_at: NOW,
        destroyed: None,
    }
}

fn sealed(n: u128) -> Sealed {
    Sealed(vec![u8::try_from(n).unwrap(); 61])
}

fn how() -> Destroyed {
    Destroyed { at: at(9), by: Some(PrincipalId::from_bits(3)), reason: "Art. 17, № 4711".into() }
}

/// Adds keys of (number, principal, class).
async fn add(db: &TestDatabase, keys: &[(u128, u128, &str)]) {
    commit(&db.store, async |tx| {
        for (n, principal, name) in keys {
            assert!(tx.body_keys().insert(&body_key(*n, *principal, name), &sealed(*n)).await?);
        }
        Ok(())
    })
    .await;
}

pub(crate) async fn keys_read_back_as_written(db: TestDatabase) {
    let before = db.store.generation().await.unwrap();
    add(&db, &[(1, 1, "standard"), (2, 1, "long"), (3, 2, "standard")]).await;
    assert_eq!(db.store.generation().await.unwrap(), before, "no call waits for a key to be made known");

    let mut tx = db.store.read().await.unwrap();
    let found = tx.body_keys().get(BodyKeyId::from_bits(2)).await.unwrap();
    let wanted = BodyKeyEntry { key: body_key(2, 1, "long"), sealed: Some(sealed(2)) };
    assert_eq!(found.as_ref(), Some(&wanted));
    assert!(!format!("{found:?}").contains("[2, 2"));
    let one = PrincipalId::from_bits(1);
    assert_eq!(tx.body_keys().live(one, &class("long")).await.unwrap(), Some(wanted));
    assert_eq!(tx.body_keys().live(one, &class("other")).await.unwrap(), None);
    let of_one = [body_key(1, 1, "standard"), body_key(2, 1, "long")];
    assert_eq!(tx.body_keys().live_of(one).await.unwrap(), of_one);
    let all = tx.body_keys().every_live().await.unwrap();
    assert_eq!(all.iter().map(|entry| entry.key.id.to_bits()).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(tx.body_keys().get(BodyKeyId::from_bits(9)).await.unwrap(), None);
}

pub(crate) async fn one_key_of_a_principal_and_class_is_in_use(db: TestDatabase) {
    add(&db, &[(1, 1, "standard")]).await;
    commit(&db.store, async |tx| {
        assert!(!tx.body_keys().insert(&body_key(2, 1, "standard"), &sealed(2)).await?);
        let live = tx.body_keys().live(PrincipalId::from_bits(1), &class("standard")).await?;
        assert_eq!(live.map(|entry| entry.key), Some(body_key(1, 1, "standard")));
        Ok(())
    })
    .await;
}

pub(crate) async fn of_many_that_race_for_a_first_key_all_get_one(db: TestDatabase) {
    let store = shared(&db.store);
    let mut racers = tokio::task::JoinSet::new();
    for n in 1..=8 {
        let store = store.clone();
        racers.spawn(async move {
            let mut tx = store.begin().await.unwrap();
            let key = body_key(n, 1, "standard");
            let made = tx.body_keys().insert(&key, &sealed(n)).await.unwrap();
            let live = tx.body_keys().live(key.principal, &key.class).await.unwrap().unwrap();
            tx.commit().await.unwrap();
            (made, live.key.id)
        });
    }
    let ends = racers.join_all().await;
    assert_eq!(ends.iter().filter(|(made, _)| *made).count(), 1);
    assert_eq!(ends.iter().map(|(_, id)| *id).collect::<HashSet<_>>().len(), 1, "{ends:?}");
}

pub(crate) async fn a_destroyed_key_is_gone_for_good_and_tells_how(db: TestDatabase) {
    add(&db, &[(1, 1, "standard"), (2, 1, "long")]).await;
    let before = db.store.generation().await.unwrap();
    let key = body_key(1, 1, "standard");
    let after = commit(&db.store, async |tx| {
        assert!(tx.body_keys().destroy(&key, &how()).await?);
        let again = Destroyed { reason: "again".into(), ..how() };
        assert!(!tx.body_keys().destroy(&key, &again).await?);
        Ok(())
    })
    .await;
    assert!(after > before, "every node learns of it");

    let mut tx = db.store.read().await.unwrap();
    let wanted = BodyKeyEntry { key: BodyKey { destroyed: Some(how()), ..key.clone() }, sealed: None };
    assert_eq!(tx.body_keys().get(key.id).await.unwrap(), Some(wanted));
    assert_eq!(tx.body_keys().live(key.principal, &key.class).await.unwrap(), None);
    assert_eq!(tx.body_keys().live_of(key.principal).await.unwrap(), [body_key(2, 1, "long")]);
    drop(tx);
    // The next one of the same principal and class.
    add(&db, &[(3, 1, "standard")]).await;
    let live = db.store.read().await.unwrap().body_keys().live(key.principal, &key.class).await.unwrap();
    assert_eq!(live.map(|entry| entry.key.id.to_bits()), Some(3));
}

pub(crate) async fn a_key_outlives_its_principal(db: TestDatabase) {
    populate(&db.store).await;
    add(&db, &[(1, 1, "standard")]).await;
    commit(&db.store, async |tx| tx.principals().delete(principal(1).id).await.map(drop)).await;
    let mut tx = db.store.read().await.unwrap();
    assert!(tx.body_keys().get(BodyKeyId::from_bits(1)).await.unwrap().is_some());
}

pub(crate) async fn a_key_that_is_not_known_can_be_told_to_be_destroyed(db: TestDatabase) {
    add(&db, &[(2, 1, "standard")]).await;
    let gone = body_key(1, 1, "standard");
    commit(&db.store, async |tx| {
        assert!(tx.body_keys().destroy(&gone, &how()).await?);
        Ok(())
    })
    .await;
    let mut tx = db.store.read().await.unwrap();
    let told = tx.body_keys().get(gone.id).await.unwrap().unwrap();
    assert_eq!((told.key.destroyed, told.sealed), (Some(how()), None));
    assert_eq!(tx.body_keys().live_of(gone.principal).await.unwrap(), [body_key(2, 1, "standard")]);
}
