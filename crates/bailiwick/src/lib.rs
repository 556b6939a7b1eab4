//! The gateway as a program: the composition root and its lifecycle ([`serve`]), and the command line.
//!
//! A library beside the binary, so that tests run the whole program in their own process.

pub mod cli;
mod ledger_keys;
pub mod serve;
