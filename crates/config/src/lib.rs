//! The settings: `bailiwick.toml`, in which every key is optional, under `BAILIWICK_SECTION__KEY` from the
//! environment. Each section is a file with what may be written ([`schema`]) and what a room gets: typed,
//! checked settings of its own section only.
//!
//! Pure: the text, the environment and the reading of secret files are arguments. The binary calls
//! [`Settings::load`]; `bailiwick config check` prints the [`ConfigError`].

pub mod archive;
pub mod data;
pub mod database;
pub mod egress;
mod in_force;
pub mod ledger;
pub mod limits;
pub mod listen;
pub mod log;
mod merge;
mod problem;
mod schema;
mod secret;
mod settings;
pub mod upstream;
pub mod witness;

pub use archive::{Archive, Bucket, Retention};
pub use data::Data;
pub use database::Database;
pub use egress::Egress;
pub use in_force::{InForce, Setting};
pub use ledger::{Durability, Ledger};
pub use limits::Limits;
pub use listen::Listen;
pub use log::{Log, LogFormat};
pub use merge::Source;
pub use problem::{ConfigError, Problem};
pub use schema::schema;
pub use settings::Settings;
pub use upstream::{Children, Confine, Discovery, Upstream};
pub use witness::{Syslog, Witness};
