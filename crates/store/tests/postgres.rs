//! The conformance suite on PostgreSQL, and what only PostgreSQL has: a network between.
#![expect(clippy::unwrap_used, reason = "the suite's cases are tests without the attribute")]

mod suite;
mod support {
    pub(crate) mod database;
}

use std::sync::OnceLock;
use std::time::Duration;

use bailiwick_store::{Location, Store, StoreError};
use bailiwick_testkit::postgres::Cluster;
use secrecy::ExposeSecret as _;
use suite::fixture;
use support::database::TestDatabase;

suite::conformance!();

/// One cluster for all tests of this process; it ends with the process.
static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();

async fn empty_database() -> Option<Location> {
    let cluster = CLUSTER.get_or_init(|| Cluster::start().unwrap()).as_ref()?;
    Some(Location::Postgres(cluster.create_database().unwrap().into()))
}

async fn database() -> Option<(TestDatabase, ())> {
    Some((TestDatabase::at(empty_database().await?).await, ()))
}

#[tokio::test]
async fn a_commit_is_told_to_other_nodes_at_once() {
    let Some((db, ())) = database().await else { return };
    let other_node = db.open().await.unwrap();
    let mut watch = other_node.watch_generation();
    watch.changed().await;

    // A watch that only looked once each second would need ten seconds for these.
    let rounds = async {
        for round in 1..=10u32 {
            let mut tx = db.store.begin().await.unwrap();
            tx.teams().insert(&fixture::team(round.into())).await.unwrap();
            let generation = tx.commit().await.unwrap();
            assert_eq!(watch.changed().await, generation);
        }
    };
    tokio::time::timeout(Duration::from_secs(6), rounds).await.unwrap();
}

#[tokio::test]
async fn a_watch_outlives_its_broken_connections() {
    let Some((db, ())) = database().await else { return };
    let mut watch = db.store.watch_generation();
    watch.changed().await;

    db.raw(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    .await;
    let other_node = db.open().await.unwrap();
    let mut tx = other_node.begin().await.unwrap();
    tx.teams().insert(&fixture::team(1)).await.unwrap();
    let generation = tx.commit().await.unwrap();

    let seen = tokio::time::timeout(Duration::from_secs(10), watch.changed()).await;
    assert_eq!(seen, Ok(generation));
}

#[tokio::test]
async fn a_server_that_stops_is_unavailable_and_not_an_inner_error() {
    let Some(cluster) = Cluster::start().unwrap() else { return };
    let db = TestDatabase::at(Location::Postgres(cluster.create_database().unwrap().into())).await;
    let half_done = db.store.begin().await.unwrap();
    drop(cluster);

    let mut half_done = half_done;
    let write = half_done.teams().insert(&fixture::team(1)).await;
    assert!(matches!(write, Err(StoreError::Unavailable(_))), "{write:?}");
    let begin = db.store.begin().await;
    assert!(matches!(begin, Err(StoreError::Unavailable(_))), "{begin:?}");
    let open = db.open().await;
    assert!(matches!(open, Err(StoreError::Unavailable(_))), "{open:?}");
}

#[tokio::test]
async fn the_password_is_in_no_error_and_no_debug_text() {
    let Some((db, ())) = database().await else { return };
    let Location::Postgres(url) = &db.location else { panic!("not PostgreSQL") };
    let url = url.expose_secret().replace("postgres://bailiwick@", "postgres://bailiwick:hunter2@");
    let location = Location::Postgres(url.clone().into());
    assert!(!format!("{location:?}").contains("hunter2"));
    let store = Store::open(location).await.unwrap();
    assert!(!format!("{store:?} {:?}", store.watch_generation()).contains("hunter2"));

    for broken in [url.replace("postgres://", "http://"), format!("{url}?sslmode=hunter3"), "hunter2".into()]
    {
        let error = Store::open(Location::Postgres(broken.into())).await.unwrap_err();
        let mut text = format!("{error} {error:?}");
        let mut source = std::error::Error::source(&error);
        while let Some(inner) = source {
            text.push_str(&inner.to_string());
            source = inner.source();
        }
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[tokio::test]
async fn nodes_that_start_together_take_turns_with_the_schema() {
    let Some(location) = empty_database().await else { return };
    let open = || Store::open(location.clone());
    let (one, two, three) = tokio::join!(open(), open(), open());
    for node in [one, two, three] {
        node.unwrap().generation().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes of work, for figures"]
async fn many_records() {
    let Some((db, ())) = database().await else { return };
    let index = db.ledger_index();
    suite::measure::many_records(index).await;
}
