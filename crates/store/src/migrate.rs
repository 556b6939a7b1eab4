//! The schema, step by step. Steps go forward only; each has the same number in both folders.
//!
//! A step that is released is never edited: its checksum is kept in the database and compared.

use std::borrow::Cow;

use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};
use sqlx::{PgConnection, SqlSafeStr as _, SqliteConnection};

use crate::StoreError;

/// Where sqlx keeps which steps were taken.
const TABLE: &str = "_sqlx_migrations";

/// A step: its number, what it does, and its text for SQLite and for PostgreSQL.
struct Step {
    version: i64,
    title: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

macro_rules! step {
    ($version:literal, $title:literal, $file:literal) => {
        Step {
            version: $version,
            title: $title,
            sqlite: include_str!(concat!("../migrations/sqlite/", $file)),
            postgres: include_str!(concat!("../migrations/postgres/", $file)),
        }
    };
}

const STEPS: &[Step] =
    &[step!(1, "first light", "0001_first_light.sql"), step!(2, "capture", "0002_capture.sql")];

fn migrator(text: fn(&Step) -> &'static str) -> Migrator {
    let migration = |step: &Step| {
        let title = Cow::Borrowed(step.title);
        Migration::new(step.version, title, MigrationType::Simple, text(step).into_sql_str(), false)
    };
    Migrator::with_migrations(STEPS.iter().map(migration).collect())
}

/// Brings a SQLite schema up to date.
pub(crate) async fn sqlite(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    migrator(|step| step.sqlite).run_direct(None, connection, false).await.map_err(failed)
}

/// Brings a PostgreSQL schema up to date; nodes that start together take turns by an advisory lock.
pub(crate) async fn postgres(connection: &mut PgConnection) -> Result<(), StoreError> {
    migrator(|step| step.postgres).run_direct(None, connection, false).await.map_err(failed)
}

/// Refuses a database that a newer version wrote, without changing it.
pub(crate) async fn refuse_newer<C: Migrate>(connection: &mut C) -> Result<(), StoreError> {
    let known = STEPS.last().map_or(0, |step| step.version);
    let applied = match connection.list_applied_migrations(TABLE).await {
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
