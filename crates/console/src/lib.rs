//! HTTP over `control`: the admin API under `/api/v1`, its description at `/api/openapi.json`, and the page
//! behind a login link.
//!
//! One file per operation in `v1`. Every route but the login page stands behind one `gate`, so an operation
//! cannot forget to ask who calls. The binary merges [`router()`] into its listener; the CLI speaks [`wire`].

mod app;
mod gate;
mod headers;
mod input;
mod login;
mod metrics;
mod openapi;
mod problem;
mod v1;
pub mod wire;

pub use app::{Console, PeerOf, router};
pub use metrics::metrics_page;
pub use openapi::openapi;
