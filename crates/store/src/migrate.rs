//! The schemas, step by step: that of the state, and that of the index over the ledger. Steps go forward only; each
//! has the same number in both folders.
//!
//! A step that is released is never edited: its checksum is kept in the database and compared.

use std::borrow::Cow;

use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};
use sqlx::{PgConnection, SqlSafeStr as _, SqliteConnection};

use crate::StoreError;

macro_rules! step {
    ($version:literal, $title:literal, $sqlite:literal, $postgres:literal) => {
        Step {
            version: $version,
            title: $title,
            sqlite: include_str!(concat!("../migrations/", $sqlite)),
            postgres: include_str!(concat!("../migrations/", $postgres)),
        }
    };
}

/// A schema: its steps, and where sqlx keeps which of them were taken.
pub(crate) struct Schema {
    table: &'static str,
    steps: &'static [Step],
}

/// The schema of everything that is state.
pub(crate) const STATE: Schema = Schema {
    table: "_sqlx_migrations",
    steps: &[
        step!(1, "first light", "sqlite/0001_first_light.sql", "postgres/0001_first_light.sql"),
        step!(2, "capture", "sqlite/0002_capture.sql", "postgres/0002_capture.sql"),
        step!(3, "body keys", "sqlite/0003_body_keys.sql", "postgres/0003_body_keys.sql"),
    ],
};

/// The schema of the index over the ledger, which has steps of its own: it can be made anew without the state.
pub(crate) const LEDGER_INDEX: Schema = Schema {
    table: "_ledger_index_migrations",
    steps: &[step!(
        1,
        "ledger index",
        "sqlite-index/0001_ledger_index.sql",
        "postgres-index/0001_ledger_index.sql"
    )],
};

/// A step: its number, what it does, and its text for SQLite and for PostgreSQL.
struct Step {
    version: i64,
    title: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

fn migrator(schema: &Schema, text: fn(&Step) -> &'static str) -> Migrator {
    let migration = |step: &Step| {
        let title = Cow::Borrowed(step.title);
        Migration::new(step.version, title, MigrationType::Simple, text(step).into_sql_str(), false)
    };
    let mut migrator = Migrator::with_migrations(schema.steps.iter().map(migration).collect());
    migrator.dangerous_set_table_name(schema.table);
    migrator
}

/// Brings a SQLite schema up to date.
pub(crate) async fn sqlite(schema: &Schema, connection: &mut SqliteConnection) -> Result<(), StoreError> {
    migrator(schema, |step| step.sqlite).run_direct(None, connection, false).await.map_err(failed)
}

/// Brings a PostgreSQL schema up to date; nodes that start together take turns by an advisory lock.
pub(crate) async fn postgres(schema: &Schema, connection: &mut PgConnection) -> Result<(), StoreError> {
    migrator(schema, |step| step.postgres).run_direct(None, connection, false).await.map_err(failed)
}

/// Refuses a database that a newer version wrote, without changing it.
pub(crate) async fn refuse_newer<C: Migrate>(schema: &Schema, connection: &mut C) -> Result<(), StoreError> {
    let known = schema.steps.last().map_or(0, |step| step.version);
    let applied = match connection.list_applied_migrations(schema.table).await {
        Ok(applied) => applied,
        // The table is absent from a database that was never ours; making it would be a change.
        Err(MigrateError::Execute(error)) if is_absent(&error) => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    let found = applied.iter().map(|migration| migration.version).max().unwrap_or(0);
    if found > known { Err(StoreError::SchemaTooNew { found, known }) } else { Ok(()) }
}

fn is_absent(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(|e| e.code().as_deref() == Some("42P01") || e.message().starts_with("no such table"))
}

fn failed(error: MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(error) => match StoreError::from(error) {
            StoreError::Database(error) => StoreError::Migration(MigrateError::Execute(error)),
            other => other,
        },
        other => StoreError::Migration(other),
    }
}
