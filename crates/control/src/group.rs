//! Groups of principals.

mod add;
mod list;
mod members;
mod remove;

pub use list::GroupDetail;
