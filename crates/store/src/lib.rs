//! The store: everything that is state and not ledger, in SQLite or in PostgreSQL.
//!
//! The only crate that knows SQL. A use-case opens one unit of work ([`Store::begin`] or [`Store::read`]),
//! reaches the tables through it (`tx.servers().get(id)`), and commits once; a commit that changed what a
//! call depends on bumps the [`Generation`](bailiwick_model::Generation) that every node follows
//! ([`Store::watch_generation`]). "Not found" is `None` or `false`, never an error. Statements are written
//! once, in the dialect that both databases share; only the folders under `migrations/` differ.
//!
//! Invariant: no plaintext secret comes in here. Secrets arrive sealed ([`Sealed`]), keys and links as hashes.
//! Invariant: no clock and no chance of its own; moments and ids are arguments.

mod connect;
mod error;
mod image;
mod ledger_index;
mod migrate;
mod page;
mod pools;
mod sql;
mod table;
mod tx;
mod watch;

pub use connect::{Location, copy_sqlite};
pub use error::StoreError;
pub use image::{ServerEntry, StoreImage};
pub use ledger_index::{
    Ending, Found, IndexBatch, IndexCursor, IndexFilter, IndexPosition, IndexedRecord, LedgerIndex, Named,
    NewEnding, NewRecord, Thread, words_of,
};
pub use page::Page;
pub use pools::Store;
pub use table::admin_links::{AdminLink, AdminLinks};
pub use table::body_keys::{BodyKeyEntry, BodyKeys};
pub use table::discoveries::{Discoveries, DiscoveryFailure, DiscoveryState, LastGood};
pub use table::grants::Grants;
pub use table::groups::Groups;
pub use table::keys::Keys;
pub use table::principals::Principals;
pub use table::secrets::{Sealed, Secrets};
pub use table::servers::Servers;
pub use table::settings::Settings;
pub use table::teams::Teams;
pub use table::toolsets::Toolsets;
pub use tx::{Read, ReadTx, Tx, Write, WriteTx};
pub use watch::GenerationWatch;
