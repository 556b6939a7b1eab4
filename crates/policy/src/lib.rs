//! Decisions: who may do what with which part of the catalogue, and why.
//!
//! [`Snapshot`] is the plain data that the data path reads; `control` builds it and a `watch` channel of
//! the binary carries it. [`Snapshot::decide`] is a pure function of it, the caller, the action, the target
//! and the time: Cedar judges, grants are memberships in the entity graph, and deny is the default. An allow
//! is a [`Permit`], which nothing outside this crate can make and which `upstream` demands to forward.
//!
//! Invariant: no I/O, no async runtime, no clock of its own.

pub mod catalogue;
pub mod decision;
pub mod grants;
pub mod people;
pub mod permit;
pub mod rules;
pub mod snapshot;
pub mod template;

mod entities;
mod explain;
#[cfg(test)]
mod fixture;
mod judge;
mod memory;
mod standing;

pub use catalogue::{Catalogue, CatalogueServer, CatalogueToolset, Member, Source};
pub use decision::{Decision, Denial, Target};
pub use grants::Grants;
pub use people::People;
pub use permit::{DiscoveryPermit, Permit};
pub use rules::{InvalidRules, Rules};
pub use snapshot::{Parts, Snapshot};
