//! The admin API in process, over a real store and a real ledger.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod api;
mod coverage;
mod login;
mod world;
