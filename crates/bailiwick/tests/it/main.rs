//! The whole gateway in process: real listener, real ledger, real SQLite, servers behind that a test scripts.
//!
//! One test binary, by feature; `support` holds the gateway under test and its callers.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod archive;
mod backup;
mod bodies;
mod calls;
mod capture;
mod confine;
mod database;
mod door;
mod egress;
mod eras;
mod evidence;
mod faults;
mod index;
mod isolation;
mod ledger;
mod metrics;
mod packs;
mod parsing;
mod policy;
mod reach;
mod records;
mod secrets;
mod stalled;
mod starting;
mod stopping;
mod streams;
mod support;
mod workflow;
