//! AES-256-GCM envelopes: what leaves the process and must come back unread and unchanged (sessions,
//! cursors, `requestState`), and secrets at rest. The associated data ties an envelope to its place: a row's
//! identity, a principal, a purpose.
//!
//! Layout: one byte of key id, 12 bytes of nonce, ciphertext, 16 bytes of tag.

use std::fmt;

use zeroize::Zeroizing;

use super::SecretKey;
use super::cipher::Cipher;

/// Seals with its first key and opens with any of its keys. A key is good for 2^32 seals.
pub struct Sealer {
    keys: Vec<(u8, Cipher)>,
}

/// An envelope's content, wiped when dropped.
pub type Unsealed = Zeroizing<Vec<u8>>;

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|(id, _)| id)).finish()
    }
}

impl Sealer {
    /// A sealer of one key.
    pub fn new(id: u8, key: &SecretKey) -> Self {
        Self { keys: vec![(id, Cipher::new(key))] }
    }

    /// Adds a key that opens what was sealed before a rotation.
    #[must_use]
    pub fn with_older(mut self, id: u8, key: &SecretKey) -> Self {
        self.keys.push((id, Cipher::new(key)));
        self
    }

    /// Seals `plain`; only [`Sealer::open`] with the same `aad` gives it back.
    pub fn seal(&self, aad: &[u8], plain: &[u8]) -> Vec<u8> {
        let (id, key) = self.keys.first().expect("a sealer is made with a key");
        let mut out = Vec::with_capacity(1 + plain.len() + Cipher::OVERHEAD);
        out.push(*id);
        key.seal_onto(&mut out, aad, plain);
        out
    }

    /// The content of an envelope; `None` if it is not one of ours, was changed, or was sealed for another
    /// place. There is no telling which: whoever presents it must not learn.
    pub fn open(&self, aad: &[u8], sealed: &[u8]) -> Option<Unsealed> {
        let (id, rest) = sealed.split_first()?;
        let (_, key) = self.keys.iter().find(|(known, _)| known == id)?;
        key.open(aad, rest)
    }
}
