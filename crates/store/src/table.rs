//! The tables, one file each: SQL, rows to the domain's words, and nothing else.

pub(crate) mod admin_links;
pub(crate) mod body_keys;
pub(crate) mod discoveries;
pub(crate) mod grants;
pub(crate) mod groups;
pub(crate) mod keys;
pub(crate) mod principals;
pub(crate) mod secrets;
pub(crate) mod servers;
pub(crate) mod settings;
pub(crate) mod teams;
pub(crate) mod toolsets;

/// Rows of one `INSERT`. SQLite takes 32,766 values at most, PostgreSQL 65,535; our widest row has seven.
const ROWS_AT_ONCE: usize = 500;
