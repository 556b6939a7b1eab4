//! The use-cases: register a server, grant, issue a key, look into the ledger. `console` puts them on HTTP, the
//! binary runs the background work ([`Control::run`]).
//!
//! [`Control`] is the only writer of the store and the only maker of [`bailiwick_policy::Snapshot`]s. Every
//! use-case takes an [`Actor`], and every change goes through one door (`change`), which records it before it is
//! in force and publishes it to the data path right after.

mod actor;
mod audit;
pub mod backup;
mod body_keys;
mod bootstrap;
mod change;
mod control;
mod discovery;
mod error;
mod find;
mod follow;
mod grant;
mod group;
mod key;
mod link;
mod listed;
mod principal;
mod publish;
mod server;
mod team;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod text;
mod toolset;

pub use actor::Actor;
pub use audit::{
    ArchiveState, AuditTail, BodyContent, Branch, CallBody, CallFilter, CallTree, Erasure, IndexState,
    PruneOutcome,
};
pub use bailiwick_ledger::{Counts, Evidence, Report, Status, WitnessStatus};
pub use bailiwick_store::{Ending, IndexCursor, IndexedRecord, Page};
pub use bootstrap::FirstStart;
pub use control::{Control, Parts, Settings};
pub use error::ControlError;
pub use grant::{GrantDetail, NewGrant, WantedScope};
pub use group::GroupDetail;
pub use key::{IssuedKey, KeyDetail, NewKey};
pub use link::{LoginLink, OpenedLink};
pub use listed::Listed;
pub use principal::{NewPrincipal, PrincipalChange, PrincipalDetail};
pub use server::{DiscoverySummary, NewServer, ServerAdded, ServerChange, ServerDetail, ServerHealth};
pub use toolset::{NewToolset, ToolsetChange, ToolsetDetail, WantedSelection};

#[cfg(test)]
mod tests;
