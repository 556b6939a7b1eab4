//! Servers: register, look at, change, switch, refresh, remove.

mod add;
mod capture;
mod list;
mod name;
mod refresh;
mod remove;
mod secrets;
mod show;
mod transport;
mod update;

pub use add::{NewServer, ServerAdded};
pub(crate) use secrets::associated;
pub use show::{DiscoverySummary, ServerDetail, ServerHealth};
pub use update::ServerChange;
