//! Principals: users and agents that are made here.

mod add;
mod list;
mod update;

pub use add::NewPrincipal;
pub use list::PrincipalDetail;
pub use update::PrincipalChange;
