//! Keyed digests (HMAC-SHA-256): API keys and tokens are stored as such, so that a copy of the database
//! alone verifies nothing.

use std::fmt;

use aws_lc_rs::hmac::{self, HMAC_SHA256};

use super::SecretKey;

/// A key for digests.
pub struct DigestKey(hmac::Key);

impl fmt::Debug for DigestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DigestKey(redacted)")
    }
}

impl DigestKey {
    /// The key of these bytes.
    pub fn new(key: &SecretKey) -> Self {
        Self(hmac::Key::new(HMAC_SHA256, key.as_slice()))
    }

    /// The digest of `data`.
    pub fn digest(&self, data: &[u8]) -> [u8; 32] {
        let mut out = [0u8; 32];
        out.copy_from_slice(hmac::sign(&self.0, data).as_ref());
        out
    }

    /// Whether `digest` is that of `data`, in constant time.
    pub fn verify(&self, data: &[u8], digest: &[u8]) -> bool {
        hmac::verify(&self.0, data, digest).is_ok()
    }
}
