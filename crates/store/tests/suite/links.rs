//! One-time links: exactly one use.

use std::sync::Arc;

use bailiwick_store::{AdminLink, Store};
use tokio::sync::Barrier;

use super::fixture::{NOW, at, commit, populate, principal, shared};
use crate::support::database::TestDatabase;

const TOKEN: [u8; 32] = [7; 32];

async fn with_link(store: &Store) {
    populate(store).await;
    let link = AdminLink {
        token_hash: TOKEN,
        principal: principal(1).id,
        expires_at: at(600),
        used_at: None,
        created_at: NOW,
    };
    commit(store, async |tx| tx.admin_links().insert(&link).await).await;
}

pub(crate) async fn a_link_lets_in_once(db: TestDatabase) {
    with_link(&db.store).await;
    let mut tx = db.store.begin().await.unwrap();
    assert_eq!(tx.admin_links().consume(&[8; 32], at(1)).await.unwrap(), None);
    assert_eq!(tx.admin_links().consume(&TOKEN, at(1)).await.unwrap(), Some(principal(1).id));
    assert_eq!(tx.admin_links().consume(&TOKEN, at(1)).await.unwrap(), None);
    tx.commit().await.unwrap();

    let mut tx = db.store.begin().await.unwrap();
    assert_eq!(tx.admin_links().consume(&TOKEN, at(2)).await.unwrap(), None);
    assert_eq!(tx.admin_links().get(&TOKEN).await.unwrap().unwrap().used_at, Some(at(1)));
}

pub(crate) async fn an_expired_link_lets_nobody_in(db: TestDatabase) {
    with_link(&db.store).await;
    let mut tx = db.store.begin().await.unwrap();
    assert_eq!(tx.admin_links().consume(&TOKEN, at(600)).await.unwrap(), None);
    assert_eq!(tx.admin_links().forget_expired(at(599)).await.unwrap(), 0);
    assert_eq!(tx.admin_links().forget_expired(at(600)).await.unwrap(), 1);
    assert_eq!(tx.admin_links().get(&TOKEN).await.unwrap(), None);
}

pub(crate) async fn of_many_that_race_for_one_link_exactly_one_wins(db: TestDatabase) {
    with_link(&db.store).await;
    let nodes = [shared(&db.store), shared(&db.open().await.unwrap())];
    let start = Arc::new(Barrier::new(8));
    let mut racers = tokio::task::JoinSet::new();
    for n in 0..8 {
        let (store, start) = (Arc::clone(&nodes[n % 2]), Arc::clone(&start));
        racers.spawn(async move {
            start.wait().await;
            let mut tx = store.begin().await.unwrap();
            let won = tx.admin_links().consume(&TOKEN, at(1)).await.unwrap().is_some();
            tx.commit().await.unwrap();
            won
        });
    }
    let won = racers.join_all().await.into_iter().filter(|won| *won).count();
    assert_eq!(won, 1);
}

pub(crate) async fn a_use_that_is_not_committed_does_not_count(db: TestDatabase) {
    with_link(&db.store).await;
    let mut tx = db.store.begin().await.unwrap();
    assert!(tx.admin_links().consume(&TOKEN, at(1)).await.unwrap().is_some());
    drop(tx);
    let mut tx = db.store.begin().await.unwrap();
    assert!(tx.admin_links().consume(&TOKEN, at(2)).await.unwrap().is_some());
}
