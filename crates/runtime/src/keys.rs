//! Keys on disk and what is done with them: sealing what clients carry for us and bodies in the ledger, keyed digests,
//! the ledger's signatures. Key files are readable by their owner only, or refused.

mod body;
mod cipher;
mod digest;
mod dir;
mod sealer;
mod signing;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

pub use body::{BodySealer, BodySealers};
pub use digest::DigestKey;
pub use dir::{KeyDir, KeyError, SecretKey};
pub use sealer::{Sealer, Unsealed};
pub use signing::{SigningKey, verify_signature};

/// Bytes as base64url without padding (RFC 4648 section 5).
pub fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of a base64url text without padding; `None` for any other text.
pub fn from_base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests;
