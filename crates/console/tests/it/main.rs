//! The admin API in process, over a real store and a real ledger.

mod api;
mod coverage;
mod login;
mod world;
