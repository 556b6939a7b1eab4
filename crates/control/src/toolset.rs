//! Toolsets: named selections of definitions, served as one MCP endpoint.

mod add;
mod list;
mod remove;
mod update;

pub use add::{NewToolset, WantedSelection};
pub use list::ToolsetDetail;
pub use update::ToolsetChange;
