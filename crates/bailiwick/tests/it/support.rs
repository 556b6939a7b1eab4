//! The gateway under test and those who call it.

mod app;
mod client;
mod program;
mod raw;
mod servers;
mod stage;
mod stream;

pub(crate) use app::App;
pub(crate) use client::{Answer, Client, Era, message};
pub(crate) use program::Program;
pub(crate) use raw::raw;
pub(crate) use stage::{DOORS, ERAS, Stage, contacts, script};
pub(crate) use stream::{PATIENCE, Stream, until};
