//! The gateway under test and those who call it.

mod app;
mod client;

pub(crate) use app::App;
pub(crate) use client::{Answer, Client, Era};
