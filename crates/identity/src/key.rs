//! The text of an API key, `bwk_{prefix}_{secret}`: how it is made, taken apart and hashed.
//!
//! The prefix has 10 characters of base62, the secret is 256 bits in base64url (43 characters, in which `_`
//! may stand, so the parts are found by position and never by splitting). The text exists once, in the
//! answer that shows it; the store keeps its SHA-256.

mod mint;
mod text;

pub(crate) use mint::token;
pub use mint::{KeyRequest, NewKey};
pub(crate) use text::sha256;
pub use text::{KeyText, MARK};
