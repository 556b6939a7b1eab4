//! The fakes themselves: a fake that lies makes every test behind it worthless.

#![expect(clippy::unwrap_used, reason = "the helpers of tests may panic as the tests do")]

mod echo_and_load;
mod scripted;
mod shim;
mod stdio;
mod wire;
