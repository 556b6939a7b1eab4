//! API keys of principals: shown once, kept as a hash, revoked at once.

mod issue;
mod list;
mod revoke;

pub use issue::{IssuedKey, NewKey};
pub use list::KeyDetail;
