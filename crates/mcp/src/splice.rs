//! New messages out of old ones, without serialising the rest again.
//!
//! [`Patch`] says what to change in a message (id, members of `params` or `result`, of their `_meta`, the error code),
//! finds the places, and writes the message once; every byte it does not name survives, white space included.
//! [`Edits`] is the list of places underneath. Called by gateway and upstream on each call that is renamed,
//! bridged or traced. A patch without changes copies the message.

mod edits;
mod message;
mod object;

pub use edits::{Edits, SpliceError};
pub use message::{Editable, Outline, Patch};
pub use object::ObjectPatch;
