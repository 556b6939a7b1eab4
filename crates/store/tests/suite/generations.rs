//! Generations: one per change, in the order of the commits, seen by everyone.

use std::sync::Arc;
use std::time::Duration;

use bailiwick_model::Generation;

use super::fixture::{at, commit, key, populate, shared, team};
use crate::support::database::TestDatabase;

pub(crate) async fn every_commit_that_changes_something_has_the_next_generation(db: TestDatabase) {
    for n in 1..=3u32 {
        let generation = commit(&db.store, async |tx| {
            tx.teams().insert(&team(n.into())).await?;
            tx.teams().update(&team(n.into())).await.map(drop)
        });
        assert_eq!(generation.await, Generation(n.into()));
    }
    assert_eq!(db.store.generation().await.unwrap(), Generation(3));
}

pub(crate) async fn what_no_call_depends_on_leaves_the_generation_alone(db: TestDatabase) {
    populate(&db.store).await;
    let before = commit(&db.store, async |tx| tx.keys().insert(&key(1, 1)).await).await;
    let after = commit(&db.store, async |tx| {
        tx.keys().touch(&[(key(1, 1).id, at(1))]).await?;
        tx.settings().put("a", "b").await
    });
    assert_eq!(after.await, before);
}

pub(crate) async fn commits_that_race_get_generations_of_their_own_in_order(db: TestDatabase) {
    let nodes = [shared(&db.store), shared(&db.open().await.unwrap())];
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..6u32 {
        let store = Arc::clone(&nodes[usize::try_from(writer % 2).unwrap()]);
        writers.spawn(async move {
            let mut got = Vec::new();
            for n in 0..5u32 {
                let team = team((writer * 100 + n).into());
                let generation = commit(&store, async |tx| tx.teams().insert(&team).await).await;
                // What a commit says is in force is what a reader then sees, or something later.
                assert!(store.generation().await.unwrap() >= generation);
                got.push(generation.0);
            }
            assert!(got.is_sorted(), "{got:?}");
            got
        });
    }
    let mut all: Vec<u64> = writers.join_all().await.into_iter().flatten().collect();
    all.sort_unstable();
    assert_eq!(all, (1..=30).collect::<Vec<_>>());
}

pub(crate) async fn a_watch_sees_the_first_and_every_later_generation(db: TestDatabase) {
    let other_node = db.open().await.unwrap();
    let mut watch = other_node.watch_generation();
    assert_eq!(watch.changed().await, Generation(0));

    let generation = populate(&db.store).await;

    let seen = tokio::time::timeout(Duration::from_secs(10), watch.changed()).await;
    assert_eq!(seen, Ok(generation));
}

pub(crate) async fn a_watch_passes_over_what_its_owner_has_seen(db: TestDatabase) {
    let mut watch = db.store.watch_generation();
    watch.changed().await;
    watch.mark_seen(populate(&db.store).await);
    let later = commit(&db.store, async |tx| tx.teams().insert(&team(7)).await).await;

    let seen = tokio::time::timeout(Duration::from_secs(10), watch.changed()).await;
    assert_eq!(seen, Ok(later));
}
