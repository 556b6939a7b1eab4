//! From what sqlx reports to what callers act on. One function for both databases.

use sqlx::error::{DatabaseError, ErrorKind};

use super::StoreError;

/// The unique fields: as SQLite's message names them, as PostgreSQL names the constraint, in words.
const UNIQUE: &[(&str, &str, &str)] = &[
    ("teams.name", "teams_name_key", "team name"),
    ("principals.issuer, principals.subject", "principals_issuer_subject_key", "issuer and subject"),
    ("groups.name", "groups_name_key", "group name"),
    ("servers.name", "servers_name_key", "server name"),
    ("toolsets.name", "toolsets_name_key", "toolset name"),
    ("keys.prefix", "keys_prefix_key", "key prefix"),
    ("admin_links.token_hash", "admin_links_pkey", "link token"),
    (
        "definitions.server, definitions.kind, definitions.key",
        "definitions_server_kind_key_key",
        "definition",
    ),
    ("group_members.group_id, group_members.principal", "group_members_pkey", "group member"),
];

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let Some(database) = error.as_database_error() else {
            return if is_connection_trouble(&error) {
                Self::Unavailable(error)
            } else {
                Self::Database(error)
            };
        };
        match database.kind() {
            ErrorKind::UniqueViolation => Self::Taken { what: taken(database) },
            ErrorKind::ForeignKeyViolation => Self::Dangling,
            _ if may_pass(database) => Self::Unavailable(error),
            _ => Self::Database(error),
        }
    }
}

fn taken(error: &dyn DatabaseError) -> &'static str {
    let fits = |(sqlite, postgres, _): &&(&str, &str, &'static str)| match error.constraint() {
        Some(constraint) => constraint == *postgres,
        None => error.message().strip_prefix("UNIQUE constraint failed: ") == Some(sqlite),
    };
    UNIQUE.iter().find(fits).map_or("id", |(_, _, what)| what)
}

fn is_connection_trouble(error: &sqlx::Error) -> bool {
    use sqlx::Error::{BeginFailed, Io, PoolClosed, PoolTimedOut, Protocol, Tls, WorkerCrashed};
    matches!(error, Io(_) | Tls(_) | PoolTimedOut | PoolClosed | WorkerCrashed | Protocol(_) | BeginFailed)
}

/// Whether this is trouble of the database and not of the statement.
///
/// PostgreSQL: classes 08 (connection), 53 (resources), 57P (shutdown), 40 (serialization, deadlock), and
/// read-only, lock and statement timeouts. SQLite: busy, locked, I/O, full, cannot open, read-only, by the
/// primary code in the low byte.
fn may_pass(error: &dyn DatabaseError) -> bool {
    let Some(code) = error.code() else { return false };
    if error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some() {
        return ["08", "53", "57P", "40"].iter().any(|class| code.starts_with(class))
            || ["25006", "55P03", "57014"].contains(&code.as_ref());
    }
    code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 8 | 10 | 13 | 14))
}
