//! Keyed digests (HMAC-SHA-256): API keys and tokens are stored as such, so that a copy of the database
//! alone verifies nothing.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::SecretKey;

/// A key for digests: kept as the state of the hash after it, which each digest begins from a copy of.
pub struct DigestKey(Hmac<Sha256>);

impl fmt::Debug for DigestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DigestKey(redacted)")
    }
}

impl DigestKey {
    /// The key of these bytes.
    pub fn new(key: &SecretKey) -> Self {
        // RFC 2104 fills a key up to a block with zeros, so that this is the HMAC of the key as it is.
        let mut block = Zeroizing::new([0; 64]);
        block[..key.len()].copy_from_slice(key.as_slice());
        Self(Hmac::new((&*block).into()))
    }

    /// The digest of `data`.
    pub fn digest(&self, data: &[u8]) -> [u8; 32] {
        self.0.clone().chain_update(data).finalize().into_bytes().into()
    }

    /// Whether `digest` is that of `data`, in constant time.
    pub fn verify(&self, data: &[u8], digest: &[u8]) -> bool {
        self.0.clone().chain_update(data).verify_slice(digest).is_ok()
    }
}
