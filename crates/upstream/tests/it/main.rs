//! The room's behaviour with real sockets and processes on loopback.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::needless_pass_by_value,
    reason = "tests, which fail by panicking and measure real time"
)]

mod children;
mod confinement;
mod discovery;
mod faults;
mod http;
mod packages;
mod sessions;
mod world;
