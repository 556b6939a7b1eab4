//! Who is calling: API keys ([`authenticate()`], [`key`]), the one-time admin link ([`link`]), the check of
//! `Host` and `Origin` ([`origin`]), what a stranger is told ([`error`], [`metadata`]) and what the ledger is
//! told of strangers ([`failures`]).
//!
//! Identity is derived anew on every request, from the key table that the snapshot carries. Nothing here
//! touches a database or the network. `gateway` and `console` authenticate with it; `control` mints with it.

pub mod authenticate;
pub mod bearer;
pub mod error;
pub mod failures;
pub mod key;
pub mod last_use;
pub mod link;
pub mod metadata;
pub mod origin;

pub use authenticate::authenticate;
pub use bearer::{bearer, query_has_token};
pub use error::AuthError;
pub use failures::{AuthFailures, Failure};
pub use key::{KeyRequest, NewKey};
pub use last_use::LastUse;
pub use link::AdminLink;
pub use metadata::ResourceMetadata;
pub use origin::{ForeignRequest, HostRules};
