//! Fakes and fixtures for the tests and measurements of the other rooms.
//!
//! The library holds [`upstream::ScriptedServer`], an MCP server in process that does exactly what a test tells it, and
//! [`fixture`], the server on the official SDK that passes the conformance suite. The binaries are processes that tests
//! start: `bailiwick-fixture`, `bailiwick-echo`, `bailiwick-load` and `bailiwick-shim`; [`bin::path`] finds them.
//! The only crate in which the `rmcp` SDK is allowed: what is checked against it must not be made of it.

pub mod args;
pub mod bin;
pub mod echo;
pub mod fixture;
pub mod http1;
pub mod load;
pub mod misbehave;
pub mod net;
pub mod postgres;
pub mod shim;
pub mod upstream;
