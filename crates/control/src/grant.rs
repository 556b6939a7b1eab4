//! Grants: who may do what with which part of the catalogue, and until when.

mod add;
mod list;
mod revoke;

pub use add::{NewGrant, WantedScope};
pub use list::GrantDetail;
