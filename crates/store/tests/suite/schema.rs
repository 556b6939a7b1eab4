//! The schema: made, kept, refused.

use bailiwick_model::Generation;
use bailiwick_store::{StoreError, WriteTx};

use super::fixture::{NOW, commit, discovery, populate, server};
use crate::support::database::TestDatabase;

/// Leaves a database as a newer version would.
pub(crate) async fn plant_newer(db: &TestDatabase) {
    db.raw(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         SELECT version + 1000, description, success, checksum, execution_time FROM _sqlx_migrations",
    )
    .await;
}

pub(crate) async fn an_empty_database_is_brought_up_to_date(db: TestDatabase) {
    let image = db.store.load_all().await.unwrap();
    assert_eq!(image.generation, Generation(0));
    assert!(image.teams.is_empty() && image.servers.is_empty() && image.keys.is_empty());
}

pub(crate) async fn opening_again_changes_nothing(db: TestDatabase) {
    let generation = populate(&db.store).await;
    db.store.close().await;
    let again = db.open().await.unwrap();
    assert_eq!(again.generation().await.unwrap(), generation);
    assert_eq!(again.load_all().await.unwrap().principals.len(), 3);
}

pub(crate) async fn a_newer_schema_is_refused(db: TestDatabase) {
    plant_newer(&db).await;
    let refused = db.open().await;
    assert!(matches!(refused, Err(StoreError::SchemaTooNew { found: 1003, known: 3 })), "{refused:?}");
}

pub(crate) async fn a_step_that_was_edited_after_its_release_is_refused(db: TestDatabase) {
    db.raw("UPDATE _sqlx_migrations SET checksum = substr(checksum, 2)").await;
    let refused = db.open().await;
    assert!(matches!(refused, Err(StoreError::Migration(_))), "{refused:?}");
}

pub(crate) async fn a_damaged_value_is_named_by_its_column(db: TestDatabase) {
    populate(&db.store).await;
    let record =
        async |tx: &mut WriteTx| tx.discoveries().record(server(1).id, &discovery(), NOW).await.map(drop);
    commit(&db.store, record).await;
    let damage = [
        ("UPDATE definitions SET raw = '{' WHERE position = 3", "raw"),
        ("UPDATE principals SET role = 'emperor'", "role"),
        ("UPDATE teams SET name = 'No Name'", "name"),
    ];
    for (statement, wanted) in damage {
        db.raw(statement).await;
        let error = db.store.load_all().await.unwrap_err();
        assert!(matches!(error, StoreError::Damaged { column, .. } if column == wanted), "{error:?}");
    }
}

pub(crate) async fn a_generation_row_that_is_gone_is_damage_and_not_zero(db: TestDatabase) {
    db.raw("DELETE FROM generation").await;
    let read = db.store.generation().await;
    assert!(matches!(read, Err(StoreError::Damaged { column: "generation", .. })), "{read:?}");
}
